/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Marks: made, moved, found. */

#include "app-scene.h"

#include <math.h>

/* A point is met within this distance, px: half of the 24 px that a target should measure (WCAG 2.2, 2.5.8). */
#define REACH 12.0

AppScene *
app_scene_new (const AppView *view)
{
  AppScene *scene = g_new0 (AppScene, 1);

  scene->marks = g_array_new (FALSE, TRUE, sizeof (AppMark));
  scene->points = g_array_new (FALSE, FALSE, sizeof (AppPoint));
  scene->text = g_string_chunk_new (1024);
  scene->width = view->width;
  scene->height = view->height;
  scene->scale = 1;
  scene->area.w = view->width;
  scene->area.h = view->height;
  return scene;
}

void
app_scene_free (AppScene *scene)
{
  for (guint i = 0; i < scene->marks->len; i++)
    g_clear_pointer (&g_array_index (scene->marks, AppMark, i).grid, app_grid_unref);
  g_array_unref (scene->marks);
  g_array_unref (scene->points);
  g_string_chunk_free (scene->text);
  g_free (scene);
}

static AppMark *
add (AppScene    *scene,
     AppMarkKind  kind,
     gint64       id)
{
  AppMark *mark;

  g_array_set_size (scene->marks, scene->marks->len + 1);
  mark = &g_array_index (scene->marks, AppMark, scene->marks->len - 1);
  mark->kind = kind;
  mark->id = id;
  mark->line_width = 1;
  return mark;
}

AppMark *
app_scene_rect (AppScene *scene,
                gint64    id,
                double    x,
                double    y,
                double    w,
                double    h,
                AppInk    fill)
{
  AppMark *mark = add (scene, APP_MARK_RECT, id);

  mark->x = x;
  mark->y = y;
  mark->w = w;
  mark->h = h;
  mark->fill = fill;
  return mark;
}

AppMark *
app_scene_line (AppScene       *scene,
                AppInk          stroke,
                double          line_width,
                const AppPoint *points,
                guint           n_points)
{
  AppMark *mark = add (scene, APP_MARK_LINE, -1);

  mark->stroke = stroke;
  mark->line_width = line_width;
  mark->first = scene->points->len;
  mark->n_points = n_points;
  g_array_append_vals (scene->points, points, n_points);
  return mark;
}

AppMark *
app_scene_segment (AppScene *scene,
                   AppInk    stroke,
                   double    x1,
                   double    y1,
                   double    x2,
                   double    y2)
{
  AppPoint points[] = { { x1, y1 }, { x2, y2 } };

  return app_scene_line (scene, stroke, 1, points, 2);
}

AppMark *
app_scene_point (AppScene *scene,
                 gint64    id,
                 double    x,
                 double    y,
                 double    size,
                 AppInk    fill)
{
  AppMark *mark = add (scene, APP_MARK_POINT, id);

  mark->x = x;
  mark->y = y;
  mark->w = mark->h = size;
  mark->fill = fill;
  return mark;
}

/* @y is the middle of the line of text. */
AppMark *
app_scene_text (AppScene   *scene,
                const char *text,
                double      x,
                double      y,
                double      size,
                double      align,
                AppInk      ink)
{
  AppMark *mark = add (scene, APP_MARK_TEXT, -1);

  mark->text = g_string_chunk_insert (scene->text, text);
  mark->x = x;
  mark->y = y;
  mark->size = size;
  mark->align = align;
  mark->fill = ink;
  return mark;
}

AppMark *
app_scene_grid (AppScene *scene,
                AppGrid  *grid,
                double    x,
                double    y,
                double    w,
                double    h)
{
  AppMark *mark = add (scene, APP_MARK_GRID, -1);

  mark->grid = app_grid_ref (grid);
  mark->x = x;
  mark->y = y;
  mark->w = w;
  mark->h = h;
  return mark;
}

void
app_scene_tip (AppScene   *scene,
               AppMark    *mark,
               const char *tip)
{
  mark->tip = g_string_chunk_insert (scene->text, tip);
}

void
app_scene_transform (AppScene *scene,
                     double    scale,
                     double    dx,
                     double    dy)
{
  for (guint i = 0; i < scene->marks->len; i++)
    {
      AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      mark->x = mark->x * scale + dx;
      mark->y = mark->y * scale + dy;
      mark->w *= scale;
      mark->h *= scale;
      mark->size *= scale;
      mark->radius *= scale;
      mark->line_width *= MIN (scale, 1.5);
    }
  for (guint i = 0; i < scene->points->len; i++)
    {
      AppPoint *point = &g_array_index (scene->points, AppPoint, i);

      point->x = point->x * scale + dx;
      point->y = point->y * scale + dy;
    }
  scene->scale = scale;
  scene->origin_x = dx;
  scene->origin_y = dy;
}

