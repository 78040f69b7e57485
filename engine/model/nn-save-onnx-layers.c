/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers with weights and windows as ONNX's operators. */

#include "nn-save-onnx.h"

#include "nn-infer-shape.h"
#include "onnx.pb-c.h"

#include <string.h>

#define OPSET_WITH_LAYER_NORM 17

/* Where a layer's own sum goes: to the layer's name, or to one before its activation. */
static const char *
sum_name (NnOnnxWriter *w,
          const NnNode *node,
          const char   *output)
{
  return node->attrs.act != NN_ACT_LINEAR ? nn_onnx_text (w, "%s__linear", output) : output;
}

static gboolean
finish_sum (NnOnnxWriter  *w,
            const NnNode  *node,
            const char    *sum,
            const char    *output,
            NnOnnxLayout   layout,
            GError       **error)
{
  if (node->attrs.act == NN_ACT_LINEAR)
    return TRUE;
  return nn_onnx_put_activation (w, node, sum, output, layout == NN_ONNX_FIRST ? 1 : -1, error);
}

gboolean
nn_onnx_write_dense (NnOnnxWriter  *w,
                     const NnNode  *node,
                     guint          index,
                     GError       **error)
{
  const char *input = nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), *output = nn_onnx_text (w, "%s", node->name);
  const char *sum = sum_name (w, node, output), *product = sum;
  const char *kernel = nn_onnx_put_weight (w, node, NN_ROLE_KERNEL, NULL, NULL, error), *bias = NULL;

  if (kernel == NULL || (nn_onnx_has_bias (w, node) && (bias = nn_onnx_put_weight (w, node, NN_ROLE_BIAS, NULL, NULL, error)) == NULL))
    return FALSE;
  if (node->shape.rank == 1)
    nn_onnx_op (w, "Gemm", sum, input, kernel, bias, NULL);
  else
    {
      if (bias != NULL)
        product = nn_onnx_text (w, "%s__product", output);
      nn_onnx_op (w, "MatMul", product, input, kernel, NULL);
      if (bias != NULL)
        nn_onnx_op (w, "Add", sum, product, bias, NULL);
    }
  w->names[index][NN_ONNX_LAST] = output;
  return finish_sum (w, node, sum, output, NN_ONNX_LAST, error);
}

static guint
n_axes (const NnNode *node)
{
  switch (node->op)
    {
    case NN_OP_CONV1D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_MAX_POOL1D:
    case NN_OP_AVG_POOL1D:
      return 1;
    default:
      return 2;
    }
}

/* Pads in ONNX's order; Keras's words are told in numbers where the shape is known. */
static gboolean
set_window (NnOnnxWriter     *w,
            const NnNode     *node,
            Onnx__NodeProto  *op,
            gboolean          dilations,
            GError          **error)
{
  const NnAttrs *a = &node->attrs;
  guint n = n_axes (node);
  gint64 pads[4] = { 0 }, ones[2] = { MAX (a->dilation[0], 1), MAX (a->dilation[1], 1) };
  const NnShape *in = nn_onnx_in_shape (w, node);
  gboolean open = FALSE;

  for (guint i = 0; i < n; i++)
    {
      gint64 extent = in->dims[in->rank - 1 - n + i];

      open |= extent < 0;
      if (extent >= 0)
        nn_window_pads (extent, a->kernel[i], a->stride[i], MAX (a->dilation[i], 1), a->padding, a->pad[i], &pads[i],
                        &pads[i + n]);
    }
  if (open && a->padding == NN_PADDING_CAUSAL)
    return nn_onnx_fail (node, "causal padding of an open axis", error);
  nn_onnx_set_ints (w, op, "kernel_shape", a->kernel, n);
  nn_onnx_set_ints (w, op, "strides", a->stride, n);
  if (dilations)
    nn_onnx_set_ints (w, op, "dilations", ones, n);
  if (open && a->padding == NN_PADDING_SAME)
    nn_onnx_set_text (w, op, "auto_pad", "SAME_UPPER");
  else
    nn_onnx_set_ints (w, op, "pads", pads, 2 * n);
  return TRUE;
}

/* (k..., a, b) to (b, a, k...). */
static void
conv_axes (guint  n,
           guint *axes)
{
  axes[0] = n + 1;
  axes[1] = n;
  for (guint i = 0; i < n; i++)
    axes[i + 2] = i;
}

