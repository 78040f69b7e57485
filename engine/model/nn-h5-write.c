/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 files: writing. The file appears under its name when it is complete, or not at all. */

#include "nn-h5-private.h"

#include "nn-error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* An attribute in an object's header must be smaller than this; Keras splits at the same size (HDF5_OBJECT_HEADER_LIMIT). */
#define HEADER_LIMIT 64512

/**
 * nn_h5_create:
 *
 * Starts a file beside @path; nn_h5_finish() puts it in place, nn_h5_close() without that forgets it.
 *
 * Errors: %G_FILE_ERROR
 */
NnH5 *
nn_h5_create (const char  *path,
              GError     **error)
{
  g_autofree char *temporary = g_strdup_printf ("%s.XXXXXX", path);
  int descriptor = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0666);
  NnH5 *h5;
  hid_t access, file;

  if (descriptor < 0)
    {
      int code = errno;

      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code), "%s: %s", path, g_strerror (code));
      return NULL;
    }
  close (descriptor);
  nn_h5_lock ();
  access = H5Pcreate (H5P_FILE_ACCESS);
  file = H5Fcreate (temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose (access);
  nn_h5_unlock ();
  if (file < 0)
    {
      remove (temporary);
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: the HDF5 file cannot be written", path);
      return NULL;
    }
  h5 = g_new0 (NnH5, 1);
  h5->file = file;
  h5->path = g_strdup (path);
  h5->temporary = g_steal_pointer (&temporary);
  h5->writing = TRUE;
  return h5;
}

static gboolean
synchronize (const char *path)
{
  int descriptor = open (path, O_RDWR | O_CLOEXEC);
  gboolean ok = descriptor >= 0 && fsync (descriptor) == 0;

  if (descriptor >= 0)
    close (descriptor);
  return ok;
}

/* The name itself must outlive a loss of power too. Some file systems know no such thing: then it is as safe as it gets. */
static void
synchronize_folder (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int descriptor = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (descriptor < 0)
    return;
  (void) fsync (descriptor);
  close (descriptor);
}

gboolean
nn_h5_finish (NnH5    *h5,
              GError **error)
{
  gboolean ok;

  nn_h5_lock ();
  ok = H5Fclose (h5->file) >= 0;
  h5->file = -1;
  nn_h5_unlock ();
  if (ok)
    ok = synchronize (h5->temporary) && rename (h5->temporary, h5->path) == 0;
  if (!ok)
    {
      int code = errno;

      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code), "%s: it cannot be written: %s", h5->path,
                   g_strerror (code));
      return FALSE;
    }
  synchronize_folder (h5->path);
  h5->finished = TRUE;
  return TRUE;
}

static hid_t
linking (void)
{
  hid_t list = H5Pcreate (H5P_LINK_CREATE);

  H5Pset_create_intermediate_group (list, 1);
  return list;
}

static gboolean
report (NnH5        *h5,
        const char  *path,
        gboolean     ok,
        GError     **error)
{
  if (!ok)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_IO, "%s: \"%s\" cannot be written", h5->path, path);
  return ok;
}

gboolean
nn_h5_put_group (NnH5        *h5,
                 const char  *path,
                 GError     **error)
{
  hid_t list, group;

  if (nn_h5_has (h5, path))
    return TRUE;
  nn_h5_lock ();
  list = linking ();
  group = H5Gcreate2 (h5->file, path, list, H5P_DEFAULT, H5P_DEFAULT);
  H5Pclose (list);
  if (group >= 0)
    H5Gclose (group);
  nn_h5_unlock ();
  return report (h5, path, group >= 0, error);
}

/* One string: of fixed length, as Keras writes its own, while it fits; of variable length beyond that. */
gboolean
nn_h5_put_string (NnH5        *h5,
                  const char  *path,
                  const char  *name,
                  const char  *value,
                  GError     **error)
{
  gsize n = strlen (value);
  gboolean variable = n >= HEADER_LIMIT, ok;
  hid_t type, space, attribute;

  nn_h5_lock ();
  type = H5Tcopy (H5T_C_S1);
  H5Tset_size (type, variable ? H5T_VARIABLE : MAX (n, 1));
  H5Tset_strpad (type, variable ? H5T_STR_NULLTERM : H5T_STR_NULLPAD);
  H5Tset_cset (type, H5T_CSET_UTF8);
  space = H5Screate (H5S_SCALAR);
  attribute = H5Acreate_by_name (h5->file, path[0] != '\0' ? path : "/", name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                 H5P_DEFAULT);
  ok = attribute >= 0 && H5Awrite (attribute, type, variable ? (const void *) &value : value) >= 0;
  if (attribute >= 0)
    H5Aclose (attribute);
  H5Sclose (space);
  H5Tclose (type);
  nn_h5_unlock ();
  return report (h5, name, ok, error);
}

