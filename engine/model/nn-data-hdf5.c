/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays in HDF5 files, whatever their layout and compression; rows are read slab by slab. */

#include "nn-data-hdf5-private.h"

#include "nn-error.h"
#include "nn-h5.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Text of more bytes is none that names a class. */
#define LONGEST_TEXT 65536
/* HDF5's own cache of chunks, and the largest that a data set is given here. */
#define DEFAULT_CACHE (1 << 20)
#define LARGEST_CACHE (256 << 20)
/* Chunks that were never written cost nothing in the file, so a small file may claim anything; up to this is believed. */
#define BELIEVABLE_BYTES (G_GUINT64_CONSTANT (1) << 28)

/* Numbers that are read at once of an array whose rows lie apart: with fewer, HDF5 would read far more of the file than is wanted. */
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

static gboolean
open_fields (H5Reader          *h5,
             const char *const *names,
             const char        *table,
             GError           **error)
{
  NnHdf5Fields fields = { .record = H5Dget_type (h5->set), .as = H5Tcreate (H5T_COMPOUND, sizeof (double)), .text = -1 };
  NnShape *shape = &h5->reader.shape;
  gboolean good = fields.record >= 0 && fields.as >= 0 && nn_hdf5_choose_fields (&fields, names, table, error);

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
  h5->text = nn_hdf5_type_of_text (type);
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
  else if (!nn_hdf5_describe (h5->set, &h5->reader.shape, &type))
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\": %s", name, nn_hdf5_problem (h5->set));
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
  h5->file = nn_hdf5_open_file (path, error);
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
