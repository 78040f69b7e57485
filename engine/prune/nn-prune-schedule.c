/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules of the target: constant, polynomial, binary, and straight to a budget. */

#include "nn-prune-schedule.h"

#include <math.h>

/* Targets nearer than this to a failed one are not tried. */
#define SMALLEST_STEP 0.004
/* Of the polynomial [Zhu and Gupta 2017, eq. 1]. */
#define POWER 3.0

static const char *const names[] = { "constant", "polynomial", "binary", "budget" };

const char *
nn_schedule_name (NnSchedule schedule)
{
  g_return_val_if_fail ((guint) schedule < G_N_ELEMENTS (names), NULL);
  return names[schedule];
}

gboolean
nn_schedule_find (const char *name,
                  NnSchedule *schedule)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_ascii_strcasecmp (names[i], name) == 0)
      {
        *schedule = (NnSchedule) i;
        return TRUE;
      }
  return FALSE;
}

void
nn_scheduler_init (NnScheduler          *s,
                   const NnPruneOptions *options)
{
  *s = (NnScheduler) { .options = options, .high = INFINITY, .step = options->step };
}

void
nn_scheduler_tell (NnScheduler *s,
                   double       target,
                   gboolean     accepted)
{
  s->n_steps++;
  if (accepted)
    {
      s->low = MAX (s->low, target);
      s->bad = 0;
    }
  else
    {
      s->high = MIN (s->high, target);
      s->step *= 0.5;
      s->bad++;
    }
}

/* What the schedule would take had nothing failed. */
static double
plain_target (const NnScheduler *s)
{
  const NnPruneOptions *o = s->options;
  double t;

  switch (o->schedule)
    {
    case NN_SCHEDULE_CONSTANT:
      return s->n_steps == 0 ? o->first_target : s->low + s->step;
    case NN_SCHEDULE_BINARY:
      return s->n_steps == 0 ? o->first_target : (s->low + o->max_target) / 2;
    case NN_SCHEDULE_POLYNOMIAL:
      t = MIN ((double) s->n_steps / MAX (o->max_steps / 2, 1), 1);
      t = o->max_target - (o->max_target - o->first_target) * pow (1 - t, POWER);
      return MAX (t, MIN (s->low + SMALLEST_STEP, o->max_target));
    case NN_SCHEDULE_BUDGET:
      break;
    }
  return MIN ((double) (s->n_steps + 1) / MAX (o->max_steps, 1), 1);
}

gboolean
nn_scheduler_next (const NnScheduler *s,
                   double            *target)
{
  const NnPruneOptions *o = s->options;

  if (s->n_steps >= o->max_steps)
    return FALSE;
  if (o->schedule == NN_SCHEDULE_BUDGET)
    {
      *target = plain_target (s);
      return TRUE;
    }
  if (s->bad >= MAX (o->bad_trials, 1) || s->low >= o->max_target - 1e-12)
    return FALSE;
  *target = MIN (plain_target (s), o->max_target);
  if (*target > s->high - SMALLEST_STEP / 2)
    *target = (s->low + s->high) / 2;
  return *target - s->low >= SMALLEST_STEP / 2;
}
