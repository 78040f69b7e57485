/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AXI around the network: streams, registers, or memory. What then runs it is in hls-interface-host.c. */

#include "hls-emit-private.h"

#include "nn-error.h"

#include <string.h>

#define HEAD "// SPDX-License-Identifier: Apache-2.0\n"

static const char *const names[] = { "none", "axi_stream", "axi_lite", "axi_master", NULL };

/* What the tools have that know no wrapper of ours. */
static const char *
own_ports (NnBackend backend)
{
  switch (backend)
    {
    case NN_BACKEND_ONEAPI:
      return "A oneAPI project always has a task with its host program; for a family of devices icpx makes an IP of the task, with an Avalon "
             "agent for its arguments and a host for the memory that both share, which Platform Designer joins to AXI";
    case NN_BACKEND_QUARTUS:
      return "An Intel component has Avalon streams as ports with io_stream and wires with io_parallel, which Platform Designer connects";
    default:
      return "Catapult has axi_stream with io_stream, each port an AXI4-Stream of packets; its other ports are wires, with io_parallel, around "
             "which its library \"amba\" puts registers or a master by directives on the ports";
    }
}

/* A platform is a name or a file that stands in a Makefile. */
static gboolean
check_platform (const HlsEmit  *emit,
                GError        **error)
{
  g_autofree char *platform = nn_config_setting (nn_design_config (emit->design), "Platform");
  gsize n = platform != NULL ? strspn (platform, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-+./") : 0;

  if (platform == NULL || platform[n] == '\0')
    return TRUE;
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "Platform: \"%s\" must be a name or a path of letters, digits and _-+./", platform);
  return FALSE;
}

/* Of the key "Interface"; hls4ml's words. */
gboolean
hls_interface_choose (HlsEmit  *emit,
                      GError  **error)
{
  g_autofree char *wanted = nn_config_setting (nn_design_config (emit->design), "Interface");

  emit->interface = HLS_INTERFACE_NONE;
  if (wanted == NULL || g_ascii_strcasecmp (wanted, "none") == 0)
    return TRUE;
  for (guint k = 0; names[k] != NULL; k++)
    if (g_ascii_strcasecmp (names[k], wanted) == 0)
      emit->interface = k;
  if (emit->interface == HLS_INTERFACE_NONE)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED,
                   "Interface: \"%s\" is not known; none, axi_stream, axi_lite and axi_master are", wanted);
      return FALSE;
    }
  if (emit->backend->backend == NN_BACKEND_VITIS || emit->backend->backend == NN_BACKEND_VIVADO)
    return check_platform (emit, error);
  if (emit->backend->backend == NN_BACKEND_CATAPULT && emit->stream && emit->interface == HLS_INTERFACE_AXI_STREAM)
    {
      emit->interface = HLS_INTERFACE_NONE; /* no wrapper: the ports themselves */
      emit->axi_ports = TRUE;
      return TRUE;
    }
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "Interface: %s has no AXI wrapper; Vitis and Vivado have. %s. Leave \"Interface\" away",
               emit->backend->name, own_ports (emit->backend->backend));
  return FALSE;
}

/**
 * hls_emit_ports:
 *
 * Returns: (transfer full) (element-type HlsPort): the inputs, then the outputs, in the order of the top function's arguments
 */
GArray *
hls_emit_ports (const HlsEmit *emit)
{
  GArray *list = g_array_new (FALSE, TRUE, sizeof (HlsPort));
  guint n;
  const guint *nodes = nn_graph_inputs (emit->graph, &n);

  for (guint k = 0; k < n; k++)
    {
      HlsPort port = { &emit->layers[nodes[k]], g_strdup (emit->layers[nodes[k]].value), TRUE };

      g_array_append_val (list, port);
    }
  nodes = nn_graph_outputs (emit->graph, &n);
  for (guint k = 0; k < n; k++)
    {
      const HlsLayer *source = hls_emit_source (emit, nodes[k]);
      HlsPort port = { source, NULL, FALSE };

      port.name = emit->split && source->n_readers > 1 ? g_strdup_printf ("%s_port", source->value) : g_strdup (source->value);
      g_array_append_val (list, port);
    }
  return list;
}

