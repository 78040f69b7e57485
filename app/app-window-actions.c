/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be done in a window. Every command is an action with a name and, mostly, a key. */

#include "app-window-private.h"

#include "app-dialogs.h"
#include "app-export.h"
#include "app-help.h"
#include "app-methods.h"
#include "app-optimise-sheet.h"
#include "app-part-chooser.h"
#include "app-parts-dialog.h"
#include "app-passes-dialog.h"
#include "app-print.h"
#include "app-reuse-dialog.h"
#include "pages/app-hardware-page.h"
#include "pages/app-network-page.h"
#include "pages/app-tradeoff-page.h"
#include "pages/app-weights-page.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_RECENT 12

static void
on_open_path (const char *path,
              gpointer    object)
{
  app_window_open (object, path);
}

static void
action_open (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  const char *patterns[] = {
    _("All that Espalier reads|*.h5;*.hdf5;*.keras;*.onnx;*.tflite;*.pt;*.pth;*.json;*.espalier;*.npz;*.npy;*.csv;*.gz;*.mat;*.yml;*.yaml;*.rpt;*.xml"),
    _("Networks|*.h5;*.hdf5;*.keras;*.onnx;*.tflite;*.pt;*.pth;*.json"), _("Projects|*.espalier"), _("Data|*.npz;*.npy;*.h5;*.csv;*.gz;*.mat"),
    _("All files|*"), NULL,
  };

  app_ask_open (widget, _("Open"), patterns, on_open_path, widget);
}

static void
on_open_data_path (const char *path,
                   gpointer    object)
{
  NnDataOptions options;

  nn_data_options_init (&options);
  app_document_open_data (APP_WINDOW (object)->document, path, &options);
}

static void
action_open_data (GtkWidget  *widget,
                  const char *action,
                  GVariant   *parameter)
{
  const char *patterns[] = { _("Data|*.npz;*.npy;*.h5;*.hdf5;*.csv;*.gz;*.mat"), _("All files|*"), NULL };

  app_ask_open (widget, _("Open Data"), patterns, on_open_data_path, widget);
}

static void
action_open_sample (GtkWidget  *widget,
                    const char *action,
                    GVariant   *parameter)
{
  app_window_open_sample (APP_WINDOW (widget));
}

static void
save_to (const char *path,
         gpointer    object)
{
  g_autofree char *full = g_str_has_suffix (path, ".espalier") ? g_strdup (path) : g_strconcat (path, ".espalier", NULL);

  app_document_save (APP_WINDOW (object)->document, full);
}

static void
save_and_close (const char *path,
                gpointer    object)
{
  APP_WINDOW (object)->close_when_saved = TRUE;
  save_to (path, object);
}

static void
save_as (AppWindow   *self,
         AppPathFunc  func)
{
  const char *patterns[] = { _("Projects|*.espalier"), NULL };
  g_autofree char *title = app_document_dup_title (self->document);
  g_autofree char *name = g_strconcat (title, ".espalier", NULL);

  app_ask_save (GTK_WIDGET (self), _("Save Project"), name, patterns, func, self);
}

static void
save_with (AppWindow   *self,
           AppPathFunc  func)
{
  g_autofree char *path = g_strdup (app_document_path (self->document));

  if (path != NULL)
    func (path, self);
  else
    save_as (self, func);
}

/* Where no file is known yet, it is asked for first; without an answer the window stays. */
void
app_window_save_and_close (AppWindow *self)
{
  save_with (self, save_and_close);
}

static void
action_save_as (GtkWidget  *widget,
                const char *action,
                GVariant   *parameter)
{
  save_as (APP_WINDOW (widget), save_to);
}

static void
action_save (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  save_with (APP_WINDOW (widget), save_to);
}

/* For scripts and tests: no question is asked. */
static void
action_save_to (GtkWidget  *widget,
                const char *action,
                GVariant   *parameter)
{
  save_to (g_variant_get_string (parameter, NULL), widget);
}

