/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands around the network: wrappers, host programs, drivers, block designs; run against small stand-ins of the
 * libraries that the vendors would bring. The network has two inputs and two outputs, one of them read inside too. */

#include "test-network.h"

#define CONFIG(backend, io, interface)                                                                                 \
  "{\"Backend\":\"" backend "\",\"IOType\":\"" io "\",\"Interface\":\"" interface                                      \
  "\",\"Board\":\"pynq-z2\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}"

static NnModel *
double_network (void)
{
  TestNetwork n;
  NnNode *node;
  guint inputs[2];

  network_begin (&n);
  network_input (&n, "tracks", &NN_SHAPE (4));
  network_dense (&n, "fc1", 4, 3);
  inputs[0] = network_last (&n);
  nn_graph_builder_output (n.builder, inputs[0]);
  node = nn_graph_builder_add (n.builder, NN_OP_INPUT, "towers", "InputLayer", NULL, 0);
  node->shape = NN_SHAPE (2);
  network_dense (&n, "fc2", 2, 3);
  inputs[1] = network_last (&n);
  nn_graph_builder_add (n.builder, NN_OP_ADD, "sum", "Add", inputs, 2);
  network_act (&n, "relu", NN_ACT_RELU);
  network_dense (&n, "fc3", 3, 2);
  return network_end (&n);
}

static void
test_wrappers (void)
{
  static const char *const configs[] = {
    CONFIG ("Vitis", "io_parallel", "axi_stream"),  CONFIG ("Vitis", "io_stream", "axi_stream"),
    CONFIG ("Vivado", "io_stream", "axi_stream"),   CONFIG ("Vitis", "io_stream", "axi_lite"),
    CONFIG ("Vivado", "io_parallel", "axi_lite"),   CONFIG ("Vitis", "io_parallel", "axi_master"),
    CONFIG ("Vivado", "io_stream", "axi_master"),
  };
  g_autoptr (NnModel) model = double_network ();

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDesign) design = network_design (model, configs[i]);
      g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);

      g_assert_no_error (error);
      g_assert_null (*hls_project_warnings (project)); /* every directive is known, the board has a processor */
      g_assert_nonnull (strstr (hls_project_bytes (project, "README.md", NULL), "## System"));
      /* the arguments of the network are no ports of the circuit, and their arrays are split once */
      g_assert_null (strstr (hls_project_bytes (project, "firmware/myproject.cpp", NULL), "NNET_PORT"));
      check_simulation (design, configs[i]);
    }
}

typedef struct {
  char *folder, *project;
} Written;

static Written
written (const char *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = double_network ();
  g_autoptr (NnDesign) design = network_design (model, config);
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  Written w = { test_folder (), NULL };

  g_assert_no_error (error);
  w.project = g_build_filename (w.folder, "project", NULL);
  g_assert_true (hls_project_write (project, w.project, &error));
  return w;
}

static void
written_clear (Written *w)
{
  remove_folder (w->folder);
  g_free (w->folder);
  g_free (w->project);
}

