/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Jobs on a real Slurm, started by the test itself on loopback, and on a stand-in for HTCondor, which Debian does not have:
 * a queue, a failure, a job cancelled, one killed, variants of a project; HTCondor's held jobs. */

#include "hls-cluster.h"

#include "hls-queue.h"
#include "hls-tool.h"
#include "test-network.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Ports and paths differ from run to run, so that two runs do not meet. */
#define FIRST_PORT 20000
#define N_PORTS 20000

static char *root;
static GSubprocess *daemons[2];
static HlsCluster cluster;

static char *
configuration (void)
{
  g_autofree char *host = g_strdup (g_get_host_name ());
  guint port = FIRST_PORT + getpid () * 2 % N_PORTS;
  char *dot = strchr (host, '.');

  if (dot != NULL)
    *dot = '\0';
  return g_strdup_printf ("ClusterName=espalier\nSlurmctldHost=%s(127.0.0.1)\nSlurmUser=%s\nSlurmctldPort=%u\nSlurmdPort=%u\n"
                          "AuthType=auth/none\nCredType=cred/none\nStateSaveLocation=%s\nSlurmdSpoolDir=%s/spool\n"
                          "SlurmctldPidFile=%s/ctld.pid\nSlurmdPidFile=%s/d.pid\nSlurmctldLogFile=%s/ctld.log\nSlurmdLogFile=%s/d.log\n"
                          "ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nSelectType=select/cons_tres\nSwitchType=switch/none\n"
                          "MpiDefault=none\nReturnToService=2\nKillWait=1\nMinJobAge=10\n"
                          "NodeName=%s NodeAddr=127.0.0.1 CPUs=1 State=UNKNOWN\n"
                          "PartitionName=main Nodes=%s Default=YES MaxTime=INFINITE State=UP\n",
                          host, g_get_user_name (), port, port + 1, root, root, root, root, root, root, host, host);
}

static gboolean
node_is_idle (void)
{
  g_autofree char *out = NULL;

  if (cluster == HLS_CLUSTER_HTCONDOR)
    return g_spawn_command_line_sync ("condor_q", &out, NULL, NULL, NULL) && strstr (out, "idle") != NULL;
  return g_spawn_command_line_sync ("sinfo -h -o %T", &out, NULL, NULL, NULL) && strstr (out, "idle") != NULL;
}

/* FALSE, with the reason for skipping, where Slurm cannot be started. */
static gboolean
start_slurm (void)
{
  g_autofree char *controller = g_find_program_in_path ("slurmctld");
  g_autofree char *node = g_find_program_in_path ("slurmd");
  g_autofree char *text = NULL, *conf = NULL, *spool = NULL;

  if (controller == NULL || node == NULL || geteuid () != 0)
    {
      g_test_skip ("slurmctld and slurmd are not installed, or this is not root");
      return FALSE;
    }
  root = test_folder ();
  text = configuration ();
  conf = g_build_filename (root, "slurm.conf", NULL);
  spool = g_build_filename (root, "spool", NULL);
  g_assert_true (g_file_set_contents (conf, text, -1, NULL));
  g_assert_cmpint (g_mkdir (spool, 0755), ==, 0);
  g_setenv ("SLURM_CONF", conf, TRUE);
  daemons[0] = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, controller, "-D", NULL);
  daemons[1] = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, node, "-D", NULL);
  for (guint i = 0; i < 200; i++)
    {
      if (node_is_idle ())
        return TRUE;
      g_usleep (100 * 1000);
    }
  g_test_skip ("Slurm did not come up within 20 seconds");
  return FALSE;
}

static void
stop_slurm (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (daemons); i++)
    if (daemons[i] != NULL)
      {
        g_subprocess_send_signal (daemons[i], SIGTERM);
        g_subprocess_wait (daemons[i], NULL, NULL);
        g_clear_object (&daemons[i]);
      }
}

