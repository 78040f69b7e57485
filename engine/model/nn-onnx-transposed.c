/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's ConvTranspose: the whole of it, then cut to its pads; groups and dilations are zeros of a larger kernel. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Elements of a kernel that is widened by zeros. */
#define MAX_WIDENED (G_GINT64_CONSTANT (1) << 26)

/* (in, out / groups, k...) to (k..., out, in), with zeros between dilated elements and between groups. */
static NnTensor *
widen (const NnTensor *w,
       const NnAttrs  *a,
       guint           n,
       gint64          groups)
{
  gint64 in = w->shape.dims[0], each = w->shape.dims[1], out = each * groups, size = in * out;
  gint64 rows = n == 2 ? w->shape.dims[2] : 1, columns = w->shape.dims[n + 1];
  NnShape shape = { .rank = n + 2 };
  NnTensor *result;

  for (guint i = 0; i < n; i++)
    {
      shape.dims[i] = a->dilation[i] * (w->shape.dims[i + 2] - 1) + 1;
      if (shape.dims[i] > MAX_WIDENED / MAX (size, 1))
        return NULL;
      size *= shape.dims[i];
    }
  shape.dims[n] = out;
  shape.dims[n + 1] = in;
  result = nn_tensor_try_new (NN_DTYPE_F32, &shape, NULL);
  for (gint64 i = 0; result != NULL && i < in; i++)
    for (gint64 o = 0; o < each; o++)
      for (gint64 r = 0; r < rows; r++)
        for (gint64 c = 0; c < columns; c++)
          {
            gint64 y = n == 2 ? r * a->dilation[0] : 0, x = c * a->dilation[n - 1];
            gint64 place = (y * shape.dims[n - 1] + x) * out + i / (in / groups) * each + o;

            nn_tensor_f32 (result)[place * in + i] = nn_tensor_f32 (w)[((i * each + o) * rows + r) * columns + c];
          }
  return result;
}

/* How much of the whole result lies before and after what is wanted. Source: ONNX, ConvTranspose, its equation of shapes. */
static gboolean
find_cut (NnOnnx          *onnx,
          Onnx__NodeProto *op,
          const NnAttrs   *a,
          guint            axis,
          guint            n,
          gint64           extent,
          gint64           whole,
          gint64           cut[2])
{
  gsize n_extra, n_shape;
  const gint64 *extra = nn_onnx_ints (op, "output_padding", &n_extra), *wanted = nn_onnx_ints (op, "output_shape", &n_shape);
  const char *automatic = nn_onnx_string (onnx, op, "auto_pad", "NOTSET");
  gint64 more = extra != NULL && n_extra == n ? extra[axis] : 0, before = a->pad[axis][0], length, total;
  gint64 full;

  if (more < 0 || more > G_MAXINT32)
    return FALSE;
  full = a->stride[axis] * (extent - 1) + more + (a->kernel[axis] - 1) * a->dilation[axis] + 1;

  length = full - before - a->pad[axis][1];
  if (wanted != NULL && n_shape >= n && (wanted[n_shape - n + axis] < 1 || wanted[n_shape - n + axis] > G_MAXINT32))
    return FALSE;
  if ((wanted != NULL && n_shape >= n) || g_str_has_prefix (automatic, "SAME"))
    {
      length = wanted != NULL && n_shape >= n ? wanted[n_shape - n + axis] : extent * a->stride[axis];
      total = MAX (full - length, 0);
      before = g_str_equal (automatic, "SAME_UPPER") ? total / 2 : total - total / 2;
    }
  cut[0] = before;
  cut[1] = whole - before - length;
  return extent > 0 && length > 0 && before >= 0;
}

static gboolean
add_bias (NnOnnx            *onnx,
          const char        *name,
          const NnOnnxValue *bias,
          NnOnnxValue       *result,
          GError           **error)
{
  g_autoptr (NnTensor) values = nn_onnx_baked (bias);
  NnTensor *scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) values->n)), *shift = nn_tensor_new (NN_DTYPE_F32, &scale->shape);
  NnNode *node = nn_onnx_node (onnx, NN_OP_SCALE, name, NULL, &result->node, 1);

  for (gsize i = 0; i < scale->n; i++)
    nn_tensor_f32 (scale)[i] = 1;
  memcpy (shift->data, values->data, values->n * sizeof (float));
  node->attrs.use_bias = TRUE;
  nn_onnx_weight (onnx, node, NN_ROLE_SCALE, "scale", scale);
  nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", shift);
  result->node = nn_graph_builder_n_nodes (onnx->builder) - 1;
  return nn_onnx_finish (onnx, node, error);
}

