/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of horizontal bars: data → marks. */

#include "layout-bars.h"

#include "app-legend.h"
#include "app-axis.h"
#include "paint-scene.h"

#include <math.h>
#include <stdarg.h>

static guint
n_bars (const AppBars *bars)
{
  return bars->n_series;
}

AppBars *
app_bars_new (const char *first_series,
              ...)
{
  AppBars *bars = g_new0 (AppBars, 1);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  va_list args;

  va_start (args, first_series);
  for (const char *name = first_series; name != NULL; name = va_arg (args, const char *))
    g_ptr_array_add (names, g_strdup (name));
  va_end (args);
  bars->n_series = names->len;
  g_ptr_array_add (names, NULL);
  bars->series = (GStrv) g_ptr_array_steal (names, NULL);
  bars->rows = g_ptr_array_new ();
  return bars;
}

void
app_bars_free (AppBars *bars)
{
  for (guint i = 0; i < bars->rows->len; i++)
    {
      AppBarRow *row = g_ptr_array_index (bars->rows, i);

      for (guint s = 0; s < bars->n_series; s++)
        g_free (row->bars[s].text);
      g_free (row->bars);
      g_free (row->name);
      g_free (row->limit_text);
      g_free (row);
    }
  g_ptr_array_unref (bars->rows);
  g_strfreev (bars->series);
  g_free (bars);
}

AppBarRow *
app_bars_add (AppBars    *bars,
              const char *name,
              double      limit,
              const char *limit_text)
{
  AppBarRow *row = g_new0 (AppBarRow, 1);

  row->name = g_strdup (name);
  row->limit = limit;
  row->limit_text = g_strdup (limit_text);
  row->bars = g_new0 (AppBar, bars->n_series);
  for (guint s = 0; s < bars->n_series; s++)
    row->bars[s].value = NAN;
  g_ptr_array_add (bars->rows, row);
  return row;
}

void
app_bars_set (AppBarRow  *row,
              guint       series,
              double      value,
              double      low,
              double      high,
              const char *text)
{
  row->bars[series].value = value;
  row->bars[series].low = low;
  row->bars[series].high = high;
  g_free (row->bars[series].text);
  row->bars[series].text = g_strdup (text);
}

#define BAR(text) ((text) * 1.05)
#define ROW_GAP(text) ((text) * 1.25)

double
app_bars_height (const AppBars *bars,
                 double         text)
{
  return bars->rows->len * (n_bars (bars) * BAR (text) + ROW_GAP (text)) + text * (n_bars (bars) > 1 ? 3.2 : 1.2);
}

static double
full_length (const AppBars   *bars,
             const AppBarRow *row)
{
  double full = 0;

  for (guint i = 0; i < bars->rows->len; i++)
    {
      const AppBarRow *r = g_ptr_array_index (bars->rows, i);

      if (bars->own_scale && r != row)
        continue;
      for (guint s = 0; s < n_bars (bars); s++)
        if (isfinite (r->bars[s].value))
          full = MAX (full, MAX (r->bars[s].value, r->bars[s].high));
      full = MAX (full, r->limit);
    }
  return full > 0 ? full : 1;
}

