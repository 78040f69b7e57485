/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of a chart, for its drawing, its controllers and its export. */

#pragma once

#include "app-chart.h"

G_BEGIN_DECLS

struct _AppChart {
  GtkWidget parent;

  /* owned */
  AppScene      *scene; /* dropped when data, size or font change */
  GskRenderNode *node;  /* dropped with it, and when colours change */
  char          *name;
  char          *comment; /* (nullable): what its table is of */
  gpointer       data;
  GDestroyNotify destroy;

  /* borrowed */
  const AppChartSource *source;

  gint64   selected, cursor;
  gboolean cursor_by_key;
  gboolean zoomable, dragging;
  double   zoom, x, y;
  double   pointer_x, pointer_y, drag_x, drag_y, pinch;
  double   text; /* size of text when it was measured last */
  int      natural_height;
};

/* app-chart.c */
const AppScene *app_chart_scene           (AppChart *self);
AppRamp         app_chart_ramp            (void);
void            app_chart_drop_drawing    (AppChart *self);
void            app_chart_set_cursor      (AppChart *self,
                                           gint64    id,
                                           gboolean  by_key);

/* app-chart-view.c */
void            app_chart_zoom_at         (AppChart *self,
                                           double    factor,
                                           double    x,
                                           double    y);
void            app_chart_pan             (AppChart *self,
                                           double    dx,
                                           double    dy);

/* app-chart-input.c */
void            app_chart_add_controllers (AppChart *self);

G_END_DECLS
