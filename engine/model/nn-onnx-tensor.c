/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's constants in the file. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "nn-load-private.h"
#include "nn-onnx-slim.h"
#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Bytes of a constant that stay in the file's message once it is read. */
#define MAX_KEPT 4096
/* Elements of a constant in the file after which its pages are given back. */
#define RELEASED (1u << 20)

static gsize
element_size (int type)
{
  switch (type)
    {
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
      return 1;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
      return 2;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32:
      return 4;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64:
      return 8;
    default:
      return 0;
    }
}

/* Files are little endian whatever the machine is. */
static guint64
load (const guint8 *at,
      gsize         n)
{
  guint64 bits = 0;

  for (gsize i = n; i > 0; i--)
    bits = bits << 8 | at[i - 1];
  return bits;
}

static double
raw_value (const guint8 *at,
           int           type)
{
  guint64 bits = load (at, element_size (type));
  guint32 word = (guint32) bits;
  float f;
  double d;

  switch (type)
    {
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
      return (gint8) bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT16:
      return (gint16) bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
      return (gint32) bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
      return (double) (gint64) bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
      return nn_half_value ((guint16) bits);
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
      word <<= 16;
      memcpy (&f, &word, 4);
      return f;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
      memcpy (&f, &word, 4);
      return f;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
      memcpy (&d, &bits, 8);
      return d;
    default:
      return (double) bits;
    }
}

static gboolean
typed_value (const Onnx__TensorProto *proto,
             gsize                    i,
             double                  *value)
{
  if (i < proto->n_float_data)
    *value = proto->float_data[i];
  else if (i < proto->n_int32_data)
    *value = proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 ? nn_half_value ((guint16) proto->int32_data[i])
                                                                        : proto->int32_data[i];
  else if (i < proto->n_int64_data)
    *value = (double) proto->int64_data[i];
  else if (i < proto->n_double_data)
    *value = proto->double_data[i];
  else if (i < proto->n_uint64_data)
    *value = (double) proto->uint64_data[i];
  else
    return FALSE;
  return TRUE;
}

gboolean
nn_onnx_type_is_integer (int type)
{
  return type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT && type != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE &&
         type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 && type != ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
}

/* @in_file: whether the raw data are not the message's own */
static NnTensor *
read_tensor (NnOnnx             *onnx,
             Onnx__TensorProto  *proto,
             gboolean            in_file,
             GError            **error)
{
  const char *name = proto->name != NULL ? proto->name : "?";
  g_autoptr (NnTensor) tensor = NULL;
  gsize size = element_size (proto->data_type), n;
  NnShape shape = { 0 };
  gboolean integer = nn_onnx_type_is_integer (proto->data_type);

  if (proto->has_data_location && proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                   "%s: the tensor \"%s\" lies in another file; save the network as one file", onnx->file, name);
      return NULL;
    }
  if (size == 0 || proto->n_dims > NN_MAX_RANK)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: the tensor \"%s\" is not of numbers, or has too many axes",
                   onnx->file, name);
      return NULL;
    }
  for (gsize i = 0; i < proto->n_dims; i++)
    {
      if (proto->dims[i] < 0 || proto->dims[i] > G_MAXINT32)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the tensor \"%s\" has an extent that is none", onnx->file, name);
          return NULL;
        }
      shape.dims[shape.rank++] = proto->dims[i];
    }
  if (!nn_shape_size (&shape, &n) ||
      (proto->has_raw_data ? proto->raw_data.len / size != n
                           : n > proto->n_float_data + proto->n_int32_data + proto->n_int64_data + proto->n_double_data +
                                     proto->n_uint64_data))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the tensor \"%s\" holds another number of values than its shape says",
                   onnx->file, name);
      return NULL;
    }
  tensor = nn_tensor_try_new (integer ? NN_DTYPE_I64 : NN_DTYPE_F32, &shape, error);
  if (tensor == NULL)
    return NULL;
  for (gsize i = 0; i < n; i++)
    {
      double value = 0;

      if (proto->has_raw_data)
        value = raw_value (proto->raw_data.data + i * size, proto->data_type);
      else
        typed_value (proto, i, &value);
      if (!integer)
        nn_tensor_f32 (tensor)[i] = (float) value;
      else if (proto->has_raw_data && size == 8)
        ((gint64 *) tensor->data)[i] = (gint64) load (proto->raw_data.data + i * size, 8);
      else if (!proto->has_raw_data && i < proto->n_int64_data)
        ((gint64 *) tensor->data)[i] = proto->int64_data[i];
      else
        ((gint64 *) tensor->data)[i] = nn_onnx_whole (value);
      /* what lies in the file is given back in pieces, so that it is not there twice */
      if (in_file && (i + 1) % RELEASED == 0)
        nn_load_release (proto->raw_data.data + (i + 1 - RELEASED) * size, RELEASED * size);
    }
  /* weights are not held twice; shapes may be read again */
  if (!in_file && proto->has_raw_data && proto->raw_data.len > MAX_KEPT)
    {
      free (proto->raw_data.data);
      proto->raw_data.data = NULL;
      proto->raw_data.len = 0;
    }
  return g_steal_pointer (&tensor);
}

/**
 * nn_onnx_tensor:
 * @proto: its raw data are given back to the system, so that a large network is not held twice
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_LIMIT
 *
 * Returns: (transfer full): F32, or I64 for whole numbers
 */
NnTensor *
nn_onnx_tensor (NnOnnx             *onnx,
                Onnx__TensorProto  *proto,
                GError            **error)
{
  return read_tensor (onnx, proto, FALSE, error);
}

/* The graph's @i-th initialiser, whose raw data may have stayed in the file. */
NnTensor *
nn_onnx_initializer (NnOnnx             *onnx,
                     Onnx__TensorProto  *proto,
                     gsize               i,
                     GError            **error)
{
  const NnOnnxLarge *large = onnx->large != NULL && i < onnx->large->len ? &g_array_index (onnx->large, NnOnnxLarge, i) : NULL;
  NnTensor *tensor;

  if (large == NULL || large->bytes == NULL || proto->has_raw_data)
    return nn_onnx_tensor (onnx, proto, error);
  proto->has_raw_data = TRUE;
  proto->raw_data.data = (guint8 *) large->bytes;
  proto->raw_data.len = large->n;
  tensor = read_tensor (onnx, proto, TRUE, error);
  /* the message must not free what is the file's */
  proto->raw_data.data = NULL;
  proto->raw_data.len = 0;
  return tensor;
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
