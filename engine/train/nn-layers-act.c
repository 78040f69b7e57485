/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations, softmax, PReLU, dropout: forward beside backward. */

#include "nn-real.h"

#include "nn-rng.h"

#define SELU_SCALE ((real) 1.05070098735548049342)
#define SELU_ALPHA ((real) 1.67326324235437728481)
#define INV_SQRT_2 ((real) 0.70710678118654752440)
/* Hendrycks and Gimpel, Gaussian Error Linear Units, 2016: sqrt (2 / pi), and the cube's factor. */
#define GELU_SLOPE ((real) 0.79788456080286535588)
#define GELU_CUBE ((real) 0.044715)
#define TWO_INV_SQRT_PI ((real) 1.12837916709551257390)
#define INV_SQRT_2PI ((real) 0.39894228040143267794)

/* tanh (softplus (x)) with one exponential. */
static inline real
tanh_softplus (real x)
{
  real e = real_exp (x > 20 ? 20 : x), n = e * e + 2 * e;

  return n / (n + 2);
}

static inline real
softplus (real x)
{
  return (x > 0 ? x : 0) + real_log1p (real_exp (-real_abs (x)));
}

static inline real
clip (real x,
      real low,
      real high)
{
  x = x < low ? low : x;
  return x > high ? high : x;
}

#define EACH(VALUE)                     \
  for (gsize i = 0; i < n; i++)         \
    {                                   \
      const real v = x[i];              \
      y[i] = VALUE;                     \
    }                                   \
  break

/* y = act (x) */
void
CLASSED (nn_act_apply) (NnAct         act,
                        const NnAttrs *a,
                        gsize         n,
                        const real   *restrict x,
                        real         *restrict y)
{
  const real alpha = a->alpha, threshold = a->threshold, slope = a->slope, shift = a->shift;
  const real top = a->max_value > 0 ? (real) a->max_value : (real) INFINITY;

  switch (act)
    {
    case NN_ACT_RELU:
      EACH (v >= threshold ? (v > top ? top : v) : alpha * (v - threshold));
    case NN_ACT_LEAKY_RELU:
      EACH (v >= 0 ? v : alpha * v);
    case NN_ACT_THRESHOLDED_RELU:
      EACH (v > threshold ? v : 0);
    case NN_ACT_ELU:
      EACH (v > 0 ? v : alpha * (real_exp (v) - 1));
    case NN_ACT_SELU:
      EACH (SELU_SCALE * (v > 0 ? v : SELU_ALPHA * (real_exp (v) - 1)));
    case NN_ACT_GELU:
      EACH ((real) 0.5 * v * (1 + real_erf (v * INV_SQRT_2)));
    case NN_ACT_SIGMOID:
      EACH (real_sigmoid (v));
    case NN_ACT_HARD_SIGMOID:
      EACH (clip (slope * v + shift, 0, 1));
    case NN_ACT_TANH:
      EACH (real_tanh (v));
    case NN_ACT_HARD_TANH:
      EACH (clip (v, -1, 1));
    case NN_ACT_SOFTPLUS:
      EACH (softplus (v));
    case NN_ACT_SOFTSIGN:
      EACH (v / (1 + real_abs (v)));
    case NN_ACT_EXPONENTIAL:
      EACH (real_exp (v));
    case NN_ACT_SWISH:
      EACH (v * real_sigmoid (v));
    case NN_ACT_MISH:
      EACH (v * tanh_softplus (v));
    case NN_ACT_SIN:
      EACH (real_sin (v));
    case NN_ACT_COS:
      EACH (real_cos (v));
    case NN_ACT_TAN:
      EACH (real_sin (v) / real_cos (v));
    case NN_ACT_ATAN:
      EACH (real_atan (v));
    case NN_ACT_ABS:
      EACH (real_abs (v));
    case NN_ACT_SQRT:
      EACH (real_sqrt (v));
    case NN_ACT_LOG:
      EACH (real_log (v));
    case NN_ACT_ERF:
      EACH (real_erf (v));
    case NN_ACT_SIGN:
      EACH ((real) ((v > 0) - (v < 0)));
    case NN_ACT_FLOOR:
      EACH (real_floor (v));
    case NN_ACT_CEIL:
      EACH (-real_floor (-v));
    case NN_ACT_ROUND:
      EACH (real_rint (v));
    case NN_ACT_GELU_TANH:
      EACH ((real) 0.5 * v * (1 + real_tanh (GELU_SLOPE * (v + GELU_CUBE * v * v * v))));
    case NN_ACT_BINARY_TANH:
      EACH (v >= 0 ? 1 : -1);
    case NN_ACT_TERNARY_TANH:
      EACH (v > (real) 0.5 ? 1 : v < (real) -0.5 ? -1 : 0);
    default:
      EACH (v);
    }
}

