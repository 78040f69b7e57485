/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The graph passes: what each did to the network, and which are left out. */

#pragma once

#include "app-document.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Follows the document while it is open; each switch is one step of undo. */
GtkWindow *app_passes_dialog_present (GtkWindow      *parent,
                                      AppDocument    *document);
gboolean   app_passes_is_on          (const NnConfig *config,
                                      const NnPass   *pass);
void       app_passes_switch         (AppDocument    *document,
                                      const NnPass   *pass,
                                      gboolean        on);
/* "Folded 3 batch normalisations", %NULL where it did nothing. (transfer full) */
char      *app_passes_did            (const AppAnalysis *analysis,
                                      const NnPass      *pass);
/* Of all: "4 changed the network, 1 is off". (transfer full) */
char      *app_passes_summary        (const AppAnalysis *analysis,
                                      const NnConfig    *config);

G_END_DECLS
