/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call of a Keras layer: wrappers, weights, masks, and the node or nodes that it becomes. */

#include "nn-keras.h"

#include "nn-error.h"
#include "nn-infer-shape.h"

#include <string.h>

gboolean
nn_keras_bad_file (NnKeras     *keras,
                   const char  *layer,
                   const char  *what,
                   GError     **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: layer \"%s\": %s", keras->file, layer, what);
  return FALSE;
}

/* "HGQ>HDense", "qkeras>QDense": the part that names the class. */
const char *
nn_keras_plain_class (const char *name)
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

/* Members that are true or false, where they are there: another value would be passed over. */
static gboolean
check_switches (NnKerasLayer  *layer,
                GError       **error)
{
  static const char *const names[] = { "use_bias", "scale", "center", "return_sequences", "return_state", "go_backwards", "stateful",
                                       "time_major", "reset_after", "keepdims", "normalize", "mask_zero" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      JsonNode *node = nn_json_get (layer->config, names[i]);
      GType type = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;

      /* the factors of Rescaling and of sums have this name too */
      if (node == NULL || g_str_equal (layer->class_name, "Rescaling") || g_str_equal (layer->class_name, "QSum"))
        continue;
      if (type != G_TYPE_BOOLEAN && type != G_TYPE_INT64)
        return nn_keras_bad (layer, error, "\"%s\" is neither true nor false", names[i]);
    }
  return TRUE;
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

  if (!check_switches (layer, error))
    return FALSE;
  for (guint i = 0; i < layer->n_inputs; i++)
    after_unsupported |= !nn_shape_is_known (&nn_graph_builder_node (keras->builder, layer->inputs[i])->shape);
  if (layer->operation)
    reader = nn_keras_read_operation;
  if (reader == NULL && !nn_keras_find_reader (layer->class_name, layer->hgq2, &op, &reader))
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
            return nn_keras_bad (layer, error, "it takes %u input%s at the least and is given %u", nn_op_info (op)->min_inputs,
                                 nn_op_info (op)->min_inputs == 1 ? "" : "s", layer->n_inputs);
        }
      ok = nn_keras_check_mask (layer, &inner) && (reader == NULL || reader (layer, &inner));
      if (ok && layer->node != NULL)
        ok = nn_keras_shape (keras, layer->node, &inner);
    }
  if (!ok && !keras->options->strict && (g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) || after_unsupported))
    {
      /* the graph names the layer already */
      make_unsupported (layer, after_unsupported ? "what stands before it is not supported, so that its input's shape is not known" : inner->message);
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
      *class_name = nn_keras_plain_class (*registered);
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
unique_name (const NnKerasScope *scope,
             const char         *name,
             guint               call)
{
  const char *suffix = scope->suffix != NULL ? scope->suffix : "";

  return call == 0 ? g_strconcat (name, suffix, NULL) : g_strdup_printf ("%s__node%u%s", name, call, suffix);
}

/* A function of keras.ops: told by the module that its class is in. */
static gboolean
is_operation (JsonObject *json)
{
  const char *module = nn_json_string (json, "module");

  return module != NULL && (g_str_has_prefix (module, "keras.src.ops.") || g_str_has_prefix (module, "keras.ops"));
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

/* Adds one call of a layer. @outputs: (element-type guint): its nodes are appended, an output that is not had as
 * %NN_KERAS_NO_OUTPUT. */
gboolean
nn_keras_add_layer (NnKeras            *keras,
                    const NnKerasScope *scope,
                    JsonObject         *json,
                    const char         *key,
                    guint               call,
                    JsonNode           *inbound,
                    const guint        *inputs,
                    guint               n_inputs,
                    GArray             *outputs,
                    GError            **error)
{
  const char *full = nn_json_string (json, "registered_name");
  const char *registered = full != NULL && strchr (full, '>') != NULL && !g_str_has_prefix (full, "Custom>")
                             ? full
                             : nn_json_string (json, "class_name");
  const char *file_class = nn_keras_plain_class (registered), *class_name = file_class;
  JsonObject *outer = nn_json_object (json, "config");
  NnKerasScope inner = *scope;
  g_autoptr (JsonObject) config = unwrap (&class_name, &registered, outer, &inner.time_distributed);
  g_autofree char *name = g_strconcat (scope->prefix, key, NULL), *node_name = unique_name (scope, name, call);
  g_autofree char *group = NULL;
  g_autofree guint *given = g_memdup2 (inputs, n_inputs * sizeof *inputs);
  gboolean hgq2 = g_str_has_prefix (registered, "hgq>");
  gboolean turned = nn_keras_turn (keras, inner.time_distributed ? "TimeDistributed" : class_name, hgq2, node_name, &config, given, n_inputs);
  NnKerasLayer layer = {
    .keras = keras, .scope = &inner, .class_name = class_name, .name = name, .node_name = node_name, .key = key,
    .config = config, .inputs = given, .n_inputs = n_inputs, .hgq2 = hgq2,
    .operation = is_operation (json), .call = inbound,
  };
  gboolean ok;

  if (nn_progress_cancelled (keras->cancellable, error))
    return FALSE;
  nn_progress_report (keras->progress, keras->n_layers > 0 ? (double) keras->n_done / keras->n_layers : -1, name);
  keras->n_done++;
  if (nn_graph_builder_n_nodes (keras->builder) > NN_KERAS_MAX_LAYERS)
    return nn_keras_bad_file (keras, name, "the network has too many layers", error);
  if (n_inputs > 0)
    layer.in = &nn_graph_builder_node (keras->builder, given[0])->shape;
  layer.next = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  layer.keys = g_array_new (FALSE, FALSE, sizeof (guint));
  layer.more = g_array_new (FALSE, FALSE, sizeof (guint));
  ok = read_weights (&layer, file_class, &group, error) && read_layer (&layer, error);
  if (ok && class_name != file_class)
    ok = read_mask (&layer, error);
  if (ok)
    nn_keras_sort_weights (&layer);
  if (ok && layer.node != NULL && layer.node->n_weights == 0)
    nn_graph_builder_weights (keras->builder, layer.node, (const guint *) (gpointer) layer.ids->data, layer.ids->len);
  /* a function's arguments stand in its call, which is not kept: it is saved as what it has become */
  if (ok && keras->major >= 2 && !layer.operation && !layer.remade && !g_str_has_suffix (class_name, "OpLambda"))
    keep_source (&layer, registered);
  if (ok && turned)
    nn_keras_note_turned (keras, layer.out);
  if (ok)
    nn_keras_hand_on_mask (&layer);
  g_array_append_val (outputs, layer.out);
  g_array_append_vals (outputs, layer.more->data, layer.more->len);
  g_array_unref (layer.more);
  g_hash_table_unref (layer.next);
  g_array_unref (layer.keys);
  if (layer.vars != NULL)
    g_ptr_array_unref (layer.vars);
  if (layer.ids != NULL)
    g_array_unref (layer.ids);
  return ok;
}
