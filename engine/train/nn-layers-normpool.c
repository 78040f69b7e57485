/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batch normalisation in training with the max pooling that alone reads it, in one pass; and with the convolution before. */

#include "nn-real.h"

/*
 * The normalised tensor is never stored: each window is normalised, rectified and pooled in registers, on the way forward and
 * again on the way back. What stays is the largest of each window before normalisation, in the batch norm's scratch, so that
 * the sums over the gradient need no more than the pooled tensors.
 *
 * Where the convolution before it has no input to give a gradient to, its output is not stored either: in each of the three
 * passes (sums, pooling, gradient) it is computed again, a pooled row's worth at a time, in a buffer that stays in the cache.
 * Large first layers would otherwise spend their time on memory, above all with several threads.
 *
 * Windows do not overlap, and all channels of a position have the same window (nn-net-fuse.c looks for that).
 */
enum { FACTOR, SHIFT, SLOPE, OFFSET, N_COEFFICIENTS };

/* A run of pooled positions, with what they read: elements from @base on lie at @x, their gradients go to @gx. */
typedef struct {
  const real *x;
  real       *gx;
  gsize       base;
  gsize       from, to;
  gsize       gaps_to; /* gaps from the last part's on, before this element */
} Part;

/* y = FACTOR x + SHIFT forward; gx = FACTOR g - SLOPE x + OFFSET back. In the layer's memory for the time of a call. */
static real *
coefficients (const NnLayer *l,
              NnShard       *s)
{
  const double *stats = (const double *) s->stats + l->stats;
  const real *gamma = WEIGHT (l, s, NN_ROLE_GAMMA), *beta = WEIGHT (l, s, NN_ROLE_BETA);
  const gsize n = l->channels;
  real *k = BLOCK (s) + l->tmp;

  for (gsize c = 0; c < n; c++)
    {
      const double mean = stats[c], inverse = stats[n + c], factor = inverse * (gamma != NULL ? gamma[c] : 1);
      const double slope = factor * inverse * stats[3 * n + c];

      k[FACTOR * n + c] = factor;
      k[SHIFT * n + c] = (beta != NULL ? beta[c] : 0) - mean * (real) factor;
      k[SLOPE * n + c] = slope;
      k[OFFSET * n + c] = mean * slope - factor * stats[2 * n + c];
    }
  return k;
}

/* Behind the coefficients and the sums of all channels. */
static real *
row_buffer (const NnLayer *l,
            NnShard       *s)
{
  return BLOCK (s) + l->tmp + nn_norm_pool_head (l->channels);
}

/* Rows of the convolution that pooled row r takes; the last takes what is left. */
static void
rows_of (const NnLayer *l,
         guint          r,
         guint         *first,
         guint         *last)
{
  const guint each = l->conv->window.oh / l->pool_rows;

  *first = r * each;
  *last = r + 1 < l->pool_rows ? *first + each : l->conv->window.oh;
}

/* Part r of pool_rows, or all where nothing is computed again. */
static Part
part_of (const NnLayer *l,
         NnShard       *s,
         guint          r)
{
  const gsize positions = l->pool->n_y / l->channels;
  guint first, last;
  Part part = { .x = IN (l, s, 0), .gx = GIN (l, s, 0), .to = positions, .gaps_to = l->n_y };

  if (l->conv == NULL)
    return part;
  rows_of (l, r, &first, &last);
  part.x = part.gx = row_buffer (l, s);
  CLASSED (nn_linear_rows) (l->conv, s, first, last, FALSE, part.gx);
  part.base = (gsize) first * l->conv->window.ow * l->channels;
  part.from = positions / l->pool_rows * r;
  part.to = part.from + positions / l->pool_rows;
  part.gaps_to = (gsize) last * l->conv->window.ow * l->channels;
  return part;
}

/*
 * Adds sums of x - at and of its square over some positions, two vectors for each channel; lanes that are no sample do not count.
 * Memory is read in its order, which the processor foresees; the sums stay in the first-level cache.
 */
