/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's constants: from the file, and computed from other constants. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "nn-load-private.h"
#include "nn-onnx-slim.h"
#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Shapes that are computed in a file are small; weights are not folded beyond a reshape or a transpose. */
#define MAX_FOLDED (1u << 26)
/* Bytes of a constant that stay in the file's message once it is read. */
#define MAX_KEPT 4096
/* Elements of a constant in the file after which its pages are given back. */
#define RELEASED (1u << 20)

static float
from_half (guint16 h)
{
  int exponent = h >> 10 & 31, mantissa = h & 1023;
  double value = exponent == 31 ? (mantissa ? NAN : INFINITY)
                 : exponent     ? ldexp (1024 + mantissa, exponent - 25)
                                : ldexp (mantissa, -24);

  return (float) (h & 0x8000 ? -value : value);
}

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
      return from_half ((guint16) bits);
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
    *value = proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 ? from_half ((guint16) proto->int32_data[i])
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

static gboolean
is_integer (int type)
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
  gboolean integer = is_integer (proto->data_type);

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
        ((gint64 *) tensor->data)[i] = (gint64) value;
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

static double
binary (const char *type,
        double      a,
        double      b)
{
  switch (type[0])
    {
    case 'A':
      return a + b;
    case 'S':
      return a - b;
    case 'M':
      return a * b;
    case 'D':
      return a / b;
    default:
      return pow (a, b);
    }
}

static void
set_number (NnTensor *tensor,
            gsize     i,
            double    value)
{
  if (tensor->dtype == NN_DTYPE_F32)
    nn_tensor_f32 (tensor)[i] = (float) value;
  else
    ((gint64 *) tensor->data)[i] = isfinite (value) && fabs (value) < 9e18 ? (gint64) value : 0;
}

/* One of the two is a scalar, or both have one shape, or the second is broadcast along leading axes: what exporters write. */
static NnTensor *
fold_binary (const char     *type,
             const NnTensor *a,
             const NnTensor *b)
{
  const NnTensor *large = a->n >= b->n ? a : b, *small = large == a ? b : a;
  NnTensor *result;

  if (small->n == 0 || large->n % small->n != 0 || large->n > MAX_FOLDED)
    return NULL;
  for (guint i = 0; small->n > 1 && i < small->shape.rank; i++)
    if (small->shape.dims[small->shape.rank - 1 - i] != large->shape.dims[large->shape.rank - 1 - i])
      return NULL;
  result = nn_tensor_new (a->dtype == NN_DTYPE_I64 && b->dtype == NN_DTYPE_I64 ? NN_DTYPE_I64 : NN_DTYPE_F32, &large->shape);
  for (gsize i = 0; i < result->n; i++)
    {
      double x = nn_tensor_get (a, i % a->n), y = nn_tensor_get (b, i % b->n);

      if (result->dtype == NN_DTYPE_I64 && type[0] == 'D' && y == 0)
        y = 1;
      set_number (result, i, binary (type, x, y));
    }
  return result;
}

static NnTensor *
fold_concat (NnOnnx          *onnx,
             Onnx__NodeProto *op)
{
  gsize n = 0, at = 0;
  NnTensor *result;
  NnDtype dtype = NN_DTYPE_I64;

  for (guint i = 0; i < op->n_input; i++)
    if (nn_onnx_input (onnx, op, i) == NULL)
      return NULL;
  for (guint i = 0; i < op->n_input; i++)
    {
      const NnTensor *part = nn_onnx_input (onnx, op, i)->constant;

      if (part->shape.rank > 1)
        return NULL;
      n += part->n;
      dtype = part->dtype == NN_DTYPE_F32 ? NN_DTYPE_F32 : dtype;
    }
  result = nn_tensor_new (dtype, &NN_SHAPE ((gint64) n));
  for (guint i = 0; i < op->n_input; i++)
    {
      const NnTensor *part = nn_onnx_input (onnx, op, i)->constant;

      for (gsize k = 0; k < part->n; k++)
        set_number (result, at++, nn_tensor_get (part, k));
    }
  return result;
}

static NnTensor *
fold_gather (const NnTensor *data,
             const NnTensor *indices,
             gint64          axis)
{
  NnTensor *result;

  if (data->shape.rank != 1 || axis != 0 || indices->shape.rank > 1)
    return NULL;
  result = nn_tensor_new (data->dtype, &indices->shape);
  for (gsize i = 0; i < indices->n; i++)
    {
      gint64 k = (gint64) nn_tensor_get (indices, i);

      if (k < 0)
        k += (gint64) data->n;
      if (k < 0 || k >= (gint64) data->n)
        {
          nn_tensor_unref (result);
          return NULL;
        }
      set_number (result, i, nn_tensor_get (data, k));
    }
  return result;
}

