/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators that give a value other axes: most make no node. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Elements of a flattened map whose order is noted: the weights after it are reordered. Beyond it the map itself is. */
#define MAX_ORDER (1u << 22)

/* The order of all axes, those that the file sees as one with the batch's following it; without an order, the reverse. */
static const gint64 *
unfold_permutation (const NnOnnxValue *value,
                    const gint64      *perm,
                    gsize             *n,
                    gint64            *all)
{
  guint hidden = value->merged_before + value->merged_after;
  gsize to = 0;

  if (perm == NULL)
    *n = value->rank - hidden;
  if (*n + hidden != value->rank)
    return NULL;
  for (gsize i = 0; i < *n; i++)
    {
      guint axis;

      if (!nn_onnx_axis (value, perm != NULL ? perm[i] : (gint64) (*n - 1 - i), &axis) || to + 3 > NN_MAX_RANK + 3)
        return NULL;
      if (axis == value->batch && value->merged_before)
        all[to++] = axis - 1;
      all[to++] = axis;
      if (axis == value->batch && value->merged_after)
        all[to++] = axis + 1;
    }
  *n = to;
  return all;
}

/* A transpose makes no node: it is noted. */
gboolean
nn_onnx_read_transpose (NnOnnx           *onnx,
                        Onnx__NodeProto  *op,
                        GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  const gint64 *perm;
  gint64 all[NN_MAX_RANK + 3];
  guint seen = 0;
  gsize n;

  if (value == NULL)
    return FALSE;
  perm = unfold_permutation (value, nn_onnx_ints (op, "perm", &n), &n, all);
  if (perm == NULL || n != value->rank)
    return nn_load_unsupported (error, "its order of axes is not that of its input");
  for (guint i = 0; i < n; i++)
    seen |= perm[i] >= 0 && perm[i] < (gint64) n ? 1u << perm[i] : 0;
  if (seen != (1u << n) - 1)
    return nn_load_unsupported (error, "its order of axes is no permutation");
  if (value->order != NULL && !nn_onnx_natural (onnx, value, error))
    return FALSE;
  result = nn_onnx_alias (onnx, op, value);
  for (guint i = 0; i < n; i++)
    if (perm[i] == (gint64) value->batch)
      result->batch = i;
  for (guint i = 0; i < n; i++)
    {
      result->dims[i] = value->dims[perm[i]];
      if (i != result->batch)
        result->at[nn_onnx_sample_axis (result, i)] = value->at[nn_onnx_sample_axis (value, (guint) perm[i])];
    }
  return TRUE;
}

/* Where each element of the flattened sample, in the file's order, is computed; %NULL where it is the same place. */
static guint *
flat_order (NnOnnx            *onnx,
            const NnOnnxValue *value,
            gsize             *n_order)
{
  const NnShape *shape = nn_onnx_shape (onnx, value);
  gsize n, strides[NN_MAX_RANK];
  gboolean same = TRUE;
  guint *order;

  if (!nn_shape_size (shape, &n) || n > G_MAXUINT32)
    return NULL;
  for (guint i = shape->rank; i > 0; i--)
    strides[i - 1] = i == shape->rank ? 1 : strides[i] * (gsize) shape->dims[i];
  order = g_new (guint, MAX (n, 1));
  for (gsize p = 0; p < n; p++)
    {
      gsize rest = p, at = 0;

      /* an axis that a damaged file speaks of without having it counts as one of 1 */
      for (guint i = value->rank; i > 1; i--)
        {
          guint axis = value->at[i - 2];
          gsize extent = axis < shape->rank ? (gsize) shape->dims[axis] : 1;

          if (axis < shape->rank)
            at += rest % extent * strides[axis];
          rest /= extent;
        }
      order[p] = (guint) at;
      same = same && at == p;
    }
  *n_order = n;
  if (same)
    g_clear_pointer (&order, g_free);
  return order;
}

