/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Document → what charts show. */

#include "app-figures.h"

#include "app-axis.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

const char *
app_metric_title (AppMetric metric)
{
  switch (metric)
    {
    case APP_METRIC_NONE: return _("No colour");
    case APP_METRIC_DSP: return "DSP";
    case APP_METRIC_BRAM: return "BRAM";
    case APP_METRIC_LUT: return "LUT";
    case APP_METRIC_FF: return "FF";
    case APP_METRIC_LATENCY: return _("Latency");
    case APP_METRIC_SPARSITY: return _("Sparsity");
    case APP_METRIC_PARAMETERS: return _("Parameters");
    case APP_METRIC_ERROR: return _("Error");
    case APP_N_METRICS:
    default: return "?";
    }
}

double
app_figures_value (const AppAnalysis *analysis,
                   guint              layer,
                   AppMetric          metric)
{
  const AppLayer *l = &analysis->layers[layer];

  switch (metric)
    {
    case APP_METRIC_DSP: return analysis->estimate != NULL ? l->resource.amount[NN_RESOURCE_DSP] : NAN;
    case APP_METRIC_BRAM: return analysis->estimate != NULL ? l->resource.amount[NN_RESOURCE_BRAM] : NAN;
    case APP_METRIC_LUT: return analysis->estimate != NULL ? l->resource.amount[NN_RESOURCE_LUT] : NAN;
    case APP_METRIC_FF: return analysis->estimate != NULL ? l->resource.amount[NN_RESOURCE_FF] : NAN;
    case APP_METRIC_LATENCY: return analysis->estimate != NULL ? l->latency : NAN;
    case APP_METRIC_SPARSITY: return l->parameters > 0 ? (double) l->zeros / l->parameters : NAN;
    case APP_METRIC_PARAMETERS: return l->parameters;
    case APP_METRIC_NONE:
    case APP_METRIC_ERROR:
    case APP_N_METRICS:
    default: return NAN;
    }
}

char *
app_figures_value_text (double    value,
                        AppMetric metric)
{
  g_autofree char *count = NULL;

  if (metric == APP_METRIC_SPARSITY || metric == APP_METRIC_ERROR)
    return app_format_percent (value, metric == APP_METRIC_ERROR ? 2 : 1);
  count = app_format_count (value);
  if (metric == APP_METRIC_LATENCY)
    return g_strdup_printf (_("%s cycles"), count);
  return metric == APP_METRIC_PARAMETERS || metric == APP_METRIC_NONE ? g_steal_pointer (&count)
                                                                      : g_strdup_printf ("%s %s", count, app_metric_title (metric));
}

/* "RF 4 · 256 multipliers · 16 bit", or what there is instead. */
static char *
hardware_line (const AppAnalysis *analysis,
               guint              i)
{
  const AppLayer *layer = analysis != NULL && i < analysis->n_layers ? &analysis->layers[i] : NULL;
  const NnLayerPlan *plan;
  g_autofree char *type = NULL, *kept = NULL;

  if (layer == NULL || analysis->design == NULL)
    return g_strdup ("");
  if (layer->main < 0)
    return layer->n_parts > 0 ? g_strdup ("") : g_strdup (_("no hardware of its own"));
  plan = nn_design_plan (analysis->design, layer->main);
  type = nn_type_to_string (&plan->weight);
  if (plan->block_factor == 0)
    return g_steal_pointer (&type);
  if (layer->n_groups > 0 && layer->n_kept < layer->n_groups)
    kept = g_strdup_printf (_("RF %u · %zu of %zu groups · %s"), plan->reuse_factor, layer->n_kept, layer->n_groups, type);
  else
    kept = g_strdup_printf (_("RF %u · %u multipliers · %s"), plan->reuse_factor, plan->block_factor, type);
  return g_steal_pointer (&kept);
}

static gboolean
matches (const NnNode *node,
         const char   *search)
{
  g_autofree char *needle = NULL, *name = NULL, *kind = NULL;

  if (search == NULL || *search == '\0')
    return TRUE;
  needle = g_utf8_casefold (search, -1);
  name = g_utf8_casefold (node->name, -1);
  kind = g_utf8_casefold (node->class_name, -1);
  return strstr (name, needle) != NULL || strstr (kind, needle) != NULL;
}

static gboolean
differs (const AppAnalysis *a,
         const AppAnalysis *b,
         guint              i)
{
  return a != NULL && b != NULL && a != b && i < a->n_layers && i < b->n_layers
         && (a->layers[i].zeros != b->layers[i].zeros
             || a->layers[i].resource.amount[NN_RESOURCE_DSP] != b->layers[i].resource.amount[NN_RESOURCE_DSP]);
}

