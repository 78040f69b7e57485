/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the operator sets of ai.onnx.ml tell trees: 1 and 3 by numbered nodes, of which some are leaves; 5 by places in two lists. */

#include "nn-onnx-trees.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

#define MAX_TREE_NODES 10000000

void
nn_onnx_trees_clear (NnOnnxTrees *l)
{
  gpointer all[] = { l->tree, l->id, l->feature, l->yes, l->no, l->nan_yes, l->test, l->threshold,
                     l->leaf_tree, l->leaf_id, l->leaf_target, l->weight };

  for (guint k = 0; k < G_N_ELEMENTS (all); k++)
    g_free (all[k]);
  *l = (NnOnnxTrees){ 0 };
}

static gint64 *
copy_ints (Onnx__NodeProto *op,
           const char      *name,
           gsize           *n)
{
  const gint64 *ints = nn_onnx_ints (op, name, n);

  return g_memdup2 (ints, *n * sizeof *ints);
}

/* Reals, in a list of their own or as a tensor, which may be of double precision. */
static double *
copy_reals (NnOnnx          *onnx,
            Onnx__NodeProto *op,
            const char      *name,
            gsize           *n)
{
  g_autofree char *as_tensor = g_strconcat (name, "_as_tensor", NULL);
  Onnx__AttributeProto *list = nn_onnx_attribute (op, name), *tensor = nn_onnx_attribute (op, as_tensor);
  double *reals;

  *n = 0;
  if (list != NULL && list->t != NULL)
    return nn_onnx_reals (onnx, list->t, n);
  if (list == NULL || list->n_floats == 0)
    return tensor != NULL && tensor->t != NULL ? nn_onnx_reals (onnx, tensor->t, n) : NULL;
  reals = g_new (double, list->n_floats);
  for (gsize i = 0; i < list->n_floats; i++)
    reals[i] = list->floats[i];
  *n = list->n_floats;
  return reals;
}

static gboolean
find_test (const ProtobufCBinaryData *mode,
           NnTreeTest                *test)
{
  static const struct {
    const char *name;
    NnTreeTest  test;
  } tests[] = { { "LEAF", NN_TREE_LEAF },      { "BRANCH_LEQ", NN_TREE_LEQ }, { "BRANCH_LT", NN_TREE_LT },
                { "BRANCH_GTE", NN_TREE_GTE }, { "BRANCH_GT", NN_TREE_GT },   { "BRANCH_EQ", NN_TREE_EQ },
                { "BRANCH_NEQ", NN_TREE_NEQ } };

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    if (mode->len == strlen (tests[i].name) && memcmp (mode->data, tests[i].name, mode->len) == 0)
      {
        *test = tests[i].test;
        return TRUE;
      }
  return FALSE;
}

static gboolean
read_tests (Onnx__NodeProto  *op,
            NnOnnxTrees      *l,
            GError          **error)
{
  Onnx__AttributeProto *modes = nn_onnx_attribute (op, "nodes_modes");

  if (modes == NULL || modes->n_strings != l->n)
    return nn_load_unsupported (error, "its nodes are not told as lists of one length");
  l->test = g_new (NnTreeTest, l->n);
  for (gsize i = 0; i < l->n; i++)
    if (!find_test (&modes->strings[i], &l->test[i]))
      return nn_load_unsupported (error, "a branch is of a kind that is not supported");
  return TRUE;
}

gboolean
nn_onnx_trees_read (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    gboolean          classes,
                    NnOnnxTrees      *l,
                    GError          **error)
{
  gsize n[11];

  l->tree = copy_ints (op, "nodes_treeids", &n[0]);
  l->id = copy_ints (op, "nodes_nodeids", &n[1]);
  l->feature = copy_ints (op, "nodes_featureids", &n[2]);
  l->yes = copy_ints (op, "nodes_truenodeids", &n[3]);
  l->no = copy_ints (op, "nodes_falsenodeids", &n[4]);
  l->threshold = copy_reals (onnx, op, "nodes_values", &n[5]);
  l->nan_yes = copy_ints (op, "nodes_missing_value_tracks_true", &n[6]);
  l->leaf_tree = copy_ints (op, classes ? "class_treeids" : "target_treeids", &n[7]);
  l->leaf_id = copy_ints (op, classes ? "class_nodeids" : "target_nodeids", &n[8]);
  l->leaf_target = copy_ints (op, classes ? "class_ids" : "target_ids", &n[9]);
  l->weight = copy_reals (onnx, op, classes ? "class_weights" : "target_weights", &n[10]);
  l->n = n[0];
  l->n_leaf = n[7];
  for (guint k = 1; k < G_N_ELEMENTS (n); k++)
    if (l->n == 0 || l->n > MAX_TREE_NODES || (n[k] != (k < 7 ? l->n : l->n_leaf) && (k != 6 || n[k] != 0)))
      return nn_load_unsupported (error, "its nodes and leaves are not told as lists of one length");
  return read_tests (op, l, error);
}

