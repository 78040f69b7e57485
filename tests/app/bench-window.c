/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long people wait: the window, a network of a million weights from the click to its weights drawn, a frame of them. Prints
 * figures; run by `meson test --benchmark`. Promised on a free machine: window 0.5 s, network 1 s, frame 16 ms. */

#include "app-chart.h"
#include "app-weight-map.h"
#include "app-window.h"

#include "test-shared.h"

#define SIDE 1024 /* 1024 x 1024 = 1 048 576 weights */
#define N_FRAMES 60
#define N_TIMES 5

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

static gint64 frame_begun;

static void
on_frame_begun (GdkFrameClock *clock,
                gpointer       data)
{
  frame_begun = g_get_monotonic_time ();
}

static void
on_frame_done (GdkFrameClock *clock,
               double        *time)
{
  *time = seconds_since (frame_begun);
}

static int
compare_times (gconstpointer a,
               gconstpointer b)
{
  const double *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

/* Zooms step by step and waits for each frame; the clock ticks 60 times a second, so it is the work of a frame that tells. */
static void
measure_frames (GtkWidget *chart,
                double    *median,
                double    *slowest,
                double    *interval)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (chart);
  double times[N_FRAMES], last = 0;
  gulong begun = g_signal_connect (clock, "before-paint", G_CALLBACK (on_frame_begun), &last);
  gulong done = g_signal_connect (clock, "after-paint", G_CALLBACK (on_frame_done), &last);
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < N_FRAMES; i++)
    {
      app_chart_zoom (APP_CHART (chart), i % 20 < 10 ? 1.2 : 1 / 1.2);
      gtk_test_widget_wait_for_draw (chart);
      times[i] = last;
    }
  *interval = seconds_since (start) / N_FRAMES;
  g_signal_handler_disconnect (clock, begun);
  g_signal_handler_disconnect (clock, done);
  qsort (times, N_FRAMES, sizeof *times, compare_times);
  *median = times[N_FRAMES / 2];
  *slowest = times[N_FRAMES - 1];
}

/* From the click on a file to all its weights on the screen, the page of weights being the one looked at. */
static double
open_and_draw (GtkWidget  *window,
               const char *path)
{
  AppDocument *document = app_window_document (APP_WINDOW (window));
  gint64 start = g_get_monotonic_time ();
  double read, drawn;
  GtkWidget *chart;

  app_window_open (APP_WINDOW (window), path);
  while (app_document_is_empty (document))
    g_main_context_iteration (NULL, TRUE);
  read = seconds_since (start);
  while (app_document_analysis (document) == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_print ("network of %d weights: read after %.2f s, analysed after %.2f s, ", SIDE * SIDE, read, seconds_since (start));
  while ((chart = first_chart (window)) == NULL || app_chart_data (APP_CHART (chart)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  gtk_test_widget_wait_for_draw (chart);
  drawn = seconds_since (start);
  g_print ("drawn after %.2f s\n", drawn);
  return drawn;
}

int
main (int    argc,
      char **argv)
{
  gint64 start = g_get_monotonic_time ();
  g_autofree char *folder = NULL, *path = NULL;
  double drawn[N_TIMES], median, slowest, interval;
  GtkWidget *window;

  gtk_init ();
  adw_init ();
  g_set_prgname ("bench-window"); /* the list of recent files wants both */
  g_set_application_name ("Espalier");
  window = app_window_new (NULL);
  until_drawn (window);
  g_print ("window drawn after %.2f s\n", seconds_since (start));
  folder = test_folder ();
  path = million_weights (folder);
  for (guint i = 0; i < N_TIMES; i++)
    {
      gtk_window_destroy (GTK_WINDOW (window));
      window = app_window_new (NULL);
      app_window_show_page (APP_WINDOW (window), "weights");
      until_drawn (window);
      drawn[i] = open_and_draw (window, path);
    }
  qsort (drawn, N_TIMES, sizeof *drawn, compare_times);
  g_print ("opened and drawn: median %.2f s of %d\n", drawn[N_TIMES / 2], N_TIMES);
  measure_frames (first_chart (window), &median, &slowest, &interval);
  g_print ("a frame of its weights: %.1f ms of work in the median, %.1f ms at the most; one every %.1f ms\n", median * 1000, slowest * 1000,
           interval * 1000);
  gtk_window_destroy (GTK_WINDOW (window));
  return 0;
}
