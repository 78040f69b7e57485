/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 files: opening, closing, groups, reading. Writing is in nn-h5-write.c. */

#include "nn-h5-private.h"

#include "nn-error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A string attribute larger than this is not a network's description. */
#define MAX_ATTRIBUTE_BYTES (256u << 20)
/* Deflate cannot shrink data more than this (RFC 1951: 258 bytes in two bits, roughly 1032 to 1). */
#define MAX_COMPRESSION 1100

static GRecMutex mutex;

void
nn_h5_lock (void)
{
  static gsize once;

  g_rec_mutex_lock (&mutex);
  if (g_once_init_enter (&once))
    {
      H5open ();
      /* no code is loaded because a file asks for it */
      H5PLset_loading_state (0);
      g_once_init_leave (&once, 1);
    }
  /* Every thread has an error stack of its own, which prints unless it is told not to. */
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
}

void
nn_h5_unlock (void)
{
  g_rec_mutex_unlock (&mutex);
}

gboolean
nn_h5_is_hdf5 (const guint8 *bytes,
               gsize         n_bytes)
{
  return n_bytes >= 8 && memcmp (bytes, "\211HDF\r\n\032\n", 8) == 0;
}

gboolean
nn_h5_fail (NnH5        *h5,
            const char  *where,
            const char  *what,
            GError     **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: \"%s\": %s", h5->path, where, what);
  return FALSE;
}

static NnH5 *
wrap (hid_t       file,
      const char *path,
      gboolean    writing)
{
  NnH5 *h5 = g_new0 (NnH5, 1);

  h5->file = file;
  h5->path = g_strdup (path);
  h5->writing = writing;
  return h5;
}

/**
 * nn_h5_open:
 *
 * Errors: %NN_ERROR_FORMAT; %G_FILE_ERROR for a file that cannot be read
 *
 * Returns: (transfer full): the file, for reading
 */
NnH5 *
nn_h5_open (const char  *path,
            GError     **error)
{
  hid_t file;

  if (g_access (path, R_OK) != 0)
    {
      int code = errno;

      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code), "%s: %s", path, g_strerror (code));
      return NULL;
    }
  nn_h5_lock ();
  file = nn_h5_check_file (path) ? H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT) : -1;
  nn_h5_unlock ();
  if (file < 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the HDF5 file is damaged or incomplete", path);
      return NULL;
    }
  return wrap (file, path, FALSE);
}

/* The library shall neither copy nor free the image that it is given. */
static void *
image_malloc (size_t                 size,
              H5FD_file_image_op_t   op,
              void                  *data)
{
  if (op == H5FD_FILE_IMAGE_OP_PROPERTY_LIST_SET || op == H5FD_FILE_IMAGE_OP_PROPERTY_LIST_COPY ||
      op == H5FD_FILE_IMAGE_OP_PROPERTY_LIST_GET || op == H5FD_FILE_IMAGE_OP_FILE_OPEN)
    return (void *) g_bytes_get_data (data, NULL);
  return NULL;
}

static void *
image_memcpy (void                 *dest,
              const void           *src,
              size_t                size,
              H5FD_file_image_op_t  op,
              void                 *data)
{
  return dest;
}

static void *
image_realloc (void                 *ptr,
               size_t                size,
               H5FD_file_image_op_t  op,
               void                 *data)
{
  return NULL;
}

static herr_t
image_free (void                 *ptr,
            H5FD_file_image_op_t  op,
            void                 *data)
{
  return 0;
}

static void *
image_data_copy (void *data)
{
  return g_bytes_ref (data);
}

static herr_t
image_data_free (void *data)
{
  g_bytes_unref (data);
  return 0;
}

/**
 * nn_h5_open_image:
 * @image: a whole HDF5 file; kept until the file is closed, not copied
 * @path: what errors call it
 *
 * Errors: %NN_ERROR_FORMAT
 */
