/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of ONNX's operators. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

NnOnnxValue *
nn_onnx_data (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              GError          **error)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0);

  if (value == NULL || value->constant != NULL || value->rank < 1)
    {
      nn_load_unsupported (error, "its first input must be data");
      return NULL;
    }
  return value;
}

/* One node whose result lies as its input does. */
NnNode *
nn_onnx_like (NnOnnx          *onnx,
              Onnx__NodeProto *op,
              NnOp             which,
              NnOnnxValue     *value)
{
  NnNode *node = nn_onnx_node (onnx, which, nn_onnx_out (op, 0), op->op_type, &value->node, 1);

  nn_onnx_result (onnx, nn_onnx_out (op, 0), value);
  return node;
}

static const struct {
  const char  *type;
  NnOnnxReader reader;
} readers[] = {
  { "Abs", nn_onnx_read_activation },
  { "Add", nn_onnx_read_merge },
  { "And", nn_onnx_read_logic },
  { "ArgMax", nn_onnx_read_arg_max },
  { "Atan", nn_onnx_read_activation },
  { "AveragePool", nn_onnx_read_pool },
  { "BatchNormalization", nn_onnx_read_norm },
  { "BipolarQuant", nn_onnx_read_quant },
  { "Cast", nn_onnx_read_cast },
  { "CastLike", nn_onnx_read_cast },
  { "Ceil", nn_onnx_read_activation },
  { "Celu", nn_onnx_read_celu },
  { "Clip", nn_onnx_read_clip },
  { "Concat", nn_onnx_read_concat },
  { "Conv", nn_onnx_read_conv },
  { "ConvTranspose", nn_onnx_read_conv },
  { "Cos", nn_onnx_read_activation },
  { "CumSum", nn_onnx_read_cum_sum },
  { "DepthToSpace", nn_onnx_read_depth_to_space },
  { "DequantizeLinear", nn_onnx_read_linear },
  { "Div", nn_onnx_read_merge },
  { "Dropout", nn_onnx_read_identity },
  { "Einsum", nn_onnx_read_einsum },
  { "Elu", nn_onnx_read_activation },
  { "Equal", nn_onnx_read_compare },
  { "Erf", nn_onnx_read_erf },
  { "Exp", nn_onnx_read_activation },
  { "Expand", nn_onnx_read_expand },
  { "Flatten", nn_onnx_read_flatten },
  { "Floor", nn_onnx_read_activation },
  { "GRU", nn_onnx_read_recurrent },
  { "Gather", nn_onnx_read_gather },
  { "Gelu", nn_onnx_read_gelu },
  { "Gemm", nn_onnx_read_dense },
  { "GlobalAveragePool", nn_onnx_read_global_pool },
  { "GlobalMaxPool", nn_onnx_read_global_pool },
  { "Greater", nn_onnx_read_compare },
  { "GreaterOrEqual", nn_onnx_read_compare },
  { "HardSigmoid", nn_onnx_read_activation },
  { "HardSwish", nn_onnx_read_hard_swish },
  { "Identity", nn_onnx_read_identity },
  { "If", nn_onnx_read_if },
  { "InstanceNormalization", nn_onnx_read_instance_norm },
  { "IntQuant", nn_onnx_read_quant },
  { "LSTM", nn_onnx_read_recurrent },
  { "LayerNormalization", nn_onnx_read_norm },
  { "LeakyRelu", nn_onnx_read_activation },
  { "Less", nn_onnx_read_compare },
  { "LessOrEqual", nn_onnx_read_compare },
  { "Log", nn_onnx_read_activation },
  { "LogSoftmax", nn_onnx_read_log_softmax },
  { "MatMul", nn_onnx_read_dense },
  { "Max", nn_onnx_read_merge },
  { "MaxPool", nn_onnx_read_pool },
  { "Mean", nn_onnx_read_merge },
  { "Min", nn_onnx_read_merge },
  { "Mish", nn_onnx_read_activation },
  { "Mul", nn_onnx_read_merge },
  { "MultiThreshold", nn_onnx_read_multi_threshold },
  { "Neg", nn_onnx_read_unary },
  { "Not", nn_onnx_read_logic },
  { "Or", nn_onnx_read_logic },
  { "PRelu", nn_onnx_read_prelu },
  { "Pad", nn_onnx_read_pad },
  { "Pow", nn_onnx_read_pow },
  { "QLinearConv", nn_onnx_read_on_codes },
  { "QLinearMatMul", nn_onnx_read_on_codes },
  { "Quant", nn_onnx_read_quant },
  { "QuantizeLinear", nn_onnx_read_linear },
  { "RNN", nn_onnx_read_recurrent },
  { "Reciprocal", nn_onnx_read_unary },
  { "ReduceL1", nn_onnx_read_other_reduce },
  { "ReduceL2", nn_onnx_read_other_reduce },
  { "ReduceLogSum", nn_onnx_read_other_reduce },
  { "ReduceLogSumExp", nn_onnx_read_other_reduce },
  { "ReduceMax", nn_onnx_read_reduce },
  { "ReduceMean", nn_onnx_read_reduce },
  { "ReduceMin", nn_onnx_read_other_reduce },
  { "ReduceSum", nn_onnx_read_reduce },
  { "ReduceSumSquare", nn_onnx_read_other_reduce },
  { "Relu", nn_onnx_read_activation },
  { "Reshape", nn_onnx_read_reshape },
  { "Resize", nn_onnx_read_resize },
  { "Round", nn_onnx_read_activation },
  { "Selu", nn_onnx_read_activation },
  { "Shape", nn_onnx_read_shape },
  { "Sigmoid", nn_onnx_read_activation },
  { "Sign", nn_onnx_read_activation },
  { "Sin", nn_onnx_read_activation },
  { "Slice", nn_onnx_read_slice },
  { "Softmax", nn_onnx_read_softmax },
  { "Softplus", nn_onnx_read_activation },
  { "Softsign", nn_onnx_read_activation },
  { "SpaceToDepth", nn_onnx_read_depth_to_space },
  { "Split", nn_onnx_read_split },
  { "Sqrt", nn_onnx_read_activation },
  { "Squeeze", nn_onnx_read_squeeze },
  { "Sub", nn_onnx_read_merge },
  { "Sum", nn_onnx_read_merge },
  { "Swish", nn_onnx_read_activation },
  { "Tan", nn_onnx_read_activation },
  { "Tanh", nn_onnx_read_activation },
  { "ThresholdedRelu", nn_onnx_read_activation },
  { "Tile", nn_onnx_read_tile },
  { "TopK", nn_onnx_read_top_k },
  { "Transpose", nn_onnx_read_transpose },
  { "TreeEnsemble", nn_onnx_read_newer_trees },
  { "TreeEnsembleClassifier", nn_onnx_read_trees },
  { "TreeEnsembleRegressor", nn_onnx_read_trees },
  { "Trunc", nn_onnx_read_trunc },
  { "Unsqueeze", nn_onnx_read_squeeze },
  { "Upsample", nn_onnx_read_resize },
  { "Where", nn_onnx_read_where },
  { "ZipMap", nn_onnx_read_identity },
};

