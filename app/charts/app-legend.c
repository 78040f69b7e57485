/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the entries of a legend stand. */

#include "app-legend.h"

#include "paint-scene.h"

/* Of the size of text: between a swatch and its name, between entries. */
#define BEFORE_NAME 0.5
#define BETWEEN     1.5

void
app_legend_begin (AppLegend *legend,
                  double     left)
{
  legend->left = legend->next = left;
}

void
app_legend_place (AppLegend  *legend,
                  const char *name)
{
  double w = legend->swatch + legend->text * BEFORE_NAME + paint_text_width (name, legend->text * APP_LEGEND_TEXT, FALSE);

  if (legend->next > legend->left && legend->next + w > legend->right)
    {
      legend->next = legend->left;
      legend->y += legend->text * APP_LEGEND_ROW;
    }
  legend->x = legend->next;
  legend->next += w + legend->text * BETWEEN;
}

void
app_legend_name (const AppLegend *legend,
                 AppScene        *scene,
                 const char      *name)
{
  app_scene_text (scene, name, legend->x + legend->swatch + legend->text * BEFORE_NAME, legend->y, legend->text * APP_LEGEND_TEXT, 0,
                  APP_INK (TEXT));
}
