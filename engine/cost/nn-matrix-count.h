/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a matrix of constants makes of itself in the Latency kernel: products, adders and what waits between cycles. */

#pragma once

#include "nn-matrix-cost.h"

G_BEGIN_DECLS

/**
 * NnMatrixDelays: of fast parts, in ns; a cycle of 0 leaves the registers out
 * @cycle: what of the clock's period is used
 * @add: an addition
 * @multiply: a multiplication in a DSP block
 */
typedef struct {
  double cycle, add, multiply;
} NnMatrixDelays;

/**
 * NnMatrixCount:
 * @n_nonzero: weights that are not zero, on inputs that are not constant
 * @n_dsp: distinct products (input, value) that take multipliers: three digits or more, on inputs wide enough
 * @n_logic: distinct products of three digits or more that are made of additions
 * @n_two_digit: distinct products of two digits
 * @dsp_blocks: DSP blocks of all @n_dsp, should each have its own
 * @add_bits: LUTs that HLS charges for the trees' additions, were there none of three numbers: width and 7 each
 * @product_bits: the same of additions and negations inside distinct products
 * @max_fan_in: most weights of one output
 * @delay: ns of the slowest output, products and tree
 * @cut_bits: bits of the partial sums that wait at the end of each cycle but the last, together
 * @own_bits: of them, those of products without a multiplier
 * @cut_outputs: outputs that are cut so, each as often as it is
 */
typedef struct {
  double n_nonzero, n_dsp, n_logic, n_two_digit, dsp_blocks;
  double add_bits, product_bits;
  double max_fan_in;
  double delay, cut_bits, own_bits, cut_outputs;
} NnMatrixCount;

void nn_matrix_count (const NnMatrix       *matrix,
                      const NnMatrixDelays *delays,
                      NnMatrixCount        *count);

G_END_DECLS
