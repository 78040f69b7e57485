/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The document and the disk: opening, and what of the window goes with a project. Saving is in app-document-save.c. */

#include "espalier-config.h"

#include "app-document-private.h"

#include "app-autosave.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

void
app_document_set_names (AppDocument *self,
                        const char  *path,
                        gboolean     project)
{
  g_autofree char *name = g_path_get_basename (path);
  char *dot = strrchr (name, '.');

  if (dot != NULL && dot != name)
    *dot = '\0';
  g_free (self->name);
  self->name = g_steal_pointer (&name);
  g_free (self->path);
  self->path = project ? g_strdup (path) : NULL;
}

/* What of the window goes with a project: with @shown the step shown, and the groups pinned. Work that is not saved keeps its name
 * and file too. */
char *
app_document_make_notes (AppDocument *self,
                         gboolean     unsaved,
                         gboolean     shown)
{
  const AppState *state = app_document_current (self);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  GHashTableIter iter;
  gpointer key;

  json_builder_begin_object (json);
  if (unsaved && self->name != NULL)
    {
      json_builder_set_member_name (json, "name");
      json_builder_add_string_value (json, self->name);
    }
  if (unsaved && self->path != NULL)
    {
      json_builder_set_member_name (json, "path");
      json_builder_add_string_value (json, self->path);
    }
  if (shown)
    {
      json_builder_set_member_name (json, "run");
      json_builder_add_int_value (json, state->edited != NULL ? -1 : state->run);
      json_builder_set_member_name (json, "step");
      json_builder_add_int_value (json, state->edited != NULL ? 0 : state->step);
    }
  if (state->reading != NULL)
    {
      g_autofree char *reading = nn_data_options_to_json (state->reading);

      json_builder_set_member_name (json, "reading");
      json_builder_add_value (json, json_from_string (reading, NULL));
    }
  json_builder_set_member_name (json, "pins");
  json_builder_begin_array (json);
  if (state->pins != NULL)
    {
      g_hash_table_iter_init (&iter, state->pins);
      while (g_hash_table_iter_next (&iter, &key, NULL))
        json_builder_add_string_value (json, key);
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, FALSE);
}

/* Notes of another program, or none, leave everything as it is. */
static void
read_notes (AppState   *state,
            const char *notes)
{
  g_autoptr (JsonNode) root = notes != NULL ? json_from_string (notes, NULL) : NULL;
  JsonObject *object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  gint64 run = object != NULL ? json_object_get_int_member_with_default (object, "run", state->run) : state->run;
  gint64 step = object != NULL ? json_object_get_int_member_with_default (object, "step", state->step) : state->step;
  JsonNode *pins = object != NULL ? json_object_get_member (object, "pins") : NULL;

  if (object != NULL && run >= -1 && run < (gint64) state->runs->len && step >= 0
      && (run < 0 || step < nn_trail_n_steps (((AppRun *) state->runs->pdata[run])->trail)))
    {
      state->run = run;
      state->step = step;
    }
  for (guint i = 0; pins != NULL && JSON_NODE_HOLDS_ARRAY (pins) && i < json_array_get_length (json_node_get_array (pins)); i++)
    {
      const char *key = json_node_get_string (json_array_get_element (json_node_get_array (pins), i));

      if (key != NULL)
        app_state_toggle_pin (state, key);
    }
}

static char *
note_text (const char *notes,
           const char *name)
{
  g_autoptr (JsonNode) root = notes != NULL ? json_from_string (notes, NULL) : NULL;
  JsonObject *object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;

  return object != NULL ? g_strdup (json_object_get_string_member_with_default (object, name, NULL)) : NULL;
}

/* Work that was left behind is what it was: unsaved, of its old name and file, and not the file it was kept in. */
static void
set_recovered_names (AppDocument *self,
                     NnProject   *project)
{
  const char *notes = nn_project_notes (project);
  char *name = note_text (notes, "name");

  g_free (self->name);
  self->name = name != NULL ? name : g_strdup (_("Recovered"));
  g_free (self->path);
  self->path = note_text (notes, "path");
  self->saved = G_MAXUINT;
}

static AppState *
state_of_project (AppOpened *opened)
{
  NnProject *project = opened->project;
  AppState *state = app_state_new ();

  state->label = g_strdup (_("Open project"));
  app_state_set_model (state, (NnModel *) nn_project_model (project));
  app_state_set_config (state, (NnConfig *) nn_project_config (project));
  app_state_set_data (state, opened->data, nn_project_data_spec (project));
  app_state_set_reading (state, opened->reading);
  for (guint i = 0; i < nn_project_n_trails (project); i++)
    {
      g_autoptr (AppRun) run = app_run_new (nn_project_trail (project, i));

      app_state_add_run (state, run);
    }
  if (state->runs->len > 0)
    {
      AppRun *last = g_ptr_array_index (state->runs, state->runs->len - 1);

      state->run = state->runs->len - 1;
      state->step = nn_trail_chosen (last->trail);
    }
  read_notes (state, nn_project_notes (project));
  return state;
}

/* A new network with its default configuration; data that was open stays when it fits. */
static AppState *
state_of_model (AppDocument *self,
                AppOpened   *opened)
{
  const AppState *before = app_document_current (self);
  AppState *state = app_state_new ();
  g_autoptr (NnConfig) config = opened->config != NULL ? nn_config_ref (opened->config) : nn_config_new ();

  state->label = g_strdup (_("Open network"));
  app_state_set_model (state, opened->model);
  app_state_set_config (state, config);
  if (opened->data != NULL)
    app_state_set_data (state, opened->data, opened->path);
  else if (before->model == NULL)
    {
      app_state_set_data (state, opened->refit != NULL ? opened->refit : before->data, before->data_spec);
      app_state_set_reading (state, before->reading);
    }
  return state;
}

