/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever was dropped on the window, recognised and read. The name's ending says what is tried first. */

#include "app-open.h"


#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

typedef enum { KIND_PROJECT, KIND_MODEL, KIND_DATA, KIND_CONFIG, KIND_REPORT, KIND_HDF5, KIND_JSON } Kind;

static const struct { const char *ending; Kind kind; } endings[] = {
  { ".espalier", KIND_PROJECT }, { ".keras", KIND_MODEL }, { ".onnx", KIND_MODEL }, { ".tflite", KIND_MODEL }, { ".pt", KIND_MODEL }, { ".pth", KIND_MODEL },
  { ".npz", KIND_DATA }, { ".npy", KIND_DATA },
  { ".csv", KIND_DATA }, { ".tsv", KIND_DATA }, { ".txt", KIND_DATA }, { ".dat", KIND_DATA }, { ".data", KIND_DATA }, { "-ubyte", KIND_DATA }, { ".gz", KIND_DATA }, { ".mat", KIND_DATA }, { ".idx", KIND_DATA }, { ".yml", KIND_CONFIG },
  { ".yaml", KIND_CONFIG }, { ".rpt", KIND_REPORT }, { ".xml", KIND_REPORT }, { ".h5", KIND_HDF5 }, { ".hdf5", KIND_HDF5 },
  { ".json", KIND_JSON },
};

/* Numbers of an array that are shown where one has to be chosen. */
#define N_PREVIEWED 6

typedef struct {
  char         *path;
  NnDataOptions *reading;
  gboolean      only_data, only_list;
  NnModel      *model; /* (nullable): what is open already */
  NnDataset    *data;  /* (nullable) */
} Input;

static void
input_free (Input *input)
{
  g_free (input->path);
  nn_data_options_free (input->reading);
  g_clear_pointer (&input->model, nn_model_unref);
  g_clear_pointer (&input->data, nn_dataset_unref);
  g_free (input);
}

static Kind
kind_of (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return KIND_REPORT;
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (lower, endings[i].ending))
      return endings[i].kind;
  return KIND_MODEL;
}

static gboolean
holds (const GPtrArray *entries,
       const char      *word)
{
  for (guint i = 0; i < entries->len; i++)
    if (strstr (((const NnDataEntry *) entries->pdata[i])->name, word) != NULL)
      return TRUE;
  return FALSE;
}

/* A Keras file lists weights as its data; a JSON network is one object with layers. */
static gboolean
looks_like_network (const char *path,
                    Kind        kind)
{
  g_autoptr (GPtrArray) entries = kind == KIND_HDF5 ? nn_data_list (path, NULL, NULL, NULL) : NULL;
  g_autofree char *text = NULL;

  if (kind == KIND_HDF5)
    return entries == NULL || entries->len == 0 || holds (entries, "kernel") || holds (entries, "weights");
  return g_file_get_contents (path, &text, NULL, NULL) && (strstr (text, "\"class_name\"") != NULL || strstr (text, "\"layers\"") != NULL);
}

gboolean
app_open_is_network (const char *path)
{
  Kind kind = kind_of (path);

  return kind == KIND_PROJECT || kind == KIND_MODEL || ((kind == KIND_HDF5 || kind == KIND_JSON) && looks_like_network (path, kind));
}

/* One array is all that such a file holds. */
static gboolean
holds_one_array (const char *path)
{
  static const char *const names[] = { ".npy", ".idx", "-ubyte", ".idx.gz", "-ubyte.gz" };
  g_autofree char *lower = g_ascii_strdown (path, -1);
  gboolean found = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    found = found || g_str_has_suffix (lower, names[i]);
  return found && strchr (path, ',') == NULL;
}

/* y_test.npy, train-labels-idx1-ubyte, targets.npy */
static gboolean
names_labels (const char *path)
{
  g_autofree char *name = g_path_get_basename (path), *lower = g_ascii_strdown (name, -1);

  return strstr (lower, "label") != NULL || strstr (lower, "target") != NULL || (lower[0] == 'y' && !g_ascii_isalpha (lower[1]));
}

char *
app_open_next (const char *const *paths,
               guint             *next)
{
  const char *first = paths[*next], *second = first != NULL ? paths[*next + 1] : NULL;
  gboolean pair = second != NULL && holds_one_array (first) && holds_one_array (second);
  gboolean turned = pair && names_labels (first) && !names_labels (second);

  if (first == NULL)
    return NULL;
  *next += pair ? 2 : 1;
  return pair ? g_strdup_printf ("%s,%s", turned ? second : first, turned ? first : second) : g_strdup (first);
}

static NnModel *
read_model (const char       *path,
            const NnProgress *progress,
            GCancellable     *cancellable,
            GError          **error)
{
  NnLoadOptions options;

  nn_load_options_init (&options);
  options.strict = FALSE;
  return nn_model_load (path, &options, progress, cancellable, error);
}

