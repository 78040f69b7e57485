/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fake quantisation: what a training framework's quantisers make of real numbers. */

#pragma once

#include "nn-graph.h"

G_BEGIN_DECLS

/* Quantises @values of @shape in place. Scales that are computed from the tensor (alpha auto) are those of a weight. */
void nn_quantize (const NnQuantizer *quantizer,
                  const NnShape     *shape,
                  double            *values);
/* The scale of every channel of the last axis that an automatic alpha finds for the weight @values; 1 where none is used. */
void nn_quantizer_scales (const NnQuantizer *quantizer,
                          const NnShape     *shape,
                          const double      *values,
                          double            *scales);
/**
 * nn_quantizer_simplify:
 *
 * The same numbers by fewer means: a zero point in the middle of the codes becomes the sign of the type, one at which no tie goes
 * another way needs no rounding before it, and a fixed scale that is one power of two, without a zero point, becomes the place of
 * the point.
 */
void nn_quantizer_simplify (NnQuantizer *quantizer);

G_END_DECLS
