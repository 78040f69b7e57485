/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labelled data: inputs, targets and which part of them is for what. Sealed and shared. */

#pragma once

#include "nn-model.h"
#include "nn-progress.h"
#include "nn-tensor.h"

G_BEGIN_DECLS

typedef enum {
  NN_SPLIT_TRAIN,
  NN_SPLIT_VALIDATION,
  NN_SPLIT_TEST,
  NN_N_SPLITS
} NnSplit;

/**
 * NnDataOptions:
 * @x: (nullable): name of the array of inputs, where a file holds several; of a table: the columns, with commas between
 * @y: (nullable): name of the array of targets
 * @label: (nullable): name of a table's label column; the last without it
 * @validation: fraction of the training part set aside where the file has no validation part (default 0.2)
 * @test: fraction set aside for the test where the file has no test part (default 0)
 * @limit: most rows taken of the part that is divided, chosen at random as the parts are; 0 for all
 * @divide: inputs are divided by this (255 for pictures of bytes); 0 and 1 leave them alone. Nothing is scaled unasked
 * @standardize: whether to learn mean and deviation of every feature on the training part and apply them to all
 * @seed: of the split
 * @memory_limit: inputs of more bytes than this live in a temporary file that is mapped into memory, so that they need
 *   not fit, or where they lie as they are wanted, in the file itself; 0 for an eighth of the machine's memory
 */
typedef struct {
  const char *x;
  const char *y;
  const char *label;
  double      validation;
  double      test;
  guint64     limit;
  double      divide;
  gboolean    standardize;
  guint64     seed;
  guint64     memory_limit;
} NnDataOptions;

/**
 * NnDataEntry: an array that a data file offers, or a column of a table.
 * @name: as it can be asked for in #NnDataOptions
 * @shape: of the whole array, rows first
 * @type: of its elements, for people: "float32", "integer", "text", ...
 * @first: (nullable): the first numbers in it, where nn_data_peek() has looked
 * @first_texts: (nullable) (array zero-terminated=1): or the first words
 * @n_first: how many
 * @is_column: of a table
 * @is_label: the column that is taken for the labels where nobody says which
 * @problem: (nullable): why it cannot be read; then there is no shape
 */
typedef struct {
  char       *name;
  NnShape     shape;
  const char *type;
  double     *first;
  char      **first_texts;
  guint       n_first;
  gboolean    is_column, is_label;
  char       *problem;
} NnDataEntry;

typedef struct _NnDataset NnDataset;

#define NN_TYPE_DATASET (nn_dataset_get_type ())
GType nn_dataset_get_type (void);

void               nn_data_options_init   (NnDataOptions       *options);
/* With words of its own; of %NULL %NULL. */
NnDataOptions     *nn_data_options_copy   (const NnDataOptions *options);
void               nn_data_options_free   (NnDataOptions       *options);
/* All but the seed and the memory: how the same data are read again. */
char              *nn_data_options_to_json   (const NnDataOptions *options) G_GNUC_MALLOC;
/* (transfer full) (nullable): what is not there is as usual; %NULL where @json is none */
NnDataOptions     *nn_data_options_from_json (const char          *json);
NnDataset         *nn_dataset_load        (const char          *spec,
                                           const NnDataOptions *options,
                                           const NnProgress    *progress,
                                           GCancellable        *cancellable,
                                           GError             **error) G_GNUC_WARN_UNUSED_RESULT;
NnDataset         *nn_dataset_new         (NnTensor            *x,
                                           NnTensor            *y,
                                           const char *const   *class_names,
                                           const NnDataOptions *options,
                                           GError             **error) G_GNUC_WARN_UNUSED_RESULT;
NnDataset         *nn_dataset_ref         (NnDataset           *data);
void               nn_dataset_unref       (NnDataset           *data);

/* Inputs (n, ...) and targets of a part, float32; targets are one-hot (n, classes) for a classifier, (n, outputs) for
 * a regression. (transfer none); a part that is not there has no rows. */
NnTensor          *nn_dataset_x           (const NnDataset     *data,
                                           NnSplit              split);
NnTensor          *nn_dataset_y           (const NnDataset     *data,
                                           NnSplit              split);
gsize              nn_dataset_n           (const NnDataset     *data,
                                           NnSplit              split);
gboolean           nn_dataset_is_classes  (const NnDataset     *data);
const char *const *nn_dataset_class_names (const NnDataset     *data);
const char        *nn_dataset_source      (const NnDataset     *data);
const char        *nn_dataset_hash        (const NnDataset     *data);
NnTensor          *nn_dataset_mean        (const NnDataset     *data);
NnTensor          *nn_dataset_deviation   (const NnDataset     *data);

