/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The knapsack's core when values are tied and costs are whole numbers. At the prices as many blocks of equal items as there
 * are resources lie on the border and cost nothing to move ("basic"); all else loses. Whether the rest adds up with the
 * budget depends on what is left modulo the lattice of the basic costs alone: a group of as many elements as their
 * determinant. Shortest ways in it bound every completion of a partial choice, so that a depth-first search over the
 * non-basic classes meets few dead ends.
 *
 * Source: R. E. Gomory, Some polyhedra related to combinatorial problems, 1969 (the group relaxation)
 */

#include "nn-knapsack-private.h"

#include <math.h>

#define MAX_M NN_KNAPSACK_MAX_RESOURCES
/* Elements of the group, and of all tables together. */
#define MAX_ORDER 200000
#define MAX_TABLE 6000000
#define MAX_COST 1000000
/* Prices nearer than this to a block's value, in units, make it basic; they are then solved for exactly. */
#define TIGHT 1e-3
#define ZERO_LOSS 1e-6L
/* Nodes of the search in all, with values on a grid and without. */
#define FILL_SWEEPS 200
#define MAX_NODES 200000
#define MAX_FINE_NODES 1000000
/* Values that are not on a grid: the first depth below the bound is as many halvings of the gap. */
#define FIRST_DEPTH 12

typedef struct {
  gsize    k;     /* class; G_MAXSIZE for the slack of @j */
  guint    j;
  gsize    first; /* of the block, within the class */
  gsize    mult;
  gsize    taken; /* of the block, where it is not basic */
  gsize    inner; /* steps that it can make both ways */
  gint64   column[MAX_M];
} Basic;

/* A class that may leave its base, or the slack of a resource (only upwards). */
typedef struct {
  gsize        k;
  guint        j;
  gint64       column[MAX_M];
  long double  price;
  long double  up, down; /* what the first step loses; INFINITY when there is none */
  gsize        most_up, most_down;
  guint32     *next;     /* (order): residue after a step up was taken off what is left to fill */
  guint32     *before;   /* (order): after a step down */
} Mover;

typedef struct {
  NnClasses      *c;
  const NnLimits *limits;
  guint           m;
  Basic           basic[MAX_M];
  gint64          order;
  gint64          lattice[MAX_M][MAX_M]; /* [row][column], lower triangular */
  long double     inverse[MAX_M][MAX_M]; /* of the basic columns */
  gsize          *base;                  /* (n_classes) */
  gint64          room[MAX_M];
  gint64          base_value;
  Mover          *movers;
  guint           n_movers;
  float          *rest;                  /* (n_movers + 1, order): least loss of the movers from here on */
  gint64         *step;                  /* (n_movers) */
  GArray         *tight;                 /* Basic */
  guint64         nodes;
  gint64          floor;                 /* solutions worth more are wanted */
  gboolean        stopped;
} Group;

static gint64
modulo (gint64 a,
        gint64 b)
{
  gint64 r = a % b;

  return r < 0 ? r + b : r;
}

/* Solves @a (m x m) for the identity, by Gauss with pivots; returns the determinant, 0 when there is none. */
static long double
invert (guint       m,
        long double a[MAX_M][MAX_M],
        long double inverse[MAX_M][MAX_M])
{
  long double determinant = 1;

  for (guint i = 0; i < m; i++)
    for (guint j = 0; j < m; j++)
      inverse[i][j] = i == j;
  for (guint i = 0; i < m; i++)
    {
      guint p = i;

      for (guint r = i + 1; r < m; r++)
        if (fabsl (a[r][i]) > fabsl (a[p][i]))
          p = r;
      if (fabsl (a[p][i]) < 1e-9L)
        return 0;
      determinant *= p == i ? a[p][i] : -a[p][i];
      for (guint j = 0; j < m; j++)
        {
          long double t = a[i][j], u = inverse[i][j];

          a[i][j] = a[p][j];
          a[p][j] = t;
          inverse[i][j] = inverse[p][j];
          inverse[p][j] = u;
        }
      for (guint r = 0; r < m; r++)
        {
          long double f = r == i ? 0 : a[r][i] / a[i][i];

          for (guint j = 0; f != 0 && j < m; j++)
            {
              a[r][j] -= f * a[i][j];
              inverse[r][j] -= f * inverse[i][j];
            }
        }
    }
  for (guint i = 0; i < m; i++)
    for (guint j = 0; j < m; j++)
      inverse[i][j] /= a[i][i];
  return determinant;
}

