/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to the user. The only place that knows the file choosers of GTK 4.8, which later versions replace. */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef void (*AppPathFunc)   (const char *path,
                               gpointer    data);
typedef void (*AppAnswerFunc) (const char *response,
                               gpointer    data);

/* @paths: NULL-terminated */
typedef void (*AppPathsFunc)  (const char *const *paths,
                               gpointer           data);

/* @patterns: "Networks|*.h5;*.keras", NULL-terminated; @data must outlive the question: pass a widget, which is kept alive. */
void app_ask_open   (GtkWidget          *parent,
                     const char         *title,
                     const char *const  *patterns,
                     AppPathFunc         func,
                     gpointer            object);
/* The same of any number of files. */
void app_ask_open_files (GtkWidget         *parent,
                         const char        *title,
                         const char *const *patterns,
                         AppPathsFunc       func,
                         gpointer           object);
void app_ask_save   (GtkWidget          *parent,
                     const char         *title,
                     const char         *name,
                     const char *const  *patterns,
                     AppPathFunc         func,
                     gpointer            object);
void app_ask_folder (GtkWidget          *parent,
                     const char         *title,
                     AppPathFunc         func,
                     gpointer            object);
/* Discard changes? Answers "cancel", "discard", "save". */
void app_ask_unsaved (GtkWidget         *parent,
                      const char        *name,
                      AppAnswerFunc      func,
                      gpointer           object);
/* Recover the work of @n windows? Answers "later", "discard", "recover". */
void app_ask_recover (GtkWidget         *parent,
                      guint              n,
                      AppAnswerFunc      func,
                      gpointer           object);

G_END_DECLS
