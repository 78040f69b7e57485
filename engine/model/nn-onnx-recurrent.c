/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's LSTM, GRU and RNN. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

/* Where Keras's gates stand in ONNX's: LSTM i f c o of iofc, GRU z r h of zrh. */
static const guint lstm_gates[] = { 0, 2, 3, 1 }, plain_gates[] = { 0, 1, 2 };

/* Of one direction: (directions, gates * units, n) to (n, gates * units), gates in Keras's order. */
static NnTensor *
turn (const NnTensor *w,
      guint           direction,
      const guint    *gates,
      guint           n_gates,
      gint64          units)
{
  gint64 n = w->shape.dims[2];
  const float *from = nn_tensor_f32 (w) + (gint64) direction * n_gates * units * n;
  NnTensor *result = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n, (gint64) n_gates * units));

  for (gint64 i = 0; i < n; i++)
    for (guint g = 0; g < n_gates; g++)
      for (gint64 u = 0; u < units; u++)
        nn_tensor_f32 (result)[(i * n_gates + g) * units + u] = from[(gates[g] * units + u) * n + i];
  return result;
}

/* (directions, 2 * gates * units): for the inputs, then for the state. One sum, or both where the state's counts apart. */
static NnTensor *
turn_bias (const NnTensor *b,
           guint           direction,
           const guint    *gates,
           guint           n_gates,
           gint64          units,
           gboolean        apart)
{
  gint64 wide = (gint64) n_gates * units;
  const float *from = nn_tensor_f32 (b) + 2 * wide * direction;
  NnTensor *result = apart ? nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (2, wide)) : nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (wide));

  for (guint half = 0; half < 2; half++)
    for (guint g = 0; g < n_gates; g++)
      for (gint64 u = 0; u < units; u++)
        nn_tensor_f32 (result)[(apart ? half * wide : 0) + g * units + u] += from[half * wide + gates[g] * units + u];
  return result;
}

static const NnTensor *
constant (NnOnnx          *onnx,
          Onnx__NodeProto *op,
          guint            i,
          guint            rank)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

  return value != NULL && value->constant != NULL && value->constant->dtype == NN_DTYPE_F32 && value->quant == NULL &&
                 value->constant->shape.rank == rank
           ? value->constant
           : NULL;
}

static gboolean
zero_or_missing (NnOnnx          *onnx,
                 Onnx__NodeProto *op,
                 guint            i)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

  if (value == NULL)
    return TRUE;
  if (value->constant == NULL)
    return FALSE;
  for (gsize k = 0; k < value->constant->n; k++)
    if (nn_tensor_get (value->constant, k) != 0)
      return FALSE;
  return TRUE;
}

/* A recurrent operator of the file. */
typedef struct {
  const NnTensor *w, *r, *b;
  NnOp            op;
  const guint    *gates;
  guint           n_gates;
  gint64          units;
  gboolean        apart;          /* GRU: linear before reset */
  guint           n_directions;
  gboolean        reverse[2];
  NnAct           act[2], gate[2]; /* of the candidate and of the gates, for each direction */
  gboolean        batch_first;
} Recurrent;

static gboolean
find_act (const ProtobufCBinaryData *name,
          NnAct                     *act)
{
  static const struct {
    const char *name;
    NnAct       act;
  } acts[] = { { "Sigmoid", NN_ACT_SIGMOID }, { "Tanh", NN_ACT_TANH }, { "Relu", NN_ACT_RELU }, { "Softsign", NN_ACT_SOFTSIGN },
               { "Softplus", NN_ACT_SOFTPLUS } };

  for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
    if (name->len == strlen (acts[i].name) && g_ascii_strncasecmp ((const char *) name->data, acts[i].name, name->len) == 0)
      {
        *act = acts[i].act;
        return TRUE;
      }
  return FALSE;
}