static long double
price_of (const NnClasses *c,
          gsize            k)
{
  long double price = 0;

  for (guint j = 0; j < c->m; j++)
    price += (long double) c->lambda[j] * c->cost[k * c->m + j];
  return price;
}

/* Items of class @k worth more than @threshold. */
static gsize
count_above (const NnClasses *c,
             gsize            k,
             long double      threshold)
{
  const gint64 *value = c->value + c->start[k];
  gsize low = 0, high = nn_class_size (c, k);

  while (low < high)
    {
      gsize mid = low + (high - low) / 2;

      if ((long double) value[mid] > threshold)
        low = mid + 1;
      else
        high = mid;
    }
  return low;
}

static int
by_inner (gconstpointer a,
          gconstpointer b)
{
  const Basic *ba = a, *bb = b;

  if (ba->inner != bb->inner)
    return ba->inner > bb->inner ? -1 : 1;
  return ba->k < bb->k ? -1 : ba->k > bb->k;
}

/* How much of each tight block fills the room that the rest leaves: least squares, one block after the other. */
static void
fill_tight (const NnClasses *c,
            GArray          *tight)
{
  g_autofree double *fill = g_new0 (double, tight->len);
  double left[MAX_M];

  for (guint j = 0; j < c->m; j++)
    left[j] = floor (c->budget[j]);
  for (gsize k = 0; k < c->n_classes; k++)
    {
      gsize sure = count_above (c, k, price_of (c, k) + TIGHT);

      for (guint j = 0; j < c->m; j++)
        left[j] -= c->cost[k * c->m + j] * (double) sure;
    }
  for (guint sweep = 0; sweep < FILL_SWEEPS; sweep++)
    for (guint t = 0; t < tight->len; t++)
      {
        const Basic *b = &g_array_index (tight, Basic, t);
        double dot = 0, norm = 0, next;

        for (guint j = 0; j < c->m; j++)
          {
            dot += left[j] * (double) b->column[j];
            norm += (double) b->column[j] * (double) b->column[j];
          }
        /* Half of the way at first, so that none takes all. */
        next = CLAMP (fill[t] + (sweep < FILL_SWEEPS / 2 ? 0.1 : 1) * dot / norm, 0, (double) b->mult);
        for (guint j = 0; j < c->m; j++)
          left[j] -= (next - fill[t]) * (double) b->column[j];
        fill[t] = next;
      }
  for (guint t = 0; t < tight->len; t++)
    {
      Basic *b = &g_array_index (tight, Basic, t);

      b->taken = (gsize) llround (MIN (fill[t], 1e15));
      b->inner = b->k == G_MAXSIZE ? b->taken : MIN (b->taken, b->mult - b->taken);
    }
}

/* Blocks at the prices, and slacks of what costs nothing, those with most play first. */
static GArray *
find_tight (const NnClasses *c)
{
  GArray *tight = g_array_new (FALSE, TRUE, sizeof (Basic));

  for (guint j = 0; j < c->m; j++)
    if (c->lambda[j] * MAX (c->budget[j], 1) < TIGHT)
      {
        Basic b = { .k = G_MAXSIZE, .j = j, .mult = G_MAXSIZE, .inner = G_MAXSIZE };

        b.column[j] = 1;
        g_array_append_val (tight, b);
      }
  for (gsize k = 0; k < c->n_classes; k++)
    {
      long double price = price_of (c, k);
      gsize first = count_above (c, k, price + TIGHT), last = count_above (c, k, price - TIGHT);
      Basic b = { .k = k, .first = first, .mult = last - first };

      for (guint j = 0; j < c->m; j++)
        b.column[j] = (gint64) c->cost[k * c->m + j];
      if (!c->is_coarse)
        {
          /* No block is wide: the border of any class will do, of the fullest best. */
          b.first = count_above (c, k, price);
          b.inner = MIN (b.first, nn_class_size (c, k) - b.first);
          if (b.inner > 0)
            g_array_append_val (tight, b);
        }
      else if (last > first && c->value[c->start[k] + first] == c->value[c->start[k] + last - 1])
        g_array_append_val (tight, b);
    }
  if (c->is_coarse)
    fill_tight (c, tight);
  g_array_sort (tight, by_inner);
  return tight;
}