static gboolean
put_some (NnH5              *h5,
          const char        *path,
          const char        *name,
          const char *const *values,
          hsize_t            n,
          gsize              width)
{
  g_autofree char *buffer = g_malloc0 (MAX (n, 1) * width);
  hid_t type, space, attribute;
  gboolean ok;

  for (gsize i = 0; i < n; i++)
    memcpy (buffer + i * width, values[i], strlen (values[i]));
  nn_h5_lock ();
  type = H5Tcopy (H5T_C_S1);
  H5Tset_size (type, width);
  H5Tset_strpad (type, H5T_STR_NULLPAD);
  space = H5Screate_simple (1, &n, NULL);
  attribute = H5Acreate_by_name (h5->file, path[0] != '\0' ? path : "/", name, type, space, H5P_DEFAULT, H5P_DEFAULT,
                                 H5P_DEFAULT);
  ok = attribute >= 0 && H5Awrite (attribute, type, buffer) >= 0;
  if (attribute >= 0)
    H5Aclose (attribute);
  H5Sclose (space);
  H5Tclose (type);
  nn_h5_unlock ();
  return ok;
}

/* A list of strings, split over NAME0, NAME1, ... where it is too large, as Keras does. */
gboolean
nn_h5_put_strings (NnH5               *h5,
                   const char         *path,
                   const char         *name,
                   const char *const  *values,
                   GError            **error)
{
  gsize n = g_strv_length ((char **) values), width = 1, each;
  gboolean ok = TRUE;

  for (gsize i = 0; i < n; i++)
    width = MAX (width, strlen (values[i]));
  each = MAX (HEADER_LIMIT / width, 1);
  if (n <= each)
    return report (h5, name, put_some (h5, path, name, values, n, width), error);
  for (gsize i = 0; ok && i * each < n; i++)
    {
      g_autofree char *part = g_strdup_printf ("%s%" G_GSIZE_FORMAT, name, i);

      ok = put_some (h5, path, part, values + i * each, MIN (each, n - i * each), width);
    }
  return report (h5, name, ok, error);
}

gboolean
nn_h5_put (NnH5            *h5,
           const char      *path,
           const NnTensor  *tensor,
           GError         **error)
{
  hsize_t dims[NN_MAX_RANK];
  hid_t list, untimed, space, dataset, file_type, memory_type;
  gboolean ok;

  for (guint i = 0; i < tensor->shape.rank; i++)
    dims[i] = tensor->shape.dims[i];
  nn_h5_lock ();
  file_type = tensor->dtype == NN_DTYPE_U8 ? H5T_STD_U8LE : tensor->dtype == NN_DTYPE_F64 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
  memory_type = tensor->dtype == NN_DTYPE_U8    ? H5T_NATIVE_UINT8
                : tensor->dtype == NN_DTYPE_F64 ? H5T_NATIVE_DOUBLE
                                                : H5T_NATIVE_FLOAT;
  list = linking ();
  space = tensor->shape.rank == 0 ? H5Screate (H5S_SCALAR)
                                  : H5Screate_simple ((int) tensor->shape.rank, dims, NULL);
  untimed = H5Pcreate (H5P_DATASET_CREATE);
  H5Pset_obj_track_times (untimed, FALSE); /* same network, same bytes */
  dataset = H5Dcreate2 (h5->file, path, file_type, space, list, untimed, H5P_DEFAULT);
  ok = dataset >= 0 && H5Dwrite (dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor->data) >= 0;
  if (dataset >= 0)
    H5Dclose (dataset);
  H5Sclose (space);
  H5Pclose (untimed);
  H5Pclose (list);
  nn_h5_unlock ();
  return report (h5, path, ok, error);
}
