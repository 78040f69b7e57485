/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ensembles of decision trees by chance: every kind of branch and of vote, even and uneven trees, alone and behind a dense layer. */

#pragma once

#include "test-random-wide.h"

#define MAX_RANDOM_NODES 400
#define MAX_RANDOM_TREES 7
#define MAX_RANDOM_TARGETS 4

/* Lives as long as the graph: in its arena. */
typedef struct {
  NnTreeEnsemble trees;
  NnTreeNode     nodes[MAX_RANDOM_NODES];
  NnTreeWeight   weights[MAX_RANDOM_NODES * MAX_RANDOM_TARGETS];
  guint32        roots[MAX_RANDOM_TREES];
  double         base[MAX_RANDOM_TARGETS];
} RandomTrees;

/* On quarters, so that numbers of a coarse grid meet thresholds; now and then beside every grid, or out of reach. */
static inline double
random_threshold (RandomNetwork *random)
{
  double at = ((int) random_below (random, 33) - 16) / 4.0;

  return random_below (random, 5) == 0 ? at + 0.003 * nn_rng_normal (&random->net.rng) : random_below (random, 12) == 0 ? at * 1e4 : at;
}

/* @target: the only one that the tree votes for, or all where it is negative; @every: whether leaves may not be silent */
static inline void
random_leaf (RandomNetwork *random,
             RandomTrees   *t,
             NnTreeNode    *leaf,
             int            target,
             gboolean       every)
{
  leaf->test = NN_TREE_LEAF;
  leaf->first_leaf = t->trees.n_weights;
  for (int k = 0; k < (int) t->trees.n_targets; k++)
    if ((target < 0 || k == target) && (every || random_below (random, 8) > 0))
      t->weights[t->trees.n_weights++] = (NnTreeWeight){ (guint32) k, nn_rng_normal (&random->net.rng) };
  leaf->n_leaf = t->trees.n_weights - leaf->first_leaf;
}

static inline guint32
random_subtree (RandomNetwork *random,
                RandomTrees   *t,
                guint          depth,
                gboolean       mixed,
                int            target,
                gboolean       every)
{
  guint32 at = t->trees.n_nodes++, yes, no;

  t->nodes[at] = (NnTreeNode){ 0 };
  if (depth == 0 || (depth < 3 && random_below (random, 4) == 0) || t->trees.n_nodes + 2 >= MAX_RANDOM_NODES)
    {
      random_leaf (random, t, &t->nodes[at], target, every);
      return at;
    }
  t->nodes[at].test = mixed ? NN_TREE_LEQ + random_below (random, 6) : NN_TREE_LEQ;
  t->nodes[at].feature = random_below (random, (guint) random->shape.dims[0]);
  t->nodes[at].threshold = random_threshold (random);
  yes = random_subtree (random, t, depth - 1, mixed, target, every);
  no = random_subtree (random, t, depth - 1, mixed, target, every);
  t->nodes[at].yes = yes;
  t->nodes[at].no = no;
  return at;
}

static inline RandomTrees *
random_ensemble (RandomNetwork *random)
{
  RandomTrees *t = nn_graph_builder_alloc (random->net.builder, sizeof *t);
  guint n_trees = 1 + random_below (random, MAX_RANDOM_TREES), depth = random_below (random, 5);
  gboolean mixed = random_below (random, 2) == 0, each = random_below (random, 2) == 0, extreme;

  memset (t, 0, sizeof *t);
  t->trees = (NnTreeEnsemble){ .nodes = t->nodes, .roots = t->roots, .weights = t->weights };
  t->trees.n_targets = random_below (random, 3) == 0 ? 1 + random_below (random, MAX_RANDOM_TARGETS) : 1;
  t->trees.aggregate = random_below (random, 2) == 0 ? NN_TREE_SUM : random_below (random, 4);
  extreme = t->trees.aggregate == NN_TREE_MIN || t->trees.aggregate == NN_TREE_MAX;
  for (guint r = 0; r < n_trees; r++)
    t->roots[t->trees.n_roots++] = random_subtree (random, t, depth, mixed, each && t->trees.n_targets > 1 ? (int) (r % t->trees.n_targets) : -1,
                                                   extreme);
  if (random_below (random, 2) == 0)
    t->trees.base = t->base;
  for (guint k = 0; k < t->trees.n_targets; k++)
    t->base[k] = nn_rng_normal (&random->net.rng);
  return t;
}

/* The trees, and now and then a second layer of the same that tells the class. */
static inline void
random_trees (RandomNetwork *random)
{
  RandomTrees *t = random_ensemble (random);
  guint input = network_last (&random->net);
  gboolean two = random_below (random, 3) == 0;

  t->trees.complement = t->trees.n_targets == 1 && random_below (random, 3) == 0;
  for (guint k = 0; k < (two ? 2u : 1u); k++)
    {
      NnTreeEnsemble *trees = nn_graph_builder_alloc (random->net.builder, sizeof *trees);
      g_autofree char *name = g_strdup_printf ("n%u", random->count++);
      NnNode *node;

      *trees = t->trees;
      trees->post = two && k == 0 ? NN_TREE_POST_LABEL : random_below (random, 4);
      if (trees->complement && trees->post == NN_TREE_POST_SOFTMAX)
        trees->post = NN_TREE_POST_LOGISTIC;
      node = nn_graph_builder_add (random->net.builder, NN_OP_TREE_ENSEMBLE, nn_graph_builder_strdup (random->net.builder, name),
                                   "TreeEnsemble", &input, 1);
      node->attrs.extra = trees;
      node->shape = NN_SHAPE (trees->post == NN_TREE_POST_LABEL ? 1 : trees->complement ? 2 : trees->n_targets);
      random_config (random, node->name, random_below (random, 3) == 0 ? "threshold weight bias accum result" : "accum result", 0);
      if (two && k == 0)
        nn_graph_builder_output (random->net.builder, network_last (&random->net));
      random->shape = node->shape;
    }
}

static inline NnModel *
random_network_trees (RandomNetwork *random,
                      guint64        seed,
                      char         **config)
{
  NnModel *model;

  memset (random, 0, sizeof *random);
  random->layers = g_string_new (NULL);
  network_begin (&random->net);
  nn_rng_init (&random->net.rng, seed);
  random->parallel = random_below (random, 2) == 0;
  random->shape = NN_SHAPE (1 + random_below (random, 6));
  network_input (&random->net, "x", &random->shape);
  random_config (random, "x", "result", 0);
  if (random_below (random, 3) == 0)
    random_dense (random);
  random_trees (random);
  if (random_below (random, 4) == 0)
    random_dense (random);
  *config = random_wide_settings (random);
  g_string_free (random->layers, TRUE);
  random->layers = NULL;
  model = network_end (&random->net);
  for (guint w = 0; w < random->net.n_weights; w++)
    g_clear_pointer (&random->net.weights[w].mask, nn_tensor_unref);
  return model;
}
