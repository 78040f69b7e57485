/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracy against hardware. */

#include "espalier-config.h"

#include "app-tradeoff-page.h"

#include "app-axis.h"
#include "app-figures.h"
#include "app-format.h"
#include "app-frontier.h"
#include "app-sources.h"

#include <glib/gi18n.h>
#include <math.h>

struct _AppTradeoffPage {
  AppPage parent;

  /* owned */
  AppJob      *frontier_job;
  GArray      *frontier; /* NnFrontierPoint */
  AppAnalysis *frontier_of;
  NnResource   frontier_resource;
  gboolean     filling;

  /* template children */
  GtkBox          *split;
  GtkStack        *stack;
  AppFigure       *figure;
  GtkToggleButton *frontier_button;
  GtkButton       *frontier_empty_button;
  GtkDropDown     *axis_drop, *height_drop;
  GtkWidget       *sidebar;
  GtkLabel        *step_label, *proof_label;
  GtkWidget       *branch_button;
  GtkListBox      *facts, *versions;
};

G_DEFINE_FINAL_TYPE (AppTradeoffPage, app_tradeoff_page, APP_TYPE_PAGE)

static void
on_frontier (AppJob          *job,
             AppTradeoffPage *self)
{
  const GError *error = app_job_error (job);

  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    app_document_fail (app_page_document (APP_PAGE (self)), _("No frontier"), error->message);
  g_clear_pointer (&self->frontier, g_array_unref);
  self->frontier = app_job_steal_result (job);
  if (self->frontier == NULL)
    self->frontier = g_array_new (FALSE, FALSE, sizeof (NnFrontierPoint));
  g_clear_object (&self->frontier_job);
  app_page_want_update (APP_PAGE (self));
}

static void
drop_frontier (AppTradeoffPage *self)
{
  if (self->frontier_job != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->frontier_job, self);
      app_job_cancel (self->frontier_job);
      g_clear_object (&self->frontier_job);
    }
  g_clear_pointer (&self->frontier, g_array_unref);
  g_clear_pointer (&self->frontier_of, app_analysis_unref);
}

/* Made when it is looked at, and again when the network or the axis is another. */
static void
want_frontier (AppTradeoffPage *self,
               AppAnalysis     *analysis,
               NnResource       resource)
{
  if (analysis == NULL || (self->frontier_of == analysis && self->frontier_resource == resource))
    return;
  drop_frontier (self);
  self->frontier_of = app_analysis_ref (analysis);
  self->frontier_resource = resource;
  self->frontier_job = app_frontier_job (analysis, resource);
  g_signal_connect (self->frontier_job, "finished", G_CALLBACK (on_frontier), self);
  app_job_start (self->frontier_job);
}

static void
add_version (AppTradeoffPage *self,
             int              run,
             guint            step,
             const char      *title,
             const char      *detail,
             gboolean         shown)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *markup = g_markup_escape_text (title, -1);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), markup);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), detail);
  if (shown)
    {
      GtkWidget *mark = gtk_image_new_from_icon_name ("object-select-symbolic");

      gtk_accessible_update_property (GTK_ACCESSIBLE (mark), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Shown"), -1);
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), mark);
    }
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  g_object_set_data (G_OBJECT (row), "run", GINT_TO_POINTER (run));
  g_object_set_data (G_OBJECT (row), "step", GUINT_TO_POINTER (step));
  gtk_list_box_append (self->versions, row);
}