/* One sample axis, the others in the file's order. */
static gboolean
flatten (NnOnnx           *onnx,
         Onnx__NodeProto  *op,
         NnOnnxValue      *value,
         GError          **error)
{
  g_autofree guint *order = NULL;
  g_autofree char *name = NULL;
  gsize n_order = 0;
  NnOnnxValue *result;
  NnNode *node;

  if (value->rank == 2)
    {
      nn_onnx_alias (onnx, op, value);
      return TRUE;
    }
  if (!nn_onnx_is_natural (value))
    {
      gsize n;

      if ((!nn_shape_size (nn_onnx_shape (onnx, value), &n) || n > MAX_ORDER) && !nn_onnx_natural (onnx, value, error))
        return FALSE;
      order = flat_order (onnx, value, &n_order);
    }
  /* who looks for the file's name shall not find another order under it */
  name = g_strconcat (nn_onnx_out (op, 0), order != NULL ? "__channels_last" : NULL, NULL);
  node = nn_onnx_node (onnx, NN_OP_FLATTEN, name, op->op_type, &value->node, 1);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->rank = 2;
  result->at[0] = 0;
  result->dims[0] = value->dims[value->batch];
  result->dims[1] = node->shape.dims[0];
  result->batch = 0;
  result->order = g_steal_pointer (&order);
  result->n_order = result->order != NULL ? n_order : 0;
  return TRUE;
}

gboolean
nn_onnx_read_flatten (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gint64 axis = nn_onnx_int (op, "axis", 1);

  if (value == NULL)
    return FALSE;
  /* keras2onnx flattens the batch too, which it takes to be one */
  if (value->batch != 0 || (axis != 1 && axis != 1 - (gint64) value->rank && !(axis == 0 && value->dims[0] == 1)))
    return nn_load_unsupported (error, "only flattening from the first axis after the batch is supported");
  return flatten (onnx, op, value, error);
}

static gint64
sample_dim (const NnOnnxValue *value,
            guint              i)
{
  return value->dims[i < value->batch ? i : i + 1];
}

/* Where the batch goes in a new shape. */
typedef struct {
  gint64   dims[NN_MAX_RANK + 3]; /* without the batch's */
  guint    rank;
  guint    batch;
  gboolean merged_before;
  gboolean merged_after;
} Target;

/* Puts the batch at axis @j of @dims, if samples keep their order so. @before, @after: elements of a sample on either side */
static gboolean
place_batch (const gint64 *dims,
             guint         n,
             guint         j,
             gint64        batch,
             gint64        before,
             gint64        after,
             Target       *target)
{
  gint64 left = 1, right = 1, b, c;

  for (guint i = 0; i < n; i++)
    if (i < j)
      left *= dims[i];
    else if (i > j)
      right *= dims[i];
  if (left < 1 || right < 1 || dims[j] % batch != 0 || before % left != 0 || after % right != 0)
    return FALSE;
  b = before / left;
  c = after / right;
  if (b * c != dims[j] / batch || n + (b > 1) + (c > 1) > NN_MAX_RANK + 1)
    return FALSE;
  *target = (Target){ .merged_before = b > 1, .merged_after = c > 1 };
  for (guint i = 0; i < n; i++)
    if (i != j)
      target->dims[target->rank++] = dims[i];
    else
      {
        if (b > 1)
          target->dims[target->rank++] = b;
        target->batch = target->rank;
        if (c > 1)
          target->dims[target->rank++] = c;
      }
  return TRUE;
}

/* @dims: the file's new shape, with 0 and -1 as ONNX has them, and NN_ONNX_BATCH for an open batch. */
static gboolean
find_target (const NnOnnxValue *value,
             gint64            *dims,
             guint              n,
             Target            *target)
{
  gint64 before = 1, after = 1, batch = value->dims[value->batch] > 0 ? value->dims[value->batch] : NN_ONNX_BATCH, known = 1;
  guint old = value->batch - value->merged_before;
  int open = -1;

  for (guint i = 0; i < value->rank; i++)
    {
      gint64 *side = i < value->batch ? &before : &after;

      if (i == value->batch)
        continue;
      if (value->dims[i] < 1 || value->dims[i] > G_MAXINT32 / *side)
        return FALSE;
      *side *= value->dims[i];
    }
  for (guint i = 0; i < n; i++)
    {
      guint axis;

      if (dims[i] == 0)
        {
          if (!nn_onnx_axis (value, i, &axis))
            return FALSE;
          dims[i] = axis != value->batch ? value->dims[axis] : batch * (value->merged_before ? value->dims[axis - 1] : 1) *
                                                                  (value->merged_after ? value->dims[axis + 1] : 1);
        }
      if (dims[i] < -1 || dims[i] == 0 || (dims[i] == -1 && open >= 0) || known > G_MAXINT64 / MAX (dims[i], 1) / 2)
        return FALSE;
      if (dims[i] == -1)
        open = (int) i;
      else
        known *= dims[i];
    }
  if (open >= 0)
    {
      if (batch * before > G_MAXINT64 / after || batch * before * after % known != 0)
        return FALSE;
      dims[open] = batch * before * after / known;
    }
  /* alone on its axis where that goes, then where it stood, then anywhere; exporters with a batch of one wrote it as such */
  for (guint j = 0; j < n; j++)
    if (dims[j] == batch && place_batch (dims, n, j, batch, before, after, target))
      return TRUE;
  if (old < n && place_batch (dims, n, old, batch, before, after, target))
    return TRUE;
  for (guint j = 0; j < n; j++)
    if (place_batch (dims, n, j, batch, before, after, target))
      return TRUE;
  for (guint j = 0; j < n && value->dims[value->batch] < 0; j++)
    if (dims[j] == 1 && place_batch (dims, n, j, 1, before, after, target))
      return TRUE;
  return FALSE;
}

