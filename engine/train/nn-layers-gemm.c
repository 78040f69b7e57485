/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two register-blocked kernels that nearly all of the time is spent in. Compiled once for each class of processor. */

#include "nn-real.h"

/*
 * A block of MR rows and NR vectors of C stays in registers while k runs; A is broadcast, B read as vectors. Three rows
 * share a pointer into A, so that x86 addressing ([p], [p + s], [p + 2s]) needs few registers.
 * The naive twin is in tests/engine/test-train-kernels.c.
 */
#define MAX_MR 12
#define MAX_NR 4

static inline __attribute__ ((always_inline)) void
block (const Gemm *g,
       const real *from,
       real       *c,
       guint       m0,
       const int   mr,
       const int   nr,
       const gsize unit)
{
  const gsize am = unit ? unit : g->am, ak = g->ak, bn = g->bn, bk = g->bk;
  vec acc[MAX_MR][MAX_NR];

#pragma GCC unroll 12
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
    for (int j = 0; j < nr; j++)
      acc[i][j] = g->add ? *(const vec *) (c + i * g->cm + j * g->cn) : g->bias != NULL ? splat (g->bias[m0 + i]) : (vec) {};
  for (guint s = 0; s < g->n_segments; s++)
    {
      const real *b = from + g->segments[s].b;
      const real *a0 = g->a + g->segments[s].a + m0 * am;
      const real *a3 = a0 + 3 * am, *a6 = a0 + 6 * am, *a9 = a0 + 9 * am;

      for (guint k = g->segments[s].k; k > 0; k--)
        {
          vec bv[MAX_NR];

#pragma GCC unroll 4
          for (int j = 0; j < nr; j++)
            bv[j] = *(const vec *) (b + j * bn);
#pragma GCC unroll 12
          for (int i = 0; i < mr; i++)
            {
              const real *p = i < 3 ? a0 : i < 6 ? a3 : i < 9 ? a6 : a9;
              vec av = splat (p[i % 3 * am]);

#pragma GCC unroll 4
              for (int j = 0; j < nr; j++)
                acc[i][j] += av * bv[j];
            }
          a0 += ak, a3 += ak, a6 += ak, a9 += ak;
          b += bk;
        }
    }
#pragma GCC unroll 12
  for (int i = 0; i < mr; i++)
#pragma GCC unroll 4
    for (int j = 0; j < nr; j++)
      {
        if (g->relu)
          acc[i][j] = (vec) ((ivec) acc[i][j] & ((acc[i][j] > 0) | (acc[i][j] != acc[i][j])));
        *(vec *) (c + i * g->cm + j * g->cn) = acc[i][j];
      }
}

/* One block of rows of every column, so that the same instructions follow each other. */
static inline __attribute__ ((always_inline)) void
columns (const Gemm *g,
         guint       m0,
         guint       n0,
         const int   mr,
         const int   nr,
         const gsize unit)
{
  const real *b = g->b + n0 * g->bn;
  real *c = g->c + m0 * g->cm + n0 * g->cn;

  for (guint i = 0; i <= g->more; i++, b += g->bp, c += g->cp)
    block (g, b, c, m0, mr, nr, unit);
}

#define CASE(M, N) case M: columns (g, m, n, M, N, unit); break;

/* Rows of C in blocks as large as the registers allow for this many vectors. */
#define ROWS(N, MOST, CASES)                                                          \
  static __attribute__ ((noinline)) void                                              \
  rows_##N (const Gemm *g, guint n)                                                   \
  {                                                                                   \
    for (guint m = 0; m < g->m;)                                                      \
      {                                                                               \
        guint left = g->m - m, take = left <= MOST ? left : left < 2 * MOST ? (left + 1) / 2 : MOST; \
                                                                                      \
        if (g->am == 1)                                                               \
          {                                                                           \
            const gsize unit = 1;                                                     \
            switch (take) { CASES }                                                   \
          }                                                                           \
        else                                                                          \
          {                                                                           \
            const gsize unit = 0;                                                     \
            switch (take) { CASES }                                                   \
          }                                                                           \
        m += take;                                                                    \
      }                                                                               \
  }

