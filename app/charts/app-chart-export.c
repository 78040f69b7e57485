/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart leaves the window: as a file, on the clipboard, on paper. */

#include "app-chart-private.h"
#include "paint-file.h"
#include "paint-scene.h"

#include <adwaita.h>
#include <string.h>

static AppScene *
scene_at (AppChart *self,
          double    width,
          double    height)
{
  AppView view;

  app_chart_view_at (self, &view);
  view.width = width;
  view.height = height;
  return self->source->layout (self->data, &view);
}

/* For paper: light, whatever the window looks like. */
void
app_chart_paint_on (AppChart *self,
                    cairo_t  *cr,
                    double    width,
                    double    height)
{
  AppPalette palette = { .ramp = app_chart_ramp () };
  g_autoptr (AppScene) scene = self->source != NULL ? scene_at (self, width, height) : NULL;

  if (scene == NULL)
    return;
  cairo_save (cr);
  cairo_rectangle (cr, 0, 0, width, height);
  cairo_clip (cr);
  paint_source (cr, (AppColour) { 1, 1, 1, 1 });
  cairo_paint (cr);
  paint_scene (scene, &palette, cr);
  cairo_restore (cr);
}

static GByteArray *
picture (AppChart    *self,
         PaintFormat  format,
         double       width,
         double       height,
         gboolean     dark)
{
  AppPalette palette = { .dark = dark, .ramp = app_chart_ramp () };
  g_autoptr (AppScene) scene = self->source != NULL ? scene_at (self, width, height) : NULL;

  return scene != NULL ? paint_bytes (scene, &palette, format) : g_byte_array_new ();
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
      csv = table != NULL ? app_table_to_csv (table, self->comment) : g_strdup ("");
      return g_file_set_contents (path, csv, -1, error);
    }
  bytes = picture (self, paint_format (path), width, height, dark);
  return g_file_set_contents (path, (const char *) bytes->data, bytes->len, error);
}

static GdkContentProvider *
provide (const char *type,
         gpointer    data,
         gsize       size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  return gdk_content_provider_new_for_bytes (type, bytes);
}

static GdkContentProvider *
provide_picture (AppChart    *self,
                 const char  *type,
                 PaintFormat  format)
{
  double width = MAX (64, gtk_widget_get_width (GTK_WIDGET (self))), height = MAX (64, gtk_widget_get_height (GTK_WIDGET (self)));
  g_autoptr (GByteArray) bytes = picture (self, format, width, height, FALSE);

  return provide (type, bytes->data, bytes->len);
}

/* Picture and table at once: a text editor takes the one, a drawing or a slide the other. Where the chart is read as a table, that
 * alone is meant. */
void
app_chart_copy (AppChart *self,
                gboolean  pictures)
{
  g_autoptr (AppTable) table = app_chart_dup_table (self);
  GdkContentProvider *providers[4];
  guint n = 0;

  if (pictures)
    {
      providers[n++] = provide_picture (self, "image/svg+xml", PAINT_SVG);
      providers[n++] = provide_picture (self, "image/png", PAINT_PNG);
    }
  if (table != NULL)
    {
      g_autofree char *tsv = app_table_to_tsv (table), *csv = app_table_to_csv (table, NULL);

      providers[n++] = gdk_content_provider_new_typed (G_TYPE_STRING, tsv);
      providers[n++] = provide ("text/csv", csv, strlen (csv));
    }
  if (n > 0)
    gdk_clipboard_set_content (gtk_widget_get_clipboard (GTK_WIDGET (self)), gdk_content_provider_new_union (providers, n));
}
