/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws of multipliers and memories: exact on every published synthesis of this kind that was at hand. */

#pragma once

#include "nn-part.h"
#include "nn-type.h"

G_BEGIN_DECLS

/* Weights below this many bits are multiplied in logic by the Resource kernels; at this many, HLS takes DSPs. */
#define NN_LAW_LOGIC_WEIGHT_BITS 4
#define NN_LAW_DSP_WEIGHT_BITS 8
/* Inputs narrower than this are multiplied in logic by the Latency kernel. */
#define NN_LAW_DSP_INPUT_BITS 8
/* ... but for constants of this many bits, from this width on. */
#define NN_LAW_NARROW_INPUT_BITS 5
#define NN_LAW_WIDE_CONSTANT_BITS 10

/**
 * NnWeightCount: what a matrix of constants makes of itself in the Latency kernel
 * @n_nonzero: weights that are not zero
 * @n_products: distinct products (input, value) of these: equal weights on one input share one
 * @n_two_digit: those among them whose canonical signed-digit form has two digits: one adder each
 * @n_dsp: those of three or more: one multiplier each
 * @n_logic_digits: digits beyond the first of the products of three or more, should they go to logic
 * @max_fan_in: most non-zero weights of one output
 */
typedef struct {
  gsize n_nonzero;
  gsize n_products;
  gsize n_two_digit;
  gsize n_dsp;
  gsize n_logic_digits;
  gsize max_fan_in;
} NnWeightCount;

guint         nn_csd_digits          (gint64           value);
/* @vivado: Vivado HLS 2020.1 and before, which multiply by +11 and +13 in logic too. */
NnWeightCount nn_law_count           (const gint64    *raw, /* (n_in, n_out) */
                                      gsize            n_in,
                                      gsize            n_out,
                                      gboolean         vivado);
gsize         nn_latency_dsp         (const gint64    *raw, /* (n_in, n_out) */
                                      gsize            n_in,
                                      gsize            n_out);
/* hls4ml's multiplier_limit of the Latency kernel. */
gsize         nn_law_multiplier_limit (gsize           n_in,
                                      gsize            n_out,
                                      guint            reuse,
                                      gsize            n_zeros);
/* Multipliers of the Resource kernels that have a weight that is not zero; @raw in the model's order (n_in, n_out). */
gsize         nn_law_live_multipliers (const gint64   *raw,
                                      gsize            n_in,
                                      gsize            n_out,
                                      guint            reuse);
/* Bits that the last of them needs for its weights, at least 1: those above are the word's highest, which HLS leaves out. */
guint         nn_law_last_bits       (const gint64    *raw,
                                      gsize            n_in,
                                      gsize            n_out,
                                      guint            reuse);
/* Whether the index of the outputs, which the kernel has where a multiplier serves several, has a memory of its own. */
gboolean      nn_law_has_index_memory (gsize           n_in,
                                      guint            reuse);
/* Blocks of 18 Kb of a read-only memory of @depth words of @width bits. */
gsize         nn_law_rom_bram        (gsize            depth,
                                      gsize            width);
guint         nn_multiplier_dsp      (const NnPart    *part, /* (nullable): a Xilinx part */
                                      const NnType    *a,
                                      const NnType    *b);
/* Multiplications of these widths that share one DSP block: 2 on Intel's up to 18x19. */
guint         nn_multipliers_per_dsp (const NnPart    *part,
                                      const NnType    *a,
                                      const NnType    *b);

G_END_DECLS
