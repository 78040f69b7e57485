/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Einstein sums, products of vectors and tables as ONNX's operators. Source: ONNX, Einsum and Gather. */

#include "nn-save-onnx.h"

#include "nn-einsum.h"
#include "onnx.pb-c.h"

#include <string.h>

/* Below it Keras's l2_normalize divides by no less. */
#define L2_EPSILON 1e-12

/* "..." is spelt in digits by nn_einsum_terms(), for which ONNX wants letters: those that the equation leaves. */
static char *
in_letters (char **terms,
            guint  n)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *joined = g_strjoinv ("", terms);

  for (guint k = 0; k <= n; k++)
    g_string_append_printf (text, "%s%s", k == 0 ? "" : k < n ? "," : "->", terms[k]);
  for (char *digit = text->str, next = 'A'; *digit != '\0'; digit++)
    if (g_ascii_isdigit (*digit))
      {
        char old = *digit;

        while (strchr (joined, next) != NULL)
          next++;
        for (char *c = digit; *c != '\0'; c++)
          *c = *c == old ? next : *c;
        next++;
      }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The equation over the inputs and, where @kernel_rank is not 0, a kernel. (transfer full) (nullable) */
static char *
equation (NnOnnxWriter *w,
          const NnNode *node,
          guint         kernel_rank)
{
  guint ranks[NN_EINSUM_OPERANDS], n = node->n_inputs;
  g_auto (GStrv) terms = NULL;

  if (n + (kernel_rank > 0) > NN_EINSUM_OPERANDS)
    return NULL;
  for (guint i = 0; i < n; i++)
    ranks[i] = nn_graph_node (w->graph, node->inputs[i])->shape.rank + 1;
  if (kernel_rank > 0)
    ranks[n++] = kernel_rank;
  terms = nn_einsum_terms (node->attrs.equation, ranks, n, node->shape.rank + 1);
  return terms != NULL ? in_letters (terms, n) : NULL;
}

static gboolean
write_einsum (NnOnnxWriter  *w,
              const NnNode  *node,
              guint          index,
              GError       **error)
{
  g_autofree char **inputs = g_new0 (char *, node->n_inputs + 1);
  g_autofree char *text = equation (w, node, 0);
  Onnx__NodeProto *op;

  if (text == NULL)
    return nn_onnx_fail (node, "its equation does not fit its inputs", error);
  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = (char *) nn_onnx_value (w, node->inputs[i], NN_ONNX_LAST);
  op = nn_onnx_op (w, "Einsum", nn_onnx_name_in (w, node, index, NN_ONNX_LAST), inputs[0], NULL);
  op->n_input = node->n_inputs;
  op->input = nn_arena_memdup (w->arena, inputs, node->n_inputs * sizeof *inputs);
  nn_onnx_set_text (w, op, "equation", text);
  return TRUE;
}

static gboolean
write_einsum_dense (NnOnnxWriter  *w,
                    const NnNode  *node,
                    guint          index,
                    GError       **error)
{
  const NnWeight *k = nn_model_node_weight (w->model, node, NN_ROLE_KERNEL);
  g_autofree char *text = k != NULL ? equation (w, node, k->values->shape.rank) : NULL;
  const char *kernel = nn_onnx_put_weight (w, node, NN_ROLE_KERNEL, NULL, NULL, error), *bias, *output, *product;

  if (kernel == NULL)
    return FALSE;
  if (text == NULL)
    return nn_onnx_fail (node, "its equation does not fit its input and kernel", error);
  output = nn_onnx_name_in (w, node, index, NN_ONNX_LAST);
  product = nn_onnx_has_bias (w, node) ? nn_onnx_text (w, "%s__product", output) : output;
  nn_onnx_set_text (w, nn_onnx_op (w, "Einsum", product, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), kernel, NULL), "equation",
                    text);
  if (product == output)
    return TRUE;
  bias = nn_onnx_put_weight (w, node, NN_ROLE_BIAS, NULL, NULL, error);
  if (bias != NULL)
    nn_onnx_op (w, "Add", output, product, bias, NULL);
  return bias != NULL;
}

