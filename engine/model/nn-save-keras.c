/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network as Keras 2's HDF5 file, which Keras 3's legacy reader takes too; what Keras does not know (masks, class names,
 * standardisation) lies in a group of its own, which Keras does not look at. */

#include "nn-save-keras.h"

#include "nn-error.h"

#include <string.h>

/* What the file says wrote it: the last of Keras 2's forms that all readers know. */
#define KERAS_VERSION "2.11.0"

static void
layer_free (gpointer data)
{
  NnKerasOut *layer = data;

  g_free (layer->name);
  g_array_unref (layer->calls);
  g_array_unref (layer->helpers);
  g_array_unref (layer->ids);
  g_free (layer);
}

/* TensorFlow's rule for names, and no slash, which Keras 3 refuses. */
static char *
legal_name (const char *name,
            GHashTable *taken)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n;

  for (const char *c = name; *c != '\0'; c++)
    g_string_append_c (text, g_ascii_isalnum (*c) || strchr ("_.-", *c) != NULL ? *c : '_');
  if (text->len == 0 || !g_ascii_isalnum (text->str[0]))
    g_string_prepend (text, "n");
  n = text->len;
  for (guint i = 1; g_hash_table_contains (taken, text->str); i++)
    {
      g_string_truncate (text, n);
      g_string_append_printf (text, "_%u", i);
    }
  g_hash_table_add (taken, g_strdup (text->str));
  return g_strdup (text->str);
}

/* A node that is part of a layer whose last node bears its name: a bidirectional layer's halves. */
static gboolean
is_helper (const NnNode *node)
{
  return !g_str_equal (node->origin, node->name) && node->source == NULL &&
         !g_str_has_prefix (node->name + MIN (strlen (node->origin), strlen (node->name)), "__node");
}

static void
group_nodes (NnKerasWriter *writer)
{
  g_autoptr (GHashTable) by_origin = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < nn_graph_n_nodes (writer->graph); i++)
    {
      const NnNode *node = nn_graph_node (writer->graph, i);
      NnKerasOut *layer = g_hash_table_lookup (by_origin, node->origin);

      if (layer == NULL)
        {
          layer = g_new0 (NnKerasOut, 1);
          layer->name = legal_name (node->origin, taken);
          layer->calls = g_array_new (FALSE, FALSE, sizeof (guint));
          layer->helpers = g_array_new (FALSE, FALSE, sizeof (guint));
          layer->ids = g_array_new (FALSE, FALSE, sizeof (guint));
          layer->order = G_MAXUINT;
          g_ptr_array_add (writer->layers, layer);
          g_hash_table_insert (by_origin, (gpointer) node->origin, layer);
        }
      writer->layer_of[i] = layer;
      writer->call_of[i] = layer->calls->len;
      g_array_append_val (is_helper (node) ? layer->helpers : layer->calls, i);
      for (guint k = 0; k < node->n_weights; k++)
        {
          gboolean known = FALSE;

          for (guint m = 0; m < layer->ids->len; m++)
            known |= g_array_index (layer->ids, guint, m) == node->weights[k];
          if (!known)
            g_array_append_val (layer->ids, node->weights[k]);
        }
    }
}

/* Keras assigns weights by the order of its layers: by depth from the outputs, then by the order in which it meets them
 * walking up from there (keras/engine/functional.py, _map_graph_network). */
static void
visit (NnKerasWriter *writer,
       guint   node,
       guint  *counter,
       guint8 *seen)
{
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (guint));

  g_array_append_val (stack, node);
  while (stack->len > 0)
    {
      guint at = g_array_index (stack, guint, stack->len - 1);
      const NnNode *n = nn_graph_node (writer->graph, at);

      g_array_set_size (stack, stack->len - 1);
      if (seen[at])
        continue;
      seen[at] = 1;
      if (writer->layer_of[at]->order == G_MAXUINT)
        writer->layer_of[at]->order = (*counter)++;
      for (guint k = n->n_inputs; k > 0; k--)
        g_array_append_val (stack, n->inputs[k - 1]);
    }
}

