/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application. */

#include "espalier-config.h"

#include "app-application.h"

#include "app-autosave.h"
#include "app-dialogs.h"
#include "app-open.h"
#include "app-preferences.h"
#include "app-shots.h"
#include "app-window.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>

struct _AppApplication {
  AdwApplication parent;
  gboolean       asked_recovery;
  gboolean       sample; /* --sample: of the first window */
};

G_DEFINE_FINAL_TYPE (AppApplication, app_application, ADW_TYPE_APPLICATION)

static AppWindow *new_window (AppApplication *self);

/* The first into the window that asked, where nothing is in it yet; each other into one of its own. */
static void
on_recovery (const char *response,
             gpointer    object)
{
  GtkApplication *application = gtk_window_get_application (object); /* none once it is closed: the work is asked for next time */
  g_autoptr (GPtrArray) paths = application != NULL ? app_autosave_left_behind () : g_ptr_array_new ();
  AppDocument *document = app_window_document (object);
  gboolean free_window = app_document_is_empty (document) && app_document_job (document) == NULL;

  for (guint i = 0; i < paths->len; i++)
    {
      if (g_str_equal (response, "discard"))
        g_unlink (paths->pdata[i]);
      else if (g_str_equal (response, "recover"))
        app_document_recover (i == 0 && free_window ? document : app_window_document (new_window (APP_APPLICATION (application))), paths->pdata[i]);
    }
}

static void
ask_once (AppApplication *self,
          AppWindow      *window)
{
  g_autoptr (GPtrArray) lost = self->asked_recovery ? NULL : app_autosave_left_behind ();

  self->asked_recovery = TRUE;
  if (lost != NULL && lost->len > 0)
    app_ask_recover (GTK_WIDGET (window), lost->len, on_recovery, window);
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
  AppWindow *window = new_window (self);

  if (self->sample)
    app_window_open_sample (window);
  self->sample = FALSE;
  ask_once (self, window);
}

/* A network, its data and its configuration may come together: one after the other into one window. A second network or project begins
 * a second one; files that may be several things (.h5, .json) go with what was named before them. */
static void
app_application_open (GApplication  *application,
                      GFile        **files,
                      int            n_files,
                      const char    *hint)
{
  AppWindow *window = NULL, *first = NULL;
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();
  gboolean has_network = FALSE;
  guint next = 0;

  for (int i = 0; i < n_files; i++)
    if (g_file_peek_path (files[i]) != NULL)
      g_ptr_array_add (paths, (gpointer) g_file_peek_path (files[i]));
  g_ptr_array_add (paths, NULL);
  for (char *path; (path = app_open_next ((const char *const *) paths->pdata, &next)) != NULL; g_free (path))
    {
      gboolean network = app_open_is_network (path);

      if (window == NULL || (network && has_network))
        {
          window = new_window (APP_APPLICATION (application));
          has_network = FALSE;
        }
      first = first != NULL ? first : window;
      has_network = has_network || network;
      app_window_open_later (window, path);
    }
  if (first != NULL)
    ask_once (APP_APPLICATION (application), first);
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
app_application_startup (GApplication *application)
{
  static const GActionEntry actions[] = {
    { "new-window", action_new_window, NULL, NULL, NULL, { 0 } }, { "quit", action_quit, NULL, NULL, NULL, { 0 } },
    { "preferences", action_preferences, NULL, NULL, NULL, { 0 } }, { "about", action_about, NULL, NULL, NULL, { 0 } },
  };
  static const struct { const char *action; const char *keys[4]; } keys[] = {
    { "app.new-window", { "<Control>n" } }, { "app.quit", { "<Control>q" } }, { "app.preferences", { "<Control>comma" } },
    { "win.help", { "F1" } }, { "win.history", { "<Control>h" } }, { "win.open", { "<Control>o" } }, { "win.save", { "<Control>s" } }, { "win.save-as", { "<Control><Shift>s" } },
    { "win.open-data", { "<Control>d" } }, { "win.undo", { "<Control>z" } }, { "win.redo", { "<Control><Shift>z", "<Control>y" } },
    { "win.optimise", { "<Control>Return" } }, { "win.cancel", { "<Control>period" } }, { "win.find", { "<Control>f" } },
    { "win.export-hls", { "<Control>e" } }, { "win.print", { "<Control>p" } }, { "window.close", { "<Control>w" } },
    { "win.page('network')", { "<Alt>1" } }, { "win.page('weights')", { "<Alt>2" } }, { "win.page('tradeoff')", { "<Alt>3" } },
    { "win.page('precision')", { "<Alt>4" } }, { "win.page('hardware')", { "<Alt>5" } }, { "win.page('data')", { "<Alt>6" } },
    { "win.zoom-in", { "<Control>plus", "<Control>equal", "<Control>KP_Add" } }, { "win.zoom-out", { "<Control>minus", "<Control>KP_Subtract" } },
    { "win.zoom-fit", { "<Control>0", "<Control>KP_0" } }, { "win.sidebar", { "F9" } }, { "win.refresh", { "F5" } },
    { "win.show-help-overlay", { "<Control>question" } }, { "win.toggle-order", { "<Control>t" } }, { "win.frontier", { "<Control>r" } },
  };

  g_autoptr (GError) problem = NULL;

  G_APPLICATION_CLASS (app_application_parent_class)->startup (application);
  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions), application);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (application), keys[i].action, keys[i].keys);
  gtk_window_set_default_icon_name (APP_ID);
  app_preferences_apply ();
  if (!nn_parts_load_own (&problem))
    g_warning ("own parts: %s", problem->message);
  app_shots_startup ();
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
