/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli estimate MODEL --config C.json: resources and latency before synthesis. */

#include "cli.h"
#include "cli-table.h"

#include <math.h>

static void
add_figure (JsonBuilder *json,
            const char  *name,
            NnFigure     figure)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  cli_json_double (json, "value", figure.value);
  cli_json_double (json, "low", figure.low);
  cli_json_double (json, "high", figure.high);
  json_builder_end_object (json);
}

static NnFigure
scaled (NnFigure figure,
        double   factor)
{
  return (NnFigure) { figure.value * factor, figure.low * factor, figure.high * factor };
}

static gboolean
has_halves (const NnPart *part)
{
  return part == NULL || part->family <= NN_FAMILY_VERSAL;
}

/* A block of 36 Kb is two of 18: it is taken for one half left over. */
static NnFigure
pairs (NnFigure halves)
{
  return (NnFigure) { ceil (halves.value / 2), ceil (halves.low / 2), ceil (halves.high / 2) };
}

static void
add_cost (JsonBuilder  *json,
          const NnCost *cost,
          const NnPart *part,
          double        clock_ns)
{
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    add_figure (json, nn_resource_name (r), cost->resource[r]);
  if (has_halves (part))
    add_figure (json, "bram_36k", pairs (cost->resource[NN_RESOURCE_BRAM]));
  add_figure (json, "latency_cycles", cost->latency);
  add_figure (json, "interval_cycles", cost->interval);
  add_figure (json, "latency_ns", scaled (cost->latency, clock_ns));
  add_figure (json, "bops", (NnFigure) { cost->bops, cost->bops, cost->bops });
  add_figure (json, "energy_nj", cost->energy_nj);
  if (!isnan (cost->area_um2.value))
    add_figure (json, "area_um2", cost->area_um2);
}

static void
add_part (JsonBuilder  *json,
          const NnPart *part)
{
  json_builder_set_member_name (json, "part");
  json_builder_begin_object (json);
  cli_json_string (json, "name", part != NULL ? part->name : NULL);
  if (part != NULL)
    {
      cli_json_string (json, "title", part->title);
      cli_json_string (json, "source", part->source);
      for (guint r = 0; r < NN_N_RESOURCES; r++)
        cli_json_double (json, nn_resource_name (r), part->total.amount[r] < 0 ? NAN : part->total.amount[r]);
    }
  json_builder_end_object (json);
}

/* The values that a layer's kernel accepts, each with its forecast. */
static void
add_options (JsonBuilder      *json,
             const NnDesign   *design,
             guint             i,
             const NnPart     *part,
             double            clock_ns)
{
  g_autoptr (GArray) options = nn_reuse_options (design, i, part);

  json_builder_set_member_name (json, "reuse_factors");
  json_builder_begin_array (json);
  for (guint k = 0; k < options->len; k++)
    {
      const NnReuseOption *option = &g_array_index (options, NnReuseOption, k);

      json_builder_begin_object (json);
      cli_json_int (json, "reuse_factor", option->reuse);
      add_cost (json, &option->cost, part, clock_ns);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

/* What a report says of the same: of the whole, or of a layer's module. */
static void
add_measured (JsonBuilder       *json,
              const NnResources *resources,
              double             latency,
              double             interval)
{
  json_builder_set_member_name (json, "measured");
  json_builder_begin_object (json);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    cli_json_double (json, nn_resource_name (r), resources->amount[r] < 0 ? NAN : resources->amount[r]);
  cli_json_double (json, "latency_cycles", latency);
  cli_json_double (json, "interval_cycles", interval);
  json_builder_end_object (json);
}

static void
add_layers (JsonBuilder      *json,
            const NnDesign   *design,
            const NnEstimate *estimate,
            const HlsReport  *measured,
            gboolean          options)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  double clock_ns = nn_config_clock_ns (nn_design_config (design));

  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (guint i = 0; i < estimate->n_layers; i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      const NnLayerPlan *plan = nn_design_plan (design, i);

      json_builder_begin_object (json);
      cli_json_string (json, "name", node->name);
      cli_json_string (json, "class", node->class_name);
      cli_json_string (json, "origin", node->origin);
      if (plan->n_in > 0)
        {
          cli_json_string (json, "strategy", nn_strategy_name (plan->strategy));
          cli_json_int (json, "reuse_factor", plan->reuse_factor);
        }
      add_cost (json, &estimate->layers[i], estimate->part, clock_ns);
      if (measured != NULL && hls_report_node (measured, graph, i) != NULL)
        {
          const HlsModule *module = hls_report_node (measured, graph, i);

          add_measured (json, &module->resources, module->latency_max, module->interval_max);
        }
      if (options)
        add_options (json, design, i, estimate->part, clock_ns);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static const char *
status_name (NnReuseStatus status)
{
  return status == NN_REUSE_OPTIMAL ? "optimal" : status == NN_REUSE_GAP ? "gap" : "infeasible";
}

static void
add_plan (JsonBuilder       *json,
          const NnReusePlan *plan,
          const NnDesign    *design)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));

  json_builder_set_member_name (json, "reuse");
  json_builder_begin_object (json);
  cli_json_string (json, "status", status_name (plan->status));
  cli_json_double (json, "dsp", plan->dsp);
  cli_json_double (json, "bound", plan->bound);
  cli_json_double (json, "gap", plan->gap);
  cli_json_double (json, "latency_cycles", plan->latency);
  json_builder_set_member_name (json, "layers");
  json_builder_begin_object (json);
  for (guint i = 0; i < plan->n_layers; i++)
    if (plan->reuse[i] > 0)
      cli_json_int (json, nn_graph_node (graph, i)->name, plan->reuse[i]);
  json_builder_end_object (json);
  json_builder_end_object (json);
}

