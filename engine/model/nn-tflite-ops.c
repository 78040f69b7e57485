/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of TensorFlow Lite's operators. Source: tensorflow/lite/schema/schema.fbs, BuiltinOperator and the tables of options;
 * what each computes: tensorflow/lite/kernels. */

#include "nn-tflite.h"

#include "nn-error.h"
#include "nn-text.h"

#include <string.h>

#define INT_BYTES sizeof (gint32)
#define SIX 6.0 /* of RELU6 */

typedef gboolean NnTfliteRead (NnTflite         *t,
                               const NnTfliteOp *op,
                               GError          **error);

/* ActivationFunctionType. */
enum { FUSED_NONE, FUSED_RELU, FUSED_RELU_N1_TO_1, FUSED_RELU6, FUSED_TANH };
enum { POOL_PADDING, POOL_STRIDE_W, POOL_STRIDE_H, POOL_WIDTH, POOL_HEIGHT, POOL_FUSED };
enum { RESIZE_NEAREST_CORNERS, RESIZE_NEAREST_HALF };
enum { RESIZE_BILINEAR_CORNERS = 2, RESIZE_BILINEAR_HALF };
enum { SLICE_BEGIN, SLICE_END, SLICE_ELLIPSIS, SLICE_NEW, SLICE_SHRINK };

enum {
  ADD = 0, AVERAGE_POOL_2D = 1, CONV_2D = 3, DEPTHWISE_CONV_2D = 4, DEQUANTIZE = 6, MAX_POOL_2D = 17, MUL = 18, RELU = 19,
  RELU_N1_TO_1 = 20, RELU6 = 21, SOFTMAX = 25, SUB = 41, DIV = 42, SUM = 74, REDUCE_MAX = 82, LEAKY_RELU = 98, GELU = 150,
};

gboolean
nn_tflite_fused (gint64    fused,
                 NnAttrs  *attrs,
                 GError  **error)
{
  switch (fused)
    {
    case FUSED_NONE:
      attrs->act = NN_ACT_LINEAR;
      return TRUE;
    case FUSED_RELU:
      attrs->act = NN_ACT_RELU;
      return TRUE;
    case FUSED_RELU6:
      attrs->act = NN_ACT_RELU;
      attrs->max_value = SIX;
      return TRUE;
    case FUSED_RELU_N1_TO_1:
      attrs->act = NN_ACT_HARD_TANH;
      return TRUE;
    case FUSED_TANH:
      attrs->act = NN_ACT_TANH;
      return TRUE;
    default:
      return nn_load_unsupported (error, "its activation %d is not supported", (int) fused);
    }
}

/* The data it reads, which must be computed. */
static NnTfliteTensor *
data_input (NnTflite         *t,
            const NnTfliteOp *op,
            GError          **error)
{
  NnTfliteTensor *input = nn_tflite_input (t, op, 0);

  if (input != NULL && input->computed)
    return input;
  nn_load_unsupported (error, "it reads a constant where data are expected");
  return NULL;
}

static const NnShape *
sample_of (NnTflite             *t,
           const NnTfliteTensor *tensor)
{
  return &nn_graph_builder_node (t->builder, tensor->node)->shape;
}

static NnNode *
one_input (NnTflite             *t,
           const NnTfliteOp     *op,
           NnOp                  what,
           const NnTfliteTensor *input)
{
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

  return nn_tflite_node (t, what, name, op->name, &input->node, 1);
}

/* An axis of the tensor as one of the sample; -1 for the batch's. */
static int
sample_axis (const NnTfliteTensor *tensor,
             gint64                axis)
{
  axis += axis < 0 ? tensor->dims.rank : 0;
  if (axis < 0 || axis >= tensor->dims.rank)
    return -1;
  return tensor->merged ? (int) axis : (int) axis - 1;
}

