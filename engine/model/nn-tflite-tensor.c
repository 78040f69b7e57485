/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite's tensors: numbers, scales, zero points. Source: tensorflow/lite/schema/schema.fbs, tables Tensor and
 * QuantizationParameters; "TensorFlow Lite 8-bit quantization specification". */

#include "nn-tflite.h"

#include "nn-error.h"
#include "nn-quant.h"

#include <math.h>
#include <string.h>

enum { TENSOR_SHAPE, TENSOR_TYPE, TENSOR_BUFFER, TENSOR_NAME, TENSOR_QUANTIZATION, TENSOR_SPARSITY = 6 };
enum { QUANTIZATION_SCALE = 2, QUANTIZATION_ZERO_POINT, QUANTIZATION_DETAILS_TYPE, QUANTIZATION_DIMENSION = 6 };
enum { BUFFER_DATA };

/* Bits of a number; 0 for a type that is not read. */
static guint
type_bits (NnTfliteType type)
{
  switch (type)
    {
    case NN_TFLITE_FLOAT32:
    case NN_TFLITE_INT32:
      return 32;
    case NN_TFLITE_FLOAT16:
    case NN_TFLITE_INT16:
      return 16;
    case NN_TFLITE_UINT8:
    case NN_TFLITE_INT8:
      return 8;
    case NN_TFLITE_INT64:
      return 64;
    case NN_TFLITE_INT4:
      return 4;
    default:
      return 0;
    }
}

gboolean
nn_tflite_read_tensor (NnTflite        *t,
                       NnFlatTable      table,
                       NnFlatVector     buffers,
                       NnTfliteTensor  *tensor,
                       GError         **error)
{
  NnFlatVector shape = nn_flat_vector (table, TENSOR_SHAPE, sizeof (gint32));
  NnFlatTable buffer = nn_flat_vector_table (buffers, (gsize) nn_flat_int (table, TENSOR_BUFFER, sizeof (guint32), 0));
  NnFlatVector data = nn_flat_vector (buffer, BUFFER_DATA, 1);

  tensor->table = table;
  tensor->name = nn_flat_string (table, TENSOR_NAME);
  tensor->type = (NnTfliteType) nn_flat_int (table, TENSOR_TYPE, 1, NN_TFLITE_FLOAT32);
  tensor->quantization = nn_flat_table (table, TENSOR_QUANTIZATION);
  tensor->same = t->tensors->len;
  if (shape.n > NN_MAX_RANK)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: tensor \"%s\" has %zu axes; at most %d are supported", t->file, tensor->name,
                   shape.n, NN_MAX_RANK);
      return FALSE;
    }
  tensor->dims.rank = (guint) shape.n;
  for (gsize i = 0; i < shape.n; i++)
    {
      gint64 extent = nn_flat_vector_int (shape, sizeof (gint32), i);

      tensor->dims.dims[i] = extent >= 0 ? extent : NN_DIM_UNKNOWN;
    }
  if (data.n > 0)
    {
      tensor->data = t->flat.bytes + data.at;
      tensor->n_bytes = data.n;
    }
  return TRUE;
}

gboolean
nn_tflite_is_quantized (const NnTfliteTensor *tensor)
{
  return (tensor->type == NN_TFLITE_INT8 || tensor->type == NN_TFLITE_UINT8 || tensor->type == NN_TFLITE_INT16 ||
          tensor->type == NN_TFLITE_INT4) &&
         nn_flat_vector (tensor->quantization, QUANTIZATION_SCALE, sizeof (float)).n > 0;
}

static double
scale_of (const NnTfliteTensor *tensor,
          gsize                 i)
{
  NnFlatVector scale = nn_flat_vector (tensor->quantization, QUANTIZATION_SCALE, sizeof (float));

  return scale.n == 0 ? 1 : nn_flat_vector_float (scale, scale.n > 1 ? i : 0);
}

static gint64
zero_of (const NnTfliteTensor *tensor,
         gsize                 i)
{
  NnFlatVector zero = nn_flat_vector (tensor->quantization, QUANTIZATION_ZERO_POINT, sizeof (gint64));

  return zero.n == 0 ? 0 : nn_flat_vector_int (zero, sizeof (gint64), zero.n > 1 ? MIN (i, zero.n - 1) : 0);
}

/* Whether both hold the same numbers by the same integers. */
gboolean
nn_tflite_same_codes (const NnTfliteTensor *a,
                      const NnTfliteTensor *b)
{
  return nn_tflite_is_quantized (a) && nn_tflite_is_quantized (b) && a->type == b->type && scale_of (a, 0) == scale_of (b, 0) &&
         zero_of (a, 0) == zero_of (b, 0);
}

/* The number as it lies in the file, before scale and zero point. */
static double
raw (const NnTfliteTensor *tensor,
     gsize                 i)
{
  guint bits = type_bits (tensor->type);
  guint8 bytes[8] = { 0 };
  guint64 v = 0;

  if (bits == 4)
    return (gint8) (tensor->data[i / 2] << (i % 2 == 0 ? 4 : 0)) >> 4;
  memcpy (bytes, tensor->data + i * (bits / 8), bits / 8);
  for (guint k = bits / 8; k-- > 0;)
    v = v << 8 | bytes[k];
  switch (tensor->type)
    {
    case NN_TFLITE_FLOAT32:
      {
        guint32 low = (guint32) v;
        float value;

        memcpy (&value, &low, sizeof value);
        return value;
      }
    case NN_TFLITE_FLOAT16:
      return nn_half_value ((guint16) v);
    case NN_TFLITE_UINT8:
      return (double) v;
    default:
      return (double) ((gint64) (v << (64 - bits)) >> (64 - bits));
    }
}

