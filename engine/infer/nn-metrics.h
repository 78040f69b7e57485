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

/* The same from predictions that come piece by piece. Of more than some ten millions of numbers the scores are counted, not
 * kept: the areas are then exact to the ties that single precision's leading 20 bits (14 of many classes) leave. */
typedef struct _NnMetricsSum NnMetricsSum;

NnMetricsSum *nn_metrics_sum_new  (gsize            n_samples,
                                   gboolean         is_classes);
/* How many numbers are kept at most, predictions and targets together; told before the first piece. */
void          nn_metrics_sum_keep (NnMetricsSum    *sum,
                                   guint64          numbers);
gboolean      nn_metrics_sum_add  (NnMetricsSum    *sum,
                                   const NnTensor  *predictions,
                                   const NnTensor  *targets,
                                   GError         **error);
NnMetrics    *nn_metrics_sum_end  (NnMetricsSum    *sum,
                                   GError         **error) G_GNUC_WARN_UNUSED_RESULT;
void          nn_metrics_sum_free (NnMetricsSum    *sum);

/* Points of class @c's ROC curve: false and true positive rates, both (n), increasing. */
void       nn_roc_curve    (const NnTensor  *predictions,
                            const NnTensor  *targets,
                            guint            c,
                            GArray         **fpr,
                            GArray         **tpr);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnMetrics, nn_metrics_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnMetricsSum, nn_metrics_sum_free)

G_END_DECLS
