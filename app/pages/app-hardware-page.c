/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the device needs, the project to be written, the tools to be run. */

#include "app-hardware-page-private.h"

#include "app-dialogs.h"
#include "app-figures.h"
#include "app-format.h"
#include "app-hls-settings.h"
#include "app-sources.h"

#include <glib/gi18n.h>
#include <math.h>

#define SIDEBAR_WIDTH 396 /* three buttons side by side with their whole names */

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
      app_hardware_page_begin_builds (self, document);
    }
  app_hardware_page_tell_tool (self, nn_config_backend (state->config));
  app_hardware_page_want_variants (self, analysis);
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
app_hardware_page_dispose (GObject *object)
{
  AppHardwarePage *self = APP_HARDWARE_PAGE (object);

  app_hardware_page_drop_variants (self);
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
  BIND (csim_button); BIND (synth_button); BIND (calibrate_button); BIND (files_expander); BIND (log_expander); BIND (tool_label);
#undef BIND
}

static void
app_hardware_page_init (AppHardwarePage *self)
{
  g_autoptr (GtkStringList) metrics = gtk_string_list_new (NULL), backends = gtk_string_list_new (NULL);
  const char *io[] = { _("Parallel"), _("Stream"), NULL };
  g_autoptr (GtkStringList) interfaces = gtk_string_list_new (io);

  gtk_widget_init_template (GTK_WIDGET (self));
  self->filling = TRUE;
  app_hardware_page_init_variants (self);
  app_hardware_page_init_builds (self);
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
  g_signal_connect_swapped (self->calibrate_button, "clicked", G_CALLBACK (on_calibrate), self);
  self->filling = FALSE;
}
