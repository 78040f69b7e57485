/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's LSTM, GRU and RNN. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

/* Where Keras's gates stand in ONNX's: LSTM i f c o of iofc, GRU z r h of zrh. */
static const guint lstm_gates[] = { 0, 2, 3, 1 }, plain_gates[] = { 0, 1, 2 };

/* (1, gates * units, n) to (n, gates * units), gates in Keras's order. */
static NnTensor *
turn (const NnTensor *w,
      const guint    *gates,
      guint           n_gates,
      gint64          units)
{
  gint64 n = w->shape.dims[2];
  NnTensor *result = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n, (gint64) n_gates * units));

  for (gint64 i = 0; i < n; i++)
    for (guint g = 0; g < n_gates; g++)
      for (gint64 u = 0; u < units; u++)
        nn_tensor_f32 (result)[(i * n_gates + g) * units + u] = nn_tensor_f32 (w)[(gates[g] * units + u) * n + i];
  return result;
}

/* (1, 2 * gates * units): for the inputs, then for the state. One sum, or both where the state's counts apart. */
static NnTensor *
turn_bias (const NnTensor *b,
           const guint    *gates,
           guint           n_gates,
           gint64          units,
           gboolean        apart)
{
  gint64 wide = (gint64) n_gates * units;
  NnTensor *result = apart ? nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (2, wide)) : nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (wide));

  for (guint half = 0; half < 2; half++)
    for (guint g = 0; g < n_gates; g++)
      for (gint64 u = 0; u < units; u++)
        nn_tensor_f32 (result)[(apart ? half * wide : 0) + g * units + u] +=
            nn_tensor_f32 (b)[half * wide + gates[g] * units + u];
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

/* The names of its functions must be ONNX's defaults, which are Keras's. */
static gboolean
default_activations (Onnx__NodeProto *op)
{
  static const char *const lstm[] = { "Sigmoid", "Tanh", "Tanh" }, *const gru[] = { "Sigmoid", "Tanh" };
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "activations");
  const char *const *names = op->op_type[0] == 'L' ? lstm : op->op_type[0] == 'G' ? gru : lstm + 1;
  gsize n = op->op_type[0] == 'L' ? 3 : op->op_type[0] == 'G' ? 2 : 1;

  if (a == NULL || a->n_strings == 0)
    return TRUE;
  if (a->n_strings != n)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (a->strings[i].len != strlen (names[i]) || g_ascii_strncasecmp ((const char *) a->strings[i].data, names[i],
                                                                       a->strings[i].len) != 0)
      return FALSE;
  return TRUE;
}

static void
set_result (NnOnnx            *onnx,
            const char        *name,
            const NnOnnxValue *x,
            gint64             units,
            gboolean           sequences)
{
  NnOnnxValue *value = nn_onnx_result (onnx, name, x);
  gint64 steps = x->dims[0], batch = x->dims[1];

  /* Y (steps, directions, batch, units), Y_h (directions, batch, units) */
  g_clear_pointer (&value->order, g_free);
  value->rank = sequences ? 4 : 3;
  value->batch = sequences ? 2 : 1;
  value->dims[0] = sequences ? steps : 1;
  value->dims[1] = sequences ? 1 : batch;
  value->dims[2] = sequences ? batch : units;
  value->dims[3] = units;
  value->at[0] = sequences ? 0 : NN_ONNX_VIRTUAL;
  value->at[1] = sequences ? NN_ONNX_VIRTUAL : 0;
  value->at[2] = 1;
}

