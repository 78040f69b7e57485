/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers of data files share: an array that gives its rows one after the other. */

#pragma once

#include "nn-dataset.h"

G_BEGIN_DECLS

/* The most bytes that deflate makes of one (1032), rounded up: an array that claims more than this is a lie. */
#define NN_DATA_MAX_EXPANSION 1100
/* Rows are handed on in pieces of about so many numbers. */
#define NN_DATA_PIECE 65536

typedef struct _NnArrayReader NnArrayReader;

/**
 * NnArrayReader:
 * @shape: of the whole array, rows first; at least one axis
 * @is_text: whether elements are strings; then the shape has one axis and @read_text serves
 * @read: the next @count rows
 * @read_text: the next @count strings; (transfer full)
 * @turn: (nullable): takes the last axis for that of the samples, as MATLAB's pictures lie; FALSE where there is no such axis
 * @whole: (nullable): all rows as float32 where they lie in the file as such, or %NULL; instead of reading
 * @free: releases the reader itself
 */
struct _NnArrayReader {
  NnShape  shape;
  gboolean is_text;
  gboolean (*read)      (NnArrayReader *reader,
                         gsize          count,
                         double        *values,
                         GError       **error);
  gboolean (*read_text) (NnArrayReader *reader,
                         gsize          count,
                         char         **values,
                         GError       **error);
  gboolean (*turn)      (NnArrayReader *reader);
  NnTensor *(*whole)    (NnArrayReader *reader);
  void     (*free)      (NnArrayReader *reader);
};

void           nn_array_reader_free   (NnArrayReader   *reader);
gsize          nn_array_reader_row    (const NnArrayReader *reader);
/* Serves the rows of a tensor that is in memory; @first as the row to begin with. */
NnArrayReader *nn_array_reader_tensor (NnTensor        *tensor);
NnArrayReader *nn_array_reader_texts  (char           **texts); /* (transfer full) */

/**
 * NnDataColumns: numbers that lie with the first axis running fastest
 * @load: the number at a place
 * @release: (nullable): gives back memory that was looked at
 * @free: of the source
 */
typedef struct {
  double       (*load)    (gpointer source, gsize i);
  void         (*release) (gpointer source);
  GDestroyNotify free;
  gpointer       source; /* owned */
} NnDataColumns;

/* @columns: its source is owned from now on. */
NnArrayReader *nn_array_reader_columns (const NnShape       *shape,
                                        const NnDataColumns *columns);
/* @tensor: (transfer full): numbers in the order of a file whose first axis runs fastest; @shape as the array is meant. */
NnArrayReader *nn_array_reader_fortran (NnTensor            *tensor,
                                        const NnShape       *shape);

/* Bytes of inputs that are kept in memory. */
guint64        nn_data_memory_limit    (const NnDataOptions *options);
/* A tensor in memory, or in a mapped file where memory should not hold it. */
NnTensor      *nn_data_tensor_new      (NnDtype              dtype,
                                        const NnShape       *shape,
                                        GError             **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnArrayReader, nn_array_reader_free)

/* NumPy's format from any stream of bytes. @fetch gives up to @n bytes, 0 at the end, -1 with an error. */
typedef gssize (*NnFetch) (gpointer  source,
                           guint8   *to,
                           gsize     n,
                           GError  **error);

typedef struct _NnNpy NnNpy;

/* @limit: bytes the stream can give at most, header included. @free_source is called in any case. */
NnNpy         *nn_npy_open     (NnFetch          fetch,
                                gpointer         source,
                                GDestroyNotify   free_source,
                                guint64          limit,
                                GError         **error);
void           nn_npy_free     (NnNpy           *npy);
NnTensor      *nn_npy_tensor   (NnNpy           *npy,
                                GError         **error);
gboolean       nn_npy_is_rows  (const NnNpy     *npy);
const NnShape *nn_npy_shape    (const NnNpy     *npy);
/* The next @count rows in the array's own type; where nn_npy_is_rows(). */
NnTensor      *nn_npy_rows     (NnNpy           *npy,
                                gsize            count,
                                GError         **error);
NnArrayReader *nn_npy_reader   (NnNpy           *npy, /* (transfer full) */
                                GError         **error);
NnDataEntry   *nn_npy_entry    (const NnNpy     *npy,
                                const char      *name);
NnNpy         *nn_npy_open_file (const char     *path,
                                 GError        **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnNpy, nn_npy_free)

NnDataEntry   *nn_data_entry_new (const char      *name,
                                  const NnShape   *shape,
                                  const char      *type);

/* What is in the file but cannot be read, and why. */
NnDataEntry   *nn_data_entry_unreadable (const char   *name,
                                         const char   *problem);

/* One pair of functions for each format. @name may be NULL where a file holds one array. */
GPtrArray     *nn_data_npz_list  (const char *path, GError **error);
NnArrayReader *nn_data_npz_open  (const char *path, const char *name, GError **error);
GPtrArray     *nn_data_hdf5_list (const char *path, GError **error);
NnArrayReader *nn_data_hdf5_open (const char *path, const char *name, GError **error);
/* As MATLAB keeps arrays in HDF5: all axes in the other order. */
NnArrayReader *nn_data_hdf5_open_turned (const char *path, const char *name, GError **error);
GPtrArray     *nn_data_csv_list  (const char *path, GError **error);
NnArrayReader *nn_data_csv_open  (const char *path, const char *name, GError **error);

/* A table that was gone through once; what is read of it afterwards knows its columns and how many rows there are. */
typedef struct _NnCsvTable NnCsvTable;

NnCsvTable    *nn_data_csv_scan  (const char       *path,
                                  const NnProgress *progress,
                                  GCancellable     *cancellable,
                                  GError          **error);
void           nn_data_csv_table_unref (NnCsvTable *table);
/* Its columns. (transfer full) */
GPtrArray     *nn_data_csv_entries (const NnCsvTable *table);
/* Which of them has the labels, where nobody says so. */
const char    *nn_data_csv_label  (const NnCsvTable *table);
/* The columns that @names lists with commas between, or all, without those that @but lists. */
NnArrayReader *nn_data_csv_reader (NnCsvTable      *table,
                                   const char      *names,
                                   const char      *but,
                                   GError         **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnCsvTable, nn_data_csv_table_unref)

GPtrArray     *nn_data_idx_list  (const char *path, GError **error);
NnArrayReader *nn_data_idx_open  (const char *path, const char *name, GError **error);
GPtrArray     *nn_data_mat_list  (const char *path, GError **error);
NnArrayReader *nn_data_mat_open  (const char *path, const char *name, GError **error);
GPtrArray     *nn_data_mat73_list (const char *path, GError **error);
NnArrayReader *nn_data_mat73_open (const char *path, const char *name, GError **error);

typedef enum {
  NN_DATA_FORMAT_NPY,
  NN_DATA_FORMAT_NPZ,
  NN_DATA_FORMAT_HDF5,
  NN_DATA_FORMAT_MAT,
  NN_DATA_FORMAT_IDX,
  NN_DATA_FORMAT_CSV,
} NnDataFormat;

/* The format is told by the file's first bytes. */
gboolean       nn_data_format    (const char *path, NnDataFormat *format, GError **error);
/* Names and shapes of a file's arrays, for messages. (element-type NnDataEntry) (transfer full) */
char          *nn_data_names     (GPtrArray  *entries);
NnArrayReader *nn_data_open      (const char *path, const char *name, GError **error);

G_END_DECLS
