/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keep, move or cut: single weights of the Latency strategy may move to values whose product takes no DSP, and weights of one
 * value on one input share a multiplier. One step's choice of it, and how training keeps to that.
 */

#pragma once

#include "nn-prune-run.h"

G_BEGIN_DECLS

/* What may move in @model; borrows @groups, whose structure decides (single weights of Latency layers can). */
NnMoved          *nn_moved_new       (const NnPruneRun *run,
                                      const NnModel    *model,
                                      const NnGroups   *groups,
                                      GError          **error);
void              nn_moved_free      (NnMoved          *moved);
/* The joint choice for the groups [first, first + n): a result as of nn_groups_choose(). */
NnKnapsackResult *nn_moved_choose    (NnMoved          *moved,
                                      const NnPruneRun *run,
                                      gsize             first,
                                      gsize             n,
                                      const double     *budget,
                                      double           *price, /* (array length=NN_N_OBJECTIVES) */
                                      GError          **error);
/* When all is chosen, before the functions that follow. */
void              nn_moved_seal      (NnMoved          *moved);
/* Weights that were moved. */
gsize             nn_moved_count     (const NnMoved    *moved);
/* Has training use what was moved on its grid, and leave what is shared as it is. Borrowed until @moved is freed. */
void              nn_moved_constrain (const NnMoved    *moved,
                                      NnTrainOptions   *options);
/* @model with all that was moved on its grid. (transfer full) */
NnModel          *nn_moved_apply     (const NnMoved    *moved,
                                      const NnModel    *model);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnMoved, nn_moved_free)

G_END_DECLS
