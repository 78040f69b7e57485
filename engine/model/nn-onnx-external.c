/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tensors whose numbers lie in a file beside the network. Source: ONNX, docs/ExternalData. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

static const char *
entry (const Onnx__TensorProto *proto,
       const char              *key)
{
  for (gsize i = 0; i < proto->n_external_data; i++)
    if (g_strcmp0 (proto->external_data[i]->key, key) == 0)
      return proto->external_data[i]->value;
  return NULL;
}

/* A whole number that is told in decimal; @fallback where it is not told. */
static gboolean
number (const Onnx__TensorProto *proto,
        const char              *key,
        guint64                  fallback,
        guint64                 *value)
{
  const char *text = entry (proto, key);

  *value = fallback;
  return text == NULL || g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, value, NULL);
}

/* A network may not read files elsewhere than in its own folder and those below. */
static gboolean
is_beside (const char *location)
{
  g_auto (GStrv) parts = g_strsplit_set (location, "/\\", -1);

  return !g_path_is_absolute (location) && !g_strv_contains ((const char *const *) parts, "..");
}

/* (transfer none) (nullable) */
static GMappedFile *
open_beside (NnOnnx      *onnx,
             const char  *tensor,
             const char  *location,
             GError     **error)
{
  g_autofree char *folder = g_path_get_dirname (onnx->file), *path = g_build_filename (folder, location, NULL);
  GMappedFile *file = g_hash_table_lookup (onnx->external, location);
  g_autoptr (GError) inner = NULL;

  if (file != NULL)
    return file;
  if (!is_beside (location))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "%s: the numbers of the tensor \"%s\" are said to lie in \"%s\"; only files in the network's own folder are read", onnx->file,
                   tensor, location);
      return NULL;
    }
  file = g_mapped_file_new (path, FALSE, &inner);
  if (file == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "%s: the numbers of the tensor \"%s\" lie in \"%s\", which cannot be opened: put that file beside the network, or save the "
                   "network as one file (%s)",
                   onnx->file, tensor, location, inner->message);
      return NULL;
    }
  g_hash_table_insert (onnx->external, g_strdup (location), file);
  return file;
}

/**
 * nn_onnx_external:
 * @bytes: (out): live as long as @onnx
 *
 * Errors: %NN_ERROR_FORMAT where the file is missing, elsewhere than beside the network, or too short
 */
gboolean
nn_onnx_external (NnOnnx                   *onnx,
                  const Onnx__TensorProto  *proto,
                  const guint8            **bytes,
                  gsize                    *n,
                  GError                  **error)
{
  const char *location = entry (proto, "location"), *name = proto->name != NULL ? proto->name : "?";
  guint64 offset, length;
  GMappedFile *file;
  gsize size;

  if (location == NULL || !number (proto, "offset", 0, &offset) || !number (proto, "length", G_MAXUINT64, &length))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "%s: the tensor \"%s\" lies in another file, but \"location\", \"offset\" or \"length\" of that is missing or no number",
                   onnx->file, name);
      return FALSE;
    }
  file = open_beside (onnx, name, location, error);
  if (file == NULL)
    return FALSE;
  size = g_mapped_file_get_length (file);
  if (length == G_MAXUINT64 && offset <= size)
    length = size - offset;
  if (offset > size || length > size - offset)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "%s: the tensor \"%s\" is said to be bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " of \"%s\", which has %" G_GSIZE_FORMAT,
                   onnx->file, name, offset, offset + length, location, size);
      return FALSE;
    }
  *bytes = (const guint8 *) g_mapped_file_get_contents (file) + offset;
  *n = (gsize) length;
  return TRUE;
}
