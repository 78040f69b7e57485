/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * MATLAB files of version 5, read where they lie. libmatio was tried and left out: a damaged file of 400 bytes makes it allocate
 * gigabytes.
 */

#include "nn-mat.h"

#include "nn-error.h"

#include <string.h>
#include <zlib.h>

#define HEADER 128
#define ENDIAN_AT 126
/* Bytes of a packed element that hold its header: tag, flags, extents and name. */
#define HEAD (NN_MAT_MAX_NAME + 256)
/* Structures within structures deeper than this are not searched. */
#define MAX_DEPTH 8

static guint64
load_bits (const NnMatBytes  *bytes,
           const guint8 *p,
           guint         n)
{
  gboolean big = (G_BYTE_ORDER == G_BIG_ENDIAN) != bytes->swap;
  guint64 bits = 0;

  for (guint i = 0; i < n; i++)
    bits |= (guint64) p[big ? n - 1 - i : i] << 8 * i;
  return bits;
}

gboolean
nn_mat_next_element (NnMatBytes   *bytes,
              NnMatElement *element)
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

guint
nn_mat_item_size (guint32 type)
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

double
nn_mat_load_number (const NnMatElement *element,
             gsize          i)
{
  guint size = nn_mat_item_size (element->type);
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

gboolean
nn_mat_read_array (const NnMatElement *matrix,
            NnMatArray         *array)
{
  NnMatBytes bytes = matrix->data;
  NnMatElement flags, dims, name;
  guint32 word;

  if (matrix->type != MI_MATRIX || !nn_mat_next_element (&bytes, &flags) || flags.type != MI_UINT32 || flags.data.left < 8 ||
      !nn_mat_next_element (&bytes, &dims) || dims.type != MI_INT32 || !nn_mat_next_element (&bytes, &name) ||
      (name.type != MI_INT8 && name.type != MI_UTF8 && name.type != MI_UINT8))
    return FALSE;
  word = load_bits (&flags.data, flags.data.at, 4);
  array->class_type = word & 0xff;
  array->is_complex = (word & FLAG_COMPLEX) != 0;
  if (dims.data.left < 8 || dims.data.left / 4 > NN_MAX_RANK || name.data.left >= NN_MAT_MAX_NAME)
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
              gsize     n,
              int      *status)
{
  gsize done = 0;

  *status = Z_OK;
  while (*status == Z_OK && done < n)
    {
      guint piece = MIN (n - done, G_MAXINT32);

      stream->next_out = to + done;
      stream->avail_out = piece;
      *status = inflate (stream, Z_NO_FLUSH);
      done += piece - stream->avail_out;
      if (stream->avail_out > 0 && stream->avail_in == 0)
        break;
    }
  return done;
}

/* Whether what was packed is as it had been: its end tells. */
static gboolean
ends_well (z_stream *stream,
           int       status)
{
  guint8 more;

  if (status == Z_OK)
    inflate_into (stream, &more, sizeof more, &status);
  return status != Z_DATA_ERROR;
}

/* (nullable) (transfer full): the bytes of a packed element, or the first @most of them; they say how many they are. */
static NnTensor *
unpack (const NnMatElement *packed,
        gsize               most,
        gsize              *n)
{
  z_stream stream = { .next_in = (guint8 *) packed->data.at, .avail_in = packed->data.left };
  NnMatBytes tag = { .swap = packed->data.swap };
  g_autoptr (NnTensor) plain = NULL;
  gboolean good = TRUE;
  guint8 start[8];
  gsize whole;
  int status;

  if (inflateInit (&stream) != Z_OK)
    return NULL;
  if (inflate_into (&stream, start, sizeof start, &status) == sizeof start)
    {
      whole = sizeof start + load_bits (&tag, start + 4, 4);
      *n = MIN (whole, most);
      if (whole / NN_DATA_MAX_EXPANSION <= packed->data.left)
        plain = nn_data_tensor_new (NN_DTYPE_U8, &NN_SHAPE ((gint64) MAX (*n, sizeof start)), NULL);
    }
  if (plain != NULL)
    {
      memcpy (nn_tensor_u8 (plain), start, sizeof start);
      *n = sizeof start + inflate_into (&stream, nn_tensor_u8 (plain) + sizeof start, *n - MIN (*n, sizeof start), &status);
      good = most < G_MAXSIZE || ends_well (&stream, status);
    }
  inflateEnd (&stream);
  return good ? g_steal_pointer (&plain) : NULL;
}

/* The array in an element, packed or not. @most: bytes that are unpacked of it; what is unpacked is handed on in @plain. */
static gboolean
open_array (const NnMatElement *element,
            gsize               most,
            NnMatArray         *array,
            NnTensor          **plain)
{
  NnMatElement inner = *element;
  gsize n = 0;

  *plain = element->type == MI_COMPRESSED ? unpack (element, most, &n) : NULL;
  if (*plain != NULL)
    {
      NnMatBytes bytes = { nn_tensor_u8 (*plain), n, element->data.swap, most < G_MAXSIZE };

      if (!nn_mat_next_element (&bytes, &inner))
        return FALSE;
    }
  array->plain = *plain;
  return nn_mat_read_array (&inner, array);
}

/* What is asked for, and how the search went. */
typedef struct {
  const char  *name; /* (nullable) */
  NnMatSeeFunc see;
  gpointer     data;
} Search;

static gboolean see_array (const Search *search, const NnMatArray *array, guint depth);

/* The fields of a structure, one after the other. */
static gboolean
see_fields (const Search     *search,
            const NnMatArray *array,
            guint             depth)
{
  g_autofree NnMatArray *inner = g_new0 (NnMatArray, 1);
  NnMatBytes bytes = array->body;
  NnMatElement length, names, element;
  gsize size;

  if (!nn_mat_next_element (&bytes, &length) || length.data.left < 4 || !nn_mat_next_element (&bytes, &names))
    return FALSE;
  size = load_bits (&length.data, length.data.at, 4);
  for (gsize i = 0; size > 0 && i < names.data.left / size && nn_mat_next_element (&bytes, &element); i++)
    {
      g_autofree char *field = g_strndup ((const char *) names.data.at + i * size, size);

      inner->file = array->file;
      inner->plain = array->plain;
      if (nn_mat_read_array (&element, inner) && g_utf8_validate (field, -1, NULL) &&
          g_snprintf (inner->name, sizeof inner->name, "%s/%s", array->name, field) < (int) sizeof inner->name &&
          see_array (search, inner, depth + 1))
        return TRUE;
    }
  return FALSE;
}

static gboolean
see_array (const Search     *search,
           const NnMatArray *array,
           guint             depth)
{
  gsize n;

  if (array->class_type == MX_STRUCT && depth < MAX_DEPTH && nn_shape_size (&array->shape, &n) && n == 1)
    return see_fields (search, array, depth);
  return (search->name == NULL || strcmp (array->name, search->name) == 0) && search->see (array, search->data);
}

/* Whether an array can be, or hold, the one that is asked for. */
static gboolean
may_hold (const Search     *search,
          const NnMatArray *array)
{
  gsize n = strlen (array->name);

  if (search->name == NULL)
    return array->class_type == MX_STRUCT; /* its fields are not within its head */
  return strncmp (search->name, array->name, n) == 0 && (search->name[n] == '\0' || search->name[n] == '/');
}

static gboolean
check_header (const char   *path,
              const guint8 *start,
              gsize         n,
              GError      **error)
{
  if (n >= HEADER && (memcmp (start + ENDIAN_AT, "MI", 2) == 0 || memcmp (start + ENDIAN_AT, "IM", 2) == 0))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable MATLAB file: its header is damaged", path);
  return FALSE;
}

/* Of one element of the file. FALSE where it is damaged. */
static gboolean
search_element (const Search       *search,
                const NnMatElement *element,
                NnMatArray         *array,
                gboolean           *enough)
{
  g_autoptr (NnTensor) plain = NULL, whole = NULL;

  if (!open_array (element, HEAD, array, &plain))
    return element->type != MI_COMPRESSED;
  if (!may_hold (search, array))
    *enough = search->name == NULL && search->see (array, search->data);
  else if (open_array (element, G_MAXSIZE, array, &whole))
    *enough = see_array (search, array, 0);
  else
    return FALSE;
  return TRUE;
}

gboolean
nn_mat_each_array (const char   *path,
                   const char   *name,
                   NnMatSeeFunc  see,
                   gpointer      data,
                   GError      **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  g_autofree NnMatArray *array = g_new0 (NnMatArray, 1);
  const Search search = { name, see, data };
  const guint8 *start;
  gboolean enough = FALSE, good = TRUE;
  NnMatElement element;
  NnMatBytes bytes;

  if (file == NULL)
    return FALSE;
  start = (const guint8 *) g_mapped_file_get_contents (file);
  bytes = (NnMatBytes){ .at = start, .left = g_mapped_file_get_length (file) };
  if (!check_header (path, start, bytes.left, error))
    return FALSE;
  /* "IM" was written on a little-endian machine */
  bytes.swap = (start[ENDIAN_AT] == 'I') != (G_BYTE_ORDER == G_LITTLE_ENDIAN);
  bytes.at += HEADER;
  bytes.left -= HEADER;
  array->file = file;
  while (!enough && good && nn_mat_next_element (&bytes, &element))
    good = search_element (&search, &element, array, &enough);
  if (enough || (good && bytes.left < 8))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable MATLAB file: it is damaged or cut short at byte %" G_GSIZE_FORMAT,
               path, (gsize) ((good ? bytes.at : element.data.at) - start));
  return FALSE;
}