#undef EACH
#define EACH(SLOPE)                     \
  for (gsize i = 0; i < n; i++)         \
    {                                   \
      const real v = x[i], o = y[i];    \
      (void) v, (void) o;               \
      gx[i] += gy[i] * (SLOPE);         \
    }                                   \
  break

/* Slope of the Gelu that is made of a tanh. */
static inline real
gelu_tanh_slope (real v)
{
  real t = real_tanh (GELU_SLOPE * (v + GELU_CUBE * v * v * v));

  return (real) 0.5 * (1 + t) + (real) 0.5 * v * (1 - t * t) * GELU_SLOPE * (1 + 3 * GELU_CUBE * v * v);
}

/* gx += gy act' (x), y being act (x). Steps by one (floor, ceil, round) pass it through. The steps of binary and ternary tanh pass the gradient through where the hard tanh has slope 1 (straight-through estimator). */
void
CLASSED (nn_act_back) (NnAct         act,
                       const NnAttrs *a,
                       gsize         n,
                       const real   *restrict x,
                       const real   *restrict y,
                       const real   *restrict gy,
                       real         *restrict gx)
{
  const real alpha = a->alpha, threshold = a->threshold, slope = a->slope;
  const real top = a->max_value > 0 ? (real) a->max_value : (real) INFINITY;

  switch (act)
    {
    case NN_ACT_RELU:
      EACH (v > threshold ? (v < top ? (real) 1 : 0) : alpha);
    case NN_ACT_LEAKY_RELU:
      EACH (v > 0 ? 1 : alpha);
    case NN_ACT_THRESHOLDED_RELU:
      EACH (v > threshold ? (real) 1 : 0);
    case NN_ACT_ELU:
      EACH (v > 0 ? 1 : o + alpha);
    case NN_ACT_SELU:
      EACH (v > 0 ? SELU_SCALE : o + SELU_SCALE * SELU_ALPHA);
    case NN_ACT_GELU:
      EACH ((real) 0.5 * (1 + real_erf (v * INV_SQRT_2)) + v * INV_SQRT_2PI * real_exp (-v * v / 2));
    case NN_ACT_SIGMOID:
      EACH (o * (1 - o));
    case NN_ACT_HARD_SIGMOID:
      EACH (o > 0 && o < 1 ? slope : 0);
    case NN_ACT_TANH:
      EACH (1 - o * o);
    case NN_ACT_HARD_TANH:
    case NN_ACT_SIGN:
    case NN_ACT_BINARY_TANH:
    case NN_ACT_TERNARY_TANH:
      EACH (v >= -1 && v <= 1 ? (real) 1 : 0);
    case NN_ACT_SOFTPLUS:
      EACH (real_sigmoid (v));
    case NN_ACT_SOFTSIGN:
      EACH ((1 - real_abs (o)) * (1 - real_abs (o)));
    case NN_ACT_EXPONENTIAL:
      EACH (o);
    case NN_ACT_SWISH:
      EACH (o + real_sigmoid (v) * (1 - o));
    case NN_ACT_MISH:
      EACH (tanh_softplus (v) + v * real_sigmoid (v) * (1 - tanh_softplus (v) * tanh_softplus (v)));
    case NN_ACT_SIN:
      EACH (real_cos (v));
    case NN_ACT_COS:
      EACH (-real_sin (v));
    case NN_ACT_TAN:
      EACH (1 + o * o);
    case NN_ACT_ATAN:
      EACH (1 / (1 + v * v));
    case NN_ACT_ABS:
      EACH ((real) ((v > 0) - (v < 0)));
    case NN_ACT_SQRT:
      EACH ((real) 0.5 / o);
    case NN_ACT_LOG:
      EACH (1 / v);
    case NN_ACT_ERF:
      EACH (TWO_INV_SQRT_PI * real_exp (-v * v));
    case NN_ACT_GELU_TANH:
      EACH (gelu_tanh_slope (v));
    default:
      EACH (1);
    }
}

void
CLASSED (nn_act_forward) (const NnLayer *l,
                          NnShard       *s)
{
  CLASSED (nn_act_apply) (l->act, &l->node->attrs, l->n_y * s->lanes, IN (l, s, 0), OUT (l, s));
}

void
CLASSED (nn_act_backward) (const NnLayer *l,
                           NnShard       *s)
{
  real *gx = GIN (l, s, 0);

  if (gx == NULL)
    return;
  if (!l->add[0])
    memset (gx, 0, l->n_y * s->lanes * sizeof (real));
  CLASSED (nn_act_back) (l->act, &l->node->attrs, l->n_y * s->lanes, IN (l, s, 0), OUT (l, s), GOUT (l, s), gx);
}

