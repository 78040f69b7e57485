/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's ensembles of decision trees: every kind of branch, of vote and of list. */

#include "test-onnx.h"

#include "nn-error.h"

#include <math.h>

/*
 * Two trees of features 0 and 1, with two targets. The first: x0 MODE 0.5 ? node 1 : node 2, which votes 1 for target 0, or 2 for target 0
 * and -3 for target 1. The second: x1 MODE -1 ? (x0 MODE 2 ? 4 for 0 : 8 for 0) : 16 for 1.
 */
static void
two_trees (const char *mode,
           const char *more,
           const char *thresholds,
           const char *weights)
{
  g_autofree char *modes = g_strdup_printf ("nodes_modes={%s;LEAF;LEAF;%s;%s;LEAF;LEAF;LEAF", mode, mode, mode);
  g_autofree char *all = g_strjoin (" ", "nodes_treeids=[0;0;0;7;7;7;7;7", "nodes_nodeids=[0;1;2;0;1;2;3;4",
                                    "nodes_featureids=[0;0;0;1;0;0;0;0", "nodes_truenodeids=[1;0;0;1;3;0;0;0",
                                    "nodes_falsenodeids=[2;0;0;2;4;0;0;0", modes, "target_treeids=[0;0;0;7;7;7",
                                    "target_nodeids=[1;2;2;3;4;2", "target_ids=[0;0;1;0;0;1", "n_targets=2", thresholds, weights,
                                    *more != '\0' ? more : NULL, NULL);

  begin ();
  node ("TreeEnsembleRegressor", "ai.onnx.ml", "x", "y", all);
}

#define THRESHOLDS "nodes_values=(0.5;0;0;-1;2;0;0;0"
#define WEIGHTS "target_weights=(1;2;-3;4;8;16"

static void
test_branches (void)
{
  /* of x0 0.5 and x1 -1: whether 0.5 MODE 0.5, -1 MODE -1 and 0.5 MODE 2 */
  static const struct {
    const char *mode;
    double      want[2];
  } cases[] = { { "BRANCH_LEQ", { 5, 0 } }, { "BRANCH_LT", { 2, 13 } }, { "BRANCH_GTE", { 9, 0 } },
                { "BRANCH_GT", { 2, 13 } }, { "BRANCH_EQ", { 9, 0 } },  { "BRANCH_NEQ", { 2, 13 } } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      two_trees (cases[i].mode, "", THRESHOLDS, WEIGHTS);
      check (13, (const float[]){ 0.5f, -1 }, 2, cases[i].want, 2);
    }
}

static void
test_votes (void)
{
  /* x0 3, x1 -2: leaf 2 of the first tree, leaf 4 of the second: 2 and 8 for target 0, -3 for target 1 */
  static const struct {
    const char *more;
    double      want[2];
  } cases[] = { { "aggregate_function=SUM", { 10, -3 } },
                { "aggregate_function=AVERAGE", { 5, -1.5 } },
                { "aggregate_function=MIN", { 2, -3 } },
                { "aggregate_function=MAX", { 8, -3 } },
                { "aggregate_function=MAX base_values=(0.5;1", { 8.5, -2 } },
                { "base_values_as_tensor=<0.5;1", { 10.5, -2 } } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      two_trees ("BRANCH_LEQ", cases[i].more, THRESHOLDS, WEIGHTS);
      check (13, (const float[]){ 3, -2 }, 2, cases[i].want, 2);
    }
}

/* Double precision: a threshold between two floats. */
static void
test_tensors (void)
{
  two_trees ("BRANCH_LEQ", "", "nodes_values_as_tensor=<0.49999999999;0;0;-1;2;0;0;0", "target_weights_as_tensor=<1;2;-3;4;8;16");
  check (13, (const float[]){ 0.5f, -1 }, 2, (const double[]){ 6, -3 }, 2);
}

static void
test_missing (void)
{
  two_trees ("BRANCH_LEQ", "nodes_missing_value_tracks_true=[1;0;0;0;1;0;0;0", THRESHOLDS, WEIGHTS);
  check (13, (const float[]){ NAN, -1 }, 2, (const double[]){ 5, 0 }, 2);
  two_trees ("BRANCH_LEQ", "", THRESHOLDS, WEIGHTS);
  check (13, (const float[]){ NAN, NAN }, 2, (const double[]){ 2, 13 }, 2);
}

/* The same trees, and one that is but a leaf, in the words of the fifth set. */
static void
newer (const char *more)
{
  g_autofree char *all = g_strjoin (" ", "nodes_featureids=[0;1;0;0", "nodes_truenodeids=[0;2;2;5", "nodes_trueleafs=[1;0;1;1",
                                    "nodes_falsenodeids=[1;4;3;5", "nodes_falseleafs=[1;1;1;1", "nodes_modes=<0;0;0;0",
                                    "nodes_splits=<0.5;-1;2;0", "tree_roots=[0;1;3", "leaf_targetids=[0;0;0;0;1;1",
                                    "leaf_weights=<1;2;4;8;16;-64", "n_targets=2", *more != '\0' ? more : NULL, NULL);

  begin ();
  node ("TreeEnsemble", "ai.onnx.ml", "x", "y", all);
}

static void
test_newer (void)
{
  newer ("");
  check (13, (const float[]){ 0.5f, -1 }, 2, (const double[]){ 5, -64 }, 2);
  newer ("aggregate_function=0"); /* the average of three trees */
  check (13, (const float[]){ 3, 0 }, 2, (const double[]){ 2.0 / 3, -16 }, 2);
  newer ("aggregate_function=3 post_transform=2");
  check (13, (const float[]){ 0.5f, -1 }, 2, (const double[]){ 1 / (1 + exp (-4)), 1 / (1 + exp (64)) }, 2);
}

static void
refused (const char *says)
{
  g_autoptr (GBytes) bytes = file_of (13, 2, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  NnLoadOptions options;

  nn_load_options_init (&options);
  options.strict = TRUE;
  model = nn_load_onnx (bytes, "made.onnx", &options, NULL, NULL, &error);
  g_assert_null (model);
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, says));
}

static void
test_refused (void)
{
  two_trees ("BRANCH_LEQ", "aggregate_function=MEDIAN", THRESHOLDS, WEIGHTS);
  refused ("MEDIAN");
  two_trees ("BRANCH_MEMBER", "", THRESHOLDS, WEIGHTS);
  refused ("kind");
  two_trees ("BRANCH_LEQ", "", "nodes_values=(0.5;0", WEIGHTS);
  refused ("one length");
  newer ("aggregate_function=4");
  refused ("aggregate_function 4");
  newer ("post_transform=3");
  refused ("post_transform 3");
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trees/branches", test_branches);
  g_test_add_func ("/trees/votes", test_votes);
  g_test_add_func ("/trees/tensors", test_tensors);
  g_test_add_func ("/trees/missing", test_missing);
  g_test_add_func ("/trees/newer", test_newer);
  g_test_add_func ("/trees/refused", test_refused);
  return g_test_run ();
}
