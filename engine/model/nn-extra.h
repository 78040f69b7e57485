/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What few operators are told besides the common attributes: NnAttrs.extra points to one of these, in the graph's arena. */

#pragma once

#include "nn-ops.h"

G_BEGIN_DECLS

typedef enum {
  NN_COLLAPSE_NONE,
  NN_COLLAPSE_MEAN,
  NN_COLLAPSE_SUM,
  NN_COLLAPSE_MAX,
} NnCollapse;

/**
 * NnGarNetLayer: one layer of a stack.
 * @n_aggregators: aggregators (S)
 * @n_propagate: features handed to them (FLR)
 * @n_filters: outputs of each vertex (Fout)
 * @act: of the output features
 */
typedef struct {
  guint n_aggregators;
  guint n_propagate;
  guint n_filters;
  NnAct act;
} NnGarNetLayer;

/**
 * NnGarNet: %NN_OP_GARNET. Inputs: vertices (V, features) and, where there is a second, the number of true vertices;
 * without it vertices count whose feature 3 is not zero. Weights are %NN_ROLE_OTHER, for each layer in this order: kernel
 * and bias of FLR, of S, of Fout.
 * @layers: (array length=n_layers)
 * @simplified: only means are aggregated, and only they go to the output transform
 * @mean_by_nvert: means are over the true vertices, not over all
 * @collapse: how the vertices become one vector at the end
 *
 * Source: hls4ml contrib/garnet.py; Qasim et al., Eur. Phys. J. C 79 (2019) 608
 */
typedef struct {
  const NnGarNetLayer *layers;
  guint                n_layers;
  gboolean             simplified;
  gboolean             mean_by_nvert;
  NnCollapse           collapse;
} NnGarNet;

typedef enum {
  NN_TREE_LEAF,
  NN_TREE_LEQ,
  NN_TREE_LT,
  NN_TREE_GTE,
  NN_TREE_GT,
  NN_TREE_EQ,
  NN_TREE_NEQ,
} NnTreeTest;

typedef enum {
  NN_TREE_POST_NONE,
  NN_TREE_POST_SOFTMAX,
  NN_TREE_POST_LOGISTIC,
  NN_TREE_POST_LABEL, /* the index of the largest sum; one output */
} NnTreePost;

/**
 * NnTreeNode:
 * @test: what is asked of feature @feature against @threshold; of a leaf nothing
 * @yes: node to go to, larger than this node's own index
 * @no: the same
 * @first_leaf: of a leaf: its first weight in NnTreeEnsemble.weights
 * @n_leaf: of a leaf: how many
 */
typedef struct {
  NnTreeTest test;
  guint32    feature;
  double     threshold;
  guint32    yes, no;
  guint32    first_leaf, n_leaf;
} NnTreeNode;

typedef struct {
  guint32 target;
  double  weight;
} NnTreeWeight;

/**
 * NnTreeEnsemble: %NN_OP_TREE_ENSEMBLE: every tree adds the weights of the leaf it ends in.
 * @roots: (array length=n_roots): first node of every tree
 * @n_targets: sums that are made
 * @base: (nullable) (array length=n_targets): what the sums begin with
 * @average: whether they are divided by the number of trees
 * @complement: the one sum p is told as two outputs, 1 - p and p
 *
 * Source: ONNX ai.onnx.ml, TreeEnsembleClassifier and TreeEnsembleRegressor
 */
typedef struct {
  const NnTreeNode   *nodes;
  guint               n_nodes;
  const guint32      *roots;
  guint               n_roots;
  const NnTreeWeight *weights;
  guint               n_weights;
  guint               n_targets;
  const double       *base;
  gboolean            average;
  gboolean            complement;
  NnTreePost          post;
} NnTreeEnsemble;

G_END_DECLS
