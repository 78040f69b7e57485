/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of horizontal bars: figures beside each other, against limits; and spans of distributions against number types. */

#pragma once

#include "app-scene.h"
#include "app-table.h"

G_BEGIN_DECLS

typedef struct {
  double   value;      /* NaN: nothing */
  double   low, high;  /* bounds; equal for none */
  char    *text;
} AppBar;

/**
 * AppBarRow:
 * @bars: one a series
 * @limit: drawn as a line across the row; 0 for none
 */
typedef struct {
  char   *name;
  AppBar *bars;
  double  limit;
  char   *limit_text;
} AppBarRow;

/* @own_scale: every row has its own full length (its limit): for resources that do not compare. */
typedef struct {
  GStrv      series;
  GPtrArray *rows; /* AppBarRow */
  guint      n_series;
  gboolean   own_scale;
} AppBars;

AppBars   *app_bars_new    (const char *first_series,
                            ...) G_GNUC_NULL_TERMINATED;
void       app_bars_free   (AppBars       *bars);
AppBarRow *app_bars_add    (AppBars       *bars,
                            const char    *name,
                            double         limit,
                            const char    *limit_text);
void       app_bars_set    (AppBarRow     *row,
                            guint          series,
                            double         value,
                            double         low,
                            double         high,
                            const char    *text);
double     app_bars_height (const AppBars *bars,
                            double         text);
AppScene  *app_bars_layout (const AppBars *bars,
                            const AppView *view);
AppTable  *app_bars_table  (const AppBars *bars);

/* A distribution (five numbers) over the span that its type can hold; exponents of two on the axis. */
typedef struct {
  char    *name, *type, *note;
  double   low, q1, median, q3, high; /* of the absolute values, 0 left out */
  double   lsb, max;                  /* smallest step and largest value of the type; 0 for none */
  gboolean bad;
} AppSpan;

typedef struct {
  GArray *spans; /* AppSpan */
  char   *axis_title, *type_label, *data_label;
} AppSpans;

AppSpans *app_spans_new    (const char     *axis_title,
                            const char     *type_label,
                            const char     *data_label);
void      app_spans_free   (AppSpans       *spans);
double    app_spans_height (const AppSpans *spans,
                            double          text);
AppScene *app_spans_layout (const AppSpans *spans,
                            const AppView  *view);
AppTable *app_spans_table  (const AppSpans *spans);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppBars, app_bars_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppSpans, app_spans_free)

G_END_DECLS
