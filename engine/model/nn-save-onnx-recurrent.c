/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recurrent layers as ONNX's operators. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

/* Steps that are written one by one; more would make a file that no runtime likes. */
#define MAX_STEPS 2000

/* Gates and axes turned back: (n, gates * units) to (1, gates * units, n). */
static const char *
put_gates (NnOnnxWriter    *w,
           const char      *name,
           const NnWeight  *weight,
           const guint     *gates,
           guint            n_gates,
           gint64           units)
{
  g_autoptr (NnTensor) values = nn_onnx_weight_values (weight);
  gint64 n = values->shape.dims[0];
  g_autoptr (NnTensor) turned = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, (gint64) n_gates * units, n));

  for (gint64 i = 0; i < n; i++)
    for (guint g = 0; g < n_gates; g++)
      for (gint64 u = 0; u < units; u++)
        nn_tensor_f32 (turned)[(gates[g] * units + u) * n + i] = nn_tensor_f32 (values)[(i * n_gates + g) * units + u];
  return nn_onnx_put (w, name, turned);
}

/* ONNX's name for a function that its recurrent operators have without parameters, or %NULL. */
static const char *
function_name (NnAct act)
{
  static const struct {
    NnAct       act;
    const char *name;
  } names[] = { { NN_ACT_SIGMOID, "Sigmoid" }, { NN_ACT_TANH, "Tanh" }, { NN_ACT_SOFTSIGN, "Softsign" }, { NN_ACT_SOFTPLUS, "Softplus" },
                { NN_ACT_RELU, "Relu" } };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].act == act)
      return names[i].name;
  return NULL;
}

/* What ONNX's own operators are: functions that they know, no quantisers. */
static gboolean
is_usual (const NnAttrs *a,
          NnOp           op)
{
  for (NnRole role = 0; role < NN_N_ROLES; role++)
    if (a->role_quantizer[role] != NULL)
      return FALSE;
  return function_name (a->act) != NULL && (a->act != NN_ACT_RELU || (a->alpha == 0 && a->max_value == 0 && a->threshold == 0)) &&
         (op == NN_OP_SIMPLE_RNN || function_name (a->recurrent_act) != NULL) && a->quantizer == NULL && a->recurrent_quantizer == NULL &&
         a->state_quantizer == NULL;
}

static void
put_functions (NnOnnxWriter    *w,
               const NnNode    *node,
               Onnx__NodeProto *op)
{
  const char *act = function_name (node->attrs.act), *gate = function_name (node->attrs.recurrent_act);
  const char *lstm[] = { gate, act, act }, *gru[] = { gate, act };

  if (node->op == NN_OP_SIMPLE_RNN ? node->attrs.act == NN_ACT_TANH
                                   : node->attrs.act == NN_ACT_TANH && node->attrs.recurrent_act == NN_ACT_SIGMOID)
    return;
  if (node->op == NN_OP_LSTM)
    nn_onnx_set_texts (w, op, "activations", lstm, 3);
  else if (node->op == NN_OP_GRU)
    nn_onnx_set_texts (w, op, "activations", gru, 2);
  else
    nn_onnx_set_texts (w, op, "activations", &act, 1);
}

/* The sequence of a layer that runs backwards, the last step first: what ONNX has the other way round. Where a reversal of it is all
 * that reads it, that is only a name for what there was. */
static void
put_backwards (NnOnnxWriter *w,
               const char   *forward,
               const char   *output)
{
  const gint64 last = -1, before_first = G_MININT32, back = -1, axis = 1;

  nn_onnx_op (w, "Slice", output, forward, nn_onnx_put_ints (w, nn_onnx_text (w, "%s__starts", output), &last, 1),
              nn_onnx_put_ints (w, nn_onnx_text (w, "%s__ends", output), &before_first, 1),
              nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axes", output), &axis, 1),
              nn_onnx_put_ints (w, nn_onnx_text (w, "%s__steps", output), &back, 1), NULL);
}

static gboolean
is_reversal (const NnNode *node)
{
  return node->op == NN_OP_REVERSE && node->attrs.axis == 0;
}

/* Whether nothing but reversals reads the node. */
static gboolean
only_reversed (NnOnnxWriter *w,
               guint         index)
{
  guint n_outputs;
  const guint *outputs = nn_graph_outputs (w->graph, &n_outputs);
  gboolean any = FALSE;

  for (guint i = 0; i < n_outputs; i++)
    if (outputs[i] == index)
      return FALSE;
  for (guint i = index + 1; i < nn_graph_n_nodes (w->graph); i++)
    {
      const NnNode *node = nn_graph_node (w->graph, i);

      for (guint k = 0; k < node->n_inputs; k++)
        if (node->inputs[k] == index)
          {
            if (!is_reversal (node))
              return FALSE;
            any = TRUE;
          }
    }
  return any;
}

