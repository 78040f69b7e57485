/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same job on this machine, on Slurm or on HTCondor: a script that leaves its log and its status in the project. */

#include "hls-cluster.h"

#include "hls-process.h"
#include "nn-text.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Files of a job in its project's folder. The status is the job's own word, so that it outlives the scheduler's memory. */
#define SCRIPT "espalier-job.sh"
#define SUBMIT "espalier-job.sub"
#define LOG "espalier-job.log"
#define STATUS "espalier-job.status"
#define ID "espalier-job.id"

/* A scheduler should not be asked more often. */
#define POLL_US (2 * G_USEC_PER_SEC)
#define LOCAL_POLL_US (100 * 1000)
/* The log is looked at more often than the scheduler; the cancellable with it. */
#define LOOK_MICROSECONDS (50 * 1000)
/* How long after the scheduler forgets a job its status may still arrive over a network file system. */
#define GRACE_US (10 * G_USEC_PER_SEC)
#define LOCAL_GRACE_US G_USEC_PER_SEC
/* A line longer than this is cut, so that no tool fills our memory. */
#define MAX_LINE 65536

void
hls_job_options_init (HlsJobOptions *options)
{
  *options = (HlsJobOptions){ .name = "espalier", .cpus = 1 };
}

static gboolean
on_path (const char *program)
{
  g_autofree char *path = g_find_program_in_path (program);

  return path != NULL;
}

/**
 * hls_cluster_find:
 *
 * Returns: the scheduler whose commands are on the PATH, Slurm before HTCondor
 */
HlsCluster
hls_cluster_find (void)
{
  if (on_path ("sbatch") && on_path ("squeue"))
    return HLS_CLUSTER_SLURM;
  if (on_path ("condor_submit") && on_path ("condor_q"))
    return HLS_CLUSTER_HTCONDOR;
  return HLS_CLUSTER_NONE;
}

const char *
hls_cluster_name (HlsCluster cluster)
{
  static const char *const names[] = { "none", "Slurm", "HTCondor", "this machine" };

  g_return_val_if_fail (cluster < G_N_ELEMENTS (names), "none");
  return names[cluster];
}

/**
 * hls_cluster_find_named:
 * @name: "slurm", "htcondor", or "auto" for the one that is there
 *
 * Errors: %HLS_ERROR_UNSUPPORTED for another name, %HLS_ERROR_TOOL_MISSING where it is not there
 */
HlsCluster
hls_cluster_find_named (const char  *name,
                        GError     **error)
{
  HlsCluster cluster = g_ascii_strcasecmp (name, "slurm") == 0      ? HLS_CLUSTER_SLURM
                       : g_ascii_strcasecmp (name, "htcondor") == 0 ? HLS_CLUSTER_HTCONDOR
                                                                    : HLS_CLUSTER_NONE;
  gboolean automatic = g_ascii_strcasecmp (name, "auto") == 0;

  if (cluster == HLS_CLUSTER_NONE && !automatic)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "\"%s\" is no cluster; slurm, htcondor and auto are", name);
      return HLS_CLUSTER_NONE;
    }
  if (automatic)
    cluster = hls_cluster_find ();
  if ((cluster == HLS_CLUSTER_SLURM && on_path ("sbatch")) || (cluster == HLS_CLUSTER_HTCONDOR && on_path ("condor_submit")))
    return cluster;
  g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING, "no cluster: %s is not on the PATH",
               cluster == HLS_CLUSTER_SLURM ? "sbatch (Slurm)" : cluster == HLS_CLUSTER_HTCONDOR ? "condor_submit (HTCondor)"
               : "neither sbatch (Slurm) nor condor_submit (HTCondor)");
  return HLS_CLUSTER_NONE;
}

static void
append_command (GString            *text,
                const char *const  *command)
{
  for (const char *const *word = command; *word != NULL; word++)
    {
      g_autofree char *quoted = g_shell_quote (*word);

      g_string_append (text, quoted);
      if (word[1] != NULL)
        g_string_append_c (text, ' ');
    }
}

/**
 * hls_cluster_script:
 * @command: (array zero-terminated=1): program and arguments
 *
 * Returns: (transfer full): the job as a shell script; for Slurm with its wishes as comments
 */
