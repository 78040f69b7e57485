/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same network on other hardware. */

#include "app-variants.h"

#include "app-format.h"

#include <glib/gi18n.h>

#define MAX_REUSE 128
/* Largest against smallest value of an axis. */
#define CROWDED 20

typedef struct {
  AppAnalysis *analysis;
  int          layer; /* -1: all */
  GArray      *reuses;
} Input;

static void
input_free (Input *input)
{
  app_analysis_unref (input->analysis);
  g_clear_pointer (&input->reuses, g_array_unref);
  g_free (input);
}

AppVariant *
app_variant_copy (const AppVariant *variant)
{
  AppVariant *copy = g_memdup2 (variant, sizeof *variant);

  nn_config_ref (copy->config);
  return copy;
}

void
app_variant_free (AppVariant *variant)
{
  nn_config_unref (variant->config);
  g_free (variant);
}

char *
app_variant_title (const AppVariant *variant)
{
  return g_strdup_printf (_("%s, reuse factor %u"), nn_strategy_name (variant->strategy), variant->reuse);
}

/* Every layer alike: what single layers were set to would stand in the way. */
static NnConfig *
config_for_all (const AppAnalysis *analysis,
                NnStrategy         strategy,
                guint              reuse)
{
  NnConfig *config = nn_config_copy (analysis->config);
  const NnGraph *graph = nn_model_graph (analysis->model);

  nn_config_model (config)->strategy = strategy;
  nn_config_model (config)->reuse_factor = reuse;
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      if (nn_config_strategy (config, node->name, node->class_name) != strategy)
        nn_config_layer (config, node->name)->strategy = strategy;
      if (nn_config_reuse (config, node->name, node->class_name) != reuse)
        nn_config_layer (config, node->name)->reuse_factor = reuse;
    }
  return config;
}

static gboolean
fits (const NnResources *used,
      const NnPart      *part)
{
  for (guint r = 0; part != NULL && r < NN_N_RESOURCES; r++)
    if (part->total.amount[r] >= 0 && used->amount[r] > part->total.amount[r])
      return FALSE;
  return TRUE;
}

static double
at_least_nothing (double value)
{
  return MAX (value, 0);
}

/* Of the hardware layers that came from the layer of the network called @name. */
static void
take_layer (AppVariant       *variant,
            const NnDesign   *design,
            const NnEstimate *estimate,
            const char       *name)
{
  const NnGraph *lowered = nn_model_graph (nn_design_model (design));

  for (guint i = 0; i < MIN (nn_graph_n_nodes (lowered), estimate->n_layers); i++)
    {
      const NnNode *node = nn_graph_node (lowered, i);

      if (!g_str_equal (node->origin != NULL ? node->origin : node->name, name))
        continue;
      for (guint r = 0; r < NN_N_RESOURCES; r++)
        variant->resources.amount[r] += at_least_nothing (estimate->layers[i].resource[r].value);
      variant->latency += at_least_nothing (estimate->layers[i].latency.value);
    }
}

/* Takes @config; %NULL where there is no such hardware. */
static AppVariant *
estimate_variant (const Input *input,
                  NnConfig    *config,
                  NnStrategy   strategy,
                  guint        reuse)
{
  const AppAnalysis *analysis = input->analysis;
  g_autoptr (NnConfig) own = config;
  g_autoptr (NnConfig) pruned = nn_config_for_pruned (config, analysis->model, NULL);
  g_autoptr (NnDesign) design = nn_design_new (analysis->model, pruned != NULL ? pruned : config, NULL);
  NnEstimate *estimate = design != NULL ? nn_estimate (design, analysis->part, NULL) : NULL;
  AppVariant *variant;

  if (estimate == NULL)
    return NULL;
  variant = g_new0 (AppVariant, 1);
  variant->strategy = strategy;
  variant->reuse = reuse;
  variant->config = g_steal_pointer (&own);
  variant->interval = estimate->total.interval.value;
  if (input->layer >= 0)
    take_layer (variant, design, estimate, nn_graph_node (nn_model_graph (analysis->model), input->layer)->name);
  else
    {
      for (guint r = 0; r < NN_N_RESOURCES; r++)
        variant->resources.amount[r] = at_least_nothing (estimate->total.resource[r].value);
      variant->latency = estimate->total.latency.value;
    }
  variant->fits = fits (&variant->resources, analysis->part);
  nn_estimate_free (estimate);
  return variant;
}

static gpointer
work_variants (AppJob           *job,
               gpointer          data,
               const NnProgress *progress,
               GCancellable     *cancellable,
               GError          **error)
{
  static const NnStrategy strategies[] = { NN_STRATEGY_LATENCY, NN_STRATEGY_RESOURCE, NN_STRATEGY_RESOURCE_UNROLLED };
  const Input *input = data;
  NnStrategy now = nn_config_strategy (input->analysis->config, NULL, NULL);
  guint reuse_now = nn_config_reuse (input->analysis->config, NULL, NULL);

  for (guint s = 0; s < G_N_ELEMENTS (strategies); s++)
    for (guint reuse = 1; reuse <= MAX_REUSE && !g_cancellable_is_cancelled (cancellable); reuse *= 2)
      {
        AppVariant *variant = estimate_variant (input, config_for_all (input->analysis, strategies[s], reuse), strategies[s], reuse);

        if (variant == NULL)
          continue;
        variant->current = strategies[s] == now && reuse == reuse_now;
        app_job_post (job, variant, (GDestroyNotify) app_variant_free);
      }
  return NULL;
}

