/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The topology of a Keras network: sequential, functional, nested, shared; as one flat graph. */

#include "nn-keras.h"

#include "nn-error.h"
#include "nn-infer-shape.h"

#include <string.h>

/* Models within models deeper than this are not networks but attacks. */
#define MAX_NESTING 16

static gboolean
is_model_class (const char *name)
{
  return g_str_equal (name, "Sequential") || g_str_equal (name, "Model") || g_str_equal (name, "Functional");
}

/* A model used as a layer: its layers, under names that tell where they are. */
static gboolean
add_nested (NnKeras            *keras,
            const NnKerasScope *scope,
            JsonObject         *json,
            const char         *key,
            guint               call,
            const guint        *inputs,
            guint               n_inputs,
            GArray             *outputs,
            guint               depth,
            GError            **error)
{
  g_autofree char *suffix = call > 0 ? g_strdup_printf ("__node%u%s", call, scope->suffix != NULL ? scope->suffix : "") : g_strdup (scope->suffix);
  g_autofree char *prefix = g_strdup_printf ("%s%s__", scope->prefix, key);
  g_autofree char *group = NULL, *container = NULL;
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) vars = NULL;
  NnKerasScope inner = *scope;
  gboolean ok;

  vars = nn_keras_vars (keras, scope, nn_keras_plain_class (nn_json_string (json, "class_name")), key, &group, error);
  if (vars == NULL)
    return FALSE;
  inner.prefix = prefix;
  inner.suffix = suffix;
  inner.vars = vars;
  if (keras->numbered)
    {
      g_autofree char *layers = g_strdup_printf ("%s/layers", group);

      container = nn_h5_is_group (keras->h5, layers) ? g_steal_pointer (&layers)
                                                     : g_strdup_printf ("%s/_layer_checkpoint_dependencies", group);
      inner.container = container;
      inner.vars = NULL;
      inner.used = used;
    }
  ok = nn_keras_build_model (keras, json, &inner, inputs, n_inputs, outputs, depth + 1, error);
  return ok;
}

/* The batch axis left out. */
static gboolean
read_batch_shape (JsonObject *config,
                  NnShape    *shape)
{
  static const char *const names[] = { "batch_input_shape", "batch_shape", "build_input_shape" };
  JsonArray *dims = NULL;
  gint64 input_dim;

  for (guint i = 0; dims == NULL && i < G_N_ELEMENTS (names); i++)
    dims = nn_json_array (config, names[i]);
  if (dims == NULL && nn_json_int (config, "input_dim", &input_dim) && input_dim > 0)
    {
      *shape = NN_SHAPE (input_dim);
      return TRUE;
    }
  /* several inputs: each has its own */
  if (dims == NULL || json_array_get_length (dims) < 1 || json_array_get_length (dims) > NN_MAX_RANK)
    return FALSE;
  shape->rank = 0;
  for (guint i = 1; i < json_array_get_length (dims); i++)
    {
      gint64 d = NN_DIM_UNKNOWN;

      if (!JSON_NODE_HOLDS_NULL (json_array_get_element (dims, i)) &&
          (!nn_json_as_int (json_array_get_element (dims, i), &d) || d < 1 || d > G_MAXINT32))
        return FALSE;
      shape->dims[shape->rank++] = d;
    }
  return TRUE;
}

static gboolean
add_input (NnKeras            *keras,
           const NnKerasScope *scope,
           const char         *key,
           JsonObject         *config,
           guint              *result,
           GError            **error)
{
  g_autofree char *name = g_strconcat (scope->prefix, key, NULL);
  NnShape shape = { 0 };
  NnNode *node;

  if (!read_batch_shape (config, &shape))
    return nn_keras_bad_file (keras, name, "\"batch_input_shape\" or \"batch_shape\" is missing, or no list of null and positive extents",
                              error);
  node = nn_graph_builder_add (keras->builder, NN_OP_INPUT, name, "InputLayer", NULL, 0);
  node->shape = shape;
  if (!nn_infer_shape (node, NULL, error))
    return FALSE;
  *result = nn_graph_builder_n_nodes (keras->builder) - 1;
  return TRUE;
}

static const char *
layer_key (JsonObject *json)
{
  const char *name = nn_json_string (nn_json_object (json, "config"), "name");

  return name != NULL ? name : nn_json_string (json, "name");
}

static gboolean
check_layer (NnKeras     *keras,
             JsonObject  *json,
             GError     **error)
{
  if (json == NULL || nn_json_string (json, "class_name") == NULL || nn_json_object (json, "config") == NULL ||
      ((layer_key (json) == NULL || layer_key (json)[0] == '\0') && !is_model_class (nn_json_string (json, "class_name"))))
    return nn_keras_bad_file (keras, layer_key (json) != NULL ? layer_key (json) : "?",
                              "a layer needs \"class_name\" and \"config\" with a \"name\"", error);
  return TRUE;
}

