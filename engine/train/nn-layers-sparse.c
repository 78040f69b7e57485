/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions whose kernels are mostly pruned: only what is left is multiplied. */

#include "nn-real.h"

/* Registers for sums: two are left for the weight and a product. More than 8 do not divide into the lanes of one position. */
#define MOST (VBYTES == 64 ? 24 : 12)
#define MOST_OF_ONE 8

/*
 * One row of results at @count / @per positions, of @per vectors each, from its list of terms.
 */
static inline __attribute__ ((always_inline)) void
row_block (const SparseRows *q,
           guint             m,
           const real       *x,
           real             *c,
           const int         count,
           const int         per)
{
  const NnTerms *t = q->terms;
  const real *at[MOST]; /* of each position; a term's offset indexes them all */
  vec acc[MOST];

#pragma GCC unroll 24
  for (int j = 0; j < count / per; j++)
    at[j] = x + j * q->xn;
#pragma GCC unroll 24
  for (int j = 0; j < count; j++)
    acc[j] = q->add ? *(const vec *) (c + j / per * q->cn + j % per * VLEN) : q->bias != NULL ? splat (q->bias[m]) : (vec) {};
  for (guint32 k = t->start[m]; k < t->start[m + 1]; k++)
    {
      const gsize offset = t->offset[k];
      const vec w = splat (q->w[t->weight[k]]);

#pragma GCC unroll 24
      for (int j = 0; j < count; j++)
        acc[j] += w * *(const vec *) (at[j / per] + offset + j % per * VLEN);
    }
#pragma GCC unroll 24
  for (int j = 0; j < count; j++)
    {
      if (q->relu)
        acc[j] = (vec) ((ivec) acc[j] & ((acc[j] > 0) | (acc[j] != acc[j])));
      *(vec *) (c + j / per * q->cn + j % per * VLEN) = acc[j];
    }
}

static inline __attribute__ ((always_inline)) void
row (const SparseRows *q,
     guint             m,
     const real       *x,
     real             *c,
     const int         per)
{
  guint n = 0;

  for (; n + MOST / per <= q->n; n += MOST / per)
    row_block (q, m, x + n * q->xn, c + n * q->cn, MOST / per * per, per);
  for (; 4 * per < MOST && n + 4 <= q->n; n += 4)
    row_block (q, m, x + n * q->xn, c + n * q->cn, 4 * per < MOST ? 4 * per : per, per);
  for (; 2 * per < MOST && n + 2 <= q->n; n += 2)
    row_block (q, m, x + n * q->xn, c + n * q->cn, 2 * per < MOST ? 2 * per : per, per);
  for (; n < q->n; n++)
    row_block (q, m, x + n * q->xn, c + n * q->cn, per, per);
}

void
CLASSED (nn_sparse_rows) (const SparseRows *q)
{
  const gsize per = MIN (q->lanes / VLEN, MOST_OF_ONE);

  /* a part of the lanes at a time, whose inputs stay in the first-level cache for all rows */
  for (gsize v = 0; v < q->lanes; v += per * VLEN)
    for (guint m = 0; m < q->terms->n; m++)
      {
        const real *x = q->x + v;
        real *c = q->c + m * q->cm + v;

        switch (per)
          {
          case 8:
            row (q, m, x, c, 8);
            break;
          case 4:
            row (q, m, x, c, 4);
            break;
          case 2:
            row (q, m, x, c, 2);
            break;
          default:
            row (q, m, x, c, 1);
          }
      }
}

/* Weights whose gradients are summed up together: a register for each one's offset is left. */
#define TERMS 6

static inline __attribute__ ((always_inline)) void
product_block (const Outer   *q,
               const NnTerms *t,
               guint          m,
               guint32        k,
               const int      count,
               const gsize    lanes)
{
  vec acc[TERMS] = { {} };
  real sums[8] = { 0 };

  for (guint r = 0; r < q->rows; r++)
    {
      const real *x = q->x + r * q->xr, *g = q->g + r * q->gr + (gsize) m * lanes;

      for (guint p = 0; p < q->positions; p++, x += q->xp, g += q->gp)
#pragma GCC unroll 4
        for (gsize v = 0; v < lanes; v += VLEN)
          {
            vec gv = *(const vec *) (g + v);

            KEEP (gv);
#pragma GCC unroll 24
            for (int j = 0; j < count; j++)
              acc[j] += gv * *(const vec *) (x + t->offset[k + j] + v);
          }
    }
  if (count >= 4)
    {
      add_sums_4 (sums, acc[0], acc[1], acc[2], acc[3]);
      if (count > 4)
        add_sums_4 (sums + 4, acc[4], acc[5], (vec) {}, (vec) {});
    }
  else
    for (int j = 0; j < count; j++)
      sums[j] = vec_sum (acc[j]);
  for (int j = 0; j < count; j++)
    q->gw[t->weight[k + j]] += sums[j];
}

#define PRODUCTS(N) case N: product_block (q, t, m, k, N, lanes); break;

/* A row's terms in blocks of about the same size: one by one each sum would wait for its last product. */
static inline __attribute__ ((always_inline)) void
products (const Outer   *q,
          const NnTerms *t,
          const gsize    lanes)
{
  for (guint m = 0; m < t->n; m++)
    {
      const guint32 end = t->start[m + 1];

      for (guint32 k = t->start[m], take; k < end; k += take)
        {
          const guint32 left = end - k, blocks = (left + TERMS - 1) / TERMS;

          take = (left + blocks - 1) / blocks;
          switch (take)
            {
              PRODUCTS (1) PRODUCTS (2) PRODUCTS (3) PRODUCTS (4) PRODUCTS (5) PRODUCTS (6)
            }
        }
    }
}

/* The gradients of the weights that are left; mi, no and ldw of @q do not count. */
void
CLASSED (nn_sparse_products) (const Outer   *q,
                              const NnTerms *t)
{
  if (q->lanes == NN_LANES)
    products (q, t, NN_LANES);
  else
    products (q, t, q->lanes);
}
