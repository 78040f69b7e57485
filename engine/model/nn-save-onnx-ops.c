/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each operator as ONNX's: which writer serves, and merges. */

#include "nn-save-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

gboolean
nn_onnx_fail (const NnNode  *node,
              const char    *what,
              GError       **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s): ONNX files cannot hold it: %s", node->name,
               node->class_name, what);
  return FALSE;
}

const NnShape *
nn_onnx_in_shape (NnOnnxWriter *w,
                  const NnNode *node)
{
  return &nn_graph_node (w->graph, node->inputs[0])->shape;
}

NnTensor *
nn_onnx_constant_vector (gint64 n,
                         float  value)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n));

  for (gsize i = 0; i < tensor->n; i++)
    nn_tensor_f32 (tensor)[i] = value;
  return tensor;
}

/* Operators that do not care for the layout go on in the one that is there. */
NnOnnxLayout
nn_onnx_layout_of (NnOnnxWriter *w,
                   const NnNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (w->names[node->inputs[i]][NN_ONNX_FIRST] == NULL ||
        nn_graph_node (w->graph, node->inputs[i])->shape.rank != node->shape.rank)
      return NN_ONNX_LAST;
  return NN_ONNX_FIRST;
}

const char *
nn_onnx_name_in (NnOnnxWriter *w,
                 const NnNode *node,
                 guint         index,
                 NnOnnxLayout  layout)
{
  w->names[index][layout] = nn_onnx_text (w, layout == NN_ONNX_FIRST ? "%s__first" : "%s", node->name);
  return w->names[index][layout];
}

/* An axis of the sample as one of the file's. */
gint64
nn_onnx_file_axis (int          axis,
                   guint        rank,
                   NnOnnxLayout layout)
{
  gint64 a = axis < 0 ? axis + (gint64) rank : axis;

  if (layout == NN_ONNX_LAST)
    return a + 1;
  return a == (gint64) rank - 1 ? 1 : a + 2;
}

/* A constant as often as there are samples: ONNX's Concat does not broadcast. @beside: data whose batch it follows */
static const char *
spread_constant (NnOnnxWriter *w,
                 guint         node,
                 const char   *beside,
                 const char   *output)
{
  const NnNode *constant = nn_graph_node (w->graph, node);
  const gint64 zero = 0, lead = 1;
  const char *shape = nn_onnx_text (w, "%s__shape", output), *batch = nn_onnx_text (w, "%s__batch", output);
  const char *extents = nn_onnx_text (w, "%s__extents", output), *row = nn_onnx_text (w, "%s__row", output);

  nn_onnx_op (w, "Shape", shape, beside, NULL);
  nn_onnx_op (w, "Slice", batch, shape, nn_onnx_put_ints (w, nn_onnx_text (w, "%s__starts", batch), &zero, 1),
              nn_onnx_put_ints (w, nn_onnx_text (w, "%s__ends", batch), &lead, 1), NULL);
  nn_onnx_set_int (w, nn_onnx_op (w, "Concat", extents, batch, nn_onnx_put_ints (w, extents, constant->shape.dims, constant->shape.rank), NULL),
                   "axis", 0);
  nn_onnx_op (w, "Unsqueeze", row, w->names[node][NN_ONNX_LAST], nn_onnx_put_ints (w, row, &zero, 1), NULL);
  nn_onnx_op (w, "Expand", output, row, extents, NULL);
  return output;
}

/* The inputs of a concatenation, those that are the same for all samples once for each. */
static void
spread_constants (NnOnnxWriter  *w,
                  const NnNode  *node,
                  char         **inputs)
{
  const char *beside = NULL;

  for (guint i = 0; i < node->n_inputs && beside == NULL; i++)
    if (nn_graph_node (w->graph, node->inputs[i])->op != NN_OP_CONSTANT)
      beside = inputs[i];
  for (guint i = 0; i < node->n_inputs && beside != NULL; i++)
    if (nn_graph_node (w->graph, node->inputs[i])->op == NN_OP_CONSTANT)
      inputs[i] = (char *) spread_constant (w, node->inputs[i], beside, nn_onnx_text (w, "%s__spread_%u", node->name, i));
}

