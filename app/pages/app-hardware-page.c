/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the device needs, the project to be written, the tools to be run. */

#include "app-hardware-page.h"

#include "app-dialogs.h"
#include "app-export.h"
#include "app-figures.h"
#include "app-format.h"
#include "app-preferences.h"
#include "app-sources.h"

#include <glib/gi18n.h>
#include <math.h>

struct _AppHardwarePage {
  AppPage parent;

  /* owned */
  char      *folder; /* where the project was written last */
  HlsStages  after_export;
  GQueue     queue;  /* HlsStages waiting for their turn */
  gboolean   filling;

  /* template children */
  GtkBox      *split;
  AppFigure   *device_figure, *layers_figure;
  GtkDropDown *metric_drop;
  GtkWidget   *sidebar;
  GtkLabel    *part_label, *warning_label, *measured_title;
  GtkListBox  *facts, *files, *measured;
  AdwComboRow *backend_row, *io_row;
  GtkButton   *csim_button, *synth_button, *calibrate_button;
  GtkExpander *files_expander, *log_expander;
  GtkTextView *log_view;
};

G_DEFINE_FINAL_TYPE (AppHardwarePage, app_hardware_page, APP_TYPE_PAGE)

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
  const AppAnalysis *analysis = app_document_analysis (document);

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
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : 360, narrow ? 240 : -1);
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
on_line (AppJob          *job,
         const char      *line,
         AppHardwarePage *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->log_view);
  GtkTextIter end;

  gtk_text_buffer_get_end_iter (buffer, &end);
  gtk_text_buffer_insert (buffer, &end, line, -1);
  gtk_text_buffer_insert (buffer, &end, "\n", 1);
  gtk_text_view_scroll_to_mark (self->log_view, gtk_text_buffer_get_insert (buffer), 0, FALSE, 0, 0);
}

static void start_next (AppHardwarePage *self);

static gboolean
start_next_idle (gpointer data)
{
  start_next (data);
  g_object_unref (data);
  return G_SOURCE_REMOVE;
}

static void
on_built (AppJob          *job,
          AppHardwarePage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  HlsReport *report = app_job_steal_result (job);

  if (report != NULL)
    {
      app_document_say (document, _("The tool has finished"), FALSE);
      g_ptr_array_add (app_document_reports (document), report);
      g_signal_emit_by_name (document, "analysed");
      g_signal_emit_by_name (document, "idle-done", app_job_title (job), _("The tool has finished"));
    }
  /* The document lets go of this job after us: the next begins then. */
  g_idle_add (start_next_idle, g_object_ref (self));
}

static void
start_next (AppHardwarePage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  g_autofree char *tool = app_settings () != NULL ? g_settings_get_string (app_settings (), "tool") : NULL;
  g_autofree char *script = app_settings () != NULL ? g_settings_get_string (app_settings (), "tool-settings") : NULL;
  HlsStages stages;
  AppJob *job;

  if (document == NULL || app_document_job (document) != NULL || self->folder == NULL || g_queue_is_empty (&self->queue))
    return;
  stages = GPOINTER_TO_UINT (g_queue_pop_head (&self->queue));
  gtk_expander_set_expanded (self->log_expander, TRUE);
  job = app_build_job (self->folder, stages, tool, script);
  g_signal_connect_object (job, "item", G_CALLBACK (on_line), self, 0);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_built), self, 0);
  app_document_run (document, job);
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
  g_idle_add (start_next_idle, g_object_ref (self));
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
  job = app_export_job (analysis, app_document_state (document)->data, folder);
  g_signal_connect_object (job, "finished", G_CALLBACK (on_exported), self, 0);
  app_document_run (document, job);
}

void
app_hardware_page_export (AppHardwarePage *self)
{
  app_ask_folder (GTK_WIDGET (self), _("Folder for the HLS Project"), on_folder, self);
}

/* Stages wait for their turn; without a folder one is asked for first. */
static void
want_stages (AppHardwarePage *self,
             HlsStages        stages)
{
  g_queue_push_tail (&self->queue, GUINT_TO_POINTER (stages));
  if (self->folder == NULL)
    app_hardware_page_export (self);
  else
    start_next (self);
}

static void
on_csim (AppHardwarePage *self)
{
  want_stages (self, HLS_STAGE_CSIM);
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
  want_stages (self, HLS_STAGE_SYNTH);
}

static void
app_hardware_page_dispose (GObject *object)
{
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_HARDWARE_PAGE);
  G_OBJECT_CLASS (app_hardware_page_parent_class)->dispose (object);
}

static void
app_hardware_page_finalize (GObject *object)
{
  g_free (APP_HARDWARE_PAGE (object)->folder);
  g_queue_clear (&APP_HARDWARE_PAGE (object)->queue);
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
  BIND (split); BIND (device_figure); BIND (layers_figure); BIND (metric_drop); BIND (sidebar); BIND (part_label);
  BIND (warning_label); BIND (measured_title); BIND (facts); BIND (files); BIND (measured); BIND (backend_row); BIND (io_row);
  BIND (csim_button); BIND (synth_button); BIND (calibrate_button); BIND (files_expander); BIND (log_expander); BIND (log_view);
#undef BIND
}

static void
app_hardware_page_init (AppHardwarePage *self)
{
  g_autoptr (GtkStringList) metrics = gtk_string_list_new (NULL), backends = gtk_string_list_new (NULL);
  const char *io[] = { _("Parallel"), _("Stream"), NULL };
  g_autoptr (GtkStringList) interfaces = gtk_string_list_new (io);

  gtk_widget_init_template (GTK_WIDGET (self));
  g_queue_init (&self->queue);
  self->filling = TRUE;
  for (AppMetric m = APP_METRIC_DSP; m < APP_METRIC_ERROR; m++)
    gtk_string_list_append (metrics, app_metric_title (m));
  for (guint b = 0; b < NN_N_BACKENDS; b++)
    gtk_string_list_append (backends, nn_backend_name (b));
  gtk_drop_down_set_model (self->metric_drop, G_LIST_MODEL (metrics));
  adw_combo_row_set_model (self->backend_row, G_LIST_MODEL (backends));
  adw_combo_row_set_model (self->io_row, G_LIST_MODEL (interfaces));
  g_signal_connect_swapped (self->metric_drop, "notify::selected", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->backend_row, "notify::selected", G_CALLBACK (on_setting), self);
  g_signal_connect_swapped (self->io_row, "notify::selected", G_CALLBACK (on_setting), self);
  g_signal_connect_swapped (self->csim_button, "clicked", G_CALLBACK (on_csim), self);
  g_signal_connect_swapped (self->calibrate_button, "clicked", G_CALLBACK (on_calibrate), self);
  g_signal_connect_swapped (self->synth_button, "clicked", G_CALLBACK (on_synth), self);
  self->filling = FALSE;
}
