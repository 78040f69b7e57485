/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Softmax in its four implementations. */

#include "nn-fixed-private.h"

#include <string.h>

/* Source: hls4ml, nnet_activation.h, softmax_stable, _latency, _legacy and _argmax. */

typedef struct {
  gint64  *exp_table, *inv_table;
  guint    n_exp, n_inv;
  int      exp_shift, inv_shift; /* from a word to its top bits */
  guint64  exp_mask, inv_mask;
  NnCast   norm, to_accum, add, to_inverse, result, entry, one;
  NnTableIndex difference, sum;
  gsize    n_slice, n_inner; /* along the axis; elements between neighbours of a slice */
} Softmax;

static void
softmax_free (gpointer data)
{
  Softmax *s = data;

  g_free (s->exp_table);
  g_free (s->inv_table);
  g_free (s);
}

static gsize
top_bits (gint64  word,
          int     shift,
          guint64 mask)
{
  return (gsize) ((shift >= 0 ? (guint64) word >> shift : (guint64) word << -shift) & mask);
}

/* A balanced tree of additions, each assigned to the accumulator: split at the largest power of two below n. Columns of
 * @e are added in place; the sum is the first. */
static void
add_tree (const Softmax *s,
          gint64        *e,
          gsize          n,
          gsize          lanes,
          guint64       *count)
{
  gsize left = 1;
  gint64 *other;

  if (n == 1)
    return;
  while (left * 2 < n)
    left *= 2;
  other = e + left * NN_FIXED_LANES;
  add_tree (s, e, left, lanes, count);
  add_tree (s, other, n - left, lanes, count);
  for (gsize b = 0; b < lanes; b++)
    e[b] += other[b];
  nn_cast_column (&s->add, e, e, lanes, count);
}

/* x and e are columns of NN_FIXED_LANES; x may be lost. */
static void
exponentials (const NnFixedLayer *layer,
              const Softmax      *s,
              gint64             *x,
              gint64             *e,
              gsize               lanes,
              guint64            *count)
{
  gboolean stable = layer->plan->softmax == NN_SOFTMAX_STABLE;
  gint64 max[NN_FIXED_LANES];

  memcpy (max, x, sizeof max);
  for (gsize i = 1; i < s->n_slice; i++)
    for (gsize b = 0; b < lanes; b++)
      max[b] = MAX (max[b], x[i * NN_FIXED_LANES + b]);
  for (gsize i = 0; i < s->n_slice; i++)
    {
      gint64 *xi = x + i * NN_FIXED_LANES, *ei = e + i * NN_FIXED_LANES;

      for (gsize b = 0; stable && b < lanes; b++)
        xi[b] = max[b] - xi[b];
      if (stable)
        nn_cast_column (&s->norm, xi, xi, lanes, NULL);
      for (gsize b = 0; b < lanes; b++)
        ei[b] = s->exp_table[top_bits (xi[b], s->exp_shift, s->exp_mask) % s->n_exp];
      nn_cast_column (&s->to_accum, ei, ei, lanes, count);
    }
}

static void
multiply_column (const NnCast *cast,
                 gint64       *out,
                 const gint64 *a,
                 const gint64 *b,
                 gsize         lanes,
                 guint64      *count)
{
  if (cast->wide)
    for (gsize k = 0; k < lanes; k++)
      out[k] = nn_fixed_cast_one (cast, (NnWide) a[k] * b[k], count);
  else
    {
      for (gsize k = 0; k < lanes; k++)
        out[k] = a[k] * b[k];
      nn_cast_column (cast, out, out, lanes, count);
    }
}

/* The columns of x become those of the result. */
static void
softmax_by_exp (const NnFixedLayer *layer,
                const Softmax      *s,
                gint64             *x,
                gint64             *e,
                gint64             *sum,
                gsize               lanes,
                guint64            *count)
{
  gint64 inverse[NN_FIXED_LANES];

  exponentials (layer, s, x, e, lanes, count);
  memcpy (sum, e, s->n_slice * NN_FIXED_LANES * sizeof *e);
  add_tree (s, sum, s->n_slice, lanes, count);
  nn_cast_column (&s->to_inverse, sum, sum, lanes, count);
  for (gsize b = 0; b < lanes; b++)
    inverse[b] = s->inv_table[top_bits (sum[b], s->inv_shift, s->inv_mask) % s->n_inv];
  for (gsize i = 0; i < s->n_slice; i++)
    multiply_column (&s->result, x + i * NN_FIXED_LANES, e + i * NN_FIXED_LANES, inverse, lanes, count);
}

