/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The LZF filter that h5py compresses with, which HDF5 itself does not have. Source: the filter's number and parameters, h5py's
 * documentation of lzf; the format, M. Lehmann, LibLZF. */

#include "nn-h5-lzf.h"

#define H5_USE_18_API 1
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#define LZF_FILTER 32000
/* Lengths of copies in three bits; the last says that a byte with the rest follows. */
#define LONG_COPY 7
/* Bytes that a copy has beyond what is written. */
#define SHORTEST_COPY 2
/* Controls below this are literals: one byte more than told. */
#define LITERALS 32
/* A chunk larger than this is not unpacked. */
#define LARGEST_CHUNK ((size_t) 1 << 31)

/**
 * nn_lzf_unpack:
 *
 * Returns: bytes of @to that were filled; 0 where the packed bytes are damaged or do not fit
 */
gsize
nn_lzf_unpack (const guint8 *from,
               gsize         n_from,
               guint8       *to,
               gsize         n_to)
{
  gsize i = 0, o = 0;

  while (i < n_from)
    {
      guint control = from[i++];
      gsize length, back;

      if (control < LITERALS)
        {
          length = control + 1;
          if (length > n_from - i || length > n_to - o)
            return 0;
          memcpy (to + o, from + i, length);
          i += length;
          o += length;
          continue;
        }
      length = control >> 5;
      if (length == LONG_COPY)
        {
          if (i == n_from)
            return 0;
          length += from[i++];
        }
      length += SHORTEST_COPY;
      if (i == n_from)
        return 0;
      back = ((gsize) (control & (LITERALS - 1)) << 8 | from[i++]) + 1;
      if (back > o || length > n_to - o)
        return 0;
      /* what is copied may overlap with where it goes */
      for (gsize k = 0; k < length; k++, o++)
        to[o] = to[o - back];
    }
  return o;
}

/* Only reading: packed chunks are unpacked into the chunk's size, which is the third parameter. */
static size_t
filter (unsigned           flags,
        size_t             n_parameters,
        const unsigned     parameters[],
        size_t             n_bytes,
        size_t            *buffer_size,
        void             **buffer)
{
  size_t size = n_parameters >= 3 && parameters[2] > 0 ? parameters[2] : *buffer_size;
  guint8 *unpacked;

  if (!(flags & H5Z_FLAG_REVERSE) || size > LARGEST_CHUNK)
    return 0;
  unpacked = malloc (size);
  size = unpacked != NULL ? nn_lzf_unpack (*buffer, n_bytes, unpacked, size) : 0;
  if (size == 0)
    {
      free (unpacked);
      return 0;
    }
  free (*buffer);
  *buffer = unpacked;
  *buffer_size = size;
  return size;
}

/* Makes HDF5 know the filter, once in the program's life. */
void
nn_h5_register_lzf (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done))
    {
      const H5Z_class2_t class = { .version = H5Z_CLASS_T_VERS, .id = LZF_FILTER, .encoder_present = 0, .decoder_present = 1, .name = "lzf",
                                   .filter = filter };

      if (H5Zfilter_avail (LZF_FILTER) <= 0)
        H5Zregister (&class);
      g_once_init_leave (&done, 1);
    }
}
