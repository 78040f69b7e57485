/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators with weights and windows. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"
#include "nn-infer-shape.h"

#include <string.h>

/* qonnx's domain of operators whose data already are channels last. */
static gboolean
is_channels_last (Onnx__NodeProto *op)
{
  return op->domain != NULL && strstr (op->domain, "channels_last") != NULL;
}

/* A constant's values and quantiser as a weight of @node. Where the quantiser cannot go along, the values are what it
 * makes of them. @axes: (nullable): how the values are permuted. */
static NnTensor *
prepare (NnOnnx             *onnx,
         NnNode             *node,
         NnRole              role,
         const NnOnnxValue  *value,
         const guint        *axes)
{
  g_autoptr (NnTensor) plain = NULL;

  if (value->quant != NULL)
    {
      NnOnnxQuant *quant = nn_onnx_quant_copy (value->quant, axes, value->constant->shape.rank);
      gboolean ok = nn_onnx_quantizer (onnx, quant, &node->attrs.role_quantizer[role]);

      nn_onnx_quant_free (quant);
      if (!ok)
        plain = nn_onnx_baked (value);
    }
  if (plain == NULL)
    plain = nn_tensor_convert (value->constant, NN_DTYPE_F32);
  return axes != NULL ? nn_tensor_transpose (plain, axes) : g_steal_pointer (&plain);
}

static NnTensor *
flat (NnTensor *tensor)
{
  NnTensor *result = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) tensor->n));

  memcpy (result->data, tensor->data, tensor->n * sizeof (float));
  nn_tensor_unref (tensor);
  return result;
}

static const NnOnnxValue *
constant_input (NnOnnx          *onnx,
                Onnx__NodeProto *op,
                guint            i)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

  return value != NULL && value->constant != NULL ? value : NULL;
}

/* An Add of a constant for each output that is all that reads @op's result: the bias. Its output then names the layer. */
static const NnOnnxValue *
following_bias (NnOnnx           *onnx,
                Onnx__NodeProto  *op,
                gint64            units,
                gboolean          spatial,
                guint             rank,
                const char      **name)
{
  Onnx__NodeProto *add = nn_onnx_only_use (onnx, nn_onnx_out (op, 0));
  const NnOnnxValue *bias = NULL;

  if (add == NULL || add->op_type == NULL || !g_str_equal (add->op_type, "Add") || add->n_input != 2)
    return NULL;
  for (guint i = 0; i < 2; i++)
    if (!g_str_equal (add->input[i], nn_onnx_out (op, 0)))
      bias = constant_input (onnx, add, i);
  if (bias == NULL || bias->constant->n != (gsize) units || bias->constant->shape.rank > rank)
    return NULL;
  /* which of the constant's axes it goes along: the last, or the channels before the map */
  for (guint i = 0; units > 1 && i < bias->constant->shape.rank; i++)
    if (bias->constant->shape.dims[i] > 1 && i + rank - bias->constant->shape.rank != (spatial ? 1 : rank - 1))
      return NULL;
  g_hash_table_add (onnx->fused, add);
  *name = nn_onnx_out (add, 0);
  return bias;
}

static gboolean
get_window (Onnx__NodeProto *op,
            guint            n,
            gint64          *kernel,
            gint64          *stride,
            gint64          *dilation,
            gint64           pads[2][2],
            GError         **error)
{
  gsize n_kernel, n_stride, n_dilation, n_pads;
  const gint64 *k = nn_onnx_ints (op, "kernel_shape", &n_kernel), *s = nn_onnx_ints (op, "strides", &n_stride);
  const gint64 *d = nn_onnx_ints (op, "dilations", &n_dilation), *p = nn_onnx_ints (op, "pads", &n_pads);

  if ((k != NULL && n_kernel != n) || (s != NULL && n_stride != n) || (d != NULL && n_dilation != n) ||
      (p != NULL && n_pads != 2 * n))
    return nn_onnx_unsupported (error, "kernel_shape, strides, dilations or pads are not for %u axes", n);
  for (guint i = 0; i < n; i++)
    {
      if (k != NULL)
        kernel[i] = k[i];
      stride[i] = s != NULL ? s[i] : 1;
      dilation[i] = d != NULL ? d[i] : 1;
      pads[i][0] = p != NULL ? p[i] : 0;
      pads[i][1] = p != NULL ? p[i + n] : 0;
      if (kernel[i] < 1 || stride[i] < 1 || dilation[i] < 1 || pads[i][0] < 0 || pads[i][1] < 0 ||
          kernel[i] > G_MAXINT32 || stride[i] > G_MAXINT32 || dilation[i] > G_MAXINT32 || pads[i][0] > G_MAXINT32 ||
          pads[i][1] > G_MAXINT32)
        return nn_onnx_unsupported (error, "kernel, strides and dilations must be positive, pads not negative");
    }
  return TRUE;
}

