/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What moves or reduces data as ONNX's operators. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

gboolean
nn_onnx_write_shape (NnOnnxWriter  *w,
                     const NnNode  *node,
                     guint          index,
                     GError       **error)
{
  const NnAttrs *a = &node->attrs;
  const char *input, *output;
  guint rank = nn_onnx_in_shape (w, node)->rank, n = rank >= 3 ? 2 : 1;
  gint64 list[2 * (NN_MAX_RANK + 1)] = { 0 }, axes[2], ends[2];
  Onnx__NodeProto *op;

  if (nn_onnx_write_reversal (w, node, index))
    return TRUE;
  input = nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST);
  output = nn_onnx_name_in (w, node, index, NN_ONNX_LAST);
  switch (node->op)
    {
    case NN_OP_FLATTEN:
      nn_onnx_op (w, "Flatten", output, input, NULL);
      return TRUE;
    case NN_OP_RESHAPE:
      for (guint i = 0; i < node->shape.rank; i++)
        list[i + 1] = node->shape.dims[i];
      nn_onnx_op (w, "Reshape", output, input, nn_onnx_put_ints (w, output, list, node->shape.rank + 1), NULL);
      return TRUE;
    case NN_OP_PERMUTE:
      for (guint i = 0; i < rank; i++)
        list[i + 1] = a->perm[i] + 1;
      op = nn_onnx_op (w, "Transpose", output, input, NULL);
      nn_onnx_set_ints (w, op, "perm", list, rank + 1);
      return TRUE;
    case NN_OP_REPEAT_VECTOR:
      {
        const char *middle = nn_onnx_text (w, "%s__row", node->name);
        gint64 times[3] = { 1, a->target.dims[0], 1 }, one = 1;

        nn_onnx_op (w, "Unsqueeze", middle, input, nn_onnx_put_ints (w, middle, &one, 1), NULL);
        nn_onnx_op (w, "Tile", output, middle, nn_onnx_put_ints (w, output, times, 3), NULL);
        return TRUE;
      }
    case NN_OP_ZERO_PAD:
      for (guint i = 0; i < n; i++)
        {
          list[rank - n + i] = a->pad[i][0];
          list[rank + 1 + rank - n + i] = a->pad[i][1];
        }
      nn_onnx_op (w, "Pad", output, input, nn_onnx_put_ints (w, output, list, 2 * (rank + 1)), NULL);
      return TRUE;
    case NN_OP_CROP:
      for (guint i = 0; i < n; i++)
        {
          axes[i] = rank - n + i;
          list[i] = a->pad[i][0];
          ends[i] = a->pad[i][1] > 0 ? -a->pad[i][1] : G_MAXINT32;
        }
      nn_onnx_op (w, "Slice", output, input, nn_onnx_put_ints (w, nn_onnx_text (w, "%s__starts", output), list, n),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__ends", output), ends, n),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axes", output), axes, n), NULL);
      return TRUE;
    case NN_OP_SLICE:
      list[0] = a->begin;
      ends[0] = a->end;
      axes[0] = nn_onnx_file_axis (a->axis, rank, NN_ONNX_LAST);
      nn_onnx_op (w, "Slice", output, input, nn_onnx_put_ints (w, nn_onnx_text (w, "%s__starts", output), list, 1),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__ends", output), ends, 1),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axes", output), axes, 1),
                  nn_onnx_put_ints (w, nn_onnx_text (w, "%s__steps", output), &a->step, 1), NULL);
      return TRUE;
    case NN_OP_REVERSE:
      {
        const gint64 last = -1, before_first = G_MININT32, back = -1, axis = nn_onnx_file_axis (a->axis, rank, NN_ONNX_LAST);

        nn_onnx_op (w, "Slice", output, input, nn_onnx_put_ints (w, nn_onnx_text (w, "%s__starts", output), &last, 1),
                    nn_onnx_put_ints (w, nn_onnx_text (w, "%s__ends", output), &before_first, 1),
                    nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axes", output), &axis, 1),
                    nn_onnx_put_ints (w, nn_onnx_text (w, "%s__steps", output), &back, 1), NULL);
        return TRUE;
      }
    case NN_OP_REDUCE_SUM:
      {
        gint64 first = nn_onnx_file_axis (a->axis, rank, NN_ONNX_LAST), last = nn_onnx_file_axis (a->axis2, rank, NN_ONNX_LAST);

        for (gint64 i = first; i <= last; i++)
          list[i - first] = i;
        op = nn_onnx_op (w, "ReduceSum", output, input,
                         nn_onnx_put_ints (w, nn_onnx_text (w, "%s__axes", output), list, (guint) (last - first + 1)), NULL);
        nn_onnx_set_int (w, op, "keepdims", a->keep_dims);
        return TRUE;
      }
    case NN_OP_REDUCE_MEAN:
    case NN_OP_REDUCE_MAX:
      {
        gint64 first = nn_onnx_file_axis (a->axis, rank, NN_ONNX_LAST), last = nn_onnx_file_axis (a->axis2, rank, NN_ONNX_LAST);

        for (gint64 i = first; i <= last; i++)
          list[i - first] = i;
        op = nn_onnx_op (w, node->op == NN_OP_REDUCE_MEAN ? "ReduceMean" : "ReduceMax", output, input, NULL);
        nn_onnx_set_ints (w, op, "axes", list, (guint) (last - first + 1));
        nn_onnx_set_int (w, op, "keepdims", a->keep_dims);
        return TRUE;
      }
    case NN_OP_ARG_MAX:
      {
        const char *place = nn_onnx_text (w, "%s__place", output);

        op = nn_onnx_op (w, "ArgMax", place, input, NULL);
        nn_onnx_set_int (w, op, "axis", nn_onnx_file_axis (a->axis, rank, NN_ONNX_LAST));
        nn_onnx_set_int (w, op, "keepdims", a->keep_dims);
        nn_onnx_set_int (w, nn_onnx_op (w, "Cast", output, place, NULL), "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
        return TRUE;
      }
    case NN_OP_UPSAMPLE:
      {
        g_autoptr (NnTensor) scales = nn_onnx_constant_vector (rank + 1, 1);

        for (guint i = 0; i < n; i++)
          nn_tensor_f32 (scales)[rank - n + i] = (float) MAX (a->size[i], 1);
        op = nn_onnx_op (w, "Resize", output, input, "", nn_onnx_put (w, nn_onnx_text (w, "%s__scales", output), scales),
                         NULL);
        nn_onnx_set_text (w, op, "mode", a->interpolation == NN_INTERPOLATION_BILINEAR ? "linear" : "nearest");
        nn_onnx_set_text (w, op, "coordinate_transformation_mode",
                          a->interpolation == NN_INTERPOLATION_BILINEAR ? "half_pixel" : "asymmetric");
        if (a->interpolation != NN_INTERPOLATION_BILINEAR)
          nn_onnx_set_text (w, op, "nearest_mode", "floor");
        return TRUE;
      }
    default:
      return nn_onnx_fail (node, "there is no operator", error);
    }
}
