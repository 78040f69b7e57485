/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which widths: a scan of one width for all (the hls4ml paper's Fig. 4), and a search for the cheapest ones. */

#pragma once

#include "nn-design.h"
#include "nn-progress.h"

G_BEGIN_DECLS

/**
 * NnWidthPoint:
 * @type: the model's default
 * @score: see nn_scoring_score()
 * @cost: mean fraction of the part's DSP, BRAM, LUT and FF; NaN where it cannot be estimated
 */
typedef struct {
  NnType type;
  double score, cost;
} NnWidthPoint;

/**
 * NnWidthScan:
 * @float_score: of float inference
 */
typedef struct {
  NnWidthPoint *points;
  guint         n;
  double        float_score;
} NnWidthScan;

/* @config's default type at every width from @first to @last, with @integer bits before the point. */
NnWidthScan *nn_width_scan      (const NnModel     *model,
                                 const NnConfig    *config,
                                 NnTensor *const   *inputs,
                                 const NnTensor    *targets, /* (nullable) */
                                 gboolean           is_classes,
                                 int                first,
                                 int                last,
                                 int                integer,
                                 const NnProgress  *progress,
                                 GCancellable      *cancellable,
                                 GError           **error) G_GNUC_WARN_UNUSED_RESULT;
void         nn_width_scan_free (NnWidthScan       *scan);

/**
 * NnWidthProposal:
 * @config: the cheapest configuration found whose score is within the loss allowed
 * @score, @cost: its
 * @first_score, @first_cost: of where the search began: ranges as observed, at @first_width bits
 * @n_tried: designs scored
 */
typedef struct {
  NnConfig *config;
  double    float_score, score, cost, first_score, first_cost;
  int       first_width;
  guint     n_tried;
} NnWidthProposal;

/* Widths for every tensor that keep the score within @loss of float's, at the least cost that was found. */
NnWidthProposal *nn_propose_widths        (const NnModel     *model,
                                           const NnConfig    *config,
                                           NnTensor *const   *inputs,
                                           const NnTensor    *targets, /* (nullable) */
                                           gboolean           is_classes,
                                           double             loss,
                                           const NnProgress  *progress,
                                           GCancellable      *cancellable,
                                           GError           **error) G_GNUC_WARN_UNUSED_RESULT;
void             nn_width_proposal_free   (NnWidthProposal   *proposal);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnWidthScan, nn_width_scan_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnWidthProposal, nn_width_proposal_free)

G_END_DECLS
