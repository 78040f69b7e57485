/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The knapsack against brute force, against its own bound, and against published cases. */

#include "nn-error.h"
#include "nn-knapsack.h"
#include "nn-rng.h"

#include <math.h>

#define MAX_N 14

static NnKnapsackResult *
solve (const NnKnapsackProblem *problem,
       double                   gap,
       double                   seconds)
{
  g_autoptr (GError) error = NULL;
  NnKnapsackOptions options;
  NnKnapsackResult *result;

  nn_knapsack_options_init (&options);
  options.gap = gap;
  options.time_limit = seconds;
  result = nn_knapsack_solve (problem, &options, NULL, &error);
  g_assert_no_error (error);
  return result;
}

static double
brute_force (const NnKnapsackProblem *p)
{
  double best = -1;

  for (guint set = 0; set < 1u << p->n; set++)
    {
      double value = 0, used[NN_KNAPSACK_MAX_RESOURCES] = { 0 };
      gboolean good = TRUE;

      for (gsize i = 0; i < p->n; i++)
        {
          gboolean in = (set >> i) & 1;

          if (p->pin != NULL && ((p->pin[i] > 0 && !in) || (p->pin[i] < 0 && in)))
            good = FALSE;
          for (guint j = 0; in && j < p->n_resources; j++)
            used[j] += p->costs[i * p->n_resources + j];
          value += in ? p->values[i] : 0;
        }
      for (guint j = 0; j < p->n_resources; j++)
        good = good && used[j] <= p->budget[j] * (1 + 1e-11);
      if (good)
        best = MAX (best, value);
    }
  return best;
}

static void
check_feasible (const NnKnapsackProblem *p,
                const NnKnapsackResult  *r)
{
  double value = 0;
  gsize kept = 0;

  for (guint j = 0; j < p->n_resources; j++)
    {
      double used = 0;

      for (gsize i = 0; i < p->n; i++)
        used += r->keep[i] ? p->costs[i * p->n_resources + j] : 0;
      g_assert_cmpfloat (used, <=, p->budget[j] * (1 + 1e-9) + 1e-9);
      g_assert_cmpfloat (fabs (used - r->used[j]), <=, 1e-9 * (1 + used));
      g_assert_cmpfloat (r->price[j], >=, 0);
    }
  for (gsize i = 0; i < p->n; i++)
    {
      value += r->keep[i] ? p->values[i] : 0;
      kept += r->keep[i];
      if (p->pin != NULL && p->pin[i] != 0)
        g_assert_cmpint (r->keep[i], ==, p->pin[i] > 0);
    }
  g_assert_cmpfloat (fabs (value - r->value), <=, 1e-9 * (1 + value));
  g_assert_cmpuint (kept, ==, r->n_kept);
  g_assert_cmpfloat (r->bound, >=, r->value);
}

/* Values and costs of several kinds: whole numbers with ties and zeros, reals, few classes, costs bound to values. */
static void
make_random (NnRng  *rng,
             guint   kind,
             gsize   n,
             guint   m,
             double *values,
             double *costs,
             double *budget,
             gint8  *pin)
{
  double total[NN_KNAPSACK_MAX_RESOURCES] = { 0 };

  for (gsize i = 0; i < n; i++)
    {
      values[i] = kind % 2 == 0 ? (double) nn_rng_below (rng, 9) : nn_rng_uniform (rng) * 10;
      for (guint j = 0; j < m; j++)
        {
          double c = kind < 2   ? (double) nn_rng_below (rng, 6)
                     : kind < 4 ? 1 + (double) ((i + j) % 3)
                     : kind < 6 ? nn_rng_uniform (rng) * 3
                                : values[i] + (double) nn_rng_below (rng, 3);

          costs[i * m + j] = c;
          total[j] += c;
        }
      pin[i] = nn_rng_below (rng, 8) == 0 ? (gint8) (nn_rng_below (rng, 2) * 2) - 1 : 0;
    }
  for (guint j = 0; j < m; j++)
    budget[j] = kind < 4 ? floor (total[j] * nn_rng_uniform (rng)) : total[j] * nn_rng_uniform (rng);
}

