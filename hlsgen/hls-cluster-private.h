/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What beginning a job and following it share. */

#pragma once

#include "hls-cluster.h"

G_BEGIN_DECLS

/* Files of a job in its project's folder. The status is the job's own word, so that it outlives the scheduler's memory. */
#define HLS_JOB_SCRIPT "espalier-job.sh"
#define HLS_JOB_SUBMIT "espalier-job.sub"
#define HLS_JOB_LOG "espalier-job.log"
#define HLS_JOB_STATUS "espalier-job.status"
#define HLS_JOB_ID "espalier-job.id"

/* Runs a scheduler's command in @folder; its standard output, or NULL with what it said on standard error. */
char *hls_cluster_ask (const char        *folder,
                       const char *const *argv,
                       GError           **error);

G_END_DECLS
