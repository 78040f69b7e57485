/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers that are whole multiples of one unit, as tied values and hardware costs are. */

#include "nn-knapsack-private.h"

#include <math.h>

/* Units finer than this share of the largest number are none. */
#define FINEST 2e-7
/* Remainders below this share of the finest unit are rounding. */
#define REMAINDER 1e-3
/* How far from a multiple a number may lie, relative to the largest. */
#define PRECISION 0x1p-41

/* Euclid's algorithm on reals; 0 when it ends below @least. */
static double
common_unit (double a,
             double b,
             double least)
{
  while (b > least * REMAINDER)
    {
      double rest = fabs (a - round (a / b) * b);

      if (b < least)
        return 0;
      a = b;
      b = rest;
    }
  return a;
}

/**
 * nn_grid_unit:
 * @at: the numbers, none negative; every @stride-th of @n * @stride
 *
 * Returns: the largest unit of which all are multiples, to 2^-41 of the largest; 0 when there is none
 */
double
nn_grid_unit (const double *at,
              gsize         n,
              gsize         stride)
{
  double most = 0, unit = 0;

  for (gsize i = 0; i < n; i++)
    most = MAX (most, at[i * stride]);
  if (!(most > 0))
    return 0;
  unit = most;
  for (gsize i = 0; i < n; i++)
    {
      double v = at[i * stride], rest = fabs (v - round (v / unit) * unit);

      if (rest <= most * FINEST * REMAINDER)
        continue;
      unit = common_unit (unit, rest, most * FINEST);
      if (unit == 0)
        return 0;
    }
  unit = most / round (most / unit);
  for (gsize i = 0; i < n; i++)
    if (fabs (at[i * stride] - round (at[i * stride] / unit) * unit) > most * PRECISION)
      return 0;
  return unit;
}
