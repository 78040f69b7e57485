/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations in double precision. */

#include "nn-exec-private.h"

#include <math.h>

/* Source: Klambauer et al., Self-Normalizing Neural Networks, 2017, section 2. */
#define SELU_ALPHA 1.6732632423543772848170429916717
/* Hendrycks and Gimpel, Gaussian Error Linear Units, 2016: sqrt (2 / pi), and the cube's factor. */
#define GELU_SLOPE 0.79788456080286535588
#define GELU_CUBE 0.044715
#define SELU_SCALE 1.0507009873554804934193349852946
/* Source: Keras 2, backend.hard_sigmoid. */
#define HARD_SIGMOID_SLOPE 0.2
#define HARD_SIGMOID_SHIFT 0.5

static double
sigmoid (double x)
{
  return 1 / (1 + exp (-x));
}

static double
softplus (double x)
{
  return fmax (x, 0) + log1p (exp (-fabs (x)));
}

static double
clip (double x,
      double low,
      double high)
{
  return x < low ? low : x > high ? high : x;
}

static double
hard_sigmoid (const NnAttrs *attrs,
              double         x)
{
  if (attrs->slope == 0)
    return clip (HARD_SIGMOID_SLOPE * x + HARD_SIGMOID_SHIFT, 0, 1);
  return clip (attrs->slope * x + attrs->shift, 0, 1);
}

/* Keras's ReLU in full: cut off above, sloped below the threshold. */
static double
relu (const NnAttrs *attrs,
      double         x)
{
  if (attrs->max_value > 0 && x >= attrs->max_value)
    return attrs->max_value;
  return x > attrs->threshold ? x : attrs->alpha != 0 ? attrs->alpha * (x - attrs->threshold) : 0;
}

/**
 * nn_act_value:
 * @attrs: parameters of the activation
 *
 * Softmax is no function of one number: its value here is exp (x), before the division by the sum.
 *
 * Returns: act (@x); what is said by a quantiser alone passes unchanged
 *
 * Source: Keras 2.13 activations.py; binary tanh: 2 round (hard_sigmoid (x)) - 1 and ternary tanh: round (clip (x)), half to
 * even, of BinaryNet for Keras: so 0 goes to -1, unlike in hls4ml's kernel
 */
double
nn_act_value (const NnAttrs *attrs,
              NnAct          act,
              double         x)
{
  switch (act)
    {
    case NN_ACT_RELU:
      return relu (attrs, x);
    case NN_ACT_LEAKY_RELU:
      return x > 0 ? x : attrs->alpha * x;
    case NN_ACT_THRESHOLDED_RELU:
      return x > attrs->threshold ? x : 0;
    case NN_ACT_ELU:
      return x > 0 ? x : attrs->alpha * expm1 (x);
    case NN_ACT_SELU:
      return SELU_SCALE * (x > 0 ? x : SELU_ALPHA * expm1 (x));
    case NN_ACT_GELU:
      return 0.5 * x * (1 + erf (x * M_SQRT1_2));
    case NN_ACT_SIGMOID:
      return sigmoid (x);
    case NN_ACT_HARD_SIGMOID:
      return hard_sigmoid (attrs, x);
    case NN_ACT_TANH:
      return tanh (x);
    case NN_ACT_HARD_TANH:
      return attrs->slope == 0 ? clip (x, -1, 1) : 2 * hard_sigmoid (attrs, x) - 1;
    case NN_ACT_SOFTPLUS:
      return softplus (x);
    case NN_ACT_SOFTSIGN:
      return x / (1 + fabs (x));
    case NN_ACT_SOFTMAX:
    case NN_ACT_EXPONENTIAL:
      return exp (x);
    case NN_ACT_SWISH:
      return x * sigmoid (x);
    case NN_ACT_MISH:
      return x * tanh (softplus (x));
    case NN_ACT_SIN:
      return sin (x);
    case NN_ACT_COS:
      return cos (x);
    case NN_ACT_TAN:
      return tan (x);
    case NN_ACT_ATAN:
      return atan (x);
    case NN_ACT_ABS:
      return fabs (x);
    case NN_ACT_SQRT:
      return sqrt (x);
    case NN_ACT_LOG:
      return log (x);
    case NN_ACT_ERF:
      return erf (x);
    case NN_ACT_SIGN:
      return (x > 0) - (x < 0);
    case NN_ACT_FLOOR:
      return floor (x);
    case NN_ACT_CEIL:
      return ceil (x);
    case NN_ACT_ROUND:
      return rint (x);
    case NN_ACT_GELU_TANH:
      return 0.5 * x * (1 + tanh (GELU_SLOPE * (x + GELU_CUBE * x * x * x)));
    case NN_ACT_BINARY_TANH:
      return x > 0 ? 1 : -1;
    case NN_ACT_TERNARY_TANH:
      return rint (clip (x, -1, 1));
    case NN_ACT_LINEAR:
    case NN_ACT_QUANTIZED:
    default:
      return x;
    }
}