/* Cuts, or where there is not enough, puts zeros: @cut before and after each axis. */
static gboolean
cut_map (NnOnnx       *onnx,
         const char   *name,
         gint64        cut[2][2],
         guint         n,
         gboolean      zeros,
         guint        *input,
         GError      **error)
{
  gboolean any = FALSE;
  NnNode *node;

  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < 2; k++)
      any |= zeros ? cut[i][k] < 0 : cut[i][k] > 0;
  if (!any)
    return TRUE;
  node = nn_onnx_node (onnx, zeros ? NN_OP_ZERO_PAD : NN_OP_CROP, name, NULL, input, 1);
  for (guint i = 0; i < n; i++)
    for (guint k = 0; k < 2; k++)
      node->attrs.pad[i][k] = zeros ? MAX (-cut[i][k], 0) : MAX (cut[i][k], 0);
  *input = nn_graph_builder_n_nodes (onnx->builder) - 1;
  return nn_onnx_finish (onnx, node, error);
}

/**
 * nn_onnx_read_conv_transpose:
 * @value: the data, channels last
 * @window: kernel, strides, dilations and pads
 * @n: axes of the window
 */
gboolean
nn_onnx_read_conv_transpose (NnOnnx           *onnx,
                             Onnx__NodeProto  *op,
                             NnOnnxValue      *value,
                             const NnAttrs    *window,
                             guint             n,
                             GError          **error)
{
  gint64 groups = nn_onnx_int (op, "group", 1), cut[2][2] = { { 0 } };
  g_autoptr (NnTensor) baked = nn_onnx_baked (nn_onnx_input (onnx, op, 1));
  g_autofree char *inner = g_strdup_printf ("%s__whole", nn_onnx_out (op, 0));
  g_autofree char *cropped = g_strdup_printf ("%s__cut", nn_onnx_out (op, 0));
  const NnOnnxValue *bias = nn_onnx_input (onnx, op, 2);
  gboolean any = FALSE, missing = FALSE;
  NnOnnxValue *result;
  NnTensor *kernel;
  NnNode *node;
  guint at;

  if (baked->shape.dims[0] % groups != 0)
    return nn_load_unsupported (error, "its groups do not divide its channels");
  kernel = widen (baked, window, n, groups);
  if (kernel == NULL)
    return nn_load_unsupported (error, "its dilated kernel is too large");
  for (guint i = 0; i < n; i++)
    {
      gint64 extent = nn_onnx_shape (onnx, value)->dims[i], span = kernel->shape.dims[i];

      if (!find_cut (onnx, op, window, i, n, extent, (extent - 1) * window->stride[i] + span, cut[i]))
        {
          nn_tensor_unref (kernel);
          return nn_load_unsupported (error, "its pads leave nothing of its result");
        }
      any |= cut[i][0] != 0 || cut[i][1] != 0;
      missing |= cut[i][0] < 0 || cut[i][1] < 0;
    }
  node = nn_onnx_node (onnx, n == 1 ? NN_OP_CONV1D_TRANSPOSE : NN_OP_CONV2D_TRANSPOSE, any ? inner : nn_onnx_out (op, 0), op->op_type,
                       &value->node, 1);
  node->attrs.units = kernel->shape.dims[n];
  node->attrs.groups = 1;
  node->attrs.padding = NN_PADDING_VALID;
  node->attrs.use_bias = bias != NULL && !missing;
  for (guint i = 0; i < n; i++)
    {
      node->attrs.kernel[i] = kernel->shape.dims[i];
      node->attrs.stride[i] = window->stride[i];
      node->attrs.dilation[i] = 1;
    }
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", kernel);
  if (node->attrs.use_bias)
    {
      g_autoptr (NnTensor) values = nn_onnx_baked (bias);

      nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", nn_tensor_copy (values));
    }
  at = nn_graph_builder_n_nodes (onnx->builder) - 1;
  if (!nn_onnx_finish (onnx, node, error) || !cut_map (onnx, cropped, cut, n, TRUE, &at, error) ||
      !cut_map (onnx, missing && bias != NULL ? cropped : nn_onnx_out (op, 0), cut, n, FALSE, &at, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->node = at;
  /* what is beyond the whole result is not zero, but the bias */
  if (missing && bias != NULL && !add_bias (onnx, nn_onnx_out (op, 0), bias, result, error))
    return FALSE;
  for (guint i = 0; i + 1 < result->rank; i++)
    result->dims[i + 1] = nn_onnx_shape (onnx, result)->dims[result->at[i]];
  return TRUE;
}
