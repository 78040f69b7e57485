/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli parts [--add FILE] [--remove NAME]: the catalogue, and the user's own parts in it. */

#include "cli.h"
#include "cli-table.h"

static void
add_part (JsonBuilder  *json,
          const NnPart *part)
{
  json_builder_begin_object (json);
  cli_json_string (json, "name", part->name);
  cli_json_string (json, "title", part->title);
  cli_json_string (json, "family", nn_family_name (part->family));
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    if (part->total.amount[r] >= 0)
      cli_json_double (json, nn_resource_name (r), part->total.amount[r]);
  cli_json_double (json, "ram_kbit", part->ram_kbit);
  cli_json_int (json, "mult_a", part->mult_a);
  cli_json_int (json, "mult_b", part->mult_b);
  cli_json_string (json, "source", part->source);
  json_builder_set_member_name (json, "own");
  json_builder_add_boolean_value (json, nn_part_is_own (part));
  json_builder_end_object (json);
}

static void
print_parts (void)
{
  guint n;
  const NnPart *const *parts = nn_parts (&n);

  static const char *const titles[] = { "part", "family", "DSP", "BRAM", "LUT", "FF", "URAM", "", NULL };
  g_autoptr (CliTable) table = cli_table_new (titles, 2);

  for (guint i = 0; i < n; i++)
    {
      cli_table_add (table, "%s", parts[i]->name);
      cli_table_add (table, "%s", nn_family_name (parts[i]->family));
      for (guint r = 0; r < NN_N_RESOURCES; r++)
        cli_table_take (table, parts[i]->total.amount[r] < 0 ? g_strdup ("-") : g_strdup_printf ("%.0f", parts[i]->total.amount[r]));
      cli_table_add (table, "%s%s", parts[i]->title, nn_part_is_own (parts[i]) ? " (own)" : "");
    }
  cli_table_print (table);
}

static void
print_json (void)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char *path = nn_parts_own_path ();
  guint n;
  const NnPart *const *parts = nn_parts (&n);

  json_builder_begin_object (json);
  cli_json_string (json, "own_file", path);
  json_builder_set_member_name (json, "parts");
  json_builder_begin_array (json);
  for (guint i = 0; i < n; i++)
    add_part (json, parts[i]);
  json_builder_end_array (json);
  json_builder_end_object (json);
  cli_print_json (json);
}

/* Own parts as they are kept, changed, kept again. */
static gboolean
change (const char  *add,
        const char  *remove,
        GError     **error)
{
  if (add != NULL && !nn_parts_add_file (add, error))
    return FALSE;
  if (remove != NULL && !nn_parts_remove (remove))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\" is none of your own parts; shipped ones stay", remove);
      return FALSE;
    }
  return (add == NULL && remove == NULL) || nn_parts_save_own (error);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_autofree char *add = NULL, *remove = NULL;
  GOptionEntry entries[] = {
    { "add", 0, 0, G_OPTION_ARG_FILENAME, &add, "Keep the parts of a JSON file (the form of resources/parts.json) as your own", "FILE" },
    { "remove", 0, 0, G_OPTION_ARG_STRING, &remove, "Take one of your own away again", "PART" },
    { NULL },
  };
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_parts, entries, 0, 0, &argc, &argv, &status))
    return status;
  if (!change (add, remove, &error))
    return cli_fail (&cli_parts, error);
  if (cli->json)
    print_json ();
  else
    print_parts ();
  return CLI_DONE;
}

const CliVerb cli_parts = {
  .name = "parts",
  .arguments = "[--add FILE | --remove PART]",
  .summary = "The catalogue of parts, and your own in it",
  .run = run,
};
