/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batch normalisation (training and frozen), layer normalisation, scale. */

#include "nn-real.h"

/*
 * Source: S. Ioffe, C. Szegedy, Batch Normalization, 2015, algorithm 1; epsilon and the biased variance as in Keras.
 * In training the batch statistics need all shards: forward() and backward() leave a shard's sums in `partial`, the
 * network adds them up in a fixed order between two parallel loops, and the finishing functions use the results:
 *   partial  [mean C][sum of squares about it C]  [sum g C][sum g xhat C]   double
 *   stats    [mean C][1 / deviation C]            [mean g C][mean g xhat C] double
 */

/*
 * Channels lie side by side, so a block of them is worked on at once, its sums and factors in registers, position by
 * position: every line of memory is read once a pass.
 */
#define BLOCK_OF (VBYTES == 64 ? 8 : 4)

#define EACH_BLOCK(l, c, CALL)                                    \
  for (gsize c = 0; c < (l)->channels;)                           \
    if (c + BLOCK_OF <= (l)->channels)                            \
      {                                                           \
        const int n = BLOCK_OF;                                   \
        CALL;                                                     \
        c += n;                                                   \
      }                                                           \
    else                                                          \
      {                                                           \
        const int n = 1;                                          \
        CALL;                                                     \
        c += n;                                                   \
      }

static inline __attribute__ ((always_inline)) vec
rectified (vec x)
{
  return (vec) ((ivec) x & ~(ivec) (x < 0));
}

/* Sums over the positions and real samples of n channels from c on: of x - at, and of its product with x - at or with g. */
typedef struct {
  const real *x;
  real       *g;      /* (nullable) */
  const real *y;      /* (nullable): where it is not above 0, g is made 0 */
  const real *at;
  double     *sum, *product;
  gsize       c;
} Sums;

static inline __attribute__ ((always_inline)) void
block_sums (const NnLayer *l,
            const NnShard *s,
            const Sums    *q,
            const int      n,
            const gboolean whole)
{
  const gsize lanes = s->lanes, n_outer = l->n_y / (l->channels * l->inner), next = l->inner * lanes;
  vec sum[BLOCK_OF], product[BLOCK_OF], at[BLOCK_OF];

  for (int k = 0; k < n; k++)
    sum[k] = product[k] = (vec) {}, at[k] = splat (q->at[k]);
  for (gsize outer = 0; outer < n_outer; outer++)
    for (gsize i = 0; i < l->inner; i++)
      for (gsize v = 0; v < lanes; v += VLEN)
        {
          const gsize from = ((outer * l->channels + q->c) * l->inner + i) * lanes + v;
          const ivec mask = whole ? (ivec) {} : valid_lanes (s, v);

#pragma GCC unroll 8
          for (int k = 0; k < n; k++)
            {
              vec x = *(const vec *) (q->x + from + k * next) - at[k], g = x;

              if (q->g != NULL)
                g = *(const vec *) (q->g + from + k * next);
              if (q->y != NULL)
                *(vec *) (q->g + from + k * next) = g = (vec) ((ivec) g & (*(const vec *) (q->y + from + k * next) > 0));
              if (!whole)
                g = (vec) ((ivec) g & mask);
              sum[k] += g;
              product[k] += x * g;
            }
        }
  for (int k = 0; k < n; k++)
    {
      q->sum[k] = q->product[k] = 0;
      for (int i = 0; i < VLEN; i++)
        q->sum[k] += sum[k][i], q->product[k] += product[k][i];
    }
}

static void
channel_sums (const NnLayer *l,
              const NnShard *s,
              const Sums    *q,
              int            n)
{
  const gboolean whole = s->valid == s->lanes;

  if (n == BLOCK_OF && whole)
    {
      if (q->g == NULL)
        block_sums (l, s, &(Sums) { q->x, NULL, NULL, q->at, q->sum, q->product, q->c }, BLOCK_OF, TRUE);
      else if (q->y == NULL)
        block_sums (l, s, &(Sums) { q->x, q->g, NULL, q->at, q->sum, q->product, q->c }, BLOCK_OF, TRUE);
      else
        block_sums (l, s, q, BLOCK_OF, TRUE);
    }
  else if (n == BLOCK_OF)
    block_sums (l, s, q, BLOCK_OF, FALSE);
  else
    block_sums (l, s, q, 1, whole);
}

