/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pooling over windows and over everything. */

#include "nn-fixed-kernels.h"
#include "nn-fixed-private.h"

#include "nn-infer-shape.h"

/* Source: hls4ml, nnet_pooling.h. */

typedef enum { POOL_MAX, POOL_AVERAGE, POOL_SUM } Pool;

/**
 * Window lists: for each output, @n_taps inputs, -1 for padding; and by how many its sum is divided.
 */
typedef struct {
  Pool    pool;
  gsize   n_taps;
  gint32 *taps;
  gint32 *divisors;
  gint64  padding; /* what stands in for padding in a maximum */
  NnCast  add, result, straight;
  int     sum_up, x_up; /* bring both to one point */
  gboolean wide;
} Pooling;

static void
pooling_free (gpointer data)
{
  Pooling *p = data;

  g_free (p->taps);
  g_free (p->divisors);
  g_free (p);
}

static void
run_max (const NnFixedLayer *layer,
         NnFixedRun         *run)
{
  const Pooling *p = layer->state;
  const gint64 *in = nn_fixed_in (layer, run, 0);
  gsize lanes = nn_fixed_lanes (run);
  gint64 v[NN_FIXED_LANES], padding[NN_FIXED_LANES];

  for (gsize b = 0; b < lanes; b++)
    padding[b] = p->padding;
  for (gsize o = 0; o < layer->n; o++)
    {
      for (gsize b = 0; b < lanes; b++)
        v[b] = G_MININT64;
      for (gsize k = 0; k < p->n_taps; k++)
        {
          gint32 tap = p->taps[o * p->n_taps + k];

          nn_fixed_kernels ()->larger (v, tap < 0 ? padding : in + (gsize) tap * run->lanes, lanes);
        }
      for (gsize b = 0; layer->inputs[0].is_binary && b < lanes; b++)
        v[b] = nn_fixed_number (&layer->inputs[0], v[b]);
      nn_cast_column (&p->straight, v, v, lanes, nn_fixed_counter (layer, run));
      nn_cast_column (&p->result, nn_fixed_out (layer, run) + o * run->lanes, v, lanes, nn_fixed_counter (layer, run));
    }
}

/* sum = (accum_t) (sum + x): the exact sum is assigned. */
static void
add_column (const Pooling *p,
            gint64        *sum,
            const gint64  *x,
            gsize          lanes,
            guint64       *count)
{
  if (!p->wide)
    {
      for (gsize b = 0; b < lanes; b++)
        sum[b] = (gint64) (((guint64) sum[b] << p->sum_up) + ((guint64) x[b] << p->x_up));
      nn_cast_column (&p->add, sum, sum, lanes, count);
      return;
    }
  for (gsize b = 0; b < lanes; b++)
    {
      NnWide exact = (NnWide) ((NnUWide) (NnWide) sum[b] << p->sum_up) + (NnWide) ((NnUWide) (NnWide) x[b] << p->x_up);
      gboolean over;

      sum[b] = nn_cast_wide (&p->add, exact, &over);
      if (count != NULL)
        *count += over;
    }
}

/* The quotient is cut towards zero at the accumulator's last bit, whatever its rounding mode. */
static void
run_average (const NnFixedLayer *layer,
             NnFixedRun         *run)
{
  const Pooling *p = layer->state;
  const gint64 *in = nn_fixed_in (layer, run, 0);
  gsize lanes = nn_fixed_lanes (run);
  guint64 *count = nn_fixed_counter (layer, run);
  gint64 sum[NN_FIXED_LANES], v[NN_FIXED_LANES];

  for (gsize o = 0; o < layer->n; o++)
    {
      gint64 divisor = p->pool == POOL_SUM ? 1 : MAX (p->divisors[o], 1);

      for (gsize b = 0; b < lanes; b++)
        sum[b] = 0;
      for (gsize k = 0; k < p->n_taps; k++)
        {
          gint32 tap = p->taps[o * p->n_taps + k];

          if (tap < 0)
            continue;
          for (gsize b = 0; b < lanes; b++)
            v[b] = nn_fixed_number (&layer->inputs[0], in[(gsize) tap * run->lanes + b]);
          add_column (p, sum, v, lanes, count);
        }
      for (gsize b = 0; divisor > 1 && b < lanes; b++)
        sum[b] /= divisor;
      nn_cast_column (&p->result, nn_fixed_out (layer, run) + o * run->lanes, sum, lanes, count);
    }
}

