/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli profile MODEL --data DATA: how weights and activations fit their number types, and what to do about it. */

#include "cli-data.h"
#include "cli-profile.h"

#include <math.h>
#include <string.h>

#define DEFAULT_SAMPLES 2000

typedef struct {
  double   divide;
  char    *data, *config, *weights, *x, *y, *label, *scan, *output, *targets, *figure;
  char   **inputs;
  int      samples;
  double   propose;
  gboolean doctor;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->data);
  g_free (options->config);
  g_free (options->weights);
  g_free (options->x);
  g_free (options->y);
  g_free (options->label);
  g_free (options->scan);
  g_free (options->output);
  g_free (options->targets);
  g_free (options->figure);
  g_strfreev (options->inputs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/**
 * Job: what all parts of the verb work on.
 * @inputs: (array zero-terminated=1): samples, one tensor for each input of the network
 * @y: (nullable): targets as the network wants them
 */
typedef struct {
  Cli            *cli;
  const Options  *options;
  NnModel        *model;
  NnConfig       *config;
  NnDesign       *design;
  NnTensor      **inputs;
  NnTensor       *y;
  gboolean        is_classes;
} Job;

static void
job_clear (Job *job)
{
  nn_model_unref (job->model);
  nn_config_unref (job->config);
  nn_design_unref (job->design);
  nn_tensors_free (job->inputs);
  nn_tensor_unref (job->y);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Job, job_clear)

static gboolean
read_data (Job     *job,
           GError **error)
{
  const NnModelInfo *info = nn_model_info (job->model);
  const guint *outputs;
  NnDataOptions data_options;
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnTensor) x = NULL, rows = NULL, y = NULL;
  gsize count;
  NnSplit split;
  guint n;

  nn_data_options_init (&data_options);
  CLI_DATA_TAKE (data_options, *job->options);
  data = nn_dataset_load (job->options->data, &data_options, &job->cli->progress, job->cli->cancellable, error);
  if (data == NULL)
    return FALSE;
  split = nn_dataset_n (data, NN_SPLIT_TEST) > 0 ? NN_SPLIT_TEST : NN_SPLIT_TRAIN;
  nn_graph_inputs (nn_model_graph (job->model), &n);
  if (n != 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                   "the network has %u inputs, and a data set has samples for one; give each its file (--inputs A.npy --inputs B.npy)", n);
      return FALSE;
    }
  count = MIN (nn_dataset_n (data, split), (gsize) MAX (job->options->samples, 1));
  rows = nn_tensor_rows (nn_dataset_x (data, split), 0, count);
  x = info->input_mean != NULL && info->input_deviation != NULL
        ? nn_dataset_standardize (rows, info->input_mean, info->input_deviation, error) : nn_tensor_ref (rows);
  if (x == NULL)
    return FALSE;
  job->inputs = g_new0 (NnTensor *, 2);
  job->inputs[0] = nn_tensor_convert (x, NN_DTYPE_F64);
  job->is_classes = nn_dataset_is_classes (data);
  outputs = nn_graph_outputs (nn_model_graph (job->model), &n);
  y = nn_tensor_rows (nn_dataset_y (data, split), 0, count);
  job->y = nn_dataset_targets (y, job->is_classes, nn_shape_count (&nn_graph_node (nn_model_graph (job->model), outputs[0])->shape), error);
  if (job->y == NULL)
    cli_name_data (error, job->options->data);
  return job->y != NULL;
}

static NnTensor *
read_rows (const Job   *job,
           const char  *path,
           GError     **error)
{
  g_autoptr (NnTensor) all = nn_npy_read (path, error), rows = NULL;

  if (all == NULL)
    return NULL;
  if (all->shape.rank == 0 || all->shape.dims[0] == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "%s: it holds no samples", path);
      return NULL;
    }
  rows = nn_tensor_rows (all, 0, MIN ((gsize) all->shape.dims[0], (gsize) MAX (job->options->samples, 1)));
  return nn_tensor_convert (rows, NN_DTYPE_F64);
}

/* A file for each input, and one of what the outputs should be: classes where there is one number for several outputs. */
static gboolean
read_files (Job     *job,
            GError **error)
{
  const NnGraph *graph = nn_model_graph (job->model);
  guint n, n_outputs;
  const guint *outputs = nn_graph_outputs (graph, &n_outputs);
  g_autoptr (NnTensor) y = NULL;

  nn_graph_inputs (graph, &n);
  if (g_strv_length (job->options->inputs) != n)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the network has %u inputs, but %u files are given (--inputs A.npy --inputs B.npy)", n,
                   g_strv_length (job->options->inputs));
      return FALSE;
    }
  job->inputs = g_new0 (NnTensor *, n + 1);
  for (guint k = 0; k < n; k++)
    if ((job->inputs[k] = read_rows (job, job->options->inputs[k], error)) == NULL)
      return FALSE;
  if (job->options->targets == NULL)
    return TRUE;
  y = read_rows (job, job->options->targets, error);
  if (y == NULL)
    return FALSE;
  job->is_classes = y->n == (gsize) y->shape.dims[0] && nn_shape_count (&nn_graph_node (graph, outputs[0])->shape) > 1;
  job->y = nn_dataset_targets (y, job->is_classes, nn_shape_count (&nn_graph_node (graph, outputs[0])->shape), error);
  return job->y != NULL;
}

