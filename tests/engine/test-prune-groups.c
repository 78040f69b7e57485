/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Groups as the hardware shares them: which weights, what they cost, what they are worth. */

#include "nn-error.h"
#include "nn-estimate.h"
#include "nn-pruner.h"
#include "test-train-nets.h"

static NnDesign *
make_design (const NnModel *model,
             const char    *strategy,
             guint          reuse,
             const char    *precision)
{
  g_autofree char *text = g_strdup_printf ("{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":"
                                           "{\"Precision\":\"%s\",\"ReuseFactor\":%u,\"Strategy\":\"%s\"}}}",
                                           precision, reuse, strategy);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = nn_config_parse (text, &error);
  NnDesign *design;

  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  return design;
}

static NnModel *
dense (gint64 n_in,
       gint64 n_out)
{
  TestNet *net = net_new (&NN_SHAPE (n_in), 1);

  net_dense (net, n_in, n_out, NN_ACT_RELU);
  net_dense (net, n_out, 3, NN_ACT_LINEAR);
  return net_seal (net);
}

static NnGroups *
make_groups (const NnDesign *design,
             NnStructure     structure)
{
  g_autoptr (GError) error = NULL;
  NnGroups *groups = nn_groups_new (design, structure, NULL, &error);

  g_assert_no_error (error);
  return groups;
}

/* The first groups hold exactly these weights. */
static void
check_indices (const NnGroups *groups,
               const guint32  *indices,
               gsize           n)
{
  g_assert_cmpuint (groups->n_indices, >=, n);
  for (gsize k = 0; k < n; k++)
    g_assert_cmpuint (groups->indices[k], ==, indices[k]);
}

/* Worked by hand from hls4ml's kernels: n_in 4, n_out 3; weight f = o * 4 + i stands at i * 3 + o. */
static void
test_mapping (void)
{
  g_autoptr (NnModel) model = dense (4, 3);
  g_autoptr (NnDesign) two = make_design (model, "Resource", 2, "fixed<16,6>"), eight = make_design (model, "Resource", 12, "fixed<16,6>");
  g_autoptr (NnGroups) below = make_groups (two, NN_STRUCTURE_AUTO), above = make_groups (eight, NN_STRUCTURE_MULTIPLIER);
  const guint32 expected[] = { 0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11 };

  check_indices (below, expected, 12);
  check_indices (above, expected, 12);
  g_assert_cmpuint (below->groups[0].n, ==, 2);
  g_assert_cmpuint (above->groups[0].n, ==, 12); /* RF = n_in * 3: one multiplier serves three outputs */
  g_assert_cmpint (below->structure[below->groups[0].node], ==, NN_STRUCTURE_MULTIPLIER);
  g_assert_cmpfloat (below->groups[0].cost.amount[NN_RESOURCE_DSP], ==, 1);
  g_assert_cmpfloat (fabs (below->groups[0].cost.amount[NN_RESOURCE_BRAM] - 16.0 / 36), <, 1e-12);
}

/* The design's own index map, for every structure of runs, over many shapes. */
static void
test_design_agrees (void)
{
  TestNet *net = net_new (&NN_SHAPE (8, 8, 3), 2);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  gsize f = 0;
  guint node = G_MAXUINT;

  net_conv (net, 3, 3, 3, 4, 1, 1, 1, NN_PADDING_VALID);
  net_conv (net, 2, 2, 4, 6, 1, 1, 1, NN_PADDING_SAME);
  model = net_seal (net);
  design = make_design (model, "Resource", 9, "fixed<18,8>");
  for (NnStructure s = NN_STRUCTURE_NEURON; s <= NN_STRUCTURE_BRAM_WORD; s++)
    {
      g_autoptr (NnGroups) groups = make_groups (design, s);

      node = G_MAXUINT;
      for (gsize g = 0; g < groups->n_groups; g++)
        {
          if (groups->groups[g].node != node)
            f = 0;
          node = groups->groups[g].node;
          for (guint k = 0; k < groups->groups[g].n; k++)
            g_assert_cmpuint (groups->indices[groups->groups[g].first + k], ==,
                              nn_design_weight_index (design, node, NN_ROLE_KERNEL, f++));
        }
    }
}

