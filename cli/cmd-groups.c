/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli groups MODEL --config C.json: which weights the hardware ties together. */

#include "cli-prune.h"
#include "cli-table.h"

#include <string.h>

typedef struct {
  char     *config, *weights, *layer;
  CliGroups groups;
} Options;

static void
options_clear (Options *o)
{
  g_free (o->config);
  g_free (o->weights);
  g_free (o->layer);
  cli_groups_clear (&o->groups);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static void
add_group (JsonBuilder    *json,
           const NnGroups *groups,
           gsize           g,
           gsize           id)
{
  const NnGroup *group = &groups->groups[g];

  json_builder_begin_object (json);
  cli_json_int (json, "id", (gint64) id);
  json_builder_set_member_name (json, "indices");
  json_builder_begin_array (json);
  for (guint k = 0; k < group->n; k++)
    json_builder_add_int_value (json, groups->indices[group->first + k]);
  json_builder_end_array (json);
  cli_json_double (json, "importance", group->value);
  cli_json_group_cost (json, group);
  json_builder_set_member_name (json, "kept");
  json_builder_add_boolean_value (json, group->kept);
  json_builder_end_object (json);
}

/* How weights share memory words. */
static void
add_packing (JsonBuilder  *json,
             const NnType *type)
{
  guint bits, in_word = nn_bram_word ((guint) type->width, &bits);

  json_builder_set_member_name (json, "packing");
  json_builder_begin_object (json);
  cli_json_int (json, "weight_bits", type->width);
  cli_json_int (json, "word_bits", bits);
  cli_json_int (json, "multipliers", in_word);
  cli_json_int (json, "unused_bits", (gint64) bits - (gint64) in_word * type->width);
  json_builder_end_object (json);
}

/* The weight of group @first, unless only another layer is wanted. @next: the first group of the next weight; groups of one weight
 * are neighbours */
static const NnWeight *
next_weight (const NnDesign *design,
             const NnGroups *groups,
             const char     *layer,
             gsize           first,
             gsize          *next)
{
  const NnGroup *group = &groups->groups[first];
  const NnWeight *weight = nn_model_weight (nn_design_source (design), group->weight);

  for (*next = first; *next < groups->n_groups && groups->groups[*next].weight == group->weight; ++*next)
    ;
  if (layer != NULL && strcmp (layer, weight->layer) != 0 &&
      strcmp (layer, nn_graph_node (nn_model_graph (nn_design_model (design)), group->node)->name) != 0)
    return NULL;
  return weight;
}

static void
add_layers (JsonBuilder    *json,
            const NnDesign *design,
            const NnGroups *groups,
            const char     *layer)
{
  for (gsize first = 0, next; first < groups->n_groups; first = next)
    {
      const NnGroup *group = &groups->groups[first];
      const NnWeight *weight = next_weight (design, groups, layer, first, &next);
      const NnLayerPlan *plan = nn_design_plan (design, group->node);

      if (weight == NULL)
        continue;
      json_builder_begin_object (json);
      cli_json_string (json, "name", weight->layer);
      cli_json_string (json, "weight", weight->name);
      cli_json_string (json, "structure", nn_structure_name (groups->structure[group->node]));
      if (groups->structure[group->node] == NN_STRUCTURE_BRAM_WORD)
        add_packing (json, weight->role == NN_ROLE_RECURRENT_KERNEL ? &plan->recurrent_weight : &plan->weight);
      cli_json_int (json, "reuse_factor", weight->role == NN_ROLE_RECURRENT_KERNEL ? plan->recurrent_reuse_factor : plan->reuse_factor);
      json_builder_set_member_name (json, "groups");
      json_builder_begin_array (json);
      for (gsize g = first; g < next; g++)
        add_group (json, groups, g, g);
      json_builder_end_array (json);
      json_builder_end_object (json);
    }
}

static void
print_table (const NnDesign *design,
             const NnGroups *groups,
             const char     *layer)
{
  static const char *const titles[] = { "layer", "weight", "structure", "reuse", "groups", "kept", "dsp", "bram", NULL };
  g_autoptr (CliTable) table = cli_table_new (titles, 3);

  for (gsize first = 0, next; first < groups->n_groups; first = next)
    {
      const NnGroup *group = &groups->groups[first];
      const NnWeight *weight = next_weight (design, groups, layer, first, &next);
      gsize kept = 0;
      double dsp = 0, bram = 0;

      if (weight == NULL)
        continue;
      for (gsize g = first; g < next; g++)
        {
          kept += groups->groups[g].kept;
          dsp += groups->groups[g].cost.amount[NN_RESOURCE_DSP];
          bram += groups->groups[g].cost.amount[NN_RESOURCE_BRAM];
        }
      cli_table_add (table, "%s", weight->layer);
      cli_table_add (table, "%s", weight->name);
      cli_table_add (table, "%s", nn_structure_name (groups->structure[group->node]));
      cli_table_add (table, "%u", nn_design_plan (design, group->node)->reuse_factor);
      cli_table_add (table, "%" G_GSIZE_FORMAT, next - first);
      cli_table_add (table, "%" G_GSIZE_FORMAT, kept);
      cli_table_add (table, "%.1f", dsp);
      cli_table_add (table, "%.1f", bram);
    }
  cli_table_print (table);
}

static gboolean
has_layer (const NnDesign *design,
           const char     *layer,
           GError        **error)
{
  guint i;

  if (layer == NULL || nn_graph_find (nn_model_graph (nn_design_source (design)), layer, &i) ||
      nn_graph_find (nn_model_graph (nn_design_model (design)), layer, &i))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has no layer \"%s\"", layer);
  return FALSE;
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_auto (Options) o = { 0 };
  GOptionEntry entries[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &o.config, "Configuration of the hardware", "C.json" },
    { "layer", 0, 0, G_OPTION_ARG_STRING, &o.layer, "Only this layer", "L" },
    CLI_GROUPS_ENTRIES (o.groups),
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &o.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL, own = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (JsonBuilder) json = json_builder_new ();
  guint objectives;
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_groups, entries, 1, 1, &argc, &argv, &status))
    return status;
  model = cli_open_model (cli, argv[1], o.weights, &own, &error);
  if (model == NULL ||
      (config = own != NULL && o.config == NULL ? nn_config_ref (own) : cli_open_config (o.config, model, &error)) == NULL ||
      (design = nn_design_new (model, config, &error)) == NULL || !has_layer (design, o.layer, &error) ||
      (groups = cli_make_groups (cli, &o.groups, model, config, &objectives, &error)) == NULL)
    return cli_fail (&cli_groups, error);
  if (!cli->json)
    {
      print_table (design, groups, o.layer);
      return CLI_DONE;
    }
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  add_layers (json, design, groups, o.layer);
  json_builder_end_array (json);
  json_builder_end_object (json);
  cli_print_json (json);
  return CLI_DONE;
}

const CliVerb cli_groups = {
  .name = "groups",
  .arguments = "MODEL --config C.json",
  .summary = "Which weights share a multiplier or a memory word",
  .run = run,
};
