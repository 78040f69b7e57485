/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's .npz: a zip of .npy arrays, stored or deflated; members are inflated as they are read. */

#include "nn-data-private.h"

#include "nn-error.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib/gstdio.h>
#include <string.h>

/* libarchive's answer as an error of ours. */
static gboolean
archive_failed (struct archive *zip,
                const char     *path,
                GError        **error)
{
  const char *text = archive_error_string (zip);

  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable .npz file: %s", path, text != NULL ? text : "unknown error");
  return FALSE;
}

static struct archive *
open_zip (const char *path,
          guint64    *limit,
          GError    **error)
{
  struct archive *zip;
  GStatBuf info;

  if (g_stat (path, &info) != 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", path, g_strerror (errno));
      return NULL;
    }
  *limit = MIN ((guint64) info.st_size, G_MAXUINT64 / NN_DATA_MAX_EXPANSION) * NN_DATA_MAX_EXPANSION;
  zip = archive_read_new ();
  archive_read_support_format_zip (zip);
  if (archive_read_open_filename (zip, path, 1 << 16) == ARCHIVE_OK)
    return zip;
  archive_failed (zip, path, error);
  archive_read_free (zip);
  return NULL;
}

static void
close_zip (gpointer zip)
{
  archive_read_free (zip);
}

static gssize
fetch_member (gpointer  source,
              guint8   *to,
              gsize     n,
              GError  **error)
{
  la_ssize_t got = archive_read_data (source, to, n);

  if (got >= 0)
    return got;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the zip archive is damaged: %s",
               archive_error_string (source) != NULL ? archive_error_string (source) : "unknown error");
  return -1;
}

/* "x.npy" is the array x; anything else in the zip is none. */
static char *
member_name (struct archive_entry *entry)
{
  const char *name = archive_entry_pathname_utf8 (entry);

  name = name != NULL ? name : archive_entry_pathname (entry);
  if (name == NULL || !g_str_has_suffix (name, ".npy"))
    return NULL;
  return g_strndup (name, strlen (name) - strlen (".npy"));
}

GPtrArray *
nn_data_npz_list (const char *path,
                  GError    **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);
  guint64 limit;
  struct archive *zip = open_zip (path, &limit, error);
  struct archive_entry *entry;
  int status = ARCHIVE_EOF;

  while (zip != NULL && (status = archive_read_next_header (zip, &entry)) >= ARCHIVE_WARN && status != ARCHIVE_EOF)
    {
      g_autofree char *name = member_name (entry);
      g_autoptr (GError) problem = NULL;
      g_autoptr (NnNpy) npy = NULL;

      if (name == NULL)
        continue;
      npy = nn_npy_open (fetch_member, zip, NULL, limit, &problem);
      g_ptr_array_add (entries, npy != NULL ? nn_npy_entry (npy, name) : nn_data_entry_unreadable (name, problem->message));
    }
  if (zip == NULL)
    return NULL;
  if (status != ARCHIVE_EOF)
    archive_failed (zip, path, error);
  archive_read_free (zip);
  if (status == ARCHIVE_EOF && entries->len > 0)
    return g_steal_pointer (&entries);
  if (status == ARCHIVE_EOF)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the zip archive holds no array of NumPy (.npy)", path);
  return NULL;
}

/* The error does not name the file: the caller does. */
NnArrayReader *
nn_data_npz_open (const char *path,
                  const char *wanted,
                  GError    **error)
{
  guint64 limit;
  struct archive *zip = open_zip (path, &limit, error);
  struct archive_entry *entry;

  while (zip != NULL && archive_read_next_header (zip, &entry) >= ARCHIVE_WARN)
    {
      g_autofree char *name = member_name (entry);
      NnNpy *npy;

      if (name == NULL || (wanted != NULL && strcmp (name, wanted) != 0))
        continue;
      npy = nn_npy_open (fetch_member, zip, close_zip, limit, error);
      return npy != NULL ? nn_npy_reader (npy, error) : NULL;
    }
  if (zip != NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no array \"%s\"", wanted != NULL ? wanted : "*.npy");
      archive_read_free (zip);
    }
  return NULL;
}
