/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The number types that training reckons with, as a configuration of the hardware has them. */

#pragma once

#include "nn-config.h"
#include "nn-trainer.h"

G_BEGIN_DECLS

GArray *nn_train_types_new (const NnConfig *config,
                            const NnModel  *model);

G_END_DECLS
