/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SimpleRNN, LSTM and GRU, step after step. */

#include "nn-fixed-private.h"

#include <math.h>
#include <string.h>

/*
 * Source: hls4ml, nnet_recurrent.h. Both products of a step are dense layers that end in the accumulator's type; gates
 * are summed, activated and kept in it; the state and the output are of the result's type. Gates stand in the order
 * of Keras: i, f, c, o and z, r, h.
 */

/**
 * Gate: how an accumulator becomes its activation.
 */
typedef struct {
  NnAct        act;
  gint64      *table;
  NnTableIndex index;
  NnCast       entry, straight, hard;
  gint64       slope, shift, one;
  int          up;
} Gate;

typedef struct {
  gsize         n_in, n_units, n_gates, n_steps;
  const gint64 *kernel, *recurrent;
  gint64       *bias, *recurrent_bias; /* in the accumulator's type */
  guint32      *order, *recurrent_order;
  NnCast        product, recurrent_product, add;
  Gate          gate, main;
  Gate          state_act; /* of the LSTM's state, which is of the result's type */
  NnCast        to_result, gates_product, state_sum, mix, output, reset_state;
  gboolean      reset_before; /* a GRU's gate works on the state, not on its product */
  int           accum_fraction, result_fraction;
} Recurrent;

static void
recurrent_free (gpointer data)
{
  Recurrent *r = data;

  g_free (r->bias);
  g_free (r->recurrent_bias);
  g_free (r->order);
  g_free (r->recurrent_order);
  g_free (r->gate.table);
  g_free (r->main.table);
  g_free (r->state_act.table);
  g_free (r);
}

static gint64
activate (const Gate *gate,
          gint64      x,
          guint64    *count)
{
  NnWide y;

  switch (gate->act)
    {
    case NN_ACT_LINEAR:
      return nn_fixed_cast_one (&gate->straight, x, count);
    case NN_ACT_RELU:
      return x > 0 ? nn_fixed_cast_one (&gate->straight, x, count) : 0;
    case NN_ACT_HARD_SIGMOID:
    case NN_ACT_HARD_TANH:
      y = (NnWide) ((NnUWide) ((NnWide) x * gate->slope) << gate->up) + gate->shift;
      y = y > gate->one ? gate->one : y < 0 ? 0 : y;
      return nn_fixed_cast_one (&gate->hard, gate->act == NN_ACT_HARD_TANH ? 2 * y - gate->one : y, count);
    default:
      return nn_fixed_cast_one (&gate->entry, gate->table[nn_table_index (&gate->index, x)], count);
    }
}

/* acc = bias; for each input in the order of the kernel: acc += (accum_t) (x * w). Outputs from @first on. */
static void
dense (const Recurrent *r,
       const gint64    *x,
       gsize            n_in,
       const gint64    *w,
       const gint64    *bias,
       const guint32   *order,
       const NnCast    *product,
       gsize            first,
       gint64          *out,
       guint64         *count)
{
  gsize n = r->n_units * r->n_gates;

  for (gsize o = first; o < n; o++)
    {
      gint64 acc = bias[o];

      for (gsize k = 0; k < n_in; k++)
        {
          gint64 weight = w[order[k] * n + o];

          if (weight != 0)
            acc = nn_fixed_cast_one (&r->add, (NnWide) acc + nn_fixed_cast_one (product, (NnWide) x[order[k]] * weight, count), count);
        }
      out[o] = acc;
    }
}

static void
step_simple (const Recurrent *r,
             const gint64    *a,
             const gint64    *b,
             gint64          *h,
             guint64         *count)
{
  for (gsize u = 0; u < r->n_units; u++)
    h[u] = nn_fixed_cast_one (&r->to_result, activate (&r->main, nn_fixed_cast_one (&r->add, (NnWide) a[u] + b[u], count), count), count);
}

