/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators that cut, turn and spread constants. */

#include "nn-onnx.h"
#include "nn-onnx-fold.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Elements of a constant that is made of nothing but its extents: first states, masks. */
#define MAX_MADE (1u << 20)

/* The sizes of a tensor around an axis. */
static void
around (const NnShape *shape,
        guint          axis,
        gsize         *outer,
        gsize         *inner)
{
  *outer = *inner = 1;
  for (guint i = 0; i < shape->rank; i++)
    if (i < axis)
      *outer *= (gsize) shape->dims[i];
    else if (i > axis)
      *inner *= (gsize) shape->dims[i];
}

gboolean
nn_onnx_constant_axis (const NnTensor *data,
                       gint64          axis,
                       guint          *resolved)
{
  axis += axis < 0 ? (gint64) data->shape.rank : 0;
  *resolved = (guint) axis;
  return axis >= 0 && axis < (gint64) data->shape.rank;
}

/* A list of extents; the batch's counts as one, for what is made of it is broadcast. */
static gboolean
read_extents (const NnTensor *list,
              NnShape        *shape)
{
  gsize n;

  *shape = (NnShape){ 0 };
  if (list->n > NN_MAX_RANK || list->shape.rank > 1)
    return FALSE;
  for (gsize i = 0; i < list->n; i++)
    {
      gint64 d = nn_onnx_whole (nn_tensor_get (list, i));

      if (d > 0 && d % NN_ONNX_BATCH == 0)
        d /= NN_ONNX_BATCH;
      if (d < 0 || d > G_MAXINT32)
        return FALSE;
      shape->dims[shape->rank++] = d;
    }
  return nn_shape_size (shape, &n) && n <= MAX_MADE;
}

NnTensor *
nn_onnx_fold_filled (NnOnnx          *onnx,
                     Onnx__NodeProto *op,
                     const NnTensor  *extents)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "value");
  g_autoptr (NnTensor) value = a != NULL && a->t != NULL ? nn_onnx_tensor (onnx, a->t, NULL) : NULL;
  NnShape shape;
  NnTensor *result = read_extents (extents, &shape) ? nn_onnx_new_folded (value != NULL ? value->dtype : NN_DTYPE_F32, &shape) : NULL;

  for (gsize i = 0; result != NULL && i < result->n; i++)
    nn_onnx_set_number (result, i, value != NULL && value->n > 0 ? nn_tensor_get (value, 0) : 0);
  return result;
}

NnTensor *
nn_onnx_fold_expand (const NnTensor *data,
                     const NnTensor *extents)
{
  NnShape wanted, shape;
  NnTensor *result;

  if (!read_extents (extents, &wanted) || !nn_onnx_common_shape (&data->shape, &wanted, &shape))
    return NULL;
  result = nn_onnx_new_folded (data->dtype, &shape);
  for (gsize i = 0; result != NULL && i < result->n; i++)
    nn_onnx_set_number (result, i, nn_tensor_get (data, nn_onnx_broadcast_index (data, &shape, i)));
  return result;
}

NnTensor *
nn_onnx_fold_range (const NnTensor *first,
                    const NnTensor *limit,
                    const NnTensor *step)
{
  double from = nn_tensor_get (first, 0), by = nn_tensor_get (step, 0), n = ceil ((nn_tensor_get (limit, 0) - from) / by);
  NnTensor *result;

  if (!(n >= 0 && n <= MAX_MADE))
    return NULL;
  result = nn_tensor_new (first->dtype, &NN_SHAPE ((gint64) n));
  for (gsize i = 0; i < result->n; i++)
    nn_onnx_set_number (result, i, from + by * (double) i);
  return result;
}

