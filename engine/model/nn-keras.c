/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The topology of a Keras network: sequential, functional, nested, shared; as one flat graph. */

#include "nn-keras.h"

#include "nn-error.h"
#include "nn-infer-shape.h"

#include <string.h>

/* Models within models deeper than this are not networks but attacks. */
#define MAX_NESTING 16
#define MAX_LAYERS 100000

/* What a layer gave: reference → node. */
typedef struct {
  GHashTable *tensors; /* "layer/call/tensor" → node + 1 */
} Tensors;

static gboolean build_model (NnKeras            *keras,
                             JsonObject         *model,
                             const NnKerasScope *scope,
                             const guint        *inputs,
                             guint               n_inputs,
                             GArray             *outputs,
                             guint               depth,
                             GError            **error);

static gboolean
bad (NnKeras     *keras,
     const char  *layer,
     const char  *what,
     GError     **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: layer \"%s\": %s", keras->file, layer, what);
  return FALSE;
}

static gboolean
is_model_class (const char *name)
{
  return g_str_equal (name, "Sequential") || g_str_equal (name, "Model") || g_str_equal (name, "Functional");
}

/* "HGQ>HDense", "qkeras>QDense": the part that names the class. */
static const char *
plain_class (const char *name)
{
  const char *at = strrchr (name, '>');

  return at != NULL ? at + 1 : name;
}

gboolean
nn_keras_shape (NnKeras  *keras,
                NnNode   *node,
                GError  **error)
{
  g_autofree const NnNode **inputs = g_new (const NnNode *, node->n_inputs + 1);
  const NnOpInfo *info = nn_op_info (node->op);

  if (node->n_inputs < info->min_inputs || node->n_inputs > info->max_inputs)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "layer \"%s\" (%s) does not take %u inputs", node->name,
                   node->class_name, node->n_inputs);
      return FALSE;
    }
  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = nn_graph_builder_node (keras->builder, node->inputs[i]);
  return nn_infer_shape (node, inputs, error);
}

/* A node of its own for a layer that becomes several. */
NnNode *
nn_keras_add_node (NnKerasLayer *layer,
                   NnOp          op,
                   const char   *name,
                   const guint  *inputs,
                   guint         n_inputs)
{
  NnGraphBuilder *builder = layer->keras->builder;
  NnNode *node = nn_graph_builder_add (builder, op, name, layer->class_name, inputs, n_inputs);

  node->origin = nn_graph_builder_strdup (builder, layer->name);
  node->attrs.time_distributed = layer->scope->time_distributed;
  layer->out = nn_graph_builder_n_nodes (builder) - 1;
  return node;
}

static void
make_unsupported (NnKerasLayer *layer,
                  const char   *reason)
{
  NnGraphBuilder *builder = layer->keras->builder;
  NnNode *node = layer->node;

  if (node == NULL)
    {
      /* half of a layer that becomes several nodes stays as it is; this one stands for the whole */
      node = layer->node = nn_keras_add_node (layer, NN_OP_UNSUPPORTED, layer->node_name, layer->inputs, layer->n_inputs);
    }
  node->op = NN_OP_UNSUPPORTED;
  memset (&node->attrs, 0, sizeof node->attrs);
  node->reason = nn_graph_builder_strdup (builder, reason);
  node->shape = layer->n_inputs > 0 ? *layer->in : NN_SHAPE (NN_DIM_UNKNOWN);
  for (guint i = 0; i < node->shape.rank; i++)
    node->shape.dims[i] = NN_DIM_UNKNOWN;
}

