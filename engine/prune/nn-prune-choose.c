/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a step of the optimisation chooses from, and its choice. */

#include "nn-moved.h"

#include "nn-error.h"

#include <string.h>

/* The groups of @model, their costs those of any value (@as_trained) or of the present ones. */
static NnGroups *
make_groups (const NnPruneRun *run,
             const NnModel    *model,
             gboolean          as_trained,
             GError          **error)
{
  const NnPruneOptions *o = run->options;
  g_autoptr (NnDesign) design = nn_design_new (model, run->config, error);
  NnGroupOptions options;

  if (design == NULL)
    return NULL;
  nn_group_options_init (&options);
  options.structure = o->structure;
  options.layer_structures = o->layer_structures;
  options.leave = o->leave;
  options.block_in = o->block_in;
  options.block_out = o->block_out;
  options.for_bram = (run->objectives >> NN_OBJECTIVE_BRAM & 1) != 0;
  options.as_trained = as_trained;
  options.objectives = run->objectives;
  options.weights = (run->objectives >> NN_OBJECTIVE_WEIGHTED & 1) != 0 ? o->weights : NULL;
  return nn_groups_new_full (design, &options, error);
}

NnGroups *
nn_prune_groups_now (const NnPruneRun *run,
                     const NnModel    *model,
                     GError          **error)
{
  return make_groups (run, model, FALSE, error);
}

NnGroups *
nn_prune_options_groups (const NnPruneOptions *options,
                         const NnModel        *model,
                         const NnConfig       *config,
                         GError              **error)
{
  NnPruneRun run = { .options = options, .config = (NnConfig *) config, .objectives = options->objective };

  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    if (nn_prune_limit (options, (NnObjective) j) >= 0)
      run.objectives |= 1u << j;
  return make_groups (&run, model, FALSE, error);
}

/* The groups of @model as it is, scored. */
NnGroups *
nn_prune_groups (const NnPruneRun *run,
                 const NnModel    *model,
                 guint64           seed,
                 GError          **error)
{
  const NnPruneOptions *o = run->options;
  g_autoptr (NnGroups) groups = make_groups (run, model, TRUE, error);

  if (groups == NULL)
    return NULL;
  if (o->importance != NN_IMPORTANCE_FIRST_ORDER && o->importance != NN_IMPORTANCE_SECOND_ORDER)
    nn_groups_score (groups, model, o->importance, NULL, seed);
  else if (!nn_groups_score_data (groups, model, run->data, &o->train, o->importance, error))
    return NULL;
  if (o->pins != NULL && o->n_pins != groups->n_groups)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "%" G_GSIZE_FORMAT " pins are given for %" G_GSIZE_FORMAT " groups", o->n_pins,
                   groups->n_groups);
      return NULL;
    }
  for (gsize g = 0; o->pins != NULL && g < groups->n_groups; g++)
    groups->groups[g].pin = o->pins[g];
  return g_steal_pointer (&groups);
}

/* No layer dies whole: the most important group of each weight stays. */
static void
protect_layers (NnGroups *groups)
{
  for (gsize first = 0, next; first < groups->n_groups; first = next)
    {
      gsize best = first;

      for (next = first; next < groups->n_groups && groups->groups[next].weight == groups->groups[first].weight; next++)
        if (groups->groups[next].pin == 0 && groups->groups[next].value > groups->groups[best].value)
          best = next;
      if (groups->groups[best].pin == 0 && groups->groups[best].kept)
        groups->groups[best].pin = 1;
    }
}

/* What the groups may take at @target. */
static void
set_budget (const NnPruneRun *run,
            double            target,
            const double     *total,
            double           *budget)
{
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    {
      double limit = nn_prune_limit (run->options, (NnObjective) j);

      budget[j] = -1;
      if ((run->objectives >> j & 1) == 0)
        continue;
      if (run->options->schedule != NN_SCHEDULE_BUDGET && limit >= 0)
        /* A limit while something else is to fall as far as accuracy allows. */
        budget[j] = MIN (MAX (limit - run->fixed[j], 0), run->total[j]) * (run->total[j] > 0 ? total[j] / run->total[j] : 1);
      else if (limit >= 0)
        {
          /* Fast first, and to the end exactly. */
          double end = MIN (MAX (limit - run->fixed[j], 0), run->total[j]), t = 1 - target;

          budget[j] = (end + (run->total[j] - end) * t * t * t) * (run->total[j] > 0 ? total[j] / run->total[j] : 1);
        }
      else if (run->options->schedule != NN_SCHEDULE_BUDGET)
        /* A weight that moves gives up its DSP at less loss than one that goes: with --snap DSPs fall faster than the rest. */
        budget[j] = (1 - target) * (run->options->snap && j == NN_OBJECTIVE_DSP ? 1 - target : 1) * total[j];
      else
        budget[j] = total[j];
    }
}

