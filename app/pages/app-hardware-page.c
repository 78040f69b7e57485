/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the device needs, the project to be written, the tools to be run. */

#include "app-hardware-page.h"

#include "app-build-queue.h"
#include "app-dialogs.h"
#include "app-export.h"
#include "app-hls-settings.h"
#include "app-figures.h"
#include "app-format.h"
#include "app-sources.h"
#include "app-study.h"
#include "app-variants.h"

#include <glib/gi18n.h>
#include <math.h>

#define VARIANTS_HEIGHT 320

#define SIDEBAR_WIDTH 396 /* three buttons side by side with their whole names */

struct _AppHardwarePage {
  AppPage parent;

  /* owned */
  char          *folder;   /* of projects, */
  AppAnalysis   *exported; /* and what lies in it itself */
  HlsStages      wanted;   /* to be run once there is a folder, */
  AppAnalysis   *wanted_of; /* nullable: on this, a variant */
  char          *wanted_title;
  AppBuildQueue *queue;
  AppJob        *variants_job;
  AppAnalysis   *variants_of;
  GPtrArray     *variants; /* AppVariant */
  gboolean       filling;

  /* template children */
  GtkBox      *split;
  AppFigure   *device_figure, *layers_figure, *variants_figure;
  GtkDropDown *metric_drop, *resource_drop;
  GtkWidget   *sidebar;
  GtkLabel    *part_label, *warning_label, *measured_title;
  GtkListBox  *facts, *files, *measured;
  AdwPreferencesGroup *project_group;
  AdwComboRow *backend_row, *io_row, *place_row;
  GtkButton   *csim_button, *synth_button, *calibrate_button, *use_button, *queue_button;
  GtkListBox  *builds;
  GtkLabel    *builds_title;
  GtkExpander *files_expander, *log_expander;
  GtkTextView *log_view;
};

G_DEFINE_FINAL_TYPE (AppHardwarePage, app_hardware_page, APP_TYPE_PAGE)

static void fill_builds (AppHardwarePage *self);
static void on_line (AppBuildQueue *queue, const char *line, AppHardwarePage *self);
static void want_variants (AppHardwarePage *self, AppAnalysis *analysis);

static void
fill_facts (AppHardwarePage   *self,
            const AppAnalysis *analysis,
            const NnConfig    *config)
{
  const NnCost *total = &analysis->estimate->total;
  g_autofree char *latency = app_format_figure (&total->latency), *interval = app_format_figure (&total->interval);
  g_autofree char *ns = g_strdup_printf (_("%.0f ns"), total->latency_ns);
  g_autofree char *clock = g_strdup_printf (_("%g ns"), nn_config_clock_ns (config));
  g_autofree char *bops = app_format_count (total->bops);

  app_rows_add (self->facts, _("Clock period"), clock);
  app_rows_add (self->facts, _("Latency (cycles)"), latency);
  app_rows_add (self->facts, _("Latency"), ns);
  app_rows_add (self->facts, _("Interval (cycles)"), interval);
  if (total->bops > 0)
    app_rows_add (self->facts, _("Bit operations"), bops);
  if (analysis->n_calibrations > 0)
    {
      g_autofree char *n = app_format_count (analysis->n_calibrations);

      app_rows_add (self->facts, _("Corrected by reports"), n);
    }
}

static void
fill_warnings (AppHardwarePage   *self,
               const AppAnalysis *analysis)
{
  g_autoptr (GString) text = g_string_new (analysis->problem);
  const char *const *warnings = analysis->design != NULL ? nn_design_warnings (analysis->design) : NULL;

  for (guint i = 0; warnings != NULL && warnings[i] != NULL; i++)
    g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", warnings[i]);
  gtk_label_set_text (self->warning_label, text->str);
  gtk_widget_set_visible (GTK_WIDGET (self->warning_label), text->len > 0);
}

