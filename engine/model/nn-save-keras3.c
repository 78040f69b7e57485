/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network as Keras 3's own file: a zip of metadata.json, config.json and model.weights.h5, whose variables have numbers. What
 * Keras does not know lies in a group of its own of the weights. Source: Keras 3, saving/saving_lib.py: _save_model_to_fileobj,
 * _save_state, _save_container_state; models/functional.py: Functional.get_config, deserialize_node. */

#include "nn-save-keras.h"

#include "nn-error.h"
#include "nn-keras.h"
#include "nn-zip.h"

#include <glib/gstdio.h>
#include <string.h>

#define KERAS_VERSION "3.5.0"

/* QKeras's layers, and what it makes its weights by. */
static gboolean
is_qkeras (const char *class_name)
{
  const char *plain = nn_keras_plain_class (class_name);

  return g_str_has_prefix (class_name, "qkeras>") || (plain == class_name && ((plain[0] == 'Q' && !g_str_has_prefix (plain, "Quant")) ||
                                                                              g_str_equal (plain, "Clip")));
}

/* The module where Keras looks for an object, by the member that holds it. */
static const char *
module_of (const char *member)
{
  static const char *const modules[][2] = {
    { "initializer", "keras.initializers" }, { "_regularizer", "keras.regularizers" }, { "_constraint", "keras.constraints" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (modules); i++)
    if (g_str_has_suffix (member, modules[i][0]))
      return modules[i][1];
  return g_str_equal (member, "layer") || g_str_equal (member, "backward_layer") ? "keras.layers" : NULL;
}

/* A class of Keras's is found by its module; of QKeras's by that too, or by its name among the reader's custom objects; another,
 * "HGQ>HDense", by the name under which it was registered. */
static void
set_class (JsonObject *object,
           const char *class_name,
           const char *module)
{
  /* the object's own name may be what is told, and is replaced */
  g_autofree char *full = g_strdup (class_name), *plain = g_strdup (nn_keras_plain_class (class_name));
  gboolean qkeras = is_qkeras (full), registered = !g_str_equal (plain, full);

  json_object_set_string_member (object, "class_name", plain);
  if (registered || qkeras)
    json_object_set_string_member (object, "registered_name", full);
  else
    json_object_set_null_member (object, "registered_name");
  if (qkeras)
    module = "qkeras";
  if ((registered && !qkeras) || module == NULL)
    json_object_set_null_member (object, "module");
  else
    json_object_set_string_member (object, "module", module);
}

/* Gives the objects inside a configuration their modules, as Keras 3 writes them. */
static void
set_modules (JsonObject *config)
{
  g_autoptr (GList) members = json_object_get_members (config);

  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonObject *inner = nn_json_object (config, l->data);
      const char *class_name = nn_json_string (inner, "class_name"), *module = module_of (l->data);

      if (class_name == NULL || module == NULL || nn_json_string (inner, "module") != NULL)
        continue;
      set_class (inner, class_name, module);
      if (nn_json_object (inner, "config") != NULL)
        set_modules (nn_json_object (inner, "config"));
    }
}

static JsonObject *
tensor (const NnKerasWriter *writer,
        guint                node)
{
  const NnShape *shape = &nn_graph_node (writer->graph, node)->shape;
  JsonObject *object = json_object_new (), *config = json_object_new ();
  JsonArray *dims = json_array_new ();

  json_array_add_null_element (dims);
  for (guint i = 0; i < shape->rank; i++)
    if (shape->dims[i] < 0)
      json_array_add_null_element (dims);
    else
      json_array_add_int_element (dims, shape->dims[i]);
  json_object_set_array_member (config, "shape", dims);
  json_object_set_string_member (config, "dtype", "float32");
  json_object_set_array_member (config, "keras_history", nn_keras_reference (writer, node));
  json_object_set_string_member (object, "class_name", "__keras_tensor__");
  json_object_set_object_member (object, "config", config);
  return object;
}

/* One call: a tensor, a list of them, or of attention one after another. */
static JsonObject *
inbound (const NnKerasWriter *writer,
         const NnKerasOut    *layer,
         const NnNode        *node)
{
  JsonObject *object = json_object_new ();
  JsonArray *args = json_array_new (), *list = json_array_new ();
  gboolean attention;

  if (layer->helpers->len > 0)
    node = nn_graph_node (writer->graph, g_array_index (layer->helpers, guint, 0));
  attention = node->op == NN_OP_MULTI_HEAD_ATTENTION;
  for (guint i = 0; i < node->n_inputs; i++)
    json_array_add_object_element (node->n_inputs == 1 || attention ? args : list, tensor (writer, node->inputs[i]));
  /* Keras takes a query alone for no call */
  if (attention && node->n_inputs == 1)
    json_array_add_object_element (args, tensor (writer, node->inputs[0]));
  if (json_array_get_length (list) > 0)
    json_array_add_array_element (args, list);
  else
    json_array_unref (list);
  json_object_set_array_member (object, "args", args);
  json_object_set_object_member (object, "kwargs", json_object_new ());
  return object;
}

