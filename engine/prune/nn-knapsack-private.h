/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The insides of the knapsack, for its files alone. */

#pragma once

#include "nn-knapsack.h"

G_BEGIN_DECLS

/*
 * Items of equal cost vector form a class; sorted by value, some optimal solution keeps a prefix of each class. All values
 * are integers here (the caller's, scaled by a power of two), so that "no better solution" is an exact statement.
 */
typedef struct {
  guint    m;         /* resources */
  gsize    n_classes;
  double  *cost;      /* (n_classes, m) */
  gsize   *start;     /* (n_classes + 1): where a class begins in `value` and `item` */
  gint64  *value;     /* falling within a class */
  guint32 *item;      /* the caller's index */
  gint64  *prefix;    /* (n + n_classes): sums of the first values of a class; its own begin at start[k] + k */
  gsize   *count;     /* (n_classes): items kept by the incumbent */
  gint64   best;      /* its value */
  double   budget[NN_KNAPSACK_MAX_RESOURCES]; /* with the rounding allowance */
  double   lambda[NN_KNAPSACK_MAX_RESOURCES]; /* prices */
  long double bound;  /* Lagrangian bound at these prices */
  gint64   upper;     /* no solution is worth more, as proven so far */
  gint64   upper_start; /* the bound, rounded down */
  gboolean is_coarse;   /* values are few whole numbers */
  gboolean is_whole;    /* costs and budgets are whole numbers */
} NnClasses;

/* The rounding of sums stays below this; values are whole. */
#define NN_CLASSES_ROUNDING 1e-3L

/* When to stop. */
typedef struct {
  gint64        deadline;    /* monotonic µs, 0 for none */
  gint64        enough;      /* a gap of this many units is good enough */
  GCancellable *cancellable;
} NnLimits;

static inline NnLimits
nn_limits_of (const NnKnapsackOptions *options,
              gint64                   started,
              GCancellable            *cancellable)
{
  /* a longer time than this is as good as none */
  gint64 time = (gint64) (MIN (options->time_limit, 1e9) * G_USEC_PER_SEC);

  return (NnLimits) { .deadline = options->time_limit > 0 ? started + time : 0, .cancellable = cancellable };
}

/* Whether all are numbers. */
gboolean     nn_knapsack_check_budgets (const double  *budget,
                                        guint          n,
                                        GError       **error);

typedef enum { NN_CORE_PROVEN, NN_CORE_ENOUGH, NN_CORE_STOPPED, NN_CORE_FAILED } NnCoreResult;

static inline gsize
nn_class_size (const NnClasses *c,
               gsize            k)
{
  return c->start[k + 1] - c->start[k];
}

static inline gint64
nn_class_value (const NnClasses *c,
                gsize            k,
                gsize            count)
{
  return c->prefix[c->start[k] + k + count];
}

static inline gboolean
nn_limits_stop (const NnLimits *limits)
{
  return g_cancellable_is_cancelled (limits->cancellable) ||
         (limits->deadline > 0 && g_get_monotonic_time () > limits->deadline);
}

/* L(lambda): no solution is worth more. @used (nullable): what its prefixes take. */
long double  nn_dual_value (const NnClasses *classes,
                            const double    *lambda,
                            double          *used);
void         nn_dual_solve (NnClasses       *classes,
                            const NnLimits  *limits);

/* A Lagrangian dual of any kind: @value and what its solution uses, at prices; the best prices and their value come out. */
typedef struct {
  guint         m;
  double        budget[NN_KNAPSACK_MAX_RESOURCES]; /* positive */
  long double (*value) (gconstpointer data, const double *lambda, double *used);
  gconstpointer data;
  double        lambda[NN_KNAPSACK_MAX_RESOURCES];
  long double   bound;
} NnDual;

void         nn_dual_minimise (NnDual         *dual,
                               const NnLimits *limits);

/* Groups of values on a coarse grid; see there. */
void         nn_core_group (NnClasses       *classes,
                            const NnLimits  *limits);
double       nn_grid_unit  (const double    *at,
                            gsize            n,
                            gsize            stride);
/* Improves the incumbent in @classes; PROVEN when nothing better is left. */
NnCoreResult nn_core_solve (NnClasses       *classes,
                            const NnLimits  *limits,
                            GError         **error);

/* A class that the core leaves open: low to high of its items are taken. */
typedef struct {
  gsize  k;
  gsize  low, high;
  double price;   /* lambda . cost */
  gsize  count;   /* of the selection at hand */
  gsize  best;    /* of the best one */
} NnOpenClass;

typedef struct {
  const NnClasses *classes;
  const NnLimits  *limits;
  NnOpenClass     *open;   /* (n) */
  guint            n;
  gint64           base;   /* value of what is fixed in, the first `low` of each open class included */
  double           room[NN_KNAPSACK_MAX_RESOURCES]; /* what that leaves */
  gint64           best;   /* to be beaten; updated with `open[].best` when it is */
  gboolean         found;
} NnCore;

/* Depth-first search in exact integers; STOPPED also when @max_nodes did not suffice. */
NnCoreResult nn_core_search (NnCore   *core,
                             guint64   max_nodes);
/* GLPK's branch and cut. */
NnCoreResult nn_core_glpk   (NnCore   *core,
                             GError  **error);
/* GLPK's. */
const char  *nn_solver_version (void);
/* Kelley's cutting planes: minimises a convex function on [0, 1]^m given by value and subgradient. FALSE on failure. */
typedef struct _NnPlanes NnPlanes;
NnPlanes *nn_planes_new  (guint m);
gboolean  nn_planes_next (NnPlanes *planes, double value, const double *at, const double *gradient, double *next, double *model);
void      nn_planes_free (NnPlanes *planes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnPlanes, nn_planes_free)

G_END_DECLS
