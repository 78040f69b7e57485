/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras layers that multiply by kernels or look through windows: dense, convolutions, pooling. */

#include "nn-keras.h"

#include <math.h>
#include <string.h>

static gboolean
use_bias (NnKerasLayer *layer)
{
  return nn_json_boolean (layer->config, "use_bias", nn_json_boolean (layer->config, "bias", TRUE));
}

static gboolean
take_bias (NnKerasLayer  *layer,
           GError       **error)
{
  return !layer->node->attrs.use_bias ||
         nn_keras_take (layer, NN_ROLE_BIAS, "bias", "", &NN_SHAPE (layer->node->attrs.units), error);
}

/* QKeras's and BinaryNet's quantisers of a layer's weights. */
gboolean
nn_keras_take_quantizers (NnKerasLayer  *layer,
                          GError       **error)
{
  static const struct {
    const char *name;
    NnRole      role;
  } names[] = {
    { "kernel_quantizer", NN_ROLE_KERNEL },
    { "bias_quantizer", NN_ROLE_BIAS },
    { "depthwise_quantizer", NN_ROLE_DEPTHWISE_KERNEL },
    { "pointwise_quantizer", NN_ROLE_POINTWISE_KERNEL },
    { "recurrent_quantizer", NN_ROLE_RECURRENT_KERNEL },
    { "gamma_quantizer", NN_ROLE_GAMMA },
    { "beta_quantizer", NN_ROLE_BETA },
    { "mean_quantizer", NN_ROLE_MEAN },
    { "variance_quantizer", NN_ROLE_VARIANCE },
  };
  NnQuantizer **roles = layer->node->attrs.role_quantizer;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (nn_json_get (layer->config, names[i].name) != NULL &&
        !nn_keras_quantizer (layer, nn_json_get (layer->config, names[i].name), &roles[names[i].role], error))
      return FALSE;
  /* a depthwise layer's one kernel */
  if ((layer->node->op == NN_OP_DEPTHWISE_CONV1D || layer->node->op == NN_OP_DEPTHWISE_CONV2D) &&
      roles[NN_ROLE_DEPTHWISE_KERNEL] != NULL)
    roles[NN_ROLE_KERNEL] = roles[NN_ROLE_DEPTHWISE_KERNEL];
  return TRUE;
}

