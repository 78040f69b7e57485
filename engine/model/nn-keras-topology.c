/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The topology of a Keras network as one flat graph: models of models, their inputs, and layers one after another. */

#include "nn-keras.h"

#include "nn-error.h"
#include "nn-infer-shape.h"

/* Models within models deeper than this are not networks but attacks. */
#define MAX_NESTING 16

gboolean
nn_keras_is_model (const char *name)
{
  return g_str_equal (name, "Sequential") || g_str_equal (name, "Model") || g_str_equal (name, "Functional");
}

/**
 * nn_keras_add_nested:
 * @outer: the model that uses it as a layer
 * @call: how many calls of it there were before
 * @key: of the layer that it is
 * @model: without scope and depth
 *
 * The layers of a model within a model, under names that tell where they are.
 */
gboolean
nn_keras_add_nested (NnKeras            *keras,
                     const NnKerasModel *outer,
                     guint               call,
                     const char         *key,
                     const NnKerasModel *model,
                     GError            **error)
{
  const NnKerasScope *scope = outer->scope;
  g_autofree char *suffix = call > 0 ? g_strdup_printf ("__node%u%s", call, scope->suffix != NULL ? scope->suffix : "") : g_strdup (scope->suffix);
  g_autofree char *prefix = g_strdup_printf ("%s%s__", scope->prefix, key);
  g_autofree char *group = NULL, *container = NULL;
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) vars = NULL;
  NnKerasScope inner = *scope;
  NnKerasModel nested = *model;

  vars = nn_keras_vars (keras, scope, nn_keras_plain_class (nn_json_string (model->json, "class_name")), key, &group, error);
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
  nested.scope = &inner;
  nested.depth = outer->depth + 1;
  return nn_keras_build_model (keras, &nested, error);
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

gboolean
nn_keras_add_input (NnKeras            *keras,
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

const char *
nn_keras_layer_key (JsonObject *json)
{
  const char *name = nn_json_string (nn_json_object (json, "config"), "name");

  return name != NULL ? name : nn_json_string (json, "name");
}

gboolean
nn_keras_check_layer (NnKeras     *keras,
                      JsonObject  *json,
                      GError     **error)
{
  if (json == NULL || nn_json_string (json, "class_name") == NULL || nn_json_object (json, "config") == NULL ||
      ((nn_keras_layer_key (json) == NULL || nn_keras_layer_key (json)[0] == '\0') && !nn_keras_is_model (nn_json_string (json, "class_name"))))
    return nn_keras_bad_file (keras, nn_keras_layer_key (json) != NULL ? nn_keras_layer_key (json) : "?",
                              "a layer needs \"class_name\" and \"config\" with a \"name\"", error);
  return TRUE;
}

static gboolean
is_input (JsonObject *json)
{
  return g_str_equal (nn_json_string (json, "class_name"), "InputLayer");
}

/* The configuration that tells the shape of what @layer reads: its own, its wrapped layer's, its model's; otherwise @whole. */
static JsonObject *
find_batch_shape (JsonObject *layer,
                  JsonObject *whole)
{
  NnShape shape;

  for (guint i = 0; i < MAX_NESTING && layer != NULL && !read_batch_shape (layer, &shape); i++)
    {
      JsonArray *deeper = nn_json_array (layer, "layers");

      layer = deeper != NULL && json_array_get_length (deeper) > 0
                ? nn_json_object (nn_json_as_object (json_array_get_element (deeper, 0)), "config")
                : nn_json_object (nn_json_object (layer, "layer"), "config");
    }
  return layer != NULL ? layer : whole;
}

/* What the first layer reads, in @at: the input that it is, what the model is given, or an input of the shape that it tells. */
static gboolean
begin_sequential (NnKeras            *keras,
                  const NnKerasModel *model,
                  JsonObject         *first,
                  guint              *at,
                  GError            **error)
{
  JsonObject *config = nn_json_object (first, "config");
  g_autofree char *name = NULL;

  if (model->inputs != NULL)
    {
      *at = model->inputs[0];
      return TRUE;
    }
  if (is_input (first))
    return nn_keras_add_input (keras, model->scope, nn_keras_layer_key (first), config, at, error);
  name = g_strdup_printf ("%s_input", nn_keras_layer_key (first));
  return nn_keras_add_input (keras, model->scope, name, find_batch_shape (config, nn_json_object (model->json, "config")), at, error);
}

/* The layer or model @json after the node @at, which becomes its last. */
static gboolean
add_next (NnKeras            *keras,
          const NnKerasModel *model,
          JsonObject         *json,
          guint              *at,
          GError            **error)
{
  const char *key = nn_keras_layer_key (json);
  g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE, sizeof (guint));
  const NnKerasModel inner = { .json = json, .inputs = at, .n_inputs = 1, .outputs = outputs };
  gboolean nested = nn_keras_is_model (nn_keras_plain_class (nn_json_string (json, "class_name")));

  if (nested ? !nn_keras_add_nested (keras, model, 0, key, &inner, error)
             : !nn_keras_add_layer (keras, model->scope, json, key, 0, NULL, at, 1, outputs, error))
    return FALSE;
  if (outputs->len != 1)
    return nn_keras_bad_file (keras, key, "in a Sequential model a layer must have one output", error);
  *at = g_array_index (outputs, guint, 0);
  return TRUE;
}

static gboolean
build_sequential (NnKeras            *keras,
                  const NnKerasModel *model,
                  GError            **error)
{
  JsonNode *config = nn_json_get (model->json, "config");
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

      if (!nn_keras_check_layer (keras, json, error) || (i == 0 && !begin_sequential (keras, model, json, &at, error)))
        return FALSE;
      if (i == 0 && is_input (json))
        {
          first = 1;
          if (keras->numbered)
            g_hash_table_insert (model->scope->used, g_strdup ("input_layer"), GUINT_TO_POINTER (1));
        }
      else if (!add_next (keras, model, json, &at, error))
        return FALSE;
    }
  if (n == first)
    return nn_keras_bad_file (keras, "Sequential", "it has no layers but its input", error);
  g_array_append_val (model->outputs, at);
  return TRUE;
}

gboolean
nn_keras_build_model (NnKeras            *keras,
                      const NnKerasModel *model,
                      GError            **error)
{
  const char *class_name = nn_json_string (model->json, "class_name");

  if (class_name == NULL || model->depth > MAX_NESTING)
    return nn_keras_bad_file (keras, model->scope->prefix[0] != '\0' ? model->scope->prefix : "Model",
                              class_name == NULL ? "the network has no \"class_name\"" : "models are nested too deep",
                              error);
  /* a few models within each other, each called several times, are any number of layers */
  if (keras->n_layers > NN_KERAS_MAX_LAYERS)
    return nn_keras_bad_file (keras, model->scope->prefix, "the network has too many layers", error);
  class_name = nn_keras_plain_class (class_name);
  if (g_str_equal (class_name, "Sequential"))
    return build_sequential (keras, model, error);
  /* a subclass of Model that was built functionally has the same configuration */
  if (nn_keras_is_model (class_name) || nn_json_array (nn_json_object (model->json, "config"), "input_layers") != NULL)
    return nn_keras_build_functional (keras, model, error);
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
               "%s: the network is of the class \"%s\", whose layers are in its Python code; Sequential and Functional networks are "
               "supported: build it by Model (inputs, outputs), or export it as ONNX", keras->file,
               class_name);
  return FALSE;
}
