/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FlatBuffers, read in place. Every offset is checked: what points out of the file is absent. Internal to the room. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Borrowed bytes of a file. */
typedef struct {
  const guint8 *bytes;
  gsize         n;
} NnFlat;

/* @at: where its offset to the table of fields stands; 0 for no table. */
typedef struct {
  const NnFlat *flat;
  gsize         at;
} NnFlatTable;

/* @n: elements of @size bytes; all of them lie in the file. */
typedef struct {
  const NnFlat *flat;
  gsize         at;
  gsize         n;
} NnFlatVector;

NnFlatTable  nn_flat_root         (const NnFlat *flat);
gint64       nn_flat_int          (NnFlatTable   table,
                                   guint         field,
                                   gsize         size,
                                   gint64        fallback);
double       nn_flat_float        (NnFlatTable   table,
                                   guint         field,
                                   double        fallback);
NnFlatTable  nn_flat_table        (NnFlatTable   table,
                                   guint         field);
NnFlatVector nn_flat_vector       (NnFlatTable   table,
                                   guint         field,
                                   gsize         size);
gint64       nn_flat_vector_int   (NnFlatVector  vector,
                                   gsize         size,
                                   gsize         i);
double       nn_flat_vector_float (NnFlatVector  vector,
                                   gsize         i);
NnFlatTable  nn_flat_vector_table (NnFlatVector  vector,
                                   gsize         i);
char        *nn_flat_string       (NnFlatTable   table,
                                   guint         field);

G_END_DECLS
