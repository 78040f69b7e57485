/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What runs the network behind AXI: a host program for XRT, a PYNQ driver, and the block design of a board. */

#include "hls-emit-private.h"

#include <string.h>

/* A period of so many ns is 1 MHz. */
#define MHZ_OF_NS 1000.0
#define HEAD "// SPDX-License-Identifier: Apache-2.0\n"
#define SCRIPT_HEAD "# SPDX-License-Identifier: Apache-2.0\n"

static const char host_body[] =
  "// host XCLBIN: runs all vectors of tb_data on the card and prints the outputs, a sample a line.\n"
  "int main(int argc, char **argv) {\n"
  "    if (argc != 2) {\n        std::cerr << \"usage: host XCLBIN\" << std::endl;\n        return 2;\n    }\n"
  "    std::ifstream file(\"tb_data/tb_input_features.dat\");\n"
  "    std::vector<float> features;\n    float value = 0;\n"
  "    while (file >> value) {\n        features.push_back(value);\n    }\n"
  "    const unsigned samples = static_cast<unsigned>(features.size() / sum(in_sizes));\n"
  "    if (samples == 0) {\n        std::cerr << \"tb_data/tb_input_features.dat: no vector was read\" << std::endl;\n        return 1;\n    }\n"
  "    xrt::device device(0);\n"
  "    const auto uuid = device.load_xclbin(argv[1]);\n"
  "    xrt::kernel kernel(device, uuid, kernel_name);\n"
  "    xrt::run run(kernel);\n"
  "    std::vector<xrt::bo> buffers;\n"
  "    int argument = 0;\n"
  "    unsigned first = 0;\n"
  "    for (const unsigned size : in_sizes) {\n"
  "        buffers.emplace_back(device, samples * size * sizeof(float), kernel.group_id(argument));\n"
  "        float *numbers = buffers.back().map<float *>();\n"
  "        for (std::size_t s = 0; s < samples; s++) {\n"
  "            const float *sample = features.data() + s * sum(in_sizes) + first;\n"
  "            std::copy(sample, sample + size, numbers + s * size);\n"
  "        }\n"
  "        buffers.back().sync(XCL_BO_SYNC_BO_TO_DEVICE);\n"
  "        run.set_arg(argument++, buffers.back());\n"
  "        first += size;\n"
  "    }\n"
  "    for (const unsigned size : out_sizes) {\n"
  "        buffers.emplace_back(device, samples * size * sizeof(float), kernel.group_id(argument));\n"
  "        run.set_arg(argument++, buffers.back());\n"
  "    }\n"
  "    run.set_arg(argument, samples);\n"
  "    run.start();\n"
  "    run.wait();\n"
  "    const std::size_t n_in = in_sizes.size();\n"
  "    for (std::size_t k = 0; k < out_sizes.size(); k++) {\n"
  "        buffers[n_in + k].sync(XCL_BO_SYNC_BO_FROM_DEVICE);\n"
  "    }\n"
  "    for (std::size_t s = 0; s < samples; s++) {\n"
  "        const char *space = \"\";\n"
  "        for (std::size_t k = 0; k < out_sizes.size(); k++) {\n"
  "            const float *numbers = buffers[n_in + k].map<float *>() + s * out_sizes[k];\n"
  "            for (unsigned i = 0; i < out_sizes[k]; i++) {\n"
  "                std::cout << space << numbers[i];\n                space = \" \";\n            }\n"
  "        }\n"
  "        std::cout << std::endl;\n    }\n"
  "    return 0;\n}\n";

static void
append_sizes (const GArray *list,
              gboolean      input,
              GString      *text)
{
  gboolean first = TRUE;

  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      if (port->input != input)
        continue;
      g_string_append_printf (text, "%s%" G_GSIZE_FORMAT, first ? "" : ", ", port->layer->count);
      first = FALSE;
    }
}

