/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every kind of layer, in parallel and in streams, on every backend: the emitted C++ equals the bit-accurate engine. */

#include "test-network.h"

static NnNode *
window (TestNetwork *n,
        NnOp         op,
        const char  *name,
        gint64       kh,
        gint64       kw,
        gint64       stride,
        NnPadding    padding)
{
  NnNode *node = network_add (n, op, name);

  node->attrs.kernel[0] = kh;
  node->attrs.kernel[1] = kw;
  for (guint k = 0; k < 2; k++)
    {
      node->attrs.stride[k] = stride;
      node->attrs.dilation[k] = 1;
    }
  node->attrs.padding = padding;
  node->attrs.groups = 1;
  node->attrs.depth_multiplier = 1;
  return node;
}

static void
kernel (TestNetwork   *n,
        NnNode        *node,
        const NnShape *shape,
        gint64         units)
{
  guint ids[2];

  node->attrs.units = units;
  node->attrs.use_bias = TRUE;
  ids[0] = network_weight (n, node->name, "kernel", NN_ROLE_KERNEL, shape, 0.5);
  ids[1] = network_weight (n, node->name, "bias", NN_ROLE_BIAS, &NN_SHAPE (units), 0.5);
  nn_graph_builder_weights (n->builder, node, ids, 2);
}

/* Images: convolution, ceiling, maximum, depthwise, mean, global mean. */
static NnModel *
image_network (void)
{
  TestNetwork n;
  NnNode *node;

  network_begin (&n);
  network_input (&n, "image", &NN_SHAPE (7, 6, 2));
  kernel (&n, window (&n, NN_OP_CONV2D, "conv", 3, 2, 1, NN_PADDING_SAME), &NN_SHAPE (3, 2, 2, 4), 4);
  network_prune (n.weights[0].values, 3, 2);
  node = network_act (&n, "relu6", NN_ACT_RELU);
  node->attrs.max_value = 1.25;
  window (&n, NN_OP_MAX_POOL2D, "max", 2, 2, 2, NN_PADDING_SAME);
  node = window (&n, NN_OP_DEPTHWISE_CONV2D, "depthwise", 2, 2, 1, NN_PADDING_VALID);
  kernel (&n, node, &NN_SHAPE (2, 2, 4, 1), 4);
  network_act (&n, "tanh", NN_ACT_TANH);
  window (&n, NN_OP_AVG_POOL2D, "mean", 2, 2, 1, NN_PADDING_SAME);
  network_add (&n, NN_OP_GLOBAL_AVG_POOL, "global");
  network_dense (&n, "fc", 4, 3);
  network_act (&n, "softmax", NN_ACT_SOFTMAX);
  return network_end (&n);
}

