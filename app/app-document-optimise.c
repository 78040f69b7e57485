/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document is optimised: choices, steps as they come, runs as one step of undo. */

#include "app-document-private.h"


#include <glib/gi18n.h>

const AppOptimiseChoices *
app_document_choices (AppDocument *self)
{
  if (!self->chosen && self->baseline != NULL && app_document_current (self)->data != NULL)
    g_free (app_optimise_choices_for (&self->choices, self->baseline, app_document_current (self)->data, NULL));
  return &self->choices;
}

static void
on_step (AppJob      *job,
         AppStepItem *item,
         AppDocument *self)
{
  g_ptr_array_add (self->live, app_step_item_copy (item));
  g_signal_emit_by_name (self, "live");
}

/* All runs of a job are one step of undo; shown is the best of the first. */
static AppState *
state_of_trails (const AppState *state,
                 GPtrArray      *trails)
{
  AppState *next = app_state_copy (state, _("Optimize"));

  for (guint i = 0; i < trails->len; i++)
    {
      g_autoptr (AppRun) run = app_run_new (g_ptr_array_index (trails, i));

      app_state_add_run (next, run);
    }
  next->run = state->runs->len;
  next->step = nn_trail_chosen (g_ptr_array_index (trails, 0));
  app_state_set_edited (next, NULL);
  return next;
}

static void
on_optimised (AppJob      *job,
              AppDocument *self)
{
  g_autoptr (GPtrArray) trails = app_job_steal_result (job);
  const char *text;

  self->optimising = FALSE;
  g_ptr_array_set_size (self->live, 0);
  if (trails == NULL)
    {
      g_signal_emit_by_name (self, "live");
      return;
    }
  text = app_job_was_cancelled (job) ? _("Stopped; the best so far is kept") : _("Optimization finished");
  app_document_push (self, state_of_trails (app_document_current (self), trails));
  app_document_say (self, text, TRUE);
  g_signal_emit_by_name (self, "idle-done", _("Optimization finished"), text);
}

static void
optimise (AppDocument              *self,
          const AppOptimiseChoices *choices,
          NnTrail                  *head)
{
  const AppState *state = app_document_current (self);
  g_autofree char *notes = app_document_make_notes (self, TRUE, FALSE);
  g_autofree char *how = state->reading != NULL ? nn_data_options_to_json (state->reading) : NULL;
  GHashTable *layers = choices->layers != NULL ? g_hash_table_ref (choices->layers) : NULL;
  AppOptimiseTask task = { .model = state->edited != NULL && head == NULL ? state->edited : state->model, .config = state->config,
                           .data = state->data, .data_spec = state->data_spec, .data_options = how, .pins = state->pins,
                           .runs = state->runs, .notes = notes,
                           .checkpoint = app_document_need_autosave_path (self), .head = head };
  AppJob *job;

  g_clear_pointer (&self->choices.layers, g_hash_table_unref);
  self->choices = *choices;
  self->choices.layers = layers;
  self->chosen = TRUE;
  self->optimising = TRUE;
  g_ptr_array_set_size (self->live, 0);
  job = app_optimise_job (&task, &self->choices);
  g_signal_connect (job, "item", G_CALLBACK (on_step), self);
  g_signal_connect (job, "finished", G_CALLBACK (on_optimised), self);
  app_document_run (self, job);
}

void
app_document_optimise (AppDocument              *self,
                       const AppOptimiseChoices *choices)
{
  const AppState *state = app_document_current (self);

  g_return_if_fail (state->model != NULL && state->data != NULL && self->job == NULL);
  optimise (self, choices, NULL);
}

gboolean
app_document_can_branch (AppDocument *self)
{
  const AppState *state = app_document_current (self);

  return app_state_step (state) != NULL && state->edited == NULL && state->data != NULL && self->job == NULL;
}

/**
 * app_document_branch:
 *
 * A run beside the others that has the steps of the run shown up to the one shown, and goes on from there as @choices say.
 */
void
app_document_branch (AppDocument              *self,
                     const AppOptimiseChoices *choices)
{
  const AppState *state = app_document_current (self);
  g_autoptr (NnTrail) head = NULL;

  g_return_if_fail (app_document_can_branch (self));
  head = nn_trail_head (((AppRun *) g_ptr_array_index (state->runs, state->run))->trail, state->step + 1);
  optimise (self, choices, head);
}
