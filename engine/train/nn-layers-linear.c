/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions: y[p][o] = b[o] + sum over taps t and channels c of W[t][c][o] x[p + t][c]. */

#include "nn-real.h"

/*
 * A dense layer is a convolution with one tap; its positions are the leading axes. One position: vectors of lanes side by
 * side go into one block of registers; several: neighbouring positions do, so that a weight is loaded once for them all.
 */

typedef struct {
  const real *x;      /* [rows][wp][c], padded */
  const real *w;      /* [kh][kw][c / groups][o] */
  const real *bias;
  real       *y;      /* [last - first][ow][o] */
  guint       wp, c, first, last, ow, o; /* rows from first on, before last; the first goes to y */
  guint       kh, kw, sh, sw, dh, dw, groups;
  guint       lanes;
  gboolean    add, relu;
  gboolean    exact;  /* there is no padding in memory: x is where it would begin */
  gint64      top, left, rows, columns; /* of x, all but these rows and columns is 0; they may begin outside of it */
  const NnTerms *terms; /* what is left of the kernel, NULL for all; then w is of each of them */
} Correlate;

/* The runs of taps and channels that lie side by side both in the weights and in the input. */
static guint
segments_of (const Correlate *q,
             Segment         *segments)
{
  const guint c = q->c / q->groups;
  guint n = 0;

  for (guint ky = 0; ky < q->kh; ky++)
    if (q->groups == 1 && q->dw == 1)
      segments[n++] = (Segment) { (gsize) ky * q->kw * c * q->o, (gsize) ky * q->dh * q->wp * q->c * q->lanes, q->kw * c };
    else
      for (guint kx = 0; kx < q->kw; kx++)
        segments[n++] = (Segment) { ((gsize) ky * q->kw + kx) * c * q->o,
                                    ((gsize) ky * q->dh * q->wp + kx * q->dw) * q->c * q->lanes, c };
  return n;
}

/* What the blocks of registers read again and again should stay in the first-level cache. */
#define WINDOW_BYTES (20 * 1024)

/* Positions whose window stays there. */
#define SPARSE_POSITIONS 14

/* The first of @n taps, @step apart, that reaches @least when it starts at @at. */
static guint
first_tap (gint64 at,
           gint64 step,
           gint64 least,
           guint  n)
{
  return at >= least ? 0 : MIN ((least - at + step - 1) / step, n);
}

static void
correlate_sparsely (const Correlate *q)
{
  SparseRows s = { .cm = q->lanes, .cn = (gsize) q->o * q->lanes, .xn = (gsize) q->sw * q->c * q->lanes, .w = q->w,
                   .bias = q->bias, .terms = q->terms, .lanes = q->lanes, .add = q->add, .relu = q->relu };
  /* all positions of a row go through one output's terms, unless that would read them from far for every output */
  const gboolean is_small = (gsize) q->kh * q->ow * q->sw * q->c * q->lanes * sizeof (real) <= WINDOW_BYTES;
  const guint parts = is_small ? 1 : (q->ow + SPARSE_POSITIONS - 1) / SPARSE_POSITIONS, at_once = (q->ow + parts - 1) / parts;

  for (guint oy = q->first; oy < q->last; oy++)
    {
      s.first = first_tap ((gint64) oy * q->sh, q->dh, q->top, q->kh);
      s.last = MAX (first_tap ((gint64) oy * q->sh, q->dh, q->top + q->rows, q->kh), s.first);
      for (guint j = 0; j < q->ow; j += s.n)
        {
          s.n = MIN (at_once, q->ow - j);
          s.x = q->x + ((gsize) oy * q->sh * q->wp + (gsize) j * q->sw) * q->c * q->lanes;
          s.c = q->y + ((gsize) (oy - q->first) * q->ow + j) * q->o * q->lanes;
          CLASSED (nn_sparse_rows) (&s);
        }
    }
}