/* A table with words that are no labels: only the user can tell what they are. */
static gboolean
has_words (const GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
    {
      const NnDataEntry *entry = entries->pdata[i];

      if (entry->is_column && !entry->is_label && g_str_equal (entry->type, "text"))
        return entries->len > 2;
    }
  return FALSE;
}

static gboolean
holds_pair (const GPtrArray *entries)
{
  for (guint i = 0; i < entries->len; i++)
    for (guint k = 0; k < entries->len; k++)
      {
        const NnDataEntry *a = entries->pdata[i], *b = entries->pdata[k];

        if (i != k && a->shape.rank >= 2 && b->shape.rank >= 1 && a->shape.dims[0] > 0 && a->shape.dims[0] == b->shape.dims[0])
          return TRUE;
      }
  return FALSE;
}

/* Two arrays of as many rows, one of them with columns: most likely data whose names are not among the usual ones. */
static gboolean
offer_arrays (AppOpened    *opened,
              const Input  *input,
              GCancellable *cancellable)
{
  g_autoptr (GPtrArray) entries = input->reading->x == NULL && input->reading->y == NULL ? nn_data_list (input->path, NULL, cancellable, NULL) : NULL;

  if (entries == NULL || holds (entries, "kernel") || (!has_words (entries) && !holds_pair (entries)))
    return FALSE;
  nn_data_peek (input->path, entries, N_PREVIEWED, cancellable);
  opened->arrays = g_steal_pointer (&entries);
  return TRUE;
}

static gboolean
read_data (AppOpened        *opened,
           const Input      *input,
           const NnProgress *progress,
           GCancellable     *cancellable,
           GError          **error)
{
  g_autoptr (GError) problem = NULL;

  opened->data = nn_dataset_load (input->path, input->reading, progress, cancellable, &problem);
  opened->reading = input->only_data ? nn_data_options_copy (input->reading) : NULL;
  if (opened->data != NULL || (g_error_matches (problem, NN_ERROR, NN_ERROR_FORMAT) && offer_arrays (opened, input, cancellable)))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static gboolean
is_saved_model (const char *path)
{
  g_autofree char *graph = g_build_filename (path, "saved_model.pb", NULL);

  return g_file_test (graph, G_FILE_TEST_EXISTS);
}

/* Words of a configuration, in either form. */
static gboolean
looks_like_config (const char *path)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && (strstr (text, "\"HLSConfig\"") != NULL || strstr (text, "\"Precision\"") != NULL
                                                           || strstr (text, "\"ReuseFactor\"") != NULL);
}

/* The failure told is the one about what the file most likely is. */
static gboolean
read_either (AppOpened        *opened,
             const Input      *input,
             Kind              kind,
             const NnProgress *progress,
             GCancellable     *cancellable,
             GError          **error)
{
  g_autoptr (GError) first = NULL, second = NULL;

  opened->model = kind == KIND_HDF5 || kind == KIND_JSON ? read_model (input->path, progress, cancellable, &first) : NULL;
  if (opened->model != NULL)
    return TRUE;
  if (kind == KIND_HDF5 && !g_error_matches (first, NN_ERROR, NN_ERROR_UNSUPPORTED))
    read_data (opened, input, progress, cancellable, !looks_like_network (input->path, kind) ? &second : NULL);
  else if (kind == KIND_JSON)
    opened->config = nn_config_load (input->path, looks_like_config (input->path) ? &second : NULL);
  if (opened->data == NULL && opened->config == NULL && kind == KIND_JSON)
    opened->reports = hls_reports_find (input->path, NULL);
  if (opened->reports != NULL && opened->reports->len == 0)
    g_clear_pointer (&opened->reports, g_ptr_array_unref);
  if (opened->data != NULL || opened->arrays != NULL || opened->config != NULL || opened->reports != NULL)
    return TRUE;
  g_propagate_error (error, second != NULL ? g_steal_pointer (&second) : g_steal_pointer (&first));
  return FALSE;
}

/* A folder is opened for the reports in it. One that holds a network of TensorFlow is told what to do instead. */
static gboolean
read_reports (AppOpened   *opened,
              const Input *input,
              GError     **error)
{
  if (is_saved_model (input->path))
    opened->model = read_model (input->path, NULL, NULL, error);
  else
    opened->reports = hls_reports_find (input->path, error);
  return opened->model != NULL || opened->reports != NULL;
}

