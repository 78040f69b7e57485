/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli evaluate MODEL --data DATA: how good the answers are. */

#include "cli-data.h"
#include "cli-predict.h"
#include "cli-table.h"

#include <string.h>

typedef struct {
  char  *data;
  char  *weights;
  char  *config;
  char  *x;
  char  *y;
  char  *label;
  char  *split;
  double validation;
  double test;
  gint64 limit;
  double divide;
  gboolean raw;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->data);
  g_free (options->weights);
  g_free (options->config);
  g_free (options->x);
  g_free (options->y);
  g_free (options->label);
  g_free (options->split);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static const char *const split_names[NN_N_SPLITS] = { "train", "validation", "test" };

/* The part asked for; without --split the test part where there is one, otherwise all that there is. */
static gboolean
choose_split (const NnDataset  *data,
              const Options    *options,
              NnSplit          *split,
              GError          **error)
{
  *split = nn_dataset_n (data, NN_SPLIT_TEST) > 0 ? NN_SPLIT_TEST : NN_SPLIT_TRAIN;
  for (guint s = 0; options->split != NULL && s < NN_N_SPLITS; s++)
    if (strcmp (options->split, split_names[s]) == 0)
      *split = s;
  if (nn_dataset_n (data, *split) > 0)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the data have no %s part", split_names[*split]);
  return FALSE;
}

/* Raw inputs, as the network wants them. */
static NnTensor *
prepare_inputs (const NnModel  *model,
                NnTensor       *x,
                const Options  *options,
                GError        **error)
{
  const NnModelInfo *info = nn_model_info (model);

  if (info->input_mean == NULL || info->input_deviation == NULL || options->raw)
    return nn_tensor_ref (x);
  return nn_dataset_standardize (x, info->input_mean, info->input_deviation, error);
}

static gboolean
check_network (const NnModel  *model,
               GError        **error)
{
  guint n_inputs, n_outputs;

  nn_graph_inputs (nn_model_graph (model), &n_inputs);
  nn_graph_outputs (nn_model_graph (model), &n_outputs);
  if (n_inputs != 1)
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has %u inputs; networks with one can be evaluated", n_inputs);
  else if (n_outputs != 1)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has several outputs; networks with one can be evaluated");
  return n_inputs == 1 && n_outputs == 1;
}

/* Adds the next @count samples to the figures. */
static gboolean
measure_piece (Cli             *cli,
               CliPredictor    *predictor,
               const NnDataset *data,
               NnSplit          split,
               gsize            count,
               const Options   *options,
               NnMetricsSum    *sum,
               GError         **error)
{
  NnTensor *all = nn_dataset_x (data, split);
  gsize first = predictor->first, row = nn_tensor_row_size (all);
  g_autoptr (NnTensor) raw = NULL, labels = NULL, x = NULL, y = NULL;
  NnTensor *inputs[] = { NULL, NULL }, **outputs;
  gboolean good = FALSE;

  nn_dataset_read_batch (data, split, NULL, first, count, &raw, &labels);
  x = prepare_inputs (predictor->model, raw, options, error);
  if (x == NULL)
    return FALSE;
  inputs[0] = x;
  outputs = cli_predictor_part (predictor, cli, inputs, error);
  if (outputs == NULL)
    return FALSE;
  y = nn_dataset_targets (labels, nn_dataset_is_classes (data), nn_tensor_row_size (outputs[0]), error);
  good = y != NULL && nn_metrics_sum_add (sum, outputs[0], y, error);
  nn_tensors_free (outputs);
  nn_tensor_release (all, first * row, count * row);
  return good;
}

/* Piece by piece, so that neither the data nor the answers need fit into memory. */
static NnMetrics *
measure (Cli             *cli,
         CliPredictor    *predictor,
         const NnDataset *data,
         NnSplit          split,
         const Options   *options,
         GError         **error)
{
  gsize n = nn_dataset_n (data, split), piece = cli_predictor_piece (predictor, nn_tensor_row_size (nn_dataset_x (data, split)));
  g_autoptr (NnMetricsSum) sum = nn_metrics_sum_new (n, nn_dataset_is_classes (data));

  if (!check_network (predictor->model, error) || !cli_predictor_begin (predictor, n, error))
    return NULL;
  while (predictor->first < n)
    if (!measure_piece (cli, predictor, data, split, MIN (piece, n - predictor->first), options, sum, error))
      return NULL;
  return nn_metrics_sum_end (sum, error);
}

static void
add_classes (JsonBuilder     *json,
             const NnMetrics *metrics,
             const NnDataset *data)
{
  const char *const *names = nn_dataset_class_names (data);

  cli_json_double (json, "accuracy", metrics->accuracy);
  json_builder_set_member_name (json, "auc");
  json_builder_begin_array (json);
  for (guint c = 0; c < metrics->n_classes; c++)
    if (metrics->auc[c] >= 0)
      json_builder_add_double_value (json, metrics->auc[c]);
    else
      json_builder_add_null_value (json); /* the class does not occur */
  json_builder_end_array (json);
  json_builder_set_member_name (json, "confusion");
  json_builder_begin_array (json);
  for (guint c = 0; c < metrics->n_classes; c++)
    {
      json_builder_begin_array (json);
      for (guint k = 0; k < metrics->n_classes; k++)
        json_builder_add_int_value (json, metrics->confusion[c * metrics->n_classes + k]);
      json_builder_end_array (json);
    }
  json_builder_end_array (json);
  if (names == NULL)
    return;
  json_builder_set_member_name (json, "class_names");
  json_builder_begin_array (json);
  for (; *names != NULL; names++)
    json_builder_add_string_value (json, *names);
  json_builder_end_array (json);
}

