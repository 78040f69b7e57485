/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plot is of: series of points, and rules, over two axes. */

#pragma once

#include "app-scene.h"
#include "app-table.h"

G_BEGIN_DECLS

typedef struct {
  double   x, y;
  double   low, high; /* error bar about y; equal for none */
  double   left, right; /* the same about x */
  gint64   id;        /* -1: cannot be picked */
  gboolean hollow;    /* tried and rejected */
  char    *tip;
} AppPlotPoint;

/**
 * AppPlotSeries:
 * @colour: index of the series colour
 * @steps: drawn as a staircase
 * @bars: drawn as columns of width @bar_width (data units)
 * @faint: drawn thin behind the others, and not in the legend
 */
typedef struct {
  char     *name;
  guint     colour;
  gboolean  line, points, steps, bars, dashed, faint;
  double    bar_width;
  AppMarker marker;
  GArray   *data; /* AppPlotPoint */
} AppPlotSeries;

typedef struct {
  double   at;
  gboolean vertical;
  gboolean limit;  /* too far away, it is left out: it would squeeze everything else */
  gboolean band;   /* from @at to @to */
  double   to;
  AppInk   ink;
  char    *label;
} AppPlotRule;

typedef struct {
  char      *x_title, *y_title;
  gboolean   x_log, y_log;
  gboolean   x_zero, y_zero; /* the axis begins at 0 */
  GPtrArray *series;         /* AppPlotSeries */
  GArray    *rules;          /* AppPlotRule */
  GStrv      x_names;        /* (nullable): names of whole numbers on the x axis */
  char      *empty;          /* said when there is nothing yet */
} AppPlot;

AppPlot       *app_plot_new        (const char    *x_title,
                                    const char    *y_title);
void           app_plot_free       (AppPlot       *plot);
AppPlotSeries *app_plot_add_series (AppPlot       *plot,
                                    const char    *name,
                                    guint          colour);
void           app_plot_add_point  (AppPlotSeries *series,
                                    double         x,
                                    double         y,
                                    gint64         id,
                                    const char    *tip);
AppPlotRule   *app_plot_add_rule   (AppPlot       *plot,
                                    gboolean       vertical,
                                    double         at,
                                    AppInk         ink,
                                    const char    *label);
AppTable      *app_plot_table      (const AppPlot *plot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppPlot, app_plot_free)

G_END_DECLS
