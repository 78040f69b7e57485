/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which reader serves a data file, and which of its arrays are inputs and labels of what. */

#include "nn-dataset-private.h"

#include "nn-error.h"

#include "nn-text.h"
#include <string.h>

typedef enum {
  FORMAT_UNKNOWN,
  FORMAT_NPY,
  FORMAT_NPZ,
  FORMAT_HDF5,
  FORMAT_MAT,
  FORMAT_IDX,
  FORMAT_CSV,
} Format;

/* One row a format: what it begins with, how it lists, how it opens. */
typedef struct {
  Format         format;
  const char    *start;
  gsize          length;
  gsize          at;
  GPtrArray     *(*list) (const char *path, GError **error);
  NnArrayReader *(*open) (const char *path, const char *name, GError **error);
} FormatInfo;

static GPtrArray *
npy_list (const char *path,
          GError    **error)
{
  g_autoptr (NnNpy) npy = nn_npy_open_file (path, error);
  GPtrArray *entries;

  if (npy == NULL)
    return NULL;
  entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);
  g_ptr_array_add (entries, nn_npy_entry (npy, ""));
  return entries;
}

static NnArrayReader *
npy_open (const char *path,
          const char *name,
          GError    **error)
{
  NnNpy *npy = nn_npy_open_file (path, error);

  return npy != NULL ? nn_npy_reader (npy, error) : NULL;
}

static const FormatInfo formats[] = {
  { FORMAT_NPY, "\x93NUMPY", 6, 0, npy_list, npy_open },
  { FORMAT_NPZ, "PK\3\4", 4, 0, nn_data_npz_list, nn_data_npz_open },
  { FORMAT_HDF5, "\x89HDF", 4, 0, nn_data_hdf5_list, nn_data_hdf5_open },
  { FORMAT_MAT, "MATLAB 7.3 MAT-file", 19, 0, nn_data_mat73_list, nn_data_mat73_open },
  { FORMAT_MAT, "MATLAB ", 7, 0, nn_data_mat_list, nn_data_mat_open },
  { FORMAT_HDF5, "\x89HDF", 4, 512, nn_data_hdf5_list, nn_data_hdf5_open },
  { FORMAT_IDX, "\x1f\x8b", 2, 0, nn_data_idx_list, nn_data_idx_open },
  { FORMAT_IDX, "\0\0", 2, 0, nn_data_idx_list, nn_data_idx_open },
};

/* What is text is a table. */
static const FormatInfo table = { FORMAT_CSV, "", 0, 0, nn_data_csv_list, nn_data_csv_open };

static gboolean
is_text (const guint8 *start,
         gsize         n)
{
  for (gsize i = 0; i < n; i++)
    if (start[i] < ' ' && strchr ("\t\n\r\f", start[i]) == NULL)
      return FALSE;
  return n > 0 && memchr (start, '\0', n) == NULL;
}

static const FormatInfo *
find_format (const char *path,
             GError    **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, error);
  guint8 start[1024] = { 0 };
  gsize n;

  if (stream == NULL || !g_input_stream_read_all (G_INPUT_STREAM (stream), start, sizeof start, &n, NULL, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (n >= formats[i].at + formats[i].length &&
        memcmp (start + formats[i].at, formats[i].start, formats[i].length) == 0)
      return &formats[i];
  if (is_text (start, n))
    return &table;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
               "%s: %s; .npz, .npy, HDF5, tables (CSV), IDX (.gz too) and MATLAB files are accepted", path,
               n == 0 ? "the file is empty" : "no known format of data");
  return NULL;
}

/**
 * nn_data_list:
 *
 * Returns: (transfer full) (element-type NnDataEntry): the arrays of a file
 */
GPtrArray *
nn_data_list (const char *path,
              GError    **error)
{
  const FormatInfo *info = find_format (path, error);

  return info != NULL ? info->list (path, error) : NULL;
}

NnArrayReader *
nn_data_open (const char *path,
              const char *name,
              GError    **error)
{
  const FormatInfo *info = find_format (path, error);

  return info != NULL ? info->open (path, name, error) : NULL;
}

/* Where one part comes from; strings are owned. */
typedef struct {
  NnSplit split;
  char   *x_path, *x_name, *y_path, *y_name;
  char   *but; /* of a table: the column that is no input */
} Origin;

typedef struct {
  Origin origins[NN_N_SPLITS];
  guint  n;
  char **class_names;
} Plan;

static void
plan_clear (Plan *plan)
{
  for (guint i = 0; i < plan->n; i++)
    {
      g_free (plan->origins[i].x_path);
      g_free (plan->origins[i].x_name);
      g_free (plan->origins[i].y_path);
      g_free (plan->origins[i].y_name);
      g_free (plan->origins[i].but);
    }
  g_strfreev (plan->class_names);
}

static void
plan_add (Plan       *plan,
          NnSplit     split,
          const char *x_path,
          const char *x_name,
          const char *y_path,
          const char *y_name)
{
  plan->origins[plan->n++] =
    (Origin){ split, g_strdup (x_path), g_strdup (x_name), g_strdup (y_path), g_strdup (y_name), NULL };
}