/* The segments that meet more than padding, for the outputs of row oy from column j to column end. */
static guint
clip (const Correlate *q,
      const Segment   *all,
      guint            n_all,
      guint            oy,
      guint            j,
      guint            end,
      Segment         *segments)
{
  const guint c = q->c, a_row = n_all / q->kh;
  const guint first = first_tap ((gint64) oy * q->sh, q->dh, q->top, q->kh);
  const guint last = first_tap ((gint64) oy * q->sh, q->dh, q->top + q->rows, q->kh);
  guint from = 0, to = q->kw, n = 0;

  if (q->groups == 1 && q->dw == 1)
    {
      from = first_tap ((gint64) (end - 1) * q->sw, 1, q->left, q->kw);
      to = first_tap ((gint64) j * q->sw, 1, q->left + q->columns, q->kw);
    }
  for (guint i = first * a_row; i < last * a_row && from < to; i++)
    {
      segments[n] = all[i];
      if (to - from < q->kw && q->groups == 1 && q->dw == 1)
        segments[n] = (Segment) { all[i].a + (gsize) from * c * q->o, all[i].b + (gsize) from * c * q->lanes, (to - from) * c };
      n++;
    }
  return n;
}

/*
 * Where the columns from j on end that can share their segments: as many as there are within; at an edge one where nothing of
 * the padding may be read, else four.
 */
static guint
columns_end (const Correlate *q,
             guint            j)
{
  const gint64 inside = (q->left + q->columns - q->kw) / q->sw + 1; /* columns before this one reach no padding on the right */
  const guint few = q->exact ? 1 : 4;

  if ((gint64) j * q->sw < q->left || j + few > inside)
    return MIN (j + few, q->ow);
  return MIN (j + ((guint) inside - j) / few * few, q->ow);
}

/* How many of the segments from the first on go together: with their weights they are read once for each column. */
static guint
segments_at_once (const Correlate *q,
                  const Segment   *segments,
                  guint            n,
                  gsize           *bytes)
{
  guint i = 0;

  *bytes = 0;
  for (; i < n; i++)
    {
      const gsize more = segments[i].k * (q->lanes + q->o / q->groups) * sizeof (real);

      if (i > 0 && *bytes + more > WINDOW_BYTES)
        break;
      *bytes += more;
    }
  return i;
}

/* Columns j to end of row oy, which share their segments: block of rows by block of rows where all that they read is small. */
static void
correlate_columns (const Correlate *q,
                   Gemm            *g,
                   guint            oy,
                   guint            j,
                   guint            end,
                   guint            n_segments)
{
  const guint group_o = q->o / q->groups, group_c = q->c / q->groups;
  const gboolean within = g->bn == VLEN;
  const Segment *segments = g->segments;

  for (guint group = 0; group < q->groups; group++)
    for (guint from = 0, n; from < MAX (n_segments, 1); from += MAX (n, 1))
      {
        gsize bytes;
        guint at_once;

        n = segments_at_once (q, segments + from, n_segments - from, &bytes);
        at_once = !within || bytes + (gsize) (end - j) * q->sw * group_c * q->kh * q->lanes * sizeof (real) <= WINDOW_BYTES ? end - j : 1;
        g->segments = segments + from;
        g->n_segments = n;
        g->add = q->add || from > 0;
        g->relu = q->relu && from + n >= n_segments;
        g->a = q->w + group * group_o;
        g->bias = q->bias != NULL ? q->bias + group * group_o : NULL;
        g->more = within ? at_once - 1 : 0;
        for (gsize v = 0; v < q->lanes; v += within ? q->lanes : VLEN)
          for (guint i = j; i < end; i += at_once)
            {
              g->b = q->x + (((gsize) oy * q->sh * q->wp + (gsize) i * q->sw) * q->c + group * group_c) * q->lanes + v;
              g->c = q->y + (((gsize) (oy - q->first) * q->ow + i) * q->o + group * group_o) * q->lanes + v;
              CLASSED (nn_gemm) (g);
            }
      }
  g->segments = segments;
}

/*
 * The vectors of a block of registers are those of one position, where that has several: so whole lines of memory are read.
 * Otherwise they are neighbouring positions.
 */
static void
correlate (const Correlate *q)
{
  const gsize most = (gsize) q->kh * q->kw, next_x = (gsize) q->sw * q->c * q->lanes, next_y = (gsize) q->o * q->lanes;
  Segment *all = g_newa (Segment, most), *segments = g_newa (Segment, most);
  const guint n_all = segments_of (q, all), vectors = q->lanes / VLEN;
  const gboolean within = vectors > 1 || q->ow == 1;
  Gemm g = { .am = 1, .ak = q->o, .bk = q->lanes, .m = q->o / q->groups, .segments = segments, .cm = q->lanes,
             .bn = within ? VLEN : next_x, .cn = within ? VLEN : next_y, .bp = next_x, .cp = next_y };

  for (guint oy = q->first; oy < q->last; oy++)
    for (guint j = 0, end; j < q->ow; j = end)
      {
        end = columns_end (q, j);
        g.n = within ? vectors : end - j;
        correlate_columns (q, &g, oy, j, end, clip (q, all, n_all, oy, j, end, segments));
      }
}