/* Its functions, for each direction: of the gates (but in a simple one), of the candidate, of an LSTM's output as well. */
static gboolean
read_functions (Recurrent       *rec,
                Onnx__NodeProto *op)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "activations");
  gsize each = rec->op == NN_OP_LSTM ? 3 : rec->op == NN_OP_GRU ? 2 : 1;

  for (guint d = 0; d < 2; d++)
    {
      rec->act[d] = NN_ACT_TANH;
      rec->gate[d] = NN_ACT_SIGMOID;
    }
  if (a == NULL || a->n_strings == 0)
    return TRUE;
  if (a->n_strings != each * rec->n_directions)
    return FALSE;
  for (guint d = 0; d < rec->n_directions; d++)
    {
      const ProtobufCBinaryData *names = a->strings + d * each;
      NnAct out;

      if ((each > 1 && !find_act (&names[0], &rec->gate[d])) || !find_act (&names[each > 1 ? 1 : 0], &rec->act[d]) ||
          (each > 2 && (!find_act (&names[2], &out) || out != rec->act[d])))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_settings (NnOnnx             *onnx,
               Onnx__NodeProto    *op,
               const NnOnnxValue  *x,
               Recurrent          *rec,
               GError            **error)
{
  const char *direction = nn_onnx_string (onnx, op, "direction", "forward");
  gboolean lstm = op->op_type[0] == 'L', gru = op->op_type[0] == 'G';
  gint64 n;

  *rec = (Recurrent){ .w = constant (onnx, op, 1, 3), .r = constant (onnx, op, 2, 3), .b = constant (onnx, op, 3, 2),
                      .op = lstm ? NN_OP_LSTM : gru ? NN_OP_GRU : NN_OP_SIMPLE_RNN, .gates = lstm ? lstm_gates : plain_gates,
                      .n_gates = lstm ? 4 : gru ? 3 : 1, .apart = gru && nn_onnx_int (op, "linear_before_reset", 0) != 0,
                      .n_directions = g_str_equal (direction, "bidirectional") ? 2 : 1,
                      .batch_first = nn_onnx_int (op, "layout", 0) != 0 };
  rec->units = nn_onnx_int (op, "hidden_size", rec->r != NULL ? rec->r->shape.dims[2] : 0);
  rec->reverse[0] = g_str_equal (direction, "reverse");
  rec->reverse[1] = TRUE;
  if (x == NULL || x->constant != NULL || x->rank != 3 || x->batch != (rec->batch_first ? 0 : 1))
    return nn_load_unsupported (error, "its data must have the axes steps, batch, features");
  if (rec->w == NULL || rec->r == NULL || (op->n_input > 3 && op->input[3][0] != '\0' && rec->b == NULL))
    return nn_load_unsupported (error, "its weights must be constant");
  if (!read_functions (rec, op) || nn_onnx_attribute (op, "clip") != NULL || nn_onnx_int (op, "input_forget", 0) != 0)
    return nn_load_unsupported (error, "its functions must be Sigmoid, Tanh, Relu, Softsign or Softplus, without clip and input_forget");
  if (!zero_or_missing (onnx, op, 5) || !zero_or_missing (onnx, op, 6) || !zero_or_missing (onnx, op, 7))
    return nn_load_unsupported (error, "an initial state or peepholes are not supported");
  n = rec->n_directions;
  if (rec->units < 1 || rec->units > G_MAXINT32 / 8 || rec->w->shape.dims[0] != n || rec->r->shape.dims[0] != n ||
      rec->w->shape.dims[1] != rec->n_gates * rec->units || rec->r->shape.dims[1] != rec->n_gates * rec->units ||
      rec->r->shape.dims[2] != rec->units || (x->dims[2] > 0 && rec->w->shape.dims[2] != x->dims[2]) ||
      (rec->b != NULL && rec->b->n != (gsize) (2 * n * rec->n_gates * rec->units)))
    return nn_load_unsupported (error, "its weights do not fit each other");
  return TRUE;
}

/* One direction; the steps come in their own order. */
static gboolean
add_direction (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               const Recurrent  *rec,
               guint             d,
               const char       *name,
               guint             input,
               gboolean          sequences,
               guint            *output,
               GError          **error)
{
  NnNode *node = nn_onnx_node (onnx, rec->op, name, op->op_type, &input, 1);

  node->attrs.units = rec->units;
  node->attrs.act = rec->act[d];
  node->attrs.recurrent_act = rec->gate[d];
  node->attrs.return_sequences = sequences;
  node->attrs.go_backwards = rec->reverse[d];
  node->attrs.reset_after = rec->apart;
  node->attrs.use_bias = rec->b != NULL;
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", turn (rec->w, d, rec->gates, rec->n_gates, rec->units));
  nn_onnx_weight (onnx, node, NN_ROLE_RECURRENT_KERNEL, "recurrent_kernel", turn (rec->r, d, rec->gates, rec->n_gates, rec->units));
  if (rec->b != NULL)
    nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", turn_bias (rec->b, d, rec->gates, rec->n_gates, rec->units, rec->apart));
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  *output = nn_graph_builder_n_nodes (onnx->builder) - 1;
  if (sequences && rec->reverse[d])
    {
      g_autofree char *reversed = g_strdup_printf ("%s__reversed", name);

      node = nn_onnx_node (onnx, NN_OP_REVERSE, reversed, NULL, output, 1);
      node->attrs.axis = 0;
      *output = nn_graph_builder_n_nodes (onnx->builder) - 1;
      return nn_onnx_finish (onnx, node, error);
    }
  return TRUE;
}

static gboolean
is_read (NnOnnx          *onnx,
         Onnx__NodeProto *op,
         guint            i)
{
  return i < op->n_output && op->output[i][0] != '\0' && (g_hash_table_lookup (onnx->uses, op->output[i]) != NULL ||
                                                          g_hash_table_contains (onnx->outputs, op->output[i]));
}

/* The state after the last step, out of a sequence: the first of one that ran backwards. */
static gboolean
add_last (NnOnnx           *onnx,
          const Recurrent  *rec,
          guint             d,
          const char       *name,
          guint             sequence,
          guint            *output,
          GError          **error)
{
  g_autofree char *step = g_strdup_printf ("%s__step_%u", name, d);
  g_autofree char *flat = g_strdup_printf ("%s__last_%u", name, d);
  gint64 n = nn_graph_builder_node (onnx->builder, sequence)->shape.dims[0];
  NnNode *node;

  if (n < 1)
    return nn_load_unsupported (error, "its sequences and last states together need a known number of steps");
  node = nn_onnx_node (onnx, NN_OP_SLICE, step, NULL, &sequence, 1);
  node->attrs.axis = 0;
  node->attrs.begin = rec->reverse[d] ? 0 : n - 1;
  node->attrs.end = node->attrs.begin + 1;
  node->attrs.step = 1;
  *output = nn_graph_builder_n_nodes (onnx->builder) - 1;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_RESHAPE, flat, NULL, output, 1);
  node->attrs.target = NN_SHAPE (rec->units);
  *output = nn_graph_builder_n_nodes (onnx->builder) - 1;
  return nn_onnx_finish (onnx, node, error);
}

