/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a zip file of members that are stored as they are. */

#include "nn-zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>

struct _NnZipWriter {
  char           *path;
  char           *draft;
  struct archive *archive;
  gboolean        done; /* all so far */
};

/**
 * nn_zip_create:
 *
 * Begins a zip beside @path; nn_zip_finish() puts it there. What fails in between is told then.
 *
 * Returns: (transfer full): for nn_zip_finish()
 */
NnZipWriter *
nn_zip_create (const char *path)
{
  NnZipWriter *zip = g_new (NnZipWriter, 1);

  zip->path = g_strdup (path);
  zip->draft = g_strconcat (path, "~", NULL);
  zip->archive = archive_write_new ();
  zip->done = archive_write_set_format_zip (zip->archive) == ARCHIVE_OK &&
              archive_write_set_options (zip->archive, "zip:compression=store") == ARCHIVE_OK &&
              archive_write_open_filename (zip->archive, zip->draft) == ARCHIVE_OK;
  return zip;
}

/* Adds a member. The same members make the same file: none has a date. */
void
nn_zip_put (NnZipWriter *zip,
            const char  *member,
            const void  *bytes,
            gsize        n)
{
  struct archive_entry *entry = archive_entry_new ();

  archive_entry_set_pathname (entry, member);
  archive_entry_set_size (entry, (la_int64_t) n);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  archive_entry_set_mtime (entry, 0, 0);
  zip->done = zip->done && archive_write_header (zip->archive, entry) == ARCHIVE_OK &&
              archive_write_data (zip->archive, bytes, n) == (la_ssize_t) n;
  archive_entry_free (entry);
}

/**
 * nn_zip_finish:
 * @zip: (transfer full):
 *
 * Replaces the file by what was written, or leaves it as it was.
 *
 * Errors: %G_IO_ERROR
 */
gboolean
nn_zip_finish (NnZipWriter  *zip,
               GError      **error)
{
  gboolean done = archive_write_close (zip->archive) == ARCHIVE_OK && zip->done;

  if (!done)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: cannot be written: %s", zip->path,
                 archive_error_string (zip->archive) != NULL ? archive_error_string (zip->archive) : "no reason given");
  else if (g_rename (zip->draft, zip->path) != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: cannot be replaced", zip->path);
      done = FALSE;
    }
  archive_write_free (zip->archive);
  if (!done)
    g_unlink (zip->draft);
  g_free (zip->draft);
  g_free (zip->path);
  g_free (zip);
  return done;
}
