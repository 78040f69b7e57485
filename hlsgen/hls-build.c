/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds a project: simulation with an ordinary compiler, everything else with the vendor's tool. */

#include "hls-build.h"

#include "hls-host.h"
#include "hls-process.h"
#include "hls-project-private.h"
#include "hls-report-private.h"
#include "hls-tool.h"
#include "nn-text.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#define LOG_TAIL 12 /* lines of the log that an error message quotes at most */

typedef struct {
  const HlsBuildOptions *options;
  const NnProgress      *progress;
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

/* What went wrong, in plain words where they are known, with the end of the log. */
static void
set_failure (const Build  *build,
             const char   *what,
             int           status,
             GError      **error)
{
  g_autoptr (GString) text = g_string_new (what);

  if (status >= 128)
    g_string_append_printf (text, " was ended by signal %d", status - 128);
  else
    g_string_append_printf (text, " failed with exit status %d", status);
  for (guint k = 0; k < build->advice->len; k++)
    g_string_append_printf (text, "\n%s", (const char *) build->advice->pdata[k]);
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
  const char *argv[] = { compiler, "-std=c++14", "-O1", "-Wall", "-Wextra", "-Ifirmware/ap_types", "-Ifirmware", "-Ifirmware/nnet_utils",
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
             GError      **error)
{
  g_autofree char *path = g_build_filename (folder, "build_opt.tcl", NULL);
  HlsStages s = build->options->stages;
  g_autofree char *text = g_strdup_printf (
    "# SPDX-License-Identifier: Apache-2.0\n"
    "# Which steps build_prj.tcl runs; Espalier writes this file before it starts the tool.\n"
    "array set opt {\n    reset 1\n    csim %d\n    synth %d\n    cosim %d\n    validation 0\n    export %d\n    vsynth %d\n}\n",
    (s & HLS_STAGE_CSIM) != 0, (s & (HLS_STAGE_SYNTH | HLS_STAGE_COSIM | HLS_STAGE_EXPORT | HLS_STAGE_VSYNTH)) != 0,
    (s & HLS_STAGE_COSIM) != 0, (s & HLS_STAGE_EXPORT) != 0, (s & HLS_STAGE_VSYNTH) != 0);

  return g_file_set_contents (path, text, -1, error);
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
  argv = hls_tool_command (tool, build->options->settings);
  typed = hls_host_shell ((const char *const *) argv);
  return hls_host_check (folder, typed, error);
}

static HlsReport *
run_tool (Build         *build,
          const char    *folder,
          GCancellable  *cancellable,
          GError       **error)
{
  g_autofree char *tool = build->options->tool != NULL ? g_strdup (build->options->tool) : NULL;
  g_auto (GStrv) argv = NULL;
  g_autofree char *name = NULL;
  int status;

  if (!write_steps (build, folder, error) || !check_outside (build, folder, error))
    return NULL;
  if (tool == NULL && build->options->settings != NULL && g_str_equal (build->backend, "vitis"))
    tool = g_find_program_in_path ("vitis-run") != NULL ? g_strdup ("vitis-run") : NULL;
  if (tool == NULL && (tool = hls_tool_find (build->backend, error)) == NULL)
    return NULL;
  argv = hls_tool_command (tool, build->options->settings);
  name = g_path_get_basename (tool);
  nn_progress_report (build->progress, 0, name);
  if (!run (build, (const char *const *) argv, folder, cancellable, &status, error))
    return NULL;
  if (status != 0)
    {
      set_failure (build, name, status, error);
      return NULL;
    }
  nn_progress_report (build->progress, 1, "reading reports");
  return hls_report_read (folder, error);
}

/**
 * hls_build:
 * @folder: a project that hls_project_write() wrote
 *
 * Simulation alone needs no vendor's tool: it is done with the C++ compiler (`options->tool`, $CXX or g++). Every other
 * stage runs the backend's tool. Blocks until it has ended; a cancelled build leaves no process behind.
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

  build.advice = g_ptr_array_new ();
  if (read_marker (&build, path, error))
    report = options->stages == HLS_STAGE_CSIM ? simulate (&build, path, cancellable, error)
                                               : run_tool (&build, path, cancellable, error);
  g_queue_clear_full (&build.tail, g_free);
  g_ptr_array_unref (build.advice);
  g_free (build.name);
  g_free (build.backend);
  return report;
}
