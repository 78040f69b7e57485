/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same network on other hardware: strategies and reuse factors, with what each would take. */

#pragma once

#include "app-analysis.h"
#include "layout-plot.h"

G_BEGIN_DECLS

/**
 * AppVariant:
 * @config: the configuration with its strategy and reuse factor
 * @latency: of the whole network, cycles; @interval: between two samples
 * @resources: of the whole network, or of the layer that was asked about; so is @latency then
 * @fits: the part has enough of everything
 * @current: what the network is set to
 */
typedef struct {
  NnStrategy  strategy;
  guint       reuse;
  NnConfig   *config;
  NnResources resources;
  double      latency, interval;
  gboolean    fits, current;
} AppVariant;

/* Posts AppVariant for strategies and reuse factors of all layers. */
AppJob  *app_variants_job      (AppAnalysis      *analysis);
/* Posts AppVariant for the reuse factors @reuses (element-type guint) of one layer, or of all with -1. */
AppJob  *app_reuse_job         (AppAnalysis      *analysis,
                                int               layer,
                                const GArray     *reuses);
AppVariant *app_variant_copy   (const AppVariant *variant);
void     app_variant_free      (AppVariant       *variant);
char    *app_variant_title     (const AppVariant *variant) G_GNUC_MALLOC;
/* Latency against a resource; marks are indices. */
AppPlot *app_variants_plot     (const GPtrArray  *variants,
                                NnResource        resource,
                                const NnPart     *part); /* (nullable) */

G_END_DECLS
