/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators that give a value other axes: most make no node. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Elements of a flattened map whose order is noted: the weights after it are reordered. Beyond it the map itself is. */
#define MAX_ORDER (1u << 22)

/* A transpose makes no node: it is noted. */
gboolean
nn_onnx_read_transpose (NnOnnx           *onnx,
                        Onnx__NodeProto  *op,
                        GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error), *result;
  const gint64 *perm;
  guint seen = 0;
  gsize n;

  if (value == NULL)
    return FALSE;
  perm = nn_onnx_ints (op, "perm", &n);
  if (perm == NULL || n != value->rank)
    return nn_onnx_unsupported (error, "its order of axes is not that of its input");
  for (guint i = 0; i < n; i++)
    seen |= perm[i] >= 0 && perm[i] < (gint64) n ? 1u << perm[i] : 0;
  if (seen != (1u << n) - 1)
    return nn_onnx_unsupported (error, "its order of axes is no permutation");
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

      for (guint i = value->rank - 1; i > 0; i--)
        {
          gsize extent = value->at[i - 1] == NN_ONNX_VIRTUAL ? 1 : (gsize) shape->dims[value->at[i - 1]];

          if (value->at[i - 1] != NN_ONNX_VIRTUAL)
            at += rest % extent * strides[value->at[i - 1]];
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

  if (value->batch != 0)
    return nn_onnx_unsupported (error, "its batch axis is not the first");
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
  result->dims[1] = node->shape.dims[0];
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
  if (axis != 1 && !(axis == 0 && value->dims[0] == 1))
    return nn_onnx_unsupported (error, "only flattening from the first axis after the batch is supported");
  return flatten (onnx, op, value, error);
}

/* The sample's new shape; %FALSE where the batch does not stay in front. */
static gboolean
sample_target (const NnOnnxValue *value,
               const NnTensor    *target,
               gsize              size,
               NnShape           *shape)
{
  gsize known = 1;
  int open = -1;
  gint64 first;

  if (target->n < 1 || target->n > NN_MAX_RANK + 1 || value->batch != 0)
    return FALSE;
  first = (gint64) nn_tensor_get (target, 0);
  shape->rank = 0;
  for (gsize i = 1; i < target->n; i++)
    {
      gint64 d = (gint64) nn_tensor_get (target, i);

      if (d == 0 && i < value->rank)
        d = value->dims[i];
      if (d < -1 || d == 0 || d > G_MAXINT32 || (d == -1 && (open >= 0 || first == -1)))
        return FALSE;
      if (d == -1)
        open = (int) i - 1;
      else
        known *= (gsize) d;
      shape->dims[shape->rank++] = d;
    }
  if (first != -1 && first != 0 && first != value->dims[0] && !(value->dims[0] < 0 && first == 1))
    return FALSE;
  if (open >= 0)
    {
      if (known == 0 || size % known != 0)
        return FALSE;
      shape->dims[open] = (gint64) (size / known);
      known = size;
    }
  return known == size;
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
    if (value->dims[i + 1] == 1)
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
      while (from < target->rank && value->dims[from + 1] == 1)
        from++;
      if (from == target->rank || value->dims[from + 1] != target->dims[i])
        return FALSE;
      at[i] = value->at[from++];
    }
  memcpy (result->at, at, sizeof at);
  for (guint i = 0; i < target->rank; i++)
    result->dims[i + 1] = target->dims[i];
  return TRUE;
}

gboolean
nn_onnx_reshape (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 NnOnnxValue      *value,
                 const NnShape    *target,
                 GError          **error)
{
  NnOnnxValue *result, moved = *value;
  NnNode *node;

  if (target->rank == 1)
    return flatten (onnx, op, value, error);
  if (moves_ones (value, target, &moved))
    {
      result = nn_onnx_alias (onnx, op, value);
      memcpy (result->at, moved.at, sizeof result->at);
      memcpy (result->dims, moved.dims, sizeof result->dims);
      return TRUE;
    }
  if (target->rank > NN_MAX_RANK)
    return nn_onnx_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  if (!nn_onnx_natural (onnx, value, error))
    return FALSE;
  node = nn_onnx_node (onnx, NN_OP_RESHAPE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.target = *target;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  result->rank = target->rank + 1;
  for (guint i = 0; i < target->rank; i++)
    {
      result->at[i] = (int) i;
      result->dims[i + 1] = target->dims[i];
    }
  return TRUE;
}

gboolean
nn_onnx_read_reshape (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const NnOnnxValue *shape = nn_onnx_input (onnx, op, 1);
  g_autoptr (NnTensor) own = NULL;
  const NnTensor *target = shape != NULL ? shape->constant : NULL;
  NnShape sample;
  gsize size, n;

  if (value == NULL)
    return FALSE;
  if (shape == NULL && nn_onnx_attribute (op, "shape") != NULL)
    {
      const gint64 *dims = nn_onnx_ints (op, "shape", &n);

      own = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE ((gint64) n));
      memcpy (own->data, dims, n * sizeof *dims);
      target = own;
    }
  if (target == NULL)
    return nn_onnx_unsupported (error, "its new shape must be a constant");
  if (!nn_shape_size (nn_onnx_shape (onnx, value), &size))
    return nn_onnx_unsupported (error, "the shape of its data is not known");
  if (!sample_target (value, target, size, &sample))
    return nn_onnx_unsupported (error, "its new shape mixes the batch with other axes");
  return nn_onnx_reshape (onnx, op, value, &sample, error);
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
  guint rank, at = 0;
  NnShape target = { 0 };

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || (add && !found))
    return nn_onnx_unsupported (error, "its axes must be constant");
  rank = add ? value->rank + axes->len : value->rank;
  if (rank > NN_MAX_RANK + 1 || value->order != NULL)
    return nn_onnx_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  for (guint i = 0; i < axes->len; i++)
    {
      double a = g_array_index (axes, double, i);

      a += a < 0 ? rank : 0;
      if (a < 0 || a >= rank || (!add && ((guint) a == value->batch || value->dims[(guint) a] != 1)))
        return nn_onnx_unsupported (error, "its axes are not of extent 1");
      mark[(guint) a] = TRUE;
    }
  if (!found)
    for (guint i = 0; i < rank; i++)
      mark[i] = i != value->batch && value->dims[i] == 1;
  for (guint i = 0; !add && i < rank; i++)
    {
      lazy = lazy && (!mark[i] || value->at[nn_onnx_sample_axis (value, i)] == NN_ONNX_VIRTUAL);
      if (i != value->batch && !mark[i])
        target.dims[target.rank++] = value->dims[i];
    }
  if (!lazy && value->batch == 0)
    return nn_onnx_reshape (onnx, op, value, &target, error);
  if (!lazy)
    return nn_onnx_unsupported (error, "its batch axis is not the first");
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
  NnTensor *dims = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE ((gint64) value->rank));

  /* an open batch stays as it is: 0 in a nn_onnx_reshape */
  for (guint i = 0; i < value->rank; i++)
    ((gint64 *) dims->data)[i] = value->dims[i] < 0 ? (i == value->batch ? 0 : -1) : value->dims[i];
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), dims);
  return TRUE;
}
