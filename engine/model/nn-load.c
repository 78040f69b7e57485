/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which reader serves a file: decided by its first bytes. */

#include "nn-load-private.h"

#include "nn-error.h"
#include "nn-h5.h"
#include "nn-zip.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* An architecture of text larger than this is not one. */
#define MAX_JSON_BYTES (256u << 20)
#define MAX_WEIGHTS_BYTES (16ull << 30)
/* A zip up to this is read in memory. */
#define MAX_IMAGE_BYTES (16u << 20)
#define ACCEPTED                                                                                                  \
  "Keras .h5, .keras, or .json with weights beside it; ONNX and QONNX .onnx; TensorFlow Lite .tflite; a pickled nn.Sequential of PyTorch"

void
nn_load_options_init (NnLoadOptions *options)
{
  *options = (NnLoadOptions){ 0 };
}

gboolean
nn_load_unsupported (GError     **error,
                     const char  *format,
                     ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, text);
  return FALSE;
}

static gboolean
read_head (const char  *path,
           guint8      *head,
           gsize       *n,
           GError     **error)
{
  FILE *file;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_autofree char *saved = g_build_filename (path, "saved_model.pb", NULL);

      if (g_file_test (saved, G_FILE_TEST_EXISTS))
        g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: a folder of TensorFlow's SavedModel, which is not supported; save the network as "
                     "one file: model.save(\"network.keras\") or model.save(\"network.h5\")", path);
      else
        g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: a folder; a file is expected: " ACCEPTED, path);
      return FALSE;
    }
  file = fopen (path, "rb");
  if (file == NULL)
    {
      int code = errno;

      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code), "%s: %s", path, g_strerror (code));
      return FALSE;
    }
  *n = fread (head, 1, *n, file);
  fclose (file);
  return TRUE;
}

static NnModel *
load_h5 (const char          *path,
         NnH5                *h5,
         const NnLoadOptions *options,
         const NnProgress    *progress,
         GCancellable        *cancellable,
         GError             **error)
{
  g_autofree char *config = NULL, *version = NULL;
  g_autoptr (JsonNode) json = NULL;
  gboolean in_weights = nn_h5_is_group (h5, "model_weights");
  const char *root = in_weights ? "model_weights" : "";

  if (!nn_h5_has_attribute (h5, "", "model_config") && !nn_h5_has_attribute (h5, "", "model_config0"))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "%s: the HDF5 file holds no network, only %s; save the whole model, or open the .json architecture that "
                   "goes with it",
                   path, in_weights || nn_h5_has_attribute (h5, "", "layer_names") ? "weights" : "data");
      return NULL;
    }
  config = nn_h5_string (h5, "", "model_config", error);
  if (config == NULL)
    return NULL;
  json = nn_json_parse (config, -1, path, error);
  if (json == NULL)
    return NULL;
  if (nn_h5_has_attribute (h5, "", "keras_version"))
    version = nn_h5_string (h5, "", "keras_version", NULL);
  else if (nn_h5_has_attribute (h5, root, "keras_version"))
    version = nn_h5_string (h5, root, "keras_version", NULL);
  return nn_keras_load (path, json, version, "HDF5", h5, root, FALSE, options, progress, cancellable, error);
}

NnModel *
nn_load_h5_image (GBytes              *image,
                  const char          *path,
                  const NnLoadOptions *options,
                  const NnProgress    *progress,
                  GCancellable        *cancellable,
                  GError             **error)
{
  g_autoptr (NnH5) h5 = nn_h5_open_image (image, path, error);

  return h5 != NULL ? load_h5 (path, h5, options, progress, cancellable, error) : NULL;
}

/* NAME.json → NAME_weights.h5, or NAME.h5. */
static char *
find_weights (const char  *path,
              GError     **error)
{
  static const char *const endings[] = { "_weights.h5", "_weights.hdf5", ".weights.h5", ".h5", ".hdf5" };
  g_autofree char *stem = g_str_has_suffix (path, ".json") ? g_strndup (path, strlen (path) - 5) : g_strdup (path);

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *candidate = g_strconcat (stem, endings[i], NULL);

      if (g_file_test (candidate, G_FILE_TEST_IS_REGULAR))
        return g_steal_pointer (&candidate);
    }
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
               "%s: the architecture's weights are not here: \"%s_weights.h5\" is expected beside it, or name the file", path,
               stem);
  return NULL;
}

