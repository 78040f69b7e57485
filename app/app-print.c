/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one-page report: what it is, what it costs, how it came to be. */

#include "espalier-config.h"

#include "app-print.h"

#include "app-figures.h"
#include "app-format.h"
#include "app-methods.h"
#include "paint-scene.h"

#include <glib/gi18n.h>

#define TEXT 9.0
#define HEADING 11.0
#define GAP 18.0
#define TABLE_LINE 13.0

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

/* The whole network, as small as it must be to stand on the page. */
static void
put_network (cairo_t          *cr,
             const AppNetwork *network,
             double            x,
             double            y,
             double            width,
             double            height)
{
  AppView view = { .text = TEXT, .width = width, .height = height };
  g_autoptr (AppScene) scene = app_network_layout (network, &view);
  double fit = MIN (MIN ((width - 8) / scene->content_w, (height - 8) / scene->content_h), 0.8);

  view.x = width / 2 - (width / 2 - scene->origin_x) / scene->scale * fit;
  view.y = 0;
  view.zoom = fit;
  put_scene (cr, app_network_layout (network, &view), x, y);
}

static void
put_cell (cairo_t    *cr,
          const char *text,
          double      x,
          double      y,
          double      width,
          gboolean    number,
          gboolean    bold)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string (bold ? "Cantarell, Sans Bold" : "Cantarell, Sans");

  pango_font_description_set_absolute_size (font, TEXT * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_layout_set_width (layout, width * PANGO_SCALE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_alignment (layout, number ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
  pango_layout_set_text (layout, text, -1);
  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, layout);
  pango_font_description_free (font);
  g_object_unref (layout);
}

/* One line: a name and a number for each resource, and the cycles. */
static double
put_row (cairo_t    *cr,
         const char *name,
         const char *const cells[5],
         double      x,
         double      y,
         double      width,
         gboolean    bold)
{
  double first = width * 0.3, each = (width - first) / 5;

  put_cell (cr, name, x, y, first - 4, FALSE, bold);
  for (guint k = 0; k < 5; k++)
    put_cell (cr, cells[k], x + first + k * each, y, each, TRUE, bold);
  return y + TABLE_LINE;
}

/* By layer, as far as there is room; the last line says how many more there are. */
static double
put_table (cairo_t           *cr,
           const AppAnalysis *analysis,
           double             x,
           double             y,
           double             width,
           double             bottom)
{
  static const NnResource resources[] = { NN_RESOURCE_DSP, NN_RESOURCE_BRAM, NN_RESOURCE_LUT, NN_RESOURCE_FF };
  const char *const titles[5] = { "DSP", _("BRAM"), "LUT", "FF", _("Cycles") };
  guint left = 0;

  y = put_row (cr, _("Layer"), titles, x, y, width, TRUE);
  for (guint i = 0; i < analysis->n_layers; i++)
    {
      const AppLayer *layer = &analysis->layers[i];
      g_autofree char *cells[5] = { NULL };

      if (layer->n_parts == 0)
        continue;
      if (y + 2 * TABLE_LINE > bottom)
        {
          left++;
          continue;
        }
      for (guint k = 0; k < 4; k++)
        cells[k] = app_format_count (layer->resource.amount[resources[k]]);
      cells[4] = app_format_count (layer->latency);
      y = put_row (cr, nn_graph_node (nn_model_graph (analysis->model), i)->name, (const char *const *) cells, x, y, width, FALSE);
      for (guint k = 0; k < 5; k++)
        g_clear_pointer (&cells[k], g_free);
    }
  if (left > 0)
    {
      g_autofree char *more = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "and %u more layer", "and %u more layers", left), left);

      put_cell (cr, more, x, y, width, FALSE, FALSE);
      y += TABLE_LINE;
    }
  return y;
}

static double
put_heading (cairo_t    *cr,
             const char *text,
             double      x,
             double      y,
             double      width)
{
  return put_text (cr, text, x, y, width, HEADING, TRUE) + 4;
}

/* On the right, one below the other: what the device needs, layer by layer, and what the runs found. */
static void
put_column (cairo_t     *cr,
            AppDocument *document,
            double       x,
            double       y,
            double       width,
            double       height)
{
  g_autoptr (AppPlot) tradeoff = app_figures_tradeoff (document, APP_MEASURE_DSP, APP_MEASURE_ACCURACY);
  g_autoptr (AppBars) bars = app_figures_device (document);
  const AppAnalysis *analysis = app_document_analysis (document);
  gboolean runs = app_document_state (document)->runs->len > 0;
  double bottom = height, plot = MIN (width * 0.75, (height - y) * 0.4);
  AppView view = { .text = TEXT, .width = width };

  if (bars != NULL)
    {
      y = put_heading (cr, _("Estimate Against Device"), x, y, width);
      view.height = app_bars_height (bars, TEXT);
      put_scene (cr, app_bars_layout (bars, &view), x, y);
      y += view.height + GAP;
    }
  if (runs)
    {
      bottom -= plot + GAP + 2 * HEADING;
      view.height = plot;
      put_scene (cr, app_plot_layout (tradeoff, &view), x, put_heading (cr, _("Trade-off"), x, height - plot - 2 * HEADING, width));
    }
  if (analysis != NULL)
    put_table (cr, analysis, x, put_heading (cr, _("By Layer"), x, y, width), width, bottom);
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
  double y = put_text (cr, title, 0, 0, width, 22, TRUE) + 8, left = width * 0.36, below;

  y = put_text (cr, methods, 0, y, width, 10, FALSE) + GAP;
  if (network != NULL)
    {
      below = put_heading (cr, _("Network"), 0, y, left);
      put_network (cr, network, 0, below, left, height - below);
    }
  put_column (cr, document, left + GAP, y, width - left - GAP, height);
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
