/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows the sums of a tree ensemble becomes layers of its own; trees told twice, for scores and for a class, become one. */

#include "nn-passes-private.h"

#include <math.h>

/* A copy of old node @i with the trees @trees, which answer with their sums. */
static void
add_sums (NnRewrite            *rewrite,
          guint                 i,
          const NnTreeEnsemble *trees)
{
  NnTreeEnsemble *sums = nn_graph_builder_alloc (rewrite->builder, sizeof *sums);
  NnNode *copy = nn_rewrite_copy (rewrite, i);

  *sums = *trees;
  sums->complement = FALSE;
  sums->post = NN_TREE_POST_NONE;
  copy->attrs.extra = sums;
  copy->shape = NN_SHAPE (trees->n_targets);
}

static double
first_base (const NnTreeEnsemble *trees)
{
  return trees->base != NULL ? trees->base[0] : 0;
}

/* Whether two layers of the same data have the same trees, but perhaps for what is added at the end and what follows. */
static gboolean
are_same (const NnTreeEnsemble *a,
          const NnTreeEnsemble *b)
{
  return a->nodes == b->nodes && a->aggregate == b->aggregate && a->n_targets == 1 && b->n_targets == 1;
}

/* What the sums of @a lack of those of @b, as far as a winner can make up for it: 0 or 1/2. */
static gboolean
lacks (const NnTreeEnsemble *a,
       const NnTreeEnsemble *b,
       gboolean             *half)
{
  double lacking = first_base (b) - first_base (a);

  *half = fabs (lacking - 0.5) < 1e-9;
  return *half || lacking == 0;
}

/* An earlier layer of the same trees on the same data, by its sums in the new graph. @half: (nullable): whether they may lack 1/2 */
static gboolean
find_sums (const NnRewrite *rewrite,
           guint            i,
           gboolean        *half,
           guint           *index)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnTreeEnsemble *trees = node->attrs.extra;

  for (guint k = 0; k < nn_graph_builder_n_nodes (rewrite->builder); k++)
    {
      const NnNode *other = nn_graph_builder_node (rewrite->builder, k);
      const NnTreeEnsemble *sums = other->attrs.extra;
      gboolean lacking;

      if (other->op != NN_OP_TREE_ENSEMBLE || sums == NULL || other->inputs[0] != rewrite->map[node->inputs[0]] || sums->post != NN_TREE_POST_NONE ||
          !are_same (sums, trees) || !lacks (sums, trees, &lacking) || (lacking && half == NULL))
        continue;
      if (half != NULL)
        *half = lacking;
      *index = k;
      return TRUE;
    }
  return FALSE;
}

static NnNode *
add (NnRewrite    *rewrite,
     NnOp          op,
     const char   *class_name,
     const char   *suffix,
     const NnNode *node,
     guint         input,
     guint        *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", node->name, suffix);

  return nn_rewrite_add (rewrite, op, nn_rewrite_name (rewrite, wanted), class_name, input, node, index);
}

static guint
add_curve (NnRewrite    *rewrite,
           const NnNode *node,
           NnTreePost    post,
           guint         input)
{
  NnAct act = post == NN_TREE_POST_SOFTMAX ? NN_ACT_SOFTMAX : NN_ACT_SIGMOID;
  guint index;
  NnNode *curve = add (rewrite, NN_OP_ACTIVATION, post == NN_TREE_POST_SOFTMAX ? "Softmax" : "Activation", nn_act_name (act), node,
                       input, &index);

  curve->attrs.act = act;
  curve->attrs.axis = -1;
  return index;
}

/* Of the second class's probability both: 1 - p and p. */
static guint
add_both (NnRewrite    *rewrite,
          const NnNode *node,
          guint         second)
{
  guint inputs[2] = { 0, second };
  g_autofree char *wanted = NULL;
  NnNode *other = add (rewrite, NN_OP_SCALE, "ApplyAlpha", "other", node, second, &inputs[0]), *both;
  static const NnRole roles[] = { NN_ROLE_SCALE, NN_ROLE_BIAS };
  /* just wide enough for -1 and 1 */
  NnQuantizer grid = { .kind = NN_QUANT_FIXED, .type = NN_FIXED (2, 2) };

  for (guint k = 0; k < 2; k++)
    {
      NnTensor *value = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1));

      nn_tensor_f32 (value)[0] = k == 0 ? -1 : 1;
      nn_rewrite_set_weight (rewrite, other, roles[k],
                             nn_rewrite_weight (rewrite, other->name, k == 0 ? "scale" : "bias", roles[k], value, NULL));
      other->attrs.role_quantizer[roles[k]] = nn_graph_builder_quantizer (rewrite->builder, &grid);
    }
  other->attrs.use_bias = TRUE;
  wanted = g_strdup_printf ("%s_both", node->name);
  both = nn_graph_builder_add (rewrite->builder, NN_OP_CONCATENATE, nn_rewrite_name (rewrite, wanted), "Concatenate", inputs, 2);
  both->origin = nn_graph_builder_strdup (rewrite->builder, node->origin);
  both->attrs.axis = -1;
  return nn_graph_builder_n_nodes (rewrite->builder) - 1;
}

