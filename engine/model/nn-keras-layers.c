/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras layers, one reader each: configuration to attributes, variables to roles. */

#include "nn-keras.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

/* Keras's default slopes. */
#define LEAKY_RELU_SLOPE 0.3

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
static gboolean
get_count (NnKerasLayer  *layer,
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
static gboolean
take_quantizers (NnKerasLayer  *layer,
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

static gboolean
read_activation (NnKerasLayer  *layer,
                 GError       **error)
{
  return nn_keras_activation (layer, nn_json_get (layer->config, "activation"), &layer->node->attrs, error);
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

static gboolean
read_dense (NnKerasLayer  *layer,
            GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;

  if (!get_count (layer, "units", "output_dim", &attrs->units, error))
    return FALSE;
  attrs->use_bias = use_bias (layer);
  return nn_keras_take (layer, NN_ROLE_KERNEL, "kernel", "", &NN_SHAPE (nn_shape_last (layer->in), attrs->units), error) &&
         take_bias (layer, error) && take_folded_norm (layer, error) && take_quantizers (layer, error) &&
         read_activation (layer, error);
}

/* BinaryDense and TernaryDense of BinaryNet for Keras: kernels are H times signs, or signs and zeros; H may be told by
 * Glorot's rule. */
static gboolean
read_binary_dense (NnKerasLayer  *layer,
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

  if (!read_dense (layer, error))
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
channels_last (NnKerasLayer  *layer,
               GError       **error)
{
  const char *format = nn_json_string (layer->config, "data_format");

  if (format != NULL && g_str_equal (format, "channels_first"))
    return nn_keras_unsupported (layer, error, "data_format \"channels_first\" is not supported; \"channels_last\" is");
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
  return read_padding (layer, attrs, error) && channels_last (layer, error);
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

static gboolean
read_conv (NnKerasLayer  *layer,
           GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  guint n = n_axes (layer->node->op);
  gboolean transpose = layer->node->op == NN_OP_CONV1D_TRANSPOSE || layer->node->op == NN_OP_CONV2D_TRANSPOSE;
  gint64 channels = nn_shape_last (layer->in);
  NnShape shape;

  attrs->groups = 1;
  if (!get_count (layer, "filters", "nb_filter", &attrs->units, error) ||
      !read_window (layer, n, "kernel_size", 0, FALSE, error))
    return FALSE;
  if (nn_json_int (layer->config, "groups", &attrs->groups) && attrs->groups < 1)
    return nn_keras_bad (layer, error, "\"groups\" must be positive");
  if (channels > 0 && (channels % attrs->groups != 0 || attrs->units % attrs->groups != 0))
    return nn_keras_bad (layer, error, "\"groups\" does not divide the channels");
  if (transpose && nn_json_get (layer->config, "output_padding") != NULL)
    return nn_keras_unsupported (layer, error, "\"output_padding\" is not supported");
  attrs->use_bias = use_bias (layer);
  shape = transpose ? kernel_shape (attrs, n, attrs->units, channels)
                    : kernel_shape (attrs, n, channels > 0 ? channels / attrs->groups : channels, attrs->units);
  return nn_keras_take (layer, NN_ROLE_KERNEL, "kernel", "", &shape, error) && take_bias (layer, error) &&
         take_folded_norm (layer, error) && take_quantizers (layer, error) && read_activation (layer, error);
}

static gboolean
read_depthwise (NnKerasLayer  *layer,
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
           ? take_bias (layer, error) && take_folded_norm (layer, error) && take_quantizers (layer, error) &&
               read_activation (layer, error)
           : nn_keras_take (layer, NN_ROLE_KERNEL, layer->keras->major < 3 ? "kernel" : "depthwise_kernel", "", &shape,
                            error) &&
               take_bias (layer, error) && take_folded_norm (layer, error) && take_quantizers (layer, error) &&
               read_activation (layer, error);
}

static gboolean
read_separable (NnKerasLayer  *layer,
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
  if (!get_count (layer, "filters", NULL, &attrs->units, error) ||
      !read_window (layer, n, "kernel_size", 0, FALSE, error))
    return FALSE;
  attrs->use_bias = use_bias (layer);
  middle = channels > 0 ? channels * attrs->depth_multiplier : NN_DIM_UNKNOWN;
  depthwise = kernel_shape (attrs, n, channels, attrs->depth_multiplier);
  pointwise = n == 1 ? NN_SHAPE (1, middle, attrs->units) : NN_SHAPE (1, 1, middle, attrs->units);
  return nn_keras_take (layer, NN_ROLE_DEPTHWISE_KERNEL, "depthwise_kernel", "", &depthwise, error) &&
         nn_keras_take (layer, NN_ROLE_POINTWISE_KERNEL, "pointwise_kernel", "", &pointwise, error) &&
         take_bias (layer, error) && take_quantizers (layer, error) && read_activation (layer, error);
}

static gboolean
read_pool (NnKerasLayer  *layer,
           GError       **error)
{
  const char *size = nn_json_get (layer->config, "pool_size") == NULL && nn_json_get (layer->config, "pool_length") != NULL
                       ? "pool_length"
                       : "pool_size";

  return read_window (layer, n_axes (layer->node->op), size, 2, TRUE, error);
}

static gboolean
read_global_pool (NnKerasLayer  *layer,
                  GError       **error)
{
  layer->node->attrs.keep_dims = nn_json_boolean (layer->config, "keepdims", FALSE);
  if (layer->scope->time_distributed)
    return nn_keras_unsupported (layer, error, "global pooling of every step is not supported");
  return channels_last (layer, error);
}

/* Keras counts the batch axis; where several are named they must be one. */
static gboolean
read_axis (NnKerasLayer  *layer,
           const char    *name,
           gint64         fallback,
           gint          *axis,
           GError       **error)
{
  JsonNode *node = nn_json_get (layer->config, name);
  JsonArray *array = nn_json_as_array (node);
  gint64 value = fallback;

  if (array != NULL && json_array_get_length (array) != 1)
    return nn_keras_unsupported (layer, error, "more than one \"%s\" is not supported", name);
  if (array != NULL)
    node = json_array_get_element (array, 0);
  if (node != NULL && (!nn_json_as_int (node, &value) || value < -NN_MAX_RANK || value > NN_MAX_RANK))
    return nn_keras_bad (layer, error, "\"%s\" is not a number of an axis", name);
  if (value == 0 || value == -(gint64) layer->in->rank - 1)
    return nn_keras_unsupported (layer, error, "\"%s\" is the batch axis, which is not supported", name);
  *axis = value > 0 ? (gint) value - 1 : (gint) value;
  if (*axis >= (gint) layer->in->rank || *axis < -(gint) layer->in->rank)
    return nn_keras_bad (layer, error, "\"%s\" is not one of its input's axes", name);
  return TRUE;
}

static gboolean
is_last (NnKerasLayer *layer,
         gint          axis)
{
  return axis == -1 || axis == (gint) layer->in->rank - 1;
}

static gboolean
read_batch_norm (NnKerasLayer  *layer,
                 GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  NnShape shape;
  gint axis;

  if (!read_axis (layer, "axis", -1, &axis, error))
    return FALSE;
  attrs->axis = is_last (layer, axis) ? -1 : axis;
  attrs->epsilon = nn_json_double (layer->config, "epsilon", 1e-3);
  attrs->momentum = nn_json_double (layer->config, "momentum", 0.99);
  shape = NN_SHAPE (layer->in->dims[axis < 0 ? axis + (gint) layer->in->rank : axis]);
  if (nn_json_boolean (layer->config, "scale", TRUE) &&
      !nn_keras_take (layer, NN_ROLE_GAMMA, "gamma", "", &shape, error))
    return FALSE;
  if (nn_json_boolean (layer->config, "center", TRUE) &&
      !nn_keras_take (layer, NN_ROLE_BETA, "beta", "", &shape, error))
    return FALSE;
  return nn_keras_take (layer, NN_ROLE_MEAN, "moving_mean", "", &shape, error) &&
         nn_keras_take (layer, NN_ROLE_VARIANCE, "moving_variance", "", &shape, error) && take_quantizers (layer, error) &&
         read_activation (layer, error);
}

static gboolean
read_layer_norm (NnKerasLayer  *layer,
                 GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  const NnShape shape = NN_SHAPE (nn_shape_last (layer->in));

  if (!read_axis (layer, "axis", -1, &attrs->axis, error))
    return FALSE;
  if (!is_last (layer, attrs->axis))
    return nn_keras_unsupported (layer, error, "only the last axis is supported");
  if (nn_json_boolean (layer->config, "rms_scaling", FALSE))
    return nn_keras_unsupported (layer, error, "\"rms_scaling\" is not supported");
  attrs->axis = -1;
  attrs->epsilon = nn_json_double (layer->config, "epsilon", 1e-3);
  return (!nn_json_boolean (layer->config, "scale", TRUE) ||
          nn_keras_take (layer, NN_ROLE_GAMMA, "gamma", "", &shape, error)) &&
         (!nn_json_boolean (layer->config, "center", TRUE) ||
          nn_keras_take (layer, NN_ROLE_BETA, "beta", "", &shape, error));
}

/* y = x * scale + offset, scale and offset being numbers in the configuration, or the statistics of Normalization. */
static gboolean
read_rescaling (NnKerasLayer  *layer,
                GError       **error)
{
  gint64 channels = nn_shape_last (layer->in);
  const NnShape shape = NN_SHAPE (MAX (channels, 1));
  double scale = nn_json_double (layer->config, "scale", 1), offset = nn_json_double (layer->config, "offset", 0);
  NnTensor *scales, *offsets;

  if (nn_json_as_array (nn_json_get (layer->config, "scale")) != NULL)
    return nn_keras_unsupported (layer, error, "a list as \"scale\" is not supported");
  if (layer->n_shared > 0)
    return TRUE;
  scales = nn_tensor_new (NN_DTYPE_F32, &shape);
  offsets = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < scales->n; i++)
    {
      nn_tensor_f32 (scales)[i] = (float) scale;
      nn_tensor_f32 (offsets)[i] = (float) offset;
    }
  layer->node->attrs.use_bias = TRUE;
  return nn_keras_add_weight (layer, NN_ROLE_SCALE, "scale", scales, error) &&
         nn_keras_add_weight (layer, NN_ROLE_BIAS, "offset", offsets, error);
}

static gboolean
read_activation_layer (NnKerasLayer  *layer,
                       GError       **error)
{
  if (nn_json_get (layer->config, "activation") == NULL)
    return nn_keras_bad (layer, error, "\"activation\" is missing");
  return read_activation (layer, error);
}

static gboolean
read_relu (NnKerasLayer  *layer,
           GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;

  attrs->act = NN_ACT_RELU;
  attrs->max_value = nn_json_double (layer->config, "max_value", 0);
  attrs->alpha = nn_json_double (layer->config, "negative_slope", 0);
  attrs->threshold = nn_json_double (layer->config, "threshold", 0);
  if (attrs->max_value < 0)
    return nn_keras_bad (layer, error, "\"max_value\" must not be negative");
  return TRUE;
}

static gboolean
read_leaky_relu (NnKerasLayer  *layer,
                 GError       **error)
{
  layer->node->attrs.act = NN_ACT_LEAKY_RELU;
  layer->node->attrs.alpha = nn_json_double (layer->config, "negative_slope",
                                             nn_json_double (layer->config, "alpha", LEAKY_RELU_SLOPE));
  return TRUE;
}

static gboolean
read_thresholded_relu (NnKerasLayer  *layer,
                       GError       **error)
{
  layer->node->attrs.act = NN_ACT_THRESHOLDED_RELU;
  layer->node->attrs.threshold = nn_json_double (layer->config, "theta", 1);
  return TRUE;
}

static gboolean
read_elu (NnKerasLayer  *layer,
          GError       **error)
{
  layer->node->attrs.act = NN_ACT_ELU;
  layer->node->attrs.alpha = nn_json_double (layer->config, "alpha", 1);
  return TRUE;
}

/* Slopes for each element, or shared along some axes. */
static gboolean
read_prelu (NnKerasLayer  *layer,
            GError       **error)
{
  JsonArray *shared = nn_json_array (layer->config, "shared_axes");
  NnShape shape = *layer->in;

  for (guint i = 0; shared != NULL && i < json_array_get_length (shared); i++)
    {
      gint64 axis;

      if (!nn_json_as_int (json_array_get_element (shared, i), &axis) || axis < 1 || axis > (gint64) shape.rank)
        return nn_keras_bad (layer, error, "\"shared_axes\" names no axis of its input");
      shape.dims[axis - 1] = 1;
    }
  return nn_keras_take (layer, NN_ROLE_ALPHA, "alpha", "", &shape, error);
}

static gboolean
read_softmax (NnKerasLayer  *layer,
              GError       **error)
{
  layer->node->attrs.act = NN_ACT_SOFTMAX;
  return read_axis (layer, "axis", -1, &layer->node->attrs.axis, error);
}

static gboolean
read_dropout (NnKerasLayer  *layer,
              GError       **error)
{
  layer->node->attrs.rate = nn_json_double (layer->config, "rate", nn_json_double (layer->config, "p", 0));
  return TRUE;
}

static gboolean
read_flatten (NnKerasLayer  *layer,
              GError       **error)
{
  if (layer->scope->time_distributed)
    {
      /* every step on its own */
      layer->node->op = NN_OP_RESHAPE;
      layer->node->attrs.target = NN_SHAPE (layer->in->dims[0], NN_DIM_UNKNOWN);
      return TRUE;
    }
  return channels_last (layer, error);
}

static gboolean
read_reshape (NnKerasLayer  *layer,
              GError       **error)
{
  JsonArray *dims = nn_json_array (layer->config, "target_shape");
  NnShape *target = &layer->node->attrs.target;

  if (dims == NULL || json_array_get_length (dims) > NN_MAX_RANK)
    return nn_keras_bad (layer, error, "\"target_shape\" is missing or has more than %d axes", NN_MAX_RANK);
  target->rank = 0;
  if (layer->scope->time_distributed)
    target->dims[target->rank++] = layer->in->dims[0];
  for (guint i = 0; i < json_array_get_length (dims); i++)
    {
      gint64 d = -1;

      if (!JSON_NODE_HOLDS_NULL (json_array_get_element (dims, i)) &&
          (!nn_json_as_int (json_array_get_element (dims, i), &d) || d < -1 || d > G_MAXINT32))
        return nn_keras_bad (layer, error, "\"target_shape\" holds something that is no extent");
      if (target->rank == NN_MAX_RANK)
        return nn_keras_bad (layer, error, "\"target_shape\" has too many axes");
      target->dims[target->rank++] = d;
    }
  return TRUE;
}

static gboolean
read_permute (NnKerasLayer  *layer,
              GError       **error)
{
  JsonArray *dims = nn_json_array (layer->config, "dims");

  if (layer->scope->time_distributed)
    return nn_keras_unsupported (layer, error, "permuting every step is not supported");
  if (dims == NULL || json_array_get_length (dims) != layer->in->rank)
    return nn_keras_bad (layer, error, "\"dims\" does not name each of its input's axes");
  for (guint i = 0; i < layer->in->rank; i++)
    {
      gint64 d;

      if (!nn_json_as_int (json_array_get_element (dims, i), &d) || d < 1 || d > (gint64) layer->in->rank)
        return nn_keras_bad (layer, error, "\"dims\" names an axis that is not there");
      layer->node->attrs.perm[i] = (guint) d - 1;
    }
  return TRUE;
}

static gboolean
read_repeat (NnKerasLayer  *layer,
             GError       **error)
{
  gint64 n;

  if (!get_count (layer, "n", NULL, &n, error))
    return FALSE;
  if (layer->in->rank != 1)
    return nn_keras_bad (layer, error, "its input must have one axis");
  layer->node->attrs.target = NN_SHAPE (n);
  return TRUE;
}

static gboolean
read_upsample (NnKerasLayer  *layer,
               GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  guint n = g_str_has_suffix (layer->class_name, "1D") ? 1 : 2;
  const char *how = nn_json_string (layer->config, "interpolation");

  if (!nn_keras_get_ints (layer->config, nn_json_get (layer->config, "size") != NULL ? "size" : "length", n, 2,
                          attrs->size) ||
      attrs->size[0] < 1 || (n == 2 && attrs->size[1] < 1))
    return nn_keras_bad (layer, error, "\"size\" is not %s", n == 1 ? "a number" : "two numbers");
  if (how != NULL && g_str_equal (how, "bilinear"))
    attrs->interpolation = NN_INTERPOLATION_BILINEAR;
  else if (how != NULL && !g_str_equal (how, "nearest"))
    return nn_keras_unsupported (layer, error, "interpolation \"%s\" is not supported; \"nearest\" and \"bilinear\" are",
                                 how);
  return channels_last (layer, error);
}

/* n; (n, n); ((before, after), (before, after)). */
static gboolean
read_edges (NnKerasLayer  *layer,
            GError       **error)
{
  const char *name = layer->node->op == NN_OP_CROP ? "cropping" : "padding";
  guint n = g_str_has_suffix (layer->class_name, "1D") ? 1 : 2;
  JsonArray *array = nn_json_array (layer->config, name);
  gint64 (*pad)[2] = layer->node->attrs.pad, two[2];

  if (array == NULL || n == 1)
    {
      if (!nn_keras_get_ints (layer->config, name, 2, 1, two))
        return nn_keras_bad (layer, error, "\"%s\" is neither a number nor two", name);
      for (guint i = 0; i < n; i++)
        {
          pad[i][0] = two[0];
          pad[i][1] = two[1];
        }
      return channels_last (layer, error);
    }
  if (json_array_get_length (array) != 2)
    return nn_keras_bad (layer, error, "\"%s\" is not a pair", name);
  for (guint i = 0; i < 2; i++)
    {
      JsonArray *pair = nn_json_as_array (json_array_get_element (array, i));

      for (guint k = 0; k < 2; k++)
        if ((pair != NULL && json_array_get_length (pair) != 2) ||
            !nn_json_as_int (pair != NULL ? json_array_get_element (pair, k) : json_array_get_element (array, i),
                             &pad[i][k]) ||
            pad[i][k] < 0 || pad[i][k] > G_MAXINT32)
          return nn_keras_bad (layer, error, "\"%s\" holds something that is no extent", name);
    }
  return channels_last (layer, error);
}

static gboolean
read_merge (NnKerasLayer  *layer,
            GError       **error)
{
  return nn_keras_activation (layer, nn_json_get (layer->config, "activation"), &layer->node->attrs, error);
}

static gboolean
read_concatenate (NnKerasLayer  *layer,
                  GError       **error)
{
  return read_axis (layer, nn_json_get (layer->config, "axis") == NULL ? "concat_axis" : "axis", -1,
                    &layer->node->attrs.axis, error);
}

static gboolean
read_dot (NnKerasLayer  *layer,
          GError       **error)
{
  JsonArray *pair = nn_json_array (layer->config, "axes");
  NnAttrs *attrs = &layer->node->attrs;
  gint64 axes[2];

  for (guint i = 0; i < 2; i++)
    {
      JsonNode *node = pair != NULL && json_array_get_length (pair) == 2 ? json_array_get_element (pair, i)
                                                                         : nn_json_get (layer->config, "axes");

      if (!nn_json_as_int (node, &axes[i]) || axes[i] == 0 || axes[i] < -NN_MAX_RANK || axes[i] > NN_MAX_RANK)
        return nn_keras_bad (layer, error, "\"axes\" is neither an axis nor two");
    }
  attrs->axis = axes[0] > 0 ? (gint) axes[0] - 1 : (gint) axes[0];
  attrs->axis2 = axes[1] > 0 ? (gint) axes[1] - 1 : (gint) axes[1];
  attrs->normalize = nn_json_boolean (layer->config, "normalize", FALSE);
  if (layer->n_inputs != 2 || layer->in->rank != 1)
    return nn_keras_unsupported (layer, error, "only the product of two vectors is supported");
  return TRUE;
}

static gboolean
read_embedding (NnKerasLayer  *layer,
                GError       **error)
{
  gint64 vocabulary;

  if (!get_count (layer, "output_dim", NULL, &layer->node->attrs.units, error) ||
      !get_count (layer, "input_dim", NULL, &vocabulary, error))
    return FALSE;
  if (nn_json_boolean (layer->config, "mask_zero", FALSE))
    return nn_keras_unsupported (layer, error, "\"mask_zero\" is not supported");
  return nn_keras_take (layer, NN_ROLE_EMBEDDINGS, "embeddings", "", &NN_SHAPE (vocabulary, layer->node->attrs.units),
                        error);
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
  return read_activation_layer (layer, error) && nn_keras_finish_hgq1 (layer, error);
}

static gboolean
read_hgq1_dense (NnKerasLayer  *layer,
                 GError       **error)
{
  return read_dense (layer, error) && nn_keras_finish_hgq1 (layer, error);
}

static gboolean
read_hgq1_conv (NnKerasLayer  *layer,
                GError       **error)
{
  return read_conv (layer, error) && nn_keras_finish_hgq1 (layer, error);
}

static gboolean
read_hgq2_dense (NnKerasLayer  *layer,
                 GError       **error)
{
  return read_dense (layer, error) && nn_keras_finish_hgq2 (layer, error);
}

static gboolean
read_hgq2_conv (NnKerasLayer  *layer,
                GError       **error)
{
  return read_conv (layer, error) && nn_keras_finish_hgq2 (layer, error);
}

static gboolean
read_hgq2_einsum (NnKerasLayer  *layer,
                  GError       **error)
{
  return nn_keras_read_einsum_dense (layer, error) && nn_keras_finish_hgq2 (layer, error);
}

/* hls4ml's example of an extension: the last axis backwards (docs/advanced/extension.rst). */
static gboolean
read_reverse (NnKerasLayer  *layer,
              GError       **error)
{
  layer->node->attrs.axis = -1;
  return TRUE;
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
  { "Activation", NN_OP_ACTIVATION, read_activation_layer },
  { "ActivityRegularization", NN_OP_DROPOUT, NULL },
  { "Add", NN_OP_ADD, read_merge },
  { "AlphaDropout", NN_OP_DROPOUT, read_dropout },
  { "Average", NN_OP_AVERAGE, read_merge },
  { "AveragePooling1D", NN_OP_AVG_POOL1D, read_pool },
  { "AveragePooling2D", NN_OP_AVG_POOL2D, read_pool },
  { "BatchNormalization", NN_OP_BATCH_NORM, read_batch_norm },
  { "BatchNormalizationV1", NN_OP_BATCH_NORM, read_batch_norm },
  { "Bidirectional", NN_OP_UNSUPPORTED, nn_keras_read_bidirectional },
  { "BinaryDense", NN_OP_DENSE, read_binary_dense },
  { "Concatenate", NN_OP_CONCATENATE, read_concatenate },
  { "Conv1D", NN_OP_CONV1D, read_conv },
  { "Conv1DTranspose", NN_OP_CONV1D_TRANSPOSE, read_conv },
  { "Conv2D", NN_OP_CONV2D, read_conv },
  { "Conv2DBatchnorm", NN_OP_CONV2D, read_conv },
  { "Conv2DTranspose", NN_OP_CONV2D_TRANSPOSE, read_conv },
  { "Convolution1D", NN_OP_CONV1D, read_conv },
  { "Convolution2D", NN_OP_CONV2D, read_conv },
  { "Cropping1D", NN_OP_CROP, read_edges },
  { "Cropping2D", NN_OP_CROP, read_edges },
  { "Dense", NN_OP_DENSE, read_dense },
  { "DenseBatchnorm", NN_OP_DENSE, read_dense },
  { "DepthwiseConv1D", NN_OP_DEPTHWISE_CONV1D, read_depthwise },
  { "DepthwiseConv2D", NN_OP_DEPTHWISE_CONV2D, read_depthwise },
  { "DepthwiseConv2DBatchnorm", NN_OP_DEPTHWISE_CONV2D, read_depthwise },
  { "Dot", NN_OP_DOT, read_dot },
  { "Dropout", NN_OP_DROPOUT, read_dropout },
  { "DropoutNoScaleForBinary", NN_OP_DROPOUT, read_dropout },
  { "ELU", NN_OP_ACTIVATION, read_elu },
  { "EinsumDense", NN_OP_EINSUM_DENSE, nn_keras_read_einsum_dense },
  { "Embedding", NN_OP_EMBEDDING, read_embedding },
  { "FixedPointQuantizer", NN_OP_QUANTIZE, nn_keras_read_fixed_point },
  { "Flatten", NN_OP_FLATTEN, read_flatten },
  { "GRU", NN_OP_GRU, nn_keras_read_recurrent },
  { "GarNet", NN_OP_GARNET, nn_keras_read_garnet },
  { "GaussianDropout", NN_OP_DROPOUT, read_dropout },
  { "GaussianNoise", NN_OP_DROPOUT, NULL },
  { "GlobalAveragePooling1D", NN_OP_GLOBAL_AVG_POOL, read_global_pool },
  { "GlobalAveragePooling2D", NN_OP_GLOBAL_AVG_POOL, read_global_pool },
  { "GlobalMaxPooling1D", NN_OP_GLOBAL_MAX_POOL, read_global_pool },
  { "GlobalMaxPooling2D", NN_OP_GLOBAL_MAX_POOL, read_global_pool },
  { "HActivation", NN_OP_ACTIVATION, read_hgq1_activation },
  { "HAdd", NN_OP_ADD, read_hgq1_plain },
  { "HConv1D", NN_OP_CONV1D, read_hgq1_conv },
  { "HConv2D", NN_OP_CONV2D, read_hgq1_conv },
  { "HDense", NN_OP_DENSE, read_hgq1_dense },
  { "HQuantize", NN_OP_QUANTIZE, read_hgq1_plain },
  { "Identity", NN_OP_DROPOUT, NULL },
  { "KReverse", NN_OP_REVERSE, read_reverse },
  { "LSTM", NN_OP_LSTM, nn_keras_read_recurrent },
  { "Lambda", NN_OP_ACTIVATION, read_lambda },
  { "LayerNormalization", NN_OP_LAYER_NORM, read_layer_norm },
  { "LeakyReLU", NN_OP_ACTIVATION, read_leaky_relu },
  { "MaxPooling1D", NN_OP_MAX_POOL1D, read_pool },
  { "MaxPooling2D", NN_OP_MAX_POOL2D, read_pool },
  { "Maximum", NN_OP_MAXIMUM, read_merge },
  { "Minimum", NN_OP_MINIMUM, read_merge },
  { "MultiHeadAttention", NN_OP_MULTI_HEAD_ATTENTION, nn_keras_read_attention },
  { "Multiply", NN_OP_MULTIPLY, read_merge },
  { "PConcatenate", NN_OP_CONCATENATE, read_concatenate },
  { "PDropout", NN_OP_DROPOUT, read_dropout },
  { "PFlatten", NN_OP_FLATTEN, read_flatten },
  { "PMaxPooling1D", NN_OP_MAX_POOL1D, read_pool },
  { "PMaxPooling2D", NN_OP_MAX_POOL2D, read_pool },
  { "PPermute", NN_OP_PERMUTE, read_permute },
  { "PReLU", NN_OP_PRELU, read_prelu },
  { "PReshape", NN_OP_RESHAPE, read_reshape },
  { "Permute", NN_OP_PERMUTE, read_permute },
  { "ReLU", NN_OP_ACTIVATION, read_relu },
  { "RepeatVector", NN_OP_REPEAT_VECTOR, read_repeat },
  { "Rescaling", NN_OP_SCALE, read_rescaling },
  { "Reshape", NN_OP_RESHAPE, read_reshape },
  { "SeparableConv1D", NN_OP_SEPARABLE_CONV1D, read_separable },
  { "SeparableConv2D", NN_OP_SEPARABLE_CONV2D, read_separable },
  { "SimpleRNN", NN_OP_SIMPLE_RNN, nn_keras_read_recurrent },
  { "Softmax", NN_OP_ACTIVATION, read_softmax },
  { "SpatialDropout1D", NN_OP_DROPOUT, read_dropout },
  { "SpatialDropout2D", NN_OP_DROPOUT, read_dropout },
  { "Subtract", NN_OP_SUBTRACT, read_merge },
  { "TernaryDense", NN_OP_DENSE, read_binary_dense },
  { "ThresholdedReLU", NN_OP_ACTIVATION, read_thresholded_relu },
  { "UpSampling1D", NN_OP_UPSAMPLE, read_upsample },
  { "UpSampling2D", NN_OP_UPSAMPLE, read_upsample },
  { "ZeroPadding1D", NN_OP_ZERO_PAD, read_edges },
  { "ZeroPadding2D", NN_OP_ZERO_PAD, read_edges },
};

/* QKeras's classes are Keras's with a Q before and quantisers in their configuration. */
static const char *const qkeras_names[] = {
  "QActivation", "QBatchNormalization", "QConv1D", "QConv2D", "QConv2DBatchnorm", "QConv2DTranspose", "QDense",
  "QDenseBatchnorm", "QDepthwiseConv2D", "QDepthwiseConv2DBatchnorm", "QGRU", "QLSTM", "QSeparableConv1D",
  "QSeparableConv2D", "QSimpleRNN",
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
  { "QConv1D", NN_OP_CONV1D, read_hgq2_conv },
  { "QConv2D", NN_OP_CONV2D, read_hgq2_conv },
  { "QDense", NN_OP_DENSE, read_hgq2_dense },
  { "QEinsumDense", NN_OP_EINSUM_DENSE, read_hgq2_einsum },
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
  for (guint i = 0; i < G_N_ELEMENTS (hgq2_readers); i++)
    g_ptr_array_add (names, g_strdup_printf ("hgq>%s", hgq2_readers[i].class_name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
