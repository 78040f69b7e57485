/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers whose channels come first (`channels_first`). They are computed with channels last. What such a layer gives is noted as
 * turned, and is put back by a permutation only where a layer or an output of the network asks for the file's order, so that a
 * chain of such layers has one permutation before it and one after it. */

#include "nn-keras.h"

#include <string.h>

/* Layers that work number by number: the order of the axes is nothing to them. */
static const char *const pointwise[] = {
  "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "Identity",
  "LeakyReLU", "Maximum", "Minimum", "Multiply", "QActivation", "ReLU", "Subtract", "ThresholdedReLU",
};

static guint
insert_permute (NnKeras     *keras,
                guint        input,
                gboolean     to_last,
                const char  *name)
{
  const NnShape shape = nn_graph_builder_node (keras->builder, input)->shape;
  NnNode *node = nn_graph_builder_add (keras->builder, NN_OP_PERMUTE, name, "Permute", &input, 1);

  node->shape.rank = shape.rank;
  for (guint i = 0; i < shape.rank; i++)
    {
      node->attrs.perm[i] = (to_last ? i + 1 : i + shape.rank - 1) % shape.rank;
      node->shape.dims[i] = shape.dims[node->attrs.perm[i]];
    }
  return nn_graph_builder_n_nodes (keras->builder) - 1;
}

/* Whether the node's output lies with channels last where the file has them first. */
static gboolean
is_turned (NnKeras *keras,
           guint    node)
{
  return g_hash_table_contains (keras->turned, GUINT_TO_POINTER (node));
}

/**
 * nn_keras_turn_back:
 * @node: of the graph
 *
 * Returns: the node that gives the same in the file's order of axes: itself, or a permutation after it
 */
guint
nn_keras_turn_back (NnKeras *keras,
                    guint    node)
{
  guint back = GPOINTER_TO_UINT (g_hash_table_lookup (keras->turned, GUINT_TO_POINTER (node)));
  g_autofree char *name = NULL;

  if (!is_turned (keras, node))
    return node;
  /* nothing can be before node 0, which is an input and never turned */
  if (back == 0)
    {
      name = g_strdup_printf ("%s__channels_first", nn_graph_builder_node (keras->builder, node)->name);
      back = insert_permute (keras, node, FALSE, name);
      g_hash_table_insert (keras->turned, GUINT_TO_POINTER (node), GUINT_TO_POINTER (back));
    }
  return back;
}

void
nn_keras_note_turned (NnKeras *keras,
                      guint    node)
{
  if (!is_turned (keras, node))
    g_hash_table_insert (keras->turned, GUINT_TO_POINTER (node), NULL);
}

static gboolean
is_pointwise (const char *class_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (pointwise); i++)
    if (g_str_equal (pointwise[i], class_name))
      return TRUE;
  return FALSE;
}

/* The one axis that @name tells is that of the channels, the first after the batch's. */
static gboolean
is_first_axis (JsonObject *config,
               const char *name,
               guint       rank)
{
  JsonNode *node = nn_json_get (config, name);
  JsonArray *array = nn_json_as_array (node);
  gint64 axis;

  if (array != NULL && json_array_get_length (array) == 1)
    node = json_array_get_element (array, 0);
  return node != NULL && nn_json_as_int (node, &axis) && (axis == 1 || axis == -(gint64) rank);
}

/* Softmax runs along the last axis of the file's order. */
static gboolean
has_softmax (JsonObject *config)
{
  const char *name = nn_json_string (config, "activation");

  return name != NULL && strstr (name, "softmax") != NULL;
}

static JsonObject *
copy_config (JsonObject *config)
{
  JsonObject *copy = json_object_new ();
  g_autoptr (GList) members = json_object_get_members (config);

  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (copy, l->data, json_node_copy (json_object_get_member (config, l->data)));
  return copy;
}

/* What a layer does with channels that come first. */
typedef enum {
  TURN_NOT,  /* it wants the order of the file */
  TURN_ALL,  /* it is computed with channels last and gives them so */
  TURN_AWAY, /* the same, but what it gives has no axes to turn */
} Turn;

static Turn
what_to_do (NnKeras     *keras,
            const char  *class_name,
            gboolean     hgq2,
            JsonObject  *config,
            const guint *inputs,
            guint        n_inputs)
{
  const char *format = nn_json_string (config, "data_format");
  guint rank = n_inputs > 0 ? nn_graph_builder_node (keras->builder, inputs[0])->shape.rank : 0;
  gboolean turned = n_inputs > 0;
  NnKerasReader reader;
  NnOp op;

  for (guint i = 0; i < n_inputs; i++)
    turned = turned && is_turned (keras, inputs[i]) && nn_graph_builder_node (keras->builder, inputs[i])->shape.rank == rank;
  if (format != NULL && g_str_equal (format, "channels_first") && rank >= 2 && !has_softmax (config) &&
      nn_keras_find_reader (class_name, hgq2, &op, &reader))
    return g_str_equal (class_name, "Flatten") || (g_str_has_prefix (class_name, "Global") && !nn_json_boolean (config, "keepdims", FALSE)) ||
               g_str_has_prefix (class_name, "QGlobal")
             ? TURN_AWAY
             : TURN_ALL;
  if (!turned || has_softmax (config))
    return TURN_NOT;
  if (is_pointwise (class_name))
    return TURN_ALL;
  if ((g_str_equal (class_name, "BatchNormalization") || g_str_equal (class_name, "QBatchNormalization") ||
       g_str_equal (class_name, "Concatenate")) &&
      is_first_axis (config, "axis", rank))
    return TURN_ALL;
  return TURN_NOT;
}

/**
 * nn_keras_turn:
 * @name: of the layer
 * @config: (inout): its configuration; replaced by a copy that tells channels last, where it is turned
 * @inputs: (inout) (array length=n_inputs): its inputs; turned, or turned back
 *
 * Returns: whether the layer's output will be turned: for nn_keras_note_turned()
 */
gboolean
nn_keras_turn (NnKeras      *keras,
               const char   *class_name,
               gboolean      hgq2,
               const char   *name,
               JsonObject  **config,
               guint        *inputs,
               guint         n_inputs)
{
  Turn turn = what_to_do (keras, class_name, hgq2, *config, inputs, n_inputs);
  JsonObject *copy;

  if (turn == TURN_NOT)
    {
      for (guint i = 0; i < n_inputs; i++)
        inputs[i] = nn_keras_turn_back (keras, inputs[i]);
      *config = json_object_ref (*config);
      return FALSE;
    }
  for (guint i = 0; i < n_inputs; i++)
    if (!is_turned (keras, inputs[i]))
      {
        g_autofree char *inserted = i == 0 ? g_strdup_printf ("%s__channels_last", name)
                                           : g_strdup_printf ("%s__channels_last%u", name, i);

        inputs[i] = insert_permute (keras, inputs[i], TRUE, inserted);
      }
  copy = copy_config (*config);
  if (json_object_has_member (copy, "data_format"))
    json_object_set_string_member (copy, "data_format", "channels_last");
  if (json_object_has_member (copy, "axis"))
    json_object_set_int_member (copy, "axis", -1);
  *config = copy;
  return turn == TURN_ALL;
}
