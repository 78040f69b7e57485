/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job that outlives the program that began it, on this machine or a cluster: written, begun, followed and cancelled. */

#pragma once

#include "hls-error.h"
#include "hls-lines.h"

G_BEGIN_DECLS

typedef enum {
  HLS_CLUSTER_NONE,
  HLS_CLUSTER_SLURM,
  HLS_CLUSTER_HTCONDOR,
  HLS_CLUSTER_LOCAL, /* no cluster: a session of its own on this machine */
} HlsCluster;

typedef enum {
  HLS_JOB_WAITING,
  HLS_JOB_RUNNING,
  HLS_JOB_DONE,      /* it ran to its end; the exit status says how */
  HLS_JOB_CANCELLED,
  HLS_JOB_LOST,      /* the scheduler no longer knows it and it left no status: killed, out of memory or time */
} HlsJobState;

/**
 * HlsJobOptions: what a job asks for; 0 and %NULL leave it to the cluster.
 * @name: of the job
 * @cpus: processors
 * @memory_mb: memory, in MB
 * @minutes: of time at the most
 * @queue: Slurm's partition, HTCondor's accounting group
 * @then: (array zero-terminated=1): a second program, run where the first one was content
 * @then_title: a line of the log before it
 */
typedef struct {
  const char *name;
  guint       cpus;
  guint       memory_mb;
  guint       minutes;
  const char *queue;
  const char *const *then;
  const char *then_title;
} HlsJobOptions;

HlsCluster  hls_cluster_find      (void);
const char *hls_cluster_name      (HlsCluster           cluster);
void        hls_job_options_init  (HlsJobOptions       *options);
char       *hls_cluster_script    (HlsCluster           cluster,
                                   const char *const   *command,
                                   const HlsJobOptions *options) G_GNUC_MALLOC;
char       *hls_cluster_submit    (HlsCluster           cluster,
                                   const char          *folder,
                                   const char *const   *command,
                                   const HlsJobOptions *options,
                                   GError             **error) G_GNUC_WARN_UNUSED_RESULT;
/* The job that was begun last in a folder. (transfer full) (nullable) */
char       *hls_cluster_last      (const char          *folder,
                                   HlsCluster          *cluster);
gint64      hls_cluster_begun     (const char          *folder);
HlsCluster  hls_cluster_find_named (const char         *name,
                                   GError             **error);
HlsJobState hls_cluster_state     (HlsCluster           cluster,
                                   const char          *folder,
                                   const char          *job,
                                   int                 *exit_status);
gboolean    hls_cluster_cancel    (HlsCluster           cluster,
                                   const char          *job,
                                   GError             **error);
gboolean    hls_cluster_follow    (HlsCluster           cluster,
                                   const char          *folder,
                                   const char          *job,
                                   HlsLineFunc          on_line,
                                   gpointer             data,
                                   GCancellable        *cancellable,
                                   HlsJobState         *state,
                                   int                 *exit_status,
                                   GError             **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
