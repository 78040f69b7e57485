/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window in one process: the sample is opened, optimised, undone, exported, saved and reopened; every page is
 * looked at; nothing has no name; the main loop is never held up. Needs a display (run-ui.sh). */

#include "espalier-config.h"

#include "app-export.h"
#include "app-figure.h"
#include "app-figures.h"
#include "app-window.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "test-sample.h"
#include "test-save.h"
#include "test-shared.h"
#include "test-window.h"

AppWindow *window;
char *folder;

void
settle (guint ms)
{
  gint64 end = g_get_monotonic_time () + ms * 1000;

  WAIT_FOR (g_get_monotonic_time () >= end);
}

AppDocument *
document (void)
{
  return app_window_document (window);
}

static void
make_window (void)
{
  folder = test_folder ();
  test_sample (folder, 6000, 8);
  window = APP_WINDOW (app_window_new (NULL));
  gtk_window_present (GTK_WINDOW (window));
  g_assert_true (app_document_is_empty (document ()));
  settle (100);
}

static void
test_open (void)
{
  g_autofree char *model = g_build_filename (folder, "jets.h5", NULL), *data = g_build_filename (folder, "jets.npz", NULL);
  NnConfig *config;
  AppState *state;

  app_window_open (window, model);
  WAIT_FOR (app_document_job (document ()) == NULL && app_document_analysis (document ()) != NULL);
  g_assert_false (app_document_is_modified (document ()));
  g_assert_false (app_document_can_undo (document ()));
  app_window_open (window, data);
  WAIT_FOR (app_document_job (document ()) == NULL && app_document_evaluation (document ()) != NULL);
  g_assert_nonnull (app_document_state (document ())->data);
  g_assert_cmpfloat (app_document_evaluation (document ())->metrics->accuracy, >, 0.5);
  config = nn_config_copy (app_document_state (document ())->config);
  nn_config_model (config)->reuse_factor = 4;
  nn_config_model (config)->strategy = NN_STRATEGY_RESOURCE_UNROLLED;
  state = app_state_copy (app_document_state (document ()), "Reuse factor");
  app_state_set_config (state, config);
  nn_config_unref (config);
  app_document_push (document (), state);
  WAIT_FOR (app_document_analysis (document ()) != NULL && app_document_analysis (document ())->config == app_document_state (document ())->config);
  g_assert_true (app_document_can_undo (document ()));
  g_assert_cmpfloat (app_analysis_total (app_document_analysis (document ()), NN_RESOURCE_DSP), >=, 1000);
}

/* Bad files: said in the window, nothing lost. */
static void
test_bad_files (void)
{
  static const struct { const char *name, *bytes; gsize n; } bad[] = {
    { "empty.h5", "", 0 }, { "random.h5", "\x89HDF\r\n\x1a\nrubbish", 15 }, { "text.onnx", "no protobuf", 11 }, { "zip.keras", "PK\3\4xx", 6 },
    { "cut.npz", "PK\3\4\0\0", 6 }, { "bad.espalier", "hello", 5 }, { "bad.yml", "HLSConfig: [", 12 },
  };
  NnModel *before = app_document_shown (document ());

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *path = g_build_filename (folder, bad[i].name, NULL);

      g_assert_true (g_file_set_contents (path, bad[i].bytes, bad[i].n, NULL));
      app_window_open (window, path);
      WAIT_FOR (app_document_job (document ()) == NULL);
      g_assert_true (app_document_shown (document ()) == before);
    }
}

static guint n_previews;

static void
count_previews (GtkWidget *widget)
{
  const char *subtitle = ADW_IS_ACTION_ROW (widget) ? adw_action_row_get_subtitle (ADW_ACTION_ROW (widget)) : NULL;

  n_previews += subtitle != NULL && (g_str_has_suffix (subtitle, "\n0  0.5385  0.07692  0.6154  0.1538  0.6923 …") ||
                                     g_str_has_suffix (subtitle, "\n1  0  0  0  0  0 …"));
}

