/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MATLAB files of versions 5 and 7.3, by libmatio. */

#include "nn-data-private.h"

#include "nn-error.h"

#include <glib/gstdio.h>
#include <matio.h>
#include <string.h>

/* libmatio prints what it finds odd; the caller gets an error instead. */
static void
say_nothing (int   level,
             char *message)
{
}

static mat_t *
open_mat (const char *path,
          GError    **error)
{
  static gsize tamed;
  mat_t *mat;

  if (g_once_init_enter (&tamed))
    {
      Mat_LogInitFunc ("espalier", say_nothing);
      g_once_init_leave (&tamed, 1);
    }
  mat = Mat_Open (path, MAT_ACC_RDONLY);
  if (mat == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: not a readable MATLAB file", path);
  return mat;
}

/* (nullable): for people; %NULL where it is no array of numbers or text */
static const char *
class_name (const matvar_t *variable)
{
  if (variable->isComplex || variable->rank < 1 || variable->rank > NN_MAX_RANK || variable->dims == NULL)
    return NULL;
  switch (variable->class_type)
    {
    case MAT_C_DOUBLE:
      return "float64";
    case MAT_C_SINGLE:
      return "float32";
    case MAT_C_INT8:
    case MAT_C_UINT8:
    case MAT_C_INT16:
    case MAT_C_UINT16:
    case MAT_C_INT32:
    case MAT_C_UINT32:
    case MAT_C_INT64:
    case MAT_C_UINT64:
      return "integer";
    case MAT_C_CELL:
    case MAT_C_CHAR:
      return "text";
    default:
      return NULL;
    }
}

/* Text has one row for each cell or line; a row vector of numbers stays as it is. */
static NnShape
shape_of (const matvar_t *variable)
{
  NnShape shape = { .rank = variable->rank };

  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = MIN (variable->dims[i], (size_t) G_MAXINT64 / 2);
  if (variable->class_type == MAT_C_CHAR)
    shape.rank = 1;
  else if (variable->class_type == MAT_C_CELL)
    shape = NN_SHAPE ((gint64) nn_shape_count (&shape));
  return shape;
}

GPtrArray *
nn_data_mat_list (const char *path,
                  GError    **error)
{
  mat_t *mat = open_mat (path, error);
  matvar_t *variable;
  GPtrArray *entries;

  if (mat == NULL)
    return NULL;
  entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);
  while ((variable = Mat_VarReadNextInfo (mat)) != NULL)
    {
      NnShape shape;

      if (variable->name != NULL && class_name (variable) != NULL)
        {
          shape = shape_of (variable);
          g_ptr_array_add (entries, nn_data_entry_new (variable->name, &shape, class_name (variable)));
        }
      Mat_VarFree (variable);
    }
  Mat_Close (mat);
  return entries;
}

static double
number (const matvar_t *variable,
        gsize           i)
{
  const void *data = variable->data;

  switch (variable->data_type)
    {
    case MAT_T_DOUBLE:
      return ((const double *) data)[i];
    case MAT_T_SINGLE:
      return ((const float *) data)[i];
    case MAT_T_INT8:
      return ((const gint8 *) data)[i];
    case MAT_T_UINT8:
      return ((const guint8 *) data)[i];
    case MAT_T_INT16:
      return ((const gint16 *) data)[i];
    case MAT_T_UINT16:
      return ((const guint16 *) data)[i];
    case MAT_T_INT32:
      return ((const gint32 *) data)[i];
    case MAT_T_UINT32:
      return ((const guint32 *) data)[i];
    case MAT_T_INT64:
      return ((const gint64 *) data)[i];
    case MAT_T_UINT64:
      return ((const guint64 *) data)[i];
    default:
      return 0;
    }
}

