/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products of two activations as one Einstein sum. */

#pragma once

#include "nn-einsum.h"
#include "nn-graph.h"

G_BEGIN_DECLS

/* Of a dot product, a matrix product (with broadcasting) or an Einstein sum. FALSE where the shapes do not go together. */
gboolean nn_product_sum (const NnNode  *node,
                         const NnShape *a,
                         const NnShape *b,
                         NnEinsum      *sum);

G_END_DECLS