static char *
submit (const char *folder,
        const char *shell)
{
  const char *command[] = { "sh", "-c", shell, NULL };
  g_autoptr (GError) error = NULL;
  char *job = hls_cluster_submit (cluster, folder, command, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (job);
  return job;
}

static void
collect (const char *line,
         gpointer    data)
{
  g_string_append_printf (data, "%s|", line);
}

/* @log without what the scheduler says of the job, which is told as it goes. */
static char *
without_states (const char *log)
{
  g_autoptr (GRegex) regex = g_regex_new ("Job [0-9.]+ (waits|runs) on [^|]*\\|", 0, 0, NULL);

  return g_regex_replace_literal (regex, log, -1, 0, "", 0, NULL);
}

/* Three jobs on one processor: one after the other, each with its log and its exit status. */
static void
test_queue (void)
{
  char *folder[3], *job[3];
  int n_waiting = 0;

  for (int i = 0; i < 3; i++)
    {
      g_autofree char *shell = g_strdup_printf ("echo 'job %d'; echo it\\'s; sleep 1; exit %d", i, i);

      folder[i] = test_folder ();
      job[i] = submit (folder[i], shell);
    }
  for (int i = 0; i < 3; i++)
    {
      int status;

      n_waiting += hls_cluster_state (cluster, folder[i], job[i], &status) == HLS_JOB_WAITING;
    }
  g_assert_cmpint (n_waiting, >=, 2);
  for (int i = 2; i >= 0; i--) /* the last one first: it is followed while it waits */
    {
      g_autoptr (GString) log = g_string_new (NULL);
      g_autofree char *expected = g_strdup_printf ("job %d|it's|", i), *own = NULL;
      g_autoptr (GError) error = NULL;
      HlsJobState state;
      int status;

      g_assert_true (hls_cluster_follow (cluster, folder[i], job[i], collect, log, NULL, &state, &status, &error));
      g_assert_cmpint (state, ==, HLS_JOB_DONE);
      g_assert_cmpint (status, ==, i);
      own = without_states (log->str);
      g_assert_cmpstr (own, ==, expected);
      if (i == 2)
        g_assert_nonnull (strstr (log->str, " waits on "));
      g_free (folder[i]);
      g_free (job[i]);
    }
}

static void *
cancel_soon (void *data)
{
  g_usleep (700 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_cancel (void)
{
  g_autofree char *folder = test_folder (), *job = submit (folder, "sleep 600"), *out = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);
  HlsJobState state;
  int status;

  g_assert_false (hls_cluster_follow (cluster, folder, job, NULL, NULL, cancellable, &state, &status, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  for (guint i = 0; i < 100 && !node_is_idle (); i++)
    g_usleep (100 * 1000);
  g_assert_true (node_is_idle ());
}

/* Cancelled by somebody else: the job leaves no status of its own. */
static void
test_killed (void)
{
  g_autofree char *folder = test_folder (), *job = submit (folder, "echo begun; sleep 600");
  g_autofree char *kill = g_strdup_printf ("%s %s", cluster == HLS_CLUSTER_SLURM ? "scancel" : "condor_rm", job);
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  HlsJobState state;
  int status;

  for (guint i = 0; i < 50 && hls_cluster_state (cluster, folder, job, &status) != HLS_JOB_RUNNING; i++)
    g_usleep (100 * 1000);
  g_assert_true (g_spawn_command_line_sync (kill, NULL, NULL, NULL, NULL));
  g_assert_true (hls_cluster_follow (cluster, folder, job, collect, log, NULL, &state, &status, &error));
  g_assert_true (state == HLS_JOB_CANCELLED || state == HLS_JOB_LOST);
}

/* What a tool leaves: a report that says which variant it is of. */
static const char stand_in[] =
  "#!/bin/sh\n"
  "echo '***** C/RTL SYNTHESIS *****'\n"
  "mkdir -p myproject_prj/solution1/syn/report\n"
  "cat > myproject_prj/solution1/syn/report/myproject_csynth.xml <<END\n"
  "<profile><ReportVersion><Version>2023.2</Version></ReportVersion><UserAssignments><TopModelName>myproject</TopModelName></UserAssignments>\n"
  "<AreaEstimates><Resources><DSP>$(cat variant)</DSP><FF>1</FF><LUT>2</LUT><BRAM_18K>0</BRAM_18K></Resources></AreaEstimates></profile>\n"
  "END\n"
  "[ $(cat variant) = 2 ] && { echo 'ERROR: std::bad_alloc'; exit 1; }\n"
  "exit 0\n";

/* Variants of a project through the whole of it: all submitted, run one by one, reports collected; one fails. */
static void
test_variants (void)
{
  g_autofree char *folder = test_folder (), *tool = g_build_filename (folder, "vitis_hls", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  char *folders[3];
  HlsTask tasks[3] = { 0 };
  TestNetwork n;

  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (4));
  network_dense (&n, "fc", 4, 3);
  model = network_end (&n);
  design = network_design (model, "{\"Backend\":\"Vitis\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}");
  project = hls_project_new (design, NULL, &error);
  g_assert_true (g_file_set_contents_full (tool, stand_in, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      g_autofree char *name = g_strdup_printf ("variant%u", i), *number = g_strdup_printf ("%u\n", i + 1), *file = NULL;

      folders[i] = g_build_filename (folder, name, NULL);
      g_assert_true (hls_project_write (project, folders[i], &error));
      file = g_build_filename (folders[i], "variant", NULL);
      g_assert_true (g_file_set_contents (file, number, -1, NULL));
      tasks[i].folder = folders[i];
      hls_build_options_init (&tasks[i].options);
      tasks[i].options.stages = HLS_STAGE_SYNTH;
      tasks[i].options.tool = tool;
      tasks[i].options.cluster = cluster;
    }
  g_assert_cmpuint (hls_queue_run (tasks, G_N_ELEMENTS (tasks), NULL, NULL, NULL, NULL), ==, 2);
  g_assert_cmpfloat (tasks[0].report->resources.amount[NN_RESOURCE_DSP], ==, 1);
  g_assert_error (tasks[1].error, HLS_ERROR, HLS_ERROR_TOOL_FAILED);
  g_assert_nonnull (strstr (tasks[1].error->message, "ran out of memory"));
  g_assert_cmpfloat (tasks[2].report->resources.amount[NN_RESOURCE_DSP], ==, 3);
  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      hls_task_clear (&tasks[i]);
      g_free (folders[i]);
    }
  remove_folder (folder);
}

/* What Slurm refuses, and what it ends, is told with what to do. */
static void
test_slurm_words (void)
{
  const char *command[] = { "sleep", "600", NULL };
  HlsJobOptions refused = { .name = "variant", .queue = "nosuch" };
  HlsJobOptions bad = { .name = "variant", .queue = "a b" }, brief = { .name = "variant", .minutes = 1 };
  const struct { const HlsJobOptions *options; const char *text; } cases[] = {
    { &refused, "sinfo lists those" }, { &bad, "cannot be the name of a partition" },
  };
  g_autofree char *folder = test_folder (), *job = NULL, *limit = NULL;
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  HlsJobState state;
  int status;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_null (hls_cluster_submit (cluster, folder, command, cases[i].options, &error));
      g_assert_nonnull (error);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].text));
      g_clear_error (&error);
    }
  job = hls_cluster_submit (cluster, folder, command, &brief, &error);
  g_assert_no_error (error);
  g_assert_true (hls_cluster_follow (cluster, folder, job, collect, log, NULL, &state, &status, &error));
  g_assert_cmpint (state, ==, HLS_JOB_LOST);
  limit = strstr (log->str, "ERROR: Slurm ended job") != NULL ? g_strdup (strstr (log->str, "ERROR: Slurm ended job")) : NULL;
  g_assert_nonnull (limit);
  g_assert_nonnull (strstr (hls_tool_explain (limit), "--minutes"));
  remove_folder (folder);
}

