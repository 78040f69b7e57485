/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data set is made of opened arrays: split, filled piece by piece, hashed. */

#include "nn-dataset-private.h"

#include "nn-error.h"
#include "nn-rng.h"

#include <math.h>
#include <string.h>

/* What is needed while one is made. */
typedef struct {
  NnDataset        *data;        /* borrowed */
  NnDataPart       *parts;
  guint             n_parts;
  guint8           *aside;       /* owned, nullable: per row of the first part, where it goes (Aside) */
  double            validation, test; /* fractions of it */
  GChecksum        *checksum;    /* owned */
  const NnDataOptions *options;
  const NnProgress *progress;
  GCancellable     *cancellable;
  gsize             n_rows, done;
  gboolean          in_place;    /* the inputs lie in the source's own file */
} Build;

void
nn_data_part_clear (NnDataPart *part)
{
  nn_array_reader_free (part->x);
  nn_targets_clear (&part->y);
  g_clear_pointer (&part->x_name, g_free);
  g_clear_pointer (&part->y_name, g_free);
  part->x = NULL;
}

/* Where a row of the part that is divided goes. */
typedef enum { STAYS, TO_VALIDATION, TO_TEST, LEFT_OUT } Aside;

static gsize
share (double fraction,
       gsize  n)
{
  return (gsize) floor (fraction * (double) n + 0.5);
}

/* Marks of the rows @rows those that do not stay, chosen by @rng. @kept: of all rows, the fraction that is used */
static void
set_aside (guint32 *rows,
           gsize    n,
           double   validation,
           double   test,
           double   kept,
           NnRng   *rng,
           guint8  *aside)
{
  gsize n_kept = share (kept, n), n_validation = share (validation, n_kept), n_test = share (test, n_kept);

  nn_rng_shuffle (rng, rows, n);
  for (gsize i = 0; i < n; i++)
    if (i >= n_kept)
      aside[rows[i]] = LEFT_OUT;
    else if (i < n_validation)
      aside[rows[i]] = TO_VALIDATION;
    else if (i < n_validation + n_test)
      aside[rows[i]] = TO_TEST;
}

/* A fraction of each class, so that the parts are alike; rows keep their order. */
static void
split_training_part (Build *build)
{
  const NnTargets *y = &build->parts[0].y;
  const NnTargetKind *kind = &build->data->kind;
  const NnDataOptions *options = build->options;
  double kept = options->limit > 0 && options->limit < y->n ? (double) options->limit / (double) y->n : 1;
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
    set_aside (rows + first[c], first[c + 1] - first[c], build->validation, build->test, kept, &rng, build->aside);
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
    if (build->aside[i] != STAYS)
      {
        n[NN_SPLIT_TRAIN]--;
        n[NN_SPLIT_VALIDATION] += build->aside[i] == TO_VALIDATION;
        n[NN_SPLIT_TEST] += build->aside[i] == TO_TEST;
      }
  mapped = (double) build->n_rows * row * sizeof (float) > nn_data_memory_limit (build->options);
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
      data->y[s] = (double) n[s] * data->kind.n_classes * sizeof (float) > nn_data_memory_limit (build->options)
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

/* What is divided by @divide is kept as float32. */
static gboolean
check_finite (const double *values,
              gsize         n,
              gsize         row,
              gsize         first,
              double        divide,
              GError      **error)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite ((float) (values[i] / divide)))
      {
        g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "sample %" G_GSIZE_FORMAT ", feature %" G_GSIZE_FORMAT " is %s",
                     first + i / row + 1, i % row + 1,
                     isfinite (values[i]) ? "too large for single precision (3.4e38); scale it first"
                                          : "not a finite number; missing values must be filled in or left out first");
        return FALSE;
      }
  return TRUE;
}

static double
divisor (const NnDataOptions *options)
{
  return options->divide != 0 ? options->divide : 1;
}

/* FALSE where a row is left out. */
static gboolean
split_of (const Build *build,
          guint        p,
          gsize        row,
          NnSplit     *split)
{
  guint8 aside = p == 0 && build->aside != NULL ? build->aside[row] : STAYS;

  *split = aside == TO_VALIDATION ? NN_SPLIT_VALIDATION : aside == TO_TEST ? NN_SPLIT_TEST : build->parts[p].split;
  return aside != LEFT_OUT;
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
  double divide = divisor (build->options);

  for (gsize i = 0; i < count; i++)
    {
      NnSplit split;
      float *x, *y;

      if (!split_of (build, p, first + i, &split))
        continue;
      x = nn_tensor_f32 (data->x[split]) + to[split] * row;
      y = nn_tensor_f32 (data->y[split]) + to[split] * width;
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
             double      divide,
             double     *values,
             GError    **error)
{
  gsize row = nn_array_reader_row (part->x);

  if (part->x->read (part->x, count, values, error) && check_finite (values, count * row, row, first, divide, error))
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
            !read_inputs (&build->parts[p], first, count, divisor (build->options), values, error))
          return FALSE;
        distribute (build, p, first, count, values, row, to);
        if ((to[0] + to[1] + to[2] - released[0] - released[1] - released[2]) * row >= NN_DATA_RELEASE_AFTER)
          {
            release (build, released, to, row);
            memcpy (released, to, sizeof released);
          }
        build->done += count;
        nn_progress_report (build->progress, (double) build->done / build->n_rows, "Reading data");
      }
  return TRUE;
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
  gboolean has[NN_N_SPLITS] = { FALSE };

  if (!check_parts (build, error))
    return FALSE;
  for (guint p = 0; p < build->n_parts; p++)
    {
      targets[p] = build->parts[p].y;
      build->n_rows += targets[p].n;
      has[build->parts[p].split] = TRUE;
    }
  if (!nn_target_kind_init (&build->data->kind, targets, build->n_parts, class_names, error))
    return FALSE;
  build->validation = has[NN_SPLIT_VALIDATION] ? 0 : build->options->validation;
  build->test = has[NN_SPLIT_TEST] ? 0 : build->options->test;
  if (has[NN_SPLIT_TRAIN] && (build->validation > 0 || build->test > 0 || build->options->limit > 0))
    {
      build->aside = g_new0 (guint8, build->parts[0].y.n + 1);
      split_training_part (build);
    }
  hash_head (build);
  if (!allocate (build, error) || !fill (build, error))
    return FALSE;
  build->data->hash = g_strdup (g_checksum_get_string (build->checksum));
  if (build->options->standardize)
    nn_dataset_learn_standard (build->data);
  return TRUE;
}

static gboolean
check_options (const NnDataOptions *options,
               GError             **error)
{
  const char *wrong = NULL;

  if (!(options->divide >= 0 && isfinite (options->divide)))
    wrong = "the number that inputs are divided by must be positive";
  else if (!(options->validation >= 0 && options->validation < 1))
    wrong = "the fraction set aside for validation must be at least 0 and below 1";
  else if (!(options->test >= 0 && options->test + options->validation < 1))
    wrong = "the fraction set aside for the test must be at least 0, and with that for validation below 1";
  if (wrong != NULL)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, wrong);
  return wrong == NULL;
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
  done = check_options (build.options, error) && run_build (&build, class_names, error);
  for (guint p = 0; p < n_parts; p++)
    nn_data_part_clear (&parts[p]);
  g_checksum_free (build.checksum);
  g_free (build.aside);
  return done ? g_steal_pointer (&data) : NULL;
}
