/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The output shape of every operator. */

#include "nn-infer-shape.h"

#include "nn-error.h"

/* Numbers of one sample in one layer: a quarter of a gigabyte, and far more than any network for an FPGA has. */
#define MAX_SAMPLE (1 << 26)

/**
 * nn_window_count:
 * @pad: (nullable): before and after, for %NN_PADDING_EXPLICIT
 *
 * Returns: positions of a sliding window along one axis, as Keras counts them; 0 when it does not fit
 */
gint64
nn_window_count (gint64       extent,
                 gint64       kernel,
                 gint64       stride,
                 gint64       dilation,
                 NnPadding    padding,
                 const gint64 pad[2])
{
  gint64 span = (kernel - 1) * dilation + 1;

  if (extent < 0)
    return NN_DIM_UNKNOWN;
  switch (padding)
    {
    case NN_PADDING_SAME:
    case NN_PADDING_CAUSAL:
      return (extent + stride - 1) / stride;
    case NN_PADDING_EXPLICIT:
      extent += pad[0] + pad[1];
      break;
    case NN_PADDING_VALID:
    default:
      break;
    }
  return extent < span ? 0 : (extent - span) / stride + 1;
}

/* The zeros that stand before and after the axis; `same` puts the odd one after, as Keras does. */
void
nn_window_pads (gint64       extent,
                gint64       kernel,
                gint64       stride,
                gint64       dilation,
                NnPadding    padding,
                const gint64 pad[2],
                gint64      *before,
                gint64      *after)
{
  gint64 span = (kernel - 1) * dilation + 1, total;

  *before = *after = 0;
  switch (padding)
    {
    case NN_PADDING_SAME:
      total = MAX (((extent + stride - 1) / stride - 1) * stride + span - extent, 0);
      *before = total / 2;
      *after = total - *before;
      break;
    case NN_PADDING_CAUSAL:
      *before = span - 1;
      break;
    case NN_PADDING_EXPLICIT:
      *before = pad[0];
      *after = pad[1];
      break;
    case NN_PADDING_VALID:
    default:
      break;
    }
}

static gboolean
fail (const NnNode *node,
      const char   *what,
      GError      **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "layer \"%s\" (%s): %s", node->name, node->class_name, what);
  return FALSE;
}

/* The same, with two shapes that do not go together. */
static gboolean
fail_shapes (const NnNode  *node,
             const char    *format,
             const NnShape *a,
             const NnShape *b,
             GError       **error)
{
  g_autofree char *first = nn_shape_to_string (a), *second = nn_shape_to_string (b);
  g_autofree char *numbers = g_strdup_printf (" (%s and %s)", first, second), *what = g_strconcat (format, numbers, NULL);

  return fail (node, what, error);
}

/* Spatial axes are the @n before the channels. */
static gboolean
window_shape (NnNode       *node,
              const NnNode *input,
              guint         n,
              gint64        channels,
              GError      **error)
{
  const NnAttrs *a = &node->attrs;
  NnShape shape = input->shape;

  if (shape.rank < n + 1)
    return fail (node, n == 1 ? "its input needs the axes steps, channels" : "its input needs the axes height, width, channels",
                 error);
  for (guint i = 0; i < n; i++)
    {
      gint64 *extent = &shape.dims[shape.rank - 1 - n + i];

      if (a->kernel[i] < 1 || a->stride[i] < 1)
        return fail (node, "kernel and stride must be positive", error);
      *extent = nn_window_count (*extent, a->kernel[i], a->stride[i], MAX (a->dilation[i], 1), a->padding, a->pad[i]);
      if (*extent == 0)
        return fail (node, "its window is larger than its input", error);
    }
  shape.dims[shape.rank - 1] = channels;
  node->shape = shape;
  return TRUE;
}

static gboolean
transpose_shape (NnNode       *node,
                 const NnNode *input,
                 guint         n,
                 GError      **error)
{
  const NnAttrs *a = &node->attrs;
  NnShape shape = input->shape;

  if (shape.rank < n + 1)
    return fail (node, "its input has too few axes", error);
  for (guint i = 0; i < n; i++)
    {
      gint64 *extent = &shape.dims[shape.rank - 1 - n + i];

      if (*extent >= 0)
        *extent = a->padding == NN_PADDING_SAME ? *extent * a->stride[i]
                                                : (*extent - 1) * a->stride[i] + a->kernel[i];
    }
  shape.dims[shape.rank - 1] = a->units;
  node->shape = shape;
  return TRUE;
}

