/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing reuse factors: what each value would cost, and the fewest DSPs that meet a latency. */

#pragma once

#include "nn-estimate.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A value that the layer's kernel accepts, with its forecast. */
typedef struct {
  guint  reuse;
  NnCost cost;
} NnReuseOption;

typedef enum {
  NN_REUSE_OPTIMAL,    /* proven: no other choice meets the latency with fewer DSPs */
  NN_REUSE_GAP,        /* it meets it, and is at most `gap` away from the optimum */
  NN_REUSE_INFEASIBLE, /* even the fastest choice is slower; it is returned */
} NnReuseStatus;

/**
 * NnReusePlan:
 * @reuse: (array length=n_layers): by node of the lowered graph; 0 where a layer has none
 * @latency: cycles of the whole design with these, as nn_estimate() forecasts them
 * @bound: no choice takes fewer DSPs
 * @gap: (dsp - bound) / dsp
 */
typedef struct {
  NnReuseStatus status;
  guint        *reuse;
  guint         n_layers;
  double        dsp, latency, bound, gap;
} NnReusePlan;

/* (transfer full) (element-type NnReuseOption): in increasing order; empty where the layer has no reuse factor. */
GArray      *nn_reuse_options     (const NnDesign     *design,
                                   guint               i,
                                   const NnPart       *part);
NnReusePlan *nn_reuse_solve       (const NnDesign     *design,
                                   const NnPart       *part,     /* (nullable): the configuration's */
                                   double              cycles,   /* latency to meet */
                                   GCancellable       *cancellable,
                                   GError            **error) G_GNUC_WARN_UNUSED_RESULT;
/* The design's configuration with the plan's reuse factors, by layer. (transfer full) */
NnConfig    *nn_reuse_plan_config (const NnReusePlan  *plan,
                                   const NnDesign     *design);
void         nn_reuse_plan_free   (NnReusePlan        *plan);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnReusePlan, nn_reuse_plan_free)

G_END_DECLS
