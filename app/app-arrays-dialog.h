/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a data file is to be read. */

#pragma once

#include "nn.h"

#include <adwaita.h>

G_BEGIN_DECLS

typedef void (*AppArraysFunc) (const char          *path,
                               const NnDataOptions *reading,
                               gpointer             object);

/* @entries: NnDataEntry, none of a pair of files; @reading: (nullable): how they were read before; @n_inputs: what the network takes, 0
 * where there is none; @object is kept alive. */
GtkWidget *app_ask_arrays (GtkWidget           *parent,
                           const char          *path,
                           GPtrArray           *entries,
                           const NnDataOptions *reading,
                           gsize                n_inputs,
                           AppArraysFunc        func,
                           gpointer             object);

G_END_DECLS
