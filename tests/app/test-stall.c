/* SPDX-License-Identifier: GPL-3.0-or-later */
/* While a large network is optimised the window goes on: on every page, from page to page, and when the run ends. */

#include "app-window.h"

#include "test-wait.h"

#define N_IN 64
#define N_WIDE 1024
#define N_NARROW 512
#define N_CLASSES 5
#define N_SAMPLES 400
#define PAGE_MS 500
#define PATIENCE 240

static const char *const pages[] = { "network", "weights", "tradeoff", "precision", "hardware", "data" };

static AppWindow *window;

static AppDocument *
document (void)
{
  return app_window_document (window);
}

static void
add_dense (NnGraphBuilder *builder,
           GArray         *weights,
           const char     *name,
           guint           n_in,
           guint           n_out,
           NnAct           act)
{
  NnNode *node = nn_graph_builder_add (builder, NN_OP_DENSE, name, NULL, &(guint) { weights->len }, 1);
  NnTensor *kernel = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n_in, n_out));
  NnWeight weight = { "kernel", name, NN_ROLE_KERNEL, TRUE, kernel, NULL };
  guint id = weights->len;
  NnRng rng;

  nn_rng_init (&rng, id + 1);
  for (gsize k = 0; k < kernel->n; k++)
    nn_tensor_f32 (kernel)[k] = nn_rng_normal (&rng) / 8;
  node->attrs.units = n_out;
  node->attrs.act = act;
  nn_graph_builder_weights (builder, node, &id, 1);
  g_array_append_val (weights, weight);
}

/* 590,000 weights. */
static NnModel *
make_model (void)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  NnModelInfo info = { .name = "wide", .format = "made by the test" };
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  NnModel *model;

  nn_graph_builder_add (builder, NN_OP_INPUT, "x", NULL, NULL, 0)->shape = NN_SHAPE (N_IN);
  add_dense (builder, weights, "wide", N_IN, N_WIDE, NN_ACT_RELU);
  add_dense (builder, weights, "narrow", N_WIDE, N_NARROW, NN_ACT_RELU);
  add_dense (builder, weights, "out", N_NARROW, N_CLASSES, NN_ACT_SOFTMAX);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, (NnWeight *) weights->data, weights->len, &info, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < weights->len; i++)
    nn_tensor_unref (g_array_index (weights, NnWeight, i).values);
  return model;
}

/* A class is where most of its inputs are large. */
static NnDataset *
make_data (void)
{
  g_autoptr (NnTensor) x = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (N_SAMPLES, N_IN));
  g_autoptr (NnTensor) y = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (N_SAMPLES));
  g_autoptr (GError) error = NULL;
  NnDataOptions options;
  NnDataset *data;
  NnRng rng;

  nn_rng_init (&rng, 9);
  nn_data_options_init (&options);
  for (guint i = 0; i < N_SAMPLES; i++)
    {
      nn_tensor_f32 (y)[i] = i % N_CLASSES;
      for (guint k = 0; k < N_IN; k++)
        nn_tensor_f32 (x)[i * N_IN + k] = nn_rng_normal (&rng) + (k % N_CLASSES == i % N_CLASSES);
    }
  data = nn_dataset_new (x, y, NULL, &options, &error);
  g_assert_no_error (error);
  return data;
}

static void
make_window (void)
{
  g_autoptr (NnModel) model = make_model ();
  g_autoptr (NnDataset) data = make_data ();
  g_autoptr (NnConfig) config = nn_config_new ();
  AppState *state = app_state_new ();

  state->label = g_strdup ("Open network");
  app_state_set_model (state, model);
  app_state_set_config (state, config);
  app_state_set_data (state, data, "made.npz");
  window = APP_WINDOW (app_window_new (NULL));
  gtk_window_present (GTK_WINDOW (window));
  app_document_push (document (), state);
  TEST_WAIT_FOR (PATIENCE, app_document_analysis (document ()) != NULL && app_document_evaluation (document ()) != NULL);
}

static gboolean
is_running (gint64 until)
{
  return app_document_job (document ()) != NULL && g_get_monotonic_time () < until;
}

static void
test_optimise (void)
{
  AppOptimiseChoices choices = *app_document_choices (document ());
  guint n_pages = 0, n_live = 0;
  TestStalls stalls;

  choices.tolerance = 0.3;
  choices.epochs = 1;
  choices.max_steps = 3;
  app_window_show_page (window, "weights");
  app_document_optimise (document (), &choices);
  while (app_document_job (document ()) != NULL)
    {
      const char *page = pages[n_pages % G_N_ELEMENTS (pages)];
      gint64 until = g_get_monotonic_time () + PAGE_MS * 1000;

      test_stalls_begin (&stalls);
      app_window_show_page (window, page);
      TEST_WAIT_FOR (PATIENCE, (n_live = MAX (n_live, app_document_live (document ())->len), !is_running (until)));
      test_stalls_end (&stalls, page);
      test_stalls_check (&stalls);
      /* on a slow machine the run need not come to its end */
      if (++n_pages >= 2 * G_N_ELEMENTS (pages) && n_live >= 2 && app_document_job (document ()) != NULL)
        app_job_cancel (app_document_job (document ()));
    }
  g_assert_cmpuint (n_pages, >=, G_N_ELEMENTS (pages));
  g_assert_cmpuint (n_live, >=, 2);
  g_assert_cmpuint (app_document_state (document ())->runs->len, ==, 1);
}

/* The network that came of it is analysed and drawn on the page of its weights. */
static void
test_after (void)
{
  TestStalls stalls;

  test_stalls_begin (&stalls);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      gint64 until = g_get_monotonic_time () + PAGE_MS * 1000;

      app_window_show_page (window, pages[i]);
      TEST_WAIT_FOR (PATIENCE, g_get_monotonic_time () >= until && app_document_analysis (document ()) != NULL
                                 && app_document_analysis (document ())->model == app_document_shown (document ()));
    }
  test_stalls_end (&stalls, "afterwards");
  test_stalls_check (&stalls);
}

int
main (int    argc,
      char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  gtk_init ();
  adw_init ();
  g_set_prgname ("test-stall");
  if (gdk_display_get_default () == NULL)
    {
      g_print ("1..0 # SKIP no display\n");
      return 0;
    }
  make_window ();
  g_test_add_func ("/stall/optimise", test_optimise);
  g_test_add_func ("/stall/after", test_after);
  status = g_test_run ();
  gtk_window_destroy (GTK_WINDOW (window));
  return status;
}
