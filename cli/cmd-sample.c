/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli sample NAME --output DIR: writes the bundled sample. */

#include "cli.h"

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_autofree char *output = NULL;
  gint64 jets = 0;
  int epochs = -1, status;
  GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Folder to write into (here)", "DIR" },
    { "jets", 0, 0, G_OPTION_ARG_INT64, &jets, "How many jets to make (60000)", "N" },
    { "epochs", 0, 0, G_OPTION_ARG_INT, &epochs, "Epochs of training (24)", "N" },
    { NULL },
  };
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_auto (GStrv) files = NULL;
  NnSampleOptions options;
  GError *error = NULL;

  if (!cli_parse (cli, &cli_sample, entries, 1, 1, &argc, &argv, &status))
    return status;
  nn_sample_options_init (&options);
  options.seed = cli->seed;
  if (jets > 0)
    options.jets = jets;
  if (epochs >= 0)
    options.epochs = epochs;
  files = nn_sample_write (argv[1], output != NULL ? output : ".", &options, &cli->progress, cli->cancellable, &error);
  if (files == NULL)
    return cli_fail (&cli_sample, error);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "files");
  json_builder_begin_array (json);
  for (char **file = files; *file != NULL; file++)
    json_builder_add_string_value (json, *file);
  json_builder_end_array (json);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  else
    for (char **file = files; *file != NULL; file++)
      g_print ("%s\n", *file);
  return CLI_DONE;
}

const CliVerb cli_sample = {
  .name = "sample",
  .arguments = "jets",
  .summary = "Write the bundled sample: toy jets and a network trained on them",
  .run = run,
};
