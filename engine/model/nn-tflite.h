/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite networks: what the readers of the file, its tensors and its operators share. Internal to the room.
 *
 * The format is channels last, as the graph is. Numbers are the real ones: where the file computes with integers, a quantiser stands
 * at each tensor, with the file's scale and zero point. */

#pragma once

#include "nn-flat.h"
#include "nn-load-private.h"

G_BEGIN_DECLS

/* TensorType of the schema. */
typedef enum {
  NN_TFLITE_FLOAT32 = 0,
  NN_TFLITE_FLOAT16 = 1,
  NN_TFLITE_INT32 = 2,
  NN_TFLITE_UINT8 = 3,
  NN_TFLITE_INT64 = 4,
  NN_TFLITE_INT16 = 7,
  NN_TFLITE_INT8 = 9,
  NN_TFLITE_INT4 = 17,
} NnTfliteType;

/* ActivationFunctionType: what an operator does to its result. */
typedef enum {
  NN_TFLITE_FUSED_NONE,
  NN_TFLITE_FUSED_RELU,
  NN_TFLITE_FUSED_RELU_N1_TO_1,
  NN_TFLITE_FUSED_RELU6,
  NN_TFLITE_FUSED_TANH,
} NnTfliteFused;

/**
 * NnTfliteTensor: a tensor of the file
 * @dims: all axes, the batch's the first
 * @data: borrowed; of a constant its bytes, else %NULL
 * @same: of a constant: which tensor holds its values, itself where no operator converted it
 * @computed: whether @node computes it
 * @merged: the batch's axis is one with further ones, which the node's sample has all
 */
typedef struct {
  NnFlatTable   table;
  char         *name;
  NnTfliteType  type;
  NnShape       dims;
  NnFlatTable   quantization;
  const guint8 *data;
  gsize         n_bytes;
  guint         same;
  gboolean      computed;
  guint         node;
  gboolean      merged;
} NnTfliteTensor;

typedef struct {
  const char          *file;
  const NnLoadOptions *options;
  NnFlat               flat;
  NnGraphBuilder      *builder;
  GArray              *tensors; /* NnTfliteTensor */
  GArray              *weights; /* NnWeight */
  GHashTable          *names;   /* set: of the graph's nodes */
} NnTflite;

/**
 * NnTfliteOp: an operator of the file
 * @code: BuiltinOperator of the schema
 * @name: its name in the schema, or the custom one
 * @inputs, @outputs: indices of tensors; -1 for none
 */
typedef struct {
  gint64       code;
  char        *name;
  NnFlatTable  options;
  NnFlatVector inputs;
  NnFlatVector outputs;
} NnTfliteOp;

/* nn-tflite-node.c: what an operator reads */
NnTfliteTensor *nn_tflite_tensor        (NnTflite             *t,
                                         gint64                i);
NnTfliteTensor *nn_tflite_listed        (NnTflite             *t,
                                         NnFlatVector          list,
                                         guint                 i);
NnTfliteTensor *nn_tflite_input         (NnTflite             *t,
                                         const NnTfliteOp     *op,
                                         guint                 i);
NnTfliteTensor *nn_tflite_output        (NnTflite             *t,
                                         const NnTfliteOp     *op,
                                         guint                 i);
NnTfliteTensor *nn_tflite_data          (NnTflite             *t,
                                         const NnTfliteOp     *op,
                                         GError              **error);
const NnShape  *nn_tflite_sample        (NnTflite             *t,
                                         const NnTfliteTensor *tensor);
int             nn_tflite_axis          (const NnTfliteTensor *tensor,
                                         gint64                axis);

/* nn-tflite-node.c: what it becomes */
char           *nn_tflite_layer_name    (NnTflite             *t,
                                         const NnTfliteOp     *op,
                                         const NnTfliteTensor *weights);
NnNode         *nn_tflite_node          (NnTflite             *t,
                                         NnOp                  op,
                                         const char           *name,
                                         const char           *class_name,
                                         const guint          *inputs,
                                         guint                 n_inputs);
NnNode         *nn_tflite_unary         (NnTflite             *t,
                                         const NnTfliteOp     *op,
                                         NnOp                  what,
                                         const NnTfliteTensor *input);
gboolean        nn_tflite_finish        (NnTflite             *t,
                                         NnNode               *node,
                                         GError              **error);
void            nn_tflite_weight        (NnTflite             *t,
                                         NnNode               *node,
                                         NnRole                role,
                                         NnTensor             *values);
gboolean        nn_tflite_add_quantizer (NnTflite             *t,
                                         NnTfliteTensor       *tensor,
                                         gboolean              rounds_first,
                                         const char           *name,
                                         guint                *node,
                                         GError              **error);
/* What follows the sums of a layer: the fused activation, the checks of its shape, the quantiser of its result. */
gboolean        nn_tflite_result        (NnTflite             *t,
                                         const NnTfliteOp     *op,
                                         NnNode               *node,
                                         gint64                fused,
                                         GError              **error);

/* nn-tflite-tensor.c */
gboolean        nn_tflite_read_tensor (NnTflite          *t,
                                       NnFlatTable        table,
                                       NnFlatVector       buffers,
                                       NnTfliteTensor    *tensor,
                                       GError           **error);
NnTensor       *nn_tflite_constant    (NnTflite             *t,
                                       const NnTfliteTensor *tensor,
                                       GError              **error);
gboolean        nn_tflite_ints        (const NnTfliteTensor *tensor,
                                       gint64               *values,
                                       gsize                 most,
                                       gsize                *n);
gboolean        nn_tflite_is_quantized (const NnTfliteTensor *tensor);
gboolean        nn_tflite_same_codes  (const NnTfliteTensor *a,
                                       const NnTfliteTensor *b);
NnQuantizer    *nn_tflite_quantizer   (NnTflite             *t,
                                       const NnTfliteTensor *tensor,
                                       gboolean              rounds_first);

/* nn-tflite-ops.c */
char           *nn_tflite_op_name     (gint64             code);
char          **nn_tflite_op_names    (void);
/* Reads one operator into nodes. */
typedef gboolean NnTfliteRead         (NnTflite          *t,
                                       const NnTfliteOp  *op,
                                       GError           **error);
NnTfliteRead    nn_tflite_read_op;

/* nn-tflite-layers.c: those with weights */
NnTfliteRead    nn_tflite_read_dense, nn_tflite_read_conv, nn_tflite_read_transposed, nn_tflite_read_prelu, nn_tflite_read_scale;

/* nn-tflite-pointwise.c */
NnTfliteRead    nn_tflite_read_activation, nn_tflite_read_hard_swish, nn_tflite_read_square, nn_tflite_read_merge, nn_tflite_read_codes;
/* Settings of an activation fused into another operator. */
gboolean        nn_tflite_fused       (gint64             fused,
                                       NnAttrs           *attrs,
                                       GError           **error);

/* nn-tflite-reduce.c */
NnTfliteRead    nn_tflite_read_pool, nn_tflite_read_reduce, nn_tflite_read_matmul;

/* nn-tflite-shape.c */
NnTfliteRead    nn_tflite_read_concatenation, nn_tflite_read_reshape, nn_tflite_read_transpose, nn_tflite_read_pad, nn_tflite_read_resize,
  nn_tflite_read_slice;

G_END_DECLS