/* What the operator computes of each number. */
static gboolean
set_activation (const NnTfliteOp *op,
                NnAttrs          *a,
                GError          **error)
{
  static const struct {
    gint64 code;
    NnAct  act;
  } acts[] = { { 8, NN_ACT_FLOOR },     { 14, NN_ACT_SIGMOID },  { 28, NN_ACT_TANH }, { 47, NN_ACT_EXPONENTIAL }, { 66, NN_ACT_SIN },
               { 73, NN_ACT_LOG },      { 75, NN_ACT_SQRT },     { 101, NN_ACT_ABS }, { 104, NN_ACT_CEIL },       { 108, NN_ACT_COS },
               { 111, NN_ACT_ELU },     { 116, NN_ACT_ROUND },   { 158, NN_ACT_SIGN } };
  double beta;

  switch (op->code)
    {
    case RELU:
      return nn_tflite_fused (FUSED_RELU, a, error);
    case RELU_N1_TO_1:
      return nn_tflite_fused (FUSED_RELU_N1_TO_1, a, error);
    case RELU6:
      return nn_tflite_fused (FUSED_RELU6, a, error);
    case LEAKY_RELU:
      a->act = NN_ACT_LEAKY_RELU;
      a->alpha = nn_flat_float (op->options, 0, 0);
      return TRUE;
    case GELU:
      a->act = nn_flat_int (op->options, 0, 1, 0) != 0 ? NN_ACT_GELU_TANH : NN_ACT_GELU;
      return TRUE;
    case SOFTMAX:
      a->act = NN_ACT_SOFTMAX;
      a->axis = -1;
      beta = nn_flat_float (op->options, 0, 0);
      if (beta != 1)
        {
          g_autofree char *text = nn_text_from_double (beta);

          return nn_load_unsupported (error, "beta %s is not supported; only 1 is", text);
        }
      return TRUE;
    default:
      a->alpha = 1; /* of ELU */
      for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
        if (acts[i].code == op->code)
          a->act = acts[i].act;
      return TRUE;
    }
}

static gboolean
read_activation (NnTflite         *t,
                 const NnTfliteOp *op,
                 GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error);
  NnAttrs attrs = { 0 };
  NnNode *node;

  if (input == NULL || !set_activation (op, &attrs, error))
    return FALSE;
  node = one_input (t, op, NN_OP_ACTIVATION, input);
  node->attrs = attrs;
  return nn_tflite_result (t, op, node, FUSED_NONE, error);
}

/* x * relu6 (x + 3) / 6 */
static gboolean
read_hard_swish (NnTflite         *t,
                 const NnTfliteOp *op,
                 GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL), *gate = g_strconcat (name, "_gate", NULL);
  guint factors[2];
  NnNode *node;

  if (input == NULL)
    return FALSE;
  node = nn_tflite_node (t, NN_OP_ACTIVATION, gate, op->name, &input->node, 1);
  node->attrs.act = NN_ACT_HARD_SIGMOID;
  node->attrs.slope = 1 / SIX;
  node->attrs.shift = 0.5;
  if (!nn_tflite_finish (t, node, error))
    return FALSE;
  factors[0] = input->node;
  factors[1] = nn_graph_builder_n_nodes (t->builder) - 1;
  return nn_tflite_result (t, op, nn_tflite_node (t, NN_OP_MULTIPLY, name, op->name, factors, 2), FUSED_NONE, error);
}

static gboolean
read_square (NnTflite         *t,
             const NnTfliteOp *op,
             GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

  return input != NULL &&
         nn_tflite_result (t, op, nn_tflite_node (t, NN_OP_MULTIPLY, name, op->name, (guint[]){ input->node, input->node }, 2), FUSED_NONE, error);
}

