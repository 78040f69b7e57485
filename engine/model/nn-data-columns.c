/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays whose first axis runs fastest, as MATLAB and Fortran keep them, served row by row where they lie: nothing is turned
 * in memory. */

#include "nn-data-private.h"

/* Rows after which the pages that were looked at are given back, in numbers. */
#define RELEASE_AFTER (1u << 22)

typedef struct {
  NnArrayReader   reader;
  NnDataColumns   columns; /* owned: its source */
  NnShape         file;    /* extents as the file has them, the fastest first */
  gsize          *at;      /* owned: per number of a row, how far it lies from the row's begin */
  gsize           step;    /* from one row to the next */
  gsize           next;    /* row */
  gsize           seen;    /* numbers since pages were given back */
} ColumnReader;

/* @rows: the axis that counts the samples, the first or the last. */
static void
lay_out (ColumnReader *reader,
         guint         rows)
{
  const NnShape *file = &reader->file;
  gsize strides[NN_MAX_RANK] = { 0 }, stride = 1, n = 1, index[NN_MAX_RANK] = { 0 };
  NnShape shape = { .rank = file->rank };
  guint others[NN_MAX_RANK], n_others = 0;

  for (guint d = 0; d < file->rank; d++)
    {
      strides[d] = stride;
      stride *= (gsize) file->dims[d];
      if (d != rows)
        {
          others[n_others++] = d;
          shape.dims[n_others] = file->dims[d];
          n *= (gsize) file->dims[d];
        }
    }
  shape.dims[0] = file->dims[rows];
  reader->reader.shape = shape;
  reader->step = strides[rows];
  g_free (reader->at);
  reader->at = g_new0 (gsize, n + 1);
  for (gsize k = 0; k < n; k++)
    {
      for (guint o = 0; o < n_others; o++)
        reader->at[k] += index[o] * strides[others[o]];
      for (guint o = n_others; o > 0 && ++index[o - 1] == (gsize) file->dims[others[o - 1]]; o--)
        index[o - 1] = 0;
    }
}

static gboolean
column_read (NnArrayReader *base,
             gsize          count,
             double        *values,
             GError       **error)
{
  ColumnReader *reader = (ColumnReader *) base;
  gsize row = nn_array_reader_row (base);

  for (gsize k = 0; k < row; k++)
    for (gsize i = 0; i < count; i++)
      values[i * row + k] = reader->columns.load (reader->columns.source, reader->at[k] + (reader->next + i) * reader->step);
  reader->next += count;
  reader->seen += count * row;
  if (reader->seen >= RELEASE_AFTER && reader->columns.release != NULL)
    {
      reader->columns.release (reader->columns.source);
      reader->seen = 0;
    }
  return TRUE;
}

static gboolean
column_turn (NnArrayReader *base)
{
  ColumnReader *reader = (ColumnReader *) base;

  if (reader->file.rank < 2 || reader->next > 0)
    return FALSE;
  lay_out (reader, reader->file.rank - 1);
  return TRUE;
}

static void
column_free (NnArrayReader *base)
{
  ColumnReader *reader = (ColumnReader *) base;

  reader->columns.free (reader->columns.source);
  g_free (reader->at);
  g_free (reader);
}

NnArrayReader *
nn_array_reader_columns (const NnShape       *shape,
                         const NnDataColumns *columns)
{
  ColumnReader *reader = g_new0 (ColumnReader, 1);

  reader->columns = *columns;
  reader->file = *shape;
  reader->reader.read = column_read;
  reader->reader.turn = column_turn;
  reader->reader.free = column_free;
  lay_out (reader, 0);
  return &reader->reader;
}

static double
load_tensor (gpointer tensor,
             gsize    i)
{
  return nn_tensor_get (tensor, i);
}

static void
release_tensor (gpointer tensor)
{
  nn_tensor_release (tensor, 0, ((NnTensor *) tensor)->n);
}

NnArrayReader *
nn_array_reader_fortran (NnTensor      *tensor,
                         const NnShape *shape)
{
  const NnDataColumns columns = { load_tensor, release_tensor, (GDestroyNotify) nn_tensor_unref, tensor };

  return nn_array_reader_columns (shape, &columns);
}
