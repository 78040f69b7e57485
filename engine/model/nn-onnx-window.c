/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators with windows: convolutions and pooling. */

#include "nn-onnx.h"

#include "nn-infer-shape.h"
#include "onnx.pb-c.h"

#include <string.h>

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
    return nn_load_unsupported (error, "kernel_shape, strides, dilations or pads are not for %u axes", n);
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
        return nn_load_unsupported (error, "kernel, strides and dilations must be positive, pads not negative");
    }
  return TRUE;
}

/* Keras's word for the padding where there is one. */
static gboolean
set_padding (NnOnnx          *onnx,
             Onnx__NodeProto *op,
             NnAttrs         *a,
             guint            n,
             const NnShape   *in,
             GError         **error)
{
  const char *automatic = nn_onnx_string (onnx, op, "auto_pad", "NOTSET");
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
              return nn_load_unsupported (error, "SAME_LOWER of an open axis is not supported");
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

  if (value != NULL && value->rank == 5)
    {
      nn_load_unsupported (error, "layers over volumes, as Conv3D, are not supported; those over one or two axes are");
      return NULL;
    }
  if (value == NULL || value->constant != NULL || value->batch != 0 || value->rank < 3 || value->rank > 4)
    {
      nn_load_unsupported (error, "only data of one or two axes with channels are supported");
      return NULL;
    }
  if (nn_onnx_is_channels_last (op) ? !nn_onnx_natural (onnx, value, error) : !nn_onnx_channels_last (onnx, value, error))
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
  gboolean transpose = g_str_equal (op->op_type, "ConvTranspose"), last = nn_onnx_is_channels_last (op), depthwise;
  const NnOnnxValue *w = nn_onnx_constant_input (onnx, op, 1), *bias = nn_onnx_constant_input (onnx, op, 2);
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
    return nn_load_unsupported (error, "its kernel and bias must be constant, the kernel of %u axes", n + 2);
  if (groups < 1 || groups > G_MAXINT32 || w->constant->n == 0)
    return nn_load_unsupported (error, "its kernel is empty, or \"group\" is not a number from 1 to %d", G_MAXINT32);
  channels = nn_shape_last (nn_onnx_shape (onnx, value));
  units = transpose ? w->constant->shape.dims[1] * groups : w->constant->shape.dims[0];
  inside = w->constant->shape.dims[last ? n + 1 : transpose ? 0 : 1];
  for (guint i = 0; i < n; i++)
    a.kernel[i] = w->constant->shape.dims[last ? i + 1 : i + 2];
  if (!get_window (op, n, a.kernel, a.stride, a.dilation, a.pad, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (a.kernel[i] != w->constant->shape.dims[last ? i + 1 : i + 2])
      return nn_load_unsupported (error, "kernel_shape is not that of its kernel");
  if (units % groups != 0 || (channels > 0 && inside * (transpose ? 1 : groups) != channels))
    return nn_load_unsupported (error, "its kernel does not fit its %" G_GINT64_FORMAT " channels", channels);
  if (transpose)
    return nn_onnx_read_conv_transpose (onnx, op, value, &a, n, error);
  if (!set_padding (onnx, op, &a, n, nn_onnx_shape (onnx, value), error))
    return FALSE;
  depthwise = groups == channels && inside == 1 && groups > 1;
  if (bias == NULL)
    bias = nn_onnx_following_bias (onnx, op, units, !last, value->rank, &name);
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
  kernel = nn_onnx_prepare (onnx, node, NN_ROLE_KERNEL, w, axes);
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
    nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", nn_onnx_flat (nn_onnx_prepare (onnx, node, NN_ROLE_BIAS, bias, NULL)));
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
        return nn_load_unsupported (error, "ceil_mode of an open axis is not supported");
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

/* Every @stride-th element along an axis, @count of them from @first on. */
static gboolean
every (NnOnnx       *onnx,
       const char   *output,
       const char   *input,
       guint         axis,
       gint64        first,
       gint64        stride,
       gint64        count,
       GError      **error)
{
  NnOnnxValue *value = g_hash_table_lookup (onnx->values, input);

  return nn_onnx_slice (onnx, value, axis, first, first + (count - 1) * stride + 1, stride, output, "MaxPool", error);
}

/* The largest of a window with gaps, along one axis: the larger of the data and of the data moved by the dilation, once and again. */
static gboolean
dilated_max_along (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   const NnAttrs    *a,
                   guint             i,
                   const char       *input,
                   const char       *output,
                   GError          **error)
{
  const NnOnnxValue *value = g_hash_table_lookup (onnx->values, input);
  g_autofree char *padded = g_strdup_printf ("%s__padded", output);
  gint64 extent = value->dims[i + 2] + a->pad[i][0] + a->pad[i][1], span = extent - (a->kernel[i] - 1) * a->dilation[i] - 1;
  const char *most = NULL;

  if (value->dims[i + 2] < 1 || span < 0 || a->kernel[i] > NN_ONNX_MAX_PARTS)
    return nn_load_unsupported (error, "its windows with dilations need a known axis that they fit into");
  if (a->pad[i][0] + a->pad[i][1] > 0)
    {
      if (!nn_onnx_put_beside (onnx, op, padded, input, i + 2, a->pad[i][0], a->pad[i][1], -G_MAXFLOAT, error))
        return FALSE;
      input = padded;
    }
  for (gint64 k = 0; k < a->kernel[i]; k++)
    {
      g_autofree char *suffix = g_strdup_printf ("axis_%u_moved_%d", i, (int) k), *joined = g_strdup_printf ("axis_%u_max_%d", i, (int) k);
      const char *moved = a->kernel[i] == 1 ? output : nn_onnx_middle (onnx, op, suffix);
      const char *to = k + 1 == a->kernel[i] ? output : nn_onnx_middle (onnx, op, joined);

      if (!every (onnx, moved, input, i + 2, k * a->dilation[i], a->stride[i], span / a->stride[i] + 1, error) ||
          (most != NULL && !nn_onnx_run (onnx, "Max", to, most, moved, error)))
        return FALSE;
      most = most != NULL ? to : moved;
    }
  return TRUE;
}

static gboolean
dilated_max (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             NnOnnxValue      *value,
             const NnAttrs    *a,
             guint             n,
             GError          **error)
{
  const char *input = op->input[0];

  if (nn_onnx_int (op, "ceil_mode", 0) != 0 || !g_str_equal (nn_onnx_string (onnx, op, "auto_pad", "NOTSET"), "NOTSET") ||
      nn_onnx_is_channels_last (op))
    return nn_load_unsupported (error, "dilations with ceil_mode or auto_pad are not supported");
  for (guint i = 0; i < n; i++)
    {
      const char *output = i + 1 == n ? nn_onnx_out (op, 0) : nn_onnx_middle (onnx, op, "rows");

      if (!dilated_max_along (onnx, op, a, i, input, output, error))
        return FALSE;
      input = output;
    }
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
    return nn_load_unsupported (error, "the places of the maxima are not supported");
  for (guint i = 0; i < n; i++)
    if (a.dilation[i] != 1)
      return max ? dilated_max (onnx, op, value, &a, n, error) : nn_load_unsupported (error, "dilations of an average are not supported");
  a.count_pad = !max && nn_onnx_int (op, "count_include_pad", 0) != 0;
  node_input = value->node;
  if (nn_onnx_int (op, "ceil_mode", 0) != 0 && !ceil_window (onnx, op, value, &a, n, &node_input, error))
    return FALSE;
  if (!set_padding (onnx, op, &a, n, &nn_graph_builder_node (onnx->builder, node_input)->shape, error))
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
