/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays in HDF5 files, whatever their layout and compression; rows are read slab by slab. */

#include "nn-data-private.h"

#include "nn-error.h"
#include "nn-h5-lzf.h"
#include "nn-h5.h"

#include <glib/gstdio.h>
/* The interface of 1.8, which every later library still offers. */
#define H5_USE_18_API 1
#include <hdf5.h>
#include <math.h>
#include <string.h>

/* Groups within groups deeper than this are not searched. */
#define MAX_DEPTH 16
#define MAX_ENTRIES 10000
/* Text of more bytes is none that names a class. */
#define LONGEST_TEXT 65536
/* HDF5's own cache of chunks, and the largest that a data set is given here. */
#define DEFAULT_CACHE (1 << 20)
#define LARGEST_CACHE (256 << 20)
/* Chunks that were never written cost nothing in the file, so a small file may claim anything; up to this is believed. */
#define BELIEVABLE_BYTES (G_GUINT64_CONSTANT (1) << 28)

/* Numbers that are read at once of an array whose rows lie apart: half a megabyte would be read for each row, with less. */
#define TURNED_BLOCK (1 << 23)

typedef struct {
  NnArrayReader reader;
  hid_t         file;
  hid_t         set;
  hid_t         memory;  /* type of a row's number, or of all fields of a record, as they are read */
  hid_t         text;    /* of an array of text: the type of one */
  gsize         next;
  guint         rows;    /* the axis of the samples: the first, or in files of MATLAB the last */
  double       *block;   /* owned, nullable: of rows that lie apart, some more than are asked for */
  gsize         block_first, block_n;
} H5Reader;

typedef struct {
  GPtrArray *entries;
  guint64    file_bytes;
} Listing;

static hid_t
open_file (const char *path,
           GError    **error)
{
  hid_t file = H5I_INVALID_HID;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: there is no such file", path);
      return file;
    }
  nn_h5_register_lzf ();
  H5E_BEGIN_TRY
  {
    file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  }
  H5E_END_TRY
  if (file < 0)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable HDF5 file", path);
  return file;
}

static const char *
class_name (hid_t type)
{
  switch (H5Tget_class (type))
    {
    case H5T_FLOAT:
      return H5Tget_size (type) > 4 ? "float64" : "float32";
    case H5T_INTEGER:
    case H5T_ENUM:
      return "integer";
    case H5T_STRING:
      return "text";
    case H5T_COMPOUND:
      return "table";
    default:
      return NULL;
    }
}

/* Of a type that is a record: its members one by one. (transfer full) in @type and @name. */
static gboolean
next_field (hid_t   record,
            guint   i,
            char  **name,
            hid_t  *type)
{
  char *text;

  if (H5Tget_class (record) != H5T_COMPOUND || i >= (guint) MAX (H5Tget_nmembers (record), 0))
    return FALSE;
  text = H5Tget_member_name (record, i);
  *name = g_strdup (text != NULL ? text : "");
  H5free_memory (text);
  *type = H5Tget_member_type (record, i);
  return TRUE;
}

/* What a field of a record holds: a number, a small array of them, or text. FALSE for anything else. */
static gboolean
describe_field (hid_t        type,
                NnShape     *shape,
                const char **name)
{
  hsize_t dims[H5S_MAX_RANK];
  hid_t base;
  int rank = 0;

  *shape = (NnShape){ 0 };
  if (H5Tget_class (type) != H5T_ARRAY)
    return (*name = class_name (type)) != NULL;
  rank = H5Tget_array_ndims (type);
  base = H5Tget_super (type);
  *name = base >= 0 ? class_name (base) : NULL;
  if (base >= 0)
    H5Tclose (base);
  if (*name == NULL || strcmp (*name, "text") == 0 || rank < 1 || rank >= NN_MAX_RANK || H5Tget_array_dims (type, dims) != rank)
    return FALSE;
  for (int i = 0; i < rank; i++)
    shape->dims[shape->rank++] = MIN (dims[i], (hsize_t) G_MAXINT32);
  return TRUE;
}