char *
hls_cluster_script (HlsCluster           cluster,
                    const char *const   *command,
                    const HlsJobOptions *options)
{
  GString *text = g_string_new ("#!/bin/sh\n");

  if (cluster == HLS_CLUSTER_SLURM)
    {
      g_string_append_printf (text, "#SBATCH --job-name=%s\n#SBATCH --output=%s\n", options->name, LOG);
      if (options->cpus > 0)
        g_string_append_printf (text, "#SBATCH --cpus-per-task=%u\n", options->cpus);
      if (options->memory_mb > 0)
        g_string_append_printf (text, "#SBATCH --mem=%uM\n", options->memory_mb);
      if (options->minutes > 0)
        g_string_append_printf (text, "#SBATCH --time=%u\n", options->minutes);
      if (options->queue != NULL)
        g_string_append_printf (text, "#SBATCH --partition=%s\n", options->queue);
    }
  if (cluster == HLS_CLUSTER_LOCAL) /* its own number, which is that of the job: what it starts can be found by it */
    g_string_append (text, HLS_PROCESS_MARK "=$$\nexport " HLS_PROCESS_MARK "\n");
  append_command (text, command);
  g_string_append_c (text, '\n');
  if (options->then != NULL)
    {
      g_string_append (text, "status=$?\nif [ $status = 0 ]; then\n");
      if (options->then_title != NULL)
        {
          g_autofree char *title = g_shell_quote (options->then_title);

          g_string_append_printf (text, "echo %s\n", title);
        }
      append_command (text, options->then);
      g_string_append (text, "\nelse\n(exit $status)\nfi\n");
    }
  g_string_append (text, "status=$?\necho $status > " STATUS ".new && mv " STATUS ".new " STATUS "\nexit $status\n");
  return g_string_free (text, FALSE);
}

static char *
condor_submit_file (const HlsJobOptions *options)
{
  GString *text = g_string_new ("universe = vanilla\nexecutable = " SCRIPT "\noutput = " LOG "\nerror = " LOG
                                "\nlog = espalier-job.events\nshould_transfer_files = NO\ngetenv = True\nstream_output = True\n");

  g_string_append_printf (text, "batch_name = %s\n", options->name);
  if (options->cpus > 0)
    g_string_append_printf (text, "request_cpus = %u\n", options->cpus);
  if (options->memory_mb > 0)
    g_string_append_printf (text, "request_memory = %uM\n", options->memory_mb);
  if (options->minutes > 0) /* HTCondor's own word, and that of CERN's pools; a version that does not know one leaves it out */
    g_string_append_printf (text, "allowed_job_duration = %u\n+MaxRuntime = %u\n", options->minutes * 60, options->minutes * 60);
  if (options->queue != NULL)
    g_string_append_printf (text, "accounting_group = %s\n", options->queue);
  g_string_append (text, "queue\n");
  return g_string_free (text, FALSE);
}

/* Runs a scheduler's command in @folder; its standard output, or NULL with what it said on standard error. */
static char *
ask (const char        *folder,
     const char *const *argv,
     GError           **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
    g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *out = NULL, *err = NULL;

  if (folder != NULL)
    g_subprocess_launcher_set_cwd (launcher, folder);
  process = g_subprocess_launcher_spawnv (launcher, argv, error);
  if (process == NULL || !g_subprocess_communicate_utf8 (process, NULL, NULL, &out, &err, error))
    return NULL;
  if (g_subprocess_get_successful (process))
    return g_strdup (g_strstrip (out));
  g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED, "%s: %s", argv[0], g_strstrip (err));
  return NULL;
}

static gboolean
write_file (const char *folder,
            const char *name,
            const char *text,
            int         mode,
            GError    **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, mode, error);
}

/* Slurm prints "17" or "17;cluster"; HTCondor's terse form "17.0 - 17.0". */
static char *
job_id (const char *printed)
{
  gsize n = strspn (printed, "0123456789.");

  return n > 0 ? g_strndup (printed, n) : NULL;
}

/* Begins the script in a session of its own, which goes on when we end. */
static char *
start_here (const char  *folder,
            GError     **error)
{
  g_autofree char *path = g_build_filename (folder, LOG, NULL);
  const char *argv[] = { "sh", SCRIPT, NULL };
  int log = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  gboolean begun;
  GPid pid;

  if (log < 0)
    {
      g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED, "cannot write \"%s\"", path);
      return NULL;
    }
  begun = g_spawn_async_with_fds (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                  hls_process_enter_session, NULL, &pid, -1, log, log, error);
  close (log);
  return begun ? g_strdup_printf ("%d", (int) pid) : NULL;
}

