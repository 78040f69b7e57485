/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How good predictions are against labels. */

#include "nn-metrics.h"

#include "nn-error.h"
#include "nn-metrics-private.h"

#include <math.h>
#include <stdlib.h>

/* Probabilities are kept so far from 0 and 1 before the logarithm. Source: Keras's epsilon. */
#define PROBABILITY_EPSILON 1e-7

typedef struct {
  double   score;
  gboolean positive;
} Scored;

static gint
compare_scores (const void *a,
                const void *b)
{
  double x = ((const Scored *) a)->score, y = ((const Scored *) b)->score;

  return (x < y) - (x > y);
}

/* Number of classes: one output tells two apart. */
static gsize
row_size (const NnTensor *tensor)
{
  return nn_tensor_row_size (tensor);
}

gsize
nn_metrics_true_class (const NnTensor *targets,
                       gsize           i)
{
  gsize width = row_size (targets), best = 0;

  if (width == 1)
    return nn_tensor_get (targets, i) > 0.5;
  for (gsize k = 1; k < width; k++)
    if (nn_tensor_get (targets, i * width + k) > nn_tensor_get (targets, i * width + best))
      best = k;
  return best;
}

static gsize
predicted_class (const NnTensor *predictions,
                 gsize           i)
{
  gsize width = row_size (predictions), best = 0;

  if (width == 1)
    return nn_tensor_get (predictions, i) > 0.5;
  for (gsize k = 1; k < width; k++)
    if (nn_tensor_get (predictions, i * width + k) > nn_tensor_get (predictions, i * width + best))
      best = k;
  return best;
}

/* How much the network believes in class @c. */
double
nn_metrics_score (const NnTensor *predictions,
                  gsize           i,
                  gsize           c)
{
  gsize width = row_size (predictions);
  double p = nn_tensor_get (predictions, width == 1 ? i : i * width + c);

  return width == 1 && c == 0 ? 1 - p : p;
}

static Scored *
sorted_scores (const NnTensor *predictions,
               const NnTensor *targets,
               gsize           c,
               gsize          *n_positive)
{
  gsize n = predictions->shape.dims[0];
  Scored *scored = g_new (Scored, n + 1);

  *n_positive = 0;
  for (gsize i = 0; i < n; i++)
    {
      scored[i].score = nn_metrics_score (predictions, i, c);
      scored[i].positive = nn_metrics_true_class (targets, i) == c;
      *n_positive += scored[i].positive;
    }
  qsort (scored, n, sizeof *scored, compare_scores);
  return scored;
}

/*
 * The area under the ROC curve by trapezoids between distinct scores: samples of one score count half, so ties are as
 * in the Mann-Whitney statistic. NaN where one of the two kinds does not occur.
 */
static double
area (const NnTensor *predictions,
      const NnTensor *targets,
      gsize           c)
{
  gsize n = predictions->shape.dims[0], positive, tp = 0, fp = 0;
  g_autofree Scored *scored = sorted_scores (predictions, targets, c, &positive);
  double sum = 0;

  for (gsize i = 0; i < n;)
    {
      gsize old_tp = tp, old_fp = fp, j = i;

      for (; j < n && scored[j].score == scored[i].score; j++)
        scored[j].positive ? tp++ : fp++;
      sum += (double) (fp - old_fp) * (tp + old_tp) / 2;
      i = j;
    }
  return positive > 0 && positive < n ? sum / ((double) positive * (n - positive)) : NAN;
}

static double
clip_probability (double p)
{
  return p < PROBABILITY_EPSILON ? PROBABILITY_EPSILON : p > 1 - PROBABILITY_EPSILON ? 1 - PROBABILITY_EPSILON : p;
}

/* Cross-entropy of one sample; outputs that do not add up to 1 are divided by their sum, as Keras does. */
static double
cross_entropy (const NnTensor *predictions,
               const NnTensor *targets,
               gsize           i)
{
  gsize width = row_size (predictions), c = nn_metrics_true_class (targets, i);
  double sum = 0;

  for (gsize k = 0; width > 1 && k < width; k++)
    sum += nn_tensor_get (predictions, i * width + k);
  return -log (clip_probability (sum > 0 ? nn_metrics_score (predictions, i, c) / sum : nn_metrics_score (predictions, i, c)));
}

/* Two one-hot columns against one output: the second of them. */
static void
add_errors (NnMetrics      *metrics,
            const NnTensor *predictions,
            const NnTensor *targets)
{
  gsize wide = row_size (predictions), width = row_size (targets);

  for (gsize i = 0; i < predictions->n; i++)
    {
      double d = nn_tensor_get (predictions, i) - nn_tensor_get (targets, width == wide ? i : i * width + 1);

      metrics->mse += d * d;
      metrics->mae += fabs (d);
    }
}