static void
write_host (HlsEmit      *emit,
            const GArray *list)
{
  const NnConfig *config = nn_design_config (emit->design);
  g_autofree char *platform = nn_config_setting (config, "Platform");
  guint frequency = (guint) (MHZ_OF_NS / nn_config_clock_ns (config) + 0.5);
  GString *text = g_string_new (HEAD), *make = g_string_new (SCRIPT_HEAD "# make kernel PLATFORM=... | make host\n");

  g_string_append (text, "#include <algorithm>\n#include <cstddef>\n#include <cstdlib>\n#include <fstream>\n#include <iomanip>\n#include <iostream>\n"
                         "#include <string>\n#include <vector>\n\n"
                         "#include <xrt/xrt_bo.h>\n#include <xrt/xrt_device.h>\n#include <xrt/xrt_kernel.h>\n\n"
                         "// Numbers of one sample, of each input and each output.\nstatic const std::vector<unsigned> in_sizes = {");
  append_sizes (list, TRUE, text);
  g_string_append (text, "};\nstatic const std::vector<unsigned> out_sizes = {");
  append_sizes (list, FALSE, text);
  g_string_append_printf (text, "};\nstatic const char *const kernel_name = \"%s_axi\";\n\n"
                                "static unsigned sum(const std::vector<unsigned> &sizes) {\n    unsigned all = 0;\n"
                                "    for (const unsigned size : sizes) {\n        all += size;\n    }\n    return all;\n}\n\n%s",
                          emit->name, host_body);
  hls_project_add (emit->project, "src/host.cpp", text);
  if (platform != NULL && !g_str_equal (platform, "null"))
    g_string_append_printf (make, "PLATFORM ?= %s\n", platform);
  g_string_append_printf (make,
                          "NAME = %s\nTARGET ?= hw\n# MHz\nFREQUENCY ?= %u\n\nkernel: $(NAME).xclbin\n\n"
                          "$(NAME).xo: firmware/$(NAME)_axi.cpp firmware/$(NAME).cpp\n"
                          "\tv++ -c -t $(TARGET) --platform $(PLATFORM) --kernel_frequency $(FREQUENCY) -k $(NAME)_axi \\\n"
                          "\t    -Ifirmware -Ifirmware/nnet_utils $^ -o $@\n\n"
                          "$(NAME).xclbin: $(NAME).xo\n"
                          "\tv++ -l -t $(TARGET) --platform $(PLATFORM) --kernel_frequency $(FREQUENCY) $^ -o $@\n\n"
                          "host: src/host.cpp\n\t$(CXX) -std=c++17 -O2 -I$(XILINX_XRT)/include $^ -L$(XILINX_XRT)/lib -lxrt_coreutil -pthread -o $@\n\n"
                          ".PHONY: kernel\n",
                          emit->name, frequency);
  hls_project_add (emit->project, "Makefile", make);
}

static const char python_common[] =
  "def batches(x):\n"
  "    \"\"\"An array for each input, as (samples, numbers) of float32.\"\"\"\n"
  "    x = [x] if isinstance(x, np.ndarray) or not isinstance(x, (list, tuple)) else list(x)\n"
  "    if len(x) != len(INPUTS):\n"
  "        raise ValueError(f\"{len(INPUTS)} arrays are expected, {len(x)} were given\")\n"
  "    x = [np.ascontiguousarray(a, dtype=np.float32).reshape(-1, n) for a, (_, n) in zip(x, INPUTS)]\n"
  "    if len({a.shape[0] for a in x}) != 1:\n"
  "        raise ValueError(\"the arrays have different numbers of samples\")\n"
  "    return x\n\n\n"
  "def answer(y, seconds):\n"
  "    \"\"\"One output as it is, several as a list.\"\"\"\n"
  "    return (y[0] if len(y) == 1 else y), seconds\n\n\n";

static const char python_stream[] =
  "class Network(Overlay):\n"
  "    def __init__(self, bitfile, dma=\"axi_dma_0\", **options):\n"
  "        super().__init__(bitfile, **options)\n"
  "        self.dma = getattr(self, dma)\n\n"
  "    def predict(self, x):\n"
  "        \"\"\"x: (samples, ...), or a list with an array for each input; returns the output (a list of several) and the\n"
  "        seconds it took. All samples cross in one transfer; the last word of the last sample ends it.\"\"\"\n"
  "        x = np.concatenate(batches(x), axis=1)\n"
  "        source = allocate(shape=x.shape, dtype=np.float32)\n"
  "        sink = allocate(shape=(x.shape[0], sum(n for _, n in OUTPUTS)), dtype=np.float32)\n"
  "        source[:] = x\n"
  "        start = time.perf_counter()\n"
  "        self.dma.recvchannel.transfer(sink)\n"
  "        self.dma.sendchannel.transfer(source)\n"
  "        self.dma.sendchannel.wait()\n"
  "        self.dma.recvchannel.wait()\n"
  "        seconds = time.perf_counter() - start\n"
  "        ends = np.cumsum([n for _, n in OUTPUTS])\n"
  "        y = [np.array(part) for part in np.split(np.asarray(sink), ends[:-1], axis=1)]\n"
  "        source.freebuffer()\n"
  "        sink.freebuffer()\n"
  "        return answer(y, seconds)\n";

