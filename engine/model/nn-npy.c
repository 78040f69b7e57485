/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's .npy from a file or any stream of bytes: what its header says. */

#include "nn-npy-private.h"

#include "nn-error.h"

#include <string.h>

/* A header is a short Python literal; a longer one is not a header. */
#define MAX_HEADER (1 << 20)

static gboolean
fail (GError    **error,
      const char *what)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "not a readable .npy array: %s", what);
  return FALSE;
}

gboolean
nn_npy_fetch (NnNpy   *npy,
              guint8  *to,
              gsize    n,
              GError **error)
{
  while (n > 0)
    {
      gssize got = npy->fetch (npy->source, to, n, error);

      if (got < 0)
        return FALSE;
      if (got == 0)
        return fail (error, "the file is cut short");
      to += got;
      n -= got;
    }
  return TRUE;
}

/* A stream that was packed knows only at its end whether it was read as it had been written: what follows the last number is asked for,
 * and not used. */
static gboolean
check_end (NnNpy   *npy,
           GError **error)
{
  guint8 byte;

  return npy->fetch (npy->source, &byte, sizeof byte, error) >= 0;
}

gboolean
nn_npy_fetch_data (NnNpy   *npy,
                   guint8  *to,
                   gsize    n,
                   GError **error)
{
  if (!nn_npy_fetch (npy, to, n, error))
    return FALSE;
  npy->left -= MIN (npy->left, n);
  return npy->left > 0 || n == 0 || check_end (npy, error);
}

/* Finds 'key': in the header's dictionary and returns what follows, blanks skipped. */
static const char *
find_key (const char *header,
          const char *key)
{
  for (const char *p = header; (p = strstr (p, key)) != NULL; p++)
    {
      const char *after = p + strlen (key);

      if (p == header || (p[-1] != '\'' && p[-1] != '"') || *after != p[-1])
        continue;
      for (after++; g_ascii_isspace (*after); after++)
        ;
      if (*after++ != ':')
        continue;
      while (g_ascii_isspace (*after))
        after++;
      return after;
    }
  return NULL;
}

static gboolean
parse_descr (NnNpy      *npy,
             const char *p,
             GError    **error)
{
  guint64 item;
  char order;
  char *end;

  if (p == NULL || (*p != '\'' && *p != '"'))
    return fail (error, "its element type is a structure; arrays of plain numbers are accepted");
  order = p[1];
  if (strchr ("<>|=", order) == NULL || order == '\0')
    return fail (error, "its element type is malformed");
  npy->kind = p[2];
  item = g_ascii_strtoull (p + 3, &end, 10);
  if (npy->kind == 'M' || npy->kind == 'm')
    return fail (error, "it holds dates or times; arrays of numbers or text are accepted");
  if (*end != *p || end == p + 3 || item == 0 || item > 4096)
    return fail (error, npy->kind == 'O' ? "it holds Python objects; arrays of numbers or text (dtype=str) are accepted"
                                         : "its element type is malformed");
  npy->item = item;
  npy->swap = order == (G_BYTE_ORDER == G_LITTLE_ENDIAN ? '>' : '<');
  switch (npy->kind)
    {
    case 'f':
      if (item == 2 || item == 4 || item == 8)
        return TRUE;
      break;
    case 'i':
    case 'u':
      if (item == 1 || item == 2 || item == 4 || item == 8)
        return TRUE;
      break;
    case 'b':
      if (item == 1)
        return TRUE;
      break;
    case 'U':
      npy->item *= 4;
      return TRUE;
    case 'S':
      return TRUE;
    default:
      break;
    }
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
               "arrays of NumPy's type \"%c%u\" are not supported; f2, f4, f8, i1 to i8, u1 to u8, bool and text are",
               g_ascii_isprint (npy->kind) ? npy->kind : '?', (guint) item);
  return FALSE;
}

static gboolean
parse_shape (NnNpy      *npy,
             const char *p,
             GError    **error)
{
  if (p == NULL || *p++ != '(')
    return fail (error, "its header has no shape");
  for (;;)
    {
      guint64 extent;
      char *end;

      while (g_ascii_isspace (*p) || *p == ',')
        p++;
      if (*p == ')')
        return TRUE;
      if (!g_ascii_isdigit (*p))
        return fail (error, "its shape is malformed");
      extent = g_ascii_strtoull (p, &end, 10);
      if (extent > G_MAXINT64 / 2)
        return fail (error, "its shape is too large");
      if (npy->shape.rank == NN_MAX_RANK)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "an array has more than %d axes", NN_MAX_RANK);
          return FALSE;
        }
      npy->shape.dims[npy->shape.rank++] = extent;
      p = *end == 'L' ? end + 1 : end;
    }
}

static gboolean
parse_header (NnNpy      *npy,
              const char *header,
              guint64     left,
              GError    **error)
{
  const char *order = find_key (header, "fortran_order");
  gsize n, bytes;

  if (!parse_descr (npy, find_key (header, "descr"), error) || !parse_shape (npy, find_key (header, "shape"), error))
    return FALSE;
  if (order == NULL || (!g_str_has_prefix (order, "True") && !g_str_has_prefix (order, "False")))
    return fail (error, "its header does not say its order");
  npy->fortran = g_str_has_prefix (order, "True") && npy->shape.rank > 1;
  if (!nn_shape_size (&npy->shape, &n) || !g_size_checked_mul (&bytes, n, npy->item) || bytes > left)
    {
      g_autofree char *text = nn_shape_to_string (&npy->shape);

      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "not a readable .npy array: its header promises a shape of %s, which the file is too short for", text);
      return FALSE;
    }
  npy->left = bytes;
  return TRUE;
}

