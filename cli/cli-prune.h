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
/* "dsp=1,lut=0.02": what a unit of each objective counts for, into @weights. */
gboolean  cli_parse_weights    (const char         *text,
                                double             *weights,
                                GError            **error);
/* "3,17-20": marks these of @n groups with @pin. */
gboolean  cli_parse_pins       (const char         *text,
                                gint8               pin,
                                gint8              *pins,
                                gsize               n,
                                GError            **error);

/* How the verbs that list groups choose and score them. */
typedef struct {
  char *structure, *objective, *importance, *data, *x, *y, *label, *block;
  char **layer_structure, **leave;
} CliGroups;

#define CLI_GROUPS_ENTRIES(o)                                                                                                     \
  { "structure", 0, 0, G_OPTION_ARG_STRING, &(o).structure, "auto, unstructured, neuron, multiplier, bram-word or block (auto)",  \
    "S" },                                                                                                                        \
  { "layer-structure", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(o).layer_structure, "The same for one layer", "LAYER=S" },              \
  { "block", 0, 0, G_OPTION_ARG_STRING, &(o).block, "Inputs x outputs of a block (4x4)", "HxW" },                                 \
  { "leave", 0, 0, G_OPTION_ARG_STRING_ARRAY, &(o).leave, "A layer to be left alone", "LAYER" },                                  \
  { "objective", 0, 0, G_OPTION_ARG_STRING, &(o).objective, "What is wanted to fall: dsp,bram,... (dsp)", "LIST" },               \
  { "importance", 0, 0, G_OPTION_ARG_STRING, &(o).importance, "l1, l2, random, or with --data first-order, second-order (l2)",    \
    "I" },                                                                                                                        \
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &(o).data, "Labelled data, for importance by gradients", "DATA" },                       \
  { "x", 0, 0, G_OPTION_ARG_STRING, &(o).x, "Name of the array of inputs", "NAME" },                                              \
  { "y", 0, 0, G_OPTION_ARG_STRING, &(o).y, "Name of the array of labels", "NAME" },                                              \
  { "label", 0, 0, G_OPTION_ARG_STRING, &(o).label, "Label column of a table (label, class, target, y or the last)", "COLUMN" }

void      cli_groups_clear     (CliGroups          *o);
/* The scored groups, and the objectives. */
NnGroups *cli_make_groups      (Cli                *cli,
                                const CliGroups    *o,
                                const NnModel      *model,
                                const NnConfig     *config,
                                guint              *objectives,
                                GError            **error);
/* "LAYER=S" into a table of structures (made where it is NULL). */
gboolean  cli_add_structure    (const char         *text,
                                GHashTable        **table);

void      cli_json_resources   (JsonBuilder        *json,
                                const char         *name,
                                const NnResources  *resources);
/* Those costs of a group that are not zero. */
void      cli_json_group_cost  (JsonBuilder        *json,
                                const NnGroup      *group);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliGroups, cli_groups_clear)

G_END_DECLS