static gboolean
write_merge (NnOnnxWriter  *w,
             const NnNode  *node,
             guint          index,
             GError       **error)
{
  static const struct {
    NnOp        op;
    const char *type;
    gboolean    many;
  } types[] = { { NN_OP_ADD, "Add", FALSE },     { NN_OP_SUBTRACT, "Sub", FALSE }, { NN_OP_MULTIPLY, "Mul", FALSE },
                { NN_OP_DIVIDE, "Div", FALSE },  { NN_OP_AVERAGE, "Mean", TRUE },  { NN_OP_MAXIMUM, "Max", TRUE },
                { NN_OP_MINIMUM, "Min", TRUE },  { NN_OP_MATMUL, "MatMul", FALSE }, { NN_OP_CONCATENATE, "Concat", TRUE } };
  NnOnnxLayout layout = node->op == NN_OP_MATMUL ? NN_ONNX_LAST : nn_onnx_layout_of (w, node);
  const char *type = "Add", *output, *so_far;
  gboolean many = FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].op == node->op)
      {
        type = types[i].type;
        many = types[i].many;
      }
  so_far = nn_onnx_value (w, node->inputs[0], layout);
  for (guint i = 1; !many && i < node->n_inputs; i++)
    {
      const char *next = nn_onnx_value (w, node->inputs[i], layout);

      output = i + 1 < node->n_inputs ? nn_onnx_text (w, "%s__sum%u", node->name, i) : nn_onnx_name_in (w, node, index, layout);
      nn_onnx_op (w, type, output, so_far, next, NULL);
      so_far = output;
    }
  if (many)
    {
      g_autofree char **inputs = g_new0 (char *, node->n_inputs + 1);
      Onnx__NodeProto *op;

      for (guint i = 0; i < node->n_inputs; i++)
        inputs[i] = (char *) nn_onnx_value (w, node->inputs[i], layout);
      if (node->op == NN_OP_CONCATENATE)
        spread_constants (w, node, inputs);
      op = nn_onnx_op (w, type, nn_onnx_name_in (w, node, index, layout), inputs[0], NULL);
      op->n_input = node->n_inputs;
      op->input = nn_arena_memdup (w->arena, inputs, node->n_inputs * sizeof *inputs);
      if (node->op == NN_OP_CONCATENATE)
        nn_onnx_set_int (w, op, "axis", nn_onnx_file_axis (node->attrs.axis, node->shape.rank, layout));
    }
  return TRUE;
}

gboolean
nn_onnx_write_node (NnOnnxWriter  *w,
                    guint          index,
                    GError       **error)
{
  const NnNode *node = nn_graph_node (w->graph, index);
  const char *constant;

  switch (node->op)
    {
    case NN_OP_INPUT:
      nn_onnx_name_in (w, node, index, NN_ONNX_LAST);
      return TRUE;
    case NN_OP_CONSTANT:
      constant = nn_onnx_put_weight (w, node, NN_ROLE_VALUE, NULL, NULL, error);
      w->names[index][NN_ONNX_LAST] = constant;
      return constant != NULL;
    case NN_OP_DENSE:
      return nn_onnx_write_dense (w, node, index, error);
    case NN_OP_CONV1D:
    case NN_OP_CONV2D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_SEPARABLE_CONV2D:
      return nn_onnx_write_conv (w, node, index, error);
    case NN_OP_MAX_POOL1D:
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL1D:
    case NN_OP_AVG_POOL2D:
      return nn_onnx_write_pool (w, node, index, error);
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      return nn_onnx_write_global_pool (w, node, index, error);
    case NN_OP_BATCH_NORM:
    case NN_OP_LAYER_NORM:
      return nn_onnx_write_norm (w, node, index, error);
    case NN_OP_SCALE:
      return nn_onnx_write_scale (w, node, index, error);
    case NN_OP_ACTIVATION:
    case NN_OP_PRELU:
    case NN_OP_QUANTIZE:
    case NN_OP_DROPOUT:
      return nn_onnx_write_activation (w, node, index, error);
    case NN_OP_ADD:
    case NN_OP_SUBTRACT:
    case NN_OP_MULTIPLY:
    case NN_OP_DIVIDE:
    case NN_OP_AVERAGE:
    case NN_OP_MAXIMUM:
    case NN_OP_MINIMUM:
    case NN_OP_CONCATENATE:
    case NN_OP_MATMUL:
      return write_merge (w, node, index, error);
    case NN_OP_EINSUM:
    case NN_OP_EINSUM_DENSE:
    case NN_OP_DOT:
    case NN_OP_EMBEDDING:
      return nn_onnx_write_product (w, node, index, error);
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      return nn_onnx_write_recurrent (w, node, index, error);
    case NN_OP_MULTI_HEAD_ATTENTION:
      return nn_onnx_write_attention (w, node, index, error);
    case NN_OP_GARNET:
      return nn_onnx_write_garnet (w, node, index, error);
    case NN_OP_TREE_ENSEMBLE:
      return nn_onnx_write_trees (w, node, index, error);
    default:
      return nn_onnx_write_shape (w, node, index, error);
    }
}
