/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IDX, the format of the MNIST files, packed with gzip or not. Source: Y. LeCun, the MNIST database, file formats. */

#include "nn-data-private.h"

#include "nn-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

typedef struct {
  NnArrayReader reader;
  gzFile        file; /* owned */
  guint8        type;
  guint         item;
  gsize         next; /* row */
} IdxReader;

static const struct {
  guint8      code;
  guint       item;
  const char *name;
} types[] = {
  { 0x08, 1, "uint8" }, { 0x09, 1, "int8" },    { 0x0b, 2, "int16" },
  { 0x0c, 4, "int32" }, { 0x0d, 4, "float32" }, { 0x0e, 8, "float64" },
};

static gboolean
fail (GError    **error,
      const char *what)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "not a readable IDX file: %s", what);
  return FALSE;
}

static double
load (const IdxReader *idx,
      const guint8    *p)
{
  guint64 bits = 0;
  guint32 low;
  double d;
  float f;

  for (guint i = 0; i < idx->item; i++)
    bits = bits << 8 | p[i];
  low = bits;
  switch (idx->type)
    {
    case 0x08:
      return bits;
    case 0x09:
      return (gint8) bits;
    case 0x0b:
      return (gint16) bits;
    case 0x0c:
      return (gint32) low;
    case 0x0d:
      memcpy (&f, &low, sizeof f);
      return f;
    default:
      memcpy (&d, &bits, sizeof d);
      return d;
    }
}

static gboolean
read_bytes (IdxReader *idx,
            guint8    *to,
            gsize      n,
            GError   **error)
{
  while (n > 0)
    {
      int got = gzread (idx->file, to, MIN (n, 1 << 20));

      if (got <= 0)
        return fail (error, got < 0 ? "the gzip data are damaged" : "the file is cut short");
      to += got;
      n -= got;
    }
  return TRUE;
}

/* Whether packed data are as they had been written is known at their end only. */
static gboolean
check_end (IdxReader *idx,
           GError   **error)
{
  guint8 byte;
  int status;

  if (gzread (idx->file, &byte, 1) > 0)
    return TRUE;
  gzerror (idx->file, &status);
  return status == Z_OK || status == Z_STREAM_END || fail (error, "the gzip data are damaged");
}

static gboolean
idx_read (NnArrayReader *reader,
          gsize          count,
          double        *values,
          GError       **error)
{
  IdxReader *idx = (IdxReader *) reader;
  gsize n = count * nn_array_reader_row (reader);
  guint8 buffer[4096];

  for (gsize done = 0; done < n;)
    {
      gsize piece = MIN (n - done, sizeof buffer / idx->item);

      if (!read_bytes (idx, buffer, piece * idx->item, error))
        return FALSE;
      for (gsize i = 0; i < piece; i++)
        values[done + i] = load (idx, buffer + i * idx->item);
      done += piece;
    }
  idx->next += count;
  return idx->next < (gsize) reader->shape.dims[0] || check_end (idx, error);
}

static void
idx_free (NnArrayReader *reader)
{
  gzclose (((IdxReader *) reader)->file);
  g_free (reader);
}

static gboolean
read_header (IdxReader *idx,
             guint64    limit,
             GError   **error)
{
  guint8 magic[4], extent[4];
  gsize n, bytes;

  if (!read_bytes (idx, magic, sizeof magic, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].code == magic[2])
      {
        idx->type = types[i].code;
        idx->item = types[i].item;
      }
  if (magic[0] != 0 || magic[1] != 0 || idx->item == 0)
    return fail (error, "it does not begin as one");
  if (magic[3] < 1 || magic[3] > NN_MAX_RANK)
    return fail (error, "its number of axes is not 1 to 8");
  for (guint i = 0; i < magic[3]; i++)
    {
      if (!read_bytes (idx, extent, sizeof extent, error))
        return FALSE;
      idx->reader.shape.dims[idx->reader.shape.rank++] =
        (gint64) extent[0] << 24 | (gint64) extent[1] << 16 | (gint64) extent[2] << 8 | extent[3];
    }
  if (!nn_shape_size (&idx->reader.shape, &n) || !g_size_checked_mul (&bytes, n, idx->item) || bytes > limit)
    return fail (error, "its header promises more than the file can hold");
  return TRUE;
}

/* @size: of the file in bytes; a packed one may hold more. */
static NnArrayReader *
open_descriptor (int      fd,
                 guint64  size,
                 GError **error)
{
  IdxReader *idx = g_new0 (IdxReader, 1);
  g_autoptr (NnArrayReader) reader = &idx->reader;

  idx->file = gzdopen (fd, "rb");
  if (idx->file == NULL)
    {
      close (fd);
      g_free (g_steal_pointer (&reader));
      g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "there is no memory for reading");
      return NULL;
    }
  reader->read = idx_read;
  reader->free = idx_free;
  if (gzdirect (idx->file) == 0)
    size = MIN (size, G_MAXUINT64 / NN_DATA_MAX_EXPANSION) * NN_DATA_MAX_EXPANSION;
  return read_header (idx, size, error) ? g_steal_pointer (&reader) : NULL;
}

NnArrayReader *
nn_data_idx_open (const char *path,
                  const char *name,
                  GError    **error)
{
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  GStatBuf info;

  if (fd >= 0 && g_stat (path, &info) == 0)
    return open_descriptor (fd, info.st_size, error);
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return NULL;
}

GPtrArray *
nn_data_idx_list (const char *path,
                  GError    **error)
{
  g_autoptr (NnArrayReader) reader = nn_data_idx_open (path, NULL, error);
  GPtrArray *entries;
  const char *type = "";

  if (reader == NULL)
    {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].code == ((IdxReader *) reader)->type)
      type = types[i].name;
  entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);
  g_ptr_array_add (entries, nn_data_entry_new ("", &reader->shape, type));
  return entries;
}
