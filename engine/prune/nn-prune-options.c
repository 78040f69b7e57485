/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options of a run: defaults, and as JSON, so that a run can be resumed and replayed. */

#include "nn-project-private.h"

#include "espalier-config.h"

#include "nn-error.h"
#include "nn-json.h"
#include "nn-knapsack-private.h"

#include <string.h>

void
nn_prune_options_init (NnPruneOptions *options)
{
  *options = (NnPruneOptions) {
    .objective = 1u << NN_OBJECTIVE_DSP,
    .tolerance = 0.01,
    .structure = NN_STRUCTURE_AUTO,
    .block_in = 4,
    .block_out = 4,
    .importance = NN_IMPORTANCE_SECOND_ORDER,
    .schedule = NN_SCHEDULE_POLYNOMIAL,
    .first_target = 0.5,
    .step = 0.05,
    .max_target = 0.98,
    .max_steps = 20,
    .bad_trials = 3,
    .regularize = -1,
    .fine_tune_epochs = 15,
    .seed = 1,
  };
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    options->limits[j] = -1;
  nn_knapsack_options_init (&options->knapsack);
  nn_train_options_init (&options->train);
  options->train.schedule = NN_LR_COSINE;
  options->train.lr_factor = 0.05;
  options->train.learning_rate = 2e-3;
}

void
nn_prune_options_clear (NnPruneOptions *options)
{
  g_clear_pointer (&options->layer_structures, g_hash_table_unref);
}

typedef enum { D, U, G } Kind;

static const struct {
  const char *name;
  Kind        kind;
  gsize       offset;
} fields[] = {
#define FIELD(f, kind) { #f, kind, G_STRUCT_OFFSET (NnPruneOptions, f) }
  FIELD (objective, U),          FIELD (tolerance, D),          FIELD (structure, U),         FIELD (block_in, U),
  FIELD (block_out, U),          FIELD (importance, U),         FIELD (local, U),             FIELD (schedule, U),
  FIELD (first_target, D),       FIELD (step, D),               FIELD (max_target, D),        FIELD (max_steps, U),
  FIELD (bad_trials, U),         FIELD (regularize, D),         FIELD (fine_tune_epochs, U),  FIELD (rewind_epochs, U),
  FIELD (rewind_weights, U),     FIELD (snap, U),               FIELD (share, U),             FIELD (knapsack.gap, D),
  FIELD (knapsack.time_limit, D), FIELD (train.batch, U),       FIELD (train.loss, U),        FIELD (train.optimizer, U),
  FIELD (train.learning_rate, D), FIELD (train.momentum, D),    FIELD (train.nesterov, U),    FIELD (train.beta1, D),
  FIELD (train.beta2, D),        FIELD (train.epsilon, D),      FIELD (train.weight_decay, D), FIELD (train.schedule, U),
  FIELD (train.lr_factor, D),    FIELD (train.lr_every, U),     FIELD (train.patience, U),    FIELD (train.min_delta, D),
  FIELD (train.keep_best, U),    FIELD (train.freeze_norm, U),  FIELD (branch, U),            FIELD (seed, G),
  FIELD (quantized, U),
#undef FIELD
};

static void
put_structures (JsonBuilder *json,
                GHashTable  *structures)
{
  g_autoptr (GList) keys = g_list_sort (g_hash_table_get_keys (structures), (GCompareFunc) strcmp);

  json_builder_set_member_name (json, "layer_structures");
  json_builder_begin_object (json);
  for (GList *l = keys; l != NULL; l = l->next)
    nn_put_string (json, l->data, nn_structure_name ((NnStructure) GPOINTER_TO_INT (g_hash_table_lookup (structures, l->data))));
  json_builder_end_object (json);
}

char *
nn_prune_options_to_json (const NnPruneOptions *o)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gconstpointer at = G_STRUCT_MEMBER_P (o, fields[i].offset);

      if (fields[i].kind == D)
        nn_put_double (json, fields[i].name, *(const double *) at);
      else
        nn_put_int (json, fields[i].name, fields[i].kind == U ? *(const guint *) at : (gint64) * (const guint64 *) at);
    }
  json_builder_set_member_name (json, "limits");
  json_builder_begin_array (json);
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    {
      double limit = o->limits[j];

      if (j < NN_N_RESOURCES && o->budget != NULL && o->budget->amount[j] >= 0)
        limit = limit >= 0 ? MIN (limit, o->budget->amount[j]) : o->budget->amount[j];
      nn_put_double (json, NULL, limit);
    }
  json_builder_end_array (json);
  json_builder_set_member_name (json, "weights");
  json_builder_begin_array (json);
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    nn_put_double (json, NULL, o->weights[j]);
  json_builder_end_array (json);
  if (o->leave != NULL)
    {
      json_builder_set_member_name (json, "leave");
      json_builder_begin_array (json);
      for (guint i = 0; o->leave[i] != NULL; i++)
        json_builder_add_string_value (json, o->leave[i]);
      json_builder_end_array (json);
    }
  if (o->layer_structures != NULL)
    put_structures (json, o->layer_structures);
  if (o->pins != NULL)
    {
      json_builder_set_member_name (json, "pins");
      json_builder_begin_array (json);
      for (gsize i = 0; i < o->n_pins; i++)
        json_builder_add_int_value (json, o->pins[i]);
      json_builder_end_array (json);
    }
  nn_put_string (json, "part", o->part);
  nn_put_string (json, "data_options", o->data_options);
  json_builder_set_member_name (json, "versions");
  json_builder_begin_object (json);
  nn_put_string (json, "espalier", ESPALIER_VERSION);
  nn_put_string (json, "glpk", nn_solver_version ());
  json_builder_end_object (json);
  json_builder_end_object (json);
  return nn_build_json (json);
}

