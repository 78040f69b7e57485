/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gradients of dense layers and convolutions for their biases and kernels. */

#include "nn-linear.h"

/* Makes the gradient 0 where the output is, with @rectify, and adds it up for the bias unless @gb is NULL: in one pass. */
static inline __attribute__ ((always_inline)) void
positions_gradient (const NnLayer *l,
                    NnShard       *s,
                    real          *gb,
                    const gboolean rectify,
                    const gsize    positions)
{
  const gsize o_n = l->window.o, step = o_n * s->lanes;

  for (gsize o = 0; o < o_n; o++)
    {
      vec sum = {};

      for (gsize v = o * s->lanes; v < (o + 1) * s->lanes; v += VLEN)
        {
          const real *y = OUT (l, s) + v;
          real *g = GOUT (l, s) + v;
          vec lane_sum = {};

          for (gsize p = 0; p < positions; p++)
            {
              vec here = *(const vec *) (g + p * step);

              if (rectify)
                *(vec *) (g + p * step) = here = (vec) ((ivec) here & (*(const vec *) (y + p * step) > 0));
              lane_sum += here;
            }
          if (s->squares)
            lane_sum *= lane_sum;
          sum += lane_sum;
        }
      if (gb != NULL)
        gb[o] += vec_sum (sum);
    }
}

/* The same for one position, whose vectors go to several sums, as one would wait for itself. */
#define SUMS (NN_LANES / VLEN)

static inline __attribute__ ((always_inline)) void
position_gradient (const NnLayer *l,
                   NnShard       *s,
                   real          *gb,
                   const gboolean rectify)
{
  const gsize lanes = s->lanes;
  const gboolean squares = s->squares;
  const real *y = OUT (l, s);
  real *g = GOUT (l, s);

  for (gsize o = 0; o < l->window.o; o++, y += lanes, g += lanes)
    {
      vec sum[SUMS] = { {} };

      for (gsize v = 0; v < lanes; v += NN_LANES)
#pragma GCC unroll 8
        for (int i = 0; i < SUMS; i++)
          {
            vec *at = (vec *) (gpointer) (g + v + i * VLEN), here = *at;

            if (rectify)
              *at = here = (vec) ((ivec) here & (*(const vec *) (y + v + i * VLEN) > 0));
            if (squares)
              here *= here;
            sum[i] += here;
          }
      for (int i = 1; i < SUMS; i++)
        sum[0] += sum[i];
      if (gb != NULL)
        gb[o] += vec_sum (sum[0]);
    }
}

void
CLASSED (nn_bias_gradient) (const NnLayer *l,
                            NnShard       *s,
                            real          *gb)
{
  if (l->n_y == l->window.o)
    position_gradient (l, s, gb, FALSE);
  else
    positions_gradient (l, s, gb, FALSE, l->n_y / l->window.o);
}

/* The same from the pooling that alone reads the layer, which gives each of its gradients, rectified, to one input or to none. */
static void
pooled_bias_gradient (const NnLayer *l,
                      NnShard       *s,
                      real          *gb)
{
  const gsize lanes = s->lanes, step = l->window.o * lanes, n = l->pooled->n_y * lanes;
  const real *y = OUT (l->pooled, s), *g = GOUT (l->pooled, s);
  const ivec always = l->pooled->rectify ? (ivec) {} : ~(ivec) {};

  for (gsize o = 0; o < step; o += lanes)
    {
      vec sum = {};

      for (gsize v = o; v < o + lanes; v += VLEN)
        {
          vec lane_sum = {};

          for (gsize p = v; p < n; p += step)
            lane_sum += (vec) ((ivec) *(const vec *) (g + p) & ((*(const vec *) (y + p) > 0) | always));
          if (s->squares)
            lane_sum *= lane_sum;
          sum += lane_sum;
        }
      gb[o / lanes] += vec_sum (sum);
    }
}

/* Of the layer's own rectifier first, then the sums for the bias, where there is one that learns. */
void
CLASSED (nn_output_gradient) (const NnLayer *l,
                              NnShard       *s,
                              real          *gb)
{
  if (l->relu && !l->rectified && is_dense (&l->window))
    position_gradient (l, s, gb, TRUE);
  else if (l->relu && !l->rectified)
    positions_gradient (l, s, gb, TRUE, l->n_y / l->window.o);
  else if (gb != NULL && l->pooled != NULL)
    pooled_bias_gradient (l, s, gb);
  else if (gb != NULL)
    CLASSED (nn_bias_gradient) (l, s, gb);
}

