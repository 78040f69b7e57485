/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for the screen reader: in GTK 4.8 a tooltip is not one, and a mnemonic's underline is read aloud. */

#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Gives every control below @root the name that its tooltip or label tells; call it once the tree is made. */
void app_names_apply (GtkWidget *root);

G_END_DECLS
