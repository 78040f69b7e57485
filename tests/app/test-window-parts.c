/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Precision, variants, the queue of builds, a sample's trace, maps of weights: parts of the window's test that need a network
 * which was optimised. */

#include "espalier-config.h"

#include "app-build-queue.h"
#include "app-export.h"
#include "app-figure.h"
#include "app-figures.h"
#include "app-variants.h"
#include "app-weight-map.h"
#include "app-why.h"
#include "app-window.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "test-shared.h"
#include "test-window.h"

static void
take_variant (GPtrArray        *variants,
              const AppVariant *variant)
{
  g_ptr_array_add (variants, app_variant_copy (variant));
}

static GtkWidget *found_button;
static const char *wanted_label;

static void
find_button (GtkWidget *widget)
{
  if (GTK_IS_BUTTON (widget) && gtk_widget_get_mapped (widget) && g_strcmp0 (gtk_button_get_label (GTK_BUTTON (widget)), wanted_label) == 0)
    found_button = widget;
}

/* Presses the button of that label on the page shown. */
static void
press (const char *label)
{
  found_button = NULL;
  wanted_label = label;
  visit (GTK_WIDGET (window), find_button);
  g_assert_nonnull (found_button);
  g_assert_true (gtk_widget_is_sensitive (found_button));
  g_signal_emit_by_name (found_button, "clicked");
}

static void
set_precision (const char *text)
{
  AppState *next = app_state_copy (app_document_state (document ()), "Precision");
  g_autoptr (NnConfig) config = nn_config_copy (next->config);
  NnType type;
  GError *error = NULL;

  g_assert_true (nn_type_parse (text, &type, &error));
  g_hash_table_insert (nn_config_model (config)->precision, g_strdup ("default"), g_memdup2 (&type, sizeof type));
  app_state_set_config (next, config);
  app_document_push (document (), next);
  WAIT_FOR (app_document_analysis (document ()) != NULL && app_document_analysis (document ())->config == app_document_state (document ())->config);
}

/* Fixed point against float: the error of a layer tints its card, is larger with fewer bits, and the doctor repairs it. */
void
test_precision (void)
{
  g_autoptr (AppNetwork) network = NULL;
  double fine, coarse;
  NnConfig *config;

  app_window_show_page (window, "network");
  app_document_want_errors (document ());
  WAIT_FOR (app_document_errors (document ()) != NULL);
  fine = app_document_errors (document ())->layers[1];
  g_assert_true (isnan (app_document_errors (document ())->layers[0]) || app_document_errors (document ())->layers[0] < 0.01);
  g_assert_cmpfloat (fine, >, 0);
  g_assert_cmpfloat (fine, <, 0.05);
  network = app_figures_network (document (), APP_METRIC_ERROR, NULL, FALSE);
  g_assert_cmpfloat (network->nodes[1].metric, >, 0);
  g_assert_nonnull (strchr (network->nodes[1].metric_text, '%'));
  set_precision ("fixed<8,3>");
  g_assert_null (app_document_errors (document ())); /* of another configuration */
  app_window_show_page (window, "precision");
  WAIT_FOR (app_document_errors (document ()) != NULL);
  coarse = app_document_errors (document ())->layers[1];
  g_assert_cmpfloat (coarse, >, 3 * fine);
  settle (300);
  press ("Find a _Repair");
  WAIT_FOR (app_document_job (document ()) == NULL);
  settle (300);
  config = app_document_state (document ())->config;
  press ("_Apply");
  g_assert_true (app_document_state (document ())->config != config);
  WAIT_FOR (app_document_analysis (document ())->config == app_document_state (document ())->config && app_document_errors (document ()) != NULL);
  g_assert_cmpfloat (app_document_errors (document ())->doctor->fixed_score, >, 0.5);
  app_document_undo (document ());
  g_assert_true (app_document_state (document ())->config == config);
  app_document_undo (document ());
  settle (300);
  press ("Choose _Widths");
  config = app_document_state (document ())->config;
  WAIT_FOR (app_document_job (document ()) == NULL);
  g_assert_true (app_document_state (document ())->config != config);
  WAIT_FOR (app_document_analysis (document ())->config == app_document_state (document ())->config);
  g_assert_nonnull (app_document_analysis (document ())->estimate);
  app_document_undo (document ());
  g_assert_true (app_document_state (document ())->config == config);
  WAIT_FOR (app_document_analysis (document ())->config == config);
}

