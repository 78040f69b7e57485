/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles and diagnoses, for people and as JSON. */

#include "cli-profile.h"
#include "cli-table.h"

#include <math.h>

void
cli_profile_add_type (JsonBuilder  *json,
                      const char   *name,
                      const NnType *type)
{
  g_autofree char *text = type != NULL ? nn_type_to_string (type) : NULL;

  cli_json_string (json, name, text);
}

void
cli_profile_add_tensor (JsonBuilder           *json,
                        const NnProfileTensor *t)
{
  json_builder_begin_object (json);
  cli_json_string (json, "name", t->name);
  cli_json_string (json, "kind", t->kind == NN_PROFILE_WEIGHT ? "weight" : "activation");
  cli_json_double (json, "min", t->min);
  cli_json_double (json, "q1", t->q1);
  cli_json_double (json, "median", t->median);
  cli_json_double (json, "q3", t->q3);
  cli_json_double (json, "max", t->max);
  cli_profile_add_type (json, "type", t->has_type ? &t->type : NULL);
  cli_json_double (json, "below_lsb", t->has_type ? t->below_lsb : NAN);
  cli_json_double (json, "overflow", t->has_type ? t->overflow : NAN);
  json_builder_end_object (json);
}

void
cli_profile_print (const NnProfile *profile)
{
  static const char *const titles[] = { "tensor", "kind", "min", "q1", "median", "q3", "max", "type", "below lsb", "overflow", NULL };
  g_autoptr (CliTable) table = cli_table_new (titles, 2);

  for (guint i = 0; i < profile->n; i++)
    {
      const NnProfileTensor *t = &profile->tensors[i];
      const double range[] = { t->min, t->q1, t->median, t->q3, t->max };

      cli_table_add (table, "%s", t->name);
      cli_table_add (table, "%s", t->kind == NN_PROFILE_WEIGHT ? "weight" : "activation");
      for (guint k = 0; k < G_N_ELEMENTS (range); k++)
        cli_table_add (table, "%.4g", range[k]);
      cli_table_take (table, t->has_type ? nn_type_to_string (&t->type) : g_strdup ("-"));
      cli_table_take (table, t->has_type ? g_strdup_printf ("%.2f%%", 100 * t->below_lsb) : NULL);
      cli_table_take (table, t->has_type ? g_strdup_printf ("%.2f%%", 100 * t->overflow) : NULL);
    }
  cli_table_print (table);
}

void
cli_profile_add_layers (JsonBuilder    *json,
                        const NnDoctor *doctor)
{
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (guint i = 0; i < doctor->n_layers; i++)
    {
      const NnDoctorLayer *layer = &doctor->layers[i];

      json_builder_begin_object (json);
      cli_json_string (json, "name", layer->name);
      cli_profile_add_type (json, "type", &layer->result);
      cli_json_int (json, "overflows", (gint64) layer->overflows);
      cli_json_int (json, "underflows", (gint64) layer->underflows);
      cli_json_double (json, "snr_db", layer->snr_db);
      cli_json_double (json, "max_error", layer->max_error);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

void
cli_profile_add_changes (JsonBuilder    *json,
                         const NnDoctor *doctor)
{
  json_builder_set_member_name (json, "changes");
  json_builder_begin_array (json);
  for (guint i = 0; i < doctor->n_changes; i++)
    {
      json_builder_begin_object (json);
      cli_json_string (json, "layer", doctor->changes[i].layer);
      cli_json_string (json, "variable", doctor->changes[i].variable);
      cli_profile_add_type (json, "from", &doctor->changes[i].from);
      cli_profile_add_type (json, "to", &doctor->changes[i].to);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

void
cli_profile_print_doctor (const NnDoctor *doctor)
{
  static const char *const titles[] = { "layer", "type", "overflows", "underflows", "SNR dB", "max error", NULL };
  g_autoptr (CliTable) table = cli_table_new (titles, 2);

  for (guint i = 0; i < doctor->n_layers; i++)
    {
      const NnDoctorLayer *layer = &doctor->layers[i];

      cli_table_add (table, "%s", layer->name);
      cli_table_take (table, nn_type_to_string (&layer->result));
      cli_table_add (table, "%" G_GUINT64_FORMAT, layer->overflows);
      cli_table_add (table, "%" G_GUINT64_FORMAT, layer->underflows);
      cli_table_add (table, "%.1f", layer->snr_db);
      cli_table_add (table, "%.4g", layer->max_error);
    }
  g_print ("\n");
  cli_table_print (table);
  g_print ("\nscore %.4f in float, %.4f in fixed point\n", doctor->float_score, doctor->fixed_score);
  if (doctor->departs >= 0)
    {
      g_autofree char *why = nn_doctor_why (doctor);

      g_print ("the answer departs at \"%s\": %s\n", doctor->layers[doctor->departs].name, why);
    }
  for (guint i = 0; i < doctor->n_changes; i++)
    {
      g_autofree char *from = nn_type_to_string (&doctor->changes[i].from), *to = nn_type_to_string (&doctor->changes[i].to);

      g_print ("change %s of \"%s\" from %s to %s\n", doctor->changes[i].variable, doctor->changes[i].layer, from, to);
    }
  if (doctor->n_changes > 0)
    g_print ("which gives a score of %.4f at %.0f %% of the cost\n", doctor->repaired_score, 100 * doctor->repaired_cost / doctor->cost);
  else if (doctor->fixed_score < doctor->float_score)
    g_print ("no change is needed, or none was found that helps\n");
}
