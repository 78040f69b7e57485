/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intel: oneAPI (SYCL) and the older HLS compiler of Quartus. */

#include "hls-backend.h"

#include "nn-text.h"

static const char *const simulation[] = { "ac_fixed.h", "ac_int.h", "espalier_fixed.h", NULL };

/* Source: FPGA Handbook of the Intel oneAPI DPC++/C++ Compiler 2022 to 2025, chapter on loop directives: all but unroll are
 * attributes there. */
static const char *const oneapi_directives[] = {
  "unroll #", "intel::initiation_interval", "intel::loop_coalesce", "intel::ivdep", "intel::max_concurrency",
  "intel::speculated_iterations", "intel::disable_loop_pipelining", "intel::fpga_register", "intel::kernel_args_restrict", NULL,
};

/* Source: Intel HLS Compiler Pro Edition Reference Manual 19.1 to 22.4, chapters on loop pragmas and component attributes. */
static const char *const quartus_directives[] = {
  "unroll #", "ii #", "loop_coalesce #", "ivdep", "max_concurrency #", "speculated_iterations #", "disable_loop_pipelining",
  "hls_component_ii", "hls_max_concurrency", "hls_scheduler_target_fmax_mhz", "hls_register", NULL,
};

static const char kernel_head[] =
  "// SPDX-License-Identifier: Apache-2.0\n"
  "// One SYCL task around the network: numbers come from and go to memory shared with the host.\n"
  "#include <sycl/sycl.hpp>\n"
  "#include <sycl/ext/intel/fpga_extensions.hpp>\n"
  "\n"
  "#include <fstream>\n"
  "#include <iostream>\n"
  "#include <sstream>\n"
  "#include <string>\n"
  "#include <vector>\n"
  "\n";

static gsize
elements (const HlsEmit *emit,
          const guint   *nodes,
          guint          n)
{
  gsize sum = 0;

  for (guint k = 0; k < n; k++)
    sum += emit->layers[nodes[k]].count;
  return sum;
}

/* From the flat array of all inputs, at @at, to the port of one. */
static void
append_input (const HlsEmit  *emit,
              const HlsLayer *l,
              gsize           at,
              GString        *text)
{
  if (emit->stream)
    g_string_append_printf (text,
                            "        nnet::stream<%s_packet> %s;\n"
                            "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "            %s_packet packet;\n"
                            "            for (unsigned c = 0; c < %u; c++) {\n"
                            "                packet[c] = %s(in[%" G_GSIZE_FORMAT " + i * %u + c]);\n            }\n"
                            "            %s.write(packet);\n        }\n",
                            l->type, l->value, l->count / l->packet, l->type, l->packet, l->type, at, l->packet, l->value);
  else
    g_string_append_printf (text,
                            "        %s %s[%" G_GSIZE_FORMAT "];\n"
                            "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "            %s[i] = %s(in[%" G_GSIZE_FORMAT " + i]);\n        }\n",
                            l->type, l->value, l->count, l->count, l->value, l->type, at);
}

/* From the port of one output to the flat array of all. */
static void
append_output (const HlsEmit  *emit,
               const HlsLayer *l,
               gsize           at,
               GString        *text)
{
  if (emit->stream)
    g_string_append_printf (text,
                            "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "            const %s_packet packet = %s%s.read();\n"
                            "            for (unsigned c = 0; c < %u; c++) {\n"
                            "                out[%" G_GSIZE_FORMAT " + i * %u + c] = packet[c].to_double();\n            }\n        }\n",
                            l->count / l->packet, l->type, l->value, hls_emit_port_suffix (emit, l), l->packet, at, l->packet);
  else
    g_string_append_printf (text,
                            "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "            out[%" G_GSIZE_FORMAT " + i] = %s%s[i].to_double();\n        }\n",
                            l->count, at, l->value, hls_emit_port_suffix (emit, l));
}

