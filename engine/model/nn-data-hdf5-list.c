/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an HDF5 file has to offer as data: arrays of numbers and text, and tables of records with their fields. */

#include "nn-data-hdf5-private.h"

#include "nn-error.h"
#include "nn-h5-lzf.h"
#include "nn-h5.h"

#include <string.h>

/* Groups within groups deeper than this are not searched. */
#define MAX_DEPTH 16
#define MAX_ENTRIES 10000

typedef struct {
  GPtrArray *entries;
} Listing;

hid_t
nn_hdf5_open_file (const char *path,
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
    file = nn_h5_check_file (path) ? H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT) : H5I_INVALID_HID;
  }
  H5E_END_TRY
  if (file < 0)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable HDF5 file: it is damaged or cut short", path);
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
gboolean
nn_hdf5_next_field (hid_t   record,
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
gboolean
nn_hdf5_describe_field (hid_t        type,
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
gboolean
nn_hdf5_describe (hid_t        set,
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

const char *
nn_hdf5_problem (hid_t set)
{
  hid_t type = H5Dget_type (set);
  H5T_class_t kind = type >= 0 ? H5Tget_class (type) : H5T_NO_CLASS;

  if (type >= 0)
    H5Tclose (type);
  switch (kind)
    {
    case H5T_COMPOUND:
      return "records or complex numbers of more than one axis; numbers and text are accepted";
    case H5T_REFERENCE:
      return "references to other data; numbers and text are accepted";
    case H5T_VLEN:
      return "sequences of different lengths; rows of the same length are accepted";
    case H5T_OPAQUE:
    case H5T_BITFIELD:
    case H5T_ARRAY:
    case H5T_TIME:
      return "neither numbers nor text";
    default:
      return "more than " G_STRINGIFY (NN_MAX_RANK) " axes";
    }
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
  for (guint i = 0; record >= 0 && nn_hdf5_next_field (record, i, &field, &type); i++)
    {
      g_autofree char *name = g_strconcat (full, ".", field, NULL);
      const char *kind = NULL;
      NnShape shape, all = NN_SHAPE (n);
      gsize count;

      g_free (field);
      if (type >= 0 && nn_hdf5_describe_field (type, &shape, &kind) && nn_shape_size (&shape, &count))
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
  else if (H5Iget_type (object) == H5I_DATASET && nn_hdf5_describe (object, &shape, &type) && strcmp (type, "table") == 0)
    list_records (object, full, shape.dims[0], listing);
  else if (H5Iget_type (object) == H5I_DATASET && type != NULL && nn_hdf5_describe (object, &shape, &type))
    g_ptr_array_add (listing->entries, nn_data_entry_new (full, &shape, type));
  else if (H5Iget_type (object) == H5I_DATASET)
    g_ptr_array_add (listing->entries, nn_data_entry_unreadable (full, nn_hdf5_problem (object)));
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
  file = nn_hdf5_open_file (path, error);
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
