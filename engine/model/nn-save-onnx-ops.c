/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each operator as ONNX's. */

#include "nn-save-onnx.h"

#include "nn-error.h"
#include "nn-infer-shape.h"
#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

static gboolean
fail (const NnNode  *node,
      const char    *what,
      GError       **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s): ONNX files cannot hold it: %s", node->name,
               node->class_name, what);
  return FALSE;
}

static const NnShape *
in_shape (NnOnnxWriter *w,
          const NnNode *node)
{
  return &nn_graph_node (w->graph, node->inputs[0])->shape;
}

/* A weight with what is pruned at 0. (transfer full) */
static NnTensor *
weight_values (const NnWeight *weight)
{
  NnTensor *values;

  if (weight->mask == NULL)
    return nn_tensor_ref (weight->values);
  values = nn_tensor_copy (weight->values);
  for (gsize i = 0; i < values->n; i++)
    if (nn_tensor_u8 (weight->mask)[i] == 0 && nn_tensor_f32 (values)[i] != 0)
      nn_tensor_f32 (values)[i] = 0;
  return values;
}

/* Quant of qonnx.custom_op.general: what the community's tools read. */
static const char *
put_quant (NnOnnxWriter       *w,
           const NnNode       *node,
           const NnQuantizer  *q,
           const char         *input,
           const char         *output,
           GError            **error)
{
  gboolean plain = q->kind == NN_QUANT_FIXED || (q->kind == NN_QUANT_RELU && q->negative_slope == 0 && !q->use_sigmoid &&
                                                 q->max_value == 0);
  gboolean binary = q->kind == NN_QUANT_BINARY && q->type.kind == NN_TYPE_BINARY;
  static const char *const modes[] = { "FLOOR", "ROUND_TO_ZERO", NULL, NULL, "HALF_UP", NULL, "ROUND" };
  double lsb = binary ? 1 : ldexp (1, q->type.integer - q->type.width);
  const char *scale;
  Onnx__NodeProto *op;

  if ((!plain && !binary) || q->per_element != NULL || (plain && q->type.kind != NN_TYPE_FIXED) ||
      q->alpha_mode == NN_ALPHA_AUTO || q->alpha_mode == NN_ALPHA_AUTO_PO2 ||
      (q->alpha_mode == NN_ALPHA_FIXED && !q->alpha_divides && !binary) ||
      (plain && (modes[q->type.rounding] == NULL ||
                 (q->type.overflow != NN_OVERFLOW_SAT && q->type.overflow != NN_OVERFLOW_SAT_SYM))))
    {
      fail (node, "QONNX has no such quantiser", error);
      return NULL;
    }
  w->quantized = TRUE;
  if (q->alpha_mode == NN_ALPHA_FIXED)
    {
      g_autoptr (NnTensor) alpha = q->n_alpha == 1 ? nn_tensor_new (NN_DTYPE_F32, &(NnShape){ 0 })
                                                   : nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (q->n_alpha));

      for (guint i = 0; i < q->n_alpha; i++)
        nn_tensor_f32 (alpha)[i] = (float) (q->alpha[i] * lsb);
      scale = nn_onnx_put (w, nn_onnx_text (w, "%s__scale", output), alpha);
    }
  else
    scale = nn_onnx_put_real (w, nn_onnx_text (w, "%s__scale", output), lsb);
  if (binary)
    op = nn_onnx_op (w, "BipolarQuant", output, input, scale, NULL);
  else
    {
      op = nn_onnx_op (w, "Quant", output, input, scale,
                       nn_onnx_put_real (w, nn_onnx_text (w, "%s__zero", output), q->zero_point),
                       nn_onnx_put_real (w, nn_onnx_text (w, "%s__bits", output), q->type.width), NULL);
      nn_onnx_set_int (w, op, "signed", q->type.is_signed);
      nn_onnx_set_int (w, op, "narrow", q->symmetric && q->type.is_signed);
      nn_onnx_set_text (w, op, "rounding_mode", modes[q->type.rounding]);
    }
  op->domain = (char *) "qonnx.custom_op.general";
  return output;
}

