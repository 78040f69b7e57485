/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pass on layers whose hardware takes the last axis, where the network has another. */

#include "nn-passes-private.h"

void
nn_rewrite_add_swap (NnRewrite    *rewrite,
                     const NnNode *origin,
                     const char   *suffix,
                     guint         axis,
                     guint         rank,
                     guint        *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", origin->name, suffix);
  NnNode *node = nn_rewrite_add (rewrite, NN_OP_PERMUTE, nn_rewrite_name (rewrite, wanted), "Permute", *index, origin, index);

  for (guint d = 0; d < rank; d++)
    node->attrs.perm[d] = d == axis ? rank - 1 : d == rank - 1 ? axis : d;
}

/* An activation that is not a layer of its own kind says nothing of an axis. */
static gint
softmax_axis (const NnNode *node)
{
  gint axis = node->attrs.axis;

  if (axis == 0 && !g_str_equal (node->class_name, "Softmax"))
    return (gint) node->shape.rank - 1;
  return axis < 0 ? axis + (gint) node->shape.rank : axis;
}

/* A softmax along another axis than the last stands between two transpositions. */
static gboolean
turn_softmax (NnRewrite *rewrite,
              guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  guint rank = node->shape.rank, index;
  gint axis = softmax_axis (node);
  NnNode *copy;

  if (node->op != NN_OP_ACTIVATION || node->attrs.act != NN_ACT_SOFTMAX || rank < 2 || axis < 0 || axis >= (gint) rank)
    return FALSE;
  if (axis == (gint) rank - 1)
    {
      nn_rewrite_copy (rewrite, i)->attrs.axis = -1;
      return TRUE;
    }
  index = rewrite->map[node->inputs[0]];
  nn_rewrite_add_swap (rewrite, node, "turned", (guint) axis, rank, &index);
  copy = nn_graph_builder_add_copy (rewrite->builder, node, &index, 1);
  copy->attrs.axis = -1;
  index = nn_graph_builder_n_nodes (rewrite->builder) - 1;
  nn_rewrite_add_swap (rewrite, node, "back", (guint) axis, rank, &index);
  rewrite->map[i] = index;
  return TRUE;
}

NnModel *
nn_pass_turn_softmax (const NnModel   *model,
                      const NnConfig  *config,
                      GError         **error)
{
  return nn_rewrite_run (model, config, turn_softmax, error);
}
