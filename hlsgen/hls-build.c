/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds a project: simulation with an ordinary compiler, everything else with the vendor's tool. */

#include "hls-build.h"

#include "hls-host.h"
#include "hls-process.h"
#include "hls-project-private.h"
#include "hls-report-private.h"
#include "hls-tool.h"
#include "nn-text.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LOG_TAIL 12 /* lines of the log that an error message quotes at most */

typedef struct {
  const HlsBuildOptions *options;
  const NnProgress      *progress;
  const char            *folder;
  char                  *name, *backend;
  GQueue                 tail;
  GPtrArray             *advice;
  guint                  samples, differences;
  gboolean               compared, wrapped, outside; /* outside: programs are those of the computer, not of the sandbox */
  double                 largest;
} Build;

void
hls_build_options_init (HlsBuildOptions *options)
{
  *options = (HlsBuildOptions){ .stages = HLS_STAGE_CSIM };
  hls_job_options_init (&options->job);
}

static gboolean
read_marker (Build        *build,
             const char   *folder,
             GError      **error)
{
  g_autofree char *path = g_build_filename (folder, HLS_PROJECT_MARKER, NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root;
  JsonObject *object;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "\"%s\" is no project of Espalier: it has no %s", folder,
                   HLS_PROJECT_MARKER);
      return FALSE;
    }
  if (!json_parser_load_from_file (parser, path, error))
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  root = json_parser_get_root (parser);
  object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  build->name = object != NULL ? g_strdup (json_object_get_string_member_with_default (object, "name", NULL)) : NULL;
  build->backend = object != NULL ? g_strdup (json_object_get_string_member_with_default (object, "backend", NULL)) : NULL;
  build->wrapped = object != NULL && json_object_get_boolean_member_with_default (object, "wrapper", FALSE);
  if (build->name != NULL && build->backend != NULL && *build->name != '\0' && strchr (build->name, '/') == NULL)
    return TRUE;
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "%s: it does not name a project and its backend", path);
  return FALSE;
}

static void
on_line (const char *line,
         gpointer    data)
{
  Build *build = data;
  const char *advice = hls_tool_explain (line), *phase;
  double fraction = 0;
  unsigned samples, differences;

  if (build->options->on_line != NULL)
    build->options->on_line (line, build->options->on_line_data);
  if (sscanf (line, "espalier-test samples %u differences %u", &samples, &differences) == 2)
    {
      const char *at = strstr (line, "largest ");

      build->samples = samples;
      build->differences = differences;
      build->largest = at != NULL ? g_ascii_strtod (at + strlen ("largest "), NULL) : 0;
      build->compared = TRUE;
    }
  if (advice != NULL && !g_ptr_array_find (build->advice, advice, NULL))
    g_ptr_array_add (build->advice, (gpointer) advice);
  phase = hls_tool_phase (line, &fraction);
  if (phase != NULL)
    nn_progress_report (build->progress, fraction, phase);
  g_queue_push_tail (&build->tail, g_strdup (line));
  if (g_queue_get_length (&build->tail) > LOG_TAIL)
    g_free (g_queue_pop_head (&build->tail));
}

/* Signals that end a tool, in plain words. */
static const char *
explain_signal (int number)
{
  switch (number)
    {
    case SIGKILL: return "Something ended it by force: most often the system, for lack of memory. Use a larger reuse factor or a machine with more memory.";
    case SIGSEGV:
    case SIGABRT:
    case SIGBUS: return "The tool itself crashed. Try another version of it, or a larger reuse factor.";
    case SIGTERM: return "Somebody, or the end of the session, has ended it.";
    default: return NULL;
    }
}

