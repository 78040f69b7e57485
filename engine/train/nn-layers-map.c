/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers that are given by lists: moves, pooling, means, products; merges; embedding. */

#include "nn-real.h"

static void
clear_unless_added (const NnLayer *l,
                    NnShard       *s,
                    guint          k)
{
  if (l->gx[k] != NN_NOWHERE && !l->add[k])
    memset (BLOCK (s) + l->gx[k], 0, l->n_x[k] * s->lanes * sizeof (real));
}

/* to[e] = (or +=) sum of factor x[index] */
static void
weighted_sums (const NnMap *map,
               const real  *x,
               real        *to,
               gsize        lanes,
               gboolean     add)
{
  for (gsize e = 0; e < map->n_out; e++)
    for (gsize v = 0; v < lanes; v += VLEN)
      {
        vec *y = (vec *) (to + e * lanes + v), sum = add ? *y : (vec) {};

        if (map->factor != NULL)
          for (guint32 t = map->start[e]; t < map->start[e + 1]; t++)
            sum += splat (map->factor[t]) * *(const vec *) (x + map->index[t] * lanes + v);
        else
          for (guint32 t = map->start[e]; t < map->start[e + 1]; t++)
            sum += *(const vec *) (x + map->index[t] * lanes + v);
        *y = sum;
      }
}

void
CLASSED (nn_sum_map_forward) (const NnLayer *l,
                              NnShard       *s)
{
  weighted_sums (&l->map, IN (l, s, 0), OUT (l, s), s->lanes, FALSE);
}

void
CLASSED (nn_sum_map_backward) (const NnLayer *l,
                               NnShard       *s)
{
  if (GIN (l, s, 0) != NULL)
    weighted_sums (&l->back, GOUT (l, s), GIN (l, s, 0), s->lanes, l->add[0]);
}

/* Where a window's inputs begin; of the usual four they are found once, as stores could change the indices for all the compiler knows. */
#define WINDOW 4
#define AT(t) (n == WINDOW ? from[t] : index[t] * lanes)

static inline __attribute__ ((always_inline)) void
find_window (gsize          from[WINDOW],
             const guint32 *index,
             const guint    n,
             gsize          lanes)
{
  for (guint t = 0; n == WINDOW && t < WINDOW; t++)
    from[t] = index[t] * lanes;
}

/* The channels of one position, which have the same window of n inputs. */
static inline __attribute__ ((always_inline)) void
max_position (const NnLayer *l,
              NnShard       *s,
              gsize          p,
              const guint    n)
{
  const gsize lanes = s->lanes, c_n = l->channels;
  const guint32 *index = l->map.index + l->map.start[p * c_n];
  const real *x = IN (l, s, 0);
  real *y = OUT (l, s) + p * c_n * lanes;
  gsize from[WINDOW];

  find_window (from, index, n, lanes);
  for (gsize v = 0; v < c_n * lanes; v += VLEN)
    {
      vec top = *(const vec *) (x + AT (0) + v);

#pragma GCC unroll 4
      for (guint t = 1; t < n; t++)
        {
          vec other = *(const vec *) (x + AT (t) + v);
          ivec more = (other > top) | (other != other);

          top = (vec) (((ivec) other & more) | ((ivec) top & ~more));
        }
      *(vec *) (y + v) = top;
    }
}

static guint
window_of (const NnLayer *l,
           gsize          p)
{
  return l->map.start[p * l->channels + 1] - l->map.start[p * l->channels];
}

void
CLASSED (nn_max_map_forward) (const NnLayer *l,
                              NnShard       *s)
{
  for (gsize p = 0; p < l->map.n_out / l->channels; p++)
    if (window_of (l, p) == WINDOW)
      max_position (l, s, p, WINDOW);
    else
      max_position (l, s, p, window_of (l, p));
}

