/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators along some axes: resizing, padding, reduction, parts. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Copies of its data that a Tile may ask for. */
#define MAX_TILES 4096
/* Elements of an axis that is padded by parts. */
#define MAX_PADDED 65536

/* Whether it is what an upsampling layer does: whole factors, nearest or linear, the channels left alone. */
static gboolean
is_upsampling (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               const GArray     *scales,
               guint             rank,
               gboolean          last)
{
  gboolean upsample = g_str_equal (op->op_type, "Upsample"), old = upsample || onnx->opset < 11;
  const char *mode = nn_onnx_string (op, "mode", "nearest");
  const char *coordinates = nn_onnx_string (op, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const char *rounding = nn_onnx_string (op, "nearest_mode", old ? "floor" : "round_prefer_floor");

  for (guint i = 0; i < scales->len; i++)
    {
      double s = g_array_index (scales, double, i);

      if (s < 1 || s != floor (s) || s > 1024 || (i == 0 && s != 1))
        return FALSE;
    }
  if (!last && g_array_index (scales, double, 1) != 1)
    return FALSE;
  if (g_str_equal (mode, "linear"))
    return g_str_equal (coordinates, "half_pixel") || g_str_equal (coordinates, "pytorch_half_pixel");
  return g_str_equal (mode, "nearest") && (g_str_equal (coordinates, "asymmetric") ? g_str_equal (rounding, "floor")
                                           : g_str_equal (coordinates, "half_pixel") || g_str_equal (coordinates, "pytorch_half_pixel"));
}

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
  last = g_array_index (scales, double, value->rank - 1) == 1 && g_array_index (scales, double, 1) != 1;
  if (!is_upsampling (onnx, op, scales, value->rank, last))
    return nn_onnx_resize_by_matrix (onnx, op, value, scales, sizes, error);
  if (last ? !nn_onnx_natural (onnx, value, error) : !nn_onnx_channels_last (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_UPSAMPLE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.interpolation = g_str_equal (mode, "nearest") ? NN_INTERPOLATION_NEAREST : NN_INTERPOLATION_BILINEAR;
  for (guint i = 0; i + 2 < value->rank; i++)
    node->attrs.size[i] = nn_onnx_whole (g_array_index (scales, double, last ? i + 1 : i + 2));
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
      if (!nn_onnx_axis (value, nn_onnx_whole (g_array_index (axes, double, i)), &axis))
        return FALSE;
      all[axis] = g_array_index (pads, double, i);
      all[axis + value->rank] = g_array_index (pads, double, i + axes->len);
    }
  g_array_set_size (pads, 0);
  g_array_append_vals (pads, all, 2 * value->rank);
  return TRUE;
}

/* Which element of the axis stands at place @i before or after it. Source: ONNX, Pad, its modes. */
static gint64
padded_place (const char *mode,
              gint64      i,
              gint64      extent)
{
  if (g_str_equal (mode, "edge"))
    return CLAMP (i, 0, extent - 1);
  if (g_str_equal (mode, "wrap"))
    return (i % extent + extent) % extent;
  /* reflect: the edge itself does not stand twice */
  for (guint turns = 0; (i < 0 || i >= extent) && turns < 64 && extent > 1; turns++)
    i = i < 0 ? -i : 2 * (extent - 1) - i;
  return CLAMP (i, 0, extent - 1);
}

/* Any other padding, axis by axis: parts of the data again, or constants, put beside it. */
static gboolean
pad_by_parts (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              NnOnnxValue      *value,
              const GArray     *pads,
              double            number,
              GError          **error)
{
  const char *mode = nn_onnx_string (op, "mode", "constant");
  gboolean constant = g_str_equal (mode, "constant");
  const char *name = op->input[0];

  if (!constant && !g_str_equal (mode, "edge") && !g_str_equal (mode, "wrap") && !g_str_equal (mode, "reflect"))
    return nn_onnx_unsupported (error, "mode \"%s\" is not supported; constant, reflect, edge and wrap are", mode);
  for (guint axis = 0, n = value->rank; axis < n; axis++)
    {
      gint64 before = nn_onnx_whole (g_array_index (pads, double, axis)), after = nn_onnx_whole (g_array_index (pads, double, axis + n));
      gint64 extent = value->dims[axis], from = constant ? MAX (-before, 0) : -before, to = constant ? extent + MIN (after, 0) : extent + after;
      g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (gint64));
      g_autofree char *next = g_strdup_printf ("%s__axis_%u", nn_onnx_out (op, 0), axis);

      if (before == 0 && after == 0)
        continue;
      if (extent < 1 || from >= to || to - from > MAX_PADDED)
        return nn_onnx_unsupported (error, "its pads leave nothing of an axis, or more than %d elements", MAX_PADDED);
      for (gint64 i = from; i < to; i++)
        g_array_append_val (places, (gint64){ padded_place (mode, i, extent) });
      if (!nn_onnx_pick (onnx, op, next, value, axis, (const gint64 *) (gpointer) places->data, places->len, error))
        return FALSE;
      value = g_hash_table_lookup (onnx->values, next);
      name = value->name;
      if (constant && (before > 0 || after > 0))
        {
          g_autofree char *wide = g_strdup_printf ("%s__axis_%u_wide", nn_onnx_out (op, 0), axis);

          if (!nn_onnx_put_beside (onnx, op, wide, name, axis, MAX (before, 0), MAX (after, 0), number, error))
            return FALSE;
          value = g_hash_table_lookup (onnx->values, wide);
          name = value->name;
        }
    }
  return nn_onnx_run (onnx, "Identity", nn_onnx_out (op, 0), name, NULL, error);
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
  gboolean found, any = FALSE, negative = FALSE, last;
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
      if (p > G_MAXINT32 || p < -G_MAXINT32 || p != floor (p) || (p != 0 && i % n == value->batch))
        return nn_onnx_unsupported (error, "its pads must be whole numbers, and none the batch's");
      negative |= p < 0;
    }
  if (!any)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (fill != NULL && fill->constant != NULL && fill->constant->n == 1)
    number = nn_tensor_get (fill->constant, 0);
  last = g_array_index (pads, double, 1) != 0 || g_array_index (pads, double, n + 1) != 0;
  if (number != 0 || negative || !g_str_equal (nn_onnx_string (op, "mode", "constant"), "constant") || n < 3 || n > 4 || value->batch != 0 ||
      (last && (g_array_index (pads, double, n - 1) != 0 || g_array_index (pads, double, 2 * n - 1) != 0)))
    return pad_by_parts (onnx, op, value, pads, number, error);
  if (last ? !nn_onnx_natural (onnx, value, error) : !nn_onnx_channels_last (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_ZERO_PAD, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  for (guint i = 1; i < n; i++)
    {
      int at = value->at[i - 1];

      if (at > 1)
        continue;
      if (at + 2 < (int) n)
        {
          node->attrs.pad[at][0] = nn_onnx_whole (g_array_index (pads, double, i));
          node->attrs.pad[at][1] = nn_onnx_whole (g_array_index (pads, double, i + n));
        }
    }
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < node->shape.rank; i++)
    result->dims[i + 1] = node->shape.dims[value->at[i]];
  return TRUE;
}

