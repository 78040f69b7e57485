/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables as text: quotes as in RFC 4180, and commas, semicolons, tabs, bars or blanks between the columns; lines that begin with # are
 * remarks. Where no commas separate, numbers may have decimal commas. */

#include "nn-csv.h"

#include "nn-error.h"
#include "nn-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* A record longer than this is not one. */
#define MAX_RECORD (16 << 20)
#define MAX_COLUMNS 65536
#define BUFFER (1 << 18)
/* What a double holds exactly: all whole numbers below this, and so many powers of ten. */
#define EXACT_WHOLE (G_GUINT64_CONSTANT (1) << 53)
#define EXACT_POWERS 22

struct _NnCsv {
  gzFile   file;      /* owned */
  char    *buffer;    /* owned: bytes of the file, of which those from @at to @n are still to be seen */
  gsize    at, n;
  GString *record;    /* owned: the fields' text, one after the other, each ended by a 0 */
  GArray  *fields;    /* owned: where each begins in @record (gsize) */
  gsize    line;      /* of the record's first line */
  gsize    next_line;
  char     newline;
  char     separator;
};

/* FALSE where the bytes could not be read; at the end there are none. */
static gboolean
refill (NnCsv   *csv,
        GError **error)
{
  int got = gzread (csv->file, csv->buffer, BUFFER), status = Z_OK;

  csv->at = 0;
  csv->n = MAX (got, 0);
  if (got > 0)
    return TRUE;
  gzerror (csv->file, &status);
  if (got == 0 && status != Z_BUF_ERROR)
    return TRUE;
  if (status == Z_ERRNO)
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "the table cannot be read: %s", g_strerror (errno));
  else
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the gzip data are %s", got == 0 ? "cut short" : "damaged");
  return FALSE;
}

void
nn_csv_rewind (NnCsv *csv)
{
  gzrewind (csv->file);
  csv->at = csv->n = 0;
  csv->next_line = 1;
  if (refill (csv, NULL) && csv->n >= 3 && memcmp (csv->buffer, "\xef\xbb\xbf", 3) == 0)
    csv->at = 3; /* a byte-order mark */
}

/* Appends the next line, without its end, to the record. @got: whether there was one. */
static gboolean
read_line (NnCsv     *csv,
           gboolean  *got,
           GError   **error)
{
  *got = FALSE;
  for (;;)
    {
      const char *start = csv->buffer + csv->at, *end;
      gsize n;

      if (csv->at == csv->n && !refill (csv, error))
        return FALSE;
      if (csv->n == 0)
        return TRUE;
      *got = TRUE;
      start = csv->buffer + csv->at;
      end = memchr (start, csv->newline, csv->n - csv->at);
      n = end != NULL ? (gsize) (end - start) : csv->n - csv->at;
      g_string_append_len (csv->record, start, n);
      csv->at += n + (end != NULL);
      if (csv->record->len >= MAX_RECORD)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "line %" G_GSIZE_FORMAT ": the line is too long for a table", csv->line);
          return FALSE;
        }
      if (end != NULL)
        {
          csv->next_line++;
          return TRUE;
        }
    }
}

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

/* The field from @start to @end of the record, of which @end is free for the 0 that ends it. */
static gboolean
add_field (NnCsv   *csv,
           gsize    start,
           gsize    end,
           GError **error)
{
  char *text = csv->record->str;

  while (start < end && is_blank (text[start]))
    start++;
  while (end > start && is_blank (text[end - 1]))
    end--;
  text[end] = '\0';
  g_array_append_val (csv->fields, start);
  if (csv->fields->len <= MAX_COLUMNS)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "line %" G_GSIZE_FORMAT ": more than %d columns", csv->line, MAX_COLUMNS);
  return FALSE;
}

/* Where there are no quotes, and every separator counts. */
static gboolean
split_plain (NnCsv   *csv,
             GError **error)
{
  const gsize n = csv->record->len;
  gsize start = 0;

  for (gsize i = 0; i < n; i++)
    if (csv->record->str[i] == csv->separator)
      {
        if (!add_field (csv, start, i, error))
          return FALSE;
        start = i + 1;
      }
  return add_field (csv, start, n, error);
}