/* The tests as numbers: TreeEnsemble has BRANCH_MEMBER as 6, which needs a list of values for each node. */
static gboolean
number_tests (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              gsize             n_nodes,
              NnOnnxTrees      *l,
              GError          **error)
{
  static const NnTreeTest tests[] = { NN_TREE_LEQ, NN_TREE_LT, NN_TREE_GTE, NN_TREE_GT, NN_TREE_EQ, NN_TREE_NEQ };
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "nodes_modes");
  gsize n = 0;
  g_autofree double *modes = a != NULL && a->t != NULL ? nn_onnx_reals (onnx, a->t, &n) : NULL;

  if (n != n_nodes)
    return nn_load_unsupported (error, "its nodes are not told as lists of one length");
  for (gsize i = 0; i < n; i++)
    {
      if (!(modes[i] >= 0 && modes[i] < G_N_ELEMENTS (tests)))
        return nn_load_unsupported (error, "a branch is of a kind that is not supported");
      l->test[i] = tests[(gsize) modes[i]];
    }
  return TRUE;
}

/* Where a branch leads, as a place in the lists: leaves stand behind the nodes. */
static void
place_branches (const gint64 *is_leaf,
                gsize         n,
                gint64       *next)
{
  for (gsize i = 0; i < n; i++)
    if (is_leaf[i] != 0)
      next[i] = next[i] < 0 || next[i] > MAX_TREE_NODES ? -1 : next[i] + (gint64) n;
    else if (next[i] >= (gint64) n)
      next[i] = -1;
}

/* A tree of one leaf is told as a node both of whose branches lead there: that node becomes the leaf, and the other goes.
 * Returns: how many are left */
static gsize
drop_folded (NnOnnxTrees *l,
             gsize        n_nodes,
             gsize        total)
{
  gsize n = n_nodes;

  for (gsize i = 0; i < n_nodes; i++)
    if (l->yes[i] == l->no[i] && l->yes[i] >= (gint64) n_nodes && l->yes[i] < (gint64) total && l->id[l->yes[i]] >= 0)
      {
        l->leaf_id[l->yes[i] - (gint64) n_nodes] = (gint64) i;
        l->id[l->yes[i]] = -1;
        l->test[i] = NN_TREE_LEAF;
      }
  for (gsize i = n_nodes; i < total; i++)
    if (l->id[i] >= 0)
      l->id[n++] = l->id[i];
  return n;
}

gboolean
nn_onnx_trees_read_newer (NnOnnx           *onnx,
                          Onnx__NodeProto  *op,
                          NnOnnxTrees      *l,
                          GError          **error)
{
  gsize n[9], total;
  g_autofree gint64 *yes_is_leaf = NULL, *no_is_leaf = NULL;

  l->feature = copy_ints (op, "nodes_featureids", &n[0]);
  l->yes = copy_ints (op, "nodes_truenodeids", &n[1]);
  l->no = copy_ints (op, "nodes_falsenodeids", &n[2]);
  yes_is_leaf = copy_ints (op, "nodes_trueleafs", &n[3]);
  no_is_leaf = copy_ints (op, "nodes_falseleafs", &n[4]);
  l->threshold = copy_reals (onnx, op, "nodes_splits", &n[5]);
  l->nan_yes = copy_ints (op, "nodes_missing_value_tracks_true", &n[6]);
  l->leaf_target = copy_ints (op, "leaf_targetids", &n[7]);
  l->weight = copy_reals (onnx, op, "leaf_weights", &n[8]);
  l->n_leaf = n[7];
  for (guint k = 1; k < G_N_ELEMENTS (n); k++)
    if (n[0] == 0 || n[0] > MAX_TREE_NODES || n[7] > MAX_TREE_NODES || (n[k] != (k < 7 ? n[0] : l->n_leaf) && (k != 6 || n[k] != 0)))
      return nn_load_unsupported (error, "its nodes and leaves are not told as lists of one length");
  place_branches (yes_is_leaf, n[0], l->yes);
  place_branches (no_is_leaf, n[0], l->no);
  total = n[0] + l->n_leaf;
  l->tree = g_new0 (gint64, total);
  l->leaf_tree = g_new0 (gint64, MAX (l->n_leaf, 1));
  l->leaf_id = g_new (gint64, MAX (l->n_leaf, 1));
  l->id = g_new (gint64, total);
  l->test = g_new0 (NnTreeTest, total);
  l->feature = g_realloc_n (l->feature, total, sizeof *l->feature);
  l->yes = g_realloc_n (l->yes, total, sizeof *l->yes);
  l->no = g_realloc_n (l->no, total, sizeof *l->no);
  l->threshold = g_realloc_n (l->threshold, total, sizeof *l->threshold);
  if (l->nan_yes != NULL)
    l->nan_yes = g_realloc_n (l->nan_yes, total, sizeof *l->nan_yes);
  for (gsize i = 0; i < total; i++)
    l->id[i] = (gint64) i;
  for (gsize i = 0; i < l->n_leaf; i++)
    l->leaf_id[i] = (gint64) (n[0] + i);
  if (!number_tests (onnx, op, n[0], l, error))
    return FALSE;
  l->n = drop_folded (l, n[0], total);
  return TRUE;
}
