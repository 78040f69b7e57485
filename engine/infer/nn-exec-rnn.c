/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recurrent layers in double precision. */

#include "nn-exec-private.h"

#include "nn-quant.h"

#include <string.h>

/* Gates times units: SimpleRNN h; LSTM i, f, c, o; GRU z, r, h, as Keras orders them. */
static gsize
n_gates (NnOp op)
{
  return op == NN_OP_LSTM ? 4 : op == NN_OP_GRU ? 3 : 1;
}

/* The plan: settings of the gates' activation. */
gboolean
nn_prepare_rnn (NnStep  *step,
                GError **error)
{
  const NnAttrs *a = &step->node->attrs;
  gsize units = a->units, gates = n_gates (step->node->op) * units;
  gsize n_bias = step->node->op == NN_OP_GRU && a->reset_after ? 2 * gates : gates;
  NnAttrs *recurrent = g_memdup2 (a, sizeof *a);

  step->plan = recurrent;
  recurrent->slope = a->recurrent_slope;
  recurrent->shift = a->recurrent_shift;
  recurrent->alpha = recurrent->max_value = recurrent->threshold = 0;
  step->n_scratch = 2 * gates + 3 * units;
  if (a->units < 1 || step->in_shape[0].rank != 2)
    return nn_step_fail (step, "its input needs the axes steps, features", error);
  return nn_step_need (step, NN_ROLE_KERNEL, step->in_shape[0].dims[1] * gates, error) &&
         nn_step_need (step, NN_ROLE_RECURRENT_KERNEL, units * gates, error) &&
         (step->w_n[NN_ROLE_BIAS] == 0 || nn_step_need (step, NN_ROLE_BIAS, n_bias, error));
}

/* y (m) += x (n) matrix (n, m) */
static void
multiply (const double *x,
          gsize         n,
          const double *matrix,
          gsize         m,
          gsize         columns,
          double       *y)
{
  for (gsize i = 0; i < n; i++)
    for (gsize j = 0; j < columns; j++)
      y[j] += x[i] * matrix[i * m + j];
}

static void
gate (const NnStep *step,
      double       *values)
{
  const NnAttrs *a = step->plan;
  const NnShape shape = NN_SHAPE (a->units);

  nn_act_apply (a, a->recurrent_act, &shape, -1, values);
  nn_quantize (step->node->attrs.recurrent_quantizer, &shape, values);
}

/* Both gates of a GRU; a quantiser may tell their types apart. */
static void
gates (const NnStep *step,
       double       *values)
{
  const NnAttrs *a = step->plan;
  const NnQuantizer *q = step->node->attrs.recurrent_quantizer;
  const NnShape shape = NN_SHAPE (a->units), both = NN_SHAPE (2 * a->units);

  if (q == NULL || q->n_elements <= (guint) a->units)
    {
      gate (step, values);
      gate (step, values + a->units);
      return;
    }
  nn_act_apply (a, a->recurrent_act, &shape, -1, values);
  nn_act_apply (a, a->recurrent_act, &shape, -1, values + a->units);
  nn_quantize (q, &both, values);
}

static void
activate (const NnStep *step,
          double       *values)
{
  const NnAttrs *a = &step->node->attrs;
  const NnShape shape = NN_SHAPE (a->units);

  nn_act_apply (a, a->act, &shape, -1, values);
  nn_quantize (a->quantizer, &shape, values);
}

static void
lstm_step (const NnStep *step,
           double       *z,
           double       *h,
           double       *c)
{
  gsize u = step->node->attrs.units;

  gate (step, z);
  gate (step, z + u);
  activate (step, z + 2 * u);
  gate (step, z + 3 * u);
  for (gsize i = 0; i < u; i++)
    {
      c[i] = z[u + i] * c[i] + z[i] * z[2 * u + i];
      h[i] = c[i];
    }
  activate (step, h);
  for (gsize i = 0; i < u; i++)
    h[i] *= z[3 * u + i];
}

/* @z: gates from the input, bias included; @r: room for what comes from the state. */
static void
gru_step (const NnStep *step,
          double       *z,
          double       *r,
          double       *h)
{
  gsize u = step->node->attrs.units, g = 3 * u;
  const double *recurrent = step->w[NN_ROLE_RECURRENT_KERNEL], *bias = step->w[NN_ROLE_BIAS];
  gboolean after = step->node->attrs.reset_after;
  const NnShape state = NN_SHAPE ((gint64) u);

  memset (r, 0, g * sizeof *r);
  if (after && bias != NULL)
    memcpy (r, bias + g, g * sizeof *r);
  multiply (h, u, recurrent, g, after ? g : 2 * u, r);
  for (gsize i = 0; i < 2 * u; i++)
    z[i] += r[i];
  gates (step, z);
  if (after)
    {
      nn_quantize (step->node->attrs.reset_quantizer, &state, r + 2 * u);
      for (gsize i = 0; i < u; i++)
        z[2 * u + i] += z[u + i] * r[2 * u + i];
    }
  else
    {
      for (gsize i = 0; i < u; i++)
        r[i] = z[u + i] * h[i];
      nn_quantize (step->node->attrs.reset_quantizer, &state, r);
      multiply (r, u, recurrent + 2 * u, g, u, z + 2 * u);
    }
  activate (step, z + 2 * u);
  for (gsize i = 0; i < u; i++)
    h[i] = z[i] * h[i] + (1 - z[i]) * z[2 * u + i];
}

/* Source: Keras 2.13 layers/rnn: SimpleRNNCell, LSTMCell, GRUCell; HGQ 2, hgq/layers/rnn, for where its cells round. */
void
nn_step_rnn (const NnStep        *step,
             const double *const *in,
             double              *out,
             double              *scratch)
{
  const NnAttrs *a = &step->node->attrs;
  gsize steps = step->in_shape[0].dims[0], features = step->in_shape[0].dims[1], u = a->units;
  gsize g = n_gates (step->node->op) * u;
  const NnShape state = NN_SHAPE ((gint64) u);
  double *z = scratch, *r = z + g, *h = r + g, *c = h + u;

  memset (h, 0, 2 * u * sizeof *h);
  for (gsize t = 0; t < steps; t++)
    {
      const double *x = in[0] + (a->go_backwards ? steps - 1 - t : t) * features;

      if (step->w[NN_ROLE_BIAS] != NULL)
        memcpy (z, step->w[NN_ROLE_BIAS], g * sizeof *z);
      else
        memset (z, 0, g * sizeof *z);
      multiply (x, features, step->w[NN_ROLE_KERNEL], g, g, z);
      nn_quantize (a->state_quantizer, &state, h);
      if (step->node->op == NN_OP_GRU)
        gru_step (step, z, r, h);
      else
        {
          multiply (h, u, step->w[NN_ROLE_RECURRENT_KERNEL], g, g, z);
          if (step->node->op == NN_OP_LSTM)
            lstm_step (step, z, h, c);
          else
            {
              nn_quantize (a->sum_quantizer, &state, z);
              activate (step, z);
              memcpy (h, z, u * sizeof *h);
            }
        }
      if (a->return_sequences)
        memcpy (out + t * u, h, u * sizeof *out);
    }
  if (!a->return_sequences)
    memcpy (out, h, u * sizeof *out);
}
