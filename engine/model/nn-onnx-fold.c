/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators on constants: what exporters compute shapes with, and weights that are cut or turned. */

#include "nn-onnx.h"
#include "nn-onnx-fold.h"

#include "onnx.pb-c.h"

#include <string.h>

/* Elements of all that is folded in one file: a small file may not ask for more work than a network of its size is. */
#define MAX_ALL (1u << 26)

/* The operators with more than one or two inputs, and those that read lists. @b, @c: (nullable) */
static NnTensor *
fold_other (NnOnnx          *onnx,
            Onnx__NodeProto *op,
            const NnTensor  *data,
            const NnTensor  *b,
            const NnTensor  *c)
{
  const char *type = op->op_type;

  if (g_str_equal (type, "Concat"))
    return nn_onnx_fold_concat (onnx, op);
  if (g_str_equal (type, "Gather") && b != NULL)
    return nn_onnx_fold_gather (data, b, nn_onnx_int (op, "axis", 0));
  if (g_str_equal (type, "Reshape") && b != NULL)
    return nn_onnx_fold_reshape (data, b);
  if (g_str_equal (type, "Unsqueeze") || g_str_equal (type, "Squeeze"))
    return nn_onnx_fold_axes (onnx, op, data, type[0] == 'U');
  if (g_str_equal (type, "Cast"))
    return nn_onnx_fold_cast (data, nn_onnx_int (op, "to", 1));
  if (g_str_equal (type, "Slice"))
    return nn_onnx_fold_slice (onnx, op, data);
  if (g_str_equal (type, "Where") && b != NULL && c != NULL)
    return nn_onnx_fold_where (data, b, c);
  if (g_str_equal (type, "ConstantOfShape"))
    return nn_onnx_fold_filled (onnx, op, data);
  if (g_str_equal (type, "Expand") && b != NULL)
    return nn_onnx_fold_expand (data, b);
  if (g_str_equal (type, "Range") && b != NULL && c != NULL && data->n == 1 && b->n == 1 && c->n == 1)
    return nn_onnx_fold_range (data, b, c);
  if (g_str_has_prefix (type, "ReduceProd") || g_str_has_prefix (type, "ReduceSum") || g_str_has_prefix (type, "ReduceM"))
    return g_str_equal (type, "ReduceSumSquare") ? NULL : nn_onnx_fold_reduce (onnx, op, data);
  if ((g_str_equal (type, "MatMul") || g_str_equal (type, "Gemm")) && b != NULL)
    return nn_onnx_fold_product (op, data, b, c);
  return NULL;
}

static const NnTensor *
constant_of (NnOnnx          *onnx,
             Onnx__NodeProto *op,
             guint            i)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

  return value != NULL ? value->constant : NULL;
}

static NnTensor *
fold (NnOnnx          *onnx,
      Onnx__NodeProto *op)
{
  g_autoptr (NnTensor) a = nn_onnx_baked (nn_onnx_input (onnx, op, 0));
  const NnTensor *raw = constant_of (onnx, op, 0), *b = constant_of (onnx, op, 1), *c = constant_of (onnx, op, 2);
  const NnTensor *data = raw->dtype == NN_DTYPE_I64 ? raw : a;
  NnTensor *result = nn_onnx_fold_elements (op, data, b);

  return result != NULL ? result : fold_other (onnx, op, data, b, c);
}

/* A constant cut into several. */
static gboolean
fold_split (NnOnnx          *onnx,
            Onnx__NodeProto *op)
{
  g_autoptr (NnTensor) data = nn_onnx_baked (nn_onnx_input (onnx, op, 0));
  g_autoptr (GArray) sizes = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 at = 0, each;
  gboolean found;
  guint axis;

  if (!nn_onnx_constant_axis (data, nn_onnx_int (op, "axis", 0), &axis) || !nn_onnx_numbers (onnx, op, "split", 1, sizes, &found) ||
      (found && sizes->len != op->n_output) || op->n_output == 0)
    return FALSE;
  each = (data->shape.dims[axis] + (gint64) op->n_output - 1) / (gint64) op->n_output;
  for (guint i = 0; i < op->n_output; i++)
    {
      gint64 n = found ? nn_onnx_whole (g_array_index (sizes, double, i)) : MIN (each, data->shape.dims[axis] - at);
      NnTensor *part = n >= 0 && n <= data->shape.dims[axis] - at ? nn_onnx_part_along (data, axis, at, 1, n) : NULL;

      if (part == NULL)
        return FALSE;
      nn_onnx_constant (onnx, op->output[i], part);
      at += n;
    }
  return TRUE;
}

/* A transpose keeps a constant's quantiser. */
static gboolean
fold_transpose (NnOnnx          *onnx,
                Onnx__NodeProto *op)
{
  NnOnnxValue *value = nn_onnx_input (onnx, op, 0), *result;
  guint rank = value->constant->shape.rank, axes[NN_MAX_RANK], seen = 0;
  const gint64 *perm;
  gsize n;

  perm = nn_onnx_ints (op, "perm", &n);
  if (perm != NULL && n != rank)
    return FALSE;
  for (guint i = 0; i < rank; i++)
    {
      axes[i] = perm != NULL && perm[i] >= 0 && perm[i] < rank ? (guint) perm[i] : rank - 1 - i;
      seen |= 1u << axes[i];
    }
  if (seen != (1u << rank) - 1)
    return FALSE;
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), nn_tensor_transpose (value->constant, axes));
  result = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
  if (value->quant != NULL)
    result->quant = nn_onnx_quant_copy (value->quant, axes, rank);
  return TRUE;
}

