/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a job is, what its log says, why it waits or was ended; and its end before its time. */

#include "hls-cluster-private.h"

#include "hls-process.h"
#include "nn-text.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

/* A scheduler should not be asked more often. */
#define POLL_US (2 * G_USEC_PER_SEC)
#define LOCAL_POLL_US (100 * 1000)
/* The log is looked at more often than the scheduler; the cancellable with it. */
#define LOOK_MICROSECONDS (50 * 1000)
#define MAX_LOOK (1 << 20) /* bytes of the log at a time */
/* How long after the scheduler forgets a job its status may still arrive over a network file system. */
#define GRACE_US (10 * G_USEC_PER_SEC)
#define LOCAL_GRACE_US G_USEC_PER_SEC

static gboolean
is_alive_here (const char *job)
{
  pid_t pid = (pid_t) g_ascii_strtoll (job, NULL, 10);
  int ignored;

  /* reaped where it is our own child; what another program has begun is its child */
  waitpid (pid, &ignored, WNOHANG);
  return pid > 1 && hls_process_signal (pid, NULL, 0) > 0;
}

static gboolean
own_status (const char *folder,
            int        *exit_status)
{
  g_autofree char *path = g_build_filename (folder, HLS_JOB_STATUS, NULL);
  g_autofree char *text = NULL;
  gint64 value;

  if (!g_file_get_contents (path, &text, NULL, NULL) || !nn_text_to_int (text, &value))
    return FALSE;
  *exit_status = value;
  return TRUE;
}

/* A command of the scheduler's that has not answered says nothing of the job, unless it says that there is none: the job is
 * taken to be where it was. Where the command itself is not there, nothing will ever be heard of it. */
static HlsJobState
no_answer (const GError *error,
           char        **why)
{
  if (!g_error_matches (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED) || strstr (error->message, "nvalid job") != NULL)
    return HLS_JOB_LOST;
  *why = g_strdup ("the scheduler does not answer");
  return HLS_JOB_RUNNING;
}

/* Words of squeue's manual; the second one is the reason of a job that waits. */
static HlsJobState
slurm_state (const char *job,
             char      **why)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = hls_cluster_ask (NULL, (const char *const[]){ "squeue", "-h", "-j", job, "-o", "%T %r", NULL }, &error);
  const char *reason;

  if (text == NULL)
    return no_answer (error, why);
  if (*text == '\0' || g_str_has_prefix (text, "FAILED") || g_str_has_prefix (text, "TIMEOUT") || g_str_has_prefix (text, "OUT_OF_ME") ||
      g_str_has_prefix (text, "NODE_FAIL"))
    return HLS_JOB_LOST;
  if (g_str_has_prefix (text, "CANCELLED"))
    return HLS_JOB_CANCELLED;
  if (!g_str_has_prefix (text, "PENDING") && !g_str_has_prefix (text, "CONFIGURING"))
    return HLS_JOB_RUNNING;
  reason = strchr (text, ' ');
  if (reason != NULL && !g_str_equal (reason + 1, "None"))
    *why = g_strdup (reason + 1);
  return HLS_JOB_WAITING;
}

/* JobStatus of HTCondor's manual: 1 idle, 2 running, 3 removed, 4 completed, 5 held, 6 transferring, 7 suspended. A job is held
 * for what it did, or for more memory or time than it may take; it stays so until somebody sees to it. One that was removed
 * leaves the queue for the history. */
static HlsJobState
condor_state (const char *job,
              char      **why)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *number = hls_cluster_ask (NULL, (const char *const[]){ "condor_q", job, "-af", "JobStatus", NULL }, &error);

  if (number == NULL)
    return no_answer (error, why);
  if (*number == '\0')
    {
      g_free (number);
      number = hls_cluster_ask (NULL, (const char *const[]){ "condor_history", job, "-limit", "1", "-af", "JobStatus", NULL }, NULL);
    }
  if (number == NULL || *number == '\0' || *number == '4' || *number == '5')
    return HLS_JOB_LOST;
  if (*number == '3')
    return HLS_JOB_CANCELLED;
  return *number == '1' ? HLS_JOB_WAITING : HLS_JOB_RUNNING;
}

