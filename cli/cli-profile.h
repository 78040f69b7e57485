/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verb profile shows. */

#pragma once

#include "cli.h"

G_BEGIN_DECLS

void     cli_profile_add_type     (JsonBuilder           *json,
                                   const char            *name,
                                   const NnType          *type);
void     cli_profile_add_tensor   (JsonBuilder           *json,
                                   const NnProfileTensor *t);
void     cli_profile_print        (const NnProfile       *profile);
void     cli_profile_add_layers   (JsonBuilder           *json,
                                   const NnDoctor        *doctor);
void     cli_profile_add_changes  (JsonBuilder           *json,
                                   const NnDoctor        *doctor);
void     cli_profile_print_doctor (const NnDoctor        *doctor);
/* Boxes of the sizes over what the types hold, as SVG, PDF or PNG, or as CSV by the name's end; @before is drawn first. */
gboolean cli_profile_figure       (const char            *path,
                                   const NnProfile       *before, /* (nullable) */
                                   const NnProfile       *after,
                                   GError               **error);

G_END_DECLS
