/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scene → picture file, with a background: for the window and the command line. Whoever uses it need not know Cairo. */

#pragma once

#include "app-palette.h"

G_BEGIN_DECLS

typedef enum { PAINT_PNG, PAINT_SVG, PAINT_PDF } PaintFormat;

/* By the end of the name, in any case; PNG where it is none of the three. */
PaintFormat paint_format (const char       *path);
/* The scene's own size; PNG at twice the points. (transfer full) */
GByteArray *paint_bytes  (const AppScene   *scene,
                          const AppPalette *palette,
                          PaintFormat       format);

G_END_DECLS
