/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes on the shape of the graph: layers taken out, split, padded. */

#include "nn-passes-private.h"

#include "nn-infer-shape.h"

static gboolean
remove_dropout (NnRewrite *rewrite,
                guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);

  if (node->op != NN_OP_DROPOUT)
    return FALSE;
  rewrite->map[i] = rewrite->map[node->inputs[0]];
  return TRUE;
}

NnModel *
nn_pass_remove_dropout (const NnModel   *model,
                        const NnConfig  *config,
                        GError         **error)
{
  return nn_rewrite_run (model, config, remove_dropout, error);
}

static gboolean
is_output (const NnGraph *graph,
           guint          i)
{
  guint n;
  const guint *outputs = nn_graph_outputs (graph, &n);

  for (guint k = 0; k < n; k++)
    if (outputs[k] == i)
      return TRUE;
  return FALSE;
}

/* An input cannot be an output at once, so its activation stays. */
static gboolean
remove_linear (NnRewrite *rewrite,
               guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnNode *input;

  if (node->op != NN_OP_ACTIVATION || node->attrs.act != NN_ACT_LINEAR || node->attrs.quantizer != NULL)
    return FALSE;
  input = nn_graph_node (rewrite->graph, node->inputs[0]);
  if (input->op == NN_OP_INPUT && is_output (rewrite->graph, i))
    return FALSE;
  rewrite->map[i] = rewrite->map[node->inputs[0]];
  return TRUE;
}

NnModel *
nn_pass_remove_linear (const NnModel   *model,
                       const NnConfig  *config,
                       GError         **error)
{
  return nn_rewrite_run (model, config, remove_linear, error);
}

static gboolean
transposes_cancel (const NnNode *first,
                   const NnNode *second)
{
  for (guint d = 0; d < second->shape.rank; d++)
    if (first->attrs.perm[second->attrs.perm[d]] != d)
      return FALSE;
  return TRUE;
}

static gboolean
is_identity (const NnNode *node)
{
  for (guint d = 0; d < node->shape.rank; d++)
    if (node->attrs.perm[d] != d)
      return FALSE;
  return TRUE;
}

static gboolean
cancel_transpose (NnRewrite *rewrite,
                  guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnNode *input;

  if (node->op != NN_OP_PERMUTE)
    return FALSE;
  input = nn_graph_node (rewrite->graph, node->inputs[0]);
  if (is_output (rewrite->graph, i))
    return FALSE;
  if (is_identity (node))
    rewrite->map[i] = rewrite->map[node->inputs[0]];
  else if (input->op == NN_OP_PERMUTE && transposes_cancel (input, node))
    rewrite->map[i] = rewrite->map[input->inputs[0]];
  else
    return FALSE;
  return TRUE;
}

/* A transposition that nobody reads any more is left out by the second run. */
static gboolean
drop_unread_transpose (NnRewrite *rewrite,
                       guint      i)
{
  guint n;

  if (nn_graph_node (rewrite->graph, i)->op != NN_OP_PERMUTE || is_output (rewrite->graph, i))
    return FALSE;
  nn_graph_consumers (rewrite->graph, i, &n);
  return n == 0;
}

NnModel *
nn_pass_cancel_transposes (const NnModel   *model,
                           const NnConfig  *config,
                           GError         **error)
{
  g_autoptr (NnModel) cancelled = nn_rewrite_run (model, config, cancel_transpose, error);

  return cancelled != NULL ? nn_rewrite_run (cancelled, config, drop_unread_transpose, error) : NULL;
}

static gboolean
dense_to_pointwise (NnRewrite *rewrite,
                    guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnWeight *kernel = nn_model_node_weight (rewrite->model, node, NN_ROLE_KERNEL);
  NnShape shape;
  NnTensor *values;
  NnNode *copy;

  if (node->op != NN_OP_DENSE || kernel == NULL || kernel->values->shape.rank != 2 ||
      (node->shape.rank != 2 && node->shape.rank != 3))
    return FALSE;
  copy = nn_rewrite_copy (rewrite, i);
  copy->op = node->shape.rank == 2 ? NN_OP_CONV1D : NN_OP_CONV2D;
  copy->class_name = node->shape.rank == 2 ? "PointwiseConv1D" : "PointwiseConv2D";
  copy->attrs.padding = NN_PADDING_VALID;
  copy->attrs.groups = 1;
  for (guint d = 0; d < 2; d++)
    copy->attrs.kernel[d] = copy->attrs.stride[d] = copy->attrs.dilation[d] = 1;
  shape = node->shape.rank == 2 ? NN_SHAPE (1, kernel->values->shape.dims[0], kernel->values->shape.dims[1])
                                : NN_SHAPE (1, 1, kernel->values->shape.dims[0], kernel->values->shape.dims[1]);
  values = nn_tensor_copy (kernel->values);
  values->shape = shape;
  if (kernel->mask != NULL)
    {
      NnTensor *mask = nn_tensor_copy (kernel->mask);

      mask->shape = shape;
      g_ptr_array_add (rewrite->tensors, mask);
      nn_rewrite_set_weight (rewrite, copy, NN_ROLE_KERNEL,
                             nn_rewrite_weight (rewrite, node->name, kernel->name, NN_ROLE_KERNEL, values, mask));
    }
  else
    nn_rewrite_set_weight (rewrite, copy, NN_ROLE_KERNEL,
                           nn_rewrite_weight (rewrite, node->name, kernel->name, NN_ROLE_KERNEL, values, NULL));
  return TRUE;
}

NnModel *
nn_pass_dense_to_pointwise (const NnModel   *model,
                            const NnConfig  *config,
                            GError         **error)
{
  return nn_rewrite_run (model, config, dense_to_pointwise, error);
}