/* Numpy's broadcasting, axes aligned at the end. */
static gboolean
merge_shape (NnNode        *node,
             const NnNode **inputs,
             GError       **error)
{
  NnShape shape = inputs[0]->shape;

  for (guint k = 1; k < node->n_inputs; k++)
    {
      const NnShape *other = &inputs[k]->shape;

      while (shape.rank < other->rank)
        {
          for (guint i = shape.rank; i > 0; i--)
            shape.dims[i] = shape.dims[i - 1];
          shape.dims[0] = 1;
          shape.rank++;
        }
      for (guint i = 0; i < other->rank; i++)
        {
          gint64 *d = &shape.dims[shape.rank - other->rank + i], e = other->dims[i];

          if (*d == 1 || *d < 0)
            *d = e;
          else if (e != 1 && e >= 0 && e != *d)
            return fail_shapes (node, "its inputs differ in shape", &inputs[0]->shape, other, error);
        }
    }
  node->shape = shape;
  return TRUE;
}

static gboolean
resolve_axis (const NnNode *node,
              gint          axis,
              guint         rank,
              guint        *resolved,
              GError      **error)
{
  gint a = axis < 0 ? axis + (gint) rank : axis;

  if (a < 0 || a >= (gint) rank)
    return fail (node, "its axis is not one of its input's", error);
  *resolved = a;
  return TRUE;
}

static gboolean
concatenate_shape (NnNode        *node,
                   const NnNode **inputs,
                   GError       **error)
{
  NnShape shape = inputs[0]->shape;
  guint axis;

  if (!resolve_axis (node, node->attrs.axis, shape.rank, &axis, error))
    return FALSE;
  for (guint k = 1; k < node->n_inputs; k++)
    {
      const NnShape *other = &inputs[k]->shape;

      if (other->rank != shape.rank)
        return fail (node, "its inputs differ in the number of axes", error);
      for (guint i = 0; i < shape.rank; i++)
        if (i == axis)
          shape.dims[i] = shape.dims[i] < 0 || other->dims[i] < 0 ? NN_DIM_UNKNOWN : shape.dims[i] + other->dims[i];
        else if (shape.dims[i] != other->dims[i])
          return fail_shapes (node, "its inputs differ in shape", &inputs[0]->shape, other, error);
    }
  node->shape = shape;
  return TRUE;
}

static gboolean
reshape_shape (NnNode       *node,
               const NnNode *input,
               GError      **error)
{
  NnShape shape = node->attrs.target;
  gsize n, known = 1;
  gint open = -1;

  if (!nn_shape_size (&input->shape, &n))
    {
      node->shape = shape;
      return TRUE;
    }
  for (guint i = 0; i < shape.rank; i++)
    if (shape.dims[i] < 0)
      {
        if (open >= 0)
          return fail (node, "its target shape leaves two axes open", error);
        open = i;
      }
    else
      known *= (gsize) shape.dims[i];
  if (open >= 0 && known > 0 && n % known == 0)
    shape.dims[open] = n / known;
  else if (open >= 0 || known != n)
    return fail_shapes (node, "its target shape does not hold its input", &shape, &input->shape, error);
  node->shape = shape;
  return TRUE;
}

static gboolean
reduce_shape (NnNode       *node,
              const NnNode *input,
              GError      **error)
{
  NnShape shape = { 0 };
  guint first, last;

  if (!resolve_axis (node, node->attrs.axis, input->shape.rank, &first, error) ||
      !resolve_axis (node, node->attrs.axis2, input->shape.rank, &last, error))
    return FALSE;
  for (guint i = 0; i < input->shape.rank; i++)
    if (i < first || i > last)
      shape.dims[shape.rank++] = input->shape.dims[i];
    else if (node->attrs.keep_dims)
      shape.dims[shape.rank++] = 1;
  node->shape = shape;
  return TRUE;
}

static gboolean
global_pool_shape (NnNode       *node,
                   const NnNode *input,
                   GError      **error)
{
  NnShape shape = input->shape;
  gint64 channels = nn_shape_last (&shape);

  if (shape.rank < 2)
    return fail (node, "its input has no axes to pool over", error);
  for (guint i = 0; i + 1 < shape.rank; i++)
    shape.dims[i] = 1;
  node->shape = node->attrs.keep_dims ? shape : NN_SHAPE (channels);
  return TRUE;
}

static gboolean
slice_shape (NnNode       *node,
             const NnNode *input,
             GError      **error)
{
  const NnAttrs *a = &node->attrs;
  guint axis;

  node->shape = input->shape;
  if (!resolve_axis (node, a->axis, input->shape.rank, &axis, error))
    return FALSE;
  if (a->begin < 0 || a->end > input->shape.dims[axis] || a->end <= a->begin || a->step < 1)
    return fail (node, "its range lies outside its input", error);
  node->shape.dims[axis] = (a->end - a->begin + a->step - 1) / a->step;
  return TRUE;
}

