/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Functions in place of layers: TensorFlow's in Keras 2 (TFOpLambda, SlicingOpLambda), keras.ops in Keras 3. Sources: Keras 2.13,
 * layers/core/tf_op_layer.py; Keras 3, ops/operation.py, ops/numpy.py, ops/nn.py. */

#include "nn-keras.h"

#include <string.h>

typedef enum {
  FORM_BINARY,
  FORM_ACTIVATION,
  FORM_REDUCTION,
  FORM_NEGATIVE,
  FORM_SQUARE,
  FORM_RESHAPE,
  FORM_TRANSPOSE,
  FORM_CONCATENATE,
  FORM_EXPAND,
  FORM_SQUEEZE,
  FORM_ITEM,
} Form;

/* By the last part of TensorFlow's name, or the class of Keras 3 in small letters. */
static const struct {
  const char *name;
  Form        form;
  int         what; /* NnOp or NnAct */
} functions[] = {
  { "add", FORM_BINARY, NN_OP_ADD },
  { "subtract", FORM_BINARY, NN_OP_SUBTRACT },
  { "sub", FORM_BINARY, NN_OP_SUBTRACT },
  { "multiply", FORM_BINARY, NN_OP_MULTIPLY },
  { "mul", FORM_BINARY, NN_OP_MULTIPLY },
  { "divide", FORM_BINARY, NN_OP_DIVIDE },
  { "truediv", FORM_BINARY, NN_OP_DIVIDE },
  { "true_divide", FORM_BINARY, NN_OP_DIVIDE },
  { "truedivide", FORM_BINARY, NN_OP_DIVIDE },
  { "maximum", FORM_BINARY, NN_OP_MAXIMUM },
  { "minimum", FORM_BINARY, NN_OP_MINIMUM },
  { "matmul", FORM_BINARY, NN_OP_MATMUL },
  { "relu", FORM_ACTIVATION, NN_ACT_RELU },
  { "relu6", FORM_ACTIVATION, NN_ACT_RELU },
  { "leaky_relu", FORM_ACTIVATION, NN_ACT_LEAKY_RELU },
  { "leakyrelu", FORM_ACTIVATION, NN_ACT_LEAKY_RELU },
  { "elu", FORM_ACTIVATION, NN_ACT_ELU },
  { "selu", FORM_ACTIVATION, NN_ACT_SELU },
  { "sigmoid", FORM_ACTIVATION, NN_ACT_SIGMOID },
  { "tanh", FORM_ACTIVATION, NN_ACT_TANH },
  { "softplus", FORM_ACTIVATION, NN_ACT_SOFTPLUS },
  { "softsign", FORM_ACTIVATION, NN_ACT_SOFTSIGN },
  { "softmax", FORM_ACTIVATION, NN_ACT_SOFTMAX },
  { "silu", FORM_ACTIVATION, NN_ACT_SWISH },
  { "swish", FORM_ACTIVATION, NN_ACT_SWISH },
  { "exp", FORM_ACTIVATION, NN_ACT_EXPONENTIAL },
  { "abs", FORM_ACTIVATION, NN_ACT_ABS },
  { "absolute", FORM_ACTIVATION, NN_ACT_ABS },
  { "sqrt", FORM_ACTIVATION, NN_ACT_SQRT },
  { "log", FORM_ACTIVATION, NN_ACT_LOG },
  { "sin", FORM_ACTIVATION, NN_ACT_SIN },
  { "cos", FORM_ACTIVATION, NN_ACT_COS },
  { "sign", FORM_ACTIVATION, NN_ACT_SIGN },
  { "floor", FORM_ACTIVATION, NN_ACT_FLOOR },
  { "ceil", FORM_ACTIVATION, NN_ACT_CEIL },
  { "round", FORM_ACTIVATION, NN_ACT_ROUND },
  { "negative", FORM_NEGATIVE, 0 },
  { "neg", FORM_NEGATIVE, 0 },
  { "square", FORM_SQUARE, 0 },
  { "reduce_mean", FORM_REDUCTION, NN_OP_REDUCE_MEAN },
  { "mean", FORM_REDUCTION, NN_OP_REDUCE_MEAN },
  { "reduce_sum", FORM_REDUCTION, NN_OP_REDUCE_SUM },
  { "sum", FORM_REDUCTION, NN_OP_REDUCE_SUM },
  { "reduce_max", FORM_REDUCTION, NN_OP_REDUCE_MAX },
  { "max", FORM_REDUCTION, NN_OP_REDUCE_MAX },
  { "reshape", FORM_RESHAPE, 0 },
  { "transpose", FORM_TRANSPOSE, 0 },
  { "concat", FORM_CONCATENATE, 0 },
  { "concatenate", FORM_CONCATENATE, 0 },
  { "expand_dims", FORM_EXPAND, 0 },
  { "expanddims", FORM_EXPAND, 0 },
  { "squeeze", FORM_SQUEEZE, 0 },
  { "getitem", FORM_ITEM, 0 },
};

