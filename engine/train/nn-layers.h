/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layers of a network as the training engine runs them, and the table of their kernels for one class of processor. */

#pragma once

#include "nn-model.h"

G_BEGIN_DECLS

/*
 * Layout. A batch is cut into shards of `lanes` samples (a multiple of NN_LANES). Every tensor of a shard is
 * [element][lane]: an element of the sample, channels last as in the model, then the same element of all samples of the
 * shard side by side. So the batch lies on the vector registers, each weight is a broadcast, reshaping costs nothing,
 * and no layer needs to know how wide the registers are.
 */
#define NN_LANES 16
#define NN_NOWHERE G_MAXSIZE

/* Classes of processor for which the same sources are compiled; DOUBLE is the twin that checks them, in float64. */
typedef enum {
  NN_CPU_SSE2,
  NN_CPU_AVX2,
  NN_CPU_AVX512,
  NN_CPU_DOUBLE,
  NN_N_CPUS
} NnCpu;

typedef enum {
  NN_LAYER_LINEAR,      /* dense, convolution */
  NN_LAYER_DEPTHWISE,
  NN_LAYER_ACT,
  NN_LAYER_SOFTMAX,
  NN_LAYER_BATCH_NORM,
  NN_LAYER_LAYER_NORM,
  NN_LAYER_SCALE,
  NN_LAYER_PRELU,
  NN_LAYER_DROPOUT,
  NN_LAYER_SUM_MAP,     /* each output a fixed weighted sum of inputs: moves, average pooling, means, upsampling */
  NN_LAYER_MAX_MAP,     /* each output the largest of some inputs */
  NN_LAYER_PRODUCT_MAP, /* each output a sum of products of two inputs' elements: dot, matmul, einsum */
  NN_LAYER_WEIGHT_MAP,  /* each output a sum of products of a weight and an input: einsum dense, transposed convolution */
  NN_LAYER_MERGE,
  NN_LAYER_CONCATENATE,
  NN_LAYER_EMBEDDING,
  NN_LAYER_SIMPLE_RNN,
  NN_LAYER_LSTM,
  NN_LAYER_GRU,
  NN_LAYER_QUANTIZE,
  NN_N_LAYERS
} NnLayerKind;

/**
 * NnMap: for each output element a list of terms.
 * @start: (array length=n_out+1)
 * @index: elements of the first input
 * @other: (nullable): elements of the second input, or of the weight
 * @factor: (nullable)
 */
typedef struct {
  guint32 *start;
  guint32 *index;
  guint32 *other;
  float   *factor;
  guint    n_out;
} NnMap;

/* Sliding window over [outer][h][w][c] -> [outer][oh][ow][o]; one-dimensional layers have h = kh = 1. hp, wp: padded. */
typedef struct {
  guint outer, h, w, c, oh, ow, o;
  guint kh, kw, sh, sw, dh, dw;
  guint groups, multiplier;
  guint top, left, hp, wp;
} NnWindow;

/**
 * NnTerms: the weights that pruning has left, row by row of what they make, and of each row by the kernel's rows.
 * @start: (array length=n * kh + 1): the first term of each
 * @offset: where a term's operand lies from a position's first, in reals
 * @weight: which element of the kernel multiplies it
 * @aux: where the weights lie side by side in this order, among the prepared copies
 */
typedef struct {
  guint32 *start;
  guint32 *offset;
  guint32 *weight;
  gsize    aux;
  guint    n, kh;
} NnTerms;

/* By output, and by input for the gradient at stride 1. */
typedef struct {
  NnTerms  forward, backward;
  gboolean few;  /* so few that a dense layer's gradient is quicker one by one */
  gsize    sums; /* where the shard's block has room for a vector of NN_LANES for each term */
} NnSparse;

/**
 * NnLayer:
 * @x, @gx: (array length=n_in): where inputs and their gradients lie in a shard's block; %NN_NOWHERE where no gradient is wanted
 * @add: (array length=n_in): whether the gradient adds to one already there
 * @n_x: (array length=n_in): elements
 * @scratch: own memory in the block, kept from forward to backward
 * @tmp: memory in the block for the time of one call
 * @w: where weights lie among the parameters, by role
 * @aux: where prepared copies of weights lie, %NN_NOWHERE for none
 * @stats: where batch norm's sums lie in the statistics
 * @quantizer: of %NN_LAYER_QUANTIZE
 * @apart: (max map) no two outputs look at the same input
 * @gaps: (array length=n_gaps): then the inputs that none looks at
 * @pool: (nullable): the max map that alone reads this batch norm in training, done by it in the same passes
 * @conv: (nullable): the convolution that it does as well, whose output is computed again in each pass; @pool has @pool_rows
 * @pooled: (nullable): the max map that alone reads this convolution
 * @fused: a batch norm does this layer's work
 * @rectify: (max map) rectifies the gradient for the layer before it, which is @rectified
 */
typedef struct _NnLayer NnLayer;

