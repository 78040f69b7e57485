/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of the verb prune: their defaults, which of them go together, and what they say to the run. */

#include "cli-prune-options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where the run has a value too, it is nn_prune_options_init()'s. */
const CliPruneOptions cli_prune_defaults = {
  .tolerance = 0.01, .first = 0.5, .step = 0.05, .max_target = 0.98, .regularize = -1, .time_limit = 10, .rate = 2e-3,
  .validation = 0.2, .max_steps = 20, .bad_trials = 3, .epochs = 15, .batch = 128, .from_step = -1,
};

/* How data are read and where results go may be said of every run; the network's hardware and groups stay those of its project. */
static const char *const always[] = { "data", "output", "model", "x", "y", "label", "val-split", "test-split", "max-samples", "divide", "standardize", "raw", "resume", "from-step", "replay", NULL };
static const char *const never[] = { "config", "part", "keep", "cut", "weights", NULL };

void
cli_prune_options_clear (CliPruneOptions *o)
{
  char **texts[] = { &o->data, &o->x, &o->y, &o->label, &o->weights, &o->config, &o->output, &o->part, &o->model_out,
                     &o->objective, &o->budget, &o->structure, &o->importance, &o->schedule, &o->block, &o->weigh, &o->keep, &o->cut };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (*texts[i]);
  g_strfreev (o->leave);
  g_strfreev (o->layer_structure);
}

/* Whether the user gave @entry a value other than its default. */
static gboolean
is_given (const GOptionEntry    *entry,
          const CliPruneOptions *o)
{
  gsize offset = (gsize) ((const char *) entry->arg_data - (const char *) o);
  gconstpointer usual = G_STRUCT_MEMBER_P (&cli_prune_defaults, offset);

  switch (entry->arg)
    {
    case G_OPTION_ARG_DOUBLE:
      return *(const double *) entry->arg_data != *(const double *) usual;
    case G_OPTION_ARG_INT:
    case G_OPTION_ARG_NONE:
      return *(const gint *) entry->arg_data != *(const gint *) usual;
    default:
      return *(const gpointer *) entry->arg_data != NULL;
    }
}

/* The first option that a run which was begun before leaves no room for. */
static const char *
first_misplaced (const CliPruneOptions *o,
                 const GOptionEntry    *entries)
{
  gboolean branches = o->from_step >= 0;

  for (const GOptionEntry *e = entries; e->long_name != NULL; e++)
    if (!g_strv_contains (always, e->long_name) && is_given (e, o) && (!branches || g_strv_contains (never, e->long_name)))
      return e->long_name;
  return NULL;
}

gboolean
cli_prune_options_check (const CliPruneOptions *o,
                         const GOptionEntry    *entries)
{
  const char *wrong = NULL, *misplaced = o->resume || o->replay ? first_misplaced (o, entries) : NULL;

  if (misplaced != NULL)
    {
      g_printerr ("espalier-cli prune: --%s does not go with %s: %s\n", misplaced, o->replay ? "--replay" : "--resume",
                  o->from_step >= 0 ? "a branch keeps the hardware of its project"
                                    : "the run goes by the options it was begun with (--from-step N branches with others)");
      return FALSE;
    }

  if (o->resume && o->replay)
    wrong = "--resume or --replay, not both";
  else if (o->from_step >= 0 && !o->resume)
    wrong = "--from-step goes with --resume, on the project of the run";
  else if (o->data == NULL && !o->resume && !o->replay)
    wrong = "--data DATA is needed";
  else if (o->output == NULL && !o->resume && !o->replay)
    wrong = "--output PROJECT.espalier is needed";
  else if (!(o->tolerance >= 0 && o->tolerance <= 1))
    wrong = "--tolerance is from 0 to 1 (0.01 for 1 %)";
  else if (!(o->first > 0 && o->first <= 1 && o->max_target > 0 && o->max_target <= 1 && o->step > 0 && o->step <= 1))
    wrong = "--first-target, --max-target and --step are fractions from 0 to 1";
  else if (o->max_steps < 1 || o->bad_trials < 1 || o->epochs < 0 || o->rewind < 0 || o->batch < 1)
    wrong = "--max-steps, --bad-trials and --batch are 1 or more, --epochs and --rewind-epochs 0 or more";
  else if (!(o->rate > 0 && isfinite (o->rate)) || !(o->gap >= 0) || !(o->time_limit >= 0) ||
           !(o->validation >= 0 && o->validation < 1))
    wrong = "--lr is positive, --gap and --time-limit are not negative, --val-split is from 0 to below 1";
  if (wrong != NULL)
    g_printerr ("espalier-cli prune: %s\n", wrong);
  return wrong == NULL;
}

static gboolean
find_words (const CliPruneOptions  *o,
            NnPruneOptions *p,
            GError        **error)
{
  const char *bad = NULL;

  if (o->objective != NULL && !nn_objectives_parse (o->objective, &p->objective, error))
    return FALSE;
  /* A budget says all by itself what should fall; with weights their sum does. */
  if (o->objective == NULL && (o->budget != NULL || o->weigh != NULL))
    p->objective = 0;
  if (o->weigh != NULL && !cli_parse_weights (o->weigh, p->weights, error))
    return FALSE;
  if (o->weigh != NULL)
    p->objective |= 1u << NN_OBJECTIVE_WEIGHTED;
  if (o->structure != NULL && !nn_structure_find (o->structure, &p->structure))
    bad = o->structure;
  else if (o->importance != NULL && !nn_importance_find (o->importance, &p->importance))
    bad = o->importance;
  else if (o->schedule != NULL && !nn_schedule_find (o->schedule, &p->schedule))
    bad = o->schedule;
  else if (o->block != NULL && sscanf (o->block, "%ux%u", &p->block_in, &p->block_out) != 2)
    bad = o->block;
  for (guint i = 0; o->layer_structure != NULL && o->layer_structure[i] != NULL && bad == NULL; i++)
    if (!cli_add_structure (o->layer_structure[i], &p->layer_structures))
      bad = o->layer_structure[i];
  if (bad != NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "\"%s\" is none of the words that --help lists", bad);
  return bad == NULL;
}

gboolean
cli_prune_options_take (const CliPruneOptions *o,
                        NnPruneOptions        *p,
                        GError               **error)
{
#define TAKE(option, field) \
  if (o->option != cli_prune_defaults.option) \
    p->field = o->option
  TAKE (tolerance, tolerance);
  TAKE (first, first_target);
  TAKE (step, step);
  TAKE (max_target, max_target);
  TAKE (max_steps, max_steps);
  TAKE (bad_trials, bad_trials);
  TAKE (epochs, fine_tune_epochs);
  TAKE (rewind, rewind_epochs);
  TAKE (lottery, rewind_weights);
  TAKE (quantized, quantized);
  TAKE (regularize, regularize);
  TAKE (local, local);
  TAKE (snap, snap);
  TAKE (share, share);
  TAKE (gap, knapsack.gap);
  TAKE (time_limit, knapsack.time_limit);
  TAKE (batch, train.batch);
  TAKE (rate, train.learning_rate);
  TAKE (part, part);
#undef TAKE
  p->first_target = MIN (p->first_target, p->max_target);
  if (o->leave != NULL)
    p->leave = (const char *const *) o->leave;
  return find_words (o, p, error);
}