/* The line that goes on within quotes. */
static gboolean
continue_quoted (NnCsv   *csv,
                 GError **error)
{
  gboolean got;

  g_string_append_c (csv->record, '\n');
  if (!read_line (csv, &got, error))
    return FALSE;
  if (!got)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "line %" G_GSIZE_FORMAT ": a quotation mark is not closed", csv->line);
  return got;
}

/* Divides the record where it lies: what is written is never ahead of what is read. */
static gboolean
split_quoted (NnCsv   *csv,
       GError **error)
{
  gsize from = 0, to = 0, start = 0;
  gboolean quoted = FALSE;

  for (;;)
    {
      char *text = csv->record->str;
      char c;

      if (from == csv->record->len && quoted)
        {
          if (!continue_quoted (csv, error))
            return FALSE;
          continue;
        }
      if (from == csv->record->len)
        break;
      c = text[from++];
      if (c == ' ' && to == start && !quoted)
        continue; /* before a field; of several between two they are one */
      if (c == '"' && quoted && text[from] == '"')
        text[to++] = text[from++]; /* a doubled one is one */
      else if (c == '"' && (quoted || to == start))
        quoted = !quoted;
      else if (c == csv->separator && !quoted)
        {
          if (!add_field (csv, start, to, error))
            return FALSE;
          start = to = from;
        }
      else if (c != '\0')
        text[to++] = c;
    }
  return (csv->separator == ' ' && to == start && csv->fields->len > 0) || add_field (csv, start, to, error);
}

static gboolean
split (NnCsv   *csv,
       GError **error)
{
  const GString *record = csv->record;

  return csv->separator != ' ' && memchr (record->str, '"', record->len) == NULL && memchr (record->str, '\0', record->len) == NULL
           ? split_plain (csv, error) : split_quoted (csv, error);
}

gboolean
nn_csv_next (NnCsv   *csv,
             GError **error)
{
  do
    {
      gboolean got;

      csv->line = csv->next_line;
      g_string_truncate (csv->record, 0);
      g_array_set_size (csv->fields, 0);
      if (!read_line (csv, &got, error))
        return FALSE;
      if (!got)
        return TRUE;
      if (csv->record->str[0] == '#')
        g_string_truncate (csv->record, 0);
      if (!split (csv, error))
        return FALSE;
    }
  while (csv->fields->len == 1 && *nn_csv_field (csv, 0) == '\0');
  return TRUE;
}

guint
nn_csv_n_fields (const NnCsv *csv)
{
  return csv->fields->len;
}

const char *
nn_csv_field (const NnCsv *csv,
              guint        i)
{
  return csv->record->str + g_array_index (csv->fields, gsize, i);
}

gsize
nn_csv_line (const NnCsv *csv)
{
  return csv->line;
}

guint64
nn_csv_position (const NnCsv *csv)
{
  return (guint64) MAX (gzoffset (csv->file), 0);
}

/* What stands between the columns of a line, outside quotes. Commas between digits are taken for decimal ones where something else is
 * there that could separate. */
static char
guess_separator (const char *line)
{
  static const char separators[] = { ',', ';', '\t', '|', ' ' };
  gsize counts[G_N_ELEMENTS (separators)] = { 0 }, decimal = 0, others;
  gboolean quoted = FALSE;
  guint best = 0;

  for (const char *p = line; *p != '\0'; p++)
    {
      quoted ^= *p == '"';
      for (guint i = 0; i < G_N_ELEMENTS (separators); i++)
        counts[i] += !quoted && *p == separators[i];
      decimal += !quoted && *p == ',' && p > line && g_ascii_isdigit (p[-1]) && g_ascii_isdigit (p[1]);
    }
  others = counts[1] + counts[2] + counts[3] + counts[4];
  if (counts[0] <= decimal && others > 0)
    counts[0] = 0;
  /* blanks are also within names, so they separate only where nothing else does */
  for (guint i = 1; i < G_N_ELEMENTS (separators) - 1; i++)
    best = counts[i] > counts[best] ? i : best;
  return counts[best] == 0 && counts[4] > 0 ? ' ' : separators[best];
}

/* Lines end with a line feed, or as they did long ago with a carriage return alone. */
static char
guess_newline (const NnCsv *csv)
{
  const char *text = csv->buffer + csv->at;
  gsize n = csv->n - csv->at;
  const char *feed = memchr (text, '\n', n), *back = memchr (text, '\r', n);

  return feed == NULL && back != NULL ? '\r' : '\n';
}