static gboolean
read_any (AppOpened        *opened,
          const Input      *input,
          const NnProgress *progress,
          GCancellable     *cancellable,
          GError          **error)
{
  Kind kind = input->only_data ? KIND_DATA : kind_of (input->path);

  switch (kind)
    {
    case KIND_PROJECT:
      opened->project = nn_project_load (input->path, error);
      return opened->project != NULL;
    case KIND_MODEL:
      opened->model = read_model (input->path, progress, cancellable, error);
      return opened->model != NULL;
    case KIND_DATA:
      return read_data (opened, input, progress, cancellable, error);
    case KIND_CONFIG:
      opened->config = nn_config_load (input->path, error);
      return opened->config != NULL;
    case KIND_REPORT:
      return read_reports (opened, input, error);
    case KIND_HDF5:
    case KIND_JSON:
      return read_either (opened, input, kind, progress, cancellable, error);
    default:
      g_assert_not_reached ();
    }
}

/* What a project of the window says in its notes; those of another program, or none, say nothing. */
static NnDataOptions *
reading_in_notes (const char *notes)
{
  g_autoptr (JsonNode) root = notes != NULL ? json_from_string (notes, NULL) : NULL;
  JsonNode *inner = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_object_get_member (json_node_get_object (root), "reading") : NULL;
  g_autofree char *text = inner != NULL ? json_to_string (inner, FALSE) : NULL;

  return nn_data_options_from_json (text);
}

/* A run that the command line made says how it read the data: without that, other data would be read. */
static NnDataOptions *
reading_of_run (const NnProject *project)
{
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
  guint n = nn_project_n_trails (project);
  NnPruneOptions run;

  if (n == 0 || !nn_prune_options_from_json (&run, nn_trail_options (nn_project_trail (project, n - 1)), hold, NULL))
    return NULL;
  return nn_data_options_from_json (run.data_options);
}

/* Data that moved together with its project is looked for beside it. */
static char *
data_beside (const char *project,
             const char *spec)
{
  g_autofree char *folder = g_path_get_dirname (project);
  g_auto (GStrv) parts = g_strsplit (spec, ",", -1);

  if (g_file_test (spec, G_FILE_TEST_EXISTS))
    return g_strdup (spec);
  for (char **part = parts; *part != NULL; part++)
    {
      g_autofree char *name = g_path_get_basename (*part);
      char *beside = g_build_filename (folder, name, NULL);

      if (!g_file_test (*part, G_FILE_TEST_EXISTS) && g_file_test (beside, G_FILE_TEST_EXISTS))
        {
          g_free (*part);
          *part = g_steal_pointer (&beside);
        }
      g_free (beside);
    }
  return g_strjoinv (",", parts);
}

/* Data that cannot be fetched again leaves a project usable: its network and runs are all there. */
static void
read_data_of_project (AppOpened        *opened,
                      const NnProgress *progress,
                      GCancellable     *cancellable)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *spec = data_beside (opened->path, nn_project_data_spec (opened->project));
  const char *hash = nn_project_data_hash (opened->project);

  opened->reading = reading_in_notes (nn_project_notes (opened->project));
  if (opened->reading == NULL)
    opened->reading = reading_of_run (opened->project);
  opened->data = nn_dataset_load (spec, opened->reading, progress, cancellable, &error);
  if (opened->data == NULL)
    opened->data_problem = g_strdup (error->message);
  else if (hash != NULL && !g_str_equal (hash, nn_dataset_hash (opened->data)))
    opened->data_problem = g_strdup_printf (_("“%s” has changed since the project was saved: what is judged now may differ from what the project’s "
                                              "runs say."), spec);
}

