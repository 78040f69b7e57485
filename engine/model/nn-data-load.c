/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which reader serves a data file, and which of its arrays are inputs and labels of what. */

#include "nn-dataset-private.h"

#include "nn-error.h"

#include "nn-text.h"
#include <string.h>

/* Arrays that a message lists. */
#define MOST_NAMES 20

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
  { FORMAT_NPZ, "PK\5\6", 4, 0, nn_data_npz_list, nn_data_npz_open }, /* an archive of nothing */
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
 * Of a table the whole is gone through, which may take its time.
 *
 * Returns: (transfer full) (element-type NnDataEntry): the arrays of a file, or the columns of a table
 */
GPtrArray *
nn_data_list (const char       *path,
              const NnProgress *progress,
              GCancellable     *cancellable,
              GError          **error)
{
  const FormatInfo *info = find_format (path, error);
  g_autoptr (NnCsvTable) columns = NULL;

  if (info != &table)
    return info != NULL ? info->list (path, error) : NULL;
  columns = nn_data_csv_scan (path, progress, cancellable, error);
  return columns != NULL ? nn_data_csv_entries (columns) : NULL;
}

static char *
names_of (GPtrArray *entries)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (entries->len, MOST_NAMES); i++)
    {
      const NnDataEntry *entry = entries->pdata[i];
      g_autofree char *shape = nn_shape_to_string (&entry->shape);

      g_string_append_printf (text, "%s%s %s", i > 0 ? ", " : "", entry->name, entry->shape.rank > 0 ? shape : "(a single value)");
    }
  if (entries->len > MOST_NAMES)
    g_string_append_printf (text, " and %u more", entries->len - MOST_NAMES);
  return g_string_free (text, FALSE);
}

/* The name of a file's only array. */
static char *
only_name (const FormatInfo *info,
           const char       *path,
           GError          **error)
{
  g_autoptr (GPtrArray) entries = info->list (path, error);
  g_autofree char *names = NULL;

  if (entries == NULL)
    return NULL;
  if (entries->len == 1)
    return g_strdup (((NnDataEntry *) entries->pdata[0])->name);
  names = names_of (entries);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: one array has to be named (--x for inputs, --y for labels). The file has: %s", path,
               entries->len > 0 ? names : "none");
  return NULL;
}

NnArrayReader *
nn_data_open (const char *path,
              const char *name,
              GError    **error)
{
  const FormatInfo *info = find_format (path, error);
  gboolean is_container = info != NULL && (info->format == FORMAT_NPZ || info->format == FORMAT_HDF5 || info->format == FORMAT_MAT);
  g_autofree char *only = is_container && name == NULL ? only_name (info, path, error) : NULL;

  if (info == NULL || (is_container && name == NULL && only == NULL))
    return NULL;
  return info->open (path, is_container && name == NULL ? only : name, error);
}

/* The longest row of which a preview is read, in numbers, and the most arrays. */
#define MOST_PREVIEWED (1 << 22)
#define MOST_PREVIEWS 200

static void
peek (const char  *path,
      NnDataEntry *entry,
      guint        n)
{
  g_autoptr (NnArrayReader) reader = entry->shape.rank > 0 ? nn_data_open (path, *entry->name != '\0' ? entry->name : NULL, NULL) : NULL;
  gsize row = reader != NULL ? nn_array_reader_row (reader) : 0, rows;

  if (row == 0 || row > MOST_PREVIEWED)
    return;
  rows = MIN ((gsize) reader->shape.dims[0], (n + row - 1) / row);
  if (reader->is_text)
    {
      entry->first_texts = g_new0 (char *, rows + 1);
      entry->n_first = reader->read_text (reader, rows, entry->first_texts, NULL) ? rows : 0;
    }
  else
    {
      entry->first = g_new (double, rows * row + 1);
      entry->n_first = reader->read (reader, rows, entry->first, NULL) ? MIN (rows * row, n) : 0;
    }
}

/**
 * nn_data_peek:
 * @entries: (element-type NnDataEntry): of nn_data_list()
 * @n: numbers or words wanted of each
 *
 * Columns of a table, which would be gone through for each of them, are left alone.
 */
void
nn_data_peek (const char   *path,
              GPtrArray    *entries,
              guint         n,
              GCancellable *cancellable)
{
  if (find_format (path, NULL) == &table)
    return;
  for (guint i = 0; i < MIN (entries->len, MOST_PREVIEWS) && !g_cancellable_is_cancelled (cancellable); i++)
    peek (path, entries->pdata[i], n);
}