static inline __attribute__ ((always_inline)) void
add_channel_sums (const real *x,
                  gsize       positions,
                  gsize       channels,
                  const real *at,
                  vec        *sums,
                  const ivec *valid,
                  const gsize lanes)
{
  for (gsize p = 0; p < positions; p++)
    for (gsize c = 0; c < channels; c++, x += lanes)
      {
        const vec from = splat (at[c]);
        vec sum = sums[2 * c], square = sums[2 * c + 1];

#pragma GCC unroll 4
        for (gsize v = 0; v < lanes; v += VLEN)
          {
            const vec d = (vec) ((ivec) (*(const vec *) (x + v) - from) & valid[v / VLEN]);

            sum += d;
            square += d * d;
          }
        sums[2 * c] = sum;
        sums[2 * c + 1] = square;
      }
}

static void
add_sums (const NnLayer *l,
          const NnShard *s,
          const real    *x,
          gsize          positions,
          const real    *at,
          vec           *sums)
{
  ivec *valid = g_newa (ivec, s->lanes / VLEN);

  for (guint v = 0; v < s->lanes; v += VLEN)
    valid[v / VLEN] = valid_lanes (s, v);
  if (s->lanes == NN_LANES)
    add_channel_sums (x, positions, l->channels, at, sums, valid, NN_LANES);
  else
    add_channel_sums (x, positions, l->channels, at, sums, valid, s->lanes);
}

/* About the mean of each channel: that of the first rows. */
static void
pilot_means (const NnLayer *l,
             const NnShard *s,
             const real    *x,
             gsize          positions,
             real          *at)
{
  for (gsize c = 0; c < l->channels; c++)
    {
      real sum = 0;

      for (gsize p = 0; p < positions; p++)
        for (guint i = 0; i < s->valid; i++)
          sum += x[(p * l->channels + c) * s->lanes + i];
      at[c] = sum / (positions * s->valid);
    }
}

#define PILOTS 4

/* The convolution, and each channel's mean and sum of squares about it. */
void
CLASSED (nn_norm_pool_sums) (const NnLayer *l,
                             NnShard       *s)
{
  const guint ow = l->conv->window.ow;
  const double count = (double) (l->n_y / l->channels) * s->valid;
  double *partial = (double *) s->partial + l->stats;
  real *at = BLOCK (s) + l->tmp, *buffer = row_buffer (l, s);
  vec *sums = (vec *) (gpointer) (at + nn_norm_pool_coefficients (l->channels));

  memset (sums, 0, 2 * l->channels * sizeof (vec));
  for (guint r = 0; r < l->pool_rows; r++)
    {
      guint first, last;

      rows_of (l, r, &first, &last);
      CLASSED (nn_linear_rows) (l->conv, s, first, last, r == 0, buffer);
      if (r == 0)
        pilot_means (l, s, buffer, MIN (ow, PILOTS), at);
      add_sums (l, s, buffer, (gsize) (last - first) * ow, at, sums);
    }
  for (gsize c = 0; c < l->channels; c++)
    {
      double sum = 0, square = 0;

      for (int i = 0; i < VLEN; i++)
        sum += sums[2 * c][i], square += sums[2 * c + 1][i];
      partial[c] = at[c] + sum / count;
      partial[l->channels + c] = MAX (square - sum * sum / count, 0);
    }
}

/* Where a window's inputs begin; of the usual four they are found once, as stores could change the indices for all the compiler knows. */
#define WINDOW 4

typedef struct {
  gsize          from[WINDOW];
  const guint32 *index;
  gsize          base, lanes;
} Window;

static inline __attribute__ ((always_inline)) Window
window_at (const NnLayer *l,
           const NnShard *s,
           const Part    *part,
           gsize          p,
           const guint    n)
{
  Window w = { .index = l->pool->map.index + l->pool->map.start[p * l->channels], .base = part->base, .lanes = s->lanes };

  for (guint t = 0; n == WINDOW && t < WINDOW; t++)
    w.from[t] = (w.index[t] - w.base) * w.lanes;
  return w;
}

#define AT(w, n, t) ((n) == WINDOW ? (w)->from[t] : ((w)->index[t] - (w)->base) * (w)->lanes)

/*
 * Of the window of one position and channel, @n terms: what normalisation makes the largest, which is the smallest where it
 * turns the order round. One that is no number need not be found: the mean and with it all results are none then.
 */
static inline __attribute__ ((always_inline)) vec
top_of (const real   *x,
        const Window *w,
        const guint   n,
        ivec          turned)
{
  vec most = *(const vec *) (x + AT (w, n, 0)), least = most;

#pragma GCC unroll 4
  for (guint t = 1; t < n; t++)
    {
      const vec here = *(const vec *) (x + AT (w, n, t));
      const ivec more = here > most, less = here < least;

      most = (vec) (((ivec) here & more) | ((ivec) most & ~more));
      least = (vec) (((ivec) here & less) | ((ivec) least & ~less));
    }
  return (vec) (((ivec) least & turned) | ((ivec) most & ~turned));
}

