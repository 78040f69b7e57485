/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs of pruning share. */

#include "cli-prune.h"

#include <math.h>
#include <stdio.h>
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

gboolean
cli_parse_weights (const char *text,
                   double     *weights,
                   GError    **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (guint i = 0; words[i] != NULL; i++)
    {
      g_auto (GStrv) sides = g_strsplit (words[i], "=", 2);
      NnObjective objective;

      if (sides[0] == NULL || sides[1] == NULL || !nn_objective_find (g_strstrip (sides[0]), &objective) ||
          objective == NN_OBJECTIVE_WEIGHTED || !nn_text_to_double (g_strstrip (sides[1]), &weights[objective]) ||
          !(weights[objective] >= 0) || !isfinite (weights[objective]))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                       "the weight \"%s\" is not understood; it is written OBJECTIVE=NUMBER, the number being 0 or more", words[i]);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
cli_parse_pins (const char *text,
                gint8       pin,
                gint8      *pins,
                gsize       n,
                GError    **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (guint i = 0; words[i] != NULL; i++)
    {
      g_auto (GStrv) ends = g_strsplit (g_strstrip (words[i]), "-", 2);
      guint64 from, to;

      if (ends[0] == NULL || !g_ascii_string_to_unsigned (ends[0], 10, 0, G_MAXINT32, &from, NULL) ||
          !g_ascii_string_to_unsigned (ends[1] != NULL ? ends[1] : ends[0], 10, 0, G_MAXINT32, &to, NULL) || from > to || to >= n)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT,
                       "\"%s\" names no groups; these are numbered 0 to %" G_GSIZE_FORMAT " (espalier-cli groups --json lists them)",
                       words[i], n > 0 ? n - 1 : 0);
          return FALSE;
        }
      for (guint64 g = from; g <= to; g++)
        pins[g] = pin;
    }
  return TRUE;
}

void
cli_groups_clear (CliGroups *o)
{
  char **texts[] = { &o->structure, &o->objective, &o->importance, &o->data, &o->x, &o->y, &o->label, &o->block };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (*texts[i]);
  g_strfreev (o->layer_structure);
  g_strfreev (o->leave);
}

gboolean
cli_add_structure (const char  *text,
                   GHashTable **table)
{
  g_auto (GStrv) sides = g_strsplit (text, "=", 2);
  NnStructure structure;

  if (sides[0] == NULL || sides[1] == NULL || !nn_structure_find (sides[1], &structure))
    return FALSE;
  if (*table == NULL)
    *table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (*table, g_strdup (sides[0]), GINT_TO_POINTER (structure));
  return TRUE;
}

static gboolean
find_words (const CliGroups *o,
            NnGroupOptions  *options,
            NnImportance    *importance,
            GError         **error)
{
  const char *bad = NULL;

  if (o->objective != NULL && !nn_objectives_parse (o->objective, &options->objectives, error))
    return FALSE;
  if (o->structure != NULL && !nn_structure_find (o->structure, &options->structure))
    bad = o->structure;
  else if (o->importance != NULL && !nn_importance_find (o->importance, importance))
    bad = o->importance;
  else if (o->block != NULL && sscanf (o->block, "%ux%u", &options->block_in, &options->block_out) != 2)
    bad = o->block;
  for (guint i = 0; o->layer_structure != NULL && o->layer_structure[i] != NULL && bad == NULL; i++)
    if (!cli_add_structure (o->layer_structure[i], &options->layer_structures))
      bad = o->layer_structure[i];
  if (bad != NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "\"%s\" is none of the words that --help lists", bad);
  return bad == NULL;
}

/* Scores by gradients want data. */
static gboolean
score (Cli             *cli,
       const CliGroups *o,
       const NnModel   *model,
       NnGroups        *groups,
       NnImportance     importance,
       GError         **error)
{
  g_autoptr (NnDataset) raw = NULL, data = NULL;
  NnTrainOptions train;
  NnDataOptions wanted;

  if (importance != NN_IMPORTANCE_FIRST_ORDER && importance != NN_IMPORTANCE_SECOND_ORDER)
    {
      nn_groups_score (groups, model, importance, NULL, (guint64) cli->seed);
      return TRUE;
    }
  if (o->data == NULL)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "importance \"%s\" is measured on data: give --data", nn_importance_name (importance));
      return FALSE;
    }
  nn_data_options_init (&wanted);
  wanted.x = o->x;
  wanted.y = o->y;
  wanted.label = o->label;
  wanted.seed = (guint64) cli->seed;
  nn_train_options_init (&train);
  raw = nn_dataset_load (o->data, &wanted, &cli->progress, cli->cancellable, error);
  data = raw != NULL ? nn_dataset_for_model (raw, model, error) : NULL;
  return data != NULL && nn_groups_score_data (groups, model, data, &train, importance, error);
}

NnGroups *
cli_make_groups (Cli             *cli,
                 const CliGroups *o,
                 const NnModel   *model,
                 const NnConfig  *config,
                 guint           *objectives,
                 GError         **error)
{
  g_autoptr (NnDesign) design = nn_design_new (model, config, error);
  g_autoptr (NnGroups) groups = NULL;
  NnImportance importance = NN_IMPORTANCE_L2;
  NnGroupOptions options;
  gboolean known;

  if (design == NULL)
    return NULL;
  nn_group_options_init (&options);
  options.objectives = 1u << NN_OBJECTIVE_DSP;
  options.leave = (const char *const *) o->leave;
  known = find_words (o, &options, &importance, error);
  *objectives = options.objectives;
  options.for_bram = (options.objectives >> NN_OBJECTIVE_BRAM & 1) != 0;
  if (o->objective == NULL)
    options.objectives = (1u << NN_N_OBJECTIVES) - 1;
  groups = known ? nn_groups_new_full (design, &options, error) : NULL;
  g_clear_pointer (&options.layer_structures, g_hash_table_unref);
  if (groups == NULL || !score (cli, o, model, groups, importance, error))
    return NULL;
  return g_steal_pointer (&groups);
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
