/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether what a project file says about a network holds together: settings of the layers, shapes of their weights. */

#include "nn-project-private.h"

#include "nn-error.h"

/* No axis of a network is longer, so that products of two of them are numbers still. */
#define MAX_EXTENT G_MAXINT32
#define MAX_ELEMENTS ((gsize) 1 << 40)
#define MAX_GARNET 65536 /* its numbers of aggregators, filters and features, whose products must be numbers too */

static gboolean
fail (const NnNode *node,
      const char   *what,
      GError      **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "layer \"%s\" (%s): %s", node->name, node->class_name, what);
  return FALSE;
}

static gboolean
all_within (const gint64 *values,
            guint         n,
            gint64        low)
{
  for (guint i = 0; i < n; i++)
    if (values[i] < low || values[i] > MAX_EXTENT)
      return FALSE;
  return TRUE;
}

static gboolean
check_shape (const NnNode  *node,
             const NnShape *shape,
             GError       **error)
{
  gsize n = 0;

  if (!all_within (shape->dims, shape->rank, NN_DIM_UNKNOWN) ||
      (nn_shape_is_known (shape) && (!nn_shape_size (shape, &n) || n > MAX_ELEMENTS)))
    return fail (node, "its shape is none that a network can have", error);
  return TRUE;
}

static gboolean
check_garnet (const NnGarnet *garnet)
{
  const gint64 sizes[] = { garnet->n_aggregators, garnet->n_filters, garnet->n_propagate };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    if (sizes[i] < 1 || sizes[i] > MAX_GARNET)
      return FALSE;
  return TRUE;
}

/* Before shapes are inferred: that the arithmetic stays within its numbers, and that nothing is missing that is followed. */
gboolean
nn_project_check_node (const NnNode *node,
                       GError      **error)
{
  const NnAttrs *a = &node->attrs;
  gboolean transposed = node->op == NN_OP_CONV1D_TRANSPOSE || node->op == NN_OP_CONV2D_TRANSPOSE;
  guint n_axes = node->op == NN_OP_CONV2D_TRANSPOSE ? 2 : 1;

  if (!check_shape (node, &node->shape, error))
    return FALSE;
  if (!all_within (&a->units, 1, 0) || !all_within (a->kernel, 2, 0) || !all_within (a->stride, 2, 0) ||
      !all_within (a->dilation, 2, 0) || !all_within (&a->groups, 1, 0) || !all_within (&a->depth_multiplier, 1, 0) ||
      !all_within (a->pad[0], 2, -MAX_EXTENT) || !all_within (a->pad[1], 2, -MAX_EXTENT) || !all_within (a->size, 2, 0) ||
      !all_within (a->target.dims, a->target.rank, NN_DIM_UNKNOWN) || !all_within (&a->n_heads, 1, 0) ||
      !all_within (&a->key_dim, 1, 0) || !all_within (&a->value_dim, 1, 0))
    return fail (node, "a size of it is out of range", error);
  if (ABS ((gint64) a->axis) > NN_MAX_RANK || ABS ((gint64) a->axis2) > NN_MAX_RANK)
    return fail (node, "its axis is out of range", error);
  for (guint i = 0; transposed && i < n_axes; i++)
    if (a->kernel[i] < 1 || a->stride[i] < 1)
      return fail (node, "kernel and stride must be positive", error);
  if (node->op == NN_OP_GARNET && !check_garnet (a->extra))
    return fail (node, "a size of it is out of range", error);
  if (node->op == NN_OP_TREE_ENSEMBLE)
    return fail (node, "a project file cannot hold this layer", error);
  if ((node->op == NN_OP_EINSUM || node->op == NN_OP_EINSUM_DENSE) && a->equation == NULL)
    return fail (node, "its equation is missing", error);
  if ((node->op == NN_OP_QUANTIZE || a->act == NN_ACT_QUANTIZED) && a->quantizer == NULL)
    return fail (node, "its quantiser is missing", error);
  return TRUE;
}

gboolean
nn_project_check_type (const NnType *type)
{
  gboolean sized = type->kind == NN_TYPE_FIXED || type->kind == NN_TYPE_POWER;

  /* of width 0: HGQ's element that is always zero */
  return type->width >= 0 && type->width <= NN_TYPE_MAX_WIDTH && (!sized || ABS ((gint64) type->integer) <= 4096) &&
         type->sat_bits >= 0 && type->sat_bits <= NN_TYPE_MAX_WIDTH;
}

