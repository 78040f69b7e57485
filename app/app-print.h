/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one-page report, on paper or as PDF. */

#pragma once

#include "app-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @path: (nullable): writes a PDF there without asking */
gboolean app_print_report (GtkWindow    *parent,
                           AppDocument  *document,
                           const char   *path,
                           GError      **error);

G_END_DECLS