/* Pads, crops and scales the spatial axes: one or two of them, before the channels. */
static gboolean
resize_shape (NnNode       *node,
              const NnNode *input,
              GError      **error)
{
  const NnAttrs *a = &node->attrs;
  NnShape shape = input->shape;
  guint n = shape.rank >= 3 ? 2 : 1;

  if (shape.rank < 2)
    return fail (node, "its input has no spatial axes", error);
  for (guint i = 0; i < n; i++)
    {
      gint64 *extent = &shape.dims[shape.rank - 1 - n + i], edges = a->pad[i][0] + a->pad[i][1];

      if (*extent < 0)
        continue;
      if (node->op == NN_OP_UPSAMPLE)
        *extent *= MAX (a->size[i], 1);
      else
        *extent += node->op == NN_OP_ZERO_PAD ? edges : -edges;
      if (*extent < 1)
        return fail (node, "nothing of its input is left", error);
    }
  node->shape = shape;
  return TRUE;
}

static gboolean
permute_shape (NnNode       *node,
               const NnNode *input,
               GError      **error)
{
  guint seen = 0;

  node->shape = input->shape;
  for (guint i = 0; i < input->shape.rank; i++)
    {
      if (node->attrs.perm[i] >= input->shape.rank || (seen & 1u << node->attrs.perm[i]))
        return fail (node, "its order of axes is no permutation", error);
      seen |= 1u << node->attrs.perm[i];
      node->shape.dims[i] = input->shape.dims[node->attrs.perm[i]];
    }
  return TRUE;
}

static gboolean
matmul_shape (NnNode        *node,
              const NnNode **inputs,
              GError       **error)
{
  const NnShape *a = &inputs[0]->shape, *b = &inputs[1]->shape;

  if (a->rank < 2 || b->rank < 2 || a->dims[a->rank - 1] != b->dims[b->rank - 2])
    return fail (node, "its inputs' inner axes differ", error);
  node->shape = *a;
  node->shape.dims[a->rank - 1] = b->dims[b->rank - 1];
  return TRUE;
}

static gboolean
infer (NnNode        *node,
       const NnNode **inputs,
       GError       **error)
{
  const NnAttrs *a = &node->attrs;
  gsize n;

  switch (node->op)
    {
    case NN_OP_INPUT:
    case NN_OP_CONSTANT:
    case NN_OP_UNSUPPORTED:
    case NN_OP_EINSUM_DENSE:
    case NN_OP_EINSUM:
    case NN_OP_MULTI_HEAD_ATTENTION:
    case NN_OP_GARNET:
    case NN_OP_TREE_ENSEMBLE:
      return TRUE;
    case NN_OP_DENSE:
      node->shape = inputs[0]->shape;
      if (node->shape.rank == 0)
        return fail (node, "its input has no axis", error);
      node->shape.dims[node->shape.rank - 1] = a->units;
      return TRUE;
    case NN_OP_CONV1D:
    case NN_OP_SEPARABLE_CONV1D:
      return window_shape (node, inputs[0], 1, a->units, error);
    case NN_OP_CONV2D:
    case NN_OP_SEPARABLE_CONV2D:
      return window_shape (node, inputs[0], 2, a->units, error);
    case NN_OP_CONV1D_TRANSPOSE:
      return transpose_shape (node, inputs[0], 1, error);
    case NN_OP_CONV2D_TRANSPOSE:
      return transpose_shape (node, inputs[0], 2, error);
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
      return window_shape (node, inputs[0], node->op == NN_OP_DEPTHWISE_CONV1D ? 1 : 2,
                           nn_shape_last (&inputs[0]->shape) * MAX (a->depth_multiplier, 1), error);
    case NN_OP_MAX_POOL1D:
    case NN_OP_AVG_POOL1D:
      return window_shape (node, inputs[0], 1, nn_shape_last (&inputs[0]->shape), error);
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL2D:
      return window_shape (node, inputs[0], 2, nn_shape_last (&inputs[0]->shape), error);
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      return global_pool_shape (node, inputs[0], error);
    case NN_OP_ADD:
    case NN_OP_SUBTRACT:
    case NN_OP_MULTIPLY:
    case NN_OP_DIVIDE:
    case NN_OP_AVERAGE:
    case NN_OP_MAXIMUM:
    case NN_OP_MINIMUM:
      return merge_shape (node, inputs, error);
    case NN_OP_CONCATENATE:
      return concatenate_shape (node, inputs, error);
    case NN_OP_DOT:
      node->shape = NN_SHAPE (1);
      return TRUE;
    case NN_OP_MATMUL:
      return matmul_shape (node, inputs, error);
    case NN_OP_FLATTEN:
      node->shape = NN_SHAPE (nn_shape_size (&inputs[0]->shape, &n) ? (gint64) n : NN_DIM_UNKNOWN);
      return TRUE;
    case NN_OP_RESHAPE:
      return reshape_shape (node, inputs[0], error);
    case NN_OP_PERMUTE:
      return permute_shape (node, inputs[0], error);
    case NN_OP_REPEAT_VECTOR:
      node->shape = NN_SHAPE (a->target.dims[0], nn_shape_last (&inputs[0]->shape));
      return TRUE;
    case NN_OP_UPSAMPLE:
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      return resize_shape (node, inputs[0], error);
    case NN_OP_SLICE:
      return slice_shape (node, inputs[0], error);
    case NN_OP_REDUCE_MEAN:
    case NN_OP_REDUCE_SUM:
    case NN_OP_REDUCE_MAX:
      return reduce_shape (node, inputs[0], error);
    case NN_OP_ARG_MAX:
      return a->axis == a->axis2 ? reduce_shape (node, inputs[0], error) : fail (node, "it has more than one axis", error);
    case NN_OP_EMBEDDING:
      node->shape = inputs[0]->shape;
      if (node->shape.rank + 1 > NN_MAX_RANK)
        return fail (node, "too many axes", error);
      node->shape.dims[node->shape.rank++] = a->units;
      return TRUE;
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      if (inputs[0]->shape.rank != 2)
        return fail (node, "its input needs the axes steps, features", error);
      node->shape = a->return_sequences ? NN_SHAPE (inputs[0]->shape.dims[0], a->units) : NN_SHAPE (a->units);
      return TRUE;
    default:
      /* the rest keeps its input's shape */
      node->shape = inputs[0]->shape;
      return TRUE;
    }
}