NnH5 *
nn_h5_open_image (GBytes      *image,
                  const char  *path,
                  GError     **error)
{
  H5FD_file_image_callbacks_t callbacks = {
    image_malloc, image_memcpy, image_realloc, image_free, image_data_copy, image_data_free, image,
  };
  gsize size;
  const void *bytes = g_bytes_get_data (image, &size);
  hid_t access, file = -1;

  nn_h5_lock ();
  access = H5Pcreate (H5P_FILE_ACCESS);
  if (access >= 0 && size > 0 && nn_h5_check_image (bytes, size) && H5Pset_fapl_core (access, 65536, 0) >= 0 &&
      H5Pset_file_image_callbacks (access, &callbacks) >= 0 && H5Pset_file_image (access, (void *) bytes, size) >= 0)
    {
      /* the library knows open files by name: two images must differ */
      static guint counter;
      g_autofree char *name = g_strdup_printf ("espalier-image-%u", ++counter);

      file = H5Fopen (name, H5F_ACC_RDONLY, access);
    }
  if (access >= 0)
    H5Pclose (access);
  nn_h5_unlock ();
  if (file < 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the HDF5 file inside is damaged or incomplete", path);
      return NULL;
    }
  return wrap (file, path, FALSE);
}

void
nn_h5_set_path (NnH5       *h5,
                const char *path)
{
  g_free (h5->path);
  h5->path = g_strdup (path);
}

void
nn_h5_close (NnH5 *h5)
{
  if (h5 == NULL)
    return;
  nn_h5_lock ();
  if (h5->file >= 0)
    H5Fclose (h5->file);
  nn_h5_unlock ();
  if (h5->writing && !h5->finished)
    remove (h5->temporary);
  g_free (h5->temporary);
  g_free (h5->path);
  g_free (h5);
}

