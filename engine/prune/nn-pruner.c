/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize: the loop of the paper. */

#include "nn-prune-run.h"

#include "nn-error.h"
#include "nn-project.h"
#include "nn-prune-schedule.h"
#include "nn-train-types.h"

#include <math.h>
#include <string.h>

/* DSPs that may remain, of those there were, for snapping alone to end the run. */
#define ENOUGH 0.05

static const char *const kind_names[] = { "baseline", "prune", "snap", "share" };

const char *
nn_step_kind_name (NnStepKind kind)
{
  g_return_val_if_fail ((guint) kind < G_N_ELEMENTS (kind_names), NULL);
  return kind_names[kind];
}

/* Adds a finished step, tells whoever listens, and writes it down before the next begins. */
static gboolean
add_step (NnPruneRun *run,
          NnStep     *step,
          GError    **error)
{
  const NnPruneOptions *o = run->options;

  nn_trail_take (run->trail, step);
  if (o->on_step != NULL)
    o->on_step (step, o->on_step_data);
  if (o->checkpoint != NULL)
    {
      g_autoptr (NnProject) project = nn_project_of_run (run->model, run->config, run->data, o, run->trail);

      return nn_project_save (project, o->checkpoint, error);
    }
  return TRUE;
}

static gboolean
add_baseline (NnPruneRun *run,
              GError    **error)
{
  gint64 started = g_get_monotonic_time ();
  g_autoptr (NnGroups) groups = nn_prune_groups (run, run->model, run->options->seed, error);
  NnStep *step;

  if (groups == NULL)
    return FALSE;
  step = g_new0 (NnStep, 1);
  step->model = nn_model_ref ((NnModel *) run->model);
  step->kind = NN_STEP_BASELINE;
  step->n_groups = groups->n_groups;
  for (gsize g = 0; g < groups->n_groups; g++)
    step->n_kept += groups->groups[g].kept;
  step->accepted = TRUE;
  if (!nn_prune_measure (run, run->model, step, error))
    {
      nn_step_free (step);
      return FALSE;
    }
  if (!isfinite (step->accuracy))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "the network's outputs on the validation data are not finite numbers");
      nn_step_free (step);
      return FALSE;
    }
  step->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
  return add_step (run, step, error);
}

/* What there is to cut, measured on the network as given. */
static gboolean
take_stock (NnPruneRun *run,
            GError    **error)
{
  const NnStep *baseline = nn_trail_step (run->trail, 0);
  g_autoptr (NnGroups) groups = nn_prune_groups (run, run->model, run->options->seed, error), now = NULL;
  double present[NN_N_OBJECTIVES] = { 0 };
  gboolean any = FALSE;

  if (groups == NULL || (now = nn_prune_groups_now (run, run->model, error)) == NULL)
    return FALSE;
  for (gsize g = 0; g < now->n_groups; g++)
    for (guint j = 0; j < NN_N_OBJECTIVES; j++)
      present[j] += nn_group_cost (&now->groups[g], (NnObjective) j);
  run->n_nodes = groups->n_nodes;
  run->node_total = g_new0 (double, (gsize) groups->n_nodes * NN_N_OBJECTIVES);
  for (gsize g = 0; g < groups->n_groups; g++)
    for (guint j = 0; j < NN_N_OBJECTIVES; j++)
      {
        double cost = nn_group_cost (&groups->groups[g], (NnObjective) j);

        run->total[j] += cost;
        run->node_total[groups->groups[g].node * NN_N_OBJECTIVES + j] += cost;
      }
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    {
      run->fixed[j] = MAX (nn_prune_use (run, baseline, (NnObjective) j) - present[j], 0);
      any = any || ((run->objectives >> j & 1) != 0 && run->total[j] > 0);
    }
  if (any)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
               "there is nothing to gain: with this configuration no group of weights takes any of the resource asked for "
               "(BRAM holds weights in the Resource strategy with a reuse factor above 1, where cycles follow from that factor alone; "
               "products of few bits take no DSP)");
  return FALSE;
}

