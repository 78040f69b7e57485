/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labelled data: split, standardised, hashed. */

#include "nn-dataset-private.h"

#include "nn-error.h"
#include "nn-rng.h"
#include "nn-text.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_VALIDATION 0.2
/* Numbers after which the pages of data that lie in a file are given back. */
#define RELEASE_AFTER (1u << 22)
/* A spread below this, relative to the feature's largest value, is a constant feature. */
#define CONSTANT_FEATURE 1e-12

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

G_DEFINE_BOXED_TYPE (NnDataset, nn_dataset, nn_dataset_ref, nn_dataset_unref)

/* What is needed while one is made. */
typedef struct {
  NnDataset        *data;        /* borrowed */
  NnDataPart       *parts;
  guint             n_parts;
  guint8           *aside;       /* owned: per row of the training part, whether it is for validation */
  GChecksum        *checksum;    /* owned */
  const NnDataOptions *options;
  const NnProgress *progress;
  GCancellable     *cancellable;
  gsize             n_rows, done;
  gboolean          in_place;    /* the inputs lie in the source's own file */
} Build;

void
nn_data_options_init (NnDataOptions *options)
{
  *options = (NnDataOptions){ .validation = DEFAULT_VALIDATION, .seed = 1 };
}

void
nn_data_part_clear (NnDataPart *part)
{
  nn_array_reader_free (part->x);
  nn_targets_clear (&part->y);
  g_clear_pointer (&part->x_name, g_free);
  g_clear_pointer (&part->y_name, g_free);
  part->x = NULL;
}

/* Marks @count of the rows @rows, chosen by @rng. */
static void
set_aside (guint32 *rows,
           gsize    n,
           double   fraction,
           NnRng   *rng,
           guint8  *aside)
{
  gsize count = (gsize) floor (fraction * n + 0.5);

  nn_rng_shuffle (rng, rows, n);
  for (gsize i = 0; i < count; i++)
    aside[rows[i]] = 1;
}

/* A fraction of each class, so that the parts are alike; rows keep their order. */
static void
split_training_part (Build *build)
{
  const NnTargets *y = &build->parts[0].y;
  const NnTargetKind *kind = &build->data->kind;
  gsize n_groups = kind->is_classes ? kind->n_classes : 1;
  g_autofree guint32 *rows = g_new (guint32, y->n + 1);
  g_autofree guint32 *group = g_new0 (guint32, y->n + 1);
  g_autofree gsize *first = g_new0 (gsize, n_groups + 2);
  NnRng rng;

  nn_rng_init (&rng, build->options->seed);
  for (gsize i = 0; i < y->n; i++)
    {
      group[i] = kind->is_classes ? nn_target_class (kind, y, i) : 0;
      first[group[i] + 2]++;
    }
  for (gsize c = 0; c < n_groups; c++)
    first[c + 2] += first[c + 1];
  for (gsize i = 0; i < y->n; i++)
    rows[first[group[i] + 1]++] = i;
  for (gsize c = 0; c < n_groups; c++)
    set_aside (rows + first[c], first[c + 1] - first[c], build->options->validation, &rng, build->aside);
}

/* Without the axis of samples, for people. */
static char *
sample_shape (const NnShape *rows)
{
  NnShape shape = { .rank = rows->rank - 1 };

  memcpy (shape.dims, rows->dims + 1, shape.rank * sizeof *shape.dims);
  return shape.rank > 0 ? nn_shape_to_string (&shape) : g_strdup ("1");
}

static void
parts_differ (const NnDataPart *one,
              const NnDataPart *other,
              GError          **error)
{
  g_autofree char *first = sample_shape (&one->x->shape), *second = sample_shape (&other->x->shape);

  g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "a sample of %s has the shape %s, but one of %s %s; the parts must be alike", one->x_name,
               first, other->x_name, second);
}

static gboolean
check_parts (Build   *build,
             GError **error)
{
  const NnShape *shape = &build->parts[0].x->shape;

  for (guint p = 0; p < build->n_parts; p++)
    {
      const NnDataPart *part = &build->parts[p];
      NnShape other = part->x->shape;

      if (part->x->is_text)
        g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s is text; inputs are numbers", part->x_name);
      else if ((gsize) other.dims[0] != part->y.n)
        g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                     "%s has %" G_GINT64_FORMAT " samples, but %s %" G_GSIZE_FORMAT " labels; one for each sample is expected",
                     part->x_name, other.dims[0], part->y_name, part->y.n);
      else if (part->y.n >= G_MAXUINT32)
        g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "more than 4 294 967 294 samples are not supported");
      else
        {
          other.dims[0] = shape->dims[0];
          if (nn_shape_equal (&other, shape))
            continue;
          parts_differ (&build->parts[0], part, error);
        }
      return FALSE;
    }
  return TRUE;
}

