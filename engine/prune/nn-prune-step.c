/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One step of the optimisation: choose, mask, fine-tune, measure. */

#include "nn-moved.h"
#include "nn-prune-run.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

/* Automatic strength of the regulariser, relative to the loss: where it starts and how far it goes. */
#define FIRST_STRENGTH 0.03
#define LEAST_STRENGTH 0.002
#define MOST_STRENGTH 0.3

double
nn_prune_limit (const NnPruneOptions *options,
                NnObjective           objective)
{
  double limit = options->limits[objective];

  if (objective < NN_OBJECTIVE_PARAMETERS && options->budget != NULL && options->budget->amount[objective] >= 0)
    limit = limit >= 0 ? MIN (limit, options->budget->amount[objective]) : options->budget->amount[objective];
  return limit;
}

static double
live_parameters (const NnModel *model)
{
  gsize live = 0;

  for (guint i = 0; i < nn_model_n_weights (model); i++)
    {
      const NnWeight *w = nn_model_weight (model, i);

      for (gsize k = 0; nn_role_is_prunable (w->role) && k < w->values->n; k++)
        live += nn_tensor_f32 (w->values)[k] != 0;
    }
  return (double) live;
}

double
nn_prune_use (const NnPruneRun *run,
              const NnStep     *step,
              NnObjective       objective)
{
  double sum = 0;

  switch (objective)
    {
    case NN_OBJECTIVE_BOPS:
      return step->bops;
    case NN_OBJECTIVE_ENERGY:
      return step->energy;
    case NN_OBJECTIVE_LATENCY:
      return step->latency;
    case NN_OBJECTIVE_PARAMETERS:
      return live_parameters (step->model);
    case NN_OBJECTIVE_WEIGHTED:
      for (NnObjective j = 0; j < NN_OBJECTIVE_WEIGHTED; j++)
        if (run->options->weights[j] != 0)
          sum += run->options->weights[j] * nn_prune_use (run, step, j);
      return sum;
    default:
      return (guint) objective < NN_N_RESOURCES ? step->resources.amount[objective] : 0;
    }
}

gboolean
nn_prune_tolerable (const NnPruneRun *run,
                    const NnStep     *step)
{
  double baseline = nn_trail_step (run->trail, 0)->accuracy;

  return isfinite (step->accuracy) && step->accuracy >= baseline - run->options->tolerance * fabs (baseline);
}

gboolean
nn_prune_fits (const NnPruneRun *run,
               const NnStep     *step)
{
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    {
      double limit = nn_prune_limit (run->options, (NnObjective) j);

      if (limit >= 0 && nn_prune_use (run, step, (NnObjective) j) > limit * (1 + 1e-9))
        return FALSE;
    }
  return TRUE;
}

gboolean
nn_prune_measure (const NnPruneRun *run,
                  const NnModel    *model,
                  NnStep           *step,
                  GError          **error)
{
  NnSplit split = nn_dataset_n (run->data, NN_SPLIT_VALIDATION) > 0 ? NN_SPLIT_VALIDATION : NN_SPLIT_TRAIN;
  const NnTrainOptions *train = &run->options->train;
  g_autoptr (NnMetrics) metrics = nn_evaluate_as (model, run->data, split, train->types, train->n_types, run->cancellable, error);
  g_autoptr (NnConfig) config = nn_config_for_pruned (run->config, model, metrics != NULL ? error : NULL);
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnEstimate) estimate = NULL;

  if (metrics == NULL || config == NULL || (design = nn_design_new (model, config, error)) == NULL ||
      (estimate = nn_estimate (design, run->part, error)) == NULL)
    return FALSE;
  step->accuracy = metrics->is_classes ? metrics->accuracy : -metrics->mse;
  step->loss = metrics->loss;
  step->auc = metrics->is_classes && metrics->n_classes > 0 ? 0 : NAN;
  for (guint c = 0; metrics->is_classes && c < metrics->n_classes; c++)
    step->auc += metrics->auc[c] / metrics->n_classes;
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    step->resources.amount[r] = estimate->total.resource[r].value;
  step->latency = estimate->total.latency.value;
  step->bops = estimate->total.bops;
  step->energy = estimate->total.energy_nj.value;
  return TRUE;
}