/* The network as loaded and the best of each run: what one goes back and forth between. */
static void
fill_versions (AppTradeoffPage *self,
               const AppState  *state)
{
  const AppAnalysis *base = app_document_baseline (app_page_document (APP_PAGE (self)));
  g_autofree char *dsp = app_format_count (app_analysis_total (base, NN_RESOURCE_DSP));
  g_autofree char *text = g_strdup_printf ("%s DSP", dsp);

  app_rows_clear (self->versions);
  add_version (self, -1, 0, _("As loaded"), text, state->run < 0);
  for (guint r = 0; r < state->runs->len; r++)
    {
      const AppRun *run = g_ptr_array_index (state->runs, r);
      g_autofree char *name = app_study_run_title (state, r);
      guint chosen = nn_trail_chosen (run->trail);
      const NnStep *step = nn_trail_step (run->trail, chosen);
      g_autofree char *accuracy = app_format_accuracy (step->accuracy, TRUE);
      g_autofree char *count = app_format_count (step->resources.amount[NN_RESOURCE_DSP]);
      g_autofree char *detail = g_strdup_printf ("%s, %s DSP", accuracy, count);
      g_autofree char *title = g_strdup_printf (_("%s, best step"), name);

      add_version (self, r, chosen, title, detail, state->run == (int) r && state->step == chosen);
    }
}

static void
fill_step (AppTradeoffPage *self,
           const NnStep    *step,
           const NnStep    *base,
           const char      *run)
{
  g_autofree char *title = g_strdup_printf (_("%s, step %u"), run, step->index);
  g_autofree char *accuracy = app_format_accuracy (step->accuracy, TRUE);
  g_autofree char *before = app_format_accuracy (base->accuracy, TRUE);
  g_autofree char *quality = g_strdup_printf (_("%s (%s as loaded)"), accuracy, before);
  g_autofree char *proof = app_format_status (step);
  g_autofree char *groups = g_strdup_printf (_("%zu of %zu"), step->n_kept, step->n_groups);
  g_autofree char *latency = app_format_count (step->latency), *seconds = app_format_duration (step->seconds);

  gtk_label_set_text (self->step_label, step->index == 0 ? _("As loaded") : title);
  gtk_label_set_text (self->proof_label, step->index == 0 ? "" : proof);
  /* A run is steered by the validation part; the line below the pages tells the test part. */
  app_rows_add (self->facts, step->accuracy >= 0 ? _("Accuracy") : _("Error"), quality);
  app_rows_add (self->facts, _("Data"), _("Validation"));
  for (guint r = 0; r < NN_RESOURCE_URAM; r++)
    {
      double now = step->resources.amount[r], then = base->resources.amount[r];
      g_autofree char *count = app_format_count (now), *change = app_format_change (then, now);
      g_autofree char *text = step != base && then > 0 ? g_strdup_printf ("%s  (%s)", count, change) : g_strdup (count);

      if (now >= 0)
        app_rows_add (self->facts, app_resource_title (r), text);
    }
  app_rows_add (self->facts, _("Latency (cycles)"), latency);
  for (AppMeasure m = APP_MEASURE_BOPS; m <= APP_MEASURE_ENERGY; m++)
    {
      double value = app_measure_of (step, m);
      g_autofree char *text = m == APP_MEASURE_BOPS ? app_format_count (value) : app_number (value, 4);

      if (value > 0)
        app_rows_add (self->facts, app_measure_title (m, TRUE), text);
    }
  if (step->index == 0)
    return;
  app_rows_add (self->facts, _("Groups kept"), groups);
  app_rows_add (self->facts, _("Took"), seconds);
  app_rows_add (self->facts, _("Verdict"), step->accepted ? _("Accepted") : _("Rejected: too much accuracy lost"));
}

/* What other seeds came to at the same step: whether a difference means anything. */
static void
fill_study (AppTradeoffPage *self,
            const AppState  *state,
            const NnStep    *base)
{
  AppStudyPoint point;
  g_autofree char *low = NULL, *high = NULL, *range = NULL, *n = NULL;

  if (!app_study_find (state, state->run, state->step, &point))
    return;
  low = app_format_accuracy (point.accuracy_low, TRUE);
  high = app_format_accuracy (point.accuracy_high, TRUE);
  range = g_strdup_printf (_("%s to %s"), low, high);
  n = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "Over %u seed", "Over %u seeds", point.n), point.n);
  app_rows_add (self->facts, n, range);
  if (point.step > 0)
    app_rows_add (self->facts, _("Difference to as loaded"),
                  base->accuracy < point.accuracy_low || base->accuracy > point.accuracy_high ? _("more than the seeds scatter")
                                                                                              : _("within the scatter of the seeds"));
}

