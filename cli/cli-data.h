/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the verbs read labelled data: options they share, and data and network brought together. */

#pragma once

#include "cli.h"

G_BEGIN_DECLS

/* Options of all verbs that read labelled data, by the members x, y, label and divide of @o. */
#define CLI_DATA_ENTRIES(o)                                                                                                       \
  { "x", 0, 0, G_OPTION_ARG_STRING, &(o).x, "Name of the array of inputs; of a table columns, with commas between", "NAME" },    \
  { "y", 0, 0, G_OPTION_ARG_STRING, &(o).y, "Name of the array of labels", "NAME" },                                              \
  { "label", 0, 0, G_OPTION_ARG_STRING, &(o).label, "Label column of a table (label, class, target, y or the last)", "COLUMN" },  \
  { "divide", 0, 0, G_OPTION_ARG_DOUBLE, &(o).divide, "Divide the inputs (255 for pictures of bytes)", "N" }

/* Options of those that use its parts, by the members test and limit. */
#define CLI_PARTS_ENTRIES(o)                                                                                                      \
  { "test-split", 0, 0, G_OPTION_ARG_DOUBLE, &(o).test, "Fraction for the test where the data have no such part (0)", "F" },      \
  { "max-samples", 0, 0, G_OPTION_ARG_INT64, &(o).limit, "Most samples to divide, chosen at random (all)", "N" }

/* The NnDataOptions @wanted take what those entries have set in @o; with the parts its member validation too. */
#define CLI_DATA_TAKE(wanted, o) ((wanted).x = (o).x, (wanted).y = (o).y, (wanted).label = (o).label, (wanted).divide = (o).divide)
#define CLI_PARTS_TAKE(wanted, o) ((wanted).validation = (o).validation, (wanted).test = (o).test, (wanted).limit = (guint64) MAX ((o).limit, 0))

/* Data as @options ask, standardised as the network says unless @raw, or as the training part asks for; in that case, and where classes
 * have names, @model (in, out) is one that knows so. */
NnDataset *cli_read_data (Cli                 *cli,
                          const char          *spec,
                          const NnDataOptions *options,
                          gboolean             raw,
                          NnModel            **model,
                          GError             **error);

G_END_DECLS
