/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the hardware computes, bit by bit: every kernel in its own order of operations. */

#pragma once

#include "nn-design.h"
#include "nn-progress.h"

G_BEGIN_DECLS

/* As NnTraceFunc: @values (batch, layer shape) are the exact reals, %NN_DTYPE_F64. */
typedef void (*NnFixedTraceFunc) (const NnNode   *node,
                                  gsize           first_sample,
                                  const NnTensor *values,
                                  gpointer        data);

/**
 * NnFixedOptions:
 * @trace: (nullable): sees the output of every layer of the lowered graph
 * @overflows: (nullable) (array): one count a node of the lowered graph: assignments that did not fit the type
 */
typedef struct {
  NnFixedTraceFunc trace;
  gpointer         trace_data;
  guint64         *overflows;
} NnFixedOptions;

/* Inputs as for nn_predict(), best as %NN_DTYPE_F64: they are quantised to the input type first. Outputs are exact. */
NnTensor **nn_fixed_predict (const NnDesign        *design,
                             NnTensor *const       *inputs,
                             const NnFixedOptions  *options,
                             const NnProgress      *progress,
                             GCancellable          *cancellable,
                             GError               **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tables as the hardware holds them: @n raw integers of @type. (transfer full) */
gint64    *nn_fixed_table   (const NnNode          *node,
                             const NnLayerPlan     *plan,
                             const char            *which, /* "table", "exp", "inv" */
                             guint                 *n,
                             NnType                *type);

G_END_DECLS