static void
put (const Written *w,
     const char    *name,
     const char    *text)
{
  g_autofree char *path = g_build_filename (w->project, name, NULL), *folder = g_path_get_dirname (path);

  g_mkdir_with_parents (folder, 0777);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* Runs a shell command in the project. (transfer full): what it printed */
static char *
shell (const Written *w,
       const char    *command,
       gboolean      *well)
{
  g_autoptr (GError) error = NULL;
  const char *argv[] = { "sh", "-c", command, NULL };
  char *out = NULL;
  g_autofree char *messages = NULL;
  int status;

  g_spawn_sync (w->project, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &messages, &status, &error);
  g_assert_no_error (error);
  *well = g_spawn_check_wait_status (status, NULL);
  if (!*well || strstr (messages, "warning:") != NULL)
    {
      g_test_message ("%s\n%s", command, messages);
      *well = FALSE;
    }
  return out;
}

static void
must (const Written *w,
      const char    *command)
{
  gboolean well;
  g_autofree char *out = shell (w, command, &well);

  if (!well)
    g_error ("failed: %s: %s", command, out);
}

/* XRT as far as the host program uses it; the kernel is the wrapper itself. */
static const char xrt[] =
  "#pragma once\n#include <cstdlib>\n#include <memory>\n#include <string>\n#include <vector>\n"
  "extern \"C\" void myproject_axi(const float *, const float *, float *, float *, unsigned);\n"
  "enum xclBOSyncDirection { XCL_BO_SYNC_BO_TO_DEVICE, XCL_BO_SYNC_BO_FROM_DEVICE };\n"
  "namespace xrt {\n"
  "struct uuid {};\n"
  "struct device { explicit device(unsigned) {} uuid load_xclbin(const std::string &) { return uuid(); } };\n"
  "struct kernel {\n"
  "    kernel(const device &, const uuid &, const std::string &name) { if (name != \"myproject_axi\") std::abort(); }\n"
  "    int group_id(int argument) const { return argument; }\n};\n"
  "struct bo {\n"
  "    bo(const device &, std::size_t bytes, int group) : host(new std::vector<float>(bytes / 4)), card(new std::vector<float>(bytes / 4)), bank(group) {}\n"
  "    template <class T> T map() { return host->data(); }\n"
  "    void sync(xclBOSyncDirection d) { if (d == XCL_BO_SYNC_BO_TO_DEVICE) *card = *host; else *host = *card; }\n"
  "    std::shared_ptr<std::vector<float>> host, card;\n    int bank;\n};\n"
  "struct run {\n"
  "    explicit run(const kernel &) : samples(0), args(4) {}\n"
  "    void set_arg(int k, const bo &b) { if (b.bank != k) std::abort(); args[k] = b.card; }\n"
  "    void set_arg(int k, unsigned n) { if (k != 4) std::abort(); samples = n; }\n"
  "    void start() { myproject_axi(args[0]->data(), args[1]->data(), args[2]->data(), args[3]->data(), samples); }\n"
  "    void wait() {}\n"
  "    unsigned samples;\n    std::vector<std::shared_ptr<std::vector<float>>> args;\n};\n"
  "}\n";

static void
check_lines (const Written *w,
             const char    *text)
{
  g_autofree char *path = g_build_filename (w->project, "tb_data", "tb_output_predictions.dat", NULL), *expected = NULL;
  g_auto (GStrv) said = g_strsplit_set (text, " \n", -1), wanted = NULL;

  g_assert_true (g_file_get_contents (path, &expected, NULL, NULL));
  wanted = g_strsplit_set (expected, " \n", -1);
  g_assert_cmpuint (g_strv_length (said), ==, g_strv_length (wanted));
  for (guint i = 0; said[i] != NULL; i++)
    g_assert_cmpfloat_with_epsilon (g_ascii_strtod (said[i], NULL), g_ascii_strtod (wanted[i], NULL), 1e-4);
}

/* The host program moves every input and output of every sample between the right buffers. */
static void
test_host (void)
{
  Written w = written (CONFIG ("Vitis", "io_parallel", "axi_master"));
  gboolean well;
  g_autofree char *out = NULL;

  put (&w, "stand-in/xrt/xrt_bo.h", xrt);
  put (&w, "stand-in/xrt/xrt_device.h", "#include \"xrt_bo.h\"\n");
  put (&w, "stand-in/xrt/xrt_kernel.h", "#include \"xrt_bo.h\"\n");
  must (&w, "${CXX:-g++} -std=c++17 -Wall -Wextra -Istand-in -Ifirmware -Ifirmware/nnet_utils -Ifirmware/ap_types src/host.cpp "
            "firmware/myproject.cpp firmware/myproject_axi.cpp -o host-program");
  out = shell (&w, "./host-program some.xclbin", &well);
  g_assert_true (well);
  check_lines (&w, out);
  g_free (out);
  out = shell (&w, "./host-program", &well);
  g_assert_false (well);
  g_clear_pointer (&out, g_free);
  /* without vectors it says so */
  put (&w, "tb_data/tb_input_features.dat", "");
  out = shell (&w, "./host-program some.xclbin", &well);
  g_assert_false (well);
  must (&w, "make -n kernel PLATFORM=x host XILINX_XRT=/x | grep -q 'v++ -l -t hw --platform x --kernel_frequency 200'");
  written_clear (&w);
}

/* SYCL as far as the task uses it. */
static const char sycl[] =
  "#pragma once\n#include <cstdlib>\n"
  "namespace sycl {\n"
  "struct event { void wait() {} };\n"
  "struct queue { template <class S> explicit queue(S) {} template <class N, class F> event single_task(F f) { f(); return event(); } };\n"
  "template <class T> T *malloc_shared(unsigned long n, queue &) { return static_cast<T *>(std::calloc(n, sizeof(T))); }\n"
  "inline void free(void *p, queue &) { std::free(p); }\n"
  "namespace ext { namespace intel { const int fpga_emulator_selector_v = 0, fpga_simulator_selector_v = 1, fpga_selector_v = 2; } }\n"
  "}\n";

/* oneAPI's task and its host program, which compares as the test bench does. */
static void
test_oneapi (void)
{
  static const char *const configs[] = { CONFIG ("oneAPI", "io_parallel", "none"), CONFIG ("oneAPI", "io_stream", "none") };

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++)
    {
      Written w = written (configs[i]);
      gboolean well;
      g_autofree char *out = NULL;

      put (&w, "stand-in/sycl/sycl.hpp", sycl);
      put (&w, "stand-in/sycl/ext/intel/fpga_extensions.hpp", "\n");
      must (&w, "${CXX:-g++} -std=c++17 -Wall -Wextra -Istand-in -Ifirmware -Ifirmware/nnet_utils -Ifirmware/ap_types "
                "src/myproject_kernel.cpp firmware/myproject.cpp -o task");
      out = shell (&w, "./task", &well);
      g_assert_true (well);
      g_assert_nonnull (strstr (out, "espalier-test samples 8 differences 0"));
      must (&w, "make -n report CXX=icpx | grep -q 'fsycl-link=early'");
      written_clear (&w);
    }
}