/* Of ONNX Runtime's own domain; what it has beside ONNX. */
static const struct {
  const char  *type;
  NnOnnxReader reader;
} microsoft[] = {
  { "BiasGelu", nn_onnx_read_gelu },
  { "DequantizeLinear", nn_onnx_read_linear },
  { "FastGelu", nn_onnx_read_gelu },
  { "FusedConv", nn_onnx_read_fused },
  { "FusedGemm", nn_onnx_read_fused },
  { "FusedMatMul", nn_onnx_read_fused },
  { "Gelu", nn_onnx_read_gelu },
  { "QLinearAdd", nn_onnx_read_on_codes },
  { "QLinearAveragePool", nn_onnx_read_on_codes },
  { "QLinearConcat", nn_onnx_read_codes_concat },
  { "QLinearGlobalAveragePool", nn_onnx_read_on_codes },
  { "QLinearLeakyRelu", nn_onnx_read_on_codes },
  { "QLinearMul", nn_onnx_read_on_codes },
  { "QLinearSigmoid", nn_onnx_read_on_codes },
  { "QLinearSoftmax", nn_onnx_read_on_codes },
  { "QuantizeLinear", nn_onnx_read_linear },
  { "QuickGelu", nn_onnx_read_gelu },
};

#define MICROSOFT_DOMAIN "com.microsoft"

