/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What labels mean. */

#include "nn-data-targets.h"

#include "nn-error.h"
#include "nn-text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers are taken for class indices up to so many classes; more are numbers to be met. */
#define MAX_INDEX_CLASSES 1000
/* Text with more different words than this is no class name. */
#define MAX_NAMED_CLASSES 1000

/* Text of the next rows: of words that occur again there is one copy. */
static gboolean
read_words (NnTargets     *targets,
            NnArrayReader *reader,
            gsize          first,
            gsize          count,
            GError       **error)
{
  gboolean good = reader->read_text (reader, count, targets->texts + first, error);

  for (gsize i = first; i < first + count; i++)
    {
      g_autofree char *own = targets->texts[i];

      targets->texts[i] = own != NULL ? g_string_chunk_insert_const (targets->words, own) : NULL;
    }
  return good;
}

static gboolean
read_numbers (NnTargets     *targets,
              NnArrayReader *reader,
              gsize          first,
              gsize          count,
              GError       **error)
{
  double *values = targets->values + first * targets->width;

  if (!reader->read (reader, count, values, error))
    return FALSE;
  for (gsize i = 0; i < count * targets->width; i++)
    if (!isfinite (values[i]))
      {
        g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "label %" G_GSIZE_FORMAT " is not a finite number",
                     first + i / targets->width + 1);
        return FALSE;
      }
  return TRUE;
}

gboolean
nn_targets_read (NnTargets        *targets,
                 NnArrayReader    *reader,
                 const NnProgress *progress,
                 GCancellable     *cancellable,
                 GError          **error)
{
  gsize bytes, count, piece;

  *targets = (NnTargets){ .n = reader->shape.dims[0], .width = nn_array_reader_row (reader) };
  if (!g_size_checked_mul (&bytes, targets->n, targets->width) || !g_size_checked_mul (&bytes, bytes, 8))
    bytes = G_MAXSIZE - 8;
  if (reader->is_text)
    targets->texts = g_try_new0 (char *, targets->n + 1);
  else
    targets->values = g_try_malloc (bytes + 8);
  if (targets->texts == NULL && targets->values == NULL)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_LIMIT, "the labels do not fit into memory");
      return FALSE;
    }
  if (reader->is_text)
    targets->words = g_string_chunk_new (4096);
  piece = MAX (NN_DATA_PIECE / MAX (targets->width, 1), 1);
  for (gsize first = 0; first < targets->n; first += count)
    {
      count = MIN (piece, targets->n - first);
      if (nn_progress_cancelled (cancellable, error) ||
          !(reader->is_text ? read_words : read_numbers) (targets, reader, first, count, error))
        return FALSE;
      nn_progress_report (progress, (double) (first + count) / targets->n, "Reading labels");
    }
  return TRUE;
}

void
nn_targets_clear (NnTargets *targets)
{
  g_free (targets->values);
  g_free (targets->texts);
  if (targets->words != NULL)
    g_string_chunk_free (targets->words);
  *targets = (NnTargets){ 0 };
}

static gint
compare_texts (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* The words that occur, sorted. */
static char **
find_words (const NnTargets *parts,
            guint            n_parts)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *words = g_ptr_array_new ();

  for (guint p = 0; p < n_parts; p++)
    for (gsize i = 0; i < parts[p].n; i++)
      if (g_hash_table_add (seen, parts[p].texts[i]))
        g_ptr_array_add (words, g_strdup (parts[p].texts[i]));
  g_ptr_array_sort (words, compare_texts);
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

static gboolean
find_name (char      **names,
           const char *text,
           gsize      *index)
{
  for (*index = 0; names[*index] != NULL; (*index)++)
    if (strcmp (names[*index], text) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
init_text (NnTargetKind    *kind,
           const NnTargets *parts,
           guint            n_parts,
           GError         **error)
{
  gsize index;

  if (kind->names == NULL)
    kind->names = find_words (parts, n_parts);
  kind->is_classes = TRUE;
  kind->n_classes = g_strv_length (kind->names);
  if (kind->n_classes > MAX_NAMED_CLASSES)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT,
                   "the labels are text with %" G_GSIZE_FORMAT " different values; at most %d classes are accepted",
                   kind->n_classes, MAX_NAMED_CLASSES);
      return FALSE;
    }
  for (guint p = 0; p < n_parts; p++)
    for (gsize i = 0; i < parts[p].n; i++)
      if (!find_name (kind->names, parts[p].texts[i], &index))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "label \"%s\" is none of the class names", parts[p].texts[i]);
          return FALSE;
        }
  return TRUE;
}

static gboolean
is_one_hot_row (const double *row,
                gsize         width)
{
  gsize ones = 0;

  for (gsize k = 0; k < width; k++)
    if (row[k] == 1)
      ones++;
    else if (row[k] != 0)
      return FALSE;
  return ones == 1;
}

static gboolean
all_one_hot (const NnTargets *parts,
             guint            n_parts)
{
  for (guint p = 0; p < n_parts; p++)
    for (gsize i = 0; i < parts[p].n; i++)
      if (!is_one_hot_row (parts[p].values + i * parts[p].width, parts[p].width))
        return FALSE;
  return TRUE;
}