/* Arrays of other names are asked for; the choice comes back with the project. */
static void
test_choose_arrays (void)
{
  g_autofree char *path = g_build_filename (folder, "odd.npz", NULL), *project = g_build_filename (folder, "odd.espalier", NULL);
  const char *names[] = { "signal", "truth", "time", NULL };
  NnTensor *arrays[] = { nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (60, 16)), nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (60, 5)),
                         nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (7)) };
  NnDataset *before = app_document_state (document ())->data;
  g_autoptr (AppDocument) reopened = app_document_new ();
  GtkWindow *dialog = NULL;
  GListModel *windows;
  GError *error = NULL;

  for (gsize i = 0; i < arrays[0]->n; i++)
    nn_tensor_f32 (arrays[0])[i] = (double) (i * 7 % 13) / 13;
  for (gsize i = 0; i < 60; i++)
    nn_tensor_f32 (arrays[1])[i * 5 + i % 5] = 1;
  g_assert_true (nn_npz_write (path, names, arrays, NULL, &error));
  g_assert_no_error (error);
  app_window_open (window, path);
  WAIT_FOR (app_document_job (document ()) == NULL);
  windows = gtk_window_get_toplevels ();
  for (guint i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWindow) top = g_list_model_get_item (windows, i);

      if (ADW_IS_MESSAGE_DIALOG (top))
        dialog = top;
    }
  g_assert_nonnull (dialog);
  g_assert_true (adw_message_dialog_get_response_enabled (ADW_MESSAGE_DIALOG (dialog), "open"));
  /* what stands first in the array is shown with it */
  n_previews = 0;
  visit (GTK_WIDGET (dialog), count_previews);
  g_assert_cmpuint (n_previews, ==, 2);
  settle (100);
  adw_message_dialog_response (ADW_MESSAGE_DIALOG (dialog), "open");
  gtk_window_destroy (dialog);
  WAIT_FOR (app_document_job (document ()) == NULL && app_document_state (document ())->data != before);
  g_assert_cmpstr (app_document_state (document ())->reading->x, ==, "signal");
  g_assert_cmpstr (app_document_state (document ())->reading->y, ==, "truth");
  test_save_project (document (), project);
  app_document_open (reopened, project);
  WAIT_FOR (app_document_job (reopened) == NULL);
  g_assert_nonnull (app_document_state (reopened)->data);
  g_assert_cmpstr (app_document_state (reopened)->reading->x, ==, "signal");
  app_document_undo (document ());
  WAIT_FOR (app_document_evaluation (document ()) != NULL);
  for (guint i = 0; i < G_N_ELEMENTS (arrays); i++)
    nn_tensor_unref (arrays[i]);
}

/* Raw numbers in a table: what is learnt of their training part goes with the network into the project, and raw data are standardised by
 * it from then on. */
