/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables as text: a header or none, quotes as in RFC 4180, and commas, semicolons, tabs or blanks between the columns; lines that
 * begin with # are remarks. Where no commas separate, numbers may have decimal commas. */

#include "nn-data-private.h"

#include "nn-error.h"
#include "nn-text.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A record longer than this is not one. */
#define MAX_RECORD (16 << 20)
#define MAX_COLUMNS 65536
/* Lines between two looks at whether to go on. */
#define LINES_AT_ONCE 4096

/* What is known of a table when it has been gone through once. */
struct _NnCsvTable {
  gatomicrefcount ref_count;
  char      *path;     /* owned, nullable */
  char       separator;
  GPtrArray *names;    /* owned: of the columns */
  gboolean  *is_text;  /* owned: per column, whether a value is no number */
  gsize      n_rows;
  gboolean   headless; /* the first record is data */
};

typedef struct {
  FILE      *file;    /* owned */
  GString   *record;  /* owned: the fields' text, one after the other, each ended by a 0 */
  GArray    *fields;  /* owned: where each begins in @record (gsize) */
  gsize      line;    /* of the record's first line */
  gsize      next_line;
  NnCsvTable *table;  /* owned */
} Csv;

void
nn_data_csv_table_unref (NnCsvTable *table)
{
  if (table == NULL || !g_atomic_ref_count_dec (&table->ref_count))
    return;
  g_free (table->path);
  g_ptr_array_unref (table->names);
  g_free (table->is_text);
  g_free (table);
}

static void
csv_free (Csv *csv)
{
  if (csv == NULL)
    return;
  if (csv->file != NULL)
    fclose (csv->file);
  g_string_free (csv->record, TRUE);
  g_array_unref (csv->fields);
  nn_data_csv_table_unref (csv->table);
  g_free (csv);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Csv, csv_free)

static const char *
field (const Csv *csv,
       guint      i)
{
  return csv->record->str + g_array_index (csv->fields, gsize, i);
}

static void
begin_field (Csv *csv)
{
  gsize at = csv->record->len;

  g_array_append_val (csv->fields, at);
}

/* Blanks around a field do not count. */
static void
end_field (Csv *csv)
{
  gsize start = g_array_index (csv->fields, gsize, csv->fields->len - 1);
  gsize blanks = strspn (csv->record->str + start, " \t\r");

  g_string_erase (csv->record, start, blanks);
  while (csv->record->len > start && strchr (" \t\r", csv->record->str[csv->record->len - 1]) != NULL)
    g_string_truncate (csv->record, csv->record->len - 1);
  g_string_append_c (csv->record, '\0');
}

/* The text within quotes; a doubled quote is one. */
static gboolean
read_quoted (Csv     *csv,
             GError **error)
{
  int c;

  while ((c = getc_unlocked (csv->file)) != EOF && csv->record->len < MAX_RECORD)
    {
      if (c == '\n')
        csv->next_line++;
      if (c == '"')
        {
          c = getc_unlocked (csv->file);
          if (c != '"')
            {
              ungetc (c, csv->file);
              return TRUE;
            }
        }
      if (c != '\0')
        g_string_append_c (csv->record, c);
    }
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": a quotation mark is not closed", csv->line);
  return FALSE;
}

/* A line that begins with # is read as an empty one. */
static void
skip_remark (Csv *csv)
{
  int c = getc_unlocked (csv->file);

  if (c != '#')
    {
      if (c != EOF)
        ungetc (c, csv->file);
      return;
    }
  while ((c = getc_unlocked (csv->file)) != EOF && c != '\n')
    ;
  if (c == '\n')
    ungetc (c, csv->file);
}

