/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decision trees in fixed point: equal to floating point where every number is on its grid; what is left out, shared and refused. */

#include "nn-design-trees.h"
#include "nn-error.h"
#include "nn-exec.h"
#include "nn-fixed-exec.h"
#include "nn-rng.h"

#include <string.h>

#define N_SAMPLES 200

/* x0 <= 1/2 ? (x1 > 1/4 ? -1 : 2) : (x0 < 1/4 ? 64 : x1 == 1 ? 3 : 3); the third comparison is decided by the first, the last by its leaves */
static const NnTreeNode nodes[] = {
  { NN_TREE_LEQ, 0, 0.5, 1, 2, 0, 0, FALSE },  { NN_TREE_GT, 1, 0.25, 3, 4, 0, 0, FALSE }, { NN_TREE_LT, 0, 0.25, 5, 6, 0, 0, FALSE },
  { NN_TREE_LEAF, 0, 0, 0, 0, 0, 1, FALSE },   { NN_TREE_LEAF, 0, 0, 0, 0, 1, 1, FALSE },  { NN_TREE_LEAF, 0, 0, 0, 0, 2, 1, FALSE },
  { NN_TREE_EQ, 1, 1, 7, 8, 0, 0, FALSE },     { NN_TREE_LEAF, 0, 0, 0, 0, 3, 1, FALSE },  { NN_TREE_LEAF, 0, 0, 0, 0, 4, 1, FALSE },
  /* x1 >= -3/8 ? 1/8 : 0 for the second target */
  { NN_TREE_GTE, 1, -0.375, 10, 11, 0, 0, FALSE }, { NN_TREE_LEAF, 0, 0, 0, 0, 5, 1, FALSE }, { NN_TREE_LEAF, 0, 0, 0, 0, 6, 1, FALSE },
};
static const NnTreeWeight weights[] = { { 0, -1 }, { 0, 2 }, { 0, 64 }, { 0, 3 }, { 0, 3 }, { 1, 0.125 }, { 1, 0 } };
static const guint32 roots[] = { 0, 9 };
static const double base[] = { 0.25, -1 };

static NnModel *
model_of (const NnTreeEnsemble *trees,
          guint                 n)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  guint input = 0;
  NnModel *model;

  nn_graph_builder_add (builder, NN_OP_INPUT, "x", "Input", NULL, 0)->shape = NN_SHAPE (2);
  for (guint k = 0; k < n; k++)
    {
      g_autofree char *name = g_strdup_printf ("trees%u", k);
      NnNode *node = nn_graph_builder_add (builder, NN_OP_TREE_ENSEMBLE, name, "TreeEnsemble", &input, 1);
      NnTreeEnsemble *copy = nn_graph_builder_alloc (builder, sizeof *copy);

      *copy = trees[k];
      node->attrs.extra = copy;
      node->shape = NN_SHAPE (copy->post == NN_TREE_POST_LABEL ? 1 : copy->complement ? 2 : copy->n_targets);
      nn_graph_builder_output (builder, k + 1);
    }
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, NULL, 0, &(NnModelInfo){ .name = "trees", .format = "test" }, &error);
  g_assert_no_error (error);
  return model;
}

static NnDesign *
design_of (const NnModel  *model,
           const char     *json,
           GError        **error)
{
  g_autoptr (GError) wrong = NULL;
  g_autoptr (NnConfig) config = nn_config_parse (json, &wrong);

  g_assert_no_error (wrong);
  return nn_design_new (model, config, error);
}

/* Features on the grid of eighths from -4 to 4. */
static NnTensor *
features (void)
{
  NnTensor *x = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (N_SAMPLES, 2));
  NnRng rng;

  nn_rng_init (&rng, 5);
  for (gsize i = 0; i < x->n; i++)
    nn_tensor_f64 (x)[i] = ((double) nn_rng_below (&rng, 64) - 32) / 8;
  return x;
}

static void
check_equal (const NnModel  *model,
             const NnDesign *design)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) x = features ();
  NnTensor *inputs[] = { x, NULL }, **real = nn_predict (model, inputs, NULL, NULL, NULL, &error), **fixed;

  g_assert_no_error (error);
  fixed = nn_fixed_predict (design, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  for (guint k = 0; real[k] != NULL; k++)
    for (gsize i = 0; i < real[k]->n; i++)
      g_assert_cmpfloat (nn_tensor_get (fixed[k], i), ==, nn_tensor_get (real[k], i));
  nn_tensors_free (real);
  nn_tensors_free (fixed);
}

#define WIDE "{\"Backend\":\"Vitis\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<24,10>\"}}}"

