/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keras's normalisations within one sample: of layers, over one axis or several, and of groups of channels. Sources: Keras 3,
 * layers/normalization/layer_normalization.py, group_normalization.py. */

#include "nn-keras.h"

#include <string.h>

#define EPSILON 1e-3 /* Keras's default */

/* The axes from the first of @axes to the last; they must be all from there on. */
static gboolean
first_axis (NnKerasLayer  *layer,
            JsonArray     *axes,
            guint         *first,
            GError       **error)
{
  guint n = json_array_get_length (axes);
  gboolean seen[NN_MAX_RANK] = { FALSE };

  *first = layer->in->rank - n;
  for (guint i = 0; i < n; i++)
    {
      gint64 axis = 0;

      if (!nn_json_as_int (json_array_get_element (axes, i), &axis))
        return nn_keras_bad (layer, error, "\"axis\" holds something that is no axis");
      axis += axis < 0 ? layer->in->rank + 1 : 0;
      if (axis < 1 || axis > (gint64) layer->in->rank || seen[axis - 1])
        return nn_keras_bad (layer, error, "\"axis\" names an axis that its input has not, or one twice");
      seen[axis - 1] = TRUE;
      /* the weights lie in the order in which the axes are told */
      if (axis - 1 != (gint64) (*first + i))
        return nn_keras_unsupported (layer, error, "only the last axes, in their order, are supported");
    }
  return TRUE;
}

static gboolean
add_shape (NnKerasLayer   *layer,
           NnOp            op,
           const char     *part,
           const NnShape  *target,
           const guint    *perm,
           GError        **error)
{
  g_autofree char *name = g_strdup_printf ("%s__%s", layer->node_name, part);
  guint input = layer->out;
  NnNode *node = nn_keras_add_node (layer, op, part[0] != '\0' ? name : layer->node_name, &input, 1);

  node->origin = node->name;
  if (op == NN_OP_RESHAPE)
    node->attrs.target = *target;
  else
    memcpy (node->attrs.perm, perm, target->rank * sizeof *perm);
  return nn_keras_shape (layer->keras, node, error);
}

/* gamma and beta, with one axis instead of several. */
static gboolean
take_flat (NnKerasLayer   *layer,
           NnRole          role,
           const char     *name,
           const NnShape  *shape,
           GError        **error)
{
  if (!nn_keras_take (layer, role, name, "", shape, error))
    return FALSE;
  if (layer->n_shared == 0)
    {
      NnTensor *values = g_array_index (layer->keras->weights, NnWeight, layer->keras->weights->len - 1).values;

      values->shape = NN_SHAPE ((gint64) values->n);
    }
  return TRUE;
}

static gboolean
take_factors (NnKerasLayer   *layer,
              NnRole          factor,
              NnRole          offset,
              const NnShape  *shape,
              GError        **error)
{
  return (!nn_json_boolean (layer->config, "scale", TRUE) || take_flat (layer, factor, "gamma", shape, error)) &&
         (!nn_json_boolean (layer->config, "center", TRUE) || take_flat (layer, offset, "beta", shape, error));
}

/* The last axes as one, normalised, and unfolded again. */
static gboolean
read_several (NnKerasLayer  *layer,
              guint          first,
              GError       **error)
{
  const NnShape in = *layer->in;
  g_autofree char *name = g_strdup_printf ("%s__norm", layer->node_name);
  NnShape flat = { 0 }, shape = { 0 };
  guint input;
  NnNode *node;

  for (guint i = first; i < in.rank; i++)
    shape.dims[shape.rank++] = in.dims[i];
  if (!nn_shape_is_known (&in))
    return nn_keras_unsupported (layer, error, "over several axes it needs an input of known extents");
  memcpy (flat.dims, in.dims, first * sizeof *in.dims);
  flat.rank = first + 1;
  flat.dims[first] = (gint64) nn_shape_count (&shape);
  layer->remade = TRUE;
  layer->out = layer->inputs[0];
  if (!add_shape (layer, NN_OP_RESHAPE, "flat", &flat, NULL, error))
    return FALSE;
  input = layer->out;
  node = nn_keras_add_node (layer, NN_OP_LAYER_NORM, name, &input, 1);
  node->origin = node->name;
  node->attrs.axis = -1;
  node->attrs.epsilon = nn_json_double (layer->config, "epsilon", EPSILON);
  if (!take_factors (layer, NN_ROLE_GAMMA, NN_ROLE_BETA, &shape, error))
    return FALSE;
  nn_graph_builder_weights (layer->keras->builder, node, (const guint *) (gpointer) layer->ids->data, layer->ids->len);
  return nn_keras_shape (layer->keras, node, error) && add_shape (layer, NN_OP_RESHAPE, "", &in, NULL, error);
}