static const char python_registers[] =
  "AP_START, AP_DONE = 1, 2\n\n\n"
  "def first_word(registers, port):\n"
  "    \"\"\"Where the tool has put a port: names that are words of Verilog get _r, arrays of one number are no memories.\"\"\"\n"
  "    for name in (\"Memory_\" + port, \"Memory_\" + port + \"_r\", port, port + \"_r\"):\n"
  "        if name in registers:\n"
  "            return registers[name][\"address_offset\"] // 4\n"
  "    raise KeyError(f\"the block has no registers for {port}: {sorted(registers)}\")\n\n\n"
  "class Network(Overlay):\n"
  "    def __init__(self, bitfile, name=\"network\", **options):\n"
  "        super().__init__(bitfile, **options)\n"
  "        self.mmio = getattr(self, name).mmio\n"
  "        registers = self.ip_dict[name][\"registers\"]\n"
  "        self.first = {port: first_word(registers, port) for port, _ in INPUTS + OUTPUTS}\n\n"
  "    def predict(self, x):\n"
  "        \"\"\"x: (samples, ...), or a list with an array for each input; returns the output (a list of several) and the\n"
  "        seconds it took. A sample after the other crosses in the block's registers.\"\"\"\n"
  "        x = batches(x)\n"
  "        y = [np.empty((x[0].shape[0], n), dtype=np.float32) for _, n in OUTPUTS]\n"
  "        words = self.mmio.array\n"
  "        start = time.perf_counter()\n"
  "        for s in range(x[0].shape[0]):\n"
  "            for a, (port, n) in zip(x, INPUTS):\n"
  "                words[self.first[port] : self.first[port] + n] = a[s].view(np.uint32)\n"
  "            words[0] = AP_START\n"
  "            while not words[0] & AP_DONE:\n"
  "                pass\n"
  "            for b, (port, n) in zip(y, OUTPUTS):\n"
  "                b[s] = np.array(words[self.first[port] : self.first[port] + n], dtype=np.uint32).view(np.float32)\n"
  "        return answer(y, time.perf_counter() - start)\n";

static void
append_python_ports (const GArray *list,
                     gboolean      input,
                     GString      *text)
{
  g_string_append_printf (text, "%s = [", input ? "INPUTS" : "OUTPUTS");
  for (guint k = 0, n = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      if (port->input == input)
        g_string_append_printf (text, "%s(\"%s\", %" G_GSIZE_FORMAT ")", n++ > 0 ? ", " : "", port->name, port->layer->count);
    }
  g_string_append (text, "]\n");
}

static void
write_driver (HlsEmit      *emit,
              const GArray *list)
{
  gboolean stream = emit->interface == HLS_INTERFACE_AXI_STREAM;
  GString *text = g_string_new (SCRIPT_HEAD);

  g_string_append_printf (text,
                          "\"\"\"Runs the network on a PYNQ board, %s, as 32-bit floats.\n\n"
                          "    from pynq_driver import Network\n    y, seconds = Network(\"%s.bit\").predict(x)\n\"\"\"\n\n"
                          "import time\n\nimport numpy as np\nfrom pynq import Overlay%s\n\n"
                          "# Names and numbers of one sample.\n",
                          stream ? "one DMA engine to and from it" : "through its registers", emit->name, stream ? ", allocate" : "");
  append_python_ports (list, TRUE, text);
  append_python_ports (list, FALSE, text);
  g_string_append (text, "\n\n");
  g_string_append (text, python_common);
  g_string_append (text, stream ? python_stream : python_registers);
  hls_project_add (emit->project, "pynq_driver.py", text);
}