/* One weight against what its layer asks for; open extents fit anything. */
static gboolean
check_weight (const NnModel *model,
              const NnNode  *node,
              NnRole         role,
              gboolean       needed,
              const NnShape *want,
              GError       **error)
{
  const NnWeight *w = nn_model_node_weight (model, node, role);
  gboolean fits = w != NULL && w->values->shape.rank == want->rank;
  g_autofree char *wanted = NULL, *given = NULL;

  if (w == NULL)
    return !needed || fail (node, "a weight of it is missing", error);
  for (guint i = 0; fits && i < want->rank; i++)
    fits = want->dims[i] < 0 || w->values->shape.dims[i] == want->dims[i];
  if (fits)
    return TRUE;
  wanted = nn_shape_to_string (want);
  given = nn_shape_to_string (&w->values->shape);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "layer \"%s\" (%s): weight \"%s\" has the shape %s; %s is expected", node->name,
               node->class_name, w->name, given, wanted);
  return FALSE;
}

/* Spatial axes as the layer has them, then two more. */
static NnShape
window (const NnAttrs *a,
        guint          n,
        gboolean       point,
        gint64         in,
        gint64         out)
{
  NnShape shape = { .rank = n + 2 };

  for (guint i = 0; i < n; i++)
    shape.dims[i] = point ? 1 : a->kernel[i];
  shape.dims[n] = in;
  shape.dims[n + 1] = out;
  return shape;
}

/* A batch norm that is folded into the layer, too. */
static gboolean
check_channels (const NnModel *model,
                const NnNode  *node,
                gint64         channels,
                GError       **error)
{
  static const NnRole roles[] = { NN_ROLE_BIAS, NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_MEAN, NN_ROLE_VARIANCE };

  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (!check_weight (model, node, roles[i], FALSE, &NN_SHAPE (channels), error))
      return FALSE;
  return TRUE;
}

static gboolean
check_conv (const NnModel *model,
            const NnNode  *node,
            gint64         in,
            guint          n,
            GError       **error)
{
  const NnAttrs *a = &node->attrs;
  gint64 groups = MAX (a->groups, 1), middle = in < 0 ? in : in * MAX (a->depth_multiplier, 1);
  NnShape shape;

  switch (node->op)
    {
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
      shape = window (a, n, FALSE, a->units, in);
      break;
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
      shape = window (a, n, FALSE, in, MAX (a->depth_multiplier, 1));
      return check_weight (model, node, NN_ROLE_KERNEL, TRUE, &shape, error) && check_channels (model, node, middle, error);
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_SEPARABLE_CONV2D:
      shape = window (a, n, FALSE, in, MAX (a->depth_multiplier, 1));
      if (!check_weight (model, node, NN_ROLE_DEPTHWISE_KERNEL, TRUE, &shape, error))
        return FALSE;
      shape = window (a, n, TRUE, middle, a->units);
      return check_weight (model, node, NN_ROLE_POINTWISE_KERNEL, TRUE, &shape, error) &&
             check_channels (model, node, a->units, error);
    default:
      if (in > 0 && (in % groups != 0 || a->units % groups != 0))
        return fail (node, "its groups do not divide its channels", error);
      shape = window (a, n, FALSE, in < 0 ? in : in / groups, a->units);
      break;
    }
  return check_weight (model, node, NN_ROLE_KERNEL, TRUE, &shape, error) && check_channels (model, node, a->units, error);
}

static gboolean
check_recurrent (const NnModel *model,
                 const NnNode  *node,
                 gint64         in,
                 GError       **error)
{
  const NnAttrs *a = &node->attrs;
  gint64 gates = a->units * (node->op == NN_OP_LSTM ? 4 : node->op == NN_OP_GRU ? 3 : 1);
  NnShape bias = node->op == NN_OP_GRU && a->reset_after ? NN_SHAPE (2, gates) : NN_SHAPE (gates);

  return check_weight (model, node, NN_ROLE_KERNEL, TRUE, &NN_SHAPE (in, gates), error) &&
         check_weight (model, node, NN_ROLE_RECURRENT_KERNEL, TRUE, &NN_SHAPE (a->units, gates), error) &&
         check_weight (model, node, NN_ROLE_BIAS, FALSE, &bias, error);
}

/* Factors of a normalisation or a scale: one, one a channel of some axis, or one an element. */
static gboolean
check_factors (const NnModel *model,
               const NnNode  *node,
               const NnShape *in,
               GError       **error)
{
  for (guint k = 0; k < node->n_weights; k++)
    {
      const NnWeight *w = nn_model_weight (model, node->weights[k]);
      gsize n = 0;
      gboolean fits = w->values->n == 1 || !nn_shape_is_known (in) || (nn_shape_size (in, &n) && n == w->values->n);

      for (guint i = 0; !fits && i < in->rank; i++)
        fits = in->dims[i] == (gint64) w->values->n;
      if (!fits)
        return fail (node, "its weights do not fit its input", error);
    }
  return TRUE;
}

