/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the verbs read labelled data. */

#include "cli-data.h"

NnDataset *
cli_read_data (Cli                 *cli,
               const char          *spec,
               const NnDataOptions *options,
               gboolean             raw,
               NnModel            **model,
               GError             **error)
{
  g_autoptr (NnDataset) data = nn_dataset_load (spec, options, &cli->progress, cli->cancellable, error);
  g_autoptr (NnModel) old = NULL;

  if (data == NULL)
    return NULL;
  old = *model;
  *model = nn_dataset_label_model (data, old);
  return raw ? g_steal_pointer (&data) : nn_dataset_for_model (data, *model, error);
}
