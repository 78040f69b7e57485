/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's reductions. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <string.h>

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
    return nn_load_unsupported (error, "its axes must be constant");
  if (axes->len == 0)
    return nn_load_unsupported (error, "its axes must be told, for the batch's is none of them");
  for (guint i = 0; i < axes->len; i++)
    {
      guint axis;

      if (!nn_onnx_axis (value, nn_onnx_whole (g_array_index (axes, double, i)), &axis) || axis == value->batch)
        return nn_load_unsupported (error, "its axes are the batch's, or none");
      mark[axis] = TRUE;
    }
  if (!reduced_range (value, mark, &first, &last, &count) &&
      (!gather_reduced (onnx, value, mark, error) || !reduced_range (value, mark, &first, &last, &count)))
    return error != NULL && *error != NULL ? FALSE : nn_load_unsupported (error, "its axes do not lie side by side");
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

/* Reductions that are a sum or a maximum of something: what is done before, which it is, what after. */
static const struct {
  const char *type;
  const char *before;
  const char *reduction;
  const char *after;
} reductions[] = {
  { "ReduceMin", "Neg", "ReduceMax", "Neg" },       { "ReduceL1", "Abs", "ReduceSum", NULL },
  { "ReduceL2", "Square", "ReduceSum", "Sqrt" },    { "ReduceSumSquare", "Square", "ReduceSum", NULL },
  { "ReduceLogSum", NULL, "ReduceSum", "Log" },     { "ReduceLogSumExp", "Exp", "ReduceSum", "Log" },
};

gboolean
nn_onnx_read_other_reduce (NnOnnx           *onnx,
                           Onnx__NodeProto  *op,
                           GError          **error)
{
  const char *before = nn_onnx_middle (onnx, op, "before"), *sum = nn_onnx_middle (onnx, op, "reduced"), *out = nn_onnx_out (op, 0);
  Onnx__NodeProto reduction = *op;
  g_autofree char **inputs = g_memdup2 (op->input, op->n_input * sizeof *op->input);
  char *outputs[1];

  for (guint i = 0; i < G_N_ELEMENTS (reductions); i++)
    {
      if (!g_str_equal (reductions[i].type, op->op_type))
        continue;
      if (reductions[i].before == NULL)
        before = op->input[0];
      else if (g_str_equal (reductions[i].before, "Square")
                 ? !nn_onnx_run (onnx, "Mul", before, op->input[0], op->input[0], error)
                 : !nn_onnx_run (onnx, reductions[i].before, before, op->input[0], NULL, error))
        return FALSE;
      outputs[0] = (char *) (reductions[i].after != NULL ? sum : out);
      inputs[0] = (char *) before;
      reduction.op_type = (char *) reductions[i].reduction;
      reduction.input = inputs;
      reduction.output = outputs;
      reduction.n_output = 1;
      return nn_onnx_run_op (onnx, &reduction, error) &&
             (reductions[i].after == NULL || nn_onnx_run (onnx, reductions[i].after, out, sum, NULL, error));
    }
  return nn_load_unsupported (error, "this reduction is not known");
}
