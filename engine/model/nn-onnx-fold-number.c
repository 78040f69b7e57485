/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's arithmetic on constants. */

#include "nn-onnx.h"
#include "nn-onnx-fold.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Elements of a folded constant: shapes that are computed in a file are small, weights are cut, reshaped or turned. */
#define MAX_FOLDED (1u << 24)
/* Multiplications of a folded product of matrices. */
#define MAX_FOLDED_PRODUCTS (1u << 26)

void
nn_onnx_set_number (NnTensor *tensor,
                    gsize     i,
                    double    value)
{
  if (tensor->dtype == NN_DTYPE_F32)
    nn_tensor_f32 (tensor)[i] = (float) value;
  else
    ((gint64 *) tensor->data)[i] = nn_onnx_whole (value);
}

NnTensor *
nn_onnx_new_folded (NnDtype        dtype,
                    const NnShape *shape)
{
  gsize n;

  return nn_shape_size (shape, &n) && n <= MAX_FOLDED ? nn_tensor_try_new (dtype, shape, NULL) : NULL;
}

/* The shape that two constants have together. */
gboolean
nn_onnx_common_shape (const NnShape *a,
                      const NnShape *b,
                      NnShape       *shape)
{
  *shape = (NnShape){ .rank = MAX (a->rank, b->rank) };
  for (guint i = 0; i < shape->rank; i++)
    {
      gint64 x = i < a->rank ? a->dims[a->rank - 1 - i] : 1, y = i < b->rank ? b->dims[b->rank - 1 - i] : 1;

      if (x != y && x != 1 && y != 1)
        return FALSE;
      shape->dims[shape->rank - 1 - i] = x == 1 ? y : x;
    }
  return TRUE;
}

/* Where element @k of @shape stands in @tensor, which broadcasts to it. */
gsize
nn_onnx_broadcast_index (const NnTensor *tensor,
                         const NnShape  *shape,
                         gsize           k)
{
  gsize at = 0, stride = 1;

  for (guint i = 0; i < tensor->shape.rank; i++)
    {
      gsize extent = (gsize) shape->dims[shape->rank - 1 - i], own = (gsize) tensor->shape.dims[tensor->shape.rank - 1 - i];

      at += own > 1 ? k % extent * stride : 0;
      stride *= own;
      k /= extent;
    }
  return at;
}

typedef double Binary (double a,
                       double b);

static double add (double a, double b) { return a + b; }
static double subtract (double a, double b) { return a - b; }
static double multiply (double a, double b) { return a * b; }
static double divide (double a, double b) { return a / b; }
static double equal (double a, double b) { return a == b; }
static double greater (double a, double b) { return a > b; }
static double less (double a, double b) { return a < b; }
static double greater_equal (double a, double b) { return a >= b; }
static double less_equal (double a, double b) { return a <= b; }
static double both (double a, double b) { return a != 0 && b != 0; }
static double either (double a, double b) { return a != 0 || b != 0; }
static double larger (double a, double b) { return a > b ? a : b; }
static double smaller (double a, double b) { return a < b ? a : b; }
static double modulo (double a, double b) { return b != 0 ? a - b * floor (a / b) : 0; }
static double negate (double a) { return -a; }
static double reciprocal (double a) { return 1 / a; }
static double invert (double a) { return a == 0; }
static double sign (double a) { return (a > 0) - (a < 0); }
static double sigmoid (double a) { return 1 / (1 + exp (-a)); }
static double relu (double a) { return a > 0 ? a : 0; }

/* @logical: the result is a truth value. */
static const struct {
  const char *type;
  Binary     *function;
  gboolean    logical;
} pairs[] = {
  { "Add", add, FALSE },          { "Sub", subtract, FALSE },
  { "Mul", multiply, FALSE },     { "Div", divide, FALSE },
  { "Pow", pow, FALSE },          { "Mod", modulo, FALSE },
  { "Max", larger, FALSE },       { "Min", smaller, FALSE },
  { "Equal", equal, TRUE },       { "Greater", greater, TRUE },
  { "Less", less, TRUE },         { "GreaterOrEqual", greater_equal, TRUE },
  { "LessOrEqual", less_equal, TRUE }, { "And", both, TRUE },
  { "Or", either, TRUE },
};

