/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a document is at one moment: a sealed value. Undo is going back to an earlier one. */

#pragma once

#include "hls.h"
#include "nn.h"

G_BEGIN_DECLS

/* One run of Optimize and what it was asked for. */
typedef struct {
  gatomicrefcount ref_count;
  NnTrail        *trail;
  char           *study; /* the same for runs that differ in nothing but their seed */
  double          tolerance;
  guint64         seed;
} AppRun;

/* What it was asked for is read from the trail itself. */
AppRun *app_run_new   (NnTrail    *trail);
AppRun *app_run_ref   (AppRun     *run);
void    app_run_unref (AppRun     *run);

/**
 * AppState:
 * @label: what was done to come here, for the history
 * @model: (nullable): the network as loaded
 * @config: (nullable): set whenever @model is
 * @data: (nullable)
 * @runs: (element-type AppRun)
 * @run: index of the run that is shown, -1 for the network as loaded
 * @step: index of its step that is shown
 * @edited: (nullable): the network shown, where it was changed by hand after that
 */
typedef struct {
  gatomicrefcount ref_count;
  char      *label;
  NnModel   *model;
  NnConfig  *config;
  NnDataset *data;
  char      *data_spec;
  NnDataOptions *reading; /* (nullable): how it was read, where not as usual */
  GPtrArray *runs;
  int        run;
  guint      step;
  NnModel   *edited;
  GHashTable *pins;   /* (nullable): a set of app_pin_key(); not changed once it is here */
} AppState;

AppState *app_state_new   (void);
AppState *app_state_copy  (const AppState *state,
                           const char     *label);
AppState *app_state_ref   (AppState       *state);
void      app_state_unref (AppState       *state);
void      app_state_set_model  (AppState  *state,
                                NnModel   *model);
void      app_state_set_config (AppState  *state,
                                NnConfig  *config);
void      app_state_set_data   (AppState  *state,
                                NnDataset *data,
                                const char *spec);
void      app_state_set_reading (AppState  *state,
                                const NnDataOptions *reading);
/* Adds or removes a pin. */
void      app_state_toggle_pin (AppState  *state,
                                const char *key);
void      app_state_set_edited (AppState  *state,
                                NnModel   *model);
void      app_state_add_run    (AppState  *state,
                                AppRun    *run);
/* The network that is shown: a step's, or the one loaded. (transfer none) (nullable) */
NnModel      *app_state_shown  (const AppState *state);
const NnStep *app_state_step   (const AppState *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppState, app_state_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppRun, app_run_unref)

G_END_DECLS
