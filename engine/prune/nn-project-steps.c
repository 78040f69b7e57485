/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a trail, without their networks, as JSON and back. */

#include "nn-project-private.h"

#include "nn-error.h"
#include "nn-json.h"

#include <math.h>

typedef enum { D, U, Z, B } Kind;

static const struct {
  const char *name;
  Kind        kind;
  gsize       offset;
} fields[] = {
#define STEP(f, kind) { #f, kind, G_STRUCT_OFFSET (NnStep, f) }
  STEP (index, U),    STEP (kind, U),     STEP (target, D), STEP (accepted, B), STEP (accuracy, D), STEP (loss, D),
  STEP (auc, D),      STEP (latency, D),  STEP (bops, D),   STEP (energy, D),   STEP (status, U),   STEP (value, D),
  STEP (bound, D),    STEP (gap, D),      STEP (strength, D), STEP (n_groups, Z), STEP (n_kept, Z), STEP (n_snapped, Z),
  STEP (seconds, D),  STEP (choice_seconds, D),
#undef STEP
};

static void
put_step (JsonBuilder  *json,
          const NnStep *step)
{
  json_builder_begin_object (json);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gconstpointer at = G_STRUCT_MEMBER_P (step, fields[i].offset);

      if (fields[i].kind == D)
        nn_put_double (json, fields[i].name, *(const double *) at);
      else
        nn_put_int (json, fields[i].name, fields[i].kind == Z ? (gint64) * (const gsize *) at : *(const gint *) at);
    }
  json_builder_set_member_name (json, "resources");
  json_builder_begin_array (json);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    nn_put_double (json, NULL, step->resources.amount[r]);
  json_builder_end_array (json);
  json_builder_set_member_name (json, "price");
  json_builder_begin_array (json);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    nn_put_double (json, NULL, step->price[r]);
  json_builder_end_array (json);
  json_builder_end_object (json);
}

char *
nn_steps_to_json (const NnTrail *trail)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  nn_put_int (json, "chosen", nn_trail_chosen (trail));
  nn_put_int (json, "cancelled", nn_trail_was_cancelled (trail));
  json_builder_set_member_name (json, "steps");
  json_builder_begin_array (json);
  for (guint i = 0; i < nn_trail_n_steps (trail); i++)
    put_step (json, nn_trail_step (trail, i));
  json_builder_end_array (json);
  json_builder_end_object (json);
  return nn_build_json (json);
}

static void
get_amounts (JsonObject *object,
             const char *name,
             double     *amounts)
{
  JsonArray *array = nn_json_array (object, name);
  double value;

  for (guint r = 0; array != NULL && r < NN_N_RESOURCES && r < json_array_get_length (array); r++)
    amounts[r] = nn_json_as_double (json_array_get_element (array, r), &value) ? value : NAN;
}

static NnStep *
get_step (JsonObject *object)
{
  NnStep *step = g_new0 (NnStep, 1);

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gpointer at = G_STRUCT_MEMBER_P (step, fields[i].offset);
      gint64 value = 0;

      if (fields[i].kind == D)
        *(double *) at = nn_get_double (object, fields[i].name, NAN);
      else if (!nn_json_int (object, fields[i].name, &value) || value < 0 || value > G_MAXINT)
        value = 0;
      if (fields[i].kind == Z)
        *(gsize *) at = (gsize) value;
      else if (fields[i].kind != D)
        *(gint *) at = (gint) value;
    }
  step->accepted = step->accepted != 0;
  step->kind = MIN (step->kind, NN_STEP_SHARE);
  step->status = MIN (step->status, NN_KNAPSACK_INFEASIBLE);
  get_amounts (object, "resources", step->resources.amount);
  get_amounts (object, "price", step->price);
  return step;
}

GPtrArray *
nn_steps_from_json (const char *text,
                    guint      *chosen,
                    gboolean   *cancelled,
                    GError    **error)
{
  g_autoptr (JsonNode) root = nn_json_parse (text, -1, "project", error);
  g_autoptr (GPtrArray) steps = g_ptr_array_new_with_free_func (g_free);
  JsonObject *object;
  JsonArray *array;
  gint64 value;

  if (root == NULL)
    return NULL;
  object = nn_json_as_object (root);
  array = object != NULL ? nn_json_array (object, "steps") : NULL;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *step = nn_json_as_object (json_array_get_element (array, i));

      if (step == NULL)
        array = NULL;
      else
        g_ptr_array_add (steps, get_step (step));
    }
  if (array == NULL || steps->len == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the project's list of steps is damaged");
      return NULL;
    }
  *chosen = nn_json_int (object, "chosen", &value) && value >= 0 && value < steps->len ? (guint) value : 0;
  *cancelled = nn_json_int (object, "cancelled", &value) && value != 0;
  return g_steal_pointer (&steps);
}
