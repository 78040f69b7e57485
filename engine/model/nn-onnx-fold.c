/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators on constants: what exporters compute shapes with, and weights that are cut or turned. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Elements of a folded constant: shapes that are computed in a file are small, weights are cut, reshaped or turned. */
#define MAX_FOLDED (1u << 24)
/* Elements of a constant that is made of nothing but its extents: first states, masks. */
#define MAX_MADE (1u << 20)
/* Elements of all that is folded in one file: a small file may not ask for more work than a network of its size is. */
#define MAX_ALL (1u << 26)
/* Multiplications of a folded product of matrices. */
#define MAX_FOLDED_PRODUCTS (1u << 26)

static void
set_number (NnTensor *tensor,
            gsize     i,
            double    value)
{
  if (tensor->dtype == NN_DTYPE_F32)
    nn_tensor_f32 (tensor)[i] = (float) value;
  else
    ((gint64 *) tensor->data)[i] = nn_onnx_whole (value);
}

static NnTensor *
new_folded (NnDtype        dtype,
            const NnShape *shape)
{
  gsize n;

  return nn_shape_size (shape, &n) && n <= MAX_FOLDED ? nn_tensor_try_new (dtype, shape, NULL) : NULL;
}

/* The shape that two constants have together. */
static gboolean
common_shape (const NnShape *a,
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
static gsize
broadcast_index (const NnTensor *tensor,
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
  NnTensor *result = common_shape (&a->shape, &b->shape, &shape)
                       ? new_folded (integral || logical ? NN_DTYPE_I64 : NN_DTYPE_F32, &shape) : NULL;

  for (gsize i = 0; result != NULL && i < result->n; i++)
    {
      double x = nn_tensor_get (a, broadcast_index (a, &shape, i)), y = nn_tensor_get (b, broadcast_index (b, &shape, i));

      if (integral && function == divide && y == 0)
        y = 1;
      set_number (result, i, function (x, y));
    }
  return result;
}

static NnTensor *
fold_unary (double        (*function) (double a),
            const NnTensor *data)
{
  NnTensor *result = new_folded (data->dtype, &data->shape);

  for (gsize i = 0; result != NULL && i < data->n; i++)
    set_number (result, i, function (nn_tensor_get (data, i)));
  return result;
}

static NnTensor *
fold_where (const NnTensor *condition,
            const NnTensor *a,
            const NnTensor *b)
{
  NnShape pair, shape;
  NnTensor *result;

  if (!common_shape (&a->shape, &b->shape, &pair) || !common_shape (&pair, &condition->shape, &shape))
    return NULL;
  result = new_folded (a->dtype == NN_DTYPE_I64 && b->dtype == NN_DTYPE_I64 ? NN_DTYPE_I64 : NN_DTYPE_F32, &shape);
  for (gsize i = 0; result != NULL && i < result->n; i++)
    {
      const NnTensor *from = nn_tensor_get (condition, broadcast_index (condition, &shape, i)) != 0 ? a : b;

      set_number (result, i, nn_tensor_get (from, broadcast_index (from, &shape, i)));
    }
  return result;
}

/* A list of extents; the batch's counts as one, for what is made of it is broadcast. */
static gboolean
read_extents (const NnTensor *list,
              NnShape        *shape)
{
  gsize n;

  *shape = (NnShape){ 0 };
  if (list->n > NN_MAX_RANK || list->shape.rank > 1)
    return FALSE;
  for (gsize i = 0; i < list->n; i++)
    {
      gint64 d = nn_onnx_whole (nn_tensor_get (list, i));

      if (d > 0 && d % NN_ONNX_BATCH == 0)
        d /= NN_ONNX_BATCH;
      if (d < 0 || d > G_MAXINT32)
        return FALSE;
      shape->dims[shape->rank++] = d;
    }
  return nn_shape_size (shape, &n) && n <= MAX_MADE;
}

static NnTensor *
fold_filled (NnOnnx          *onnx,
             Onnx__NodeProto *op,
             const NnTensor  *extents)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, "value");
  g_autoptr (NnTensor) value = a != NULL && a->t != NULL ? nn_onnx_tensor (onnx, a->t, NULL) : NULL;
  NnShape shape;
  NnTensor *result = read_extents (extents, &shape) ? new_folded (value != NULL ? value->dtype : NN_DTYPE_F32, &shape) : NULL;

  for (gsize i = 0; result != NULL && i < result->n; i++)
    set_number (result, i, value != NULL && value->n > 0 ? nn_tensor_get (value, 0) : 0);
  return result;
}

