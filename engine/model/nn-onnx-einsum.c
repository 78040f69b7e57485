/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX's Einsum: of data, or a dense layer by its own equation. */

#include "nn-onnx.h"

#include "nn-einsum.h"
#include "onnx.pb-c.h"

#include <string.h>

/* An equation without its blanks and with its result: the letters that are met once, in order, after what "..." stands for. Source:
 * ONNX, Einsum. (transfer full) */
static char *
whole_equation (const char *equation)
{
  g_auto (GStrv) blanks = g_strsplit (equation, " ", -1);
  char *plain = g_strjoinv ("", blanks), *whole;
  guint counts[128] = { 0 };
  g_autoptr (GString) result = NULL;

  if (strstr (plain, "->") != NULL)
    return plain;
  result = g_string_new (strstr (plain, "...") != NULL ? "..." : "");
  for (const char *c = plain; *c != '\0'; c++)
    if (g_ascii_isalpha (*c))
      counts[(guint) *c]++;
  for (guint c = 0; c < G_N_ELEMENTS (counts); c++)
    if (counts[c] == 1)
      g_string_append_c (result, (char) c);
  whole = g_strdup_printf ("%s->%s", plain, result->str);
  g_free (plain);
  return whole;
}

/* The constant first: the two change places. (transfer full) */
static char *
swapped (const char *equation)
{
  const char *comma = strchr (equation, ','), *arrow = strstr (equation, "->");

  if (comma == NULL || arrow == NULL || comma > arrow)
    return g_strdup (equation);
  return g_strdup_printf ("%.*s,%.*s%s", (int) (arrow - comma - 1), comma + 1, (int) (comma - equation), equation, arrow);
}

/* Letters of the result, "..." as many as @dots. */
static guint
result_rank (const char *equation,
             guint       dots)
{
  const char *result = strstr (equation, "->") + 2;

  return (guint) strlen (result) + (strstr (result, "...") != NULL ? dots - 3 : 0);
}

/* How many axes "..." stands for in the term that has most of them. */
static guint
count_dots (const char  *equation,
            const guint *ranks,
            guint        n)
{
  g_auto (GStrv) sides = g_strsplit (equation, "->", 2), terms = g_strsplit (sides[0], ",", -1);
  guint dots = 0;

  for (guint k = 0; k < n && terms[k] != NULL; k++)
    if (strstr (terms[k], "...") != NULL && strlen (terms[k]) - 3 <= ranks[k])
      dots = MAX (dots, ranks[k] - ((guint) strlen (terms[k]) - 3));
  return dots;
}

/* The sample's shape by the letters of the equation; the batch's must lead data and result, and be no constant's. */
static gboolean
result_shape (char              **terms,
              NnOnnxValue *const *values,
              guint               n,
              NnShape            *shape)
{
  gint64 extents[128] = { 0 };
  char batch = terms[0][0];

  for (guint i = 0; i < n; i++)
    {
      const NnOnnxValue *value = values[i];
      guint rank = value->constant != NULL ? value->constant->shape.rank : value->rank;

      if (value->constant == NULL && terms[i][0] != batch)
        return FALSE;
      for (guint k = 0; k < rank; k++)
        {
          gint64 extent = value->constant != NULL ? value->constant->shape.dims[k] : value->dims[k];

          if (!g_ascii_isalnum (terms[i][k]) || (terms[i][k] != batch && extent < 1) || (value->constant != NULL && terms[i][k] == batch))
            return FALSE;
          extents[(guint) terms[i][k]] = MAX (extents[(guint) terms[i][k]], extent);
        }
    }
  if (terms[n][0] != batch)
    return FALSE;
  shape->rank = 0;
  for (const char *c = terms[n] + 1; *c != '\0'; c++)
    {
      if (!g_ascii_isalnum (*c) || extents[(guint) *c] < 1 || *c == batch)
        return FALSE;
      shape->dims[shape->rank++] = extents[(guint) *c];
    }
  return TRUE;
}

/* An Add of a constant that broadcasts to the sum, which is all that reads it: the bias of a dense layer. */
static const NnOnnxValue *
bias_after (NnOnnx           *onnx,
            Onnx__NodeProto  *op,
            const NnShape    *shape,
            const char      **name)
{
  Onnx__NodeProto *add = nn_onnx_only_use (onnx, nn_onnx_out (op, 0));
  const NnOnnxValue *bias = NULL;

  if (add == NULL || add->op_type == NULL || !g_str_equal (add->op_type, "Add") || add->n_input != 2)
    return NULL;
  bias = nn_onnx_constant_input (onnx, add, g_str_equal (add->input[0], nn_onnx_out (op, 0)) ? 1 : 0);
  if (bias == NULL || bias->constant->shape.rank == 0 || bias->constant->shape.rank > shape->rank)
    return NULL;
  for (guint i = 0; i < bias->constant->shape.rank; i++)
    {
      gint64 own = bias->constant->shape.dims[i];

      if (own != 1 && own != shape->dims[shape->rank - bias->constant->shape.rank + i])
        return NULL;
    }
  g_hash_table_add (onnx->fused, add);
  *name = nn_onnx_out (add, 0);
  return bias;
}