static void
softmax (const NnShape *shape,
         gsize          axis,
         double        *values)
{
  gsize outer = 1, inner = 1, n = shape->rank > 0 ? shape->dims[axis] : 1;

  for (guint i = 0; i < axis; i++)
    outer *= shape->dims[i];
  for (guint i = axis + 1; i < shape->rank; i++)
    inner *= shape->dims[i];
  for (gsize o = 0; o < outer; o++)
    for (gsize k = 0; k < inner; k++)
      {
        double *v = values + o * n * inner + k, max = -INFINITY, sum = 0;

        for (gsize i = 0; i < n; i++)
          max = fmax (max, v[i * inner]);
        for (gsize i = 0; i < n; i++)
          sum += v[i * inner] = exp (v[i * inner] - max);
        for (gsize i = 0; i < n; i++)
          v[i * inner] /= sum;
      }
}

void
nn_act_apply (const NnAttrs *attrs,
              NnAct          act,
              const NnShape *shape,
              gint           axis,
              double        *values)
{
  gsize n = nn_shape_count (shape);

  if (act == NN_ACT_LINEAR || act == NN_ACT_QUANTIZED)
    return;
  if (act == NN_ACT_SOFTMAX)
    {
      softmax (shape, nn_step_axis (axis, shape->rank), values);
      return;
    }
  for (gsize i = 0; i < n; i++)
    values[i] = nn_act_value (attrs, act, values[i]);
}

void
nn_step_activation (const NnStep        *step,
                    const double *const *in,
                    double              *out,
                    double              *scratch)
{
  const NnAttrs *a = &step->node->attrs;

  for (gsize i = 0; i < step->n; i++)
    out[i] = in[0][i];
  nn_act_apply (a, a->act, &step->shape, a->axis != 0 || g_str_equal (step->node->class_name, "Softmax") ? a->axis : -1,
                out);
}

/* Slopes may be shared over axes (Keras's shared_axes): then those axes of alpha are 1. */
gboolean
nn_prepare_prelu (NnStep  *step,
                  GError **error)
{
  const NnShape *alpha = &step->w_shape[NN_ROLE_ALPHA];
  guint skipped = step->shape.rank - alpha->rank;

  if (step->w_n[NN_ROLE_ALPHA] == 0 || alpha->rank > step->shape.rank)
    return nn_step_fail (step, "its slopes are missing", error);
  for (guint i = 0; i < alpha->rank; i++)
    if (alpha->dims[i] != 1 && alpha->dims[i] != step->shape.dims[skipped + i])
      return nn_step_fail (step, "its slopes do not fit its input", error);
  return TRUE;
}

void
nn_step_prelu (const NnStep        *step,
               const double *const *in,
               double              *out,
               double              *scratch)
{
  const NnShape *alpha = &step->w_shape[NN_ROLE_ALPHA];
  guint skipped = step->shape.rank - alpha->rank;

  for (gsize i = 0; i < step->n; i++)
    {
      gsize rest = i, at = 0, stride = 1;

      for (guint d = step->shape.rank; d-- > skipped;)
        {
          gsize index = rest % (gsize) step->shape.dims[d];

          at += alpha->dims[d - skipped] == 1 ? 0 : index * stride;
          stride *= alpha->dims[d - skipped];
          rest /= (gsize) step->shape.dims[d];
        }
      out[i] = in[0][i] > 0 ? in[0][i] : step->w[NN_ROLE_ALPHA][at] * in[0][i];
    }
}