static gboolean
is_alive_here (const char *job)
{
  pid_t pid = (pid_t) g_ascii_strtoll (job, NULL, 10);
  int ignored;

  /* reaped where it is our own child; what another program has begun is its child */
  waitpid (pid, &ignored, WNOHANG);
  return pid > 1 && hls_process_signal (pid, NULL, 0) > 0;
}

/**
 * hls_cluster_last:
 * @cluster: (out): where it runs or ran
 *
 * Returns: (transfer full) (nullable): the id of the job that was begun last in @folder
 */
char *
hls_cluster_last (const char *folder,
                  HlsCluster *cluster)
{
  g_autofree char *path = g_build_filename (folder, ID, NULL), *text = NULL;
  g_auto (GStrv) words = NULL;

  *cluster = HLS_CLUSTER_NONE;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  words = g_strsplit (g_strstrip (text), " ", 2);
  if (g_strv_length (words) != 2 || *words[1] == '\0' || strspn (words[1], "0123456789.") != strlen (words[1]))
    return NULL;
  *cluster = g_str_equal (words[0], "slurm")      ? HLS_CLUSTER_SLURM
             : g_str_equal (words[0], "htcondor") ? HLS_CLUSTER_HTCONDOR
             : g_str_equal (words[0], "local")    ? HLS_CLUSTER_LOCAL
                                                  : HLS_CLUSTER_NONE;
  return *cluster != HLS_CLUSTER_NONE ? g_strdup (words[1]) : NULL;
}

/* When the job of @folder was begun, in seconds since 1970; 0 where there is none. */
gint64
hls_cluster_begun (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, SCRIPT, NULL);
  GStatBuf status;

  return g_stat (path, &status) == 0 ? (gint64) status.st_mtime : 0;
}

static gboolean
remember (HlsCluster   cluster,
          const char  *folder,
          const char  *job,
          GError     **error)
{
  static const char *const words[] = { "none", "slurm", "htcondor", "local" };
  g_autofree char *text = g_strdup_printf ("%s %s\n", words[cluster], job);

  return write_file (folder, ID, text, 0644, error);
}

/**
 * hls_cluster_submit:
 * @folder: the project's; the job runs in it, and it must be one that the cluster's machines see
 * @command: (array zero-terminated=1): program and arguments
 * @options: (nullable): defaults without it
 *
 * Errors: %HLS_ERROR_TOOL_MISSING without a scheduler, %HLS_ERROR_TOOL_FAILED with what it said
 *
 * Returns: (transfer full): the job's id
 */
char *
hls_cluster_submit (HlsCluster           cluster,
                    const char          *folder,
                    const char *const   *command,
                    const HlsJobOptions *options,
                    GError             **error)
{
  static const char *const sbatch[] = { "sbatch", "--parsable", SCRIPT, NULL };
  static const char *const condor[] = { "condor_submit", "-terse", SUBMIT, NULL };
  g_autofree char *script = NULL, *submit = NULL, *printed = NULL, *id = NULL;
  HlsJobOptions standard;

  if (cluster == HLS_CLUSTER_NONE)
    {
      g_set_error_literal (error, HLS_ERROR, HLS_ERROR_TOOL_MISSING,
                           "no cluster: neither sbatch (Slurm) nor condor_submit (HTCondor) is on the PATH");
      return NULL;
    }
  if (options == NULL)
    {
      hls_job_options_init (&standard);
      options = &standard;
    }
  for (const char *const *old = (const char *const[]){ STATUS, LOG, ID, NULL }; *old != NULL; old++)
    {
      g_autofree char *path = g_build_filename (folder, *old, NULL);

      g_unlink (path);
    }
  script = hls_cluster_script (cluster, command, options);
  submit = condor_submit_file (options);
  if (!write_file (folder, SCRIPT, script, 0755, error) ||
      (cluster == HLS_CLUSTER_HTCONDOR && !write_file (folder, SUBMIT, submit, 0644, error)))
    return NULL;
  if (cluster == HLS_CLUSTER_LOCAL)
    id = start_here (folder, error);
  else
    {
      printed = ask (folder, cluster == HLS_CLUSTER_SLURM ? sbatch : condor, error);
      if (printed == NULL)
        return NULL;
      id = job_id (printed);
      if (id == NULL)
        g_set_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED, "%s answered \"%s\" instead of a job's number",
                     hls_cluster_name (cluster), printed);
    }
  if (id == NULL || !remember (cluster, folder, id, error))
    return NULL;
  return g_steal_pointer (&id);
}

