/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which arrays of a data file are inputs and which labels? */

#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

typedef void (*AppArraysFunc) (const char *path,
                               const char *x,
                               const char *y,
                               gpointer    object);

/* @entries: NnDataEntry, more than one; @n_inputs: what the network takes, 0 where there is none; @object is kept alive. */
GtkWidget *app_ask_arrays (GtkWidget     *parent,
                           const char    *path,
                           GPtrArray     *entries,
                           gsize          n_inputs,
                           AppArraysFunc  func,
                           gpointer       object);

G_END_DECLS
