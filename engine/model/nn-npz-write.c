/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing .npz: a zip archive of .npy files, stored. */

#include "nn-dataset.h"

#include "nn-zip.h"

/* @bytes: (transfer full) */
static void
put (NnZipWriter *zip,
     const char  *name,
     GByteArray  *bytes)
{
  g_autofree char *member = g_strconcat (name, ".npy", NULL);

  nn_zip_put (zip, member, bytes->data, bytes->len);
  g_byte_array_unref (bytes);
}

/**
 * nn_npz_write:
 *
 * Writes beside the file first, then replaces it.
 *
 * Errors: %G_IO_ERROR
 */
gboolean
nn_npz_write (const char         *path,
              const char *const  *names,
              NnTensor *const    *arrays,
              const char *const  *class_names,
              GError            **error)
{
  NnZipWriter *zip = nn_zip_create (path);

  for (guint i = 0; names[i] != NULL; i++)
    put (zip, names[i], nn_npy_format (arrays[i]));
  if (class_names != NULL)
    put (zip, "class_names", nn_npy_format_text (class_names));
  return nn_zip_finish (zip, error);
}