/* Of data with data; with a constant it is a scale. */
static gboolean
read_merge (NnTflite         *t,
            const NnTfliteOp *op,
            GError          **error)
{
  static const struct {
    gint64   code;
    NnOp     op;
    gboolean fuses;
  } merges[] = { { ADD, NN_OP_ADD, TRUE },      { MUL, NN_OP_MULTIPLY, TRUE }, { SUB, NN_OP_SUBTRACT, TRUE },
                 { DIV, NN_OP_DIVIDE, TRUE },   { 55, NN_OP_MAXIMUM, FALSE },  { 57, NN_OP_MINIMUM, FALSE },
                 { 106, NN_OP_ADD, FALSE } };
  g_autofree guint *inputs = g_new (guint, op->inputs.n + 1);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);
  guint constants = 0, which = 0;

  for (guint i = 0; i < G_N_ELEMENTS (merges); i++)
    if (merges[i].code == op->code)
      which = i;
  for (guint i = 0; i < op->inputs.n; i++)
    {
      NnTfliteTensor *input = nn_tflite_input (t, op, i);

      if (input == NULL)
        return nn_load_unsupported (error, "an input is missing");
      constants += !input->computed;
      inputs[i] = input->node;
    }
  if (constants == 1 && op->inputs.n == 2 && merges[which].fuses)
    return nn_tflite_read_scale (t, op, error);
  if (constants > 0 || op->inputs.n < 2)
    return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
  return nn_tflite_result (t, op, nn_tflite_node (t, merges[which].op, name, op->name, inputs, (guint) op->inputs.n),
                           merges[which].fuses ? nn_flat_int (op->options, 0, 1, 0) : FUSED_NONE, error);
}

static gboolean
read_concatenation (NnTflite         *t,
                    const NnTfliteOp *op,
                    GError          **error)
{
  NnTfliteTensor *first = data_input (t, op, error);
  g_autofree guint *inputs = g_new (guint, op->inputs.n + 1);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);
  int axis;
  NnNode *node;

  if (first == NULL)
    return FALSE;
  axis = sample_axis (first, nn_flat_int (op->options, 0, INT_BYTES, 0));
  if (axis < 0)
    return nn_load_unsupported (error, "joining batches is not supported");
  for (guint i = 0; i < op->inputs.n; i++)
    {
      NnTfliteTensor *input = nn_tflite_input (t, op, i);

      if (input == NULL || !input->computed)
        return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
      inputs[i] = input->node;
    }
  node = nn_tflite_node (t, NN_OP_CONCATENATE, name, op->name, inputs, (guint) op->inputs.n);
  node->attrs.axis = axis;
  return nn_tflite_result (t, op, node, nn_flat_int (op->options, 1, 1, 0), error);
}

static gboolean
read_pool (NnTflite         *t,
           const NnTfliteOp *op,
           GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error);
  NnAttrs *a;
  NnNode *node;

  if (input == NULL)
    return FALSE;
  if (sample_of (t, input)->rank != 3)
    return nn_load_unsupported (error, "its data must have the axes batch, height, width and channels");
  node = one_input (t, op, op->code == AVERAGE_POOL_2D ? NN_OP_AVG_POOL2D : NN_OP_MAX_POOL2D, input);
  a = &node->attrs;
  a->padding = nn_flat_int (op->options, POOL_PADDING, 1, 0) == 0 ? NN_PADDING_SAME : NN_PADDING_VALID;
  a->stride[0] = nn_flat_int (op->options, POOL_STRIDE_H, INT_BYTES, 0);
  a->stride[1] = nn_flat_int (op->options, POOL_STRIDE_W, INT_BYTES, 0);
  a->kernel[0] = nn_flat_int (op->options, POOL_HEIGHT, INT_BYTES, 0);
  a->kernel[1] = nn_flat_int (op->options, POOL_WIDTH, INT_BYTES, 0);
  a->dilation[0] = a->dilation[1] = 1;
  for (guint i = 0; i < 2; i++)
    if (a->kernel[i] < 1 || a->stride[i] < 1)
      return nn_load_unsupported (error, "its window or stride is not positive");
  return nn_tflite_result (t, op, node, nn_flat_int (op->options, POOL_FUSED, 1, 0), error);
}