/* Other hardware is estimated; builds go one after the other, each in a folder of its own, and one that fails stops none. */
void
test_variants (void)
{
  AppAnalysis *analysis = app_document_analysis (document ());
  AppJob *job = app_variants_job (analysis);
  g_autoptr (GPtrArray) variants = g_ptr_array_new_with_free_func ((GDestroyNotify) app_variant_free);
  g_autoptr (AppPlot) plot = NULL;
  double least = G_MAXDOUBLE, most = 0;
  guint n_current = 0;

  g_signal_connect_swapped (job, "item", G_CALLBACK (take_variant), variants);
  app_job_start (job);
  WAIT_FOR (!app_job_is_running (job));
  g_object_unref (job);
  g_assert_cmpuint (variants->len, >=, 12);
  for (guint i = 0; i < variants->len; i++)
    {
      const AppVariant *variant = g_ptr_array_index (variants, i);

      g_assert_cmpfloat (variant->latency, >, 0);
      least = MIN (least, variant->resources.amount[NN_RESOURCE_DSP]);
      most = MAX (most, variant->resources.amount[NN_RESOURCE_DSP]);
      n_current += variant->current;
      if (variant->current)
        g_assert_cmpfloat (variant->resources.amount[NN_RESOURCE_DSP], ==, app_analysis_total (analysis, NN_RESOURCE_DSP));
    }
  g_assert_cmpuint (n_current, ==, 1);
  g_assert_cmpfloat (most, >, 2 * least);
  plot = app_variants_plot (variants, NN_RESOURCE_LUT, analysis->part);
  g_assert_cmpuint (plot->series->len, ==, 3);
}

void
test_queue (void)
{
  g_autofree char *base = g_build_filename (folder, "variants", NULL);
  g_autoptr (AppBuildQueue) queue = app_build_queue_new (document ());
  AppAnalysis *analysis = app_document_analysis (document ());
  g_autofree char *path = g_strdup (g_getenv ("PATH"));

  g_setenv ("PATH", folder, TRUE); /* where no tool is */
  app_build_queue_add (queue, "First one", analysis, HLS_STAGE_SYNTH, base, FALSE, HLS_CLUSTER_NONE);
  app_build_queue_add (queue, "First one", analysis, HLS_STAGE_SYNTH, base, FALSE, HLS_CLUSTER_NONE);
  app_build_queue_add (queue, "Third", analysis, HLS_STAGE_SYNTH, base, FALSE, HLS_CLUSTER_NONE);
  g_assert_cmpuint (app_build_queue_n (queue), ==, 3);
  g_assert_cmpstr (app_build_queue_get (queue, 0)->folder, !=, app_build_queue_get (queue, 1)->folder);
  app_build_queue_remove (queue, 2);
  g_assert_cmpuint (app_build_queue_n (queue), ==, 2);
  WAIT_FOR (app_build_queue_get (queue, 1)->state == APP_BUILD_FAILED);
  for (guint i = 0; i < 2; i++)
    {
      const AppBuild *build = app_build_queue_get (queue, i);
      g_autofree char *firmware = g_build_filename (build->folder, "firmware", NULL);

      g_assert_cmpint (build->state, ==, APP_BUILD_FAILED);
      g_assert_nonnull (build->message);
      g_assert_true (g_file_test (firmware, G_FILE_TEST_IS_DIR));
    }
  g_setenv ("PATH", path, TRUE);
  WAIT_FOR (app_document_job (document ()) == NULL);
}