static void
fill_measured (AppHardwarePage *self)
{
  GPtrArray *reports = app_document_reports (app_page_document (APP_PAGE (self)));

  app_rows_clear (self->measured);
  for (guint i = 0; i < reports->len; i++)
    {
      const HlsReport *report = g_ptr_array_index (reports, i);
      g_autofree char *title = g_strdup_printf ("%s %s, %s", report->tool != NULL ? report->tool : "?",
                                                report->version != NULL ? report->version : "", report->stage != NULL ? report->stage : "?");
      g_autoptr (GString) text = g_string_new (NULL);

      for (guint r = 0; r < NN_RESOURCE_URAM; r++)
        if (report->resources.amount[r] >= 0)
          {
            g_autofree char *count = app_format_count (report->resources.amount[r]);

            g_string_append_printf (text, "%s%s %s", text->len > 0 ? "\n" : "", count, app_resource_title (r));
          }
      if (isfinite (report->latency_max) && report->latency_max >= 0)
        g_string_append_printf (text, _("\n%.0f cycles"), report->latency_max);
      app_rows_add (self->measured, title, text->str);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->measured), reports->len > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->measured_title), reports->len > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->calibrate_button), reports->len > 0);
}

static void
app_hardware_page_update (AppPage *page)
{
  AppHardwarePage *self = APP_HARDWARE_PAGE (page);
  AppDocument *document = app_page_document (page);
  const AppState *state = app_document_state (document);
  AppAnalysis *analysis = app_document_analysis (document);

  if (analysis == NULL || state->config == NULL)
    return;
  self->filling = TRUE;
  app_figure_show_bars (self->device_figure, app_figures_device (document));
  app_figure_show_bars (self->layers_figure, app_figures_layers (document, APP_METRIC_DSP + gtk_drop_down_get_selected (self->metric_drop)));
  app_figure_set_subtitle (self->device_figure, analysis->part != NULL ? analysis->part->title : _("This part is not in the catalogue"));
  gtk_label_set_text (self->part_label, nn_config_part (state->config));
  app_rows_clear (self->facts);
  if (analysis->estimate != NULL)
    fill_facts (self, analysis, state->config);
  gtk_widget_set_visible (GTK_WIDGET (self->facts), analysis->estimate != NULL);
  fill_warnings (self, analysis);
  fill_measured (self);
  if (self->queue == NULL)
    {
      adw_preferences_group_add (self->project_group, app_hls_settings_new (document));
      self->queue = app_build_queue_new (document);
      g_signal_connect_object (self->queue, "changed", G_CALLBACK (fill_builds), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (self->queue, "line", G_CALLBACK (on_line), self, 0);
    }
  want_variants (self, analysis);
  adw_combo_row_set_selected (self->backend_row, nn_config_backend (state->config));
  adw_combo_row_set_selected (self->io_row, nn_config_io_type (state->config));
  self->filling = FALSE;
}

static void
app_hardware_page_set_narrow (AppPage  *page,
                              gboolean  narrow)
{
  AppHardwarePage *self = APP_HARDWARE_PAGE (page);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->split), narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : SIDEBAR_WIDTH, narrow ? 240 : -1);
}

static void
on_setting (AppHardwarePage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  g_autoptr (NnConfig) config = NULL;
  AppState *next;

  if (self->filling || state->config == NULL)
    return;
  config = nn_config_copy (state->config);
  nn_config_set_backend (config, adw_combo_row_get_selected (self->backend_row));
  nn_config_set_io_type (config, adw_combo_row_get_selected (self->io_row));
  next = app_state_copy (state, _("Backend"));
  app_state_set_config (next, config);
  app_document_push (document, next);
}

static void
on_line (AppBuildQueue   *queue,
         const char      *line,
         AppHardwarePage *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->log_view);
  GtkTextIter end;

  gtk_expander_set_expanded (self->log_expander, TRUE);
  gtk_text_buffer_get_end_iter (buffer, &end);
  gtk_text_buffer_insert (buffer, &end, line, -1);
  gtk_text_buffer_insert (buffer, &end, "\n", 1);
  gtk_text_view_scroll_to_mark (self->log_view, gtk_text_buffer_get_insert (buffer), 0, FALSE, 0, 0);
}

