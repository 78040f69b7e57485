/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's operators that are made of others, which are read in their place. */

#include "nn-onnx.h"

#include "onnx.pb-c.h"

#include <math.h>

static const char *
one_of (NnOnnx          *onnx,
        Onnx__NodeProto *op)
{
  const char *name = nn_onnx_middle (onnx, op, "one");

  nn_onnx_number (onnx, name, 1);
  return name;
}

static gboolean
two_inputs (Onnx__NodeProto  *op,
            GError          **error)
{
  return op->n_input == 2 || nn_load_unsupported (error, "it needs two inputs");
}

/* Greater (a, b) is the sign of a - b, cut off below 0; the others are made of it. */
gboolean
nn_onnx_read_compare (NnOnnx           *onnx,
                      Onnx__NodeProto  *op,
                      GError          **error)
{
  gboolean less = op->op_type[0] == 'L', equal = op->op_type[0] == 'E', open = g_str_has_suffix (op->op_type, "OrEqual");
  const char *difference = nn_onnx_middle (onnx, op, "difference"), *sign = nn_onnx_middle (onnx, op, "sign"), *apart = nn_onnx_middle (onnx, op, "apart");
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
  const char *other = nn_onnx_middle (onnx, op, "otherwise"), *a = nn_onnx_middle (onnx, op, "chosen"), *b = nn_onnx_middle (onnx, op, "rest");

  if (op->n_input != 3)
    return nn_load_unsupported (error, "it needs a condition and two values");
  for (guint i = 1; i < 3; i++)
    {
      const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

      for (gsize k = 0; value != NULL && value->constant != NULL && k < value->constant->n; k++)
        if (!isfinite (nn_tensor_get (value->constant, k)))
          return nn_load_unsupported (error, "a choice of infinite numbers is not supported");
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
  const char *softmax = nn_onnx_middle (onnx, op, "softmax");

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
  const char *number = nn_onnx_middle (onnx, op, "alpha"), *inner = nn_onnx_middle (onnx, op, "divided"), *curve = nn_onnx_middle (onnx, op, "elu");

  if (alpha == 1)
    return nn_onnx_run (onnx, "Elu", nn_onnx_out (op, 0), op->input[0], NULL, error);
  nn_onnx_number (onnx, number, alpha);
  return nn_onnx_run (onnx, "Div", inner, op->input[0], number, error) && nn_onnx_run (onnx, "Elu", curve, inner, NULL, error) &&
         nn_onnx_run (onnx, "Mul", nn_onnx_out (op, 0), curve, number, error);
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

  if (value->rank > NN_MAX_RANK)
    return nn_load_unsupported (error, "more than %d axes are not supported", NN_MAX_RANK);
  onnx__node_proto__init (&concat);
  for (guint side = 0; side < 2; side++)
    {
      NnShape shape = { .rank = value->rank };
      NnTensor *filled;

      for (guint i = 0; i < value->rank; i++)
        shape.dims[i] = i == value->batch ? 1 : i == axis ? (side == 0 ? before : after) : value->dims[i];
      if (shape.dims[axis] > 0)
        {
          const char *own = nn_onnx_middle (onnx, op, side == 0 ? "before" : "after");

          filled = nn_onnx_made (onnx, &shape, error);
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
  return nn_onnx_run_op (onnx, &concat, error);
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
    return nn_load_unsupported (error, "this axis cannot be mixed");
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
      value->dims[axis] > NN_ONNX_MAX_PARTS)
    return nn_load_unsupported (error, "its axis must be constant, not the batch's, and of at most %d elements", NN_ONNX_MAX_PARTS);
  n = value->dims[axis];
  matrix = nn_onnx_made (onnx, &NN_SHAPE (n, n), error);
  if (matrix == NULL)
    return FALSE;
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
    return nn_load_unsupported (error, "its shape must be constant");
  if (extents->len > value->rank)
    return nn_load_unsupported (error, "further axes before the batch's are not supported");
  left = value->rank - extents->len;
  for (guint i = 0; i < extents->len; i++)
    {
      double extent = g_array_index (extents, double, i);
      guint axis = left + i;
      g_autofree gint64 *places = NULL;
      g_autofree char *next = g_strdup_printf ("%s__expanded_%u", nn_onnx_out (op, 0), i);

      if (extent == value->dims[axis] || extent == 1 || axis == value->batch)
        continue;
      if (value->dims[axis] != 1 || extent < 1 || extent > NN_ONNX_MAX_PARTS)
        return nn_load_unsupported (error, "axes of one element can be repeated up to %d times", NN_ONNX_MAX_PARTS);
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
  gboolean to_space = op->op_type[0] == 'D', crd = g_str_equal (nn_onnx_string (onnx, op, "mode", "DCR"), "CRD");
  static const gint64 orders[][6] = { { 0, 3, 4, 1, 5, 2 }, { 0, 1, 4, 2, 5, 3 }, { 0, 3, 5, 1, 2, 4 } };
  gint64 b = nn_onnx_int (op, "blocksize", 0), c, h, w, turned[6], n;
  const char *split = nn_onnx_middle (onnx, op, "split"), *swapped = nn_onnx_middle (onnx, op, "swapped");
  Onnx__NodeProto part;
  Onnx__AttributeProto perm, *attributes[] = { &perm };
  char *inputs[] = { (char *) split }, *outputs[] = { (char *) split };

  if (value == NULL)
    return FALSE;
  if (value->rank != 4 || value->batch != 0 || b < 1 || b > NN_ONNX_MAX_PARTS || value->dims[1] < 1 || value->dims[2] < 1 || value->dims[3] < 1 ||
      (to_space ? value->dims[1] % (b * b) : value->dims[2] % b + value->dims[3] % b) != 0)
    return nn_load_unsupported (error, "its block does not divide its data, which must be a map with channels");
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
  if (!nn_onnx_run_op (onnx, &part, error))
    return FALSE;
  {
    gint64 flat[] = { n, to_space ? turned[1] : turned[1] * turned[2] * turned[3], to_space ? turned[2] * turned[3] : turned[4],
                      to_space ? turned[4] * turned[5] : turned[5] };

    return nn_onnx_reshape (onnx, op, g_hash_table_lookup (onnx->values, swapped), flat, 4, error);
  }
}