static void
step_lstm (const Recurrent *r,
           const gint64    *a,
           const gint64    *b,
           gint64          *h,
           gint64          *state,
           guint64         *count)
{
  gsize n = r->n_units;
  int up = r->accum_fraction - r->result_fraction; /* brings f * state to the point of c * i */

  for (gsize u = 0; u < n; u++)
    {
      gint64 i = activate (&r->gate, nn_fixed_cast_one (&r->add, (NnWide) a[u] + b[u], count), count);
      gint64 f = activate (&r->gate, nn_fixed_cast_one (&r->add, (NnWide) a[n + u] + b[n + u], count), count);
      gint64 c = activate (&r->main, nn_fixed_cast_one (&r->add, (NnWide) a[2 * n + u] + b[2 * n + u], count), count);
      gint64 o = activate (&r->gate, nn_fixed_cast_one (&r->add, (NnWide) a[3 * n + u] + b[3 * n + u], count), count);
      NnWide fresh = (NnWide) c * i, kept = (NnWide) state[u] * f;

      fresh = up < 0 ? (NnWide) ((NnUWide) fresh << -up) : fresh;
      kept = up > 0 ? (NnWide) ((NnUWide) kept << up) : kept;
      state[u] = nn_fixed_cast_one (&r->state_sum, fresh + kept, count);
      h[u] = nn_fixed_cast_one (&r->output, (NnWide) o * activate (&r->state_act, state[u], count), count);
    }
}

/* The content's product with the state: times the reset gate, or of the state times it (reset_after FALSE). */
static void
reset_states (const Recurrent *r,
              const gint64    *a,
              gint64          *b,
              const gint64    *h,
              gint64          *kept,
              guint64         *count)
{
  gsize n = r->n_units;

  for (gsize u = 0; u < n; u++)
    {
      gint64 reset = activate (&r->gate, nn_fixed_cast_one (&r->add, (NnWide) a[n + u] + b[n + u], count), count);

      if (r->reset_before)
        kept[u] = nn_fixed_cast_one (&r->reset_state, (NnWide) reset * h[u], count);
      else
        b[2 * n + u] = nn_fixed_cast_one (&r->gates_product, (NnWide) reset * b[2 * n + u], count);
    }
  if (r->reset_before)
    dense (r, kept, n, r->recurrent, r->recurrent_bias, r->recurrent_order, &r->recurrent_product, 2 * n, b, count);
}

static void
step_gru (const Recurrent *r,
          const gint64    *a,
          gint64          *b,
          gint64          *h,
          gint64          *kept,
          guint64         *count)
{
  gsize n = r->n_units;
  int whole = MAX (r->accum_fraction, 0); /* of 1 - z */
  int up = whole - r->result_fraction;    /* brings h * z to the point of the content's product */
  NnWide one = (NnWide) 1 << whole;

  reset_states (r, a, b, h, kept, count);
  for (gsize u = 0; u < n; u++)
    {
      gint64 z = activate (&r->gate, nn_fixed_cast_one (&r->add, (NnWide) a[u] + b[u], count), count);
      gint64 fresh = activate (&r->main, nn_fixed_cast_one (&r->add, (NnWide) a[2 * n + u] + b[2 * n + u], count), count);
      NnWide first = fresh * (one - (NnWide) ((NnUWide) (NnWide) z << (whole - r->accum_fraction))), second = (NnWide) h[u] * z;

      first = up < 0 ? (NnWide) ((NnUWide) first << -up) : first;
      second = up > 0 ? (NnWide) ((NnUWide) second << up) : second;
      h[u] = nn_fixed_cast_one (&r->mix, first + second, count);
    }
}

static void
run_sample (const NnFixedLayer *layer,
            NnFixedRun         *run,
            gsize               lane,
            guint64            *count)
{
  const Recurrent *r = layer->state;
  const NnAttrs *attrs = &layer->node->attrs;
  gsize n = r->n_units * r->n_gates;
  gint64 *x = (gint64 *) run->scratch, *a = x + r->n_in, *b = a + n, *h = b + n, *state = h + r->n_units, *kept = state + r->n_units;

  memset (h, 0, 2 * r->n_units * sizeof *h);
  for (gsize t = 0; t < r->n_steps; t++)
    {
      gsize from = attrs->go_backwards ? r->n_steps - 1 - t : t;

      for (gsize i = 0; i < r->n_in; i++)
        x[i] = nn_fixed_number (&layer->inputs[0], nn_fixed_in (layer, run, 0)[(from * r->n_in + i) * run->lanes + lane]);
      dense (r, x, r->n_in, r->kernel, r->bias, r->order, &r->product, 0, a, count);
      dense (r, h, r->n_units, r->recurrent, r->recurrent_bias, r->recurrent_order, &r->recurrent_product, 0, b, count);
      if (layer->node->op == NN_OP_LSTM)
        step_lstm (r, a, b, h, state, count);
      else if (layer->node->op == NN_OP_GRU)
        step_gru (r, a, b, h, kept, count);
      else
        step_simple (r, a, b, h, count);
      for (gsize u = 0; u < r->n_units && (attrs->return_sequences || t + 1 == r->n_steps); u++)
        nn_fixed_out (layer, run)[((attrs->return_sequences ? t * r->n_units : 0) + u) * run->lanes + lane] = h[u];
    }
}

