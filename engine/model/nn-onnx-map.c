/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators along some axes: resizing, padding, reduction, parts. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Copies of its data that a Tile may ask for. */
#define MAX_TILES 4096

gboolean
nn_onnx_read_resize (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  g_autoptr (GArray) scales = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean upsample = g_str_equal (op->op_type, "Upsample"), found = FALSE, last;
  const char *mode = nn_onnx_string (op, "mode", "nearest");
  const char *coordinates = nn_onnx_string (op, "coordinate_transformation_mode", upsample ? "asymmetric" : "half_pixel");
  guint input = upsample || onnx->opset < 11 ? 1 : 2;
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (nn_onnx_attribute (op, "axes") != NULL || nn_onnx_int (op, "antialias", 0) != 0)
    return nn_onnx_unsupported (error, "\"axes\" and \"antialias\" are not supported");
  if (!nn_onnx_numbers (onnx, op, "scales", input, scales, &found) ||
      (!upsample && scales->len == 0 && !nn_onnx_numbers (onnx, op, "sizes", 3, sizes, &found)))
    return nn_onnx_unsupported (error, "its scales must be constant");
  for (guint i = 0; i < sizes->len && sizes->len == value->rank; i++)
    g_array_append_val (scales, (double){ i == value->batch ? 1 : g_array_index (sizes, double, i) / value->dims[i] });
  if (scales->len != value->rank || value->rank < 3 || value->rank > 4 || value->batch != 0)
    return nn_onnx_unsupported (error, "only data of one or two axes with channels are supported");
  for (guint i = 0; i < scales->len; i++)
    {
      double s = g_array_index (scales, double, i);

      if (s < 1 || s != floor (s) || s > 1024 || (i == 0 && s != 1))
        return nn_onnx_unsupported (error, "only whole factors are supported");
    }
  last = g_array_index (scales, double, value->rank - 1) == 1 && g_array_index (scales, double, 1) != 1;
  if (!last && g_array_index (scales, double, 1) != 1)
    return nn_onnx_unsupported (error, "the number of channels may not change");
  if (!g_str_equal (mode, "nearest") && !(g_str_equal (mode, "linear") && g_str_equal (coordinates, "half_pixel")))
    return nn_onnx_unsupported (error, "mode \"%s\" with \"%s\" is not supported; nearest, and linear with half_pixel, are", mode,
                                coordinates);
  if (g_str_equal (mode, "nearest") && !g_str_equal (coordinates, "asymmetric") && !g_str_equal (coordinates, "half_pixel") &&
      !g_str_equal (coordinates, "pytorch_half_pixel"))
    return nn_onnx_unsupported (error, "coordinates \"%s\" are not supported", coordinates);
  if (g_str_equal (coordinates, "asymmetric") && !upsample &&
      !g_str_equal (nn_onnx_string (op, "nearest_mode", "round_prefer_floor"), "floor"))
    return nn_onnx_unsupported (error, "asymmetric coordinates are supported with nearest_mode \"floor\"");
  if (last ? !nn_onnx_natural (onnx, value, error) : !nn_onnx_channels_last (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_UPSAMPLE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.interpolation = g_str_equal (mode, "nearest") ? NN_INTERPOLATION_NEAREST : NN_INTERPOLATION_BILINEAR;
  for (guint i = 0; i + 2 < value->rank; i++)
    node->attrs.size[i] = (gint64) g_array_index (scales, double, last ? i + 1 : i + 2);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[value->at[i]];
  return TRUE;
}

/* From operator set 18 on the axes that are padded may be told; the others have none. */
static gboolean
spread_pads (NnOnnx            *onnx,
             Onnx__NodeProto   *op,
             const NnOnnxValue *value,
             GArray            *pads)
{
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  double all[2 * (NN_MAX_RANK + 1)] = { 0 };
  gboolean found;
  guint axis;

  if (!nn_onnx_numbers (onnx, op, "axes", 3, axes, &found))
    return FALSE;
  if (axes->len == 0)
    return TRUE;
  if (pads->len != 2 * axes->len)
    return FALSE;
  for (guint i = 0; i < axes->len; i++)
    {
      if (!nn_onnx_axis (value, (gint64) g_array_index (axes, double, i), &axis))
        return FALSE;
      all[axis] = g_array_index (pads, double, i);
      all[axis + value->rank] = g_array_index (pads, double, i + axes->len);
    }
  g_array_set_size (pads, 0);
  g_array_append_vals (pads, all, 2 * value->rank);
  return TRUE;
}

gboolean
nn_onnx_read_pad (NnOnnx           *onnx,
                  Onnx__NodeProto  *op,
                  GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  g_autoptr (GArray) pads = g_array_new (FALSE, FALSE, sizeof (double));
  const NnOnnxValue *fill = nn_onnx_input (onnx, op, 2);
  double number = nn_onnx_float (op, "value", 0);
  gboolean found, any = FALSE;
  NnNode *node;
  guint n;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "pads", 1, pads, &found) || !spread_pads (onnx, op, value, pads) || pads->len != 2 * value->rank)
    return nn_onnx_unsupported (error, "its pads must be constant, two for each axis");
  n = value->rank;
  for (guint i = 0; i < pads->len; i++)
    {
      double p = g_array_index (pads, double, i);

      any |= p != 0;
      if (p < 0 || p > G_MAXINT32 || p != floor (p))
        return nn_onnx_unsupported (error, "negative pads are not supported");
    }
  if (!any)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (fill != NULL && fill->constant != NULL && fill->constant->n == 1)
    number = nn_tensor_get (fill->constant, 0);
  if (number != 0 || !g_str_equal (nn_onnx_string (op, "mode", "constant"), "constant"))
    return nn_onnx_unsupported (error, "only zeros are supported");
  if (n < 3 || n > 4 || value->batch != 0 || g_array_index (pads, double, 0) != 0 || g_array_index (pads, double, n) != 0)
    return nn_onnx_unsupported (error, "only the axes of a map are supported");
  if (g_array_index (pads, double, 1) == 0 && g_array_index (pads, double, n + 1) == 0)
    {
      if (!nn_onnx_channels_last (onnx, value, error))
        return FALSE;
    }
  else if (g_array_index (pads, double, n - 1) != 0 || g_array_index (pads, double, 2 * n - 1) != 0)
    return nn_onnx_unsupported (error, "padding of channels is not supported");
  else if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_ZERO_PAD, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  for (guint i = 1; i < n; i++)
    {
      int at = value->at[i - 1];

      if (at > 1)
        continue;
      if (at + 2 < (int) n)
        {
          node->attrs.pad[at][0] = (gint64) g_array_index (pads, double, i);
          node->attrs.pad[at][1] = (gint64) g_array_index (pads, double, i + n);
        }
    }
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[value->at[i]];
  return TRUE;
}