/* One number a sample: the product of two vectors. */
static gboolean
read_dot (NnOnnx             *onnx,
          Onnx__NodeProto    *op,
          char              **terms,
          NnOnnxValue *const *values,
          guint               n,
          GError            **error)
{
  NnOnnxValue *result;
  guint inputs[2];
  NnNode *node;

  if (n != 2 || !g_str_equal (terms[0], terms[1]) || strlen (terms[0]) != 2 || values[1]->constant != NULL)
    return nn_load_unsupported (error, "of sums to one number only the product of two vectors is supported");
  for (guint i = 0; i < 2; i++)
    inputs[i] = values[i]->node;
  node = nn_onnx_node (onnx, NN_OP_DOT, nn_onnx_out (op, 0), op->op_type, inputs, 2);
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, nn_onnx_out (op, 0), values[0]);
  result->rank = 1; /* the computed sample keeps an axis of one element */
  return TRUE;
}

/* The node of the sum. @values: the kernel last, if there is one */
static gboolean
add_sum (NnOnnx             *onnx,
         Onnx__NodeProto    *op,
         const char         *equation,
         const NnShape      *shape,
         NnOnnxValue *const *values,
         guint               n,
         GError            **error)
{
  gboolean dense = n == 2 && values[1]->constant != NULL;
  const char *name = nn_onnx_out (op, 0);
  const NnOnnxValue *bias = dense ? bias_after (onnx, op, shape, &name) : NULL;
  guint inputs[NN_EINSUM_OPERANDS];
  NnOnnxValue *result;
  NnNode *node;

  for (guint i = 0; i < n; i++)
    inputs[i] = values[i]->node;
  node = nn_onnx_node (onnx, dense ? NN_OP_EINSUM_DENSE : NN_OP_EINSUM, name, op->op_type, inputs, dense ? 1 : n);
  node->attrs.equation = nn_graph_builder_strdup (onnx->builder, equation);
  node->attrs.use_bias = bias != NULL;
  node->attrs.units = nn_shape_last (shape);
  node->shape = *shape;
  if (dense)
    nn_onnx_weight (onnx, node, NN_ROLE_KERNEL, "kernel", nn_onnx_prepare (onnx, node, NN_ROLE_KERNEL, values[1], NULL));
  if (bias != NULL)
    nn_onnx_weight (onnx, node, NN_ROLE_BIAS, "bias", nn_onnx_prepare (onnx, node, NN_ROLE_BIAS, bias, NULL));
  if (!nn_onnx_finish (onnx, node, error))
    return FALSE;
  result = nn_onnx_result (onnx, name, values[0]);
  result->rank = shape->rank + 1;
  for (guint i = 0; i < shape->rank; i++)
    {
      result->at[i] = (int) i;
      result->dims[i + 1] = shape->dims[i];
    }
  return TRUE;
}

/* Einsum of data, or of data and one constant: then a dense layer by its own equation. The batch's letter leads everywhere. */
gboolean
nn_onnx_read_einsum (NnOnnx           *onnx,
                     Onnx__NodeProto  *op,
                     GError          **error)
{
  g_autofree char *told = whole_equation (nn_onnx_string (onnx, op, "equation", ""));
  gboolean swap = op->n_input == 2 && nn_onnx_constant_input (onnx, op, 0) != NULL;
  g_autofree char *equation = swap ? swapped (told) : g_strdup (told);
  NnOnnxValue *values[NN_EINSUM_OPERANDS];
  guint ranks[NN_EINSUM_OPERANDS], n = op->n_input;
  g_auto (GStrv) terms = NULL;
  NnShape shape = { 0 };

  if (n > NN_EINSUM_OPERANDS)
    return nn_load_unsupported (error, "more than %d inputs are not supported", NN_EINSUM_OPERANDS);
  for (guint i = 0; i < n; i++)
    {
      NnOnnxValue *value = values[i] = nn_onnx_input (onnx, op, swap ? 1 - i : i);

      if (value == NULL || (value->constant != NULL ? i != 1 || n != 2 : value->batch != 0))
        return nn_load_unsupported (error, "its inputs must be data, or data and a constant");
      if (value->constant == NULL && !nn_onnx_natural (onnx, value, error))
        return FALSE;
      ranks[i] = value->constant != NULL ? value->constant->shape.rank : value->rank;
    }
  if (result_rank (equation, count_dots (equation, ranks, n)) <= NN_MAX_RANK)
    terms = nn_einsum_terms (equation, ranks, n, result_rank (equation, count_dots (equation, ranks, n)));
  if (terms == NULL || !result_shape (terms, values, n, &shape))
    return nn_load_unsupported (error, "its equation \"%s\" does not fit its data, or does not lead with the batch", told);
  if (shape.rank == 0)
    return read_dot (onnx, op, terms, values, n, error);
  return add_sum (onnx, op, equation, &shape, values, n, error);
}
