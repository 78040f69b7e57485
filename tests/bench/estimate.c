/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Estimates of the jets network (16-64-32-32-5, 16 bits) a second, and of every reuse factor of its layers. */

#include "nn-reuse-solver.h"
#include "nn-rng.h"

#include <string.h>

#define WANTED 1000 /* a second */
#define RUNS 2000

static NnModel *
jets (void)
{
  static const gint64 sizes[] = { 16, 64, 32, 32, 5 };
  static const char *const names[] = { "fc1", "fc2", "fc3", "output" };
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  NnWeight weights[8] = { 0 };
  guint input = 0;
  NnModel *model;
  NnRng rng;

  nn_rng_init (&rng, 1);
  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (sizes[0]);
  for (guint l = 0; l < 4; l++)
    {
      NnNode *node = nn_graph_builder_add (builder, NN_OP_DENSE, names[l], NULL, &input, 1);
      guint ids[2] = { 2 * l, 2 * l + 1 };

      node->attrs.units = sizes[l + 1];
      node->attrs.use_bias = TRUE;
      node->attrs.act = l < 3 ? NN_ACT_RELU : NN_ACT_SOFTMAX;
      for (guint k = 0; k < 2; k++)
        {
          NnShape shape = k == 0 ? NN_SHAPE (sizes[l], sizes[l + 1]) : NN_SHAPE (sizes[l + 1]);

          weights[ids[k]] = (NnWeight) { .name = k == 0 ? "kernel" : "bias", .layer = names[l],
                                         .role = k == 0 ? NN_ROLE_KERNEL : NN_ROLE_BIAS,
                                         .values = nn_tensor_new (NN_DTYPE_F32, &shape) };
          for (gsize e = 0; e < weights[ids[k]].values->n; e++)
            nn_tensor_f32 (weights[ids[k]].values)[e] = (float) (0.3 * nn_rng_normal (&rng));
        }
      nn_graph_builder_weights (builder, node, ids, 2);
      input = nn_graph_builder_n_nodes (builder) - 1;
    }
  nn_graph_builder_output (builder, input);
  graph = nn_graph_builder_seal (builder, NULL);
  model = nn_model_new (graph, weights, 8, NULL, NULL);
  for (guint w = 0; w < 8; w++)
    nn_tensor_unref (weights[w].values);
  return model;
}

static double
estimates_a_second (const NnModel *model,
                    NnStrategy     strategy,
                    guint          reuse)
{
  g_autoptr (NnConfig) config = nn_config_new ();
  g_autoptr (NnDesign) design = NULL;
  gint64 start;

  nn_config_model (config)->strategy = strategy;
  nn_config_model (config)->reuse_factor = reuse;
  design = nn_design_new (model, config, NULL);
  g_assert_nonnull (design);
  start = g_get_monotonic_time ();
  for (guint k = 0; k < RUNS; k++)
    {
      g_autoptr (NnEstimate) estimate = nn_estimate (design, NULL, NULL);

      g_assert_nonnull (estimate);
    }
  return RUNS * 1e6 / (g_get_monotonic_time () - start);
}

int
main (void)
{
  static const struct { const char *name; NnStrategy strategy; guint reuse; } cases[] = {
    { "Latency, RF 1", NN_STRATEGY_LATENCY, 1 },
    { "Resource, RF 4", NN_STRATEGY_RESOURCE, 4 },
    { "pruned Resource, RF 4", NN_STRATEGY_RESOURCE_UNROLLED, 4 },
  };
  g_autoptr (NnModel) model = jets ();
  g_autoptr (NnConfig) config = nn_config_new ();
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnReusePlan) plan = NULL;
  gboolean enough = TRUE;
  gint64 start;

  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    {
      double rate = estimates_a_second (model, cases[c].strategy, cases[c].reuse);

      g_print ("%-24s %8.0f estimates/s\n", cases[c].name, rate);
      enough = enough && rate >= WANTED;
    }
  nn_config_model (config)->strategy = NN_STRATEGY_RESOURCE;
  nn_config_model (config)->reuse_factor = 4;
  design = nn_design_new (model, config, NULL);
  start = g_get_monotonic_time ();
  plan = nn_reuse_solve (design, NULL, 200, NULL, NULL);
  g_print ("%-24s %8.1f ms, %.0f DSP in %.0f cycles\n", "reuse for 200 cycles", (g_get_monotonic_time () - start) / 1e3, plan->dsp,
           plan->latency);
  return enough ? 0 : 1;
}