static int
compare_layers (gconstpointer a,
                gconstpointer b)
{
  const NnKerasOut *x = *(NnKerasOut *const *) a, *y = *(NnKerasOut *const *) b;

  if (x->depth != y->depth)
    return x->depth > y->depth ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

static void
sort_layers (NnKerasWriter *writer)
{
  guint n = nn_graph_n_nodes (writer->graph), n_outputs, counter = 0;
  const guint *outputs = nn_graph_outputs (writer->graph, &n_outputs);
  g_autofree guint *depth = g_new0 (guint, n);
  g_autofree guint8 *seen = g_new0 (guint8, n);

  for (guint i = 0; i < n_outputs; i++)
    visit (writer, outputs[i], &counter, seen);
  for (guint i = n; i > 0; i--)
    {
      const NnNode *node = nn_graph_node (writer->graph, i - 1);
      NnKerasOut *layer = writer->layer_of[i - 1];
      gboolean helper = is_helper (node);

      /* a layer used twice is as deep as its deepest use */
      if (!helper)
        depth[i - 1] = layer->depth = MAX (depth[i - 1], layer->depth);
      for (guint k = 0; k < node->n_inputs; k++)
        {
          guint input = node->inputs[k];
          guint step = writer->layer_of[input] == layer && is_helper (nn_graph_node (writer->graph, input)) ? 0 : 1;

          depth[input] = MAX (depth[input], depth[i - 1] + step);
        }
    }
  g_ptr_array_sort (writer->layers, compare_layers);
}

JsonArray *
nn_keras_reference (const NnKerasWriter *writer,
                    guint                node)
{
  JsonArray *array = json_array_new ();

  json_array_add_string_element (array, writer->layer_of[node]->name);
  json_array_add_int_element (array, writer->call_of[node]);
  json_array_add_int_element (array, 0);
  return array;
}

/* The inputs of one call: of attention the first, the others by keyword; of a layer of several nodes those from outside. */
static JsonArray *
inbound (NnKerasWriter       *writer,
         const NnKerasOut  *layer,
         const NnNode *node)
{
  static const char *const keywords[] = { NULL, "value", "key" };
  JsonArray *call = json_array_new ();
  JsonObject *arguments = json_object_new ();
  g_autoptr (GArray) inputs = g_array_new (FALSE, FALSE, sizeof (guint));

  if (layer->helpers->len > 0)
    node = nn_graph_node (writer->graph, g_array_index (layer->helpers, guint, 0));
  g_array_append_vals (inputs, node->inputs, node->n_inputs);
  for (guint i = 0; i < inputs->len; i++)
    {
      JsonArray *one = nn_keras_reference (writer, g_array_index (inputs, guint, i));

      if (node->op == NN_OP_MULTI_HEAD_ATTENTION && i > 0 && i < G_N_ELEMENTS (keywords))
        {
          json_object_set_array_member (arguments, keywords[i], one);
          continue;
        }
      json_array_add_object_element (one, i == 0 ? json_object_ref (arguments) : json_object_new ());
      json_array_add_array_element (call, one);
    }
  json_object_unref (arguments);
  return call;
}

static void
set_batch_shape (JsonObject    *config,
                 const NnShape *shape,
                 const char    *name)
{
  JsonArray *dims = json_array_new ();

  json_array_add_null_element (dims);
  for (guint i = 0; i < shape->rank; i++)
    if (shape->dims[i] < 0)
      json_array_add_null_element (dims);
    else
      json_array_add_int_element (dims, shape->dims[i]);
  json_object_set_array_member (config, name, dims);
}

/* "TimeDistributed" again around what was read out of it. */
static JsonObject *
wrap (JsonObject  *config,
      const char  *name,
      const char **class_name)
{
  JsonObject *outer = json_object_new (), *inner = json_object_new ();
  g_autofree char *inner_name = g_strdup_printf ("%s_step", name);

  json_object_set_string_member (config, "name", inner_name);
  json_object_set_string_member (inner, "class_name", *class_name);
  json_object_set_object_member (inner, "config", config);
  json_object_set_string_member (outer, "name", name);
  json_object_set_boolean_member (outer, "trainable", TRUE);
  json_object_set_string_member (outer, "dtype", "float32");
  json_object_set_object_member (outer, "layer", inner);
  *class_name = "TimeDistributed";
  return outer;
}

const NnNode *
nn_keras_out_node (const NnKerasWriter  *writer,
                   const NnKerasOut     *layer,
                   GError              **error)
{
  const NnNode *node = layer->calls->len > 0 ? nn_graph_node (writer->graph, g_array_index (layer->calls, guint, 0)) : NULL;

  gboolean whole = layer->helpers->len == 0 || (node != NULL && node->source != NULL && strstr (node->source, "\"hgq>") == NULL);

  /* of several nodes a layer can be made where their weights are still the layer's own */
  if (node != NULL && whole)
    return node;
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" cannot be written as a Keras layer: it is several here; ONNX holds what they compute",
               layer->name);
  return NULL;
}

