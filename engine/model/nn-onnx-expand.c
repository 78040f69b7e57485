/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators that are made of others, which are read in their place. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Parts of which one axis may be put together again. */
#define MAX_PARTS 4096

/* A constant of no axes under @name. */
void
nn_onnx_number (NnOnnx     *onnx,
                const char *name,
                double      number)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, &(NnShape){ 0 });

  nn_tensor_f32 (tensor)[0] = (float) number;
  nn_onnx_constant (onnx, name, tensor);
}

/* Reads an operator that the file does not hold; unlike one of the file's, it may not stay without a reader. */
static gboolean
run (NnOnnx           *onnx,
     Onnx__NodeProto  *op,
     GError          **error)
{
  NnOnnxReader reader = nn_onnx_find_reader (op->op_type);
  gboolean done;

  for (guint i = 0; i < op->n_input; i++)
    if (nn_onnx_input (onnx, op, i) == NULL)
      return nn_onnx_unsupported (error, "an input is missing");
  if (!nn_onnx_fold (onnx, op, &done, error))
    return FALSE;
  return done || (reader != NULL && reader (onnx, op, error));
}

/**
 * nn_onnx_run:
 * @b: (nullable)
 *
 * Reads the operator @type of one or two values into @output.
 */
gboolean
nn_onnx_run (NnOnnx      *onnx,
             const char  *type,
             const char  *output,
             const char  *a,
             const char  *b,
             GError     **error)
{
  Onnx__NodeProto op;
  char *inputs[] = { (char *) a, (char *) b }, *outputs[] = { (char *) output };

  onnx__node_proto__init (&op);
  op.op_type = (char *) g_intern_string (type);
  op.input = inputs;
  op.n_input = b != NULL ? 2 : 1;
  op.output = outputs;
  op.n_output = 1;
  return run (onnx, &op, error);
}

/* The same of one value along @axes, which stay: "axes" of a reduction, or the one "axis" of a softmax. */
gboolean
nn_onnx_run_along (NnOnnx        *onnx,
                   const char    *type,
                   const char    *output,
                   const char    *a,
                   const gint64  *axes,
                   guint          n_axes,
                   GError       **error)
{
  Onnx__NodeProto op;
  Onnx__AttributeProto list, one, *attributes[] = { &list, &one };
  char *inputs[] = { (char *) a }, *outputs[] = { (char *) output };

  onnx__attribute_proto__init (&list);
  list.name = (char *) "axes";
  list.n_ints = n_axes;
  list.ints = (gint64 *) axes;
  onnx__attribute_proto__init (&one);
  one.name = (char *) "axis";
  one.has_i = TRUE;
  one.i = n_axes > 0 ? axes[0] : -1;
  onnx__node_proto__init (&op);
  op.op_type = (char *) g_intern_string (type);
  op.input = inputs;
  op.n_input = 1;
  op.output = outputs;
  op.n_output = 1;
  op.attribute = attributes;
  op.n_attribute = 2;
  return run (onnx, &op, error);
}

/* A name for what stands in the middle of @op. Interned. */
static const char *
middle (Onnx__NodeProto *op,
        const char      *suffix)
{
  g_autofree char *name = g_strdup_printf ("%s__%s", nn_onnx_out (op, 0), suffix);

  return g_intern_string (name);
}

static const char *
one_of (NnOnnx          *onnx,
        Onnx__NodeProto *op)
{
  const char *name = middle (op, "one");

  nn_onnx_number (onnx, name, 1);
  return name;
}

static gboolean
two_inputs (Onnx__NodeProto  *op,
            GError          **error)
{
  return op->n_input == 2 || nn_onnx_unsupported (error, "it needs two inputs");
}

/* Greater (a, b) is the sign of a - b, cut off below 0; the others are made of it. */
gboolean
nn_onnx_read_compare (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  gboolean less = op->op_type[0] == 'L', equal = op->op_type[0] == 'E', open = g_str_has_suffix (op->op_type, "OrEqual");
  const char *difference = middle (op, "difference"), *sign = middle (op, "sign"), *apart = middle (op, "apart");
  const char *out = nn_onnx_out (op, 0);
  /* a >= b is not (b > a) */
  gboolean swap = less != open;

  if (!two_inputs (op, error) || !nn_onnx_run (onnx, "Sub", difference, op->input[swap], op->input[!swap], error) ||
      !nn_onnx_run (onnx, "Sign", sign, difference, NULL, error))
    return FALSE;
  if (!open && !equal)
    return nn_onnx_run (onnx, "Relu", out, sign, NULL, error);
  return nn_onnx_run (onnx, equal ? "Abs" : "Relu", apart, sign, NULL, error) &&
         nn_onnx_run (onnx, "Sub", out, one_of (onnx, op), apart, error);
}

