/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a chart shows of its scene: enlarged about a place, moved, never out of sight. */

#include "app-chart-private.h"

#define MAX_ZOOM 64.0
#define MIN_ZOOM 0.08
/* Of the content, what stays in sight however far one pans. */
#define KEEP_PX 96

static void
keep_in_sight (AppChart       *self,
               const AppScene *scene,
               double          scale)
{
  double w = scene->content_w * scale, h = scene->content_h * scale;
  double left = scene->area.w > 0 ? scene->area.x : 0, top = scene->area.h > 0 ? scene->area.y : 0;
  double right = scene->area.w > 0 ? left + scene->area.w : scene->width, bottom = scene->area.h > 0 ? top + scene->area.h : scene->height;

  if (w <= 0 || h <= 0)
    return;
  self->x = CLAMP (self->x, left + MIN (KEEP_PX, w) - w, MAX (right - MIN (KEEP_PX, w), left + MIN (KEEP_PX, w) - w));
  self->y = CLAMP (self->y, top + MIN (KEEP_PX, h) - h, MAX (bottom - MIN (KEEP_PX, h), top + MIN (KEEP_PX, h) - h));
}

/* Enlarges about a place, which stays where it is. */
void
app_chart_zoom_at (AppChart *self,
                   double    factor,
                   double    x,
                   double    y)
{
  const AppScene *scene = app_chart_scene (self);
  double next;

  if (scene == NULL || !self->zoomable || scene->scale <= 0)
    return;
  next = CLAMP (scene->scale * factor, MIN_ZOOM, MAX_ZOOM);
  self->x = x - (x - scene->origin_x) * next / scene->scale;
  self->y = y - (y - scene->origin_y) * next / scene->scale;
  self->zoom = next;
  keep_in_sight (self, scene, next);
  app_chart_drop_drawing (self);
}

void
app_chart_pan (AppChart *self,
               double    dx,
               double    dy)
{
  const AppScene *scene = app_chart_scene (self);

  if (scene == NULL || !self->zoomable)
    return;
  self->zoom = scene->scale;
  self->x = scene->origin_x + dx;
  self->y = scene->origin_y + dy;
  keep_in_sight (self, scene, scene->scale);
  app_chart_drop_drawing (self);
}

void
app_chart_zoom (AppChart *self,
                double    factor)
{
  if (factor > 0)
    {
      app_chart_zoom_at (self, factor, gtk_widget_get_width (GTK_WIDGET (self)) / 2.0, gtk_widget_get_height (GTK_WIDGET (self)) / 2.0);
      return;
    }
  self->zoom = 0;
  app_chart_drop_drawing (self);
}

/* Moves what is seen just so far that mark @id is in it. */
void
app_chart_reveal (AppChart *self,
                  gint64    id)
{
  const AppScene *scene = app_chart_scene (self);
  double x, y, w, h, dx = 0, dy = 0, margin = 24;

  if (scene == NULL || !self->zoomable || !app_scene_locate (scene, id, &x, &y, &w, &h))
    return;
  if (x < scene->area.x)
    dx = scene->area.x + margin - x;
  else if (x + w > scene->area.x + scene->area.w)
    dx = scene->area.x + scene->area.w - margin - x - w;
  if (y < scene->area.y)
    dy = scene->area.y + margin - y;
  else if (y + h > scene->area.y + scene->area.h)
    dy = scene->area.y + scene->area.h - margin - y - h;
  if (dx != 0 || dy != 0)
    app_chart_pan (self, dx, dy);
}