/* What went wrong, in plain words where they are known, with the end of the log. */
static void
set_failure (const Build  *build,
             const char   *what,
             int           status,
             GError      **error)
{
  g_autoptr (GString) text = g_string_new (what);
  const char *signal_text = status > 128 && build->advice->len == 0 ? explain_signal (status - 128) : NULL;

  if (status >= 128)
    g_string_append_printf (text, " was ended by signal %d", status - 128);
  else if (status > 0)
    g_string_append_printf (text, " failed with exit status %d", status);
  if (signal_text != NULL)
    g_string_append_printf (text, "\n%s", signal_text);
  for (guint k = 0; k < build->advice->len; k++)
    g_string_append_printf (text, "\n%s", (const char *) build->advice->pdata[k]);
  if (build->advice->len == 0 && build->folder != NULL && strpbrk (build->folder, " \t()&;'") != NULL)
    g_string_append (text, "\nThe path of the project has blanks or signs that some tools' scripts stumble over. Move it to a path of plain letters.");
  if (build->tail.head != NULL)
    g_string_append (text, "\nIts last words:");
  for (GList *l = build->tail.head; l != NULL; l = l->next)
    g_string_append_printf (text, "\n  %s", (const char *) l->data);
  g_set_error_literal (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED, text->str);
}

static gboolean
run (Build              *build,
     const char *const  *argv,
     const char         *folder,
     GCancellable       *cancellable,
     int                *status,
     GError            **error)
{
  g_auto (GStrv) outside = build->outside ? hls_host_command (argv, folder) : NULL;

  return hls_process_run (outside != NULL ? (const char *const *) outside : argv, folder, on_line, build, cancellable, status, error);
}

static char *
compiler_version (const Build *build,
                  const char  *compiler)
{
  const char *argv[] = { compiler, "-dumpfullversion", NULL };
  g_auto (GStrv) outside = build->outside ? hls_host_command (argv, NULL) : NULL;
  char *text = NULL;

  if (!g_spawn_sync (NULL, outside != NULL ? outside : (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &text, NULL, NULL,
                     NULL))
    return NULL;
  return g_strstrip (text);
}

static gboolean
compile (Build         *build,
         const char    *folder,
         const char    *compiler,
         GCancellable  *cancellable,
         GError       **error)
{
  g_autofree char *test = g_strdup_printf ("%s_test.cpp", build->name), *top = g_strdup_printf ("firmware/%s.cpp", build->name);
  g_autofree char *wrapper = g_strdup_printf ("firmware/%s_axi.cpp", build->name);
  g_autofree char *program = g_strdup_printf ("csim/%s", build->name), *made = g_build_filename (folder, "csim", NULL);
  const char *standard = g_str_equal (build->backend, "vivado") ? "-std=c++11" : "-std=c++14";
  const char *argv[] = { compiler, standard, "-O1", "-Wall", "-Wextra", "-Ifirmware/ap_types", "-Ifirmware", "-Ifirmware/nnet_utils",
                         test, top, "-o", program, build->wrapped ? wrapper : NULL, NULL };
  int status;

  if (build->outside)
    {
      g_autofree char *typed = hls_host_shell (argv), *all = g_strdup_printf ("mkdir -p csim && %s && %s", typed, program);

      if (!hls_host_check (folder, all, error))
        return FALSE;
    }
  g_mkdir_with_parents (made, 0777);
  nn_progress_report (build->progress, 0.1, "compiling");
  if (!run (build, argv, folder, cancellable, &status, error))
    return FALSE;
  if (status == 0)
    return TRUE;
  set_failure (build, "compiling the project", status, error);
  return FALSE;
}

/* Without a vendor's tool: the test bench, compiled against the project's own stand-in headers. */
static HlsReport *
simulate (Build         *build,
          const char    *folder,
          GCancellable  *cancellable,
          GError       **error)
{
  const char *given = g_getenv ("CXX");
  const char *compiler = build->options->tool != NULL ? build->options->tool : given != NULL && *given != '\0' ? given : "g++";
  g_autofree char *program = g_strdup_printf ("csim/%s", build->name), *path = g_build_filename (folder, program, NULL);
  const char *argv[] = { path, NULL };
  HlsReport *report;
  int status;

  build->outside = hls_host_needed (compiler);
  if (!compile (build, folder, compiler, cancellable, error))
    return NULL;
  nn_progress_report (build->progress, 0.7, "running the test bench");
  if (!run (build, argv, folder, cancellable, &status, error))
    return NULL;
  if (build->compared && build->differences > 0)
    {
      g_autofree char *largest = nn_text_from_double (build->largest);

      g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED,
                   "the test bench differs from the bit-accurate engine in %u outputs of %u vectors, by up to %s", build->differences,
                   build->samples, largest);
      return NULL;
    }
  if (status != 0 || !build->compared)
    {
      set_failure (build, "the test bench", status, error);
      return NULL;
    }
  report = hls_report_new (path, "csim", "g++");
  g_free (report->version);
  report->version = compiler_version (build, compiler);
  g_free (report->top);
  report->top = g_strdup (build->name);
  g_free (report->status);
  report->status = g_strdup_printf ("Pass: %u vectors equal", build->samples);
  nn_progress_report (build->progress, 1, "simulated");
  return report;
}

