/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations rounded to a grid, with a straight-through estimator on the way back. */

#include "nn-quant.h"
#include "nn-real.h"

/* Integers up to this are exact in float with a half to spare. */
#define EXACT_WIDTH 20

/* A grid whose rounding is one of these needs no double and no table. */
static gboolean
is_simple (const NnQuantizer *q)
{
  const NnType *t = &q->type;

  return (q->kind == NN_QUANT_FIXED || (q->kind == NN_QUANT_RELU && !q->use_sigmoid && q->negative_slope == 0 && q->max_value <= 0)) &&
         q->alpha_mode == NN_ALPHA_ONE && q->n_elements == 0 && t->kind == NN_TYPE_FIXED && t->width >= 1 &&
         t->width <= EXACT_WIDTH && (t->overflow == NN_OVERFLOW_SAT || t->overflow == NN_OVERFLOW_SAT_SYM) &&
         (t->rounding == NN_ROUND_RND_CONV || t->rounding == NN_ROUND_RND || t->rounding == NN_ROUND_TRN);
}

static inline real
nearest_even (real v)
{
  const real r = floor (v), d = v - r;

  return d > (real) 0.5 || (d == (real) 0.5 && r != 2 * floor (r / 2)) ? r + 1 : r;
}

static void
quantize_simple (const NnQuantizer *q,
                 gsize              n,
                 const real        *restrict x,
                 real              *restrict y)
{
  const real lsb = nn_type_lsb (&q->type), scale = 1 / lsb, low = nn_type_min (&q->type) * scale;
  const real high = nn_type_max (&q->type) * scale, floor_of = q->kind == NN_QUANT_RELU ? MAX (low, 0) : low;

  switch (q->type.rounding)
    {
    case NN_ROUND_RND_CONV:
      for (gsize i = 0; i < n; i++)
        {
          real v = x[i] * scale;

          v = v < floor_of ? floor_of : v;
          v = v > high ? high : v;
          y[i] = nearest_even (v) * lsb;
        }
      break;
    case NN_ROUND_RND:
      for (gsize i = 0; i < n; i++)
        {
          real v = x[i] * scale, r = floor (v);

          r += v - r >= (real) 0.5 ? 1 : 0;
          r = r < floor_of ? floor_of : r;
          y[i] = (r > high ? high : r) * lsb;
        }
      break;
    default:
      for (gsize i = 0; i < n; i++)
        {
          real r = floor (x[i] * scale);

          r = r < floor_of ? floor_of : r;
          y[i] = (r > high ? high : r) * lsb;
        }
      break;
    }
}

/* The reference's own function, sample by sample. */
static void
quantize_generally (const NnQuantizer *q,
                    const NnShape     *shape,
                    gsize              n,
                    gsize              lanes,
                    double            *sample,
                    const real        *x,
                    real              *y)
{
  for (gsize k = 0; k < lanes; k++)
    {
      for (gsize e = 0; e < n; e++)
        sample[e] = x[e * lanes + k];
      nn_quantize (q, shape, sample);
      for (gsize e = 0; e < n; e++)
        y[e * lanes + k] = sample[e];
    }
}

/* @sample: room for one */
void
CLASSED (nn_quantize_apply) (const NnQuantizer *q,
                             const NnShape     *shape,
                             gsize              n,
                             gsize              lanes,
                             double            *sample,
                             const real        *x,
                             real              *y)
{
  if (is_simple (q))
    quantize_simple (q, n * lanes, x, y);
  else
    quantize_generally (q, shape, n, lanes, sample, x, y);
}

void
CLASSED (nn_quantize_forward) (const NnLayer *l,
                               NnShard       *s)
{
  CLASSED (nn_quantize_apply) (l->quantizer, &l->shape, l->n_y, s->lanes, (double *) (gpointer) (BLOCK (s) + l->scratch),
                               IN (l, s, 0), OUT (l, s));
}