static guint64
memory_limit (const NnDataOptions *options)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);

  if (options->memory_limit > 0)
    return options->memory_limit;
  return pages > 0 && size > 0 ? (guint64) pages * size / 8 : G_GUINT64_CONSTANT (1) << 30;
}

NnTensor *
nn_data_tensor_new (NnDtype        dtype,
                    const NnShape *shape,
                    GError       **error)
{
  const NnDataOptions defaults = { 0 };
  gsize n;

  if (nn_shape_size (shape, &n) && (double) n * nn_dtype_size (dtype) > memory_limit (&defaults))
    return nn_tensor_try_new_mapped (dtype, shape, error);
  return nn_tensor_try_new (dtype, shape, error);
}

/* The parts as they lie in their files, where nothing is to be changed in them. */
static gboolean
map_parts (Build *build)
{
  const NnDataOptions *options = build->options;
  gboolean all = build->aside == NULL && !options->standardize && (options->divide == 0 || options->divide == 1);

  for (guint p = 0; all && p < build->n_parts; p++)
    {
      NnArrayReader *reader = build->parts[p].x;

      build->data->x[build->parts[p].split] = reader->whole != NULL ? reader->whole (reader) : NULL;
      all = build->data->x[build->parts[p].split] != NULL;
    }
  for (guint s = 0; !all && s < NN_N_SPLITS; s++)
    g_clear_pointer (&build->data->x[s], nn_tensor_unref);
  return all;
}

static gboolean
allocate (Build   *build,
          GError **error)
{
  NnDataset *data = build->data;
  gsize n[NN_N_SPLITS] = { 0 }, row = nn_array_reader_row (build->parts[0].x);
  gboolean mapped;

  for (guint p = 0; p < build->n_parts; p++)
    n[build->parts[p].split] += build->parts[p].y.n;
  for (gsize i = 0; build->aside != NULL && i < build->parts[0].y.n; i++)
    if (build->aside[i])
      n[NN_SPLIT_TRAIN]--, n[NN_SPLIT_VALIDATION]++;
  mapped = (double) build->n_rows * row * sizeof (float) > memory_limit (build->options);
  build->in_place = mapped && map_parts (build);
  for (guint s = 0; s < NN_N_SPLITS; s++)
    {
      NnShape shape = build->parts[0].x->shape;

      shape.dims[0] = n[s];
      if (data->x[s] == NULL)
        data->x[s] = mapped ? nn_tensor_try_new_mapped (NN_DTYPE_F32, &shape, error) : nn_tensor_try_new (NN_DTYPE_F32, &shape, error);
      if (data->x[s] == NULL)
        return FALSE;
      shape = NN_SHAPE ((gint64) n[s], (gint64) data->kind.n_classes);
      data->y[s] = (double) n[s] * data->kind.n_classes * sizeof (float) > memory_limit (build->options)
                     ? nn_tensor_try_new_mapped (NN_DTYPE_F32, &shape, error) : nn_tensor_try_new (NN_DTYPE_F32, &shape, error);
      if (data->y[s] == NULL)
        return FALSE;
    }
  return TRUE;
}

/* Numbers enter the hash as little-endian float32, so it does not depend on the file's format. */
static void
hash_floats (GChecksum   *checksum,
             const float *values,
             gsize        n)
{
  if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
    {
      g_checksum_update (checksum, (const guchar *) values, n * sizeof *values);
      return;
    }
  for (gsize i = 0; i < n; i++)
    {
      guint32 bits;

      memcpy (&bits, values + i, sizeof bits);
      bits = GUINT32_TO_LE (bits);
      g_checksum_update (checksum, (const guchar *) &bits, sizeof bits);
    }
}

static gboolean
check_finite (const double *values,
              gsize         n,
              gsize         row,
              gsize         first,
              GError      **error)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (values[i]))
      {
        g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC,
                     "sample %" G_GSIZE_FORMAT ", feature %" G_GSIZE_FORMAT
                     " is not a finite number; missing values must be filled in or left out first",
                     first + i / row + 1, i % row + 1);
        return FALSE;
      }
  return TRUE;
}

