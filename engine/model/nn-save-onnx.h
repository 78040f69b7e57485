/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ONNX writer's inside: values in two layouts, operators, constants. Internal to the room. */

#pragma once

#include "nn-arena.h"
#include "nn-load.h"
#include "nn-onnx.h"
#include "nn-quant-json.h"

G_BEGIN_DECLS

/* The operator set of ONNX's own operators; a network with a layer normalisation or the like needs a newer one. */
#define NN_ONNX_OPSET 13
/* Where QONNX's quantisers are. */
#define NN_ONNX_QONNX_DOMAIN "qonnx.custom_op.general"
/* And ONNX's tree ensembles. */
#define NN_ONNX_TREES_DOMAIN "ai.onnx.ml"

/* Which of a value's two layouts. */
typedef enum {
  NN_ONNX_LAST,  /* channels last, as the graph has it */
  NN_ONNX_FIRST, /* channels first, as ONNX's convolutions want it */
} NnOnnxLayout;

/**
 * NnOnnxWriter:
 * @functions: what operators of other domains are in plain ones; goes along in the file
 * @names: a node's value in each layout, %NULL where that is not made yet
 * @quantized: whether QONNX's Quant is used, with @quant_rounding; the others say which functions are written
 */
typedef struct {
  const NnModel *model;
  const NnGraph *graph;
  NnArena       *arena;
  GPtrArray     *ops;      /* Onnx__NodeProto */
  GPtrArray     *tensors;  /* Onnx__TensorProto */
  GPtrArray     *kept;     /* NnTensor, owned: constants made for the file */
  GPtrArray     *functions; /* Onnx__FunctionProto */
  const char   *(*names)[2];
  guint          n_made;
  gboolean       quantized;
  NnRounding     quant_rounding;
  gboolean       bipolar;
  gboolean       frozen_function;
  gboolean       binary_function;
  gboolean       ternary_function;
  gboolean       gelu_function;
  gboolean       trees;    /* whether a tree ensemble is in it */
  int            opset;
} NnOnnxWriter;

const char      *nn_onnx_text     (NnOnnxWriter *w,
                                   const char   *format,
                                   ...) G_GNUC_PRINTF (2, 3);
const char      *nn_onnx_put      (NnOnnxWriter *w,
                                   const char   *name,
                                   NnTensor     *tensor);
const char      *nn_onnx_put_ints (NnOnnxWriter *w,
                                   const char   *stem,
                                   const gint64 *values,
                                   guint         n);
const char      *nn_onnx_put_int  (NnOnnxWriter *w,
                                   const char   *name,
                                   gint64        value);
const char      *nn_onnx_put_real (NnOnnxWriter *w,
                                   const char   *stem,
                                   double        value);
Onnx__NodeProto *nn_onnx_op       (NnOnnxWriter *w,
                                   const char   *type,
                                   const char   *output,
                                   const char   *first,
                                   ...) G_GNUC_NULL_TERMINATED;
void             nn_onnx_set_int  (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, gint64 value);
void             nn_onnx_set_real (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, double value);
void             nn_onnx_set_text (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, const char *value);
void             nn_onnx_set_ints (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, const gint64 *values, guint n);
void             nn_onnx_set_reals (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, const double *values, guint n);
void             nn_onnx_set_texts (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, const char *const *values, guint n);
void             nn_onnx_set_tensor (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, NnTensor *tensor);
/* Within a function: the attribute is the one of its operator. */
void             nn_onnx_refer    (NnOnnxWriter *w, Onnx__NodeProto *op, const char *name, const char *attribute);
const char      *nn_onnx_value    (NnOnnxWriter *w,
                                   guint         node,
                                   NnOnnxLayout  layout);
