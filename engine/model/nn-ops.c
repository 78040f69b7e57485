/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one table of operators. */

#include "nn-ops.h"

#include <string.h>

#define ANY G_MAXUINT

static const NnOpInfo ops[NN_N_OPS] = {
  [NN_OP_UNSUPPORTED] = { "Unsupported", NN_OP_CLASS_OTHER, 0, ANY, TRUE },
  [NN_OP_INPUT] = { "InputLayer", NN_OP_CLASS_DATA, 0, 0, FALSE },
  [NN_OP_CONSTANT] = { "Constant", NN_OP_CLASS_DATA, 0, 0, TRUE },
  [NN_OP_DENSE] = { "Dense", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_EINSUM_DENSE] = { "EinsumDense", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_CONV1D] = { "Conv1D", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_CONV2D] = { "Conv2D", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_CONV1D_TRANSPOSE] = { "Conv1DTranspose", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_CONV2D_TRANSPOSE] = { "Conv2DTranspose", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_DEPTHWISE_CONV1D] = { "DepthwiseConv1D", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_DEPTHWISE_CONV2D] = { "DepthwiseConv2D", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_SEPARABLE_CONV1D] = { "SeparableConv1D", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_SEPARABLE_CONV2D] = { "SeparableConv2D", NN_OP_CLASS_MULTIPLY, 1, 1, TRUE },
  [NN_OP_BATCH_NORM] = { "BatchNormalization", NN_OP_CLASS_NORM, 1, 1, TRUE },
  [NN_OP_LAYER_NORM] = { "LayerNormalization", NN_OP_CLASS_NORM, 1, 1, TRUE },
  [NN_OP_SCALE] = { "Scale", NN_OP_CLASS_NORM, 1, 1, TRUE },
  [NN_OP_ACTIVATION] = { "Activation", NN_OP_CLASS_ACTIVATION, 1, 1, FALSE },
  [NN_OP_PRELU] = { "PReLU", NN_OP_CLASS_ACTIVATION, 1, 1, TRUE },
  [NN_OP_QUANTIZE] = { "Quantize", NN_OP_CLASS_ACTIVATION, 1, 1, TRUE },
  [NN_OP_DROPOUT] = { "Dropout", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_MAX_POOL1D] = { "MaxPooling1D", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_MAX_POOL2D] = { "MaxPooling2D", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_AVG_POOL1D] = { "AveragePooling1D", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_AVG_POOL2D] = { "AveragePooling2D", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_GLOBAL_MAX_POOL] = { "GlobalMaxPooling", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_GLOBAL_AVG_POOL] = { "GlobalAveragePooling", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_ADD] = { "Add", NN_OP_CLASS_MERGE, 2, ANY, FALSE },
  [NN_OP_SUBTRACT] = { "Subtract", NN_OP_CLASS_MERGE, 2, 2, FALSE },
  [NN_OP_MULTIPLY] = { "Multiply", NN_OP_CLASS_MERGE, 2, ANY, FALSE },
  [NN_OP_DIVIDE] = { "Divide", NN_OP_CLASS_MERGE, 2, 2, FALSE },
  [NN_OP_AVERAGE] = { "Average", NN_OP_CLASS_MERGE, 2, ANY, FALSE },
  [NN_OP_MAXIMUM] = { "Maximum", NN_OP_CLASS_MERGE, 2, ANY, FALSE },
  [NN_OP_MINIMUM] = { "Minimum", NN_OP_CLASS_MERGE, 2, ANY, FALSE },
  [NN_OP_CONCATENATE] = { "Concatenate", NN_OP_CLASS_MERGE, 1, ANY, FALSE },
  [NN_OP_DOT] = { "Dot", NN_OP_CLASS_MERGE, 2, 2, FALSE },
  [NN_OP_MATMUL] = { "MatMul", NN_OP_CLASS_MERGE, 2, 2, FALSE },
  [NN_OP_EINSUM] = { "Einsum", NN_OP_CLASS_MERGE, 1, ANY, FALSE },
  [NN_OP_FLATTEN] = { "Flatten", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_RESHAPE] = { "Reshape", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_PERMUTE] = { "Permute", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_REPEAT_VECTOR] = { "RepeatVector", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_UPSAMPLE] = { "UpSampling", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_ZERO_PAD] = { "ZeroPadding", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_CROP] = { "Cropping", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_SLICE] = { "Slice", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_REVERSE] = { "Reverse", NN_OP_CLASS_SHAPE, 1, 1, FALSE },
  [NN_OP_REDUCE_MEAN] = { "ReduceMean", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_REDUCE_SUM] = { "ReduceSum", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_REDUCE_MAX] = { "ReduceMax", NN_OP_CLASS_POOL, 1, 1, FALSE },
  [NN_OP_EMBEDDING] = { "Embedding", NN_OP_CLASS_OTHER, 1, 1, TRUE },
  [NN_OP_SIMPLE_RNN] = { "SimpleRNN", NN_OP_CLASS_RECURRENT, 1, 1, TRUE },
  [NN_OP_LSTM] = { "LSTM", NN_OP_CLASS_RECURRENT, 1, 1, TRUE },
  [NN_OP_GRU] = { "GRU", NN_OP_CLASS_RECURRENT, 1, 1, TRUE },
  [NN_OP_MULTI_HEAD_ATTENTION] = { "MultiHeadAttention", NN_OP_CLASS_OTHER, 1, 3, TRUE },
  [NN_OP_GARNET] = { "GarNet", NN_OP_CLASS_OTHER, 1, 2, TRUE },
  [NN_OP_UNARY_LUT] = { "UnaryLUT", NN_OP_CLASS_ACTIVATION, 1, 1, TRUE },
  [NN_OP_TREE_ENSEMBLE] = { "TreeEnsemble", NN_OP_CLASS_OTHER, 1, 1, TRUE },
  [NN_OP_ARG_MAX] = { "ArgMax", NN_OP_CLASS_OTHER, 1, 1, FALSE },
};

