/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine says of one network under one configuration: hardware, groups, figures by layer, quality. Sealed. */

#pragma once

#include "app-job.h"
#include "hls.h"

G_BEGIN_DECLS

/* The figures of one layer of the network as loaded: those of all hardware layers that came from it. */
typedef struct {
  NnResources resource;
  double      latency;
  gsize       parameters, zeros, multiplications;
  gsize       n_groups, n_kept;
  int         main;      /* the hardware layer that holds its weights, -1 for none */
  int         n_parts;   /* hardware layers that came from it */
} AppLayer;

typedef struct {
  gatomicrefcount ref_count;
  NnModel    *model;
  NnConfig   *config;
  NnDesign   *design;    /* (nullable): where the hardware cannot be made; then */
  char       *problem;   /* says why */
  NnEstimate *estimate;  /* (nullable) */
  const NnPart *part;    /* (nullable) */
  guint       n_calibrations; /* of the user's syntheses, that the estimate was corrected by */
  NnGroups   *groups;    /* (nullable) */
  AppLayer   *layers;    /* by node of the network as loaded */
  guint       n_layers;
} AppAnalysis;

/* Quality on labelled data. */
typedef struct {
  gatomicrefcount ref_count;
  NnModel   *model;
  NnMetrics *metrics;
  NnTensor  *predictions;
  NnSplit    split;
} AppEvaluation;

AppJob        *app_analysis_job     (NnModel       *model,
                                     NnConfig      *config);
NnGroups      *app_analysis_make_groups (const AppAnalysis *analysis,
                                     guint          objectives,
                                     GError       **error);
AppAnalysis   *app_analysis_ref     (AppAnalysis   *analysis);
void           app_analysis_unref   (AppAnalysis   *analysis);
char          *app_calibration_path (void);
/* Keeps what @report measured of the network analysed, so that later estimates are nearer. */
gboolean       app_calibration_learn (const AppAnalysis *analysis,
                                     const HlsReport   *report,
                                     GError           **error);
double         app_analysis_total   (const AppAnalysis *analysis,
                                     NnResource     resource); /* NaN where unknown */
AppJob        *app_evaluation_job   (NnModel       *model,
                                     NnDataset     *data);
AppEvaluation *app_evaluation_ref   (AppEvaluation *evaluation);
void           app_evaluation_unref (AppEvaluation *evaluation);
NnSplit        app_evaluation_split (const NnDataset *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppAnalysis, app_analysis_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppEvaluation, app_evaluation_unref)

G_END_DECLS
