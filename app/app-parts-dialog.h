/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The user's own parts, and what the user's syntheses taught: seen, added, taken back. */

#pragma once

#include "app-document.h"

#include <adwaita.h>

G_BEGIN_DECLS

/* Both are shown by their caller's parent at once; the window is returned for tests. (transfer none) */
GtkWindow *app_parts_dialog_present       (GtkWindow   *parent,
                                           AppDocument *document);
GtkWindow *app_calibration_dialog_present (GtkWindow   *parent,
                                           AppDocument *document);
/* As it is read from the form: an empty text is a figure that is not known. */
gboolean   app_parts_add_from_texts       (const char         *name,
                                           const char         *title,
                                           NnFamily            family,
                                           const char *const  *figures, /* (array length=NN_N_RESOURCES) */
                                           GError            **error);

/* Its family and what it has, in a line. */
char      *app_parts_describe (const NnPart *part) G_GNUC_MALLOC;

G_END_DECLS