/* Where one part comes from; strings are owned. */
typedef struct {
  NnSplit split;
  char   *x_path, *x_name, *y_path, *y_name;
  char   *but; /* of a table: the column that is no input */
  NnCsvTable *table; /* (nullable): already gone through */
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
      nn_data_csv_table_unref (plan->origins[i].table);
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
    (Origin){ split, g_strdup (x_path), g_strdup (x_name), g_strdup (y_path), g_strdup (y_name), NULL, NULL };
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

static const NnDataEntry *
exact_entry (GPtrArray  *entries,
             const char *name)
{
  for (guint i = 0; i < entries->len; i++)
    if (strcmp (((NnDataEntry *) entries->pdata[i])->name, name) == 0)
      return entries->pdata[i];
  return NULL;
}

/* "TABLE.a,b,c" are several fields of one table, each of which is listed as TABLE.a ... */
static gboolean
are_fields (GPtrArray  *entries,
            const char *name)
{
  const char *first = strchr (name, ',');

  for (const char *dot = strchr (name, '.'); first != NULL && dot != NULL && dot < first; dot = strchr (dot + 1, '.'))
    {
      g_auto (GStrv) fields = g_strsplit (dot + 1, ",", -1);
      gboolean all = TRUE;

      for (guint i = 0; all && fields[i] != NULL; i++)
        {
          g_autofree char *field = g_strdup_printf ("%.*s.%s", (int) (dot - name), name, fields[i]);

          all = exact_entry (entries, field) != NULL;
        }
      if (all)
        return TRUE;
    }
  return FALSE;
}

/* Of a table that holds the labels too, the inputs are all other fields of numbers. (transfer full) */
static char *
fields_but (GPtrArray  *entries,
            const char *x,
            const char *y)
{
  g_autofree char *prefix = g_strconcat (x, ".", NULL);
  const NnDataEntry *whole = exact_entry (entries, x);
  g_auto (GStrv) labels = g_str_has_prefix (y, prefix) ? g_strsplit (y + strlen (prefix), ",", -1) : NULL;
  GString *fields;

  if (whole == NULL || strcmp (whole->type, "table") != 0 || labels == NULL)
    return g_strdup (x);
  fields = g_string_new (NULL);
  for (guint i = 0; i < entries->len; i++)
    {
      const NnDataEntry *entry = entries->pdata[i];
      const char *field = g_str_has_prefix (entry->name, prefix) ? entry->name + strlen (prefix) : NULL;

      if (field != NULL && strcmp (entry->type, "text") != 0 && !g_strv_contains ((const char *const *) labels, field))
        g_string_append_printf (fields, "%s%s", fields->len == 0 ? prefix : ",", field);
    }
  return g_string_free (fields, FALSE);
}

static gboolean
check_name (const char *path,
            GPtrArray  *entries,
            const char *name,
            GError    **error)
{
  g_autoptr (GPtrArray) names = NULL;
  g_autofree char *have = NULL;
  const char *nearest;

  if (exact_entry (entries, name) != NULL || are_fields (entries, name))
    return TRUE;
  names = g_ptr_array_new ();
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add (names, ((NnDataEntry *) entries->pdata[i])->name);
  g_ptr_array_add (names, NULL);
  nearest = nn_text_nearest (name, (const char *const *) names->pdata);
  have = names_of (entries);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: there is no array of numbers or text \"%s\"; did you mean \"%s\"? The file has: %s",
               path, name, nearest != NULL ? nearest : "", entries->len > 0 ? have : "none");
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
            const NnProgress    *progress,
            GCancellable        *cancellable,
            GError             **error)
{
  g_autoptr (NnCsvTable) columns = nn_data_csv_scan (path, progress, cancellable, error);
  g_autoptr (GPtrArray) entries = columns != NULL ? nn_data_csv_entries (columns) : NULL;
  const char *label = options->label != NULL ? options->label : options->y;

  if (entries == NULL || (label != NULL && !check_name (path, entries, label, error)))
    return FALSE;
  if (label == NULL)
    label = ((NnDataEntry *) entries->pdata[entries->len - 1])->name;
  plan_add (plan, NN_SPLIT_TRAIN, path, options->x, path, label);
  plan->origins[0].but = g_strdup (label);
  plan->origins[0].table = g_steal_pointer (&columns);
  return TRUE;
}

