/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document: history, selection, analyses that follow it. */

#include "app-document-private.h"

#include <glib/gi18n.h>

enum { SIGNAL_CHANGED, SIGNAL_ANALYSED, SIGNAL_JOB_CHANGED, SIGNAL_LIVE, SIGNAL_FAILED, SIGNAL_DONE, SIGNAL_IDLE_DONE, SIGNAL_CHOOSE_ARRAYS, SIGNAL_SAVED, SIGNAL_OPENED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (AppDocument, app_document, G_TYPE_OBJECT)

AppState *
app_document_current (AppDocument *self)
{
  return g_ptr_array_index (self->history, self->position);
}

const AppState *
app_document_state (AppDocument *self)
{
  return app_document_current (self);
}

static void
drop_job (AppDocument  *self,
          AppJob      **job)
{
  if (*job == NULL)
    return;
  g_signal_handlers_disconnect_by_data (*job, self);
  if (!app_job_outlives (*job))
    app_job_cancel (*job);
  g_clear_object (job);
}

static void
app_document_dispose (GObject *object)
{
  AppDocument *self = APP_DOCUMENT (object);

  drop_job (self, &self->job);
  drop_job (self, &self->analysis_job);
  drop_job (self, &self->baseline_job);
  drop_job (self, &self->evaluation_job);
  drop_job (self, &self->base_evaluation_job);
  drop_job (self, &self->errors_job);
  g_clear_handle_id (&self->autosave_id, g_source_remove);
  g_clear_object (&self->autosave_job);
  app_document_leave_save (self);
  G_OBJECT_CLASS (app_document_parent_class)->dispose (object);
}

static void
app_document_finalize (GObject *object)
{
  AppDocument *self = APP_DOCUMENT (object);

  g_ptr_array_unref (self->history);
  g_clear_pointer (&self->analysis, app_analysis_unref);
  g_clear_pointer (&self->baseline, app_analysis_unref);
  g_clear_pointer (&self->evaluation, app_evaluation_unref);
  g_clear_pointer (&self->base_evaluation, app_evaluation_unref);
  g_clear_pointer (&self->errors, app_errors_unref);
  g_clear_pointer (&self->errors_for, app_analysis_unref);
  g_ptr_array_unref (self->live);
  g_ptr_array_unref (self->reports);
  g_clear_pointer (&self->choices.layers, g_hash_table_unref);
  g_free (self->path);
  g_free (self->name);
  g_free (self->autosave_path);
  G_OBJECT_CLASS (app_document_parent_class)->finalize (object);
}

static guint
new_signal (const char *name,
            guint       n,
            GType       a,
            GType       b)
{
  return g_signal_new (name, APP_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, n, a, b);
}

static void
app_document_class_init (AppDocumentClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = app_document_dispose;
  G_OBJECT_CLASS (klass)->finalize = app_document_finalize;
  signals[SIGNAL_CHANGED] = new_signal ("changed", 0, 0, 0);
  signals[SIGNAL_ANALYSED] = new_signal ("analysed", 0, 0, 0);
  signals[SIGNAL_JOB_CHANGED] = new_signal ("job-changed", 0, 0, 0);
  signals[SIGNAL_LIVE] = new_signal ("live", 0, 0, 0);
  signals[SIGNAL_FAILED] = new_signal ("failed", 2, G_TYPE_STRING, G_TYPE_STRING);
  signals[SIGNAL_DONE] = new_signal ("done", 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
  signals[SIGNAL_CHOOSE_ARRAYS] = new_signal ("choose-arrays", 2, G_TYPE_STRING, G_TYPE_PTR_ARRAY);
  signals[SIGNAL_OPENED] = new_signal ("opened", 1, G_TYPE_STRING, 0);
  signals[SIGNAL_SAVED] = new_signal ("saved", 2, G_TYPE_STRING, G_TYPE_STRING);
  signals[SIGNAL_IDLE_DONE] = new_signal ("idle-done", 2, G_TYPE_STRING, G_TYPE_STRING);
}

static void
app_document_init (AppDocument *self)
{
  self->history = g_ptr_array_new_with_free_func ((GDestroyNotify) app_state_unref);
  g_ptr_array_add (self->history, app_state_new ());
  self->live = g_ptr_array_new_with_free_func ((GDestroyNotify) app_step_item_free);
  self->reports = g_ptr_array_new_with_free_func ((GDestroyNotify) hls_report_free);
  app_optimise_choices_init (&self->choices);
}

AppDocument *
app_document_new (void)
{
  return g_object_new (APP_TYPE_DOCUMENT, NULL);
}

gboolean
app_document_is_empty (AppDocument *self)
{
  return app_document_current (self)->model == NULL;
}

NnModel *
app_document_shown (AppDocument *self)
{
  return app_state_shown (app_document_current (self));
}

AppAnalysis *
app_document_analysis (AppDocument *self)
{
  return self->analysis;
}

AppAnalysis *
app_document_baseline (AppDocument *self)
{
  return self->baseline;
}

AppEvaluation *
app_document_evaluation (AppDocument *self)
{
  return self->evaluation;
}

AppEvaluation *
app_document_base_evaluation (AppDocument *self)
{
  return self->base_evaluation;
}

GPtrArray *
app_document_reports (AppDocument *self)
{
  return self->reports;
}

GPtrArray *
app_document_live (AppDocument *self)
{
  return self->live;
}

const AppOptimiseChoices *
app_document_choices (AppDocument *self)
{
  if (!self->chosen && self->baseline != NULL && app_document_current (self)->data != NULL)
    g_free (app_optimise_choices_for (&self->choices, self->baseline, app_document_current (self)->data, NULL));
  return &self->choices;
}

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
  g_signal_emit (self, signals[SIGNAL_ANALYSED], 0);
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
  g_signal_emit (self, signals[SIGNAL_ANALYSED], 0);
}

static void
start (AppDocument  *self,
       AppJob      **place,
       AppJob       *job,
       GCallback     on_finished)
{
  drop_job (self, place);
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
  g_signal_emit (self, signals[SIGNAL_ANALYSED], 0);
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
      drop_job (self, &self->analysis_job);
      g_clear_pointer (&self->analysis, app_analysis_unref);
      self->analysis = app_analysis_ref (self->baseline);
    }
  else if (self->analysis == NULL || self->analysis->model != shown || self->analysis->config != state->config)
    start (self, &self->analysis_job, app_analysis_job (shown, state->config), G_CALLBACK (on_analysed));
  else
    drop_job (self, &self->analysis_job); /* of something else, which must not come after */
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
    drop_job (self, &self->evaluation_job);
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
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

void
app_document_reanalyse (AppDocument *self)
{
  g_clear_pointer (&self->analysis, app_analysis_unref);
  g_clear_pointer (&self->baseline, app_analysis_unref);
  app_document_refresh (self);
}

void
app_document_push (AppDocument *self,
                   AppState    *state)
{
  if (self->saved != G_MAXUINT && self->saved > self->position)
    self->saved = G_MAXUINT;
  if (self->saving != G_MAXUINT && self->saving > self->position)
    self->saving = G_MAXUINT;
  if (self->position + 1 < self->history->len)
    g_ptr_array_remove_range (self->history, self->position + 1, self->history->len - self->position - 1);
  g_ptr_array_add (self->history, state);
  self->position++;
  app_document_want_autosave (self);
  app_document_refresh (self);
}

/* What is shown is not an edit: the state is replaced where it stands. */
void
app_document_select (AppDocument *self,
                     int          run,
                     guint        step)
{
  AppState *state = app_document_current (self);
  AppState *next;

  if (state->run == run && state->step == step && state->edited == NULL)
    return;
  next = app_state_copy (state, state->label);
  next->run = run;
  next->step = step;
  if (state->edited != NULL)
    {
      /* What was changed by hand must not be lost by a look at something else. */
      app_state_set_edited (next, NULL);
      app_document_push (self, next);
      return;
    }
  app_state_unref (state);
  self->history->pdata[self->position] = next;
  app_document_refresh (self);
}

gboolean
app_document_can_undo (AppDocument *self)
{
  return self->position > 0 && !self->optimising;
}

gboolean
app_document_can_redo (AppDocument *self)
{
  return self->position + 1 < self->history->len && !self->optimising;
}

void
app_document_go_to (AppDocument *self,
                    guint        i)
{
  if (i >= self->history->len || i == self->position || self->optimising)
    return;
  self->position = i;
  app_document_want_autosave (self);
  app_document_refresh (self);
}

void
app_document_undo (AppDocument *self)
{
  if (app_document_can_undo (self))
    app_document_go_to (self, self->position - 1);
}

void
app_document_redo (AppDocument *self)
{
  if (app_document_can_redo (self))
    app_document_go_to (self, self->position + 1);
}

guint
app_document_n_history (AppDocument *self,
                        guint       *position)
{
  if (position != NULL)
    *position = self->position;
  return self->history->len;
}

const char *
app_document_history (AppDocument *self,
                      guint        i)
{
  const AppState *state = g_ptr_array_index (self->history, i);

  return state->label != NULL ? state->label : _("Empty");
}

AppJob *
app_document_job (AppDocument *self)
{
  return self->job;
}

gboolean
app_document_is_optimising (AppDocument *self)
{
  return self->optimising;
}

void
app_document_fail (AppDocument *self,
                   const char  *title,
                   const char  *message)
{
  g_signal_emit (self, signals[SIGNAL_FAILED], 0, title, message);
}

void
app_document_say (AppDocument *self,
                  const char  *message,
                  gboolean     undoable)
{
  g_signal_emit (self, signals[SIGNAL_DONE], 0, message, undoable);
}

/* One job at a time is shown; its end is told after whoever started it has taken the result. */
static void
on_job_finished (AppJob      *job,
                 AppDocument *self)
{
  const GError *error = app_job_error (job);

  if (job != self->job)
    return;
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      /* Translators: what failed, as it was called while it ran: "Opening “jets.h5” failed" */
      g_autofree char *title = g_strdup_printf (_("%s failed"), app_job_title (job));

      app_document_fail (self, title, error->message);
    }
  g_clear_object (&self->job);
  g_signal_emit (self, signals[SIGNAL_JOB_CHANGED], 0);
}

