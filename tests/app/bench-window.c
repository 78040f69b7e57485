/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long people wait: the window, a network of a million weights, a frame of its heatmap. Prints figures; run by
 * `meson test --benchmark`. Promised on a free machine: window 0.5 s, network 1 s, frame 16 ms. */

#include "app-chart.h"
#include "app-weight-map.h"
#include "app-window.h"

#include "test-shared.h"

#define SIDE 1024 /* 1024 x 1024 = 1 048 576 weights */
#define N_FRAMES 60

static double
seconds_since (gint64 start)
{
  return (g_get_monotonic_time () - start) / 1e6;
}

static void
until_drawn (GtkWidget *window)
{
  gtk_window_present (GTK_WINDOW (window));
  while (!gtk_widget_get_mapped (window))
    g_main_context_iteration (NULL, TRUE);
  gtk_test_widget_wait_for_draw (window);
}

static char *
million_weights (const char *folder)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnTensor) kernel = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (SIDE, SIDE));
  NnWeight weight = { "kernel", "wide", NN_ROLE_KERNEL, TRUE, kernel, NULL };
  NnModelInfo info = { .name = "wide", .format = "made by the benchmark" };
  NnNode *node = nn_graph_builder_add (builder, NN_OP_INPUT, "x", NULL, NULL, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnModel) model = NULL;
  char *path = g_build_filename (folder, "wide.h5", NULL);
  NnRng rng;

  nn_rng_init (&rng, 1);
  for (gsize i = 0; i < kernel->n; i++)
    nn_tensor_f32 (kernel)[i] = 0.03 * nn_rng_normal (&rng);
  node->shape = NN_SHAPE (SIDE);
  node = nn_graph_builder_add (builder, NN_OP_DENSE, "wide", NULL, &(guint) { 0 }, 1);
  node->attrs.units = SIDE;
  nn_graph_builder_weights (builder, node, (guint[]) { 0 }, 1);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, &weight, 1, &info, &error);
  g_assert_no_error (error);
  g_assert_true (nn_model_save (model, path, &error));
  g_assert_no_error (error);
  return path;
}

static GtkWidget *
first_chart (GtkWidget *widget)
{
  if (APP_IS_CHART (widget) && gtk_widget_get_mapped (widget))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = first_chart (child);

      if (found != NULL)
        return found;
    }
  return NULL;
}

/* Zooms step by step; every frame is waited for. */
static double
frame_time (GtkWidget *chart)
{
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < N_FRAMES; i++)
    {
      app_chart_zoom (APP_CHART (chart), i % 20 < 10 ? 1.2 : 1 / 1.2);
      gtk_test_widget_wait_for_draw (chart);
    }
  return seconds_since (start) / N_FRAMES;
}

int
main (int    argc,
      char **argv)
{
  gint64 start = g_get_monotonic_time ();
  g_autofree char *folder = NULL, *path = NULL;
  GtkWidget *window, *chart;
  AppDocument *document;
  double shown, loaded, analysed;

  gtk_init ();
  adw_init ();
  window = app_window_new (NULL);
  until_drawn (window);
  g_print ("window drawn after %.2f s\n", seconds_since (start));
  folder = test_folder ();
  path = million_weights (folder);
  document = app_window_document (APP_WINDOW (window));
  start = g_get_monotonic_time ();
  app_window_open (APP_WINDOW (window), path);
  while (app_document_is_empty (document))
    g_main_context_iteration (NULL, TRUE);
  loaded = seconds_since (start);
  gtk_test_widget_wait_for_draw (window);
  shown = seconds_since (start);
  while (app_document_analysis (document) == NULL)
    g_main_context_iteration (NULL, TRUE);
  analysed = seconds_since (start);
  g_print ("network of %d weights: read after %.2f s, drawn after %.2f s, analysed after %.2f s\n", SIDE * SIDE, loaded, shown, analysed);
  app_window_show_page (APP_WINDOW (window), "weights");
  start = g_get_monotonic_time ();
  while ((chart = first_chart (window)) == NULL || app_chart_data (APP_CHART (chart)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  gtk_test_widget_wait_for_draw (chart);
  g_print ("heatmap drawn after %.2f s\n", seconds_since (start));
  g_print ("a frame of it: %.1f ms\n", frame_time (chart) * 1000);
  gtk_window_destroy (GTK_WINDOW (window));
  return 0;
}