/* Keras's word for the padding where there is one. */
static gboolean
set_padding (Onnx__NodeProto *op,
             NnAttrs         *a,
             guint            n,
             const NnShape   *in,
             GError         **error)
{
  const char *automatic = nn_onnx_string (op, "auto_pad", "NOTSET");
  gboolean zero = TRUE, same = TRUE;

  if (g_str_equal (automatic, "VALID"))
    a->padding = NN_PADDING_VALID;
  else if (g_str_equal (automatic, "SAME_UPPER"))
    a->padding = NN_PADDING_SAME;
  else if (g_str_equal (automatic, "SAME_LOWER"))
    a->padding = NN_PADDING_EXPLICIT;
  if (a->padding == NN_PADDING_EXPLICIT || g_str_equal (automatic, "NOTSET"))
    for (guint i = 0; i < n; i++)
      {
        gint64 before = 0, after = 0, extent = in->dims[i];

        if (extent > 0)
          nn_window_pads (extent, a->kernel[i], a->stride[i], a->dilation[i], NN_PADDING_SAME, NULL, &before, &after);
        if (g_str_equal (automatic, "SAME_LOWER"))
          {
            if (extent < 0)
              return nn_onnx_unsupported (error, "SAME_LOWER of an open axis is not supported");
            a->pad[i][0] = after;
            a->pad[i][1] = before;
          }
        zero = zero && a->pad[i][0] == 0 && a->pad[i][1] == 0;
        same = same && extent > 0 && a->pad[i][0] == before && a->pad[i][1] == after;
      }
  if (g_str_equal (automatic, "NOTSET") || a->padding == NN_PADDING_EXPLICIT)
    a->padding = zero ? NN_PADDING_VALID : same ? NN_PADDING_SAME : NN_PADDING_EXPLICIT;
  if (a->padding != NN_PADDING_EXPLICIT)
    memset (a->pad, 0, sizeof a->pad);
  return TRUE;
}

/* The data of a window operator, channels last; how many axes the window has. */
static NnOnnxValue *
window_input (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              guint            *n,
              GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0);

  if (value == NULL || value->constant != NULL || value->batch != 0 || value->rank < 3 || value->rank > 4)
    {
      nn_onnx_unsupported (error, "only data of one or two axes with channels are supported");
      return NULL;
    }
  if (is_channels_last (op) ? !nn_onnx_natural (onnx, value, error) : !nn_onnx_channels_last (onnx, value, error))
    return NULL;
  *n = value->rank - 2;
  return value;
}

static NnOnnxValue *
window_result (NnOnnx            *onnx,
               const char        *name,
               const NnOnnxValue *like,
               const NnNode      *node)
{
  NnOnnxValue *result = nn_onnx_result (onnx, name, like);

  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[like->at[i]];
  return result;
}

/* (out, in / groups, k...) or, channels last, (out, k..., in / groups) to (k..., in / groups, out). */
static void
kernel_axes (gboolean last,
             guint    n,
             guint   *axes)
{
  for (guint i = 0; i < n; i++)
    axes[i] = last ? i + 1 : i + 2;
  axes[n] = last ? n + 1 : 1;
  axes[n + 1] = 0;
}

/* (k..., 1, in * m) to (k..., in, m). */
static NnTensor *
depthwise_kernel (NnTensor *kernel,
                  guint     n,
                  gint64    channels)
{
  NnShape shape = kernel->shape;
  NnTensor *result;

  shape.dims[n] = channels;
  shape.dims[n + 1] = (gint64) kernel->n / channels;
  for (guint i = 0; i < n; i++)
    shape.dims[n + 1] /= shape.dims[i];
  result = nn_tensor_new (NN_DTYPE_F32, &shape);
  memcpy (result->data, kernel->data, kernel->n * sizeof (float));
  nn_tensor_unref (kernel);
  return result;
}

