/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keras's HDF5 files: groups, attributes and variables. The bytes are a description of such a file in JSON, from which it is made:
 * HDF5 itself is a library's, what stands in the attributes is ours to read.
 *
 *   { "model_config": {...}, "keras_version": "...", "layer_names": [...],
 *     "layers": { NAME: { "weight_names": [...], "weights": { PATH: [EXTENTS] } } } }
 */

#include "fuzz-model.h"

#include "nn-h5-private.h"

/* More numbers than this are no variable of a small network. */
#define MOST_NUMBERS 4096
/* Bytes by which a file in memory grows. */
#define BLOCK 4096

/* A file in memory alone: thousands of names made and taken away again would be all that the time went to. */
static NnH5 *
create_in_memory (void)
{
  NnH5 *h5 = g_new0 (NnH5, 1);
  hid_t access;

  nn_h5_lock ();
  access = H5Pcreate (H5P_FILE_ACCESS);
  H5Pset_fapl_core (access, BLOCK, FALSE);
  h5->file = H5Fcreate ("fuzz.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose (access);
  nn_h5_unlock ();
  h5->path = g_strdup ("fuzz.h5");
  g_assert_cmpint (h5->file, >=, 0);
  return h5;
}

/* What a disk would hold of it. */
static GBytes *
image_of (NnH5 *h5)
{
  guint8 *bytes;
  ssize_t n;

  nn_h5_lock ();
  H5Fflush (h5->file, H5F_SCOPE_LOCAL);
  n = H5Fget_file_image (h5->file, NULL, 0);
  g_assert_cmpint (n, >, 0);
  bytes = g_malloc (n);
  g_assert_cmpint (H5Fget_file_image (h5->file, bytes, n), ==, n);
  nn_h5_unlock ();
  return g_bytes_new_take (bytes, n);
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

static GBytes *
make_file (JsonObject *file)
{
  g_autoptr (NnH5) h5 = create_in_memory ();
  JsonNode *config = json_object_get_member (file, "model_config"), *layers = json_object_get_member (file, "layers");
  g_autofree char *text = config != NULL ? json_to_string (config, FALSE) : NULL;

  if (text != NULL)
    (void) !nn_h5_put_string (h5, "", "model_config", text, NULL);
  put_words (h5, "", "keras_version", file);
  (void) !nn_h5_put_group (h5, "model_weights", NULL);
  put_words (h5, "model_weights", "layer_names", file);
  put_words (h5, "model_weights", "backend", file);
  if (layers != NULL && JSON_NODE_HOLDS_OBJECT (layers))
    json_object_foreach_member (json_node_get_object (layers), put_layer, h5);
  return image_of (h5);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (JsonNode) json = nn_json_parse (text, -1, "fuzz.json", NULL);
  g_autoptr (GBytes) image = NULL;
  g_autoptr (GError) error = NULL;
  NnLoadOptions options;

  if (json == NULL || !JSON_NODE_HOLDS_OBJECT (json))
    return 0;
  image = make_file (json_node_get_object (json));
  nn_load_options_init (&options);
  return fuzz_model (nn_load_h5_image (image, "fuzz.h5", &options, NULL, NULL, &error), &error);
}
