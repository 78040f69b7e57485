/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vendors' tools that are installed, to choose one from. */

#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

typedef void (*AppToolFunc) (const char *path,
                             gpointer    data);

/* A button whose menu is filled when it is first opened; @chosen gets the path of the program. */
GtkWidget *app_tool_menu_new (AppToolFunc chosen,
                              gpointer    data);

G_END_DECLS
