/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plot is of: series of points, and rules. */

#include "app-plot.h"

#include "app-axis.h"

static void
point_clear (AppPlotPoint *point)
{
  g_free (point->tip);
}

static void
series_free (AppPlotSeries *series)
{
  g_free (series->name);
  g_array_unref (series->data);
  g_free (series);
}

static void
rule_clear (AppPlotRule *rule)
{
  g_free (rule->label);
}

AppPlot *
app_plot_new (const char *x_title,
              const char *y_title)
{
  AppPlot *plot = g_new0 (AppPlot, 1);

  plot->x_title = g_strdup (x_title);
  plot->y_title = g_strdup (y_title);
  plot->series = g_ptr_array_new_with_free_func ((GDestroyNotify) series_free);
  plot->rules = g_array_new (FALSE, TRUE, sizeof (AppPlotRule));
  g_array_set_clear_func (plot->rules, (GDestroyNotify) rule_clear);
  return plot;
}

void
app_plot_free (AppPlot *plot)
{
  g_free (plot->x_title);
  g_free (plot->y_title);
  g_free (plot->empty);
  g_strfreev (plot->x_names);
  g_ptr_array_unref (plot->series);
  g_array_unref (plot->rules);
  g_free (plot);
}

AppPlotSeries *
app_plot_add_series (AppPlot    *plot,
                     const char *name,
                     guint       colour)
{
  AppPlotSeries *series = g_new0 (AppPlotSeries, 1);

  series->name = g_strdup (name);
  series->colour = colour;
  series->marker = colour % (APP_MARKER_TRIANGLE + 1);
  series->data = g_array_new (FALSE, TRUE, sizeof (AppPlotPoint));
  g_array_set_clear_func (series->data, (GDestroyNotify) point_clear);
  g_ptr_array_add (plot->series, series);
  return series;
}

void
app_plot_add_point (AppPlotSeries *series,
                    double         x,
                    double         y,
                    gint64         id,
                    const char    *tip)
{
  AppPlotPoint point = { .x = x, .y = y, .low = y, .high = y, .left = x, .right = x, .id = id, .tip = g_strdup (tip) };

  g_array_append_val (series->data, point);
}

AppPlotRule *
app_plot_add_rule (AppPlot    *plot,
                   gboolean    vertical,
                   double      at,
                   AppInk      ink,
                   const char *label)
{
  AppPlotRule rule = { .at = at, .vertical = vertical, .ink = ink, .label = g_strdup (label) };

  g_array_append_val (plot->rules, rule);
  return &g_array_index (plot->rules, AppPlotRule, plot->rules->len - 1);
}

static gboolean
has_ranges (const AppPlot *plot)
{
  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);

      for (guint i = 0; i < series->data->len; i++)
        if (g_array_index (series->data, AppPlotPoint, i).high > g_array_index (series->data, AppPlotPoint, i).low)
          return TRUE;
    }
  return FALSE;
}

AppTable *
app_plot_table (const AppPlot *plot)
{
  gboolean ranges = has_ranges (plot);
  AppTable *table = ranges ? app_table_new ("series", plot->x_title, plot->y_title, "lowest", "highest", "note", NULL)
                           : app_table_new ("series", plot->x_title, plot->y_title, "note", NULL);

  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);

      for (guint i = 0; i < series->data->len; i++)
        {
          const AppPlotPoint *p = &g_array_index (series->data, AppPlotPoint, i);
          gboolean named = plot->x_names != NULL && p->x >= 0 && p->x < g_strv_length (plot->x_names);

          char *x = named ? g_strdup (plot->x_names[(guint) p->x]) : app_number (p->x, 6), *y = app_number (p->y, 6);
          char *note = g_strdup (p->tip != NULL ? p->tip : "");

          if (ranges)
            app_table_take (table, p->id, g_strdup (series->name), x, y, app_number (p->low, 6), app_number (p->high, 6), note, NULL);
          else
            app_table_take (table, p->id, g_strdup (series->name), x, y, note, NULL);
        }
    }
  return table;
}
