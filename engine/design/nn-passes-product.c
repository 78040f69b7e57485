/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes on products with several axes: attention and Einstein sums become layers that hardware has. */

#include "nn-passes-private.h"

#include "nn-einsum.h"

#include <math.h>
#include <string.h>

static NnNode *
add_two (NnRewrite    *rewrite,
         NnOp          op,
         const char   *name,
         guint         a,
         guint         b,
         const NnNode *origin,
         guint        *index)
{
  guint inputs[2] = { a, b };
  NnNode *node;

  *index = nn_graph_builder_n_nodes (rewrite->builder);
  node = nn_graph_builder_add (rewrite->builder, op, name, nn_op_info (op)->name, inputs, 2);
  node->origin = nn_graph_builder_strdup (rewrite->builder, origin->origin);
  return node;
}

/* The same numbers under another shape, and the mask with them. */
static void
give_reshaped (NnRewrite      *rewrite,
               NnNode         *to,
               NnRole          role,
               const NnWeight *from,
               const NnShape  *shape,
               double          factor)
{
  NnTensor *values = nn_tensor_copy (from->values), *mask = NULL;

  values->shape = *shape;
  for (gsize k = 0; factor != 1 && k < values->n; k++)
    nn_tensor_f32 (values)[k] = (float) (factor * nn_tensor_f32 (values)[k]);
  if (from->mask != NULL)
    {
      mask = nn_tensor_copy (from->mask);
      mask->shape = *shape;
      g_ptr_array_add (rewrite->tensors, mask);
    }
  nn_rewrite_set_weight (rewrite, to, role, nn_rewrite_weight (rewrite, to->name, from->name, role, values, mask));
}

static void
add_reshape (NnRewrite    *rewrite,
             const NnNode *origin,
             const char   *suffix,
             NnShape       shape,
             guint        *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", origin->name, suffix);
  NnNode *node = nn_rewrite_add (rewrite, NN_OP_RESHAPE, nn_rewrite_name (rewrite, wanted), "Reshape", *index, origin, index);

  node->attrs.target = shape;
}

/* A dense layer (in, heads * width) of an attention layer. */
static void
add_projection (NnRewrite    *rewrite,
                const NnNode *origin,
                const char   *suffix,
                NnRole        kernel_role,
                NnRole        bias_role,
                gint64        n_in,
                gint64        n_out,
                double        factor,
                guint        *index)
{
  const NnWeight *kernel = nn_model_node_weight (rewrite->model, origin, kernel_role);
  const NnWeight *bias = nn_model_node_weight (rewrite->model, origin, bias_role);
  g_autofree char *wanted = g_strdup_printf ("%s_%s", origin->name, suffix);
  NnNode *dense = nn_rewrite_add (rewrite, NN_OP_DENSE, nn_rewrite_name (rewrite, wanted), "Dense", *index, origin, index);

  dense->attrs.units = n_out;
  dense->attrs.use_bias = bias != NULL;
  give_reshaped (rewrite, dense, NN_ROLE_KERNEL, kernel, &NN_SHAPE (n_in, n_out), factor);
  dense->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (rewrite->builder, origin->attrs.role_quantizer[kernel_role]);
  if (bias == NULL)
    return;
  give_reshaped (rewrite, dense, NN_ROLE_BIAS, bias, &NN_SHAPE (n_out), factor);
  dense->attrs.role_quantizer[NN_ROLE_BIAS] = nn_graph_builder_quantizer (rewrite->builder, origin->attrs.role_quantizer[bias_role]);
}

