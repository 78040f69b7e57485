/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QONNX's quantisers and ONNX's own pairs. Source: fastmachinelearning/qonnx, docs/qonnx-custom-ops; ONNX's operators
 * QuantizeLinear and DequantizeLinear. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "nn-quant.h"
#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* TensorProto.DataType of operator set 21, which the schema may be too old for. */
#define TYPE_UINT4 21
#define TYPE_INT4 22

void
nn_onnx_quant_free (NnOnnxQuant *quant)
{
  if (quant == NULL)
    return;
  nn_tensor_unref (quant->scale);
  nn_tensor_unref (quant->frozen);
  g_free (quant);
}

static NnTensor *
copy_turned (NnTensor    *tensor,
             const guint *axes,
             guint        rank)
{
  if (tensor == NULL)
    return NULL;
  return axes != NULL && tensor->shape.rank == rank ? nn_tensor_transpose (tensor, axes) : nn_tensor_ref (tensor);
}

/* @axes: (nullable): transposed with its constant, of @rank axes; a scale of another number of axes stays */
NnOnnxQuant *
nn_onnx_quant_copy (const NnOnnxQuant *quant,
                    const guint       *axes,
                    guint              rank)
{
  NnOnnxQuant *copy = g_memdup2 (quant, sizeof *quant);

  copy->scale = copy_turned (quant->scale, axes, rank);
  copy->frozen = copy_turned (quant->frozen, axes, rank);
  return copy;
}

/* Whether it has a scale for each of some axis. */
gboolean
nn_onnx_quant_is_scaled (const NnOnnxQuant *quant)
{
  return quant != NULL && quant->scale != NULL && quant->scale->n > 1;
}

static double
round_value (NnRounding rounding,
             double     x)
{
  switch (rounding)
    {
    case NN_ROUND_TRN:
      return floor (x);
    case NN_ROUND_TRN_ZERO:
      return trunc (x);
    case NN_ROUND_RND:
      return floor (x + 0.5);
    case NN_ROUND_RND_MIN_INF:
      return ceil (x - 0.5);
    case NN_ROUND_RND_INF:
      return copysign (floor (fabs (x) + 0.5), x);
    case NN_ROUND_RND_ZERO:
      return copysign (ceil (fabs (x) - 0.5), x);
    default:
      return nearbyint (x);
    }
}

/* y = scale * (clip (round (x / scale + zero_point)) - zero_point), or with the zero point outside of the rounding */
double
nn_onnx_quant_value (const NnOnnxQuant *quant,
                     double             scale,
                     double             x)
{
  double low = quant->is_signed ? -ldexp (1, quant->bits - 1) + (quant->narrow ? 1 : 0) : 0;
  double high = quant->is_signed ? ldexp (1, quant->bits - 1) - 1 : ldexp (1, quant->bits) - 1;

  if (quant->bipolar)
    return x >= 0 ? scale : -scale;
  x = quant->rounds_first ? round_value (quant->rounding, x / scale) + quant->zero_point
                          : round_value (quant->rounding, x / scale + quant->zero_point);
  return scale * (CLAMP (x, low, high) - quant->zero_point);
}

/**
 * nn_onnx_quantizer:
 * @quantizer: (out): lives with the graph
 *
 * A scale that is one power of two becomes the place of the point.
 *
 * Returns: %FALSE where the scale has more than one axis that matters, or one that is not the last
 */
gboolean
nn_onnx_quantizer (NnOnnx            *onnx,
                   const NnOnnxQuant *quant,
                   NnQuantizer      **quantizer)
{
  const NnTensor *scale = quant->scale;
  NnQuantizer q = { .kind = quant->bipolar ? NN_QUANT_BINARY : NN_QUANT_FIXED, .alpha_mode = NN_ALPHA_FIXED,
                    .alpha = scale != NULL ? nn_tensor_f32 (scale) : NULL, .n_alpha = scale != NULL ? (guint) scale->n : 0,
                    .alpha_divides = TRUE, .zero_point = quant->zero_point, .rounds_first = quant->rounds_first, .symmetric = quant->narrow && quant->is_signed };

  if (quant->own != NULL)
    {
      *quantizer = quant->own;
      return TRUE;
    }
  if (scale->n == 0 || (scale->n > 1 && (gsize) nn_shape_last (&scale->shape) != scale->n))
    return FALSE;
  q.type = quant->bipolar
             ? (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1, .is_signed = TRUE }
             : (NnType){ .kind = NN_TYPE_FIXED, .width = quant->bits, .integer = quant->bits, .is_signed = quant->is_signed,
                         .rounding = quant->rounding,
                         .overflow = q.symmetric ? NN_OVERFLOW_SAT_SYM : NN_OVERFLOW_SAT };
  nn_quantizer_simplify (&q);
  *quantizer = nn_graph_builder_quantizer (onnx->builder, &q);
  return TRUE;
}