static const NnDataEntry *
find_entry (GPtrArray  *entries,
            const char *name)
{
  for (guint i = 0; i < entries->len; i++)
    if (g_ascii_strcasecmp (((NnDataEntry *) entries->pdata[i])->name, name) == 0)
      return entries->pdata[i];
  return NULL;
}

static char *
names_of (GPtrArray *entries)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < entries->len && i < 20; i++)
    {
      const NnDataEntry *entry = entries->pdata[i];
      g_autofree char *shape = nn_shape_to_string (&entry->shape);

      g_string_append_printf (text, "%s%s %s", i > 0 ? ", " : "", entry->name, shape);
    }
  return g_string_free (text, FALSE);
}

/* Names by which people call a pair of inputs and labels, best first. */
static const struct {
  NnSplit     split;
  const char *x;
  const char *y;
} known_names[] = {
  { NN_SPLIT_TRAIN, "x_train", "y_train" },       { NN_SPLIT_TRAIN, "train_x", "train_y" },
  { NN_SPLIT_TRAIN, "x", "y" },                   { NN_SPLIT_TRAIN, "data", "target" },
  { NN_SPLIT_TRAIN, "features", "labels" },       { NN_SPLIT_TRAIN, "images", "labels" },
  { NN_SPLIT_TRAIN, "data", "labels" },           { NN_SPLIT_TRAIN, "data", "label" },
  { NN_SPLIT_TRAIN, "inputs", "targets" },        { NN_SPLIT_VALIDATION, "x_val", "y_val" },
  { NN_SPLIT_VALIDATION, "x_valid", "y_valid" },  { NN_SPLIT_VALIDATION, "x_validation", "y_validation" },
  { NN_SPLIT_TEST, "x_test", "y_test" },          { NN_SPLIT_TEST, "test_x", "test_y" },
  { NN_SPLIT_TRAIN, "xtrain", "ytrain" },         { NN_SPLIT_TEST, "xtest", "ytest" },
};

static void
plan_known_names (Plan       *plan,
                  const char *path,
                  GPtrArray  *entries)
{
  gboolean have[NN_N_SPLITS] = { FALSE };

  for (guint i = 0; i < G_N_ELEMENTS (known_names); i++)
    {
      const NnDataEntry *x = find_entry (entries, known_names[i].x), *y = find_entry (entries, known_names[i].y);

      if (x == NULL || y == NULL || have[known_names[i].split])
        continue;
      have[known_names[i].split] = TRUE;
      plan_add (plan, known_names[i].split, path, x->name, path, y->name);
    }
}

static gboolean
check_name (const char *path,
            GPtrArray  *entries,
            const char *name,
            GError    **error)
{
  g_autoptr (GPtrArray) names = NULL;
  const char *nearest;

  for (guint i = 0; i < entries->len; i++)
    if (strcmp (((NnDataEntry *) entries->pdata[i])->name, name) == 0)
      return TRUE;
  names = g_ptr_array_new ();
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add (names, ((NnDataEntry *) entries->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  nearest = nn_text_nearest (name, (const char *const *) names->pdata);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: there is no array \"%s\"; did you mean \"%s\"?", path, name,
               nearest != NULL ? nearest : "");
  return FALSE;
}

/* Names of classes that lie beside the data as text. */
static gboolean
plan_class_names (Plan       *plan,
                  const char *path,
                  GPtrArray  *entries,
                  GError    **error)
{
  static const char *const names[] = { "class_names", "classes", "label_names", "target_names" };

  for (guint i = 0; i < G_N_ELEMENTS (names) && plan->class_names == NULL; i++)
    {
      const NnDataEntry *entry = find_entry (entries, names[i]);
      g_autoptr (NnArrayReader) reader = NULL;

      if (entry == NULL || strcmp (entry->type, "text") != 0 || entry->shape.rank != 1)
        continue;
      reader = nn_data_open (path, entry->name, error);
      if (reader == NULL)
        return FALSE;
      plan->class_names = g_try_new0 (char *, reader->shape.dims[0] + 1);
      if (plan->class_names == NULL || !reader->read_text (reader, reader->shape.dims[0], plan->class_names, error))
        return FALSE;
    }
  return TRUE;
}

/* The label's column is told by name, or is the last; the inputs are all others, or those that are named. */
static gboolean
plan_table (Plan                *plan,
            const char          *path,
            const NnDataOptions *options,
            GError             **error)
{
  g_autoptr (GPtrArray) entries = nn_data_csv_list (path, error);
  const char *label = options->label != NULL ? options->label : options->y;

  if (entries == NULL || (label != NULL && !check_name (path, entries, label, error)))
    return FALSE;
  if (label == NULL)
    label = ((NnDataEntry *) entries->pdata[entries->len - 1])->name;
  plan_add (plan, NN_SPLIT_TRAIN, path, options->x, path, label);
  plan->origins[0].but = g_strdup (label);
  return TRUE;
}

static gboolean
plan_container (Plan                *plan,
                const char          *path,
                const NnDataOptions *options,
                GError             **error)
{
  const FormatInfo *info = find_format (path, error);
  g_autoptr (GPtrArray) entries = NULL;
  g_autofree char *have = NULL;

  if (info != NULL && info->format == FORMAT_CSV)
    return plan_table (plan, path, options, error);
  entries = info != NULL ? info->list (path, error) : NULL;
  if (entries == NULL)
    return FALSE;
  if (options->x != NULL && options->y != NULL)
    {
      if (!check_name (path, entries, options->x, error) || !check_name (path, entries, options->y, error))
        return FALSE;
      plan_add (plan, NN_SPLIT_TRAIN, path, options->x, path, options->y);
    }
  else if (options->x == NULL && options->y == NULL)
    plan_known_names (plan, path, entries);
  if (plan->n > 0)
    return plan_class_names (plan, path, entries, error);
  have = names_of (entries);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
               "%s: which arrays are inputs and which labels? Name both (--x, --y); without names X and y, or x_train, "
               "y_train, x_test and y_test are looked for. The file has: %s", path, entries->len > 0 ? have : "none");
  return FALSE;
}