static NnTensor *
with_shape (const NnTensor *tensor,
            const NnShape  *shape)
{
  NnTensor *result;
  gsize n;

  if (!nn_shape_size (shape, &n) || n != tensor->n)
    return NULL;
  result = nn_tensor_new (tensor->dtype, shape);
  memcpy (result->data, tensor->data, n * nn_dtype_size (tensor->dtype));
  return result;
}

static NnTensor *
fold_reshape (const NnTensor *data,
              const NnTensor *target)
{
  NnShape shape = { 0 };
  gsize known = 1;
  int open = -1;

  if (target->n > NN_MAX_RANK)
    return NULL;
  for (gsize i = 0; i < target->n; i++)
    {
      gint64 d = (gint64) nn_tensor_get (target, i);

      if (d == 0 && i < data->shape.rank)
        d = data->shape.dims[i];
      if (d < -1 || d > G_MAXINT32 || (d == -1 && open >= 0))
        return NULL;
      if (d == -1)
        open = (int) i;
      else
        known *= (gsize) d;
      shape.dims[shape.rank++] = d;
    }
  if (open >= 0)
    {
      if (known == 0 || data->n % known != 0)
        return NULL;
      shape.dims[open] = (gint64) (data->n / known);
    }
  return with_shape (data, &shape);
}

static NnTensor *
fold_axes (NnOnnx          *onnx,
           Onnx__NodeProto *op,
           const NnTensor  *data,
           gboolean         add)
{
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found, mark[NN_MAX_RANK] = { FALSE };
  NnShape shape = { 0 };
  guint rank, at = 0;

  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || axes->len > NN_MAX_RANK)
    return NULL;
  rank = add ? data->shape.rank + axes->len : data->shape.rank;
  if (rank > NN_MAX_RANK || (add && !found))
    return NULL;
  for (guint i = 0; i < axes->len; i++)
    {
      double a = g_array_index (axes, double, i);

      a += a < 0 ? rank : 0;
      if (a < 0 || a >= rank)
        return NULL;
      mark[(guint) a] = TRUE;
    }
  for (guint i = 0; i < rank; i++)
    if (add)
      shape.dims[shape.rank++] = mark[i] || at >= data->shape.rank ? 1 : data->shape.dims[at++];
    else if (found ? !mark[i] : data->shape.dims[i] != 1)
      shape.dims[shape.rank++] = data->shape.dims[i];
  return with_shape (data, &shape);
}

static NnTensor *
fold_unary (const char     *type,
            const NnTensor *data)
{
  NnTensor *result;

  if (data->n > MAX_FOLDED)
    return NULL;
  result = nn_tensor_new (data->dtype, &data->shape);
  for (gsize i = 0; i < data->n; i++)
    {
      double x = nn_tensor_get (data, i);

      set_number (result, i, g_str_equal (type, "Sqrt") ? sqrt (x) : g_str_equal (type, "Neg") ? -x
                             : g_str_equal (type, "Reciprocal") ? 1 / x
                             : g_str_equal (type, "Floor")      ? floor (x)
                                                                : ceil (x));
    }
  return result;
}

static NnTensor *
fold_cast (const NnTensor *data,
           gint64          to)
{
  NnTensor *result = nn_tensor_new (is_integer ((int) to) ? NN_DTYPE_I64 : NN_DTYPE_F32, &data->shape);

  for (gsize i = 0; i < data->n; i++)
    set_number (result, i, nn_tensor_get (data, i));
  return result;
}

/* Contiguous ranges of a list: what computed shapes are cut with. */
static NnTensor *
fold_slice (NnOnnx          *onnx,
            Onnx__NodeProto *op,
            const NnTensor  *data)
{
  g_autoptr (GArray) starts = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found;
  double begin, end;
  NnTensor *result;

  if (data->shape.rank != 1 || !nn_onnx_numbers (onnx, op, "starts", 1, starts, &found) || starts->len != 1 ||
      !nn_onnx_numbers (onnx, op, "ends", 2, ends, &found) || ends->len != 1)
    return NULL;
  begin = g_array_index (starts, double, 0);
  end = g_array_index (ends, double, 0);
  begin = CLAMP (begin < 0 ? begin + data->n : begin, 0, data->n);
  end = CLAMP (end < 0 ? end + data->n : end, begin, data->n);
  result = nn_tensor_new (data->dtype, &NN_SHAPE ((gint64) (end - begin)));
  for (gsize i = 0; i < result->n; i++)
    set_number (result, i, nn_tensor_get (data, (gsize) begin + i));
  return result;
}