static void
give_weight (NnRewrite    *rewrite,
             const NnNode *from,
             NnRole        role,
             NnNode       *to,
             NnRole        new_role)
{
  const NnWeight *weight = nn_model_node_weight (rewrite->model, from, role);

  if (weight == NULL)
    return;
  nn_rewrite_set_weight (rewrite, to, new_role,
                         nn_rewrite_weight (rewrite, to->name, weight->name, new_role, nn_tensor_ref (weight->values), weight->mask));
  to->attrs.role_quantizer[new_role] = nn_graph_builder_quantizer (rewrite->builder, from->attrs.role_quantizer[role]);
}

static gboolean
split_separable (NnRewrite *rewrite,
                 guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  gboolean flat = node->op == NN_OP_SEPARABLE_CONV1D;
  g_autofree char *depthwise = g_strconcat (node->name, "_depthwise", NULL);
  g_autofree char *pointwise = g_strconcat (node->name, "_pointwise", NULL);
  NnNode *first, *second;
  guint index;

  if (!flat && node->op != NN_OP_SEPARABLE_CONV2D)
    return FALSE;
  first = nn_rewrite_add (rewrite, flat ? NN_OP_DEPTHWISE_CONV1D : NN_OP_DEPTHWISE_CONV2D, nn_rewrite_name (rewrite, depthwise),
                          flat ? "DepthwiseConv1D" : "DepthwiseConv2D", rewrite->map[node->inputs[0]], node, &index);
  first->attrs = node->attrs;
  first->attrs.act = NN_ACT_LINEAR;
  first->attrs.quantizer = NULL;
  first->attrs.use_bias = FALSE;
  for (guint role = 0; role < NN_N_ROLES; role++)
    first->attrs.role_quantizer[role] = NULL;
  give_weight (rewrite, node, NN_ROLE_DEPTHWISE_KERNEL, first, NN_ROLE_KERNEL);
  second = nn_rewrite_add (rewrite, flat ? NN_OP_CONV1D : NN_OP_CONV2D, nn_rewrite_name (rewrite, pointwise),
                           flat ? "PointwiseConv1D" : "PointwiseConv2D", index, node, &rewrite->map[i]);
  second->attrs = node->attrs;
  second->attrs.quantizer = nn_graph_builder_quantizer (rewrite->builder, node->attrs.quantizer);
  second->attrs.padding = NN_PADDING_VALID;
  second->attrs.groups = 1;
  for (guint d = 0; d < 2; d++)
    second->attrs.kernel[d] = second->attrs.stride[d] = second->attrs.dilation[d] = 1;
  for (guint role = 0; role < NN_N_ROLES; role++)
    second->attrs.role_quantizer[role] = NULL;
  give_weight (rewrite, node, NN_ROLE_POINTWISE_KERNEL, second, NN_ROLE_KERNEL);
  give_weight (rewrite, node, NN_ROLE_BIAS, second, NN_ROLE_BIAS);
  return TRUE;
}

NnModel *
nn_pass_split_separable (const NnModel   *model,
                         const NnConfig  *config,
                         GError         **error)
{
  return nn_rewrite_run (model, config, split_separable, error);
}

static guint
spatial_axes (NnOp op)
{
  switch (op)
    {
    case NN_OP_CONV1D:
    case NN_OP_DEPTHWISE_CONV1D:
      return 1;
    case NN_OP_CONV2D:
    case NN_OP_DEPTHWISE_CONV2D:
      return 2;
    default:
      return 0;
    }
}

/* Streams carry one pixel after the other, so that padding has to be put into them by a layer. */
static gboolean
insert_zero_padding (NnRewrite *rewrite,
                     guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i), *input;
  guint axes = spatial_axes (node->op), old = 0, rank;
  g_autofree char *wanted = NULL;
  gint64 pad[2][2] = { { 0 } };
  gboolean any = FALSE;
  NnNode *zeros, *copy;

  if (axes == 0 || rewrite->config == NULL || nn_config_io_type (rewrite->config) != NN_IO_STREAM)
    return FALSE;
  input = nn_graph_node (rewrite->graph, node->inputs[0]);
  rank = input->shape.rank;
  for (guint d = 0; d < axes; d++)
    {
      nn_window_pads (input->shape.dims[rank - 1 - axes + d], node->attrs.kernel[d], node->attrs.stride[d],
                      MAX (node->attrs.dilation[d], 1), node->attrs.padding, node->attrs.pad[d], &pad[d][0], &pad[d][1]);
      any |= pad[d][0] > 0 || pad[d][1] > 0;
    }
  if (!any)
    return FALSE;
  wanted = g_strdup_printf ("zp%ud_%s", axes, node->name);
  zeros = nn_rewrite_add (rewrite, NN_OP_ZERO_PAD, nn_rewrite_name (rewrite, wanted),
                          axes == 1 ? "ZeroPadding1D" : "ZeroPadding2D", rewrite->map[node->inputs[0]], node, &old);
  for (guint d = 0; d < axes; d++)
    for (guint side = 0; side < 2; side++)
      zeros->attrs.pad[d][side] = pad[d][side];
  copy = nn_graph_builder_add_copy (rewrite->builder, node, &old, 1);
  copy->attrs.padding = NN_PADDING_VALID;
  rewrite->map[i] = nn_graph_builder_n_nodes (rewrite->builder) - 1;
  return TRUE;
}

NnModel *
nn_pass_insert_zero_padding (const NnModel   *model,
                             const NnConfig  *config,
                             GError         **error)
{
  return nn_rewrite_run (model, config, insert_zero_padding, error);
}
