/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Launching a vendor's tool: a stand-in on PATH with its phases, log lines, exit codes, reports, hanging and dying. */

#include "test-build-fixture.h"

#include <signal.h>
#include <unistd.h>

static void
test_success (Fixture       *f,
              gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = NULL;
  g_autofree char *arguments = NULL, *steps = NULL, *vivado = NULL;
  Log log;

  put (f, "mode", "ok");
  report = build (f, NULL, &log, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report->stage, ==, "csynth");
  g_assert_cmpfloat (report->resources.amount[NN_RESOURCE_DSP], ==, 36);
  g_assert_cmpfloat (report->latency_max, ==, 21);
  g_assert_true (has (log.lines, "INFO: [HLS 200-111] Generating all RTL models"));
  g_assert_true (has (log.phases, "C synthesis"));
  g_assert_true (has (log.phases, "scheduling"));
  g_assert_true (has (log.phases, "writing RTL"));
  arguments = take (f, "arguments");
  g_assert_cmpstr (arguments, ==, g_str_equal (data, "vitis-run") ? "--mode hls --tcl build_prj.tcl\n" : "-f build_prj.tcl\n");
  steps = take (f, "steps");
  g_assert_nonnull (strstr (steps, "synth 1"));
  g_assert_nonnull (strstr (steps, "vsynth 0")); /* it is done by Vivado, after the HLS tool */
  vivado = take (f, "vivado-arguments");
  g_assert_nonnull (strstr (vivado, "-mode batch"));
  g_assert_nonnull (strstr (vivado, "-source vivado_synth.tcl"));
  g_assert_true (has (log.phases, "logic synthesis"));
  g_assert_true (has (log.phases, "logic synthesis: elaborating"));
  g_assert_nonnull (strstr (steps, "cosim 0"));
  g_ptr_array_unref (log.lines);
  g_ptr_array_unref (log.phases);
}

