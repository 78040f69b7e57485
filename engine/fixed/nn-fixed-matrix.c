/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions: sums of products in the order of the hardware. */

#include "nn-fixed-matrix-private.h"

#include <string.h>

/* Bytes of one sample's number in a column. */
static gsize
element_bytes (NnSum sum)
{
  switch (sum)
    {
    case NN_SUM_16:
      return sizeof (gint16);
    case NN_SUM_PAIR: /* of two */
    case NN_SUM_32:
    case NN_SUM_STEPS_32:
      return sizeof (gint32);
    default:
      return sizeof (gint64);
    }
}

/* Columns of the sum's own element, made from the input's; pairs take the place of two. */
static gconstpointer
make_columns (const NnFixedLayer  *layer,
              NnFixedRun          *run,
              const NnFixedMatrix *m,
              NnSum                sum,
              gpointer             made)
{
  const gint64 *x = nn_fixed_in (layer, run, 0);
  gsize n = m->n_features * run->lanes, lanes = run->lanes;
  gint64 *numbers = made, none[NN_FIXED_LANES] = { 0 };

  if (layer->inputs[0].is_binary && !m->binary)
    {
      if (sum == NN_SUM_16 || sum == NN_SUM_PAIR || sum == NN_SUM_32 || sum == NN_SUM_STEPS_32)
        numbers = (gint64 *) made + n;
      for (gsize k = 0; k < n; k++)
        numbers[k] = 2 * x[k] - 1;
      x = numbers;
    }
  if (sum == NN_SUM_16)
    m->kernels->narrow16 (made, x, n);
  else if (sum == NN_SUM_PAIR)
    for (gsize f = 0; f < m->n_features; f += 2)
      m->kernels->pair ((gint16 *) made + f * lanes, x + f * lanes, f + 1 < m->n_features ? x + (f + 1) * lanes : none, lanes);
  else if (sum == NN_SUM_32 || sum == NN_SUM_STEPS_32)
    m->kernels->narrow32 (made, x, n);
  else
    return x;
  return made;
}

/* 2 acc - n_in in ceil (log2 n_in) + 2 bits: what counts of equal signs become. */
static void
finish_binary (const NnFixedMatrix *m,
               gint64              *acc,
               gsize                lanes)
{
  for (gsize b = 0; b < lanes; b++)
    {
      gint64 v = m->accum_fraction >= 0 ? acc[b] >> MIN (m->accum_fraction, 63) : (gint64) ((guint64) acc[b] << -m->accum_fraction);

      acc[b] = 2 * v - (gint64) m->n_in;
    }
  nn_cast_column (&m->sign, acc, acc, lanes, NULL);
}

static void
finish_output (const NnFixedLayer  *layer,
               NnFixedRun          *run,
               const NnFixedMatrix *m,
               gint64              *acc,
               gint64              *out)
{
  gsize lanes = nn_fixed_lanes (run);

  if (m->binary)
    finish_binary (m, acc, lanes);
  nn_cast_column (&m->result, out, acc, lanes, nn_fixed_counter (layer, run));
}

/* Where the columns stand that one position of one group reads, in the order of the kernel; pairs, in their own. */
static void
read_columns (const NnFixedMatrix *m,
              NnSum                sum,
              gsize                group_position,
              const guint8        *x,
              const guint8        *zero,
              gsize                lanes,
              gconstpointer       *all)
{
  const gint32 *taps = m->taps + group_position * m->n_in;
  gsize column = lanes * element_bytes (sum);

  if (sum == NN_SUM_PAIR)
    for (gsize k = 0; k < m->n_in; k += 2)
      all[k / 2] = taps[k] < 0 ? zero : x + (gsize) taps[k] / 2 * column;
  else
    for (gsize k = 0; k < m->n_in; k++)
      all[k] = taps[m->order[k]] < 0 ? zero : x + (gsize) taps[m->order[k]] * column;
}

static void
sum16_output (const NnFixedMatrix *m,
              gsize                o,
              const gint16 *const *x,
              gint64              *sum,
              gsize                lanes)
{
  gint16 acc[NN_FIXED_LANES];

  for (gsize b = 0; b < lanes; b++)
    acc[b] = (gint16) m->bias[o];
  m->kernels->low16 (acc, x, m->high.at + o * m->high.stride, m->high.w + o * m->high.stride, m->high.n[o], lanes);
  if (m->low.n != NULL)
    m->kernels->high16 (acc, x, m->low.at + o * m->low.stride, m->low.w + o * m->low.stride, m->low.n[o], lanes);
  m->kernels->widen16 (sum, acc, lanes);
}