gboolean         nn_onnx_write_node (NnOnnxWriter *w,
                                     guint         node,
                                     GError      **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes one node of the graph; nn_onnx_write_node() chooses which serves. */
typedef gboolean NnOnnxWrite (NnOnnxWriter  *w,
                              const NnNode  *node,
                              guint          index,
                              GError       **error);

/* nn-save-onnx-own-quant.c */
const char  *nn_onnx_put_own_quant (NnOnnxWriter      *w,
                                    const NnQuantizer *q,
                                    const NnShape     *shape,
                                    const char        *input,
                                    const char        *output);
void         nn_onnx_put_frozen    (NnOnnxWriter      *w,
                                    const NnQuantizer *q,
                                    NnTensor          *values,
                                    NnTensor          *used,
                                    const char        *output);
void         nn_onnx_put_qonnx_function (NnOnnxWriter *w,
                                         gboolean      bipolar,
                                         NnRounding    rounding);

/* nn-save-onnx-own-layers.c */
void         nn_onnx_put_own_activation (NnOnnxWriter *w,
                                         NnAct         act,
                                         const char   *input,
                                         const char   *output);
void         nn_onnx_put_garnet_function (NnOnnxWriter   *w,
                                          const char     *name,
                                          const NnGarnet *g,
                                          gint64          n_vertices,
                                          const char     *act);

/* nn-save-onnx-quant.c */
NnTensor    *nn_onnx_weight_values (const NnWeight    *weight);
NnOnnxLayout nn_onnx_quant_layout  (const NnQuantizer *q,
                                    NnOnnxLayout       wanted);
const char  *nn_onnx_put_quant     (NnOnnxWriter      *w,
                                    const NnNode      *node,
                                    const NnQuantizer *q,
                                    const NnShape     *shape,
                                    const char        *input,
                                    const char        *output,
                                    GError           **error);
const char  *nn_onnx_put_values    (NnOnnxWriter      *w,
                                    const char        *name,
                                    NnTensor          *values,
                                    const NnQuantizer *q,
                                    const guint       *axes,
                                    const NnShape     *shape);
NnTensor    *nn_onnx_used_weight   (NnOnnxWriter      *w,
                                    const NnNode      *node,
                                    NnRole             role);
gboolean     nn_onnx_has_bias      (NnOnnxWriter      *w,
                                    const NnNode      *node);
const char  *nn_onnx_put_weight    (NnOnnxWriter      *w,
                                    const NnNode      *node,
                                    NnRole             role,
                                    const guint       *axes,
                                    const NnShape     *shape,
                                    GError           **error);

/* nn-onnx-masks.c */
void     nn_onnx_put_masks (NnOnnxWriter *w,
                            GPtrArray    *properties);

/* nn-save-onnx-activation.c */
gboolean nn_onnx_put_activation (NnOnnxWriter *w,
                                 const NnNode *node,
                                 const char *input,
                                 const char *output,
                                 int axis,
                                 GError **error);
NnOnnxWrite nn_onnx_write_activation;

/* nn-save-onnx-layers.c */
NnOnnxWrite nn_onnx_write_dense, nn_onnx_write_conv, nn_onnx_write_pool, nn_onnx_write_global_pool, nn_onnx_write_norm,
  nn_onnx_write_scale;

/* nn-save-onnx-einsum.c: Einsum, EinsumDense, Dot, Embedding */
NnOnnxWrite nn_onnx_write_product;

/* nn-save-onnx-shape.c */
NnOnnxWrite nn_onnx_write_shape;

/* nn-save-onnx-recurrent.c, nn-save-onnx-attention.c, nn-save-onnx-trees.c */
NnOnnxWrite nn_onnx_write_recurrent, nn_onnx_write_attention, nn_onnx_write_trees, nn_onnx_write_garnet;
gboolean nn_onnx_write_reversal (NnOnnxWriter *w,
                                 const NnNode *node,
                                 guint         index);

/* nn-save-onnx-ops.c */
gboolean nn_onnx_fail (const NnNode *node,
                       const char *what,
                       GError **error);
const NnShape *nn_onnx_in_shape (NnOnnxWriter *w,
                                 const NnNode *node);
NnTensor *nn_onnx_constant_vector (gint64 n,
                                   float value);
NnOnnxLayout nn_onnx_layout_of (NnOnnxWriter *w,
                                const NnNode *node);
const char *nn_onnx_name_in (NnOnnxWriter *w,
                             const NnNode *node,
                             guint index,
                             NnOnnxLayout layout);
gint64 nn_onnx_file_axis (int axis,
                          guint rank,
                          NnOnnxLayout layout);

G_END_DECLS