/* ReduceMean, ReduceSum, ReduceMax over axes that lie side by side. */
gboolean
nn_onnx_read_reduce (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found, keep = nn_onnx_int (op, "keepdims", 1) != 0, mark[NN_MAX_RANK + 1] = { FALSE };
  int first = NN_MAX_RANK, last = -1, count = 0;
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || !found || axes->len == 0 || value->batch != 0 ||
      value->order != NULL)
    return nn_onnx_unsupported (error, "its axes must be constant");
  for (guint i = 0; i < axes->len; i++)
    {
      guint axis;
      int at;

      if (!nn_onnx_axis (value, (gint64) g_array_index (axes, double, i), &axis) || axis == 0)
        return nn_onnx_unsupported (error, "its axes are the batch's, or none");
      at = value->at[axis - 1];
      if (at == NN_ONNX_VIRTUAL)
        return nn_onnx_unsupported (error, "its axis has one element");
      mark[axis] = TRUE;
      first = MIN (first, at);
      last = MAX (last, at);
      count++;
    }
  if (last - first + 1 != count)
    return nn_onnx_unsupported (error, "its axes do not lie side by side");
  node = nn_onnx_node (onnx,
                       strstr (op->op_type, "Mean") != NULL  ? NN_OP_REDUCE_MEAN
                       : strstr (op->op_type, "Sum") != NULL ? NN_OP_REDUCE_SUM
                                                             : NN_OP_REDUCE_MAX,
                       nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.axis = first;
  node->attrs.axis2 = last;
  node->attrs.keep_dims = keep;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->rank = 1;
  for (guint i = 1; i < value->rank; i++)
    {
      int at = value->at[i - 1];

      if (mark[i] && !keep)
        continue;
      result->at[result->rank - 1] = keep || at < first ? at : at - count;
      result->dims[result->rank++] = mark[i] ? 1 : value->dims[i];
    }
  return TRUE;
}

