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
/* Elements of a tensor of which the file tells but some: a small file may not ask for any memory. */
#define MAX_SPARSE (1u << 26)

/* The upper half of a float. */
static float
from_brain (guint16 bits)
{
  guint32 word = (guint32) bits << 16;
  float f;

  memcpy (&f, &word, 4);
  return f;
}

/* TensorProto.DataType of newer operator sets, which the schema may be too old for. */
#define TYPE_UINT4 21
#define TYPE_INT4 22

static gboolean
is_nibble (int type)
{
  return type == TYPE_UINT4 || type == TYPE_INT4;
}

static gsize
element_size (int type)
{
  switch (type)
    {
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
    case TYPE_UINT4: /* of two elements */
    case TYPE_INT4:
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
      return from_brain ((guint16) bits);
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

/* Of two in a byte the first lies in the lower half. Source: ONNX, TensorProto.raw_data. */
static double
nibble_value (guint   byte,
              gsize   i,
              int     type)
{
  int code = (int) (i % 2 == 0 ? byte & 15 : byte >> 4 & 15);

  return type == TYPE_INT4 && code > 7 ? code - 16 : code;
}

static gboolean
typed_value (const Onnx__TensorProto *proto,
             gsize                    i,
             double                  *value)
{
  if (is_nibble (proto->data_type))
    {
      if (i / 2 >= proto->n_int32_data)
        return FALSE;
      *value = nibble_value ((guint) proto->int32_data[i / 2], i, proto->data_type);
    }
  else if (i < proto->n_float_data)
    *value = proto->float_data[i];
  else if (i < proto->n_int32_data)
    *value = proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16    ? nn_half_value ((guint16) proto->int32_data[i])
             : proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 ? from_brain ((guint16) proto->int32_data[i])
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

/* What a file calls a type that holds no numbers for us. */
static const char *
type_name (int type)
{
  switch (type)
    {
    case ONNX__TENSOR_PROTO__DATA_TYPE__STRING:
      return "text";
    case ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX64:
    case ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX128:
      return "complex numbers";
    case ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED:
      return "no type";
    default:
      return "a type that is not known, as numbers of 8 bits with an exponent";
    }
}

static gboolean
read_shape (NnOnnx                   *onnx,
            const Onnx__TensorProto  *proto,
            NnShape                  *shape,
            gsize                    *n,
            GError                  **error)
{
  const char *name = proto->name != NULL ? proto->name : "?";
  gsize size = element_size (proto->data_type), held;
  g_autofree char *text = NULL;

  if (size == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                   "%s: the tensor \"%s\" is of %s; floats, whole numbers and truth values are read", onnx->file, name,
                   type_name (proto->data_type));
      return FALSE;
    }
  if (proto->n_dims > NN_MAX_RANK)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: the tensor \"%s\" has %" G_GSIZE_FORMAT " axes; at most %d are supported",
                   onnx->file, name, proto->n_dims, NN_MAX_RANK);
      return FALSE;
    }
  *shape = (NnShape){ 0 };
  for (gsize i = 0; i < proto->n_dims; i++)
    {
      if (proto->dims[i] < 0 || proto->dims[i] > G_MAXINT32)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                       "%s: axis %" G_GSIZE_FORMAT " of the tensor \"%s\" has the extent %" G_GINT64_FORMAT "; one from 0 to %d is accepted",
                       onnx->file, i, name, proto->dims[i], G_MAXINT32);
          return FALSE;
        }
      shape->dims[shape->rank++] = proto->dims[i];
    }
  held = proto->has_raw_data ? proto->raw_data.len / size
                             : proto->n_float_data + proto->n_int32_data + proto->n_int64_data + proto->n_double_data + proto->n_uint64_data;
  held *= is_nibble (proto->data_type) ? 2 : 1;
  if (!nn_shape_size (shape, n) || (proto->has_raw_data && !is_nibble (proto->data_type) ? held != *n : held < *n))
    {
      text = nn_shape_to_string (shape);
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the tensor \"%s\" holds %" G_GSIZE_FORMAT " values, but its shape is %s",
                   onnx->file, name, held, text);
      return FALSE;
    }
  return TRUE;
}

static double
value_at (const Onnx__TensorProto *proto,
          gsize                    i,
          gsize                    size)
{
  double value = 0;

  if (!proto->has_raw_data)
    typed_value (proto, i, &value);
  else if (is_nibble (proto->data_type))
    value = nibble_value (proto->raw_data.data[i / 2], i, proto->data_type);
  else
    value = raw_value (proto->raw_data.data + i * size, proto->data_type);
  return value;
}

