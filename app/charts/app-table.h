/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a chart shows, as a table: for the screen reader, the clipboard and CSV files. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  GPtrArray *columns; /* titles */
  GPtrArray *rows;    /* GStrv each */
  GArray    *ids;     /* gint64: the mark each row stands for, -1 for none */
} AppTable;

AppTable *app_table_new    (const char     *first_column,
                            ...) G_GNUC_NULL_TERMINATED;
void      app_table_free   (AppTable       *table);
/* Takes the cells, which are freed with the table. */
void      app_table_take   (AppTable       *table,
                            gint64          id,
                            ...) G_GNUC_NULL_TERMINATED;
void      app_table_take_v (AppTable       *table,
                            gint64          id,
                            char          **cells);
char     *app_table_to_csv (const AppTable *table,
                            const char     *comment) G_GNUC_MALLOC; /* (nullable): lines put before it, each after "# " */
char     *app_table_to_tsv (const AppTable *table) G_GNUC_MALLOC;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AppTable, app_table_free)

G_END_DECLS
