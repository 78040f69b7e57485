/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants of an ONNX file as weights of a layer. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Elements of all tensors of a file that it does not hold but asks for by an extent: a quarter of a gigabyte. */
#define MAX_MADE (1u << 26)

/**
 * nn_onnx_made:
 *
 * A tensor that the file does not hold, but asks for: a small file may not ask for more memory than a network is.
 *
 * Errors: %NN_ERROR_UNSUPPORTED
 *
 * Returns: (transfer full): F32, of zeros
 */
NnTensor *
nn_onnx_made (NnOnnx         *onnx,
              const NnShape  *shape,
              GError        **error)
{
  gsize n;

  if (shape->rank > NN_MAX_RANK || !nn_shape_size (shape, &n) || n > MAX_MADE - onnx->n_made)
    {
      nn_load_unsupported (error, "the constants that it and those before it need would have more than %u elements", MAX_MADE);
      return NULL;
    }
  onnx->n_made += n;
  return nn_tensor_try_new (NN_DTYPE_F32, shape, error);
}

/* Numpy's broadcasting of @tensor to @shape; %NULL where it does not go. */
NnTensor *
nn_onnx_broadcast (const NnTensor *tensor,
                   const NnShape  *shape)
{
  NnTensor *result;
  gsize strides[NN_MAX_RANK] = { 0 }, step = 1;
  guint skip = shape->rank - tensor->shape.rank;

  if (tensor->shape.rank > shape->rank || tensor->dtype != NN_DTYPE_F32)
    return NULL;
  for (guint i = tensor->shape.rank; i > 0; i--)
    {
      gint64 d = tensor->shape.dims[i - 1];

      if (d != 1 && d != shape->dims[skip + i - 1])
        return NULL;
      strides[skip + i - 1] = d == 1 ? 0 : step;
      step *= (gsize) d;
    }
  result = nn_tensor_try_new (NN_DTYPE_F32, shape, NULL);
  for (gsize k = 0; result != NULL && k < result->n; k++)
    {
      gsize rest = k, at = 0;

      for (guint i = shape->rank; i > 0; i--)
        {
          at += rest % (gsize) shape->dims[i - 1] * strides[i - 1];
          rest /= (gsize) shape->dims[i - 1];
        }
      nn_tensor_f32 (result)[k] = nn_tensor_f32 (tensor)[at];
    }
  return result;
}

/* A constant's values after its quantiser. (transfer full) */
NnTensor *
nn_onnx_baked (const NnOnnxValue *value)
{
  g_autoptr (NnTensor) scale = NULL;
  NnTensor *baked;

  if (value->constant->dtype != NN_DTYPE_F32)
    return nn_tensor_convert (value->constant, NN_DTYPE_F32);
  if (value->quant == NULL)
    return nn_tensor_ref (value->constant);
  if (value->quant->own != NULL)
    return nn_tensor_ref (value->quant->frozen);
  scale = nn_onnx_broadcast (value->quant->scale, &value->constant->shape);
  baked = nn_tensor_copy (value->constant);
  for (gsize i = 0; scale != NULL && i < baked->n; i++)
    nn_tensor_f32 (baked)[i] =
        (float) nn_onnx_quant_value (value->quant, nn_tensor_f32 (scale)[i], nn_tensor_f32 (baked)[i]);
  return baked;
}

/* qonnx's domain of operators whose data already are channels last. */
gboolean
nn_onnx_is_channels_last (Onnx__NodeProto *op)
{
  return op->domain != NULL && strstr (op->domain, "channels_last") != NULL;
}

/* A constant's values and quantiser as a weight of @node. Where the quantiser cannot go along, the values are what it
 * makes of them. @axes: (nullable): how the values are permuted. */
NnTensor *
nn_onnx_prepare (NnOnnx             *onnx,
                 NnNode             *node,
                 NnRole              role,
                 const NnOnnxValue  *value,
                 const guint        *axes)
{
  g_autoptr (NnTensor) plain = NULL;

  if (value->quant != NULL)
    {
      NnOnnxQuant *quant = nn_onnx_quant_copy (value->quant, axes, value->constant->shape.rank);
      gboolean ok = nn_onnx_quantizer (onnx, quant, &node->attrs.role_quantizer[role]);

      nn_onnx_quant_free (quant);
      if (!ok)
        plain = nn_onnx_baked (value);
    }
  if (plain == NULL)
    plain = nn_tensor_convert (value->constant, NN_DTYPE_F32);
  return axes != NULL ? nn_tensor_transpose (plain, axes) : g_steal_pointer (&plain);
}

NnTensor *
nn_onnx_flat (NnTensor *tensor)
{
  NnTensor *result = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) tensor->n));

  memcpy (result->data, tensor->data, tensor->n * sizeof (float));
  nn_tensor_unref (tensor);
  return result;
}

const NnOnnxValue *
nn_onnx_constant_input (NnOnnx          *onnx,
                        Onnx__NodeProto *op,
                        guint            i)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

  return value != NULL && value->constant != NULL ? value : NULL;
}

/* An Add of a constant for each output that is all that reads @op's result: the bias. Its output then names the layer. */
const NnOnnxValue *
nn_onnx_following_bias (NnOnnx           *onnx,
                        Onnx__NodeProto  *op,
                        gint64            units,
                        gboolean          spatial,
                        guint             rank,
                        const char      **name)
{
  Onnx__NodeProto *add = nn_onnx_only_use (onnx, nn_onnx_out (op, 0));
  const NnOnnxValue *bias = NULL;

  if (add == NULL || add->op_type == NULL || !g_str_equal (add->op_type, "Add") || add->n_input != 2)
    return NULL;
  for (guint i = 0; i < 2; i++)
    if (!g_str_equal (add->input[i], nn_onnx_out (op, 0)))
      bias = nn_onnx_constant_input (onnx, add, i);
  if (bias == NULL || bias->constant->n != (gsize) units || bias->constant->shape.rank > rank)
    return NULL;
  /* which of the constant's axes it goes along: the last, or the channels before the map */
  for (guint i = 0; units > 1 && i < bias->constant->shape.rank; i++)
    if (bias->constant->shape.dims[i] > 1 && i + rank - bias->constant->shape.rank != (spatial ? 1 : rank - 1))
      return NULL;
  g_hash_table_add (onnx->fused, add);
  *name = nn_onnx_out (add, 0);
  return bias;
}

/* One number for each channel, in the order in which channels are computed. */
NnTensor *
nn_onnx_by_channel (NnTensor          *values,
                    const NnOnnxValue *value)
{
  NnTensor *result;

  if (value->order == NULL || values->n != value->n_order)
    return values;
  result = nn_tensor_new (NN_DTYPE_F32, &values->shape);
  for (gsize i = 0; i < values->n; i++)
    nn_tensor_f32 (result)[value->order[i]] = nn_tensor_f32 (values)[i];
  nn_tensor_unref (values);
  return result;
}
