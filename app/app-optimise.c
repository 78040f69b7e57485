/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize. */

#include "app-optimise.h"

#include <glib/gi18n.h>

typedef struct {
  NnModel           *model;
  NnConfig          *config;
  NnDataset         *data;
  AppOptimiseChoices choices;
} Input;

static void
input_free (Input *input)
{
  nn_model_unref (input->model);
  nn_config_unref (input->config);
  nn_dataset_unref (input->data);
  g_free (input);
}

AppStepItem *
app_step_item_new (const NnStep *step)
{
  AppStepItem *item = g_new0 (AppStepItem, 1);

  item->step = *step;
  item->model = step->model != NULL ? nn_model_ref (step->model) : NULL;
  item->step.model = item->model;
  return item;
}

AppStepItem *
app_step_item_copy (const AppStepItem *item)
{
  return app_step_item_new (&item->step);
}

void
app_step_item_free (AppStepItem *item)
{
  g_clear_pointer (&item->model, nn_model_unref);
  g_free (item);
}

/* On the job's thread. */
static void
on_step (const NnStep *step,
         gpointer      data)
{
  app_job_post (data, app_step_item_new (step), (GDestroyNotify) app_step_item_free);
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  const AppOptimiseChoices *choices = &input->choices;
  NnPruneOptions options;

  nn_prune_options_init (&options);
  options.objective = choices->objective;
  options.tolerance = choices->tolerance;
  options.structure = choices->structure;
  options.importance = choices->importance;
  options.schedule = choices->schedule;
  options.step = choices->step;
  options.max_steps = choices->max_steps;
  options.bad_trials = choices->bad_trials;
  options.fine_tune_epochs = choices->epochs;
  options.local = choices->local;
  options.seed = choices->seed;
  options.train.seed = choices->seed;
  options.on_step = on_step;
  options.on_step_data = job;
  return nn_prune (input->model, input->config, input->data, &options, progress, cancellable, error);
}

void
app_optimise_choices_init (AppOptimiseChoices *choices)
{
  NnPruneOptions options;

  nn_prune_options_init (&options);
  choices->objective = options.objective;
  choices->tolerance = options.tolerance;
  choices->structure = options.structure;
  choices->importance = options.importance;
  choices->schedule = options.schedule;
  choices->step = options.step;
  choices->max_steps = options.max_steps;
  choices->bad_trials = options.bad_trials;
  choices->epochs = options.fine_tune_epochs;
  choices->local = options.local;
  choices->seed = options.seed;
}

AppJob *
app_optimise_job (NnModel                  *model,
                  NnConfig                 *config,
                  NnDataset                *data,
                  const AppOptimiseChoices *choices)
{
  Input *input = g_new0 (Input, 1);

  input->model = nn_model_ref (model);
  input->config = nn_config_ref (config);
  input->data = nn_dataset_ref (data);
  input->choices = *choices;
  return app_job_new (_("Optimizing"), work, input, (GDestroyNotify) input_free, (GDestroyNotify) nn_trail_unref);
}