/* Scores times a number, where it cannot go into the weights of the query. */
static void
add_factor (NnRewrite    *rewrite,
            const NnNode *origin,
            double        factor,
            gint64        channels,
            guint        *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_scale", origin->name);
  NnNode *node = nn_rewrite_add (rewrite, NN_OP_SCALE, nn_rewrite_name (rewrite, wanted), "ApplyAlpha", *index, origin, index);
  NnTensor *scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));

  for (gsize k = 0; k < scale->n; k++)
    nn_tensor_f32 (scale)[k] = (float) factor;
  nn_rewrite_set_weight (rewrite, node, NN_ROLE_SCALE,
                         nn_rewrite_weight (rewrite, node->name, "scale", NN_ROLE_SCALE, scale, NULL));
}

static guint
add_einsum (NnRewrite    *rewrite,
            const NnNode *origin,
            const char   *suffix,
            const char   *equation,
            guint         a,
            guint         b,
            NnShape       shape)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", origin->name, suffix);
  guint index;
  NnNode *node = add_two (rewrite, NN_OP_EINSUM, nn_rewrite_name (rewrite, wanted), a, b, origin, &index);

  node->attrs.equation = nn_graph_builder_strdup (rewrite->builder, equation);
  node->shape = shape;
  return index;
}

/*
 * Query, key and value are dense layers; scores and context are Einstein sums for each head; the softmax stands
 * between them. The root of the key's width goes into the query's weights unless those are quantised.
 * Source: Keras 2.13, MultiHeadAttention; hls4ml makes the same layers of HGQ 2's attention.
 */
static gboolean
lower_attention (NnRewrite *rewrite,
                 guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnAttrs *a = &node->attrs;
  guint at_value = node->n_inputs > 1 ? 1 : 0, at_key = node->n_inputs > 2 ? 2 : at_value;
  gint64 heads = a->n_heads, key = a->key_dim, value = a->value_dim > 0 ? a->value_dim : a->key_dim, out;
  const NnShape *q_shape, *v_shape, *k_shape;
  guint query, keys, values, scores, last;
  double root;
  gboolean into_weights = a->role_quantizer[NN_ROLE_QUERY_KERNEL] == NULL && a->role_quantizer[NN_ROLE_QUERY_BIAS] == NULL;
  g_autofree char *wanted = NULL;
  NnNode *softmax;

  if (node->op != NN_OP_MULTI_HEAD_ATTENTION || heads < 1 || key < 1)
    return FALSE;
  q_shape = &nn_graph_node (rewrite->graph, node->inputs[0])->shape;
  v_shape = &nn_graph_node (rewrite->graph, node->inputs[at_value])->shape;
  k_shape = &nn_graph_node (rewrite->graph, node->inputs[at_key])->shape;
  for (NnRole role = NN_ROLE_QUERY_KERNEL; role <= NN_ROLE_OUTPUT_KERNEL; role += 2)
    if (nn_model_node_weight (rewrite->model, node, role) == NULL)
      return FALSE;
  if (q_shape->rank != 2 || v_shape->rank != 2 || k_shape->rank != 2)
    return FALSE;
  root = 1 / sqrt ((double) key);
  out = nn_shape_last (&node->shape);
  query = rewrite->map[node->inputs[0]];
  keys = rewrite->map[node->inputs[at_key]];
  values = rewrite->map[node->inputs[at_value]];
  add_projection (rewrite, node, "query", NN_ROLE_QUERY_KERNEL, NN_ROLE_QUERY_BIAS, q_shape->dims[1], heads * key,
                  into_weights ? root : 1, &query);
  add_projection (rewrite, node, "key", NN_ROLE_KEY_KERNEL, NN_ROLE_KEY_BIAS, k_shape->dims[1], heads * key, 1, &keys);
  add_projection (rewrite, node, "value", NN_ROLE_VALUE_KERNEL, NN_ROLE_VALUE_BIAS, v_shape->dims[1], heads * value, 1, &values);
  add_reshape (rewrite, node, "query_heads", NN_SHAPE (q_shape->dims[0], heads, key), &query);
  add_reshape (rewrite, node, "key_heads", NN_SHAPE (k_shape->dims[0], heads, key), &keys);
  add_reshape (rewrite, node, "value_heads", NN_SHAPE (v_shape->dims[0], heads, value), &values);
  scores = add_einsum (rewrite, node, "scores", "bthk,bshk->bhts", query, keys, NN_SHAPE (heads, q_shape->dims[0], k_shape->dims[0]));
  if (!into_weights)
    add_factor (rewrite, node, root, k_shape->dims[0], &scores);
  wanted = g_strdup_printf ("%s_softmax", node->name);
  softmax = nn_rewrite_add (rewrite, NN_OP_ACTIVATION, nn_rewrite_name (rewrite, wanted), "Softmax", scores, node, &last);
  softmax->attrs.act = NN_ACT_SOFTMAX;
  softmax->attrs.axis = -1;
  last = add_einsum (rewrite, node, "context", "bhts,bshv->bthv", last, values, NN_SHAPE (q_shape->dims[0], heads, value));
  add_reshape (rewrite, node, "context_all", NN_SHAPE (q_shape->dims[0], heads * value), &last);
  add_projection (rewrite, node, "output", NN_ROLE_OUTPUT_KERNEL, NN_ROLE_OUTPUT_BIAS, heads * value, out, 1, &last);
  nn_graph_builder_node (rewrite->builder, last)->attrs.quantizer = nn_graph_builder_quantizer (rewrite->builder, a->quantizer);
  rewrite->map[i] = last;
  return TRUE;
}

