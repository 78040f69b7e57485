/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Launching a vendor's tool: a stand-in on PATH with its phases, log lines, exit codes, reports, hanging and dying. */

#include "hls-tool.h"
#include "test-network.h"

#include <signal.h>
#include <unistd.h>

/* What the stand-in does is in the file "mode" beside it; it writes the pids of a long-lived child into "pids". */
static const char stand_in[] =
  "#!/bin/bash\n"
  "here=$(dirname \"$0\")\n"
  "mode=$(cat \"$here/mode\")\n"
  "echo \"$@\" > \"$here/arguments\"\n"
  "cp build_opt.tcl \"$here/steps\"\n"
  "echo '***** C/RTL SYNTHESIS *****'\n"
  "echo 'INFO: [HLS 200-10] Analyzing design file'\n"
  "case $mode in\n"
  "fail)\n"
  "  echo 'ERROR: [XFORM 203-504] Stop unrolling loop because it may cause large runtime and excessive memory usage'; exit 1;;\n"
  "die) kill -KILL $$;;\n"
  "hang)\n"
  "  set -m\n" /* jobs in process groups of their own, as vendor tools start theirs */
  "  bash -c 'trap \"\" TERM; while true; do sleep 1; done' &\n"
  "  echo $! > \"$here/pids\"; echo $$ >> \"$here/pids\"\n"
  "  setsid bash -c 'trap \"\" TERM; echo $$ >> \"$0/pids\"; while true; do sleep 1; done' \"$here\" &\n" /* and daemons */
  "  until [ $(wc -l < \"$here/pids\") = 3 ]; do sleep 0.05; done\n"
  "  trap '' TERM\n"
  "  while true; do sleep 1; done;;\n"
  "silent) exit 0;;\n"
  "complains) echo 'ERROR: [HLS 200-1023] Part xcvu13p is not installed.'; exit 0;;\n"
  "memory) echo \"terminate called after throwing an instance of 'std::bad_alloc'\"; exit 134;;\n"
  "killed) bash -c 'kill -KILL $$'; echo \"$0: line 12: 4711 Killed\"; exit 1;;\n"
  "seat) echo '@E [HLS-72] License checkout unsuccessful.'; exit 1;;\n"
  "crash) kill -SEGV $$;;\n"
  "flood) touch \"$here/flooding\"; yes 'INFO: a line of a log that grows faster than it can be read' | head -n 1500000; sleep 1000;;\n"
  "garbage) head -c 300000 /dev/urandom; exit 2;;\n"
  "esac\n"
  "echo 'INFO: [HLS 200-10] Starting hardware synthesis ...'\n"
  "target=$(cat \"$here/report-path\")\n"
  "mkdir -p \"$(dirname \"$target\")\"\n"
  "cp \"$here/report\" \"$target\"\n"
  "echo 'INFO: [HLS 200-111] Generating all RTL models'\n"
  "exit 0\n";

/* Logic synthesis is another program's. */
static const char vivado_stand_in[] =
  "#!/bin/bash\n"
  "here=$(dirname \"$0\")\n"
  "echo \"$@\" > \"$here/vivado-arguments\"\n"
  "echo 'Starting RTL Elaboration'\n"
  "[ \"$(cat \"$here/mode\")\" = vivado-fails ] && { echo 'ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xcvu13p'.'; exit 3; }\n"
  "exit 0\n";

