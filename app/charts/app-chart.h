/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A widget that shows a scene: caches what was painted, picks, zooms, is walked by arrow keys and read aloud. */

#pragma once

#include "app-palette.h"
#include "app-table.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define APP_TYPE_CHART (app_chart_get_type ())
G_DECLARE_FINAL_TYPE (AppChart, app_chart, APP, CHART, GtkWidget)

/**
 * AppChartSource: what a chart shows.
 * @layout: makes the scene
 * @table: (nullable): the same as a table
 * @tip: (nullable): says what mark @id is; without it the mark's own tip is used
 */
typedef struct {
  AppScene *(*layout) (gconstpointer data, const AppView *view);
  AppTable *(*table)  (gconstpointer data);
  char     *(*tip)    (gconstpointer data, gint64 id);
} AppChartSource;

GtkWidget  *app_chart_new          (void);
/* Takes @data; %NULL source empties the chart. */
void        app_chart_set_source   (AppChart             *chart,
                                    const AppChartSource *source,
                                    gpointer              data,
                                    GDestroyNotify        destroy);
gconstpointer app_chart_data       (AppChart             *chart);
void        app_chart_set_zoomable (AppChart             *chart,
                                    gboolean              zoomable);
void        app_chart_zoom         (AppChart             *chart,
                                    double                factor); /* 0: all of it */
void        app_chart_set_selected (AppChart             *chart,
                                    gint64                id);
gint64      app_chart_selected     (AppChart             *chart);
gint64      app_chart_cursor       (AppChart             *chart);
void        app_chart_reveal       (AppChart             *chart,
                                    gint64                id);
void        app_chart_set_name     (AppChart             *chart,
                                    const char           *name); /* for the screen reader and for file names */
const char *app_chart_name         (AppChart             *chart);
/* Lines that go before the table of an export: what it is of. */
void        app_chart_set_comment  (AppChart             *chart,
                                    const char           *comment); /* (nullable) */
AppTable   *app_chart_dup_table    (AppChart             *chart);
void        app_chart_set_natural_height (AppChart       *chart,
                                    int                   height);
void        app_chart_set_ramp     (AppRamp               ramp); /* for all charts */
gboolean    app_chart_view_at      (AppChart             *chart,
                                    AppView              *view);

/* Files: the format is told by the name: .png (twice the size), .svg, .pdf, .csv. Light colours unless @as_shown. */
gboolean    app_chart_export       (AppChart             *chart,
                                    const char           *path,
                                    gboolean              as_shown,
                                    GError              **error);
void        app_chart_copy         (AppChart             *chart,
                                    gboolean              pictures);
void        app_chart_paint_on     (AppChart             *chart,
                                    cairo_t              *cr,
                                    double                width,
                                    double                height);

double      app_text_scale      (GtkWidget      *widget);

G_END_DECLS
