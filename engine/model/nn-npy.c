/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NumPy's .npy: read from any stream of bytes, written to a file. */

#include "nn-data-private.h"

#include "nn-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Format versions 1 to 3. Source: NEP 1 and numpy/lib/format.py. */
static const guint8 magic[] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };

/* A header is a short Python literal; a longer one is not a header. */
#define MAX_HEADER (1 << 20)

struct _NnNpy {
  NnFetch        fetch;
  gpointer       source;      /* owned */
  GDestroyNotify free_source;
  NnShape        shape;
  char           kind;        /* f i u b U S */
  guint          item;        /* bytes an element */
  gboolean       swap;        /* byte order differs from the machine's */
  gboolean       fortran;
  guint64        data_at;     /* where the numbers begin in the stream */
  char          *path;        /* (nullable): the file, where it is one */
};

static gboolean
fail (GError    **error,
      const char *what)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "not a readable .npy array: %s", what);
  return FALSE;
}

static gboolean
fetch_exactly (NnNpy    *npy,
               guint8   *to,
               gsize     n,
               GError  **error)
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
  if (*end != *p || end == p + 3 || item == 0 || item > 4096)
    return fail (error, npy->kind == 'O' ? "it holds Python objects; arrays of numbers or text are accepted"
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

  if (!fetch_exactly (npy, start, sizeof start, error))
    return FALSE;
  if (memcmp (start, magic, sizeof magic) != 0)
    return fail (error, "it does not begin as one");
  if (start[6] < 1 || start[6] > 3)
    return fail (error, "its format version is not 1, 2 or 3");
  n_size = start[6] == 1 ? 2 : 4;
  if (!fetch_exactly (npy, size, n_size, error))
    return FALSE;
  length = size[0] | (gsize) size[1] << 8 | (gsize) size[2] << 16 | (gsize) size[3] << 24;
  if (length > MAX_HEADER)
    return fail (error, "its header is too long");
  header = g_malloc0 (length + 1);
  if (!fetch_exactly (npy, (guint8 *) header, length, error))
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

static NnDtype
dtype_of (const NnNpy *npy)
{
  if (npy->kind == 'f')
    return npy->item == 8 ? NN_DTYPE_F64 : NN_DTYPE_F32;
  if (npy->item == 1 && npy->kind != 'i')
    return NN_DTYPE_U8;
  return npy->item == 8 || (npy->item == 4 && npy->kind == 'u') ? NN_DTYPE_I64 : NN_DTYPE_I32;
}

/* IEEE 754 binary16. */
static double
half (guint16 bits)
{
  int exponent = bits >> 10 & 31;
  double fraction = bits & 1023;
  double value = exponent == 31 ? (fraction > 0 ? NAN : INFINITY)
                 : exponent == 0 ? ldexp (fraction, -24)
                                 : ldexp (fraction + 1024, exponent - 25);

  return bits & 0x8000 ? -value : value;
}

static guint64
load_bits (const guint8 *p,
           guint         n,
           gboolean      swap)
{
  gboolean big = (G_BYTE_ORDER == G_BIG_ENDIAN) != swap;
  guint64 bits = 0;

  for (guint i = 0; i < n; i++)
    bits |= (guint64) p[big ? n - 1 - i : i] << 8 * i;
  return bits;
}

static gint64
load_int (const NnNpy  *npy,
          const guint8 *p)
{
  guint64 bits = load_bits (p, npy->item, npy->swap);

  if (npy->kind == 'i' && npy->item < 8 && bits >> (8 * npy->item - 1))
    bits |= ~G_GUINT64_CONSTANT (0) << 8 * npy->item;
  if (npy->kind == 'b')
    return bits != 0;
  return (gint64) bits;
}

static double
load_float (const NnNpy  *npy,
            const guint8 *p)
{
  guint64 bits = load_bits (p, npy->item, npy->swap);
  guint32 low = bits;
  double d;
  float f;

  switch (npy->item)
    {
    case 2:
      return half (bits);
    case 4:
      memcpy (&f, &low, sizeof f);
      return f;
    default:
      memcpy (&d, &bits, sizeof d);
      return d;
    }
}

static gboolean
decode (const NnNpy  *npy,
        const guint8 *bytes,
        gsize         n,
        NnDtype       dtype,
        void         *to,
        GError      **error)
{
  gsize item = npy->item;

  if (npy->kind == 'f' && !npy->swap && item == nn_dtype_size (dtype) &&
      (dtype == NN_DTYPE_F32 || dtype == NN_DTYPE_F64))
    {
      memcpy (to, bytes, n * item);
      return TRUE;
    }
  for (gsize i = 0; i < n; i++, bytes += item)
    {
      gint64 v = npy->kind == 'f' ? 0 : load_int (npy, bytes);

      if (npy->kind == 'u' && item == 8 && v < 0)
        {
          g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "an unsigned integer is above 2^63 - 1");
          return FALSE;
        }
      switch (dtype)
        {
        case NN_DTYPE_F32:
          ((float *) to)[i] = npy->kind == 'f' ? load_float (npy, bytes) : v;
          break;
        case NN_DTYPE_F64:
          ((double *) to)[i] = npy->kind == 'f' ? load_float (npy, bytes) : v;
          break;
        case NN_DTYPE_I64:
          ((gint64 *) to)[i] = v;
          break;
        case NN_DTYPE_I32:
          ((gint32 *) to)[i] = v;
          break;
        case NN_DTYPE_U8:
        default:
          ((guint8 *) to)[i] = v;
          break;
        }
    }
  return TRUE;
}

