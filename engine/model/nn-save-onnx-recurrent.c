/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Recurrent layers as ONNX's operators. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

/* Gates and axes turned back: (n, gates * units) to (1, gates * units, n). */
static const char *
put_gates (NnOnnxWriter    *w,
           const char      *name,
           const NnWeight  *weight,
           const guint     *gates,
           guint            n_gates,
           gint64           units)
{
  g_autoptr (NnTensor) values = nn_onnx_weight_values (weight);
  gint64 n = values->shape.dims[0];
  g_autoptr (NnTensor) turned = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, (gint64) n_gates * units, n));

  for (gint64 i = 0; i < n; i++)
    for (guint g = 0; g < n_gates; g++)
      for (gint64 u = 0; u < units; u++)
        nn_tensor_f32 (turned)[(gates[g] * units + u) * n + i] = nn_tensor_f32 (values)[(i * n_gates + g) * units + u];
  return nn_onnx_put (w, name, turned);
}

gboolean
nn_onnx_write_recurrent (NnOnnxWriter  *w,
                         const NnNode  *node,
                         guint          index,
                         GError       **error)
{
  static const guint lstm_gates[] = { 0, 2, 3, 1 }, plain_gates[] = { 0, 1, 2 };
  const NnAttrs *a = &node->attrs;
  gboolean lstm = node->op == NN_OP_LSTM, gru = node->op == NN_OP_GRU;
  guint n_gates = lstm ? 4 : gru ? 3 : 1;
  const guint *gates = lstm ? lstm_gates : plain_gates;
  const gint64 swap[] = { 1, 0, 2 }, zero = 0, one = 1;
  const char *turned = nn_onnx_text (w, "%s__steps", node->name), *raw = nn_onnx_text (w, "%s__raw", node->name);
  const char *output = nn_onnx_name_in (w, node, index, NN_ONNX_LAST), *bias = "", *kernel, *recurrent;
  const NnWeight *b = nn_model_node_weight (w->model, node, NN_ROLE_BIAS);
  Onnx__NodeProto *op;

  if (a->act != NN_ACT_TANH || (node->op != NN_OP_SIMPLE_RNN && a->recurrent_act != NN_ACT_SIGMOID))
    return nn_onnx_fail (node, "other functions than sigmoid and tanh", error);
  if (a->role_quantizer[NN_ROLE_KERNEL] != NULL || a->state_quantizer != NULL || (a->go_backwards && a->return_sequences))
    return nn_onnx_fail (node, "quantisers, or steps returned backwards", error);
  op = nn_onnx_op (w, "Transpose", turned, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), NULL);
  nn_onnx_set_ints (w, op, "perm", swap, 3);
  kernel = put_gates (w, nn_onnx_text (w, "%s__kernel", node->name), nn_model_node_weight (w->model, node, NN_ROLE_KERNEL),
                      gates, n_gates, a->units);
  recurrent = put_gates (w, nn_onnx_text (w, "%s__recurrent_kernel", node->name),
                         nn_model_node_weight (w->model, node, NN_ROLE_RECURRENT_KERNEL), gates, n_gates, a->units);
  if (b != NULL)
    {
      gint64 wide = (gint64) n_gates * a->units;
      g_autoptr (NnTensor) both = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, 2 * wide));

      for (gsize half = 0; half < b->values->n / (gsize) wide; half++)
        for (guint g = 0; g < n_gates; g++)
          for (gint64 u = 0; u < a->units; u++)
            nn_tensor_f32 (both)[(gint64) half * wide + gates[g] * a->units + u] =
                nn_tensor_f32 (b->values)[(gint64) half * wide + g * a->units + u];
      bias = nn_onnx_put (w, nn_onnx_text (w, "%s__bias", node->name), both);
    }
  op = nn_onnx_op (w, lstm ? "LSTM" : gru ? "GRU" : "RNN", a->return_sequences ? raw : "", turned, kernel, recurrent, bias,
                   NULL);
  nn_onnx_set_int (w, op, "hidden_size", a->units);
  nn_onnx_set_text (w, op, "direction", a->go_backwards ? "reverse" : "forward");
  if (gru)
    nn_onnx_set_int (w, op, "linear_before_reset", a->reset_after);
  if (a->return_sequences)
    {
      const char *squeezed = nn_onnx_text (w, "%s__squeezed", node->name);

      nn_onnx_op (w, "Squeeze", squeezed, raw, nn_onnx_put_ints (w, squeezed, &one, 1), NULL);
      op = nn_onnx_op (w, "Transpose", output, squeezed, NULL);
      nn_onnx_set_ints (w, op, "perm", swap, 3);
      return TRUE;
    }
  op->n_output = 2;
  op->output = nn_arena_memdup (w->arena, (char *[]){ (char *) "", (char *) raw }, 2 * sizeof (char *));
  nn_onnx_op (w, "Squeeze", output, raw, nn_onnx_put_ints (w, output, &zero, 1), NULL);
  return TRUE;
}
