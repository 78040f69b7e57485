/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recurrent layers, through time and back. */

#include "nn-real.h"

/*
 * Formulas and the order of the gates as in Keras: LSTM i, f, c, o; GRU z, r, h.
 *
 * Scratch of a layer with G gates, U units, T steps and F features, in rows of lanes:
 *   x    (T, F)       the input in the order it is worked on
 *   pre  (T, G U)     before the activations; GRU: the input's part
 *   act  (T, G U)     after them
 *   rec  (T, G U)     GRU: the state's part (reset after), or r h (reset before), in its first U rows
 *   h    (T + 1, U)   the state, h[0] = 0
 *   c    (T + 1, U)   LSTM's cell
 *   tc   (T, U)       act (c)
 *   dpre (T, G U), drec (T, G U), dh (U), dc (U), tmp (G U), dx (T, F)
 *   hq   (T + 1, U)   the state as each step reads it, where it is quantised; otherwise h
 *   raw  (2 U)        where anything is quantised: a gate before that, and its gradient or one sample
 * lower_recurrent() in nn-net-lower.c counts them.
 */
typedef struct {
  const NnLayer *l;
  NnShard       *s;
  gsize          lanes, units, gates, steps, features;
  NnAttrs        inner; /* of the gates' activation */
  real          *x, *pre, *act, *rec, *h, *c, *tc, *dpre, *drec, *dh, *dc, *tmp, *dx, *hq, *raw;
  const real    *w, *u, *b;
} Rnn;

static gboolean
is_quantized (const NnQuantizer *q)
{
  return q != NULL && q->kind != NN_QUANT_NONE;
}

static void
rnn_init (Rnn           *r,
          const NnLayer *l,
          NnShard       *s,
          gsize          gates)
{
  const gsize lanes = s->lanes;
  real *at = BLOCK (s) + l->scratch;

  *r = (Rnn) { .l = l, .s = s, .lanes = lanes, .units = l->channels, .gates = gates, .steps = l->steps };
  r->features = l->n_x[0] / l->steps;
  r->inner = l->node->attrs;
  r->inner.slope = l->node->attrs.recurrent_slope;
  r->inner.shift = l->node->attrs.recurrent_shift;
#define TAKE(FIELD, ROWS) r->FIELD = at, at += (gsize) (ROWS) * lanes
  TAKE (x, r->steps * r->features);
  TAKE (pre, r->steps * gates * r->units);
  TAKE (act, r->steps * gates * r->units);
  TAKE (rec, r->steps * gates * r->units);
  TAKE (h, (r->steps + 1) * r->units);
  TAKE (c, (r->steps + 1) * r->units);
  TAKE (tc, r->steps * r->units);
  TAKE (dpre, r->steps * gates * r->units);
  TAKE (drec, r->steps * gates * r->units);
  TAKE (dh, r->units);
  TAKE (dc, r->units);
  TAKE (tmp, gates * r->units);
  TAKE (dx, r->steps * r->features);
  r->hq = r->h;
  if (is_quantized (r->inner.state_quantizer))
    TAKE (hq, (r->steps + 1) * r->units);
  TAKE (raw, 2 * r->units); /* which is there if anything is quantised */
  r->w = WEIGHT (l, s, NN_ROLE_KERNEL);
  r->u = WEIGHT (l, s, NN_ROLE_RECURRENT_KERNEL);
  r->b = WEIGHT (l, s, NN_ROLE_BIAS);
}

/* c[o] (+)= bias + sum over i of w[i][o] x[i], of `columns` of the matrix from @from on. */
static void
project (const Rnn  *r,
         real       *c,
         const real *w,
         gsize       from,
         gsize       columns,
         const real *bias,
         const real *x,
         gsize       n,
         gboolean    add)
{
  Segment all = { 0, 0, (guint) n };
  Gemm g = { .c = c, .cm = r->lanes, .cn = VLEN, .a = w + from, .am = 1, .ak = r->gates * r->units, .b = x, .bk = r->lanes,
             .bn = VLEN, .bias = bias, .m = (guint) columns, .n = r->lanes / VLEN, .segments = &all, .n_segments = 1,
             .add = add };

  CLASSED (nn_gemm) (&g);
}