static inline __attribute__ ((always_inline)) void
pool_position (const NnLayer *l,
               NnShard       *s,
               const real    *k,
               const Part    *part,
               gsize          p,
               const guint    n)
{
  const NnLayer *pool = l->pool;
  const gsize lanes = s->lanes, c_n = l->channels;
  const Window w = window_at (l, s, part, p, n);
  const gboolean relu = l->relu;
  real *y = OUT (pool, s) + p * c_n * lanes, *tops = BLOCK (s) + l->scratch + p * c_n * lanes;

  for (gsize c = 0; c < c_n; c++)
    for (gsize v = 0; v < lanes; v += VLEN)
      {
        const vec factor = splat (k[FACTOR * c_n + c]), shift = splat (k[SHIFT * c_n + c]);
        const vec raw = top_of (part->x + c * lanes + v, &w, n, factor < 0);
        vec top = raw * factor + shift;

        if (relu)
          top = (vec) ((ivec) top & ~(ivec) (top < 0));
        *(vec *) (y + c * lanes + v) = top;
        *(vec *) (tops + c * lanes + v) = raw;
      }
}

static guint
window_of (const NnLayer *l,
           gsize          p)
{
  return l->pool->map.start[p * l->channels + 1] - l->pool->map.start[p * l->channels];
}

void
CLASSED (nn_norm_pool_finish) (const NnLayer *l,
                               NnShard       *s)
{
  const real *k = coefficients (l, s);

  for (guint r = 0; r < (l->conv != NULL ? l->pool_rows : 1); r++)
    {
      const Part part = part_of (l, s, r);

      for (gsize p = part.from; p < part.to; p++)
        if (window_of (l, p) == WINDOW)
          pool_position (l, s, k, &part, p, WINDOW);
        else
          pool_position (l, s, k, &part, p, window_of (l, p));
    }
}

/*
 * Adds sums of the gradient and of its product with the raw value less its mean, as add_channel_sums(). Where the rectifier's
 * output is more than 0 is computed again, as it would have to come from far.
 */
static inline __attribute__ ((always_inline)) void
add_gradient_sums (const NnLayer *l,
                   NnShard       *s,
                   const real    *k,
                   vec           *sums,
                   const gsize    lanes)
{
  const double *stats = (const double *) s->stats + l->stats;
  const real *top = BLOCK (s) + l->scratch, *g = GOUT (l->pool, s);
  const gsize c_n = l->channels, positions = l->pool->n_y / c_n;
  const gboolean relu = l->relu;

  for (gsize p = 0; p < positions; p++)
    for (gsize c = 0; c < c_n; c++, top += lanes, g += lanes)
      {
        const vec factor = splat (k[FACTOR * c_n + c]), shift = splat (k[SHIFT * c_n + c]), at = splat (stats[c]);
        vec sum = sums[2 * c], product = sums[2 * c + 1];

#pragma GCC unroll 4
        for (gsize v = 0; v < lanes; v += VLEN)
          {
            const vec raw = *(const vec *) (top + v);
            vec here = *(const vec *) (g + v);

            if (relu)
              here = (vec) ((ivec) here & (raw * factor + shift > 0));
            sum += here;
            product += here * (raw - at);
          }
        sums[2 * c] = sum;
        sums[2 * c + 1] = product;
      }
}

/* Gradients of gamma and beta, and what the barrier adds up. Lanes that are no sample have no gradient yet. */
void
CLASSED (nn_norm_pool_backward) (const NnLayer *l,
                                 NnShard       *s)
{
  const double *stats = (const double *) s->stats + l->stats;
  const gsize c_n = l->channels;
  double *partial = (double *) s->partial + l->stats + 2 * c_n;
  real *k = coefficients (l, s), *gg = GRAD (l, s, NN_ROLE_GAMMA), *gb = GRAD (l, s, NN_ROLE_BETA);
  vec *sums = (vec *) (gpointer) (k + nn_norm_pool_coefficients (c_n));

  memset (sums, 0, 2 * c_n * sizeof (vec));
  if (s->lanes == NN_LANES)
    add_gradient_sums (l, s, k, sums, NN_LANES);
  else
    add_gradient_sums (l, s, k, sums, s->lanes);
  for (gsize c = 0; c < c_n; c++)
    {
      double to_beta = 0, to_gamma = 0;

      for (int i = 0; i < VLEN; i++)
        to_beta += sums[2 * c][i], to_gamma += sums[2 * c + 1][i];
      to_gamma *= stats[c_n + c];
      if (gg != NULL)
        gg[c] += to_gamma;
      if (gb != NULL)
        gb[c] += to_beta;
      partial[c] = to_beta;
      partial[c_n + c] = to_gamma;
    }
}

