/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Source of the layout: FlatBuffers, "Internals": offsets forward of 32 bits, a table's fields by a table of 16 bit offsets. */

#include "nn-flat.h"

#include <string.h>

#define OFFSET_BYTES 4
#define FIELD_BYTES 2
#define VTABLE_HEAD 4 /* its own size and the table's, before the fields */

/* A little-endian number of @size bytes; the sign is the caller's. */
static gboolean
get (const NnFlat *flat,
     gsize         at,
     gsize         size,
     guint64      *value)
{
  guint64 v = 0;

  if (at > flat->n || flat->n - at < size)
    return FALSE;
  for (gsize i = size; i-- > 0;)
    v = v << 8 | flat->bytes[at + i];
  *value = v;
  return TRUE;
}

static gint64
with_sign (guint64 value,
           gsize   size)
{
  int above = 64 - 8 * (int) size;

  return (gint64) (value << above) >> above;
}

/* Where an offset leads; 0 for nowhere. */
static gsize
follow (const NnFlat *flat,
        gsize         at)
{
  guint64 offset;

  if (!get (flat, at, OFFSET_BYTES, &offset) || offset == 0 || offset > flat->n - at)
    return 0;
  return at + (gsize) offset;
}

/* Where a field's value stands; 0 where the table leaves it out. */
static gsize
find (NnFlatTable table,
      guint       field)
{
  guint64 back, n, offset;
  gint64 vtable;

  if (table.at == 0 || !get (table.flat, table.at, OFFSET_BYTES, &back))
    return 0;
  vtable = (gint64) table.at - with_sign (back, OFFSET_BYTES);
  if (vtable < 0 || (guint64) vtable >= table.flat->n || !get (table.flat, (gsize) vtable, FIELD_BYTES, &n) ||
      n < VTABLE_HEAD + FIELD_BYTES * ((guint64) field + 1) ||
      !get (table.flat, (gsize) vtable + VTABLE_HEAD + FIELD_BYTES * (gsize) field, FIELD_BYTES, &offset) || offset == 0 ||
      offset > table.flat->n - table.at)
    return 0;
  return table.at + (gsize) offset;
}

NnFlatTable
nn_flat_root (const NnFlat *flat)
{
  return (NnFlatTable){ .flat = flat, .at = follow (flat, 0) };
}

/* @size: its bytes in the file, 1 to 8 */
gint64
nn_flat_int (NnFlatTable table,
             guint       field,
             gsize       size,
             gint64      fallback)
{
  gsize at = find (table, field);
  guint64 value;

  return at != 0 && get (table.flat, at, size, &value) ? with_sign (value, size) : fallback;
}

static double
as_float (guint64 bits)
{
  guint32 low = (guint32) bits;
  float value;

  memcpy (&value, &low, sizeof value);
  return value;
}

double
nn_flat_float (NnFlatTable table,
               guint       field,
               double      fallback)
{
  gsize at = find (table, field);
  guint64 value;

  return at != 0 && get (table.flat, at, sizeof (float), &value) ? as_float (value) : fallback;
}

NnFlatTable
nn_flat_table (NnFlatTable table,
               guint       field)
{
  gsize at = find (table, field);

  return (NnFlatTable){ .flat = table.flat, .at = at != 0 ? follow (table.flat, at) : 0 };
}

/* @size: bytes of an element; a vector that does not fit the file is empty */
NnFlatVector
nn_flat_vector (NnFlatTable table,
                guint       field,
                gsize       size)
{
  gsize at = find (table, field);
  NnFlatVector none = { .flat = table.flat };
  guint64 n;

  at = at != 0 ? follow (table.flat, at) : 0;
  if (at == 0 || !get (table.flat, at, OFFSET_BYTES, &n) || n > (table.flat->n - at - OFFSET_BYTES) / size)
    return none;
  return (NnFlatVector){ .flat = table.flat, .at = at + OFFSET_BYTES, .n = (gsize) n };
}

/* @i: below the vector's n */
gint64
nn_flat_vector_int (NnFlatVector vector,
                    gsize        size,
                    gsize        i)
{
  guint64 value;

  return get (vector.flat, vector.at + i * size, size, &value) ? with_sign (value, size) : 0;
}

double
nn_flat_vector_float (NnFlatVector vector,
                      gsize        i)
{
  guint64 value;

  return get (vector.flat, vector.at + i * sizeof (float), sizeof (float), &value) ? as_float (value) : 0;
}

NnFlatTable
nn_flat_vector_table (NnFlatVector vector,
                      gsize        i)
{
  return (NnFlatTable){ .flat = vector.flat, .at = i < vector.n ? follow (vector.flat, vector.at + i * OFFSET_BYTES) : 0 };
}

/* Returns: (transfer full): empty where there is none, or what is no UTF-8 */
char *
nn_flat_string (NnFlatTable table,
                guint       field)
{
  NnFlatVector text = nn_flat_vector (table, field, 1);
  const char *bytes = text.n > 0 ? (const char *) text.flat->bytes + text.at : "";

  return g_utf8_validate (bytes, (gssize) text.n, NULL) ? g_strndup (bytes, text.n) : g_strdup ("");
}
