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

/* Of @value along the axes of @mark, as @name. */
static gboolean
reduce (NnOnnx           *onnx,
        Onnx__NodeProto  *op,
        const char       *name,
        NnOp              which,
        NnOnnxValue      *value,
        const gboolean   *mark,
        gboolean          keep,
        GError          **error)
{
  NnOnnxValue *result;
  int first, last, count;
  gboolean alone;
  guint to = 0;
  NnNode *node;

  if (!reduced_range (value, mark, &first, &last, &count) &&
      (!gather_reduced (onnx, value, mark, error) || !reduced_range (value, mark, &first, &last, &count)))
    return error != NULL && *error != NULL ? FALSE : nn_load_unsupported (error, "its axes do not lie side by side");
  alone = !keep && count == (int) value->rank - 1; /* one number: the computed sample keeps one axis of one element */
  node = nn_onnx_node (onnx, which, name, op->op_type, &value->node, 1);
  node->attrs.axis = first;
  node->attrs.axis2 = last;
  node->attrs.keep_dims = keep || alone;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
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

/* ReduceMean, ReduceSum, ReduceMax. */
gboolean
nn_onnx_read_reduce (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found, mark[NN_MAX_RANK + 1] = { FALSE };

  if (value == NULL || (value->order != NULL && !nn_onnx_natural (onnx, value, error)))
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found))
    return nn_load_unsupported (error, "its axes must be constant");
  if (axes->len == 0 && nn_onnx_int (op, "noop_with_empty_axes", 0) != 0)
    return nn_onnx_run (onnx, "Identity", nn_onnx_out (op, 0), op->input[0], NULL, error);
  if (axes->len == 0)
    return nn_load_unsupported (error, "its axes must be told, for the batch's is none of them");
  for (guint i = 0; i < axes->len; i++)
    {
      guint axis;

      if (!nn_onnx_axis (value, nn_onnx_whole (g_array_index (axes, double, i)), &axis) || axis == value->batch)
        return nn_load_unsupported (error, "its axes are the batch's, or none");
      mark[axis] = TRUE;
    }
  return reduce (onnx, op, nn_onnx_out (op, 0),
                 strstr (op->op_type, "Mean") != NULL  ? NN_OP_REDUCE_MEAN
                 : strstr (op->op_type, "Sum") != NULL ? NN_OP_REDUCE_SUM
                                                       : NN_OP_REDUCE_MAX,
                 value, mark, nn_onnx_int (op, "keepdims", 1) != 0, error);
}

/* The place of the largest number along one axis, the first of equals, as ArgMax and TopK of one tell it. */
gboolean
nn_onnx_read_winner (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     const char       *name,
                     gint64            along,
                     gboolean          keep,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gboolean mark[NN_MAX_RANK + 1] = { FALSE };
  guint axis;

  if (value == NULL || (value->order != NULL && !nn_onnx_natural (onnx, value, error)))
    return FALSE;
  if (!nn_onnx_axis (value, along, &axis) || axis == value->batch)
    return nn_load_unsupported (error, "its axis is the batch's, or none");
  mark[axis] = TRUE;
  return reduce (onnx, op, name, NN_OP_ARG_MAX, value, mark, keep, error);
}

/* The one largest number and its place; more of them would have to be sorted. */
gboolean
nn_onnx_read_top_k (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 along = nn_onnx_int (op, "axis", -1);
  gboolean found, mark[NN_MAX_RANK + 1] = { FALSE };
  guint axis;

  if (value == NULL || (value->order != NULL && !nn_onnx_natural (onnx, value, error)))
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "k", 1, counts, &found) || counts->len != 1 || g_array_index (counts, double, 0) != 1 ||
      nn_onnx_int (op, "largest", 1) == 0)
    return nn_load_unsupported (error, "sorting data is not supported; the one largest number (k = 1) is");
  if (!nn_onnx_axis (value, along, &axis) || axis == value->batch)
    return nn_load_unsupported (error, "its axis is the batch's, or none");
  mark[axis] = TRUE;
  return (op->n_output < 1 || op->output[0][0] == '\0' || reduce (onnx, op, op->output[0], NN_OP_REDUCE_MAX, value, mark, TRUE, error)) &&
         (op->n_output < 2 || op->output[1][0] == '\0' || reduce (onnx, op, op->output[1], NN_OP_ARG_MAX, value, mark, TRUE, error));
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
