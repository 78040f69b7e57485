/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages show in their figures: each kind of drawing with its layout and its table. */

#pragma once

#include "app-figure.h"
#include "layout-bars.h"
#include "layout-network.h"
#include "layout-plot.h"

G_BEGIN_DECLS

/* All take what they are given; %NULL empties the figure. */
void app_figure_show_plot    (AppFigure  *figure,
                              AppPlot    *plot);
/* As high as its rows. */
void app_figure_show_bars    (AppFigure  *figure,
                              AppBars    *bars);
void app_figure_show_network (AppFigure  *figure,
                              AppNetwork *network);
/* Borrowed: they must outlive what is shown. Hidden where there are none. */
void app_figure_show_spans   (AppFigure  *figure,
                              AppSpans   *spans);

G_END_DECLS