static void
on_model_saved (AppJob    *job,
                AppWindow *self)
{
  const char *path = g_object_get_data (G_OBJECT (job), "path");
  g_autofree char *name = g_path_get_basename (path), *text = g_strdup_printf (_("Network saved as “%s”"), name);

  if (app_job_error (job) == NULL)
    app_window_toast (self, text, FALSE);
  else
    app_window_complain (self, _("The network could not be saved"), app_job_error (job)->message);
}

/* A name without one of the endings is a Keras file. */
static void
save_model_to (const char *path,
               gpointer    object)
{
  AppWindow *self = object;
  const char *dot = strrchr (path, '.'), *slash = strrchr (path, G_DIR_SEPARATOR);
  g_autofree char *full = dot == NULL || (slash != NULL && dot < slash) ? g_strconcat (path, ".h5", NULL) : g_strdup (path);
  AppJob *job = app_save_network_job (app_document_shown (self->document), full);

  g_object_set_data_full (G_OBJECT (job), "path", g_steal_pointer (&full), g_free);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_model_saved), self, 0);
  app_job_hold_program (job);
  app_job_start (job);
  g_object_unref (job);
}

/* For scripts and tests: no question is asked. */
static void
action_save_model_to (GtkWidget  *widget,
                      const char *action,
                      GVariant   *parameter)
{
  save_model_to (g_variant_get_string (parameter, NULL), widget);
}

static void
action_save_model (GtkWidget  *widget,
                   const char *action,
                   GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);
  const char *patterns[] = { _("Keras and ONNX|*.h5;*.hdf5;*.onnx"), _("Keras|*.h5;*.hdf5"), _("ONNX|*.onnx"), NULL };
  g_autofree char *title = app_document_dup_title (self->document);
  gboolean pruned = app_document_shown (self->document) != app_document_state (self->document)->model;
  g_autofree char *name = g_strconcat (title, pruned ? "-pruned.h5" : ".h5", NULL);

  app_ask_save (widget, _("Save Network"), name, patterns, save_model_to, self);
}

static void
action_undo (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  AppDocument *document = APP_WINDOW (widget)->document;

  if (g_str_equal (action, "win.undo"))
    app_document_undo (document);
  else
    app_document_redo (document);
}

static void
action_cancel (GtkWidget  *widget,
               const char *action,
               GVariant   *parameter)
{
  AppJob *job = app_document_job (APP_WINDOW (widget)->document);

  if (job != NULL)
    app_job_cancel (job);
}

static void
on_choices (const AppOptimiseChoices *choices,
            NnConfig                 *config,
            gpointer                  object)
{
  AppWindow *self = object;

  if (config != app_document_state (self->document)->config)
    {
      AppState *next = app_state_copy (app_document_state (self->document), _("Hardware settings"));

      app_state_set_config (next, config);
      app_document_push (self->document, next);
    }
  app_document_optimise (self->document, choices);
  app_window_show_page (self, "tradeoff");
}

static void
action_optimise (GtkWidget  *widget,
                 const char *action,
                 GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  if (app_document_state (self->document)->data == NULL)
    {
      app_window_complain (self, _("Optimizing needs data"),
                           _("Open labelled data first (NumPy, HDF5, CSV, IDX or MATLAB): it is used to fine-tune the network and to see what "
                             "pruning costs in accuracy."));
      return;
    }
  app_optimise_sheet_present (GTK_WINDOW (self), self->document, FALSE, on_choices, self);
}

static void
on_branch_choices (const AppOptimiseChoices *choices,
                   NnConfig                 *config,
                   gpointer                  object)
{
  AppDocument *document = APP_WINDOW (object)->document;

  if (app_document_can_branch (document))
    app_document_branch (document, choices);
}

static void
action_branch (GtkWidget  *widget,
               const char *action,
               GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  if (app_document_can_branch (self->document))
    app_optimise_sheet_present (GTK_WINDOW (self), self->document, TRUE, on_branch_choices, self);
}

