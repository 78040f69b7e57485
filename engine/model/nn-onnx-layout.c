/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the axes of an ONNX value lie in what is computed, and how they are brought elsewhere. */

#include "nn-onnx.h"

const NnShape *
nn_onnx_shape (NnOnnx            *onnx,
               const NnOnnxValue *value)
{
  return &nn_graph_builder_node (onnx->builder, value->node)->shape;
}

/* The batch's extent as shapes of the file have it. */
gint64
nn_onnx_batch (const NnOnnxValue *value)
{
  return value->dims[value->batch] > 0 ? value->dims[value->batch] : NN_ONNX_BATCH;
}

/* Axes of the file without the batch's. */
guint
nn_onnx_sample_axis (const NnOnnxValue *value,
                     guint              axis)
{
  return axis < value->batch ? axis : axis - 1;
}

gboolean
nn_onnx_axis (const NnOnnxValue *value,
              gint64             axis,
              guint             *resolved)
{
  guint hidden = value->merged_before + value->merged_after, first = value->batch - value->merged_before;
  gint64 a = axis < 0 ? axis + (gint64) (value->rank - hidden) : axis;
  gboolean known = a >= 0 && a < (gint64) (value->rank - hidden);

  *resolved = 0;
  if (!known)
    return FALSE;
  if (a == (gint64) first)
    a = value->batch;
  else if (a > (gint64) first)
    a += hidden;
  *resolved = (guint) a;
  return TRUE;
}

gboolean
nn_onnx_is_natural (const NnOnnxValue *value)
{
  for (guint i = 0; i + 1 < value->rank; i++)
    if (value->at[i] != (int) i)
      return FALSE;
  return value->order == NULL;
}

static guint
insert (NnOnnx            *onnx,
        const NnOnnxValue *value,
        NnOp               op,
        const char        *suffix)
{
  g_autofree char *name = g_strdup_printf ("%s__%s", value->name, suffix);

  nn_onnx_node (onnx, op, name, NULL, &value->node, 1);
  return nn_graph_builder_n_nodes (onnx->builder) - 1;
}

/* An axis of extent 1 that the computed tensor has and the file does not speak of: of a sum to one number, which keeps one. */
static int
spare_axis (const NnOnnxValue *value,
            const NnShape     *shape)
{
  for (guint k = 0; k < shape->rank; k++)
    {
      gboolean taken = shape->dims[k] != 1;

      for (guint i = 0; i + 1 < value->rank; i++)
        taken = taken || value->at[i] == (int) k;
      if (!taken)
        return (int) k;
    }
  return NN_ONNX_VIRTUAL;
}

/* Gives the computed tensor the axes that it lacks. */
static gboolean
add_axes (NnOnnx       *onnx,
          NnOnnxValue  *value,
          GError      **error)
{
  NnShape shape = *nn_onnx_shape (onnx, value);
  gboolean any = FALSE;
  NnNode *node;

  for (guint i = 0; i + 1 < value->rank; i++)
    if (value->at[i] == NN_ONNX_VIRTUAL)
      {
        value->at[i] = spare_axis (value, &shape);
        if (value->at[i] != NN_ONNX_VIRTUAL)
          continue;
        if (shape.rank == NN_MAX_RANK)
          return nn_load_unsupported (error, "\"%s\" has more than %d axes", value->name, NN_MAX_RANK);
        value->at[i] = (int) shape.rank;
        shape.dims[shape.rank++] = 1;
        any = TRUE;
      }
  if (!any)
    return TRUE;
  value->node = insert (onnx, value, NN_OP_RESHAPE, "reshaped");
  node = nn_graph_builder_node (onnx->builder, value->node);
  node->attrs.target = shape;
  return nn_onnx_finish (onnx, node, error);
}

/* A flattened value in the file's order: unfolded, permuted, flattened again is what a gather by a constant comes to; it
 * is met only where a flattened map goes elsewhere than into a matrix. */