JsonObject *
nn_keras_out_config (const NnKerasWriter  *writer,
                     const NnKerasOut     *layer,
                     const char          **class_name,
                     GError              **error)
{
  const NnNode *node = nn_keras_out_node (writer, layer, error);
  JsonObject *config;

  if (node == NULL)
    return NULL;
  if (node->op == NN_OP_INPUT)
    {
      config = json_object_new ();
      *class_name = "InputLayer";
      set_batch_shape (config, &node->shape, writer->keras3 ? "batch_shape" : "batch_input_shape");
      json_object_set_string_member (config, "dtype", "float32");
      json_object_set_boolean_member (config, "sparse", FALSE);
      json_object_set_string_member (config, "name", layer->name);
      return config;
    }
  config = nn_save_keras_config (writer->model, node, layer->name, writer->keras3, class_name, error);
  return config != NULL && node->attrs.time_distributed ? wrap (config, layer->name, class_name) : config;
}

static JsonObject *
layer_object (NnKerasWriter     *writer,
              const NnKerasOut  *layer,
              GError           **error)
{
  const char *class_name = NULL;
  g_autoptr (JsonObject) config = nn_keras_out_config (writer, layer, &class_name, error);
  const NnNode *node;
  JsonObject *object;
  JsonArray *calls;

  if (config == NULL)
    return NULL;
  node = nn_graph_node (writer->graph, g_array_index (layer->calls, guint, 0));
  object = json_object_new ();
  calls = json_array_new ();
  for (guint i = 0; node->op != NN_OP_INPUT && i < layer->calls->len; i++)
    json_array_add_array_element (
        calls, inbound (writer, layer, nn_graph_node (writer->graph, g_array_index (layer->calls, guint, i))));
  json_object_set_string_member (object, "class_name", class_name);
  json_object_set_object_member (object, "config", g_steal_pointer (&config));
  json_object_set_string_member (object, "name", layer->name);
  json_object_set_array_member (object, "inbound_nodes", calls);
  return object;
}

static char *
architecture (NnKerasWriter  *writer,
              GError **error)
{
  g_autoptr (JsonObject) model = json_object_new ();
  g_autoptr (JsonNode) root = NULL;
  JsonObject *config = json_object_new ();
  JsonArray *layers = json_array_new (), *ends[2] = { json_array_new (), json_array_new () };
  const NnModelInfo *info = nn_model_info (writer->model);
  g_autofree char *name = NULL;
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n;

  name = legal_name (info->name != NULL ? info->name : "model", taken);
  json_object_set_string_member (model, "class_name", "Functional");
  json_object_set_object_member (model, "config", config);
  json_object_set_string_member (config, "name", name);
  json_object_set_boolean_member (config, "trainable", TRUE);
  json_object_set_array_member (config, "layers", layers);
  json_object_set_array_member (config, "input_layers", ends[0]);
  json_object_set_array_member (config, "output_layers", ends[1]);
  for (guint i = 0; i < writer->layers->len; i++)
    {
      JsonObject *object = layer_object (writer, writer->layers->pdata[i], error);

      if (object == NULL)
        return NULL;
      json_array_add_object_element (layers, object);
    }
  for (guint k = 0; k < 2; k++)
    {
      const guint *nodes = k == 0 ? nn_graph_inputs (writer->graph, &n) : nn_graph_outputs (writer->graph, &n);

      for (guint i = 0; i < n; i++)
        json_array_add_array_element (ends[k], nn_keras_reference (writer, nodes[i]));
    }
  root = json_node_init_object (json_node_alloc (), model);
  return nn_json_text (root);
}

/* A weight with the pruned elements 0, whatever training left there. */
gboolean
nn_keras_put_masked (NnH5            *h5,
                     const char      *path,
                     const NnWeight  *weight,
                     GError         **error)
{
  g_autoptr (NnTensor) masked = NULL;

  if (weight->mask == NULL)
    return nn_h5_put (h5, path, weight->values, error);
  masked = nn_tensor_copy (weight->values);
  for (gsize i = 0; i < masked->n; i++)
    if (nn_tensor_u8 (weight->mask)[i] == 0 && nn_tensor_f32 (masked)[i] != 0)
      nn_tensor_f32 (masked)[i] = 0;
  return nn_h5_put (h5, path, masked, error);
}

gboolean
nn_keras_put_mask (NnH5              *h5,
                   const NnKerasOut  *layer,
                   const NnWeight    *weight,
                   GError           **error)
{
  g_autofree char *path = g_strdup_printf ("espalier/masks/%s/%s", layer->name, weight->name);

  return weight->mask == NULL || nn_h5_put (h5, path, weight->mask, error);
}

