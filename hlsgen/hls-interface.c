/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands between the network and a system: AXI wrappers, a Vitis kernel with its host program, a PYNQ driver. */

#include "hls-emit-private.h"

#include "nn-error.h"

#include <string.h>

#define HEAD "// SPDX-License-Identifier: Apache-2.0\n"

static const char *const names[] = { "none", "axi_stream", "axi_lite", "axi_master", NULL };

/* Of the key "Interface"; hls4ml's words. */
gboolean
hls_interface_choose (HlsEmit  *emit,
                      GError  **error)
{
  g_autofree char *wanted = nn_config_setting (nn_design_config (emit->design), "Interface");
  guint n_in, n_out;

  emit->interface = HLS_INTERFACE_NONE;
  if (wanted == NULL)
    return TRUE;
  for (guint k = 0; names[k] != NULL; k++)
    if (g_ascii_strcasecmp (names[k], wanted) == 0)
      emit->interface = k;
  if (emit->interface == HLS_INTERFACE_NONE)
    {
      if (g_ascii_strcasecmp (wanted, "none") == 0)
        return TRUE;
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED,
                   "Interface: \"%s\" is not known; none, axi_stream, axi_lite and axi_master are", wanted);
      return FALSE;
    }
  nn_graph_inputs (emit->graph, &n_in);
  nn_graph_outputs (emit->graph, &n_out);
  if (emit->backend->backend != NN_BACKEND_VITIS && emit->backend->backend != NN_BACKEND_VIVADO)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "Interface: %s has no AXI wrapper; Vitis and Vivado have",
                   emit->backend->name);
      return FALSE;
    }
  if (n_in == 1 && n_out == 1)
    return TRUE;
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "Interface: %s needs a network of one input and one output; this has %u and %u",
               wanted, n_in, n_out);
  return FALSE;
}

static const HlsLayer *
input_of (const HlsEmit *emit)
{
  guint n;

  return &emit->layers[nn_graph_inputs (emit->graph, &n)[0]];
}

static const HlsLayer *
output_of (const HlsEmit *emit)
{
  guint n;

  return hls_emit_source (emit, nn_graph_outputs (emit->graph, &n)[0]);
}

/* Reads `VALUE` of element i into the network's input, calls it, and hands each output to `GIVE`. */
static void
append_body (const HlsEmit *emit,
             GString       *text,
             const char    *value,
             const char    *give)
{
  const HlsLayer *in = input_of (emit), *out = output_of (emit);

  if (emit->stream)
    g_string_append_printf (text,
                            "    nnet::stream<%s_packet> features(\"features\");\n"
                            "    nnet::stream<%s_packet> results(\"results\");\n"
                            "    NNET_FIFO(features, %" G_GSIZE_FORMAT ")\n    NNET_FIFO(results, %" G_GSIZE_FORMAT ")\n"
                            "    for (unsigned p = 0; p < %" G_GSIZE_FORMAT "; p++) {\n"
                            "        %s_packet packet;\n"
                            "        for (unsigned c = 0; c < %u; c++) {\n"
                            "            const unsigned i = p * %u + c;\n"
                            "            packet[c] = %s(%s);\n            (void)i;\n        }\n"
                            "        features.write(packet);\n    }\n"
                            "    %s(features, results);\n"
                            "    for (unsigned p = 0; p < %" G_GSIZE_FORMAT "; p++) {\n"
                            "        const %s_packet packet = results.read();\n"
                            "        for (unsigned c = 0; c < %u; c++) {\n"
                            "            const unsigned i = p * %u + c;\n"
                            "            const float value = packet[c].to_float();\n            %s\n        }\n    }\n",
                            in->type, out->type, in->count / in->packet, out->count / out->packet, in->count / in->packet, in->type,
                            in->packet, in->packet, in->type, value, emit->name, out->count / out->packet, out->type, out->packet,
                            out->packet, give);
  else
    g_string_append_printf (text,
                            "    %s features[%" G_GSIZE_FORMAT "];\n    NNET_PARTITION(features)\n"
                            "    %s results[%" G_GSIZE_FORMAT "];\n    NNET_PARTITION(results)\n"
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "        features[i] = %s(%s);\n    }\n"
                            "    %s(features, results);\n"
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "        const float value = results[i].to_float();\n        %s\n    }\n",
                            in->type, in->count, out->type, out->count, in->count, in->type, value, emit->name, out->count, give);
}