/**
 * nn_onnx_write_reversal:
 *
 * Writes a reversal of what a recurrent layer computed backwards, in whose file the sequence lies forwards.
 *
 * Returns: whether it is one
 */
gboolean
nn_onnx_write_reversal (NnOnnxWriter *w,
                        const NnNode *node,
                        guint         index)
{
  const NnNode *source = nn_graph_node (w->graph, node->inputs[0]);

  if (!is_reversal (node) || !nn_op_is_recurrent (source->op) || !source->attrs.go_backwards || !source->attrs.return_sequences ||
      !is_usual (&source->attrs, source->op))
    return FALSE;
  nn_onnx_op (w, "Identity", nn_onnx_name_in (w, node, index, NN_ONNX_LAST), nn_onnx_text (w, "%s__forwards", source->name), NULL);
  return TRUE;
}

/* A recurrent layer, step by step: for what its one operator does not say. */
typedef struct {
  NnOnnxWriter *w;
  const NnNode *node;
  const char   *kernel[4];    /* by gate, in Keras's order; as their quantisers leave them */
  const char   *recurrent[4];
  const char   *bias[4];      /* (nullable) */
  const char   *state_bias[4]; /* (nullable): of a GRU that resets afterwards */
  const char   *one;
  guint         step;
} Unrolled;

static const char *
part (Unrolled   *u,
      const char *what)
{
  return nn_onnx_text (u->w, "%s__step%u_%s_%u", u->node->name, u->step, what, u->w->n_made++);
}

static const char *
two (Unrolled   *u,
     const char *type,
     const char *a,
     const char *b)
{
  const char *output = part (u, type);

  nn_onnx_op (u->w, type, output, a, b, NULL);
  return output;
}

/* Columns of one gate of (n, gates * units), or its numbers of a bias; @row: which of the bias's rows. */
static const char *
put_gate (Unrolled       *u,
          const NnTensor *all,
          const char     *what,
          gint64          rows,
          gint64          first_row,
          guint           gate,
          guint           n_gates,
          gboolean        is_bias)
{
  gint64 units = u->node->attrs.units;
  g_autoptr (NnTensor) one = nn_tensor_new (NN_DTYPE_F32, is_bias ? &NN_SHAPE (units) : &NN_SHAPE (rows, units));

  for (gint64 i = 0; i < rows; i++)
    for (gint64 k = 0; k < units; k++)
      nn_tensor_f32 (one)[i * units + k] = nn_tensor_f32 (all)[((first_row + i) * n_gates + gate) * units + k];
  return nn_onnx_put (u->w, nn_onnx_text (u->w, "%s__%s_%u", u->node->name, what, gate), one);
}

static void
put_all_gates (Unrolled *u,
               guint     n_gates)
{
  const NnWeight *b = nn_model_node_weight (u->w->model, u->node, NN_ROLE_BIAS);
  g_autoptr (NnTensor) kernel = nn_onnx_used_weight (u->w, u->node, NN_ROLE_KERNEL);
  g_autoptr (NnTensor) recurrent = nn_onnx_used_weight (u->w, u->node, NN_ROLE_RECURRENT_KERNEL);
  g_autoptr (NnTensor) bias = b != NULL ? nn_onnx_used_weight (u->w, u->node, NN_ROLE_BIAS) : NULL;

  for (guint g = 0; g < n_gates; g++)
    {
      u->kernel[g] = put_gate (u, kernel, "kernel", kernel->shape.dims[0], 0, g, n_gates, FALSE);
      u->recurrent[g] = put_gate (u, recurrent, "recurrent_kernel", recurrent->shape.dims[0], 0, g, n_gates, FALSE);
      if (bias != NULL)
        u->bias[g] = put_gate (u, bias, "bias", 1, 0, g, n_gates, TRUE);
      if (bias != NULL && bias->shape.rank == 2)
        u->state_bias[g] = put_gate (u, bias, "state_bias", 1, 1, g, n_gates, TRUE);
    }
  u->one = nn_onnx_put_real (u->w, nn_onnx_text (u->w, "%s__one", u->node->name), 1);
}

static const char *
from_input (Unrolled   *u,
            const char *x,
            guint       gate)
{
  const char *product = two (u, "MatMul", x, u->kernel[gate]);

  return u->bias[gate] != NULL ? two (u, "Add", product, u->bias[gate]) : product;
}

/* @h: (nullable): %NULL before the first step, when it is 0. %NULL where nothing comes of it. */
static const char *
from_state (Unrolled   *u,
            const char *h,
            guint       gate)
{
  const char *product = h != NULL ? two (u, "MatMul", h, u->recurrent[gate]) : NULL;

  if (u->state_bias[gate] == NULL)
    return product;
  return product != NULL ? two (u, "Add", product, u->state_bias[gate]) : u->state_bias[gate];
}

