/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A window: one document, its pages, what is being done. */

#include "espalier-config.h"

#include "app-window-private.h"

#include "app-arrays-dialog.h"
#include "app-dialogs.h"
#include "app-format.h"
#include "app-open.h"
#include "app-names.h"
#include "app-study.h"
#include "pages/app-data-page.h"
#include "pages/app-hardware-page.h"
#include "pages/app-network-page.h"
#include "pages/app-precision-page.h"
#include "pages/app-tradeoff-page.h"
#include "pages/app-weights-page.h"

#include <glib/gi18n.h>
#include <math.h>

G_DEFINE_FINAL_TYPE (AppWindow, app_window, ADW_TYPE_APPLICATION_WINDOW)

static void
app_window_size_allocate (GtkWidget *widget,
                          int        width,
                          int        height,
                          int        baseline)
{
  AppWindow *self = APP_WINDOW (widget);

  GTK_WIDGET_CLASS (app_window_parent_class)->size_allocate (widget, width, height, baseline);
  app_window_fit_soon (self);
}

/* "jets · Run 1, step 7 · 75.3 % · 420 DSP (−60.5 %) · xcvu13p" */
static void
update_status (AppWindow *self)
{
  const AppState *state = app_document_state (self->document);
  const AppAnalysis *analysis = app_document_analysis (self->document), *base = app_document_baseline (self->document);
  const AppEvaluation *evaluation = app_document_evaluation (self->document);
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *text = NULL;
  double dsp = app_analysis_total (analysis, NN_RESOURCE_DSP), before = app_analysis_total (base, NN_RESOURCE_DSP);

  if (state->model != NULL)
    {
      g_autofree char *run = app_state_step (state) != NULL ? app_study_run_title (state, state->run) : NULL;

      g_ptr_array_add (parts, run != NULL ? g_strdup_printf (_("%s, step %u"), run, state->step) : g_strdup (_("As loaded")));
      g_ptr_array_add (parts, g_strdup (nn_model_info (state->model)->format));
    }
  if (evaluation != NULL)
    {
      double quality = evaluation->metrics->is_classes ? evaluation->metrics->accuracy : -evaluation->metrics->mse;
      g_autofree char *accuracy = app_format_accuracy (quality, TRUE);

      g_autofree char *named = quality >= 0 ? g_strdup_printf (_("accuracy %s"), accuracy) : g_strdup (accuracy);

      g_ptr_array_add (parts, g_strdup_printf ("%s (%s)", named, evaluation->split == NN_SPLIT_TEST ? _("Test")
                                                                   : evaluation->split == NN_SPLIT_VALIDATION ? _("Validation") : _("Training")));
    }
  else if (state->model != NULL && state->data == NULL)
    g_ptr_array_add (parts, g_strdup (_("no data")));
  if (isfinite (dsp))
    {
      g_autofree char *count = app_format_count (dsp);
      g_autofree char *change = app_format_change (before, dsp);

      g_ptr_array_add (parts, before > 0 && dsp != before ? g_strdup_printf ("%s DSP (%s)", count, change)
                                                          : g_strdup_printf ("%s DSP", count));
    }
  if (state->config != NULL)
    g_ptr_array_add (parts, g_strdup_printf (_("%s at %g ns"), nn_config_part (state->config), nn_config_clock_ns (state->config)));
  g_ptr_array_add (parts, NULL);
  text = g_strjoinv ("  ·  ", (char **) parts->pdata);
  gtk_label_set_text (self->status_label, text);
  gtk_widget_set_visible (GTK_WIDGET (self->status_label), *text != '\0');
}

static void
update_title (AppWindow *self)
{
  const AppState *state = app_document_state (self->document);
  g_autofree char *name = app_document_dup_title (self->document);
  g_autofree char *data = state->data_spec != NULL ? app_format_files (state->data_spec) : NULL;
  g_autofree char *marked = g_strconcat (app_document_is_modified (self->document) ? "• " : "", name, NULL);

  adw_window_title_set_title (self->title, marked);
  adw_window_title_set_subtitle (self->title, app_document_is_saving (self->document) ? _("Saving…") : data != NULL ? data : "");
  gtk_window_set_title (GTK_WINDOW (self), marked);
}

static void open_waiting (AppWindow *self);

static void
on_changed (AppWindow *self)
{
  gboolean empty = app_document_is_empty (self->document);

  gtk_stack_set_visible_child_name (self->content, empty ? "welcome" : "pages");
  app_window_check_undo (self);
  update_title (self);
  update_status (self);
  app_window_update_actions (self);
  app_window_fill_history (self);
  g_clear_handle_id (&self->narrow_id, g_source_remove);
  app_window_fit (self);
  if (!empty && self->introducing && self->sample)
    {
      self->introducing = FALSE;
      app_intro_begin (self->intro);
    }
}