/* Type and shape of an open data set; FALSE where it is no array of numbers or text. */
static gboolean
describe (hid_t        set,
          NnShape     *shape,
          const char **type)
{
  hid_t space = H5Dget_space (set), t = H5Dget_type (set);
  hsize_t dims[H5S_MAX_RANK];
  int rank = space >= 0 ? H5Sget_simple_extent_ndims (space) : -1;

  *type = t >= 0 ? class_name (t) : NULL;
  *shape = (NnShape){ 0 };
  if (rank >= 0 && rank <= NN_MAX_RANK && H5Sget_simple_extent_dims (space, dims, NULL) >= 0)
    {
      shape->rank = rank;
      for (int i = 0; i < rank; i++)
        {
          shape->dims[i] = MIN (dims[i], (hsize_t) G_MAXINT64);
          rank = dims[i] > G_MAXINT64 / 2 ? -1 : rank;
        }
    }
  else
    rank = -1;
  if (t >= 0)
    H5Tclose (t);
  if (space >= 0)
    H5Sclose (space);
  return rank >= 0 && *type != NULL && (rank == 1 || strcmp (*type, "table") != 0);
}

static void list_group (hid_t group, const char *prefix, guint depth, Listing *listing);

static herr_t
visit (hid_t             group,
       const char       *name,
       const H5L_info_t *link,
       void             *data)
{
  g_ptr_array_add (data, g_strdup (name));
  return ((GPtrArray *) data)->len < MAX_ENTRIES ? 0 : 1;
}

/* A table of records is offered as a whole, which is its numbers side by side, and by its fields. */
static void
list_records (hid_t       set,
              const char *full,
              gint64      n,
              Listing    *listing)
{
  hid_t record = H5Dget_type (set), type;
  NnDataEntry *whole = nn_data_entry_new (full, &NN_SHAPE (n, 0), "table");
  char *field;

  g_ptr_array_add (listing->entries, whole);
  for (guint i = 0; record >= 0 && next_field (record, i, &field, &type); i++)
    {
      g_autofree char *name = g_strconcat (full, ".", field, NULL);
      const char *kind = NULL;
      NnShape shape, all = NN_SHAPE (n);
      gsize count;

      g_free (field);
      if (type >= 0 && describe_field (type, &shape, &kind) && nn_shape_size (&shape, &count))
        {
          for (guint d = 0; d < shape.rank; d++)
            all.dims[all.rank++] = shape.dims[d];
          whole->shape.dims[1] += strcmp (kind, "text") == 0 ? 0 : (gint64) count;
          g_ptr_array_add (listing->entries, nn_data_entry_new (name, &all, kind));
        }
      if (type >= 0)
        H5Tclose (type);
    }
  if (record >= 0)
    H5Tclose (record);
}

static void
list_object (hid_t       group,
             const char *name,
             const char *full,
             guint       depth,
             Listing    *listing)
{
  hid_t object = H5Oopen (group, name, H5P_DEFAULT);
  NnShape shape;
  const char *type = NULL;

  if (object < 0)
    return;
  if (H5Iget_type (object) == H5I_GROUP && depth < MAX_DEPTH)
    {
      g_autofree char *prefix = g_strconcat (full, "/", NULL);

      list_group (object, prefix, depth + 1, listing);
    }
  else if (H5Iget_type (object) == H5I_DATASET && describe (object, &shape, &type) && strcmp (type, "table") == 0)
    list_records (object, full, shape.dims[0], listing);
  else if (H5Iget_type (object) == H5I_DATASET && type != NULL && describe (object, &shape, &type))
    g_ptr_array_add (listing->entries, nn_data_entry_new (full, &shape, type));
  H5Oclose (object);
}

static void
list_group (hid_t       group,
            const char *prefix,
            guint       depth,
            Listing    *listing)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  H5Literate (group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, names);
  for (guint i = 0; i < names->len && listing->entries->len < MAX_ENTRIES; i++)
    {
      g_autofree char *full = g_strconcat (prefix, (char *) names->pdata[i], NULL);

      list_object (group, names->pdata[i], full, depth, listing);
    }
}

GPtrArray *
nn_data_hdf5_list (const char *path,
                   GError    **error)
{
  Listing listing = { 0 };
  hid_t file;

  nn_h5_lock ();
  file = open_file (path, error);
  if (file < 0)
    {
      nn_h5_unlock ();
      return NULL;
    }
  listing.entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);
  H5E_BEGIN_TRY
  {
    list_group (file, "", 0, &listing);
    H5Fclose (file);
  }
  H5E_END_TRY
  nn_h5_unlock ();
  return listing.entries;
}

