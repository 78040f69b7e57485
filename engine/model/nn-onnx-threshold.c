/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QONNX's Trunc and MultiThreshold, made of quantisers and scales. Source: fastmachinelearning/qonnx, custom_op/general, trunc.py
 * (with seven inputs, and the older one with five) and multithreshold.py. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Bits of what is rounded but not clipped: no overflow within float's whole numbers. */
#define WIDE_BITS 32
/* Thresholds may differ from a row of equal steps by so much of a step: they are floats. */
#define STEP_TOLERANCE 1e-4

/* y = scale * round (x / scale) of so many bits, as a node of its own. */
static gboolean
add_quantizer (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               const char       *name,
               NnOnnxValue      *value,
               const NnType     *type,
               double            step,
               GError          **error)
{
  float scale = (float) step;
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = *type, .alpha_mode = NN_ALPHA_FIXED, .alpha = &scale, .n_alpha = 1,
                    .alpha_divides = TRUE, .symmetric = type->overflow == NN_OVERFLOW_SAT_SYM };
  int exponent;
  NnNode *node;

  if (frexp (step, &exponent) == 0.5)
    {
      q.type.integer += exponent - 1;
      q.alpha_mode = NN_ALPHA_ONE;
      q.alpha = NULL;
      q.n_alpha = 0;
      q.alpha_divides = FALSE;
    }
  onnx->quantized = TRUE;
  node = nn_onnx_node (onnx, NN_OP_QUANTIZE, name, op->op_type, &value->node, 1);
  node->attrs.quantizer = nn_graph_builder_quantizer (onnx->builder, &q);
  nn_onnx_result (onnx, name, value);
  return nn_onnx_finish (onnx, node, error);
}

/* x * scale + bias: one number each, or one a channel of the last computed axis. @scale, @bias: (transfer full) */
static gboolean
add_scale (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           const char       *name,
           NnOnnxValue      *value,
           NnTensor         *scale,
           NnTensor         *bias,
           GError          **error)
{
  NnNode *node = nn_onnx_node (onnx, NN_OP_SCALE, name, op->op_type, &value->node, 1);

  node->attrs.use_bias = TRUE;
  nn_onnx_weight (onnx, node, NN_ROLE_SCALE, "scale", scale);
  nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", bias);
  nn_onnx_result (onnx, name, value);
  return nn_onnx_finish (onnx, node, error);
}

static NnTensor *
same_numbers (NnOnnx   *onnx,
              gint64    n,
              double    value,
              GError  **error)
{
  NnTensor *tensor = nn_onnx_made (onnx, &NN_SHAPE (MAX (n, 1)), error);

  for (gsize i = 0; tensor != NULL && i < tensor->n; i++)
    nn_tensor_f32 (tensor)[i] = (float) value;
  return tensor;
}

/* The same with one number for all channels. */
static gboolean
add_numbers (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             const char       *name,
             NnOnnxValue      *value,
             double            scale,
             double            bias,
             GError          **error)
{
  gint64 channels = nn_shape_last (nn_onnx_shape (onnx, value));
  g_autoptr (NnTensor) scales = same_numbers (onnx, channels, scale, error);
  g_autoptr (NnTensor) biases = scales != NULL ? same_numbers (onnx, channels, bias, error) : NULL;

  return biases != NULL && add_scale (onnx, op, name, value, g_steal_pointer (&scales), g_steal_pointer (&biases), error);
}

/* Older files tell bits of input and output alone, and leave the scale as it was: the result is 2^(bits fewer) smaller. */
static gboolean
old_trunc (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           NnOnnxValue      *value,
           double            scale,
           NnRounding        rounding,
           GError          **error)
{
  const char *name = nn_onnx_out (op, 0);
  g_autofree char *cut = g_strdup_printf ("%s__cut", name);
  NnType type = { .kind = NN_TYPE_FIXED, .width = WIDE_BITS, .integer = WIDE_BITS, .is_signed = TRUE, .rounding = rounding,
                  .overflow = NN_OVERFLOW_SAT };
  double in_bits, out_bits;

  if (!nn_onnx_scalar (nn_onnx_input (onnx, op, 3), &in_bits) || !nn_onnx_scalar (nn_onnx_input (onnx, op, 4), &out_bits) ||
      in_bits < out_bits || in_bits > 64 || out_bits < 1)
    return nn_load_unsupported (error, "its numbers of bits must be constant, those of its output not more than its input's");
  if (!add_quantizer (onnx, op, cut, value, &type, scale * exp2 (in_bits - out_bits), error))
    return FALSE;
  return add_numbers (onnx, op, name, g_hash_table_lookup (onnx->values, cut), exp2 (out_bits - in_bits), 0, error);
}