#define PILOTS 16

/* About the mean of a channel, from a few positions. */
static real
pilot_mean (const NnLayer *l,
            const NnShard *s,
            const real    *x,
            gsize          c)
{
  const gsize positions = l->n_y / l->channels, n = MIN (positions, PILOTS);
  real sum = 0;

  for (gsize k = 0; k < n; k++)
    {
      const gsize p = k * positions / n;

      for (guint i = 0; i < s->valid; i++)
        sum += x[((p / l->inner * l->channels + c) * l->inner + p % l->inner) * s->lanes + i];
    }
  return sum / (n * s->valid);
}

/* y = factor x + shift, rectified with @relu; or y += with @add; of n channels from c on. */
static inline __attribute__ ((always_inline)) void
block_affine (const NnLayer *l,
              const NnShard *s,
              const real    *x,
              real          *y,
              const real    *factor,
              const real    *shift,
              gsize          c,
              const int      n,
              const gboolean add,
              const gboolean relu)
{
  const gsize lanes = s->lanes, n_outer = l->n_y / (l->channels * l->inner), next = l->inner * lanes;
  vec f[BLOCK_OF], b[BLOCK_OF];

  for (int k = 0; k < n; k++)
    f[k] = splat (factor[k]), b[k] = splat (shift[k]);
  for (gsize outer = 0; outer < n_outer; outer++)
    for (gsize i = 0; i < next; i += VLEN)
      {
        const gsize from = (outer * l->channels + c) * next + i;

#pragma GCC unroll 8
        for (int k = 0; k < n; k++)
          {
            vec value = *(const vec *) (x + from + k * next) * f[k] + b[k];

            if (add)
              value += *(const vec *) (y + from + k * next);
            *(vec *) (y + from + k * next) = relu ? rectified (value) : value;
          }
      }
}

static inline __attribute__ ((always_inline)) void
channel_affine (const NnLayer *l,
                const NnShard *s,
                const real    *x,
                real          *y,
                const real    *factor,
                const real    *shift,
                gsize          c,
                const int      n,
                gboolean       add,
                gboolean       relu)
{
  if (add)
    block_affine (l, s, x, y, factor, shift, c, n, TRUE, FALSE);
  else if (relu)
    block_affine (l, s, x, y, factor, shift, c, n, FALSE, TRUE);
  else
    block_affine (l, s, x, y, factor, shift, c, n, FALSE, FALSE);
}

static double
channel_count (const NnLayer *l,
               const NnShard *s)
{
  return (double) (l->n_y / l->channels) * s->valid;
}

static inline real
weight_or (const real *w,
           gsize       c,
           real        otherwise)
{
  return w != NULL ? w[c] : otherwise;
}

/* What the frozen layer multiplies by. */
static void
frozen_affine (const NnLayer *l,
               NnShard       *s,
               gsize          c,
               double        *inverse,
               double        *mean)
{
  const real *var = WEIGHT (l, s, NN_ROLE_VARIANCE), *mu = WEIGHT (l, s, NN_ROLE_MEAN);

  *inverse = 1 / sqrt ((double) weight_or (var, c, 1) + l->node->attrs.epsilon);
  *mean = weight_or (mu, c, 0);
}

/* What n channels from c on are multiplied by, and what is added. */
static void
affine_of (const NnLayer *l,
           NnShard       *s,
           gsize          c,
           int            n,
           real          *factor,
           real          *shift)
{
  const double *stats = (const double *) s->stats + l->stats;
  const real *gamma = WEIGHT (l, s, NN_ROLE_GAMMA), *beta = WEIGHT (l, s, NN_ROLE_BETA);

  for (int k = 0; k < n; k++)
    {
      double inverse, mean, f;

      if (l->frozen)
        frozen_affine (l, s, c + k, &inverse, &mean);
      else
        mean = stats[c + k], inverse = stats[l->channels + c + k];
      f = inverse * weight_or (gamma, c + k, 1);
      factor[k] = f;
      shift[k] = weight_or (beta, c + k, 0) - mean * f;
    }
}

