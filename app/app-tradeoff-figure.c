/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps of runs → points over two axes; runs that differ in their seed alone with their median and range. */

#include "app-figures.h"

#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

typedef struct {
  AppPlot   *plot;
  AppMeasure x, y;
  gboolean   is_classes;
} Plotting;

static char *
step_tip (const Plotting *p,
          const NnStep   *step)
{
  g_autofree char *x = app_measure_text (app_measure_of (step, p->x), p->x, p->is_classes);
  g_autofree char *y = app_measure_text (app_measure_of (step, p->y), p->y, p->is_classes);

  if (step->index == 0)
    return g_strdup_printf (_("As loaded: %s, %s"), y, x);
  return g_strdup_printf (step->accepted ? _("Step %u: %s, %s") : _("Step %u, rejected: %s, %s"), step->index, y, x);
}

static void
add_step (const Plotting *p,
          AppPlotSeries  *series,
          const NnStep   *step,
          gint64          id)
{
  double x = app_measure_of (step, p->x), y = app_measure_of (step, p->y);
  g_autofree char *tip = step_tip (p, step);

  if (x < 0 || y < 0)
    return;
  app_plot_add_point (series, x, y, id, tip);
  g_array_index (series->data, AppPlotPoint, series->data->len - 1).hollow = !step->accepted && step->index > 0;
}

static void
add_run (const Plotting *p,
         const AppState *state,
         guint           run,
         guint           colour,
         gboolean        faint)
{
  const NnTrail *trail = ((const AppRun *) g_ptr_array_index (state->runs, run))->trail;
  g_autofree char *title = app_study_run_title (state, run);
  AppPlotSeries *series = app_plot_add_series (p->plot, title, colour);

  series->line = series->points = TRUE;
  series->faint = faint;
  for (guint s = 0; s < nn_trail_n_steps (trail); s++)
    add_step (p, series, nn_trail_step (trail, s), (gint64) run * APP_STEP_STRIDE + s);
}

static void
add_median (const Plotting *p,
            const AppState *state,
            const GArray   *members,
            guint           colour)
{
  g_autoptr (GArray) points = app_study_points (state, members, p->x, p->y);
  g_autofree char *study = app_study_title (state, g_array_index (members, guint, 0), NULL);
  g_autofree char *title = g_strdup_printf (_("%s, median and range of %u seeds"), study, members->len);
  AppPlotSeries *series = app_plot_add_series (p->plot, title, colour);

  series->line = series->points = TRUE;
  for (guint i = 0; i < points->len; i++)
    {
      const AppStudyPoint *point = &g_array_index (points, AppStudyPoint, i);
      g_autofree char *x = app_measure_text (point->x, p->x, p->is_classes), *y = app_measure_text (point->y, p->y, p->is_classes);
      g_autofree char *low = app_measure_text (point->y_low, p->y, p->is_classes);
      g_autofree char *high = app_measure_text (point->y_high, p->y, p->is_classes);
      g_autofree char *tip = g_strdup_printf (_("Median of %u seeds: %s (%s to %s), %s"), point->n, y, low, high, x);
      AppPlotPoint *added;

      app_plot_add_point (series, point->x, point->y, (gint64) point->run * APP_STEP_STRIDE + point->step, tip);
      added = &g_array_index (series->data, AppPlotPoint, series->data->len - 1);
      added->low = point->y_low;
      added->high = point->y_high;
      added->left = point->x_low;
      added->right = point->x_high;
    }
}

/* The runs in progress: one series for each seed. */
static void
add_live (const Plotting *p,
          GPtrArray      *live,
          guint           n_runs,
          guint           colour)
{
  AppPlotSeries *series = NULL;
  guint trial = G_MAXUINT, last = live->len > 0 ? ((AppStepItem *) g_ptr_array_index (live, live->len - 1))->trial : 0;

  for (guint s = 0; s < live->len; s++)
    {
      const AppStepItem *item = g_ptr_array_index (live, s);

      if (item->trial != trial)
        {
          series = app_plot_add_series (p->plot, _("Running"), colour);
          series->line = series->points = TRUE;
          series->faint = item->trial != last;
          trial = item->trial;
        }
      add_step (p, series, &item->step, (gint64) n_runs * APP_STEP_STRIDE + s);
    }
}

static void
add_tolerance (const Plotting *p,
               const NnStep   *base,
               double          tolerance)
{
  double at = app_measure_of (base, APP_MEASURE_ACCURACY);
  double to = p->is_classes ? at * (1 - tolerance) : at * (1 + tolerance);
  gboolean vertical = p->x == APP_MEASURE_ACCURACY;
  g_autofree char *amount = app_format_percent (tolerance, 1);
  g_autofree char *label = g_strdup_printf (_("tolerance %s"), amount);
  AppPlotRule *rule;

  if (p->x != APP_MEASURE_ACCURACY && p->y != APP_MEASURE_ACCURACY)
    return;
  rule = app_plot_add_rule (p->plot, vertical, to, APP_INK (WARN), label);
  rule->band = !vertical;
  rule->to = at;
  app_plot_add_rule (p->plot, vertical, at, APP_INK (GOOD), _("as loaded"));
}

static void
add_device (const Plotting    *p,
            const AppAnalysis *analysis)
{
  const AppMeasure measures[] = { p->x, p->y };

  for (guint i = 0; i < G_N_ELEMENTS (measures); i++)
    {
      NnResource resource = app_measure_resource (measures[i]);
      double all = resource != NN_N_RESOURCES && analysis != NULL && analysis->part != NULL ? analysis->part->total.amount[resource] : -1;
      g_autofree char *label = NULL;

      if (all <= 0)
        continue;
      label = g_strdup_printf (_("all of %s"), analysis->part->title);
      app_plot_add_rule (p->plot, i == 0, all, APP_INK (BAD), label)->limit = TRUE;
    }
}

AppPlot *
app_figures_tradeoff (AppDocument *document,
                      AppMeasure   x,
                      AppMeasure   y)
{
  const AppState *state = app_document_state (document);
  GPtrArray *live = app_document_live (document);
  const AppRun *last = state->runs->len > 0 ? g_ptr_array_index (state->runs, state->runs->len - 1) : NULL;
  const NnStep *base = live->len > 0 ? &((AppStepItem *) g_ptr_array_index (live, 0))->step : last != NULL ? nn_trail_step (last->trail, 0) : NULL;
  gboolean is_classes = base == NULL || base->accuracy >= 0;
  Plotting p = { app_plot_new (app_measure_title (x, is_classes), app_measure_title (y, is_classes)), x, y, is_classes };
  guint n_studies = 0;

  p.plot->x_zero = x != APP_MEASURE_ACCURACY;
  p.plot->y_zero = y != APP_MEASURE_ACCURACY;
  p.plot->empty = g_strdup (_("Press Optimize: every step appears here as it finishes."));
  for (guint r = 0; r < state->runs->len; r++)
    {
      g_autoptr (GArray) members = app_study_members (state, r);
      guint colour;
      g_autofree char *title = app_study_title (state, r, &colour);

      add_run (&p, state, r, colour, members->len > 1);
      if (members->len > 1 && g_array_index (members, guint, members->len - 1) == r)
        add_median (&p, state, members, colour);
      n_studies = MAX (n_studies, colour + 1);
    }
  add_live (&p, live, state->runs->len, n_studies);
  if (base != NULL)
    add_tolerance (&p, base, live->len > 0 || last == NULL ? app_document_choices (document)->tolerance : last->tolerance);
  add_device (&p, app_document_analysis (document));
  return p.plot;
}