/* As many independent columns as there are resources, and the prices at which just these are tight. */
static gboolean
find_basis (Group *g)
{
  NnClasses *c = g->c;
  GArray *tight = g->tight = find_tight (c);
  long double rows[MAX_M][MAX_M], a[MAX_M][MAX_M], determinant;
  double lambda[MAX_M];
  guint n = 0;

  for (guint t = 0; t < tight->len && n < g->m; t++)
    {
      const Basic *b = &g_array_index (tight, Basic, t);
      long double v[MAX_M], most = 0;

      for (guint j = 0; j < g->m; j++)
        v[j] = b->column[j];
      for (guint i = 0; i < n; i++)
        {
          long double dot = 0, norm = 0;

          for (guint j = 0; j < g->m; j++)
            {
              dot += v[j] * rows[i][j];
              norm += rows[i][j] * rows[i][j];
            }
          for (guint j = 0; j < g->m; j++)
            v[j] -= dot / norm * rows[i][j];
        }
      for (guint j = 0; j < g->m; j++)
        most = MAX (most, fabsl (v[j]));
      if (most < 1e-6L)
        continue;
      memcpy (rows[n], v, sizeof v);
      g->basic[n++] = *b;
    }
  if (n < g->m)
    return FALSE;
  for (guint i = 0; i < g->m; i++)
    for (guint j = 0; j < g->m; j++)
      a[j][i] = g->basic[i].column[j];
  determinant = invert (g->m, a, g->inverse);
  g->order = llabs ((long long) llroundl (determinant));
  if (fabsl (determinant) > MAX_ORDER || g->order < 1)
    return FALSE;
  for (guint j = 0; c->is_coarse && j < g->m; j++)
    {
      long double sum = 0;

      for (guint i = 0; i < g->m; i++)
        if (g->basic[i].k != G_MAXSIZE)
          sum += g->inverse[i][j] * c->value[c->start[g->basic[i].k] + g->basic[i].first];
      if (sum < -1e-7L)
        return FALSE;
      lambda[j] = (double) MAX (sum, 0);
    }
  if (c->is_coarse)
  {
    long double bound = nn_dual_value (c, lambda, NULL);

    if (bound > c->bound + 0.01L)
      return FALSE;
    c->bound = bound;
    memcpy (c->lambda, lambda, sizeof lambda[0] * g->m);
  }
  return TRUE;
}

/* A triangular basis of the lattice of the basic columns: Euclid on columns, numbers kept below the order. */
static void
make_lattice (Group *g)
{
  gint64 columns[2 * MAX_M][MAX_M] = { { 0 } };
  guint n = 2 * g->m;

  for (guint i = 0; i < g->m; i++)
    {
      for (guint j = 0; j < g->m; j++)
        columns[i][j] = modulo (g->basic[i].column[j], g->order);
      columns[g->m + i][i] = g->order;
    }
  for (guint row = 0; row < g->m; row++)
    {
      guint pivot = row;

      /* Columns before @row are done. */
      for (;;)
        {
          guint others = 0;

          pivot = G_MAXUINT;
          for (guint i = row; i < n; i++)
            if (columns[i][row] != 0 && (pivot == G_MAXUINT || columns[i][row] < columns[pivot][row]))
              pivot = i;
          for (guint i = row; i < n; i++)
            {
              gint64 q = i != pivot ? columns[i][row] / columns[pivot][row] : 0;

              for (guint j = row; q != 0 && j < g->m; j++)
                columns[i][j] = j == row ? columns[i][j] - q * columns[pivot][j]
                                         : modulo (columns[i][j] - q * modulo (columns[pivot][j], g->order), g->order);
              others += i != pivot && columns[i][row] != 0;
            }
          if (others == 0)
            break;
        }
      for (guint j = 0; j < g->m; j++)
        {
          gint64 t = columns[row][j];

          columns[row][j] = columns[pivot][j];
          columns[pivot][j] = t;
          g->lattice[j][row] = columns[row][j];
        }
      /* The order times each unit vector is in the lattice still. */
    }
}