/* dx[i] (+)= sum over o of w[i][o] d[o] */
static void
project_back (const Rnn  *r,
              real       *dx,
              const real *w,
              gsize       from,
              gsize       columns,
              const real *d,
              gsize       n,
              gboolean    add)
{
  Segment all = { 0, 0, (guint) columns };
  Gemm g = { .c = dx, .cm = r->lanes, .cn = VLEN, .a = w + from, .am = r->gates * r->units, .ak = 1, .b = d, .bk = r->lanes,
             .bn = VLEN, .m = (guint) n, .n = r->lanes / VLEN, .segments = &all, .n_segments = 1, .add = add };

  CLASSED (nn_gemm) (&g);
}

/* The activation, its parameters and the quantiser after it. */
typedef struct {
  NnAct              act;
  const NnAttrs     *attrs;
  const NnQuantizer *quantizer;
} Gate;

static Gate
gate_of (const Rnn *r,
         gboolean   inner)
{
  const NnAttrs *a = &r->l->node->attrs;
  const NnAct act = inner ? a->recurrent_act : a->act;

  return (Gate) { act == NN_ACT_QUANTIZED ? NN_ACT_LINEAR : act, inner ? &r->inner : a, inner ? a->recurrent_quantizer : a->quantizer };
}

static void
quantize (const Rnn         *r,
          const NnQuantizer *q,
          const real        *x,
          real              *y)
{
  CLASSED (nn_quantize_apply) (q, &NN_SHAPE ((gint64) r->units), r->units, r->lanes,
                               (double *) (gpointer) (r->raw + r->units * r->lanes), x, y);
}

/* Of as many gates as @units has of the layer's. */
static void
gate (const Rnn  *r,
      gboolean    inner,
      const real *x,
      real       *y,
      gsize       units)
{
  const Gate g = gate_of (r, inner);
  const gsize n = r->units * r->lanes;

  if (!is_quantized (g.quantizer))
    CLASSED (nn_act_apply) (g.act, g.attrs, units * r->lanes, x, y);
  else
    for (gsize i = 0; i < units * r->lanes; i += n)
      {
        CLASSED (nn_act_apply) (g.act, g.attrs, n, x + i, r->raw);
        quantize (r, g.quantizer, r->raw, y + i);
      }
}

/* d = act' g; what is quantised lets the gradient straight through. */
static void
gate_back (const Rnn  *r,
           gboolean    inner,
           const real *x,
           const real *y,
           const real *g,
           real       *d,
           gsize       units)
{
  const Gate f = gate_of (r, inner);
  const gsize n = r->units * r->lanes;

  memset (d, 0, units * r->lanes * sizeof (real));
  if (!is_quantized (f.quantizer))
    CLASSED (nn_act_back) (f.act, f.attrs, units * r->lanes, x, y, g, d);
  else
    for (gsize i = 0; i < units * r->lanes; i += n)
      {
        CLASSED (nn_act_apply) (f.act, f.attrs, n, x + i, r->raw);
        CLASSED (nn_quantize_back) (f.quantizer, r->units, r->lanes, r->raw, g + i, r->raw + n, FALSE);
        CLASSED (nn_act_back) (f.act, f.attrs, n, x + i, r->raw, r->raw + n, d + i);
      }
}

/* The state as step t reads it. */
static real *
state_at (const Rnn *r,
          gsize      t)
{
  const gsize n = r->units * r->lanes;

  if (r->hq != r->h)
    quantize (r, r->inner.state_quantizer, r->h + t * n, r->hq + t * n);
  return r->hq + t * n;
}

/* From the gradient of what step t has read to that of what the step before has made. */
static void
state_back (const Rnn *r,
            gsize      t)
{
  const gsize n = r->units * r->lanes;

  if (r->hq == r->h)
    return;
  memcpy (r->raw, r->dh, n * sizeof (real));
  CLASSED (nn_quantize_back) (r->inner.state_quantizer, r->units, r->lanes, r->h + t * n, r->raw, r->dh, FALSE);
}