/* An argument: of the call by keyword, or of the operation's configuration. */
static JsonNode *
argument (NnKerasLayer *layer,
          const char   *name)
{
  JsonArray *call = nn_json_as_array (layer->call);
  JsonObject *keywords = nn_json_object (nn_json_as_object (layer->call), "kwargs");

  /* Keras 2: ["layer", 0, 0, {...}], alone or in a list */
  if (call != NULL && json_array_get_length (call) > 0 && nn_json_as_array (json_array_get_element (call, 0)) != NULL)
    call = nn_json_as_array (json_array_get_element (call, 0));
  if (call != NULL && json_array_get_length (call) > 3)
    keywords = nn_json_as_object (json_array_get_element (call, 3));
  return nn_json_get (keywords, name) != NULL ? nn_json_get (keywords, name) : nn_json_get (layer->config, name);
}

static gboolean
find_number (JsonNode *node,
             double   *number)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && nn_json_as_double (node, number);
}

/* The one operand that is a number; @first: (out): whether it stands before the data. */
static gboolean
find_constant (NnKerasLayer *layer,
               double       *number,
               gboolean     *first)
{
  JsonArray *call = nn_json_as_array (layer->call);
  JsonArray *args = nn_json_array (nn_json_as_object (layer->call), "args");

  *first = FALSE;
  for (guint i = 0; args != NULL && i < json_array_get_length (args); i++)
    if (find_number (json_array_get_element (args, i), number))
      {
        *first = i == 0;
        return TRUE;
      }
  if (call != NULL && json_array_get_length (call) > 0 && nn_json_as_array (json_array_get_element (call, 0)) != NULL)
    call = nn_json_as_array (json_array_get_element (call, 0));
  if (call != NULL && json_array_get_length (call) > 2 &&
      g_strcmp0 (nn_json_as_string (json_array_get_element (call, 0)), "_CONSTANT_VALUE") == 0)
    {
      *first = TRUE;
      return find_number (json_array_get_element (call, 2), number);
    }
  return find_number (argument (layer, "y"), number) || find_number (argument (layer, "x2"), number);
}

static gboolean
add_line (NnKerasLayer  *layer,
          double         factor,
          double         offset,
          GError       **error)
{
  const NnShape shape = NN_SHAPE (MAX (nn_shape_last (layer->in), 1));
  NnNode *node = nn_keras_add_node (layer, NN_OP_SCALE, layer->node_name, layer->inputs, 1);

  node->attrs.use_bias = TRUE;
  for (guint i = 0; i < 2; i++)
    {
      NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &shape);

      for (gsize k = 0; k < values->n; k++)
        nn_tensor_f32 (values)[k] = (float) (i == 0 ? factor : offset);
      if (!nn_keras_give (layer, node, i == 0 ? NN_ROLE_SCALE : NN_ROLE_BIAS, values, error))
        return FALSE;
    }
  return nn_keras_shape (layer->keras, node, error);
}

/* Data with a number that a line cannot stand for: a constant of its own. */
static gboolean
add_with_constant (NnKerasLayer  *layer,
                   NnOp           op,
                   double         number,
                   gboolean       first,
                   GError       **error)
{
  g_autofree char *name = g_strdup_printf ("%s__number", layer->node_name);
  NnTensor *value = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1));
  guint inputs[2];
  NnNode *node = nn_keras_add_node (layer, NN_OP_CONSTANT, name, NULL, 0);

  node->shape = NN_SHAPE (1);
  nn_tensor_f32 (value)[0] = (float) number;
  if (!nn_keras_give (layer, node, NN_ROLE_VALUE, value, error))
    return FALSE;
  inputs[first ? 0 : 1] = layer->out;
  inputs[first ? 1 : 0] = layer->inputs[0];
  node = nn_keras_add_node (layer, op, layer->node_name, inputs, 2);
  return nn_keras_shape (layer->keras, node, error);
}

