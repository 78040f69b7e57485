/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ONNX writer's inside: values in two layouts, operators, constants. Internal to the room. */

#pragma once

#include "nn-arena.h"
#include "nn-load.h"

G_BEGIN_DECLS

typedef struct Onnx__NodeProto Onnx__NodeProto;

/* Which of a value's two layouts. */
typedef enum {
  NN_ONNX_LAST,  /* channels last, as the graph has it */
  NN_ONNX_FIRST, /* channels first, as ONNX's convolutions want it */
} NnOnnxLayout;

/**
 * NnOnnxWriter:
 * @names: a node's value in each layout, %NULL where that is not made yet
 */
typedef struct {
  const NnModel *model;
  const NnGraph *graph;
  NnArena       *arena;
  GPtrArray     *ops;      /* Onnx__NodeProto */
  GPtrArray     *tensors;  /* Onnx__TensorProto */
  GPtrArray     *kept;     /* NnTensor, owned: constants made for the file */
  const char   *(*names)[2];
  guint          n_made;
  gboolean       quantized;
  gboolean       layer_norm;
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

/* nn-save-onnx-quant.c */
NnTensor *nn_onnx_weight_values (const NnWeight *weight);
const char *nn_onnx_put_quant (NnOnnxWriter *w,
                               const NnNode *node,
                               const NnQuantizer *q,
                               const char *input,
                               const char *output,
                               GError **error);
const char *nn_onnx_put_weight (NnOnnxWriter *w,
                                const NnNode *node,
                                NnRole role,
                                const guint *axes,
                                const NnShape *shape,
                                GError **error);

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

/* nn-save-onnx-shape.c */
NnOnnxWrite nn_onnx_write_shape;

/* nn-save-onnx-recurrent.c */
NnOnnxWrite nn_onnx_write_recurrent;

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
