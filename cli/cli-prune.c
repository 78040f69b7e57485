/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs of pruning share. */

#include "cli-prune.h"

#include <math.h>
#include <string.h>

static gboolean
set_limit (const char   *word,
           const NnPart *part,
           double       *limits,
           GError      **error)
{
  g_auto (GStrv) sides = g_strsplit (word, "=", 2);
  NnObjective objective;
  gsize length = sides[0] != NULL && sides[1] != NULL ? strlen (g_strstrip (sides[1])) : 0;
  gboolean percent = length > 0 && sides[1][length - 1] == '%';
  double value;

  if (length == 0 || !nn_objective_find (g_strstrip (sides[0]), &objective))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                   "the budget \"%s\" is not understood; it is written RESOURCE=NUMBER or RESOURCE=NUMBER%%, the resource being dsp, "
                   "bram, lut, ff, uram, parameters, bops, energy or latency",
                   word);
      return FALSE;
    }
  if (percent)
    sides[1][length - 1] = '\0';
  if (!nn_text_to_double (sides[1], &value) || !(value >= 0) || !isfinite (value))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "the budget \"%s\" has no amount that is 0 or more", word);
      return FALSE;
    }
  if (percent)
    {
      if (objective >= NN_OBJECTIVE_PARAMETERS || part == NULL || part->total.amount[objective] < 0)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                       "the budget \"%s\" is a share of a part, but %s", word,
                       part == NULL ? "no part of the catalogue is configured (--part)" : "the part's total is not known");
          return FALSE;
        }
      value *= part->total.amount[objective] / 100;
    }
  limits[objective] = value;
  return TRUE;
}

gboolean
cli_parse_budget (const char   *text,
                  const NnPart *part,
                  double       *limits,
                  GError      **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (guint i = 0; words[i] != NULL; i++)
    if (!set_limit (words[i], part, limits, error))
      return FALSE;
  return TRUE;
}

void
cli_json_resources (JsonBuilder       *json,
                    const char        *name,
                    const NnResources *resources)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    cli_json_double (json, nn_resource_name ((NnResource) r), resources->amount[r]);
  json_builder_end_object (json);
}

void
cli_json_group_cost (JsonBuilder   *json,
                     const NnGroup *group)
{
  json_builder_set_member_name (json, "cost");
  json_builder_begin_object (json);
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    if (nn_group_cost (group, (NnObjective) j) != 0)
      cli_json_double (json, nn_objective_name ((NnObjective) j), nn_group_cost (group, (NnObjective) j));
  json_builder_end_object (json);
}
