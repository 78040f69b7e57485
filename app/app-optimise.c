/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Optimize. */

#include "app-optimise.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
  NnModel           *model;
  NnConfig          *config;
  NnDataset         *data;
  AppOptimiseChoices choices;
  GHashTable        *pins;
  char              *checkpoint, *data_spec;
} Input;

static void
input_free (Input *input)
{
  nn_model_unref (input->model);
  nn_config_unref (input->config);
  nn_dataset_unref (input->data);
  g_clear_pointer (&input->pins, g_hash_table_unref);
  g_free (input->checkpoint);
  g_free (input->data_spec);
  g_free (input);
}

AppStepItem *
app_step_item_new (const NnStep *step,
                   guint         trial)
{
  AppStepItem *item = g_new0 (AppStepItem, 1);

  item->step = *step;
  item->model = step->model != NULL ? nn_model_ref (step->model) : NULL;
  item->step.model = item->model;
  item->trial = trial;
  return item;
}

AppStepItem *
app_step_item_copy (const AppStepItem *item)
{
  return app_step_item_new (&item->step, item->trial);
}

void
app_step_item_free (AppStepItem *item)
{
  g_clear_pointer (&item->model, nn_model_unref);
  g_free (item);
}

/* One of several runs, and its share of the job's progress. */
typedef struct {
  AppJob           *job;
  const NnProgress *progress;
  guint             trial, n_trials;
} Trial;

/* On the job's thread. */
static void
on_step (const NnStep *step,
         gpointer      data)
{
  const Trial *trial = data;

  app_job_post (trial->job, app_step_item_new (step, trial->trial), (GDestroyNotify) app_step_item_free);
}

static void
on_progress (double      fraction,
             const char *what,
             gpointer    data)
{
  const Trial *trial = data;
  g_autofree char *text = trial->n_trials > 1 ? g_strdup_printf (_("run %u of %u: %s"), trial->trial + 1, trial->n_trials, what) : NULL;

  nn_progress_report (trial->progress, fraction < 0 ? fraction : (trial->trial + fraction) / trial->n_trials, text != NULL ? text : what);
}

char *
app_pin_key (const NnGroups *groups,
             const NnGroup  *group)
{
  return g_strdup_printf ("%u:%u", group->weight, group->n > 0 ? groups->indices[group->first] : 0);
}

/* By group, in the order in which the run will list them. */
static gint8 *
find_pins (const Input          *input,
           const NnPruneOptions *options,
           gsize                *n)
{
  g_autoptr (NnDesign) design = input->pins != NULL && g_hash_table_size (input->pins) > 0
                                  ? nn_design_new (input->model, input->config, NULL) : NULL;
  g_autoptr (NnGroups) groups = NULL;
  NnGroupOptions group_options;
  gint8 *pins;

  if (design == NULL)
    return NULL;
  nn_group_options_init (&group_options);
  group_options.structure = options->structure;
  group_options.block_in = options->block_in;
  group_options.block_out = options->block_out;
  group_options.for_bram = (options->objective >> NN_RESOURCE_BRAM & 1) != 0;
  group_options.as_trained = TRUE;
  group_options.objectives = options->objective;
  groups = nn_groups_new_full (design, &group_options, NULL);
  if (groups == NULL)
    return NULL;
  *n = groups->n_groups;
  pins = g_new0 (gint8, MAX (*n, 1));
  for (gsize g = 0; g < *n; g++)
    {
      g_autofree char *key = app_pin_key (groups, &groups->groups[g]);

      pins[g] = g_hash_table_contains (input->pins, key) ? 1 : 0;
    }
  return pins;
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
  g_autofree gint8 *pins = NULL;
  g_autoptr (GPtrArray) trails = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_trail_unref);
  Trial trial = { .job = job, .progress = progress, .n_trials = MAX (choices->n_seeds, 1) };
  NnPruneOptions options;

  nn_prune_options_init (&options);
  options.objective = choices->objective;
  options.tolerance = choices->tolerance;
  memcpy (options.limits, choices->limits, sizeof options.limits);
  options.structure = choices->structure;
  options.importance = choices->importance;
  options.schedule = choices->schedule;
  options.step = choices->step;
  options.max_steps = choices->max_steps;
  options.bad_trials = choices->bad_trials;
  options.fine_tune_epochs = choices->epochs;
  options.local = choices->local;
  options.snap = choices->snap;
  options.checkpoint = input->checkpoint;
  options.data_spec = input->data_spec;
  pins = find_pins (input, &options, &options.n_pins);
  options.pins = pins;
  options.on_step = on_step;
  options.on_step_data = &trial;
  for (trial.trial = 0; trial.trial < trial.n_trials && !g_cancellable_is_cancelled (cancellable); trial.trial++)
    {
      NnProgress part = { .report = on_progress, .data = &trial };
      NnTrail *trail;

      options.seed = options.train.seed = choices->seed + trial.trial;
      trail = nn_prune (input->model, input->config, input->data, &options, &part, cancellable, error);
      if (trail == NULL)
        break;
      g_ptr_array_add (trails, trail);
    }
  /* What was finished counts, also when a later run failed or was stopped. */
  if (trails->len == 0)
    return NULL;
  g_clear_error (error);
  return g_steal_pointer (&trails);
}

void
app_optimise_choices_init (AppOptimiseChoices *choices)
{
  NnPruneOptions options;

  nn_prune_options_init (&options);
  choices->objective = options.objective;
  choices->tolerance = options.tolerance;
  choices->goal = APP_GOAL_TOLERANCE;
  choices->share = 0.25;
  memcpy (choices->limits, options.limits, sizeof options.limits);
  choices->structure = options.structure;
  choices->importance = options.importance;
  choices->schedule = options.schedule;
  choices->step = options.step;
  choices->max_steps = options.max_steps;
  choices->bad_trials = options.bad_trials;
  choices->epochs = options.fine_tune_epochs;
  choices->local = options.local;
  choices->snap = options.snap;
  choices->seed = options.seed;
  choices->n_seeds = 1;
}

AppJob *
app_optimise_job (NnModel                  *model,
                  NnConfig                 *config,
                  NnDataset                *data,
                  const AppOptimiseChoices *choices,
                  GHashTable               *pins,
                  const char               *checkpoint,
                  const char               *data_spec)
{
  Input *input = g_new0 (Input, 1);

  input->model = nn_model_ref (model);
  input->config = nn_config_ref (config);
  input->data = nn_dataset_ref (data);
  input->choices = *choices;
  input->pins = pins != NULL ? g_hash_table_ref (pins) : NULL;
  input->checkpoint = g_strdup (checkpoint);
  input->data_spec = g_strdup (data_spec);
  return app_job_new (_("Optimizing"), work, input, (GDestroyNotify) input_free, (GDestroyNotify) g_ptr_array_unref);
}
