/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functional Keras networks: layers that name the calls whose results they read, in any order. */

#include "nn-keras.h"

/* One reference to a tensor. */
typedef struct {
  const char *layer;
  gint64      call;
  gint64      tensor;
} Reference;

static gboolean
parse_reference (JsonNode  *node,
                 Reference *reference)
{
  JsonObject *object = nn_json_as_object (node);
  JsonArray *array = nn_json_as_array (node);

  if (object != NULL && g_strcmp0 (nn_json_string (object, "class_name"), "__keras_tensor__") == 0)
    array = nn_json_array (nn_json_object (object, "config"), "keras_history");
  if (array == NULL || json_array_get_length (array) < 3)
    return FALSE;
  reference->layer = nn_json_as_string (json_array_get_element (array, 0));
  return reference->layer != NULL && nn_json_as_int (json_array_get_element (array, 1), &reference->call) &&
         nn_json_as_int (json_array_get_element (array, 2), &reference->tensor) && reference->call >= 0 &&
         reference->tensor >= 0;
}

/* All references below @node, a list of them or a single one, in order; those of keyword arguments after those of the call itself. */
static void
collect_references (JsonNode *node,
                    GArray   *references)
{
  static const char *const keywords[] = { "query", "value", "key", "inputs", "x", "y" };
  Reference reference;
  JsonArray *array = nn_json_as_array (node);
  JsonObject *object = nn_json_as_object (node);

  if (parse_reference (node, &reference))
    {
      g_array_append_val (references, reference);
      if (array != NULL && json_array_get_length (array) > 3)
        collect_references (json_array_get_element (array, 3), references);
    }
  else if (array != NULL)
    for (guint i = 0; i < json_array_get_length (array); i++)
      collect_references (json_array_get_element (array, i), references);
  else if (object != NULL)
    {
      collect_references (nn_json_get (object, "args"), references);
      for (guint i = 0; i < G_N_ELEMENTS (keywords); i++)
        collect_references (nn_json_get (object, keywords[i]), references);
      collect_references (nn_json_get (object, "kwargs"), references);
    }
}

static guint
find_tensor (GHashTable      *tensors,
             const Reference *reference)
{
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT "/%s", reference->call,
                                         reference->tensor, reference->layer);

  return GPOINTER_TO_UINT (g_hash_table_lookup (tensors, id));
}

static void
set_tensor (GHashTable *tensors,
            const char *layer,
            guint       call,
            guint       tensor,
            guint       node)
{
  g_hash_table_insert (tensors, g_strdup_printf ("%u/%u/%s", call, tensor, layer),
                       GUINT_TO_POINTER (node >= NN_KERAS_LAST_STEP ? node : node + 1));
}

/* An output that is not had: a node that bears the layer's name, so that what stands before and beside it can be shown. */
static guint
stand_in (NnKeras         *keras,
          const Reference *reference,
          guint            first)
{
  const NnNode *layer = nn_graph_builder_node (keras->builder, first);
  g_autofree char *name = g_strdup_printf ("%s__output%" G_GINT64_FORMAT, layer->name, reference->tensor);
  g_autofree char *reason = g_strdup_printf ("output %" G_GINT64_FORMAT " of the layer \"%s\" (%s) is not supported", reference->tensor,
                                             layer->name, layer->class_name);
  NnNode *node = nn_graph_builder_add (keras->builder, NN_OP_UNSUPPORTED, name, layer->class_name, &first, 1);

  node->reason = nn_graph_builder_strdup (keras->builder, reason);
  node->shape = NN_SHAPE (NN_DIM_UNKNOWN);
  return nn_graph_builder_n_nodes (keras->builder) - 1;
}

/* The state in which a recurrent layer ends, where it gives every step: the last of them. %NN_KERAS_NO_OUTPUT where their number is open. */
static guint
last_step (NnKeras *keras,
           guint    sequence)
{
  const NnNode *layer = nn_graph_builder_node (keras->builder, sequence);
  g_autofree char *sliced = g_strdup_printf ("%s__last", layer->name), *name = g_strdup_printf ("%s__state", layer->name);
  const NnShape shape = layer->shape;
  guint slice;
  NnNode *node;

  if (shape.rank != 2 || shape.dims[0] < 1)
    return NN_KERAS_NO_OUTPUT;
  node = nn_graph_builder_add (keras->builder, NN_OP_SLICE, sliced, "Slice", &sequence, 1);
  node->attrs.begin = shape.dims[0] - 1;
  node->attrs.end = shape.dims[0];
  node->attrs.step = 1;
  node->shape = NN_SHAPE (1, shape.dims[1]);
  slice = nn_graph_builder_n_nodes (keras->builder) - 1;
  node = nn_graph_builder_add (keras->builder, NN_OP_FLATTEN, name, "Flatten", &slice, 1);
  node->shape = NN_SHAPE (shape.dims[1]);
  return slice + 1;
}

