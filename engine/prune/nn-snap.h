/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values that a product gets without a DSP. */

#pragma once

#include "nn-type.h"

G_BEGIN_DECLS

/* The integer nearest to @raw, within @type, whose canonical signed-digit form has two digits at most. */
gint64 nn_snap_raw (gint64        raw,
                    const NnType *type);

G_END_DECLS
