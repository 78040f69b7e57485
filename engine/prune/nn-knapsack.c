/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The knapsack as its callers see it: presolve into classes, the phases, the result. */

#include "nn-knapsack-private.h"

#include "nn-error.h"

#include <math.h>

/* Sums of scaled values stay below 2^52, so that doubles hold them exactly. */
#define SUM_BITS 52
#define MAX_VALUE_BITS 40
/* What rounding may add to a sum of costs; relative to the budget. */
#define BUDGET_ALLOWANCE 1e-11
/* The same in units of costs that are whole. */
#define GRID_ALLOWANCE 1e-6

#define DEFAULT_TIME_LIMIT 10

typedef struct {
  const NnKnapsackProblem *p;
  NnKnapsackResult        *result;
  double                   fixed_use[NN_KNAPSACK_MAX_RESOURCES];
  guint                    used_resources[NN_KNAPSACK_MAX_RESOURCES]; /* those that bind anything at all */
  guint                    m;
  guint32                 *free_items; /* what presolve left open */
  gsize                    n_free;
  double                   unit;      /* of the scaled values */
  double                   cost_unit[NN_KNAPSACK_MAX_RESOURCES];
} Presolve;

void
nn_knapsack_options_init (NnKnapsackOptions *options)
{
  *options = (NnKnapsackOptions) { .gap = 0, .time_limit = DEFAULT_TIME_LIMIT };
}

gboolean
nn_knapsack_check_budgets (const double  *budget,
                           guint          n,
                           GError       **error)
{
  for (guint j = 0; j < n; j++)
    if (isnan (budget[j]))
      {
        g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "the budget of resource %u is not a number", j);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_problem (const NnKnapsackProblem *p,
               GError                 **error)
{
  if (p->n_resources < 1 || p->n_resources > NN_KNAPSACK_MAX_RESOURCES || p->n > G_MAXINT32)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT,
                   "the selection has %u resources and %" G_GSIZE_FORMAT " groups; 1 to %d resources and 2^31 groups are possible",
                   p->n_resources, p->n, NN_KNAPSACK_MAX_RESOURCES);
      return FALSE;
    }
  for (gsize i = 0; i < p->n; i++)
    {
      gboolean good = isfinite (p->values[i]) && p->values[i] >= 0;

      for (guint j = 0; j < p->n_resources && good; j++)
        good = isfinite (p->costs[i * p->n_resources + j]) && p->costs[i * p->n_resources + j] >= 0;
      if (!good)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC,
                       "group %" G_GSIZE_FORMAT " has a negative or infinite importance or cost", i);
          return FALSE;
        }
    }
  return nn_knapsack_check_budgets (p->budget, p->n_resources, error);
}

/* What is decided without search: pins, what costs nothing, what is worth nothing, what does not fit by itself. */
static void
decide_plain (Presolve *s)
{
  const NnKnapsackProblem *p = s->p;
  guint8 *keep = s->result->keep;
  double room[NN_KNAPSACK_MAX_RESOURCES];

  for (gsize i = 0; i < p->n; i++)
    if (p->pin != NULL && p->pin[i] > 0)
      {
        keep[i] = 1;
        for (guint j = 0; j < p->n_resources; j++)
          s->fixed_use[j] += p->costs[i * p->n_resources + j];
      }
  for (guint j = 0; j < p->n_resources; j++)
    room[j] = p->budget[j] + fabs (p->budget[j]) * BUDGET_ALLOWANCE - s->fixed_use[j];
  for (gsize i = 0; i < p->n; i++)
    {
      const double *cost = p->costs + i * p->n_resources;
      gboolean is_free = TRUE, fits = TRUE;

      if (p->pin != NULL && p->pin[i] != 0)
        continue;
      for (guint j = 0; j < p->n_resources; j++)
        {
          is_free = is_free && cost[j] == 0;
          fits = fits && (cost[j] == 0 || cost[j] <= room[j]);
        }
      if (is_free)
        keep[i] = 1;
      else if (fits && p->values[i] > 0)
        s->free_items[s->n_free++] = (guint32) i;
    }
}

/* Resources that even all open items together do not exhaust say nothing. */
static void
find_binding (Presolve *s)
{
  const NnKnapsackProblem *p = s->p;
  double total[NN_KNAPSACK_MAX_RESOURCES] = { 0 };

  for (gsize i = 0; i < s->n_free; i++)
    for (guint j = 0; j < p->n_resources; j++)
      total[j] += p->costs[(gsize) s->free_items[i] * p->n_resources + j];
  for (guint j = 0; j < p->n_resources; j++)
    if (total[j] > p->budget[j] + fabs (p->budget[j]) * BUDGET_ALLOWANCE - s->fixed_use[j])
      s->used_resources[s->m++] = j;
}

