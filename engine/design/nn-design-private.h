/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a design is made. */

#pragma once

#include "nn-design-trees.h"

G_BEGIN_DECLS

struct _NnDesign {
  gatomicrefcount ref_count;
  NnModel        *source;
  NnModel        *model;
  NnConfig       *config;
  NnLayerPlan    *plans;
  NnTensor      **raw;      /* node * NN_N_ROLES + role */
  NnTreePlan    **trees;    /* by node, nullable */
  GPtrArray      *warnings;
  GPtrArray      *passed;   /* GStrv by pass: the layers it met */
};

/**
 * NnPlanning: what the rules for types and sizes work on.
 * @standard: the model's default type
 * @maximum: (nullable): no inferred type is wider
 * @by_name: whether a type not given is inferred
 * @exact: whether the network's own quantisers say every type: what is not given is inferred without loss
 */
typedef struct {
  NnDesign       *design;
  const NnConfig *config;
  const NnModel  *model;
  const NnGraph  *graph;
  NnType          standard;
  const NnType   *maximum;
  gboolean        by_name;
  gboolean        exact;
} NnPlanning;

void     nn_design_warn    (NnDesign         *design,
                            const char       *format,
                            ...) G_GNUC_PRINTF (2, 3);
/* Tells what the configuration asks for in vain. */
void     nn_design_warn_unheeded (NnDesign   *design);
/* Sizes, strategy, reuse factors, implementation of a layer; before its types. */
gboolean nn_plan_sizes     (NnPlanning       *planning,
                            guint             i,
                            GError          **error);
/* Every type of a layer, whose inputs have theirs. */
gboolean nn_plan_types     (NnPlanning       *planning,
                            guint             i,
                            GError          **error);
/* The integers of all its weights. */
gboolean nn_plan_raw       (NnPlanning       *planning,
                            guint             i,
                            GError          **error);
const NnLayerConfig *nn_plan_level (const NnPlanning *planning,
                                    const NnNode     *node,
                                    guint             level);

static inline guint
nn_ceil_log2 (guint64 n)
{
  return n <= 1 ? 0 : 64 - __builtin_clzll (n - 1);
}

G_END_DECLS
