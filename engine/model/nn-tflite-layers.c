/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite's operators that have weights. Source of layouts: tensorflow/lite/kernels, versions 1 and later. */

#include "nn-tflite.h"

#include "nn-error.h"

enum { CONV_PADDING, CONV_STRIDE_W, CONV_STRIDE_H, CONV_FUSED, CONV_DILATION_W, CONV_DILATION_H };
enum { DEPTHWISE_FUSED = 4, DEPTHWISE_DILATION_W, DEPTHWISE_DILATION_H };
enum { DENSE_FUSED, DENSE_FORMAT, DENSE_KEEPS_AXES };

#define INT_BYTES sizeof (gint32)
/* BuiltinOperator. */
enum { ADD = 0, DEPTHWISE = 4, SUB = 41, DIV = 42 };

/* @axes: of the kernel in the file, in the order of ours. The scales stand at the last axis of ours, or the values are told without. */
static NnTensor *
read_kernel (NnTflite             *t,
             NnNode               *node,
             const NnTfliteTensor *weights,
             const guint          *axes,
             gboolean              by_channel,
             GError              **error)
{
  g_autoptr (NnTensor) values = nn_tflite_constant (t, weights, error);
  const NnTfliteTensor *source = nn_tflite_tensor (t, weights->same);

  if (values == NULL)
    return NULL;
  if (nn_tflite_is_quantized (source))
    {
      NnQuantizer *quantizer = nn_tflite_quantizer (t, source, TRUE);

      if (quantizer != NULL && (quantizer->n_alpha <= 1 || by_channel))
        node->attrs.role_quantizer[NN_ROLE_KERNEL] = quantizer;
    }
  return nn_tensor_transpose (values, axes);
}

/* The bias of @n outputs, if there is one. */
static gboolean
read_bias (NnTflite         *t,
           const NnTfliteOp *op,
           guint             i,
           NnNode           *node,
           gint64            n,
           GError          **error)
{
  const NnTfliteTensor *tensor = nn_tflite_input (t, op, i);
  NnTensor *values;

  if (tensor == NULL)
    return TRUE;
  values = nn_tflite_constant (t, tensor, error);
  if (values == NULL)
    return FALSE;
  if (values->n != (gsize) n)
    {
      nn_tensor_unref (values);
      return nn_load_unsupported (error, "its bias has not %" G_GINT64_FORMAT " numbers", n);
    }
  values->shape = NN_SHAPE (n);
  node->attrs.use_bias = TRUE;
  nn_tflite_weight (t, node, NN_ROLE_BIAS, values);
  return TRUE;
}

/* The data it reads and its weights, which must be a constant of @rank axes. */
static NnTfliteTensor *
layer_input (NnTflite         *t,
             const NnTfliteOp *op,
             guint             data,
             guint             rank,
             GError          **error)
{
  const NnTfliteTensor *weights = nn_tflite_input (t, op, 1);
  NnTfliteTensor *input = nn_tflite_input (t, op, data);

  if (input == NULL || !input->computed || weights == NULL || nn_tflite_tensor (t, weights->same)->data == NULL)
    nn_load_unsupported (error, "its weights must be constant and its data not");
  else if (weights->dims.rank != rank)
    nn_load_unsupported (error, "its weights have %u axes; %u are expected", weights->dims.rank, rank);
  else
    return input;
  return NULL;
}

gboolean
nn_tflite_read_dense (NnTflite         *t,
                      const NnTfliteOp *op,
                      GError          **error)
{
  static const guint axes[] = { 1, 0 };
  NnTfliteTensor *input = layer_input (t, op, 0, 2, error), *weights = nn_tflite_input (t, op, 1);
  gboolean keeps = nn_flat_int (op->options, DENSE_KEEPS_AXES, 1, 0) != 0;
  g_autofree char *name = NULL;
  const NnShape *shape;
  NnNode *node;
  NnTensor *kernel;
  gsize n;
  guint from;

  if (input == NULL)
    return FALSE;
  if (nn_flat_int (op->options, DENSE_FORMAT, 1, 0) != 0)
    return nn_load_unsupported (error, "shuffled weights are not supported");
  from = input->node;
  shape = &nn_graph_builder_node (t->builder, from)->shape;
  name = nn_tflite_layer_name (t, op, weights);
  /* all its input's axes are one, or the batch's axis is one with all but the last */
  if (!keeps && shape->rank > 1 && nn_shape_size (shape, &n) && (gint64) n == weights->dims.dims[1])
    {
      g_autofree char *flat = g_strconcat (name, "_flatten", NULL);

      if (!nn_tflite_finish (t, nn_tflite_node (t, NN_OP_FLATTEN, flat, "RESHAPE", &from, 1), error))
        return FALSE;
      from = nn_graph_builder_n_nodes (t->builder) - 1;
    }
  else if (nn_shape_last (shape) != weights->dims.dims[1])
    return nn_load_unsupported (error, "its weights do not fit the %" G_GINT64_FORMAT " numbers it reads", nn_shape_last (shape));
  node = nn_tflite_node (t, NN_OP_DENSE, name, op->name, &from, 1);
  node->attrs.units = weights->dims.dims[0];
  kernel = read_kernel (t, node, weights, axes, TRUE, error);
  if (kernel == NULL)
    return FALSE;
  nn_tflite_weight (t, node, NN_ROLE_KERNEL, kernel);
  return read_bias (t, op, 2, node, node->attrs.units, error) &&
         nn_tflite_result (t, op, node, nn_flat_int (op->options, DENSE_FUSED, 1, 0), error);
}