static gboolean
restore_order (NnOnnx       *onnx,
               NnOnnxValue  *value,
               GError      **error)
{
  const NnNode *flat = nn_graph_builder_node (onnx->builder, value->node);

  if (value->order == NULL)
    return TRUE;
  /* back to the node before the flattening, whose axes then go into the file's order: channels first */
  if (flat->op == NN_OP_FLATTEN)
    {
      const NnShape shape = nn_graph_builder_node (onnx->builder, flat->inputs[0])->shape;
      guint input = flat->inputs[0];
      g_autofree char *name = g_strdup_printf ("%s__channels_first", value->name);
      g_autofree char *again = g_strdup_printf ("%s__flattened", value->name);
      NnNode *node = nn_onnx_node (onnx, NN_OP_PERMUTE, name, NULL, &input, 1);

      node->attrs.perm[0] = shape.rank - 1;
      for (guint i = 1; i < shape.rank; i++)
        node->attrs.perm[i] = i - 1;
      if (!nn_onnx_finish (onnx, node, error))
        return FALSE;
      input = nn_graph_builder_n_nodes (onnx->builder) - 1;
      node = nn_onnx_node (onnx, NN_OP_FLATTEN, again, NULL, &input, 1);
      value->node = nn_graph_builder_n_nodes (onnx->builder) - 1;
      g_clear_pointer (&value->order, g_free);
      value->n_order = 0;
      return nn_onnx_finish (onnx, node, error);
    }
  return nn_load_unsupported (error, "\"%s\": a flattened map in the order channels first cannot be used here", value->name);
}

/**
 * nn_onnx_arrange:
 * @wanted: for each sample axis of the file: where it shall lie
 *
 * Puts in a permutation where the value lies otherwise; all later readers profit.
 */
gboolean
nn_onnx_arrange (NnOnnx       *onnx,
                 NnOnnxValue  *value,
                 const int    *wanted,
                 GError      **error)
{
  guint n = value->rank - 1;
  gboolean same = TRUE, moves = FALSE;
  NnNode *node;
  const NnShape *shape;
  gint64 last = -1;

  if (!restore_order (onnx, value, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    same = same && value->at[i] == wanted[i];
  if (same)
    return TRUE;
  if (!add_axes (onnx, value, error))
    return FALSE;
  shape = nn_onnx_shape (onnx, value);
  same = TRUE;
  for (guint i = 0; i < n; i++)
    same = same && value->at[i] == wanted[i];
  if (same)
    return TRUE;
  if (shape->rank != n)
    return nn_load_unsupported (error, "\"%s\": its axes cannot be brought into order", value->name);
  /* where only axes of extent 1 move, it is a reshape */
  for (guint j = 0; j < n; j++)
    for (guint i = 0; i < n; i++)
      if (wanted[i] == (int) j && shape->dims[value->at[i]] != 1)
        {
          moves |= value->at[i] < last;
          last = value->at[i];
        }
  value->node = insert (onnx, value, moves ? NN_OP_PERMUTE : NN_OP_RESHAPE, moves ? "permuted" : "reshaped");
  node = nn_graph_builder_node (onnx->builder, value->node);
  node->attrs.target.rank = moves ? 0 : n;
  for (guint i = 0; i < n; i++)
    {
      if (moves)
        node->attrs.perm[wanted[i]] = (guint) value->at[i];
      else
        node->attrs.target.dims[wanted[i]] = shape->dims[value->at[i]];
      value->at[i] = wanted[i];
    }
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_natural (NnOnnx       *onnx,
                 NnOnnxValue  *value,
                 GError      **error)
{
  int wanted[NN_MAX_RANK + 1];

  for (guint i = 0; i + 1 < value->rank; i++)
    wanted[i] = (int) i;
  return nn_onnx_arrange (onnx, value, wanted, error);
}

/* The file's first sample axis, the channels, last. */
gboolean
nn_onnx_channels_last (NnOnnx       *onnx,
                       NnOnnxValue  *value,
                       GError      **error)
{
  int wanted[NN_MAX_RANK + 1];

  wanted[0] = (int) value->rank - 2;
  for (guint i = 1; i + 1 < value->rank; i++)
    wanted[i] = (int) i - 1;
  return nn_onnx_arrange (onnx, value, wanted, error);
}