/* What the scripts are to do; tools that take no arguments read it from this file. */
static gboolean
write_steps (const Build  *build,
             const char   *folder,
             gboolean      vsynth,
             GError      **error)
{
  g_autofree char *path = g_build_filename (folder, "build_opt.tcl", NULL);
  HlsStages s = build->options->stages;
  g_autofree char *text = g_strdup_printf (
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Which steps build_prj.tcl runs; Espalier writes this file before it starts the tool.\n"
    "array set opt {\n    reset 1\n    csim %d\n    synth %d\n    cosim %d\n    validation 0\n    export %d\n    vsynth %d\n}\n",
    (s & HLS_STAGE_CSIM) != 0, (s & (HLS_STAGE_SYNTH | HLS_STAGE_COSIM | HLS_STAGE_EXPORT | HLS_STAGE_VSYNTH)) != 0,
    (s & HLS_STAGE_COSIM) != 0, (s & HLS_STAGE_EXPORT) != 0, vsynth);

  return g_file_set_contents (path, text, -1, error);
}

/* The tool of a backend: the one that the settings script brings, or one that is found. On a cluster's machines may be what
 * is on no path of ours: then its name must do. (transfer full) */
static char *
find_tool (const Build  *build,
           const char   *backend,
           GError      **error)
{
  const HlsBuildOptions *options = build->options;
  g_autoptr (GError) inner = NULL;
  char *tool = options->settings != NULL ? hls_tool_with_settings (backend, options->settings, &inner) : NULL;

  if (tool == NULL)
    tool = hls_tool_find (backend, inner == NULL ? &inner : NULL);
  if (tool == NULL && options->cluster != HLS_CLUSTER_NONE)
    tool = g_strdup (hls_tool_name (backend));
  if (tool == NULL)
    g_propagate_error (error, g_steal_pointer (&inner));
  return tool;
}

/* The HLS tool: the one that is given, or found. */
static char *
choose_tool (const Build  *build,
             GError      **error)
{
  const HlsBuildOptions *options = build->options;
  g_autofree char *there = NULL;

  if (options->tool == NULL)
    return find_tool (build, build->backend, error);
  there = g_find_program_in_path (options->tool);
  if (!hls_tool_fits (options->tool, build->backend))
    g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "\"%s\" is no tool for the backend \"%s\"", options->tool, build->backend);
  else if (there != NULL || build->outside || options->settings != NULL || options->cluster != HLS_CLUSTER_NONE)
    return g_strdup (options->tool);
  else
    g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "cannot start \"%s\": there is no such program", options->tool);
  return NULL;
}

/* What the shell would stumble over later, said before. On a cluster, or outside a sandbox, other folders may be there. */
static gboolean
check_settings (const Build  *build,
                GError      **error)
{
  static const char *const others[] = { ".csh", ".tcsh", ".fish", ".bat", ".ps1" };
  const char *script = build->options->settings;

  for (guint i = 0; script != NULL && i < G_N_ELEMENTS (others); i++)
    if (g_str_has_suffix (script, others[i]))
      {
        g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "the settings script \"%s\" is for another shell; the one that ends in .sh beside it is needed",
                     script);
        return FALSE;
      }
  if (script == NULL || build->outside || build->options->cluster != HLS_CLUSTER_NONE || g_file_test (script, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "the settings script \"%s\" is not there", script);
  return FALSE;
}

static gboolean
is_amd (const Build *build)
{
  return g_str_equal (build->backend, "vitis") || g_str_equal (build->backend, "vivado");
}

