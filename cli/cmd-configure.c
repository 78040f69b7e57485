/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli configure MODEL: writes a configuration for a network, in hls4ml's words. */

#include "cli-data.h"

typedef struct {
  char   *data, *x, *y, *label;
  double  divide;
  char   *backend, *granularity, *precision, *strategy, *io_type, *part, *output, *weights;
  char   *style, *interface;
  int     reuse, interval;
  double  clock, uncertainty;
  gboolean yaml;
  char   **skip;
} Options;

static gboolean
bad_word (const char         *option,
          const char         *word,
          const char *const  *words,
          GError            **error)
{
  g_autofree char *all = g_strjoinv (", ", (char **) words);

  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "--%s: \"%s\" is not one of %s; did you mean %s?", option, word, all,
               nn_text_nearest (word, words));
  return FALSE;
}

static gboolean
find_word (const char        *option,
           const char        *word,
           const char *const *words,
           guint             *index,
           GError           **error)
{
  for (*index = 0; words[*index] != NULL; (*index)++)
    if (g_ascii_strcasecmp (words[*index], word) == 0)
      return TRUE;
  return bad_word (option, word, words, error);
}

static gboolean
check_pass (const char  *name,
            GError     **error)
{
  const NnPass *pass = nn_pass_find (name);

  if (pass == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "--skip-pass: there is no pass \"%s\"; \"inspect --passes\" lists them", name);
  else if (pass->needed)
    g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "--skip-pass: hardware needs the pass \"%s\"", name);
  return pass != NULL && !pass->needed;
}

static gboolean
apply (const Options *options,
       NnConfig      *config,
       GError       **error)
{
  static const char *const backends[] = { "Vitis", "Vivado", "oneAPI", "Quartus", "Catapult", NULL };
  static const char *const granularities[] = { "model", "type", "name", NULL };
  static const char *const io_types[] = { "io_parallel", "io_stream", NULL };
  NnLayerConfig *model = nn_config_model (config);
  NnType type;
  guint index;

  if (options->backend != NULL)
    {
      if (!find_word ("backend", options->backend, backends, &index, error))
        return FALSE;
      nn_config_set_backend (config, index);
    }
  if (options->granularity != NULL)
    {
      if (!find_word ("granularity", options->granularity, granularities, &index, error))
        return FALSE;
      nn_config_set_granularity (config, index);
    }
  if (options->io_type != NULL)
    {
      if (!find_word ("io-type", options->io_type, io_types, &index, error))
        return FALSE;
      nn_config_set_io_type (config, index);
    }
  if (options->precision != NULL)
    {
      if (!nn_type_parse (options->precision, &type, error))
        return FALSE;
      g_hash_table_insert (model->precision, g_strdup ("default"), g_memdup2 (&type, sizeof type));
    }
  if (options->strategy != NULL && !nn_strategy_find (options->strategy, &model->strategy, error))
    return FALSE;
  if (options->reuse < 0 || options->clock < 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "--%s must be positive", options->reuse < 0 ? "reuse" : "clock");
      return FALSE;
    }
  if (options->reuse > 0)
    model->reuse_factor = options->reuse;
  if (options->part != NULL)
    nn_config_set_part (config, options->part);
  if (options->clock > 0)
    nn_config_set_clock_ns (config, options->clock);
  for (char **name = options->skip; name != NULL && *name != NULL; name++)
    if (!check_pass (*name, error))
      return FALSE;
  if (options->skip != NULL)
    nn_config_skip_passes (config, (const char *const *) options->skip);
  return TRUE;
}