static const char report_xml[] =
  "<?xml version=\"1.0\"?>\n<profile>\n"
  "<ReportVersion><Version>2023.2</Version></ReportVersion>\n"
  "<UserAssignments><unit>ns</unit><ProductFamily>virtexuplus</ProductFamily><Part>xcvu13p-flga2577-2-e</Part>"
  "<TopModelName>myproject</TopModelName><TargetClockPeriod>5.00</TargetClockPeriod><FlowTarget>vivado</FlowTarget></UserAssignments>\n"
  "<PerformanceEstimates><SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>3.630</EstimatedClockPeriod></SummaryOfTimingAnalysis>"
  "<SummaryOfOverallLatency><unit>clock cycles</unit><Best-caseLatency>21</Best-caseLatency><Average-caseLatency>21</Average-caseLatency>"
  "<Worst-caseLatency>21</Worst-caseLatency><Interval-min>4</Interval-min><Interval-max>4</Interval-max></SummaryOfOverallLatency></PerformanceEstimates>\n"
  "<AreaEstimates><Resources><DSP>36</DSP><FF>100</FF><LUT>200</LUT><BRAM_18K>3</BRAM_18K><URAM>0</URAM></Resources>"
  "<AvailableResources><DSP>12288</DSP><FF>3456000</FF><LUT>1728000</LUT><BRAM_18K>5376</BRAM_18K><URAM>1280</URAM></AvailableResources></AreaEstimates>\n"
  "</profile>\n";

/* Of Catapult, for the top function. */
static const char report_rpt[] =
  "-- Catapult Ultra Synthesis: Version 2023.2\n\n"
  "  Processes/Blocks in Design\n    Process          Real Operation(s) count Latency Throughput Reset Length II Comments\n"
  "    /myproject/core                    120      21          4            1  1\n"
  "    Design Total:                      120      21          4            1  1\n\n"
  "  Clock Information\n    Clock Signal Edge   Period Sharing Alloc (%) Uncertainty Used by Processes/Blocks\n"
  "    clk          rising  5.000               20.00    0.000000 /myproject/core\n\n"
  "  Area Scores\n                      Post-Scheduling   Post-DP & FSM    Post-Assignment\n"
  "    Total Area Score:      36.0              36.0              36.0\n";

/* Of Intel's compilers. */
static const char report_json[] =
  "{\"columns\":[\"\",\"ALUTs\",\"FFs\",\"RAMs\",\"DSPs\",\"MLABs\",\"Details\"],\"total\":[200,100,3,36,0],\"name\":\"System\","
  "\"max_resources\":[854400,1708800,2713,1518,42720],\"children\":[]}\n";

/* How each tool is called, what it leaves, and where. */
static const struct { const char *tool, *backend, *words, *path, *report, *phase; } kinds[] = {
  { "vitis-run", "Vitis", "--mode hls --tcl build_prj.tcl\n", "myproject_prj/solution1/syn/report/myproject_csynth.xml", report_xml, "writing RTL" },
  { "vitis_hls", "Vitis", "-f build_prj.tcl\n", "myproject_prj/solution1/syn/report/myproject_csynth.xml", report_xml, "writing RTL" },
  { "vivado_hls", "Vivado", "-f build_prj.tcl\n", "myproject_prj/solution1/syn/report/myproject_csynth.xml", report_xml, "writing RTL" },
  { "catapult", "Catapult", "-shell -file build_prj.tcl\n", "myproject_prj/myproject.v1/rtl.rpt", report_rpt, "C synthesis" },
  { "icpx", "oneAPI", "-fsycl-link=early", "myproject_report.prj/reports/resources/json/area.json", report_json, "scheduling" },
  { "i++", "Quartus", "-march=Arria10 --clock 5ns", "myproject-fpga.prj/reports/lib/json/area.json", report_json, "scheduling" },
};

static guint
kind_of (const char *tool)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].tool, tool))
      return i;
  return 0;
}

typedef struct {
  char *folder;  /* of the stand-in */
  char *project;
  char *old_path;
} Fixture;

static void
put (const Fixture *f,
     const char    *name,
     const char    *text)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);

  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
}

G_NO_INLINE static char *
take (const Fixture *f,
      const char    *name)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static void
