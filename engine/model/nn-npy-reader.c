/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A .npy array as one of many formats of data: rows of numbers or text, one after the other. */

#include "nn-npy-private.h"

#include "nn-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  NnArrayReader reader;
  NnNpy        *npy; /* owned */
} NpyReader;

/* The file's own pages, for float32 in the machine's order. */
static NnTensor *
reader_whole (NnArrayReader *reader)
{
  const NnNpy *npy = ((NpyReader *) reader)->npy;
  NnTensor *tensor;
  int fd;

  if (npy->path == NULL || npy->kind != 'f' || npy->item != sizeof (float) || npy->swap || npy->fortran)
    return NULL;
  fd = g_open (npy->path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0)
    return NULL;
  tensor = nn_tensor_try_map (fd, npy->data_at, NN_DTYPE_F32, &npy->shape);
  close (fd);
  return tensor;
}

static gboolean
reader_read (NnArrayReader *reader,
             gsize          count,
             double        *values,
             GError       **error)
{
  return nn_npy_decode (((NpyReader *) reader)->npy, count * nn_array_reader_row (reader), NN_DTYPE_F64,
                             (guint8 *) values, error);
}

static char *
decode_text (const NnNpy  *npy,
             const guint8 *bytes)
{
  GString *text = g_string_new (NULL);

  if (npy->kind == 'S')
    g_string_append_len (text, (const char *) bytes, strnlen ((const char *) bytes, npy->item));
  for (guint i = 0; npy->kind == 'U' && i < npy->item; i += 4)
    {
      guint64 c = nn_npy_bits (bytes + i, 4, npy->swap);

      if (c == 0)
        break;
      g_string_append_unichar (text, g_unichar_validate (c) ? c : 0xfffd);
    }
  if (!g_utf8_validate (text->str, text->len, NULL))
    {
      g_autofree char *bad = g_string_free (text, FALSE);

      return g_utf8_make_valid (bad, -1);
    }
  return g_string_free (text, FALSE);
}

static gboolean
reader_read_text (NnArrayReader *reader,
                  gsize          count,
                  char         **values,
                  GError       **error)
{
  NnNpy *npy = ((NpyReader *) reader)->npy;
  g_autofree guint8 *buffer = g_malloc (npy->item);

  for (gsize i = 0; i < count; i++)
    {
      if (!nn_npy_fetch_data (npy, buffer, npy->item, error))
        return FALSE;
      values[i] = decode_text (npy, buffer);
    }
  return TRUE;
}

static void
reader_free (NnArrayReader *reader)
{
  nn_npy_free (((NpyReader *) reader)->npy);
  g_free (reader);
}

NnArrayReader *
nn_npy_reader (NnNpy   *npy,
               GError **error)
{
  g_autoptr (NnNpy) owned = npy;
  gboolean is_text = nn_npy_is_text (npy);
  NpyReader *reader;
  NnShape shape = npy->shape;
  gsize n = nn_shape_count (&shape);

  if (shape.rank == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "the array is a single number; rows of samples are needed");
      return NULL;
    }
  if (npy->fortran && !is_text)
    {
      NnTensor *tensor = nn_npy_raw (npy, error);

      return tensor != NULL ? nn_array_reader_fortran (tensor, &shape) : NULL;
    }
  if (is_text && (gsize) shape.dims[0] != n)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "an array of text needs one column");
      return NULL;
    }
  reader = g_new0 (NpyReader, 1);
  reader->reader.shape = is_text ? NN_SHAPE (shape.dims[0]) : shape;
  reader->reader.is_text = is_text;
  reader->reader.read = reader_read;
  reader->reader.whole = reader_whole;
  reader->reader.read_text = reader_read_text;
  reader->reader.free = reader_free;
  reader->npy = g_steal_pointer (&owned);
  return &reader->reader;
}
