/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize: choices with sane defaults, and the job that carries them out. */

#pragma once

#include "app-job.h"

G_BEGIN_DECLS

typedef struct {
  guint        objective;  /* bits of NnResource */
  double       tolerance;  /* relative loss of accuracy */
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
} AppOptimiseChoices;

/* A finished step as it comes from the running job; also for runs that are over. */
typedef struct {
  NnStep   step;  /* step.model is owned by @model */
  NnModel *model;
} AppStepItem;

void    app_optimise_choices_init (AppOptimiseChoices       *choices);
/* Posts AppStepItem; result: NnTrail. */
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
AppStepItem *app_step_item_new    (const NnStep             *step);
AppStepItem *app_step_item_copy   (const AppStepItem        *item);
void         app_step_item_free   (AppStepItem              *item);

G_END_DECLS
