/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions whose kernels are mostly pruned: only what is left is multiplied. */

#include "nn-real.h"

/* Registers for sums: two are left for the weight and a product. More than 8 do not divide into the lanes of one position. */
#define MOST (VBYTES == 64 ? 24 : 12)
#define MOST_PAIRS 7
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
  const guint32 end = t->start[m * t->kh + q->last];
  const int positions = count / per; /* outside the loop's head, where sanitizers check the division */
  const real *at[MOST]; /* of each position; a term's offset indexes them all */
  vec acc[MAX (MOST, 2 * MOST_PAIRS)];

#pragma GCC unroll 24
  for (int j = 0; j < positions; j++)
    at[j] = x + j * q->xn;
#pragma GCC unroll 24
  for (int j = 0; j < count; j++)
    acc[j] = q->add ? *(const vec *) (c + j / per * q->cn + j % per * VLEN) : q->bias != NULL ? splat (q->bias[m]) : (vec) {};
  for (guint32 k = t->start[m * t->kh + q->first]; k < end; k++)
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
        acc[j] = (vec) ((ivec) acc[j] & ~(ivec) (acc[j] < 0));
      *(vec *) (c + j / per * q->cn + j % per * VLEN) = acc[j];
    }
}

/* The same of two vectors a position in blocks of about the same size, as small ones wait for their sums. */
#define PAIRS(N) case N: row_block (q, m, x + n * q->xn, c + n * q->cn, 2 * N, 2); break;

static inline __attribute__ ((always_inline)) void
row_of_pairs (const SparseRows *q,
              guint             m,
              const real       *x,
              real             *c)
{
  for (guint n = 0, blocks = (q->n + MOST_PAIRS - 1) / MOST_PAIRS, take; blocks > 0; blocks--, n += take)
    {
      take = (q->n - n + blocks - 1) / blocks;
      switch (take)
        {
          PAIRS (1) PAIRS (2) PAIRS (3) PAIRS (4) PAIRS (5) PAIRS (6) PAIRS (7)
        }
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
            row_of_pairs (q, m, x, c);
            break;
          default:
            row (q, m, x, c, 1);
          }
      }
}

/* Weights whose gradients are summed up together: a register for each one's offset is left. */
#define TERMS 6
/* Each has two sums, for every other vector, as one would wait for itself. */
#define SUMS (NN_LANES / VLEN > 1 ? 2 : 1)

static inline __attribute__ ((always_inline)) void
product_block (const Outer   *q,
               const NnTerms *t,
               guint          m,
               guint32        k,
               const int      count,
               const gsize    lanes)
{
  const gsize n_sums = lanes == NN_LANES ? SUMS : 1;
  vec acc[2 * TERMS] = { {} };
  real sums[8] = { 0 };

  for (guint r = 0; r < q->rows; r++)
    {
      const real *x = q->x + r * q->xr, *g = q->g + r * q->gr + (gsize) m * lanes;

      for (guint p = 0; p < q->positions; p++, x += q->xp, g += q->gp)
#pragma GCC unroll 4
        for (gsize v = 0; v < lanes; v += n_sums * VLEN)
#pragma GCC unroll 2
          for (gsize h = 0; h < n_sums; h++)
            {
              vec gv = *(const vec *) (g + v + h * VLEN);

              KEEP (gv);
#pragma GCC unroll 24
              for (int j = 0; j < count; j++)
                acc[h * TERMS + j] += gv * *(const vec *) (x + t->offset[k + j] + v + h * VLEN);
            }
    }
#pragma GCC unroll 24
  for (int j = 0; j < count; j++)
    acc[j] += acc[TERMS + j];
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
      const guint32 end = t->start[(m + 1) * t->kh];

      for (guint32 k = t->start[m * t->kh], take; k < end; k += take)
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
