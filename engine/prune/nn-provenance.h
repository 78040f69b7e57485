/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a table of figures is of, in the lines that go before it. */

#pragma once

#include "nn-config.h"
#include "nn-pruner.h"

G_BEGIN_DECLS

/**
 * NnProvenance: all borrowed.
 * @config: (nullable)
 * @data_spec: (nullable): where the data came from
 * @data_hash: (nullable): SHA-256 of it
 * @trails: (array length=n_trails) (nullable): runs whose figures these are
 * @measured: (nullable): what a tool said, besides the estimates: "Vitis HLS 2024.1, csynth"
 */
typedef struct {
  const NnModel  *model;
  const NnConfig *config;
  const char     *data_spec;
  const char     *data_hash;
  NnTrail *const *trails;
  guint           n_trails;
  const char     *measured;
} NnProvenance;

char *nn_provenance_text (const NnProvenance *provenance) G_GNUC_MALLOC;
char *nn_provenance_csv  (const NnProvenance *provenance) G_GNUC_MALLOC;

G_END_DECLS