static void
fill_sidebar (AppTradeoffPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  GPtrArray *live = app_document_live (document);
  const NnStep *step = app_state_step (state);

  app_rows_clear (self->facts);
  gtk_label_set_text (self->proof_label, "");
  if (live->len > 0)
    fill_step (self, &((AppStepItem *) g_ptr_array_index (live, live->len - 1))->step, &((AppStepItem *) g_ptr_array_index (live, 0))->step,
               _("Running"));
  else if (step != NULL)
    {
      const NnStep *base = nn_trail_step (((AppRun *) g_ptr_array_index (state->runs, state->run))->trail, 0);
      g_autofree char *name = app_study_run_title (state, state->run);

      fill_step (self, step, base, name);
      fill_study (self, state, base);
    }
  else
    gtk_label_set_text (self->step_label, _("As loaded"));
  gtk_widget_set_visible (GTK_WIDGET (self->facts), gtk_widget_get_first_child (GTK_WIDGET (self->facts)) != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->proof_label), *gtk_label_get_text (self->proof_label) != '\0');
  gtk_widget_set_visible (self->branch_button, step != NULL && live->len == 0);
  fill_versions (self, state);
}

static void
fill_figure (AppTradeoffPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  AppMeasure x = MIN (gtk_drop_down_get_selected (self->axis_drop), APP_N_MEASURES - 1);
  AppMeasure y = MIN (gtk_drop_down_get_selected (self->height_drop), APP_N_MEASURES - 1);
  gboolean frontier = gtk_toggle_button_get_active (self->frontier_button);
  gboolean any = state->runs->len > 0 || app_document_live (document)->len > 0 || app_document_is_optimising (document);
  AppChart *chart = app_figure_chart (self->figure);

  gtk_stack_set_visible_child_name (self->stack, any || frontier ? "steps" : "empty");
  gtk_widget_set_visible (GTK_WIDGET (self->height_drop), !frontier);
  if (frontier)
    {
      /* The frontier is over a resource: where the axis is none, over the first. */
      NnResource resource = app_measure_resource (x) < NN_N_RESOURCES ? app_measure_resource (x) : NN_RESOURCE_DSP;

      want_frontier (self, app_document_baseline (document), resource);
      app_figure_set_title (self->figure, _("Frontier"));
      app_figure_set_subtitle (self->figure, _("What is proven is the selection against the importance scores, not the accuracy."));
      app_figure_show_plot (self->figure, app_frontier_plot (self->frontier, resource));
      app_chart_set_selected (chart, -1);
      return;
    }
  app_figure_set_title (self->figure, _("Trade-off"));
  app_figure_set_subtitle (self->figure, any ? _("Choose a step to see that network on every page.") : NULL);
  app_figure_show_plot (self->figure, app_figures_tradeoff (document, x, y));
  app_chart_set_selected (chart, state->run >= 0 ? (gint64) state->run * APP_STEP_STRIDE + state->step : -1);
}

static void
app_tradeoff_page_update (AppPage *page)
{
  AppTradeoffPage *self = APP_TRADEOFF_PAGE (page);

  if (app_document_is_empty (app_page_document (page)))
    return;
  fill_figure (self);
  fill_sidebar (self);
}

static void
app_tradeoff_page_set_narrow (AppPage  *page,
                              gboolean  narrow)
{
  AppTradeoffPage *self = APP_TRADEOFF_PAGE (page);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->split), narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : 336, narrow ? 240 : -1);
}