/* Mean, and sum of squares about it, of n channels from c on. */
static void
block_statistics (const NnLayer *l,
                  NnShard       *s,
                  gsize          c,
                  int            n)
{
  double *partial = (double *) s->partial + l->stats, sum[BLOCK_OF], square[BLOCK_OF];
  const double count = channel_count (l, s);
  real at[BLOCK_OF];
  const Sums q = { .x = IN (l, s, 0), .at = at, .sum = sum, .product = square, .c = c };

  for (int k = 0; k < n; k++)
    at[k] = pilot_mean (l, s, q.x, c + k);
  channel_sums (l, s, &q, n);
  for (int k = 0; k < n; k++)
    {
      partial[c + k] = at[k] + sum[k] / count;
      partial[l->channels + c + k] = MAX (square[k] - sum[k] * sum[k] / count, 0);
    }
}

void
CLASSED (nn_batch_norm_finish) (const NnLayer *l,
                                NnShard       *s)
{
  real factor[BLOCK_OF], shift[BLOCK_OF];

  if (l->pool != NULL)
    {
      CLASSED (nn_norm_pool_finish) (l, s);
      return;
    }
  EACH_BLOCK (l, c, {
    affine_of (l, s, c, n, factor, shift);
    channel_affine (l, s, IN (l, s, 0), OUT (l, s), factor, shift, c, n, FALSE, l->relu);
  })
}

void
CLASSED (nn_batch_norm_forward) (const NnLayer *l,
                                 NnShard       *s)
{
  if (l->frozen)
    CLASSED (nn_batch_norm_finish) (l, s);
  else if (l->conv != NULL)
    CLASSED (nn_norm_pool_sums) (l, s);
  else
    EACH_BLOCK (l, c, block_statistics (l, s, c, n))
}

/* Per-sample squares for the frozen layer: sums over positions only, then squared. */
static void
channel_squares (const NnLayer *l,
                 const NnShard *s,
                 double         mean,
                 double         inverse,
                 gsize          c,
                 real          *gg,
                 real          *gb)
{
  const gsize lanes = s->lanes, n_outer = l->n_y / (l->channels * l->inner);

  for (guint k = 0; k < s->valid; k++)
    {
      double sum = 0, product = 0;

      for (gsize outer = 0; outer < n_outer; outer++)
        for (gsize i = 0; i < l->inner; i++)
          {
            const gsize at = ((outer * l->channels + c) * l->inner + i) * lanes + k;

            sum += GOUT (l, s)[at];
            product += GOUT (l, s)[at] * (IN (l, s, 0)[at] - mean) * inverse;
          }
      if (gg != NULL)
        gg[c] += product * product;
      if (gb != NULL)
        gb[c] += sum * sum;
    }
}

/* Gradients of gamma and beta, and what the barrier adds up, of n channels from c on; rectifies the gradient first. */
static void
block_gradient_sums (const NnLayer *l,
                     NnShard       *s,
                     gsize          c,
                     int            n)
{
  const double *stats = (const double *) s->stats + l->stats;
  double *partial = (double *) s->partial + l->stats + 2 * l->channels;
  real *gg = GRAD (l, s, NN_ROLE_GAMMA), *gb = GRAD (l, s, NN_ROLE_BETA), at[BLOCK_OF];
  double sum[BLOCK_OF], product[BLOCK_OF], inverse[BLOCK_OF], mean;

  for (int k = 0; k < n; k++)
    {
      if (l->frozen)
        frozen_affine (l, s, c + k, &inverse[k], &mean);
      else
        mean = stats[c + k], inverse[k] = stats[l->channels + c + k];
      at[k] = mean;
    }
  channel_sums (l, s, &(Sums) { IN (l, s, 0), GOUT (l, s), l->relu && !l->rectified ? OUT (l, s) : NULL, at, sum, product, c }, n);
  for (int k = 0; k < n; k++)
    {
      if (s->squares)
        channel_squares (l, s, at[k], inverse[k], c + k, gg, gb);
      if (gg != NULL && !s->squares)
        gg[c + k] += product[k] * inverse[k];
      if (gb != NULL && !s->squares)
        gb[c + k] += sum[k];
      if (!l->frozen)
        partial[c + k] = sum[k], partial[l->channels + c + k] = product[k] * inverse[k];
    }
}

