/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense layers and convolutions whose kernels are mostly pruned: only what is left is multiplied. */

#include "nn-real.h"

/* Registers for sums: two are left for the weight and a product. More than 8 do not divide into the lanes of one position. */
#define MOST (VBYTES == 64 ? 24 : 12)
#define MOST_PAIRS 7
#define MOST_OF_ONE 8

/* Tells the compiler to have an address in a register: operands are found from it and a distance, which others share. */
#if defined(__x86_64__) && !defined(NN_WIDE)
#define HOLD(p) __asm__ ("" : "+r" (p))
#else
#define HOLD(p) (void) (p)
#endif

/* Before vector j of a block: every third position is found from the one three before. */
#define NEXT(p, step, j)           \
  if (j % (3 * per) == 0)          \
    {                              \
      p += j > 0 ? 3 * (step) : 0; \
      HOLD (p);                    \
    }

/*
 * One row of results at @n times as many positions as take @count vectors, @per each, from its list of terms.
 */
static inline __attribute__ ((always_inline)) void
row_blocks (const SparseRows *q,
            guint             m,
            const real       *x,
            real             *c,
            guint             n,
            const int         count,
            const int         per)
{
  const NnTerms *t = q->terms;
  const int positions = count / per; /* outside the loop's head, where sanitizers check the division */
  const gsize xn = q->xn, cn = q->cn;
  const guint32 from = t->start[m * t->kh + q->first], n_terms = t->start[m * t->kh + q->last] - from;
  const vec first = q->bias != NULL ? splat (q->bias[m]) : (vec) {};
  const gboolean add = q->add, relu = q->relu;

  for (; n > 0; n--, x += positions * xn, c += positions * cn)
    {
      const guint32 *offset = t->offset + from;
      const real *weight = q->w + from, *end = weight + n_terms;
      vec acc[MAX (MOST, 2 * MOST_PAIRS)];
      real *to = c;

#pragma GCC unroll 24
      for (int j = 0; j < count; j++)
        {
          NEXT (to, cn, j);
          acc[j] = add ? *(const vec *) (to + j / per % 3 * cn + j % per * VLEN) : first;
        }
      for (; weight < end; weight++, offset++)
        {
          const vec w = splat (*weight);
          const real *at = x + *offset;

#pragma GCC unroll 24
          for (int j = 0; j < count; j++)
            {
              NEXT (at, xn, j);
              acc[j] += w * *(const vec *) (at + j / per % 3 * xn + j % per * VLEN);
            }
        }
      if (relu)
#pragma GCC unroll 24
        for (int j = 0; j < count; j++)
          acc[j] = (vec) ((ivec) acc[j] & ~(ivec) (acc[j] < 0));
      to = c;
#pragma GCC unroll 24
      for (int j = 0; j < count; j++)
        {
          NEXT (to, cn, j);
          *(vec *) (to + j / per % 3 * cn + j % per * VLEN) = acc[j];
        }
    }
}

/* Each in a function of its own, so that its loop has all registers. */
#define BLOCKS(N, PER)                                                                          \
  static __attribute__ ((noinline)) void                                                        \
  blocks_##N##_##PER (const SparseRows *q, guint m, const real *x, real *c, guint n)            \
  {                                                                                             \
    row_blocks (q, m, x, c, n, N * PER, PER);                                                   \
  }

BLOCKS (1, 8)
BLOCKS (1, 4)
BLOCKS (3, 4)
BLOCKS (2, 2)
BLOCKS (3, 2)
BLOCKS (4, 2)
BLOCKS (5, 2)
BLOCKS (6, 2)
BLOCKS (7, 2)
BLOCKS (1, 1)
BLOCKS (4, 1)
BLOCKS (12, 1)
#if VBYTES == 64
BLOCKS (24, 1)
#endif

/* Two vectors a position are taken in blocks of about the same size, as small ones wait for their sums: how many of which size. */
typedef struct {
  guint size, n;
} Run;

static void
runs_of (guint positions,
         Run   runs[2])
{
  const guint blocks = (positions + MOST_PAIRS - 1) / MOST_PAIRS, size = (positions + blocks - 1) / blocks;
  const guint smaller = blocks * size - positions;

  runs[0] = (Run) { size, blocks - smaller };
  runs[1] = (Run) { size - 1, smaller };
}

