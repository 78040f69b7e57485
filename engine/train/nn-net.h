/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model compiled for training or fast inference: layers, memory, parameters; runs batches. Private to this room. */

#pragma once

#include "nn-arena.h"
#include "nn-layers.h"
#include "nn-progress.h"
#include "nn-trainer.h"

G_BEGIN_DECLS

typedef struct {
  const NnLayers *layers_of; /* the class of kernels */
  guint    batch;            /* samples of the largest batch */
  gboolean gradients;        /* whether there is a backward pass */
  gboolean training;         /* batch statistics */
  gboolean dropout;
  gboolean freeze_norm;
  gboolean is_classes;
  NnLoss   loss;
  const NnTrainType *types;  /* (nullable) */
  guint    n_types;
  const NnTrainGrid *grids;
  guint    n_grids;
} NnNetOptions;

typedef struct {
  guint              id;
  const NnQuantizer *quantizer;
} NnQuantizedWeight;

/**
 * NnFold: a batch norm within a layer; places among the parameters, %NN_NOWHERE where it has no such weight.
 * @used: of the bias that the layer adds
 * @quantizer: (nullable): of that, where the layer has no bias of its own
 * @n: outputs; element i of the kernel makes output i % n
 */
typedef struct {
  gsize kernel, bias, gamma, beta, mean, variance, used;
  gsize n, n_kernel;
  double epsilon;
  const NnQuantizer *quantizer;
} NnFold;

typedef struct {
  NnModel        *model;    /* owned */
  NnArena        *arena;    /* owned: layers and what they point to */
  const NnLayers *k;
  NnNetOptions    options;
  NnLayer        *layers;
  guint           n_layers;
  guint           lanes;
  gsize           block;    /* reals in a shard's block */
  gsize           input, n_input;
  gsize           output, n_output;
  guint           classes;  /* outputs at one position */
  /* loss */
  NnCriterion     criterion;
  gsize           logits;   /* NN_NOWHERE: none */
  gsize           loss_gradient;
  /* parameters: runs of reals, each weight from a multiple of NN_LANES on; owned */
  gsize           n_params;
  gsize          *param_at; /* by weight id, NN_NOWHERE where not used */
  gpointer        values, live, m, v;
  gpointer        used;     /* values as the layers use them: quantised where they are; values itself where none is */
  NnQuantizedWeight *quantized;
  guint           n_quantized;
  NnFold         *folds;
  guint           n_folds;
  gpointer        aux;
  gsize           n_aux;
  guint           n_stats;  /* doubles */
  double         *stats;
  guint          *barriers; /* layers that need sums over the whole batch */
  guint           n_barriers;
  /* memory of the shards, made as needed; owned */
  GPtrArray      *blocks;
  GPtrArray      *grads;    /* of the groups of shards */
  guint           n_grads;  /* of them that the last batch used */
  double         *partial;
  guint           n_partial;
  guint64         steps;    /* of the optimiser */
  double          nadam_product;
} NnNet;

/* One batch: rows of x and t picked by @samples. */
typedef struct {
  const float   *x, *t;
  const guint32 *samples;
  guint          n;
  const double  *class_weights; /* (nullable) */
  guint64        key;
  gboolean       squares;
  GCancellable  *cancellable;   /* (nullable) */
} NnBatch;

/* A number of one of the net's runs of reals, whichever they are. */
static inline double
nn_net_get (const NnNet  *net,
            gconstpointer block,
            gsize         i)
{
  return net->k->real_size == sizeof (float) ? ((const float *) block)[i] : ((const double *) block)[i];
}

static inline void
nn_net_set (const NnNet *net,
            gpointer     block,
            gsize        i,
            double       value)
{
  if (net->k->real_size == sizeof (float))
    ((float *) block)[i] = (float) value;
  else
    ((double *) block)[i] = value;
}

NnNet     *nn_net_new       (const NnModel      *model,
                             const NnNetOptions *options,
                             GError            **error);
void       nn_net_free      (NnNet              *net);
/* Forward, loss and backward: gradients are left in the net, one buffer for each group of shards. FALSE when cancelled. */
gboolean   nn_net_run       (NnNet              *net,
                             const NnBatch      *batch,
                             NnLossSums         *sums);
/* Loss only. */
gboolean   nn_net_measure   (NnNet              *net,
                             const NnBatch      *batch,
                             NnLossSums         *sums);
void       nn_net_update    (NnNet              *net,
                             const NnTrainOptions *options,
                             double              rate);
/* The regulariser's proximal step: each group's norm falls by rate * strength, to no less than zero. */
void       nn_net_shrink    (NnNet              *net,
                             const NnTrainOptions *options,
                             const NnRegularGroups *groups,
                             double              rate);
/* Outputs of n rows. */
gboolean   nn_net_predict   (NnNet              *net,
                             const float        *x,
                             gsize               n,
                             float              *y,
                             GCancellable       *cancellable);
/* The first layer, in order, whose parameters or outputs of the last batch are not finite. */
const char *nn_net_find_broken (NnNet           *net);
double     nn_net_param     (const NnNet        *net,
                             guint               weight,
                             gsize               i);
void       nn_net_set_param (NnNet              *net,
                             guint               weight,
                             gsize               i,
                             double              value);
/* Sums the groups' gradients of one weight. */
NnTensor  *nn_net_gradient  (const NnNet        *net,
                             guint               weight);
NnModel   *nn_net_model     (const NnNet        *net,
                             gconstpointer       values);
/* Makes net->used from net->values. */
void       nn_net_quantize  (NnNet              *net);
/* nn-net-fold.c */
void       nn_net_fold      (NnNet              *net,
                             const NnFold       *fold);
void       nn_net_unfold    (const NnNet        *net,
                             const NnFold       *fold,
                             gpointer            grads,
                             gboolean            squares);
/* nn-net-sparse.c */
void       nn_net_find_sparse (NnNet            *net);
gpointer   nn_net_alloc     (gsize               n,
                             gsize               size);

/* Errors: %NN_ERROR_LIMIT, %NN_ERROR_SHAPE, for options that make no sense with the model. */
gboolean   nn_train_options_check (const NnTrainOptions *options,
                                   const NnModel        *model,
                                   GError              **error);

/* nn-net-build.c and nn-net-lower.c */
typedef struct _NnNetBuilder NnNetBuilder;
gboolean   nn_net_build     (NnNet              *net,
                             GError            **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnNet, nn_net_free)

G_END_DECLS