static void
test_reading (void)
{
  g_autofree char *path = g_build_filename (folder, "raw.csv", NULL), *project = g_build_filename (folder, "raw.espalier", NULL);
  g_autoptr (GString) text = g_string_new ("kind");
  g_autoptr (AppDocument) reopened = app_document_new ();
  NnDataset *before = app_document_state (document ())->data;
  NnModel *model = app_document_state (document ())->model;
  const NnModelInfo *info;
  NnDataOptions reading;

  for (guint k = 0; k < 16; k++)
    g_string_append_printf (text, ",f%u", k);
  for (guint i = 0; i < 100; i++)
    {
      g_string_append_printf (text, "\n%c", 'a' + i % 5);
      for (guint k = 0; k < 16; k++)
        g_string_append_printf (text, ",%u", 1000 + (i * 7 + k * 5) % 13);
    }
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
  nn_data_options_init (&reading);
  reading.test = 0.2;
  reading.standardize = TRUE;
  app_document_open_data (document (), path, &reading);
  WAIT_FOR (app_document_job (document ()) == NULL && app_document_state (document ())->data != before);
  g_assert_cmpuint (nn_dataset_n (app_document_state (document ())->data, NN_SPLIT_TEST), ==, 20);
  info = nn_model_info (app_document_state (document ())->model);
  g_assert_true (info->input_mean == nn_dataset_mean (app_document_state (document ())->data));
  g_assert_cmpfloat (nn_tensor_get (info->input_mean, 0), >, 900);
  g_assert_cmpstr (info->class_names[0], ==, "a");
  test_save_project (document (), project);
  app_document_open (reopened, project);
  WAIT_FOR (app_document_job (reopened) == NULL);
  g_assert_true (app_document_state (reopened)->reading->standardize);
  g_assert_cmpuint (nn_dataset_n (app_document_state (reopened)->data, NN_SPLIT_TEST), ==, 20);
  g_assert_cmpfloat (nn_tensor_get (nn_model_info (app_document_state (reopened)->model)->input_mean, 0), >, 900);
  /* as they are, and yet as the network wants them */
  reading.standardize = FALSE;
  before = app_document_state (document ())->data;
  app_document_open_data (document (), path, &reading);
  WAIT_FOR (app_document_job (document ()) == NULL && app_document_state (document ())->data != before);
  g_assert_nonnull (nn_dataset_mean (app_document_state (document ())->data));
  g_assert_cmpfloat (fabs (nn_tensor_get (nn_dataset_x (app_document_state (document ())->data, NN_SPLIT_TRAIN), 0)), <, 10);
  app_document_undo (document ());
  app_document_undo (document ());
  g_assert_true (app_document_state (document ())->model == model);
  WAIT_FOR (app_document_evaluation (document ()) != NULL);
}

void
visit (GtkWidget *widget,
       void     (*func) (GtkWidget *widget))
{
  func (widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    visit (child, func);
}

static guint n_controls;

static gboolean
says_something (GtkWidget *widget)
{
  if (GTK_IS_LABEL (widget) && *gtk_label_get_text (GTK_LABEL (widget)) != '\0')
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    if (says_something (child))
      return TRUE;
  return FALSE;
}

/* A control has a text, a tooltip or an accessible label. */
static void
check_named (GtkWidget *widget)
{
  g_autofree char *label = NULL;
  gboolean control = GTK_IS_BUTTON (widget) || GTK_IS_DROP_DOWN (widget) || APP_IS_CHART (widget) || GTK_IS_SWITCH (widget)
                     || GTK_IS_SPIN_BUTTON (widget) || GTK_IS_MENU_BUTTON (widget);

  if (!control || g_str_has_prefix (G_OBJECT_TYPE_NAME (gtk_widget_get_parent (widget)), "GtkWindowControls"))
    return;
  /* Parts of a control that is named itself. */
  for (GtkWidget *up = gtk_widget_get_parent (widget); up != NULL; up = gtk_widget_get_parent (up))
    if (GTK_IS_MENU_BUTTON (up) || GTK_IS_DROP_DOWN (up) || GTK_IS_SPIN_BUTTON (up) || ADW_IS_SPLIT_BUTTON (up) || ADW_IS_COMBO_ROW (up)
        || ADW_IS_ENTRY_ROW (up))
      return;
  n_controls++;
  if (APP_IS_CHART (widget))
    {
      g_assert_nonnull (app_chart_name (APP_CHART (widget)));
      gtk_test_accessible_assert_role (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_ROLE_IMG);
      gtk_test_accessible_assert_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, app_chart_name (APP_CHART (widget)));
      return;
    }
  if (says_something (widget) || gtk_widget_get_tooltip_text (widget) != NULL)
    return;
  label = gtk_test_accessible_check_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, "");
  if (label == NULL)
    g_error ("a %s has no name", G_OBJECT_TYPE_NAME (widget));
}