AppJob *
app_variants_job (AppAnalysis *analysis)
{
  Input *input = g_new0 (Input, 1);

  input->analysis = app_analysis_ref (analysis);
  input->layer = -1;
  return app_job_new (_("Estimating variants"), work_variants, input, (GDestroyNotify) input_free, NULL);
}

static gpointer
work_reuse (AppJob           *job,
            gpointer          data,
            const NnProgress *progress,
            GCancellable     *cancellable,
            GError          **error)
{
  const Input *input = data;
  const NnNode *node = input->layer >= 0 ? nn_graph_node (nn_model_graph (input->analysis->model), input->layer) : NULL;
  NnStrategy strategy = nn_config_strategy (input->analysis->config, node != NULL ? node->name : NULL, node != NULL ? node->class_name : NULL);

  for (guint k = 0; k < input->reuses->len && !g_cancellable_is_cancelled (cancellable); k++)
    {
      guint reuse = g_array_index (input->reuses, guint, k);
      NnConfig *config = nn_config_copy (input->analysis->config);
      AppVariant *variant;

      (node != NULL ? nn_config_layer (config, node->name) : nn_config_model (config))->reuse_factor = reuse;
      variant = estimate_variant (input, config, strategy, reuse);
      if (variant != NULL)
        app_job_post (job, variant, (GDestroyNotify) app_variant_free);
    }
  return NULL;
}

AppJob *
app_reuse_job (AppAnalysis  *analysis,
               int           layer,
               const GArray *reuses)
{
  Input *input = g_new0 (Input, 1);

  input->analysis = app_analysis_ref (analysis);
  input->layer = layer;
  input->reuses = g_array_new (FALSE, FALSE, sizeof (guint));
  g_array_append_vals (input->reuses, reuses->data, reuses->len);
  return app_job_new (_("Estimating reuse factors"), work_reuse, input, (GDestroyNotify) input_free, NULL);
}

/* Powers where a linear axis would crowd most variants into its beginning. */
static void
choose_scales (AppPlot         *plot,
               const GPtrArray *variants,
               NnResource       resource)
{
  double x[2] = { G_MAXDOUBLE, 0 }, y[2] = { G_MAXDOUBLE, 0 };

  for (guint i = 0; i < variants->len; i++)
    {
      const AppVariant *variant = g_ptr_array_index (variants, i);

      x[0] = MIN (x[0], variant->latency);
      x[1] = MAX (x[1], variant->latency);
      y[0] = MIN (y[0], variant->resources.amount[resource]);
      y[1] = MAX (y[1], variant->resources.amount[resource]);
    }
  plot->x_log = x[0] > 0 && x[1] > CROWDED * x[0];
  plot->y_log = y[0] > 0 && y[1] > CROWDED * y[0];
}

AppPlot *
app_variants_plot (const GPtrArray *variants,
                   NnResource       resource,
                   const NnPart    *part)
{
  AppPlot *plot = app_plot_new (_("Latency (cycles)"), app_resource_title (resource));
  AppPlotSeries *series = NULL;
  NnStrategy last = NN_STRATEGY_UNSET;
  guint n = 0;

  plot->x_zero = plot->y_zero = TRUE;
  choose_scales (plot, variants, resource);
  plot->empty = g_strdup (_("Estimating variants…"));
  for (guint i = 0; i < variants->len; i++)
    {
      const AppVariant *variant = g_ptr_array_index (variants, i);
      g_autofree char *title = app_variant_title (variant), *used = app_format_count (variant->resources.amount[resource]);
      g_autofree char *cycles = app_format_count (variant->latency);
      g_autofree char *tip = g_strdup_printf (variant->fits ? _("%s: %s %s, %s cycles") : _("%s: %s %s, %s cycles; does not fit"), title, used,
                                              app_resource_title (resource), cycles);

      if (series == NULL || variant->strategy != last)
        {
          series = app_plot_add_series (plot, nn_strategy_name (variant->strategy), n++);
          series->points = series->line = TRUE;
          last = variant->strategy;
        }
      app_plot_add_point (series, variant->latency, variant->resources.amount[resource], i, tip);
      g_array_index (series->data, AppPlotPoint, series->data->len - 1).hollow = !variant->fits;
    }
  if (part != NULL && part->total.amount[resource] > 0)
    {
      g_autofree char *label = g_strdup_printf (_("all of %s"), part->title);

      app_plot_add_rule (plot, FALSE, part->total.amount[resource], APP_INK (BAD), label)->limit = TRUE;
    }
  return plot;
}