static void
get_lists (NnPruneOptions *o,
           JsonObject     *object,
           GPtrArray      *hold)
{
  JsonArray *leave = nn_json_array (object, "leave"), *pins = nn_json_array (object, "pins");
  JsonObject *structures = nn_json_object (object, "layer_structures");

  if (leave != NULL)
    {
      char **names = g_new0 (char *, json_array_get_length (leave) + 1);
      guint n = 0;

      g_ptr_array_add (hold, names);
      for (guint i = 0; i < json_array_get_length (leave); i++)
        if (nn_json_as_string (json_array_get_element (leave, i)) != NULL)
          {
            names[n] = g_strdup (nn_json_as_string (json_array_get_element (leave, i)));
            g_ptr_array_add (hold, names[n++]);
          }
      o->leave = (const char *const *) names;
    }
  if (pins != NULL)
    {
      gint8 *list = g_new0 (gint8, json_array_get_length (pins) + 1);

      g_ptr_array_add (hold, list);
      o->n_pins = json_array_get_length (pins);
      for (gsize i = 0; i < o->n_pins; i++)
        {
          gint64 pin;

          list[i] = nn_json_as_int (json_array_get_element (pins, (guint) i), &pin) ? (gint8) CLAMP (pin, -1, 1) : 0;
        }
      o->pins = list;
    }
  if (structures != NULL)
    {
      g_autoptr (GList) names = json_object_get_members (structures);

      o->layer_structures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      for (GList *l = names; l != NULL; l = l->next)
        {
          NnStructure structure;

          if (nn_json_string (structures, l->data) != NULL && nn_structure_find (nn_json_string (structures, l->data), &structure))
            g_hash_table_insert (o->layer_structures, g_strdup (l->data), GINT_TO_POINTER (structure));
        }
    }
}

/**
 * nn_prune_options_from_json:
 * @o: (out): to be cleared with nn_prune_options_clear(), also after an error
 * @hold: with g_free() as its free function: keeps what the options point to
 */
gboolean
nn_prune_options_from_json (NnPruneOptions *o,
                            const char     *text,
                            GPtrArray      *hold,
                            GError        **error)
{
  g_autoptr (JsonNode) root = text != NULL ? nn_json_parse (text, -1, "options", error) : NULL;
  JsonObject *object = root != NULL ? nn_json_as_object (root) : NULL;
  JsonArray *limits, *weights;

  nn_prune_options_init (o);
  if (object == NULL)
    {
      if (error != NULL && *error == NULL)
        g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the run's options are not recorded");
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gpointer at = G_STRUCT_MEMBER_P (o, fields[i].offset);
      gint64 value;

      if (fields[i].kind == D)
        *(double *) at = nn_get_double (object, fields[i].name, *(double *) at);
      else if (nn_json_int (object, fields[i].name, &value) && fields[i].kind == U && value >= 0 && value <= G_MAXINT)
        *(guint *) at = (guint) value;
      else if (nn_json_int (object, fields[i].name, &value) && fields[i].kind == G)
        *(guint64 *) at = (guint64) value;
    }
  if (o->structure >= NN_N_STRUCTURES || o->importance > NN_IMPORTANCE_RANDOM || o->schedule > NN_SCHEDULE_BUDGET ||
      o->train.loss > NN_LOSS_HUBER || o->train.optimizer > NN_OPTIMIZER_NADAM || o->train.schedule > NN_LR_PLATEAU)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the run's options hold a choice that this version does not know");
      return FALSE;
    }
  limits = nn_json_array (object, "limits");
  for (guint j = 0; limits != NULL && j < NN_N_OBJECTIVES && j < json_array_get_length (limits); j++)
    {
      double value;

      o->limits[j] = nn_json_as_double (json_array_get_element (limits, j), &value) ? value : -1;
    }
  weights = nn_json_array (object, "weights");
  for (guint j = 0; weights != NULL && j < NN_N_OBJECTIVES && j < json_array_get_length (weights); j++)
    if (!nn_json_as_double (json_array_get_element (weights, j), &o->weights[j]))
      o->weights[j] = 0;
  get_lists (o, object, hold);
  if (nn_json_string (object, "part") != NULL)
    {
      g_ptr_array_add (hold, g_strdup (nn_json_string (object, "part")));
      o->part = g_ptr_array_index (hold, hold->len - 1);
    }
  if (nn_json_string (object, "data_options") != NULL)
    {
      g_ptr_array_add (hold, g_strdup (nn_json_string (object, "data_options")));
      o->data_options = g_ptr_array_index (hold, hold->len - 1);
    }
  return TRUE;
}
