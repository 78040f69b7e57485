/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize as the window asks for it: the sheet's choices arrive, layers are left alone, runs branch, and a crash in the third
 * of three seeds loses none of them. Needs a display (run-ui.sh). */

#include "espalier-config.h"

#include "app-autosave.h"
#include "app-chart.h"
#include "app-methods.h"
#include "app-optimise-sheet.h"
#include "app-study.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "test-sample.h"
#include "test-shared.h"
#include "test-wait.h"

#define WAIT_FOR(condition) TEST_WAIT_FOR (240, condition)

static char *folder, *program;

static AppDocument *
open_sample (void)
{
  AppDocument *document = app_document_new ();
  g_autofree char *model = g_build_filename (folder, "jets.h5", NULL), *data = g_build_filename (folder, "jets.npz", NULL);

  app_document_open (document, model);
  WAIT_FOR (app_document_job (document) == NULL);
  app_document_open (document, data);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_nonnull (app_document_state (document)->data);
  return document;
}

/* A run of a second. */
static AppOptimiseChoices
quick (AppDocument *document)
{
  AppOptimiseChoices choices = *app_document_choices (document);

  choices.tolerance = 0.5;
  choices.epochs = 1;
  choices.max_steps = 3;
  return choices;
}

static const AppRun *
run_at (AppDocument *document,
        guint        i)
{
  const AppState *state = app_document_state (document);

  g_assert_cmpuint (i, <, state->runs->len);
  return g_ptr_array_index (state->runs, i);
}

static const NnStep *
last_step (const AppRun *run)
{
  return nn_trail_step (run->trail, nn_trail_n_steps (run->trail) - 1);
}