/* Without the sheet: the choices of last time, or the defaults. */
static void
action_optimise_now (GtkWidget  *widget,
                     const char *action,
                     GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);
  const AppState *state = app_document_state (self->document);

  if (state->data != NULL && app_document_job (self->document) == NULL)
    on_choices (app_document_choices (self->document), state->config, self);
}

static void
action_page (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  app_window_show_page (APP_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

static void
action_find (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  app_window_show_page (self, "network");
  app_network_page_find (APP_NETWORK_PAGE (self->network_page));
}

static void
action_toggle_order (GtkWidget  *widget,
                     const char *action,
                     GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  app_window_show_page (self, "weights");
  app_weights_page_toggle_order (APP_WEIGHTS_PAGE (self->weights_page));
}

static void
action_frontier (GtkWidget  *widget,
                 const char *action,
                 GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  app_window_show_page (self, "tradeoff");
  app_tradeoff_page_toggle_frontier (APP_TRADEOFF_PAGE (self->tradeoff_page));
}

static void
action_export_hls (GtkWidget  *widget,
                   const char *action,
                   GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  app_window_show_page (self, "hardware");
  if (parameter != NULL && g_variant_is_of_type (parameter, G_VARIANT_TYPE_STRING))
    app_hardware_page_export_to (APP_HARDWARE_PAGE (self->hardware_page), g_variant_get_string (parameter, NULL));
  else
    app_hardware_page_export (APP_HARDWARE_PAGE (self->hardware_page));
}

static void
action_copy_methods (GtkWidget  *widget,
                     const char *action,
                     GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);
  g_autofree char *text = app_methods_paragraph (self->document);

  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text);
  app_window_toast (self, _("Methods paragraph copied"), FALSE);
}

static void
action_print (GtkWidget  *widget,
              const char *action,
              GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);
  g_autoptr (GError) error = NULL;
  const char *path = parameter != NULL ? g_variant_get_string (parameter, NULL) : NULL;

  if (!app_print_report (GTK_WINDOW (self), self->document, path, &error))
    app_window_complain (self, _("The report could not be printed"), error->message);
}

static void
action_say (GtkWidget  *widget,
            const char *action,
            GVariant   *parameter)
{
  app_window_toast (APP_WINDOW (widget), g_variant_get_string (parameter, NULL), FALSE);
}

static void
action_complain (GtkWidget  *widget,
                 const char *action,
                 GVariant   *parameter)
{
  app_window_complain (APP_WINDOW (widget), _("That did not work"), g_variant_get_string (parameter, NULL));
}

static void
action_dismiss (GtkWidget  *widget,
                const char *action,
                GVariant   *parameter)
{
  gtk_revealer_set_reveal_child (APP_WINDOW (widget)->banner, FALSE);
}

static void
action_history (GtkWidget  *widget,
                const char *action,
                GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  if (gtk_widget_get_visible (GTK_WIDGET (self->history_button)))
    gtk_menu_button_popup (self->history_button);
}

/* The page of the help that is about what is seen. */
static void
action_help (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  app_help_present (GTK_WINDOW (self), app_document_is_empty (self->document) ? "index" : adw_view_stack_get_visible_child_name (self->pages));
}

/* About the network that is open, or else the sample. */
static void
action_introduction (GtkWidget  *widget,
                     const char *action,
                     GVariant   *parameter)
{
  AppWindow *self = APP_WINDOW (widget);

  if (!app_document_is_empty (self->document))
    {
      app_intro_begin (self->intro);
      return;
    }
  self->introducing = TRUE;
  app_window_open_sample (self);
}

