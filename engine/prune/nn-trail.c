/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history of an optimisation. */

#include "nn-trail-private.h"

struct _NnTrail {
  gatomicrefcount ref_count;
  GPtrArray      *steps;
  char           *options;
  guint           chosen;
  gboolean        cancelled;
};

G_DEFINE_BOXED_TYPE (NnTrail, nn_trail, nn_trail_ref, nn_trail_unref)

void
nn_step_free (NnStep *step)
{
  if (step == NULL)
    return;
  nn_model_unref (step->model);
  g_free (step);
}

NnTrail *
nn_trail_new (const char *options_json)
{
  NnTrail *trail = g_new0 (NnTrail, 1);

  g_atomic_ref_count_init (&trail->ref_count);
  trail->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_step_free);
  trail->options = g_strdup (options_json);
  return trail;
}

NnTrail *
nn_trail_ref (NnTrail *trail)
{
  g_atomic_ref_count_inc (&trail->ref_count);
  return trail;
}

void
nn_trail_unref (NnTrail *trail)
{
  if (trail == NULL || !g_atomic_ref_count_dec (&trail->ref_count))
    return;
  g_ptr_array_unref (trail->steps);
  g_free (trail->options);
  g_free (trail);
}

void
nn_trail_take (NnTrail *trail,
               NnStep  *step)
{
  g_ptr_array_add (trail->steps, step);
}

void
nn_trail_set_chosen (NnTrail *trail,
                     guint    chosen)
{
  trail->chosen = chosen;
}

void
nn_trail_set_cancelled (NnTrail *trail,
                        gboolean cancelled)
{
  trail->cancelled = cancelled;
}

guint
nn_trail_n_steps (const NnTrail *trail)
{
  return trail->steps->len;
}

const NnStep *
nn_trail_step (const NnTrail *trail,
               guint          i)
{
  g_return_val_if_fail (i < trail->steps->len, NULL);
  return g_ptr_array_index (trail->steps, i);
}

guint
nn_trail_chosen (const NnTrail *trail)
{
  return trail->chosen;
}

gboolean
nn_trail_was_cancelled (const NnTrail *trail)
{
  return trail->cancelled;
}

const char *
nn_trail_options (const NnTrail *trail)
{
  return trail->options;
}

void
nn_trail_set_options (NnTrail    *trail,
                      const char *options_json)
{
  g_free (trail->options);
  trail->options = g_strdup (options_json);
}

NnTrail *
nn_trail_head (const NnTrail *trail,
               guint          n_steps)
{
  NnTrail *head = nn_trail_new (trail->options);

  for (guint i = 0; i < MIN (n_steps, trail->steps->len); i++)
    {
      NnStep *step = g_memdup2 (g_ptr_array_index (trail->steps, i), sizeof (NnStep));

      nn_model_ref (step->model);
      nn_trail_take (head, step);
      if (step->accepted)
        head->chosen = i;
    }
  return head;
}