static NnTensor *
fold_expand (const NnTensor *data,
             const NnTensor *extents)
{
  NnShape wanted, shape;
  NnTensor *result;

  if (!read_extents (extents, &wanted) || !common_shape (&data->shape, &wanted, &shape))
    return NULL;
  result = new_folded (data->dtype, &shape);
  for (gsize i = 0; result != NULL && i < result->n; i++)
    set_number (result, i, nn_tensor_get (data, broadcast_index (data, &shape, i)));
  return result;
}

static NnTensor *
fold_range (const NnTensor *first,
            const NnTensor *limit,
            const NnTensor *step)
{
  double from = nn_tensor_get (first, 0), by = nn_tensor_get (step, 0), n = ceil ((nn_tensor_get (limit, 0) - from) / by);
  NnTensor *result;

  if (!(n >= 0 && n <= MAX_MADE))
    return NULL;
  result = nn_tensor_new (first->dtype, &NN_SHAPE ((gint64) n));
  for (gsize i = 0; i < result->n; i++)
    set_number (result, i, from + by * (double) i);
  return result;
}

/* The sizes of a tensor around an axis. */
static void
around (const NnShape *shape,
        guint          axis,
        gsize         *outer,
        gsize         *inner)
{
  *outer = *inner = 1;
  for (guint i = 0; i < shape->rank; i++)
    if (i < axis)
      *outer *= (gsize) shape->dims[i];
    else if (i > axis)
      *inner *= (gsize) shape->dims[i];
}

static gboolean
constant_axis (const NnTensor *data,
               gint64          axis,
               guint          *resolved)
{
  axis += axis < 0 ? (gint64) data->shape.rank : 0;
  *resolved = (guint) axis;
  return axis >= 0 && axis < (gint64) data->shape.rank;
}

static NnTensor *
fold_concat (NnOnnx          *onnx,
             Onnx__NodeProto *op)
{
  const NnTensor *first = nn_onnx_input (onnx, op, 0)->constant;
  gsize outer, inner, at = 0;
  NnDtype dtype = NN_DTYPE_I64;
  NnShape shape = first->shape;
  NnTensor *result;
  guint axis;

  if (!constant_axis (first, nn_onnx_int (op, "axis", 0), &axis))
    return NULL;
  shape.dims[axis] = 0;
  for (guint i = 0; i < op->n_input; i++)
    {
      const NnOnnxValue *part = nn_onnx_input (onnx, op, i);
      NnShape other;

      if (part == NULL)
        return NULL;
      other = part->constant->shape;
      if (other.rank != shape.rank)
        return NULL;
      shape.dims[axis] += other.dims[axis];
      other.dims[axis] = first->shape.dims[axis];
      if (!nn_shape_equal (&other, &first->shape))
        return NULL;
      dtype = part->constant->dtype == NN_DTYPE_F32 ? NN_DTYPE_F32 : dtype;
    }
  around (&shape, axis, &outer, &inner);
  result = new_folded (dtype, &shape);
  for (guint i = 0; result != NULL && i < op->n_input; i++)
    {
      const NnTensor *part = nn_onnx_input (onnx, op, i)->constant;
      gsize piece = (gsize) part->shape.dims[axis] * inner, row = (gsize) shape.dims[axis] * inner;

      for (gsize k = 0; k < part->n; k++)
        set_number (result, k / piece * row + at + k % piece, nn_tensor_get (part, k));
      at += piece;
    }
  return result;
}