/* Every weight of a layer is in exactly one group, whatever the structure. */
static void
test_partition (void)
{
  g_autoptr (NnModel) model = dense (6, 10);
  g_autoptr (NnDesign) design = make_design (model, "Resource", 3, "fixed<16,6>");

  for (NnStructure s = NN_STRUCTURE_AUTO; s <= NN_STRUCTURE_BLOCK; s++)
    {
      g_autoptr (NnGroups) groups = make_groups (design, s);
      guint seen[2][60] = { 0 };
      double parameters = 0;

      for (gsize g = 0; g < groups->n_groups; g++)
        {
          g_assert_true (groups->groups[g].kept);
          parameters += nn_group_cost (&groups->groups[g], NN_OBJECTIVE_PARAMETERS);
          for (guint k = 0; k < groups->groups[g].n; k++)
            seen[groups->groups[g].weight / 2][groups->indices[groups->groups[g].first + k]]++;
        }
      for (guint k = 0; k < 60; k++)
        g_assert_cmpuint (seen[0][k], ==, 1);
      for (guint k = 0; k < 30; k++)
        g_assert_cmpuint (seen[1][k], ==, s == NN_STRUCTURE_NEURON ? 0 : 1); /* outputs of the last layer stay */
      g_assert_cmpfloat (parameters, ==, s == NN_STRUCTURE_NEURON ? 60 : 90);
    }
}