/* Sequences: stride and dilation, slopes, moves, recurrence. */
static NnModel *
sequence_network (void)
{
  TestNetwork n;
  NnNode *node;
  guint ids[3];

  network_begin (&n);
  network_input (&n, "sequence", &NN_SHAPE (10, 3));
  node = network_add (&n, NN_OP_ZERO_PAD, "pad");
  node->attrs.pad[0][0] = 1;
  node->attrs.pad[0][1] = 2;
  node = window (&n, NN_OP_CONV1D, "conv", 3, 1, 1, NN_PADDING_CAUSAL);
  node->attrs.dilation[0] = 2;
  kernel (&n, node, &NN_SHAPE (3, 3, 4), 4);
  node = network_act (&n, "leaky", NN_ACT_LEAKY_RELU);
  node->attrs.alpha = 0.3;
  window (&n, NN_OP_MAX_POOL1D, "max", 3, 1, 2, NN_PADDING_VALID);
  kernel (&n, window (&n, NN_OP_CONV1D, "strided", 2, 1, 2, NN_PADDING_SAME), &NN_SHAPE (2, 4, 3), 3);
  network_act (&n, "elu", NN_ACT_ELU)->attrs.alpha = 1;
  node = network_add (&n, NN_OP_LSTM, "lstm");
  node->attrs.units = 4;
  node->attrs.use_bias = TRUE;
  node->attrs.act = NN_ACT_TANH;
  node->attrs.recurrent_act = NN_ACT_SIGMOID;
  node->attrs.return_sequences = TRUE;
  ids[0] = network_weight (&n, "lstm", "kernel", NN_ROLE_KERNEL, &NN_SHAPE (3, 16), 0.5);
  ids[1] = network_weight (&n, "lstm", "recurrent", NN_ROLE_RECURRENT_KERNEL, &NN_SHAPE (4, 16), 0.5);
  ids[2] = network_weight (&n, "lstm", "bias", NN_ROLE_BIAS, &NN_SHAPE (16), 0.5);
  nn_graph_builder_weights (n.builder, node, ids, 3);
  node = network_add (&n, NN_OP_PERMUTE, "permute");
  node->attrs.perm[0] = 1;
  node->attrs.perm[1] = 0;
  network_add (&n, NN_OP_FLATTEN, "flatten");
  /* packets of the whole vector, where those before it held one step */
  network_act (&n, "softsign", NN_ACT_SOFTSIGN);
  network_dense (&n, "fc", 12, 3);
  network_act (&n, "hard", NN_ACT_HARD_SIGMOID);
  return network_end (&n);
}

/* Branches that meet again, and one value that is an output besides. */
static NnModel *
branch_network (void)
{
  static const NnOp merges[] = { NN_OP_ADD, NN_OP_MULTIPLY, NN_OP_AVERAGE, NN_OP_MAXIMUM, NN_OP_CONCATENATE };
  TestNetwork n;
  guint first, second;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (5, 3));
  kernel (&n, window (&n, NN_OP_CONV1D, "a", 1, 1, 1, NN_PADDING_VALID), &NN_SHAPE (1, 3, 3), 3);
  first = network_last (&n);
  nn_graph_builder_output (n.builder, first);
  network_act (&n, "relu", NN_ACT_RELU);
  for (guint k = 0; k < G_N_ELEMENTS (merges); k++)
    {
      g_autofree char *name = g_strdup_printf ("merge%u", k);
      guint inputs[2];

      second = network_last (&n);
      inputs[0] = second;
      inputs[1] = k % 2 == 0 ? first : 0;
      nn_graph_builder_add (n.builder, merges[k], nn_graph_builder_strdup (n.builder, name), nn_op_info (merges[k])->name, inputs, 2)
        ->attrs.axis = -1;
    }
  network_act (&n, "selu", NN_ACT_SELU);
  return network_end (&n);
}

static const char *const settings[][4] = {
  /* backend, io, precision, reuse factor and strategy */
  { "Vitis", "io_parallel", "fixed<16,6>", "\"ReuseFactor\":1,\"Strategy\":\"Latency\"" },
  { "Vivado", "io_stream", "fixed<12,5,RND,SAT>", "\"ReuseFactor\":3,\"Strategy\":\"Resource\"" },
  { "Catapult", "io_stream", "fixed<16,6>", "\"ReuseFactor\":24,\"Strategy\":\"Resource\"" },
  { "oneAPI", "io_stream", "fixed<11,4,RND_CONV,SAT_SYM>", "\"ReuseFactor\":2,\"Strategy\":\"Resource\"" },
  { "Quartus", "io_parallel", "fixed<14,5,TRN_ZERO,SAT_ZERO>", "\"ReuseFactor\":4,\"Strategy\":\"Resource\"" },
  { "Vitis", "io_parallel", "fixed<16,6>", "\"ReuseFactor\":1,\"Strategy\":\"DistributedArithmetic\"" },
};