/* The initialiser of a weight, permuted, its quantiser behind it. */
static const char *
put_weight (NnOnnxWriter  *w,
            const NnNode  *node,
            NnRole         role,
            const guint   *axes,
            const NnShape *shape,
            GError       **error)
{
  const NnWeight *weight = nn_model_node_weight (w->model, node, role);
  const NnQuantizer *q = node->attrs.role_quantizer[role];
  const char *name = nn_onnx_text (w, "%s__%s", node->name, nn_role_name (role));
  g_autoptr (NnTensor) values = NULL;

  if (weight == NULL)
    {
      fail (node, "a weight is missing", error);
      return NULL;
    }
  values = weight_values (weight);
  if (shape != NULL)
    {
      NnTensor *shaped = nn_tensor_new (NN_DTYPE_F32, shape);

      memcpy (shaped->data, values->data, values->n * sizeof (float));
      nn_tensor_unref (values);
      values = shaped;
    }
  if (axes != NULL)
    {
      NnTensor *turned = nn_tensor_transpose (values, axes);

      nn_tensor_unref (values);
      values = turned;
    }
  if (q == NULL)
    return nn_onnx_put (w, name, values);
  if (q->n_alpha > 1 && axes != NULL)
    {
      fail (node, "a scale for each channel of a kernel that is permuted is not supported", error);
      return NULL;
    }
  return put_quant (w, node, q, nn_onnx_put (w, nn_onnx_text (w, "%s__float", name), values), name, error);
}

/* The activation of @node from @input to @output; linear is no operator but for a name. */
static gboolean
put_activation (NnOnnxWriter  *w,
                const NnNode  *node,
                const char    *input,
                const char    *output,
                int            axis,
                GError       **error)
{
  const NnAttrs *a = &node->attrs;
  Onnx__NodeProto *op;
  const char *middle;

  switch (a->act)
    {
    case NN_ACT_LINEAR:
      nn_onnx_op (w, "Identity", output, input, NULL);
      return TRUE;
    case NN_ACT_RELU:
      if (a->threshold != 0)
        return fail (node, "a threshold of ReLU has no operator", error);
      if (a->alpha != 0)
        {
          middle = a->max_value > 0 ? nn_onnx_text (w, "%s__leaky", output) : output;
          op = nn_onnx_op (w, "LeakyRelu", middle, input, NULL);
          nn_onnx_set_real (w, op, "alpha", a->alpha);
          if (a->max_value > 0)
            nn_onnx_op (w, "Min", output, middle, nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), a->max_value),
                        NULL);
        }
      else if (a->max_value > 0)
        nn_onnx_op (w, "Clip", output, input, nn_onnx_put_real (w, nn_onnx_text (w, "%s__min", output), 0),
                    nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), a->max_value), NULL);
      else
        nn_onnx_op (w, "Relu", output, input, NULL);
      return TRUE;
    case NN_ACT_LEAKY_RELU:
    case NN_ACT_ELU:
    case NN_ACT_THRESHOLDED_RELU:
      op = nn_onnx_op (w, a->act == NN_ACT_LEAKY_RELU ? "LeakyRelu" : a->act == NN_ACT_ELU ? "Elu" : "ThresholdedRelu",
                       output, input, NULL);
      nn_onnx_set_real (w, op, "alpha", a->act == NN_ACT_THRESHOLDED_RELU ? a->threshold : a->alpha);
      return TRUE;
    case NN_ACT_HARD_SIGMOID:
      op = nn_onnx_op (w, "HardSigmoid", output, input, NULL);
      nn_onnx_set_real (w, op, "alpha", a->slope);
      nn_onnx_set_real (w, op, "beta", a->shift);
      return TRUE;
    case NN_ACT_HARD_TANH:
      nn_onnx_op (w, "Clip", output, input, nn_onnx_put_real (w, nn_onnx_text (w, "%s__min", output), -1),
                  nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), 1), NULL);
      return TRUE;
    case NN_ACT_SOFTMAX:
      op = nn_onnx_op (w, "Softmax", output, input, NULL);
      nn_onnx_set_int (w, op, "axis", axis);
      return TRUE;
    case NN_ACT_SWISH:
      middle = nn_onnx_text (w, "%s__sigmoid", output);
      nn_onnx_op (w, "Sigmoid", middle, input, NULL);
      nn_onnx_op (w, "Mul", output, input, middle, NULL);
      return TRUE;
    case NN_ACT_SELU:
    case NN_ACT_SIGMOID:
    case NN_ACT_TANH:
    case NN_ACT_SOFTPLUS:
    case NN_ACT_SOFTSIGN:
    case NN_ACT_EXPONENTIAL:
    case NN_ACT_SIN:
    case NN_ACT_COS:
      {
        static const struct {
          NnAct       act;
          const char *type;
        } types[] = { { NN_ACT_SELU, "Selu" },         { NN_ACT_SIGMOID, "Sigmoid" },   { NN_ACT_TANH, "Tanh" },
                      { NN_ACT_SOFTPLUS, "Softplus" }, { NN_ACT_SOFTSIGN, "Softsign" }, { NN_ACT_EXPONENTIAL, "Exp" },
                      { NN_ACT_SIN, "Sin" },           { NN_ACT_COS, "Cos" } };

        for (guint i = 0; i < G_N_ELEMENTS (types); i++)
          if (types[i].act == a->act)
            nn_onnx_op (w, types[i].type, output, input, NULL);
        return TRUE;
      }
    case NN_ACT_QUANTIZED:
      if (a->quantizer != NULL && a->quantizer->kind == NN_QUANT_RELU)
        {
          middle = nn_onnx_text (w, "%s__relu", output);
          nn_onnx_op (w, "Relu", middle, input, NULL);
          input = middle;
        }
      return a->quantizer != NULL && put_quant (w, node, a->quantizer, input, output, error) != NULL;
    default:
      return fail (node, nn_act_name (a->act), error);
    }
}

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
  return put_activation (w, node, sum, output, layout == NN_ONNX_FIRST ? 1 : -1, error);
}

