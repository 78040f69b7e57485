/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done by hand to the group of a weight: it is cut, restored, pinned. */

#include "app-weights-page-private.h"

#include <glib/gi18n.h>
#include <string.h>

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
  const AppWeightMap *map = app_weights_page_map (self);
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
  const AppWeightMap *map = app_weights_page_map (self);
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

void
app_weights_page_init_edit (AppWeightsPage *self)
{
  g_signal_connect_swapped (self->prune_button, "clicked", G_CALLBACK (on_prune), self);
  g_signal_connect_swapped (self->pin_button, "clicked", G_CALLBACK (on_pin), self);
  g_signal_connect_swapped (self->restore_button, "clicked", G_CALLBACK (on_restore), self);
}