/* Reads a layer by its reader; one that Espalier has not, or that its neighbour left without a shape, is kept by name. */
static gboolean
read_layer (NnKerasLayer *layer,
            GError      **error)
{
  NnKeras *keras = layer->keras;
  g_autoptr (GError) inner = NULL;
  NnKerasReader reader = NULL;
  NnOp op = NN_OP_UNSUPPORTED;
  gboolean ok = TRUE, after_unsupported = FALSE;

  for (guint i = 0; i < layer->n_inputs; i++)
    after_unsupported |= !nn_shape_is_known (&nn_graph_builder_node (keras->builder, layer->inputs[i])->shape);
  if (!nn_keras_find_reader (layer->class_name, layer->hgq2, &op, &reader))
    {
      ok = FALSE;
      g_set_error (&inner, NN_ERROR, NN_ERROR_UNSUPPORTED, "Espalier has no layer \"%s\"", layer->class_name);
    }
  else
    {
      if (op != NN_OP_UNSUPPORTED)
        {
          layer->node = nn_keras_add_node (layer, op, layer->node_name, layer->inputs, layer->n_inputs);
          if (layer->n_inputs < nn_op_info (op)->min_inputs)
            return bad (keras, layer->name, "it is not connected", error);
        }
      ok = reader == NULL || reader (layer, &inner);
      if (ok && layer->node != NULL)
        ok = nn_keras_shape (keras, layer->node, &inner);
    }
  if (!ok && !keras->options->strict &&
      (g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) ||
       (after_unsupported && g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE))))
    {
      make_unsupported (layer, inner->message);
      ok = TRUE;
    }
  if (!ok)
    {
      /* which argument is worked out first is the compiler's choice */
      gboolean told = g_str_has_prefix (inner->message, keras->file);

      g_propagate_prefixed_error (error, g_steal_pointer (&inner), "%s%s", told ? "" : keras->file, told ? "" : ": ");
      return FALSE;
    }
  return nn_keras_take_rest (layer, error);
}

/* The wrapper keeps its name, the wrapped layer does the work. */
static JsonObject *
unwrap (const char **class_name,
        const char **registered,
        JsonObject  *config,
        gboolean    *time_distributed)
{
  for (guint i = 0; i < 4; i++)
    {
      gboolean pruning = g_str_equal (*class_name, "PruneLowMagnitude");
      JsonObject *inner;

      if (!pruning && !g_str_equal (*class_name, "TimeDistributed") &&
          !g_str_equal (*class_name, "QuantizeWrapperV2"))
        break;
      inner = nn_json_object (config, "layer");
      if (nn_json_string (inner, "class_name") == NULL || nn_json_object (inner, "config") == NULL)
        break;
      *time_distributed |= g_str_equal (*class_name, "TimeDistributed");
      *registered = nn_json_string (inner, "class_name");
      *class_name = plain_class (*registered);
      config = nn_json_object (inner, "config");
    }
  return config;
}

static gboolean
read_weights (NnKerasLayer *layer,
              const char   *file_class,
              char        **group,
              GError      **error)
{
  NnKeras *keras = layer->keras;
  GArray *ids = g_hash_table_lookup (keras->ids, layer->name);

  if (ids != NULL)
    {
      layer->ids = g_array_ref (ids);
      layer->n_shared = ids->len;
      layer->vars = g_ptr_array_new ();
      return TRUE;
    }
  layer->ids = g_array_new (FALSE, FALSE, sizeof (guint));
  g_hash_table_insert (keras->ids, g_strdup (layer->name), g_array_ref (layer->ids));
  layer->vars = nn_keras_vars (keras, layer->scope, file_class, layer->key, group, error);
  /* a wrapper's layer stands below it: layer/0 */
  for (guint i = 0; layer->vars != NULL && keras->numbered && file_class != layer->class_name && i < layer->vars->len; i++)
    {
      NnKerasVar *var = layer->vars->pdata[i];
      char *name = g_str_has_prefix (var->name, "layer/") ? g_strdup (var->name + 6)
                                                          : g_strdup_printf ("wrapper/%s", var->name);

      g_free (var->name);
      var->name = name;
    }
  return layer->vars != NULL;
}

