/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The multiple-choice knapsack against brute force, against the plain knapsack, and against its own bound. */

#include "nn-choice.h"
#include "nn-error.h"
#include "nn-rng.h"

#include <math.h>

#define MAX_ITEMS 7
#define MAX_OPTIONS 4

static NnChoiceResult *
solve (const NnChoiceProblem *problem,
       double                 gap,
       double                 seconds)
{
  g_autoptr (GError) error = NULL;
  NnKnapsackOptions options;
  NnChoiceResult *result;

  nn_knapsack_options_init (&options);
  options.gap = gap;
  options.time_limit = seconds;
  result = nn_choice_solve (problem, &options, NULL, &error);
  g_assert_no_error (error);
  return result;
}

static double
brute_force (const NnChoiceProblem *p)
{
  gsize at[MAX_ITEMS] = { 0 };
  double best = -1;

  for (;;)
    {
      double value = 0, used[NN_KNAPSACK_MAX_RESOURCES] = { 0 };
      gboolean fits = TRUE;
      gsize i;

      for (i = 0; i < p->n; i++)
        {
          gsize o = p->first[i] + at[i];

          value += p->values[o];
          for (guint j = 0; j < p->n_resources; j++)
            used[j] += p->costs[o * p->n_resources + j];
        }
      for (guint j = 0; j < p->n_resources; j++)
        fits = fits && used[j] <= p->budget[j] * (1 + 1e-11);
      if (fits)
        best = MAX (best, value);
      for (i = 0; i < p->n && ++at[i] == p->first[i + 1] - p->first[i]; i++)
        at[i] = 0;
      if (i == p->n)
        return best;
    }
}

static void
check_feasible (const NnChoiceProblem *p,
                const NnChoiceResult  *r)
{
  double value = 0;

  for (gsize i = 0; i < p->n; i++)
    {
      g_assert_cmpuint (r->chosen[i], >=, p->first[i]);
      g_assert_cmpuint (r->chosen[i], <, p->first[i + 1]);
      value += p->values[r->chosen[i]];
    }
  for (guint j = 0; j < p->n_resources; j++)
    {
      double used = 0;

      for (gsize i = 0; i < p->n; i++)
        used += p->costs[r->chosen[i] * p->n_resources + j];
      g_assert_cmpfloat (used, <=, p->budget[j] * (1 + 1e-9) + 1e-9);
      g_assert_cmpfloat (fabs (used - r->used[j]), <=, 1e-9 * (1 + used));
      g_assert_cmpfloat (r->price[j], >=, 0);
    }
  g_assert_cmpfloat (fabs (value - r->value), <=, 1e-9 * (1 + value));
  g_assert_cmpfloat (r->bound, >=, r->value);
}

