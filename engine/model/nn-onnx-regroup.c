/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A new shape for a value that lies in another order than the file's: where axes are only joined or split, what is computed is
 * reshaped as it lies, and no permutation is put in. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

/* Axes of the old shape that become axes of the new one; both half open. */
typedef struct {
  guint from, until;
  guint to, end;
} Block;

static gint64
old_dim (const NnOnnxValue *value,
         guint              i)
{
  return value->dims[i < value->batch ? i : i + 1];
}

/* The smallest runs of axes of equal size, in the file's order. Axes of one at an end go to the run before. 0 where there are none */
static guint
find_blocks (const NnOnnxValue *value,
             const NnShape     *target,
             Block             *blocks)
{
  guint n = value->rank - 1, i = 0, j = 0, count = 0;

  while (i < n && j < target->rank)
    {
      gint64 old = old_dim (value, i), new = target->dims[j];
      Block block = { .from = i++, .to = j++ };

      while (old != new)
        {
          gboolean grow = old < new;

          if (grow ? i == n : j == target->rank)
            return 0;
          if (grow)
            old *= old_dim (value, i++);
          else
            new *= target->dims[j++];
          if (old < 1 || new < 1 || old > G_MAXINT32 || new > G_MAXINT32)
            return 0;
        }
      block.until = i;
      block.end = j;
      blocks[count++] = block;
    }
  for (; i < n && old_dim (value, i) == 1; i++)
    blocks[count - 1].until = i + 1;
  for (; j < target->rank && target->dims[j] == 1; j++)
    blocks[count - 1].end = j + 1;
  return i == n && j == target->rank ? count : 0;
}

/* Whether the axes of each run lie side by side, in their order. */
static gboolean
lie_together (const NnOnnxValue *value,
              const Block       *blocks,
              guint              count)
{
  for (guint b = 0; b < count; b++)
    for (guint i = blocks[b].from; i < blocks[b].until; i++)
      if (value->at[i] == NN_ONNX_VIRTUAL || (i > blocks[b].from && value->at[i] != value->at[i - 1] + 1))
        return FALSE;
  return TRUE;
}

/**
 * nn_onnx_regroup:
 * @target: the new shape of a sample
 * @done: (out): whether that was possible; otherwise nothing has changed
 */
gboolean
nn_onnx_regroup (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 NnOnnxValue      *value,
                 const NnShape    *target,
                 gboolean         *done,
                 GError          **error)
{
  Block blocks[NN_MAX_RANK + 1];
  NnShape shape = { 0 };
  int at[NN_MAX_RANK + 1] = { 0 };
  guint count, axes = nn_onnx_shape (onnx, value)->rank;
  NnOnnxValue *result;
  NnNode *node;

  *done = FALSE;
  if (value->order != NULL || value->rank < 2 || axes != value->rank - 1 || target->rank == 0 || target->rank > NN_MAX_RANK)
    return TRUE;
  count = find_blocks (value, target, blocks);
  if (count == 0 || !lie_together (value, blocks, count))
    return TRUE;
  /* the runs in the order in which they are computed */
  for (int place = 0; place < (int) axes; place++)
    for (guint b = 0; b < count; b++)
      if (value->at[blocks[b].from] == place)
        for (guint j = blocks[b].to; j < blocks[b].end; j++)
          {
            at[j] = (int) shape.rank;
            shape.dims[shape.rank++] = target->dims[j];
          }
  node = nn_onnx_node (onnx, NN_OP_RESHAPE, nn_onnx_out (op, 0), op->op_type, &value->node, 1);
  node->attrs.target = shape;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  for (guint j = 0; j < target->rank; j++)
    result->at[j] = at[j];
  *done = TRUE;
  return TRUE;
}