/* Classes lie `inner` apart; the maximum is taken off before the exponential. */
void
CLASSED (nn_softmax_forward) (const NnLayer *l,
                              NnShard       *s)
{
  const gsize lanes = s->lanes, step = l->inner * lanes, group = l->channels * step;

  for (gsize at = 0; at < l->n_y * lanes; at += group)
    for (gsize i = 0; i < step; i += NN_LANES)
      {
        const real *restrict x = IN (l, s, 0) + at + i;
        real *restrict y = OUT (l, s) + at + i, top[NN_LANES], sum[NN_LANES];

        for (int k = 0; k < NN_LANES; k++)
          top[k] = x[k], sum[k] = 0;
        for (gsize c = 1; c < l->channels; c++)
          for (int k = 0; k < NN_LANES; k++)
            top[k] = x[c * step + k] > top[k] ? x[c * step + k] : top[k];
        for (gsize c = 0; c < l->channels; c++)
          for (int k = 0; k < NN_LANES; k++)
            {
              y[c * step + k] = real_exp (x[c * step + k] - top[k]);
              sum[k] += y[c * step + k];
            }
        for (gsize c = 0; c < l->channels; c++)
          for (int k = 0; k < NN_LANES; k++)
            y[c * step + k] /= sum[k];
      }
}

void
CLASSED (nn_softmax_backward) (const NnLayer *l,
                               NnShard       *s)
{
  const gsize lanes = s->lanes, step = l->inner * lanes, group = l->channels * step;
  real *gx = GIN (l, s, 0);

  if (gx == NULL)
    return;
  for (gsize at = 0; at < l->n_y * lanes; at += group)
    for (gsize i = 0; i < step; i += NN_LANES)
      {
        const real *y = OUT (l, s) + at + i, *gy = GOUT (l, s) + at + i;
        real *to = gx + at + i, sum[NN_LANES] = { 0 };

        for (gsize c = 0; c < l->channels; c++)
          for (int k = 0; k < NN_LANES; k++)
            sum[k] += gy[c * step + k] * y[c * step + k];
        for (gsize c = 0; c < l->channels; c++)
          for (int k = 0; k < NN_LANES; k++)
            {
              real g = y[c * step + k] * (gy[c * step + k] - sum[k]);

              to[c * step + k] = l->add[0] ? to[c * step + k] + g : g;
            }
      }
}

/* Slopes are shared along some axes: `broadcast` says which slope an element has. */
void
CLASSED (nn_prelu_forward) (const NnLayer *l,
                            NnShard       *s)
{
  const real *slopes = WEIGHT (l, s, NN_ROLE_ALPHA);

  for (gsize e = 0; e < l->n_y; e++)
    {
      const real *x = IN (l, s, 0) + e * s->lanes, slope = slopes[l->broadcast[0] != NULL ? l->broadcast[0][e] : e];
      real *y = OUT (l, s) + e * s->lanes;

      for (guint k = 0; k < s->lanes; k++)
        y[k] = x[k] > 0 ? x[k] : slope * x[k];
    }
}

void
CLASSED (nn_prelu_backward) (const NnLayer *l,
                             NnShard       *s)
{
  const real *slopes = WEIGHT (l, s, NN_ROLE_ALPHA);
  real *gs = GRAD (l, s, NN_ROLE_ALPHA), *gx = GIN (l, s, 0);

  for (gsize e = 0; e < l->n_y; e++)
    {
      const gsize at = e * s->lanes, w = l->broadcast[0] != NULL ? l->broadcast[0][e] : e;
      const real *x = IN (l, s, 0) + at, *gy = GOUT (l, s) + at;
      real sum = 0;

      for (guint k = 0; k < s->lanes; k++)
        {
          real d = x[k] > 0 ? 0 : gy[k] * x[k];

          sum += s->squares ? d * d : d;
          if (gx != NULL)
            gx[at + k] = (l->add[0] ? gx[at + k] : 0) + (x[k] > 0 ? gy[k] : slopes[w] * gy[k]);
        }
      if (gs != NULL)
        gs[w] += sum;
    }
}

/* Inverted dropout: what stays is scaled up. The mask depends on seed, step, layer and shard only. */
void
CLASSED (nn_dropout_forward) (const NnLayer *l,
                              NnShard       *s)
{
  const real *x = IN (l, s, 0), keep = 1 / (1 - (real) l->node->attrs.rate);
  const guint64 limit = (guint64) (l->node->attrs.rate * 4294967296.0);
  real *y = OUT (l, s), *mask = BLOCK (s) + l->scratch;
  NnRng rng;

  nn_rng_init (&rng, s->key + l->id * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
  for (gsize i = 0; i < l->n_y * s->lanes; i++)
    {
      mask[i] = (nn_rng_next (&rng) >> 32) < limit ? 0 : keep;
      y[i] = x[i] * mask[i];
    }
}

void
CLASSED (nn_dropout_backward) (const NnLayer *l,
                               NnShard       *s)
{
  const real *mask = BLOCK (s) + l->scratch, *gy = GOUT (l, s);
  real *gx = GIN (l, s, 0);

  if (gx == NULL)
    return;
  for (gsize i = 0; i < l->n_y * s->lanes; i++)
    gx[i] = (l->add[0] ? gx[i] : 0) + gy[i] * mask[i];
}
