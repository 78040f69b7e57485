/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A dense array of numbers: shared by reference, not changed once it has been handed on. */

#pragma once

#include "nn-shape.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum {
  NN_DTYPE_F32,
  NN_DTYPE_F64,
  NN_DTYPE_I64,
  NN_DTYPE_I32,
  NN_DTYPE_U8,
} NnDtype;

/**
 * NnTensor:
 * @shape: the whole shape, batch axis included where there is one
 * @dtype: element type
 * @n: number of elements
 * @data: elements in row-major order, aligned to 64 bytes
 *
 * Reference counted, atomically. Whoever made a tensor may write it until it is shared; after that it is constant.
 */
typedef struct _NnTensor NnTensor;
struct _NnTensor {
  NnShape  shape;
  NnDtype  dtype;
  gsize    n;
  gpointer data;
};

#define NN_TYPE_TENSOR (nn_tensor_get_type ())
GType nn_tensor_get_type (void);

NnTensor     *nn_tensor_new       (NnDtype          dtype,
                                   const NnShape   *shape);
NnTensor     *nn_tensor_try_new   (NnDtype          dtype,
                                   const NnShape   *shape,
                                   GError         **error);
NnTensor     *nn_tensor_try_new_mapped (NnDtype     dtype,
                                   const NnShape   *shape,
                                   GError         **error);
NnTensor     *nn_tensor_try_map   (int              fd,
                                   guint64          offset,
                                   NnDtype          dtype,
                                   const NnShape   *shape);
void          nn_tensor_release   (const NnTensor  *tensor,
                                   gsize            first,
                                   gsize            n);
NnTensor     *nn_tensor_ref       (NnTensor        *tensor);
void          nn_tensor_unref     (NnTensor        *tensor);
NnTensor     *nn_tensor_copy      (const NnTensor  *tensor);
NnTensor     *nn_tensor_convert   (const NnTensor  *tensor,
                                   NnDtype          dtype);
NnTensor     *nn_tensor_rows      (const NnTensor  *tensor,
                                   gsize            first,
                                   gsize            count);
NnTensor     *nn_tensor_transpose (const NnTensor  *tensor,
                                   const guint     *axes);
double        nn_tensor_get       (const NnTensor  *tensor,
                                   gsize            i);
gsize         nn_tensor_row_size  (const NnTensor  *tensor);
gsize         nn_dtype_size       (NnDtype          dtype);
const char   *nn_dtype_name       (NnDtype          dtype);
double        nn_half_value       (guint16          bits);

static inline float *
nn_tensor_f32 (const NnTensor *tensor)
{
  g_assert (tensor->dtype == NN_DTYPE_F32);
  return tensor->data;
}

static inline double *
nn_tensor_f64 (const NnTensor *tensor)
{
  g_assert (tensor->dtype == NN_DTYPE_F64);
  return tensor->data;
}

static inline guint8 *
nn_tensor_u8 (const NnTensor *tensor)
{
  g_assert (tensor->dtype == NN_DTYPE_U8);
  return tensor->data;
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnTensor, nn_tensor_unref)

G_END_DECLS
