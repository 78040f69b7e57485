/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decision trees as hardware: every comparison at once, then leaves are chosen, then the trees' answers meet in a balanced tree.
 * The bit-accurate engine, the estimator and the HLS writer read this one form.
 */

#pragma once

#include "nn-design.h"

G_BEGIN_DECLS

/**
 * NnTreeStep: a comparison of one feature with a constant
 * @equal: whether it asks for equality; otherwise whether the feature is not above @bound
 * @bound: on the grid of the input's type, so that the comparison is exact
 * @yes, @no: steps of the same tree, larger than its own place; from its `n_steps` on leaves
 */
typedef struct {
  guint    feature;
  gboolean equal;
  gint64   bound;
  guint    yes, no;
} NnTreeStep;

/**
 * NnPlannedTree:
 * @steps: (array length=n_steps): the first is the root; none where the tree is one leaf
 * @leaves: (array): `n_leaves` rows of one integer a target, of the type of the layer's weights
 * @depth: comparisons on the longest way
 */
typedef struct {
  guint       n_steps, n_leaves, depth;
  NnTreeStep *steps;
  gint64     *leaves;
} NnPlannedTree;

/**
 * NnTreePlan: the trees of one layer
 * @base: (array length=n_targets): what is added at the end, of the type of the layer's biases
 * @n_steps: of all trees
 * @n_dropped: comparisons of the network that the input's type, or those before them, decide
 * @label: whether the place of the largest answer is told, instead of the answers
 *
 * A sum that is an average is one of leaves already divided. A tree that does not vote for a target adds 0, or never wins.
 */
typedef struct {
  guint           n_trees, n_targets;
  NnPlannedTree  *trees;
  gint64         *base;
  NnTreeAggregate aggregate;
  gboolean        label;
  guint           n_steps, n_dropped, depth;
} NnTreePlan;

/* (nullable) (transfer none): of node @i of nn_design_model(); %NULL where it is no tree ensemble */
const NnTreePlan *nn_design_trees (const NnDesign *design,
                                   guint           i);

G_END_DECLS