set_up (Fixture       *f,
        gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  g_autofree char *path = NULL, *config = NULL;
  guint kind = kind_of (data);
  TestNetwork n;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (4));
  network_dense (&n, "fc", 4, 3);
  model = network_end (&n);
  config = g_strdup_printf ("{\"Backend\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}",
                            kinds[kind].backend);
  design = network_design (model, config);
  project = hls_project_new (design, NULL, &error);
  f->folder = test_folder ();
  f->project = g_build_filename (f->folder, "project", NULL);
  g_assert_true (hls_project_write (project, f->project, &error));
  g_assert_no_error (error);
  put (f, data, stand_in);
  put (f, "vivado", vivado_stand_in);
  put (f, "report", kinds[kind].report);
  put (f, "report-path", kinds[kind].path);
  f->old_path = g_strdup (g_getenv ("PATH"));
  path = g_strdup_printf ("%s:%s", f->folder, f->old_path);
  g_setenv ("PATH", path, TRUE);
}

static void
tear_down (Fixture       *f,
           gconstpointer  data)
{
  g_setenv ("PATH", f->old_path, TRUE);
  g_unsetenv ("ESPALIER_TEST_SANDBOX");
  remove_folder (f->folder);
  g_free (f->folder);
  g_free (f->project);
  g_free (f->old_path);
}

typedef struct {
  GPtrArray *lines, *phases;
} Log;

static void
on_line (const char *line,
         gpointer    data)
{
  g_ptr_array_add (((Log *) data)->lines, g_strdup (line));
}

static void
on_progress (double      fraction,
             const char *what,
             gpointer    data)
{
  g_ptr_array_add (((Log *) data)->phases, g_strdup (what));
}

static HlsReport *
build (const Fixture  *f,
       GCancellable   *cancellable,
       Log            *log,
       GError        **error)
{
  HlsBuildOptions options;
  NnProgress progress = { on_progress, log };

  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH | HLS_STAGE_VSYNTH;
  if (log != NULL)
    {
      log->lines = g_ptr_array_new_with_free_func (g_free);
      log->phases = g_ptr_array_new_with_free_func (g_free);
      options.on_line = on_line;
      options.on_line_data = log;
    }
  return hls_build (f->project, &options, log != NULL ? &progress : NULL, cancellable, error);
}

static gboolean
has (GPtrArray  *texts,
     const char *text)
{
  return g_ptr_array_find_with_equal_func (texts, text, g_str_equal, NULL);
}

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