/* One range along one axis; @into: (nullable): name of the result. */
static gboolean
add_slice (NnOnnx       *onnx,
           NnOnnxValue  *value,
           guint         axis,
           gint64        begin,
           gint64        end,
           gint64        step,
           const char   *name,
           const char   *type,
           GError      **error)
{
  int at = axis == value->batch ? NN_ONNX_VIRTUAL : value->at[nn_onnx_sample_axis (value, axis)];
  NnOnnxValue *result;
  NnNode *node;

  if (at == NN_ONNX_VIRTUAL || value->order != NULL)
    return nn_onnx_unsupported (error, "a part of this axis cannot be taken");
  node = nn_onnx_node (onnx, NN_OP_SLICE, name, type, &value->node, 1);
  node->attrs.axis = at;
  node->attrs.begin = begin;
  node->attrs.end = end;
  node->attrs.step = step;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
  result->dims[axis] = node->shape.dims[at];
  return TRUE;
}

/* Whether the one range is a whole axis from its end to its beginning. */
static gboolean
reads_backwards (NnOnnx             *onnx,
                 Onnx__NodeProto    *op,
                 const NnOnnxValue  *value,
                 GArray            **lists)
{
  guint axis;
  double begin, end;

  if (lists[0]->len != 1 || lists[2]->len > 1 || value->order != NULL ||
      !nn_onnx_axis (value, lists[2]->len > 0 ? (gint64) g_array_index (lists[2], double, 0) : 0, &axis) || axis == value->batch ||
      value->dims[axis] < 1 || value->at[nn_onnx_sample_axis (value, axis)] == NN_ONNX_VIRTUAL)
    return FALSE;
  begin = g_array_index (lists[0], double, 0);
  end = g_array_index (lists[1], double, 0);
  return (begin == -1 || begin >= value->dims[axis] - 1) && end < -(double) value->dims[axis];
}