/* Copies rows to where they belong; @to counts the rows each part of the data set has got. */
static void
distribute (Build        *build,
            guint         p,
            gsize         first,
            gsize         count,
            const double *values,
            gsize         row,
            gsize        *to)
{
  const NnDataPart *part = &build->parts[p];
  NnDataset *data = build->data;
  gsize width = data->kind.n_classes;
  double divide = build->options->divide != 0 ? build->options->divide : 1;

  for (gsize i = 0; i < count; i++)
    {
      NnSplit split = p == 0 && build->aside != NULL && build->aside[first + i] ? NN_SPLIT_VALIDATION : part->split;
      float *x = nn_tensor_f32 (data->x[split]) + to[split] * row;
      float *y = nn_tensor_f32 (data->y[split]) + to[split] * width;

      for (gsize k = 0; !build->in_place && k < row; k++)
        x[k] = values[i * row + k] / divide;
      nn_target_row (&data->kind, &part->y, first + i, y);
      hash_floats (build->checksum, x, row);
      hash_floats (build->checksum, y, width);
      to[split]++;
    }
}

/* What has been read is not wanted in memory again soon. */
static void
release (Build       *build,
         const gsize *from,
         const gsize *to,
         gsize        row)
{
  for (guint s = 0; s < NN_N_SPLITS; s++)
    {
      nn_tensor_release (build->data->x[s], from[s] * row, (to[s] - from[s]) * row);
      nn_tensor_release (build->data->y[s], from[s] * build->data->kind.n_classes, (to[s] - from[s]) * build->data->kind.n_classes);
    }
}

void
nn_data_name_array (GError    **error,
                    const char *name)
{
  if (error != NULL && *error != NULL && (*error)->domain != G_IO_ERROR && strstr ((*error)->message, name) == NULL)
    g_prefix_error (error, "%s: ", name);
}

static gboolean
read_inputs (NnDataPart *part,
             gsize       first,
             gsize       count,
             double     *values,
             GError    **error)
{
  gsize row = nn_array_reader_row (part->x);

  if (part->x->read (part->x, count, values, error) && check_finite (values, count * row, row, first, error))
    return TRUE;
  nn_data_name_array (error, part->x_name);
  return FALSE;
}

static gboolean
fill (Build   *build,
      GError **error)
{
  gsize row = nn_array_reader_row (build->parts[0].x), to[NN_N_SPLITS] = { 0 }, released[NN_N_SPLITS] = { 0 };
  gsize piece = MAX (NN_DATA_PIECE / MAX (row, 1), 1);
  g_autofree double *values = g_try_new (double, piece * row + 1);

  if (values == NULL)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "one sample does not fit into memory");
      return FALSE;
    }
  for (guint p = 0; p < build->n_parts; p++)
    for (gsize first = 0; first < build->parts[p].y.n; first += piece)
      {
        gsize count = MIN (piece, build->parts[p].y.n - first);

        if (nn_progress_cancelled (build->cancellable, error) ||
            !read_inputs (&build->parts[p], first, count, values, error))
          return FALSE;
        distribute (build, p, first, count, values, row, to);
        if ((to[0] + to[1] + to[2] - released[0] - released[1] - released[2]) * row >= RELEASE_AFTER)
          {
            release (build, released, to, row);
            memcpy (released, to, sizeof released);
          }
        build->done += count;
        nn_progress_report (build->progress, (double) build->done / build->n_rows, "Reading data");
      }
  return TRUE;
}

