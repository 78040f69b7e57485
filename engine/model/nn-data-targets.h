/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What labels mean: class indices, class names, one-hot rows, or numbers to be met. */

#pragma once

#include "nn-data-private.h"

G_BEGIN_DECLS

/**
 * NnTargets: the labels of one part of a data set, as read.
 * @n: rows
 * @width: numbers a row, 1 for text
 * @values: (owned) (nullable): n x width
 * @texts: (owned) (nullable): n strings, each of them in @words
 * @words: (owned) (nullable): every word once
 */
typedef struct {
  gsize   n;
  gsize   width;
  double *values;
  char  **texts;
  GStringChunk *words;
} NnTargets;

/**
 * NnTargetKind: what was found out about all parts together.
 * @is_classes: whether rows are classes
 * @n_classes: columns of the one-hot targets, or outputs of a regression
 * @names: (owned) (nullable) (array zero-terminated=1): class names
 * @is_one_hot: whether the file has one-hot rows already
 * @from_one: whether its class indices are counted from 1
 */
typedef struct {
  gboolean is_classes;
  gsize    n_classes;
  char   **names;
  gboolean is_one_hot;
  gboolean from_one;
} NnTargetKind;

gboolean nn_targets_read    (NnTargets          *targets,
                             NnArrayReader      *reader,
                             const NnProgress   *progress,
                             GCancellable       *cancellable,
                             GError            **error);
void     nn_targets_clear   (NnTargets          *targets);
gboolean nn_target_kind_init (NnTargetKind      *kind,
                             const NnTargets    *parts,
                             guint               n_parts,
                             const char *const  *names,
                             GError            **error);
/* Class of row @i. */
gsize    nn_target_class    (const NnTargetKind *kind,
                             const NnTargets    *targets,
                             gsize               i);
/* Writes row @i as it stands in the data set. */
void     nn_target_row      (const NnTargetKind *kind,
                             const NnTargets    *targets,
                             gsize               i,
                             float              *row);

G_END_DECLS