/* "93 DSP (91 measured) · ..." */
static char *
build_figures (const AppBuild *build)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (NnResource r = NN_RESOURCE_DSP; r <= NN_RESOURCE_FF; r++)
    {
      double measured = build->report != NULL ? build->report->resources.amount[r] : -1;
      g_autofree char *estimate = app_format_count (app_analysis_total (build->analysis, r));
      g_autofree char *count = measured >= 0 ? app_format_count (measured) : NULL;
      g_autofree char *part = count != NULL ? g_strdup_printf (_("%s %s (%s measured)"), estimate, app_resource_title (r), count)
                                            : g_strdup_printf ("%s %s", estimate, app_resource_title (r));

      g_string_append_printf (text, "%s%s", text->len > 0 ? " · " : "", part);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
on_remove_build (GtkButton       *button,
                 AppHardwarePage *self)
{
  app_build_queue_remove (self->queue, GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "build")));
}

static void
fill_builds (AppHardwarePage *self)
{
  guint n = app_build_queue_n (self->queue);

  app_rows_clear (self->builds);
  for (guint i = 0; i < n; i++)
    {
      const AppBuild *build = app_build_queue_get (self->queue, i);
      gboolean at_work = build->state == APP_BUILD_RUNNING || build->state == APP_BUILD_EXPORTING;
      GtkWidget *row = adw_action_row_new (), *button = gtk_button_new_from_icon_name (at_work ? "process-stop-symbolic" : "list-remove-symbolic");
      g_autofree char *figures = build_figures (build), *title = g_markup_escape_text (build->title, -1);
      g_autofree char *place = build->cluster != HLS_CLUSTER_NONE ? g_strdup_printf (_("%s on %s"), app_build_state_title (build->state),
                                                                                     hls_cluster_name (build->cluster)) : NULL;
      g_autofree char *says = g_strdup_printf ("%s\n%s", build->message != NULL ? build->message : place != NULL ? place
                                               : app_build_state_title (build->state), figures);
      g_autofree char *subtitle = g_markup_escape_text (says, -1);
      g_autofree char *name = g_strdup_printf (at_work ? _("Stop “%s”") : _("Remove “%s”"), build->title);

      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
      adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
      gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
      gtk_widget_add_css_class (button, "flat");
      gtk_widget_set_tooltip_text (button, name);
      gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
      g_object_set_data (G_OBJECT (button), "build", GUINT_TO_POINTER (i));
      g_signal_connect (button, "clicked", G_CALLBACK (on_remove_build), self);
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
      gtk_list_box_append (self->builds, row);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->builds), n > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->builds_title), n > 0);
}

/* What waits for a folder goes to the queue; the network shown is in the folder itself where it was exported there. */
static gboolean
queue_wanted (gpointer data)
{
  AppHardwarePage *self = data;
  AppAnalysis *analysis = self->wanted_of != NULL ? self->wanted_of : app_document_analysis (app_page_document (APP_PAGE (self)));

  if (self->wanted != 0 && self->folder != NULL && analysis != NULL)
    app_build_queue_add (self->queue, self->wanted_title, analysis, self->wanted, self->folder, analysis == self->exported,
                         adw_combo_row_get_selected (self->place_row) == 1 ? hls_cluster_find () : HLS_CLUSTER_NONE);
  self->wanted = 0;
  g_clear_pointer (&self->wanted_of, app_analysis_unref);
  g_object_unref (self);
  return G_SOURCE_REMOVE;
}

static void
on_exported (AppJob          *job,
             AppHardwarePage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  g_autoptr (HlsProject) project = app_job_steal_result (job);
  const char *const *files;

  if (project == NULL)
    return;
  app_rows_clear (self->files);
  files = hls_project_files (project);
  for (guint i = 0; files[i] != NULL; i++)
    {
      gsize n = 0;
      g_autofree char *size = NULL;

      hls_project_bytes (project, files[i], &n);
      size = g_format_size (n);
      app_rows_add (self->files, files[i], size);
    }
  gtk_expander_set_expanded (self->files_expander, TRUE);
  app_document_say (document, _("HLS project written"), FALSE);
  g_idle_add (queue_wanted, g_object_ref (self));
}

static void
on_folder (const char *folder,
           gpointer    object)
{
  app_hardware_page_export_to (object, folder);
}

void
app_hardware_page_export_to (AppHardwarePage *self,
                             const char      *folder)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  AppAnalysis *analysis = app_document_analysis (document);
  AppJob *job;

  if (analysis == NULL || app_document_job (document) != NULL)
    return;
  g_free (self->folder);
  self->folder = g_strdup (folder);
  g_clear_pointer (&self->exported, app_analysis_unref);
  self->exported = app_analysis_ref (analysis);
  job = app_export_job (analysis, app_document_state (document)->data, folder);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_exported), self, 0);
  app_document_run (document, job);
}