/* A mask that tfmot kept, where the weights agree with it. */
static gboolean
read_mask (NnKerasLayer *layer,
           GError      **error)
{
  NnKeras *keras = layer->keras;

  for (guint i = 0; i < layer->ids->len && layer->n_shared == 0; i++)
    {
      NnWeight *weight = &g_array_index (keras->weights, NnWeight, g_array_index (layer->ids, guint, i));
      g_autoptr (NnTensor) values = NULL;
      g_autoptr (NnTensor) mask = NULL;
      gboolean agrees = TRUE;

      if (!nn_role_is_prunable (weight->role) || weight->mask != NULL)
        continue;
      values = nn_keras_peek (layer, "mask", "", 2, error);
      if (values == NULL)
        return error == NULL || *error == NULL;
      if (!nn_shape_equal (&values->shape, &weight->values->shape))
        continue;
      mask = nn_tensor_new (NN_DTYPE_U8, &values->shape);
      for (gsize k = 0; k < mask->n; k++)
        {
          nn_tensor_u8 (mask)[k] = nn_tensor_f32 (values)[k] != 0;
          agrees = agrees && (nn_tensor_u8 (mask)[k] || nn_tensor_f32 (weight->values)[k] == 0);
        }
      if (agrees)
        weight->mask = g_steal_pointer (&mask);
    }
  return TRUE;
}

static char *
unique_name (NnKeras    *keras,
             const char *name,
             guint       call)
{
  return call == 0 ? g_strdup (name) : g_strdup_printf ("%s__node%u", name, call);
}

/* For saving: the class under which it was registered, and its configuration. */
static void
keep_source (NnKerasLayer *layer,
             const char   *registered)
{
  NnGraphBuilder *builder = layer->keras->builder;
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  json_object_set_string_member (object, "class_name", registered);
  json_object_set_object_member (object, "config", json_object_ref (layer->config));
  node = json_node_init_object (json_node_alloc (), object);
  text = nn_json_text (node);
  nn_graph_builder_node (builder, layer->out)->source = nn_graph_builder_strdup (builder, text);
}

/* Adds one call of a layer. @result: (out): its node. */
static gboolean
add_layer (NnKeras            *keras,
           const NnKerasScope *scope,
           JsonObject         *json,
           const char         *key,
           guint               call,
           const guint        *inputs,
           guint               n_inputs,
           guint              *result,
           GError            **error)
{
  const char *full = nn_json_string (json, "registered_name");
  const char *registered = full != NULL && strchr (full, '>') != NULL && !g_str_has_prefix (full, "Custom>")
                             ? full
                             : nn_json_string (json, "class_name");
  const char *file_class = plain_class (registered), *class_name = file_class;
  JsonObject *outer = nn_json_object (json, "config");
  NnKerasScope inner = *scope;
  JsonObject *config = unwrap (&class_name, &registered, outer, &inner.time_distributed);
  g_autofree char *name = g_strconcat (scope->prefix, key, NULL), *node_name = unique_name (keras, name, call);
  g_autofree char *group = NULL;
  NnKerasLayer layer = {
    .keras = keras, .scope = &inner, .class_name = class_name, .name = name, .node_name = node_name, .key = key,
    .config = config, .inputs = inputs, .n_inputs = n_inputs, .hgq2 = g_str_has_prefix (registered, "hgq>"),
  };
  gboolean ok;

  if (nn_progress_cancelled (keras->cancellable, error))
    return FALSE;
  nn_progress_report (keras->progress, keras->n_layers > 0 ? (double) keras->n_done / keras->n_layers : -1, name);
  keras->n_done++;
  if (nn_graph_builder_n_nodes (keras->builder) > MAX_LAYERS)
    return bad (keras, name, "the network has too many layers", error);
  if (n_inputs > 0)
    layer.in = &nn_graph_builder_node (keras->builder, inputs[0])->shape;
  layer.next = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  layer.keys = g_array_new (FALSE, FALSE, sizeof (guint));
  ok = read_weights (&layer, file_class, &group, error) && read_layer (&layer, error);
  if (ok && class_name != file_class)
    ok = read_mask (&layer, error);
  if (ok)
    nn_keras_sort_weights (&layer);
  if (ok && layer.node != NULL && layer.node->n_weights == 0)
    nn_graph_builder_weights (keras->builder, layer.node, (const guint *) (gpointer) layer.ids->data, layer.ids->len);
  if (ok && keras->major >= 2)
    keep_source (&layer, registered);
  *result = layer.out;
  g_hash_table_unref (layer.next);
  g_array_unref (layer.keys);
  if (layer.vars != NULL)
    g_ptr_array_unref (layer.vars);
  if (layer.ids != NULL)
    g_array_unref (layer.ids);
  return ok;
}

