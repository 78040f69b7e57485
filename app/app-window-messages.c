/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a window tells: a banner where something failed, toasts, and notifications where nobody is looking at it. */

#include "espalier-config.h"

#include "app-window-private.h"

#include <glib/gi18n.h>

void
app_window_complain (AppWindow  *self,
                     const char *title,
                     const char *message)
{
  gtk_label_set_text (self->banner_title, title);
  gtk_label_set_text (self->banner_text, message);
  gtk_revealer_set_reveal_child (self->banner, TRUE);
}

/* "Undo" of a toast is for what the toast is about: it goes when something else was done since. */
static void
on_toast_dismissed (AdwToast  *toast,
                    AppWindow *self)
{
  if (self->undo_toast == toast)
    self->undo_toast = NULL;
}

/* The toast stays until its time is over, its button goes: a toast that is dismissed while it still comes into sight takes
 * libadwaita 1.2 with it. */
static void
drop_undo (AppWindow *self)
{
  adw_toast_set_button_label (self->undo_toast, NULL);
  self->undo_toast = NULL;
}

void
app_window_check_undo (AppWindow *self)
{
  guint position;

  app_document_n_history (self->document, &position);
  if (self->undo_toast != NULL && position != self->toast_position)
    drop_undo (self);
}

void
app_window_toast (AppWindow  *self,
                  const char *message,
                  gboolean    undoable)
{
  g_autofree char *escaped = g_markup_escape_text (message, -1);
  AdwToast *toast = adw_toast_new (escaped);

  if (undoable && app_document_can_undo (self->document))
    {
      adw_toast_set_button_label (toast, _("_Undo"));
      adw_toast_set_action_name (toast, "win.undo");
      if (self->undo_toast != NULL)
        drop_undo (self);
      self->undo_toast = toast;
      app_document_n_history (self->document, &self->toast_position);
      g_signal_connect_object (toast, "dismissed", G_CALLBACK (on_toast_dismissed), self, 0);
    }
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
on_failed (AppDocument *document,
           const char  *title,
           const char  *message,
           AppWindow   *self)
{
  app_window_complain (self, title, message);
}

static void
on_done (AppDocument *document,
         const char  *message,
         gboolean     undoable,
         AppWindow   *self)
{
  gtk_revealer_set_reveal_child (self->banner, FALSE);
  app_window_toast (self, message, undoable);
}

void
app_window_notify (GApplication *application,
                   const char   *title,
                   const char   *message)
{
  g_autoptr (GNotification) notification = g_notification_new (title);

  g_notification_set_body (notification, message);
  g_application_send_notification (application, "job", notification);
}

/* Told outside the window too, when nobody is looking at it. */
static void
on_idle_done (AppDocument *document,
              const char  *title,
              const char  *message,
              AppWindow   *self)
{
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));

  if (application != NULL && !gtk_window_is_active (GTK_WINDOW (self)))
    app_window_notify (G_APPLICATION (application), title, message);
}

void
app_window_messages_init (AppWindow *self)
{
  g_signal_connect (self->document, "failed", G_CALLBACK (on_failed), self);
  g_signal_connect (self->document, "done", G_CALLBACK (on_done), self);
  g_signal_connect (self->document, "idle-done", G_CALLBACK (on_idle_done), self);
}