static const char *const role_names[NN_N_ROLES] = {
  "kernel",
  "bias",
  "recurrent_kernel",
  "depthwise_kernel",
  "pointwise_kernel",
  "gamma",
  "beta",
  "moving_mean",
  "moving_variance",
  "scale",
  "alpha",
  "embeddings",
  "value",
  "query_kernel",
  "query_bias",
  "key_kernel",
  "key_bias",
  "value_kernel",
  "value_bias",
  "output_kernel",
  "output_bias",
  "other",
};

static const char *const act_names[NN_N_ACTS] = {
  [NN_ACT_LINEAR] = "linear",
  [NN_ACT_RELU] = "relu",
  [NN_ACT_LEAKY_RELU] = "leaky_relu",
  [NN_ACT_THRESHOLDED_RELU] = "thresholded_relu",
  [NN_ACT_ELU] = "elu",
  [NN_ACT_SELU] = "selu",
  [NN_ACT_GELU] = "gelu",
  [NN_ACT_SIGMOID] = "sigmoid",
  [NN_ACT_HARD_SIGMOID] = "hard_sigmoid",
  [NN_ACT_TANH] = "tanh",
  [NN_ACT_HARD_TANH] = "hard_tanh",
  [NN_ACT_SOFTPLUS] = "softplus",
  [NN_ACT_SOFTSIGN] = "softsign",
  [NN_ACT_SOFTMAX] = "softmax",
  [NN_ACT_EXPONENTIAL] = "exponential",
  [NN_ACT_SWISH] = "swish",
  [NN_ACT_MISH] = "mish",
  [NN_ACT_SIN] = "sin",
  [NN_ACT_COS] = "cos",
  [NN_ACT_TAN] = "tan",
  [NN_ACT_ATAN] = "atan",
  [NN_ACT_ABS] = "abs",
  [NN_ACT_SQRT] = "sqrt",
  [NN_ACT_LOG] = "log",
  [NN_ACT_ERF] = "erf",
  [NN_ACT_SIGN] = "sign",
  [NN_ACT_FLOOR] = "floor",
  [NN_ACT_CEIL] = "ceil",
  [NN_ACT_ROUND] = "round",
  [NN_ACT_GELU_TANH] = "gelu_tanh",
  [NN_ACT_BINARY_TANH] = "binary_tanh",
  [NN_ACT_TERNARY_TANH] = "ternary_tanh",
  [NN_ACT_QUANTIZED] = "quantized",
};

const NnOpInfo *
nn_op_info (NnOp op)
{
  g_return_val_if_fail (op < NN_N_OPS, &ops[NN_OP_UNSUPPORTED]);
  return &ops[op];
}

/* Whether the operator's kernels are multiplied in hardware multipliers that pruning can remove. */
gboolean
nn_op_is_prunable (NnOp op)
{
  NnOpClass op_class = nn_op_info (op)->op_class;

  return op_class == NN_OP_CLASS_MULTIPLY || op_class == NN_OP_CLASS_RECURRENT;
}

gboolean
nn_op_is_recurrent (NnOp op)
{
  return nn_op_info (op)->op_class == NN_OP_CLASS_RECURRENT;
}

gboolean
nn_op_is_transposed (NnOp op)
{
  return op == NN_OP_CONV1D_TRANSPOSE || op == NN_OP_CONV2D_TRANSPOSE;
}

const char *
nn_role_name (NnRole role)
{
  g_return_val_if_fail (role < NN_N_ROLES, "other");
  return role_names[role];
}

gboolean
nn_role_is_projection (NnRole role)
{
  return role == NN_ROLE_QUERY_KERNEL || role == NN_ROLE_KEY_KERNEL || role == NN_ROLE_VALUE_KERNEL || role == NN_ROLE_OUTPUT_KERNEL;
}

gboolean
nn_role_is_prunable (NnRole role)
{
  return role == NN_ROLE_KERNEL || role == NN_ROLE_RECURRENT_KERNEL || role == NN_ROLE_DEPTHWISE_KERNEL ||
         role == NN_ROLE_POINTWISE_KERNEL || nn_role_is_projection (role);
}

const char *
nn_act_name (NnAct act)
{
  g_return_val_if_fail (act < NN_N_ACTS, "linear");
  return act_names[act];
}

gboolean
nn_act_find (const char *name,
             NnAct      *act)
{
  for (guint i = 0; i < NN_N_ACTS; i++)
    if (strcmp (act_names[i], name) == 0)
      {
        *act = i;
        return TRUE;
      }
  return FALSE;
}
