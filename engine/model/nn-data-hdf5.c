/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays in HDF5 files, whatever their layout and compression; rows are read slab by slab. */

#include "nn-data-private.h"

#include "nn-error.h"
#include "nn-h5-lzf.h"

#include <glib/gstdio.h>
/* The interface of 1.8, which every later library still offers. */
#define H5_USE_18_API 1
#include <hdf5.h>
#include <math.h>
#include <string.h>

/* Groups within groups deeper than this are not searched. */
#define MAX_DEPTH 16
#define MAX_ENTRIES 10000
/* HDF5's own cache of chunks, and the largest that a data set is given here. */
#define DEFAULT_CACHE (1 << 20)
#define LARGEST_CACHE (256 << 20)
/* Chunks that were never written cost nothing in the file, so a small file may claim anything; up to this is believed. */
#define BELIEVABLE_BYTES (G_GUINT64_CONSTANT (1) << 28)

typedef struct {
  NnArrayReader reader;
  hid_t         file;
  hid_t         set;
  gsize         next;
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
    default:
      return NULL;
    }
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
  return rank >= 0 && *type != NULL;
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

static void
list_object (hid_t       group,
             const char *name,
             const char *full,
             guint       depth,
             Listing    *listing)
{
  hid_t object = H5Oopen (group, name, H5P_DEFAULT);
  NnShape shape;
  const char *type;

  if (object < 0)
    return;
  if (H5Iget_type (object) == H5I_GROUP && depth < MAX_DEPTH)
    {
      g_autofree char *prefix = g_strconcat (full, "/", NULL);

      list_group (object, prefix, depth + 1, listing);
    }
  else if (H5Iget_type (object) == H5I_DATASET && describe (object, &shape, &type))
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
  hid_t file = open_file (path, error);
  Listing listing = { 0 };

  if (file < 0)
    return NULL;
  listing.entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);
  H5E_BEGIN_TRY
  {
    list_group (file, "", 0, &listing);
    H5Fclose (file);
  }
  H5E_END_TRY
  return listing.entries;
}

static gboolean
select_rows (H5Reader *h5,
             gsize     count,
             hid_t    *memory,
             hid_t    *space)
{
  hsize_t start[NN_MAX_RANK] = { h5->next }, extent[NN_MAX_RANK];
  const NnShape *shape = &h5->reader.shape;

  for (guint i = 0; i < shape->rank; i++)
    extent[i] = i == 0 ? count : (hsize_t) shape->dims[i];
  *space = H5Dget_space (h5->set);
  *memory = H5Screate_simple (shape->rank, extent, NULL);
  return *space >= 0 && *memory >= 0 && H5Sselect_hyperslab (*space, H5S_SELECT_SET, start, NULL, extent, NULL) >= 0;
}

static gboolean
read_failed (GError **error)
{
  g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT,
                       "the HDF5 data cannot be read: the file is damaged or uses a filter that is not installed");
  return FALSE;
}

static gboolean
h5_read (NnArrayReader *reader,
         gsize          count,
         double        *values,
         GError       **error)
{
  H5Reader *h5 = (H5Reader *) reader;
  hid_t memory = -1, space = -1;
  gboolean good;

  H5E_BEGIN_TRY
  {
    good = select_rows (h5, count, &memory, &space) &&
           H5Dread (h5->set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) >= 0;
    H5Sclose (memory);
    H5Sclose (space);
  }
  H5E_END_TRY
  h5->next += count;
  return good || read_failed (error);
}

/* Text of fixed length, or each string a pointer of its own. */
static gboolean
read_strings (H5Reader *h5,
              gsize     count,
              hid_t     memory,
              hid_t     space,
              char    **values)
{
  hid_t type = H5Dget_type (h5->set);
  gboolean variable = H5Tis_variable_str (type) > 0, good = FALSE;
  gsize size = H5Tget_size (type);

  if (variable)
    {
      g_autofree char **texts = g_new0 (char *, count + 1);
      hid_t as = H5Tcopy (H5T_C_S1);

      H5Tset_size (as, H5T_VARIABLE);
      H5Tset_cset (as, H5Tget_cset (type));
      good = H5Dread (h5->set, as, memory, space, H5P_DEFAULT, texts) >= 0;
      for (gsize i = 0; good && i < count; i++)
        values[i] = g_utf8_make_valid (texts[i] != NULL ? texts[i] : "", -1);
      if (good)
        H5Dvlen_reclaim (as, memory, H5P_DEFAULT, texts);
      H5Tclose (as);
    }
  else if (size > 0 && size < 65536)
    {
      g_autofree char *texts = g_malloc0_n (count + 1, size);

      good = H5Dread (h5->set, type, memory, space, H5P_DEFAULT, texts) >= 0;
      for (gsize i = 0; good && i < count; i++)
        {
          g_autofree char *text = g_strndup (texts + i * size, size);

          values[i] = g_strchomp (g_utf8_make_valid (text, -1));
        }
    }
  H5Tclose (type);
  return good;
}