#if VBYTES == 64
#define MOST_4 6
#define MOST_2 12
#define CASES_4 CASE (1, 4) CASE (2, 4) CASE (3, 4) CASE (4, 4) CASE (5, 4) CASE (6, 4)
#define CASES_2 CASE (1, 2) CASE (2, 2) CASE (3, 2) CASE (4, 2) CASE (5, 2) CASE (6, 2) \
  CASE (7, 2) CASE (8, 2) CASE (9, 2) CASE (10, 2) CASE (11, 2) CASE (12, 2)
#else
#define MOST_4 3
#define MOST_2 6
#define CASES_4 CASE (1, 4) CASE (2, 4) CASE (3, 4)
#define CASES_2 CASE (1, 2) CASE (2, 2) CASE (3, 2) CASE (4, 2) CASE (5, 2) CASE (6, 2)
#endif
#define CASES_1 CASE (1, 1) CASE (2, 1) CASE (3, 1) CASE (4, 1) CASE (5, 1) CASE (6, 1) \
  CASE (7, 1) CASE (8, 1) CASE (9, 1) CASE (10, 1) CASE (11, 1) CASE (12, 1)

ROWS (4, MOST_4, CASES_4)
ROWS (2, MOST_2, CASES_2)
ROWS (1, 12, CASES_1)

void
CLASSED (nn_gemm) (const Gemm *g)
{
  guint n = 0;

  if (VBYTES == 64 || g->m < 4)
    for (; n + 4 <= g->n; n += 4)
      rows_4 (g, n);
  for (; n + 2 <= g->n; n += 2)
    rows_2 (g, n);
  for (; n < g->n; n++)
    rows_1 (g, n);
}

/*
 * A block of inputs, which stay in registers at a position, meets a block of outputs, one after the other. Few registers take
 * few, so that none is spilt: with 16 of them 12 sums, 3 or 4 inputs and an output.
 */
#if VBYTES == 64
#define OUTER_I(o) 6
#else
#define OUTER_I(o) ((o) == 4 ? 3 : (o) == 3 ? 4 : (o) == 2 ? 6 : 8)
#endif

/* The next block's width, so that no block of one is left over. */
static inline guint
outer_width (guint left)
{
  return left == 5 || left == 6 || left == 9 ? 3 : MIN (left, 4);
}

static inline guint
outer_height (guint left,
              guint most)
{
  return left <= most ? left : left < 2 * most ? (left + 1) / 2 : most;
}

