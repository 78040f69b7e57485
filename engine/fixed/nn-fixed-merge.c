/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers of several inputs. */

#include "nn-fixed-private.h"

#include "nn-product.h"

#include <string.h>

/* Source: hls4ml, nnet_merge.h. */

/**
 * Merge:
 * @from: for each input and output, the element that is read (broadcasting, concatenation)
 * @up: by input, the shift to a common point
 * @steps: (array): of more than two inputs, the assignment after each but the last
 */
typedef struct {
  gint32 **from;
  int     *up;
  NnCast   result, product, add;
  guint    n_inputs;
  gint32  *owner; /* concatenation: which input an output comes from */
  NnCast  *straight;
  gint32  *inner[2]; /* products: how far behind the first of an output each reads */
  gsize    n_in;
} Merge;

static void
merge_free (gpointer data)
{
  Merge *m = data;

  for (guint k = 0; k < m->n_inputs; k++)
    g_free (m->from[k]);
  g_free (m->from);
  g_free (m->up);
  g_free (m->owner);
  g_free (m->straight);
  g_free (m->inner[0]);
  g_free (m->inner[1]);
  g_free (m);
}

static NnWide
aligned (const NnFixedLayer *layer,
         NnFixedRun         *run,
         const Merge        *m,
         guint               k,
         gsize               f,
         gsize               b)
{
  const gint64 *x = nn_fixed_in (layer, run, k) + (gsize) m->from[k][f] * run->lanes;

  return (NnWide) ((NnUWide) (NnWide) nn_fixed_number (&layer->inputs[k], x[b]) << m->up[k]);
}

static NnWide
combine (NnOp   op,
         NnWide a,
         NnWide b)
{
  switch (op)
    {
    case NN_OP_SUBTRACT:
      return a - b;
    case NN_OP_MULTIPLY:
      return a * b;
    case NN_OP_MAXIMUM:
      return MAX (a, b);
    case NN_OP_MINIMUM:
      return MIN (a, b);
    default:
      return a + b;
    }
}

/*
 * The exact value of the whole expression, then one assignment; an average is cut towards zero at the last bit of the
 * sum, as the division of the reference is (ap_fixed, operator/).
 */
static void
run_arithmetic (const NnFixedLayer *layer,
                NnFixedRun         *run)
{
  const Merge *m = layer->state;
  guint64 *count = nn_fixed_counter (layer, run);

  for (gsize f = 0; f < layer->n; f++)
    for (gsize b = 0; b < nn_fixed_lanes (run); b++)
      {
        NnWide v = aligned (layer, run, m, 0, f, b);
        gboolean over;

        for (guint k = 1; k < m->n_inputs; k++)
          v = combine (layer->node->op, v, aligned (layer, run, m, k, f, b));
        if (layer->node->op == NN_OP_AVERAGE)
          v /= (NnWide) m->n_inputs;
        nn_fixed_out (layer, run)[f * run->lanes + b] = nn_cast_wide (&m->result, v, &over);
        if (count != NULL)
          *count += over;
      }
}

/* Quotients are cut towards zero at the result's last bit. */
static void
run_divide (const NnFixedLayer *layer,
            NnFixedRun         *run)
{
  const Merge *m = layer->state;
  int up = CLAMP (nn_type_fraction (&layer->plan->result), 0, 60);

  for (gsize f = 0; f < layer->n; f++)
    for (gsize b = 0; b < nn_fixed_lanes (run); b++)
      {
        NnWide x = aligned (layer, run, m, 0, f, b), y = aligned (layer, run, m, 1, f, b);
        gboolean over;

        nn_fixed_out (layer, run)[f * run->lanes + b] =
          nn_cast_wide (&m->result, y == 0 ? (x > 0) - (x < 0) : (NnWide) ((NnUWide) x << up) / y, &over);
        if (run->overflows != NULL)
          run->overflows[layer->index] += over || y == 0;
      }
}