/* The axes that are reduced lie last, the others in the file's order before them. */
static gboolean
gather_reduced (NnOnnx            *onnx,
                NnOnnxValue       *value,
                const gboolean    *mark,
                GError           **error)
{
  int wanted[NN_MAX_RANK + 1], kept = 0, reduced = 0;

  for (guint i = 0; i < value->rank; i++)
    kept += i != value->batch && !mark[i];
  reduced = kept;
  kept = 0;
  for (guint i = 0; i < value->rank; i++)
    if (i != value->batch)
      wanted[nn_onnx_sample_axis (value, i)] = mark[i] ? reduced++ : kept++;
  return nn_onnx_arrange (onnx, value, wanted, error);
}

/* Where the reduced axes lie; whether they lie side by side. */
static gboolean
reduced_range (const NnOnnxValue *value,
               const gboolean    *mark,
               int               *first,
               int               *last,
               int               *count)
{
  *first = NN_MAX_RANK;
  *last = -1;
  *count = 0;
  for (guint i = 0; i < value->rank; i++)
    if (mark[i])
      {
        int at = value->at[nn_onnx_sample_axis (value, i)];

        if (at == NN_ONNX_VIRTUAL)
          return FALSE;
        *first = MIN (*first, at);
        *last = MAX (*last, at);
        (*count)++;
      }
  return *last - *first + 1 == *count;
}

