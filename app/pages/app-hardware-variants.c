/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same network on other hardware: estimated, looked at, taken over, or built. */

#include "app-hardware-page-private.h"

#include "app-figures.h"
#include "app-format.h"
#include "app-sources.h"
#include "app-variants.h"

#include <glib/gi18n.h>

#define VARIANTS_HEIGHT 320

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

void
app_hardware_page_drop_variants (AppHardwarePage *self)
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

void
app_hardware_page_want_variants (AppHardwarePage *self,
                                 AppAnalysis     *analysis)
{
  if (self->variants_of == analysis)
    return;
  app_hardware_page_drop_variants (self);
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
    app_hardware_page_want_stages (self, HLS_STAGE_SYNTH, analysis, g_object_get_data (G_OBJECT (job), "title"));
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

void
app_hardware_page_init_variants (AppHardwarePage *self)
{
  g_autoptr (GtkStringList) resources = gtk_string_list_new (NULL);

  self->variants = g_ptr_array_new_with_free_func ((GDestroyNotify) app_variant_free);
  for (NnResource r = NN_RESOURCE_DSP; r <= NN_RESOURCE_FF; r++)
    gtk_string_list_append (resources, app_resource_title (r));
  gtk_drop_down_set_model (self->resource_drop, G_LIST_MODEL (resources));
  app_chart_set_natural_height (app_figure_chart (self->variants_figure), VARIANTS_HEIGHT);
  g_signal_connect (app_figure_chart (self->variants_figure), "picked", G_CALLBACK (on_variant_picked), self);
  g_signal_connect_swapped (self->resource_drop, "notify::selected", G_CALLBACK (show_variants), self);
  g_signal_connect_swapped (self->use_button, "clicked", G_CALLBACK (on_use), self);
  g_signal_connect_swapped (self->queue_button, "clicked", G_CALLBACK (on_queue), self);
}