static const char *
first_layer (AppDocument *document)
{
  const NnGraph *graph = nn_model_graph (app_document_state (document)->model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    if (nn_op_is_prunable (nn_graph_node (graph, i)->op))
      return nn_graph_node (graph, i)->name;
  g_assert_not_reached ();
}

static gsize
n_masked (const NnModel *model,
          const char    *layer)
{
  guint i;
  gsize n = 0;
  const NnWeight *weight;

  g_assert_true (nn_graph_find (nn_model_graph (model), layer, &i));
  weight = nn_model_node_weight (model, nn_graph_node (nn_model_graph (model), i), NN_ROLE_KERNEL);
  for (gsize k = 0; weight->mask != NULL && k < weight->mask->n; k++)
    n += nn_tensor_u8 (weight->mask)[k] == 0;
  return n;
}

static void
test_layers (void)
{
  AppDocument *document = open_sample ();
  g_autoptr (GHashTable) layers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
  g_auto (NnPruneOptions) options = { 0 };
  AppOptimiseChoices choices = quick (document);
  g_autoptr (GError) error = NULL;

  g_hash_table_insert (layers, g_strdup (first_layer (document)), GINT_TO_POINTER (NN_STRUCTURE_NONE));
  choices.layers = layers;
  choices.quantized = TRUE;
  choices.objective = 1u << NN_OBJECTIVE_WEIGHTED;
  choices.weights[NN_OBJECTIVE_DSP] = 1;
  choices.weights[NN_OBJECTIVE_LUT] = 0.01;
  app_document_optimise (document, &choices);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_cmpuint (last_step (run_at (document, 0))->n_kept, <, nn_trail_step (run_at (document, 0)->trail, 0)->n_kept);
  g_assert_cmpuint (n_masked (last_step (run_at (document, 0))->model, first_layer (document)), ==, 0);
  g_assert_true (nn_prune_options_from_json (&options, nn_trail_options (run_at (document, 0)->trail), hold, &error));
  g_assert_no_error (error);
  g_assert_true (options.quantized);
  g_assert_true (g_strv_contains (options.leave, first_layer (document)));
  g_assert_cmpfloat (options.weights[NN_OBJECTIVE_LUT], ==, 0.01);
  for (guint s = 0; s < nn_trail_n_steps (run_at (document, 0)->trail); s++)
    {
      const NnStep *step = nn_trail_step (run_at (document, 0)->trail, s);
      g_autofree char *energy = app_measure_text (app_measure_of (step, APP_MEASURE_ENERGY), APP_MEASURE_ENERGY, TRUE);

      g_assert_cmpfloat (app_measure_of (step, APP_MEASURE_BOPS), ==, step->bops);
      g_assert_cmpfloat (step->bops, >, 0);
      g_assert_true (g_str_has_suffix (energy, " nJ"));
    }
  /* and they are what the sheet begins with next time */
  g_assert_true (g_hash_table_contains (app_document_choices (document)->layers, first_layer (document)));
  app_document_forget_autosave (document);
  g_object_unref (document);
}

static void
note_message (AppDocument *document,
              const char  *title,
              const char  *message,
              char       **seen)
{
  g_free (*seen);
  *seen = g_strdup (message);
}

static void
test_branch (void)
{
  AppDocument *document = open_sample ();
  AppOptimiseChoices choices = quick (document);
  g_autofree char *seen = NULL;
  g_autoptr (NnConfig) config = NULL;
  AppState *next;

  g_assert_false (app_document_can_branch (document));
  app_document_optimise (document, &choices);
  WAIT_FOR (app_document_job (document) == NULL);
  app_document_select (document, 0, 1);
  g_assert_true (app_document_can_branch (document));
  choices.tolerance = 0.25;
  app_document_branch (document, &choices);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_cmpuint (app_document_state (document)->runs->len, ==, 2);
  g_assert_cmpuint (nn_trail_n_steps (run_at (document, 1)->trail), >, 2);
  for (guint s = 0; s < 2; s++)
    g_assert_cmpfloat (nn_trail_step (run_at (document, 0)->trail, s)->accuracy, ==, nn_trail_step (run_at (document, 1)->trail, s)->accuracy);
  g_assert_cmpfloat (run_at (document, 0)->tolerance, ==, 0.5);
  g_assert_cmpfloat (run_at (document, 1)->tolerance, ==, 0.25);
  /* with other hardware its figures could not be compared */
  g_signal_connect (document, "failed", G_CALLBACK (note_message), &seen);
  config = nn_config_copy (app_document_state (document)->config);
  nn_config_model (config)->reuse_factor = 8;
  nn_config_model (config)->strategy = NN_STRATEGY_RESOURCE;
  next = app_state_copy (app_document_state (document), "Reuse factor");
  app_state_set_config (next, config);
  app_document_push (document, next);
  app_document_branch (document, &choices);
  WAIT_FOR (app_document_job (document) == NULL);
  g_assert_nonnull (seen);
  g_assert_cmpuint (app_document_state (document)->runs->len, ==, 2);
  app_document_forget_autosave (document);
  g_object_unref (document);
}

/* Another process: a run, then three seeds, and the end in the third of them. */
static void
die_in_third_seed (void)
{
  AppDocument *document = open_sample ();
  AppOptimiseChoices choices = quick (document);

  app_document_optimise (document, &choices);
  WAIT_FOR (app_document_job (document) == NULL);
  choices.n_seeds = 3;
  choices.seed = 11;
  app_document_optimise (document, &choices);
  for (;;)
    {
      GPtrArray *live = app_document_live (document);

      /* the second step of the third seed: its first is on disk */
      if (live->len >= 2 && ((AppStepItem *) live->pdata[live->len - 1])->trial == 2
          && ((AppStepItem *) live->pdata[live->len - 2])->trial == 2)
        kill (getpid (), SIGKILL);
      g_assert_nonnull (app_document_job (document));
      g_main_context_iteration (NULL, TRUE);
    }
}

static void
test_crash (void)
{
  const char *argv[] = { program, "--die", folder, NULL };
  g_autoptr (GPtrArray) lost = NULL;
  g_autoptr (AppDocument) document = app_document_new ();
  g_autofree char *title = NULL;
  GError *error = NULL;
  int status;

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, 0, NULL, NULL, NULL, NULL, &status, &error));
  g_assert_no_error (error);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  lost = app_autosave_left_behind ();
  g_assert_cmpuint (lost->len, ==, 1);
  app_document_recover (document, lost->pdata[0]);
  WAIT_FOR (app_document_job (document) == NULL);
  title = app_document_dup_title (document);
  g_assert_cmpstr (title, ==, "jets");
  g_assert_cmpuint (app_document_state (document)->runs->len, ==, 4);
  for (guint i = 1; i < 4; i++)
    g_assert_cmpuint (run_at (document, i)->seed, ==, 10 + i);
  g_assert_nonnull (app_document_state (document)->data);
  g_assert_cmpint (app_document_state (document)->run, ==, 3);
  app_document_forget_autosave (document);
}

static AppScene *
no_layout (gconstpointer  data,
           const AppView *view)
{
  return app_scene_new (view);
}

static AppTable *
small_table (gconstpointer data)
{
  AppTable *table = app_table_new ("step", "dsp", NULL);

  app_table_take (table, -1, g_strdup ("0"), g_strdup ("12"), NULL);
  return table;
}

static const AppChartSource plot_source = { .layout = no_layout, .table = small_table };

