/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that does not depend on the locale: numbers, identifiers, words nearest to a misspelt one. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

char       *nn_text_from_double (double              value) G_GNUC_MALLOC;
void        nn_text_append_double (GString          *text,
                                   double            value);
gboolean    nn_text_to_double   (const char         *text,
                                 double             *value);
double      nn_text_decimals    (double              value,
                                 guint               digits);
gboolean    nn_text_to_int      (const char         *text,
                                 gint64             *value);
char       *nn_text_identifier  (const char         *name) G_GNUC_MALLOC;
const char *nn_text_nearest     (const char         *word,
                                 const char * const *words);
char       *nn_text_thousands   (gint64              value) G_GNUC_MALLOC;

G_END_DECLS
