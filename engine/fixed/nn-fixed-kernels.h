/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner loops: sums of products over columns of NN_FIXED_LANES samples, chosen for the CPU at run time. */

#pragma once

#include "nn-fixed-private.h"

G_BEGIN_DECLS

/*
 * Sums over a row of weights: x are columns of samples, of which the i-th weight meets the at[i]-th. `lanes` is NN_FIXED_LANES
 * or NN_FIXED_FEW_LANES. Which of them is exact for a layer: nn-fixed-matrix.c.
 *
 * sum32, sum64: acc[b] += (x[at[i]][b] * w[i]) >> shift for all i, modulo 2^32 or 2^64.
 * low16, high16: the lower and the upper half of the products, modulo 2^16.
 * pair16: x are columns of pairs; the products of both with theirs, modulo 2^32.
 */
typedef void (*NnSum32Func)  (gint32 *acc, const gint32 *const *x, const guint32 *at, const gint32 *w, gsize n, int shift, gsize lanes);
typedef void (*NnSum64Func)  (gint64 *acc, const gint64 *const *x, const guint32 *at, const gint64 *w, gsize n, int shift, gsize lanes);
typedef void (*NnSum16Func)  (gint16 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);
typedef void (*NnPair16Func) (gint32 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);

/* What is done about numbers outside [min, max]: nothing (they wrap, later, or there are none), the sums are clipped to it,
 * the products too, or both become zero. */
typedef enum {
  NN_LIMIT_NONE,
  NN_LIMIT_SUM,
  NN_LIMIT_BOTH,
  NN_LIMIT_ZERO,
} NnLimit;

/**
 * NnSteps: acc = limit (acc + limit (round (x * w))) in the order of the weights.
 * @shift: bits that are rounded off, 0 to 30 or 60
 * @narrow: whether both factors of 64 bits would fit 32
 *
 * Products, before and after the shift, and sums have a bit to spare in the element: 31 or 62 bits with the sign.
 */
typedef struct {
  int        shift;
  NnRounding rounding;
  NnLimit    limit;
  gint64     min, max;
  gboolean   narrow;
} NnSteps;

typedef void (*NnSteps32Func) (gint32 *acc, const gint32 *const *x, const guint32 *at, const gint32 *w, gsize n, const NnSteps *steps, gsize lanes);
typedef void (*NnSteps64Func) (gint64 *acc, const gint64 *const *x, const guint32 *at, const gint64 *w, gsize n, const NnSteps *steps, gsize lanes);

/* The same with products of up to 127 bits and sums of 64; without a limit, modulo 2^64. */
typedef struct {
  int        shift; /* 0 to 63 */
  NnRounding rounding;
  NnLimit    limit;
  gboolean   is_unsigned;
  NnWide     bias, min, max;
} NnWideSteps;

gboolean nn_wide_steps_init (NnWideSteps *steps, const NnCast *cast, NnLimit limit);
void     nn_steps_wide      (gint64 *acc, const gint64 *const *x, const guint32 *at, const gint64 *w, gsize n, const NnWideSteps *steps, gsize lanes);

/**
 * NnFixedKernels:
 * @round: shifts and rounds; @overflow: what is done about values outside the type; both without the wide path
 * @clip: below zero to zero, above @ceiling to it
 * @larger: the larger of @out and @in; @affine: (@in * @factor << @up) + @offset, modulo 2^64
 * @narrow16, @narrow32: the low bits; @widen16, @widen32: with the sign; @pair: the low bits of both side by side
 * @load: every @stride-th real to the type's integers, where they are far from the end of 64 bits; else %FALSE
 */
typedef struct {
  NnSum32Func   sum32;
  NnSum64Func   sum64;
  NnSum16Func   low16, high16;
  NnPair16Func  pair16;
  NnSteps32Func steps32;
  NnSteps64Func steps64;
  void        (*round)    (gint64 *out, const gint64 *in, gsize n, const NnCast *cast);
  void        (*overflow) (const NnCast *cast, gint64 *v, gsize n);
  void        (*clip)     (gint64 *out, const gint64 *in, gint64 ceiling, gsize n);
  void        (*larger)   (gint64 *out, const gint64 *in, gsize n);
  void        (*affine)   (gint64 *out, const gint64 *in, gint64 factor, gint64 offset, int up, gsize n);
  void        (*narrow16) (gint16 *out, const gint64 *in, gsize n);
  void        (*narrow32) (gint32 *out, const gint64 *in, gsize n);
  void        (*widen16)  (gint64 *out, const gint16 *in, gsize n);
  void        (*widen32)  (gint64 *out, const gint32 *in, gsize n);
  void        (*pair)     (gint16 *out, const gint64 *first, const gint64 *second, gsize n);
  gboolean    (*load)     (gint64 *out, const double *in, gsize stride, gsize n, double scale, gboolean half);
} NnFixedKernels;