static const struct {
  const char *type;
  double    (*function) (double a);
} singles[] = {
  { "Sqrt", sqrt },   { "Neg", negate },      { "Reciprocal", reciprocal }, { "Floor", floor }, { "Ceil", ceil },
  { "Round", rint },  { "Abs", fabs },        { "Exp", exp },               { "Log", log },     { "Not", invert },
  { "Sign", sign },   { "Sigmoid", sigmoid }, { "Tanh", tanh },             { "Relu", relu },   { "Erf", erf },
  { "Sin", sin },     { "Cos", cos },
};

static NnTensor *
fold_binary (Binary         *function,
             gboolean        logical,
             const NnTensor *a,
             const NnTensor *b)
{
  gboolean integral = a->dtype == NN_DTYPE_I64 && b->dtype == NN_DTYPE_I64;
  NnShape shape;
  NnTensor *result = nn_onnx_common_shape (&a->shape, &b->shape, &shape)
                       ? nn_onnx_new_folded (integral || logical ? NN_DTYPE_I64 : NN_DTYPE_F32, &shape) : NULL;

  for (gsize i = 0; result != NULL && i < result->n; i++)
    {
      double x = nn_tensor_get (a, nn_onnx_broadcast_index (a, &shape, i)), y = nn_tensor_get (b, nn_onnx_broadcast_index (b, &shape, i));

      if (integral && function == divide && y == 0)
        y = 1;
      nn_onnx_set_number (result, i, function (x, y));
    }
  return result;
}

static NnTensor *
fold_unary (double        (*function) (double a),
            const NnTensor *data)
{
  NnTensor *result = nn_onnx_new_folded (data->dtype, &data->shape);

  for (gsize i = 0; result != NULL && i < data->n; i++)
    nn_onnx_set_number (result, i, function (nn_tensor_get (data, i)));
  return result;
}

NnTensor *
nn_onnx_fold_elements (Onnx__NodeProto *op,
                       const NnTensor  *data,
                       const NnTensor  *b)
{
  for (guint i = 0; b != NULL && op->n_input == 2 && i < G_N_ELEMENTS (pairs); i++)
    if (g_str_equal (pairs[i].type, op->op_type))
      return fold_binary (pairs[i].function, pairs[i].logical, data, b);
  for (guint i = 0; i < G_N_ELEMENTS (singles); i++)
    if (g_str_equal (singles[i].type, op->op_type))
      return fold_unary (singles[i].function, data);
  return NULL;
}

NnTensor *
nn_onnx_fold_where (const NnTensor *condition,
                    const NnTensor *a,
                    const NnTensor *b)
{
  NnShape pair, shape;
  NnTensor *result;

  if (!nn_onnx_common_shape (&a->shape, &b->shape, &pair) || !nn_onnx_common_shape (&pair, &condition->shape, &shape))
    return NULL;
  result = nn_onnx_new_folded (a->dtype == NN_DTYPE_I64 && b->dtype == NN_DTYPE_I64 ? NN_DTYPE_I64 : NN_DTYPE_F32, &shape);
  for (gsize i = 0; result != NULL && i < result->n; i++)
    {
      const NnTensor *from = nn_tensor_get (condition, nn_onnx_broadcast_index (condition, &shape, i)) != 0 ? a : b;

      nn_onnx_set_number (result, i, nn_tensor_get (from, nn_onnx_broadcast_index (from, &shape, i)));
    }
  return result;
}