static const char *const pages[] = { "network", "weights", "tradeoff", "precision", "hardware", "data" };

static void
test_pages (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      app_window_show_page (window, pages[i]);
      settle (250);
      visit (GTK_WIDGET (window), check_named);
    }
  g_assert_cmpuint (n_controls, >, 60);
}

static int longest_need;

/* Of what the window holds: its frame is the platform's. */
static int
least_width (void)
{
  int least;

  gtk_widget_measure (adw_application_window_get_content (ADW_APPLICATION_WINDOW (window)), GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  return least;
}

static guint n_columns, n_bars;

/* Columns below each other; pages switched at the bottom. */
static void
count_forms (GtkWidget *widget)
{
  if (GTK_IS_BOX (widget) && g_strcmp0 (gtk_buildable_get_buildable_id (GTK_BUILDABLE (widget)), "split") == 0)
    n_columns += gtk_orientable_get_orientation (GTK_ORIENTABLE (widget)) == GTK_ORIENTATION_VERTICAL;
  if (ADW_IS_VIEW_SWITCHER_BAR (widget))
    n_bars += adw_view_switcher_bar_get_reveal (ADW_VIEW_SWITCHER_BAR (widget));
}

static void
tell_needs (GtkWidget *widget)
{
  int least;

  if (!gtk_widget_get_mapped (widget))
    return;
  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  if (least > longest_need)
    g_test_message ("%s (%s) needs %d pixels", G_OBJECT_TYPE_NAME (widget), gtk_buildable_get_buildable_id (GTK_BUILDABLE (widget)), least);
}

/* From wide to a telephone's width and back, by the user's hand: the window lets itself be made so narrow, takes the form
 * that fits, on no page is anything cut off, and it takes the wide form again. */
static void
test_widths (void)
{
  static const struct { int width; guint bars; gboolean columns; } at[] = {
    { 1240, 0, FALSE }, { 900, 1, FALSE }, { 600, 1, TRUE }, { 400, 1, TRUE }, { 360, 1, TRUE }, { 700, 1, TRUE }, { 1240, 0, FALSE },
  };
  int width, height;

  gtk_window_get_default_size (GTK_WINDOW (window), &width, &height);
  for (guint i = 0; i < G_N_ELEMENTS (at); i++)
    {
      longest_need = 360;
      if (least_width () > longest_need)
        visit (adw_application_window_get_content (ADW_APPLICATION_WINDOW (window)), tell_needs);
      g_assert_cmpint (least_width (), <=, 360);
      gtk_window_set_default_size (GTK_WINDOW (window), at[i].width, 800);
      settle (500); /* the form is changed, the slower parts have their place */
      for (guint j = 0; j < G_N_ELEMENTS (pages); j++)
        {
          app_window_show_page (window, pages[j]);
          settle (40);
          longest_need = at[i].width;
          visit (adw_application_window_get_content (ADW_APPLICATION_WINDOW (window)), tell_needs);
          n_columns = n_bars = 0;
          visit (GTK_WIDGET (window), count_forms);
          g_assert_cmpuint (n_bars, ==, at[i].bars);
          g_assert_true (at[i].columns == (n_columns >= G_N_ELEMENTS (pages)));
          g_assert_cmpint (gtk_widget_get_width (adw_bin_get_child (ADW_BIN (adw_application_window_get_content (ADW_APPLICATION_WINDOW (window))))), ==,
                           gtk_widget_get_width (adw_application_window_get_content (ADW_APPLICATION_WINDOW (window))));
        }
    }
}

/* Every figure has the same content as a table, and leaves as a file in every format. */
static guint n_figures;

static void
check_figure (GtkWidget *widget)
{
  static const char *const endings[] = { "svg", "pdf", "png", "csv" };
  AppChart *chart;
  g_autoptr (AppTable) table = NULL;

  if (!APP_IS_FIGURE (widget) || !gtk_widget_get_mapped (widget))
    return;
  chart = app_figure_chart (APP_FIGURE (widget));
  table = app_chart_dup_table (chart);
  if (table == NULL)
    return;
  n_figures++;
  g_assert_cmpuint (table->columns->len, >=, 1);
  app_figure_show_table (APP_FIGURE (widget), TRUE);
  settle (30);
  app_figure_show_table (APP_FIGURE (widget), FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *name = g_strdup_printf ("figure.%s", endings[i]);
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *bytes = NULL;
      GError *error = NULL;
      gsize n;

      g_assert_true (app_chart_export (chart, path, FALSE, &error));
      g_assert_no_error (error);
      g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
      g_assert_cmpuint (n, >, 5);
      if (i == 1)
        g_assert_true (g_str_has_prefix (bytes, "%PDF"));
    }
}

static void
test_figures (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      app_window_show_page (window, pages[i]);
      settle (400);
      visit (GTK_WIDGET (window), check_figure);
    }
  g_assert_cmpuint (n_figures, >=, 8);
}