/* Copies between the flat arrays and the ports of the top function. */
static void
append_task (const HlsEmit *emit,
             GString       *text)
{
  guint n_in, n_out;
  const guint *in = nn_graph_inputs (emit->graph, &n_in), *out = nn_graph_outputs (emit->graph, &n_out);
  gsize at = 0;

  for (guint k = 0; k < n_in; at += emit->layers[in[k]].count, k++)
    append_input (emit, &emit->layers[in[k]], at, text);
  hls_emit_append_call (emit, "nnet::stream<", ">", text);
  at = 0;
  for (guint k = 0; k < n_out; at += hls_emit_source (emit, out[k])->count, k++)
    append_output (emit, hls_emit_source (emit, out[k]), at, text);
}

static void
write_kernel (HlsEmit *emit)
{
  GString *text = g_string_new (kernel_head);
  g_autofree char *path = g_strdup_printf ("src/%s_kernel.cpp", emit->name);
  guint n_in, n_out;
  const guint *in = nn_graph_inputs (emit->graph, &n_in), *out = nn_graph_outputs (emit->graph, &n_out);

  g_string_append_printf (text,
                          "#include \"../firmware/%s.h\"\n\nclass %sTask;\n\nstruct Network {\n    const double *in;\n    double *out;\n"
                          "    void operator()() const {\n",
                          emit->name, emit->name);
  append_task (emit, text);
  g_string_append_printf (text,
                          "    }\n};\n\n"
                          "int main() {\n"
                          "#if defined(FPGA_SIMULATOR)\n"
                          "    auto selector = sycl::ext::intel::fpga_simulator_selector_v;\n"
                          "#elif defined(FPGA_HARDWARE)\n"
                          "    auto selector = sycl::ext::intel::fpga_selector_v;\n"
                          "#else\n"
                          "    auto selector = sycl::ext::intel::fpga_emulator_selector_v;\n"
                          "#endif\n"
                          "    sycl::queue queue(selector);\n"
                          "    double *in = sycl::malloc_shared<double>(%" G_GSIZE_FORMAT ", queue);\n"
                          "    double *out = sycl::malloc_shared<double>(%" G_GSIZE_FORMAT ", queue);\n"
                          "    std::ifstream features(\"tb_data/tb_input_features.dat\");\n"
                          "    std::ifstream expectations(\"tb_data/tb_output_predictions.dat\");\n"
                          "    unsigned samples = 0;\n"
                          "    unsigned differences = 0;\n"
                          "    std::string line;\n"
                          "    while (std::getline(features, line)) {\n"
                          "        std::istringstream words(line);\n"
                          "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                          "            words >> in[i];\n"
                          "        }\n"
                          "        queue.single_task<%sTask>(Network{in, out}).wait();\n"
                          "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                          "            double expected = 0;\n"
                          "            expectations >> expected;\n"
                          "            differences += out[i] != expected;\n"
                          "        }\n"
                          "        samples++;\n"
                          "    }\n"
                          "    std::cout << \"espalier-test samples \" << samples << \" differences \" << differences << \" largest 0\" << std::endl;\n"
                          "    sycl::free(in, queue);\n"
                          "    sycl::free(out, queue);\n"
                          "    return differences == 0 ? 0 : 1;\n"
                          "}\n",
                          elements (emit, in, n_in), elements (emit, out, n_out), elements (emit, in, n_in), emit->name,
                          elements (emit, out, n_out));
  hls_project_add (emit->project, path, text);
}