static void
run_recurrent (const NnFixedLayer *layer,
               NnFixedRun         *run)
{
  guint64 unused = 0, *count = run->overflows != NULL ? nn_fixed_counter (layer, run) : &unused;

  for (gsize lane = 0; lane < run->active; lane++)
    run_sample (layer, run, lane, count);
}

static void
prepare_gate (const NnFixedLayer *layer,
              Gate               *gate,
              NnAct               act,
              const char         *which,
              const NnType       *from,
              double              slope,
              double              shift)
{
  const NnType *accum = &layer->plan->accum, *table = &layer->plan->table;
  NnFixedInput input = { .bits = nn_type_bits (from), .fraction = nn_type_fraction (from) };
  NnType slope_type = slope == 0.5 ? NN_UFIXED (2, 0) : NN_UFIXED (16, 0), type;
  int fraction = MAX (input.fraction + nn_type_fraction (&slope_type), 16);
  gint64 range = act == NN_ACT_TANH ? 8 : 16, n = layer->plan->table_size;
  guint unused;

  gate->act = act;
  gate->slope = nn_type_quantize (&slope_type, slope, NULL);
  gate->up = fraction - input.fraction - nn_type_fraction (&slope_type);
  gate->shift = (gint64) floor (ldexp (shift, fraction));
  gate->one = (gint64) 1 << MIN (fraction, 62);
  nn_cast_init (&gate->hard, 126, TRUE, fraction, accum);
  nn_cast_init (&gate->straight, input.bits, TRUE, input.fraction, accum);
  nn_cast_init (&gate->entry, nn_type_bits (table), TRUE, nn_type_fraction (table), accum);
  gate->table = nn_fixed_table (layer->node, layer->plan, which, &unused, &type);
  nn_table_index_init (&gate->index, &input, n, range, range / 2 * n / range);
}

static gint64 *
bias_row (const NnFixedLayer *layer,
          const NnTensor     *raw,
          const NnType       *type,
          gsize               first,
          gsize               n)
{
  gint64 *row = g_new0 (gint64, n);
  guint64 unused = 0;
  NnCast cast;

  nn_cast_init (&cast, nn_type_bits (type), TRUE, nn_type_fraction (type), &layer->plan->accum);
  for (gsize k = 0; raw != NULL && first + k < raw->n && k < n; k++)
    row[k] = nn_fixed_cast_one (&cast, ((const gint64 *) raw->data)[first + k], &unused);
  return row;
}

static guint32 *
kernel_order (const NnLayerPlan *p,
              gsize              n,
              gsize              reuse)
{
  guint32 *order = g_new (guint32, n);
  gboolean natural = p->strategy == NN_STRATEGY_LATENCY || p->strategy == NN_STRATEGY_DISTRIBUTED_ARITHMETIC || reuse >= n ||
                     reuse == 0 || n % reuse != 0;
  gsize blocks = natural ? 1 : n / reuse;

  for (gsize k = 0; k < n; k++)
    order[k] = (guint32) (natural ? k : k % blocks * reuse + k / blocks);
  return order;
}

