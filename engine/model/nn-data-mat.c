/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MATLAB files: version 5 by a reader of its own, version 7.3 as the HDF5 that it is. libmatio was tried and left out:
 * a damaged file of 400 bytes makes it allocate gigabytes. Source: MathWorks, MAT-File Format (level 5).
 */

#include "nn-data-private.h"

#include "nn-error.h"

#include <string.h>
#include <zlib.h>

#define HEADER 128
#define ENDIAN_AT 126
/* A packed element is unpacked in memory; up to this whatever the file's size, beyond it as far as deflate can. */
#define MAX_NAME 4096

/* Types of data elements. */
enum { MI_INT8 = 1, MI_UINT8, MI_INT16, MI_UINT16, MI_INT32, MI_UINT32, MI_SINGLE, MI_DOUBLE = 9, MI_INT64 = 12,
       MI_UINT64, MI_MATRIX, MI_COMPRESSED, MI_UTF8, MI_UTF16, MI_UTF32 };
/* Classes of arrays. */
enum { MX_CELL = 1, MX_CHAR = 4, MX_DOUBLE = 6, MX_SINGLE, MX_INT8, MX_UINT8, MX_INT16, MX_UINT16, MX_INT32, MX_UINT32,
       MX_INT64, MX_UINT64 };
#define FLAG_COMPLEX 0x0800

/* A stretch of bytes that is read from its start. */
typedef struct {
  const guint8 *at;
  gsize         left;
  gboolean      swap;
} Bytes;

typedef struct {
  guint32 type;
  Bytes   data;
} Element;

/* An array: its header, and where its numbers or cells begin. */
typedef struct {
  char    name[MAX_NAME];
  guint   class_type;
  gboolean is_complex;
  NnShape shape;
  Bytes   body;
} Array;

static guint64
load_bits (const Bytes  *bytes,
           const guint8 *p,
           guint         n)
{
  gboolean big = (G_BYTE_ORDER == G_BIG_ENDIAN) != bytes->swap;
  guint64 bits = 0;

  for (guint i = 0; i < n; i++)
    bits |= (guint64) p[big ? n - 1 - i : i] << 8 * i;
  return bits;
}

/* The next element; small ones lie within their tag. FALSE at the end, or where nothing sensible follows. */
static gboolean
next_element (Bytes   *bytes,
              Element *element)
{
  guint32 first;
  gsize n, whole;

  if (bytes->left < 8)
    return FALSE;
  first = load_bits (bytes, bytes->at, 4);
  element->data.swap = bytes->swap;
  if (first >> 16 != 0)
    {
      element->type = first & 0xffff;
      element->data.at = bytes->at + 4;
      element->data.left = first >> 16;
      whole = 8;
      if (element->data.left > 4)
        return FALSE;
    }
  else
    {
      element->type = first;
      n = load_bits (bytes, bytes->at + 4, 4);
      if (n > bytes->left - 8)
        return FALSE;
      element->data.at = bytes->at + 8;
      element->data.left = n;
      /* padded to eight bytes, but for packed ones; the last may lack its padding */
      whole = 8 + (element->type == MI_COMPRESSED ? n : (n + 7) / 8 * 8);
    }
  whole = MIN (whole, bytes->left);
  bytes->at += whole;
  bytes->left -= whole;
  return TRUE;
}

static guint
item_size (guint32 type)
{
  switch (type)
    {
    case MI_INT8:
    case MI_UINT8:
    case MI_UTF8:
      return 1;
    case MI_INT16:
    case MI_UINT16:
    case MI_UTF16:
      return 2;
    case MI_INT32:
    case MI_UINT32:
    case MI_SINGLE:
    case MI_UTF32:
      return 4;
    case MI_DOUBLE:
    case MI_INT64:
    case MI_UINT64:
      return 8;
    default:
      return 0;
    }
}

