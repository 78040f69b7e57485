/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells of a matrix → cairo. The work is that of the pixels seen, whatever the size of the matrix. */

#include "paint-scene.h"

#include <math.h>

/* From this size on, px, cells are told apart by lines and groups by outlines. */
#define OUTLINE_FROM 5.0
#define TEXT_FROM 26.0

typedef struct { int x0, y0, x1, y1; } Window; /* whole pixels of the surface */

static Window
visible (const AppScene *scene,
         const AppMark  *mark)
{
  Window w;

  w.x0 = floor (MAX (mark->x, scene->area.x));
  w.y0 = floor (MAX (mark->y, scene->area.y));
  w.x1 = ceil (MIN (mark->x + mark->w, scene->area.x + scene->area.w));
  w.y1 = ceil (MIN (mark->y + mark->h, scene->area.y + scene->area.h));
  return w;
}

static guint32
pack (AppColour colour)
{
  return 0xff000000u | ((guint32) lroundf (colour.r * 255) << 16) | ((guint32) lroundf (colour.g * 255) << 8)
         | (guint32) lroundf (colour.b * 255);
}

/* 256 colours of the scale, so that a pixel costs one look-up. */
static void
colour_table (const AppGrid    *grid,
              const AppPalette *palette,
              guint32           table[256])
{
  for (int i = 0; i < 256; i++)
    {
      float t = grid->sequential ? i / 255.0f : (i - 127.5f) / 127.5f;

      table[i] = pack (app_palette_colour (palette, (AppInk) { .role = grid->sequential ? APP_INK_RAMP : APP_INK_DIVERGE,
                                                               .t = t }));
    }
}

static inline int
colour_index (const AppGrid *grid,
              float          value)
{
  float t = value / grid->limit;

  t = grid->sequential ? t * 255 : (t + 1) * 127.5f;
  if (!(fabsf (t) < G_MAXINT16)) /* neither what is infinite nor what is no number has a colour of its own */
    t = grid->sequential ? 0 : 127.5f;
  return (int) (CLAMP (t, 0, 255) + 0.5f);
}

/* The coarsest level that still has a cell for every pixel. */
static const AppGrid *
level_for (const AppMark *mark)
{
  const AppGrid *grid = mark->grid;

  while (grid->level != NULL && grid->level->n_cols >= mark->w && grid->level->n_rows >= mark->h)
    grid = grid->level;
  return grid;
}

static void
fill_row (guint32          *row,
          const AppGrid    *grid,
          const gsize      *col,
          gsize             r,
          int               n,
          int               phase,
          const guint32     table[256],
          guint32           gone,
          guint32           stripe)
{
  const float *values = grid->values + r * grid->n_cols;
  const guint8 *state = grid->state != NULL ? grid->state + r * grid->n_cols : NULL;

  for (int x = 0; x < n; x++)
    if (state != NULL && (state[col[x]] & APP_CELL_PRUNED))
      row[x] = (x + phase) % 5 == 0 ? stripe : gone;
    else
      row[x] = table[colour_index (grid, values[col[x]])];
}

static cairo_surface_t *
raster (const AppMark    *mark,
        Window            window,
        const AppPalette *palette)
{
  const AppGrid *grid = level_for (mark);
  int w = window.x1 - window.x0, h = window.y1 - window.y0;
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, w, h);
  guint8 *pixels = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  g_autofree gsize *col = g_new (gsize, w);
  guint32 table[256];
  guint32 gone = pack (app_palette_colour (palette, APP_INK (BACKGROUND)));
  guint32 stripe = pack (app_palette_colour (palette, APP_INK (DIM)));

  colour_table (grid, palette, table);
  for (int x = 0; x < w; x++)
    col[x] = CLAMP ((window.x0 + x + 0.5 - mark->x) / mark->w * grid->n_cols, 0, grid->n_cols - 1);
  for (int y = 0; y < h; y++)
    {
      double at = (window.y0 + y + 0.5 - mark->y) / mark->h * grid->n_rows;
      gsize r = CLAMP (at, 0, grid->n_rows - 1);

      fill_row ((guint32 *) (pixels + (gsize) y * stride), grid, col, r, w, window.y0 + y, table, gone, stripe);
    }
  cairo_surface_mark_dirty (surface);
  return surface;
}

/* Whether a border runs between cells @a and @b: not within one part. */
static inline gboolean
parts (const gint32 *part,
       gsize         a,
       gsize         b)
{
  return part == NULL || part[a] != part[b];
}