/* @why: (out) (transfer full) (nullable): what it waits for, where the scheduler says it */
static HlsJobState
find_state (HlsCluster  cluster,
            const char *folder,
            const char *job,
            int        *exit_status,
            char      **why)
{
  HlsJobState state;

  *exit_status = -1;
  *why = NULL;
  if (own_status (folder, exit_status))
    return HLS_JOB_DONE;
  state = cluster == HLS_CLUSTER_LOCAL   ? (is_alive_here (job) ? HLS_JOB_RUNNING : HLS_JOB_LOST)
          : cluster == HLS_CLUSTER_SLURM ? slurm_state (job, why)
                                         : condor_state (job, why);
  /* it may have ended between the two questions */
  return state == HLS_JOB_LOST && own_status (folder, exit_status) ? HLS_JOB_DONE : state;
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
  g_autofree char *why = NULL;

  return find_state (cluster, folder, job, exit_status, &why);
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
  said = hls_cluster_ask (NULL, (const char *const[]){ command, job, NULL }, error);
  return said != NULL;
}

/* The job that is followed, and how far its log has been read. */
typedef struct {
  HlsCluster   cluster;
  const char  *folder, *job;
  char        *log;
  goffset      offset;
  HlsLines     lines;
  char        *told;     /* the last word of where it is */
  char        *why_lost; /* nullable */
} Follow;

/* Reports the complete lines that have come, of a log that grows faster than it is read some of them; @all: all, and a last one
 * without its end. */
static void
read_log (Follow       *self,
          gboolean      all,
          GCancellable *cancellable)
{
  g_autoptr (GFile) file = g_file_new_for_path (self->log);
  g_autoptr (GFileInputStream) stream = g_file_read (file, NULL, NULL);
  char buffer[4096];
  goffset until = self->offset + MAX_LOOK;
  gssize n;

  if (stream == NULL || !g_seekable_seek (G_SEEKABLE (stream), self->offset, G_SEEK_SET, NULL, NULL))
    return;
  while ((all || self->offset < until) && !g_cancellable_is_cancelled (cancellable)
         && (n = g_input_stream_read (G_INPUT_STREAM (stream), buffer, sizeof buffer, NULL, NULL)) > 0)
    {
      self->offset += n;
      hls_lines_feed (&self->lines, buffer, (gsize) n);
    }
  if (all)
    hls_lines_finish (&self->lines);
}

/* A line of our own among those of the log. */
static void
say (const Follow *self,
     const char   *line)
{
  if (self->lines.on_line != NULL)
    self->lines.on_line (line, self->lines.data);
}

/* Where a cluster's job is, each time that it changes. */
static void
tell_state (Follow      *self,
            HlsJobState  state,
            const char  *why)
{
  const char *name = hls_cluster_name (self->cluster);
  g_autofree char *word = NULL;

  if (self->cluster == HLS_CLUSTER_LOCAL || (state != HLS_JOB_WAITING && state != HLS_JOB_RUNNING))
    return;
  word = g_strdup_printf ("Job %s %s on %s%s%s", self->job, state == HLS_JOB_WAITING ? "waits" : "runs", name, why != NULL ? ": " : "",
                          why != NULL ? why : "");
  if (g_strcmp0 (word, self->told) == 0)
    return;
  g_free (self->told);
  self->told = g_steal_pointer (&word);
  say (self, self->told);
}

/* A line of why HTCondor holds the job; NULL where it does not say. (transfer full) */
static char *
why_held (const char *job)
{
  g_autofree char *reason = hls_cluster_ask (NULL, (const char *const[]){ "condor_q", job, "-af", "HoldReason", NULL }, NULL);

  return reason != NULL && *reason != '\0' && !g_str_equal (reason, "undefined") ? g_strdup_printf ("ERROR: HTCondor holds job %s: %s", job, reason)
                                                                                 : NULL;
}

/* The same of a job that Slurm has ended: its scheduler remembers it for some minutes, its book-keeping, where there is one, for
 * longer. */