gboolean
nn_onnx_read_conv (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  gboolean transpose = g_str_equal (op->op_type, "ConvTranspose"), last = is_channels_last (op), depthwise;
  const NnOnnxValue *w = constant_input (onnx, op, 1), *bias = constant_input (onnx, op, 2);
  const char *name = nn_onnx_out (op, 0);
  guint n, axes[NN_MAX_RANK];
  NnOnnxValue *value = window_input (onnx, op, &n, error);
  gint64 channels, units, groups = nn_onnx_int (op, "group", 1), inside;
  NnAttrs a = { 0 };
  NnNode *node;
  NnTensor *kernel;

  if (value == NULL)
    return FALSE;
  if (w == NULL || w->constant->shape.rank != n + 2 || (op->n_input > 2 && op->input[2][0] != '\0' && bias == NULL))
    return nn_onnx_unsupported (error, "its kernel and bias must be constant, the kernel of %u axes", n + 2);
  channels = nn_shape_last (nn_onnx_shape (onnx, value));
  units = transpose ? w->constant->shape.dims[1] * MAX (groups, 1) : w->constant->shape.dims[0];
  inside = w->constant->shape.dims[last ? n + 1 : transpose ? 0 : 1];
  for (guint i = 0; i < n; i++)
    a.kernel[i] = w->constant->shape.dims[last ? i + 1 : i + 2];
  if (!get_window (op, n, a.kernel, a.stride, a.dilation, a.pad, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (a.kernel[i] != w->constant->shape.dims[last ? i + 1 : i + 2])
      return nn_onnx_unsupported (error, "kernel_shape is not that of its kernel");
  if (groups < 1 || units % groups != 0 || (channels > 0 && inside * (transpose ? 1 : groups) != channels))
    return nn_onnx_unsupported (error, "its kernel does not fit its %" G_GINT64_FORMAT " channels", channels);
  if (transpose)
    return nn_onnx_read_conv_transpose (onnx, op, value, &a, n, error);
  if (!set_padding (op, &a, n, nn_onnx_shape (onnx, value), error))
    return FALSE;
  depthwise = groups == channels && inside == 1 && groups > 1;
  if (bias == NULL)
    bias = following_bias (onnx, op, units, !last, value->rank, &name);
  node = nn_onnx_node (onnx,
                       depthwise ? (n == 1 ? NN_OP_DEPTHWISE_CONV1D : NN_OP_DEPTHWISE_CONV2D)
                                 : (n == 1 ? NN_OP_CONV1D : NN_OP_CONV2D),
                       name, op->op_type, &value->node, 1);
  node->attrs = a;
  node->attrs.units = units;
  node->attrs.groups = groups;
  node->attrs.depth_multiplier = depthwise ? units / channels : 0;
  node->attrs.use_bias = bias != NULL;
  kernel_axes (last, n, axes);
  kernel = prepare (onnx, node, NN_ROLE_KERNEL, w, axes);
  if (depthwise && nn_onnx_quant_is_scaled (w->quant))
    {
      /* scales go by a kernel's last axis, which a depthwise kernel's channels are not: the values as they are */
      g_autoptr (NnTensor) baked = nn_onnx_baked (w);

      node->attrs.role_quantizer[NN_ROLE_KERNEL] = NULL;
      nn_tensor_unref (kernel);
      kernel = nn_tensor_transpose (baked, axes);
    }
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", depthwise ? depthwise_kernel (kernel, n, channels) : kernel);
  if (bias != NULL)
    nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", flat (prepare (onnx, node, NN_ROLE_BIAS, bias, NULL)));
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  window_result (onnx, name, value, node);
  return TRUE;
}

/* Room for the windows that begin within the data and its first padding and end beyond it. What is added does not count in an
 * average: where the file's own padding does, that is put in before. */
static gboolean
ceil_window (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             NnOnnxValue      *value,
             NnAttrs          *a,
             guint             n,
             guint            *input,
             GError          **error)
{
  gint64 added[2] = { 0 };
  gboolean any = FALSE;

  for (guint i = 0; i < n; i++)
    {
      gint64 extent = nn_onnx_shape (onnx, value)->dims[i], span = extent + a->pad[i][0] + a->pad[i][1] - a->kernel[i];

      if (extent < 1 || span < 0)
        return nn_onnx_unsupported (error, "ceil_mode of an open axis is not supported");
      if (span % a->stride[i] != 0 && (span / a->stride[i] + 1) * a->stride[i] < extent + a->pad[i][0])
        added[i] = a->stride[i] - span % a->stride[i];
      any |= added[i] > 0;
    }
  if (any && a->count_pad)
    {
      g_autofree char *name = g_strdup_printf ("%s__padded", nn_onnx_out (op, 0));
      NnNode *node = nn_onnx_node (onnx, NN_OP_ZERO_PAD, name, NULL, input, 1);

      memcpy (node->attrs.pad, a->pad, sizeof a->pad);
      *input = nn_graph_builder_n_nodes (onnx->builder) - 1;
      memset (a->pad, 0, sizeof a->pad);
      a->count_pad = FALSE;
      if (!nn_onnx_finish (onnx, node, error))
        return FALSE;
    }
  for (guint i = 0; i < n; i++)
    a->pad[i][1] += added[i];
  return TRUE;
}

gboolean
nn_onnx_read_pool (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  gboolean max = g_str_equal (op->op_type, "MaxPool");
  guint n;
  NnOnnxValue *value = window_input (onnx, op, &n, error);
  NnAttrs a = { 0 };
  guint node_input;
  NnNode *node;

  if (value == NULL || !get_window (op, n, a.kernel, a.stride, a.dilation, a.pad, error))
    return FALSE;
  if (op->n_output > 1 && op->output[1][0] != '\0')
    return nn_onnx_unsupported (error, "the places of the maxima are not supported");
  for (guint i = 0; i < n; i++)
    if (a.dilation[i] != 1)
      return nn_onnx_unsupported (error, "dilations are not supported");
  a.count_pad = !max && nn_onnx_int (op, "count_include_pad", 0) != 0;
  node_input = value->node;
  if (nn_onnx_int (op, "ceil_mode", 0) != 0 && !ceil_window (onnx, op, value, &a, n, &node_input, error))
    return FALSE;
  if (!set_padding (op, &a, n, &nn_graph_builder_node (onnx->builder, node_input)->shape, error))
    return FALSE;
  node = nn_onnx_node (onnx,
                       max ? (n == 1 ? NN_OP_MAX_POOL1D : NN_OP_MAX_POOL2D) : (n == 1 ? NN_OP_AVG_POOL1D : NN_OP_AVG_POOL2D),
                       nn_onnx_out (op, 0), op->op_type, &node_input, 1);
  node->attrs = a;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  window_result (onnx, nn_onnx_out (op, 0), value, node);
  return TRUE;
}

gboolean
nn_onnx_read_global_pool (NnOnnx           *onnx,
                          Onnx__NodeProto  *op,
                          GError          **error)
{
  guint n;
  NnOnnxValue *value = window_input (onnx, op, &n, error);
  NnNode *node;

  if (value == NULL)
    return FALSE;
  node = nn_onnx_node (onnx, strstr (op->op_type, "Max") != NULL ? NN_OP_GLOBAL_MAX_POOL : NN_OP_GLOBAL_AVG_POOL,
                       nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.keep_dims = TRUE;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  window_result (onnx, nn_onnx_out (op, 0), value, node);
  return TRUE;
}

/* Rows of the kernel in the order in which the flattened map is computed. */
static NnTensor *
reorder_rows (NnTensor    *kernel,
              const guint *order,
              gsize        n)
{
  NnTensor *result;
  gsize width = kernel->n / MAX (n, 1);

  if (order == NULL)
    return kernel;
  result = nn_tensor_new (NN_DTYPE_F32, &kernel->shape);
  for (gsize i = 0; i < n; i++)
    memcpy (nn_tensor_f32 (result) + order[i] * width, nn_tensor_f32 (kernel) + i * width, width * sizeof (float));
  nn_tensor_unref (kernel);
  return result;
}

static void
scale_values (NnTensor *tensor,
              double    factor)
{
  for (gsize i = 0; factor != 1 && i < tensor->n; i++)
    nn_tensor_f32 (tensor)[i] *= (float) factor;
}

/* Data and a constant of more axes than a matrix has, or the constant first: a dense layer by its own equation. */
static gboolean
read_matmul_constant (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      gboolean          first,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, first ? 1 : 0), *result;
  g_autoptr (NnTensor) baked = nn_onnx_baked (constant_input (onnx, op, first ? 0 : 1));
  g_autoptr (GString) data = g_string_new ("a");
  g_autoptr (GString) kernel = g_string_new (NULL);
  g_autoptr (GString) term = NULL;
  guint n = value->rank - 1, rank = baked->shape.rank;
  NnShape shape, kept = { 0 };
  NnTensor *weight;
  NnNode *node;

  if (value->batch >= value->rank - 2 || rank < 2 || rank > n || value->merged_before || value->order != NULL)
    return nn_onnx_unsupported (error, "of two factors one must be data, or both of them matrices");
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  shape = *nn_onnx_shape (onnx, value);
  for (guint i = 0; i < n; i++)
    g_string_append_c (data, (char) ('b' + i));
  term = g_string_new (data->str);
  /* of the data's last two axes the one that is summed over is replaced by the constant's other */
  for (guint i = 0; i < rank; i++)
    {
      guint axis = n - rank + i;
      gboolean new_axis = i == (first ? rank - 2 : rank - 1), summed = i == (first ? rank - 1 : rank - 2);

      if (!new_axis && !summed && baked->shape.dims[i] == 1)
        continue;
      if (!new_axis && baked->shape.dims[i] != shape.dims[summed && first ? n - 2 : summed ? n - 1 : axis])
        return nn_onnx_unsupported (error, "its factors do not fit each other");
      kept.dims[kept.rank++] = baked->shape.dims[i];
      g_string_append_c (kernel, new_axis ? 'z' : data->str[1 + (summed ? (first ? n - 2 : n - 1) : axis)]);
    }
  term->str[1 + (first ? n - 2 : n - 1)] = 'z';
  shape.dims[first ? n - 2 : n - 1] = baked->shape.dims[first ? rank - 2 : rank - 1];
  node = nn_onnx_node (onnx, NN_OP_EINSUM_DENSE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  g_string_append_printf (data, ",%s->%s", kernel->str, term->str);
  node->attrs.equation = nn_graph_builder_strdup (onnx->builder, data->str);
  node->shape = shape;
  node->attrs.units = nn_shape_last (&shape);
  weight = nn_tensor_new (NN_DTYPE_F32, &kept);
  memcpy (weight->data, baked->data, weight->n * sizeof (float));
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", weight);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < result->rank; i++)
    if (i != result->batch)
      result->dims[i] = shape.dims[nn_onnx_sample_axis (result, i)];
  return TRUE;
}

/* Two values multiplied. */
static gboolean
read_matmul (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             GError          **error)
{
  guint inputs[2];
  NnOnnxValue *parts[2], *result;
  NnNode *node;

  for (guint i = 0; i < 2; i++)
    {
      parts[i] = nn_onnx_input (onnx, op, i);
      if (parts[i]->constant != NULL)
        return read_matmul_constant (onnx, op, i == 0, error);
    }
  for (guint i = 0; i < 2; i++)
    {
      if (parts[i]->rank < 3 || parts[i]->batch >= parts[i]->rank - 2)
        return nn_onnx_unsupported (error, "its factors must be matrices with the batch before them");
      if (!nn_onnx_natural (onnx, parts[i], error))
        return FALSE;
      inputs[i] = parts[i]->node;
    }
  if (parts[0]->rank != parts[1]->rank || parts[0]->batch != parts[1]->batch || parts[0]->merged_before != parts[1]->merged_before ||
      parts[0]->merged_after != parts[1]->merged_after)
    return nn_onnx_unsupported (error, "its factors differ in the number of axes, or in which is the batch's");
  node = nn_onnx_node (onnx, NN_OP_MATMUL, nn_onnx_out (op, 0), op->op_type, inputs, 2);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), parts[0]);
  result->dims[result->rank - 1] = parts[1]->dims[parts[1]->rank - 1];
  return TRUE;
}

/* Gemm and MatMul by a constant. */
gboolean
nn_onnx_read_dense (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  static const guint swap[] = { 1, 0 };
  gboolean gemm = g_str_equal (op->op_type, "Gemm"), turned = gemm && nn_onnx_int (op, "transB", 0) != 0;
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0), *result;
  const NnOnnxValue *w = constant_input (onnx, op, 1), *bias = gemm ? constant_input (onnx, op, 2) : NULL;
  const char *name = nn_onnx_out (op, 0);
  double alpha = gemm ? nn_onnx_float (op, "alpha", 1) : 1, beta = gemm ? nn_onnx_float (op, "beta", 1) : 1;
  gint64 in, units;
  NnTensor *kernel;
  NnNode *node;

  if (value == NULL || (!gemm && (w == NULL || value->constant != NULL || w->constant->shape.rank > 2)))
    return value != NULL && nn_onnx_input (onnx, op, 1) != NULL && read_matmul (onnx, op, error);
  if (w == NULL || w->constant->shape.rank != 2 || value->constant != NULL || value->rank < 2 || value->batch == value->rank - 1 ||
      (gemm && nn_onnx_int (op, "transA", 0) != 0) ||
      (gemm && op->n_input > 2 && op->input[2][0] != '\0' && bias == NULL))
    return nn_onnx_unsupported (error, "only data times a constant matrix, plus a constant, is supported");
  in = w->constant->shape.dims[turned ? 1 : 0];
  units = w->constant->shape.dims[turned ? 0 : 1];
  if (value->order == NULL && (value->at[value->rank - 2] != (int) nn_onnx_shape (onnx, value)->rank - 1 ||
                               !nn_onnx_is_natural (value)) &&
      !nn_onnx_natural (onnx, value, error))
    return FALSE;
  if (nn_shape_last (nn_onnx_shape (onnx, value)) >= 0 && nn_shape_last (nn_onnx_shape (onnx, value)) != in)
    return nn_onnx_unsupported (error, "its matrix has %" G_GINT64_FORMAT " rows for %" G_GINT64_FORMAT " inputs", in,
                                nn_shape_last (nn_onnx_shape (onnx, value)));
  if (bias != NULL && bias->constant->n != (gsize) units && bias->constant->n != 1)
    return nn_onnx_unsupported (error, "its constant does not have one number for each output");
  if (alpha != 1 && w->quant != NULL)
    return nn_onnx_unsupported (error, "alpha other than 1 with a quantised matrix is not supported");
  if (bias == NULL)
    {
      bias = following_bias (onnx, op, units, FALSE, value->rank, &name);
      beta = 1;
    }
  node = nn_onnx_node (onnx, NN_OP_DENSE, name, op->op_type, &value->node, 1);
  node->attrs.units = units;
  node->attrs.use_bias = bias != NULL && beta != 0;
  kernel = reorder_rows (prepare (onnx, node, NN_ROLE_KERNEL, w, turned ? swap : NULL), value->order, value->n_order);
  if (alpha != 1)
    {
      NnTensor *own = nn_tensor_copy (kernel);

      nn_tensor_unref (kernel);
      kernel = own;
      scale_values (kernel, alpha);
    }
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", kernel);
  if (node->attrs.use_bias)
    {
      NnTensor *b = flat (prepare (onnx, node, NN_ROLE_BIAS, bias, NULL));

      if (b->n != (gsize) units)
        {
          NnTensor *wide = nn_onnx_broadcast (b, &NN_SHAPE (units));

          nn_tensor_unref (b);
          b = wide;
        }
      scale_values (b, beta);
      nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", b);
    }
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
  g_clear_pointer (&result->order, g_free);
  result->n_order = 0;
  result->dims[result->rank - 1] = units;
  return TRUE;
}