static const char *
plus (Unrolled   *u,
      const char *a,
      const char *b)
{
  return b != NULL ? two (u, "Add", a, b) : a;
}

/* The gates' function, or that of the cell. */
static const char *
function (Unrolled    *u,
          gboolean     gate,
          const char  *x,
          GError     **error)
{
  NnNode like = *u->node;
  NnQuantizer *q = gate ? like.attrs.recurrent_quantizer : like.attrs.quantizer;
  const char *y = part (u, gate ? "gate" : "cell"), *z;

  like.shape = NN_SHAPE (like.attrs.units);
  like.attrs.quantizer = q;
  if (gate)
    {
      like.attrs.act = like.attrs.recurrent_act;
      like.attrs.slope = like.attrs.recurrent_slope;
      like.attrs.shift = like.attrs.recurrent_shift;
      like.attrs.alpha = like.attrs.max_value = like.attrs.threshold = 0;
    }
  if (!nn_onnx_put_activation (u->w, &like, x, y, -1, error))
    return NULL;
  if (q == NULL || like.attrs.act == NN_ACT_QUANTIZED)
    return y;
  z = part (u, "quantized");
  return nn_onnx_put_quant (u->w, &like, q, &like.shape, y, z, error);
}

/* One step of an LSTM: gates i, f, c, o. @c: (inout) (nullable) */
static const char *
lstm_step (Unrolled    *u,
           const char  *x,
           const char  *h,
           const char **c,
           GError     **error)
{
  const char *z[4], *kept;

  for (guint g = 0; g < 4; g++)
    {
      z[g] = function (u, g != 2, plus (u, from_input (u, x, g), from_state (u, h, g)), error);
      if (z[g] == NULL)
        return NULL;
    }
  kept = two (u, "Mul", z[0], z[2]);
  *c = *c != NULL ? two (u, "Add", two (u, "Mul", z[1], *c), kept) : kept;
  h = function (u, FALSE, *c, error);
  return h != NULL ? two (u, "Mul", h, z[3]) : NULL;
}

/* One step of a GRU: gates z, r, h. */
static const char *
gru_step (Unrolled    *u,
          const char  *x,
          const char  *h,
          GError     **error)
{
  gboolean after = u->node->attrs.reset_after;
  const char *z[3], *state;

  for (guint g = 0; g < 2; g++)
    {
      z[g] = function (u, TRUE, plus (u, from_input (u, x, g), from_state (u, h, g)), error);
      if (z[g] == NULL)
        return NULL;
    }
  if (after)
    {
      state = from_state (u, h, 2);
      state = state != NULL ? two (u, "Mul", z[1], state) : NULL;
    }
  else
    state = h != NULL ? two (u, "MatMul", two (u, "Mul", z[1], h), u->recurrent[2]) : NULL;
  z[2] = function (u, FALSE, plus (u, from_input (u, x, 2), state), error);
  if (z[2] == NULL)
    return NULL;
  x = two (u, "Mul", two (u, "Sub", u->one, z[0]), z[2]);
  return h != NULL ? two (u, "Add", two (u, "Mul", z[0], h), x) : x;
}

static gboolean
write_unrolled (NnOnnxWriter  *w,
                const NnNode  *node,
                guint          index,
                GError       **error)
{
  gint64 n = nn_onnx_in_shape (w, node)->dims[0], axis = 1;
  const char *input = nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), *output = nn_onnx_name_in (w, node, index, NN_ONNX_LAST);
  const char *h = NULL, *c = NULL, *axes = nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axis", node->name), &axis, 1);
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  Unrolled u = { .w = w, .node = node };
  Onnx__NodeProto *op;

  if (n < 1 || n > MAX_STEPS)
    return nn_onnx_fail (node, "its functions or quantisers are written step by step, and its steps are open or too many", error);
  put_all_gates (&u, node->op == NN_OP_LSTM ? 4 : node->op == NN_OP_GRU ? 3 : 1);
  for (u.step = 0; u.step < n; u.step++)
    {
      const char *x = part (&u, "x"), *state = h;

      op = nn_onnx_op (w, "Gather", x, input, nn_onnx_put_int (w, part (&u, "place"), node->attrs.go_backwards ? n - 1 - u.step : u.step),
                       NULL);
      nn_onnx_set_int (w, op, "axis", 1);
      if (h != NULL && node->attrs.state_quantizer != NULL)
        {
          state = nn_onnx_put_quant (w, node, node->attrs.state_quantizer, &NN_SHAPE (node->attrs.units), h, part (&u, "state"), error);
          if (state == NULL)
            return FALSE;
        }
      h = node->op == NN_OP_LSTM  ? lstm_step (&u, x, state, &c, error)
          : node->op == NN_OP_GRU ? gru_step (&u, x, state, error)
                                  : function (&u, FALSE, plus (&u, from_input (&u, x, 0), from_state (&u, state, 0)), error);
      if (h == NULL)
        return FALSE;
      g_ptr_array_add (all, (gpointer) part (&u, "row"));
      if (node->attrs.return_sequences)
        nn_onnx_op (w, "Unsqueeze", all->pdata[u.step], h, axes, NULL);
    }
  if (!node->attrs.return_sequences)
    {
      nn_onnx_op (w, "Identity", output, h, NULL);
      return TRUE;
    }
  op = nn_onnx_op (w, "Concat", output, all->pdata[0], NULL);
  op->n_input = all->len;
  op->input = nn_arena_memdup (w->arena, all->pdata, all->len * sizeof (char *));
  nn_onnx_set_int (w, op, "axis", 1);
  return TRUE;
}

