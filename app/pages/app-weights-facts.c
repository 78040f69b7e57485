/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the page tells of a weight, of its group and why that was kept or cut, and of its layer. */

#include "app-weights-page-private.h"

#include "app-axis.h"
#include "app-format.h"
#include "app-sources.h"

#include <glib/gi18n.h>

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

void
app_weights_page_fill_weight (AppWeightsPage *self,
                              gint64          id)
{
  const AppWeightMap *map = app_weights_page_map (self);
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

void
app_weights_page_fill_layer (AppWeightsPage     *self,
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

static void
on_why (AppJob         *job,
        AppWeightsPage *self)
{
  g_free (self->why);
  self->why = app_job_steal_result (job);
  g_clear_object (&self->why_job);
  app_weights_page_fill_weight (self, app_chart_selected (app_figure_chart (self->figure)));
}

void
app_weights_page_drop_why (AppWeightsPage *self)
{
  if (self->why_job != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->why_job, self);
      app_job_cancel (self->why_job);
      g_clear_object (&self->why_job);
    }
  g_clear_pointer (&self->why, g_free);
}

void
app_weights_page_ask_why (AppWeightsPage *self,
                          gint64          id)
{
  const AppWeightMap *map = app_weights_page_map (self);
  const NnGroup *group = map != NULL ? app_weight_map_group (map, id) : NULL;
  const AppState *state = app_document_state (app_page_document (APP_PAGE (self)));

  app_weights_page_drop_why (self);
  self->why_job = group != NULL && map->index[id] >= 0 && state->edited == NULL ? app_why_job (state, group->weight, map->index[id]) : NULL;
  if (self->why_job == NULL)
    return;
  self->why_id = id;
  g_signal_connect (self->why_job, "finished", G_CALLBACK (on_why), self);
  app_job_start (self->why_job);
}
