/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables as data: which columns there are, with a header or none, and their rows as numbers or words. */

#include "nn-data-private.h"

#include "nn-csv.h"
#include "nn-error.h"
#include "nn-text.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Rows between two looks at whether to go on. */
#define ROWS_AT_ONCE 4096
/* Columns that a message lists. */
#define MOST_NAMES 20

/**
 * NnCsvColumn: what was seen in a column
 * @is_text: a value is no number
 * @has_numbers: a value is one
 * @has_values: not all are missing
 * @counts: the values are 0, 1, 2 ... or 1, 2, 3 ...
 * @unnamed: it has a header without a name
 */
typedef struct {
  gboolean is_text;
  gboolean has_numbers;
  gboolean has_values;
  gboolean counts;
  gboolean unnamed;
} NnCsvColumn;

struct _NnCsvTable {
  gatomicrefcount ref_count;
  char        *path;     /* owned */
  GPtrArray   *names;    /* owned: of the columns, each different */
  NnCsvColumn *columns;  /* owned: as many */
  gsize        n_rows;
  gboolean     headless; /* the first record is data */
};

void
nn_data_csv_table_unref (NnCsvTable *table)
{
  if (table == NULL || !g_atomic_ref_count_dec (&table->ref_count))
    return;
  g_free (table->path);
  g_ptr_array_unref (table->names);
  g_free (table->columns);
  g_free (table);
}

/* Whether a first record is no header: half of it or more are numbers, and they do not merely count the columns. */
static gboolean
is_data (const NnCsv *csv)
{
  guint n_numbers = 0;
  gboolean counts = TRUE;
  double value, before = 0;

  for (guint i = 0; i < nn_csv_n_fields (csv); i++)
    if (nn_csv_number (csv, nn_csv_field (csv, i), &value))
      {
        counts = counts && (n_numbers == 0 ? value == 0 || value == 1 : value == before + 1);
        before = value;
        n_numbers++;
      }
  return n_numbers > 0 && 2 * n_numbers >= nn_csv_n_fields (csv) && !(counts && n_numbers > 2);
}

/* A column's name as its header has it; one that another has already gets a number. (transfer full) */
static char *
own_name (const char *text,
          guint       column,
          GHashTable *taken)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  char *name = *valid != '\0' ? g_strdup (valid) : g_strdup_printf ("column_%u", column + 1);

  for (guint i = 2; g_hash_table_contains (taken, name); i++)
    {
      g_free (name);
      name = g_strdup_printf ("%s_%u", *valid != '\0' ? valid : "column", i);
    }
  g_hash_table_add (taken, name);
  return name;
}

static gboolean
read_names (NnCsvTable  *table,
            NnCsv       *csv,
            GError     **error)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);

  if (!nn_csv_next (csv, error))
    return FALSE;
  if (nn_csv_n_fields (csv) == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the table is empty");
      return FALSE;
    }
  table->headless = is_data (csv);
  table->columns = g_new0 (NnCsvColumn, nn_csv_n_fields (csv));
  for (guint i = 0; i < nn_csv_n_fields (csv); i++)
    {
      const char *name = table->headless ? "" : nn_csv_field (csv, i);

      g_ptr_array_add (table->names, own_name (name, i, taken));
      table->columns[i] = (NnCsvColumn){ .counts = TRUE, .unnamed = *name == '\0' && !table->headless };
    }
  return TRUE;
}

static gboolean
check_width (const NnCsvTable *table,
             const NnCsv      *csv,
             GError          **error)
{
  if (nn_csv_n_fields (csv) == table->names->len)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": %u values, but the first line has %u columns",
               nn_csv_line (csv), nn_csv_n_fields (csv), table->names->len);
  return FALSE;
}

/* To the first record that is data. */
static gboolean
to_data (const NnCsvTable *table,
         NnCsv            *csv,
         GError          **error)
{
  nn_csv_rewind (csv);
  return table->headless || nn_csv_next (csv, error);
}

