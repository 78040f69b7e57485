/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A layer's configuration as Keras 2 writes it, which Keras 3 reads too: from the layer's source, or made anew. */

#include "nn-save-private.h"

#include "nn-error.h"
#include "nn-keras.h"

#include <math.h>
#include <string.h>

static JsonObject *
fail (const NnNode  *node,
      const char    *what,
      GError       **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s): Keras files cannot hold it: %s", node->name,
               node->class_name, what);
  return NULL;
}

static gboolean
is_noise (const char *member)
{
  /* what Keras 3 adds to every object and Keras 2 does not take */
  static const char *const names[] = { "module", "registered_name", "build_config", "shared_object_id", "compile_config" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], member))
      return TRUE;
  return FALSE;
}

/* A copy without what only Keras 3 knows: policies become names, functions too. */
static JsonNode *
to_keras2 (JsonNode *node)
{
  JsonObject *object = nn_json_as_object (node);
  JsonArray *array = nn_json_as_array (node);

  if (array != NULL)
    {
      g_autoptr (JsonArray) copy = json_array_new ();

      for (guint i = 0; i < json_array_get_length (array); i++)
        json_array_add_element (copy, to_keras2 (json_array_get_element (array, i)));
      return json_node_init_array (json_node_alloc (), copy);
    }
  if (object != NULL)
    {
      const char *class_name = nn_json_string (object, "class_name");
      g_autoptr (JsonObject) copy = json_object_new ();
      g_autoptr (GList) members = json_object_get_members (object);

      if (class_name != NULL && (g_str_equal (class_name, "DTypePolicy") || g_str_equal (class_name, "Policy")))
        {
          const char *name = nn_json_string (nn_json_object (object, "config"), "name");

          return json_node_init_string (json_node_alloc (), name != NULL ? name : "float32");
        }
      if (class_name != NULL && g_str_equal (class_name, "function") && nn_json_string (object, "config") != NULL)
        return json_node_init_string (json_node_alloc (), nn_json_string (object, "config"));
      for (GList *l = members; l != NULL; l = l->next)
        if (class_name == NULL || !is_noise (l->data))
          json_object_set_member (copy, l->data, to_keras2 (json_object_get_member (object, l->data)));
      return json_node_init_object (json_node_alloc (), copy);
    }
  return json_node_copy (node);
}

/* Members that Keras 2 alone writes and Keras 3 refuses, where they say nothing. */
static void
drop_keras2 (const char *class_name,
             JsonObject *config)
{
  static const char *const inner[] = { "layer", "backward_layer" };
  static const char *const kernel[] = { "kernel_initializer", "kernel_regularizer", "kernel_constraint" };
  gint64 groups;

  if (strstr (class_name, "RNN") != NULL || strstr (class_name, "LSTM") != NULL || strstr (class_name, "GRU") != NULL)
    {
      if (!nn_json_boolean (config, "time_major", FALSE))
        json_object_remove_member (config, "time_major");
      json_object_remove_member (config, "implementation");
      /* it asks for a fixed number of samples, which is not kept */
      if (json_object_has_member (config, "stateful"))
        json_object_set_boolean_member (config, "stateful", FALSE);
    }
  /* Keras 2 lists the one kernel that its base class has, and this layer has not */
  for (guint i = 0; strstr (class_name, "Separable") != NULL && i < G_N_ELEMENTS (kernel); i++)
    json_object_remove_member (config, kernel[i]);
  if ((strstr (class_name, "Depthwise") != NULL || strstr (class_name, "Separable") != NULL || strstr (class_name, "Transpose") != NULL) &&
      nn_json_int (config, "groups", &groups) && groups == 1)
    json_object_remove_member (config, "groups");
  for (guint i = 0; i < G_N_ELEMENTS (inner); i++)
    {
      JsonObject *layer = nn_json_object (config, inner[i]);

      if (nn_json_string (layer, "class_name") != NULL && nn_json_object (layer, "config") != NULL)
        drop_keras2 (nn_json_string (layer, "class_name"), nn_json_object (layer, "config"));
    }
}

