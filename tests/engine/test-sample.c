/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample: toy jets are the same for any number of threads, and the classes differ as they should. */

#include "nn-jets.h"
#include "nn-parallel.h"

#include <math.h>
#include <string.h>

enum { ZLOGZ = 0, MASS = 14, MULTIPLICITY = 15 };

static void
test_threads (void)
{
  g_autoptr (NnTensor) x1 = NULL, y1 = NULL, x2 = NULL, y2 = NULL;
  g_autoptr (GError) error = NULL;

  nn_parallel_set_threads (1);
  g_assert_true (nn_jets_make (3000, 5, NULL, NULL, &x1, &y1, &error));
  nn_parallel_set_threads (3);
  g_assert_true (nn_jets_make (3000, 5, NULL, NULL, &x2, &y2, &error));
  nn_parallel_set_threads (0);
  g_assert_cmpmem (x1->data, x1->n * sizeof (float), x2->data, x2->n * sizeof (float));
  g_assert_cmpmem (y1->data, y1->n * sizeof (float), y2->data, y2->n * sizeof (float));
}

static void
test_standardised (void)
{
  g_autoptr (NnTensor) x = NULL, y = NULL;
  g_autoptr (GError) error = NULL;
  const gsize n = 5000;

  g_assert_true (nn_jets_make (n, 2, NULL, NULL, &x, &y, &error));
  for (guint f = 0; f < NN_JETS_N_FEATURES; f++)
    {
      double sum = 0, squares = 0;

      for (gsize i = 0; i < n; i++)
        {
          double v = nn_tensor_f32 (x)[i * NN_JETS_N_FEATURES + f];

          g_assert_true (isfinite (v));
          sum += v;
          squares += v * v;
        }
      g_assert_cmpfloat (fabs (sum / n), <, 1e-4);
      g_assert_cmpfloat (fabs (squares / n - 1), <, 1e-3);
    }
  for (gsize i = 0; i < n; i++)
    {
      float sum = 0;

      for (guint c = 0; c < NN_JETS_N_CLASSES; c++)
        sum += nn_tensor_f32 (y)[i * NN_JETS_N_CLASSES + c];
      g_assert_true (sum == 1);
    }
}

static double
median_mass (NnJetClass jet_class,
             double    *multiplicity)
{
  g_autoptr (GArray) masses = g_array_new (FALSE, FALSE, sizeof (double));
  const guint n = 400;

  *multiplicity = 0;
  for (guint i = 0; i < n; i++)
    {
      double features[NN_JETS_N_FEATURES];
      guint at = 0;

      nn_jet_make (jet_class, 9, i, features);
      *multiplicity += features[MULTIPLICITY] / n;
      while (at < masses->len && g_array_index (masses, double, at) < features[MASS])
        at++;
      g_array_insert_val (masses, at, features[MASS]);
    }
  return g_array_index (masses, double, n / 2);
}

static void
test_physics (void)
{
  double gluon, quark, other;

  median_mass (NN_JET_GLUON, &gluon);
  median_mass (NN_JET_QUARK, &quark);
  /* the colour factors' ratio is 9/4; a cut-off shower comes near it from below */
  g_assert_cmpfloat (gluon / quark, >, 1.4);
  g_assert_cmpfloat (gluon / quark, <, 2.25);
  /* groomed masses near those of the Review of Particle Physics */
  g_assert_cmpfloat (fabs (median_mass (NN_JET_W, &other) - 80.4), <, 6);
  g_assert_cmpfloat (fabs (median_mass (NN_JET_Z, &other) - 91.2), <, 6);
  g_assert_cmpfloat (fabs (median_mass (NN_JET_TOP, &other) - 172.7), <, 20);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sample/jets/threads", test_threads);
  g_test_add_func ("/sample/jets/standardised", test_standardised);
  g_test_add_func ("/sample/jets/physics", test_physics);
  return g_test_run ();
}