static gboolean
check_data (const NnTfliteTensor *tensor,
            gsize                *n,
            GError              **error)
{
  guint bits = type_bits (tensor->type);

  if (nn_flat_table (tensor->table, TENSOR_SPARSITY).at != 0)
    return nn_load_unsupported (error, "its constant \"%s\" is stored sparsely, which is not supported", tensor->name);
  if (bits == 0)
    return nn_load_unsupported (error, "its constant \"%s\" is of a type that is not supported", tensor->name);
  if (nn_flat_int (tensor->quantization, QUANTIZATION_DETAILS_TYPE, 1, 0) != 0)
    return nn_load_unsupported (error, "its constant \"%s\" has a quantisation of a custom kind", tensor->name);
  if (!nn_shape_size (&tensor->dims, n) || *n > G_MAXSIZE / 64 || tensor->n_bytes != (*n * bits + 7) / 8)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "tensor \"%s\" has %zu bytes, which is not what its shape asks for", tensor->name,
                   tensor->n_bytes);
      return FALSE;
    }
  return TRUE;
}

/**
 * nn_tflite_constant:
 * @tensor: with data
 *
 * Returns: (transfer full): its real numbers, F32, with all axes
 */
NnTensor *
nn_tflite_constant (NnTflite              *t,
                    const NnTfliteTensor  *tensor,
                    GError               **error)
{
  const NnTfliteTensor *source = nn_tflite_tensor (t, tensor->same);
  NnFlatVector scale;
  gsize n, channels = 1, inner = 1;
  gint64 axis;
  NnTensor *values;

  if (source->data == NULL)
    {
      nn_load_unsupported (error, "\"%s\" is no constant, which it must be", tensor->name);
      return NULL;
    }
  if (!check_data (source, &n, error))
    return NULL;
  scale = nn_flat_vector (source->quantization, QUANTIZATION_SCALE, sizeof (float));
  axis = nn_flat_int (source->quantization, QUANTIZATION_DIMENSION, sizeof (gint32), 0);
  if (scale.n > 1)
    {
      if (axis < 0 || axis >= source->dims.rank || source->dims.dims[axis] != (gint64) scale.n)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "tensor \"%s\" has %zu scales, which is not the extent of its axis %d",
                       source->name, scale.n, (int) axis);
          return NULL;
        }
      channels = scale.n;
      for (guint i = (guint) axis + 1; i < source->dims.rank; i++)
        inner *= (gsize) source->dims.dims[i];
    }
  values = nn_tensor_try_new (NN_DTYPE_F32, &source->dims, error);
  for (gsize i = 0; values != NULL && i < n; i++)
    {
      gsize c = i / inner % channels;

      nn_tensor_f32 (values)[i] = (float) (scale.n > 0 ? scale_of (source, c) * (raw (source, i) - (double) zero_of (source, c))
                                                       : raw (source, i));
    }
  return values;
}

/* A few whole numbers: a shape, axes. */
gboolean
nn_tflite_ints (const NnTfliteTensor *tensor,
                gint64               *values,
                gsize                 most,
                gsize                *n)
{
  if (tensor == NULL || tensor->data == NULL || (tensor->type != NN_TFLITE_INT32 && tensor->type != NN_TFLITE_INT64) ||
      !check_data (tensor, n, NULL) || *n > most)
    return FALSE;
  for (gsize i = 0; i < *n; i++)
    values[i] = (gint64) raw (tensor, i);
  return TRUE;
}

/**
 * nn_tflite_quantizer:
 * @tensor: quantised
 * @rounds_first: whether halves go away from the number 0, and not from code 0
 *
 * Rounds as the reference kernels do.
 *
 * Returns: (nullable): lives with the graph; %NULL where scales go by an axis that the computed tensor does not have last
 */
NnQuantizer *
nn_tflite_quantizer (NnTflite             *t,
                     const NnTfliteTensor *tensor,
                     gboolean              rounds_first)
{
  NnFlatVector scale = nn_flat_vector (tensor->quantization, QUANTIZATION_SCALE, sizeof (float));
  int bits = (int) type_bits (tensor->type);
  gboolean is_signed = tensor->type != NN_TFLITE_UINT8;
  gint64 zero = zero_of (tensor, 0);
  g_autofree float *alpha = g_new (float, scale.n);
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .alpha_mode = NN_ALPHA_FIXED, .alpha_divides = TRUE, .rounds_first = rounds_first,
                    .n_alpha = (guint) scale.n };

  for (gsize i = 0; i < scale.n; i++)
    {
      alpha[i] = (float) scale_of (tensor, i);
      if (!(alpha[i] > 0) || !isfinite (alpha[i]) || zero_of (tensor, i) != zero)
        return NULL;
    }
  q.alpha = alpha;
  q.zero_point = (double) zero;
  q.type = (NnType){ .kind = NN_TYPE_FIXED, .width = bits, .integer = bits, .is_signed = is_signed, .rounding = NN_ROUND_RND_INF,
                     .overflow = NN_OVERFLOW_SAT };
  nn_quantizer_simplify (&q);
  return nn_graph_builder_quantizer (t->builder, &q);
}
