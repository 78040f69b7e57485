/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A matrix with its axes: data → marks. */

#include "layout-heatmap.h"

#include "app-axis.h"
#include "paint-scene.h"

#include <math.h>

#define MAX_CELL 34.0
#define MAX_ASPECT 3.0

AppHeatmap *
app_heatmap_new (AppGrid    *grid,
                 const char *x_title,
                 const char *y_title)
{
  AppHeatmap *map = g_new0 (AppHeatmap, 1);

  map->grid = grid;
  map->x_title = g_strdup (x_title);
  map->y_title = g_strdup (y_title);
  return map;
}

void
app_heatmap_free (AppHeatmap *map)
{
  app_grid_unref (map->grid);
  g_free (map->x_title);
  g_free (map->y_title);
  g_free (map->pruned_label);
  g_strfreev (map->x_names);
  g_strfreev (map->y_names);
  g_free (map);
}

/* Cells fill the room, but stay near to squares and no larger than helps. */
static void
cell_size (const AppHeatmap *map,
           double            room_w,
           double            room_h,
           double           *cw,
           double           *ch)
{
  double largest = map->max_cell > 0 ? map->max_cell : MAX_CELL;
  double aspect = map->aspect > 0 ? map->aspect : MAX_ASPECT;

  *cw = MIN (room_w / map->grid->n_cols, largest * aspect);
  *ch = MIN (room_h / map->grid->n_rows, largest * aspect);
  if (MIN (*cw, *ch) > largest)
    *cw = MIN (*cw, largest * 1.6), *ch = MIN (*ch, largest);
  /* Very long or flat matrices: let the thin side have at least a pixel's share, and keep within the aspect where there is room. */
  *cw = MIN (*cw, MAX (*ch * aspect, 1.0));
  *ch = MIN (*ch, MAX (*cw * aspect, 1.0));
  *cw = MIN (*cw, room_w / map->grid->n_cols);
  *ch = MIN (*ch, room_h / map->grid->n_rows);
}

static void
add_indices (AppScene         *scene,
             const AppHeatmap *map,
             const AppMark    *grid,
             gboolean          columns,
             double            text)
{
  guint block = MAX (columns ? map->x_block : map->y_block, 1);
  gsize n = (columns ? map->grid->n_cols : map->grid->n_rows) / block;
  double cell = (columns ? grid->w : grid->h) / n, at0 = columns ? grid->x : grid->y;
  double from = columns ? scene->area.x : scene->area.y, to = from + (columns ? scene->area.w : scene->area.h);
  char **names = columns ? map->x_names : map->y_names;
  gsize step = 1, base[] = { 1, 2, 5 }, power = 1;

  for (guint i = 0; step * cell < text * (columns ? (names != NULL ? 4.5 : 2.6) : 1.35); i++)
    {
      step = base[i % 3] * power;
      if (i % 3 == 2)
        power *= 10;
    }
  for (gsize k = 0; k < n; k += step)
    {
      double at = at0 + (k + 0.5) * cell;
      g_autofree char *number = g_strdup_printf ("%" G_GSIZE_FORMAT, k);
      const char *label = names != NULL ? names[k] : number;
      AppMark *mark;

      if (at < from || at > to)
        continue;
      if (columns)
        mark = app_scene_text (scene, label, at, scene->area.y - text * 0.8, text * 0.85, 0.5, APP_INK (DIM));
      else
        mark = app_scene_text (scene, label, scene->area.x - text * 0.5, at, text * 0.85, 1, APP_INK (DIM));
      if (columns && names != NULL)
        mark->w = step * cell;
    }
}

/* Points, of the scale of colours. */
#define MIN_SCALE 48
#define MAX_SCALE 180