const NnFixedKernels *nn_fixed_kernels       (void);
const NnFixedKernels *nn_fixed_kernels_naive (void);

void nn_low16_naive   (gint16 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);
void nn_high16_naive  (gint16 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);
void nn_pair16_naive  (gint32 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);
void nn_steps32_naive (gint32 *acc, const gint32 *const *x, const guint32 *at, const gint32 *w, gsize n, const NnSteps *s, gsize lanes);
void nn_steps64_naive (gint64 *acc, const gint64 *const *x, const guint32 *at, const gint64 *w, gsize n, const NnSteps *s, gsize lanes);
void nn_low16_avx2    (gint16 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);
void nn_high16_avx2   (gint16 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);
void nn_pair16_avx2   (gint32 *acc, const gint16 *const *x, const guint32 *at, const gint16 *w, gsize n, gsize lanes);
void nn_steps32_avx2  (gint32 *acc, const gint32 *const *x, const guint32 *at, const gint32 *w, gsize n, const NnSteps *s, gsize lanes);
void nn_steps64_avx2  (gint64 *acc, const gint64 *const *x, const guint32 *at, const gint64 *w, gsize n, const NnSteps *s, gsize lanes);

/* Rounds off @shift bits, 1 to 62. */
static inline __attribute__ ((always_inline)) gint64
nn_round_one (gint64     v,
              int        shift,
              NnRounding mode)
{
  gint64 q = v >> shift, rest = v & (((gint64) 1 << shift) - 1), half = (gint64) 1 << (shift - 1);

  switch (mode)
    {
    case NN_ROUND_TRN_ZERO:
      return q + (v < 0 && rest != 0);
    case NN_ROUND_RND:
      return q + (rest >= half);
    case NN_ROUND_RND_ZERO:
      return q + (rest > half || (rest == half && v < 0));
    case NN_ROUND_RND_INF:
      return q + (rest > half || (rest == half && v >= 0));
    case NN_ROUND_RND_MIN_INF:
      return q + (rest > half);
    case NN_ROUND_RND_CONV:
      return q + (rest > half || (rest == half && (q & 1)));
    case NN_ROUND_TRN:
    default:
      return q;
    }
}

/* What is added before @shift bits are cut off, so that rounding is a sum and a shift; the modes that look at the sign or at the
 * last bit kept add one more themselves. */
static inline __attribute__ ((always_inline)) NnWide
nn_rounding_bias (NnRounding rounding,
                  int        shift)
{
  NnWide half = shift > 0 ? (NnWide) 1 << (shift - 1) : 0;

  switch (rounding)
    {
    case NN_ROUND_RND:
    case NN_ROUND_RND_INF:
      return half;
    case NN_ROUND_RND_ZERO:
    case NN_ROUND_RND_MIN_INF:
    case NN_ROUND_RND_CONV:
      return half - (half > 0);
    case NN_ROUND_TRN_ZERO:
    case NN_ROUND_TRN:
    default:
      return 0;
    }
}

#define NN_STEPS_LIMITS 4 /* of NnLimit */

#define NN_EACH_LIMIT(CASE, rounding)                                                                                 \
  CASE (rounding, NN_LIMIT_NONE)                                                                                      \
  CASE (rounding, NN_LIMIT_SUM)                                                                                       \
  CASE (rounding, NN_LIMIT_BOTH)                                                                                      \
  CASE (rounding, NN_LIMIT_ZERO)

/* A loop of its own for each pair of a rounding and a limit: CASE (rounding, limit) begins with NN_STEPS_CASE and ends with a break. */
#define NN_STEPS_CASE(rounding, limit) case (rounding) * NN_STEPS_LIMITS + (limit)
#define NN_SWITCH_STEPS(rounding, limit, CASE)                                                                        \
  switch ((rounding) * NN_STEPS_LIMITS + (limit))                                                                     \
    {                                                                                                                 \
      NN_EACH_LIMIT (CASE, NN_ROUND_TRN)                                                                              \
      NN_EACH_LIMIT (CASE, NN_ROUND_TRN_ZERO)                                                                         \
      NN_EACH_LIMIT (CASE, NN_ROUND_RND)                                                                              \
      NN_EACH_LIMIT (CASE, NN_ROUND_RND_ZERO)                                                                         \
      NN_EACH_LIMIT (CASE, NN_ROUND_RND_INF)                                                                          \
      NN_EACH_LIMIT (CASE, NN_ROUND_RND_MIN_INF)                                                                      \
      NN_EACH_LIMIT (CASE, NN_ROUND_RND_CONV)                                                                         \
    default:                                                                                                          \
      g_assert_not_reached ();                                                                                        \
    }

G_END_DECLS