/* Vivado's own run on the RTL. (transfer full) */
static char **
vivado_command (const Build  *build,
                GError      **error)
{
  g_autofree char *vivado = find_tool (build, "vivado-synthesis", error);

  return vivado != NULL ? hls_tool_command (vivado, build->options->settings, HLS_STAGE_VSYNTH) : NULL;
}

static gboolean
has_rtl (const Build *build,
         const char  *folder)
{
  g_autofree char *project = g_strdup_printf ("%s_prj", build->name);
  g_autofree char *rtl = g_build_filename (folder, project, "solution1", "syn", "verilog", NULL);

  return g_file_test (rtl, G_FILE_TEST_IS_DIR);
}

/* In a sandbox the tool is the computer's: whether it may be started is found out before it is looked for. */
static gboolean
check_outside (Build       *build,
               const char  *folder,
               GError     **error)
{
  const char *given = build->options->tool, *tool = given != NULL ? given : hls_tool_name (build->backend);
  g_auto (GStrv) argv = NULL;
  g_autofree char *typed = NULL;

  build->outside = tool != NULL && (build->options->settings != NULL ? hls_host_sandboxed () : hls_host_needed (tool));
  if (!build->outside)
    return TRUE;
  argv = hls_tool_command (tool, build->options->settings, build->options->stages);
  typed = hls_host_shell ((const char *const *) argv);
  return hls_host_check (folder, typed, error);
}

/* (transfer full): @argv, started outside a sandbox where it must be */
static char **
from_here (const Build *build,
           const char  *folder,
           char       **argv)
{
  char **outside;

  if (!build->outside || argv == NULL)
    return argv;
  outside = hls_host_command ((const char *const *) argv, folder);
  g_strfreev (argv);
  return outside;
}

/* Begins the tool as a job that outlives us. */
static gboolean
begin (Build       *build,
       const char  *folder,
       GError     **error)
{
  const HlsBuildOptions *options = build->options;
  HlsCluster cluster = options->cluster == HLS_CLUSTER_NONE ? HLS_CLUSTER_LOCAL : options->cluster;
  gboolean apart = (options->stages & HLS_STAGE_VSYNTH) != 0 && is_amd (build);
  gboolean only_apart = apart && options->stages == HLS_STAGE_VSYNTH && has_rtl (build, folder);
  g_auto (GStrv) argv = NULL, then = NULL;
  g_autofree char *tool = NULL, *job = NULL, *line = NULL;
  HlsJobOptions wishes = options->job;

  if (!check_outside (build, folder, error) || !check_settings (build, error) || (!only_apart && (tool = choose_tool (build, error)) == NULL) || (apart && (then = vivado_command (build, error)) == NULL) ||
      (!only_apart && !write_steps (build, folder, (options->stages & HLS_STAGE_VSYNTH) != 0 && !apart, error)))
    return FALSE;
  argv = from_here (build, folder, only_apart ? g_steal_pointer (&then) : hls_tool_command (tool, options->settings, options->stages));
  then = from_here (build, folder, then);
  wishes.name = build->name;
  wishes.then = (const char *const *) then;
  wishes.then_title = "***** VIVADO SYNTHESIS *****";
  if (options->on_line != NULL)
    {
      line = g_strjoinv (" ", argv);
      options->on_line (line, options->on_line_data);
    }
  job = hls_cluster_submit (cluster, folder, (const char *const *) argv, &wishes, error);
  return job != NULL;
}

/* Waits for the job of the folder. */
static gboolean
await (Build         *build,
       const char    *folder,
       GCancellable  *cancellable,
       GError       **error)
{
  HlsCluster cluster;
  g_autofree char *job = hls_cluster_last (folder, &cluster);
  HlsJobState state;
  int status;

  if (job == NULL)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "\"%s\": nothing has been begun in it that could be followed", folder);
      return FALSE;
    }
  if (!hls_cluster_follow (cluster, folder, job, on_line, build, cancellable, &state, &status, error))
    return FALSE;
  if (state == HLS_JOB_DONE && status == 0)
    return TRUE;
  if (state == HLS_JOB_DONE)
    set_failure (build, "the tool", status, error);
  else if (state == HLS_JOB_CANCELLED)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "job %s was cancelled on %s", job, hls_cluster_name (cluster));
  else
    set_failure (build, "the tool was ended from outside or ran out of its time or memory, and", 1, error);
  return FALSE;
}

