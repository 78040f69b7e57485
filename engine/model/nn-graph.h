/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network as a graph of layers: built, sealed, then only shared. */

#pragma once

#include "nn-ops.h"
#include "nn-shape.h"
#include "nn-type.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum {
  NN_PADDING_VALID,
  NN_PADDING_SAME,
  NN_PADDING_CAUSAL,
  NN_PADDING_EXPLICIT, /* NnAttrs.pad */
} NnPadding;

/* How a scale (alpha) goes with a quantiser's integers. */
typedef enum {
  NN_ALPHA_ONE,       /* none */
  NN_ALPHA_FIXED,     /* NnQuantizer.alpha, one number or one a channel */
  NN_ALPHA_AUTO,      /* computed from the tensor, per channel */
  NN_ALPHA_AUTO_PO2,  /* the same, rounded to a power of two */
} NnAlphaMode;

typedef enum {
  NN_QUANT_NONE,
  NN_QUANT_FIXED,     /* QKeras quantized_bits/relu/linear, Quant nodes, HGQ: NnQuantizer.type says the grid */
  NN_QUANT_RELU,      /* quantized_relu: clipped below at 0 (or leaky, see alpha of the activation) */
  NN_QUANT_TANH,
  NN_QUANT_SIGMOID,
  NN_QUANT_ULAW,
  NN_QUANT_BINARY,    /* -1, +1 */
  NN_QUANT_TERNARY,   /* -1, 0, +1 */
  NN_QUANT_POWER,     /* powers of two */
  NN_QUANT_POWER_RELU,
} NnQuantKind;

/**
 * NnQuantizer:
 * @kind: family
 * @type: the grid the values fall on, before @alpha
 * @alpha_mode: where the scale comes from
 * @alpha: (array length=n_alpha) (nullable): scales, for %NN_ALPHA_FIXED
 * @zero_point: the code that stands for 0
 * @threshold: of ternary: |x| at or above it is not 0; of %NN_QUANT_ULAW: u
 * @max_value: of power of two: largest magnitude, 0 for none; of %NN_QUANT_RELU: relu_upper_bound, 0 for none
 * @symmetric: whether the most negative code is left out (`type.overflow` is then %NN_OVERFLOW_SAT_SYM)
 * @alpha_divides: for a fixed alpha: y = alpha * (Q (x / alpha + zero_point) - zero_point), as ONNX and
 *   quantized_linear have it; otherwise y = alpha * Q (x), as QKeras's other quantisers have it. Q rounds to @type.
 * @rounds_first: with @alpha_divides: x / alpha is rounded before the zero point is added, as QuantizeLinear of ONNX and TensorFlow
 *   Lite have it and QONNX has not; only set where a tie would go another way
 *   Scales of %NN_ALPHA_AUTO and %NN_ALPHA_AUTO_PO2 are over all axes but the last, by the formulas of
 *   quantized_bits, binary and ternary in google/qkeras
 * @per_element: (nullable): (array length=n_elements): a type for each element, in the tensor's order (weights) or in
 *   that of one sample; fewer are broadcast: n_elements then is the product of the last axes (HGQ). A type of width 0
 *   makes the element 0
 * @source: (nullable): the quantiser as written in the file, for the inspector and for export
 *
 * Owned by the graph's arena.
 */
typedef struct {
  NnQuantKind  kind;
  NnType       type;
  NnAlphaMode  alpha_mode;
  const float *alpha;
  guint        n_alpha;
  double       zero_point;
  double       threshold;
  double       max_value;
  double       negative_slope;
  gboolean     symmetric;
  gboolean     use_real_function; /* of tanh and sigmoid: the true curve, not the hard one */
  gboolean     use_sigmoid;       /* of quantized_relu: 2 * hard_sigmoid (x / 2^integer) - 1 before rounding */
  gboolean     alpha_divides;
  gboolean     rounds_first;
  gboolean     quadratic;         /* of power of two: the exponent is even, found of the square root */
  const NnType *per_element;
  guint        n_elements;
  const char  *source;
} NnQuantizer;

