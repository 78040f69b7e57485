/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutions and pooling in double precision: sums as their definitions have them. */

#include "nn-exec-private.h"

#include "nn-infer-shape.h"

#include <math.h>
#include <string.h>

/* A sliding window over one or two axes before the channels; one axis counts as a plane of height 1. */
typedef struct {
  gsize  outer;            /* samples within the sample: time-distributed steps */
  gint64 in[2], out[2];    /* extents */
  gint64 channels, units;
  gint64 kernel[2], stride[2], dilation[2], before[2];
  gint64 groups;
  gint64 multiplier;
} Window;

static Window *
window_new (NnStep *step,
            guint   n)
{
  const NnAttrs *a = &step->node->attrs;
  const NnShape *from = &step->in_shape[0], *to = &step->shape;
  Window *w = g_new0 (Window, 1);

  w->outer = 1;
  for (guint i = 0; i + n + 1 < from->rank; i++)
    w->outer *= from->dims[i];
  w->channels = nn_shape_last (from);
  w->units = nn_shape_last (to);
  w->groups = MAX (a->groups, 1);
  w->multiplier = MAX (a->depth_multiplier, 1);
  for (guint i = 0; i < 2; i++)
    {
      gint64 after;
      gint k = (gint) i - (2 - (gint) n); /* index among the node's axes */

      w->in[i] = w->out[i] = w->kernel[i] = w->stride[i] = w->dilation[i] = 1;
      if (k < 0)
        continue;
      w->in[i] = from->dims[from->rank - 1 - n + k];
      w->out[i] = to->dims[to->rank - 1 - n + k];
      w->kernel[i] = a->kernel[k];
      w->stride[i] = MAX (a->stride[k], 1);
      w->dilation[i] = MAX (a->dilation[k], 1);
      nn_window_pads (w->in[i], w->kernel[i], w->stride[i], w->dilation[i], a->padding, a->pad[k], &w->before[i], &after);
    }
  step->plan = w;
  return w;
}

static guint
n_axes (NnOp op)
{
  switch (op)
    {
    case NN_OP_CONV1D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_MAX_POOL1D:
    case NN_OP_AVG_POOL1D:
      return 1;
    default:
      return 2;
    }
}

/* The input's index under tap @k of the window at @o; FALSE in the padding. */
static inline gboolean
tap (const Window *w,
     guint         axis,
     gint64        o,
     gint64        k,
     gint64       *at)
{
  *at = o * w->stride[axis] + k * w->dilation[axis] - w->before[axis];
  return *at >= 0 && *at < w->in[axis];
}

static gboolean
need_bias (NnStep  *step,
           GError **error)
{
  return step->w_n[NN_ROLE_BIAS] == 0 || nn_step_need (step, NN_ROLE_BIAS, nn_shape_last (&step->shape), error);
}

gboolean
nn_prepare_conv (NnStep  *step,
                 GError **error)
{
  Window *w = window_new (step, n_axes (step->node->op));

  if (w->channels % w->groups != 0 || w->units % w->groups != 0)
    return nn_step_fail (step, "its groups do not divide its channels", error);
  return nn_step_need (step, NN_ROLE_KERNEL, w->kernel[0] * w->kernel[1] * (w->channels / w->groups) * w->units, error) &&
         need_bias (step, error);
}

static void
start_sum (double       *y,
           gsize         n,
           const double *bias)
{
  if (bias != NULL)
    memcpy (y, bias, n * sizeof *y);
  else
    memset (y, 0, n * sizeof *y);
}

/* One tap of one position: y (units) += x (channels) kernel (channels / groups, units). */
static void
conv_tap (const Window *w,
          const double *x,
          const double *kernel,
          double       *y)
{
  gint64 in = w->channels / w->groups, out = w->units / w->groups;

  for (gint64 g = 0; g < w->groups; g++)
    for (gint64 c = 0; c < in; c++)
      {
        const double *row = kernel + c * w->units + g * out;
        double v = x[g * in + c], *sum = y + g * out;

        for (gint64 u = 0; u < out; u++)
          sum[u] += v * row[u];
      }
}

