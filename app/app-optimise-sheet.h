/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The short sheet of choices before Optimize. */

#pragma once

#include "app-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define APP_TYPE_OPTIMISE_SHEET (app_optimise_sheet_get_type ())
G_DECLARE_FINAL_TYPE (AppOptimiseSheet, app_optimise_sheet, APP, OPTIMISE_SHEET, AdwWindow)

/* @config: the document's, or a changed copy */
typedef void (*AppChoicesFunc) (const AppOptimiseChoices *choices,
                                NnConfig                 *config,
                                gpointer                  data);

/* @branch: for a run that leaves the one shown after the step shown. Returns: (transfer none): its window */
GtkWindow *app_optimise_sheet_present (GtkWindow      *parent,
                                       AppDocument    *document,
                                       gboolean        branch,
                                       AppChoicesFunc  func,
                                       gpointer        data);

G_END_DECLS
