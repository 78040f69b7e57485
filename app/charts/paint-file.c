/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures of scenes, in memory. */

#include "paint-file.h"

#include "paint-scene.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>

#define PNG_SCALE 2

static cairo_status_t
append_bytes (void                *closure,
              const unsigned char *data,
              unsigned int         length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

PaintFormat
paint_format (const char *path)
{
  g_autofree char *lower = g_ascii_strdown (path, -1);

  if (g_str_has_suffix (lower, ".svg"))
    return PAINT_SVG;
  return g_str_has_suffix (lower, ".pdf") ? PAINT_PDF : PAINT_PNG;
}

static cairo_surface_t *
make_surface (GByteArray     *bytes,
              const AppScene *scene,
              PaintFormat     format)
{
  cairo_surface_t *surface;

  if (format == PAINT_SVG)
    return cairo_svg_surface_create_for_stream (append_bytes, bytes, scene->width, scene->height);
  if (format == PAINT_PDF)
    return cairo_pdf_surface_create_for_stream (append_bytes, bytes, scene->width, scene->height);
  surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, (int) (scene->width * PNG_SCALE), (int) (scene->height * PNG_SCALE));
  cairo_surface_set_device_scale (surface, PNG_SCALE, PNG_SCALE);
  return surface;
}

GByteArray *
paint_bytes (const AppScene   *scene,
             const AppPalette *palette,
             PaintFormat       format)
{
  GByteArray *bytes = g_byte_array_new ();
  cairo_surface_t *surface = make_surface (bytes, scene, format);
  cairo_t *cr = cairo_create (surface);

  paint_source (cr, palette->dark ? app_palette_colour (palette, APP_INK (BACKGROUND)) : (AppColour) { 1, 1, 1, 1 });
  cairo_paint (cr);
  paint_scene (scene, palette, cr);
  cairo_destroy (cr);
  if (format == PAINT_PNG)
    cairo_surface_write_to_png_stream (surface, append_bytes, bytes);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  return bytes;
}