/* The first of a window's largest has the gradient, as in max pooling. Each element is read before it is written: x may be gx. */
static inline __attribute__ ((always_inline)) void
spread_position (const NnLayer *l,
                 NnShard       *s,
                 const real    *k,
                 const Part    *part,
                 gsize          p,
                 const guint    n)
{
  const NnLayer *pool = l->pool;
  const gsize lanes = s->lanes, c_n = l->channels;
  const Window w = window_at (l, s, part, p, n);
  const gboolean relu = l->relu;
  const real *x = part->x, *tops = BLOCK (s) + l->scratch + p * c_n * lanes, *gy = GOUT (pool, s) + p * c_n * lanes;
  real *gx = part->gx;

  for (gsize c = 0; c < c_n; c++)
    for (gsize v = 0; v < lanes; v += VLEN)
      {
        const vec factor = splat (k[FACTOR * c_n + c]), slope = splat (k[SLOPE * c_n + c]), offset = splat (k[OFFSET * c_n + c]);
        const vec top = *(const vec *) (tops + c * lanes + v);
        vec g = factor * *(const vec *) (gy + c * lanes + v);

        if (relu)
          g = (vec) ((ivec) g & (top * factor + splat (k[SHIFT * c_n + c]) > 0));
#pragma GCC unroll 4
        for (guint t = 0; t < n; t++)
          {
            const gsize at = AT (&w, n, t) + c * lanes + v;
            const vec here = *(const vec *) (x + at);
            const ivec hit = here == top;

            *(vec *) (gx + at) = (vec) ((ivec) g & hit) + (offset - here * slope);
            g = (vec) ((ivec) g & ~hit);
          }
      }
}

/* What no window reads has the means' part only. */
static gsize
spread_gaps (const NnLayer *l,
             NnShard       *s,
             const real    *k,
             const Part    *part,
             gsize          i)
{
  const NnLayer *pool = l->pool;
  const gsize lanes = s->lanes, c_n = l->channels;

  for (; i < pool->n_gaps && pool->gaps[i] < part->gaps_to; i++)
    {
      const gsize c = pool->gaps[i] % c_n, from = (pool->gaps[i] - part->base) * lanes;

      for (gsize v = from; v < from + lanes; v += VLEN)
        *(vec *) (part->gx + v) = splat (k[OFFSET * c_n + c]) - *(const vec *) (part->x + v) * splat (k[SLOPE * c_n + c]);
    }
  return i;
}

/* Lanes that are no sample have no gradient, though the means have made them one. */
static void
clear_lanes (const NnShard *s,
             real          *g,
             gsize          n)
{
  for (gsize e = 0; s->valid < s->lanes && e < n; e++)
    memset (g + e * s->lanes + s->valid, 0, (s->lanes - s->valid) * sizeof (real));
}

void
CLASSED (nn_norm_pool_finish_back) (const NnLayer *l,
                                    NnShard       *s)
{
  const real *k = coefficients (l, s);
  gsize gap = 0;

  for (guint r = 0; r < (l->conv != NULL ? l->pool_rows : 1); r++)
    {
      const Part part = part_of (l, s, r);
      guint first, last;

      for (gsize p = part.from; p < part.to; p++)
        if (window_of (l, p) == WINDOW)
          spread_position (l, s, k, &part, p, WINDOW);
        else
          spread_position (l, s, k, &part, p, window_of (l, p));
      gap = spread_gaps (l, s, k, &part, gap);
      clear_lanes (s, part.gx, part.gaps_to - part.base);
      if (l->conv == NULL)
        continue;
      rows_of (l, r, &first, &last);
      CLASSED (nn_linear_rows_gradient) (l->conv, s, first, last, part.gx);
    }
}
