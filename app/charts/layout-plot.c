/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points, lines and bars over two axes: data → marks. */

#include "layout-plot.h"

#include "app-axis.h"
#include "paint-scene.h"

#include <math.h>
#include <string.h>

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
  AppPlotPoint point = { .x = x, .y = y, .low = y, .high = y, .id = id, .tip = g_strdup (tip) };

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

/* Where everything stands. */
typedef struct {
  AppAxis x, y;
  double  left, top, right, bottom;
  gboolean rtl;
  double  width;
} Frame;

static double
px (const Frame *frame,
    double       x)
{
  return frame->left + app_axis_at (&frame->x, x) * (frame->right - frame->left);
}

static double
py (const Frame *frame,
    double       y)
{
  return frame->bottom - app_axis_at (&frame->y, y) * (frame->bottom - frame->top);
}

static void
widen (double  value,
       double *min,
       double *max)
{
  if (!isfinite (value))
    return;
  *min = MIN (*min, value);
  *max = MAX (*max, value);
}

static void
find_range (const AppPlot *plot,
            double         x[2],
            double         y[2])
{
  x[0] = y[0] = INFINITY;
  x[1] = y[1] = -INFINITY;
  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);

      for (guint i = 0; i < series->data->len; i++)
        {
          const AppPlotPoint *point = &g_array_index (series->data, AppPlotPoint, i);
          double half = series->bars ? series->bar_width / 2 : 0;

          widen (point->x - half, &x[0], &x[1]);
          widen (point->x + half, &x[0], &x[1]);
          widen (point->low, &y[0], &y[1]);
          widen (point->high, &y[0], &y[1]);
        }
    }
  for (guint i = 0; i < plot->rules->len; i++)
    {
      const AppPlotRule *rule = &g_array_index (plot->rules, AppPlotRule, i);

      /* A far limit of the device would squeeze everything else: it is drawn only where it lies within reach. */
      if (!rule->vertical)
        widen (rule->at, &y[0], &y[1]);
      else if (rule->at <= 1.5 * x[1])
        widen (rule->at, &x[0], &x[1]);
    }
  if (plot->x_zero && !plot->x_log)
    widen (0, &x[0], &x[1]);
  if (plot->y_zero && !plot->y_log)
    widen (0, &y[0], &y[1]);
}

/* Lays the axes; room on the left follows the widest label. */
static void
frame_init (Frame         *frame,
            const AppPlot *plot,
            const AppView *view)
{
  double x[2], y[2], widest = 0, small = view->text * 0.88;
  double legend = plot->series->len > 1 ? view->text * 1.9 : view->text * 0.6;

  find_range (plot, x, y);
  frame->rtl = view->rtl;
  frame->width = view->width;
  frame->top = legend + view->text * 0.6;
  frame->bottom = view->height - view->text * 3.4;
  app_axis_init (&frame->y, y[0], y[1], CLAMP ((frame->bottom - frame->top) / (view->text * 4), 2, 8), plot->y_log);
  for (guint i = 0; i < frame->y.n_ticks; i++)
    {
      g_autofree char *label = app_axis_label (&frame->y, frame->y.tick[i]);

      widest = MAX (widest, paint_text_width (label, small, FALSE));
    }
  frame->left = widest + view->text * 2.6;
  frame->right = view->width - view->text * 1.4;
  app_axis_init (&frame->x, x[0], x[1], CLAMP ((frame->right - frame->left) / (view->text * 7), 2, 9), plot->x_log);
  if (plot->x_names != NULL)
    {
      frame->x.min = -0.6;
      frame->x.max = g_strv_length (plot->x_names) - 0.4;
    }
}