gboolean
nn_onnx_read_trunc (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const char *name = nn_onnx_out (op, 0), *mode = nn_onnx_string (onnx, op, "rounding_mode", "FLOOR");
  g_autofree char *rounded = g_strdup_printf ("%s__rounded", name);
  NnType type = { .kind = NN_TYPE_FIXED, .width = WIDE_BITS, .integer = WIDE_BITS, .is_signed = TRUE,
                  .rounding = NN_ROUND_RND_CONV, .overflow = NN_OVERFLOW_SAT };
  const char *shift = nn_onnx_middle (onnx, op, "shift"), *moved = nn_onnx_middle (onnx, op, "moved");
  const char *back = nn_onnx_middle (onnx, op, "back"), *cut = nn_onnx_middle (onnx, op, "cut");
  double scale, zero, out_scale, step, bits;
  NnRounding rounding;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_scalar (nn_onnx_input (onnx, op, 1), &scale) || !nn_onnx_scalar (nn_onnx_input (onnx, op, 2), &zero) || scale <= 0)
    return nn_load_unsupported (error, "its scale and zero point must each be one constant");
  if (!nn_onnx_find_rounding (mode, &rounding))
    return nn_load_unsupported (error, "rounding_mode \"%s\" is not supported", mode);
  if (op->n_input < 7 && zero != 0)
    return nn_load_unsupported (error, "a zero point other than 0 is supported only beside the result's scale and zero point");
  if (op->n_input < 7)
    return old_trunc (onnx, op, value, scale, rounding, error);
  if (!nn_onnx_scalar (nn_onnx_input (onnx, op, 4), &out_scale) || out_scale <= 0 ||
      !nn_onnx_scalar (nn_onnx_input (onnx, op, 6), &bits) || bits < 1 || bits > WIDE_BITS || bits != floor (bits))
    return nn_load_unsupported (error, "its output's scale and number of bits must each be one constant");
  /* the codes are those of the reals moved by the zero point, and are moved back by it; the result's own is not looked at there */
  if (zero != 0)
    {
      nn_onnx_number (onnx, shift, zero * scale);
      if (!nn_onnx_run (onnx, "Add", moved, op->input[0], shift, error))
        return FALSE;
      value = g_hash_table_lookup (onnx->values, moved);
    }
  /* its input lies on the scale's grid, or is brought there first */
  if (!add_quantizer (onnx, op, rounded, value, &type, scale, error))
    return FALSE;
  type.is_signed = nn_onnx_int (op, "signed", 1) != 0;
  type.width = type.integer = (int) bits;
  type.rounding = rounding;
  type.overflow = type.is_signed && nn_onnx_int (op, "narrow", 0) != 0 ? NN_OVERFLOW_SAT_SYM : NN_OVERFLOW_SAT;
  step = scale * exp2 (rint (log2 (out_scale / scale)));
  if (zero == 0)
    return add_quantizer (onnx, op, name, g_hash_table_lookup (onnx->values, rounded), &type, step, error);
  nn_onnx_number (onnx, back, zero * scale);
  return add_quantizer (onnx, op, cut, g_hash_table_lookup (onnx->values, rounded), &type, step, error) &&
         nn_onnx_run (onnx, "Sub", name, cut, back, error);
}

/* A row of thresholds as first one and step; %FALSE where they do not stand at equal distances. */
static gboolean
equal_steps (const NnTensor *thresholds,
             gsize           row,
             double         *first,
             double         *step)
{
  gsize n = (gsize) thresholds->shape.dims[1];

  *first = nn_tensor_get (thresholds, row * n);
  *step = n > 1 ? (nn_tensor_get (thresholds, row * n + n - 1) - *first) / (double) (n - 1) : 1;
  if (!(*step > 0) || !isfinite (*first) || !isfinite (*step))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (fabs (nn_tensor_get (thresholds, row * n + i) - (*first + (double) i * *step)) > STEP_TOLERANCE * *step)
      return FALSE;
  return TRUE;
}

/* Thresholds at any distances: an axis of them is put behind the data, and those are counted that are larger; the others have been
 * reached. @last: whether channels are the last axis */