/* Gives back pages on the way through a tensor, element by element. */
static void
release_after (const NnTensor *tensor,
               gsize           i)
{
  if ((i + 1) % RELEASE_AFTER == 0)
    nn_tensor_release (tensor, i + 1 - RELEASE_AFTER, RELEASE_AFTER);
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

static void
standardize (NnDataset *data)
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

static void
hash_head (Build *build)
{
  g_autofree char *shape = nn_shape_to_string (&build->parts[0].x->shape);

  g_checksum_update (build->checksum, (const guchar *) shape, strlen (shape));
  for (char **name = build->data->kind.names; name != NULL && *name != NULL; name++)
    g_checksum_update (build->checksum, (const guchar *) *name, strlen (*name) + 1);
}

static gboolean
run_build (Build             *build,
           const char *const *class_names,
           GError           **error)
{
  NnTargets targets[NN_N_SPLITS];
  gboolean has_validation = FALSE;

  if (!check_parts (build, error))
    return FALSE;
  for (guint p = 0; p < build->n_parts; p++)
    {
      targets[p] = build->parts[p].y;
      build->n_rows += targets[p].n;
      has_validation |= build->parts[p].split == NN_SPLIT_VALIDATION;
    }
  if (!nn_target_kind_init (&build->data->kind, targets, build->n_parts, class_names, error))
    return FALSE;
  if (!has_validation && build->options->validation > 0 && build->parts[0].split == NN_SPLIT_TRAIN)
    {
      build->aside = g_new0 (guint8, build->parts[0].y.n + 1);
      split_training_part (build);
    }
  hash_head (build);
  if (!allocate (build, error) || !fill (build, error))
    return FALSE;
  build->data->hash = g_strdup (g_checksum_get_string (build->checksum));
  if (build->options->standardize)
    standardize (build->data);
  return TRUE;
}

NnDataset *
nn_dataset_build (NnDataPart          *parts,
                  guint                n_parts,
                  const char *const   *class_names,
                  const char          *source,
                  const NnDataOptions *options,
                  const NnProgress    *progress,
                  GCancellable        *cancellable,
                  GError             **error)
{
  g_autoptr (NnDataset) data = g_new0 (NnDataset, 1);
  NnDataOptions defaults;
  Build build = { .data = data, .parts = parts, .n_parts = n_parts, .progress = progress, .cancellable = cancellable };
  gboolean done = FALSE;

  nn_data_options_init (&defaults);
  build.options = options != NULL ? options : &defaults;
  g_atomic_ref_count_init (&data->ref_count);
  data->source = g_strdup (source);
  build.checksum = g_checksum_new (G_CHECKSUM_SHA256);
  if (!(build.options->divide >= 0 && isfinite (build.options->divide)))
    g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the number that inputs are divided by must be positive");
  else if (build.options->validation >= 0 && build.options->validation < 1)
    done = run_build (&build, class_names, error);
  else
    g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT,
                         "the fraction set aside for validation must be at least 0 and below 1");
  for (guint p = 0; p < n_parts; p++)
    nn_data_part_clear (&parts[p]);
  g_checksum_free (build.checksum);
  g_free (build.aside);
  return done ? g_steal_pointer (&data) : NULL;
}

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

/* Says what is known of why: labels that are counted from 1, or are no classes for one of them is negative. */
static void
targets_differ (const NnTensor *y,
                gboolean        is_classes,
                gsize           n_outputs,
                GError        **error)
{
  gsize width = nn_tensor_row_size (y);
  float low = G_MAXFLOAT, high = -G_MAXFLOAT;

  for (gsize i = 0; i < y->n; i++)
    {
      low = MIN (low, nn_tensor_f32 (y)[i]);
      high = MAX (high, nn_tensor_f32 (y)[i]);
    }
  if (is_classes)
    g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                 "the network has %" G_GSIZE_FORMAT " outputs, but the labels name %" G_GSIZE_FORMAT
                 " classes; class indices are counted from 0", n_outputs, width);
  else if (width == 1 && y->n > 0)
    {
      g_autofree char *from = nn_text_from_double (low), *to = nn_text_from_double (high);

      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                   "the network has %" G_GSIZE_FORMAT " outputs, but the labels are one number a sample, from %s to %s; classes are whole "
                   "numbers from 0 on, text or one-hot rows", n_outputs, from, to);
    }
  else
    g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                 "the network has %" G_GSIZE_FORMAT " outputs, but the data have %" G_GSIZE_FORMAT " targets a sample", n_outputs, width);
}

/**
 * nn_dataset_targets:
 * @y: (n, k): targets of a data set
 *
 * Errors: %NN_ERROR_SHAPE when the network's outputs do not fit the targets
 *
 * Returns: (transfer full): (n, @n_outputs)
 */
NnTensor *
nn_dataset_targets (const NnTensor *y,
                    gboolean        is_classes,
                    gsize           n_outputs,
                    GError        **error)
{
  gsize width = nn_tensor_row_size (y), n = y->shape.dims[0];
  NnTensor *column;

  if (width == n_outputs)
    return nn_tensor_ref ((NnTensor *) y);
  if (is_classes && width < n_outputs && width > 1)
    {
      /* classes that do not occur in the data: no sample has them */
      column = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n, (gint64) n_outputs));
      for (gsize i = 0; i < n * width; i++)
        nn_tensor_f32 (column)[i / width * n_outputs + i % width] = nn_tensor_f32 (y)[i];
      return column;
    }
  if (!is_classes || width != 2 || n_outputs != 1)
    {
      targets_differ (y, is_classes, n_outputs, error);
      return NULL;
    }
  column = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n, 1));
  for (gsize i = 0; i < n; i++)
    nn_tensor_f32 (column)[i] = nn_tensor_f32 (y)[2 * i + 1];
  return column;
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