struct _NnLayer {
  NnLayerKind   kind;
  const NnNode *node;
  guint         n_in;
  gsize        *x, *gx, *n_x;
  gboolean     *add;
  gsize         y, gy, n_y;
  gsize         scratch;
  gsize         tmp;
  gsize         w[NN_N_ROLES];
  gsize         aux;
  NnWindow      window;
  gboolean      relu;       /* rectifies what it stores */
  gboolean      idle_bias;  /* the bias has no effect on the loss: a batch norm takes it away */
  gboolean      rectify, rectified;
  gboolean      skip;       /* no backward: the loss has already gone through it */
  NnAct         act;
  NnOp          merge;
  gsize         channels, inner; /* channel of element e: (e / inner) % channels */
  gboolean      frozen;
  gsize         stats;
  NnMap         map, back;  /* back: by input element, for the gradient; other: by weight */
  NnMap         by_weight;
  gboolean      apart;
  guint32      *gaps;
  gsize         n_gaps;
  guint32     **broadcast;  /* (array length=n_in) merge: input element of each output element, NULL where the same */
  guint         steps;      /* rnn */
  const NnQuantizer *quantizer;
  NnShape       shape;      /* of a sample, for it */
  NnSparse     *sparse;     /* NULL where the dense kernels are faster */
  const NnLayer *pool, *conv, *pooled;
  guint         pool_rows;
  gboolean      fused;
  guint         id;         /* position in the network */
};

/* Reals at the head of the memory of batch norm with pooling: its coefficients; with two vectors of sums for each channel. */
static inline gsize
nn_norm_pool_coefficients (gsize channels)
{
  return (4 * channels + NN_LANES - 1) / NN_LANES * NN_LANES;
}

static inline gsize
nn_norm_pool_head (gsize channels)
{
  return nn_norm_pool_coefficients (channels) + 2 * channels * NN_LANES;
}

/**
 * NnShard: what a layer's kernel works on. All pointers are to the class's real type.
 * @block: activations and gradients
 * @values: parameters as they are used (quantised where the layer is)
 * @grads: gradients of the parameters, added to; %NULL for none
 * @aux: prepared copies of parameters
 * @stats: batch statistics: results of the last barrier
 * @partial: batch statistics of this shard
 * @squares: whether @grads gets sums of squares of each sample's gradient (Fisher)
 */
typedef struct {
  gpointer      block;
  gconstpointer values;
  gpointer      grads;
  gconstpointer aux;
  gconstpointer stats;
  gpointer      partial;
  guint         lanes;
  guint         valid;
  gboolean      training;
  gboolean      squares;
  guint64       key;   /* of dropout's random numbers: a function of seed, step and shard */
} NnShard;

/* Sums of one shard's loss. */
typedef struct {
  double loss;
  double correct; /* samples (positions) whose largest output is their class */
  double squared; /* sum of squared errors */
  gsize  n;       /* positions counted */
} NnLossSums;

typedef enum {
  NN_CRITERION_SOFTMAX_CE, /* from logits */
  NN_CRITERION_SIGMOID_CE, /* from logits */
  NN_CRITERION_CE,         /* from probabilities */
  NN_CRITERION_BCE,        /* from probabilities */
  NN_CRITERION_MSE,
  NN_CRITERION_MAE,
  NN_CRITERION_HUBER,
} NnCriterion;

/**
 * NnLossCall: the loss of one shard and its gradient.
 * @y: predictions, [n][lane]
 * @logits: (nullable): what the fused softmax or sigmoid read
 * @t: targets
 * @g: (nullable): receives the gradient, of the logits where they are given
 * @weight: (array length=lanes): of each sample, 0 for lanes that are no sample
 * @classes: outputs at one position
 */
typedef struct {
  NnCriterion   criterion;
  gconstpointer y, logits, t;
  gpointer      g;
  gconstpointer weight;
  gsize         n;
  guint         classes;
  guint         lanes, valid;
  double        scale; /* 1 / number of terms in the mean */
} NnLossCall;

typedef struct {
  int    kind; /* NnOptimizerKind */
  double rate, momentum, beta1, beta2, epsilon, decay;
  double correction1, correction2; /* 1 - beta^t */
  double nadam_now, nadam_next, nadam_product, nadam_product_next;
  gboolean nesterov;
} NnUpdate;

/* Everything that is compiled once a class. */
typedef struct {
  gsize real_size;
  void (*forward[NN_N_LAYERS])  (const NnLayer *layer, NnShard *shard);
  void (*backward[NN_N_LAYERS]) (const NnLayer *layer, NnShard *shard);
  void (*prepare)       (const NnLayer *layer, gconstpointer values, gpointer aux);
  void (*norm_forward)  (const NnLayer *layer, NnShard *shard); /* after the barrier */
  void (*norm_backward) (const NnLayer *layer, NnShard *shard);
  void (*gather)        (gpointer block, const float *rows, gsize row, const guint32 *samples, guint valid, guint lanes);
  void (*scatter)       (float *rows, gsize row, gconstpointer block, guint valid, guint lanes);
  void (*loss)          (const NnLossCall *call, NnLossSums *sums);
  void (*update)        (const NnUpdate *update, gsize n, gpointer values, gpointer *grads, guint n_grads,
                         gconstpointer live, gpointer m, gpointer v);
  gboolean (*finite)    (gconstpointer block, gsize n);
} NnLayers;

extern const NnLayers nn_layers_sse2, nn_layers_avx2, nn_layers_avx512, nn_layers_double;

NnCpu           nn_cpu        (void);
gboolean        nn_cpu_has    (NnCpu       cpu);
void            nn_cpu_limit  (NnCpu       cpu);
const NnLayers *nn_layers_for (NnCpu       cpu);
const char     *nn_cpu_name   (NnCpu       cpu);

G_END_DECLS
