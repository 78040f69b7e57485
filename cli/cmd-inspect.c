/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli inspect MODEL: layers, shapes, parameters, multiplications. */

#include "cli.h"
#include "cli-table.h"

static void
add_layer (JsonBuilder   *json,
           const NnModel *model,
           const NnNode  *node)
{
  json_builder_begin_object (json);
  cli_json_string (json, "name", node->name);
  cli_json_string (json, "class", node->class_name);
  json_builder_set_member_name (json, "inputs");
  json_builder_begin_array (json);
  for (guint k = 0; k < node->n_inputs; k++)
    json_builder_add_string_value (json, nn_graph_node (nn_model_graph (model), node->inputs[k])->name);
  json_builder_end_array (json);
  json_builder_set_member_name (json, "output_shape");
  json_builder_begin_array (json);
  for (guint d = 0; d < node->shape.rank; d++)
    if (node->shape.dims[d] < 0)
      json_builder_add_null_value (json);
    else
      json_builder_add_int_value (json, node->shape.dims[d]);
  json_builder_end_array (json);
  cli_json_int (json, "parameters", nn_model_parameters (model, node));
  cli_json_int (json, "multiplications", nn_node_multiplications (model, node));
  cli_json_int (json, "zeros", nn_model_zeros (model, node));
  if (node->op == NN_OP_UNSUPPORTED)
    cli_json_string (json, "unsupported", node->reason);
  else if (node->reason != NULL)
    cli_json_string (json, "assumed", node->reason);
  json_builder_end_object (json);
}

static void
print_table (const NnModel *model)
{
  static const char *const titles[] = { "layer", "class", "output", "parameters", "multiplications", "zeros", "", NULL };
  const NnGraph *graph = nn_model_graph (model);
  g_autoptr (CliTable) table = cli_table_new (titles, 3);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      cli_table_add (table, "%s", node->name);
      cli_table_add (table, "%s", node->class_name);
      cli_table_take (table, nn_shape_to_string (&node->shape));
      cli_table_add (table, "%" G_GSIZE_FORMAT, nn_model_parameters (model, node));
      cli_table_add (table, "%" G_GSIZE_FORMAT, nn_node_multiplications (model, node));
      cli_table_add (table, "%" G_GSIZE_FORMAT, nn_model_zeros (model, node));
      cli_table_take (table, node->reason == NULL              ? NULL
                             : node->op == NN_OP_UNSUPPORTED ? g_strdup_printf ("not supported: %s", node->reason)
                                                             : g_strdup_printf ("assumed: %s", node->reason));
    }
  cli_table_print (table);
}

static void
add_names (JsonBuilder       *json,
           const char *const *names)
{
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (; *names != NULL; names++)
    json_builder_add_string_value (json, *names);
  json_builder_end_array (json);
}

/* "Folded 2 batch normalisations: bn1, bn2" */
static char *
what_it_did (const NnPass      *pass,
             const char *const *layers)
{
  guint n = g_strv_length ((char **) layers);
  g_autofree char *names = g_strjoinv (", ", (char **) layers), *number = g_strdup_printf ("%u", n);
  g_autoptr (GString) text = n > 0 ? g_string_new (pass->did[n > 1]) : g_string_new ("-");

  g_string_replace (text, "%u", number, 1);
  return n > 0 ? g_strconcat (text->str, ": ", names, NULL) : g_strdup (text->str);
}

/* The graph passes in their order; with a network, what each did to it. */
static int
list_passes (Cli            *cli,
             const NnDesign *design)
{
  const char *const titles[] = { "pass", "may be left out", design != NULL ? "did" : "", NULL };
  g_autoptr (CliTable) table = cli_table_new (titles, 3);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const NnPass *passes;
  guint n;

  passes = nn_passes (&n);
  json_builder_begin_array (json);
  for (guint i = 0; i < n; i++)
    {
      if (passes[i].optional)
        continue;
      json_builder_begin_object (json);
      cli_json_string (json, "name", passes[i].name);
      cli_json_string (json, "description", passes[i].description);
      json_builder_set_member_name (json, "may_be_left_out");
      json_builder_add_boolean_value (json, !passes[i].needed);
      if (design != NULL)
        add_names (json, nn_design_pass_layers (design, i));
      json_builder_end_object (json);
      cli_table_add (table, "%s", passes[i].name);
      cli_table_add (table, "%s", passes[i].needed ? "no" : "yes");
      cli_table_take (table, design != NULL ? what_it_did (&passes[i], nn_design_pass_layers (design, i)) : g_strdup (passes[i].description));
    }
  json_builder_end_array (json);
  if (cli->json)
    cli_print_json (json);
  else
    cli_table_print (table);
  return CLI_DONE;
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_autofree char *weights = NULL, *config = NULL;
  gboolean passes = FALSE;
  GOptionEntry entries[] = {
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &weights, "HDF5 weights of a .json architecture", "FILE" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &config, "Show the network after all graph passes, as hardware of this configuration", "C.json" },
    { "passes", 0, 0, G_OPTION_ARG_NONE, &passes, "List the graph passes instead; with MODEL, what each did to it", NULL },
    { NULL },
  };
  g_autoptr (NnDesign) design = NULL; /* the lowered network reads from it */
  g_autoptr (NnModel) model = NULL;
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const NnGraph *graph;
  GError *error = NULL;
  gsize parameters = 0, multiplications = 0;
  int status;

  if (!cli_parse (cli, &cli_inspect, entries, 0, 1, &argc, &argv, &status))
    return status;
  if (passes && argc < 2)
    return list_passes (cli, NULL);
  if (argc < 2)
    {
      g_printerr ("usage: espalier-cli inspect MODEL\n");
      return CLI_USAGE;
    }
  model = cli_open_model (cli, argv[1], weights, NULL, &error);
  if (model != NULL && (config != NULL || passes))
    {
      g_autoptr (NnConfig) settings = config != NULL ? cli_open_config (config, model, &error) : nn_config_new ();

      design = settings != NULL ? nn_design_new (model, settings, &error) : NULL;
      nn_model_unref (model);
      model = design != NULL ? nn_model_ref ((NnModel *) nn_design_model (design)) : NULL;
    }
  if (model == NULL)
    return cli_fail (&cli_inspect, error);
  if (passes)
    return list_passes (cli, design);
  graph = nn_model_graph (model);
  json_builder_begin_object (json);
  cli_json_string (json, "format", nn_model_info (model)->format);
  json_builder_set_member_name (json, "layers");
  json_builder_begin_array (json);
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      add_layer (json, model, node);
      multiplications += nn_node_multiplications (model, node);
    }
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    parameters += nn_model_weight (model, i)->values->n;
  json_builder_end_array (json);
  cli_json_int (json, "parameters", parameters);
  cli_json_int (json, "multiplications", multiplications);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  else
    {
      g_print ("%s\n\n", nn_model_info (model)->format);
      print_table (model);
      g_print ("\n%" G_GSIZE_FORMAT " parameters, %" G_GSIZE_FORMAT " multiplications a sample\n", parameters,
               multiplications);
    }
  return CLI_DONE;
}

const CliVerb cli_inspect = {
  .name = "inspect",
  .arguments = "MODEL",
  .summary = "Layers, shapes, parameters and multiplications of a network",
  .run = run,
};