/* As find_tensor(), with a node put in for an output that Keras's layer has and Espalier's has not. */
static guint
use_tensor (NnKeras         *keras,
            GHashTable      *tensors,
            const Reference *reference)
{
  const Reference first = { reference->layer, reference->call, 0 };
  guint node = find_tensor (tensors, reference), layer = find_tensor (tensors, &first);
  gboolean missing = node == 0 && layer != 0 && !keras->options->strict &&
                     nn_graph_builder_node (keras->builder, layer - 1)->op == NN_OP_UNSUPPORTED;

  if (!missing && node < NN_KERAS_LAST_STEP)
    return node;
  node = node == NN_KERAS_LAST_STEP ? last_step (keras, layer - 1) : NN_KERAS_NO_OUTPUT;
  if (node == NN_KERAS_NO_OUTPUT && keras->options->strict)
    return 0;
  if (node == NN_KERAS_NO_OUTPUT)
    node = stand_in (keras, reference, layer - 1);
  set_tensor (tensors, reference->layer, (guint) reference->call, (guint) reference->tensor, node);
  return node + 1;
}

/* One call of a functional model's layer, waiting for its inputs. */
typedef struct {
  JsonObject *json;
  const char *key;
  guint       call;
  JsonNode   *inbound;
  GArray     *references;
  gboolean    done;
} Call;

static void
clear_call (gpointer data)
{
  Call *call = data;

  g_array_unref (call->references);
}

static gboolean
list_calls (NnKeras    *keras,
            JsonArray  *layers,
            GArray     *calls,
            GError    **error)
{
  for (guint i = 0; i < json_array_get_length (layers); i++)
    {
      JsonObject *json = nn_json_as_object (json_array_get_element (layers, i));
      JsonArray *inbound = nn_json_array (json, "inbound_nodes");
      const char *key;

      if (!nn_keras_check_layer (keras, json, error))
        return FALSE;
      key = nn_json_string (json, "name") != NULL ? nn_json_string (json, "name") : nn_keras_layer_key (json);
      if (key == NULL)
        return nn_keras_bad_file (keras, "?", "a layer has no name", error);
      if (inbound == NULL || json_array_get_length (inbound) == 0)
        {
          Call call = { json, key, 0, NULL, g_array_new (FALSE, FALSE, sizeof (Reference)), FALSE };

          g_array_append_val (calls, call);
          continue;
        }
      for (guint k = 0; k < json_array_get_length (inbound); k++)
        {
          Call call = { json, key, k, json_array_get_element (inbound, k), g_array_new (FALSE, FALSE, sizeof (Reference)), FALSE };

          collect_references (json_array_get_element (inbound, k), call.references);
          g_array_append_val (calls, call);
        }
    }
  return TRUE;
}

static gboolean
run_call (NnKeras            *keras,
          const NnKerasModel *model,
          Call               *call,
          GHashTable         *tensors,
          gboolean           *ready,
          GError            **error)
{
  g_autofree guint *inputs = g_new (guint, call->references->len + 1);
  g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE, sizeof (guint));
  guint n = call->references->len;

  *ready = TRUE;
  for (guint i = 0; i < n; i++)
    {
      guint node = use_tensor (keras, tensors, &g_array_index (call->references, Reference, i));

      if (node == 0)
        {
          *ready = FALSE;
          return TRUE;
        }
      inputs[i] = node - 1;
    }
  if (nn_keras_is_model (nn_keras_plain_class (nn_json_string (call->json, "class_name"))))
    {
      if (!nn_keras_add_nested (keras, model, call->call, call->key,
                                &(NnKerasModel){ .json = call->json, .inputs = inputs, .n_inputs = n, .outputs = outputs }, error))
        return FALSE;
    }
  else if (!nn_keras_add_layer (keras, model->scope, call->json, call->key, call->call, call->inbound, inputs, n, outputs, error))
    return FALSE;
  for (guint i = 0; i < outputs->len; i++)
    set_tensor (tensors, call->key, call->call, i, g_array_index (outputs, guint, i));
  return TRUE;
}

/* Its own inputs, or the nodes that a nested model is given. */
static gboolean
place_inputs (NnKeras            *keras,
              const NnKerasModel *model,
              GArray             *calls,
              GHashTable         *tensors,
              GError            **error)
{
  JsonObject *config = nn_json_object (model->json, "config");
  const char *name = nn_json_string (config, "name") != NULL ? nn_json_string (config, "name") : "Model";
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (Reference));

  collect_references (nn_json_get (config, "input_layers"), ends);
  if (ends->len == 0)
    return nn_keras_bad_file (keras, name, "it has no \"input_layers\"", error);
  if (model->inputs != NULL && ends->len != model->n_inputs)
    return nn_keras_bad_file (keras, name, "it is given another number of inputs than it has", error);
  for (guint i = 0; i < ends->len; i++)
    {
      const Reference *end = &g_array_index (ends, Reference, i);
      gboolean found = FALSE;

      for (guint k = 0; !found && k < calls->len; k++)
        {
          Call *call = &g_array_index (calls, Call, k);
          guint node = 0;

          if (call->done || !g_str_equal (call->key, end->layer))
            continue;
          if (model->inputs != NULL)
            node = model->inputs[i];
          else if (!nn_keras_add_input (keras, model->scope, call->key, nn_json_object (call->json, "config"), &node, error))
            return FALSE;
          set_tensor (tensors, call->key, 0, 0, node);
          call->done = found = TRUE;
        }
      if (!found)
        return nn_keras_bad_file (keras, end->layer, "\"input_layers\" names it, but there is no such layer", error);
    }
  return TRUE;
}

