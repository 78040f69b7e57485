/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the HDF5 library does not look at before it reads: heaps, and groups whose heaps are not in the file, end the whole program
 * there (seen with 1.10.8). Source of the layout: HDF5 File Format Specification 1.1, sections III.D, "Local Heaps", and IV.A.2.r,
 * "Symbol Table Message". */

#include "nn-h5.h"

#include <stdio.h>
#include <string.h>

/* What is searched for ends in a byte other than 0: in zeros, which pruned weights are, the search is slow else. */
#define SIGNATURE "HEAP"
#define SIGNATURE_BYTES 4
/* Version 0 and three reserved bytes. */
#define VERSION_BYTES 4
/* Signature, size of the data, the free list, address of the data. */
#define HEADER_BYTES 32
#define SIZE_AT 8
#define ADDRESS_AT 24
/* A message of type 0x11 with 16 bytes; its flags and three reserved bytes follow, then the addresses of the tree and of the heap. */
#define GROUP "\x11\0\x10"
#define GROUP_BYTES 3
#define GROUP_RESERVED_AT 5
#define TREE_AT 8
#define HEAP_AT 16
#define MESSAGE_BYTES 24
/* Of the superblock: how many bytes offsets and lengths have; in versions 0 and 1, and in 2 and 3. */
#define OLD_SIZES_AT 13
#define NEW_SIZES_AT 9
#define VERSION_AT 8
#define CHUNK (1u << 20)
#define CHECKED_BYTES (64u << 20)

static guint64
number (const guint8 *bytes)
{
  guint64 v = 0;

  for (guint i = 8; i-- > 0;)
    v = v << 8 | bytes[i];
  return v;
}

/* Whether offsets and lengths have 8 bytes, as everywhere since 32 bit files went. */
static gboolean
is_usual (const guint8 *head,
          gsize         n)
{
  gsize at = n > VERSION_AT && head[VERSION_AT] >= 2 ? NEW_SIZES_AT : OLD_SIZES_AT;

  return n > at + 1 && head[at] == 8 && head[at + 1] == 8;
}

/* Whether all heaps that begin in the first @n bytes keep within @size; the last few bytes are another part's. */
static gboolean
heaps_fit (const guint8 *bytes,
           gsize         n,
           guint64       size)
{
  static const guint8 version[VERSION_BYTES];
  const guint8 *at = bytes, *end = bytes + n;

  while ((at = memmem (at, (gsize) (end - at), SIGNATURE, SIGNATURE_BYTES)) != NULL && end - at >= HEADER_BYTES)
    {
      guint64 length = number (at + SIZE_AT), address = number (at + ADDRESS_AT);

      if (memcmp (at + SIGNATURE_BYTES, version, sizeof version) == 0 && (address > size || length > size - address))
        return FALSE;
      at += SIGNATURE_BYTES;
    }
  return TRUE;
}

/* The same of all groups. */
static gboolean
groups_fit (const guint8 *bytes,
            gsize         n,
            guint64       size)
{
  static const guint8 reserved[3];
  const guint8 *at = bytes, *end = bytes + n;

  while ((at = memmem (at, (gsize) (end - at), GROUP, GROUP_BYTES)) != NULL && end - at >= MESSAGE_BYTES)
    {
      if (at[GROUP_BYTES] == 0 && memcmp (at + GROUP_RESERVED_AT, reserved, sizeof reserved) == 0 && (number (at + TREE_AT) >= size || number (at + HEAP_AT) >= size))
        return FALSE;
      at += GROUP_BYTES;
    }
  return TRUE;
}

static gboolean
fits_within (const guint8 *bytes,
             gsize         n,
             guint64       size)
{
  return heaps_fit (bytes, n, size) && groups_fit (bytes, n, size);
}

/**
 * nn_h5_check_image:
 *
 * Returns: whether no heap and no group of the file points out of it
 */
gboolean
nn_h5_check_image (const guint8 *bytes,
                   gsize         n)
{
  return !is_usual (bytes, n) || fits_within (bytes, n, n);
}

/* The same of the first CHECKED_BYTES of a file: of a larger one the library is trusted with the rest. */
gboolean
nn_h5_check_file (const char *path)
{
  FILE *file = fopen (path, "rb");
  g_autofree guint8 *bytes = g_malloc (CHUNK + HEADER_BYTES);
  gboolean fits = TRUE;
  gsize kept = 0, got;
  guint64 size = 0, seen = 0;

  if (file == NULL)
    return TRUE;
  if (fseeko (file, 0, SEEK_END) == 0)
    size = (guint64) ftello (file);
  rewind (file);
  while (fits && seen < CHECKED_BYTES && (got = fread (bytes + kept, 1, CHUNK, file)) > 0)
    {
      gsize n = kept + got;

      if (seen == 0 && !is_usual (bytes, n))
        break;
      fits = fits_within (bytes, n, size);
      /* a header that lies across is seen with the next part */
      kept = MIN (n, HEADER_BYTES - 1);
      memmove (bytes, bytes + n - kept, kept);
      seen += got;
    }
  fclose (file);
  return fits;
}