static void
test_optimise (void)
{
  AppOptimiseChoices choices = *app_document_choices (document ());
  double before, after;
  TestStalls stalls;
  guint n_live = 0;

  app_window_show_page (window, "tradeoff");
  settle (300);
  choices.tolerance = 0.15;
  choices.epochs = 2;
  choices.max_steps = 6;
  before = app_analysis_total (app_document_analysis (document ()), NN_RESOURCE_DSP);
  app_document_optimise (document (), &choices);
  g_assert_false (app_document_can_undo (document ()));
  test_stalls_begin (&stalls);
  WAIT_FOR ((n_live = MAX (n_live, app_document_live (document ())->len), app_document_job (document ()) == NULL));
  test_stalls_end (&stalls, "Optimize");
  g_test_message ("%u steps seen live", n_live);
  g_assert_cmpuint (n_live, >=, 2);
  test_stalls_check (&stalls);
  WAIT_FOR (app_document_analysis (document ())->model == app_document_shown (document ()));
  after = app_analysis_total (app_document_analysis (document ()), NN_RESOURCE_DSP);
  g_assert_cmpuint (app_document_state (document ())->runs->len, ==, 1);
  g_assert_cmpfloat (after, <, before);
  WAIT_FOR (app_document_baseline (document ()) != NULL);
  g_assert_cmpfloat (app_analysis_total (app_document_baseline (document ()), NN_RESOURCE_DSP), ==, before);
}

/* Several seeds: one step of undo, the median with its range, the same after saving. */
static void
test_seeds (void)
{
  AppOptimiseChoices choices = *app_document_choices (document ());
  g_autofree char *path = g_build_filename (folder, "seeds.espalier", NULL);
  g_autofree char *title = NULL, *alone = NULL;
  g_autoptr (GArray) members = NULL, again = NULL;
  g_autoptr (AppPlot) plot = NULL;
  g_autoptr (AppDocument) reopened = app_document_new ();
  guint n_ranges = 0;

  choices.tolerance = 0.3;
  choices.epochs = 1;
  choices.max_steps = 3;
  choices.seed = 5;
  choices.n_seeds = 3;
  app_document_optimise (document (), &choices);
  WAIT_FOR (app_document_job (document ()) == NULL);
  g_assert_cmpuint (app_document_state (document ())->runs->len, ==, 4);
  members = app_study_members (app_document_state (document ()), 2);
  g_assert_cmpuint (members->len, ==, 3);
  g_assert_cmpuint (g_array_index (members, guint, 0), ==, 1);
  title = app_study_run_title (app_document_state (document ()), 2);
  g_assert_cmpstr (title, ==, "Run 2, seed 6");
  alone = app_study_run_title (app_document_state (document ()), 0);
  g_assert_cmpstr (alone, ==, "Run 1");
  plot = app_figures_tradeoff (document (), APP_MEASURE_LATENCY, APP_MEASURE_ACCURACY);
  for (guint s = 0; s < plot->series->len; s++)
    {
      const AppPlotSeries *series = g_ptr_array_index (plot->series, s);

      for (guint i = 0; i < series->data->len; i++)
        {
          const AppPlotPoint *point = &g_array_index (series->data, AppPlotPoint, i);

          g_assert_cmpfloat (point->low, <=, point->y);
          g_assert_cmpfloat (point->high, >=, point->y);
          n_ranges += point->high > point->low;
          g_assert_false (series->faint && point->high > point->low);
        }
    }
  g_assert_cmpuint (n_ranges, >=, 1);
  test_save_project (document (), path);
  app_document_open (reopened, path);
  WAIT_FOR (app_document_job (reopened) == NULL);
  again = app_study_members (app_document_state (reopened), 1);
  g_assert_cmpuint (again->len, ==, 3);
  app_document_undo (document ());
  g_assert_cmpuint (app_document_state (document ())->runs->len, ==, 1);
  WAIT_FOR (app_document_analysis (document ()) != NULL && app_document_analysis (document ())->model == app_document_shown (document ()));
}