/* The board's Python library: a DMA engine and registers behind which outputs are sums of inputs that tell them apart. */
static const char pynq[] =
  "import numpy as np\n"
  "class Buffer(np.ndarray):\n"
  "    def freebuffer(self): pass\n"
  "def allocate(shape, dtype): return np.zeros(shape, dtype).view(Buffer)\n"
  "def answers(rows): return np.stack([rows[:, 0], rows[:, 1], rows[:, 3], rows[:, 4], rows[:, 5]], axis=1)\n"
  "class Channel:\n"
  "    def __init__(self, dma): self.dma = dma\n"
  "    def transfer(self, buffer): self.dma.moved.append(buffer)\n"
  "    def wait(self):\n"
  "        if len(self.dma.moved) == 2:\n"
  "            sink, source = self.dma.moved\n"
  "            sink[:] = answers(np.asarray(source))\n"
  "            self.dma.moved = []\n"
  "class Dma:\n"
  "    def __init__(self): self.moved = []; self.recvchannel = Channel(self); self.sendchannel = Channel(self)\n"
  "class Words(np.ndarray):\n"
  "    def __setitem__(self, at, value):\n"
  "        super().__setitem__(at, value)\n"
  "        if isinstance(at, int) and at == 0 and value == 1:\n"
  "            numbers = np.asarray(self)\n"
  "            rows = np.concatenate([numbers[16:20], numbers[24:26]])[None].view(np.float32)\n"
  "            got = answers(rows)[0]\n"
  "            numbers[32:35] = got[:3].view(np.uint32)\n"
  "            numbers[40:42] = got[3:].view(np.uint32)\n"
  "            numbers[0] = 2\n"
  "class Block:\n"
  "    pass\n"
  "class Overlay:\n"
  "    def __init__(self, bitfile):\n"
  "        self.axi_dma_0 = Dma()\n"
  "        self.network = Block()\n"
  "        self.network.mmio = Block()\n"
  "        self.network.mmio.array = np.zeros(64, np.uint32).view(Words)\n"
  "        import pynq_driver\n"
  "        offsets = [64, 96, 128, 160]\n"
  "        a, b, c, d = [name for name, _ in pynq_driver.INPUTS + pynq_driver.OUTPUTS]\n"
  "        keys = ['Memory_' + a, 'Memory_' + b + '_r', c, d + '_r']\n"
  "        self.ip_dict = {'network': {'registers': {k: {'address_offset': o} for k, o in zip(keys, offsets)}}}\n";

static const char pynq_check[] =
  "import numpy as np\n"
  "from pynq_driver import Network\n"
  "tracks = np.arange(12, dtype=np.float64).reshape(3, 2, 2)\n"
  "towers = -np.arange(6).reshape(3, 2)\n"
  "y, seconds = Network('myproject.bit').predict([tracks, towers])\n"
  "assert seconds >= 0 and len(y) == 2 and y[0].shape == (3, 3) and y[1].shape == (3, 2), y\n"
  "assert np.array_equal(y[0], tracks.reshape(3, 4)[:, [0, 1, 3]]), y\n"
  "assert np.array_equal(y[1], towers), y\n"
  "for wrong in (tracks, [tracks, towers[:2]]):\n"
  "    try:\n        Network('x').predict(wrong)\n"
  "    except ValueError:\n        continue\n"
  "    raise AssertionError('accepted')\n";

