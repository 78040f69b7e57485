/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What predict and evaluate share: a network, and its answers in float or in fixed point. */

#pragma once

#include "cli.h"

G_BEGIN_DECLS

/**
 * CliPredictor:
 * @model: (owned): as loaded
 * @design: (nullable) (owned): the network as hardware, with a configuration
 * @overflows: (nullable) (owned) (array): one a layer of the design
 * @trace: (nullable) (owned): folder for the layers' outputs
 * @n_samples: all that will be predicted
 * @first: of the samples, the first that is predicted next
 * @error: the first failure of writing a trace
 */
typedef struct {
  NnModel    *model;
  NnDesign   *design;
  guint64    *overflows;
  char       *trace;
  GHashTable *writers; /* owned: by node */
  gsize       n_samples;
  gsize       first;
  GError     *error;
} CliPredictor;

gboolean   cli_predictor_load  (CliPredictor    *predictor,
                                Cli             *cli,
                                const char      *path,
                                const char      *weights,
                                const char      *config, /* (nullable) */
                                GError         **error);
NnTensor **cli_predictor_run   (CliPredictor    *predictor,
                                Cli             *cli,
                                NnTensor *const *inputs,
                                GError         **error);
/* The same piece by piece: told once how many samples there will be, then every piece in order. */
gboolean   cli_predictor_begin (CliPredictor    *predictor,
                                gsize            n_samples,
                                GError         **error);
NnTensor **cli_predictor_part  (CliPredictor    *predictor,
                                Cli             *cli,
                                NnTensor *const *inputs,
                                GError         **error);
/* Samples of a piece, so that all that is held of it stays small. @row: numbers of one sample's inputs. */
gsize      cli_predictor_piece (const CliPredictor *predictor,
                                gsize            row);
/* `overflows[]{layer, count}`, where a configuration was given. */
void       cli_predictor_overflows (const CliPredictor *predictor,
                                    JsonBuilder     *json);
void       cli_predictor_clear (CliPredictor    *predictor);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliPredictor, cli_predictor_clear)

G_END_DECLS