/* The element of the group that @v belongs to. */
static guint32
residue (const Group  *g,
         const gint64 *v)
{
  gint64 r[MAX_M], index = 0;

  memcpy (r, v, sizeof r[0] * g->m);
  for (guint i = 0; i < g->m; i++)
    {
      gint64 d = g->lattice[i][i], q = (r[i] - modulo (r[i], d)) / d;

      for (guint j = i; q != 0 && j < g->m; j++)
        r[j] -= q * g->lattice[j][i];
      index = index * d + r[i];
    }
  return (guint32) index;
}

static void
vector_of (const Group *g,
           guint32      index,
           gint64      *v)
{
  for (guint i = g->m; i-- > 0;)
    {
      v[i] = index % g->lattice[i][i];
      index = (guint32) (index / g->lattice[i][i]);
    }
}

/* What moving class @k by @step items from its base loses. */
static long double
loss_of (const Group *g,
         const Mover *mover,
         gint64       step)
{
  const NnClasses *c = g->c;
  gsize base;

  if (mover->k == G_MAXSIZE)
    return mover->price * step;
  base = g->base[mover->k];
  return mover->price * step -
         (long double) (nn_class_value (c, mover->k, (gsize) ((gint64) base + step)) - nn_class_value (c, mover->k, base));
}

static void
make_movers (Group *g)
{
  NnClasses *c = g->c;

  g->movers = g_new0 (Mover, c->n_classes + g->m);
  g->base = g_new0 (gsize, c->n_classes);
  for (guint j = 0; j < g->m; j++)
    g->room[j] = (gint64) floor (c->budget[j]);
  for (gsize k = 0; k < c->n_classes; k++)
    g->base[k] = count_above (c, k, price_of (c, k) + ZERO_LOSS);
  for (guint t = 0; t < g->tight->len; t++)
    {
      const Basic *b = &g_array_index (g->tight, Basic, t);

      if (b->k != G_MAXSIZE)
        g->base[b->k] = b->first + b->taken;
    }
  for (gsize k = 0; k < c->n_classes; k++)
    {
      Mover mover = { .k = k, .price = price_of (c, k), .up = INFINITY, .down = INFINITY };
      gboolean is_basic = FALSE;

      for (guint i = 0; i < g->m; i++)
        is_basic = is_basic || g->basic[i].k == k;
      g->base_value += nn_class_value (c, k, g->base[k]);
      mover.most_down = g->base[k];
      mover.most_up = nn_class_size (c, k) - g->base[k];
      for (guint j = 0; j < g->m; j++)
        {
          mover.column[j] = (gint64) c->cost[k * c->m + j];
          g->room[j] -= mover.column[j] * (gint64) g->base[k];
        }
      if (is_basic)
        continue;
      if (mover.most_up > 0)
        mover.up = MAX (loss_of (g, &mover, 1), 0);
      if (mover.most_down > 0)
        mover.down = MAX (loss_of (g, &mover, -1), 0);
      g->movers[g->n_movers++] = mover;
    }
  for (guint j = 0; j < g->m; j++)
    {
      Mover mover = { .k = G_MAXSIZE, .j = j, .price = c->lambda[j], .up = c->lambda[j], .down = INFINITY, .most_up = G_MAXINT32 };

      mover.column[j] = 1;
      for (guint i = 0; i < g->m; i++)
        if (g->basic[i].k == G_MAXSIZE && g->basic[i].j == j)
          mover.most_up = 0;
      if (mover.most_up > 0)
        g->movers[g->n_movers++] = mover;
    }
}