NnTensor *
nn_onnx_fold_concat (NnOnnx          *onnx,
                     Onnx__NodeProto *op)
{
  const NnTensor *first = nn_onnx_input (onnx, op, 0)->constant;
  gsize outer, inner, at = 0;
  NnDtype dtype = NN_DTYPE_I64;
  NnShape shape = first->shape;
  NnTensor *result;
  guint axis;

  if (!nn_onnx_constant_axis (first, nn_onnx_int (op, "axis", 0), &axis))
    return NULL;
  shape.dims[axis] = 0;
  for (guint i = 0; i < op->n_input; i++)
    {
      const NnOnnxValue *part = nn_onnx_input (onnx, op, i);
      NnShape other;

      if (part == NULL)
        return NULL;
      other = part->constant->shape;
      if (other.rank != shape.rank)
        return NULL;
      shape.dims[axis] += other.dims[axis];
      other.dims[axis] = first->shape.dims[axis];
      if (!nn_shape_equal (&other, &first->shape))
        return NULL;
      dtype = part->constant->dtype == NN_DTYPE_F32 ? NN_DTYPE_F32 : dtype;
    }
  around (&shape, axis, &outer, &inner);
  result = nn_onnx_new_folded (dtype, &shape);
  for (guint i = 0; result != NULL && i < op->n_input; i++)
    {
      const NnTensor *part = nn_onnx_input (onnx, op, i)->constant;
      gsize piece = (gsize) part->shape.dims[axis] * inner, row = (gsize) shape.dims[axis] * inner;

      for (gsize k = 0; k < part->n; k++)
        nn_onnx_set_number (result, k / piece * row + at + k % piece, nn_tensor_get (part, k));
      at += piece;
    }
  return result;
}

NnTensor *
nn_onnx_fold_gather (const NnTensor *data,
                     const NnTensor *places,
                     gint64          along)
{
  NnShape shape = { 0 };
  gsize outer, inner, extent;
  NnTensor *result;
  guint axis;

  if (!nn_onnx_constant_axis (data, along, &axis) || data->shape.rank + places->shape.rank > NN_MAX_RANK + 1)
    return NULL;
  for (guint i = 0; i < axis; i++)
    shape.dims[shape.rank++] = data->shape.dims[i];
  for (guint i = 0; i < places->shape.rank; i++)
    shape.dims[shape.rank++] = places->shape.dims[i];
  for (guint i = axis + 1; i < data->shape.rank; i++)
    shape.dims[shape.rank++] = data->shape.dims[i];
  around (&data->shape, axis, &outer, &inner);
  extent = (gsize) data->shape.dims[axis];
  for (gsize i = 0; i < places->n; i++)
    if (!(nn_tensor_get (places, i) >= -(double) extent && nn_tensor_get (places, i) < (double) extent))
      return NULL;
  result = nn_onnx_new_folded (data->dtype, &shape);
  for (gsize o = 0; result != NULL && o < outer; o++)
    for (gsize i = 0; i < places->n; i++)
      for (gsize k = 0; k < inner; k++)
        {
          gint64 place = nn_onnx_whole (nn_tensor_get (places, i));

          place += place < 0 ? (gint64) extent : 0;
          nn_onnx_set_number (result, (o * places->n + i) * inner + k, nn_tensor_get (data, (o * extent + (gsize) place) * inner + k));
        }
  return result;
}

/* Every @step-th from @begin on, @n of them. */
NnTensor *
nn_onnx_part_along (const NnTensor *data,
                    guint           axis,
                    gint64          begin,
                    gint64          step,
                    gint64          n)
{
  NnShape shape = data->shape;
  gsize outer, inner, extent = (gsize) shape.dims[axis];
  NnTensor *result;

  shape.dims[axis] = n;
  around (&shape, axis, &outer, &inner);
  result = nn_onnx_new_folded (data->dtype, &shape);
  for (gsize o = 0; result != NULL && o < outer; o++)
    for (gint64 i = 0; i < n; i++)
      for (gsize k = 0; k < inner; k++)
        nn_onnx_set_number (result, (o * (gsize) n + (gsize) i) * inner + k,
                            nn_tensor_get (data, (o * extent + (gsize) (begin + i * step)) * inner + k));
  return result;
}