/* MEAN, SUM, REDUCE_MAX over axes that lie side by side. */
static gboolean
read_reduce (NnTflite         *t,
             const NnTfliteOp *op,
             GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error);
  gint64 axes[NN_MAX_RANK];
  guint seen = 0, first = NN_MAX_RANK, last = 0, rank;
  gboolean keep;
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), axes, G_N_ELEMENTS (axes), &n) || n == 0)
    return nn_load_unsupported (error, "its axes are not constant");
  rank = sample_of (t, input)->rank;
  for (gsize i = 0; i < n; i++)
    {
      int axis = sample_axis (input, axes[i]);

      if (axis < 0)
        return nn_load_unsupported (error, "reducing the batch's axis is not supported");
      seen |= 1u << axis;
      first = MIN (first, (guint) axis);
      last = MAX (last, (guint) axis);
    }
  for (guint i = first; i <= last; i++)
    if (!(seen & 1u << i))
      return nn_load_unsupported (error, "reducing axes that do not lie side by side is not supported");
  keep = nn_flat_int (op->options, 0, 1, 0) != 0;
  if (first == 0 && last + 2 == rank && op->code != SUM)
    node = one_input (t, op, op->code == REDUCE_MAX ? NN_OP_GLOBAL_MAX_POOL : NN_OP_GLOBAL_AVG_POOL, input);
  else
    node = one_input (t, op, op->code == REDUCE_MAX ? NN_OP_REDUCE_MAX : op->code == SUM ? NN_OP_REDUCE_SUM : NN_OP_REDUCE_MEAN, input);
  node->attrs.axis = (gint) first;
  node->attrs.axis2 = (gint) last;
  node->attrs.keep_dims = keep;
  return nn_tflite_result (t, op, node, FUSED_NONE, error);
}

/* RESHAPE, SQUEEZE, EXPAND_DIMS: to the shape the file gives the result. */
static gboolean
read_reshape (NnTflite         *t,
              const NnTfliteOp *op,
              GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error), *output = nn_tflite_output (t, op, 0);
  NnShape target = { 0 };
  gsize n, wanted;
  NnNode *node;

  if (input == NULL || output == NULL)
    return input != NULL && nn_load_unsupported (error, "it makes nothing");
  for (guint i = 1; i < output->dims.rank; i++)
    target.dims[target.rank++] = output->dims.dims[i];
  /* where the batch's axis takes others in, all of them are the sample's */
  if (nn_shape_size (sample_of (t, input), &n) && nn_shape_size (&target, &wanted) && n != wanted && nn_shape_size (&output->dims, &wanted) &&
      n == wanted)
    {
      target = output->dims;
      output->merged = TRUE;
    }
  node = one_input (t, op, target.rank == 1 ? NN_OP_FLATTEN : NN_OP_RESHAPE, input);
  node->attrs.target = target;
  return nn_tflite_result (t, op, node, FUSED_NONE, error);
}

static gboolean
read_transpose (NnTflite         *t,
                const NnTfliteOp *op,
                GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error);
  gint64 order[NN_MAX_RANK];
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), order, G_N_ELEMENTS (order), &n) || n != input->dims.rank)
    return nn_load_unsupported (error, "its order of axes is not constant");
  if (input->merged || order[0] != 0)
    return nn_load_unsupported (error, "moving the batch's axis is not supported");
  node = one_input (t, op, NN_OP_PERMUTE, input);
  for (gsize i = 1; i < n; i++)
    node->attrs.perm[i - 1] = order[i] > 0 && order[i] < (gint64) n ? (guint) order[i] - 1 : NN_MAX_RANK;
  return nn_tflite_result (t, op, node, FUSED_NONE, error);
}

