/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations and quantisers as Keras and QKeras write them. */

#include "nn-save-keras-config.h"

/* Where an activation has parameters that its name does not tell, %NULL. */
const char *
nn_keras_plain_activation (const NnAttrs *a)
{
  switch (a->act)
    {
    case NN_ACT_RELU:
      return a->alpha == 0 && a->max_value == 0 && a->threshold == 0 ? "relu" : NULL;
    case NN_ACT_ELU:
      return a->alpha == 1 ? "elu" : NULL;
    case NN_ACT_HARD_SIGMOID:
      return a->slope == 0.2 && a->shift == 0.5 ? "hard_sigmoid" : NULL;
    case NN_ACT_LINEAR:
    case NN_ACT_SELU:
    case NN_ACT_GELU:
    case NN_ACT_SIGMOID:
    case NN_ACT_TANH:
    case NN_ACT_SOFTPLUS:
    case NN_ACT_SOFTSIGN:
    case NN_ACT_SOFTMAX:
    case NN_ACT_EXPONENTIAL:
    case NN_ACT_SWISH:
    case NN_ACT_BINARY_TANH:
    case NN_ACT_TERNARY_TANH:
      return nn_act_name (a->act);
    default:
      return NULL;
    }
}

/* Nothing, a number, or one for each channel. */
static void
set_alpha (JsonObject        *config,
           const NnQuantizer *q)
{
  JsonArray *list;

  if (q->alpha_mode != NN_ALPHA_FIXED)
    {
      json_object_set_int_member (config, "alpha", 1);
      return;
    }
  if (q->n_alpha == 1)
    {
      json_object_set_double_member (config, "alpha", q->alpha[0]);
      return;
    }
  list = json_array_new ();
  for (guint i = 0; i < q->n_alpha; i++)
    json_array_add_double_element (list, q->alpha[i]);
  json_object_set_array_member (config, "alpha", list);
}

/* QKeras's object for a quantiser: the one of the file, or one that means the same. */
JsonNode *
nn_keras_quantizer_node (const NnQuantizer *q)
{
  g_autoptr (JsonNode) source = NULL;
  JsonObject *object, *config;

  if (q->source != NULL && (q->source[0] == '{' || q->source[0] == '"'))
    {
      source = nn_json_parse (q->source, -1, "quantiser", NULL);
      if (source != NULL)
        return nn_keras_to_keras2 (source);
    }
  if (q->per_element != NULL || q->zero_point != 0 || q->alpha_mode > NN_ALPHA_FIXED)
    return NULL;
  object = json_object_new ();
  config = json_object_new ();
  if (q->kind == NN_QUANT_BINARY && q->type.kind == NN_TYPE_BINARY)
    {
      json_object_set_boolean_member (config, "use_01", FALSE);
      set_alpha (config, q);
      json_object_set_string_member (object, "class_name", "binary");
      json_object_set_object_member (object, "config", config);
      return json_node_init_object (json_node_alloc (), object);
    }
  if (q->kind != NN_QUANT_FIXED || q->type.kind != NN_TYPE_FIXED || q->type.rounding != NN_ROUND_RND_CONV ||
      (q->alpha_mode == NN_ALPHA_FIXED && !q->alpha_divides))
    {
      json_object_unref (object);
      json_object_unref (config);
      return NULL;
    }
  if (q->alpha_mode == NN_ALPHA_FIXED)
    {
      json_object_set_int_member (config, "bits", q->type.width);
      json_object_set_int_member (config, "integer", q->type.integer - (q->type.is_signed ? 1 : 0));
      json_object_set_boolean_member (config, "symmetric", q->symmetric);
      json_object_set_boolean_member (config, "keep_negative", q->type.is_signed);
      set_alpha (config, q);
      json_object_set_string_member (object, "class_name", "quantized_linear");
      json_object_set_object_member (object, "config", config);
      return json_node_init_object (json_node_alloc (), object);
    }
  json_object_set_int_member (config, "bits", q->type.width);
  json_object_set_int_member (config, "integer", q->type.integer - (q->type.is_signed ? 1 : 0));
  json_object_set_int_member (config, "symmetric", q->symmetric);
  json_object_set_boolean_member (config, "keep_negative", q->type.is_signed);
  json_object_set_int_member (config, "alpha", 1);
  json_object_set_string_member (object, "class_name", "quantized_bits");
  json_object_set_object_member (object, "config", config);
  return json_node_init_object (json_node_alloc (), object);
}

