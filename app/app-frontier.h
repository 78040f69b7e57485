/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certified frontier: how much importance a budget can keep, with its bound. */

#pragma once

#include "app-analysis.h"
#include "layout-plot.h"

G_BEGIN_DECLS

/* Result: GArray of NnFrontierPoint. */
AppJob  *app_frontier_job  (AppAnalysis  *analysis,
                            NnResource    resource);
AppPlot *app_frontier_plot (const GArray *points, /* (nullable): not yet there */
                            NnResource    resource);
/* What a budget buys, in words: for the pointer as it moves. */
char    *app_frontier_say  (const GArray *points,
                            NnResource    resource,
                            double        budget) G_GNUC_MALLOC;

G_END_DECLS