void
app_hardware_page_export (AppHardwarePage *self)
{
  app_ask_folder (GTK_WIDGET (self), _("Folder for the HLS Project"), on_folder, self);
}

static void
on_queue_folder (const char *folder,
                 gpointer    object)
{
  AppHardwarePage *self = object;

  g_free (self->folder);
  self->folder = g_strdup (folder);
  queue_wanted (g_object_ref (self));
}

/* Builds wait for their turn; without a folder one is asked for first. */
static void
want_stages (AppHardwarePage *self,
             HlsStages        stages,
             AppAnalysis     *variant, /* (nullable): instead of the network shown */
             const char      *title)
{
  self->wanted = stages;
  g_clear_pointer (&self->wanted_of, app_analysis_unref);
  self->wanted_of = variant != NULL ? app_analysis_ref (variant) : NULL;
  g_free (self->wanted_title);
  self->wanted_title = g_strdup (title);
  if (self->folder != NULL)
    queue_wanted (g_object_ref (self));
  else if (variant != NULL)
    app_ask_folder (GTK_WIDGET (self), _("Folder for the HLS Projects"), on_queue_folder, self);
  else
    app_hardware_page_export (self);
}

/* What is shown and on what hardware, in a line. */
static char *
shown_title (AppHardwarePage *self)
{
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));
  g_autofree char *run = app_state_step (state) != NULL ? app_study_run_title (state, state->run) : NULL;
  g_autofree char *step = run != NULL ? g_strdup_printf (_("%s, step %u"), run, state->step) : g_strdup (_("As loaded"));

  return g_strdup_printf (_("%s: %s, reuse factor %u"), step, nn_strategy_name (nn_config_strategy (state->config, NULL, NULL)),
                          nn_config_reuse (state->config, NULL, NULL));
}

static void
on_build (AppHardwarePage *self,
          HlsStages        stages)
{
  g_autofree char *title = NULL;

  if (app_document_analysis (app_page_document (APP_PAGE (self))) == NULL)
    return;
  title = shown_title (self);
  want_stages (self, stages, NULL, title);
}

static const AppVariant *
chosen_variant (AppHardwarePage *self)
{
  gint64 id = app_chart_selected (app_figure_chart (self->variants_figure));

  return id >= 0 && id < (gint64) self->variants->len ? g_ptr_array_index (self->variants, id) : NULL;
}

static void
show_variants (AppHardwarePage *self)
{
  NnResource resource = MIN (gtk_drop_down_get_selected (self->resource_drop), NN_RESOURCE_FF);
  AppChart *chart = app_figure_chart (self->variants_figure);
  gint64 selected = app_chart_selected (chart);
  const AppVariant *variant;
  g_autofree char *text = NULL;
  AppPlot *plot = app_variants_plot (self->variants, resource, self->variants_of != NULL ? self->variants_of->part : NULL);

  if (self->variants_of != NULL && self->variants_of->design == NULL)
    {
      g_free (plot->empty);
      plot->empty = g_strdup (_("This network cannot become hardware."));
    }
  app_figure_show_plot (self->variants_figure, plot);
  for (guint i = 0; selected < 0 && i < self->variants->len; i++)
    if (((AppVariant *) g_ptr_array_index (self->variants, i))->current)
      selected = i;
  app_chart_set_selected (chart, selected);
  variant = chosen_variant (self);
  if (variant != NULL)
    {
      g_autofree char *title = app_variant_title (variant), *used = app_format_count (variant->resources.amount[resource]);
      g_autofree char *cycles = app_format_count (variant->latency), *interval = app_format_count (variant->interval);

      text = g_strdup_printf (_("%s: %s %s, %s cycles, a sample every %s"), title, used, app_resource_title (resource), cycles, interval);
    }
  app_figure_set_subtitle (self->variants_figure, text != NULL ? text : _("Choose a point: the same network on other hardware."));
  gtk_widget_set_sensitive (GTK_WIDGET (self->use_button), variant != NULL && !variant->current);
  gtk_widget_set_sensitive (GTK_WIDGET (self->queue_button), variant != NULL);
}

