/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators without weights: activations, merges, shapes. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Elements of a flattened map whose order is noted: the weights after it are reordered. Beyond it the map itself is. */
#define MAX_ORDER (1u << 22)

static NnOnnxValue *
data_input (NnOnnx           *onnx,
            Onnx__NodeProto  *op,
            GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0);

  if (value == NULL || value->constant != NULL || value->rank < 1)
    {
      nn_onnx_unsupported (error, "its first input must be data");
      return NULL;
    }
  return value;
}

/* One node whose result lies as its input does. */
static NnNode *
like_input (NnOnnx          *onnx,
            Onnx__NodeProto *op,
            NnOp             which,
            NnOnnxValue     *value)
{
  NnNode *node = nn_onnx_node (onnx, which, nn_onnx_out (op, 0), op->op_type, &value->node, 1);

  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return node;
}

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

static gboolean
read_activation (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  node = like_input (onnx, op, NN_OP_ACTIVATION, value);
  for (guint i = 0; i < G_N_ELEMENTS (activations); i++)
    if (g_str_equal (activations[i].type, op->op_type))
      {
        node->attrs.act = activations[i].act;
        node->attrs.alpha = nn_onnx_float (op, "alpha", activations[i].alpha);
      }
  return nn_onnx_finish (onnx, node, error);
}

static gboolean
read_other_activation (NnOnnx           *onnx,
                       Onnx__NodeProto  *op,
                       GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  node = like_input (onnx, op, NN_OP_ACTIVATION, value);
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

static gboolean
read_clip (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
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
  node = like_input (onnx, op, NN_OP_ACTIVATION, value);
  node->attrs.act = bounds[0] == 0 ? NN_ACT_RELU : NN_ACT_HARD_TANH;
  node->attrs.max_value = bounds[0] == 0 && bounds[1] < 3e38 ? bounds[1] : 0;
  return nn_onnx_finish (onnx, node, error);
}

static gboolean
read_prelu (NnOnnx           *onnx,
            Onnx__NodeProto  *op,
            GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
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
  node = like_input (onnx, op, NN_OP_PRELU, value);
  alpha = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < alpha->n; i++)
    nn_tensor_f32 (alpha)[i] = (float) nn_tensor_get (slope->constant, i);
  nn_onnx_weight (onnx, node, NN_ROLE_ALPHA, "alpha", alpha);
  return nn_onnx_finish (onnx, node, error);
}

static gboolean
read_softmax (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
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
  node = like_input (onnx, op, NN_OP_ACTIVATION, value);
  node->attrs.act = NN_ACT_SOFTMAX;
  node->attrs.axis = lies == (int) nn_onnx_shape (onnx, value)->rank - 1 ? -1 : lies;
  return nn_onnx_finish (onnx, node, error);
}

static gboolean
read_identity (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (!g_str_equal (op->op_type, "Dropout"))
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  node = like_input (onnx, op, NN_OP_DROPOUT, value);
  node->attrs.rate = nn_onnx_float (op, "ratio", 0.5);
  return nn_onnx_finish (onnx, node, error);
}

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