/* Reads the next record that is not blank; at the end of the file there are no fields. */
static gboolean
read_record (Csv     *csv,
             GError **error)
{
  int c = 0;

  do
    {
      csv->line = csv->next_line;
      g_string_truncate (csv->record, 0);
      g_array_set_size (csv->fields, 0);
      begin_field (csv);
      skip_remark (csv);
      while ((c = getc_unlocked (csv->file)) != EOF && c != '\n')
        {
          if (c == ' ' && csv->table->separator == ' ' && csv->record->len == g_array_index (csv->fields, gsize, csv->fields->len - 1))
            continue; /* several blanks are one */
          if (c == '"' && csv->record->len == g_array_index (csv->fields, gsize, csv->fields->len - 1))
            {
              if (!read_quoted (csv, error))
                return FALSE;
            }
          else if (c == csv->table->separator)
            {
              end_field (csv);
              begin_field (csv);
            }
          else if (c != '\0')
            g_string_append_c (csv->record, c);
          if (csv->record->len >= MAX_RECORD || csv->fields->len > MAX_COLUMNS)
            {
              g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "line %" G_GSIZE_FORMAT ": the line is too long for a table",
                           csv->line);
              return FALSE;
            }
        }
      end_field (csv);
      csv->next_line += c == '\n';
    }
  while (c != EOF && csv->fields->len == 1 && field (csv, 0)[0] == '\0');
  if (c == EOF && csv->fields->len == 1 && field (csv, 0)[0] == '\0')
    g_array_set_size (csv->fields, 0);
  return TRUE;
}

/* What stands between the columns of the first line, outside quotes. Commas between digits are taken for decimal ones where something
 * else is there that could separate. */
static char
guess_separator (FILE *file)
{
  static const char separators[] = { ',', ';', '\t', ' ' };
  gsize counts[G_N_ELEMENTS (separators)] = { 0 }, decimal = 0;
  gboolean quoted = FALSE, remark = FALSE, begin = TRUE;
  int c, before = '\n', two_before = '\n';

  while ((c = getc_unlocked (file)) != EOF && (c != '\n' || quoted || remark || begin))
    {
      remark = c != '\n' && (remark || (begin && c == '#'));
      begin = c == '\n' || (begin && c == '\r');
      if (remark || begin)
        continue;
      quoted ^= c == '"';
      for (guint i = 0; i < G_N_ELEMENTS (separators); i++)
        counts[i] += !quoted && c == separators[i];
      decimal += !quoted && g_ascii_isdigit (c) && before == ',' && g_ascii_isdigit (two_before);
      two_before = before;
      before = c;
    }
  rewind (file);
  if (counts[0] <= decimal)
    counts[0] = counts[1] + counts[2] + counts[3] > 0 ? 0 : counts[0];
  if (counts[1] > counts[0] && counts[1] >= counts[2])
    return ';';
  if (counts[0] + counts[2] == 0 && counts[3] > 0)
    return ' ';
  return counts[2] > counts[0] ? '\t' : ',';
}

/* The whole of @text, with a decimal point, or a decimal comma where commas do not separate. Points between thousands are none: who
 * could tell 1.234 from 1,234? */
static gboolean
read_number (const NnCsvTable *table,
             const char       *text,
             double           *value)
{
  g_autofree char *copy = NULL;
  const char *comma;

  if (nn_text_to_double (text, value))
    return TRUE;
  comma = table->separator != ',' ? strchr (text, ',') : NULL;
  if (comma == NULL || strchr (text, '.') != NULL)
    return FALSE;
  copy = g_strdup (text);
  copy[comma - text] = '.';
  return nn_text_to_double (copy, value);
}

static void
skip_byte_order_mark (FILE *file)
{
  if (getc_unlocked (file) != 0xef || getc_unlocked (file) != 0xbb || getc_unlocked (file) != 0xbf)
    rewind (file);
}

static gboolean
is_missing (const char *text)
{
  static const char *const words[] = { "", "?", "na", "n/a", "nan", "null", "none" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (text, words[i]) == 0)
      return TRUE;
  return FALSE;
}

/* Whether a first record is no header: half of it or more are numbers, and they do not merely count the columns. */
static gboolean
is_data (const Csv *csv)
{
  guint n_numbers = 0;
  gboolean counts = TRUE;
  double value, before = 0;

  for (guint i = 0; i < csv->fields->len; i++)
    if (read_number (csv->table, field (csv, i), &value))
      {
        counts = counts && (n_numbers == 0 ? value == 0 || value == 1 : value == before + 1);
        before = value;
        n_numbers++;
      }
  return n_numbers > 0 && 2 * n_numbers >= csv->fields->len && !(counts && n_numbers > 2);
}

static gboolean
read_names (Csv     *csv,
            GError **error)
{
  skip_byte_order_mark (csv->file);
  if (!read_record (csv, error))
    return FALSE;
  if (csv->fields->len == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the table is empty");
      return FALSE;
    }
  csv->table->headless = is_data (csv);
  for (guint i = 0; i < csv->fields->len; i++)
    g_ptr_array_add (csv->table->names, csv->table->headless ? g_strdup_printf ("column_%u", i + 1) : g_utf8_make_valid (field (csv, i), -1));
  return TRUE;
}