static double
value_of (const AppAnalysis *analysis,
          const AppErrors   *errors,
          guint              i,
          AppMetric          metric)
{
  if (metric == APP_METRIC_ERROR)
    return errors != NULL && i < errors->n_layers ? errors->layers[i] : NAN;
  return analysis != NULL && i < analysis->n_layers ? app_figures_value (analysis, i, metric) : NAN;
}

static void
fill_node (AppNetworkNode    *card,
           const NnNode      *node,
           guint              i,
           const AppAnalysis *analysis,
           const AppAnalysis *base,
           const AppErrors   *errors,
           AppMetric          metric,
           double             max)
{
  g_autofree char *shape = app_format_shape (&node->shape);
  double value = value_of (analysis, errors, i, metric);

  card->name = g_strdup (node->name);
  card->detail = node->attrs.act != NN_ACT_LINEAR && node->op != NN_OP_ACTIVATION
                   ? g_strdup_printf ("%s + %s · %s", node->class_name, nn_act_name (node->attrs.act), shape)
                   : g_strdup_printf ("%s · %s", node->class_name, shape);
  card->figure = hardware_line (analysis, i);
  card->metric = isfinite (value) && value > 0 ? value / max : NAN;
  card->metric_text = app_figures_value_text (value, metric);
  if (base != NULL && differs (analysis, base, i) && isfinite (value))
    {
      double before = app_figures_value (base, i, metric);
      g_autofree char *was = app_figures_value_text (before, APP_METRIC_NONE);
      char *text = metric == APP_METRIC_SPARSITY || metric == APP_METRIC_ERROR ? g_strdup (card->metric_text) : g_strdup_printf ("%s → %s", was, card->metric_text);

      g_free (card->metric_text);
      card->metric_text = text;
      card->changed = TRUE;
    }
  card->problem = node->op == NN_OP_UNSUPPORTED ? g_strdup (node->reason != NULL ? node->reason : _("not supported")) : NULL;
  card->n_inputs = node->n_inputs;
  card->inputs = g_memdup2 (node->inputs, node->n_inputs * sizeof (guint));
}

AppNetwork *
app_figures_network (AppDocument *document,
                     AppMetric    metric,
                     const char  *search,
                     gboolean     compare)
{
  NnModel *model = app_document_shown (document);
  const AppAnalysis *analysis = app_document_analysis (document);
  const AppAnalysis *base = compare ? app_document_baseline (document) : NULL;
  const AppErrors *errors = app_document_errors (document);
  const NnGraph *graph;
  AppNetwork *network;
  double max = 0;

  if (model == NULL)
    return NULL;
  graph = nn_model_graph (model);
  network = app_network_new (nn_graph_n_nodes (graph));
  for (guint i = 0; analysis != NULL && i < analysis->n_layers; i++)
    {
      double value = value_of (base != NULL ? base : analysis, errors, i, metric);

      if (isfinite (value))
        max = MAX (max, value);
    }
  if (metric == APP_METRIC_SPARSITY || max <= 0)
    max = 1;
  for (guint i = 0; i < network->n_nodes; i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      fill_node (&network->nodes[i], node, i, analysis, base, errors, metric, max);
      network->nodes[i].dimmed = !matches (node, search);
    }
  if (base != NULL)
    network->changed_title = g_strdup (_("changed"));
  if (metric != APP_METRIC_NONE)
    {
      network->metric_title = g_strdup (app_metric_title (metric));
      network->metric_max = metric == APP_METRIC_SPARSITY ? app_format_percent (1, 0)
                            : metric == APP_METRIC_ERROR ? app_format_percent (max, 2) : app_format_count (max);
    }
  app_network_arrange (network);
  return network;
}

static const HlsReport *
last_report (AppDocument *document)
{
  GPtrArray *reports = app_document_reports (document);

  return reports->len > 0 ? g_ptr_array_index (reports, reports->len - 1) : NULL;
}

