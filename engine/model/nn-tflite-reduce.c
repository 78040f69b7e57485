/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite's operators that make one number of many: pools, reductions, products of matrices. */

#include "nn-tflite.h"

#define INT_BYTES sizeof (gint32)

/* BuiltinOperator. */
enum { AVERAGE_POOL_2D = 1, SUM = 74, REDUCE_MAX = 82 };
enum { POOL_PADDING, POOL_STRIDE_W, POOL_STRIDE_H, POOL_WIDTH, POOL_HEIGHT, POOL_FUSED };

gboolean
nn_tflite_read_pool (NnTflite         *t,
                     const NnTfliteOp *op,
                     GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error);
  NnAttrs *a;
  NnNode *node;

  if (input == NULL)
    return FALSE;
  if (nn_tflite_sample (t, input)->rank != 3)
    return nn_load_unsupported (error, "its data must have the axes batch, height, width and channels");
  node = nn_tflite_unary (t, op, op->code == AVERAGE_POOL_2D ? NN_OP_AVG_POOL2D : NN_OP_MAX_POOL2D, input);
  a = &node->attrs;
  a->padding = nn_flat_int (op->options, POOL_PADDING, 1, 0) == 0 ? NN_PADDING_SAME : NN_PADDING_VALID;
  a->stride[0] = nn_flat_int (op->options, POOL_STRIDE_H, INT_BYTES, 0);
  a->stride[1] = nn_flat_int (op->options, POOL_STRIDE_W, INT_BYTES, 0);
  a->kernel[0] = nn_flat_int (op->options, POOL_HEIGHT, INT_BYTES, 0);
  a->kernel[1] = nn_flat_int (op->options, POOL_WIDTH, INT_BYTES, 0);
  a->dilation[0] = a->dilation[1] = 1;
  for (guint i = 0; i < 2; i++)
    if (a->kernel[i] < 1 || a->stride[i] < 1)
      return nn_load_unsupported (error, "its window or stride is not positive");
  return nn_tflite_result (t, op, node, nn_flat_int (op->options, POOL_FUSED, 1, 0), error);
}

/* MEAN, SUM, REDUCE_MAX over axes that lie side by side. */
gboolean
nn_tflite_read_reduce (NnTflite         *t,
                       const NnTfliteOp *op,
                       GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error);
  gint64 axes[NN_MAX_RANK];
  guint seen = 0, first = NN_MAX_RANK, last = 0, rank;
  gboolean keep;
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), axes, G_N_ELEMENTS (axes), &n) || n == 0)
    return nn_load_unsupported (error, "its axes are not constant");
  rank = nn_tflite_sample (t, input)->rank;
  for (gsize i = 0; i < n; i++)
    {
      int axis = nn_tflite_axis (input, axes[i]);

      if (axis < 0)
        return nn_load_unsupported (error, "reducing the batch's axis is not supported");
      seen |= 1u << axis;
      first = MIN (first, (guint) axis);
      last = MAX (last, (guint) axis);
    }
  for (guint i = first; i <= last; i++)
    if (!(seen & 1u << i))
      return nn_load_unsupported (error, "reducing axes that do not lie side by side is not supported");
  keep = nn_flat_int (op->options, 0, 1, 0) != 0;
  if (first == 0 && last + 2 == rank && op->code != SUM)
    node = nn_tflite_unary (t, op, op->code == REDUCE_MAX ? NN_OP_GLOBAL_MAX_POOL : NN_OP_GLOBAL_AVG_POOL, input);
  else
    node = nn_tflite_unary (t, op, op->code == REDUCE_MAX ? NN_OP_REDUCE_MAX : op->code == SUM ? NN_OP_REDUCE_SUM : NN_OP_REDUCE_MEAN, input);
  node->attrs.axis = (gint) first;
  node->attrs.axis2 = (gint) last;
  node->attrs.keep_dims = keep;
  return nn_tflite_result (t, op, node, NN_TFLITE_FUSED_NONE, error);
}

gboolean
nn_tflite_read_matmul (NnTflite         *t,
                       const NnTfliteOp *op,
                       GError          **error)
{
  NnTfliteTensor *a = nn_tflite_input (t, op, 0), *b = nn_tflite_input (t, op, 1);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

  if (a == NULL || b == NULL || !a->computed || !b->computed)
    return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
  if (nn_flat_int (op->options, 0, 1, 0) != 0 || nn_flat_int (op->options, 1, 1, 0) != 0)
    return nn_load_unsupported (error, "adj_x and adj_y are not supported");
  return nn_tflite_result (t, op, nn_tflite_node (t, NN_OP_MATMUL, name, op->name, (guint[]){ a->node, b->node }, 2), NN_TFLITE_FUSED_NONE, error);
}
