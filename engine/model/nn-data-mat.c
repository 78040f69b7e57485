/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays in MATLAB files: of version 5, and of version 7.3, which is HDF5. */

#include "nn-mat.h"

#include "nn-error.h"

#include <string.h>
#include <sys/mman.h>

/* (nullable): for people; %NULL where it is no array of real numbers or text */
static const char *
class_name (const NnMatArray *array)
{
  if (array->is_complex)
    return NULL;
  if (array->class_type == MX_CHAR || array->class_type == MX_CELL)
    return "text";
  if (array->class_type == MX_DOUBLE || array->class_type == MX_SINGLE)
    return array->class_type == MX_DOUBLE ? "float64" : "float32";
  return array->class_type >= MX_INT8 && array->class_type <= MX_UINT64 ? "integer" : NULL;
}

/* Why an array is not offered. */
static const char *
problem_of (const NnMatArray *array)
{
  if (array->class_type == MX_SPARSE)
    return "a sparse matrix; full() makes one that is accepted";
  if (array->class_type == MX_STRUCT)
    return "an array of structures; single ones are searched";
  if (array->is_complex)
    return "complex numbers; real ones and text are accepted";
  return "no array of real numbers or text";
}

/* Text has one row for each line or cell. */
static NnShape
shape_of (const NnMatArray *array)
{
  gsize n;

  if (array->class_type == MX_CHAR)
    return NN_SHAPE (array->shape.dims[0]);
  if (array->class_type == MX_CELL)
    return NN_SHAPE (nn_shape_size (&array->shape, &n) ? (gint64) MIN (n, G_MAXINT32) : 0);
  return array->shape;
}

static gboolean
list_array (const NnMatArray *array,
            gpointer     entries)
{
  NnShape shape = shape_of (array);

  if (array->name[0] != '\0' && class_name (array) != NULL)
    g_ptr_array_add (entries, nn_data_entry_new (array->name, &shape, class_name (array)));
  else if (array->name[0] != '\0')
    g_ptr_array_add (entries, nn_data_entry_unreadable (array->name, problem_of (array)));
  return FALSE;
}

GPtrArray *
nn_data_mat_list (const char *path,
                  GError    **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);

  return nn_mat_each_array (path, NULL, list_array, entries, error) ? g_steal_pointer (&entries) : NULL;
}

static NnArrayReader *
too_short (GError **error)
{
  g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the array is shorter than its size says");
  return NULL;
}

/* Numbers where they lie, in the file or unpacked. */
typedef struct {
  NnMatElement      numbers;
  GMappedFile *file;  /* owned */
  NnTensor    *plain; /* owned, nullable */
} Numbers;

static double
numbers_load (gpointer source,
              gsize    i)
{
  return nn_mat_load_number (&((Numbers *) source)->numbers, i);
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
read_numbers (const NnMatArray *array,
              GError     **error)
{
  const NnShape *shape = &array->shape;
  NnDataColumns columns = { numbers_load, numbers_release, numbers_free, NULL };
  NnMatBytes bytes = array->body;
  NnMatElement element;
  Numbers *numbers;
  gsize n;

  if (!nn_shape_size (shape, &n) || !nn_mat_next_element (&bytes, &element) || nn_mat_item_size (element.type) == 0 ||
      element.data.left / nn_mat_item_size (element.type) < n)
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
read_line (const NnMatArray *array,
           gsize        row)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NnMatBytes bytes = array->body;
  NnMatElement letters;
  gsize n, rows = array->shape.dims[0];

  if (!nn_shape_size (&array->shape, &n) || !nn_mat_next_element (&bytes, &letters) || nn_mat_item_size (letters.type) == 0)
    return NULL;
  n = MIN (n, letters.data.left / nn_mat_item_size (letters.type));
  for (gsize i = row; i < n; i += MAX (rows, 1))
    {
      double c = nn_mat_load_number (&letters, i);

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
read_texts (const NnMatArray *array,
            GError     **error)
{
  gint64 n = shape_of (array).dims[0];
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autofree NnMatArray *inner = g_new (NnMatArray, 1);
  NnMatBytes bytes = array->body;

  if ((gsize) n > bytes.left)
    return too_short (error);
  for (gint64 i = 0; i < n; i++)
    {
      NnMatElement element;
      char *line = NULL;

      if (array->class_type == MX_CHAR)
        line = read_line (array, i);
      else if (nn_mat_next_element (&bytes, &element) && nn_mat_read_array (&element, inner) && inner->class_type == MX_CHAR)
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
read_wanted (const NnMatArray *array,
             gpointer     data)
{
  Wanted *wanted = data;

  wanted->found = TRUE;
  if (class_name (array) == NULL)
    g_set_error (wanted->error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\": %s", wanted->name, problem_of (array));
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

  if (!nn_mat_each_array (path, wanted.name, read_wanted, &wanted, error))
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
