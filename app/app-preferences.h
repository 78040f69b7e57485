/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the user likes: colours, threads, vendor tools. */

#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Nullable: where no schema is installed, nothing is remembered. */
GSettings *app_settings            (void);
void       app_preferences_present (GtkWindow *parent);
void       app_preferences_apply   (void);

G_END_DECLS