static const char design_head[] =
  SCRIPT_HEAD "# Block design of a Zynq board around the exported IP: vivado -mode batch -source design.tcl, after build_prj.tcl with\n"
              "# the step export. Leaves NAME.bit and NAME.hwh for pynq_driver.py, and reports of the whole design.\n"
              "set tcldir [file dirname [info script]]\n"
              "source [file join $tcldir project.tcl]\n"
              "\n"
              "# The newest version of an IP that is installed.\n"
              "proc newest {name} {\n"
              "    set found [lsort -dictionary [get_ipdefs -all -filter \"NAME == $name\"]]\n"
              "    if {[llength $found] == 0} { error \"the IP $name is not there; run build_prj.tcl with the step export first\" }\n"
              "    return [lindex $found end]\n"
              "}\n"
              "\n"
              "proc cell {ip name} { return [create_bd_cell -type ip -vlnv [newest $ip] $name] }\n"
              "proc wire {from args} { foreach to $args { connect_bd_net [get_bd_pins $from] [get_bd_pins $to] } }\n"
              "proc bus {from to} { connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to] }\n"
              "\n"
              "create_project -force ${project_name}_vivado ${project_name}_vivado -part $part\n"
              "set board_part {}\n"
              "if {$board ne \"\"} { set board_part [lindex [lsort -dictionary [get_board_parts -quiet \"*${board}*\"]] end] }\n"
              "if {$board_part ne \"\"} { set_property board_part $board_part [current_project] }\n"
              "set_property ip_repo_paths [file normalize ${project_name}_prj/solution1/impl/ip] [current_project]\n"
              "update_ip_catalog\n"
              "create_bd_design system\n"
              "set megahertz [expr {1000.0 / $clock_period}]\n"
              "\n"
              "if {[string match -nocase xc7z* $part]} {\n"
              "    set ps [cell processing_system7 ps]\n"
              "    apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \\\n"
              "        -config [list make_external \"FIXED_IO, DDR\" apply_board_preset [expr {$board_part ne \"\"}]] $ps\n"
              "    set_property -dict [list CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $megahertz CONFIG.PCW_USE_M_AXI_GP0 1 \\\n"
              "        CONFIG.PCW_USE_S_AXI_HP0 $with_memory] $ps\n"
              "    set clock ps/FCLK_CLK0; set reset ps/FCLK_RESET0_N; set control_port ps/M_AXI_GP0; set memory_port ps/S_AXI_HP0\n"
              "    set port_clocks [list ps/M_AXI_GP0_ACLK]\n"
              "    if {$with_memory} { lappend port_clocks ps/S_AXI_HP0_ACLK }\n"
              "} elseif {[string match -nocase xczu* $part] || [string match -nocase xck2* $part]} {\n"
              "    set ps [cell zynq_ultra_ps_e ps]\n"
              "    apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e \\\n"
              "        -config [list apply_board_preset [expr {$board_part ne \"\"}]] $ps\n"
              "    set_property -dict [list CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $megahertz CONFIG.PSU__USE__M_AXI_GP0 1 \\\n"
              "        CONFIG.PSU__USE__M_AXI_GP1 0 CONFIG.PSU__USE__M_AXI_GP2 0 CONFIG.PSU__USE__S_AXI_GP2 $with_memory] $ps\n"
              "    set clock ps/pl_clk0; set reset ps/pl_resetn0; set control_port ps/M_AXI_HPM0_FPD; set memory_port ps/S_AXI_HP0_FPD\n"
              "    set port_clocks [list ps/maxihpm0_fpd_aclk]\n"
              "    if {$with_memory} { lappend port_clocks ps/saxihp0_fpd_aclk }\n"
              "} else {\n"
              "    error \"$part has no processor: a block design is made for Zynq 7000, Zynq UltraScale+ and Kria parts\"\n"
              "}\n"
              "\n"
              "cell proc_sys_reset reset\n"
              "wire $clock reset/slowest_sync_clk\n"
              "wire $reset reset/ext_reset_in\n"
              "foreach port $port_clocks { wire $clock $port }\n"
              "\n"
              "cell $top_name network\n"
              "wire $clock network/ap_clk\n"
              "wire reset/peripheral_aresetn network/ap_rst_n\n"
              "set control [cell smartconnect control]\n"
              "set_property -dict [list CONFIG.NUM_SI 1 CONFIG.NUM_MI 1] $control\n"
              "wire $clock control/aclk\n"
              "wire reset/interconnect_aresetn control/aresetn\n"
              "bus $control_port control/S00_AXI\n";