static NnTensor *
fold (NnOnnx          *onnx,
      Onnx__NodeProto *op)
{
  static const char *const pairs[] = { "Add", "Sub", "Mul", "Div", "Pow", NULL };
  static const char *const unary[] = { "Sqrt", "Neg", "Reciprocal", "Floor", "Ceil", NULL };
  const char *type = op->op_type;
  g_autoptr (NnTensor) a = nn_onnx_baked (nn_onnx_input (onnx, op, 0));
  const NnTensor *raw = nn_onnx_input (onnx, op, 0)->constant;
  const NnTensor *b = op->n_input > 1 && nn_onnx_input (onnx, op, 1) != NULL ? nn_onnx_input (onnx, op, 1)->constant : NULL;
  const NnTensor *data = raw->dtype == NN_DTYPE_I64 ? raw : a;

  if (g_strv_contains (pairs, type) && b != NULL)
    return fold_binary (type, data, b);
  if (g_strv_contains (unary, type))
    return fold_unary (type, data);
  if (g_str_equal (type, "Concat"))
    return fold_concat (onnx, op);
  if (g_str_equal (type, "Gather") && b != NULL)
    return fold_gather (data, b, nn_onnx_int (op, "axis", 0));
  if (g_str_equal (type, "Reshape") && b != NULL)
    return fold_reshape (data, b);
  if (g_str_equal (type, "Unsqueeze") || g_str_equal (type, "Squeeze"))
    return fold_axes (onnx, op, data, type[0] == 'U');
  if (g_str_equal (type, "Cast"))
    return fold_cast (data, nn_onnx_int (op, "to", 1));
  if (g_str_equal (type, "Slice"))
    return fold_slice (onnx, op, data);
  return NULL;
}

/* A transpose keeps a constant's quantiser. */
static gboolean
fold_transpose (NnOnnx          *onnx,
                Onnx__NodeProto *op)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0), *result;
  guint rank = value->constant->shape.rank, axes[NN_MAX_RANK], seen = 0;
  const gint64 *perm;
  gsize n;

  perm = nn_onnx_ints (op, "perm", &n);
  if (perm != NULL && n != rank)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    {
      axes[i] = perm != NULL && perm[i] >= 0 && perm[i] < rank ? (guint) perm[i] : rank - 1 - i;
      seen |= 1u << axes[i];
    }
  if (seen != (1u << rank) - 1)
    return FALSE;
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), nn_tensor_transpose (value->constant, axes));
  result = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
  if (value->quant != NULL)
    result->quant = nn_onnx_quant_copy (value->quant, axes, rank);
  return TRUE;
}

/**
 * nn_onnx_fold:
 * @done: (out): whether the operator's output is a constant now
 *
 * Computes what depends on constants alone: shapes, mostly.
 */
gboolean
nn_onnx_fold (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              gboolean         *done,
              GError          **error)
{
  NnTensor *result;

  *done = FALSE;
  if (g_str_equal (op->op_type, "Constant"))
    {
      Onnx__AttributeProto *value = nn_onnx_attribute (op, "value"), *number = nn_onnx_attribute (op, "value_float");

      if (number == NULL)
        number = nn_onnx_attribute (op, "value_int");
      if (value != NULL && value->t != NULL)
        result = nn_onnx_tensor (onnx, value->t, error);
      else if (number != NULL)
        {
          result = nn_tensor_new (g_str_equal (number->name, "value_int") ? NN_DTYPE_I64 : NN_DTYPE_F32, &(NnShape){ 0 });
          set_number (result, 0, number->has_i ? (double) number->i : number->f);
        }
      else
        {
          gsize n = 0;
          const gint64 *ints = nn_onnx_ints (op, "value_ints", &n);

          if (ints == NULL)
            return TRUE;
          result = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE ((gint64) n));
          memcpy (result->data, ints, n * sizeof *ints);
        }
      if (result == NULL)
        return FALSE;
      nn_onnx_constant (onnx, nn_onnx_out (op, 0), result);
      if (value != NULL)
        ((NnOnnxValue *) g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0)))->type = value->t->data_type;
      *done = TRUE;
      return TRUE;
    }
  if (op->n_input == 0 || op->input[0][0] == '\0')
    return TRUE;
  for (guint i = 0; i < op->n_input; i++)
    if (op->input[i][0] != '\0' && (nn_onnx_input (onnx, op, i) == NULL || nn_onnx_input (onnx, op, i)->constant == NULL))
      return TRUE;
  if (g_str_equal (op->op_type, "Identity"))
    {
      NnOnnxValue *from = nn_onnx_input (onnx, op, 0), *to;

      nn_onnx_constant (onnx, nn_onnx_out (op, 0), nn_tensor_ref (from->constant));
      to = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
      to->quant = from->quant != NULL ? nn_onnx_quant_copy (from->quant, NULL, 0) : NULL;
      *done = TRUE;
      return TRUE;
    }
  if (g_str_equal (op->op_type, "Transpose"))
    {
      *done = fold_transpose (onnx, op);
      return TRUE;
    }
  result = fold (onnx, op);
  if (result != NULL)
    {
      nn_onnx_constant (onnx, nn_onnx_out (op, 0), result);
      *done = TRUE;
    }
  return TRUE;
}
