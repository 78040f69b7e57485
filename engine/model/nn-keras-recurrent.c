/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras's recurrent layers, one way and both ways. */

#include "nn-keras.h"

#include "nn-error.h"

#include <string.h>

/* Cells stacked higher than this are not networks but attacks. */
#define MAX_CELLS 64

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
  /* "stateful" keeps the state from call to call; within one it is the same */
  if (nn_json_boolean (config, "time_major", FALSE))
    return nn_keras_unsupported (layer, error, "\"time_major\" is not supported: the axes must be batch, steps, features");
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

static void
add_output (NnKerasLayer *layer,
            guint         node)
{
  g_array_append_val (layer->more, node);
}

/* The states that follow the output: of LSTM's two only the first is had. */
static void
add_states (NnKerasLayer *layer,
            JsonObject   *config,
            NnOp          op,
            guint         output)
{
  if (!nn_json_boolean (config, "return_state", FALSE))
    return;
  add_output (layer, nn_json_boolean (config, "return_sequences", FALSE) ? NN_KERAS_LAST_STEP : output);
  if (op == NN_OP_LSTM)
    add_output (layer, NN_KERAS_NO_OUTPUT);
}

gboolean
nn_keras_read_recurrent (NnKerasLayer  *layer,
                         GError       **error)
{
  if (!read_cell (layer, layer->config, layer->node, "cell", error))
    return FALSE;
  add_states (layer, layer->config, layer->node->op, layer->out);
  return TRUE;
}

static const struct {
  const char *class_name;
  NnOp        op;
} classes[] = {
  { "LSTM", NN_OP_LSTM },   { "GRU", NN_OP_GRU },   { "SimpleRNN", NN_OP_SIMPLE_RNN },
  { "QLSTM", NN_OP_LSTM },  { "QGRU", NN_OP_GRU },  { "QSimpleRNN", NN_OP_SIMPLE_RNN },
};

/* "LSTM" or "LSTMCell"; %NN_N_OPS where it is none of these. */
static NnOp
find_class (JsonObject *object,
            gboolean    cell)
{
  const char *class_name = nn_json_string (object, "class_name");

  if (class_name == NULL || nn_json_object (object, "config") == NULL)
    return NN_N_OPS;
  class_name = nn_keras_plain_class (class_name);
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    if (g_str_has_prefix (class_name, classes[i].class_name) &&
        g_str_equal (class_name + strlen (classes[i].class_name), cell ? "Cell" : ""))
      return classes[i].op;
  return NN_N_OPS;
}

/* The weights from @first on are those of one part of the layer, told apart by its name. */
static void
name_part (NnKerasLayer *layer,
           NnNode       *node,
           const char   *part,
           guint         first)
{
  for (guint i = first; layer->n_shared == 0 && i < layer->ids->len; i++)
    {
      NnWeight *weight = &g_array_index (layer->keras->weights, NnWeight, g_array_index (layer->ids, guint, i));
      g_autofree char *full = g_strdup_printf ("%s/%s", part, weight->name);

      weight->name = g_intern_string (full);
    }
  nn_graph_builder_weights (layer->keras->builder, node, &g_array_index (layer->ids, guint, first),
                            (layer->n_shared > 0 ? layer->shared_next : layer->ids->len) - first);
}

/* The half's node, its weights in it. */
static gboolean
add_half (NnKerasLayer  *layer,
          JsonObject    *wrapped,
          const char    *half,
          gboolean       reversed,
          guint         *result,
          GError       **error)
{
  JsonObject *config = nn_json_object (wrapped, "config");
  g_autofree char *name = g_strdup_printf ("%s__%s", layer->node_name, half);
  g_autofree char *sub = g_strdup_printf ("%s_layer/cell", half);
  guint first = layer->n_shared > 0 ? layer->shared_next : layer->ids->len;
  NnOp op = find_class (wrapped, FALSE);
  NnNode *node;

  if (op == NN_N_OPS)
    return nn_keras_unsupported (layer, error, "both ways, \"%s\" is not supported; LSTM, GRU and SimpleRNN are",
                                 nn_json_string (wrapped, "class_name") != NULL ? nn_json_string (wrapped, "class_name") : "?");
  node = nn_keras_add_node (layer, op, name, layer->inputs, 1);
  *result = layer->out;
  if (!read_cell (layer, config, node, sub, error))
    return FALSE;
  if (reversed)
    node->attrs.go_backwards = !node->attrs.go_backwards;
  name_part (layer, node, half, first);
  return nn_keras_shape (layer->keras, node, error);
}

/* The backward half's steps come last first. */
static gboolean
put_in_order (NnKerasLayer  *layer,
              guint         *half,
              GError       **error)
{
  g_autofree char *name = g_strdup_printf ("%s__reversed", layer->node_name);
  NnNode *node = nn_keras_add_node (layer, NN_OP_REVERSE, name, half, 1);

  node->attrs.axis = 0;
  *half = layer->out;
  return nn_keras_shape (layer->keras, node, error);
}

