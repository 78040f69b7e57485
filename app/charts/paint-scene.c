/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scene → cairo. */

#include "paint-scene.h"

#include <math.h>
#include <pango/pangocairo.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PangoContext, g_object_unref)

void
paint_source (cairo_t   *cr,
              AppColour  colour)
{
  cairo_set_source_rgba (cr, colour.r, colour.g, colour.b, colour.a);
}

static PangoLayout *
text_layout (PangoContext *context,
             const char   *text,
             double        size,
             gboolean      bold)
{
  PangoLayout *layout = pango_layout_new (context);
  PangoFontDescription *font = pango_font_description_from_string ("Cantarell, Sans");

  pango_font_description_set_absolute_size (font, MAX (size, 1) * PANGO_SCALE);
  pango_font_description_set_weight (font, bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_layout_set_font_description (layout, font);
  pango_layout_set_text (layout, text, -1);
  pango_font_description_free (font);
  return layout;
}

/* Advance of a line of text, px; the same wherever it is drawn. */
double
paint_text_width (const char *text,
                  double      size,
                  gboolean    bold)
{
  g_autoptr (PangoContext) context = pango_font_map_create_context (pango_cairo_font_map_get_default ());
  g_autoptr (PangoLayout) layout = text_layout (context, text, size, bold);
  int w, h;

  pango_layout_get_size (layout, &w, &h);
  return w / (double) PANGO_SCALE;
}

static void
round_rect (cairo_t *cr,
            double   x,
            double   y,
            double   w,
            double   h,
            double   radius)
{
  double r = MIN (radius, MIN (w, h) / 2);

  cairo_new_sub_path (cr);
  cairo_arc (cr, x + w - r, y + r, r, -G_PI / 2, 0);
  cairo_arc (cr, x + w - r, y + h - r, r, 0, G_PI / 2);
  cairo_arc (cr, x + r, y + h - r, r, G_PI / 2, G_PI);
  cairo_arc (cr, x + r, y + r, r, G_PI, 1.5 * G_PI);
  cairo_close_path (cr);
}

static void
rect_path (cairo_t       *cr,
           const AppMark *mark)
{
  if (mark->radius > 0)
    round_rect (cr, mark->x, mark->y, mark->w, mark->h, mark->radius);
  else
    cairo_rectangle (cr, mark->x, mark->y, mark->w, mark->h);
}

static void
hatch_rect (cairo_t          *cr,
            const AppMark    *mark,
            const AppPalette *palette)
{
  cairo_save (cr);
  rect_path (cr, mark);
  cairo_clip (cr);
  paint_source (cr, app_palette_colour (palette, (AppInk) { .role = APP_INK_TEXT, .alpha = 0.45f }));
  cairo_set_line_width (cr, 1);
  for (double d = -mark->h; d < mark->w; d += 6)
    {
      cairo_move_to (cr, mark->x + d, mark->y + mark->h);
      cairo_line_to (cr, mark->x + d + mark->h, mark->y);
    }
  cairo_stroke (cr);
  cairo_restore (cr);
}

static void
paint_rect (const AppMark    *mark,
            const AppPalette *palette,
            cairo_t          *cr)
{
  if (mark->fill.role != APP_INK_NONE)
    {
      rect_path (cr, mark);
      paint_source (cr, app_palette_colour (palette, mark->fill));
      cairo_fill (cr);
    }
  if (mark->hatch)
    hatch_rect (cr, mark, palette);
  if (mark->stroke.role != APP_INK_NONE)
    {
      rect_path (cr, mark);
      paint_source (cr, app_palette_colour (palette, mark->stroke));
      cairo_set_line_width (cr, mark->line_width);
      cairo_stroke (cr);
    }
}

static void
arrow_head (cairo_t        *cr,
            const AppPoint *from,
            const AppPoint *to,
            gboolean        curve,
            double          size)
{
  double angle = curve ? (to->y >= from->y ? G_PI / 2 : -G_PI / 2) : atan2 (to->y - from->y, to->x - from->x);

  cairo_move_to (cr, to->x, to->y);
  cairo_line_to (cr, to->x - size * cos (angle - 0.45), to->y - size * sin (angle - 0.45));
  cairo_line_to (cr, to->x - size * cos (angle + 0.45), to->y - size * sin (angle + 0.45));
  cairo_close_path (cr);
  cairo_fill (cr);
}

static void
paint_line (const AppScene   *scene,
            const AppMark    *mark,
            const AppPalette *palette,
            cairo_t          *cr)
{
  const AppPoint *p = &g_array_index (scene->points, AppPoint, mark->first);
  double dash[] = { 5, 4 };

  if (mark->n_points < 2)
    return;
  cairo_move_to (cr, p[0].x, p[0].y);
  for (guint i = 1; i < mark->n_points; i++)
    if (mark->curve)
      {
        double bend = (p[i].y - p[i - 1].y) / 2;

        cairo_curve_to (cr, p[i - 1].x, p[i - 1].y + bend, p[i].x, p[i].y - bend, p[i].x, p[i].y);
      }
    else
      cairo_line_to (cr, p[i].x, p[i].y);
  if (mark->fill.role != APP_INK_NONE)
    {
      paint_source (cr, app_palette_colour (palette, mark->fill));
      cairo_fill_preserve (cr);
    }
  if (mark->dashed)
    cairo_set_dash (cr, dash, 2, 0);
  cairo_set_line_width (cr, mark->line_width);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  paint_source (cr, app_palette_colour (palette, mark->stroke));
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
  if (mark->arrow)
    arrow_head (cr, &p[mark->n_points - 2], &p[mark->n_points - 1], mark->curve, 5 + 2 * mark->line_width);
}

static void
marker_path (cairo_t   *cr,
             AppMarker  marker,
             double     x,
             double     y,
             double     r)
{
  cairo_new_path (cr);
  switch (marker)
    {
    case APP_MARKER_SQUARE:
      cairo_rectangle (cr, x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
      break;
    case APP_MARKER_DIAMOND:
      cairo_move_to (cr, x, y - 1.25 * r);
      cairo_line_to (cr, x + 1.25 * r, y);
      cairo_line_to (cr, x, y + 1.25 * r);
      cairo_line_to (cr, x - 1.25 * r, y);
      cairo_close_path (cr);
      break;
    case APP_MARKER_TRIANGLE:
      cairo_move_to (cr, x, y - 1.15 * r);
      cairo_line_to (cr, x + 1.1 * r, y + 0.85 * r);
      cairo_line_to (cr, x - 1.1 * r, y + 0.85 * r);
      cairo_close_path (cr);
      break;
    case APP_MARKER_CROSS:
      cairo_move_to (cr, x - r, y - r);
      cairo_line_to (cr, x + r, y + r);
      cairo_move_to (cr, x + r, y - r);
      cairo_line_to (cr, x - r, y + r);
      break;
    case APP_MARKER_DISC:
    case APP_MARKER_RING:
    default:
      cairo_arc (cr, x, y, r, 0, 2 * G_PI);
      break;
    }
}

static void
paint_point (const AppMark    *mark,
             const AppPalette *palette,
             cairo_t          *cr)
{
  gboolean open = mark->marker == APP_MARKER_CROSS || mark->marker == APP_MARKER_RING;

  marker_path (cr, mark->marker, mark->x, mark->y, mark->w / 2);
  paint_source (cr, app_palette_colour (palette, mark->fill));
  if (open)
    {
      cairo_set_line_width (cr, 2);
      cairo_stroke (cr);
      return;
    }
  cairo_fill_preserve (cr);
  paint_source (cr, app_palette_colour (palette, mark->stroke.role != APP_INK_NONE ? mark->stroke : APP_INK (BACKGROUND)));
  cairo_set_line_width (cr, mark->line_width);
  cairo_stroke (cr);
}

static void
paint_text (const AppMark    *mark,
            const AppPalette *palette,
            cairo_t          *cr)
{
  g_autoptr (PangoLayout) layout = NULL;
  g_autoptr (PangoContext) context = NULL;
  int w, h;

  if (mark->size < 3)
    return;
  context = pango_cairo_create_context (cr);
  layout = text_layout (context, mark->text, mark->size, mark->bold);
  if (mark->w > 0)
    {
      pango_layout_set_width (layout, mark->w * PANGO_SCALE);
      pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
      pango_layout_set_single_paragraph_mode (layout, TRUE);
      pango_layout_set_height (layout, -(int) MAX (mark->lines, 1));
      if (mark->lines > 1 && mark->align == 0.5)
        pango_layout_set_alignment (layout, PANGO_ALIGN_CENTER);
    }
  pango_layout_get_pixel_size (layout, &w, &h);
  if (mark->w > 0 && mark->lines > 1)
    w = (int) mark->w;
  else if (mark->w > 0 && mark->align == 0)
    w = MIN (w, mark->w);
  paint_source (cr, app_palette_colour (palette, mark->fill));
  cairo_save (cr);
  cairo_translate (cr, mark->x, mark->y);
  if (mark->upright)
    cairo_rotate (cr, -G_PI / 2);
  cairo_move_to (cr, -w * mark->align, -h / 2.0);
  pango_cairo_show_layout (cr, layout);
  cairo_restore (cr);
}

void
paint_scene (const AppScene   *scene,
             const AppPalette *palette,
             cairo_t          *cr)
{
  for (guint i = 0; i < scene->marks->len; i++)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      switch (mark->kind)
        {
        case APP_MARK_RECT: paint_rect (mark, palette, cr); break;
        case APP_MARK_LINE: paint_line (scene, mark, palette, cr); break;
        case APP_MARK_POINT: paint_point (mark, palette, cr); break;
        case APP_MARK_TEXT: paint_text (mark, palette, cr); break;
        case APP_MARK_GRID: paint_grid (scene, mark, palette, cr); break;
        default: g_assert_not_reached ();
        }
    }
}

/* All cells of the group that cell @id of a grid belongs to. */
static void
outline_group (const AppScene *scene,
               const AppMark  *mark,
               gint64          id,
               cairo_t        *cr)
{
  const AppGrid *grid = mark->grid;
  double cw = mark->w / grid->n_cols, ch = mark->h / grid->n_rows;
  gint64 r0 = MAX (0, id / (gint64) grid->n_cols - 512), r1 = MIN ((gint64) grid->n_rows, r0 + 1024);

  for (gint64 r = r0; r < r1; r++)
    for (gsize c = 0; c < grid->n_cols && grid->n_cols < 8192; c++)
      if (grid->group[r * grid->n_cols + c] == grid->group[id])
        cairo_rectangle (cr, mark->x + c * cw, mark->y + r * ch, cw, ch);
}

void
paint_highlight (const AppScene   *scene,
                 const AppPalette *palette,
                 gint64            id,
                 gboolean          strong,
                 cairo_t          *cr)
{
  const AppMark *mark = app_scene_find (scene, id);
  double x, y, w, h;

  if (mark == NULL || !app_scene_locate (scene, id, &x, &y, &w, &h))
    return;
  cairo_save (cr);
  if (mark->kind == APP_MARK_GRID)
    {
      cairo_rectangle (cr, scene->area.x, scene->area.y, scene->area.w, scene->area.h);
      cairo_clip (cr);
    }
  if (mark->kind == APP_MARK_GRID && mark->grid->group != NULL && mark->grid->group[id] >= 0)
    {
      outline_group (scene, mark, id, cr);
      paint_source (cr, app_palette_colour (palette, (AppInk) { .role = APP_INK_ACCENT, .alpha = 0.25f }));
      cairo_fill (cr);
    }
  paint_source (cr, app_palette_colour (palette, strong ? APP_INK (ACCENT) : (AppInk) { .role = APP_INK_ACCENT, .alpha = 0.6f }));
  cairo_set_line_width (cr, strong ? 3 : 2);
  if (mark->kind == APP_MARK_POINT)
    cairo_arc (cr, mark->x, mark->y, mark->w / 2 + 4, 0, 2 * G_PI);
  else
    round_rect (cr, x - 1, y - 1, MAX (w, 3) + 2, MAX (h, 3) + 2, mark->radius + 1);
  cairo_stroke (cr);
  cairo_restore (cr);
}
