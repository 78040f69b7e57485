/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wrapper of AXI in the test bench: the same vector through it. */

#include "hls-emit-private.h"

/* Puts the vector where the wrapper reads it, as floats of numbers that the inputs can hold. */
static void
append_test_inputs (const HlsEmit *emit,
                    const GArray  *list,
                    GString       *text)
{
  gsize at = 0, n = hls_emit_ports_count (list, TRUE);

  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      if (!port->input && !hls_emit_axi_streams (emit))
        g_string_append_printf (text, "    float %s[%" G_GSIZE_FORMAT "];\n", port->name, port->layer->count);
      if (!port->input)
        continue;
      if (hls_emit_axi_streams (emit))
        g_string_append_printf (text,
                                "    for (unsigned i = %" G_GSIZE_FORMAT "; i < %" G_GSIZE_FORMAT "; i++) {\n"
                                "        axi_word word;\n        word.data = static_cast<float>(nnet::real_of(%s(in[i])));\n"
                                "        word.last = i + 1 == %" G_GSIZE_FORMAT " ? 1 : 0;\n        source.write(word);\n    }\n",
                                at, at + port->layer->count, port->layer->type, n);
      else
        g_string_append_printf (text,
                                "    float %s[%" G_GSIZE_FORMAT "];\n    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                                "        %s[i] = static_cast<float>(nnet::real_of(%s(in[%" G_GSIZE_FORMAT " + i])));\n    }\n",
                                port->name, port->layer->count, port->layer->count, port->name, port->layer->type, at);
      at += port->layer->count;
    }
}

/* Runs the wrapper on one vector, which the test bench calls where floats hold the inputs exactly. */
void
hls_interface_test (const HlsEmit *emit,
                    GString       *text)
{
  GArray *list = hls_emit_ports (emit);
  gsize at = 0;

  g_string_append (text, "// The same vector through the wrapper; false where an output differs.\n"
                         "bool wrapper_agrees(const std::vector<double> &in, const std::vector<double> &out) {\n");
  if (hls_emit_axi_streams (emit))
    g_string_append (text, "    nnet::stream<axi_word> source(\"source\");\n    nnet::stream<axi_word> sink(\"sink\");\n");
  append_test_inputs (emit, list, text);
  g_string_append_printf (text, "    %s_axi(", emit->name);
  for (guint k = 0; k < list->len && !hls_emit_axi_streams (emit); k++)
    g_string_append_printf (text, "%s%s", k > 0 ? ", " : "", g_array_index (list, HlsPort, k).name);
  g_string_append_printf (text, "%s%s);\n    bool agrees = true;\n", hls_emit_axi_streams (emit) ? "source, sink" : "",
                          emit->interface == HLS_INTERFACE_AXI_MASTER ? ", 1" : "");
  if (hls_emit_axi_streams (emit))
    g_string_append_printf (text,
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n        const axi_word word = sink.read();\n"
                            "        agrees = word.data == static_cast<float>(out[i]) && (word.last != 0) == (i + 1 == %" G_GSIZE_FORMAT
                            ") && agrees;\n    }\n",
                            hls_emit_ports_count (list, FALSE), hls_emit_ports_count (list, FALSE));
  for (guint k = 0; k < list->len && !hls_emit_axi_streams (emit); k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      if (port->input)
        continue;
      g_string_append_printf (text,
                              "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n"
                              "        agrees = %s[i] == static_cast<float>(out[%" G_GSIZE_FORMAT " + i]) && agrees;\n    }\n",
                              port->layer->count, port->name, at);
      at += port->layer->count;
    }
  g_string_append (text, "    return agrees;\n}\n\n");
  hls_emit_ports_free (list);
}