static void
add_row (AppScene        *scene,
         const AppBars   *bars,
         const AppBarRow *row,
         guint            index,
         double           left,
         double           room,
         double           y,
         double           text)
{
  double full = full_length (bars, row), h = BAR (text);

  app_scene_text (scene, row->name, left - text * 0.7, y + n_bars (bars) * h / 2, text, 1, APP_INK (TEXT));
  if (bars->own_scale)
    app_scene_rect (scene, -1, left, y, room, n_bars (bars) * h, (AppInk) { .role = APP_INK_RULE, .alpha = 0.45f })->radius = 3;
  for (guint s = 0; s < n_bars (bars); s++)
    {
      const AppBar *bar = &row->bars[s];
      double w = room * bar->value / full;
      gboolean over = row->limit > 0 && bar->value > row->limit;
      g_autofree char *tip = g_strdup_printf ("%s, %s: %s", row->name, bars->series[s], bar->text != NULL ? bar->text : "–");
      AppMark *mark;

      if (!isfinite (bar->value))
        continue;
      mark = app_scene_rect (scene, index * n_bars (bars) + s, left, y + s * h + 1, MAX (w, 1.5), h - 2,
                             over ? APP_INK (BAD) : (AppInk) { .role = APP_INK_SERIES, .t = s });
      mark->radius = 3;
      mark->hatch = over || s % 2 == 1;
      app_scene_tip (scene, mark, tip);
      if (bar->high > bar->low)
        app_scene_segment (scene, APP_INK (TEXT), left + room * bar->low / full, y + (s + 0.5) * h, left + room * bar->high / full,
                           y + (s + 0.5) * h)->line_width = 1.5;
      if (bar->text != NULL)
        app_scene_text (scene, bar->text, left + MAX (w, bar->high > bar->low ? room * bar->high / full : 0) + 6, y + (s + 0.5) * h,
                        text * 0.88, 0, over ? APP_INK (BAD) : APP_INK (TEXT));
    }
  if (row->limit > 0 && row->limit <= full)
    {
      double x = left + room * row->limit / full;

      app_scene_segment (scene, APP_INK (BAD), x, y - 3, x, y + n_bars (bars) * h + 3)->line_width = 1.5;
      app_scene_text (scene, row->limit_text, x, y - text * 0.62, text * 0.8, 1, APP_INK (DIM));
    }
}

AppScene *
app_bars_layout (const AppBars *bars,
                 const AppView *view)
{
  AppScene *scene = app_scene_new (view);
  double text = view->text, left = text * 2, value_room = text * 3, y = text * (n_bars (bars) > 1 ? 2.9 : 1.0), gap;
  AppLegend legend = { .right = view->width - text, .text = text, .swatch = text, .y = text };

  for (guint i = 0; i < bars->rows->len; i++)
    {
      const AppBarRow *row = g_ptr_array_index (bars->rows, i);

      left = MAX (left, paint_text_width (row->name, text, FALSE) + text * 1.4);
      for (guint s = 0; s < n_bars (bars); s++)
        if (row->bars[s].text != NULL)
          value_room = MAX (value_room, paint_text_width (row->bars[s].text, text * 0.88, FALSE) + text * 1.2);
    }
  left = MIN (left, view->width * 0.4);
  app_legend_begin (&legend, left);
  for (guint s = 0; n_bars (bars) > 1 && s < n_bars (bars); s++)
    {
      app_legend_place (&legend, bars->series[s]);
      app_scene_rect (scene, -1, legend.x, legend.y - text / 2, text, text, (AppInk) { .role = APP_INK_SERIES, .t = s })->hatch = s % 2 == 1;
      app_legend_name (&legend, scene, bars->series[s]);
    }
  y += legend.y - text;
  gap = CLAMP ((view->height - y) / MAX (1, bars->rows->len) - n_bars (bars) * BAR (text), text * 0.5, ROW_GAP (text));
  for (guint i = 0; i < bars->rows->len; i++)
    {
      add_row (scene, bars, g_ptr_array_index (bars->rows, i), i, left, MAX (20, view->width - left - value_room), y, text);
      y += n_bars (bars) * BAR (text) + gap;
    }
  if (view->rtl)
    app_scene_mirror (scene);
  return scene;
}

AppTable *
app_bars_table (const AppBars *bars)
{
  AppTable *table = app_table_new ("", NULL);

  for (guint s = 0; s < n_bars (bars); s++)
    g_ptr_array_add (table->columns, g_strdup (bars->series[s]));
  for (guint i = 0; i < bars->rows->len; i++)
    {
      const AppBarRow *row = g_ptr_array_index (bars->rows, i);
      char **cells = g_new0 (char *, n_bars (bars) + 2);

      cells[0] = g_strdup (row->name);
      for (guint s = 0; s < n_bars (bars); s++)
        cells[s + 1] = row->bars[s].text != NULL ? g_strdup (row->bars[s].text) : app_number (row->bars[s].value, 6);
      app_table_take_v (table, i * n_bars (bars), cells);
    }
  return table;
}