static NnTensor *
fold_gather (const NnTensor *data,
             const NnTensor *places,
             gint64          along)
{
  NnShape shape = { 0 };
  gsize outer, inner, extent;
  NnTensor *result;
  guint axis;

  if (!constant_axis (data, along, &axis) || data->shape.rank + places->shape.rank > NN_MAX_RANK + 1)
    return NULL;
  for (guint i = 0; i < axis; i++)
    shape.dims[shape.rank++] = data->shape.dims[i];
  for (guint i = 0; i < places->shape.rank; i++)
    shape.dims[shape.rank++] = places->shape.dims[i];
  for (guint i = axis + 1; i < data->shape.rank; i++)
    shape.dims[shape.rank++] = data->shape.dims[i];
  around (&data->shape, axis, &outer, &inner);
  extent = (gsize) data->shape.dims[axis];
  for (gsize i = 0; i < places->n; i++)
    if (nn_tensor_get (places, i) < -(double) extent || nn_tensor_get (places, i) >= (double) extent)
      return NULL;
  result = new_folded (data->dtype, &shape);
  for (gsize o = 0; result != NULL && o < outer; o++)
    for (gsize i = 0; i < places->n; i++)
      for (gsize k = 0; k < inner; k++)
        {
          gint64 place = nn_onnx_whole (nn_tensor_get (places, i));

          place += place < 0 ? (gint64) extent : 0;
          set_number (result, (o * places->n + i) * inner + k, nn_tensor_get (data, (o * extent + (gsize) place) * inner + k));
        }
  return result;
}

/* Every @step-th from @begin on, @n of them. */
static NnTensor *
part_along (const NnTensor *data,
            guint           axis,
            gint64          begin,
            gint64          step,
            gint64          n)
{
  NnShape shape = data->shape;
  gsize outer, inner, extent = (gsize) shape.dims[axis];
  NnTensor *result;

  shape.dims[axis] = n;
  around (&shape, axis, &outer, &inner);
  result = new_folded (data->dtype, &shape);
  for (gsize o = 0; result != NULL && o < outer; o++)
    for (gint64 i = 0; i < n; i++)
      for (gsize k = 0; k < inner; k++)
        set_number (result, (o * (gsize) n + (gsize) i) * inner + k,
                    nn_tensor_get (data, (o * extent + (gsize) (begin + i * step)) * inner + k));
  return result;
}

static NnTensor *
fold_slice (NnOnnx          *onnx,
            Onnx__NodeProto *op,
            const NnTensor  *data)
{
  static const char *const names[] = { "starts", "ends", "axes", "steps" };
  g_autoptr (GArray) starts = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (double));
  GArray *lists[] = { starts, ends, axes, steps };
  NnTensor *result = nn_tensor_ref ((NnTensor *) data);
  gboolean found;

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (!nn_onnx_numbers (onnx, op, names[i], i + 1, lists[i], &found))
      g_clear_pointer (&result, nn_tensor_unref);
  if (starts->len != ends->len || (axes->len > 0 && axes->len != starts->len) || (steps->len > 0 && steps->len != starts->len))
    g_clear_pointer (&result, nn_tensor_unref);
  for (guint i = 0; result != NULL && i < starts->len; i++)
    {
      g_autoptr (NnTensor) whole = result;
      double step = steps->len > 0 ? g_array_index (steps, double, i) : 1, extent, begin, end;
      guint axis;

      result = NULL;
      if (step == 0 || !constant_axis (whole, axes->len > 0 ? nn_onnx_whole (g_array_index (axes, double, i)) : (gint64) i, &axis))
        return NULL;
      extent = (double) whole->shape.dims[axis];
      begin = g_array_index (starts, double, i);
      end = g_array_index (ends, double, i);
      begin = step > 0 ? CLAMP (begin < 0 ? begin + extent : begin, 0, extent) : CLAMP (begin < 0 ? begin + extent : begin, -1, extent - 1);
      end = step > 0 ? CLAMP (end < 0 ? end + extent : end, 0, extent) : CLAMP (end < 0 ? end + extent : end, -1, extent - 1);
      result = part_along (whole, axis, (gint64) begin, (gint64) step, (gint64) MAX (ceil ((end - begin) / step), 0));
    }
  return result;
}

/* ReduceProd and its like. */
static NnTensor *
fold_reduce (NnOnnx          *onnx,
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

      if (!constant_axis (data, nn_onnx_whole (g_array_index (axes, double, i)), &axis))
        return NULL;
      mark[axis] = TRUE;
    }
  for (guint i = 0; i < data->shape.rank; i++)
    {
      kept.dims[i] = mark[i] ? 1 : kept.dims[i];
      if (keep || !mark[i])
        shape.dims[shape.rank++] = kept.dims[i];
    }
  result = new_folded (data->dtype, &shape);
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
      set_number (result, at, seen[at] ? function (nn_tensor_get (result, at), nn_tensor_get (data, k)) : nn_tensor_get (data, k));
      seen[at] = TRUE;
    }
  for (gsize k = 0; mean && k < result->n; k++)
    set_number (result, k, nn_tensor_get (result, k) * (double) result->n / (double) data->n);
  return g_steal_pointer (&result);
}

