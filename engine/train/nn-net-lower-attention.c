/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multi-head attention in the layers that there are: projections, products of activations, a softmax. */

#include "nn-net-lower.h"

#include <math.h>

typedef struct {
  gint64 heads, key, value; /* heads and the width of each */
  gint64 n_query, n_key;    /* steps */
} Sizes;

/* Of the steps of one input, or of what the heads found; from (steps, in) to (steps, n). */
static gboolean
project (NnNetBuilder *b,
         const NnNode *node,
         guint         input,
         gint64        steps,
         gint64        n,
         NnRole        kernel,
         NnRole        bias,
         guint        *output,
         GError      **error)
{
  const NnWeight *w = nn_model_node_weight (b->net->model, node, kernel);
  const gsize n_in = nn_build_buffer (b, input)->n / steps;

  if (w == NULL || w->values->n != n_in * n)
    return nn_build_fail (node, error, "its %s does not fit", nn_role_name (kernel));
  return nn_lower_matrix (b, node, input, n_in, n, kernel, bias, output, error);
}

/* Source: Keras 2.13 MultiHeadAttention; A. Vaswani et al. 2017, 3.2. */
static gboolean
attend (NnNetBuilder *b,
        const NnNode *node,
        const Sizes  *n,
        guint         query,
        guint         key,
        guint         value,
        guint        *output,
        GError      **error)
{
  const NnShape q = NN_SHAPE (n->n_query, n->heads, n->key), k = NN_SHAPE (n->n_key, n->heads, n->key);
  const NnShape v = NN_SHAPE (n->n_key, n->heads, n->value), s = NN_SHAPE (n->n_query, n->heads, n->n_key);
  guint scores, scaled, mixed;
  NnLayer *softmax;

  if (!nn_lower_products (b, node, (guint[]) { query, key }, "qhi", &q, "khi", &k, "qhk", &scores, error))
    return FALSE;
  nn_lower_scaled (b, node, scores, (float) (1 / sqrt (n->key)), &scaled);
  softmax = nn_build_layer (b, NN_LAYER_SOFTMAX, node, &scaled, 1, nn_shape_count (&s), output);
  softmax->act = NN_ACT_SOFTMAX;
  softmax->channels = n->n_key;
  softmax->inner = 1;
  mixed = *output;
  return nn_lower_products (b, node, (guint[]) { mixed, value }, "qhk", &s, "khi", &v, "qhi", output, error);
}

gboolean
nn_lower_attention (NnNetBuilder *b,
                    const NnNode *node,
                    const guint  *inputs,
                    guint        *output,
                    GError      **error)
{
  const NnAttrs *a = &node->attrs;
  const guint v = node->n_inputs > 1 ? 1 : 0, k = node->n_inputs > 2 ? 2 : v;
  const NnShape *q_shape = nn_lower_input_shape (b, node, 0), *v_shape = nn_lower_input_shape (b, node, v);
  Sizes n = { .heads = a->n_heads, .key = a->key_dim, .value = a->value_dim > 0 ? a->value_dim : a->key_dim };
  guint query, key, value, mixed;

  if (q_shape->rank != 2 || v_shape->rank != 2 || nn_lower_input_shape (b, node, k)->rank != 2 || n.heads < 1 || n.key < 1)
    return nn_build_fail (node, error, "its inputs need the axes steps, features");
  n.n_query = q_shape->dims[0];
  n.n_key = v_shape->dims[0];
  return project (b, node, inputs[0], n.n_query, n.heads * n.key, NN_ROLE_QUERY_KERNEL, NN_ROLE_QUERY_BIAS, &query, error) &&
         project (b, node, inputs[k], n.n_key, n.heads * n.key, NN_ROLE_KEY_KERNEL, NN_ROLE_KEY_BIAS, &key, error) &&
         project (b, node, inputs[v], n.n_key, n.heads * n.value, NN_ROLE_VALUE_KERNEL, NN_ROLE_VALUE_BIAS, &value, error) &&
         attend (b, node, &n, query, key, value, &mixed, error) &&
         project (b, node, mixed, n.n_query, nn_shape_last (&node->shape), NN_ROLE_OUTPUT_KERNEL, NN_ROLE_OUTPUT_BIAS, output, error);
}