static void
relax (const Group   *g,
       const guint32 *next,
       long double    loss,
       float         *rest)
{
  /* A step may be repeated: twice around every cycle finds the least. @next takes a step off what is left to fill. */
  for (guint round = 0; isfinite (loss) && round < 1; round++)
    for (gint64 r = 0; r < g->order; r++)
      {
        guint32 at = (guint32) r;

        while (rest[next[at]] > rest[at] + (float) loss)
          {
            rest[next[at]] = rest[at] + (float) loss;
            at = next[at];
          }
      }
}

/* rest[i][r]: no way to fill what is left of residue r with movers i and after loses less. */
static void
make_tables (Group *g)
{
  gsize order = (gsize) g->order;

  g->rest = g_new (float, (g->n_movers + 1) * order);
  for (gsize r = 0; r < order; r++)
    g->rest[g->n_movers * order + r] = r == 0 ? 0 : INFINITY;
  for (guint i = g->n_movers; i-- > 0;)
    {
      Mover *mover = &g->movers[i];
      float *rest = g->rest + i * order;

      mover->next = g_new (guint32, order);
      mover->before = g_new (guint32, order);
      for (gsize r = 0; r < order; r++)
        {
          gint64 v[MAX_M], w[MAX_M];

          vector_of (g, (guint32) r, v);
          for (guint j = 0; j < g->m; j++)
            {
              w[j] = v[j] - mover->column[j];
              v[j] += mover->column[j];
            }
          mover->next[r] = residue (g, w);
          mover->before[r] = residue (g, v);
        }
      memcpy (rest, rest + order, sizeof *rest * order);
      /* From "nothing left" backwards: what is left before a step up is one column more. */
      relax (g, mover->before, mover->up, rest);
      relax (g, mover->next, mover->down, rest);
    }
}

/* All movers are set: the basic ones follow. */
static void
finish (Group        *g,
        const gint64 *left,
        gint64        value)
{
  NnClasses *c = g->c;
  gint64 x[MAX_M];

  for (guint i = 0; i < g->m; i++)
    {
      const Basic *b = &g->basic[i];
      long double sum = 0;

      for (guint j = 0; j < g->m; j++)
        sum += g->inverse[i][j] * left[j];
      x[i] = llroundl (sum);
      if (b->k == G_MAXSIZE ? x[i] < 0 : x[i] < -(gint64) g->base[b->k] || x[i] > (gint64) (nn_class_size (c, b->k) - g->base[b->k]))
        return;
      if (b->k != G_MAXSIZE)
        value += nn_class_value (c, b->k, (gsize) ((gint64) g->base[b->k] + x[i])) - nn_class_value (c, b->k, g->base[b->k]);
    }
  for (guint j = 0; j < g->m; j++)
    {
      gint64 sum = 0;

      for (guint i = 0; i < g->m; i++)
        sum += g->basic[i].column[j] * x[i];
      if (sum != left[j])
        return;
    }
  if (value <= g->floor || value <= c->best)
    return;
  c->best = g->floor = value;
  memcpy (c->count, g->base, sizeof (gsize) * c->n_classes);
  for (guint i = 0; i < g->n_movers; i++)
    if (g->movers[i].k != G_MAXSIZE)
      c->count[g->movers[i].k] = (gsize) ((gint64) g->base[g->movers[i].k] + g->step[i]);
  for (guint i = 0; i < g->m; i++)
    if (g->basic[i].k != G_MAXSIZE)
      c->count[g->basic[i].k] = (gsize) ((gint64) g->base[g->basic[i].k] + x[i]);
}

static void descend (Group *g, guint i, guint32 left_residue, const gint64 *left, long double loss, gint64 value);

