/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli frontier MODEL --config C.json: the certified curve of importance against resource, without training. */

#include "cli-prune.h"

static void
add_amounts (JsonBuilder           *json,
             const char            *name,
             const NnFrontierPoint *p,
             gboolean               prices,
             guint                  objectives)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    if ((objectives >> j & 1) != 0)
      cli_json_double (json, nn_objective_name ((NnObjective) j),
                       j < NN_N_RESOURCES ? (prices ? p->price[j] : p->budget.amount[j])
                                          : (prices ? p->other_price : p->other_budget)[j - NN_N_RESOURCES]);
  json_builder_end_object (json);
}

static void
report (Cli          *cli,
        const GArray *points,
        guint         objectives)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "points");
  json_builder_begin_array (json);
  if (!cli->json)
    g_print ("%14s %14s %14s %10s %10s  %s\n", "kept groups", "importance", "at most", "gap", "status", "one more unit buys");
  for (guint i = 0; i < points->len; i++)
    {
      const NnFrontierPoint *p = &g_array_index (points, NnFrontierPoint, i);

      json_builder_begin_object (json);
      add_amounts (json, "budget", p, FALSE, objectives);
      cli_json_double (json, "value", p->value);
      cli_json_double (json, "bound", p->bound);
      cli_json_double (json, "gap", p->gap);
      cli_json_string (json, "status", nn_knapsack_status_name (p->status));
      cli_json_double (json, "seconds", p->seconds);
      cli_json_int (json, "kept", (gint64) p->n_kept);
      add_amounts (json, "price", p, TRUE, objectives);
      json_builder_end_object (json);
      if (cli->json)
        continue;
      g_print ("%14" G_GSIZE_FORMAT " %14.6g %14.6g %10.2g %10s ", p->n_kept, p->value, p->bound, p->gap,
               nn_knapsack_status_name (p->status));
      for (guint j = 0; j < NN_N_OBJECTIVES; j++)
        if ((objectives >> j & 1) != 0)
          g_print (" %s %.4g at %.4g;", nn_objective_name ((NnObjective) j),
                   j < NN_N_RESOURCES ? p->budget.amount[j] : p->other_budget[j - NN_N_RESOURCES],
                   j < NN_N_RESOURCES ? p->price[j] : p->other_price[j - NN_N_RESOURCES]);
      g_print ("\n");
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_autofree char *config_path = NULL, *weights = NULL;
  g_auto (CliGroups) o = { 0 };
  gint n_points = 21;
  GOptionEntry entries[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &config_path, "Configuration of the hardware", "C.json" },
    CLI_GROUPS_ENTRIES (o),
    { "points", 0, 0, G_OPTION_ARG_INT, &n_points, "Points of the curve (21)", "N" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL, own = NULL;
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (GArray) points = NULL;
  guint objectives;
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_frontier, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (n_points < 1 || n_points > 100000)
    {
      g_printerr ("espalier-cli frontier: --points is from 1 to 100000\n");
      return CLI_USAGE;
    }
  model = cli_open_model (cli, argv[1], weights, &own, &error);
  if (model == NULL ||
      (config = own != NULL && config_path == NULL ? nn_config_ref (own) : cli_open_config (config_path, model, &error)) == NULL ||
      (groups = cli_make_groups (cli, &o, model, config, &objectives, &error)) == NULL)
    return cli_fail (&cli_frontier, error);
  points = nn_frontier (groups, objectives, (guint) n_points, cli->cancellable, &error);
  if (points == NULL)
    return cli_fail (&cli_frontier, error);
  report (cli, points, objectives);
  return g_cancellable_is_cancelled (cli->cancellable) ? CLI_CANCELLED : CLI_DONE;
}

const CliVerb cli_frontier = {
  .name = "frontier",
  .arguments = "MODEL --config C.json --objective dsp,bram",
  .summary = "The certified curve of importance against resources, without training",
  .run = run,
};