/* The one number that a constant holds, once or many times. */
gboolean
nn_onnx_scalar (const NnOnnxValue *value,
                double            *number)
{
  if (value == NULL || value->constant == NULL || value->constant->n == 0)
    return FALSE;
  *number = nn_tensor_get (value->constant, 0);
  for (gsize i = 1; i < value->constant->n; i++)
    if (nn_tensor_get (value->constant, i) != *number)
      return FALSE;
  return TRUE;
}

/* QONNX's words for roundings that a hardware type has too. */
gboolean
nn_onnx_find_rounding (const char *name,
                       NnRounding *rounding)
{
  static const struct {
    const char *name;
    NnRounding  rounding;
  } modes[] = { { "ROUND", NN_ROUND_RND_CONV },   { "HALF_EVEN", NN_ROUND_RND_CONV }, { "FLOOR", NN_ROUND_TRN },
                { "ROUND_TO_ZERO", NN_ROUND_TRN_ZERO }, { "DOWN", NN_ROUND_TRN_ZERO },
                { "HALF_UP", NN_ROUND_RND_INF },    { "HALF_DOWN", NN_ROUND_RND_ZERO } };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    if (g_ascii_strcasecmp (modes[i].name, name) == 0)
      {
        *rounding = modes[i].rounding;
        return TRUE;
      }
  return FALSE;
}

/* The scale of an activation that goes by a channel must go by the computed tensor's last axis. */
static gboolean
scale_fits (NnOnnx            *onnx,
            const NnOnnxValue *value,
            NnOnnxQuant       *quant)
{
  const NnTensor *scale = quant->scale;
  guint axis = 0;
  int lies;

  if (scale->n == 1)
    return TRUE;
  for (guint i = 0; i < scale->shape.rank; i++)
    if (scale->shape.dims[i] > 1)
      {
        if ((gsize) scale->shape.dims[i] != scale->n)
          return FALSE;
        axis = i + value->rank - scale->shape.rank;
      }
  if (scale->shape.rank > value->rank || axis == value->batch || value->order != NULL)
    return FALSE;
  lies = value->at[nn_onnx_sample_axis (value, axis)];
  if (lies != (int) nn_onnx_shape (onnx, value)->rank - 1)
    return FALSE;
  quant->scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) scale->n));
  memcpy (quant->scale->data, scale->data, scale->n * sizeof (float));
  nn_tensor_unref ((NnTensor *) scale);
  return TRUE;
}

/* @quant: (transfer full): at an activation a node, at a constant a note. */
static gboolean
apply (NnOnnx           *onnx,
       Onnx__NodeProto  *op,
       NnOnnxValue      *value,
       NnOnnxQuant      *quant,
       GError          **error)
{
  NnQuantizer *quantizer;
  NnNode *node;

  onnx->quantized = TRUE;
  if (value->constant != NULL)
    {
      g_autoptr (NnTensor) baked = nn_onnx_baked (value);

      nn_onnx_constant (onnx, nn_onnx_out (op, 0), g_steal_pointer (&baked));
      ((NnOnnxValue *) g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0)))->quant = quant;
      return TRUE;
    }
  if (!scale_fits (onnx, value, quant) || !nn_onnx_quantizer (onnx, quant, &quantizer))
    {
      nn_onnx_quant_free (quant);
      return nn_load_unsupported (error, "its scale goes neither by the channel nor by the tensor");
    }
  nn_onnx_quant_free (quant);
  node = nn_onnx_node (onnx, NN_OP_QUANTIZE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.quantizer = quantizer;
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}