static void
span_clear (AppSpan *span)
{
  g_free (span->name);
  g_free (span->type);
  g_free (span->note);
}

AppSpans *
app_spans_new (const char *axis_title,
               const char *type_label,
               const char *data_label)
{
  AppSpans *spans = g_new0 (AppSpans, 1);

  spans->spans = g_array_new (FALSE, TRUE, sizeof (AppSpan));
  g_array_set_clear_func (spans->spans, (GDestroyNotify) span_clear);
  spans->axis_title = g_strdup (axis_title);
  spans->type_label = g_strdup (type_label);
  spans->data_label = g_strdup (data_label);
  return spans;
}

void
app_spans_free (AppSpans *spans)
{
  g_array_unref (spans->spans);
  g_free (spans->axis_title);
  g_free (spans->type_label);
  g_free (spans->data_label);
  g_free (spans);
}

#define SPAN_PITCH 2.2 /* from row to row, in text sizes, where the height allows */

double
app_spans_height (const AppSpans *spans,
                  double          text)
{
  return spans->spans->len * text * SPAN_PITCH + text * 5.6;
}

/* The lowest and highest power of two that matter. */
static void
exponent_range (const AppSpans *spans,
                double         *lo,
                double         *hi)
{
  *lo = INFINITY;
  *hi = -INFINITY;
  for (guint i = 0; i < spans->spans->len; i++)
    {
      const AppSpan *span = &g_array_index (spans->spans, AppSpan, i);

      if (span->lsb > 0)
        *lo = MIN (*lo, log2 (span->lsb));
      if (span->max > 0)
        *hi = MAX (*hi, log2 (span->max));
      if (span->high > 0)
        *hi = MAX (*hi, log2 (span->high));
      if (span->q1 > 0)
        *lo = MIN (*lo, log2 (span->q1) - 2);
    }
  if (!isfinite (*lo) || !isfinite (*hi))
    *lo = -10, *hi = 4;
  *lo = floor (MAX (*lo, *hi - 40));
  *hi = ceil (*hi) + 0.5;
}

typedef struct { double left, room, lo, hi; } SpanAxis;

static double
span_x (const SpanAxis *axis,
        double          value)
{
  double e = value > 0 ? log2 (value) : axis->lo;

  return axis->left + axis->room * CLAMP ((e - axis->lo) / (axis->hi - axis->lo), 0, 1);
}

static void
add_span (AppScene       *scene,
          const AppSpan  *span,
          guint           index,
          const SpanAxis *axis,
          double          y,
          double          text)
{
  g_autofree char *tip = g_strjoin ("\n", span->name, span->type, span->note, NULL);
  AppInk ink = span->bad ? APP_INK (BAD) : (AppInk) { .role = APP_INK_SERIES, .t = 0 };
  AppMark *row = app_scene_rect (scene, index, 4, y - text * 1.05, axis->left + axis->room - 4, text * 2.1,
                                 (AppInk) { .role = APP_INK_SURFACE, .alpha = 0.01f });

  app_scene_tip (scene, row, tip);
  app_scene_text (scene, span->name, axis->left - text * 0.7, y, text, 1, span->bad ? APP_INK (BAD) : APP_INK (TEXT));
  if (span->max > 0)
    app_scene_rect (scene, -1, span_x (axis, span->lsb), y - text * 0.85, span_x (axis, span->max) - span_x (axis, span->lsb),
                    text * 1.7, (AppInk) { .role = APP_INK_DIM, .alpha = 0.28f })->radius = 3;
  if (span->high <= 0)
    return;
  app_scene_segment (scene, ink, span_x (axis, span->low), y, span_x (axis, span->high), y)->line_width = 1.5;
  app_scene_rect (scene, -1, span_x (axis, span->q1), y - text * 0.45, MAX (2, span_x (axis, span->q3) - span_x (axis, span->q1)),
                  text * 0.9, ink)->hatch = span->bad;
  app_scene_segment (scene, APP_INK (BACKGROUND), span_x (axis, span->median), y - text * 0.45, span_x (axis, span->median),
                     y + text * 0.45)->line_width = 2;
  app_scene_segment (scene, ink, span_x (axis, span->high), y - text * 0.3, span_x (axis, span->high), y + text * 0.3)->line_width = 1.5;
}

