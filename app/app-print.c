/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one-page report: what it is, what it costs, how it came to be. */

#include "app-print.h"

#include "app-figures.h"
#include "app-format.h"
#include "app-methods.h"
#include "paint-scene.h"

#include <glib/gi18n.h>

static double
put_text (cairo_t    *cr,
          const char *text,
          double      x,
          double      y,
          double      width,
          double      size,
          gboolean    bold)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string (bold ? "Cantarell, Sans Bold" : "Cantarell, Sans");
  int h;

  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_layout_set_width (layout, width * PANGO_SCALE);
  pango_layout_set_wrap (layout, PANGO_WRAP_WORD_CHAR);
  pango_layout_set_text (layout, text, -1);
  pango_layout_get_pixel_size (layout, NULL, &h);
  cairo_set_source_rgb (cr, 0.1, 0.1, 0.1);
  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, layout);
  pango_font_description_free (font);
  g_object_unref (layout);
  return y + h;
}

static void
put_scene (cairo_t  *cr,
           AppScene *scene,
           double    x,
           double    y)
{
  AppPalette palette = { 0 };

  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_rectangle (cr, 0, 0, scene->width, scene->height);
  cairo_clip (cr);
  paint_scene (scene, &palette, cr);
  cairo_restore (cr);
  app_scene_free (scene);
}

static void
draw_page (AppDocument *document,
           cairo_t     *cr,
           double       width,
           double       height)
{
  g_autofree char *title = app_document_dup_title (document);
  g_autofree char *methods = app_methods_paragraph (document);
  g_autoptr (AppNetwork) network = app_figures_network (document, APP_METRIC_DSP, NULL, FALSE);
  g_autoptr (AppPlot) tradeoff = app_figures_tradeoff (document, APP_MEASURE_DSP, APP_MEASURE_ACCURACY);
  g_autoptr (AppBars) bars = app_figures_device (document);
  double y = put_text (cr, title, 0, 0, width, 22, TRUE) + 8, third;
  AppView view = { .text = 9 };

  y = put_text (cr, methods, 0, y, width, 10, FALSE) + 16;
  third = (height - y) / 2 - 12;
  view.width = width * 0.4;
  view.height = height - y;
  if (network != NULL)
    put_scene (cr, app_network_layout (network, &view), 0, y);
  view.width = width * 0.58;
  view.height = third;
  if (bars != NULL)
    put_scene (cr, app_bars_layout (bars, &view), width * 0.42, y);
  put_scene (cr, app_plot_layout (tradeoff, &view), width * 0.42, y + third + 24);
}

static void
on_draw_page (GtkPrintOperation *operation,
              GtkPrintContext   *context,
              int                page,
              AppDocument       *document)
{
  draw_page (document, gtk_print_context_get_cairo_context (context), gtk_print_context_get_width (context),
             gtk_print_context_get_height (context));
}

gboolean
app_print_report (GtkWindow    *parent,
                  AppDocument  *document,
                  const char   *path,
                  GError      **error)
{
  g_autoptr (GtkPrintOperation) operation = gtk_print_operation_new ();

  gtk_print_operation_set_n_pages (operation, 1);
  gtk_print_operation_set_unit (operation, GTK_UNIT_POINTS);
  gtk_print_operation_set_embed_page_setup (operation, TRUE);
  gtk_print_operation_set_allow_async (operation, path == NULL);
  g_object_set_data_full (G_OBJECT (operation), "document", g_object_ref (document), g_object_unref);
  g_signal_connect (operation, "draw-page", G_CALLBACK (on_draw_page), document);
  if (path != NULL)
    gtk_print_operation_set_export_filename (operation, path);
  return gtk_print_operation_run (operation, path != NULL ? GTK_PRINT_OPERATION_ACTION_EXPORT : GTK_PRINT_OPERATION_ACTION_PRINT_DIALOG,
                                  parent, error) != GTK_PRINT_OPERATION_RESULT_ERROR;
}
