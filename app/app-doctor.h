/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Float and fixed point side by side: how far each layer goes wrong, what would repair it, one sample layer by layer. */

#pragma once

#include "app-analysis.h"
#include "layout-bars.h"
#include "layout-plot.h"

G_BEGIN_DECLS

/**
 * AppErrors: what fixed point does to every layer.
 * @doctor: by hardware layer
 * @layers: (array length=n_layers): by layer of the network: error of its result against its size, both as root mean
 *   squares; NaN where it has no hardware
 */
typedef struct {
  gatomicrefcount ref_count;
  AppAnalysis    *analysis;
  NnDataset      *data;
  NnDoctor       *doctor;
  double         *layers;
  guint           n_layers;
} AppErrors;

AppJob    *app_errors_job      (AppAnalysis  *analysis,
                                NnDataset    *data);
AppErrors *app_errors_ref      (AppErrors    *errors);
void       app_errors_unref    (AppErrors    *errors);
/* By hardware layer, in percent. */
AppBars   *app_errors_bars     (const AppErrors *errors);

/* Why the first layer that goes wrong does; %NULL where none does. (transfer full) */
char      *app_errors_why      (const AppErrors *errors);

/* Result: NnDoctor, with a repair where one was found. */
AppJob    *app_doctor_job      (AppAnalysis  *analysis,
                                NnDataset    *data);
/* Result: NnWidthProposal: the cheapest types that keep all but @loss of the accuracy. */
AppJob    *app_widths_job      (AppAnalysis  *analysis,
                                NnDataset    *data,
                                double        loss);

/**
 * AppTrace: one sample through the network.
 * @names: (element-type utf8): hardware layers
 * @as_float: (element-type GArray(double)): by layer
 * @as_fixed: the same
 */
typedef struct {
  gsize      sample;
  GPtrArray *names, *as_float, *as_fixed;
} AppTrace;

AppJob    *app_trace_job       (AppAnalysis  *analysis,
                                NnDataset    *data,
                                gsize         sample);
void       app_trace_free      (AppTrace     *trace);
AppPlot   *app_trace_plot      (const AppTrace *trace,
                                guint         layer);

/* The first rows of the part that is judged, from @first; @n: how many there are. (transfer full) */
NnTensor  *app_data_rows       (NnDataset    *data,
                                gsize         first,
                                gsize         wanted,
                                gboolean      targets,
                                gsize        *n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppErrors, app_errors_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppTrace, app_trace_free)

G_END_DECLS