/* scale * (round (clip (x / scale + zero_point)) - zero_point) by plain operators: for what no hardware type has words, as upward
 * rounding, or scales along another axis than the channels'. */
static gboolean
quant_by_operators (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    const char       *rounding,
                    double            low,
                    double            high,
                    GError          **error)
{
  const char *divided = nn_onnx_middle (onnx, op, "divided"), *moved = nn_onnx_middle (onnx, op, "moved");
  const char *least = nn_onnx_middle (onnx, op, "least"), *most = nn_onnx_middle (onnx, op, "most"), *above = nn_onnx_middle (onnx, op, "above");
  const char *inside = nn_onnx_middle (onnx, op, "inside"), *whole = nn_onnx_middle (onnx, op, "whole"), *back = nn_onnx_middle (onnx, op, "back");
  const char *scale = op->input[1], *zero = op->input[2];

  nn_onnx_number (onnx, least, low);
  nn_onnx_number (onnx, most, high);
  onnx->quantized = TRUE;
  return nn_onnx_run (onnx, "Div", divided, op->input[0], scale, error) && nn_onnx_run (onnx, "Add", moved, divided, zero, error) &&
         nn_onnx_run (onnx, "Max", above, moved, least, error) && nn_onnx_run (onnx, "Min", inside, above, most, error) &&
         nn_onnx_run (onnx, rounding, whole, inside, NULL, error) && nn_onnx_run (onnx, "Sub", back, whole, zero, error) &&
         nn_onnx_run (onnx, "Mul", nn_onnx_out (op, 0), back, scale, error);
}

/* Whether a scale of an activation can be a quantiser's. It may be moved to the last axis. */
static gboolean
is_plain_scale (NnOnnx            *onnx,
                const NnOnnxValue *value,
                const NnTensor    *scale)
{
  NnOnnxQuant probe = { .scale = nn_tensor_convert (scale, NN_DTYPE_F32) };
  gboolean fits = value->constant != NULL || scale_fits (onnx, value, &probe);

  nn_tensor_unref (probe.scale);
  return fits;
}

/* Quant, IntQuant, BipolarQuant. */
gboolean
nn_onnx_read_quant (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0), *scale = nn_onnx_input (onnx, op, 1), *zero_value = nn_onnx_input (onnx, op, 2);
  gboolean bipolar = g_str_equal (op->op_type, "BipolarQuant"), is_signed = nn_onnx_int (op, "signed", 1) != 0, one_zero;
  gboolean narrow = nn_onnx_int (op, "narrow", 0) != 0, up, plain;
  const char *mode = nn_onnx_string (onnx, op, "rounding_mode", "ROUND");
  double zero = 0, bits = 1;
  NnRounding rounding = NN_ROUND_RND_CONV;
  NnOnnxQuant *quant;

  if (value == NULL || scale == NULL || scale->constant == NULL)
    return nn_load_unsupported (error, "its scale is not a constant");
  if (!bipolar && (zero_value == NULL || zero_value->constant == NULL || !nn_onnx_scalar (nn_onnx_input (onnx, op, 3), &bits)))
    return nn_load_unsupported (error, "its zero point must be constant, and its number of bits one constant");
  if (bits < 1 || bits > 32 || bits != floor (bits))
    return nn_load_unsupported (error, "a number of bits that is not a whole one from 1 to 32 is not supported");
  one_zero = bipolar || nn_onnx_scalar (zero_value, &zero);
  up = g_ascii_strcasecmp (mode, "CEIL") == 0;
  if (!up && !nn_onnx_find_rounding (mode, &rounding))
    return nn_load_unsupported (error, "rounding_mode \"%s\" is not supported; ROUND, CEIL, FLOOR, ROUND_TO_ZERO, HALF_UP and HALF_DOWN are", mode);
  plain = rounding == NN_ROUND_RND_CONV || rounding == NN_ROUND_TRN;
  /* of one bit with a sign are -1 and 1, as qonnx has it */
  bipolar = bipolar || (bits == 1 && is_signed && one_zero && zero == 0);
  if (!bipolar && plain && (up || !one_zero || (narrow && !is_signed) || !is_plain_scale (onnx, value, scale->constant)))
    return quant_by_operators (onnx, op, up ? "Ceil" : rounding == NN_ROUND_TRN ? "Floor" : "Round",
                               is_signed ? -ldexp (1, (int) bits - 1) + narrow : 0,
                               is_signed ? ldexp (1, (int) bits - 1) - 1 : ldexp (1, (int) bits) - 1 - narrow, error);
  if (!one_zero || (narrow && !is_signed))
    return nn_load_unsupported (error, "rounding_mode \"%s\" with several zero points, or narrow without a sign, is not supported", mode);
  quant = g_new0 (NnOnnxQuant, 1);
  quant->bipolar = bipolar;
  quant->is_signed = is_signed;
  quant->narrow = narrow;
  quant->bits = (int) bits;
  quant->rounding = rounding;
  quant->zero_point = zero;
  quant->scale = nn_tensor_convert (scale->constant, NN_DTYPE_F32);
  return apply (onnx, op, value, quant, error);
}