static void
on_variant_picked (AppChart        *chart,
                   gint64           id,
                   AppHardwarePage *self)
{
  app_chart_set_selected (chart, id);
  show_variants (self);
}

static void
on_variant (AppJob           *job,
            const AppVariant *variant,
            AppHardwarePage  *self)
{
  g_ptr_array_add (self->variants, app_variant_copy (variant));
  show_variants (self);
}

static void
drop_variants (AppHardwarePage *self)
{
  if (self->variants_job != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->variants_job, self);
      app_job_cancel (self->variants_job);
      g_clear_object (&self->variants_job);
    }
  g_clear_pointer (&self->variants_of, app_analysis_unref);
  g_ptr_array_set_size (self->variants, 0);
}

static void
want_variants (AppHardwarePage *self,
               AppAnalysis     *analysis)
{
  if (self->variants_of == analysis)
    return;
  drop_variants (self);
  self->variants_of = app_analysis_ref (analysis);
  app_chart_set_selected (app_figure_chart (self->variants_figure), -1);
  self->variants_job = app_variants_job (analysis);
  g_signal_connect (self->variants_job, "item", G_CALLBACK (on_variant), self);
  app_job_start (self->variants_job);
  show_variants (self);
}

static void
on_use (AppHardwarePage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppVariant *variant = chosen_variant (self);
  AppState *next;

  if (variant == NULL || app_document_is_optimising (document))
    return;
  next = app_state_copy (app_document_state (document), _("Hardware variant"));
  app_state_set_config (next, variant->config);
  app_document_push (document, next);
}

static void
on_variant_analysed (AppJob          *job,
                     AppHardwarePage *self)
{
  g_autoptr (AppAnalysis) analysis = app_job_steal_result (job);

  if (analysis != NULL)
    want_stages (self, HLS_STAGE_SYNTH, analysis, g_object_get_data (G_OBJECT (job), "title"));
}

static void
on_queue (AppHardwarePage *self)
{
  const AppVariant *variant = chosen_variant (self);
  g_autoptr (AppJob) job = NULL;

  if (variant == NULL)
    return;
  job = app_analysis_job (self->variants_of->model, variant->config);
  g_object_set_data_full (G_OBJECT (job), "title", app_variant_title (variant), g_free);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_variant_analysed), self, 0);
  app_job_start (job);
}

static void
on_csim (AppHardwarePage *self)
{
  on_build (self, HLS_STAGE_CSIM);
}

static void
on_calibrate (AppHardwarePage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  GPtrArray *reports = app_document_reports (document);
  const AppAnalysis *analysis = app_document_analysis (document);
  g_autoptr (GError) error = NULL;

  if (reports->len == 0 || analysis == NULL || analysis->design == NULL)
    return;
  if (app_calibration_learn (analysis, g_ptr_array_index (reports, reports->len - 1), &error))
    {
      app_document_reanalyse (document);
      app_document_say (document, _("Estimates are corrected by this report from now on"), FALSE);
    }
  else
    app_document_fail (document, _("The calibration could not be kept"), error->message);
}

static void
on_synth (AppHardwarePage *self)
{
  on_build (self, HLS_STAGE_SYNTH);
}

static void
app_hardware_page_dispose (GObject *object)
{
  AppHardwarePage *self = APP_HARDWARE_PAGE (object);

  drop_variants (self);
  g_clear_object (&self->queue);
  g_clear_pointer (&self->exported, app_analysis_unref);
  g_clear_pointer (&self->wanted_of, app_analysis_unref);
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_HARDWARE_PAGE);
  G_OBJECT_CLASS (app_hardware_page_parent_class)->dispose (object);
}

static void
app_hardware_page_finalize (GObject *object)
{
  g_free (APP_HARDWARE_PAGE (object)->folder);
  g_free (APP_HARDWARE_PAGE (object)->wanted_title);
  g_ptr_array_unref (APP_HARDWARE_PAGE (object)->variants);
  G_OBJECT_CLASS (app_hardware_page_parent_class)->finalize (object);
}

