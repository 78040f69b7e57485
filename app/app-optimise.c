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
  GPtrArray         *beside; /* NnTrail */
  NnTrail           *head;
  char              *checkpoint, *data_spec, *data_options, *notes;
} Input;

static void
input_free (Input *input)
{
  nn_model_unref (input->model);
  nn_config_unref (input->config);
  nn_dataset_unref (input->data);
  g_clear_pointer (&input->choices.layers, g_hash_table_unref);
  g_clear_pointer (&input->pins, g_hash_table_unref);
  g_clear_pointer (&input->head, nn_trail_unref);
  g_ptr_array_unref (input->beside);
  g_free (input->checkpoint);
  g_free (input->data_spec);
  g_free (input->data_options);
  g_free (input->notes);
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
  gboolean any = input->pins != NULL && g_hash_table_size (input->pins) > 0;
  g_autoptr (NnGroups) groups = any ? nn_prune_options_groups (options, input->model, input->config, NULL) : NULL;
  gint8 *pins;

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

/* Layers left alone and layers of a structure of their own. @leave: (element-type utf8), ends with NULL; borrows the names */
static void
take_layers (GHashTable      *layers,
             NnPruneOptions  *options,
             GPtrArray       *leave)
{
  GHashTableIter iter;
  gpointer name, structure;

  if (layers == NULL)
    return;
  options->layer_structures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_iter_init (&iter, layers);
  while (g_hash_table_iter_next (&iter, &name, &structure))
    if (GPOINTER_TO_INT (structure) == NN_STRUCTURE_NONE)
      g_ptr_array_add (leave, name);
    else
      g_hash_table_insert (options->layer_structures, g_strdup (name), structure);
  if (leave->len > 0)
    {
      g_ptr_array_add (leave, NULL);
      options->leave = (const char *const *) leave->pdata;
    }
}

static void
take_choices (const AppOptimiseChoices *choices,
              NnPruneOptions           *options)
{
  options->objective = choices->objective;
  options->tolerance = choices->tolerance;
  memcpy (options->limits, choices->limits, sizeof options->limits);
  memcpy (options->weights, choices->weights, sizeof options->weights);
  options->structure = choices->structure;
  options->importance = choices->importance;
  options->schedule = choices->schedule;
  options->step = choices->step;
  options->max_steps = choices->max_steps;
  options->bad_trials = choices->bad_trials;
  options->fine_tune_epochs = choices->epochs;
  options->rewind_epochs = choices->regrowth;
  options->local = choices->local;
  options->snap = choices->snap;
  options->share = choices->merge;
  options->quantized = choices->quantized;
}

/* A branch goes on from figures of the hardware as it was: with another they could not be compared. */
static gboolean
check_head (const Input  *input,
            GError      **error)
{
  const NnStep *base = nn_trail_step (input->head, 0);
  g_autoptr (NnConfig) config = nn_config_for_pruned (input->config, base->model, error);
  g_autoptr (NnDesign) design = config != NULL ? nn_design_new (base->model, config, error) : NULL;
  g_autoptr (NnEstimate) estimate = design != NULL ? nn_estimate (design, nn_estimate_part (config), error) : NULL;

  if (estimate == NULL)
    return FALSE;
  for (NnResource r = 0; r < NN_N_RESOURCES; r++)
    if (estimate->total.resource[r].value != base->resources.amount[r])
      {
        g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                             _("The hardware is set otherwise than when this run began. Undo that first, or begin a new run."));
        return FALSE;
      }
  return TRUE;
}

/* One run; what was there before it, and the seeds that are over, stay in the file that a crash would leave behind. */
static NnTrail *
run_trial (const Input       *input,
           NnPruneOptions    *options,
           GPtrArray         *trails,
           Trial             *trial,
           GCancellable      *cancellable,
           GError           **error)
{
  NnProgress part = { .report = on_progress, .data = trial };
  g_autoptr (GPtrArray) beside = g_ptr_array_new ();

  g_ptr_array_extend (beside, input->beside, NULL, NULL);
  g_ptr_array_extend (beside, trails, NULL, NULL);
  options->beside = (NnTrail *const *) beside->pdata;
  options->n_beside = beside->len;
  options->seed = options->train.seed = input->choices.seed + trial->trial;
  options->resume = input->head;
  options->branch = input->head != NULL ? nn_trail_n_steps (input->head) : 0;
  for (guint s = 0; s < options->branch; s++)
    on_step (nn_trail_step (input->head, s), trial);
  return nn_prune (input->model, input->config, input->data, options, &part, cancellable, error);
}

static gpointer
work (AppJob           *job,
      gpointer          data,
      const NnProgress *progress,
      GCancellable     *cancellable,
      GError          **error)
{
  const Input *input = data;
  g_autofree gint8 *pins = NULL;
  g_autoptr (GPtrArray) trails = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_trail_unref), leave = g_ptr_array_new ();
  Trial trial = { .job = job, .progress = progress, .n_trials = MAX (input->choices.n_seeds, 1) };
  g_auto (NnPruneOptions) options = { 0 };

  nn_prune_options_init (&options);
  take_choices (&input->choices, &options);
  take_layers (input->choices.layers, &options, leave);
  options.checkpoint = input->checkpoint;
  options.data_spec = input->data_spec;
  options.data_options = input->data_options;
  options.notes = input->notes;
  pins = find_pins (input, &options, &options.n_pins);
  options.pins = pins;
  options.on_step = on_step;
  options.on_step_data = &trial;
  if (input->head != NULL && !check_head (input, error))
    return NULL;
  for (trial.trial = 0; trial.trial < trial.n_trials && !g_cancellable_is_cancelled (cancellable); trial.trial++)
    {
      NnTrail *trail = run_trial (input, &options, trails, &trial, cancellable, error);

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
  choices->merge = options.share;
  choices->quantized = options.quantized;
  choices->regrowth = options.rewind_epochs;
  memcpy (choices->weights, options.weights, sizeof options.weights);
  choices->weights[NN_OBJECTIVE_DSP] = 1; /* what a weighted sum begins with */
  choices->layers = NULL;
  choices->seed = options.seed;
  choices->n_seeds = 1;
}

AppJob *
app_optimise_job (const AppOptimiseTask    *task,
                  const AppOptimiseChoices *choices)
{
  Input *input = g_new0 (Input, 1);

  input->model = nn_model_ref (task->model);
  input->config = nn_config_ref (task->config);
  input->data = nn_dataset_ref (task->data);
  input->choices = *choices;
  if (choices->layers != NULL)
    g_hash_table_ref (choices->layers);
  input->pins = task->pins != NULL ? g_hash_table_ref (task->pins) : NULL;
  input->head = task->head != NULL ? nn_trail_ref (task->head) : NULL;
  input->beside = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_trail_unref);
  for (guint i = 0; task->runs != NULL && i < task->runs->len; i++)
    g_ptr_array_add (input->beside, nn_trail_ref (((AppRun *) task->runs->pdata[i])->trail));
  input->checkpoint = g_strdup (task->checkpoint);
  input->data_spec = g_strdup (task->data_spec);
  input->data_options = g_strdup (task->data_options);
  input->notes = g_strdup (task->notes);
  return app_job_new (_("Optimizing"), work, input, (GDestroyNotify) input_free, (GDestroyNotify) g_ptr_array_unref);
}