/* One number for each channel, in the order in which channels are computed. */
static NnTensor *
by_channel (NnTensor          *values,
            const NnOnnxValue *value)
{
  NnTensor *result;

  if (value->order == NULL || values->n != value->n_order)
    return values;
  result = nn_tensor_new (NN_DTYPE_F32, &values->shape);
  for (gsize i = 0; i < values->n; i++)
    nn_tensor_f32 (result)[value->order[i]] = nn_tensor_f32 (values)[i];
  nn_tensor_unref (values);
  return result;
}

/* BatchNormalization and LayerNormalization. */
gboolean
nn_onnx_read_norm (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  static const struct {
    NnRole      role;
    const char *name;
  } parts[] = { { NN_ROLE_GAMMA, "gamma" }, { NN_ROLE_BETA, "beta" }, { NN_ROLE_MEAN, "moving_mean" },
                { NN_ROLE_VARIANCE, "moving_variance" } };
  gboolean layer = g_str_equal (op->op_type, "LayerNormalization");
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0);
  const NnShape *shape;
  gint64 channels;
  guint axis;
  NnNode *node;

  if (value == NULL || value->constant != NULL || value->rank < 2 || value->batch != 0)
    return nn_onnx_unsupported (error, "its data must have an axis besides the batch's");
  axis = layer || is_channels_last (op) ? value->rank - 1 : 1;
  if (layer && (!nn_onnx_axis (value, nn_onnx_int (op, "axis", -1), &axis) || axis != value->rank - 1))
    return nn_onnx_read_layer_norm_axes (onnx, op, error);
  if (value->at[axis - 1] == NN_ONNX_VIRTUAL && !nn_onnx_natural (onnx, value, error))
    return FALSE;
  shape = nn_onnx_shape (onnx, value);
  channels = shape->dims[value->at[axis - 1]];
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    {
      const NnOnnxValue *c = constant_input (onnx, op, i + 1);

      if (c == NULL && !(layer && i == 1))
        return nn_onnx_unsupported (error, "its weights must be constant");
      if (c != NULL && channels >= 0 && c->constant->n != (gsize) channels && c->constant->n != 1)
        return nn_onnx_unsupported (error, "its weights are %" G_GSIZE_FORMAT " for %" G_GINT64_FORMAT " channels",
                                    c->constant->n, channels);
    }
  node = nn_onnx_node (onnx, layer ? NN_OP_LAYER_NORM : NN_OP_BATCH_NORM, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.axis = value->at[axis - 1] == (int) shape->rank - 1 ? -1 : value->at[axis - 1];
  node->attrs.epsilon = nn_onnx_float (op, "epsilon", 1e-5);
  node->attrs.momentum = nn_onnx_float (op, "momentum", 0.9);
  for (guint i = 0; i < (layer ? 2u : 4u); i++)
    {
      const NnOnnxValue *c = constant_input (onnx, op, i + 1);
      NnTensor *values;

      if (c == NULL)
        continue;
      values = flat (prepare (onnx, node, parts[i].role, c, NULL));
      if (values->n == 1 && channels > 1)
        {
          NnTensor *wide = nn_onnx_broadcast (values, &NN_SHAPE (channels));

          nn_tensor_unref (values);
          values = wide;
        }
      nn_onnx_weight (onnx, node, parts[i].role, parts[i].name, by_channel (values, value));
    }
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}

