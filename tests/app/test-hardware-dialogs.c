/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dialogs of the hardware: own parts, what reports taught, reuse factors. Needs a display (run-ui.sh). */

#include "espalier-config.h"

#include "app-log-view.h"
#include "app-export.h"
#include "app-part-chooser.h"
#include "app-parts-dialog.h"
#include "app-figures.h"
#include "app-hls-settings.h"
#include "app-passes-dialog.h"
#include "app-reuse-dialog.h"
#include "app-window.h"

#include <glib/gstdio.h>
#include <string.h>

#include "test-sample.h"
#include "test-shared.h"
#include "test-wait.h"

static AppWindow *window;
static char *folder;

#define WAIT_FOR(condition) TEST_WAIT_FOR (240, condition)

static AppDocument *
document (void)
{
  return app_window_document (window);
}

static gboolean
is_analysed (void)
{
  return app_document_job (document ()) == NULL && app_document_analysis (document ()) != NULL
         && app_document_analysis (document ())->config == app_document_state (document ())->config;
}

static void
open_sample (void)
{
  g_autofree char *model = NULL;
  g_autoptr (NnConfig) config = NULL;
  AppState *state;

  folder = test_folder ();
  model = g_build_filename (folder, "jets.h5", NULL);
  test_sample (folder, 200, 1);
  window = APP_WINDOW (app_window_new (NULL));
  gtk_window_present (GTK_WINDOW (window));
  app_window_open (window, model);
  WAIT_FOR (app_document_job (document ()) == NULL && app_document_analysis (document ()) != NULL);
  config = nn_config_copy (app_document_state (document ())->config);
  nn_config_model (config)->reuse_factor = 4;
  nn_config_model (config)->strategy = NN_STRATEGY_RESOURCE;
  state = app_state_copy (app_document_state (document ()), "Reuse factor");
  app_state_set_config (state, config);
  app_document_push (document (), state);
  WAIT_FOR (is_analysed ());
}

/* What is asked for is proven, taken over as one step of undo, and met. */
static void
test_reuse (void)
{
  GtkWindow *dialog = app_reuse_dialog_present (GTK_WINDOW (window), document ());
  double before = app_analysis_total (app_document_analysis (document ()), NN_RESOURCE_DSP);

  g_assert_nonnull (dialog);
  WAIT_FOR (!app_reuse_dialog_is_busy (dialog));
  app_reuse_dialog_solve (dialog, 3);
  WAIT_FOR (!app_reuse_dialog_is_busy (dialog));
  g_assert_true (g_str_has_prefix (app_reuse_dialog_answer (dialog), "Not possible"));
  app_reuse_dialog_solve (dialog, 120);
  g_assert_true (app_reuse_dialog_is_busy (dialog)); /* not on this thread */
  g_assert_null (app_reuse_dialog_answer (dialog));
  WAIT_FOR (!app_reuse_dialog_is_busy (dialog));
  g_assert_nonnull (strstr (app_reuse_dialog_answer (dialog), "fewer are not possible"));
  app_reuse_dialog_apply (dialog);
  gtk_window_destroy (dialog);
  gtk_window_destroy (app_reuse_dialog_present (GTK_WINDOW (window), document ())); /* closed while it computes */
  WAIT_FOR (is_analysed ());
  g_assert_cmpfloat (app_document_analysis (document ())->estimate->total.latency.value, <=, 120);
  g_assert_cmpfloat (app_analysis_total (app_document_analysis (document ()), NN_RESOURCE_DSP), <, before);
  app_document_undo (document ());
  WAIT_FOR (is_analysed ());
  g_assert_cmpfloat (app_analysis_total (app_document_analysis (document ()), NN_RESOURCE_DSP), ==, before);
}

