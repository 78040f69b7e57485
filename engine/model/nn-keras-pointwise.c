/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras layers that work number by number: normalisation, activations, dropout. */

#include "nn-keras.h"

/* Keras's default slopes. */
#define LEAKY_RELU_SLOPE 0.3

gboolean
nn_keras_read_activation (NnKerasLayer  *layer,
                          GError       **error)
{
  return nn_keras_activation (layer, nn_json_get (layer->config, "activation"), &layer->node->attrs, error);
}

/* Keras counts the batch axis; where several are named they must be one. */
gboolean
nn_keras_read_axis (NnKerasLayer  *layer,
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

gboolean
nn_keras_read_batch_norm (NnKerasLayer  *layer,
                          GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  NnShape shape;
  gint axis;

  if (nn_json_get (layer->config, "inverse_quantizer") != NULL)
    return nn_keras_unsupported (layer, error, "\"inverse_quantizer\" is not supported; quantisers of gamma, beta, mean and variance are");
  if (!nn_keras_read_axis (layer, "axis", -1, &axis, error))
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
         nn_keras_take (layer, NN_ROLE_VARIANCE, "moving_variance", "", &shape, error) &&
         nn_keras_take_quantizers (layer, error) &&
         nn_keras_read_activation (layer, error);
}

/* What the layer divides by at the least is this, squared. Source: Keras 3, Normalization.call: backend.epsilon (). */
#define NORMALIZATION_EPSILON 1e-14

/* A number, or one for each channel, of the configuration. */
static gboolean
add_from_config (NnKerasLayer  *layer,
                 NnRole         role,
                 const char    *name,
                 gint64         channels,
                 GError       **error)
{
  JsonNode *node = nn_json_get (layer->config, name);
  JsonArray *list = nn_json_as_array (node);
  NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));

  while (list != NULL && json_array_get_length (list) == 1 && nn_json_as_array (json_array_get_element (list, 0)) != NULL)
    list = nn_json_as_array (json_array_get_element (list, 0));
  for (gint64 c = 0; c < channels; c++)
    {
      double number = 0;

      if (list != NULL && json_array_get_length (list) != 1 && json_array_get_length (list) != channels)
        node = NULL;
      else if (list != NULL)
        node = json_array_get_element (list, json_array_get_length (list) == 1 ? 0 : (guint) c);
      /* of Rescaling */
      if (node == NULL && list == NULL && role == NN_ROLE_BIAS)
        continue;
      if (!nn_json_as_double (node, &number))
        {
          nn_tensor_unref (values);
          return nn_keras_bad (layer, error, "\"%s\" is neither a number nor a list of one for each channel", name);
        }
      nn_tensor_f32 (values)[c] = (float) number;
    }
  return nn_keras_add_weight (layer, role, name, values, error);
}

/* One mean and one variance for all: as many of them as there are channels. */
static gboolean
read_one_mean (NnKerasLayer  *layer,
               GError       **error)
{
  static const char *const names[] = { "mean", "variance" };
  const gint64 channels = nn_shape_last (layer->in);

  layer->remade = TRUE;
  layer->node->attrs.axis = -1;
  layer->node->attrs.epsilon = NORMALIZATION_EPSILON;
  if (channels < 1)
    return nn_keras_bad (layer, error, "the extent of its input's last axis is open");
  for (guint i = 0; i < 2; i++)
    {
      const NnRole role = i == 0 ? NN_ROLE_MEAN : NN_ROLE_VARIANCE;
      NnWeight *weight;
      NnTensor *all;

      if (nn_json_get (layer->config, names[i]) != NULL)
        {
          if (layer->n_shared == 0 && !add_from_config (layer, role, names[i], channels, error))
            return FALSE;
          continue;
        }
      if (!nn_keras_take (layer, role, names[i], "", NULL, error))
        return FALSE;
      if (layer->n_shared > 0)
        continue;
      weight = &g_array_index (layer->keras->weights, NnWeight, layer->keras->weights->len - 1);
      if (weight->values->n != 1)
        return nn_keras_bad (layer, error, "its \"%s\" is not one number", names[i]);
      all = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));
      for (gsize k = 0; k < all->n; k++)
        nn_tensor_f32 (all)[k] = nn_tensor_f32 (weight->values)[0];
      nn_tensor_unref (weight->values);
      weight->values = all;
    }
  return TRUE;
}