static gboolean
check_width (const Csv *csv,
             GError   **error)
{
  if (csv->fields->len == csv->table->names->len)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": %u values, but the first line has %u columns",
               csv->line, csv->fields->len, csv->table->names->len);
  return FALSE;
}

static gboolean
csv_rewind (Csv     *csv,
            GError **error)
{
  rewind (csv->file);
  skip_byte_order_mark (csv->file);
  csv->next_line = 1;
  return csv->table->headless || read_record (csv, error);
}

static Csv *
csv_new (FILE       *file,  /* (transfer full) */
         NnCsvTable *table) /* (transfer full) */
{
  Csv *csv = g_new0 (Csv, 1);

  csv->file = file;
  csv->table = table;
  csv->record = g_string_new (NULL);
  csv->fields = g_array_new (FALSE, FALSE, sizeof (gsize));
  csv->next_line = 1;
  return csv;
}

static FILE *
open_file (const char *path,
           GError    **error)
{
  FILE *file = g_fopen (path, "re");

  if (file == NULL)
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", path, g_strerror (errno));
  return file;
}

/* Whether to go on; told every so many lines. */
static gboolean
tell (const Csv        *csv,
      guint64           size,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  if (csv->table->n_rows % LINES_AT_ONCE != 0)
    return TRUE;
  nn_progress_report (progress, size > 0 ? MIN ((double) ftello (csv->file) / size, 1) : 0, "Looking through the table");
  return !nn_progress_cancelled (cancellable, error);
}

/* Rows are counted, and which columns hold text is found out. */
static gboolean
scan (Csv              *csv,
      guint64           size,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  NnCsvTable *table = csv->table;

  table->separator = guess_separator (csv->file);
  if (!read_names (csv, error))
    return FALSE;
  table->is_text = g_new0 (gboolean, table->names->len);
  if (table->headless && !csv_rewind (csv, error))
    return FALSE;
  for (;;)
    {
      double value;

      if (!tell (csv, size, progress, cancellable, error) || !read_record (csv, error))
        return FALSE;
      if (csv->fields->len == 0)
        break;
      if (!check_width (csv, error))
        return FALSE;
      table->n_rows++;
      for (guint i = 0; i < csv->fields->len; i++)
        if (!table->is_text[i] && !read_number (table, field (csv, i), &value) && !is_missing (field (csv, i)))
          table->is_text[i] = TRUE;
    }
  if (ferror (csv->file))
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "the table cannot be read: %s", g_strerror (errno));
      return FALSE;
    }
  return TRUE;
}

NnCsvTable *
nn_data_csv_scan (const char       *path,
                  const NnProgress *progress,
                  GCancellable     *cancellable,
                  GError          **error)
{
  FILE *file = open_file (path, error);
  g_autoptr (Csv) csv = NULL;
  GStatBuf info = { 0 };

  if (file == NULL)
    return NULL;
  csv = csv_new (file, g_new0 (NnCsvTable, 1));
  g_atomic_ref_count_init (&csv->table->ref_count);
  csv->table->path = g_strdup (path);
  csv->table->names = g_ptr_array_new_with_free_func (g_free);
  if (scan (csv, g_stat (path, &info) == 0 ? (guint64) info.st_size : 0, progress, cancellable, error))
    return g_steal_pointer (&csv->table);
  if (error != NULL && (*error)->domain == NN_ERROR)
    g_prefix_error (error, "%s: ", path);
  return NULL;
}

GPtrArray *
nn_data_csv_entries (const NnCsvTable *table)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_data_entry_free);

  for (guint i = 0; i < table->names->len; i++)
    g_ptr_array_add (entries, nn_data_entry_new (table->names->pdata[i], &NN_SHAPE ((gint64) table->n_rows),
                                                 table->is_text[i] ? "text" : "number"));
  return entries;
}

GPtrArray *
nn_data_csv_list (const char *path,
                  GError    **error)
{
  g_autoptr (NnCsvTable) table = nn_data_csv_scan (path, NULL, NULL, error);

  return table != NULL ? nn_data_csv_entries (table) : NULL;
}

