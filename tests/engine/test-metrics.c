/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: figures of merit. */

#include "nn-metrics.h"

#include "nn-error.h"
#include "nn-rng.h"

#include <math.h>
#include <string.h>

static NnTensor *
matrix (gint64        rows,
        gint64        columns,
        const double *values)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (rows, columns));

  memcpy (tensor->data, values, rows * columns * sizeof *values);
  return tensor;
}

static void
test_classes (void)
{
  static const double p[] = { 0.7, 0.2, 0.1, 0.1, 0.6, 0.3, 0.3, 0.4, 0.3, 0.2, 0.2, 0.6 };
  static const double y[] = { 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1 };
  static const gsize confusion[] = { 1, 1, 0, 0, 1, 0, 0, 0, 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) predictions = matrix (4, 3, p), targets = matrix (4, 3, y);
  g_autoptr (NnMetrics) metrics = nn_metrics_new (predictions, targets, TRUE, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (metrics->n, ==, 4);
  g_assert_cmpfloat (metrics->accuracy, ==, 0.75);
  g_assert_cmpfloat_with_epsilon (metrics->loss, -(log (0.7) + log (0.6) + log (0.3) + log (0.6)) / 4, 1e-12);
  g_assert_cmpmem (metrics->confusion, sizeof confusion, confusion, sizeof confusion);
  g_assert_cmpfloat (metrics->auc[0], ==, 1);
  g_assert_cmpfloat (metrics->auc[1], ==, 1);
  g_assert_cmpfloat_with_epsilon (metrics->auc[2], 1, 1e-15);
}

/* One sigmoid output against 0 and 1, with a tie across the classes that counts one half. */
static void
test_binary_ties (void)
{
  static const double p[] = { 0.1, 0.4, 0.4, 0.8, 0.4 };
  static const double y[] = { 0, 0, 1, 1, 0 };
  static const double hot[] = { 1, 0, 1, 0, 0, 1, 0, 1, 1, 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) predictions = matrix (5, 1, p), targets = matrix (5, 1, y), one_hot = matrix (5, 2, hot);
  g_autoptr (NnMetrics) metrics = nn_metrics_new (predictions, targets, TRUE, &error);
  g_autoptr (NnMetrics) same = nn_metrics_new (predictions, one_hot, TRUE, &error);

  g_assert_no_error (error);
  /* pairs: 6; won 1+0.5+0.5+3 of them */
  g_assert_cmpfloat_with_epsilon (metrics->auc[1], 5.0 / 6, 1e-15);
  g_assert_cmpfloat_with_epsilon (metrics->auc[0], 5.0 / 6, 1e-15);
  g_assert_cmpfloat (metrics->accuracy, ==, 0.8);
  g_assert_cmpuint (metrics->n_classes, ==, 2);
  g_assert_cmpfloat (same->loss, ==, metrics->loss);
  g_assert_cmpfloat (same->mse, ==, metrics->mse);
  g_assert_cmpfloat (same->auc[1], ==, metrics->auc[1]);
}

/* Against the definition: the share of pairs in which the positive scores higher, ties one half. */
static void
test_auc_by_definition (void)
{
  NnRng rng;

  nn_rng_init (&rng, 7);
  for (guint round = 0; round < 50; round++)
    {
      enum { N = 60 };
      double p[N], y[N], won = 0, pairs = 0;
      g_autoptr (NnTensor) predictions = NULL, targets = NULL;
      g_autoptr (NnMetrics) metrics = NULL;
      g_autoptr (GArray) fpr = NULL, tpr = NULL;
      double trapezoids = 0;

      for (guint i = 0; i < N; i++)
        {
          p[i] = nn_rng_below (&rng, 10) / 10.0;
          y[i] = nn_rng_below (&rng, 2);
        }
      for (guint i = 0; i < N; i++)
        for (guint j = 0; j < N; j++)
          if (y[i] == 1 && y[j] == 0)
            {
              pairs++;
              won += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
            }
      predictions = matrix (N, 1, p);
      targets = matrix (N, 1, y);
      metrics = nn_metrics_new (predictions, targets, TRUE, NULL);
      g_assert_cmpfloat_with_epsilon (metrics->auc[1], won / pairs, 1e-12);
      nn_roc_curve (predictions, targets, 1, &fpr, &tpr);
      for (guint i = 1; i < fpr->len; i++)
        trapezoids += (g_array_index (fpr, double, i) - g_array_index (fpr, double, i - 1)) *
                      (g_array_index (tpr, double, i) + g_array_index (tpr, double, i - 1)) / 2;
      g_assert_cmpfloat_with_epsilon (trapezoids, metrics->auc[1], 1e-12);
      g_assert_cmpfloat (g_array_index (fpr, double, 0), ==, 0);
      g_assert_cmpfloat (g_array_index (tpr, double, tpr->len - 1), ==, 1);
    }
}

static void
test_regression (void)
{
  static const double p[] = { 1, 2, 3, 4 }, y[] = { 1, 4, 3, 0 };
  g_autoptr (NnTensor) predictions = matrix (2, 2, p), targets = matrix (2, 2, y);
  g_autoptr (NnMetrics) metrics = nn_metrics_new (predictions, targets, FALSE, NULL);

  g_assert_cmpfloat (metrics->mse, ==, 5);
  g_assert_cmpfloat (metrics->mae, ==, 1.5);
  g_assert_cmpfloat (metrics->loss, ==, 5);
}

static void
test_bad (void)
{
  static const double p[] = { 1, NAN, 3, 4, 5, 6 };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) a = matrix (2, 3, p), b = matrix (3, 2, p), c = matrix (2, 2, p);

  g_assert_null (nn_metrics_new (a, b, TRUE, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (nn_metrics_new (a, c, TRUE, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
  g_clear_error (&error);
  g_assert_null (nn_metrics_new (a, a, FALSE, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
}

/* The same figures piece by piece; counted scores differ in no more than ties of the leading bits. */
static void
test_pieces (void)
{
  enum { N = 1000, CLASSES = 3, PIECE = 300 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autofree double *p = g_new (double, N * CLASSES), *y = g_new0 (double, N * CLASSES);
  g_autoptr (NnTensor) predictions = NULL, targets = NULL;
  g_autoptr (NnMetrics) whole = NULL;

  for (guint i = 0; i < N; i++)
    {
      guint c = g_rand_int_range (rand, 0, CLASSES);
      double sum = 0;

      y[i * CLASSES + c] = 1;
      for (guint k = 0; k < CLASSES; k++)
        sum += p[i * CLASSES + k] = g_rand_double (rand) + (k == c ? 0.3 : 0);
      for (guint k = 0; k < CLASSES; k++)
        p[i * CLASSES + k] /= sum;
    }
  predictions = matrix (N, CLASSES, p);
  targets = matrix (N, CLASSES, y);
  whole = nn_metrics_new (predictions, targets, TRUE, NULL);
  for (guint counted = 0; counted < 2; counted++)
    {
      g_autoptr (NnMetricsSum) sum = nn_metrics_sum_new (N, TRUE);
      g_autoptr (NnMetrics) metrics = NULL;
      g_autoptr (GError) error = NULL;

      if (counted)
        nn_metrics_sum_keep (sum, 0);
      for (guint first = 0; first < N; first += PIECE)
        {
          g_autoptr (NnTensor) a = nn_tensor_rows (predictions, first, MIN (PIECE, N - first));
          g_autoptr (NnTensor) b = nn_tensor_rows (targets, first, MIN (PIECE, N - first));

          g_assert_true (nn_metrics_sum_add (sum, a, b, &error));
          g_assert_no_error (error);
        }
      metrics = nn_metrics_sum_end (sum, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (metrics->n, ==, N);
      g_assert_cmpfloat (metrics->loss, ==, whole->loss);
      g_assert_cmpfloat (metrics->accuracy, ==, whole->accuracy);
      g_assert_cmpfloat (metrics->mse, ==, whole->mse);
      g_assert_cmpmem (metrics->confusion, CLASSES * CLASSES * sizeof (gsize), whole->confusion, CLASSES * CLASSES * sizeof (gsize));
      for (guint c = 0; c < CLASSES; c++)
        g_assert_cmpfloat_with_epsilon (metrics->auc[c], whole->auc[c], counted ? 1e-4 : 0x1p-1000);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/classes", test_classes);
  g_test_add_func ("/metrics/binary-ties", test_binary_ties);
  g_test_add_func ("/metrics/auc-by-definition", test_auc_by_definition);
  g_test_add_func ("/metrics/regression", test_regression);
  g_test_add_func ("/metrics/bad", test_bad);
  g_test_add_func ("/metrics/pieces", test_pieces);
  return g_test_run ();
}