NnModel *
nn_pass_lower_attention (const NnModel   *model,
                         const NnConfig  *config,
                         GError         **error)
{
  return nn_rewrite_run (model, config, lower_attention, error);
}

#define MAX_LETTERS 32

/**
 * Letters: of one kind, in the order in which they are worked on.
 */
typedef struct {
  char   names[MAX_LETTERS];
  guint  n;
  gint64 size;
} Letters;

/**
 * Sum: an equation taken apart: its terms without the letter of the batch.
 * @free: of the input only; @shared: of all three; @inner: summed over; @outer: of the kernel only
 */
typedef struct {
  char    in[MAX_LETTERS], kernel[MAX_LETTERS], out[MAX_LETTERS];
  Letters free, shared, inner, outer;
} Sum;

static void
add_letter (Letters *letters,
            char     name,
            gint64   extent)
{
  letters->names[letters->n++] = name;
  letters->size *= extent;
}

/* "ab,bc->ac" for shapes without the batch; the first letter of input and output is the batch's. */
static gboolean
parse_sum (const NnNode  *node,
           const NnShape *in,
           const NnShape *kernel,
           Sum           *sum)
{
  guint ranks[2] = { in->rank + 1, kernel->rank };
  g_auto (GStrv) terms = nn_einsum_terms (node->attrs.equation, ranks, 2, node->shape.rank + 1);

  *sum = (Sum){ .free.size = 1, .shared.size = 1, .inner.size = 1, .outer.size = 1 };
  if (terms == NULL || *terms[0] == '\0' || *terms[2] == '\0')
    return FALSE;
  g_strlcpy (sum->in, terms[0] + 1, sizeof sum->in);
  g_strlcpy (sum->kernel, terms[1], sizeof sum->kernel);
  g_strlcpy (sum->out, terms[2] + 1, sizeof sum->out);
  return TRUE;
}

