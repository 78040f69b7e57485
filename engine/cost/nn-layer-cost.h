/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cost of one layer of a design, by operator. */

#pragma once

#include "nn-estimate.h"

G_BEGIN_DECLS

/* @plan: the design's own for node @i, or a copy with another reuse factor. */
void nn_layer_cost (const NnDesign    *design,
                    guint              i,
                    const NnLayerPlan *plan,
                    const NnPart      *part,
                    NnCost            *cost);

/* Bits of what node @i hands on at once, elements that are constants left out. */
double nn_layer_result_bits (const NnDesign *design,
                             guint           i);

G_END_DECLS
