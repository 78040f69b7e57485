/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of nn_metrics_new(), from predictions that come piece by piece and need not fit into memory together. */

#include "nn-metrics.h"

#include "nn-error.h"
#include "nn-metrics-private.h"

#include <math.h>
#include <string.h>

/* Numbers up to which all predictions are kept, so that the area under the curve is exact. */
#define KEPT_NUMBERS (G_GUINT64_CONSTANT (1) << 25)
/* Scores of a sample that are counted instead: so many of the leading bits of their float32 tell them apart. */
#define SCORE_BITS 20
#define SCORE_BITS_MANY 14
#define MANY_CLASSES 16

struct _NnMetricsSum {
  gsize      n_samples, done;
  guint64    keep;
  gboolean   is_classes;
  gsize      wide, width;  /* numbers of a prediction, of a target */
  NnTensor  *predictions;  /* owned, nullable: all, where they are kept */
  NnTensor  *targets;      /* owned, nullable */
  NnMetrics *metrics;      /* owned, nullable: sums, where they are not */
  guint      bits;
  guint32   *scores;       /* owned: for each class and score: negatives, positives */
};

/**
 * nn_metrics_sum_new:
 * @n_samples: that will come
 * @is_classes: whether targets are classes
 *
 * Returns: (transfer full): a sum over nothing
 */
NnMetricsSum *
nn_metrics_sum_new (gsize    n_samples,
                    gboolean is_classes)
{
  NnMetricsSum *sum = g_new0 (NnMetricsSum, 1);

  sum->n_samples = n_samples;
  sum->is_classes = is_classes;
  sum->keep = KEPT_NUMBERS;
  return sum;
}

void
nn_metrics_sum_keep (NnMetricsSum *sum,
                     guint64       numbers)
{
  sum->keep = numbers;
}

static gboolean
begin (NnMetricsSum    *sum,
       const NnTensor  *predictions,
       const NnTensor  *targets,
       GError         **error)
{
  NnShape shape = predictions->shape;
  guint n_classes;

  sum->wide = nn_tensor_row_size (predictions);
  sum->width = nn_tensor_row_size (targets);
  if ((double) sum->n_samples * (sum->wide + sum->width) <= (double) sum->keep)
    {
      shape.dims[0] = (gint64) sum->n_samples;
      sum->predictions = nn_tensor_try_new (NN_DTYPE_F64, &shape, error);
      shape = targets->shape;
      shape.dims[0] = (gint64) sum->n_samples;
      sum->targets = sum->predictions != NULL ? nn_tensor_try_new (targets->dtype, &shape, error) : NULL;
      return sum->targets != NULL;
    }
  n_classes = (guint) MAX (sum->wide, 2);
  sum->metrics = g_new0 (NnMetrics, 1);
  sum->metrics->is_classes = sum->is_classes;
  if (!sum->is_classes)
    return TRUE;
  sum->bits = n_classes > MANY_CLASSES ? SCORE_BITS_MANY : SCORE_BITS;
  sum->metrics->n_classes = n_classes;
  sum->metrics->auc = g_new0 (double, n_classes);
  sum->metrics->confusion = g_new0 (gsize, (gsize) n_classes * n_classes);
  sum->scores = g_try_new0 (guint32, (gsize) n_classes * 2 << sum->bits);
  if (sum->scores == NULL)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "the scores of so many classes do not fit into memory");
  return sum->scores != NULL;
}

/* Counts that grow with the score. */
static gsize
score_place (guint  bits,
             double score)
{
  float value = (float) score;
  guint32 word;

  memcpy (&word, &value, sizeof word);
  word = word & 0x80000000u ? ~word : word | 0x80000000u;
  return word >> (32 - bits);
}

static void
count_scores (NnMetricsSum    *sum,
              const NnTensor  *predictions,
              const NnTensor  *targets)
{
  for (gsize i = 0; i < (gsize) predictions->shape.dims[0]; i++)
    {
      gsize is = nn_metrics_true_class (targets, i);

      for (guint c = 0; c < sum->metrics->n_classes; c++)
        {
          gsize place = score_place (sum->bits, nn_metrics_score (predictions, i, c));

          sum->scores[((gsize) c * 2 + (is == c)) << sum->bits | place]++;
        }
    }
}

/**
 * nn_metrics_sum_add:
 * @predictions: (n, outputs), the next n
 * @targets: as for nn_metrics_new()
 *
 * Errors: as nn_metrics_new()
 */
gboolean
nn_metrics_sum_add (NnMetricsSum    *sum,
                    const NnTensor  *predictions,
                    const NnTensor  *targets,
                    GError         **error)
{
  gsize n = (gsize) predictions->shape.dims[0];

  g_return_val_if_fail (sum->done + n <= sum->n_samples, FALSE);
  if (!nn_metrics_check (predictions, targets, sum->is_classes, sum->done, error) ||
      (sum->done == 0 && !begin (sum, predictions, targets, error)))
    return FALSE;
  if (sum->predictions != NULL)
    {
      for (gsize i = 0; i < predictions->n; i++)
        nn_tensor_f64 (sum->predictions)[sum->done * sum->wide + i] = nn_tensor_get (predictions, i);
      memcpy ((guint8 *) sum->targets->data + sum->done * sum->width * nn_dtype_size (targets->dtype), targets->data,
              targets->n * nn_dtype_size (targets->dtype));
    }
  else
    {
      nn_metrics_add_sums (sum->metrics, predictions, targets);
      if (sum->is_classes)
        count_scores (sum, predictions, targets);
    }
  sum->done += n;
  return TRUE;
}

/* The area under the curve from counted scores, those of one count being ties. */
static double
counted_area (const NnMetricsSum *sum,
              guint               c)
{
  const guint32 *negative = sum->scores + ((gsize) c * 2 << sum->bits), *positive = sum->scores + (((gsize) c * 2 + 1) << sum->bits);
  double tp = 0, fp = 0, area = 0;

  for (gsize k = (gsize) 1 << sum->bits; k-- > 0;)
    {
      area += negative[k] * (tp + positive[k] / 2.0);
      tp += positive[k];
      fp += negative[k];
    }
  return tp > 0 && fp > 0 ? area / (tp * fp) : NAN;
}

/**
 * nn_metrics_sum_end:
 *
 * Errors: %NN_ERROR_SHAPE when there were no samples
 *
 * Returns: (transfer full): the figures
 */
NnMetrics *
nn_metrics_sum_end (NnMetricsSum  *sum,
                    GError       **error)
{
  if (sum->done == 0 || sum->done != sum->n_samples)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "there are not as many predictions as targets, or none");
      return NULL;
    }
  if (sum->predictions != NULL)
    return nn_metrics_new (sum->predictions, sum->targets, sum->is_classes, error);
  nn_metrics_finish_sums (sum->metrics, sum->wide, sum->width);
  for (guint c = 0; c < sum->metrics->n_classes; c++)
    sum->metrics->auc[c] = counted_area (sum, c);
  return g_steal_pointer (&sum->metrics);
}

void
nn_metrics_sum_free (NnMetricsSum *sum)
{
  if (sum == NULL)
    return;
  nn_tensor_unref (sum->predictions);
  nn_tensor_unref (sum->targets);
  nn_metrics_free (sum->metrics);
  g_free (sum->scores);
  g_free (sum);
}