/**
 * nn_infer_shape:
 * @node: whose `shape` is set; operators whose rule is the loader's affair must come with it set
 * @inputs: (array): the nodes it reads, with their shapes
 *
 * Errors: %NN_ERROR_SHAPE
 */
gboolean
nn_infer_shape (NnNode        *node,
                const NnNode **inputs,
                GError       **error)
{
  double n = 1;

  if (!infer (node, inputs, error))
    return FALSE;
  /* the next layer multiplies these by its own sizes, and makes tensors of as many numbers */
  for (guint i = 0; i < node->shape.rank; i++)
    {
      if (node->shape.dims[i] < NN_DIM_UNKNOWN || node->shape.dims[i] > MAX_SAMPLE)
        return fail (node, "its output would be too large", error);
      n *= MAX (node->shape.dims[i], 1);
    }
  return n <= MAX_SAMPLE || fail (node, "its output would be too large", error);
}

/**
 * nn_shape_source:
 * @in: shape of its input
 * @at: (array): where an element of the output stands, by axis
 * @from: (out) (array): where in the input it comes from; outside of the input for padding
 *
 * Returns: %FALSE for an operator that does not move numbers axis by axis: @from then is @at
 */
gboolean
nn_shape_source (const NnNode  *node,
                 const NnShape *in,
                 const gint64  *at,
                 gint64        *from)
{
  const NnAttrs *a = &node->attrs;
  guint rank = node->shape.rank, axes = rank >= 3 ? 2 : 1;
  guint axis = (guint) (a->axis < 0 ? a->axis + (gint) in->rank : a->axis);

  memcpy (from, at, sizeof (gint64) * NN_MAX_RANK);
  switch (node->op)
    {
    case NN_OP_PERMUTE:
      for (guint d = 0; d < rank; d++)
        from[a->perm[d]] = at[d];
      return TRUE;
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      for (guint k = 0; k < axes; k++)
        from[rank - 1 - axes + k] += (node->op == NN_OP_CROP ? 1 : -1) * a->pad[k][0];
      return TRUE;
    case NN_OP_UPSAMPLE:
      for (guint k = 0; k < axes; k++)
        from[rank - 1 - axes + k] /= MAX (a->size[k], 1);
      return TRUE;
    case NN_OP_SLICE:
      from[axis] = a->begin + at[axis] * a->step;
      return TRUE;
    case NN_OP_REVERSE:
      from[axis] = in->dims[axis] - 1 - at[axis];
      return TRUE;
    case NN_OP_REPEAT_VECTOR:
      from[0] = at[1];
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
nn_infer_built_shape (NnGraphBuilder  *builder,
                      NnNode          *node,
                      GError         **error)
{
  g_autofree const NnNode **inputs = g_new (const NnNode *, node->n_inputs + 1);

  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = nn_graph_builder_node (builder, node->inputs[i]);
  return nn_infer_shape (node, inputs, error);
}
