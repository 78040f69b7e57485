/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resources and latency before synthesis: built on the structure of the kernels, calibrated on real syntheses. */

#pragma once

#include "nn-design.h"
#include "nn-law.h"
#include "nn-part.h"
#include "nn-resources.h"

G_BEGIN_DECLS

/* A figure with its bounds. */
typedef struct {
  double value, low, high;
} NnFigure;

/**
 * NnCost:
 * @resource: DSP blocks; BRAM in 18 Kb halves (on Intel and PolarFire parts, their own blocks); LUT and FF as the HLS tool
 *   reports them: Vivado's synthesis ends at about 1 of 1.7 LUTs
 * @latency: cycles
 * @interval: cycles between two samples
 * @latency_ns: at the configuration's clock
 * @bops: bit operations of one sample
 * @energy_nj: of one sample, dynamic, see nn-energy.c for its source and how wide its bounds are
 * @area_um2: of an ASIC; NaN where the part is none
 */
typedef struct {
  NnFigure resource[NN_N_RESOURCES];
  NnFigure latency;
  NnFigure interval;
  double   latency_ns;
  double   bops;
  NnFigure energy_nj;
  NnFigure area_um2;
} NnCost;

/**
 * NnEstimate:
 * @part: (nullable): what it is an estimate for
 * @total: of the whole design
 * @synthesised: what Vivado's synthesis leaves of the total (AMD's parts; the same as the total elsewhere)
 * @layers: (array length=n_layers): one for each node of the lowered graph
 */
typedef struct {
  const NnPart *part;
  NnCost        total;
  NnFigure      synthesised[NN_N_RESOURCES];
  gboolean      synthesis_calibrated; /* by the user's own runs of Vivado */
  NnCost       *layers;
  guint         n_layers;
} NnEstimate;

NnEstimate *nn_estimate      (const NnDesign  *design,
                              const NnPart    *part, /* (nullable): the config's, or one of its family */
                              GError         **error) G_GNUC_WARN_UNUSED_RESULT;
const NnPart *nn_estimate_part (const NnConfig *config);
void        nn_estimate_free (NnEstimate      *estimate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnEstimate, nn_estimate_free)

G_END_DECLS
