/* SPDX-License-Identifier: GPL-3.0-or-later */
/* firmware/: the top function, types, structs, and the runtime headers. */

#include "hls-emit-private.h"

#include "nn-text.h"

#include <string.h>

#define HEAD "// SPDX-License-Identifier: Apache-2.0\n"

static const char *const runtime[] = {
  "nnet_activation.h", "nnet_common.h", "nnet_conv.h",    "nnet_dense.h", "nnet_merge.h",
  "nnet_norm.h",       "nnet_pooling.h", "nnet_recurrent.h", "nnet_shape.h", "nnet_softmax.h", "nnet_trees.h",
  "nnet_window.h",
};

/* Intel's components have streams of their own types as ports. */
static gboolean
apart (const HlsEmit *emit)
{
  return emit->stream && emit->backend->backend == NN_BACKEND_QUARTUS;
}

/* A parallel port of an Intel component is a member of a struct that is handed over by value, as in hls4ml's projects: wires.
 * Arrays as parameters would be memories outside of it. */
gboolean
hls_emit_in_structs (const HlsEmit *emit)
{
  return !emit->stream && emit->backend->backend == NN_BACKEND_QUARTUS;
}

static void
append_struct (GArray     *list,
               gboolean    input,
               GString    *text)
{
  g_string_append_printf (text, "struct %s {\n", input ? "input_data" : "output_data");
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      if (port->input == input)
        g_string_append_printf (text, "    %s %s[%" G_GSIZE_FORMAT "];\n", port->layer->type, port->name, port->layer->count);
    }
  g_string_append (text, "};\n\n");
}

/* The members under the names that the layers call them by. */
static void
append_members (GArray  *list,
                GString *text)
{
  g_string_append (text, "    NNET_REGISTER output_data outputs;\n");
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      g_string_append_printf (text, "    %s%s (&%s)[%" G_GSIZE_FORMAT "] = %s.%s;\n", port->input ? "const " : "", port->layer->type,
                              port->name, port->layer->count, port->input ? "inputs" : "outputs", port->name);
    }
}

/* What is read from the ports before the first layer begins, or written to them after the last one. */
static void
append_transfers (const HlsEmit *emit,
                  GArray        *list,
                  gboolean       input,
                  GString       *text)
{
  for (guint k = 0; k < list->len && apart (emit); k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);
      gsize packets = port->layer->count / port->layer->packet;

      if (input)
        g_string_append_printf (text, "    NNET_CHANNEL(%s_packet, %s);\n", port->layer->type, port->name);
      if (input && port->input)
        g_string_append_printf (text, "    nnet::take<%s_packet, %" G_GSIZE_FORMAT ">(%s_in, %s);\n", port->layer->type, packets,
                                port->name, port->name);
      else if (!input && !port->input)
        g_string_append_printf (text, "    nnet::give<%s_packet, %" G_GSIZE_FORMAT ">(%s, %s_out);\n", port->layer->type, packets,
                                port->name, port->name);
    }
}

/* @definition: where Catapult's verification puts the RTL in the place of the function */
static void
append_prototype (const HlsEmit *emit,
                  GArray        *list,
                  gboolean       definition,
                  GString       *text)
{
  gboolean block = definition && emit->backend->backend == NN_BACKEND_CATAPULT;
  gboolean every = !emit->dataflow && emit->backend->backend == NN_BACKEND_QUARTUS; /* the others are told inside */

  g_string_append (text, every ? "NNET_COMPONENT_EVERY(PROJECT_INTERVAL) " : "NNET_COMPONENT ");
  if (hls_emit_in_structs (emit))
    {
      g_string_append_printf (text, "output_data %s(input_data inputs)", emit->name);
      return;
    }
  g_string_append_printf (text, block ? "void CCS_BLOCK(%s)(" : "void %s(", emit->name);
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      g_string_append (text, k > 0 ? ",\n    " : "\n    ");
      if (emit->stream)
        g_string_append_printf (text, "%s(%s_packet) &%s%s", port->input ? "NNET_INPUT" : "NNET_OUTPUT", port->layer->type, port->name,
                                apart (emit) ? (port->input ? "_in" : "_out") : "");
      else
        g_string_append_printf (text, "%s%s %s[%" G_GSIZE_FORMAT "]", port->input ? "const " : "", port->layer->type, port->name,
                                port->layer->count);
    }
  g_string_append (text, ")");
}

