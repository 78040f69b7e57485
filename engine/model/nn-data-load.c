/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which arrays of a data file are inputs and labels of what. */

#include "nn-dataset-private.h"

#include "nn-error.h"
#include "nn-text.h"

#include <string.h>

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

/* What stands behind the last slash. */
static const char *
last_part (const char *name)
{
  const char *slash = strrchr (name, '/');

  return slash != NULL ? slash + 1 : name;
}

/* Inputs and labels of these names at the top of the file, or in the one group that has both. */
static gboolean
find_pair (GPtrArray          *entries,
           const char         *x_name,
           const char         *y_name,
           const NnDataEntry **x,
           const NnDataEntry **y)
{
  guint n = 0;

  *x = find_entry (entries, x_name);
  *y = find_entry (entries, y_name);
  if (*x != NULL && *y != NULL)
    return TRUE;
  for (guint i = 0; i < entries->len; i++)
    {
      const NnDataEntry *one = entries->pdata[i], *other;
      g_autofree char *name = g_strdup_printf ("%.*s%s", (int) (last_part (one->name) - one->name), one->name, y_name);

      other = g_ascii_strcasecmp (last_part (one->name), x_name) == 0 ? find_entry (entries, name) : NULL;
      if (other == NULL)
        continue;
      *x = one;
      *y = other;
      n++;
    }
  return n == 1;
}

static void
plan_known_names (Plan       *plan,
                  const char *path,
                  GPtrArray  *entries)
{
  gboolean have[NN_N_SPLITS] = { FALSE };

  for (guint i = 0; i < G_N_ELEMENTS (known_names); i++)
    {
      const NnDataEntry *x, *y;

      if (have[known_names[i].split] || !find_pair (entries, known_names[i].x, known_names[i].y, &x, &y))
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
  have = nn_data_names (entries);
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

/* The label's columns are told by name, or are guessed; the inputs are all others, or those that are named. */
static gboolean
plan_table (Plan                *plan,
            const char          *path,
            const NnDataOptions *options,
            const NnProgress    *progress,
            GCancellable        *cancellable,
            GError             **error)
{
  g_autoptr (NnCsvTable) columns = nn_data_csv_scan (path, progress, cancellable, error);
  const char *label = options->label != NULL ? options->label : options->y;

  if (columns == NULL)
    return FALSE;
  if (label == NULL)
    label = nn_data_csv_label (columns);
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
  g_autoptr (GPtrArray) entries = NULL;
  g_autofree char *have = NULL;
  NnDataFormat format;

  if (!nn_data_format (path, &format, error))
    return FALSE;
  if (format == NN_DATA_FORMAT_CSV)
    return plan_table (plan, path, options, progress, cancellable, error);
  entries = nn_data_list (path, progress, cancellable, error);
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
  if (format == NN_DATA_FORMAT_NPY || format == NN_DATA_FORMAT_IDX)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the file holds one array; inputs and labels are given as two files, X,y", path);
      return FALSE;
    }
  have = nn_data_names (entries);
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