/* A share of what is used now is kept to, and what suits the network is proposed. */
static void
test_budget (void)
{
  AppOptimiseChoices choices;
  const AppAnalysis *analysis = app_document_baseline (document ());
  guint sharing = 99;
  g_autofree char *reason = NULL;
  const NnStep *step;

  app_optimise_choices_init (&choices);
  reason = app_optimise_choices_for (&choices, analysis, app_document_state (document ())->data, &sharing);
  g_assert_nonnull (strstr (reason, "DSP"));
  g_assert_cmpuint (sharing, ==, 0); /* it fits */
  g_assert_cmpuint (choices.objective, ==, 1u << NN_RESOURCE_DSP);
  g_assert_cmpuint (choices.epochs, >=, 1);
  choices.epochs = 1;
  choices.max_steps = 3;
  choices.goal = APP_GOAL_SHARE_OF_NOW;
  choices.share = 0.5;
  app_optimise_choices_limit (&choices, analysis);
  g_assert_cmpfloat (choices.limits[NN_RESOURCE_DSP], ==, 0.5 * app_analysis_total (analysis, NN_RESOURCE_DSP));
  g_assert_cmpfloat (choices.limits[NN_RESOURCE_LUT], <, 0);
  app_document_optimise (document (), &choices);
  WAIT_FOR (app_document_job (document ()) == NULL);
  step = app_state_step (app_document_state (document ()));
  g_assert_nonnull (step);
  g_assert_cmpfloat (step->resources.amount[NN_RESOURCE_DSP], <=, choices.limits[NN_RESOURCE_DSP]);
  g_assert_cmpfloat (step->resources.amount[NN_RESOURCE_DSP], >, 0.2 * app_analysis_total (analysis, NN_RESOURCE_DSP));
  app_document_undo (document ());
  WAIT_FOR (app_document_analysis (document ()) != NULL && app_document_analysis (document ())->model == app_document_shown (document ()));
}

static void
test_undo (void)
{
  NnModel *pruned = app_document_shown (document ());

  app_document_undo (document ());
  g_assert_cmpuint (app_document_state (document ())->runs->len, ==, 0);
  g_assert_true (app_document_shown (document ()) == app_document_state (document ())->model);
  app_document_redo (document ());
  g_assert_true (app_document_shown (document ()) == pruned);
  app_document_select (document (), -1, 0);
  g_assert_true (app_document_shown (document ()) == app_document_state (document ())->model);
  app_document_select (document (), 0, nn_trail_chosen (((AppRun *) app_document_state (document ())->runs->pdata[0])->trail));
  g_assert_true (app_document_shown (document ()) == pruned);
  WAIT_FOR (app_document_analysis (document ()) != NULL && app_document_analysis (document ())->model == pruned);
}