void
hls_emit_ports_free (GArray *list)
{
  for (guint k = 0; k < list->len; k++)
    g_free (g_array_index (list, HlsPort, k).name);
  g_array_free (list, TRUE);
}

/* Numbers of all inputs, or of all outputs, of one sample. */
gsize
hls_emit_ports_count (const GArray *list,
                      gboolean      input)
{
  gsize sum = 0;

  for (guint k = 0; k < list->len; k++)
    if (g_array_index (list, HlsPort, k).input == input)
      sum += g_array_index (list, HlsPort, k).layer->count;
  return sum;
}

gboolean
hls_emit_axi_streams (const HlsEmit *emit)
{
  return emit->interface == HLS_INTERFACE_AXI_STREAM;
}

/* A port of the network as the parameter of a function of the wrapper, or as its variable. */
static void
append_inner (const HlsEmit *emit,
              const HlsPort *port,
              gboolean       constant,
              gboolean       variable,
              GString       *text)
{
  if (emit->stream && variable)
    g_string_append_printf (text, "nnet::stream<%s_packet> net_%s(\"net_%s\")", port->layer->type, port->name, port->name);
  else if (emit->stream)
    g_string_append_printf (text, "nnet::stream<%s_packet> &net_%s", port->layer->type, port->name);
  else
    g_string_append_printf (text, "%s%s net_%s[%" G_GSIZE_FORMAT "]", constant ? "const " : "", port->layer->type, port->name,
                            port->layer->count);
}

/* What is outside: one stream for all inputs (outputs), or an array for each. */
static void
append_outer (const HlsPort *port,
              gboolean       pointer,
              GString       *text)
{
  g_string_append_printf (text, "%sfloat %s%s", port->input ? "const " : "", pointer ? "*" : "", port->name);
  if (!pointer)
    g_string_append_printf (text, "[%" G_GSIZE_FORMAT "]", port->layer->count);
}

static void
append_each_outer (const GArray *list,
                   int           only, /* 1: inputs, 0: outputs, -1: both */
                   gboolean      pointer,
                   GString      *text)
{
  gboolean first = TRUE;

  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      if (only >= 0 && port->input != (only == 1))
        continue;
      g_string_append (text, first ? "" : ", ");
      append_outer (port, pointer, text);
      first = FALSE;
    }
}

/* `load`: from outside into the inputs of the network. A sample is the last one of its batch where its last word says so. */
static void
append_load (const HlsEmit *emit,
             const GArray  *list,
             GString       *text)
{
  const char *value = hls_emit_axi_streams (emit) ? "next(source, ends)" : NULL;

  g_string_append (text, "// Numbers from outside, in the network's own types.\nstatic void load(");
  if (hls_emit_axi_streams (emit))
    g_string_append (text, "nnet::stream<axi_word> &source, bool &last");
  else
    append_each_outer (list, 1, emit->interface == HLS_INTERFACE_AXI_MASTER, text);
  for (guint k = 0; k < list->len && g_array_index (list, HlsPort, k).input; k++)
    {
      g_string_append (text, ", ");
      append_inner (emit, &g_array_index (list, HlsPort, k), FALSE, FALSE, text);
    }
  g_string_append (text, hls_emit_axi_streams (emit) ? ") {\n    bool ends = false;\n" : ") {\n");
  for (guint k = 0; k < list->len && g_array_index (list, HlsPort, k).input; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);
      const HlsLayer *l = port->layer;
      g_autofree char *element = value != NULL ? g_strdup (value)
                                 : emit->stream ? g_strdup_printf ("%s[p * %u + c]", port->name, l->packet)
                                                : g_strdup_printf ("%s[i]", port->name);

      if (emit->stream)
        g_string_append_printf (text,
                                "    for (unsigned p = 0; p < %" G_GSIZE_FORMAT "; p++) {\n        %s_packet packet;\n"
                                "        for (unsigned c = 0; c < %u; c++) {\n            NNET_PRAGMA(HLS PIPELINE II = 1)\n"
                                "            packet[c] = %s(%s);\n        }\n        net_%s.write(packet);\n    }\n",
                                l->count / l->packet, l->type, l->packet, l->type, element, port->name);
      else
        g_string_append_printf (text,
                                "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n        NNET_PRAGMA(HLS PIPELINE II = 1)\n"
                                "        net_%s[i] = %s(%s);\n    }\n",
                                l->count, port->name, l->type, element);
    }
  g_string_append (text, hls_emit_axi_streams (emit) ? "    last = ends;\n}\n\n" : "}\n\n");
}