static gboolean
h5_read_text (NnArrayReader *reader,
              gsize          count,
              char         **values,
              GError       **error)
{
  H5Reader *h5 = (H5Reader *) reader;
  hid_t memory = -1, space = -1;
  gboolean good;

  H5E_BEGIN_TRY
  {
    good = select_rows (h5, count, &memory, &space) && read_strings (h5, count, memory, space, values);
    H5Sclose (memory);
    H5Sclose (space);
  }
  H5E_END_TRY
  h5->next += count;
  return good || read_failed (error);
}

static void
h5_free (NnArrayReader *reader)
{
  H5Reader *h5 = (H5Reader *) reader;

  H5E_BEGIN_TRY
  {
    if (h5->set >= 0)
      H5Dclose (h5->set);
    if (h5->file >= 0)
      H5Fclose (h5->file);
  }
  H5E_END_TRY
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

/* A data set with room for the chunks that a row of them takes: with less, each is unpacked again for every piece of rows. */
static hid_t
open_set (hid_t       file,
          const char *name)
{
  hid_t set = H5Dopen (file, name, H5P_DEFAULT), settings, access;
  hsize_t chunk[H5S_MAX_RANK], extent[H5S_MAX_RANK];
  double bytes;
  int rank;

  if (set < 0)
    return set;
  settings = H5Dget_create_plist (set);
  rank = settings >= 0 && H5Pget_layout (settings) == H5D_CHUNKED ? H5Pget_chunk (settings, H5S_MAX_RANK, chunk) : 0;
  if (settings >= 0)
    H5Pclose (settings);
  {
    hid_t space = H5Dget_space (set), type = H5Dget_type (set);

    if (rank < 1 || rank > H5S_MAX_RANK || space < 0 || H5Sget_simple_extent_dims (space, extent, NULL) != rank)
      rank = 0;
    bytes = type >= 0 ? (double) H5Tget_size (type) : 0;
    for (int i = 0; i < rank; i++)
      bytes *= (double) chunk[i] * (i == 0 ? 1 : ceil ((double) extent[i] / (double) chunk[i]));
    if (space >= 0)
      H5Sclose (space);
    if (type >= 0)
      H5Tclose (type);
  }
  if (rank == 0 || bytes <= DEFAULT_CACHE || bytes > LARGEST_CACHE)
    return set;
  access = H5Pcreate (H5P_DATASET_ACCESS);
  if (access < 0)
    return set;
  H5Dclose (set);
  H5Pset_chunk_cache (access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, (size_t) bytes, 1);
  set = H5Dopen2 (file, name, access);
  H5Pclose (access);
  return set;
}

NnArrayReader *
nn_data_hdf5_open (const char *path,
                   const char *name,
                   GError    **error)
{
  hid_t file = open_file (path, error);
  g_autoptr (NnArrayReader) reader = NULL;
  H5Reader *h5;
  const char *type = NULL;
  gboolean described = FALSE;

  if (file < 0)
    return NULL;
  h5 = g_new0 (H5Reader, 1);
  reader = &h5->reader;
  h5->file = file;
  reader->free = h5_free;
  reader->read = h5_read;
  reader->read_text = h5_read_text;
  H5E_BEGIN_TRY
  {
    h5->set = open_set (file, name);
    described = h5->set >= 0 && describe (h5->set, &reader->shape, &type);
  }
  H5E_END_TRY
  if (h5->set < 0)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no array \"%s\"", name);
  else if (!described)
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\" is no array of numbers or text of at most %d axes", name,
                 NN_MAX_RANK);
  else if (reader->shape.rank == 0)
    g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "\"%s\" is a single value; rows of samples are needed", name);
  else if (check_size (path, h5, error))
    {
      reader->is_text = strcmp (type, "text") == 0;
      if (!reader->is_text || nn_array_reader_row (reader) == 1)
        {
          reader->shape.rank = reader->is_text ? 1 : reader->shape.rank;
          return g_steal_pointer (&reader);
        }
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "\"%s\": an array of text needs one column", name);
    }
  return NULL;
}
