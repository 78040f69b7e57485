/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training and fine-tuning. */

#pragma once

#include "nn-dataset.h"
#include "nn-metrics.h"
#include "nn-model.h"
#include "nn-progress.h"

G_BEGIN_DECLS

typedef enum {
  NN_LOSS_AUTO, /* cross-entropy for classes (binary for one output), MSE otherwise */
  NN_LOSS_CATEGORICAL_CROSSENTROPY,
  NN_LOSS_BINARY_CROSSENTROPY,
  NN_LOSS_MSE,
  NN_LOSS_MAE,
  NN_LOSS_HUBER,
} NnLoss;

typedef enum {
  NN_OPTIMIZER_SGD,
  NN_OPTIMIZER_ADAM,
  NN_OPTIMIZER_ADAMW,
  NN_OPTIMIZER_NADAM,
} NnOptimizerKind;

typedef enum {
  NN_LR_CONSTANT,
  NN_LR_STEP,   /* times lr_factor every lr_every epochs */
  NN_LR_COSINE, /* to lr_factor * learning_rate at the last epoch */
  NN_LR_PLATEAU /* times lr_factor after lr_every epochs without a better validation loss */
} NnLrSchedule;

/**
 * NnRegularGroups: groups of weights the regulariser draws to zero together: strength * sum over groups of ||group||_2.
 *
 * Taken as a proximal step after each step of the optimiser, scaled as the optimiser scales gradients, so that groups
 * reach zero exactly; the losses reported are those of the data alone.
 *
 * @weight: id in the model
 * @offsets: (array length=n_groups+1): where each group begins in @indices
 * @indices: flat indices into the weight
 * @strength: (array length=n_groups)
 */
typedef struct {
  guint          weight;
  guint          n_groups;
  const guint32 *offsets;
  const guint32 *indices;
  const float   *strength;
} NnRegularGroups;

/**
 * NnTrainType: a number type that training is to reckon with (quantisation-aware training). A quantiser that the model
 * has of its own comes first.
 * @layer: name of a node
 * @role: of one of its weights, or %NN_TRAIN_RESULT for what it gives out, after its activation
 */
#define NN_TRAIN_RESULT (-1)
typedef struct {
  const char *layer;
  gint        role;
  NnType      type;
} NnTrainType;

/**
 * NnTrainGrid: weights that are used at another value than they are trained at, as on a grid that no number type has
 * (straight through: the gradient of the value used goes to the one trained). Comes after the quantisers.
 * @weight: id in the model
 * @which: (array): 1 for elements that it is for
 * @project: the value to use; called from one thread
 */
typedef struct {
  guint         weight;
  const guint8 *which;
  double      (*project) (double value, gsize index, gconstpointer data);
  gconstpointer data;
} NnTrainGrid;

/**
 * NnEpoch: what one epoch came to. Without validation data the validation fields are NaN.
 */
typedef struct {
  guint  epoch;
  double train_loss;
  double val_loss;
  double val_accuracy; /* classes; for a regression minus the MSE */
  double learning_rate;
  double seconds;
} NnEpoch;

typedef struct {
  guint           epochs;
  guint           batch;
  NnLoss          loss;
  NnOptimizerKind optimizer;
  double          learning_rate;
  double          momentum;       /* SGD */
  gboolean        nesterov;
  double          beta1, beta2, epsilon;
  double          weight_decay;   /* decoupled (AdamW); added to the gradient otherwise */
  NnLrSchedule    schedule;
  double          lr_factor;
  guint           lr_every;
  guint           patience;       /* early stopping: epochs without a better validation loss, 0 for never */
  double          min_delta;
  gboolean        keep_best;      /* return the weights of the best epoch */
  gboolean        freeze_norm;    /* batch norm uses and keeps its moving statistics */
  const double   *class_weights;  /* (nullable): one a class */
  const NnRegularGroups *groups;  /* (nullable) */
  guint           n_groups;
  const NnTrainType *types;       /* (nullable): quantisation-aware training for types of the user's */
  guint           n_types;
  const NnTrainGrid *grids;       /* (nullable) */
  guint           n_grids;
  guint64         seed;
  gboolean        in_double;      /* compute in float64: slow, for checks */
  void          (*on_epoch) (const NnEpoch *epoch, gpointer data); /* (nullable): on the training thread */
  gpointer        on_epoch_data;
} NnTrainOptions;

/**
 * NnTrainResult:
 * @model: (owned): the trained network; the best so far when the run was cancelled or diverged
 * @epochs: (owned) (element-type NnEpoch)
 * @stopped_early: whether patience ran out
 */
typedef struct {
  NnModel *model;
  GArray  *epochs;
  gboolean stopped_early;
} NnTrainResult;

void           nn_train_options_init (NnTrainOptions       *options);
/*
 * The same model, data, options and seed give the same bits for any number of threads: the batch is cut, and sums are
 * taken, in an order that depends on neither. Between classes of processor (SSE2, AVX2, AVX-512) the last bits may differ,
 * because sums run over registers of another length and only the newer ones multiply and add in one rounding.
 * Cancelling is noticed between groups of a few samples.
 */
/* Masked weights are never updated and stay exactly zero. On cancellation @error is G_IO_ERROR_CANCELLED and
 * @result, when given, still receives the best so far; the same for %NN_ERROR_NUMERIC (divergence). */
gboolean       nn_train              (const NnModel        *model,
                                      const NnDataset      *data,
                                      const NnTrainOptions *options,
                                      const NnProgress     *progress,
                                      GCancellable         *cancellable,
                                      NnTrainResult       **result,
                                      GError              **error) G_GNUC_WARN_UNUSED_RESULT;
void           nn_train_result_free  (NnTrainResult        *result);
/* Whether every layer can be trained. */
gboolean       nn_train_supported    (const NnModel        *model,
                                      GError              **error);
/* Loss and its gradient for every weight (by id; %NULL where not trainable; 0 where pruned), mean over the samples of (x, y). */
NnTensor     **nn_gradients          (const NnModel        *model,
                                      const NnTensor       *x,
                                      const NnTensor       *y,
                                      const NnTrainOptions *options,
                                      double               *loss,
                                      GError              **error) G_GNUC_WARN_UNUSED_RESULT;
/* Diagonal of the Gauss-Newton matrix (empirical Fisher: mean of squared per-sample gradients), by weight id. */
NnTensor     **nn_fisher_diagonal    (const NnModel        *model,
                                      const NnTensor       *x,
                                      const NnTensor       *y,
                                      const NnTrainOptions *options,
                                      GError              **error) G_GNUC_WARN_UNUSED_RESULT;
/* Fast float32 inference on one part of the data, and its metrics. */
NnMetrics     *nn_evaluate           (const NnModel        *model,
                                      const NnDataset      *data,
                                      NnSplit               split,
                                      GCancellable         *cancellable,
                                      GError              **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same with weights and results rounded as training for @types rounds them. */
NnMetrics     *nn_evaluate_as        (const NnModel        *model,
                                      const NnDataset      *data,
                                      NnSplit               split,
                                      const NnTrainType    *types,
                                      guint                 n_types,
                                      GCancellable         *cancellable,
                                      GError              **error) G_GNUC_WARN_UNUSED_RESULT;
NnTensor      *nn_predict_fast       (const NnModel        *model,
                                      const NnTensor       *x,
                                      GCancellable         *cancellable,
                                      GError              **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnTrainResult, nn_train_result_free)

G_END_DECLS