static double
load_number (const Element *element,
             gsize          i)
{
  guint size = item_size (element->type);
  guint64 bits = load_bits (&element->data, element->data.at + i * size, size);
  guint32 low = bits;
  double d;
  float f;

  switch (element->type)
    {
    case MI_INT8:
      return (gint8) bits;
    case MI_INT16:
      return (gint16) bits;
    case MI_INT32:
      return (gint32) low;
    case MI_INT64:
      return (gint64) bits;
    case MI_SINGLE:
      memcpy (&f, &low, sizeof f);
      return f;
    case MI_DOUBLE:
      memcpy (&d, &bits, sizeof d);
      return d;
    default:
      return bits;
    }
}

/* Flags, extents and name: what stands at the start of every matrix. */
static gboolean
read_array (const Element *matrix,
            Array         *array)
{
  Bytes bytes = matrix->data;
  Element flags, dims, name;
  guint32 word;

  if (matrix->type != MI_MATRIX || !next_element (&bytes, &flags) || flags.type != MI_UINT32 || flags.data.left < 8 ||
      !next_element (&bytes, &dims) || dims.type != MI_INT32 || !next_element (&bytes, &name) ||
      (name.type != MI_INT8 && name.type != MI_UTF8 && name.type != MI_UINT8))
    return FALSE;
  word = load_bits (&flags.data, flags.data.at, 4);
  array->class_type = word & 0xff;
  array->is_complex = (word & FLAG_COMPLEX) != 0;
  if (dims.data.left < 8 || dims.data.left / 4 > NN_MAX_RANK || name.data.left >= MAX_NAME)
    return FALSE;
  array->shape = (NnShape){ .rank = dims.data.left / 4 };
  for (guint i = 0; i < array->shape.rank; i++)
    {
      array->shape.dims[i] = (gint32) load_bits (&dims.data, dims.data.at + 4 * i, 4);
      if (array->shape.dims[i] < 0)
        return FALSE;
    }
  memcpy (array->name, name.data.at, name.data.left);
  array->name[name.data.left] = '\0';
  array->body = bytes;
  return g_utf8_validate (array->name, -1, NULL);
}

/* (nullable) (transfer full): the bytes of a packed element. */
static GByteArray *
unpack (const Element *packed)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gsize limit = MIN (packed->data.left, G_MAXUINT / 2 / NN_DATA_MAX_EXPANSION) * NN_DATA_MAX_EXPANSION;
  z_stream stream = { .next_in = (guint8 *) packed->data.at, .avail_in = packed->data.left };
  guint8 buffer[65536];
  int status = Z_OK;

  if (inflateInit (&stream) != Z_OK)
    return NULL;
  while (status == Z_OK && bytes->len <= limit)
    {
      stream.next_out = buffer;
      stream.avail_out = sizeof buffer;
      status = inflate (&stream, Z_NO_FLUSH);
      g_byte_array_append (bytes, buffer, sizeof buffer - stream.avail_out);
      if (stream.avail_out > 0 && stream.avail_in == 0)
        break;
    }
  inflateEnd (&stream);
  return bytes->len > 0 ? g_steal_pointer (&bytes) : NULL;
}

/* Each array of the file is shown to @see until it says that it has seen enough. */
typedef gboolean (*SeeFunc) (const Array *array,
                             gpointer     data);

static gboolean
each_array (const char *path,
            SeeFunc     see,
            gpointer    data,
            GError    **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  const guint8 *start;
  gboolean enough = FALSE;
  Element element;
  Bytes bytes;

  if (file == NULL)
    return FALSE;
  start = (const guint8 *) g_mapped_file_get_contents (file);
  bytes = (Bytes){ start, g_mapped_file_get_length (file), FALSE };
  if (bytes.left < HEADER || (memcmp (start + ENDIAN_AT, "MI", 2) != 0 && memcmp (start + ENDIAN_AT, "IM", 2) != 0))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable MATLAB file: its header is damaged", path);
      return FALSE;
    }
  /* "IM" was written on a little-endian machine */
  bytes.swap = (start[ENDIAN_AT] == 'I') != (G_BYTE_ORDER == G_LITTLE_ENDIAN);
  bytes.at += HEADER;
  bytes.left -= HEADER;
  while (!enough && next_element (&bytes, &element))
    {
      g_autoptr (GByteArray) plain = element.type == MI_COMPRESSED ? unpack (&element) : NULL;
      Bytes inner = { plain != NULL ? plain->data : NULL, plain != NULL ? plain->len : 0, bytes.swap };
      g_autofree Array *array = g_new (Array, 1);

      if (element.type == MI_COMPRESSED && !next_element (&inner, &element))
        continue;
      if (read_array (&element, array))
        enough = see (array, data);
    }
  return TRUE;
}

