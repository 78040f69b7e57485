/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's activations, and what changes no number. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

static const struct {
  const char *type;
  NnAct       act;
  double      alpha; /* ONNX's default */
} activations[] = {
  { "Relu", NN_ACT_RELU, 0 },         { "LeakyRelu", NN_ACT_LEAKY_RELU, 0.01 },
  { "Elu", NN_ACT_ELU, 1 },           { "Selu", NN_ACT_SELU, 0 },
  { "Sigmoid", NN_ACT_SIGMOID, 0 },   { "Tanh", NN_ACT_TANH, 0 },
  { "Softplus", NN_ACT_SOFTPLUS, 0 }, { "Softsign", NN_ACT_SOFTSIGN, 0 },
  { "Exp", NN_ACT_EXPONENTIAL, 0 },   { "Sin", NN_ACT_SIN, 0 },
  { "Cos", NN_ACT_COS, 0 },           { "Mish", NN_ACT_MISH, 0 },
};

gboolean
nn_onnx_read_activation (NnOnnx           *onnx,
                         Onnx__NodeProto  *op,
                         GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  for (guint i = 0; i < G_N_ELEMENTS (activations); i++)
    if (g_str_equal (activations[i].type, op->op_type))
      {
        node->attrs.act = activations[i].act;
        node->attrs.alpha = nn_onnx_float (op, "alpha", activations[i].alpha);
      }
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_other_activation (NnOnnx           *onnx,
                               Onnx__NodeProto  *op,
                               GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  if (g_str_equal (op->op_type, "HardSigmoid"))
    {
      node->attrs.act = NN_ACT_HARD_SIGMOID;
      node->attrs.slope = nn_onnx_float (op, "alpha", 0.2);
      node->attrs.shift = nn_onnx_float (op, "beta", 0.5);
    }
  else
    {
      node->attrs.act = NN_ACT_THRESHOLDED_RELU;
      node->attrs.threshold = nn_onnx_float (op, "alpha", 1);
    }
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_clip (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  double bounds[2] = { nn_onnx_float (op, "min", -INFINITY), nn_onnx_float (op, "max", INFINITY) };
  NnNode *node;

  if (value == NULL)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      const NnOnnxValue *c = nn_onnx_input (onnx, op, i + 1);

      if (c != NULL && (c->constant == NULL || c->constant->n != 1))
        return nn_onnx_unsupported (error, "its bounds must be constants");
      if (c != NULL)
        bounds[i] = nn_tensor_get (c->constant, 0);
    }
  if (value->codes != NULL)
    {
      NnOnnxValue *codes = nn_onnx_alias (onnx, op, value);

      codes->code_min = MAX (codes->code_min, bounds[0]);
      codes->code_max = MIN (codes->code_max, bounds[1]);
      return TRUE;
    }
  if (bounds[0] < -3e38 && bounds[1] > 3e38)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (!(bounds[0] == 0 && bounds[1] > 0) && !(bounds[0] == -1 && bounds[1] == 1))
    return nn_onnx_unsupported (error, "only bounds from 0 up, and -1 to 1, are supported");
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  node->attrs.act = bounds[0] == 0 ? NN_ACT_RELU : NN_ACT_HARD_TANH;
  node->attrs.max_value = bounds[0] == 0 && bounds[1] < 3e38 ? bounds[1] : 0;
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_prelu (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const NnOnnxValue *slope = nn_onnx_input (onnx, op, 1);
  NnNode *node;
  NnTensor *alpha;
  NnShape shape;

  if (value == NULL)
    return FALSE;
  if (slope == NULL || slope->constant == NULL || value->order != NULL)
    return nn_onnx_unsupported (error, "its slopes must be constant");
  if (value->rank > 2 && !nn_onnx_channels_last (onnx, value, error))
    return FALSE;
  shape = *nn_onnx_shape (onnx, value);
  /* one, or one a channel: (channels, 1, 1) */
  if (slope->constant->n != 1 && slope->constant->n != (gsize) nn_shape_last (&shape))
    return nn_onnx_unsupported (error, "only one slope, or one for each channel, is supported");
  for (guint i = 0; i + 1 < shape.rank; i++)
    shape.dims[i] = 1;
  if (slope->constant->n == 1)
    shape.dims[shape.rank - 1] = 1;
  node = nn_onnx_like (onnx, op, NN_OP_PRELU, value);
  alpha = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < alpha->n; i++)
    nn_tensor_f32 (alpha)[i] = (float) nn_tensor_get (slope->constant, i);
  nn_onnx_weight (onnx, node, NN_ROLE_ALPHA, "alpha", alpha);
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_softmax (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  guint axis;
  NnNode *node;
  int lies;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_axis (value, nn_onnx_int (op, "axis", onnx->opset < 13 ? 1 : -1), &axis) || axis == value->batch)
    return nn_onnx_unsupported (error, "its axis is the batch's, or none");
  /* before operator set 13 all axes from the one told count as one */
  if (onnx->opset < 13 && axis != value->rank - 1)
    for (guint i = axis; i < value->rank; i++)
      if (value->dims[i] != 1 && i != axis)
        return nn_onnx_unsupported (error, "over more than one axis it is not supported");
  lies = value->at[nn_onnx_sample_axis (value, axis)];
  if (lies == NN_ONNX_VIRTUAL)
    return nn_onnx_unsupported (error, "its axis has one element");
  node = nn_onnx_like (onnx, op, NN_OP_ACTIVATION, value);
  node->attrs.act = NN_ACT_SOFTMAX;
  node->attrs.axis = lies == (int) nn_onnx_shape (onnx, value)->rank - 1 ? -1 : lies;
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_identity (NnOnnx           *onnx,
                       Onnx__NodeProto  *op,
                       GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (!g_str_equal (op->op_type, "Dropout"))
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  node = nn_onnx_like (onnx, op, NN_OP_DROPOUT, value);
  node->attrs.rate = nn_onnx_float (op, "ratio", 0.5);
  return nn_onnx_finish (onnx, node, error);
}

/* A cast between numbers that are reals for us changes nothing. */
gboolean
nn_onnx_read_cast (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gint64 to = nn_onnx_int (op, "to", 1);

  if (value == NULL)
    return FALSE;
  if (!value->integral && to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT && to != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE &&
      to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16)
    return nn_onnx_unsupported (error, "a cast of data to whole numbers is not supported");
  nn_onnx_alias (onnx, op, value);
  return TRUE;
}
