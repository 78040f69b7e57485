/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner loops: sums of products over columns of NN_FIXED_LANES samples, chosen for the CPU at run time. */

#pragma once

#include "nn-fixed-private.h"

G_BEGIN_DECLS

/*
 * acc[b] += (x[i][b] * w[i]) >> shift for all i, modulo 2^32 or 2^64. Exact where the products fit the element and the
 * accumulator is the element or wraps: see nn-fixed-matrix.c. `lanes` is NN_FIXED_LANES or NN_FIXED_FEW_LANES.
 */
typedef void (*NnSum32Func) (gint32 *acc, const gint32 *const *x, const gint32 *w, gsize n, int shift, gsize lanes);
typedef void (*NnSum64Func) (gint64 *acc, const gint64 *const *x, const gint64 *w, gsize n, int shift, gsize lanes);

/* @round: shifts and rounds; @overflow: what is done about values outside the type; both without the wide path. */
typedef struct {
  NnSum32Func sum32;
  NnSum64Func sum64;
  void      (*round)    (gint64 *out, const gint64 *in, gsize n, const NnCast *cast);
  void      (*overflow) (const NnCast *cast, gint64 *v, gsize n);
  void      (*clip)     (gint64 *out, const gint64 *in, gint64 ceiling, gsize n);
  /* acc = (T) (acc + (T) (x * w)) in order: products rounded by @cast (a shift of 1 to 62), T not wrapping without a sign */
  void      (*steps)    (gint64 *acc, const gint64 *const *x, const gint64 *w, gsize n, const NnCast *cast, gsize lanes);
} NnFixedKernels;

const NnFixedKernels *nn_fixed_kernels       (void);
const NnFixedKernels *nn_fixed_kernels_naive (void);

G_END_DECLS