static void
test_brute_force (void)
{
  double values[MAX_N], costs[MAX_N * 4], budget[4];
  gint8 pin[MAX_N];
  NnRng rng;
  guint n_infeasible = 0;

  nn_rng_init (&rng, 7);
  for (guint t = 0; t < 6000; t++)
    {
      gsize n = 1 + nn_rng_below (&rng, t % 50 == 0 ? MAX_N : 9);
      guint m = 1 + t % 4;
      NnKnapsackProblem p = { n, m, values, costs, budget, t % 3 == 0 ? pin : NULL };
      g_autoptr (NnKnapsackResult) r = NULL;
      double best;

      make_random (&rng, t / 4 % 8, n, m, values, costs, budget, pin);
      best = brute_force (&p);
      r = solve (&p, 0, 0);
      if (best < 0)
        {
          g_assert_cmpint (r->status, ==, NN_KNAPSACK_INFEASIBLE);
          n_infeasible++;
          continue;
        }
      check_feasible (&p, r);
      g_assert_cmpint (r->status, ==, NN_KNAPSACK_OPTIMAL);
      g_assert_cmpfloat (r->gap, ==, 0);
      if (fabs (r->value - best) > 1e-9)
        g_error ("case %u: %zu items, %u resources: %.12g instead of %.12g", t, n, m, r->value, best);
    }
  g_assert_cmpuint (n_infeasible, >, 10);
}

/* hls4ml's own cases (its test_knapsack.py). */
static void
test_published (void)
{
  const double v1[] = { 4, 5, 6, 8, 3 }, w1[] = { 2, 5, 3, 2, 5 }, b1[] = { 8 };
  const double v2[] = { 10, 2, 6, 12, 3 }, w2[] = { 3, 3, 1, 2, 4, 4, 5, 1, 5, 2 }, b2[] = { 8, 7 };
  const double equal[] = { 2, 2, 2, 2, 2 }, b3[] = { 4 }, all[] = { 1000, 1000 };
  const guint8 k1[] = { 1, 0, 1, 1, 0 }, k2[] = { 1, 0, 0, 1, 0 };
  g_autoptr (NnKnapsackResult) r1 = solve (&(NnKnapsackProblem) { 5, 1, v1, w1, b1, NULL }, 0, 0);
  g_autoptr (NnKnapsackResult) r2 = solve (&(NnKnapsackProblem) { 5, 2, v2, w2, b2, NULL }, 0, 0);
  g_autoptr (NnKnapsackResult) r3 = solve (&(NnKnapsackProblem) { 5, 1, (double[]) { 10, 2, 6, 8, 3 }, equal, b3, NULL }, 0, 0);
  g_autoptr (NnKnapsackResult) r4 = solve (&(NnKnapsackProblem) { 5, 2, v2, w2, all, NULL }, 0, 0);

  g_assert_cmpfloat (r1->value, ==, 18);
  g_assert_cmpmem (r1->keep, 5, k1, 5);
  g_assert_cmpfloat (r2->value, ==, 22);
  g_assert_cmpmem (r2->keep, 5, k2, 5);
  g_assert_cmpfloat (r3->value, ==, 18);
  g_assert_cmpmem (r3->keep, 5, k2, 5);
  g_assert_cmpfloat (r4->value, ==, 33);
  g_assert_cmpuint (r4->n_kept, ==, 5);
}

