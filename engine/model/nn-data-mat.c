/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MATLAB files: version 5 by a reader of its own, version 7.3 as the HDF5 that it is. libmatio was tried and left out:
 * a damaged file of 400 bytes makes it allocate gigabytes. Source: MathWorks, MAT-File Format (level 5).
 */

#include "nn-data-private.h"

#include "nn-error.h"

#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#define HEADER 128
#define ENDIAN_AT 126
#define MAX_NAME 4096
/* Bytes of a packed element that hold its header: tag, flags, extents and name. */
#define HEAD (MAX_NAME + 256)

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
  gboolean      cut;  /* only the start of what an element says it has is there */
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
  GMappedFile *file;  /* borrowed: where the body lies, or: */
  NnTensor    *plain; /* borrowed, nullable */
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
  element->data.cut = bytes->cut;
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
      if (n > bytes->left - 8 && !bytes->cut)
        return FALSE;
      n = MIN (n, bytes->left - 8);
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

/* Inflates as much as fits; bytes that came out. */
static gsize
inflate_into (z_stream *stream,
              guint8   *to,
              gsize     n)
{
  gsize done = 0;
  int status = Z_OK;

  while (status == Z_OK && done < n)
    {
      guint piece = MIN (n - done, G_MAXINT32);

      stream->next_out = to + done;
      stream->avail_out = piece;
      status = inflate (stream, Z_NO_FLUSH);
      done += piece - stream->avail_out;
      if (stream->avail_out > 0 && stream->avail_in == 0)
        break;
    }
  return done;
}

/* (nullable) (transfer full): the bytes of a packed element, or the first @most of them; they say how many they are. */
static NnTensor *
unpack (const Element *packed,
        gsize          most,
        gsize         *n)
{
  z_stream stream = { .next_in = (guint8 *) packed->data.at, .avail_in = packed->data.left };
  Bytes tag = { .swap = packed->data.swap };
  NnTensor *plain = NULL;
  guint8 start[8];
  gsize whole;

  if (inflateInit (&stream) != Z_OK)
    return NULL;
  if (inflate_into (&stream, start, sizeof start) == sizeof start)
    {
      whole = sizeof start + load_bits (&tag, start + 4, 4);
      *n = MIN (whole, most);
      if (whole / NN_DATA_MAX_EXPANSION <= packed->data.left)
        plain = nn_data_tensor_new (NN_DTYPE_U8, &NN_SHAPE ((gint64) *n), NULL);
    }
  if (plain != NULL)
    {
      memcpy (nn_tensor_u8 (plain), start, MIN (sizeof start, *n));
      *n = sizeof start + inflate_into (&stream, nn_tensor_u8 (plain) + sizeof start, *n - sizeof start);
    }
  inflateEnd (&stream);
  return plain;
}

/* The array in an element, packed or not. @most: bytes that are unpacked of it; what is unpacked is handed on in @plain. */
static gboolean
open_array (const Element *element,
            gsize          most,
            Array         *array,
            NnTensor     **plain)
{
  Element inner = *element;
  gsize n = 0;

  *plain = element->type == MI_COMPRESSED ? unpack (element, most, &n) : NULL;
  if (*plain != NULL)
    {
      Bytes bytes = { nn_tensor_u8 (*plain), n, element->data.swap, most < G_MAXSIZE };

      if (!next_element (&bytes, &inner))
        return FALSE;
    }
  array->plain = *plain;
  return read_array (&inner, array);
}

/* Each array of the file is shown to @see until it says that it has seen enough. */
typedef gboolean (*SeeFunc) (const Array *array,
                             gpointer     data);

/* @name: (nullable): only the array of this name is shown, and all of it; without, the arrays' headers are. */
static gboolean
each_array (const char *path,
            const char *name,
            SeeFunc     see,
            gpointer    data,
            GError    **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  g_autofree Array *array = g_new0 (Array, 1);
  const guint8 *start;
  gboolean enough = FALSE;
  Element element;
  Bytes bytes;

  if (file == NULL)
    return FALSE;
  start = (const guint8 *) g_mapped_file_get_contents (file);
  bytes = (Bytes){ .at = start, .left = g_mapped_file_get_length (file) };
  if (bytes.left < HEADER || (memcmp (start + ENDIAN_AT, "MI", 2) != 0 && memcmp (start + ENDIAN_AT, "IM", 2) != 0))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable MATLAB file: its header is damaged", path);
      return FALSE;
    }
  /* "IM" was written on a little-endian machine */
  bytes.swap = (start[ENDIAN_AT] == 'I') != (G_BYTE_ORDER == G_LITTLE_ENDIAN);
  bytes.at += HEADER;
  bytes.left -= HEADER;
  array->file = file;
  while (!enough && next_element (&bytes, &element))
    {
      g_autoptr (NnTensor) plain = NULL, whole = NULL;

      if (!open_array (&element, HEAD, array, &plain))
        continue;
      if (name == NULL)
        enough = see (array, data);
      else if (strcmp (array->name, name) == 0 && open_array (&element, G_MAXSIZE, array, &whole))
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

  return each_array (path, NULL, list_array, entries, error) ? g_steal_pointer (&entries) : NULL;
}

static NnArrayReader *
too_short (GError **error)
{
  g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the array is shorter than its size says");
  return NULL;
}

/* Numbers where they lie, in the file or unpacked. */
typedef struct {
  Element      numbers;
  GMappedFile *file;  /* owned */
  NnTensor    *plain; /* owned, nullable */
} Numbers;

static double
numbers_load (gpointer source,
              gsize    i)
{
  return load_number (&((Numbers *) source)->numbers, i);
}

static void
numbers_release (gpointer source)
{
  Numbers *numbers = source;

  if (numbers->plain != NULL)
    nn_tensor_release (numbers->plain, 0, numbers->plain->n);
  else
    madvise (g_mapped_file_get_contents (numbers->file), g_mapped_file_get_length (numbers->file), MADV_DONTNEED);
}

static void
numbers_free (gpointer source)
{
  Numbers *numbers = source;

  g_mapped_file_unref (numbers->file);
  nn_tensor_unref (numbers->plain);
  g_free (numbers);
}

static NnArrayReader *
read_numbers (const Array *array,
              GError     **error)
{
  const NnShape *shape = &array->shape;
  NnDataColumns columns = { numbers_load, numbers_release, numbers_free, NULL };
  Bytes bytes = array->body;
  Element element;
  Numbers *numbers;
  gsize n;

  if (!nn_shape_size (shape, &n) || !next_element (&bytes, &element) || item_size (element.type) == 0 ||
      element.data.left / item_size (element.type) < n)
    return too_short (error);
  numbers = g_new0 (Numbers, 1);
  numbers->numbers = element;
  numbers->file = g_mapped_file_ref (array->file);
  numbers->plain = array->plain != NULL ? nn_tensor_ref (array->plain) : NULL;
  columns.source = numbers;
  return nn_array_reader_columns (shape, &columns);
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

  if (!each_array (path, wanted.name, read_wanted, &wanted, error))
    return NULL;
  if (!wanted.found)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no array \"%s\"", wanted.name);
  return wanted.reader;
}

/* Version 7.3 keeps its axes in HDF5 the other way round. */
NnArrayReader *
nn_data_mat73_open (const char *path,
                    const char *name,
                    GError    **error)
{
  return nn_data_hdf5_open_turned (path, name, error);
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
