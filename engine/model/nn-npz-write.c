/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing .npz: a zip archive of .npy files, stored. */

#include "nn-dataset.h"

#include "nn-error.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>

static gboolean
add (struct archive *archive,
     const char     *name,
     GByteArray     *bytes)
{
  struct archive_entry *entry = archive_entry_new ();
  g_autofree char *file = g_strconcat (name, ".npy", NULL);
  gboolean done;

  archive_entry_set_pathname (entry, file);
  archive_entry_set_size (entry, bytes->len);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  /* the same arrays make the same file */
  archive_entry_set_mtime (entry, 0, 0);
  done = archive_write_header (archive, entry) == ARCHIVE_OK &&
         archive_write_data (archive, bytes->data, bytes->len) == (la_ssize_t) bytes->len;
  archive_entry_free (entry);
  g_byte_array_unref (bytes);
  return done;
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
  g_autofree char *draft = g_strconcat (path, "~", NULL);
  struct archive *archive = archive_write_new ();
  gboolean done;

  done = archive_write_set_format_zip (archive) == ARCHIVE_OK &&
         archive_write_set_options (archive, "zip:compression=store") == ARCHIVE_OK &&
         archive_write_open_filename (archive, draft) == ARCHIVE_OK;
  for (guint i = 0; done && names[i] != NULL; i++)
    done = add (archive, names[i], nn_npy_format (arrays[i]));
  if (done && class_names != NULL)
    done = add (archive, "class_names", nn_npy_format_text (class_names));
  done = archive_write_close (archive) == ARCHIVE_OK && done;
  if (!done)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: cannot be written: %s", path,
                 archive_error_string (archive) != NULL ? archive_error_string (archive) : "no reason given");
  else if (g_rename (draft, path) != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: cannot be replaced", path);
      done = FALSE;
    }
  archive_write_free (archive);
  if (!done)
    g_unlink (draft);
  return done;
}