/* A part that was entered is in the catalogue and in the file; what is no figure is told. */
static void
test_parts (void)
{
  const char *figures[NN_N_RESOURCES] = { "1 234", "", "50,000", "", "0" }, *bad[NN_N_RESOURCES] = { "many", "", "", "", "" };
  GtkWindow *dialog = app_parts_dialog_present (GTK_WINDOW (window), document ()), *again;
  g_autofree char *path = nn_parts_own_path (), *text = NULL;
  g_autoptr (GError) error = NULL;
  const NnPart *part;

  g_assert_nonnull (dialog);
  g_assert_false (app_parts_add_from_texts ("our-card", "", NN_FAMILY_VERSAL, bad, &error));
  g_assert_nonnull (strstr (error->message, "many"));
  g_clear_error (&error);
  g_assert_false (app_parts_add_from_texts ("  ", "", NN_FAMILY_VERSAL, figures, &error));
  g_clear_error (&error);
  g_assert_true (app_parts_add_from_texts (" our-card ", "Our card", NN_FAMILY_VERSAL, figures, &error));
  g_assert_no_error (error);
  part = nn_part_find ("our-card", NULL);
  g_assert_cmpfloat (part->total.amount[NN_RESOURCE_DSP], ==, 1234);
  g_assert_cmpfloat (part->total.amount[NN_RESOURCE_LUT], ==, 50000);
  g_assert_cmpfloat (part->total.amount[NN_RESOURCE_BRAM], <, 0);
  g_assert_cmpint (part->mult_b, ==, 24); /* the family's */
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "our-card"));
  again = app_parts_dialog_present (GTK_WINDOW (window), document ()); /* with a list to show */
  gtk_window_destroy (again);
  gtk_window_destroy (dialog);
  g_assert_true (nn_parts_remove ("our-card"));
}

static GtkWidget *
find_switch (GtkWidget  *widget,
             const char *name)
{
  if (GTK_IS_SWITCH (widget) && g_strcmp0 (((const NnPass *) g_object_get_data (G_OBJECT (widget), "pass"))->name, name) == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_switch (child, name);

      if (found != NULL)
        return found;
    }
  return NULL;
}

static const char *
subtitle_of (GtkWidget *control)
{
  return adw_action_row_get_subtitle (ADW_ACTION_ROW (gtk_widget_get_ancestor (control, ADW_TYPE_ACTION_ROW)));
}

/* An input, two batch normalisations after a dense layer. */
static NnModel *
make_normalised (void)
{
  static const NnRole roles[] = { NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_MEAN, NN_ROLE_VARIANCE };
  NnGraphBuilder *builder = nn_graph_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnTensor) kernel = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (4, 3)), ones = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (3));
  NnWeight weights[9] = { { .name = "kernel", .layer = "fc", .role = NN_ROLE_KERNEL, .values = kernel } };
  NnModel *model;
  NnNode *node;

  for (gsize i = 0; i < 3; i++)
    nn_tensor_f32 (ones)[i] = 1;
  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (4);
  node = nn_graph_builder_add (builder, NN_OP_DENSE, "fc", NULL, &(guint) { 0 }, 1);
  node->attrs.units = 3;
  nn_graph_builder_weights (builder, node, &(guint) { 0 }, 1);
  for (guint k = 0; k < 2; k++)
    {
      const char *name = k == 0 ? "bn1" : "bn2";
      guint ids[4];

      node = nn_graph_builder_add (builder, NN_OP_BATCH_NORM, name, NULL, &(guint) { k + 1 }, 1);
      for (guint r = 0; r < 4; r++)
        weights[ids[r] = 1 + 4 * k + r] = (NnWeight) { .name = nn_role_name (roles[r]), .layer = name, .role = roles[r], .values = ones };
      nn_graph_builder_weights (builder, node, ids, 4);
    }
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  nn_graph_builder_free (builder);
  model = nn_model_new (graph, weights, G_N_ELEMENTS (weights), NULL, &error);
  g_assert_no_error (error);
  return model;
}

static guint
n_hardware_layers (void)
{
  return nn_graph_n_nodes (nn_model_graph (nn_design_model (app_document_analysis (document ())->design)));
}