static guint
hash_cost (const double *cost,
           const guint  *resources,
           guint         m)
{
  guint64 h = 0x9e3779b97f4a7c15u;

  for (guint j = 0; j < m; j++)
    {
      guint64 bits;
      double c = cost[resources[j]] + 0.0;

      memcpy (&bits, &c, sizeof bits);
      h = (h ^ bits) * 0xbf58476d1ce4e5b9u;
      h ^= h >> 29;
    }
  return (guint) (h ^ (h >> 32));
}

/* Gives every open item its class; returns their number. */
static gsize
find_classes (const Presolve *s,
              guint32        *class_of,
              GArray         *costs)
{
  const NnKnapsackProblem *p = s->p;
  gsize size = 64, n = 0;
  guint32 *table;

  while (size < s->n_free * 2)
    size *= 2;
  table = g_new (guint32, size);
  memset (table, 0xff, sizeof *table * size);
  for (gsize i = 0; i < s->n_free; i++)
    {
      const double *cost = p->costs + (gsize) s->free_items[i] * p->n_resources;
      gsize slot = hash_cost (cost, s->used_resources, s->m) & (size - 1);

      for (;; slot = (slot + 1) & (size - 1))
        {
          gboolean same = TRUE;

          if (table[slot] == G_MAXUINT32)
            {
              table[slot] = (guint32) n++;
              for (guint j = 0; j < s->m; j++)
                g_array_append_val (costs, cost[s->used_resources[j]]);
              break;
            }
          for (guint j = 0; j < s->m && same; j++)
            same = g_array_index (costs, double, table[slot] * s->m + j) == cost[s->used_resources[j]];
          if (same)
            break;
        }
      class_of[i] = table[slot];
    }
  g_free (table);
  return n;
}

/* Sorts positions by falling value, stably: least significant digits first, by counting. */
static void
sort_by_value (gint64  *value,
               guint32 *item,
               gsize    n,
               gint64  *other_value,
               guint32 *other_item)
{
  gint64 all = 0;

  for (gsize i = 0; i < n; i++)
    all |= value[i];
  for (guint shift = 0; shift < 64 && (all >> shift) != 0; shift += 11)
    {
      gsize at[2049] = { 0 };

      for (gsize i = 0; i < n; i++)
        at[2047 - ((value[i] >> shift) & 2047) + 1]++;
      for (guint d = 0; d < 2048; d++)
        at[d + 1] += at[d];
      for (gsize i = 0; i < n; i++)
        {
          gsize to = at[2047 - ((value[i] >> shift) & 2047)]++;

          other_value[to] = value[i];
          other_item[to] = item[i];
        }
      memcpy (value, other_value, sizeof *value * n);
      memcpy (item, other_item, sizeof *item * n);
    }
}

/* A grid that all values lie on, or one so fine that sums are whole numbers a double holds. Returns whether it is theirs. */
static gboolean
choose_scale (Presolve *s)
{
  g_autofree double *values = g_new (double, s->n_free);
  double most = 0;
  int bits = SUM_BITS - (int) ceil (log2 ((double) s->n_free + 1)), exponent;

  for (gsize i = 0; i < s->n_free; i++)
    most = MAX (most, values[i] = s->p->values[s->free_items[i]]);
  s->unit = nn_grid_unit (values, s->n_free, 1);
  if (s->unit > 0)
    return TRUE;
  frexp (most, &exponent);
  s->unit = ldexp (1, exponent - MIN (bits, MAX_VALUE_BITS));
  return FALSE;
}

/* Costs on a grid become whole numbers, and the room for them is rounded down; others come near one, without rounding. */
static void
scale_costs (Presolve  *s,
             NnClasses *c)
{
  c->is_whole = TRUE;
  for (guint j = 0; j < c->m; j++)
    {
      double budget = s->p->budget[s->used_resources[j]], unit = nn_grid_unit (c->cost + j, c->n_classes, c->m), most = 0;
      gboolean whole = unit > 0;
      int exponent;

      for (gsize k = 0; k < c->n_classes; k++)
        most = MAX (most, c->cost[k * c->m + j]);
      frexp (most, &exponent);
      if (!whole)
        unit = ldexp (1, exponent);
      for (gsize k = 0; k < c->n_classes; k++)
        c->cost[k * c->m + j] = whole ? round (c->cost[k * c->m + j] / unit) : c->cost[k * c->m + j] / unit;
      c->budget[j] = (budget + fabs (budget) * BUDGET_ALLOWANCE - s->fixed_use[s->used_resources[j]]) / unit;
      if (whole)
        c->budget[j] = floor (c->budget[j] + GRID_ALLOWANCE);
      c->is_whole = c->is_whole && whole;
      s->cost_unit[j] = unit;
    }
}

