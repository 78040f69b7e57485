/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators on constants: what the parts of the folding share. Internal to the room. Each nn_onnx_fold_…() returns
 * (transfer full) (nullable): %NULL where the operator cannot be folded. */

#pragma once

#include "nn-onnx.h"

G_BEGIN_DECLS

/* nn-onnx-fold-number.c */
void      nn_onnx_set_number      (NnTensor        *tensor,
                                   gsize            i,
                                   double           value);
NnTensor *nn_onnx_new_folded      (NnDtype          dtype,
                                   const NnShape   *shape);
gboolean  nn_onnx_common_shape    (const NnShape   *a,
                                   const NnShape   *b,
                                   NnShape         *shape);
gsize     nn_onnx_broadcast_index (const NnTensor  *tensor,
                                   const NnShape   *shape,
                                   gsize            k);
/* Element by element of one tensor, or with @b (nullable). */
NnTensor *nn_onnx_fold_elements   (Onnx__NodeProto *op,
                                   const NnTensor  *data,
                                   const NnTensor  *b);
NnTensor *nn_onnx_fold_where      (const NnTensor  *condition,
                                   const NnTensor  *a,
                                   const NnTensor  *b);
NnTensor *nn_onnx_fold_reduce     (NnOnnx          *onnx,
                                   Onnx__NodeProto *op,
                                   const NnTensor  *data);
NnTensor *nn_onnx_fold_product    (Onnx__NodeProto *op,
                                   const NnTensor  *a,
                                   const NnTensor  *b,
                                   const NnTensor  *c);
NnTensor *nn_onnx_fold_cast       (const NnTensor  *data,
                                   gint64           to);

/* nn-onnx-fold-shape.c */
gboolean  nn_onnx_constant_axis   (const NnTensor  *data,
                                   gint64           axis,
                                   guint           *resolved);
/* Every @step-th from @begin on, @n of them. */
NnTensor *nn_onnx_part_along      (const NnTensor  *data,
                                   guint            axis,
                                   gint64           begin,
                                   gint64           step,
                                   gint64           n);
NnTensor *nn_onnx_fold_filled     (NnOnnx          *onnx,
                                   Onnx__NodeProto *op,
                                   const NnTensor  *extents);
NnTensor *nn_onnx_fold_expand     (const NnTensor  *data,
                                   const NnTensor  *extents);
NnTensor *nn_onnx_fold_range      (const NnTensor  *first,
                                   const NnTensor  *limit,
                                   const NnTensor  *step);
NnTensor *nn_onnx_fold_concat     (NnOnnx          *onnx,
                                   Onnx__NodeProto *op);
NnTensor *nn_onnx_fold_gather     (const NnTensor  *data,
                                   const NnTensor  *places,
                                   gint64           along);
NnTensor *nn_onnx_fold_slice      (NnOnnx          *onnx,
                                   Onnx__NodeProto *op,
                                   const NnTensor  *data);
NnTensor *nn_onnx_fold_reshape    (const NnTensor  *data,
                                   const NnTensor  *target);
NnTensor *nn_onnx_fold_axes       (NnOnnx          *onnx,
                                   Onnx__NodeProto *op,
                                   const NnTensor  *data,
                                   gboolean         add);

G_END_DECLS
