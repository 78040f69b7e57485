/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite's operators that compute number by number: activations, data with data, changes of the codes. */

#include "nn-tflite.h"

#include "nn-text.h"

#define SIX 6.0 /* of RELU6 */

/* BuiltinOperator. */
enum {
  ADD = 0, DEQUANTIZE = 6, MUL = 18, RELU = 19, RELU_N1_TO_1 = 20, RELU6 = 21, SOFTMAX = 25, SUB = 41, DIV = 42, LEAKY_RELU = 98,
  GELU = 150,
};

gboolean
nn_tflite_fused (gint64    fused,
                 NnAttrs  *attrs,
                 GError  **error)
{
  switch (fused)
    {
    case NN_TFLITE_FUSED_NONE:
      attrs->act = NN_ACT_LINEAR;
      return TRUE;
    case NN_TFLITE_FUSED_RELU:
      attrs->act = NN_ACT_RELU;
      return TRUE;
    case NN_TFLITE_FUSED_RELU6:
      attrs->act = NN_ACT_RELU;
      attrs->max_value = SIX;
      return TRUE;
    case NN_TFLITE_FUSED_RELU_N1_TO_1:
      attrs->act = NN_ACT_HARD_TANH;
      return TRUE;
    case NN_TFLITE_FUSED_TANH:
      attrs->act = NN_ACT_TANH;
      return TRUE;
    default:
      return nn_load_unsupported (error, "its activation %d is not supported", (int) fused);
    }
}

/* What the operator computes of each number. */
static gboolean
set_activation (const NnTfliteOp *op,
                NnAttrs          *a,
                GError          **error)
{
  static const struct {
    gint64 code;
    NnAct  act;
  } acts[] = { { 8, NN_ACT_FLOOR },     { 14, NN_ACT_SIGMOID },  { 28, NN_ACT_TANH }, { 47, NN_ACT_EXPONENTIAL }, { 66, NN_ACT_SIN },
               { 73, NN_ACT_LOG },      { 75, NN_ACT_SQRT },     { 101, NN_ACT_ABS }, { 104, NN_ACT_CEIL },       { 108, NN_ACT_COS },
               { 111, NN_ACT_ELU },     { 116, NN_ACT_ROUND },   { 158, NN_ACT_SIGN } };
  double beta;

  switch (op->code)
    {
    case RELU:
      return nn_tflite_fused (NN_TFLITE_FUSED_RELU, a, error);
    case RELU_N1_TO_1:
      return nn_tflite_fused (NN_TFLITE_FUSED_RELU_N1_TO_1, a, error);
    case RELU6:
      return nn_tflite_fused (NN_TFLITE_FUSED_RELU6, a, error);
    case LEAKY_RELU:
      a->act = NN_ACT_LEAKY_RELU;
      a->alpha = nn_flat_float (op->options, 0, 0);
      return TRUE;
    case GELU:
      a->act = nn_flat_int (op->options, 0, 1, 0) != 0 ? NN_ACT_GELU_TANH : NN_ACT_GELU;
      return TRUE;
    case SOFTMAX:
      a->act = NN_ACT_SOFTMAX;
      a->axis = -1;
      beta = nn_flat_float (op->options, 0, 0);
      if (beta != 1)
        {
          g_autofree char *text = nn_text_from_double (beta);

          return nn_load_unsupported (error, "beta %s is not supported; only 1 is", text);
        }
      return TRUE;
    default:
      a->alpha = 1; /* of ELU */
      for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
        if (acts[i].code == op->code)
          a->act = acts[i].act;
      return TRUE;
    }
}

gboolean
nn_tflite_read_activation (NnTflite         *t,
                           const NnTfliteOp *op,
                           GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error);
  NnAttrs attrs = { 0 };
  NnNode *node;

  if (input == NULL || !set_activation (op, &attrs, error))
    return FALSE;
  node = nn_tflite_unary (t, op, NN_OP_ACTIVATION, input);
  node->attrs = attrs;
  return nn_tflite_result (t, op, node, NN_TFLITE_FUSED_NONE, error);
}