static JsonObject *
layer_object (const NnKerasWriter  *writer,
              const NnKerasOut     *layer,
              GError              **error)
{
  const char *class_name = NULL;
  JsonObject *config = nn_keras_out_config (writer, layer, &class_name, error), *object;
  const NnNode *node;
  JsonArray *calls;

  if (config == NULL)
    return NULL;
  node = nn_graph_node (writer->graph, g_array_index (layer->calls, guint, 0));
  object = json_object_new ();
  calls = json_array_new ();
  set_modules (config);
  set_class (object, class_name, "keras.layers");
  for (guint i = 0; node->op != NN_OP_INPUT && i < layer->calls->len; i++)
    json_array_add_object_element (calls, inbound (writer, layer, nn_graph_node (writer->graph, g_array_index (layer->calls, guint, i))));
  json_object_set_object_member (object, "config", config);
  json_object_set_string_member (object, "name", layer->name);
  json_object_set_array_member (object, "inbound_nodes", calls);
  return object;
}

/* One end alone, several in a list. */
static void
set_ends (const NnKerasWriter *writer,
          JsonObject          *config,
          const char          *name,
          const guint         *nodes,
          guint                n)
{
  JsonArray *list;

  if (n == 1)
    {
      json_object_set_array_member (config, name, nn_keras_reference (writer, nodes[0]));
      return;
    }
  list = json_array_new ();
  for (guint i = 0; i < n; i++)
    json_array_add_array_element (list, nn_keras_reference (writer, nodes[i]));
  json_object_set_array_member (config, name, list);
}

static char *
architecture (const NnKerasWriter  *writer,
              GError              **error)
{
  g_autoptr (JsonObject) model = json_object_new ();
  g_autoptr (JsonNode) root = NULL;
  JsonObject *config = json_object_new ();
  JsonArray *layers = json_array_new ();
  const NnModelInfo *info = nn_model_info (writer->model);
  const guint *nodes;
  guint n;

  set_class (model, "Functional", "keras.src.models.functional");
  json_object_set_string_member (model, "registered_name", "Functional");
  json_object_set_object_member (model, "config", config);
  json_object_set_string_member (config, "name", info->name != NULL ? info->name : "model");
  json_object_set_boolean_member (config, "trainable", TRUE);
  json_object_set_array_member (config, "layers", layers);
  for (guint i = 0; i < writer->layers->len; i++)
    {
      JsonObject *object = layer_object (writer, writer->layers->pdata[i], error);

      if (object == NULL)
        return NULL;
      json_array_add_object_element (layers, object);
    }
  nodes = nn_graph_inputs (writer->graph, &n);
  set_ends (writer, config, "input_layers", nodes, n);
  nodes = nn_graph_outputs (writer->graph, &n);
  set_ends (writer, config, "output_layers", nodes, n);
  root = json_node_init_object (json_node_alloc (), model);
  return nn_json_text (root);
}

/* Where Keras 3 keeps a weight: the part of the layer, "" for the layer itself. NULL: at the place its name tells. */
static const char *
part_of (const NnNode   *node,
         const NnWeight *weight)
{
  static const struct {
    NnRole      role;
    const char *part;
  } parts[] = {
    { NN_ROLE_QUERY_KERNEL, "query_dense/" },   { NN_ROLE_QUERY_BIAS, "query_dense/" },   { NN_ROLE_KEY_KERNEL, "key_dense/" },
    { NN_ROLE_KEY_BIAS, "key_dense/" },         { NN_ROLE_VALUE_KERNEL, "value_dense/" }, { NN_ROLE_VALUE_BIAS, "value_dense/" },
    { NN_ROLE_OUTPUT_KERNEL, "output_dense/" }, { NN_ROLE_OUTPUT_BIAS, "output_dense/" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i].role == weight->role)
      return parts[i].part;
  /* a batch norm that a layer of QKeras's folds into its kernel is a layer inside it */
  if ((weight->role == NN_ROLE_GAMMA || weight->role == NN_ROLE_BETA || weight->role == NN_ROLE_MEAN || weight->role == NN_ROLE_VARIANCE) &&
      node->op != NN_OP_BATCH_NORM && node->op != NN_OP_LAYER_NORM)
    return "batchnorm/";
  if (g_str_has_prefix (weight->name, "forward/"))
    return "forward_layer/cell/";
  if (g_str_has_prefix (weight->name, "backward/"))
    return "backward_layer/cell/";
  if (weight->role == NN_ROLE_OTHER && weight->name[strlen (weight->name) - 1] >= '0' && weight->name[strlen (weight->name) - 1] <= '9')
    return NULL;
  return nn_op_is_recurrent (node->op) ? "cell/" : "";
}

