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

/* Sum over the positions and real samples of channel c. */
static double
channel_sum (const NnLayer *l,
             const NnShard *s,
             const real    *x,
             gsize          c)
{
  const gsize lanes = s->lanes, n_outer = l->n_y / (l->channels * l->inner);
  vec sum = {};
  double rest = 0;

  for (gsize outer = 0; outer < n_outer; outer++)
    {
      const real *row = x + (outer * l->channels + c) * l->inner * lanes;

      for (gsize i = 0; i < l->inner; i++, row += lanes)
        {
          guint v = 0;

          for (; v + VLEN <= s->valid; v += VLEN)
            sum += *(const vec *) (row + v);
          for (; v < s->valid; v++)
            rest += row[v];
        }
    }
  for (int i = 0; i < VLEN; i++)
    rest += sum[i];
  return rest;
}

/* Sum of (x - a) (z - b), the same way. */
static double
channel_product (const NnLayer *l,
                 const NnShard *s,
                 const real    *x,
                 real           a,
                 const real    *z,
                 real           b,
                 gsize          c)
{
  const gsize lanes = s->lanes, n_outer = l->n_y / (l->channels * l->inner);
  const vec av = splat (a), bv = splat (b);
  vec sum = {};
  double rest = 0;

  for (gsize outer = 0; outer < n_outer; outer++)
    {
      const gsize at = (outer * l->channels + c) * l->inner * lanes;

      for (gsize i = 0; i < l->inner; i++)
        {
          const real *p = x + at + i * lanes, *q = z + at + i * lanes;
          guint v = 0;

          for (; v + VLEN <= s->valid; v += VLEN)
            sum += (*(const vec *) (p + v) - av) * (*(const vec *) (q + v) - bv);
          for (; v < s->valid; v++)
            rest += (double) (p[v] - a) * (q[v] - b);
        }
    }
  for (int i = 0; i < VLEN; i++)
    rest += sum[i];
  return rest;
}

/* y = factor x + shift, rectified with @relu; or y += with @add. */
static void
channel_affine (const NnLayer *l,
                const NnShard *s,
                const real    *restrict x,
                real          *restrict y,
                real           factor,
                real           shift,
                gsize          c,
                gboolean       add,
                gboolean       relu)
{
  const gsize n = l->inner * s->lanes, n_outer = l->n_y / (l->channels * l->inner);

  for (gsize outer = 0; outer < n_outer; outer++)
    {
      const gsize at = (outer * l->channels + c) * n;

      if (add)
        for (gsize i = 0; i < n; i++)
          y[at + i] += x[at + i] * factor + shift;
      else if (relu)
        for (gsize i = 0; i < n; i++)
          {
            real v = x[at + i] * factor + shift;

            y[at + i] = v < 0 ? 0 : v;
          }
      else
        for (gsize i = 0; i < n; i++)
          y[at + i] = x[at + i] * factor + shift;
    }
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

void
CLASSED (nn_batch_norm_forward) (const NnLayer *l,
                                 NnShard       *s)
{
  const real *x = IN (l, s, 0), *gamma = WEIGHT (l, s, NN_ROLE_GAMMA), *beta = WEIGHT (l, s, NN_ROLE_BETA);
  double *partial = (double *) s->partial + l->stats;

  for (gsize c = 0; c < l->channels; c++)
    if (l->frozen)
      {
        double inverse, mean, factor;

        frozen_affine (l, s, c, &inverse, &mean);
        factor = inverse * weight_or (gamma, c, 1);
        channel_affine (l, s, x, OUT (l, s), factor, weight_or (beta, c, 0) - mean * factor, c, FALSE,
                        l->relu);
      }
    else
      {
        double mean = channel_sum (l, s, x, c) / channel_count (l, s);

        /* the squares are taken about what float makes of the mean, and the mean is corrected to match */
        partial[c] = mean;
        partial[l->channels + c] = channel_product (l, s, x, mean, x, mean, c);
      }
}

void
CLASSED (nn_batch_norm_finish) (const NnLayer *l,
                                NnShard       *s)
{
  const double *stats = (const double *) s->stats + l->stats;
  const real *gamma = WEIGHT (l, s, NN_ROLE_GAMMA), *beta = WEIGHT (l, s, NN_ROLE_BETA);

  for (gsize c = 0; c < l->channels; c++)
    {
      double factor = stats[l->channels + c] * weight_or (gamma, c, 1);

      channel_affine (l, s, IN (l, s, 0), OUT (l, s), factor, weight_or (beta, c, 0) - stats[c] * factor, c, FALSE,
                      l->relu);
    }
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

void
CLASSED (nn_batch_norm_backward) (const NnLayer *l,
                                  NnShard       *s)
{
  const real *x = IN (l, s, 0), *gy = GOUT (l, s), *gamma = WEIGHT (l, s, NN_ROLE_GAMMA);
  const double *stats = (const double *) s->stats + l->stats;
  double *partial = (double *) s->partial + l->stats + 2 * l->channels;
  real *gg = GRAD (l, s, NN_ROLE_GAMMA), *gb = GRAD (l, s, NN_ROLE_BETA), *gx = GIN (l, s, 0);

  for (gsize i = 0; l->relu && i < l->n_y * s->lanes; i++)
    GOUT (l, s)[i] = OUT (l, s)[i] > 0 ? GOUT (l, s)[i] : 0;
  for (gsize c = 0; c < l->channels; c++)
    {
      double mean, inverse, sum, product;

      if (l->frozen)
        frozen_affine (l, s, c, &inverse, &mean);
      else
        mean = stats[c], inverse = stats[l->channels + c];
      if (s->squares)
        channel_squares (l, s, mean, inverse, c, gg, gb);
      else if (gg != NULL || gb != NULL || !l->frozen)
        {
          sum = channel_sum (l, s, gy, c);
          product = inverse * channel_product (l, s, x, mean, gy, 0, c);
          if (gg != NULL)
            gg[c] += product;
          if (gb != NULL)
            gb[c] += sum;
          if (!l->frozen)
            partial[c] = sum, partial[l->channels + c] = product;
        }
      if (l->frozen && gx != NULL)
        channel_affine (l, s, gy, gx, inverse * weight_or (gamma, c, 1), 0, c, l->add[0], FALSE);
    }
}

/* gx = gamma / deviation (g - mean g - xhat mean (g xhat)) */
void
CLASSED (nn_batch_norm_finish_back) (const NnLayer *l,
                                     NnShard       *s)
{
  const double *stats = (const double *) s->stats + l->stats;
  const real *x = IN (l, s, 0), *gy = GOUT (l, s), *gamma = WEIGHT (l, s, NN_ROLE_GAMMA);
  const gsize n = l->inner * s->lanes, n_outer = l->n_y / (l->channels * l->inner);
  real *gx = GIN (l, s, 0);

  if (gx == NULL)
    return;
  for (gsize c = 0; c < l->channels; c++)
    {
      const real mean = stats[c], inverse = stats[l->channels + c], factor = inverse * weight_or (gamma, c, 1);
      const real g_mean = stats[2 * l->channels + c], g_xhat = stats[3 * l->channels + c];

      for (gsize outer = 0; outer < n_outer; outer++)
        {
          const gsize at = (outer * l->channels + c) * n;

          for (gsize i = at; i < at + n; i++)
            {
              real g = factor * (gy[i] - g_mean - (x[i] - mean) * inverse * g_xhat);

              gx[i] = l->add[0] ? gx[i] + g : g;
            }
        }
    }
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