static gboolean
add_reverse (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             NnOnnxValue      *value,
             GError          **error)
{
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  NnNode *node = nn_onnx_like (onnx, op, NN_OP_REVERSE, value);
  gboolean found;
  guint axis = 0;

  if (nn_onnx_numbers (onnx, op, "axes", 3, axes, &found) && axes->len > 0)
    nn_onnx_axis (value, (gint64) g_array_index (axes, double, 0), &axis);
  node->attrs.axis = value->at[nn_onnx_sample_axis (value, axis)];
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_read_slice (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  GArray *lists[4];
  static const char *const names[] = { "starts", "ends", "axes", "steps" };
  gboolean found, ok = TRUE, any = FALSE;

  if (value == NULL)
    return FALSE;
  for (guint i = 0; i < 4; i++)
    {
      lists[i] = g_array_new (FALSE, FALSE, sizeof (double));
      ok = ok && nn_onnx_numbers (onnx, op, names[i], i + 1, lists[i], &found);
    }
  ok = ok && lists[0]->len == lists[1]->len && (lists[2]->len == 0 || lists[2]->len == lists[0]->len) &&
       (lists[3]->len == 0 || lists[3]->len == lists[0]->len);
  for (guint i = 0; ok && i < lists[0]->len; i++)
    {
      double begin = g_array_index (lists[0], double, i), end = g_array_index (lists[1], double, i);
      double step = lists[3]->len > 0 ? g_array_index (lists[3], double, i) : 1;
      gint64 extent;
      guint axis;

      if (step == -1 && reads_backwards (onnx, op, value, lists))
        {
          for (guint k = 0; k < 4; k++)
            g_clear_pointer (&lists[k], g_array_unref);
          return add_reverse (onnx, op, value, error);
        }
      if (!nn_onnx_axis (value, lists[2]->len > 0 ? (gint64) g_array_index (lists[2], double, i) : (gint64) i, &axis))
        ok = FALSE;
      extent = ok ? value->dims[axis] : 0;
      if (!ok || step < 1 || extent < 0)
        {
          ok = FALSE;
          break;
        }
      begin = CLAMP (begin < 0 ? begin + extent : begin, 0, extent);
      end = CLAMP (end < 0 ? end + extent : end, 0, extent);
      if (begin == 0 && end == extent && step == 1)
        continue;
      any = TRUE;
      if (!add_slice (onnx, value, axis, (gint64) begin, (gint64) end, (gint64) step, nn_onnx_out (op, 0), op->op_type, error))
        {
          for (guint k = 0; k < 4; k++)
            g_clear_pointer (&lists[k], g_array_unref);
          return FALSE;
        }
      value = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
    }
  for (guint i = 0; i < 4; i++)
    g_clear_pointer (&lists[i], g_array_unref);
  if (!ok)
    return nn_onnx_unsupported (error, "its ranges must be constant and forwards");
  if (!any)
    nn_onnx_alias (onnx, op, value);
  return TRUE;
}

gboolean
nn_onnx_read_split (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 at = 0, each;
  gboolean found;
  guint axis;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_axis (value, nn_onnx_int (op, "axis", 0), &axis) || value->dims[axis] < 1 ||
      !nn_onnx_numbers (onnx, op, "split", 1, sizes, &found) || (found && sizes->len != op->n_output))
    return nn_onnx_unsupported (error, "its parts must be constant");
  each = (value->dims[axis] + (gint64) op->n_output - 1) / (gint64) op->n_output;
  for (guint i = 0; i < op->n_output; i++)
    {
      gint64 n = found ? (gint64) g_array_index (sizes, double, i) : MIN (each, value->dims[axis] - at);

      if (!add_slice (onnx, value, axis, at, at + n, 1, op->output[i], op->op_type, error))
        return FALSE;
      at += n;
    }
  return TRUE;
}

/* Places along an axis that are a range: as a slice. */
static gboolean
gather_range (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              NnOnnxValue      *table,
              const NnTensor   *places,
              GError          **error)
{
  gint64 first, step = 1;
  guint axis;

  if (places->n == 0 || !nn_onnx_axis (table, nn_onnx_int (op, "axis", 0), &axis) || axis == table->batch || table->dims[axis] < 1)
    return nn_onnx_unsupported (error, "its axis is the batch's, or none");
  first = (gint64) nn_tensor_get (places, 0);
  first += first < 0 ? table->dims[axis] : 0;
  if (places->n > 1)
    step = (gint64) nn_tensor_get (places, 1) - (gint64) nn_tensor_get (places, 0);
  for (gsize i = 1; i < places->n; i++)
    if ((gint64) nn_tensor_get (places, i) - (gint64) nn_tensor_get (places, i - 1) != step)
      return nn_onnx_unsupported (error, "its places are no range");
  if (step < 1 || first < 0 || first + step * (gint64) (places->n - 1) >= table->dims[axis])
    return nn_onnx_unsupported (error, "its places are no range within its axis");
  return add_slice (onnx, table, axis, first, first + step * (gint64) (places->n - 1) + 1, step, nn_onnx_out (op, 0), op->op_type, error);
}

