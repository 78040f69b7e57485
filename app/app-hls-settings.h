/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the HLS project is asked for beyond backend and ports: how it is pipelined, the clock's margin, the wrapper around it. */

#pragma once

#include "app-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A row that unfolds, for the group of the project; it follows the document, and each change is one step of undo. */
GtkWidget *app_hls_settings_new (AppDocument *document);

G_END_DECLS
