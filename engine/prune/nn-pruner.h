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

/**
 * NnPruneOptions:
 * @objective: bit set of NnResource whose use is to fall
 * @tolerance: loss of accuracy that is accepted, relative (0.01 for 1 %)
 * @budget: (nullable): what must not be exceeded, negative where free; without it the fall is as deep as tolerance allows
 * @regularize: strength of the group regulariser relative to the loss, 0 for none, negative for automatic
 * @bad_trials: consecutive rejected steps after which the loop ends
 * @on_step: (nullable): on the worker thread, after each step
 */
typedef struct _NnStep NnStep;
typedef struct {
  guint             objective;
  double            tolerance;
  const NnResources *budget;
  NnStructure       structure;
  NnImportance      importance;
  gboolean          local;        /* every layer falls alike */
  NnSchedule        schedule;
  double            first_target; /* fraction of the resource to be gone at the first step */
  double            step;
  double            max_target;
  guint             max_steps;
  guint             bad_trials;
  double            regularize;
  guint             fine_tune_epochs;
  guint             rewind_epochs;
  const char *const *leave;       /* (nullable): layers left alone */
  NnKnapsackOptions knapsack;
  NnTrainOptions    train;
  const char       *part;         /* (nullable) */
  guint64           seed;
  void            (*on_step) (const NnStep *step, gpointer data);
  gpointer          on_step_data;
} NnPruneOptions;

/**
 * NnStep: one trial of the loop. Step 0 is the baseline.
 */
struct _NnStep {
  guint            index;
  double           target;      /* fraction of the objective's resource meant to be gone */
  gboolean         accepted;
  double           accuracy;    /* on the validation part (a regression: minus the MSE) */
  NnResources      resources;   /* estimated */
  double           latency;     /* cycles */
  NnKnapsackStatus status;
  double           value, bound, gap;
  double           price[NN_N_RESOURCES];
  gsize            n_groups, n_kept;
  double           seconds;
  NnModel         *model;       /* owned: weights and masks after the step */
};

/* The history of a run. Sealed and shared. */
typedef struct _NnTrail NnTrail;
#define NN_TYPE_TRAIL (nn_trail_get_type ())
GType nn_trail_get_type (void);
NnTrail      *nn_trail_ref     (NnTrail       *trail);
void          nn_trail_unref   (NnTrail       *trail);
guint         nn_trail_n_steps (const NnTrail *trail);
const NnStep *nn_trail_step    (const NnTrail *trail,
                                guint          i);
guint         nn_trail_chosen  (const NnTrail *trail); /* the best accepted step */
gboolean      nn_trail_was_cancelled (const NnTrail *trail);

void     nn_prune_options_init (NnPruneOptions       *options);
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
  gsize            n_kept;
} NnFrontierPoint;

GArray  *nn_frontier           (const NnGroups       *groups,
                                guint                 objective,
                                guint                 n_points,
                                GCancellable         *cancellable,
                                GError              **error) G_GNUC_WARN_UNUSED_RESULT;

/* Zeroes and masks what @keep leaves out. */
NnModel *nn_groups_apply       (const NnGroups       *groups,
                                const NnModel        *model,
                                const guint8         *keep);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnTrail, nn_trail_unref)

G_END_DECLS