static void
test_failure (Fixture       *f,
              gconstpointer  data)
{
  static const struct { const char *mode; const char *text; } cases[] = {
    { "fail", "Use the strategy Resource with a larger reuse factor" },
    { "die", "was ended by signal 9" },
    { "die", "for lack of memory" },
    { "garbage", "failed with exit status 2" },
    { "vivado-fails", "The tool has no licence for this part" },
    { "memory", "The tool ran out of memory" },
    { "killed", "for lack of memory" },
    { "seat", "See whether the licence server is reachable" },
    { "crash", "stack is too small" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", cases[i].mode);
      put (f, "mode", cases[i].mode);
      g_assert_null (build (f, NULL, NULL, &error));
      g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      if (strstr (error->message, cases[i].text) == NULL)
        g_error ("%s: %s", cases[i].mode, error->message);
    }
}

/* It says that all is well and has written nothing: what it complained of is told, and a report of before is not taken for its. */
static void
test_no_report (Fixture       *f,
                gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = NULL;
  g_autoptr (GFile) file = NULL;

  put (f, "mode", "silent");
  g_assert_null (build (f, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_REPORT);
  g_clear_error (&error);
  put (f, "mode", "complains");
  g_assert_null (build (f, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED);
  g_assert_nonnull (strstr (error->message, "The part is not installed"));
  g_clear_error (&error);

  put (f, "mode", "ok");
  report = build (f, NULL, NULL, &error);
  g_assert_no_error (error);
  file = g_file_new_for_path (report->path);
  g_assert_true (g_file_set_attribute_uint64 (file, G_FILE_ATTRIBUTE_TIME_MODIFIED, 1700000000, 0, NULL, NULL));
  put (f, "mode", "silent");
  g_assert_null (build (f, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED);
  g_assert_nonnull (strstr (error->message, "earlier run"));
}

static gpointer
cancel_when_it_hangs (gpointer data)
{
  gpointer *both = data;
  const Fixture *f = both[0];

  for (guint k = 0; k < 200; k++)
    {
      g_autofree char *pids = take (f, "pids");
      const char *first = pids != NULL ? strchr (pids, '\n') : NULL;
      gboolean both_there = first != NULL && strchr (first + 1, '\n') != NULL;

      if (both_there)
        break;
      g_usleep (50 * 1000);
    }
  g_cancellable_cancel (both[1]);
  return NULL;
}

/* Cancelling ends the tool, a child in a process group of its own and one in a session of its own, all deaf to SIGTERM. */
static void
test_cancel (Fixture       *f,
             gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gpointer both[] = { f, cancellable };
  GThread *thread;
  g_autofree char *pids = NULL;
  g_auto (GStrv) words = NULL;

  put (f, "mode", "hang");
  thread = g_thread_new ("cancel", cancel_when_it_hangs, both);
  g_assert_null (build (f, cancellable, NULL, &error));
  g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  pids = take (f, "pids");
  g_assert_nonnull (pids);
  words = g_strsplit (g_strstrip (pids), "\n", -1);
  g_assert_cmpuint (g_strv_length (words), ==, 3);
  for (guint k = 0; words[k] != NULL; k++)
    {
      /* a killed orphan may stay a zombie for as long as nobody reaps it */
      g_autofree char *path = g_strdup_printf ("/proc/%s/status", words[k]), *status = NULL;

      if (g_file_get_contents (path, &status, NULL, NULL))
        g_assert_nonnull (strstr (status, "Z (zombie)"));
    }
}

static gpointer
cancel_the_flood (gpointer data)
{
  gpointer *both = data;

  for (guint k = 0; k < 200; k++)
    {
      g_autofree char *there = take (both[0], "flooding");

      if (there != NULL)
        break;
      g_usleep (50 * 1000);
    }
  g_usleep (300 * 1000);
  g_cancellable_cancel (both[1]);
  return NULL;
}

static void
count_line (const char *line,
            gpointer    data)
{
  (*(guint *) data)++;
}

/* Who cancels does not wait until all of a log that is far ahead has been read. */
static void
test_flood (Fixture       *f,
            gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gpointer both[] = { f, cancellable };
  HlsBuildOptions options;
  GThread *thread;
  guint n = 0;

  put (f, "mode", "flood");
  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH;
  options.on_line = count_line;
  options.on_line_data = &n;
  thread = g_thread_new ("cancel", cancel_the_flood, both);
  g_assert_null (hls_build (f->project, &options, NULL, cancellable, &error));
  g_thread_join (thread);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (n, <, 1400000);
}

/* Every tool: found on PATH, called as it wants to be, followed by phase, its report read. */
static void
test_tool (Fixture       *f,
           gconstpointer  data)
{
  static const struct { const char *mode, *text; } failures[] = {
    { "fail", "Use the strategy Resource with a larger reuse factor" }, { "die", "Its last words:" }, { "garbage", "failed with exit status 2" },
    { "silent", "no report" },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = NULL;
  g_autofree char *arguments = NULL;
  guint kind = kind_of (data);
  HlsBuildOptions options;
  Log log = { g_ptr_array_new_with_free_func (g_free), g_ptr_array_new_with_free_func (g_free) };
  NnProgress progress = { on_progress, &log };

  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH;
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      put (f, "mode", failures[i].mode);
      g_assert_null (hls_build (f->project, &options, NULL, NULL, &error));
      g_assert_cmpuint (error->domain, ==, HLS_ERROR);
      if (strstr (error->message, failures[i].text) == NULL)
        g_error ("%s: %s", failures[i].mode, error->message);
      g_clear_error (&error);
    }
  options.on_line = on_line;
  options.on_line_data = &log;
  put (f, "mode", "ok");
  report = hls_build (f->project, &options, &progress, NULL, &error);
  g_assert_no_error (error);
  arguments = take (f, "arguments");
  g_assert_nonnull (strstr (arguments, kinds[kind].words));
  g_assert_true (has (log.phases, kinds[kind].phase));
  if (g_str_equal (data, "catapult"))
    g_assert_cmpfloat (report->area, ==, 36);
  else
    g_assert_cmpfloat (report->resources.amount[NN_RESOURCE_DSP], ==, 36);
  if (kind <= kind_of ("catapult"))
    g_assert_cmpfloat (report->latency_max, ==, 21);
  g_ptr_array_unref (log.lines);
  g_ptr_array_unref (log.phases);
}

typedef struct {
  GString *states;
} Seen;

static void
on_change (const HlsTask *task,
           guint          i,
           gpointer       data)
{
  g_string_append_printf (((Seen *) data)->states, "%u %s;", i, hls_task_state_name (task->state));
}

/* A failure does not stop the queue; a cancelled task is passed over. */
static void
test_queue (Fixture       *f,
            gconstpointer  data)
{
  HlsTask tasks[4] = { 0 };
  Seen seen = { g_string_new (NULL) };
  g_autofree char *missing = g_build_filename (f->folder, "missing", NULL);

  put (f, "mode", "ok");
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      tasks[i].folder = i == 1 ? missing : f->project;
      hls_build_options_init (&tasks[i].options);
      tasks[i].options.stages = HLS_STAGE_SYNTH;
    }
  tasks[2].cancellable = g_cancellable_new ();
  g_cancellable_cancel (tasks[2].cancellable);
  g_assert_cmpuint (hls_queue_run (tasks, G_N_ELEMENTS (tasks), on_change, &seen, NULL, NULL), ==, 2);
  g_assert_cmpstr (seen.states->str, ==, "0 running;0 done;1 running;1 failed;2 cancelled;3 running;3 done;");
  g_assert_error (tasks[1].error, HLS_ERROR, HLS_ERROR_UNSUPPORTED);
  g_assert_nonnull (tasks[3].report);
  g_object_unref (tasks[2].cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    hls_task_clear (&tasks[i]);
  g_string_free (seen.states, TRUE);
}

/* What is begun goes on without whoever began it, and is taken up again: here after it has ended, or while it runs. */
static void
test_follow (Fixture       *f,
             gconstpointer  data)
{
  static const char *const modes[] = { "ok", "fail" };
  HlsBuildOptions options;

  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH;
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlsReport) report = NULL;
      HlsCluster cluster;
      g_autofree char *job = NULL;
      Log log = { g_ptr_array_new_with_free_func (g_free), g_ptr_array_new_with_free_func (g_free) };

      put (f, "mode", modes[i]);
      options.follow = FALSE;
      options.on_line = NULL;
      g_assert_true (hls_build_submit (f->project, &options, &error));
      g_assert_no_error (error);
      job = hls_cluster_last (f->project, &cluster);
      g_assert_cmpint (cluster, ==, HLS_CLUSTER_LOCAL);
      options.follow = TRUE;
      options.on_line = on_line;
      options.on_line_data = &log;
      report = hls_build (f->project, &options, NULL, NULL, &error);
      g_assert_true (has (log.lines, "INFO: [HLS 200-10] Analyzing design file"));
      if (i == 0)
        g_assert_cmpfloat (report->resources.amount[NN_RESOURCE_DSP], ==, 36);
      else
        g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED);
      g_ptr_array_unref (log.lines);
      g_ptr_array_unref (log.phases);
    }
}

/* Where nothing has been begun there is nothing to follow. */
static void
test_follow_nothing (Fixture       *f,
                     gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  HlsBuildOptions options;

  hls_build_options_init (&options);
  options.follow = TRUE;
  g_assert_null (hls_build (f->project, &options, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED);
}

/* As flatpak-spawn: options first, then a program that only the computer outside has; "denied" beside it refuses all. */
static const char spawn_stand_in[] =
  "#!/bin/bash\n"
  "here=$(dirname \"$0\")\n"
  "echo \"$@\" >> \"$here/spawned\"\n"
  "[ -e \"$here/denied\" ] && { echo 'Portal call failed: ServiceUnknown' >&2; exit 1; }\n"
  "while [ \"${1#--}\" != \"$1\" ]; do case $1 in --directory=*) cd \"${1#--directory=}\";; esac; shift; done\n"
  "PATH=\"$here:$PATH\" exec \"$@\"\n";

/* Inside a sandbox: the tool outside is found, started in the project's folder, and dies with us. */
static void
test_sandbox (Fixture       *f,
              gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = NULL, simulated = NULL;
  g_autofree char *spawned = NULL, *folder = g_strdup_printf ("--host --watch-bus --directory=%s %s/vitis_hls -f build_prj.tcl", f->project, f->folder);
  HlsBuildOptions options;

  put (f, "mode", "ok");
  put (f, "flatpak-spawn", spawn_stand_in);
  g_setenv ("PATH", f->old_path, TRUE);
  g_setenv ("ESPALIER_TEST_SANDBOX", f->folder, TRUE);
  report = build (f, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report->stage, ==, "csynth");
  spawned = take (f, "spawned");
  g_assert_nonnull (strstr (spawned, folder));
  hls_build_options_init (&options);
  options.tool = "no-such-compiler"; /* the stand-in outside has it */
  put (f, "no-such-compiler", "#!/bin/sh\nexec g++ \"$@\"\n");
  simulated = hls_build (f->project, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (simulated->stage, ==, "csim");
}

/* Without the permission the exact commands are said: what to type now, and what would allow it. */
static void
test_sandbox_denied (Fixture       *f,
                     gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *typed = g_strdup_printf ("cd %s && vitis-run --mode hls --tcl build_prj.tcl\n", f->project);

  put (f, "flatpak-spawn", spawn_stand_in);
  put (f, "denied", "");
  g_setenv ("PATH", f->old_path, TRUE);
  g_setenv ("ESPALIER_TEST_SANDBOX", f->folder, TRUE);
  g_assert_null (build (f, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING);
  g_assert_nonnull (strstr (error->message, typed));
  g_assert_nonnull (strstr (error->message, "flatpak override --user --talk-name=org.freedesktop.Flatpak org.espalier.Espalier"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/build/vitis-run/vsynth", Fixture, "vitis-run", set_up, test_success, tear_down);
  g_test_add ("/build/vitis_hls/vsynth", Fixture, "vitis_hls", set_up, test_success, tear_down);
  g_test_add ("/build/failure", Fixture, "vitis_hls", set_up, test_failure, tear_down);
  g_test_add ("/build/no-report", Fixture, "vitis_hls", set_up, test_no_report, tear_down);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *run = g_strdup_printf ("/build/%s/run", kinds[i].tool), *hang = g_strdup_printf ("/build/%s/cancel", kinds[i].tool);

      g_test_add (run, Fixture, kinds[i].tool, set_up, test_tool, tear_down);
      g_test_add (hang, Fixture, kinds[i].tool, set_up, test_cancel, tear_down);
    }
  g_test_add ("/build/flood", Fixture, "vitis_hls", set_up, test_flood, tear_down);
  g_test_add ("/build/queue", Fixture, "vitis_hls", set_up, test_queue, tear_down);
  g_test_add ("/build/sandbox", Fixture, "vitis_hls", set_up, test_sandbox, tear_down);
  g_test_add ("/build/sandbox-denied", Fixture, "vitis_hls", set_up, test_sandbox_denied, tear_down);
  g_test_add ("/build/follow", Fixture, "vitis_hls", set_up, test_follow, tear_down);
  g_test_add ("/build/follow-nothing", Fixture, "vitis_hls", set_up, test_follow_nothing, tear_down);
  return g_test_run ();
}
