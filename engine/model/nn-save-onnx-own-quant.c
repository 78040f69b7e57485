/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantisers as operators of their own in an ONNX file, each with the function that says what it computes. Source: qonnx, Quant and
 * BipolarQuant; the other quantisers as nn-quant.c has them. */

#include "nn-save-onnx-function.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Below it a power of two is the smallest. Source: Keras's epsilon, as in nn-quant.c. */
#define KERAS_EPSILON 1e-7

/* Steps, and lowest and highest multiples of them, of one type or of one for each element. */
typedef struct {
  const char *step;
  const char *low;
  const char *high;
  const char *count;
} Grid;

static Grid
make_grid (NnOnnxWriter  *w,
           const NnType  *types,
           const NnShape *shape)
{
  NnTensor *all[4];
  Grid grid;

  for (guint i = 0; i < 4; i++)
    all[i] = nn_tensor_new (NN_DTYPE_F32, shape);
  for (gsize k = 0; k < all[0]->n; k++)
    {
      gint64 low = 0, high = 0;
      gboolean none = types[k].width < 1;

      if (!none)
        nn_type_raw_range (&types[k], &low, &high);
      nn_tensor_f32 (all[0])[k] = none ? 1 : (float) nn_type_lsb (&types[k]);
      nn_tensor_f32 (all[3])[k] = (float) ((double) high - (double) low + 1);
      if (types[k].overflow == NN_OVERFLOW_SAT_SYM && types[k].is_signed)
        low = -high;
      nn_tensor_f32 (all[1])[k] = (float) low;
      nn_tensor_f32 (all[2])[k] = (float) high;
    }
  grid.step = nn_fn_numbers (w, all[0]);
  grid.low = nn_fn_numbers (w, all[1]);
  grid.high = nn_fn_numbers (w, all[2]);
  grid.count = nn_fn_numbers (w, all[3]);
  return grid;
}

static const char *
to_grid (NnOnnxWriter *w,
         const Grid   *grid,
         NnRounding    rounding,
         NnOverflow    overflow,
         const char   *x)
{
  const char *r = nn_fn_round (w, rounding, nn_fn_op (w, "Div", x, grid->step)), *turns, *inside;

  if (overflow == NN_OVERFLOW_WRAP)
    {
      turns = nn_fn_op (w, "Floor", nn_fn_op (w, "Div", nn_fn_op (w, "Sub", r, grid->low), grid->count), NULL);
      r = nn_fn_op (w, "Sub", r, nn_fn_op (w, "Mul", turns, grid->count));
    }
  else
    {
      inside = nn_fn_clip (w, r, grid->low, grid->high);
      r = overflow == NN_OVERFLOW_SAT_ZERO ? nn_fn_choose (w, nn_fn_op (w, "Equal", r, inside), r, nn_fn_number (w, 0)) : inside;
    }
  return nn_fn_op (w, "Mul", r, grid->step);
}

static const char *
to_type (NnOnnxWriter *w,
         const NnType *type,
         const char   *x)
{
  Grid grid;

  if (type->kind != NN_TYPE_FIXED)
    return x;
  grid = make_grid (w, type, &(NnShape){ 0 });
  return to_grid (w, &grid, type->rounding, type->overflow, x);
}

/* quantized_relu */
static const char *
relu (NnOnnxWriter      *w,
      const NnQuantizer *q,
      const char        *x)
{
  double top = ldexp (1, q->type.integer - (q->type.is_signed ? 1 : 0));
  const char *zero = nn_fn_number (w, 0), *one = nn_fn_number (w, 1), *half = nn_fn_number (w, 0.5), *scale = nn_fn_number (w, top);
  NnType finer = q->type;

  if (q->use_sigmoid)
    {
      finer.width += 1;
      x = nn_fn_clip (w, nn_fn_op (w, "Add", nn_fn_op (w, "Mul", x, nn_fn_number (w, 0.5 / top)), half), zero, one);
      x = nn_fn_op (w, "Sub", nn_fn_op (w, "Mul", to_type (w, &finer, x), nn_fn_number (w, 2)), one);
      return nn_fn_clip (w, nn_fn_op (w, "Mul", x, scale), zero, nn_fn_number (w, nn_type_max (&q->type)));
    }
  x = nn_fn_choose (w, nn_fn_op (w, "Greater", x, zero), x, nn_fn_op (w, "Mul", x, nn_fn_number (w, q->negative_slope)));
  if (q->max_value > 0)
    x = nn_fn_op (w, "Min", x, nn_fn_number (w, q->max_value));
  return x;
}