/* Which computed axis a constant goes along: -1 for a number, -2 for none. */
static int
constant_axis (const NnOnnxValue *value,
               const NnTensor    *c)
{
  int axis = -1;

  for (guint i = 0; i < c->shape.rank; i++)
    if (c->shape.dims[i] > 1)
      {
        guint at = i + value->rank - c->shape.rank;

        if (axis != -1 || c->shape.rank > value->rank || at == value->batch)
          return -2;
        axis = value->at[nn_onnx_sample_axis (value, at)];
      }
  return axis;
}

static gboolean
add_scale (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           NnOnnxValue      *value,
           NnTensor         *c, /* (transfer full): one number, or one a channel */
           gboolean          reversed,
           GError          **error)
{
  const char *type = op->op_type;
  NnNode *node = nn_onnx_node (onnx, NN_OP_SCALE, nn_onnx_out (op, 0), type, &value->node, 1);
  gint64 channels = nn_shape_last (nn_onnx_shape (onnx, value));
  NnTensor *scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (c->n > 1 || channels < 1 ? (gint64) c->n : channels));
  NnTensor *bias = nn_tensor_new (NN_DTYPE_F32, &scale->shape);

  for (gsize i = 0; i < scale->n; i++)
    {
      float x = nn_tensor_f32 (c)[c->n > 1 ? i : 0];

      nn_tensor_f32 (scale)[i] = type[0] == 'M' ? x : type[0] == 'D' ? 1 / x : type[0] == 'S' && reversed ? -1 : 1;
      nn_tensor_f32 (bias)[i] = type[0] == 'A' ? x : type[0] == 'S' ? (reversed ? x : -x) : 0;
    }
  nn_tensor_unref (c);
  nn_onnx_weight (onnx, node, NN_ROLE_SCALE, "scale", by_channel (scale, value));
  node->attrs.use_bias = type[0] == 'A' || type[0] == 'S';
  if (node->attrs.use_bias)
    nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", by_channel (bias, value));
  else
    nn_tensor_unref (bias);
  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return nn_onnx_finish (onnx, node, error);
}