/* A batch: rows @rows[0], ... of a part, or @count rows from @first when @rows is NULL. Standardised as all the rest. What
 * lies in a mapped file is read from there, so this never needs more memory than the batch. */
void               nn_dataset_read_batch  (const NnDataset     *data,
                                           NnSplit              split,
                                           const guint32       *rows,
                                           gsize                first,
                                           gsize                count,
                                           NnTensor           **x,
                                           NnTensor           **y);
/* Targets as a network with @n_outputs outputs wants them: two one-hot columns become one for one output. */
NnTensor          *nn_dataset_targets     (const NnTensor      *y,
                                           gboolean             is_classes,
                                           gsize                n_outputs,
                                           GError             **error) G_GNUC_WARN_UNUSED_RESULT;

/* (x - mean) / deviation for every feature (last axis): raw data as a network wants them that was trained on
 * standardised ones (NnModelInfo). (transfer full) */
NnTensor          *nn_dataset_standardize (const NnTensor      *x,
                                           const NnTensor      *mean,
                                           const NnTensor      *deviation,
                                           GError             **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for all parts of a data set. (transfer full) */
NnDataset         *nn_dataset_with_standard (const NnDataset   *data,
                                           NnTensor            *mean,
                                           NnTensor            *deviation,
                                           GError             **error) G_GNUC_WARN_UNUSED_RESULT;

/* A network and data that go together. Raw data are standardised by the figures that the network carries, if any; a network takes the
 * figures that data were standardised by, and the names of their classes. (transfer full) */
NnDataset         *nn_dataset_for_model   (NnDataset           *data,
                                           const NnModel       *model,
                                           GError             **error) G_GNUC_WARN_UNUSED_RESULT;
NnModel           *nn_dataset_label_model (const NnDataset     *data,
                                           NnModel             *model);

/* What a file holds, for the dialog that chooses. (element-type NnDataEntry) */
GPtrArray         *nn_data_list           (const char          *path,
                                           const NnProgress    *progress,
                                           GCancellable        *cancellable,
                                           GError             **error) G_GNUC_WARN_UNUSED_RESULT;
/* Adds the first numbers or words of each array, for a preview; an array that cannot be read has none. */
void               nn_data_peek           (const char          *path,
                                           GPtrArray           *entries,
                                           guint                n,
                                           GCancellable        *cancellable);
void               nn_data_entry_free     (NnDataEntry         *entry);

/* Single arrays. */
NnTensor *nn_npy_read     (const char      *path,
                           GError         **error) G_GNUC_WARN_UNUSED_RESULT;
NnTensor *nn_npy_parse    (const guint8    *bytes,
                           gsize            n_bytes,
                           GError         **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean  nn_npy_write    (const NnTensor  *tensor,
                           const char      *path,
                           GError         **error) G_GNUC_WARN_UNUSED_RESULT;

/* A file's rows, a few at a time. */
typedef struct _NnNpyRows NnNpyRows;

NnNpyRows     *nn_npy_rows_new   (const char      *path,
                                  GError         **error) G_GNUC_WARN_UNUSED_RESULT;
const NnShape *nn_npy_rows_shape (const NnNpyRows *rows);
NnTensor      *nn_npy_rows_read  (NnNpyRows       *rows,
                                  gsize            count,
                                  GError         **error) G_GNUC_WARN_UNUSED_RESULT;
void           nn_npy_rows_free  (NnNpyRows       *rows);

GByteArray *nn_npy_format      (const NnTensor     *tensor);
GByteArray *nn_npy_format_text (const char *const  *words);
/* An archive of arrays, and of class names where there are any. */
gboolean    nn_npz_write       (const char         *path,
                                const char *const  *names,       /* (zero-terminated) */
                                NnTensor *const    *arrays,      /* as many */
                                const char *const  *class_names, /* (nullable) */
                                GError            **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same piece by piece, for arrays that are never in memory as a whole. */
typedef struct _NnNpyWriter NnNpyWriter;

NnNpyWriter *nn_npy_writer_new    (const char      *path,
                                   NnDtype          dtype,
                                   const NnShape   *shape,
                                   GError         **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean     nn_npy_writer_append (NnNpyWriter     *writer,
                                   const NnTensor  *tensor,
                                   GError         **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean     nn_npy_writer_close  (NnNpyWriter     *writer,
                                   GError         **error) G_GNUC_WARN_UNUSED_RESULT;
void         nn_npy_writer_free   (NnNpyWriter     *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnNpyWriter, nn_npy_writer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnNpyRows, nn_npy_rows_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnDataset, nn_dataset_unref)

G_END_DECLS
