/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document: history, selection, the job that is shown. */

#include "app-document-private.h"

#include <glib/gi18n.h>

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

void
app_document_drop_job (AppDocument  *self,
                       AppJob      **job)
{
  if (*job == NULL)
    return;
  g_signal_handlers_disconnect_by_data (*job, self);
  app_job_cancel (*job);
  g_clear_object (job);
}

static void
app_document_dispose (GObject *object)
{
  AppDocument *self = APP_DOCUMENT (object);

  app_document_drop_job (self, &self->job);
  app_document_drop_job (self, &self->analysis_job);
  app_document_drop_job (self, &self->baseline_job);
  app_document_drop_job (self, &self->evaluation_job);
  app_document_drop_job (self, &self->base_evaluation_job);
  app_document_drop_job (self, &self->errors_job);
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

static void
new_signal (const char *name,
            guint       n,
            GType       a,
            GType       b)
{
  g_signal_new (name, APP_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, n, a, b);
}

static void
app_document_class_init (AppDocumentClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = app_document_dispose;
  G_OBJECT_CLASS (klass)->finalize = app_document_finalize;
  new_signal ("changed", 0, 0, 0);
  new_signal ("analysed", 0, 0, 0);
  new_signal ("job-changed", 0, 0, 0);
  new_signal ("live", 0, 0, 0);
  new_signal ("failed", 2, G_TYPE_STRING, G_TYPE_STRING);
  new_signal ("done", 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
  new_signal ("choose-arrays", 2, G_TYPE_STRING, G_TYPE_PTR_ARRAY);
  new_signal ("opened", 1, G_TYPE_STRING, 0);
  new_signal ("saved", 2, G_TYPE_STRING, G_TYPE_STRING);
  new_signal ("idle-done", 2, G_TYPE_STRING, G_TYPE_STRING);
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
  g_signal_emit_by_name (self, "failed", title, message);
}

void
app_document_say (AppDocument *self,
                  const char  *message,
                  gboolean     undoable)
{
  g_signal_emit_by_name (self, "done", message, undoable);
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
  g_signal_emit_by_name (self, "job-changed");
}

void
app_document_run (AppDocument *self,
                  AppJob      *job)
{
  app_document_drop_job (self, &self->job);
  self->job = job;
  g_signal_connect_after (job, "finished", G_CALLBACK (on_job_finished), self);
  app_job_start (job);
  g_signal_emit_by_name (self, "job-changed");
}
