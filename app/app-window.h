/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A window: one document, its pages, what is being done. */

#pragma once

#include "app-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define APP_TYPE_WINDOW (app_window_get_type ())
G_DECLARE_FINAL_TYPE (AppWindow, app_window, APP, WINDOW, AdwApplicationWindow)

GtkWidget   *app_window_new        (AdwApplication *application);
AppDocument *app_window_document   (AppWindow      *window);
void         app_window_open       (AppWindow      *window,
                                    const char     *path);
/* Makes the sample and opens it; the introduction is about it, if nobody has had it yet. */
void         app_window_open_sample (AppWindow     *window);
/* Several files that belong together: network, data, configuration, reports. */
void         app_window_open_later (AppWindow      *window,
                                    const char     *path);
void         app_window_open_files (AppWindow         *window,
                                    const char *const *paths);
void         app_window_show_page  (AppWindow      *window,
                                    const char     *name);
void         app_window_complain   (AppWindow      *window,
                                    const char     *title,
                                    const char     *message);
void         app_window_toast      (AppWindow      *window,
                                    const char     *message,
                                    gboolean        undoable);

G_END_DECLS
