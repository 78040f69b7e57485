/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files in and out: networks. Which reader serves is decided by content, not by the file's name. */

#pragma once

#include "nn-model.h"
#include "nn-progress.h"

G_BEGIN_DECLS

/**
 * NnLoadOptions:
 * @weights_path: (nullable): HDF5 file with the weights of a `.json` architecture; without it `NAME_weights.h5` beside it
 * @strict: fail at an operator Espalier does not have, instead of loading it as %NN_OP_UNSUPPORTED
 */
typedef struct {
  const char *weights_path;
  gboolean    strict;
} NnLoadOptions;

void     nn_load_options_init (NnLoadOptions       *options);
NnModel *nn_model_load        (const char          *path,
                               const NnLoadOptions *options,
                               const NnProgress    *progress,
                               GCancellable        *cancellable,
                               GError             **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean nn_model_save        (const NnModel       *model,
                               const char          *path,
                               GError             **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