static void
run_concatenate (const NnFixedLayer *layer,
                 NnFixedRun         *run)
{
  const Merge *m = layer->state;
  gsize lanes = nn_fixed_lanes (run);
  gint64 v[NN_FIXED_LANES];

  for (gsize f = 0; f < layer->n; f++)
    {
      guint k = (guint) m->owner[f];
      const gint64 *x = nn_fixed_in (layer, run, k) + (gsize) m->from[0][f] * run->lanes;
      gint64 *out = nn_fixed_out (layer, run) + f * run->lanes;

      if (layer->plan->result.kind == NN_TYPE_BINARY)
        {
          for (gsize b = 0; b < lanes; b++)
            out[b] = x[b];
          continue;
        }
      for (gsize b = 0; b < lanes; b++)
        v[b] = nn_fixed_number (&layer->inputs[k], x[b]);
      nn_cast_column (&m->straight[k], out, v, lanes, nn_fixed_counter (layer, run));
    }
}

/* Sums of products of two activations, in the order of the equation's letters. */
static void
run_products (const NnFixedLayer *layer,
              NnFixedRun         *run)
{
  const Merge *m = layer->state;
  const gint64 *x = nn_fixed_in (layer, run, 0), *y = nn_fixed_in (layer, run, 1);
  guint64 unused = 0, *count = run->overflows != NULL ? nn_fixed_counter (layer, run) : &unused;
  gsize lanes = nn_fixed_lanes (run);
  gint64 acc[NN_FIXED_LANES];

  for (gsize f = 0; f < layer->n; f++)
    {
      memset (acc, 0, sizeof acc);
      for (gsize i = 0; i < m->n_in; i++)
        for (gsize b = 0; b < lanes; b++)
          {
            gint64 left = nn_fixed_number (&layer->inputs[0], x[(gsize) (m->from[0][f] + m->inner[0][i]) * run->lanes + b]);
            gint64 right = nn_fixed_number (&layer->inputs[1], y[(gsize) (m->from[1][f] + m->inner[1][i]) * run->lanes + b]);
            gboolean over[2];
            gint64 product = nn_cast_wide (&m->product, (NnWide) left * right, &over[0]);

            acc[b] = nn_cast_wide (&m->add, (NnWide) acc[b] + product, &over[1]);
            *count += (guint64) over[0] + over[1];
          }
      nn_cast_column (&m->result, nn_fixed_out (layer, run) + f * run->lanes, acc, lanes, count);
    }
}

/* Numpy's broadcasting. */
static gint32
broadcast (const NnShape *out,
           const NnShape *in,
           gsize          f)
{
  gsize index = 0, step = 1;

  for (guint d = out->rank; d-- > 0;)
    {
      gsize at = f % (gsize) out->dims[d];
      gint k = (gint) d - (gint) (out->rank - in->rank);

      f /= (gsize) out->dims[d];
      if (k < 0)
        continue;
      index += in->dims[k] == 1 ? 0 : at * step;
      step *= (gsize) in->dims[k];
    }
  return (gint32) index;
}

static void
prepare_elements (NnFixedLayer *layer,
                  Merge        *m)
{
  const NnNode *node = layer->node;
  int fraction = G_MININT, bits = 0;

  for (guint k = 0; k < m->n_inputs; k++)
    fraction = MAX (fraction, layer->inputs[k].fraction);
  for (guint k = 0; k < m->n_inputs; k++)
    {
      m->up[k] = node->op == NN_OP_MULTIPLY ? 0 : MIN (fraction - layer->inputs[k].fraction, 60);
      bits = node->op == NN_OP_MULTIPLY ? bits + layer->inputs[k].bits : MAX (bits, layer->inputs[k].bits + m->up[k] + 1);
      m->from[k] = g_new (gint32, layer->n);
      for (gsize f = 0; f < layer->n; f++)
        m->from[k][f] = broadcast (&node->shape, &layer->inputs[k].shape, f);
    }
  if (node->op == NN_OP_MULTIPLY)
    {
      fraction = 0;
      for (guint k = 0; k < m->n_inputs; k++)
        fraction += layer->inputs[k].fraction;
    }
  if (node->op == NN_OP_DIVIDE)
    fraction = CLAMP (nn_type_fraction (&layer->plan->result), 0, 60);
  nn_cast_init (&m->result, MIN (bits + 60, 126), TRUE, fraction, &layer->plan->result);
}