/* @in_file: whether the raw data are not the message's own */
static NnTensor *
read_tensor (NnOnnx             *onnx,
             Onnx__TensorProto  *proto,
             gboolean            in_file,
             GError            **error)
{
  gboolean integer = nn_onnx_type_is_integer (proto->data_type);
  gsize size = element_size (proto->data_type), n;
  g_autoptr (NnTensor) tensor = NULL;
  NnShape shape;

  if (!read_shape (onnx, proto, &shape, &n, error))
    return NULL;
  tensor = nn_tensor_try_new (integer ? NN_DTYPE_I64 : NN_DTYPE_F32, &shape, error);
  if (tensor == NULL)
    return NULL;
  for (gsize i = 0; i < n; i++)
    {
      if (!integer)
        nn_tensor_f32 (tensor)[i] = (float) value_at (proto, i, size);
      else if (proto->has_raw_data && size == 8)
        ((gint64 *) tensor->data)[i] = (gint64) load (proto->raw_data.data + i * size, 8);
      else if (!proto->has_raw_data && i < proto->n_int64_data)
        ((gint64 *) tensor->data)[i] = proto->int64_data[i];
      else
        ((gint64 *) tensor->data)[i] = nn_onnx_whole (value_at (proto, i, size));
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

/* The raw data are @bytes, which are a file's: the message must not free them. */
static NnTensor *
read_from_file (NnOnnx             *onnx,
                Onnx__TensorProto  *proto,
                const guint8       *bytes,
                gsize               n,
                GError            **error)
{
  ProtobufCBinaryData own = proto->raw_data;
  gboolean had = proto->has_raw_data;
  NnTensor *tensor;

  proto->has_raw_data = TRUE;
  proto->raw_data.data = (guint8 *) bytes;
  proto->raw_data.len = n;
  tensor = read_tensor (onnx, proto, TRUE, error);
  proto->raw_data = own;
  proto->has_raw_data = had;
  return tensor;
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
  const guint8 *bytes;
  gsize n;

  if (!proto->has_data_location || proto->data_location != ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
    return read_tensor (onnx, proto, FALSE, error);
  return nn_onnx_external (onnx, proto, &bytes, &n, error) ? read_from_file (onnx, proto, bytes, n, error) : NULL;
}

double *
nn_onnx_reals (NnOnnx             *onnx,
               Onnx__TensorProto  *proto,
               gsize              *n)
{
  gsize size = element_size (proto->data_type), held = 0;
  double *reals;
  NnShape shape;

  *n = 0;
  if ((proto->has_data_location && proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) ||
      !read_shape (onnx, proto, &shape, &held, NULL) || held == 0)
    return NULL;
  *n = held;
  reals = g_new (double, held);
  for (gsize i = 0; i < held; i++)
    reals[i] = value_at (proto, i, size);
  return reals;
}

/* The graph's @i-th initialiser, whose raw data may have stayed in the file. */
NnTensor *
nn_onnx_initializer (NnOnnx             *onnx,
                     Onnx__TensorProto  *proto,
                     gsize               i,
                     GError            **error)
{
  const NnOnnxLarge *large = onnx->large != NULL && i < onnx->large->len ? &g_array_index (onnx->large, NnOnnxLarge, i) : NULL;

  if (large == NULL || large->bytes == NULL || proto->has_raw_data)
    return nn_onnx_tensor (onnx, proto, error);
  return read_from_file (onnx, proto, large->bytes, large->n, error);
}

/* Where the @i-th told value of a sparse tensor stands: its indices count through the whole, or along each axis. */
static gboolean
sparse_place (const NnTensor *indices,
              const NnShape  *shape,
              gsize           i,
              gsize          *place)
{
  double at = 0, size = 1;

  if (indices->shape.rank == 1)
    at = nn_tensor_get (indices, i);
  else
    for (guint k = shape->rank; k > 0; k--)
      {
        double index = nn_tensor_get (indices, i * shape->rank + k - 1);

        if (index < 0 || index >= (double) shape->dims[k - 1])
          return FALSE;
        at += index * size;
        size *= (double) shape->dims[k - 1];
      }
  if (!(at >= 0 && at < MAX_SPARSE))
    return FALSE;
  *place = (gsize) at;
  return TRUE;
}

NnTensor *
nn_onnx_sparse_tensor (NnOnnx                   *onnx,
                       Onnx__SparseTensorProto  *proto,
                       GError                  **error)
{
  g_autoptr (NnTensor) values = proto->values != NULL && proto->values->name != NULL ? nn_onnx_tensor (onnx, proto->values, error) : NULL;
  g_autoptr (NnTensor) indices = values != NULL && proto->indices != NULL ? nn_onnx_tensor (onnx, proto->indices, error) : NULL;
  g_autoptr (NnTensor) result = NULL;
  NnShape shape = { 0 };
  gboolean fits = indices != NULL && proto->n_dims <= NN_MAX_RANK && proto->n_dims > 0;
  gsize n, place;

  if (error != NULL && *error != NULL)
    return NULL;
  for (gsize i = 0; fits && i < proto->n_dims; i++)
    {
      fits = proto->dims[i] >= 0 && proto->dims[i] <= G_MAXINT32;
      shape.dims[shape.rank++] = proto->dims[i];
    }
  fits = fits && nn_shape_size (&shape, &n) && n <= MAX_SPARSE && indices->n == values->n * (indices->shape.rank == 1 ? 1 : shape.rank);
  result = fits ? nn_tensor_try_new (values->dtype, &shape, error) : NULL;
  for (gsize i = 0; result != NULL && i < values->n; i++)
    if (!sparse_place (indices, &shape, i, &place) || place >= result->n)
      {
        fits = FALSE;
        break;
      }
    else if (values->dtype == NN_DTYPE_F32)
      nn_tensor_f32 (result)[place] = nn_tensor_f32 (values)[i];
    else
      ((gint64 *) result->data)[place] = ((const gint64 *) values->data)[i];
  if (result != NULL && fits)
    return g_steal_pointer (&result);
  if (error != NULL && *error == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the sparse tensor \"%s\" lacks its values, indices or shape, they do not fit each other, or it has more than "
                 "%u elements", onnx->file, proto->values != NULL && proto->values->name != NULL ? proto->values->name : "?", MAX_SPARSE);
  return NULL;
}