static char *
range_text (NnFigure figure)
{
  g_autofree char *value = figure.value < 0 || isnan (figure.value) ? g_strdup ("-") : nn_text_thousands (llround (figure.value));
  g_autofree char *low = nn_text_thousands (isnan (figure.low) ? 0 : llround (figure.low));
  g_autofree char *high = nn_text_thousands (isnan (figure.high) ? 0 : llround (figure.high));

  return !(figure.low < figure.high) ? g_steal_pointer (&value) : g_strdup_printf ("%s (%s-%s)", value, low, high);
}

static void
add_row (CliTable     *table,
         const char   *name,
         const NnCost *cost)
{
  static const NnResource columns[] = { NN_RESOURCE_DSP, NN_RESOURCE_BRAM, NN_RESOURCE_LUT, NN_RESOURCE_FF };

  cli_table_add (table, "%s", name);
  for (guint c = 0; c < G_N_ELEMENTS (columns); c++)
    cli_table_take (table, range_text (cost->resource[columns[c]]));
  cli_table_take (table, range_text (cost->latency));
  cli_table_take (table, range_text (cost->interval));
}

static void
measured_row (CliTable          *table,
              const char        *name,
              const NnResources *resources,
              double             latency,
              double             interval)
{
  NnCost cost = { 0 };

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    cost.resource[r] = (NnFigure) { resources->amount[r], resources->amount[r], resources->amount[r] };
  cost.latency = (NnFigure) { latency, latency, latency };
  cost.interval = (NnFigure) { interval, interval, interval };
  add_row (table, name, &cost);
}

static void
add_synthesised (CliTable         *table,
                 const NnEstimate *estimate)
{
  NnCost cost = estimate->total;

  for (guint r = 0; r < NN_N_RESOURCES; r++)
    cost.resource[r] = estimate->synthesised[r];
  add_row (table, "after synthesis", &cost);
}

static void
print_summary (const NnDesign   *design,
               const NnEstimate *estimate)
{
  const NnCost *total = &estimate->total;
  g_autofree char *memories = range_text (pairs (total->resource[NN_RESOURCE_BRAM])), *bops = nn_text_thousands (llround (total->bops));

  g_print ("\n%.1f ns at %g ns a cycle; %s bit operations and %.3g nJ (%.2g to %.2g) a sample\n", total->latency_ns,
           nn_config_clock_ns (nn_design_config (design)), bops, total->energy_nj.value, total->energy_nj.low, total->energy_nj.high);
  if (has_halves (estimate->part))
    g_print ("BRAM in blocks of 36 Kb: %s; URAM: %.0f\n", memories, total->resource[NN_RESOURCE_URAM].value);
  if (!isnan (total->area_um2.value))
    g_print ("area: %.3g mm² (%.2g to %.2g)\n", total->area_um2.value / 1e6, total->area_um2.low / 1e6, total->area_um2.high / 1e6);
}