/* Whole numbers with ties and zeros, reals, huge and tiny ones; with and without an option that takes nothing. */
static void
test_brute_force (void)
{
  gsize first[MAX_ITEMS + 1] = { 0 };
  double values[MAX_ITEMS * MAX_OPTIONS], costs[MAX_ITEMS * MAX_OPTIONS * 4], budget[4];
  guint n_infeasible = 0;
  NnRng rng;

  nn_rng_init (&rng, 17);
  for (guint t = 0; t < 2000; t++)
    {
      gsize n = 1 + nn_rng_below (&rng, MAX_ITEMS);
      guint m = 1 + t % 4, kind = t / 4 % 6;
      double total[4] = { 0 }, unit = kind == 4 ? 1e200 : kind == 5 ? 1e-200 : 1;
      NnChoiceProblem p = { n, first, m, values, costs, budget };
      g_autoptr (NnChoiceResult) r = NULL;
      double best;

      for (gsize i = 0; i < n; i++)
        {
          first[i + 1] = first[i] + 1 + nn_rng_below (&rng, MAX_OPTIONS);
          for (gsize o = first[i]; o < first[i + 1]; o++)
            {
              gboolean none = o + 1 == first[i + 1] && t % 3 != 0;

              values[o] = kind % 2 == 0 ? (double) nn_rng_below (&rng, 7) : nn_rng_uniform (&rng) * 10;
              values[o] *= none ? 0 : unit;
              for (guint j = 0; j < m; j++)
                {
                  double c = kind == 2 ? nn_rng_uniform (&rng) : (double) nn_rng_below (&rng, 5);

                  costs[o * m + j] = none ? 0 : c * unit;
                  total[j] += costs[o * m + j];
                }
            }
        }
      for (guint j = 0; j < m; j++)
        budget[j] = total[j] * nn_rng_uniform (&rng) * 0.6;
      best = brute_force (&p);
      r = solve (&p, 0, 60);
      if (best < 0)
        {
          g_assert_cmpint (r->status, ==, NN_KNAPSACK_INFEASIBLE);
          n_infeasible++;
          continue;
        }
      check_feasible (&p, r);
      g_assert_cmpint (r->status, ==, NN_KNAPSACK_OPTIMAL);
      g_assert_cmpfloat (r->gap, ==, 0);
      if (fabs (r->value - best) > 1e-9 * MAX (best, unit))
        g_error ("case %u: %zu items, %u resources: %.12g instead of %.12g", t, n, m, r->value, best);
    }
  g_assert_cmpuint (n_infeasible, >, 50);
}

/* With two options each it is the plain knapsack. */
static void
test_plain (void)
{
  const gsize n = 3000;
  g_autofree gsize *first = g_new (gsize, n + 1);
  g_autofree double *values = g_new0 (double, 2 * n), *costs = g_new0 (double, 4 * n);
  g_autofree double *plain_values = g_new (double, n), *plain_costs = g_new (double, 2 * n);

  for (guint seed = 1; seed <= 2; seed++)
    {
      double budget[2] = { 0 };
      NnChoiceProblem p = { n, first, 2, values, costs, budget };
      NnKnapsackProblem q = { n, 2, plain_values, plain_costs, budget, NULL };
      g_autoptr (NnChoiceResult) r = NULL;
      g_autoptr (NnKnapsackResult) s = NULL;
      g_autoptr (GError) error = NULL;
      NnKnapsackOptions options;
      NnRng rng;

      nn_rng_init (&rng, seed);
      for (gsize i = 0; i <= n; i++)
        first[i] = 2 * i;
      for (gsize i = 0; i < n; i++)
        {
          plain_values[i] = values[2 * i + 1] = fabs (nn_rng_normal (&rng));
          for (guint j = 0; j < 2; j++)
            budget[j] += 0.4 * (plain_costs[2 * i + j] = costs[4 * i + 2 + j] = (double) (1 + nn_rng_below (&rng, 4)));
        }
      nn_knapsack_options_init (&options);
      options.time_limit = 120;
      r = solve (&p, 0, 120);
      s = nn_knapsack_solve (&q, &options, NULL, &error);
      g_assert_no_error (error);
      check_feasible (&p, r);
      g_assert_cmpint (r->status, ==, NN_KNAPSACK_OPTIMAL);
      g_assert_cmpint (s->status, ==, NN_KNAPSACK_OPTIMAL);
      g_assert_cmpfloat (fabs (r->value - s->value), <=, 1e-6 * s->value);
    }
}

