/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is saved comes back with the same bits: graph, weights, masks and what goes with them. */

#include "nn-error.h"
#include "nn-h5.h"
#include "nn-json.h"
#include "nn-load.h"
#include "test-shared.h"

#include <glib/gstdio.h>
#include <string.h>

static NnModel *
round_trip (const NnModel *model,
            const char    *ending)
{
  g_autofree char *folder = test_folder (), *name = g_strdup_printf ("model%s", ending);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  NnModel *back;

  g_assert_true (nn_model_save (model, path, &error));
  g_assert_no_error (error);
  back = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return back;
}

static void
assert_same_weight (const NnWeight *a,
                    const NnWeight *b)
{
  g_assert_nonnull (b);
  g_assert_true (nn_shape_equal (&a->values->shape, &b->values->shape));
  g_assert_cmpmem (a->values->data, a->values->n * 4, b->values->data, b->values->n * 4);
  if (a->mask != NULL)
    {
      g_assert_nonnull (b->mask);
      g_assert_cmpmem (a->mask->data, a->mask->n, b->mask->data, b->mask->n);
    }
}

static void
assert_same (const NnModel *a,
             const NnModel *b)
{
  const NnGraph *x = nn_model_graph (a), *y = nn_model_graph (b);

  g_assert_cmpuint (nn_graph_n_nodes (x), ==, nn_graph_n_nodes (y));
  for (guint i = 0; i < nn_graph_n_nodes (x); i++)
    {
      const NnNode *n = nn_graph_node (x, i), *m;
      guint j;

      if (!nn_graph_find (y, n->name, &j))
        g_error ("layer %s is gone", n->name);
      m = nn_graph_node (y, j);
      g_assert_cmpint (n->op, ==, m->op);
      g_assert_cmpstr (n->class_name, ==, m->class_name);
      g_assert_true (nn_shape_equal (&n->shape, &m->shape));
      g_assert_cmpint (n->attrs.act, ==, m->attrs.act);
      g_assert_cmpuint (n->n_inputs, ==, m->n_inputs);
      for (guint k = 0; k < n->n_inputs; k++)
        g_assert_cmpstr (nn_graph_node (x, n->inputs[k])->name, ==, nn_graph_node (y, m->inputs[k])->name);
      g_assert_cmpuint (n->n_weights, ==, m->n_weights);
      for (guint k = 0; k < n->n_weights; k++)
        {
          const NnWeight *w = nn_model_weight (a, n->weights[k]), *v = nn_model_weight (b, m->weights[k]);

          g_assert_cmpstr (w->name, ==, v->name);
          g_assert_cmpint (w->role, ==, v->role);
          assert_same_weight (w, v);
        }
    }
}

static void
test_round_trip (gconstpointer data)
{
  g_autofree char *path = test_shared_path (data);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnModel) back = NULL;
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  back = round_trip (model, ".h5");
  assert_same (model, back);
}

