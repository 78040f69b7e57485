/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations as ONNX's operators. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

/* The activation of @node from @input to @output; linear is no operator but for a name. */
gboolean
nn_onnx_put_activation (NnOnnxWriter  *w,
                        const NnNode  *node,
                        const char    *input,
                        const char    *output,
                        int            axis,
                        GError       **error)
{
  const NnAttrs *a = &node->attrs;
  Onnx__NodeProto *op;
  const char *middle;

  switch (a->act)
    {
    case NN_ACT_LINEAR:
      nn_onnx_op (w, "Identity", output, input, NULL);
      return TRUE;
    case NN_ACT_RELU:
      if (a->threshold != 0)
        return nn_onnx_fail (node, "a threshold of ReLU has no operator", error);
      if (a->alpha != 0)
        {
          middle = a->max_value > 0 ? nn_onnx_text (w, "%s__leaky", output) : output;
          op = nn_onnx_op (w, "LeakyRelu", middle, input, NULL);
          nn_onnx_set_real (w, op, "alpha", a->alpha);
          if (a->max_value > 0)
            nn_onnx_op (w, "Min", output, middle, nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), a->max_value),
                        NULL);
        }
      else if (a->max_value > 0)
        nn_onnx_op (w, "Clip", output, input, nn_onnx_put_real (w, nn_onnx_text (w, "%s__min", output), 0),
                    nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), a->max_value), NULL);
      else
        nn_onnx_op (w, "Relu", output, input, NULL);
      return TRUE;
    case NN_ACT_LEAKY_RELU:
    case NN_ACT_ELU:
    case NN_ACT_THRESHOLDED_RELU:
      op = nn_onnx_op (w, a->act == NN_ACT_LEAKY_RELU ? "LeakyRelu" : a->act == NN_ACT_ELU ? "Elu" : "ThresholdedRelu",
                       output, input, NULL);
      nn_onnx_set_real (w, op, "alpha", a->act == NN_ACT_THRESHOLDED_RELU ? a->threshold : a->alpha);
      return TRUE;
    case NN_ACT_HARD_SIGMOID:
      op = nn_onnx_op (w, "HardSigmoid", output, input, NULL);
      nn_onnx_set_real (w, op, "alpha", a->slope);
      nn_onnx_set_real (w, op, "beta", a->shift);
      return TRUE;
    case NN_ACT_HARD_TANH:
      nn_onnx_op (w, "Clip", output, input, nn_onnx_put_real (w, nn_onnx_text (w, "%s__min", output), -1),
                  nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), 1), NULL);
      return TRUE;
    case NN_ACT_SOFTMAX:
      op = nn_onnx_op (w, "Softmax", output, input, NULL);
      nn_onnx_set_int (w, op, "axis", axis);
      return TRUE;
    case NN_ACT_SWISH:
      middle = nn_onnx_text (w, "%s__sigmoid", output);
      nn_onnx_op (w, "Sigmoid", middle, input, NULL);
      nn_onnx_op (w, "Mul", output, input, middle, NULL);
      return TRUE;
    case NN_ACT_SELU:
    case NN_ACT_SIGMOID:
    case NN_ACT_TANH:
    case NN_ACT_SOFTPLUS:
    case NN_ACT_SOFTSIGN:
    case NN_ACT_EXPONENTIAL:
    case NN_ACT_SIN:
    case NN_ACT_COS:
      {
        static const struct {
          NnAct       act;
          const char *type;
        } types[] = { { NN_ACT_SELU, "Selu" },         { NN_ACT_SIGMOID, "Sigmoid" },   { NN_ACT_TANH, "Tanh" },
                      { NN_ACT_SOFTPLUS, "Softplus" }, { NN_ACT_SOFTSIGN, "Softsign" }, { NN_ACT_EXPONENTIAL, "Exp" },
                      { NN_ACT_SIN, "Sin" },           { NN_ACT_COS, "Cos" } };

        for (guint i = 0; i < G_N_ELEMENTS (types); i++)
          if (types[i].act == a->act)
            nn_onnx_op (w, types[i].type, output, input, NULL);
        return TRUE;
      }
    case NN_ACT_QUANTIZED:
      if (a->quantizer != NULL && a->quantizer->kind == NN_QUANT_RELU)
        {
          middle = nn_onnx_text (w, "%s__relu", output);
          nn_onnx_op (w, "Relu", middle, input, NULL);
          input = middle;
        }
      return a->quantizer != NULL && nn_onnx_put_quant (w, node, a->quantizer, input, output, error) != NULL;
    default:
      return nn_onnx_fail (node, nn_act_name (a->act), error);
    }
}

gboolean
nn_onnx_write_activation (NnOnnxWriter  *w,
                          const NnNode  *node,
                          guint          index,
                          GError       **error)
{
  NnOnnxLayout layout = nn_onnx_layout_of (w, node);
  const char *input = nn_onnx_value (w, node->inputs[0], layout), *output = nn_onnx_name_in (w, node, index, layout);
  const char *alpha;
  guint axes[NN_MAX_RANK];

  if (node->op == NN_OP_QUANTIZE)
    return node->attrs.quantizer != NULL
             ? nn_onnx_put_quant (w, node, node->attrs.quantizer, input, output, error) != NULL
             : nn_onnx_fail (node, "a quantiser is missing", error);
  if (node->op == NN_OP_DROPOUT)
    {
      nn_onnx_op (w, "Identity", output, input, NULL);
      return TRUE;
    }
  if (node->op == NN_OP_PRELU)
    {
      for (guint i = 0; i < node->shape.rank; i++)
        axes[i] = i == 0 ? node->shape.rank - 1 : i - 1;
      alpha = nn_onnx_put_weight (w, node, NN_ROLE_ALPHA, layout == NN_ONNX_FIRST ? axes : NULL, NULL, error);
      if (alpha != NULL)
        nn_onnx_op (w, "PRelu", output, input, alpha, NULL);
      return alpha != NULL;
    }
  return nn_onnx_put_activation (w, node, input, output,
                                 (int) nn_onnx_file_axis (node->attrs.axis, node->shape.rank, layout), error);
}
