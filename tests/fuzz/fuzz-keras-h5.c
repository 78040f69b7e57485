/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keras's HDF5 files: groups, attributes and variables. The bytes are a description of such a file in JSON, from which it is made:
 * HDF5 itself is a library's, what stands in the attributes is ours to read.
 *
 *   { "model_config": {...}, "keras_version": "...", "layer_names": [...],
 *     "layers": { NAME: { "weight_names": [...], "weights": { PATH: [EXTENTS] } } } }
 */

#include "fuzz-model.h"

#include <glib/gstdio.h>

/* More numbers than this are no variable of a small network. */
#define MOST_NUMBERS 4096

static char *
path_of_file (void)
{
  static char *path;

  if (path == NULL)
    {
      const char *quick = "/dev/shm";

      path = g_strdup_printf ("%s/espalier-fuzz-%d.h5", g_file_test (quick, G_FILE_TEST_IS_DIR) ? quick : g_get_tmp_dir (), getpid ());
    }
  return path;
}

static void
put_words (NnH5       *h5,
           const char *at,
           const char *name,
           JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, name);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  if (node == NULL)
    return;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_string (node) != NULL)
    (void) !nn_h5_put_string (h5, at, name, json_node_get_string (node), NULL);
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return;
  for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
    {
      JsonNode *word = json_array_get_element (json_node_get_array (node), i);
      const char *text = JSON_NODE_HOLDS_VALUE (word) ? json_node_get_string (word) : NULL;

      g_ptr_array_add (words, (char *) (text != NULL ? text : ""));
    }
  g_ptr_array_add (words, NULL);
  (void) !nn_h5_put_strings (h5, at, name, (const char *const *) words->pdata, NULL);
}

/* Numbers of any shape that is small, neither all alike nor all positive. */
static void
put_variable (NnH5       *h5,
              const char *layer,
              const char *name,
              JsonNode   *extents)
{
  g_autofree char *at = g_strconcat (layer, "/", name, NULL);
  g_autoptr (NnTensor) tensor = NULL;
  NnShape shape = { 0 };
  gsize n;

  if (!JSON_NODE_HOLDS_ARRAY (extents) || json_array_get_length (json_node_get_array (extents)) > NN_MAX_RANK)
    return;
  for (guint i = 0; i < json_array_get_length (json_node_get_array (extents)); i++)
    {
      JsonNode *extent = json_array_get_element (json_node_get_array (extents), i);

      shape.dims[shape.rank++] = JSON_NODE_HOLDS_VALUE (extent) ? CLAMP (json_node_get_int (extent), 0, MOST_NUMBERS) : 0;
    }
  if (!nn_shape_size (&shape, &n) || n > MOST_NUMBERS)
    return;
  tensor = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < n; i++)
    nn_tensor_f32 (tensor)[i] = (float) ((int) (i * 7 % 13) - 6) / 4;
  (void) !nn_h5_put (h5, at, tensor, NULL);
}

static void
put_layer (JsonObject *layers,
           const char *name,
           JsonNode   *node,
           gpointer    h5)
{
  JsonObject *layer = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonNode *weights = layer != NULL ? json_object_get_member (layer, "weights") : NULL;
  g_autofree char *at = g_strconcat ("model_weights/", name, NULL);
  g_autoptr (GList) names = NULL;

  if (layer == NULL || !nn_h5_put_group (h5, at, NULL))
    return;
  put_words (h5, at, "weight_names", layer);
  names = weights != NULL && JSON_NODE_HOLDS_OBJECT (weights) ? json_object_get_members (json_node_get_object (weights)) : NULL;
  for (GList *l = names; l != NULL; l = l->next)
    put_variable (h5, at, l->data, json_object_get_member (json_node_get_object (weights), l->data));
}

static gboolean
make_file (JsonObject *file,
           const char *path)
{
  g_autoptr (NnH5) h5 = nn_h5_create (path, NULL);
  JsonNode *config = json_object_get_member (file, "model_config"), *layers = json_object_get_member (file, "layers");
  g_autofree char *text = config != NULL ? json_to_string (config, FALSE) : NULL;

  g_assert_nonnull (h5);
  if (text != NULL)
    (void) !nn_h5_put_string (h5, "", "model_config", text, NULL);
  put_words (h5, "", "keras_version", file);
  if (!nn_h5_put_group (h5, "model_weights", NULL))
    return FALSE;
  put_words (h5, "model_weights", "layer_names", file);
  put_words (h5, "model_weights", "backend", file);
  if (layers != NULL && JSON_NODE_HOLDS_OBJECT (layers))
    json_object_foreach_member (json_node_get_object (layers), put_layer, h5);
  return nn_h5_finish (h5, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (JsonNode) json = nn_json_parse (text, -1, "fuzz.json", NULL);
  g_autoptr (GError) error = NULL;
  const char *path = path_of_file ();
  NnLoadOptions options;

  if (json == NULL || !JSON_NODE_HOLDS_OBJECT (json) || !make_file (json_node_get_object (json), path))
    return 0;
  nn_load_options_init (&options);
  fuzz_model (nn_model_load (path, &options, NULL, NULL, &error), &error);
  g_unlink (path);
  return 0;
}