static void
on_introduced (AppWindow *self)
{
  if (self->settings != NULL)
    g_settings_set_boolean (self->settings, "introduced", TRUE);
}

static void
on_arrays (const char          *path,
           const NnDataOptions *reading,
           gpointer             object)
{
  app_document_open_data (APP_WINDOW (object)->document, path, reading);
}

static void
on_choose_arrays (AppDocument *document,
                  const char  *path,
                  GPtrArray   *entries,
                  AppWindow   *self)
{
  const AppState *state = app_document_state (document);
  const NnModel *model = state->model;
  gboolean open = g_strcmp0 (path, state->data_spec) == 0;
  guint n = 0;
  const guint *inputs = model != NULL ? nn_graph_inputs (nn_model_graph (model), &n) : NULL;

  app_ask_arrays (GTK_WIDGET (self), path, entries, open ? state->reading : NULL,
                  n == 1 ? nn_shape_count (&nn_graph_node (nn_model_graph (model), inputs[0])->shape) : 0, on_arrays, self);
}

/* What cannot be read is not offered again. */
static void
add_recent (const char *path)
{
  g_autofree char *uri = g_file_test (path, G_FILE_TEST_EXISTS) ? g_filename_to_uri (path, NULL, NULL) : NULL;

  if (uri != NULL) /* a pair of files is none */
    gtk_recent_manager_add_item (gtk_recent_manager_get_default (), uri);
}

static void
on_opened (AppDocument *document,
           const char  *path,
           AppWindow   *self)
{
  if (!self->sample)
    add_recent (path);
}

/* A window that was to be closed goes once everything is on the disk, and not at all where it could not be put there. */
static void
on_saved (AppDocument *document,
          const char  *path,
          const char  *problem,
          AppWindow   *self)
{
  gboolean close = self->close_when_saved && !app_document_is_saving (document);

  if (problem != NULL || close)
    self->close_when_saved = FALSE;
  if (problem != NULL)
    {
      app_window_complain (self, _("The project could not be saved"), problem);
      return;
    }
  app_window_toast (self, _("Project saved"), FALSE);
  add_recent (path);
  if (close)
    gtk_window_close (GTK_WINDOW (self));
}

static void
on_answer (const char *response,
           gpointer    object)
{
  AppWindow *self = object;

  if (g_str_equal (response, "save"))
    app_window_save_and_close (self);
  if (!g_str_equal (response, "discard"))
    return;
  self->closing = TRUE;
  gtk_window_close (GTK_WINDOW (self));
}

static gboolean
app_window_close_request (GtkWindow *window)
{
  AppWindow *self = APP_WINDOW (window);
  g_autofree char *name = app_document_dup_title (self->document);
  int width, height;

  if (!self->closing && app_document_is_saving (self->document))
    {
      self->close_when_saved = TRUE;
      return TRUE;
    }
  if (!self->closing && app_document_is_modified (self->document))
    {
      app_ask_unsaved (GTK_WIDGET (self), name, on_answer, self);
      return TRUE;
    }
  app_window_leave_job (self);
  app_document_forget_autosave (self->document);
  if (self->settings != NULL)
    {
      gtk_window_get_default_size (window, &width, &height);
      g_settings_set (self->settings, "window-size", "(ii)", width, height);
      g_settings_set_boolean (self->settings, "window-maximized", gtk_window_is_maximized (window));
      g_settings_set_string (self->settings, "page", adw_view_stack_get_visible_child_name (self->pages));
    }
  return GTK_WINDOW_CLASS (app_window_parent_class)->close_request (window);
}

static void
app_window_dispose (GObject *object)
{
  AppWindow *self = APP_WINDOW (object);

  g_clear_handle_id (&self->narrow_id, g_source_remove);
  if (self->document != NULL)
    g_signal_handlers_disconnect_by_data (self->document, self);
  gtk_widget_dispose_template (GTK_WIDGET (self), APP_TYPE_WINDOW);
  g_clear_object (&self->document);
  g_queue_clear_full (&self->waiting, g_free);
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (app_window_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppWindow, name)
  BIND (shrink); BIND (header); BIND (pages); BIND (switcher); BIND (switcher_bar); BIND (title); BIND (title_stack); BIND (content);
  BIND (toasts); BIND (open_button); BIND (menu_button); BIND (history_button); BIND (optimise_button); BIND (undo_button);
  BIND (redo_button); BIND (recent_list); BIND (history_list); BIND (recent_popover); BIND (history_popover); BIND (banner);
  BIND (job_bar); BIND (banner_title); BIND (banner_text); BIND (job_title); BIND (job_what); BIND (job_left); BIND (status_label);
  BIND (job_progress); BIND (pause_button); BIND (cancel_button); BIND (network_page); BIND (weights_page); BIND (tradeoff_page);
  BIND (precision_page); BIND (hardware_page); BIND (data_page); BIND (intro);
#undef BIND
}

