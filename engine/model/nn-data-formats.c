/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which reader serves a data file: told by its first bytes. */

#include "nn-data-private.h"

#include "nn-error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

/* Arrays that a message lists. */
#define MOST_NAMES 20
/* The longest row of which a preview is read, in numbers, and the most arrays. */
#define MOST_PREVIEWED (1 << 22)
#define MOST_PREVIEWS 200
/* Bytes of a table that is not gone through for a preview. */
#define LARGE_TABLE (64 << 20)

/* One row a format: what it begins with, how it lists, how it opens. */
typedef struct {
  NnDataFormat   format;
  const char    *start;
  gsize          length;
  gsize          at;
  GPtrArray     *(*list) (const char *path, GError **error);
  NnArrayReader *(*open) (const char *path, const char *name, GError **error);
} FormatInfo;

static GPtrArray *
npy_list (const char *path,
          GError    **error)
{
  g_autoptr (NnNpy) npy = nn_npy_open_file (path, error);
  GPtrArray *entries;

  if (npy == NULL)
    return NULL;
  entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);
  g_ptr_array_add (entries, nn_npy_entry (npy, ""));
  return entries;
}

static NnArrayReader *
npy_open (const char *path,
          const char *name,
          GError    **error)
{
  NnNpy *npy = nn_npy_open_file (path, error);

  return npy != NULL ? nn_npy_reader (npy, error) : NULL;
}

static const FormatInfo formats[] = {
  { NN_DATA_FORMAT_NPY, "\x93NUMPY", 6, 0, npy_list, npy_open },
  { NN_DATA_FORMAT_NPZ, "PK\3\4", 4, 0, nn_data_npz_list, nn_data_npz_open },
  { NN_DATA_FORMAT_NPZ, "PK\5\6", 4, 0, nn_data_npz_list, nn_data_npz_open }, /* an archive of nothing */
  { NN_DATA_FORMAT_HDF5, "\x89HDF", 4, 0, nn_data_hdf5_list, nn_data_hdf5_open },
  { NN_DATA_FORMAT_MAT, "MATLAB 7.3 MAT-file", 19, 0, nn_data_mat73_list, nn_data_mat73_open },
  { NN_DATA_FORMAT_MAT, "MATLAB ", 7, 0, nn_data_mat_list, nn_data_mat_open },
  { NN_DATA_FORMAT_HDF5, "\x89HDF", 4, 512, nn_data_hdf5_list, nn_data_hdf5_open },
  { NN_DATA_FORMAT_IDX, "\0\0", 2, 0, nn_data_idx_list, nn_data_idx_open },
};

/* What is text is a table. */
static const FormatInfo table = { NN_DATA_FORMAT_CSV, "", 0, 0, nn_data_csv_list, nn_data_csv_open };

/* What people try that is no data here, and what to do with it. */
static const struct {
  const char *start;
  gsize       length;
  const char *what;
} strangers[] = {
  { "\xff\xfe", 2, "text in UTF-16; save it as UTF-8" },
  { "\xfe\xff", 2, "text in UTF-16; save it as UTF-8" },
  { "{", 1, "JSON; save its arrays as .npz or as a table" },
  { "[", 1, "JSON; save its arrays as .npz or as a table" },
  { "<", 1, "XML or a web page; save it as a table" },
  { "PAR1", 4, "a Parquet file; save it as a table" },
  { "root\0", 5, "a ROOT file; save its branches as .npz" },
  { "\x80\2", 2, "a Python pickle; save the arrays in it as .npz" },
  { "\x80\3", 2, "a Python pickle; save the arrays in it as .npz" },
  { "\x80\4", 2, "a Python pickle; save the arrays in it as .npz" },
  { "\x80\5", 2, "a Python pickle; save the arrays in it as .npz" },
  { "\0\0\0\0", 4, "a MATLAB file of version 4; save it with -v7 or -v7.3" },
};

