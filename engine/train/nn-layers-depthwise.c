/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Depthwise convolutions: every channel has kernels of its own. */

#include "nn-linear.h"

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
      const real *x = CLASSED (nn_padded_input) (l, s, outer, TRUE);

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
                const real *x = CLASSED (nn_padded_input) (l, s, outer, FALSE) + v +
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
    CLASSED (nn_bias_gradient) (l, s, gb);
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