/* HGQ's and folded layers mean more than their kernels. */
static gboolean
is_plain (const NnModel  *model,
          const NnNode   *node,
          GError        **error)
{
  if (node->attrs.input_quantizer != NULL || node->attrs.sum_quantizer != NULL ||
      (node->attrs.quantizer != NULL && node->attrs.act != NN_ACT_QUANTIZED && node->op != NN_OP_QUANTIZE))
    return fail (node, "HGQ's quantisers have no operator", error);
  if (node->op != NN_OP_BATCH_NORM && nn_model_node_weight (model, node, NN_ROLE_VARIANCE) != NULL)
    return fail (node, "a batch norm folded into a quantised kernel has no operator", error);
  return TRUE;
}

static gboolean
write_dense (NnOnnxWriter  *w,
             const NnNode  *node,
             guint          index,
             GError       **error)
{
  const char *input = nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), *output = nn_onnx_text (w, "%s", node->name);
  const char *sum = sum_name (w, node, output), *product = sum;
  const char *kernel = put_weight (w, node, NN_ROLE_KERNEL, NULL, NULL, error), *bias = NULL;

  if (kernel == NULL || (node->attrs.use_bias && (bias = put_weight (w, node, NN_ROLE_BIAS, NULL, NULL, error)) == NULL))
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
  const NnShape *in = in_shape (w, node);
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
    return fail (node, "causal padding of an open axis", error);
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

