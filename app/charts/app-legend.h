/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the entries of a legend stand: a swatch and a name each, in rows. */

#pragma once

#include "app-scene.h"

G_BEGIN_DECLS

/* Height of a row, and size of its text, of the size of text. */
#define APP_LEGEND_ROW  1.9
#define APP_LEGEND_TEXT 0.92

/**
 * AppLegend:
 * @left, @right: entries fill rows between them; one too many begins the next row
 * @text: size of text
 * @swatch: width of what stands before a name
 * @x, @y: of the entry placed last: where it begins, its middle line; @y is that of the first row at first
 * @next: where the next one begins
 */
typedef struct {
  double left, right, text, swatch;
  double x, y;
  double next;
} AppLegend;

void app_legend_begin (AppLegend       *legend,
                       double           left);
void app_legend_place (AppLegend       *legend,
                       const char      *name);
/* The name of the entry placed last; its swatch is the caller's to draw. */
void app_legend_name  (const AppLegend *legend,
                       AppScene        *scene,
                       const char      *name);

G_END_DECLS