/* How the project is pipelined and wrapped, and what of the clock is kept. */
static gboolean
apply_project (const Options *options,
               NnConfig      *config,
               GError       **error)
{
  static const char *const styles[] = { "auto", "dataflow", "pipeline", NULL };
  static const char *const wrappers[] = { "none", "axi_stream", "axi_lite", "axi_master", NULL };
  g_autofree char *interval = options->interval > 0 ? g_strdup_printf ("%d", options->interval) : NULL;
  guint index;

  if (options->interval < 0 || options->uncertainty < -1 || options->uncertainty >= 100)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   options->interval < 0 ? "--interval must be positive" : "--uncertainty must be a percentage from 0 to below 100");
      return FALSE;
    }
  if (options->style != NULL)
    {
      if (!find_word ("pipeline", options->style, styles, &index, error))
        return FALSE;
      nn_config_set_extra (config, "PipelineStyle", index > 0 ? styles[index] : NULL);
    }
  if (options->interface != NULL)
    {
      if (!find_word ("interface", options->interface, wrappers, &index, error))
        return FALSE;
      nn_config_set_setting (config, "Interface", index > 0 ? wrappers[index] : NULL);
    }
  if (interval != NULL)
    nn_config_set_extra (config, "PipelineInterval", interval);
  if (options->uncertainty >= 0)
    nn_config_set_uncertainty (config, options->uncertainty / 100);
  return TRUE;
}

/* One entry a layer, each type written out or `auto`, for the user to change. */
static void
add_layers (NnConfig       *config,
            const NnDesign *design)
{
  static const NnType automatic = { .kind = NN_TYPE_AUTO };
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  const NnLayerConfig *model = nn_config_model (config);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      NnLayerConfig *layer = nn_config_layer (config, node->name);
      static const char *const all[] = { "result", "weight", "bias", "accum" };

      for (guint k = 0; k < (nn_op_is_prunable (node->op) ? G_N_ELEMENTS (all) : 1); k++)
        g_hash_table_insert (layer->precision, g_strdup (all[k]), g_memdup2 (&automatic, sizeof automatic));
      if (!nn_op_is_prunable (node->op))
        continue;
      layer->reuse_factor = nn_design_plan (design, i)->reuse_factor;
      layer->strategy = model->strategy;
    }
}

/* Integer bits as the data need them, at the width of the default precision. */
static gboolean
observe (Cli             *cli,
         const Options   *options,
         NnConfig        *config,
         const NnModel   *model,
         const NnDesign  *design,
         GError         **error)
{
  const NnModelInfo *info = nn_model_info (model);
  const NnType *standard = g_hash_table_lookup (nn_config_model (config)->precision, "default");
  NnDataOptions data_options;
  g_autoptr (NnDataset) data = NULL;
  g_autoptr (NnTensor) x = NULL;
  g_autoptr (NnProfile) observed = NULL;
  guint n;

  nn_data_options_init (&data_options);
  CLI_DATA_TAKE (data_options, *options);
  data = nn_dataset_load (options->data, &data_options, &cli->progress, cli->cancellable, error);
  if (data == NULL)
    return FALSE;
  nn_graph_inputs (nn_model_graph (model), &n);
  if (n != 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has %u inputs; widths can be chosen from data for one", n);
      return FALSE;
    }
  x = info->input_mean != NULL && info->input_deviation != NULL
        ? nn_dataset_standardize (nn_dataset_x (data, NN_SPLIT_TRAIN), info->input_mean, info->input_deviation, error)
        : nn_tensor_ref (nn_dataset_x (data, NN_SPLIT_TRAIN));
  observed = x != NULL ? nn_observe_ranges (design, &x, &cli->progress, cli->cancellable, error) : NULL;
  if (observed == NULL)
    {
      cli_name_data (error, options->data);
      return FALSE;
    }
  nn_propose_types (config, observed, standard != NULL && standard->kind == NN_TYPE_FIXED ? standard->width : 16);
  return TRUE;
}