static gboolean
select_rows (H5Reader *h5,
             gsize     first,
             gsize     count,
             hid_t    *memory,
             hid_t    *space)
{
  hsize_t start[H5S_MAX_RANK] = { 0 }, extent[H5S_MAX_RANK];
  int rank;

  *space = H5Dget_space (h5->set);
  rank = *space >= 0 ? H5Sget_simple_extent_dims (*space, extent, NULL) : -1;
  if (rank < 1 || (guint) rank <= h5->rows)
    return FALSE;
  start[h5->rows] = first;
  extent[h5->rows] = count;
  *memory = H5Screate_simple (rank, extent, NULL);
  return *memory >= 0 && H5Sselect_hyperslab (*space, H5S_SELECT_SET, start, NULL, extent, NULL) >= 0;
}

static gboolean
read_failed (GError **error)
{
  g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT,
                       "the HDF5 data cannot be read: the file is damaged or uses a filter that is not installed");
  return FALSE;
}

/* Rows as the file has them. */
static gboolean
read_rows (H5Reader *h5,
           gsize     first,
           gsize     count,
           void     *to,
           GError  **error)
{
  hid_t memory = -1, space = -1;
  gboolean good;

  nn_h5_lock ();
  H5E_BEGIN_TRY
  {
    good = select_rows (h5, first, count, &memory, &space) && H5Dread (h5->set, h5->memory, memory, space, H5P_DEFAULT, to) >= 0;
    if (memory >= 0)
      H5Sclose (memory);
    if (space >= 0)
      H5Sclose (space);
  }
  H5E_END_TRY
  nn_h5_unlock ();
  return good || read_failed (error);
}

static gboolean
h5_read (NnArrayReader *reader,
         gsize          count,
         double        *values,
         GError       **error)
{
  H5Reader *h5 = (H5Reader *) reader;

  h5->next += count;
  return read_rows (h5, h5->next - count, count, values, error);
}

/* Whether the rows that follow are in the block, having read them where they were not. */
static gboolean
fill_block (H5Reader *h5,
            GError  **error)
{
  gsize row = nn_array_reader_row (&h5->reader), left = (gsize) h5->reader.shape.dims[0] - h5->next;

  if (h5->next >= h5->block_first && h5->next < h5->block_first + h5->block_n)
    return TRUE;
  h5->block_first = h5->next;
  h5->block_n = MIN (MAX (TURNED_BLOCK / MAX (row, 1), 1), left);
  g_free (h5->block);
  h5->block = g_try_malloc_n (MAX (h5->block_n * row, 1), sizeof (double));
  if (h5->block != NULL)
    return read_rows (h5, h5->block_first, h5->block_n, h5->block, error);
  g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "there is no memory for reading");
  return FALSE;
}

/* All axes in the other order: a row's numbers lie apart, and within it the first axis runs fastest. */
static gboolean
h5_read_turned (NnArrayReader *reader,
                gsize          count,
                double        *values,
                GError       **error)
{
  H5Reader *h5 = (H5Reader *) reader;
  const NnShape *shape = &reader->shape;
  gsize row = nn_array_reader_row (reader);

  for (gsize i = 0; i < count; i++, h5->next++, values += row)
    {
      gint64 index[NN_MAX_RANK] = { 0 };

      if (!fill_block (h5, error))
        return FALSE;
      for (gsize k = 0; k < row; k++)
        {
          gsize at = 0;

          for (guint d = shape->rank - 1; d > 0; d--)
            at = at * (gsize) shape->dims[d] + (gsize) index[d];
          values[k] = h5->block[h5->rows == 0 ? (h5->next - h5->block_first) * row + at
                                              : at * h5->block_n + h5->next - h5->block_first];
          for (guint d = shape->rank - 1; d > 0 && ++index[d] == shape->dims[d]; d--)
            index[d] = 0;
        }
    }
  return TRUE;
}