static gboolean
load_data (Job     *job,
           GError **error)
{
  return job->options->inputs != NULL ? read_files (job, error) : read_data (job, error);
}

static gboolean
load (Job         *job,
      const char  *path,
      GError     **error)
{
  NnLoadOptions load_options;

  nn_load_options_init (&load_options);
  load_options.weights_path = job->options->weights;
  job->model = nn_model_load (path, &load_options, &job->cli->progress, job->cli->cancellable, error);
  if (job->model != NULL)
    cli_warn_model (job->model);
  if (job->model == NULL || !load_data (job, error))
    return FALSE;
  if (job->options->config == NULL)
    {
      job->config = nn_config_new ();
      return TRUE;
    }
  job->config = nn_config_load (job->options->config, error);
  job->design = job->config != NULL ? nn_design_new (job->model, job->config, error) : NULL;
  if (job->design != NULL && !job->cli->json)
    cli_warn (nn_design_warnings (job->design));
  return job->design != NULL;
}

static void
add_tensors (JsonBuilder     *json,
             const char      *name,
             const NnProfile *profile)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
  for (guint i = 0; i < profile->n; i++)
    cli_profile_add_tensor (json, &profile->tensors[i]);
  json_builder_end_array (json);
}

/* As loaded, and with a configuration the layers of the hardware beside it. */
static gboolean
show_profile (Job          *job,
              JsonBuilder  *json,
              GError      **error)
{
  g_autoptr (NnProfile) before = nn_profile (job->model, NULL, job->inputs, &job->cli->progress, job->cli->cancellable, error);
  g_autoptr (NnProfile) after = NULL;
  const NnProfile *shown = before;

  if (before == NULL)
    return FALSE;
  if (job->design != NULL)
    {
      shown = after = nn_profile (job->model, job->design, job->inputs, &job->cli->progress, job->cli->cancellable, error);
      if (after == NULL)
        return FALSE;
      add_tensors (json, "before", before);
    }
  add_tensors (json, "tensors", shown);
  if (!job->cli->json && after != NULL)
    {
      g_print ("before: as loaded\n");
      cli_profile_print (before);
      g_print ("\nafter: the layers of the hardware, against their types\n");
    }
  if (!job->cli->json)
    cli_profile_print (shown);
  return job->options->figure == NULL || cli_profile_figure (job->options->figure, after != NULL ? before : NULL, shown, error);
}

static gboolean
save_config (const Job       *job,
             const NnConfig  *config,
             GError         **error)
{
  g_autofree char *text = NULL;

  if (config == NULL || job->options->output == NULL)
    return TRUE;
  text = nn_config_to_json (config);
  return g_file_set_contents (job->options->output, text, -1, error);
}

static gboolean
show_doctor (Job          *job,
             JsonBuilder  *json,
             GError      **error)
{
  g_autoptr (NnDoctor) doctor = NULL;
  g_autofree char *why = NULL;

  if (job->design == NULL)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "--doctor needs --config C.json: whose types are to be examined");
      return FALSE;
    }
  doctor = nn_doctor (job->design, job->inputs, job->y, job->is_classes, NULL, &job->cli->progress, job->cli->cancellable, error);
  if (doctor == NULL)
    return FALSE;
  why = nn_doctor_why (doctor);
  json_builder_set_member_name (json, "doctor");
  json_builder_begin_object (json);
  cli_json_double (json, "float_score", doctor->float_score);
  cli_json_double (json, "fixed_score", doctor->fixed_score);
  cli_json_string (json, "departs", doctor->departs >= 0 ? doctor->layers[doctor->departs].name : NULL);
  cli_json_string (json, "why", why);
  cli_profile_add_layers (json, doctor);
  cli_profile_add_changes (json, doctor);
  cli_json_double (json, "repaired_score", doctor->repaired_score);
  cli_json_double (json, "cost", doctor->cost);
  cli_json_double (json, "repaired_cost", doctor->repaired_cost);
  json_builder_end_object (json);
  if (!job->cli->json)
    cli_profile_print_doctor (doctor);
  return save_config (job, doctor->config, error);
}

/* FIRST:LAST[:INTEGER] */
static gboolean
parse_scan (const char  *text,
            gint64       values[3],
            GError     **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", -1);
  guint n = g_strv_length (parts);

  values[2] = 6;
  for (guint k = 0; k < MIN (n, 3); k++)
    if (!nn_text_to_int (parts[k], &values[k]) || ABS (values[k]) > NN_TYPE_MAX_WIDTH)
      n = 0;
  if (n == 2 || n == 3)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "--scan: \"%s\" is not FIRST:LAST or FIRST:LAST:INTEGER, for example 6:18:6", text);
  return FALSE;
}