/* A batch norm whose fold is quantised together with the kernel: QConv2DBatchnorm and its kin. */
static gboolean
take_folded_norm (NnKerasLayer  *layer,
                  GError       **error)
{
  static const struct {
    const char *name;
    NnRole      role;
  } parts[] = {
    { "gamma", NN_ROLE_GAMMA },
    { "beta", NN_ROLE_BETA },
    { "moving_mean", NN_ROLE_MEAN },
    { "moving_variance", NN_ROLE_VARIANCE },
  };
  NnAttrs *attrs = &layer->node->attrs;
  const NnShape shape = NN_SHAPE (attrs->units > 0 ? attrs->units : NN_DIM_UNKNOWN);
  const char *mode = nn_json_string (layer->config, "folding_mode");

  if (!g_str_has_suffix (layer->class_name, "Batchnorm"))
    return TRUE;
  if (mode != NULL && !g_str_equal (mode, "ema_stats_folding") && !g_str_equal (mode, "batch_stats_folding"))
    return nn_keras_unsupported (layer, error, "folding_mode \"%s\" is not supported", mode);
  attrs->epsilon = nn_json_double (layer->config, "epsilon", 1e-3);
  attrs->momentum = nn_json_double (layer->config, "momentum", 0.99);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      if ((i == 0 && !nn_json_boolean (layer->config, "scale", TRUE)) ||
          (i == 1 && !nn_json_boolean (layer->config, "center", TRUE)))
        continue;
      if (!nn_keras_take (layer, parts[i].role, parts[i].name, "batchnorm", &shape, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
nn_keras_read_dense (NnKerasLayer  *layer,
                     GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;

  if (!nn_keras_get_count (layer, "units", "output_dim", &attrs->units, error))
    return FALSE;
  attrs->use_bias = use_bias (layer);
  return nn_keras_take (layer, NN_ROLE_KERNEL, "kernel", "", &NN_SHAPE (nn_shape_last (layer->in), attrs->units), error) &&
         take_bias (layer, error) && take_folded_norm (layer, error) && nn_keras_take_quantizers (layer, error) &&
         nn_keras_read_activation (layer, error);
}

/* BinaryDense and TernaryDense of BinaryNet for Keras: kernels are H times signs, or signs and zeros; H may be told by
 * Glorot's rule. */
gboolean
nn_keras_read_binary_dense (NnKerasLayer  *layer,
                            GError       **error)
{
  gboolean ternary = strstr (layer->class_name, "Ternary") != NULL;
  float h = (float) nn_json_double (layer->config, "H", 1);
  NnQuantizer quantizer = {
    .kind = ternary ? NN_QUANT_TERNARY : NN_QUANT_BINARY,
    .type = { .kind = ternary ? NN_TYPE_TERNARY : NN_TYPE_BINARY, .width = ternary ? 2 : 1, .integer = ternary ? 2 : 1,
              .is_signed = TRUE },
    .threshold = 0.5,
    .alpha_divides = TRUE,
    .source = layer->class_name,
  };

  if (!nn_keras_read_dense (layer, error))
    return FALSE;
  if (g_strcmp0 (nn_json_string (layer->config, "H"), "Glorot") == 0)
    h = (float) sqrt (1.5 / (double) (nn_shape_last (layer->in) + layer->node->attrs.units));
  else if (nn_json_string (layer->config, "H") != NULL || h <= 0)
    return nn_keras_unsupported (layer, error, "\"H\" is neither a positive number nor \"Glorot\"");
  if (h != 1)
    {
      quantizer.alpha_mode = NN_ALPHA_FIXED;
      quantizer.alpha = &h;
      quantizer.n_alpha = 1;
    }
  layer->node->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (layer->keras->builder, &quantizer);
  return TRUE;
}

static gboolean
read_padding (NnKerasLayer  *layer,
              NnAttrs       *attrs,
              GError       **error)
{
  const char *padding = nn_json_string (layer->config, "padding");

  if (padding == NULL)
    padding = nn_json_string (layer->config, "border_mode");
  if (padding == NULL || g_str_equal (padding, "valid"))
    attrs->padding = NN_PADDING_VALID;
  else if (g_str_equal (padding, "same"))
    attrs->padding = NN_PADDING_SAME;
  else if (g_str_equal (padding, "causal"))
    attrs->padding = NN_PADDING_CAUSAL;
  else
    return nn_keras_unsupported (layer, error, "padding \"%s\" is not supported; \"valid\", \"same\" and \"causal\" are",
                                 padding);
  return TRUE;
}

static gboolean
read_window (NnKerasLayer  *layer,
             guint          n,
             const char    *size_name,
             gint64         size,
             gboolean       pool,
             GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;

  if (!nn_keras_get_ints (layer->config, size_name, n, size, attrs->kernel) || attrs->kernel[0] < 1)
    return nn_keras_bad (layer, error, "\"%s\" is not %s", size_name, n == 1 ? "a number" : "two numbers");
  for (guint i = 0; i < n; i++)
    attrs->stride[i] = pool ? attrs->kernel[i] : 1;
  if (nn_json_get (layer->config, "strides") != NULL && !nn_keras_get_ints (layer->config, "strides", n, 1, attrs->stride))
    return nn_keras_bad (layer, error, "\"strides\" is not %s", n == 1 ? "a number" : "two numbers");
  if (!nn_keras_get_ints (layer->config, "dilation_rate", n, 1, attrs->dilation))
    return nn_keras_bad (layer, error, "\"dilation_rate\" is not %s", n == 1 ? "a number" : "two numbers");
  for (guint i = 0; i < n; i++)
    if (attrs->kernel[i] < 1 || attrs->stride[i] < 1 || attrs->dilation[i] < 1)
      return nn_keras_bad (layer, error, "kernel, strides and dilation must be positive");
  return read_padding (layer, attrs, error) && nn_keras_channels_last (layer, error);
}

static guint
n_axes (NnOp op)
{
  switch (op)
    {
    case NN_OP_CONV1D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_MAX_POOL1D:
    case NN_OP_AVG_POOL1D:
      return 1;
    default:
      return 2;
    }
}

/* (k..., a, b) */
static NnShape
kernel_shape (const NnAttrs *attrs,
              guint          n,
              gint64         a,
              gint64         b)
{
  return n == 1 ? NN_SHAPE (attrs->kernel[0], a, b) : NN_SHAPE (attrs->kernel[0], attrs->kernel[1], a, b);
}

gboolean
nn_keras_read_conv (NnKerasLayer  *layer,
                    GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  guint n = n_axes (layer->node->op);
  gboolean transpose = layer->node->op == NN_OP_CONV1D_TRANSPOSE || layer->node->op == NN_OP_CONV2D_TRANSPOSE;
  gint64 channels = nn_shape_last (layer->in);
  NnShape shape;

  attrs->groups = 1;
  if (!nn_keras_get_count (layer, "filters", "nb_filter", &attrs->units, error) ||
      !read_window (layer, n, "kernel_size", 0, FALSE, error))
    return FALSE;
  if (nn_json_int (layer->config, "groups", &attrs->groups) && attrs->groups < 1)
    return nn_keras_bad (layer, error, "\"groups\" must be positive");
  if (channels > 0 && (channels % attrs->groups != 0 || attrs->units % attrs->groups != 0))
    return nn_keras_bad (layer, error, "\"groups\" does not divide the channels");
  if (transpose && nn_json_get (layer->config, "output_padding") != NULL)
    return nn_keras_unsupported (layer, error, "\"output_padding\" is not supported");
  for (guint k = 0; k < n && transpose; k++)
    if (attrs->padding == NN_PADDING_VALID && attrs->kernel[k] < attrs->stride[k])
      return nn_keras_unsupported (layer, error, "a kernel smaller than its stride is not supported without padding \"same\"");
  attrs->use_bias = use_bias (layer);
  shape = transpose ? kernel_shape (attrs, n, attrs->units, channels)
                    : kernel_shape (attrs, n, channels > 0 ? channels / attrs->groups : channels, attrs->units);
  return nn_keras_take (layer, NN_ROLE_KERNEL, "kernel", "", &shape, error) && take_bias (layer, error) &&
         take_folded_norm (layer, error) && nn_keras_take_quantizers (layer, error) && nn_keras_read_activation (layer, error);
}

gboolean
nn_keras_read_depthwise (NnKerasLayer  *layer,
                         GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  guint n = n_axes (layer->node->op);
  gint64 channels = nn_shape_last (layer->in);
  NnShape shape;

  attrs->depth_multiplier = 1;
  attrs->groups = MAX (channels, 1);
  nn_json_int (layer->config, "depth_multiplier", &attrs->depth_multiplier);
  if (attrs->depth_multiplier < 1 || attrs->depth_multiplier > G_MAXINT32)
    return nn_keras_bad (layer, error, "\"depth_multiplier\" must be positive");
  if (!read_window (layer, n, "kernel_size", 0, FALSE, error))
    return FALSE;
  attrs->use_bias = use_bias (layer);
  attrs->units = channels > 0 ? channels * attrs->depth_multiplier : NN_DIM_UNKNOWN;
  shape = kernel_shape (attrs, n, channels, attrs->depth_multiplier);
  return nn_keras_take (layer, NN_ROLE_KERNEL, layer->keras->major < 3 ? "depthwise_kernel" : "kernel", "", &shape, NULL)
           ? take_bias (layer, error) && take_folded_norm (layer, error) && nn_keras_take_quantizers (layer, error) &&
               nn_keras_read_activation (layer, error)
           : nn_keras_take (layer, NN_ROLE_KERNEL, layer->keras->major < 3 ? "kernel" : "depthwise_kernel", "", &shape,
                            error) &&
               take_bias (layer, error) && take_folded_norm (layer, error) && nn_keras_take_quantizers (layer, error) &&
               nn_keras_read_activation (layer, error);
}

gboolean
nn_keras_read_separable (NnKerasLayer  *layer,
                         GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  guint n = n_axes (layer->node->op);
  gint64 channels = nn_shape_last (layer->in), middle;
  NnShape depthwise, pointwise;

  attrs->depth_multiplier = 1;
  nn_json_int (layer->config, "depth_multiplier", &attrs->depth_multiplier);
  if (attrs->depth_multiplier < 1 || attrs->depth_multiplier > G_MAXINT32)
    return nn_keras_bad (layer, error, "\"depth_multiplier\" must be positive");
  if (!nn_keras_get_count (layer, "filters", NULL, &attrs->units, error) ||
      !read_window (layer, n, "kernel_size", 0, FALSE, error))
    return FALSE;
  attrs->use_bias = use_bias (layer);
  middle = channels > 0 ? channels * attrs->depth_multiplier : NN_DIM_UNKNOWN;
  depthwise = kernel_shape (attrs, n, channels, attrs->depth_multiplier);
  pointwise = n == 1 ? NN_SHAPE (1, middle, attrs->units) : NN_SHAPE (1, 1, middle, attrs->units);
  return nn_keras_take (layer, NN_ROLE_DEPTHWISE_KERNEL, "depthwise_kernel", "", &depthwise, error) &&
         nn_keras_take (layer, NN_ROLE_POINTWISE_KERNEL, "pointwise_kernel", "", &pointwise, error) &&
         take_bias (layer, error) && nn_keras_take_quantizers (layer, error) && nn_keras_read_activation (layer, error);
}

gboolean
nn_keras_read_pool (NnKerasLayer  *layer,
                    GError       **error)
{
  const char *size = nn_json_get (layer->config, "pool_size") == NULL && nn_json_get (layer->config, "pool_length") != NULL
                       ? "pool_length"
                       : "pool_size";

  return read_window (layer, n_axes (layer->node->op), size, 2, TRUE, error);
}