static void
add_axes (AppScene      *scene,
          const AppPlot *plot,
          const Frame   *frame,
          const AppView *view)
{
  double small = view->text * 0.88;

  for (guint i = 0; i < frame->y.n_ticks; i++)
    {
      g_autofree char *label = app_axis_label (&frame->y, frame->y.tick[i]);
      double y = round (py (frame, frame->y.tick[i])) + 0.5;

      app_scene_segment (scene, APP_INK (RULE), frame->left, y, frame->right, y);
      app_scene_text (scene, label, frame->left - view->text * 0.5, y, small, 1, APP_INK (DIM));
    }
  for (guint i = 0; plot->x_names == NULL && i < frame->x.n_ticks; i++)
    {
      g_autofree char *label = app_axis_label (&frame->x, frame->x.tick[i]);
      double x = round (px (frame, frame->x.tick[i])) + 0.5;

      app_scene_segment (scene, (AppInk) { .role = APP_INK_RULE, .alpha = 0.6f }, x, frame->top, x, frame->bottom + 4);
      app_scene_text (scene, label, x, frame->bottom + view->text * 1.1, small, 0.5, APP_INK (DIM));
    }
  for (guint i = 0; plot->x_names != NULL && plot->x_names[i] != NULL; i++)
    app_scene_text (scene, plot->x_names[i], px (frame, i), frame->bottom + view->text * 1.1, small, 0.5, APP_INK (DIM))
      ->w = MAX (24, (frame->right - frame->left) / g_strv_length (plot->x_names) - 4);
  app_scene_segment (scene, APP_INK (DIM), frame->left, frame->bottom + 0.5, frame->right, frame->bottom + 0.5);
  app_scene_text (scene, plot->x_title, (frame->left + frame->right) / 2, view->height - view->text * 0.9, view->text, 0.5,
                  APP_INK (TEXT));
  app_scene_text (scene, plot->y_title, view->text * 0.9, (frame->top + frame->bottom) / 2, view->text, 0.5, APP_INK (TEXT))
    ->upright = TRUE;
}

static void
add_rules (AppScene      *scene,
           const AppPlot *plot,
           const Frame   *frame,
           const AppView *view)
{
  for (guint i = 0; i < plot->rules->len; i++)
    {
      const AppPlotRule *rule = &g_array_index (plot->rules, AppPlotRule, i);
      double at = rule->vertical ? px (frame, rule->at) : py (frame, rule->at);
      AppMark *mark;

      if (at < (rule->vertical ? frame->left : frame->top) - 1 || at > (rule->vertical ? frame->right : frame->bottom) + 1)
        continue;
      if (rule->band)
        {
          double to = py (frame, rule->to);
          AppInk ink = rule->ink;

          ink.alpha = 0.12f;
          app_scene_rect (scene, -1, frame->left, MIN (at, to), frame->right - frame->left, fabs (to - at), ink);
        }
      mark = rule->vertical ? app_scene_segment (scene, rule->ink, at, frame->top, at, frame->bottom)
                            : app_scene_segment (scene, rule->ink, frame->left, at, frame->right, at);
      mark->dashed = TRUE;
      mark->line_width = 1.5;
      if (rule->vertical)
        app_scene_text (scene, rule->label, at + 5, frame->top + view->text * 0.7, view->text * 0.88, 0, rule->ink);
      else
        app_scene_text (scene, rule->label, frame->right - 4, at - view->text * 0.75, view->text * 0.88, 1, rule->ink);
    }
}

static void
add_bars (AppScene            *scene,
          const AppPlotSeries *series,
          const Frame         *frame)
{
  for (guint i = 0; i < series->data->len; i++)
    {
      const AppPlotPoint *p = &g_array_index (series->data, AppPlotPoint, i);
      double x0 = px (frame, p->x - series->bar_width / 2), x1 = px (frame, p->x + series->bar_width / 2);
      double y = py (frame, p->y);
      double gap = x1 - x0 > 6 ? 1 : 0;
      AppMark *mark = app_scene_rect (scene, p->id, x0 + gap, y, MAX (x1 - x0 - 2 * gap, 0.5), frame->bottom - y,
                                      (AppInk) { .role = APP_INK_SERIES, .t = series->colour, .alpha = 0.85f });

      mark->hatch = p->hollow || series->colour % 2 == 1;
      if (p->tip != NULL)
        app_scene_tip (scene, mark, p->tip);
    }
}

static void
add_line (AppScene            *scene,
          const AppPlotSeries *series,
          const Frame         *frame)
{
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (AppPoint));
  AppInk ink = { .role = APP_INK_SERIES, .t = series->colour, .alpha = series->points ? 0.7f : 1 };

  for (guint i = 0; i < series->data->len; i++)
    {
      const AppPlotPoint *p = &g_array_index (series->data, AppPlotPoint, i);
      AppPoint point = { px (frame, p->x), py (frame, p->y) };

      if (p->hollow || !isfinite (p->y))
        continue;
      if (series->steps && points->len > 0)
        {
          AppPoint corner = { point.x, g_array_index (points, AppPoint, points->len - 1).y };

          g_array_append_val (points, corner);
        }
      g_array_append_val (points, point);
    }
  if (points->len > 1)
    app_scene_line (scene, ink, 2, (AppPoint *) points->data, points->len)->dashed = series->dashed;
}

