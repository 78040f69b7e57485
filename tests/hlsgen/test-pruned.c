/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left of a pruned layer: the emitted C++ carries out the products of the remaining multipliers and no other, and
 * its memory holds their weights and no other; dense and convolution, in parallel and in streams, with reuse factors below
 * and above the number of inputs, on every backend.
 */

#include "nn-fixed-exec.h"
#include "test-network.h"

#include <stdlib.h>

#define N_VECTORS 3
#define PERIOD 3 /* of so many multipliers one is kept */

/* The product that kernels ask for, and what the test makes of it. */
#define PRODUCT "static auto of(const X &x, const W &w) -> decltype(x * w) { return x * w; }"
#define COUNTED "static auto of(const X &x, const W &w) -> decltype(x * w) { products()++; return x * w; }"
#define COUNTER \
  "#pragma once\n#include <iostream>\n" \
  "struct product_counter {\n    unsigned long n;\n    product_counter() : n(0) {}\n" \
  "    ~product_counter() { std::cout << \"products \" << n << std::endl; }\n};\n" \
  "inline unsigned long &products() { static product_counter counter; return counter.n; }\n"

typedef struct {
  gboolean conv;
  guint    n_in, n_out, positions;
} Layer;

static const Layer dense = { FALSE, 12, 8, 1 };
static const Layer conv = { TRUE, 2 * 2 * 3, 8, 4 * 3 };

static NnModel *
pruned_model (const Layer *layer,
              guint        reuse)
{
  TestNetwork n;
  NnNode *node;
  guint ids[2];

  network_begin (&n);
  if (layer->conv)
    {
      network_input (&n, "x", &NN_SHAPE (5, 4, 3));
      node = network_add (&n, NN_OP_CONV2D, "layer");
      node->attrs.kernel[0] = node->attrs.kernel[1] = 2;
      node->attrs.stride[0] = node->attrs.stride[1] = node->attrs.dilation[0] = node->attrs.dilation[1] = 1;
      node->attrs.padding = NN_PADDING_VALID;
      node->attrs.groups = 1;
      node->attrs.units = layer->n_out;
      node->attrs.use_bias = TRUE;
      ids[0] = network_weight (&n, "layer", "kernel", NN_ROLE_KERNEL, &NN_SHAPE (2, 2, 3, layer->n_out), 0.7);
      ids[1] = network_weight (&n, "layer", "bias", NN_ROLE_BIAS, &NN_SHAPE (layer->n_out), 0.5);
      nn_graph_builder_weights (n.builder, node, ids, 2);
    }
  else
    {
      network_input (&n, "x", &NN_SHAPE (layer->n_in));
      network_dense (&n, "layer", layer->n_in, layer->n_out);
    }
  network_prune (n.weights[0].values, reuse, PERIOD);
  return network_end (&n);
}

/* Multipliers with a weight that is not zero, counted from the integers alone. */
static guint
count_left (const NnDesign *design,
            guint           node,
            guint           reuse)
{
  const NnTensor *raw = nn_design_raw (design, node, NN_ROLE_KERNEL);
  guint left = 0;

  for (gsize f = 0; f < raw->n; f += reuse)
    {
      gboolean live = FALSE;

      for (gsize k = 0; k < reuse; k++)
        live |= ((const gint64 *) raw->data)[nn_design_weight_index (design, node, NN_ROLE_KERNEL, f + k)] != 0;
      left += live;
    }
  return left;
}

static char *
text_of (const HlsProject *project,
         const char       *path)
{
  gsize n;
  const char *bytes = hls_project_bytes (project, path, &n);

  g_assert_nonnull (bytes);
  return g_strndup (bytes, n);
}

/* Compiles @project with a counter in its products and runs it. */
static gulong
count_products (const HlsProject *project,
                const char       *standard)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "project", NULL);
  g_autofree char *common = text_of (project, "firmware/nnet_utils/nnet_common.h"), *counted = NULL, *path = NULL, *out = NULL;
  g_auto (GStrv) parts = g_strsplit (common, PRODUCT, -1);
  const char *build[] = { "g++", standard, "-O0", "-Wall", "-Wextra", "-Ifirmware/ap_types", "-Ifirmware", "-Ifirmware/nnet_utils",
                          "-include", "firmware/myproject.cpp", "myproject_test.cpp", "-o", "counted", NULL };
  const char *run[] = { "./counted", NULL }, *at;
  int status;

  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  counted = g_strconcat (COUNTER, parts[0], COUNTED, parts[1], NULL);
  g_assert_true (hls_project_write (project, target, &error));
  path = g_build_filename (target, "firmware", "nnet_utils", "nnet_common.h", NULL);
  g_assert_true (g_file_set_contents (path, counted, -1, &error));
  g_assert_true (g_spawn_sync (target, (char **) build, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error));
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_assert_true (g_spawn_sync (target, (char **) run, NULL, 0, NULL, NULL, &out, NULL, &status, &error));
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_assert_nonnull (strstr (out, " differences 0 "));
  at = strstr (out, "products ");
  g_assert_nonnull (at);
  remove_folder (folder);
  return strtoul (at + strlen ("products "), NULL, 10);
}

