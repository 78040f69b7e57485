/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows from the document's state and is made on threads of its own: analyses, evaluations, errors of fixed point. */

#include "app-document-private.h"

/* An analysis counts only while its job is still the one awaited. */
static void
on_analysed (AppJob      *job,
             AppDocument *self)
{
  gboolean base = job == self->baseline_job;
  AppAnalysis **place = base ? &self->baseline : &self->analysis;
  AppAnalysis *result = app_job_steal_result (job);

  if (result != NULL)
    {
      g_clear_pointer (place, app_analysis_unref);
      *place = result;
      /* The network shown may be the one loaded: one analysis serves for both. */
      if (!base && result->model == app_document_current (self)->model)
        {
          g_clear_pointer (&self->baseline, app_analysis_unref);
          self->baseline = app_analysis_ref (result);
        }
    }
  g_clear_object (base ? &self->baseline_job : &self->analysis_job);
  g_signal_emit_by_name (self, "analysed");
}

static void
on_evaluated (AppJob      *job,
              AppDocument *self)
{
  gboolean base = job == self->base_evaluation_job;
  AppEvaluation **place = base ? &self->base_evaluation : &self->evaluation;
  AppEvaluation *result = app_job_steal_result (job);

  if (result != NULL)
    {
      g_clear_pointer (place, app_evaluation_unref);
      *place = result;
      if (!base && result->model == app_document_current (self)->model)
        {
          g_clear_pointer (&self->base_evaluation, app_evaluation_unref);
          self->base_evaluation = app_evaluation_ref (result);
        }
    }
  g_clear_object (base ? &self->base_evaluation_job : &self->evaluation_job);
  g_signal_emit_by_name (self, "analysed");
}

static void
start (AppDocument  *self,
       AppJob      **place,
       AppJob       *job,
       GCallback     on_finished)
{
  app_document_drop_job (self, place);
  *place = job;
  g_signal_connect (job, "finished", on_finished, self);
  app_job_start (job);
}

AppErrors *
app_document_errors (AppDocument *self)
{
  const AppErrors *errors = self->errors;

  return errors != NULL && errors->analysis == self->analysis && errors->data == app_document_current (self)->data ? self->errors : NULL;
}

static void
on_errors (AppJob      *job,
           AppDocument *self)
{
  g_clear_pointer (&self->errors, app_errors_unref);
  self->errors = app_job_steal_result (job);
  g_clear_object (&self->errors_job);
  /* They may have been overtaken by another analysis. */
  app_document_want_errors (self);
  g_signal_emit_by_name (self, "analysed");
}

void
app_document_want_errors (AppDocument *self)
{
  NnDataset *data = app_document_current (self)->data;

  if (self->analysis == NULL || self->analysis->design == NULL || data == NULL || app_document_errors (self) != NULL
      || (self->errors_for == self->analysis && self->errors_data == data))
    return;
  /* What cannot be compared is not asked for again. */
  g_clear_pointer (&self->errors_for, app_analysis_unref);
  self->errors_for = app_analysis_ref (self->analysis);
  self->errors_data = data;
  start (self, &self->errors_job, app_errors_job (self->analysis, data), G_CALLBACK (on_errors));
}

static void
refresh_analysis (AppDocument    *self,
                  const AppState *state,
                  NnModel        *shown)
{
  if (self->baseline != NULL && (self->baseline->model != state->model || self->baseline->config != state->config))
    g_clear_pointer (&self->baseline, app_analysis_unref);
  if (shown == state->model && self->baseline != NULL)
    {
      app_document_drop_job (self, &self->analysis_job);
      g_clear_pointer (&self->analysis, app_analysis_unref);
      self->analysis = app_analysis_ref (self->baseline);
    }
  else if (self->analysis == NULL || self->analysis->model != shown || self->analysis->config != state->config)
    start (self, &self->analysis_job, app_analysis_job (shown, state->config), G_CALLBACK (on_analysed));
  else
    app_document_drop_job (self, &self->analysis_job); /* of something else, which must not come after */
  if (self->baseline == NULL && shown != state->model)
    start (self, &self->baseline_job, app_analysis_job (state->model, state->config), G_CALLBACK (on_analysed));
}

static void
refresh_evaluation (AppDocument    *self,
                    const AppState *state,
                    NnModel        *shown)
{
  if (self->base_evaluation != NULL && self->base_evaluation->model != state->model)
    g_clear_pointer (&self->base_evaluation, app_evaluation_unref);
  if (state->data == NULL)
    {
      g_clear_pointer (&self->evaluation, app_evaluation_unref);
      g_clear_pointer (&self->base_evaluation, app_evaluation_unref);
      return;
    }
  if (self->evaluation == NULL || self->evaluation->model != shown)
    start (self, &self->evaluation_job, app_evaluation_job (shown, state->data), G_CALLBACK (on_evaluated));
  else
    app_document_drop_job (self, &self->evaluation_job);
  if (self->base_evaluation == NULL && shown != state->model)
    start (self, &self->base_evaluation_job, app_evaluation_job (state->model, state->data), G_CALLBACK (on_evaluated));
}

/* Everything that follows from the state and the selection. */
void
app_document_refresh (AppDocument *self)
{
  const AppState *state = app_document_current (self);
  NnModel *shown = app_state_shown (state);

  if (shown == NULL)
    {
      g_clear_pointer (&self->analysis, app_analysis_unref);
      g_clear_pointer (&self->baseline, app_analysis_unref);
      g_clear_pointer (&self->evaluation, app_evaluation_unref);
      g_clear_pointer (&self->base_evaluation, app_evaluation_unref);
    }
  else
    {
      refresh_analysis (self, state, shown);
      refresh_evaluation (self, state, shown);
    }
  g_signal_emit_by_name (self, "changed");
}

void
app_document_reanalyse (AppDocument *self)
{
  g_clear_pointer (&self->analysis, app_analysis_unref);
  g_clear_pointer (&self->baseline, app_analysis_unref);
  app_document_refresh (self);
}