/* Deepest of the accepted; with a budget, the most accurate that fits it. */
static void
choose_best (NnPruneRun *run)
{
  guint best = 0;
  gboolean best_fits = FALSE;

  for (guint i = 0; i < nn_trail_n_steps (run->trail); i++)
    {
      const NnStep *step = nn_trail_step (run->trail, i), *old = nn_trail_step (run->trail, best);
      gboolean fits = nn_prune_fits (run, step);

      if (run->options->schedule != NN_SCHEDULE_BUDGET)
        {
          if (step->accepted && (step->kind != NN_STEP_PRUNE || step->target >= old->target))
            best = i;
        }
      else if ((fits && !best_fits) || (fits == best_fits && (!fits || step->accuracy >= old->accuracy)))
        {
          best = i;
          best_fits = fits;
        }
    }
  nn_trail_set_chosen (run->trail, best);
}

static gboolean
run_loop (NnPruneRun *run,
          GError    **error)
{
  NnScheduler scheduler;
  double target;

  nn_scheduler_init (&scheduler, run->options);
  for (guint i = 1; i < nn_trail_n_steps (run->trail); i++)
    if (nn_trail_step (run->trail, i)->kind == NN_STEP_PRUNE)
      nn_scheduler_tell (&scheduler, nn_trail_step (run->trail, i)->target, nn_trail_step (run->trail, i)->accepted);
  while (nn_scheduler_next (&scheduler, &target))
    {
      NnStep *step;

      nn_progress_report (run->progress, (double) scheduler.n_steps / MAX (run->options->max_steps, 1), "pruning");
      step = nn_prune_trial (run, target, error);
      if (step == NULL)
        return FALSE;
      nn_scheduler_tell (&scheduler, target, step->accepted);
      choose_best (run);
      if (!add_step (run, step, error))
        return FALSE;
      choose_best (run);
    }
  return TRUE;
}

typedef NnStep *(*Stage) (const NnPruneRun *run, GError **error);

/* A stage after the loop, unless a resumed trail has it already. */
static gboolean
run_stage (NnPruneRun *run,
           NnStepKind  kind,
           Stage       stage,
           GError    **error)
{
  GError *local = NULL;
  NnStep *step;

  for (guint i = 0; i < nn_trail_n_steps (run->trail); i++)
    if (nn_trail_step (run->trail, i)->kind == kind)
      return TRUE;
  nn_progress_report (run->progress, 0.95, nn_step_kind_name (kind));
  step = stage (run, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  return step == NULL || add_step (run, step, error);
}

/* Where nothing but DSPs counts and no layer keeps weights in memory, moving weights may do without cutting any. */
static gboolean
snap_alone (NnPruneRun *run,
            gboolean   *done,
            GError    **error)
{
  const NnStep *baseline = nn_trail_step (run->trail, 0), *last;

  *done = FALSE;
  if (run->objectives != 1u << NN_OBJECTIVE_DSP || run->total[NN_OBJECTIVE_BRAM] > 0)
    return TRUE;
  if (nn_trail_n_steps (run->trail) == 1 && !run_stage (run, NN_STEP_SNAP, nn_prune_snap, error))
    return FALSE;
  last = nn_trail_step (run->trail, nn_trail_n_steps (run->trail) - 1);
  *done = last->kind == NN_STEP_SNAP && last->accepted &&
          last->resources.amount[NN_RESOURCE_DSP] <= ENOUGH * baseline->resources.amount[NN_RESOURCE_DSP];
  return TRUE;
}

static gboolean
run_all (NnPruneRun *run,
         GError    **error)
{
  gboolean done = FALSE;

  if (!take_stock (run, error) || (run->options->snap && !snap_alone (run, &done, error)))
    return FALSE;
  choose_best (run);
  if (done)
    return TRUE;
  if (!run_loop (run, error))
    return FALSE;
  choose_best (run);
  if (run->options->share && !run_stage (run, NN_STEP_SHARE, nn_prune_share, error))
    return FALSE;
  choose_best (run);
  if (run->options->snap &&
      !run_stage (run, NN_STEP_SNAP, run->objectives == 1u << NN_OBJECTIVE_DSP ? nn_prune_snap : nn_prune_finish, error))
    return FALSE;
  return TRUE;
}

static gboolean
check_weights (const NnPruneOptions *options,
               GError              **error)
{
  gboolean any = FALSE, good = options->weights[NN_OBJECTIVE_WEIGHTED] == 0;

  for (guint j = 0; j < NN_OBJECTIVE_WEIGHTED; j++)
    {
      any = any || options->weights[j] > 0;
      good = good && options->weights[j] >= 0 && isfinite (options->weights[j]);
    }
  if (any && good)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "the objective \"weighted\" needs weights of other objectives, none of them negative");
  return FALSE;
}