typedef enum {
  NN_INTERPOLATION_NEAREST,
  NN_INTERPOLATION_BILINEAR,
} NnInterpolation;

typedef enum {
  NN_COLLAPSE_NONE,
  NN_COLLAPSE_MEAN,
  NN_COLLAPSE_SUM,
  NN_COLLAPSE_MAX,
} NnCollapse;

/* NnAttrs.extra of %NN_OP_GARNET; its weights are told apart by name: FLR_kernel, FLR_bias, S_kernel, S_bias, Fout_kernel,
 * Fout_bias. Inputs: vertices (n, features) and how many of them are real. Source: jkiesele/caloGraphNN, GarNet. */
typedef struct {
  gint64     n_aggregators;
  gint64     n_filters;
  gint64     n_propagate;
  gboolean   simplified;
  gboolean   mean_by_nvert;
  NnCollapse collapse;
  const char  *part;              /* "", or its number in a stack: stands in the weights' names, FLR0_kernel */
  NnQuantizer *feature_quantizer; /* of FLR's kernel and bias, nullable */
  NnQuantizer *output_quantizer;  /* of Fout's kernel, nullable */
} NnGarnet;

typedef enum {
  NN_TREE_LEAF,
  NN_TREE_LEQ,
  NN_TREE_LT,
  NN_TREE_GTE,
  NN_TREE_GT,
  NN_TREE_EQ,
  NN_TREE_NEQ,
} NnTreeTest;

typedef enum {
  NN_TREE_POST_NONE,
  NN_TREE_POST_SOFTMAX,
  NN_TREE_POST_LOGISTIC,
  NN_TREE_POST_LABEL, /* the index of the largest sum; one output */
} NnTreePost;

/* What becomes of the weights that the trees' leaves have for one target. */
typedef enum {
  NN_TREE_SUM,
  NN_TREE_AVERAGE, /* the sum, divided by the number of all trees */
  NN_TREE_MIN,
  NN_TREE_MAX,
} NnTreeAggregate;

/**
 * NnTreeNode:
 * @test: what is asked of feature @feature against @threshold; of a leaf nothing
 * @yes: node to go to, larger than this node's own index
 * @no: the same
 * @first_leaf: of a leaf: its first weight in NnTreeEnsemble.weights
 * @n_leaf: of a leaf: how many
 * @nan_yes: where a feature that is missing (NaN) goes, whatever @test says: a %NN_TREE_NEQ is true of it all the same
 */
typedef struct {
  NnTreeTest test;
  guint32    feature;
  double     threshold;
  guint32    yes, no;
  guint32    first_leaf, n_leaf;
  gboolean   nan_yes;
} NnTreeNode;

typedef struct {
  guint32 target;
  double  weight;
} NnTreeWeight;

/**
 * NnTreeEnsemble: NnAttrs.extra of %NN_OP_TREE_ENSEMBLE: every tree votes with the weights of the leaf it ends in.
 * @roots: (array length=n_roots): first node of every tree
 * @n_targets: sums that are made
 * @base: (nullable) (array length=n_targets): what is added to what the trees say together
 * @aggregate: how they say it; 0 where none votes
 * @complement: the one sum p is told as two outputs, 1 - p and p
 *
 * Source: ONNX ai.onnx.ml, TreeEnsembleClassifier, TreeEnsembleRegressor and TreeEnsemble
 */
typedef struct {
  const NnTreeNode   *nodes;
  guint               n_nodes;
  const guint32      *roots;
  guint               n_roots;
  const NnTreeWeight *weights;
  guint               n_weights;
  guint               n_targets;
  const double       *base;
  NnTreeAggregate     aggregate;
  gboolean            complement;
  NnTreePost          post;
} NnTreeEnsemble;