/* What a pass did is told; switched off it is left out of the hardware and said so in the configuration; one undo brings it back. */
static void
test_passes (void)
{
  g_autoptr (NnModel) model = make_normalised ();
  g_autoptr (NnConfig) config = nn_config_new ();
  AppState *state = app_state_copy (app_document_state (document ()), "Other network");
  const NnPass *pass = nn_pass_find ("fuse-batch-norm");
  g_autofree char *did = NULL, *json = NULL, *summary = NULL;
  GtkWidget *control;
  GtkWindow *dialog;
  guint n_layers;

  nn_config_set_granularity (config, NN_GRANULARITY_NAME); /* types are left open */
  app_state_set_model (state, model);
  app_state_set_config (state, config);
  app_document_push (document (), state);
  WAIT_FOR (is_analysed ());
  dialog = app_passes_dialog_present (GTK_WINDOW (window), document ());
  control = find_switch (GTK_WIDGET (dialog), "fuse-batch-norm");
  did = app_passes_did (app_document_analysis (document ()), pass);
  n_layers = n_hardware_layers ();
  g_assert_null (find_switch (GTK_WIDGET (dialog), "split-activations")); /* needed */
  g_assert_cmpstr (did, ==, "Folded 1 batch normalisation");
  g_assert_nonnull (strstr (subtitle_of (control), "Folded 1 batch normalisation: bn2"));
  gtk_switch_set_active (GTK_SWITCH (control), FALSE);
  g_assert_false (app_passes_is_on (app_document_state (document ())->config, pass));
  WAIT_FOR (is_analysed ());
  g_assert_nonnull (strstr (subtitle_of (control), "Left out."));
  g_assert_cmpuint (n_hardware_layers (), ==, n_layers + 1);
  json = nn_config_to_json (app_document_state (document ())->config);
  g_assert_nonnull (strstr (json, "fuse-batch-norm"));
  summary = app_passes_summary (app_document_analysis (document ()), app_document_state (document ())->config);
  g_assert_nonnull (strstr (summary, "1 is off"));
  app_document_undo (document ());
  g_assert_true (gtk_switch_get_active (GTK_SWITCH (control)));
  WAIT_FOR (is_analysed ());
  g_assert_nonnull (strstr (subtitle_of (control), did));
  g_assert_cmpuint (n_hardware_layers (), ==, n_layers);
  gtk_window_destroy (dialog);
  app_document_undo (document ());
  WAIT_FOR (is_analysed ());
}

/* The row of a title, or the spin button that its label names. */
static GtkWidget *
find_titled (GtkWidget  *widget,
             const char *title)
{
  if (ADW_IS_PREFERENCES_ROW (widget) && !ADW_IS_EXPANDER_ROW (widget) && g_str_equal (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), title))
    return ADW_IS_COMBO_ROW (widget) ? widget : adw_action_row_get_activatable_widget (ADW_ACTION_ROW (widget));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_titled (child, title);

      if (found != NULL)
        return found;
    }
  return NULL;
}