/* A bit stands for -1 or +1. */
static const char *
sign_of_bit (const HlsLayer *layer)
{
  return layer->plan->result.kind == NN_TYPE_BINARY ? "-1 + 2 * " : "";
}

/* Hands one number of @port to outside; the last one of all, of the batch's last sample, says so. (transfer full) */
static char *
store_statement (const HlsEmit *emit,
                 const HlsPort *port,
                 gboolean       final)
{
  const HlsLayer *l = port->layer;
  g_autofree char *element = emit->stream ? g_strdup ("packet[c]") : g_strdup_printf ("net_%s[i]", port->name);

  if (hls_emit_axi_streams (emit))
    return g_strdup_printf ("sink.write(word_of(%snnet::float_of(%s), %s));", sign_of_bit (l), element,
                            !final         ? "false"
                            : emit->stream ? "last && p + 1 == packets && c + 1 == channels"
                                           : "last && i + 1 == numbers");
  if (emit->stream)
    return g_strdup_printf ("%s[p * %u + c] = %snnet::float_of(%s);", port->name, l->packet, sign_of_bit (l), element);
  return g_strdup_printf ("%s[i] = %snnet::float_of(%s);", port->name, sign_of_bit (l), element);
}

static void
append_store_loops (const HlsEmit *emit,
                    const HlsPort *port,
                    gboolean       final,
                    GString       *text)
{
  const HlsLayer *l = port->layer;
  g_autofree char *give = store_statement (emit, port, final);

  if (hls_emit_axi_streams (emit) && final && emit->stream)
    g_string_append_printf (text, "    const unsigned packets = %" G_GSIZE_FORMAT ";\n    const unsigned channels = %u;\n", l->count / l->packet,
                            l->packet);
  else if (hls_emit_axi_streams (emit) && final)
    g_string_append_printf (text, "    const unsigned numbers = %" G_GSIZE_FORMAT ";\n", l->count);
  if (emit->stream)
    g_string_append_printf (text,
                            "    for (unsigned p = 0; p < %" G_GSIZE_FORMAT "; p++) {\n        const %s_packet packet = net_%s.read();\n"
                            "        for (unsigned c = 0; c < %u; c++) {\n            NNET_PRAGMA(HLS PIPELINE II = 1)\n            %s\n"
                            "        }\n    }\n",
                            l->count / l->packet, l->type, port->name, l->packet, give);
  else
    g_string_append_printf (text,
                            "    for (unsigned i = 0; i < %" G_GSIZE_FORMAT "; i++) {\n        NNET_PRAGMA(HLS PIPELINE II = 1)\n        %s\n"
                            "    }\n",
                            l->count, give);
}

/* `store`: the network's outputs to outside. */
static void
append_store (const HlsEmit *emit,
              const GArray  *list,
              GString       *text)
{
  gboolean first = TRUE;

  g_string_append (text, "// The network's numbers, as floats, to outside.\nstatic void store(");
  for (guint k = 0; k < list->len; k++)
    if (!g_array_index (list, HlsPort, k).input)
      {
        g_string_append (text, first ? "" : ", ");
        append_inner (emit, &g_array_index (list, HlsPort, k), TRUE, FALSE, text);
        first = FALSE;
      }
  g_string_append (text, ", ");
  if (hls_emit_axi_streams (emit))
    g_string_append (text, "bool last, nnet::stream<axi_word> &sink");
  else
    append_each_outer (list, 0, emit->interface == HLS_INTERFACE_AXI_MASTER, text);
  g_string_append (text, ") {\n");
  for (guint k = 0; k < list->len; k++)
    if (!g_array_index (list, HlsPort, k).input)
      append_store_loops (emit, &g_array_index (list, HlsPort, k), k + 1 == list->len, text);
  g_string_append (text, "}\n\n");
}