/* Whether only axes of extent 1 move: then it is noted like a transpose. */
static gboolean
moves_ones (const NnOnnxValue *value,
            const NnShape     *target,
            NnOnnxValue       *result)
{
  guint from = 0, ones[NN_MAX_RANK], n_ones = 0;
  int at[NN_MAX_RANK + 1] = { 0 };

  if (target->rank != value->rank - 1 || value->order != NULL)
    return FALSE;
  for (guint i = 0; i < target->rank; i++)
    if (sample_dim (value, i) == 1)
      ones[n_ones++] = i;
  for (guint i = 0, one = 0; i < target->rank; i++)
    {
      if (target->dims[i] == 1)
        {
          if (one == n_ones)
            return FALSE;
          at[i] = value->at[ones[one++]];
          continue;
        }
      while (from < target->rank && sample_dim (value, from) == 1)
        from++;
      if (from == target->rank || sample_dim (value, from) != target->dims[i])
        return FALSE;
      at[i] = value->at[from++];
    }
  memcpy (result->at, at, sizeof at);
  return TRUE;
}

/* As it lies where axes are only joined or split, otherwise in the file's order. @plain: whether the batch stays first, alone */
static gboolean
reshape_by_node (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 NnOnnxValue      *value,
                 const NnShape    *shape,
                 gboolean          plain,
                 GError          **error)
{
  gboolean done = FALSE;
  NnOnnxValue *result;
  NnNode *node;

  if (plain && !value->merged_after && !nn_onnx_is_natural (value) && !nn_onnx_regroup (onnx, op, value, shape, &done, error))
    return FALSE;
  if (done)
    return TRUE;
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_RESHAPE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.target = *shape;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint i = 0; i < shape->rank; i++)
    result->at[i] = (int) i;
  return TRUE;
}

/**
 * nn_onnx_reshape:
 * @dims: (array length=n): the file's new shape, the batch's axis in it; 0 and -1 as ONNX has them, and NN_ONNX_BATCH times
 *   whatever it is folded together with where the batch is open
 *
 * Gives a value another shape; the batch may move, and may be folded together with the axes at its side.
 */
gboolean
nn_onnx_reshape (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 NnOnnxValue      *value,
                 const gint64     *dims,
                 guint             n,
                 GError          **error)
{
  NnOnnxValue *result, moved = *value;
  gint64 own[NN_MAX_RANK + 2];
  NnShape shape = { 0 };
  Target target;

  if (n == 0 || n > NN_MAX_RANK + 1)
    return nn_load_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  memcpy (own, dims, n * sizeof *dims);
  if (!find_target (value, own, n, &target))
    return nn_load_unsupported (error, "its new shape mixes the batch with other axes");
  if (target.rank > NN_MAX_RANK)
    return nn_load_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  shape.rank = target.rank;
  memcpy (shape.dims, target.dims, shape.rank * sizeof *shape.dims);
  if (target.rank == 0)
    result = nn_onnx_alias (onnx, op, value); /* the computed sample keeps its axes of one element */
  else if (target.rank == 1)
    {
      if (!flatten (onnx, op, value, error))
        return FALSE;
      result = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
    }
  else if (moves_ones (value, &shape, &moved))
    {
      result = nn_onnx_alias (onnx, op, value);
      memcpy (result->at, moved.at, sizeof result->at);
    }
  else
    {
      if (!reshape_by_node (onnx, op, value, &shape, value->batch == 0 && target.batch == 0 && !target.merged_after, error))
        return FALSE;
      result = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
    }
  result->rank = target.rank + 1;
  result->batch = target.batch;
  result->merged_before = target.merged_before;
  result->merged_after = target.merged_after;
  for (guint i = 0; i <= target.rank; i++)
    result->dims[i] = i < target.batch ? target.dims[i] : i == target.batch ? value->dims[value->batch] : target.dims[i - 1];
  return TRUE;
}

