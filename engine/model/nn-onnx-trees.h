/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lists in which ONNX tells an ensemble of decision trees. Internal to the room. */

#pragma once

#include "nn-onnx.h"

G_BEGIN_DECLS

/**
 * NnOnnxTrees: nodes and leaves of all trees, in the file's order
 * @tree, @id: which together name a node; leaves are nodes too
 * @nan_yes: (nullable): whether a value that is missing goes where the test says yes
 * @leaf_tree, @leaf_id: the node that a weight belongs to; @leaf_target: what it votes for
 */
typedef struct {
  gsize       n;
  gint64     *tree, *id, *feature, *yes, *no, *nan_yes;
  NnTreeTest *test;
  double     *threshold;
  gsize       n_leaf;
  gint64     *leaf_tree, *leaf_id, *leaf_target;
  double     *weight;
} NnOnnxTrees;

void     nn_onnx_trees_clear (NnOnnxTrees      *lists);
/* Of TreeEnsembleClassifier (@classes) and TreeEnsembleRegressor. */
gboolean nn_onnx_trees_read  (NnOnnx           *onnx,
                              Onnx__NodeProto  *op,
                              gboolean          classes,
                              NnOnnxTrees      *lists,
                              GError          **error);
/* Of TreeEnsemble. */
gboolean nn_onnx_trees_read_newer (NnOnnx           *onnx,
                                   Onnx__NodeProto  *op,
                                   NnOnnxTrees      *lists,
                                   GError          **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NnOnnxTrees, nn_onnx_trees_clear)

G_END_DECLS
