/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rules for types share. */

#pragma once

#include "nn-design-private.h"

G_BEGIN_DECLS

NnType nn_plan_fixed         (int                width,
                              int                integer,
                              gboolean           is_signed);
/* What was asked for, else the quantiser's (nullable), else the model's; AUTO is to be inferred. */
NnType nn_plan_choose        (const NnPlanning  *planning,
                              const NnNode      *node,
                              const char        *variable,
                              const NnQuantizer *quantizer);
NnType nn_plan_choose_or     (const NnPlanning  *planning,
                              const NnNode      *node,
                              const char        *variable,
                              NnType             otherwise);
/* Of variables with a standard of their own, which the model's default does not touch. */
NnType nn_plan_table_type    (const NnPlanning  *planning,
                              const NnNode      *node,
                              const char        *variable,
                              NnType             otherwise);
/* No wider than the engine's integers; warns where bits are lost. */
NnType nn_plan_fit           (NnPlanning        *planning,
                              const NnNode      *node,
                              NnType             type);
/* Clipped to the configuration's maximum. */
NnType nn_plan_limit         (NnPlanning        *planning,
                              const NnNode      *node,
                              NnType             type);
/* These hold their result exactly. */
NnType nn_plan_sum_type      (NnType             a,
                              NnType             b);
NnType nn_plan_product_type  (NnType             a,
                              NnType             b,
                              guint              n_terms);
NnType nn_plan_union_type    (NnType             a,
                              NnType             b,
                              gboolean           keep_modes);
NnType nn_plan_exact_type    (double             value);
/* But no more than eight bits and a sign. */
NnType nn_plan_constant_type (double             value);
/* Integer bits that no value of @in needs are left out, where that changes no value. */
NnType nn_plan_narrowed      (NnType             type,
                              const NnType      *in);
/* The hardware type of a quantiser's grid. */
NnType nn_plan_quantizer_type (const NnQuantizer *quantizer);
/* As a number of fixed point: a sign alone is -1 or +1. */
NnType nn_plan_as_fixed      (NnType             type);
const NnLayerPlan *nn_plan_input (const NnPlanning *planning,
                                  const NnNode     *node,
                                  guint             k);
void   nn_plan_activation_types  (NnPlanning       *planning,
                                  const NnNode     *node,
                                  NnLayerPlan      *plan);

static inline gboolean
nn_plan_is_fixed (const NnType *type)
{
  return type->kind == NN_TYPE_FIXED;
}

G_END_DECLS