/* ReduceProd and its like. */
NnTensor *
nn_onnx_fold_reduce (NnOnnx          *onnx,
                     Onnx__NodeProto *op,
                     const NnTensor  *data)
{
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean mark[NN_MAX_RANK] = { FALSE }, keep = nn_onnx_int (op, "keepdims", 1) != 0, found, mean = strstr (op->op_type, "Mean") != NULL;
  Binary *function = strstr (op->op_type, "Prod") ? multiply : strstr (op->op_type, "Max") ? larger : strstr (op->op_type, "Min") ? smaller : add;
  NnShape kept = data->shape, shape = { 0 };
  g_autofree gboolean *seen = NULL;
  g_autoptr (NnTensor) result = NULL;

  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || data->n == 0)
    return NULL;
  for (guint i = 0; i < data->shape.rank; i++)
    mark[i] = axes->len == 0;
  for (guint i = 0; i < axes->len; i++)
    {
      guint axis;

      if (!nn_onnx_constant_axis (data, nn_onnx_whole (g_array_index (axes, double, i)), &axis))
        return NULL;
      mark[axis] = TRUE;
    }
  for (guint i = 0; i < data->shape.rank; i++)
    {
      kept.dims[i] = mark[i] ? 1 : kept.dims[i];
      if (keep || !mark[i])
        shape.dims[shape.rank++] = kept.dims[i];
    }
  result = nn_onnx_new_folded (data->dtype, &shape);
  if (result == NULL)
    return NULL;
  seen = g_new0 (gboolean, result->n + 1);
  for (gsize k = 0; k < data->n; k++)
    {
      gsize rest = k, at = 0, stride = 1;

      for (guint i = data->shape.rank; i > 0; i--)
        {
          at += mark[i - 1] ? 0 : rest % (gsize) data->shape.dims[i - 1] * stride;
          rest /= (gsize) data->shape.dims[i - 1];
          stride *= (gsize) kept.dims[i - 1];
        }
      nn_onnx_set_number (result, at, seen[at] ? function (nn_tensor_get (result, at), nn_tensor_get (data, k)) : nn_tensor_get (data, k));
      seen[at] = TRUE;
    }
  for (gsize k = 0; mean && k < result->n; k++)
    nn_onnx_set_number (result, k, nn_tensor_get (result, k) * (double) result->n / (double) data->n);
  return g_steal_pointer (&result);
}

/* The product of two matrices, and a constant: a first state times its weights. */
NnTensor *
nn_onnx_fold_product (Onnx__NodeProto *op,
                      const NnTensor  *a,
                      const NnTensor  *b,
                      const NnTensor  *c)
{
  gboolean gemm = op->op_type[0] == 'G', turn_a = gemm && nn_onnx_int (op, "transA", 0), turn_b = gemm && nn_onnx_int (op, "transB", 0);
  double alpha = gemm ? nn_onnx_float (op, "alpha", 1) : 1, beta = gemm ? nn_onnx_float (op, "beta", 1) : 1;
  gsize rows, inner, columns;
  NnTensor *result;
  NnShape shape = a->shape, both;

  if (a->shape.rank < 2 || b->shape.rank != 2 || (gemm && a->shape.rank != 2) || a->n == 0)
    return NULL;
  inner = (gsize) a->shape.dims[turn_a ? 0 : a->shape.rank - 1];
  rows = a->n / inner;
  columns = (gsize) b->shape.dims[!turn_b];
  if ((gsize) b->shape.dims[turn_b] != inner || (double) rows * inner * columns > MAX_FOLDED_PRODUCTS)
    return NULL;
  if (turn_a)
    shape.dims[0] = (gint64) rows;
  shape.dims[shape.rank - 1] = (gint64) columns;
  if (c != NULL && c->n > 0 && (!nn_onnx_common_shape (&shape, &c->shape, &both) || !nn_shape_equal (&shape, &both)))
    return NULL;
  result = nn_onnx_new_folded (NN_DTYPE_F32, &shape);
  for (gsize k = 0; result != NULL && k < result->n; k++)
    {
      gsize i = k / columns, j = k % columns;
      double sum = 0;

      for (gsize l = 0; l < inner; l++)
        sum += nn_tensor_get (a, turn_a ? l * rows + i : i * inner + l) * nn_tensor_get (b, turn_b ? j * inner + l : l * columns + j);
      nn_onnx_set_number (result, k, alpha * sum + (c != NULL && c->n > 0 ? beta * nn_tensor_get (c, nn_onnx_broadcast_index (c, &result->shape, k)) : 0));
    }
  return result;
}

NnTensor *
nn_onnx_fold_cast (const NnTensor *data,
                   gint64          to)
{
  gboolean truth = to == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
  NnTensor *result = nn_tensor_new (nn_onnx_type_is_integer ((int) to) ? NN_DTYPE_I64 : NN_DTYPE_F32, &data->shape);

  for (gsize i = 0; i < data->n; i++)
    nn_onnx_set_number (result, i, truth ? nn_tensor_get (data, i) != 0 : nn_tensor_get (data, i));
  return result;
}
