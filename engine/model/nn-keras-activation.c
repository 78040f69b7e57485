/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations as Keras writes them: a name, a QKeras expression, or an object. */

#include "nn-keras.h"

#include "nn-error.h"
#include "nn-text.h"

#include <string.h>

static const struct {
  const char *name;
  NnAct       act;
  double      alpha;
  double      max_value;
} names[] = {
  { "linear", NN_ACT_LINEAR, 0, 0 },
  { "relu", NN_ACT_RELU, 0, 0 },
  { "relu6", NN_ACT_RELU, 0, 6 },
  { "leaky_relu", NN_ACT_LEAKY_RELU, 0.2, 0 }, /* of tf.nn.leaky_relu and Keras 3's activation, not the layer's 0.3 */
  { "elu", NN_ACT_ELU, 1, 0 },
  { "selu", NN_ACT_SELU, 0, 0 },
  { "gelu", NN_ACT_GELU, 0, 0 },
  { "sigmoid", NN_ACT_SIGMOID, 0, 0 },
  { "tanh", NN_ACT_TANH, 0, 0 },
  { "hard_tanh", NN_ACT_HARD_TANH, 0, 0 },
  { "softplus", NN_ACT_SOFTPLUS, 0, 0 },
  { "softsign", NN_ACT_SOFTSIGN, 0, 0 },
  { "softmax", NN_ACT_SOFTMAX, 0, 0 },
  { "exponential", NN_ACT_EXPONENTIAL, 0, 0 },
  { "swish", NN_ACT_SWISH, 0, 0 },
  { "silu", NN_ACT_SWISH, 0, 0 },
  { "mish", NN_ACT_MISH, 0, 0 },
  { "sin", NN_ACT_SIN, 0, 0 },
  { "cos", NN_ACT_COS, 0, 0 },
  { "binary_tanh", NN_ACT_BINARY_TANH, 0, 0 },
  { "ternary_tanh", NN_ACT_TERNARY_TANH, 0, 0 },
};

static gboolean
by_name (NnKerasLayer *layer,
         const char   *name,
         NnAttrs      *attrs)
{
  double max;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i].name, name))
      {
        attrs->act = names[i].act;
        attrs->alpha = names[i].alpha;
        attrs->max_value = names[i].max_value;
        attrs->axis = names[i].act == NN_ACT_SOFTMAX ? -1 : attrs->axis;
        return TRUE;
      }
  if (layer->class_name[0] == 'Q' && !layer->hgq2 && (g_str_equal (name, "hard_sigmoid") || g_str_equal (name, "smooth_sigmoid")))
    {
      /* QKeras's own, qkeras/quantizers.py */
      attrs->act = NN_ACT_HARD_SIGMOID;
      attrs->slope = name[0] == 'h' ? 0.5 : 0.1875;
      attrs->shift = 0.5;
      return TRUE;
    }
  if (g_str_equal (name, "hard_sigmoid"))
    {
      /* Keras 3 changed it: relu6(x + 3) / 6 */
      attrs->act = NN_ACT_HARD_SIGMOID;
      attrs->slope = layer->keras->major >= 3 ? 1.0 / 6 : 0.2;
      attrs->shift = 0.5;
      return TRUE;
    }
  /* relu1 and its like, of BinaryNet's authors */
  if (g_str_has_prefix (name, "relu") && nn_text_to_double (name + 4, &max) && max > 0)
    {
      attrs->act = NN_ACT_RELU;
      attrs->max_value = max;
      return TRUE;
    }
  return FALSE;
}

static gboolean
by_layer (NnKerasLayer *layer,
          const char   *class_name,
          JsonObject   *config,
          NnAttrs      *attrs)
{
  if (g_str_equal (class_name, "ReLU"))
    {
      attrs->act = NN_ACT_RELU;
      attrs->max_value = nn_json_double (config, "max_value", 0);
      attrs->alpha = nn_json_double (config, "negative_slope", 0);
      attrs->threshold = nn_json_double (config, "threshold", 0);
      return TRUE;
    }
  if (g_str_equal (class_name, "LeakyReLU"))
    {
      attrs->act = NN_ACT_LEAKY_RELU;
      attrs->alpha = nn_json_double (config, "negative_slope", nn_json_double (config, "alpha", 0.3));
      return TRUE;
    }
  if (g_str_equal (class_name, "ELU"))
    {
      attrs->act = NN_ACT_ELU;
      attrs->alpha = nn_json_double (config, "alpha", 1);
      return TRUE;
    }
  if (g_str_equal (class_name, "Activation") && nn_json_string (config, "activation") != NULL)
    return by_name (layer, nn_json_string (config, "activation"), attrs);
  return FALSE;
}

/* Of no published QKeras: what it rounds is not known. */
static gboolean
quantized_softmax (NnKerasLayer *layer,
                   NnAttrs      *attrs)
{
  attrs->act = NN_ACT_SOFTMAX;
  attrs->axis = -1;
  if (layer->node != NULL)
    layer->node->reason = nn_graph_builder_strdup (layer->keras->builder,
                                                   N_("\"quantized_softmax\" is no activation of QKeras's; a softmax without rounding is taken"));
  return TRUE;
}

/**
 * nn_keras_activation:
 * @json: (nullable): linear without it
 * @attrs: `act` and what goes with it are set; a quantiser becomes `quantizer` with %NN_ACT_QUANTIZED
 *
 * Errors: %NN_ERROR_UNSUPPORTED, %NN_ERROR_FORMAT
 */
gboolean
nn_keras_activation (NnKerasLayer  *layer,
                     JsonNode      *json,
                     NnAttrs       *attrs,
                     GError       **error)
{
  JsonObject *object = nn_json_as_object (json);
  const char *name = nn_json_as_string (json);

  attrs->act = NN_ACT_LINEAR;
  if (json == NULL)
    return TRUE;
  if (object != NULL)
    {
      const char *class_name = nn_json_string (object, "class_name");

      if (class_name == NULL)
        return nn_keras_bad (layer, error, "\"activation\" has no \"class_name\"");
      if (strrchr (class_name, '>') != NULL)
        class_name = strrchr (class_name, '>') + 1;
      if (g_str_equal (class_name, "quantized_softmax"))
        return quantized_softmax (layer, attrs);
      if (g_str_equal (class_name, "function"))
        name = nn_json_string (object, "config");
      else if (by_layer (layer, class_name, nn_json_object (object, "config"), attrs))
        return TRUE;
    }
  if (name != NULL && g_str_has_prefix (name, "quantized_softmax"))
    return quantized_softmax (layer, attrs);
  if (name != NULL && by_name (layer, name, attrs))
    return TRUE;
  if (name == NULL && object == NULL)
    return nn_keras_bad (layer, error, "\"activation\" is neither a name nor an object");
  if (!nn_keras_quantizer (layer, json, &attrs->quantizer, error))
    return FALSE;
  if (attrs->quantizer != NULL)
    attrs->act = NN_ACT_QUANTIZED;
  return TRUE;
}
