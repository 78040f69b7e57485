/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a window is doing: its bar of progress, time left, pause, cancel; no sleep meanwhile; what becomes of it after the window. */

#include "espalier-config.h"

#include "app-window-private.h"

#include "app-format.h"

#include <glib/gi18n.h>

static void
on_progress (AppJob    *job,
             AppWindow *self)
{
  double fraction = app_job_fraction (job), left = app_job_seconds_left (job);
  g_autofree char *duration = left >= 0 ? app_format_duration (left) : NULL;
  g_autofree char *text = duration != NULL ? g_strdup_printf (_("%s left"), duration) : g_strdup ("");

  if (fraction >= 0)
    gtk_progress_bar_set_fraction (self->job_progress, MIN (fraction, 1));
  else
    gtk_progress_bar_pulse (self->job_progress);
  gtk_label_set_text (self->job_what, app_job_what (job));
  gtk_label_set_text (self->job_left, app_job_is_paused (job) ? _("Paused") : text);
}

static void
on_job_changed (AppWindow *self)
{
  AppJob *job = app_document_job (self->document);
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));
  gboolean long_job = app_document_is_optimising (self->document);

  gtk_revealer_set_reveal_child (self->job_bar, job != NULL);
  if (job != NULL)
    {
      gtk_label_set_text (self->job_title, app_job_title (job));
      gtk_label_set_text (self->job_what, "");
      gtk_label_set_text (self->job_left, "");
      gtk_progress_bar_set_fraction (self->job_progress, 0);
      gtk_toggle_button_set_active (self->pause_button, FALSE);
      gtk_widget_set_visible (GTK_WIDGET (self->pause_button), long_job);
      g_signal_connect_object (job, "progress", G_CALLBACK (on_progress), self, 0);
    }
  if (application != NULL && long_job && self->inhibit == 0)
    self->inhibit = gtk_application_inhibit (application, GTK_WINDOW (self), GTK_APPLICATION_INHIBIT_SUSPEND, _("Optimizing a network"));
  else if (application != NULL && !long_job && self->inhibit != 0)
    {
      gtk_application_uninhibit (application, self->inhibit);
      self->inhibit = 0;
    }
  app_window_update_actions (self);
}

static void
on_pause (GtkToggleButton *button,
          AppWindow       *self)
{
  AppJob *job = app_document_job (self->document);
  gboolean paused = gtk_toggle_button_get_active (button);

  if (job == NULL || app_job_is_paused (job) == paused)
    return;
  app_job_set_paused (job, paused);
  gtk_button_set_icon_name (GTK_BUTTON (button), paused ? "media-playback-start-symbolic" : "media-playback-pause-symbolic");
  gtk_widget_set_tooltip_text (GTK_WIDGET (button), paused ? _("Continue") : _("Pause"));
  on_progress (job, self);
}

static void
on_left (AppJob       *job,
         GApplication *application)
{
  g_application_release (application);
  g_object_unref (application);
}

/* What the window began ends with it, and the program not before that, so that no half of a file is left. A vendor's tool at work is
 * the build queue's and goes on. */
void
app_window_leave_job (AppWindow *self)
{
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));
  AppJob *job = app_document_job (self->document);

  if (job == NULL)
    return;
  app_job_cancel (job);
  if (application != NULL)
    {
      g_application_hold (G_APPLICATION (application));
      g_signal_connect (job, "finished", G_CALLBACK (on_left), g_object_ref (application));
    }
}

void
app_window_job_init (AppWindow *self)
{
  g_signal_connect_swapped (self->document, "job-changed", G_CALLBACK (on_job_changed), self);
  g_signal_connect (self->pause_button, "toggled", G_CALLBACK (on_pause), self);
}