static void
see_value (NnCsvColumn *column,
           const NnCsv *csv,
           const char  *text,
           gsize        row)
{
  double value = 0;
  gboolean is_number = nn_csv_number (csv, text, &value), is_missing = !is_number && nn_csv_is_missing (text);

  column->has_numbers |= is_number;
  column->is_text |= !is_number && !is_missing;
  column->has_values |= !is_missing;
  column->counts = column->counts && is_number && (value == (double) row || value == (double) row + 1);
}

/* Whether to go on; told every so many rows. @size: of the file in bytes. */
static gboolean
tell (gsize             row,
      const NnCsv      *csv,
      guint64           size,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  if (row % ROWS_AT_ONCE != 0)
    return TRUE;
  nn_progress_report (progress, size > 0 ? MIN ((double) nn_csv_position (csv) / size, 1) : 0, "Looking through the table");
  return !nn_progress_cancelled (cancellable, error);
}

/* Rows are counted, and what the columns hold is found out. */
static gboolean
scan (NnCsvTable       *table,
      NnCsv            *csv,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  GStatBuf info = { 0 };
  guint64 size = g_stat (table->path, &info) == 0 ? (guint64) info.st_size : 0;

  if (!read_names (table, csv, error) || !to_data (table, csv, error))
    return FALSE;
  for (;; table->n_rows++)
    {
      if (!tell (table->n_rows, csv, size, progress, cancellable, error) || !nn_csv_next (csv, error))
        return FALSE;
      if (nn_csv_n_fields (csv) == 0)
        return TRUE;
      if (!check_width (table, csv, error))
        return FALSE;
      for (guint i = 0; i < table->names->len; i++)
        see_value (&table->columns[i], csv, nn_csv_field (csv, i), table->n_rows);
    }
}

NnCsvTable *
nn_data_csv_scan (const char       *path,
                  const NnProgress *progress,
                  GCancellable     *cancellable,
                  GError          **error)
{
  g_autoptr (NnCsv) csv = nn_csv_open (path, error);
  g_autoptr (NnCsvTable) table = NULL;

  if (csv == NULL)
    return NULL;
  table = g_new0 (NnCsvTable, 1);
  g_atomic_ref_count_init (&table->ref_count);
  table->path = g_strdup (path);
  table->names = g_ptr_array_new_with_free_func (g_free);
  if (scan (table, csv, progress, cancellable, error))
    return g_steal_pointer (&table);
  if (error != NULL && (*error)->domain == NN_ERROR)
    g_prefix_error (error, "%s: ", path);
  return NULL;
}

/* What other programs write besides the data: a column that numbers the rows, or nothing after a last comma. */
static gboolean
is_aside (const NnCsvTable *table,
          guint             column)
{
  const NnCsvColumn *c = &table->columns[column];

  return c->unnamed && table->n_rows > 0 && (c->counts || !c->has_values);
}

GPtrArray *
nn_data_csv_entries (const NnCsvTable *table)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);

  for (guint i = 0; i < table->names->len; i++)
    if (!is_aside (table, i))
      g_ptr_array_add (entries, nn_data_entry_new (table->names->pdata[i], &NN_SHAPE ((gint64) table->n_rows),
                                                   table->columns[i].is_text ? "text" : "number"));
  return entries;
}

GPtrArray *
nn_data_csv_list (const char *path,
                  GError    **error)
{
  g_autoptr (NnCsvTable) table = nn_data_csv_scan (path, NULL, NULL, error);

  return table != NULL ? nn_data_csv_entries (table) : NULL;
}

static gboolean
find_column (const NnCsvTable *table,
             const char       *name,
             guint            *column)
{
  for (*column = 0; *column < table->names->len; (*column)++)
    if (strcmp (table->names->pdata[*column], name) == 0)
      return TRUE;
  return FALSE;
}

