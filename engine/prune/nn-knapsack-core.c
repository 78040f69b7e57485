/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From prices to a proven selection: a greedy incumbent, then ever wider cores around the prices' border. */

#include "nn-knapsack-private.h"

#include <math.h>

/* Nodes after which the search gives way to branch and cut. */
#define SEARCH_NODES 3000000
#define TIED_NODES 20000
/* Classes beyond which the search is not tried. */
#define SEARCH_CLASSES 400
/* Classes beyond which it would not fit the stack. */
#define SEARCH_DEPTH 20000
/* The first stage is as many halvings of the greedy gap deep. */
#define FIRST_DEPTH 12

typedef struct {
  double *price; /* (n_classes): lambda . cost */
  gsize  *low;   /* (n_classes): items before are in */
  gsize  *high;  /* (n_classes): items from here on are out */
} Border;

static double
class_price (const NnClasses *c,
             gsize            k)
{
  long double price = 0;

  for (guint j = 0; j < c->m; j++)
    price += (long double) c->lambda[j] * c->cost[k * c->m + j];
  return (double) price;
}

/* Items of class @k worth more than @threshold (or as much, with @also_equal). */
static gsize
count_over (const NnClasses *c,
            gsize            k,
            double           threshold,
            gboolean         also_equal)
{
  const gint64 *value = c->value + c->start[k];
  gsize low = 0, high = nn_class_size (c, k);

  while (low < high)
    {
      gsize mid = low + (high - low) / 2;
      double v = (double) value[mid];

      if (v > threshold || (also_equal && v == threshold))
        low = mid + 1;
      else
        high = mid;
    }
  return low;
}

static void
room_left (const NnClasses *c,
           const gsize     *count,
           double          *room)
{
  for (guint j = 0; j < c->m; j++)
    room[j] = c->budget[j];
  for (gsize k = 0; k < c->n_classes; k++)
    for (guint j = 0; j < c->m; j++)
      room[j] -= c->cost[k * c->m + j] * (double) count[k];
}

/* By how much one item of class @k relieves what is overdrawn. */
static double
relief (const NnClasses *c,
        gsize            k,
        const double    *room)
{
  double sum = 0;

  for (guint j = 0; j < c->m; j++)
    if (room[j] < 0)
      sum += MIN (c->cost[k * c->m + j], -room[j]) / MAX (c->budget[j], 1e-300);
  return sum;
}

static void
make_feasible (const NnClasses *c,
               const Border    *border,
               gsize           *count,
               double          *room)
{
  for (;;)
    {
      gsize worst = G_MAXSIZE;
      double least = G_MAXDOUBLE;

      for (gsize k = 0; k < c->n_classes; k++)
        {
          double r = count[k] > 0 ? relief (c, k, room) : 0;
          double loss;

          if (r <= 0)
            continue;
          loss = MAX ((double) c->value[c->start[k] + count[k] - 1] - border->price[k], 0) / r;
          if (loss < least || worst == G_MAXSIZE)
            {
              least = loss;
              worst = k;
            }
        }
      if (worst == G_MAXSIZE)
        return;
      count[worst]--;
      for (guint j = 0; j < c->m; j++)
        room[j] += c->cost[worst * c->m + j];
    }
}

/* Adds whole runs of a class while they fit, best reduced cost first. */
static void
fill (const NnClasses *c,
      const Border    *border,
      gsize           *count,
      double          *room)
{
  for (;;)
    {
      gsize best = G_MAXSIZE;
      double most = 0;

      for (gsize k = 0; k < c->n_classes; k++)
        {
          gboolean fits = count[k] < nn_class_size (c, k);
          double rc;

          for (guint j = 0; j < c->m && fits; j++)
            fits = c->cost[k * c->m + j] <= room[j];
          if (!fits)
            continue;
          rc = (double) c->value[c->start[k] + count[k]] - border->price[k];
          if (best == G_MAXSIZE || rc > most)
            {
              best = k;
              most = rc;
            }
        }
      if (best == G_MAXSIZE)
        return;
      count[best]++;
      for (guint j = 0; j < c->m; j++)
        room[j] -= c->cost[best * c->m + j];
    }
}

/* With about as many classes as items the loops above would be quadratic: one pass in the order of reduced costs. */
typedef struct {
  double  rc;
  gsize   k;
} Ranked;

