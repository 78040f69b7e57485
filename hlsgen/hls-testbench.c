/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test bench: runs the vectors of tb_data through the top function and compares every bit. */

#include "hls-emit-private.h"

#include "nn-text.h"

#include <math.h>

static const char includes[] =
  "#include <cstdlib>\n"
  "#include <fstream>\n"
  "#include <iomanip>\n"
  "#include <iostream>\n"
  "#include <sstream>\n"
  "#include <string>\n"
  "#include <vector>\n"
  "\n"
  "namespace {\n"
  "\n"
  "#ifdef RTL_SIM\n"
  "const char *const log_name = \"tb_data/rtl_cosim_results.log\";\n"
  "#else\n"
  "const char *const log_name = \"tb_data/csim_results.log\";\n"
  "#endif\n"
  "\n"
  "// The next line of numbers; false at the end of the file.\n"
  "bool read_line(std::istream &in, std::vector<double> &values) {\n"
  "    std::string line;\n"
  "    if (!std::getline(in, line)) {\n"
  "        return false;\n"
  "    }\n"
  "    std::istringstream words(line);\n"
  "    values.clear();\n"
  "    double value = 0;\n"
  "    while (words >> value) {\n"
  "        values.push_back(value);\n"
  "    }\n"
  "    return true;\n"
  "}\n"
  "\n"
  "std::ifstream open_data(const std::string &name) {\n"
  "    std::ifstream in(name.c_str());\n"
  "    std::string above = \"../\";\n"
  "    for (unsigned k = 0; !in && k < 5; k++) { // some tools run the program in a folder of their own\n"
  "        in.clear();\n"
  "        in.open((above + name).c_str());\n"
  "        above += \"../\";\n"
  "    }\n"
  "    return in;\n"
  "}\n"
  "\n";

static void
write_rows (HlsEmit          *emit,
            const char       *path,
            NnTensor *const  *tensors,
            guint             n_tensors,
            gsize             n)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    {
      for (guint k = 0; k < n_tensors; k++)
        {
          gsize size = nn_tensor_row_size (tensors[k]);

          for (gsize j = 0; j < size; j++)
            {
              if (k + j > 0)
                g_string_append_c (text, ' ');
              nn_text_append_double (text, nn_tensor_get (tensors[k], i * size + j));
            }
        }
      g_string_append_c (text, '\n');
    }
  hls_project_add (emit->project, path, text);
}

/* Of the name of an output's port: what several layers read is copied for each, and for the port. */
const char *
hls_emit_port_suffix (const HlsEmit  *emit,
                      const HlsLayer *source)
{
  return emit->split && source->n_readers > 1 ? "_port" : "";
}

static void
feed (const HlsEmit *emit,
      GString       *text)
{
  guint n;
  const guint *inputs = nn_graph_inputs (emit->graph, &n);
  gboolean members = hls_emit_in_structs (emit);
  gsize at = 0;

  if (members)
    g_string_append (text, "        input_data inputs;\n");
  for (guint k = 0; k < n; k++)
    {
      const HlsLayer *layer = &emit->layers[inputs[k]];

      if (emit->stream)
        g_string_append_printf (text,
                                "        NNET_INPUT(%s_packet) %s;\n"
                                "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                                "            %s_packet packet;\n"
                                "            for (unsigned c = 0; c < %u; c++) {\n"
                                "                packet[c] = %s(in[%" G_GSIZE_FORMAT " + i * %u + c]);\n"
                                "            }\n"
                                "            %s.write(packet);\n"
                                "        }\n",
                                layer->type, layer->value, layer->count / layer->packet, layer->type, layer->packet,
                                layer->type, at, layer->packet, layer->value);
      else
        {
          if (!members)
            g_string_append_printf (text, "        %s %s[%" G_GSIZE_FORMAT "];\n", layer->type, layer->value, layer->count);
          g_string_append_printf (text,
                                  "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                                  "            %s%s[i] = %s(in[%" G_GSIZE_FORMAT " + i]);\n"
                                  "        }\n",
                                  layer->count, members ? "inputs." : "", layer->value, layer->type, at);
        }
      at += layer->count;
    }
}

/* A bit stands for -1 or +1. */
static const char *
reading (const HlsLayer *layer)
{
  return layer->plan->result.kind == NN_TYPE_BINARY ? "-1 + 2 * " : "";
}

