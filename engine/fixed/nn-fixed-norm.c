/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layer normalisation over the last axis. */

#include "nn-fixed-private.h"

/* Source: hls4ml, nnet_layernorm.h: sums, mean and variance in the accumulator's type, 1 / sqrt by a table over [0, 1). */

typedef struct {
  NnCast       to_accum, add, by_inverse, square, result;
  gint64       inverse; /* 1 / n in the accumulator's type */
  gint64      *table;
  NnTableIndex index;
  const gint64 *scale, *bias;
  gsize        n; /* of the axis */
  int          up, bias_up;
} Norm;

static void
norm_free (gpointer data)
{
  Norm *s = data;

  g_free (s->table);
  g_free (s);
}

static void
normalize (const Norm   *s,
           const gint64 *x,
           gint64       *difference,
           gint64       *y,
           guint64      *count)
{
  gint64 sum = 0, squares = 0, mean, variance, root;

  for (gsize i = 0; i < s->n; i++)
    sum = nn_fixed_cast_one (&s->add, (NnWide) sum + nn_fixed_cast_one (&s->to_accum, x[i], count), count);
  mean = nn_fixed_cast_one (&s->by_inverse, (NnWide) sum * s->inverse, count);
  for (gsize i = 0; i < s->n; i++)
    {
      difference[i] = nn_fixed_cast_one (&s->add, (NnWide) nn_fixed_cast_one (&s->to_accum, x[i], count) - mean, count);
      squares = nn_fixed_cast_one (&s->add, (NnWide) squares + nn_fixed_cast_one (&s->square, (NnWide) difference[i] * difference[i], count), count);
    }
  variance = nn_fixed_cast_one (&s->by_inverse, (NnWide) squares * s->inverse, count);
  root = s->table[nn_table_index (&s->index, variance)];
  for (gsize i = 0; i < s->n; i++)
    {
      NnWide product = (NnWide) difference[i] * root * (s->scale != NULL ? s->scale[i] : 1);

      y[i] = nn_fixed_cast_one (&s->result, (NnWide) ((NnUWide) product << s->up) + (NnWide) ((NnUWide) (NnWide) (s->bias != NULL ? s->bias[i] : 0) << s->bias_up), count);
    }
}

static void
run_norm (const NnFixedLayer *layer,
          NnFixedRun         *run)
{
  const Norm *s = layer->state;
  gint64 *x = (gint64 *) run->scratch, *difference = x + s->n, *y = difference + s->n;
  guint64 unused = 0, *count = run->overflows != NULL ? nn_fixed_counter (layer, run) : &unused;

  for (gsize first = 0; first < layer->n; first += s->n)
    for (gsize b = 0; b < run->active; b++)
      {
        for (gsize i = 0; i < s->n; i++)
          x[i] = nn_fixed_number (&layer->inputs[0], nn_fixed_in (layer, run, 0)[(first + i) * run->lanes + b]);
        normalize (s, x, difference, y, count);
        for (gsize i = 0; i < s->n; i++)
          nn_fixed_out (layer, run)[(first + i) * run->lanes + b] = y[i];
      }
}

static const gint64 *
row (const NnFixedLayer *layer,
     NnRole              role,
     NnRole              other,
     gsize               n,
     gboolean           *fits)
{
  const NnTensor *raw = nn_design_raw (layer->design, layer->index, role);

  if (raw == NULL)
    raw = nn_design_raw (layer->design, layer->index, other);
  *fits = raw == NULL || raw->n == n;
  return raw != NULL ? raw->data : NULL;
}

gboolean
nn_fixed_prepare_layer_norm (NnFixedLayer  *layer,
                             GError       **error)
{
  const NnLayerPlan *p = layer->plan;
  const NnType *accum = &p->accum;
  int af = nn_type_fraction (accum), ab = nn_type_bits (accum), product, fraction;
  NnFixedInput variance = { .bits = ab, .fraction = af };
  Norm *s = g_new0 (Norm, 1);
  gboolean fits[2];
  NnType type;
  guint n;

  layer->state = s;
  layer->free_state = norm_free;
  layer->run = run_norm;
  s->n = (gsize) nn_shape_last (&layer->node->shape);
  s->scale = row (layer, NN_ROLE_GAMMA, NN_ROLE_SCALE, s->n, &fits[0]);
  s->bias = row (layer, NN_ROLE_BETA, NN_ROLE_BIAS, s->n, &fits[1]);
  if (!fits[0] || !fits[1])
    return nn_fixed_unsupported (layer, "it normalises over more than the last axis", error);
  s->inverse = nn_type_quantize (accum, 1.0 / (double) s->n, NULL);
  s->table = nn_fixed_table (layer->node, p, "table", &n, &type);
  nn_table_index_init (&s->index, &variance, n, 1, 0);
  nn_cast_init (&s->to_accum, layer->inputs[0].bits, TRUE, layer->inputs[0].fraction, accum);
  nn_cast_init (&s->add, MIN (ab + 1, 127), TRUE, af, accum);
  nn_cast_init (&s->by_inverse, MIN (2 * ab, 127), TRUE, 2 * af, accum);
  nn_cast_init (&s->square, MIN (2 * ab, 127), TRUE, 2 * af, accum);
  product = af + nn_type_fraction (&p->table) + (s->scale != NULL ? nn_type_fraction (&p->scale) : 0);
  fraction = MAX (product, s->bias != NULL ? nn_type_fraction (&p->bias) : product);
  s->up = fraction - product;
  s->bias_up = s->bias != NULL ? fraction - nn_type_fraction (&p->bias) : 0;
  if (ab + nn_type_bits (&p->table) + nn_type_bits (&p->scale) + s->up > 125 || nn_type_bits (&p->bias) + s->bias_up > 125)
    return nn_fixed_unsupported (layer, "its factors need more than 125 bits together", error);
  nn_cast_init (&s->result, 126, TRUE, fraction, &p->result);
  layer->scratch = 3 * s->n * sizeof (gint64);
  return TRUE;
}