static inline __attribute__ ((always_inline)) void
outer_block (const Outer *q,
             guint        i0,
             guint        o0,
             const int    ni,
             const int    no,
             const gsize  lanes)
{
  vec acc[8][4];

#pragma GCC unroll 8
  for (int i = 0; i < ni; i++)
#pragma GCC unroll 4
    for (int o = 0; o < no; o++)
      acc[i][o] = (vec) {};
  for (guint r = 0; r < q->rows; r++)
    {
      const real *x = q->x + r * q->xr + i0 * lanes, *gy = q->g + r * q->gr + o0 * lanes;

      for (guint p = 0; p < q->positions; p++, x += q->xp, gy += q->gp)
#pragma GCC unroll 4
        for (gsize v = 0; v < lanes; v += VLEN)
          {
            vec xv[8];

#pragma GCC unroll 8
            for (int i = 0; i < ni; i++)
              {
                xv[i] = *(const vec *) (x + i * lanes + v);
                KEEP (xv[i]);
              }
#pragma GCC unroll 4
            for (int o = 0; o < no; o++)
              {
                vec gv = *(const vec *) (gy + o * lanes + v);

                KEEP (gv);
#pragma GCC unroll 8
                for (int i = 0; i < ni; i++)
                  acc[i][o] += xv[i] * gv;
              }
          }
    }
#pragma GCC unroll 8
  for (int i = 0; i < ni; i++)
    {
      real *to = q->gw + (i0 + i) * q->ldw + o0;

      if (no == 4)
        add_sums_4 (to, acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
      else
#pragma GCC unroll 3
        for (int o = 0; o < no; o++)
          to[o] += vec_sum (acc[i][o]);
    }
}

static void
outer_squares (const Outer *q)
{
  for (guint i = 0; i < q->mi; i++)
    for (guint o = 0; o < q->no; o++)
      for (gsize v = 0; v < q->lanes; v += VLEN)
        {
          vec sum = {};

          for (guint r = 0; r < q->rows; r++)
            for (guint p = 0; p < q->positions; p++)
              sum += *(const vec *) (q->x + r * q->xr + p * q->xp + (gsize) i * q->lanes + v) *
                     *(const vec *) (q->g + r * q->gr + p * q->gp + (gsize) o * q->lanes + v);
          q->gw[i * q->ldw + o] += vec_sum (sum * sum);
        }
}

#define OUTER_CASE(I, O)                   \
  case I * 8 + O:                          \
    if (q->lanes == NN_LANES)              \
      outer_block (q, i, o, I, O, NN_LANES); \
    else                                   \
      outer_block (q, i, o, I, O, q->lanes); \
    break;

void
CLASSED (nn_outer) (const Outer *q)
{
  if (q->squares)
    {
      outer_squares (q);
      return;
    }
  for (guint o = 0, width; o < q->no; o += width)
    {
      width = outer_width (q->no - o);
      for (guint i = 0, height; i < q->mi; i += height)
        {
          height = outer_height (q->mi - i, OUTER_I (width));
          switch (height * 8 + width)
            {
              OUTER_CASE (1, 1) OUTER_CASE (1, 2) OUTER_CASE (1, 3) OUTER_CASE (1, 4)
              OUTER_CASE (2, 1) OUTER_CASE (2, 2) OUTER_CASE (2, 3) OUTER_CASE (2, 4)
              OUTER_CASE (3, 1) OUTER_CASE (3, 2) OUTER_CASE (3, 3) OUTER_CASE (3, 4)
              OUTER_CASE (4, 1) OUTER_CASE (4, 2) OUTER_CASE (4, 3)
              OUTER_CASE (5, 1) OUTER_CASE (5, 2)
              OUTER_CASE (6, 1) OUTER_CASE (6, 2)
#if VBYTES == 64
              OUTER_CASE (4, 4) OUTER_CASE (5, 3) OUTER_CASE (5, 4) OUTER_CASE (6, 3) OUTER_CASE (6, 4)
#else
              OUTER_CASE (7, 1) OUTER_CASE (8, 1)
#endif
            default:
              break;
            }
        }
    }
}

/* Lane l of the result: where bit h of l is unset, lane l of the first vector, else lane l - h of the second; and the rest. */
#define LOW(h, l) ((l) & (h) ? VLEN + (l) - (h) : (l))
#define HIGH(h, l) ((l) & (h) ? VLEN + (l) : (l) + (h))
#define EVERY_2(F, h) F (h, 0), F (h, 1)
#define EVERY_4(F, h) EVERY_2 (F, h), F (h, 2), F (h, 3)
#define EVERY_8(F, h) EVERY_4 (F, h), F (h, 4), F (h, 5), F (h, 6), F (h, 7)
#define EVERY_16(F, h) EVERY_8 (F, h), F (h, 8), F (h, 9), F (h, 10), F (h, 11), F (h, 12), F (h, 13), F (h, 14), F (h, 15)
#if VBYTES == 64
#define EVERY EVERY_16
#elif VBYTES == 32
#define EVERY EVERY_8
#elif defined(NN_REAL_DOUBLE)
#define EVERY EVERY_2
#else
#define EVERY EVERY_4
#endif

#define EXCHANGE(h)                                                                              \
  _Pragma ("GCC unroll 16")                                                                      \
    for (int i = 0; i < VLEN; i++)                                                               \
      if (!(i & h))                                                                              \
        {                                                                                        \
          vec low = SHUFFLE (t[i], t[i + h], EVERY (LOW, h));               \
                                                                                                 \
          t[i + h] = SHUFFLE (t[i], t[i + h], EVERY (HIGH, h));             \
          t[i] = low;                                                                            \
        }

/* Transposes VLEN vectors in registers. */
static inline __attribute__ ((always_inline)) void
flip_tile (vec t[VLEN])
{
  EXCHANGE (1)
#if VBYTES >= 32 || !defined(NN_REAL_DOUBLE)
  EXCHANGE (2)
#endif
#if VBYTES >= 32
  EXCHANGE (4)
#endif
#if VBYTES >= 64
  EXCHANGE (8)
#endif
}

typedef real loose __attribute__ ((vector_size (VBYTES), aligned (sizeof (real)), may_alias));

void
CLASSED (nn_flip) (real       *to,
                   gsize       ldt,
                   const real *from,
                   gsize       ldf,
                   guint       rows,
                   guint       columns)
{
  const guint full_rows = rows - rows % VLEN, full_columns = columns - columns % VLEN;

  for (guint i0 = 0; i0 < full_rows; i0 += VLEN)
    for (guint j0 = 0; j0 < full_columns; j0 += VLEN)
      {
        vec t[VLEN];

        for (int i = 0; i < VLEN; i++)
          t[i] = (vec) *(const loose *) (from + (i0 + i) * ldf + j0);
        flip_tile (t);
        for (int j = 0; j < VLEN; j++)
          *(loose *) (to + (j0 + j) * ldt + i0) = (loose) t[j];
      }
  for (guint j = 0; j < columns; j++)
    for (guint i = j < full_columns ? full_rows : 0; i < rows; i++)
      to[j * ldt + i] = from[i * ldf + j];
}

/* Rows of the data set, in any order, onto the lanes. Lanes that are no sample repeat the first, so that they stay finite. */
void
CLASSED (nn_gather) (gpointer       block,
                     const float   *rows,
                     gsize          row,
                     const guint32 *samples,
                     guint          valid,
                     guint          lanes)
{
  real *out = block;

  for (guint l0 = 0; l0 < lanes; l0 += VLEN)
    {
      const float *in[VLEN];
      gsize e = 0;

      for (guint l = 0; l < VLEN; l++)
        in[l] = rows + row * samples[l0 + l < valid ? l0 + l : 0];
#ifndef NN_REAL_DOUBLE
      for (; e + VLEN <= row; e += VLEN)
        {
          vec t[VLEN];

          for (int l = 0; l < VLEN; l++)
            t[l] = (vec) *(const loose *) (in[l] + e);
          flip_tile (t);
          for (int l = 0; l < VLEN; l++)
            *(vec *) (out + (e + l) * lanes + l0) = t[l];
        }
#endif
      for (; e < row; e++)
        for (guint l = 0; l < VLEN; l++)
          out[e * lanes + l0 + l] = in[l][e];
    }
}

void
CLASSED (nn_scatter) (float        *rows,
                      gsize         row,
                      gconstpointer block,
                      guint         valid,
                      guint         lanes)
{
  const real *in = block;

  for (guint l = 0; l < valid; l++)
    for (gsize e = 0; e < row; e++)
      rows[l * row + e] = (float) in[e * lanes + l];
}

gboolean
CLASSED (nn_finite) (gconstpointer block,
                     gsize         n)
{
  const real *x = block;
  real s = 0;

  for (gsize i = 0; i < n; i++)
    s += x[i] * 0;
  return s == 0;
}