static const char design_stream[] =
  "\n"
  "# One DMA engine: from memory into the network, and back.\n"
  "set dma [cell axi_dma axi_dma_0]\n"
  "set_property -dict [list CONFIG.c_include_sg 0 CONFIG.c_sg_length_width 26 CONFIG.c_m_axis_mm2s_tdata_width 32 \\\n"
  "    CONFIG.c_m_axi_mm2s_data_width 32 CONFIG.c_mm2s_burst_size 16 CONFIG.c_s2mm_burst_size 16] $dma\n"
  "wire $clock axi_dma_0/s_axi_lite_aclk axi_dma_0/m_axi_mm2s_aclk axi_dma_0/m_axi_s2mm_aclk\n"
  "wire reset/peripheral_aresetn axi_dma_0/axi_resetn\n"
  "bus control/M00_AXI axi_dma_0/S_AXI_LITE\n"
  "bus axi_dma_0/M_AXIS_MM2S network/source\n"
  "bus network/sink axi_dma_0/S_AXIS_S2MM\n"
  "set memory [cell smartconnect memory]\n"
  "set_property -dict [list CONFIG.NUM_SI 2 CONFIG.NUM_MI 1] $memory\n"
  "wire $clock memory/aclk\n"
  "wire reset/interconnect_aresetn memory/aresetn\n"
  "bus axi_dma_0/M_AXI_MM2S memory/S00_AXI\n"
  "bus axi_dma_0/M_AXI_S2MM memory/S01_AXI\n"
  "bus memory/M00_AXI $memory_port\n";

static const char design_registers[] =
  "\n"
  "# The network's registers, on the processor's bus.\n"
  "bus control/M00_AXI network/s_axi_control\n";

static const char design_tail[] =
  "\n"
  "assign_bd_address\n"
  "validate_bd_design\n"
  "save_bd_design\n"
  "set files [get_files system.bd]\n"
  "generate_target all $files\n"
  "add_files -norecurse [make_wrapper -files $files -top]\n"
  "set_property top system_wrapper [current_fileset]\n"
  "update_compile_order -fileset sources_1\n"
  "launch_runs impl_1 -to_step write_bitstream -jobs 4\n"
  "wait_on_run impl_1\n"
  "if {[get_property PROGRESS [get_runs impl_1]] ne \"100%\"} { error \"the implementation failed: see ${project_name}_vivado/*.runs/impl_1\" }\n"
  "open_run impl_1\n"
  "report_utilization -file ${project_name}_utilization.rpt\n"
  "report_utilization -hierarchical -file ${project_name}_utilization_hierarchy.rpt\n"
  "report_timing_summary -file ${project_name}_timing.rpt\n"
  "file copy -force [glob ${project_name}_vivado/*.runs/impl_1/system_wrapper.bit] ${project_name}.bit\n"
  "file copy -force [lindex [glob -directory ${project_name}_vivado {*.gen/sources_1/bd/system/hw_handoff/system.hwh} \\\n"
  "    {*.srcs/sources_1/bd/system/hw_handoff/system.hwh}] 0] ${project_name}.hwh\n"
  "exit\n";

static gboolean
has_processor (const char *part)
{
  static const char *const prefixes[] = { "xc7z", "xczu", "xck2" };

  for (guint k = 0; k < G_N_ELEMENTS (prefixes); k++)
    if (g_ascii_strncasecmp (part, prefixes[k], strlen (prefixes[k])) == 0)
      return TRUE;
  return FALSE;
}

static void
write_design (HlsEmit *emit)
{
  gboolean stream = emit->interface == HLS_INTERFACE_AXI_STREAM;
  const char *part = nn_config_part (nn_design_config (emit->design));
  GString *text = g_string_new (design_head), *setting = g_string_new (NULL);

  g_string_append_printf (setting, "create_project -force");
  g_string_prepend (setting, stream ? "set with_memory 1\n" : "set with_memory 0\n");
  g_string_replace (text, "create_project -force", setting->str, 1);
  g_string_free (setting, TRUE);
  g_string_append (text, stream ? design_stream : design_registers);
  g_string_append (text, design_tail);
  hls_project_add (emit->project, "design.tcl", text);
  if (!has_processor (part))
    {
      g_autofree char *warning = g_strdup_printf ("Interface: part %s has no processor, so design.tcl and pynq_driver.py need another one (Zynq 7000, "
                                                  "Zynq UltraScale+, Kria); the wrapper itself fits any", part);

      hls_project_warn (emit->project, warning);
    }
}

/* Everything besides the wrapper itself. */
void
hls_interface_write_host (HlsEmit      *emit,
                          const GArray *list)
{
  if (emit->interface == HLS_INTERFACE_AXI_MASTER)
    {
      write_host (emit, list);
      return;
    }
  write_driver (emit, list);
  write_design (emit);
}