/* What Keras 2 alone writes and Keras 3 stumbles over, in a file for Keras 3. */
static void
drop_shapes (const char *class_name,
             JsonObject *config)
{
  static const char *const shapes[] = { "query_shape", "key_shape", "value_shape" };

  for (guint i = 0; g_str_has_suffix (class_name, "MultiHeadAttention") && i < G_N_ELEMENTS (shapes); i++)
    json_object_remove_member (config, shapes[i]);
}

/* Keras 3's spatial dropout takes neither of these. */
static void
drop_dropout (const char *class_name,
              JsonObject *config)
{
  if (!g_str_has_prefix (class_name, "SpatialDropout"))
    return;
  json_object_remove_member (config, "noise_shape");
  json_object_remove_member (config, "trainable");
}

/* The one axis of a batch norm is a number to Keras 3; Keras 2 writes a list and reads both. */
static void
unlist_axis (const char *class_name,
             JsonObject *config)
{
  JsonArray *axes = nn_json_array (config, "axis");
  gint64 axis;

  if (axes != NULL && json_array_get_length (axes) == 1 && g_str_has_prefix (nn_keras_plain_class (class_name), "BatchNormalization") &&
      nn_json_as_int (json_array_get_element (axes, 0), &axis))
    json_object_set_int_member (config, "axis", axis);
}

/* Members that Keras 3 alone writes, where they say nothing. */
static void
drop_defaults (JsonObject *config)
{
  static const char *const names[] = { "lora_rank", "lora_alpha", "quantization_config", "seed", "optional", "synchronized",
                                       "rms_scaling", "output_padding" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (json_object_has_member (config, names[i]) && nn_json_get (config, names[i]) == NULL)
      json_object_remove_member (config, names[i]);
  if (json_object_has_member (config, "synchronized") && !nn_json_boolean (config, "synchronized", FALSE))
    json_object_remove_member (config, "synchronized");
  if (json_object_has_member (config, "rms_scaling") && !nn_json_boolean (config, "rms_scaling", FALSE))
    json_object_remove_member (config, "rms_scaling");
}

static gboolean
has_sigmoid (double   slope,
             gboolean keras3)
{
  return slope == 0 || (keras3 ? fabs (slope - 1.0 / 6) < 1e-6 : slope == 0.2);
}

static JsonObject *
from_source (const NnNode  *node,
             const char    *name,
             gboolean       keras3,
             const char   **class_name,
             GError       **error)
{
  g_autoptr (JsonNode) source = nn_json_parse (node->source, -1, node->name, error);
  g_autoptr (JsonNode) clean = NULL;
  JsonObject *config;

  if (source == NULL)
    return NULL;
  /* HGQ 2's objects are found by what Keras 3 writes of them */
  clean = keras3 && g_str_has_prefix (nn_json_string (nn_json_as_object (source), "class_name"), "hgq>") ? json_node_copy (source) : to_keras2 (source);
  config = nn_json_object (nn_json_as_object (clean), "config");
  if (config == NULL || nn_json_string (nn_json_as_object (clean), "class_name") == NULL)
    return fail (node, "its source is damaged", error);
  *class_name = g_intern_string (nn_json_string (nn_json_as_object (clean), "class_name"));
  if (keras3 && g_str_has_prefix (*class_name, "hgq>"))
    {
      json_object_set_string_member (config, "name", name);
      return json_object_ref (config);
    }
  if (g_str_has_prefix (*class_name, "hgq>"))
    return fail (node, "HGQ 2's layers keep their quantisers in .keras files alone; ONNX holds what they compute", error);
  drop_defaults (config);
  drop_keras2 (*class_name, config);
  unlist_axis (*class_name, config);
  if (keras3)
    drop_shapes (*class_name, config);
  /* Keras 3's curve under this name is another than Keras 2's, as which an .h5 file is read */
  if (nn_keras_plain_class (*class_name)[0] != 'Q' &&
      ((node->attrs.act == NN_ACT_HARD_SIGMOID && !has_sigmoid (node->attrs.slope, keras3)) ||
       (node->attrs.recurrent_act == NN_ACT_HARD_SIGMOID && !has_sigmoid (node->attrs.recurrent_slope, keras3))))
    return fail (node, keras3 ? "its hard sigmoid is Keras 2's, x / 5 + 1/2, which a .keras file has no name for"
                              : "its hard sigmoid is Keras 3's, x / 6 + 1/2, which an .h5 file has no name for", error);
  if (g_str_equal (*class_name, "ThresholdedReLU"))
    {
      /* Keras 3 has it as ReLU alone */
      *class_name = "ReLU";
      json_object_remove_member (config, "theta");
      json_object_set_null_member (config, "max_value");
      json_object_set_double_member (config, "negative_slope", 0);
      json_object_set_double_member (config, "threshold", node->attrs.threshold);
    }
  if (g_str_equal (*class_name, "BatchNormalizationV1"))
    *class_name = "BatchNormalization";
  /* the default is not the same in all versions */
  if (node->op == NN_OP_GRU)
    json_object_set_boolean_member (config, "reset_after", node->attrs.reset_after);
  json_object_set_string_member (config, "name", name);
  if (!json_object_has_member (config, "trainable"))
    json_object_set_boolean_member (config, "trainable", TRUE);
  if (node->attrs.units > 0 && json_object_has_member (config, "units"))
    json_object_set_int_member (config, "units", node->attrs.units);
  if (node->attrs.units > 0 && json_object_has_member (config, "filters"))
    json_object_set_int_member (config, "filters", node->attrs.units);
  if (!keras3 && g_str_equal (*class_name, "LeakyReLU") && json_object_has_member (config, "negative_slope"))
    {
      json_object_set_double_member (config, "alpha", node->attrs.alpha);
      json_object_remove_member (config, "negative_slope");
    }
  json_object_remove_member (config, "batch_input_shape");
  drop_dropout (*class_name, config);
  return json_object_ref (config);
}

static void
set_pair (JsonObject   *config,
          const char   *name,
          const gint64 *values,
          guint         n)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < n; i++)
    json_array_add_int_element (array, values[i]);
  json_object_set_array_member (config, name, array);
}

