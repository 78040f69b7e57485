/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators of several values. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Factors of a power that is written as a product. */
#define MAX_POWER 8

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
      if (values[i]->batch != values[0]->batch)
        return nn_load_unsupported (error, "the batch axes of its inputs are not the same");
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
        return nn_load_unsupported (error, "an input is missing");
      constants += values[i]->constant != NULL;
      if (onnx->lifted && values[i]->constant == NULL && values[0]->constant == NULL && values[i]->rank != values[0]->rank)
        return nn_load_unsupported (error, "its inputs differ in the number of axes, of which none is the batch's");
    }
  if (constants == 1 && op->n_input == 2 && !g_str_equal (op->op_type, "Mean") && !g_str_equal (op->op_type, "Sum"))
    return nn_onnx_read_scale (onnx, op, error);
  if (constants > 0)
    return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
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
        result->name = g_string_chunk_insert_const (onnx->strings, nn_onnx_out (op, 0));
        result->order = NULL;
        result->codes = NULL;
        result->node = at;
      }
  for (guint i = 0; i < result->rank; i++)
    if (i != result->batch && result->at[nn_onnx_sample_axis (result, i)] != NN_ONNX_VIRTUAL)
      result->dims[i] = node->shape.dims[result->at[nn_onnx_sample_axis (result, i)]];
  return TRUE;
}

/* A constant as data, under a name of its own; %NULL where it differs from one sample to the next. */
static NnOnnxValue *
constant_data (NnOnnx          *onnx,
               Onnx__NodeProto *op,
               guint            i)
{
  const NnOnnxValue *data = NULL, *constant = nn_onnx_input (onnx, op, i);
  g_autofree char *name = g_strdup_printf ("%s__constant_%u", nn_onnx_out (op, 0), i);
  g_autoptr (NnTensor) baked = NULL;
  NnOnnxValue *value;
  NnTensor *values;
  NnShape shape = { 0 };
  NnNode *node;

  for (guint k = 0; k < op->n_input && data == NULL; k++)
    if (nn_onnx_input (onnx, op, k) != NULL && nn_onnx_input (onnx, op, k)->constant == NULL)
      data = nn_onnx_input (onnx, op, k);
  if (data == NULL || constant->constant->shape.rank != data->rank || constant->constant->shape.dims[data->batch] != 1)
    return NULL;
  for (guint k = 0; k < data->rank; k++)
    if (k != data->batch)
      shape.dims[shape.rank++] = constant->constant->shape.dims[k];
  baked = nn_onnx_baked (constant);
  node = nn_onnx_node (onnx, NN_OP_CONSTANT, name, "Constant", NULL, 0);
  node->shape = shape;
  values = nn_tensor_new (NN_DTYPE_F32, &shape);
  memcpy (values->data, baked->data, values->n * sizeof (float));
  nn_onnx_weight (onnx, node, NN_ROLE_VALUE, "value", values);
  value = nn_onnx_new_value (onnx, name);
  value->node = nn_graph_builder_n_nodes (onnx->builder) - 1;
  value->rank = data->rank;
  value->batch = data->batch;
  for (guint k = 0; k < data->rank; k++)
    {
      value->dims[k] = k == data->batch ? data->dims[k] : constant->constant->shape.dims[k];
      if (k != data->batch)
        value->at[nn_onnx_sample_axis (value, k)] = (int) nn_onnx_sample_axis (value, k);
    }
  return value;
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
  guint axis, at;

  for (guint i = 0; i < op->n_input; i++)
    {
      values[i] = nn_onnx_input (onnx, op, i);
      if (values[i] != NULL && values[i]->constant != NULL)
        values[i] = constant_data (onnx, op, i);
      if (values[i] == NULL || values[i]->rank != values[0]->rank || values[i]->batch != values[0]->batch)
        return nn_load_unsupported (error, "its inputs must have one number of axes, a constant one element along the batch's");
      if (values[i]->order != NULL && !nn_onnx_natural (onnx, values[i], error))
        return FALSE;
    }
  if (op->n_input == 0 || !nn_onnx_axis (values[0], nn_onnx_int (op, "axis", 1), &axis) || axis == values[0]->batch)
    return nn_load_unsupported (error, "its axis is the batch's, or none");
  if (!bring_together (onnx, values, op->n_input, error))
    return FALSE;
  at = nn_onnx_sample_axis (values[0], axis);
  if (values[0]->at[at] == NN_ONNX_VIRTUAL && !nn_onnx_natural (onnx, values[0], error))
    return FALSE;
  for (guint i = 0; i < op->n_input; i++)
    inputs[i] = values[i]->node;
  node = nn_onnx_node (onnx, NN_OP_CONCATENATE, nn_onnx_out (op, 0), op->op_type, inputs, op->n_input);
  node->attrs.axis = values[0]->at[at];
  if (node->attrs.axis == (int) nn_onnx_shape (onnx, values[0])->rank - 1)
    node->attrs.axis = -1;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), values[0]);
  result->dims[axis] = node->shape.dims[values[0]->at[at]];
  return TRUE;
}

