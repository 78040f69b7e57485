/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values that a product gets without a DSP. */

#pragma once

#include "nn-groups.h"

G_BEGIN_DECLS

/* The integer nearest to @raw, within @type, whose canonical signed-digit form has two digits at most. */
gint64 nn_snap_raw (gint64        raw,
                    const NnType *type);

/* The same with one digit. */
gint64 nn_snap_power (gint64      raw,
                      const NnType *type);

/**
 * NnHeld: a weight as hardware holds it
 * @scale: what it was multiplied by on the way (a folded batch norm)
 */
typedef struct {
  const NnType *type;
  gint64        raw;
  double        scale;
} NnHeld;

gboolean nn_snap_find    (const NnDesign *design,
                          const NnGroups *groups,
                          gsize           g,
                          NnHeld         *held);
double   nn_snap_value   (const NnHeld   *held,
                          gint64          raw);
gint64   nn_snap_nearest (const NnHeld   *held,
                          double          value);

G_END_DECLS