static gboolean
read_merge (NnOnnx           *onnx,
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

static gboolean
read_concat (NnOnnx           *onnx,
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

/* A transpose makes no node: it is noted. */
static gboolean
read_transpose (NnOnnx           *onnx,
                Onnx__NodeProto  *op,
                GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error), *result;
  const gint64 *perm;
  guint seen = 0;
  gsize n;

  if (value == NULL)
    return FALSE;
  perm = nn_onnx_ints (op, "perm", &n);
  if (perm == NULL || n != value->rank)
    return nn_onnx_unsupported (error, "its order of axes is not that of its input");
  for (guint i = 0; i < n; i++)
    seen |= perm[i] >= 0 && perm[i] < (gint64) n ? 1u << perm[i] : 0;
  if (seen != (1u << n) - 1)
    return nn_onnx_unsupported (error, "its order of axes is no permutation");
  if (value->order != NULL && !nn_onnx_natural (onnx, value, error))
    return FALSE;
  result = nn_onnx_alias (onnx, op, value);
  for (guint i = 0; i < n; i++)
    if (perm[i] == (gint64) value->batch)
      result->batch = i;
  for (guint i = 0; i < n; i++)
    {
      result->dims[i] = value->dims[perm[i]];
      if (i != result->batch)
        result->at[nn_onnx_sample_axis (result, i)] = value->at[nn_onnx_sample_axis (value, (guint) perm[i])];
    }
  return TRUE;
}

/* Where each element of the flattened sample, in the file's order, is computed; %NULL where it is the same place. */
static guint *
flat_order (NnOnnx            *onnx,
            const NnOnnxValue *value,
            gsize             *n_order)
{
  const NnShape *shape = nn_onnx_shape (onnx, value);
  gsize n, strides[NN_MAX_RANK];
  gboolean same = TRUE;
  guint *order;

  if (!nn_shape_size (shape, &n) || n > G_MAXUINT32)
    return NULL;
  for (guint i = shape->rank; i > 0; i--)
    strides[i - 1] = i == shape->rank ? 1 : strides[i] * (gsize) shape->dims[i];
  order = g_new (guint, MAX (n, 1));
  for (gsize p = 0; p < n; p++)
    {
      gsize rest = p, at = 0;

      for (guint i = value->rank - 1; i > 0; i--)
        {
          gsize extent = value->at[i - 1] == NN_ONNX_VIRTUAL ? 1 : (gsize) shape->dims[value->at[i - 1]];

          if (value->at[i - 1] != NN_ONNX_VIRTUAL)
            at += rest % extent * strides[value->at[i - 1]];
          rest /= extent;
        }
      order[p] = (guint) at;
      same = same && at == p;
    }
  *n_order = n;
  if (same)
    g_clear_pointer (&order, g_free);
  return order;
}

static gboolean
flatten (NnOnnx           *onnx,
         Onnx__NodeProto  *op,
         NnOnnxValue      *value,
         GError          **error)
{
  g_autofree guint *order = NULL;
  g_autofree char *name = NULL;
  gsize n_order = 0;
  NnOnnxValue *result;
  NnNode *node;

  if (value->batch != 0)
    return nn_onnx_unsupported (error, "its batch axis is not the first");
  if (value->rank == 2)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (!nn_onnx_is_natural (value))
    {
      gsize n;

      if ((!nn_shape_size (nn_onnx_shape (onnx, value), &n) || n > MAX_ORDER) && !nn_onnx_natural (onnx, value, error))
        return FALSE;
      order = flat_order (onnx, value, &n_order);
    }
  /* who looks for the file's name shall not find another order under it */
  name = g_strconcat (nn_onnx_out (op, 0), order != NULL ? "__channels_last" : NULL, NULL);
  node = nn_onnx_node (onnx, NN_OP_FLATTEN, name, op->op_type, &value->node, 1);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->rank = 2;
  result->at[0] = 0;
  result->dims[1] = node->shape.dims[0];
  result->order = g_steal_pointer (&order);
  result->n_order = result->order != NULL ? n_order : 0;
  return TRUE;
}

static gboolean
read_flatten (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  gint64 axis = nn_onnx_int (op, "axis", 1);

  if (value == NULL)
    return FALSE;
  /* keras2onnx flattens the batch too, which it takes to be one */
  if (axis != 1 && !(axis == 0 && value->dims[0] == 1))
    return nn_onnx_unsupported (error, "only flattening from the first axis after the batch is supported");
  return flatten (onnx, op, value, error);
}

/* The sample's new shape; %FALSE where the batch does not stay in front. */
static gboolean
sample_target (const NnOnnxValue *value,
               const NnTensor    *target,
               gsize              size,
               NnShape           *shape)
{
  gsize known = 1;
  int open = -1;
  gint64 first;

  if (target->n < 1 || target->n > NN_MAX_RANK + 1 || value->batch != 0)
    return FALSE;
  first = (gint64) nn_tensor_get (target, 0);
  shape->rank = 0;
  for (gsize i = 1; i < target->n; i++)
    {
      gint64 d = (gint64) nn_tensor_get (target, i);

      if (d == 0 && i < value->rank)
        d = value->dims[i];
      if (d < -1 || d == 0 || d > G_MAXINT32 || (d == -1 && (open >= 0 || first == -1)))
        return FALSE;
      if (d == -1)
        open = (int) i - 1;
      else
        known *= (gsize) d;
      shape->dims[shape->rank++] = d;
    }
  if (first != -1 && first != 0 && first != value->dims[0] && !(value->dims[0] < 0 && first == 1))
    return FALSE;
  if (open >= 0)
    {
      if (known == 0 || size % known != 0)
        return FALSE;
      shape->dims[open] = (gint64) (size / known);
      known = size;
    }
  return known == size;
}

/* Whether only axes of extent 1 move: then it is noted like a transpose. */
static gboolean
moves_ones (const NnOnnxValue *value,
            const NnShape     *target,
            NnOnnxValue       *result)
{
  guint from = 0, ones[NN_MAX_RANK], n_ones = 0;
  int at[NN_MAX_RANK + 1] = { 0 };

  if (target->rank != value->rank - 1 || value->order != NULL)
    return FALSE;
  for (guint i = 0; i < target->rank; i++)
    if (value->dims[i + 1] == 1)
      ones[n_ones++] = i;
  for (guint i = 0, one = 0; i < target->rank; i++)
    {
      if (target->dims[i] == 1)
        {
          if (one == n_ones)
            return FALSE;
          at[i] = value->at[ones[one++]];
          continue;
        }
      while (from < target->rank && value->dims[from + 1] == 1)
        from++;
      if (from == target->rank || value->dims[from + 1] != target->dims[i])
        return FALSE;
      at[i] = value->at[from++];
    }
  memcpy (result->at, at, sizeof at);
  for (guint i = 0; i < target->rank; i++)
    result->dims[i + 1] = target->dims[i];
  return TRUE;
}

static gboolean
reshape (NnOnnx           *onnx,
         Onnx__NodeProto  *op,
         NnOnnxValue      *value,
         const NnShape    *target,
         GError          **error)
{
  NnOnnxValue *result, moved = *value;
  NnNode *node;

  if (target->rank == 1)
    return flatten (onnx, op, value, error);
  if (moves_ones (value, target, &moved))
    {
      result = nn_onnx_alias (onnx, op, value);
      memcpy (result->at, moved.at, sizeof result->at);
      memcpy (result->dims, moved.dims, sizeof result->dims);
      return TRUE;
    }
  if (target->rank > NN_MAX_RANK)
    return nn_onnx_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_RESHAPE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.target = *target;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->rank = target->rank + 1;
  for (guint i = 0; i < target->rank; i++)
    {
      result->at[i] = (int) i;
      result->dims[i + 1] = target->dims[i];
    }
  return TRUE;
}

static gboolean
read_reshape (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  const NnOnnxValue *shape = nn_onnx_input (onnx, op, 1);
  g_autoptr (NnTensor) own = NULL;
  const NnTensor *target = shape != NULL ? shape->constant : NULL;
  NnShape sample;
  gsize size, n;

  if (value == NULL)
    return FALSE;
  if (shape == NULL && nn_onnx_attribute (op, "shape") != NULL)
    {
      const gint64 *dims = nn_onnx_ints (op, "shape", &n);

      own = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE ((gint64) n));
      memcpy (own->data, dims, n * sizeof *dims);
      target = own;
    }
  if (target == NULL)
    return nn_onnx_unsupported (error, "its new shape must be a constant");
  if (!nn_shape_size (nn_onnx_shape (onnx, value), &size))
    return nn_onnx_unsupported (error, "the shape of its data is not known");
  if (!sample_target (value, target, size, &sample))
    return nn_onnx_unsupported (error, "its new shape mixes the batch with other axes");
  return reshape (onnx, op, value, &sample, error);
}