/* Mover @i at @step, then the rest. FALSE when farther steps lose too much already. */
static gboolean
try_step (Group        *g,
          guint         i,
          gint64        step,
          guint32       left_residue,
          const gint64 *left,
          long double   loss,
          gint64        value)
{
  const Mover *mover = &g->movers[i];
  long double more = loss + loss_of (g, mover, step), most = g->c->bound - (long double) (g->floor + 1) + NN_CLASSES_ROUNDING;
  gint64 next[MAX_M];

  if (more > most)
    return FALSE;
  /* Sums of floats: their rounding is far below the allowance for gaps that are searched at all. */
  if (more + (long double) g->rest[(gsize) (i + 1) * (gsize) g->order + left_residue] * (1 - 1e-5L) > most)
    return TRUE;
  for (guint j = 0; j < g->m; j++)
    next[j] = left[j] - mover->column[j] * step;
  g->step[i] = step;
  if (mover->k != G_MAXSIZE)
    value += nn_class_value (g->c, mover->k, (gsize) ((gint64) g->base[mover->k] + step)) -
             nn_class_value (g->c, mover->k, g->base[mover->k]);
  descend (g, i + 1, left_residue, next, more, value);
  return TRUE;
}

static void
descend (Group        *g,
         guint         i,
         guint32       left_residue,
         const gint64 *left,
         long double   loss,
         gint64        value)
{
  const Mover *mover = &g->movers[i];
  guint32 up_residue = left_residue, down_residue = left_residue;
  gboolean up = TRUE, down = TRUE;

  if (++g->nodes > (g->c->is_coarse ? MAX_NODES : MAX_FINE_NODES) || ((g->nodes & 4095) == 0 && nn_limits_stop (g->limits)))
    g->stopped = TRUE;
  if (g->stopped)
    return;
  if (i == g->n_movers)
    {
      finish (g, left, value);
      return;
    }
  if (!try_step (g, i, 0, left_residue, left, loss, value))
    return;
  for (gint64 d = 1; (up || down) && !g->stopped; d++)
    {
      up = up && d <= (gint64) mover->most_up;
      if (up)
        {
          up_residue = mover->next[up_residue];
          up = try_step (g, i, d, up_residue, left, loss, value);
        }
      down = down && d <= (gint64) mover->most_down;
      if (down)
        {
          down_residue = mover->before[down_residue];
          down = try_step (g, i, -d, down_residue, left, loss, value);
        }
    }
}

/* From the bound downwards, twice as deep each time. */
static void
search (Group *g)
{
  NnClasses *c = g->c;
  guint32 start = residue (g, g->room);
  long double least = g->rest[start] * (1 - 1e-5L);
  gint64 depth = c->is_coarse ? 1 : MAX ((c->upper - c->best) >> FIRST_DEPTH, 1);

  c->upper = MIN (c->upper, (gint64) floorl (c->bound - least + NN_CLASSES_ROUNDING));
  while (c->upper > c->best && !g->stopped)
    {
      g->floor = MAX (c->upper - depth, c->best);
      descend (g, 0, start, g->room, 0, g->base_value);
      if (!g->stopped)
        c->upper = MIN (c->upper, MAX (g->floor, c->best));
      depth *= 2;
    }
}

static void
group_clear (Group *g)
{
  for (guint i = 0; i < g->n_movers; i++)
    {
      g_free (g->movers[i].next);
      g_free (g->movers[i].before);
    }
  g_array_unref (g->tight);
  g_free (g->movers);
  g_free (g->base);
  g_free (g->rest);
  g_free (g->step);
}

/**
 * nn_core_group:
 *
 * For whole costs and values on a coarse grid. Improves incumbent, prices and the proven bound `upper` of @classes as far as
 * its nodes reach.
 */
void
nn_core_group (NnClasses      *classes,
               const NnLimits *limits)
{
  Group g = { .c = classes, .limits = limits, .m = classes->m };

  for (gsize k = 0; k < classes->n_classes * classes->m; k++)
    if (classes->cost[k] > MAX_COST)
      return;
  if (find_basis (&g) && (gsize) g.order * (classes->n_classes + g.m + 1) <= MAX_TABLE)
    {
      make_lattice (&g);
      make_movers (&g);
      make_tables (&g);
      g.step = g_new0 (gint64, g.n_movers + 1);
      search (&g);
    }
  group_clear (&g);
}