static gboolean
write_conv (NnOnnxWriter  *w,
            const NnNode  *node,
            guint          index,
            GError       **error)
{
  gboolean depthwise = node->op == NN_OP_DEPTHWISE_CONV1D || node->op == NN_OP_DEPTHWISE_CONV2D;
  gboolean separable = node->op == NN_OP_SEPARABLE_CONV1D || node->op == NN_OP_SEPARABLE_CONV2D;
  gboolean transpose = node->op == NN_OP_CONV1D_TRANSPOSE || node->op == NN_OP_CONV2D_TRANSPOSE;
  guint n = n_axes (node), axes[NN_MAX_RANK];
  gint64 channels = nn_shape_last (in_shape (w, node)), groups = MAX (node->attrs.groups, 1);
  const char *input, *output = nn_onnx_text (w, "%s__first", node->name), *sum, *kernel, *bias = NULL;
  Onnx__NodeProto *op;

  if (in_shape (w, node)->rank != n + 1)
    return fail (node, "more axes than a map has", error);
  if (transpose && node->attrs.padding != NN_PADDING_VALID)
    return fail (node, "a transposed convolution with padding", error);
  input = nn_onnx_value (w, node->inputs[0], NN_ONNX_FIRST);
  sum = sum_name (w, node, output);
  conv_axes (n, axes);
  if (depthwise || separable)
    {
      NnRole role = separable ? NN_ROLE_DEPTHWISE_KERNEL : NN_ROLE_KERNEL;
      const NnWeight *k = nn_model_node_weight (w->model, node, role);
      NnShape shape = k->values->shape;

      if (channels < 1)
        return fail (node, "an open number of channels", error);
      /* (k..., in, m) as (k..., 1, in * m) */
      shape.dims[n + 1] *= shape.dims[n];
      shape.dims[n] = 1;
      groups = channels;
      kernel = put_weight (w, node, role, axes, &shape, error);
    }
  else
    kernel = put_weight (w, node, NN_ROLE_KERNEL, axes, NULL, error);
  if (kernel == NULL || (node->attrs.use_bias && (bias = put_weight (w, node, NN_ROLE_BIAS, NULL, NULL, error)) == NULL))
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
      point = put_weight (w, node, NN_ROLE_POINTWISE_KERNEL, axes, NULL, error);
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

static gboolean
write_pool (NnOnnxWriter  *w,
            const NnNode  *node,
            guint          index,
            GError       **error)
{
  gboolean max = node->op == NN_OP_MAX_POOL1D || node->op == NN_OP_MAX_POOL2D;
  const char *output = nn_onnx_text (w, "%s__first", node->name);
  Onnx__NodeProto *op;

  if (in_shape (w, node)->rank != n_axes (node) + 1)
    return fail (node, "more axes than a map has", error);
  op = nn_onnx_op (w, max ? "MaxPool" : "AveragePool", output, nn_onnx_value (w, node->inputs[0], NN_ONNX_FIRST), NULL);
  if (!max)
    nn_onnx_set_int (w, op, "count_include_pad", node->attrs.count_pad);
  w->names[index][NN_ONNX_FIRST] = output;
  return set_window (w, node, op, FALSE, error);
}

static gboolean
write_global_pool (NnOnnxWriter  *w,
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

static NnTensor *
constant_vector (gint64 n,
                 float  value)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n));

  for (gsize i = 0; i < tensor->n; i++)
    nn_tensor_f32 (tensor)[i] = value;
  return tensor;
}

static gboolean
write_norm (NnOnnxWriter  *w,
            const NnNode  *node,
            guint          index,
            GError       **error)
{
  static const NnRole roles[] = { NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_MEAN, NN_ROLE_VARIANCE };
  gboolean layer = node->op == NN_OP_LAYER_NORM;
  gboolean flat = node->shape.rank == 1 || layer;
  const char *names[4] = { NULL }, *output = nn_onnx_text (w, flat ? "%s" : "%s__first", node->name);
  gint64 channels = nn_shape_last (&node->shape);
  Onnx__NodeProto *op;

  if (node->attrs.axis != -1 && node->attrs.axis != (int) node->shape.rank - 1)
    return fail (node, "an axis that is not the last", error);
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    if (nn_model_node_weight (w->model, node, roles[i]) != NULL)
      names[i] = put_weight (w, node, roles[i], NULL, NULL, error);
    else
      {
        g_autoptr (NnTensor) made = constant_vector (channels, i == 0 || i == 3 ? 1 : 0);

        names[i] = nn_onnx_put (w, nn_onnx_text (w, "%s__%s", node->name, nn_role_name (roles[i])), made);
      }
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    if (names[i] == NULL)
      return FALSE;
  op = nn_onnx_op (w, layer ? "LayerNormalization" : "BatchNormalization", output,
                   nn_onnx_value (w, node->inputs[0], flat ? NN_ONNX_LAST : NN_ONNX_FIRST), names[0], names[1], names[2],
                   names[3], NULL);
  nn_onnx_set_real (w, op, "epsilon", node->attrs.epsilon);
  w->layer_norm |= layer;
  if (layer)
    nn_onnx_set_int (w, op, "axis", -1);
  w->names[index][flat ? NN_ONNX_LAST : NN_ONNX_FIRST] = output;
  return TRUE;
}

