/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of a table as text, one after the other. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _NnCsv NnCsv;

/* @path: a table, packed with gzip or not; what separates its columns is guessed from its first line. The error names the file. */
NnCsv      *nn_csv_open       (const char   *path,
                               GError      **error);
void        nn_csv_free       (NnCsv        *csv);
/* Back to the first record. */
void        nn_csv_rewind     (NnCsv        *csv);
/* The next record that is not blank; at the end of the file it has no fields. */
gboolean    nn_csv_next       (NnCsv        *csv,
                               GError      **error);
guint       nn_csv_n_fields   (const NnCsv  *csv);
/* Blanks around it are gone. Good until the next record is read. */
const char *nn_csv_field      (const NnCsv  *csv,
                               guint         i);
/* Of the record's first line, from 1. */
gsize       nn_csv_line       (const NnCsv  *csv);
/* Bytes of the file that were read. */
guint64     nn_csv_position   (const NnCsv  *csv);
/* The whole of @text as a number. */
gboolean    nn_csv_number     (const NnCsv  *csv,
                               const char   *text,
                               double       *value);
/* Whether @text stands for a value that is not there. */
gboolean    nn_csv_is_missing (const char   *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnCsv, nn_csv_free)

G_END_DECLS
