/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli build DIR: runs the tool on a project, streams its log, reads its reports. */

#include "cli.h"

#include <stdio.h>

static void
print_line (const char *line,
            gpointer    data)
{
  fprintf (stderr, "%s\n", line);
}

/* Several projects: one after the other, told together. */
static int
run_queue (Cli                   *cli,
           const HlsBuildOptions *options,
           char                 **folders,
           guint                  n)
{
  g_autofree HlsTask *tasks = g_new0 (HlsTask, n);
  g_autoptr (JsonBuilder) json = json_builder_new ();
  guint done;

  for (guint i = 0; i < n; i++)
    {
      tasks[i].folder = folders[i];
      tasks[i].options = *options;
    }
  done = hls_queue_run (tasks, n, NULL, NULL, &cli->progress, cli->cancellable);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "projects");
  json_builder_begin_array (json);
  for (guint i = 0; i < n; i++)
    {
      const char *state = hls_task_state_name (tasks[i].state);

      json_builder_begin_object (json);
      cli_json_string (json, "folder", tasks[i].folder);
      cli_json_string (json, "state", state);
      if (tasks[i].report != NULL)
        cli_json_report (json, tasks[i].report);
      if (tasks[i].error != NULL)
        cli_json_string (json, "error", tasks[i].error->message);
      json_builder_end_object (json);
      if (!cli->json)
        g_print ("%s: %s%s%s\n", tasks[i].folder, state, tasks[i].error != NULL ? ": " : "",
                 tasks[i].error != NULL ? tasks[i].error->message : "");
      hls_task_clear (&tasks[i]);
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  if (g_cancellable_is_cancelled (cli->cancellable))
    return CLI_CANCELLED;
  return done == n ? CLI_DONE : CLI_FAILED;
}

/* Begins all and says where they run. */
static int
run_detached (Cli                   *cli,
              const HlsBuildOptions *options,
              char                 **folders,
              guint                  n)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  GError *error = NULL;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "projects");
  json_builder_begin_array (json);
  for (guint i = 0; i < n; i++)
    {
      HlsCluster cluster;
      g_autofree char *job = NULL;

      if (!hls_build_submit (folders[i], options, &error))
        return cli_fail (&cli_build, error);
      job = hls_cluster_last (folders[i], &cluster);
      json_builder_begin_object (json);
      cli_json_string (json, "folder", folders[i]);
      cli_json_string (json, "cluster", hls_cluster_name (cluster));
      cli_json_string (json, "job", job);
      json_builder_end_object (json);
      if (!cli->json)
        g_print ("%s: job %s on %s\n", folders[i], job, hls_cluster_name (cluster));
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  return CLI_DONE;
}