static void
print_estimate (const NnDesign   *design,
                const NnEstimate *estimate,
                const HlsReport  *measured)
{
  static const char *const titles[] = { "layer", "DSP", "BRAM 18K", "LUT", "FF", "latency", "interval", NULL };
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  g_autoptr (CliTable) table = cli_table_new (titles, 1);

  g_print ("%s: %s\n\n", estimate->part != NULL ? estimate->part->name : "part",
           estimate->part != NULL ? estimate->part->title : "unknown");
  for (guint i = 0; i < estimate->n_layers; i++)
    {
      const HlsModule *module = measured != NULL ? hls_report_node (measured, graph, i) : NULL;

      add_row (table, nn_graph_node (graph, i)->name, &estimate->layers[i]);
      if (module != NULL)
        measured_row (table, "  measured", &module->resources, module->latency_max, module->interval_max);
    }
  add_row (table, "total", &estimate->total);
  add_synthesised (table, estimate);
  if (measured != NULL)
    measured_row (table, "  measured", &measured->resources, measured->latency_max, measured->interval_max);
  cli_table_print (table);
  print_summary (design, estimate);
}

static void
print_plan (const NnReusePlan *plan,
            const NnDesign    *design)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));

  g_print ("reuse factors for the fewest DSPs: %s, %.0f DSP (bound %.0f), %.0f cycles\n", status_name (plan->status), plan->dsp,
           plan->bound, plan->latency);
  for (guint i = 0; i < plan->n_layers; i++)
    if (plan->reuse[i] > 0)
      g_print ("  %-24s %u\n", nn_graph_node (graph, i)->name, plan->reuse[i]);
  g_print ("\n");
}

typedef struct {
  char   *config, *weights, *part, *parts, *calibration, *learn, *forget, *tool_version, *measured, *output;
  double  cycles;
  gboolean options;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->config);
  g_free (arguments->weights);
  g_free (arguments->part);
  g_free (arguments->parts);
  g_free (arguments->calibration);
  g_free (arguments->learn);
  g_free (arguments->measured);
  g_free (arguments->tool_version);
  g_free (arguments->forget);
  g_free (arguments->output);
}

/* With --reuse-for-latency: the design with the reuse factors that were found, in place of @design. */
static gboolean
solve (Cli              *cli,
       const Arguments  *arguments,
       const NnModel    *model,
       const NnPart     *part,
       NnDesign        **design,
       NnReusePlan     **plan,
       GError          **error)
{
  g_autoptr (NnConfig) config = NULL;
  g_autofree char *text = NULL;

  *plan = nn_reuse_solve (*design, part, arguments->cycles, cli->cancellable, error);
  if (*plan == NULL)
    return FALSE;
  config = nn_reuse_plan_config (*plan, *design);
  nn_design_unref (*design);
  *design = nn_design_new (model, config, error);
  if (*design == NULL)
    return FALSE;
  text = arguments->output != NULL ? nn_config_to_json (config) : NULL;
  return text == NULL || g_file_set_contents (arguments->output, text, -1, error);
}

