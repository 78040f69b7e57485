/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points, lines and bars over two axes: data → marks. */

#include "layout-plot.h"

#include "app-axis.h"
#include "app-legend.h"
#include "paint-scene.h"

#include <math.h>

/* Of what is said where there is nothing to be drawn. */
#define MOST_LINES 4
/* Of the size of text, before the axes are laid, for where rows of the legend end. */
#define LEGEND_LEFT 3.2
#define SWATCH      20 /* as wide as a piece of line is read */

static gboolean
in_legend (const AppPlotSeries *series)
{
  return !series->faint && series->data->len > 0;
}

/* %FALSE where there is none: one series alone is what the title says. */
static gboolean
begin_legend (const AppPlot *plot,
              const AppView *view,
              double         left,
              AppLegend     *legend)
{
  guint n = 0;

  for (guint s = 0; s < plot->series->len; s++)
    n += in_legend (g_ptr_array_index (plot->series, s));
  *legend = (AppLegend) { .right = view->width - view->text, .text = view->text, .swatch = SWATCH, .y = view->text * APP_LEGEND_ROW / 2 };
  app_legend_begin (legend, left);
  return n >= 2;
}

static double
legend_height (const AppPlot *plot,
               const AppView *view,
               double         left)
{
  AppLegend legend;

  if (!begin_legend (plot, view, left, &legend))
    return 0;
  for (guint s = 0; s < plot->series->len; s++)
    if (in_legend (g_ptr_array_index (plot->series, s)))
      app_legend_place (&legend, ((AppPlotSeries *) g_ptr_array_index (plot->series, s))->name);
  return legend.y + view->text * APP_LEGEND_ROW / 2;
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

          widen (point->left - half, &x[0], &x[1]);
          widen (point->right + half, &x[0], &x[1]);
          widen (point->low, &y[0], &y[1]);
          widen (point->high, &y[0], &y[1]);
        }
    }
  for (guint i = 0; i < plot->rules->len; i++)
    {
      const AppPlotRule *rule = &g_array_index (plot->rules, AppPlotRule, i);

      /* A far limit of the device would squeeze everything else: it is drawn only where it lies within reach. */
      if (rule->vertical && (!rule->limit || rule->at <= 1.5 * x[1]))
        widen (rule->at, &x[0], &x[1]);
      else if (!rule->vertical && (!rule->limit || rule->at <= 1.5 * y[1]))
        widen (rule->at, &y[0], &y[1]);
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
  double x[2], y[2], small = view->text * 0.88;

  find_range (plot, x, y);
  frame->rtl = view->rtl;
  frame->width = view->width;
  frame->bottom = view->height - view->text * 3.4;
  frame->left = 0;
  /* The legend begins where the axis does, which its labels decide, which the height left by the legend decides. */
  for (guint pass = 0; pass < 2; pass++)
    {
      double widest = 0, legend = legend_height (plot, view, pass == 0 ? view->text * LEGEND_LEFT : frame->left);

      frame->top = MAX (legend, view->text * 0.6) + view->text * 0.6;
      app_axis_init (&frame->y, y[0], y[1], CLAMP ((frame->bottom - frame->top) / (view->text * 4), 2, 8), plot->y_log);
      for (guint i = 0; i < frame->y.n_ticks; i++)
        {
          g_autofree char *label = app_axis_label (&frame->y, frame->y.tick[i]);

          widest = MAX (widest, paint_text_width (label, small, FALSE));
        }
      frame->left = MAX (frame->left, widest + view->text * 2.6);
    }
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
  AppInk ink = { .role = APP_INK_SERIES, .t = series->colour, .alpha = series->faint ? 0.3f : series->points ? 0.7f : 1 };

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
    app_scene_line (scene, ink, series->faint ? 1 : 2, (AppPoint *) points->data, points->len)->dashed = series->dashed;
}

#define CAP_PX 4

/* A line with a short stroke across each end. */
static void
add_whisker (AppScene *scene,
             AppInk    ink,
             double    x0,
             double    y0,
             double    x1,
             double    y1)
{
  double cx = x0 == x1 ? CAP_PX : 0, cy = x0 == x1 ? 0 : CAP_PX;

  app_scene_segment (scene, ink, x0, y0, x1, y1)->line_width = 1.5;
  app_scene_segment (scene, ink, x0 - cx, y0 - cy, x0 + cx, y0 + cy)->line_width = 1.5;
  app_scene_segment (scene, ink, x1 - cx, y1 - cy, x1 + cx, y1 + cy)->line_width = 1.5;
}

static void
add_points (AppScene            *scene,
            const AppPlotSeries *series,
            const Frame         *frame)
{
  AppInk ink = { .role = APP_INK_SERIES, .t = series->colour, .alpha = series->faint ? 0.4f : 1 };

  for (guint i = 0; i < series->data->len; i++)
    {
      const AppPlotPoint *p = &g_array_index (series->data, AppPlotPoint, i);
      double x = px (frame, p->x), y = py (frame, p->y);
      AppMark *mark;

      if (!isfinite (p->y))
        continue;
      if (p->high > p->low)
        add_whisker (scene, ink, x, py (frame, p->low), x, py (frame, p->high));
      if (p->right > p->left)
        add_whisker (scene, ink, px (frame, p->left), y, px (frame, p->right), y);
      mark = app_scene_point (scene, p->id, x, y, series->faint ? 6 : p->hollow ? 8 : 11, ink);
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
  AppLegend legend;

  if (!begin_legend (plot, view, frame->left, &legend))
    return;
  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);
      AppInk ink = { .role = APP_INK_SERIES, .t = series->colour };
      double x, y;

      if (!in_legend (series))
        continue;
      app_legend_place (&legend, series->name);
      x = legend.x;
      y = legend.y;
      if (series->line || series->steps)
        {
          AppMark *mark = app_scene_segment (scene, ink, x, y, x + SWATCH, y);

          mark->line_width = 2;
          mark->dashed = series->dashed;
        }
      if (series->points)
        app_scene_point (scene, -1, x + SWATCH / 2, y, 9, ink)->marker = series->marker;
      if (series->bars)
        app_scene_rect (scene, -1, x + 3, y - 6, 14, 12, ink)->hatch = series->colour % 2 == 1;
      app_legend_name (&legend, scene, series->name);
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
      AppMark *mark = app_scene_text (scene, plot->empty != NULL ? plot->empty : "–", view->width / 2, view->height / 2,
                                      view->text * 1.1, 0.5, APP_INK (DIM));

      mark->w = view->width * 0.9;
      mark->lines = MOST_LINES;
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
