/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the figures of a whole and of pieces share. Internal to the room. */

#pragma once

#include "nn-metrics.h"

G_BEGIN_DECLS

gsize    nn_metrics_true_class  (const NnTensor  *targets,
                                 gsize            i);
/* How much the network believes that sample @i is of class @c. */
double   nn_metrics_score       (const NnTensor  *predictions,
                                 gsize            i,
                                 gsize            c);
/* Whether predictions and targets fit each other and are finite; @first: sample that the first is, for the message. */
gboolean nn_metrics_check       (const NnTensor  *predictions,
                                 const NnTensor  *targets,
                                 gboolean         is_classes,
                                 gsize            first,
                                 GError         **error);
/* Adds up all but the areas; `n_classes` and `confusion` are set for classes. */
void     nn_metrics_add_sums    (NnMetrics       *metrics,
                                 const NnTensor  *predictions,
                                 const NnTensor  *targets);
/* From sums to means. */
void     nn_metrics_finish_sums (NnMetrics       *metrics,
                                 gsize            wide,
                                 gsize            width);

G_END_DECLS
