/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bundled sample: data that Espalier makes and a network that it trains, with no download. */

#pragma once

#include "nn-progress.h"

G_BEGIN_DECLS

/**
 * NnSampleOptions:
 * @jets: how many to make, a fifth of them for testing (default 60,000)
 * @epochs: of training (default 24); 0 leaves the network untrained
 * @seed: of jets, network and training
 */
typedef struct {
  gsize   jets;
  guint   epochs;
  guint64 seed;
} NnSampleOptions;

void        nn_sample_options_init (NnSampleOptions       *options);
/* Names of the samples there are. (zero-terminated) */
const char *const *nn_sample_names (void);
/* Makes jets, trains a network on them and writes NAME.npz and NAME.h5 into @folder, which is made when missing.
 * Returns: (transfer full) (array zero-terminated=1): paths of the files */
char      **nn_sample_write        (const char            *name,
                                    const char            *folder,
                                    const NnSampleOptions *options,
                                    const NnProgress      *progress,
                                    GCancellable          *cancellable,
                                    GError               **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