/* Numbers that a Constant holds as attributes; without an axis where it is one. */
static NnTensor *
told_numbers (const Onnx__AttributeProto *a)
{
  gboolean whole = strstr (a->name, "int") != NULL, one = !g_str_has_suffix (a->name, "s");
  gsize n = one ? 1 : whole ? a->n_ints : a->n_floats;
  NnTensor *result = nn_tensor_new (whole ? NN_DTYPE_I64 : NN_DTYPE_F32, one ? &(NnShape){ 0 } : &NN_SHAPE ((gint64) n));

  for (gsize i = 0; i < n; i++)
    if (whole)
      ((gint64 *) result->data)[i] = one ? a->i : a->ints[i];
    else
      nn_tensor_f32 (result)[i] = one ? a->f : a->floats[i];
  return result;
}

/* Text is no number: the operator stays without a reader, and what reads it tells so. */
static gboolean
fold_constant (NnOnnx           *onnx,
               Onnx__NodeProto  *op,
               gboolean         *done,
               GError          **error)
{
  static const char *const names[] = { "value_float", "value_floats", "value_int", "value_ints" };
  Onnx__AttributeProto *value = nn_onnx_attribute (op, "value"), *sparse = nn_onnx_attribute (op, "sparse_value"), *a = NULL;
  NnTensor *result;

  for (guint i = 0; a == NULL && i < G_N_ELEMENTS (names); i++)
    a = nn_onnx_attribute (op, names[i]);
  if (value != NULL && value->t != NULL)
    {
      if (value->t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__STRING)
        return TRUE;
      result = nn_onnx_tensor (onnx, value->t, error);
    }
  else if (sparse != NULL && sparse->sparse_tensor != NULL)
    result = nn_onnx_sparse_tensor (onnx, sparse->sparse_tensor, error);
  else if (a != NULL)
    result = told_numbers (a);
  else
    return TRUE;
  if (result == NULL)
    return FALSE;
  nn_onnx_constant (onnx, nn_onnx_out (op, 0), result);
  if (value != NULL && value->t != NULL)
    ((NnOnnxValue *) g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0)))->type = value->t->data_type;
  *done = TRUE;
  return TRUE;
}

/* A number as the type of data: both are reals for us. */
static gboolean
fold_cast_like (NnOnnx          *onnx,
                Onnx__NodeProto *op)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, 0), *like = nn_onnx_input (onnx, op, 1);
  gboolean whole;

  if (value == NULL || like == NULL || value->constant == NULL)
    return FALSE;
  whole = like->constant != NULL && like->constant->dtype == NN_DTYPE_I64;
  nn_onnx_constant (onnx, nn_onnx_out (op, 0),
                    nn_onnx_fold_cast (value->constant, whole ? ONNX__TENSOR_PROTO__DATA_TYPE__INT64 : ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT));
  return TRUE;
}

/**
 * nn_onnx_fold:
 * @done: (out): whether the operator's output is a constant now
 *
 * Computes what depends on constants alone: shapes, mostly.
 */
gboolean
nn_onnx_fold (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              gboolean         *done,
              GError          **error)
{
  NnTensor *result;

  *done = FALSE;
  if (g_str_equal (op->op_type, "Constant"))
    return fold_constant (onnx, op, done, error);
  if (op->n_input == 0 || op->input[0][0] == '\0')
    return TRUE;
  if (g_str_equal (op->op_type, "CastLike"))
    {
      *done = fold_cast_like (onnx, op);
      return TRUE;
    }
  if (!nn_onnx_is_standard (op))
    return TRUE;
  for (guint i = 0; i < op->n_input; i++)
    if (op->input[i][0] != '\0' && (nn_onnx_input (onnx, op, i) == NULL || nn_onnx_input (onnx, op, i)->constant == NULL))
      return TRUE;
  if (g_str_equal (op->op_type, "Identity"))
    {
      NnOnnxValue *from = nn_onnx_input (onnx, op, 0), *to;

      nn_onnx_constant (onnx, nn_onnx_out (op, 0), nn_tensor_ref (from->constant));
      to = g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0));
      to->quant = from->quant != NULL ? nn_onnx_quant_copy (from->quant, NULL, 0) : NULL;
      *done = TRUE;
      return TRUE;
    }
  if (g_str_equal (op->op_type, "Split"))
    {
      *done = fold_split (onnx, op);
      return TRUE;
    }
  if (g_str_equal (op->op_type, "Transpose"))
    {
      *done = fold_transpose (onnx, op);
      return TRUE;
    }
  result = onnx->n_folded <= MAX_ALL ? fold (onnx, op) : NULL;
  if (result != NULL)
    {
      onnx->n_folded += result->n;
      nn_onnx_constant (onnx, nn_onnx_out (op, 0), result);
      *done = TRUE;
    }
  return TRUE;
}