void
app_document_run (AppDocument *self,
                  AppJob      *job)
{
  drop_job (self, &self->job);
  self->job = job;
  g_signal_connect_after (job, "finished", G_CALLBACK (on_job_finished), self);
  app_job_start (job);
  g_signal_emit (self, signals[SIGNAL_JOB_CHANGED], 0);
}

static void
on_step (AppJob      *job,
         AppStepItem *item,
         AppDocument *self)
{
  g_ptr_array_add (self->live, app_step_item_copy (item));
  g_signal_emit (self, signals[SIGNAL_LIVE], 0);
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
      g_signal_emit (self, signals[SIGNAL_LIVE], 0);
      return;
    }
  text = app_job_was_cancelled (job) ? _("Stopped; the best so far is kept") : _("Optimization finished");
  app_document_push (self, state_of_trails (app_document_current (self), trails));
  app_document_say (self, text, TRUE);
  g_signal_emit (self, signals[SIGNAL_IDLE_DONE], 0, _("Optimization finished"), text);
}

static void
optimise (AppDocument              *self,
          const AppOptimiseChoices *choices,
          NnTrail                  *head)
{
  const AppState *state = app_document_current (self);
  g_autofree char *notes = app_document_make_notes (self, TRUE, FALSE);
  GHashTable *layers = choices->layers != NULL ? g_hash_table_ref (choices->layers) : NULL;
  AppOptimiseTask task = { .model = state->edited != NULL && head == NULL ? state->edited : state->model, .config = state->config,
                           .data = state->data, .data_spec = state->data_spec, .pins = state->pins, .runs = state->runs, .notes = notes,
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
