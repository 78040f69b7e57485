/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How good predictions are against labels. */

#pragma once

#include "nn-tensor.h"

G_BEGIN_DECLS

/**
 * NnMetrics:
 * @n: samples
 * @is_classes: whether the targets are classes; then the next group holds, otherwise the last
 * @loss: cross-entropy (binary for one output), or the mean squared error
 * @accuracy: fraction of samples whose largest output is their class
 * @n_classes: classes, 2 for one output
 * @auc: (array length=n_classes): area under the ROC curve, one class against the rest
 * @confusion: (array): n_classes x n_classes counts, rows are true classes
 * @mse: mean squared error
 * @mae: mean absolute error
 */
typedef struct {
  gsize    n;
  gboolean is_classes;
  double   loss;
  double   accuracy;
  guint    n_classes;
  double  *auc;
  gsize   *confusion;
  double   mse;
  double   mae;
} NnMetrics;

NnMetrics *nn_metrics_new  (const NnTensor  *predictions, /* (n, outputs) */
                            const NnTensor  *targets,     /* (n, classes) one-hot, (n, 1) or (n, outputs) */
                            gboolean         is_classes,
                            GError         **error) G_GNUC_WARN_UNUSED_RESULT;
void       nn_metrics_free (NnMetrics       *metrics);

/* Points of class @c's ROC curve: false and true positive rates, both (n), increasing. */
void       nn_roc_curve    (const NnTensor  *predictions,
                            const NnTensor  *targets,
                            guint            c,
                            GArray         **fpr,
                            GArray         **tpr);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnMetrics, nn_metrics_free)

G_END_DECLS