/* One position: a matrix product, with the gradient turned so that the outputs lie on the vectors. */
static void
dense_kernel_gradient (const NnLayer *l,
                       NnShard       *s,
                       real          *gw)
{
  const guint n_in = l->window.c, n_out = l->window.o, padded = (n_out + VLEN - 1) / VLEN * VLEN;
  real *turned = BLOCK (s) + l->tmp, *result = turned + (gsize) padded * s->lanes;
  const gboolean direct = padded == n_out;
  Segment all = { 0, 0, s->lanes };
  Gemm g = { .c = direct ? gw : result, .cm = padded, .cn = VLEN, .a = IN (l, s, 0), .am = s->lanes, .ak = 1,
             .b = turned, .bk = padded, .bn = VLEN, .m = n_in, .n = padded / VLEN, .segments = &all, .n_segments = 1,
             .add = direct };

  if (!direct)
    for (guint i = 0; i < s->lanes; i++)
      for (guint o = n_out; o < padded; o++)
        turned[(gsize) i * padded + o] = 0;
  CLASSED (nn_flip) (turned, padded, GOUT (l, s), s->lanes, n_out, s->lanes);
  CLASSED (nn_gemm) (&g);
  if (!direct)
    for (guint i = 0; i < n_in; i++)
      for (guint o = 0; o < n_out; o++)
        gw[(gsize) i * n_out + o] += result[(gsize) i * padded + o];
}

/*
 * Every weight meets every position. A band of positions is taken at a time, of which the input and a block of outputs stay in
 * the first-level cache; a short band would cost more in adding up its sums. Positions often lie a power of two apart, so that
 * more of them than MOST_BAND would not fit the cache's ways. The few weights that pruning leaves come one after the other from
 * all over the window, so that a band that holds them all would be too short to pay for its sums.
 */
#define BAND_BYTES (20 * 1024)
#define SPARSE_BAND_BYTES (56 * 1024)
#define OUTPUTS_AT_ONCE 4
#define LEAST_BAND 8
#define MOST_BAND 20

typedef struct {
  guint rows, columns;
} Band;

static Band
band_of (const NnLayer *l,
         guint          lanes)
{
  const NnWindow *w = &l->window;
  const gsize input = (gsize) w->sw * w->c, real_bytes = lanes * sizeof (real);
  guint most, parts;

  if (l->sparse != NULL)
    most = MAX (SPARSE_BAND_BYTES / ((input + w->o) * real_bytes), LEAST_BAND);
  else
    most = CLAMP (BAND_BYTES / ((input + MIN (w->o, OUTPUTS_AT_ONCE)) * real_bytes), LEAST_BAND, MOST_BAND);
  parts = (w->ow + most - 1) / most;
  return (Band) { MAX (most / w->ow, 1), (w->ow + parts - 1) / parts };
}

/* The part of the gradient that the positions of one band give, which begins at row oy and column ox. */
static void
band_gradient (const NnLayer *l,
               NnShard       *s,
               real          *gw,
               const real    *x,
               const real    *g,
               const Band     band)
{
  const NnWindow *w = &l->window;
  const guint c = w->c / w->groups, o = w->o / w->groups, lanes = s->lanes;
  const gboolean whole_rows = w->groups == 1 && w->dw == 1;
  const guint runs = whole_rows ? 1 : w->kw;

  for (guint ky = 0; ky < w->kh; ky++)
    for (guint kx = 0; kx < runs; kx++)
      for (guint group = 0; group < w->groups; group++)
        {
          Outer q = { .gw = gw + ((gsize) ky * w->kw + kx) * c * w->o + group * o, .ldw = w->o,
                      .x = x + (((gsize) ky * w->dh * w->wp + kx * w->dw) * w->c + group * c) * lanes,
                      .g = g + (gsize) group * o * lanes,
                      .xp = (gsize) w->sw * w->c * lanes, .gp = (gsize) w->o * lanes,
                      .xr = (gsize) w->sh * w->wp * w->c * lanes, .gr = (gsize) w->ow * w->o * lanes,
                      .rows = band.rows, .positions = band.columns, .mi = whole_rows ? w->kw * c : c, .no = o, .lanes = lanes };

          CLASSED (nn_outer) (&q);
        }
}