/* Dialogs about the hardware: win.choose-part, win.parts, win.calibration, win.passes, win.reuse. */
static void
action_hardware_dialog (GtkWidget  *widget,
                        const char *action,
                        GVariant   *parameter)
{
  AppDocument *document = APP_WINDOW (widget)->document;

  if (g_str_equal (action, "win.choose-part"))
    app_part_chooser_present (GTK_WINDOW (widget), document);
  else if (g_str_equal (action, "win.parts"))
    app_parts_dialog_present (GTK_WINDOW (widget), document);
  else if (g_str_equal (action, "win.calibration"))
    app_calibration_dialog_present (GTK_WINDOW (widget), document);
  else if (g_str_equal (action, "win.passes"))
    app_passes_dialog_present (GTK_WINDOW (widget), document);
  else
    app_reuse_dialog_present (GTK_WINDOW (widget), document);
}

void
app_window_install_actions (GtkWidgetClass *widget_class)
{
  static const struct { const char *name, *type; GtkWidgetActionActivateFunc func; } actions[] = {
    { "win.open", NULL, action_open }, { "win.open-data", NULL, action_open_data }, { "win.open-sample", NULL, action_open_sample },
    { "win.save", NULL, action_save }, { "win.save-as", NULL, action_save_as }, { "win.save-to", "s", action_save_to },
    { "win.save-model", NULL, action_save_model }, { "win.save-model-to", "s", action_save_model_to }, { "win.undo", NULL, action_undo }, { "win.redo", NULL, action_undo },
    { "win.cancel", NULL, action_cancel }, { "win.optimise", NULL, action_optimise }, { "win.branch", NULL, action_branch }, { "win.optimise-now", NULL, action_optimise_now },
    { "win.page", "s", action_page }, { "win.find", NULL, action_find }, { "win.export-hls", NULL, action_export_hls },
    { "win.export-hls-to", "s", action_export_hls }, { "win.copy-methods", NULL, action_copy_methods }, { "win.print", NULL, action_print },
    { "win.print-to", "s", action_print }, { "win.say", "s", action_say }, { "win.complain", "s", action_complain },
    { "win.help", NULL, action_help }, { "win.history", NULL, action_history }, { "win.introduction", NULL, action_introduction }, { "win.dismiss", NULL, action_dismiss }, { "win.toggle-order", NULL, action_toggle_order }, { "win.frontier", NULL, action_frontier },
    { "win.choose-part", NULL, action_hardware_dialog }, { "win.parts", NULL, action_hardware_dialog }, { "win.calibration", NULL, action_hardware_dialog }, { "win.passes", NULL, action_hardware_dialog }, { "win.reuse", NULL, action_hardware_dialog },
  };

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (widget_class, actions[i].name, actions[i].type, actions[i].func);
}

void
app_window_update_actions (AppWindow *self)
{
  gboolean empty = app_document_is_empty (self->document), busy = app_document_job (self->document) != NULL;
  const struct { const char *name; gboolean enabled; } states[] = {
    { "win.save", !empty }, { "win.save-as", !empty }, { "win.save-model", !empty }, { "win.save-model-to", !empty }, { "win.undo", app_document_can_undo (self->document) },
    { "win.redo", app_document_can_redo (self->document) }, { "win.cancel", busy }, { "win.optimise", !empty && !busy }, { "win.branch", app_document_can_branch (self->document) },
    { "win.find", !empty }, { "win.export-hls", !empty }, { "win.copy-methods", !empty }, { "win.print", !empty },
    { "win.open", !busy }, { "win.toggle-order", !empty }, { "win.frontier", !empty }, { "win.reuse", !empty }, { "win.passes", !empty }, { "win.open-data", !busy && !empty }, { "win.open-sample", !busy },
  };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), states[i].name, states[i].enabled);
}

static GtkWidget *
list_row (const char *text,
          const char *detail)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2), *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_box_append (GTK_BOX (box), label);
  if (detail != NULL)
    {
      GtkWidget *small = gtk_label_new (detail);

      gtk_label_set_xalign (GTK_LABEL (small), 0);
      gtk_label_set_ellipsize (GTK_LABEL (small), PANGO_ELLIPSIZE_START);
      gtk_widget_add_css_class (small, "caption");
      gtk_widget_add_css_class (small, "dim-label");
      gtk_box_append (GTK_BOX (box), small);
    }
  gtk_widget_set_margin_top (box, 4);
  gtk_widget_set_margin_bottom (box, 4);
  return box;
}