static gboolean
read_binary (NnKerasLayer  *layer,
             NnOp           op,
             GError       **error)
{
  double number;
  gboolean first;
  NnNode *node;

  if (layer->n_inputs == 2)
    {
      node = nn_keras_add_node (layer, op, layer->node_name, layer->inputs, 2);
      return nn_keras_shape (layer->keras, node, error);
    }
  if (layer->n_inputs != 1 || op == NN_OP_MATMUL || !find_constant (layer, &number, &first))
    return nn_keras_unsupported (layer, error, "its operands must be two tensors, or a tensor and a number");
  if (op == NN_OP_ADD || op == NN_OP_SUBTRACT)
    return add_line (layer, op == NN_OP_SUBTRACT && first ? -1 : 1, op == NN_OP_SUBTRACT && !first ? -number : number, error);
  if (op == NN_OP_MULTIPLY)
    return add_line (layer, number, 0, error);
  return add_with_constant (layer, op, number, first, error);
}

/* An axis that is not the batch's. */
static gboolean
read_axis (NnKerasLayer  *layer,
           JsonNode      *node,
           gint64         fallback,
           gint64         rank,
           gint          *axis,
           GError       **error)
{
  gint64 value = fallback;

  if (node != NULL && !nn_json_as_int (node, &value))
    return nn_keras_unsupported (layer, error, "\"axis\" is no single number");
  value += value < 0 ? rank + 1 : 0;
  if (value < 1 || value > rank)
    return nn_keras_unsupported (layer, error, "\"axis\" is the batch's, or none of its input");
  *axis = (gint) value - 1;
  return TRUE;
}

static gboolean
read_activation (NnKerasLayer  *layer,
                 NnAct          act,
                 gboolean       six,
                 GError       **error)
{
  NnNode *node = nn_keras_add_node (layer, NN_OP_ACTIVATION, layer->node_name, layer->inputs, 1);
  JsonNode *slope = argument (layer, "alpha") != NULL ? argument (layer, "alpha") : argument (layer, "negative_slope");

  node->attrs.act = act;
  node->attrs.max_value = six ? 6 : 0;
  node->attrs.alpha = act == NN_ACT_LEAKY_RELU ? 0.2 : act == NN_ACT_ELU ? 1 : 0;
  if (act != NN_ACT_RELU)
    find_number (slope, &node->attrs.alpha);
  if (act == NN_ACT_SOFTMAX && !read_axis (layer, argument (layer, "axis"), -1, layer->in->rank, &node->attrs.axis, error))
    return FALSE;
  if (act == NN_ACT_SOFTMAX && node->attrs.axis == (gint) layer->in->rank - 1)
    node->attrs.axis = -1;
  return nn_keras_shape (layer->keras, node, error);
}

static gboolean
read_reduction (NnKerasLayer  *layer,
                NnOp           op,
                GError       **error)
{
  JsonNode *axis = argument (layer, "axis"), *keep = argument (layer, "keepdims");
  JsonArray *axes = nn_json_as_array (axis);
  guint n = axes != NULL ? json_array_get_length (axes) : 1;
  gint first = NN_MAX_RANK, last = -1;
  NnNode *node;

  if (axis == NULL)
    return nn_keras_unsupported (layer, error, "over all axes, the batch's among them, is not supported");
  for (guint i = 0; i < n; i++)
    {
      gint at;

      if (!read_axis (layer, axes != NULL ? json_array_get_element (axes, i) : axis, -1, layer->in->rank, &at, error))
        return FALSE;
      first = MIN (first, at);
      last = MAX (last, at);
    }
  if (last - first + 1 != (gint) n)
    return nn_keras_unsupported (layer, error, "axes that do not lie side by side are not supported");
  node = nn_keras_add_node (layer, op, layer->node_name, layer->inputs, 1);
  node->attrs.axis = first;
  node->attrs.axis2 = last;
  node->attrs.keep_dims = keep != NULL && JSON_NODE_HOLDS_VALUE (keep) && json_node_get_boolean (keep);
  return nn_keras_shape (layer->keras, node, error);
}

static gboolean
add_reshape (NnKerasLayer  *layer,
             guint          input,
             NnShape        target,
             GError       **error)
{
  NnNode *node = nn_keras_add_node (layer, NN_OP_RESHAPE, layer->node_name, &input, 1);

  node->attrs.target = target;
  return nn_keras_shape (layer->keras, node, error);
}

