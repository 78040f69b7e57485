/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a matrix of a layer is prepared to, for nn-fixed-matrix.c and nn-fixed-matrix-prepare.c only. */

#pragma once

#include "nn-fixed-kernels.h"
#include "nn-fixed-private.h"

G_BEGIN_DECLS

/*
 * acc = (accum_t) bias; for each product: acc += (accum_t) (x * w); result = (result_t) acc.
 * Source: hls4ml nnet_dense_latency.h, nnet_dense_resource.h; docs of its numerics, 4.4.
 *
 * Where the accumulator wraps, or is so wide that nothing ever overflows, the order of the sum does not matter and
 * integers that wrap themselves do. Otherwise every step is done in the order of the kernel. How wide the integers are is
 * decided by the types and the weights:
 *
 * NN_SUM_16: products of 16 bits, a weight split in two where bits fall off: high * 2^shift + low, so that
 *   (x * w) >> shift = x * high + (x * low) >> shift
 * NN_SUM_PAIR: two products of 16 bits a step, summed in 32
 * NN_SUM_32, NN_SUM_64: products that are summed as they are or truncated
 * NN_SUM_STEPS_32, NN_SUM_STEPS_64, NN_SUM_STEPS_WIDE: each product is rounded, each sum clipped, if need be; products of up to 127 bits
 * NN_SUM_COUNTED: the same, one cast after the other, counting what does not fit
 * NN_SUM_SLOW: 128 bits and one cast after the other: exponents, bits, whatever remains
 */
typedef enum {
  NN_SUM_16,
  NN_SUM_PAIR,
  NN_SUM_32,
  NN_SUM_64,
  NN_SUM_STEPS_32,
  NN_SUM_STEPS_64,
  NN_SUM_STEPS_WIDE,
  NN_SUM_COUNTED,
  NN_SUM_SLOW,
} NnSum;

/**
 * NnRows16: weights of 16 bits.
 * @n: (array): how many an output has
 * @at: (array): which columns they meet, @stride for each output
 * @w: (array): they themselves, or pairs
 */
typedef struct {
  gsize    stride;
  guint32 *n, *at;
  gint16  *w;
} NnRows16;

/**
 * NnFixedMatrix:
 * @n_in: products of one output
 * @group_out: outputs that share their inputs
 * @taps: (array): for each position and group, @n_in features of the input, -1 for padding
 * @live: (array): by output, the number of weights that are not zero, and
 * @live_at: (array): their places in the order, @n_in for each output
 * @order: (array length=n_in): which product is added when
 * @wraps: whether what the sum leaves has bits above the accumulator's
 */
typedef struct {
  NnSum    sum, counted_sum;
  gsize    n_in, n_out, n_groups, group_out, n_positions, n_features;
  gint32  *taps;
  guint32 *live;
  guint32 *live_at;
  guint32 *order;
  gint64  *w64;
  gint64  *shifted64; /* for all but NN_SUM_COUNTED and NN_SUM_SLOW, zeros shifted in */
  gint32  *shifted32;
  NnRows16 high, low; /* of NN_SUM_16; pairs stand in high */
  gint64  *bias;
  int      shift;
  gboolean binary;
  gboolean exponential;
  gboolean counts; /* of bits: equal ones are counted by a sum */
  gboolean wraps;
  gsize    list_bytes;
  NnSteps  steps;
  NnWideSteps wide_steps;
  NnCast   product, step, result, sign;
  int      accum_fraction;
  int      power_width; /* of the exponents' field and the input together */
  const NnFixedKernels *kernels;
} NnFixedMatrix;

/* Values that as #gint64 look negative. */
static inline gboolean
nn_type_is_unsigned_64 (const NnType *type)
{
  return type->kind == NN_TYPE_FIXED && type->width == 64 && !type->is_signed;
}

void nn_fixed_run_matrix (const NnFixedLayer *layer,
                          NnFixedRun         *run);

G_END_DECLS