static gboolean
read_header (NnNpy    *npy,
             guint64   limit,
             GError  **error)
{
  guint8 start[8], size[4] = { 0 };
  g_autofree char *header = NULL;
  gsize length, n_size;

  if (!nn_npy_fetch (npy, start, sizeof start, error))
    return FALSE;
  if (memcmp (start, NN_NPY_MAGIC, NN_NPY_MAGIC_SIZE) != 0)
    return fail (error, "it does not begin as one");
  if (start[6] < 1 || start[6] > 3)
    return fail (error, "its format version is not 1, 2 or 3");
  n_size = start[6] == 1 ? 2 : 4;
  if (!nn_npy_fetch (npy, size, n_size, error))
    return FALSE;
  length = size[0] | (gsize) size[1] << 8 | (gsize) size[2] << 16 | (gsize) size[3] << 24;
  if (length > MAX_HEADER)
    return fail (error, "its header is too long");
  header = g_malloc0 (length + 1);
  if (!nn_npy_fetch (npy, (guint8 *) header, length, error))
    return FALSE;
  if (memchr (header, '\0', length) != NULL)
    return fail (error, "its header is no text");
  npy->data_at = sizeof start + n_size + length;
  return parse_header (npy, header, limit - MIN (limit, sizeof start + n_size + length), error);
}

NnNpy *
nn_npy_open (NnFetch        fetch,
             gpointer       source,
             GDestroyNotify free_source,
             guint64        limit,
             GError       **error)
{
  g_autoptr (NnNpy) npy = g_new0 (NnNpy, 1);

  npy->fetch = fetch;
  npy->source = source;
  npy->free_source = free_source;
  if (!read_header (npy, limit, error))
    return NULL;
  return g_steal_pointer (&npy);
}

void
nn_npy_free (NnNpy *npy)
{
  if (npy == NULL)
    return;
  if (npy->free_source != NULL)
    npy->free_source (npy->source);
  g_free (npy->path);
  g_free (npy);
}

gboolean
nn_npy_is_text (const NnNpy *npy)
{
  return npy->kind == 'U' || npy->kind == 'S';
}

const NnShape *
nn_npy_shape (const NnNpy *npy)
{
  return &npy->shape;
}

NnDataEntry *
nn_npy_entry (const NnNpy *npy,
              const char  *name)
{
  return nn_data_entry_new (name, &npy->shape, nn_npy_is_text (npy) ? "text" : nn_dtype_name (nn_npy_dtype (npy)));
}

static gssize
fetch_file (gpointer  source,
            guint8   *to,
            gsize     n,
            GError  **error)
{
  return g_input_stream_read (source, to, n, NULL, error);
}

/* The error names the file. */
NnNpy *
nn_npy_open_file (const char *path,
                  GError    **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, error);
  g_autoptr (GFileInfo) info = NULL;
  GInputStream *buffered;
  NnNpy *npy;

  if (stream == NULL)
    return NULL;
  info = g_file_input_stream_query_info (stream, G_FILE_ATTRIBUTE_STANDARD_SIZE, NULL, error);
  if (info == NULL)
    return NULL;
  buffered = g_buffered_input_stream_new_sized (G_INPUT_STREAM (stream), 1 << 16);
  npy = nn_npy_open (fetch_file, buffered, g_object_unref, MAX (g_file_info_get_size (info), 0), error);
  if (npy == NULL)
    g_prefix_error (error, "%s: ", path);
  else
    npy->path = g_strdup (path);
  return npy;
}

/**
 * nn_npy_read:
 *
 * Versions 1 to 3, either byte order, C and Fortran order; floats of 2, 4 and 8 bytes, every integer, bool.
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_LIMIT, %G_IO_ERROR; the message names the file
 *
 * Returns: (transfer full): the array in the nearest type of a tensor
 */
NnTensor *
nn_npy_read (const char *path,
             GError    **error)
{
  g_autoptr (NnNpy) npy = nn_npy_open_file (path, error);
  NnTensor *tensor = npy != NULL ? nn_npy_tensor (npy, error) : NULL;

  if (npy != NULL && tensor == NULL)
    g_prefix_error (error, "%s: ", path);
  return tensor;
}

typedef struct {
  const guint8 *bytes;
  gsize         left;
} Memory;

static gssize
fetch_memory (gpointer  source,
              guint8   *to,
              gsize     n,
              GError  **error)
{
  Memory *memory = source;

  n = MIN (n, memory->left);
  if (n == 0)
    return 0;
  memcpy (to, memory->bytes, n);
  memory->bytes += n;
  memory->left -= n;
  return n;
}

/* As nn_npy_read(), from memory. */
NnTensor *
nn_npy_parse (const guint8 *bytes,
              gsize         n_bytes,
              GError      **error)
{
  Memory memory = { bytes, n_bytes };
  g_autoptr (NnNpy) npy = nn_npy_open (fetch_memory, &memory, NULL, n_bytes, error);

  return npy != NULL ? nn_npy_tensor (npy, error) : NULL;
}
