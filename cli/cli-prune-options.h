/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of the verb prune: their defaults, which of them go together, and what they say to the run. */

#pragma once

#include "cli-prune.h"

G_BEGIN_DECLS

typedef struct {
  char    *data, *x, *y, *label, *weights, *config, *output, *part, *model_out;
  char    *objective, *budget, *structure, *importance, *schedule, *block, *weigh, *keep, *cut;
  char   **leave, **layer_structure;
  double   tolerance, first, step, max_target, regularize, gap, time_limit, rate, validation, test, divide;
  gint64   limit;
  gint     max_steps, bad_trials, epochs, rewind, batch, from_step;
  gboolean local, lottery, quantized, snap, share, resume, replay, standardize, raw;
} CliPruneOptions;

extern const CliPruneOptions cli_prune_defaults;

void     cli_prune_options_clear (CliPruneOptions       *o);
/* Says on standard error what does not go together. @entries: those that were parsed into @o */
gboolean cli_prune_options_check (const CliPruneOptions *o,
                                  const GOptionEntry    *entries);
/* What differs from the defaults goes into @p, all but the budget and the pins. */
gboolean cli_prune_options_take  (const CliPruneOptions *o,
                                  NnPruneOptions        *p,
                                  GError               **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliPruneOptions, cli_prune_options_clear)

G_END_DECLS