void
nn_metrics_add_sums (NnMetrics      *metrics,
                     const NnTensor *predictions,
                     const NnTensor *targets)
{
  gsize n = (gsize) predictions->shape.dims[0], wide = row_size (predictions), width = row_size (targets);

  for (gsize i = 0; metrics->is_classes && i < n; i++)
    {
      gsize is = nn_metrics_true_class (targets, i), said = predicted_class (predictions, i);

      metrics->accuracy += is == said;
      metrics->confusion[is * metrics->n_classes + said]++;
      metrics->loss += cross_entropy (predictions, targets, i);
    }
  if (wide == width || wide == 1)
    add_errors (metrics, predictions, targets);
  metrics->n += n;
}

void
nn_metrics_finish_sums (NnMetrics *metrics,
                        gsize      wide,
                        gsize      width)
{
  if (wide == width || wide == 1)
    {
      metrics->mse /= (double) metrics->n * wide;
      metrics->mae /= (double) metrics->n * wide;
    }
  if (metrics->is_classes)
    {
      metrics->loss /= metrics->n;
      metrics->accuracy /= metrics->n;
    }
  else
    metrics->loss = metrics->mse;
}

gboolean
nn_metrics_check (const NnTensor *predictions,
                  const NnTensor *targets,
                  gboolean        is_classes,
                  gsize           first,
                  GError        **error)
{
  gsize wide = row_size (predictions), width = row_size (targets);

  if (predictions->shape.rank == 0 || targets->shape.rank == 0 || predictions->shape.dims[0] != targets->shape.dims[0] ||
      predictions->shape.dims[0] == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "there are not as many predictions as targets, or none");
      return FALSE;
    }
  if (wide != width && !(is_classes && wide == 1 && width == 2) && !(is_classes && wide == 2 && width == 1))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                   "the network has %" G_GSIZE_FORMAT " outputs, but the data have %" G_GSIZE_FORMAT " %s", wide, width,
                   is_classes ? "classes" : "targets a sample");
      return FALSE;
    }
  for (gsize i = 0; i < predictions->n; i++)
    if (!isfinite (nn_tensor_get (predictions, i)))
      {
        g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "the prediction for sample %" G_GSIZE_FORMAT " is not a finite number",
                     first + i / wide + 1);
        return FALSE;
      }
  return TRUE;
}

/**
 * nn_metrics_new:
 * @predictions: (n, outputs)
 * @targets: (n, classes) one-hot, or (n, 1), or (n, outputs) of a regression
 *
 * Errors: %NN_ERROR_SHAPE when the two do not fit, %NN_ERROR_NUMERIC for predictions that are not finite
 *
 * Returns: (transfer full): the figures
 */
NnMetrics *
nn_metrics_new (const NnTensor *predictions,
                const NnTensor *targets,
                gboolean        is_classes,
                GError        **error)
{
  g_autoptr (NnMetrics) metrics = g_new0 (NnMetrics, 1);

  if (!nn_metrics_check (predictions, targets, is_classes, 0, error))
    return NULL;
  metrics->is_classes = is_classes;
  if (is_classes)
    {
      metrics->n_classes = MAX (row_size (predictions), 2);
      metrics->auc = g_new0 (double, metrics->n_classes);
      metrics->confusion = g_new0 (gsize, (gsize) metrics->n_classes * metrics->n_classes);
    }
  nn_metrics_add_sums (metrics, predictions, targets);
  nn_metrics_finish_sums (metrics, row_size (predictions), row_size (targets));
  for (guint c = 0; c < metrics->n_classes; c++)
    metrics->auc[c] = area (predictions, targets, c);
  return g_steal_pointer (&metrics);
}

void
nn_metrics_free (NnMetrics *metrics)
{
  if (metrics == NULL)
    return;
  g_free (metrics->auc);
  g_free (metrics->confusion);
  g_free (metrics);
}

/**
 * nn_roc_curve:
 * @c: the class that counts as positive
 * @fpr: (out) (element-type double) (transfer full): false positive rates, from 0 to 1
 * @tpr: (out) (element-type double) (transfer full): true positive rates
 *
 * One point for each distinct score, and the origin.
 */
void
nn_roc_curve (const NnTensor *predictions,
              const NnTensor *targets,
              guint           c,
              GArray        **fpr,
              GArray        **tpr)
{
  gsize n = predictions->shape.dims[0], positive, tp = 0, fp = 0;
  g_autofree Scored *scored = sorted_scores (predictions, targets, c, &positive);

  *fpr = g_array_new (FALSE, FALSE, sizeof (double));
  *tpr = g_array_new (FALSE, FALSE, sizeof (double));
  for (gsize i = 0; i <= n; i++)
    {
      double x = n > positive ? (double) fp / (n - positive) : 0, y = positive > 0 ? (double) tp / positive : 0;

      if (i == 0 || i == n || scored[i].score != scored[i - 1].score)
        {
          g_array_append_val (*fpr, x);
          g_array_append_val (*tpr, y);
        }
      if (i < n)
        scored[i].positive ? tp++ : fp++;
    }
}
