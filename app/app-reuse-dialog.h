/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reuse factors of all layers: only what each kernel accepts, with its forecast; and the fewest DSPs for a latency. */

#pragma once

#include "app-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

/* (transfer none) (nullable): %NULL where no network's hardware is known. */
GtkWindow *app_reuse_dialog_present (GtkWindow   *parent,
                                     AppDocument *document);
/* What the button does: chooses, in a job, the factors that meet @cycles with the fewest DSPs. */
void       app_reuse_dialog_solve   (GtkWindow   *dialog,
                                     double       cycles);
gboolean   app_reuse_dialog_is_busy (GtkWindow   *dialog);
/* The last answer in words; %NULL where none was asked for or it is on its way. (transfer none) (nullable) */
const char *app_reuse_dialog_answer (GtkWindow   *dialog);
/* Takes what is chosen over: one step of undo. */
void       app_reuse_dialog_apply   (GtkWindow   *dialog);

G_END_DECLS