/* In the order of the kernel's axes, but what only the input has in that of the output. */
static gboolean
sort_letters (Sum           *sum,
              const NnShape *in,
              const NnShape *kernel)
{
  for (guint k = 0; sum->kernel[k] != '\0'; k++)
    {
      char c = sum->kernel[k];
      gboolean of_input = strchr (sum->in, c) != NULL, of_output = strchr (sum->out, c) != NULL;

      if ((!of_input && !of_output) || strrchr (sum->kernel, c) != sum->kernel + k)
        return FALSE;
      add_letter (of_input ? (of_output ? &sum->shared : &sum->inner) : &sum->outer, c, kernel->dims[k]);
    }
  for (guint k = 0; sum->out[k] != '\0'; k++)
    {
      const char *at = strchr (sum->in, sum->out[k]);

      if (strrchr (sum->out, sum->out[k]) != sum->out + k || (at == NULL && strchr (sum->kernel, sum->out[k]) == NULL))
        return FALSE;
      if (at != NULL && strchr (sum->kernel, sum->out[k]) == NULL)
        add_letter (&sum->free, sum->out[k], in->dims[at - sum->in]);
    }
  for (guint k = 0; sum->in[k] != '\0'; k++)
    if (strrchr (sum->in, sum->in[k]) != sum->in + k ||
        (strchr (sum->out, sum->in[k]) == NULL && strchr (sum->kernel, sum->in[k]) == NULL))
      return FALSE;
  return TRUE;
}

static void
append_letters (char          *order,
                const Letters *letters)
{
  strncat (order, letters->names, letters->n);
}

/* perm[d] is the axis of @from that becomes axis d of @to; whether that moves anything. */
static gboolean
permutation (const char *from,
             const char *to,
             guint      *perm)
{
  gboolean moves = FALSE;

  for (guint d = 0; to[d] != '\0'; d++)
    {
      perm[d] = (guint) (strchr (from, to[d]) - from);
      moves |= perm[d] != d;
    }
  return moves;
}

static void
add_permute (NnRewrite    *rewrite,
             const NnNode *origin,
             const char   *suffix,
             const guint  *perm,
             guint        *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", origin->name, suffix);
  NnNode *node = nn_rewrite_add (rewrite, NN_OP_PERMUTE, nn_rewrite_name (rewrite, wanted), "Permute", *index, origin, index);

  memcpy (node->attrs.perm, perm, sizeof node->attrs.perm);
}

static NnTensor *
permuted (const NnTensor *tensor,
          const char     *from,
          const char     *to,
          gboolean       *moves)
{
  guint perm[NN_MAX_RANK] = { 0 };

  *moves = permutation (from, to, perm);
  return *moves ? nn_tensor_transpose (tensor, perm) : nn_tensor_copy (tensor);
}

static gint64
extent_of (const Sum     *sum,
           const NnShape *in,
           const NnShape *kernel,
           char           letter)
{
  const char *at = strchr (sum->in, letter);

  return at != NULL ? in->dims[at - sum->in] : kernel->dims[strchr (sum->kernel, letter) - sum->kernel];
}

/* One number for each letter of the shared and outer axes, or NULL where the bias differs along the others. */
static NnTensor *
bias_row (const Sum      *sum,
          const NnTensor *bias,
          const NnShape  *in,
          const NnShape  *kernel)
{
  guint rank = (guint) strlen (sum->out);
  gint64 n = sum->shared.size * sum->outer.size;
  char order[MAX_LETTERS] = "";
  g_autoptr (NnTensor) row = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n));

  append_letters (order, &sum->shared);
  append_letters (order, &sum->outer);
  if (bias->shape.rank > rank)
    return NULL;
  for (guint d = 0; d < bias->shape.rank; d++)
    if (bias->shape.dims[d] != 1 && strchr (order, sum->out[rank - bias->shape.rank + d]) == NULL)
      return NULL;
  for (gint64 k = 0; k < n; k++)
    {
      gint64 at[128] = { 0 }, rest = k;
      gsize index = 0;

      for (gsize l = strlen (order); l-- > 0;)
        {
          gint64 extent = extent_of (sum, in, kernel, order[l]);

          at[(guchar) order[l] & 127] = rest % extent;
          rest /= extent;
        }
      for (guint d = 0; d < bias->shape.rank; d++)
        index = index * (gsize) bias->shape.dims[d] +
                (bias->shape.dims[d] == 1 ? 0 : (gsize) at[(guchar) sum->out[rank - bias->shape.rank + d] & 127]);
      nn_tensor_f32 (row)[k] = nn_tensor_f32 (bias)[index];
    }
  return g_steal_pointer (&row);
}

