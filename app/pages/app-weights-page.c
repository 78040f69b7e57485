/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every weight of a layer. */

#include "app-weights-page.h"

#include "app-axis.h"
#include "app-format.h"
#include "app-sources.h"
#include "app-weight-map.h"
#include "app-why.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_SHOWN_WEIGHTS 64000000

/* One entry of the list of layers. */
typedef struct { guint layer; NnRole role; } Choice;

/* What a matrix is made of. */
typedef struct {
  AppAnalysis   *analysis;
  guint          layer;
  NnRole         role;
  AppWeightOrder order;
  GHashTable    *pins; /* (nullable) */
} Wanted;

struct _AppWeightsPage {
  AppPage parent;

  /* owned */
  GArray *choices; /* Choice */
  AppJob *why_job;
  AppWhy *why;     /* (nullable): about the weight @why_id */
  gint64  why_id;
  char   *listed;  /* names in the list, to see whether it must be made again */
  AppJob *map_job;
  Wanted  wanted;  /* what is shown or being made; its analysis and pins are owned */

  /* template children */
  GtkBox      *split;
  AppFigure   *figure, *histogram;
  GtkDropDown *layer_drop, *order_drop;
  GtkWidget   *sidebar;
  GtkListBox  *facts, *layer_facts;
  GtkButton   *prune_button, *restore_button, *pin_button;
};

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

static const AppWeightMap *
shown_map (AppWeightsPage *self)
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
        Choice choice = { i, role };
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

/* What the group was worth when it was decided, against what its hardware could buy elsewhere. */
static void
add_why (AppWeightsPage *self)
{
  const AppWhy *why = self->why;
  g_autofree char *value = app_number (why->value, 4), *price = app_number (why->price, 4);
  g_autofree char *step = g_strdup_printf (why->kept ? _("kept at step %u") : _("cut at step %u"), why->step);

  app_rows_add (self->facts, _("Decided"), step);
  app_rows_add (self->facts, _("Worth then"), value);
  app_rows_add (self->facts, _("Price of its hardware"), price);
  app_rows_add (self->facts, _("Why"), app_why_text (why));
}

static void
fill_weight (AppWeightsPage *self,
             gint64          id)
{
  const AppWeightMap *map = shown_map (self);
  const NnGroup *group = map != NULL ? app_weight_map_group (map, id) : NULL;
  gboolean pruned = FALSE;

  app_rows_clear (self->facts);
  if (map == NULL || id < 0 || (gsize) id >= map->map->grid->n_rows * map->map->grid->n_cols || map->index[id] < 0)
    app_rows_add (self->facts, _("Point at a weight, or walk with the arrow keys."), "");
  else
    {
      gsize i = map->index[id];
      g_autofree char *where = g_strdup_printf (_("input %zu, output %zu"), i / map->n_out, i % map->n_out);
      g_autofree char *value = app_number (map->map->grid->values[id], 6);

      pruned = map->map->grid->state[id] & APP_CELL_PRUNED;
      app_rows_add (self->facts, _("Where"), where);
      app_rows_add (self->facts, _("Value"), value);
      app_rows_add (self->facts, _("State"), pruned ? _("pruned") : _("kept"));
    }
  if (group != NULL)
    {
      double cost = group->cost.amount[NN_RESOURCE_DSP];
      g_autofree char *name = g_strdup_printf (_("%d, of %u weights"), map->map->grid->group[id], group->n);
      g_autofree char *worth = app_number (group->value, 4);
      g_autofree char *dsp = app_format_count (MAX (cost, 0));

      app_rows_add (self->facts, _("Group"), name);
      app_rows_add (self->facts, _("Size now"), worth);
      app_rows_add (self->facts, _("DSP"), dsp);
      if (group->cost.amount[NN_RESOURCE_BRAM] > 0)
        {
          g_autofree char *bram = app_number (group->cost.amount[NN_RESOURCE_BRAM], 3);

          app_rows_add (self->facts, app_resource_title (NN_RESOURCE_BRAM), bram);
        }
      if (self->why != NULL && self->why_id == id)
        add_why (self);
    }
  gtk_widget_set_sensitive (GTK_WIDGET (self->prune_button), group != NULL && group->kept);
  gtk_widget_set_sensitive (GTK_WIDGET (self->restore_button), group != NULL && !group->kept);
  gtk_widget_set_sensitive (GTK_WIDGET (self->pin_button), group != NULL && group->kept);
}

