/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table in plain text: every column as wide as what stands in it. */

#include "cli-table.h"

/* Blanks between columns. */
#define GAP 2

struct _CliTable {
  guint      n_columns, n_left;
  GPtrArray *cells; /* (element-type utf8): row by row, the titles first */
};

CliTable *
cli_table_new (const char *const *titles,
               guint              n_left)
{
  CliTable *table = g_new0 (CliTable, 1);

  table->n_columns = g_strv_length ((char **) titles);
  table->n_left = n_left;
  table->cells = g_ptr_array_new_with_free_func (g_free);
  for (; *titles != NULL; titles++)
    g_ptr_array_add (table->cells, g_strdup (*titles));
  return table;
}

void
cli_table_free (CliTable *table)
{
  g_ptr_array_unref (table->cells);
  g_free (table);
}

void
cli_table_take (CliTable *table,
                char     *cell)
{
  g_ptr_array_add (table->cells, cell != NULL ? cell : g_strdup (""));
}

void
cli_table_add (CliTable   *table,
               const char *format,
               ...)
{
  va_list arguments;

  va_start (arguments, format);
  cli_table_take (table, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

static void
put_blanks (GString *line,
            gsize    n)
{
  for (gsize i = 0; i < n; i++)
    g_string_append_c (line, ' ');
}

void
cli_table_print (const CliTable *table)
{
  guint n = table->n_columns;
  g_autofree gsize *width = g_new0 (gsize, n);
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; i < table->cells->len; i++)
    width[i % n] = MAX (width[i % n], (gsize) g_utf8_strlen (g_ptr_array_index (table->cells, i), -1));
  for (guint i = 0; i < table->cells->len; i++)
    {
      const char *cell = g_ptr_array_index (table->cells, i), *title = g_ptr_array_index (table->cells, i % n);
      gsize room = width[i % n] - (gsize) g_utf8_strlen (cell, -1);
      gboolean left = i % n < table->n_left || *title == '\0';

      put_blanks (line, (i % n > 0 ? GAP : 0) + (left ? 0 : room));
      g_string_append (line, cell);
      put_blanks (line, left ? room : 0);
      if (i % n + 1 < n)
        continue;
      g_print ("%s\n", g_strchomp (line->str));
      g_string_truncate (line, 0);
    }
}
