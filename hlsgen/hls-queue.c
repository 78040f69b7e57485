/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue. */

#include "hls-queue.h"

static void
forward_cancel (GCancellable *all,
                gpointer      one)
{
  g_cancellable_cancel (one);
}

static void
set_state (HlsTask      *job,
           guint        i,
           HlsTaskState  state,
           HlsTaskFunc   on_change,
           gpointer     data)
{
  job->state = state;
  if (on_change != NULL)
    on_change (job, i, data);
}

static void
run_job (HlsTask           *job,
         guint             i,
         HlsTaskFunc        on_change,
         gpointer          data,
         const NnProgress *progress,
         GCancellable     *cancellable)
{
  g_autoptr (GCancellable) own = job->cancellable != NULL ? g_object_ref (job->cancellable) : g_cancellable_new ();
  gulong handler = 0;

  if (g_cancellable_is_cancelled (own) || g_cancellable_is_cancelled (cancellable))
    {
      set_state (job, i, HLS_TASK_CANCELLED, on_change, data);
      return;
    }
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (forward_cancel), own, NULL);
  set_state (job, i, HLS_TASK_RUNNING, on_change, data);
  if (job->error == NULL)
    job->report = hls_build (job->folder, &job->options, progress, own, &job->error);
  g_cancellable_disconnect (cancellable, handler);
  if (job->report != NULL)
    set_state (job, i, HLS_TASK_DONE, on_change, data);
  else
    set_state (job, i, g_error_matches (job->error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? HLS_TASK_CANCELLED : HLS_TASK_FAILED, on_change,
               data);
}

/* On a cluster the scheduler does the queueing: all are submitted before the first one is waited for. */
static void
submit_all (HlsTask      *jobs,
            guint         n,
            GCancellable *cancellable)
{
  for (guint i = 0; i < n && !g_cancellable_is_cancelled (cancellable); i++)
    if (jobs[i].options.cluster != HLS_CLUSTER_NONE && jobs[i].options.stages != HLS_STAGE_CSIM && !jobs[i].options.follow &&
        hls_build_submit (jobs[i].folder, &jobs[i].options, &jobs[i].error))
      jobs[i].options.follow = TRUE;
}

guint
hls_queue_run (HlsTask           *jobs,
               guint             n,
               HlsTaskFunc        on_change,
               gpointer          data,
               const NnProgress *progress,
               GCancellable     *cancellable)
{
  guint done = 0;

  submit_all (jobs, n, cancellable);
  for (guint i = 0; i < n; i++)
    {
      NnSubProgress part;

      nn_sub_progress_init (&part, progress, (double) i / n, (double) (i + 1) / n);
      run_job (&jobs[i], i, on_change, data, &part.inner, cancellable);
      done += jobs[i].state == HLS_TASK_DONE;
    }
  return done;
}

void
hls_task_clear (HlsTask *job)
{
  g_clear_pointer (&job->report, hls_report_free);
  g_clear_error (&job->error);
}

const char *
hls_task_state_name (HlsTaskState state)
{
  static const char *const names[] = { "waiting", "running", "done", "failed", "cancelled" };

  return names[state];
}