/* PAD, PADV2 with zeros of the spatial axes. */
static gboolean
read_pad (NnTflite         *t,
          const NnTfliteOp *op,
          GError          **error)
{
  NnTfliteTensor *input = data_input (t, op, error), *value = nn_tflite_input (t, op, 2);
  gint64 edges[2 * NN_MAX_RANK];
  guint rank, n_spatial;
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  rank = input->dims.rank;
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), edges, G_N_ELEMENTS (edges), &n) || n != 2 * (gsize) rank)
    return nn_load_unsupported (error, "its padding is not constant");
  if (value != NULL)
    {
      g_autoptr (NnTensor) number = nn_tflite_constant (t, value, error);

      if (number == NULL)
        return FALSE;
      if (number->n != 1 || nn_tensor_f32 (number)[0] != 0)
        return nn_load_unsupported (error, "padding by another number than 0 is not supported");
    }
  n_spatial = rank >= 4 ? 2 : 1;
  node = one_input (t, op, NN_OP_ZERO_PAD, input);
  for (guint i = 0; i < rank; i++)
    {
      gboolean spatial = i + 1 < rank && i + 1 + n_spatial >= rank && i > 0;

      if (edges[2 * i] < 0 || edges[2 * i + 1] < 0 || (!spatial && (edges[2 * i] != 0 || edges[2 * i + 1] != 0)))
        return nn_load_unsupported (error, "padding of other axes than height and width is not supported");
      if (spatial)
        {
          node->attrs.pad[i + 1 + n_spatial - rank][0] = edges[2 * i];
          node->attrs.pad[i + 1 + n_spatial - rank][1] = edges[2 * i + 1];
        }
    }
  return nn_tflite_result (t, op, node, FUSED_NONE, error);
}

/* RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR to whole multiples. */
static gboolean
read_resize (NnTflite         *t,
             const NnTfliteOp *op,
             GError          **error)
{
  gboolean bilinear = op->code == 23;
  NnTfliteTensor *input = data_input (t, op, error);
  const NnShape *sample;
  gint64 size[2];
  NnNode *node;
  gsize n;

  if (input == NULL)
    return FALSE;
  sample = sample_of (t, input);
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), size, G_N_ELEMENTS (size), &n) || n != 2 || sample->rank != 3)
    return nn_load_unsupported (error, "its size is not two constants");
  if (nn_flat_int (op->options, bilinear ? RESIZE_BILINEAR_CORNERS : RESIZE_NEAREST_CORNERS, 1, 0) != 0 ||
      (bilinear && nn_flat_int (op->options, RESIZE_BILINEAR_HALF, 1, 0) == 0))
    return nn_load_unsupported (error, "align_corners, or bilinear without half_pixel_centers, is not supported");
  node = one_input (t, op, NN_OP_UPSAMPLE, input);
  node->attrs.interpolation = bilinear ? NN_INTERPOLATION_BILINEAR : NN_INTERPOLATION_NEAREST;
  for (guint i = 0; i < 2; i++)
    {
      if (sample->dims[i] < 1 || size[i] < sample->dims[i] || size[i] % sample->dims[i] != 0)
        return nn_load_unsupported (error, "resizing to what is no whole multiple is not supported");
      node->attrs.size[i] = size[i] / sample->dims[i];
    }
  return nn_tflite_result (t, op, node, FUSED_NONE, error);
}

/* The node that takes [begin, end) by @step of an axis of @from's sample; @from itself where that is all. */
static gboolean
take (NnTflite         *t,
      const NnTfliteOp *op,
      guint            *from,
      guint             axis,
      gint64            begin,
      gint64            end,
      gint64            step,
      GError          **error)
{
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL), *own = NULL;
  NnNode *node;

  if (begin == 0 && step == 1 && end == nn_graph_builder_node (t->builder, *from)->shape.dims[axis])
    return TRUE;
  own = g_strdup_printf ("%s_axis_%u", name, axis);
  node = nn_tflite_node (t, NN_OP_SLICE, own, op->name, from, 1);
  node->attrs.axis = (gint) axis;
  node->attrs.begin = begin;
  node->attrs.end = end;
  node->attrs.step = step;
  *from = nn_graph_builder_n_nodes (t->builder) - 1;
  return nn_tflite_finish (t, node, error);
}

