/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of Keras layers: configuration to attributes, variables to roles, by one reader each. */

#include "nn-keras.h"

#include "nn-error.h"

#include <string.h>

gboolean
nn_keras_unsupported (NnKerasLayer  *layer,
                      GError       **error,
                      const char    *format,
                      ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s): %s", layer->name, layer->class_name, text);
  return FALSE;
}

gboolean
nn_keras_bad (NnKerasLayer  *layer,
              GError       **error,
              const char    *format,
              ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: layer \"%s\" (%s): %s", layer->keras->file, layer->name,
               layer->class_name, text);
  return FALSE;
}

/* A positive count, under its name in Keras 2 or in Keras 1. */
gboolean
nn_keras_get_count (NnKerasLayer  *layer,
                    const char    *name,
                    const char    *old_name,
                    gint64        *value,
                    GError       **error)
{
  if (!nn_json_int (layer->config, name, value) && (old_name == NULL || !nn_json_int (layer->config, old_name, value)))
    return nn_keras_bad (layer, error, "\"%s\" is missing or not a whole number", name);
  if (*value < 1 || *value > G_MAXINT32)
    return nn_keras_bad (layer, error, "\"%s\" is %" G_GINT64_FORMAT "; a positive number is expected", name, *value);
  return TRUE;
}

/**
 * nn_keras_get_ints:
 *
 * Reads one number or a list of @n.
 *
 * Returns: %FALSE where it is neither, or a number is negative or absurd
 */
gboolean
nn_keras_get_ints (JsonObject *config,
                   const char *name,
                   guint       n,
                   gint64      fallback,
                   gint64     *values)
{
  JsonNode *node = nn_json_get (config, name);
  JsonArray *array = nn_json_as_array (node);
  gint64 one = fallback;

  for (guint i = 0; i < n; i++)
    values[i] = fallback;
  if (node == NULL)
    return TRUE;
  if (array == NULL)
    {
      if (!nn_json_as_int (node, &one) || one < 0 || one > G_MAXINT32)
        return FALSE;
      for (guint i = 0; i < n; i++)
        values[i] = one;
      return TRUE;
    }
  if (json_array_get_length (array) != n)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!nn_json_as_int (json_array_get_element (array, i), &values[i]) || values[i] < 0 || values[i] > G_MAXINT32)
      return FALSE;
  return TRUE;
}

gboolean
nn_keras_channels_last (NnKerasLayer  *layer,
                        GError       **error)
{
  const char *format = nn_json_string (layer->config, "data_format"), *ordering = nn_json_string (layer->config, "dim_ordering");

  /* nn_keras_turn() has brought to channels last what it can */
  if (format != NULL && g_str_equal (format, "channels_first"))
    return nn_keras_unsupported (layer, error, "data_format \"channels_first\" with a softmax, or at every step, is not supported; \"channels_last\" is");
  if (ordering != NULL && g_str_equal (ordering, "th"))
    return nn_keras_unsupported (layer, error, "dim_ordering \"th\", Theano's, is not supported; \"tf\" is");
  return TRUE;
}

static gboolean
read_hgq1_plain (NnKerasLayer  *layer,
                 GError       **error)
{
  return nn_keras_finish_hgq1 (layer, error);
}

static gboolean
read_hgq1_activation (NnKerasLayer  *layer,
                      GError       **error)
{
  return nn_keras_read_activation_layer (layer, error) && nn_keras_finish_hgq1 (layer, error);
}

static gboolean
read_hgq1_dense (NnKerasLayer  *layer,
                 GError       **error)
{
  return nn_keras_read_dense (layer, error) && nn_keras_finish_hgq1 (layer, error);
}

static gboolean
read_hgq1_conv (NnKerasLayer  *layer,
                GError       **error)
{
  return nn_keras_read_conv (layer, error) && nn_keras_finish_hgq1 (layer, error);
}

static gboolean
read_hgq2_dense (NnKerasLayer  *layer,
                 GError       **error)
{
  return nn_keras_read_dense (layer, error) && nn_keras_finish_hgq2 (layer, error);
}

static gboolean
read_hgq2_conv (NnKerasLayer  *layer,
                GError       **error)
{
  return nn_keras_read_conv (layer, error) && nn_keras_finish_hgq2 (layer, error);
}

static gboolean
read_hgq2_einsum (NnKerasLayer  *layer,
                  GError       **error)
{
  return nn_keras_read_einsum_dense (layer, error) && nn_keras_finish_hgq2 (layer, error);
}

static gboolean
read_lambda (NnKerasLayer  *layer,
             GError       **error)
{
  return nn_keras_unsupported (layer, error, "a Lambda layer holds Python code, which is not run");
}

