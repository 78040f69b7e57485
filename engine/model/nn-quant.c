/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fake quantisation, as QKeras, HGQ and QONNX define it. */

#include "nn-quant.h"

#include <float.h>
#include <math.h>

/* Added before logarithms and divisions. Source: Keras's epsilon, used by QKeras quantizers.py. */
#define KERAS_EPSILON 1e-7
/* Rounds of the search for a scale. Source: QKeras quantizers.py, quantized_bits (5) and ternary (number_of_unrolls). */
#define SCALE_ROUNDS 5
/* Whole numbers that a double holds, with their sign. */
#define WHOLE_BITS 54

static double
clip (double x,
      double low,
      double high)
{
  return x < low ? low : x > high ? high : x;
}

static double
to_type (const NnType *type,
         double        x)
{
  if (type->kind == NN_TYPE_FLOAT || type->kind == NN_TYPE_AUTO)
    return x;
  if (type->width < 1)
    return 0;
  return nn_type_real (type, nn_type_quantize (type, x, NULL));
}

/* 2^round (log2 (scale)), as QKeras writes it. */
static double
nearest_power (double scale)
{
  return exp2 (rint (log (scale + KERAS_EPSILON) / M_LN2));
}

/* The scale that brings @q nearest to @x in the least squares: sum (xq) / sum (qq), channel by channel. */
static void
fit_scales (NnAlphaMode   mode,
            const double *x,
            const double *q,
            gsize         n,
            gsize         channels,
            double       *scales)
{
  gsize rows = n / channels;

  for (gsize c = 0; c < channels; c++)
    {
      double xq = 0, qq = 0;

      for (gsize i = c; i < n; i += channels)
        {
          xq += x[i] * q[i];
          qq += q[i] * q[i];
        }
      scales[c] = (xq / rows) / (qq / rows + KERAS_EPSILON);
      if (mode == NN_ALPHA_AUTO_PO2)
        scales[c] = nearest_power (scales[c]);
    }
}

static void
max_abs (const double *x,
         gsize         n,
         gsize         channels,
         double       *max)
{
  for (gsize c = 0; c < channels; c++)
    max[c] = 0;
  for (gsize i = 0; i < n; i++)
    max[i % channels] = MAX (max[i % channels], fabs (x[i]));
}

/* Integers of quantized_bits with an automatic alpha: half away from zero, symmetric. */
static void
integers (const double *x,
          gsize         n,
          gsize         channels,
          const double *scales,
          double        levels,
          double       *z)
{
  for (gsize i = 0; i < n; i++)
    {
      double s = scales[i % channels], v = s > 0 ? floor (fabs (x[i]) / s + 0.5) : 0;

      z[i] = copysign (v < levels / 2 ? v : levels / 2, x[i]);
      if (x[i] == 0)
        z[i] = 0;
    }
}

/* Source: QKeras 0.9 quantizers.py, quantized_bits.__call__ with alpha "auto" and "auto_po2". */
static void
bits_scales (const NnQuantizer *quantizer,
             const double      *x,
             gsize              n,
             gsize              channels,
             double            *scales,
             double            *z)
{
  int width = quantizer->type.width;
  double levels = quantizer->symmetric ? 2 * (exp2 (width - 1) - 1) : exp2 (width) - 1;

  max_abs (x, n, channels, scales);
  for (gsize c = 0; c < channels; c++)
    {
      scales[c] = 2 * scales[c] / levels;
      if (quantizer->alpha_mode == NN_ALPHA_AUTO_PO2)
        scales[c] = nearest_power (scales[c]);
    }
  for (guint round = 0; quantizer->alpha_mode == NN_ALPHA_AUTO_PO2 && round < SCALE_ROUNDS; round++)
    {
      integers (x, n, channels, scales, levels, z);
      fit_scales (NN_ALPHA_AUTO_PO2, x, z, n, channels, scales);
    }
  integers (x, n, channels, scales, levels, z);
}

/* Source: QKeras 0.9 quantizers.py, binary.__call__ and ternary.__call__. */
static void
sign_scales (const NnQuantizer *quantizer,
             const double      *x,
             gsize              n,
             gsize              channels,
             double            *scales,
             double            *z)
{
  gboolean ternary = quantizer->kind == NN_QUANT_TERNARY;

  max_abs (x, n, channels, scales);
  for (gsize c = 0; c < channels; c++)
    {
      scales[c] = 2 * scales[c] / 3;
      if (quantizer->alpha_mode == NN_ALPHA_AUTO_PO2)
        scales[c] = nearest_power (scales[c]);
    }
  for (guint round = 0; round < (ternary ? SCALE_ROUNDS : 1); round++)
    {
      for (gsize i = 0; i < n; i++)
        if (ternary)
          z[i] = fabs (x[i]) >= scales[i % channels] / 2 ? (x[i] > 0) - (x[i] < 0) : 0;
        else
          z[i] = x[i] >= 0 ? 1 : -1;
      fit_scales (quantizer->alpha_mode, x, z, n, channels, scales);
    }
}