static void
write_wrapper (HlsEmit *emit)
{
  GString *header = g_string_new (HEAD), *text = g_string_new (HEAD);
  g_autofree char *path = g_strdup_printf ("firmware/%s_axi.cpp", emit->name);
  g_autofree char *header_path = g_strdup_printf ("firmware/%s_axi.h", emit->name);
  g_autofree char *guard = g_ascii_strup (emit->name, -1);
  g_autofree char *prototype = NULL;
  gsize n_in = input_of (emit)->count, n_out = output_of (emit)->count;

  g_string_append_printf (header, "// The network behind AXI; numbers cross as 32-bit floats.\n#ifndef %s_AXI_H_\n#define %s_AXI_H_\n\n"
                                  "#include \"%s.h\"\n\n", guard, guard, emit->name);
  g_string_append_printf (text, "#include \"%s_axi.h\"\n\n", emit->name);
  if (emit->interface == HLS_INTERFACE_AXI_STREAM)
    {
      g_string_append (header, "struct axi_word {\n    float data;\n    ap_uint<1> last;\n};\n\n");
      prototype = g_strdup_printf ("void %s_axi(nnet::stream<axi_word> &in, nnet::stream<axi_word> &out)", emit->name);
      g_string_append_printf (text,
                              "%s {\n    NNET_PRAGMA(HLS INTERFACE axis port = in)\n    NNET_PRAGMA(HLS INTERFACE axis port = out)\n"
                              "    NNET_PRAGMA(HLS INTERFACE ap_ctrl_none port = return)\n", prototype);
      g_autofree char *give = g_strdup_printf ("axi_word word;\n            word.data = value;\n            word.last = i + 1 == %"
                                               G_GSIZE_FORMAT ";\n            out.write(word);", n_out);
      append_body (emit, text, "in.read().data", give);
    }
  else if (emit->interface == HLS_INTERFACE_AXI_LITE)
    {
      prototype = g_strdup_printf ("void %s_axi(const float in[%" G_GSIZE_FORMAT "], float out[%" G_GSIZE_FORMAT "])", emit->name, n_in,
                                   n_out);
      g_string_append_printf (text,
                              "%s {\n    NNET_PRAGMA(HLS INTERFACE s_axilite port = in bundle = control)\n"
                              "    NNET_PRAGMA(HLS INTERFACE s_axilite port = out bundle = control)\n"
                              "    NNET_PRAGMA(HLS INTERFACE s_axilite port = return bundle = control)\n", prototype);
      append_body (emit, text, "in[i]", "out[i] = value;");
    }
  else
    {
      prototype = g_strdup_printf ("extern \"C\" void %s_axi(const float *in, float *out, unsigned samples)", emit->name);
      g_string_append_printf (text,
                              "static void one_sample(const float *in, float *out) {\n");
      append_body (emit, text, "in[i]", "out[i] = value;");
      g_string_append_printf (text,
                              "}\n\n%s {\n    NNET_PRAGMA(HLS INTERFACE m_axi port = in bundle = gmem0 offset = slave)\n"
                              "    NNET_PRAGMA(HLS INTERFACE m_axi port = out bundle = gmem1 offset = slave)\n"
                              "    NNET_PRAGMA(HLS INTERFACE s_axilite port = in bundle = control)\n"
                              "    NNET_PRAGMA(HLS INTERFACE s_axilite port = out bundle = control)\n"
                              "    NNET_PRAGMA(HLS INTERFACE s_axilite port = samples bundle = control)\n"
                              "    NNET_PRAGMA(HLS INTERFACE s_axilite port = return bundle = control)\n"
                              "    for (unsigned s = 0; s < samples; s++) {\n"
                              "        one_sample(in + s * %" G_GSIZE_FORMAT ", out + s * %" G_GSIZE_FORMAT ");\n    }\n",
                              prototype, n_in, n_out);
    }
  g_string_append (text, "}\n");
  g_string_append_printf (header, "%s;\n\n#endif\n", prototype);
  hls_project_add (emit->project, path, text);
  hls_project_add (emit->project, header_path, header);
}

