/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Depth-first search of the knapsack's core: how many of each open class, in exact integers. */

#include "nn-knapsack-private.h"

#include <math.h>

typedef struct {
  NnCore      *core;
  guint64      nodes, max_nodes;
  gboolean     stopped;
  gsize       *middle;    /* (n): what the prices would take */
  long double *rest_gain; /* (n + 1): the most that classes from here on add at the prices */
  double      *rest_cost; /* (n + 1, m): the most that they take */
} Search;

/* Small windows first, so that the widest is left to the end, where its count follows from the room. */
static int
by_width (gconstpointer a,
          gconstpointer b)
{
  const NnOpenClass *oa = a, *ob = b;
  gsize wa = oa->high - oa->low, wb = ob->high - ob->low;

  if (wa != wb)
    return wa < wb ? -1 : 1;
  return oa->k < ob->k ? -1 : oa->k > ob->k;
}

static void
record (Search *search,
        gint64  value)
{
  NnCore *core = search->core;

  core->best = value;
  core->found = TRUE;
  for (guint i = 0; i < core->n; i++)
    core->open[i].best = core->open[i].count;
}

/* Whether classes from @depth on may still lead past the best with @room left. */
static gboolean
is_hopeful (const Search *search,
            guint         depth,
            gint64        value,
            const double *room)
{
  const NnClasses *c = search->core->classes;
  long double bound = (long double) value + search->rest_gain[depth];

  for (guint j = 0; j < c->m; j++)
    bound += (long double) c->lambda[j] * MIN (room[j], search->rest_cost[depth * c->m + j]);
  return bound >= (long double) search->core->best + 1 - NN_CLASSES_ROUNDING;
}

/* The last class takes what fits. */
static void
finish (Search       *search,
        gint64        value,
        const double *room)
{
  NnCore *core = search->core;
  const NnClasses *c = core->classes;
  NnOpenClass *o = &core->open[core->n - 1];
  double fit = (double) (o->high - o->low);

  for (guint j = 0; j < c->m; j++)
    if (c->cost[o->k * c->m + j] > 0)
      fit = MIN (fit, floor (room[j] / c->cost[o->k * c->m + j]));
  o->count = o->low + (gsize) fit;
  value += nn_class_value (c, o->k, o->count) - nn_class_value (c, o->k, o->low);
  if (value > core->best)
    record (search, value);
}

static void descend (Search *search, guint depth, gint64 value, const double *room);

/* Returns whether counts farther from the middle may still be of use. */
static gboolean
try_count (Search       *search,
           guint         depth,
           gsize         count,
           gint64        value,
           const double *room)
{
  NnCore *core = search->core;
  const NnClasses *c = core->classes;
  NnOpenClass *o = &core->open[depth];
  gsize middle = search->middle[depth];
  double left[NN_KNAPSACK_MAX_RESOURCES];
  long double loss;
  gint64 more = nn_class_value (c, o->k, count) - nn_class_value (c, o->k, o->low);

  loss = (long double) (nn_class_value (c, o->k, middle) - nn_class_value (c, o->k, count)) -
         (long double) o->price * ((long double) middle - (long double) count);
  if (loss > c->bound - (long double) core->best)
    return FALSE;
  for (guint j = 0; j < c->m; j++)
    {
      left[j] = room[j] - c->cost[o->k * c->m + j] * (double) (count - o->low);
      if (left[j] < 0)
        return count <= middle;
    }
  if (!is_hopeful (search, depth + 1, value + more, left))
    return TRUE;
  o->count = count;
  descend (search, depth + 1, value + more, left);
  return TRUE;
}

static void
descend (Search       *search,
         guint         depth,
         gint64        value,
         const double *room)
{
  NnCore *core = search->core;
  NnOpenClass *o = &core->open[depth];
  gsize middle = search->middle[depth];
  gboolean up = TRUE, down = TRUE;

  if (++search->nodes > search->max_nodes || ((search->nodes & 4095) == 0 && nn_limits_stop (core->limits)))
    search->stopped = TRUE;
  if (search->stopped)
    return;
  if (depth + 1 == core->n)
    {
      finish (search, value, room);
      return;
    }
  if (!try_count (search, depth, middle, value, room))
    up = down = FALSE;
  for (gsize d = 1; (up || down) && !search->stopped; d++)
    {
      down = down && d <= middle - o->low && try_count (search, depth, middle - d, value, room);
      up = up && d <= o->high - middle && try_count (search, depth, middle + d, value, room);
    }
}

static void
prepare (Search *search)
{
  NnCore *core = search->core;
  const NnClasses *c = core->classes;

  qsort (core->open, core->n, sizeof *core->open, by_width);
  for (guint i = core->n; i-- > 0;)
    {
      const NnOpenClass *o = &core->open[i];
      const gint64 *value = c->value + c->start[o->k];
      gsize middle = o->low;

      while (middle < o->high && (double) value[middle] > o->price)
        middle++;
      search->middle[i] = middle;
      search->rest_gain[i] = search->rest_gain[i + 1] +
                             (long double) (nn_class_value (c, o->k, middle) - nn_class_value (c, o->k, o->low)) -
                             (long double) o->price * (long double) (middle - o->low);
      for (guint j = 0; j < c->m; j++)
        search->rest_cost[i * c->m + j] =
            search->rest_cost[(i + 1) * c->m + j] + c->cost[o->k * c->m + j] * (double) (o->high - o->low);
    }
}

NnCoreResult
nn_core_search (NnCore  *core,
                guint64  max_nodes)
{
  Search search = { .core = core, .max_nodes = max_nodes };

  /* What this core takes for granted does not fit: it holds no solution. */
  for (guint j = 0; j < core->classes->m; j++)
    if (core->room[j] < 0)
      return NN_CORE_PROVEN;
  if (core->n == 0)
    {
      if (core->base > core->best)
        record (&search, core->base);
      return NN_CORE_PROVEN;
    }
  search.middle = g_new (gsize, core->n);
  search.rest_gain = g_new0 (long double, core->n + 1);
  search.rest_cost = g_new0 (double, (core->n + 1) * core->classes->m);
  prepare (&search);
  descend (&search, 0, core->base, core->room);
  g_free (search.middle);
  g_free (search.rest_gain);
  g_free (search.rest_cost);
  return search.stopped ? NN_CORE_STOPPED : NN_CORE_PROVEN;
}