static gsize
scale_channels (const NnShape *shape)
{
  return shape->rank > 1 ? MAX (nn_shape_last (shape), 1) : 1;
}

static void
quantize_auto (const NnQuantizer *quantizer,
               const NnShape     *shape,
               double            *values)
{
  gsize n = nn_shape_count (shape), channels = scale_channels (shape);
  g_autofree double *scales = g_new (double, channels), *z = g_new (double, n + 1);

  if (quantizer->kind == NN_QUANT_FIXED)
    {
      bits_scales (quantizer, values, n, channels, scales, z);
    }
  else
    sign_scales (quantizer, values, n, channels, scales, z);
  for (gsize i = 0; i < n; i++)
    values[i] = scales[i % channels] * z[i];
}

void
nn_quantizer_scales (const NnQuantizer *quantizer,
                     const NnShape     *shape,
                     const double      *values,
                     double            *scales)
{
  gsize n = nn_shape_count (shape), channels = scale_channels (shape);
  g_autofree double *z = NULL;

  for (gsize c = 0; c < channels; c++)
    scales[c] = 1;
  if (quantizer == NULL || quantizer->alpha_mode < NN_ALPHA_AUTO || n == 0)
    return;
  z = g_new (double, n);
  if (quantizer->kind == NN_QUANT_FIXED)
    bits_scales (quantizer, values, n, channels, scales, z);
  else if (quantizer->kind == NN_QUANT_BINARY || quantizer->kind == NN_QUANT_TERNARY)
    sign_scales (quantizer, values, n, channels, scales, z);
}

/* Exponents that @bits can tell apart. Source: QKeras quantizers.py, _get_min_max_exponents, _clip_power_of_two. */
static double
to_power (const NnQuantizer *quantizer,
          double             x)
{
  gboolean relu = quantizer->kind == NN_QUANT_POWER_RELU;
  gboolean needs_sign = quantizer->max_value <= 0 || quantizer->max_value > 1;
  int effective = quantizer->type.width - (relu ? 0 : 1) - (needs_sign ? 1 : 0);
  double lowest = -exp2 (MAX (effective, 0)), highest = needs_sign ? exp2 (MAX (effective, 0)) - 1 : 0;
  double size = fabs (x), step = quantizer->quadratic ? 2 : 1, exponent;

  if (relu && x <= 0)
    size *= quantizer->negative_slope;
  if (quantizer->max_value > 0)
    size = MIN (size, quantizer->max_value);
  if (quantizer->quadratic)
    highest = 2 * floor (highest / 2);
  exponent = size < KERAS_EPSILON ? lowest : step * clip (rint (log (size) / step / M_LN2), lowest, highest);
  return (x >= 0 || (relu && quantizer->negative_slope == 0) ? 1 : -1) * exp2 (exponent);
}

/* Source: QKeras quantizers.py, quantized_ulaw. */
static double
ulaw (const NnQuantizer *quantizer,
      double             x)
{
  double mu = quantizer->threshold > 0 ? quantizer->threshold : 255;

  return copysign (log1p (mu * MIN (fabs (x), 1)) / log1p (mu), x);
}

/* Source: QKeras quantizers.py, quantized_relu.__call__. */
static double
quantized_relu (const NnQuantizer *q,
                const NnType      *type,
                double             x)
{
  int integer = type->integer - (type->is_signed ? 1 : 0);

  if (q->use_sigmoid)
    {
      NnType half = *type;

      /* the rounding is before the doubling: one bit more below the point */
      half.width += 1;
      x = clip (0.5 * x / exp2 (integer) + 0.5, 0, 1);
      x = exp2 (integer) * (2 * to_type (&half, x) - 1);
      return clip (x, 0, nn_type_max (type));
    }
  x = x > 0 ? x : q->negative_slope * x;
  if (q->max_value > 0)
    x = MIN (x, q->max_value);
  return to_type (type, x);
}

/* Rounds to a whole number. */
static double
to_whole (NnRounding rounding,
          double     x)
{
  const NnType whole = { .kind = NN_TYPE_FIXED, .width = WHOLE_BITS, .integer = WHOLE_BITS, .is_signed = TRUE, .rounding = rounding,
                         .overflow = NN_OVERFLOW_SAT };

  return to_type (&whole, x);
}

