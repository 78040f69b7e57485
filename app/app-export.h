/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing the HLS project, and running tools on it; writing the network for other programs. */

#pragma once

#include "app-document.h"

G_BEGIN_DECLS

/* Result: HlsProject. @folder (nullable): written there too. */
AppJob *app_export_job (AppAnalysis *analysis,
                        NnDataset   *data,   /* (nullable): test vectors */
                        const char  *folder);
/**
 * AppBuildPlace: where a tool runs, and what it may take there.
 * @tool: (nullable); @settings: (nullable): script sourced before it
 * @follow: nothing is begun: what was begun in the folder before is waited for
 * @cluster: %HLS_CLUSTER_NONE for this computer; the rest is for clusters, 0 and %NULL leave it to them
 */
typedef struct {
  const char *tool, *settings;
  gboolean    follow;
  HlsCluster  cluster;
  const char *queue;
  guint       cpus, memory_mb, minutes;
} AppBuildPlace;

/* Posts lines (char *); result: HlsReport. */
AppJob *app_build_job  (const char          *folder,
                        HlsStages            stages,
                        const AppBuildPlace *place);

/* Writes a network as a file; its ending says the format. */
AppJob *app_save_network_job (NnModel    *model,
                              const char *path);

G_END_DECLS