NnTensor *
nn_onnx_fold_slice (NnOnnx          *onnx,
                    Onnx__NodeProto *op,
                    const NnTensor  *data)
{
  static const char *const names[] = { "starts", "ends", "axes", "steps" };
  g_autoptr (GArray) starts = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (double));
  GArray *lists[] = { starts, ends, axes, steps };
  NnTensor *result = nn_tensor_ref ((NnTensor *) data);
  gboolean found;

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (!nn_onnx_numbers (onnx, op, names[i], i + 1, lists[i], &found))
      g_clear_pointer (&result, nn_tensor_unref);
  if (starts->len != ends->len || (axes->len > 0 && axes->len != starts->len) || (steps->len > 0 && steps->len != starts->len))
    g_clear_pointer (&result, nn_tensor_unref);
  for (guint i = 0; result != NULL && i < starts->len; i++)
    {
      g_autoptr (NnTensor) whole = result;
      double step = steps->len > 0 ? g_array_index (steps, double, i) : 1, extent, begin, end;
      guint axis;

      result = NULL;
      if (step == 0 || !nn_onnx_constant_axis (whole, axes->len > 0 ? nn_onnx_whole (g_array_index (axes, double, i)) : (gint64) i, &axis))
        return NULL;
      extent = (double) whole->shape.dims[axis];
      begin = g_array_index (starts, double, i);
      end = g_array_index (ends, double, i);
      begin = step > 0 ? CLAMP (begin < 0 ? begin + extent : begin, 0, extent) : CLAMP (begin < 0 ? begin + extent : begin, -1, extent - 1);
      end = step > 0 ? CLAMP (end < 0 ? end + extent : end, 0, extent) : CLAMP (end < 0 ? end + extent : end, -1, extent - 1);
      result = nn_onnx_part_along (whole, axis, (gint64) begin, nn_onnx_whole (step), nn_onnx_whole (MAX (ceil ((end - begin) / step), 0)));
    }
  return result;
}

static NnTensor *
with_shape (const NnTensor *tensor,
            const NnShape  *shape)
{
  NnTensor *result;
  gsize n;

  if (!nn_shape_size (shape, &n) || n != tensor->n)
    return NULL;
  result = nn_tensor_new (tensor->dtype, shape);
  memcpy (result->data, tensor->data, n * nn_dtype_size (tensor->dtype));
  return result;
}

NnTensor *
nn_onnx_fold_reshape (const NnTensor *data,
                      const NnTensor *target)
{
  NnShape shape = { 0 };
  gsize known = 1;
  int open = -1;

  if (target->n > NN_MAX_RANK)
    return NULL;
  for (gsize i = 0; i < target->n; i++)
    {
      gint64 d = nn_onnx_whole (nn_tensor_get (target, i));

      if (d == 0 && i < data->shape.rank)
        d = data->shape.dims[i];
      if (d > 0 && d % NN_ONNX_BATCH == 0)
        d /= NN_ONNX_BATCH;
      if (d < -1 || d > G_MAXINT32 || (d == -1 && open >= 0))
        return NULL;
      if (d == -1)
        open = (int) i;
      else
        known *= (gsize) d;
      shape.dims[shape.rank++] = d;
    }
  if (open >= 0)
    {
      if (known == 0 || data->n % known != 0)
        return NULL;
      shape.dims[open] = (gint64) (data->n / known);
    }
  return with_shape (data, &shape);
}

NnTensor *
nn_onnx_fold_axes (NnOnnx          *onnx,
                   Onnx__NodeProto *op,
                   const NnTensor  *data,
                   gboolean         add)
{
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found, mark[NN_MAX_RANK] = { FALSE };
  NnShape shape = { 0 };
  guint rank, at = 0;

  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || axes->len > NN_MAX_RANK)
    return NULL;
  rank = add ? data->shape.rank + axes->len : data->shape.rank;
  if (rank > NN_MAX_RANK || (add && !found))
    return NULL;
  for (guint i = 0; i < axes->len; i++)
    {
      double a = g_array_index (axes, double, i);

      a += a < 0 ? rank : 0;
      if (a < 0 || a >= rank)
        return NULL;
      mark[(guint) a] = TRUE;
    }
  for (guint i = 0; i < rank; i++)
    if (add)
      shape.dims[shape.rank++] = mark[i] || at >= data->shape.rank ? 1 : data->shape.dims[at++];
    else if (found ? !mark[i] : data->shape.dims[i] != 1)
      shape.dims[shape.rank++] = data->shape.dims[i];
  return with_shape (data, &shape);
}
