/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to the user. */

#include "espalier-config.h"

#include "app-dialogs.h"

#include <adwaita.h>
#include <glib/gi18n.h>

typedef struct {
  AppPathFunc  path;
  AppPathsFunc paths; /* instead of it */
  AppAnswerFunc answer;
  GObject     *object;
} Question;

static Question *
question_new (AppPathFunc   path,
              AppAnswerFunc answer,
              gpointer      object)
{
  Question *question = g_new0 (Question, 1);

  question->path = path;
  question->answer = answer;
  question->object = g_object_ref (object);
  return question;
}

static void
question_free (Question *question)
{
  g_object_unref (question->object);
  g_free (question);
}

static char **
chosen_paths (GtkFileChooser *chooser)
{
  g_autoptr (GListModel) files = gtk_file_chooser_get_files (chooser);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < g_list_model_get_n_items (files); i++)
    {
      g_autoptr (GFile) file = g_list_model_get_item (files, i);
      g_autofree char *path = g_file_get_path (file);

      if (path != NULL)
        g_strv_builder_add (builder, path);
    }
  return g_strv_builder_end (builder);
}

static void
on_chosen (GtkNativeDialog *dialog,
           int              response,
           Question        *question)
{
  g_auto (GStrv) paths = chosen_paths (GTK_FILE_CHOOSER (dialog));

  if (response == GTK_RESPONSE_ACCEPT && paths[0] != NULL)
    {
      if (question->paths != NULL)
        question->paths ((const char *const *) paths, question->object);
      else
        question->path (paths[0], question->object);
    }
  question_free (question);
  gtk_native_dialog_destroy (dialog);
  g_object_unref (dialog);
}

static void
add_filters (GtkFileChooser    *chooser,
             const char *const *patterns)
{
  for (guint i = 0; patterns != NULL && patterns[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (patterns[i], "|", 2);
      g_auto (GStrv) globs = g_strsplit (parts[1], ";", -1);
      g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

      gtk_file_filter_set_name (filter, parts[0]);
      for (guint k = 0; globs[k] != NULL; k++)
        gtk_file_filter_add_pattern (filter, globs[k]);
      gtk_file_chooser_add_filter (chooser, filter);
    }
}

static void
ask (GtkWidget            *parent,
     const char           *title,
     GtkFileChooserAction  action,
     const char           *accept,
     const char           *name,
     const char *const    *patterns,
     Question             *question)
{
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (title, GTK_WINDOW (gtk_widget_get_root (parent)), action, accept, NULL);

  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (dialog), question->paths != NULL);
  add_filters (GTK_FILE_CHOOSER (dialog), patterns);
  if (name != NULL)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  g_signal_connect (dialog, "response", G_CALLBACK (on_chosen), question);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

void
app_ask_open (GtkWidget         *parent,
              const char        *title,
              const char *const *patterns,
              AppPathFunc        func,
              gpointer           object)
{
  ask (parent, title, GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"), NULL, patterns, question_new (func, NULL, object));
}

void
app_ask_open_files (GtkWidget         *parent,
                    const char        *title,
                    const char *const *patterns,
                    AppPathsFunc       func,
                    gpointer           object)
{
  Question *question = question_new (NULL, NULL, object);

  question->paths = func;
  ask (parent, title, GTK_FILE_CHOOSER_ACTION_OPEN, _("_Open"), NULL, patterns, question);
}

void
app_ask_save (GtkWidget         *parent,
              const char        *title,
              const char        *name,
              const char *const *patterns,
              AppPathFunc        func,
              gpointer           object)
{
  ask (parent, title, GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), name, patterns, question_new (func, NULL, object));
}

void
app_ask_folder (GtkWidget   *parent,
                const char  *title,
                AppPathFunc  func,
                gpointer     object)
{
  ask (parent, title, GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, _("_Select"), NULL, NULL, question_new (func, NULL, object));
}

static void
on_answered (AdwMessageDialog *dialog,
             const char       *response,
             Question         *question)
{
  question->answer (response, question->object);
  question_free (question);
}

/* The default comes last: a window whose focus is set before it is shown has no role for a screen reader (GTK 4.8). */
static void
ask_question (GtkWidget  *dialog,
              const char *response,
              Question   *question)
{
  g_signal_connect (dialog, "response", G_CALLBACK (on_answered), question);
  gtk_window_present (GTK_WINDOW (dialog));
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), response);
}

void
app_ask_unsaved (GtkWidget     *parent,
                 const char    *name,
                 AppAnswerFunc  func,
                 gpointer       object)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (parent)), _("Save Changes?"), NULL);

  adw_message_dialog_format_body (ADW_MESSAGE_DIALOG (dialog), _("“%s” has changes that are not saved. Without saving they are lost."),
                                  name);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _("_Cancel"), "discard", _("_Discard"), "save", _("_Save"),
                                    NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "discard", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "save", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  ask_question (dialog, "save", question_new (NULL, func, object));
}

void
app_ask_recover (GtkWidget     *parent,
                 guint          n,
                 AppAnswerFunc  func,
                 gpointer       object)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (parent)), _("Recover Unsaved Work?"), NULL);

  adw_message_dialog_format_body (ADW_MESSAGE_DIALOG (dialog),
                                  g_dngettext (GETTEXT_PACKAGE, "Espalier ended unexpectedly. The work of %u window, up to shortly before, can be opened again.",
                                               "Espalier ended unexpectedly. The work of %u windows, up to shortly before, can be opened again.", n), n);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "later", _("_Not Now"), "discard", _("_Discard"), "recover", _("_Recover"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "discard", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "recover", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "later");
  ask_question (dialog, "recover", question_new (NULL, func, object));
}