static void
sum32_output (const NnFixedMatrix *m,
              NnSum                how,
              gsize                o,
              gconstpointer       *x,
              gint64              *sum,
              gsize                lanes)
{
  const guint32 *at = m->live_at + o * m->n_in;
  const gint32 *w = m->shifted32 + o * m->n_in, *const *columns = (const gint32 *const *) x;
  gint32 acc[NN_FIXED_LANES];

  for (gsize b = 0; b < lanes; b++)
    acc[b] = (gint32) m->bias[o];
  if (how == NN_SUM_PAIR)
    m->kernels->pair16 (acc, (const gint16 *const *) x, m->high.at + o * m->high.stride, m->high.w + 2 * o * m->high.stride, m->high.n[o], lanes);
  else if (how == NN_SUM_STEPS_32)
    m->kernels->steps32 (acc, columns, at, w, m->live[o], &m->steps, lanes);
  else
    m->kernels->sum32 (acc, columns, at, w, m->live[o], MAX (m->shift, 0), lanes);
  m->kernels->widen32 (sum, acc, lanes);
}

/* The accumulator of one output, before what is above its bits is cut off. */
static void
sum_output (const NnFixedMatrix *m,
            NnSum                how,
            gsize                o,
            gconstpointer       *x,
            gint64              *acc,
            gsize                lanes)
{
  const guint32 *at = m->live_at + o * m->n_in;
  const gint64 *w = m->shifted64 + o * m->n_in, *const *columns = (const gint64 *const *) x;

  if (how == NN_SUM_16)
    {
      sum16_output (m, o, (const gint16 *const *) x, acc, lanes);
      return;
    }
  if (how == NN_SUM_PAIR || how == NN_SUM_32 || how == NN_SUM_STEPS_32)
    {
      sum32_output (m, how, o, x, acc, lanes);
      return;
    }
  for (gsize b = 0; b < lanes; b++)
    acc[b] = m->bias[o];
  if (how == NN_SUM_STEPS_64)
    m->kernels->steps64 (acc, columns, at, w, m->live[o], &m->steps, lanes);
  else if (how == NN_SUM_STEPS_WIDE)
    nn_steps_wide (acc, columns, at, w, m->live[o], &m->wide_steps, lanes);
  else
    m->kernels->sum64 (acc, columns, at, w, m->live[o], MAX (m->shift, 0), lanes);
}

static void
run_sums (const NnFixedLayer *layer,
          NnFixedRun         *run,
          NnSum               sum)
{
  const NnFixedMatrix *m = layer->state;
  gsize lanes = run->lanes;
  gconstpointer *all = (gconstpointer *) run->scratch;
  guint8 *zero = run->scratch + m->list_bytes;
  const guint8 *x = make_columns (layer, run, m, sum, zero + NN_FIXED_LANES * sizeof (gint64));
  gint64 acc[NN_FIXED_LANES];

  memset (zero, 0, NN_FIXED_LANES * sizeof (gint64));
  for (gsize position = 0; position < m->n_positions; position++)
    for (gsize group = 0; group < m->n_groups; group++)
      {
        read_columns (m, sum, position * m->n_groups + group, x, zero, lanes, all);
        for (gsize o = group * m->group_out; o < (group + 1) * m->group_out; o++)
          {
            sum_output (m, sum, o, all, acc, lanes);
            if (m->wraps)
              nn_cast_column (&m->step, acc, acc, lanes, NULL);
            finish_output (layer, run, m, acc, nn_fixed_out (layer, run) + (position * m->n_out + o) * lanes);
          }
      }
}

static void
counted_steps (const NnFixedMatrix *m,
               gsize                o,
               gconstpointer       *all,
               gconstpointer        zero,
               gint64              *acc,
               gsize                n,
               guint64             *count)
{
  gint64 product[NN_FIXED_LANES];

  for (gsize k = 0; k < m->live[o]; k++)
    {
      const gint64 *x = all[m->live_at[o * m->n_in + k]];
      gint64 w = m->w64[o * m->n_in + k];

      if (x == zero)
        continue;
      for (gsize b = 0; b < n; b++)
        product[b] = x[b] * w;
      nn_cast_column (&m->product, product, product, n, count);
      for (gsize b = 0; b < n; b++)
        acc[b] += product[b];
      nn_cast_column (&m->step, acc, acc, n, count);
    }
}

