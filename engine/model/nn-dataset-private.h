/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From opened arrays to a data set. */

#pragma once

#include "nn-data-targets.h"

G_BEGIN_DECLS

/* One part as the source has it. */
typedef struct {
  NnSplit        split;
  char          *x_name; /* owned: what messages call the inputs */
  char          *y_name; /* owned */
  NnArrayReader *x;      /* owned */
  NnTargets      y;      /* owned */
} NnDataPart;

void       nn_data_part_clear (NnDataPart          *part);
/* Puts an array's name before the message, once. */
void       nn_data_name_array (GError             **error,
                               const char          *name);
/* @parts: at most one of each split, the training part first; consumed whatever happens. */
NnDataset *nn_dataset_build   (NnDataPart          *parts,
                               guint                n_parts,
                               const char *const   *class_names,
                               const char          *source,
                               const NnDataOptions *options,
                               const NnProgress    *progress,
                               GCancellable        *cancellable,
                               GError             **error);

G_END_DECLS
