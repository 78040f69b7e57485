/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's Pad. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

/* Elements of an axis that is padded by parts. */
#define MAX_PADDED 65536

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
  const char *mode = nn_onnx_string (onnx, op, "mode", "constant");
  gboolean constant = g_str_equal (mode, "constant");
  const char *name = op->input[0];

  if (!constant && !g_str_equal (mode, "edge") && !g_str_equal (mode, "wrap") && !g_str_equal (mode, "reflect"))
    return nn_load_unsupported (error, "mode \"%s\" is not supported; constant, reflect, edge and wrap are", mode);
  for (guint axis = 0, n = value->rank; axis < n; axis++)
    {
      gint64 before = nn_onnx_whole (g_array_index (pads, double, axis)), after = nn_onnx_whole (g_array_index (pads, double, axis + n));
      gint64 extent = value->dims[axis], from = constant ? MAX (-before, 0) : -before, to = constant ? extent + MIN (after, 0) : extent + after;
      g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (gint64));
      g_autofree char *next = g_strdup_printf ("%s__axis_%u", nn_onnx_out (op, 0), axis);

      if (before == 0 && after == 0)
        continue;
      if (extent < 1 || from >= to || to - from > MAX_PADDED)
        return nn_load_unsupported (error, "its pads leave nothing of an axis, or more than %d elements", MAX_PADDED);
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
    return nn_load_unsupported (error, "its pads must be constant, two for each axis");
  n = value->rank;
  for (guint i = 0; i < pads->len; i++)
    {
      double p = g_array_index (pads, double, i);

      any |= p != 0;
      if (p > G_MAXINT32 || p < -G_MAXINT32 || p != floor (p) || (p != 0 && i % n == value->batch))
        return nn_load_unsupported (error, "its pads must be whole numbers, and none the batch's");
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
  if (number != 0 || negative || !g_str_equal (nn_onnx_string (onnx, op, "mode", "constant"), "constant") || n < 3 || n > 4 || value->batch != 0 ||
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