/* A table says what it is of, in the words that the command line's tables have. */
static void
test_table (void)
{
  AppDocument *document = open_sample ();
  AppOptimiseChoices choices = quick (document);
  g_autofree char *comment = NULL, *methods = NULL, *path = g_build_filename (folder, "table.csv", NULL), *text = NULL;
  g_autofree char *part = NULL, *data = NULL, *csv = NULL;
  GtkWidget *chart = app_chart_new ();
  g_autoptr (GError) error = NULL;
  NnTrail *trails[2];
  NnProvenance of = { .trails = trails, .n_trails = 2 };

  choices.n_seeds = 2;
  choices.seed = 3;
  app_document_optimise (document, &choices);
  WAIT_FOR (app_document_job (document) == NULL);
  comment = app_methods_comment (document);
  part = g_strdup_printf ("part: %s\nclock: ", nn_config_part (app_document_state (document)->config));
  data = g_strdup_printf ("(SHA-256 %s)", nn_dataset_hash (app_document_state (document)->data));
  g_assert_nonnull (strstr (comment, part));
  g_assert_nonnull (strstr (comment, data));
  g_assert_nonnull (strstr (comment, "stage: estimates before synthesis\nseeds: 3, 4\n"));
  app_chart_set_comment (APP_CHART (g_object_ref_sink (chart)), comment);
  app_chart_set_source (APP_CHART (chart), &plot_source, NULL, NULL);
  g_assert_true (app_chart_export (APP_CHART (chart), path, FALSE, &error));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "# network: "));
  g_assert_nonnull (strstr (text, "\r\nstep,dsp\r\n0,12\r\n"));
  g_object_unref (chart);
  /* the command line's form: the same lines */
  of.model = app_document_state (document)->model;
  of.config = app_document_state (document)->config;
  of.data_spec = app_document_state (document)->data_spec;
  of.data_hash = nn_dataset_hash (app_document_state (document)->data);
  trails[0] = run_at (document, 0)->trail;
  trails[1] = run_at (document, 1)->trail;
  csv = nn_provenance_csv (&of);
  for (char **line = g_strsplit (comment, "\n", -1), **first = line; ; line++)
    {
      if (*line == NULL)
        {
          g_strfreev (first);
          break;
        }
      g_assert_nonnull (strstr (csv, *line));
    }
  methods = app_methods_paragraph (document);
  g_assert_nonnull (strstr (methods, "of the seeds 3, 4"));
  app_document_forget_autosave (document);
  g_object_unref (document);
}

static GtkWidget *
find_row (GtkWidget  *widget,
          const char *title)
{
  if (ADW_IS_PREFERENCES_ROW (widget) && g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), title) == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_row (child, title);

      if (found != NULL)
        return found;
    }
  return NULL;
}

static AppOptimiseChoices seen_choices;
static guint n_seen;

static void
on_choices (const AppOptimiseChoices *choices,
            NnConfig                 *config,
            gpointer                  data)
{
  seen_choices = *choices;
  seen_choices.layers = choices->layers != NULL ? g_hash_table_ref (choices->layers) : NULL;
  n_seen++;
}

static void
test_sheet (void)
{
  AppDocument *document = open_sample ();
  GtkWidget *parent = gtk_window_new (), *row;
  GtkWindow *sheet = app_optimise_sheet_present (GTK_WINDOW (parent), document, FALSE, on_choices, NULL);
  const char *layer = first_layer (document);

  row = find_row (GTK_WIDGET (sheet), "Save");
  adw_combo_row_set_selected (ADW_COMBO_ROW (row), 9);
  g_assert_true (gtk_widget_get_visible (find_row (GTK_WIDGET (sheet), "Weighted sum")));
  adw_combo_row_set_selected (ADW_COMBO_ROW (row), 8);
  g_assert_false (gtk_widget_get_visible (find_row (GTK_WIDGET (sheet), "Weighted sum")));
  adw_combo_row_set_selected (ADW_COMBO_ROW (find_row (GTK_WIDGET (sheet), layer)), 1);
  row = find_row (GTK_WIDGET (sheet), "Train for the number types");
  gtk_switch_set_active (GTK_SWITCH (adw_action_row_get_activatable_widget (ADW_ACTION_ROW (row))), TRUE);
  gtk_widget_activate (gtk_window_get_default_widget (sheet));
  WAIT_FOR (n_seen == 1);
  g_assert_cmpuint (seen_choices.objective, ==, 1u << NN_OBJECTIVE_LATENCY);
  g_assert_true (seen_choices.quantized);
  g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (seen_choices.layers, layer)), ==, NN_STRUCTURE_NONE);
  g_hash_table_unref (seen_choices.layers);
  gtk_window_destroy (GTK_WINDOW (parent));
  g_object_unref (document);
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *state = NULL;
  int status;

  if (argc == 3 && strcmp (argv[1], "--die") == 0)
    {
      folder = argv[2];
      die_in_third_seed ();
    }
  program = argv[0];
  folder = test_folder ();
  state = g_build_filename (folder, "state", NULL);
  g_setenv ("XDG_STATE_HOME", state, TRUE);
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  g_test_init (&argc, &argv, NULL);
  gtk_init ();
  adw_init ();
  if (gdk_display_get_default () == NULL)
    {
      g_print ("1..0 # SKIP no display\n");
      return 0;
    }
  test_sample (folder, 1500, 3);
  g_test_add_func ("/optimise/layers", test_layers);
  g_test_add_func ("/optimise/branch", test_branch);
  g_test_add_func ("/optimise/crash", test_crash);
  g_test_add_func ("/optimise/table", test_table);
  g_test_add_func ("/optimise/sheet", test_sheet);
  status = g_test_run ();
  remove_folder (folder);
  return status;
}