void
CLASSED (nn_batch_norm_backward) (const NnLayer *l,
                                  NnShard       *s)
{
  static const real none[BLOCK_OF];
  real *gx = GIN (l, s, 0), factor[BLOCK_OF], shift[BLOCK_OF];

  if (l->pool != NULL)
    {
      CLASSED (nn_norm_pool_backward) (l, s);
      return;
    }
  EACH_BLOCK (l, c, {
    block_gradient_sums (l, s, c, n);
    if (l->frozen && gx != NULL)
      {
        affine_of (l, s, c, n, factor, shift);
        channel_affine (l, s, GOUT (l, s), gx, factor, none, c, n, l->add[0], FALSE);
      }
  })
}

/* gx = gamma / deviation (g - mean g - xhat mean (g xhat)) */
static inline __attribute__ ((always_inline)) void
block_input_gradient (const NnLayer *l,
                      NnShard       *s,
                      gsize          c,
                      const int      n)
{
  const double *stats = (const double *) s->stats + l->stats;
  const real *x = IN (l, s, 0), *gy = GOUT (l, s), *gamma = WEIGHT (l, s, NN_ROLE_GAMMA);
  const gsize next = l->inner * s->lanes, n_outer = l->n_y / (l->channels * l->inner);
  const gboolean add = l->add[0];
  real *gx = GIN (l, s, 0);
  vec mean[BLOCK_OF], factor[BLOCK_OF], g_mean[BLOCK_OF], slope[BLOCK_OF];

  for (int k = 0; k < n; k++)
    {
      const double inverse = stats[l->channels + c + k];

      mean[k] = splat (stats[c + k]);
      factor[k] = splat (inverse * weight_or (gamma, c + k, 1));
      g_mean[k] = splat (stats[2 * l->channels + c + k]);
      slope[k] = splat (inverse * stats[3 * l->channels + c + k]);
    }
  for (gsize outer = 0; outer < n_outer; outer++)
    for (gsize i = 0; i < next; i += VLEN)
      {
        const gsize from = (outer * l->channels + c) * next + i;

#pragma GCC unroll 8
        for (int k = 0; k < n; k++)
          {
            const gsize at = from + k * next;
            vec g = factor[k] * (*(const vec *) (gy + at) - g_mean[k] - (*(const vec *) (x + at) - mean[k]) * slope[k]);

            if (add)
              g += *(const vec *) (gx + at);
            *(vec *) (gx + at) = g;
          }
      }
}

void
CLASSED (nn_batch_norm_finish_back) (const NnLayer *l,
                                     NnShard       *s)
{
  real *gx = GIN (l, s, 0);

  if (gx == NULL)
    return;
  if (l->pool != NULL)
    {
      CLASSED (nn_norm_pool_finish_back) (l, s);
      return;
    }
  EACH_BLOCK (l, c, block_input_gradient (l, s, c, n))
  /* lanes that are no sample have no gradient, though the means have made them one */
  for (gsize e = 0; s->valid < s->lanes && e < l->n_y; e++)
    memset (gx + e * s->lanes + s->valid, 0, (s->lanes - s->valid) * sizeof (real));
}

/*
 * Layer normalisation over one axis: `channels` elements that lie `inner` apart. Source: J. Ba, J. Kiros, G. Hinton 2016.
 */
typedef struct {
  real mean[NN_LANES], inverse[NN_LANES];
} Moments;

static void
moments_of (const NnLayer *l,
            const real    *x,
            gsize          step,
            Moments       *m)
{
  real square[NN_LANES] = { 0 };

  for (int k = 0; k < NN_LANES; k++)
    m->mean[k] = 0;
  for (gsize c = 0; c < l->channels; c++)
    for (int k = 0; k < NN_LANES; k++)
      m->mean[k] += x[c * step + k];
  for (int k = 0; k < NN_LANES; k++)
    m->mean[k] /= l->channels;
  for (gsize c = 0; c < l->channels; c++)
    for (int k = 0; k < NN_LANES; k++)
      square[k] += (x[c * step + k] - m->mean[k]) * (x[c * step + k] - m->mean[k]);
  for (int k = 0; k < NN_LANES; k++)
    m->inverse[k] = 1 / real_sqrt (square[k] / l->channels + (real) l->node->attrs.epsilon);
}

