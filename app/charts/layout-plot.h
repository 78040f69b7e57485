/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points, lines and bars over two axes: data → marks. */

#pragma once

#include "app-plot.h"

G_BEGIN_DECLS

AppScene *app_plot_layout (const AppPlot *plot,
                           const AppView *view);
/* The value of the x axis at a place of the drawing. */
double    app_plot_x_at   (const AppPlot *plot,
                           const AppView *view,
                           double         x);

G_END_DECLS