static void
fill_layer (AppWeightsPage     *self,
            const AppWeightMap *map)
{
  const AppLayer *layer = NULL;
  g_autofree char *size = g_strdup_printf ("%zu × %zu", map->n_in, map->n_out);
  guint i;

  app_rows_clear (self->layer_facts);
  app_rows_add (self->layer_facts, _("Matrix"), size);
  if (nn_graph_find (nn_model_graph (map->analysis->model), map->node->name, &i))
    layer = &map->analysis->layers[i];
  if (layer == NULL)
    return;
  if (map->hardware >= 0 && map->analysis->design != NULL)
    {
      const NnLayerPlan *plan = nn_design_plan (map->analysis->design, (guint) map->hardware);
      g_autofree char *reuse = g_strdup_printf ("%u", plan->reuse_factor);
      g_autofree char *type = nn_type_to_string (&plan->weight);

      app_rows_add (self->layer_facts, _("Strategy"), nn_strategy_name (plan->strategy));
      app_rows_add (self->layer_facts, _("Reuse factor"), reuse);
      app_rows_add (self->layer_facts, _("Weight type"), type);
    }
  {
    g_autofree char *zeros = app_format_percent (layer->parameters > 0 ? (double) layer->zeros / layer->parameters : 0, 1);
    g_autofree char *kept = g_strdup_printf (_("%zu of %zu"), layer->n_kept, layer->n_groups);

    app_rows_add (self->layer_facts, _("Zeros"), zeros);
    if (layer->n_groups > 0)
      app_rows_add (self->layer_facts, _("Groups kept"), kept);
  }
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

static void ask_why (AppWeightsPage *self, gint64 id);

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
    ask_why (self, selected);
  app_figure_show_plot (self->histogram, app_weight_map_histogram (map));
  app_chart_set_natural_height (app_figure_chart (self->histogram), 190);
  app_chart_set_selected (chart, selected);
  fill_weight (self, selected);
  fill_layer (self, map);
}

/* What was shown stays until the new one is there. */
static void
want_map (AppWeightsPage *self,
          const Wanted   *wanted)
{
  const Wanted *now = &self->wanted;

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
  const Choice *choice;
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
  choice = &g_array_index (self->choices, Choice, k);
  want_map (self, &(Wanted) { analysis, choice->layer, choice->role, gtk_drop_down_get_selected (self->order_drop),
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
  fill_weight (self, id >= 0 ? id : app_chart_selected (chart));
}

static void
on_why (AppJob         *job,
        AppWeightsPage *self)
{
  g_free (self->why);
  self->why = app_job_steal_result (job);
  g_clear_object (&self->why_job);
  fill_weight (self, app_chart_selected (app_figure_chart (self->figure)));
}

static void
drop_why (AppWeightsPage *self)
{
  if (self->why_job != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->why_job, self);
      app_job_cancel (self->why_job);
      g_clear_object (&self->why_job);
    }
  g_clear_pointer (&self->why, g_free);
}

static void
ask_why (AppWeightsPage *self,
         gint64          id)
{
  const AppWeightMap *map = shown_map (self);
  const NnGroup *group = map != NULL ? app_weight_map_group (map, id) : NULL;
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));

  drop_why (self);
  self->why_job = group != NULL && map->index[id] >= 0 && state->edited == NULL ? app_why_job (state, group->weight, map->index[id]) : NULL;
  if (self->why_job == NULL)
    return;
  self->why_id = id;
  g_signal_connect (self->why_job, "finished", G_CALLBACK (on_why), self);
  app_job_start (self->why_job);
}

static void
on_picked (AppChart       *chart,
           gint64          id,
           AppWeightsPage *self)
{
  app_chart_set_selected (chart, id);
  ask_why (self, id);
  fill_weight (self, id);
}

static void
on_choice (AppWeightsPage *self)
{
  app_chart_set_selected (app_figure_chart (self->figure), -1);
  app_chart_zoom (app_figure_chart (self->figure), 0);
  app_page_want_update (APP_PAGE (self));
}

