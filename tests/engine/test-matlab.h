/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Elements of MATLAB 5 files. */

#pragma once

#include <glib.h>
#include <string.h>

/* An element of a MATLAB file: its type, its bytes, padded to eight. */
static inline void
test_matlab_put (GByteArray   *to,
                 guint32       type,
                 gconstpointer bytes,
                 guint32       n)
{
  static const guint8 zeros[8];
  const guint32 tag[2] = { type, n };

  g_byte_array_append (to, (const guint8 *) tag, sizeof tag);
  g_byte_array_append (to, bytes, n);
  g_byte_array_append (to, zeros, (8 - n % 8) % 8);
}