/* Keras 3's own file: the same outputs and parameters, and the same file again. */
static void
test_keras3 (gconstpointer data)
{
  g_autofree char *path = test_shared_path (data), *folder = NULL, *files[2] = { NULL }, *bytes[2] = { NULL };
  g_autoptr (NnModel) model = NULL, back = NULL;
  g_autoptr (GError) error = NULL;
  const NnGraph *x, *y;
  gsize n[2];

  if (path == NULL)
    return;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  folder = test_folder ();
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u.keras", i);

      files[i] = g_build_filename (folder, name, NULL);
      g_assert_true (nn_model_save (i == 0 ? model : back, files[i], &error));
      g_assert_no_error (error);
      g_assert_true (g_file_get_contents (files[i], &bytes[i], &n[i], NULL));
      if (i == 0)
        back = nn_model_load (files[0], NULL, NULL, NULL, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpmem (bytes[0], n[0], bytes[1], n[1]);
  x = nn_model_graph (model);
  y = nn_model_graph (back);
  g_assert_cmpuint (nn_graph_n_nodes (x), ==, nn_graph_n_nodes (y));
  for (guint i = 0; i < nn_graph_n_nodes (x); i++)
    {
      const NnNode *a = nn_graph_node (x, i), *b;
      guint j;

      g_assert_true (nn_graph_find (y, a->name, &j));
      b = nn_graph_node (y, j);
      g_assert_cmpint (a->op, ==, b->op);
      for (NnRole role = 0; role < NN_N_ROLES; role++)
        if (role != NN_ROLE_OTHER && nn_model_node_weight (model, a, role) != NULL)
          assert_same_weight (nn_model_node_weight (model, a, role), nn_model_node_weight (back, b, role));
    }
  for (guint i = 0; i < 2; i++)
    {
      g_free (bytes[i]);
      g_unlink (files[i]);
      g_free (files[i]);
      bytes[i] = files[i] = NULL;
    }
  g_rmdir (folder);
}

/* What Keras's loaders ask of an HDF5 file. Source: Keras 2.13, saving/legacy/hdf5_format.py, load_weights_from_hdf5_group; Keras 3,
 * legacy/saving/legacy_h5_format.py: the same attributes, every layer with its weights by name, in the order of the layers. */
static void
test_attributes (void)
{
  g_autofree char *source = test_shared_path ("models/keras_h5/jets_tutorial_part1.kv211.h5"), *folder = NULL, *path = NULL, *text = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) config = NULL;
  g_autoptr (NnH5) h5 = NULL;
  g_auto (GStrv) layers = NULL;
  JsonArray *list;

  if (source == NULL)
    return;
  model = nn_model_load (source, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  folder = test_folder ();
  path = g_build_filename (folder, "model.h5", NULL);
  g_assert_true (nn_model_save (model, path, &error));
  h5 = nn_h5_open (path, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (nn_h5_has_attribute (h5, i == 0 ? "" : "model_weights", "keras_version"));
      g_assert_true (nn_h5_has_attribute (h5, i == 0 ? "" : "model_weights", "backend"));
    }
  text = nn_h5_string (h5, "", "model_config", &error);
  config = nn_json_parse (text, -1, "model_config", &error);
  g_assert_no_error (error);
  list = nn_json_array (nn_json_object (nn_json_as_object (config), "config"), "layers");
  layers = nn_h5_strings (h5, "model_weights", "layer_names", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (layers), ==, json_array_get_length (list));
  for (guint i = 0; layers[i] != NULL; i++)
    {
      g_autofree char *group = g_strdup_printf ("model_weights/%s", layers[i]);
      g_auto (GStrv) names = nn_h5_strings (h5, group, "weight_names", &error);
      JsonObject *layer = nn_json_as_object (json_array_get_element (list, i));

      g_assert_no_error (error);
      g_assert_cmpstr (nn_json_string (layer, "name"), ==, layers[i]);
      g_assert_cmpstr (nn_json_string (nn_json_object (layer, "config"), "name"), ==, layers[i]);
      g_assert_nonnull (nn_json_string (layer, "class_name"));
      g_assert_nonnull (nn_json_array (layer, "inbound_nodes"));
      for (guint k = 0; names[k] != NULL; k++)
        {
          g_autofree char *data = g_strdup_printf ("%s/%s", group, names[k]);

          g_assert_true (nn_h5_has (h5, data));
        }
    }
  g_unlink (path);
  g_rmdir (folder);
}

/* A mask, class names and standardisation survive; pruned weights are 0 in the file. */
static void
test_own (gconstpointer ending)
{
  static const char *const names[] = { "gluon", "quark", NULL };
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnTensor) kernel = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (3, 2));
  g_autoptr (NnTensor) mask = nn_tensor_new (NN_DTYPE_U8, &NN_SHAPE (3, 2));
  g_autoptr (NnTensor) mean = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (3));
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnModel) back = NULL;
  g_autoptr (GError) error = NULL;
  NnWeight weight = { "kernel", "fc", NN_ROLE_KERNEL, TRUE, kernel, mask };
  NnModelInfo info = { .name = "toy", .class_names = names, .input_mean = mean };
  const NnWeight *w;
  NnNode *node;

  for (guint i = 0; i < 6; i++)
    {
      nn_tensor_f32 (kernel)[i] = (float) i / 7;
      nn_tensor_u8 (mask)[i] = i != 4;
    }
  nn_tensor_f32 (mean)[1] = 0.25f;
  node = nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0);
  node->shape = NN_SHAPE (3);
  node = nn_graph_builder_add (builder, NN_OP_DENSE, "fc", NULL, (guint[]){ 0 }, 1);
  node->attrs.units = 2;
  node->attrs.act = NN_ACT_SOFTMAX;
  nn_graph_builder_weights (builder, node, (guint[]){ 0 }, 1);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, &weight, 1, &info, &error);
  g_assert_no_error (error);
  back = round_trip (model, ending);
  w = nn_model_weight (back, 0);
  g_assert_nonnull (w->mask);
  g_assert_cmpmem (w->mask->data, 6, mask->data, 6);
  g_assert_cmpfloat (nn_tensor_f32 (w->values)[4], ==, 0);
  g_assert_cmpfloat (nn_tensor_f32 (w->values)[5], ==, (float) 5 / 7);
  g_assert_cmpstr (nn_model_info (back)->class_names[1], ==, "quark");
  g_assert_cmpfloat (nn_tensor_f32 (nn_model_info (back)->input_mean)[1], ==, 0.25f);
  g_assert_null (nn_model_info (back)->input_deviation);
}

