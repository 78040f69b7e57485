/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart leaves the window: as a file, on the clipboard, on paper. */

#include "app-chart-private.h"
#include "paint-scene.h"

#include <adwaita.h>
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

static void
paint_all (AppChart *self,
           cairo_t  *cr,
           double    width,
           double    height,
           gboolean  dark)
{
  AppPalette palette = { .dark = dark, .ramp = app_chart_ramp () };
  AppView view;
  g_autoptr (AppScene) scene = NULL;

  if (self->source == NULL)
    return;
  app_chart_view_at (self, &view);
  view.width = width;
  view.height = height;
  scene = self->source->layout (self->data, &view);
  paint_source (cr, dark ? app_palette_colour (&palette, APP_INK (BACKGROUND)) : (AppColour) { 1, 1, 1, 1 });
  cairo_paint (cr);
  paint_scene (scene, &palette, cr);
}

/* For paper: light, whatever the window looks like. */
void
app_chart_paint_on (AppChart *self,
                    cairo_t  *cr,
                    double    width,
                    double    height)
{
  cairo_save (cr);
  cairo_rectangle (cr, 0, 0, width, height);
  cairo_clip (cr);
  paint_all (self, cr, width, height, FALSE);
  cairo_restore (cr);
}

static GByteArray *
png_bytes (AppChart *self,
           double    width,
           double    height,
           gboolean  dark)
{
  GByteArray *bytes = g_byte_array_new ();
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width * PNG_SCALE, height * PNG_SCALE);
  cairo_t *cr;

  cairo_surface_set_device_scale (surface, PNG_SCALE, PNG_SCALE);
  cr = cairo_create (surface);
  paint_all (self, cr, width, height, dark);
  cairo_destroy (cr);
  cairo_surface_write_to_png_stream (surface, append_bytes, bytes);
  cairo_surface_destroy (surface);
  return bytes;
}

static GByteArray *
vector_bytes (AppChart *self,
              gboolean  pdf,
              double    width,
              double    height,
              gboolean  dark)
{
  GByteArray *bytes = g_byte_array_new ();
  cairo_surface_t *surface = pdf ? cairo_pdf_surface_create_for_stream (append_bytes, bytes, width, height)
                                 : cairo_svg_surface_create_for_stream (append_bytes, bytes, width, height);
  cairo_t *cr = cairo_create (surface);

  paint_all (self, cr, width, height, dark);
  cairo_destroy (cr);
  cairo_surface_finish (surface);
  cairo_surface_destroy (surface);
  return bytes;
}

gboolean
app_chart_export (AppChart    *self,
                  const char  *path,
                  gboolean     as_shown,
                  GError     **error)
{
  double width = gtk_widget_get_width (GTK_WIDGET (self)), height = gtk_widget_get_height (GTK_WIDGET (self));
  gboolean dark = as_shown && adw_style_manager_get_dark (adw_style_manager_get_default ());
  g_autofree char *lower = g_ascii_strdown (path, -1);
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (AppTable) table = NULL;
  g_autofree char *csv = NULL;

  if (width < 2 || height < 2)
    width = 900, height = 600;
  if (g_str_has_suffix (lower, ".csv"))
    {
      table = app_chart_dup_table (self);
      csv = table != NULL ? app_table_to_csv (table, NULL) : g_strdup ("");
      return g_file_set_contents (path, csv, -1, error);
    }
  if (g_str_has_suffix (lower, ".svg") || g_str_has_suffix (lower, ".pdf"))
    bytes = vector_bytes (self, g_str_has_suffix (lower, ".pdf"), width, height, dark);
  else
    bytes = png_bytes (self, width, height, dark);
  return g_file_set_contents (path, (const char *) bytes->data, bytes->len, error);
}

/* Picture and table at once: a text editor takes the one, a slide the other. */
void
app_chart_copy (AppChart *self)
{
  g_autoptr (GByteArray) png = png_bytes (self, MAX (64, gtk_widget_get_width (GTK_WIDGET (self))),
                                          MAX (64, gtk_widget_get_height (GTK_WIDGET (self))), FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new (png->data, png->len);
  g_autoptr (AppTable) table = app_chart_dup_table (self);
  GdkContentProvider *providers[2];
  guint n = 0;

  providers[n++] = gdk_content_provider_new_for_bytes ("image/png", bytes);
  if (table != NULL)
    {
      g_autofree char *tsv = app_table_to_tsv (table);

      providers[n++] = gdk_content_provider_new_typed (G_TYPE_STRING, tsv);
    }
  gdk_clipboard_set_content (gtk_widget_get_clipboard (GTK_WIDGET (self)), gdk_content_provider_new_union (providers, n));
}
