/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras layers that move or merge data. */

#include "nn-keras.h"

#include <string.h>

gboolean
nn_keras_read_global_pool (NnKerasLayer  *layer,
                           GError       **error)
{
  layer->node->attrs.keep_dims = nn_json_boolean (layer->config, "keepdims", FALSE);
  if (layer->scope->time_distributed)
    return nn_keras_unsupported (layer, error, "global pooling of every step is not supported");
  return nn_keras_channels_last (layer, error);
}

gboolean
nn_keras_read_flatten (NnKerasLayer  *layer,
                       GError       **error)
{
  if (layer->scope->time_distributed)
    {
      /* every step on its own */
      layer->node->op = NN_OP_RESHAPE;
      layer->node->attrs.target = NN_SHAPE (layer->in->dims[0], NN_DIM_UNKNOWN);
      return TRUE;
    }
  return nn_keras_channels_last (layer, error);
}

gboolean
nn_keras_read_reshape (NnKerasLayer  *layer,
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

gboolean
nn_keras_read_permute (NnKerasLayer  *layer,
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

gboolean
nn_keras_read_repeat (NnKerasLayer  *layer,
                      GError       **error)
{
  gint64 n;

  if (!nn_keras_get_count (layer, "n", NULL, &n, error))
    return FALSE;
  if (layer->in->rank != 1)
    return nn_keras_bad (layer, error, "its input must have one axis");
  layer->node->attrs.target = NN_SHAPE (n);
  return TRUE;
}

gboolean
nn_keras_read_upsample (NnKerasLayer  *layer,
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
  return nn_keras_channels_last (layer, error);
}

/* n; (n, n); ((before, after), (before, after)). */
gboolean
nn_keras_read_edges (NnKerasLayer  *layer,
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
      return nn_keras_channels_last (layer, error);
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
  return nn_keras_channels_last (layer, error);
}

gboolean
nn_keras_read_merge (NnKerasLayer  *layer,
                     GError       **error)
{
  return nn_keras_activation (layer, nn_json_get (layer->config, "activation"), &layer->node->attrs, error);
}

gboolean
nn_keras_read_concatenate (NnKerasLayer  *layer,
                           GError       **error)
{
  return nn_keras_read_axis (layer, nn_json_get (layer->config, "axis") == NULL ? "concat_axis" : "axis", -1,
                             &layer->node->attrs.axis, error);
}

/* Two matrices: over the first's last axis and the second's first it is their product, over other two an Einstein sum. */
static gboolean
read_matrix_dot (NnKerasLayer  *layer,
                 GError       **error)
{
  NnAttrs *attrs = &layer->node->attrs;

  static const char *const equations[2][2] = { { "abc,abd->acd", "abc,adb->acd" }, { "acb,abd->acd", "acb,adb->acd" } };
  const NnShape *other = &nn_graph_builder_node (layer->keras->builder, layer->inputs[1])->shape;
  gint first = attrs->axis < 0 ? attrs->axis + 2 : attrs->axis, second = attrs->axis2 < 0 ? attrs->axis2 + 2 : attrs->axis2;

  if (first < 0 || first > 1 || second < 0 || second > 1 || layer->in->dims[first] != other->dims[second])
    return nn_keras_bad (layer, error, "\"axes\" are not two axes of its inputs, or differ in extent");
  memset (attrs, 0, sizeof *attrs);
  layer->node->op = first == 1 && second == 0 ? NN_OP_MATMUL : NN_OP_EINSUM;
  layer->node->attrs.equation = nn_graph_builder_strdup (layer->keras->builder, equations[first][second]);
  layer->node->shape = NN_SHAPE (layer->in->dims[1 - first], other->dims[1 - second]);
  return TRUE;
}

gboolean
nn_keras_read_dot (NnKerasLayer  *layer,
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
  if (layer->n_inputs != 2)
    return nn_keras_unsupported (layer, error, "it has not two inputs");
  if (layer->in->rank == 2 && nn_graph_builder_node (layer->keras->builder, layer->inputs[1])->shape.rank == 2 && !attrs->normalize)
    return read_matrix_dot (layer, error);
  if (layer->in->rank != 1)
    return nn_keras_unsupported (layer, error, "only products of two vectors or of two matrices, not normalised, are supported");
  return TRUE;
}

gboolean
nn_keras_read_embedding (NnKerasLayer  *layer,
                         GError       **error)
{
  gint64 vocabulary;

  if (!nn_keras_get_count (layer, "output_dim", NULL, &layer->node->attrs.units, error) ||
      !nn_keras_get_count (layer, "input_dim", NULL, &vocabulary, error))
    return FALSE;
  return nn_keras_take (layer, NN_ROLE_EMBEDDINGS, "embeddings", "", &NN_SHAPE (vocabulary, layer->node->attrs.units),
                        error);
}

/* hls4ml's example of an extension: the last axis backwards (docs/advanced/extension.rst). */
gboolean
nn_keras_read_reverse (NnKerasLayer  *layer,
                       GError       **error)
{
  layer->node->attrs.axis = -1;
  return TRUE;
}
