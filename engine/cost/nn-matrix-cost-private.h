/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernels of a matrix have in common. */

#pragma once

#include "nn-matrix-cost.h"

G_BEGIN_DECLS

gboolean nn_matrix_is_slow        (const NnMatrix *matrix);
double   nn_matrix_bit_operations (const NnMatrix *matrix,
                                   double          n_nonzero);
/* All weights at once, the constants folded: Latency, and Resource at RF 1. */
void     nn_latency_kernel_cost   (const NnMatrix *matrix,
                                   NnCost         *cost);

G_END_DECLS
