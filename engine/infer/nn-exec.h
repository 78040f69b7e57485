/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Float inference in double precision: every operator as its definition says. The reference that fast paths answer to. */

#pragma once

#include "nn-model.h"
#include "nn-progress.h"

G_BEGIN_DECLS

/* Called for every layer of every batch, in order; @values (batch, layer shape) is %NN_DTYPE_F64 and borrowed. */
typedef void (*NnTraceFunc) (const NnNode   *node,
                             gsize           first_sample,
                             const NnTensor *values,
                             gpointer        data);

/**
 * NnPredictOptions:
 * @trace: (nullable): sees the output of every layer, a layer's own activation included
 * @trace_data: passed to @trace
 * @batch: samples worked on at once, 0 for a default
 */
typedef struct {
  NnTraceFunc trace;
  gpointer    trace_data;
  gsize       batch;
} NnPredictOptions;

/* Whether every operator of the network can be computed; otherwise says which layer cannot and why. */
gboolean   nn_predict_supported (const NnModel          *model,
                                 GError                **error);
/* @inputs: (array) one for each input of the graph, (n, input shape), any dtype.
 * Returns: (transfer full) (array zero-terminated=1): outputs in the graph's order, %NN_DTYPE_F64; free with nn_tensors_free(). */
NnTensor **nn_predict           (const NnModel          *model,
                                 NnTensor *const        *inputs,
                                 const NnPredictOptions *options,
                                 const NnProgress       *progress,
                                 GCancellable           *cancellable,
                                 GError                **error) G_GNUC_WARN_UNUSED_RESULT;
void       nn_tensors_free      (NnTensor              **tensors);

/* The same definitions on their own, for twins and tests: y = act (x). */
double     nn_act_value         (const NnAttrs          *attrs,
                                 NnAct                   act,
                                 double                  x);

G_END_DECLS
