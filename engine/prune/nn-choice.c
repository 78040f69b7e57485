/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiple-choice knapsack. Lagrangian prices give the bound; what an option loses against the best of its item at these
 * prices closes all but a few; the open ones are gone through item by item, partial choices that use the same being one
 * (the better), and those that no completion can lead past the incumbent being dropped.
 *
 * Source: Kellerer, Pferschy, Pisinger, Knapsack Problems, chapter 11
 */

#include "nn-choice-private.h"

#include "nn-error.h"

#include <math.h>

/* As in nn-knapsack.c. */
#define SUM_BITS 52
#define MAX_VALUE_BITS 40
#define BUDGET_ALLOWANCE 1e-11
#define GRID_ALLOWANCE 1e-6
/* The first stage is as many halvings of the greedy gap deep. */
#define FIRST_DEPTH 10
/* Partial choices of the first try, and how many first stages deep it goes. */
#define BEAM 2000
#define BEAM_DEPTH 16

static gboolean
check_problem (const NnChoiceProblem *p,
               GError               **error)
{
  if (p->n_resources < 1 || p->n_resources > NN_KNAPSACK_MAX_RESOURCES)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "the choice has %u resources; 1 to %d are possible", p->n_resources,
                   NN_KNAPSACK_MAX_RESOURCES);
      return FALSE;
    }
  for (gsize i = 0; i < p->n; i++)
    {
      gboolean good = p->first[i + 1] > p->first[i];

      for (gsize o = p->first[i]; o < p->first[i + 1] && good; o++)
        {
          good = isfinite (p->values[o]) && p->values[o] >= 0;
          for (guint j = 0; j < p->n_resources && good; j++)
            good = isfinite (p->costs[o * p->n_resources + j]) && p->costs[o * p->n_resources + j] >= 0;
        }
      if (!good)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC,
                       "item %" G_GSIZE_FORMAT " has no option, or one with a negative or infinite value or cost", i);
          return FALSE;
        }
    }
  return nn_knapsack_check_budgets (p->budget, p->n_resources, error);
}

/* Per item and resource the least cost of its options; @open (by option) says which are left. Sums into @least. */
static void
least_costs (const NnChoiceProblem *p,
             const guint8          *open,
             double                *item_least,
             double                *least)
{
  guint m = p->n_resources;

  for (guint j = 0; j < m; j++)
    least[j] = 0;
  for (gsize i = 0; i < p->n; i++)
    for (guint j = 0; j < m; j++)
      {
        double low = INFINITY;

        for (gsize o = p->first[i]; o < p->first[i + 1]; o++)
          if (open[o])
            low = MIN (low, p->costs[o * m + j]);
        item_least[i * m + j] = low;
        least[j] += low;
      }
}

/* Closes options that cannot fit whatever the others take. FALSE when an item has none left. */
static gboolean
close_misfits (const NnChoiceProblem *p,
               guint8                *open,
               double                *item_least,
               double                *least)
{
  guint m = p->n_resources;
  gboolean changed = TRUE;

  while (changed)
    {
      changed = FALSE;
      least_costs (p, open, item_least, least);
      for (guint j = 0; j < m; j++)
        if (!(least[j] <= p->budget[j] + fabs (p->budget[j]) * BUDGET_ALLOWANCE))
          return FALSE;
      for (gsize i = 0; i < p->n; i++)
        {
          gboolean any = FALSE;

          for (gsize o = p->first[i]; o < p->first[i + 1]; o++)
            {
              for (guint j = 0; j < m && open[o]; j++)
                if (p->costs[o * m + j] - item_least[i * m + j] >
                    p->budget[j] + fabs (p->budget[j]) * BUDGET_ALLOWANCE - least[j] + 1e-9 * p->costs[o * m + j])
                  {
                    open[o] = 0;
                    changed = TRUE;
                  }
              any = any || open[o];
            }
          if (!any)
            return FALSE;
        }
    }
  return TRUE;
}