/* And, Or, Not of truth values, which are 0 and 1. */
gboolean
nn_onnx_read_logic (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  const char *out = nn_onnx_out (op, 0);

  if (op->op_type[0] == 'N')
    return nn_onnx_run (onnx, "Sub", out, one_of (onnx, op), op->input[0], error);
  return two_inputs (op, error) && nn_onnx_run (onnx, op->op_type[0] == 'A' ? "Mul" : "Max", out, op->input[0], op->input[1], error);
}

/* c * a + (1 - c) * b */
gboolean
nn_onnx_read_where (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    GError          **error)
{
  const char *other = middle (op, "otherwise"), *a = middle (op, "chosen"), *b = middle (op, "rest");

  if (op->n_input != 3)
    return nn_onnx_unsupported (error, "it needs a condition and two values");
  for (guint i = 1; i < 3; i++)
    {
      const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

      for (gsize k = 0; value != NULL && value->constant != NULL && k < value->constant->n; k++)
        if (!isfinite (nn_tensor_get (value->constant, k)))
          return nn_onnx_unsupported (error, "a choice of infinite numbers is not supported");
    }
  return nn_onnx_run (onnx, "Mul", a, op->input[0], op->input[1], error) &&
         nn_onnx_run (onnx, "Sub", other, one_of (onnx, op), op->input[0], error) &&
         nn_onnx_run (onnx, "Mul", b, other, op->input[2], error) && nn_onnx_run (onnx, "Add", nn_onnx_out (op, 0), a, b, error);
}

gboolean
nn_onnx_read_log_softmax (NnOnnx           *onnx,
                          Onnx__NodeProto  *op,
                          GError          **error)
{
  gint64 axis = nn_onnx_int (op, "axis", onnx->opset < 13 ? 1 : -1);
  const char *softmax = middle (op, "softmax");

  return nn_onnx_run_along (onnx, "Softmax", softmax, op->input[0], &axis, 1, error) &&
         nn_onnx_run (onnx, "Log", nn_onnx_out (op, 0), softmax, NULL, error);
}

/* alpha * elu (x / alpha) */
gboolean
nn_onnx_read_celu (NnOnnx           *onnx,
                   Onnx__NodeProto  *op,
                   GError          **error)
{
  double alpha = nn_onnx_float (op, "alpha", 1);
  const char *number = middle (op, "alpha"), *inner = middle (op, "divided"), *curve = middle (op, "elu");

  if (alpha == 1)
    return nn_onnx_run (onnx, "Elu", nn_onnx_out (op, 0), op->input[0], NULL, error);
  nn_onnx_number (onnx, number, alpha);
  return nn_onnx_run (onnx, "Div", inner, op->input[0], number, error) && nn_onnx_run (onnx, "Elu", curve, inner, NULL, error) &&
         nn_onnx_run (onnx, "Mul", nn_onnx_out (op, 0), curve, number, error);
}

/* Reductions that are a sum or a maximum of something: what is done before, which it is, what after. */
static const struct {
  const char *type;
  const char *before;
  const char *reduction;
  const char *after;
} reductions[] = {
  { "ReduceMin", "Neg", "ReduceMax", "Neg" },       { "ReduceL1", "Abs", "ReduceSum", NULL },
  { "ReduceL2", "Square", "ReduceSum", "Sqrt" },    { "ReduceSumSquare", "Square", "ReduceSum", NULL },
  { "ReduceLogSum", NULL, "ReduceSum", "Log" },     { "ReduceLogSumExp", "Exp", "ReduceSum", "Log" },
};

