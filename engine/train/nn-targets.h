/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Targets as a network's outputs want them. Private to this room. */

#pragma once

#include "nn-net.h"

G_BEGIN_DECLS

/* Checks that data fit the network; targets come as (n, outputs) float32, (transfer full). */
gboolean  nn_targets_make (const NnNet     *net,
                           const NnTensor  *x,
                           const NnTensor  *y,
                           gboolean         is_classes,
                           NnTensor       **targets,
                           GError         **error);

G_END_DECLS
