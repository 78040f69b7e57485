/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize: choices with sane defaults, and the job that carries them out. */

#pragma once

#include "app-analysis.h"
#include "app-state.h"

G_BEGIN_DECLS

/* How far to go. */
typedef enum { APP_GOAL_TOLERANCE, APP_GOAL_SHARE_OF_NOW, APP_GOAL_SHARE_OF_PART, APP_N_GOALS } AppGoal;

/**
 * AppOptimiseChoices:
 * @objective: bits of NnObjective
 * @weights: of the weighted sum, where that is the objective
 * @layers: (nullable) (element-type utf8 GINT_TO_POINTER(NnStructure)): layers that differ, %NN_STRUCTURE_NONE to leave one alone;
 *   borrowed, and not changed once it is here
 */
typedef struct {
  guint        objective;
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
  gboolean     merge;      /* weights that are nearly equal become one */
  gboolean     quantized;  /* fine-tune with the number types of the hardware */
  guint        regrowth;   /* epochs without masks before each choice */
  double       weights[NN_N_OBJECTIVES];
  GHashTable  *layers;
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
/**
 * AppOptimiseTask: what a run begins with. All borrowed.
 * @pins: (nullable): app_pin_key() of groups to be kept
 * @checkpoint: (nullable): project file kept up to date step by step
 * @runs: (nullable) (element-type AppRun): what it holds besides
 * @notes: (nullable): what else it says
 * @head: (nullable): steps of another run, after the last of which this one branches off
 */
typedef struct {
  NnModel    *model;
  NnConfig   *config;
  NnDataset  *data;
  const char *data_spec; /* (nullable) */
  const char *data_options; /* (nullable): how it was read, as the command line says it too */
  GHashTable *pins;
  const char *checkpoint;
  GPtrArray  *runs;
  const char *notes;
  NnTrail    *head;
} AppOptimiseTask;

/* Posts AppStepItem; result: GPtrArray of NnTrail, one for each seed that came to its baseline. */
AppJob *app_optimise_job          (const AppOptimiseTask    *task,
                                   const AppOptimiseChoices *choices);
/* Names a group in a way that outlives the list it is in: its weight and its first member. */
char   *app_pin_key               (const NnGroups           *groups,
                                   const NnGroup            *group) G_GNUC_MALLOC;
AppStepItem *app_step_item_new    (const NnStep             *step,
                                   guint                     trial);
AppStepItem *app_step_item_copy   (const AppStepItem        *item);
void         app_step_item_free   (AppStepItem              *item);

G_END_DECLS