/* The first of equals has the gradient. With @store it is stored, else added to what is there. */
static inline __attribute__ ((always_inline)) void
max_gradient (const NnLayer *l,
              NnShard       *s,
              gsize          p,
              const guint    n,
              const gboolean store)
{
  const gsize lanes = s->lanes, c_n = l->channels;
  const guint32 *index = l->map.index + l->map.start[p * c_n];
  const real *x = IN (l, s, 0), *y = OUT (l, s) + p * c_n * lanes, *gy = GOUT (l, s) + p * c_n * lanes;
  real *gx = GIN (l, s, 0);
  const gboolean rectify = l->rectify;
  gsize from[WINDOW];

  find_window (from, index, n, lanes);
  for (gsize v = 0; v < c_n * lanes; v += VLEN)
    {
      const vec top = *(const vec *) (y + v);
      vec g = *(const vec *) (gy + v);

      if (rectify)
        g = (vec) ((ivec) g & (top > 0));
#pragma GCC unroll 4
      for (guint t = 0; t < n; t++)
        {
          const gsize at = AT (t) + v;
          const ivec hit = *(const vec *) (x + at) == top;

          if (store)
            *(vec *) (gx + at) = (vec) ((ivec) g & hit);
          else
            *(vec *) (gx + at) += (vec) ((ivec) g & hit);
          g = (vec) ((ivec) g & ~hit);
        }
    }
}

void
CLASSED (nn_max_map_backward) (const NnLayer *l,
                               NnShard       *s)
{
  const gsize lanes = s->lanes;
  real *gx = GIN (l, s, 0);

  if (gx == NULL)
    return;
  if (l->apart && !l->add[0])
    {
      for (gsize i = 0; i < l->n_gaps; i++)
        memset (gx + l->gaps[i] * lanes, 0, lanes * sizeof (real));
      for (gsize p = 0; p < l->map.n_out / l->channels; p++)
        if (window_of (l, p) == WINDOW)
          max_gradient (l, s, p, WINDOW, TRUE);
        else
          max_gradient (l, s, p, window_of (l, p), TRUE);
      return;
    }
  clear_unless_added (l, s, 0);
  for (gsize p = 0; p < l->map.n_out / l->channels; p++)
    max_gradient (l, s, p, window_of (l, p), FALSE);
}

void
CLASSED (nn_product_map_forward) (const NnLayer *l,
                                  NnShard       *s)
{
  const gsize lanes = s->lanes;

  for (gsize e = 0; e < l->map.n_out; e++)
    for (gsize v = 0; v < lanes; v += VLEN)
      {
        vec sum = {};

        for (guint32 t = l->map.start[e]; t < l->map.start[e + 1]; t++)
          sum += *(const vec *) (IN (l, s, 0) + l->map.index[t] * lanes + v) *
                 *(const vec *) (IN (l, s, 1) + l->map.other[t] * lanes + v);
        *(vec *) (OUT (l, s) + e * lanes + v) = sum;
      }
}

void
CLASSED (nn_product_map_backward) (const NnLayer *l,
                                   NnShard       *s)
{
  const gsize lanes = s->lanes;
  real *g0 = GIN (l, s, 0), *g1 = GIN (l, s, 1);

  clear_unless_added (l, s, 0);
  clear_unless_added (l, s, 1);
  for (gsize e = 0; e < l->map.n_out; e++)
    for (guint32 t = l->map.start[e]; t < l->map.start[e + 1]; t++)
      for (gsize v = 0; v < lanes; v += VLEN)
        {
          const gsize a = l->map.index[t] * lanes + v, b = l->map.other[t] * lanes + v;
          vec g = *(const vec *) (GOUT (l, s) + e * lanes + v);

          if (g0 != NULL)
            *(vec *) (g0 + a) += g * *(const vec *) (IN (l, s, 1) + b);
          if (g1 != NULL)
            *(vec *) (g1 + b) += g * *(const vec *) (IN (l, s, 0) + a);
        }
}

void
CLASSED (nn_weight_map_forward) (const NnLayer *l,
                                 NnShard       *s)
{
  const gsize lanes = s->lanes;
  const real *w = WEIGHT (l, s, NN_ROLE_KERNEL), *bias = WEIGHT (l, s, NN_ROLE_BIAS);

  for (gsize e = 0; e < l->map.n_out; e++)
    for (gsize v = 0; v < lanes; v += VLEN)
      {
        vec sum = bias != NULL ? splat (bias[l->broadcast[0][e]]) : (vec) {};

        for (guint32 t = l->map.start[e]; t < l->map.start[e + 1]; t++)
          sum += splat (w[l->map.other[t]]) * *(const vec *) (IN (l, s, 0) + l->map.index[t] * lanes + v);
        *(vec *) (OUT (l, s) + e * lanes + v) = sum;
      }
}