static gboolean
set_up (NnPruneRun     *run,
        const NnConfig *config,
        NnPruneOptions *options,
        GError        **error)
{
  guint limited = 0;

  if (!nn_train_supported (run->model, error))
    return FALSE;
  if (nn_dataset_n (run->data, NN_SPLIT_TRAIN) == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the data has no training part");
      return FALSE;
    }
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    if (nn_prune_limit (options, (NnObjective) j) >= 0)
      limited |= 1u << j;
  run->objectives = options->objective | limited;
  if (limited != 0 && (options->objective & ~limited) == 0)
    options->schedule = NN_SCHEDULE_BUDGET;
  else if (limited == 0 && options->schedule == NN_SCHEDULE_BUDGET)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the schedule \"budget\" needs a budget");
      return FALSE;
    }
  if ((run->objectives >> NN_OBJECTIVE_WEIGHTED & 1) != 0 && !check_weights (options, error))
    return FALSE;
  if (run->objectives == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "no objective is given: what should fall?");
      return FALSE;
    }
  run->config = nn_config_copy (config);
  if (options->part != NULL)
    nn_config_set_part (run->config, options->part);
  if (nn_config_part (run->config) != NULL)
    run->part = nn_part_find (nn_config_part (run->config), NULL);
  return TRUE;
}

/**
 * nn_prune:
 *
 * Raises the target, chooses the groups to keep by a knapsack over all layers (or each), masks the rest, fine-tunes with the
 * masks held and the group regulariser on, and accepts while validation accuracy is within the tolerance; a failed target is
 * approached again from below, until `bad_trials` fail in a row. The same inputs, options and thread count give the same bits.
 *
 * Errors: %NN_ERROR_UNSUPPORTED when a layer cannot be trained or nothing can be gained, those of the design and the data
 * Source: hls4ml's DSP-aware pruning (arXiv:2308.05170)
 */
NnTrail *
nn_prune (const NnModel        *model,
          const NnConfig       *config,
          const NnDataset      *data,
          const NnPruneOptions *options,
          const NnProgress     *progress,
          GCancellable         *cancellable,
          GError              **error)
{
  NnPruneOptions o = *options;
  NnPruneRun run = { .model = model, .data = data, .options = &o, .cancellable = cancellable, .progress = progress };
  g_autofree char *json = nn_prune_options_to_json (options);
  g_autoptr (GArray) types = NULL;
  GError *local = NULL;
  gboolean done = FALSE;

  if (set_up (&run, config, &o, &local))
    {
      if (o.quantized)
        {
          types = nn_train_types_new (run.config, model);
          o.train.types = (const NnTrainType *) (gpointer) types->data;
          o.train.n_types = types->len;
        }
      run.trail = o.resume != NULL ? nn_trail_head (o.resume, nn_trail_n_steps (o.resume)) : nn_trail_new (json);
      if (o.branch > 0)
        nn_trail_set_options (run.trail, json);
      done = (nn_trail_n_steps (run.trail) > 0 || add_baseline (&run, &local)) && run_all (&run, &local);
    }
  if (run.trail != NULL && nn_trail_n_steps (run.trail) > 0)
    choose_best (&run);
  g_clear_pointer (&run.config, nn_config_unref);
  g_free (run.node_total);
  if (!done && run.trail != NULL && nn_trail_n_steps (run.trail) > 0 && g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      nn_trail_set_cancelled (run.trail, TRUE);
      g_clear_error (&local);
      done = TRUE;
    }
  if (!done)
    {
      g_clear_pointer (&run.trail, nn_trail_unref);
      g_propagate_error (error, local);
    }
  else
    nn_progress_report (progress, 1, "done");
  return run.trail;
}
