/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The number types that training reckons with, as a configuration of the hardware has them. */

#pragma once

#include "cli.h"

G_BEGIN_DECLS

GArray *cli_train_types (const NnConfig *config,
                         const NnModel  *model);

G_END_DECLS