/* Data and a constant of any shape: a node for the constant, in the layout of the data. @name: of the result */
static gboolean
merge_constant (NnOnnx           *onnx,
                Onnx__NodeProto  *op,
                NnOp              which,
                const char       *name,
                NnOnnxValue      *value,
                const NnTensor   *c,
                gboolean          reversed,
                GError          **error)
{
  g_autofree char *constant_name = g_strdup_printf ("%s__constant", name);
  NnShape shape = { 0 };
  guint inputs[2];
  NnTensor *values;
  NnNode *node;

  if (c->shape.rank > value->rank)
    return nn_onnx_unsupported (error, "its constant has more axes than its data");
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  for (guint i = 0; i < c->shape.rank; i++)
    if (i + value->rank - c->shape.rank != value->batch)
      shape.dims[shape.rank++] = c->shape.dims[i];
    else if (c->shape.dims[i] != 1)
      return nn_onnx_unsupported (error, "its constant differs from one sample of the batch to the next");
  if (shape.rank == 0)
    shape = NN_SHAPE (1);
  node = nn_onnx_node (onnx, NN_OP_CONSTANT, constant_name, "Constant", NULL, 0);
  node->shape = shape;
  inputs[reversed ? 0 : 1] = nn_graph_builder_n_nodes (onnx->builder) - 1;
  inputs[reversed ? 1 : 0] = value->node;
  values = nn_tensor_new (NN_DTYPE_F32, &shape);
  memcpy (values->data, c->data, values->n * sizeof (float));
  nn_onnx_weight (onnx, node, NN_ROLE_VALUE, "value", values);
  node = nn_onnx_node (onnx, which, name, op->op_type, inputs, 2);
  nn_onnx_result (onnx, name, value);
  return nn_onnx_finish (onnx, node, error);
}