/* (x - mean) / sqrt (variance): a batch norm without factor and offset. */
gboolean
nn_keras_read_normalization (NnKerasLayer  *layer,
                             GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;
  NnShape shape;
  gint axis;

  if (nn_json_boolean (layer->config, "invert", FALSE))
    return nn_keras_unsupported (layer, error, "\"invert\" is not supported");
  if (json_object_has_member (layer->config, "axis") && nn_json_get (layer->config, "axis") == NULL)
    return read_one_mean (layer, error);
  if (!nn_keras_read_axis (layer, "axis", -1, &axis, error))
    return FALSE;
  attrs->axis = is_last (layer, axis) ? -1 : axis;
  attrs->epsilon = NORMALIZATION_EPSILON;
  shape = NN_SHAPE (layer->in->dims[axis < 0 ? axis + (gint) layer->in->rank : axis]);
  if (shape.dims[0] < 1)
    return nn_keras_bad (layer, error, "the extent of \"axis\" is open");
  if (nn_json_get (layer->config, "mean") != NULL)
    return layer->n_shared > 0 || (add_from_config (layer, NN_ROLE_MEAN, "mean", shape.dims[0], error) &&
                                   add_from_config (layer, NN_ROLE_VARIANCE, "variance", shape.dims[0], error));
  return nn_keras_take (layer, NN_ROLE_MEAN, "mean", "", &shape, error) &&
         nn_keras_take (layer, NN_ROLE_VARIANCE, "variance", "", &shape, error);
}

/* y = x * scale + offset. */
gboolean
nn_keras_read_rescaling (NnKerasLayer  *layer,
                         GError       **error)
{
  gint64 channels = MAX (nn_shape_last (layer->in), 1);

  layer->node->attrs.use_bias = TRUE;
  return layer->n_shared > 0 || (add_from_config (layer, NN_ROLE_SCALE, "scale", channels, error) &&
                                 add_from_config (layer, NN_ROLE_BIAS, "offset", channels, error));
}

gboolean
nn_keras_read_activation_layer (NnKerasLayer  *layer,
                                GError       **error)
{
  if (nn_json_get (layer->config, "activation") == NULL)
    return nn_keras_bad (layer, error, "\"activation\" is missing");
  return nn_keras_read_activation (layer, error);
}

gboolean
nn_keras_read_relu (NnKerasLayer  *layer,
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

gboolean
nn_keras_read_leaky_relu (NnKerasLayer  *layer,
                          GError       **error)
{
  layer->node->attrs.act = NN_ACT_LEAKY_RELU;
  layer->node->attrs.alpha = nn_json_double (layer->config, "negative_slope",
                                             nn_json_double (layer->config, "alpha", LEAKY_RELU_SLOPE));
  return TRUE;
}

gboolean
nn_keras_read_thresholded_relu (NnKerasLayer  *layer,
                                GError       **error)
{
  layer->node->attrs.act = NN_ACT_THRESHOLDED_RELU;
  layer->node->attrs.threshold = nn_json_double (layer->config, "theta", 1);
  return TRUE;
}

gboolean
nn_keras_read_elu (NnKerasLayer  *layer,
                   GError       **error)
{
  layer->node->attrs.act = NN_ACT_ELU;
  layer->node->attrs.alpha = nn_json_double (layer->config, "alpha", 1);
  return TRUE;
}

/* Slopes for each element, or shared along some axes. */
gboolean
nn_keras_read_prelu (NnKerasLayer  *layer,
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

gboolean
nn_keras_read_softmax (NnKerasLayer  *layer,
                       GError       **error)
{
  layer->node->attrs.act = NN_ACT_SOFTMAX;
  return nn_keras_read_axis (layer, "axis", -1, &layer->node->attrs.axis, error);
}

gboolean
nn_keras_read_dropout (NnKerasLayer  *layer,
                       GError       **error)
{
  layer->node->attrs.rate = nn_json_double (layer->config, "rate", nn_json_double (layer->config, "p", 0));
  return TRUE;
}
