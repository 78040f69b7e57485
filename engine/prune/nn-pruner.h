/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize: raise the target, choose, mask, fine-tune, accept or repair; every step is kept in a trail. */

#pragma once

#include "nn-config.h"
#include "nn-dataset.h"
#include "nn-estimate.h"
#include "nn-groups.h"
#include "nn-knapsack.h"
#include "nn-trainer.h"

G_BEGIN_DECLS

typedef enum {
  NN_SCHEDULE_CONSTANT,   /* the target grows by `step` */
  NN_SCHEDULE_POLYNOMIAL, /* fast first, slow at the end */
  NN_SCHEDULE_BINARY,     /* halves the interval between the best and the worst that failed */
  NN_SCHEDULE_BUDGET,     /* straight to `budget` in `max_steps` steps */
} NnSchedule;

const char *nn_schedule_name (NnSchedule  schedule);
gboolean    nn_schedule_find (const char *name,
                              NnSchedule *schedule);

typedef struct _NnStep NnStep;
typedef struct _NnTrail NnTrail;

/**
 * NnPruneOptions:
 * @objective: bit set of %NnObjective whose use is to fall
 * @tolerance: loss of accuracy that is accepted, relative (0.01 for 1 %)
 * @budget: (nullable): what must not be exceeded, negative where free; without it the fall is as deep as tolerance allows
 * @limits: the same for all objectives, negative where free; where all objectives have one the schedule is
 *   %NN_SCHEDULE_BUDGET, otherwise the others fall as far as accuracy allows while these are kept
 * @weights: of %NN_OBJECTIVE_WEIGHTED: what a unit of each objective counts for
 * @structure: what lives and dies together
 * @layer_structures: (nullable) (element-type utf8 GINT_TO_POINTER(NnStructure)): where a layer differs
 * @block_in: rows of a block
 * @block_out: columns of a block
 * @local: every layer falls alike, instead of where it hurts least
 * @first_target: fraction of the resource to be gone at the first step
 * @step: of the constant schedule
 * @regularize: strength of the group regulariser relative to the loss, 0 for none, negative for automatic
 * @bad_trials: consecutive rejected steps after which the loop ends
 * @fine_tune_epochs: with the masks held
 * @rewind_epochs: without masks before each choice, so that what was cut may grow back
 * @rewind_weights: fine-tuning starts from the weights of the network as given (lottery ticket)
 * @quantized: training, and the accuracy that decides, reckon with the configuration's number types (quantisation-aware)
 * @snap: at the end, weights of the Latency strategy may move to values that need no DSP
 * @share: at the end, groups whose weights are nearly equal become their mean, so that they share a multiplier
 * @leave: (nullable): layers left alone
 * @pins: (nullable) (array length=n_pins): by group, in the order of nn_groups_new_full(): +1 kept, -1 cut, 0 free
 * @part: (nullable): the budget's and the estimates' part instead of the configuration's
 * @checkpoint: (nullable): project file that is kept up to date step by step
 * @data_spec: (nullable): where the data came from, for the project file
 * @data_options: (nullable): how it was read, in words that the caller understands, for the same
 * @beside: (nullable) (array length=n_beside): trails that the project file holds besides this run's
 * @notes: (nullable): notes that it holds
 * @resume: (nullable): steps that were made already: the run goes on after them
 * @branch: how many of these steps another run made, with options of its own; 0 for none
 * @on_step: (nullable): on the worker thread, after each step
 */
typedef struct {
  guint             objective;
  double            tolerance;
  const NnResources *budget;
  double            limits[NN_N_OBJECTIVES];
  double            weights[NN_N_OBJECTIVES];
  NnStructure       structure;
  GHashTable       *layer_structures;
  guint             block_in, block_out;
  NnImportance      importance;
  gboolean          local;
  NnSchedule        schedule;
  double            first_target;
  double            step;
  double            max_target;
  guint             max_steps;
  guint             bad_trials;
  double            regularize;
  guint             fine_tune_epochs;
  guint             rewind_epochs;
  gboolean          rewind_weights;
  gboolean          quantized;
  gboolean          snap;
  gboolean          share;
  const char *const *leave;
  const gint8      *pins;
  gsize             n_pins;
  NnKnapsackOptions knapsack;
  NnTrainOptions    train;
  const char       *part;
  guint64           seed;
  const char       *checkpoint;
  const char       *data_spec;
  const char       *data_options;
  NnTrail *const   *beside;
  guint             n_beside;
  const char       *notes;
  NnTrail          *resume;
  guint             branch;
  void            (*on_step) (const NnStep *step, gpointer data);
  gpointer          on_step_data;
} NnPruneOptions;

typedef enum {
  NN_STEP_BASELINE,
  NN_STEP_PRUNE,
  NN_STEP_SNAP,
  NN_STEP_SHARE,
} NnStepKind;

const char *nn_step_kind_name (NnStepKind kind);