static void
check (NnModel *model)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      /* sums of distributed arithmetic are exact: types are inferred */
      gboolean da = strstr (settings[i][3], "Distributed") != NULL;
      g_autofree char *config = g_strdup_printf (
        "{\"Backend\":\"%s\",\"IOType\":\"%s\",\"granularity\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"%s\",%s}}}",
        settings[i][0], settings[i][1], da ? "name" : "model", settings[i][2], settings[i][3]);
      g_autoptr (NnDesign) design = network_design (model, config);

      check_simulation (design, config);
    }
  nn_model_unref (model);
}

static void
test_image (void)
{
  check (image_network ());
}

static void
test_sequence (void)
{
  check (sequence_network ());
}

static void
test_branches (void)
{
  check (branch_network ());
}

/* The wrappers compute what the network does; what has none says so. */
static void
test_interfaces (void)
{
  static const char *const names[] = { "axi_stream", "axi_lite", "axi_master" };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = image_network ();
  g_autoptr (NnDesign) intel = NULL, catapult = NULL;
  g_autoptr (HlsProject) project = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *config = g_strdup_printf ("{\"Backend\":\"Vitis\",\"IOType\":\"%s\",\"Interface\":\"%s\",\"HLSConfig\":{\"Model\":"
                                                 "{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}",
                                                 i == 1 ? "io_parallel" : "io_stream", names[i]);
      g_autoptr (NnDesign) design = network_design (model, config);

      check_simulation (design, names[i]);
    }
  catapult = network_design (model, "{\"Backend\":\"Catapult\",\"IOType\":\"io_stream\",\"Interface\":\"axi_stream\",\"HLSConfig\":{\"Model\":"
                                    "{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}");
  project = hls_project_new (catapult, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (hls_project_bytes (project, "build_prj.tcl", NULL), "\nsolution library add amba\n"));
  g_assert_nonnull (strstr (hls_project_bytes (project, "directives.tcl", NULL),
                            "\ndirective set /myproject/image:rsc -MAP_TO_MODULE amba.ccs_axi4stream_in\n"));
  g_assert_nonnull (strstr (hls_project_bytes (project, "directives.tcl", NULL), "_out:rsc -MAP_TO_MODULE amba.ccs_axi4stream_out\n"));
  intel = network_design (model, "{\"Backend\":\"oneAPI\",\"Interface\":\"axi_lite\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}");
  g_assert_null (hls_project_new (intel, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED);
}

/* With its directives before a compiler's eyes, as synthesis sees it: each stands where a directive may. */
static void
check_seen_by_synthesis (const HlsProject *project,
                         const char       *backend)
{
  const char *given = g_getenv ("CXX"), *compiler = given != NULL && *given != '\0' ? given : "g++";
  const char *argv[] = { compiler, g_str_equal (backend, "Vivado") ? "-std=c++11" : "-std=c++14", "-fsyntax-only", "-DNNET_DIRECTIVES", "-Wall",
                         "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-attributes", "-Ifirmware/ap_types", "-Ifirmware", "-Ifirmware/nnet_utils",
                         "firmware/myproject.cpp", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "project", NULL), *messages = NULL;
  int status;

  g_assert_true (hls_project_write (project, target, &error));
  g_assert_true (g_spawn_sync (target, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &messages, &status, &error));
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s: %s", backend, messages);
  remove_folder (folder);
}

/* No directive of any backend is unknown to its tool: such a one would be a warning. */
static void
test_directives (void)
{
  g_autoptr (NnModel) model = sequence_network ();

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *config = g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"%s\",%s}}}",
                                                 settings[i][0], settings[i][1], settings[i][2], settings[i][3]);
      g_autoptr (NnDesign) design = network_design (model, config);
      g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);

      g_assert_no_error (error);
      for (const char *const *w = hls_project_warnings (project); *w != NULL; w++)
        g_assert_null (strstr (*w, "directive"));
      check_seen_by_synthesis (project, settings[i][0]);
    }
}

