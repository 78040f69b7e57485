/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize: choices with sane defaults, and the job that carries them out. */

#pragma once

#include "app-analysis.h"

G_BEGIN_DECLS

/* How far to go. */
typedef enum { APP_GOAL_TOLERANCE, APP_GOAL_SHARE_OF_NOW, APP_GOAL_SHARE_OF_PART, APP_N_GOALS } AppGoal;

typedef struct {
  guint        objective;  /* bits of NnResource */
  double       tolerance;  /* relative loss of accuracy */
  AppGoal      goal;
  double       share;      /* of what the network uses now, or of the part: what the goal is */
  double       limits[NN_N_OBJECTIVES]; /* what follows from them; negative where free */
  NnStructure  structure;
  NnImportance importance;
  NnSchedule   schedule;
  double       step;
  guint        max_steps;
  guint        bad_trials;
  guint        epochs;
  gboolean     local;
  gboolean     snap;       /* weights may move to values that need no multiplier */
  guint64      seed;
  guint        n_seeds;    /* runs, from @seed upwards */
} AppOptimiseChoices;

/* A finished step as it comes from the running job; also for runs that are over. */
typedef struct {
  NnStep   step;  /* step.model is owned by @model */
  NnModel *model;
  guint    trial; /* which of several seeds, from 0 */
} AppStepItem;

void    app_optimise_choices_init (AppOptimiseChoices       *choices);
/* What suits this network, this data and this part. @sharing: (out): the reuse factor to take where the network does not
 * fit its part as set, 0 to leave it. Returns: why, in a sentence. (transfer full) */
char   *app_optimise_choices_for  (AppOptimiseChoices       *choices,
                                   const AppAnalysis        *analysis,
                                   const NnDataset          *data,
                                   guint                    *sharing);
/* Sets the limits that follow from goal and share. */
void    app_optimise_choices_limit (AppOptimiseChoices      *choices,
                                    const AppAnalysis       *analysis);
/* Posts AppStepItem; result: GPtrArray of NnTrail, one for each seed that came to its baseline. */
AppJob *app_optimise_job          (NnModel                  *model,
                                   NnConfig                 *config,
                                   NnDataset                *data,
                                   const AppOptimiseChoices *choices,
                                   GHashTable               *pins,        /* (nullable): app_pin_key() of groups to be kept */
                                   const char               *checkpoint,  /* (nullable): kept up to date step by step */
                                   const char               *data_spec);  /* (nullable) */
/* Names a group in a way that outlives the list it is in: its weight and its first member. */
char   *app_pin_key               (const NnGroups           *groups,
                                   const NnGroup            *group) G_GNUC_MALLOC;
AppStepItem *app_step_item_new    (const NnStep             *step,
                                   guint                     trial);
AppStepItem *app_step_item_copy   (const AppStepItem        *item);
void         app_step_item_free   (AppStepItem              *item);

G_END_DECLS
