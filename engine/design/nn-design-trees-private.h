/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the trees of a design are made. */

#pragma once

#include "nn-design-private.h"
#include "nn-design-trees.h"

G_BEGIN_DECLS

void     nn_plan_tree_types (NnPlanning   *planning,
                             const NnNode *node,
                             NnLayerPlan  *plan);
/* Comparisons and leaves of node @i, which has its types, into the design. */
gboolean nn_plan_trees      (NnPlanning   *planning,
                             guint         i,
                             GError      **error);
void     nn_tree_plan_free  (NnTreePlan   *plan);

G_END_DECLS
