/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network: graph, weights and masks. Sealed; a change makes a new version that shares what it did not change. */

#pragma once

#include "nn-graph.h"
#include "nn-tensor.h"

G_BEGIN_DECLS

/**
 * NnWeight:
 * @name: as in the source, unique within its layer
 * @layer: name of the layer that owns it
 * @role: its part
 * @trainable: whether training may change it
 * @values: (owned): elements of %NN_DTYPE_F32
 * @mask: (owned) (nullable): %NN_DTYPE_U8 of the same shape, 1 where the weight lives, 0 where it is pruned for good
 */
typedef struct {
  const char *name;
  const char *layer;
  NnRole      role;
  gboolean    trainable;
  NnTensor   *values;
  NnTensor   *mask;
} NnWeight;

/**
 * NnModelInfo:
 * @name: of the network
 * @format: what it was loaded from, for people: "Keras 2 HDF5", "ONNX opset 13", ...
 * @class_names: (nullable) (array zero-terminated=1): of a classifier's outputs
 * @input_mean: (nullable): standardisation learnt on the training data, one a feature
 * @input_deviation: (nullable): the same
 * @whole: the file's arrays have no axis for the batch: nn_model_batch()
 *
 * Borrowed strings and tensors; a model keeps copies.
 */
typedef struct {
  const char        *name;
  const char        *format;
  const char *const *class_names;
  NnTensor          *input_mean;
  NnTensor          *input_deviation;
  gboolean           whole;
} NnModelInfo;

typedef struct _NnModel NnModel;

#define NN_TYPE_MODEL (nn_model_get_type ())
GType nn_model_get_type (void);

NnModel           *nn_model_new          (NnGraph           *graph,
                                          const NnWeight    *weights,
                                          guint              n_weights,
                                          const NnModelInfo *info,
                                          GError           **error) G_GNUC_WARN_UNUSED_RESULT;
NnModel           *nn_model_ref          (NnModel           *model);
void               nn_model_unref        (NnModel           *model);
NnGraph           *nn_model_graph        (const NnModel     *model);
const NnModelInfo *nn_model_info         (const NnModel     *model);
guint              nn_model_n_weights    (const NnModel     *model);
const NnWeight    *nn_model_weight       (const NnModel     *model,
                                          guint              id);
const NnWeight    *nn_model_node_weight  (const NnModel     *model,
                                          const NnNode      *node,
                                          NnRole             role);
gboolean           nn_model_node_weight_id (const NnModel   *model,
                                            const NnNode    *node,
                                            NnRole           role,
                                            guint           *id);
NnModel           *nn_model_with_weights (const NnModel     *model,
                                          NnTensor         **values,
                                          NnTensor         **masks);
NnModel           *nn_model_with_info    (const NnModel     *model,
                                          const NnModelInfo *info);
NnTensor         **nn_model_batch        (const NnModel     *model,
                                          NnTensor *const   *inputs);
void               nn_model_unbatch      (NnTensor         **outputs);
gsize              nn_model_parameters   (const NnModel     *model,
                                          const NnNode      *node);
gsize              nn_model_zeros        (const NnModel     *model,
                                          const NnNode      *node);
gsize              nn_node_multiplications (const NnModel   *model,
                                            const NnNode    *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnModel, nn_model_unref)

G_END_DECLS