gboolean
nn_onnx_read_other_reduce (NnOnnx           *onnx,
                           Onnx__NodeProto  *op,
                           GError          **error)
{
  const char *before = middle (op, "before"), *sum = middle (op, "reduced"), *out = nn_onnx_out (op, 0);
  Onnx__NodeProto reduction = *op;
  g_autofree char **inputs = g_memdup2 (op->input, op->n_input * sizeof *op->input);
  char *outputs[1];

  for (guint i = 0; i < G_N_ELEMENTS (reductions); i++)
    {
      if (!g_str_equal (reductions[i].type, op->op_type))
        continue;
      if (reductions[i].before == NULL)
        before = op->input[0];
      else if (g_str_equal (reductions[i].before, "Square")
                 ? !nn_onnx_run (onnx, "Mul", before, op->input[0], op->input[0], error)
                 : !nn_onnx_run (onnx, reductions[i].before, before, op->input[0], NULL, error))
        return FALSE;
      outputs[0] = (char *) (reductions[i].after != NULL ? sum : out);
      inputs[0] = (char *) before;
      reduction.op_type = (char *) reductions[i].reduction;
      reduction.input = inputs;
      reduction.output = outputs;
      reduction.n_output = 1;
      return run (onnx, &reduction, error) &&
             (reductions[i].after == NULL || nn_onnx_run (onnx, reductions[i].after, out, sum, NULL, error));
    }
  return nn_onnx_unsupported (error, "this reduction is not known");
}

/* (x - mean) / sqrt (variance + epsilon) over @axes, times a scale and plus a shift, either (nullable). */
static gboolean
normalize (NnOnnx           *onnx,
           Onnx__NodeProto  *op,
           const gint64     *axes,
           guint             n,
           double            epsilon,
           const char       *scale,
           const char       *shift,
           GError          **error)
{
  const char *mean = middle (op, "mean"), *centred = middle (op, "centred"), *square = middle (op, "square");
  const char *variance = middle (op, "variance"), *number = middle (op, "epsilon"), *sum = middle (op, "shifted");
  const char *root = middle (op, "root"), *normal = middle (op, "normal"), *scaled = middle (op, "scaled"), *out = nn_onnx_out (op, 0);

  nn_onnx_number (onnx, number, epsilon);
  return nn_onnx_run_along (onnx, "ReduceMean", mean, op->input[0], axes, n, error) &&
         nn_onnx_run (onnx, "Sub", centred, op->input[0], mean, error) &&
         nn_onnx_run (onnx, "Mul", square, centred, centred, error) &&
         nn_onnx_run_along (onnx, "ReduceMean", variance, square, axes, n, error) &&
         nn_onnx_run (onnx, "Add", sum, variance, number, error) && nn_onnx_run (onnx, "Sqrt", root, sum, NULL, error) &&
         nn_onnx_run (onnx, "Div", scale != NULL ? normal : out, centred, root, error) &&
         (scale == NULL || nn_onnx_run (onnx, "Mul", shift != NULL ? scaled : out, normal, scale, error)) &&
         (scale == NULL || shift == NULL || nn_onnx_run (onnx, "Add", out, scaled, shift, error));
}

/* A constant of one number a channel as (channels, 1, 1...), so that it goes along the second axis of the file. */
static const char *
channel_constant (NnOnnx          *onnx,
                  Onnx__NodeProto *op,
                  guint            i,
                  guint            rank)
{
  const NnOnnxValue *value = nn_onnx_input (onnx, op, i);
  NnShape shape = { .rank = rank - 1 };
  const char *name = middle (op, i == 1 ? "scale" : "shift");
  g_autoptr (NnTensor) values = NULL;
  NnTensor *copy;

  if (value == NULL || value->constant == NULL)
    return NULL;
  values = nn_onnx_baked (value);
  shape.dims[0] = (gint64) values->n;
  for (guint k = 1; k < shape.rank; k++)
    shape.dims[k] = 1;
  copy = nn_tensor_new (NN_DTYPE_F32, &shape);
  memcpy (copy->data, values->data, values->n * sizeof (float));
  nn_onnx_constant (onnx, name, copy);
  return name;
}

gboolean
nn_onnx_read_instance_norm (NnOnnx           *onnx,
                            Onnx__NodeProto  *op,
                            GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gint64 axes[NN_MAX_RANK];
  const char *scale, *shift;
  guint rank;

  if (value == NULL)
    return FALSE;
  rank = value->rank;
  if (rank < 3 || value->batch != 0)
    return nn_onnx_unsupported (error, "its data must have channels and at least one axis more");
  scale = channel_constant (onnx, op, 1, rank);
  shift = channel_constant (onnx, op, 2, rank);
  if (scale == NULL || shift == NULL)
    return nn_onnx_unsupported (error, "its weights must be constant");
  for (guint i = 2; i < rank; i++)
    axes[i - 2] = i;
  return normalize (onnx, op, axes, rank - 2, nn_onnx_float (op, "epsilon", 1e-5), scale, shift, error);
}

