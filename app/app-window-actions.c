/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be done in a window. Every command is an action with a name and, mostly, a key. */

#include "app-window-private.h"

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
    
    
    { "win.undo", NULL, action_undo }, { "win.redo", NULL, action_undo },
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