/* The same for what pruning has left: sums of @sums, or the gradient itself. */
static void
sparse_band_gradient (const NnLayer *l,
                      NnShard       *s,
                      real          *gw,
                      real          *sums,
                      const real    *x,
                      const real    *g,
                      const Band     band)
{
  const NnWindow *w = &l->window;
  const guint lanes = s->lanes;
  const SparseProducts q = { .sums = sums, .gw = gw, .terms = &l->sparse->forward, .x = x, .g = g,
                             .xp = (gsize) w->sw * w->c * lanes, .gp = (gsize) w->o * lanes,
                             .xr = (gsize) w->sh * w->wp * w->c * lanes, .gr = (gsize) w->ow * w->o * lanes,
                             .rows = band.rows, .positions = band.columns, .lanes = lanes };

  CLASSED (nn_sparse_products) (&q);
}

/* Rows of the output from @first on, before @last, of one slice of the leading axes; their gradient begins at @g. */
static void
rows_gradient (const NnLayer *l,
               NnShard       *s,
               real          *gw,
               guint          outer,
               guint          first,
               guint          last,
               const real    *g)
{
  const NnWindow *w = &l->window;
  const Band most = band_of (l, s->lanes);
  const guint lanes = s->lanes;
  const real *x = CLASSED (nn_padded_input) (l, s, outer, FALSE);
  real *sums = l->sparse != NULL && w->oh * w->ow > 1 ? BLOCK (s) + l->sparse->sums : NULL;

  if (sums != NULL)
    memset (sums, 0, l->sparse->forward.start[w->o * w->kh] * sizeof (vec));
  for (guint oy = first; oy < last; oy += most.rows)
    for (guint ox = 0; ox < w->ow; ox += most.columns)
      {
        const real *from = x + ((gsize) oy * w->sh * w->wp + ox * w->sw) * w->c * lanes;
        const real *gy = g + ((gsize) (oy - first) * w->ow + ox) * w->o * lanes;
        const Band band = { MIN (most.rows, last - oy), MIN (most.columns, w->ow - ox) };

        if (l->sparse != NULL)
          sparse_band_gradient (l, s, gw, sums, from, gy, band);
        else
          band_gradient (l, s, gw, from, gy, band);
      }
  if (sums != NULL)
    CLASSED (nn_sparse_add_sums) (&l->sparse->forward, sums, gw);
}

static void
window_kernel_gradient (const NnLayer *l,
                        NnShard       *s,
                        real          *gw)
{
  const NnWindow *w = &l->window;

  for (guint outer = 0; outer < w->outer; outer++)
    rows_gradient (l, s, gw, outer, 0, w->oh, GOUT (l, s) + (gsize) outer * w->oh * w->ow * w->o * s->lanes);
}

void
CLASSED (nn_linear_rows_gradient) (const NnLayer *l,
                                   NnShard       *s,
                                   guint          first,
                                   guint          last,
                                   const real    *g)
{
  real *gw = GRAD (l, s, NN_ROLE_KERNEL);

  if (gw != NULL)
    rows_gradient (l, s, gw, 0, first, last, g);
}

/* Sums of squares of each sample's own gradient. */
static void
kernel_squares (const NnLayer *l,
                NnShard       *s,
                real          *gw)
{
  const NnWindow *w = &l->window;
  const gsize lanes = s->lanes, c_n = w->c / w->groups, o_n = w->o / w->groups;

  for (gsize t = 0; t < (gsize) w->kh * w->kw; t++)
    for (gsize c = 0; c < c_n; c++)
      for (gsize o = 0; o < w->o; o++)
        for (gsize v = 0; v < lanes; v += VLEN)
          {
            vec sum = {};

            for (guint outer = 0; outer < w->outer; outer++)
              {
                const real *x = CLASSED (nn_padded_input) (l, s, outer, FALSE) + v +
                                ((t / w->kw * w->dh * w->wp + t % w->kw * w->dw) * w->c + o / o_n * c_n + c) * lanes;
                const real *g = GOUT (l, s) + (gsize) outer * w->oh * w->ow * w->o * lanes + o * lanes + v;

                for (gsize oy = 0; oy < w->oh; oy++)
                  for (gsize ox = 0; ox < w->ow; ox++)
                    sum += *(const vec *) (x + (oy * w->sh * w->wp + ox * w->sw) * w->c * lanes) *
                           *(const vec *) (g + (oy * w->ow + ox) * w->o * lanes);
              }
            gw[(t * c_n + c) * w->o + o] += vec_sum (sum * sum);
          }
}

void
CLASSED (nn_kernel_gradient) (const NnLayer *l,
                              NnShard       *s,
                              real          *gw)
{
  if (s->squares)
    kernel_squares (l, s, gw);
  else if (is_dense (&l->window) && (l->sparse == NULL || !l->sparse->few))
    dense_kernel_gradient (l, s, gw);
  else
    window_kernel_gradient (l, s, gw);
}