NnTensor *
nn_keras_scale_values (const NnKerasWriter *writer,
                       const NnNode        *node,
                       guint                i)
{
  const NnWeight *from = i < 2 ? nn_model_node_weight (writer->model, node, i == 0 ? NN_ROLE_SCALE : NN_ROLE_BIAS) : NULL;
  NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (MAX (nn_shape_last (&node->shape), 1)));

  for (gsize k = 0; k < values->n; k++)
    nn_tensor_f32 (values)[k] = from != NULL ? nn_tensor_f32 (from->values)[from->values->n == 1 ? 0 : k] : i == 0 || i == 3 ? 1 : 0;
  return values;
}

/* NN_OP_SCALE as a batch norm: factors and offsets, mean 0, variance 1. */
static gboolean
put_scale (NnKerasWriter       *writer,
           NnH5         *h5,
           const NnKerasOut  *layer,
           const char   *group,
           const NnNode *node,
           GError      **error)
{
  static const char *const names[] = { "gamma", "beta", "moving_mean", "moving_variance" };
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < 4; i++)
    {
      g_autoptr (NnTensor) values = nn_keras_scale_values (writer, node, i);
      g_autofree char *path = g_strdup_printf ("%s/%s/%s:0", group, layer->name, names[i]);

      g_ptr_array_add (list, g_strdup_printf ("%s/%s:0", layer->name, names[i]));
      ok = nn_h5_put (h5, path, values, error);
    }
  g_ptr_array_add (list, NULL);
  return ok && nn_h5_put_strings (h5, group, "weight_names", (const char *const *) list->pdata, error);
}

/* Whether a node's weights are made of its configuration, and stand there again when it is read. */
gboolean
nn_keras_told_by_config (const NnNode *node)
{
  g_autoptr (JsonNode) source = node->source != NULL ? nn_json_parse (node->source, -1, node->name, NULL) : NULL;
  JsonObject *object = nn_json_as_object (source);

  return node->op == NN_OP_SCALE || (g_strcmp0 (nn_json_string (object, "class_name"), "Normalization") == 0 &&
                                     nn_json_get (nn_json_object (object, "config"), "mean") != NULL);
}

static gboolean
put_layer (NnKerasWriter       *writer,
           NnH5         *h5,
           const NnKerasOut  *layer,
           GError      **error)
{
  g_autofree char *group = g_strdup_printf ("model_weights/%s", layer->name);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const NnNode *node = nn_graph_node (writer->graph, g_array_index (layer->calls, guint, 0));
  gboolean told;

  if (!nn_h5_put_group (h5, group, error))
    return FALSE;
  if (node->op == NN_OP_SCALE && node->source == NULL)
    return put_scale (writer, h5, layer, group, node, error);
  told = nn_keras_told_by_config (node);
  for (guint i = 0; i < layer->ids->len; i++)
    {
      const NnWeight *weight = nn_model_weight (writer->model, g_array_index (layer->ids, guint, i));
      /* Normalization's "mean" is a batch norm's "moving_mean", as which it is written where it has no configuration of its own */
      const char *name = node->op == NN_OP_BATCH_NORM && node->source == NULL && weight->role != NN_ROLE_OTHER ? nn_role_name (weight->role) : weight->name;
      g_autofree char *path = g_strdup_printf ("%s/%s/%s:0", group, layer->name, name);

      if (told)
        continue;
      if (!nn_keras_put_masked (h5, path, weight, error) || !nn_keras_put_mask (h5, layer, weight, error))
        return FALSE;
      g_ptr_array_add (names, g_strdup_printf ("%s/%s:0", layer->name, name));
    }
  g_ptr_array_add (names, NULL);
  return nn_h5_put_strings (h5, group, "weight_names", (const char *const *) names->pdata, error);
}

gboolean
nn_keras_put_info (const NnKerasWriter  *writer,
                   NnH5                 *h5,
                   GError              **error)
{
  const NnModelInfo *info = nn_model_info (writer->model);

  return nn_h5_put_group (h5, "espalier", error) &&
         (info->class_names == NULL || nn_h5_put_strings (h5, "espalier", "class_names", info->class_names, error)) &&
         (info->input_mean == NULL || nn_h5_put (h5, "espalier/input_mean", info->input_mean, error)) &&
         (info->input_deviation == NULL || nn_h5_put (h5, "espalier/input_deviation", info->input_deviation, error));
}

