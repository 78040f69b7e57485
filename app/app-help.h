/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The help's window. */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Shows page @id, in the one window of the help. @parent: (nullable) */
void app_help_present (GtkWindow  *parent,
                       const char *id);

G_END_DECLS