/* Where the grid of element e begins and ends, as the input has it. */
static void
range_of (const NnQuantizer *q,
          gsize              e,
          real              *low,
          real              *high)
{
  const NnType *type = q->n_elements > 0 ? &q->per_element[e % q->n_elements] : &q->type;
  double scale = q->alpha_mode == NN_ALPHA_FIXED && q->n_alpha > 0 && q->alpha_divides ? q->alpha[e % q->n_alpha] : 1;

  *low = -INFINITY, *high = INFINITY;
  if (type->kind != NN_TYPE_FIXED || type->overflow == NN_OVERFLOW_WRAP || q->alpha_mode >= NN_ALPHA_AUTO || type->width < 1)
    return;
  *low = (nn_type_min (type) - q->zero_point) * scale;
  *high = (nn_type_max (type) - q->zero_point) * scale;
}

/*
 * The curve under the steps: identity where the grid reaches, the rectifier, the hard or true tanh and sigmoid; nothing where
 * it saturates. Sources: Y. Bengio, N. Leonard, A. Courville 2013; M. Courbariaux et al. 2016 for binary and ternary.
 */
static inline real
slope_of (const NnQuantizer *q,
          real               x)
{
  real t;

  switch (q->kind)
    {
    case NN_QUANT_TANH:
      t = real_tanh (x);
      return q->use_real_function ? 1 - t * t : x >= -1 && x <= 1;
    case NN_QUANT_SIGMOID:
      t = real_sigmoid (x);
      return q->use_real_function ? t * (1 - t) : x >= -1 && x <= 1 ? (real) 0.5 : 0;
    case NN_QUANT_ULAW:
    case NN_QUANT_BINARY:
    case NN_QUANT_TERNARY:
      return x >= -1 && x <= 1;
    case NN_QUANT_POWER_RELU:
      return x > 0 && (q->max_value <= 0 || x <= (real) q->max_value);
    default:
      return 1;
    }
}

/* @n elements with the same range. The two usual kinds have loops that become vector code. */
static inline __attribute__ ((always_inline)) void
pass_range (const NnQuantizer *q,
            gsize              n,
            const real        *x,
            const real        *g,
            real              *gx,
            real               low,
            real               high,
            const gboolean     add)
{
  const real below = q->negative_slope, top = q->max_value > 0 ? MIN (high, (real) q->max_value) : high;

  switch (q->kind)
    {
    case NN_QUANT_FIXED:
      for (gsize i = 0; i < n; i++)
        gx[i] = (add ? gx[i] : 0) + g[i] * (x[i] >= low && x[i] <= high ? (real) 1 : 0);
      break;
    case NN_QUANT_RELU:
      for (gsize i = 0; i < n; i++)
        gx[i] = (add ? gx[i] : 0) + g[i] * (x[i] <= 0 ? below : x[i] <= top ? (real) 1 : 0);
      break;
    default:
      for (gsize i = 0; i < n; i++)
        gx[i] = (add ? gx[i] : 0) + g[i] * slope_of (q, x[i]);
    }
}

void
CLASSED (nn_quantize_back) (const NnQuantizer *q,
                            gsize              n,
                            gsize              lanes,
                            const real        *x,
                            const real        *g,
                            real              *gx,
                            gboolean           add)
{
  const gboolean is_one = q->n_elements == 0 && q->n_alpha <= 1;
  const gsize at_once = is_one ? n * lanes : lanes;
  real low, high;

  for (gsize e = 0, i = 0; i < n * lanes; e++, i += at_once)
    {
      range_of (q, e, &low, &high);
      if (add)
        pass_range (q, at_once, x + i, g + i, gx + i, low, high, TRUE);
      else
        pass_range (q, at_once, x + i, g + i, gx + i, low, high, FALSE);
    }
}

void
CLASSED (nn_quantize_backward) (const NnLayer *l,
                                NnShard       *s)
{
  if (GIN (l, s, 0) != NULL)
    CLASSED (nn_quantize_back) (l->quantizer, l->n_y, s->lanes, IN (l, s, 0), GOUT (l, s), GIN (l, s, 0), l->add[0]);
}