static void
print_classes (const NnMetrics *metrics,
               const NnDataset *data)
{
  const char *const *names = nn_dataset_class_names (data);
  guint n_names = names != NULL ? g_strv_length ((char **) names) : 0;
  g_autoptr (GPtrArray) titles = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (CliTable) table = NULL;

  g_ptr_array_add (titles, g_strdup ("class"));
  g_ptr_array_add (titles, g_strdup ("samples"));
  g_ptr_array_add (titles, g_strdup ("AUC"));
  for (guint c = 0; c < metrics->n_classes; c++)
    g_ptr_array_add (titles, c < n_names ? g_strdup_printf ("said %s", names[c]) : g_strdup_printf ("said %u", c));
  g_ptr_array_add (titles, NULL);
  table = cli_table_new ((const char *const *) titles->pdata, 1);
  g_print ("loss %.6f\naccuracy %.4f\n\n", metrics->loss, metrics->accuracy);
  for (guint c = 0; c < metrics->n_classes; c++)
    {
      g_autofree char *number = g_strdup_printf ("%u", c);
      gsize samples = 0;

      for (guint k = 0; k < metrics->n_classes; k++)
        samples += metrics->confusion[c * metrics->n_classes + k];
      cli_table_add (table, "%s", c < n_names ? names[c] : number);
      cli_table_add (table, "%" G_GSIZE_FORMAT, samples);
      cli_table_add (table, "%.4f", metrics->auc[c]);
      for (guint k = 0; k < metrics->n_classes; k++)
        cli_table_add (table, "%" G_GSIZE_FORMAT, metrics->confusion[c * metrics->n_classes + k]);
    }
  cli_table_print (table);
}

static void
report (Cli                *cli,
        const CliPredictor *predictor,
        const NnMetrics    *metrics,
        const NnDataset    *data,
        NnSplit             split,
        double              seconds)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  cli_json_int (json, "samples", metrics->n);
  cli_json_string (json, "split", split_names[split]);
  cli_json_double (json, "loss", metrics->loss);
  if (metrics->is_classes)
    add_classes (json, metrics, data);
  else
    {
      cli_json_double (json, "mse", metrics->mse);
      cli_json_double (json, "mae", metrics->mae);
    }
  cli_json_double (json, "seconds", seconds);
  cli_predictor_overflows (predictor, json);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  else if (metrics->is_classes)
    print_classes (metrics, data);
  else
    g_print ("samples %" G_GSIZE_FORMAT "\nmse %.8g\nmae %.8g\n", metrics->n, metrics->mse, metrics->mae);
}

static gboolean
check_options (const Options *options)
{
  if (options->data == NULL)
    g_printerr ("espalier-cli evaluate: --data DATA is needed\n");
  else if (options->split != NULL && strcmp (options->split, "train") != 0 &&
           strcmp (options->split, "validation") != 0 && strcmp (options->split, "test") != 0)
    g_printerr ("espalier-cli evaluate: --split is train, validation or test, not \"%s\"\n", options->split);
  else
    return TRUE;
  return FALSE;
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_auto (Options) options = { 0 };
  g_auto (CliPredictor) predictor = { 0 };
  GOptionEntry entries[] = {
    { "data", 0, 0, G_OPTION_ARG_FILENAME, &options.data, "Labelled data", "DATA" },
    CLI_DATA_ENTRIES (options),
    CLI_PARTS_ENTRIES (options),
    { "split", 0, 0, G_OPTION_ARG_STRING, &options.split, "Part: train, validation or test (test where there is one, otherwise all)", "PART" },
    { "val-split", 0, 0, G_OPTION_ARG_DOUBLE, &options.validation, "Fraction set aside for validation (0)", "F" },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &options.raw, "Do not apply the standardisation that the network carries", NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options.config, "Bit-accurate, as the hardware of this configuration computes", "C.json" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &options.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnMetrics) metrics = NULL;
  NnDataOptions wanted;
  NnSplit split;
  GError *error = NULL;
  gint64 start;
  int status;

  if (!cli_parse (cli, &cli_evaluate, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (!check_options (&options))
    return CLI_USAGE;
  nn_data_options_init (&wanted);
  CLI_DATA_TAKE (wanted, options);
  CLI_PARTS_TAKE (wanted, options);
  wanted.seed = cli->seed;
  if (!cli_predictor_load (&predictor, cli, argv[1], options.weights, options.config, &error))
    return cli_fail (&cli_evaluate, error);
  data = nn_dataset_load (options.data, &wanted, &cli->progress, cli->cancellable, &error);
  if (data == NULL || !choose_split (data, &options, &split, &error))
    return cli_fail (&cli_evaluate, error);
  start = g_get_monotonic_time ();
  metrics = measure (cli, &predictor, data, split, &options, &error);
  if (metrics == NULL)
    {
      cli_name_data (&error, options.data);
      return cli_fail (&cli_evaluate, error);
    }
  report (cli, &predictor, metrics, data, split, (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC);
  return CLI_DONE;
}

const CliVerb cli_evaluate = {
  .name = "evaluate",
  .arguments = "MODEL --data DATA",
  .summary = "How good a network's answers are on labelled data",
  .run = run,
};
