/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Charts without a display: axes, layouts, picking, painting, tables. */

#include "app-axis.h"
#include "app-palette.h"
#include "layout-bars.h"
#include "layout-heatmap.h"
#include "layout-network.h"
#include "layout-plot.h"
#include "paint-scene.h"

#include <math.h>
#include <string.h>

static const AppView view = { .width = 640, .height = 420, .text = 13 };

static void
test_axis (void)
{
  static const struct { double min, max; guint wanted; double lo, hi, step; } cases[] = {
    { 0, 10, 5, 0, 10, 2 }, { 0.711, 0.763, 5, 0.70, 0.78, 0.02 }, { 3, 3, 5, 2.85, 3.15, 0.1 }, { -7, 3, 4, -7.5, 5, 2.5 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      AppAxis axis;

      app_axis_init (&axis, cases[i].min, cases[i].max, cases[i].wanted, FALSE);
      g_assert_cmpfloat (axis.min, <=, cases[i].min);
      g_assert_cmpfloat (axis.max, >=, cases[i].max);
      g_assert_cmpuint (axis.n_ticks, >=, 2);
      g_assert_cmpfloat_with_epsilon (app_axis_value (&axis, app_axis_at (&axis, cases[i].max)), cases[i].max, 1e-9);
      if (i != 2)
        g_assert_cmpfloat_with_epsilon (axis.step, cases[i].step, 1e-12);
    }
}

static void
test_number (void)
{
  static const struct { double value; guint digits; const char *text; } cases[] = {
    { 0, 3, "0" }, { 4256, 4, "4256" }, { 1182240, 7, "1\u202f182\u202f240" }, { 0.12345, 3, "0.123" }, { -15000.4, 5, "-15\u202f000" },
    { 2.50, 3, "2.5" }, { 1e-7, 3, "1e-07" }, { NAN, 3, "–" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = app_number (cases[i].value, cases[i].digits);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static AppNetwork *
diamond (void)
{
  AppNetwork *network = app_network_new (4);
  static const guint inputs[4][2] = { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 1, 2 } };

  for (guint i = 0; i < 4; i++)
    {
      AppNetworkNode *node = &network->nodes[i];

      node->name = g_strdup_printf ("layer_%u", i);
      node->detail = g_strdup ("Dense · 64");
      node->figure = g_strdup ("RF 4 · 256 DSP");
      node->metric = i / 4.0;
      node->metric_text = g_strdup ("256");
      node->n_inputs = i == 0 ? 0 : i == 3 ? 2 : 1;
      node->inputs = g_memdup2 (inputs[i], sizeof (guint) * 2);
    }
  app_network_arrange (network);
  return network;
}

static void
test_network (void)
{
  g_autoptr (AppNetwork) network = diamond ();
  g_autoptr (AppScene) scene = app_network_layout (network, &view);
  g_autoptr (AppTable) table = app_network_table (network);
  double x, y, w, h;

  g_assert_cmpuint (network->nodes[0].rank, ==, 0);
  g_assert_cmpuint (network->nodes[1].rank, ==, 1);
  g_assert_cmpuint (network->nodes[3].rank, ==, 2);
  g_assert_cmpuint (network->nodes[1].order, !=, network->nodes[2].order);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_true (app_scene_locate (scene, i, &x, &y, &w, &h));
      g_assert_cmpint (app_scene_pick (scene, x + w / 2, y + h / 2), ==, i);
    }
  g_assert_cmpint (app_scene_neighbour (scene, 1, 1, 0), ==, 2);
  g_assert_cmpint (app_scene_neighbour (scene, 2, -1, 0), ==, 1);
  g_assert_cmpint (app_scene_neighbour (scene, 1, 0, 1), ==, 3);
  g_assert_cmpint (app_scene_neighbour (scene, 3, 0, 1), ==, -1);
  g_assert_cmpint (app_scene_neighbour (scene, -1, 0, 1), ==, 0);
  g_assert_cmpint (app_scene_pick (scene, 1, 1), ==, -1);
  g_assert_cmpuint (table->rows->len, ==, 4);
}

/* A zoom about a place leaves that place where it is. */
static void
test_zoom (void)
{
  g_autoptr (AppNetwork) network = diamond ();
  g_autoptr (AppScene) fit = app_network_layout (network, &view);
  g_autoptr (AppScene) zoomed = NULL;
  AppView closer = view;
  double x, y, w, h, x2, y2, w2, h2;

  g_assert_true (app_scene_locate (fit, 2, &x, &y, &w, &h));
  closer.zoom = fit->scale * 2;
  closer.x = x - (x - fit->origin_x) * 2;
  closer.y = y - (y - fit->origin_y) * 2;
  zoomed = app_network_layout (network, &closer);
  g_assert_true (app_scene_locate (zoomed, 2, &x2, &y2, &w2, &h2));
  g_assert_cmpfloat_with_epsilon (x2, x, 1e-6);
  g_assert_cmpfloat_with_epsilon (y2, y, 1e-6);
  g_assert_cmpfloat_with_epsilon (w2, 2 * w, 1e-6);
}

static AppHeatmap *
small_map (gsize rows,
           gsize cols)
{
  AppGrid *grid = app_grid_new (rows, cols, TRUE, TRUE);

  for (gsize k = 0; k < rows * cols; k++)
    {
      grid->values[k] = sin (k);
      grid->group[k] = k / 4;
      grid->state[k] = (k / 4) % 2 ? APP_CELL_PRUNED : 0;
    }
  app_grid_seal (grid);
  return app_heatmap_new (grid, "output", "input");
}

static void
test_heatmap (void)
{
  g_autoptr (AppHeatmap) map = small_map (16, 64);
  g_autoptr (AppScene) scene = app_heatmap_layout (map, &view);
  double x, y, w, h;

  for (gint64 id = 0; id < 16 * 64; id += 37)
    {
      g_assert_true (app_scene_locate (scene, id, &x, &y, &w, &h));
      g_assert_cmpint (app_scene_pick (scene, x + w / 2, y + h / 2), ==, id);
    }
  g_assert_cmpint (app_scene_neighbour (scene, 0, 1, 0), ==, 1);
  g_assert_cmpint (app_scene_neighbour (scene, 0, 0, 1), ==, 64);
  g_assert_cmpint (app_scene_neighbour (scene, 0, -1, 0), ==, -1);
  g_assert_cmpint (app_scene_neighbour (scene, 63, 1, 0), ==, -1);
}

/* However narrow, the words of the legend end before the picture does. */
static void
test_heatmap_legend (void)
{
  g_autoptr (AppHeatmap) map = small_map (16, 64);

  map->pruned_label = g_strdup ("beschnitten");
  for (double width = 300; width <= 900; width += 100)
    {
      AppView narrow = view;
      g_autoptr (AppScene) scene = NULL;
      guint n = 0;

      narrow.width = width;
      scene = app_heatmap_layout (map, &narrow);
      for (guint i = 0; i < scene->marks->len; i++)
        {
          const AppMark *mark = &g_array_index (scene->marks, AppMark, i);

          if (mark->kind != APP_MARK_TEXT || g_strcmp0 (mark->text, map->pruned_label) != 0)
            continue;
          n++;
          g_assert_cmpfloat (mark->x + paint_text_width (mark->text, mark->size, FALSE), <=, width);
        }
      g_assert_cmpuint (n, ==, 1);
    }
}

/* Coarser versions keep the largest value, and are hatched only where all is pruned. */
static void
test_levels (void)
{
  g_autoptr (AppHeatmap) map = small_map (600, 700);
  const AppGrid *coarse = map->grid->level;

  g_assert_nonnull (coarse);
  g_assert_cmpuint (coarse->n_rows, ==, 300);
  g_assert_cmpuint (coarse->n_cols, ==, 350);
  for (gsize k = 0; k < coarse->n_rows * coarse->n_cols; k += 1013)
    {
      gsize r = k / coarse->n_cols * 2, c = k % coarse->n_cols * 2;
      const float *v = map->grid->values + r * 700 + c;
      const guint8 *s = map->grid->state + r * 700 + c;
      float largest = MAX (MAX (fabsf (v[0]), fabsf (v[1])), MAX (fabsf (v[700]), fabsf (v[701])));

      g_assert_cmpfloat (fabsf (coarse->values[k]), ==, largest);
      g_assert_cmpuint (coarse->state[k], ==, s[0] & s[1] & s[700] & s[701]);
    }
  g_assert_nonnull (coarse->level);
}

static cairo_surface_t *
painted (const AppScene *scene,
         gboolean        dark)
{
  AppPalette palette = { .dark = dark };
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, view.width, view.height);
  cairo_t *cr = cairo_create (surface);

  paint_source (cr, app_palette_colour (&palette, APP_INK (BACKGROUND)));
  cairo_paint (cr);
  paint_scene (scene, &palette, cr);
  paint_highlight (scene, &palette, 1, TRUE, cr);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

static guint32
pixel (cairo_surface_t *surface,
       double           x,
       double           y)
{
  const guint8 *data = cairo_image_surface_get_data (surface);

  return *(const guint32 *) (data + (int) y * cairo_image_surface_get_stride (surface) + (int) x * 4) & 0xffffff;
}

/* Pruned cells carry stripes, not only another colour. */
static void
test_paint_pruned (void)
{
  g_autoptr (AppHeatmap) map = small_map (4, 8);
  g_autoptr (AppScene) scene = app_heatmap_layout (map, &view);
  cairo_surface_t *surface = painted (scene, FALSE);
  g_autoptr (GHashTable) colours = g_hash_table_new (NULL, NULL);
  double x, y, w, h;

  g_assert_true (app_scene_locate (scene, 21, &x, &y, &w, &h)); /* group 5: pruned */
  for (double dx = 4; dx < w - 4; dx++)
    g_hash_table_add (colours, GUINT_TO_POINTER (pixel (surface, x + dx, y + h / 2)));
  g_assert_cmpuint (g_hash_table_size (colours), >=, 2);
  g_hash_table_remove_all (colours);
  g_assert_true (app_scene_locate (scene, 18, &x, &y, &w, &h)); /* group 4: kept */
  for (double dx = 4; dx < w - 4; dx++)
    g_hash_table_add (colours, GUINT_TO_POINTER (pixel (surface, x + dx, y + h / 2)));
  g_assert_cmpuint (g_hash_table_size (colours), ==, 1);
  cairo_surface_destroy (surface);
}

static AppPlot *
small_plot (void)
{
  AppPlot *plot = app_plot_new ("DSP", "accuracy");
  AppPlotSeries *series = app_plot_add_series (plot, "run 1", 0);

  series->points = series->line = TRUE;
  for (guint i = 0; i < 5; i++)
    app_plot_add_point (series, 1000 - 200 * i, 0.75 - 0.002 * i, i, "step");
  app_plot_add_rule (plot, FALSE, 0.74, APP_INK (WARN), "tolerance");
  app_plot_add_rule (plot, TRUE, 1e6, APP_INK (BAD), "device");
  return plot;
}

static void
test_plot (void)
{
  g_autoptr (AppPlot) plot = small_plot ();
  g_autoptr (AppScene) scene = app_plot_layout (plot, &view);
  g_autoptr (AppTable) table = app_plot_table (plot);
  g_autofree char *csv = app_table_to_csv (table, "Espalier\nseed 1");
  double x, y, w, h, left = 1e9;

  for (gint64 id = 0; id < 5; id++)
    {
      g_assert_true (app_scene_locate (scene, id, &x, &y, &w, &h));
      g_assert_cmpint (app_scene_pick (scene, x + w / 2 + 3, y + h / 2), ==, id);
      g_assert_cmpfloat (x, <, left); /* fewer DSP, further left: a far device limit does not squeeze them */
      left = x;
      g_assert_cmpfloat_with_epsilon (app_plot_x_at (plot, &view, x + w / 2), 1000 - 200 * id, 1);
    }
  g_assert_true (g_str_has_prefix (csv, "# Espalier\r\n# seed 1\r\nseries,DSP,accuracy,note\r\n"));
  g_assert_nonnull (strstr (csv, "run 1,1000,0.75,step\r\n"));
}

/* Rows of the picture that are not all of one colour. */
static guint
inked_rows (const AppScene *scene)
{
  cairo_surface_t *surface = painted (scene, FALSE);
  guint n = 0;

  for (int y = 0; y < view.height; y++)
    {
      gboolean inked = FALSE;

      for (int x = 1; x < view.width && !inked; x++)
        inked = pixel (surface, x, y) != pixel (surface, 0, y);
      n += inked;
    }
  cairo_surface_destroy (surface);
  return n;
}

/* What is said where there is nothing yet is broken into lines, not cut. */
static void
test_empty_text (void)
{
  const AppView narrow = { .width = 200, .height = 300, .text = 13 };
  g_autoptr (AppPlot) plot = app_plot_new ("x", "y");
  g_autoptr (AppScene) wide = NULL, broken = NULL;

  plot->empty = g_strdup ("Scan widths to see how many bits the network needs.");
  wide = app_plot_layout (plot, &view);
  broken = app_plot_layout (plot, &narrow);
  g_assert_cmpuint (inked_rows (wide), >, 4);
  g_assert_cmpuint (inked_rows (broken), >, 3 * inked_rows (wide) / 2);
}

static void
test_empty_plot (void)
{
  g_autoptr (AppPlot) plot = app_plot_new ("x", "y");
  g_autoptr (AppScene) scene = app_plot_layout (plot, &view);

  app_plot_add_series (plot, "nothing", 0);
  g_assert_cmpuint (scene->marks->len, ==, 1);
  g_assert_true (isnan (app_plot_x_at (plot, &view, 30)));
}

static void
test_bars (void)
{
  g_autoptr (AppBars) bars = app_bars_new ("estimate", "measured", NULL);
  g_autoptr (AppScene) scene = NULL;
  g_autoptr (AppTable) table = NULL;
  double x, y, w, h, w2;

  bars->own_scale = TRUE;
  app_bars_set (app_bars_add (bars, "DSP", 100, "100"), 0, 150, 150, 150, "150");
  app_bars_set (app_bars_add (bars, "LUT", 1000, "1000"), 0, 500, 400, 600, "500");
  scene = app_bars_layout (bars, &view);
  table = app_bars_table (bars);
  g_assert_true (app_scene_locate (scene, 0, &x, &y, &w, &h));
  g_assert_true (app_scene_locate (scene, 2, &x, &y, &w2, &h));
  g_assert_cmpfloat_with_epsilon (w2 / w, 0.5, 0.01);
  g_assert_cmpstr (((char **) g_ptr_array_index (table->rows, 1))[1], ==, "500");
}

/* Text against its background: at least 4.5 to 1 (WCAG 2.2, 1.4.3); marks at least 3 to 1 (1.4.11). */
static void
test_contrast (void)
{
  static const AppInkRole text[] = { APP_INK_TEXT, APP_INK_DIM, APP_INK_WARN, APP_INK_BAD, APP_INK_GOOD };

  for (guint d = 0; d < 2; d++)
    {
      AppPalette palette = { .dark = d };
      AppColour background = app_palette_colour (&palette, APP_INK (BACKGROUND));

      for (guint i = 0; i < G_N_ELEMENTS (text); i++)
        {
          AppColour colour = app_palette_colour (&palette, (AppInk) { .role = text[i] });

          g_assert_cmpfloat (app_colour_contrast (colour, background), >=, 4.5);
          g_assert_cmpfloat (app_colour_contrast (colour, app_palette_colour (&palette, APP_INK (SURFACE))), >=, 4.5);
        }
      for (guint s = 0; s < 6; s++)
        g_assert_cmpfloat (app_colour_contrast (app_palette_colour (&palette, (AppInk) { .role = APP_INK_SERIES, .t = s }), background),
                           >=, 3);
    }
}

static void
test_mirror (void)
{
  g_autoptr (AppNetwork) network = diamond ();
  AppView rtl = view;
  g_autoptr (AppScene) scene = app_network_layout (network, &view), mirrored = NULL;
  double x, y, w, h, x2;

  rtl.rtl = TRUE;
  mirrored = app_network_layout (network, &rtl);
  g_assert_true (app_scene_locate (scene, 1, &x, &y, &w, &h));
  g_assert_true (app_scene_locate (mirrored, 1, &x2, &y, &w, &h));
  g_assert_cmpfloat_with_epsilon (x2, view.width - x - w, 1e-6);
}

/* A matrix of four million weights is painted in the time of a frame, whatever part is seen. */
static void
test_large (void)
{
  g_autoptr (AppHeatmap) map = small_map (2000, 2000);
  gint64 start;

  for (double zoom = 1; zoom < 100; zoom *= 8)
    {
      AppView closer = { .width = 1200, .height = 800, .text = 13, .zoom = zoom, .x = -3000, .y = -3000 };
      g_autoptr (AppScene) scene = app_heatmap_layout (map, &closer);
      cairo_surface_t *surface = painted (scene, FALSE);

      cairo_surface_destroy (surface);
      start = g_get_monotonic_time ();
      surface = painted (scene, TRUE);
      g_test_message ("zoom %g: %.1f ms", zoom, (g_get_monotonic_time () - start) / 1000.0);
      g_assert_cmpint (g_get_monotonic_time () - start, <, 500000); /* a frame on an idle machine, much more on a busy one */
      cairo_surface_destroy (surface);
    }
}

static gboolean
has_text (const AppScene *scene,
          const char     *text,
          double         *y)
{
  for (guint i = 0; i < scene->marks->len; i++)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      if (mark->kind == APP_MARK_TEXT && g_strcmp0 (mark->text, text) == 0)
        {
          *y = mark->y;
          return TRUE;
        }
    }
  return FALSE;
}

/* Every series is in the legend, in as many rows as it takes, and none of them lies in the plot. */
static void
test_legend (void)
{
  static const char *const names[] = { "a rather long name of a class", "another one of that length", "a third, longer still than those", "W", "Z" };
  AppView narrow = { .width = 360, .height = 320, .text = 13 };
  g_autoptr (AppPlot) plot = app_plot_new ("x", "y");
  g_autoptr (AppScene) scene = NULL;
  double y, last = 0;

  for (guint s = 0; s < G_N_ELEMENTS (names); s++)
    {
      AppPlotSeries *series = app_plot_add_series (plot, names[s], s);

      series->points = TRUE;
      app_plot_add_point (series, s, 100, s, "point");
    }
  app_plot_add_point (app_plot_add_series (plot, "left out", 0), 0, 0, -1, NULL);
  ((AppPlotSeries *) g_ptr_array_index (plot->series, G_N_ELEMENTS (names)))->faint = TRUE;
  scene = app_plot_layout (plot, &narrow);
  for (guint s = 0; s < G_N_ELEMENTS (names); s++)
    {
      g_assert_true (has_text (scene, names[s], &y));
      g_assert_cmpfloat (y, >=, last);
      last = y;
    }
  g_assert_false (has_text (scene, "left out", &y));
  g_assert_true (app_scene_locate (scene, 0, &y, &y, &y, &y));
  for (guint i = 0; i < scene->marks->len; i++)
    if (g_array_index (scene->marks, AppMark, i).id >= 0)
      g_assert_cmpfloat (g_array_index (scene->marks, AppMark, i).y, >, last);
}

/* Error bars about both axes are within the axes, and their ends are in the table. */
static void
test_error_bars (void)
{
  g_autoptr (AppPlot) plot = app_plot_new ("DSP", "Accuracy");
  AppPlotSeries *series = app_plot_add_series (plot, "median", 0);
  g_autoptr (AppTable) plain = NULL, table = NULL;
  g_autoptr (AppScene) scene = NULL;
  AppPlotPoint *point;
  guint n_lines = 0;

  series->points = TRUE;
  app_plot_add_point (series, 10, 75, 3, "m");
  plain = app_plot_table (plot);
  g_assert_cmpuint (plain->columns->len, ==, 4);
  point = &g_array_index (series->data, AppPlotPoint, 0);
  point->low = 70;
  point->high = 78;
  point->left = 8;
  point->right = 15;
  table = app_plot_table (plot);
  g_assert_cmpuint (table->columns->len, ==, 6);
  g_assert_cmpstr (((char **) g_ptr_array_index (table->rows, 0))[3], ==, "70");
  g_assert_cmpstr (((char **) g_ptr_array_index (table->rows, 0))[4], ==, "78");
  scene = app_plot_layout (plot, &view);
  for (guint i = 0; i < scene->marks->len; i++)
    {
      const AppMark *mark = &g_array_index (scene->marks, AppMark, i);

      n_lines += mark->kind == APP_MARK_LINE && mark->stroke.role == APP_INK_SERIES;
    }
  g_assert_cmpuint (n_lines, ==, 6); /* two lines and four caps */
}

/* However narrow: no text of a profile ends outside, a legend takes as many lines as it needs, and the last row still has its place. */
static void
test_narrow_spans (void)
{
  static const double widths[] = { 900, 400, 340 };

  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    {
      g_autoptr (AppSpans) spans = app_spans_new ("size", "what the type can hold", "half of the weights, and all of them");
      AppView at = { .width = widths[i], .text = 12 };
      g_autoptr (AppScene) scene = NULL;
      double first = 0, second = 0, end = 0;

      for (guint k = 0; k < 8; k++)
        {
          AppSpan span = { .name = g_strdup_printf ("layer %u", k), .low = 0.01, .q1 = 0.05, .median = 0.1, .q3 = 0.2, .high = 0.9,
                           .lsb = 0.001, .max = 32 };

          g_array_append_val (spans->spans, span);
        }
      at.height = app_spans_height (spans, at.text);
      scene = app_spans_layout (spans, &at);
      for (guint m = 0; m < scene->marks->len; m++)
        {
          const AppMark *mark = &g_array_index (scene->marks, AppMark, m);

          if (mark->kind != APP_MARK_TEXT)
            continue;
          end = mark->x + (1 - mark->align) * paint_text_width (mark->text, mark->size, mark->bold);
          g_assert_cmpfloat (end, <=, at.width);
          g_assert_cmpfloat (mark->y, <, at.height);
        }
      g_assert_true (has_text (scene, spans->type_label, &first));
      g_assert_true (has_text (scene, spans->data_label, &second));
      g_assert_true ((second > first) == (widths[i] < 500));
      g_assert_true (has_text (scene, "layer 7", &end));
      g_assert_cmpfloat (end, <, at.height - 2 * at.text);
    }
}

/* What an outline says stands in the legend, where there is one. */
static void
test_changed_key (void)
{
  g_autoptr (AppNetwork) network = diamond ();
  g_autoptr (AppScene) plain = NULL, marked = NULL;
  double y;

  network->changed_title = g_strdup ("changed");
  for (guint i = 0; i < network->n_nodes; i++)
    network->nodes[i].changed = FALSE;
  plain = app_network_layout (network, &view);
  g_assert_false (has_text (plain, "changed", &y));
  network->nodes[0].changed = TRUE;
  marked = app_network_layout (network, &view);
  g_assert_true (has_text (marked, "changed", &y));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/charts/axis", test_axis);
  g_test_add_func ("/charts/number", test_number);
  g_test_add_func ("/charts/network", test_network);
  g_test_add_func ("/charts/zoom", test_zoom);
  g_test_add_func ("/charts/heatmap", test_heatmap);
  g_test_add_func ("/charts/heatmap-legend", test_heatmap_legend);
  g_test_add_func ("/charts/levels", test_levels);
  g_test_add_func ("/charts/paint-pruned", test_paint_pruned);
  g_test_add_func ("/charts/plot", test_plot);
  g_test_add_func ("/charts/empty-plot", test_empty_plot);
  g_test_add_func ("/charts/empty-text", test_empty_text);
  g_test_add_func ("/charts/bars", test_bars);
  g_test_add_func ("/charts/contrast", test_contrast);
  g_test_add_func ("/charts/mirror", test_mirror);
  g_test_add_func ("/charts/large", test_large);
  g_test_add_func ("/charts/legend", test_legend);
  g_test_add_func ("/charts/error-bars", test_error_bars);
  g_test_add_func ("/charts/narrow-spans", test_narrow_spans);
  g_test_add_func ("/charts/changed-key", test_changed_key);
  return g_test_run ();
}