/* Each as soon as its inputs are there, until nothing more comes of it. */
static gboolean
run_calls (NnKeras            *keras,
           const NnKerasModel *model,
           GArray             *calls,
           GHashTable         *tensors,
           GError            **error)
{
  gboolean progress = TRUE;

  while (progress)
    {
      progress = FALSE;
      for (guint i = 0; i < calls->len; i++)
        {
          Call *call = &g_array_index (calls, Call, i);
          gboolean ready;

          if (call->done || call->references->len == 0)
            continue;
          if (!run_call (keras, model, call, tensors, &ready, error))
            return FALSE;
          if (ready)
            call->done = progress = TRUE;
        }
    }
  /* layers that nothing leads to are not part of the network, unless an output needs them */
  return TRUE;
}

/* Numbered files count classes in the order of the list, not of the calls. */
static void
reserve_numbers (NnKeras            *keras,
                 const NnKerasScope *scope,
                 GArray             *calls)
{
  if (!keras->numbered)
    return;
  for (guint i = 0; i < calls->len; i++)
    {
      Call *call = &g_array_index (calls, Call, i);
      g_autofree char *snake = NULL, *order = NULL;
      guint count;

      if (call->call > 0)
        continue;
      snake = nn_keras_snake_case (nn_keras_plain_class (nn_json_string (call->json, "class_name")));
      count = GPOINTER_TO_UINT (g_hash_table_lookup (scope->used, snake));
      order = g_strdup_printf ("=%s", call->key);
      g_hash_table_insert (scope->used, g_steal_pointer (&order), GUINT_TO_POINTER (count + 1));
      g_hash_table_insert (scope->used, g_steal_pointer (&snake), GUINT_TO_POINTER (count + 1));
    }
}

/* Why a layer never got its inputs: one of them is not there, or they wait for each other. */
static gboolean
tell_unconnected (NnKeras    *keras,
                  GArray     *calls,
                  GHashTable *tensors,
                  const char *wanted,
                  GError    **error)
{
  g_autofree char *what = NULL;

  for (guint i = 0; i < calls->len; i++)
    {
      const Call *call = &g_array_index (calls, Call, i);

      for (guint k = 0; !call->done && k < call->references->len; k++)
        {
          const Reference *reference = &g_array_index (call->references, Reference, k);
          gboolean waits = FALSE;

          for (guint m = 0; m < calls->len; m++)
            waits |= !g_array_index (calls, Call, m).done && g_str_equal (g_array_index (calls, Call, m).key, reference->layer) &&
                     g_array_index (calls, Call, m).references->len > 0;
          if (waits || find_tensor (tensors, reference) > 0)
            continue;
          what = g_strdup_printf ("it reads output %" G_GINT64_FORMAT " of call %" G_GINT64_FORMAT " of the layer \"%s\", which there is not",
                                  reference->tensor, reference->call, reference->layer);
          return nn_keras_bad_file (keras, call->key, what, error);
        }
    }
  for (guint i = 0; i < calls->len; i++)
    if (!g_array_index (calls, Call, i).done && g_array_index (calls, Call, i).references->len > 0)
      return nn_keras_bad_file (keras, g_array_index (calls, Call, i).key, "it waits for its own output: its \"inbound_nodes\" go in a circle", error);
  return nn_keras_bad_file (keras, wanted, "an output names it, but there is no such layer, no such output of it, or nothing leads to it (\"inbound_nodes\" is empty)",
                            error);
}

gboolean
nn_keras_build_functional (NnKeras            *keras,
                           const NnKerasModel *model,
                           GError            **error)
{
  JsonObject *config = nn_json_object (model->json, "config");
  JsonArray *layers = nn_json_array (config, "layers");
  g_autoptr (GArray) calls = g_array_new (FALSE, FALSE, sizeof (Call));
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (Reference));
  g_autoptr (GHashTable) tensors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_array_set_clear_func (calls, clear_call);
  if (layers == NULL)
    return nn_keras_bad_file (keras, "Model", "it has no \"layers\"", error);
  keras->n_layers += json_array_get_length (layers);
  if (!list_calls (keras, layers, calls, error))
    return FALSE;
  reserve_numbers (keras, model->scope, calls);
  if (!place_inputs (keras, model, calls, tensors, error) || !run_calls (keras, model, calls, tensors, error))
    return FALSE;
  collect_references (nn_json_get (config, "output_layers"), ends);
  if (ends->len == 0)
    return nn_keras_bad_file (keras, "Model", "it has no \"output_layers\"", error);
  for (guint i = 0; i < ends->len; i++)
    {
      const Reference *end = &g_array_index (ends, Reference, i);
      guint node = use_tensor (keras, tensors, end);

      if (node == 0)
        return tell_unconnected (keras, calls, tensors, end->layer, error);
      g_array_append_val (model->outputs, (guint){ node - 1 });
    }
  return TRUE;
}
