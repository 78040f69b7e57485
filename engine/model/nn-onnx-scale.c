/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data and a constant in one of ONNX's merges: a scale, or a merge with a node for the constant. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Which computed axis a constant goes along: -1 for a number, -2 for none. */
static int
constant_axis (const NnOnnxValue *value,
               const NnTensor    *c)
{
  int axis = -1;

  for (guint i = 0; i < c->shape.rank; i++)
    if (c->shape.dims[i] > 1)
      {
        guint at = i + value->rank - c->shape.rank;

        if (axis != -1 || c->shape.rank > value->rank || at == value->batch)
          return -2;
        axis = value->at[nn_onnx_sample_axis (value, at)];
      }
  return axis;
}

static gboolean
add_scale (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           NnOnnxValue      *value,
           NnTensor         *c, /* (transfer full): one number, or one a channel */
           gboolean          reversed,
           GError          **error)
{
  const char *type = op->op_type;
  gint64 channels = nn_shape_last (nn_onnx_shape (onnx, value));
  NnTensor *scale = nn_onnx_made (onnx, &NN_SHAPE (c->n > 1 || channels < 1 ? (gint64) c->n : channels), error), *bias;
  NnNode *node;

  if (scale == NULL)
    {
      nn_tensor_unref (c);
      return FALSE;
    }
  bias = nn_tensor_new (NN_DTYPE_F32, &scale->shape);
  node = nn_onnx_node (onnx, NN_OP_SCALE, nn_onnx_out (op, 0), type, &value->node, 1);
  for (gsize i = 0; i < scale->n; i++)
    {
      float x = nn_tensor_f32 (c)[c->n > 1 ? i : 0];

      nn_tensor_f32 (scale)[i] = type[0] == 'M' ? x : type[0] == 'D' ? 1 / x : type[0] == 'S' && reversed ? -1 : 1;
      nn_tensor_f32 (bias)[i] = type[0] == 'A' ? x : type[0] == 'S' ? (reversed ? x : -x) : 0;
    }
  nn_tensor_unref (c);
  nn_onnx_weight (onnx, node, NN_ROLE_SCALE, "scale", nn_onnx_by_channel (scale, value));
  node->attrs.use_bias = type[0] == 'A' || type[0] == 'S';
  if (node->attrs.use_bias)
    nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", nn_onnx_by_channel (bias, value));
  else
    nn_tensor_unref (bias);
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}

/* Data and a constant of any shape: a node for the constant, in the layout of the data. @name: of the result */
static gboolean
merge_constant (NnOnnx           *onnx,
                Onnx__NodeProto  *op,
                NnOp              which,
                const char       *name,
                NnOnnxValue      *value,
                const NnTensor   *c,
                gboolean          reversed,
                GError          **error)
{
  g_autofree char *constant_name = g_strdup_printf ("%s__constant", name);
  NnShape shape = { 0 };
  guint inputs[2];
  NnOnnxValue *result;
  NnTensor *values;
  NnNode *node;

  if (c->shape.rank > value->rank)
    return nn_load_unsupported (error, "its constant has more axes than its data");
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  for (guint i = 0; i < c->shape.rank; i++)
    if (i + value->rank - c->shape.rank != value->batch)
      shape.dims[shape.rank++] = c->shape.dims[i];
    else if (c->shape.dims[i] != 1)
      return nn_load_unsupported (error, "its constant differs from one sample of the batch to the next");
  if (shape.rank == 0)
    shape = NN_SHAPE (1);
  node = nn_onnx_node (onnx, NN_OP_CONSTANT, constant_name, "Constant", NULL, 0);
  node->shape = shape;
  inputs[reversed ? 0 : 1] = nn_graph_builder_n_nodes (onnx->builder) - 1;
  inputs[reversed ? 1 : 0] = value->node;
  values = nn_tensor_new (NN_DTYPE_F32, &shape);
  memcpy (values->data, c->data, values->n * sizeof (float));
  nn_onnx_weight (onnx, node, NN_ROLE_VALUE, "value", values);
  node = nn_onnx_node (onnx, which, name, op->op_type, inputs, 2);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  /* an axis of one may grow to the constant's */
  result = nn_onnx_result (onnx, name, value);
  for (guint i = 0; i < result->rank && node->shape.rank == result->rank - 1; i++)
    if (i != result->batch)
      result->dims[i] = node->shape.dims[nn_onnx_sample_axis (result, i)];
  return TRUE;
}

/* The same by the operator's type. */
static gboolean
add_constant (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              NnOnnxValue      *value,
              const NnTensor   *c,
              gboolean          reversed,
              GError          **error)
{
  static const struct {
    const char *type;
    NnOp        op;
  } ops[] = { { "Add", NN_OP_ADD }, { "Sub", NN_OP_SUBTRACT }, { "Mul", NN_OP_MULTIPLY }, { "Div", NN_OP_DIVIDE },
              { "Max", NN_OP_MAXIMUM }, { "Min", NN_OP_MINIMUM } };

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    if (g_str_equal (ops[i].type, op->op_type))
      return merge_constant (onnx, op, ops[i].op, nn_onnx_out (op, 0), value, c, reversed, error);
  return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
}

/* Data merged with one number. */
gboolean
nn_onnx_merge_number (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      NnOp              which,
                      const char       *name,
                      NnOnnxValue      *value,
                      double            number,
                      GError          **error)
{
  NnShape shape = { .rank = MAX (value->rank, 2) - 1 };
  g_autoptr (NnTensor) one = NULL;

  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = 1;
  one = nn_tensor_new (NN_DTYPE_F32, &shape);
  nn_tensor_f32 (one)[0] = (float) number;
  return merge_constant (onnx, op, which, name, value, one, FALSE, error);
}

/* Add, Sub, Mul, Div, Max, Min of data and a constant. */
gboolean
nn_onnx_read_scale (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  gboolean reversed = nn_onnx_constant_input (onnx, op, 0) != NULL;
  const NnOnnxValue *c = nn_onnx_constant_input (onnx, op, reversed ? 0 : 1);
  NnOnnxValue *value = nn_onnx_input (onnx, op, reversed ? 1 : 0);
  g_autoptr (NnTensor) values = nn_onnx_baked (c);
  int axis = constant_axis (value, values);
  gint64 last = (gint64) nn_onnx_shape (onnx, value)->rank - 1;

  if ((value->rank < 2 && values->n > 1) || values->n == 0)
    return nn_load_unsupported (error, "its data must have an axis besides the batch's");
  if ((op->op_type[0] == 'D' && reversed) || g_str_equal (op->op_type, "Max") || g_str_equal (op->op_type, "Min"))
    return add_constant (onnx, op, value, values, reversed, error);
  if (axis == -1 || (axis >= 0 && axis == last &&
                     (nn_shape_last (nn_onnx_shape (onnx, value)) < 0 ||
                      nn_shape_last (nn_onnx_shape (onnx, value)) == (gint64) values->n)))
    return add_scale (onnx, op, value, nn_onnx_flat (nn_tensor_copy (values)), reversed, error);
  return add_constant (onnx, op, value, values, reversed, error);
}
