/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the optimisation, for the files that make it up. */

#pragma once

#include "nn-trail-private.h"

G_BEGIN_DECLS

typedef struct {
  /* borrowed */
  const NnModel        *model;  /* as given */
  const NnDataset      *data;
  const NnPruneOptions *options;
  GCancellable         *cancellable;
  const NnProgress     *progress;
  /* owned */
  NnConfig             *config;
  NnTrail              *trail;
  const NnPart         *part;        /* (nullable): the catalogue's */
  guint                 objectives;  /* those that have a budget in each choice */
  double                total[NN_N_OBJECTIVES];  /* what the groups of the network as given take */
  double                fixed[NN_N_OBJECTIVES];  /* what no choice of groups can change */
  double               *node_total;  /* (n_nodes, NN_N_OBJECTIVES) */
  guint                 n_nodes;
} NnPruneRun;

/* Accuracy, resources and the rest of a network into @step. */
gboolean  nn_prune_measure    (const NnPruneRun *run,
                               const NnModel    *model,
                               NnStep           *step,
                               GError          **error);
/* Whether accuracy is within the tolerance of the baseline's. */
gboolean  nn_prune_tolerable  (const NnPruneRun *run,
                               const NnStep     *step);
/* Whether the estimate of a step is within all limits. */
gboolean  nn_prune_fits       (const NnPruneRun *run,
                               const NnStep     *step);
NnGroups *nn_prune_groups     (const NnPruneRun *run,
                               const NnModel    *model,
                               guint64           seed,
                               GError          **error);
/* The same with what the present values cost, not scored. */
NnGroups *nn_prune_groups_now (const NnPruneRun *run,
                               const NnModel    *model,
                               GError          **error);
/* The network to go on from. */
const NnStep *nn_prune_current (const NnPruneRun *run);
/* One trial: choose for @target, mask, fine-tune, measure. %NULL when cancelled or failed. */
NnStep   *nn_prune_trial      (const NnPruneRun *run,
                               double            target,
                               GError          **error);
typedef struct _NnMoved NnMoved;

/* Trains @model with its masks held, and what @moved (nullable) moved where that belongs; a cancelled run is an error, one that diverged gives its best. */
NnModel  *nn_prune_fine_tune  (const NnPruneRun *run,
                               const NnModel    *model,
                               const NnGroups   *groups, /* (nullable) */
                               const guint8     *keep,
                               const NnMoved    *moved,
                               double            strength,
                               guint             epochs,
                               guint64           seed,
                               GError          **error);
double    nn_prune_use        (const NnPruneRun *run,
                               const NnStep     *step,
                               NnObjective       objective);
/* The stages after the loop. %NULL without error where there is nothing to do. */
NnStep   *nn_prune_snap       (const NnPruneRun *run,
                               GError          **error);
NnStep   *nn_prune_finish     (const NnPruneRun *run,
                               GError          **error);
NnStep   *nn_prune_share      (const NnPruneRun *run,
                               GError          **error);
/* Chooses what stays for @target, or for @budget where it is not NULL: into @keep (by group), @moved (nullable) and @step. */
gboolean  nn_prune_choose     (const NnPruneRun *run,
                               NnGroups         *groups,
                               NnMoved          *moved,
                               double            target,
                               const double     *budget,
                               guint8           *keep,
                               NnStep           *step,
                               GError          **error);
gboolean  nn_prune_left       (const NnPruneRun *run,
                               const NnModel    *model,
                               double           *use,
                               GError          **error);
/* The set of objectives that a limit or the objective names. */
double    nn_prune_limit      (const NnPruneOptions *options,
                               NnObjective           objective);

G_END_DECLS