/* The same by the operator's type. */
static gboolean
add_constant (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              NnOnnxValue      *value,
              const NnTensor   *c,
              gboolean          reversed,
              GError          **error)
{
  static const struct {
    const char *type;
    NnOp        op;
  } ops[] = { { "Add", NN_OP_ADD }, { "Sub", NN_OP_SUBTRACT }, { "Mul", NN_OP_MULTIPLY }, { "Div", NN_OP_DIVIDE },
              { "Max", NN_OP_MAXIMUM }, { "Min", NN_OP_MINIMUM } };

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    if (g_str_equal (ops[i].type, op->op_type))
      return merge_constant (onnx, op, ops[i].op, nn_onnx_out (op, 0), value, c, reversed, error);
  return nn_onnx_unsupported (error, "a constant as one of its inputs is not supported");
}

/* Data merged with one number. */
gboolean
nn_onnx_merge_number (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      NnOp              which,
                      const char       *name,
                      NnOnnxValue      *value,
                      double            number,
                      GError          **error)
{
  NnShape shape = { .rank = MAX (value->rank, 2) - 1 };
  g_autoptr (NnTensor) one = NULL;

  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = 1;
  one = nn_tensor_new (NN_DTYPE_F32, &shape);
  nn_tensor_f32 (one)[0] = (float) number;
  return merge_constant (onnx, op, which, name, value, one, FALSE, error);
}

