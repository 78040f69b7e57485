/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lagrangian dual of the knapsack: a bound, and a price for each resource. */

#include "nn-knapsack-private.h"

#include <math.h>

#define MAX_ROUNDS 400
/* How near to the planes' own minimum is enough, in a box's unit. */
#define FIRST_TOLERANCE 1e-8
#define BOX_TOLERANCE 1e-5
/* Boxes of one size that follow each other where the prices left one. */
#define MAX_AGAIN 4

/* Items of class @k worth more than @price. */
static gsize
count_above (const NnClasses *c,
             gsize            k,
             double           price)
{
  const gint64 *value = c->value + c->start[k];
  gsize low = 0, high = nn_class_size (c, k);

  while (low < high)
    {
      gsize mid = low + (high - low) / 2;

      if ((double) value[mid] > price)
        low = mid + 1;
      else
        high = mid;
    }
  return low;
}

long double
nn_dual_value (const NnClasses *c,
               const double    *lambda,
               double          *used)
{
  long double total = 0;

  for (guint j = 0; j < c->m; j++)
    {
      total += (long double) lambda[j] * c->budget[j];
      if (used != NULL)
        used[j] = 0;
    }
  for (gsize k = 0; k < c->n_classes; k++)
    {
      const double *cost = c->cost + k * c->m;
      long double price = 0;
      gsize count;

      for (guint j = 0; j < c->m; j++)
        price += (long double) lambda[j] * cost[j];
      count = count_above (c, k, (double) price);
      total += (long double) nn_class_value (c, k, count) - price * (long double) count;
      for (guint j = 0; used != NULL && j < c->m; j++)
        used[j] += cost[j] * (double) count;
    }
  return total;
}

/* One resource: the subgradient changes sign once, so halving finds the price to the last bit. */
static void
solve_one (NnDual *d,
           double  high)
{
  double low = 0, used;

  (void) d->value (d->data, &low, &used);
  if (used <= d->budget[0])
    high = 0;
  for (guint i = 0; i < 2000 && high > 0; i++)
    {
      double mid = low + (high - low) / 2;

      if (mid <= low || mid >= high)
        break;
      (void) d->value (d->data, &mid, &used);
      if (used > d->budget[0])
        low = mid;
      else
        high = mid;
    }
  d->lambda[0] = high;
  d->bound = d->value (d->data, &high, NULL);
}

/* Takes @lambda where it bounds better. */
static long double
try_prices (NnDual       *d,
            const double *lambda,
            double       *used)
{
  long double value = d->value (d->data, lambda, used);

  if (value < d->bound)
    {
      d->bound = value;
      memcpy (d->lambda, lambda, sizeof lambda[0] * d->m);
    }
  return value;
}

/* How much the dual rises within a box: the unit in which its differences are near one. */
static long double
rise (NnDual       *d,
      const double *low,
      const double *width)
{
  double lambda[NN_KNAPSACK_MAX_RESOURCES];
  long double center = d->bound, most = 0;

  for (guint side = 0; side < 2; side++)
    for (guint j = 0; j < d->m; j++)
      {
        memcpy (lambda, d->lambda, sizeof lambda);
        lambda[j] = low[j] + side * width[j];
        most = MAX (most, d->value (d->data, lambda, NULL) - center);
      }
  return MAX (most, 1);
}

/* Minimises within the box from @low by @width, in units of @unit. */
static void
solve_box (NnDual         *d,
           const double   *low,
           const double   *width,
           long double     unit,
           double          tolerance,
           const NnLimits *limits)
{
  double at[NN_KNAPSACK_MAX_RESOURCES], lambda[NN_KNAPSACK_MAX_RESOURCES];
  double used[NN_KNAPSACK_MAX_RESOURCES], gradient[NN_KNAPSACK_MAX_RESOURCES];
  long double center = d->bound;
  g_autoptr (NnPlanes) planes = nn_planes_new (d->m);
  double model;

  for (guint j = 0; j < d->m; j++)
    at[j] = width[j] > 0 ? CLAMP ((d->lambda[j] - low[j]) / width[j], 0, 1) : 0;
  for (guint round = 0; round < MAX_ROUNDS && !nn_limits_stop (limits); round++)
    {
      long double value;

      for (guint j = 0; j < d->m; j++)
        lambda[j] = low[j] + at[j] * width[j];
      value = try_prices (d, lambda, used);
      for (guint j = 0; j < d->m; j++)
        gradient[j] = (double) ((d->budget[j] - used[j]) * (long double) width[j] / unit);
      if (!nn_planes_next (planes, (double) ((value - center) / unit), at, gradient, at, &model) ||
          (double) ((d->bound - center) / unit) - model <= tolerance)
        break;
    }
}

/* A box around the best prices so far; returns whether they stayed off its faces, so that a smaller box will do. */
static gboolean
solve_around (NnDual         *d,
              double          relative,
              const double   *scale,
              const NnLimits *limits)
{
  double low[NN_KNAPSACK_MAX_RESOURCES] = { 0 }, width[NN_KNAPSACK_MAX_RESOURCES] = { 0 };
  gboolean inside = TRUE;

  for (guint j = 0; j < d->m; j++)
    {
      double half = relative * (d->lambda[j] + 1e-3 * scale[j]);

      low[j] = MAX (d->lambda[j] - half, 0);
      width[j] = d->lambda[j] + half - low[j];
    }
  solve_box (d, low, width, rise (d, low, width), BOX_TOLERANCE, limits);
  for (guint j = 0; j < d->m; j++)
    inside = inside && (low[j] == 0 || d->lambda[j] > low[j] + 0.02 * width[j]) && d->lambda[j] < low[j] + 0.98 * width[j];
  return inside;
}

/*
 * First in the cube that surely holds the answer, then in ever smaller boxes, as GLPK's tolerances are those of doubles.
 * Near its minimum the dual is like a parabola: prices are known to the root of what the value is known to.
 */
void
nn_dual_minimise (NnDual         *d,
                  const NnLimits *limits)
{
  static const double zoom[] = { 1e-3, 2e-5, 4e-7, 1e-8, 2e-10 };
  double low[NN_KNAPSACK_MAX_RESOURCES] = { 0 }, scale[NN_KNAPSACK_MAX_RESOURCES] = { 0 };
  long double total;

  memset (d->lambda, 0, sizeof d->lambda);
  d->bound = total = d->value (d->data, d->lambda, NULL);
  /* lambda_j * budget_j <= L (lambda*) <= L (0) */
  for (guint j = 0; j < d->m; j++)
    scale[j] = (double) total / d->budget[j];
  if (d->m == 1)
    {
      /* Beyond the bound by a little, so that rounding does not leave the price at it. */
      solve_one (d, scale[0] * (1 + 1e-9));
      return;
    }
  solve_box (d, low, scale, total, FIRST_TOLERANCE, limits);
  for (guint z = 0; z < G_N_ELEMENTS (zoom) && !nn_limits_stop (limits); z++)
    for (guint again = 0; again < MAX_AGAIN && !solve_around (d, zoom[z], scale, limits);)
      again++;
}

static long double
value_of_classes (gconstpointer data,
                  const double *lambda,
                  double       *used)
{
  return nn_dual_value (data, lambda, used);
}

void
nn_dual_solve (NnClasses      *c,
               const NnLimits *limits)
{
  NnDual d = { .m = c->m, .value = value_of_classes, .data = c };

  memcpy (d.budget, c->budget, sizeof d.budget);
  nn_dual_minimise (&d, limits);
  memcpy (c->lambda, d.lambda, sizeof c->lambda);
  c->bound = d.bound;
}