gboolean
nn_onnx_write_recurrent (NnOnnxWriter  *w,
                         const NnNode  *node,
                         guint          index,
                         GError       **error)
{
  static const guint lstm_gates[] = { 0, 2, 3, 1 }, plain_gates[] = { 0, 1, 2 };
  const NnAttrs *a = &node->attrs;
  gboolean lstm = node->op == NN_OP_LSTM, gru = node->op == NN_OP_GRU;
  guint n_gates = lstm ? 4 : gru ? 3 : 1;
  const guint *gates = lstm ? lstm_gates : plain_gates;
  const gint64 swap[] = { 1, 0, 2 }, zero = 0, one = 1;
  const char *turned = nn_onnx_text (w, "%s__steps", node->name), *raw = nn_onnx_text (w, "%s__raw", node->name);
  const char *output = nn_onnx_name_in (w, node, index, NN_ONNX_LAST), *bias = "", *kernel, *recurrent;
  const NnWeight *b = nn_model_node_weight (w->model, node, NN_ROLE_BIAS);
  Onnx__NodeProto *op;

  if (!is_usual (a, node->op))
    return write_unrolled (w, node, index, error);
  op = nn_onnx_op (w, "Transpose", turned, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), NULL);
  nn_onnx_set_ints (w, op, "perm", swap, 3);
  kernel = put_gates (w, nn_onnx_text (w, "%s__kernel", node->name), nn_model_node_weight (w->model, node, NN_ROLE_KERNEL),
                      gates, n_gates, a->units);
  recurrent = put_gates (w, nn_onnx_text (w, "%s__recurrent_kernel", node->name),
                         nn_model_node_weight (w->model, node, NN_ROLE_RECURRENT_KERNEL), gates, n_gates, a->units);
  if (b != NULL)
    {
      gint64 wide = (gint64) n_gates * a->units;
      g_autoptr (NnTensor) both = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, 2 * wide));

      for (gsize half = 0; half < b->values->n / (gsize) wide; half++)
        for (guint g = 0; g < n_gates; g++)
          for (gint64 u = 0; u < a->units; u++)
            nn_tensor_f32 (both)[(gint64) half * wide + gates[g] * a->units + u] =
                nn_tensor_f32 (b->values)[(gint64) half * wide + g * a->units + u];
      bias = nn_onnx_put (w, nn_onnx_text (w, "%s__bias", node->name), both);
    }
  op = nn_onnx_op (w, lstm ? "LSTM" : gru ? "GRU" : "RNN", a->return_sequences ? raw : "", turned, kernel, recurrent, bias,
                   NULL);
  nn_onnx_set_int (w, op, "hidden_size", a->units);
  nn_onnx_set_text (w, op, "direction", a->go_backwards ? "reverse" : "forward");
  put_functions (w, node, op);
  if (gru)
    nn_onnx_set_int (w, op, "linear_before_reset", a->reset_after);
  if (a->return_sequences)
    {
      const char *squeezed = nn_onnx_text (w, "%s__squeezed", node->name);
      const char *forwards = a->go_backwards ? nn_onnx_text (w, "%s__forwards", node->name) : output;

      nn_onnx_op (w, "Squeeze", squeezed, raw, nn_onnx_put_ints (w, squeezed, &one, 1), NULL);
      op = nn_onnx_op (w, "Transpose", forwards, squeezed, NULL);
      nn_onnx_set_ints (w, op, "perm", swap, 3);
      if (a->go_backwards && !only_reversed (w, index))
        put_backwards (w, forwards, output);
      return TRUE;
    }
  op->n_output = 2;
  op->output = nn_arena_memdup (w->arena, (char *[]){ (char *) "", (char *) raw }, 2 * sizeof (char *));
  nn_onnx_op (w, "Squeeze", output, raw, nn_onnx_put_ints (w, output, &zero, 1), NULL);
  return TRUE;
}
