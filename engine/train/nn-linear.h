/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What dense layers and convolutions share within one class of processor: windows over padded inputs, their gradients. */

#pragma once

#include "nn-real.h"

/*
 * y[p][o] = b[o] + sum over taps t and channels c of W[t][c][o] x[p + t][c]. A dense layer is a convolution with one tap; its
 * positions are the leading axes.
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

/* nn-layers-correlate.c */
void CLASSED (nn_correlate) (const Correlate *correlate);

/* nn-layers-window.c */
void        CLASSED (nn_pad)          (real *to, const real *from, gsize hp, gsize wp, gsize h, gsize w, gsize top, gsize left, gsize n);
const real *CLASSED (nn_padded_input) (const NnLayer *l, NnShard *s, guint outer, gboolean fill);

static inline gboolean
is_padded (const NnWindow *w)
{
  return w->hp != w->h || w->wp != w->w;
}

/* Whether it is a product of one vector with a matrix. */
static inline gboolean
is_dense (const NnWindow *w)
{
  return w->outer == 1 && w->oh == 1 && w->ow == 1 && w->kh == 1 && w->kw == 1 && w->groups == 1 && w->h == 1 && w->w == 1 &&
         !is_padded (w);
}

/* nn-layers-linear-gradient.c: all add to what is there; @gb: (nullable) */
void CLASSED (nn_bias_gradient)   (const NnLayer *l, NnShard *s, real *gb);
void CLASSED (nn_output_gradient) (const NnLayer *l, NnShard *s, real *gb);
void CLASSED (nn_kernel_gradient) (const NnLayer *l, NnShard *s, real *gw);