/* One layer of a sequential model. @at: (inout): the node before it and its own. */
static gboolean
add_step (NnKeras            *keras,
          const NnKerasScope *scope,
          JsonObject         *json,
          guint              *at,
          guint               depth,
          GError            **error)
{
  g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE, sizeof (guint));
  gboolean nested = is_model_class (nn_keras_plain_class (nn_json_string (json, "class_name")));

  if (nested ? !add_nested (keras, scope, json, layer_key (json), 0, at, 1, outputs, depth, error)
             : !nn_keras_add_layer (keras, scope, json, layer_key (json), 0, NULL, at, 1, outputs, error))
    return FALSE;
  if (outputs->len != 1)
    return nn_keras_bad_file (keras, layer_key (json), "in a Sequential model a layer must have one output", error);
  *at = g_array_index (outputs, guint, 0);
  return TRUE;
}

static gboolean
build_sequential (NnKeras            *keras,
                  JsonObject         *model,
                  const NnKerasScope *scope,
                  const guint        *inputs,
                  guint               n_inputs,
                  GArray             *outputs,
                  guint               depth,
                  GError            **error)
{
  JsonNode *config = nn_json_get (model, "config");
  JsonArray *layers = nn_json_as_array (config);
  guint n, at = 0, first = 0;

  if (layers == NULL)
    layers = nn_json_array (nn_json_as_object (config), "layers");
  n = layers != NULL ? json_array_get_length (layers) : 0;
  if (n == 0)
    return nn_keras_bad_file (keras, "Sequential", "it has no \"layers\"", error);
  keras->n_layers += n;
  for (guint i = 0; i < n; i++)
    {
      JsonObject *json = nn_json_as_object (json_array_get_element (layers, i));
      const char *class_name;

      if (!check_layer (keras, json, error))
        return FALSE;
      class_name = nn_json_string (json, "class_name");
      if (i == 0 && inputs != NULL)
        at = inputs[0];
      if (g_str_equal (class_name, "InputLayer") && i == 0)
        {
          first = 1;
          if (inputs == NULL && !add_input (keras, scope, layer_key (json), nn_json_object (json, "config"), &at, error))
            return FALSE;
          if (keras->numbered)
            g_hash_table_insert (scope->used, g_strdup ("input_layer"), GUINT_TO_POINTER (1));
          continue;
        }
      if (i == 0 && inputs == NULL)
        {
          JsonObject *inner = nn_json_object (json, "config");
          g_autofree char *name = g_strdup_printf ("%s_input", layer_key (json));
          NnShape shape;

          /* the first layer's, its wrapped layer's, or the whole network's */
          for (guint k = 0; k < MAX_NESTING && !read_batch_shape (inner, &shape); k++)
            {
              JsonArray *deeper = nn_json_array (inner, "layers");

              inner = deeper != NULL && json_array_get_length (deeper) > 0
                        ? nn_json_object (nn_json_as_object (json_array_get_element (deeper, 0)), "config")
                        : nn_json_object (nn_json_object (inner, "layer"), "config");
              if (inner == NULL)
                break;
            }
          if (inner == NULL)
            inner = nn_json_as_object (config);
          if (!add_input (keras, scope, name, inner, &at, error))
            return FALSE;
        }
      if (!add_step (keras, scope, json, &at, depth, error))
        return FALSE;
    }
  if (n == first)
    return nn_keras_bad_file (keras, "Sequential", "it has no layers but its input", error);
  g_array_append_val (outputs, at);
  return TRUE;
}

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

/* All references below @node, in order; those of keyword arguments after those of the call itself. */
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

      if (!check_layer (keras, json, error))
        return FALSE;
      key = nn_json_string (json, "name") != NULL ? nn_json_string (json, "name") : layer_key (json);
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
          const NnKerasScope *scope,
          Call               *call,
          GHashTable         *tensors,
          guint               depth,
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
  if (is_model_class (nn_keras_plain_class (nn_json_string (call->json, "class_name"))))
    {
      if (!add_nested (keras, scope, call->json, call->key, call->call, inputs, n, outputs, depth, error))
        return FALSE;
    }
  else if (!nn_keras_add_layer (keras, scope, call->json, call->key, call->call, call->inbound, inputs, n, outputs, error))
    return FALSE;
  for (guint i = 0; i < outputs->len; i++)
    set_tensor (tensors, call->key, call->call, i, g_array_index (outputs, guint, i));
  return TRUE;
}