static void
softmax_legacy (const Softmax *s,
                const gint64  *x,
                gint64        *y,
                guint64       *count)
{
  for (gsize i = 0; i < s->n_slice; i++)
    {
      gint64 sum = 0;

      for (gsize j = 0; j < s->n_slice; j++)
        {
          gint64 e = i == j ? nn_fixed_cast_one (&s->one, 1, NULL) : s->exp_table[nn_table_index (&s->difference, x[j] - x[i])];

          sum = nn_fixed_cast_one (&s->add, (NnWide) sum + e, count);
        }
      y[i] = nn_fixed_cast_one (&s->entry, s->inv_table[nn_table_index (&s->sum, sum)], count);
    }
}

static void
softmax_argmax (const Softmax *s,
                const gint64  *x,
                gint64        *y)
{
  gsize best = 0;

  for (gsize i = 1; i < s->n_slice; i++)
    if (x[i] > x[best])
      best = i;
  for (gsize i = 0; i < s->n_slice; i++)
    y[i] = i == best ? nn_fixed_cast_one (&s->result, 1, NULL) : 0;
}

/* One sample after the other. */
static void
softmax_by_sample (const NnFixedLayer *layer,
                   const Softmax      *s,
                   gint64             *columns,
                   gint64             *x,
                   gint64             *y,
                   gsize               lanes,
                   guint64            *count)
{
  for (gsize b = 0; b < lanes; b++)
    {
      for (gsize i = 0; i < s->n_slice; i++)
        x[i] = columns[i * NN_FIXED_LANES + b];
      if (layer->plan->softmax == NN_SOFTMAX_LEGACY)
        softmax_legacy (s, x, y, count);
      else
        softmax_argmax (s, x, y);
      for (gsize i = 0; i < s->n_slice; i++)
        columns[i * NN_FIXED_LANES + b] = y[i];
    }
}

static void
run_softmax (const NnFixedLayer *layer,
             NnFixedRun         *run)
{
  const Softmax *s = layer->state;
  const gint64 *in = nn_fixed_in (layer, run, 0);
  gsize size = s->n_slice * NN_FIXED_LANES, lanes = nn_fixed_lanes (run);
  gint64 *out = nn_fixed_out (layer, run), *x = (gint64 *) run->scratch, *e = x + size, *sum = e + size;
  guint64 *count = nn_fixed_counter (layer, run);

  for (gsize slice = 0; slice < layer->n / s->n_slice; slice++)
    {
      gsize first = slice / s->n_inner * s->n_inner * s->n_slice + slice % s->n_inner;

      for (gsize i = 0; i < s->n_slice; i++)
        for (gsize b = 0; b < lanes; b++)
          x[i * NN_FIXED_LANES + b] = nn_fixed_number (&layer->inputs[0], in[(first + i * s->n_inner) * run->lanes + b]);
      if (layer->plan->softmax == NN_SOFTMAX_LEGACY || layer->plan->softmax == NN_SOFTMAX_ARGMAX)
        softmax_by_sample (layer, s, x, e, sum, lanes, count);
      else
        softmax_by_exp (layer, s, x, e, sum, lanes, count);
      for (gsize i = 0; i < s->n_slice; i++)
        memcpy (out + (first + i * s->n_inner) * run->lanes, x + i * NN_FIXED_LANES, lanes * sizeof *x);
    }
}

/* Left out: the values pass by. */
static void
run_skip (const NnFixedLayer *layer,
          NnFixedRun         *run)
{
  const Softmax *s = layer->state;

  for (gsize f = 0; f < layer->n; f++)
    nn_cast_column (&s->result, nn_fixed_out (layer, run) + f * run->lanes, nn_fixed_in (layer, run, 0) + f * run->lanes,
                    nn_fixed_lanes (run), nn_fixed_counter (layer, run));
}