gboolean
nn_onnx_write_conv (NnOnnxWriter  *w,
                    const NnNode  *node,
                    guint          index,
                    GError       **error)
{
  gboolean depthwise = node->op == NN_OP_DEPTHWISE_CONV1D || node->op == NN_OP_DEPTHWISE_CONV2D;
  gboolean separable = node->op == NN_OP_SEPARABLE_CONV1D || node->op == NN_OP_SEPARABLE_CONV2D;
  gboolean transpose = node->op == NN_OP_CONV1D_TRANSPOSE || node->op == NN_OP_CONV2D_TRANSPOSE;
  guint n = n_axes (node), axes[NN_MAX_RANK];
  gint64 channels = nn_shape_last (nn_onnx_in_shape (w, node)), groups = MAX (node->attrs.groups, 1);
  const char *input, *output = nn_onnx_text (w, "%s__first", node->name), *sum, *kernel, *bias = NULL;
  Onnx__NodeProto *op;

  if (nn_onnx_in_shape (w, node)->rank != n + 1)
    return nn_onnx_fail (node, "more axes than a map has", error);
  if (transpose && node->attrs.padding != NN_PADDING_VALID)
    return nn_onnx_fail (node, "a transposed convolution with padding", error);
  input = nn_onnx_value (w, node->inputs[0], NN_ONNX_FIRST);
  sum = sum_name (w, node, output);
  conv_axes (n, axes);
  if (depthwise || separable)
    {
      NnRole role = separable ? NN_ROLE_DEPTHWISE_KERNEL : NN_ROLE_KERNEL;
      const NnWeight *k = nn_model_node_weight (w->model, node, role);
      NnShape shape = k->values->shape;

      if (channels < 1)
        return nn_onnx_fail (node, "an open number of channels", error);
      /* (k..., in, m) as (k..., 1, in * m) */
      shape.dims[n + 1] *= shape.dims[n];
      shape.dims[n] = 1;
      groups = channels;
      kernel = nn_onnx_put_weight (w, node, role, axes, &shape, error);
    }
  else
    kernel = nn_onnx_put_weight (w, node, NN_ROLE_KERNEL, axes, NULL, error);
  if (kernel == NULL || (nn_onnx_has_bias (w, node) && (bias = nn_onnx_put_weight (w, node, NN_ROLE_BIAS, NULL, NULL, error)) == NULL))
    return FALSE;
  if (transpose)
    {
      /* ONNX has (in, out, k...): the same order, since Keras has (k..., out, in) */
      op = nn_onnx_op (w, "ConvTranspose", sum, input, kernel, bias, NULL);
      if (!set_window (w, node, op, TRUE, error))
        return FALSE;
    }
  else if (separable)
    {
      const char *middle = nn_onnx_text (w, "%s__depthwise", node->name), *point;

      op = nn_onnx_op (w, "Conv", middle, input, kernel, NULL);
      nn_onnx_set_int (w, op, "group", groups);
      point = nn_onnx_put_weight (w, node, NN_ROLE_POINTWISE_KERNEL, axes, NULL, error);
      if (!set_window (w, node, op, TRUE, error) || point == NULL)
        return FALSE;
      nn_onnx_op (w, "Conv", sum, middle, point, bias, NULL);
    }
  else
    {
      op = nn_onnx_op (w, "Conv", sum, input, kernel, bias, NULL);
      nn_onnx_set_int (w, op, "group", groups);
      if (!set_window (w, node, op, TRUE, error))
        return FALSE;
    }
  w->names[index][NN_ONNX_FIRST] = output;
  return finish_sum (w, node, sum, output, NN_ONNX_FIRST, error);
}

gboolean
nn_onnx_write_pool (NnOnnxWriter  *w,
                    const NnNode  *node,
                    guint          index,
                    GError       **error)
{
  gboolean max = node->op == NN_OP_MAX_POOL1D || node->op == NN_OP_MAX_POOL2D;
  const char *output = nn_onnx_text (w, "%s__first", node->name);
  Onnx__NodeProto *op;

  if (nn_onnx_in_shape (w, node)->rank != n_axes (node) + 1)
    return nn_onnx_fail (node, "more axes than a map has", error);
  op = nn_onnx_op (w, max ? "MaxPool" : "AveragePool", output, nn_onnx_value (w, node->inputs[0], NN_ONNX_FIRST), NULL);
  if (!max)
    nn_onnx_set_int (w, op, "count_include_pad", node->attrs.count_pad);
  w->names[index][NN_ONNX_FIRST] = output;
  return set_window (w, node, op, FALSE, error);
}

gboolean
nn_onnx_write_global_pool (NnOnnxWriter  *w,
                           const NnNode  *node,
                           guint          index,
                           GError       **error)
{
  const char *pooled = nn_onnx_text (w, "%s__first", node->name), *output = nn_onnx_text (w, "%s", node->name);

  nn_onnx_op (w, node->op == NN_OP_GLOBAL_MAX_POOL ? "GlobalMaxPool" : "GlobalAveragePool", pooled,
              nn_onnx_value (w, node->inputs[0], NN_ONNX_FIRST), NULL);
  if (node->attrs.keep_dims)
    {
      w->names[index][NN_ONNX_FIRST] = pooled;
      return TRUE;
    }
  nn_onnx_op (w, "Flatten", output, pooled, NULL);
  w->names[index][NN_ONNX_LAST] = output;
  return TRUE;
}