/* Axes of extent 1 come and go without a node where they can. */
static gboolean
read_squeeze (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error), *result;
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean add = op->op_type[0] == 'U', found, mark[NN_MAX_RANK + 1] = { FALSE }, lazy = TRUE;
  guint rank, at = 0;
  NnShape target = { 0 };

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || (add && !found))
    return nn_onnx_unsupported (error, "its axes must be constant");
  rank = add ? value->rank + axes->len : value->rank;
  if (rank > NN_MAX_RANK + 1 || value->order != NULL)
    return nn_onnx_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  for (guint i = 0; i < axes->len; i++)
    {
      double a = g_array_index (axes, double, i);

      a += a < 0 ? rank : 0;
      if (a < 0 || a >= rank || (!add && ((guint) a == value->batch || value->dims[(guint) a] != 1)))
        return nn_onnx_unsupported (error, "its axes are not of extent 1");
      mark[(guint) a] = TRUE;
    }
  if (!found)
    for (guint i = 0; i < rank; i++)
      mark[i] = i != value->batch && value->dims[i] == 1;
  for (guint i = 0; !add && i < rank; i++)
    {
      lazy = lazy && (!mark[i] || value->at[nn_onnx_sample_axis (value, i)] == NN_ONNX_VIRTUAL);
      if (i != value->batch && !mark[i])
        target.dims[target.rank++] = value->dims[i];
    }
  if (!lazy && value->batch == 0)
    return reshape (onnx, op, value, &target, error);
  if (!lazy)
    return nn_onnx_unsupported (error, "its batch axis is not the first");
  result = nn_onnx_alias (onnx, op, value);
  result->rank = 0;
  for (guint i = 0; i < rank; i++)
    {
      gboolean is_batch;

      if (!add && mark[i])
        {
          at++;
          continue;
        }
      is_batch = !(add && mark[i]) && at == value->batch;
      if (is_batch)
        result->batch = result->rank;
      result->dims[result->rank] = add && mark[i] ? 1 : value->dims[at];
      result->rank++;
      at += !(add && mark[i]);
    }
  /* the sample's axes, now that the batch's is known */
  at = 0;
  for (guint i = 0, to = 0; i < rank; i++)
    {
      gboolean fresh = add && mark[i], gone = !add && mark[i];

      if (!fresh && at == value->batch)
        {
          at++;
          continue;
        }
      if (fresh)
        result->at[to++] = NN_ONNX_VIRTUAL;
      else
        {
          if (!gone)
            result->at[to++] = value->at[nn_onnx_sample_axis (value, at)];
          at++;
        }
    }
  return TRUE;
}

