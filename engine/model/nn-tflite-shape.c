/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite's operators that move numbers: to another shape or order, side by side, apart, with edges, repeated. */

#include "nn-tflite.h"

#define INT_BYTES sizeof (gint32)

/* BuiltinOperator. */
enum { RESIZE_BILINEAR = 23, STRIDED_SLICE = 45 };
enum { RESIZE_NEAREST_CORNERS, RESIZE_NEAREST_HALF };
enum { RESIZE_BILINEAR_CORNERS = 2, RESIZE_BILINEAR_HALF };
enum { SLICE_BEGIN, SLICE_END, SLICE_ELLIPSIS, SLICE_NEW, SLICE_SHRINK };

gboolean
nn_tflite_read_concatenation (NnTflite         *t,
                              const NnTfliteOp *op,
                              GError          **error)
{
  NnTfliteTensor *first = nn_tflite_data (t, op, error);
  g_autofree guint *inputs = g_new (guint, op->inputs.n + 1);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);
  int axis;
  NnNode *node;

  if (first == NULL)
    return FALSE;
  axis = nn_tflite_axis (first, nn_flat_int (op->options, 0, INT_BYTES, 0));
  if (axis < 0)
    return nn_load_unsupported (error, "joining batches is not supported");
  for (guint i = 0; i < op->inputs.n; i++)
    {
      NnTfliteTensor *input = nn_tflite_input (t, op, i);

      if (input == NULL || !input->computed)
        return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
      inputs[i] = input->node;
    }
  node = nn_tflite_node (t, NN_OP_CONCATENATE, name, op->name, inputs, (guint) op->inputs.n);
  node->attrs.axis = axis;
  return nn_tflite_result (t, op, node, nn_flat_int (op->options, 1, 1, 0), error);
}

/* RESHAPE, SQUEEZE, EXPAND_DIMS: to the shape the file gives the result. */
gboolean
nn_tflite_read_reshape (NnTflite         *t,
                        const NnTfliteOp *op,
                        GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error), *output = nn_tflite_output (t, op, 0);
  NnShape target = { 0 };
  gsize n, wanted;
  NnNode *node;

  if (input == NULL || output == NULL)
    return input != NULL && nn_load_unsupported (error, "it makes nothing");
  for (guint i = 1; i < output->dims.rank; i++)
    target.dims[target.rank++] = output->dims.dims[i];
  /* where the batch's axis takes others in, all of them are the sample's */
  if (nn_shape_size (nn_tflite_sample (t, input), &n) && nn_shape_size (&target, &wanted) && n != wanted && nn_shape_size (&output->dims, &wanted) &&
      n == wanted)
    {
      target = output->dims;
      output->merged = TRUE;
    }
  node = nn_tflite_unary (t, op, target.rank == 1 ? NN_OP_FLATTEN : NN_OP_RESHAPE, input);
  node->attrs.target = target;
  return nn_tflite_result (t, op, node, NN_TFLITE_FUSED_NONE, error);
}

gboolean
nn_tflite_read_transpose (NnTflite         *t,
                          const NnTfliteOp *op,
                          GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error);
  gint64 order[NN_MAX_RANK];
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), order, G_N_ELEMENTS (order), &n) || n != input->dims.rank)
    return nn_load_unsupported (error, "its order of axes is not constant");
  if (input->merged || order[0] != 0)
    return nn_load_unsupported (error, "moving the batch's axis is not supported");
  node = nn_tflite_unary (t, op, NN_OP_PERMUTE, input);
  for (gsize i = 1; i < n; i++)
    node->attrs.perm[i - 1] = order[i] > 0 && order[i] < (gint64) n ? (guint) order[i] - 1 : NN_MAX_RANK;
  return nn_tflite_result (t, op, node, NN_TFLITE_FUSED_NONE, error);
}

/* PAD, PADV2 with zeros of the spatial axes. */
gboolean
nn_tflite_read_pad (NnTflite         *t,
                    const NnTfliteOp *op,
                    GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error), *value = nn_tflite_input (t, op, 2);
  gint64 edges[2 * NN_MAX_RANK];
  guint rank, n_spatial;
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  rank = input->dims.rank;
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), edges, G_N_ELEMENTS (edges), &n) || n != 2 * (gsize) rank)
    return nn_load_unsupported (error, "its padding is not constant");
  if (value != NULL)
    {
      g_autoptr (NnTensor) number = nn_tflite_constant (t, value, error);

      if (number == NULL)
        return FALSE;
      if (number->n != 1 || nn_tensor_f32 (number)[0] != 0)
        return nn_load_unsupported (error, "padding by another number than 0 is not supported");
    }
  n_spatial = rank >= 4 ? 2 : 1;
  node = nn_tflite_unary (t, op, NN_OP_ZERO_PAD, input);
  for (guint i = 0; i < rank; i++)
    {
      gboolean spatial = i + 1 < rank && i + 1 + n_spatial >= rank && i > 0;

      if (edges[2 * i] < 0 || edges[2 * i + 1] < 0 || (!spatial && (edges[2 * i] != 0 || edges[2 * i + 1] != 0)))
        return nn_load_unsupported (error, "padding of other axes than height and width is not supported");
      if (spatial)
        {
          node->attrs.pad[i + 1 + n_spatial - rank][0] = edges[2 * i];
          node->attrs.pad[i + 1 + n_spatial - rank][1] = edges[2 * i + 1];
        }
    }
  return nn_tflite_result (t, op, node, NN_TFLITE_FUSED_NONE, error);
}

/* RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR to whole multiples. */
gboolean
nn_tflite_read_resize (NnTflite         *t,
                       const NnTfliteOp *op,
                       GError          **error)
{
  gboolean bilinear = op->code == RESIZE_BILINEAR;
  NnTfliteTensor *input = nn_tflite_data (t, op, error);
  const NnShape *sample;
  gint64 size[2];
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  sample = nn_tflite_sample (t, input);
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), size, G_N_ELEMENTS (size), &n) || n != 2 || sample->rank != 3)
    return nn_load_unsupported (error, "its size is not two constants");
  if (nn_flat_int (op->options, bilinear ? RESIZE_BILINEAR_CORNERS : RESIZE_NEAREST_CORNERS, 1, 0) != 0 ||
      (bilinear && nn_flat_int (op->options, RESIZE_BILINEAR_HALF, 1, 0) == 0))
    return nn_load_unsupported (error, "align_corners, or bilinear without half_pixel_centers, is not supported");
  node = nn_tflite_unary (t, op, NN_OP_UPSAMPLE, input);
  node->attrs.interpolation = bilinear ? NN_INTERPOLATION_BILINEAR : NN_INTERPOLATION_NEAREST;
  for (guint i = 0; i < 2; i++)
    {
      if (sample->dims[i] < 1 || size[i] < sample->dims[i] || size[i] % sample->dims[i] != 0)
        return nn_load_unsupported (error, "resizing to what is no whole multiple is not supported");
      node->attrs.size[i] = size[i] / sample->dims[i];
    }
  return nn_tflite_result (t, op, node, NN_TFLITE_FUSED_NONE, error);
}

/* The node that takes [begin, end) by @step of an axis of @from's sample; @from itself where that is all. */
static gboolean
take (NnTflite         *t,
      const NnTfliteOp *op,
      guint            *from,
      guint             axis,
      gint64            begin,
      gint64            end,
      gint64            step,
      GError          **error)
{
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL), *own = NULL;
  NnNode *node;

  if (begin == 0 && step == 1 && end == nn_graph_builder_node (t->builder, *from)->shape.dims[axis])
    return TRUE;
  own = g_strdup_printf ("%s_axis_%u", name, axis);
  node = nn_tflite_node (t, NN_OP_SLICE, own, op->name, from, 1);
  node->attrs.axis = (gint) axis;
  node->attrs.begin = begin;
  node->attrs.end = end;
  node->attrs.step = step;
  *from = nn_graph_builder_n_nodes (t->builder) - 1;
  return nn_tflite_finish (t, node, error);
}

/* SLICE (begin, size) and STRIDED_SLICE (begin, end, strides): axis by axis, then to the shape of the result. */
gboolean
nn_tflite_read_slice (NnTflite         *t,
                      const NnTfliteOp *op,
                      GError          **error)
{
  gboolean strided = op->code == STRIDED_SLICE;
  NnTfliteTensor *input = nn_tflite_data (t, op, error), *output = nn_tflite_output (t, op, 0);
  gint64 begin[NN_MAX_RANK], end[NN_MAX_RANK], step[NN_MAX_RANK], masks[5] = { 0 };
  NnShape target = { 0 };
  guint from;
  NnNode *node;
  gsize n, n_end, n_step;

  if (input == NULL || output == NULL)
    return input != NULL && nn_load_unsupported (error, "it makes nothing");
  for (guint i = 0; strided && i < G_N_ELEMENTS (masks); i++)
    masks[i] = nn_flat_int (op->options, i, INT_BYTES, 0);
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), begin, NN_MAX_RANK, &n) ||
      !nn_tflite_ints (nn_tflite_input (t, op, 2), end, NN_MAX_RANK, &n_end) ||
      n != input->dims.rank || n_end != n ||
      (strided && (!nn_tflite_ints (nn_tflite_input (t, op, 3), step, NN_MAX_RANK, &n_step) || n_step != n)))
    return nn_load_unsupported (error, "its ranges are not constant, one for each axis");
  if (masks[SLICE_ELLIPSIS] != 0 || masks[SLICE_NEW] != 0 || input->merged || (masks[SLICE_SHRINK] & 1))
    return nn_load_unsupported (error, "an ellipsis, a new axis or one sample of the batch is not supported");
  from = input->node;
  for (guint i = 0; i < n; i++)
    {
      gint64 extent = input->dims.dims[i], first = begin[i], last = strided ? end[i] : end[i] < 0 ? extent : begin[i] + end[i];
      gint64 by = strided ? step[i] : 1;

      first = masks[SLICE_BEGIN] >> i & 1 ? 0 : first < 0 ? first + extent : first;
      last = masks[SLICE_END] >> i & 1 ? extent : last < 0 ? last + extent : MIN (last, extent);
      if (masks[SLICE_SHRINK] >> i & 1)
        last = first + 1;
      if (by < 1 || (i == 0 && (first != 0 || last != extent)))
        return nn_load_unsupported (error, "a step backwards, or a part of the batch, is not supported");
      if (i > 0 && !take (t, op, &from, i - 1, first, last, by, error))
        return FALSE;
    }
  for (guint i = 1; i < output->dims.rank; i++)
    target.dims[target.rank++] = output->dims.dims[i];
  {
    g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

    node = nn_tflite_node (t, NN_OP_RESHAPE, name, op->name, &from, 1);
  }
  node->attrs.target = target;
  return nn_tflite_result (t, op, node, NN_TFLITE_FUSED_NONE, error);
}