static NnModel *
load_json (const char          *path,
           const NnLoadOptions *options,
           const NnProgress    *progress,
           GCancellable        *cancellable,
           GError             **error)
{
  g_autofree char *text = NULL, *weights = NULL;
  g_autoptr (JsonNode) json = NULL;
  g_autoptr (NnH5) h5 = NULL;
  const char *version = NULL;
  GStatBuf status;
  gsize n;

  if (g_stat (path, &status) == 0 && status.st_size > MAX_JSON_BYTES)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: too large for an architecture", path);
      return NULL;
    }
  if (!g_file_get_contents (path, &text, &n, error))
    return NULL;
  json = nn_json_parse (text, n, path, error);
  if (json == NULL)
    return NULL;
  if (nn_json_string (nn_json_as_object (json), "class_name") == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: JSON, but no Keras architecture: it has no \"class_name\"", path);
      return NULL;
    }
  weights = options->weights_path != NULL ? g_strdup (options->weights_path) : find_weights (path, error);
  if (weights == NULL)
    return NULL;
  h5 = nn_h5_open (weights, error);
  if (h5 == NULL)
    return NULL;
  version = nn_json_string (nn_json_as_object (json), "keras_version");
  return nn_keras_load (path, json, version, "JSON + HDF5", h5, nn_h5_is_group (h5, "model_weights") ? "model_weights" : "",
                        FALSE, options, progress, cancellable, error);
}

/* The weights as a file of their own, which is gone when it is closed: the library would hold an image of them in memory. */
static NnH5 *
open_apart (GBytes      *zip,
            const char  *path,
            GError     **error)
{
  g_autofree char *name = NULL;
  int descriptor = g_file_open_tmp ("espalier-XXXXXX.h5", &name, error);
  NnH5 *h5 = NULL;
  gboolean ok;

  if (descriptor < 0)
    return NULL;
  ok = nn_zip_extract (zip, "model.weights.h5", descriptor, MAX_WEIGHTS_BYTES, path, error);
  close (descriptor);
  if (ok && (h5 = nn_h5_open (name, NULL)) == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the HDF5 file inside is damaged or incomplete", path);
  if (h5 != NULL)
    nn_h5_set_path (h5, path);
  g_unlink (name);
  return h5;
}

/* Small weights are read in memory. @image: (out): to be kept until the file is closed */
static NnH5 *
open_weights (GBytes      *zip,
              const char  *path,
              GBytes     **image,
              GError     **error)
{
  if (g_bytes_get_size (zip) > MAX_IMAGE_BYTES)
    return open_apart (zip, path, error);
  *image = nn_zip_member (zip, "model.weights.h5", MAX_WEIGHTS_BYTES, path, error);
  return *image != NULL ? nn_h5_open_image (*image, path, error) : NULL;
}

/**
 * nn_load_zip:
 *
 * Reads Keras 3's `.keras`: configuration and weights in a zip.
 */
NnModel *
nn_load_zip (GBytes              *zip,
             const char          *path,
             const NnLoadOptions *options,
             const NnProgress    *progress,
             GCancellable        *cancellable,
             GError             **error)
{
  g_autoptr (GBytes) config = nn_zip_member (zip, "config.json", MAX_JSON_BYTES, path, error);
  g_autoptr (GBytes) metadata = NULL;
  g_autoptr (GBytes) image = NULL;
  g_autoptr (JsonNode) json = NULL;
  g_autoptr (JsonNode) about = NULL;
  g_autoptr (NnH5) h5 = NULL;
  const char *text;
  gsize n;

  if (config == NULL)
    return NULL;
  text = g_bytes_get_data (config, &n);
  json = nn_json_parse (n > 0 ? text : "", n, path, error);
  if (json == NULL)
    return NULL;
  metadata = nn_zip_member (zip, "metadata.json", MAX_JSON_BYTES, path, NULL);
  if (metadata != NULL && (text = g_bytes_get_data (metadata, &n)) != NULL)
    about = nn_json_parse (text, n, path, NULL);
  h5 = open_weights (zip, path, &image, error);
  if (h5 == NULL)
    return NULL;
  return nn_keras_load (path, json, about != NULL ? nn_json_string (nn_json_as_object (about), "keras_version") : "3", "zip",
                        h5, nn_h5_is_group (h5, "layers") ? "layers" : "_layer_checkpoint_dependencies", TRUE, options,
                        progress, cancellable, error);
}

/* Tells the system that these pages of a file are not needed any more; they are read again if they are. */
void
nn_load_release (const guint8 *bytes,
                 gsize         n)
{
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  gsize first = ((gsize) bytes + page - 1) / page * page, until = ((gsize) bytes + n) / page * page;

#ifdef MADV_PAGEOUT
  if (until > first)
    madvise ((void *) first, until - first, MADV_PAGEOUT);
#endif
}

static GBytes *
map_file (const char  *path,
          GError     **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);

  return file != NULL ? g_mapped_file_get_bytes (file) : NULL;
}