static gboolean
write_scale (NnOnnxWriter  *w,
             const NnNode  *node,
             guint          index,
             GError       **error)
{
  const NnWeight *bias = nn_model_node_weight (w->model, node, NN_ROLE_BIAS);
  const char *output = nn_onnx_text (w, "%s", node->name);
  const char *product = bias != NULL ? nn_onnx_text (w, "%s__product", node->name) : output;
  const char *scale = put_weight (w, node, NN_ROLE_SCALE, NULL, NULL, error), *offset;

  if (scale == NULL)
    return FALSE;
  nn_onnx_op (w, "Mul", product, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), scale, NULL);
  w->names[index][NN_ONNX_LAST] = output;
  if (bias == NULL)
    return TRUE;
  offset = put_weight (w, node, NN_ROLE_BIAS, NULL, NULL, error);
  if (offset != NULL)
    nn_onnx_op (w, "Add", output, product, offset, NULL);
  return offset != NULL;
}

/* Operators that do not care for the layout go on in the one that is there. */
static NnOnnxLayout
layout_of (NnOnnxWriter *w,
           const NnNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    if (w->names[node->inputs[i]][NN_ONNX_FIRST] == NULL ||
        nn_graph_node (w->graph, node->inputs[i])->shape.rank != node->shape.rank)
      return NN_ONNX_LAST;
  return NN_ONNX_FIRST;
}

static const char *
name_in (NnOnnxWriter *w,
         const NnNode *node,
         guint         index,
         NnOnnxLayout  layout)
{
  w->names[index][layout] = nn_onnx_text (w, layout == NN_ONNX_FIRST ? "%s__first" : "%s", node->name);
  return w->names[index][layout];
}

/* An axis of the sample as one of the file's. */
static gint64
file_axis (int          axis,
           guint        rank,
           NnOnnxLayout layout)
{
  gint64 a = axis < 0 ? axis + (gint64) rank : axis;

  if (layout == NN_ONNX_LAST)
    return a + 1;
  return a == (gint64) rank - 1 ? 1 : a + 2;
}

static gboolean
write_activation (NnOnnxWriter  *w,
                  const NnNode  *node,
                  guint          index,
                  GError       **error)
{
  NnOnnxLayout layout = layout_of (w, node);
  const char *input = nn_onnx_value (w, node->inputs[0], layout), *output = name_in (w, node, index, layout);
  const char *alpha;
  guint axes[NN_MAX_RANK];

  if (node->op == NN_OP_QUANTIZE)
    return node->attrs.quantizer != NULL
             ? put_quant (w, node, node->attrs.quantizer, input, output, error) != NULL
             : fail (node, "a quantiser is missing", error);
  if (node->op == NN_OP_DROPOUT)
    {
      nn_onnx_op (w, "Identity", output, input, NULL);
      return TRUE;
    }
  if (node->op == NN_OP_PRELU)
    {
      for (guint i = 0; i < node->shape.rank; i++)
        axes[i] = i == 0 ? node->shape.rank - 1 : i - 1;
      alpha = put_weight (w, node, NN_ROLE_ALPHA, layout == NN_ONNX_FIRST ? axes : NULL, NULL, error);
      if (alpha != NULL)
        nn_onnx_op (w, "PRelu", output, input, alpha, NULL);
      return alpha != NULL;
    }
  return put_activation (w, node, input, output,
                         (int) file_axis (node->attrs.axis, node->shape.rank, layout), error);
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
  NnOnnxLayout layout = node->op == NN_OP_MATMUL ? NN_ONNX_LAST : layout_of (w, node);
  const char *type = "Add", *output, *so_far;
  gboolean many = FALSE;

  if (node->attrs.act != NN_ACT_LINEAR)
    return fail (node, "an activation in a merge", error);
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

      output = i + 1 < node->n_inputs ? nn_onnx_text (w, "%s__sum%u", node->name, i) : name_in (w, node, index, layout);
      nn_onnx_op (w, type, output, so_far, next, NULL);
      so_far = output;
    }
  if (many)
    {
      g_autofree char **inputs = g_new0 (char *, node->n_inputs + 1);
      Onnx__NodeProto *op;

      for (guint i = 0; i < node->n_inputs; i++)
        inputs[i] = (char *) nn_onnx_value (w, node->inputs[i], layout);
      op = nn_onnx_op (w, type, name_in (w, node, index, layout), inputs[0], NULL);
      op->n_input = node->n_inputs;
      op->input = nn_arena_memdup (w->arena, inputs, node->n_inputs * sizeof *inputs);
      if (node->op == NN_OP_CONCATENATE)
        nn_onnx_set_int (w, op, "axis", file_axis (node->attrs.axis, node->shape.rank, layout));
    }
  return TRUE;
}