static gboolean
own_status (const char *folder,
            int        *exit_status)
{
  g_autofree char *path = g_build_filename (folder, STATUS, NULL);
  g_autofree char *text = NULL;
  gint64 value;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !nn_text_to_int (text, &value))
    return FALSE;
  *exit_status = value;
  return TRUE;
}

static HlsJobState
slurm_state (const char *job)
{
  g_autofree char *word = ask (NULL, (const char *const[]){ "squeue", "-h", "-j", job, "-o", "%T", NULL }, NULL);

  if (word == NULL || *word == '\0' || g_str_has_prefix (word, "FAILED") || g_str_has_prefix (word, "TIMEOUT") ||
      g_str_has_prefix (word, "OUT_OF_ME") || g_str_has_prefix (word, "NODE_FAIL"))
    return HLS_JOB_LOST;
  if (g_str_has_prefix (word, "CANCELLED"))
    return HLS_JOB_CANCELLED;
  return g_str_has_prefix (word, "PENDING") || g_str_has_prefix (word, "CONFIGURING") ? HLS_JOB_WAITING : HLS_JOB_RUNNING;
}

/* JobStatus of HTCondor's manual: 1 idle, 2 running, 3 removed, 4 completed, 5 held, 6 transferring, 7 suspended. A job is held
 * for what it did, or for more memory or time than it may take; it stays so until somebody sees to it. One that was removed
 * leaves the queue for the history. */
static HlsJobState
condor_state (const char *job)
{
  g_autofree char *number = ask (NULL, (const char *const[]){ "condor_q", job, "-af", "JobStatus", NULL }, NULL);

  if (number != NULL && *number == '\0')
    {
      g_free (number);
      number = ask (NULL, (const char *const[]){ "condor_history", job, "-limit", "1", "-af", "JobStatus", NULL }, NULL);
    }
  if (number == NULL || *number == '\0' || *number == '4' || *number == '5')
    return HLS_JOB_LOST;
  if (*number == '3')
    return HLS_JOB_CANCELLED;
  return *number == '1' ? HLS_JOB_WAITING : HLS_JOB_RUNNING;
}

/**
 * hls_cluster_state:
 * @exit_status: (out): of a job that is done
 *
 * Returns: where the job is
 */
HlsJobState
hls_cluster_state (HlsCluster  cluster,
                   const char *folder,
                   const char *job,
                   int        *exit_status)
{
  HlsJobState state;

  *exit_status = -1;
  if (own_status (folder, exit_status))
    return HLS_JOB_DONE;
  state = cluster == HLS_CLUSTER_LOCAL   ? (is_alive_here (job) ? HLS_JOB_RUNNING : HLS_JOB_LOST)
          : cluster == HLS_CLUSTER_SLURM ? slurm_state (job)
                                         : condor_state (job);
  /* it may have ended between the two questions */
  return state == HLS_JOB_LOST && own_status (folder, exit_status) ? HLS_JOB_DONE : state;
}

gboolean
hls_cluster_cancel (HlsCluster   cluster,
                    const char  *job,
                    GError     **error)
{
  const char *command = cluster == HLS_CLUSTER_SLURM ? "scancel" : "condor_rm";
  g_autofree char *said = NULL;

  if (cluster == HLS_CLUSTER_LOCAL)
    {
      hls_process_end ((pid_t) g_ascii_strtoll (job, NULL, 10), job);
      return TRUE;
    }
  said = ask (NULL, (const char *const[]){ command, job, NULL }, error);
  return said != NULL;
}

typedef struct {
  char       *path;
  goffset     offset;
  GString    *partial;
  HlsLineFunc on_line;
  gpointer    data;
} Tail;

static void
tail_line (Tail *tail)
{
  g_autofree char *line = g_utf8_make_valid (tail->partial->str, (gssize) tail->partial->len);

  g_string_truncate (tail->partial, 0);
  if (tail->on_line != NULL)
    tail->on_line (line, tail->data);
}