static NnClasses *
make_classes (Presolve *s)
{
  const NnKnapsackProblem *p = s->p;
  NnClasses *c = g_new0 (NnClasses, 1);
  g_autofree guint32 *class_of = g_new (guint32, s->n_free);
  g_autofree gint64 *sort_value = g_new (gint64, s->n_free);
  g_autofree guint32 *sort_item = g_new (guint32, s->n_free);
  g_autofree gsize *at = NULL;
  GArray *costs = g_array_new (FALSE, FALSE, sizeof (double));

  c->is_coarse = choose_scale (s);
  c->m = s->m;
  c->n_classes = find_classes (s, class_of, costs);
  c->cost = (double *) g_array_free (costs, FALSE);
  c->start = g_new0 (gsize, c->n_classes + 1);
  c->value = g_new (gint64, s->n_free);
  c->item = g_new (guint32, s->n_free);
  c->prefix = g_new (gint64, s->n_free + c->n_classes);
  c->count = g_new0 (gsize, c->n_classes);
  for (gsize i = 0; i < s->n_free; i++)
    c->start[class_of[i] + 1]++;
  for (gsize k = 0; k < c->n_classes; k++)
    c->start[k + 1] += c->start[k];
  at = g_memdup2 (c->start, sizeof (gsize) * (c->n_classes + 1));
  for (gsize i = 0; i < s->n_free; i++)
    {
      gsize to = at[class_of[i]]++;

      c->value[to] = llround (p->values[s->free_items[i]] / s->unit);
      c->item[to] = s->free_items[i];
    }
  for (gsize k = 0; k < c->n_classes; k++)
    {
      gint64 sum = 0;

      if (nn_class_size (c, k) > 1)
        sort_by_value (c->value + c->start[k], c->item + c->start[k], nn_class_size (c, k), sort_value, sort_item);
      c->prefix[c->start[k] + k] = 0;
      for (gsize i = 0; i < nn_class_size (c, k); i++)
        c->prefix[c->start[k] + k + i + 1] = sum += c->value[c->start[k] + i];
    }
  scale_costs (s, c);
  return c;
}

static void
classes_free (NnClasses *c)
{
  g_free (c->cost);
  g_free (c->start);
  g_free (c->value);
  g_free (c->item);
  g_free (c->prefix);
  g_free (c->count);
  g_free (c);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnClasses, classes_free)

/* One class: its best members, as many as fit. The price is the value of the first that does not. */
static void
solve_single (NnClasses *c)
{
  double fit = (double) nn_class_size (c, 0);
  guint tight = 0;
  gsize count;

  for (guint j = 0; j < c->m; j++)
    if (c->cost[j] > 0 && floor (c->budget[j] / c->cost[j]) < fit)
      {
        fit = floor (c->budget[j] / c->cost[j]);
        tight = j;
      }
  count = (gsize) fit;
  c->count[0] = count;
  c->best = nn_class_value (c, 0, count);
  c->bound = c->best;
  if (count < nn_class_size (c, 0))
    c->lambda[tight] = (double) c->value[c->start[0] + count] / c->cost[tight];
}

/* Items whose scaled value is 0, and any room that is left over: nothing that fits is thrown away. */
static void
use_leftover (const Presolve *s)
{
  const NnKnapsackProblem *p = s->p;
  guint8 *keep = s->result->keep;
  double room[NN_KNAPSACK_MAX_RESOURCES];

  for (guint j = 0; j < p->n_resources; j++)
    room[j] = p->budget[j] + fabs (p->budget[j]) * BUDGET_ALLOWANCE;
  for (gsize i = 0; i < p->n; i++)
    for (guint j = 0; keep[i] && j < p->n_resources; j++)
      room[j] -= p->costs[i * p->n_resources + j];
  for (gsize i = 0; i < s->n_free; i++)
    {
      const double *cost = p->costs + (gsize) s->free_items[i] * p->n_resources;
      gboolean fits = !keep[s->free_items[i]];

      for (guint j = 0; j < p->n_resources && fits; j++)
        fits = cost[j] <= room[j];
      if (!fits)
        continue;
      keep[s->free_items[i]] = 1;
      for (guint j = 0; j < p->n_resources; j++)
        room[j] -= cost[j];
    }
}