/* One sample: load, the network, store. */
static void
append_sample (const HlsEmit *emit,
               const GArray  *list,
               GString       *text)
{
  GString *in = g_string_new (NULL), *out = g_string_new (NULL), *from = g_string_new (NULL), *to = g_string_new (NULL);

  if (emit->stream)
    g_string_append (text, "    NNET_DATAFLOW\n");
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      g_string_append (text, "    ");
      append_inner (emit, port, FALSE, TRUE, text);
      if (emit->stream)
        g_string_append_printf (text, ";\n    NNET_FIFO(net_%s, %" G_GSIZE_FORMAT ")\n", port->name, port->layer->count / port->layer->packet);
      else
        g_string_append_printf (text, ";\n    NNET_PARTITION(net_%s)\n", port->name);
      g_string_append_printf (port->input ? in : out, "%snet_%s", (port->input ? in : out)->len > 0 ? ", " : "", port->name);
      g_string_append_printf (port->input ? from : to, "%s%s", (port->input ? from : to)->len > 0 ? ", " : "", port->name);
    }
  if (hls_emit_axi_streams (emit))
    g_string_append_printf (text,
                            "    bool last;\n    load(source, last, %s);\n    %s(%s, %s);\n    store(%s, last, sink);\n", in->str,
                            emit->name, in->str, out->str, out->str);
  else
    g_string_append_printf (text, "    load(%s, %s);\n    %s(%s, %s);\n    store(%s, %s);\n", from->str, in->str, emit->name, in->str,
                            out->str, out->str, to->str);
  for (GString **part = (GString *[]){ in, out, from, to, NULL }; *part != NULL; part++)
    g_string_free (*part, TRUE);
}

/* A word of a stream with the side channels that a DMA engine heeds. Vitis takes a plain struct for one wide number, and has a
 * template instead (UG1399, AXI4-Stream with side channels); Vivado HLS knows the members by their names (UG902). */
static const char vitis_words[] =
  "#include \"ap_axi_sdata.h\"\n\ntypedef hls::axis<float, 0, 0, 0> axi_word;\n\n";
static const char vivado_words[] =
  "struct axi_word {\n    float data;\n    ap_uint<1> last;\n};\n\n";

static void
append_word_functions (const HlsEmit *emit,
                       GString       *text)
{
  g_string_append_printf (text,
                          "// The next number; `ends` becomes whether its word ends a batch.\n"
                          "static float next(nnet::stream<axi_word> &source, bool &ends) {\n    NNET_INLINE\n"
                          "    const axi_word word = source.read();\n    ends = word.last != 0;\n    return word.data;\n}\n\n"
                          "static axi_word word_of(float value, bool last) {\n    NNET_INLINE\n"
                          "    axi_word word;\n    word.data = value;\n%s    word.last = last ? 1 : 0;\n    return word;\n}\n\n",
                          emit->backend->backend == NN_BACKEND_VITIS ? "    word.keep = -1; // all bytes are meant\n    word.strb = -1;\n" : "");
}

static char *
prototype (const HlsEmit *emit,
           const GArray  *list)
{
  GString *text = g_string_new (NULL);

  if (hls_emit_axi_streams (emit))
    g_string_append_printf (text, "void %s_axi(nnet::stream<axi_word> &source, nnet::stream<axi_word> &sink)", emit->name);
  else
    {
      gboolean memory = emit->interface == HLS_INTERFACE_AXI_MASTER;

      g_string_append_printf (text, "%svoid %s_axi(", memory ? "extern \"C\" " : "", emit->name);
      append_each_outer (list, -1, memory, text);
      g_string_append (text, memory ? ", unsigned samples)" : ")");
    }
  return g_string_free (text, FALSE);
}