static inline __attribute__ ((always_inline)) void
row_of_pairs (const SparseRows *q,
              guint             m,
              const real       *x,
              real             *c,
              const Run         runs[2])
{
  for (guint i = 0; i < 2 && runs[i].n > 0; i++)
    {
      switch (runs[i].size)
        {
        case 2: blocks_2_2 (q, m, x, c, runs[i].n); break;
        case 3: blocks_3_2 (q, m, x, c, runs[i].n); break;
        case 4: blocks_4_2 (q, m, x, c, runs[i].n); break;
        case 5: blocks_5_2 (q, m, x, c, runs[i].n); break;
        case 6: blocks_6_2 (q, m, x, c, runs[i].n); break;
        default: blocks_7_2 (q, m, x, c, runs[i].n); break;
        }
      x += runs[i].n * runs[i].size * q->xn;
      c += runs[i].n * runs[i].size * q->cn;
    }
}

/* Blocks of as many positions as the registers take, then smaller ones. */
static void
row_of_quads (const SparseRows *q,
              guint             m,
              const real       *x,
              real             *c)
{
  const guint n = q->n / 3;

  blocks_3_4 (q, m, x, c, n);
  blocks_1_4 (q, m, x + 3 * n * q->xn, c + 3 * n * q->cn, q->n - 3 * n);
}

static void
row_of_singles (const SparseRows *q,
                guint             m,
                const real       *x,
                real             *c)
{
  guint n = 0;

#if VBYTES == 64
  blocks_24_1 (q, m, x, c, q->n / 24);
  n = q->n / 24 * 24;
#endif
  blocks_12_1 (q, m, x + n * q->xn, c + n * q->cn, (q->n - n) / 12);
  n += (q->n - n) / 12 * 12;
  blocks_4_1 (q, m, x + n * q->xn, c + n * q->cn, (q->n - n) / 4);
  n += (q->n - n) / 4 * 4;
  blocks_1_1 (q, m, x + n * q->xn, c + n * q->cn, q->n - n);
}

/* One position of @per vectors, few: each has four sums, as one would wait for itself. */
static inline __attribute__ ((always_inline)) void
row_of_one (const SparseRows *q,
            guint             m,
            const real       *x,
            real             *c,
            const int         per)
{
  const NnTerms *t = q->terms;
  guint32 k = t->start[m * t->kh + q->first];
  const guint32 end = t->start[m * t->kh + q->last];
  vec acc[4][2] = { { {} } };

  for (; k + 4 <= end; k += 4)
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
      {
        const vec w = splat (q->w[k + i]);

#pragma GCC unroll 2
        for (int j = 0; j < per; j++)
          acc[i][j] += w * *(const vec *) (x + t->offset[k + i] + j * VLEN);
      }
  for (; k < end; k++)
    for (int j = 0; j < per; j++)
      acc[0][j] += splat (q->w[k]) * *(const vec *) (x + t->offset[k] + j * VLEN);
  for (int j = 0; j < per; j++)
    {
      vec sum = (acc[0][j] + acc[1][j]) + (acc[2][j] + acc[3][j]);

      sum += q->add ? *(const vec *) (c + j * VLEN) : q->bias != NULL ? splat (q->bias[m]) : (vec) {};
      *(vec *) (c + j * VLEN) = q->relu ? (vec) ((ivec) sum & ~(ivec) (sum < 0)) : sum;
    }
}

void
CLASSED (nn_sparse_rows) (const SparseRows *q)
{
  const gsize per = MIN (q->lanes / VLEN, MOST_OF_ONE);
  Run runs[2];

  runs_of (q->n, runs);
  if (q->n == 1 && per == MOST_OF_ONE) /* a row's terms are few: all lanes at once */
    {
      SparseRows parts = *q;

      parts.xn = parts.cn = per * VLEN;
      for (guint m = 0; m < q->terms->n; m++)
        blocks_1_8 (&parts, m, q->x, q->c + m * q->cm, q->lanes / (per * VLEN));
      return;
    }
  /* a part of the lanes at a time, whose inputs stay in the first-level cache for all rows */
  for (gsize v = 0; v < q->lanes; v += per * VLEN)
    for (guint m = 0; m < q->terms->n; m++)
      {
        const real *x = q->x + v;
        real *c = q->c + m * q->cm + v;

        switch (per)
          {
          case 8:
            blocks_1_8 (q, m, x, c, q->n);
            break;
          case 4:
            row_of_quads (q, m, x, c);
            break;
          case 2:
            if (q->n == 1)
              row_of_one (q, m, x, c, 2);
            else
              row_of_pairs (q, m, x, c, runs);
            break;
          default:
            if (q->n == 1 && per == 1)
              row_of_one (q, m, x, c, 1);
            else
              row_of_singles (q, m, x, c);
          }
      }
}

/* Weights whose gradients are summed up together: a register for each one's offset is left. */
#define TERMS 6
/* Each has two sums, for every other vector, as one would wait for itself. */
#define SUMS (NN_LANES / VLEN > 1 ? 2 : 1)

