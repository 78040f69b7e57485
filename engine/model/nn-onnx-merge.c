/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators of several values. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

static const struct {
  const char *type;
  NnOp        op;
} merges[] = {
  { "Add", NN_OP_ADD },     { "Sub", NN_OP_SUBTRACT }, { "Mul", NN_OP_MULTIPLY }, { "Div", NN_OP_DIVIDE },
  { "Sum", NN_OP_ADD },     { "Max", NN_OP_MAXIMUM },  { "Min", NN_OP_MINIMUM },  { "Mean", NN_OP_AVERAGE },
};

static gboolean
same_layout (const NnOnnxValue *a,
             const NnOnnxValue *b)
{
  if (a->rank != b->rank || a->order != NULL || b->order != NULL || a->batch != b->batch)
    return FALSE;
  for (guint i = 0; i + 1 < a->rank; i++)
    if (a->at[i] != b->at[i] || a->at[i] == NN_ONNX_VIRTUAL)
      return FALSE;
  return TRUE;
}

/* All in the order of the first; where that does not go, in the file's. */
static gboolean
bring_together (NnOnnx        *onnx,
                NnOnnxValue  **values,
                guint          n,
                GError       **error)
{
  gboolean same_rank = TRUE;

  for (guint i = 0; i < n; i++)
    {
      if (values[i]->batch != 0)
        return nn_onnx_unsupported (error, "its batch axis is not the first");
      same_rank = same_rank && values[i]->rank == values[0]->rank;
    }
  for (guint i = 1; i < n; i++)
    if (!same_layout (values[0], values[i]))
      {
        int wanted[NN_MAX_RANK + 1];

        memcpy (wanted, values[0]->at, sizeof wanted);
        for (guint k = 0; k + 1 < values[0]->rank; k++)
          same_rank = same_rank && wanted[k] != NN_ONNX_VIRTUAL;
        if (same_rank && values[0]->order == NULL)
          {
            if (!nn_onnx_arrange (onnx, values[i], wanted, error))
              return FALSE;
          }
        else if (!nn_onnx_natural (onnx, values[0], error) || !nn_onnx_natural (onnx, values[i], error))
          return FALSE;
      }
  return TRUE;
}

gboolean
nn_onnx_read_merge (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  g_autofree NnOnnxValue **values = g_new0 (NnOnnxValue *, op->n_input + 1);
  g_autofree guint *inputs = g_new (guint, op->n_input + 1);
  NnOp which = NN_OP_ADD;
  guint constants = 0;
  NnOnnxValue *result;
  NnNode *node;

  for (guint i = 0; i < op->n_input; i++)
    {
      values[i] = nn_onnx_input (onnx, op, i);
      if (values[i] == NULL)
        return nn_onnx_unsupported (error, "an input is missing");
      constants += values[i]->constant != NULL;
      if (onnx->lifted && values[i]->constant == NULL && values[0]->constant == NULL && values[i]->rank != values[0]->rank)
        return nn_onnx_unsupported (error, "its inputs differ in the number of axes, of which none is the batch's");
    }
  if (constants == 1 && op->n_input == 2 && strchr ("AMSD", op->op_type[0]) != NULL && !g_str_equal (op->op_type, "Max") &&
      !g_str_equal (op->op_type, "Min") && !g_str_equal (op->op_type, "Mean") && !g_str_equal (op->op_type, "Sum"))
    return nn_onnx_read_scale (onnx, op, error);
  if (constants > 0)
    return nn_onnx_unsupported (error, "a constant as one of its inputs is not supported");
  if (op->n_input == 1)
    {
      nn_onnx_alias (onnx, op, values[0]);
      return TRUE;
    }
  if (!bring_together (onnx, values, op->n_input, error))
    return FALSE;
  for (guint i = 0; i < op->n_input; i++)
    inputs[i] = values[i]->node;
  for (guint i = 0; i < G_N_ELEMENTS (merges); i++)
    if (g_str_equal (merges[i].type, op->op_type))
      which = merges[i].op;
  node = nn_onnx_node (onnx, which, nn_onnx_out (op, 0), op->op_type, inputs, op->n_input);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), values[0]);
  for (guint i = 1; i < op->n_input; i++)
    if (values[i]->rank > result->rank)
      {
        g_autofree guint *order = result->order;
        guint at = result->node;

        *result = *values[i];
        result->name = g_intern_string (nn_onnx_out (op, 0));
        result->order = NULL;
        result->codes = NULL;
        result->node = at;
      }
  for (guint i = 0; i + 1 < result->rank; i++)
    if (result->at[i] != NN_ONNX_VIRTUAL)
      result->dims[i + 1] = node->shape.dims[result->at[i]];
  return TRUE;
}

gboolean
nn_onnx_read_concat (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  g_autofree NnOnnxValue **values = g_new0 (NnOnnxValue *, op->n_input + 1);
  g_autofree guint *inputs = g_new (guint, op->n_input + 1);
  NnOnnxValue *result;
  NnNode *node;
  guint axis;

  for (guint i = 0; i < op->n_input; i++)
    {
      values[i] = nn_onnx_input (onnx, op, i);
      if (values[i] == NULL || values[i]->constant != NULL || values[i]->rank != values[0]->rank)
        return nn_onnx_unsupported (error, "its inputs must be data with one number of axes");
      if (values[i]->order != NULL && !nn_onnx_natural (onnx, values[i], error))
        return FALSE;
    }
  if (op->n_input == 0 || !nn_onnx_axis (values[0], nn_onnx_int (op, "axis", 1), &axis) || axis == values[0]->batch)
    return nn_onnx_unsupported (error, "its axis is the batch's, or none");
  if (!bring_together (onnx, values, op->n_input, error))
    return FALSE;
  if (values[0]->at[axis - 1] == NN_ONNX_VIRTUAL && !nn_onnx_natural (onnx, values[0], error))
    return FALSE;
  for (guint i = 0; i < op->n_input; i++)
    inputs[i] = values[i]->node;
  node = nn_onnx_node (onnx, NN_OP_CONCATENATE, nn_onnx_out (op, 0), op->op_type, inputs, op->n_input);
  node->attrs.axis = values[0]->at[axis - 1];
  if (node->attrs.axis == (int) nn_onnx_shape (onnx, values[0])->rank - 1)
    node->attrs.axis = -1;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), values[0]);
  result->dims[axis] = node->shape.dims[values[0]->at[axis - 1]];
  return TRUE;
}

gboolean
nn_onnx_read_pow (NnOnnx           *onnx,
                  Onnx__NodeProto  *op,
                  GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const NnOnnxValue *power = nn_onnx_input (onnx, op, 1);
  guint inputs[2];
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (power == NULL || power->constant == NULL || power->constant->n != 1 || nn_tensor_get (power->constant, 0) != 2)
    return nn_onnx_unsupported (error, "only the square is supported");
  inputs[0] = inputs[1] = value->node;
  node = nn_onnx_node (onnx, NN_OP_MULTIPLY, nn_onnx_out (op, 0), op->op_type, inputs, 2);
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}