/* Reports the complete lines that have come; @all: also a last one without its end. */
static void
tail_read (Tail     *tail,
           gboolean  all)
{
  g_autoptr (GFile) file = g_file_new_for_path (tail->path);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, NULL);
  char buffer[4096];
  gssize n;

  if (stream == NULL || !g_seekable_seek (G_SEEKABLE (stream), tail->offset, G_SEEK_SET, NULL, NULL))
    return;
  while ((n = g_input_stream_read (G_INPUT_STREAM (stream), buffer, sizeof buffer, NULL, NULL)) > 0)
    {
      tail->offset += n;
      for (gssize i = 0; i < n; i++)
        if (buffer[i] == '\n')
          tail_line (tail);
        else if (buffer[i] != '\r' && buffer[i] != '\0' && tail->partial->len < MAX_LINE)
          g_string_append_c (tail->partial, buffer[i]);
    }
  if (all && tail->partial->len > 0)
    tail_line (tail);
}

static gboolean
is_over (HlsJobState state)
{
  return state == HLS_JOB_DONE || state == HLS_JOB_CANCELLED || state == HLS_JOB_LOST;
}

/* Asks the scheduler at its own pace until the job is over; a job it has lost gets a moment for its status to arrive. */
static HlsJobState
wait_for_end (HlsCluster    cluster,
              const char   *folder,
              const char   *job,
              Tail         *tail,
              GCancellable *cancellable,
              int          *exit_status)
{
  gboolean here = cluster == HLS_CLUSTER_LOCAL;
  gint64 next = 0, lost_since = 0;
  HlsJobState state = HLS_JOB_WAITING;

  while (!g_cancellable_is_cancelled (cancellable))
    {
      gint64 now = g_get_monotonic_time ();

      if (now >= next)
        {
          state = hls_cluster_state (cluster, folder, job, exit_status);
          next = now + (here ? LOCAL_POLL_US : POLL_US);
          lost_since = state == HLS_JOB_LOST ? (lost_since == 0 ? now : lost_since) : 0;
          if (is_over (state) && (state != HLS_JOB_LOST || now - lost_since > (here ? LOCAL_GRACE_US : GRACE_US)))
            break;
        }
      tail_read (tail, FALSE);
      g_usleep (LOOK_MICROSECONDS);
    }
  tail_read (tail, is_over (state));
  /* children that outlive the tool */
  if (here && state == HLS_JOB_DONE && is_alive_here (job))
    hls_process_end ((pid_t) g_ascii_strtoll (job, NULL, 10), NULL);
  return state;
}

static void
tell_why_held (const char  *job,
               HlsLineFunc  on_line,
               gpointer     data)
{
  g_autofree char *reason = ask (NULL, (const char *const[]){ "condor_q", job, "-af", "HoldReason", NULL }, NULL), *line = NULL;

  if (reason == NULL || *reason == '\0' || g_str_equal (reason, "undefined") || on_line == NULL)
    return;
  line = g_strdup_printf ("ERROR: HTCondor holds job %s: %s", job, reason);
  on_line (line, data);
}

/**
 * hls_cluster_follow:
 * @on_line: (nullable): sees the job's log, line by line, on this thread
 * @cancellable: (nullable): cancels the job itself
 * @state: (out): %HLS_JOB_DONE, %HLS_JOB_CANCELLED or %HLS_JOB_LOST
 * @exit_status: (out): of a job that is done
 *
 * Waits until the job is over. To stop following without cancelling, end the process: hls_cluster_follow() picks a job
 * up again at any time, from the beginning of its log.
 *
 * Errors: %G_IO_ERROR_CANCELLED
 */
gboolean
hls_cluster_follow (HlsCluster     cluster,
                    const char    *folder,
                    const char    *job,
                    HlsLineFunc    on_line,
                    gpointer       data,
                    GCancellable  *cancellable,
                    HlsJobState   *state,
                    int           *exit_status,
                    GError       **error)
{
  Tail tail = { .path = g_build_filename (folder, LOG, NULL), .partial = g_string_new (NULL), .on_line = on_line, .data = data };

  *state = wait_for_end (cluster, folder, job, &tail, cancellable, exit_status);
  if (*state == HLS_JOB_LOST && cluster == HLS_CLUSTER_HTCONDOR)
    tell_why_held (job, on_line, data);
  g_string_free (tail.partial, TRUE);
  g_free (tail.path);
  if (!g_cancellable_is_cancelled (cancellable) || *state == HLS_JOB_DONE)
    return TRUE;
  if (hls_cluster_cancel (cluster, job, error))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  return FALSE;
}