/* The column of labels where nobody says which: one that is called so; the only one of nothing but words; the last. */
const char *
nn_data_csv_label (const NnCsvTable *table)
{
  static const char *const words[] = { "label", "labels", "class", "target", "targets", "y" };
  guint n_texts = 0, text = 0, last = 0;

  for (guint w = 0; w < G_N_ELEMENTS (words); w++)
    for (guint i = 0; i < table->names->len; i++)
      if (g_ascii_strcasecmp (table->names->pdata[i], words[w]) == 0)
        return table->names->pdata[i];
  for (guint i = 0; i < table->names->len; i++)
    {
      if (is_aside (table, i))
        continue;
      last = i;
      if (!table->columns[i].is_text || table->columns[i].has_numbers)
        continue;
      text = i;
      n_texts++;
    }
  return table->names->pdata[n_texts == 1 ? text : last];
}

static void
no_column (const NnCsvTable *table,
           const char       *name,
           GError          **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autofree char *list = NULL;
  const char *nearest;

  for (guint i = 0; i < MIN (table->names->len, MOST_NAMES); i++)
    g_ptr_array_add (words, table->names->pdata[i]);
  g_ptr_array_add (words, NULL);
  list = g_strjoinv (", ", (char **) words->pdata);
  g_ptr_array_set_size (words, 0);
  for (guint i = 0; i < table->names->len; i++)
    g_ptr_array_add (words, table->names->pdata[i]);
  g_ptr_array_add (words, NULL);
  nearest = nn_text_nearest (name, (const char *const *) words->pdata);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no column \"%s\"; did you mean \"%s\"? The table has: %s%s", name,
               nearest != NULL ? nearest : "", list, table->names->len > MOST_NAMES ? ", ..." : "");
}

/* Marks a column by its name, or several with commas between; their order is kept in @order. */
static gboolean
mark_columns (const NnCsvTable *table,
              const char       *names,
              GArray           *order,
              GError          **error)
{
  g_auto (GStrv) list = NULL;
  guint column;

  if (find_column (table, names, &column))
    {
      g_array_append_val (order, column);
      return TRUE;
    }
  list = g_strsplit (names, ",", -1);
  for (guint i = 0; list[i] != NULL; i++)
    {
      if (!find_column (table, g_strstrip (list[i]), &column))
        {
          no_column (table, list[i], error);
          return FALSE;
        }
      g_array_append_val (order, column);
    }
  return TRUE;
}

typedef struct {
  NnArrayReader reader;
  NnCsv        *csv;     /* owned */
  NnCsvTable   *table;   /* owned */
  GArray       *columns; /* owned: those that are read (guint) */
} CsvReader;

static gboolean
next_row (CsvReader *reader,
          GError   **error)
{
  if (!nn_csv_next (reader->csv, error))
    return FALSE;
  if (nn_csv_n_fields (reader->csv) == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the table has changed while it was read");
      return FALSE;
    }
  return check_width (reader->table, reader->csv, error);
}

static void
no_number (const CsvReader *reader,
           guint            column,
           GError         **error)
{
  const char *text = nn_csv_field (reader->csv, column), *name = reader->table->names->pdata[column];
  gsize line = nn_csv_line (reader->csv);
  double value;

  if (nn_csv_is_missing (text))
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                 "line %" G_GSIZE_FORMAT ", column \"%s\": a value is missing; fill it in or leave the line out (\"%s\")", line, name, text);
  else
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ", column \"%s\": \"%.40s\" is %s", line, name, text,
                 nn_csv_number (reader->csv, text, &value) ? "not finite" : "no number; inputs are columns of numbers (--x names them)");
}

