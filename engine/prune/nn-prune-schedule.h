/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which target comes next, from what the steps so far came to. */

#pragma once

#include "nn-pruner.h"

G_BEGIN_DECLS

/* Everything follows from the steps that were made, so that a resumed run goes on as one that was never broken. */
typedef struct {
  const NnPruneOptions *options;
  double                low;      /* highest target that was accepted */
  double                high;     /* lowest that was not; beyond the largest where none failed */
  guint                 n_steps;
  guint                 bad;      /* rejected in a row */
  double                step;     /* of the constant schedule: halved at each failure */
} NnScheduler;

void     nn_scheduler_init (NnScheduler          *scheduler,
                            const NnPruneOptions *options);
void     nn_scheduler_tell (NnScheduler          *scheduler,
                            double                target,
                            gboolean              accepted);
gboolean nn_scheduler_next (const NnScheduler    *scheduler,
                            double               *target);

G_END_DECLS