static gboolean
show_scan (Job          *job,
           JsonBuilder  *json,
           GError      **error)
{
  g_autoptr (NnWidthScan) scan = NULL;
  gint64 range[3];

  if (!parse_scan (job->options->scan, range, error))
    return FALSE;
  scan = nn_width_scan (job->model, job->config, job->inputs, job->y, job->is_classes, (int) range[0], (int) range[1], (int) range[2],
                        &job->cli->progress, job->cli->cancellable, error);
  if (scan == NULL)
    return FALSE;
  json_builder_set_member_name (json, "scan");
  json_builder_begin_array (json);
  for (guint i = 0; i < scan->n; i++)
    {
      json_builder_begin_object (json);
      cli_profile_add_type (json, "type", &scan->points[i].type);
      cli_json_double (json, "score", scan->points[i].score);
      cli_json_double (json, "ratio", scan->float_score != 0 ? scan->points[i].score / scan->float_score : NAN);
      cli_json_double (json, "cost", scan->points[i].cost);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  for (guint i = 0; !job->cli->json && i < scan->n; i++)
    {
      g_autofree char *type = nn_type_to_string (&scan->points[i].type);

      g_print ("%s%-26s score %.4f, %.2f %% of float's\n", i == 0 ? "\n" : "", type, scan->points[i].score,
               100 * scan->points[i].score / scan->float_score);
    }
  return TRUE;
}

static gboolean
show_proposal (Job          *job,
               JsonBuilder  *json,
               GError      **error)
{
  g_autoptr (NnWidthProposal) proposal = nn_propose_widths (job->model, job->config, job->inputs, job->y, job->is_classes,
                                                            job->options->propose, &job->cli->progress, job->cli->cancellable, error);

  if (proposal == NULL)
    return FALSE;
  json_builder_set_member_name (json, "proposal");
  json_builder_begin_object (json);
  cli_json_double (json, "float_score", proposal->float_score);
  cli_json_double (json, "score", proposal->score);
  cli_json_double (json, "cost", proposal->cost);
  cli_json_int (json, "common_width", proposal->first_width);
  cli_json_double (json, "common_score", proposal->first_score);
  cli_json_double (json, "common_cost", proposal->first_cost);
  cli_json_int (json, "tried", proposal->n_tried);
  json_builder_end_object (json);
  if (!job->cli->json)
    g_print ("\n%d bits for all keep a score of %.4f (float %.4f); single widths %.4f at %.0f %% of the cost (%u designs tried)\n",
             proposal->first_width, proposal->first_score, proposal->float_score, proposal->score,
             100 * proposal->cost / proposal->first_cost, proposal->n_tried);
  return save_config (job, proposal->config, error);
}

static gboolean
run_job (Job          *job,
         const char   *path,
         JsonBuilder  *json,
         GError      **error)
{
  return load (job, path, error) && show_profile (job, json, error) && (!job->options->doctor || show_doctor (job, json, error)) &&
         (job->options->scan == NULL || show_scan (job, json, error)) &&
         (job->options->propose <= 0 || show_proposal (job, json, error));
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_auto (Options) options = { .samples = DEFAULT_SAMPLES };
  g_auto (Job) job = { .cli = cli, .options = &options };
  GOptionEntry entries[] = {
    { "data", 0, 0, G_OPTION_ARG_STRING, &options.data, "Data to look at", "DATA" },
    { "inputs", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.inputs, "Samples instead; one file for each input of the network", "X.npy" },
    { "targets", 0, 0, G_OPTION_ARG_FILENAME, &options.targets, "What their outputs should be; without it, float's are", "Y.npy" },
    CLI_DATA_ENTRIES (options),
    { "samples", 0, 0, G_OPTION_ARG_INT, &options.samples, "Samples to look at (2000)", "N" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options.config, "Against the types of this configuration", "C.json" },
    { "doctor", 0, 0, G_OPTION_ARG_NONE, &options.doctor, "Find the layer that goes wrong, and the cheapest repair", NULL },
    { "scan", 0, 0, G_OPTION_ARG_STRING, &options.scan, "Score at every width, with INTEGER (6) bits before the point", "FIRST:LAST[:INTEGER]" },
    { "propose", 0, 0, G_OPTION_ARG_DOUBLE, &options.propose, "Search widths that lose at most this much of the score", "LOSS" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "Write the repaired or proposed configuration", "C.json" },
    { "figure", 0, 0, G_OPTION_ARG_FILENAME, &options.figure, "Draw the profile: .svg, .pdf or .png, or its table as .csv", "FILE" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &options.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (JsonBuilder) json = json_builder_new ();
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_profile, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (options.data == NULL && options.inputs == NULL)
    {
      g_printerr ("espalier-cli profile: --data DATA is needed, or --inputs X.npy\n");
      return CLI_USAGE;
    }
  json_builder_begin_object (json);
  if (!run_job (&job, argv[1], json, &error))
    return cli_fail (&cli_profile, error);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  return CLI_DONE;
}

const CliVerb cli_profile = {
  .name = "profile",
  .arguments = "MODEL --data DATA",
  .summary = "How weights and activations fit their number types, and what to change",
  .run = run,
};
