/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The making of groups, for its files and their tests. */

#pragma once

#include "nn-groups.h"
#include "nn-part.h"

G_BEGIN_DECLS

/* A weight matrix of a layer, seen as the hardware sees it: weight f = o * n_in + i of the output-major tensor. */
typedef struct {
  guint              node;
  guint              weight;     /* id in the source model */
  NnRole             role;       /* in the lowered graph */
  gsize              n_in, n_out;
  guint              reuse;
  const NnLayerPlan *plan;
  const NnType      *type;       /* of the weights */
  const NnWeight    *source;
  guint32           *map;           /* (nullable): by place in the output-major order, where the model has its axes otherwise */
  gboolean           shares_inputs; /* equal weights of a row multiply the same number */
  gsize              n_gates;       /* columns that make one output */
} NnGroupMatrix;

typedef struct {
  GArray *groups;  /* NnGroup */
  GArray *indices; /* guint32 */
} NnGroupBuilder;

/* Flat index, in the model's layout with outputs last, of weight @f of the output-major tensor. */
static inline gsize
nn_group_index (const NnGroupMatrix *matrix,
                gsize                f)
{
  return matrix->map != NULL ? matrix->map[f] : (f % matrix->n_in) * matrix->n_out + f / matrix->n_in;
}

void     nn_groups_enumerate (NnGroupBuilder       *builder,
                              const NnGroupMatrix  *matrix,
                              NnStructure           structure,
                              const NnGroupOptions *options);
/* Sets DSP, BRAM, parameters and bit operations of the groups [first, last) of a matrix. */
void     nn_groups_set_costs (NnGroup              *groups,
                              gsize                 n_groups,
                              const guint32        *indices,
                              const NnGroupMatrix  *matrix,
                              NnStructure           structure,
                              const NnTensor       *raw, /* (nullable) */
                              const NnPart         *part,
                              gboolean              as_trained);
/* Sets LUT, FF, energy and latency: what a layer's estimate loses when all its weights are gone, shared among them. */
gboolean nn_groups_share_estimate (NnGroups        *groups,
                                   const NnDesign  *design,
                                   GError         **error);

G_END_DECLS