/* Whole numbers from 0 on, most of which occur, are class indices. */
static gboolean
all_indices (const NnTargets *parts,
             guint            n_parts,
             gsize           *n_classes,
             gboolean        *from_one)
{
  gboolean seen[MAX_INDEX_CLASSES] = { FALSE };
  gsize distinct = 0;

  *n_classes = 0;
  for (guint p = 0; p < n_parts; p++)
    for (gsize i = 0; i < parts[p].n; i++)
      {
        double v = parts[p].values[i];

        if (v < 0 || v >= MAX_INDEX_CLASSES || v != floor (v))
          return FALSE;
        distinct += !seen[(gsize) v];
        seen[(gsize) v] = TRUE;
        *n_classes = MAX (*n_classes, (gsize) v + 1);
      }
  *from_one = !seen[0];
  return *n_classes <= 2 * distinct;
}

/**
 * nn_target_kind_init:
 * @parts: (array length=n_parts): the labels of every part, train, validation, test
 * @names: (nullable): class names that are known already, in their order
 *
 * Text is class names. Rows of one 1 among zeros are one-hot. One column of whole numbers from 0 on, of which at least
 * half occur, is class indices; where there are as many names as indices counted from 1, that is how they are counted. Everything else
 * is a regression.
 */
gboolean
nn_target_kind_init (NnTargetKind      *kind,
                     const NnTargets   *parts,
                     guint              n_parts,
                     const char *const *names,
                     GError           **error)
{
  gboolean from_one = FALSE;
  gsize n = 0;

  *kind = (NnTargetKind){ .names = g_strdupv ((char **) names) };
  for (guint p = 0; p < n_parts; p++)
    {
      n += parts[p].n;
      if (parts[p].width != parts[0].width || (parts[p].texts != NULL) != (parts[0].texts != NULL))
        {
          g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "the labels of the parts differ in shape");
          return FALSE;
        }
    }
  if (n == 0 || parts[0].width == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "there are no samples in the data");
      return FALSE;
    }
  if (parts[0].texts != NULL)
    return init_text (kind, parts, n_parts, error);
  if (parts[0].width > 1)
    {
      kind->is_classes = kind->is_one_hot = all_one_hot (parts, n_parts);
      kind->n_classes = parts[0].width;
    }
  else
    {
      kind->is_classes = all_indices (parts, n_parts, &kind->n_classes, &from_one);
      kind->n_classes = kind->is_classes ? MAX (kind->n_classes, 2) : 1;
    }
  if (kind->is_classes && kind->names != NULL)
    {
      gsize n_names = g_strv_length (kind->names);

      kind->from_one = from_one && n_names + 1 == kind->n_classes;
      kind->n_classes -= kind->from_one;
      if (n_names < kind->n_classes || (kind->is_one_hot && n_names != kind->n_classes))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "there are %" G_GSIZE_FORMAT " class names for %" G_GSIZE_FORMAT
                       " classes", n_names, kind->n_classes);
          return FALSE;
        }
      kind->n_classes = n_names;
    }
  return TRUE;
}

gsize
nn_target_class (const NnTargetKind *kind,
                 const NnTargets    *targets,
                 gsize               i)
{
  gsize index = 0;

  if (targets->texts != NULL)
    find_name (kind->names, targets->texts[i], &index);
  else if (!kind->is_one_hot)
    index = (gsize) targets->values[i] - kind->from_one;
  else
    while (targets->values[i * targets->width + index] != 1)
      index++;
  return index;
}

void
nn_target_row (const NnTargetKind *kind,
               const NnTargets    *targets,
               gsize               i,
               float              *row)
{
  if (!kind->is_classes)
    for (gsize k = 0; k < kind->n_classes; k++)
      row[k] = targets->values[i * targets->width + k];
  else
    {
      memset (row, 0, kind->n_classes * sizeof *row);
      row[nn_target_class (kind, targets, i)] = 1;
    }
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

static gboolean
is_empty (const NnTensor *y,
          gsize           column)
{
  gsize width = nn_tensor_row_size (y);

  for (gsize i = column; i < y->n; i += width)
    if (nn_tensor_f32 (y)[i] != 0)
      return FALSE;
  return TRUE;
}

/* The columns of @y from @first on, and as many of zeros as are missing at the end of @n. */
static NnTensor *
columns_from (const NnTensor *y,
              gsize           first,
              gsize           n)
{
  gsize width = nn_tensor_row_size (y);
  NnTensor *result = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (y->shape.dims[0], (gint64) n));

  for (gsize i = 0; i < y->n; i++)
    if (i % width >= first)
      nn_tensor_f32 (result)[i / width * n + i % width - first] = nn_tensor_f32 (y)[i];
  return result;
}

/**
 * nn_dataset_targets:
 * @y: (n, k): targets of a data set
 *
 * Classes that do not occur in the data have columns of zeros. Two classes are one number for one output. Where there is one class too
 * many and nothing is of the first, the classes were counted from 1, as MATLAB does.
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
  gsize width = nn_tensor_row_size (y), wanted = is_classes && n_outputs == 1 ? 2 : n_outputs;
  gboolean from_one = is_classes && width == wanted + 1 && is_empty (y, 0);

  if (width == n_outputs)
    return nn_tensor_ref ((NnTensor *) y);
  if (is_classes && n_outputs == 1 && (width == 2 || from_one))
    return columns_from (y, width - 1, 1);
  if (is_classes && ((width < n_outputs && width > 1) || from_one))
    return columns_from (y, from_one, n_outputs);
  targets_differ (y, is_classes, n_outputs, error);
  return NULL;
}