/* The hard or the true curve of quantized_tanh and quantized_sigmoid. */
static const char *
curve (NnOnnxWriter      *w,
       const NnQuantizer *q,
       const char        *x)
{
  gboolean is_tanh = q->kind == NN_QUANT_TANH;
  const char *half;

  if (q->use_real_function)
    return nn_fn_op (w, is_tanh ? "Tanh" : "Sigmoid", x, NULL);
  half = nn_fn_number (w, 0.5);
  if (!is_tanh)
    x = nn_fn_op (w, "Add", nn_fn_op (w, "Mul", x, half), half);
  return nn_fn_clip (w, x, nn_fn_number (w, is_tanh ? -1 : 0), nn_fn_number (w, 1));
}

static const char *
ulaw (NnOnnxWriter      *w,
      const NnQuantizer *q,
      const char        *x)
{
  double mu = q->threshold > 0 ? q->threshold : 255;
  const char *one = nn_fn_number (w, 1), *size = nn_fn_op (w, "Min", nn_fn_op (w, "Abs", x, NULL), one);

  size = nn_fn_op (w, "Log", nn_fn_op (w, "Add", nn_fn_op (w, "Mul", size, nn_fn_number (w, mu)), one), NULL);
  return nn_fn_op (w, "Mul", nn_fn_op (w, "Sign", x, NULL), nn_fn_op (w, "Div", size, nn_fn_number (w, log1p (mu))));
}

static const char *
power (NnOnnxWriter      *w,
       const NnQuantizer *q,
       const char        *x)
{
  gboolean is_relu = q->kind == NN_QUANT_POWER_RELU, needs_sign = q->max_value <= 0 || q->max_value > 1;
  int bits = MAX (q->type.width - (is_relu ? 0 : 1) - (needs_sign ? 1 : 0), 0);
  const char *zero = nn_fn_number (w, 0), *one = nn_fn_number (w, 1), *low = nn_fn_number (w, -exp2 (bits));
  double highest = needs_sign ? exp2 (bits) - 1 : 0, step = q->quadratic ? 2 : 1;
  const char *high = nn_fn_number (w, q->quadratic ? 2 * floor (highest / 2) : highest), *epsilon = nn_fn_number (w, KERAS_EPSILON);
  const char *size = nn_fn_op (w, "Abs", x, NULL), *exponent, *result;

  if (is_relu)
    size = nn_fn_op (w, "Max", x, q->negative_slope > 0 ? nn_fn_op (w, "Mul", x, nn_fn_number (w, -q->negative_slope)) : zero);
  if (q->max_value > 0)
    size = nn_fn_op (w, "Min", size, nn_fn_number (w, q->max_value));
  exponent = nn_fn_op (w, "Div", nn_fn_op (w, "Log", nn_fn_op (w, "Max", size, epsilon), NULL), nn_fn_number (w, step * M_LN2));
  exponent = nn_fn_clip (w, nn_fn_op (w, "Round", exponent, NULL), low, high);
  if (q->quadratic)
    exponent = nn_fn_op (w, "Mul", exponent, nn_fn_number (w, step));
  exponent = nn_fn_choose (w, nn_fn_op (w, "Less", size, epsilon), low, exponent);
  result = nn_fn_op (w, "Pow", nn_fn_number (w, 2), exponent);
  if (is_relu && q->negative_slope == 0)
    return result;
  return nn_fn_op (w, "Mul", result, nn_fn_choose (w, nn_fn_op (w, "Less", x, zero), nn_fn_number (w, -1), one));
}