/* Both directions side by side, then (…, directions, units). */
static gboolean
join (NnOnnx           *onnx,
      const Recurrent  *rec,
      const char       *name,
      guint            *nodes,
      guint            *output,
      GError          **error)
{
  g_autofree char *joined = g_strdup_printf ("%s__joined", name);
  NnShape shape;
  NnNode *node;

  *output = nodes[0];
  if (rec->n_directions == 1)
    return TRUE;
  node = nn_onnx_node (onnx, NN_OP_CONCATENATE, joined, NULL, nodes, 2);
  node->attrs.axis = -1;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  *output = nn_graph_builder_n_nodes (onnx->builder) - 1;
  shape = node->shape;
  shape.dims[shape.rank - 1] = 2;
  shape.dims[shape.rank++] = rec->units;
  node = nn_onnx_node (onnx, NN_OP_RESHAPE, name, NULL, output, 1);
  node->attrs.target = shape;
  *output = nn_graph_builder_n_nodes (onnx->builder) - 1;
  return nn_onnx_finish (onnx, node, error);
}

/* Y (steps, directions, batch, units) or, batch first, (batch, steps, directions, units); Y_h the same without the steps. */
static void
set_result (NnOnnx            *onnx,
            const Recurrent   *rec,
            const char        *name,
            const NnOnnxValue *x,
            guint              node,
            gboolean           sequences)
{
  NnOnnxValue *value = nn_onnx_result (onnx, name, x);
  gint64 steps = x->dims[rec->batch_first ? 1 : 0];
  guint to = 0, at = 0;

  g_clear_pointer (&value->order, g_free);
  value->n_order = 0;
  value->node = node;
  if (rec->batch_first)
    {
      value->batch = 0;
      value->dims[to++] = x->dims[x->batch];
    }
  if (sequences)
    {
      value->dims[to++] = steps;
      value->at[at] = (int) at;
      at++;
    }
  value->dims[to++] = rec->n_directions;
  value->at[at] = rec->n_directions == 1 ? NN_ONNX_VIRTUAL : (int) at;
  at++;
  if (!rec->batch_first)
    {
      value->batch = to;
      value->dims[to++] = x->dims[x->batch];
    }
  value->dims[to++] = rec->units;
  value->at[at] = (int) (rec->n_directions == 1 ? at - 1 : at);
  value->rank = to;
}

gboolean
nn_onnx_read_recurrent (NnOnnx           *onnx,
                        Onnx__NodeProto  *op,
                        GError          **error)
{
  NnOnnxValue *x = nn_onnx_input (onnx, op, 0);
  gboolean sequences = is_read (onnx, op, 0), states = is_read (onnx, op, 1);
  static const int wanted[] = { 0, 1 };
  guint nodes[2] = { 0 }, last[2] = { 0 }, output;
  Recurrent rec;

  if (!read_settings (onnx, op, x, &rec, error))
    return FALSE;
  if (is_read (onnx, op, 2))
    return nn_load_unsupported (error, "the cell's state as an output is not supported");
  if (!sequences && !states)
    sequences = TRUE;
  if (!nn_onnx_arrange (onnx, x, wanted, error))
    return FALSE;
  for (guint d = 0; d < rec.n_directions; d++)
    {
      const char *out = sequences ? op->output[0] : op->output[1];
      g_autofree char *name = rec.n_directions > 1 ? g_strdup_printf ("%s__%s", out, d == 0 ? "forward" : "backward") : g_strdup (out);

      if (!add_direction (onnx, op, &rec, d, name, x->node, sequences, &nodes[d], error))
        return FALSE;
    }
  if (sequences && states)
    {
      for (guint d = 0; d < rec.n_directions; d++)
        if (!add_last (onnx, &rec, d, op->output[1], nodes[d], &last[d], error))
          return FALSE;
      if (!join (onnx, &rec, op->output[1], last, &output, error))
        return FALSE;
      set_result (onnx, &rec, op->output[1], x, output, FALSE);
    }
  if (!join (onnx, &rec, sequences ? op->output[0] : op->output[1], nodes, &output, error))
    return FALSE;
  set_result (onnx, &rec, sequences ? op->output[0] : op->output[1], x, output, sequences);
  return TRUE;
}