static NnConfig *
configure (Cli            *cli,
           const Options  *options,
           const char     *path,
           GError        **error)
{
  g_autoptr (NnConfig) config = nn_config_new ();
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;

  if (!apply (options, config, error) || !apply_project (options, config, error))
    return NULL;
  model = cli_open_model (cli, path, options->weights, NULL, error);
  if (model == NULL)
    return NULL;
  /* also the proof that the configuration can be realised */
  design = nn_design_new (model, config, error);
  if (design == NULL)
    return NULL;
  cli_warn (nn_design_warnings (design));
  if (nn_config_granularity (config) == NN_GRANULARITY_NAME)
    add_layers (config, design);
  if (options->data != NULL && !observe (cli, options, config, model, design, error))
    return NULL;
  return g_steal_pointer (&config);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  Options options = { .uncertainty = -1 };
  GOptionEntry entries[] = {
    { "backend", 0, 0, G_OPTION_ARG_STRING, &options.backend, "Vitis, Vivado, oneAPI, Quartus or Catapult (Vitis)", "B" },
    { "granularity", 0, 0, G_OPTION_ARG_STRING, &options.granularity, "model, type or name (model)", "G" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &options.precision, "Number type of everything not set apart (fixed<16,6>)", "P" },
    { "reuse", 0, 0, G_OPTION_ARG_INT, &options.reuse, "Reuse factor: weights that share a multiplier (1)", "N" },
    { "strategy", 0, 0, G_OPTION_ARG_STRING, &options.strategy, "Latency, Resource, ResourceUnrolled, ... (Latency)", "S" },
    { "io-type", 0, 0, G_OPTION_ARG_STRING, &options.io_type, "io_parallel or io_stream (io_parallel)", "T" },
    { "part", 0, 0, G_OPTION_ARG_STRING, &options.part, "FPGA part (the backend's default)", "PART" },
    { "clock", 0, 0, G_OPTION_ARG_DOUBLE, &options.clock, "Clock period (5)", "NS" },
    { "uncertainty", 0, 0, G_OPTION_ARG_DOUBLE, &options.uncertainty, "Share of the period kept for wiring (the backend's default)", "PERCENT" },
    { "pipeline", 0, 0, G_OPTION_ARG_STRING, &options.style, "auto, dataflow or pipeline (auto)", "STYLE" },
    { "interval", 0, 0, G_OPTION_ARG_INT, &options.interval, "Cycles between two samples (the largest reuse factor)", "N" },
    { "interface", 0, 0, G_OPTION_ARG_STRING, &options.interface, "none, axi_stream, axi_lite or axi_master (none)", "KIND" },
    { "data", 0, 0, G_OPTION_ARG_STRING, &options.data, "Choose integer bits from what these data show", "DATA" },
    CLI_DATA_ENTRIES (options),
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &options.weights, "HDF5 weights of a .json architecture", "FILE" },
    { "skip-pass", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.skip, "Leave out this graph pass (\"inspect --passes\" lists them)", "NAME" },
    { "yaml", 0, 0, G_OPTION_ARG_NONE, &options.yaml, "Write YAML instead of JSON", NULL },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "File to write (standard output)", "FILE" },
    { NULL },
  };
  g_autoptr (NnConfig) config = NULL;
  g_autofree char *text = NULL;
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_configure, entries, 1, 1, &argc, &argv, &status))
    return status;
  config = configure (cli, &options, argv[1], &error);
  if (config != NULL)
    {
      text = options.yaml ? nn_config_to_yaml (config) : nn_config_to_json (config);
      g_autofree char *json = cli->json ? nn_config_to_json (config) : NULL;

      if (options.output != NULL && !g_file_set_contents (options.output, text, -1, &error))
        g_clear_pointer (&json, g_free);
      else if (options.output == NULL || cli->json)
        g_print ("%s", cli->json ? json : text);
    }
  g_free (options.data);
  g_free (options.backend);
  g_free (options.granularity);
  g_free (options.precision);
  g_free (options.strategy);
  g_free (options.io_type);
  g_free (options.part);
  g_free (options.style);
  g_free (options.interface);
  g_free (options.weights);
  g_strfreev (options.skip);
  g_free (options.output);
  return error != NULL ? cli_fail (&cli_configure, error) : CLI_DONE;
}

const CliVerb cli_configure = {
  .name = "configure",
  .arguments = "MODEL",
  .summary = "Write a configuration for a network, in hls4ml's words",
  .run = run,
};