/* Where what was learnt is from. */
static void
add_entries (JsonBuilder         *json,
             const NnCalibration *calibration)
{
  json_builder_set_member_name (json, "calibration");
  json_builder_begin_array (json);
  for (guint i = 0; i < nn_calibration_n_entries (calibration); i++)
    {
      const NnCalibrationEntry *entry = nn_calibration_entry (calibration, i);

      json_builder_begin_object (json);
      cli_json_string (json, "source", entry->source);
      cli_json_string (json, "tool", entry->tool);
      cli_json_string (json, "version", entry->version);
      cli_json_string (json, "part", entry->part);
      cli_json_string (json, "stage", entry->stage);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
print_entries (const NnCalibration *calibration,
               guint                used)
{
  g_print ("calibrated on %u of %u reports:\n", used, nn_calibration_n_entries (calibration));
  for (guint i = 0; i < nn_calibration_n_entries (calibration); i++)
    {
      const NnCalibrationEntry *entry = nn_calibration_entry (calibration, i);

      g_print ("  %s %s, %s, %s: %s\n", entry->tool, entry->version, entry->part, entry->stage, entry->source);
    }
  g_print ("\n");
}

/* Adds a report of this design to the user's calibration, or takes one back. */
static gboolean
change_calibration (NnCalibration    *calibration,
                    const Arguments  *arguments,
                    const NnEstimate *estimate,
                    GError          **error)
{
  g_autoptr (HlsReport) report = NULL;
  g_autofree char *folder = NULL;
  NnCalibrationEntry entry = { 0 };

  for (guint i = nn_calibration_n_entries (calibration); arguments->forget != NULL && i > 0; i--)
    if (g_str_equal (nn_calibration_entry (calibration, i - 1)->source, arguments->forget))
      nn_calibration_remove (calibration, i - 1);
  if (arguments->learn != NULL)
    {
      report = hls_report_read (arguments->learn, error);
      if (report == NULL)
        return FALSE;
      entry = (NnCalibrationEntry) { .source = arguments->learn, .tool = report->tool, .version = report->version,
                                     .part = report->part, .stage = report->stage, .measured = report->resources,
                                     .measured_latency = report->latency_max, .estimated_latency = estimate->total.latency.value };
      for (guint r = 0; r < NN_N_RESOURCES; r++)
        entry.estimated.amount[r] = estimate->total.resource[r].value;
      nn_calibration_add (calibration, &entry);
    }
  folder = g_path_get_dirname (arguments->calibration);
  g_mkdir_with_parents (folder, 0700);
  return nn_calibration_save (calibration, arguments->calibration, error);
}

/* Everything besides the network and its configuration. */
static gboolean
load_extras (const Arguments  *arguments,
             const NnPart    **part,
             NnCalibration   **calibration,
             HlsReport       **measured,
             GError          **error)
{
  if (arguments->parts != NULL && !nn_parts_add_file (arguments->parts, error))
    return FALSE;
  if (arguments->part != NULL && (*part = nn_part_find (arguments->part, error)) == NULL)
    return FALSE;
  if (arguments->learn != NULL && !g_file_test (arguments->calibration, G_FILE_TEST_EXISTS))
    *calibration = nn_calibration_new ();
  else if (arguments->calibration != NULL && (*calibration = nn_calibration_load (arguments->calibration, error)) == NULL)
    return FALSE;
  return arguments->measured == NULL || (*measured = hls_report_read (arguments->measured, error)) != NULL;
}

static gboolean
estimate_model (Cli              *cli,
                const char       *path,
                const Arguments  *arguments,
                JsonBuilder      *json,
                GError          **error)
{
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnEstimate) estimate = NULL;
  g_autoptr (NnReusePlan) plan = NULL;
  g_autoptr (NnCalibration) calibration = NULL;
  g_autoptr (HlsReport) measured = NULL;
  const NnPart *part = NULL;

  if (!load_extras (arguments, &part, &calibration, &measured, error))
    return FALSE;
  model = cli_open_model (cli, path, arguments->weights, &config, error);
  if (model == NULL)
    return FALSE;
  if (arguments->config != NULL || config == NULL)
    {
      g_clear_pointer (&config, nn_config_unref);
      config = cli_open_config (arguments->config, model, error);
    }
  if (config == NULL || (design = nn_design_new (model, config, error)) == NULL)
    return FALSE;
  if (arguments->cycles > 0 && !solve (cli, arguments, model, part, &design, &plan, error))
    return FALSE;
  cli_warn (nn_design_warnings (design));
  estimate = nn_estimate (design, part, error);
  if (estimate == NULL)
    return FALSE;
  if ((arguments->learn != NULL || arguments->forget != NULL) && !change_calibration (calibration, arguments, estimate, error))
    return FALSE;
  if (calibration != NULL)
    {
      guint used = nn_calibration_apply_all (calibration, config, arguments->tool_version, estimate);

      cli_json_int (json, "calibrated_on", used);
      add_entries (json, calibration);
      if (!cli->json)
        print_entries (calibration, used);
    }
  json_builder_set_member_name (json, "total");
  json_builder_begin_object (json);
  add_cost (json, &estimate->total, estimate->part, nn_config_clock_ns (config));
  if (measured != NULL)
    add_measured (json, &measured->resources, measured->latency_max, measured->interval_max);
  json_builder_end_object (json);
  json_builder_set_member_name (json, "after_synthesis");
  json_builder_begin_object (json);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    add_figure (json, nn_resource_name (r), estimate->synthesised[r]);
  json_builder_end_object (json);
  add_layers (json, design, estimate, measured, arguments->options);
  add_part (json, estimate->part);
  if (plan != NULL)
    add_plan (json, plan, design);
  if (!cli->json && plan != NULL)
    print_plan (plan, design);
  if (!cli->json)
    print_estimate (design, estimate, measured);
  return TRUE;
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  Arguments arguments = { 0 };
  GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &arguments.config, "Settings for hardware, JSON or YAML", "FILE" },
    { "part", 'p', 0, G_OPTION_ARG_STRING, &arguments.part, "Part (the configuration's)", "PART" },
    { "parts", 0, 0, G_OPTION_ARG_FILENAME, &arguments.parts, "Parts of your own, JSON", "FILE" },
    { "calibration", 0, 0, G_OPTION_ARG_FILENAME, &arguments.calibration, "What your syntheses say about estimates; \"own\": the window's", "FILE" },
    { "measured", 0, 0, G_OPTION_ARG_FILENAME, &arguments.measured, "Show a report of this project beside the estimate, by layer", "REPORT" },
    { "tool-version", 0, 0, G_OPTION_ARG_STRING, &arguments.tool_version, "Calibrate on this version of the tool first", "VERSION" },
    { "learn", 0, 0, G_OPTION_ARG_FILENAME, &arguments.learn, "Add this design's report to --calibration", "REPORT" },
    { "forget", 0, 0, G_OPTION_ARG_FILENAME, &arguments.forget, "Take a report out of --calibration again", "REPORT" },
    { "options", 0, 0, G_OPTION_ARG_NONE, &arguments.options, "With every reuse factor each layer accepts (JSON)", NULL },
    { "reuse-for-latency", 0, 0, G_OPTION_ARG_DOUBLE, &arguments.cycles, "Choose all reuse factors: fewest DSPs within so many cycles", "CYCLES" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &arguments.output, "Write the configuration with the chosen reuse factors", "FILE" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &arguments.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (JsonBuilder) json = json_builder_new ();
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_estimate, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (arguments.config == NULL && !nn_project_is_project (argv[1]))
    {
      g_printerr ("espalier-cli estimate: --config FILE is missing; \"espalier-cli configure\" writes one\n");
      return CLI_USAGE;
    }
  if ((arguments.learn != NULL || arguments.forget != NULL) && arguments.calibration == NULL)
    {
      g_printerr ("espalier-cli estimate: --learn and --forget need --calibration FILE to write to\n");
      return CLI_USAGE;
    }
  if (g_strcmp0 (arguments.calibration, "own") == 0)
    {
      g_free (arguments.calibration);
      arguments.calibration = nn_calibration_own_path ();
    }
  json_builder_begin_object (json);
  if (!estimate_model (cli, argv[1], &arguments, json, &error))
    status = cli_fail (&cli_estimate, error);
  else
    {
      json_builder_end_object (json);
      if (cli->json)
        cli_print_json (json);
      status = CLI_DONE;
    }
  arguments_clear (&arguments);
  return status;
}

const CliVerb cli_estimate = {
  .name = "estimate",
  .arguments = "MODEL --config FILE",
  .summary = "Resources and latency before synthesis",
  .run = run,
};