static void
add_points (AppScene            *scene,
            const AppPlotSeries *series,
            const Frame         *frame)
{
  AppInk ink = { .role = APP_INK_SERIES, .t = series->colour };

  for (guint i = 0; i < series->data->len; i++)
    {
      const AppPlotPoint *p = &g_array_index (series->data, AppPlotPoint, i);
      double x = px (frame, p->x), y = py (frame, p->y);
      AppMark *mark;

      if (!isfinite (p->y))
        continue;
      if (p->high > p->low)
        app_scene_segment (scene, ink, x, py (frame, p->low), x, py (frame, p->high))->line_width = 1.5;
      mark = app_scene_point (scene, p->id, x, y, p->hollow ? 8 : 11, ink);
      mark->marker = p->hollow ? APP_MARKER_CROSS : series->marker;
      if (p->tip != NULL)
        app_scene_tip (scene, mark, p->tip);
    }
}

static void
add_legend (AppScene      *scene,
            const AppPlot *plot,
            const Frame   *frame,
            const AppView *view)
{
  double x = frame->left, y = view->text * 0.9, size = view->text * 0.92;

  for (guint s = 0; plot->series->len > 1 && s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);
      AppInk ink = { .role = APP_INK_SERIES, .t = series->colour };
      double w = paint_text_width (series->name, size, FALSE);

      if (x + w + 30 > view->width || series->data->len == 0)
        continue;
      if (series->line || series->steps)
        {
          AppMark *mark = app_scene_segment (scene, ink, x, y, x + 20, y);

          mark->line_width = 2;
          mark->dashed = series->dashed;
        }
      if (series->points)
        app_scene_point (scene, -1, x + 10, y, 9, ink)->marker = series->marker;
      if (series->bars)
        app_scene_rect (scene, -1, x + 3, y - 6, 14, 12, ink)->hatch = series->colour % 2 == 1;
      app_scene_text (scene, series->name, x + 26, y, size, 0, APP_INK (TEXT));
      x += w + 26 + view->text * 1.6;
    }
}

static gboolean
is_empty (const AppPlot *plot)
{
  for (guint s = 0; s < plot->series->len; s++)
    if (((AppPlotSeries *) g_ptr_array_index (plot->series, s))->data->len > 0)
      return FALSE;
  return TRUE;
}

AppScene *
app_plot_layout (const AppPlot *plot,
                 const AppView *view)
{
  AppScene *scene = app_scene_new (view);
  Frame frame;

  if (is_empty (plot))
    {
      app_scene_text (scene, plot->empty != NULL ? plot->empty : "–", view->width / 2, view->height / 2, view->text * 1.1, 0.5,
                      APP_INK (DIM))->w = view->width * 0.9;
      return scene;
    }
  frame_init (&frame, plot, view);
  if (frame.right - frame.left < 20 || frame.bottom - frame.top < 20)
    return scene;
  add_axes (scene, plot, &frame, view);
  add_rules (scene, plot, &frame, view);
  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);

      if (series->bars)
        add_bars (scene, series, &frame);
      if (series->line || series->steps)
        add_line (scene, series, &frame);
    }
  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);

      if (series->points)
        add_points (scene, series, &frame);
    }
  add_legend (scene, plot, &frame, view);
  return scene;
}

double
app_plot_x_at (const AppPlot *plot,
               const AppView *view,
               double         x)
{
  Frame frame;

  if (is_empty (plot))
    return NAN;
  frame_init (&frame, plot, view);
  return app_axis_value (&frame.x, CLAMP ((x - frame.left) / (frame.right - frame.left), 0, 1));
}

AppTable *
app_plot_table (const AppPlot *plot)
{
  AppTable *table = app_table_new ("series", plot->x_title, plot->y_title, "note", NULL);

  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);

      for (guint i = 0; i < series->data->len; i++)
        {
          const AppPlotPoint *p = &g_array_index (series->data, AppPlotPoint, i);
          gboolean named = plot->x_names != NULL && p->x >= 0 && p->x < g_strv_length (plot->x_names);

          app_table_take (table, p->id, g_strdup (series->name),
                          named ? g_strdup (plot->x_names[(guint) p->x]) : app_number (p->x, 6), app_number (p->y, 6),
                          g_strdup (p->tip != NULL ? p->tip : ""), NULL);
        }
    }
  return table;
}