static void
write_top (HlsEmit *emit,
           GArray  *list)
{
  GString *text = g_string_new (HEAD), *header = g_string_new (HEAD);
  g_autofree char *path = g_strdup_printf ("firmware/%s.cpp", emit->name);
  g_autofree char *header_path = g_strdup_printf ("firmware/%s.h", emit->name);
  g_autofree char *guard = g_ascii_strup (emit->name, -1);

  g_string_append_printf (header, "#ifndef %s_H_\n#define %s_H_\n\n#include \"defines.h\"\n\n", guard, guard);
  if (hls_emit_in_structs (emit))
    {
      append_struct (list, TRUE, header);
      append_struct (list, FALSE, header);
    }
  append_prototype (emit, list, FALSE, header);
  g_string_append (header, ";\n\n#endif\n");
  g_string_append_printf (text, "#include \"%s.h\"\n#include \"parameters.h\"\n\n%s", emit->name, emit->blocks->str);
  append_prototype (emit, list, TRUE, text);
  g_string_append (text, " {\n");
  if (hls_emit_in_structs (emit))
    append_members (list, text);
  for (guint k = 0; k < list->len; k++)
    {
      const HlsPort *port = &g_array_index (list, HlsPort, k);

      /* behind a wrapper these are no ports, and their arrays are split there */
      if (emit->backend->backend == NN_BACKEND_QUARTUS || emit->interface != HLS_INTERFACE_NONE)
        break;
      g_string_append_printf (text, emit->stream ? "    NNET_PORT_STREAM(%s)\n" : "    NNET_PORT_REGISTERS(%s)\n    NNET_PORT_VALID(%s)\n",
                              port->name, port->name);
    }
  g_string_append (text, emit->dataflow ? "    NNET_DATAFLOW\n\n" : "    NNET_PIPELINE(PROJECT_INTERVAL)\n\n");
  append_transfers (emit, list, TRUE, text);
  g_string_append (text, emit->calls->str);
  if (text->str[text->len - 2] == '\n')
    g_string_truncate (text, text->len - 1);
  append_transfers (emit, list, FALSE, text);
  g_string_append (text, hls_emit_in_structs (emit) ? "\n    return outputs;\n}\n" : "}\n");
  hls_project_add (emit->project, header_path, header);
  hls_project_add (emit->project, path, text);
}

/* hls4ml, pipeline_style.py: streams and layers that take several cycles work side by side. */
void
hls_emit_style (HlsEmit *emit)
{
  const char *style = nn_config_extra (nn_design_config (emit->design), NULL, NULL, "PipelineStyle");
  const char *wanted = nn_config_extra (nn_design_config (emit->design), NULL, NULL, "PipelineInterval");
  gint64 given;

  emit->interval = 1;
  emit->dataflow = emit->stream;
  for (guint i = 0; i < emit->n_layers; i++)
    {
      const NnLayerPlan *p = emit->layers[i].plan;

      if (p->n_in == 0)
        continue;
      emit->interval = MAX (emit->interval, p->reuse_factor);
      emit->dataflow |= p->strategy == NN_STRATEGY_RESOURCE || p->strategy == NN_STRATEGY_RESOURCE_UNROLLED ||
                        p->strategy == NN_STRATEGY_COMPRESSED || p->n_positions > MAX (p->parallelization, 1);
    }
  if (wanted != NULL && nn_text_to_int (wanted, &given) && given >= 1 && given <= G_MAXINT)
    emit->interval = (guint) given;
  if (style != NULL && !emit->stream)
    emit->dataflow = g_ascii_strcasecmp (style, "dataflow") == 0 ||
                     (emit->dataflow && g_ascii_strcasecmp (style, "pipeline") != 0);
  emit->split = emit->stream || emit->dataflow;
}