/* The node that multiplies: a dense layer, or as many of them side by side as the shared axes have places. */
static NnNode *
add_product (NnRewrite     *rewrite,
             const NnNode  *node,
             const Sum     *sum,
             const NnShape *in,
             guint         *index)
{
  gboolean grouped = sum->shared.size > 1, flat = sum->free.n == 0 && !grouped;
  const char *name = nn_graph_builder_strdup (rewrite->builder, node->name);
  NnShape rows = flat ? NN_SHAPE (sum->inner.size) : NN_SHAPE (sum->free.size, sum->shared.size * sum->inner.size);
  NnNode *product;

  if (in == NULL || !nn_shape_equal (&rows, in))
    add_reshape (rewrite, node, "rows", rows, index);
  product = nn_rewrite_add (rewrite, grouped ? NN_OP_CONV1D : NN_OP_DENSE, name, grouped ? "PointwiseConv1D" : "Dense", *index,
                            node, index);
  product->attrs.units = sum->shared.size * sum->outer.size;
  product->attrs.groups = grouped ? sum->shared.size : 1;
  product->attrs.padding = NN_PADDING_VALID;
  for (guint d = 0; d < 2; d++)
    product->attrs.kernel[d] = product->attrs.stride[d] = product->attrs.dilation[d] = 1;
  return product;
}

static void
give_kernel (NnRewrite      *rewrite,
             const NnNode   *node,
             const Sum      *sum,
             const NnWeight *kernel,
             NnNode         *product)
{
  gint64 n_out = sum->shared.size * sum->outer.size;
  char order[MAX_LETTERS] = "";
  gboolean moves;
  NnTensor *values, *mask = NULL;
  NnQuantizer *quantizer = nn_graph_builder_quantizer (rewrite->builder, node->attrs.role_quantizer[NN_ROLE_KERNEL]);

  append_letters (order, &sum->inner);
  append_letters (order, &sum->shared);
  append_letters (order, &sum->outer);
  values = permuted (kernel->values, sum->kernel, order, &moves);
  values->shape = sum->shared.size > 1 ? NN_SHAPE (1, sum->inner.size, n_out) : NN_SHAPE (sum->inner.size, n_out);
  if (kernel->mask != NULL)
    {
      mask = permuted (kernel->mask, sum->kernel, order, &moves);
      mask->shape = values->shape;
      g_ptr_array_add (rewrite->tensors, mask);
    }
  nn_rewrite_set_weight (rewrite, product, NN_ROLE_KERNEL,
                         nn_rewrite_weight (rewrite, product->name, kernel->name, NN_ROLE_KERNEL, values, mask));
  /* weights in another order: what is told of single elements would be told of others, and pruning the same */
  if (moves)
    product->origin = product->name;
  product->attrs.role_quantizer[NN_ROLE_KERNEL] = quantizer;
}

/* A type of its own for each element stands in the order of the file; those weights are brought onto their grid first. */
static gboolean
has_order (const NnQuantizer *quantizer)
{
  return quantizer != NULL && (quantizer->per_element != NULL || quantizer->n_alpha > 1);
}

