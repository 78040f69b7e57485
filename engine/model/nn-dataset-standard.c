/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mean and deviation of every feature: learnt on the training part, applied to all. */

#include "nn-dataset-private.h"

#include "nn-error.h"

#include <math.h>

/* A spread below this, relative to the feature's largest value, is a constant feature. */
#define CONSTANT_FEATURE 1e-12

/* Gives back pages on the way through a tensor, element by element. */
static void
release_after (const NnTensor *tensor,
               gsize           i)
{
  if ((i + 1) % NN_DATA_RELEASE_AFTER == 0)
    nn_tensor_release (tensor, i + 1 - NN_DATA_RELEASE_AFTER, NN_DATA_RELEASE_AFTER);
}

/* Mean and deviation of every feature over the training part; of a constant feature the deviation is 1. */
static void
learn_scale (NnDataset *data)
{
  NnTensor *x = data->x[NN_SPLIT_TRAIN];
  gint64 width = x->shape.rank > 1 ? nn_shape_last (&x->shape) : 1;
  gsize n = x->n / MAX (width, 1);
  const float *values = nn_tensor_f32 (x);
  double *mean, *deviation;

  data->mean = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (width));
  data->deviation = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (width));
  mean = nn_tensor_f64 (data->mean);
  deviation = nn_tensor_f64 (data->deviation);
  for (gsize i = 0; i < n * width; i++)
    {
      mean[i % width] += values[i];
      release_after (x, i);
    }
  for (gint64 k = 0; k < width; k++)
    mean[k] /= MAX (n, 1);
  for (gsize i = 0; i < n * width; i++)
    {
      double d = values[i] - mean[i % width];

      deviation[i % width] += d * d;
      release_after (x, i);
    }
  for (gint64 k = 0; k < width; k++)
    {
      deviation[k] = sqrt (deviation[k] / MAX (n, 1));
      if (!(deviation[k] > CONSTANT_FEATURE * fabs (mean[k])))
        deviation[k] = 1;
    }
}

void
nn_dataset_learn_standard (NnDataset *data)
{
  learn_scale (data);
  for (guint s = 0; s < NN_N_SPLITS; s++)
    {
      float *values = nn_tensor_f32 (data->x[s]);
      gsize width = data->mean->n;

      for (gsize i = 0; i < data->x[s]->n; i++)
        {
          values[i] = (values[i] - nn_tensor_f64 (data->mean)[i % width]) / nn_tensor_f64 (data->deviation)[i % width];
          release_after (data->x[s], i);
        }
    }
}

/**
 * nn_dataset_standardize:
 *
 * Errors: %NN_ERROR_SHAPE when the last axis of @x has another number of features
 *
 * Returns: (transfer full): %NN_DTYPE_F32
 */
NnTensor *
nn_dataset_standardize (const NnTensor *x,
                        const NnTensor *mean,
                        const NnTensor *deviation,
                        GError        **error)
{
  gsize width = x->shape.rank > 1 ? nn_shape_last (&x->shape) : 1;
  NnTensor *result;

  if (mean->n != width || deviation->n != width)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                   "the standardisation is for %" G_GSIZE_FORMAT " features, but the data have %" G_GSIZE_FORMAT, mean->n,
                   width);
      return NULL;
    }
  /* as the inputs lie, in memory or in a file */
  result = nn_data_tensor_new (NN_DTYPE_F32, &x->shape, error);
  for (gsize i = 0; result != NULL && i < x->n; i++)
    nn_tensor_f32 (result)[i] = (nn_tensor_get (x, i) - nn_tensor_get (mean, i % width)) / nn_tensor_get (deviation, i % width);
  return result;
}

/**
 * nn_dataset_with_standard:
 * @mean: one a feature
 * @deviation: the same
 *
 * Errors: %NN_ERROR_SHAPE when the inputs have another number of features
 *
 * Returns: (transfer full): the same data with inputs standardised by given figures, as a network carries them
 */
NnDataset *
nn_dataset_with_standard (const NnDataset *data,
                          NnTensor        *mean,
                          NnTensor        *deviation,
                          GError         **error)
{
  g_autoptr (NnDataset) result = g_new0 (NnDataset, 1);

  g_atomic_ref_count_init (&result->ref_count);
  result->kind = data->kind;
  result->kind.names = g_strdupv (data->kind.names);
  result->source = g_strdup (data->source);
  result->hash = g_strdup (data->hash);
  result->mean = nn_tensor_ref (mean);
  result->deviation = nn_tensor_ref (deviation);
  for (guint s = 0; s < NN_N_SPLITS; s++)
    {
      if (data->y[s] != NULL)
        result->y[s] = nn_tensor_ref (data->y[s]);
      if (data->x[s] != NULL && (result->x[s] = nn_dataset_standardize (data->x[s], mean, deviation, error)) == NULL)
        return NULL;
    }
  return g_steal_pointer (&result);
}

NnDataset *
nn_dataset_for_model (NnDataset     *data,
                      const NnModel *model,
                      GError       **error)
{
  const NnModelInfo *info = nn_model_info (model);

  if (data->mean != NULL || info->input_mean == NULL || info->input_deviation == NULL)
    return nn_dataset_ref (data);
  return nn_dataset_with_standard (data, info->input_mean, info->input_deviation, error);
}

NnModel *
nn_dataset_label_model (const NnDataset *data,
                        NnModel         *model)
{
  NnModelInfo info = *nn_model_info (model);

  if (data->mean == NULL && data->kind.names == NULL)
    return nn_model_ref (model);
  if (data->mean != NULL)
    {
      info.input_mean = data->mean;
      info.input_deviation = data->deviation;
    }
  if (data->kind.names != NULL)
    info.class_names = (const char *const *) data->kind.names;
  return nn_model_with_info (model, &info);
}