/* The shape with the batch in front, which must stay what it is. */
static gboolean
read_reshape (NnKerasLayer  *layer,
              GError       **error)
{
  JsonArray *dims = nn_json_as_array (argument (layer, "shape"));
  NnShape target = { 0 };

  if (dims == NULL)
    dims = nn_json_as_array (argument (layer, "newshape"));
  if (dims == NULL || json_array_get_length (dims) < 1 || json_array_get_length (dims) > NN_MAX_RANK)
    return nn_keras_unsupported (layer, error, "its shape is not a list of numbers");
  for (guint i = 0; i < json_array_get_length (dims); i++)
    {
      gint64 d = -1;

      if (!JSON_NODE_HOLDS_NULL (json_array_get_element (dims, i)) && !nn_json_as_int (json_array_get_element (dims, i), &d))
        return nn_keras_unsupported (layer, error, "its shape is not a list of numbers");
      if (i == 0 && d != -1)
        return nn_keras_unsupported (layer, error, "its shape changes the batch");
      if (i > 0)
        target.dims[target.rank++] = d;
    }
  return add_reshape (layer, layer->inputs[0], target, error);
}

static gboolean
read_transpose (NnKerasLayer  *layer,
                GError       **error)
{
  JsonArray *dims = nn_json_as_array (argument (layer, "perm"));
  NnNode *node;

  if (dims == NULL)
    dims = nn_json_as_array (argument (layer, "axes"));
  if (dims == NULL || json_array_get_length (dims) != layer->in->rank + 1)
    return nn_keras_unsupported (layer, error, "its order of axes is not told, or does not fit its input");
  node = nn_keras_add_node (layer, NN_OP_PERMUTE, layer->node_name, layer->inputs, 1);
  for (guint i = 0; i <= layer->in->rank; i++)
    {
      gint64 d = -1;

      if (!nn_json_as_int (json_array_get_element (dims, i), &d) || (d == 0) != (i == 0) || d > layer->in->rank)
        return nn_keras_unsupported (layer, error, "its order of axes moves the batch, or is none");
      if (i > 0)
        node->attrs.perm[i - 1] = (guint) d - 1;
    }
  return nn_keras_shape (layer->keras, node, error);
}

static gboolean
read_concatenate (NnKerasLayer  *layer,
                  GError       **error)
{
  NnNode *node = nn_keras_add_node (layer, NN_OP_CONCATENATE, layer->node_name, layer->inputs, layer->n_inputs);

  return read_axis (layer, argument (layer, "axis"), -1, layer->in->rank, &node->attrs.axis, error) &&
         nn_keras_shape (layer->keras, node, error);
}

static gboolean
read_one_axis (NnKerasLayer  *layer,
               gboolean       expand,
               GError       **error)
{
  NnShape target = { 0 };
  gint axis;

  if (!read_axis (layer, argument (layer, "axis"), -1, layer->in->rank + (expand ? 1 : 0), &axis, error))
    return FALSE;
  if (expand ? layer->in->rank == NN_MAX_RANK : layer->in->dims[axis] != 1)
    return nn_keras_unsupported (layer, error, "\"axis\" is not one of extent 1, or there are too many");
  for (guint i = 0; i < layer->in->rank + (expand ? 1 : 0); i++)
    if (expand && i == (guint) axis)
      target.dims[target.rank++] = 1;
    else if (expand || i != (guint) axis)
      target.dims[target.rank++] = layer->in->dims[expand && i > (guint) axis ? i - 1 : i];
  return add_reshape (layer, layer->inputs[0], target, error);
}

/* One of a slice's three numbers. */
static gboolean
slice_number (JsonObject *object,
              const char *name,
              gint64      fallback,
              gint64     *value)
{
  JsonNode *node = nn_json_get (object, name);

  *value = fallback;
  return node == NULL || nn_json_as_int (node, value);
}

