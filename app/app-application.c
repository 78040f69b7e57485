/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application. */

#include "espalier-config.h"

#include "app-application.h"

#include "app-dialogs.h"
#include "app-preferences.h"
#include "app-shots.h"
#include "app-window.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>

struct _AppApplication {
  AdwApplication parent;
  gboolean       asked_recovery;
  gboolean       sample; /* --sample: of the first window */
};

G_DEFINE_FINAL_TYPE (AppApplication, app_application, ADW_TYPE_APPLICATION)

/* Work of a process that is no more: what the autosave folder holds beyond those that live. */
static GPtrArray *
left_behind (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_state_dir (), "espalier", "autosave", NULL);
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      pid_t pid = atoi (name);

      if (g_str_has_suffix (name, ".espalier") && pid > 0 && kill (pid, 0) != 0)
        g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
    }
  return paths;
}

static void
on_recovery (const char *response,
             gpointer    object)
{
  g_autoptr (GPtrArray) paths = left_behind ();

  for (guint i = 0; i < paths->len; i++)
    {
      if (g_str_equal (response, "recover") && i == 0)
        app_window_open (APP_WINDOW (object), paths->pdata[i]);
      else if (g_str_equal (response, "discard"))
        g_unlink (paths->pdata[i]);
    }
}

static AppWindow *
new_window (AppApplication *self)
{
  AppWindow *window = APP_WINDOW (app_window_new (ADW_APPLICATION (self)));

  gtk_window_present (GTK_WINDOW (window));
  app_shots_maybe (window);
  return window;
}

static void
app_application_activate (GApplication *application)
{
  AppApplication *self = APP_APPLICATION (application);
  g_autoptr (GPtrArray) lost = NULL;
  AppWindow *window = new_window (self);

  if (self->sample)
    app_document_open_sample (app_window_document (window));
  self->sample = FALSE;
  if (self->asked_recovery)
    return;
  self->asked_recovery = TRUE;
  lost = left_behind ();
  if (lost->len > 0)
    app_ask_recover (GTK_WIDGET (window), on_recovery, window);
}

static gboolean
is_network (const char *path)
{
  static const char *const endings[] = { ".h5", ".hdf5", ".keras", ".onnx", ".json", ".espalier" };

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (path, endings[i]))
      return TRUE;
  return FALSE;
}

/* A network, its data and its configuration may come together: one after the other into one window. */
static void
app_application_open (GApplication  *application,
                      GFile        **files,
                      int            n_files,
                      const char    *hint)
{
  AppWindow *window = NULL;

  for (int i = 0; i < n_files; i++)
    {
      g_autofree char *path = g_file_get_path (files[i]);

      if (path == NULL)
        continue;
      if (window == NULL || is_network (path))
        window = new_window (APP_APPLICATION (application));
      app_window_open_later (window, path);
    }
}

static void
action_new_window (GSimpleAction *action,
                   GVariant      *parameter,
                   gpointer       application)
{
  new_window (application);
}

static void
action_quit (GSimpleAction *action,
             GVariant      *parameter,
             gpointer       application)
{
  g_autoptr (GList) windows = g_list_copy (gtk_application_get_windows (application));

  for (GList *l = windows; l != NULL; l = l->next)
    gtk_window_close (l->data);
}

static void
action_preferences (GSimpleAction *action,
                    GVariant      *parameter,
                    gpointer       application)
{
  app_preferences_present (gtk_application_get_active_window (application));
}

static void
action_about (GSimpleAction *action,
              GVariant      *parameter,
              gpointer       application)
{
  adw_show_about_window (gtk_application_get_active_window (application), "application-name", _("Espalier"), "application-icon", APP_ID,
                         "version", ESPALIER_VERSION, "license-type", GTK_LICENSE_GPL_3_0, "comments",
                         _("Prunes small neural networks by the multipliers and memories they would use in an FPGA, and writes the project "
                           "that builds them."),
                         /* Translators: put your names here, one a line */
                         "translator-credits", _("translator-credits"), NULL);
}

static void
action_help (GSimpleAction *action,
             GVariant      *parameter,
             gpointer       application)
{
  gtk_show_uri (gtk_application_get_active_window (application), "help:espalier", GDK_CURRENT_TIME);
}

static void
app_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = {
    { "new-window", action_new_window, NULL, NULL, NULL, { 0 } }, { "quit", action_quit, NULL, NULL, NULL, { 0 } },
    { "preferences", action_preferences, NULL, NULL, NULL, { 0 } }, { "about", action_about, NULL, NULL, NULL, { 0 } },
    { "help", action_help, NULL, NULL, NULL, { 0 } },
  };
  static const struct { const char *action; const char *keys[3]; } keys[] = {
    { "app.new-window", { "<Control>n" } }, { "app.quit", { "<Control>q" } }, { "app.preferences", { "<Control>comma" } },
    { "app.help", { "F1" } }, { "win.open", { "<Control>o" } }, { "win.save", { "<Control>s" } }, { "win.save-as", { "<Control><Shift>s" } },
    { "win.open-data", { "<Control>d" } }, { "win.undo", { "<Control>z" } }, { "win.redo", { "<Control><Shift>z", "<Control>y" } },
    { "win.optimise", { "<Control>Return" } }, { "win.cancel", { "<Control>period" } }, { "win.find", { "<Control>f" } },
    { "win.export-hls", { "<Control>e" } }, { "win.print", { "<Control>p" } }, { "window.close", { "<Control>w" } },
    { "win.page('network')", { "<Alt>1" } }, { "win.page('weights')", { "<Alt>2" } }, { "win.page('tradeoff')", { "<Alt>3" } },
    { "win.page('precision')", { "<Alt>4" } }, { "win.page('hardware')", { "<Alt>5" } }, { "win.page('data')", { "<Alt>6" } },
    { "win.show-help-overlay", { "<Control>question" } }, { "win.toggle-order", { "<Control>t" } }, { "win.frontier", { "<Control>r" } },
  };

  G_APPLICATION_CLASS (app_application_parent_class)->startup (application);
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions), application);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (application), keys[i].action, keys[i].keys);
  gtk_window_set_default_icon_name (APP_ID);
  app_preferences_apply ();
}

static int
app_application_handle_local_options (GApplication *application,
                                      GVariantDict *options)
{
  APP_APPLICATION (application)->sample = g_variant_dict_contains (options, "sample");
  return -1;
}

static void
app_application_class_init (AppApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  application_class->activate = app_application_activate;
  application_class->open = app_application_open;
  application_class->handle_local_options = app_application_handle_local_options;
  application_class->startup = app_application_startup;
}

static void
app_application_init (AppApplication *self)
{
  g_application_add_main_option (G_APPLICATION (self), "sample", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE,
                                 "Open the bundled sample, made on the first use", NULL);
}

GApplication *
app_application_new (void)
{
  g_set_application_name (_("Espalier"));
  return g_object_new (APP_TYPE_APPLICATION, "application-id", APP_ID, "flags", G_APPLICATION_HANDLES_OPEN, "resource-base-path",
                       "/org/espalier/Espalier", NULL);
}