/* The folder of a version that the environment names; the newest name of the tool first. */
static void
test_environment (Fixture       *f,
                  gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *bin = g_build_filename (f->folder, "Vitis", "bin", NULL), *program = g_build_filename (bin, "vitis-run", NULL);
  g_autofree char *path = NULL;

  g_assert_cmpint (g_mkdir_with_parents (bin, 0777), ==, 0);
  g_assert_true (g_file_set_contents_full (program, "#!/bin/sh\n", -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_setenv ("PATH", "/nowhere", TRUE);
  g_setenv ("XILINX_VITIS", f->folder, TRUE);
  path = hls_tool_find ("vitis", &error);
  g_unsetenv ("XILINX_VITIS");
  g_assert_no_error (error);
  g_assert_cmpstr (path, ==, program);
}

/* All that are there can be chosen from, each with its version. */
static void
check_list (void)
{
  static const struct { const char *title, *version; } expected[] = {
    { "Vitis", "2025.1" }, { "Vitis", "2023.2" }, { "Vitis", "2023.1" }, { "Vitis HLS", "2022.2" },
  };
  g_autoptr (GPtrArray) list = hls_tools_list ("vitis");

  g_assert_cmpuint (list->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < list->len; i++)
    {
      const HlsTool *tool = list->pdata[i];

      g_assert_cmpstr (tool->title, ==, expected[i].title);
      g_assert_cmpstr (tool->version, ==, expected[i].version);
      g_assert_true (hls_tool_fits (tool->path, "vitis"));
      g_assert_false (hls_tool_fits (tool->path, "catapult"));
    }
  g_assert_true (hls_tool_fits ("/home/me/run-vitis", "vitis"));
}

/* The newest version counts, in whichever of the layouts it is: "Vitis/2023.1" of before, "2025.1/Vitis" of now. */
static void
test_usual_folders (Fixture       *f,
                    gconstpointer  data)
{
  static const struct { const char *path, *backend; } installed[] = {
    { "Xilinx/Vitis_HLS/2022.2/bin/vitis_hls", NULL },
    { "Xilinx/Vitis/2023.1/bin/vitis-run", NULL },
    { "Xilinx/Vitis/2023.2/bin/vitis-run", NULL },
    { "Xilinx/2025.1/Vitis/bin/vitis-run", "vitis" },
    { "Xilinx/Vivado/2019.2/bin/vivado_hls", NULL },
    { "Xilinx/Vivado/2020.1/bin/vivado_hls", "vivado" },
    { "Xilinx/Vivado/2023.2/bin/vivado", NULL },
    { "Xilinx/2025.1/Vivado/bin/vivado", "vivado-synthesis" },
    { "intelFPGA_pro/23.4/hls/bin/i++", "quartus" },
    { "intel/oneapi/compiler/2024.2/bin/icpx", NULL },
    { "intel/oneapi/compiler/2025.0/bin/icpx", "oneapi" },
    { "siemens/catapult/2024.2/Mgc_home/bin/catapult", "catapult" },
  };

  /* the home of this program is fixed when it starts: another one asks */
  if (!g_test_subprocess ())
    {
      g_autofree char *old = g_strdup (g_getenv ("HOME"));

      for (guint i = 0; i < G_N_ELEMENTS (installed); i++)
        {
          g_autofree char *path = g_build_filename (f->folder, installed[i].path, NULL), *bin = g_path_get_dirname (path);

          g_assert_cmpint (g_mkdir_with_parents (bin, 0777), ==, 0);
          g_assert_true (g_file_set_contents_full (path, "#!/bin/sh\n", -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
        }
      g_setenv ("HOME", f->folder, TRUE);
      g_test_trap_subprocess (NULL, 0, 0);
      g_setenv ("HOME", old, TRUE);
      g_test_trap_assert_passed ();
      return;
    }
  g_setenv ("PATH", "/nowhere", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (installed); i++)
    {
      g_autofree char *expected = g_build_filename (g_get_home_dir (), installed[i].path, NULL);
      g_autofree char *path = installed[i].backend != NULL ? hls_tool_find (installed[i].backend, NULL) : NULL;

      if (installed[i].backend != NULL)
        g_assert_cmpstr (path, ==, expected);
    }
  check_list ();
}

/* The words that each tool is called with; steps of Intel's tools are targets of make. */
static void
test_commands (Fixture       *f,
               gconstpointer  data)
{
  static const struct { const char *tool, *words; } cases[] = {
    { "/x/vitis-run", "/x/vitis-run --mode hls --tcl build_prj.tcl" },
    { "/x/vitis_hls", "/x/vitis_hls -f build_prj.tcl" },
    { "/x/vivado_hls", "/x/vivado_hls -f build_prj.tcl" },
    { "/x/icpx", "make CXX=/x/icpx report simulation" },
    { "/x/i++", "make CXX=/x/i++ report simulation" },
    { "/x/catapult", "/x/catapult -shell -file build_prj.tcl" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) argv = hls_tool_command (cases[i].tool, NULL, HLS_STAGE_SYNTH | HLS_STAGE_COSIM);
      g_autofree char *words = g_strjoinv (" ", argv);

      g_assert_cmpstr (words, ==, cases[i].words);
    }
}

/* A settings script is what puts the tool on PATH. */
static void
test_settings (Fixture       *f,
               gconstpointer  data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = NULL;
  g_autofree char *script = g_build_filename (f->folder, "settings64.sh", NULL);
  g_autofree char *text = g_strdup_printf ("echo talkative\nexport PATH=\"%s:$PATH\"\n", f->folder);
  HlsBuildOptions options;

  put (f, "mode", "ok");
  put (f, "settings64.sh", text);
  g_setenv ("PATH", f->old_path, TRUE);
  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH;
  options.settings = script; /* which of the tools it brings is found out */
  report = hls_build (f->project, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report->stage, ==, "csynth");
}

/* Settings scripts as they are met: with Windows' line ends, in a folder with blanks, one that takes the command line for its own
 * and ends with another status than 0, one that needs the command of environment modules. */
static void
test_settings_forms (Fixture       *f,
                     gconstpointer  data)
{
  static const char *const forms[] = {
    "if true\r\nthen\r\n  export PATH=\"%s:$PATH\"\r\nfi\r\n",
    "[ $# = 0 ] && export PATH=\"%s:$PATH\"\nreturn 3\n",
    "type module > /dev/null || exit 1\nmodule load vitis 2> /dev/null\nexport PATH=\"%s:$PATH\"\n",
  };
  g_autofree char *folder = g_build_filename (f->folder, "my tools", NULL), *script = g_build_filename (folder, "settings64.sh", NULL);
  HlsBuildOptions options;

  put (f, "mode", "ok");
  g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
  g_setenv ("PATH", f->old_path, TRUE);
  g_setenv ("BASH_FUNC_module%%", "() { :; }", TRUE); /* as a login shell leaves it */
  hls_build_options_init (&options);
  options.stages = HLS_STAGE_SYNTH;
  options.settings = script;
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlsReport) report = NULL;
      g_auto (GStrv) parts = g_strsplit (forms[i], "%s", 2);
      g_autofree char *text = g_strjoinv (f->folder, parts);

      g_test_message ("form %u", i);
      g_assert_true (g_file_set_contents (script, text, -1, NULL));
      report = hls_build (f->project, &options, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat (report->resources.amount[NN_RESOURCE_DSP], ==, 36);
    }
  g_unsetenv ("BASH_FUNC_module%%");
}

/* What cannot work is said before anything is started. */
static void
test_settings_wrong (Fixture       *f,
                     gconstpointer  data)
{
  static const struct { const char *settings, *tool, *text; } cases[] = {
    { "/nowhere/settings64.sh", NULL, "\"/nowhere/settings64.sh\" is not there" },
    { "/nowhere/settings64.csh", NULL, "for another shell" },
    { NULL, "/opt/siemens/catapult/2024.2/Mgc_home/bin/catapult", "no tool for the backend \"vitis\"" },
  };

  put (f, "mode", "ok");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      HlsBuildOptions options;

      hls_build_options_init (&options);
      options.stages = HLS_STAGE_SYNTH;
      options.settings = cases[i].settings;
      options.tool = cases[i].tool;
      g_assert_null (hls_build (f->project, &options, NULL, NULL, &error));
      g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING);
      g_assert_nonnull (strstr (error->message, cases[i].text));
    }
}

static void
test_missing (Fixture       *f,
              gconstpointer  data)
{
  g_autoptr (GError) error = NULL;

  g_setenv ("PATH", "/nowhere", TRUE);
  g_assert_null (build (f, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING);
  g_assert_nonnull (strstr (error->message, "vitis-run or vitis_hls"));
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
  g_test_add ("/build/settings", Fixture, "vitis_hls", set_up, test_settings, tear_down);
  g_test_add ("/build/settings-forms", Fixture, "vitis_hls", set_up, test_settings_forms, tear_down);
  g_test_add ("/build/settings-wrong", Fixture, "vitis_hls", set_up, test_settings_wrong, tear_down);
  g_test_add ("/build/sandbox", Fixture, "vitis_hls", set_up, test_sandbox, tear_down);
  g_test_add ("/build/sandbox-denied", Fixture, "vitis_hls", set_up, test_sandbox_denied, tear_down);
  g_test_add ("/build/follow", Fixture, "vitis_hls", set_up, test_follow, tear_down);
  g_test_add ("/build/follow-nothing", Fixture, "vitis_hls", set_up, test_follow_nothing, tear_down);
  g_test_add ("/build/environment", Fixture, "unused", set_up, test_environment, tear_down);
  g_test_add ("/build/usual-folders", Fixture, "unused", set_up, test_usual_folders, tear_down);
  g_test_add ("/build/commands", Fixture, "unused", set_up, test_commands, tear_down);
  g_test_add ("/build/missing", Fixture, "unused", set_up, test_missing, tear_down);
  return g_test_run ();
}
