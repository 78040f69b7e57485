/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of text. */

#include "app-table.h"

#include <stdarg.h>
#include <string.h>

AppTable *
app_table_new (const char *first_column,
               ...)
{
  AppTable *table = g_new0 (AppTable, 1);
  va_list args;

  table->columns = g_ptr_array_new_with_free_func (g_free);
  table->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  table->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  va_start (args, first_column);
  for (const char *title = first_column; title != NULL; title = va_arg (args, const char *))
    g_ptr_array_add (table->columns, g_strdup (title));
  va_end (args);
  return table;
}

void
app_table_free (AppTable *table)
{
  g_ptr_array_unref (table->columns);
  g_ptr_array_unref (table->rows);
  g_array_unref (table->ids);
  g_free (table);
}

void
app_table_take_v (AppTable  *table,
                  gint64     id,
                  char     **cells)
{
  g_ptr_array_add (table->rows, cells);
  g_array_append_val (table->ids, id);
}

void
app_table_take (AppTable *table,
                gint64    id,
                ...)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new ();
  va_list args;

  va_start (args, id);
  for (char *cell = va_arg (args, char *); cell != NULL; cell = va_arg (args, char *))
    g_ptr_array_add (cells, cell);
  va_end (args);
  g_ptr_array_add (cells, NULL);
  app_table_take_v (table, id, (char **) g_ptr_array_steal (cells, NULL));
}

/* RFC 4180 quoting. */
static void
append_csv (GString    *text,
            const char *cell)
{
  if (strpbrk (cell, ",\"\n\r") == NULL)
    {
      g_string_append (text, cell);
      return;
    }
  g_string_append_c (text, '"');
  for (const char *c = cell; *c != '\0'; c++)
    {
      if (*c == '"')
        g_string_append_c (text, '"');
      g_string_append_c (text, *c);
    }
  g_string_append_c (text, '"');
}

/* The narrow spaces between thousands are for people; machines get the digits alone. */
static char *
plain (const char *cell)
{
  g_auto (GStrv) parts = g_strsplit (cell, "\u202f", -1);

  return g_strjoinv (NULL, parts);
}

static void
append_row (GString            *text,
            const char *const  *cells,
            guint               n,
            gboolean            csv)
{
  for (guint i = 0; i < n && cells[i] != NULL; i++)
    {
      g_autofree char *cell = plain (cells[i]);

      if (i > 0)
        g_string_append_c (text, csv ? ',' : '\t');
      if (csv)
        append_csv (text, cell);
      else
        g_string_append (text, g_strdelimit (cell, "\t\n\r", ' '));
    }
  g_string_append (text, csv ? "\r\n" : "\n");
}

static char *
to_text (const AppTable *table,
         const char     *comment,
         gboolean        csv)
{
  GString *text = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (comment != NULL ? comment : "", "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    if (*lines[i] != '\0')
      g_string_append_printf (text, "# %s\r\n", lines[i]);
  append_row (text, (const char *const *) table->columns->pdata, table->columns->len, csv);
  for (guint i = 0; i < table->rows->len; i++)
    append_row (text, g_ptr_array_index (table->rows, i), table->columns->len, csv);
  return g_string_free (text, FALSE);
}

char *
app_table_to_csv (const AppTable *table,
                  const char     *comment)
{
  return to_text (table, comment, TRUE);
}

char *
app_table_to_tsv (const AppTable *table)
{
  return to_text (table, NULL, FALSE);
}