static gboolean
is_text (const guint8 *start,
         gsize         n)
{
  for (gsize i = 0; i < n; i++)
    if (start[i] < ' ' && strchr ("\t\n\r\f", start[i]) == NULL)
      return FALSE;
  return n > 0 && memchr (start, '\0', n) == NULL;
}

static gboolean
begins (const guint8 *start,
        gsize         n,
        gsize         at,
        const char   *with,
        gsize         length)
{
  return n >= at + length && memcmp (start + at, with, length) == 0;
}

/* The first bytes of a file, and of what is in it where it is packed. FALSE where it cannot be read. */
static gboolean
read_start (const char *path,
            guint8     *start,
            gsize       size,
            gsize      *n,
            gboolean   *packed,
            GError    **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, error);
  gzFile inner;
  int got;

  if (stream == NULL || !g_input_stream_read_all (G_INPUT_STREAM (stream), start, size, n, NULL, error))
    return FALSE;
  *packed = begins (start, *n, 0, "\x1f\x8b", 2);
  inner = *packed ? gzopen (path, "rbe") : NULL;
  if (inner == NULL)
    return TRUE;
  got = gzread (inner, start, (unsigned) size);
  *n = (gsize) MAX (got, 0);
  gzclose (inner);
  return TRUE;
}

static void
not_known (const char   *path,
           const guint8 *start,
           gsize         n,
           gboolean      packed,
           GError      **error)
{
  const char *what = n == 0 ? "the file is empty" : "no known format of data";

  for (guint i = 0; i < G_N_ELEMENTS (strangers); i++)
    if (begins (start, n, 0, strangers[i].start, strangers[i].length))
      what = strangers[i].what;
  if (packed)
    what = n == 0 ? "the gzip data are damaged or cut short" : "packed with gzip as only tables and IDX may be; unpack it";
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
               "%s: %s; .npz, .npy, HDF5, tables (CSV, .gz too), IDX (.gz too) and MATLAB files are accepted", path, what);
}

static const FormatInfo *
find_format (const char *path,
             GError    **error)
{
  guint8 start[1024] = { 0 };
  gboolean packed;
  gsize n;

  if (!read_start (path, start, sizeof start, &n, &packed, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if ((!packed || formats[i].format == NN_DATA_FORMAT_IDX) && begins (start, n, formats[i].at, formats[i].start, formats[i].length) &&
        (formats[i].format != NN_DATA_FORMAT_IDX || !begins (start, n, 0, "\0\0\0\0", 4)))
      return &formats[i];
  if (is_text (start, n) && strchr ("{[<", start[0]) == NULL)
    return &table;
  not_known (path, start, n, packed, error);
  return NULL;
}

gboolean
nn_data_format (const char   *path,
                NnDataFormat *format,
                GError      **error)
{
  const FormatInfo *info = find_format (path, error);

  if (info != NULL)
    *format = info->format;
  return info != NULL;
}

/**
 * nn_data_list:
 *
 * Of a table the whole is gone through, which may take its time.
 *
 * Returns: (transfer full) (element-type NnDataEntry): the arrays of a file, or the columns of a table
 */
GPtrArray *
nn_data_list (const char       *path,
              const NnProgress *progress,
              GCancellable     *cancellable,
              GError          **error)
{
  const FormatInfo *info = find_format (path, error);
  g_autoptr (NnCsvTable) columns = NULL;
  GPtrArray *entries;

  if (info != &table)
    return info != NULL ? info->list (path, error) : NULL;
  columns = nn_data_csv_scan (path, progress, cancellable, error);
  entries = columns != NULL ? nn_data_csv_entries (columns) : NULL;
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      NnDataEntry *entry = entries->pdata[i];

      entry->is_column = TRUE;
      entry->is_label = g_str_equal (entry->name, nn_data_csv_label (columns));
    }
  return entries;
}

char *
nn_data_names (GPtrArray *entries)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (entries->len, MOST_NAMES); i++)
    {
      const NnDataEntry *entry = entries->pdata[i];
      g_autofree char *shape = nn_shape_to_string (&entry->shape);

      g_string_append_printf (text, "%s%s ", i > 0 ? ", " : "", entry->name);
      if (entry->problem != NULL)
        g_string_append_printf (text, "(%s)", entry->problem);
      else
        g_string_append (text, entry->shape.rank > 0 ? shape : "(a single value)");
    }
  if (entries->len > MOST_NAMES)
    g_string_append_printf (text, " and %u more", entries->len - MOST_NAMES);
  return g_string_free (text, FALSE);
}

