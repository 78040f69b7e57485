/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log of a tool while it grows: searched, followed, wrapped, copied. */

#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define APP_TYPE_LOG_VIEW (app_log_view_get_type ())
G_DECLARE_FINAL_TYPE (AppLogView, app_log_view, APP, LOG_VIEW, GtkBox)

GtkWidget *app_log_view_new      (void);
/* Lines are shown some at a time, however fast they come; of very many the last ones stay. */
void       app_log_view_append   (AppLogView *self,
                                  const char *line);
/* A line that tells whose lines follow. */
void       app_log_view_heading  (AppLogView *self,
                                  const char *title);
/* @path: (nullable): where the whole of it is, which another program can open */
void       app_log_view_set_path (AppLogView *self,
                                  const char *path);
/* Selects the next place that has the text, from the end back to the beginning. FALSE where there is none. */
gboolean   app_log_view_search   (AppLogView *self,
                                  const char *text,
                                  gboolean    backward);
/* (transfer full): what is shown */
char      *app_log_view_dup_text (AppLogView *self);

G_END_DECLS