static gboolean
is_padded (const NnWindow *w)
{
  return w->hp != w->h || w->wp != w->w;
}

/* Puts [h][row] into the middle of zeros: [hp][wp]. */
static void
pad (real       *to,
     const real *from,
     gsize       hp,
     gsize       wp,
     gsize       h,
     gsize       w,
     gsize       top,
     gsize       left,
     gsize       n)
{
  const gsize right = wp - left - w;

  memset (to, 0, top * wp * n * sizeof (real));
  for (gsize y = 0; y < h; y++)
    {
      real *row = to + (y + top) * wp * n;

      memset (row, 0, left * n * sizeof (real));
      memcpy (row + left * n, from + y * w * n, w * n * sizeof (real));
      memset (row + (left + w) * n, 0, right * n * sizeof (real));
    }
  memset (to + (top + h) * wp * n, 0, (hp - top - h) * wp * n * sizeof (real));
}

/* The input with its padding, of one slice of the leading axes. */
static const real *
padded_input (const NnLayer *l,
              NnShard       *s,
              guint          outer,
              gboolean       fill)
{
  const NnWindow *w = &l->window;
  const gsize n = (gsize) w->c * s->lanes;
  real *x = IN (l, s, 0) + outer * w->h * w->w * n, *padded;

  if (!is_padded (w))
    return x;
  padded = BLOCK (s) + l->scratch + outer * w->hp * w->wp * n;
  if (fill)
    pad (padded, x, w->hp, w->wp, w->h, w->w, w->top, w->left, n);
  return padded;
}

static Correlate
forward_of (const NnLayer *l,
            NnShard       *s)
{
  const NnWindow *w = &l->window;
  const real *kernel = l->sparse != NULL ? (const real *) s->aux + l->sparse->forward.aux : WEIGHT (l, s, NN_ROLE_KERNEL);

  return (Correlate) { .w = kernel, .bias = WEIGHT (l, s, NN_ROLE_BIAS), .wp = w->wp, .c = w->c,
                       .last = w->oh, .ow = w->ow, .o = w->o, .kh = w->kh, .kw = w->kw, .sh = w->sh, .sw = w->sw,
                       .dh = w->dh, .dw = w->dw, .groups = w->groups, .lanes = s->lanes, .relu = l->relu,
                       .top = w->top, .left = w->left, .rows = w->h, .columns = w->w,
                       .terms = l->sparse != NULL ? &l->sparse->forward : NULL };
}

void
CLASSED (nn_linear_forward) (const NnLayer *l,
                             NnShard       *s)
{
  const NnWindow *w = &l->window;
  Correlate q = forward_of (l, s);

  for (guint outer = 0; outer < w->outer; outer++)
    {
      q.x = padded_input (l, s, outer, TRUE);
      q.y = OUT (l, s) + (gsize) outer * w->oh * w->ow * w->o * s->lanes;
      (l->sparse != NULL ? correlate_sparsely : correlate) (&q);
    }
}

/* Rows of the output from @first on, before @last, to @y. The first call of a pass fills the padding. */
void
CLASSED (nn_linear_rows) (const NnLayer *l,
                          NnShard       *s,
                          guint          first,
                          guint          last,
                          gboolean       fill,
                          real          *y)
{
  Correlate q = forward_of (l, s);

  q.x = padded_input (l, s, 0, fill);
  q.first = first;
  q.last = last;
  q.y = y;
  (l->sparse != NULL ? correlate_sparsely : correlate) (&q);
}