static gboolean
put_all (NnKerasWriter      *writer,
         NnH5        *h5,
         const char  *config,
         GError     **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  if (!nn_h5_put_string (h5, "", "keras_version", KERAS_VERSION, error) ||
      !nn_h5_put_string (h5, "", "backend", "tensorflow", error) ||
      !nn_h5_put_string (h5, "", "model_config", config, error) || !nn_h5_put_group (h5, "model_weights", error))
    return FALSE;
  for (guint i = 0; i < writer->layers->len; i++)
    {
      NnKerasOut *layer = writer->layers->pdata[i];

      if (!put_layer (writer, h5, layer, error))
        return FALSE;
      g_ptr_array_add (names, layer->name);
    }
  g_ptr_array_add (names, NULL);
  return nn_h5_put_strings (h5, "model_weights", "layer_names", (const char *const *) names->pdata, error) &&
         nn_h5_put_string (h5, "model_weights", "backend", "tensorflow", error) &&
         nn_h5_put_string (h5, "model_weights", "keras_version", KERAS_VERSION, error) && nn_keras_put_info (writer, h5, error);
}

static gboolean
put_file (NnKerasWriter  *writer,
          const char     *path,
          GError        **error)
{
  g_autofree char *config = architecture (writer, error);
  g_autoptr (NnH5) h5 = NULL;

  if (config == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  h5 = nn_h5_create (path, error);
  return h5 != NULL && put_all (writer, h5, config, error) && nn_h5_finish (h5, error);
}

static gboolean
has_pads (const NnNode *node)
{
  const gint64 (*pad)[2] = node->attrs.pad;

  return node->attrs.padding == NN_PADDING_EXPLICIT && node->op != NN_OP_MAX_POOL1D && node->op != NN_OP_MAX_POOL2D &&
         (node->attrs.count_pad || (node->op != NN_OP_AVG_POOL1D && node->op != NN_OP_AVG_POOL2D)) &&
         (pad[0][0] != 0 || pad[0][1] != 0 || pad[1][0] != 0 || pad[1][1] != 0);
}

/* Padding told in numbers, which Keras's layers do not know, as a layer of its own before. (transfer full) */
static NnModel *
split_padding (const NnModel  *model,
               GError        **error)
{
  NnGraph *graph = nn_model_graph (model);
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) result = NULL;
  g_autofree guint *moved = g_new (guint, nn_graph_n_nodes (graph));
  g_autofree NnWeight *weights = g_new (NnWeight, nn_model_n_weights (model) + 1);
  guint n_outputs;
  const guint *outputs = nn_graph_outputs (graph, &n_outputs);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      g_autofree guint *inputs = g_new (guint, node->n_inputs + 1);
      NnNode *copy;

      for (guint k = 0; k < node->n_inputs; k++)
        inputs[k] = moved[node->inputs[k]];
      if (has_pads (node))
        {
          g_autofree char *name = g_strdup_printf ("%s__pad", node->name);

          copy = nn_graph_builder_add (builder, NN_OP_ZERO_PAD, name, NULL, inputs, 1);
          memcpy (copy->attrs.pad, node->attrs.pad, sizeof copy->attrs.pad);
          inputs[0] = nn_graph_builder_n_nodes (builder) - 1;
        }
      copy = nn_graph_builder_add_copy (builder, node, inputs, node->n_inputs);
      if (has_pads (node))
        {
          copy->attrs.padding = NN_PADDING_VALID;
          memset (copy->attrs.pad, 0, sizeof copy->attrs.pad);
        }
      moved[i] = nn_graph_builder_n_nodes (builder) - 1;
    }
  for (guint i = 0; i < n_outputs; i++)
    nn_graph_builder_output (builder, moved[outputs[i]]);
  result = nn_graph_builder_seal (builder, error);
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    weights[i] = *nn_model_weight (model, i);
  return result != NULL ? nn_model_new (result, weights, nn_model_n_weights (model), nn_model_info (model), error) : NULL;
}

gboolean
nn_keras_write (const NnModel  *source,
                const char     *path,
                gboolean        keras3,
                NnKerasPut      put,
                GError        **error)
{
  g_autoptr (NnModel) model = split_padding (source, error);
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (layer_free);
  g_autofree NnKerasOut **layer_of = NULL;
  g_autofree guint *call_of = NULL;
  NnKerasWriter writer = { .model = model, .layers = layers, .keras3 = keras3 };

  if (model == NULL)
    return FALSE;
  writer.graph = nn_model_graph (model);
  writer.layer_of = layer_of = g_new0 (NnKerasOut *, nn_graph_n_nodes (writer.graph));
  writer.call_of = call_of = g_new0 (guint, nn_graph_n_nodes (writer.graph));
  group_nodes (&writer);
  sort_layers (&writer);
  return put (&writer, path, error);
}

gboolean
nn_save_keras (const NnModel  *model,
               const char     *path,
               GError        **error)
{
  return nn_keras_write (model, path, FALSE, put_file, error);
}
