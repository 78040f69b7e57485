/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part is chosen from all that are known: shipped ones and the user's own, searched by name, title or family. */

#pragma once

#include "app-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

GtkWindow *app_part_chooser_present (GtkWindow   *parent,
                                     AppDocument *document);
/* What typing in its search entry does; returns how many parts are left. */
guint      app_part_chooser_search  (GtkWindow   *dialog,
                                     const char  *words);

G_END_DECLS