/* What is installed, of every backend; of each the first is what is taken where none is named. */
static int
list_tools (Cli *cli)
{
  static const char *const backends[] = { "vitis", "vivado", "vivado-synthesis", "oneapi", "quartus", "catapult" };
  g_autoptr (JsonBuilder) json = json_builder_new ();
  guint n = 0;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "tools");
  json_builder_begin_array (json);
  for (guint b = 0; b < G_N_ELEMENTS (backends); b++)
    {
      g_autoptr (GPtrArray) found = hls_tools_list (backends[b]);

      n += found->len;
      for (guint i = 0; i < found->len; i++)
        {
          const HlsTool *tool = found->pdata[i];

          json_builder_begin_object (json);
          cli_json_string (json, "backend", backends[b]);
          cli_json_string (json, "name", tool->title);
          if (tool->version != NULL)
            cli_json_string (json, "version", tool->version);
          cli_json_string (json, "path", tool->path);
          json_builder_end_object (json);
          if (!cli->json)
            g_print ("%-16s %s%s%s  %s\n", backends[b], tool->title, tool->version != NULL ? " " : "", tool->version != NULL ? tool->version : "",
                     tool->path);
        }
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  if (cli->json)
    cli_print_json (json);
  else if (n == 0)
    g_print ("no vendor's tool is on PATH or in the usual folders; build --csim needs none\n");
  return CLI_DONE;
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  gboolean follow = FALSE, detach = FALSE, tools = FALSE;
  g_autofree char *cluster = NULL, *queue = NULL;
  gint cpus = 0, memory = 0, minutes = 0;
  gboolean csim = FALSE, synth = FALSE, cosim = FALSE, export = FALSE, vsynth = FALSE;
  g_autofree char *tool = NULL, *settings = NULL;
  GOptionEntry entries[] = {
    { "csim", 0, 0, G_OPTION_ARG_NONE, &csim, "Simulate with a C++ compiler; needs no vendor's tool", NULL },
    { "synth", 0, 0, G_OPTION_ARG_NONE, &synth, "Synthesise", NULL },
    { "cosim", 0, 0, G_OPTION_ARG_NONE, &cosim, "Simulate the RTL", NULL },
    { "export", 0, 0, G_OPTION_ARG_NONE, &export, "Export the IP", NULL },
    { "vsynth", 0, 0, G_OPTION_ARG_NONE, &vsynth, "Logic synthesis", NULL },
    { "tool", 0, 0, G_OPTION_ARG_FILENAME, &tool, "Path of the tool (or, for --csim alone, of the compiler)", "FILE" },
    { "settings", 0, 0, G_OPTION_ARG_FILENAME, &settings, "Script to source before the tool", "FILE" },
    { "cluster", 0, 0, G_OPTION_ARG_STRING, &cluster, "Run on slurm, htcondor, or auto: the one that is there", "NAME" },
    { "queue", 0, 0, G_OPTION_ARG_STRING, &queue, "Slurm's partition, HTCondor's accounting group", "NAME" },
    { "cpus", 0, 0, G_OPTION_ARG_INT, &cpus, "Processors that a job on a cluster asks for", "N" },
    { "memory", 0, 0, G_OPTION_ARG_INT, &memory, "Memory that it asks for", "MB" },
    { "minutes", 0, 0, G_OPTION_ARG_INT, &minutes, "Time that it asks for", "N" },
    { "detach", 0, 0, G_OPTION_ARG_NONE, &detach, "Begin and return at once; --follow takes it up again", NULL },
    { "tools", 0, 0, G_OPTION_ARG_NONE, &tools, "List the tools that are installed, with versions and paths", NULL },
    { "follow", 0, 0, G_OPTION_ARG_NONE, &follow, "Wait for what was begun before, here or on a cluster", NULL },
    { NULL },
  };
  g_autoptr (HlsReport) report = NULL;
  g_autoptr (JsonBuilder) json = json_builder_new ();
  HlsBuildOptions options;
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_build, entries, 0, G_MAXINT, &argc, &argv, &status))
    return status;
  if (tools)
    return list_tools (cli);
  if (argc < 2)
    {
      g_printerr ("espalier-cli build: the folder of a project is missing\n");
      return CLI_USAGE;
    }
  hls_build_options_init (&options);
  options.stages = (csim ? HLS_STAGE_CSIM : 0) | (synth ? HLS_STAGE_SYNTH : 0) | (cosim ? HLS_STAGE_COSIM : 0) |
                   (export ? HLS_STAGE_EXPORT : 0) | (vsynth ? HLS_STAGE_VSYNTH : 0);
  if (options.stages == 0)
    options.stages = HLS_STAGE_CSIM;
  options.tool = tool;
  options.settings = settings;
  options.on_line = cli->quiet ? NULL : print_line;
  options.follow = follow;
  options.job.queue = queue;
  options.job.cpus = (guint) MAX (cpus, 1);
  options.job.memory_mb = (guint) MAX (memory, 0);
  options.job.minutes = (guint) MAX (minutes, 0);
  if (detach && (follow || options.stages == HLS_STAGE_CSIM))
    {
      g_printerr ("espalier-cli build: --detach goes with --synth, --cosim, --export or --vsynth\n");
      return CLI_USAGE;
    }
  if (cluster != NULL && (options.cluster = hls_cluster_find_named (cluster, &error)) == HLS_CLUSTER_NONE)
    return cli_fail (&cli_build, error);
  if (detach)
    return run_detached (cli, &options, argv + 1, (guint) argc - 1);
  if (argc > 2)
    return run_queue (cli, &options, argv + 1, (guint) argc - 1);
  report = hls_build (argv[1], &options, &cli->progress, cli->cancellable, &error);
  if (report == NULL)
    return cli_fail (&cli_build, error);
  if (cli->json)
    {
      json_builder_begin_object (json);
      cli_json_report (json, report);
      json_builder_end_object (json);
      cli_print_json (json);
    }
  else
    g_print ("%s: %s%s%s\n", report->stage, report->status != NULL ? report->status : "done",
             report->path != NULL ? ", " : "", report->path != NULL ? report->path : "");
  return CLI_DONE;
}

const CliVerb cli_build = {
  .name = "build",
  .arguments = "DIR… [--csim] [--synth] [--cosim] [--export] [--vsynth] | --tools",
  .summary = "Simulate or synthesise HLS projects",
  .run = run,
};