void
nn_step_conv (const NnStep        *step,
              const double *const *in,
              double              *out,
              double              *scratch)
{
  const Window *w = step->plan;
  gsize plane = w->in[0] * w->in[1] * w->channels, taps = (w->channels / w->groups) * w->units;

  for (gsize o = 0; o < w->outer; o++)
    for (gint64 i = 0; i < w->out[0]; i++)
      for (gint64 j = 0; j < w->out[1]; j++, out += w->units)
        {
          gint64 y, x;

          start_sum (out, w->units, step->w[NN_ROLE_BIAS]);
          for (gint64 k = 0; k < w->kernel[0]; k++)
            for (gint64 l = 0; l < w->kernel[1]; l++)
              if (tap (w, 0, i, k, &y) && tap (w, 1, j, l, &x))
                conv_tap (w, in[0] + o * plane + (y * w->in[1] + x) * w->channels,
                          step->w[NN_ROLE_KERNEL] + (k * w->kernel[1] + l) * taps, out);
        }
}

gboolean
nn_prepare_depthwise (NnStep  *step,
                      GError **error)
{
  Window *w = window_new (step, n_axes (step->node->op));

  return nn_step_need (step, NN_ROLE_KERNEL, w->kernel[0] * w->kernel[1] * w->channels * w->multiplier, error) &&
         need_bias (step, error);
}

/* Channel c and multiplier m make output c * multiplier + m. */
static void
depthwise (const Window *w,
           const double *kernel,
           const double *bias,
           const double *in,
           double       *out)
{
  gint64 units = w->channels * w->multiplier;
  gsize plane = w->in[0] * w->in[1] * w->channels;

  for (gsize o = 0; o < w->outer; o++)
    for (gint64 i = 0; i < w->out[0]; i++)
      for (gint64 j = 0; j < w->out[1]; j++, out += units)
        {
          gint64 y, x;

          start_sum (out, units, bias);
          for (gint64 k = 0; k < w->kernel[0]; k++)
            for (gint64 l = 0; l < w->kernel[1]; l++)
              if (tap (w, 0, i, k, &y) && tap (w, 1, j, l, &x))
                {
                  const double *v = in + o * plane + (y * w->in[1] + x) * w->channels;
                  const double *row = kernel + (k * w->kernel[1] + l) * units;

                  for (gint64 u = 0; u < units; u++)
                    out[u] += v[w->multiplier == 1 ? u : u / w->multiplier] * row[u];
                }
        }
}

void
nn_step_depthwise (const NnStep        *step,
                   const double *const *in,
                   double              *out,
                   double              *scratch)
{
  depthwise (step->plan, step->w[NN_ROLE_KERNEL], step->w[NN_ROLE_BIAS], in[0], out);
}

gboolean
nn_prepare_separable (NnStep  *step,
                      GError **error)
{
  Window *w = window_new (step, n_axes (step->node->op));
  gsize middle = w->channels * w->multiplier;

  step->n_scratch = w->outer * w->out[0] * w->out[1] * middle;
  return nn_step_need (step, NN_ROLE_DEPTHWISE_KERNEL, w->kernel[0] * w->kernel[1] * middle, error) &&
         nn_step_need (step, NN_ROLE_POINTWISE_KERNEL, middle * w->units, error) && need_bias (step, error);
}

void
nn_step_separable (const NnStep        *step,
                   const double *const *in,
                   double              *out,
                   double              *scratch)
{
  const Window *w = step->plan;
  gsize middle = w->channels * w->multiplier, positions = w->outer * w->out[0] * w->out[1];

  depthwise (w, step->w[NN_ROLE_DEPTHWISE_KERNEL], NULL, in[0], scratch);
  for (gsize p = 0; p < positions; p++, out += w->units)
    {
      start_sum (out, w->units, step->w[NN_ROLE_BIAS]);
      for (gsize m = 0; m < middle; m++)
        for (gint64 u = 0; u < w->units; u++)
          out[u] += scratch[p * middle + m] * step->w[NN_ROLE_POINTWISE_KERNEL][m * w->units + u];
    }
}

/* The output is `before` shorter at its start: what a convolution with the same settings would have padded there. */
gboolean
nn_prepare_transpose (NnStep  *step,
                      GError **error)
{
  const NnAttrs *a = &step->node->attrs;
  guint n = n_axes (step->node->op);
  Window *w = window_new (step, n);

  for (guint i = 0; i < 2; i++)
    {
      gint64 span = (w->kernel[i] - 1) * w->dilation[i] + 1;
      gint k = (gint) i - (2 - (gint) n);

      w->before[i] = a->padding == NN_PADDING_SAME               ? MAX (span - w->stride[i], 0) / 2
                     : a->padding == NN_PADDING_EXPLICIT && k >= 0 ? a->pad[k][0]
                                                                   : 0;
    }
  if (w->groups != 1)
    return nn_step_fail (step, "groups in a transposed convolution are not supported", error);
  return nn_step_need (step, NN_ROLE_KERNEL, w->kernel[0] * w->kernel[1] * w->channels * w->units, error) &&
         need_bias (step, error);
}