/* Where an activation has parameters that its name does not tell, %NULL. */
static const char *
plain_activation (const NnAttrs *a)
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
static JsonNode *
quantizer_node (const NnQuantizer *q)
{
  g_autoptr (JsonNode) source = NULL;
  JsonObject *object, *config;

  if (q->source != NULL && (q->source[0] == '{' || q->source[0] == '"'))
    {
      source = nn_json_parse (q->source, -1, "quantiser", NULL);
      if (source != NULL)
        return to_keras2 (source);
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

static gboolean
set_activation (const NnNode  *node,
                JsonObject    *config,
                gboolean      *quantized,
                GError       **error)
{
  const char *name = plain_activation (&node->attrs);

  if (node->attrs.act == NN_ACT_QUANTIZED && node->attrs.quantizer != NULL)
    {
      JsonNode *q = quantizer_node (node->attrs.quantizer);

      if (q == NULL)
        {
          fail (node, "QKeras has no such quantiser", error);
          return FALSE;
        }
      json_object_set_member (config, "activation", q);
      *quantized = TRUE;
      return TRUE;
    }
  if (name == NULL)
    {
      fail (node, "its activation has parameters; as a layer of its own it can be saved", error);
      return FALSE;
    }
  json_object_set_string_member (config, "activation", name);
  return TRUE;
}

static gboolean
set_role_quantizers (const NnNode  *node,
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
        JsonNode *q = quantizer_node (node->attrs.role_quantizer[roles[i].role]);

        if (q == NULL)
          {
            fail (node, "QKeras has no such quantiser", error);
            return FALSE;
          }
        json_object_set_member (config, roles[i].name, q);
        *quantized = TRUE;
      }
  return TRUE;
}

static const char *
dimensional (const char *stem,
             guint       n)
{
  g_autofree char *name = g_strdup_printf ("%s%uD", stem, n);

  return g_intern_string (name);
}

static gboolean
set_window (const NnNode  *node,
            JsonObject    *config,
            const char    *size,
            guint          n,
            GError       **error)
{
  static const char *const names[] = { "valid", "same", "causal", "valid" };
  const NnAttrs *a = &node->attrs;

  for (guint i = 0; a->padding == NN_PADDING_EXPLICIT && i < n; i++)
    if (a->pad[i][0] != 0 || a->pad[i][1] != 0)
      {
        fail (node, "its padding is told in numbers", error);
        return FALSE;
      }
  set_pair (config, size, a->kernel, n);
  set_pair (config, "strides", a->stride, n);
  json_object_set_string_member (config, "padding", names[a->padding]);
  json_object_set_string_member (config, "data_format", "channels_last");
  return TRUE;
}

static gboolean
multiply_config (const NnNode  *node,
                 JsonObject    *config,
                 const char   **class_name,
                 GError       **error)
{
  const NnAttrs *a = &node->attrs;
  const gint64 ones[2] = { 1, 1 }, dilation[2] = { MAX (a->dilation[0], 1), MAX (a->dilation[1], 1) };
  gboolean quantized = FALSE;
  guint n = 0;

  switch (node->op)
    {
    case NN_OP_CONV1D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_SEPARABLE_CONV1D:
      n = 1;
      break;
    case NN_OP_CONV2D:
    case NN_OP_CONV2D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV2D:
      n = 2;
      break;
    default:
      break;
    }
  if (n == 0)
    json_object_set_int_member (config, "units", a->units);
  else
    {
      if (!set_window (node, config, "kernel_size", n, error))
        return FALSE;
      set_pair (config, "dilation_rate", a->dilation[0] > 0 ? dilation : ones, n);
      if (node->op == NN_OP_DEPTHWISE_CONV1D || node->op == NN_OP_DEPTHWISE_CONV2D)
        json_object_set_int_member (config, "depth_multiplier", MAX (a->depth_multiplier, 1));
      else
        json_object_set_int_member (config, "filters", a->units);
      if (node->op == NN_OP_SEPARABLE_CONV1D || node->op == NN_OP_SEPARABLE_CONV2D)
        json_object_set_int_member (config, "depth_multiplier", MAX (a->depth_multiplier, 1));
      if (a->groups > 1 && (node->op == NN_OP_CONV1D || node->op == NN_OP_CONV2D))
        json_object_set_int_member (config, "groups", a->groups);
    }
  json_object_set_boolean_member (config, "use_bias", a->use_bias);
  if (!set_activation (node, config, &quantized, error) || !set_role_quantizers (node, config, &quantized, error))
    return FALSE;
  *class_name = nn_op_info (node->op)->name;
  if (quantized)
    {
      g_autofree char *name = g_strdup_printf ("Q%s", *class_name);

      *class_name = g_intern_string (name);
    }
  return TRUE;
}

static gboolean
activation_config (const NnNode  *node,
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
      if (plain_activation (a) != NULL)
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
  if (!set_activation (node, config, &quantized, error))
    return FALSE;
  if (quantized)
    *class_name = "QActivation";
  return TRUE;
}

static gboolean
norm_config (const NnModel *model,
             const NnNode  *node,
             JsonObject    *config,
             const char   **class_name)
{
  const NnAttrs *a = &node->attrs;

  /* x * scale + bias is a batch norm of mean 0 and variance 1 */
  *class_name = node->op == NN_OP_LAYER_NORM ? "LayerNormalization" : "BatchNormalization";
  json_object_set_int_member (config, "axis", a->axis >= 0 && node->op == NN_OP_BATCH_NORM ? a->axis + 1 : -1);
  json_object_set_double_member (config, "epsilon", node->op == NN_OP_SCALE ? 0 : a->epsilon);
  json_object_set_boolean_member (config, "center",
                                  node->op == NN_OP_SCALE || nn_model_node_weight (model, node, NN_ROLE_BETA) != NULL);
  json_object_set_boolean_member (config, "scale",
                                  node->op == NN_OP_SCALE || nn_model_node_weight (model, node, NN_ROLE_GAMMA) != NULL);
  if (node->op != NN_OP_LAYER_NORM)
    json_object_set_double_member (config, "momentum", a->momentum > 0 ? a->momentum : 0.99);
  return TRUE;
}

static gboolean
recurrent_config (const NnNode  *node,
                  JsonObject    *config,
                  const char   **class_name,
                  GError       **error)
{
  const NnAttrs *a = &node->attrs;
  const NnAttrs gate = { .act = a->recurrent_act, .slope = a->recurrent_slope, .shift = a->recurrent_shift };
  const char *recurrent = plain_activation (&gate);
  gboolean quantized = FALSE;

  *class_name = nn_op_info (node->op)->name;
  json_object_set_int_member (config, "units", a->units);
  json_object_set_boolean_member (config, "use_bias", a->use_bias);
  json_object_set_boolean_member (config, "return_sequences", a->return_sequences);
  json_object_set_boolean_member (config, "go_backwards", a->go_backwards);
  if (node->op == NN_OP_GRU)
    json_object_set_boolean_member (config, "reset_after", a->reset_after);
  if (!set_activation (node, config, &quantized, error))
    return FALSE;
  if (quantized || (node->op != NN_OP_SIMPLE_RNN && recurrent == NULL))
    {
      fail (node, "its activations are not Keras's", error);
      return FALSE;
    }
  if (node->op != NN_OP_SIMPLE_RNN)
    json_object_set_string_member (config, "recurrent_activation", recurrent);
  return TRUE;
}

/* Before and after each of @n axes. */
static void
set_edges (JsonObject   *config,
           const char   *name,
           const gint64  edges[2][2],
           guint         n)
{
  JsonArray *pairs;

  if (n == 1)
    {
      set_pair (config, name, edges[0], 2);
      return;
    }
  pairs = json_array_new ();
  for (guint i = 0; i < n; i++)
    {
      JsonArray *pair = json_array_new ();

      json_array_add_int_element (pair, edges[i][0]);
      json_array_add_int_element (pair, edges[i][1]);
      json_array_add_array_element (pairs, pair);
    }
  json_object_set_array_member (config, name, pairs);
}

/* A part of one axis that is not the channels', without gaps, is what a cropping layer leaves. */
static gboolean
slice_config (const NnNode  *node,
              const NnShape *in,
              JsonObject    *config,
              const char   **class_name,
              GError       **error)
{
  const NnAttrs *a = &node->attrs;
  guint n = in->rank - 1;
  gint axis = a->axis < 0 ? a->axis + (gint) in->rank : a->axis;
  gint64 cut[2][2] = { { 0 } };

  if (n < 1 || n > 2 || axis >= (gint) n || a->step != 1 || in->dims[axis] < 1)
    return fail (node, "Keras has no layer that takes such a part", error) != NULL;
  cut[axis][0] = a->begin;
  cut[axis][1] = in->dims[axis] - a->end;
  *class_name = dimensional ("Cropping", n);
  set_edges (config, "cropping", cut, n);
  return TRUE;
}

static gboolean
shape_config (const NnNode  *node,
              guint          rank, /* of the input */
              JsonObject    *config,
              const char   **class_name)
{
  const NnAttrs *a = &node->attrs;
  guint n = rank >= 3 ? 2 : 1;
  gint64 dims[NN_MAX_RANK];

  switch (node->op)
    {
    case NN_OP_RESHAPE:
      set_pair (config, "target_shape", a->target.dims, a->target.rank);
      return TRUE;
    case NN_OP_PERMUTE:
      for (guint i = 0; i < rank; i++)
        dims[i] = a->perm[i] + 1;
      set_pair (config, "dims", dims, rank);
      return TRUE;
    case NN_OP_REPEAT_VECTOR:
      json_object_set_int_member (config, "n", a->target.dims[0]);
      return TRUE;
    case NN_OP_UPSAMPLE:
      *class_name = dimensional ("UpSampling", n);
      if (n == 1)
        json_object_set_int_member (config, "size", a->size[0]);
      else
        {
          set_pair (config, "size", a->size, 2);
          json_object_set_string_member (config, "interpolation",
                                         a->interpolation == NN_INTERPOLATION_BILINEAR ? "bilinear" : "nearest");
        }
      return TRUE;
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      *class_name = dimensional (node->op == NN_OP_CROP ? "Cropping" : "ZeroPadding", n);
      set_edges (config, node->op == NN_OP_CROP ? "cropping" : "padding", a->pad, n);
      return TRUE;
    default:
      return TRUE;
    }
}

/* From operator and attributes. */
static gboolean
make_config (const NnModel *model,
             const NnNode  *node,
             JsonObject    *config,
             const char   **class_name,
             GError       **error)
{
  const NnNode *input = node->n_inputs > 0 ? nn_graph_node (nn_model_graph (model), node->inputs[0]) : NULL;
  guint rank = input != NULL ? input->shape.rank : 0;

  *class_name = nn_op_info (node->op)->name;
  switch (node->op)
    {
    case NN_OP_DENSE:
    case NN_OP_CONV1D:
    case NN_OP_CONV2D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_SEPARABLE_CONV2D:
      return multiply_config (node, config, class_name, error);
    case NN_OP_BATCH_NORM:
    case NN_OP_LAYER_NORM:
    case NN_OP_SCALE:
      return norm_config (model, node, config, class_name);
    case NN_OP_ACTIVATION:
      return activation_config (node, config, class_name, error);
    case NN_OP_QUANTIZE:
      {
        JsonNode *q = node->attrs.quantizer != NULL ? quantizer_node (node->attrs.quantizer) : NULL;

        *class_name = "QActivation";
        if (q == NULL)
          return fail (node, "QKeras has no such quantiser", error) != NULL;
        json_object_set_member (config, "activation", q);
        return TRUE;
      }
    case NN_OP_DROPOUT:
      json_object_set_double_member (config, "rate", node->attrs.rate);
      return TRUE;
    case NN_OP_MAX_POOL1D:
    case NN_OP_AVG_POOL1D:
      return set_window (node, config, "pool_size", 1, error);
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL2D:
      return set_window (node, config, "pool_size", 2, error);
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      *class_name = dimensional (node->op == NN_OP_GLOBAL_MAX_POOL ? "GlobalMaxPooling" : "GlobalAveragePooling",
                                 rank >= 3 ? 2 : 1);
      json_object_set_boolean_member (config, "keepdims", node->attrs.keep_dims);
      return TRUE;
    case NN_OP_ADD:
    case NN_OP_SUBTRACT:
    case NN_OP_MULTIPLY:
    case NN_OP_AVERAGE:
    case NN_OP_MAXIMUM:
    case NN_OP_MINIMUM:
    case NN_OP_FLATTEN:
      return TRUE;
    case NN_OP_CONCATENATE:
      json_object_set_int_member (config, "axis", node->attrs.axis < 0 ? node->attrs.axis : node->attrs.axis + 1);
      return TRUE;
    case NN_OP_RESHAPE:
    case NN_OP_PERMUTE:
    case NN_OP_REPEAT_VECTOR:
    case NN_OP_UPSAMPLE:
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      return shape_config (node, rank, config, class_name);
    case NN_OP_SLICE:
      return slice_config (node, &input->shape, config, class_name, error);
    case NN_OP_MATMUL:
      /* of two matrices a sample */
      if (rank != 2 || nn_graph_node (nn_model_graph (model), node->inputs[1])->shape.rank != 2)
        return fail (node, "Keras has a product of two matrices only", error) != NULL;
      *class_name = "Dot";
      set_pair (config, "axes", (const gint64[]){ 2, 1 }, 2);
      json_object_set_boolean_member (config, "normalize", FALSE);
      return TRUE;
    case NN_OP_EMBEDDING:
      json_object_set_int_member (config, "input_dim",
                                  nn_model_node_weight (model, node, NN_ROLE_EMBEDDINGS)->values->shape.dims[0]);
      json_object_set_int_member (config, "output_dim", node->attrs.units);
      return TRUE;
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      return recurrent_config (node, config, class_name, error);
    default:
      return fail (node, "Keras has no such layer", error) != NULL;
    }
}

JsonObject *
nn_save_keras_config (const NnModel  *model,
                      const NnNode   *node,
                      const char     *name,
                      gboolean        keras3,
                      const char    **class_name,
                      GError        **error)
{
  g_autoptr (JsonObject) config = NULL;

  if (node->source != NULL)
    return from_source (node, name, keras3, class_name, error);
  config = json_object_new ();
  json_object_set_string_member (config, "name", name);
  json_object_set_boolean_member (config, "trainable", TRUE);
  json_object_set_string_member (config, "dtype", "float32");
  /* the name means another curve there */
  if (keras3 && (node->attrs.act == NN_ACT_HARD_SIGMOID || node->attrs.recurrent_act == NN_ACT_HARD_SIGMOID))
    return fail (node, "its hard sigmoid is Keras 2's, x / 5 + 1/2, which a .keras file has no name for", error);
  if (!make_config (model, node, config, class_name, error))
    return NULL;
  return g_steal_pointer (&config);
}