/* @part: (nullable): by cell; without it every cell is one of its own. */
static void
outlines (const AppMark    *mark,
          const gint32     *part,
          Window            window,
          const AppPalette *palette,
          float             alpha,
          double            line_width,
          cairo_t          *cr)
{
  const AppGrid *grid = mark->grid;
  double cw = mark->w / grid->n_cols, ch = mark->h / grid->n_rows;
  gsize c0 = MAX (0, (window.x0 - mark->x) / cw), c1 = MIN (grid->n_cols, ceil ((window.x1 - mark->x) / cw));
  gsize r0 = MAX (0, (window.y0 - mark->y) / ch), r1 = MIN (grid->n_rows, ceil ((window.y1 - mark->y) / ch));

  for (gsize r = r0; r < r1; r++)
    for (gsize c = c0; c < c1; c++)
      {
        gsize k = r * grid->n_cols + c;

        if (c + 1 < grid->n_cols && parts (part, k, k + 1))
          {
            cairo_move_to (cr, mark->x + (c + 1) * cw, mark->y + r * ch);
            cairo_line_to (cr, mark->x + (c + 1) * cw, mark->y + (r + 1) * ch);
          }
        if (r + 1 < grid->n_rows && parts (part, k, k + grid->n_cols))
          {
            cairo_move_to (cr, mark->x + c * cw, mark->y + (r + 1) * ch);
            cairo_line_to (cr, mark->x + (c + 1) * cw, mark->y + (r + 1) * ch);
          }
      }
  paint_source (cr, app_palette_colour (palette, (AppInk) { .role = APP_INK_TEXT, .alpha = alpha }));
  cairo_set_line_width (cr, line_width);
  cairo_stroke (cr);
}

/* Numbers in large cells, and the signs of what was decided by hand. */
static void
cell_signs (const AppMark    *mark,
            Window            window,
            const AppPalette *palette,
            cairo_t          *cr)
{
  const AppGrid *grid = mark->grid;
  double cw = mark->w / grid->n_cols, ch = mark->h / grid->n_rows;
  gsize c0 = MAX (0, (window.x0 - mark->x) / cw), c1 = MIN (grid->n_cols, ceil ((window.x1 - mark->x) / cw));
  gsize r0 = MAX (0, (window.y0 - mark->y) / ch), r1 = MIN (grid->n_rows, ceil ((window.y1 - mark->y) / ch));

  for (gsize r = r0; r < r1; r++)
    for (gsize c = c0; c < c1; c++)
      {
        gsize k = r * grid->n_cols + c;
        double x = mark->x + (c + 0.5) * cw, y = mark->y + (r + 0.5) * ch;

        if (grid->state != NULL && (grid->state[k] & (APP_CELL_PINNED | APP_CELL_RELEASED)))
          {
            cairo_arc (cr, x, y, MIN (cw, ch) * 0.22, 0, 2 * G_PI);
            paint_source (cr, app_palette_colour (palette, grid->state[k] & APP_CELL_PINNED ? APP_INK (GOOD) : APP_INK (BAD)));
            cairo_fill (cr);
          }
      }
}

static void
cell_numbers (const AppMark    *mark,
              const AppPalette *palette,
              cairo_t          *cr)
{
  const AppGrid *grid = mark->grid;
  double cw = mark->w / grid->n_cols, ch = mark->h / grid->n_rows;

  cairo_select_font_face (cr, "Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, CLAMP (MIN (cw / 4.2, ch / 2), 8, 14));
  for (gsize k = 0; k < grid->n_rows * grid->n_cols; k++)
    {
      float t = grid->values[k] / grid->limit;
      AppInk ink = { .role = grid->sequential ? APP_INK_RAMP : APP_INK_DIVERGE, .t = t };
      g_autofree char *text = g_strdup_printf ("%.0f", (double) grid->values[k]);
      cairo_text_extents_t extents;

      cairo_text_extents (cr, text, &extents);
      paint_source (cr, app_palette_text_on (palette, app_palette_colour (palette, ink)));
      cairo_move_to (cr, mark->x + (k % grid->n_cols + 0.5) * cw - extents.width / 2 - extents.x_bearing,
                     mark->y + (k / grid->n_cols + 0.5) * ch - extents.height / 2 - extents.y_bearing);
      cairo_show_text (cr, text);
    }
}

void
paint_grid (const AppScene   *scene,
            const AppMark    *mark,
            const AppPalette *palette,
            cairo_t          *cr)
{
  Window window = visible (scene, mark);
  double cell = MIN (mark->w / mark->grid->n_cols, mark->h / mark->grid->n_rows);
  cairo_surface_t *surface;

  if (window.x1 <= window.x0 || window.y1 <= window.y0)
    return;
  cairo_save (cr);
  cairo_rectangle (cr, MAX (mark->x, scene->area.x), MAX (mark->y, scene->area.y),
                   MIN (mark->x + mark->w, scene->area.x + scene->area.w) - MAX (mark->x, scene->area.x),
                   MIN (mark->y + mark->h, scene->area.y + scene->area.h) - MAX (mark->y, scene->area.y));
  cairo_clip (cr);
  surface = raster (mark, window, palette);
  cairo_set_source_surface (cr, surface, window.x0, window.y0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_paint (cr);
  cairo_surface_destroy (surface);
  if (cell >= OUTLINE_FROM)
    {
      outlines (mark, mark->grid->group, window, palette, mark->grid->block != NULL ? 0.28f : 0.55f, 1, cr);
      if (mark->grid->block != NULL)
        outlines (mark, mark->grid->block, window, palette, 0.95f, 2, cr);
      cell_signs (mark, window, palette, cr);
    }
  if (mark->grid->counts && cell >= TEXT_FROM)
    cell_numbers (mark, palette, cr);
  cairo_restore (cr);
}