/* by_weight: for each weight the inputs (index) and outputs (other) it joins. */
void
CLASSED (nn_weight_map_backward) (const NnLayer *l,
                                  NnShard       *s)
{
  const gsize lanes = s->lanes;
  const real *w = WEIGHT (l, s, NN_ROLE_KERNEL), *gy = GOUT (l, s);
  real *gw = GRAD (l, s, NN_ROLE_KERNEL), *gb = GRAD (l, s, NN_ROLE_BIAS), *gx = GIN (l, s, 0);

  for (gsize i = 0; gw != NULL && i < l->by_weight.n_out; i++)
    for (gsize v = 0; v < lanes; v += VLEN)
      {
        vec sum = {};

        for (guint32 t = l->by_weight.start[i]; t < l->by_weight.start[i + 1]; t++)
          sum += *(const vec *) (IN (l, s, 0) + l->by_weight.index[t] * lanes + v) *
                 *(const vec *) (gy + l->by_weight.other[t] * lanes + v);
        if (s->squares)
          sum *= sum;
        gw[i] += vec_sum (sum);
      }
  for (gsize e = 0; gb != NULL && e < l->map.n_out; e++)
    for (gsize v = 0; v < lanes; v += VLEN)
      {
        vec g = *(const vec *) (gy + e * lanes + v);

        if (s->squares)
          g *= g;
        gb[l->broadcast[0][e]] += vec_sum (g);
      }
  clear_unless_added (l, s, 0);
  for (gsize e = 0; gx != NULL && e < l->map.n_out; e++)
    for (guint32 t = l->map.start[e]; t < l->map.start[e + 1]; t++)
      for (gsize v = 0; v < lanes; v += VLEN)
        *(vec *) (gx + l->map.index[t] * lanes + v) += splat (w[l->map.other[t]]) * *(const vec *) (gy + e * lanes + v);
}

/* Where element e of the output comes from in input k. */
static inline gsize
source (const NnLayer *l,
        guint          k,
        gsize          e)
{
  return l->broadcast[k] != NULL ? l->broadcast[k][e] : e;
}

#define EACH(VALUE)                          \
  for (guint i = 0; i < lanes; i++)          \
    {                                        \
      const real a = y[i], b = x[i];         \
      y[i] = VALUE;                          \
    }                                        \
  break

void
CLASSED (nn_merge_forward) (const NnLayer *l,
                            NnShard       *s)
{
  const guint lanes = s->lanes;

  for (gsize e = 0; e < l->n_y; e++)
    {
      real *restrict y = OUT (l, s) + e * lanes;

      memcpy (y, IN (l, s, 0) + source (l, 0, e) * lanes, lanes * sizeof (real));
      for (guint k = 1; k < l->n_in; k++)
        {
          const real *restrict x = IN (l, s, k) + source (l, k, e) * lanes;

          switch (l->merge)
            {
            case NN_OP_SUBTRACT:
              EACH (a - b);
            case NN_OP_MULTIPLY:
              EACH (a * b);
            case NN_OP_DIVIDE:
              EACH (a / b);
            case NN_OP_MAXIMUM:
              EACH (b > a ? b : a);
            case NN_OP_MINIMUM:
              EACH (b < a ? b : a);
            default:
              EACH (a + b);
            }
        }
      for (guint i = 0; l->merge == NN_OP_AVERAGE && i < lanes; i++)
        y[i] /= l->n_in;
    }
}