static gboolean
make_plan (Plan                *plan,
           const char          *spec,
           const NnDataOptions *options,
           GError             **error)
{
  g_auto (GStrv) paths = NULL;
  guint n;

  if (g_file_test (spec, G_FILE_TEST_EXISTS) || strchr (spec, ',') == NULL)
    return plan_container (plan, spec, options, error);
  paths = g_strsplit (spec, ",", -1);
  n = g_strv_length (paths);
  if (n != 2 && n != 4)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "\"%s\": inputs and labels are needed, as X,y or as X_TRAIN,Y_TRAIN,X_TEST,Y_TEST", spec);
      return FALSE;
    }
  plan_add (plan, NN_SPLIT_TRAIN, paths[0], options->x, paths[1], options->y);
  if (n == 4)
    plan_add (plan, NN_SPLIT_TEST, paths[2], options->x, paths[3], options->y);
  return TRUE;
}

/* A vector that MATLAB keeps as one row is a column of labels. */
static void
turn_row_vector (NnArrayReader *labels,
                 gsize          n)
{
  if (labels->shape.rank == 2 && labels->shape.dims[0] == 1 && n > 1 && (gsize) labels->shape.dims[1] == n)
    labels->shape = NN_SHAPE ((gint64) n);
}

static gboolean
open_part (const Origin *origin,
           NnDataPart   *part,
           GError      **error)
{
  g_autoptr (NnArrayReader) labels = NULL;

  part->split = origin->split;
  part->x = origin->but != NULL ? nn_data_csv_features (origin->x_path, origin->x_name, origin->but, error)
                                : nn_data_open (origin->x_path, origin->x_name, error);
  labels = part->x != NULL ? nn_data_open (origin->y_path, origin->y_name, error) : NULL;
  if (labels == NULL)
    return FALSE;
  turn_row_vector (labels, part->x->shape.dims[0]);
  return nn_targets_read (&part->y, labels, error);
}

/* Puts the file's name before the message, once. */
static void
name_file (GError    **error,
           const char *spec)
{
  if (error != NULL && *error != NULL && (*error)->domain != G_IO_ERROR && strstr ((*error)->message, spec) == NULL)
    g_prefix_error (error, "%s: ", spec);
}

/**
 * nn_dataset_load:
 * @spec: a file, or inputs and labels as two files with a comma between (four: training and test)
 * @options: (nullable): defaults without it
 *
 * Arrays are found under the names that @options give, or those in common use (X and y, x_train ...). Inputs are read
 * piece by piece; more of them than `memory_limit` go to a mapped temporary file.
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_SHAPE, %NN_ERROR_NUMERIC, %NN_ERROR_LIMIT, %G_IO_ERROR
 *
 * Returns: (transfer full): the data set
 */
NnDataset *
nn_dataset_load (const char          *spec,
                 const NnDataOptions *options,
                 const NnProgress    *progress,
                 GCancellable        *cancellable,
                 GError             **error)
{
  NnDataOptions defaults;
  NnDataPart parts[NN_N_SPLITS] = { 0 };
  NnDataset *data = NULL;
  Plan plan = { 0 };
  gboolean opened;

  nn_data_options_init (&defaults);
  options = options != NULL ? options : &defaults;
  opened = make_plan (&plan, spec, options, error);
  for (guint p = 0; opened && p < plan.n; p++)
    opened = !nn_progress_cancelled (cancellable, error) && open_part (&plan.origins[p], &parts[p], error);
  if (opened)
    data = nn_dataset_build (parts, plan.n, (const char *const *) plan.class_names, spec, options, progress, cancellable,
                             error);
  for (guint p = 0; p < plan.n; p++)
    nn_data_part_clear (&parts[p]);
  plan_clear (&plan);
  if (data == NULL)
    name_file (error, spec);
  return data;
}
