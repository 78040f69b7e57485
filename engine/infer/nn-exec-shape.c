/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What moves numbers without arithmetic, and reductions along axes. */

#include "nn-exec-private.h"

#include <math.h>
#include <string.h>

/* An array seen as outer x axis x inner. */
static void
around_axis (const NnShape *shape,
             gsize          first,
             gsize          last,
             gsize         *outer,
             gsize         *extent,
             gsize         *inner)
{
  *outer = *extent = *inner = 1;
  for (guint i = 0; i < shape->rank; i++)
    *(i < first ? outer : i <= last ? extent : inner) *= (gsize) shape->dims[i];
}

void
nn_step_permute (const NnStep        *step,
                 const double *const *in,
                 double              *out,
                 double              *scratch)
{
  const NnShape *from = &step->in_shape[0], *to = &step->shape;
  gsize stride[NN_MAX_RANK], size = 1;

  for (guint i = from->rank; i-- > 0;)
    {
      stride[i] = size;
      size *= from->dims[i];
    }
  for (gsize i = 0; i < step->n; i++)
    {
      gsize rest = i, at = 0;

      for (guint d = to->rank; d-- > 0;)
        {
          at += rest % (gsize) to->dims[d] * stride[step->node->attrs.perm[d]];
          rest /= (gsize) to->dims[d];
        }
      out[i] = in[0][at];
    }
}

void
nn_step_repeat (const NnStep        *step,
                const double *const *in,
                double              *out,
                double              *scratch)
{
  for (gsize first = 0; first + step->in_n[0] <= step->n && step->in_n[0] > 0; first += step->in_n[0])
    memcpy (out + first, in[0], step->in_n[0] * sizeof *out);
}

void
nn_step_slice (const NnStep        *step,
               const double *const *in,
               double              *out,
               double              *scratch)
{
  const NnAttrs *a = &step->node->attrs;
  gsize axis = nn_step_axis (a->axis, step->shape.rank), outer, extent, inner, count = step->shape.dims[axis];

  around_axis (&step->in_shape[0], axis, axis, &outer, &extent, &inner);
  for (gsize o = 0; o < outer; o++)
    for (gsize k = 0; k < count; k++)
      memcpy (out + (o * count + k) * inner, in[0] + (o * extent + a->begin + k * a->step) * inner, inner * sizeof *out);
}

void
nn_step_reverse (const NnStep        *step,
                 const double *const *in,
                 double              *out,
                 double              *scratch)
{
  gsize axis = nn_step_axis (step->node->attrs.axis, step->shape.rank), outer, extent, inner;

  around_axis (&step->shape, axis, axis, &outer, &extent, &inner);
  for (gsize o = 0; o < outer; o++)
    for (gsize k = 0; k < extent; k++)
      memcpy (out + (o * extent + k) * inner, in[0] + (o * extent + extent - 1 - k) * inner, inner * sizeof *out);
}

/* Rows and columns before the channels: of one spatial axis, one row. */
typedef struct {
  gsize  outer, channels;
  gint64 in[2], out[2];
} Plane;

static void
plane_init (Plane        *plane,
            const NnStep *step)
{
  const NnShape *from = &step->in_shape[0], *to = &step->shape;
  guint n = from->rank >= 3 ? 2 : 1;

  *plane = (Plane){ .outer = 1, .channels = nn_shape_last (from), .in = { 1, 1 }, .out = { 1, 1 } };
  for (guint i = 0; i + n + 1 < from->rank; i++)
    plane->outer *= from->dims[i];
  for (guint i = 0; i < n; i++)
    {
      plane->in[2 - n + i] = from->dims[from->rank - 1 - n + i];
      plane->out[2 - n + i] = to->dims[to->rank - 1 - n + i];
    }
}

/* Padding adds before the first, cropping takes away. */
void
nn_step_pad (const NnStep        *step,
             const double *const *in,
             double              *out,
             double              *scratch)
{
  const NnAttrs *a = &step->node->attrs;
  gboolean two = step->shape.rank >= 3;
  gint64 sign = step->node->op == NN_OP_ZERO_PAD ? 1 : -1;
  gint64 before[2] = { two ? sign * a->pad[0][0] : 0, sign * a->pad[two ? 1 : 0][0] };
  Plane p;

  plane_init (&p, step);
  memset (out, 0, step->n * sizeof *out);
  for (gsize o = 0; o < p.outer; o++)
    for (gint64 i = 0; i < p.out[0]; i++)
      for (gint64 j = 0; j < p.out[1]; j++)
        {
          gint64 y = i - before[0], x = j - before[1];

          if (y >= 0 && y < p.in[0] && x >= 0 && x < p.in[1])
            memcpy (out + ((o * p.out[0] + i) * p.out[1] + j) * p.channels,
                    in[0] + ((o * p.in[0] + y) * p.in[1] + x) * p.channels, p.channels * sizeof *out);
        }
}

