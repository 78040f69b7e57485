/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a tool on a project's folder, streams its log, and can be cancelled with all its children. The tool goes on when
 * the program that began it ends; hls_build() with `follow` takes it up again. */

#pragma once

#include "hls-cluster.h"
#include "hls-error.h"
#include "hls-report.h"
#include "nn-progress.h"

G_BEGIN_DECLS

typedef enum {
  HLS_STAGE_CSIM = 1 << 0, /* with g++ and our own headers where no vendor tool is */
  HLS_STAGE_SYNTH = 1 << 1,
  HLS_STAGE_COSIM = 1 << 2,
  HLS_STAGE_EXPORT = 1 << 3,
  HLS_STAGE_VSYNTH = 1 << 4,
} HlsStages;

typedef struct {
  HlsStages   stages;
  const char *tool;          /* (nullable): path of the tool; without it PATH and the usual folders are searched */
  const char *settings;      /* (nullable): script sourced before it */
  HlsCluster  cluster;       /* HLS_CLUSTER_NONE: this machine */
  HlsJobOptions job;         /* what a job on a cluster asks for */
  gboolean    follow;        /* begin nothing: wait for what was begun in this folder before */
  void      (*on_line) (const char *line, gpointer data); /* (nullable): on the calling thread */
  gpointer    on_line_data;
} HlsBuildOptions;

void       hls_build_options_init (HlsBuildOptions       *options);
/* Begins the stages and returns at once; hls_build() with `follow` waits. Not for simulation alone. */
gboolean   hls_build_submit       (const char            *folder,
                                   const HlsBuildOptions *options,
                                   GError               **error) G_GNUC_WARN_UNUSED_RESULT;
HlsReport *hls_build              (const char            *folder,
                                   const HlsBuildOptions *options,
                                   const NnProgress      *progress,
                                   GCancellable          *cancellable,
                                   GError               **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
