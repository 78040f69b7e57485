/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a group of weights was kept or cut. */

#include "app-why.h"

#include <glib/gi18n.h>

typedef struct {
  NnTrail   *trail;
  NnConfig  *config;
  NnDataset *data;
  guint      step, weight, index;
} Input;

static void
input_free (Input *input)
{
  nn_trail_unref (input->trail);
  nn_config_unref (input->config);
  g_clear_pointer (&input->data, nn_dataset_unref);
  g_free (input);
}

static gboolean
is_cut (const Input *input,
        guint        step)
{
  const NnModel *model = nn_trail_step (input->trail, step)->model;
  const NnWeight *weight = model != NULL && input->weight < nn_model_n_weights (model) ? nn_model_weight (model, input->weight) : NULL;

  return weight != NULL && weight->mask != NULL && input->index < weight->mask->n && nn_tensor_u8 (weight->mask)[input->index] == 0;
}

static gboolean
counts (const NnStep *step)
{
  return step->model != NULL && (step->index == 0 || step->accepted);
}

/* Steps that led to the one shown: the first that cut the weight, and the network it was chosen from. */
static void
find_steps (const Input *input,
            guint       *decided,
            guint       *from)
{
  *decided = input->step;
  for (guint s = 0; s < input->step && is_cut (input, input->step); s++)
    if (counts (nn_trail_step (input->trail, s)) && is_cut (input, s))
      {
        *decided = s;
        break;
      }
  *from = 0;
  for (guint s = 0; s < *decided; s++)
    if (counts (nn_trail_step (input->trail, s)))
      *from = s;
}

static NnGroups *
groups_of_run (const Input          *input,
               const NnModel        *model,
               const NnPruneOptions *options,
               GError              **error)
{
  g_autoptr (NnGroups) groups = nn_prune_options_groups (options, model, input->config, error);

  if (groups == NULL)
    return NULL;
  if (options->importance != NN_IMPORTANCE_FIRST_ORDER && options->importance != NN_IMPORTANCE_SECOND_ORDER)
    nn_groups_score (groups, model, options->importance, NULL, options->seed);
  else if (input->data == NULL || !nn_groups_score_data (groups, model, input->data, &options->train, options->importance, error))
    return NULL;
  return g_steal_pointer (&groups);
}

static const NnGroup *
find_group (const Input    *input,
            const NnGroups *groups)
{
  for (gsize g = 0; g < groups->n_groups; g++)
    for (guint k = 0; groups->groups[g].weight == input->weight && k < groups->groups[g].n; k++)
      if (groups->indices[groups->groups[g].first + k] == input->index)
        return &groups->groups[g];
  return NULL;
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
  g_auto (NnPruneOptions) options = { 0 };
  g_autoptr (NnGroups) groups = NULL;
  const NnGroup *group;
  guint decided, from;
  AppWhy *why;

  nn_prune_options_init (&options);
  if (nn_trail_options (input->trail) == NULL || !nn_prune_options_from_json (&options, nn_trail_options (input->trail), hold, error))
    return NULL;
  find_steps (input, &decided, &from);
  groups = groups_of_run (input, nn_trail_step (input->trail, from)->model, &options, error);
  group = groups != NULL ? find_group (input, groups) : NULL;
  if (group == NULL)
    return NULL;
  why = g_new0 (AppWhy, 1);
  why->kept = !is_cut (input, input->step);
  why->step = decided;
  why->value = group->value;
  why->cost = group->cost;
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (group->cost.amount[r] > 0)
      why->price += nn_trail_step (input->trail, decided)->price[r] * group->cost.amount[r];
  return why;
}

AppJob *
app_why_job (const AppState *state,
             guint           weight,
             guint           index)
{
  Input *input;

  if (app_state_step (state) == NULL || app_state_step (state)->index == 0)
    return NULL;
  input = g_new0 (Input, 1);
  input->trail = nn_trail_ref (((AppRun *) g_ptr_array_index (state->runs, state->run))->trail);
  input->config = nn_config_ref (state->config);
  input->data = state->data != NULL ? nn_dataset_ref (state->data) : NULL;
  input->step = state->step;
  input->weight = weight;
  input->index = index;
  return app_job_new (_("Asking why"), work, input, (GDestroyNotify) input_free, g_free);
}

const char *
app_why_text (const AppWhy *why)
{
  if (why->price <= 0)
    return why->kept ? _("nothing else needed its hardware") : _("its hardware was not for sale in this step");
  if (why->kept)
    return why->value >= why->price ? _("worth more than its hardware") : _("there was room for it in the budget");
  return why->value <= why->price ? _("worth less than its hardware") : _("there was no room for it in the budget");
}