static gboolean
read_shape (NnOnnx           *onnx,
            Onnx__NodeProto  *op,
            GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0);
  NnTensor *dims = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE ((gint64) value->rank));

  /* an open batch stays as it is: 0 in a reshape */
  for (guint i = 0; i < value->rank; i++)
    ((gint64 *) dims->data)[i] = value->dims[i] < 0 ? (i == value->batch ? 0 : -1) : value->dims[i];
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), dims);
  return TRUE;
}

/* A cast between numbers that are reals for us changes nothing. */
static gboolean
read_cast (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  gint64 to = nn_onnx_int (op, "to", 1);

  if (value == NULL)
    return FALSE;
  if (!value->integral && to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT && to != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE &&
      to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16)
    return nn_onnx_unsupported (error, "a cast of data to whole numbers is not supported");
  nn_onnx_alias (onnx, op, value);
  return TRUE;
}

static gboolean
read_resize (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error), *result;
  g_autoptr (GArray) scales = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean upsample = g_str_equal (op->op_type, "Upsample"), found = FALSE, last;
  const char *mode = nn_onnx_string (op, "mode", "nearest");
  const char *coordinates = nn_onnx_string (op, "coordinate_transformation_mode", upsample ? "asymmetric" : "half_pixel");
  guint input = upsample || onnx->opset < 11 ? 1 : 2;
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "scales", input, scales, &found) ||
      (!upsample && scales->len == 0 && !nn_onnx_numbers (onnx, op, "sizes", 3, sizes, &found)))
    return nn_onnx_unsupported (error, "its scales must be constant");
  for (guint i = 0; i < sizes->len && sizes->len == value->rank; i++)
    g_array_append_val (scales, (double){ i == value->batch ? 1 : g_array_index (sizes, double, i) / value->dims[i] });
  if (scales->len != value->rank || value->rank < 3 || value->rank > 4 || value->batch != 0)
    return nn_onnx_unsupported (error, "only data of one or two axes with channels are supported");
  for (guint i = 0; i < scales->len; i++)
    {
      double s = g_array_index (scales, double, i);

      if (s < 1 || s != floor (s) || s > 1024 || (i == 0 && s != 1))
        return nn_onnx_unsupported (error, "only whole factors are supported");
    }
  last = g_array_index (scales, double, value->rank - 1) == 1 && g_array_index (scales, double, 1) != 1;
  if (!last && g_array_index (scales, double, 1) != 1)
    return nn_onnx_unsupported (error, "the number of channels may not change");
  if (!g_str_equal (mode, "nearest") && !(g_str_equal (mode, "linear") && g_str_equal (coordinates, "half_pixel")))
    return nn_onnx_unsupported (error, "mode \"%s\" with \"%s\" is not supported; nearest, and linear with half_pixel, are", mode,
                                coordinates);
  if (g_str_equal (mode, "nearest") && !g_str_equal (coordinates, "asymmetric") && !g_str_equal (coordinates, "half_pixel") &&
      !g_str_equal (coordinates, "pytorch_half_pixel"))
    return nn_onnx_unsupported (error, "coordinates \"%s\" are not supported", coordinates);
  if (g_str_equal (coordinates, "asymmetric") && !upsample &&
      !g_str_equal (nn_onnx_string (op, "nearest_mode", "round_prefer_floor"), "floor"))
    return nn_onnx_unsupported (error, "asymmetric coordinates are supported with nearest_mode \"floor\"");
  if (last ? !nn_onnx_natural (onnx, value, error) : !nn_onnx_channels_last (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_UPSAMPLE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.interpolation = g_str_equal (mode, "nearest") ? NN_INTERPOLATION_NEAREST : NN_INTERPOLATION_BILINEAR;
  for (guint i = 0; i + 2 < value->rank; i++)
    node->attrs.size[i] = (gint64) g_array_index (scales, double, last ? i + 1 : i + 2);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[value->at[i]];
  return TRUE;
}

static gboolean
read_pad (NnOnnx           *onnx,
          Onnx__NodeProto  *op,
          GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error), *result;
  g_autoptr (GArray) pads = g_array_new (FALSE, FALSE, sizeof (double));
  const NnOnnxValue *fill = nn_onnx_input (onnx, op, 2);
  double number = nn_onnx_float (op, "value", 0);
  gboolean found, any = FALSE;
  NnNode *node;
  guint n;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "pads", 1, pads, &found) || pads->len != 2 * value->rank || (op->n_input > 3))
    return nn_onnx_unsupported (error, "its pads must be constant, two for each axis");
  n = value->rank;
  for (guint i = 0; i < pads->len; i++)
    {
      double p = g_array_index (pads, double, i);

      any |= p != 0;
      if (p < 0 || p > G_MAXINT32 || p != floor (p))
        return nn_onnx_unsupported (error, "negative pads are not supported");
    }
  if (!any)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (fill != NULL && fill->constant != NULL && fill->constant->n == 1)
    number = nn_tensor_get (fill->constant, 0);
  if (number != 0 || !g_str_equal (nn_onnx_string (op, "mode", "constant"), "constant"))
    return nn_onnx_unsupported (error, "only zeros are supported");
  if (n < 3 || n > 4 || value->batch != 0 || g_array_index (pads, double, 0) != 0 || g_array_index (pads, double, n) != 0)
    return nn_onnx_unsupported (error, "only the axes of a map are supported");
  if (g_array_index (pads, double, 1) == 0 && g_array_index (pads, double, n + 1) == 0)
    {
      if (!nn_onnx_channels_last (onnx, value, error))
        return FALSE;
    }
  else if (g_array_index (pads, double, n - 1) != 0 || g_array_index (pads, double, 2 * n - 1) != 0)
    return nn_onnx_unsupported (error, "padding of channels is not supported");
  else if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_ZERO_PAD, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  for (guint i = 1; i < n; i++)
    {
      int at = value->at[i - 1];

      if (at > 1)
        continue;
      if (at + 2 < (int) n)
        {
          node->attrs.pad[at][0] = (gint64) g_array_index (pads, double, i);
          node->attrs.pad[at][1] = (gint64) g_array_index (pads, double, i + n);
        }
    }
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[value->at[i]];
  return TRUE;
}

