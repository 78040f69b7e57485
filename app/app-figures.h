/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Document → what charts show. Used by pages, export and print alike. */

#pragma once

#include "app-document.h"
#include "app-study.h"
#include "layout-bars.h"
#include "layout-heatmap.h"
#include "layout-network.h"
#include "layout-plot.h"

G_BEGIN_DECLS

typedef enum { APP_METRIC_NONE, APP_METRIC_DSP, APP_METRIC_BRAM, APP_METRIC_LUT, APP_METRIC_FF, APP_METRIC_LATENCY, APP_METRIC_SPARSITY,
               APP_METRIC_PARAMETERS, APP_METRIC_ERROR, APP_N_METRICS } AppMetric;

const char *app_metric_title     (AppMetric    metric);
/* Marks of the network are its layers' indices; @search (nullable) dims what does not match. */
AppNetwork *app_figures_network  (AppDocument *document,
                                  AppMetric    metric,
                                  const char  *search,
                                  gboolean     compare);
/* Marks: run * APP_STEP_STRIDE + step; the run in progress comes after the finished ones. */
#define APP_STEP_STRIDE 100000
AppPlot    *app_figures_tradeoff (AppDocument *document,
                                  AppMeasure   x,
                                  AppMeasure   y);
AppBars    *app_figures_device   (AppDocument *document);
/* What a report (nullable) says of layer @i of the network; NaN where it does not. */
double      app_figures_measured (const AppAnalysis *analysis,
                                  const HlsReport   *report,
                                  guint              i,
                                  AppMetric          metric);
AppBars    *app_figures_layers   (AppDocument *document,
                                  AppMetric    metric);
/* How much a layer has of a metric, NaN where that has no meaning; %APP_METRIC_ERROR is the document's to know. */
double      app_figures_value    (const AppAnalysis *analysis,
                                  guint        layer,
                                  AppMetric    metric);
char       *app_figures_value_text (double     value,
                                  AppMetric    metric) G_GNUC_MALLOC;

G_END_DECLS
