/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A matrix with its axes and the scale of its colours. */

#pragma once

#include "app-scene.h"
#include "app-table.h"

G_BEGIN_DECLS

typedef struct {
  AppGrid *grid;
  char    *x_title, *y_title;
  char    *pruned_label;       /* (nullable): what hatched cells are, in the legend */
  guint    x_block, y_block;   /* so many cells have one index; 0 for 1 */
  GStrv    x_names, y_names;   /* (nullable) */
  double   max_cell;           /* cells are not drawn larger than this; 0 for a default */
  double   aspect;             /* cells may be this many times wider than high, or the reverse; 0 for a default */
} AppHeatmap;

AppHeatmap *app_heatmap_new    (AppGrid          *grid, /* (transfer full) */
                                const char       *x_title,
                                const char       *y_title);
void        app_heatmap_free   (AppHeatmap       *map);
AppScene   *app_heatmap_layout (const AppHeatmap *map,
                                const AppView    *view);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppHeatmap, app_heatmap_free)

G_END_DECLS