/* ReduceMean, ReduceSum, ReduceMax over axes that lie side by side. */
static gboolean
read_reduce (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error), *result;
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found, keep = nn_onnx_int (op, "keepdims", 1) != 0, mark[NN_MAX_RANK + 1] = { FALSE };
  int first = NN_MAX_RANK, last = -1, count = 0;
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || !found || axes->len == 0 || value->batch != 0 ||
      value->order != NULL)
    return nn_onnx_unsupported (error, "its axes must be constant");
  for (guint i = 0; i < axes->len; i++)
    {
      guint axis;
      int at;

      if (!nn_onnx_axis (value, (gint64) g_array_index (axes, double, i), &axis) || axis == 0)
        return nn_onnx_unsupported (error, "its axes are the batch's, or none");
      at = value->at[axis - 1];
      if (at == NN_ONNX_VIRTUAL)
        return nn_onnx_unsupported (error, "its axis has one element");
      mark[axis] = TRUE;
      first = MIN (first, at);
      last = MAX (last, at);
      count++;
    }
  if (last - first + 1 != count)
    return nn_onnx_unsupported (error, "its axes do not lie side by side");
  node = nn_onnx_node (onnx,
                       strstr (op->op_type, "Mean") != NULL  ? NN_OP_REDUCE_MEAN
                       : strstr (op->op_type, "Sum") != NULL ? NN_OP_REDUCE_SUM
                                                             : NN_OP_REDUCE_MAX,
                       nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.axis = first;
  node->attrs.axis2 = last;
  node->attrs.keep_dims = keep;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->rank = 1;
  for (guint i = 1; i < value->rank; i++)
    {
      int at = value->at[i - 1];

      if (mark[i] && !keep)
        continue;
      result->at[result->rank - 1] = keep || at < first ? at : at - count;
      result->dims[result->rank++] = mark[i] ? 1 : value->dims[i];
    }
  return TRUE;
}