/* LayerNormalization over several axes. */
gboolean
nn_onnx_read_layer_norm_axes (NnOnnx           *onnx,
                              Onnx__NodeProto  *op,
                              GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gint64 axes[NN_MAX_RANK], first = nn_onnx_int (op, "axis", -1);
  guint n = 0;

  if (value == NULL)
    return FALSE;
  first += first < 0 ? (gint64) value->rank : 0;
  if (first < 1 || first >= (gint64) value->rank || value->batch != 0)
    return nn_onnx_unsupported (error, "its axis is the batch's, or none");
  for (gint64 i = first; i < (gint64) value->rank; i++)
    axes[n++] = i;
  return normalize (onnx, op, axes, n, nn_onnx_float (op, "epsilon", 1e-5), op->n_input > 1 ? op->input[1] : NULL,
                    op->n_input > 2 && op->input[2][0] != '\0' ? op->input[2] : NULL, error);
}

/* Elements @places of one axis, in that order: ranges of it put together. Source of the ranges: longest first steps. */
gboolean
nn_onnx_pick (NnOnnx           *onnx,
              Onnx__NodeProto  *op,
              const char       *name,
              NnOnnxValue      *value,
              guint             axis,
              const gint64     *places,
              gsize             n,
              GError          **error)
{
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (guint));
  NnOnnxValue *result;
  NnNode *node;
  int at;

  if (n == 0 || axis == value->batch || value->order != NULL || (value->at[nn_onnx_sample_axis (value, axis)] == NN_ONNX_VIRTUAL &&
                                                                 !nn_onnx_natural (onnx, value, error)))
    return nn_onnx_unsupported (error, "parts of this axis cannot be taken");
  for (gsize i = 0; i < n;)
    {
      gint64 step = i + 1 < n && places[i + 1] > places[i] ? places[i + 1] - places[i] : 1;
      gsize end = i + 1;
      g_autofree char *part = g_strdup_printf ("%s__part_%u", name, parts->len);

      if (places[i] < 0 || places[i] >= value->dims[axis] || parts->len == MAX_PARTS)
        return nn_onnx_unsupported (error, "its places are outside of its axis, or too many");
      while (end < n && places[end] - places[end - 1] == step)
        end++;
      if (i == 0 && end == n)
        return nn_onnx_slice (onnx, value, axis, places[0], places[n - 1] + 1, step, name, op->op_type, error);
      if (!nn_onnx_slice (onnx, value, axis, places[i], places[end - 1] + 1, step, part, op->op_type, error))
        return FALSE;
      g_array_append_val (parts, ((NnOnnxValue *) g_hash_table_lookup (onnx->values, part))->node);
      i = end;
    }
  node = nn_onnx_node (onnx, NN_OP_CONCATENATE, name, op->op_type, (const guint *) (gpointer) parts->data, parts->len);
  at = value->at[nn_onnx_sample_axis (value, axis)];
  node->attrs.axis = at == (int) nn_onnx_shape (onnx, value)->rank - 1 ? -1 : at;
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
  result->dims[axis] = (gint64) n;
  return TRUE;
}

