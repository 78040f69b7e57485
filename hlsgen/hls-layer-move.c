/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers that only move numbers. */

#include "hls-layer-private.h"

#include "nn-infer-shape.h"

/* The input element of each output element; the number of input elements stands for zero. */
static gboolean
sources (const HlsEmit  *emit,
         const HlsLayer *layer,
         guint32        *indices)
{
  const NnShape *in = &nn_graph_node (emit->graph, layer->node->inputs[0])->shape, *out = &layer->node->shape;

  for (gsize i = 0; i < layer->count; i++)
    {
      gint64 at[NN_MAX_RANK] = { 0 }, from[NN_MAX_RANK] = { 0 };
      gsize rest = i, index = 0;
      gboolean outside = FALSE;

      for (guint d = out->rank; d-- > 0;)
        {
          at[d] = (gint64) (rest % (gsize) out->dims[d]);
          rest /= (gsize) out->dims[d];
        }
      if (!nn_shape_source (layer->node, in, at, from))
        return FALSE;
      for (guint d = 0; d < in->rank; d++)
        {
          outside |= from[d] < 0 || from[d] >= in->dims[d];
          index = index * (gsize) in->dims[d] + (gsize) MAX (from[d], 0);
        }
      indices[i] = (guint32) (outside ? nn_shape_count (in) : index);
    }
  return TRUE;
}

/* Height and width of the image that layers of frames work on; a sequence is an image of one row. */
static void
extents (const NnShape *shape,
         gsize          size[2])
{
  size[0] = shape->rank < 3 ? 1 : (gsize) shape->dims[shape->rank - 3];
  size[1] = shape->rank < 2 ? 1 : (gsize) shape->dims[shape->rank - 2];
}

/* Frames and enlargements pass a stream on position by position, without a table and without keeping the image. */
static gboolean
write_in_passing (HlsEmit  *emit,
                  HlsLayer *layer)
{
  const NnNode *node = layer->node;
  const NnShape *in = &nn_graph_node (emit->graph, node->inputs[0])->shape;
  gboolean flat = in->rank < 3, enlarges = node->op == NN_OP_UPSAMPLE;
  int sign = node->op == NN_OP_CROP ? 1 : -1;
  gsize given[2], made[2];

  if (!emit->stream || in->rank < 2 || (node->op != NN_OP_ZERO_PAD && node->op != NN_OP_CROP && !enlarges) ||
      hls_emit_source (emit, node->inputs[0])->packet != layer->packet)
    return FALSE;
  extents (in, given);
  extents (&node->shape, made);
  hls_layer_begin (emit, layer);
  hls_layer_field (emit, "in_height", given[0]);
  hls_layer_field (emit, "in_width", given[1]);
  if (enlarges)
    {
      hls_layer_field (emit, "size_height", flat ? 1 : (gsize) MAX (node->attrs.size[0], 1));
      hls_layer_field (emit, "size_width", (gsize) MAX (node->attrs.size[flat ? 0 : 1], 1));
    }
  else
    {
      hls_layer_field (emit, "out_height", made[0]);
      hls_layer_field (emit, "out_width", made[1]);
      g_string_append_printf (emit->configs, "    static const int top = %d;\n    static const int left = %d;\n",
                              flat ? 0 : sign * (int) node->attrs.pad[0][0], sign * (int) node->attrs.pad[flat ? 0 : 1][0]);
    }
  hls_layer_end (emit);
  hls_layer_call (emit, layer, enlarges ? "enlarge" : "reframe", NULL, NULL);
  return TRUE;
}

gboolean
hls_write_move (HlsEmit   *emit,
                HlsLayer  *layer,
                GError   **error)
{
  g_autofree guint32 *from = g_new (guint32, layer->count);
  g_autofree char *name = g_strdup_printf ("source%u", layer->number);

  if (layer->node->op == NN_OP_UPSAMPLE && layer->node->attrs.interpolation != NN_INTERPOLATION_NEAREST)
    return hls_layer_unsupported (layer, "only interpolation by the nearest neighbour is supported", error);
  if (write_in_passing (emit, layer))
    return TRUE;
  if (!sources (emit, layer, from))
    return hls_layer_unsupported (layer, "there is no kernel for it", error);
  hls_emit_indices (emit, name, layer->label, from, layer->count);
  hls_layer_begin_array (emit, layer);
  g_string_append_printf (emit->configs, "    static unsigned source(unsigned i) { return source%u[i]; }\n", layer->number);
  hls_layer_end (emit);
  if (emit->stream)
    hls_layer_call (emit, layer, "move_stream", NULL, NULL);
  else
    hls_layer_call (emit, layer, "layer", "nnet::move", NULL);
  return TRUE;
}

/* Where elements keep their order, only a stream's packets may change. */
gboolean
hls_write_reshape (HlsEmit   *emit,
                   HlsLayer  *layer,
                   GError   **error)
{
  g_autofree char *in = hls_emit_input (emit, layer, 0);
  const HlsLayer *source = hls_emit_source (emit, layer->node->inputs[0]);

  hls_layer_declare (emit, layer);
  g_string_append_printf (emit->calls, "    nnet::repack<%s_packet, %s_packet, %" G_GSIZE_FORMAT ">(%s, %s); // %s\n", source->type,
                          layer->type, layer->count, in, layer->value, layer->label);
  hls_layer_copies (emit, layer);
  g_string_append_c (emit->calls, '\n');
  return TRUE;
}

/* Numbers that do not depend on the input. */
gboolean
hls_write_constant (HlsEmit   *emit,
                    HlsLayer  *layer,
                    GError   **error)
{
  gsize n;
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_VALUE, &n);
  g_autofree char *name = emit->stream ? g_strdup_printf ("constant%u", layer->number) : g_strdup (layer->value);

  if (raw == NULL || n != layer->count)
    return hls_layer_unsupported (layer, "its numbers are missing", error);
  if (!hls_emit_values (emit, layer, name, "t", layer->label, &layer->plan->result, raw, n, error))
    return FALSE;
  if (emit->stream)
    {
      hls_layer_declare (emit, layer);
      g_string_append_printf (emit->calls, "    nnet::send<%s_packet, %" G_GSIZE_FORMAT ">(%s, %s); // %s\n", layer->type, n, name,
                              layer->value, layer->label);
    }
  hls_layer_copies (emit, layer);
  g_string_append_c (emit->calls, '\n');
  return TRUE;
}
