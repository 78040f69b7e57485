/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking dead neurons and filters out of a network for good. */

#pragma once

#include "nn-model.h"

G_BEGIN_DECLS

/* Removes outputs of dense layers and convolutions that nothing reads, or that are constant and can be added to the next
 * biases; across branches that are added up. The network computes what it did. (transfer full)
 * @n_removed: (nullable): neurons and filters that went */
NnModel *nn_model_reduce (const NnModel *model,
                          gsize         *n_removed,
                          GError       **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