gboolean
nn_keras_set_activation (const NnNode  *node,
                         JsonObject    *config,
                         gboolean      *quantized,
                         GError       **error)
{
  const char *name = nn_keras_plain_activation (&node->attrs);

  if (node->attrs.act == NN_ACT_QUANTIZED && node->attrs.quantizer != NULL)
    {
      JsonNode *q = nn_keras_quantizer_node (node->attrs.quantizer);

      if (q == NULL)
        {
          nn_keras_cannot (node, "QKeras has no such quantiser", error);
          return FALSE;
        }
      json_object_set_member (config, "activation", q);
      *quantized = TRUE;
      return TRUE;
    }
  if (name == NULL)
    {
      nn_keras_cannot (node, "its activation has parameters; as a layer of its own it can be saved", error);
      return FALSE;
    }
  json_object_set_string_member (config, "activation", name);
  return TRUE;
}

gboolean
nn_keras_set_role_quantizers (const NnNode  *node,
                              JsonObject    *config,
                              gboolean      *quantized,
                              GError       **error)
{
  static const struct {
    NnRole      role;
    const char *name;
  } roles[] = {
    { NN_ROLE_KERNEL, "kernel_quantizer" },
    { NN_ROLE_BIAS, "bias_quantizer" },
    { NN_ROLE_DEPTHWISE_KERNEL, "depthwise_quantizer" },
    { NN_ROLE_POINTWISE_KERNEL, "pointwise_quantizer" },
    { NN_ROLE_RECURRENT_KERNEL, "recurrent_quantizer" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (node->attrs.role_quantizer[roles[i].role] != NULL)
      {
        JsonNode *q = nn_keras_quantizer_node (node->attrs.role_quantizer[roles[i].role]);

        if (q == NULL)
          {
            nn_keras_cannot (node, "QKeras has no such quantiser", error);
            return FALSE;
          }
        json_object_set_member (config, roles[i].name, q);
        *quantized = TRUE;
      }
  return TRUE;
}

gboolean
nn_keras_activation_config (const NnNode  *node,
                            JsonObject    *config,
                            const char   **class_name,
                            GError       **error)
{
  const NnAttrs *a = &node->attrs;
  gboolean quantized = FALSE;

  *class_name = "Activation";
  switch (a->act)
    {
    case NN_ACT_RELU:
      if (nn_keras_plain_activation (a) != NULL)
        break;
      *class_name = "ReLU";
      if (a->max_value > 0)
        json_object_set_double_member (config, "max_value", a->max_value);
      else
        json_object_set_null_member (config, "max_value");
      json_object_set_double_member (config, "negative_slope", a->alpha);
      json_object_set_double_member (config, "threshold", a->threshold);
      return TRUE;
    case NN_ACT_LEAKY_RELU:
      *class_name = "LeakyReLU";
      json_object_set_double_member (config, "alpha", a->alpha);
      return TRUE;
    case NN_ACT_THRESHOLDED_RELU:
      *class_name = "ReLU";
      json_object_set_null_member (config, "max_value");
      json_object_set_double_member (config, "negative_slope", 0);
      json_object_set_double_member (config, "threshold", a->threshold);
      return TRUE;
    case NN_ACT_ELU:
      if (a->alpha == 1)
        break;
      *class_name = "ELU";
      json_object_set_double_member (config, "alpha", a->alpha);
      return TRUE;
    case NN_ACT_SOFTMAX:
      if (a->axis == -1)
        break;
      *class_name = "Softmax";
      json_object_set_int_member (config, "axis", a->axis < 0 ? a->axis : a->axis + 1);
      return TRUE;
    default:
      break;
    }
  if (!nn_keras_set_activation (node, config, &quantized, error))
    return FALSE;
  if (quantized)
    *class_name = "QActivation";
  return TRUE;
}
