/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every verb of the command line shares. */

#include "cli.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where stderr is no terminal, progress is a plain line at most this often. */
#define PLAIN_PROGRESS_SECONDS 10
/* On a terminal it is a line that rewrites itself. */
#define TERMINAL_PROGRESS_SECONDS 0.1

static void
report_progress (double      fraction,
                 const char *what,
                 gpointer    data)
{
  static gint64 last;
  Cli *cli = data;
  gboolean terminal = isatty (STDERR_FILENO);
  double pause = terminal ? TERMINAL_PROGRESS_SECONDS : PLAIN_PROGRESS_SECONDS;
  gint64 now = g_get_monotonic_time ();

  if (cli->quiet || (last != 0 && now - last < pause * G_USEC_PER_SEC && (fraction < 1 || !terminal)) || (last == 0 && !terminal))
    {
      last = last == 0 ? now : last;
      return;
    }
  last = now;
  if (fraction >= 0)
    g_printerr (terminal ? "\r\033[K%3.0f %%  %s" : "%3.0f %%  %s\n", 100 * fraction, what != NULL ? what : "");
  else
    g_printerr (terminal ? "\r\033[K%s" : "%s\n", what != NULL ? what : "");
  if (terminal && fraction >= 1)
    g_printerr ("\r\033[K");
}

gboolean
cli_parse (Cli                *cli,
           const CliVerb      *verb,
           const GOptionEntry *entries,
           int                 min,
           int                 max,
           int                *argc,
           char             ***argv,
           int                *status)
{
  g_autofree char *parameters = g_strdup_printf ("%s", verb->arguments);
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autofree char *program = g_strdup_printf ("espalier-cli %s", verb->name);
  g_autoptr (GError) error = NULL;
  GOptionEntry common[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &cli->json, "Print one JSON object", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &cli->quiet, "No progress", NULL },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &cli->seed, "Seed of everything random (1)", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &cli->threads, "Threads to use (the machine's cores)", "N" },
    { NULL },
  };

  g_set_prgname (program);
  g_option_context_set_summary (context, verb->summary);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_main_entries (context, common, NULL);
  *status = CLI_USAGE;
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      g_printerr ("%s: %s\n", program, error->message);
      return FALSE;
    }
  /* a lone "--" only ends the options */
  if (*argc > 1 && g_str_equal ((*argv)[1], "--"))
    {
      (*argv)++;
      (*argc)--;
    }
  if (*argc - 1 < min || *argc - 1 > max)
    {
      g_printerr ("usage: %s %s\n", program, verb->arguments);
      return FALSE;
    }
  if (cli->threads < 0)
    {
      g_printerr ("%s: --threads must not be negative\n", program);
      return FALSE;
    }
  nn_parallel_set_threads (cli->threads);
  cli->progress.report = report_progress;
  cli->progress.data = cli;
  return TRUE;
}

int
cli_fail (const CliVerb *verb,
          GError        *error)
{
  gboolean cancelled = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  if (isatty (STDERR_FILENO))
    g_printerr ("\r\033[K");
  g_printerr ("espalier-cli %s: %s\n", verb->name, cancelled ? "cancelled" : error->message);
  g_error_free (error);
  return cancelled ? CLI_CANCELLED : CLI_FAILED;
}

void
cli_name_data (GError    **error,
               const char *data)
{
  if (error != NULL && g_error_matches (*error, NN_ERROR, NN_ERROR_SHAPE) && strstr ((*error)->message, data) == NULL)
    g_prefix_error (error, "%s: ", data);
}

void
cli_warn (const char *const *warnings)
{
  for (; *warnings != NULL; warnings++)
    g_printerr ("warning: %s\n", *warnings);
}

/* What a layer's file left open, and was assumed. */
void
cli_warn_model (const NnModel *model)
{
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      if (node->reason != NULL && node->op != NN_OP_UNSUPPORTED)
        g_printerr ("warning: layer \"%s\" (%s): %s\n", node->name, node->class_name, node->reason);
    }
}

/* json-glib 1.6 writes 1e-08 as "1e-08.0", which is no JSON: takes the ".0" out, outside strings. */
static void
mend_exponents (char *text)
{
  char *to = text;
  gboolean in_string = FALSE, exponent = FALSE;

  for (const char *c = text; *c != '\0'; c++)
    {
      if (in_string && *c == '\\' && c[1] != '\0')
        {
          *to++ = *c++;
          *to++ = *c;
          continue;
        }
      if (*c == '"')
        in_string = !in_string;
      if (!in_string && exponent && c[0] == '.' && c[1] == '0')
        {
          c++;
          exponent = FALSE;
          continue;
        }
      exponent = !in_string && ((*c == 'e' && c > text && g_ascii_isdigit (c[-1])) ||
                                (exponent && (g_ascii_isdigit (*c) || *c == '-' || *c == '+')));
      *to++ = *c;
    }
  *to = '\0';
}

void
cli_print_json (JsonBuilder *builder)
{
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = NULL;

  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  text = json_generator_to_data (generator, NULL);
  mend_exponents (text);
  fputs (text, stdout);
  fputc ('\n', stdout);
}

void
cli_json_double (JsonBuilder *builder,
                 const char  *name,
                 double       value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
cli_json_int (JsonBuilder *builder,
              const char  *name,
              gint64       value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
cli_json_string (JsonBuilder *builder,
                 const char  *name,
                 const char  *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

NnModel *
cli_open_model (Cli         *cli,
                const char  *path,
                const char  *weights,
                NnConfig   **config,
                GError     **error)
{
  NnLoadOptions options;
  NnModel *model;

  if (nn_project_is_project (path))
    {
      g_autoptr (NnProject) project = nn_project_load (path, error);

      if (project == NULL)
        return NULL;
      if (config != NULL && *config == NULL)
        *config = nn_config_ref ((NnConfig *) nn_project_config (project));
      return nn_model_ref ((NnModel *) nn_project_final (project));
    }
  nn_load_options_init (&options);
  options.weights_path = weights;
  model = nn_model_load (path, &options, &cli->progress, cli->cancellable, error);
  if (model != NULL)
    cli_warn_model (model);
  return model;
}

NnConfig *
cli_open_config (const char     *path,
                 const NnModel  *model,
                 GError        **error)
{
  g_autoptr (NnConfig) config = path != NULL ? nn_config_load (path, error) : nn_config_new ();

  if (config == NULL || !nn_config_check (config, model, error))
    return NULL;
  return g_steal_pointer (&config);
}
