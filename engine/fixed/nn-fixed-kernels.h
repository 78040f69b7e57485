/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inner loops: sums of products over columns of NN_FIXED_LANES samples, chosen for the CPU at run time. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * acc[b] += (x[i][b] * w[i]) >> shift for all i, modulo 2^32 or 2^64. Exact where the products fit the element and the
 * accumulator is the element or wraps: see nn-fixed-matrix.c. `lanes` is NN_FIXED_LANES or NN_FIXED_FEW_LANES.
 */
typedef void (*NnSum32Func) (gint32 *acc, const gint32 *const *x, const gint32 *w, gsize n, int shift, gsize lanes);
typedef void (*NnSum64Func) (gint64 *acc, const gint64 *const *x, const gint64 *w, gsize n, int shift, gsize lanes);

typedef struct {
  NnSum32Func sum32;
  NnSum64Func sum64;
} NnFixedKernels;

const NnFixedKernels *nn_fixed_kernels       (void);
const NnFixedKernels *nn_fixed_kernels_naive (void);

G_END_DECLS