static gboolean
by_comparison (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               const NnTensor   *thresholds,
               gboolean          last,
               GError          **error)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, 0);
  const gint64 behind = value->rank, n = thresholds->shape.dims[1];
  double scale = nn_onnx_float (op, "out_scale", 1), bias = nn_onnx_float (op, "out_bias", 0);
  const char *wide = nn_onnx_middle (onnx, op, "wide"), *all = nn_onnx_middle (onnx, op, "thresholds");
  const char *missing = nn_onnx_middle (onnx, op, "missing"), *sign = nn_onnx_middle (onnx, op, "sign");
  const char *above = nn_onnx_middle (onnx, op, "above"), *count = nn_onnx_middle (onnx, op, "count"), *rows = nn_onnx_middle (onnx, op, "row");
  const char *factor = nn_onnx_middle (onnx, op, "factor"), *scaled = nn_onnx_middle (onnx, op, "scaled"), *shift = nn_onnx_middle (onnx, op, "shift");
  NnShape shape = { .rank = thresholds->shape.dims[0] == 1 ? 1 : last || value->rank < 3 ? 2 : value->rank };
  NnTensor *laid;

  if (value->rank > NN_MAX_RANK - 1)
    return nn_load_unsupported (error, "its data have too many axes");
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = i + 1 == shape.rank ? n : i == 0 ? thresholds->shape.dims[0] : 1;
  laid = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < laid->n; i++)
    nn_tensor_f32 (laid)[i] = (float) nn_tensor_get (thresholds, i);
  nn_onnx_constant (onnx, all, laid);
  nn_onnx_number (onnx, factor, -scale);
  nn_onnx_number (onnx, shift, bias + scale * (double) n);
  return nn_onnx_run_along (onnx, "Unsqueeze", wide, op->input[0], &behind, 1, error) &&
         nn_onnx_run (onnx, "Sub", missing, all, wide, error) && nn_onnx_run (onnx, "Sign", sign, missing, NULL, error) &&
         nn_onnx_run (onnx, "Relu", above, sign, NULL, error) &&
         nn_onnx_run_along (onnx, "ReduceSum", rows, above, &behind, 1, error) &&
         nn_onnx_run_along (onnx, "Squeeze", count, rows, &behind, 1, error) && nn_onnx_run (onnx, "Mul", scaled, count, factor, error) &&
         nn_onnx_run (onnx, "Add", nn_onnx_out (op, 0), scaled, shift, error);
}

/* How many thresholds a number has reached: floor ((x - first) / step) + 1 between 0 and their count, scaled and shifted. */
gboolean
nn_onnx_read_multi_threshold (NnOnnx           *onnx,
                              Onnx__NodeProto  *op,
                              GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const NnOnnxValue *t = nn_onnx_input (onnx, op, 1);
  const char *name = nn_onnx_out (op, 0), *layout = nn_onnx_string (onnx, op, "data_layout", "NCHW");
  g_autofree char *placed = g_strdup_printf ("%s__placed", name), *counted = g_strdup_printf ("%s__counted", name);
  g_autofree char *low = g_strdup_printf ("%s__low", name);
  g_autoptr (NnTensor) scale = NULL, bias = NULL;
  double out_scale = nn_onnx_float (op, "out_scale", 1), out_bias = nn_onnx_float (op, "out_bias", 0);
  NnType type = { .kind = NN_TYPE_FIXED, .rounding = NN_ROUND_TRN, .overflow = NN_OVERFLOW_SAT };
  gint64 channels, rows, n;

  if (value == NULL)
    return FALSE;
  if (t == NULL || t->constant == NULL || t->constant->shape.rank != 2 || t->constant->n == 0 || value->order != NULL)
    return nn_load_unsupported (error, "its thresholds must be a constant of two axes: channels, thresholds");
  if (value->rank == 4 && !g_str_equal (layout, "NHWC") ? !nn_onnx_channels_last (onnx, value, error)
                                                         : !nn_onnx_natural (onnx, value, error))
    return FALSE;
  channels = nn_shape_last (nn_onnx_shape (onnx, value));
  rows = t->constant->shape.dims[0];
  n = t->constant->shape.dims[1];
  if (rows != 1 && rows != channels)
    return nn_load_unsupported (error, "its thresholds are for %" G_GINT64_FORMAT " channels, not %" G_GINT64_FORMAT, rows, channels);
  scale = same_numbers (onnx, channels, 1, error);
  bias = scale != NULL ? same_numbers (onnx, channels, 0, error) : NULL;
  if (bias == NULL)
    return FALSE;
  for (gsize c = 0; c < scale->n; c++)
    {
      double first, step;

      if (!equal_steps (t->constant, rows == 1 ? 0 : c, &first, &step))
        return by_comparison (onnx, op, t->constant, g_str_equal (layout, "NHWC"), error);
      nn_tensor_f32 (scale)[c] = (float) (1 / step);
      nn_tensor_f32 (bias)[c] = (float) (1 - first / step);
    }
  while (type.width < WIDE_BITS && exp2 (type.width) - 1 < (double) n)
    type.width++;
  type.integer = type.width;
  if (!add_scale (onnx, op, placed, value, g_steal_pointer (&scale), g_steal_pointer (&bias), error))
    return FALSE;
  value = g_hash_table_lookup (onnx->values, placed);
  if ((double) n < exp2 (type.width) - 1)
    {
      if (!nn_onnx_merge_number (onnx, op, NN_OP_MINIMUM, low, value, (double) n, error))
        return FALSE;
      value = g_hash_table_lookup (onnx->values, low);
    }
  if (!add_quantizer (onnx, op, counted, value, &type, 1, error))
    return FALSE;
  return add_numbers (onnx, op, name, g_hash_table_lookup (onnx->values, counted), out_scale, out_bias, error);
}