static gboolean
write_shape (NnOnnxWriter  *w,
             const NnNode  *node,
             guint          index,
             GError       **error)
{
  const NnAttrs *a = &node->attrs;
  const char *input = nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), *output = name_in (w, node, index, NN_ONNX_LAST);
  guint rank = in_shape (w, node)->rank, n = rank >= 3 ? 2 : 1;
  gint64 list[2 * (NN_MAX_RANK + 1)] = { 0 }, axes[2], ends[2];
  Onnx__NodeProto *op;

  switch (node->op)
    {
    case NN_OP_FLATTEN:
      nn_onnx_op (w, "Flatten", output, input, NULL);
      return TRUE;
    case NN_OP_RESHAPE:
      for (guint i = 0; i < node->shape.rank; i++)
        list[i + 1] = node->shape.dims[i];
      nn_onnx_op (w, "Reshape", output, input, nn_onnx_put_ints (w, output, list, node->shape.rank + 1), NULL);
      return TRUE;
    case NN_OP_PERMUTE:
      for (guint i = 0; i < rank; i++)
        list[i + 1] = a->perm[i] + 1;
      op = nn_onnx_op (w, "Transpose", output, input, NULL);
      nn_onnx_set_ints (w, op, "perm", list, rank + 1);
      return TRUE;
    case NN_OP_REPEAT_VECTOR:
      {
        const char *middle = nn_onnx_text (w, "%s__row", node->name);
        gint64 times[3] = { 1, a->target.dims[0], 1 }, one = 1;

        nn_onnx_op (w, "Unsqueeze", middle, input, nn_onnx_put_ints (w, middle, &one, 1), NULL);
        nn_onnx_op (w, "Tile", output, middle, nn_onnx_put_ints (w, output, times, 3), NULL);
        return TRUE;
      }
    case NN_OP_ZERO_PAD:
      for (guint i = 0; i < n; i++)
        {
          list[rank - n + i] = a->pad[i][0];
          list[rank + 1 + rank - n + i] = a->pad[i][1];
        }
      nn_onnx_op (w, "Pad", output, input, nn_onnx_put_ints (w, output, list, 2 * (rank + 1)), NULL);
      return TRUE;
    case NN_OP_CROP:
      for (guint i = 0; i < n; i++)
        {
          axes[i] = rank - n + i;
          list[i] = a->pad[i][0];
          ends[i] = a->pad[i][1] > 0 ? -a->pad[i][1] : G_MAXINT32;
        }
      nn_onnx_op (w, "Slice", output, input, nn_onnx_put_ints (w, nn_onnx_text (w, "%s__starts", output), list, n),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__ends", output), ends, n),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axes", output), axes, n), NULL);
      return TRUE;
    case NN_OP_SLICE:
      list[0] = a->begin;
      ends[0] = a->end;
      axes[0] = file_axis (a->axis, rank, NN_ONNX_LAST);
      nn_onnx_op (w, "Slice", output, input, nn_onnx_put_ints (w, nn_onnx_text (w, "%s__starts", output), list, 1),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__ends", output), ends, 1),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axes", output), axes, 1),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__steps", output), &a->step, 1), NULL);
      return TRUE;
    case NN_OP_REDUCE_MEAN:
    case NN_OP_REDUCE_MAX:
      {
        gint64 first = file_axis (a->axis, rank, NN_ONNX_LAST), last = file_axis (a->axis2, rank, NN_ONNX_LAST);

        for (gint64 i = first; i <= last; i++)
          list[i - first] = i;
        op = nn_onnx_op (w, node->op == NN_OP_REDUCE_MEAN ? "ReduceMean" : "ReduceMax", output, input, NULL);
        nn_onnx_set_ints (w, op, "axes", list, (guint) (last - first + 1));
        nn_onnx_set_int (w, op, "keepdims", a->keep_dims);
        return TRUE;
      }
    case NN_OP_UPSAMPLE:
      {
        g_autoptr (NnTensor) scales = constant_vector (rank + 1, 1);

        for (guint i = 0; i < n; i++)
          nn_tensor_f32 (scales)[rank - n + i] = (float) MAX (a->size[i], 1);
        op = nn_onnx_op (w, "Resize", output, input, "", nn_onnx_put (w, nn_onnx_text (w, "%s__scales", output), scales),
                         NULL);
        nn_onnx_set_text (w, op, "mode", a->interpolation == NN_INTERPOLATION_BILINEAR ? "linear" : "nearest");
        nn_onnx_set_text (w, op, "coordinate_transformation_mode",
                          a->interpolation == NN_INTERPOLATION_BILINEAR ? "half_pixel" : "asymmetric");
        if (a->interpolation != NN_INTERPOLATION_BILINEAR)
          nn_onnx_set_text (w, op, "nearest_mode", "floor");
        return TRUE;
      }
    default:
      return fail (node, "there is no operator", error);
    }
}