/* A power by a whole number is a product; any other is exp (p log x), which is not defined below 0 either. */
gboolean
nn_onnx_read_pow (NnOnnx           *onnx,
                  Onnx__NodeProto  *op,
                  GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const NnOnnxValue *power = nn_onnx_input (onnx, op, 1);
  g_autofree char *log = g_strdup_printf ("%s__log", nn_onnx_out (op, 0));
  g_autofree char *product = g_strdup_printf ("%s__product", nn_onnx_out (op, 0));
  guint inputs[MAX_POWER];
  NnNode *node;
  double p;

  if (value == NULL)
    return FALSE;
  if (power == NULL || power->constant == NULL || power->constant->n != 1)
    return nn_load_unsupported (error, "its power must be one constant number");
  p = nn_tensor_get (power->constant, 0);
  if (p == 0.5)
    return nn_onnx_run (onnx, "Sqrt", nn_onnx_out (op, 0), op->input[0], NULL, error);
  if (p == 1)
    return nn_onnx_run (onnx, "Identity", nn_onnx_out (op, 0), op->input[0], NULL, error);
  if (p == -1)
    return nn_onnx_run (onnx, "Reciprocal", nn_onnx_out (op, 0), op->input[0], NULL, error);
  if (p == -0.5)
    return nn_onnx_run (onnx, "Sqrt", product, op->input[0], NULL, error) &&
           nn_onnx_run (onnx, "Reciprocal", nn_onnx_out (op, 0), product, NULL, error);
  if (p != floor (p) || p < 2 || p > MAX_POWER)
    return nn_onnx_run (onnx, "Log", log, op->input[0], NULL, error) &&
           nn_onnx_run (onnx, "Mul", product, log, op->input[1], error) &&
           nn_onnx_run (onnx, "Exp", nn_onnx_out (op, 0), product, NULL, error);
  for (guint i = 0; i < (guint) p; i++)
    inputs[i] = value->node;
  node = nn_onnx_node (onnx, NN_OP_MULTIPLY, nn_onnx_out (op, 0), op->op_type, inputs, (guint) p);
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}

/* Neg, and Reciprocal. */
gboolean
nn_onnx_read_unary (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  gboolean negate = op->op_type[0] == 'N';
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  guint inputs[2];
  g_autofree char *name = g_strdup_printf ("%s__one", nn_onnx_out (op, 0));
  NnTensor *one;
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (negate)
    return nn_onnx_merge_number (onnx, op, NN_OP_MULTIPLY, nn_onnx_out (op, 0), value, -1, error);
  node = nn_onnx_node (onnx, NN_OP_CONSTANT, name, "Constant", NULL, 0);
  node->shape = NN_SHAPE (1);
  one = nn_tensor_new (NN_DTYPE_F32, &node->shape);
  nn_tensor_f32 (one)[0] = 1;
  nn_onnx_weight (onnx, node, NN_ROLE_VALUE, "value", one);
  inputs[0] = nn_graph_builder_n_nodes (onnx->builder) - 1;
  inputs[1] = value->node;
  node = nn_onnx_node (onnx, NN_OP_DIVIDE, nn_onnx_out (op, 0), op->op_type, inputs, 2);
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}