static void
on_picked (AppChart        *chart,
           gint64           id,
           AppTradeoffPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  gint64 run = id / APP_STEP_STRIDE;

  if (id < 0 || gtk_toggle_button_get_active (self->frontier_button))
    return;
  if (run >= (gint64) state->runs->len)
    {
      app_document_say (document, _("Steps of a running optimization can be shown when it has ended."), FALSE);
      return;
    }
  app_document_select (document, run, id % APP_STEP_STRIDE);
}

/* The budget follows the pointer. */
static void
on_motion (AppChart        *chart,
           double           x,
           double           y,
           AppTradeoffPage *self)
{
  const AppPlot *plot = app_chart_data (chart);
  g_autofree char *text = NULL;
  AppView view;

  if (!gtk_toggle_button_get_active (self->frontier_button) || plot == NULL || x < 0 || !app_chart_view_at (chart, &view))
    return;
  text = app_frontier_say (self->frontier, self->frontier_resource, app_plot_x_at (plot, &view, x));
  if (*text != '\0')
    app_figure_set_subtitle (self->figure, text);
}

static void
on_version (GtkListBox      *list,
            GtkListBoxRow   *row,
            AppTradeoffPage *self)
{
  app_document_select (app_page_document (APP_PAGE (self)), GPOINTER_TO_INT (g_object_get_data (G_OBJECT (row), "run")),
                       GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (row), "step")));
}

static void
on_frontier_empty (AppTradeoffPage *self)
{
  gtk_toggle_button_set_active (self->frontier_button, TRUE);
}

static void
app_tradeoff_page_dispose (GObject *object)
{
  drop_frontier (APP_TRADEOFF_PAGE (object));
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_TRADEOFF_PAGE);
  G_OBJECT_CLASS (app_tradeoff_page_parent_class)->dispose (object);
}

static void
app_tradeoff_page_class_init (AppTradeoffPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_tradeoff_page_dispose;
  APP_PAGE_CLASS (klass)->update = app_tradeoff_page_update;
  APP_PAGE_CLASS (klass)->set_narrow = app_tradeoff_page_set_narrow;
  g_type_ensure (APP_TYPE_FIGURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-tradeoff-page.ui");
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppTradeoffPage, name)
  BIND (split); BIND (stack); BIND (figure); BIND (frontier_button); BIND (frontier_empty_button); BIND (axis_drop); BIND (height_drop);
  BIND (sidebar); BIND (step_label); BIND (proof_label); BIND (facts); BIND (versions); BIND (branch_button);
#undef BIND
}

static void
app_tradeoff_page_init (AppTradeoffPage *self)
{
  g_autoptr (GtkStringList) axes = gtk_string_list_new (NULL);

  gtk_widget_init_template (GTK_WIDGET (self));
  for (AppMeasure m = 0; m < APP_N_MEASURES; m++)
    gtk_string_list_append (axes, m == APP_MEASURE_ACCURACY ? _("Accuracy") : m == APP_MEASURE_LATENCY ? _("Latency") : m == APP_MEASURE_ENERGY ? _("Energy") : app_measure_title (m, TRUE));
  gtk_drop_down_set_model (self->axis_drop, G_LIST_MODEL (axes));
  gtk_drop_down_set_model (self->height_drop, G_LIST_MODEL (axes));
  gtk_drop_down_set_selected (self->height_drop, APP_MEASURE_ACCURACY);
  g_signal_connect_swapped (self->height_drop, "notify::selected", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->axis_drop, "notify::selected", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->frontier_button, "toggled", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->frontier_empty_button, "clicked", G_CALLBACK (on_frontier_empty), self);
  g_signal_connect (app_figure_chart (self->figure), "picked", G_CALLBACK (on_picked), self);
  g_signal_connect (app_figure_chart (self->figure), "motion", G_CALLBACK (on_motion), self);
  g_signal_connect (self->versions, "row-activated", G_CALLBACK (on_version), self);
}

void
app_tradeoff_page_toggle_frontier (AppTradeoffPage *self)
{
  gtk_toggle_button_set_active (self->frontier_button, !gtk_toggle_button_get_active (self->frontier_button));
}