static void
prepare_casts (const NnFixedLayer *layer,
               Recurrent          *r)
{
  const NnLayerPlan *p = layer->plan;
  const NnFixedInput *in = &layer->inputs[0];
  int ab = nn_type_bits (&p->accum), rb = nn_type_bits (&p->result), af = nn_type_fraction (&p->accum), rf = nn_type_fraction (&p->result);
  int mixed = af + MAX (af, rf);

  r->accum_fraction = af;
  r->result_fraction = rf;
  nn_cast_init (&r->product, MIN (in->bits + nn_type_bits (&p->weight), 127), TRUE, in->fraction + nn_type_fraction (&p->weight), &p->accum);
  nn_cast_init (&r->recurrent_product, MIN (rb + nn_type_bits (&p->recurrent_weight), 127), TRUE,
                rf + nn_type_fraction (&p->recurrent_weight), &p->accum);
  nn_cast_init (&r->add, MIN (ab + 1, 127), TRUE, af, &p->accum);
  nn_cast_init (&r->to_result, ab, TRUE, af, &p->result);
  nn_cast_init (&r->gates_product, MIN (2 * ab, 127), TRUE, 2 * af, &p->accum);
  nn_cast_init (&r->state_sum, 126, TRUE, mixed, &p->result);
  nn_cast_init (&r->mix, 126, TRUE, af + MAX (MAX (af, 0), rf), &p->result);
  nn_cast_init (&r->reset_state, MIN (ab + rb, 127), TRUE, af + rf, &p->result);
  nn_cast_init (&r->output, MIN (2 * ab, 127), TRUE, 2 * af, &p->result);
}

static gboolean
prepare_weights (const NnFixedLayer  *layer,
                 Recurrent           *r,
                 GError             **error)
{
  const NnLayerPlan *p = layer->plan;
  const NnTensor *kernel = nn_design_raw (layer->design, layer->index, NN_ROLE_KERNEL);
  const NnTensor *recurrent = nn_design_raw (layer->design, layer->index, NN_ROLE_RECURRENT_KERNEL);
  const NnTensor *bias = nn_design_raw (layer->design, layer->index, NN_ROLE_BIAS);
  gsize n = r->n_units * r->n_gates;
  gboolean two = bias != NULL && bias->n == 2 * n;

  if (kernel == NULL || recurrent == NULL || kernel->n != r->n_in * n || recurrent->n != r->n_units * n ||
      (bias != NULL && bias->n != n && !two))
    return nn_fixed_unsupported (layer, "its kernels do not fit its input and units", error);
  r->kernel = kernel->data;
  r->recurrent = recurrent->data;
  r->bias = bias_row (layer, bias, &p->bias, 0, n);
  r->recurrent_bias = bias_row (layer, two ? bias : NULL, &p->recurrent_bias, n, n);
  r->order = kernel_order (p, r->n_in, p->reuse_factor);
  r->recurrent_order = kernel_order (p, r->n_units, p->recurrent_reuse_factor);
  return TRUE;
}

gboolean
nn_fixed_prepare_recurrent (NnFixedLayer  *layer,
                            GError       **error)
{
  const NnLayerPlan *p = layer->plan;
  const NnAttrs *attrs = &layer->node->attrs;
  double slope = attrs->recurrent_slope != 0 ? attrs->recurrent_slope : 0.2;
  double shift = attrs->recurrent_slope != 0 ? attrs->recurrent_shift : 0.5;
  Recurrent *r = g_new0 (Recurrent, 1);

  layer->state = r;
  layer->free_state = recurrent_free;
  layer->run = run_recurrent;
  r->n_units = (gsize) attrs->units;
  r->n_gates = layer->node->op == NN_OP_LSTM ? 4 : layer->node->op == NN_OP_GRU ? 3 : 1;
  r->n_in = (gsize) nn_shape_last (&layer->inputs[0].shape);
  r->n_steps = (gsize) layer->inputs[0].shape.dims[0];
  r->reset_before = layer->node->op == NN_OP_GRU && !attrs->reset_after;
  if (!prepare_weights (layer, r, error))
    return FALSE;
  prepare_casts (layer, r);
  prepare_gate (layer, &r->gate, attrs->recurrent_act, "recurrent", &p->accum, slope, shift);
  prepare_gate (layer, &r->main, attrs->act, "table", &p->accum, 0.2, 0.5);
  prepare_gate (layer, &r->state_act, attrs->act, "table", &p->result, 0.2, 0.5);
  layer->scratch = (r->n_in + 2 * r->n_units * r->n_gates + 3 * r->n_units) * sizeof (gint64);
  return TRUE;
}