static void
finish (const Presolve  *s,
        const NnClasses *c,
        double           proven_above)
{
  const NnKnapsackProblem *p = s->p;
  NnKnapsackResult *r = s->result;

  if (c != NULL)
    for (gsize k = 0; k < c->n_classes; k++)
      for (gsize i = 0; i < c->count[k]; i++)
        r->keep[c->item[c->start[k] + i]] = 1;
  use_leftover (s);
  for (gsize i = 0; i < p->n; i++)
    if (r->keep[i])
      {
        r->n_kept++;
        r->value += p->values[i];
        for (guint j = 0; j < p->n_resources; j++)
          r->used[j] += p->costs[i * p->n_resources + j];
      }
  for (guint j = 0; c != NULL && j < c->m; j++)
    r->price[s->used_resources[j]] = c->lambda[j] * s->unit / s->cost_unit[j];
  r->bound = r->value + proven_above;
  r->gap = r->bound > 0 ? (r->bound - r->value) / r->bound : 0;
}

static gboolean
solve_classes (Presolve                *s,
               NnClasses               *c,
               const NnKnapsackOptions *options,
               gint64                   started,
               GCancellable            *cancellable,
               GError                 **error)
{
  NnLimits limits = nn_limits_of (options, started, cancellable);
  NnKnapsackResult *r = s->result;
  NnCoreResult core = NN_CORE_PROVEN;

  if (c->n_classes == 1)
    solve_single (c);
  else
    {
      nn_dual_solve (c, &limits);
      limits.enough = (gint64) ((double) c->bound * CLAMP (options->gap, 0, 1));
      core = nn_core_solve (c, &limits, error);
      if (core == NN_CORE_FAILED)
        return FALSE;
    }
  if (core == NN_CORE_PROVEN)
    {
      r->status = NN_KNAPSACK_OPTIMAL;
      finish (s, c, 0);
      return TRUE;
    }
  r->status = g_cancellable_is_cancelled (cancellable) ? NN_KNAPSACK_CANCELLED
              : core == NN_CORE_ENOUGH                 ? NN_KNAPSACK_GAP
                                                       : NN_KNAPSACK_TIME_LIMIT;
  finish (s, c, (double) (c->upper - c->best) * s->unit);
  return TRUE;
}

/**
 * nn_knapsack_solve:
 *
 * Chooses the items of most value within all budgets. Values are rounded to integers of 2^-k of the largest (k is 33 for
 * half a million items, up to 40 for fewer): "optimal" is an exact statement about these.
 *
 * Returns: (transfer full): always with a status, bound and gap; %NULL only for numbers that are none (%NN_ERROR_NUMERIC,
 * %NN_ERROR_LIMIT) or when the solver failed (%NN_ERROR_SOLVER)
 *
 * Source: reduction by classes, Lagrangian dual and core: Kellerer, Pferschy, Pisinger, Knapsack Problems, chapters 5, 9
 */
NnKnapsackResult *
nn_knapsack_solve (const NnKnapsackProblem *problem,
                   const NnKnapsackOptions *options,
                   GCancellable            *cancellable,
                   GError                 **error)
{
  gint64 started = g_get_monotonic_time ();
  g_autoptr (NnKnapsackResult) result = g_new0 (NnKnapsackResult, 1);
  g_autofree guint32 *free_items = NULL;
  Presolve s = { .p = problem, .result = result };
  gboolean feasible = TRUE, solved = TRUE;

  if (!check_problem (problem, error))
    return NULL;
  result->keep = g_malloc0 (MAX (problem->n, 1));
  s.free_items = free_items = g_new (guint32, MAX (problem->n, 1));
  decide_plain (&s);
  for (guint j = 0; j < problem->n_resources; j++)
    feasible = feasible && s.fixed_use[j] <= problem->budget[j] + fabs (problem->budget[j]) * BUDGET_ALLOWANCE;
  find_binding (&s);
  if (!feasible)
    {
      /* What must stay does, and nothing else. */
      result->status = NN_KNAPSACK_INFEASIBLE;
      s.n_free = 0;
      finish (&s, NULL, 0);
    }
  else if (s.m == 0)
    finish (&s, NULL, 0);
  else
    {
      g_autoptr (NnClasses) classes = make_classes (&s);

      solved = solve_classes (&s, classes, options, started, cancellable, error);
    }
  result->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
  return solved ? g_steal_pointer (&result) : NULL;
}

void
nn_knapsack_result_free (NnKnapsackResult *result)
{
  if (result == NULL)
    return;
  g_free (result->keep);
  g_free (result);
}

const char *
nn_knapsack_status_name (NnKnapsackStatus status)
{
  switch (status)
    {
    case NN_KNAPSACK_OPTIMAL:
      return "optimal";
    case NN_KNAPSACK_GAP:
      return "gap";
    case NN_KNAPSACK_TIME_LIMIT:
      return "time-limit";
    case NN_KNAPSACK_CANCELLED:
      return "cancelled";
    case NN_KNAPSACK_INFEASIBLE:
      return "infeasible";
    }
  return "unknown";
}