/* x * relu6 (x + 3) / 6 */
gboolean
nn_tflite_read_hard_swish (NnTflite         *t,
                           const NnTfliteOp *op,
                           GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL), *gate = g_strconcat (name, "_gate", NULL);
  guint factors[2];
  NnNode *node;

  if (input == NULL)
    return FALSE;
  node = nn_tflite_node (t, NN_OP_ACTIVATION, gate, op->name, &input->node, 1);
  node->attrs.act = NN_ACT_HARD_SIGMOID;
  node->attrs.slope = 1 / SIX;
  node->attrs.shift = 0.5;
  if (!nn_tflite_finish (t, node, error))
    return FALSE;
  factors[0] = input->node;
  factors[1] = nn_graph_builder_n_nodes (t->builder) - 1;
  return nn_tflite_result (t, op, nn_tflite_node (t, NN_OP_MULTIPLY, name, op->name, factors, 2), NN_TFLITE_FUSED_NONE, error);
}

gboolean
nn_tflite_read_square (NnTflite         *t,
                       const NnTfliteOp *op,
                       GError          **error)
{
  NnTfliteTensor *input = nn_tflite_data (t, op, error);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

  return input != NULL &&
         nn_tflite_result (t, op, nn_tflite_node (t, NN_OP_MULTIPLY, name, op->name, (guint[]){ input->node, input->node }, 2),
                           NN_TFLITE_FUSED_NONE, error);
}

/* Of data with data; with a constant it is a scale. */
gboolean
nn_tflite_read_merge (NnTflite         *t,
                      const NnTfliteOp *op,
                      GError          **error)
{
  static const struct {
    gint64   code;
    NnOp     op;
    gboolean fuses;
  } merges[] = { { ADD, NN_OP_ADD, TRUE },      { MUL, NN_OP_MULTIPLY, TRUE }, { SUB, NN_OP_SUBTRACT, TRUE },
                 { DIV, NN_OP_DIVIDE, TRUE },   { 55, NN_OP_MAXIMUM, FALSE },  { 57, NN_OP_MINIMUM, FALSE },
                 { 106, NN_OP_ADD, FALSE } };
  g_autofree guint *inputs = g_new (guint, op->inputs.n + 1);
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);
  guint constants = 0, which = 0;

  for (guint i = 0; i < G_N_ELEMENTS (merges); i++)
    if (merges[i].code == op->code)
      which = i;
  for (guint i = 0; i < op->inputs.n; i++)
    {
      NnTfliteTensor *input = nn_tflite_input (t, op, i);

      if (input == NULL)
        return nn_load_unsupported (error, "an input is missing");
      constants += !input->computed;
      inputs[i] = input->node;
    }
  if (constants == 1 && op->inputs.n == 2 && merges[which].fuses)
    return nn_tflite_read_scale (t, op, error);
  if (constants > 0 || op->inputs.n < 2)
    return nn_load_unsupported (error, "a constant as one of its inputs is not supported");
  return nn_tflite_result (t, op, nn_tflite_node (t, merges[which].op, name, op->name, inputs, (guint) op->inputs.n),
                           merges[which].fuses ? nn_flat_int (op->options, 0, 1, 0) : NN_TFLITE_FUSED_NONE, error);
}

/* QUANTIZE: the quantiser of its result. DEQUANTIZE: the same real numbers, of data or of a constant. */
gboolean
nn_tflite_read_codes (NnTflite         *t,
                      const NnTfliteOp *op,
                      GError          **error)
{
  NnTfliteTensor *input = nn_tflite_input (t, op, 0), *output = nn_tflite_output (t, op, 0);

  if (input == NULL || output == NULL)
    return nn_load_unsupported (error, "it has no input or no output");
  if (!input->computed && nn_tflite_tensor (t, input->same)->data == NULL)
    return nn_load_unsupported (error, "its input is neither computed nor constant");
  output->computed = input->computed;
  output->node = input->node;
  output->merged = input->merged;
  output->same = input->same;
  if (op->code == DEQUANTIZE || !input->computed || nn_tflite_same_codes (input, output))
    return TRUE;
  return nn_tflite_result (t, op, NULL, NN_TFLITE_FUSED_NONE, error);
}
