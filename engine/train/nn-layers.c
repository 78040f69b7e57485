/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of one class's kernels. */

#include "nn-real.h"

#define ROW(KIND, name) [KIND] = CLASSED (nn_##name##_forward)
#define BACK(KIND, name) [KIND] = CLASSED (nn_##name##_backward)
#define ALL(F)                                 \
  F (NN_LAYER_LINEAR, linear),                 \
  F (NN_LAYER_DEPTHWISE, depthwise),           \
  F (NN_LAYER_ACT, act),                       \
  F (NN_LAYER_SOFTMAX, softmax),               \
  F (NN_LAYER_BATCH_NORM, batch_norm),         \
  F (NN_LAYER_LAYER_NORM, layer_norm),         \
  F (NN_LAYER_SCALE, scale),                   \
  F (NN_LAYER_PRELU, prelu),                   \
  F (NN_LAYER_DROPOUT, dropout),               \
  F (NN_LAYER_SUM_MAP, sum_map),               \
  F (NN_LAYER_MAX_MAP, max_map),               \
  F (NN_LAYER_PRODUCT_MAP, product_map),       \
  F (NN_LAYER_WEIGHT_MAP, weight_map),         \
  F (NN_LAYER_MERGE, merge),                   \
  F (NN_LAYER_CONCATENATE, concatenate),       \
  F (NN_LAYER_EMBEDDING, embedding),           \
  F (NN_LAYER_SIMPLE_RNN, simple_rnn),         \
  F (NN_LAYER_LSTM, lstm),                     \
  F (NN_LAYER_GRU, gru),                       \
  F (NN_LAYER_QUANTIZE, quantize)

const NnLayers CLASSED (nn_layers) = {
  .real_size = sizeof (real),
  .forward = { ALL (ROW) },
  .backward = { ALL (BACK) },
  .prepare = CLASSED (nn_linear_prepare),
  .norm_forward = CLASSED (nn_batch_norm_finish),
  .norm_backward = CLASSED (nn_batch_norm_finish_back),
  .gather = CLASSED (nn_gather),
  .scatter = CLASSED (nn_scatter),
  .loss = CLASSED (nn_loss),
  .update = CLASSED (nn_update),
  .finite = CLASSED (nn_finite),
};