/* The input in working order, and its part of the gates. */
static void
read_input (const Rnn *r)
{
  const gsize row = r->features * r->lanes;

  for (gsize t = 0; t < r->steps; t++)
    memcpy (r->x + t * row, IN (r->l, r->s, 0) + (r->l->node->attrs.go_backwards ? r->steps - 1 - t : t) * row,
            row * sizeof (real));
  for (gsize t = 0; t < r->steps; t++)
    project (r, r->pre + t * r->gates * r->units * r->lanes, r->w, 0, r->gates * r->units, r->b, r->x + t * row, r->features,
             FALSE);
  memset (r->h, 0, r->units * r->lanes * sizeof (real));
  memset (r->c, 0, r->units * r->lanes * sizeof (real));
}

static void
write_output (const Rnn *r)
{
  const gsize n = r->units * r->lanes;
  const gboolean all = r->l->node->attrs.return_sequences;

  memcpy (OUT (r->l, r->s), r->h + (all ? 1 : r->steps) * n, (all ? r->steps : 1) * n * sizeof (real));
}

/* The gradient of step t's state from outside is added to what comes from later steps. */
static void
add_outside (const Rnn *r,
             gsize      t)
{
  const gsize n = r->units * r->lanes;
  const gboolean all = r->l->node->attrs.return_sequences;

  if (!all && t + 1 < r->steps)
    return;
  for (gsize i = 0; i < n; i++)
    r->dh[i] += GOUT (r->l, r->s)[(all ? t * n : 0) + i];
}

static void
add_products (const Rnn  *r,
              NnRole      role,
              const real *x,
              gsize       n_x,
              const real *d,
              gsize       from,
              gsize       columns)
{
  real *gw = GRAD (r->l, r->s, role);
  const gsize ld = r->gates * r->units;
  Outer q = { .gw = gw != NULL ? gw + from : NULL, .ldw = ld, .x = x, .g = d + from * r->lanes, .xp = n_x * r->lanes,
              .gp = ld * r->lanes, .rows = 1, .positions = (guint) r->steps, .mi = (guint) n_x, .no = (guint) columns,
              .lanes = (guint) r->lanes, .squares = r->s->squares };

  if (gw != NULL)
    CLASSED (nn_outer) (&q);
}

static void
add_bias (const Rnn  *r,
          gsize       from,
          const real *d)
{
  real *gb = GRAD (r->l, r->s, NN_ROLE_BIAS);
  const gsize n = r->gates * r->units;

  for (gsize o = 0; gb != NULL && o < n; o++)
    for (gsize v = 0; v < r->lanes; v += VLEN)
      {
        vec sum = {};

        for (gsize t = 0; t < r->steps; t++)
          sum += *(const vec *) (d + (t * n + o) * r->lanes + v);
        if (r->s->squares)
          sum *= sum;
        gb[from + o] += vec_sum (sum);
      }
}

/* Kernel, bias and input, once all of dpre is there. */
static void
finish_back (const Rnn *r)
{
  const gsize row = r->features * r->lanes, n = r->gates * r->units;
  real *gx = GIN (r->l, r->s, 0);

  add_products (r, NN_ROLE_KERNEL, r->x, r->features, r->dpre, 0, n);
  add_bias (r, 0, r->dpre);
  if (gx == NULL)
    return;
  for (gsize t = 0; t < r->steps; t++)
    {
      real *to = gx + (r->l->node->attrs.go_backwards ? r->steps - 1 - t : t) * row;

      project_back (r, to, r->w, 0, n, r->dpre + t * n * r->lanes, r->features, r->l->add[0]);
    }
}

static void
start_back (const Rnn *r)
{
  memset (r->dh, 0, r->units * r->lanes * sizeof (real));
  memset (r->dc, 0, r->units * r->lanes * sizeof (real));
}

void
CLASSED (nn_simple_rnn_forward) (const NnLayer *l,
                                 NnShard       *s)
{
  Rnn r;
  gsize n;

  rnn_init (&r, l, s, 1);
  n = r.units * r.lanes;
  read_input (&r);
  for (gsize t = 0; t < r.steps; t++)
    {
      project (&r, r.pre + t * n, r.u, 0, r.units, NULL, state_at (&r, t), r.units, TRUE);
      gate (&r, FALSE, r.pre + t * n, r.h + (t + 1) * n, r.units);
    }
  write_output (&r);
}