static gboolean
lower_einsum_dense (NnRewrite *rewrite,
                    guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnWeight *kernel = nn_model_node_weight (rewrite->model, node, NN_ROLE_KERNEL);
  const NnWeight *bias = nn_model_node_weight (rewrite->model, node, NN_ROLE_BIAS);
  const NnShape *in;
  guint index, perm[NN_MAX_RANK] = { 0 };
  gboolean turned;
  char order[MAX_LETTERS] = "", made[MAX_LETTERS] = "";
  NnTensor *row = NULL;
  NnShape shape = { 0 };
  NnNode *product;
  Sum sum;

  if (node->op != NN_OP_EINSUM_DENSE || kernel == NULL || has_order (node->attrs.role_quantizer[NN_ROLE_BIAS]))
    return FALSE;
  in = &nn_graph_node (rewrite->graph, node->inputs[0])->shape;
  if (!parse_sum (node, in, &kernel->values->shape, &sum) || !sort_letters (&sum, in, &kernel->values->shape) ||
      sum.free.n + sum.shared.n + sum.outer.n > NN_MAX_RANK - 1)
    return FALSE;
  append_letters (order, &sum.inner);
  append_letters (order, &sum.shared);
  append_letters (order, &sum.outer);
  if (has_order (node->attrs.role_quantizer[NN_ROLE_KERNEL]) && permutation (sum.kernel, order, perm))
    return FALSE;
  if (bias != NULL && (row = bias_row (&sum, bias->values, in, &kernel->values->shape)) == NULL)
    return FALSE;
  index = rewrite->map[node->inputs[0]];
  order[0] = '\0';
  append_letters (order, &sum.free);
  append_letters (order, &sum.shared);
  append_letters (order, &sum.inner);
  memset (perm, 0, sizeof perm);
  turned = permutation (sum.in, order, perm);
  if (turned)
    add_permute (rewrite, node, "inputs", perm, &index);
  product = add_product (rewrite, node, &sum, turned ? NULL : in, &index);
  give_kernel (rewrite, node, &sum, kernel, product);
  if (row != NULL)
    nn_rewrite_set_weight (rewrite, product, NN_ROLE_BIAS,
                           nn_rewrite_weight (rewrite, product->name, bias->name, NN_ROLE_BIAS, row, NULL));
  product->attrs.use_bias = row != NULL;
  product->attrs.role_quantizer[NN_ROLE_BIAS] = nn_graph_builder_quantizer (rewrite->builder, node->attrs.role_quantizer[NN_ROLE_BIAS]);
  /* a channel group's outputs follow each other: (free, shared, outer) */
  append_letters (made, &sum.free);
  append_letters (made, &sum.shared);
  append_letters (made, &sum.outer);
  for (guint d = 0; made[d] != '\0'; d++)
    shape.dims[shape.rank++] = extent_of (&sum, in, &kernel->values->shape, made[d]);
  if (shape.rank > 2 || (shape.rank == 2 && sum.free.n != 1) || (shape.rank == 1 && (sum.free.n > 0 || sum.shared.size > 1)))
    add_reshape (rewrite, node, "shape", shape, &index);
  memset (perm, 0, sizeof perm);
  if (permutation (made, sum.out, perm))
    add_permute (rewrite, node, "outputs", perm, &index);
  if (node->attrs.act != NN_ACT_LINEAR || node->attrs.quantizer != NULL)
    {
      /* the rest of the layer works on each element alone: it may as well stand at the end */
      g_autofree char *wanted = g_strdup_printf ("%s_%s", node->name, nn_act_name (node->attrs.act));
      NnNode *act = nn_rewrite_add (rewrite, NN_OP_ACTIVATION, nn_rewrite_name (rewrite, wanted),
                                    node->attrs.act == NN_ACT_SOFTMAX ? "Softmax" : "Activation", index, node, &index);

      act->attrs = node->attrs;
      act->attrs.axis = -1;
      act->attrs.quantizer = nn_graph_builder_quantizer (rewrite->builder, node->attrs.quantizer);
      act->attrs.input_quantizer = act->attrs.sum_quantizer = NULL;
      for (guint role = 0; role < NN_N_ROLES; role++)
        act->attrs.role_quantizer[role] = NULL;
    }
  rewrite->map[i] = index;
  return TRUE;
}

NnModel *
nn_pass_lower_einsum_dense (const NnModel   *model,
                            const NnConfig  *config,
                            GError         **error)
{
  return nn_rewrite_run (model, config, lower_einsum_dense, error);
}
