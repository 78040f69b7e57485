/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of ONNX's data: slices, places along an axis, repetitions. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

/* Copies of its data that a Tile may ask for. */
#define MAX_TILES 4096

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
    return nn_load_unsupported (error, "a part of the batch cannot be taken");
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

/* Elements @places of one axis, in that order: ranges of it put together. Source of the ranges: longest first steps. */
gboolean
nn_onnx_pick (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              const char       *name,
              NnOnnxValue      *value,
              guint             axis,
              const gint64     *places,
              gsize             n,
              GError          **error)
{
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (guint));
  NnOnnxValue *result;
  NnNode *node;
  int at;

  if (n == 0 || axis == value->batch || value->order != NULL || (value->at[nn_onnx_sample_axis (value, axis)] == NN_ONNX_VIRTUAL &&
                                                                 !nn_onnx_natural (onnx, value, error)))
    return nn_load_unsupported (error, "parts of this axis cannot be taken");
  for (gsize i = 0; i < n;)
    {
      gint64 step = i + 1 < n && places[i + 1] > places[i] ? places[i + 1] - places[i] : 1;
      gsize end = i + 1;
      g_autofree char *part = g_strdup_printf ("%s__part_%u", name, parts->len);

      if (places[i] < 0 || places[i] >= value->dims[axis] || parts->len == NN_ONNX_MAX_PARTS)
        return nn_load_unsupported (error, "its places are outside of its axis, or too many");
      while (end < n && places[end] - places[end - 1] == step)
        end++;
      if (i == 0 && end == n)
        return nn_onnx_slice (onnx, value, axis, places[0], places[n - 1] + 1, step, name, op->op_type, error);
      if (!nn_onnx_slice (onnx, value, axis, places[i], places[end - 1] + 1, step, part, op->op_type, error))
        return FALSE;
      g_array_append_val (parts, ((NnOnnxValue *) g_hash_table_lookup (onnx->values, part))->node);
      i = end;
    }
  node = nn_onnx_node (onnx, NN_OP_CONCATENATE, name, op->op_type, (const guint *) (gpointer) parts->data, parts->len);
  at = value->at[nn_onnx_sample_axis (value, axis)];
  node->attrs.axis = at == (int) nn_onnx_shape (onnx, value)->rank - 1 ? -1 : at;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
  result->dims[axis] = (gint64) n;
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
  if ((first - last) / -step > NN_ONNX_MAX_PARTS)
    return nn_load_unsupported (error, "more than %d elements in the order of a backward step are not supported", NN_ONNX_MAX_PARTS);
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
          failed = !slice_backwards (onnx, op, value, axis, begin, end, nn_onnx_whole (step), error);
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
      failed = !nn_onnx_slice (onnx, value, axis, (gint64) begin, (gint64) end, nn_onnx_whole (step), nn_onnx_out (op, 0), op->op_type, error);
      if (failed)
        break;
      value = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
    }
  for (guint i = 0; i < 4; i++)
    g_clear_pointer (&lists[i], g_array_unref);
  if (failed)
    return FALSE;
  if (!ok)
    return nn_load_unsupported (error, "its ranges must be constant");
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
    return nn_load_unsupported (error, "its parts must be constant");
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
    return nn_load_unsupported (error, "its axis is the batch's, or none");
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
    return nn_load_unsupported (error, "an input is missing");
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
    return nn_load_unsupported (error, "only constant places, or rows of a constant table, are supported");
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
    return nn_load_unsupported (error, "how often it repeats must be constant");
  for (guint i = 0; i < times->len; i++)
    {
      double k = g_array_index (times, double, i);

      if (k == 1)
        continue;
      if (n != 1 || k < 1 || k > MAX_TILES || k != floor (k) || i == value->batch)
        return nn_load_unsupported (error, "only up to %d times along one axis besides the batch's are supported", MAX_TILES);
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
