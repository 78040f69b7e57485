/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every property of a layer, in words. */

#pragma once

#include <nn.h>
#include <gtk/gtk.h>

G_BEGIN_DECLS

/* What it computes: inputs, sizes, activation, quantisers, weights. */
void app_layer_facts_add    (GtkListBox    *list,
                             const NnModel *model,
                             const NnNode  *node);
/* What the file says of it, key by key; %FALSE where it says nothing. */
gboolean app_layer_facts_source (GtkListBox   *list,
                                 const NnNode *node);

G_END_DECLS
