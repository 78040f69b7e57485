/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small networks made in memory, for tests of emitted projects. */

#pragma once

#include "hls.h"
#include "nn-rng.h"

#include "../test-shared.h"

#include <string.h>

#define MAX_TEST_WEIGHTS 32

typedef struct {
  NnGraphBuilder *builder;
  NnWeight        weights[MAX_TEST_WEIGHTS];
  guint           n_weights;
  NnRng           rng;
} TestNetwork;

static inline void
network_begin (TestNetwork *network)
{
  memset (network, 0, sizeof *network);
  network->builder = nn_graph_builder_new ();
  nn_rng_init (&network->rng, 7);
}

static inline guint
network_last (const TestNetwork *network)
{
  return nn_graph_builder_n_nodes (network->builder) - 1;
}

/* A tensor of normal deviates times @scale. */
static inline guint
network_weight (TestNetwork   *network,
                const char    *layer,
                const char    *name,
                NnRole         role,
                const NnShape *shape,
                double         scale)
{
  NnTensor *values = nn_tensor_new (NN_DTYPE_F32, shape);
  guint id = network->n_weights++;

  g_assert (id < MAX_TEST_WEIGHTS);
  for (gsize i = 0; i < values->n; i++)
    nn_tensor_f32 (values)[i] = (float) (scale * nn_rng_normal (&network->rng));
  network->weights[id] = (NnWeight){ .name = name, .layer = layer, .role = role, .trainable = TRUE, .values = values };
  return id;
}

static inline NnNode *
network_add (TestNetwork *network,
             NnOp         op,
             const char  *name)
{
  guint previous = nn_graph_builder_n_nodes (network->builder);
  guint input = previous - 1;

  return nn_graph_builder_add (network->builder, op, name, nn_op_info (op)->name, previous > 0 ? &input : NULL, previous > 0 ? 1 : 0);
}

static inline NnNode *
network_input (TestNetwork   *network,
               const char    *name,
               const NnShape *shape)
{
  NnNode *node = network_add (network, NN_OP_INPUT, name);

  node->shape = *shape;
  return node;
}

/* Zeros whole multipliers: of every @period consecutive runs of @run weights of the output-major tensor one is kept. */
static inline void
network_prune (NnTensor *kernel,
               gsize     run,
               gsize     period)
{
  gsize n_out = (gsize) nn_shape_last (&kernel->shape), n_in = kernel->n / n_out;

  for (gsize f = 0; f < kernel->n; f++)
    if (f / run % period != 0)
      nn_tensor_f32 (kernel)[f % n_in * n_out + f / n_in] = 0;
}

static inline NnNode *
network_dense (TestNetwork *network,
               const char  *name,
               gint64       n_in,
               gint64       n_out)
{
  NnNode *node = network_add (network, NN_OP_DENSE, name);
  guint ids[2];

  node->attrs.units = n_out;
  node->attrs.use_bias = TRUE;
  ids[0] = network_weight (network, name, "kernel", NN_ROLE_KERNEL, &NN_SHAPE (n_in, n_out), 0.7);
  ids[1] = network_weight (network, name, "bias", NN_ROLE_BIAS, &NN_SHAPE (n_out), 0.5);
  nn_graph_builder_weights (network->builder, node, ids, 2);
  return node;
}

static inline NnNode *
network_act (TestNetwork *network,
             const char  *name,
             NnAct        act)
{
  NnNode *node = network_add (network, NN_OP_ACTIVATION, name);

  node->attrs.act = act;
  node->attrs.axis = -1;
  return node;
}

static inline NnModel *
network_end (TestNetwork *network)
{
  g_autoptr (GError) error = NULL;
  NnGraph *graph;
  NnModel *model;

  nn_graph_builder_output (network->builder, network_last (network));
  graph = nn_graph_builder_seal (network->builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, network->weights, network->n_weights, &(NnModelInfo){ .name = "test", .format = "test" }, &error);
  g_assert_no_error (error);
  nn_graph_unref (graph);
  g_clear_pointer (&network->builder, nn_graph_builder_free);
  for (guint i = 0; i < network->n_weights; i++)
    nn_tensor_unref (network->weights[i].values);
  return model;
}

static inline NnDesign *
network_design (const NnModel *model,
                const char    *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = nn_config_parse (json, &error);
  NnDesign *design;

  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  return design;
}

static inline void
fail_on_warning (const char *line,
                 gpointer    data)
{
  if (strstr (line, "warning:") != NULL || strstr (line, "never read") != NULL)
    {
      g_test_message ("%s", line);
      *(gboolean *) data = TRUE;
    }
}

/* Emits, compiles with -Wall -Wextra, runs, and compares every bit with the bit-accurate engine. */
static inline void
check_simulation (const NnDesign *design,
                  const char     *what)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  g_autoptr (HlsReport) report = NULL;
  g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "project", NULL);
  HlsBuildOptions options;
  gboolean warned = FALSE;

  g_test_message ("%s", what);
  g_assert_no_error (error);
  g_assert_true (hls_project_write (project, target, &error));
  g_assert_no_error (error);
  hls_build_options_init (&options);
  options.on_line = fail_on_warning;
  options.on_line_data = &warned;
  report = hls_build (target, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (report);
  g_assert_cmpstr (report->stage, ==, "csim");
  g_assert_true (g_str_has_prefix (report->status, "Pass: "));
  g_assert_false (warned);
  remove_folder (folder);
}