/* Which groups from @first on, @n of them, stay (or move), for @budget. What must stay gives way where it does not fit. */
static gboolean
choose (const NnPruneRun *run,
        NnGroups         *groups,
        NnMoved          *moved,
        gsize             first,
        gsize             n,
        const double     *budget,
        guint8           *keep,
        NnStep           *step,
        GError          **error)
{
  NnGroups part = *groups;
  g_autoptr (NnKnapsackResult) result = NULL;
  double price[NN_N_OBJECTIVES];

  part.groups += first;
  part.n_groups = n;
  for (guint attempt = 0; attempt < 2; attempt++)
    {
      g_clear_pointer (&result, nn_knapsack_result_free);
      result = moved != NULL ? nn_moved_choose (moved, run, first, n, budget, price, error)
                             : nn_groups_choose (&part, budget, &run->options->knapsack, run->cancellable, price, error);
      if (result == NULL)
        return FALSE;
      if (result->status != NN_KNAPSACK_INFEASIBLE)
        break;
      for (gsize g = first; g < first + n; g++)
        groups->groups[g].pin = run->options->pins != NULL ? run->options->pins[g] : 0;
    }
  memcpy (keep + first, result->keep, n);
  memcpy (step->price, price, sizeof step->price);
  step->status = MAX (step->status, result->status);
  step->value += result->value;
  step->bound += result->bound;
  step->choice_seconds += result->seconds;
  return TRUE;
}

/* Every layer by itself: its groups are neighbours. The worst status and the sums are reported; prices are each layer's own. */
static gboolean
choose_local (const NnPruneRun *run,
              NnGroups         *groups,
              NnMoved          *moved,
              double            target,
              guint8           *keep,
              NnStep           *step,
              GError          **error)
{
  double budget[NN_N_OBJECTIVES];

  for (gsize first = 0, next; first < groups->n_groups; first = next)
    {
      guint node = groups->groups[first].node;

      for (next = first; next < groups->n_groups && groups->groups[next].node == node; next++)
        ;
      set_budget (run, target, run->node_total + node * NN_N_OBJECTIVES, budget);
      if (!choose (run, groups, moved, first, next - first, budget, keep, step, error))
        return FALSE;
    }
  memset (step->price, 0, sizeof step->price);
  return TRUE;
}

gboolean
nn_prune_choose (const NnPruneRun *run,
                 NnGroups         *groups,
                 NnMoved          *moved,
                 double            target,
                 const double     *budget,
                 guint8           *keep,
                 NnStep           *step,
                 GError          **error)
{
  double own[NN_N_OBJECTIVES];

  protect_layers (groups);
  if (budget == NULL)
    set_budget (run, target, run->total, own);
  if (budget == NULL && run->options->local ? !choose_local (run, groups, moved, target, keep, step, error)
                                            : !choose (run, groups, moved, 0, groups->n_groups, budget != NULL ? budget : own, keep, step, error))
    return FALSE;
  step->gap = step->bound > 0 ? (step->bound - step->value) / step->bound : 0;
  return TRUE;
}

/* What the groups of @model take of each objective of the run; -1 for others. */
gboolean
nn_prune_left (const NnPruneRun *run,
               const NnModel    *model,
               double           *use,
               GError          **error)
{
  g_autoptr (NnGroups) groups = nn_prune_groups (run, model, run->options->seed, error);

  if (groups == NULL)
    return FALSE;
  for (NnObjective j = 0; j < NN_N_OBJECTIVES; j++)
    {
      use[j] = (run->objectives >> j & 1) != 0 ? 0 : -1;
      for (gsize g = 0; use[j] >= 0 && g < groups->n_groups; g++)
        use[j] += nn_group_cost (&groups->groups[g], j);
    }
  return TRUE;
}