/* One range along one axis; @into: (nullable): name of the result. */
static gboolean
add_slice (NnOnnx       *onnx,
           NnOnnxValue  *value,
           guint         axis,
           gint64        begin,
           gint64        end,
           gint64        step,
           const char   *name,
           const char   *type,
           GError      **error)
{
  int at = axis == value->batch ? NN_ONNX_VIRTUAL : value->at[nn_onnx_sample_axis (value, axis)];
  NnOnnxValue *result;
  NnNode *node;

  if (at == NN_ONNX_VIRTUAL || value->order != NULL)
    return nn_onnx_unsupported (error, "a part of this axis cannot be taken");
  node = nn_onnx_node (onnx, NN_OP_SLICE, name, type, &value->node, 1);
  node->attrs.axis = at;
  node->attrs.begin = begin;
  node->attrs.end = end;
  node->attrs.step = step;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
  result->dims[axis] = node->shape.dims[at];
  return TRUE;
}

static gboolean
read_slice (NnOnnx           *onnx,
            Onnx__NodeProto  *op,
            GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  GArray *lists[4];
  static const char *const names[] = { "starts", "ends", "axes", "steps" };
  gboolean found, ok = TRUE, any = FALSE;

  if (value == NULL)
    return FALSE;
  for (guint i = 0; i < 4; i++)
    {
      lists[i] = g_array_new (FALSE, FALSE, sizeof (double));
      ok = ok && nn_onnx_numbers (onnx, op, names[i], i + 1, lists[i], &found);
    }
  ok = ok && lists[0]->len == lists[1]->len && (lists[2]->len == 0 || lists[2]->len == lists[0]->len) &&
       (lists[3]->len == 0 || lists[3]->len == lists[0]->len);
  for (guint i = 0; ok && i < lists[0]->len; i++)
    {
      double begin = g_array_index (lists[0], double, i), end = g_array_index (lists[1], double, i);
      double step = lists[3]->len > 0 ? g_array_index (lists[3], double, i) : 1;
      gint64 extent;
      guint axis;

      if (!nn_onnx_axis (value, lists[2]->len > 0 ? (gint64) g_array_index (lists[2], double, i) : (gint64) i, &axis))
        ok = FALSE;
      extent = ok ? value->dims[axis] : 0;
      if (!ok || step < 1 || extent < 0)
        {
          ok = FALSE;
          break;
        }
      begin = CLAMP (begin < 0 ? begin + extent : begin, 0, extent);
      end = CLAMP (end < 0 ? end + extent : end, 0, extent);
      if (begin == 0 && end == extent && step == 1)
        continue;
      any = TRUE;
      if (!add_slice (onnx, value, axis, (gint64) begin, (gint64) end, (gint64) step, nn_onnx_out (op, 0), op->op_type, error))
        {
          for (guint k = 0; k < 4; k++)
            g_clear_pointer (&lists[k], g_array_unref);
          return FALSE;
        }
      value = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
    }
  for (guint i = 0; i < 4; i++)
    g_clear_pointer (&lists[i], g_array_unref);
  if (!ok)
    return nn_onnx_unsupported (error, "its ranges must be constant and forwards");
  if (!any)
    nn_onnx_alias (onnx, op, value);
  return TRUE;
}

