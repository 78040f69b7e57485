/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Keras network: what the file holds besides layers. */

#include "nn-keras.h"

#include "nn-error.h"

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
        return nn_keras_bad_file (keras, weight->layer, "its mask has another shape than its weight", error);
      for (gsize k = 0; k < mask->n; k++)
        if (nn_tensor_u8 (mask)[k] > 1 || (nn_tensor_u8 (mask)[k] == 0 && nn_tensor_f32 (weight->values)[k] != 0))
          return nn_keras_bad_file (keras, weight->layer, "its mask does not agree with its weight", error);
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
    nn_graph_builder_output (keras->builder, nn_keras_turn_back (keras, g_array_index (outputs, guint, i)));
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
  g_autoptr (GStringChunk) strings = g_string_chunk_new (1024);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) turned = g_hash_table_new (NULL, NULL), masked = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE, sizeof (guint));
  g_auto (GStrv) parts = g_strsplit (version != NULL ? version : "2", ".", 3);
  g_autofree char *format = g_strdup_printf ("Keras %s%s%s %s", parts[0], parts[0] != NULL && parts[1] != NULL ? "." : "",
                                             parts[0] != NULL && parts[1] != NULL ? parts[1] : "", container);
  NnKerasScope scope = { .prefix = "", .container = root, .used = used };
  NnKeras keras = {
    .file = path, .options = options, .progress = progress, .cancellable = cancellable, .builder = builder, .h5 = h5,
    .root = root, .numbered = numbered, .weights = weights, .strings = strings, .ids = ids, .turned = turned, .masked = masked,
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
  if (!nn_keras_build_model (&keras, &(NnKerasModel){ .json = model, .scope = &scope, .outputs = outputs }, error))
    return NULL;
  nn_progress_report (progress, 1, NULL);
  return finish (&keras, model, format, outputs, error);
}