/* Where output @i of an axis lies among @n inputs: the two neighbours and the second one's share. Source:
 * tf.image.resize, half-pixel centres. */
static void
neighbours (gint64        i,
            gint64        scale,
            gint64        n,
            NnInterpolation how,
            gint64       *low,
            gint64       *high,
            double       *share)
{
  double at = ((double) i + 0.5) / scale - 0.5;

  if (how == NN_INTERPOLATION_NEAREST)
    {
      *low = *high = MIN (i / scale, n - 1);
      *share = 0;
      return;
    }
  *share = at - floor (at);
  *low = CLAMP ((gint64) floor (at), 0, n - 1);
  *high = CLAMP ((gint64) floor (at) + 1, 0, n - 1);
}

void
nn_step_upsample (const NnStep        *step,
                  const double *const *in,
                  double              *out,
                  double              *scratch)
{
  const NnAttrs *a = &step->node->attrs;
  gboolean two = step->shape.rank >= 3;
  gint64 scale[2] = { two ? MAX (a->size[0], 1) : 1, MAX (a->size[two ? 1 : 0], 1) };
  Plane p;

  plane_init (&p, step);
  for (gsize o = 0; o < p.outer; o++)
    for (gint64 i = 0; i < p.out[0]; i++)
      for (gint64 j = 0; j < p.out[1]; j++)
        {
          const double *plane = in[0] + o * p.in[0] * p.in[1] * p.channels;
          gint64 y[2], x[2];
          double v, h;

          neighbours (i, scale[0], p.in[0], a->interpolation, &y[0], &y[1], &v);
          neighbours (j, scale[1], p.in[1], a->interpolation, &x[0], &x[1], &h);
          for (gsize c = 0; c < p.channels; c++)
            *out++ = (1 - v) * ((1 - h) * plane[(y[0] * p.in[1] + x[0]) * p.channels + c] +
                                h * plane[(y[0] * p.in[1] + x[1]) * p.channels + c]) +
                     v * ((1 - h) * plane[(y[1] * p.in[1] + x[0]) * p.channels + c] +
                          h * plane[(y[1] * p.in[1] + x[1]) * p.channels + c]);
        }
}

/* Over the axes from `axis` to `axis2`. */
void
nn_step_reduce (const NnStep        *step,
                const double *const *in,
                double              *out,
                double              *scratch)
{
  const NnAttrs *a = &step->node->attrs;
  guint rank = step->in_shape[0].rank;
  gsize outer, extent, inner;

  around_axis (&step->in_shape[0], nn_step_axis (a->axis, rank), nn_step_axis (a->axis2, rank), &outer, &extent, &inner);
  for (gsize o = 0; o < outer; o++)
    for (gsize k = 0; k < inner; k++)
      {
        const double *v = in[0] + o * extent * inner + k;
        double result = step->node->op == NN_OP_REDUCE_MAX ? -INFINITY : 0;

        for (gsize i = 0; i < extent; i++)
          result = step->node->op == NN_OP_REDUCE_MAX ? fmax (result, v[i * inner]) : result + v[i * inner];
        out[o * inner + k] = step->node->op == NN_OP_REDUCE_MEAN ? result / extent : result;
      }
}

/* The place of the largest along one axis, the first of equals. */
void
nn_step_arg_max (const NnStep        *step,
                 const double *const *in,
                 double              *out,
                 double              *scratch)
{
  gsize axis = nn_step_axis (step->node->attrs.axis, step->in_shape[0].rank), outer, extent, inner;

  around_axis (&step->in_shape[0], axis, axis, &outer, &extent, &inner);
  for (gsize o = 0; o < outer; o++)
    for (gsize k = 0; k < inner; k++)
      {
        const double *v = in[0] + o * extent * inner + k;
        gsize best = 0;

        for (gsize i = 1; i < extent; i++)
          best = v[i * inner] > v[best * inner] ? i : best;
        out[o * inner + k] = (double) best;
      }
}

void
nn_step_concatenate (const NnStep        *step,
                     const double *const *in,
                     double              *out,
                     double              *scratch)
{
  gsize axis = nn_step_axis (step->node->attrs.axis, step->shape.rank), outer, extent, inner, done = 0;

  around_axis (&step->shape, axis, axis, &outer, &extent, &inner);
  for (guint k = 0; k < step->node->n_inputs; k++)
    {
      gsize part = step->in_shape[k].dims[axis];

      for (gsize o = 0; o < outer; o++)
        memcpy (out + (o * extent + done) * inner, in[k] + o * part * inner, part * inner * sizeof *out);
      done += part;
    }
}
