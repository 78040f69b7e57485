/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scene → cairo: the one painter, for the screen, for files and for paper. */

#pragma once

#include "app-palette.h"

#include <cairo.h>

G_BEGIN_DECLS

void paint_scene     (const AppScene   *scene,
                      const AppPalette *palette,
                      cairo_t          *cr);
/* The outline of what the pointer or the keyboard is at; @strong for the selected one. */
void paint_highlight (const AppScene   *scene,
                      const AppPalette *palette,
                      gint64            id,
                      gboolean          strong,
                      cairo_t          *cr);
void paint_grid      (const AppScene   *scene,
                      const AppMark    *mark,
                      const AppPalette *palette,
                      cairo_t          *cr);
double paint_text_width (const char      *text,
                         double           size,
                         gboolean         bold);
void paint_source    (cairo_t          *cr,
                      AppColour         colour);

G_END_DECLS
