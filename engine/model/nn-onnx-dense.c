/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's products of matrices. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Rows of the kernel in the order in which the flattened map is computed. */
static NnTensor *
reorder_rows (NnTensor    *kernel,
              const guint *order,
              gsize        n)
{
  NnTensor *result;
  gsize width = kernel->n / MAX (n, 1);

  if (order == NULL)
    return kernel;
  result = nn_tensor_new (NN_DTYPE_F32, &kernel->shape);
  for (gsize i = 0; i < n; i++)
    memcpy (nn_tensor_f32 (result) + order[i] * width, nn_tensor_f32 (kernel) + i * width, width * sizeof (float));
  nn_tensor_unref (kernel);
  return result;
}

static void
scale_values (NnTensor *tensor,
              double    factor)
{
  for (gsize i = 0; factor != 1 && i < tensor->n; i++)
    nn_tensor_f32 (tensor)[i] *= (float) factor;
}

/* Data and a constant of more axes than a matrix has, or the constant first: a dense layer by its own equation. */
static gboolean
read_matmul_constant (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      gboolean          first,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, first ? 1 : 0), *result;
  g_autoptr (NnTensor) baked = nn_onnx_baked (nn_onnx_constant_input (onnx, op, first ? 0 : 1));
  g_autoptr (GString) data = g_string_new ("a");
  g_autoptr (GString) kernel = g_string_new (NULL);
  g_autoptr (GString) term = NULL;
  guint n = value->rank - 1, rank = baked->shape.rank;
  NnShape shape, kept = { 0 };
  NnTensor *weight;
  NnNode *node;

  if (value->batch >= value->rank - 2 || rank < 2 || rank > n || value->merged_before || value->order != NULL)
    return nn_load_unsupported (error, "of two factors one must be data, or both of them matrices");
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  shape = *nn_onnx_shape (onnx, value);
  for (guint i = 0; i < n; i++)
    g_string_append_c (data, (char) ('b' + i));
  term = g_string_new (data->str);
  /* of the data's last two axes the one that is summed over is replaced by the constant's other */
  for (guint i = 0; i < rank; i++)
    {
      guint axis = n - rank + i;
      gboolean new_axis = i == (first ? rank - 2 : rank - 1), summed = i == (first ? rank - 1 : rank - 2);

      if (!new_axis && !summed && baked->shape.dims[i] == 1)
        continue;
      if (!new_axis && baked->shape.dims[i] != shape.dims[summed && first ? n - 2 : summed ? n - 1 : axis])
        return nn_load_unsupported (error, "its factors do not fit each other");
      kept.dims[kept.rank++] = baked->shape.dims[i];
      g_string_append_c (kernel, new_axis ? 'z' : data->str[1 + (summed ? (first ? n - 2 : n - 1) : axis)]);
    }
  term->str[1 + (first ? n - 2 : n - 1)] = 'z';
  shape.dims[first ? n - 2 : n - 1] = baked->shape.dims[first ? rank - 2 : rank - 1];
  node = nn_onnx_node (onnx, NN_OP_EINSUM_DENSE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  g_string_append_printf (data, ",%s->%s", kernel->str, term->str);
  node->attrs.equation = nn_graph_builder_strdup (onnx->builder, data->str);
  node->shape = shape;
  node->attrs.units = nn_shape_last (&shape);
  weight = nn_tensor_new (NN_DTYPE_F32, &kept);
  memcpy (weight->data, baked->data, weight->n * sizeof (float));
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", weight);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < result->rank; i++)
    if (i != result->batch)
      result->dims[i] = shape.dims[nn_onnx_sample_axis (result, i)];
  return TRUE;
}

/* Two values multiplied. */
static gboolean
read_matmul (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             GError          **error)
{
  guint inputs[2];
  NnOnnxValue *parts[2], *result;
  NnNode *node;

  for (guint i = 0; i < 2; i++)
    {
      parts[i] = nn_onnx_input (onnx, op, i);
      if (parts[i]->constant != NULL)
        return read_matmul_constant (onnx, op, i == 0, error);
    }
  for (guint i = 0; i < 2; i++)
    {
      if (parts[i]->rank < 3 || parts[i]->batch >= parts[i]->rank - 2)
        return nn_load_unsupported (error, "its factors must be matrices with the batch before them");
      if (!nn_onnx_natural (onnx, parts[i], error))
        return FALSE;
      inputs[i] = parts[i]->node;
    }
  if (parts[0]->rank != parts[1]->rank || parts[0]->batch != parts[1]->batch || parts[0]->merged_before != parts[1]->merged_before ||
      parts[0]->merged_after != parts[1]->merged_after)
    return nn_load_unsupported (error, "its factors differ in the number of axes, or in which is the batch's");
  node = nn_onnx_node (onnx, NN_OP_MATMUL, nn_onnx_out (op, 0), op->op_type, inputs, 2);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), parts[0]);
  result->dims[result->rank - 1] = parts[1]->dims[parts[1]->rank - 1];
  return TRUE;
}

