/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A layer's configuration from what its file said of it, in the words of the file it goes to. */

#include "nn-save-keras-config.h"

#include "nn-error.h"
#include "nn-keras.h"

#include <math.h>
#include <string.h>

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
JsonNode *
nn_keras_to_keras2 (JsonNode *node)
{
  JsonObject *object = nn_json_as_object (node);
  JsonArray *array = nn_json_as_array (node);

  if (array != NULL)
    {
      g_autoptr (JsonArray) copy = json_array_new ();

      for (guint i = 0; i < json_array_get_length (array); i++)
        json_array_add_element (copy, nn_keras_to_keras2 (json_array_get_element (array, i)));
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
          json_object_set_member (copy, l->data, nn_keras_to_keras2 (json_object_get_member (object, l->data)));
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

JsonObject *
nn_keras_config_of_source (const NnNode  *node,
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
  clean = keras3 && g_str_has_prefix (nn_json_string (nn_json_as_object (source), "class_name"), "hgq>") ? json_node_copy (source) : nn_keras_to_keras2 (source);
  config = nn_json_object (nn_json_as_object (clean), "config");
  if (config == NULL || nn_json_string (nn_json_as_object (clean), "class_name") == NULL)
    return nn_keras_cannot (node, "its source is damaged", error);
  *class_name = g_intern_string (nn_json_string (nn_json_as_object (clean), "class_name"));
  if (keras3 && g_str_has_prefix (*class_name, "hgq>"))
    {
      json_object_set_string_member (config, "name", name);
      return json_object_ref (config);
    }
  if (g_str_has_prefix (*class_name, "hgq>"))
    return nn_keras_cannot (node, "HGQ 2's layers keep their quantisers in .keras files alone; ONNX holds what they compute", error);
  drop_defaults (config);
  drop_keras2 (*class_name, config);
  unlist_axis (*class_name, config);
  if (keras3)
    drop_shapes (*class_name, config);
  /* Keras 3's curve under this name is another than Keras 2's, as which an .h5 file is read */
  if (nn_keras_plain_class (*class_name)[0] != 'Q' &&
      ((node->attrs.act == NN_ACT_HARD_SIGMOID && !has_sigmoid (node->attrs.slope, keras3)) ||
       (node->attrs.recurrent_act == NN_ACT_HARD_SIGMOID && !has_sigmoid (node->attrs.recurrent_slope, keras3))))
    return nn_keras_cannot (node, keras3 ? "its hard sigmoid is Keras 2's, x / 5 + 1/2, which a .keras file has no name for"
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