const NnStep *
nn_prune_current (const NnPruneRun *run)
{
  guint n = nn_trail_n_steps (run->trail);

  /* On the way to a budget every step is made, good or bad. */
  if (run->options->schedule == NN_SCHEDULE_BUDGET)
    return nn_trail_step (run->trail, n - 1);
  for (guint i = n; i-- > 0;)
    if (nn_trail_step (run->trail, i)->accepted)
      return nn_trail_step (run->trail, i);
  return nn_trail_step (run->trail, 0);
}

/* Kept groups of each weight, as the trainer wants them. */
typedef struct {
  NnRegularGroups *groups;
  guint            n;
  GPtrArray       *arrays; /* owns */
} Regular;

static void
make_regular (const NnModel  *model,
              const NnGroups *groups,
              const guint8   *keep,
              double          loss,
              double          strength,
              Regular        *regular)
{
  double norm = 0;
  guint n_weights = nn_model_n_weights (model);

  regular->arrays = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  regular->groups = g_new0 (NnRegularGroups, MAX (n_weights, 1));
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const float *w = nn_tensor_f32 (nn_model_weight (model, groups->groups[g].weight)->values);
      double sum = 0;

      for (guint k = 0; keep[g] && k < groups->groups[g].n; k++)
        {
          double v = w[groups->indices[groups->groups[g].first + k]];

          sum += v * v;
        }
      norm += sqrt (sum);
    }
  for (guint id = 0; id < n_weights && norm > 0; id++)
    {
      GArray *offsets = g_array_new (FALSE, FALSE, sizeof (guint32));
      GArray *indices = g_array_new (FALSE, FALSE, sizeof (guint32)), *strengths = g_array_new (FALSE, FALSE, sizeof (float));
      float lambda = (float) (strength * loss / norm);
      guint32 at = 0;

      g_ptr_array_add (regular->arrays, offsets);
      g_ptr_array_add (regular->arrays, indices);
      g_ptr_array_add (regular->arrays, strengths);
      for (gsize g = 0; g < groups->n_groups; g++)
        if (groups->groups[g].weight == id && keep[g])
          {
            g_array_append_val (offsets, at);
            g_array_append_val (strengths, lambda);
            g_array_append_vals (indices, groups->indices + groups->groups[g].first, groups->groups[g].n);
            at += groups->groups[g].n;
          }
      g_array_append_val (offsets, at);
      if (strengths->len > 0)
        regular->groups[regular->n++] =
            (NnRegularGroups) { .weight = id,
                                .n_groups = strengths->len,
                                .offsets = (const guint32 *) offsets->data,
                                .indices = (const guint32 *) indices->data,
                                .strength = (const float *) strengths->data };
    }
}

NnModel *
nn_prune_fine_tune (const NnPruneRun *run,
                    const NnModel    *model,
                    const NnGroups   *groups,
                    const guint8     *keep,
                    const NnMoved    *moved,
                    double            strength,
                    guint             epochs,
                    guint64           seed,
                    GError          **error)
{
  NnTrainOptions options = run->options->train;
  g_autoptr (NnTrainResult) result = NULL;
  Regular regular = { 0 };
  GError *local = NULL;

  if (epochs == 0)
    return moved != NULL ? nn_moved_apply (moved, model) : nn_model_ref ((NnModel *) model);
  options.epochs = epochs;
  options.seed = seed;
  options.on_epoch = NULL;
  if (moved != NULL)
    nn_moved_constrain (moved, &options);
  if (groups != NULL && strength > 0)
    {
      make_regular (model, groups, keep, nn_trail_step (run->trail, 0)->loss, strength, &regular);
      options.groups = regular.groups;
      options.n_groups = regular.n;
    }
  (void) !nn_train (model, run->data, &options, NULL, run->cancellable, &result, &local);
  g_clear_pointer (&regular.arrays, g_ptr_array_unref);
  g_free (regular.groups);
  if (g_error_matches (local, NN_ERROR, NN_ERROR_NUMERIC) && result != NULL && result->model != NULL)
    g_clear_error (&local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return NULL;
    }
  return moved != NULL ? nn_moved_apply (moved, result->model) : nn_model_ref (result->model);
}