/* A node that is saved as a layer of its own. */
static void
stand_alone (NnKerasLayer *layer,
             guint         index)
{
  NnNode *node = nn_graph_builder_node (layer->keras->builder, index);

  node->origin = node->name;
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
  guint halves[2], ends[2];
  gboolean sequences;
  NnNode *node;

  for (guint i = 0; mode != NULL && i < G_N_ELEMENTS (merges); i++)
    if (g_str_equal (mode, merges[i].mode))
      op = merges[i].op;
  if (op == NN_N_OPS && mode != NULL)
    return nn_keras_unsupported (layer, error, "merge_mode \"%s\" is not supported; concat, sum, mul, ave and none are", mode);
  if (!add_half (layer, forward, "forward", FALSE, &halves[0], error) ||
      !add_half (layer, backward != NULL ? backward : forward, "backward", backward == NULL, &halves[1], error))
    return FALSE;
  ends[0] = halves[0];
  ends[1] = halves[1];
  sequences = nn_graph_builder_node (layer->keras->builder, halves[1])->attrs.return_sequences;
  if (sequences && !put_in_order (layer, &halves[1], error))
    return FALSE;
  if (mode == NULL)
    {
      for (guint i = 0; i < 2; i++)
        stand_alone (layer, ends[i]);
      stand_alone (layer, halves[1]);
      layer->remade = TRUE;
      layer->out = halves[0];
      add_output (layer, halves[1]);
    }
  for (guint i = 0; i < 2 && nn_json_boolean (nn_json_object (forward, "config"), "return_state", FALSE); i++)
    {
      add_output (layer, sequences ? NN_KERAS_NO_OUTPUT : ends[i]);
      if (nn_graph_builder_node (layer->keras->builder, ends[i])->op == NN_OP_LSTM)
        add_output (layer, NN_KERAS_NO_OUTPUT);
    }
  if (mode == NULL)
    return TRUE;
  node = nn_keras_add_node (layer, op, layer->node_name, halves, 2);
  node->attrs.axis = -1;
  return nn_keras_shape (layer->keras, node, error);
}

/* RNN (cell) and RNN (StackedRNNCells): as many recurrent layers, one after the other. */
gboolean
nn_keras_read_rnn (NnKerasLayer  *layer,
                   GError       **error)
{
  JsonObject *cell = nn_json_object (layer->config, "cell"), *stack = nn_json_object (cell, "config");
  JsonArray *cells = nn_json_array (stack, "cells");
  guint n = cells != NULL ? json_array_get_length (cells) : 1, input = layer->inputs[0];
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  layer->remade = TRUE;
  if (n < 1 || n > MAX_CELLS)
    return nn_keras_unsupported (layer, error, "1 to %d cells are supported", MAX_CELLS);
  for (guint i = 0; i < n; i++)
    {
      JsonObject *one = cells != NULL ? nn_json_as_object (json_array_get_element (cells, i)) : cell;
      NnOp op = find_class (one, TRUE);
      g_autofree char *name = i + 1 < n ? g_strdup_printf ("%s__cell%u", layer->node_name, i) : g_strdup (layer->node_name);
      g_autofree char *part = g_strdup_printf ("cell%u", i), *sub = NULL, *snake = NULL;
      guint first = layer->n_shared > 0 ? layer->shared_next : layer->ids->len, count;
      NnNode *node;

      if (op == NN_N_OPS)
        return nn_keras_unsupported (layer, error, "the cell \"%s\" is not supported; LSTMCell, GRUCell and SimpleRNNCell are",
                                     nn_json_string (one, "class_name") != NULL ? nn_json_string (one, "class_name") : "?");
      snake = nn_keras_snake_case (nn_keras_plain_class (nn_json_string (one, "class_name")));
      count = GPOINTER_TO_UINT (g_hash_table_lookup (used, snake));
      sub = cells == NULL ? g_strdup ("cell") : count == 0 ? g_strdup_printf ("cell/cells/%s", snake)
                                                           : g_strdup_printf ("cell/cells/%s_%u", snake, count);
      g_hash_table_insert (used, g_steal_pointer (&snake), GUINT_TO_POINTER (count + 1));
      node = nn_keras_add_node (layer, op, name, &input, 1);
      stand_alone (layer, layer->out);
      layer->in = &nn_graph_builder_node (layer->keras->builder, input)->shape;
      input = layer->out;
      if (!read_cell (layer, nn_json_object (one, "config"), node, sub, error))
        return FALSE;
      node->attrs.return_sequences = i + 1 < n || nn_json_boolean (layer->config, "return_sequences", FALSE);
      node->attrs.go_backwards = i == 0 && nn_json_boolean (layer->config, "go_backwards", FALSE);
      name_part (layer, node, part, first);
      if (!nn_keras_shape (layer->keras, node, error))
        return FALSE;
    }
  if (nn_json_boolean (layer->config, "return_state", FALSE))
    for (guint i = 0; i < 2 * n; i++)
      add_output (layer, NN_KERAS_NO_OUTPUT);
  return TRUE;
}
