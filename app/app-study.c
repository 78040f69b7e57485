/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that differ in nothing but their seed. */

#include "app-study.h"

#include "app-axis.h"
#include "app-format.h"

#include <glib/gi18n.h>
#include <math.h>

/* Targets nearer than this are the same step: they are fractions that the schedule computes alike for every seed. */
#define SAME_TARGET 1e-6

const char *
app_measure_title (AppMeasure measure,
                   gboolean   is_classes)
{
  if (measure == APP_MEASURE_LATENCY)
    return _("Latency (cycles)");
  if (measure == APP_MEASURE_ACCURACY)
    return is_classes ? _("Accuracy (%)") : _("Mean squared error");
  if (measure == APP_MEASURE_BOPS)
    return _("Bit operations");
  if (measure == APP_MEASURE_ENERGY)
    return _("Energy (nJ)");
  return app_resource_title (app_measure_resource (measure));
}

NnResource
app_measure_resource (AppMeasure measure)
{
  switch (measure)
    {
    case APP_MEASURE_DSP: return NN_RESOURCE_DSP;
    case APP_MEASURE_BRAM: return NN_RESOURCE_BRAM;
    case APP_MEASURE_LUT: return NN_RESOURCE_LUT;
    case APP_MEASURE_FF: return NN_RESOURCE_FF;
    case APP_MEASURE_LATENCY:
    case APP_MEASURE_ACCURACY:
    case APP_MEASURE_BOPS:
    case APP_MEASURE_ENERGY:
    case APP_N_MEASURES:
    default: return NN_N_RESOURCES;
    }
}

double
app_measure_of (const NnStep *step,
                AppMeasure    measure)
{
  if (measure == APP_MEASURE_LATENCY)
    return step->latency;
  if (measure == APP_MEASURE_ACCURACY)
    return step->accuracy >= 0 ? step->accuracy * 100 : -step->accuracy;
  if (measure == APP_MEASURE_BOPS)
    return step->bops;
  if (measure == APP_MEASURE_ENERGY)
    return step->energy;
  return step->resources.amount[app_measure_resource (measure)];
}

char *
app_measure_text (double     value,
                  AppMeasure measure,
                  gboolean   is_classes)
{
  g_autofree char *count = NULL;

  if (measure == APP_MEASURE_ACCURACY)
    return app_format_accuracy (is_classes ? value / 100 : -value, TRUE);
  count = app_format_count (value);
  if (measure == APP_MEASURE_LATENCY)
    return g_strdup_printf (_("%s cycles"), count);
  if (measure == APP_MEASURE_BOPS)
    return g_strdup_printf (_("%s bit operations"), count);
  if (measure == APP_MEASURE_ENERGY)
    {
      g_autofree char *energy = app_number (value, 4);

      return g_strdup_printf (_("%s nJ"), energy);
    }
  return g_strdup_printf ("%s %s", count, app_resource_title (app_measure_resource (measure)));
}

static const AppRun *
run_at (const AppState *state,
        guint           i)
{
  return g_ptr_array_index (state->runs, i);
}

/* The same run made again is another study: how often it was made before @i. */
static guint
times_before (const AppState *state,
              guint           i)
{
  guint n = 0;

  for (guint k = 0; k < i; k++)
    n += run_at (state, k)->seed == run_at (state, i)->seed && g_str_equal (run_at (state, k)->study, run_at (state, i)->study);
  return n;
}

GArray *
app_study_members (const AppState *state,
                   guint           run)
{
  GArray *members = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < state->runs->len; i++)
    if (i == run || (g_str_equal (run_at (state, i)->study, run_at (state, run)->study)
                     && times_before (state, i) == times_before (state, run)))
      g_array_append_val (members, i);
  return members;
}

static gboolean
same_step (const NnStep *a,
           const NnStep *b)
{
  return a->kind == b->kind && a->accepted == b->accepted && fabs (a->target - b->target) < SAME_TARGET;
}

/* The step of @run that was tried for the same target, the last where there are several; -1 for none. */
static int
find_step (const AppRun *run,
           const NnStep *like)
{
  for (int s = (int) nn_trail_n_steps (run->trail) - 1; s >= 0; s--)
    if (same_step (nn_trail_step (run->trail, s), like))
      return s;
  return -1;
}

typedef struct { guint run, step; double accuracy; } Found;

static int
by_accuracy (gconstpointer a,
             gconstpointer b)
{
  double x = ((const Found *) a)->accuracy, y = ((const Found *) b)->accuracy;

  return x < y ? -1 : x > y;
}