static inline __attribute__ ((always_inline)) void
add_to_kernel (real          *gw,
               const guint32 *weight,
               const vec     *acc,
               const int      count)
{
  real sums[8] = { 0 };

  if (count >= 4)
    {
      add_sums_4 (sums, acc[0], acc[1], acc[2], acc[3]);
      if (count > 4)
        add_sums_4 (sums + 4, acc[4], count > 5 ? acc[5] : (vec) {}, count > 6 ? acc[6] : (vec) {}, count > 7 ? acc[7] : (vec) {});
    }
  else
    for (int j = 0; j < count; j++)
      sums[j] = vec_sum (acc[j]);
  for (int j = 0; j < count; j++)
    gw[weight[j]] += sums[j];
}

static inline __attribute__ ((always_inline)) void
product_block (const SparseProducts *q,
               guint                 m,
               guint32               k,
               const int             count,
               const gsize           lanes)
{
  const guint32 *offset = q->terms->offset + k;
  vec acc[2 * TERMS] = { {} };

  for (guint r = 0; r < q->rows; r++)
    {
      const real *x = q->x + r * q->xr, *g = q->g + r * q->gr + (gsize) m * lanes;

      for (guint p = 0; p < q->positions; p++, x += q->xp, g += q->gp)
#pragma GCC unroll 4
        for (gsize v = 0; v < lanes; v += SUMS * VLEN)
#pragma GCC unroll 2
          for (gsize h = 0; h < SUMS; h++)
            {
              vec gv = *(const vec *) (g + v + h * VLEN);
              const real *at = x + v + h * VLEN;

              KEEP (gv);
              if (__builtin_constant_p (lanes)) /* otherwise a loop's counter is added anyway */
                HOLD (at);
#pragma GCC unroll 24
              for (int j = 0; j < count; j++)
                acc[h * TERMS + j] += gv * *(const vec *) (at + offset[j]);
            }
    }
#pragma GCC unroll 24
  for (int j = 0; j < count; j++)
    {
      acc[j] += acc[TERMS + j];
      if (q->sums != NULL)
        ((vec *) (gpointer) q->sums)[k + j] += acc[j];
    }
  if (q->sums == NULL)
    add_to_kernel (q->gw, q->terms->weight + k, acc, count);
}

#define PRODUCTS(N) case N: product_block (q, m, k, N, lanes); break;

/* A row's terms in blocks of about the same size: one by one each sum would wait for its last product. */
static inline __attribute__ ((always_inline)) void
products (const SparseProducts *q,
          const gsize           lanes)
{
  const NnTerms *t = q->terms;

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

/* One position of few lanes: each term has few products, so that to add them up is most of the work. */
static inline __attribute__ ((always_inline)) void
position_block (const SparseProducts *q,
                guint                 m,
                guint32               k,
                const int             count)
{
  const real *g = q->g + (gsize) m * NN_LANES;
  vec acc[8];

#pragma GCC unroll 8
  for (int j = 0; j < count; j++)
    {
      const real *x = q->x + q->terms->offset[k + j];

      acc[j] = *(const vec *) g * *(const vec *) x;
#pragma GCC unroll 8
      for (int v = VLEN; v < NN_LANES; v += VLEN)
        acc[j] += *(const vec *) (g + v) * *(const vec *) (x + v);
    }
  add_to_kernel (q->gw, q->terms->weight + k, acc, count);
}

static void
one_position (const SparseProducts *q)
{
  const NnTerms *t = q->terms;

  for (guint m = 0; m < t->n; m++)
    {
      const guint32 end = t->start[(m + 1) * t->kh];
      guint32 k = t->start[m * t->kh];

      for (; k + 8 <= end; k += 8)
        position_block (q, m, k, 8);
      for (; k + 4 <= end; k += 4)
        position_block (q, m, k, 4);
      for (; k < end; k++)
        position_block (q, m, k, 1);
    }
}

void
CLASSED (nn_sparse_products) (const SparseProducts *q)
{
  if (q->lanes == NN_LANES && q->rows * q->positions == 1 && q->sums == NULL)
    one_position (q);
  else if (q->lanes == NN_LANES)
    products (q, NN_LANES);
  else
    products (q, q->lanes);
}

void
CLASSED (nn_sparse_add_sums) (const NnTerms *t,
                              const real    *sums,
                              real          *gw)
{
  const vec *all = (const vec *) (gconstpointer) sums;
  const guint32 n = t->start[t->n * t->kh];
  guint32 k = 0;

  for (; k + 8 <= n; k += 8)
    add_to_kernel (gw, t->weight + k, all + k, 8);
  for (; k < n; k++)
    add_to_kernel (gw, t->weight + k, all + k, 1);
}