static gboolean
starts (const guint8 *head,
        gsize         n,
        const char   *word)
{
  return n >= strlen (word) && g_ascii_strncasecmp ((const char *) head, word, strlen (word)) == 0;
}

static void
refuse (const char    *path,
        const guint8  *head,
        gsize          n,
        GError       **error)
{
  const char *what = n == 0 ? "the file is empty" : "no known network format", *other = NULL;

  if (starts (head, n, "version https://git-lfs"))
    other = "a pointer of Git LFS, not the file itself; \"git lfs pull\" fetches it";
  else if (starts (head, n, "<!doctype html") || starts (head, n, "<html"))
    other = "a web page, not a network: most likely what a download gave in place of the file";
  g_set_error (error, NN_ERROR, other != NULL ? NN_ERROR_UNSUPPORTED : NN_ERROR_FORMAT, "%s: %s. What can be opened: " ACCEPTED, path,
               other != NULL ? other : what);
}

/* Keras 3 and PyTorch both write zips. */
static NnModel *
load_zip (const char          *path,
          const NnLoadOptions *options,
          const NnProgress    *progress,
          GCancellable        *cancellable,
          GError             **error)
{
  g_autoptr (GBytes) zip = map_file (path, error);
  g_autofree char *pickle = zip != NULL ? nn_zip_find (zip, "/data.pkl") : NULL;

  if (zip == NULL)
    return NULL;
  return pickle != NULL ? nn_load_pytorch (zip, path, options, error) : nn_load_zip (zip, path, options, progress, cancellable, error);
}

/**
 * nn_model_load:
 * @options: (nullable): defaults without it
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_SHAPE, %G_FILE_ERROR; the message names file and layer
 *
 * Returns: (transfer full): the network
 */
NnModel *
nn_model_load (const char          *path,
               const NnLoadOptions *options,
               const NnProgress    *progress,
               GCancellable        *cancellable,
               GError             **error)
{
  NnLoadOptions defaults;
  guint8 head[64] = { 0 };
  gsize n = sizeof head, at = 0;

  nn_load_options_init (&defaults);
  if (options == NULL)
    options = &defaults;
  if (!read_head (path, head, &n, error))
    return NULL;
  while (at < n && g_ascii_isspace (head[at]))
    at++;
  if (n >= 3 && memcmp (head, "\357\273\277", 3) == 0)
    at = 3;
  if (nn_h5_is_hdf5 (head, n))
    {
      g_autoptr (NnH5) h5 = nn_h5_open (path, error);

      return h5 != NULL ? load_h5 (path, h5, options, progress, cancellable, error) : NULL;
    }
  if (nn_zip_is_zip (head, n))
    return load_zip (path, options, progress, cancellable, error);
  if (nn_pytorch_is_pickle (head, n))
    {
      g_autoptr (GBytes) bytes = map_file (path, error);

      return bytes != NULL ? nn_load_pytorch (bytes, path, options, error) : NULL;
    }
  if (at < n && head[at] == '{')
    return load_json (path, options, progress, cancellable, error);
  if (nn_tflite_is_tflite (head, n))
    {
      g_autoptr (GBytes) bytes = map_file (path, error);

      return bytes != NULL ? nn_load_tflite (bytes, path, options, progress, cancellable, error) : NULL;
    }
  if (nn_onnx_is_onnx (head, n))
    {
      g_autoptr (GBytes) bytes = map_file (path, error);

      return bytes != NULL ? nn_load_onnx (bytes, path, options, progress, cancellable, error) : NULL;
    }
  refuse (path, head, n, error);
  return NULL;
}