static void
add_scale (AppScene         *scene,
           const AppHeatmap *map,
           const AppView    *view)
{
  const AppGrid *grid = map->grid;
  double w, x = scene->area.x, y = view->height - view->text * 1.3;
  g_autofree char *high = app_number (grid->limit, 3);
  g_autofree char *low = grid->sequential ? g_strdup ("0") : g_strconcat (APP_MINUS, high, NULL);
  double label = map->pruned_label != NULL ? view->text * 1.6 + 30 + paint_text_width (map->pruned_label, view->text * 0.88, FALSE) : 0;
  double lw = paint_text_width (low, view->text * 0.88, FALSE) + 8, hw = paint_text_width (high, view->text * 0.88, FALSE) + 8;

  /* the colours give way to the words */
  w = CLAMP (view->width - x - lw - hw - label - view->text * 0.5, MIN_SCALE, MIN (MAX_SCALE, view->width * 0.4));
  app_scene_text (scene, low, x, y, view->text * 0.88, 0, APP_INK (DIM));
  for (guint i = 0; i < 45; i++)
    app_scene_rect (scene, -1, x + lw + i * w / 45, y - 6, w / 45 + 0.6, 12,
                    (AppInk) { .role = grid->sequential ? APP_INK_RAMP : APP_INK_DIVERGE,
                               .t = grid->sequential ? i / 44.0f : i / 22.0f - 1 });
  app_scene_text (scene, high, x + lw + w + 8, y, view->text * 0.88, 0, APP_INK (DIM));
  if (map->pruned_label != NULL)
    {
      AppMark *mark;

      x += lw + w + hw + view->text * 1.6;
      mark = app_scene_rect (scene, -1, x, y - 7, 22, 14, APP_INK (BACKGROUND));
      mark->hatch = TRUE;
      mark->stroke = APP_INK (RULE);
      app_scene_text (scene, map->pruned_label, x + 30, y, view->text * 0.88, 0, APP_INK (TEXT));
    }
}

AppScene *
app_heatmap_layout (const AppHeatmap *map,
                    const AppView    *view)
{
  AppScene *scene = app_scene_new (view);
  double text = view->text, widest = text * 2.4, cw, ch;
  double left, top = text * 3.4, right = view->width - text * 1.2, bottom = view->height - text * 2.8;
  AppMark grid;
  AppMark *mark;

  for (guint i = 0; map->y_names != NULL && map->y_names[i] != NULL; i++)
    widest = MAX (widest, paint_text_width (map->y_names[i], text * 0.85, FALSE));
  left = widest + text * 2.4;
  if (right - left < 10 || bottom - top < 10 || map->grid->n_rows == 0 || map->grid->n_cols == 0)
    return scene;
  cell_size (map, right - left, bottom - top, &cw, &ch);
  scene->content_w = cw * map->grid->n_cols;
  scene->content_h = ch * map->grid->n_rows;
  scene->scale = MAX (view->zoom, 1);
  scene->area.x = left;
  scene->area.y = top;
  scene->area.w = MIN (right - left, scene->content_w * scene->scale);
  scene->area.h = MIN (bottom - top, scene->content_h * scene->scale);
  /* The content always fills its window: it cannot be pushed out of sight. */
  scene->origin_x = view->zoom > 1 ? CLAMP (view->x, left + scene->area.w - scene->content_w * scene->scale, left) : left;
  scene->origin_y = view->zoom > 1 ? CLAMP (view->y, top + scene->area.h - scene->content_h * scene->scale, top) : top;
  mark = app_scene_grid (scene, map->grid, scene->origin_x, scene->origin_y, scene->content_w * scene->scale,
                         scene->content_h * scene->scale);
  grid = *mark;
  app_scene_rect (scene, -1, scene->area.x - 0.5, scene->area.y - 0.5, scene->area.w + 1, scene->area.h + 1, APP_INK (NONE))->stroke
    = APP_INK (RULE);
  add_indices (scene, map, &grid, TRUE, text);
  add_indices (scene, map, &grid, FALSE, text);
  app_scene_text (scene, map->x_title, scene->area.x, text * 0.95, text, 0, APP_INK (TEXT))->w = view->width - scene->area.x - text / 2;
  app_scene_text (scene, map->y_title, text * 0.9, scene->area.y + MAX (scene->area.h, text * 8) / 2, text, 0.5, APP_INK (TEXT))
    ->upright = TRUE;
  add_scale (scene, map, view);
  return scene;
}