/* A model used as a layer: its layers, under names that tell where they are. */
static gboolean
add_nested (NnKeras            *keras,
            const NnKerasScope *scope,
            JsonObject         *json,
            const char         *key,
            const guint        *inputs,
            guint               n_inputs,
            GArray             *outputs,
            guint               depth,
            GError            **error)
{
  g_autofree char *prefix = g_strdup_printf ("%s%s__", scope->prefix, key);
  g_autofree char *group = NULL, *container = NULL;
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) vars = NULL;
  NnKerasScope inner = *scope;
  gboolean ok;

  vars = nn_keras_vars (keras, scope, plain_class (nn_json_string (json, "class_name")), key, &group, error);
  if (vars == NULL)
    return FALSE;
  inner.prefix = prefix;
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
  ok = build_model (keras, json, &inner, inputs, n_inputs, outputs, depth + 1, error);
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
    return bad (keras, name, "the input's shape (\"batch_input_shape\" or \"batch_shape\") is missing or not one", error);
  node = nn_graph_builder_add (keras->builder, NN_OP_INPUT, name, "InputLayer", NULL, 0);
  node->shape = shape;
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
    return bad (keras, layer_key (json) != NULL ? layer_key (json) : "?",
                "a layer needs \"class_name\" and \"config\" with a \"name\"", error);
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
    return bad (keras, "Sequential", "it has no \"layers\"", error);
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
      if (is_model_class (plain_class (class_name)))
        {
          g_autoptr (GArray) inner = g_array_new (FALSE, FALSE, sizeof (guint));

          if (!add_nested (keras, scope, json, layer_key (json), &at, 1, inner, depth, error))
            return FALSE;
          if (inner->len != 1)
            return bad (keras, layer_key (json), "in a Sequential model a layer must have one output", error);
          at = g_array_index (inner, guint, 0);
        }
      else if (!add_layer (keras, scope, json, layer_key (json), 0, &at, 1, &at, error))
        return FALSE;
    }
  if (n == first)
    return bad (keras, "Sequential", "it has no layers but its input", error);
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
  g_hash_table_insert (tensors, g_strdup_printf ("%u/%u/%s", call, tensor, layer), GUINT_TO_POINTER (node + 1));
}