typedef struct {
  NnArrayReader reader;
  Csv          *csv;     /* owned */
  guint        *columns; /* owned: those that are read */
  guint         n_columns;
} CsvReader;

static gboolean
next_row (CsvReader *reader,
          GError   **error)
{
  if (!read_record (reader->csv, error))
    return FALSE;
  if (reader->csv->fields->len == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the table has changed while it was read");
      return FALSE;
    }
  return check_width (reader->csv, error);
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
      for (guint k = 0; k < reader->n_columns; k++)
        {
          const char *text = field (reader->csv, reader->columns[k]);
          const char *name = reader->csv->table->names->pdata[reader->columns[k]];

          if (read_number (reader->csv->table, text, values) && isfinite (*values))
            values++;
          else
            {
              g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ", column \"%s\": %s%.40s%s",
                           reader->csv->line, name, is_missing (text) ? "a value is missing; fill it in or leave the line out (\"" : "\"",
                           text, is_missing (text) ? "\")" : "\" is no number");
              return FALSE;
            }
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

  for (gsize i = 0; i < count; i++)
    {
      if (!next_row (reader, error))
        return FALSE;
      if (is_missing (field (reader->csv, reader->columns[0])))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": the label is missing", reader->csv->line);
          return FALSE;
        }
      values[i] = g_utf8_make_valid (field (reader->csv, reader->columns[0]), -1);
    }
  return TRUE;
}

static void
csv_reader_free (NnArrayReader *base)
{
  CsvReader *reader = (CsvReader *) base;

  csv_free (reader->csv);
  g_free (reader->columns);
  g_free (reader);
}

static gboolean
find_column (const Csv  *csv,
             const char *name,
             guint      *column,
             GError    **error)
{
  const char *nearest;

  for (*column = 0; *column < csv->table->names->len; (*column)++)
    if (strcmp (csv->table->names->pdata[*column], name) == 0)
      return TRUE;
  g_ptr_array_add (csv->table->names, NULL);
  nearest = nn_text_nearest (name, (const char *const *) csv->table->names->pdata);
  g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "there is no column \"%s\"; did you mean \"%s\"?", name,
               nearest != NULL ? nearest : "");
  g_ptr_array_set_size (csv->table->names, csv->table->names->len - 1);
  return FALSE;
}

/* @names: columns with commas between, or %NULL for all; @but: left out, or %NULL. */
static gboolean
choose_columns (CsvReader  *reader,
                const char *names,
                const char *but,
                GError    **error)
{
  const Csv *csv = reader->csv;
  g_auto (GStrv) list = names != NULL ? g_strsplit (names, ",", -1) : NULL;
  guint n = list != NULL ? g_strv_length (list) : csv->table->names->len, left_out = G_MAXUINT;

  if (but != NULL && !find_column (csv, but, &left_out, error))
    return FALSE;
  reader->columns = g_new0 (guint, n + 1);
  for (guint i = 0; i < n; i++)
    {
      if (list == NULL)
        reader->columns[reader->n_columns] = i;
      else if (!find_column (csv, list[i], &reader->columns[reader->n_columns], error))
        return FALSE;
      reader->n_columns += reader->columns[reader->n_columns] != left_out;
    }
  if (reader->n_columns == 0)
    g_set_error_literal (error, NN_ERROR, NN_ERROR_SHAPE, "the table has no column besides the label");
  return reader->n_columns > 0;
}

NnArrayReader *
nn_data_csv_reader (NnCsvTable *table,
                    const char *names,
                    const char *but,
                    GError    **error)
{
  FILE *file = open_file (table->path, error);
  CsvReader *reader;
  g_autoptr (NnArrayReader) base = NULL;

  if (file == NULL)
    return NULL;
  g_atomic_ref_count_inc (&table->ref_count);
  reader = g_new0 (CsvReader, 1);
  reader->csv = csv_new (file, table);
  base = &reader->reader;
  base->free = csv_reader_free;
  base->read = csv_read;
  base->read_text = csv_read_text;
  if (!csv_rewind (reader->csv, error) || !choose_columns (reader, names, but, error))
    return NULL;
  base->is_text = reader->n_columns == 1 && but == NULL && table->is_text[reader->columns[0]];
  base->shape = base->is_text ? NN_SHAPE ((gint64) table->n_rows) : NN_SHAPE ((gint64) table->n_rows, reader->n_columns);
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
