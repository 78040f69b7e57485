/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network as a graph, with its inspector: its figures are in app-network-facts.c, its settings in app-network-settings.c. */

#include "app-network-page-private.h"

#include "app-figures.h"
#include "app-layer-facts.h"
#include "app-sources.h"

#include <glib/gi18n.h>

G_DEFINE_FINAL_TYPE (AppNetworkPage, app_network_page, APP_TYPE_PAGE)

const NnNode *
app_network_page_chosen (AppNetworkPage *self)
{
  NnModel *model = app_document_shown (app_page_document (APP_PAGE (self)));

  if (model == NULL || self->layer < 0 || (guint) self->layer >= nn_graph_n_nodes (nn_model_graph (model)))
    return NULL;
  return nn_graph_node (nn_model_graph (model), self->layer);
}

static void
fill_properties (AppNetworkPage *self,
                 const NnNode   *node)
{
  NnModel *model = app_document_shown (app_page_document (APP_PAGE (self)));

  app_rows_clear (self->properties);
  app_rows_clear (self->source_list);
  gtk_widget_set_visible (GTK_WIDGET (self->properties), node != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->properties_title), node != NULL);
  if (node != NULL)
    app_layer_facts_add (self->properties, model, node);
  gtk_widget_set_visible (GTK_WIDGET (self->source_expander), node != NULL && app_layer_facts_source (self->source_list, node));
}

static void
fill_inspector (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  const AppAnalysis *analysis = app_document_analysis (document);
  const NnNode *node = app_network_page_chosen (self);
  g_autofree char *title = app_document_dup_title (document);

  self->filling = TRUE;
  gtk_label_set_text (self->name_label, node != NULL ? node->name : title);
  gtk_label_set_text (self->kind_label, node != NULL ? node->class_name : nn_model_info (state->model)->format);
  fill_properties (self, node);
  app_network_page_fill_settings (self, node);
  app_network_page_fill_facts (self, node);
  {
    const char *warning = node != NULL && node->reason != NULL ? _(node->reason) : analysis != NULL ? analysis->problem : NULL;

    gtk_label_set_text (self->warning_label, warning != NULL ? warning : "");
    gtk_widget_set_visible (GTK_WIDGET (self->warning_label), warning != NULL);
  }
  self->filling = FALSE;
}

static void
fill_figure (AppNetworkPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  AppMetric metric = gtk_drop_down_get_selected (self->metric_drop);
  gboolean error = metric == APP_METRIC_ERROR;
  AppNetwork *network = app_figures_network (document, metric, gtk_editable_get_text (GTK_EDITABLE (self->search_entry)),
                                             gtk_toggle_button_get_active (self->compare_button));
  const AppAnalysis *analysis = app_document_analysis (document), *base = app_document_baseline (document);
  gint64 cursor = app_chart_selected (app_figure_chart (self->figure));

  if (error)
    app_document_want_errors (document);
  app_figure_set_subtitle (self->figure, !error ? NULL : app_document_state (document)->data == NULL
                                           ? _("Open data to see what fixed point does to each layer.")
                                           : _("What fixed point changes in each layer’s result, against its size."));
  app_figure_show_network (self->figure, network);
  app_chart_set_selected (app_figure_chart (self->figure), cursor);
  gtk_widget_set_visible (GTK_WIDGET (self->compare_button), base != NULL && analysis != base);
}

static void
app_network_page_update (AppPage *page)
{
  AppNetworkPage *self = APP_NETWORK_PAGE (page);

  if (app_document_is_empty (app_page_document (page)))
    return;
  if (app_network_page_chosen (self) == NULL)
    {
      self->layer = -1;
      app_chart_set_selected (app_figure_chart (self->figure), -1);
    }
  fill_figure (self);
  fill_inspector (self);
}

static void
app_network_page_set_narrow (AppPage  *page,
                             gboolean  narrow)
{
  AppNetworkPage *self = APP_NETWORK_PAGE (page);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->split), narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : 336, narrow ? 240 : -1);
}

static void
on_picked (AppChart       *chart,
           gint64          id,
           AppNetworkPage *self)
{
  self->layer = id;
  app_chart_set_selected (chart, id);
  fill_inspector (self);
}

static void
on_search (AppNetworkPage *self)
{
  const AppNetwork *network;

  fill_figure (self);
  network = app_chart_data (app_figure_chart (self->figure));
  if (network == NULL || *gtk_editable_get_text (GTK_EDITABLE (self->search_entry)) == '\0')
    return;
  for (guint i = 0; i < network->n_nodes; i++)
    if (!network->nodes[i].dimmed)
      {
        on_picked (app_figure_chart (self->figure), i, self);
        app_chart_reveal (app_figure_chart (self->figure), i);
        return;
      }
}

static void
app_network_page_dispose (GObject *object)
{
  app_network_page_drop_forecasts (APP_NETWORK_PAGE (object));
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_NETWORK_PAGE);
  G_OBJECT_CLASS (app_network_page_parent_class)->dispose (object);
}

static void
app_network_page_class_init (AppNetworkPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_network_page_dispose;
  APP_PAGE_CLASS (klass)->update = app_network_page_update;
  APP_PAGE_CLASS (klass)->set_narrow = app_network_page_set_narrow;
  g_type_ensure (APP_TYPE_FIGURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-network-page.ui");
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppNetworkPage, name)
  BIND (split); BIND (figure); BIND (search_bar); BIND (search_entry); BIND (compare_button); BIND (search_button);
  BIND (metric_drop); BIND (sidebar); BIND (name_label); BIND (kind_label); BIND (warning_label); BIND (settings_group);
  BIND (strategy_row); BIND (reuse_row); BIND (precision_row); BIND (bias_row); BIND (accum_row); BIND (result_row); BIND (parallel_row);
  BIND (properties); BIND (properties_title); BIND (source_list); BIND (source_expander); BIND (part_row); BIND (clock_row); BIND (passes_row); BIND (facts);
#undef BIND
}

static void
app_network_page_init (AppNetworkPage *self)
{
  g_autoptr (GtkStringList) metrics = gtk_string_list_new (NULL);

  gtk_widget_init_template (GTK_WIDGET (self));
  self->layer = -1;
  for (AppMetric m = 0; m < APP_N_METRICS; m++)
    gtk_string_list_append (metrics, app_metric_title (m));
  gtk_drop_down_set_model (self->metric_drop, G_LIST_MODEL (metrics));
  gtk_drop_down_set_selected (self->metric_drop, APP_METRIC_DSP);
  gtk_search_bar_connect_entry (self->search_bar, GTK_EDITABLE (self->search_entry));
  g_signal_connect (app_figure_chart (self->figure), "picked", G_CALLBACK (on_picked), self);
  g_signal_connect_swapped (self->metric_drop, "notify::selected", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->compare_button, "toggled", G_CALLBACK (app_page_want_update), self);
  g_signal_connect_swapped (self->search_entry, "search-changed", G_CALLBACK (on_search), self);
  app_network_page_init_settings (self);
}

void
app_network_page_find (AppNetworkPage *self)
{
  gtk_search_bar_set_search_mode (self->search_bar, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->search_entry));
}