static int
by_rc (gconstpointer a,
       gconstpointer b)
{
  const Ranked *ra = a, *rb = b;

  if (ra->rc != rb->rc)
    return ra->rc > rb->rc ? -1 : 1;
  return ra->k < rb->k ? -1 : ra->k > rb->k;
}

static void
greedy_many (const NnClasses *c,
             const Border    *border,
             gsize           *count,
             double          *room)
{
  Ranked *ranked = g_new (Ranked, c->n_classes);
  gsize n = 0;

  for (gsize k = 0; k < c->n_classes; k++)
    if (nn_class_size (c, k) > 0)
      ranked[n++] = (Ranked) { (double) c->value[c->start[k] + (count[k] > 0 ? count[k] - 1 : 0)] - border->price[k], k };
  qsort (ranked, n, sizeof *ranked, by_rc);
  for (gsize i = n; i-- > 0;)
    while (count[ranked[i].k] > 0 && relief (c, ranked[i].k, room) > 0)
      {
        count[ranked[i].k]--;
        for (guint j = 0; j < c->m; j++)
          room[j] += c->cost[ranked[i].k * c->m + j];
      }
  for (gsize i = 0; i < n; i++)
    while (count[ranked[i].k] < nn_class_size (c, ranked[i].k))
      {
        gboolean fits = TRUE;

        for (guint j = 0; j < c->m && fits; j++)
          fits = c->cost[ranked[i].k * c->m + j] <= room[j];
        if (!fits)
          break;
        count[ranked[i].k]++;
        for (guint j = 0; j < c->m; j++)
          room[j] -= c->cost[ranked[i].k * c->m + j];
      }
  g_free (ranked);
}

static void
greedy (NnClasses    *c,
        const Border *border)
{
  double room[NN_KNAPSACK_MAX_RESOURCES];
  g_autofree gsize *count = g_new (gsize, c->n_classes);
  gint64 value = 0;

  for (gsize k = 0; k < c->n_classes; k++)
    count[k] = count_over (c, k, border->price[k], FALSE);
  room_left (c, count, room);
  if (c->n_classes <= 64)
    {
      make_feasible (c, border, count, room);
      fill (c, border, count, room);
    }
  else
    greedy_many (c, border, count, room);
  room_left (c, count, room);
  for (guint j = 0; j < c->m; j++)
    if (room[j] < 0)
      return;
  for (gsize k = 0; k < c->n_classes; k++)
    value += nn_class_value (c, k, count[k]);
  if (value > c->best)
    {
      c->best = value;
      memcpy (c->count, count, sizeof *count * c->n_classes);
    }
}

/* The windows of a stage: a solution that loses less than @gap takes all items before them and none after. */
static void
set_windows (const NnClasses *c,
             const Border    *border,
             double           gap)
{
  for (gsize k = 0; k < c->n_classes; k++)
    {
      border->low[k] = count_over (c, k, border->price[k] + gap, FALSE);
      border->high[k] = count_over (c, k, border->price[k] - gap, TRUE);
    }
}

static void
make_core (const NnClasses *c,
           const Border    *border,
           gint64           floor_value,
           NnCore          *core,
           GArray          *open)
{
  g_array_set_size (open, 0);
  core->base = 0;
  room_left (c, border->low, core->room);
  for (gsize k = 0; k < c->n_classes; k++)
    {
      NnOpenClass class = { .k = k, .low = border->low[k], .high = border->high[k], .price = border->price[k] };

      core->base += nn_class_value (c, k, border->low[k]);
      if (class.high > class.low)
        g_array_append_val (open, class);
    }
  core->open = (NnOpenClass *) open->data;
  core->n = open->len;
  core->best = floor_value;
  core->found = FALSE;
}

static void
take_core (NnClasses    *c,
           const Border *border,
           const NnCore *core)
{
  if (!core->found)
    return;
  memcpy (c->count, border->low, sizeof (gsize) * c->n_classes);
  for (guint i = 0; i < core->n; i++)
    c->count[core->open[i].k] = core->open[i].best;
  c->best = core->best;
}

