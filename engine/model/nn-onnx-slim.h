/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An ONNX file without its large constants. Internal to the room. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Raw data that stay in the file. */
typedef struct {
  const guint8 *bytes;
  gsize         n;
} NnOnnxLarge;

GByteArray *nn_onnx_slim    (const guint8  *bytes,
                             gsize          n,
                             GArray        *large);

G_END_DECLS
