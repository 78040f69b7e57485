/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labelled data, and batches of it. */

#include "nn-dataset-private.h"

#include "nn-error.h"

#include <string.h>

G_DEFINE_BOXED_TYPE (NnDataset, nn_dataset, nn_dataset_ref, nn_dataset_unref)

/**
 * nn_dataset_new:
 * @x: (n, ...): inputs
 * @y: (n), (n, 1) or (n, k): class indices, one-hot rows or numbers to be met
 * @class_names: (nullable): names of the classes
 * @options: (nullable): `validation`, `standardize` and `seed` count
 *
 * Errors: %NN_ERROR_SHAPE, %NN_ERROR_NUMERIC
 *
 * Returns: (transfer full): the data set
 */
NnDataset *
nn_dataset_new (NnTensor            *x,
                NnTensor            *y,
                const char *const   *class_names,
                const NnDataOptions *options,
                GError             **error)
{
  NnDataPart part = { .split = NN_SPLIT_TRAIN };
  g_autoptr (NnArrayReader) labels = NULL;

  if (x->shape.rank == 0 || y->shape.rank == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "data need an axis of samples");
      return NULL;
    }
  labels = nn_array_reader_tensor (y);
  if (!nn_targets_read (&part.y, labels, NULL, NULL, error))
    {
      nn_data_part_clear (&part);
      return NULL;
    }
  part.x = nn_array_reader_tensor (x);
  part.x_name = g_strdup ("the array of inputs");
  part.y_name = g_strdup ("the array of labels");
  return nn_dataset_build (&part, 1, class_names, "memory", options, NULL, NULL, error);
}

NnDataset *
nn_dataset_ref (NnDataset *data)
{
  g_atomic_ref_count_inc (&data->ref_count);
  return data;
}

void
nn_dataset_unref (NnDataset *data)
{
  if (data == NULL || !g_atomic_ref_count_dec (&data->ref_count))
    return;
  for (guint s = 0; s < NN_N_SPLITS; s++)
    {
      nn_tensor_unref (data->x[s]);
      nn_tensor_unref (data->y[s]);
    }
  g_strfreev (data->kind.names);
  g_free (data->source);
  g_free (data->hash);
  nn_tensor_unref (data->mean);
  nn_tensor_unref (data->deviation);
  g_free (data);
}

NnTensor *
nn_dataset_x (const NnDataset *data,
              NnSplit          split)
{
  return data->x[split];
}

NnTensor *
nn_dataset_y (const NnDataset *data,
              NnSplit          split)
{
  return data->y[split];
}

gsize
nn_dataset_n (const NnDataset *data,
              NnSplit          split)
{
  return data->x[split]->shape.dims[0];
}

gboolean
nn_dataset_is_classes (const NnDataset *data)
{
  return data->kind.is_classes;
}

/* (nullable): %NULL where the classes have no names */
const char *const *
nn_dataset_class_names (const NnDataset *data)
{
  return (const char *const *) data->kind.names;
}

const char *
nn_dataset_source (const NnDataset *data)
{
  return data->source;
}

/* SHA-256 of inputs, targets and class names, before the split and standardisation, in hexadecimal. */
const char *
nn_dataset_hash (const NnDataset *data)
{
  return data->hash;
}

/* (nullable): per feature (last axis), %NN_DTYPE_F64; %NULL where the data were not standardised */
NnTensor *
nn_dataset_mean (const NnDataset *data)
{
  return data->mean;
}

NnTensor *
nn_dataset_deviation (const NnDataset *data)
{
  return data->deviation;
}

static NnTensor *
gather (const NnTensor *from,
        const guint32  *rows,
        gsize           first,
        gsize           count)
{
  NnShape shape = from->shape;
  gsize row = nn_tensor_row_size (from);
  NnTensor *to;

  shape.dims[0] = count;
  to = nn_tensor_new (from->dtype, &shape);
  for (gsize i = 0; i < count; i++)
    {
      gsize r = rows != NULL ? rows[i] : first + i;

      g_assert (r < (gsize) from->shape.dims[0]);
      memcpy (nn_tensor_f32 (to) + i * row, nn_tensor_f32 (from) + r * row, row * sizeof (float));
    }
  return to;
}

/**
 * nn_dataset_read_batch:
 * @rows: (nullable) (array length=count): rows of the part
 * @x: (out) (optional) (transfer full): inputs
 * @y: (out) (optional) (transfer full): targets
 */
void
nn_dataset_read_batch (const NnDataset *data,
                       NnSplit          split,
                       const guint32   *rows,
                       gsize            first,
                       gsize            count,
                       NnTensor       **x,
                       NnTensor       **y)
{
  if (x != NULL)
    *x = gather (data->x[split], rows, first, count);
  if (y != NULL)
    *y = gather (data->y[split], rows, first, count);
}