/* ReduceMean, ReduceSum, ReduceMax. */
gboolean
nn_onnx_read_reduce (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found, keep = nn_onnx_int (op, "keepdims", 1) != 0, mark[NN_MAX_RANK + 1] = { FALSE }, alone;
  int first, last, count;
  guint to = 0;
  NnNode *node;

  if (value == NULL || (value->order != NULL && !nn_onnx_natural (onnx, value, error)))
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found))
    return nn_onnx_unsupported (error, "its axes must be constant");
  if (axes->len == 0)
    return nn_onnx_unsupported (error, "its axes must be told, for the batch's is none of them");
  for (guint i = 0; i < axes->len; i++)
    {
      guint axis;

      if (!nn_onnx_axis (value, nn_onnx_whole (g_array_index (axes, double, i)), &axis) || axis == value->batch)
        return nn_onnx_unsupported (error, "its axes are the batch's, or none");
      mark[axis] = TRUE;
    }
  if (!reduced_range (value, mark, &first, &last, &count) &&
      (!gather_reduced (onnx, value, mark, error) || !reduced_range (value, mark, &first, &last, &count)))
    return error != NULL && *error != NULL ? FALSE : nn_onnx_unsupported (error, "its axes do not lie side by side");
  alone = !keep && count == (int) value->rank - 1; /* one number: the computed sample keeps one axis of one element */
  node = nn_onnx_node (onnx,
                       strstr (op->op_type, "Mean") != NULL  ? NN_OP_REDUCE_MEAN
                       : strstr (op->op_type, "Sum") != NULL ? NN_OP_REDUCE_SUM
                                                             : NN_OP_REDUCE_MAX,
                       nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.axis = first;
  node->attrs.axis2 = last;
  node->attrs.keep_dims = keep || alone;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->rank = 0;
  for (guint i = 0; i < value->rank; i++)
    {
      int at = i != value->batch ? value->at[nn_onnx_sample_axis (value, i)] : 0;

      if (mark[i] && !keep)
        continue;
      if (i == value->batch)
        result->batch = result->rank;
      else
        result->at[to++] = keep || at < first ? at : at - count;
      result->dims[result->rank++] = mark[i] ? 1 : value->dims[i];
    }
  return TRUE;
}

/* One range along one axis; @into: (nullable): name of the result. */
gboolean
nn_onnx_slice (NnOnnx       *onnx,
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

  if (axis != value->batch && (at == NN_ONNX_VIRTUAL || value->order != NULL))
    {
      if (!nn_onnx_natural (onnx, value, error))
        return FALSE;
      at = value->at[nn_onnx_sample_axis (value, axis)];
    }
  if (axis == value->batch || value->merged_before || value->merged_after)
    return nn_onnx_unsupported (error, "a part of the batch cannot be taken");
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

/* A range from the end to the beginning: a reversed axis where it is all of it, otherwise element by element. */
static gboolean
slice_backwards (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 NnOnnxValue      *value,
                 guint             axis,
                 double            begin,
                 double            end,
                 gint64            step,
                 GError          **error)
{
  gint64 extent = value->dims[axis], first, last;
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (gint64));
  NnNode *node;

  first = (gint64) CLAMP (begin < 0 ? begin + extent : begin, -1, extent - 1);
  last = (gint64) CLAMP (end < 0 ? end + extent : end, -1, extent - 1);
  if (step == -1 && first == extent - 1 && last == -1 && value->order == NULL && axis != value->batch &&
      value->at[nn_onnx_sample_axis (value, axis)] != NN_ONNX_VIRTUAL)
    {
      node = nn_onnx_like (onnx, op, NN_OP_REVERSE, value);
      node->attrs.axis = value->at[nn_onnx_sample_axis (value, axis)];
      return nn_onnx_finish (onnx, node, error);
    }
  for (gint64 i = first; i > last; i += step)
    g_array_append_val (places, i);
  return nn_onnx_pick (onnx, op, nn_onnx_out (op, 0), value, axis, (const gint64 *) (gpointer) places->data, places->len, error);
}