gboolean
nn_keras_read_layer_norm (NnKerasLayer  *layer,
                          GError       **error)
{
  JsonArray *axes = nn_json_array (layer->config, "axis");
  NnAttrs *attrs;
  guint first;

  if (nn_json_boolean (layer->config, "rms_scaling", FALSE))
    return nn_keras_unsupported (layer, error, "\"rms_scaling\" is not supported");
  if (axes != NULL && json_array_get_length (axes) > 1 && json_array_get_length (axes) <= layer->in->rank)
    return first_axis (layer, axes, &first, error) && read_several (layer, first, error);
  layer->node = nn_keras_add_node (layer, NN_OP_LAYER_NORM, layer->node_name, layer->inputs, 1);
  attrs = &layer->node->attrs;
  if (!nn_keras_read_axis (layer, "axis", -1, &attrs->axis, error))
    return FALSE;
  if (attrs->axis != -1 && attrs->axis != (gint) layer->in->rank - 1)
    return nn_keras_unsupported (layer, error, "only the last axis, or all from one on, are supported");
  attrs->axis = -1;
  attrs->epsilon = nn_json_double (layer->config, "epsilon", EPSILON);
  return take_factors (layer, NN_ROLE_GAMMA, NN_ROLE_BETA, &NN_SHAPE (nn_shape_last (layer->in)), error);
}

/* Steps and channels of a group side by side, normalised, and put back. */
static gboolean
normalise_groups (NnKerasLayer  *layer,
                  gint64         groups,
                  GError       **error)
{
  static const guint swap[] = { 1, 0, 2 };
  const NnShape in = *layer->in;
  const gint64 channels = nn_shape_last (&in), places = (gint64) nn_shape_count (&in) / channels;
  const NnShape split = NN_SHAPE (places, groups, channels / groups), turned = NN_SHAPE (groups, places, channels / groups);
  const NnShape flat = NN_SHAPE (groups, places * (channels / groups));
  g_autofree char *name = g_strdup_printf ("%s__norm", layer->node_name);
  guint input;
  NnNode *node;

  layer->out = layer->inputs[0];
  if (!add_shape (layer, NN_OP_RESHAPE, "split", &split, NULL, error) ||
      !add_shape (layer, NN_OP_PERMUTE, "turned", &split, swap, error) ||
      !add_shape (layer, NN_OP_RESHAPE, "flat", &flat, NULL, error))
    return FALSE;
  input = layer->out;
  node = nn_keras_add_node (layer, NN_OP_LAYER_NORM, name, &input, 1);
  node->origin = node->name;
  node->attrs.axis = -1;
  node->attrs.epsilon = nn_json_double (layer->config, "epsilon", EPSILON);
  return nn_keras_shape (layer->keras, node, error) && add_shape (layer, NN_OP_RESHAPE, "unfolded", &turned, NULL, error) &&
         add_shape (layer, NN_OP_PERMUTE, "back", &turned, swap, error) && add_shape (layer, NN_OP_RESHAPE, "joined", &in, NULL, error);
}

gboolean
nn_keras_read_group_norm (NnKerasLayer  *layer,
                          GError       **error)
{
  gint64 groups = 32, channels = nn_shape_last (layer->in); /* Keras's default */
  guint input;
  NnNode *node;
  gint axis;

  nn_json_int (layer->config, "groups", &groups);
  if (!nn_keras_read_axis (layer, "axis", -1, &axis, error))
    return FALSE;
  if (axis != -1 && axis != (gint) layer->in->rank - 1)
    return nn_keras_unsupported (layer, error, "only channels in the last axis are supported");
  if (!nn_shape_is_known (layer->in))
    return nn_keras_unsupported (layer, error, "it needs an input of known extents");
  if (groups == -1)
    groups = channels;
  if (groups < 1 || channels % groups != 0)
    return nn_keras_bad (layer, error, "\"groups\" does not divide the channels");
  layer->remade = TRUE;
  if (!normalise_groups (layer, groups, error))
    return FALSE;
  input = layer->out;
  node = nn_keras_add_node (layer, NN_OP_SCALE, layer->node_name, &input, 1);
  node->attrs.use_bias = nn_json_boolean (layer->config, "center", TRUE);
  if (!take_factors (layer, NN_ROLE_SCALE, NN_ROLE_BIAS, &NN_SHAPE (channels), error))
    return FALSE;
  nn_graph_builder_weights (layer->keras->builder, node, (const guint *) (gpointer) layer->ids->data, layer->ids->len);
  return nn_keras_shape (layer->keras, node, error);
}
