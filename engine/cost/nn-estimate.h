/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resources and latency before synthesis: built on the structure of the kernels, calibrated on real syntheses. */

#pragma once

#include "nn-design.h"
#include "nn-part.h"
#include "nn-resources.h"

G_BEGIN_DECLS

/* A figure with its bounds. */
typedef struct {
  double value, low, high;
} NnFigure;

typedef struct {
  NnFigure resource[NN_N_RESOURCES]; /* BRAM in 18 Kb halves */
  NnFigure latency;                  /* cycles */
  NnFigure interval;                 /* cycles between two samples */
  double   latency_ns;
  double   bops;                     /* bit operations */
} NnCost;

/**
 * NnEstimate:
 * @total: of the whole design
 * @layers: (array length=n_layers): one for each node of the lowered graph
 */
typedef struct {
  NnCost  total;
  NnCost *layers;
  guint   n_layers;
} NnEstimate;

NnEstimate *nn_estimate      (const NnDesign  *design,
                              const NnPart    *part, /* (nullable): the config's, or one of its family */
                              GError         **error) G_GNUC_WARN_UNUSED_RESULT;
void        nn_estimate_free (NnEstimate      *estimate);

/* DSP blocks that one multiplication of these widths takes on a part (0 when it goes to logic). */
guint       nn_multiplier_dsp (const NnPart   *part,
                               const NnType   *a,
                               const NnType   *b);
/* Non-zero digits of the canonical signed-digit form. */
guint       nn_csd_digits     (gint64          value);
/* DSPs of a Latency-strategy matrix: distinct (input, weight) products of three or more digits. */
gsize       nn_latency_dsp    (const gint64   *raw, /* (n_in, n_out) */
                               gsize           n_in,
                               gsize           n_out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnEstimate, nn_estimate_free)

G_END_DECLS
