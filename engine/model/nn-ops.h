/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one table of operators. A new operator is one row here and one rule, kernel or writer in each room. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  NN_OP_UNSUPPORTED, /* shown in the graph under its own name, with a reason */
  NN_OP_INPUT,
  NN_OP_CONSTANT,
  NN_OP_DENSE,
  NN_OP_EINSUM_DENSE,
  NN_OP_CONV1D,
  NN_OP_CONV2D,
  NN_OP_CONV1D_TRANSPOSE,
  NN_OP_CONV2D_TRANSPOSE,
  NN_OP_DEPTHWISE_CONV1D,
  NN_OP_DEPTHWISE_CONV2D,
  NN_OP_SEPARABLE_CONV1D,
  NN_OP_SEPARABLE_CONV2D,
  NN_OP_BATCH_NORM,
  NN_OP_LAYER_NORM,
  NN_OP_SCALE, /* x * scale + bias per channel (ApplyAlpha) */
  NN_OP_ACTIVATION,
  NN_OP_PRELU,
  NN_OP_QUANTIZE, /* rounds to NnAttrs.quantizer */
  NN_OP_DROPOUT,  /* and every other layer that does nothing at inference */
  NN_OP_MAX_POOL1D,
  NN_OP_MAX_POOL2D,
  NN_OP_AVG_POOL1D,
  NN_OP_AVG_POOL2D,
  NN_OP_GLOBAL_MAX_POOL,
  NN_OP_GLOBAL_AVG_POOL,
  NN_OP_ADD,
  NN_OP_SUBTRACT,
  NN_OP_MULTIPLY,
  NN_OP_DIVIDE,
  NN_OP_AVERAGE,
  NN_OP_MAXIMUM,
  NN_OP_MINIMUM,
  NN_OP_CONCATENATE,
  NN_OP_DOT,
  NN_OP_MATMUL, /* of two activations */
  NN_OP_EINSUM, /* of activations */
  NN_OP_FLATTEN,
  NN_OP_RESHAPE,
  NN_OP_PERMUTE,
  NN_OP_REPEAT_VECTOR,
  NN_OP_UPSAMPLE,
  NN_OP_ZERO_PAD,
  NN_OP_CROP,
  NN_OP_SLICE,
  NN_OP_REVERSE,
  NN_OP_REDUCE_MEAN,
  NN_OP_REDUCE_SUM,
  NN_OP_REDUCE_MAX,
  NN_OP_EMBEDDING,
  NN_OP_SIMPLE_RNN,
  NN_OP_LSTM,
  NN_OP_GRU,
  NN_OP_MULTI_HEAD_ATTENTION,
  NN_OP_GARNET,
  NN_OP_UNARY_LUT,
  NN_OP_TREE_ENSEMBLE,
  NN_OP_ARG_MAX, /* the place of the largest along `axis`, the first of equals */
  NN_N_OPS
} NnOp;

typedef enum {
  NN_OP_CLASS_DATA,      /* inputs and constants */
  NN_OP_CLASS_MULTIPLY,  /* multiplies activations by trained weights: what pruning works on */
  NN_OP_CLASS_NORM,
  NN_OP_CLASS_ACTIVATION,
  NN_OP_CLASS_POOL,
  NN_OP_CLASS_MERGE,
  NN_OP_CLASS_SHAPE,     /* moves data without arithmetic */
  NN_OP_CLASS_RECURRENT, /* NN_OP_CLASS_MULTIPLY with a state */
  NN_OP_CLASS_OTHER,
} NnOpClass;

/**
 * NnOpInfo:
 * @name: the Keras class name where there is one; what users read
 * @op_class: family
 * @min_inputs: fewest inputs
 * @max_inputs: most inputs, %G_MAXUINT where any number will do
 * @has_weights: whether it may carry trained weights
 */
typedef struct {
  const char *name;
  NnOpClass   op_class;
  guint       min_inputs;
  guint       max_inputs;
  gboolean    has_weights;
} NnOpInfo;