/* In alphabetical order of the names without Q. */
static const struct {
  const char   *class_name;
  NnOp          op; /* NN_OP_UNSUPPORTED: the reader adds its nodes itself */
  NnKerasReader reader;
} readers[] = {
  { "Activation", NN_OP_ACTIVATION, nn_keras_read_activation_layer },
  { "ActivityRegularization", NN_OP_DROPOUT, NULL },
  { "Add", NN_OP_ADD, nn_keras_read_merge },
  { "AlphaDropout", NN_OP_DROPOUT, nn_keras_read_dropout },
  { "Average", NN_OP_AVERAGE, nn_keras_read_merge },
  { "AveragePooling1D", NN_OP_AVG_POOL1D, nn_keras_read_pool },
  { "AveragePooling2D", NN_OP_AVG_POOL2D, nn_keras_read_pool },
  { "BatchNormalization", NN_OP_BATCH_NORM, nn_keras_read_batch_norm },
  { "BatchNormalizationV1", NN_OP_BATCH_NORM, nn_keras_read_batch_norm },
  { "Bidirectional", NN_OP_UNSUPPORTED, nn_keras_read_bidirectional },
  { "BinaryDense", NN_OP_DENSE, nn_keras_read_binary_dense },
  { "Concatenate", NN_OP_CONCATENATE, nn_keras_read_concatenate },
  { "Conv1D", NN_OP_CONV1D, nn_keras_read_conv },
  { "Conv1DTranspose", NN_OP_CONV1D_TRANSPOSE, nn_keras_read_conv },
  { "Conv2D", NN_OP_CONV2D, nn_keras_read_conv },
  { "Conv2DBatchnorm", NN_OP_CONV2D, nn_keras_read_conv },
  { "Conv2DTranspose", NN_OP_CONV2D_TRANSPOSE, nn_keras_read_conv },
  { "Convolution1D", NN_OP_CONV1D, nn_keras_read_conv },
  { "Convolution2D", NN_OP_CONV2D, nn_keras_read_conv },
  { "Cropping1D", NN_OP_CROP, nn_keras_read_edges },
  { "Cropping2D", NN_OP_CROP, nn_keras_read_edges },
  { "Dense", NN_OP_DENSE, nn_keras_read_dense },
  { "DenseBatchnorm", NN_OP_DENSE, nn_keras_read_dense },
  { "DepthwiseConv1D", NN_OP_DEPTHWISE_CONV1D, nn_keras_read_depthwise },
  { "DepthwiseConv2D", NN_OP_DEPTHWISE_CONV2D, nn_keras_read_depthwise },
  { "DepthwiseConv2DBatchnorm", NN_OP_DEPTHWISE_CONV2D, nn_keras_read_depthwise },
  { "Dot", NN_OP_DOT, nn_keras_read_dot },
  { "Dropout", NN_OP_DROPOUT, nn_keras_read_dropout },
  { "DropoutNoScaleForBinary", NN_OP_DROPOUT, nn_keras_read_dropout },
  { "ELU", NN_OP_ACTIVATION, nn_keras_read_elu },
  { "EinsumDense", NN_OP_EINSUM_DENSE, nn_keras_read_einsum_dense },
  { "Embedding", NN_OP_EMBEDDING, nn_keras_read_embedding },
  { "FixedPointQuantizer", NN_OP_QUANTIZE, nn_keras_read_fixed_point },
  { "Flatten", NN_OP_FLATTEN, nn_keras_read_flatten },
  { "GRU", NN_OP_GRU, nn_keras_read_recurrent },
  { "GarNet", NN_OP_GARNET, nn_keras_read_garnet },
  { "GarNetStack", NN_OP_UNSUPPORTED, nn_keras_read_garnet_stack },
  { "GaussianDropout", NN_OP_DROPOUT, nn_keras_read_dropout },
  { "GaussianNoise", NN_OP_DROPOUT, NULL },
  { "GlobalAveragePooling1D", NN_OP_GLOBAL_AVG_POOL, nn_keras_read_global_pool },
  { "GlobalAveragePooling2D", NN_OP_GLOBAL_AVG_POOL, nn_keras_read_global_pool },
  { "GlobalMaxPooling1D", NN_OP_GLOBAL_MAX_POOL, nn_keras_read_global_pool },
  { "GlobalMaxPooling2D", NN_OP_GLOBAL_MAX_POOL, nn_keras_read_global_pool },
  { "GroupNormalization", NN_OP_UNSUPPORTED, nn_keras_read_group_norm },
  { "HActivation", NN_OP_ACTIVATION, read_hgq1_activation },
  { "HAdd", NN_OP_ADD, read_hgq1_plain },
  { "HConv1D", NN_OP_CONV1D, read_hgq1_conv },
  { "HConv2D", NN_OP_CONV2D, read_hgq1_conv },
  { "HDense", NN_OP_DENSE, read_hgq1_dense },
  { "HQuantize", NN_OP_QUANTIZE, read_hgq1_plain },
  { "Identity", NN_OP_DROPOUT, NULL },
  { "KReverse", NN_OP_REVERSE, nn_keras_read_reverse },
  { "LSTM", NN_OP_LSTM, nn_keras_read_recurrent },
  { "Lambda", NN_OP_ACTIVATION, read_lambda },
  { "LayerNormalization", NN_OP_UNSUPPORTED, nn_keras_read_layer_norm },
  { "LeakyReLU", NN_OP_ACTIVATION, nn_keras_read_leaky_relu },
  { "Masking", NN_OP_DROPOUT, nn_keras_read_masking },
  { "MaxPooling1D", NN_OP_MAX_POOL1D, nn_keras_read_pool },
  { "MaxPooling2D", NN_OP_MAX_POOL2D, nn_keras_read_pool },
  { "Maximum", NN_OP_MAXIMUM, nn_keras_read_merge },
  { "Minimum", NN_OP_MINIMUM, nn_keras_read_merge },
  { "MultiHeadAttention", NN_OP_MULTI_HEAD_ATTENTION, nn_keras_read_attention },
  { "Multiply", NN_OP_MULTIPLY, nn_keras_read_merge },
  { "Normalization", NN_OP_BATCH_NORM, nn_keras_read_normalization },
  { "PConcatenate", NN_OP_CONCATENATE, nn_keras_read_concatenate },
  { "PDropout", NN_OP_DROPOUT, nn_keras_read_dropout },
  { "PFlatten", NN_OP_FLATTEN, nn_keras_read_flatten },
  { "PMaxPooling1D", NN_OP_MAX_POOL1D, nn_keras_read_pool },
  { "PMaxPooling2D", NN_OP_MAX_POOL2D, nn_keras_read_pool },
  { "PPermute", NN_OP_PERMUTE, nn_keras_read_permute },
  { "PReLU", NN_OP_PRELU, nn_keras_read_prelu },
  { "PReshape", NN_OP_RESHAPE, nn_keras_read_reshape },
  { "Permute", NN_OP_PERMUTE, nn_keras_read_permute },
  { "RNN", NN_OP_UNSUPPORTED, nn_keras_read_rnn },
  { "RandomBrightness", NN_OP_DROPOUT, NULL },
  { "RandomContrast", NN_OP_DROPOUT, NULL },
  { "RandomFlip", NN_OP_DROPOUT, NULL },
  { "RandomRotation", NN_OP_DROPOUT, NULL },
  { "RandomTranslation", NN_OP_DROPOUT, NULL },
  { "RandomZoom", NN_OP_DROPOUT, NULL },
  { "ReLU", NN_OP_ACTIVATION, nn_keras_read_relu },
  { "RepeatVector", NN_OP_REPEAT_VECTOR, nn_keras_read_repeat },
  { "Rescaling", NN_OP_SCALE, nn_keras_read_rescaling },
  { "Reshape", NN_OP_RESHAPE, nn_keras_read_reshape },
  { "SeparableConv1D", NN_OP_SEPARABLE_CONV1D, nn_keras_read_separable },
  { "SeparableConv2D", NN_OP_SEPARABLE_CONV2D, nn_keras_read_separable },
  { "SimpleRNN", NN_OP_SIMPLE_RNN, nn_keras_read_recurrent },
  { "Softmax", NN_OP_ACTIVATION, nn_keras_read_softmax },
  { "SlicingOpLambda", NN_OP_UNSUPPORTED, nn_keras_read_tf_op },
  { "SpatialDropout1D", NN_OP_DROPOUT, nn_keras_read_dropout },
  { "SpatialDropout2D", NN_OP_DROPOUT, nn_keras_read_dropout },
  { "Subtract", NN_OP_SUBTRACT, nn_keras_read_merge },
  { "TFOpLambda", NN_OP_UNSUPPORTED, nn_keras_read_tf_op },
  { "TernaryDense", NN_OP_DENSE, nn_keras_read_binary_dense },
  { "ThresholdedReLU", NN_OP_ACTIVATION, nn_keras_read_thresholded_relu },
  { "UpSampling1D", NN_OP_UPSAMPLE, nn_keras_read_upsample },
  { "UpSampling2D", NN_OP_UPSAMPLE, nn_keras_read_upsample },
  { "ZeroPadding1D", NN_OP_ZERO_PAD, nn_keras_read_edges },
  { "ZeroPadding2D", NN_OP_ZERO_PAD, nn_keras_read_edges },
};