static gboolean
read_split (NnOnnx           *onnx,
            Onnx__NodeProto  *op,
            GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 at = 0, each;
  gboolean found;
  guint axis;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_axis (value, nn_onnx_int (op, "axis", 0), &axis) || value->dims[axis] < 1 ||
      !nn_onnx_numbers (onnx, op, "split", 1, sizes, &found) || (found && sizes->len != op->n_output))
    return nn_onnx_unsupported (error, "its parts must be constant");
  each = (value->dims[axis] + (gint64) op->n_output - 1) / (gint64) op->n_output;
  for (guint i = 0; i < op->n_output; i++)
    {
      gint64 n = found ? (gint64) g_array_index (sizes, double, i) : MIN (each, value->dims[axis] - at);

      if (!add_slice (onnx, value, axis, at, at + n, 1, op->output[i], op->op_type, error))
        return FALSE;
      at += n;
    }
  return TRUE;
}

/* One place along an axis, or rows of a table. */
static gboolean
read_gather (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             GError          **error)
{
  NnOnnxValue *table = nn_onnx_input (onnx, op, 0), *index = nn_onnx_input (onnx, op, 1), *result;
  gint64 k;
  guint axis;
  NnNode *node;

  if (table == NULL || index == NULL)
    return nn_onnx_unsupported (error, "an input is missing");
  if (table->constant != NULL && index->constant == NULL && table->constant->shape.rank == 2 &&
      nn_onnx_int (op, "axis", 0) == 0 && index->batch == 0 && index->rank >= 2)
    {
      if (!nn_onnx_natural (onnx, index, error))
        return FALSE;
      node = nn_onnx_node (onnx, NN_OP_EMBEDDING, nn_onnx_out (op, 0), op->op_type, &index->node, 1);
      node->attrs.units = table->constant->shape.dims[1];
      nn_onnx_weight (onnx, node, NN_ROLE_EMBEDDINGS, "embeddings", nn_onnx_baked (table));
      if (!nn_onnx_finish (onnx, node, error))
        return FALSE;
      result = nn_onnx_result (onnx, nn_onnx_out (op, 0), index);
      result->dims[result->rank] = node->attrs.units;
      result->at[result->rank - 1] = (int) result->rank - 1;
      result->rank++;
      return TRUE;
    }
  if (table->constant != NULL || index->constant == NULL || index->constant->n != 1 || index->constant->shape.rank > 0 ||
      !nn_onnx_axis (table, nn_onnx_int (op, "axis", 0), &axis) || axis == table->batch || table->dims[axis] < 1)
    return nn_onnx_unsupported (error, "only one constant place, or rows of a constant table, are supported");
  k = (gint64) nn_tensor_get (index->constant, 0);
  k += k < 0 ? table->dims[axis] : 0;
  {
    g_autofree char *name = g_strdup_printf ("%s__slice", nn_onnx_out (op, 0));
    g_autofree NnOnnxValue *part = NULL;
    NnShape target = { 0 };

    if (!add_slice (onnx, table, axis, k, k + 1, 1, name, op->op_type, error))
      return FALSE;
    part = g_memdup2 (g_hash_table_lookup (onnx->values, name), sizeof *part);
    for (guint i = 0; i < part->rank; i++)
      if (i != part->batch && i != axis)
        target.dims[target.rank++] = part->dims[i];
    if (part->batch != 0 || target.rank == 0)
      return nn_onnx_unsupported (error, "its batch axis is not the first");
    return reshape (onnx, op, g_hash_table_lookup (onnx->values, name), &target, error);
  }
}

