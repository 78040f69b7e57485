/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a tool on a project's folder, streams its log, and can be cancelled with all its children. */

#pragma once

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
  void      (*on_line) (const char *line, gpointer data); /* (nullable): on the calling thread */
  gpointer    on_line_data;
} HlsBuildOptions;

void       hls_build_options_init (HlsBuildOptions       *options);
HlsReport *hls_build              (const char            *folder,
                                   const HlsBuildOptions *options,
                                   const NnProgress      *progress,
                                   GCancellable          *cancellable,
                                   GError               **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
