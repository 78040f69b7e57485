/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reuse factors: how many weights share one multiplier, and which values a kernel accepts. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean nn_reuse_is_valid (guint   n_in,
                            guint   n_out,
                            guint   reuse);
GArray  *nn_reuse_valid    (guint   n_in,
                            guint   n_out);
guint    nn_reuse_nearest  (guint   n_in,
                            guint   n_out,
                            guint   reuse);

G_END_DECLS