static void
read_window (const NnTfliteOp *op,
             gboolean          depthwise,
             NnAttrs          *a)
{
  a->padding = nn_flat_int (op->options, CONV_PADDING, 1, 0) == 0 ? NN_PADDING_SAME : NN_PADDING_VALID;
  a->stride[0] = nn_flat_int (op->options, CONV_STRIDE_H, INT_BYTES, 0);
  a->stride[1] = nn_flat_int (op->options, CONV_STRIDE_W, INT_BYTES, 0);
  a->dilation[0] = nn_flat_int (op->options, depthwise ? DEPTHWISE_DILATION_H : CONV_DILATION_H, INT_BYTES, 1);
  a->dilation[1] = nn_flat_int (op->options, depthwise ? DEPTHWISE_DILATION_W : CONV_DILATION_W, INT_BYTES, 1);
}

static gboolean
check_window (const NnAttrs *a,
              GError       **error)
{
  for (guint i = 0; i < 2; i++)
    if (a->stride[i] < 1 || a->dilation[i] < 1 || a->kernel[i] < 1)
      return nn_load_unsupported (error, "its window, stride or dilation is not positive");
  return TRUE;
}

/* CONV_2D, weights (out, h, w, in); DEPTHWISE_CONV_2D, weights (1, h, w, in * multiplier). */
gboolean
nn_tflite_read_conv (NnTflite         *t,
                     const NnTfliteOp *op,
                     GError          **error)
{
  static const guint axes[] = { 1, 2, 3, 0 };
  gboolean depthwise = op->code == DEPTHWISE;
  NnTfliteTensor *input = layer_input (t, op, 0, 4, error), *weights = nn_tflite_input (t, op, 1);
  g_autofree char *name = NULL;
  gint64 channels, units;
  NnAttrs a = { 0 };
  NnNode *node;
  NnTensor *kernel;

  if (input == NULL)
    return FALSE;
  if (nn_graph_builder_node (t->builder, input->node)->shape.rank != 3)
    return nn_load_unsupported (error, "its data must have the axes batch, height, width and channels");
  channels = nn_shape_last (&nn_graph_builder_node (t->builder, input->node)->shape);
  units = weights->dims.dims[depthwise ? 3 : 0];
  a.kernel[0] = weights->dims.dims[1];
  a.kernel[1] = weights->dims.dims[2];
  read_window (op, depthwise, &a);
  if (!check_window (&a, error))
    return FALSE;
  if (channels < 1 || (depthwise ? weights->dims.dims[0] != 1 || units % channels != 0
                                 : weights->dims.dims[3] < 1 || channels % weights->dims.dims[3] != 0))
    return nn_load_unsupported (error, "its weights do not fit its %" G_GINT64_FORMAT " channels", channels);
  name = nn_tflite_layer_name (t, op, weights);
  node = nn_tflite_node (t, depthwise ? NN_OP_DEPTHWISE_CONV2D : NN_OP_CONV2D, name, op->name, &input->node, 1);
  node->attrs = a;
  node->attrs.units = units;
  node->attrs.groups = depthwise ? channels : channels / weights->dims.dims[3];
  node->attrs.depth_multiplier = depthwise ? units / channels : 0;
  kernel = read_kernel (t, node, weights, axes, !depthwise, error);
  if (kernel == NULL)
    return FALSE;
  if (depthwise)
    kernel->shape = NN_SHAPE (a.kernel[0], a.kernel[1], channels, units / channels);
  nn_tflite_weight (t, node, NN_ROLE_KERNEL, kernel);
  return read_bias (t, op, 2, node, units, error) &&
         nn_tflite_result (t, op, node, nn_flat_int (op->options, depthwise ? DEPTHWISE_FUSED : CONV_FUSED, 1, 0), error);
}