/* The open options with what all of an item's share taken off, resources that bind only, in whole units. */
static NnChoice *
make_choice (const NnChoiceProblem *p,
             const guint8          *open,
             const double          *item_least,
             const double          *least,
             double                *unit,
             double                *cost_unit,
             guint                 *resources)
{
  NnChoice *c = g_new0 (NnChoice, 1);
  g_autofree double *values = NULL;
  gsize n_options = 0, at = 0;
  double most = 0, total[NN_KNAPSACK_MAX_RESOURCES] = { 0 };
  int exponent;

  for (gsize i = 0; i < p->n; i++)
    for (guint j = 0; j < p->n_resources; j++)
      {
        double high = 0;

        for (gsize o = p->first[i]; o < p->first[i + 1]; o++)
          if (open[o])
            high = MAX (high, p->costs[o * p->n_resources + j] - item_least[i * p->n_resources + j]);
        total[j] += high;
      }
  for (guint j = 0; j < p->n_resources; j++)
    if (total[j] > p->budget[j] + fabs (p->budget[j]) * BUDGET_ALLOWANCE - least[j])
      resources[c->m++] = j;
  for (gsize o = 0; o < p->first[p->n]; o++)
    n_options += open[o];
  c->n = p->n;
  c->first = g_new (gsize, c->n + 1);
  c->option = g_new (gsize, MAX (n_options, 1));
  c->value = g_new (gint64, MAX (n_options, 1));
  c->cost = g_new0 (double, MAX (n_options * MAX (c->m, 1), 1));
  c->chosen = g_new0 (gsize, MAX (c->n, 1));
  values = g_new (double, MAX (n_options, 1));
  for (gsize i = 0; i < p->n; i++)
    {
      double low = INFINITY;

      c->first[i] = at;
      for (gsize o = p->first[i]; o < p->first[i + 1]; o++)
        if (open[o])
          low = MIN (low, p->values[o]);
      for (gsize o = p->first[i]; o < p->first[i + 1]; o++)
        {
          if (!open[o])
            continue;
          c->option[at] = o;
          most = MAX (most, values[at] = p->values[o] - low);
          for (guint j = 0; j < c->m; j++)
            c->cost[at * c->m + j] = p->costs[o * p->n_resources + resources[j]] - item_least[i * p->n_resources + resources[j]];
          at++;
        }
    }
  c->first[c->n] = at;
  *unit = nn_grid_unit (values, n_options, 1);
  frexp (most, &exponent);
  if (*unit <= 0)
    *unit = ldexp (1, exponent - MIN (SUM_BITS - (int) ceil (log2 ((double) c->n + 1)), MAX_VALUE_BITS));
  for (gsize k = 0; k < n_options; k++)
    c->value[k] = llround (values[k] / *unit);
  for (guint j = 0; j < c->m; j++)
    {
      double room = p->budget[resources[j]] + fabs (p->budget[resources[j]]) * BUDGET_ALLOWANCE - least[resources[j]];
      double grid = nn_grid_unit (c->cost + j, n_options, c->m), high = 0;

      for (gsize k = 0; k < n_options; k++)
        high = MAX (high, c->cost[k * c->m + j]);
      frexp (high, &exponent);
      cost_unit[j] = grid > 0 ? grid : ldexp (1, exponent);
      for (gsize k = 0; k < n_options; k++)
        c->cost[k * c->m + j] = grid > 0 ? round (c->cost[k * c->m + j] / grid) : c->cost[k * c->m + j] / cost_unit[j];
      c->budget[j] = grid > 0 ? floor (room / grid + GRID_ALLOWANCE) : room / cost_unit[j];
    }
  return c;
}

void
nn_choice_free (NnChoice *c)
{
  g_free (c->first);
  g_free (c->option);
  g_free (c->value);
  g_free (c->cost);
  g_free (c->chosen);
  g_free (c->top);
  g_free (c->profit);
  g_free (c);
}

/* The option of item @i that is worth most at the prices, and that worth. */
static gsize
best_option (const NnChoice *c,
             const double   *lambda,
             gsize           i,
             long double    *worth)
{
  gsize best = c->first[i];

  *worth = -INFINITY;
  for (gsize k = c->first[i]; k < c->first[i + 1]; k++)
    {
      long double w = c->value[k];

      for (guint j = 0; j < c->m; j++)
        w -= (long double) lambda[j] * c->cost[k * c->m + j];
      if (w > *worth)
        {
          *worth = w;
          best = k;
        }
    }
  return best;
}