static void
test_pynq (void)
{
  static const char *const configs[] = { CONFIG ("Vivado", "io_stream", "axi_stream"), CONFIG ("Vitis", "io_parallel", "axi_lite") };

  for (guint i = 0; i < G_N_ELEMENTS (configs); i++)
    {
      Written w = written (configs[i]);
      gboolean well;
      g_autofree char *out = shell (&w, "/usr/bin/python3 -c 'import numpy'", &well);

      if (well)
        {
          put (&w, "pynq.py", pynq);
          put (&w, "check.py", pynq_check);
          must (&w, "/usr/bin/python3 -B check.py");
        }
      else
        g_test_skip ("python3 with numpy is not here");
      written_clear (&w);
    }
}

/* Vivado's commands, which print themselves; IPs, pins and files are there. */
static const char vivado_commands[] =
  "proc get_ipdefs {all filter what} { set name [lindex $what 2]\n"
  "    return [list x:ip:$name:1.9 x:ip:$name:1.10] }\n"
  "foreach command {create_project set_property update_ip_catalog create_bd_design apply_bd_automation connect_bd_net connect_bd_intf_net\n"
  "    assign_bd_address validate_bd_design save_bd_design generate_target add_files update_compile_order launch_runs wait_on_run open_run\n"
  "    report_utilization report_timing_summary} {\n"
  "    proc $command {args} \"puts \\\"$command \\$args\\\"\"\n"
  "}\n"
  "proc create_bd_cell {args} { puts \"create_bd_cell $args\"; return [lindex $args end] }\n"
  "foreach command {get_bd_pins get_bd_intf_pins get_files make_wrapper get_runs current_project current_fileset} {\n"
  "    proc $command {args} { return [lindex $args 0] }\n"
  "}\n"
  "proc current_project {} { return project }\n"
  "proc current_fileset {} { return sources_1 }\n"
  "proc get_property {what of} { return 100% }\n"
  "proc get_board_parts {quiet what} { return [list x:$what:part0:1.0] }\n"
  "set runs ${project_name}_vivado/p.runs/impl_1\n"
  "file mkdir $runs ${project_name}_vivado/p.gen/sources_1/bd/system/hw_handoff\n"
  "close [open $runs/system_wrapper.bit w]\n"
  "close [open ${project_name}_vivado/p.gen/sources_1/bd/system/hw_handoff/system.hwh w]\n";

static char *
run_design (const Written *w,
            gboolean      *well)
{
  g_autofree char *text = g_strconcat ("source project.tcl\n", vivado_commands, "source design.tcl\n", NULL);

  put (w, "try.tcl", text);
  return shell (w, "tclsh try.tcl", well);
}

/* The block design's script runs through: every cell is made before it is wired, and the right ports meet. */
static void
test_design (void)
{
  static const struct { const char *config; const char *lines[6]; } cases[] = {
    { CONFIG ("Vivado", "io_stream", "axi_stream"),
      { "-part xc7z020clg400-1", "create_bd_cell -type ip -vlnv x:ip:processing_system7:1.10 ps", "connect_bd_intf_net axi_dma_0/M_AXIS_MM2S network/source",
        "connect_bd_intf_net network/sink axi_dma_0/S_AXIS_S2MM", "CONFIG.PCW_USE_S_AXI_HP0 1", "connect_bd_intf_net memory/M00_AXI ps/S_AXI_HP0" } },
    { CONFIG ("Vitis", "io_parallel", "axi_lite"),
      { "connect_bd_intf_net control/M00_AXI network/s_axi_control", "CONFIG.PCW_USE_S_AXI_HP0 0", "x:ip:myproject_axi:1.10 network", "200.0",
        "report_timing_summary -file myproject_timing.rpt" } },
    { "{\"Backend\":\"VitisUnified\",\"Part\":\"xczu9eg-ffvb1156-2-e\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}",
      { "x:ip:zynq_ultra_ps_e:1.10 ps", "connect_bd_intf_net memory/M00_AXI ps/S_AXI_HP0_FPD", "connect_bd_net ps/pl_clk0 network/ap_clk" } },
  };
  g_autofree char *tcl = g_find_program_in_path ("tclsh");

  if (tcl == NULL)
    {
      g_test_skip ("tclsh is not here");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Written w = written (cases[i].config);
      gboolean well;
      g_autofree char *out = run_design (&w, &well), *bit = g_build_filename (w.project, "myproject.bit", NULL);

      g_assert_true (well);
      for (guint k = 0; k < G_N_ELEMENTS (cases[i].lines) && cases[i].lines[k] != NULL; k++)
        if (strstr (out, cases[i].lines[k]) == NULL)
          g_error ("\"%s\" is not in\n%s", cases[i].lines[k], out);
      g_assert_true (g_file_test (bit, G_FILE_TEST_EXISTS));
      written_clear (&w);
    }
}