static void
write_tool (const char *path,
            const char *began,
            const char *ended)
{
  g_autofree char *script = g_strdup_printf ("#!/bin/sh\n: > '%s'\nsleep 1\n: > '%s'\n", began, ended);

  g_assert_true (g_file_set_contents_full (path, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
}

/* A vendor's tool at work goes on when its window is gone, the document stays free for other work meanwhile, and who opens the
 * document again finds the build. */
void
test_outlives (void)
{
  g_autofree char *tool = g_build_filename (folder, "vitis_hls", NULL), *base = g_build_filename (folder, "outliving", NULL);
  g_autofree char *began = g_build_filename (folder, "began", NULL), *ended = g_build_filename (folder, "ended", NULL);
  g_autofree char *path = g_strdup (g_getenv ("PATH")), *with_tool = g_strdup_printf ("%s:%s", folder, path);
  AppAnalysis *analysis = app_document_analysis (document ());
  AppBuildQueue *queue = app_build_queue_new (document ());
  const AppBuild *build;

  write_tool (tool, began, ended);
  g_setenv ("PATH", with_tool, TRUE);
  app_build_queue_add (queue, "Left behind", analysis, HLS_STAGE_SYNTH, base, FALSE, HLS_CLUSTER_NONE);
  WAIT_FOR (g_file_test (began, G_FILE_TEST_EXISTS));
  g_assert_null (app_document_job (document ()));
  g_object_unref (queue);
  queue = app_build_queue_new (document ());
  g_assert_cmpuint (app_build_queue_n (queue), ==, 1);
  build = app_build_queue_get (queue, 0);
  g_assert_cmpstr (build->title, ==, "Left behind");
  g_assert_true (build->found);
  g_assert_cmpfloat (build->estimate.amount[NN_RESOURCE_DSP], ==, app_analysis_total (analysis, NN_RESOURCE_DSP));
  WAIT_FOR (build->state == APP_BUILD_FAILED); /* it has left no report */
  g_assert_true (g_file_test (ended, G_FILE_TEST_EXISTS));
  g_assert_nonnull (strstr (build->message, "report"));
  g_object_unref (queue);
  queue = app_build_queue_new (document ()); /* what has been told is not told again */
  g_assert_cmpuint (app_build_queue_n (queue), ==, 0);
  g_object_unref (queue);
  g_setenv ("PATH", path, TRUE);
}

/* One sample through the network: as many values in fixed point as in floating point, and close to them. */
void
test_trace (void)
{
  AppJob *job = app_trace_job (app_document_analysis (document ()), app_document_state (document ())->data, 7);
  g_autoptr (AppTrace) trace = NULL;

  app_job_start (job);
  WAIT_FOR (!app_job_is_running (job));
  g_assert_no_error (app_job_error (job));
  trace = app_job_steal_result (job);
  g_object_unref (job);
  g_assert_cmpuint (trace->names->len, >=, 5);
  for (guint i = 0; i < trace->names->len; i++)
    {
      const GArray *as_float = trace->as_float->pdata[i], *as_fixed = trace->as_fixed->pdata[i];
      g_autoptr (AppPlot) plot = app_trace_plot (trace, i);

      g_assert_nonnull (as_float);
      g_assert_cmpuint (as_float->len, ==, as_fixed->len);
      g_assert_cmpuint (plot->series->len, ==, 2);
      for (guint k = 0; k < as_float->len; k++)
        g_assert_cmpfloat (fabs (g_array_index (as_float, double, k) - g_array_index (as_fixed, double, k)), <, 0.3);
    }
  job = app_trace_job (app_document_analysis (document ()), app_document_state (document ())->data, 1u << 30);
  app_job_start (job);
  WAIT_FOR (!app_job_is_running (job));
  g_assert_error (app_job_error (job), NN_ERROR, NN_ERROR_SHAPE);
  g_object_unref (job);
}

void
test_weight_map (void)
{
  AppAnalysis *analysis = app_document_analysis (document ());

  for (guint layer = 0; layer < analysis->n_layers; layer++)
    for (guint order = 0; order < 4; order++)
      {
        const NnNode *node = nn_graph_node (nn_model_graph (analysis->model), layer);
        const NnWeight *weight = nn_model_node_weight (analysis->model, node, NN_ROLE_KERNEL);
        AppWeightMap *map;
        g_autofree guint8 *seen = NULL;
        gsize n = 0, pruned = 0, masked = 0;

        if (weight == NULL)
          continue;
        map = app_weight_map_new (analysis, layer, NN_ROLE_KERNEL, order, NULL);
        g_assert_cmpuint (map->order, ==, order == APP_ORDER_KERNELS ? APP_ORDER_TENSOR : order);
        if (order == APP_ORDER_WORDS)
          {
            g_assert_cmpuint (map->in_word, ==, 2); /* 16 bits: two in 36 */
            g_assert_cmpuint (map->map->grid->n_cols % 2, ==, 0);
            for (gsize k = 0; k < map->map->grid->n_rows * map->map->grid->n_cols; k += 2)
              g_assert_true (map->index[k + 1] < 0 || map->map->grid->block[k] == map->map->grid->block[k + 1]);
          }
        seen = g_new0 (guint8, weight->values->n);
        for (gsize k = 0; k < map->map->grid->n_rows * map->map->grid->n_cols; k++)
          if (map->index[k] >= 0)
            {
              g_autofree char *tip = app_weight_map_tip (map, k);

              g_assert_nonnull (tip);
              g_assert_cmpuint (seen[map->index[k]]++, ==, 0);
              g_assert_cmpfloat (map->map->grid->values[k], ==, nn_tensor_f32 (weight->values)[map->index[k]]);
              pruned += (map->map->grid->state[k] & APP_CELL_PRUNED) != 0;
              n++;
            }
        g_assert_cmpuint (n, ==, weight->values->n); /* every weight is shown exactly once */
        for (gsize i = 0; weight->mask != NULL && i < weight->mask->n; i++)
          masked += nn_tensor_u8 (weight->mask)[i] == 0;
        g_assert_cmpuint (masked, >, 0);
        g_assert_cmpuint (pruned, >=, masked);
        app_weight_map_free (map);
      }
}

/* Of every layer a weight that is there and one that is not: cut ones were worth less than what their hardware was worth
 * elsewhere, kept ones more; near the border the whole of a group may decide. */
void
test_why (void)
{
  NnModel *model = app_document_shown (document ());
  guint n_kept = 0, n_cut = 0, n_plain = 0;

  for (guint w = 0; w < nn_model_n_weights (model); w++)
    {
      const NnWeight *weight = nn_model_weight (model, w);
      gboolean seen[2] = { FALSE, FALSE };

      for (gsize i = 0; weight->mask != NULL && i < weight->mask->n; i++)
        {
          gboolean kept = nn_tensor_u8 (weight->mask)[i] != 0;
          g_autofree AppWhy *why = NULL;
          AppJob *job;

          if (seen[kept])
            continue;
          seen[kept] = TRUE;
          job = app_why_job (app_document_state (document ()), w, i);
          g_assert_nonnull (job);
          app_job_start (job);
          WAIT_FOR (!app_job_is_running (job));
          g_assert_no_error (app_job_error (job));
          why = app_job_steal_result (job);
          g_object_unref (job);
          if (why == NULL) /* of no group */
            continue;
          g_assert_cmpint (why->kept, ==, kept);
          g_assert_cmpuint (why->step, >=, 1);
          g_assert_cmpuint (why->step, <=, app_document_state (document ())->step);
          g_assert_cmpfloat (why->cost.amount[NN_RESOURCE_DSP], >, 0);
          g_assert_nonnull (app_why_text (why));
          n_kept += kept;
          n_cut += !kept;
          n_plain += kept ? why->value >= why->price : why->value <= why->price;
        }
    }
  g_assert_cmpuint (n_kept, >=, 2);
  g_assert_cmpuint (n_cut, >=, 2);
  g_assert_cmpuint (2 * n_plain, >, n_kept + n_cut); /* most are not on the border */
}

/* Kernels of a convolution as small multiples: the cell of a channel pair holds that pair's kernel. */
void
test_kernel_map (void)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnTensor) kernel = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (3, 2, 4, 5));
  NnWeight weight = { "kernel", "conv", NN_ROLE_KERNEL, TRUE, kernel, NULL };
  NnModelInfo info = { .name = "conv", .format = "made by the test" };
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnModel) model = NULL;
  AppLayer layers[2] = { { .main = -1 }, { .main = -1 } };
  AppAnalysis analysis = { .layers = layers, .n_layers = 2 };
  NnNode *node = nn_graph_builder_add (builder, NN_OP_INPUT, "x", NULL, NULL, 0);
  AppWeightMap *map;
  GError *error = NULL;

  for (gsize i = 0; i < kernel->n; i++)
    nn_tensor_f32 (kernel)[i] = i;
  node->shape = NN_SHAPE (8, 8, 4);
  node = nn_graph_builder_add (builder, NN_OP_CONV2D, "conv", NULL, &(guint) { 0 }, 1);
  node->attrs.units = 5;
  node->attrs.kernel[0] = 3;
  node->attrs.kernel[1] = 2;
  node->attrs.stride[0] = node->attrs.stride[1] = 1;
  node->attrs.dilation[0] = node->attrs.dilation[1] = 1;
  nn_graph_builder_weights (builder, node, (guint[]) { 0 }, 1);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, &weight, 1, &info, &error);
  g_assert_no_error (error);
  g_atomic_ref_count_init (&analysis.ref_count);
  analysis.model = model;
  map = app_weight_map_new (&analysis, 1, NN_ROLE_KERNEL, APP_ORDER_KERNELS, NULL);
  g_assert_cmpuint (map->order, ==, APP_ORDER_KERNELS);
  g_assert_cmpuint (map->map->grid->n_rows, ==, 4 * 3);
  g_assert_cmpuint (map->map->grid->n_cols, ==, 5 * 2);
  for (gsize c = 0; c < 4; c++)
    for (gsize o = 0; o < 5; o++)
      for (gsize y = 0; y < 3; y++)
        for (gsize x = 0; x < 2; x++)
          {
            gsize cell = (c * 3 + y) * 10 + o * 2 + x;

            g_assert_cmpint (map->index[cell], ==, ((y * 2 + x) * 4 + c) * 5 + o);
            g_assert_cmpint (map->map->grid->block[cell], ==, c * 5 + o);
          }
  app_weight_map_free (map);
}
