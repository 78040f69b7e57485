/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Activations as ONNX's operators. */

#include "nn-save-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

/* Keras's ReLU in full. What lies below the threshold is -slope * relu (threshold - x). */
static void
put_relu (NnOnnxWriter  *w,
          const NnAttrs *a,
          const char    *input,
          const char    *output)
{
  const char *x = a->max_value > 0 && (a->alpha != 0 || a->threshold != 0) ? nn_onnx_text (w, "%s__open", output) : output;

  if (a->threshold != 0)
    {
      const char *above = a->alpha != 0 ? nn_onnx_text (w, "%s__above", output) : x, *below = nn_onnx_text (w, "%s__below", output);

      nn_onnx_set_real (w, nn_onnx_op (w, "ThresholdedRelu", above, input, NULL), "alpha", a->threshold);
      if (a->alpha != 0)
        {
          nn_onnx_op (w, "Sub", nn_onnx_text (w, "%s__left", output),
                      nn_onnx_put_real (w, nn_onnx_text (w, "%s__threshold", output), a->threshold), input, NULL);
          nn_onnx_op (w, "Relu", nn_onnx_text (w, "%s__deep", output), nn_onnx_text (w, "%s__left", output), NULL);
          nn_onnx_op (w, "Mul", below, nn_onnx_text (w, "%s__deep", output),
                      nn_onnx_put_real (w, nn_onnx_text (w, "%s__slope", output), -a->alpha), NULL);
          nn_onnx_op (w, "Add", x, above, below, NULL);
        }
    }
  else if (a->alpha != 0)
    nn_onnx_set_real (w, nn_onnx_op (w, "LeakyRelu", x, input, NULL), "alpha", a->alpha);
  else if (a->max_value > 0)
    nn_onnx_op (w, "Clip", output, input, nn_onnx_put_real (w, nn_onnx_text (w, "%s__min", output), 0),
                nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), a->max_value), NULL);
  else
    nn_onnx_op (w, "Relu", output, input, NULL);
  if (x != output)
    nn_onnx_op (w, "Min", output, x, nn_onnx_put_real (w, nn_onnx_text (w, "%s__max", output), a->max_value), NULL);
}

/* 0.5 * x * (1 + erf (x / sqrt 2)), as PyTorch's exporter has it. */
static void
put_gelu (NnOnnxWriter *w,
          const char   *input,
          const char   *output)
{
  const char *scaled = nn_onnx_text (w, "%s__scaled", output), *erf_name = nn_onnx_text (w, "%s__erf", output);
  const char *up = nn_onnx_text (w, "%s__up", output), *product = nn_onnx_text (w, "%s__product", output);

  nn_onnx_op (w, "Div", scaled, input, nn_onnx_put_real (w, nn_onnx_text (w, "%s__root", output), M_SQRT2), NULL);
  nn_onnx_op (w, "Erf", erf_name, scaled, NULL);
  nn_onnx_op (w, "Add", up, erf_name, nn_onnx_put_real (w, nn_onnx_text (w, "%s__one", output), 1), NULL);
  nn_onnx_op (w, "Mul", product, input, up, NULL);
  nn_onnx_op (w, "Mul", output, product, nn_onnx_put_real (w, nn_onnx_text (w, "%s__half", output), 0.5), NULL);
}

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
      put_relu (w, a, input, output);
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
    case NN_ACT_TAN:
    case NN_ACT_ATAN:
    case NN_ACT_ABS:
    case NN_ACT_SQRT:
    case NN_ACT_LOG:
    case NN_ACT_ERF:
    case NN_ACT_SIGN:
    case NN_ACT_FLOOR:
    case NN_ACT_CEIL:
    case NN_ACT_ROUND:
      {
        static const struct {
          NnAct       act;
          const char *type;
        } types[] = { { NN_ACT_SELU, "Selu" },         { NN_ACT_SIGMOID, "Sigmoid" },   { NN_ACT_TANH, "Tanh" },
                      { NN_ACT_SOFTPLUS, "Softplus" }, { NN_ACT_SOFTSIGN, "Softsign" }, { NN_ACT_EXPONENTIAL, "Exp" },
                      { NN_ACT_SIN, "Sin" },           { NN_ACT_COS, "Cos" },
                      { NN_ACT_TAN, "Tan" }, { NN_ACT_ATAN, "Atan" }, { NN_ACT_ABS, "Abs" }, { NN_ACT_SQRT, "Sqrt" }, { NN_ACT_LOG, "Log" },
                      { NN_ACT_ERF, "Erf" }, { NN_ACT_SIGN, "Sign" }, { NN_ACT_FLOOR, "Floor" }, { NN_ACT_CEIL, "Ceil" }, { NN_ACT_ROUND, "Round" } };

        for (guint i = 0; i < G_N_ELEMENTS (types); i++)
          if (types[i].act == a->act)
            nn_onnx_op (w, types[i].type, output, input, NULL);
        return TRUE;
      }
    case NN_ACT_GELU:
      put_gelu (w, input, output);
      return TRUE;
    case NN_ACT_MISH:
      middle = nn_onnx_text (w, "%s__softplus", output);
      nn_onnx_op (w, "Softplus", middle, input, NULL);
      nn_onnx_op (w, "Tanh", nn_onnx_text (w, "%s__tanh", output), middle, NULL);
      nn_onnx_op (w, "Mul", output, input, nn_onnx_text (w, "%s__tanh", output), NULL);
      return TRUE;
    case NN_ACT_BINARY_TANH:
    case NN_ACT_TERNARY_TANH:
    case NN_ACT_GELU_TANH:
      nn_onnx_put_own_activation (w, a->act, input, output);
      return TRUE;
    case NN_ACT_QUANTIZED:
      if (a->quantizer == NULL)
        return nn_onnx_fail (node, "its quantiser is missing", error);
      if (a->quantizer->kind == NN_QUANT_RELU && a->quantizer->negative_slope == 0 && !a->quantizer->use_sigmoid)
        {
          middle = nn_onnx_text (w, "%s__relu", output);
          nn_onnx_op (w, "Relu", middle, input, NULL);
          input = middle;
        }
      return nn_onnx_put_quant (w, node, a->quantizer, &node->shape, input, output, error) != NULL;
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
  NnOnnxLayout layout = nn_onnx_quant_layout (node->attrs.quantizer, nn_onnx_layout_of (w, node));
  const char *input = nn_onnx_value (w, node->inputs[0], layout), *output = nn_onnx_name_in (w, node, index, layout);
  const char *alpha;
  guint axes[NN_MAX_RANK];

  if (node->op == NN_OP_QUANTIZE)
    return node->attrs.quantizer != NULL
             ? nn_onnx_put_quant (w, node, node->attrs.quantizer, &node->shape, input, output, error) != NULL
             : nn_onnx_fail (node, "its quantiser is missing", error);
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