/* Kernel (k..., out, in): every input is spread over the outputs under the kernel. */
void
nn_step_transpose (const NnStep        *step,
                   const double *const *in,
                   double              *out,
                   double              *scratch)
{
  const Window *w = step->plan;
  gsize to = w->out[0] * w->out[1] * w->units;

  for (gsize p = 0; p < step->n / w->units; p++)
    start_sum (out + p * w->units, w->units, step->w[NN_ROLE_BIAS]);
  for (gsize o = 0; o < w->outer; o++)
    for (gint64 i = 0; i < w->in[0]; i++)
      for (gint64 j = 0; j < w->in[1]; j++)
        for (gint64 k = 0; k < w->kernel[0]; k++)
          for (gint64 l = 0; l < w->kernel[1]; l++)
            {
              gint64 y = i * w->stride[0] + k * w->dilation[0] - w->before[0];
              gint64 x = j * w->stride[1] + l * w->dilation[1] - w->before[1];
              const double *v = in[0] + ((o * w->in[0] + i) * w->in[1] + j) * w->channels;
              const double *kernel = step->w[NN_ROLE_KERNEL] + (k * w->kernel[1] + l) * w->units * w->channels;

              if (y < 0 || y >= w->out[0] || x < 0 || x >= w->out[1])
                continue;
              for (gint64 u = 0; u < w->units; u++)
                for (gint64 c = 0; c < w->channels; c++)
                  out[o * to + (y * w->out[1] + x) * w->units + u] += v[c] * kernel[u * w->channels + c];
            }
}

gboolean
nn_prepare_pool (NnStep  *step,
                 GError **error)
{
  window_new (step, n_axes (step->node->op));
  return TRUE;
}

/* What lies in the padding takes no part, unless an average is told to count it. */
static void
pool (const NnStep *step,
      const double *in,
      double       *out,
      gboolean      max)
{
  const Window *w = step->plan;
  gsize plane = w->in[0] * w->in[1] * w->channels;

  for (gsize o = 0; o < w->outer; o++)
    for (gint64 i = 0; i < w->out[0]; i++)
      for (gint64 j = 0; j < w->out[1]; j++, out += w->channels)
        {
          gsize count = 0;
          gint64 y, x;

          for (gint64 c = 0; c < w->channels; c++)
            out[c] = max ? -INFINITY : 0;
          for (gint64 k = 0; k < w->kernel[0]; k++)
            for (gint64 l = 0; l < w->kernel[1]; l++)
              if (tap (w, 0, i, k, &y) && tap (w, 1, j, l, &x))
                {
                  const double *v = in + o * plane + (y * w->in[1] + x) * w->channels;

                  count++;
                  for (gint64 c = 0; c < w->channels; c++)
                    out[c] = max ? fmax (out[c], v[c]) : out[c] + v[c];
                }
          if (step->node->attrs.count_pad)
            count = w->kernel[0] * w->kernel[1];
          for (gint64 c = 0; !max && c < w->channels; c++)
            out[c] /= MAX (count, 1);
        }
}

void
nn_step_max_pool (const NnStep        *step,
                  const double *const *in,
                  double              *out,
                  double              *scratch)
{
  pool (step, in[0], out, TRUE);
}

void
nn_step_avg_pool (const NnStep        *step,
                  const double *const *in,
                  double              *out,
                  double              *scratch)
{
  pool (step, in[0], out, FALSE);
}

/* Over every axis but the channels'. */
void
nn_step_global_pool (const NnStep        *step,
                     const double *const *in,
                     double              *out,
                     double              *scratch)
{
  gsize channels = nn_shape_last (&step->in_shape[0]), n = step->in_n[0];
  gboolean max = step->node->op == NN_OP_GLOBAL_MAX_POOL;

  for (gsize c = 0; c < channels; c++)
    out[c] = max ? -INFINITY : 0;
  for (gsize i = 0; i < n; i++)
    out[i % channels] = max ? fmax (out[i % channels], in[0][i]) : out[i % channels] + in[0][i];
  for (gsize c = 0; !max && c < channels; c++)
    out[c] /= n / channels;
}
