/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products of two activations. */

#include "nn-product.h"

#include <string.h>

/* All axes but the last two are those of the output, numbered from the end; they may be one or missing. */
static void
outer_letters (GString       *text,
               const NnShape *shape,
               guint          skip)
{
  for (guint d = 0; d + skip < shape->rank; d++)
    g_string_append_c (text, (char) ('a' + shape->rank - skip - d));
}

static gboolean
matrix_sum (const NnNode  *node,
            const NnShape *a,
            const NnShape *b,
            NnEinsum      *sum)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NnShape shapes[2] = { *a, *b };

  if (a->rank < 2 || b->rank < 2 || node->shape.rank < 2)
    return FALSE;
  outer_letters (text, a, 2);
  g_string_append (text, "XY,");
  outer_letters (text, b, 2);
  g_string_append (text, "YZ->");
  outer_letters (text, &node->shape, 2);
  g_string_append (text, "XZ");
  return nn_einsum_init (sum, text->str, shapes, 2, &node->shape);
}

gboolean
nn_product_sum (const NnNode  *node,
                const NnShape *a,
                const NnShape *b,
                NnEinsum      *sum)
{
  NnShape shapes[2] = { NN_SHAPE ((gint64) nn_shape_count (a)), NN_SHAPE ((gint64) nn_shape_count (b)) };
  NnShape to = nn_einsum_batched (&node->shape), one = NN_SHAPE (1);

  switch (node->op)
    {
    case NN_OP_DOT:
      one.rank = 0;
      return nn_shape_count (a) == nn_shape_count (b) && nn_shape_count (&node->shape) == 1 &&
             nn_einsum_init (sum, "a,a->", shapes, 2, &one);
    case NN_OP_MATMUL:
      return matrix_sum (node, a, b, sum);
    case NN_OP_EINSUM:
      shapes[0] = nn_einsum_batched (a);
      shapes[1] = nn_einsum_batched (b);
      return nn_einsum_init (sum, node->attrs.equation, shapes, 2, &to);
    default:
      return FALSE;
    }
}