static const char *
signs (NnOnnxWriter      *w,
       const NnQuantizer *q,
       const char        *x)
{
  gboolean two = q->type.kind == NN_TYPE_BINARY || q->type.is_signed;
  const char *zero = nn_fn_number (w, 0), *sign, *is_small;

  if (q->kind == NN_QUANT_BINARY)
    return nn_fn_choose (w, nn_fn_op (w, "Less", x, zero), nn_fn_number (w, two ? -1 : 0), nn_fn_number (w, 1));
  sign = nn_fn_op (w, "Sign", x, NULL);
  if (q->threshold <= 0)
    return sign;
  is_small = nn_fn_op (w, "Less", nn_fn_op (w, "Abs", x, NULL), nn_fn_number (w, q->threshold));
  return nn_fn_choose (w, is_small, zero, sign);
}

/* @shape: of the tensor that is quantised, its last axes those of the types */
static const char *
quantized (NnOnnxWriter      *w,
           const NnQuantizer *q,
           const NnShape     *shape,
           const char        *x)
{
  NnShape part = { 0 };
  gsize n = 1;
  Grid grid;

  switch (q->kind)
    {
    case NN_QUANT_RELU:
      x = relu (w, q, x);
      if (q->use_sigmoid)
        return x;
      break;
    case NN_QUANT_TANH:
    case NN_QUANT_SIGMOID:
      x = curve (w, q, x);
      break;
    case NN_QUANT_ULAW:
      x = ulaw (w, q, x);
      break;
    case NN_QUANT_BINARY:
    case NN_QUANT_TERNARY:
      return signs (w, q, x);
    case NN_QUANT_POWER:
    case NN_QUANT_POWER_RELU:
      return power (w, q, x);
    case NN_QUANT_FIXED:
      break;
    case NN_QUANT_NONE:
    default:
      return x;
    }
  if (q->n_elements == 0)
    return to_type (w, &q->type, x);
  while (n < q->n_elements && part.rank < shape->rank)
    {
      memmove (part.dims + 1, part.dims, part.rank * sizeof part.dims[0]);
      part.dims[0] = shape->dims[shape->rank - 1 - part.rank];
      n *= (gsize) part.dims[0];
      part.rank++;
    }
  grid = make_grid (w, q->per_element, &part);
  return to_grid (w, &grid, q->per_element[0].rounding, q->per_element[0].overflow, x);
}

/* Whether the types of a quantiser differ in nothing but their places of the point and signs, and fill axes of @shape. */
static gboolean
is_uniform (const NnQuantizer *q,
            const NnShape     *shape)
{
  gsize n = 1;

  if (q->type.overflow == NN_OVERFLOW_WRAP && q->type.sat_bits > 0)
    return FALSE;
  for (guint i = 1; i < q->n_elements; i++)
    if (q->per_element[i].rounding != q->per_element[0].rounding || q->per_element[i].overflow != q->per_element[0].overflow)
      return FALSE;
  for (guint i = shape->rank; n < q->n_elements && i > 0; i--)
    n *= (gsize) MAX (shape->dims[i - 1], 0);
  return q->n_elements == 0 || n == q->n_elements;
}

/**
 * nn_onnx_put_own_quant:
 * @shape: of the sample, or of the weight
 * @last: whether channels are the last axis of @input, as they are in @shape
 *
 * A quantiser of an activation in an operator of our own domain, with the function that says what it computes.
 *
 * Returns: (nullable): @output; %NULL where the scale depends on the data, or types do not go by the last axes
 */
const char *
nn_onnx_put_own_quant (NnOnnxWriter      *w,
                       const NnQuantizer *q,
                       const NnShape     *shape,
                       const char        *input,
                       const char        *output)
{
  static const char *const inputs[] = { "x", NULL }, *const attributes[] = { "quantizer", NULL };
  const char *name = nn_onnx_text (w, "Quantizer_%u", w->functions->len), *x = "x", *alpha = NULL;
  g_autofree char *text = nn_quantizer_to_json (q);
  GPtrArray *outside;
  Onnx__NodeProto *node;

  if (q->alpha_mode >= NN_ALPHA_AUTO || !is_uniform (q, shape) || (q->n_alpha > 1 && q->n_alpha != (guint) nn_shape_last (shape)))
    return NULL;
  outside = nn_fn_begin (w);
  if (q->alpha_mode == NN_ALPHA_FIXED)
    {
      NnTensor *scale = nn_tensor_new (NN_DTYPE_F32, q->n_alpha == 1 ? &(NnShape){ 0 } : &NN_SHAPE (q->n_alpha));

      memcpy (scale->data, q->alpha, q->n_alpha * sizeof (float));
      alpha = nn_fn_numbers (w, scale);
    }
  if (q->alpha_divides)
    {
      const char *zero = nn_fn_number (w, q->zero_point);

      x = alpha != NULL ? nn_fn_op (w, "Div", x, alpha) : x;
      x = nn_fn_op (w, "Add", q->rounds_first ? nn_fn_round (w, q->type.rounding, x) : x, zero);
      x = nn_fn_op (w, "Sub", quantized (w, q, shape, x), zero);
    }
  else
    x = quantized (w, q, shape, x);
  nn_fn_end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, attributes, alpha != NULL ? nn_fn_op (w, "Mul", x, alpha) : x);
  node = nn_onnx_op (w, name, output, input, NULL);
  node->domain = (char *) NN_ONNX_OWN_DOMAIN;
  nn_onnx_set_text (w, node, "quantizer", text);
  return output;
}