/* The sum of a * b over all but the batch's axis, which stays beside an axis of one. */
static const char *
sum_of_products (NnOnnxWriter *w,
                 const char   *a,
                 const char   *b,
                 const char   *output)
{
  const gint64 axis = 1;
  const char *product = nn_onnx_text (w, "%s__product", output);

  nn_onnx_op (w, "Mul", product, a, b, NULL);
  nn_onnx_op (w, "ReduceSum", output, product, nn_onnx_put_ints (w, output, &axis, 1), NULL);
  return output;
}

static gboolean
write_dot (NnOnnxWriter  *w,
           const NnNode  *node,
           guint          index,
           GError       **error)
{
  const char *a = nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), *b = nn_onnx_value (w, node->inputs[1], NN_ONNX_LAST);
  const char *output = nn_onnx_name_in (w, node, index, NN_ONNX_LAST), *least, *sizes[2], *size;

  if (nn_onnx_in_shape (w, node)->rank != 1 || nn_graph_node (w->graph, node->inputs[1])->shape.rank != 1)
    return nn_onnx_fail (node, "a product of more than two vectors", error);
  if (!node->attrs.normalize)
    {
      const char *sum = nn_onnx_text (w, "%s__sum", output);
      const gint64 axis = 1;

      nn_onnx_set_text (w, nn_onnx_op (w, "Einsum", sum, a, b, NULL), "equation", "ab,ab->a");
      nn_onnx_op (w, "Unsqueeze", output, sum, nn_onnx_put_ints (w, output, &axis, 1), NULL);
      return TRUE;
    }
  least = nn_onnx_put_real (w, nn_onnx_text (w, "%s__least", output), L2_EPSILON);
  for (guint i = 0; i < 2; i++)
    {
      const char *x = i == 0 ? a : b;

      sizes[i] = nn_onnx_text (w, "%s__size_%u", output, i);
      nn_onnx_op (w, "Max", sizes[i], sum_of_products (w, x, x, nn_onnx_text (w, "%s__square_%u", output, i)), least, NULL);
    }
  size = nn_onnx_text (w, "%s__size", output);
  nn_onnx_op (w, "Mul", nn_onnx_text (w, "%s__both", output), sizes[0], sizes[1], NULL);
  nn_onnx_op (w, "Sqrt", size, nn_onnx_text (w, "%s__both", output), NULL);
  nn_onnx_op (w, "Div", output, sum_of_products (w, a, b, nn_onnx_text (w, "%s__sum", output)), size, NULL);
  return TRUE;
}

static gboolean
write_embedding (NnOnnxWriter  *w,
                 const NnNode  *node,
                 guint          index,
                 GError       **error)
{
  const char *places = nn_onnx_text (w, "%s__places", node->name);
  const char *table = nn_onnx_put_weight (w, node, NN_ROLE_EMBEDDINGS, NULL, NULL, error);

  if (table == NULL)
    return FALSE;
  nn_onnx_set_int (w, nn_onnx_op (w, "Cast", places, nn_onnx_value (w, node->inputs[0], NN_ONNX_LAST), NULL), "to",
                   ONNX__TENSOR_PROTO__DATA_TYPE__INT64);
  nn_onnx_op (w, "Gather", nn_onnx_name_in (w, node, index, NN_ONNX_LAST), table, places, NULL);
  return TRUE;
}

gboolean
nn_onnx_write_product (NnOnnxWriter  *w,
                       const NnNode  *node,
                       guint          index,
                       GError       **error)
{
  switch (node->op)
    {
    case NN_OP_EINSUM:
      return write_einsum (w, node, index, error);
    case NN_OP_EINSUM_DENSE:
      return write_einsum_dense (w, node, index, error);
    case NN_OP_DOT:
      return write_dot (w, node, index, error);
    default:
      return write_embedding (w, node, index, error);
    }
}
