/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where unsaved work lies, and whose it is. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A new path for one document of this process; %NULL where the folder cannot be made. (transfer full) (nullable) */
char      *app_autosave_new_path    (void);
/* Work of processes that are no more. (transfer full) (element-type filename) */
GPtrArray *app_autosave_left_behind (void);
/* Takes work that was left behind over: it now is this process's, under the path returned. (transfer full) (nullable) */
char      *app_autosave_adopt       (const char *path);

G_END_DECLS