/* A batch norm along another axis than the last: ONNX has it along the first after the batch's, to which a transpose brings it. */
static gboolean
put_norm_along (NnOnnxWriter        *w,
                const NnNode        *node,
                guint                axis,
                const char *const   *weights,
                const char          *output)
{
  gint64 perm[NN_MAX_RANK + 1] = { 0, axis + 1 }, back[NN_MAX_RANK + 1] = { 0 };
  guint rank = node->shape.rank, to = 2;
  const char *input = nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), *turned = nn_onnx_text (w, "%s__turned", output);
  const char *sum = axis == 0 ? output : nn_onnx_text (w, "%s__normal", output);

  for (guint i = 0; i < rank; i++)
    if (i != axis)
      perm[to++] = i + 1;
  for (guint i = 0; i <= rank; i++)
    back[perm[i]] = i;
  if (axis != 0)
    {
      nn_onnx_set_ints (w, nn_onnx_op (w, "Transpose", turned, input, NULL), "perm", perm, rank + 1);
      input = turned;
    }
  nn_onnx_set_real (w, nn_onnx_op (w, "BatchNormalization", sum, input, weights[0], weights[1], weights[2], weights[3], NULL), "epsilon",
                    node->attrs.epsilon);
  if (axis != 0)
    nn_onnx_set_ints (w, nn_onnx_op (w, "Transpose", output, sum, NULL), "perm", back, rank + 1);
  return TRUE;
}

gboolean
nn_onnx_write_norm (NnOnnxWriter  *w,
                    const NnNode  *node,
                    guint          index,
                    GError       **error)
{
  static const NnRole roles[] = { NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_MEAN, NN_ROLE_VARIANCE };
  gboolean layer = node->op == NN_OP_LAYER_NORM;
  gboolean along = node->attrs.axis >= 0 && node->attrs.axis + 1 < (int) node->shape.rank;
  gboolean flat = node->shape.rank == 1 || layer || along;
  const char *names[4] = { NULL }, *output = nn_onnx_text (w, flat ? "%s" : "%s__first", node->name);
  gint64 channels = along ? node->shape.dims[node->attrs.axis] : nn_shape_last (&node->shape);
  Onnx__NodeProto *op;

  if (layer && along)
    return nn_onnx_fail (node, "an axis that is not the last", error);
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    if (nn_model_node_weight (w->model, node, roles[i]) != NULL)
      names[i] = nn_onnx_put_weight (w, node, roles[i], NULL, NULL, error);
    else
      {
        g_autoptr (NnTensor) made = nn_onnx_constant_vector (channels, i == 0 || i == 3 ? 1 : 0);

        names[i] = nn_onnx_put (w, nn_onnx_text (w, "%s__%s", node->name, nn_role_name (roles[i])), made);
      }
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    if (names[i] == NULL)
      return FALSE;
  w->names[index][flat ? NN_ONNX_LAST : NN_ONNX_FIRST] = output;
  if (along)
    return put_norm_along (w, node, (guint) node->attrs.axis, names, output);
  op = nn_onnx_op (w, layer ? "LayerNormalization" : "BatchNormalization", output,
                   nn_onnx_value (w, node->inputs[0], flat ? NN_ONNX_LAST : NN_ONNX_FIRST), names[0], names[1], names[2],
                   names[3], NULL);
  nn_onnx_set_real (w, op, "epsilon", node->attrs.epsilon);
  if (layer)
    w->opset = MAX (w->opset, OPSET_WITH_LAYER_NORM);
  if (layer)
    nn_onnx_set_int (w, op, "axis", -1);
  return TRUE;
}

gboolean
nn_onnx_write_scale (NnOnnxWriter  *w,
                     const NnNode  *node,
                     guint          index,
                     GError       **error)
{
  const NnWeight *bias = nn_model_node_weight (w->model, node, NN_ROLE_BIAS);
  const char *output = nn_onnx_text (w, "%s", node->name);
  const char *product = bias != NULL ? nn_onnx_text (w, "%s__product", node->name) : output;
  const char *scale = nn_onnx_put_weight (w, node, NN_ROLE_SCALE, NULL, NULL, error), *offset;

  if (scale == NULL)
    return FALSE;
  nn_onnx_op (w, "Mul", product, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), scale, NULL);
  w->names[index][NN_ONNX_LAST] = output;
  if (bias == NULL)
    return TRUE;
  offset = nn_onnx_put_weight (w, node, NN_ROLE_BIAS, NULL, NULL, error);
  if (offset != NULL)
    nn_onnx_op (w, "Add", output, product, offset, NULL);
  return offset != NULL;
}