void
CLASSED (nn_simple_rnn_backward) (const NnLayer *l,
                                  NnShard       *s)
{
  Rnn r;
  gsize n;

  rnn_init (&r, l, s, 1);
  n = r.units * r.lanes;
  start_back (&r);
  for (gsize t = r.steps; t-- > 0;)
    {
      add_outside (&r, t);
      gate_back (&r, FALSE, r.pre + t * n, r.h + (t + 1) * n, r.dh, r.dpre + t * n, r.units);
      project_back (&r, r.dh, r.u, 0, r.units, r.dpre + t * n, r.units, FALSE);
      state_back (&r, t);
    }
  add_products (&r, NN_ROLE_RECURRENT_KERNEL, r.hq, r.units, r.dpre, 0, r.units);
  finish_back (&r);
}

void
CLASSED (nn_lstm_forward) (const NnLayer *l,
                           NnShard       *s)
{
  Rnn r;
  gsize n;

  rnn_init (&r, l, s, 4);
  n = r.units * r.lanes;
  read_input (&r);
  for (gsize t = 0; t < r.steps; t++)
    {
      real *pre = r.pre + t * 4 * n, *a = r.act + t * 4 * n, *c = r.c + t * n, *h = r.h + (t + 1) * n, *tc = r.tc + t * n;

      project (&r, pre, r.u, 0, 4 * r.units, NULL, state_at (&r, t), r.units, TRUE);
      gate (&r, TRUE, pre, a, 2 * r.units);
      gate (&r, FALSE, pre + 2 * n, a + 2 * n, r.units);
      gate (&r, TRUE, pre + 3 * n, a + 3 * n, r.units);
      for (gsize i = 0; i < n; i++)
        c[n + i] = a[n + i] * c[i] + a[i] * a[2 * n + i];
      gate (&r, FALSE, c + n, tc, r.units);
      for (gsize i = 0; i < n; i++)
        h[i] = a[3 * n + i] * tc[i];
    }
  write_output (&r);
}

void
CLASSED (nn_lstm_backward) (const NnLayer *l,
                            NnShard       *s)
{
  Rnn r;
  gsize n;

  rnn_init (&r, l, s, 4);
  n = r.units * r.lanes;
  start_back (&r);
  for (gsize t = r.steps; t-- > 0;)
    {
      const real *pre = r.pre + t * 4 * n, *a = r.act + t * 4 * n, *c = r.c + t * n, *tc = r.tc + t * n;
      real *d = r.dpre + t * 4 * n, *g = r.tmp;

      add_outside (&r, t);
      for (gsize i = 0; i < n; i++)
        g[i] = r.dh[i] * a[3 * n + i];
      gate_back (&r, FALSE, c + n, tc, g, g + n, r.units);
      for (gsize i = 0; i < n; i++)
        {
          r.dc[i] += g[n + i];
          g[3 * n + i] = r.dh[i] * tc[i];
        }
      for (gsize i = 0; i < n; i++)
        {
          g[i] = r.dc[i] * a[2 * n + i];
          g[n + i] = r.dc[i] * c[i];
          g[2 * n + i] = r.dc[i] * a[i];
          r.dc[i] *= a[n + i];
        }
      gate_back (&r, TRUE, pre, a, g, d, 2 * r.units);
      gate_back (&r, FALSE, pre + 2 * n, a + 2 * n, g + 2 * n, d + 2 * n, r.units);
      gate_back (&r, TRUE, pre + 3 * n, a + 3 * n, g + 3 * n, d + 3 * n, r.units);
      project_back (&r, r.dh, r.u, 0, 4 * r.units, d, r.units, FALSE);
      state_back (&r, t);
    }
  add_products (&r, NN_ROLE_RECURRENT_KERNEL, r.hq, r.units, r.dpre, 0, 4 * r.units);
  finish_back (&r);
}