/* Runs the wrapper on one vector: `wrapped(in, out)`, which the test bench calls where floats hold the inputs exactly. */
void
hls_interface_test (const HlsEmit *emit,
                    GString       *text)
{
  gsize n_in = input_of (emit)->count, n_out = output_of (emit)->count;

  g_string_append_printf (text, "// The same vector through the wrapper; false where an output differs.\n"
                                "bool wrapper_agrees(const std::vector<double> &in, const std::vector<double> &out) {\n");
  if (emit->interface == HLS_INTERFACE_AXI_STREAM)
    g_string_append_printf (text,
                            "    nnet::stream<axi_word> from(\"from\");\n    nnet::stream<axi_word> to(\"to\");\n"
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "        axi_word word;\n        word.data = static_cast<float>(nnet::real_of(%s(in[i])));\n"
                            "        word.last = i + 1 == %" G_GSIZE_FORMAT ";\n        from.write(word);\n    }\n"
                            "    %s_axi(from, to);\n    bool agrees = true;\n"
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "        agrees = to.read().data == static_cast<float>(out[i]) && agrees;\n    }\n    return agrees;\n}\n\n",
                            n_in, input_of (emit)->type, n_in, emit->name, n_out);
  else
    g_string_append_printf (text,
                            "    float from[%" G_GSIZE_FORMAT "];\n    float to[%" G_GSIZE_FORMAT "];\n"
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "        from[i] = static_cast<float>(nnet::real_of(%s(in[i])));\n    }\n"
                            "    %s_axi(from, to%s);\n    bool agrees = true;\n"
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                            "        agrees = to[i] == static_cast<float>(out[i]) && agrees;\n    }\n    return agrees;\n}\n\n",
                            n_in, n_out, n_in, input_of (emit)->type, emit->name,
                            emit->interface == HLS_INTERFACE_AXI_MASTER ? ", 1" : "", n_out);
}

static const char host_body[] =
  "#include <algorithm>\n#include <cstdlib>\n#include <fstream>\n#include <iostream>\n#include <string>\n#include <vector>\n\n"
  "#include <xrt/xrt_bo.h>\n#include <xrt/xrt_device.h>\n#include <xrt/xrt_kernel.h>\n\n"
  "// host XCLBIN: runs all vectors of tb_data on the card and prints the outputs.\n"
  "int main(int argc, char **argv) {\n"
  "    if (argc != 2) {\n        std::cerr << \"usage: host XCLBIN\" << std::endl;\n        return 2;\n    }\n"
  "    std::ifstream file(\"tb_data/tb_input_features.dat\");\n"
  "    std::vector<float> features;\n    float value = 0;\n"
  "    while (file >> value) {\n        features.push_back(value);\n    }\n"
  "    const unsigned samples = static_cast<unsigned>(features.size() / n_in);\n"
  "    xrt::device device(0);\n"
  "    const auto uuid = device.load_xclbin(argv[1]);\n"
  "    xrt::kernel kernel(device, uuid, kernel_name);\n"
  "    xrt::bo in(device, features.size() * sizeof(float), kernel.group_id(0));\n"
  "    xrt::bo out(device, samples * n_out * sizeof(float), kernel.group_id(1));\n"
  "    std::copy(features.begin(), features.end(), in.map<float *>());\n"
  "    in.sync(XCL_BO_SYNC_BO_TO_DEVICE);\n"
  "    auto run = kernel(in, out, samples);\n"
  "    run.wait();\n"
  "    out.sync(XCL_BO_SYNC_BO_FROM_DEVICE);\n"
  "    const float *results = out.map<float *>();\n"
  "    for (unsigned s = 0; s < samples; s++) {\n"
  "        for (unsigned i = 0; i < n_out; i++) {\n"
  "            std::cout << (i > 0 ? \" \" : \"\") << results[s * n_out + i];\n        }\n"
  "        std::cout << std::endl;\n    }\n"
  "    return 0;\n}\n";