/* The product of two matrices, and a constant: a first state times its weights. */
static NnTensor *
fold_product (Onnx__NodeProto *op,
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
  if (c != NULL && c->n > 0 && (!common_shape (&shape, &c->shape, &both) || !nn_shape_equal (&shape, &both)))
    return NULL;
  result = new_folded (NN_DTYPE_F32, &shape);
  for (gsize k = 0; result != NULL && k < result->n; k++)
    {
      gsize i = k / columns, j = k % columns;
      double sum = 0;

      for (gsize l = 0; l < inner; l++)
        sum += nn_tensor_get (a, turn_a ? l * rows + i : i * inner + l) * nn_tensor_get (b, turn_b ? j * inner + l : l * columns + j);
      set_number (result, k, alpha * sum + (c != NULL && c->n > 0 ? beta * nn_tensor_get (c, broadcast_index (c, &result->shape, k)) : 0));
    }
  return result;
}

static NnTensor *
with_shape (const NnTensor *tensor,
            const NnShape  *shape)
{
  NnTensor *result;
  gsize n;

  if (!nn_shape_size (shape, &n) || n != tensor->n)
    return NULL;
  result = nn_tensor_new (tensor->dtype, shape);
  memcpy (result->data, tensor->data, n * nn_dtype_size (tensor->dtype));
  return result;
}

static NnTensor *
fold_reshape (const NnTensor *data,
              const NnTensor *target)
{
  NnShape shape = { 0 };
  gsize known = 1;
  int open = -1;

  if (target->n > NN_MAX_RANK)
    return NULL;
  for (gsize i = 0; i < target->n; i++)
    {
      gint64 d = nn_onnx_whole (nn_tensor_get (target, i));

      if (d == 0 && i < data->shape.rank)
        d = data->shape.dims[i];
      if (d > 0 && d % NN_ONNX_BATCH == 0)
        d /= NN_ONNX_BATCH;
      if (d < -1 || d > G_MAXINT32 || (d == -1 && open >= 0))
        return NULL;
      if (d == -1)
        open = (int) i;
      else
        known *= (gsize) d;
      shape.dims[shape.rank++] = d;
    }
  if (open >= 0)
    {
      if (known == 0 || data->n % known != 0)
        return NULL;
      shape.dims[open] = (gint64) (data->n / known);
    }
  return with_shape (data, &shape);
}

static NnTensor *
fold_axes (NnOnnx          *onnx,
           Onnx__NodeProto *op,
           const NnTensor  *data,
           gboolean         add)
{
  g_autoptr (GArray) axes = g_array_new (FALSE, FALSE, sizeof (double));
  gboolean found, mark[NN_MAX_RANK] = { FALSE };
  NnShape shape = { 0 };
  guint rank, at = 0;

  if (!nn_onnx_numbers (onnx, op, "axes", 1, axes, &found) || axes->len > NN_MAX_RANK)
    return NULL;
  rank = add ? data->shape.rank + axes->len : data->shape.rank;
  if (rank > NN_MAX_RANK || (add && !found))
    return NULL;
  for (guint i = 0; i < axes->len; i++)
    {
      double a = g_array_index (axes, double, i);

      a += a < 0 ? rank : 0;
      if (a < 0 || a >= rank)
        return NULL;
      mark[(guint) a] = TRUE;
    }
  for (guint i = 0; i < rank; i++)
    if (add)
      shape.dims[shape.rank++] = mark[i] || at >= data->shape.rank ? 1 : data->shape.dims[at++];
    else if (found ? !mark[i] : data->shape.dims[i] != 1)
      shape.dims[shape.rank++] = data->shape.dims[i];
  return with_shape (data, &shape);
}