static gboolean
check_prelu (const NnModel *model,
             const NnNode  *node,
             const NnShape *in,
             GError       **error)
{
  const NnWeight *w = nn_model_node_weight (model, node, NN_ROLE_ALPHA);
  const NnShape *alpha = w != NULL ? &w->values->shape : NULL;

  if (alpha == NULL || alpha->rank > in->rank)
    return fail (node, "its slopes are missing or have too many axes", error);
  for (guint i = 0; i < alpha->rank; i++)
    if (alpha->dims[i] != 1 && in->dims[in->rank - alpha->rank + i] >= 0 && alpha->dims[i] != in->dims[in->rank - alpha->rank + i])
      return fail (node, "its slopes do not fit its input", error);
  return TRUE;
}

static const NnTensor *
find_by_name (const NnModel *model,
              const NnNode  *node,
              const char    *name)
{
  for (guint k = 0; k < node->n_weights; k++)
    if (g_strcmp0 (nn_model_weight (model, node->weights[k])->name, name) == 0)
      return nn_model_weight (model, node->weights[k])->values;
  return NULL;
}

/* The three matrices of a GarNet, by name. Sizes: NnGarnet. */
static gboolean
check_garnet_weights (const NnModel *model,
                      const NnNode  *node,
                      const NnShape *in,
                      GError       **error)
{
  static const char *const stems[] = { "FLR", "S", "Fout" };
  const NnGarnet *g = node->attrs.extra;
  const gint64 carried = g->n_propagate + (g->simplified ? 0 : g->n_aggregators), to[] = { g->n_propagate, g->n_aggregators, g->n_filters };
  gint64 from[3];

  if (node->n_inputs != 2 || in == NULL || in->rank != 2 || in->dims[1] < 1 || in->dims[1] > MAX_GARNET)
    return fail (node, "its inputs are not the vertices and their number", error);
  from[0] = from[1] = in->dims[1];
  from[2] = g->n_aggregators * carried * (g->simplified ? 1 : 2) + (g->simplified ? 0 : in->dims[1] + g->n_aggregators);
  for (guint i = 0; i < G_N_ELEMENTS (stems); i++)
    {
      g_autofree char *kernel_name = g_strconcat (stems[i], g->part, "_kernel", NULL), *bias_name = g_strconcat (stems[i], g->part, "_bias", NULL);
      const NnTensor *kernel = find_by_name (model, node, kernel_name), *bias = find_by_name (model, node, bias_name);

      if (kernel == NULL || kernel->n != (gsize) (from[i] * to[i]) || (bias != NULL && bias->n != (gsize) to[i]))
        return fail (node, "a weight of it is missing or does not fit", error);
    }
  return TRUE;
}

static gboolean
check_weights (const NnModel *model,
               const NnNode  *node,
               GError       **error)
{
  const NnNode *input = node->n_inputs > 0 ? nn_graph_node (nn_model_graph (model), node->inputs[0]) : NULL;
  const NnShape *shape = input != NULL ? &input->shape : NULL;
  gint64 in = shape != NULL ? nn_shape_last (shape) : 0;

  switch (node->op)
    {
    case NN_OP_CONSTANT:
      return check_weight (model, node, NN_ROLE_VALUE, TRUE, &node->shape, error);
    case NN_OP_DENSE:
      return check_weight (model, node, NN_ROLE_KERNEL, TRUE, &NN_SHAPE (in, node->attrs.units), error) &&
             check_channels (model, node, node->attrs.units, error);
    case NN_OP_CONV1D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_SEPARABLE_CONV1D:
      return check_conv (model, node, in, 1, error);
    case NN_OP_CONV2D:
    case NN_OP_CONV2D_TRANSPOSE:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV2D:
      return check_conv (model, node, in, 2, error);
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      return check_recurrent (model, node, in, error);
    case NN_OP_BATCH_NORM:
    case NN_OP_LAYER_NORM:
    case NN_OP_SCALE:
      return check_factors (model, node, shape, error);
    case NN_OP_PRELU:
      return check_prelu (model, node, shape, error);
    case NN_OP_EMBEDDING:
      return check_weight (model, node, NN_ROLE_EMBEDDINGS, TRUE, &NN_SHAPE (NN_DIM_UNKNOWN, node->attrs.units), error);
    case NN_OP_GARNET:
      return check_garnet_weights (model, node, shape, error);
    case NN_OP_EINSUM_DENSE:
      return nn_model_node_weight (model, node, NN_ROLE_KERNEL) != NULL || fail (node, "its kernel is missing", error);
    default:
      return TRUE;
    }
}

/**
 * nn_project_check_model:
 *
 * Errors: %NN_ERROR_FORMAT; the message names the layer
 */
gboolean
nn_project_check_model (const NnModel *model,
                        GError       **error)
{
  NnGraph *graph = nn_model_graph (model);
  guint n_outputs;

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    if (!check_shape (nn_graph_node (graph, i), &nn_graph_node (graph, i)->shape, error) ||
        !check_weights (model, nn_graph_node (graph, i), error))
      return FALSE;
  nn_graph_outputs (graph, &n_outputs);
  if (n_outputs == 0)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the project's network has no output");
  return n_outputs > 0;
}