AppBars *
app_figures_device (AppDocument *document)
{
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  const HlsReport *report = last_report (document);
  gboolean both = base != NULL && base != analysis && base->estimate != NULL;
  AppBars *bars;

  if (analysis == NULL || analysis->estimate == NULL)
    return NULL;
  bars = report != NULL && both ? app_bars_new (_("Estimate"), _("As loaded"), _("Measured"), NULL)
         : report != NULL ? app_bars_new (_("Estimate"), _("Measured"), NULL) : both ? app_bars_new (_("Estimate"), _("As loaded"), NULL) : app_bars_new (_("Estimate"), NULL);
  bars->own_scale = TRUE;
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    {
      const NnFigure *figure = &analysis->estimate->total.resource[r];
      double limit = analysis->part != NULL ? analysis->part->total.amount[r] : -1;
      g_autofree char *count = app_format_count (figure->value);
      g_autofree char *share = limit > 0 ? app_format_percent (figure->value / limit, 1) : NULL;
      g_autofree char *text = share != NULL ? g_strdup_printf ("%s (%s)", count, share) : g_strdup (count);
      g_autofree char *all = app_format_count (limit);
      AppBarRow *row;

      if (figure->value < 0 || (r == NN_RESOURCE_URAM && figure->value == 0))
        continue;
      row = app_bars_add (bars, app_resource_title (r), MAX (limit, 0), all);
      app_bars_set (row, 0, figure->value, figure->low, figure->high, text);
      if (both)
        {
          g_autofree char *was = app_format_count (base->estimate->total.resource[r].value);

          app_bars_set (row, 1, base->estimate->total.resource[r].value, 0, 0, was);
        }
      if (report != NULL && report->resources.amount[r] >= 0)
        {
          g_autofree char *measured = app_format_count (report->resources.amount[r]);

          app_bars_set (row, both ? 2 : 1, report->resources.amount[r], 0, 0, measured);
        }
    }
  return bars;
}

/* What a report says of layer @i of the network: the sum of what has become of it in hardware; NaN where it does not say. */
double
app_figures_measured (const AppAnalysis *analysis,
                      const HlsReport   *report,
                      guint              i,
                      AppMetric          metric)
{
  static const int resources[APP_N_METRICS] = {
    [APP_METRIC_DSP] = 1 + NN_RESOURCE_DSP, [APP_METRIC_BRAM] = 1 + NN_RESOURCE_BRAM, [APP_METRIC_LUT] = 1 + NN_RESOURCE_LUT,
    [APP_METRIC_FF] = 1 + NN_RESOURCE_FF,
  };
  const char *name = nn_graph_node (nn_model_graph (analysis->model), i)->name;
  const NnGraph *graph = analysis->design != NULL ? nn_model_graph (nn_design_model (analysis->design)) : NULL;
  double sum = NAN;

  if (report == NULL || graph == NULL || (resources[metric] == 0 && metric != APP_METRIC_LATENCY))
    return NAN;
  for (guint k = 0; k < nn_graph_n_nodes (graph); k++)
    {
      const NnNode *node = nn_graph_node (graph, k);
      const HlsModule *module = g_strcmp0 (node->origin != NULL ? node->origin : node->name, name) == 0 ? hls_report_node (report, graph, k) : NULL;
      double value = module == NULL ? NAN : metric == APP_METRIC_LATENCY ? module->latency_max : module->resources.amount[resources[metric] - 1];

      if (value >= 0)
        sum = isnan (sum) ? value : sum + value;
    }
  return sum;
}

/* One bar of a row, with its number. */
static void
set_bar (AppBarRow *row,
         guint      series,
         double     value,
         AppMetric  metric)
{
  g_autofree char *text = app_figures_value_text (value, metric);

  app_bars_set (row, series, value, 0, 0, text);
}

/* The last report with figures of single layers. */
static const HlsReport *
layered_report (AppDocument *document)
{
  GPtrArray *reports = app_document_reports (document);

  for (guint i = reports->len; i > 0; i--)
    if (((const HlsReport *) g_ptr_array_index (reports, i - 1))->n_modules > 0)
      return g_ptr_array_index (reports, i - 1);
  return NULL;
}

AppBars *
app_figures_layers (AppDocument *document,
                    AppMetric    metric)
{
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  const HlsReport *report = layered_report (document);
  gboolean both = base != NULL && base != analysis;
  AppBars *bars;

  if (analysis == NULL)
    return NULL;
  if (report != NULL)
    bars = both ? app_bars_new (_("Now"), _("As loaded"), _("Measured"), NULL) : app_bars_new (_("Estimate"), _("Measured"), NULL);
  else
    bars = both ? app_bars_new (_("Now"), _("As loaded"), NULL) : app_bars_new (app_metric_title (metric), NULL);
  for (guint i = 0; i < analysis->n_layers; i++)
    {
      double value = value_of (analysis, app_document_errors (document), i, metric);
      double measured = app_figures_measured (analysis, report, i, metric);
      AppBarRow *row;

      if (!isfinite (value) || (value <= 0 && analysis->layers[i].parameters == 0 && !(measured > 0)))
        continue;
      row = app_bars_add (bars, nn_graph_node (nn_model_graph (analysis->model), i)->name, 0, NULL);
      set_bar (row, 0, value, metric);
      if (both)
        set_bar (row, 1, app_figures_value (base, i, metric), metric);
      if (isfinite (measured))
        set_bar (row, both ? 2 : 1, measured, metric);
    }
  return bars;
}