void
CLASSED (nn_layer_norm_forward) (const NnLayer *l,
                                 NnShard       *s)
{
  const gsize step = l->inner * s->lanes, group = l->channels * step;
  const real *gamma = WEIGHT (l, s, NN_ROLE_GAMMA), *beta = WEIGHT (l, s, NN_ROLE_BETA);

  for (gsize at = 0; at < l->n_y * s->lanes; at += group)
    for (gsize i = at; i < at + step; i += NN_LANES)
      {
        const real *x = IN (l, s, 0) + i;
        Moments m;

        moments_of (l, x, step, &m);
        for (gsize c = 0; c < l->channels; c++)
          for (int k = 0; k < NN_LANES; k++)
            OUT (l, s)[i + c * step + k] = (x[c * step + k] - m.mean[k]) * m.inverse[k] * weight_or (gamma, c, 1) +
                                           weight_or (beta, c, 0);
      }
}

void
CLASSED (nn_layer_norm_backward) (const NnLayer *l,
                                  NnShard       *s)
{
  const gsize step = l->inner * s->lanes, group = l->channels * step;
  const real *gamma = WEIGHT (l, s, NN_ROLE_GAMMA);
  real *gx = GIN (l, s, 0), *gg = GRAD (l, s, NN_ROLE_GAMMA), *gb = GRAD (l, s, NN_ROLE_BETA);

  for (gsize at = 0; at < l->n_y * s->lanes; at += group)
    for (gsize i = at; i < at + step; i += NN_LANES)
      {
        const real *x = IN (l, s, 0) + i, *gy = GOUT (l, s) + i;
        real sum[NN_LANES] = { 0 }, product[NN_LANES] = { 0 };
        Moments m;

        moments_of (l, x, step, &m);
        for (gsize c = 0; c < l->channels; c++)
          {
            real to_gamma = 0, to_beta = 0;

            for (int k = 0; k < NN_LANES; k++)
              {
                real g = gy[c * step + k], hat = (x[c * step + k] - m.mean[k]) * m.inverse[k];

                to_gamma += s->squares ? g * hat * g * hat : g * hat;
                to_beta += s->squares ? g * g : g;
                sum[k] += g * weight_or (gamma, c, 1);
                product[k] += g * weight_or (gamma, c, 1) * hat;
              }
            if (gg != NULL)
              gg[c] += to_gamma;
            if (gb != NULL)
              gb[c] += to_beta;
          }
        for (gsize c = 0; gx != NULL && c < l->channels; c++)
          for (int k = 0; k < NN_LANES; k++)
            {
              real hat = (x[c * step + k] - m.mean[k]) * m.inverse[k];
              real g = m.inverse[k] * (gy[c * step + k] * weight_or (gamma, c, 1) - (sum[k] + hat * product[k]) / l->channels);

              gx[i + c * step + k] = (l->add[0] ? gx[i + c * step + k] : 0) + g;
            }
      }
}

/* y = scale x + bias by channel, or one of each for all. */
void
CLASSED (nn_scale_forward) (const NnLayer *l,
                            NnShard       *s)
{
  const real *scale = WEIGHT (l, s, NN_ROLE_SCALE), *bias = WEIGHT (l, s, NN_ROLE_BIAS);

  for (gsize e = 0; e < l->n_y; e++)
    for (gsize i = e * s->lanes, c = e % l->channels; i < (e + 1) * s->lanes; i++)
      OUT (l, s)[i] = IN (l, s, 0)[i] * weight_or (scale, c, 1) + weight_or (bias, c, 0);
}

void
CLASSED (nn_scale_backward) (const NnLayer *l,
                             NnShard       *s)
{
  const real *scale = WEIGHT (l, s, NN_ROLE_SCALE);
  real *gs = GRAD (l, s, NN_ROLE_SCALE), *gb = GRAD (l, s, NN_ROLE_BIAS), *gx = GIN (l, s, 0);

  for (gsize e = 0; e < l->n_y; e++)
    for (gsize i = e * s->lanes, c = e % l->channels; i < (e + 1) * s->lanes; i++)
      {
        real g = GOUT (l, s)[i], product = g * IN (l, s, 0)[i];

        if (gs != NULL)
          gs[c] += s->squares ? product * product : product;
        if (gb != NULL)
          gb[c] += s->squares ? g * g : g;
        if (gx != NULL)
          gx[i] = (l->add[0] ? gx[i] : 0) + g * weight_or (scale, c, 1);
      }
}
