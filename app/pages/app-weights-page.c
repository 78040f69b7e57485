/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every weight of a layer. */

#include "app-weights-page-private.h"

#include "app-format.h"
#include "app-sources.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_SHOWN_WEIGHTS 64000000

G_DEFINE_FINAL_TYPE (AppWeightsPage, app_weights_page, APP_TYPE_PAGE)

static AppScene *
layout_map (gconstpointer  data,
            const AppView *view)
{
  return app_heatmap_layout (((const AppWeightMap *) data)->map, view);
}

static AppTable *
table_map (gconstpointer data)
{
  return app_weight_map_table (data);
}

static char *
tip_map (gconstpointer data,
         gint64        id)
{
  return app_weight_map_tip (data, id);
}

static const AppChartSource map_source = { .layout = layout_map, .table = table_map, .tip = tip_map };

const AppWeightMap *
app_weights_page_map (AppWeightsPage *self)
{
  return app_chart_data (app_figure_chart (self->figure));
}

static void
fill_choices (AppWeightsPage *self,
              const NnModel  *model)
{
  const NnGraph *graph = nn_model_graph (model);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);
  g_autoptr (GString) all = g_string_new (NULL);

  g_array_set_size (self->choices, 0);
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    for (guint role = 0; role < NN_N_ROLES; role++)
      {
        const NnNode *node = nn_graph_node (graph, i);
        AppWeightChoice choice = { i, role };
        g_autofree char *name = NULL;

        if (!nn_role_is_prunable (role) || nn_model_node_weight (model, node, role) == NULL
            || nn_model_node_weight (model, node, role)->values->n > MAX_SHOWN_WEIGHTS)
          continue;
        name = role == NN_ROLE_KERNEL ? g_strdup (node->name) : g_strdup_printf ("%s, %s", node->name, nn_role_name (role));
        g_array_append_val (self->choices, choice);
        gtk_string_list_append (names, name);
        g_string_append_printf (all, "%s\n", name);
      }
  if (g_strcmp0 (all->str, self->listed) == 0)
    return;
  g_free (self->listed);
  self->listed = g_strdup (all->str);
  gtk_drop_down_set_model (self->layer_drop, G_LIST_MODEL (names));
}

/* Said where a layer has nothing of what was asked for. */
static const char *
missing (AppWeightOrder wanted,
         AppWeightOrder got)
{
  if (wanted == got)
    return NULL;
  return wanted == APP_ORDER_WORDS ? _("The weights of this layer lie in no memory.")
         : wanted == APP_ORDER_KERNELS ? _("This layer is no convolution.") : _("This layer has no multipliers that are shared.");
}

static void
drop_map (AppWeightsPage *self)
{
  if (self->map_job != NULL)
    g_signal_handlers_disconnect_by_data (self->map_job, self);
  g_clear_object (&self->map_job);
  g_clear_pointer (&self->wanted.analysis, app_analysis_unref);
  g_clear_pointer (&self->wanted.pins, g_hash_table_unref);
}

static void
on_map (AppJob         *job,
        AppWeightsPage *self)
{
  AppChart *chart = app_figure_chart (self->figure);
  gint64 selected = app_chart_selected (chart);
  AppWeightMap *map = app_job_steal_result (job);

  g_clear_object (&self->map_job);
  app_figure_set_subtitle (self->figure, missing (self->wanted.order, map->order));
  app_figure_set_source (self->figure, &map_source, map, (GDestroyNotify) app_weight_map_free);
  if (selected >= 0)
    app_weights_page_ask_why (self, selected);
  app_figure_show_plot (self->histogram, app_weight_map_histogram (map));
  app_chart_set_natural_height (app_figure_chart (self->histogram), 190);
  app_chart_set_selected (chart, selected);
  app_weights_page_fill_weight (self, selected);
  app_weights_page_fill_layer (self, map);
}

/* What was shown stays until the new one is there. */
static void
want_map (AppWeightsPage *self,
          const AppWeightsWanted   *wanted)
{
  const AppWeightsWanted *now = &self->wanted;

  if (now->analysis == wanted->analysis && now->layer == wanted->layer && now->role == wanted->role && now->order == wanted->order
      && now->pins == wanted->pins)
    return;
  drop_map (self);
  self->wanted = *wanted;
  app_analysis_ref (wanted->analysis);
  if (wanted->pins != NULL)
    g_hash_table_ref (wanted->pins);
  self->map_job = app_weight_map_job (wanted->analysis, wanted->layer, wanted->role, wanted->order, wanted->pins);
  g_signal_connect (self->map_job, "finished", G_CALLBACK (on_map), self);
  app_job_start (self->map_job);
}

