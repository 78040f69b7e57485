/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document and the disk: saving and autosave. Both write a state, which is sealed, on a job's thread; a file is replaced at once
 * when all of it is there, so what was saved before is whole at every moment. */

#include "app-document-private.h"

#include "app-autosave.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

#define AUTOSAVE_SECONDS 5

/* One state on its way to the disk. */
typedef struct {
  AppState *state;
  char     *notes, *path;
  gboolean  may_be_taken_back; /* thrown away again where the job was cancelled meanwhile */
} Writing;

static void
writing_free (Writing *writing)
{
  app_state_unref (writing->state);
  g_free (writing->notes);
  g_free (writing->path);
  g_free (writing);
}

static NnProject *
to_project (const AppState *state,
            const char     *notes)
{
  g_autofree NnTrail **trails = g_new0 (NnTrail *, state->runs->len + 1);

  for (guint i = 0; i < state->runs->len; i++)
    trails[i] = ((AppRun *) g_ptr_array_index (state->runs, i))->trail;
  /* What was changed by hand is the network of the project: its runs stay beside it. */
  return nn_project_new (state->edited != NULL ? state->edited : state->model, state->config, state->data_spec,
                         state->data != NULL ? nn_dataset_hash (state->data) : NULL, trails, state->runs->len, notes);
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Writing *writing = data;
  g_autoptr (NnProject) project = to_project (writing->state, writing->notes);
  gboolean written = nn_project_save (project, writing->path, error);

  if (writing->may_be_taken_back && g_cancellable_is_cancelled (cancellable))
    g_unlink (writing->path);
  return GINT_TO_POINTER (written);
}

static AppJob *
write_job (AppDocument *self,
           const char  *path,
           gboolean     autosave)
{
  Writing *writing = g_new0 (Writing, 1);

  writing->state = app_state_ref (app_document_current (self));
  writing->notes = app_document_make_notes (self, autosave, TRUE);
  writing->path = g_strdup (path);
  writing->may_be_taken_back = autosave;
  return app_job_new (_("Saving"), work, writing, (GDestroyNotify) writing_free, NULL);
}

static void start_saving (AppDocument *self,
                          const char  *path);

/* What was changed since stays to be saved, and is kept meanwhile; a run that is still going keeps its own steps. */
static void
take_saved (AppDocument *self)
{
  app_document_set_names (self, self->saving_path, TRUE);
  self->saved = self->saving;
  if (self->optimising)
    return;
  app_document_forget_autosave (self);
  if (app_document_is_modified (self))
    app_document_want_autosave (self);
}

static void
on_saved (AppJob      *job,
          AppDocument *self)
{
  const GError *error = app_job_error (job);
  g_autofree char *path = NULL, *next = NULL;

  if (self->save_job != job) /* another document was opened here meanwhile: only a failure is news */
    {
      if (error != NULL)
        app_document_fail (self, _("The project could not be saved"), error->message);
      return;
    }
  if (error == NULL)
    take_saved (self);
  path = g_steal_pointer (&self->saving_path);
  next = g_steal_pointer (&self->save_next);
  g_clear_object (&self->save_job);
  if (next != NULL)
    start_saving (self, next);
  g_signal_emit_by_name (self, "changed");
  g_signal_emit_by_name (self, "saved", path, error != NULL ? error->message : NULL);
}

static void
start_saving (AppDocument *self,
              const char  *path)
{
  self->save_job = write_job (self, path, FALSE);
  self->saving_path = g_strdup (path);
  self->saving = self->position;
  g_signal_connect_object (self->save_job, "finished", G_CALLBACK (on_saved), self, 0);
  app_job_hold_program (self->save_job);
  app_job_start (self->save_job);
}

/**
 * app_document_save:
 *
 * Begins to write what the document is now; "saved" tells when it is on the disk. Of what is asked for while a file is being
 * written, the last is written after it.
 */
void
app_document_save (AppDocument *self,
                   const char  *path)
{
  g_return_if_fail (!app_document_is_empty (self));
  if (self->save_job != NULL)
    {
      g_free (self->save_next);
      self->save_next = g_strdup (path);
      return;
    }
  start_saving (self, path);
  g_signal_emit_by_name (self, "changed"); /* that it is being saved is shown */
}

gboolean
app_document_is_saving (AppDocument *self)
{
  return self->save_job != NULL;
}

/* What is being written will be there, but is no longer what the document is. */
void
app_document_leave_save (AppDocument *self)
{
  g_clear_object (&self->save_job);
  g_clear_pointer (&self->saving_path, g_free);
  g_clear_pointer (&self->save_next, g_free);
}

/* Where this document lies between saves; Optimize keeps its steps there too, one by one. */
const char *
app_document_need_autosave_path (AppDocument *self)
{
  if (self->autosave_path == NULL)
    self->autosave_path = app_autosave_new_path ();
  return self->autosave_path;
}

static void
on_autosaved (AppJob      *job,
              AppDocument *self)
{
  if (self->autosave_job == job)
    g_clear_object (&self->autosave_job);
}

static gboolean
autosave (gpointer data)
{
  AppDocument *self = data;

  self->autosave_id = 0;
  if (!app_document_is_modified (self) || app_document_need_autosave_path (self) == NULL)
    return G_SOURCE_REMOVE;
  /* a run keeps the file itself, with every step it makes */
  if (self->autosave_job != NULL || self->optimising)
    {
      app_document_want_autosave (self);
      return G_SOURCE_REMOVE;
    }
  self->autosave_job = write_job (self, self->autosave_path, TRUE);
  g_signal_connect_object (self->autosave_job, "finished", G_CALLBACK (on_autosaved), self, 0);
  app_job_start (self->autosave_job);
  return G_SOURCE_REMOVE;
}

void
app_document_want_autosave (AppDocument *self)
{
  if (self->autosave_id == 0)
    self->autosave_id = g_timeout_add_seconds (AUTOSAVE_SECONDS, autosave, self);
}

static void
unlink_path (AppJob     *job,
             const char *path)
{
  g_unlink (path);
}

/* What is written at this moment is thrown away by its writer: what comes after has a path of its own. */
void
app_document_forget_autosave (AppDocument *self)
{
  g_clear_handle_id (&self->autosave_id, g_source_remove);
  if (self->autosave_job != NULL)
    app_job_cancel (self->autosave_job);
  g_clear_object (&self->autosave_job);
  if (self->autosave_path != NULL)
    g_unlink (self->autosave_path);
  /* a run that is being given up may write once more */
  if (self->autosave_path != NULL && self->optimising && self->job != NULL)
    g_signal_connect_data (self->job, "finished", G_CALLBACK (unlink_path), g_strdup (self->autosave_path), (GClosureNotify) (void (*) (void)) g_free, 0);
  g_clear_pointer (&self->autosave_path, g_free);
}
