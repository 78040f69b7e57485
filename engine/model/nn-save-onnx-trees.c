/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tree ensemble as ONNX's. Source: ONNX, ai.onnx.ml, TreeEnsembleRegressor. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

/* The ONNX words for NnTreeTest. */
static const char *const tests[] = { "LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ" };

/* And for NnTreeAggregate. */
static const char *const aggregates[] = { "SUM", "AVERAGE", "MIN", "MAX" };

/* Which tree each node belongs to: nodes of one stand together from its root on. */
static void
find_trees (const NnTreeEnsemble *trees,
            gint64               *tree)
{
  for (guint t = 0; t < trees->n_roots; t++)
    for (guint i = trees->roots[t]; i < trees->n_nodes && (t + 1 == trees->n_roots || i < trees->roots[t + 1]); i++)
      tree[i] = t;
}

/* In single precision, with which no number of single precision is compared otherwise: rounded down, or for "below" up. */
static double
single_threshold (const NnTreeNode *node)
{
  float single = (float) node->threshold;

  if ((node->test == NN_TREE_LEQ || node->test == NN_TREE_GT) && (double) single > node->threshold)
    return nextafterf (single, -INFINITY);
  if ((node->test == NN_TREE_LT || node->test == NN_TREE_GTE) && (double) single < node->threshold)
    return nextafterf (single, INFINITY);
  return single;
}

static void
set_nodes (NnOnnxWriter         *w,
           Onnx__NodeProto      *op,
           const NnTreeEnsemble *trees,
           const gint64         *tree)
{
  guint n = trees->n_nodes;
  g_autofree gint64 *id = g_new (gint64, n + 1), *feature = g_new (gint64, n + 1), *yes = g_new (gint64, n + 1);
  g_autofree gint64 *no = g_new (gint64, n + 1);
  g_autofree gint64 *missing = g_new (gint64, n + 1);
  g_autofree double *threshold = g_new (double, n + 1);
  g_autofree const char **mode = g_new (const char *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      const NnTreeNode *node = &trees->nodes[i];
      gint64 root = trees->roots[tree[i]];

      id[i] = i - root;
      feature[i] = node->feature;
      threshold[i] = single_threshold (node);
      yes[i] = node->test == NN_TREE_LEAF ? 0 : (gint64) node->yes - root;
      no[i] = node->test == NN_TREE_LEAF ? 0 : (gint64) node->no - root;
      mode[i] = tests[node->test];
      missing[i] = node->nan_yes;
    }
  nn_onnx_set_ints (w, op, "nodes_treeids", tree, n);
  nn_onnx_set_ints (w, op, "nodes_nodeids", id, n);
  nn_onnx_set_ints (w, op, "nodes_featureids", feature, n);
  nn_onnx_set_reals (w, op, "nodes_values", threshold, n);
  nn_onnx_set_ints (w, op, "nodes_truenodeids", yes, n);
  nn_onnx_set_ints (w, op, "nodes_falsenodeids", no, n);
  nn_onnx_set_texts (w, op, "nodes_modes", mode, n);
  nn_onnx_set_ints (w, op, "nodes_missing_value_tracks_true", missing, n);
}

static void
set_leaves (NnOnnxWriter         *w,
            Onnx__NodeProto      *op,
            const NnTreeEnsemble *trees,
            const gint64         *tree)
{
  g_autofree gint64 *tree_of = g_new (gint64, trees->n_weights + 1), *node_of = g_new (gint64, trees->n_weights + 1);
  g_autofree gint64 *target = g_new (gint64, trees->n_weights + 1);
  g_autofree double *weight = g_new (double, trees->n_weights + 1);
  guint n = 0;

  for (guint i = 0; i < trees->n_nodes; i++)
    for (guint k = 0; trees->nodes[i].test == NN_TREE_LEAF && k < trees->nodes[i].n_leaf && n < trees->n_weights; k++, n++)
      {
        const NnTreeWeight *leaf = &trees->weights[trees->nodes[i].first_leaf + k];

        tree_of[n] = tree[i];
        node_of[n] = (gint64) i - trees->roots[tree[i]];
        target[n] = leaf->target;
        weight[n] = leaf->weight;
      }
  nn_onnx_set_ints (w, op, "target_treeids", tree_of, n);
  nn_onnx_set_ints (w, op, "target_nodeids", node_of, n);
  nn_onnx_set_ints (w, op, "target_ids", target, n);
  nn_onnx_set_reals (w, op, "target_weights", weight, n);
}

/* Of the sums @from what the layer tells: both of two classes, or the winner by its place. */
static void
put_end (NnOnnxWriter         *w,
         const NnTreeEnsemble *trees,
         const char           *from,
         const char           *output)
{
  const char *other = nn_onnx_text (w, "%s__other", output), *both = nn_onnx_text (w, "%s__both", output);
  const char *half = nn_onnx_text (w, "%s__half", output), *place = nn_onnx_text (w, "%s__winner", output);
  Onnx__NodeProto *op;

  if (trees->complement)
    {
      /* a winner is asked with the second above 1/2, which 1 - p says; of equals it is the first in both */
      nn_onnx_op (w, "Sub", other, nn_onnx_put_real (w, half, 1), from, NULL);
      op = nn_onnx_op (w, "Concat", trees->post == NN_TREE_POST_LABEL ? both : output, other, from, NULL);
      nn_onnx_set_int (w, op, "axis", 1);
      from = both;
    }
  if (trees->post != NN_TREE_POST_LABEL)
    return;
  op = nn_onnx_op (w, "ArgMax", place, from, NULL);
  nn_onnx_set_int (w, op, "axis", 1);
  nn_onnx_set_int (w, nn_onnx_op (w, "Cast", output, place, NULL), "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
}

gboolean
nn_onnx_write_trees (NnOnnxWriter  *w,
                     const NnNode  *node,
                     guint          index,
                     GError       **error)
{
  const NnTreeEnsemble *trees = node->attrs.extra;
  g_autofree gint64 *tree = g_new0 (gint64, trees->n_nodes + 1);
  const char *output = nn_onnx_name_in (w, node, index, NN_ONNX_LAST);
  gboolean ends = trees->complement || trees->post == NN_TREE_POST_LABEL;
  gboolean curve = trees->post == NN_TREE_POST_LOGISTIC || trees->post == NN_TREE_POST_SOFTMAX;
  const char *sums = ends || curve ? nn_onnx_text (w, "%s__sums", node->name) : output;
  Onnx__NodeProto *op = nn_onnx_op (w, "TreeEnsembleRegressor", sums, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), NULL);

  op->domain = (char *) NN_ONNX_TREES_DOMAIN;
  w->trees = TRUE;
  find_trees (trees, tree);
  nn_onnx_set_int (w, op, "n_targets", trees->n_targets);
  nn_onnx_set_text (w, op, "aggregate_function", aggregates[trees->aggregate]);
  nn_onnx_set_text (w, op, "post_transform", "NONE");
  if (trees->base != NULL)
    nn_onnx_set_reals (w, op, "base_values", trees->base, trees->n_targets);
  set_nodes (w, op, trees, tree);
  set_leaves (w, op, trees, tree);
  if (curve)
    {
      /* as an operator of its own: onnxruntime leaves it out of ensembles of one sum */
      const char *curved = trees->complement ? nn_onnx_text (w, "%s__curved", node->name) : output;

      nn_onnx_op (w, trees->post == NN_TREE_POST_LOGISTIC ? "Sigmoid" : "Softmax", curved, sums, NULL);
      sums = curved;
    }
  if (ends)
    put_end (w, trees, sums, output);
  return TRUE;
}
