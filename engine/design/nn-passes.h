/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graph passes: from the network as the framework wrote it to the network as hardware computes it. */

#pragma once

#include "nn-config.h"
#include "nn-model.h"

G_BEGIN_DECLS

/* @run: returns a new model, or the same with another reference where there was nothing to do. The texts are for people, and
 * marked for translation by whoever shows them. */
typedef struct {
  const char *name;        /* as listed and switched off: "fuse-batch-norm" */
  const char *description; /* one sentence */
  const char *did[2];      /* of one layer and of several, with %u for their number: "Folded %u batch normalisations" */
  NnModel  *(*run) (const NnModel *model, const NnConfig *config, GError **error);
  gboolean    optional; /* left out by nn_passes_run(); for those who want another form */
  gboolean    needed;   /* hardware computes something else without it: may not be switched off for a design */
  const char *foreign;  /* (nullable): hls4ml's name for the same */
} NnPass;

const NnPass *nn_passes     (guint              *n);
/* By its name, or hls4ml's; %NULL where there is none. */
const NnPass *nn_pass_find  (const char         *name);
/* Runs all passes but those in @skip (nullable, NULL-terminated); @config may be %NULL. */
NnModel      *nn_passes_run (const NnModel      *model,
                             const NnConfig     *config,
                             const char *const  *skip,
                             GError            **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same, telling in @layers, by pass, which layers each met. */
NnModel      *nn_passes_run_told (const NnModel      *model,
                                  const NnConfig     *config,
                                  const char *const  *skip,
                                  GPtrArray          *layers,
                                  GError            **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
