/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Keras 3's own loader asks of a .keras file: every class is found, every member of a configuration is an argument of its
 * constructor, and every layer's variables are where they are looked for. Sources: Keras 3, saving/saving_lib.py, _load_state,
 * H5Entry; saving/serialization_lib.py, deserialize_keras_object; the constructors of layers/. */

#include "nn-h5.h"
#include "nn-json.h"
#include "nn-load.h"
#include "nn-zip.h"
#include "test-shared.h"

#include <glib/gstdio.h>
#include <string.h>

#define KERNEL "kernel_initializer kernel_regularizer kernel_constraint "
#define BIAS "use_bias bias_initializer bias_regularizer bias_constraint activity_regularizer activation "
#define WINDOW "kernel_size strides padding data_format dilation_rate "
#define DEPTHWISE "depthwise_initializer depthwise_regularizer depthwise_constraint depth_multiplier "
#define POINTWISE "pointwise_initializer pointwise_regularizer pointwise_constraint "
#define RECURRENT                                                                                                                     \
  "units recurrent_initializer recurrent_regularizer recurrent_constraint dropout recurrent_dropout seed return_sequences return_state " \
  "go_backwards stateful unroll zero_output_for_mask "
#define POOL "pool_size strides padding data_format "

/* The constructors' arguments beside name, trainable and dtype. */
static const struct {
  const char *class_name, *arguments;
} constructors[] = {
  { "InputLayer", "shape batch_size sparse batch_shape " },
  { "Dense", "units " KERNEL BIAS },
  { "Conv1D", "filters groups " WINDOW KERNEL BIAS },
  { "Conv2D", "filters groups " WINDOW KERNEL BIAS },
  { "Conv1DTranspose", "filters " WINDOW KERNEL BIAS },
  { "Conv2DTranspose", "filters " WINDOW KERNEL BIAS },
  { "DepthwiseConv1D", WINDOW DEPTHWISE BIAS },
  { "DepthwiseConv2D", WINDOW DEPTHWISE BIAS },
  { "SeparableConv1D", "filters " WINDOW DEPTHWISE POINTWISE BIAS },
  { "SeparableConv2D", "filters " WINDOW DEPTHWISE POINTWISE BIAS },
  { "BatchNormalization", "axis momentum epsilon center scale beta_initializer gamma_initializer moving_mean_initializer moving_variance_initializer "
                          "beta_regularizer gamma_regularizer beta_constraint gamma_constraint " },
  { "MaxPooling1D", POOL },
  { "MaxPooling2D", POOL },
  { "AveragePooling1D", POOL },
  { "AveragePooling2D", POOL },
  { "GlobalAveragePooling1D", "data_format keepdims " },
  { "GlobalAveragePooling2D", "data_format keepdims " },
  { "GlobalMaxPooling1D", "data_format keepdims " },
  { "GlobalMaxPooling2D", "data_format keepdims " },
  { "Activation", "activation activity_regularizer " },
  { "ReLU", "max_value negative_slope threshold " },
  { "LeakyReLU", "negative_slope alpha " },
  { "ELU", "alpha " },
  { "Softmax", "axis " },
  { "Dropout", "rate noise_shape seed " },
  { "GaussianNoise", "stddev seed " },
  { "Flatten", "data_format " },
  { "Reshape", "target_shape " },
  { "Permute", "dims " },
  { "UpSampling2D", "size data_format interpolation " },
  { "ZeroPadding1D", "padding " },
  { "ZeroPadding2D", "padding data_format " },
  { "Cropping2D", "cropping data_format " },
  { "Add", "" },
  { "Subtract", "" },
  { "Multiply", "" },
  { "Average", "" },
  { "Concatenate", "axis " },
  { "LSTM", "recurrent_activation unit_forget_bias " RECURRENT KERNEL BIAS },
  { "GRU", "recurrent_activation reset_after " RECURRENT KERNEL BIAS },
  { "SimpleRNN", RECURRENT KERNEL BIAS },
  { "Bidirectional", "layer merge_mode weights backward_layer " },
  { "TimeDistributed", "layer " },
  { "MultiHeadAttention", "num_heads key_dim value_dim dropout output_shape attention_axes flash_attention seed " KERNEL BIAS },
  { "EinsumDense", "equation output_shape bias_axes " KERNEL BIAS },
  { "Embedding", "input_dim output_dim embeddings_initializer embeddings_regularizer embeddings_constraint activity_regularizer mask_zero input_length " },
};

static const char *
arguments_of (const char *class_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (constructors); i++)
    if (g_str_equal (constructors[i].class_name, class_name))
      return constructors[i].arguments;
  g_error ("no constructor is noted of %s", class_name);
}