/* x[:, 2:5, 0]: slices, and axes taken away. */
static gboolean
read_item (NnKerasLayer  *layer,
           JsonNode      *spec,
           GError       **error)
{
  JsonArray *parts = nn_json_as_array (spec);
  JsonObject *numbered = nn_json_as_object (spec);
  guint input = layer->inputs[0], n = parts != NULL ? json_array_get_length (parts) : 0;
  NnShape target = *layer->in;
  gboolean drop[NN_MAX_RANK] = { FALSE }, any = FALSE;

  for (guint i = 0; parts == NULL && numbered != NULL && i < (guint) json_object_get_size (numbered); i++, n++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      if (nn_json_get (numbered, name) == NULL)
        break;
    }
  for (guint i = 1; i < n && i <= layer->in->rank; i++)
    {
      g_autofree char *number = g_strdup_printf ("%u", i), *name = g_strdup_printf ("%s__axis%u", layer->node_name, i);
      JsonNode *part = parts != NULL ? json_array_get_element (parts, i) : nn_json_get (numbered, number);
      JsonObject *slice = nn_json_as_object (part);
      gint64 extent = layer->in->dims[i - 1], begin, end, step;
      NnNode *node;

      if (nn_json_object (slice, "config") != NULL)
        slice = nn_json_object (slice, "config");
      if (slice == NULL && nn_json_as_int (part, &begin))
        {
          begin += begin < 0 ? extent : 0;
          end = begin + 1;
          step = 1;
          drop[i - 1] = any = TRUE;
        }
      else if (slice == NULL || !slice_number (slice, "start", 0, &begin) || !slice_number (slice, "stop", extent, &end) ||
               !slice_number (slice, "step", 1, &step) || step < 1)
        return nn_keras_unsupported (layer, error, "an index that is neither a number nor a slice forwards is not supported");
      begin = CLAMP (begin + (begin < 0 ? extent : 0), 0, extent);
      end = CLAMP (end + (end < 0 ? extent : 0), 0, extent);
      if (begin == 0 && end == extent && step == 1)
        continue;
      node = nn_keras_add_node (layer, NN_OP_SLICE, name, &input, 1);
      node->attrs.axis = (gint) i - 1;
      node->attrs.begin = begin;
      node->attrs.end = end;
      node->attrs.step = step;
      if (!nn_keras_shape (layer->keras, node, error))
        return FALSE;
      input = layer->out;
      target.dims[i - 1] = node->shape.dims[i - 1];
    }
  if (n < 1 || n > layer->in->rank + 1)
    return nn_keras_unsupported (layer, error, "its index is not a list of numbers and slices");
  if (any)
    {
      guint rank = target.rank;

      target.rank = 0;
      for (guint i = 0; i < rank; i++)
        if (!drop[i])
          target.dims[target.rank++] = target.dims[i];
    }
  return add_reshape (layer, input, target, error);
}

static gboolean
apply (NnKerasLayer  *layer,
       const char    *name,
       GError       **error)
{
  guint inputs[2] = { layer->inputs[0], layer->inputs[0] };
  guint i = 0;

  while (i < G_N_ELEMENTS (functions) && !g_str_equal (functions[i].name, name))
    i++;
  if (i == G_N_ELEMENTS (functions))
    return nn_keras_unsupported (layer, error, "the function \"%s\" is not supported", name);
  switch (functions[i].form)
    {
    case FORM_BINARY:
      return read_binary (layer, functions[i].what, error);
    case FORM_ACTIVATION:
      return read_activation (layer, functions[i].what, g_str_equal (name, "relu6"), error);
    case FORM_REDUCTION:
      return read_reduction (layer, functions[i].what, error);
    case FORM_NEGATIVE:
      return add_line (layer, -1, 0, error);
    case FORM_SQUARE:
      return nn_keras_shape (layer->keras, nn_keras_add_node (layer, NN_OP_MULTIPLY, layer->node_name, inputs, 2), error);
    case FORM_RESHAPE:
      return read_reshape (layer, error);
    case FORM_TRANSPOSE:
      return read_transpose (layer, error);
    case FORM_CONCATENATE:
      return read_concatenate (layer, error);
    case FORM_EXPAND:
    case FORM_SQUEEZE:
      return read_one_axis (layer, functions[i].form == FORM_EXPAND, error);
    case FORM_ITEM:
    default:
      {
        JsonArray *args = nn_json_array (nn_json_as_object (layer->call), "args");

        return read_item (layer, args != NULL && json_array_get_length (args) > 1 ? json_array_get_element (args, 1) : argument (layer, "slice_spec"),
                          error);
      }
    }
}

/* TFOpLambda, SlicingOpLambda: the function's name stands in the configuration, "math.multiply". */
gboolean
nn_keras_read_tf_op (NnKerasLayer  *layer,
                     GError       **error)
{
  const char *name = nn_json_string (layer->config, "function");

  if (name == NULL)
    return nn_keras_bad (layer, error, "\"function\" is missing");
  return apply (layer, strrchr (name, '.') != NULL ? strrchr (name, '.') + 1 : name, error);
}

/* An operation of keras.ops: its class is the function. */
gboolean
nn_keras_read_operation (NnKerasLayer  *layer,
                         GError       **error)
{
  g_autofree char *name = g_ascii_strdown (layer->class_name, -1);

  return apply (layer, name, error);
}