/* "2⁻¹⁰": powers of two as they are written. */
static char *
power_label (int exponent)
{
  static const char *const digits[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
  g_autofree char *plain = g_strdup_printf ("%d", exponent);
  GString *text = g_string_new ("2");

  for (const char *c = plain; *c != '\0'; c++)
    g_string_append (text, *c == '-' ? "⁻" : digits[*c - '0']);
  return g_string_free (text, FALSE);
}

AppScene *
app_spans_layout (const AppSpans *spans,
                  const AppView  *view)
{
  AppScene *scene = app_scene_new (view);
  double text = view->text, y = text * 3.2, pitch, bottom, lo, hi;
  SpanAxis axis = { .left = text * 4 };
  AppLegend legend = { .right = view->width - text / 2, .text = text, .swatch = text * 1.6, .y = text * 0.9 };

  for (guint i = 0; i < spans->spans->len; i++)
    axis.left = MAX (axis.left, paint_text_width (g_array_index (spans->spans, AppSpan, i).name, text, FALSE) + text * 1.6);
  axis.left = MIN (axis.left, view->width * 0.42);
  axis.room = MAX (20, view->width - axis.left - text * 1.5);
  exponent_range (spans, &lo, &hi);
  axis.lo = lo;
  axis.hi = hi;
  app_legend_begin (&legend, axis.left);
  app_legend_place (&legend, spans->type_label);
  app_scene_rect (scene, -1, legend.x, legend.y - text / 2, legend.swatch, text, (AppInk) { .role = APP_INK_DIM, .alpha = 0.28f })->radius = 3;
  app_legend_name (&legend, scene, spans->type_label);
  app_legend_place (&legend, spans->data_label);
  app_scene_rect (scene, -1, legend.x, legend.y - text / 2, legend.swatch, text, (AppInk) { .role = APP_INK_SERIES, .t = 0 });
  app_legend_name (&legend, scene, spans->data_label);
  y += legend.y - text * 0.9;
  pitch = CLAMP ((view->height - y - text * 2.4) / MAX (1, spans->spans->len), text * 1.8, text * SPAN_PITCH);
  bottom = y + spans->spans->len * pitch - text * 0.6;
  for (int e = (int) lo; e <= hi; e += MAX (1, (int) ceil ((hi - lo) * text * 3 / axis.room)))
    {
      g_autofree char *label = power_label (e);
      double x = axis.left + axis.room * (e - lo) / (hi - lo);

      app_scene_segment (scene, APP_INK (RULE), x, y - text * 1.2, x, bottom);
      app_scene_text (scene, label, x, bottom + text * 0.8, text * 0.85, 0.5, APP_INK (DIM));
    }
  app_scene_text (scene, spans->axis_title, axis.left + axis.room / 2, bottom + text * 2.1, text * 0.92, 0.5, APP_INK (TEXT));
  for (guint i = 0; i < spans->spans->len; i++)
    add_span (scene, &g_array_index (spans->spans, AppSpan, i), i, &axis, y + i * pitch, text);
  if (view->rtl)
    app_scene_mirror (scene);
  return scene;
}

AppTable *
app_spans_table (const AppSpans *spans)
{
  AppTable *table = app_table_new ("tensor", "type", "smallest", "q1", "median", "q3", "largest", "note", NULL);

  for (guint i = 0; i < spans->spans->len; i++)
    {
      const AppSpan *span = &g_array_index (spans->spans, AppSpan, i);

      app_table_take (table, i, g_strdup (span->name), g_strdup (span->type != NULL ? span->type : ""), app_number (span->low, 4),
                      app_number (span->q1, 4), app_number (span->median, 4), app_number (span->q3, 4), app_number (span->high, 4),
                      g_strdup (span->note != NULL ? span->note : ""), NULL);
    }
  return table;
}