static void
write_defines (HlsEmit *emit)
{
  GString *text = g_string_new (HEAD);

  gsize packets = 1;

  for (guint i = 0; i < emit->n_layers; i++)
    packets = MAX (packets, emit->layers[i].count / emit->layers[i].packet);
  g_string_append (text, "// Number types of every layer.\n#ifndef DEFINES_H_\n#define DEFINES_H_\n\n");
  /* within one component a buffer holds a whole tensor, since its writer has ended before its reader begins */
  if (emit->backend->backend == NN_BACKEND_ONEAPI || emit->backend->backend == NN_BACKEND_QUARTUS)
    g_string_append_printf (text, "#define NNET_FIFO_CAPACITY %" G_GSIZE_FORMAT "\n\n", packets);
  g_string_append (text, "#include \"nnet_utils/nnet_common.h\"\n\n");
  g_string_append_printf (text, "#define PROJECT_INTERVAL %u\n\n%s\n#endif\n", emit->interval, emit->types->str);
  hls_project_add (emit->project, "firmware/defines.h", text);
}

static void
write_parameters (HlsEmit *emit)
{
  GString *text = g_string_new (HEAD);

  g_string_append (text, "// What each layer's kernel is told.\n#ifndef PARAMETERS_H_\n#define PARAMETERS_H_\n\n#include \"defines.h\"\n\n");
  for (guint k = 0; k < G_N_ELEMENTS (runtime); k++)
    g_string_append_printf (text, "#include \"nnet_utils/%s\"\n", runtime[k]);
  g_string_append_printf (text, "\n%s", emit->includes->str);
  if (emit->generated->len > 0)
    {
      GString *code = g_string_new (HEAD "// Adder graphs of layers in distributed arithmetic.\n#ifndef NNET_CODE_GEN_H_\n"
                                         "#define NNET_CODE_GEN_H_\n\n");

      g_string_append_printf (code, "namespace nnet {\n\n%s} // namespace nnet\n\n#endif\n", emit->generated->str);
      hls_project_add (emit->project, "firmware/nnet_utils/nnet_code_gen.h", code);
      g_string_append (text, "#include \"nnet_utils/nnet_code_gen.h\"\n");
    }
  g_string_append_printf (text, "\n%s#endif\n", emit->configs->str);
  hls_project_add (emit->project, "firmware/parameters.h", text);
}

static void
write_runtime (HlsEmit *emit)
{
  g_autofree char *header = hls_runtime_text (emit->backend->header), *tool = hls_runtime_text (emit->backend->tool);
  GString *text = g_string_new (header);

  g_string_replace (text, "@TOOL@", strchr (tool, '\n') + 1, 1); /* but its licence line, which the header has */
  g_string_replace (text, "@NAME@", emit->backend->name, 1);
  hls_project_add (emit->project, "firmware/nnet_utils/nnet_backend.h", text);
  for (guint k = 0; k < G_N_ELEMENTS (runtime); k++)
    {
      g_autofree char *path = g_strdup_printf ("firmware/nnet_utils/%s", runtime[k]);
      g_autofree char *resource = g_strdup_printf ("nnet_utils/%s", runtime[k]);

      hls_project_add_runtime (emit->project, path, resource);
    }
  for (guint k = 0; emit->backend->simulation[k] != NULL; k++)
    {
      g_autofree char *path = g_strdup_printf ("firmware/ap_types/%s", emit->backend->simulation[k]);
      g_autofree char *resource = g_strdup_printf ("ap_types/%s", emit->backend->simulation[k]);

      hls_project_add_runtime (emit->project, path, resource);
    }
  if (emit->backend->backend == NN_BACKEND_ONEAPI || emit->backend->backend == NN_BACKEND_QUARTUS)
    hls_project_add_runtime (emit->project, "firmware/nnet_utils/nnet_fifo.h", "nnet_utils/nnet_fifo.h");
}

/* Everything below firmware/ but the weights, which the layers wrote. */
gboolean
hls_emit_firmware (HlsEmit  *emit,
                   GError  **error)
{
  GArray *list = hls_emit_ports (emit);

  write_top (emit, list);
  write_defines (emit);
  write_parameters (emit);
  write_runtime (emit);
  hls_emit_ports_free (list);
  return TRUE;
}
