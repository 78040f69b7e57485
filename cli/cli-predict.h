/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What predict and evaluate share: a network, and its answers in float or in fixed point. */

#pragma once

#include "cli.h"

G_BEGIN_DECLS

/**
 * CliPredictor:
 * @model: (owned): as loaded
 * @trace: (nullable) (owned): folder for the layers' outputs
 * @error: the first failure of writing a trace
 */
typedef struct {
  NnModel    *model;
  char       *trace;
  GHashTable *writers; /* owned: by node */
  gsize       n_samples;
  GError     *error;
} CliPredictor;

gboolean   cli_predictor_load  (CliPredictor    *predictor,
                                Cli             *cli,
                                const char      *path,
                                const char      *weights,
                                GError         **error);
NnTensor **cli_predictor_run   (CliPredictor    *predictor,
                                Cli             *cli,
                                NnTensor *const *inputs,
                                GError         **error);
void       cli_predictor_clear (CliPredictor    *predictor);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliPredictor, cli_predictor_clear)

G_END_DECLS