static gboolean
read_pow (NnOnnx           *onnx,
          Onnx__NodeProto  *op,
          GError          **error)
{
  NnOnnxValue *value = data_input (onnx, op, error);
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

static const struct {
  const char  *type;
  NnOnnxReader reader;
} readers[] = {
  { "Add", read_merge },
  { "AveragePool", nn_onnx_read_pool },
  { "BatchNormalization", nn_onnx_read_norm },
  { "BipolarQuant", nn_onnx_read_quant },
  { "Cast", read_cast },
  { "Clip", read_clip },
  { "Concat", read_concat },
  { "Conv", nn_onnx_read_conv },
  { "ConvTranspose", nn_onnx_read_conv },
  { "Cos", read_activation },
  { "DequantizeLinear", nn_onnx_read_linear },
  { "Div", read_merge },
  { "Dropout", read_identity },
  { "Elu", read_activation },
  { "Exp", read_activation },
  { "Flatten", read_flatten },
  { "GRU", nn_onnx_read_recurrent },
  { "Gather", read_gather },
  { "Gemm", nn_onnx_read_dense },
  { "GlobalAveragePool", nn_onnx_read_global_pool },
  { "GlobalMaxPool", nn_onnx_read_global_pool },
  { "HardSigmoid", read_other_activation },
  { "Identity", read_identity },
  { "IntQuant", nn_onnx_read_quant },
  { "LSTM", nn_onnx_read_recurrent },
  { "LayerNormalization", nn_onnx_read_norm },
  { "LeakyRelu", read_activation },
  { "MatMul", nn_onnx_read_dense },
  { "Max", read_merge },
  { "MaxPool", nn_onnx_read_pool },
  { "Mean", read_merge },
  { "Min", read_merge },
  { "Mish", read_activation },
  { "Mul", read_merge },
  { "PRelu", read_prelu },
  { "Pad", read_pad },
  { "Pow", read_pow },
  { "Quant", nn_onnx_read_quant },
  { "QuantizeLinear", nn_onnx_read_linear },
  { "RNN", nn_onnx_read_recurrent },
  { "ReduceMax", read_reduce },
  { "ReduceMean", read_reduce },
  { "ReduceSum", read_reduce },
  { "Relu", read_activation },
  { "Reshape", read_reshape },
  { "Resize", read_resize },
  { "Selu", read_activation },
  { "Shape", read_shape },
  { "Sigmoid", read_activation },
  { "Sin", read_activation },
  { "Slice", read_slice },
  { "Softmax", read_softmax },
  { "Softplus", read_activation },
  { "Softsign", read_activation },
  { "Split", read_split },
  { "Squeeze", read_squeeze },
  { "Sub", read_merge },
  { "Sum", read_merge },
  { "Tanh", read_activation },
  { "ThresholdedRelu", read_other_activation },
  { "Transpose", read_transpose },
  { "TreeEnsembleClassifier", nn_onnx_read_trees },
  { "TreeEnsembleRegressor", nn_onnx_read_trees },
  { "Unsqueeze", read_squeeze },
  { "Upsample", read_resize },
  { "ZipMap", read_identity },
};

NnOnnxReader
nn_onnx_find_reader (const char *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    if (g_str_equal (readers[i].type, type))
      return readers[i].reader;
  return NULL;
}

/* Every operator that has a reader, and those that constants are folded through, for the page of supported layers. */
char **
nn_onnx_type_names (void)
{
  char **names = g_new0 (char *, G_N_ELEMENTS (readers) + 1);

  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    names[i] = g_strdup (readers[i].type);
  return names;
}
