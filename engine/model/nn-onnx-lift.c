/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX networks whose first axis is not the batch's: a fully static network is one sample, before which an axis is put. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <stdlib.h>
#include <string.h>

/* What an operator needs for its axes to move up by one. */
typedef enum {
  LIFT_AS_IS,
  LIFT_AXIS,       /* the attribute "axis" */
  LIFT_AXES,       /* "axes", an attribute or the input told */
  LIFT_PERMUTATION,
  LIFT_SHAPE,
} Lift;

static const struct {
  const char *type;
  Lift        lift;
  guint       input;   /* which has the numbers in newer operator sets */
  int         fallback; /* of "axis", where it is not told and counts from the front; -1: from the end */
} lifts[] = {
  { "Add", LIFT_AS_IS, 0, 0 },          { "Cast", LIFT_AS_IS, 0, 0 },       { "Clip", LIFT_AS_IS, 0, 0 },
  { "Concat", LIFT_AXIS, 0, 0 },        { "Constant", LIFT_AS_IS, 0, 0 },   { "Cos", LIFT_AS_IS, 0, 0 },
  { "Div", LIFT_AS_IS, 0, 0 },          { "Dropout", LIFT_AS_IS, 0, 0 },    { "Elu", LIFT_AS_IS, 0, 0 },
  { "Exp", LIFT_AS_IS, 0, 0 },          { "Gather", LIFT_AXIS, 0, 0 },      { "HardSigmoid", LIFT_AS_IS, 0, 0 },
  { "Identity", LIFT_AS_IS, 0, 0 },     { "LayerNormalization", LIFT_AXIS, 0, -1 }, { "LeakyRelu", LIFT_AS_IS, 0, 0 },
  { "MatMul", LIFT_AS_IS, 0, 0 },       { "Max", LIFT_AS_IS, 0, 0 },        { "Mean", LIFT_AS_IS, 0, 0 },
  { "Min", LIFT_AS_IS, 0, 0 },          { "Mish", LIFT_AS_IS, 0, 0 },       { "Mul", LIFT_AS_IS, 0, 0 },
  { "Pow", LIFT_AS_IS, 0, 0 },          { "ReduceMax", LIFT_AXES, 1, 0 },   { "ReduceMean", LIFT_AXES, 1, 0 },
  { "ReduceSum", LIFT_AXES, 1, 0 },     { "Relu", LIFT_AS_IS, 0, 0 },       { "Reshape", LIFT_SHAPE, 1, 0 },
  { "Selu", LIFT_AS_IS, 0, 0 },         { "Sigmoid", LIFT_AS_IS, 0, 0 },    { "Sin", LIFT_AS_IS, 0, 0 },
  { "Slice", LIFT_AXES, 3, 0 },         { "Softmax", LIFT_AXIS, 0, -1 },    { "Softplus", LIFT_AS_IS, 0, 0 },
  { "Softsign", LIFT_AS_IS, 0, 0 },     { "Split", LIFT_AXIS, 0, 0 },       { "Squeeze", LIFT_AXES, 1, 0 },
  { "Sub", LIFT_AS_IS, 0, 0 },          { "Sum", LIFT_AS_IS, 0, 0 },        { "Tanh", LIFT_AS_IS, 0, 0 },
  { "ThresholdedRelu", LIFT_AS_IS, 0, 0 }, { "Transpose", LIFT_PERMUTATION, 0, 0 }, { "Unsqueeze", LIFT_AXES, 1, 0 },
};

/* (nullable): a constant that is told in the file itself, not computed */
static const Onnx__TensorProto *
constant (const Onnx__GraphProto *graph,
          const char             *name)
{
  for (gsize i = 0; i < graph->n_initializer; i++)
    if (graph->initializer[i]->name != NULL && g_str_equal (graph->initializer[i]->name, name))
      return graph->initializer[i];
  for (gsize i = 0; i < graph->n_node; i++)
    if (graph->node[i]->op_type != NULL && g_str_equal (graph->node[i]->op_type, "Constant") &&
        g_str_equal (nn_onnx_out (graph->node[i], 0), name))
      {
        Onnx__AttributeProto *value = nn_onnx_attribute (graph->node[i], "value");

        return value != NULL ? value->t : NULL;
      }
  return NULL;
}

/* A constant of its own for one operator, for others may read the old one. */
static void
replace (Onnx__GraphProto *graph,
         Onnx__NodeProto  *op,
         guint             input,
         const gint64     *numbers,
         gsize             n)
{
  Onnx__TensorProto *proto = calloc (1, sizeof *proto);
  g_autofree char *name = g_strdup_printf ("%s__lifted_%" G_GSIZE_FORMAT, op->input[input], graph->n_initializer);

  onnx__tensor_proto__init (proto);
  proto->name = strdup (name);
  proto->has_data_type = TRUE;
  proto->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
  proto->dims = malloc (sizeof *proto->dims);
  proto->dims[0] = (gint64) n;
  proto->n_dims = 1;
  proto->int64_data = malloc (MAX (n, 1) * sizeof *proto->int64_data);
  memcpy (proto->int64_data, numbers, n * sizeof *numbers);
  proto->n_int64_data = n;
  graph->initializer = realloc (graph->initializer, (graph->n_initializer + 1) * sizeof *graph->initializer);
  graph->initializer[graph->n_initializer++] = proto;
  free (op->input[input]);
  op->input[input] = strdup (name);
}

