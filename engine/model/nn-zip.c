/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members of a zip file as bytes, by libarchive; one that is stored as it is stays where it lies. */

#include "nn-zip.h"

#include "nn-error.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#define MAX_MEMBERS 65536
#define CHUNK (1u << 20)
/* PKWARE's APPNOTE, 4.3.7: a local header's fixed part, and where it tells method and lengths. */
#define LOCAL_HEADER 30
#define LOCAL_METHOD 8
#define LOCAL_NAME 26
#define LOCAL_EXTRA 28

gboolean
nn_zip_is_zip (const guint8 *bytes,
               gsize         n_bytes)
{
  return n_bytes >= 4 && memcmp (bytes, "PK\003\004", 4) == 0;
}

static guint
u16 (const guint8 *at)
{
  return at[0] | (guint) at[1] << 8;
}

/* The member's own bytes inside @zip where it is not compressed; %NULL otherwise. */
static GBytes *
stored (GBytes               *zip,
        gint64                header,
        struct archive_entry *entry)
{
  gsize n;
  const guint8 *bytes = g_bytes_get_data (zip, &n);
  gint64 size = archive_entry_size_is_set (entry) ? archive_entry_size (entry) : -1;
  gsize start;

  if (header < 0 || size < 0 || n < LOCAL_HEADER || (gsize) header > n - LOCAL_HEADER ||
      !nn_zip_is_zip (bytes + header, 4) || u16 (bytes + header + LOCAL_METHOD) != 0)
    return NULL;
  start = header + LOCAL_HEADER + u16 (bytes + header + LOCAL_NAME) + u16 (bytes + header + LOCAL_EXTRA);
  return start <= n && (gsize) size <= n - start ? g_bytes_new_from_bytes (zip, start, size) : NULL;
}

static GBytes *
inflate_member (struct archive *archive,
                gsize           limit,
                const char     *path,
                const char     *member,
                GError        **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (;;)
    {
      gsize used = bytes->len;
      la_ssize_t got;

      if (used >= limit)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: \"%s\" inside is too large", path, member);
          return NULL;
        }
      g_byte_array_set_size (bytes, used + CHUNK);
      got = archive_read_data (archive, bytes->data + used, CHUNK);
      if (got < 0)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: \"%s\" inside is damaged: %s", path, member,
                       archive_error_string (archive));
          return NULL;
        }
      g_byte_array_set_size (bytes, used + got);
      if (got == 0)
        return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
    }
}

/**
 * nn_zip_member:
 * @limit: no more bytes than this, when it is compressed
 * @path: as errors name the zip
 *
 * Errors: %NN_ERROR_FORMAT where it is missing or damaged, %NN_ERROR_LIMIT
 *
 * Returns: (transfer full): the member; a part of @zip where it is not compressed
 */
GBytes *
nn_zip_member (GBytes      *zip,
               const char  *member,
               gsize        limit,
               const char  *path,
               GError     **error)
{
  struct archive *archive = archive_read_new ();
  struct archive_entry *entry;
  GBytes *result = NULL;
  gboolean found = FALSE;
  gsize n;
  const void *bytes = g_bytes_get_data (zip, &n);
  guint members = 0;

  archive_read_support_format_zip (archive);
  if (archive_read_open_memory (archive, bytes, n) == ARCHIVE_OK)
    while (!found && members++ < MAX_MEMBERS && archive_read_next_header (archive, &entry) == ARCHIVE_OK)
      {
        const char *name = archive_entry_pathname (entry);

        if (name == NULL || !g_str_equal (name, member))
          continue;
        found = TRUE;
        result = stored (zip, archive_read_header_position (archive), entry);
        if (result == NULL)
          result = inflate_member (archive, limit, path, member, error);
      }
  archive_read_free (archive);
  if (!found)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: no Keras file: it holds no \"%s\", or the zip is damaged", path,
                 member);
  return result;
}