/* A class of Keras's, which is looked for in its module. */
static void
check_layer (JsonObject *layer)
{
  const char *class_name = nn_json_string (layer, "class_name");
  JsonObject *config = nn_json_object (layer, "config");
  g_auto (GStrv) arguments = g_strsplit (arguments_of (class_name), " ", -1);
  static const char *const common[] = { "name", "trainable", "dtype", NULL };
  g_autoptr (GList) members = json_object_get_members (config);
  gint64 axis;

  g_assert_cmpstr (nn_json_string (layer, "module"), ==, "keras.layers");
  for (GList *l = members; l != NULL; l = l->next)
    if (!g_strv_contains (common, l->data) && !g_strv_contains ((const char *const *) arguments, l->data))
      g_error ("%s takes no \"%s\"", class_name, (const char *) l->data);
  if (g_str_equal (class_name, "BatchNormalization"))
    g_assert_true (nn_json_as_int (nn_json_get (config, "axis"), &axis));
  if (nn_json_object (config, "layer") != NULL)
    check_layer (nn_json_object (config, "layer"));
}

static void
check_config (GBytes *config)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = nn_json_parse (g_bytes_get_data (config, NULL), (gssize) g_bytes_get_size (config), "config.json", &error);
  JsonArray *layers;

  g_assert_no_error (error);
  layers = nn_json_array (nn_json_object (nn_json_as_object (root), "config"), "layers");
  for (guint i = 0; i < json_array_get_length (layers); i++)
    {
      JsonObject *layer = json_array_get_object_element (layers, i);

      if (nn_json_string (layer, "registered_name") == NULL)
        check_layer (layer);
      else
        g_assert_cmpstr (nn_json_string (layer, "module"), ==, "qkeras");
    }
}

/* "vars" stands at the root and in every layer's group, else Keras 3 looks in vain. */
static void
check_weights (GBytes     *zip,
               const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "weights.h5", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = nn_zip_member (zip, "model.weights.h5", G_MAXUINT32, path, &error);
  g_autoptr (NnH5) h5 = NULL;
  g_auto (GStrv) children = NULL;

  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (path, g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes), NULL));
  h5 = nn_h5_open (path, &error);
  g_assert_no_error (error);
  g_assert_true (nn_h5_is_group (h5, "vars"));
  children = nn_h5_children (h5, "layers", &error);
  g_assert_no_error (error);
  for (guint i = 0; children[i] != NULL; i++)
    {
      g_autofree char *vars = g_strdup_printf ("layers/%s/vars", children[i]);

      g_assert_true (nn_h5_is_group (h5, vars));
    }
  g_unlink (path);
}

static void
test_loader (gconstpointer data)
{
  g_autofree char *path = test_shared_path (data), *folder = NULL, *saved = NULL, *text = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GBytes) zip = NULL, config = NULL;
  g_autoptr (GError) error = NULL;
  gsize n;

  if (path == NULL)
    return;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  folder = test_folder ();
  saved = g_build_filename (folder, "model.keras", NULL);
  g_assert_true (nn_model_save (model, saved, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (saved, &text, &n, NULL));
  zip = g_bytes_new (text, n);
  config = nn_zip_member (zip, "config.json", G_MAXUINT32, saved, &error);
  g_assert_no_error (error);
  check_config (config);
  check_weights (zip, folder);
  g_unlink (saved);
  g_rmdir (folder);
}

int
main (int    argc,
      char **argv)
{
  static const char *const models[] = {
    "models/keras_h5/separable_conv.h5",           "models/mlperf_tiny/person_detection_nested.h5", "models/mlperf_tiny/pretrainedResnet.kv24.h5",
    "models/attention/btag_mha.h5",                "models/rnn/jets_lstm3.kv25.h5",                 "models/rnn/keras_gru.kv213.h5",
    "models/rnn/jets_cnn_lstm.kv25.h5",            "models/rnn/toptag_lstm.kv24.h5",                "models/keras_h5/deconv_conv1d_pool.h5",
    "models/keras_h5/jets_tutorial_part1.kv24.h5", "models/keras_h5/jets_cnn1d.kv25.h5",            "models/keras_h5/svhn_pruned_cnn.kv214.h5",
    "models/keras_h5/toyadmos_ad03.h5",            "models/keras_h5/cifar_resnet_add_qkeras.h5",    "models/qkeras/jets_model3_qkeras.kv211.h5",
    "models/qkeras/qkeras-v3_3layer.keras",        "models/keras3_zip/toptag_gru.keras",            "models/keras_h5/rheed_gap_qkeras_named.kv212.h5",
    "models/micro/leaky_relu.h5",                  "models/micro/thresholded_relu.h5",              "models/onnx/torch_mlpbn.onnx",
    "models/onnx/torch_res.onnx",
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      g_autofree char *name = g_strdup_printf ("/save/keras3/loader/%s", strrchr (models[i], '/') + 1);

      g_test_add_data_func (name, models[i], test_loader);
    }
  return g_test_run ();
}