/* (nullable): for people; %NULL where it is no array of real numbers or text */
static const char *
class_name (const Array *array)
{
  if (array->is_complex)
    return NULL;
  if (array->class_type == MX_CHAR || array->class_type == MX_CELL)
    return "text";
  if (array->class_type == MX_DOUBLE || array->class_type == MX_SINGLE)
    return array->class_type == MX_DOUBLE ? "float64" : "float32";
  return array->class_type >= MX_INT8 && array->class_type <= MX_UINT64 ? "integer" : NULL;
}

/* Text has one row for each line or cell. */
static NnShape
shape_of (const Array *array)
{
  gsize n;

  if (array->class_type == MX_CHAR)
    return NN_SHAPE (array->shape.dims[0]);
  if (array->class_type == MX_CELL)
    return NN_SHAPE (nn_shape_size (&array->shape, &n) ? (gint64) MIN (n, G_MAXINT32) : 0);
  return array->shape;
}

static gboolean
list_array (const Array *array,
            gpointer     entries)
{
  NnShape shape = shape_of (array);

  if (array->name[0] != '\0' && class_name (array) != NULL)
    g_ptr_array_add (entries, nn_data_entry_new (array->name, &shape, class_name (array)));
  return FALSE;
}

GPtrArray *
nn_data_mat_list (const char *path,
                  GError    **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);

  return each_array (path, list_array, entries, error) ? g_steal_pointer (&entries) : NULL;
}

static NnArrayReader *
too_short (GError **error)
{
  g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the array is shorter than its size says");
  return NULL;
}

/* Columns first, as MATLAB has them, to rows first. */
static NnArrayReader *
read_numbers (const Array *array,
              GError     **error)
{
  const NnShape *shape = &array->shape;
  g_autoptr (NnTensor) tensor = NULL, rows = NULL;
  NnShape reversed = { .rank = shape->rank };
  guint axes[NN_MAX_RANK];
  Bytes bytes = array->body;
  Element numbers;
  gsize n;

  for (guint i = 0; i < shape->rank; i++)
    {
      axes[i] = shape->rank - 1 - i;
      reversed.dims[i] = shape->dims[axes[i]];
    }
  if (!nn_shape_size (shape, &n) || !next_element (&bytes, &numbers) || item_size (numbers.type) == 0 ||
      numbers.data.left / item_size (numbers.type) < n)
    return too_short (error);
  tensor = nn_tensor_try_new (NN_DTYPE_F64, &reversed, error);
  if (tensor == NULL)
    return NULL;
  for (gsize i = 0; i < n; i++)
    nn_tensor_f64 (tensor)[i] = load_number (&numbers, i);
  rows = nn_tensor_transpose (tensor, axes);
  return nn_array_reader_tensor (rows);
}

/* (nullable): row @row of a matrix of characters */
static char *
read_line (const Array *array,
           gsize        row)
{
  g_autoptr (GString) text = g_string_new (NULL);
  Bytes bytes = array->body;
  Element letters;
  gsize n, rows = array->shape.dims[0];

  if (!nn_shape_size (&array->shape, &n) || !next_element (&bytes, &letters) || item_size (letters.type) == 0)
    return NULL;
  n = MIN (n, letters.data.left / item_size (letters.type));
  for (gsize i = row; i < n; i += MAX (rows, 1))
    {
      double c = load_number (&letters, i);

      if (c <= 0 || c > 0x10ffff || !g_unichar_validate ((gunichar) c))
        continue;
      if (letters.type == MI_UTF8 || letters.type == MI_INT8)
        g_string_append_c (text, (char) (guint8) c);
      else
        g_string_append_unichar (text, (gunichar) c);
    }
  return g_strchomp (g_utf8_make_valid (text->str, text->len));
}