static char *
why_ended (const char *job)
{
  g_autofree char *text = hls_cluster_ask (NULL, (const char *const[]){ "scontrol", "show", "job", "-o", job, NULL }, NULL);
  g_autoptr (GRegex) regex = g_regex_new ("JobState=(\\S+) Reason=(\\S+)", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *state = NULL;

  if (text != NULL && g_regex_match (regex, text, 0, &match))
    {
      g_autofree char *reason = g_match_info_fetch (match, 2);

      state = g_match_info_fetch (match, 1);
      return g_strdup_printf ("ERROR: Slurm ended job %s: %s%s%s", job, state, g_str_equal (reason, "None") ? "" : ", ",
                              g_str_equal (reason, "None") ? "" : reason);
    }
  state = hls_cluster_ask (NULL, (const char *const[]){ "sacct", "-n", "-P", "-X", "-j", job, "-o", "State", NULL }, NULL);
  return state != NULL && *state != '\0' ? g_strdup_printf ("ERROR: Slurm ended job %s: %s", job, state) : NULL;
}

/* A job that does not run any more: at once, as the scheduler forgets it, the reason is asked for. */
static void
note_lost (Follow *self)
{
  if (self->why_lost == NULL)
    self->why_lost = self->cluster == HLS_CLUSTER_SLURM      ? why_ended (self->job)
                     : self->cluster == HLS_CLUSTER_HTCONDOR ? why_held (self->job)
                                                             : NULL;
}

static gboolean
is_over (HlsJobState state)
{
  return state == HLS_JOB_DONE || state == HLS_JOB_CANCELLED || state == HLS_JOB_LOST;
}

/* Asks the scheduler at its own pace until the job is over; a job it has lost gets a moment for its status to arrive. */
static HlsJobState
wait_for_end (Follow       *self,
              GCancellable *cancellable,
              int          *exit_status)
{
  gboolean here = self->cluster == HLS_CLUSTER_LOCAL;
  gint64 next = 0, lost_since = 0;
  HlsJobState state = HLS_JOB_WAITING;

  while (!g_cancellable_is_cancelled (cancellable))
    {
      gint64 now = g_get_monotonic_time ();

      if (now >= next)
        {
          g_autofree char *why = NULL;

          state = find_state (self->cluster, self->folder, self->job, exit_status, &why);
          tell_state (self, state, why);
          next = now + (here ? LOCAL_POLL_US : POLL_US);
          lost_since = state == HLS_JOB_LOST ? (lost_since == 0 ? now : lost_since) : 0;
          if (state == HLS_JOB_LOST)
            note_lost (self);
          if (is_over (state) && (state != HLS_JOB_LOST || now - lost_since > (here ? LOCAL_GRACE_US : GRACE_US)))
            break;
        }
      read_log (self, FALSE, cancellable);
      g_usleep (LOOK_MICROSECONDS);
    }
  read_log (self, is_over (state), cancellable);
  /* children that outlive the tool */
  if (here && state == HLS_JOB_DONE && is_alive_here (self->job))
    hls_process_end ((pid_t) g_ascii_strtoll (self->job, NULL, 10), NULL);
  return state;
}

/**
 * hls_cluster_follow:
 * @on_line: (nullable): sees the job's log, line by line, on this thread; and where a cluster's job is, as "Job 17 waits on Slurm: Resources"
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
  Follow self = { .cluster = cluster, .folder = folder, .job = job, .log = g_build_filename (folder, HLS_JOB_LOG, NULL) };

  hls_lines_init (&self.lines, on_line, data);
  *state = wait_for_end (&self, cancellable, exit_status);
  if (*state == HLS_JOB_LOST && self.why_lost != NULL)
    say (&self, self.why_lost);
  hls_lines_clear (&self.lines);
  g_free (self.told);
  g_free (self.why_lost);
  g_free (self.log);
  if (!g_cancellable_is_cancelled (cancellable) || *state == HLS_JOB_DONE)
    return TRUE;
  if (hls_cluster_cancel (cluster, job, error))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  return FALSE;
}
