/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A project, and on PATH a stand-in for a vendor's tool that behaves like it: phases, log lines, exit codes, reports, hanging, dying. */

#pragma once

#include "hls-tool.h"
#include "test-network.h"

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

static inline guint
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

static inline void
put (const Fixture *f,
     const char    *name,
     const char    *text)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);

  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0755, NULL));
}

G_NO_INLINE G_GNUC_UNUSED static char *
take (const Fixture *f,
      const char    *name)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static inline void
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

static inline void
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

static inline void
on_line (const char *line,
         gpointer    data)
{
  g_ptr_array_add (((Log *) data)->lines, g_strdup (line));
}

static inline void
on_progress (double      fraction,
             const char *what,
             gpointer    data)
{
  g_ptr_array_add (((Log *) data)->phases, g_strdup (what));
}

static inline HlsReport *
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

static inline gboolean
has (GPtrArray  *texts,
     const char *text)
{
  return g_ptr_array_find_with_equal_func (texts, text, g_str_equal, NULL);
}
