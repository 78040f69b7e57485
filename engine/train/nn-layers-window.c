/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inputs with their padding, as windows go over them. */

#include "nn-linear.h"

/* Puts [h][row] into the middle of zeros: [hp][wp]. */
void
CLASSED (nn_pad) (real       *to,
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
const real *
CLASSED (nn_padded_input) (const NnLayer *l,
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
    CLASSED (nn_pad) (padded, x, w->hp, w->wp, w->h, w->w, w->top, w->left, n);
  return padded;
}
