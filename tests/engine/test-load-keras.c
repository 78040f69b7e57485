/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras networks from files: graph, shapes, roles; and files that are no networks. */

#include "nn-error.h"
#include "nn-load.h"
#include "nn-text.h"
#include "test-shared.h"

#include <glib/gstdio.h>
#include <string.h>

static NnModel *
load (const char *relative)
{
  g_autofree char *path = test_shared_path (relative);
  g_autoptr (GError) error = NULL;
  NnModel *model;

  if (path == NULL)
    return NULL;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return model;
}

static const NnNode *
find (NnModel    *model,
      const char *name)
{
  guint i;

  g_assert_true (nn_graph_find (nn_model_graph (model), name, &i));
  return nn_graph_node (nn_model_graph (model), i);
}

static void
assert_shape (const NnShape *shape,
              const char    *expected)
{
  g_autofree char *text = nn_shape_to_string (shape);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_sequential (void)
{
  g_autoptr (NnModel) model = load ("models/keras_h5/jets_tutorial_part1.kv211.h5");
  const NnNode *fc1;
  const NnWeight *kernel;

  if (model == NULL)
    return;
  g_assert_cmpstr (nn_model_info (model)->format, ==, "Keras 2.11 HDF5");
  g_assert_cmpuint (nn_graph_n_nodes (nn_model_graph (model)), ==, 9);
  g_assert_cmpint (nn_graph_node (nn_model_graph (model), 0)->op, ==, NN_OP_INPUT);
  fc1 = find (model, "fc1");
  g_assert_cmpint (fc1->op, ==, NN_OP_DENSE);
  g_assert_cmpint (fc1->attrs.units, ==, 64);
  assert_shape (&fc1->shape, "64");
  kernel = nn_model_node_weight (model, fc1, NN_ROLE_KERNEL);
  g_assert_cmpstr (kernel->name, ==, "kernel");
  g_assert_cmpstr (kernel->layer, ==, "fc1");
  assert_shape (&kernel->values->shape, "16 × 64");
  g_assert_cmpint (find (model, "relu1")->attrs.act, ==, NN_ACT_RELU);
  g_assert_cmpint (find (model, "softmax")->attrs.act, ==, NN_ACT_SOFTMAX);
}

static void
test_wrapper (void)
{
  g_autoptr (NnModel) model = load ("models/keras_h5/jets_pruned_wrapper.kv211.h5");
  const NnNode *fc1;
  const NnWeight *kernel;

  if (model == NULL)
    return;
  fc1 = find (model, "prune_low_magnitude_fc1");
  g_assert_cmpint (fc1->op, ==, NN_OP_DENSE);
  g_assert_cmpstr (fc1->class_name, ==, "Dense");
  g_assert_cmpuint (nn_model_parameters (model, fc1), ==, 16 * 64 + 64);
  kernel = nn_model_node_weight (model, fc1, NN_ROLE_KERNEL);
  g_assert_nonnull (kernel->mask);
  for (gsize i = 0; i < kernel->mask->n; i++)
    if (nn_tensor_u8 (kernel->mask)[i] == 0)
      g_assert_cmpfloat (nn_tensor_f32 (kernel->values)[i], ==, 0);
}

static void
test_nested (void)
{
  g_autoptr (NnModel) model = load ("models/mlperf_tiny/person_detection_nested.h5");

  if (model == NULL)
    return;
  assert_shape (&find (model, "mobilenet_0.25_96__conv1")->shape, "48 × 48 × 8");
  assert_shape (&find (model, "mobilenet_0.25_96__reshape_2")->shape, "2");
  g_assert_cmpfloat (find (model, "mobilenet_0.25_96__conv1_relu")->attrs.max_value, ==, 6);
  g_assert_cmpint (find (model, "mobilenet_0.25_96__conv_dw_1")->op, ==, NN_OP_DEPTHWISE_CONV2D);
}

static void
test_keras1 (void)
{
  g_autoptr (NnModel) model = load ("models/keras_h5/keras1_mnist.kv120.h5");

  if (model == NULL)
    return;
  g_assert_cmpuint (nn_model_parameters (model, find (model, "dense_1")), ==, 784 * 500 + 500);
  g_assert_nonnull (nn_model_node_weight (model, find (model, "dense_1"), NN_ROLE_BIAS));
}

static void
test_json (void)
{
  g_autoptr (NnModel) model = load ("models/json_weights/KERAS_3layer.json");
  g_autofree char *json = NULL, *weights = NULL;
  g_autoptr (NnModel) pruned = NULL;
  g_autoptr (GError) error = NULL;
  NnLoadOptions options;

  if (model == NULL)
    return;
  g_assert_cmpstr (nn_model_info (model)->format, ==, "Keras 2.0 JSON + HDF5");
  json = test_shared_path ("models/json_weights/KERAS_3layer.json");
  weights = test_shared_path ("models/json_weights/KERAS_3layer_70pruned_retrained_weights.h5");
  nn_load_options_init (&options);
  options.weights_path = weights;
  pruned = nn_model_load (json, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_model_zeros (model, find (model, "fc2_relu")), <, 10);
  g_assert_cmpuint (nn_model_zeros (pruned, find (pruned, "fc2_relu")), >, 1000);
}

static void
test_quantisers (void)
{
  g_autoptr (NnModel) model = load ("models/qkeras/jets_model3_qkeras.kv211.h5");
  const NnQuantizer *q;
  g_autofree char *type = NULL;

  if (model == NULL)
    return;
  q = find (model, "fc1")->attrs.role_quantizer[NN_ROLE_KERNEL];
  g_assert_nonnull (q);
  g_assert_cmpint (q->kind, ==, NN_QUANT_FIXED);
  g_assert_cmpint (q->type.width, ==, 6);
  g_assert_cmpint (q->type.integer, ==, 1);
  q = find (model, "relu1")->attrs.quantizer;
  g_assert_nonnull (q);
  g_assert_cmpint (q->kind, ==, NN_QUANT_RELU);
  g_assert_false (q->type.is_signed);
  g_assert_cmpint (q->type.width, ==, 6);
}

/* A file whose text or bytes are no network: the error names the file and does not crash. */
static void
assert_refused (const char *name,
                const void *bytes,
                gsize       n,
                int         code,
                const char *pattern)
{
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;

  g_assert_true (g_file_set_contents (path, bytes, n, NULL));
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_null (model);
  g_assert_nonnull (error);
  if (code >= 0)
    g_assert_error (error, NN_ERROR, code);
  g_assert_nonnull (strstr (error->message, name));
  if (pattern != NULL)
    g_assert_true (g_pattern_match_simple (pattern, error->message));
  remove (path);
  g_rmdir (folder);
}

static void
test_refused (void)
{
  g_autoptr (GString) deep = g_string_new ("{\"class_name\":");

  for (guint i = 0; i < 100000; i++)
    g_string_append_c (deep, '[');
  assert_refused ("empty.h5", "", 0, NN_ERROR_FORMAT, "*empty*");
  assert_refused ("text.h5", "hello world", 11, NN_ERROR_FORMAT, "*no known network format*");
  assert_refused ("pointer.h5", "version https://git-lfs.github.com/spec/v1\noid", 46, NN_ERROR_UNSUPPORTED, "*git lfs pull*");
  assert_refused ("page.onnx", "<!DOCTYPE html><html>404", 24, NN_ERROR_UNSUPPORTED, "*web page*");
  assert_refused ("cut.h5", "\211HDF\r\n\032\n", 8, NN_ERROR_FORMAT, "*damaged or incomplete*");
  assert_refused ("deep.json", deep->str, deep->len, NN_ERROR_FORMAT, "*nested deeper*");
  assert_refused ("list.json", "{\"a\": [1,2]}", 12, NN_ERROR_FORMAT, "*no Keras architecture*");
  assert_refused ("cut.json", "{\"class_name\": \"Sequ", 20, NN_ERROR_FORMAT, "*not valid JSON*");
  assert_refused ("alone.json", "{\"class_name\": \"Sequential\", \"config\": []}", 42, -1, "*alone_weights.h5*");
}

/* Every prefix of a real file is refused in words. */
static void
test_truncated (void)
{
  g_autofree char *path = test_shared_path ("models/keras_h5/keras_3layer.h5"), *bytes = NULL;
  gsize n;

  if (path == NULL)
    return;
  g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  for (gsize cut = 8; cut + 1 < n; cut += 997)
    assert_refused ("cut.h5", bytes, cut, NN_ERROR_FORMAT, NULL);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/keras/sequential", test_sequential);
  g_test_add_func ("/load/keras/wrapper", test_wrapper);
  g_test_add_func ("/load/keras/nested", test_nested);
  g_test_add_func ("/load/keras/keras1", test_keras1);
  g_test_add_func ("/load/keras/json", test_json);
  g_test_add_func ("/load/keras/quantisers", test_quantisers);
  g_test_add_func ("/load/refused", test_refused);
  g_test_add_func ("/load/truncated", test_truncated);
  return g_test_run ();
}
