/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a document is at one moment. */

#include "app-state.h"


/* What the run was asked for but for its seed, and what it began with. */
static char *
study_key (const NnPruneOptions *options,
           const NnTrail        *trail)
{
  const NnStep *base = nn_trail_n_steps (trail) > 0 ? nn_trail_step (trail, 0) : NULL;
  NnPruneOptions plain = *options;
  g_autofree char *json = NULL;
  g_autoptr (GString) key = NULL;

  plain.seed = plain.train.seed = 0;
  json = nn_prune_options_to_json (&plain);
  key = g_string_new (json);
  for (guint r = 0; base != NULL && r < NN_N_RESOURCES; r++)
    g_string_append_printf (key, " %.0f", base->resources.amount[r]);
  if (base != NULL)
    g_string_append_printf (key, " %.9g", base->accuracy);
  return g_string_free (g_steal_pointer (&key), FALSE);
}

AppRun *
app_run_new (NnTrail *trail)
{
  AppRun *run = g_new0 (AppRun, 1);
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
  g_auto (NnPruneOptions) options = { 0 };

  g_atomic_ref_count_init (&run->ref_count);
  run->trail = nn_trail_ref (trail);
  nn_prune_options_init (&options);
  if (nn_trail_options (trail) != NULL && !nn_prune_options_from_json (&options, nn_trail_options (trail), hold, NULL))
    {
      nn_prune_options_clear (&options);
      nn_prune_options_init (&options);
    }
  run->study = nn_trail_options (trail) != NULL ? study_key (&options, trail) : g_strdup_printf ("%p", (gpointer) trail);
  run->tolerance = options.tolerance;
  run->seed = options.seed;
  return run;
}

AppRun *
app_run_ref (AppRun *run)
{
  g_atomic_ref_count_inc (&run->ref_count);
  return run;
}

void
app_run_unref (AppRun *run)
{
  if (!g_atomic_ref_count_dec (&run->ref_count))
    return;
  nn_trail_unref (run->trail);
  g_free (run->study);
  g_free (run);
}

AppState *
app_state_new (void)
{
  AppState *state = g_new0 (AppState, 1);

  g_atomic_ref_count_init (&state->ref_count);
  state->runs = g_ptr_array_new_with_free_func ((GDestroyNotify) app_run_unref);
  state->run = -1;
  return state;
}

AppState *
app_state_copy (const AppState *state,
                const char     *label)
{
  AppState *copy = app_state_new ();

  copy->label = g_strdup (label);
  app_state_set_model (copy, state->model);
  app_state_set_config (copy, state->config);
  app_state_set_data (copy, state->data, state->data_spec);
  app_state_set_reading (copy, state->reading);
  for (guint i = 0; i < state->runs->len; i++)
    app_state_add_run (copy, g_ptr_array_index (state->runs, i));
  copy->run = state->run;
  copy->step = state->step;
  app_state_set_edited (copy, state->edited);
  copy->pins = state->pins != NULL ? g_hash_table_ref (state->pins) : NULL;
  return copy;
}

AppState *
app_state_ref (AppState *state)
{
  g_atomic_ref_count_inc (&state->ref_count);
  return state;
}

void
app_state_unref (AppState *state)
{
  if (!g_atomic_ref_count_dec (&state->ref_count))
    return;
  g_clear_pointer (&state->model, nn_model_unref);
  g_clear_pointer (&state->edited, nn_model_unref);
  g_clear_pointer (&state->pins, g_hash_table_unref);
  g_clear_pointer (&state->config, nn_config_unref);
  g_clear_pointer (&state->data, nn_dataset_unref);
  g_ptr_array_unref (state->runs);
  g_free (state->data_spec);
  nn_data_options_free (state->reading);
  g_free (state->label);
  g_free (state);
}

void
app_state_set_model (AppState *state,
                     NnModel  *model)
{
  if (model != NULL)
    nn_model_ref (model);
  g_clear_pointer (&state->model, nn_model_unref);
  state->model = model;
}

void
app_state_set_config (AppState *state,
                      NnConfig *config)
{
  if (config != NULL)
    nn_config_ref (config);
  g_clear_pointer (&state->config, nn_config_unref);
  state->config = config;
}

void
app_state_set_data (AppState   *state,
                    NnDataset  *data,
                    const char *spec)
{
  char *copy = g_strdup (spec);

  if (data != NULL)
    nn_dataset_ref (data);
  g_clear_pointer (&state->data, nn_dataset_unref);
  g_free (state->data_spec);
  state->data = data;
  state->data_spec = copy;
}

void
app_state_set_reading (AppState            *state,
                       const NnDataOptions *reading)
{
  NnDataOptions *copy = nn_data_options_copy (reading);

  nn_data_options_free (state->reading);
  state->reading = copy;
}

void
app_state_toggle_pin (AppState   *state,
                      const char *key)
{
  GHashTable *next = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer old;

  if (state->pins != NULL)
    {
      g_hash_table_iter_init (&iter, state->pins);
      while (g_hash_table_iter_next (&iter, &old, NULL))
        g_hash_table_add (next, g_strdup (old));
      g_hash_table_unref (state->pins);
    }
  if (!g_hash_table_remove (next, key))
    g_hash_table_add (next, g_strdup (key));
  state->pins = next;
}

void
app_state_set_edited (AppState *state,
                      NnModel  *model)
{
  if (model != NULL)
    nn_model_ref (model);
  g_clear_pointer (&state->edited, nn_model_unref);
  state->edited = model;
}

void
app_state_add_run (AppState *state,
                   AppRun   *run)
{
  g_ptr_array_add (state->runs, app_run_ref (run));
}

const NnStep *
app_state_step (const AppState *state)
{
  const AppRun *run;

  if (state->run < 0 || (guint) state->run >= state->runs->len)
    return NULL;
  run = g_ptr_array_index (state->runs, state->run);
  return state->step < nn_trail_n_steps (run->trail) ? nn_trail_step (run->trail, state->step) : NULL;
}

NnModel *
app_state_shown (const AppState *state)
{
  const NnStep *step = app_state_step (state);

  if (state->edited != NULL)
    return state->edited;
  return step != NULL && step->model != NULL ? step->model : state->model;
}