/* Numbers by one axis: (1, .., n, .., 1). */
static NnTensor *
along (const NnTensor *scale,
       guint           rank,
       gint64          axis)
{
  NnTensor *f32 = nn_tensor_convert (scale, NN_DTYPE_F32), *result;
  NnShape shape = { .rank = rank };

  if (scale->n == 1 || rank == 0 || rank > NN_MAX_RANK)
    return f32;
  axis += axis < 0 ? rank : 0;
  for (guint i = 0; i < rank; i++)
    shape.dims[i] = i == (guint) axis ? (gint64) scale->n : 1;
  if (axis < 0 || axis >= rank)
    return f32;
  result = nn_tensor_new (NN_DTYPE_F32, &shape);
  memcpy (result->data, f32->data, f32->n * sizeof (float));
  nn_tensor_unref (f32);
  return result;
}

/* Codes of whole numbers that a Clip between the two made fewer: as many bits as they need. */
static void
narrow_codes (NnOnnxQuant *quant,
              double       low,
              double       high)
{
  for (int bits = 1; bits < quant->bits; bits++)
    {
      double top = quant->is_signed ? ldexp (1, bits - 1) - 1 : ldexp (1, bits) - 1;
      double bottom = quant->is_signed ? -ldexp (1, bits - 1) : 0;

      if (high == top && (low == bottom || (quant->is_signed && low == bottom + 1)))
        {
          quant->bits = bits;
          quant->narrow = low != bottom;
          return;
        }
    }
}

/* Bits and sign of a type of codes; an unknown one is taken for ONNX's default, uint8. */
static int
code_bits (int       type,
           gboolean *is_signed)
{
  *is_signed = type == ONNX__TENSOR_PROTO__DATA_TYPE__INT8 || type == ONNX__TENSOR_PROTO__DATA_TYPE__INT16 || type == TYPE_INT4;
  return type == ONNX__TENSOR_PROTO__DATA_TYPE__INT16 || type == ONNX__TENSOR_PROTO__DATA_TYPE__UINT16 ? 16
         : type == TYPE_INT4 || type == TYPE_UINT4                                                  ? 4
                                                                                                    : 8;
}

/* A constant whose zero points differ by channel: numbers without a quantiser, for which they would have to be one. */
static gboolean
decode_by_channel (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   const NnTensor   *codes,
                   const NnTensor   *scale,
                   const NnTensor   *zero,
                   GError          **error)
{
  gint64 axis = nn_onnx_int (op, "axis", 1);
  g_autoptr (NnTensor) by_scale = along (scale, codes->shape.rank, axis), by_zero = along (zero, codes->shape.rank, axis);
  g_autoptr (NnTensor) steps = nn_onnx_broadcast (by_scale, &codes->shape), zeros = nn_onnx_broadcast (by_zero, &codes->shape);
  NnTensor *real;

  if (steps == NULL || zeros == NULL)
    return nn_load_unsupported (error, "its scale or zero point does not fit the constant");
  real = nn_tensor_new (NN_DTYPE_F32, &codes->shape);
  for (gsize i = 0; i < real->n; i++)
    nn_tensor_f32 (real)[i] = (float) ((nn_tensor_get (codes, i) - nn_tensor_f32 (zeros)[i]) * nn_tensor_f32 (steps)[i]);
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), real);
  return TRUE;
}

