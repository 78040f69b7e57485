/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli profile MODEL --data DATA: how weights and activations fit their number types, and what to do about it. */

#include "cli.h"

#include <math.h>
#include <string.h>

#define DEFAULT_SAMPLES 2000

typedef struct {
  char    *data, *config, *weights, *x, *y, *label, *scan, *output;
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
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/**
 * Job: what all parts of the verb work on.
 * @y: (nullable): targets as the network wants them
 */
typedef struct {
  Cli            *cli;
  const Options  *options;
  NnModel        *model;
  NnConfig       *config;
  NnDesign       *design;
  NnTensor       *inputs[2];
  NnTensor       *y;
  gboolean        is_classes;
} Job;

static void
job_clear (Job *job)
{
  nn_model_unref (job->model);
  nn_config_unref (job->config);
  nn_design_unref (job->design);
  nn_tensor_unref (job->inputs[0]);
  nn_tensor_unref (job->y);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Job, job_clear)

static gboolean
load_data (Job     *job,
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
  data_options.x = job->options->x;
  data_options.y = job->options->y;
  data_options.label = job->options->label;
  data = nn_dataset_load (job->options->data, &data_options, &job->cli->progress, job->cli->cancellable, error);
  if (data == NULL)
    return FALSE;
  split = nn_dataset_n (data, NN_SPLIT_TEST) > 0 ? NN_SPLIT_TEST : NN_SPLIT_TRAIN;
  nn_graph_inputs (nn_model_graph (job->model), &n);
  if (n != 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has %u inputs; networks with one can be profiled", n);
      return FALSE;
    }
  count = MIN (nn_dataset_n (data, split), (gsize) MAX (job->options->samples, 1));
  rows = nn_tensor_rows (nn_dataset_x (data, split), 0, count);
  x = info->input_mean != NULL && info->input_deviation != NULL
        ? nn_dataset_standardize (rows, info->input_mean, info->input_deviation, error) : nn_tensor_ref (rows);
  if (x == NULL)
    return FALSE;
  job->inputs[0] = nn_tensor_convert (x, NN_DTYPE_F64);
  job->is_classes = nn_dataset_is_classes (data);
  outputs = nn_graph_outputs (nn_model_graph (job->model), &n);
  y = nn_tensor_rows (nn_dataset_y (data, split), 0, count);
  job->y = nn_dataset_targets (y, job->is_classes, nn_shape_count (&nn_graph_node (nn_model_graph (job->model), outputs[0])->shape), error);
  return job->y != NULL;
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
add_type (JsonBuilder  *json,
          const char   *name,
          const NnType *type)
{
  g_autofree char *text = type != NULL ? nn_type_to_string (type) : NULL;

  cli_json_string (json, name, text);
}

static void
add_tensor (JsonBuilder           *json,
            const NnProfileTensor *t)
{
  json_builder_begin_object (json);
  cli_json_string (json, "name", t->name);
  cli_json_string (json, "kind", t->kind == NN_PROFILE_WEIGHT ? "weight" : "activation");
  cli_json_double (json, "min", t->min);
  cli_json_double (json, "q1", t->q1);
  cli_json_double (json, "median", t->median);
  cli_json_double (json, "q3", t->q3);
  cli_json_double (json, "max", t->max);
  add_type (json, "type", t->has_type ? &t->type : NULL);
  cli_json_double (json, "below_lsb", t->has_type ? t->below_lsb : NAN);
  cli_json_double (json, "overflow", t->has_type ? t->overflow : NAN);
  json_builder_end_object (json);
}

static void
print_tensors (const NnProfile *profile)
{
  g_print ("%-32s %-10s %11s %11s %11s %11s %11s  %-26s %9s %9s\n", "tensor", "kind", "min", "q1", "median", "q3", "max", "type",
           "below lsb", "overflow");
  for (guint i = 0; i < profile->n; i++)
    {
      const NnProfileTensor *t = &profile->tensors[i];
      g_autofree char *type = t->has_type ? nn_type_to_string (&t->type) : g_strdup ("-");

      g_print ("%-32s %-10s %11.4g %11.4g %11.4g %11.4g %11.4g  %-26s", t->name,
               t->kind == NN_PROFILE_WEIGHT ? "weight" : "activation", t->min, t->q1, t->median, t->q3, t->max, type);
      if (t->has_type)
        g_print (" %8.2f%% %8.2f%%", 100 * t->below_lsb, 100 * t->overflow);
      g_print ("\n");
    }
}

static gboolean
show_profile (Job          *job,
              JsonBuilder  *json,
              GError      **error)
{
  g_autoptr (NnProfile) profile = nn_profile (job->model, job->design, job->inputs, &job->cli->progress, job->cli->cancellable, error);

  if (profile == NULL)
    return FALSE;
  json_builder_set_member_name (json, "tensors");
  json_builder_begin_array (json);
  for (guint i = 0; i < profile->n; i++)
    add_tensor (json, &profile->tensors[i]);
  json_builder_end_array (json);
  if (!job->cli->json)
    print_tensors (profile);
  return TRUE;
}

static void
add_doctor_layers (JsonBuilder    *json,
                   const NnDoctor *doctor)
{
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (guint i = 0; i < doctor->n_layers; i++)
    {
      const NnDoctorLayer *layer = &doctor->layers[i];

      json_builder_begin_object (json);
      cli_json_string (json, "name", layer->name);
      add_type (json, "type", &layer->result);
      cli_json_int (json, "overflows", (gint64) layer->overflows);
      cli_json_int (json, "underflows", (gint64) layer->underflows);
      cli_json_double (json, "snr_db", layer->snr_db);
      cli_json_double (json, "max_error", layer->max_error);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
add_doctor_changes (JsonBuilder    *json,
                    const NnDoctor *doctor)
{
  json_builder_set_member_name (json, "changes");
  json_builder_begin_array (json);
  for (guint i = 0; i < doctor->n_changes; i++)
    {
      json_builder_begin_object (json);
      cli_json_string (json, "layer", doctor->changes[i].layer);
      cli_json_string (json, "variable", doctor->changes[i].variable);
      add_type (json, "from", &doctor->changes[i].from);
      add_type (json, "to", &doctor->changes[i].to);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
print_doctor (const NnDoctor *doctor)
{
  g_print ("\n%-28s %-26s %12s %12s %10s %12s\n", "layer", "type", "overflows", "underflows", "SNR dB", "max error");
  for (guint i = 0; i < doctor->n_layers; i++)
    {
      const NnDoctorLayer *layer = &doctor->layers[i];
      g_autofree char *type = nn_type_to_string (&layer->result);

      g_print ("%-28s %-26s %12" G_GUINT64_FORMAT " %12" G_GUINT64_FORMAT " %10.1f %12.4g\n", layer->name, type, layer->overflows,
               layer->underflows, layer->snr_db, layer->max_error);
    }
  g_print ("\nscore %.4f in float, %.4f in fixed point\n", doctor->float_score, doctor->fixed_score);
  if (doctor->departs >= 0)
    g_print ("the answer departs at \"%s\": %s\n", doctor->layers[doctor->departs].name, doctor->why);
  for (guint i = 0; i < doctor->n_changes; i++)
    {
      g_autofree char *from = nn_type_to_string (&doctor->changes[i].from), *to = nn_type_to_string (&doctor->changes[i].to);

      g_print ("change %s of \"%s\" from %s to %s\n", doctor->changes[i].variable, doctor->changes[i].layer, from, to);
    }
  if (doctor->n_changes > 0)
    g_print ("which gives a score of %.4f at %.0f %% of the cost\n", doctor->repaired_score, 100 * doctor->repaired_cost / doctor->cost);
  else if (doctor->fixed_score < doctor->float_score)
    g_print ("no change is needed, or none was found that helps\n");
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

  if (job->design == NULL)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "--doctor needs --config C.json: whose types are to be examined");
      return FALSE;
    }
  doctor = nn_doctor (job->design, job->inputs, job->y, job->is_classes, NULL, &job->cli->progress, job->cli->cancellable, error);
  if (doctor == NULL)
    return FALSE;
  json_builder_set_member_name (json, "doctor");
  json_builder_begin_object (json);
  cli_json_double (json, "float_score", doctor->float_score);
  cli_json_double (json, "fixed_score", doctor->fixed_score);
  cli_json_string (json, "departs", doctor->departs >= 0 ? doctor->layers[doctor->departs].name : NULL);
  cli_json_string (json, "why", doctor->why);
  add_doctor_layers (json, doctor);
  add_doctor_changes (json, doctor);
  cli_json_double (json, "repaired_score", doctor->repaired_score);
  cli_json_double (json, "cost", doctor->cost);
  cli_json_double (json, "repaired_cost", doctor->repaired_cost);
  json_builder_end_object (json);
  if (!job->cli->json)
    print_doctor (doctor);
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
      add_type (json, "type", &scan->points[i].type);
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
    { "x", 0, 0, G_OPTION_ARG_STRING, &options.x, "Name of the inputs in the file", "NAME" },
    { "y", 0, 0, G_OPTION_ARG_STRING, &options.y, "Name of the labels in the file", "NAME" },
    { "label", 0, 0, G_OPTION_ARG_STRING, &options.label, "Label column of a table", "COLUMN" },
    { "samples", 0, 0, G_OPTION_ARG_INT, &options.samples, "Samples to look at (2000)", "N" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options.config, "Against the types of this configuration", "C.json" },
    { "doctor", 0, 0, G_OPTION_ARG_NONE, &options.doctor, "Find the layer that goes wrong, and the cheapest repair", NULL },
    { "scan", 0, 0, G_OPTION_ARG_STRING, &options.scan, "Score at every width, with INTEGER (6) bits before the point", "FIRST:LAST[:INTEGER]" },
    { "propose", 0, 0, G_OPTION_ARG_DOUBLE, &options.propose, "Search widths that lose at most this much of the score", "LOSS" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "Write the repaired or proposed configuration", "C.json" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &options.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (JsonBuilder) json = json_builder_new ();
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_profile, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (options.data == NULL)
    {
      g_printerr ("espalier-cli profile: --data DATA is needed\n");
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