static void
take_reports (AppDocument *self,
              AppOpened   *opened)
{
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u report read", "%u reports read", opened->reports->len),
                                           opened->reports->len);

  for (guint i = 0; i < opened->reports->len; i++)
    g_ptr_array_add (self->reports, opened->reports->pdata[i]);
  g_ptr_array_set_free_func (opened->reports, NULL);
  app_document_say (self, text, FALSE);
  g_signal_emit_by_name (self, "analysed");
}

/* What was learnt of the data goes with the network from now on. */
static void
keep_standard (AppState *state)
{
  g_autoptr (NnModel) model = NULL;

  if (state->model == NULL || nn_dataset_mean (state->data) == NULL
      || nn_dataset_mean (state->data) == nn_model_info (state->model)->input_mean)
    return;
  model = nn_dataset_label_model (state->data, state->model);
  app_state_set_model (state, model);
}

void
app_document_take_opened (AppDocument *self,
                          AppOpened   *opened)
{
  AppState *next;

  if (opened->reports != NULL)
    {
      take_reports (self, opened);
      return;
    }
  if (opened->project != NULL || opened->model != NULL)
    {
      gboolean fresh = self->history->len == 1;

      next = opened->project != NULL ? state_of_project (opened) : state_of_model (self, opened);
      app_document_leave_save (self);
      app_document_set_names (self, opened->path, opened->project != NULL);
      app_document_push (self, next);
      /* Opening is the beginning, not something to be undone into an empty window. */
      if (fresh)
        {
          g_ptr_array_remove_index (self->history, 0);
          self->position = 0;
        }
      self->saved = self->position;
      if (opened->project != NULL && self->recovering)
        set_recovered_names (self, opened->project);
      self->recovering = FALSE;
      g_signal_emit_by_name (self, "changed");
      if (opened->data_problem != NULL)
        app_document_fail (self, _("The project opened without its data"), opened->data_problem);
      return;
    }
  next = app_state_copy (app_document_current (self), opened->data != NULL ? _("Open data") : _("Open configuration"));
  if (opened->data != NULL)
    {
      app_state_set_data (next, opened->data, opened->path);
      app_state_set_reading (next, opened->reading);
      keep_standard (next);
    }
  else
    app_state_set_config (next, opened->config);
  g_clear_pointer (&self->evaluation, app_evaluation_unref);
  g_clear_pointer (&self->base_evaluation, app_evaluation_unref);
  app_document_push (self, next);
  app_document_say (self, next->label, TRUE);
}

static void
on_opened (AppJob      *job,
           AppDocument *self)
{
  g_autoptr (AppOpened) opened = app_job_steal_result (job);

  if (opened == NULL)
    {
      self->recovering = FALSE;
      return;
    }
  if (opened->arrays != NULL)
    {
      g_signal_emit_by_name (self, "choose-arrays", opened->path, opened->arrays);
      return;
    }
  if (opened->config != NULL && opened->model == NULL && app_document_current (self)->model != NULL)
    {
      g_autoptr (GError) error = NULL;

      if (!nn_config_check (opened->config, app_document_current (self)->model, &error))
        {
          app_document_fail (self, _("This configuration is for another network"), error->message);
          return;
        }
    }
  if (!self->recovering)
    g_signal_emit_by_name (self, "opened", opened->path);
  app_document_take_opened (self, opened);
}

static void
run_open (AppDocument *self,
          AppJob      *job)
{
  g_signal_connect (job, "finished", G_CALLBACK (on_opened), self);
  app_document_run (self, job);
}

void
app_document_open (AppDocument *self,
                   const char  *path)
{
  if (self->job == NULL)
    run_open (self, app_open_job (path, app_document_current (self)->model, app_document_current (self)->data));
  else
    app_document_fail (self, _("Busy"), _("Another task is running; wait for it or cancel it."));
}

/**
 * app_document_recover:
 * @path: of app_autosave_left_behind()
 *
 * Opens what another process left behind, and takes it over: it is unsaved until the user saves it, and not lost meanwhile.
 */
void
app_document_recover (AppDocument *self,
                      const char  *path)
{
  char *adopted = self->job == NULL ? app_autosave_adopt (path) : NULL;

  if (adopted == NULL)
    return;
  app_document_forget_autosave (self);
  self->autosave_path = adopted;
  self->recovering = TRUE;
  run_open (self, app_open_job (adopted, NULL, NULL));
}

void
app_document_open_data (AppDocument         *self,
                        const char          *spec,
                        const NnDataOptions *options)
{
  if (self->job == NULL)
    run_open (self, app_open_data_job (spec, options, app_document_current (self)->model));
}

/**
 * app_document_choose_data:
 *
 * Asks with "choose-arrays" how the data that are open are to be read instead.
 */
void
app_document_choose_data (AppDocument *self)
{
  if (self->job == NULL && app_document_current (self)->data_spec != NULL)
    run_open (self, app_open_arrays_job (app_document_current (self)->data_spec));
}

void
app_document_open_sample (AppDocument *self)
{
  if (self->job == NULL)
    run_open (self, app_open_sample_job ());
}

const char *
app_document_path (AppDocument *self)
{
  return self->path;
}

char *
app_document_dup_title (AppDocument *self)
{
  return g_strdup (self->name != NULL ? self->name : _("Espalier"));
}

gboolean
app_document_is_modified (AppDocument *self)
{
  return app_document_current (self)->model != NULL && self->saved != self->position;
}