/* One number, before the scale is put back. */
static double
quantize_value (const NnQuantizer *q,
                const NnType      *type,
                double             x)
{
  switch (q->kind)
    {
    case NN_QUANT_FIXED:
      return to_type (type, x);
    case NN_QUANT_RELU:
      return quantized_relu (q, type, x);
    case NN_QUANT_TANH:
      return to_type (type, q->use_real_function ? tanh (x) : clip (x, -1, 1));
    case NN_QUANT_SIGMOID:
      return to_type (type, q->use_real_function ? 1 / (1 + exp (-x)) : clip (0.5 * x + 0.5, 0, 1));
    case NN_QUANT_ULAW:
      return to_type (type, ulaw (q, x));
    case NN_QUANT_BINARY:
      return x >= 0 ? 1 : type->kind == NN_TYPE_BINARY || type->is_signed ? -1 : 0;
    case NN_QUANT_TERNARY:
      return fabs (x) >= (q->threshold > 0 ? q->threshold : DBL_MIN) ? (x > 0) - (x < 0) : 0;
    case NN_QUANT_POWER:
    case NN_QUANT_POWER_RELU:
      return to_power (q, x);
    case NN_QUANT_NONE:
    default:
      return x;
    }
}

void
nn_quantize (const NnQuantizer *quantizer,
             const NnShape     *shape,
             double            *values)
{
  gsize n = nn_shape_count (shape);

  if (quantizer == NULL || quantizer->kind == NN_QUANT_NONE || n == 0)
    return;
  if (quantizer->alpha_mode >= NN_ALPHA_AUTO &&
      (quantizer->kind == NN_QUANT_FIXED || quantizer->kind == NN_QUANT_BINARY || quantizer->kind == NN_QUANT_TERNARY))
    {
      quantize_auto (quantizer, shape, values);
      return;
    }
  for (gsize i = 0; i < n; i++)
    {
      gboolean scaled = quantizer->alpha_mode == NN_ALPHA_FIXED && quantizer->n_alpha > 0;
      double scale = scaled ? quantizer->alpha[i % quantizer->n_alpha] : 1;
      const NnType *type = quantizer->n_elements > 0 ? &quantizer->per_element[i % quantizer->n_elements]
                                                     : &quantizer->type;
      double x = values[i];

      if (!quantizer->alpha_divides)
        {
          values[i] = scale * quantize_value (quantizer, type, x);
          continue;
        }
      x /= scale;
      if (quantizer->rounds_first)
        x = to_whole (type->rounding, x);
      values[i] = scale * (quantize_value (quantizer, type, x + quantizer->zero_point) - quantizer->zero_point);
    }
}

/* Whether x is rounded as x plus the zero point is. */
static gboolean
moves_with_zero (const NnQuantizer *q)
{
  switch (q->type.rounding)
    {
    case NN_ROUND_TRN:
    case NN_ROUND_RND:
    case NN_ROUND_RND_MIN_INF:
      return rint (q->zero_point) == q->zero_point;
    case NN_ROUND_RND_CONV:
      return rint (q->zero_point / 2) == q->zero_point / 2;
    default:
      return q->zero_point == 0;
    }
}

static void
drop_middle (NnQuantizer *q)
{
  double middle = exp2 (q->type.width - 1);

  if (q->kind != NN_QUANT_FIXED || q->type.kind != NN_TYPE_FIXED || q->type.overflow != NN_OVERFLOW_SAT || q->type.width != q->type.integer ||
      !q->alpha_divides || !(q->rounds_first || moves_with_zero (q)) || q->zero_point != (q->type.is_signed ? -middle : middle))
    return;
  q->type.is_signed = !q->type.is_signed;
  q->zero_point = 0;
}

void
nn_quantizer_simplify (NnQuantizer *q)
{
  int exponent;

  drop_middle (q);
  q->rounds_first = q->rounds_first && !moves_with_zero (q);
  if (q->n_alpha != 1 || q->zero_point != 0 || !(q->alpha[0] > 0) || frexp (q->alpha[0], &exponent) != 0.5 ||
      (q->kind == NN_QUANT_BINARY && q->alpha[0] != 1))
    return;
  if (q->kind != NN_QUANT_BINARY)
    q->type.integer += exponent - 1;
  q->alpha_mode = NN_ALPHA_ONE;
  q->alpha = NULL;
  q->n_alpha = 0;
  q->alpha_divides = FALSE;
}