static void
test_special (void)
{
  const double values[] = { 0, 3, 0, 5, 2 }, costs[] = { 0, 0, 1, 1, 1 }, one[] = { 1 }, none[] = { 0 }, more[] = { 3 };
  const gint8 pins[] = { 0, 0, 1, 1, 0 };
  const guint8 k1[] = { 1, 1, 0, 1, 0 }, k0[] = { 1, 1, 0, 0, 0 };
  g_autoptr (NnKnapsackResult) r1 = solve (&(NnKnapsackProblem) { 5, 1, values, costs, one, NULL }, 0, 0);
  g_autoptr (NnKnapsackResult) r0 = solve (&(NnKnapsackProblem) { 5, 1, values, costs, none, NULL }, 0, 0);
  g_autoptr (NnKnapsackResult) pinned = solve (&(NnKnapsackProblem) { 5, 1, values, costs, one, pins }, 0, 0);
  g_autoptr (NnKnapsackResult) fits = solve (&(NnKnapsackProblem) { 5, 1, values, costs, more, NULL }, 0, 0);
  g_autoptr (NnKnapsackResult) empty = solve (&(NnKnapsackProblem) { 0, 1, values, costs, one, NULL }, 0, 0);
  g_autoptr (GError) error = NULL;
  NnKnapsackOptions options;

  g_assert_cmpmem (r1->keep, 5, k1, 5); /* free ones stay, worthless ones that cost go */
  g_assert_cmpfloat (r1->price[0], ==, 2);
  g_assert_cmpmem (r0->keep, 5, k0, 5);
  g_assert_cmpint (pinned->status, ==, NN_KNAPSACK_INFEASIBLE);
  g_assert_cmpuint (fits->n_kept, ==, 4);
  g_assert_cmpint (empty->status, ==, NN_KNAPSACK_OPTIMAL);
  nn_knapsack_options_init (&options);
  g_assert_null (nn_knapsack_solve (&(NnKnapsackProblem) { 1, 1, (double[]) { NAN }, one, one, NULL }, &options, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
}

static void
check_large (gsize  n,
             guint  m,
             guint  n_classes,
             guint  levels,
             double max_gap,
             guint64 seed)
{
  g_autofree double *values = g_new (double, n), *costs = g_new (double, n * m), *table = g_new (double, n_classes * m);
  double budget[NN_KNAPSACK_MAX_RESOURCES] = { 0 };
  NnKnapsackProblem p = { n, m, values, costs, budget, NULL };
  g_autoptr (NnKnapsackResult) r = NULL;
  NnRng rng;

  nn_rng_init (&rng, seed);
  for (guint k = 0; k < n_classes * m; k++)
    table[k] = (double) (1 + nn_rng_below (&rng, 6));
  for (gsize i = 0; i < n; i++)
    {
      guint k = (guint) nn_rng_below (&rng, n_classes);

      values[i] = fabs (nn_rng_normal (&rng));
      if (levels > 0)
        values[i] = ceil (values[i] * levels / 4) / levels;
      for (guint j = 0; j < m; j++)
        budget[j] += (costs[i * m + j] = table[k * m + j]) * 0.5;
    }
  for (guint j = 0; j < m; j++)
    budget[j] = floor (budget[j] * (1 - 0.1 * j));
  r = solve (&p, max_gap, 120);
  check_feasible (&p, r);
  g_test_message ("%zu groups, %u resources, %u classes, %u levels: %s, gap %.3g, %.4f s", n, m, n_classes, levels,
                  nn_knapsack_status_name (r->status), r->gap, r->seconds);
  g_assert_cmpfloat (r->gap, <=, max_gap);
  if (max_gap == 0)
    g_assert_cmpint (r->status, ==, NN_KNAPSACK_OPTIMAL);
}

/* Many equal values and costs with a common structure, where a search by counts would never end; steps of a tenth, which no
 * double holds exactly, too. */
static void
test_tied (void)
{
  for (guint64 seed = 11; seed <= 14; seed++)
    for (guint m = 1; m <= 4; m++)
      {
        check_large (5000, m, 10, 64, 0, seed);
        check_large (50000, m, 10, 64, 0, seed);
        check_large (50000, m, 6, 10, 0, seed);
        check_large (20000, m, 20, 100, m > 2 ? 1e-5 : 0, seed);
      }
}

/* Values and costs far from one: the same choice, whatever the unit. */
static void
test_units (void)
{
  static const double units[] = { 1e-300, 1e-30, 1e-6, 0.1, 1e9, 1e30, 1e290 };
  double values[MAX_N], costs[MAX_N * 4], budget[4], scaled_values[MAX_N], scaled_costs[MAX_N * 4], scaled_budget[4];
  gint8 pin[MAX_N];
  NnRng rng;

  nn_rng_init (&rng, 21);
  for (guint t = 0; t < 1400; t++)
    {
      gsize n = 1 + nn_rng_below (&rng, 9);
      guint m = 1 + t % 4;
      double unit = units[t % G_N_ELEMENTS (units)], cost_unit = units[t / 7 % G_N_ELEMENTS (units)];
      NnKnapsackProblem p = { n, m, scaled_values, scaled_costs, scaled_budget, NULL };
      g_autoptr (NnKnapsackResult) r = NULL;
      double best;

      make_random (&rng, t / 4 % 8, n, m, values, costs, budget, pin);
      for (gsize i = 0; i < n; i++)
        scaled_values[i] = values[i] * unit;
      for (gsize i = 0; i < n * m; i++)
        scaled_costs[i] = costs[i] * cost_unit;
      for (guint j = 0; j < m; j++)
        scaled_budget[j] = budget[j] * cost_unit;
      best = brute_force (&p);
      r = solve (&p, 0, 0);
      g_assert_cmpint (r->status, ==, NN_KNAPSACK_OPTIMAL);
      if (fabs (r->value - best) > 1e-9 * best)
        g_error ("case %u: %zu items, %u resources, units %g and %g: %.12g instead of %.12g", t, n, m, unit, cost_unit, r->value, best);
      g_assert_cmpfloat (r->bound, >=, r->value);
    }
}

static void
test_large (void)
{
  for (guint64 seed = 1; seed <= 6; seed++)
    for (gsize n = 50; n <= 50000; n *= 10)
      {
        check_large (n, 1, 3, 0, 0, seed);
        check_large (n, 1, 10, 64, 0, seed);
        check_large (n, 2, 3, 0, 0, seed);
        check_large (n, 2, 10, 0, 0, seed);
        check_large (n, 4, 8, 0, n >= 500 ? 1e-5 : 0, seed);
      }
}

/* A cancelled or timed-out search still gives a selection and an honest bound. */
static void
test_stop (void)
{
  g_autofree double *values = g_new (double, 4000), *costs = g_new (double, 4000 * 4);
  double budget[4] = { 0 };
  NnKnapsackProblem p = { 4000, 4, values, costs, budget, NULL };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (NnKnapsackResult) cancelled = NULL, limited = NULL;
  g_autoptr (GError) error = NULL;
  NnKnapsackOptions options;
  NnRng rng;

  nn_rng_init (&rng, 3);
  for (gsize i = 0; i < 4000; i++)
    {
      values[i] = 0.5 + nn_rng_uniform (&rng);
      for (guint j = 0; j < 4; j++)
        budget[j] += (costs[i * 4 + j] = 0.5 + nn_rng_uniform (&rng)) / 3;
    }
  nn_knapsack_options_init (&options);
  g_cancellable_cancel (cancellable);
  cancelled = nn_knapsack_solve (&p, &options, cancellable, &error);
  g_assert_no_error (error);
  g_assert_cmpint (cancelled->status, ==, NN_KNAPSACK_CANCELLED);
  check_feasible (&p, cancelled);
  limited = solve (&p, 0, 0.05);
  check_feasible (&p, limited);
  g_assert_cmpfloat (limited->seconds, <, 2);
  g_assert_cmpfloat (limited->gap, <, 0.01);
  g_assert_cmpfloat (limited->value, >=, cancelled->value);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/knapsack/published", test_published);
  g_test_add_func ("/knapsack/special", test_special);
  g_test_add_func ("/knapsack/brute-force", test_brute_force);
  g_test_add_func ("/knapsack/large", test_large);
  g_test_add_func ("/knapsack/tied", test_tied);
  g_test_add_func ("/knapsack/units", test_units);
  g_test_add_func ("/knapsack/stop", test_stop);
  return g_test_run ();
}
