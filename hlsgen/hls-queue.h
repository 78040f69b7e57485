/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several builds, one after the other: a tool wants the whole machine. */

#pragma once

#include "hls-build.h"

G_BEGIN_DECLS

typedef enum { HLS_TASK_WAITING, HLS_TASK_RUNNING, HLS_TASK_DONE, HLS_TASK_FAILED, HLS_TASK_CANCELLED } HlsTaskState;

/**
 * HlsTask: one build of a queue.
 * @folder: the project
 * @options: of the build
 * @cancellable: (nullable): ends this one only; those after it go on
 * @state: where it is
 * @report: (nullable): once it is done
 * @error: (nullable): once it has failed
 */
typedef struct {
  const char     *folder;
  HlsBuildOptions options;
  GCancellable   *cancellable;
  HlsTaskState     state;
  HlsReport      *report;
  GError         *error;
} HlsTask;

/* Called on the queue's own thread when a job begins and when it ends. */
typedef void (*HlsTaskFunc) (const HlsTask *job,
                            guint         i,
                            gpointer      data);

/* Runs all; how many are done. A failure does not stop those after it; @cancellable stops all. */
guint       hls_queue_run      (HlsTask           *jobs,
                                guint             n,
                                HlsTaskFunc        on_change,
                                gpointer          data,
                                const NnProgress *progress,
                                GCancellable     *cancellable);
void        hls_task_clear      (HlsTask           *job);
const char *hls_task_state_name (HlsTaskState       state);

G_END_DECLS