static gboolean
is_ours (GtkRecentInfo *info)
{
  return gtk_recent_info_has_application (info, g_get_application_name ()) && gtk_recent_info_is_local (info)
         && gtk_recent_info_exists (info);
}

void
app_window_fill_recent (AppWindow *self)
{
  GList *items = gtk_recent_manager_get_items (gtk_recent_manager_get_default ());
  guint n = 0;

  app_rows_clear (self->recent_list);
  for (GList *l = items; l != NULL && n < MAX_RECENT; l = l->next)
    if (is_ours (l->data))
      {
        g_autofree char *path = g_filename_from_uri (gtk_recent_info_get_uri (l->data), NULL, NULL);
        g_autofree char *folder = g_path_get_dirname (path);
        GtkWidget *row = gtk_list_box_row_new ();

        gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), list_row (gtk_recent_info_get_display_name (l->data), folder));
        g_object_set_data_full (G_OBJECT (row), "path", g_steal_pointer (&path), g_free);
        gtk_list_box_append (self->recent_list, row);
        n++;
      }
  if (n == 0)
    {
      GtkWidget *label = gtk_label_new (_("Nothing opened yet"));

      gtk_widget_add_css_class (label, "dim-label");
      gtk_widget_set_margin_top (label, 12);
      gtk_widget_set_margin_bottom (label, 12);
      gtk_list_box_append (self->recent_list, label);
    }
  g_list_free_full (items, (GDestroyNotify) gtk_recent_info_unref);
}

static void
on_recent (GtkListBox    *list,
           GtkListBoxRow *row,
           AppWindow     *self)
{
  const char *path = g_object_get_data (G_OBJECT (row), "path");

  gtk_popover_popdown (self->recent_popover);
  if (path != NULL)
    app_window_open (self, path);
}

void
app_window_fill_history (AppWindow *self)
{
  guint position, n = app_document_n_history (self->document, &position);

  app_rows_clear (self->history_list);
  for (guint i = n; i > 0; i--)
    {
      GtkWidget *row = gtk_list_box_row_new ();

      gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), list_row (app_document_history (self->document, i - 1),
                                                                    i - 1 == position ? _("now") : NULL));
      g_object_set_data (G_OBJECT (row), "position", GUINT_TO_POINTER (i - 1));
      gtk_list_box_append (self->history_list, row);
      if (i - 1 == position)
        gtk_list_box_select_row (self->history_list, GTK_LIST_BOX_ROW (row));
    }
}

static void
on_history (GtkListBox    *list,
            GtkListBoxRow *row,
            AppWindow     *self)
{
  gtk_popover_popdown (self->history_popover);
  app_document_go_to (self->document, GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (row), "position")));
}

static gboolean
on_drop (GtkDropTarget *target,
         const GValue  *value,
         double         x,
         double         y,
         AppWindow     *self)
{
  GSList *files = gdk_file_list_get_files (g_value_get_boxed (value));
  gboolean any = FALSE;

  for (GSList *l = files; l != NULL; l = l->next)
    {
      g_autofree char *path = g_file_get_path (l->data);

      if (path != NULL)
        app_window_open_later (self, path);
      any |= path != NULL;
    }
  g_slist_free (files);
  return any;
}

void
app_window_dnd_init (AppWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  g_signal_connect (target, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_css_class (GTK_WIDGET (self), "drop-target"); /* and the style says where something may be dropped */
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
  g_signal_connect (self->recent_list, "row-activated", G_CALLBACK (on_recent), self);
  g_signal_connect (self->history_list, "row-activated", G_CALLBACK (on_history), self);
  g_signal_connect_swapped (self->recent_popover, "show", G_CALLBACK (app_window_fill_recent), self);
}