/* SLICE (begin, size) and STRIDED_SLICE (begin, end, strides): axis by axis, then to the shape of the result. */
static gboolean
read_slice (NnTflite         *t,
            const NnTfliteOp *op,
            GError          **error)
{
  gboolean strided = op->code == 45;
  NnTfliteTensor *input = data_input (t, op, error), *output = nn_tflite_output (t, op, 0);
  gint64 begin[NN_MAX_RANK], end[NN_MAX_RANK], step[NN_MAX_RANK], masks[5] = { 0 };
  NnShape target = { 0 };
  guint from;
  NnNode *node;
  gsize n, n_end, n_step;

  if (input == NULL || output == NULL)
    return input != NULL && nn_load_unsupported (error, "it makes nothing");
  for (guint i = 0; strided && i < G_N_ELEMENTS (masks); i++)
    masks[i] = nn_flat_int (op->options, i, INT_BYTES, 0);
  if (!nn_tflite_ints (nn_tflite_input (t, op, 1), begin, NN_MAX_RANK, &n) || !nn_tflite_ints (nn_tflite_input (t, op, 2), end, NN_MAX_RANK, &n_end) ||
      n != input->dims.rank || n_end != n ||
      (strided && (!nn_tflite_ints (nn_tflite_input (t, op, 3), step, NN_MAX_RANK, &n_step) || n_step != n)))
    return nn_load_unsupported (error, "its ranges are not constant, one for each axis");
  if (masks[SLICE_ELLIPSIS] != 0 || masks[SLICE_NEW] != 0 || input->merged || (masks[SLICE_SHRINK] & 1))
    return nn_load_unsupported (error, "an ellipsis, a new axis or one sample of the batch is not supported");
  from = input->node;
  for (guint i = 0; i < n; i++)
    {
      gint64 extent = input->dims.dims[i], first = begin[i], last = strided ? end[i] : end[i] < 0 ? extent : begin[i] + end[i];
      gint64 by = strided ? step[i] : 1;

      first = masks[SLICE_BEGIN] >> i & 1 ? 0 : first < 0 ? first + extent : first;
      last = masks[SLICE_END] >> i & 1 ? extent : last < 0 ? last + extent : MIN (last, extent);
      if (masks[SLICE_SHRINK] >> i & 1)
        last = first + 1;
      if (by < 1 || (i == 0 && (first != 0 || last != extent)))
        return nn_load_unsupported (error, "a step backwards, or a part of the batch, is not supported");
      if (i > 0 && !take (t, op, &from, i - 1, first, last, by, error))
        return FALSE;
    }
  for (guint i = 1; i < output->dims.rank; i++)
    target.dims[target.rank++] = output->dims.dims[i];
  {
    g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

    node = nn_tflite_node (t, NN_OP_RESHAPE, name, op->name, &from, 1);
  }
  node->attrs.target = target;
  return nn_tflite_result (t, op, node, FUSED_NONE, error);
}

static gboolean
read_matmul (NnTflite         *t,
             const NnTfliteOp *op,
             GError          **error)
{
  NnTfliteTensor *a = nn_tflite_input (t, op, 0), *b = nn_tflite_input (t, op, 1);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

  if (a == NULL || b == NULL || !a->computed || !b->computed)
    return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
  if (nn_flat_int (op->options, 0, 1, 0) != 0 || nn_flat_int (op->options, 1, 1, 0) != 0)
    return nn_load_unsupported (error, "adj_x and adj_y are not supported");
  return nn_tflite_result (t, op, nn_tflite_node (t, NN_OP_MATMUL, name, op->name, (guint[]){ a->node, b->node }, 2), FUSED_NONE, error);
}