/* Keep, move or cut: a multiplier, an adder or two, nothing. */
static void
check_large (gsize   n,
             guint   m,
             gboolean tied,
             double  gap,
             guint64 seed)
{
  g_autofree gsize *first = g_new (gsize, n + 1);
  g_autofree double *values = g_new (double, 3 * n), *costs = g_new0 (double, 3 * n * m);
  double budget[4] = { 0 };
  NnChoiceProblem p = { n, first, m, values, costs, budget };
  g_autoptr (NnChoiceResult) r = NULL;
  NnRng rng;

  nn_rng_init (&rng, seed);
  for (gsize i = 0; i <= n; i++)
    first[i] = 3 * i;
  for (gsize i = 0; i < n; i++)
    {
      double worth = fabs (nn_rng_normal (&rng)), adder = 20 + (double) nn_rng_below (&rng, 3), cost[3][4] = { { 0 } };

      worth = tied ? ceil (worth * 16) / 16 : worth;
      values[3 * i] = worth;
      values[3 * i + 1] = worth * (tied ? 0.5 : nn_rng_uniform (&rng));
      values[3 * i + 2] = 0;
      cost[0][0] = 1;
      cost[0][1] = adder;
      cost[1][1] = adder * (1 + (double) nn_rng_below (&rng, 2));
      cost[0][2] = cost[1][2] = 7.3;
      for (guint k = 0; k < 3; k++)
        for (guint j = 0; j < m; j++)
          costs[(3 * i + k) * m + j] = cost[k][j];
      budget[0] += 0.1;
      budget[1] += adder * 0.4;
      budget[2] += 7.3 * 0.5;
    }
  r = solve (&p, gap, 120);
  check_feasible (&p, r);
  g_test_message ("%zu items, %u resources, %s: %s, gap %.3g, %.4f s", n, m, tied ? "tied" : "free", nn_knapsack_status_name (r->status),
                  r->gap, r->seconds);
  g_assert_cmpfloat (r->gap, <=, gap);
  if (gap == 0)
    g_assert_cmpint (r->status, ==, NN_KNAPSACK_OPTIMAL);
}

static void
test_large (void)
{
  check_large (50000, 1, FALSE, 0, 1);
  check_large (50000, 1, TRUE, 0, 2);
  check_large (5000, 2, FALSE, 1e-4, 1);
  for (guint64 seed = 1; seed <= 2; seed++)
    {
      check_large (50, 2, FALSE, 0, seed);
      check_large (50, 2, TRUE, 0, seed);
      check_large (50, 3, FALSE, 0, seed);
      check_large (500, 2, FALSE, 1e-4, seed);
      check_large (500, 2, TRUE, 1e-4, seed);
      check_large (500, 3, FALSE, 1e-3, seed);
    }
}

static void
test_bad (void)
{
  const gsize one[] = { 0, 1 }, none[] = { 0, 0 };
  const double v[] = { 1 }, bad[] = { NAN }, c[] = { 2 }, b[] = { 1 }, enough[] = { 2 };
  g_autoptr (NnChoiceResult) infeasible = solve (&(NnChoiceProblem) { 1, one, 1, v, c, b }, 0, 0);
  g_autoptr (NnChoiceResult) fits = solve (&(NnChoiceProblem) { 1, one, 1, v, c, enough }, 0, 0);
  g_autoptr (NnChoiceResult) empty = solve (&(NnChoiceProblem) { 0, none, 1, v, c, b }, 0, 0);
  g_autoptr (GError) error = NULL;
  NnKnapsackOptions options;

  nn_knapsack_options_init (&options);
  g_assert_cmpint (infeasible->status, ==, NN_KNAPSACK_INFEASIBLE);
  g_assert_cmpint (fits->status, ==, NN_KNAPSACK_OPTIMAL);
  g_assert_cmpfloat (fits->value, ==, 1);
  g_assert_cmpint (empty->status, ==, NN_KNAPSACK_OPTIMAL);
  g_assert_null (nn_choice_solve (&(NnChoiceProblem) { 1, one, 1, bad, c, b }, &options, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
  g_clear_error (&error);
  g_assert_null (nn_choice_solve (&(NnChoiceProblem) { 1, none, 1, v, c, b }, &options, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/choice/brute-force", test_brute_force);
  g_test_add_func ("/choice/plain", test_plain);
  g_test_add_func ("/choice/large", test_large);
  g_test_add_func ("/choice/bad", test_bad);
  return g_test_run ();
}
