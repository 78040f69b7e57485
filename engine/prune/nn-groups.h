/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups of weights that live or die together, as hardware shares them. Only this room's nn-groups.c knows what a structure is. */

#pragma once

#include "nn-design.h"
#include "nn-resources.h"
#include "nn-trainer.h"

G_BEGIN_DECLS

typedef enum {
  NN_STRUCTURE_AUTO,         /* what the layer's strategy shares */
  NN_STRUCTURE_UNSTRUCTURED, /* each weight */
  NN_STRUCTURE_NEURON,       /* an output: column of a dense kernel, filter */
  NN_STRUCTURE_MULTIPLIER,   /* reuse_factor consecutive weights of the output-major tensor */
  NN_STRUCTURE_BRAM_WORD,    /* consecutive multipliers whose weights share a memory word */
  NN_STRUCTURE_BLOCK,        /* w x h of a matrix */
  NN_STRUCTURE_NONE,         /* the layer is left alone */
  NN_N_STRUCTURES
} NnStructure;

/* What may be asked to fall: the resources, then measures that are no resource. Sets are bits, 1 << NN_OBJECTIVE_DSP. */
typedef enum {
  NN_OBJECTIVE_DSP = NN_RESOURCE_DSP,
  NN_OBJECTIVE_BRAM = NN_RESOURCE_BRAM,
  NN_OBJECTIVE_LUT = NN_RESOURCE_LUT,
  NN_OBJECTIVE_FF = NN_RESOURCE_FF,
  NN_OBJECTIVE_URAM = NN_RESOURCE_URAM,
  NN_OBJECTIVE_PARAMETERS = NN_N_RESOURCES, /* weights that are not zero */
  NN_OBJECTIVE_BOPS,                        /* bit operations */
  NN_OBJECTIVE_ENERGY,                      /* nJ of one sample, a proxy */
  NN_OBJECTIVE_LATENCY,                     /* cycles */
  NN_OBJECTIVE_WEIGHTED,                    /* a sum of the others, each times a weight of the user's */
  NN_N_OBJECTIVES
} NnObjective;

const char *nn_objective_name (NnObjective  objective); /* "dsp", ..., "parameters", "bops", "energy", "latency" */
gboolean    nn_objective_find (const char  *name,
                               NnObjective *objective);
/* "dsp,bram" as a set of bits. */
gboolean    nn_objectives_parse (const char *text,
                                 guint      *set,
                                 GError    **error);

/**
 * NnGroup:
 * @node: in the lowered graph
 * @weight: id of the weight in the source model
 * @first: index of its first member in NnGroups.indices
 * @n: members
 * @value: importance
 * @cost: what it takes in hardware while it lives
 * @other: what it takes of the objectives that are no resource, from %NN_OBJECTIVE_PARAMETERS on
 * @kept: whether it lives now (some member is not masked)
 * @pin: +1 must be kept, -1 must go, 0 free
 */
typedef struct {
  guint       node;
  guint       weight;
  guint       first;
  guint       n;
  double      value;
  NnResources cost;
  double      other[NN_N_OBJECTIVES - NN_N_RESOURCES];
  gboolean    kept;
  gint        pin;
} NnGroup;

/* @indices are flat indices into the source model's weight tensors. */
typedef struct {
  NnGroup     *groups;
  gsize        n_groups;
  guint32     *indices;
  gsize        n_indices;
  NnStructure *structure; /* by node of the lowered graph */
  guint        n_nodes;
} NnGroups;

typedef enum {
  NN_IMPORTANCE_L1,
  NN_IMPORTANCE_L2,
  NN_IMPORTANCE_FIRST_ORDER,
  NN_IMPORTANCE_SECOND_ORDER,
  NN_IMPORTANCE_RANDOM,
} NnImportance;

/**
 * NnGroupOptions:
 * @structure: for all layers that @layer_structures does not name
 * @layer_structures: (nullable) (element-type utf8 GINT_TO_POINTER(NnStructure)): by name of the source layer
 * @leave: (nullable): layers left alone
 * @block_in: rows (inputs) of a block
 * @block_out: columns (outputs) of a block
 * @for_bram: AUTO takes memory words where a layer's weights lie in memory
 * @as_trained: costs of the Latency strategy as of any value a weight may take in training, not of its present one
 * @weights: (nullable) (array length=NN_N_OBJECTIVES): of %NN_OBJECTIVE_WEIGHTED
 * @objectives: costs that are wanted; those of LUT, FF, energy and latency need two estimates of the design
 */
typedef struct {
  NnStructure        structure;
  GHashTable        *layer_structures;
  const char *const *leave;
  guint              block_in, block_out;
  gboolean           for_bram;
  gboolean           as_trained;
  guint              objectives;
  const double      *weights;
} NnGroupOptions;

void        nn_group_options_init (NnGroupOptions    *options);
NnGroups   *nn_groups_new         (const NnDesign    *design,
                                   NnStructure        structure, /* AUTO: by strategy */
                                   const char *const *leave,     /* (nullable): layers left alone */
                                   GError           **error) G_GNUC_WARN_UNUSED_RESULT;
NnGroups   *nn_groups_new_full    (const NnDesign       *design,
                                   const NnGroupOptions *options,
                                   GError              **error) G_GNUC_WARN_UNUSED_RESULT;
void        nn_groups_free        (NnGroups          *groups);
double      nn_group_cost         (const NnGroup     *group,
                                   NnObjective        objective);
const char *nn_structure_name     (NnStructure        structure);
gboolean    nn_structure_find     (const char        *name,
                                   NnStructure       *structure);
const char *nn_importance_name    (NnImportance       importance);
gboolean    nn_importance_find    (const char        *name,
                                   NnImportance      *importance);

/*
 * How weights of a width share memory words: multipliers whose weights lie in one word, and the word's bits. Words are 36
 * or 72 bits (one RAMB18 or RAMB36 wide); the one that leaves fewer bits empty is taken, 36 where they tie. A weight of
 * more than 72 bits has a word of its own of as many times 36 bits as it needs.
 */
guint       nn_bram_word          (guint              width,
                                   guint             *bits);

/* Sets every group's value; @sensitivity is, by weight id, the gradient or the Fisher diagonal, for the orders that need it. */
void        nn_groups_score       (NnGroups          *groups,
                                   const NnModel     *model,
                                   NnImportance       importance,
                                   NnTensor *const   *sensitivity,
                                   guint64            seed);

/* The same, with the gradient or the Fisher diagonal measured on the first of the training data. */
gboolean    nn_groups_score_data  (NnGroups             *groups,
                                   const NnModel        *model,
                                   const NnDataset      *data,
                                   const NnTrainOptions *train,
                                   NnImportance          importance,
                                   GError              **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnGroups, nn_groups_free)

G_END_DECLS