/* TRANSPOSE_CONV: the shape it makes; weights (out, h, w, in); data; a bias. */
gboolean
nn_tflite_read_transposed (NnTflite         *t,
                           const NnTfliteOp *op,
                           GError          **error)
{
  static const guint axes[] = { 1, 2, 0, 3 };
  NnTfliteTensor *input = layer_input (t, op, 2, 4, error), *weights = nn_tflite_input (t, op, 1);
  g_autofree char *name = NULL;
  NnAttrs a = { 0 };
  NnNode *node;
  NnTensor *kernel;

  if (input == NULL)
    return FALSE;
  if (nn_graph_builder_node (t->builder, input->node)->shape.rank != 3 ||
      nn_shape_last (&nn_graph_builder_node (t->builder, input->node)->shape) != weights->dims.dims[3])
    return nn_load_unsupported (error, "its weights do not fit its data");
  a.kernel[0] = weights->dims.dims[1];
  a.kernel[1] = weights->dims.dims[2];
  read_window (op, FALSE, &a);
  a.dilation[0] = a.dilation[1] = 1;
  if (!check_window (&a, error))
    return FALSE;
  name = nn_tflite_layer_name (t, op, weights);
  node = nn_tflite_node (t, NN_OP_CONV2D_TRANSPOSE, name, op->name, &input->node, 1);
  node->attrs = a;
  node->attrs.units = weights->dims.dims[0];
  node->attrs.groups = 1;
  kernel = read_kernel (t, node, weights, axes, FALSE, error);
  if (kernel == NULL)
    return FALSE;
  nn_tflite_weight (t, node, NN_ROLE_KERNEL, kernel);
  return read_bias (t, op, 3, node, node->attrs.units, error) &&
         nn_tflite_result (t, op, node, nn_flat_int (op->options, CONV_FUSED, 1, 0), error);
}

/* The shape that a constant broadcasts to a sample by, or %FALSE: its axes are the last ones of the sample. */
static gboolean
sample_shape (const NnTensor *values,
              const NnShape  *sample,
              NnShape        *shape)
{
  guint skip = values->shape.rank > sample->rank ? values->shape.rank - sample->rank : 0;

  *shape = (NnShape){ .rank = sample->rank };
  for (guint i = 0; i < skip; i++)
    if (values->shape.dims[i] != 1)
      return FALSE;
  for (guint i = 0; i < sample->rank; i++)
    {
      guint missing = sample->rank - (values->shape.rank - skip);

      shape->dims[i] = i < missing ? 1 : values->shape.dims[i - missing + skip];
      if (shape->dims[i] != 1 && shape->dims[i] != sample->dims[i])
        return FALSE;
    }
  return TRUE;
}

gboolean
nn_tflite_read_prelu (NnTflite         *t,
                      const NnTfliteOp *op,
                      GError          **error)
{
  NnTfliteTensor *input = nn_tflite_input (t, op, 0), *slopes = nn_tflite_input (t, op, 1);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);
  g_autoptr (NnTensor) alpha = NULL;
  NnShape shape;
  NnNode *node;

  if (input == NULL || !input->computed || slopes == NULL)
    return nn_load_unsupported (error, "its slopes must be constant and its data not");
  alpha = nn_tflite_constant (t, slopes, error);
  if (alpha == NULL)
    return FALSE;
  if (!sample_shape (alpha, &nn_graph_builder_node (t->builder, input->node)->shape, &shape))
    return nn_load_unsupported (error, "its slopes do not fit its data");
  alpha->shape = shape;
  node = nn_tflite_node (t, NN_OP_PRELU, name, op->name, &input->node, 1);
  nn_tflite_weight (t, node, NN_ROLE_ALPHA, g_steal_pointer (&alpha));
  return nn_tflite_result (t, op, node, 0, error);
}

/* ADD, SUB, MUL or DIV of data and a constant that goes by the channel: x * scale + bias. */
gboolean
nn_tflite_read_scale (NnTflite         *t,
                      const NnTfliteOp *op,
                      GError          **error)
{
  gboolean first = nn_tflite_input (t, op, 0)->computed;
  NnTfliteTensor *input = nn_tflite_input (t, op, first ? 0 : 1);
  g_autoptr (NnTensor) values = nn_tflite_constant (t, nn_tflite_input (t, op, first ? 1 : 0), error);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);
  gboolean adds = op->code == ADD || op->code == SUB;
  const NnShape *sample;
  NnTensor *scale, *bias;
  gint64 channels;
  NnNode *node;

  if (values == NULL)
    return FALSE;
  sample = &nn_graph_builder_node (t->builder, input->node)->shape;
  channels = nn_shape_last (sample);
  if (channels < 1 || (values->n != 1 && ((gint64) values->n != channels || nn_shape_last (&values->shape) != channels)))
    return nn_load_unsupported (error, "a constant that goes neither by the channel nor by the tensor is not supported");
  if (op->code == DIV && !first)
    return nn_load_unsupported (error, "a constant divided by data is not supported");
  scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));
  bias = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));
  for (gint64 c = 0; c < channels; c++)
    {
      float v = nn_tensor_f32 (values)[values->n == 1 ? 0 : c];

      nn_tensor_f32 (scale)[c] = adds ? (op->code == SUB && !first ? -1 : 1) : op->code == DIV ? 1 / v : v;
      nn_tensor_f32 (bias)[c] = !adds ? 0 : op->code == SUB && first ? -v : v;
    }
  node = nn_tflite_node (t, NN_OP_SCALE, name, op->name, &input->node, 1);
  node->attrs.use_bias = TRUE;
  nn_tflite_weight (t, node, NN_ROLE_SCALE, scale);
  nn_tflite_weight (t, node, NN_ROLE_BIAS, bias);
  return nn_tflite_result (t, op, node, nn_flat_int (op->options, 0, 1, 0), error);
}