/* One call of a functional model's layer, waiting for its inputs. */
typedef struct {
  JsonObject *json;
  const char *key;
  guint       call;
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
        return bad (keras, "?", "a layer has no name", error);
      if (inbound == NULL || json_array_get_length (inbound) == 0)
        {
          Call call = { json, key, 0, g_array_new (FALSE, FALSE, sizeof (Reference)), FALSE };

          g_array_append_val (calls, call);
          continue;
        }
      for (guint k = 0; k < json_array_get_length (inbound); k++)
        {
          Call call = { json, key, k, g_array_new (FALSE, FALSE, sizeof (Reference)), FALSE };

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
      guint node = find_tensor (tensors, &g_array_index (call->references, Reference, i));

      if (node == 0)
        {
          *ready = FALSE;
          return TRUE;
        }
      inputs[i] = node - 1;
    }
  if (is_model_class (plain_class (nn_json_string (call->json, "class_name"))))
    {
      if (call->call > 0)
        return bad (keras, call->key, "a model that is used twice inside another is not supported", error);
      if (!add_nested (keras, scope, call->json, call->key, inputs, n, outputs, depth, error))
        return FALSE;
      for (guint i = 0; i < outputs->len; i++)
        set_tensor (tensors, call->key, call->call, i, g_array_index (outputs, guint, i));
    }
  else
    {
      guint result;

      if (!add_layer (keras, scope, call->json, call->key, call->call, inputs, n, &result, error))
        return FALSE;
      set_tensor (tensors, call->key, call->call, 0, result);
    }
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
    return bad (keras, nn_json_string (config, "name") != NULL ? nn_json_string (config, "name") : "Model",
                "it has no \"input_layers\"", error);
  if (inputs != NULL && ends->len != n_inputs)
    return bad (keras, nn_json_string (config, "name") != NULL ? nn_json_string (config, "name") : "Model",
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
        return bad (keras, end->layer, "an input names a layer that is not there", error);
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
      snake = nn_keras_snake_case (plain_class (nn_json_string (call->json, "class_name")));
      count = GPOINTER_TO_UINT (g_hash_table_lookup (scope->used, snake));
      order = g_strdup_printf ("=%s", call->key);
      g_hash_table_insert (scope->used, g_steal_pointer (&order), GUINT_TO_POINTER (count + 1));
      g_hash_table_insert (scope->used, g_steal_pointer (&snake), GUINT_TO_POINTER (count + 1));
    }
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
    return bad (keras, "Model", "it has no \"layers\"", error);
  keras->n_layers += json_array_get_length (layers);
  if (!list_calls (keras, layers, calls, error))
    return FALSE;
  reserve_numbers (keras, scope, calls);
  if (!place_inputs (keras, scope, config, calls, tensors, inputs, n_inputs, error) ||
      !run_calls (keras, scope, calls, tensors, depth, error))
    return FALSE;
  list_ends (nn_json_get (config, "output_layers"), ends);
  if (ends->len == 0)
    return bad (keras, "Model", "it has no \"output_layers\"", error);
  for (guint i = 0; i < ends->len; i++)
    {
      const Reference *end = &g_array_index (ends, Reference, i);
      guint node = find_tensor (tensors, end);

      if (node == 0)
        return bad (keras, end->layer, "an output needs it, but it, or a layer before it, is not connected", error);
      g_array_append_val (outputs, (guint){ node - 1 });
    }
  return TRUE;
}

static gboolean
build_model (NnKeras            *keras,
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
    return bad (keras, scope->prefix, class_name == NULL ? "the network has no \"class_name\"" : "models are nested too deep",
                error);
  class_name = plain_class (class_name);
  if (g_str_equal (class_name, "Sequential"))
    return build_sequential (keras, model, scope, inputs, n_inputs, outputs, depth, error);
  /* a subclass of Model that was built functionally has the same configuration */
  if (is_model_class (class_name) || nn_json_array (nn_json_object (model, "config"), "input_layers") != NULL)
    return build_functional (keras, model, scope, inputs, n_inputs, outputs, depth, error);
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
               "%s: the network is of the class \"%s\"; Sequential and Functional networks are supported", keras->file,
               class_name);
  return FALSE;
}

static void
clear_weight (gpointer data)
{
  NnWeight *weight = data;

  nn_tensor_unref (weight->values);
  nn_tensor_unref (weight->mask);
}