static void
write_host (HlsEmit *emit)
{
  GString *text = g_string_new (HEAD), *make = g_string_new ("# SPDX-License-Identifier: Apache-2.0\n"
                                                            "# make kernel PLATFORM=... | make host\n");

  g_string_append_printf (text, "static const unsigned n_in = %" G_GSIZE_FORMAT ";\nstatic const unsigned n_out = %" G_GSIZE_FORMAT
                                ";\nstatic const char *const kernel_name = \"%s_axi\";\n\n%s",
                          input_of (emit)->count, output_of (emit)->count, emit->name, host_body);
  hls_project_add (emit->project, "src/host.cpp", text);
  g_string_append_printf (make,
                          "NAME = %s\nTARGET ?= hw\n\nkernel: $(NAME).xclbin\n\n"
                          "$(NAME).xo: firmware/$(NAME)_axi.cpp firmware/$(NAME).cpp\n"
                          "\tv++ -c -t $(TARGET) --platform $(PLATFORM) -k $(NAME)_axi -Ifirmware -Ifirmware/nnet_utils $^ -o $@\n\n"
                          "$(NAME).xclbin: $(NAME).xo\n\tv++ -l -t $(TARGET) --platform $(PLATFORM) $^ -o $@\n\n"
                          "host: src/host.cpp\n\t$(CXX) -std=c++17 -O2 -I$(XILINX_XRT)/include $^ -L$(XILINX_XRT)/lib -lxrt_coreutil -pthread -o $@\n\n"
                          ".PHONY: kernel\n",
                          emit->name);
  hls_project_add (emit->project, "Makefile", make);
}

static void
write_pynq (HlsEmit *emit)
{
  GString *text = g_string_new ("# SPDX-License-Identifier: Apache-2.0\n");

  g_string_append_printf (text,
                          "\"\"\"Runs the network on a PYNQ board: one DMA to it, one from it, 32-bit floats.\"\"\"\n\n"
                          "import time\n\nimport numpy as np\nfrom pynq import Overlay, allocate\n\n"
                          "N_IN = %" G_GSIZE_FORMAT "\nN_OUT = %" G_GSIZE_FORMAT "\n\n\n"
                          "class Network(Overlay):\n"
                          "    def __init__(self, bitfile, dma=\"axi_dma_0\", **options):\n"
                          "        super().__init__(bitfile, **options)\n"
                          "        self.dma = getattr(self, dma)\n\n"
                          "    def predict(self, x):\n"
                          "        \"\"\"x: (samples, ...); returns (samples, N_OUT) and the seconds it took.\"\"\"\n"
                          "        x = np.ascontiguousarray(x, dtype=np.float32).reshape(-1, N_IN)\n"
                          "        source = allocate(shape=(N_IN,), dtype=np.float32)\n"
                          "        sink = allocate(shape=(N_OUT,), dtype=np.float32)\n"
                          "        y = np.empty((x.shape[0], N_OUT), dtype=np.float32)\n"
                          "        start = time.perf_counter()\n"
                          "        for i, sample in enumerate(x):\n"
                          "            source[:] = sample\n"
                          "            self.dma.recvchannel.transfer(sink)\n"
                          "            self.dma.sendchannel.transfer(source)\n"
                          "            self.dma.sendchannel.wait()\n"
                          "            self.dma.recvchannel.wait()\n"
                          "            y[i] = sink\n"
                          "        seconds = time.perf_counter() - start\n"
                          "        source.freebuffer()\n"
                          "        sink.freebuffer()\n"
                          "        return y, seconds\n",
                          input_of (emit)->count, output_of (emit)->count);
  hls_project_add (emit->project, "pynq_driver.py", text);
}

void
hls_interface_write (HlsEmit *emit)
{
  if (emit->interface == HLS_INTERFACE_NONE)
    return;
  write_wrapper (emit);
  if (emit->interface == HLS_INTERFACE_AXI_MASTER)
    write_host (emit);
  if (emit->interface == HLS_INTERFACE_AXI_STREAM)
    write_pynq (emit);
}