static void
app_weights_page_update (AppPage *page)
{
  AppWeightsPage *self = APP_WEIGHTS_PAGE (page);
  AppDocument *document = app_page_document (page);
  AppAnalysis *analysis = app_document_analysis (document);
  NnModel *model = app_document_shown (document);
  const AppWeightChoice *choice;
  guint k;

  if (model == NULL || analysis == NULL || analysis->model != model)
    return;
  fill_choices (self, model);
  k = gtk_drop_down_get_selected (self->layer_drop);
  if (k >= self->choices->len)
    {
      drop_map (self);
      app_figure_set_source (self->figure, NULL, NULL, NULL);
      return;
    }
  choice = &g_array_index (self->choices, AppWeightChoice, k);
  want_map (self, &(AppWeightsWanted) { analysis, choice->layer, choice->role, gtk_drop_down_get_selected (self->order_drop),
                              app_document_state (document)->pins });
}

static void
app_weights_page_set_narrow (AppPage  *page,
                             gboolean  narrow)
{
  AppWeightsPage *self = APP_WEIGHTS_PAGE (page);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->split), narrow ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
  gtk_widget_set_size_request (self->sidebar, narrow ? -1 : 336, narrow ? 220 : -1);
}

static void
on_cursor (AppChart       *chart,
           gint64          id,
           AppWeightsPage *self)
{
  app_weights_page_fill_weight (self, id >= 0 ? id : app_chart_selected (chart));
}

static void
on_picked (AppChart       *chart,
           gint64          id,
           AppWeightsPage *self)
{
  app_chart_set_selected (chart, id);
  app_weights_page_ask_why (self, id);
  app_weights_page_fill_weight (self, id);
}

static void
on_choice (AppWeightsPage *self)
{
  app_chart_set_selected (app_figure_chart (self->figure), -1);
  app_chart_zoom (app_figure_chart (self->figure), 0);
  app_page_want_update (APP_PAGE (self));
}

static void
app_weights_page_dispose (GObject *object)
{
  app_weights_page_drop_why (APP_WEIGHTS_PAGE (object));
  drop_map (APP_WEIGHTS_PAGE (object));
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), APP_TYPE_WEIGHTS_PAGE);
  G_OBJECT_CLASS (app_weights_page_parent_class)->dispose (object);
}

static void
app_weights_page_finalize (GObject *object)
{
  AppWeightsPage *self = APP_WEIGHTS_PAGE (object);

  g_array_unref (self->choices);
  g_free (self->listed);
  G_OBJECT_CLASS (app_weights_page_parent_class)->finalize (object);
}

static void
app_weights_page_class_init (AppWeightsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = app_weights_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = app_weights_page_finalize;
  APP_PAGE_CLASS (klass)->update = app_weights_page_update;
  APP_PAGE_CLASS (klass)->set_narrow = app_weights_page_set_narrow;
  g_type_ensure (APP_TYPE_FIGURE);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/espalier/Espalier/app-weights-page.ui");
#define BIND(name) gtk_widget_class_bind_template_child (widget_class, AppWeightsPage, name)
  BIND (split); BIND (figure); BIND (histogram); BIND (layer_drop); BIND (order_drop); BIND (sidebar); BIND (facts);
  BIND (layer_facts); BIND (prune_button); BIND (restore_button); BIND (pin_button);
#undef BIND
}

static void
app_weights_page_init (AppWeightsPage *self)
{
  const char *orders[] = { _("Tensor order"), _("Hardware order"), _("Memory words"), _("Kernels by channel"), NULL };
  g_autoptr (GtkStringList) list = gtk_string_list_new (orders);

  gtk_widget_init_template (GTK_WIDGET (self));
  self->choices = g_array_new (FALSE, FALSE, sizeof (AppWeightChoice));
  gtk_drop_down_set_model (self->order_drop, G_LIST_MODEL (list));
  g_signal_connect_swapped (self->layer_drop, "notify::selected", G_CALLBACK (on_choice), self);
  g_signal_connect_swapped (self->order_drop, "notify::selected", G_CALLBACK (on_choice), self);
  g_signal_connect (app_figure_chart (self->figure), "cursor", G_CALLBACK (on_cursor), self);
  g_signal_connect (app_figure_chart (self->figure), "picked", G_CALLBACK (on_picked), self);
  app_weights_page_init_edit (self);
}

void
app_weights_page_toggle_order (AppWeightsPage *self)
{
  gtk_drop_down_set_selected (self->order_drop, (gtk_drop_down_get_selected (self->order_drop) + 1) % (APP_ORDER_KERNELS + 1));
}