static long double
dual_value (gconstpointer data,
            const double *lambda,
            double       *used)
{
  const NnChoice *c = data;
  long double total = 0;

  for (guint j = 0; j < c->m; j++)
    {
      total += (long double) lambda[j] * c->budget[j];
      if (used != NULL)
        used[j] = 0;
    }
  for (gsize i = 0; i < c->n; i++)
    {
      long double worth;
      gsize k = best_option (c, lambda, i, &worth);

      total += worth;
      for (guint j = 0; used != NULL && j < c->m; j++)
        used[j] += c->cost[k * c->m + j];
    }
  return total;
}

/* Prices, the bound, and what every option loses at them. */
static void
price (NnChoice       *c,
       const NnLimits *limits)
{
  NnDual dual = { .m = c->m, .value = dual_value, .data = c };

  memcpy (dual.budget, c->budget, sizeof dual.budget);
  nn_dual_minimise (&dual, limits);
  memcpy (c->lambda, dual.lambda, sizeof c->lambda);
  c->bound = dual.bound;
  c->upper = (gint64) floorl (c->bound + NN_CLASSES_ROUNDING);
  c->top = g_new (gsize, MAX (c->n, 1));
  c->profit = g_new (long double, MAX (c->n, 1));
  for (gsize i = 0; i < c->n; i++)
    c->top[i] = best_option (c, c->lambda, i, &c->profit[i]);
}

long double
nn_choice_loss (const NnChoice *c,
                gsize           i,
                gsize           k)
{
  long double loss = c->profit[i] - (long double) c->value[k];

  for (guint j = 0; j < c->m; j++)
    loss += (long double) c->lambda[j] * c->cost[k * c->m + j];
  return loss;
}

/* PROVEN when nothing lies between incumbent and bound, ENOUGH when what lies there is not asked for. */
static NnCoreResult
how_far (const NnChoice *c,
         const NnLimits *limits)
{
  gint64 gap = c->upper - c->best;

  return gap <= 0 ? NN_CORE_PROVEN : c->best >= 0 && gap <= limits->enough ? NN_CORE_ENOUGH : NN_CORE_STOPPED;
}

/* Just below the bound first, then farther and farther down. */
static NnCoreResult
solve_stages (NnChoice       *c,
              const NnLimits *limits)
{
  gint64 start = c->upper, depth = MAX ((c->upper - c->best) >> FIRST_DEPTH, 1);

  /* A better incumbent first, where one near enough will do; then the proof. */
  if (how_far (c, limits) == NN_CORE_STOPPED)
    (void) nn_choice_search (c, MAX (c->upper - MAX (limits->enough, BEAM_DEPTH * depth), c->best), BEAM, limits);
  if (how_far (c, limits) == NN_CORE_STOPPED)
    depth = MAX ((c->upper - c->best) >> FIRST_DEPTH, 1);
  while (how_far (c, limits) == NN_CORE_STOPPED)
    {
      gint64 floor_value = MAX (start - depth, c->best);
      NnCoreResult result = nn_choice_search (c, floor_value, 0, limits);

      if (result == NN_CORE_FAILED || result == NN_CORE_STOPPED)
        return result;
      c->upper = MAX (floor_value, c->best);
      depth *= 2;
    }
  return how_far (c, limits);
}

static void
finish (const NnChoiceProblem *p,
        NnChoiceResult        *r,
        double                 proven_above)
{
  for (gsize i = 0; i < p->n; i++)
    {
      r->value += p->values[r->chosen[i]];
      for (guint j = 0; j < p->n_resources; j++)
        r->used[j] += p->costs[r->chosen[i] * p->n_resources + j];
    }
  r->bound = r->value + proven_above;
  r->gap = r->bound > 0 ? (r->bound - r->value) / r->bound : 0;
}