/* Gemm and MatMul by a constant. */
gboolean
nn_onnx_read_dense (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  static const guint swap[] = { 1, 0 };
  gboolean gemm = g_str_equal (op->op_type, "Gemm"), turned = gemm && nn_onnx_int (op, "transB", 0) != 0;
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0), *result;
  const NnOnnxValue *w = nn_onnx_constant_input (onnx, op, 1), *bias = gemm ? nn_onnx_constant_input (onnx, op, 2) : NULL;
  const char *name = nn_onnx_out (op, 0);
  double alpha = gemm ? nn_onnx_float (op, "alpha", 1) : 1, beta = gemm ? nn_onnx_float (op, "beta", 1) : 1;
  gint64 in, units;
  NnTensor *kernel;
  NnNode *node;

  if (value == NULL || (!gemm && (w == NULL || value->constant != NULL || w->constant->shape.rank > 2)))
    return value != NULL && nn_onnx_input (onnx, op, 1) != NULL && read_matmul (onnx, op, error);
  if (w == NULL || w->constant->shape.rank != 2 || value->constant != NULL || value->rank < 2 || value->batch == value->rank - 1 ||
      (gemm && nn_onnx_int (op, "transA", 0) != 0) ||
      (gemm && op->n_input > 2 && op->input[2][0] != '\0' && bias == NULL))
    return nn_load_unsupported (error, "only data times a constant matrix, plus a constant, is supported");
  in = w->constant->shape.dims[turned ? 1 : 0];
  units = w->constant->shape.dims[turned ? 0 : 1];
  if (value->order == NULL && (value->at[value->rank - 2] != (int) nn_onnx_shape (onnx, value)->rank - 1 ||
                               !nn_onnx_is_natural (value)) &&
      !nn_onnx_natural (onnx, value, error))
    return FALSE;
  if (nn_shape_last (nn_onnx_shape (onnx, value)) >= 0 && nn_shape_last (nn_onnx_shape (onnx, value)) != in)
    return nn_load_unsupported (error, "its matrix has %" G_GINT64_FORMAT " rows for %" G_GINT64_FORMAT " inputs", in,
                                nn_shape_last (nn_onnx_shape (onnx, value)));
  if (bias != NULL && bias->constant->n != (gsize) units && bias->constant->n != 1)
    return nn_load_unsupported (error, "its constant does not have one number for each output");
  if (alpha != 1 && w->quant != NULL)
    return nn_load_unsupported (error, "alpha other than 1 with a quantised matrix is not supported");
  if (bias == NULL)
    {
      bias = nn_onnx_following_bias (onnx, op, units, FALSE, value->rank, &name);
      beta = 1;
    }
  node = nn_onnx_node (onnx, NN_OP_DENSE, name, op->op_type, &value->node, 1);
  node->attrs.units = units;
  node->attrs.use_bias = bias != NULL && beta != 0;
  kernel = reorder_rows (nn_onnx_prepare (onnx, node, NN_ROLE_KERNEL, w, turned ? swap : NULL), value->order, value->n_order);
  if (alpha != 1)
    {
      NnTensor *own = nn_tensor_copy (kernel);

      nn_tensor_unref (kernel);
      kernel = own;
      scale_values (kernel, alpha);
    }
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", kernel);
  if (node->attrs.use_bias)
    {
      NnTensor *b = nn_onnx_flat (nn_onnx_prepare (onnx, node, NN_ROLE_BIAS, bias, NULL));

      if (b->n != (gsize) units)
        {
          NnTensor *wide = nn_onnx_broadcast (b, &NN_SHAPE (units));

          nn_tensor_unref (b);
          b = wide;
        }
      scale_values (b, beta);
      nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", b);
    }
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
  g_clear_pointer (&result->order, g_free);
  result->n_order = 0;
  result->dims[result->rank - 1] = units;
  return TRUE;
}
