/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of weights that live or die together, as hardware shares them. Only this file knows what a structure is. */

#pragma once

#include "nn-design.h"
#include "nn-resources.h"

G_BEGIN_DECLS

typedef enum {
  NN_STRUCTURE_AUTO,         /* what the layer's strategy shares */
  NN_STRUCTURE_UNSTRUCTURED, /* each weight */
  NN_STRUCTURE_NEURON,       /* an output: column of a dense kernel, filter */
  NN_STRUCTURE_MULTIPLIER,   /* reuse_factor consecutive weights of the output-major tensor */
  NN_STRUCTURE_BRAM_WORD,    /* consecutive multipliers whose weights share a memory word */
  NN_STRUCTURE_BLOCK,        /* w x h of a matrix */
  NN_STRUCTURE_NONE,         /* the layer is left alone */
} NnStructure;

/**
 * NnGroup:
 * @weight: id of the weight in the source model
 * @first: index of its first member in NnGroups.indices
 * @n: members
 * @value: importance
 * @cost: what it takes in hardware while it lives
 * @kept: whether it lives now (some member is not masked)
 */
typedef struct {
  guint       node;   /* in the lowered graph */
  guint       weight;
  guint       first;
  guint       n;
  double      value;
  NnResources cost;
  gboolean    kept;
  gint        pin;    /* +1 must be kept, -1 must go, 0 free */
} NnGroup;

/* @indices are flat indices into the source model's weight tensors. */
typedef struct {
  NnGroup *groups;
  gsize    n_groups;
  guint32 *indices;
  gsize    n_indices;
  NnStructure *structure; /* by node of the lowered graph */
} NnGroups;

typedef enum {
  NN_IMPORTANCE_L1,
  NN_IMPORTANCE_L2,
  NN_IMPORTANCE_FIRST_ORDER,
  NN_IMPORTANCE_SECOND_ORDER,
  NN_IMPORTANCE_RANDOM,
} NnImportance;

NnGroups *nn_groups_new        (const NnDesign    *design,
                                NnStructure        structure, /* AUTO: by strategy */
                                const char *const *leave,     /* (nullable): layers left alone */
                                GError           **error) G_GNUC_WARN_UNUSED_RESULT;
void      nn_groups_free       (NnGroups          *groups);
const char *nn_structure_name  (NnStructure        structure);
gboolean  nn_structure_find    (const char *name, NnStructure *structure);
const char *nn_importance_name (NnImportance       importance);
gboolean  nn_importance_find   (const char *name, NnImportance *importance);

/* Sets every group's value; @sensitivity is, by weight id, the gradient or the Fisher diagonal, for the orders that need it. */
void      nn_groups_score      (NnGroups          *groups,
                                const NnModel     *model,
                                NnImportance       importance,
                                NnTensor *const   *sensitivity,
                                guint64            seed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnGroups, nn_groups_free)

G_END_DECLS