static void
app_hardware_page_class_init (AppHardwarePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_hardware_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = app_hardware_page_finalize;
  APP_PAGE_CLASS (klass)->update = app_hardware_page_update;
  APP_PAGE_CLASS (klass)->set_narrow = app_hardware_page_set_narrow;
  g_type_ensure (APP_TYPE_FIGURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-hardware-page.ui");
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppHardwarePage, name)
  BIND (variants_figure); BIND (resource_drop); BIND (use_button); BIND (queue_button); BIND (builds); BIND (builds_title);
  BIND (split); BIND (device_figure); BIND (layers_figure); BIND (metric_drop); BIND (sidebar); BIND (part_label);
  BIND (warning_label); BIND (measured_title); BIND (facts); BIND (files); BIND (measured); BIND (project_group); BIND (backend_row); BIND (io_row); BIND (place_row);
  BIND (csim_button); BIND (synth_button); BIND (calibrate_button); BIND (files_expander); BIND (log_expander); BIND (log_view);
#undef BIND
}

/* A cluster is offered where its commands are. */
static void
fill_places (AppHardwarePage *self)
{
  HlsCluster cluster = hls_cluster_find ();
  const char *names[] = { _("This computer"), hls_cluster_name (cluster), NULL };
  g_autoptr (GtkStringList) places = gtk_string_list_new (names);

  adw_combo_row_set_model (self->place_row, G_LIST_MODEL (places));
  gtk_widget_set_visible (GTK_WIDGET (self->place_row), cluster != HLS_CLUSTER_NONE);
  /* beside a subtitle there would be no room for the choice itself */
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->place_row), _("Jobs on a cluster go on when this window is closed; the project must lie where its machines see it"));
}

static void
app_hardware_page_init (AppHardwarePage *self)
{
  g_autoptr (GtkStringList) metrics = gtk_string_list_new (NULL), backends = gtk_string_list_new (NULL), resources = gtk_string_list_new (NULL);
  const char *io[] = { _("Parallel"), _("Stream"), NULL };
  g_autoptr (GtkStringList) interfaces = gtk_string_list_new (io);

  gtk_widget_init_template (GTK_WIDGET (self));
  self->variants = g_ptr_array_new_with_free_func ((GDestroyNotify) app_variant_free);
  self->filling = TRUE;
  for (AppMetric m = APP_METRIC_DSP; m < APP_METRIC_ERROR; m++)
    gtk_string_list_append (metrics, app_metric_title (m));
  for (guint b = 0; b < NN_N_BACKENDS; b++)
    gtk_string_list_append (backends, nn_backend_name (b));
  gtk_drop_down_set_model (self->metric_drop, G_LIST_MODEL (metrics));
  adw_combo_row_set_model (self->backend_row, G_LIST_MODEL (backends));
  adw_combo_row_set_model (self->io_row, G_LIST_MODEL (interfaces));
  fill_places (self);
  g_signal_connect_swapped (self->metric_drop, "notify::selected", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->backend_row, "notify::selected", G_CALLBACK (on_setting), self);
  g_signal_connect_swapped (self->io_row, "notify::selected", G_CALLBACK (on_setting), self);
  g_signal_connect_swapped (self->csim_button, "clicked", G_CALLBACK (on_csim), self);
  g_signal_connect_swapped (self->calibrate_button, "clicked", G_CALLBACK (on_calibrate), self);
  g_signal_connect_swapped (self->synth_button, "clicked", G_CALLBACK (on_synth), self);
  for (NnResource r = NN_RESOURCE_DSP; r <= NN_RESOURCE_FF; r++)
    gtk_string_list_append (resources, app_resource_title (r));
  gtk_drop_down_set_model (self->resource_drop, G_LIST_MODEL (resources));
  app_chart_set_natural_height (app_figure_chart (self->variants_figure), VARIANTS_HEIGHT);
  g_signal_connect (app_figure_chart (self->variants_figure), "picked", G_CALLBACK (on_variant_picked), self);
  g_signal_connect_swapped (self->resource_drop, "notify::selected", G_CALLBACK (show_variants), self);
  g_signal_connect_swapped (self->use_button, "clicked", G_CALLBACK (on_use), self);
  g_signal_connect_swapped (self->queue_button, "clicked", G_CALLBACK (on_queue), self);
  self->filling = FALSE;
}
