/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types: what they hold, what falls off, how many bits are needed. */

#include "app-precision-page-private.h"

#include "app-format.h"
#include "app-sources.h"

#include <glib/gi18n.h>
#include <math.h>

#define FIGURE_HEIGHT 280
G_DEFINE_FINAL_TYPE (AppPrecisionPage, app_precision_page, APP_TYPE_PAGE)

static void
fill_overflows (AppPrecisionPage   *self,
                const AppPrecision *precision)
{
  guint n = 0;

  app_rows_clear (self->overflows);
  for (guint i = 0; i < precision->overflows->len; i++)
    {
      const AppOverflow *overflow = &g_array_index (precision->overflows, AppOverflow, i);
      g_autofree char *text = NULL;

      if (overflow->overflows == 0)
        continue;
      text = app_format_count (overflow->overflows);
      app_rows_add (self->overflows, overflow->name, text);
      n++;
    }
  gtk_widget_set_visible (GTK_WIDGET (self->overflows), n > 0);
  gtk_widget_set_visible (GTK_WIDGET (self->overflow_title), n > 0);
}

/* The first layer that overflows is where the trouble begins; what it needs follows from what was seen there. */
static char *
advice (const AppPrecision *precision)
{
  for (guint i = 0; i < precision->overflows->len; i++)
    {
      const AppOverflow *overflow = &g_array_index (precision->overflows, AppOverflow, i);
      const AppSpan *span = precision->activations != NULL && i < precision->activations->spans->len
                              ? &g_array_index (precision->activations->spans, AppSpan, i) : NULL;

      if (overflow->overflows == 0)
        continue;
      if (span == NULL || span->high <= 0)
        return g_strdup_printf (_("“%s” is the first layer that overflows."), overflow->name);
      return g_strdup_printf (_("“%s” is the first layer that overflows: results up to %.3g were seen, its type (%s) ends at %.3g. "
                                "%d integer bits would do."), overflow->name, span->high, span->type, span->max,
                              (int) ceil (log2 (span->high * 1.0001)) + 1);
    }
  return g_strdup (_("Nothing overflows on these samples."));
}

static void
fill_verdict (AppPrecisionPage   *self,
              const AppPrecision *precision)
{
  g_autofree char *text = advice (precision);
  g_autofree char *as_float = app_format_accuracy (precision->float_accuracy, TRUE);
  g_autofree char *as_fixed = app_format_accuracy (precision->fixed_accuracy, TRUE);
  g_autofree char *n = app_format_count (precision->n_samples);
  double loss = precision->float_accuracy - precision->fixed_accuracy;

  app_rows_clear (self->facts);
  if (!isfinite (precision->fixed_accuracy))
    {
      gtk_label_set_text (self->verdict_label, _("Weights only"));
      gtk_label_set_text (self->advice_label, _("Open data to see what the layers compute and what the number types do to it."));
      gtk_widget_set_visible (GTK_WIDGET (self->facts), FALSE);
      return;
    }
  gtk_widget_set_visible (GTK_WIDGET (self->facts), TRUE);
  gtk_label_set_text (self->verdict_label, loss <= 0.005 * MAX (fabs (precision->float_accuracy), 1e-9)
                                             ? _("The types are wide enough") : _("The types lose accuracy"));
  gtk_label_set_text (self->advice_label, text);
  app_rows_add (self->facts, _("Floating point"), as_float);
  app_rows_add (self->facts, _("Fixed point, bit by bit"), as_fixed);
  app_rows_add (self->facts, _("Samples"), n);
}

static void
show (AppPrecisionPage *self)
{
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));
  const AppPrecision *precision = self->precision;

  gtk_widget_set_sensitive (GTK_WIDGET (self->scan_button), precision != NULL && state->data != NULL);
  app_figure_show_plot (self->scan_figure, app_scan_plot (self->scan, precision != NULL ? precision->float_accuracy : NAN));
  app_figure_show_spans (self->weights_figure, precision != NULL ? precision->weights : NULL);
  app_figure_show_spans (self->activations_figure, precision != NULL ? precision->activations : NULL);
  if (precision == NULL)
    {
      gtk_label_set_text (self->verdict_label, _("Profiling…"));
      gtk_label_set_text (self->advice_label, _("The network runs bit by bit as the hardware will."));
      gtk_widget_set_visible (GTK_WIDGET (self->facts), FALSE);
      gtk_widget_set_visible (GTK_WIDGET (self->overflows), FALSE);
      gtk_widget_set_visible (GTK_WIDGET (self->overflow_title), FALSE);
      return;
    }
  fill_verdict (self, precision);
  fill_overflows (self, precision);
}