static gboolean
plan_container (Plan                *plan,
                const char          *path,
                const NnDataOptions *options,
                const NnProgress    *progress,
                GCancellable        *cancellable,
                GError             **error)
{
  const FormatInfo *info = find_format (path, error);
  g_autoptr (GPtrArray) entries = NULL;
  g_autofree char *have = NULL;

  if (info != NULL && info->format == FORMAT_CSV)
    return plan_table (plan, path, options, progress, cancellable, error);
  entries = info != NULL ? info->list (path, error) : NULL;
  if (entries == NULL)
    return FALSE;
  if (options->x != NULL && options->y != NULL)
    {
      g_autofree char *x = fields_but (entries, options->x, options->y);

      if (!check_name (path, entries, x, error) || !check_name (path, entries, options->y, error))
        return FALSE;
      plan_add (plan, NN_SPLIT_TRAIN, path, x, path, options->y);
    }
  else if (options->x == NULL && options->y == NULL)
    plan_known_names (plan, path, entries);
  if (plan->n > 0)
    return plan_class_names (plan, path, entries, error);
  if (info->format == FORMAT_NPY || info->format == FORMAT_IDX)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the file holds one array; inputs and labels are given as two files, X,y", path);
      return FALSE;
    }
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
           const NnProgress    *progress,
           GCancellable        *cancellable,
           GError             **error)
{
  g_auto (GStrv) paths = NULL;
  guint n;

  if (g_file_test (spec, G_FILE_TEST_EXISTS) || strchr (spec, ',') == NULL)
    return plan_container (plan, spec, options, progress, cancellable, error);
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

/* Files of MATLAB often have one sample a column: a vector of labels is one row, pictures are counted by their last axis. */
static void
turn (NnArrayReader *inputs,
      NnArrayReader *labels)
{
  gint64 n = inputs->shape.dims[0], n_labels = labels->shape.dims[0], last = nn_shape_last (&inputs->shape);

  if (labels->shape.rank == 2 && n_labels == 1 && n != 1)
    {
      n_labels = labels->shape.dims[1];
      if (labels->turn != NULL)
        labels->turn (labels);
      else
        labels->shape = NN_SHAPE (n_labels);
    }
  if (n != n_labels && last == n_labels && inputs->turn != NULL)
    inputs->turn (inputs);
  else if (n != n_labels && labels->turn != NULL && labels->shape.rank > 1 && nn_shape_last (&labels->shape) == n)
    labels->turn (labels);
}

/* An array by its name in a file of many, or by the file. */
static char *
name_of (const char *path,
         const char *name)
{
  return name != NULL ? g_strdup_printf ("\"%s\"", name) : g_strdup (path);
}

static gboolean
open_part (const Origin     *origin,
           NnDataPart       *part,
           const NnProgress *progress,
           GCancellable     *cancellable,
           GError          **error)
{
  g_autoptr (NnArrayReader) labels = NULL;

  part->split = origin->split;
  part->x_name = name_of (origin->x_path, origin->but == NULL ? origin->x_name : NULL);
  part->y_name = name_of (origin->y_path, origin->but == NULL ? origin->y_name : NULL);
  part->x = origin->table != NULL ? nn_data_csv_reader (origin->table, origin->x_name, origin->but, error)
                                  : nn_data_open (origin->x_path, origin->x_name, error);
  if (part->x == NULL)
    {
      nn_data_name_array (error, part->x_name);
      return FALSE;
    }
  labels = origin->table != NULL ? nn_data_csv_reader (origin->table, origin->y_name, NULL, error)
                                 : nn_data_open (origin->y_path, origin->y_name, error);
  if (labels != NULL)
    turn (part->x, labels);
  if (labels != NULL && nn_targets_read (&part->y, labels, progress, cancellable, error))
    return TRUE;
  nn_data_name_array (error, part->y_name);
  return FALSE;
}

/* Puts the file's name before the message, unless it begins with one of the files already. */
static void
name_file (GError    **error,
           const Plan *plan,
           const char *spec)
{
  gboolean named = error == NULL || *error == NULL || (*error)->domain == G_IO_ERROR || strstr ((*error)->message, spec) != NULL;

  for (guint p = 0; !named && p < plan->n; p++)
    named = g_str_has_prefix ((*error)->message, plan->origins[p].x_path) || g_str_has_prefix ((*error)->message, plan->origins[p].y_path);
  if (!named)
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
  opened = make_plan (&plan, spec, options, progress, cancellable, error);
  for (guint p = 0; opened && p < plan.n; p++)
    opened = !nn_progress_cancelled (cancellable, error) && open_part (&plan.origins[p], &parts[p], progress, cancellable, error);
  if (opened)
    data = nn_dataset_build (parts, plan.n, (const char *const *) plan.class_names, spec, options, progress, cancellable,
                             error);
  for (guint p = 0; p < plan.n; p++)
    nn_data_part_clear (&parts[p]);
  if (data == NULL)
    name_file (error, &plan, spec);
  plan_clear (&plan);
  return data;
}
