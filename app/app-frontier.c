/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certified frontier. */

#include "app-frontier.h"

#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_POINTS 40

typedef struct {
  AppAnalysis *analysis;
  NnResource   resource;
} Input;

static void
input_free (Input *input)
{
  app_analysis_unref (input->analysis);
  g_free (input);
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  gboolean listed = input->resource == NN_RESOURCE_DSP || input->resource == NN_RESOURCE_BRAM;
  g_autoptr (NnGroups) own = NULL;

  if (input->analysis->groups == NULL)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, _("This network has no groups that could be pruned."));
      return NULL;
    }
  /* logic is shared out among groups only where it is asked for */
  if (!listed && (own = app_analysis_make_groups (input->analysis, 1u << input->resource, error)) == NULL)
    return NULL;
  return nn_frontier (listed ? input->analysis->groups : own, 1u << input->resource, N_POINTS, cancellable, error);
}

AppJob *
app_frontier_job (AppAnalysis *analysis,
                  NnResource   resource)
{
  Input *input = g_new0 (Input, 1);

  input->analysis = app_analysis_ref (analysis);
  input->resource = resource;
  return app_job_new (_("Frontier"), work, input, (GDestroyNotify) input_free, (GDestroyNotify) g_array_unref);
}

static double
largest (const GArray *points)
{
  double max = 0;

  for (guint i = 0; points != NULL && i < points->len; i++)
    max = MAX (max, g_array_index (points, NnFrontierPoint, i).value);
  return max > 0 ? max : 1;
}

AppPlot *
app_frontier_plot (const GArray *points,
                   NnResource    resource)
{
  AppPlot *plot = app_plot_new (app_resource_title (resource), _("Importance kept (%)"));
  AppPlotSeries *kept = app_plot_add_series (plot, _("best selection"), 0), *bound = app_plot_add_series (plot, _("upper bound"), 1);
  double all = largest (points);

  plot->empty = g_strdup (points != NULL ? _("Nothing here can be pruned.") : _("Computing the frontier…"));
  plot->x_zero = plot->y_zero = TRUE;
  kept->line = kept->points = bound->line = bound->dashed = TRUE;
  for (guint i = 0; points != NULL && i < points->len; i++)
    {
      const NnFrontierPoint *point = &g_array_index (points, NnFrontierPoint, i);
      double budget = point->budget.amount[resource];
      g_autofree char *tip = app_frontier_say (points, resource, budget);

      app_plot_add_point (kept, budget, point->value / all * 100, i, tip);
      app_plot_add_point (bound, budget, point->bound / all * 100, -1, NULL);
    }
  return plot;
}

char *
app_frontier_say (const GArray *points,
                  NnResource    resource,
                  double        budget)
{
  const NnFrontierPoint *best = NULL;
  g_autofree char *count = NULL, *kept = NULL, *gap = NULL, *price = NULL;

  for (guint i = 0; points != NULL && i < points->len; i++)
    {
      const NnFrontierPoint *point = &g_array_index (points, NnFrontierPoint, i);

      if (point->budget.amount[resource] <= budget * 1.000001
          && (best == NULL || point->budget.amount[resource] > best->budget.amount[resource]))
        best = point;
    }
  if (best == NULL)
    return g_strdup ("");
  count = app_format_count (round (best->budget.amount[resource]));
  kept = app_format_percent (best->value / largest (points), 1);
  gap = app_format_percent (best->gap, 4);
  price = app_format_percent (best->price[resource] / largest (points), 4);
  return g_strdup_printf (_("%s %s keep %s of the importance, at most %s from the best possible; one more buys %s"), count,
                          app_resource_title (resource), kept, gap, price);
}
