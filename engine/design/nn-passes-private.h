/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a pass rewrites a graph: node by node, in order, into a new one. */

#pragma once

#include "nn-passes.h"

G_BEGIN_DECLS

/**
 * NnRewrite:
 * @model: what is being rewritten
 * @config: (nullable): what the user asks for
 * @builder: the new graph
 * @map: for each old node already met, the new node that now computes its value
 * @weights: (element-type NnWeight): those of the old model, then new ones
 * @tensors: owner of the new weights' tensors
 * @changed: whether a rule applied anywhere
 */
typedef struct {
  const NnModel  *model;
  const NnGraph  *graph;
  const NnConfig *config;
  NnGraphBuilder *builder;
  guint          *map;
  GArray         *weights;
  GPtrArray      *tensors;
  gboolean        changed;
} NnRewrite;

/* Looks at old node @i; either builds what replaces it, sets the map and returns TRUE, or returns FALSE to have it copied. */
typedef gboolean (*NnRule) (NnRewrite *rewrite, guint i);

NnModel    *nn_rewrite_run       (const NnModel   *model,
                                  const NnConfig  *config,
                                  NnRule           rule,
                                  GError         **error);
/* The copy of old node @i with its inputs mapped; sets the map. */
NnNode     *nn_rewrite_copy      (NnRewrite       *rewrite,
                                  guint            i);
/* A new node with old node @origin's name of origin; its index is returned in @index. */
NnNode     *nn_rewrite_add       (NnRewrite       *rewrite,
                                  NnOp             op,
                                  const char      *name,
                                  const char      *class_name,
                                  guint            input,
                                  const NnNode    *origin,
                                  guint           *index);
/* A name that no node has yet; borrowed from the new graph. */
const char *nn_rewrite_name      (NnRewrite       *rewrite,
                                  const char      *wanted);
/* Adds a weight; takes @values; shares @mask. */
guint       nn_rewrite_weight    (NnRewrite       *rewrite,
                                  const char      *layer,
                                  const char      *name,
                                  NnRole           role,
                                  NnTensor        *values,
                                  NnTensor        *mask);
/* The only consumer of old node @i's value, when it is not an output too. */
gboolean    nn_rewrite_single    (const NnRewrite *rewrite,
                                  guint            i,
                                  guint           *consumer);
/* A transposition that brings @axis to the end, or back. */
void        nn_rewrite_add_swap  (NnRewrite       *rewrite,
                                  const NnNode    *origin,
                                  const char      *suffix,
                                  guint            axis,
                                  guint            rank,
                                  guint           *index);
/* Gives copied node @node the id for @role in place of the one it has, or besides those it has. */
void        nn_rewrite_set_weight (NnRewrite      *rewrite,
                                   NnNode         *node,
                                   NnRole          role,
                                   guint           id);

/* The passes, in the order in which they run. */
NnModel *nn_pass_split_bias          (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_remove_dropout      (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_lower_attention     (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_split_quantizers    (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_lower_einsum_dense  (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_turn_softmax        (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_unroll_recurrent    (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_make_tables         (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_lower_garnet        (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_lower_trees         (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_split_separable     (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_split_activations   (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_lower_quantizers    (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_factor_alpha        (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_lower_batch_norm    (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_fold_constants      (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_fuse_scales         (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_fuse_batch_norm     (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_dense_to_pointwise  (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_remove_linear       (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_cancel_transposes   (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_merge_binary_tanh   (const NnModel *model, const NnConfig *config, GError **error);
NnModel *nn_pass_insert_zero_padding (const NnModel *model, const NnConfig *config, GError **error);

G_END_DECLS