/**
 * NnStep: one trial of the loop. Step 0 is the baseline.
 * @kind: what was tried
 * @target: fraction of the objective's resource meant to be gone
 * @accuracy: on the validation part (a regression: minus the MSE)
 * @loss: the same
 * @auc: mean over the classes; NaN for a regression
 * @resources: estimated
 * @latency: cycles
 * @bops: bit operations
 * @energy: nJ of one sample
 * @choice_seconds: that the choice took, of @seconds
 * @price: what one more unit of a resource would be worth, in importance
 * @strength: of the regulariser, relative to the loss
 * @n_snapped: weights moved to values that need no DSP
 * @model: (owned): weights and masks after the step
 */
struct _NnStep {
  guint            index;
  NnStepKind       kind;
  double           target;
  gboolean         accepted;
  double           accuracy;
  double           loss;
  double           auc;
  NnResources      resources;
  double           latency;
  double           bops;
  double           energy;
  NnKnapsackStatus status;
  double           value, bound, gap;
  double           choice_seconds;
  double           price[NN_N_RESOURCES];
  double           strength;
  gsize            n_groups, n_kept;
  gsize            n_snapped;
  double           seconds;
  NnModel         *model;
};

/* The history of a run. Sealed and shared. */
#define NN_TYPE_TRAIL (nn_trail_get_type ())
GType nn_trail_get_type (void);
NnTrail      *nn_trail_ref     (NnTrail       *trail);
void          nn_trail_unref   (NnTrail       *trail);
guint         nn_trail_n_steps (const NnTrail *trail);
const NnStep *nn_trail_step    (const NnTrail *trail,
                                guint          i);
guint         nn_trail_chosen  (const NnTrail *trail); /* the best accepted step */
gboolean      nn_trail_was_cancelled (const NnTrail *trail);
const char   *nn_trail_options (const NnTrail *trail); /* JSON: what the run was asked for */
/* The first @n_steps steps, to branch from: a new trail that can be resumed with the same or other options. */
NnTrail      *nn_trail_head    (const NnTrail *trail,
                                guint          n_steps);

/* The options that make a run what it is, as JSON, and back; what the options borrow lives in @hold, but for
 * `layer_structures`, which nn_prune_options_clear() releases. */
char         *nn_prune_options_to_json   (const NnPruneOptions *options) G_GNUC_MALLOC;
gboolean      nn_prune_options_from_json (NnPruneOptions       *options,
                                          const char           *json,
                                          GPtrArray            *hold,
                                          GError              **error) G_GNUC_WARN_UNUSED_RESULT;

/* The groups that a run with these options numbers its pins by. (transfer full) */
NnGroups *nn_prune_options_groups (const NnPruneOptions *options,
                                   const NnModel        *model,
                                   const NnConfig       *config,
                                   GError              **error) G_GNUC_WARN_UNUSED_RESULT;
void     nn_prune_options_init (NnPruneOptions       *options);
/* For options that own their `layer_structures`: unrefs it. */
void     nn_prune_options_clear (NnPruneOptions      *options);
/* Returns: (transfer full): the trail; also when cancelled, with what was finished (then no error is set and
 * nn_trail_was_cancelled() is true), %NULL only when not even the baseline could be measured. */
NnTrail *nn_prune              (const NnModel        *model,
                                const NnConfig       *config,
                                const NnDataset      *data,
                                const NnPruneOptions *options,
                                const NnProgress     *progress,
                                GCancellable         *cancellable,
                                GError              **error) G_GNUC_WARN_UNUSED_RESULT;

/* The certified curve of importance against resource, without training. */
typedef struct {
  NnResources      budget;
  double           value, bound, gap;
  NnKnapsackStatus status;
  double           price[NN_N_RESOURCES];
  double           other_budget[NN_N_OBJECTIVES - NN_N_RESOURCES];
  double           other_price[NN_N_OBJECTIVES - NN_N_RESOURCES];
  gsize            n_kept;
  double           seconds;
} NnFrontierPoint;

GArray  *nn_frontier           (const NnGroups       *groups,
                                guint                 objective,
                                guint                 n_points,
                                GCancellable         *cancellable,
                                GError              **error) G_GNUC_WARN_UNUSED_RESULT;

/* One point for budgets chosen by the caller: @budget is negative where free. */
NnKnapsackResult *nn_groups_choose (const NnGroups          *groups,
                                    const double            *budget, /* (array length=NN_N_OBJECTIVES) */
                                    const NnKnapsackOptions *options,
                                    GCancellable            *cancellable,
                                    double                  *price,  /* (nullable) (array length=NN_N_OBJECTIVES) */
                                    GError                 **error) G_GNUC_WARN_UNUSED_RESULT;

/* The configuration whose hardware leaves out what is masked in @model: layers of the Resource strategy that were pruned get
 * ResourceUnrolled. (transfer full) */
NnConfig *nn_config_for_pruned (const NnConfig       *config,
                                const NnModel        *model,
                                GError              **error) G_GNUC_WARN_UNUSED_RESULT;

/* Zeroes and masks what @keep leaves out. */
NnModel *nn_groups_apply       (const NnGroups       *groups,
                                const NnModel        *model,
                                const guint8         *keep);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnTrail, nn_trail_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NnPruneOptions, nn_prune_options_clear)

G_END_DECLS
