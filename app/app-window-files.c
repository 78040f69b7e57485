/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a window does with files: opening, saving, saving for other programs. */

#include "app-window-private.h"

#include "app-dialogs.h"
#include "app-export.h"
#include "app-open.h"

#include <glib/gi18n.h>
#include <string.h>

static void
on_open_paths (const char *const *paths,
               gpointer           object)
{
  app_window_open_files (object, paths);
}

static void
action_open (GtkWidget  *widget,
             const char *action,
             GVariant   *parameter)
{
  const char *patterns[] = {
    _("All that Espalier reads|*.h5;*.hdf5;*.keras;*.onnx;*.tflite;*.pt;*.pth;*.json;*.espalier;*.npz;*.npy;*.csv;*.tsv;*.idx;*-ubyte;*.gz;*.mat;*.yml;*.yaml;*.rpt;*.xml"),
    _("Networks|*.h5;*.hdf5;*.keras;*.onnx;*.tflite;*.pt;*.pth;*.json"), _("Projects|*.espalier"), _("Data|*.npz;*.npy;*.h5;*.hdf5;*.csv;*.tsv;*.txt;*.dat;*.data;*.idx;*-ubyte;*.gz;*.mat"),
    _("All files|*"), NULL,
  };

  app_ask_open_files (widget, _("Open"), patterns, on_open_paths, widget);
}

static void
on_open_data_paths (const char *const *paths,
                    gpointer           object)
{
  guint next = 0;
  g_autofree char *spec = app_open_next (paths, &next);
  NnDataOptions options;

  nn_data_options_init (&options);
  app_document_open_data (APP_WINDOW (object)->document, spec, &options);
}

static void
action_open_data (GtkWidget  *widget,
                  const char *action,
                  GVariant   *parameter)
{
  const char *patterns[] = { _("Data|*.npz;*.npy;*.h5;*.hdf5;*.csv;*.tsv;*.txt;*.dat;*.data;*.idx;*-ubyte;*.gz;*.mat"), _("All files|*"), NULL };

  app_ask_open_files (widget, _("Open Data"), patterns, on_open_data_paths, widget);
}

static void
action_choose_data (GtkWidget  *widget,
                    const char *action,
                    GVariant   *parameter)
{
  app_document_choose_data (APP_WINDOW (widget)->document);
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
  const char *patterns[] = { _("Keras and ONNX|*.h5;*.hdf5;*.keras;*.onnx"), _("Keras 2 and 3|*.h5;*.hdf5"), _("Keras 3|*.keras"), _("ONNX|*.onnx"), NULL };
  g_autofree char *title = app_document_dup_title (self->document);
  gboolean pruned = app_document_shown (self->document) != app_document_state (self->document)->model;
  g_autofree char *name = g_strconcat (title, pruned ? "-pruned.h5" : ".h5", NULL);

  app_ask_save (widget, _("Save Network"), name, patterns, save_model_to, self);
}

void
app_window_install_file_actions (GtkWidgetClass *widget_class)
{
  static const struct { const char *name, *type; GtkWidgetActionActivateFunc func; } actions[] = {
    { "win.open", NULL, action_open },
    { "win.open-data", NULL, action_open_data },
    { "win.choose-data", NULL, action_choose_data },
    { "win.open-sample", NULL, action_open_sample },
    { "win.save", NULL, action_save },
    { "win.save-as", NULL, action_save_as },
    { "win.save-to", "s", action_save_to },
    { "win.save-model", NULL, action_save_model },
    { "win.save-model-to", "s", action_save_model_to },
  };

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (widget_class, actions[i].name, actions[i].type, actions[i].func);
}