/**
 * NnAttrs:
 *
 * Conventions of the layers as loaded:
 * - A quantised activation, QActivation or a QKeras layer's `activation`, is %NN_ACT_QUANTIZED with @quantizer; a
 *   layer's order is: weights quantised by @role_quantizer, sum, bias, @act (with @quantizer).
 * - HGQ: the input is quantised by @input_quantizer first, the output of @act by @quantizer last (@act then is the
 *   plain activation, not %NN_ACT_QUANTIZED); a dense or conv layer's sum is quantised by @sum_quantizer before @act.
 * - A dense, conv or depthwise layer with %NN_ROLE_MEAN and %NN_ROLE_VARIANCE (QConv2DBatchnorm and its kin) folds a
 *   batch norm into its kernel before the kernel is quantised: inv = gamma / sqrt (variance + epsilon); kernel' =
 *   Qk (kernel * inv), bias' = Qb (inv * (bias - mean) + beta); gamma 1, beta 0, bias 0 where they are missing.
 * - Multi-head attention reads query, value, key (the key being the value where there are two inputs; all the same
 *   where there is one). Kernels as in Keras: (in, heads, key_dim), output (heads, value_dim, out).
 * - Bidirectional layers become two recurrent nodes, a reversal and a merge that bears the layer's name.
 * - In a recurrent layer @act and @quantizer are those of the cell, not of the output; @recurrent_quantizer may have types of
 *   its own for both gates of a GRU. HGQ's GRU rounds by @reset_quantizer what the reset gate is multiplied with, or, where
 *   that comes before the product with the kernel, the result; its SimpleRNN has a @sum_quantizer.
 * - In a recurrent layer that goes backwards and returns sequences, steps come out last first, as in Keras.
 *
 * What a layer is told besides its weights. One flat structure: each operator reads the fields named at it and
 * leaves the rest zero. Spatial fields are indexed height, width; one-dimensional layers use index 0.
 */
typedef struct {
  /* dense, conv, rnn, embedding: */
  gint64          units;            /* outputs, filters */
  gboolean        use_bias;
  /* conv, pool: */
  gint64          kernel[2];
  gint64          stride[2];
  gint64          dilation[2];
  gint64          groups;
  gint64          depth_multiplier;
  NnPadding       padding;
  gint64          pad[2][2];        /* explicit padding or cropping: before, after */
  gboolean        count_pad;        /* average pooling divides by the whole window */
  gboolean        keep_dims;
  gint64          size[2];          /* upsampling */
  NnInterpolation interpolation;
  /* norm, softmax, concatenate, dot, reduce, slice: */
  gint            axis;             /* of the sample, not counting the batch; negative counts from the end */
  gint            axis2;
  gdouble         epsilon;
  gdouble         momentum;
  gboolean        normalize;
  /* activation, and the one fused in a source layer: */
  NnAct           act;
  gdouble         alpha;            /* slope below zero */
  gdouble         max_value;        /* 0 for none */
  gdouble         threshold;
  gdouble         slope;            /* hard sigmoid: slope * x + shift */
  gdouble         shift;
  /* rnn: */
  NnAct           recurrent_act;
  gdouble         recurrent_slope;  /* hard sigmoid of the gates */
  gdouble         recurrent_shift;
  gboolean        return_sequences;
  gboolean        go_backwards;
  gboolean        reset_after;
  gboolean        time_distributed; /* applied to every step of the first axis */
  /* shape: */
  NnShape         target;           /* reshape; repeat count in dims[0] */
  guint           perm[NN_MAX_RANK];
  gint64          begin, end, step; /* slice along `axis` */
  /* other: */
  const char     *equation;         /* einsum, as in the source */
  gint64          n_heads, key_dim, value_dim;
  gdouble         rate;             /* dropout */
  /* quantisers: */
  NnQuantizer    *quantizer;                /* of the layer's output or of NN_OP_QUANTIZE, nullable */
  NnQuantizer    *input_quantizer;          /* HGQ: of the layer's input, nullable */
  NnQuantizer    *sum_quantizer;            /* HGQ: of the sum before the activation, nullable */
  NnQuantizer    *recurrent_quantizer;      /* QKeras: with recurrent_act NN_ACT_QUANTIZED, nullable */
  NnQuantizer    *state_quantizer;          /* of a recurrent layer's state before it is used, nullable */
  NnQuantizer    *reset_quantizer;          /* HGQ: in a GRU, of what the reset gate meets, nullable */
  NnQuantizer    *role_quantizer[NN_N_ROLES]; /* of its weights, nullable */
  gpointer        extra;            /* operator's own, in the arena, nullable */
} NnAttrs;