/* What nn_model_save() put beside Keras's own: masks, class names, standardisation. */
static gboolean
read_own (NnKeras      *keras,
          NnModelInfo  *info,
          char       ***class_names,
          GError      **error)
{
  NnH5 *h5 = keras->h5;

  if (!nn_h5_is_group (h5, "espalier"))
    return TRUE;
  for (guint i = 0; i < keras->weights->len; i++)
    {
      NnWeight *weight = &g_array_index (keras->weights, NnWeight, i);
      g_autofree char *path = g_strdup_printf ("espalier/masks/%s/%s", weight->layer, weight->name);
      g_autoptr (NnTensor) mask = NULL;

      if (!nn_h5_has (h5, path))
        continue;
      mask = nn_h5_read (h5, path, NN_DTYPE_U8, error);
      if (mask == NULL)
        return FALSE;
      if (!nn_shape_equal (&mask->shape, &weight->values->shape))
        return bad (keras, weight->layer, "its mask has another shape than its weight", error);
      for (gsize k = 0; k < mask->n; k++)
        if (nn_tensor_u8 (mask)[k] > 1 || (nn_tensor_u8 (mask)[k] == 0 && nn_tensor_f32 (weight->values)[k] != 0))
          return bad (keras, weight->layer, "its mask does not agree with its weight", error);
      nn_tensor_unref (weight->mask);
      weight->mask = g_steal_pointer (&mask);
    }
  if (nn_h5_has_attribute (h5, "espalier", "class_names"))
    {
      *class_names = nn_h5_strings (h5, "espalier", "class_names", error);
      if (*class_names == NULL)
        return FALSE;
      info->class_names = (const char *const *) *class_names;
    }
  if (nn_h5_has (h5, "espalier/input_mean") &&
      (info->input_mean = nn_h5_read (h5, "espalier/input_mean", NN_DTYPE_F32, error)) == NULL)
    return FALSE;
  if (nn_h5_has (h5, "espalier/input_deviation") &&
      (info->input_deviation = nn_h5_read (h5, "espalier/input_deviation", NN_DTYPE_F32, error)) == NULL)
    return FALSE;
  return TRUE;
}

static NnModel *
finish (NnKeras     *keras,
        JsonObject  *model,
        const char  *format,
        GArray      *outputs,
        GError     **error)
{
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GError) inner = NULL;
  g_auto (GStrv) class_names = NULL;
  NnModel *result = NULL;
  NnModelInfo info = { .format = format, .name = nn_json_string (nn_json_object (model, "config"), "name") };

  for (guint i = 0; i < outputs->len; i++)
    nn_graph_builder_output (keras->builder, g_array_index (outputs, guint, i));
  graph = nn_graph_builder_seal (keras->builder, &inner);
  if (graph == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&inner), "%s: ", keras->file);
      return NULL;
    }
  if (read_own (keras, &info, &class_names, error))
    result = nn_model_new (graph, (const NnWeight *) (gpointer) keras->weights->data, keras->weights->len, &info, error);
  nn_tensor_unref (info.input_mean);
  nn_tensor_unref (info.input_deviation);
  return result;
}

/**
 * nn_keras_load:
 * @architecture: the parsed model configuration
 * @version: (nullable): of Keras, as the file says
 * @container: for people: "HDF5", "JSON + HDF5", "zip"
 * @root: group of the layers' groups; in a numbered file the container of the outermost model
 *
 * Returns: (transfer full): the network
 */
NnModel *
nn_keras_load (const char           *path,
               JsonNode             *architecture,
               const char           *version,
               const char           *container,
               NnH5                 *h5,
               const char           *root,
               gboolean              numbered,
               const NnLoadOptions  *options,
               const NnProgress     *progress,
               GCancellable         *cancellable,
               GError              **error)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE, sizeof (guint));
  g_auto (GStrv) parts = g_strsplit (version != NULL ? version : "2", ".", 3);
  g_autofree char *format = g_strdup_printf ("Keras %s%s%s %s", parts[0], parts[0] != NULL && parts[1] != NULL ? "." : "",
                                             parts[0] != NULL && parts[1] != NULL ? parts[1] : "", container);
  NnKerasScope scope = { .prefix = "", .container = root, .used = used };
  NnKeras keras = {
    .file = path, .options = options, .progress = progress, .cancellable = cancellable, .builder = builder, .h5 = h5,
    .root = root, .numbered = numbered, .weights = weights, .ids = ids,
    .major = parts[0] != NULL && parts[0][0] >= '0' && parts[0][0] <= '9' ? parts[0][0] - '0' : 2,
  };
  JsonObject *model = nn_json_as_object (architecture);

  g_array_set_clear_func (weights, clear_weight);
  if (model == NULL || nn_json_get (model, "config") == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "%s: no Keras network: an object with \"class_name\" and \"config\" is expected", path);
      return NULL;
    }
  if (!build_model (&keras, model, &scope, NULL, 0, outputs, 0, error))
    return NULL;
  nn_progress_report (progress, 1, NULL);
  return finish (&keras, model, format, outputs, error);
}