/* @before and @after elements of one number put beside the value @input along an axis. */
gboolean
nn_onnx_put_beside (NnOnnx           *onnx,
                    Onnx__NodeProto  *op,
                    const char       *name,
                    const char       *input,
                    guint             axis,
                    gint64            before,
                    gint64            after,
                    double            number,
                    GError          **error)
{
  const NnOnnxValue *value = g_hash_table_lookup (onnx->values, input);
  Onnx__AttributeProto along, *attributes[] = { &along };
  char *inputs[3], *outputs[] = { (char *) name };
  Onnx__NodeProto concat;

  onnx__node_proto__init (&concat);
  for (guint side = 0; side < 2; side++)
    {
      NnShape shape = { .rank = value->rank };
      NnTensor *filled;

      for (guint i = 0; i < value->rank; i++)
        shape.dims[i] = i == value->batch ? 1 : i == axis ? (side == 0 ? before : after) : value->dims[i];
      if (shape.dims[axis] > 0)
        {
          const char *own = middle (op, side == 0 ? "before" : "after");

          filled = nn_tensor_try_new (NN_DTYPE_F32, &shape, error);
          if (filled == NULL)
            return FALSE;
          for (gsize i = 0; i < filled->n; i++)
            nn_tensor_f32 (filled)[i] = (float) number;
          nn_onnx_constant (onnx, own, filled);
          inputs[concat.n_input++] = (char *) own;
        }
      if (side == 0)
        inputs[concat.n_input++] = (char *) input;
    }
  onnx__attribute_proto__init (&along);
  along.name = (char *) "axis";
  along.has_i = TRUE;
  along.i = axis;
  concat.op_type = (char *) "Concat";
  concat.input = inputs;
  concat.output = outputs;
  concat.n_output = 1;
  concat.attribute = attributes;
  concat.n_attribute = 1;
  return run (onnx, &concat, error);
}

/* The product along one axis with a constant matrix (to, from): a dense layer by its own equation. */
gboolean
nn_onnx_mix (NnOnnx           *onnx,
             Onnx__NodeProto  *op,
             const char       *name,
             NnOnnxValue      *value,
             guint             axis,
             NnTensor         *matrix, /* (transfer full) */
             GError          **error)
{
  g_autoptr (NnTensor) kernel = matrix;
  g_autoptr (GString) equation = g_string_new ("a");
  g_autoptr (GString) result_term = g_string_new ("a");
  NnOnnxValue *result;
  NnNode *node;
  NnShape shape;
  int at;

  if (value->order != NULL || (value->at[nn_onnx_sample_axis (value, axis)] == NN_ONNX_VIRTUAL && !nn_onnx_natural (onnx, value, error)))
    return nn_onnx_unsupported (error, "this axis cannot be mixed");
  at = value->at[nn_onnx_sample_axis (value, axis)];
  shape = *nn_onnx_shape (onnx, value);
  for (guint i = 0; i < shape.rank; i++)
    {
      g_string_append_c (equation, (char) ('b' + i));
      g_string_append_c (result_term, (int) i == at ? 'z' : (char) ('b' + i));
    }
  g_string_append_printf (equation, ",z%c->%s", 'b' + at, result_term->str);
  node = nn_onnx_node (onnx, NN_OP_EINSUM_DENSE, name, op->op_type, &value->node, 1);
  node->attrs.equation = nn_graph_builder_strdup (onnx->builder, equation->str);
  shape.dims[at] = kernel->shape.dims[0];
  node->shape = shape;
  node->attrs.units = nn_shape_last (&shape);
  nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", g_steal_pointer (&kernel));
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, value);
  result->dims[axis] = shape.dims[at];
  return TRUE;
}

gboolean
nn_onnx_read_cum_sum (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  const NnOnnxValue *along = nn_onnx_input (onnx, op, 1);
  gboolean exclusive = nn_onnx_int (op, "exclusive", 0) != 0, reverse = nn_onnx_int (op, "reverse", 0) != 0;
  NnTensor *matrix;
  gint64 n;
  guint axis;

  if (value == NULL)
    return FALSE;
  if (along == NULL || along->constant == NULL || along->constant->n != 1 ||
      !nn_onnx_axis (value, nn_onnx_whole (nn_tensor_get (along->constant, 0)), &axis) || axis == value->batch || value->dims[axis] < 1 ||
      value->dims[axis] > MAX_PARTS)
    return nn_onnx_unsupported (error, "its axis must be constant, not the batch's, and of at most %d elements", MAX_PARTS);
  n = value->dims[axis];
  matrix = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n, n));
  for (gint64 i = 0; i < n; i++)
    for (gint64 k = 0; k < n; k++)
      nn_tensor_f32 (matrix)[i * n + k] = (reverse ? k > i : k < i) || (!exclusive && k == i);
  return nn_onnx_mix (onnx, op, nn_onnx_out (op, 0), value, axis, matrix, error);
}

