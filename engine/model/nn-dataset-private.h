/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data set from within, and how one is made of opened arrays. */

#pragma once

#include "nn-data-targets.h"

G_BEGIN_DECLS

/* Numbers after which the pages of data that lie in a file are given back. */
#define NN_DATA_RELEASE_AFTER (1u << 22)

struct _NnDataset {
  gatomicrefcount ref_count;
  NnTensor       *x[NN_N_SPLITS]; /* owned */
  NnTensor       *y[NN_N_SPLITS]; /* owned */
  NnTargetKind    kind;           /* owned */
  char           *source;         /* owned */
  char           *hash;           /* owned */
  NnTensor       *mean;           /* owned, nullable */
  NnTensor       *deviation;      /* owned, nullable */
};

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

/* Learns mean and deviation on the training part and applies them to all parts. */
void       nn_dataset_learn_standard (NnDataset    *data);

G_END_DECLS