/* QuantizeLinear notes what DequantizeLinear then makes a quantiser of. */
gboolean
nn_onnx_read_linear (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0), *scale = nn_onnx_input (onnx, op, 1);
  NnOnnxValue *zero_value = nn_onnx_input (onnx, op, 2);
  double zero = 0;
  NnOnnxQuant *quant;

  if (nn_onnx_int (op, "block_size", 0) != 0)
    return nn_load_unsupported (error, "\"block_size\" is not supported");
  if (scale == NULL || scale->constant == NULL || (zero_value != NULL && zero_value->constant == NULL))
    return nn_load_unsupported (error, "its scale and zero point must be constant");
  if (zero_value != NULL && !nn_onnx_scalar (zero_value, &zero))
    return value->constant != NULL && g_str_equal (op->op_type, "DequantizeLinear")
             ? decode_by_channel (onnx, op, value->constant, scale->constant, zero_value->constant, error)
             : nn_load_unsupported (error, "its zero points differ by channel, which only a constant's may");
  if (g_str_equal (op->op_type, "QuantizeLinear"))
    {
      NnOnnxValue *codes;

      if (value->constant != NULL)
        {
          /* the reals stay beside what is noted of their codes */
          nn_onnx_constant (onnx, nn_onnx_out (op, 0), nn_tensor_convert (value->constant, NN_DTYPE_F32));
          codes = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
        }
      else
        codes = nn_onnx_alias (onnx, op, value);
      quant = g_new0 (NnOnnxQuant, 1);
      quant->rounding = NN_ROUND_RND_CONV;
      quant->zero_point = zero;
      quant->rounds_first = TRUE;
      /* the codes are of the zero point's type; without one they are uint8 */
      quant->bits = code_bits (zero_value != NULL ? zero_value->type : (int) nn_onnx_int (op, "output_dtype", 0), &quant->is_signed);
      quant->scale = along (scale->constant, value->rank, nn_onnx_int (op, "axis", 1));
      nn_onnx_quant_free (codes->codes);
      codes->codes = quant;
      codes->code_min = quant->is_signed ? -ldexp (1, quant->bits - 1) : 0;
      codes->code_max = ldexp (1, quant->bits - (quant->is_signed ? 1 : 0)) - 1;
      return TRUE;
    }
  if (value->codes != NULL)
    {
      narrow_codes (value->codes, value->code_min, value->code_max);
      return apply (onnx, op, value, nn_onnx_quant_copy (value->codes, NULL, 0), error);
    }
  if (value->constant != NULL)
    {
      g_autoptr (NnTensor) by_axis = along (scale->constant, value->rank, nn_onnx_int (op, "axis", 1));
      g_autoptr (NnTensor) spread = nn_onnx_broadcast (by_axis, &value->constant->shape);
      NnTensor *real;
      NnOnnxValue *result;
      if (spread == NULL)
        return nn_load_unsupported (error, "its scale does not fit the constant");
      real = nn_tensor_new (NN_DTYPE_F32, &value->constant->shape);
      for (gsize i = 0; i < real->n; i++)
        {
          double code = nn_tensor_get (value->constant, i);

          nn_tensor_f32 (real)[i] = (float) ((code - zero) * nn_tensor_f32 (spread)[i]);
        }
      nn_onnx_constant (onnx, nn_onnx_out (op, 0), real);
      result = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
      /* biases have 32 bits, which are no grid worth keeping */
      if (value->type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32)
        return TRUE;
      onnx->quantized = TRUE;
      quant = g_new0 (NnOnnxQuant, 1);
      quant->bits = code_bits (value->type, &quant->is_signed);
      quant->rounding = NN_ROUND_RND_CONV;
      quant->zero_point = zero;
      quant->rounds_first = TRUE;
      quant->scale = g_steal_pointer (&by_axis);
      result->quant = quant;
      return TRUE;
    }
  return nn_onnx_decode (onnx, op, zero, error);
}