/* PROVEN when nothing lies between incumbent and bound, ENOUGH when what lies there is not asked for. */
static NnCoreResult
how_far (const NnClasses *c,
         const NnLimits  *limits)
{
  gint64 gap = c->upper - c->best;

  return gap <= 0 ? NN_CORE_PROVEN : gap <= limits->enough ? NN_CORE_ENOUGH : NN_CORE_STOPPED;
}

/* Equal values make a search by counts futile and a formulation by blocks short. */
static gboolean
is_tied (const NnCore *core)
{
  const NnClasses *c = core->classes;
  gsize width = 0, distinct = 0;

  for (guint i = 0; i < core->n; i++)
    {
      const NnOpenClass *o = &core->open[i];
      const gint64 *value = c->value + c->start[o->k];

      width += o->high - o->low;
      for (gsize n = o->low; n < o->high; n++)
        distinct += n == o->low || value[n] != value[n - 1];
    }
  return width > 8 * distinct;
}

/* Looks for a solution worth more than @floor_value: exactly all of them are in the core. */
static NnCoreResult
solve_stage (NnClasses       *c,
             const NnLimits  *limits,
             const Border    *border,
             gint64           floor_value,
             NnCore          *core,
             GArray          *open,
             GError         **error)
{
  NnCoreResult result = NN_CORE_STOPPED;

  set_windows (c, border, (double) (c->bound - (long double) floor_value));
  make_core (c, border, floor_value, core, open);
  if (core->n <= SEARCH_CLASSES)
    result = nn_core_search (core, is_tied (core) ? TIED_NODES : SEARCH_NODES);
  take_core (c, border, core);
  if (result == NN_CORE_PROVEN || nn_limits_stop (limits))
    return result;
  /* What the search found may have made the windows smaller. */
  floor_value = MAX (floor_value, c->best);
  set_windows (c, border, (double) (c->bound - (long double) floor_value));
  make_core (c, border, floor_value, core, open);
  result = nn_core_glpk (core, error);
  if (core->n <= SEARCH_DEPTH && (result == NN_CORE_FAILED || (result == NN_CORE_STOPPED && !nn_limits_stop (limits))))
    {
      /* What floating point could not do, patience does. */
      g_clear_error (error);
      result = nn_core_search (core, G_MAXUINT64);
    }
  take_core (c, border, core);
  return result;
}

/*
 * The optimum is sought just below the bound first, where few items are open, then farther and farther down: the work is
 * that of the last stage, whose depth is at most twice the optimum's own distance from the bound.
 */
static NnCoreResult
solve_stages (NnClasses       *c,
              const NnLimits  *limits,
              Border          *border,
              GError         **error)
{
  NnCore core = { .classes = c, .limits = limits };
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (NnOpenClass));
  gint64 depth = MAX ((c->upper - c->best) >> FIRST_DEPTH, 1);

  for (;; depth *= 2)
    {
      gint64 floor_value = MAX (c->upper_start - depth, c->best);
      NnCoreResult result = solve_stage (c, limits, border, floor_value, &core, open, error);

      if (result == NN_CORE_PROVEN)
        c->upper = MAX (floor_value, c->best);
      if (result == NN_CORE_FAILED || result == NN_CORE_STOPPED || how_far (c, limits) != NN_CORE_STOPPED)
        return result == NN_CORE_FAILED ? result : how_far (c, limits);
    }
}

NnCoreResult
nn_core_solve (NnClasses       *c,
               const NnLimits  *limits,
               GError         **error)
{
  Border border;
  NnCoreResult result;

  border.price = g_new (double, c->n_classes);
  border.low = g_new (gsize, c->n_classes);
  border.high = g_new (gsize, c->n_classes);
  for (gsize k = 0; k < c->n_classes; k++)
    border.price[k] = class_price (c, k);
  greedy (c, &border);
  c->upper = (gint64) floorl (c->bound + NN_CLASSES_ROUNDING);
  if (c->is_whole && how_far (c, limits) == NN_CORE_STOPPED)
    {
      nn_core_group (c, limits);
      for (gsize k = 0; k < c->n_classes; k++)
        border.price[k] = class_price (c, k);
    }
  c->upper_start = c->upper;
  result = how_far (c, limits);
  if (result == NN_CORE_STOPPED)
    result = solve_stages (c, limits, &border, error);
  g_free (border.price);
  g_free (border.low);
  g_free (border.high);
  return result;
}