gboolean
nn_onnx_read_slice (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  GArray *lists[4];
  static const char *const names[] = { "starts", "ends", "axes", "steps" };
  gboolean found, ok = TRUE, any = FALSE, failed = FALSE;

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

      if (!nn_onnx_axis (value, lists[2]->len > 0 ? nn_onnx_whole (g_array_index (lists[2], double, i)) : (gint64) i, &axis))
        ok = FALSE;
      extent = ok ? value->dims[axis] : 0;
      if (!ok || step == 0 || step != floor (step) || extent < 0)
        {
          ok = FALSE;
          break;
        }
      if (step < 0)
        {
          any = TRUE;
          failed = !slice_backwards (onnx, op, value, axis, begin, end, (gint64) step, error);
          if (failed)
            break;
          value = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
          continue;
        }
      begin = CLAMP (begin < 0 ? begin + extent : begin, 0, extent);
      end = CLAMP (end < 0 ? end + extent : end, 0, extent);
      if (begin == 0 && end == extent && step == 1)
        continue;
      any = TRUE;
      failed = !nn_onnx_slice (onnx, value, axis, (gint64) begin, (gint64) end, (gint64) step, nn_onnx_out (op, 0), op->op_type, error);
      if (failed)
        break;
      value = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
    }
  for (guint i = 0; i < 4; i++)
    g_clear_pointer (&lists[i], g_array_unref);
  if (failed)
    return FALSE;
  if (!ok)
    return nn_onnx_unsupported (error, "its ranges must be constant");
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
      gint64 n = found ? nn_onnx_whole (g_array_index (sizes, double, i)) : MIN (each, value->dims[axis] - at);

      if (!nn_onnx_slice (onnx, value, axis, at, at + n, 1, op->output[i], op->op_type, error))
        return FALSE;
      at += n;
    }
  return TRUE;
}

/* Places along an axis; one without an axis of its own takes the axis away. */
static gboolean
gather_places (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               NnOnnxValue      *table,
               const NnTensor   *places,
               GError          **error)
{
  g_autofree gint64 *wanted = g_new (gint64, places->n + 1);
  g_autofree char *name = NULL;
  const NnOnnxValue *part;
  gint64 dims[2 * NN_MAX_RANK + 1];
  guint axis, n = 0;

  if (!nn_onnx_axis (table, nn_onnx_int (op, "axis", 0), &axis) || axis == table->batch || table->dims[axis] < 1 || places->n == 0)
    return nn_onnx_unsupported (error, "its axis is the batch's, or none");
  for (gsize i = 0; i < places->n; i++)
    {
      wanted[i] = nn_onnx_whole (nn_tensor_get (places, i));
      wanted[i] += wanted[i] < 0 ? table->dims[axis] : 0;
    }
  if (table->order != NULL && !nn_onnx_natural (onnx, table, error))
    return FALSE;
  if (places->shape.rank == 1)
    return nn_onnx_pick (onnx, op, nn_onnx_out (op, 0), table, axis, wanted, places->n, error);
  name = g_strdup_printf ("%s__slice", nn_onnx_out (op, 0));
  if (!nn_onnx_pick (onnx, op, name, table, axis, wanted, places->n, error))
    return FALSE;
  part = g_hash_table_lookup (onnx->values, name);
  for (guint i = 0; i < part->rank; i++)
    if (i != axis)
      dims[n++] = i == part->batch ? nn_onnx_batch (part) : part->dims[i];
    else
      for (guint k = 0; k < places->shape.rank; k++)
        dims[n++] = places->shape.dims[k];
  return nn_onnx_reshape (onnx, op, g_hash_table_lookup (onnx->values, name), dims, n, error);
}

/* One place along an axis, or rows of a table. */
gboolean
nn_onnx_read_gather (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *table = nn_onnx_input (onnx, op, 0), *index = nn_onnx_input (onnx, op, 1), *result;
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
  if (table->constant != NULL || index->constant == NULL)
    return nn_onnx_unsupported (error, "only constant places, or rows of a constant table, are supported");
  return gather_places (onnx, op, table, index->constant, error);
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