/* Clocks of a cluster's machines are not quite ours. */
#define CLOCK_SLACK_S 120

/* Whether @report was there before the job of this folder began. */
static gboolean
is_stale (const Build     *build,
          const char      *folder,
          const HlsReport *report)
{
  gint64 begun = hls_cluster_begun (folder);
  GStatBuf status;

  if (build->options->follow || build->options->stages == HLS_STAGE_VSYNTH || g_stat (report->path, &status) != 0)
    return FALSE;
  return (gint64) status.st_mtime + (build->options->cluster == HLS_CLUSTER_NONE ? 0 : CLOCK_SLACK_S) < begun;
}

/* A tool may say that all is well and have written nothing: then an older report is none of its, and its log tells why. */
static HlsReport *
read_reports (const Build  *build,
              const char   *folder,
              GError      **error)
{
  g_autoptr (GError) inner = NULL;
  g_autoptr (HlsReport) report = hls_report_read (folder, &inner);

  if (report != NULL && !is_stale (build, folder, report))
    return g_steal_pointer (&report);
  if (inner != NULL && build->advice->len == 0)
    {
      g_propagate_error (error, g_steal_pointer (&inner));
      return NULL;
    }
  set_failure (build, report != NULL ? "the tool ended without an error but wrote no report; the one in the folder is of an earlier run"
                                     : "the tool ended without an error but wrote no report", 0, error);
  return NULL;
}

static HlsReport *
run_tool (Build         *build,
          const char    *folder,
          GCancellable  *cancellable,
          GError       **error)
{
  nn_progress_report (build->progress, 0, "starting the tool");
  if ((!build->options->follow && !begin (build, folder, error)) || !await (build, folder, cancellable, error))
    return NULL;
  nn_progress_report (build->progress, 1, "reading reports");
  return read_reports (build, folder, error);
}

static void
build_clear (Build *build)
{
  g_queue_clear_full (&build->tail, g_free);
  g_ptr_array_unref (build->advice);
  g_free (build->name);
  g_free (build->backend);
}

/**
 * hls_build_submit:
 *
 * Errors: as hls_build(), but for what the tool does later
 */
gboolean
hls_build_submit (const char             *folder,
                  const HlsBuildOptions  *options,
                  GError                **error)
{
  Build build = { .options = options, .tail = G_QUEUE_INIT, .advice = g_ptr_array_new () };
  g_autofree char *path = g_canonicalize_filename (folder, NULL);
  gboolean begun = read_marker (&build, path, error) && begin (&build, path, error);

  build_clear (&build);
  return begun;
}

/**
 * hls_build:
 * @folder: a project that hls_project_write() wrote
 *
 * Simulation alone needs no vendor's tool: it is done with the C++ compiler (`options->tool`, $CXX or g++). Every other
 * stage runs the backend's tool, on this machine or on a cluster, as a job of its own that goes on when the program that
 * began it ends. Blocks until it has ended; a cancelled build leaves no process behind.
 *
 * Errors: %HLS_ERROR_TOOL_MISSING; %HLS_ERROR_TOOL_FAILED with the end of the log, also where the test bench differs;
 * %HLS_ERROR_REPORT; %G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full): the report of the last stage
 */
HlsReport *
hls_build (const char             *folder,
           const HlsBuildOptions  *options,
           const NnProgress       *progress,
           GCancellable           *cancellable,
           GError                **error)
{
  Build build = { .options = options, .progress = progress, .tail = G_QUEUE_INIT };
  g_autofree char *path = g_canonicalize_filename (folder, NULL);
  HlsReport *report = NULL;

  build.folder = path;
  build.advice = g_ptr_array_new ();
  if (read_marker (&build, path, error))
    report = options->stages == HLS_STAGE_CSIM && !options->follow ? simulate (&build, path, cancellable, error)
                                                                   : run_tool (&build, path, cancellable, error);
  build_clear (&build);
  return report;
}