/* Each step by itself, counting what does not fit. */
static void
run_counted (const NnFixedLayer *layer,
             NnFixedRun         *run)
{
  const NnFixedMatrix *m = layer->state;
  gsize lanes = run->lanes, n = nn_fixed_lanes (run);
  gconstpointer *all = (gconstpointer *) run->scratch;
  guint8 *zero = run->scratch + m->list_bytes;
  const guint8 *x = make_columns (layer, run, m, NN_SUM_COUNTED, zero + NN_FIXED_LANES * sizeof (gint64));
  gint64 acc[NN_FIXED_LANES];

  for (gsize position = 0; position < m->n_positions; position++)
    for (gsize group = 0; group < m->n_groups; group++)
      {
        read_columns (m, NN_SUM_COUNTED, position * m->n_groups + group, x, zero, lanes, all);
        for (gsize o = group * m->group_out; o < (group + 1) * m->group_out; o++)
          {
            for (gsize b = 0; b < n; b++)
              acc[b] = m->bias[o];
            counted_steps (m, o, all, zero, acc, n, nn_fixed_counter (layer, run));
            finish_output (layer, run, m, acc, nn_fixed_out (layer, run) + (position * m->n_out + o) * lanes);
          }
      }
}

/* (r_T) x << exponent, r_T having twice the bits of both: hls4ml, weight_exponential. */
static NnWide
exponential_product (const NnFixedInput *input,
                     int                 width,
                     gint64              x,
                     gint64              w)
{
  NnWide y = (NnWide) x << CLAMP (width - input->fraction, 0, 126 - input->bits);
  gint64 exponent = w >> 1;

  y = exponent >= 0 ? (NnWide) ((NnUWide) y << MIN (exponent, 127)) : y >> MIN (-exponent, 127);
  return w & 1 ? -y : y;
}

static gint64
assigned_product (const NnFixedLayer  *layer,
                  const NnFixedMatrix *m,
                  gint64               raw,
                  gint64               w,
                  gboolean            *overflowed)
{
  const NnFixedInput *input = &layer->inputs[0];

  if (m->binary)
    return nn_cast_wide (&m->product, raw == w, overflowed);
  if (m->exponential)
    return nn_cast_wide (&m->product, exponential_product (input, m->power_width, nn_fixed_number (input, raw), w), overflowed);
  return nn_cast_product (&m->product, nn_fixed_number (input, raw), nn_type_is_unsigned_64 (&input->type), w, nn_type_is_unsigned_64 (&layer->plan->weight),
                          overflowed);
}

/* A number of the accumulator's type. */
static NnWide
accumulated (const NnFixedMatrix *m,
             gint64               raw)
{
  return m->step.is_signed ? (NnWide) raw : (NnWide) (guint64) raw;
}

static void
run_slow (const NnFixedLayer *layer,
          NnFixedRun         *run)
{
  const NnFixedMatrix *m = layer->state;
  gsize lanes = run->lanes, n = nn_fixed_lanes (run);
  const gint64 *x = nn_fixed_in (layer, run, 0);
  guint64 *count = nn_fixed_counter (layer, run), unused = 0;
  gint64 acc[NN_FIXED_LANES];

  if (count == NULL)
    count = &unused;
  for (gsize position = 0; position < m->n_positions; position++)
    for (gsize o = 0; o < m->n_out; o++)
      {
        const gint32 *taps = m->taps + (position * m->n_groups + o / m->group_out) * m->n_in;
        const guint32 *at = m->live_at + o * m->n_in;

        for (gsize b = 0; b < n; b++)
          {
            acc[b] = m->bias[o];
            for (gsize k = 0; k < m->live[o]; k++)
              {
                gboolean over[2];
                gint64 product;

                if (taps[m->order[at[k]]] < 0)
                  continue;
                product = assigned_product (layer, m, x[(gsize) taps[m->order[at[k]]] * lanes + b], m->w64[o * m->n_in + k], &over[0]);
                acc[b] = nn_cast_wide (&m->step, accumulated (m, acc[b]) + accumulated (m, product), &over[1]);
                *count += (guint64) over[0] + over[1];
              }
          }
        finish_output (layer, run, m, acc, nn_fixed_out (layer, run) + (position * m->n_out + o) * lanes);
      }
}

void
nn_fixed_run_matrix (const NnFixedLayer *layer,
                     NnFixedRun         *run)
{
  const NnFixedMatrix *m = layer->state;
  NnSum sum = run->overflows != NULL ? m->counted_sum : m->sum;

  if (sum == NN_SUM_COUNTED)
    run_counted (layer, run);
  else if (sum == NN_SUM_SLOW)
    run_slow (layer, run);
  else
    run_sums (layer, run, sum);
}