static NnArrayReader *
read_texts (const Array *array,
            GError     **error)
{
  gint64 n = shape_of (array).dims[0];
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree Array *inner = g_new (Array, 1);
  Bytes bytes = array->body;

  if ((gsize) n > bytes.left)
    return too_short (error);
  for (gint64 i = 0; i < n; i++)
    {
      Element element;
      char *line = NULL;

      if (array->class_type == MX_CHAR)
        line = read_line (array, i);
      else if (next_element (&bytes, &element) && read_array (&element, inner) && inner->class_type == MX_CHAR)
        line = read_line (inner, 0);
      if (line == NULL)
        {
          g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "a cell holds something else than text");
          return NULL;
        }
      g_ptr_array_add (lines, line);
    }
  g_ptr_array_add (lines, NULL);
  g_ptr_array_set_free_func (lines, NULL);
  return nn_array_reader_texts ((char **) g_ptr_array_free (g_steal_pointer (&lines), FALSE));
}

typedef struct {
  const char    *name;
  gboolean       found;
  NnArrayReader *reader;
  GError       **error;
} Wanted;

static gboolean
read_wanted (const Array *array,
             gpointer     data)
{
  Wanted *wanted = data;

  if (strcmp (array->name, wanted->name) != 0)
    return FALSE;
  wanted->found = TRUE;
  if (class_name (array) == NULL)
    g_set_error (wanted->error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\" is no array of real numbers or text", wanted->name);
  else if (array->class_type == MX_CHAR || array->class_type == MX_CELL)
    wanted->reader = read_texts (array, wanted->error);
  else
    wanted->reader = read_numbers (array, wanted->error);
  return TRUE;
}

NnArrayReader *
nn_data_mat_open (const char *path,
                  const char *name,
                  GError    **error)
{
  Wanted wanted = { .name = name != NULL ? name : "", .error = error };

  if (!each_array (path, read_wanted, &wanted, error))
    return NULL;
  if (!wanted.found)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no array \"%s\"", wanted.name);
  return wanted.reader;
}

/* Version 7.3 keeps its axes in HDF5 the other way round: rows are read as they lie and turned in memory. */
NnArrayReader *
nn_data_mat73_open (const char *path,
                    const char *name,
                    GError    **error)
{
  g_autoptr (NnArrayReader) reader = nn_data_hdf5_open (path, name, error);
  g_autoptr (NnTensor) tensor = NULL, rows = NULL;
  guint axes[NN_MAX_RANK];

  if (reader == NULL || reader->is_text)
    return g_steal_pointer (&reader);
  tensor = nn_tensor_try_new (NN_DTYPE_F64, &reader->shape, error);
  if (tensor == NULL || !reader->read (reader, reader->shape.dims[0], nn_tensor_f64 (tensor), error))
    return NULL;
  for (guint i = 0; i < tensor->shape.rank; i++)
    axes[i] = tensor->shape.rank - 1 - i;
  rows = nn_tensor_transpose (tensor, axes);
  return nn_array_reader_tensor (rows);
}

GPtrArray *
nn_data_mat73_list (const char *path,
                    GError    **error)
{
  GPtrArray *entries = nn_data_hdf5_list (path, error);

  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      NnShape *shape = &((NnDataEntry *) entries->pdata[i])->shape, turned = *shape;

      for (guint d = 0; d < shape->rank; d++)
        turned.dims[d] = shape->dims[shape->rank - 1 - d];
      *shape = turned;
    }
  return entries;
}