/* Samples of MATLAB that are counted by the last axis: by the first one of the file. */
static gboolean
h5_turn (NnArrayReader *reader)
{
  H5Reader *h5 = (H5Reader *) reader;
  NnShape shape = reader->shape;

  if (shape.rank < 2 || h5->next > 0)
    return FALSE;
  h5->rows = 0;
  for (guint d = 1; d < shape.rank; d++)
    reader->shape.dims[d] = shape.dims[d - 1];
  reader->shape.dims[0] = shape.dims[shape.rank - 1];
  return TRUE;
}

/* Text of fixed length, or each string a pointer of its own. */
static gboolean
h5_read_text (NnArrayReader *reader,
              gsize          count,
              char         **values,
              GError       **error)
{
  H5Reader *h5 = (H5Reader *) reader;
  gboolean variable, good;
  gsize size;

  nn_h5_lock ();
  variable = H5Tis_variable_str (h5->text) > 0;
  size = H5Tget_size (h5->text);
  nn_h5_unlock ();
  if (size == 0 || size >= LONGEST_TEXT)
    return read_failed (error);
  {
    g_autofree char *texts = g_malloc0_n (count + 1, size);

    good = read_rows (h5, h5->next, count, texts, error);
    for (gsize i = 0; good && i < count; i++)
      {
        char *own = variable ? ((char **) (gpointer) texts)[i] : NULL;
        g_autofree char *text = variable ? g_strdup (own != NULL ? own : "") : g_strndup (texts + i * size, size);

        values[i] = g_strchomp (g_utf8_make_valid (text, -1));
        if (own != NULL)
          H5free_memory (own);
      }
  }
  h5->next += count;
  return good;
}

static void
h5_free (NnArrayReader *reader)
{
  H5Reader *h5 = (H5Reader *) reader;

  nn_h5_lock ();
  H5E_BEGIN_TRY
  {
    if (h5->memory >= 0)
      H5Tclose (h5->memory);
    if (h5->text >= 0)
      H5Tclose (h5->text);
    if (h5->set >= 0)
      H5Dclose (h5->set);
    if (h5->file >= 0)
      H5Fclose (h5->file);
  }
  H5E_END_TRY
  nn_h5_unlock ();
  g_free (h5->block);
  g_free (h5);
}

static gboolean
check_size (const char *path,
            H5Reader   *h5,
            GError    **error)
{
  GStatBuf info = { 0 };
  gsize n, bytes;

  if (g_stat (path, &info) == 0 && nn_shape_size (&h5->reader.shape, &n) && g_size_checked_mul (&bytes, n, 8) &&
      (bytes <= BELIEVABLE_BYTES || bytes / NN_DATA_MAX_EXPANSION / 8 <= (guint64) info.st_size))
    return TRUE;
  g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "the array claims more numbers than a file of this size can hold");
  return FALSE;
}

/* Bytes of the chunks that a row goes through; 0 where there are no chunks. @turned: rows are counted by the last axis. */
static double
chunks_of_a_row (hid_t    set,
                 gboolean turned)
{
  hid_t settings = H5Dget_create_plist (set), space = H5Dget_space (set), type = H5Dget_type (set);
  hsize_t chunk[H5S_MAX_RANK], extent[H5S_MAX_RANK];
  int rank = settings >= 0 && H5Pget_layout (settings) == H5D_CHUNKED ? H5Pget_chunk (settings, H5S_MAX_RANK, chunk) : 0;
  double bytes = type >= 0 ? (double) H5Tget_size (type) : 0;

  if (rank < 1 || rank > H5S_MAX_RANK || space < 0 || H5Sget_simple_extent_dims (space, extent, NULL) != rank)
    bytes = 0;
  for (int i = 0; bytes > 0 && i < rank; i++)
    bytes *= (double) chunk[i] * (i == (turned ? rank - 1 : 0) ? 1 : ceil ((double) extent[i] / (double) chunk[i]));
  if (settings >= 0)
    H5Pclose (settings);
  if (space >= 0)
    H5Sclose (space);
  if (type >= 0)
    H5Tclose (type);
  return bytes;
}