/**
 * nn_onnx_put_frozen:
 * @values: of the weight, as trained
 * @used: what the quantiser makes of them
 *
 * A weight that is used as its quantiser leaves it, with the trained values beside: a runtime takes the former, we both.
 */
void
nn_onnx_put_frozen (NnOnnxWriter      *w,
                    const NnQuantizer *q,
                    NnTensor          *values,
                    NnTensor          *used,
                    const char        *output)
{
  static const char *const inputs[] = { "x", "quantized", NULL }, *const attributes[] = { "quantizer", NULL };
  static const char name[] = "QuantizedWeight";
  const char *trained = nn_onnx_put (w, nn_onnx_text (w, "%s__float", output), values);
  const char *taken = nn_onnx_put (w, nn_onnx_text (w, "%s__quantized", output), used);
  g_autofree char *text = nn_quantizer_to_json (q);
  Onnx__NodeProto *node = nn_onnx_op (w, name, output, trained, taken, NULL);

  node->domain = (char *) NN_ONNX_OWN_DOMAIN;
  nn_onnx_set_text (w, node, "quantizer", text);
  if (!w->frozen_function)
    {
      GPtrArray *outside = nn_fn_begin (w);

      nn_fn_end (w, outside, NN_ONNX_OWN_DOMAIN, name, inputs, attributes, "quantized");
    }
  w->frozen_function = TRUE;
}

/* QONNX's BipolarQuant, and its Quant for the one rounding that this file uses it with. */
void
nn_onnx_put_qonnx_function (NnOnnxWriter *w,
                            gboolean      bipolar,
                            NnRounding    rounding)
{
  static const char *const quant_inputs[] = { "x", "scale", "zero", "bits", NULL }, *const bipolar_inputs[] = { "x", "scale", NULL };
  static const char *const quant_attributes[] = { "signed", "narrow", "rounding_mode", NULL }, *const none[] = { NULL };
  GPtrArray *outside = nn_fn_begin (w);
  const char *is_signed, *narrow, *top, *low, *r;

  if (bipolar)
    {
      r = nn_fn_choose (w, nn_fn_op (w, "Less", "x", nn_fn_number (w, 0)), nn_fn_number (w, -1), nn_fn_number (w, 1));
      nn_fn_end (w, outside, NN_ONNX_QONNX_DOMAIN, "BipolarQuant", bipolar_inputs, none, nn_fn_op (w, "Mul", r, "scale"));
      return;
    }
  is_signed = nn_fn_attribute (w, "signed");
  narrow = nn_fn_attribute (w, "narrow");
  top = nn_fn_op (w, "Pow", nn_fn_number (w, 2), nn_fn_op (w, "Sub", "bits", is_signed));
  low = nn_fn_op (w, "Mul", is_signed, nn_fn_op (w, "Sub", narrow, top));
  r = nn_fn_round (w, rounding, nn_fn_op (w, "Add", nn_fn_op (w, "Div", "x", "scale"), "zero"));
  r = nn_fn_clip (w, r, low, nn_fn_op (w, "Sub", top, nn_fn_number (w, 1)));
  nn_fn_end (w, outside, NN_ONNX_QONNX_DOMAIN, "Quant", quant_inputs, quant_attributes,
       nn_fn_op (w, "Mul", nn_fn_op (w, "Sub", r, "zero"), "scale"));
}