/* QUANTIZE: the quantiser of its result. DEQUANTIZE: the same real numbers, of data or of a constant. */
static gboolean
read_codes (NnTflite         *t,
            const NnTfliteOp *op,
            GError          **error)
{
  NnTfliteTensor *input = nn_tflite_input (t, op, 0), *output = nn_tflite_output (t, op, 0);

  if (input == NULL || output == NULL)
    return nn_load_unsupported (error, "it has no input or no output");
  if (!input->computed && nn_tflite_tensor (t, input->same)->data == NULL)
    return nn_load_unsupported (error, "its input is neither computed nor constant");
  output->computed = input->computed;
  output->node = input->node;
  output->merged = input->merged;
  output->same = input->same;
  if (op->code == DEQUANTIZE || !input->computed || nn_tflite_same_codes (input, output))
    return TRUE;
  return nn_tflite_result (t, op, NULL, FUSED_NONE, error);
}

typedef struct {
  const char   *name;
  NnTfliteRead *read; /* (nullable): known by name only */
} Row;

static const Row rows[] = {
  [0] = { "ADD", read_merge },
  [1] = { "AVERAGE_POOL_2D", read_pool },
  [2] = { "CONCATENATION", read_concatenation },
  [3] = { "CONV_2D", nn_tflite_read_conv },
  [4] = { "DEPTHWISE_CONV_2D", nn_tflite_read_conv },
  [5] = { "DEPTH_TO_SPACE", NULL },
  [6] = { "DEQUANTIZE", read_codes },
  [7] = { "EMBEDDING_LOOKUP", NULL },
  [8] = { "FLOOR", read_activation },
  [9] = { "FULLY_CONNECTED", nn_tflite_read_dense },
  [11] = { "L2_NORMALIZATION", NULL },
  [12] = { "L2_POOL_2D", NULL },
  [13] = { "LOCAL_RESPONSE_NORMALIZATION", NULL },
  [14] = { "LOGISTIC", read_activation },
  [16] = { "LSTM", NULL },
  [17] = { "MAX_POOL_2D", read_pool },
  [18] = { "MUL", read_merge },
  [19] = { "RELU", read_activation },
  [20] = { "RELU_N1_TO_1", read_activation },
  [21] = { "RELU6", read_activation },
  [22] = { "RESHAPE", read_reshape },
  [23] = { "RESIZE_BILINEAR", read_resize },
  [24] = { "RNN", NULL },
  [25] = { "SOFTMAX", read_activation },
  [26] = { "SPACE_TO_DEPTH", NULL },
  [27] = { "SVDF", NULL },
  [28] = { "TANH", read_activation },
  [32] = { "CUSTOM", NULL },
  [34] = { "PAD", read_pad },
  [35] = { "UNIDIRECTIONAL_SEQUENCE_RNN", NULL },
  [36] = { "GATHER", NULL },
  [37] = { "BATCH_TO_SPACE_ND", NULL },
  [38] = { "SPACE_TO_BATCH_ND", NULL },
  [39] = { "TRANSPOSE", read_transpose },
  [40] = { "MEAN", read_reduce },
  [41] = { "SUB", read_merge },
  [42] = { "DIV", read_merge },
  [43] = { "SQUEEZE", read_reshape },
  [44] = { "UNIDIRECTIONAL_SEQUENCE_LSTM", NULL },
  [45] = { "STRIDED_SLICE", read_slice },
  [46] = { "BIDIRECTIONAL_SEQUENCE_RNN", NULL },
  [47] = { "EXP", read_activation },
  [48] = { "TOPK_V2", NULL },
  [49] = { "SPLIT", NULL },
  [50] = { "LOG_SOFTMAX", NULL },
  [52] = { "BIDIRECTIONAL_SEQUENCE_LSTM", NULL },
  [53] = { "CAST", NULL },
  [54] = { "PRELU", nn_tflite_read_prelu },
  [55] = { "MAXIMUM", read_merge },
  [56] = { "ARG_MAX", NULL },
  [57] = { "MINIMUM", read_merge },
  [58] = { "LESS", NULL },
  [59] = { "NEG", NULL },
  [60] = { "PADV2", read_pad },
  [61] = { "GREATER", NULL },
  [62] = { "GREATER_EQUAL", NULL },
  [63] = { "LESS_EQUAL", NULL },
  [64] = { "SELECT", NULL },
  [65] = { "SLICE", read_slice },
  [66] = { "SIN", read_activation },
  [67] = { "TRANSPOSE_CONV", nn_tflite_read_transposed },
  [69] = { "TILE", NULL },
  [70] = { "EXPAND_DIMS", read_reshape },
  [73] = { "LOG", read_activation },
  [74] = { "SUM", read_reduce },
  [75] = { "SQRT", read_activation },
  [76] = { "RSQRT", NULL },
  [77] = { "SHAPE", NULL },
  [78] = { "POW", NULL },
  [79] = { "ARG_MIN", NULL },
  [82] = { "REDUCE_MAX", read_reduce },
  [83] = { "PACK", NULL },
  [85] = { "ONE_HOT", NULL },
  [88] = { "UNPACK", NULL },
  [89] = { "REDUCE_MIN", NULL },
  [92] = { "SQUARE", read_square },
  [97] = { "RESIZE_NEAREST_NEIGHBOR", read_resize },
  [98] = { "LEAKY_RELU", read_activation },
  [99] = { "SQUARED_DIFFERENCE", NULL },
  [100] = { "MIRROR_PAD", NULL },
  [101] = { "ABS", read_activation },
  [102] = { "SPLIT_V", NULL },
  [104] = { "CEIL", read_activation },
  [105] = { "REVERSE_V2", NULL },
  [106] = { "ADD_N", read_merge },
  [107] = { "GATHER_ND", NULL },
  [108] = { "COS", read_activation },
  [111] = { "ELU", read_activation },
  [114] = { "QUANTIZE", read_codes },
  [116] = { "ROUND", read_activation },
  [117] = { "HARD_SWISH", read_hard_swish },
  [118] = { "IF", NULL },
  [119] = { "WHILE", NULL },
  [126] = { "BATCH_MATMUL", read_matmul },
  [128] = { "CUMSUM", NULL },
  [129] = { "CALL_ONCE", NULL },
  [130] = { "BROADCAST_TO", NULL },
  [132] = { "CONV_3D", NULL },
  [142] = { "VAR_HANDLE", NULL },
  [143] = { "READ_VARIABLE", NULL },
  [144] = { "ASSIGN_VARIABLE", NULL },
  [150] = { "GELU", read_activation },
  [158] = { "SIGN", read_activation },
};

static const Row *
find_row (gint64 code)
{
  return code >= 0 && code < (gint64) G_N_ELEMENTS (rows) && rows[code].name != NULL ? &rows[code] : NULL;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Returns: (transfer full): as the schema spells it, or by its number */
char *
nn_tflite_op_name (gint64 code)
{
  const Row *row = find_row (code);

  return row != NULL ? g_strdup (row->name) : g_strdup_printf ("OPERATOR_%d", (int) code);
}

/* Returns: (transfer full): names of all operators that are read, sorted; for the page of supported layers */
char **
nn_tflite_op_names (void)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].read != NULL)
      g_ptr_array_add (names, g_strdup (rows[i].name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

gboolean
nn_tflite_read_op (NnTflite          *t,
                   const NnTfliteOp  *op,
                   GError           **error)
{
  const Row *row = find_row (op->code);

  if (row == NULL || row->read == NULL)
    return nn_load_unsupported (error, "Espalier does not have this operator of TensorFlow Lite; the network may open as Keras or ONNX");
  return row->read (t, op, error);
}