/* A data set with room for the chunks that a row of them takes: with less, each is unpacked again for every piece of rows. */
static hid_t
open_set (hid_t       file,
          const char *name,
          gboolean    turned)
{
  hid_t set = H5Dopen2 (file, name, H5P_DEFAULT), access;
  double bytes = set >= 0 ? chunks_of_a_row (set, turned) : 0;

  if (bytes <= DEFAULT_CACHE || bytes > LARGEST_CACHE || (access = H5Pcreate (H5P_DATASET_ACCESS)) < 0)
    return set;
  H5Dclose (set);
  H5Pset_chunk_cache (access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, (size_t) bytes, 1);
  set = H5Dopen2 (file, name, access);
  H5Pclose (access);
  return set;
}

/* "TABLE.a,b": the data set of a table and those of its fields that are wanted. (transfer full) in @fields. */
static hid_t
open_table (hid_t       file,
            const char *name,
            char     ***fields)
{
  for (const char *dot = strchr (name, '.'); dot != NULL; dot = strchr (dot + 1, '.'))
    {
      g_autofree char *table = g_strndup (name, dot - name);
      hid_t set = *table != '\0' ? open_set (file, table, FALSE) : -1;

      if (set >= 0)
        {
          *fields = g_strsplit (dot + 1, ",", -1);
          return set;
        }
    }
  return -1;
}

/* As one string is read: of the file's own length, or as a pointer. */
static hid_t
type_of_text (hid_t type)
{
  hid_t as;

  if (H5Tis_variable_str (type) <= 0)
    return H5Tcopy (type);
  as = H5Tcopy (H5T_C_S1);
  H5Tset_size (as, H5T_VARIABLE);
  H5Tset_cset (as, H5Tget_cset (type));
  return as;
}

/* Where fields of a record go: numbers one after the other, each as a double. */
typedef struct {
  hid_t   record;  /* of the file */
  hid_t   as;      /* of memory */
  gsize   n;       /* numbers so far */
  NnShape shape;   /* of the last field */
  hid_t   text;    /* of the only field that is text, or -1 */
} Fields;

static void
add_field (Fields     *fields,
           const char *name,
           hid_t       type)
{
  hsize_t dims[H5S_MAX_RANK];
  const char *kind;
  hid_t number;
  gsize n;

  if (!describe_field (type, &fields->shape, &kind) || !nn_shape_size (&fields->shape, &n) || strcmp (kind, "text") == 0)
    return;
  for (guint d = 0; d < fields->shape.rank; d++)
    dims[d] = (hsize_t) fields->shape.dims[d];
  number = fields->shape.rank > 0 ? H5Tarray_create2 (H5T_NATIVE_DOUBLE, fields->shape.rank, dims) : H5Tcopy (H5T_NATIVE_DOUBLE);
  H5Tset_size (fields->as, (fields->n + n) * sizeof (double));
  H5Tinsert (fields->as, name, fields->n * sizeof (double), number);
  H5Tclose (number);
  fields->n += n;
}

/* The fields called @names, in that order, or all that are numbers. */
static gboolean
choose_fields (Fields            *fields,
               const char *const *names,
               const char        *table,
               GError           **error)
{
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      int at = H5Tget_member_index (fields->record, names[i]);
      hid_t type = at >= 0 ? H5Tget_member_type (fields->record, (unsigned) at) : -1;
      gsize before = fields->n;

      if (type >= 0 && names[1] == NULL && H5Tget_class (type) == H5T_STRING)
        {
          fields->text = type_of_text (type);
          H5Tset_size (fields->as, H5Tget_size (fields->text));
          H5Tinsert (fields->as, names[0], 0, fields->text);
        }
      else if (type >= 0)
        add_field (fields, names[i], type);
      if (type >= 0)
        H5Tclose (type);
      if (fields->n > before || fields->text >= 0)
        continue;
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, type >= 0 ? "field \"%s\" of the table \"%s\" is neither a number nor a label in text"
                                                               : "there is no field \"%s\" in the table \"%s\"", names[i], table);
      return FALSE;
    }
  if (names == NULL)
    {
      char *name;
      hid_t type;

      for (guint i = 0; next_field (fields->record, i, &name, &type); i++)
        {
          add_field (fields, name, type);
          g_free (name);
          H5Tclose (type);
        }
    }
  if (fields->n > 0 || fields->text >= 0)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the table \"%s\" has no field of numbers", table);
  return FALSE;
}