/* Adds input k's part of the gradient of element e. */
static void
merge_gradient (const NnLayer *l,
                NnShard       *s,
                guint          k,
                gsize          e)
{
  const guint lanes = s->lanes;
  const real *x = IN (l, s, k) + source (l, k, e) * lanes, *y = OUT (l, s) + e * lanes, *g = GOUT (l, s) + e * lanes;
  real *gx = GIN (l, s, k) + source (l, k, e) * lanes;

  for (guint i = 0; i < lanes; i++)
    {
      real d = g[i];

      switch (l->merge)
        {
        case NN_OP_SUBTRACT:
          d = k == 0 ? d : -d;
          break;
        case NN_OP_MULTIPLY:
          for (guint j = 0; j < l->n_in; j++)
            if (j != k)
              d *= IN (l, s, j)[source (l, j, e) * lanes + i];
          break;
        case NN_OP_DIVIDE:
          d = k == 0 ? d / IN (l, s, 1)[source (l, 1, e) * lanes + i] : -d * y[i] / x[i];
          break;
        case NN_OP_AVERAGE:
          d /= l->n_in;
          break;
        case NN_OP_MAXIMUM:
        case NN_OP_MINIMUM: /* the first of equals */
          d = x[i] == y[i] ? d : 0;
          for (guint j = 0; j < k; j++)
            d = IN (l, s, j)[source (l, j, e) * lanes + i] == y[i] ? 0 : d;
          break;
        default:
          break;
        }
      gx[i] += d;
    }
}

void
CLASSED (nn_merge_backward) (const NnLayer *l,
                             NnShard       *s)
{
  for (guint k = 0; k < l->n_in; k++)
    {
      if (GIN (l, s, k) == NULL)
        continue;
      clear_unless_added (l, s, k);
      if (l->merge == NN_OP_ADD && l->broadcast[k] == NULL)
        for (gsize i = 0; i < l->n_y * s->lanes; i++)
          GIN (l, s, k)[i] += GOUT (l, s)[i];
      else
        for (gsize e = 0; e < l->n_y; e++)
          merge_gradient (l, s, k, e);
    }
}

/* `inner` counts what lies inside the axis, `channels` its extent in the output. */
static void
concatenate (const NnLayer *l,
             NnShard       *s,
             gboolean       back)
{
  const gsize whole = l->channels * l->inner, outer = l->n_y / whole;
  gsize at = 0;

  for (guint k = 0; k < l->n_in; k++)
    {
      const gsize part = l->n_x[k] / outer, n = part * s->lanes;

      for (gsize o = 0; o < outer; o++)
        {
          real *joined = (back ? GOUT (l, s) : OUT (l, s)) + (o * whole + at) * s->lanes;

          if (!back)
            memcpy (joined, IN (l, s, k) + o * n, n * sizeof (real));
          else if (GIN (l, s, k) != NULL)
            for (gsize i = 0; i < n; i++)
              GIN (l, s, k)[o * n + i] = (l->add[k] ? GIN (l, s, k)[o * n + i] : 0) + joined[i];
        }
      at += part;
    }
}

void
CLASSED (nn_concatenate_forward) (const NnLayer *l,
                                  NnShard       *s)
{
  concatenate (l, s, FALSE);
}

void
CLASSED (nn_concatenate_backward) (const NnLayer *l,
                                   NnShard       *s)
{
  concatenate (l, s, TRUE);
}

/* Row of the table that an input names; outside of it the nearest. */
static gsize
row_of (const NnLayer *l,
        real           x)
{
  return x > 0 ? MIN ((gsize) x, l->channels - 1) : 0;
}

void
CLASSED (nn_embedding_forward) (const NnLayer *l,
                                NnShard       *s)
{
  const gsize lanes = s->lanes, units = l->inner;
  const real *table = WEIGHT (l, s, NN_ROLE_EMBEDDINGS);

  for (gsize p = 0; p < l->n_x[0]; p++)
    for (gsize k = 0; k < lanes; k++)
      for (gsize u = 0, row = row_of (l, IN (l, s, 0)[p * lanes + k]); u < units; u++)
        OUT (l, s)[(p * units + u) * lanes + k] = table[row * units + u];
}

/* For squares, a word that stands twice in a sample counts as two samples. */
void
CLASSED (nn_embedding_backward) (const NnLayer *l,
                                 NnShard       *s)
{
  const gsize lanes = s->lanes, units = l->inner;
  real *table = GRAD (l, s, NN_ROLE_EMBEDDINGS);

  for (gsize p = 0; table != NULL && p < l->n_x[0]; p++)
    for (gsize k = 0; k < s->valid; k++)
      for (gsize u = 0, row = row_of (l, IN (l, s, 0)[p * lanes + k]); u < units; u++)
        {
          real g = GOUT (l, s)[(p * units + u) * lanes + k];

          table[row * units + u] += s->squares ? g * g : g;
        }
}