/* One place along an axis, or rows of a table. */
gboolean
nn_onnx_read_gather (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *table = nn_onnx_input (onnx, op, 0), *index = nn_onnx_input (onnx, op, 1), *result;
  gint64 k;
  guint axis;
  NnNode *node;

  if (table == NULL || index == NULL)
    return nn_onnx_unsupported (error, "an input is missing");
  if (table->constant != NULL && index->constant == NULL && table->constant->shape.rank == 2 &&
      nn_onnx_int (op, "axis", 0) == 0 && index->batch == 0 && index->rank >= 2)
    {
      if (!nn_onnx_natural (onnx, index, error))
        return FALSE;
      node = nn_onnx_node (onnx, NN_OP_EMBEDDING, nn_onnx_out (op, 0), op->op_type, &index->node, 1);
      node->attrs.units = table->constant->shape.dims[1];
      nn_onnx_weight (onnx, node, NN_ROLE_EMBEDDINGS, "embeddings", nn_onnx_baked (table));
      if (!nn_onnx_finish (onnx, node, error))
        return FALSE;
      result = nn_onnx_result (onnx, nn_onnx_out (op, 0), index);
      result->dims[result->rank] = node->attrs.units;
      result->at[result->rank - 1] = (int) result->rank - 1;
      result->rank++;
      return TRUE;
    }
  if (index->constant != NULL && index->constant->shape.rank == 1 && table->constant == NULL && table->rank > 0)
    return gather_range (onnx, op, table, index->constant, error);
  if (table->constant != NULL || index->constant == NULL || index->constant->n != 1 || index->constant->shape.rank > 0 ||
      !nn_onnx_axis (table, nn_onnx_int (op, "axis", 0), &axis) || axis == table->batch || table->dims[axis] < 1)
    return nn_onnx_unsupported (error, "only one constant place, or rows of a constant table, are supported");
  k = (gint64) nn_tensor_get (index->constant, 0);
  k += k < 0 ? table->dims[axis] : 0;
  {
    g_autofree char *name = g_strdup_printf ("%s__slice", nn_onnx_out (op, 0));
    g_autofree NnOnnxValue *part = NULL;
    NnShape target = { 0 };

    if (!add_slice (onnx, table, axis, k, k + 1, 1, name, op->op_type, error))
      return FALSE;
    part = g_memdup2 (g_hash_table_lookup (onnx->values, name), sizeof *part);
    for (guint i = 0; i < part->rank; i++)
      if (i != part->batch && i != axis)
        target.dims[target.rank++] = part->dims[i];
    if (part->batch != 0 || target.rank == 0)
      return nn_onnx_unsupported (error, "its batch axis is not the first");
    return nn_onnx_reshape (onnx, op, g_hash_table_lookup (onnx->values, name), &target, error);
  }
}

/* The same data several times along one axis. */
gboolean
nn_onnx_read_tile (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  g_autofree guint *inputs = NULL;
  gboolean found;
  guint axis = 0, n = 1;
  NnNode *node;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "repeats", 1, times, &found) || times->len != value->rank)
    return nn_onnx_unsupported (error, "how often it repeats must be constant");
  for (guint i = 0; i < times->len; i++)
    {
      double k = g_array_index (times, double, i);

      if (k == 1)
        continue;
      if (n != 1 || k < 1 || k > MAX_TILES || k != floor (k) || i == value->batch)
        return nn_onnx_unsupported (error, "only up to %d times along one axis besides the batch's are supported", MAX_TILES);
      axis = i;
      n = (guint) k;
    }
  if (n == 1)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  inputs = g_new (guint, n);
  for (guint i = 0; i < n; i++)
    inputs[i] = value->node;
  node = nn_onnx_node (onnx, NN_OP_CONCATENATE, nn_onnx_out (op, 0), op->op_type, inputs, n);
  node->attrs.axis = value->at[nn_onnx_sample_axis (value, axis)];
  if (node->attrs.axis == (int) nn_onnx_shape (onnx, value)->rank - 1)
    node->attrs.axis = -1;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->dims[axis] = value->dims[axis] > 0 ? value->dims[axis] * n : value->dims[axis];
  return TRUE;
}