static gboolean
open_fields (H5Reader          *h5,
             const char *const *names,
             const char        *table,
             GError           **error)
{
  Fields fields = { .record = H5Dget_type (h5->set), .as = H5Tcreate (H5T_COMPOUND, sizeof (double)), .text = -1 };
  NnShape *shape = &h5->reader.shape;
  gboolean good = fields.record >= 0 && fields.as >= 0 && choose_fields (&fields, names, table, error);

  h5->memory = fields.as;
  h5->text = fields.text;
  if (fields.record >= 0)
    H5Tclose (fields.record);
  shape->rank = 1;
  if (names == NULL || names[1] != NULL)
    shape->dims[shape->rank++] = (gint64) fields.n;
  else
    for (guint d = 0; d < fields.shape.rank; d++)
      shape->dims[shape->rank++] = fields.shape.dims[d];
  h5->reader.is_text = fields.text >= 0;
  return good;
}

/* Numbers or text of a whole data set. */
static gboolean
open_plain (H5Reader   *h5,
            const char *name,
            gboolean    is_text,
            GError    **error)
{
  NnShape *shape = &h5->reader.shape;
  hid_t type;

  if (!is_text)
    {
      h5->memory = H5Tcopy (H5T_NATIVE_DOUBLE);
      return TRUE;
    }
  if (nn_array_reader_row (&h5->reader) != 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "\"%s\": an array of text needs one column", name);
      return FALSE;
    }
  type = H5Dget_type (h5->set);
  h5->text = type_of_text (type);
  h5->memory = H5Tcopy (h5->text);
  H5Tclose (type);
  shape->rank = 1;
  h5->reader.is_text = TRUE;
  return TRUE;
}

/* MATLAB's axes are those of the file in the other order. */
static void
turn_axes (H5Reader *h5)
{
  NnShape file = h5->reader.shape;

  if (h5->reader.is_text || file.rank < 2)
    return;
  for (guint d = 0; d < file.rank; d++)
    h5->reader.shape.dims[d] = file.dims[file.rank - 1 - d];
  h5->rows = file.rank - 1;
  h5->reader.read = h5_read_turned;
  h5->reader.turn = h5_turn;
}

static gboolean
open_in (H5Reader   *h5,
         const char *path,
         const char *name,
         gboolean    turned,
         GError    **error)
{
  g_auto (GStrv) fields = NULL;
  const char *type = NULL;

  h5->set = open_set (h5->file, name, turned);
  if (h5->set < 0)
    h5->set = open_table (h5->file, name, &fields);
  if (h5->set < 0)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no array \"%s\"", name);
  else if (!describe (h5->set, &h5->reader.shape, &type))
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\" is no array of numbers or text of at most %d axes, and no table", name,
                 NN_MAX_RANK);
  else if (h5->reader.shape.rank == 0)
    g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "\"%s\" is a single value; rows of samples are needed", name);
  else if (strcmp (type, "table") == 0
             ? !open_fields (h5, (const char *const *) fields, name, error) : !open_plain (h5, name, strcmp (type, "text") == 0, error))
    return FALSE;
  else if (check_size (path, h5, error))
    {
      if (turned)
        turn_axes (h5);
      return TRUE;
    }
  return FALSE;
}

static NnArrayReader *
open_reader (const char *path,
             const char *name,
             gboolean    turned,
             GError    **error)
{
  H5Reader *h5 = g_new0 (H5Reader, 1);
  g_autoptr (NnArrayReader) reader = &h5->reader;
  gboolean good = FALSE;

  h5->set = h5->memory = h5->text = -1;
  reader->free = h5_free;
  reader->read = h5_read;
  reader->read_text = h5_read_text;
  nn_h5_lock ();
  h5->file = open_file (path, error);
  H5E_BEGIN_TRY
  {
    good = h5->file >= 0 && open_in (h5, path, name, turned, error);
  }
  H5E_END_TRY
  nn_h5_unlock ();
  return good ? g_steal_pointer (&reader) : NULL;
}

NnArrayReader *
nn_data_hdf5_open (const char *path,
                   const char *name,
                   GError    **error)
{
  return open_reader (path, name, FALSE, error);
}

NnArrayReader *
nn_data_hdf5_open_turned (const char *path,
                          const char *name,
                          GError    **error)
{
  return open_reader (path, name, TRUE, error);
}