static void
window_list (NnFixedLayer *layer,
             Pooling      *p,
             guint         axes)
{
  const NnAttrs *a = &layer->node->attrs;
  const NnShape *in = &layer->inputs[0].shape, *out = &layer->node->shape;
  gint64 size[2] = { 1, 1 }, n[2] = { 1, 1 }, kernel[2] = { 1, 1 }, stride[2] = { 1, 1 }, before[2] = { 0, 0 }, after;
  gint64 channels = nn_shape_last (in), *at;
  gint32 *tap;

  for (guint d = 2 - axes, k = 0; d < 2; d++, k++)
    {
      size[d] = in->dims[in->rank - 3 + d];
      n[d] = out->dims[out->rank - 3 + d];
      kernel[d] = a->kernel[k];
      stride[d] = a->stride[k];
      nn_window_pads (size[d], kernel[d], stride[d], 1, a->padding, a->pad[k], &before[d], &after);
    }
  at = (gint64[]){ 0, 0, 0 };
  p->n_taps = (gsize) (kernel[0] * kernel[1]);
  tap = p->taps = g_new (gint32, p->n_taps * layer->n);
  p->divisors = g_new0 (gint32, layer->n);
  for (at[0] = 0; at[0] < n[0]; at[0]++)
    for (at[1] = 0; at[1] < n[1]; at[1]++)
      for (at[2] = 0; at[2] < channels; at[2]++)
        for (gint64 k = 0; k < kernel[0] * kernel[1]; k++)
          {
            gint64 y = at[0] * stride[0] + k / kernel[1] - before[0], x = at[1] * stride[1] + k % kernel[1] - before[1];
            gboolean inside = y >= 0 && y < size[0] && x >= 0 && x < size[1];

            *tap++ = inside ? (gint32) ((y * size[1] + x) * channels + at[2]) : -1;
            p->divisors[(at[0] * n[1] + at[1]) * channels + at[2]] += inside || a->count_pad;
          }
}

/* Everything but the axes kept: those before @first, between and after @last (inclusive) are the output's. */
static void
reduction_list (NnFixedLayer *layer,
                Pooling      *p,
                guint         first,
                guint         last)
{
  const NnShape *in = &layer->inputs[0].shape;
  gsize before = 1, inside = 1, after = 1;

  for (guint d = 0; d < in->rank; d++)
    *(d < first ? &before : d <= last ? &inside : &after) *= (gsize) in->dims[d];
  p->n_taps = inside;
  p->taps = g_new (gint32, inside * before * after);
  p->divisors = g_new0 (gint32, layer->n);
  for (gsize o = 0; o < layer->n; o++)
    {
      p->divisors[o] = (gint32) inside;
      for (gsize k = 0; k < inside; k++)
        p->taps[o * inside + k] = (gint32) ((o / after * inside + k) * after + o % after);
    }
}

static guint
resolve (gint  axis,
         guint rank)
{
  return (guint) (axis < 0 ? axis + (gint) rank : axis);
}

static void
prepare_list (NnFixedLayer *layer,
              Pooling      *p)
{
  const NnShape *in = &layer->inputs[0].shape;

  switch (layer->node->op)
    {
    case NN_OP_MAX_POOL1D:
    case NN_OP_AVG_POOL1D:
      window_list (layer, p, 1);
      break;
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL2D:
      window_list (layer, p, 2);
      break;
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      reduction_list (layer, p, 0, in->rank - 2);
      break;
    default:
      reduction_list (layer, p, resolve (layer->node->attrs.axis, in->rank), resolve (layer->node->attrs.axis2, in->rank));
      break;
    }
}

static Pool
pool_kind (NnOp op)
{
  switch (op)
    {
    case NN_OP_AVG_POOL1D:
    case NN_OP_AVG_POOL2D:
    case NN_OP_GLOBAL_AVG_POOL:
    case NN_OP_REDUCE_MEAN:
      return POOL_AVERAGE;
    case NN_OP_REDUCE_SUM:
      return POOL_SUM;
    default:
      return POOL_MAX;
    }
}

gboolean
nn_fixed_prepare_pool (NnFixedLayer  *layer,
                       GError       **error)
{
  const NnFixedInput *input = &layer->inputs[0];
  const NnType *accum = &layer->plan->accum;
  Pooling *p = g_new0 (Pooling, 1);
  int fraction = accum->kind == NN_TYPE_FIXED ? MAX (nn_type_fraction (accum), input->fraction) : input->fraction, bits;
  gint64 most;

  layer->state = p;
  layer->free_state = pooling_free;
  p->pool = pool_kind (layer->node->op);
  prepare_list (layer, p);
  nn_type_raw_range (&input->type, &p->padding, &most);
  p->sum_up = fraction - (accum->kind == NN_TYPE_FIXED ? nn_type_fraction (accum) : 0);
  p->x_up = fraction - input->fraction;
  bits = MAX (nn_type_bits (accum) + p->sum_up, input->bits + p->x_up) + 1;
  p->wide = bits > 62;
  if (bits > 126)
    return nn_fixed_unsupported (layer, "accumulator and input need more than 126 bits together", error);
  nn_cast_init (&p->straight, input->bits, TRUE, input->fraction, accum);
  nn_cast_init (&p->add, bits, TRUE, fraction, accum);
  nn_cast_init (&p->result, nn_type_bits (accum), TRUE, accum->kind == NN_TYPE_BINARY ? 0 : nn_type_fraction (accum),
                &layer->plan->result);
  layer->run = p->pool == POOL_MAX ? run_max : run_average;
  return TRUE;
}