/* In Catapult's streams every layer is a block with the interval that its reuse factor asks for; a loop over memory words has its own. */
static void
test_blocks (void)
{
  static const char *const strategies[] = { "Latency", "Resource" };
  TestNetwork n;
  g_autoptr (NnModel) model = NULL;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (6));
  network_dense (&n, "fc", 6, 5);
  network_act (&n, "relu", NN_ACT_RELU);
  model = network_end (&n);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *config = g_strdup_printf ("{\"Backend\":\"Catapult\",\"IOType\":\"io_stream\",\"HLSConfig\":{\"Model\":{\"Precision\":"
                                                 "\"fixed<16,6>\",\"ReuseFactor\":1},\"LayerName\":{\"fc\":{\"ReuseFactor\":3,\"Strategy\":\"%s\"}}}}",
                                                 strategies[i]);
      g_autoptr (NnDesign) design = network_design (model, config);
      g_autoptr (HlsProject) project = hls_project_new (design, NULL, NULL);
      const char *top = hls_project_bytes (project, "firmware/myproject.cpp", NULL);

      g_assert_nonnull (strstr (top, i == 0 ? "NNET_LAYER(3)\nstatic void dense_config1(" : "NNET_LAYER(1)\nstatic void dense_config1("));
      g_assert_nonnull (strstr (top, "NNET_LAYER(1)\nstatic void map_config2("));
      g_assert_nonnull (strstr (top, "    dense_config1(x, layer1_out); // fc\n"));
      check_simulation (design, strategies[i]);
    }
}

/* Weights of two bits are taken for signs and zeros, but there is a fourth value. */
static void
test_two_bits (void)
{
  TestNetwork n;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (6));
  network_dense (&n, "fc", 6, 5);
  for (guint i = 0; i < 30; i++)
    nn_tensor_f32 (n.weights[0].values)[i] = (float) (i % 4) - 2;
  model = network_end (&n);
  design = network_design (model, "{\"Backend\":\"Vitis\",\"IOType\":\"io_parallel\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1},"
                                  "\"LayerName\":{\"fc\":{\"Precision\":{\"weight\":\"fixed<2,2>\"}}}}}");
  check_simulation (design, "two bits");
}

/* An input that no layer reads is a port all the same: no warning, and no stream that fills up. */
static void
test_unread (void)
{
  static const char *const ports[][2] = { { "Vitis", "io_parallel" }, { "Vitis", "io_stream" }, { "Quartus", "io_parallel" }, { "Quartus", "io_stream" } };
  TestNetwork n;
  g_autoptr (NnModel) model = NULL;
  guint first = 0;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (3));
  nn_graph_builder_add (n.builder, NN_OP_INPUT, "unread", "Input", NULL, 0)->shape = NN_SHAPE (4, 2);
  nn_graph_builder_add (n.builder, NN_OP_ACTIVATION, "relu", "Activation", &first, 1)->attrs.act = NN_ACT_RELU;
  model = network_end (&n);
  for (guint i = 0; i < G_N_ELEMENTS (ports); i++)
    {
      g_autofree char *config = g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\"}", ports[i][0], ports[i][1]);
      g_autoptr (NnDesign) design = network_design (model, config);

      check_simulation (design, config);
    }
}

/* A network that gives back its input is no project. */
static void
test_nothing (void)
{
  g_autoptr (GError) error = NULL;
  TestNetwork n;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (2, 3));
  network_add (&n, NN_OP_FLATTEN, "flatten");
  model = network_end (&n);
  design = network_design (model, "{\"Backend\":\"Vitis\",\"IOType\":\"io_parallel\"}");
  g_assert_null (hls_project_new (design, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layers/directives", test_directives);
  g_test_add_func ("/layers/image", test_image);
  g_test_add_func ("/layers/sequence", test_sequence);
  g_test_add_func ("/layers/branches", test_branches);
  g_test_add_func ("/layers/blocks", test_blocks);
  g_test_add_func ("/layers/two-bits", test_two_bits);
  g_test_add_func ("/layers/unread", test_unread);
  g_test_add_func ("/layers/nothing", test_nothing);
  g_test_add_func ("/layers/interfaces", test_interfaces);
  return g_test_run ();
}
