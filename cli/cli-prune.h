/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs of pruning share: opening models and projects, objectives, costs. */

#pragma once

#include "cli.h"

G_BEGIN_DECLS

/* "dsp=175,bram=2%": into @limits; percentages are of @part. */
gboolean  cli_parse_budget     (const char         *text,
                                const NnPart       *part,
                                double             *limits,
                                GError            **error);
void      cli_json_resources   (JsonBuilder        *json,
                                const char         *name,
                                const NnResources  *resources);
/* Those costs of a group that are not zero. */
void      cli_json_group_cost  (JsonBuilder        *json,
                                const NnGroup      *group);

G_END_DECLS