/**
 * NnNode:
 * @name: unique in the graph
 * @class_name: as in the source
 * @op: what it computes
 * @attrs: its settings
 * @inputs: (array length=n_inputs): indices of the nodes it reads, smaller than its own
 * @weights: (array length=n_weights): ids of its weights in the model; layers that share weights share ids
 * @shape: of one output sample
 * @origin: name of the source layer it came from; @name itself in a graph as loaded
 * @reason: (nullable): of %NN_OP_UNSUPPORTED: why; of another: what its file left open and what was assumed
 * @source: (nullable): the layer's configuration as the file wrote it (Keras: JSON), for saving
 */
typedef struct {
  const char *name;
  const char *class_name;
  NnOp        op;
  NnAttrs     attrs;
  guint      *inputs;
  guint       n_inputs;
  guint      *weights;
  guint       n_weights;
  NnShape     shape;
  const char *origin;
  const char *reason;
  const char *source;
} NnNode;

/**
 * NnGraph:
 *
 * Nodes in topological order. Sealed graphs are constant and reference counted, atomically.
 */
typedef struct _NnGraph NnGraph;
typedef struct _NnGraphBuilder NnGraphBuilder;

#define NN_TYPE_GRAPH (nn_graph_get_type ())
GType nn_graph_get_type (void);

NnGraph      *nn_graph_ref       (NnGraph       *graph);
void          nn_graph_unref     (NnGraph       *graph);
guint         nn_graph_n_nodes   (const NnGraph *graph);
const NnNode *nn_graph_node      (const NnGraph *graph,
                                  guint          i);
gboolean      nn_graph_find      (const NnGraph *graph,
                                  const char    *name,
                                  guint         *i);
const guint  *nn_graph_inputs    (const NnGraph *graph,
                                  guint         *n);
const guint  *nn_graph_outputs   (const NnGraph *graph,
                                  guint         *n);
const guint  *nn_graph_consumers (const NnGraph *graph,
                                  guint          i,
                                  guint         *n);

NnGraphBuilder *nn_graph_builder_new      (void);
void            nn_graph_builder_free     (NnGraphBuilder *builder);
NnNode         *nn_graph_builder_add      (NnGraphBuilder *builder,
                                           NnOp            op,
                                           const char     *name,
                                           const char     *class_name,
                                           const guint    *inputs,
                                           guint           n_inputs);
NnNode         *nn_graph_builder_add_copy (NnGraphBuilder *builder,
                                           const NnNode   *node,
                                           const guint    *inputs,
                                           guint           n_inputs);
NnNode         *nn_graph_builder_node     (NnGraphBuilder *builder,
                                           guint           i);
guint           nn_graph_builder_n_nodes  (NnGraphBuilder *builder);
void            nn_graph_builder_truncate (NnGraphBuilder *builder,
                                           guint           n_nodes);
void            nn_graph_builder_weights  (NnGraphBuilder *builder,
                                           NnNode         *node,
                                           const guint    *weights,
                                           guint           n_weights);
void            nn_graph_builder_add_weight (NnGraphBuilder *builder,
                                             NnNode         *node,
                                             guint           weight);
gpointer        nn_graph_builder_alloc    (NnGraphBuilder *builder,
                                           gsize           size);
const char     *nn_graph_builder_strdup   (NnGraphBuilder *builder,
                                           const char     *text);
NnQuantizer    *nn_graph_builder_quantizer (NnGraphBuilder    *builder,
                                            const NnQuantizer *quantizer);
void            nn_graph_builder_output   (NnGraphBuilder *builder,
                                           guint           i);
NnGraph        *nn_graph_builder_seal     (NnGraphBuilder *builder,
                                           GError        **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnGraph, nn_graph_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnGraphBuilder, nn_graph_builder_free)

G_END_DECLS