static void
prepare_concatenation (NnFixedLayer *layer,
                       Merge        *m)
{
  const NnShape *out = &layer->node->shape;
  guint axis = (guint) (layer->node->attrs.axis < 0 ? layer->node->attrs.axis + (gint) out->rank : layer->node->attrs.axis);
  gsize after = 1;

  for (guint d = axis + 1; d < out->rank; d++)
    after *= (gsize) out->dims[d];
  m->owner = g_new0 (gint32, layer->n);
  m->straight = g_new0 (NnCast, m->n_inputs);
  m->from[0] = g_new0 (gint32, layer->n);
  for (guint k = 0; k < m->n_inputs; k++)
    nn_cast_init (&m->straight[k], layer->inputs[k].bits, TRUE, layer->inputs[k].fraction, &layer->plan->result);
  for (gsize f = 0; f < layer->n; f++)
    {
      gint64 at = (gint64) (f / after) % out->dims[axis];
      gsize before = f / after / (gsize) out->dims[axis];
      guint k = 0;

      while (at >= layer->inputs[k].shape.dims[axis])
        at -= layer->inputs[k++].shape.dims[axis];
      m->owner[f] = (gint32) k;
      m->from[0][f] = (gint32) ((before * (gsize) layer->inputs[k].shape.dims[axis] + (gsize) at) * after + f % after);
    }
}

static gboolean
prepare_products (NnFixedLayer  *layer,
                  Merge         *m,
                  GError       **error)
{
  const NnFixedInput *a = &layer->inputs[0], *b = &layer->inputs[1];
  const NnType *accum = &layer->plan->accum;
  NnEinsum sum;

  if (layer->node->attrs.normalize)
    return nn_fixed_unsupported (layer, "a product that is divided by its inputs' lengths", error);
  if (layer->node->n_inputs != 2 || !nn_product_sum (layer->node, &a->shape, &b->shape, &sum))
    return nn_fixed_unsupported (layer, "a product of other than two inputs that fit", error);
  m->n_in = nn_einsum_inner (&sum);
  for (guint k = 0; k < 2; k++)
    {
      m->from[k] = g_new (gint32, layer->n);
      m->inner[k] = g_new (gint32, m->n_in);
      for (gsize f = 0; f < layer->n; f++)
        m->from[k][f] = (gint32) nn_einsum_first (&sum, k, f);
      for (gsize i = 0; i < m->n_in; i++)
        m->inner[k][i] = (gint32) nn_einsum_offset (&sum, k, i);
    }
  nn_cast_init (&m->product, MIN (a->bits + b->bits, 127), TRUE, a->fraction + b->fraction, accum);
  nn_cast_init (&m->add, nn_type_bits (accum) + 1, TRUE, nn_type_fraction (accum), accum);
  nn_cast_init (&m->result, nn_type_bits (accum), TRUE, nn_type_fraction (accum), &layer->plan->result);
  layer->run = run_products;
  return TRUE;
}

gboolean
nn_fixed_prepare_merge (NnFixedLayer  *layer,
                        GError       **error)
{
  NnOp op = layer->node->op;
  Merge *m = g_new0 (Merge, 1);

  layer->state = m;
  layer->free_state = merge_free;
  m->n_inputs = layer->node->n_inputs;
  m->from = g_new0 (gint32 *, m->n_inputs);
  m->up = g_new0 (int, m->n_inputs);
  layer->run = run_arithmetic;
  if (op == NN_OP_CONCATENATE)
    {
      prepare_concatenation (layer, m);
      layer->run = run_concatenate;
    }
  else if (op == NN_OP_DOT || op == NN_OP_MATMUL || op == NN_OP_EINSUM)
    return prepare_products (layer, m, error);
  else
    {
      prepare_elements (layer, m);
      if (op == NN_OP_DIVIDE)
        layer->run = run_divide;
    }
  return TRUE;
}
