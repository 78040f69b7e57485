/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions: forward, and backward to their inputs. */

#include "nn-linear.h"

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
      q.x = CLASSED (nn_padded_input) (l, s, outer, TRUE);
      q.y = OUT (l, s) + (gsize) outer * w->oh * w->ow * w->o * s->lanes;
      CLASSED (nn_correlate) (&q);
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

  q.x = CLASSED (nn_padded_input) (l, s, 0, fill);
  q.first = first;
  q.last = last;
  q.y = y;
  CLASSED (nn_correlate) (&q);
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
          CLASSED (nn_pad) (padded, gy, w->oh, q.wp, w->oh, w->ow, 0, edge_x, n);
          memset (padded + w->oh * q.wp * n, 0, edge_x * n * sizeof (real));
          gy = padded;
        }
      q.x = gy + (gint64) n * (((gint64) w->top - (gint64) edge_y) * q.wp + w->left);
      q.y = gx + (gsize) outer * w->h * w->w * w->c * s->lanes;
      CLASSED (nn_correlate) (&q);
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
  const gboolean dense = is_dense (&l->window);
  real *gw = GRAD (l, s, NN_ROLE_KERNEL), *gb = GRAD (l, s, NN_ROLE_BIAS), *gx = GIN (l, s, 0);

  CLASSED (nn_output_gradient) (l, s, l->idle_bias ? NULL : gb);
  if (gw != NULL)
    CLASSED (nn_kernel_gradient) (l, s, gw);
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
