/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types against what they must hold: profile, overflows, and accuracy by width. */

#pragma once

#include "app-analysis.h"
#include "layout-bars.h"
#include "layout-plot.h"

G_BEGIN_DECLS

typedef struct {
  char    *name;
  guint64  overflows;
  gsize    values;
} AppOverflow;

/* @scan: AppScanPoint */
typedef struct { int width; double accuracy; } AppScanPoint;

typedef struct {
  AppAnalysis *analysis;
  AppSpans    *weights, *activations;
  GArray      *overflows;   /* AppOverflow, layers in order */
  double       float_accuracy, fixed_accuracy; /* NaN without data */
  gsize        n_samples;
} AppPrecision;

AppJob       *app_precision_job      (AppAnalysis *analysis,
                                      NnDataset   *data); /* (nullable): weights alone */
void          app_precision_free     (AppPrecision *precision);
/* Posts AppScanPoint. */
AppJob       *app_scan_job           (AppAnalysis *analysis,
                                      NnDataset   *data);
AppPlot      *app_scan_plot          (const GArray *points,
                                      double        float_accuracy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppPrecision, app_precision_free)

G_END_DECLS