void
CLASSED (nn_gru_forward) (const NnLayer *l,
                          NnShard       *s)
{
  const gboolean after = l->node->attrs.reset_after;
  Rnn r;
  gsize n;

  rnn_init (&r, l, s, 3);
  n = r.units * r.lanes;
  read_input (&r);
  for (gsize t = 0; t < r.steps; t++)
    {
      real *pre = r.pre + t * 3 * n, *a = r.act + t * 3 * n, *rec = r.rec + t * 3 * n, *h = state_at (&r, t);

      if (after)
        {
          project (&r, rec, r.u, 0, 3 * r.units, r.b != NULL ? r.b + 3 * r.units : NULL, h, r.units, FALSE);
          for (gsize i = 0; i < 2 * n; i++)
            pre[i] += rec[i];
        }
      else
        project (&r, pre, r.u, 0, 2 * r.units, NULL, h, r.units, TRUE);
      gate (&r, TRUE, pre, a, 2 * r.units);
      for (gsize i = 0; i < n; i++)
        if (after)
          pre[2 * n + i] += a[n + i] * rec[2 * n + i];
        else
          rec[i] = a[n + i] * h[i];
      if (!after)
        project (&r, pre + 2 * n, r.u, 2 * r.units, r.units, NULL, rec, r.units, TRUE);
      gate (&r, FALSE, pre + 2 * n, a + 2 * n, r.units);
      for (gsize i = 0; i < n; i++)
        r.h[(t + 1) * n + i] = a[i] * h[i] + (1 - a[i]) * a[2 * n + i];
    }
  write_output (&r);
}

/* What reaches r and the previous state through the candidate; `d` holds the candidate's gradient in its last third. */
static void
gru_reset_back (const Rnn *r,
                gsize      t,
                real      *d,
                real      *g)
{
  const gboolean after = r->l->node->attrs.reset_after;
  const gsize n = r->units * r->lanes;
  const real *a = r->act + t * 3 * n, *rec = r->rec + t * 3 * n, *h = r->hq + t * n;
  real *drec = r->drec + t * 3 * n;

  if (!after)
    project_back (r, g + 2 * n, r->u, 2 * r->units, r->units, d + 2 * n, r->units, FALSE);
  for (gsize i = 0; i < n; i++)
    if (after)
      {
        g[n + i] = d[2 * n + i] * rec[2 * n + i];
        drec[2 * n + i] = d[2 * n + i] * a[n + i];
      }
    else
      {
        g[n + i] = g[2 * n + i] * h[i];
        r->dh[i] += g[2 * n + i] * a[n + i];
      }
}

void
CLASSED (nn_gru_backward) (const NnLayer *l,
                           NnShard       *s)
{
  const gboolean after = l->node->attrs.reset_after;
  Rnn r;
  gsize n;

  rnn_init (&r, l, s, 3);
  n = r.units * r.lanes;
  start_back (&r);
  for (gsize t = r.steps; t-- > 0;)
    {
      const real *pre = r.pre + t * 3 * n, *a = r.act + t * 3 * n, *h = r.hq + t * n;
      real *d = r.dpre + t * 3 * n, *drec = r.drec + t * 3 * n, *g = r.tmp;

      add_outside (&r, t);
      for (gsize i = 0; i < n; i++)
        {
          g[i] = r.dh[i] * (h[i] - a[2 * n + i]);
          g[2 * n + i] = r.dh[i] * (1 - a[i]);
          r.dh[i] *= a[i];
        }
      gate_back (&r, FALSE, pre + 2 * n, a + 2 * n, g + 2 * n, d + 2 * n, r.units);
      gru_reset_back (&r, t, d, g);
      gate_back (&r, TRUE, pre, a, g, d, 2 * r.units);
      memcpy (drec, d, 2 * n * sizeof (real));
      project_back (&r, r.dh, r.u, 0, (after ? 3 : 2) * r.units, drec, r.units, TRUE);
      state_back (&r, t);
    }
  add_products (&r, NN_ROLE_RECURRENT_KERNEL, r.hq, r.units, r.drec, 0, (after ? 3 : 2) * r.units);
  if (after)
    add_bias (&r, 3 * r.units, r.drec);
  else
    {
      /* r h stands in the first third of each step of rec */
      real *gw = GRAD (l, s, NN_ROLE_RECURRENT_KERNEL);
      Outer q = { .gw = gw != NULL ? gw + 2 * r.units : NULL, .ldw = 3 * r.units, .x = r.rec, .g = r.dpre + 2 * n,
                  .xp = 3 * n, .gp = 3 * n, .rows = 1, .positions = (guint) r.steps, .mi = (guint) r.units,
                  .no = (guint) r.units, .lanes = (guint) r.lanes, .squares = s->squares };

      if (gw != NULL)
        CLASSED (nn_outer) (&q);
    }
  finish_back (&r);
}