static void
on_profiled (AppJob           *job,
             AppPrecisionPage *self)
{
  const GError *error = app_job_error (job);

  app_figure_show_spans (self->weights_figure, NULL);
  app_figure_show_spans (self->activations_figure, NULL);
  g_clear_pointer (&self->precision, app_precision_free);
  self->precision = app_job_steal_result (job);
  if (self->precision == NULL && error != NULL)
    {
      gtk_label_set_text (self->verdict_label, _("No profile"));
      gtk_label_set_text (self->advice_label, error->message);
    }
  else
    show (self);
  g_clear_object (&self->job);
}

static void
drop_job (AppPrecisionPage  *self,
          AppJob           **job)
{
  if (*job == NULL)
    return;
  g_signal_handlers_disconnect_by_data (*job, self);
  app_job_cancel (*job);
  g_clear_object (job);
}

/* Which layer goes wrong, how far and why. */
static void
show_errors (AppPrecisionPage *self)
{
  const AppErrors *errors = app_document_errors (app_page_document (APP_PAGE (self)));
  g_autofree char *why = errors != NULL ? app_errors_why (errors) : NULL;

  app_document_want_errors (app_page_document (APP_PAGE (self)));
  gtk_widget_set_visible (GTK_WIDGET (self->errors_figure), errors != NULL);
  app_figure_set_subtitle (self->errors_figure, why);
  app_figure_show_bars (self->errors_figure, errors != NULL ? app_errors_bars (errors) : NULL);
}

static void
show_trace (AppPrecisionPage *self)
{
  app_figure_show_plot (self->trace_figure, app_trace_plot (self->trace, gtk_drop_down_get_selected (self->layer_drop)));
}

static void
on_traced (AppJob           *job,
           AppPrecisionPage *self)
{
  g_clear_pointer (&self->trace, app_trace_free);
  self->trace = app_job_steal_result (job);
  g_clear_object (&self->trace_job);
  show_trace (self);
}

static void
want_trace (AppPrecisionPage *self)
{
  drop_job (self, &self->trace_job);
  gtk_widget_set_visible (GTK_WIDGET (self->trace_figure), self->with_data != NULL && self->wanted != NULL && self->wanted->design != NULL);
  if (!gtk_widget_get_visible (GTK_WIDGET (self->trace_figure)))
    return;
  self->trace_job = app_trace_job (self->wanted, self->with_data, gtk_spin_button_get_value_as_int (self->sample_spin));
  g_signal_connect (self->trace_job, "finished", G_CALLBACK (on_traced), self);
  app_job_start (self->trace_job);
}

/* Layers and samples there are to choose from; the layer shown stays where it is still there. */
static void
fill_sample_range (AppPrecisionPage *self)
{
  const NnDesign *design = self->wanted->design;
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  gsize n = self->with_data != NULL ? nn_dataset_n (self->with_data, app_evaluation_split (self->with_data)) : 0;
  guint before = gtk_drop_down_get_selected (self->layer_drop), n_nodes = design != NULL ? nn_graph_n_nodes (nn_model_graph (nn_design_model (design))) : 0;

  for (guint i = 0; i < n_nodes; i++)
    gtk_string_list_append (names, nn_graph_node (nn_model_graph (nn_design_model (design)), i)->name);
  gtk_drop_down_set_model (self->layer_drop, G_LIST_MODEL (names));
  gtk_drop_down_set_selected (self->layer_drop, before != 0 && before < n_nodes ? before : MAX (n_nodes, 1) - 1);
  gtk_adjustment_set_upper (gtk_spin_button_get_adjustment (self->sample_spin), n > 0 ? n - 1 : 0);
}