static NnTensor *
fold_cast (const NnTensor *data,
           gint64          to)
{
  gboolean truth = to == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
  NnTensor *result = nn_tensor_new (nn_onnx_type_is_integer ((int) to) ? NN_DTYPE_I64 : NN_DTYPE_F32, &data->shape);

  for (gsize i = 0; i < data->n; i++)
    set_number (result, i, truth ? nn_tensor_get (data, i) != 0 : nn_tensor_get (data, i));
  return result;
}

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
    return fold_concat (onnx, op);
  if (g_str_equal (type, "Gather") && b != NULL)
    return fold_gather (data, b, nn_onnx_int (op, "axis", 0));
  if (g_str_equal (type, "Reshape") && b != NULL)
    return fold_reshape (data, b);
  if (g_str_equal (type, "Unsqueeze") || g_str_equal (type, "Squeeze"))
    return fold_axes (onnx, op, data, type[0] == 'U');
  if (g_str_equal (type, "Cast"))
    return fold_cast (data, nn_onnx_int (op, "to", 1));
  if (g_str_equal (type, "Slice"))
    return fold_slice (onnx, op, data);
  if (g_str_equal (type, "Where") && c != NULL)
    return fold_where (data, b, c);
  if (g_str_equal (type, "ConstantOfShape"))
    return fold_filled (onnx, op, data);
  if (g_str_equal (type, "Expand") && b != NULL)
    return fold_expand (data, b);
  if (g_str_equal (type, "Range") && c != NULL && data->n == 1 && b->n == 1 && c->n == 1)
    return fold_range (data, b, c);
  if (g_str_has_prefix (type, "ReduceProd") || g_str_has_prefix (type, "ReduceSum") || g_str_has_prefix (type, "ReduceM"))
    return g_str_equal (type, "ReduceSumSquare") ? NULL : fold_reduce (onnx, op, data);
  if ((g_str_equal (type, "MatMul") || g_str_equal (type, "Gemm")) && b != NULL)
    return fold_product (op, data, b, c);
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

  for (guint i = 0; b != NULL && op->n_input == 2 && i < G_N_ELEMENTS (pairs); i++)
    if (g_str_equal (pairs[i].type, op->op_type))
      return fold_binary (pairs[i].function, pairs[i].logical, data, b);
  for (guint i = 0; i < G_N_ELEMENTS (singles); i++)
    if (g_str_equal (singles[i].type, op->op_type))
      return fold_unary (singles[i].function, data);
  return fold_other (onnx, op, data, b, c);
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

  if (!constant_axis (data, nn_onnx_int (op, "axis", 0), &axis) || !nn_onnx_numbers (onnx, op, "split", 1, sizes, &found) ||
      (found && sizes->len != op->n_output) || op->n_output == 0)
    return FALSE;
  each = (data->shape.dims[axis] + (gint64) op->n_output - 1) / (gint64) op->n_output;
  for (guint i = 0; i < op->n_output; i++)
    {
      gint64 n = found ? nn_onnx_whole (g_array_index (sizes, double, i)) : MIN (each, data->shape.dims[axis] - at);
      NnTensor *part = n >= 0 && n <= data->shape.dims[axis] - at ? part_along (data, axis, at, 1, n) : NULL;

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
    {
      Onnx__AttributeProto *value = nn_onnx_attribute (op, "value"), *number = nn_onnx_attribute (op, "value_float");

      if (number == NULL)
        number = nn_onnx_attribute (op, "value_int");
      if (value != NULL && value->t != NULL)
        result = nn_onnx_tensor (onnx, value->t, error);
      else if (number != NULL)
        {
          result = nn_tensor_new (g_str_equal (number->name, "value_int") ? NN_DTYPE_I64 : NN_DTYPE_F32, &(NnShape){ 0 });
          set_number (result, 0, number->has_i ? (double) number->i : number->f);
        }
      else
        {
          gsize n = 0;
          const gint64 *ints = nn_onnx_ints (op, "value_ints", &n);

          if (ints == NULL)
            return TRUE;
          result = nn_tensor_new (NN_DTYPE_I64, &NN_SHAPE ((gint64) n));
          memcpy (result->data, ints, n * sizeof *ints);
        }
      if (result == NULL)
        return FALSE;
      nn_onnx_constant (onnx, nn_onnx_out (op, 0), result);
      if (value != NULL)
        ((NnOnnxValue *) g_hash_table_lookup (onnx->values, nn_onnx_out (op, 0)))->type = value->t->data_type;
      *done = TRUE;
      return TRUE;
    }
  if (op->n_input == 0 || op->input[0][0] == '\0')
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