/* Whether a sum is above 1/2, or, where the sum at hand has that much less, above 0: a tree of one comparison. */
#define WINNER(threshold) \
  { { NN_TREE_GT, 0, threshold, 1, 2, 0, 0, FALSE }, { NN_TREE_LEAF, 0, 0, 0, 0, 0, 1, FALSE }, { NN_TREE_LEAF, 0, 0, 0, 0, 1, 1, FALSE } }
static const NnTreeNode winner_nodes[2][3] = { WINNER (0.5), WINNER (0) };
static const NnTreeWeight winner_weights[] = { { 0, 1 }, { 0, 0 } };
static const guint32 winner_root = 0;
static const NnTreeEnsemble winners[2] = {
  { winner_nodes[0], 3, &winner_root, 1, winner_weights, 2, 1, NULL, NN_TREE_SUM, FALSE, NN_TREE_POST_NONE },
  { winner_nodes[1], 3, &winner_root, 1, winner_weights, 2, 1, NULL, NN_TREE_SUM, FALSE, NN_TREE_POST_NONE },
};

static guint
add_winner (NnRewrite    *rewrite,
            const NnNode *node,
            guint         input,
            gboolean      half)
{
  NnQuantizer bit = { .kind = NN_QUANT_FIXED, .type = NN_UFIXED (1, 1) };
  guint index;
  NnNode *winner = add (rewrite, NN_OP_TREE_ENSEMBLE, node->class_name, "winner", node, input, &index);

  winner->attrs.extra = (gpointer) &winners[half];
  winner->attrs.quantizer = nn_graph_builder_quantizer (rewrite->builder, &bit);
  winner->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (rewrite->builder, &bit);
  winner->shape = NN_SHAPE (1);
  return index;
}

/* The scores that come with the label of node @i and can have their sums with it; @i itself where there are none. */
static guint
find_scores (const NnRewrite *rewrite,
             guint            i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  gboolean half;

  for (guint k = i + 1; k < nn_graph_n_nodes (rewrite->graph); k++)
    {
      const NnNode *other = nn_graph_node (rewrite->graph, k);
      const NnTreeEnsemble *scores = other->attrs.extra;

      if (other->op == NN_OP_TREE_ENSEMBLE && scores != NULL && other->inputs[0] == node->inputs[0] && scores->complement &&
          scores->post != NN_TREE_POST_LABEL && are_same (scores, node->attrs.extra) && lacks (scores, node->attrs.extra, &half))
        return k;
    }
  return i;
}

/* Sums that the scores have too, under their name; and the winner. */
static void
lower_label (NnRewrite *rewrite,
             guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  gboolean half = FALSE;
  guint index;

  if (!find_sums (rewrite, i, &half, &index))
    {
      guint scores = find_scores (rewrite, i);
      const NnTreeEnsemble *trees = nn_graph_node (rewrite->graph, scores)->attrs.extra;

      add_sums (rewrite, scores, trees);
      index = rewrite->map[scores];
      lacks (trees, node->attrs.extra, &half);
    }
  rewrite->map[i] = add_winner (rewrite, node, index, half);
}

static gboolean
lower_trees (NnRewrite *rewrite,
             guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnTreeEnsemble *trees = node->attrs.extra;
  guint index;

  if (node->op != NN_OP_TREE_ENSEMBLE || trees == NULL)
    return FALSE;
  if (trees->post == NN_TREE_POST_LABEL && trees->complement)
    {
      lower_label (rewrite, i);
      return TRUE;
    }
  if (trees->post == NN_TREE_POST_LABEL || (trees->post == NN_TREE_POST_NONE && !trees->complement))
    return FALSE;
  if (find_sums (rewrite, i, NULL, &index))
    rewrite->map[i] = index;
  else
    add_sums (rewrite, i, trees);
  if (trees->post != NN_TREE_POST_NONE)
    rewrite->map[i] = add_curve (rewrite, node, trees->post, rewrite->map[i]);
  if (trees->complement)
    rewrite->map[i] = add_both (rewrite, node, rewrite->map[i]);
  return TRUE;
}

NnModel *
nn_pass_lower_trees (const NnModel   *model,
                     const NnConfig  *config,
                     GError         **error)
{
  return nn_rewrite_run (model, config, lower_trees, error);
}
