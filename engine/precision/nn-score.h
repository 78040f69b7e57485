/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One number for how good a design's answers are, and one for what it costs. */

#pragma once

#include "nn-estimate.h"
#include "nn-fixed-exec.h"

G_BEGIN_DECLS

/**
 * NnScoring:
 * @inputs: (array): borrowed
 * @targets: (nullable): borrowed; (n, classes) one-hot, (n, 1) or (n, outputs)
 * @is_classes: whether the targets are classes
 * @reference: (array) (owned): float answers
 * @float_score: of them
 */
typedef struct {
  const NnModel   *model;
  NnTensor *const *inputs;
  const NnTensor  *targets;
  gboolean         is_classes;
  NnTensor       **reference;
  double           float_score;
} NnScoring;

gboolean nn_scoring_init  (NnScoring         *scoring,
                           const NnModel     *model,
                           NnTensor *const   *inputs,
                           const NnTensor    *targets,
                           gboolean           is_classes,
                           GCancellable      *cancellable,
                           GError           **error);
void     nn_scoring_clear (NnScoring         *scoring);
/* Accuracy where there are classes to compare with; otherwise the fraction of samples whose largest output is that of
 * float inference; of a single output or a regression 1 - |error|^2 / |deviation|^2. */
gboolean nn_scoring_score (const NnScoring   *scoring,
                           const NnConfig    *config,
                           double            *score,
                           double            *cost, /* (out) (nullable): see nn_score_cost() */
                           GCancellable      *cancellable,
                           GError           **error);
double   nn_score_outputs (const NnScoring   *scoring,
                           NnTensor *const   *outputs);
/* Mean of the design's DSP, BRAM, LUT and FF, each as a fraction of its part's. */
double   nn_score_cost    (const NnDesign    *design);

G_END_DECLS