/* A part without a processor: the wrapper is written, with a warning, and the script says why it cannot do. */
static void
test_no_processor (void)
{
  static const char config[] = "{\"Backend\":\"Vitis\",\"Interface\":\"axi_stream\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":"
                               "{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = double_network ();
  g_autoptr (NnDesign) design = network_design (model, config);
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  g_autofree char *tcl = g_find_program_in_path ("tclsh");
  Written w = written (config);
  gboolean well = FALSE;
  g_autofree char *out = tcl != NULL ? run_design (&w, &well) : NULL;

  g_assert_nonnull (strstr (*hls_project_warnings (project), "has no processor"));
  g_assert_false (well);
  written_clear (&w);
}

/* hls4ml's words for accelerators; what has no wrapper, or is no interface, says so. */
static void
test_words (void)
{
  static const struct { const char *config, *part, *file; } good[] = {
    { "{\"Backend\":\"VivadoAccelerator\",\"AcceleratorConfig\":{\"Board\":\"zcu102\",\"Interface\":\"axi_lite\",\"Driver\":\"python\","
      "\"Precision\":{\"Input\":\"float\",\"Output\":\"float\"}}}", "xczu9eg-ffvb1156-2-e", "pynq_driver.py" },
    { "{\"Backend\":\"VivadoAccelerator\",\"Board\":\"pynq-z2\"}", "xc7z020clg400-1", "firmware/myproject_axi.cpp" },
    { "{\"Backend\":\"Vitis\",\"Interface\":\"axi_master\",\"Board\":\"alveo-u250\",\"Part\":\"xcu200-fsgd2104-2-e\"}", "xcu200-fsgd2104-2-e", "src/host.cpp" },
  };
  static const struct { const char *config, *words; } bad[] = {
    { CONFIG ("oneAPI", "io_parallel", "axi_lite"), "a task with its host program" },
    { CONFIG ("Quartus", "io_parallel", "axi_lite"), "Avalon streams" },
    { CONFIG ("Catapult", "io_stream", "axi_lite"), "axi_stream with io_stream" },
    { CONFIG ("Catapult", "io_parallel", "axi_stream"), "wires, with io_parallel" },
    { CONFIG ("Vitis", "io_parallel", "usb"), "axi_stream, axi_lite and axi_master are" },
    { "{\"Backend\":\"Vitis\",\"Interface\":\"axi_master\",\"Platform\":\"u250; x\"}", "letters, digits" },
  };
  g_autoptr (NnModel) model = double_network ();

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDesign) design = network_design (model, good[i].config);
      g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (nn_config_part (nn_design_config (design)), ==, good[i].part);
      g_assert_true (g_strv_contains (hls_project_files (project), good[i].file));
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDesign) design = network_design (model, bad[i].config);

      g_assert_null (hls_project_new (design, NULL, &error));
      g_assert_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED);
      g_assert_nonnull (strstr (error->message, bad[i].words));
    }
}

/* A card's platform, which hls4ml has among the accelerator's settings, and the clock are for its linker. */
static void
test_platform (void)
{
  g_autoptr (NnModel) model = double_network ();
  g_autoptr (NnDesign) design = network_design (model, "{\"Backend\":\"Vitis\",\"ClockPeriod\":3.3,\"AcceleratorConfig\":{\"Interface\":"
                                                       "\"axi_master\",\"Platform\":\"xilinx_u250_xdma_201830_2\"}}");
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  const char *makefile;
  gsize n;

  g_assert_no_error (error);
  makefile = hls_project_bytes (project, "Makefile", &n);
  g_assert_nonnull (g_strstr_len (makefile, n, "PLATFORM ?= xilinx_u250_xdma_201830_2\n"));
  g_assert_nonnull (g_strstr_len (makefile, n, "FREQUENCY ?= 303\n"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/interfaces/words", test_words);
  g_test_add_func ("/interfaces/platform", test_platform);
  g_test_add_func ("/interfaces/wrappers", test_wrappers);
  g_test_add_func ("/interfaces/host", test_host);
  g_test_add_func ("/interfaces/oneapi", test_oneapi);
  g_test_add_func ("/interfaces/pynq", test_pynq);
  g_test_add_func ("/interfaces/design", test_design);
  g_test_add_func ("/interfaces/no-processor", test_no_processor);
  return g_test_run ();
}