static gboolean
guess (NnCsv   *csv,
       GError **error)
{
  gboolean got = TRUE;

  nn_csv_rewind (csv);
  csv->newline = guess_newline (csv);
  do
    {
      g_string_truncate (csv->record, 0);
      if (!read_line (csv, &got, error))
        return FALSE;
    }
  while (got && (csv->record->str[0] == '#' || strspn (csv->record->str, " \t\r") == csv->record->len));
  csv->separator = guess_separator (csv->record->str);
  nn_csv_rewind (csv);
  return TRUE;
}

NnCsv *
nn_csv_open (const char *path,
             GError    **error)
{
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  g_autoptr (NnCsv) csv = NULL;

  if (fd < 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", path, g_strerror (errno));
      return NULL;
    }
  csv = g_new0 (NnCsv, 1);
  csv->record = g_string_new (NULL);
  csv->fields = g_array_new (FALSE, FALSE, sizeof (gsize));
  csv->buffer = g_malloc (BUFFER);
  csv->file = gzdopen (fd, "rb");
  if (csv->file == NULL)
    {
      close (fd);
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: there is no memory for reading", path);
      return NULL;
    }
  gzbuffer (csv->file, BUFFER);
  if (guess (csv, error))
    return g_steal_pointer (&csv);
  g_prefix_error (error, "%s: ", path);
  return NULL;
}

void
nn_csv_free (NnCsv *csv)
{
  if (csv == NULL)
    return;
  if (csv->file != NULL)
    gzclose (csv->file);
  g_free (csv->buffer);
  g_string_free (csv->record, TRUE);
  g_array_unref (csv->fields);
  g_free (csv);
}

/* Decimal digits with a point and an exponent, as long as the result is exact: then it is the quotient or product of two numbers that
 * are, which rounds once. Source: W. Clinger, How to read floating point numbers accurately (1990). */
static gboolean
read_exact (const char *text,
            char        point,
            double     *value)
{
  static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
  gboolean negative = *text == '-';
  gboolean seen_point = FALSE;
  guint64 whole = 0;
  int digits = 0, power = 0;
  const char *p = text + (*text == '-' || *text == '+');

  for (; g_ascii_isdigit (*p) || (*p == point && !seen_point); p++)
    if (*p == point)
      seen_point = TRUE;
    else
      {
        whole = whole * 10 + (guint64) (*p - '0');
        power -= seen_point;
        if (++digits > 18)
          return FALSE;
      }
  if (digits > 0 && (*p == 'e' || *p == 'E'))
    {
      gboolean minus = p[1] == '-';
      const char *start = p + 1 + (p[1] == '-' || p[1] == '+');
      int exponent = 0;

      for (p = start; g_ascii_isdigit (*p) && p < start + 4; p++)
        exponent = exponent * 10 + (*p - '0');
      if (p == start)
        return FALSE;
      power += minus ? -exponent : exponent;
    }
  if (digits == 0 || *p != '\0' || whole > EXACT_WHOLE || power < -EXACT_POWERS || power > EXACT_POWERS)
    return FALSE;
  *value = power < 0 ? (double) whole / powers[-power] : (double) whole * powers[power];
  *value = negative ? -*value : *value;
  return TRUE;
}

/* With a decimal point, or a decimal comma where commas do not separate. Points between thousands are none: who could tell 1.234 from
 * 1,234? */
gboolean
nn_csv_number (const NnCsv *csv,
               const char  *text,
               double      *value)
{
  g_autofree char *copy = NULL;
  const char *comma;

  if (read_exact (text, '.', value) || nn_text_to_double (text, value))
    return TRUE;
  comma = csv->separator != ',' ? strchr (text, ',') : NULL;
  if (comma == NULL || strchr (text, '.') != NULL)
    return FALSE;
  if (read_exact (text, ',', value))
    return TRUE;
  copy = g_strdup (text);
  copy[comma - text] = '.';
  return nn_text_to_double (copy, value);
}

gboolean
nn_csv_is_missing (const char *text)
{
  static const char *const words[] = { "", "?", "na", "n/a", "nan", "null", "none" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_ascii_strcasecmp (text, words[i]) == 0)
      return TRUE;
  return FALSE;
}