/* Makes the gradient 0 where the output is, with @rectify, and adds it up for the bias unless @gb is NULL: in one pass. */
static inline __attribute__ ((always_inline)) void
output_gradient (const NnLayer *l,
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

static void
bias_gradient (const NnLayer *l,
               NnShard       *s,
               real          *gb)
{
  if (l->n_y == l->window.o)
    position_gradient (l, s, gb, FALSE);
  else
    output_gradient (l, s, gb, FALSE, l->n_y / l->window.o);
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
  const real *x = padded_input (l, s, outer, FALSE);
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
kernel_gradient (const NnLayer *l,
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
                const real *x = padded_input (l, s, outer, FALSE) + v +
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

/*
 * Stride 1: the gradient of the input is a correlation of the padded output gradient with the kernel turned round. Rows of
 * padding are never read; columns are neither, or they lie between the rows, where one gap serves both.
 */
static void
input_gradient_turned (const NnLayer *l,
                       NnShard       *s,
                       real          *gx)
{
  const NnWindow *w = &l->window;
  const gsize n = (gsize) w->o * s->lanes, edge_y = (gsize) (w->kh - 1) * w->dh, edge_x = (gsize) (w->kw - 1) * w->dw;
  const gboolean exact = l->sparse == NULL && w->dw == 1;
  Correlate q = { .wp = w->ow + (exact ? 0 : edge_x),
                  .w = (const real *) s->aux + (l->sparse != NULL ? l->sparse->backward.aux : l->aux), .c = w->o, .last = w->h, .ow = w->w, .o = w->c,
                  .kh = w->kh, .kw = w->kw, .sh = 1, .sw = 1, .dh = w->dh, .dw = w->dw, .groups = 1,
                  .lanes = s->lanes, .add = l->add[0],
                  .top = (gint64) edge_y - w->top, .left = (gint64) edge_x - w->left, .rows = w->oh, .columns = w->ow,
                  .exact = exact,
                  .terms = l->sparse != NULL ? &l->sparse->backward : NULL };

  for (guint outer = 0; outer < w->outer; outer++)
    {
      const real *gy = GOUT (l, s) + outer * w->oh * w->ow * n;
      real *padded = BLOCK (s) + l->tmp;

      if (exact)
        gy -= edge_x * n;
      else if (edge_x > 0)
        {
          pad (padded, gy, w->oh, q.wp, w->oh, w->ow, 0, edge_x, n);
          memset (padded + w->oh * q.wp * n, 0, edge_x * n * sizeof (real));
          gy = padded;
        }
      q.x = gy + (gint64) n * (((gint64) w->top - (gint64) edge_y) * q.wp + w->left);
      q.y = gx + (gsize) outer * w->h * w->w * w->c * s->lanes;
      (l->sparse != NULL ? correlate_sparsely : correlate) (&q);
    }
}

/* Any stride, dilation and groups: each tap adds what it had a part in. */
static void
input_gradient_taps (const NnLayer *l,
                     NnShard       *s,
                     real          *gx)
{
  const NnWindow *w = &l->window;
  const gsize lanes = s->lanes, n = w->c * lanes, c = w->c / w->groups, o = w->o / w->groups;
  const gboolean padded = is_padded (w);
  Segment all = { 0, 0, (guint) o };
  Gemm g = { .am = w->o, .ak = 1, .bk = lanes, .m = (guint) c, .segments = &all, .n_segments = 1, .add = TRUE,
             .cm = lanes, .cn = w->sw * n, .bn = w->o * lanes, .n = w->ow };

  for (gsize outer = 0; outer < w->outer; outer++)
    {
      real *to = padded ? BLOCK (s) + l->tmp : gx + outer * w->h * w->w * n;

      if (padded || !l->add[0])
        memset (to, 0, (gsize) w->hp * w->wp * n * sizeof (real));
      for (gsize oy = 0; oy < w->oh; oy++)
        for (gsize t = 0; t < (gsize) w->kh * w->kw; t++)
          for (gsize group = 0; group < w->groups; group++)
            for (gsize v = 0; v < lanes; v += VLEN)
              {
                g.a = WEIGHT (l, s, NN_ROLE_KERNEL) + t * c * w->o + group * o;
                g.b = GOUT (l, s) + ((outer * w->oh + oy) * w->ow * w->o + group * o) * lanes + v;
                g.c = to + ((oy * w->sh + t / w->kw * w->dh) * w->wp + t % w->kw * w->dw) * n + group * c * lanes + v;
                CLASSED (nn_gemm) (&g);
              }
      if (padded)
        for (gsize y = 0; y < w->h; y++)
          {
            const real *from = to + ((y + w->top) * w->wp + w->left) * n;
            real *row = gx + (outer * w->h + y) * w->w * n;

            for (gsize i = 0; i < w->w * n; i++)
              row[i] = l->add[0] ? row[i] + from[i] : from[i];
          }
    }
}

static void
dense_input_gradient (const NnLayer *l,
                      NnShard       *s,
                      real          *gx)
{
  Segment all = { 0, 0, l->window.o };
  Gemm g = { .c = gx, .cm = s->lanes, .cn = VLEN, .a = WEIGHT (l, s, NN_ROLE_KERNEL), .am = l->window.o, .ak = 1,
             .b = GOUT (l, s), .bk = s->lanes, .bn = VLEN, .m = l->window.c, .n = s->lanes / VLEN, .segments = &all,
             .n_segments = 1, .add = l->add[0] };

  CLASSED (nn_gemm) (&g);
}

void
CLASSED (nn_linear_backward) (const NnLayer *l,
                              NnShard       *s)
{
  const NnWindow *w = &l->window;
  const gboolean dense = w->outer == 1 && w->oh == 1 && w->ow == 1 && w->kh == 1 && w->kw == 1 && w->groups == 1 &&
                         w->h == 1 && w->w == 1 && !is_padded (w);
  real *gw = GRAD (l, s, NN_ROLE_KERNEL), *gb = GRAD (l, s, NN_ROLE_BIAS), *gx = GIN (l, s, 0);

  if (l->idle_bias)
    gb = NULL;
  if (l->relu && !l->rectified && dense)
    position_gradient (l, s, gb, TRUE);
  else if (l->relu && !l->rectified)
    output_gradient (l, s, gb, TRUE, l->n_y / w->o);
  else if (gb != NULL && l->pooled != NULL)
    pooled_bias_gradient (l, s, gb);
  else if (gb != NULL)
    bias_gradient (l, s, gb);
  if (gw != NULL && s->squares)
    kernel_squares (l, s, gw);
  else if (gw != NULL && dense && (l->sparse == NULL || !l->sparse->few))
    dense_kernel_gradient (l, s, gw);
  else if (gw != NULL)
    kernel_gradient (l, s, gw);
  if (gx == NULL)
    return;
  if (dense && l->sparse == NULL)
    dense_input_gradient (l, s, gx);
  else if (l->aux != NN_NOWHERE || dense)
    input_gradient_turned (l, s, gx);
  else
    input_gradient_taps (l, s, gx);
}

static void
pack (const NnTerms *terms,
      const real    *kernel,
      real          *aux)
{
  for (guint32 k = 0; k < terms->start[terms->n * terms->kh]; k++)
    aux[terms->aux + k] = kernel[terms->weight[k]];
}

/* The kernel turned round: [kh][kw][c][o] -> [kh - 1 - ky][kw - 1 - kx][o][c]; of what pruning has left, the weights in order. */
void
CLASSED (nn_linear_prepare) (const NnLayer *l,
                             gconstpointer  values,
                             gpointer       aux)
{
  const NnWindow *w = &l->window;
  const gsize taps = (gsize) w->kh * w->kw, n = (gsize) w->c * w->o;
  const real *kernel = (const real *) values + l->w[NN_ROLE_KERNEL];

  if (l->sparse != NULL)
    {
      pack (&l->sparse->forward, kernel, aux);
      pack (&l->sparse->backward, kernel, aux);
      return;
    }
  if (l->kind != NN_LAYER_LINEAR || l->aux == NN_NOWHERE)
    return;
  for (gsize t = 0; t < taps; t++)
    CLASSED (nn_flip) ((real *) aux + l->aux + (taps - 1 - t) * n, w->c, kernel + t * n, w->o, w->c, w->o);
}

void
CLASSED (nn_depthwise_forward) (const NnLayer *l,
                                NnShard       *s)
{
  const NnWindow *w = &l->window;
  const gsize lanes = s->lanes, mult = w->multiplier, taps = (gsize) w->kh * w->kw;
  const real *kernel = WEIGHT (l, s, NN_ROLE_DEPTHWISE_KERNEL), *bias = WEIGHT (l, s, NN_ROLE_BIAS);

  if (kernel == NULL)
    kernel = WEIGHT (l, s, NN_ROLE_KERNEL);
  for (gsize outer = 0; outer < w->outer; outer++)
    {
      const real *x = padded_input (l, s, outer, TRUE);

      for (gsize p = 0; p < (gsize) w->oh * w->ow; p++)
        for (gsize e = 0; e < w->o; e++)
          for (gsize v = 0; v < lanes; v += VLEN)
            {
              const real *from = x + ((p / w->ow * w->sh * w->wp + p % w->ow * w->sw) * w->c + e / mult) * lanes + v;
              vec sum = bias != NULL ? splat (bias[e]) : (vec) {};

              for (gsize t = 0; t < taps; t++)
                sum += splat (kernel[t * w->o + e]) *
                       *(const vec *) (from + (t / w->kw * w->dh * w->wp + t % w->kw * w->dw) * w->c * lanes);
              *(vec *) (OUT (l, s) + ((outer * w->oh * w->ow + p) * w->o + e) * lanes + v) = sum;
            }
    }
}

static void
depthwise_kernel_gradient (const NnLayer *l,
                           NnShard       *s,
                           real          *gw)
{
  const NnWindow *w = &l->window;
  const gsize lanes = s->lanes;

  for (gsize t = 0; t < (gsize) w->kh * w->kw; t++)
    for (gsize e = 0; e < w->o; e++)
      {
        vec total = {};

        for (gsize v = 0; v < lanes; v += VLEN)
          {
            vec sum = {};

            for (guint outer = 0; outer < w->outer; outer++)
              {
                const real *x = padded_input (l, s, outer, FALSE) + v +
                                ((t / w->kw * w->dh * w->wp + t % w->kw * w->dw) * w->c + e / w->multiplier) * lanes;
                const real *g = GOUT (l, s) + ((gsize) outer * w->oh * w->ow * w->o + e) * lanes + v;

                for (gsize p = 0; p < (gsize) w->oh * w->ow; p++)
                  sum += *(const vec *) (g + p * w->o * lanes) *
                         *(const vec *) (x + (p / w->ow * w->sh * w->wp + p % w->ow * w->sw) * w->c * lanes);
              }
            if (s->squares)
              sum *= sum;
            total += sum;
          }
        gw[t * w->o + e] += vec_sum (total);
      }
}

void
CLASSED (nn_depthwise_backward) (const NnLayer *l,
                                 NnShard       *s)
{
  const NnWindow *w = &l->window;
  const gsize lanes = s->lanes, n = w->c * lanes;
  const NnRole role = l->w[NN_ROLE_DEPTHWISE_KERNEL] != NN_NOWHERE ? NN_ROLE_DEPTHWISE_KERNEL : NN_ROLE_KERNEL;
  const real *kernel = WEIGHT (l, s, role);
  real *gw = GRAD (l, s, role), *gb = GRAD (l, s, NN_ROLE_BIAS), *gx = GIN (l, s, 0), *to = BLOCK (s) + l->tmp;

  if (gb != NULL && !l->idle_bias)
    bias_gradient (l, s, gb);
  if (gw != NULL)
    depthwise_kernel_gradient (l, s, gw);
  if (gx == NULL)
    return;
  if (!l->add[0])
    memset (gx, 0, l->n_x[0] * lanes * sizeof (real));
  for (gsize outer = 0; outer < w->outer; outer++)
    {
      memset (to, 0, (gsize) w->hp * w->wp * n * sizeof (real));
      for (gsize p = 0; p < (gsize) w->oh * w->ow; p++)
        for (gsize t = 0; t < (gsize) w->kh * w->kw; t++)
          for (gsize e = 0; e < w->o; e++)
            {
              const real *g = GOUT (l, s) + ((outer * w->oh * w->ow + p) * w->o + e) * lanes;
              real *row = to + ((p / w->ow * w->sh + t / w->kw * w->dh) * w->wp + p % w->ow * w->sw + t % w->kw * w->dw) * n +
                          e / w->multiplier * lanes;

              for (gsize v = 0; v < lanes; v += VLEN)
                *(vec *) (row + v) += splat (kernel[t * w->o + e]) * *(const vec *) (g + v);
            }
      for (gsize y = 0; y < w->h; y++)
        for (gsize i = 0; i < w->w * n; i++)
          gx[(outer * w->h + y) * w->w * n + i] += to[((y + w->top) * w->wp + w->left) * n + i];
    }
}