/* Gates and axes turned back: (n, gates * units) to (1, gates * units, n). */
static const char *
put_gates (NnOnnxWriter    *w,
           const char      *name,
           const NnWeight  *weight,
           const guint     *gates,
           guint            n_gates,
           gint64           units)
{
  g_autoptr (NnTensor) values = weight_values (weight);
  gint64 n = values->shape.dims[0];
  g_autoptr (NnTensor) turned = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, (gint64) n_gates * units, n));

  for (gint64 i = 0; i < n; i++)
    for (guint g = 0; g < n_gates; g++)
      for (gint64 u = 0; u < units; u++)
        nn_tensor_f32 (turned)[(gates[g] * units + u) * n + i] = nn_tensor_f32 (values)[(i * n_gates + g) * units + u];
  return nn_onnx_put (w, name, turned);
}

static gboolean
write_recurrent (NnOnnxWriter  *w,
                 const NnNode  *node,
                 guint          index,
                 GError       **error)
{
  static const guint lstm_gates[] = { 0, 2, 3, 1 }, plain_gates[] = { 0, 1, 2 };
  const NnAttrs *a = &node->attrs;
  gboolean lstm = node->op == NN_OP_LSTM, gru = node->op == NN_OP_GRU;
  guint n_gates = lstm ? 4 : gru ? 3 : 1;
  const guint *gates = lstm ? lstm_gates : plain_gates;
  const gint64 swap[] = { 1, 0, 2 }, zero = 0, one = 1;
  const char *turned = nn_onnx_text (w, "%s__steps", node->name), *raw = nn_onnx_text (w, "%s__raw", node->name);
  const char *output = name_in (w, node, index, NN_ONNX_LAST), *bias = "", *kernel, *recurrent;
  const NnWeight *b = nn_model_node_weight (w->model, node, NN_ROLE_BIAS);
  Onnx__NodeProto *op;

  if (a->act != NN_ACT_TANH || (node->op != NN_OP_SIMPLE_RNN && a->recurrent_act != NN_ACT_SIGMOID))
    return fail (node, "other functions than sigmoid and tanh", error);
  if (a->role_quantizer[NN_ROLE_KERNEL] != NULL || a->state_quantizer != NULL || (a->go_backwards && a->return_sequences))
    return fail (node, "quantisers, or steps returned backwards", error);
  op = nn_onnx_op (w, "Transpose", turned, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), NULL);
  nn_onnx_set_ints (w, op, "perm", swap, 3);
  kernel = put_gates (w, nn_onnx_text (w, "%s__kernel", node->name), nn_model_node_weight (w->model, node, NN_ROLE_KERNEL),
                      gates, n_gates, a->units);
  recurrent = put_gates (w, nn_onnx_text (w, "%s__recurrent_kernel", node->name),
                         nn_model_node_weight (w->model, node, NN_ROLE_RECURRENT_KERNEL), gates, n_gates, a->units);
  if (b != NULL)
    {
      gint64 wide = (gint64) n_gates * a->units;
      g_autoptr (NnTensor) both = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, 2 * wide));

      for (gsize half = 0; half < b->values->n / (gsize) wide; half++)
        for (guint g = 0; g < n_gates; g++)
          for (gint64 u = 0; u < a->units; u++)
            nn_tensor_f32 (both)[(gint64) half * wide + gates[g] * a->units + u] =
                nn_tensor_f32 (b->values)[(gint64) half * wide + g * a->units + u];
      bias = nn_onnx_put (w, nn_onnx_text (w, "%s__bias", node->name), both);
    }
  op = nn_onnx_op (w, lstm ? "LSTM" : gru ? "GRU" : "RNN", a->return_sequences ? raw : "", turned, kernel, recurrent, bias,
                   NULL);
  nn_onnx_set_int (w, op, "hidden_size", a->units);
  nn_onnx_set_text (w, op, "direction", a->go_backwards ? "reverse" : "forward");
  if (gru)
    nn_onnx_set_int (w, op, "linear_before_reset", a->reset_after);
  if (a->return_sequences)
    {
      const char *squeezed = nn_onnx_text (w, "%s__squeezed", node->name);

      nn_onnx_op (w, "Squeeze", squeezed, raw, nn_onnx_put_ints (w, squeezed, &one, 1), NULL);
      op = nn_onnx_op (w, "Transpose", output, squeezed, NULL);
      nn_onnx_set_ints (w, op, "perm", swap, 3);
      return TRUE;
    }
  op->n_output = 2;
  op->output = nn_arena_memdup (w->arena, (char *[]){ (char *) "", (char *) raw }, 2 * sizeof (char *));
  nn_onnx_op (w, "Squeeze", output, raw, nn_onnx_put_ints (w, output, &zero, 1), NULL);
  return TRUE;
}