static gboolean
csv_read (NnArrayReader *base,
          gsize          count,
          double        *values,
          GError       **error)
{
  CsvReader *reader = (CsvReader *) base;

  for (gsize i = 0; i < count; i++)
    {
      if (!next_row (reader, error))
        return FALSE;
      for (guint k = 0; k < reader->columns->len; k++, values++)
        {
          guint column = g_array_index (reader->columns, guint, k);

          if (nn_csv_number (reader->csv, nn_csv_field (reader->csv, column), values) && isfinite (*values))
            continue;
          no_number (reader, column, error);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
csv_read_text (NnArrayReader *base,
               gsize          count,
               char         **values,
               GError       **error)
{
  CsvReader *reader = (CsvReader *) base;
  guint column = g_array_index (reader->columns, guint, 0);

  for (gsize i = 0; i < count; i++)
    {
      if (!next_row (reader, error))
        return FALSE;
      if (nn_csv_is_missing (nn_csv_field (reader->csv, column)))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": the label is missing", nn_csv_line (reader->csv));
          return FALSE;
        }
      values[i] = g_utf8_make_valid (nn_csv_field (reader->csv, column), -1);
    }
  return TRUE;
}

static void
csv_reader_free (NnArrayReader *base)
{
  CsvReader *reader = (CsvReader *) base;

  nn_csv_free (reader->csv);
  g_array_unref (reader->columns);
  nn_data_csv_table_unref (reader->table);
  g_free (reader);
}

/* @names: columns with commas between, or %NULL for all; @but: left out, or %NULL. */
static gboolean
choose_columns (CsvReader  *reader,
                const char *names,
                const char *but,
                GError    **error)
{
  const NnCsvTable *table = reader->table;
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (guint)), unwanted = g_array_new (FALSE, FALSE, sizeof (guint));

  if ((but != NULL && !mark_columns (table, but, unwanted, error)) || (names != NULL && !mark_columns (table, names, wanted, error)))
    return FALSE;
  for (guint i = 0; names == NULL && i < table->names->len; i++)
    if (!is_aside (table, i))
      g_array_append_val (wanted, i);
  for (guint i = 0; i < wanted->len; i++)
    {
      gboolean left_out = FALSE;

      for (guint k = 0; k < unwanted->len; k++)
        left_out |= g_array_index (unwanted, guint, k) == g_array_index (wanted, guint, i);
      if (!left_out)
        g_array_append_val (reader->columns, g_array_index (wanted, guint, i));
    }
  if (reader->columns->len == 0)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE,
                         "the table has no column besides the label; commas, semicolons, tabs, bars or blanks are taken between columns");
  return reader->columns->len > 0;
}

NnArrayReader *
nn_data_csv_reader (NnCsvTable *table,
                    const char *names,
                    const char *but,
                    GError    **error)
{
  NnCsv *csv = nn_csv_open (table->path, error);
  CsvReader *reader;
  g_autoptr (NnArrayReader) base = NULL;

  if (csv == NULL)
    return NULL;
  g_atomic_ref_count_inc (&table->ref_count);
  reader = g_new0 (CsvReader, 1);
  reader->csv = csv;
  reader->table = table;
  reader->columns = g_array_new (FALSE, FALSE, sizeof (guint));
  base = &reader->reader;
  base->free = csv_reader_free;
  base->read = csv_read;
  base->read_text = csv_read_text;
  if (!to_data (table, csv, error) || !choose_columns (reader, names, but, error))
    return NULL;
  base->is_text = reader->columns->len == 1 && but == NULL && table->columns[g_array_index (reader->columns, guint, 0)].is_text;
  base->shape = base->is_text ? NN_SHAPE ((gint64) table->n_rows) : NN_SHAPE ((gint64) table->n_rows, reader->columns->len);
  return g_steal_pointer (&base);
}

NnArrayReader *
nn_data_csv_open (const char *path,
                  const char *name,
                  GError    **error)
{
  g_autoptr (NnCsvTable) table = nn_data_csv_scan (path, NULL, NULL, error);

  return table != NULL ? nn_data_csv_reader (table, name, NULL, error) : NULL;
}