/* For languages that run from right to left. */
void
app_scene_mirror (AppScene *scene)
{
  for (guint i = 0; i < scene->marks->len; i++)
    {
      AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      if (mark->kind == APP_MARK_RECT)
        mark->x = scene->width - mark->x - mark->w;
      else if (mark->kind != APP_MARK_GRID)
        mark->x = scene->width - mark->x;
      mark->align = 1 - mark->align;
    }
  for (guint i = 0; i < scene->points->len; i++)
    {
      AppPoint *point = &g_array_index (scene->points, AppPoint, i);

      point->x = scene->width - point->x;
    }
}

static gint64
pick_grid (const AppMark *mark,
           double         x,
           double         y)
{
  const AppGrid *grid = mark->grid;
  double c = (x - mark->x) / mark->w * grid->n_cols;
  double r = (y - mark->y) / mark->h * grid->n_rows;

  if (c < 0 || r < 0 || c >= grid->n_cols || r >= grid->n_rows)
    return -1;
  return (gint64) r * (gint64) grid->n_cols + (gint64) c;
}

gint64
app_scene_pick (const AppScene *scene,
                double          x,
                double          y)
{
  double nearest = REACH;
  gint64 found = -1;

  for (guint i = 0; i < scene->marks->len; i++)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      if (mark->kind != APP_MARK_POINT || mark->id < 0 || hypot (mark->x - x, mark->y - y) > nearest)
        continue;
      nearest = hypot (mark->x - x, mark->y - y);
      found = mark->id;
    }
  for (guint i = scene->marks->len; found < 0 && i > 0; i--)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i - 1);

      if (mark->kind == APP_MARK_GRID && x >= scene->area.x && y >= scene->area.y
          && x < scene->area.x + scene->area.w && y < scene->area.y + scene->area.h)
        found = pick_grid (mark, x, y);
      else if (mark->kind == APP_MARK_RECT && mark->id >= 0 && x >= mark->x && y >= mark->y && x < mark->x + mark->w
               && y < mark->y + mark->h)
        found = mark->id;
    }
  return found;
}

const AppMark *
app_scene_find (const AppScene *scene,
                gint64          id)
{
  for (guint i = 0; id >= 0 && i < scene->marks->len; i++)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      if (mark->kind == APP_MARK_GRID && (gsize) id < mark->grid->n_rows * mark->grid->n_cols)
        return mark;
      if (mark->id == id)
        return mark;
    }
  return NULL;
}

gboolean
app_scene_locate (const AppScene *scene,
                  gint64          id,
                  double         *x,
                  double         *y,
                  double         *w,
                  double         *h)
{
  const AppMark *mark = app_scene_find (scene, id);
  double cw, ch;

  if (mark == NULL)
    return FALSE;
  *x = mark->kind == APP_MARK_POINT ? mark->x - mark->w / 2 : mark->x;
  *y = mark->kind == APP_MARK_POINT ? mark->y - mark->h / 2 : mark->y;
  *w = mark->w;
  *h = mark->h;
  if (mark->kind == APP_MARK_GRID)
    {
      cw = mark->w / mark->grid->n_cols;
      ch = mark->h / mark->grid->n_rows;
      *x = mark->x + (id % (gint64) mark->grid->n_cols) * cw;
      *y = mark->y + (id / (gint64) mark->grid->n_cols) * ch;
      *w = cw;
      *h = ch;
    }
  return TRUE;
}

static gint64
first_id (const AppScene *scene)
{
  for (guint i = 0; i < scene->marks->len; i++)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      if (mark->kind == APP_MARK_GRID)
        return 0;
      if (mark->id >= 0)
        return mark->id;
    }
  return -1;
}

static gint64
grid_neighbour (const AppGrid *grid,
                gint64         id,
                int            dx,
                int            dy)
{
  gint64 c = id % (gint64) grid->n_cols + dx;
  gint64 r = id / (gint64) grid->n_cols + dy;

  if (c < 0 || r < 0 || c >= (gint64) grid->n_cols || r >= (gint64) grid->n_rows)
    return -1;
  return r * (gint64) grid->n_cols + c;
}

gint64
app_scene_neighbour (const AppScene *scene,
                     gint64          id,
                     int             dx,
                     int             dy)
{
  const AppMark *from = app_scene_find (scene, id);
  double x, y, w, h, best = G_MAXDOUBLE;
  gint64 found = -1;

  if (from == NULL)
    return first_id (scene);
  if (from->kind == APP_MARK_GRID)
    return grid_neighbour (from->grid, id, dx, dy);
  app_scene_locate (scene, id, &x, &y, &w, &h);
  x += w / 2;
  y += h / 2;
  for (guint i = 0; i < scene->marks->len; i++)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i);
      double mx = mark->kind == APP_MARK_POINT ? mark->x : mark->x + mark->w / 2;
      double my = mark->kind == APP_MARK_POINT ? mark->y : mark->y + mark->h / 2;
      double ahead = (mx - x) * dx + (my - y) * dy;
      double aside = fabs ((mx - x) * dy) + fabs ((my - y) * dx);

      if (mark->id < 0 || mark->id == id || ahead <= 0.5 || ahead + 2 * aside >= best)
        continue;
      best = ahead + 2 * aside;
      found = mark->id;
    }
  return found;
}
