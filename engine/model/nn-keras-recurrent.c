/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras's recurrent layers, one way and both ways. */

#include "nn-keras.h"

#include "nn-error.h"

#include <string.h>

static int
n_gates (NnOp op)
{
  return op == NN_OP_LSTM ? 4 : op == NN_OP_GRU ? 3 : 1;
}

static gboolean
check_options (NnKerasLayer  *layer,
               JsonObject    *config,
               GError       **error)
{
  static const char *const names[] = { "time_major", "stateful" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (nn_json_boolean (config, names[i], FALSE))
      return nn_keras_unsupported (layer, error, "\"%s\" is not supported", names[i]);
  if (layer->scope->time_distributed)
    return nn_keras_unsupported (layer, error, "a recurrent layer at every step is not supported");
  if (layer->n_inputs > 1)
    return nn_keras_unsupported (layer, error, "an initial state is not supported");
  if (layer->in->rank != 2)
    return nn_keras_unsupported (layer, error, "its input must have the axes steps, features");
  return TRUE;
}

static gboolean
read_gates (NnKerasLayer  *layer,
            JsonObject    *config,
            NnOp           op,
            NnAttrs       *attrs,
            GError       **error)
{
  /* Keras 1 and 2.0 to 2.2 have the hard sigmoid as default */
  const char *fallback = layer->keras->major < 2 ? "hard_sigmoid" : "sigmoid";
  g_autoptr (JsonNode) text = json_node_init_string (json_node_alloc (), fallback);
  JsonNode *json = nn_json_get (config, "recurrent_activation");
  NnAttrs gate = { 0 };

  if (json == NULL)
    json = nn_json_get (config, "inner_activation");
  if (op != NN_OP_SIMPLE_RNN)
    {
      if (!nn_keras_activation (layer, json != NULL ? json : text, &gate, error))
        return FALSE;
      attrs->recurrent_act = gate.act;
      attrs->recurrent_slope = gate.slope;
      attrs->recurrent_shift = gate.shift;
      attrs->recurrent_quantizer = gate.quantizer;
    }
  json_node_set_string (text, "tanh");
  json = nn_json_get (config, "activation");
  return nn_keras_activation (layer, json != NULL ? json : text, attrs, error);
}

static gboolean
read_quantizers (NnKerasLayer  *layer,
                 JsonObject    *config,
                 NnAttrs       *attrs,
                 GError       **error)
{
  return nn_keras_quantizer (layer, nn_json_get (config, "kernel_quantizer"), &attrs->role_quantizer[NN_ROLE_KERNEL],
                             error) &&
         nn_keras_quantizer (layer, nn_json_get (config, "recurrent_quantizer"),
                             &attrs->role_quantizer[NN_ROLE_RECURRENT_KERNEL], error) &&
         nn_keras_quantizer (layer, nn_json_get (config, "bias_quantizer"), &attrs->role_quantizer[NN_ROLE_BIAS], error) &&
         nn_keras_quantizer (layer, nn_json_get (config, "state_quantizer"), &attrs->state_quantizer, error);
}

/* @sub: of the cell in a numbered file; @scope: of its variables in a named one, "" or `forward_lstm/`. */
static gboolean
read_cell (NnKerasLayer  *layer,
           JsonObject    *config,
           NnNode        *node,
           const char    *sub,
           GError       **error)
{
  NnAttrs *attrs = &node->attrs;
  gint64 features = nn_shape_last (layer->in), gates = n_gates (node->op), wide;

  if (!check_options (layer, config, error))
    return FALSE;
  if (!nn_json_int (config, "units", &attrs->units) && !nn_json_int (config, "output_dim", &attrs->units))
    return nn_keras_bad (layer, error, "\"units\" is missing");
  if (attrs->units < 1 || attrs->units > G_MAXINT32 / 8)
    return nn_keras_bad (layer, error, "\"units\" must be positive");
  wide = gates * attrs->units;
  attrs->use_bias = nn_json_boolean (config, "use_bias", TRUE);
  attrs->return_sequences = nn_json_boolean (config, "return_sequences", FALSE);
  attrs->go_backwards = nn_json_boolean (config, "go_backwards", FALSE);
  /* a file that does not tell it is older than the option */
  attrs->reset_after = node->op == NN_OP_GRU && nn_json_boolean (config, "reset_after", FALSE);
  if (!nn_keras_take (layer, NN_ROLE_KERNEL, "kernel", sub, &NN_SHAPE (features, wide), error) ||
      !nn_keras_take (layer, NN_ROLE_RECURRENT_KERNEL, "recurrent_kernel", sub, &NN_SHAPE (attrs->units, wide), error))
    return FALSE;
  if (attrs->use_bias &&
      !nn_keras_take (layer, NN_ROLE_BIAS, "bias", sub, attrs->reset_after ? &NN_SHAPE (2, wide) : &NN_SHAPE (wide), error))
    return FALSE;
  return read_gates (layer, config, node->op, attrs, error) && read_quantizers (layer, config, attrs, error);
}

gboolean
nn_keras_read_recurrent (NnKerasLayer  *layer,
                         GError       **error)
{
  return read_cell (layer, layer->config, layer->node, "cell", error);
}

static const struct {
  const char *class_name;
  NnOp        op;
} classes[] = {
  { "LSTM", NN_OP_LSTM },   { "GRU", NN_OP_GRU },   { "SimpleRNN", NN_OP_SIMPLE_RNN },
  { "QLSTM", NN_OP_LSTM },  { "QGRU", NN_OP_GRU },  { "QSimpleRNN", NN_OP_SIMPLE_RNN },
};

/* The half's node, its weights in it. */
static gboolean
add_half (NnKerasLayer  *layer,
          JsonObject    *wrapped,
          const char    *half,
          gboolean       reversed,
          guint         *result,
          GError       **error)
{
  const char *class_name = nn_json_string (wrapped, "class_name");
  JsonObject *config = nn_json_object (wrapped, "config");
  g_autofree char *name = g_strdup_printf ("%s__%s", layer->node_name, half);
  g_autofree char *sub = g_strdup_printf ("%s_layer/cell", half);
  guint first = layer->n_shared > 0 ? layer->shared_next : layer->ids->len;
  NnOp op = NN_N_OPS;
  NnNode *node;

  if (class_name != NULL && strrchr (class_name, '>') != NULL)
    class_name = strrchr (class_name, '>') + 1;
  for (guint i = 0; class_name != NULL && i < G_N_ELEMENTS (classes); i++)
    if (g_str_equal (class_name, classes[i].class_name))
      op = classes[i].op;
  if (op == NN_N_OPS || config == NULL)
    return nn_keras_unsupported (layer, error, "both ways, \"%s\" is not supported; LSTM, GRU and SimpleRNN are",
                                 class_name != NULL ? class_name : "?");
  node = nn_keras_add_node (layer, op, name, layer->inputs, 1);
  *result = layer->out;
  if (!read_cell (layer, config, node, sub, error))
    return FALSE;
  /* both halves have a kernel: they are told apart by name */
  for (guint i = first; layer->n_shared == 0 && i < layer->ids->len; i++)
    {
      NnWeight *weight = &g_array_index (layer->keras->weights, NnWeight, g_array_index (layer->ids, guint, i));
      g_autofree char *full = g_strdup_printf ("%s/%s", half, weight->name);

      weight->name = g_intern_string (full);
    }
  if (reversed)
    node->attrs.go_backwards = !node->attrs.go_backwards;
  nn_graph_builder_weights (layer->keras->builder, node, &g_array_index (layer->ids, guint, first),
                            (layer->n_shared > 0 ? layer->shared_next : layer->ids->len) - first);
  return nn_keras_shape (layer->keras, node, error);
}

gboolean
nn_keras_read_bidirectional (NnKerasLayer  *layer,
                             GError       **error)
{
  static const struct {
    const char *mode;
    NnOp        op;
  } merges[] = { { "concat", NN_OP_CONCATENATE }, { "sum", NN_OP_ADD }, { "mul", NN_OP_MULTIPLY }, { "ave", NN_OP_AVERAGE } };
  JsonObject *forward = nn_json_object (layer->config, "layer");
  JsonObject *backward = nn_json_object (layer->config, "backward_layer");
  const char *mode = nn_json_string (layer->config, "merge_mode");
  NnOp op = NN_N_OPS;
  guint halves[2];
  NnNode *node;

  for (guint i = 0; mode != NULL && i < G_N_ELEMENTS (merges); i++)
    if (g_str_equal (mode, merges[i].mode))
      op = merges[i].op;
  if (op == NN_N_OPS)
    return nn_keras_unsupported (layer, error, "merge_mode \"%s\" is not supported; concat, sum, mul and ave are",
                                 mode != NULL ? mode : "none");
  if (!add_half (layer, forward, "forward", FALSE, &halves[0], error) ||
      !add_half (layer, backward != NULL ? backward : forward, "backward", backward == NULL, &halves[1], error))
    return FALSE;
  if (nn_graph_builder_node (layer->keras->builder, halves[1])->attrs.return_sequences)
    {
      /* its steps come last first */
      g_autofree char *name = g_strdup_printf ("%s__reversed", layer->node_name);

      node = nn_keras_add_node (layer, NN_OP_REVERSE, name, &halves[1], 1);
      node->attrs.axis = 0;
      halves[1] = layer->out;
      if (!nn_keras_shape (layer->keras, node, error))
        return FALSE;
    }
  node = nn_keras_add_node (layer, op, layer->node_name, halves, 2);
  node->attrs.axis = -1;
  return nn_keras_shape (layer->keras, node, error);
}