static gboolean
gather (const AppState *state,
        const GArray   *members,
        const NnStep   *like,
        AppMeasure      x,
        AppMeasure      y,
        AppStudyPoint  *point)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Found));
  const NnStep *middle;
  const Found *median;

  *point = (AppStudyPoint) { .x_low = INFINITY, .x_high = -INFINITY, .y_low = INFINITY, .y_high = -INFINITY, .target = like->target };
  for (guint m = 0; m < members->len; m++)
    {
      guint r = g_array_index (members, guint, m);
      int s = find_step (run_at (state, r), like);
      const NnStep *step = s >= 0 ? nn_trail_step (run_at (state, r)->trail, s) : NULL;
      Found one = { r, MAX (s, 0), step != NULL ? step->accuracy : 0 };

      if (step == NULL || !isfinite (step->accuracy) || app_measure_of (step, x) < 0 || app_measure_of (step, y) < 0)
        continue;
      g_array_append_val (found, one);
      point->x_low = MIN (point->x_low, app_measure_of (step, x));
      point->x_high = MAX (point->x_high, app_measure_of (step, x));
      point->y_low = MIN (point->y_low, app_measure_of (step, y));
      point->y_high = MAX (point->y_high, app_measure_of (step, y));
    }
  if (found->len == 0)
    return FALSE;
  g_array_sort (found, by_accuracy);
  median = &g_array_index (found, Found, (found->len - 1) / 2);
  middle = nn_trail_step (run_at (state, median->run)->trail, median->step);
  point->run = median->run;
  point->step = median->step;
  point->n = found->len;
  point->x = app_measure_of (middle, x);
  point->y = app_measure_of (middle, y);
  point->accuracy_low = g_array_index (found, Found, 0).accuracy;
  point->accuracy_high = g_array_index (found, Found, found->len - 1).accuracy;
  return TRUE;
}

static int
by_target (gconstpointer a,
           gconstpointer b)
{
  double x = ((const AppStudyPoint *) a)->target, y = ((const AppStudyPoint *) b)->target;

  return x < y ? -1 : x > y;
}

/* Steps that were accepted, of every target that any of the runs came to. */
GArray *
app_study_points (const AppState *state,
                  const GArray   *members,
                  AppMeasure      x,
                  AppMeasure      y)
{
  GArray *points = g_array_new (FALSE, FALSE, sizeof (AppStudyPoint));

  for (guint m = 0; m < members->len; m++)
    {
      const NnTrail *trail = run_at (state, g_array_index (members, guint, m))->trail;

      for (guint s = 0; s < nn_trail_n_steps (trail); s++)
        {
          const NnStep *step = nn_trail_step (trail, s);
          gboolean seen = s > 0 && !step->accepted;
          AppStudyPoint point;

          for (guint p = 0; p < m && !seen; p++)
            seen = find_step (run_at (state, g_array_index (members, guint, p)), step) >= 0;
          for (guint p = s + 1; p < nn_trail_n_steps (trail) && !seen; p++)
            seen = same_step (nn_trail_step (trail, p), step);
          if (!seen && gather (state, members, step, x, y, &point))
            g_array_append_val (points, point);
        }
    }
  g_array_sort (points, by_target);
  return points;
}

gboolean
app_study_find (const AppState *state,
                guint           run,
                guint           step,
                AppStudyPoint  *point)
{
  g_autoptr (GArray) members = app_study_members (state, run);

  return members->len > 1 && step < nn_trail_n_steps (run_at (state, run)->trail)
         && gather (state, members, nn_trail_step (run_at (state, run)->trail, step), APP_MEASURE_DSP, APP_MEASURE_ACCURACY, point)
         && point->n > 1;
}

char *
app_study_title (const AppState *state,
                 guint           run,
                 guint          *ordinal)
{
  g_autoptr (GArray) own = app_study_members (state, run);
  guint n = 0;

  for (guint i = 0; i < g_array_index (own, guint, 0); i++)
    {
      g_autoptr (GArray) members = app_study_members (state, i);

      n += g_array_index (members, guint, 0) == i;
    }
  if (ordinal != NULL)
    *ordinal = n;
  return g_strdup_printf (_("Run %u"), n + 1);
}

char *
app_study_run_title (const AppState *state,
                     guint           run)
{
  g_autoptr (GArray) members = app_study_members (state, run);
  g_autofree char *title = app_study_title (state, run, NULL);
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, run_at (state, run)->seed);

  if (members->len < 2)
    return g_steal_pointer (&title);
  return g_strdup_printf (_("%s, seed %s"), title, seed);
}
