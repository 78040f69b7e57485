/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart with its title, its zoom, its table and its ways out (copy, export). */

#pragma once

#include "app-chart.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define APP_TYPE_FIGURE (app_figure_get_type ())
G_DECLARE_FINAL_TYPE (AppFigure, app_figure, APP, FIGURE, AdwBin)

AppChart *app_figure_chart        (AppFigure            *figure);
/* As app_chart_set_source(); the table follows. */
void      app_figure_set_source   (AppFigure            *figure,
                                   const AppChartSource *source,
                                   gpointer              data,
                                   GDestroyNotify        destroy);
void      app_figure_set_title    (AppFigure            *figure,
                                   const char           *title);
void      app_figure_set_subtitle (AppFigure            *figure,
                                   const char           *subtitle);
/* Where there is no room beside the title for many controls, they stand below it. */
void      app_figure_set_narrow   (AppFigure            *figure,
                                   gboolean              narrow);
void      app_figure_set_zoomable (AppFigure            *figure,
                                   gboolean              zoomable);
gboolean  app_figure_is_zoomable  (AppFigure            *figure);
gboolean  app_figure_shows_table  (AppFigure            *figure);
void      app_figure_show_table   (AppFigure            *figure,
                                   gboolean              table);

/* As its menu does: picture or table, by the ending of @path; a table says what it is of. */
void       app_figure_export_to    (AppFigure  *figure,
                                    const char *path);

G_END_DECLS