/* Whether each link of @path is one within the file. */
static gboolean
exists (NnH5       *h5,
        const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  g_autoptr (GString) so_far = g_string_new ("");

  for (guint i = 0; parts[i] != NULL; i++)
    {
      H5L_info_t info;

      if (parts[i][0] == '\0')
        continue;
      g_string_append_c (so_far, '/');
      g_string_append (so_far, parts[i]);
      if (H5Lexists (h5->file, so_far->str, H5P_DEFAULT) <= 0 ||
          H5Lget_info (h5->file, so_far->str, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
        return FALSE;
    }
  return TRUE;
}

gboolean
nn_h5_has (NnH5       *h5,
           const char *path)
{
  gboolean has;

  nn_h5_lock ();
  has = exists (h5, path);
  nn_h5_unlock ();
  return has;
}

static H5O_type_t
object_type (NnH5       *h5,
             const char *path)
{
  H5O_info_t info;

  if (!exists (h5, path) || H5Oget_info_by_name (h5->file, path[0] != '\0' ? path : "/", &info, H5P_DEFAULT) < 0)
    return H5O_TYPE_UNKNOWN;
  return info.type;
}

gboolean
nn_h5_is_group (NnH5       *h5,
                const char *path)
{
  gboolean is;

  nn_h5_lock ();
  is = object_type (h5, path) == H5O_TYPE_GROUP;
  nn_h5_unlock ();
  return is;
}

static herr_t
add_name (hid_t             group,
          const char       *name,
          const H5L_info_t *info,
          void             *data)
{
  if (info->type == H5L_TYPE_HARD)
    g_ptr_array_add (data, g_strdup (name));
  return 0;
}

/**
 * nn_h5_children:
 *
 * Returns: (transfer full) (array zero-terminated=1): names in the group, sorted
 */
char **
nn_h5_children (NnH5        *h5,
                const char  *path,
                GError     **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  hsize_t position = 0;
  gboolean ok = FALSE;

  nn_h5_lock ();
  if (object_type (h5, path) == H5O_TYPE_GROUP)
    {
      hid_t group = H5Gopen2 (h5->file, path[0] != '\0' ? path : "/", H5P_DEFAULT);

      ok = group >= 0 && H5Literate (group, H5_INDEX_NAME, H5_ITER_INC, &position, add_name, names) >= 0;
      if (group >= 0)
        H5Gclose (group);
    }
  nn_h5_unlock ();
  if (!ok)
    {
      nn_h5_fail (h5, path, "there is no such group", error);
      return NULL;
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

gboolean
nn_h5_has_attribute (NnH5       *h5,
                     const char *path,
                     const char *name)
{
  gboolean has;

  nn_h5_lock ();
  has = exists (h5, path) && H5Aexists_by_name (h5->file, path[0] != '\0' ? path : "/", name, H5P_DEFAULT) > 0;
  nn_h5_unlock ();
  return has;
}

static gboolean
read_variable_strings (hid_t      attribute,
                       hid_t      space,
                       gsize      n,
                       GPtrArray *strings)
{
  hid_t type = H5Tcopy (H5T_C_S1);
  g_autofree char **values = g_new0 (char *, n + 1);
  gboolean ok;

  H5Tset_size (type, H5T_VARIABLE);
  ok = H5Aread (attribute, type, values) >= 0;
  if (!ok)
    {
      /* the file's type may be UTF-8 */
      H5Tset_cset (type, H5T_CSET_UTF8);
      ok = H5Aread (attribute, type, values) >= 0;
    }
  for (gsize i = 0; ok && i < n; i++)
    g_ptr_array_add (strings, g_strdup (values[i] != NULL ? values[i] : ""));
  if (ok)
    H5Dvlen_reclaim (type, space, H5P_DEFAULT, values);
  H5Tclose (type);
  return ok;
}

static gboolean
read_fixed_strings (hid_t      attribute,
                    hid_t      file_type,
                    gsize      n,
                    GPtrArray *strings)
{
  gsize size = H5Tget_size (file_type), total;
  g_autofree char *buffer = NULL;

  if (size == 0 || !g_size_checked_mul (&total, size, MAX (n, 1)) || total > MAX_ATTRIBUTE_BYTES)
    return FALSE;
  buffer = g_try_malloc0 (total);
  if (buffer == NULL || H5Aread (attribute, file_type, buffer) < 0)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    g_ptr_array_add (strings, g_strndup (buffer + i * size, size));
  return TRUE;
}

/* Appends the strings of an attribute; one that holds something else is an error. */
static gboolean
read_attribute (NnH5       *h5,
                const char *path,
                const char *name,
                GPtrArray  *strings)
{
  hid_t attribute = H5Aopen_by_name (h5->file, path[0] != '\0' ? path : "/", name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t type, space;
  gboolean ok = FALSE;
  hssize_t n;

  if (attribute < 0)
    return FALSE;
  type = H5Aget_type (attribute);
  space = H5Aget_space (attribute);
  n = space >= 0 ? H5Sget_simple_extent_npoints (space) : -1;
  if (type >= 0 && H5Sget_simple_extent_type (space) == H5S_NULL)
    ok = TRUE;
  else if (type >= 0 && n >= 0 && n <= MAX_ATTRIBUTE_BYTES / 8 && H5Aget_storage_size (attribute) <= MAX_ATTRIBUTE_BYTES)
    {
      if (n == 0)
        ok = TRUE;
      else if (H5Tget_class (type) == H5T_STRING)
        ok = H5Tis_variable_str (type) > 0 ? read_variable_strings (attribute, space, n, strings)
                                           : read_fixed_strings (attribute, type, n, strings);
    }
  if (type >= 0)
    H5Tclose (type);
  if (space >= 0)
    H5Sclose (space);
  H5Aclose (attribute);
  return ok;
}

/**
 * nn_h5_strings:
 *
 * Reads an attribute of one or many strings, of fixed or variable length. Keras splits one that is too large for an
 * object's header over `name0`, `name1`, ...; such are put together.
 *
 * Errors: %NN_ERROR_FORMAT
 *
 * Returns: (transfer full) (array zero-terminated=1)
 */
char **
nn_h5_strings (NnH5        *h5,
               const char  *path,
               const char  *name,
               GError     **error)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  gboolean ok = TRUE;

  nn_h5_lock ();
  if (nn_h5_has_attribute (h5, path, name))
    ok = read_attribute (h5, path, name, strings);
  else
    {
      guint chunk = 0;

      for (; ok; chunk++)
        {
          g_autofree char *part = g_strdup_printf ("%s%u", name, chunk);

          if (!nn_h5_has_attribute (h5, path, part))
            break;
          ok = read_attribute (h5, path, part, strings);
        }
      ok = ok && chunk > 0;
    }
  nn_h5_unlock ();
  if (!ok)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: \"%s\": the attribute \"%s\" is missing or is not text", h5->path,
                   path, name);
      return NULL;
    }
  g_ptr_array_add (strings, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&strings), FALSE);
}

/* The pieces of nn_h5_strings() as one. */
char *
nn_h5_string (NnH5        *h5,
              const char  *path,
              const char  *name,
              GError     **error)
{
  g_auto (GStrv) strings = nn_h5_strings (h5, path, name, error);

  return strings != NULL ? g_strjoinv ("", strings) : NULL;
}

/* The data set's shape, after checking that the file can hold what it says. */
static gboolean
check_dataset (hid_t     dataset,
               NnShape  *shape,
               gsize    *n,
               const char **what)
{
  hid_t space = H5Dget_space (dataset), type = H5Dget_type (dataset), plist = H5Dget_create_plist (dataset);
  hsize_t dims[NN_MAX_RANK] = { 0 }, stored = H5Dget_storage_size (dataset);
  gsize bytes;
  int rank = H5Sget_simple_extent_ndims (space);
  H5T_class_t kind = H5Tget_class (type);

  *what = NULL;
  shape->rank = 0;
  if (rank < 0 || rank > NN_MAX_RANK || H5Sget_simple_extent_dims (space, dims, NULL) < 0)
    *what = "it has more than 8 axes";
  else if (kind != H5T_FLOAT && kind != H5T_INTEGER && kind != H5T_ENUM)
    *what = "it does not hold numbers";
  else if (H5Pget_external_count (plist) != 0 || H5Pget_layout (plist) == H5D_VIRTUAL)
    *what = "its data lie in another file";
  for (int i = 0; *what == NULL && i < rank; i++)
    {
      shape->dims[shape->rank++] = dims[i];
      if (dims[i] > G_MAXINT32)
        *what = "it is too large";
    }
  if (*what == NULL && (!nn_shape_size (shape, n) || !g_size_checked_mul (&bytes, *n, H5Tget_size (type)) ||
                        bytes / MAX_COMPRESSION > stored))
    *what = "it is larger than what the file stores";
  if (space >= 0)
    H5Sclose (space);
  if (type >= 0)
    H5Tclose (type);
  if (plist >= 0)
    H5Pclose (plist);
  return *what == NULL;
}

static hid_t
memory_type (NnDtype dtype)
{
  switch (dtype)
    {
    case NN_DTYPE_F64:
      return H5T_NATIVE_DOUBLE;
    case NN_DTYPE_I64:
      return H5T_NATIVE_INT64;
    case NN_DTYPE_I32:
      return H5T_NATIVE_INT32;
    case NN_DTYPE_U8:
      return H5T_NATIVE_UINT8;
    case NN_DTYPE_F32:
    default:
      return H5T_NATIVE_FLOAT;
    }
}

gboolean
nn_h5_shape (NnH5        *h5,
             const char  *path,
             NnShape     *shape,
             GError     **error)
{
  const char *what = "there is no such array";
  hid_t dataset = -1;
  gsize n;

  nn_h5_lock ();
  if (object_type (h5, path) == H5O_TYPE_DATASET)
    dataset = H5Dopen2 (h5->file, path, H5P_DEFAULT);
  if (dataset >= 0)
    {
      check_dataset (dataset, shape, &n, &what);
      H5Dclose (dataset);
    }
  nn_h5_unlock ();
  return what == NULL || nn_h5_fail (h5, path, what, error);
}

/**
 * nn_h5_read:
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_LIMIT
 *
 * Returns: (transfer full): the data set, converted to @dtype by HDF5
 */
NnTensor *
nn_h5_read (NnH5        *h5,
            const char  *path,
            NnDtype      dtype,
            GError     **error)
{
  g_autoptr (NnTensor) tensor = NULL;
  const char *what = "there is no such array";
  hid_t dataset = -1;
  NnShape shape;
  gsize n;

  nn_h5_lock ();
  if (object_type (h5, path) == H5O_TYPE_DATASET)
    dataset = H5Dopen2 (h5->file, path, H5P_DEFAULT);
  if (dataset >= 0 && check_dataset (dataset, &shape, &n, &what))
    {
      tensor = nn_tensor_try_new (dtype, &shape, error);
      if (tensor != NULL && n > 0 &&
          H5Dread (dataset, memory_type (dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor->data) < 0)
        what = "its data are damaged";
    }
  if (dataset >= 0)
    H5Dclose (dataset);
  nn_h5_unlock ();
  if (what != NULL)
    {
      if (error != NULL && *error == NULL)
        nn_h5_fail (h5, path, what, error);
      return NULL;
    }
  return g_steal_pointer (&tensor);
}