/* "kq/quantizer/1" to "kq/quantizer/vars/1". (transfer full) */
static char *
place_by_name (const char *name)
{
  const char *slash = strrchr (name, '/');
  g_autofree char *part = slash != NULL ? g_strndup (name, (gsize) (slash + 1 - name)) : g_strdup ("");

  return g_strdup_printf ("%svars/%s", part, slash != NULL ? slash + 1 : name);
}

static gboolean
put_layer (NnKerasWriter     *writer,
           NnH5              *h5,
           const NnKerasOut  *layer,
           const char        *group,
           GError           **error)
{
  const NnNode *node = nn_graph_node (writer->graph, g_array_index (layer->calls, guint, 0));
  const char *step = node->attrs.time_distributed ? "layer/" : "";
  g_autoptr (GHashTable) next = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *vars = g_strdup_printf ("%s/vars", group);

  if (!nn_h5_put_group (h5, group, error) || !nn_h5_put_group (h5, vars, error))
    return FALSE;
  for (guint i = 0; node->op == NN_OP_SCALE && node->source == NULL && i < 4; i++)
    {
      g_autoptr (NnTensor) values = nn_keras_scale_values (writer, node, i);
      g_autofree char *path = g_strdup_printf ("%s/%u", vars, i);

      if (!nn_h5_put (h5, path, values, error))
        return FALSE;
    }
  for (guint i = 0; !nn_keras_told_by_config (node) && i < layer->ids->len; i++)
    {
      const NnWeight *weight = nn_model_weight (writer->model, g_array_index (layer->ids, guint, i));
      const char *part = part_of (node, weight);
      guint number = part != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (next, part)) : 0;
      g_autofree char *place = part != NULL ? g_strdup_printf ("%s%svars/%u", step, part, number) : place_by_name (weight->name);
      g_autofree char *path = g_strdup_printf ("%s/%s", group, place);

      if (part != NULL)
        g_hash_table_insert (next, (gpointer) part, GUINT_TO_POINTER (number + 1));
      if (!nn_keras_put_masked (h5, path, weight, error) || !nn_keras_put_mask (h5, layer, weight, error))
        return FALSE;
    }
  return TRUE;
}

/* Layers have their classes' names, numbered in the order of the list. */
static gboolean
put_weights (NnKerasWriter  *writer,
             const char     *path,
             GError        **error)
{
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (NnH5) h5 = nn_h5_create (path, error);

  /* the model's own variables, of which there are none: older Keras 3 fails without the group */
  if (h5 == NULL || !nn_h5_put_group (h5, "layers", error) || !nn_h5_put_group (h5, "vars", error))
    return FALSE;
  for (guint i = 0; i < writer->layers->len; i++)
    {
      const NnKerasOut *layer = writer->layers->pdata[i];
      const char *class_name = NULL;
      g_autoptr (JsonObject) config = nn_keras_out_config (writer, layer, &class_name, error);
      g_autofree char *snake = config != NULL ? nn_keras_snake_case (nn_keras_plain_class (class_name)) : NULL;
      guint n = snake != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (used, snake)) : 0;
      g_autofree char *group = n == 0 ? g_strdup_printf ("layers/%s", snake) : g_strdup_printf ("layers/%s_%u", snake, n);

      if (config == NULL || !put_layer (writer, h5, layer, group, error))
        return FALSE;
      g_hash_table_insert (used, g_steal_pointer (&snake), GUINT_TO_POINTER (n + 1));
    }
  return nn_keras_put_info (writer, h5, error) && nn_h5_finish (h5, error);
}

static gboolean
put_zip (const char  *path,
         const char  *config,
         GMappedFile *weights,
         GError     **error)
{
  static const char metadata[] = "{\"keras_version\": \"" KERAS_VERSION "\"}";
  NnZipWriter *zip = nn_zip_create (path);

  nn_zip_put (zip, "metadata.json", metadata, strlen (metadata));
  nn_zip_put (zip, "config.json", config, strlen (config));
  nn_zip_put (zip, "model.weights.h5", g_mapped_file_get_contents (weights), g_mapped_file_get_length (weights));
  return nn_zip_finish (zip, error);
}

static gboolean
put_file (NnKerasWriter  *writer,
          const char     *path,
          GError        **error)
{
  g_autofree char *config = architecture (writer, error), *weights = g_strconcat (path, ".weights.h5", NULL);
  g_autoptr (GMappedFile) file = NULL;
  gboolean done;

  if (config == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  done = put_weights (writer, weights, error) && (file = g_mapped_file_new (weights, FALSE, error)) != NULL &&
         put_zip (path, config, file, error);
  g_unlink (weights);
  return done;
}

gboolean
nn_save_keras3 (const NnModel  *model,
                const char     *path,
                GError        **error)
{
  return nn_keras_write (model, path, TRUE, put_file, error);
}
