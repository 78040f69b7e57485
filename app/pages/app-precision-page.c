/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types: what they hold, what falls off, how many bits are needed. */

#include "app-precision-page.h"

#include "app-figure.h"
#include "app-format.h"
#include "app-precision.h"

#include <glib/gi18n.h>
#include <math.h>

#define TEXT_PX 14.0

struct _AppPrecisionPage {
  AppPage parent;

  /* owned */
  AppJob       *job;
  AppAnalysis  *wanted;    /* what the job is about */
  NnDataset    *with_data;
  AppPrecision *precision;
  GArray       *scan;      /* AppScanPoint */

  /* template children */
  GtkBox     *split;
  AppFigure  *weights_figure, *activations_figure, *scan_figure;
  GtkButton  *scan_button;
  GtkWidget  *sidebar;
  GtkLabel   *verdict_label, *advice_label, *overflow_title;
  GtkListBox *facts, *overflows;
};

G_DEFINE_FINAL_TYPE (AppPrecisionPage, app_precision_page, APP_TYPE_PAGE)

static AppScene *
layout_spans (gconstpointer  data,
              const AppView *view)
{
  return app_spans_layout (data, view);
}

static AppTable *
table_spans (gconstpointer data)
{
  return app_spans_table (data);
}

static AppScene *
layout_plot (gconstpointer  data,
             const AppView *view)
{
  return app_plot_layout (data, view);
}

static AppTable *
table_plot (gconstpointer data)
{
  return app_plot_table (data);
}

static const AppChartSource spans_source = { .layout = layout_spans, .table = table_spans };
static const AppChartSource plot_source = { .layout = layout_plot, .table = table_plot };

static void
show_spans (AppFigure *figure,
            AppSpans  *spans)
{
  gtk_widget_set_visible (GTK_WIDGET (figure), spans != NULL);
  app_figure_set_source (figure, spans != NULL ? &spans_source : NULL, spans, NULL);
  if (spans != NULL)
    app_chart_set_natural_height (app_figure_chart (figure), app_spans_height (spans, TEXT_PX));
}

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
  app_figure_set_source (self->scan_figure, &plot_source,
                         app_scan_plot (self->scan, precision != NULL ? precision->float_accuracy : NAN), (GDestroyNotify) app_plot_free);
  app_chart_set_natural_height (app_figure_chart (self->scan_figure), 280);
  show_spans (self->weights_figure, precision != NULL ? precision->weights : NULL);
  show_spans (self->activations_figure, precision != NULL ? precision->activations : NULL);
  if (precision == NULL)
    {
      gtk_label_set_text (self->verdict_label, _("Profiling…"));
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

  show_spans (self->weights_figure, NULL);
  show_spans (self->activations_figure, NULL);
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
drop_job (AppPrecisionPage *self)
{
  if (self->job == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->job, self);
  app_job_cancel (self->job);
  g_clear_object (&self->job);
}

static void
app_precision_page_update (AppPage *page)
{
  AppPrecisionPage *self = APP_PRECISION_PAGE (page);
  AppDocument *document = app_page_document (page);
  AppAnalysis *analysis = app_document_analysis (document);
  NnDataset *data = app_document_state (document)->data;

  if (analysis == NULL || app_document_is_empty (document) || (self->wanted == analysis && self->with_data == data))
    return;
  drop_job (self);
  g_clear_pointer (&self->wanted, app_analysis_unref);
  g_clear_pointer (&self->with_data, nn_dataset_unref);
  self->wanted = app_analysis_ref (analysis);
  self->with_data = data != NULL ? nn_dataset_ref (data) : NULL;
  g_array_set_size (self->scan, 0);
  show (self);
  self->job = app_precision_job (analysis, data);
  g_signal_connect (self->job, "finished", G_CALLBACK (on_profiled), self);
  app_job_start (self->job);
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
  app_figure_set_source (self->scan_figure, &plot_source,
                         app_scan_plot (self->scan, self->precision != NULL ? self->precision->float_accuracy : NAN),
                         (GDestroyNotify) app_plot_free);
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

  drop_job (self);
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_PRECISION_PAGE);
  g_clear_pointer (&self->wanted, app_analysis_unref);
  g_clear_pointer (&self->with_data, nn_dataset_unref);
  g_clear_pointer (&self->precision, app_precision_free);
  g_clear_pointer (&self->scan, g_array_unref);
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
  BIND (verdict_label); BIND (advice_label); BIND (overflow_title); BIND (facts); BIND (overflows);
#undef BIND
}

static void
app_precision_page_init (AppPrecisionPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->scan = g_array_new (FALSE, FALSE, sizeof (AppScanPoint));
  g_signal_connect_swapped (self->scan_button, "clicked", G_CALLBACK (on_scan), self);
}
