/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The correlation of an input with a kernel, whole or what pruning has left of it. */

#include "nn-linear.h"

/*
 * One position: vectors of lanes side by side go into one block of registers; several: neighbouring positions do, so that a weight
 * is loaded once for them all.
 */

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
correlate_densely (const Correlate *q)
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

void
CLASSED (nn_correlate) (const Correlate *q)
{
  (q->terms != NULL ? correlate_sparsely : correlate_densely) (q);
}
