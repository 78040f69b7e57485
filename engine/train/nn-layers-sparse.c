/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions whose kernels are mostly pruned: only what is left is multiplied. */

#include "nn-real.h"

#define MOST 8

/* @count vectors of one row of results, from its list of terms. */
static inline __attribute__ ((always_inline)) void
row_block (const SparseRows *q,
           guint             m,
           guint             n0,
           const int         count)
{
  const NnTerms *t = q->terms;
  const real *x = q->x + n0 * q->xn;
  real *c = q->c + m * q->cm + n0 * q->cn;
  vec acc[MOST];

#pragma GCC unroll 8
  for (int j = 0; j < count; j++)
    acc[j] = q->add ? *(const vec *) (c + j * q->cn) : q->bias != NULL ? splat (q->bias[m]) : (vec) {};
  for (guint32 k = t->start[m]; k < t->start[m + 1]; k++)
    {
      const real *from = x + t->offset[k];
      const vec w = splat (q->w[t->weight[k]]);

#pragma GCC unroll 8
      for (int j = 0; j < count; j++)
        acc[j] += w * *(const vec *) (from + j * q->xn);
    }
#pragma GCC unroll 8
  for (int j = 0; j < count; j++)
    {
      if (q->relu)
        acc[j] = (vec) ((ivec) acc[j] & ((acc[j] > 0) | (acc[j] != acc[j])));
      *(vec *) (c + j * q->cn) = acc[j];
    }
}

void
CLASSED (nn_sparse_rows) (const SparseRows *q)
{
  for (guint m = 0; m < q->terms->n; m++)
    {
      guint n = 0;

      for (; n + 8 <= q->n; n += 8)
        row_block (q, m, n, 8);
      for (; n + 4 <= q->n; n += 4)
        row_block (q, m, n, 4);
      for (; n + 2 <= q->n; n += 2)
        row_block (q, m, n, 2);
      for (; n < q->n; n++)
        row_block (q, m, n, 1);
    }
}

static inline __attribute__ ((always_inline)) void
product_block (const Outer   *q,
               const NnTerms *t,
               guint          m,
               guint32        k,
               const int      count)
{
  vec acc[4] = { {}, {}, {}, {} };

  for (guint r = 0; r < q->rows; r++)
    for (guint p = 0; p < q->positions; p++)
      {
        const real *x = q->x + r * q->xr + p * q->xp, *g = q->g + r * q->gr + p * q->gp + (gsize) m * q->lanes;

        for (gsize v = 0; v < q->lanes; v += VLEN)
          {
            const vec gv = *(const vec *) (g + v);

#pragma GCC unroll 4
            for (int j = 0; j < count; j++)
              acc[j] += gv * *(const vec *) (x + t->offset[k + j] + v);
          }
      }
#pragma GCC unroll 4
  for (int j = 0; j < count; j++)
    q->gw[t->weight[k + j]] += vec_sum (acc[j]);
}

/* The gradients of the weights that are left; mi, no and ldw of @q do not count. */
void
CLASSED (nn_sparse_products) (const Outer   *q,
                              const NnTerms *t)
{
  for (guint m = 0; m < t->n; m++)
    {
      guint32 k = t->start[m];

      for (; k + 4 <= t->start[m + 1]; k += 4)
        product_block (q, t, m, k, 4);
      for (; k < t->start[m + 1]; k++)
        product_block (q, t, m, k, 1);
    }
}
