/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Einstein sums: an equation and shapes become extents and strides of its letters. */

#pragma once

#include "nn-shape.h"

G_BEGIN_DECLS

#define NN_EINSUM_OPERANDS 8
#define NN_EINSUM_LETTERS 32

/**
 * NnEinsum:
 * @n_letters: those of the output first, then those summed over
 * @n_outer: letters of the output
 * @extent: how far each letter runs
 * @stride: by operand and letter, elements from one place to the next
 */
typedef struct {
  guint n_operands;
  guint n_letters, n_outer;
  gsize extent[NN_EINSUM_LETTERS];
  gsize stride[NN_EINSUM_OPERANDS][NN_EINSUM_LETTERS];
} NnEinsum;

/* The terms of "ab,...c->a...": one a letter and axis, the output's last; "..." is spelt out in digits. (transfer full)
 * (nullable): %NULL where the equation does not fit the ranks. */
char   **nn_einsum_terms   (const char    *equation,
                            const guint   *ranks,
                            guint          n,
                            guint          out_rank);
/* The output's shape, the batch's axis in it; FALSE where equation and shapes do not go together. An extent that is not known
 * stays so. */
gboolean nn_einsum_shape   (const char    *equation,
                            const NnShape *shapes,
                            guint          n,
                            NnShape       *to);
/* FALSE where equation and shapes do not go together. */
gboolean nn_einsum_init    (NnEinsum      *sum,
                            const char    *equation,
                            const NnShape *shapes,
                            guint          n,
                            const NnShape *to);
/* A sample with its batch axis of one, as an equation speaks of it. */
NnShape  nn_einsum_batched (const NnShape *shape);
/* Products that are summed for one output, and where those of output @i begin. */
gsize    nn_einsum_inner   (const NnEinsum *sum);
gsize    nn_einsum_first   (const NnEinsum *sum,
                            guint           operand,
                            gsize           i);
/* How far behind it product @k reads. */
gsize    nn_einsum_offset  (const NnEinsum *sum,
                            guint           operand,
                            gsize           k);

G_END_DECLS