/* Axes of extent 1 repeated. */
gboolean
nn_onnx_read_expand (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  g_autoptr (GArray) extents = g_array_new (FALSE, FALSE, sizeof (double));
  const char *name = op->input[0];
  gboolean found;
  guint left;

  if (value == NULL)
    return FALSE;
  if (!nn_onnx_numbers (onnx, op, "shape", 1, extents, &found) || !found)
    return nn_onnx_unsupported (error, "its shape must be constant");
  if (extents->len > value->rank)
    return nn_onnx_unsupported (error, "further axes before the batch's are not supported");
  left = value->rank - extents->len;
  for (guint i = 0; i < extents->len; i++)
    {
      double extent = g_array_index (extents, double, i);
      guint axis = left + i;
      g_autofree gint64 *places = NULL;
      g_autofree char *next = g_strdup_printf ("%s__expanded_%u", nn_onnx_out (op, 0), i);

      if (extent == value->dims[axis] || extent == 1 || axis == value->batch)
        continue;
      if (value->dims[axis] != 1 || extent < 1 || extent > MAX_PARTS)
        return nn_onnx_unsupported (error, "axes of one element can be repeated up to %d times", MAX_PARTS);
      places = g_new0 (gint64, (gsize) extent);
      if (!nn_onnx_pick (onnx, op, next, value, axis, places, (gsize) extent, error))
        return FALSE;
      value = g_hash_table_lookup (onnx->values, next);
      name = value->name;
    }
  return nn_onnx_run (onnx, "Identity", nn_onnx_out (op, 0), name, NULL, error);
}

/* Blocks of channels go to the map, or the other way round: reshaped, turned, reshaped. */
gboolean
nn_onnx_read_depth_to_space (NnOnnx           *onnx,
                             Onnx__NodeProto  *op,
                             GError          **error)
{
  NnOnnxValue *value = nn_onnx_data (onnx, op, error);
  gboolean to_space = op->op_type[0] == 'D', crd = g_str_equal (nn_onnx_string (op, "mode", "DCR"), "CRD");
  static const gint64 orders[][6] = { { 0, 3, 4, 1, 5, 2 }, { 0, 1, 4, 2, 5, 3 }, { 0, 3, 5, 1, 2, 4 } };
  gint64 b = nn_onnx_int (op, "blocksize", 0), c, h, w, turned[6], n;
  const char *split = middle (op, "split"), *swapped = middle (op, "swapped");
  Onnx__NodeProto part;
  Onnx__AttributeProto perm, *attributes[] = { &perm };
  char *inputs[] = { (char *) split }, *outputs[] = { (char *) split };

  if (value == NULL)
    return FALSE;
  if (value->rank != 4 || value->batch != 0 || b < 1 || value->dims[1] < 1 || value->dims[2] < 1 || value->dims[3] < 1 ||
      (to_space ? value->dims[1] % (b * b) : value->dims[2] % b + value->dims[3] % b) != 0)
    return nn_onnx_unsupported (error, "its block does not divide its data, which must be a map with channels");
  n = nn_onnx_batch (value);
  c = value->dims[1];
  h = value->dims[2];
  w = value->dims[3];
  onnx__node_proto__init (&part);
  part.op_type = (char *) "Reshape";
  part.output = outputs;
  part.n_output = 1;
  {
    gint64 deep[] = { n, to_space ? (crd ? c / b / b : b) : c, to_space ? b : h / b, to_space ? (crd ? b : c / b / b) : b, to_space ? h : w / b,
                      to_space ? w : b };

    if (!nn_onnx_reshape (onnx, &part, value, deep, 6, error))
      return FALSE;
    for (guint i = 0; i < 6; i++)
      turned[i] = deep[orders[to_space ? crd : 2][i]];
  }
  onnx__attribute_proto__init (&perm);
  perm.name = (char *) "perm";
  perm.n_ints = 6;
  perm.ints = (gint64 *) orders[to_space ? crd : 2];
  part.op_type = (char *) "Transpose";
  part.input = inputs;
  part.n_input = 1;
  part.attribute = attributes;
  part.n_attribute = 1;
  outputs[0] = (char *) swapped;
  if (!run (onnx, &part, error))
    return FALSE;
  {
    gint64 flat[] = { n, to_space ? turned[1] : turned[1] * turned[2] * turned[3], to_space ? turned[2] * turned[3] : turned[4],
                      to_space ? turned[4] * turned[5] : turned[5] };

    return nn_onnx_reshape (onnx, op, g_hash_table_lookup (onnx->values, swapped), flat, 4, error);
  }
}