/* An analysis that was overtaken must not come after the one that holds. */
static void
test_overtaken (void)
{
  NnModel *pruned = app_document_shown (document ());
  guint chosen = app_document_state (document ())->step;

  WAIT_FOR (app_document_analysis (document ()) != NULL && app_document_analysis (document ())->model == pruned);
  app_document_select (document (), 0, chosen > 1 ? 1 : 2);
  app_document_select (document (), 0, chosen);
  g_assert_true (app_document_shown (document ()) == pruned);
  settle (1500);
  g_assert_true (app_document_analysis (document ())->model == pruned);
  g_assert_true (app_document_evaluation (document ())->model == pruned);
}

static void
test_export (void)
{
  g_autofree char *hls = g_build_filename (folder, "hls", NULL), *pdf = g_build_filename (folder, "report.pdf", NULL);
  g_autofree char *firmware = g_build_filename (hls, "firmware", NULL);
  GStatBuf info;

  gtk_widget_activate_action (GTK_WIDGET (window), "win.export-hls-to", "s", hls);
  WAIT_FOR (app_document_job (document ()) == NULL);
  g_assert_true (g_file_test (firmware, G_FILE_TEST_IS_DIR));
  gtk_widget_activate_action (GTK_WIDGET (window), "win.print-to", "s", pdf);
  g_assert_cmpint (g_stat (pdf, &info), ==, 0);
  g_assert_cmpint (info.st_size, >, 2000);
}

/* A window that is closed while its project is written goes when it is, and asks nothing. */
static void
close_while_saving (AppWindow  *other,
                    const char *path)
{
  AppDocument *written = app_window_document (other);
  g_autoptr (AppDocument) again = app_document_new ();
  AppState *next = app_state_copy (app_document_state (written), "Pin");
  gpointer gone = other;

  gtk_window_present (GTK_WINDOW (other));
  app_state_toggle_pin (next, "0:7");
  app_document_push (written, next);
  g_object_add_weak_pointer (G_OBJECT (other), &gone);
  gtk_widget_activate_action (GTK_WIDGET (other), "win.save", NULL);
  g_assert_true (app_document_is_saving (written));
  gtk_window_close (GTK_WINDOW (other));
  g_assert_nonnull (gone);
  WAIT_FOR (gone == NULL);
  app_document_open (again, path);
  WAIT_FOR (app_document_job (again) == NULL);
  g_assert_true (g_hash_table_contains (app_document_state (again)->pins, "0:7"));
}

/* The network for other programs: by its ending, read back with the same zeros; another ending is told, not written. */
static void
test_save_model (void)
{
  static const char *const names[] = { "network.h5", "network.onnx", "network" };
  NnModel *shown = app_document_shown (document ());
  gsize zeros = nn_model_zeros (shown, nn_graph_node (nn_model_graph (shown), 1));

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL), *full = g_strconcat (path, strchr (names[i], '.') != NULL ? "" : ".h5", NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnModel) again = NULL;

      g_unlink (full);
      gtk_widget_activate_action (GTK_WIDGET (window), "win.save-model-to", "s", path);
      WAIT_FOR (g_file_test (full, G_FILE_TEST_EXISTS));
      settle (100);
      again = nn_model_load (full, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (nn_model_zeros (again, nn_graph_node (nn_model_graph (again), 1)), ==, zeros);
    }
  {
    g_autofree char *path = g_build_filename (folder, "network.txt", NULL);

    gtk_widget_activate_action (GTK_WIDGET (window), "win.save-model-to", "s", path);
    settle (300);
    g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  }
}

