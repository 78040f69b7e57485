/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table in plain text: every column as wide as what stands in it. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CliTable CliTable;

/* @titles: one for each column, ending with %NULL. The first @n_left columns are flush left, and one without a title, for remarks;
 * the others flush right. */
CliTable *cli_table_new   (const char *const *titles,
                           guint              n_left);
/* Takes @cell (%NULL for an empty one) as the next of the row; a row is full when it has a cell for each column. */
void      cli_table_take  (CliTable          *table,
                           char              *cell);
/* The same of a text that is made. */
void      cli_table_add   (CliTable          *table,
                           const char        *format,
                           ...) G_GNUC_PRINTF (2, 3);
/* On standard output. */
void      cli_table_print (const CliTable    *table);
void      cli_table_free  (CliTable          *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTable, cli_table_free)

G_END_DECLS
