/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that differ in nothing but their seed are one study: its median, and how far the seeds scatter. */

#pragma once

#include "app-state.h"

G_BEGIN_DECLS

/* What the steps of a run can be drawn over. */
typedef enum { APP_MEASURE_DSP, APP_MEASURE_BRAM, APP_MEASURE_LUT, APP_MEASURE_FF, APP_MEASURE_LATENCY, APP_MEASURE_ACCURACY,
               APP_MEASURE_BOPS, APP_MEASURE_ENERGY, APP_N_MEASURES } AppMeasure;

const char *app_measure_title    (AppMeasure      measure,
                                  gboolean        is_classes);
/* In percent for the accuracy of classes, the mean squared error otherwise; negative or NaN where it is not known. */
double      app_measure_of       (const NnStep   *step,
                                  AppMeasure      measure);
/* The resource a measure is, or %NN_N_RESOURCES. */
NnResource  app_measure_resource (AppMeasure      measure);
char       *app_measure_text     (double          value,
                                  AppMeasure      measure,
                                  gboolean        is_classes) G_GNUC_MALLOC;

/**
 * AppStudyPoint: the same step of several runs.
 * @run, @step: of the run whose accuracy is the median (the lower of two)
 * @accuracy_low, @accuracy_high: as in NnStep
 * @n: runs that came to this step
 */
typedef struct {
  guint  run, step, n;
  double x, x_low, x_high;
  double y, y_low, y_high;
  double accuracy_low, accuracy_high;
  double target;
} AppStudyPoint;

/* Indices of the runs that make up a study with @run, in order. (transfer full) (element-type guint) */
GArray     *app_study_members    (const AppState *state,
                                  guint           run);
/* (transfer full) (element-type AppStudyPoint) */
GArray     *app_study_points     (const AppState *state,
                                  const GArray   *members,
                                  AppMeasure      x,
                                  AppMeasure      y);
/* The point of a study that step @step of @run lies in; %FALSE where it is alone. */
gboolean    app_study_find       (const AppState *state,
                                  guint           run,
                                  guint           step,
                                  AppStudyPoint  *point);
/* "Run 2", or "Run 2, seed 3". */
char       *app_study_run_title  (const AppState *state,
                                  guint           run) G_GNUC_MALLOC;
/* "Run 2", whatever its seeds; its ordinal from 0. */
char       *app_study_title      (const AppState *state,
                                  guint           run,
                                  guint          *ordinal) G_GNUC_MALLOC;

G_END_DECLS
