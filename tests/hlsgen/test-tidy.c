/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sources of a project are clean for clang-tidy's analyser, bug and speed checks, and for the strictest of two compilers' warnings, on
 * every backend. */

#include "test-network.h"

/* An image, pruned, through convolution, pooling, a branch and a dense layer: what most projects are made of. */
static NnModel *
tidy_network (void)
{
  TestNetwork n;
  NnNode *node;
  guint ids[2], inputs[2], before;

  network_begin (&n);
  network_input (&n, "image", &NN_SHAPE (6, 5, 2));
  node = network_add (&n, NN_OP_CONV2D, "conv");
  node->attrs.kernel[0] = node->attrs.kernel[1] = 2;
  for (guint k = 0; k < 2; k++)
    node->attrs.stride[k] = node->attrs.dilation[k] = 1;
  node->attrs.padding = NN_PADDING_SAME;
  node->attrs.groups = 1;
  node->attrs.units = 4;
  node->attrs.use_bias = TRUE;
  ids[0] = network_weight (&n, "conv", "kernel", NN_ROLE_KERNEL, &NN_SHAPE (2, 2, 2, 4), 0.5);
  ids[1] = network_weight (&n, "conv", "bias", NN_ROLE_BIAS, &NN_SHAPE (4), 0.5);
  network_prune (n.weights[0].values, 4, 2);
  nn_graph_builder_weights (n.builder, node, ids, 2);
  before = network_last (&n);
  network_act (&n, "relu", NN_ACT_RELU);
  inputs[0] = network_last (&n);
  inputs[1] = before;
  nn_graph_builder_add (n.builder, NN_OP_ADD, "add", "Add", inputs, 2);
  network_add (&n, NN_OP_GLOBAL_AVG_POOL, "global");
  network_dense (&n, "fc", 4, 3);
  network_act (&n, "softmax", NN_ACT_SOFTMAX);
  return network_end (&n);
}

static void
run_in (const char         *folder,
        const char *const  *argv,
        const char         *what)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL, *messages = NULL;
  int status;

  g_assert_true (g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &messages, &status, &error));
  g_test_message ("%s, %s: %s", what, argv[0], out);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s, %s: %s%.3000s", what, argv[0], out, messages);
}

static void
check (const NnModel *model,
       const char    *backend,
       const char    *io,
       const char    *strategy,
       const char    *interface)
{
  static const char *const programs[] = { "clang-tidy", "clang++", "g++" };
  g_autoptr (GError) error = NULL;
  g_autofree char *config = NULL, *folder = test_folder (), *target = g_build_filename (folder, "p", NULL);
  g_autofree char *what = g_strdup_printf ("%s %s %s %s", backend, io, strategy, interface);
  const char *standard = g_str_equal (backend, "Vivado") ? "-std=c++11" : "-std=c++14";
  const char *wrapper = g_str_equal (interface, "none") ? "firmware/myproject.cpp" : "firmware/myproject_axi.cpp";
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;

  config = g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\",\"Interface\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<12,5>\",\"ReuseFactor\":4,"
                            "\"Strategy\":\"%s\"}}}", backend, io, interface, strategy);
  design = network_design (model, config);
  project = hls_project_new (design, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (hls_project_write (project, target, &error));
  for (guint k = 0; k < G_N_ELEMENTS (programs); k++)
    {
      g_autofree char *found = g_find_program_in_path (programs[k]);
      const char *tidy[] = { programs[k], "--quiet", "--warnings-as-errors=*",
                             "-checks=-*,clang-analyzer-*,bugprone-*,performance-*,-bugprone-easily-swappable-parameters",
                             "firmware/myproject.cpp", "myproject_test.cpp", "myproject_bridge.cpp", wrapper, "--", standard,
                             "-Ifirmware/ap_types", "-Ifirmware", "-Ifirmware/nnet_utils", NULL };
      const char *compile[] = { programs[k], standard, "-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
                                "-Ifirmware/ap_types", "-Ifirmware", "-Ifirmware/nnet_utils", "firmware/myproject.cpp",
                                "myproject_test.cpp", "myproject_bridge.cpp", wrapper, NULL };

      if (found == NULL)
        g_test_message ("%s is not here", programs[k]);
      else
        run_in (target, k == 0 ? tidy : compile, what);
    }
  remove_folder (folder);
}

static void
test_tidy (void)
{
  static const char *const cases[][4] = {
    { "Vitis", "io_parallel", "Resource", "axi_stream" }, { "Vivado", "io_stream", "Resource", "axi_lite" },
    { "Vitis", "io_stream", "Latency", "axi_master" },    { "Catapult", "io_stream", "Latency", "none" },
    { "oneAPI", "io_stream", "Compressed", "none" },      { "Quartus", "io_stream", "Resource", "none" },
  };
  g_autoptr (NnModel) model = tidy_network ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check (model, cases[i][0], cases[i][1], cases[i][2], cases[i][3]);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tidy/backends", test_tidy);
  return g_test_run ();
}