/* Each setting of the project becomes its key of the configuration, and one undo takes it back. */
static void
test_settings (void)
{
  GtkWidget *row = g_object_ref_sink (app_hls_settings_new (document ()));
  GtkWidget *style, *wrapper, *interval, *uncertainty;
  g_autofree char *json = NULL, *before = nn_config_to_json (app_document_state (document ())->config), *after = NULL;
  const char *const expected[] = { "\"PipelineStyle\" : \"dataflow\"", "\"PipelineInterval\" : 8", "\"ClockUncertainty\" : \"20%\"", "\"Interface\" : \"axi_master\"" };

  g_assert_null (find_titled (row, "Pipeline style"));
  adw_expander_row_set_expanded (ADW_EXPANDER_ROW (row), TRUE);
  style = find_titled (row, "Pipeline style");
  interval = find_titled (row, "Interval");
  uncertainty = find_titled (row, "Clock uncertainty");
  wrapper = find_titled (row, "Wrapper");
  g_assert_nonnull (style);
  adw_combo_row_set_selected (ADW_COMBO_ROW (style), 1);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (interval), 8);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (uncertainty), 20);
  adw_combo_row_set_selected (ADW_COMBO_ROW (wrapper), 3);
  json = nn_config_to_json (app_document_state (document ())->config);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    if (strstr (json, expected[i]) == NULL)
      g_error ("%s is not in %s", expected[i], json);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    app_document_undo (document ());
  after = nn_config_to_json (app_document_state (document ())->config);
  g_assert_cmpstr (after, ==, before);
  g_assert_cmpuint (adw_combo_row_get_selected (ADW_COMBO_ROW (wrapper)), ==, 0);
  g_object_unref (row);
  WAIT_FOR (is_analysed ());
}

/* Figures of a report stand at the layer that they are of. */
static void
test_measured (void)
{
  const AppAnalysis *analysis = app_document_analysis (document ());
  const NnGraph *graph = nn_model_graph (nn_design_model (analysis->design));
  g_autoptr (GString) text = g_string_new ("<profile><UserAssignments><TopModelName>t</TopModelName></UserAssignments><ModuleInformation>");
  g_autoptr (HlsReport) report = NULL;
  guint n = 0;

  for (guint k = 0; k < nn_graph_n_nodes (graph); k++)
    if (nn_op_is_prunable (nn_graph_node (graph, k)->op))
      g_string_append_printf (text, "<Module><Name>dense_resource_config%u_s</Name><AreaEstimates><Resources><DSP>%u</DSP><LUT>7</LUT></Resources></AreaEstimates></Module>",
                              k, 100 + k);
  g_string_append (text, "</ModuleInformation></profile>");
  report = hls_report_parse (text->str, text->len, "csynth.xml", NULL);
  g_assert_nonnull (report);
  for (guint i = 0; i < analysis->n_layers; i++)
    {
      double dsp = app_figures_measured (analysis, report, i, APP_METRIC_DSP);

      if (analysis->layers[i].main >= 0 && nn_op_is_prunable (nn_graph_node (nn_model_graph (analysis->model), i)->op))
        {
          g_assert_cmpfloat (dsp, ==, 100 + analysis->layers[i].main);
          n++;
        }
      else
        g_assert_true (isnan (dsp));
      g_assert_true (isnan (app_figures_measured (analysis, report, i, APP_METRIC_SPARSITY)));
      g_assert_true (isnan (app_figures_measured (analysis, NULL, i, APP_METRIC_DSP)));
    }
  g_assert_cmpuint (n, >=, 2);
}

static GtkWidget *
find_list (GtkWidget *widget)
{
  if (GTK_IS_LIST_BOX (widget))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_list (child);

      if (found != NULL)
        return found;
    }
  return NULL;
}

/* All known parts are listed and searched; the one chosen is the network's, and can be undone. */
static void
test_chooser (void)
{
  GtkWindow *dialog = app_part_chooser_present (GTK_WINDOW (window), document ());
  g_autofree char *before = g_strdup (nn_config_part (app_document_state (document ())->config));
  guint all, some;
  GtkListBox *list;
  GtkListBoxRow *row = NULL;

  g_assert_nonnull (dialog);
  nn_parts (&all);
  g_assert_cmpuint (app_part_chooser_search (dialog, ""), ==, all);
  g_assert_cmpuint (app_part_chooser_search (dialog, "no such part"), ==, 0);
  some = app_part_chooser_search (dialog, "Versal");
  g_assert_cmpuint (some, >, 0);
  g_assert_cmpuint (some, <, all);
  g_assert_cmpuint (app_part_chooser_search (dialog, "vu13p virtex"), ==, 1); /* words in any order */
  app_part_chooser_search (dialog, "xcu250");
  list = GTK_LIST_BOX (find_list (GTK_WIDGET (dialog)));
  for (guint i = 0; (row = gtk_list_box_get_row_at_index (list, i)) != NULL && !gtk_widget_get_child_visible (GTK_WIDGET (row)); i++)
    ;
  g_assert_nonnull (row);
  g_signal_emit_by_name (list, "row-activated", row);
  WAIT_FOR (is_analysed ());
  g_assert_true (g_str_has_prefix (nn_config_part (app_document_state (document ())->config), "xcu250"));
  app_document_undo (document ());
  WAIT_FOR (is_analysed ());
  g_assert_cmpstr (nn_config_part (app_document_state (document ())->config), ==, before);
}