const NnOpInfo *nn_op_info         (NnOp op);
gboolean        nn_op_is_prunable  (NnOp op);
gboolean        nn_op_is_recurrent (NnOp op);
gboolean        nn_op_is_transposed (NnOp op); /* kernel (k..., out, in) */

/* The part a weight tensor plays; layouts are those of Keras, written at each. */
typedef enum {
  NN_ROLE_KERNEL,            /* dense (in, out); conv (k..., in, out); depthwise (k..., in, multiplier); rnn (in, gates*units) */
  NN_ROLE_BIAS,              /* (out); GRU with reset_after (2, 3*units) */
  NN_ROLE_RECURRENT_KERNEL,  /* (units, gates*units) */
  NN_ROLE_DEPTHWISE_KERNEL,  /* separable: (k..., in, multiplier) */
  NN_ROLE_POINTWISE_KERNEL,  /* separable: (1..., in*multiplier, out) */
  NN_ROLE_GAMMA,             /* (channels) */
  NN_ROLE_BETA,
  NN_ROLE_MEAN,              /* moving mean */
  NN_ROLE_VARIANCE,          /* moving variance */
  NN_ROLE_SCALE,             /* NN_OP_SCALE: factor */
  NN_ROLE_ALPHA,             /* PReLU slopes */
  NN_ROLE_EMBEDDINGS,        /* (vocabulary, out) */
  NN_ROLE_VALUE,             /* NN_OP_CONSTANT */
  NN_ROLE_QUERY_KERNEL, NN_ROLE_QUERY_BIAS, NN_ROLE_KEY_KERNEL, NN_ROLE_KEY_BIAS,
  NN_ROLE_VALUE_KERNEL, NN_ROLE_VALUE_BIAS, NN_ROLE_OUTPUT_KERNEL, NN_ROLE_OUTPUT_BIAS,
  NN_ROLE_OTHER,             /* several may stand in one layer; told apart by name */
  NN_N_ROLES
} NnRole;

const char *nn_role_name          (NnRole role);
/* A kernel of attention: of queries, keys, values or outputs. */
gboolean    nn_role_is_projection (NnRole role);
gboolean    nn_role_is_prunable   (NnRole role);

typedef enum {
  NN_ACT_LINEAR,
  NN_ACT_RELU, /* alpha below, max_value above, threshold: Keras's ReLU in full */
  NN_ACT_LEAKY_RELU,
  NN_ACT_THRESHOLDED_RELU,
  NN_ACT_ELU,
  NN_ACT_SELU,
  NN_ACT_GELU,
  NN_ACT_SIGMOID,
  NN_ACT_HARD_SIGMOID,
  NN_ACT_TANH,
  NN_ACT_HARD_TANH,
  NN_ACT_SOFTPLUS,
  NN_ACT_SOFTSIGN,
  NN_ACT_SOFTMAX,
  NN_ACT_EXPONENTIAL,
  NN_ACT_SWISH,
  NN_ACT_MISH,
  NN_ACT_SIN,
  NN_ACT_COS,
  NN_ACT_TAN,
  NN_ACT_ATAN,
  NN_ACT_ABS,
  NN_ACT_SQRT,
  NN_ACT_LOG,
  NN_ACT_ERF,
  NN_ACT_SIGN,  /* -1, 0 or 1 */
  NN_ACT_FLOOR,
  NN_ACT_CEIL,
  NN_ACT_ROUND, /* half to even */
  NN_ACT_GELU_TANH, /* its approximation by tanh */
  NN_ACT_BINARY_TANH,
  NN_ACT_TERNARY_TANH,
  NN_ACT_QUANTIZED, /* all is said by the quantiser that goes with it */
  NN_N_ACTS
} NnAct;

const char *nn_act_name (NnAct       act);
gboolean    nn_act_find (const char *name,
                         NnAct      *act);

G_END_DECLS