/* Operators whose names say why they are not read: that there is none would not help. */
static const struct {
  const char *type;
  const char *reason;
} reasons[] = {
  { "Loop", "a loop whose steps the data decide has no fixed hardware; export the network unrolled, or without control flow" },
  { "Scan", "a loop over steps that is not LSTM, GRU or RNN is not supported; export the network unrolled" },
  { "DynamicQuantizeLinear", "its scale depends on the data; quantise statically (QDQ) instead" },
  { "ConvInteger", "it belongs to dynamic quantisation, whose scales depend on the data; quantise statically (QDQ) instead" },
  { "MatMulInteger", "it belongs to dynamic quantisation, whose scales depend on the data; quantise statically (QDQ) instead" },
  { "NonZero", "how many numbers it answers depends on the data" },
  { "NonMaxSuppression", "how many boxes it answers depends on the data; export the network without its post-processing" },
  { "RandomNormal", "its numbers are random" },
  { "RandomNormalLike", "its numbers are random" },
  { "RandomUniform", "its numbers are random" },
  { "RandomUniformLike", "its numbers are random" },
};

static gboolean
is_known_domain (const char *domain)
{
  return domain == NULL || domain[0] == '\0' || g_str_has_prefix (domain, "ai.onnx") || g_str_has_prefix (domain, "qonnx") ||
         g_str_has_prefix (domain, "finn.") || g_str_equal (domain, "onnx.brevitas");
}

/* Whether the operator is of ONNX's own domain. */
gboolean
nn_onnx_is_standard (const Onnx__NodeProto *op)
{
  return op->domain == NULL || op->domain[0] == '\0' || g_str_equal (op->domain, "ai.onnx");
}

NnOnnxReader
nn_onnx_find_reader (const char *domain,
                     const char *type)
{
  if (g_strcmp0 (domain, NN_ONNX_OWN_DOMAIN) == 0)
    return nn_onnx_read_own;
  for (guint i = 0; g_strcmp0 (domain, MICROSOFT_DOMAIN) == 0 && i < G_N_ELEMENTS (microsoft); i++)
    if (g_str_equal (microsoft[i].type, type))
      return microsoft[i].reader;
  for (guint i = 0; is_known_domain (domain) && i < G_N_ELEMENTS (readers); i++)
    if (g_str_equal (readers[i].type, type))
      return readers[i].reader;
  return NULL;
}

/* Why there is no reader. FALSE */
gboolean
nn_onnx_no_reader (const Onnx__NodeProto  *op,
                   GError                **error)
{
  if (!is_known_domain (op->domain) && g_strcmp0 (op->domain, MICROSOFT_DOMAIN) != 0)
    return nn_load_unsupported (error,
                                "Espalier has no operators of the domain \"%s\"; those of ONNX, ai.onnx.ml, com.microsoft and QONNX are "
                                "read, and functions that the file itself defines",
                                op->domain);
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (g_str_equal (reasons[i].type, op->op_type))
      return nn_load_unsupported (error, "%s", reasons[i].reason);
  return nn_load_unsupported (error, "Espalier has no operator \"%s\"", op->op_type);
}

/* Every operator that has a reader, and those that constants are folded through, for the page of supported layers. */
char **
nn_onnx_type_names (void)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_ptr_array_add (names, g_strdup (readers[i].type));
  for (guint i = 0; i < G_N_ELEMENTS (microsoft); i++)
    g_ptr_array_add (names, g_strdup_printf ("%s.%s", MICROSOFT_DOMAIN, microsoft[i].type));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}