/* Declares the outputs and calls the top function with all ports; a stream of packets is declared between @open and @close. */
void
hls_emit_append_call (const HlsEmit *emit,
                      const char    *open,
                      const char    *close,
                      GString       *text)
{
  guint n_in, n_out;
  const guint *in = nn_graph_inputs (emit->graph, &n_in), *out = nn_graph_outputs (emit->graph, &n_out);

  for (guint k = 0; k < n_out; k++)
    {
      const HlsLayer *layer = hls_emit_source (emit, out[k]);
      const char *suffix = hls_emit_port_suffix (emit, layer);

      if (emit->stream)
        g_string_append_printf (text, "        %s%s_packet%s %s%s;\n", open, layer->type, close, layer->value, suffix);
      else
        g_string_append_printf (text, "        %s %s%s[%" G_GSIZE_FORMAT "];\n", layer->type, layer->value, suffix, layer->count);
    }
  g_string_append_printf (text, "        %s(", emit->name);
  for (guint k = 0; k < n_in; k++)
    g_string_append_printf (text, "%s, ", emit->layers[in[k]].value);
  for (guint k = 0; k < n_out; k++)
    {
      const HlsLayer *layer = hls_emit_source (emit, out[k]);

      g_string_append_printf (text, "%s%s%s", layer->value, hls_emit_port_suffix (emit, layer), k + 1 < n_out ? ", " : ");\n");
    }
}

/* Its outputs are variables then, or members of one. */
static void
call (const HlsEmit *emit,
      GString       *text)
{
  if (hls_emit_in_structs (emit))
    g_string_append_printf (text, "        const output_data outputs = %s(inputs);\n", emit->name);
  else
    hls_emit_append_call (emit, "NNET_OUTPUT(", ")", text);
}

static void
collect (const HlsEmit *emit,
         GString       *text)
{
  guint n;
  const guint *outputs = nn_graph_outputs (emit->graph, &n);

  call (emit, text);
  g_string_append (text, "        out.clear();\n");
  for (guint k = 0; k < n; k++)
    {
      const HlsLayer *layer = hls_emit_source (emit, outputs[k]);

      if (emit->stream)
        g_string_append_printf (text,
                                "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                                "            const %s_packet packet = %s%s.read();\n"
                                "            for (unsigned c = 0; c < %u; c++) {\n"
                                "                out.push_back(%s(nnet::real_of(packet[c])));\n"
                                "            }\n"
                                "        }\n",
                                layer->count / layer->packet, layer->type, layer->value, hls_emit_port_suffix (emit, layer), layer->packet, reading (layer));
      else
        g_string_append_printf (text,
                                "        for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                                "            out.push_back(%s(nnet::real_of(%s%s%s[i])));\n"
                                "        }\n",
                                layer->count, reading (layer), hls_emit_in_structs (emit) ? "outputs." : "", layer->value,
                                hls_emit_port_suffix (emit, layer));
    }
}

static gsize
total (const HlsEmit *emit,
       const guint   *nodes,
       guint          n)
{
  gsize sum = 0;

  for (guint k = 0; k < n; k++)
    sum += emit->layers[nodes[k]].count;
  return sum;
}

/* `NAME_float` or `NAME_double`: every input, then every output, as arrays of one sample. */
static void
append_bridge_call (const HlsEmit *emit,
                    const GArray  *list,
                    const char    *kind,
                    GString       *text)
{
  gsize at = 0;

  g_string_append_printf (text, "\nextern \"C\" void %s_%s(", emit->name, kind);
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      g_string_append_printf (text, "%s%s%s *%s", k > 0 ? ", " : "", port->input ? "const " : "", kind, port->name);
    }
  g_string_append (text, ") {\n    std::vector<double> in;\n    std::vector<double> out;\n");
  for (guint k = 0; k < list->len && g_array_index (list, HlsPort, k).input; k++)
    g_string_append_printf (text, "    append(in, %s, %" G_GSIZE_FORMAT ");\n", g_array_index (list, HlsPort, k).name,
                            g_array_index (list, HlsPort, k).layer->count);
  g_string_append (text, "    run(in, out);\n");
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      if (port->input)
        continue;
      g_string_append_printf (text,
                              "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                              "        %s[i] = static_cast<%s>(out[%" G_GSIZE_FORMAT " + i]);\n    }\n",
                              port->layer->count, port->name, kind, at);
      at += port->layer->count;
    }
  g_string_append (text, "}\n");
}

/* The top function, reached as the test bench reaches it, behind the C calls that hls4ml's Python has for a compiled project. */
static void
write_bridge (HlsEmit *emit)
{
  GString *text = g_string_new ("// SPDX-License-Identifier: Apache-2.0\n// The network for callers from C or Python, one sample a call: see build_lib.sh.\n");
  g_autofree char *path = g_strdup_printf ("%s_bridge.cpp", emit->name);
  GArray *list = hls_emit_ports (emit);

  g_string_append_printf (text,
                          "#include \"firmware/%s.h\"\n\n#include <vector>\n\nnamespace {\n\n"
                          "void run(const std::vector<double> &in, std::vector<double> &out) {\n    {\n", emit->name);
  feed (emit, text);
  collect (emit, text);
  g_string_append (text, "    }\n}\n\n"
                         "template <class T> void append(std::vector<double> &in, const T *values, unsigned n) {\n"
                         "    in.insert(in.end(), values, values + n);\n}\n\n"
                         "} // namespace\n");
  append_bridge_call (emit, list, "float", text);
  append_bridge_call (emit, list, "double", text);
  hls_emit_ports_free (list);
  hls_project_add (emit->project, path, text);
}