static void
put_script (const char *folder_path,
            const char *name,
            const char *text)
{
  g_autofree char *path = g_build_filename (folder_path, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
}

static void
on_tool_line (AppJob     *job,
              const char *line,
              GString    *log)
{
  g_string_append_printf (log, "%s\n", line);
}

/* Without a vendor's tool the window says which is looked for, and where to tell where it is. */
static void
test_no_tool (void)
{
  g_autofree char *project = g_build_filename (folder, "no-tool", NULL);
  AppBuildPlace place = { .cluster = HLS_CLUSTER_NONE };
  AppJob *job = app_export_job (app_document_analysis (document ()), NULL, project);

  app_document_run (document (), job);
  WAIT_FOR (app_document_job (document ()) == NULL);
  job = g_object_ref (app_build_job (project, HLS_STAGE_SYNTH, &place));
  app_document_run (document (), job);
  WAIT_FOR (app_document_job (document ()) == NULL);
  g_assert_error ((GError *) app_job_error (job), HLS_ERROR, HLS_ERROR_TOOL_MISSING);
  g_assert_nonnull (strstr (app_job_error (job)->message, "vitis"));
  g_assert_nonnull (strstr (app_job_error (job)->message, "Preferences"));
  g_object_unref (job);
}

/* With a scheduler's commands on the PATH (stand-ins here) the page offers it; the job asks for what was set, and its log arrives. */
static void
test_cluster (void)
{
  g_autofree char *bin = g_build_filename (folder, "bin", NULL), *project = g_build_filename (folder, "on-cluster", NULL);
  g_autofree char *path = g_strconcat (bin, ":", g_getenv ("PATH"), NULL), *script = NULL, *asked = g_build_filename (folder, "asked", NULL);
  g_autofree char *sbatch = g_strdup_printf ("#!/bin/sh\nfor last; do :; done\ncp \"$last\" '%s'\n"
                                              "out=$(sed -n 's/^#SBATCH --output=//p' \"$last\")\nsh \"$last\" > \"$out\" 2>&1 &\necho 71\n", asked);
  g_autoptr (GString) log = g_string_new (NULL);
  AppBuildPlace place = { .cluster = HLS_CLUSTER_SLURM, .queue = "long", .cpus = 3, .memory_mb = 2048 };
  AppJob *job;

  g_assert_cmpint (g_mkdir (bin, 0755), ==, 0);
  put_script (bin, "sbatch", sbatch);
  put_script (bin, "squeue", "#!/bin/sh\necho RUNNING\n");
  put_script (bin, "vitis_hls", "#!/bin/sh\necho hello from the cluster\nexit 3\n");
  g_setenv ("PATH", path, TRUE);
  g_assert_cmpint (hls_cluster_find (), ==, HLS_CLUSTER_SLURM);
  job = app_export_job (app_document_analysis (document ()), NULL, project);
  app_document_run (document (), job);
  WAIT_FOR (app_document_job (document ()) == NULL);
  job = app_build_job (project, HLS_STAGE_SYNTH, &place);
  g_signal_connect (job, "item", G_CALLBACK (on_tool_line), log);
  g_object_ref (job);
  app_document_run (document (), job);
  WAIT_FOR (app_document_job (document ()) == NULL);
  g_assert_nonnull (app_job_error (job)); /* the tool has failed, and that is told */
  g_assert_nonnull (strstr (log->str, "hello from the cluster"));
  g_assert_true (g_file_get_contents (asked, &script, NULL, NULL));
  g_assert_nonnull (strstr (script, "--partition=long"));
  g_assert_nonnull (strstr (script, "--cpus-per-task=3"));
  g_object_unref (job);
}

/* Reports that were learnt from are listed. */
static void
test_calibration (void)
{
  HlsReport report = { .path = (char *) "run/csynth.xml", .tool = (char *) "Vitis HLS", .version = (char *) "2024.1",
                       .part = (char *) "xcu250-figd2104-2L-e", .stage = (char *) "csynth",
                       .resources = { { 100, 4, 20000, 9000, 0 } }, .latency_max = 40 };
  g_autofree char *path = nn_calibration_own_path ();
  g_autoptr (NnCalibration) calibration = NULL;
  g_autoptr (GError) error = NULL;
  GtkWindow *dialog = app_calibration_dialog_present (GTK_WINDOW (window), document ());

  gtk_window_destroy (dialog); /* with none */
  g_assert_true (app_calibration_learn (app_document_analysis (document ()), &report, &error));
  g_assert_no_error (error);
  app_document_reanalyse (document ());
  WAIT_FOR (is_analysed () && app_document_analysis (document ())->n_calibrations == 1);
  dialog = app_calibration_dialog_present (GTK_WINDOW (window), document ());
  gtk_window_destroy (dialog);
  calibration = nn_calibration_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (nn_calibration_entry (calibration, 0)->version, ==, "2024.1");
}

/* The log shows the end of what comes, however much that is; it is searched from where one is, round the end. */
static void
test_log (void)
{
  AppLogView *log = APP_LOG_VIEW (g_object_ref_sink (app_log_view_new ()));
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  app_log_view_heading (log, "Left out, as the first of too many");
  for (guint i = 0; i < 12000; i++)
    {
      g_autofree char *line = g_strdup_printf ("line %u%s", i, i == 11000 ? " ERROR: Found" : "");

      app_log_view_append (log, line);
    }
  WAIT_FOR ((g_free (text), text = app_log_view_dup_text (log), g_str_has_suffix (text, "line 11999")));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 10000);
  g_assert_cmpstr (lines[0], ==, "line 2000");
  g_assert_true (app_log_view_search (log, "found", FALSE));
  g_assert_true (app_log_view_search (log, "found", FALSE)); /* the same once more, round the end */
  g_assert_true (app_log_view_search (log, "line 2000", TRUE));
  g_assert_false (app_log_view_search (log, "no such text", FALSE));
  g_object_unref (log);
}

static void
test_close (void)
{
  app_document_forget_autosave (document ());
  gtk_window_destroy (GTK_WINDOW (window));
  g_clear_pointer (&folder, g_free);
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *data = g_dir_make_tmp ("espalier-data-XXXXXX", NULL);

  g_setenv ("XDG_DATA_HOME", data, TRUE); /* before anything asks for it */
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  if (gdk_display_get_default () == NULL)
    {
      g_print ("1..0 # SKIP no display\n");
      return 0;
    }
  open_sample ();
  g_test_add_func ("/hardware/reuse", test_reuse);
  g_test_add_func ("/hardware/passes", test_passes);
  g_test_add_func ("/hardware/settings", test_settings);
  g_test_add_func ("/hardware/measured", test_measured);
  g_test_add_func ("/hardware/parts", test_parts);
  g_test_add_func ("/hardware/chooser", test_chooser);
  g_test_add_func ("/hardware/no-tool", test_no_tool);
  g_test_add_func ("/hardware/cluster", test_cluster);
  g_test_add_func ("/hardware/calibration", test_calibration);
  g_test_add_func ("/hardware/log", test_log);
  g_test_add_func ("/hardware/close", test_close);
  return g_test_run ();
}
