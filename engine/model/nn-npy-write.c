/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's .npy written: whole arrays, words, and arrays piece by piece. */

#include "nn-npy-private.h"

#include <string.h>

/* A .npy header of version 1.0 with all that stands before the data, for elements of type @descr. */
static GByteArray *
make_start (const char    *descr,
            const NnShape *shape)
{
  static const guint8 version[2] = { 1, 0 };
  g_autoptr (GString) header = g_string_new (NULL);
  GByteArray *start = g_byte_array_new ();
  guint8 length[2];

  g_string_printf (header, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (guint i = 0; i < shape->rank; i++)
    g_string_append_printf (header, "%s%" G_GINT64_FORMAT "%s", i > 0 ? " " : "", shape->dims[i],
                            i + 1 < shape->rank || shape->rank == 1 ? "," : "");
  g_string_append (header, "), }");
  /* the data begin at a multiple of 64 */
  while ((header->len + 11) % 64 != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  length[0] = header->len & 255;
  length[1] = header->len >> 8;
  g_byte_array_append (start, (const guint8 *) NN_NPY_MAGIC, NN_NPY_MAGIC_SIZE);
  g_byte_array_append (start, version, sizeof version);
  g_byte_array_append (start, length, sizeof length);
  g_byte_array_append (start, (const guint8 *) header->str, header->len);
  return start;
}

static GByteArray *
array_start (NnDtype        dtype,
             const NnShape *shape)
{
  static const char *const descr[] = {
    [NN_DTYPE_F32] = "f4", [NN_DTYPE_F64] = "f8", [NN_DTYPE_I64] = "i8", [NN_DTYPE_I32] = "i4", [NN_DTYPE_U8] = "u1",
  };
  const char *order = dtype == NN_DTYPE_U8 ? "|" : G_BYTE_ORDER == G_LITTLE_ENDIAN ? "<" : ">";
  g_autofree char *type = g_strconcat (order, descr[dtype], NULL);

  return make_start (type, shape);
}

struct _NnNpyWriter {
  GOutputStream *stream; /* owned */
  NnDtype        dtype;
  gsize          left;   /* numbers that are still to come */
};

/**
 * nn_npy_writer_new:
 * @shape: of the whole array
 *
 * Begins a file of version 1.0, in the machine's byte order. It appears under its name when all is written.
 *
 * Errors: %G_IO_ERROR
 *
 * Returns: (transfer full): to be filled by nn_npy_writer_append()
 */
NnNpyWriter *
nn_npy_writer_new (const char     *path,
                   NnDtype         dtype,
                   const NnShape  *shape,
                   GError        **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GOutputStream) stream = G_OUTPUT_STREAM (g_file_replace (file, NULL, FALSE, G_FILE_CREATE_NONE, NULL, error));
  g_autoptr (GByteArray) start = array_start (dtype, shape);
  NnNpyWriter *writer;

  if (stream == NULL || !g_output_stream_write_all (stream, start->data, start->len, NULL, NULL, error))
    return NULL;
  writer = g_new0 (NnNpyWriter, 1);
  writer->stream = g_steal_pointer (&stream);
  writer->dtype = dtype;
  writer->left = nn_shape_count (shape);
  return writer;
}

/* Appends all of @tensor, which must be of the writer's type. */
gboolean
nn_npy_writer_append (NnNpyWriter     *writer,
                      const NnTensor  *tensor,
                      GError         **error)
{
  g_return_val_if_fail (tensor->dtype == writer->dtype && tensor->n <= writer->left, FALSE);
  writer->left -= tensor->n;
  return g_output_stream_write_all (writer->stream, tensor->data, tensor->n * nn_dtype_size (tensor->dtype), NULL, NULL,
                                    error);
}

/* Ends the file. */
gboolean
nn_npy_writer_close (NnNpyWriter  *writer,
                     GError      **error)
{
  g_return_val_if_fail (writer->left == 0, FALSE);
  return g_output_stream_close (writer->stream, NULL, error);
}

/* Without nn_npy_writer_close() before it, what stood under the name stays. */
void
nn_npy_writer_free (NnNpyWriter *writer)
{
  g_autoptr (GCancellable) cancelled = NULL;

  if (writer == NULL)
    return;
  if (!g_output_stream_is_closed (writer->stream))
    {
      cancelled = g_cancellable_new ();
      g_cancellable_cancel (cancelled);
      g_output_stream_close (writer->stream, cancelled, NULL);
    }
  g_object_unref (writer->stream);
  g_free (writer);
}

/**
 * nn_npy_write:
 *
 * Writes version 1.0, in the machine's byte order; the file is replaced as a whole or not at all.
 *
 * Errors: %G_IO_ERROR
 */
gboolean
nn_npy_write (const NnTensor *tensor,
              const char     *path,
              GError        **error)
{
  g_autoptr (NnNpyWriter) writer = nn_npy_writer_new (path, tensor->dtype, &tensor->shape, error);

  return writer != NULL && nn_npy_writer_append (writer, tensor, error) && nn_npy_writer_close (writer, error);
}

/**
 * nn_npy_format:
 *
 * Returns: (transfer full): the bytes that nn_npy_write() writes
 */
GByteArray *
nn_npy_format (const NnTensor *tensor)
{
  GByteArray *bytes = array_start (tensor->dtype, &tensor->shape);

  g_return_val_if_fail (tensor->n * nn_dtype_size (tensor->dtype) < G_MAXUINT - bytes->len, bytes);
  return g_byte_array_append (bytes, tensor->data, tensor->n * nn_dtype_size (tensor->dtype));
}

/**
 * nn_npy_format_text:
 * @words: (array zero-terminated=1): in UTF-8
 *
 * Returns: (transfer full): a .npy file of the words, as numpy's fixed-width text (UCS-4)
 */
GByteArray *
nn_npy_format_text (const char *const *words)
{
  guint n = g_strv_length ((char **) words);
  glong width = 1;
  g_autofree char *type = NULL;
  GByteArray *bytes;

  for (guint i = 0; i < n; i++)
    width = MAX (width, g_utf8_strlen (words[i], -1));
  type = g_strdup_printf ("%cU%ld", G_BYTE_ORDER == G_LITTLE_ENDIAN ? '<' : '>', width);
  bytes = make_start (type, &NN_SHAPE (n));
  for (guint i = 0; i < n; i++)
    {
      g_autofree gunichar *wide = g_new0 (gunichar, width + 1);
      const char *c = words[i];

      for (glong k = 0; *c != '\0'; c = g_utf8_next_char (c))
        wide[k++] = g_utf8_get_char (c);
      g_byte_array_append (bytes, (const guint8 *) wide, width * sizeof (gunichar));
    }
  return bytes;
}