static void
app_precision_page_update (AppPage *page)
{
  AppPrecisionPage *self = APP_PRECISION_PAGE (page);
  AppDocument *document = app_page_document (page);
  AppAnalysis *analysis = app_document_analysis (document);
  NnDataset *data = app_document_state (document)->data;

  if (analysis == NULL || app_document_is_empty (document))
    return;
  if (self->wanted == analysis && self->with_data == data)
    {
      show_errors (self);
      return;
    }
  drop_job (self, &self->job);
  drop_job (self, &self->trace_job);
  g_clear_pointer (&self->trace, app_trace_free);
  g_clear_pointer (&self->repair, nn_doctor_free);
  g_clear_pointer (&self->wanted, app_analysis_unref);
  g_clear_pointer (&self->with_data, nn_dataset_unref);
  self->wanted = app_analysis_ref (analysis);
  self->with_data = data != NULL ? nn_dataset_ref (data) : NULL;
  g_array_set_size (self->scan, 0);
  show (self);
  self->job = app_precision_job (analysis, data);
  g_signal_connect (self->job, "finished", G_CALLBACK (on_profiled), self);
  app_job_start (self->job);
  app_document_want_errors (document);
  fill_sample_range (self);
  want_trace (self);
  show_errors (self);
  app_precision_page_show_repair (self);
}

static void
app_precision_page_set_narrow (AppPage  *page,
                               gboolean  narrow)
{
  AppPrecisionPage *self = APP_PRECISION_PAGE (page);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->split), narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : 336, narrow ? 220 : -1);
}

static void
on_scan_point (AppJob           *job,
               AppScanPoint     *point,
               AppPrecisionPage *self)
{
  g_array_prepend_val (self->scan, *point);
  app_figure_show_plot (self->scan_figure, app_scan_plot (self->scan, self->precision != NULL ? self->precision->float_accuracy : NAN));
}

static void
on_scan (AppPrecisionPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  AppJob *job;

  if (self->wanted == NULL || state->data == NULL || app_document_job (document) != NULL)
    return;
  g_array_set_size (self->scan, 0);
  job = app_scan_job (self->wanted, state->data);
  g_signal_connect_object (job, "item", G_CALLBACK (on_scan_point), self, 0);
  app_document_run (document, job);
}

static void
app_precision_page_dispose (GObject *object)
{
  AppPrecisionPage *self = APP_PRECISION_PAGE (object);

  drop_job (self, &self->job);
  drop_job (self, &self->trace_job);
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_PRECISION_PAGE);
  g_clear_pointer (&self->wanted, app_analysis_unref);
  g_clear_pointer (&self->with_data, nn_dataset_unref);
  g_clear_pointer (&self->precision, app_precision_free);
  g_clear_pointer (&self->scan, g_array_unref);
  g_clear_pointer (&self->trace, app_trace_free);
  g_clear_pointer (&self->repair, nn_doctor_free);
  G_OBJECT_CLASS (app_precision_page_parent_class)->dispose (object);
}

static void
app_precision_page_class_init (AppPrecisionPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_precision_page_dispose;
  APP_PAGE_CLASS (klass)->update = app_precision_page_update;
  APP_PAGE_CLASS (klass)->set_narrow = app_precision_page_set_narrow;
  g_type_ensure (APP_TYPE_FIGURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-precision-page.ui");
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppPrecisionPage, name)
  BIND (split); BIND (weights_figure); BIND (activations_figure); BIND (scan_figure); BIND (scan_button); BIND (sidebar);
  BIND (errors_figure); BIND (trace_figure); BIND (repair_button); BIND (apply_button); BIND (widths_button); BIND (layer_drop);
  BIND (sample_spin); BIND (repair_title); BIND (changes);
  BIND (verdict_label); BIND (advice_label); BIND (overflow_title); BIND (facts); BIND (overflows);
#undef BIND
}

static void
app_precision_page_init (AppPrecisionPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->scan = g_array_new (FALSE, FALSE, sizeof (AppScanPoint));
  g_signal_connect_swapped (self->scan_button, "clicked", G_CALLBACK (on_scan), self);
  app_precision_page_init_repair (self);
  g_signal_connect_swapped (self->layer_drop, "notify::selected", G_CALLBACK (show_trace), self);
  g_signal_connect_swapped (self->sample_spin, "value-changed", G_CALLBACK (want_trace), self);
  app_chart_set_natural_height (app_figure_chart (self->scan_figure), FIGURE_HEIGHT);
  app_chart_set_natural_height (app_figure_chart (self->trace_figure), FIGURE_HEIGHT);
}
