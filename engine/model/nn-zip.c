/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members of a zip file as bytes or as files, by libarchive. */

#include "nn-zip.h"

#include "nn-error.h"
#include "nn-load-private.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_MEMBERS 65536
#define CHUNK (1u << 20)
/* Bytes after which the pages of the zip are given back. */
#define RELEASED ((guint64) 16 << 20)

gboolean
nn_zip_is_zip (const guint8 *bytes,
               gsize         n_bytes)
{
  return n_bytes >= 4 && memcmp (bytes, "PK\003\004", 4) == 0;
}

/* Where the bytes of a member go: memory, or a file. */
typedef struct {
  GByteArray *bytes;
  int         descriptor;
} Sink;

static gboolean
put (const Sink   *sink,
     const guint8 *bytes,
     gsize         n)
{
  if (sink->bytes != NULL)
    {
      g_byte_array_append (sink->bytes, bytes, (guint) n);
      return TRUE;
    }
  while (n > 0)
    {
      gssize written = write (sink->descriptor, bytes, n);

      if (written <= 0)
        return FALSE;
      bytes += written;
      n -= (gsize) written;
    }
  return TRUE;
}

/* @zip: whose pages are given back as they are read */
static gboolean
read_member (struct archive *archive,
             GBytes         *zip,
             const Sink     *sink,
             guint64         limit,
             const char     *path,
             const char     *member,
             GError        **error)
{
  g_autofree guint8 *chunk = g_malloc (CHUNK);
  gsize n;
  const guint8 *all = g_bytes_get_data (zip, &n);

  for (guint64 used = 0;;)
    {
      la_ssize_t got = archive_read_data (archive, chunk, CHUNK);

      if (got == 0)
        return TRUE;
      if (got < 0)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: \"%s\" inside is damaged: %s", path, member,
                       archive_error_string (archive));
          return FALSE;
        }
      used += (guint64) got;
      if (used > limit || (sink->bytes != NULL && used > G_MAXINT32))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: \"%s\" inside is too large", path, member);
          return FALSE;
        }
      if (!put (sink, chunk, (gsize) got))
        {
          g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: there is no room for \"%s\" in %s: %s", path,
                       member, g_get_tmp_dir (), g_strerror (errno));
          return FALSE;
        }
      if (sink->bytes == NULL && used / RELEASED != (used - (guint64) got) / RELEASED)
        nn_load_release (all, n);
    }
}

static gboolean
find_member (GBytes      *zip,
             const char  *member,
             const Sink  *sink,
             guint64      limit,
             const char  *path,
             GError     **error)
{
  struct archive *archive = archive_read_new ();
  struct archive_entry *entry;
  gboolean found = FALSE, ok = FALSE;
  gsize n;
  const void *bytes = g_bytes_get_data (zip, &n);
  guint members = 0;

  archive_read_support_format_zip (archive);
  if (archive_read_open_memory (archive, bytes, n) == ARCHIVE_OK)
    while (!found && members++ < MAX_MEMBERS && archive_read_next_header (archive, &entry) == ARCHIVE_OK)
      {
        const char *name = archive_entry_pathname (entry);

        found = name != NULL && g_str_equal (name, member);
        if (found)
          ok = read_member (archive, zip, sink, limit, path, member, error);
      }
  archive_read_free (archive);
  if (!found)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: no Keras file: it holds no \"%s\", or the zip is damaged", path,
                 member);
  return ok;
}

/**
 * nn_zip_member:
 * @limit: no more bytes than this
 * @path: as errors name the zip
 *
 * Errors: %NN_ERROR_FORMAT where it is missing or damaged, %NN_ERROR_LIMIT
 *
 * Returns: (transfer full): the member
 */
GBytes *
nn_zip_member (GBytes      *zip,
               const char  *member,
               guint64      limit,
               const char  *path,
               GError     **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  const Sink sink = { .bytes = bytes };

  return find_member (zip, member, &sink, limit, path, error) ? g_byte_array_free_to_bytes (g_steal_pointer (&bytes)) : NULL;
}

/* The member into a file that is open for writing. Errors: as nn_zip_member(), and %G_FILE_ERROR */
gboolean
nn_zip_extract (GBytes      *zip,
                const char  *member,
                int          descriptor,
                guint64      limit,
                const char  *path,
                GError     **error)
{
  const Sink sink = { .descriptor = descriptor };

  return find_member (zip, member, &sink, limit, path, error);
}

/* Returns: (transfer full) (nullable): the first member whose name ends so */
char *
nn_zip_find (GBytes     *zip,
             const char *ending)
{
  struct archive *archive = archive_read_new ();
  struct archive_entry *entry;
  char *found = NULL;
  gsize n;
  const void *bytes = g_bytes_get_data (zip, &n);

  archive_read_support_format_zip (archive);
  if (archive_read_open_memory (archive, bytes, n) == ARCHIVE_OK)
    for (guint i = 0; found == NULL && i < MAX_MEMBERS && archive_read_next_header (archive, &entry) == ARCHIVE_OK; i++)
      if (archive_entry_pathname (entry) != NULL && g_str_has_suffix (archive_entry_pathname (entry), ending))
        found = g_strdup (archive_entry_pathname (entry));
  archive_read_free (archive);
  return found;
}