static void
test_slurm (void)
{
  cluster = HLS_CLUSTER_SLURM;
  if (start_slurm ())
    {
      test_queue ();
      test_cancel ();
      test_killed ();
      test_variants ();
      test_slurm_words ();
    }
  stop_slurm ();
}

/* HTCondor's commands over files of a folder: one slot, jobs in the order of their numbers' locks. States are those of its
 * manual; a job that has ended leaves the queue. What a real pool would refuse is refused. */
static const char condor_submit[] =
  "#!/bin/bash\n"
  "here=$(dirname \"$0\")\n"
  "value() { sed -n \"s/^$1 = //p\" \"$file\"; }\n"
  "[ \"$1\" = -terse ] || { echo 'ERROR: -terse is expected' >&2; exit 1; }\n"
  "file=$2\n"
  "[ \"$(value universe)\" = vanilla ] && [ \"$(tail -n 1 \"$file\")\" = queue ] || { echo 'ERROR: not a submit description' >&2; exit 1; }\n"
  "[ -x \"$(value executable)\" ] || { echo \"ERROR: Executable file $(value executable) does not exist\" >&2; exit 1; }\n"
  "[ -n \"$(value accounting_group)\" ] && { echo 'ERROR: no such group' >&2; exit 1; }\n"
  "id=$(( $(cat \"$here/last\" 2> /dev/null || echo 16) + 1 )); echo $id > \"$here/last\"\n"
  "echo 1 > \"$here/$id.state\"\n"
  "[ -e held ] && { echo 5 > \"$here/$id.state\"; echo \"$id.0 - $id.0\"; exit 0; }\n"
  "setsid bash -c 'exec 9> \"$0/slot\"; flock 9\n"
  "  [ -e \"$0/$1.history\" ] && exit\n"
  "  echo 2 > \"$0/$1.state\"; echo $$ > \"$0/$1.pid\"\n"
  "  \"./$2\" > \"$3\" 2>&1 9>&-\n"
  "  rm \"$0/$1.state\"' \"$here\" $id \"$(value executable)\" \"$(value output)\" < /dev/null > /dev/null 2>&1 &\n"
  "echo \"$id.0 - $id.0\"\n";
static const char condor_q[] =
  "#!/bin/bash\n"
  "here=$(dirname \"$0\")\n"
  "[ $# = 0 ] && { grep -qsx '[12]' \"$here\"/*.state || echo idle; exit 0; }\n"
  "[ \"$2 $3\" = '-af JobStatus' ] && cat \"$here/${1%.0}.state\" 2> /dev/null\n"
  "[ \"$2 $3\" = '-af HoldReason' ] && echo 'Job has gone over memory limit of 100 megabytes'\n"
  "exit 0\n";