static gboolean
solve (const NnChoiceProblem   *p,
       const NnKnapsackOptions *options,
       const guint8            *open,
       const double            *item_least,
       const double            *least,
       gint64                   started,
       GCancellable            *cancellable,
       NnChoiceResult          *r,
       GError                 **error)
{
  NnLimits limits = nn_limits_of (options, started, cancellable);
  double unit, cost_unit[NN_KNAPSACK_MAX_RESOURCES];
  guint resources[NN_KNAPSACK_MAX_RESOURCES];
  g_autoptr (NnChoice) c = make_choice (p, open, item_least, least, &unit, cost_unit, resources);
  NnCoreResult core;

  c->best = -1;
  price (c, &limits);
  nn_choice_greedy (c);
  limits.enough = (gint64) ((double) c->bound * CLAMP (options->gap, 0, 1));
  core = solve_stages (c, &limits);
  if (core == NN_CORE_FAILED)
    return FALSE;
  if (c->best < 0)
    {
      if (core == NN_CORE_PROVEN)
        r->status = NN_KNAPSACK_INFEASIBLE;
      else
        g_set_error (error, NN_ERROR, NN_ERROR_SOLVER, "no choice that fits the budgets was found in the time allowed");
      return core == NN_CORE_PROVEN;
    }
  for (gsize i = 0; i < p->n; i++)
    r->chosen[i] = c->option[c->chosen[i]];
  for (guint j = 0; j < c->m; j++)
    r->price[resources[j]] = c->lambda[j] * unit / cost_unit[j];
  r->status = core == NN_CORE_PROVEN                       ? NN_KNAPSACK_OPTIMAL
              : g_cancellable_is_cancelled (cancellable)   ? NN_KNAPSACK_CANCELLED
              : core == NN_CORE_STOPPED && nn_limits_stop (&limits) ? NN_KNAPSACK_TIME_LIMIT
                                                                    : NN_KNAPSACK_GAP;
  finish (p, r, core == NN_CORE_PROVEN ? 0 : (double) (c->upper - c->best) * unit);
  return TRUE;
}

/**
 * nn_choice_solve:
 *
 * Chooses one option of each item, of most value within all budgets. Values are rounded to whole numbers as in
 * nn_knapsack_solve(): "optimal" is an exact statement about these. An infeasible problem gives the status and the cheapest
 * option of each item, which then exceeds the budgets.
 *
 * Returns: (transfer full): with a status, bound and gap; %NULL only for numbers that are none (%NN_ERROR_NUMERIC,
 * %NN_ERROR_LIMIT) or when no choice that fits was found in time (%NN_ERROR_SOLVER)
 */
NnChoiceResult *
nn_choice_solve (const NnChoiceProblem   *problem,
                 const NnKnapsackOptions *options,
                 GCancellable            *cancellable,
                 GError                 **error)
{
  gint64 started = g_get_monotonic_time ();
  g_autoptr (NnChoiceResult) r = g_new0 (NnChoiceResult, 1);
  g_autofree guint8 *open = NULL;
  g_autofree double *item_least = NULL;
  double least[NN_KNAPSACK_MAX_RESOURCES];
  GError *local = NULL;

  if (!check_problem (problem, error))
    return NULL;
  open = g_malloc (problem->first[problem->n] + 1);
  memset (open, 1, problem->first[problem->n] + 1);
  item_least = g_new (double, problem->n * problem->n_resources + 1);
  r->chosen = g_new0 (gsize, problem->n + 1);
  if (!close_misfits (problem, open, item_least, least))
    r->status = NN_KNAPSACK_INFEASIBLE;
  else if (!solve (problem, options, open, item_least, least, started, cancellable, r, &local))
    {
      g_propagate_error (error, local);
      return NULL;
    }
  if (r->status == NN_KNAPSACK_INFEASIBLE)
    {
      for (gsize i = 0; i < problem->n; i++)
        {
          double cheapest = INFINITY;

          for (gsize o = problem->first[i]; o < problem->first[i + 1]; o++)
            {
              double sum = 0;

              for (guint j = 0; j < problem->n_resources; j++)
                sum += problem->costs[o * problem->n_resources + j];
              if (sum < cheapest)
                {
                  cheapest = sum;
                  r->chosen[i] = o;
                }
            }
        }
      finish (problem, r, 0);
    }
  r->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
  return g_steal_pointer (&r);
}

void
nn_choice_result_free (NnChoiceResult *result)
{
  if (result == NULL)
    return;
  g_free (result->chosen);
  g_free (result);
}