/* Add, Sub, Mul, Div, Max, Min of data and a constant. */
gboolean
nn_onnx_read_scale (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  gboolean reversed = constant_input (onnx, op, 0) != NULL;
  const NnOnnxValue *c = constant_input (onnx, op, reversed ? 0 : 1);
  NnOnnxValue *value = nn_onnx_input (onnx, op, reversed ? 1 : 0);
  g_autoptr (NnTensor) values = nn_onnx_baked (c);
  int axis = constant_axis (value, values);
  gint64 last = (gint64) nn_onnx_shape (onnx, value)->rank - 1;

  if ((value->rank < 2 && values->n > 1) || values->n == 0)
    return nn_onnx_unsupported (error, "its data must have an axis besides the batch's");
  if ((op->op_type[0] == 'D' && reversed) || g_str_equal (op->op_type, "Max") || g_str_equal (op->op_type, "Min"))
    return add_constant (onnx, op, value, values, reversed, error);
  if (axis == -1 || (axis >= 0 && axis == last &&
                     (nn_shape_last (nn_onnx_shape (onnx, value)) < 0 ||
                      nn_shape_last (nn_onnx_shape (onnx, value)) == (gint64) values->n)))
    return add_scale (onnx, op, value, flat (nn_tensor_copy (values)), reversed, error);
  return add_constant (onnx, op, value, values, reversed, error);
}
