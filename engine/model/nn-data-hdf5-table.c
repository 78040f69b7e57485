/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields of records in HDF5, as numbers side by side. */

#include "nn-data-hdf5-private.h"

#include "nn-error.h"

#include <string.h>

/* As one string is read: of the file's own length, or as a pointer. */
hid_t
nn_hdf5_type_of_text (hid_t type)
{
  hid_t as;

  if (H5Tis_variable_str (type) <= 0)
    return H5Tcopy (type);
  as = H5Tcopy (H5T_C_S1);
  H5Tset_size (as, H5T_VARIABLE);
  H5Tset_cset (as, H5Tget_cset (type));
  return as;
}

static void
add_field (NnHdf5Fields *fields,
           const char   *name,
           hid_t         type)
{
  hsize_t dims[H5S_MAX_RANK];
  const char *kind;
  hid_t number;
  gsize n;

  if (!nn_hdf5_describe_field (type, &fields->shape, &kind) || !nn_shape_size (&fields->shape, &n) || strcmp (kind, "text") == 0)
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
gboolean
nn_hdf5_choose_fields (NnHdf5Fields            *fields,
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
          fields->text = nn_hdf5_type_of_text (type);
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

      for (guint i = 0; nn_hdf5_next_field (fields->record, i, &name, &type); i++)
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
