/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers of several inputs, and those that only move numbers. */

#include "hls-layer-private.h"

#include <string.h>

/* Whether the smaller input is repeated as a whole, its axes being the last ones. */
static gboolean
repeats (const HlsEmit  *emit,
         const HlsLayer *layer,
         guint           k)
{
  const NnShape *in = &nn_graph_node (emit->graph, layer->node->inputs[k])->shape, *out = &layer->node->shape;
  gboolean ended = FALSE;

  for (guint d = 0; d < in->rank; d++)
    {
      gint64 extent = in->dims[in->rank - 1 - d];

      if (d >= out->rank || (extent != out->dims[out->rank - 1 - d] && extent != 1))
        return FALSE;
      if (ended && extent != 1)
        return FALSE;
      ended |= extent != out->dims[out->rank - 1 - d];
    }
  return TRUE;
}

gboolean
hls_write_merge (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  static const struct { NnOp op; const char *functor; } kinds[] = {
    { NN_OP_ADD, "nnet::merge_add" },         { NN_OP_SUBTRACT, "nnet::merge_subtract" },
    { NN_OP_MULTIPLY, "nnet::merge_multiply" }, { NN_OP_AVERAGE, "nnet::merge_average" },
    { NN_OP_MAXIMUM, "nnet::merge_maximum" }, { NN_OP_MINIMUM, "nnet::merge_minimum" },
  };
  const char *functor = NULL;

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    if (kinds[k].op == layer->node->op)
      functor = kinds[k].functor;
  if (functor == NULL || layer->node->n_inputs != 2)
    return hls_layer_unsupported (layer, "merging is supported for two inputs", error);
  if (!repeats (emit, layer, 0) || !repeats (emit, layer, 1) || hls_layer_has_bits (emit, layer))
    return hls_layer_unsupported (layer, "merging is supported for inputs of one shape, or one repeated along the first axes, of fixed point", error);
  hls_layer_begin (emit, layer);
  hls_layer_field (emit, "n_in1", hls_layer_input_count (emit, layer, 0));
  hls_layer_field (emit, "n_in2", hls_layer_input_count (emit, layer, 1));
  hls_layer_field (emit, "n_out", layer->count);
  hls_layer_field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "merge", functor, NULL);
  return TRUE;
}

gboolean
hls_write_concatenate (HlsEmit   *emit,
                       HlsLayer  *layer,
                       GError   **error)
{
  const NnShape *a = &nn_graph_node (emit->graph, layer->node->inputs[0])->shape;
  gsize inner = 1, part1, part2;
  gint axis = layer->node->attrs.axis < 0 ? layer->node->attrs.axis + (gint) a->rank : layer->node->attrs.axis;

  if (layer->node->n_inputs != 2 || axis < 0 || axis >= (gint) a->rank)
    return hls_layer_unsupported (layer, "concatenation is supported for two inputs", error);
  for (guint d = (guint) axis; d < a->rank; d++)
    inner *= (gsize) a->dims[d];
  part1 = inner;
  part2 = part1 * hls_layer_input_count (emit, layer, 1) / MAX (hls_layer_input_count (emit, layer, 0), 1);
  hls_layer_begin (emit, layer);
  hls_layer_field (emit, "n_in1", hls_layer_input_count (emit, layer, 0));
  hls_layer_field (emit, "n_in2", hls_layer_input_count (emit, layer, 1));
  hls_layer_field (emit, "n_out", layer->count);
  hls_layer_field (emit, "n_part1", part1);
  hls_layer_field (emit, "n_part2", part2);
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "layer2", "nnet::concatenate", NULL);
  return TRUE;
}

gboolean
hls_write_dot (HlsEmit   *emit,
               HlsLayer  *layer,
               GError   **error)
{
  if (layer->node->n_inputs != 2 || layer->count != 1)
    return hls_layer_unsupported (layer, "only the dot product of two vectors is supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  hls_layer_begin (emit, layer);
  hls_layer_field (emit, "n_in1", hls_layer_input_count (emit, layer, 0));
  hls_layer_field (emit, "n_in2", hls_layer_input_count (emit, layer, 1));
  hls_layer_field (emit, "n_out", 1);
  hls_layer_field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
  hls_layer_type_field (emit, layer, "accum_t");
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "layer2", "nnet::dot", NULL);
  return TRUE;
}

/* Where in the input the element at @at of the output stands. */
static gboolean
source_of (const NnNode  *node,
           const NnShape *in,
           const gint64  *at,
           gint64        *from)
{
  const NnAttrs *a = &node->attrs;
  guint rank = node->shape.rank, axes = rank >= 3 ? 2 : 1;
  guint axis = (guint) (a->axis < 0 ? a->axis + (gint) in->rank : a->axis);

  memcpy (from, at, sizeof (gint64) * NN_MAX_RANK);
  switch (node->op)
    {
    case NN_OP_PERMUTE:
      for (guint d = 0; d < rank; d++)
        from[a->perm[d]] = at[d];
      return TRUE;
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      for (guint k = 0; k < axes; k++)
        from[rank - 1 - axes + k] += (node->op == NN_OP_CROP ? 1 : -1) * a->pad[k][0];
      return TRUE;
    case NN_OP_UPSAMPLE:
      for (guint k = 0; k < axes; k++)
        from[rank - 1 - axes + k] /= MAX (a->size[k], 1);
      return TRUE;
    case NN_OP_SLICE:
      from[axis] = a->begin + at[axis] * a->step;
      return TRUE;
    case NN_OP_REVERSE:
      from[axis] = in->dims[axis] - 1 - at[axis];
      return TRUE;
    case NN_OP_REPEAT_VECTOR:
      from[0] = at[1];
      return TRUE;
    default:
      return FALSE;
    }
}

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
      if (!source_of (layer->node, in, at, from))
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

gboolean
hls_write_move (HlsEmit   *emit,
                HlsLayer  *layer,
                GError   **error)
{
  g_autofree guint32 *from = g_new (guint32, layer->count);
  g_autofree char *name = g_strdup_printf ("source%u", layer->number);

  if (layer->node->op == NN_OP_UPSAMPLE && layer->node->attrs.interpolation != NN_INTERPOLATION_NEAREST)
    return hls_layer_unsupported (layer, "only interpolation by the nearest neighbour is supported", error);
  if (!sources (emit, layer, from))
    return hls_layer_unsupported (layer, "there is no kernel for it", error);
  hls_emit_indices (emit, name, layer->label, from, layer->count);
  hls_layer_begin_array (emit, layer);
  g_string_append_printf (emit->configs, "    static unsigned source(unsigned i) { return source%u[i]; }\n", layer->number);
  hls_layer_end (emit);
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