/* Automatic: from what the last step was like. */
static double
next_strength (const NnPruneRun *run)
{
  const NnStep *last = nn_trail_step (run->trail, nn_trail_n_steps (run->trail) - 1);
  double baseline = nn_trail_step (run->trail, 0)->accuracy, lost;

  if (run->options->regularize >= 0)
    return run->options->regularize;
  if (last->kind == NN_STEP_BASELINE)
    return FIRST_STRENGTH;
  lost = (baseline - last->accuracy) / MAX (fabs (baseline) * run->options->tolerance, 1e-12);
  if (lost > 0.8)
    return MAX (last->strength / 2, LEAST_STRENGTH);
  return lost < 0.3 ? MIN (last->strength * 1.5, MOST_STRENGTH) : last->strength;
}

/* The same weights with every mask lifted: what was cut may grow back. */
static NnModel *
lift_masks (const NnModel *model)
{
  guint n = nn_model_n_weights (model);
  g_autofree NnTensor **masks = g_new0 (NnTensor *, MAX (n, 1));
  NnModel *lifted;

  for (guint i = 0; i < n; i++)
    if (nn_model_weight (model, i)->mask != NULL)
      {
        masks[i] = nn_tensor_new (NN_DTYPE_U8, &nn_model_weight (model, i)->values->shape);
        memset (masks[i]->data, 1, masks[i]->n);
      }
  lifted = nn_model_with_weights (model, NULL, masks);
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&masks[i], nn_tensor_unref);
  return lifted;
}

/* Weights of the network as given under the masks of @pruned (Frankle and Carbin 2019). */
static NnModel *
rewind_weights (const NnPruneRun *run,
                const NnModel    *pruned)
{
  guint n = nn_model_n_weights (pruned);
  g_autofree NnTensor **values = g_new0 (NnTensor *, MAX (n, 1));
  NnModel *result;

  for (guint i = 0; i < n; i++)
    {
      const NnTensor *mask = nn_model_weight (pruned, i)->mask;

      values[i] = nn_tensor_copy (nn_model_weight (run->model, i)->values);
      for (gsize k = 0; mask != NULL && k < mask->n; k++)
        if (nn_tensor_u8 (mask)[k] == 0)
          nn_tensor_f32 (values[i])[k] = 0;
    }
  result = nn_model_with_weights (pruned, values, NULL);
  for (guint i = 0; i < n; i++)
    nn_tensor_unref (values[i]);
  return result;
}

static NnModel *
start_model (const NnPruneRun *run,
             guint64           seed,
             GError          **error)
{
  const NnStep *current = nn_prune_current (run);
  g_autoptr (NnModel) free_model = NULL;

  if (run->options->rewind_epochs == 0 || current->kind == NN_STEP_BASELINE)
    return nn_model_ref (current->model);
  free_model = lift_masks (current->model);
  return nn_prune_fine_tune (run, free_model, NULL, NULL, NULL, 0, run->options->rewind_epochs, seed, error);
}