static void
append_registers (const HlsEmit *emit,
                  const GArray  *list,
                  GString       *text)
{
  for (guint k = 0; k < list->len; k++)
    {
      const char *name = g_array_index (list, HlsPort, k).name;

      if (emit->interface == HLS_INTERFACE_AXI_MASTER)
        g_string_append_printf (text, "    NNET_PRAGMA(HLS INTERFACE m_axi port = %s bundle = gmem%u offset = slave)\n", name, k);
      g_string_append_printf (text, "    NNET_PRAGMA(HLS INTERFACE s_axilite port = %s bundle = control)\n", name);
    }
  if (emit->interface == HLS_INTERFACE_AXI_MASTER)
    g_string_append (text, "    NNET_PRAGMA(HLS INTERFACE s_axilite port = samples bundle = control)\n");
  g_string_append (text, "    NNET_PRAGMA(HLS INTERFACE s_axilite port = return bundle = control)\n");
}

/* Memory holds samples one after the other. */
static void
append_batch (const HlsEmit *emit,
              const GArray  *list,
              const char    *declaration,
              GString       *text)
{
  g_string_append (text, "static void one_sample(");
  append_each_outer (list, -1, TRUE, text);
  g_string_append (text, ") {\n");
  append_sample (emit, list, text);
  g_string_append_printf (text, "}\n\n%s {\n", declaration);
  append_registers (emit, list, text);
  g_string_append (text, "    for (unsigned s = 0; s < samples; s++) {\n        one_sample(");
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      g_string_append_printf (text, "%s%s + static_cast<unsigned long>(s) * %" G_GSIZE_FORMAT, k > 0 ? ", " : "", port->name, port->layer->count);
    }
  g_string_append (text, ");\n    }\n");
}

static void
write_wrapper (HlsEmit      *emit,
               const GArray *list)
{
  GString *header = g_string_new (HEAD), *text = g_string_new (HEAD);
  g_autofree char *path = g_strdup_printf ("firmware/%s_axi.cpp", emit->name);
  g_autofree char *header_path = g_strdup_printf ("firmware/%s_axi.h", emit->name);
  g_autofree char *guard = g_ascii_strup (emit->name, -1), *declaration = prototype (emit, list);

  g_string_append_printf (header, "// The network behind AXI; numbers cross as 32-bit floats, inputs (outputs) in the order of the network's.\n"
                                  "#ifndef %s_AXI_H_\n#define %s_AXI_H_\n\n#include \"%s.h\"\n", guard, guard, emit->name);
  if (hls_emit_axi_streams (emit))
    g_string_append (header, emit->backend->backend == NN_BACKEND_VITIS ? vitis_words : vivado_words);
  g_string_append_printf (text, "#include \"%s_axi.h\"\n\n", emit->name);
  if (hls_emit_axi_streams (emit))
    append_word_functions (emit, text);
  append_load (emit, list, text);
  append_store (emit, list, text);
  if (emit->interface == HLS_INTERFACE_AXI_MASTER)
    append_batch (emit, list, declaration, text);
  else
    {
      g_string_append_printf (text, "%s {\n", declaration);
      if (hls_emit_axi_streams (emit))
        g_string_append (text, "    NNET_PRAGMA(HLS INTERFACE axis port = source)\n    NNET_PRAGMA(HLS INTERFACE axis port = sink)\n"
                               "    NNET_PRAGMA(HLS INTERFACE ap_ctrl_none port = return)\n");
      else
        append_registers (emit, list, text);
      append_sample (emit, list, text);
    }
  g_string_append (text, "}\n");
  g_string_append_printf (header, "\n%s;\n\n#endif\n", declaration);
  hls_project_add (emit->project, path, text);
  hls_project_add (emit->project, header_path, header);
}

void
hls_interface_write (HlsEmit *emit)
{
  GArray *list;

  if (emit->interface == HLS_INTERFACE_NONE)
    return;
  list = hls_emit_ports (emit);
  write_wrapper (emit, list);
  hls_interface_write_host (emit, list);
  hls_emit_ports_free (list);
}