/* QKeras's classes are Keras's with a Q before and quantisers in their configuration. */
static const char *const qkeras_names[] = {
  "QActivation", "QBatchNormalization", "QConv1D", "QConv2D", "QConv2DBatchnorm", "QConv2DTranspose", "QDense",
  "QDenseBatchnorm", "QDepthwiseConv2D", "QDepthwiseConv2DBatchnorm", "QGRU", "QLSTM", "QMultiHeadAttention",
  "QSeparableConv1D", "QSeparableConv2D", "QSimpleRNN",
};

static gboolean
is_qkeras (const char *class_name)
{

  for (guint i = 0; i < G_N_ELEMENTS (qkeras_names); i++)
    if (g_str_equal (qkeras_names[i], class_name))
      return TRUE;
  return FALSE;
}

/* HGQ 2's classes bear the names of QKeras's. */
static const struct {
  const char   *class_name;
  NnOp          op;
  NnKerasReader reader;
} hgq2_readers[] = {
  { "QActivation", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QAdd", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QAveragePooling1D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QAveragePooling2D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QAveragePow2", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QBatchNormDense", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_batch_norm_dense },
  { "QBatchNormalization", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_batch_norm },
  { "QConcatenate", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QConv1D", NN_OP_CONV1D, read_hgq2_conv },
  { "QConv2D", NN_OP_CONV2D, read_hgq2_conv },
  { "QDense", NN_OP_DENSE, read_hgq2_dense },
  { "QDot", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QEinsum", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_einsum },
  { "QEinsumDense", NN_OP_EINSUM_DENSE, read_hgq2_einsum },
  { "QEinsumDenseBatchnorm", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_einsum_batch_norm },
  { "QGRU", NN_OP_GRU, nn_keras_read_hgq2_recurrent },
  { "QGlobalAveragePooling1D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QGlobalAveragePooling2D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QGlobalMaxPooling1D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QGlobalMaxPooling2D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QLinformerAttention", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_attention },
  { "QMatmul", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QMaxPooling1D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QMaxPooling2D", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "QMaximum", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QMeanPow2", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_sum },
  { "QMinimum", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QMultiHeadAttention", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_attention },
  { "QMultiply", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QSimpleRNN", NN_OP_SIMPLE_RNN, nn_keras_read_hgq2_recurrent },
  { "QSoftmax", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_softmax },
  { "QSubtract", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_merge },
  { "QSum", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_sum },
  { "QUnaryFunctionLUT", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_single },
  { "Quantizer", NN_OP_UNSUPPORTED, nn_keras_read_hgq2_quantizer },
};

gboolean
nn_keras_find_reader (const char    *class_name,
                      gboolean       hgq2,
                      NnOp          *op,
                      NnKerasReader *reader)
{
  for (guint i = 0; hgq2 && i < G_N_ELEMENTS (hgq2_readers); i++)
    if (g_str_equal (hgq2_readers[i].class_name, class_name))
      {
        *op = hgq2_readers[i].op;
        *reader = hgq2_readers[i].reader;
        return TRUE;
      }
  if (hgq2 && class_name[0] == 'Q')
    return FALSE;
  if (g_str_equal (class_name, "QAveragePooling2D") || g_str_equal (class_name, "QGlobalAveragePooling2D"))
    {
      *op = NN_OP_UNSUPPORTED;
      *reader = nn_keras_read_quantized_pool;
      return TRUE;
    }
  if (is_qkeras (class_name))
    class_name++;
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    if (g_str_equal (readers[i].class_name, class_name))
      {
        *op = readers[i].op;
        *reader = readers[i].reader;
        return TRUE;
      }
  return FALSE;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Every class that has a reader, for the page of supported layers. (transfer full) */
char **
nn_keras_class_names (void)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    if (!g_str_equal (readers[i].class_name, "Lambda"))
      g_ptr_array_add (names, g_strdup (readers[i].class_name));
  for (guint i = 0; i < G_N_ELEMENTS (qkeras_names); i++)
    g_ptr_array_add (names, g_strdup (qkeras_names[i]));
  g_ptr_array_add (names, g_strdup ("QAveragePooling2D"));
  g_ptr_array_add (names, g_strdup ("QGlobalAveragePooling2D"));
  for (guint i = 0; i < G_N_ELEMENTS (hgq2_readers); i++)
    g_ptr_array_add (names, g_strdup_printf ("hgq>%s", hgq2_readers[i].class_name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