static void
check (const Layer *layer,
       const char  *backend,
       const char  *io,
       guint        reuse)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *config = g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<12,5>\","
                                             "\"ReuseFactor\":%u,\"Strategy\":\"Resource\"}}}", backend, io, reuse);
  g_autoptr (NnModel) model = pruned_model (layer, reuse);
  g_autoptr (NnDesign) design = network_design (model, config);
  g_autoptr (HlsProject) project = NULL;
  g_autofree char *parameters = NULL, *weights = NULL, *live = NULL, *readme = NULL, *n_live = NULL, *n_weights = NULL, *n_table = NULL;
  g_autofree char *said = NULL;
  guint node, left, all = layer->n_in * layer->n_out / reuse;
  NnTensor *x, **y;
  HlsVectors vectors;

  g_test_message ("%s %s %s, reuse factor %u", layer->conv ? "conv" : "dense", backend, io, reuse);
  g_assert_true (nn_graph_find (nn_model_graph (nn_design_model (design)), "layer", &node));
  g_assert_cmpuint (nn_design_plan (design, node)->reuse_factor, ==, reuse);
  left = count_left (design, node, reuse);
  g_assert_cmpuint (left, <, all);
  x = nn_tensor_new (NN_DTYPE_F64, layer->conv ? &NN_SHAPE (N_VECTORS, 5, 4, 3) : &NN_SHAPE (N_VECTORS, layer->n_in));
  for (gsize i = 0; i < x->n; i++)
    nn_tensor_f64 (x)[i] = (double) (i % 17) / 8 - 1;
  y = nn_fixed_predict (design, &x, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  vectors = (HlsVectors){ .inputs = &x, .expected = y, .n = N_VECTORS };
  project = hls_project_new (design, &vectors, &error);
  g_assert_no_error (error);
  /* in the source */
  parameters = text_of (project, "firmware/parameters.h");
  n_live = g_strdup_printf ("n_live = %u;", left);
  g_assert_nonnull (strstr (parameters, n_live));
  {
    g_autofree char *path = g_strdup_printf ("firmware/weights/w%u.h", node), *table = g_strdup_printf ("firmware/weights/live%u.h", node);

    weights = text_of (project, path);
    live = text_of (project, table);
  }
  n_weights = g_strdup_printf ("w%u[%u]", node, left * reuse);
  n_table = g_strdup_printf ("live%u[%u]", node, left);
  g_assert_nonnull (strstr (weights, n_weights));
  g_assert_nonnull (strstr (live, n_table));
  /* in words */
  readme = text_of (project, "README.md");
  said = g_strdup_printf ("pruned Resource, since %u of %u multipliers would have had only zero weights; the other %u", all - left, all, left);
  g_assert_nonnull (strstr (readme, said));
  /* and in deed */
  g_assert_cmpuint (count_products (project, g_str_equal (backend, "Vivado") ? "-std=c++11" : "-std=c++14"), ==,
                    (gulong) left * reuse * layer->positions * N_VECTORS);
  nn_tensor_unref (x);
  nn_tensor_unref (y[0]);
  g_free (y);
}

/* Below, at and above the 12 inputs. */
static void
test_dense (void)
{
  check (&dense, "Vitis", "io_parallel", 3);
  check (&dense, "Vivado", "io_stream", 12);
  check (&dense, "Vitis", "io_stream", 24);
  check (&dense, "Quartus", "io_stream", 4);
}

static void
test_conv (void)
{
  check (&conv, "Vitis", "io_parallel", 4);
  check (&conv, "Vivado", "io_parallel", 24);
  check (&conv, "Vitis", "io_stream", 6);
  check (&conv, "Catapult", "io_stream", 24);
}

/* Groups have no memory: what is zero is a constant that vanishes, and the limit of multipliers counts the others. */
static void
test_groups (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  g_autofree char *parameters = NULL, *readme = NULL;
  TestNetwork n;
  NnNode *node;
  guint id;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (5, 4, 3));
  node = network_add (&n, NN_OP_DEPTHWISE_CONV2D, "layer");
  node->attrs.kernel[0] = node->attrs.kernel[1] = 2;
  node->attrs.stride[0] = node->attrs.stride[1] = node->attrs.dilation[0] = node->attrs.dilation[1] = 1;
  node->attrs.padding = NN_PADDING_VALID;
  node->attrs.depth_multiplier = 1;
  id = network_weight (&n, "layer", "kernel", NN_ROLE_KERNEL, &NN_SHAPE (2, 2, 3, 1), 0.7);
  nn_graph_builder_weights (n.builder, node, &id, 1);
  for (guint i = 0; i < 7; i++)
    nn_tensor_f32 (n.weights[0].values)[i] = 0;
  model = network_end (&n);
  design = network_design (model, "{\"Backend\":\"Vitis\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}");
  project = hls_project_new (design, NULL, &error);
  g_assert_no_error (error);
  parameters = text_of (project, "firmware/parameters.h");
  readme = text_of (project, "README.md");
  g_assert_nonnull (strstr (parameters, "multiplier_limit = 5;"));
  g_assert_nonnull (strstr (readme, "3 groups of channels, all taps at once, 5 of 12 products are left"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pruned/dense", test_dense);
  g_test_add_func ("/pruned/conv", test_conv);
  g_test_add_func ("/pruned/groups", test_groups);
  return g_test_run ();
}