static void
prepare_legacy (NnFixedLayer *layer,
                Softmax      *s)
{
  const NnLayerPlan *p = layer->plan;
  NnFixedInput table = { .bits = nn_type_bits (&p->table), .fraction = nn_type_fraction (&p->table) };
  NnFixedInput difference = layer->inputs[0];
  gint64 n = p->table_size;
  NnType type;

  s->exp_table = nn_fixed_table (layer->node, p, "table", &s->n_exp, &type);
  s->inv_table = nn_fixed_table (layer->node, p, "inv", &s->n_inv, &type);
  difference.bits++;
  nn_table_index_init (&s->difference, &difference, n, 16, n / 2);
  nn_table_index_init (&s->sum, &table, n, 64, 0);
  nn_cast_init (&s->one, 2, TRUE, 0, &p->table);
  nn_cast_init (&s->add, nn_type_bits (&p->table) + 1, TRUE, table.fraction, &p->table);
  nn_cast_init (&s->entry, nn_type_bits (&p->table), TRUE, table.fraction, &p->result);
}

static void
prepare_tables (NnFixedLayer *layer,
                Softmax      *s)
{
  const NnLayerPlan *p = layer->plan;
  const NnFixedInput *input = &layer->inputs[0];
  const NnType *address = p->softmax == NN_SOFTMAX_STABLE ? &p->inp_norm : &p->input;
  int exp_bits, inv_bits;
  NnType type;

  s->exp_table = nn_fixed_table (layer->node, p, "exp", &s->n_exp, &type);
  s->inv_table = nn_fixed_table (layer->node, p, "inv", &s->n_inv, &type);
  exp_bits = nn_ceil_log2_macro (s->n_exp);
  inv_bits = nn_ceil_log2_macro (s->n_inv);
  s->exp_shift = address->width - exp_bits;
  s->inv_shift = p->inv_inp.width - inv_bits;
  s->exp_mask = ((guint64) 1 << exp_bits) - 1;
  s->inv_mask = ((guint64) 1 << inv_bits) - 1;
  nn_cast_init (&s->norm, MIN (input->bits + 1, 127), TRUE, input->fraction, &p->inp_norm);
  nn_cast_init (&s->to_accum, nn_type_bits (&p->exp_table), TRUE, nn_type_fraction (&p->exp_table), &p->accum);
  nn_cast_init (&s->add, nn_type_bits (&p->accum) + 1, TRUE, nn_type_fraction (&p->accum), &p->accum);
  nn_cast_init (&s->to_inverse, nn_type_bits (&p->accum), TRUE, nn_type_fraction (&p->accum), &p->inv_inp);
  nn_cast_init (&s->result, MIN (nn_type_bits (&p->accum) + nn_type_bits (&p->inv_table), 127), TRUE,
                nn_type_fraction (&p->accum) + nn_type_fraction (&p->inv_table), &p->result);
}

gboolean
nn_fixed_prepare_softmax (NnFixedLayer  *layer,
                          GError       **error)
{
  const NnShape *shape = &layer->node->shape;
  gint axis = layer->node->attrs.axis < 0 ? layer->node->attrs.axis + (gint) shape->rank : layer->node->attrs.axis;
  Softmax *s = g_new0 (Softmax, 1);

  layer->state = s;
  layer->free_state = softmax_free;
  layer->run = run_softmax;
  if (axis < 0 || axis >= (gint) shape->rank)
    axis = (gint) shape->rank - 1;
  s->n_slice = (gsize) shape->dims[axis];
  s->n_inner = 1;
  for (guint d = (guint) axis + 1; d < shape->rank; d++)
    s->n_inner *= (gsize) shape->dims[d];
  layer->scratch = 3 * s->n_slice * NN_FIXED_LANES * sizeof (gint64);
  if (layer->plan->skip)
    {
      nn_cast_init (&s->result, layer->inputs[0].bits, TRUE, layer->inputs[0].fraction, &layer->plan->result);
      layer->run = run_skip;
    }
  else if (layer->plan->softmax == NN_SOFTMAX_LEGACY)
    prepare_legacy (layer, s);
  else if (layer->plan->softmax == NN_SOFTMAX_ARGMAX)
    nn_cast_init (&s->result, 2, TRUE, 0, &layer->plan->result);
  else
    prepare_tables (layer, s);
  return TRUE;
}