gboolean
nn_onnx_write_node (NnOnnxWriter  *w,
                    guint          index,
                    GError       **error)
{
  const NnNode *node = nn_graph_node (w->graph, index);
  const char *constant;

  if (!is_plain (w->model, node, error))
    return FALSE;
  switch (node->op)
    {
    case NN_OP_INPUT:
      name_in (w, node, index, NN_ONNX_LAST);
      return TRUE;
    case NN_OP_CONSTANT:
      constant = put_weight (w, node, NN_ROLE_VALUE, NULL, NULL, error);
      w->names[index][NN_ONNX_LAST] = constant;
      return constant != NULL;
    case NN_OP_DENSE:
      return write_dense (w, node, index, error);
    case NN_OP_CONV1D:
    case NN_OP_CONV2D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_SEPARABLE_CONV2D:
      return write_conv (w, node, index, error);
    case NN_OP_MAX_POOL1D:
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL1D:
    case NN_OP_AVG_POOL2D:
      return write_pool (w, node, index, error);
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      return write_global_pool (w, node, index, error);
    case NN_OP_BATCH_NORM:
    case NN_OP_LAYER_NORM:
      return write_norm (w, node, index, error);
    case NN_OP_SCALE:
      return write_scale (w, node, index, error);
    case NN_OP_ACTIVATION:
    case NN_OP_PRELU:
    case NN_OP_QUANTIZE:
    case NN_OP_DROPOUT:
      return write_activation (w, node, index, error);
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
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      return write_recurrent (w, node, index, error);
    default:
      return write_shape (w, node, index, error);
    }
}