gboolean
nn_onnx_read_reshape (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 dims[NN_MAX_RANK + 1];
  gboolean found;
  gsize size;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "shape", 1, numbers, &found) || !found)
    return nn_load_unsupported (error, "its new shape must be a constant");
  if (!nn_shape_size (nn_onnx_shape (onnx, value), &size))
    return nn_load_unsupported (error, "the shape of its data is not known");
  if (numbers->len > NN_MAX_RANK + 1)
    return nn_load_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  for (guint i = 0; i < numbers->len; i++)
    dims[i] = nn_onnx_whole (g_array_index (numbers, double, i));
  return nn_onnx_reshape (onnx, op, value, dims, numbers->len, error);
}

/* Axes of extent 1 come and go without a node where they can. */
gboolean
nn_onnx_read_squeeze (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean add = op->op_type[0] == 'U', found, mark[NN_MAX_RANK + 1] = { FALSE }, lazy = TRUE;
  guint rank, at = 0, n_target = 0;
  gint64 target[NN_MAX_RANK + 1];

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || (add && !found))
    return nn_load_unsupported (error, "its axes must be constant");
  rank = add ? value->rank + axes->len : value->rank;
  if (rank > NN_MAX_RANK + 1 || value->order != NULL)
    return nn_load_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  for (guint i = 0; i < axes->len; i++)
    {
      double a = g_array_index (axes, double, i);

      a += a < 0 ? rank : 0;
      if (a < 0 || a >= rank || mark[(guint) a] || (!add && ((guint) a == value->batch || value->dims[(guint) a] != 1)))
        return nn_load_unsupported (error, "its axes are not of extent 1, or told twice");
      mark[(guint) a] = TRUE;
    }
  if (!found)
    for (guint i = 0; i < rank; i++)
      mark[i] = i != value->batch && value->dims[i] == 1;
  for (guint i = 0; !add && i < rank; i++)
    {
      lazy = lazy && (!mark[i] || value->at[nn_onnx_sample_axis (value, i)] == NN_ONNX_VIRTUAL);
      if (!mark[i])
        target[n_target++] = i == value->batch ? nn_onnx_batch (value) : value->dims[i];
    }
  if (!lazy)
    return nn_onnx_reshape (onnx, op, value, target, n_target, error);
  result = nn_onnx_alias (onnx, op, value);
  result->rank = 0;
  for (guint i = 0; i < rank; i++)
    {
      gboolean is_batch;

      if (!add && mark[i])
        {
          at++;
          continue;
        }
      is_batch = !(add && mark[i]) && at == value->batch;
      if (is_batch)
        result->batch = result->rank;
      result->dims[result->rank] = add && mark[i] ? 1 : value->dims[at];
      result->rank++;
      at += !(add && mark[i]);
    }
  /* the sample's axes, now that the batch's is known */
  at = 0;
  for (guint i = 0, to = 0; i < rank; i++)
    {
      gboolean fresh = add && mark[i], gone = !add && mark[i];

      if (!fresh && at == value->batch)
        {
          at++;
          continue;
        }
      if (fresh)
        result->at[to++] = NN_ONNX_VIRTUAL;
      else
        {
          if (!gone)
            result->at[to++] = value->at[nn_onnx_sample_axis (value, at)];
          at++;
        }
    }
  return TRUE;
}

gboolean
nn_onnx_read_shape (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0);
  gint64 n = (gint64) value->rank - value->merged_before - value->merged_after, begin, end;
  NnTensor *dims;

  begin = nn_onnx_int (op, "start", 0);
  end = nn_onnx_int (op, "end", n);
  begin = CLAMP (begin < 0 ? begin + n : begin, 0, n);
  end = CLAMP (end < 0 ? end + n : end, begin, n);
  dims = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE (end - begin));
  for (gint64 i = begin; i < end; i++)
    {
      gint64 extent;
      guint axis;

      nn_onnx_axis (value, i, &axis);
      extent = axis != value->batch ? value->dims[axis]
                                    : nn_onnx_batch (value) * (value->merged_before ? value->dims[axis - 1] : 1) *
                                        (value->merged_after ? value->dims[axis + 1] : 1);
      ((gint64 *) dims->data)[i - begin] = extent < 0 ? -1 : extent;
    }
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), dims);
  return TRUE;
}