static void
test_save (void)
{
  g_autofree char *path = g_build_filename (folder, "run.espalier", NULL);
  AppWindow *other;
  AppDocument *reopened;
  guint chosen = app_document_state (document ())->step;

  g_assert_true (app_document_is_modified (document ()));
  test_save_project (document (), path);
  g_assert_false (app_document_is_modified (document ()));
  other = APP_WINDOW (app_window_new (NULL));
  reopened = app_window_document (other);
  app_window_open (other, path);
  WAIT_FOR (app_document_job (reopened) == NULL);
  g_assert_false (app_document_is_empty (reopened));
  g_assert_cmpuint (app_document_state (reopened)->runs->len, ==, 1);
  g_assert_cmpuint (app_document_state (reopened)->step, ==, chosen);
  g_assert_nonnull (app_document_state (reopened)->data);
  WAIT_FOR (app_document_analysis (reopened) != NULL);
  g_assert_cmpfloat (app_analysis_total (app_document_analysis (reopened), NN_RESOURCE_DSP), ==,
                     app_analysis_total (app_document_analysis (document ()), NN_RESOURCE_DSP));
  close_while_saving (other, path);
}

/* What was done by hand comes back with the project. */
static void
test_save_edited (void)
{
  g_autofree char *path = g_build_filename (folder, "edited.espalier", NULL);
  const AppState *state = app_document_state (document ());
  AppState *next = app_state_copy (state, "Restore");
  g_autoptr (AppDocument) reopened = app_document_new ();
  gsize zeros = nn_model_zeros (app_state_shown (state), nn_graph_node (nn_model_graph (state->model), 1));

  app_state_set_edited (next, app_state_shown (state));
  app_state_toggle_pin (next, "0:4");
  app_document_push (document (), next);
  test_save_project (document (), path);
  app_document_open (reopened, path);
  WAIT_FOR (app_document_job (reopened) == NULL);
  state = app_document_state (reopened);
  g_assert_cmpint (state->run, ==, -1);
  g_assert_cmpuint (state->runs->len, ==, 1);
  g_assert_true (g_hash_table_contains (state->pins, "0:4"));
  g_assert_cmpuint (nn_model_zeros (app_state_shown (state), nn_graph_node (nn_model_graph (state->model), 1)), ==, zeros);
  app_document_undo (document ());
}

static void
test_close (void)
{
  app_document_forget_autosave (document ());
  gtk_window_destroy (GTK_WINDOW (window));
  settle (50);
  g_clear_pointer (&folder, g_free);
}

int
main (int    argc,
      char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  if (gdk_display_get_default () == NULL)
    {
      g_print ("1..0 # SKIP no display\n");
      return 0;
    }
  make_window ();
  g_test_add_func ("/window/open", test_open);
  g_test_add_func ("/window/bad-files", test_bad_files);
  g_test_add_func ("/window/choose-arrays", test_choose_arrays);
  g_test_add_func ("/window/reading", test_reading);
  g_test_add_func ("/window/pages", test_pages);
  g_test_add_func ("/window/widths", test_widths);
  g_test_add_func ("/window/figures", test_figures);
  g_test_add_func ("/window/optimise", test_optimise);
  g_test_add_func ("/window/seeds", test_seeds);
  g_test_add_func ("/window/budget", test_budget);
  g_test_add_func ("/window/precision", test_precision);
  g_test_add_func ("/window/trace", test_trace);
  g_test_add_func ("/window/variants", test_variants);
  g_test_add_func ("/window/queue", test_queue);
  g_test_add_func ("/window/outlives", test_outlives);
  g_test_add_func ("/window/weight-map", test_weight_map);
  g_test_add_func ("/window/why", test_why);
  g_test_add_func ("/window/kernel-map", test_kernel_map);
  g_test_add_func ("/window/undo", test_undo);
  g_test_add_func ("/window/overtaken", test_overtaken);
  g_test_add_func ("/window/export", test_export);
  g_test_add_func ("/window/save-model", test_save_model);
  g_test_add_func ("/window/save", test_save);
  g_test_add_func ("/window/save-edited", test_save_edited);
  g_test_add_func ("/window/close", test_close);
  return g_test_run ();
}