static void
oneapi_scripts (HlsEmit *emit)
{
  const NnConfig *config = nn_design_config (emit->design);
  g_autofree char *clock = nn_text_from_double (nn_config_clock_ns (config));
  GString *text = g_string_new ("# SPDX-License-Identifier: Apache-2.0\n# make emulation | report | simulation | hardware\n");

  write_kernel (emit);
  g_string_append_printf (text,
                          "CXX = icpx\n"
                          "NAME = %s\n"
                          "PART = %s\n"
                          "FLAGS = -std=c++17 -O2 -fsycl -fintelfpga -qactypes -Ifirmware -Ifirmware/nnet_utils\n"
                          "SOURCES = src/$(NAME)_kernel.cpp firmware/$(NAME).cpp\n"
                          "HARDWARE = -Xshardware -Xstarget=$(PART) -Xsclock=%sns\n\n"
                          "emulation:\n\t$(CXX) $(FLAGS) -DFPGA_EMULATOR $(SOURCES) -o $(NAME).fpga_emu\n\t./$(NAME).fpga_emu\n\n"
                          "report:\n\t$(CXX) $(FLAGS) $(HARDWARE) -fsycl-link=early $(SOURCES) -o $(NAME)_report.a\n\n"
                          "simulation:\n\t$(CXX) $(FLAGS) -DFPGA_SIMULATOR -Xssimulation -Xstarget=$(PART) $(SOURCES) -o $(NAME).fpga_sim\n\tCL_CONTEXT_MPSIM_DEVICE_INTELFPGA=1 ./$(NAME).fpga_sim\n\n"
                          "hardware:\n\t$(CXX) $(FLAGS) -DFPGA_HARDWARE $(HARDWARE) $(SOURCES) -o $(NAME).fpga\n\n"
                          ".PHONY: emulation report simulation hardware\n",
                          emit->name, nn_config_part (config), clock);
  hls_project_add (emit->project, "Makefile", text);
}

static void
quartus_scripts (HlsEmit *emit)
{
  const NnConfig *config = nn_design_config (emit->design);
  g_autofree char *clock = nn_text_from_double (nn_config_clock_ns (config));
  GString *text = g_string_new ("# SPDX-License-Identifier: Apache-2.0\n# make emulation | report | simulation | hardware\n");

  g_string_append_printf (text,
                          "CXX = i++\n"
                          "NAME = %s\n"
                          "PART = %s\n"
                          "FLAGS = -Ifirmware -Ifirmware/nnet_utils\n"
                          "SOURCES = $(NAME)_test.cpp firmware/$(NAME).cpp\n\n"
                          "emulation:\n\t$(CXX) -march=x86-64 $(FLAGS) $(SOURCES) -o $(NAME)-emulation\n\t./$(NAME)-emulation\n\n"
                          "report: $(NAME)-fpga\n\n"
                          "$(NAME)-fpga: $(SOURCES)\n\t$(CXX) -march=$(PART) --clock %sns $(FLAGS) $(SOURCES) -o $@\n\n"
                          "simulation: $(NAME)-fpga\n\t./$(NAME)-fpga\n\n"
                          "hardware: $(NAME)-fpga\n\tcd $(NAME)-fpga.prj/quartus && quartus_sh --flow compile quartus_compile\n\n"
                          ".PHONY: emulation report simulation hardware\n",
                          emit->name, nn_config_part (config), clock);
  hls_project_add (emit->project, "Makefile", text);
}

const HlsBackend hls_backend_oneapi = {
  .backend = NN_BACKEND_ONEAPI,
  .name = "Intel oneAPI",
  .key = "oneapi",
  .header = "backend/algorithmic.h",
  .tool = "backend/tool-oneapi.h",
  .standard = "c++14",
  .simulation = simulation,
  .type = hls_type_ac,
  .scripts = oneapi_scripts,
  .directives = oneapi_directives,
  .by_hand = "`make emulation`, `make report`, `make simulation` or `make hardware`, once `setvars.sh` of oneAPI has set the environment.\n",
};

/* Its compiler has no channel inside a component: layers hand whole tensors on in buffers, the ports are streams. */
const HlsBackend hls_backend_quartus = {
  .backend = NN_BACKEND_QUARTUS,
  .name = "Intel HLS (Quartus)",
  .key = "quartus",
  .header = "backend/algorithmic.h",
  .tool = "backend/tool-quartus.h",
  .standard = "c++14",
  .simulation = simulation,
  .type = hls_type_ac,
  .scripts = quartus_scripts,
  .directives = quartus_directives,
  .by_hand = "`make emulation`, `make report`, `make simulation` or `make hardware`, once `init_hls.sh` of the HLS compiler has set the environment.\n",
};
