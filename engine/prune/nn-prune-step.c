/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One step of the optimisation: choose, mask, fine-tune, measure. */

#include "nn-prune-run.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

/* Automatic strength of the regulariser, relative to the loss: where it starts and how far it goes. */
#define FIRST_STRENGTH 0.03
#define LEAST_STRENGTH 0.002
#define MOST_STRENGTH 0.3
/* Samples for the gradient and the Fisher diagonal. */
#define SENSITIVITY_SAMPLES 2048

double
nn_prune_limit (const NnPruneOptions *options,
                NnObjective           objective)
{
  double limit = options->limits[objective];

  if (objective < NN_OBJECTIVE_PARAMETERS && options->budget != NULL && options->budget->amount[objective] >= 0)
    limit = limit >= 0 ? MIN (limit, options->budget->amount[objective]) : options->budget->amount[objective];
  return limit;
}

double
nn_prune_use (const NnStep *step,
              NnObjective   objective)
{
  switch (objective)
    {
    case NN_OBJECTIVE_BOPS:
      return step->bops;
    case NN_OBJECTIVE_ENERGY:
      return step->energy;
    case NN_OBJECTIVE_LATENCY:
      return step->latency;
    case NN_OBJECTIVE_PARAMETERS:
      {
        gsize live = 0;

        for (guint i = 0; i < nn_model_n_weights (step->model); i++)
          {
            const NnWeight *w = nn_model_weight (step->model, i);

            for (gsize k = 0; nn_role_is_prunable (w->role) && k < w->values->n; k++)
              live += nn_tensor_f32 (w->values)[k] != 0;
          }
        return (double) live;
      }
    default:
      return step->resources.amount[objective];
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

      if (limit >= 0 && nn_prune_use (step, (NnObjective) j) > limit * (1 + 1e-9))
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
  g_autoptr (NnMetrics) metrics = nn_evaluate (model, run->data, split, run->cancellable, error);
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

static NnTensor **
sensitivity (const NnPruneRun *run,
             const NnModel    *model,
             GError          **error)
{
  gsize n = MIN (nn_dataset_n (run->data, NN_SPLIT_TRAIN), SENSITIVITY_SAMPLES);
  NnTensor *x = NULL, *y = NULL;
  NnTensor **result;

  nn_dataset_read_batch (run->data, NN_SPLIT_TRAIN, NULL, 0, n, &x, &y);
  result = run->options->importance == NN_IMPORTANCE_FIRST_ORDER
               ? nn_gradients (model, x, y, &run->options->train, NULL, error)
               : nn_fisher_diagonal (model, x, y, &run->options->train, error);
  nn_tensor_unref (x);
  nn_tensor_unref (y);
  return result;
}

static gboolean
score (const NnPruneRun *run,
       const NnModel    *model,
       NnGroups         *groups,
       guint64           seed,
       GError          **error)
{
  NnImportance importance = run->options->importance;
  NnTensor **s = NULL;

  if (importance == NN_IMPORTANCE_FIRST_ORDER || importance == NN_IMPORTANCE_SECOND_ORDER)
    {
      s = sensitivity (run, model, error);
      if (s == NULL)
        return FALSE;
    }
  nn_groups_score (groups, model, importance, s, seed);
  for (guint i = 0; s != NULL && i < nn_model_n_weights (model); i++)
    if (s[i] != NULL)
      nn_tensor_unref (s[i]);
  g_free (s);
  return TRUE;
}

/* The groups of @model as it is, scored. */
NnGroups *
nn_prune_groups (const NnPruneRun *run,
                 const NnModel    *model,
                 guint64           seed,
                 GError          **error)
{
  const NnPruneOptions *o = run->options;
  g_autoptr (NnDesign) design = nn_design_new (model, run->config, error);
  g_autoptr (NnGroups) groups = NULL;
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
  options.as_trained = TRUE;
  options.objectives = run->objectives;
  groups = nn_groups_new_full (design, &options, error);
  if (groups == NULL || !score (run, model, groups, seed, error))
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
protect_layers (NnGroups *groups,
                gboolean  protect)
{
  for (gsize first = 0, next; first < groups->n_groups; first = next)
    {
      gsize best = first;

      for (next = first; next < groups->n_groups && groups->groups[next].weight == groups->groups[first].weight; next++)
        if (groups->groups[next].pin == 0 && groups->groups[next].value > groups->groups[best].value)
          best = next;
      if (protect && groups->groups[best].pin == 0 && groups->groups[best].kept)
        groups->groups[best].pin = 2;
    }
  for (gsize g = 0; g < groups->n_groups; g++)
    if (groups->groups[g].pin == 2)
      groups->groups[g].pin = protect ? 1 : 0;
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
      if (run->options->schedule == NN_SCHEDULE_BUDGET && limit >= 0)
        {
          /* Fast first, and to the end exactly. */
          double end = MIN (MAX (limit - run->fixed[j], 0), run->total[j]), t = 1 - target;

          budget[j] = (end + (run->total[j] - end) * t * t * t) * (run->total[j] > 0 ? total[j] / run->total[j] : 1);
        }
      else if (run->options->schedule != NN_SCHEDULE_BUDGET)
        budget[j] = (1 - target) * total[j];
      else
        budget[j] = total[j];
    }
}

static gboolean
choose_global (const NnPruneRun *run,
               NnGroups         *groups,
               double            target,
               guint8           *keep,
               NnStep           *step,
               GError          **error)
{
  double budget[NN_N_OBJECTIVES], price[NN_N_OBJECTIVES];
  g_autoptr (NnKnapsackResult) result = NULL;

  set_budget (run, target, run->total, budget);
  protect_layers (groups, TRUE);
  result = nn_groups_choose (groups, budget, &run->options->knapsack, run->cancellable, price, error);
  if (result != NULL && result->status == NN_KNAPSACK_INFEASIBLE)
    {
      g_clear_pointer (&result, nn_knapsack_result_free);
      for (gsize g = 0; g < groups->n_groups; g++)
        groups->groups[g].pin = run->options->pins != NULL ? run->options->pins[g] : 0;
      result = nn_groups_choose (groups, budget, &run->options->knapsack, run->cancellable, price, error);
    }
  if (result == NULL)
    return FALSE;
  memcpy (keep, result->keep, groups->n_groups);
  memcpy (step->price, price, sizeof step->price);
  step->status = result->status;
  step->value = result->value;
  step->bound = result->bound;
  step->gap = result->gap;
  return TRUE;
}

/* Every layer by itself: its groups are neighbours. The worst status and the sums are reported. */
static gboolean
choose_local (const NnPruneRun *run,
              NnGroups         *groups,
              double            target,
              guint8           *keep,
              NnStep           *step,
              GError          **error)
{
  double budget[NN_N_OBJECTIVES];

  protect_layers (groups, TRUE);
  for (gsize first = 0, next; first < groups->n_groups; first = next)
    {
      guint node = groups->groups[first].node;
      NnGroups layer = *groups;
      g_autoptr (NnKnapsackResult) result = NULL;

      for (next = first; next < groups->n_groups && groups->groups[next].node == node; next++)
        ;
      layer.groups += first;
      layer.n_groups = next - first;
      set_budget (run, target, run->node_total + node * NN_N_OBJECTIVES, budget);
      result = nn_groups_choose (&layer, budget, &run->options->knapsack, run->cancellable, NULL, error);
      if (result == NULL)
        return FALSE;
      memcpy (keep + first, result->keep, layer.n_groups);
      step->status = MAX (step->status, result->status);
      step->value += result->value;
      step->bound += result->bound;
    }
  step->gap = step->bound > 0 ? (step->bound - step->value) / step->bound : 0;
  return TRUE;
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
    return nn_model_ref ((NnModel *) model);
  options.epochs = epochs;
  options.seed = seed;
  options.on_epoch = NULL;
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
  return nn_model_ref (result->model);
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
  return nn_prune_fine_tune (run, free_model, NULL, NULL, 0, run->options->rewind_epochs, seed, error);
}

NnStep *
nn_prune_trial (const NnPruneRun *run,
                double            target,
                GError          **error)
{
  gint64 started = g_get_monotonic_time ();
  guint index = nn_trail_n_steps (run->trail);
  guint64 seed = run->options->seed * 1000003 + index;
  g_autoptr (NnModel) start = start_model (run, seed ^ 0x5eed, error);
  g_autoptr (NnModel) pruned = NULL, tuned = NULL;
  g_autoptr (NnGroups) groups = NULL;
  g_autofree guint8 *keep = NULL;
  g_autofree NnStep *step = g_new0 (NnStep, 1);

  if (start == NULL || (groups = nn_prune_groups (run, start, seed, error)) == NULL)
    return NULL;
  *step = (NnStep) { .index = index, .kind = NN_STEP_PRUNE, .target = target, .n_groups = groups->n_groups };
  step->strength = next_strength (run);
  keep = g_malloc0 (MAX (groups->n_groups, 1));
  if (!(run->options->local ? choose_local : choose_global) (run, groups, target, keep, step, error))
    return NULL;
  for (gsize g = 0; g < groups->n_groups; g++)
    step->n_kept += keep[g];
  pruned = nn_groups_apply (groups, start, keep);
  if (run->options->rewind_weights)
    {
      NnModel *rewound = rewind_weights (run, pruned);

      nn_model_unref (pruned);
      pruned = rewound;
    }
  tuned = nn_prune_fine_tune (run, pruned, groups, keep, step->strength, run->options->fine_tune_epochs, seed, error);
  if (tuned == NULL || !nn_prune_measure (run, tuned, step, error))
    return NULL;
  step->model = g_steal_pointer (&tuned);
  step->accepted = step->status != NN_KNAPSACK_INFEASIBLE &&
                   (nn_prune_tolerable (run, step) ||
                    (run->options->schedule == NN_SCHEDULE_BUDGET && nn_prune_fits (run, step)));
  step->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
  return g_steal_pointer (&step);
}