static void
test_failures (void)
{
  g_autofree char *path = test_shared_path ("models/keras_h5/keras_1layer.h5");
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (nn_model_save (model, "/nowhere/at/all.h5", &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_false (nn_model_save (model, "model.txt", &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
}

int
main (int    argc,
      char **argv)
{
  static const char *const models[] = {
    "models/keras_h5/jets_tutorial_part1.kv211.h5", "models/keras_h5/keras1_mnist.kv120.h5",
    "models/keras_h5/jets_pruned_wrapper.kv211.h5", "models/keras_h5/separable_conv.h5",
    "models/keras_h5/iris_mlp.kv310.h5",            "models/keras_h5/cifar_resnet_add_qkeras.h5",
    "models/mlperf_tiny/person_detection_nested.h5", "models/mlperf_tiny/pretrainedResnet.kv24.h5",
    "models/qkeras/jets_model3_qkeras.kv211.h5",    "models/custom/keras_bnn_full.h5",
    "models/json_weights/qkeras_mnist_cnn.json",      "models/hgq/jets_hgq1_proxy.keras",
    "models/hgq/jets_hgq1_model.keras",             "models/rnn/jets_lstm3.kv25.h5",
    "models/attention/btag_mha.h5",
  };

  static const char *const keras3[] = {
    "models/keras_h5/separable_conv.h5",      "models/hgq/jets_hgq2_303ebops.keras",   "models/qkeras/mnist_cnn_qkeras_6bit.keras",
    "models/rnn/jets_lstm3.kv25.h5",          "models/attention/btag_mha.h5",          "models/qkeras/qkeras-v3_3layer.keras",
    "models/keras3_zip/toptag_gru.keras",     "models/mlperf_tiny/pretrainedResnet.kv24.h5",
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      g_autofree char *name = g_strdup_printf ("/save/keras/%s", strrchr (models[i], '/') + 1);

      g_test_add_data_func (name, models[i], test_round_trip);
    }
  for (guint i = 0; i < G_N_ELEMENTS (keras3); i++)
    {
      g_autofree char *name = g_strdup_printf ("/save/keras3/%s", strrchr (keras3[i], '/') + 1);

      g_test_add_data_func (name, keras3[i], test_keras3);
    }
  g_test_add_func ("/save/keras/attributes", test_attributes);
  g_test_add_data_func ("/save/keras/own", ".h5", test_own);
  g_test_add_data_func ("/save/keras3/own", ".keras", test_own);
  g_test_add_func ("/save/failures", test_failures);
  return g_test_run ();
}