/* Columns first, as MATLAB has them, to rows first. */
static NnArrayReader *
numbers (const matvar_t *variable,
         GError        **error)
{
  NnShape shape = shape_of (variable), reversed = { .rank = shape.rank };
  g_autoptr (NnTensor) tensor = NULL, rows = NULL;
  guint axes[NN_MAX_RANK];
  gsize size = Mat_SizeOf (variable->data_type);

  for (guint i = 0; i < shape.rank; i++)
    {
      axes[i] = shape.rank - 1 - i;
      reversed.dims[i] = shape.dims[axes[i]];
    }
  tensor = nn_tensor_try_new (NN_DTYPE_F64, &reversed, error);
  if (tensor == NULL)
    return NULL;
  if (size == 0 || variable->nbytes / size < tensor->n || (variable->data == NULL && tensor->n > 0))
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the array is shorter than its size says");
      return NULL;
    }
  for (gsize i = 0; i < tensor->n; i++)
    nn_tensor_f64 (tensor)[i] = number (variable, i);
  rows = nn_tensor_transpose (tensor, axes);
  return nn_array_reader_tensor (rows);
}

/* Row @row of a matrix of characters. */
static char *
line_of (const matvar_t *variable,
         gsize           row)
{
  GString *text = g_string_new (NULL);
  gsize rows = variable->dims[0], columns = variable->rank > 1 ? variable->dims[1] : 1;
  char *valid;
  gsize size = variable->data_type == MAT_T_UINT16 || variable->data_type == MAT_T_UTF16 ? 2 : 1;

  for (gsize k = 0; k < columns && variable->data != NULL && (row + k * rows + 1) * size <= variable->nbytes; k++)
    {
      gsize at = row + k * rows;
      gunichar c = size == 2 ? ((const guint16 *) variable->data)[at] : ((const guint8 *) variable->data)[at];

      if (size == 1)
        g_string_append_c (text, c);
      else if (c != 0 && g_unichar_validate (c))
        g_string_append_unichar (text, c);
    }
  valid = g_utf8_make_valid (text->str, text->len);
  g_string_free (text, TRUE);
  return g_strchomp (valid);
}

static NnArrayReader *
texts (const matvar_t *variable,
       GError        **error)
{
  NnShape shape = shape_of (variable);
  g_auto (GStrv) lines = g_try_new0 (char *, shape.dims[0] + 1);

  if (lines == NULL || (gsize) shape.dims[0] > variable->nbytes)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the text is shorter than its size says");
      return NULL;
    }
  for (gint64 i = 0; i < shape.dims[0]; i++)
    {
      const matvar_t *cell = variable->class_type == MAT_C_CELL ? ((matvar_t **) variable->data)[i] : variable;

      if (cell == NULL || cell->class_type != MAT_C_CHAR || cell->rank < 1)
        {
          g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "a cell holds something else than text");
          return NULL;
        }
      lines[i] = line_of (cell, variable->class_type == MAT_C_CELL ? 0 : i);
    }
  return nn_array_reader_texts (g_steal_pointer (&lines));
}

/* (nullable): an array whose size the file can hold; the header of a damaged file may say anything. */
static gboolean
believable (const char     *path,
            const matvar_t *variable)
{
  GStatBuf info = { 0 };
  NnShape shape = shape_of (variable);
  gsize n, bytes;

  return g_stat (path, &info) == 0 && nn_shape_size (&shape, &n) && g_size_checked_mul (&bytes, n, 8) &&
         bytes / NN_DATA_MAX_EXPANSION / 8 <= (guint64) info.st_size;
}

NnArrayReader *
nn_data_mat_open (const char *path,
                  const char *name,
                  GError    **error)
{
  mat_t *mat = open_mat (path, error);
  matvar_t *variable = mat != NULL ? Mat_VarReadInfo (mat, name) : NULL;
  NnArrayReader *reader = NULL;

  if (mat == NULL)
    return NULL;
  if (variable == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no array \"%s\"", name);
  else if (class_name (variable) == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\" is no array of real numbers or text of at most %d axes", name,
                 NN_MAX_RANK);
  else if (!believable (path, variable))
    g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "\"%s\" claims more numbers than a file of this size can hold", name);
  else if (Mat_VarReadDataAll (mat, variable) != 0)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "\"%s\" cannot be read: the file is damaged", name);
  else if (variable->class_type == MAT_C_CHAR || variable->class_type == MAT_C_CELL)
    reader = variable->data != NULL ? texts (variable, error) : NULL;
  else
    reader = numbers (variable, error);
  if (reader == NULL && error != NULL && *error == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "\"%s\" is empty", name);
  Mat_VarFree (variable);
  Mat_Close (mat);
  return reader;
}
