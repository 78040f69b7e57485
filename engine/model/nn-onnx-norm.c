/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's normalisations. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* (x - mean) / sqrt (variance + epsilon) over @axes, times a scale and plus a shift, either (nullable). */
static gboolean
normalize (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           const gint64     *axes,
           guint             n,
           double            epsilon,
           const char       *scale,
           const char       *shift,
           GError          **error)
{
  const char *mean = nn_onnx_middle (onnx, op, "mean"), *centred = nn_onnx_middle (onnx, op, "centred"), *square = nn_onnx_middle (onnx, op, "square");
  const char *variance = nn_onnx_middle (onnx, op, "variance"), *number = nn_onnx_middle (onnx, op, "epsilon"), *sum = nn_onnx_middle (onnx, op, "shifted");
  const char *root = nn_onnx_middle (onnx, op, "root"), *normal = nn_onnx_middle (onnx, op, "normal"), *scaled = nn_onnx_middle (onnx, op, "scaled"), *out = nn_onnx_out (op, 0);

  nn_onnx_number (onnx, number, epsilon);
  return nn_onnx_run_along (onnx, "ReduceMean", mean, op->input[0], axes, n, error) &&
         nn_onnx_run (onnx, "Sub", centred, op->input[0], mean, error) &&
         nn_onnx_run (onnx, "Mul", square, centred, centred, error) &&
         nn_onnx_run_along (onnx, "ReduceMean", variance, square, axes, n, error) &&
         nn_onnx_run (onnx, "Add", sum, variance, number, error) && nn_onnx_run (onnx, "Sqrt", root, sum, NULL, error) &&
         nn_onnx_run (onnx, "Div", scale != NULL ? normal : out, centred, root, error) &&
         (scale == NULL || nn_onnx_run (onnx, "Mul", shift != NULL ? scaled : out, normal, scale, error)) &&
         (scale == NULL || shift == NULL || nn_onnx_run (onnx, "Add", out, scaled, shift, error));
}

/* A constant of one number a channel as (channels, 1, 1...), so that it goes along the second axis of the file. */
static const char *
channel_constant (NnOnnx          *onnx,
                  Onnx__NodeProto *op,
                  guint            i,
                  guint            rank)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);
  NnShape shape = { .rank = rank - 1 };
  const char *name = nn_onnx_middle (onnx, op, i == 1 ? "scale" : "shift");
  g_autoptr (NnTensor) values = NULL;
  NnTensor *copy;

  if (value == NULL || value->constant == NULL)
    return NULL;
  values = nn_onnx_baked (value);
  shape.dims[0] = (gint64) values->n;
  for (guint k = 1; k < shape.rank; k++)
    shape.dims[k] = 1;
  copy = nn_tensor_new (NN_DTYPE_F32, &shape);
  memcpy (copy->data, values->data, values->n * sizeof (float));
  nn_onnx_constant (onnx, name, copy);
  return name;
}

gboolean
nn_onnx_read_instance_norm (NnOnnx           *onnx,
                            Onnx__NodeProto  *op,
                            GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gint64 axes[NN_MAX_RANK];
  const char *scale, *shift;
  guint rank;

  if (value == NULL)
    return FALSE;
  rank = value->rank;
  if (rank < 3 || value->batch != 0)
    return nn_load_unsupported (error, "its data must have channels and at least one axis more");
  scale = channel_constant (onnx, op, 1, rank);
  shift = channel_constant (onnx, op, 2, rank);
  if (scale == NULL || shift == NULL)
    return nn_load_unsupported (error, "its weights must be constant");
  for (guint i = 2; i < rank; i++)
    axes[i - 2] = i;
  return normalize (onnx, op, axes, rank - 2, nn_onnx_float (op, "epsilon", 1e-5), scale, shift, error);
}

/* LayerNormalization over several axes. */
static gboolean
read_layer_norm_axes (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gint64 axes[NN_MAX_RANK], first = nn_onnx_int (op, "axis", -1);
  guint n = 0;

  if (value == NULL)
    return FALSE;
  first += first < 0 ? (gint64) value->rank : 0;
  if (first < 1 || first >= (gint64) value->rank || value->batch != 0)
    return nn_load_unsupported (error, "its axis is the batch's, or none");
  for (gint64 i = first; i < (gint64) value->rank; i++)
    axes[n++] = i;
  return normalize (onnx, op, axes, n, nn_onnx_float (op, "epsilon", 1e-5), op->n_input > 1 ? op->input[1] : NULL,
                    op->n_input > 2 && op->input[2][0] != '\0' ? op->input[2] : NULL, error);
}

/* BatchNormalization and LayerNormalization. */
gboolean
nn_onnx_read_norm (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  static const struct {
    NnRole      role;
    const char *name;
  } parts[] = { { NN_ROLE_GAMMA, "gamma" }, { NN_ROLE_BETA, "beta" }, { NN_ROLE_MEAN, "moving_mean" },
                { NN_ROLE_VARIANCE, "moving_variance" } };
  gboolean layer = g_str_equal (op->op_type, "LayerNormalization");
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0);
  const NnShape *shape;
  gint64 channels;
  guint axis;
  NnNode *node;

  if (value == NULL || value->constant != NULL || value->rank < 2 || value->batch != 0)
    return nn_load_unsupported (error, "its data must have an axis besides the batch's");
  axis = layer || nn_onnx_is_channels_last (op) ? value->rank - 1 : 1;
  if (layer && (!nn_onnx_axis (value, nn_onnx_int (op, "axis", -1), &axis) || axis != value->rank - 1))
    return read_layer_norm_axes (onnx, op, error);
  if (value->at[axis - 1] == NN_ONNX_VIRTUAL && !nn_onnx_natural (onnx, value, error))
    return FALSE;
  shape = nn_onnx_shape (onnx, value);
  channels = shape->dims[value->at[axis - 1]];
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    {
      const NnOnnxValue *c = nn_onnx_constant_input (onnx, op, i + 1);

      if (c == NULL && !(layer && i == 1))
        return nn_load_unsupported (error, "its weights must be constant");
      if (c != NULL && channels >= 0 && c->constant->n != (gsize) channels && c->constant->n != 1)
        return nn_load_unsupported (error, "its weights are %" G_GSIZE_FORMAT " for %" G_GINT64_FORMAT " channels",
                                    c->constant->n, channels);
    }
  node = nn_onnx_node (onnx, layer ? NN_OP_LAYER_NORM : NN_OP_BATCH_NORM, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.axis = value->at[axis - 1] == (int) shape->rank - 1 ? -1 : value->at[axis - 1];
  node->attrs.epsilon = nn_onnx_float (op, "epsilon", 1e-5);
  node->attrs.momentum = nn_onnx_float (op, "momentum", 0.9);
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    {
      const NnOnnxValue *c = nn_onnx_constant_input (onnx, op, i + 1);
      NnTensor *values;

      if (c == NULL)
        continue;
      values = nn_onnx_flat (nn_onnx_prepare (onnx, node, parts[i].role, c, NULL));
      if (values->n == 1 && channels > 1)
        {
          NnTensor *wide = nn_onnx_made (onnx, &NN_SHAPE (channels), error);

          for (gsize k = 0; wide != NULL && k < wide->n; k++)
            nn_tensor_f32 (wide)[k] = nn_tensor_f32 (values)[0];
          nn_tensor_unref (values);
          values = wide;
        }
      if (values == NULL)
        return FALSE;
      nn_onnx_weight (onnx, node, parts[i].role, parts[i].name, nn_onnx_by_channel (values, value));
    }
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}