/* Writes the outputs into the log, counts the differences, and tells the sum of them at the end. */
static void
append_comparison (GString *text)
{
  g_string_append (text, "        log << std::setprecision(17);\n"
                         "        for (unsigned i = 0; i < out.size(); i++) {\n"
                         "            log << (i > 0 ? \" \" : \"\") << out[i];\n"
                         "            if (out[i] != expected[i]) {\n"
                         "                const double difference = out[i] > expected[i] ? out[i] - expected[i] : expected[i] - out[i];\n"
                         "                differences++;\n"
                         "                largest = difference > largest ? difference : largest;\n"
                         "            }\n"
                         "        }\n"
                         "        log << std::endl;\n"
                         "        samples++;\n"
                         "    }\n"
                         "    std::cout << \"espalier-test samples \" << samples << \" differences \" << differences << \" largest \"\n"
                         "              << std::setprecision(17) << largest << std::endl;\n"
                         "    if (samples == 0) {\n"
                         "        std::cerr << \"tb_data/tb_input_features.dat: no vector was read\" << std::endl;\n"
                         "        differences = 1;\n"
                         "    }\n");
}

void
hls_emit_test_bench (HlsEmit          *emit,
                     const HlsVectors *vectors)
{
  GString *text = g_string_new ("// SPDX-License-Identifier: Apache-2.0\n"
                                "// Runs the vectors of tb_data and compares every output, exactly; the exit status is 0 where all are equal.\n");
  g_autofree char *path = g_strdup_printf ("%s_test.cpp", emit->name);
  gboolean catapult = emit->backend->backend == NN_BACKEND_CATAPULT;
  gboolean wrapped = emit->interface != HLS_INTERFACE_NONE;
  guint n_inputs, n_outputs;
  const guint *inputs = nn_graph_inputs (emit->graph, &n_inputs), *outputs = nn_graph_outputs (emit->graph, &n_outputs);

  g_string_append_printf (text, "#include \"firmware/%s%s.h\"\n\n%s", emit->name, wrapped ? "_axi" : "", includes);
  if (wrapped)
    hls_interface_test (emit, text);
  g_string_append (text, "} // namespace\n\n");
  g_string_append_printf (text,
                          "%s {\n"
                          "    std::ifstream features = open_data(\"tb_data/tb_input_features.dat\");\n"
                          "    std::ifstream expectations = open_data(\"tb_data/tb_output_predictions.dat\");\n"
                          "    std::ofstream log(log_name);\n"
                          "    std::vector<double> in;\n"
                          "    std::vector<double> expected;\n"
                          "    std::vector<double> out;\n"
                          "    unsigned samples = 0;\n"
                          "    unsigned differences = 0;\n"
                          "    double largest = 0;\n"
                          "    while (read_line(features, in)) {\n"
                          "        if (in.size() != %" G_GSIZE_FORMAT " || !read_line(expectations, expected) || expected.size() != %"
                          G_GSIZE_FORMAT ") {\n"
                          "            std::cerr << \"tb_data: vector \" << samples << \" is not complete\" << std::endl;\n"
                          "            %s;\n"
                          "        }\n",
                          catapult ? "CCS_MAIN(int, char *[])" : "int main()",
                          total (emit, inputs, n_inputs), total (emit, outputs, n_outputs), catapult ? "CCS_RETURN(2)" : "return 2");
  feed (emit, text);
  collect (emit, text);
  if (wrapped)
    g_string_append (text, "        if (!wrapper_agrees(in, out)) {\n"
                           "            std::cerr << \"vector \" << samples << \": the AXI wrapper differs\" << std::endl;\n"
                           "            return 1;\n"
                           "        }\n");
  append_comparison (text);
  g_string_append (text, catapult ? "    CCS_RETURN(differences == 0 ? 0 : 1);\n}\n" : "    return differences == 0 ? 0 : 1;\n}\n");
  hls_project_add (emit->project, path, text);
  write_bridge (emit);
  write_rows (emit, "tb_data/tb_input_features.dat", vectors->inputs, n_inputs, vectors->n);
  write_rows (emit, "tb_data/tb_output_predictions.dat", vectors->expected, n_outputs, vectors->n);
}