gboolean
nn_onnx_read_recurrent (NnOnnx           *onnx,
                        Onnx__NodeProto  *op,
                        GError          **error)
{
  gboolean lstm = op->op_type[0] == 'L', gru = op->op_type[0] == 'G', sequences, apart, reverse;
  const char *direction = nn_onnx_string (op, "direction", "forward"), *name;
  NnOnnxValue *x = nn_onnx_input (onnx, op, 0);
  const NnTensor *w = constant (onnx, op, 1, 3), *r = constant (onnx, op, 2, 3), *b = constant (onnx, op, 3, 2);
  guint n_gates = lstm ? 4 : gru ? 3 : 1;
  const guint *gates = lstm ? lstm_gates : plain_gates;
  gint64 units = nn_onnx_int (op, "hidden_size", r != NULL ? r->shape.dims[2] : 0);
  static const int wanted[] = { 0, 1 };
  NnNode *node;

  if (x == NULL || x->constant != NULL || x->rank != 3 || x->batch != 1 || nn_onnx_int (op, "layout", 0) != 0)
    return nn_onnx_unsupported (error, "its data must have the axes steps, batch, features");
  if (w == NULL || r == NULL || (op->n_input > 3 && op->input[3][0] != '\0' && b == NULL) || !default_activations (op) ||
      nn_onnx_attribute (op, "clip") != NULL || nn_onnx_int (op, "input_forget", 0) != 0)
    return nn_onnx_unsupported (error, "its weights must be constant and its functions the usual");
  if (!zero_or_missing (onnx, op, 5) || !zero_or_missing (onnx, op, 6) || !zero_or_missing (onnx, op, 7))
    return nn_onnx_unsupported (error, "an initial state or peepholes are not supported");
  reverse = g_str_equal (direction, "reverse");
  if (!reverse && !g_str_equal (direction, "forward"))
    return nn_onnx_unsupported (error, "direction \"%s\" is not supported; forward and reverse are", direction);
  if (!nn_onnx_arrange (onnx, x, wanted, error))
    return FALSE;
  if (units < 1 || units > G_MAXINT32 / 8 || w->shape.dims[0] != 1 || r->shape.dims[0] != 1 ||
      w->shape.dims[1] != n_gates * units || r->shape.dims[1] != n_gates * units || r->shape.dims[2] != units ||
      (x->dims[2] > 0 && w->shape.dims[2] != x->dims[2]) || (b != NULL && b->n != (gsize) (2 * n_gates * units)))
    return nn_onnx_unsupported (error, "its weights do not fit each other");
  sequences = op->output[0][0] != '\0' && g_hash_table_lookup (onnx->uses, op->output[0]) != NULL;
  for (guint i = 1; i < op->n_output; i++)
    if (op->output[i][0] != '\0' && (g_hash_table_lookup (onnx->uses, op->output[i]) != NULL ||
                                     g_hash_table_contains (onnx->outputs, op->output[i])) &&
        (i > 1 || sequences))
      return nn_onnx_unsupported (error, "its states as further outputs are not supported");
  sequences |= g_hash_table_contains (onnx->outputs, op->output[0]);
  name = sequences || op->n_output < 2 || op->output[1][0] == '\0' ? op->output[0] : op->output[1];
  sequences |= g_str_equal (name, op->output[0]);
  apart = gru && nn_onnx_int (op, "linear_before_reset", 0) != 0;
  node = nn_onnx_node (onnx, lstm ? NN_OP_LSTM : gru ? NN_OP_GRU : NN_OP_SIMPLE_RNN, name, op->op_type, &x->node, 1);
  node->attrs.units = units;
  node->attrs.act = NN_ACT_TANH;
  node->attrs.recurrent_act = NN_ACT_SIGMOID;
  node->attrs.return_sequences = sequences;
  node->attrs.go_backwards = reverse;
  node->attrs.reset_after = apart;
  node->attrs.use_bias = b != NULL;
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", turn (w, gates, n_gates, units));
  nn_onnx_weight (onnx, node, NN_ROLE_RECURRENT_KERNEL, "recurrent_kernel", turn (r, gates, n_gates, units));
  if (b != NULL)
    nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", turn_bias (b, gates, n_gates, units, apart));
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  if (sequences && reverse)
    {
      /* ONNX gives the steps in their own order */
      guint input = nn_graph_builder_n_nodes (onnx->builder) - 1;
      g_autofree char *reversed = g_strdup_printf ("%s__reversed", name);

      node = nn_onnx_node (onnx, NN_OP_REVERSE, reversed, NULL, &input, 1);
      node->attrs.axis = 0;
      if (!nn_onnx_finish (onnx, node, error))
        return FALSE;
    }
  set_result (onnx, name, x, units, sequences);
  return TRUE;
}