/* Raw data are standardised as the network says with which they are used from now on. */
static gboolean
fit_data (AppOpened    *opened,
          const Input  *input,
          GError      **error)
{
  const NnModel *model = opened->project != NULL ? nn_project_model (opened->project) : opened->model != NULL ? opened->model : input->model;
  g_autoptr (GError) problem = NULL;
  NnDataset *fitted;

  if (opened->model != NULL && opened->data == NULL && input->data != NULL)
    opened->refit = nn_dataset_for_model (input->data, opened->model, NULL);
  if (opened->data == NULL || model == NULL)
    return TRUE;
  fitted = nn_dataset_for_model (opened->data, model, &problem);
  nn_dataset_unref (opened->data);
  opened->data = fitted;
  if (fitted != NULL)
    return TRUE;
  if (opened->project != NULL)
    {
      opened->data_problem = g_strdup (problem->message); /* a project is of use without its data */
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* A pair of files has nothing to choose from but how it is used. */
static gboolean
list_arrays (AppOpened        *opened,
             const Input      *input,
             const NnProgress *progress,
             GCancellable     *cancellable,
             GError          **error)
{
  opened->arrays = g_file_test (input->path, G_FILE_TEST_EXISTS) ? nn_data_list (input->path, progress, cancellable, error)
                                                                 : g_ptr_array_new ();
  if (opened->arrays != NULL && opened->arrays->len > 0)
    nn_data_peek (input->path, opened->arrays, N_PREVIEWED, cancellable);
  return opened->arrays != NULL;
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  g_autoptr (AppOpened) opened = g_new0 (AppOpened, 1);

  opened->path = g_strdup (input->path);
  if (!(input->only_list ? list_arrays : read_any) (opened, input, progress, cancellable, error))
    return NULL;
  if (opened->project != NULL && nn_project_data_spec (opened->project) != NULL)
    read_data_of_project (opened, progress, cancellable);
  return fit_data (opened, input, error) ? g_steal_pointer (&opened) : NULL;
}

static Input *
input_new (const char          *path,
           const NnDataOptions *reading,
           NnModel             *model)
{
  Input *input = g_new0 (Input, 1);
  NnDataOptions usual;

  nn_data_options_init (&usual);
  input->path = g_strdup (path);
  input->reading = nn_data_options_copy (reading != NULL ? reading : &usual);
  input->model = model != NULL ? nn_model_ref (model) : NULL;
  return input;
}

static AppJob *
new_job (Input *input) /* (transfer full) */
{
  g_autofree char *name = g_path_get_basename (input->path);
  g_autofree char *title = g_strdup_printf (_("Opening “%s”"), name);

  return app_job_new (title, work, input, (GDestroyNotify) input_free, (GDestroyNotify) app_opened_free);
}

AppJob *
app_open_job (const char *path,
              NnModel    *model,
              NnDataset  *data)
{
  Input *input = input_new (path, NULL, model);

  input->data = data != NULL ? nn_dataset_ref (data) : NULL;
  return new_job (input);
}

AppJob *
app_open_data_job (const char          *spec,
                   const NnDataOptions *options,
                   NnModel             *model)
{
  Input *input = input_new (spec, options, model);

  input->only_data = TRUE;
  return new_job (input);
}

AppJob *
app_open_arrays_job (const char *spec)
{
  Input *input = input_new (spec, NULL, NULL);

  input->only_list = TRUE;
  return new_job (input);
}

void
app_opened_free (AppOpened *opened)
{
  g_clear_pointer (&opened->project, nn_project_unref);
  g_clear_pointer (&opened->model, nn_model_unref);
  g_clear_pointer (&opened->data, nn_dataset_unref);
  g_clear_pointer (&opened->config, nn_config_unref);
  g_clear_pointer (&opened->reports, g_ptr_array_unref);
  g_clear_pointer (&opened->arrays, g_ptr_array_unref);
  g_free (opened->data_problem);
  g_clear_pointer (&opened->reading, nn_data_options_free);
  g_clear_pointer (&opened->refit, nn_dataset_unref);
  g_free (opened->path);
  g_free (opened);
}

/* The bundled sample is made once, in the user's cache; after that it is read from there. */
static gpointer
work_sample (AppJob           *job,
             gpointer          data,
             const NnProgress *progress,
             GCancellable     *cancellable,
             GError          **error)
{
  const char *folder = data;
  g_autoptr (AppOpened) opened = g_new0 (AppOpened, 1);
  g_autofree char *model = g_build_filename (folder, "jets.h5", NULL);
  g_auto (GStrv) files = NULL;
  NnDataOptions data_options;
  NnSampleOptions options;

  opened->path = g_build_filename (folder, "jets.npz", NULL);
  if (!g_file_test (model, G_FILE_TEST_EXISTS) || !g_file_test (opened->path, G_FILE_TEST_EXISTS))
    {
      nn_sample_options_init (&options);
      files = nn_sample_write ("jets", folder, &options, progress, cancellable, error);
      if (files == NULL)
        return NULL;
    }
  nn_data_options_init (&data_options);
  opened->model = read_model (model, NULL, cancellable, error);
  if (opened->model == NULL)
    return NULL;
  opened->data = nn_dataset_load (opened->path, &data_options, NULL, cancellable, error);
  if (opened->data == NULL)
    return NULL;
  opened->config = app_sample_config ();
  return g_steal_pointer (&opened);
}

/* As in the tutorials: 16 bits, four weights to a multiplier; the kernel that drops what is pruned. */
NnConfig *
app_sample_config (void)
{
  NnConfig *config = nn_config_new ();
  NnLayerConfig *all = nn_config_model (config);

  all->reuse_factor = 4;
  all->strategy = NN_STRATEGY_RESOURCE_UNROLLED;
  return config;
}

AppJob *
app_open_sample_job (void)
{
  char *folder = g_build_filename (g_get_user_cache_dir (), "espalier", "sample", NULL);

  return app_job_new (_("Preparing the sample"), work_sample, folder, g_free, (GDestroyNotify) app_opened_free);
}
