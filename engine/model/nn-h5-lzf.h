/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The LZF filter of HDF5 files that h5py wrote. Internal to the room. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gsize nn_lzf_unpack      (const guint8 *from,
                          gsize         n_from,
                          guint8       *to,
                          gsize         n_to);
void  nn_h5_register_lzf (void);

G_END_DECLS
