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

G_END_DECLS