static void
test_equal (void)
{
  static const NnTreeAggregate aggregates[] = { NN_TREE_SUM, NN_TREE_AVERAGE };
  static const NnTreePost posts[] = { NN_TREE_POST_NONE, NN_TREE_POST_LABEL };

  for (guint i = 0; i < 4; i++)
    {
      NnTreeEnsemble trees = { nodes, 12, roots, 2, weights, 7, 2, base, aggregates[i / 2], FALSE, posts[i % 2] };
      g_autoptr (NnModel) model = model_of (&trees, 1);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDesign) design = design_of (model, WIDE, &error);
      const NnTreePlan *plan;

      g_assert_no_error (error);
      check_equal (model, design);
      plan = nn_design_trees (design, 1);
      g_assert_cmpuint (plan->n_trees, ==, 2);
      g_assert_cmpuint (plan->n_steps, ==, 3);
      g_assert_cmpuint (plan->n_dropped, ==, 2);
      g_assert_cmpuint (plan->depth, ==, 2);
      g_assert_null (nn_design_trees (design, 0));
    }
}

/* Types that are inferred hold every sum. */
static void
test_inferred (void)
{
  NnTreeEnsemble trees = { nodes, 12, roots, 2, weights, 7, 2, base, NN_TREE_SUM, FALSE, NN_TREE_POST_NONE };
  g_autoptr (NnModel) model = model_of (&trees, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDesign) design = design_of (model, "{\"granularity\":\"name\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<10,4>\"}}}", &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (nn_type_max (&nn_design_plan (design, 1)->weight), >=, 64);
  check_equal (model, design);
}

/* Scores and class of one classifier have their trees once; both are right. */
static void
test_shared (void)
{
  static const double half[] = { 0.5 }, none[] = { 0 };
  NnTreeEnsemble trees[2] = { { nodes, 9, roots, 1, weights, 5, 1, half, NN_TREE_SUM, TRUE, NN_TREE_POST_LABEL },
                              { nodes, 9, roots, 1, weights, 5, 1, none, NN_TREE_SUM, TRUE, NN_TREE_POST_NONE } };

  for (guint swap = 0; swap < 2; swap++)
    {
      NnTreeEnsemble both[2] = { trees[swap], trees[1 - swap] };
      g_autoptr (NnModel) model = model_of (both, 2);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnDesign) design = design_of (model, WIDE, &error);
      guint n_steps = 0;

      g_assert_no_error (error);
      check_equal (model, design);
      for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (nn_design_model (design))); i++)
        n_steps += nn_design_trees (design, i) != NULL ? nn_design_trees (design, i)->n_steps : 0;
      g_assert_cmpuint (n_steps, ==, 3); /* two of the tree and one that asks for the class */
    }
}

/* A threshold of a type of its own is rounded before it is compared. */
static void
test_threshold (void)
{
  NnTreeEnsemble trees = { nodes, 9, roots, 1, weights, 5, 1, NULL, NN_TREE_SUM, FALSE, NN_TREE_POST_NONE };
  g_autoptr (NnModel) model = model_of (&trees, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDesign) design = design_of (model, "{\"HLSConfig\":{\"Model\":{\"Precision\":{\"default\":\"fixed<16,6>\",\"threshold\":\"fixed<6,6>\"}}}}",
                                           &error);

  g_assert_no_error (error);
  for (guint k = 0; k < nn_design_trees (design, 1)->trees[0].n_steps; k++)
    g_assert_cmpint (nn_design_trees (design, 1)->trees[0].steps[k].bound, ==, 0);
}

static void
test_extremes (void)
{
  NnTreeEnsemble trees = { nodes, 9, roots, 1, weights, 5, 1, base, NN_TREE_MAX, FALSE, NN_TREE_POST_NONE };
  NnTreeEnsemble apart = { nodes, 12, roots, 2, weights, 7, 2, base, NN_TREE_MIN, FALSE, NN_TREE_POST_NONE };
  g_autoptr (NnModel) model = model_of (&trees, 1), second = model_of (&apart, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnDesign) design = design_of (model, WIDE, &error), both = design_of (second, WIDE, &error);

  g_assert_no_error (error);
  check_equal (model, design);
  check_equal (second, both);
}

static void
test_refused (void)
{
  /* one leaf does not vote */
  static const NnTreeWeight few[] = { { 0, -1 }, { 1, 2 }, { 0, 64 }, { 0, 3 }, { 0, 3 } };
  NnTreeEnsemble trees = { nodes, 9, roots, 1, few, 5, 2, base, NN_TREE_MIN, FALSE, NN_TREE_POST_NONE };
  g_autoptr (NnModel) model = model_of (&trees, 1);
  g_autoptr (GError) error = NULL;

  g_assert_null (design_of (model, WIDE, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "votes"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fixed-trees/equal", test_equal);
  g_test_add_func ("/fixed-trees/inferred", test_inferred);
  g_test_add_func ("/fixed-trees/shared", test_shared);
  g_test_add_func ("/fixed-trees/threshold", test_threshold);
  g_test_add_func ("/fixed-trees/extremes", test_extremes);
  g_test_add_func ("/fixed-trees/refused", test_refused);
  return g_test_run ();
}