/* References of `input_layers` and `output_layers`: a list of them, or a single one. */
static void
list_ends (JsonNode *node,
           GArray   *references)
{
  collect_references (node, references);
}

static gboolean
place_inputs (NnKeras            *keras,
              const NnKerasScope *scope,
              JsonObject         *config,
              GArray             *calls,
              GHashTable         *tensors,
              const guint        *inputs,
              guint               n_inputs,
              GError            **error)
{
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (Reference));

  list_ends (nn_json_get (config, "input_layers"), ends);
  if (ends->len == 0)
    return nn_keras_bad_file (keras, nn_json_string (config, "name") != NULL ? nn_json_string (config, "name") : "Model",
                              "it has no \"input_layers\"", error);
  if (inputs != NULL && ends->len != n_inputs)
    return nn_keras_bad_file (keras, nn_json_string (config, "name") != NULL ? nn_json_string (config, "name") : "Model",
                              "it is given another number of inputs than it has", error);
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
          if (inputs != NULL)
            node = inputs[i];
          else if (!add_input (keras, scope, call->key, nn_json_object (call->json, "config"), &node, error))
            return FALSE;
          set_tensor (tensors, call->key, 0, 0, node);
          call->done = found = TRUE;
        }
      if (!found)
        return nn_keras_bad_file (keras, end->layer, "\"input_layers\" names it, but there is no such layer", error);
    }
  return TRUE;
}

static gboolean
run_calls (NnKeras            *keras,
           const NnKerasScope *scope,
           GArray             *calls,
           GHashTable         *tensors,
           guint               depth,
           GError            **error)
{
  gboolean progress = TRUE;
  guint left = 0;

  while (progress)
    {
      progress = FALSE;
      left = 0;
      for (guint i = 0; i < calls->len; i++)
        {
          Call *call = &g_array_index (calls, Call, i);
          gboolean ready;

          if (call->done)
            continue;
          left++;
          if (call->references->len == 0)
            continue;
          if (!run_call (keras, scope, call, tensors, depth, &ready, error))
            return FALSE;
          if (ready)
            {
              call->done = progress = TRUE;
              left--;
            }
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

static gboolean
build_functional (NnKeras            *keras,
                  JsonObject         *model,
                  const NnKerasScope *scope,
                  const guint        *inputs,
                  guint               n_inputs,
                  GArray             *outputs,
                  guint               depth,
                  GError            **error)
{
  JsonObject *config = nn_json_object (model, "config");
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
  reserve_numbers (keras, scope, calls);
  if (!place_inputs (keras, scope, config, calls, tensors, inputs, n_inputs, error) ||
      !run_calls (keras, scope, calls, tensors, depth, error))
    return FALSE;
  list_ends (nn_json_get (config, "output_layers"), ends);
  if (ends->len == 0)
    return nn_keras_bad_file (keras, "Model", "it has no \"output_layers\"", error);
  for (guint i = 0; i < ends->len; i++)
    {
      const Reference *end = &g_array_index (ends, Reference, i);
      guint node = use_tensor (keras, tensors, end);

      if (node == 0)
        return tell_unconnected (keras, calls, tensors, end->layer, error);
      g_array_append_val (outputs, (guint){ node - 1 });
    }
  return TRUE;
}

gboolean
nn_keras_build_model (NnKeras            *keras,
                      JsonObject         *model,
                      const NnKerasScope *scope,
                      const guint        *inputs,
                      guint               n_inputs,
                      GArray             *outputs,
                      guint               depth,
                      GError            **error)
{
  const char *class_name = nn_json_string (model, "class_name");

  if (class_name == NULL || depth > MAX_NESTING)
    return nn_keras_bad_file (keras, scope->prefix[0] != '\0' ? scope->prefix : "Model",
                              class_name == NULL ? "the network has no \"class_name\"" : "models are nested too deep",
                              error);
  class_name = nn_keras_plain_class (class_name);
  if (g_str_equal (class_name, "Sequential"))
    return build_sequential (keras, model, scope, inputs, n_inputs, outputs, depth, error);
  /* a subclass of Model that was built functionally has the same configuration */
  if (is_model_class (class_name) || nn_json_array (nn_json_object (model, "config"), "input_layers") != NULL)
    return build_functional (keras, model, scope, inputs, n_inputs, outputs, depth, error);
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
               "%s: the network is of the class \"%s\", whose layers are in its Python code; Sequential and Functional networks are "
               "supported: build it by Model (inputs, outputs), or export it as ONNX", keras->file,
               class_name);
  return FALSE;
}