/* Of jobs that have left the queue. */
static const char condor_history[] =
  "#!/bin/bash\n"
  "here=$(dirname \"$0\")\n"
  "[ \"$2 $3 $4 $5\" = '-limit 1 -af JobStatus' ] && cat \"$here/${1%.0}.history\" 2> /dev/null\n"
  "exit 0\n";
static const char condor_rm[] =
  "#!/bin/bash\n"
  "here=$(dirname \"$0\"); id=${1%.0}\n"
  "[ -e \"$here/$id.state\" ] || { echo \"Couldn't find/remove all jobs in cluster $id\" >&2; exit 1; }\n"
  "echo 3 > \"$here/$id.history\"; rm \"$here/$id.state\"\n"
  "[ -e \"$here/$id.pid\" ] && kill -KILL -- \"-$(cat \"$here/$id.pid\")\"\n"
  "exit 0\n";

/* A job that the pool holds does not run: that is told with its reason, not waited for. */
static void
test_held (void)
{
  g_autofree char *folder = test_folder (), *held = g_build_filename (folder, "held", NULL), *job = NULL;
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  HlsJobState state;
  int status;

  g_assert_true (g_file_set_contents (held, "", 0, NULL));
  job = submit (folder, "echo never");
  g_assert_true (hls_cluster_follow (cluster, folder, job, collect, log, NULL, &state, &status, &error));
  g_assert_cmpint (state, ==, HLS_JOB_LOST);
  g_assert_nonnull (strstr (log->str, "over memory limit"));
  g_assert_nonnull (strstr (hls_tool_explain (strstr (log->str, "ERROR: HTCondor")), "--memory"));
  remove_folder (folder);
}

static void
test_refused (void)
{
  const char *command[] = { "true", NULL };
  HlsJobOptions options = { .name = "variant", .queue = "group_none" };
  g_autofree char *folder = test_folder ();
  g_autoptr (GError) error = NULL;

  g_assert_null (hls_cluster_submit (cluster, folder, command, &options, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED);
  g_assert_nonnull (strstr (error->message, "no such group"));
  remove_folder (folder);
}

static void
test_htcondor (void)
{
  static const struct { const char *name, *text; } commands[] = {
    { "condor_submit", condor_submit }, { "condor_q", condor_q }, { "condor_rm", condor_rm }, { "condor_history", condor_history },
  };
  g_autofree char *bin = test_folder (), *old_path = g_strdup (g_getenv ("PATH")), *path = g_strdup_printf ("%s:%s", bin, old_path);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      g_autofree char *file = g_build_filename (bin, commands[i].name, NULL);

      g_assert_true (g_file_set_contents_full (file, commands[i].text, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
    }
  g_setenv ("PATH", path, TRUE);
  cluster = hls_cluster_find_named ("htcondor", &error);
  g_assert_no_error (error);
  g_assert_cmpint (cluster, ==, HLS_CLUSTER_HTCONDOR);
  test_queue ();
  test_cancel ();
  test_killed ();
  test_variants ();
  test_held ();
  test_refused ();
  g_setenv ("PATH", old_path, TRUE);
  remove_folder (bin);
}

/* Words reach the program as they are. */
static void
test_script (void)
{
  const char *command[] = { "espalier-cli", "build", "a b", "it's", "--synth", NULL };
  HlsJobOptions options = { .name = "variant", .cpus = 4, .memory_mb = 8000, .minutes = 90, .queue = "long" };
  g_autofree char *slurm = hls_cluster_script (HLS_CLUSTER_SLURM, command, &options);
  g_autofree char *condor = hls_cluster_script (HLS_CLUSTER_HTCONDOR, command, &options);

  g_assert_nonnull (strstr (slurm, "#SBATCH --time=90\n"));
  g_assert_nonnull (strstr (slurm, "#SBATCH --mem=8000M\n"));
  g_assert_nonnull (strstr (slurm, "'espalier-cli' 'build' 'a b' 'it'\\''s' '--synth'\n"));
  g_assert_null (strstr (condor, "#SBATCH"));
}

static void
test_none (void)
{
  const char *command[] = { "true", NULL };
  g_autoptr (GError) error = NULL;

  g_assert_null (hls_cluster_submit (HLS_CLUSTER_NONE, "/tmp", command, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cluster/script", test_script);
  g_test_add_func ("/cluster/none", test_none);
  g_test_add_func ("/cluster/htcondor", test_htcondor);
  g_test_add_func ("/cluster/slurm", test_slurm);
  return g_test_run ();
}