/* The name of a file's only array. */
static char *
only_name (const FormatInfo *info,
           const char       *path,
           GError          **error)
{
  g_autoptr (GPtrArray) entries = info->list (path, error);
  g_autofree char *names = NULL;

  if (entries == NULL)
    return NULL;
  if (entries->len == 1)
    return g_strdup (((NnDataEntry *) entries->pdata[0])->name);
  names = nn_data_names (entries);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: one array has to be named (--x for inputs, --y for labels). The file has: %s", path,
               entries->len > 0 ? names : "none");
  return NULL;
}

NnArrayReader *
nn_data_open (const char *path,
              const char *name,
              GError    **error)
{
  const FormatInfo *info = find_format (path, error);
  gboolean is_container = info != NULL && (info->format == NN_DATA_FORMAT_NPZ || info->format == NN_DATA_FORMAT_HDF5 || info->format == NN_DATA_FORMAT_MAT);
  g_autofree char *only = is_container && name == NULL ? only_name (info, path, error) : NULL;

  if (info == NULL || (is_container && name == NULL && only == NULL))
    return NULL;
  return info->open (path, is_container && name == NULL ? only : name, error);
}

static void
peek (NnArrayReader *reader, /* (nullable) */
      NnDataEntry   *entry,
      guint          n)
{
  gsize row = reader != NULL ? nn_array_reader_row (reader) : 0, rows;

  if (row == 0 || row > MOST_PREVIEWED)
    return;
  rows = MIN ((gsize) reader->shape.dims[0], (n + row - 1) / row);
  if (reader->is_text)
    {
      entry->first_texts = g_new0 (char *, rows + 1);
      entry->n_first = reader->read_text (reader, rows, entry->first_texts, NULL) ? rows : 0;
    }
  else
    {
      entry->first = g_new (double, rows * row + 1);
      entry->n_first = reader->read (reader, rows, entry->first, NULL) ? MIN (rows * row, n) : 0;
    }
}

/**
 * nn_data_peek:
 * @entries: (element-type NnDataEntry): of nn_data_list()
 * @n: numbers or words wanted of each
 *
 * Columns of a large table, which is gone through once more, are left alone.
 */
void
nn_data_peek (const char   *path,
              GPtrArray    *entries,
              guint         n,
              GCancellable *cancellable)
{
  gboolean is_table = find_format (path, NULL) == &table;
  g_autoptr (NnCsvTable) columns = NULL;
  GStatBuf info;

  if (is_table && (g_stat (path, &info) != 0 || info.st_size > LARGE_TABLE ||
                   (columns = nn_data_csv_scan (path, NULL, cancellable, NULL)) == NULL))
    return;
  for (guint i = 0; i < MIN (entries->len, MOST_PREVIEWS) && !g_cancellable_is_cancelled (cancellable); i++)
    {
      NnDataEntry *entry = entries->pdata[i];
      g_autoptr (NnArrayReader) reader = NULL;

      if (columns != NULL)
        reader = nn_data_csv_reader (columns, entry->name, NULL, NULL);
      else if (entry->shape.rank > 0)
        reader = nn_data_open (path, *entry->name != '\0' ? entry->name : NULL, NULL);
      peek (reader, entry, n);
    }
}