static void
app_window_class_init (AppWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_window_dispose;
  widget_class->size_allocate = app_window_size_allocate;
  GTK_WINDOW_CLASS (klass)->close_request = app_window_close_request;
  g_type_ensure (APP_TYPE_SHRINK);
  g_type_ensure (APP_TYPE_INTRO);
  g_type_ensure (APP_TYPE_NETWORK_PAGE);
  g_type_ensure (APP_TYPE_WEIGHTS_PAGE);
  g_type_ensure (APP_TYPE_TRADEOFF_PAGE);
  g_type_ensure (APP_TYPE_PRECISION_PAGE);
  g_type_ensure (APP_TYPE_HARDWARE_PAGE);
  g_type_ensure (APP_TYPE_DATA_PAGE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-window.ui");
  bind_children (widget_class);
  app_window_install_actions (widget_class);
  app_window_install_file_actions (widget_class);
  app_window_install_view_actions (widget_class);
}

static void
restore_size (AppWindow *self)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema = source != NULL ? g_settings_schema_source_lookup (source, APP_ID, TRUE) : NULL;
  g_autofree char *page = NULL;
  int width, height;

  if (schema == NULL)
    return;
  self->settings = g_settings_new (APP_ID);
  g_settings_get (self->settings, "window-size", "(ii)", &width, &height);
  gtk_window_set_default_size (GTK_WINDOW (self), width, height);
  if (g_settings_get_boolean (self->settings, "window-maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
  self->introducing = !g_settings_get_boolean (self->settings, "introduced");
  page = g_settings_get_string (self->settings, "page");
  app_window_show_page (self, page);
}

static void
app_window_init (AppWindow *self)
{
  AppPage *pages[7];

  gtk_widget_init_template (GTK_WIDGET (self));
  self->document = app_document_new ();
  for (AppPage **page = app_window_all_pages (self, pages); *page != NULL; page++)
    app_page_set_document (*page, self->document);
  g_signal_connect_swapped (self->document, "changed", G_CALLBACK (on_changed), self);
  g_signal_connect_swapped (self->document, "analysed", G_CALLBACK (update_status), self);
  g_signal_connect (self->document, "opened", G_CALLBACK (on_opened), self);
  g_signal_connect (self->document, "saved", G_CALLBACK (on_saved), self);
  g_signal_connect (self->document, "choose-arrays", G_CALLBACK (on_choose_arrays), self);
  g_queue_init (&self->waiting);
  g_signal_connect_swapped (self->document, "job-changed", G_CALLBACK (open_waiting), self);
  g_signal_connect_swapped (self->intro, "page", G_CALLBACK (app_window_show_page), self);
  g_signal_connect_swapped (self->intro, "closed", G_CALLBACK (on_introduced), self);
  app_window_messages_init (self);
  app_window_dnd_init (self);
  app_window_job_init (self);
  app_names_apply (GTK_WIDGET (self));
  restore_size (self);
  on_changed (self);
}

GtkWidget *
app_window_new (AdwApplication *application)
{
  return g_object_new (APP_TYPE_WINDOW, "application", application, NULL);
}

AppDocument *
app_window_document (AppWindow *self)
{
  return self->document;
}

void
app_window_open (AppWindow  *self,
                 const char *path)
{
  gtk_revealer_set_reveal_child (self->banner, FALSE);
  self->sample = FALSE;
  app_document_open (self->document, path);
}

void
app_window_open_sample (AppWindow *self)
{
  self->sample = TRUE;
  app_document_open_sample (self->document);
}

void
app_window_open_later (AppWindow  *self,
                       const char *path)
{
  if (app_document_job (self->document) == NULL)
    app_window_open (self, path);
  else
    g_queue_push_tail (&self->waiting, g_strdup (path));
}

void
app_window_open_files (AppWindow         *self,
                       const char *const *paths)
{
  guint next = 0;

  for (char *spec; (spec = app_open_next (paths, &next)) != NULL; g_free (spec))
    app_window_open_later (self, spec);
}

static void
open_waiting (AppWindow *self)
{
  g_autofree char *path = app_document_job (self->document) == NULL ? g_queue_pop_head (&self->waiting) : NULL;

  if (path != NULL)
    app_window_open (self, path);
}

void
app_window_show_page (AppWindow  *self,
                      const char *name)
{
  if (adw_view_stack_get_child_by_name (self->pages, name) != NULL)
    adw_view_stack_set_visible_child_name (self->pages, name);
}