/* The numbers of a list, as they are once there is an axis more; @lead: whether a zero, "as it is", goes before them. */
static gboolean
lift_list (NnOnnx           *onnx,
           Onnx__GraphProto *graph,
           Onnx__NodeProto  *op,
           const char       *name,
           guint             input,
           gboolean          lead,
           gboolean         *found)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);
  const Onnx__TensorProto *proto = NULL;
  g_autoptr (NnTensor) tensor = NULL;
  gint64 numbers[NN_MAX_RANK + 2] = { 0 };
  gsize n;

  *found = TRUE;
  if (a != NULL && lead)
    return FALSE; /* of the oldest operator sets only */
  if (a != NULL)
    {
      for (gsize i = 0; i < a->n_ints; i++)
        a->ints[i] += a->ints[i] >= 0 && a->ints[i] < G_MAXINT32;
      return TRUE;
    }
  *found = input < op->n_input && op->input[input][0] != '\0';
  if (!*found)
    return TRUE;
  proto = constant (graph, op->input[input]);
  tensor = proto != NULL ? nn_onnx_tensor (onnx, (Onnx__TensorProto *) proto, NULL) : NULL;
  if (tensor == NULL || tensor->n > NN_MAX_RANK || tensor->shape.rank > 1)
    return FALSE;
  n = tensor->n;
  for (gsize i = 0; i < n; i++)
    {
      gint64 number = nn_onnx_whole (nn_tensor_get (tensor, i));

      numbers[i + lead] = !lead && number >= 0 && number < G_MAXINT32 ? number + 1 : number;
    }
  replace (graph, op, input, numbers, n + lead);
  return TRUE;
}

static gboolean
lift_permutation (Onnx__NodeProto *op)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "perm");

  if (a == NULL || a->n_ints > NN_MAX_RANK)
    return FALSE;
  a->ints = realloc (a->ints, (a->n_ints + 1) * sizeof *a->ints);
  for (gsize i = a->n_ints; i > 0; i--)
    {
      if (a->ints[i - 1] < 0 || a->ints[i - 1] > NN_MAX_RANK)
        return FALSE;
      a->ints[i] = a->ints[i - 1] + 1;
    }
  a->ints[0] = 0;
  a->n_ints++;
  return TRUE;
}

static gboolean
lift_axis (Onnx__NodeProto *op,
           int              fallback)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "axis");

  if (a == NULL)
    return fallback < 0;
  if (a->i >= 0 && a->i < NN_MAX_RANK)
    a->i++;
  return TRUE;
}

static gboolean
lift_op (NnOnnx           *onnx,
         Onnx__GraphProto *graph,
         Onnx__NodeProto  *op)
{
  gboolean found;

  for (guint i = 0; op->op_type != NULL && i < G_N_ELEMENTS (lifts); i++)
    if (g_str_equal (lifts[i].type, op->op_type))
      switch (lifts[i].lift)
        {
        case LIFT_AS_IS:
          return TRUE;
        case LIFT_AXIS:
          /* a table's rows are the constant's axis; and one axis was several before operator set 13 */
          if (g_str_equal (op->op_type, "Gather") && op->n_input > 0 && constant (graph, op->input[0]) != NULL)
            return TRUE;
          return (onnx->opset >= 13 || !g_str_equal (op->op_type, "Softmax")) && lift_axis (op, lifts[i].fallback);
        case LIFT_AXES:
          return lift_list (onnx, graph, op, "axes", lifts[i].input, FALSE, &found) && found;
        case LIFT_PERMUTATION:
          return lift_permutation (op);
        case LIFT_SHAPE:
          return lift_list (onnx, graph, op, "shape", lifts[i].input, TRUE, &found) && found;
        }
  return FALSE;
}

static gboolean
lift_value (Onnx__ValueInfoProto *value)
{
  Onnx__TensorShapeProto *shape =
      value->type != NULL && value->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && value->type->tensor_type != NULL
        ? value->type->tensor_type->shape
        : NULL;
  Onnx__TensorShapeProto__Dimension *open;

  if (shape == NULL || shape->n_dim == 0)
    return FALSE;
  for (gsize i = 0; i < shape->n_dim; i++)
    if (shape->dim[i]->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE || shape->dim[i]->dim_value <= 0)
      return FALSE;
  open = calloc (1, sizeof *open);
  onnx__tensor_shape_proto__dimension__init (open);
  shape->dim = realloc (shape->dim, (shape->n_dim + 1) * sizeof *shape->dim);
  memmove (shape->dim + 1, shape->dim, shape->n_dim * sizeof *shape->dim);
  shape->dim[0] = open;
  shape->n_dim++;
  return TRUE;
}

/**
 * nn_onnx_lift:
 * @graph: changed, also where that fails
 *
 * Puts an open axis, the batch's, before all axes of a network whose inputs are all of known shape.
 *
 * Returns: whether that was possible: whether every operator is one for which it is known how
 */
gboolean
nn_onnx_lift (NnOnnx           *onnx,
              Onnx__GraphProto *graph)
{
  for (gsize i = 0; i < graph->n_input; i++)
    {
      gboolean initial = FALSE;

      for (gsize k = 0; k < graph->n_initializer; k++)
        initial |= g_strcmp0 (graph->initializer[k]->name, graph->input[i]->name) == 0;
      if (!initial && !lift_value (graph->input[i]))
        return FALSE;
    }
  for (gsize i = 0; i < graph->n_output; i++)
    lift_value (graph->output[i]);
  for (gsize i = 0; i < graph->n_value_info; i++)
    lift_value (graph->value_info[i]);
  for (gsize i = 0; i < graph->n_node; i++)
    if (!lift_op (onnx, graph, graph->node[i]))
      return FALSE;
  return TRUE;
}