static gboolean
decode_from_stream (NnNpy   *npy,
                    gsize    n,
                    NnDtype  dtype,
                    guint8  *to,
                    GError **error)
{
  g_autofree guint8 *buffer = g_malloc (MAX (MIN (n, NN_DATA_PIECE), 1) * npy->item);

  for (gsize done = 0; done < n;)
    {
      gsize piece = MIN (n - done, NN_DATA_PIECE);

      if (!fetch_exactly (npy, buffer, piece * npy->item, error) ||
          !decode (npy, buffer, piece, dtype, to + done * nn_dtype_size (dtype), error))
        return FALSE;
      done += piece;
    }
  return TRUE;
}

/* All of the array, in its own type; once only. */
NnTensor *
nn_npy_tensor (NnNpy   *npy,
               GError **error)
{
  g_autoptr (NnTensor) tensor = NULL;
  NnShape shape = npy->shape;
  guint axes[NN_MAX_RANK];

  if (npy->kind == 'U' || npy->kind == 'S')
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the array holds text where numbers are needed");
      return NULL;
    }
  for (guint i = 0; i < shape.rank; i++)
    axes[i] = shape.rank - 1 - i;
  for (guint i = 0; npy->fortran && i < shape.rank; i++)
    shape.dims[i] = npy->shape.dims[axes[i]];
  tensor = nn_tensor_try_new (dtype_of (npy), &shape, error);
  if (tensor == NULL || !decode_from_stream (npy, tensor->n, tensor->dtype, tensor->data, error))
    return NULL;
  return npy->fortran ? nn_tensor_transpose (tensor, axes) : g_steal_pointer (&tensor);
}

typedef struct {
  NnArrayReader reader;
  NnNpy        *npy; /* owned */
} NpyReader;

/* Whether rows can be read one after the other: numbers, rows first. */
gboolean
nn_npy_is_rows (const NnNpy *npy)
{
  return npy->kind != 'U' && npy->kind != 'S' && !npy->fortran && npy->shape.rank > 0;
}

const NnShape *
nn_npy_shape (const NnNpy *npy)
{
  return &npy->shape;
}

NnTensor *
nn_npy_rows (NnNpy   *npy,
             gsize    count,
             GError **error)
{
  g_autoptr (NnTensor) tensor = NULL;
  NnShape shape = npy->shape;

  g_return_val_if_fail (nn_npy_is_rows (npy), NULL);
  shape.dims[0] = (gint64) count;
  tensor = nn_tensor_try_new (dtype_of (npy), &shape, error);
  if (tensor == NULL || !decode_from_stream (npy, tensor->n, tensor->dtype, tensor->data, error))
    return NULL;
  return g_steal_pointer (&tensor);
}

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

NnDataEntry *
nn_npy_entry (const NnNpy *npy,
              const char  *name)
{
  return nn_data_entry_new (name, &npy->shape,
                            npy->kind == 'U' || npy->kind == 'S' ? "text" : nn_dtype_name (dtype_of (npy)));
}

static gboolean
reader_read (NnArrayReader *reader,
             gsize          count,
             double        *values,
             GError       **error)
{
  return decode_from_stream (((NpyReader *) reader)->npy, count * nn_array_reader_row (reader), NN_DTYPE_F64,
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
      guint64 c = load_bits (bytes + i, 4, npy->swap);

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
      if (!fetch_exactly (npy, buffer, npy->item, error))
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
  gboolean is_text = npy->kind == 'U' || npy->kind == 'S';
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
      g_autoptr (NnTensor) tensor = nn_npy_tensor (npy, error);

      return tensor != NULL ? nn_array_reader_tensor (tensor) : NULL;
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
  g_byte_array_append (start, (const guint8 *) magic, sizeof magic);
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