/* Chooses in @start, for @target or (nullable) for @budget, applies, fine-tunes, measures. */
static NnStep *
try_choice (const NnPruneRun *run,
            const NnModel    *start,
            NnStepKind        kind,
            double            target,
            const double     *budget,
            guint64           seed,
            GError          **error)
{
  g_autoptr (NnModel) pruned = NULL, tuned = NULL;
  g_autoptr (NnGroups) groups = nn_prune_groups (run, start, seed, error);
  g_autoptr (NnMoved) moved = NULL;
  g_autofree guint8 *keep = NULL;
  g_autofree NnStep *step = g_new0 (NnStep, 1);

  if (groups == NULL)
    return NULL;
  *step = (NnStep) { .index = nn_trail_n_steps (run->trail), .kind = kind, .target = target, .n_groups = groups->n_groups };
  step->strength = next_strength (run);
  keep = g_malloc0 (MAX (groups->n_groups, 1));
  if (run->options->snap && (moved = nn_moved_new (run, start, groups, error)) == NULL)
    return NULL;
  if (!nn_prune_choose (run, groups, moved, target, budget, keep, step, error))
    return NULL;
  if (moved != NULL)
    nn_moved_seal (moved);
  for (gsize g = 0; g < groups->n_groups; g++)
    step->n_kept += keep[g];
  pruned = nn_groups_apply (groups, start, keep);
  if (run->options->rewind_weights)
    {
      NnModel *rewound = rewind_weights (run, pruned);

      nn_model_unref (pruned);
      pruned = rewound;
    }
  tuned = nn_prune_fine_tune (run, pruned, groups, keep, moved, step->strength, run->options->fine_tune_epochs, seed, error);
  if (tuned == NULL || !nn_prune_measure (run, tuned, step, error))
    return NULL;
  step->n_snapped = moved != NULL ? nn_moved_count (moved) : 0;
  step->model = g_steal_pointer (&tuned);
  return g_steal_pointer (&step);
}

NnStep *
nn_prune_trial (const NnPruneRun *run,
                double            target,
                GError          **error)
{
  gint64 started = g_get_monotonic_time ();
  guint64 seed = run->options->seed * 1000003 + nn_trail_n_steps (run->trail);
  g_autoptr (NnModel) start = start_model (run, seed ^ 0x5eed, error);
  NnStep *step = start != NULL ? try_choice (run, start, NN_STEP_PRUNE, target, NULL, seed, error) : NULL;
  gboolean to_budget = run->options->schedule == NN_SCHEDULE_BUDGET;

  if (step == NULL)
    return NULL;
  step->accepted = step->status != NN_KNAPSACK_INFEASIBLE &&
                   (to_budget ? nn_prune_tolerable (run, step) || nn_prune_fits (run, step)
                              : nn_prune_tolerable (run, step) && nn_prune_fits (run, step));
  step->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
  return step;
}

/* The last DSPs go where that takes no more of the other objectives: from none left to a part of them, in the order tried. */
NnStep *
nn_prune_finish (const NnPruneRun *run,
                 GError          **error)
{
  static const double shares_left[] = { 0, 0.1, 0.3 };
  const NnStep *chosen = nn_trail_step (run->trail, nn_trail_chosen (run->trail));
  gint64 started = g_get_monotonic_time ();
  double before = chosen->resources.amount[NN_RESOURCE_DSP];

  for (guint a = 0; before > run->fixed[NN_OBJECTIVE_DSP]; a++)
    {
      double budget[NN_N_OBJECTIVES];
      guint64 seed = run->options->seed * 1000003 + 7919 * (a + 1);
      NnStep *step;

      if (!nn_prune_left (run, chosen->model, budget, error))
        return NULL;
      budget[NN_OBJECTIVE_DSP] = (before - run->fixed[NN_OBJECTIVE_DSP]) * shares_left[a];
      step = try_choice (run, chosen->model, NN_STEP_SNAP, 1 - shares_left[a], budget, seed, error);
      if (step == NULL)
        return NULL;
      step->accepted = step->status != NN_KNAPSACK_INFEASIBLE && nn_prune_tolerable (run, step) &&
                       step->resources.amount[NN_RESOURCE_DSP] < before &&
                       (nn_prune_fits (run, step) || !nn_prune_fits (run, chosen));
      step->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
      if (step->accepted || a + 1 == G_N_ELEMENTS (shares_left))
        return step;
      nn_step_free (step);
    }
  return NULL;
}