static void
test_bram_word (void)
{
  static const struct { guint width, in_word, bits; } cases[] = {
    { 1, 36, 36 }, { 4, 9, 36 }, { 5, 7, 36 }, { 7, 5, 36 }, { 8, 9, 72 },   { 9, 4, 36 },  { 12, 3, 36 }, { 14, 5, 72 },
    { 16, 2, 36 }, { 18, 2, 36 }, { 24, 3, 72 }, { 32, 1, 36 }, { 36, 1, 36 }, { 40, 1, 72 }, { 72, 1, 72 }, { 100, 1, 108 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint bits;

      g_assert_cmpuint (nn_bram_word (cases[i].width, &bits), ==, cases[i].in_word);
      g_assert_cmpuint (bits, ==, cases[i].bits);
    }
  for (guint width = 1; width <= 64; width++)
    {
      g_autofree char *precision = g_strdup_printf ("fixed<%u,3>", width);
      g_autoptr (NnModel) model = dense (8, 16);
      g_autoptr (NnDesign) design = make_design (model, "Resource", 4, precision);
      g_autoptr (NnGroups) groups = make_groups (design, NN_STRUCTURE_BRAM_WORD);
      guint bits, in_word = nn_bram_word (width, &bits);

      g_assert_cmpuint (groups->groups[0].n, ==, MIN (4 * in_word, 128));
      g_assert_cmpfloat (groups->groups[0].cost.amount[NN_RESOURCE_BRAM], >, 0);
      if (4 * in_word <= 128)
        g_assert_cmpfloat (groups->groups[0].cost.amount[NN_RESOURCE_BRAM], ==, bits / 36.0);
    }
}

/* Latency: three digits and more cost a DSP, equal weights on an input share it; the sum is the law's count. */
static void
test_latency_cost (void)
{
  g_autoptr (NnModel) model = dense (12, 20);
  g_autoptr (NnDesign) design = make_design (model, "Latency", 1, "fixed<10,4>");
  g_autoptr (NnGroups) groups = make_groups (design, NN_STRUCTURE_AUTO);
  double dsp = 0;
  guint first = groups->groups[0].node;
  const NnTensor *raw = nn_design_raw (design, first, NN_ROLE_KERNEL);

  for (gsize g = 0; g < groups->n_groups && groups->groups[g].node == first; g++)
    {
      gint64 r = ((const gint64 *) raw->data)[groups->indices[groups->groups[g].first]];

      g_assert_cmpuint (groups->groups[g].n, ==, 1);
      g_assert_cmpint (groups->groups[g].cost.amount[NN_RESOURCE_DSP] > 0, ==, nn_csd_digits (r) >= 3);
      dsp += groups->groups[g].cost.amount[NN_RESOURCE_DSP];
    }
  g_assert_cmpfloat (fabs (dsp - (double) nn_latency_dsp (raw->data, 12, 20)), <, 1e-6);
}

static void
test_score_and_frontier (void)
{
  g_autoptr (NnModel) model = dense (16, 24);
  g_autoptr (NnDesign) design = make_design (model, "Resource", 4, "fixed<16,6>");
  g_autoptr (NnGroups) groups = make_groups (design, NN_STRUCTURE_AUTO);
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) points = NULL;

  for (NnImportance i = NN_IMPORTANCE_L1; i <= NN_IMPORTANCE_L2; i++)
    {
      double most[4] = { 0 };

      nn_groups_score (groups, model, i, NULL, 1);
      for (gsize g = 0; g < groups->n_groups; g++)
        most[groups->groups[g].weight] = MAX (most[groups->groups[g].weight], groups->groups[g].value);
      g_assert_cmpfloat (most[0], ==, 1);
      g_assert_cmpfloat (most[2], ==, 1);
    }
  points = nn_frontier (groups, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_BRAM, 11, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (points->len, ==, 11);
  for (guint i = 1; i < points->len; i++)
    {
      const NnFrontierPoint *a = &g_array_index (points, NnFrontierPoint, i - 1), *b = a + 1;

      g_assert_cmpfloat (b->value, >=, a->value);
      g_assert_cmpint (b->status, ==, NN_KNAPSACK_OPTIMAL);
      g_assert_cmpfloat (b->gap, ==, 0);
    }
  g_assert_cmpuint (g_array_index (points, NnFrontierPoint, 10).n_kept, ==, groups->n_groups);
  g_array_unref (points);
  /* With nothing, one DSP buys the best group; with all, nothing; the more there are the less the next one buys. */
  points = nn_frontier (groups, 1u << NN_OBJECTIVE_DSP, 5, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (g_array_index (points, NnFrontierPoint, 0).price[NN_RESOURCE_DSP], ==, 1);
  g_assert_cmpfloat (g_array_index (points, NnFrontierPoint, 4).price[NN_RESOURCE_DSP], ==, 0);
  for (guint i = 1; i < points->len; i++)
    g_assert_cmpfloat (g_array_index (points, NnFrontierPoint, i).price[NN_RESOURCE_DSP], <=,
                       g_array_index (points, NnFrontierPoint, i - 1).price[NN_RESOURCE_DSP]);
}

static void
test_apply (void)
{
  g_autoptr (NnModel) model = dense (4, 3);
  g_autoptr (NnDesign) design = make_design (model, "Resource", 2, "fixed<16,6>");
  g_autoptr (NnGroups) groups = make_groups (design, NN_STRUCTURE_AUTO);
  g_autofree guint8 *keep = g_malloc (groups->n_groups);
  g_autoptr (NnModel) pruned = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  memset (keep, 1, groups->n_groups);
  keep[1] = 0;
  pruned = nn_groups_apply (groups, model, keep);
  for (gsize k = 0; k < 12; k++)
    {
      gboolean gone = k == 6 || k == 9;

      g_assert_cmpint (nn_tensor_u8 (nn_model_weight (pruned, 0)->mask)[k], ==, !gone);
      g_assert_cmpint (nn_tensor_f32 (nn_model_weight (pruned, 0)->values)[k] == 0, ==, gone);
    }
  g_assert_null (nn_model_weight (model, 0)->mask);
  g_assert_null (nn_model_weight (pruned, 2)->mask);
  config = nn_config_for_pruned (nn_design_config (design), pruned, &error);
  g_assert_no_error (error);
  g_assert_cmpint (nn_config_strategy (config, "layer_1", "Dense"), ==, NN_STRATEGY_RESOURCE_UNROLLED);
  g_assert_cmpint (nn_config_strategy (config, "layer_2", "Dense"), ==, NN_STRATEGY_RESOURCE);
}

static void
test_bad (void)
{
  g_autoptr (NnModel) model = dense (4, 3);
  g_autoptr (NnDesign) design = make_design (model, "Resource", 2, "fixed<16,6>");
  const char *none[] = { "layer_7", NULL }, *first[] = { "layer_1", NULL };
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (GError) error = NULL;
  guint set;

  g_assert_null (nn_groups_new (design, NN_STRUCTURE_AUTO, none, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  groups = nn_groups_new (design, NN_STRUCTURE_AUTO, first, &error);
  g_assert_no_error (error);
  for (gsize g = 0; g < groups->n_groups; g++)
    g_assert_cmpuint (groups->groups[g].weight, ==, 2);
  g_assert_false (nn_objectives_parse ("dsp,brum", &set, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error->message, "\"bram\""));
  g_clear_error (&error);
  g_assert_true (nn_objectives_parse ("dsp, latency", &set, &error));
  g_assert_cmpuint (set, ==, 1u << NN_OBJECTIVE_DSP | 1u << NN_OBJECTIVE_LATENCY);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/groups/mapping", test_mapping);
  g_test_add_func ("/groups/design-agrees", test_design_agrees);
  g_test_add_func ("/groups/partition", test_partition);
  g_test_add_func ("/groups/bram-word", test_bram_word);
  g_test_add_func ("/groups/latency-cost", test_latency_cost);
  g_test_add_func ("/groups/score-and-frontier", test_score_and_frontier);
  g_test_add_func ("/groups/apply", test_apply);
  g_test_add_func ("/groups/bad", test_bad);
  return g_test_run ();
}