/* The same network but for the weights of one group: gone, or as they were loaded. */
static NnModel *
with_group (const AppState *state,
            NnModel        *model,
            const NnGroups *groups,
            const NnGroup  *group,
            gboolean        prune)
{
  guint n = nn_model_n_weights (model);
  g_autofree NnTensor **values = g_new0 (NnTensor *, n), **masks = g_new0 (NnTensor *, n);
  const NnWeight *weight = nn_model_weight (model, group->weight), *loaded = nn_model_weight (state->model, group->weight);
  g_autoptr (NnTensor) changed = nn_tensor_copy (weight->values);
  g_autoptr (NnTensor) mask = weight->mask != NULL ? nn_tensor_copy (weight->mask) : nn_tensor_new (NN_DTYPE_U8, &weight->values->shape);
  NnModel *next;

  if (weight->mask == NULL)
    memset (mask->data, 1, mask->n);
  for (guint k = 0; k < group->n; k++)
    {
      guint32 i = groups->indices[group->first + k];

      nn_tensor_f32 (changed)[i] = prune ? 0 : nn_tensor_f32 (loaded->values)[i];
      nn_tensor_u8 (mask)[i] = !prune;
    }
  for (guint w = 0; w < n; w++)
    {
      values[w] = nn_model_weight (model, w)->values;
      masks[w] = nn_model_weight (model, w)->mask;
    }
  values[group->weight] = changed;
  masks[group->weight] = mask;
  next = nn_model_with_weights (model, values, masks);
  return next;
}

static void
edit_group (AppWeightsPage *self,
            gboolean        prune)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppState *state = app_document_state (document);
  const AppWeightMap *map = shown_map (self);
  const NnGroup *group = map != NULL ? app_weight_map_group (map, app_chart_selected (app_figure_chart (self->figure))) : NULL;
  AppState *next;
  NnModel *model;

  if (group == NULL)
    return;
  model = with_group (state, map->analysis->model, map->analysis->groups, group, prune);
  next = app_state_copy (state, prune ? _("Prune group by hand") : _("Restore group by hand"));
  app_state_set_edited (next, model);
  nn_model_unref (model);
  app_document_push (document, next);
}

/* Pinned groups outlive every Optimize; pinned again they are free. */
static void
on_pin (AppWeightsPage *self)
{
  AppDocument *document = app_page_document (APP_PAGE (self));
  const AppWeightMap *map = shown_map (self);
  const NnGroup *group = map != NULL ? app_weight_map_group (map, app_chart_selected (app_figure_chart (self->figure))) : NULL;
  g_autofree char *key = NULL;
  AppState *next;

  if (group == NULL)
    return;
  key = app_pin_key (map->analysis->groups, group);
  next = app_state_copy (app_document_state (document), _("Pin or release group"));
  app_state_toggle_pin (next, key);
  app_document_push (document, next);
}

static void
on_prune (AppWeightsPage *self)
{
  edit_group (self, TRUE);
}

static void
on_restore (AppWeightsPage *self)
{
  edit_group (self, FALSE);
}

static void
app_weights_page_dispose (GObject *object)
{
  drop_why (APP_WEIGHTS_PAGE (object));
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
  self->choices = g_array_new (FALSE, FALSE, sizeof (Choice));
  gtk_drop_down_set_model (self->order_drop, G_LIST_MODEL (list));
  g_signal_connect_swapped (self->layer_drop, "notify::selected", G_CALLBACK (on_choice), self);
  g_signal_connect_swapped (self->order_drop, "notify::selected", G_CALLBACK (on_choice), self);
  g_signal_connect (app_figure_chart (self->figure), "cursor", G_CALLBACK (on_cursor), self);
  g_signal_connect (app_figure_chart (self->figure), "picked", G_CALLBACK (on_picked), self);
  g_signal_connect_swapped (self->prune_button, "clicked", G_CALLBACK (on_prune), self);
  g_signal_connect_swapped (self->pin_button, "clicked", G_CALLBACK (on_pin), self);
  g_signal_connect_swapped (self->restore_button, "clicked", G_CALLBACK (on_restore), self);
}

void
app_weights_page_toggle_order (AppWeightsPage *self)
{
  gtk_drop_down_set_selected (self->order_drop, (gtk_drop_down_get_selected (self->order_drop) + 1) % (APP_ORDER_KERNELS + 1));
}
