/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's functions of one number become tables, exact for every value that their quantised input can have. Source: hls4ml,
 * keras_v3/hgq2: QUnaryFunctionLUT and QSoftmax become look-ups of rounded values. */

#include "nn-passes-private.h"

#include <math.h>

/* Inputs of more bits are left to the general kernels: a table of 2^14 numbers is a whole block memory. */
#define MAX_TABLE_BITS 14
#define MAX_CHAIN 8

/**
 * Chain: what is computed between two quantisers, one node after another.
 * @from: quantiser of the input
 * @to: node whose quantiser rounds the result
 */
typedef struct {
  guint nodes[MAX_CHAIN], n;
  guint from, to;
} Chain;

static gboolean
is_table_class (const NnNode *node)
{
  static const char *const classes[] = { "QLinformerAttention", "QMultiHeadAttention", "QSoftmax", "QUnaryFunctionLUT", NULL };

  return g_strv_contains (classes, node->class_name);
}

/* A quantiser with one type for all, of bits that are counted, and no scale. */
static gboolean
is_plain_quantizer (const NnNode *node)
{
  const NnQuantizer *q = node->attrs.quantizer;

  return node->op == NN_OP_QUANTIZE && q != NULL && q->kind == NN_QUANT_FIXED && q->n_elements == 0 &&
         q->alpha_mode == NN_ALPHA_ONE && q->type.kind == NN_TYPE_FIXED && q->type.width > 0;
}

/* A constant of one number. */
static const NnWeight *
one_number (const NnRewrite *rewrite,
            guint            i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnWeight *weight = node->op == NN_OP_CONSTANT ? nn_model_node_weight (rewrite->model, node, NN_ROLE_VALUE) : NULL;

  return weight != NULL && weight->values->n == 1 ? weight : NULL;
}

static gboolean
is_even (const NnWeight *weight)
{
  for (gsize k = 1; weight != NULL && k < weight->values->n; k++)
    if (nn_tensor_f32 (weight->values)[k] != nn_tensor_f32 (weight->values)[0])
      return FALSE;
  return TRUE;
}

static gboolean
has_function (NnAct act)
{
  return act == NN_ACT_LINEAR || act == NN_ACT_EXPONENTIAL || act == NN_ACT_TANH || act == NN_ACT_SIGMOID || act == NN_ACT_SOFTPLUS ||
         act == NN_ACT_SWISH || act == NN_ACT_SIN || act == NN_ACT_COS;
}

/* Whether node @i is a function of one number; @input: (out): the node it is a function of. */
static gboolean
is_link (const NnRewrite *rewrite,
         guint            i,
         guint           *input)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);

  if (!is_table_class (node) || node->attrs.quantizer != NULL || node->n_inputs == 0)
    return FALSE;
  *input = node->inputs[0];
  if (node->op == NN_OP_SCALE)
    return is_even (nn_model_node_weight (rewrite->model, node, NN_ROLE_SCALE)) &&
           is_even (nn_model_node_weight (rewrite->model, node, NN_ROLE_BIAS)) && node->attrs.act == NN_ACT_LINEAR;
  if (node->op == NN_OP_ACTIVATION)
    return has_function (node->attrs.act);
  if (node->op != NN_OP_DIVIDE || one_number (rewrite, node->inputs[0]) == NULL)
    return FALSE;
  *input = node->inputs[1];
  return TRUE;
}

/* The chain that node @i belongs to. */
static gboolean
find_chain (const NnRewrite *rewrite,
            guint            i,
            Chain           *chain)
{
  guint input = i, next, links[MAX_CHAIN], n = 0;
  gboolean function = FALSE;

  chain->n = 0;
  /* to the end, over links alone */
  for (guint k = 0; k < MAX_CHAIN && is_link (rewrite, i, &input); k++)
    {
      if (!nn_rewrite_single (rewrite, i, &next))
        return FALSE;
      i = next;
    }
  if (!is_plain_quantizer (nn_graph_node (rewrite->graph, i)))
    return FALSE;
  chain->to = i;
  input = nn_graph_node (rewrite->graph, i)->inputs[0];
  while (n < MAX_CHAIN && is_link (rewrite, i = input, &input))
    {
      if (!nn_rewrite_single (rewrite, i, &next))
        return FALSE;
      function |= nn_graph_node (rewrite->graph, i)->op != NN_OP_SCALE;
      links[n++] = i;
    }
  if (n == 0 || n == MAX_CHAIN || !function || !is_plain_quantizer (nn_graph_node (rewrite->graph, i)) ||
      nn_graph_node (rewrite->graph, i)->attrs.quantizer->type.width > MAX_TABLE_BITS)
    return FALSE;
  chain->from = i;
  while (n > 0)
    chain->nodes[chain->n++] = links[--n];
  return TRUE;
}

static double
apply (const NnRewrite *rewrite,
       const NnNode    *node,
       double           x)
{
  const NnWeight *scale = nn_model_node_weight (rewrite->model, node, NN_ROLE_SCALE);
  const NnWeight *bias = nn_model_node_weight (rewrite->model, node, NN_ROLE_BIAS);

  if (node->op == NN_OP_SCALE)
    return x * nn_tensor_f32 (scale->values)[0] + (bias != NULL ? nn_tensor_f32 (bias->values)[0] : 0);
  if (node->op == NN_OP_DIVIDE)
    return nn_tensor_f32 (one_number (rewrite, node->inputs[0])->values)[0] / x;
  switch (node->attrs.act)
    {
    case NN_ACT_EXPONENTIAL:
      return exp (x);
    case NN_ACT_TANH:
      return tanh (x);
    case NN_ACT_SIGMOID:
      return 1 / (1 + exp (-x));
    case NN_ACT_SOFTPLUS:
      return log1p (exp (x));
    case NN_ACT_SWISH:
      return x / (1 + exp (-x));
    case NN_ACT_SIN:
      return sin (x);
    case NN_ACT_COS:
      return cos (x);
    default:
      return x;
    }
}

/* The rounded result for every raw integer of the input, negative ones at the end. */
static NnTensor *
make_values (const NnRewrite *rewrite,
             const Chain     *chain)
{
  const NnType *in = &nn_graph_node (rewrite->graph, chain->from)->attrs.quantizer->type;
  const NnType *out = &nn_graph_node (rewrite->graph, chain->to)->attrs.quantizer->type;
  gint64 n = (gint64) 1 << in->width;
  NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n));

  for (gint64 k = 0; k < n; k++)
    {
      double x = nn_type_real (in, in->is_signed && k >= n / 2 ? k - n : k);

      for (guint i = 0; i < chain->n; i++)
        x = apply (rewrite, nn_graph_node (rewrite->graph, chain->nodes[i]), x);
      nn_tensor_f32 (values)[k] = (float) nn_type_real (out, nn_type_quantize (out, x, NULL));
    }
  return values;
}

static gboolean
make_table (NnRewrite *rewrite,
            guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  guint input = 0, consumer;
  Chain chain;
  NnNode *table;

  /* the constant goes with the division */
  if (one_number (rewrite, i) != NULL && nn_rewrite_single (rewrite, i, &consumer) && is_link (rewrite, consumer, &input) && input != i &&
      find_chain (rewrite, consumer, &chain))
    return TRUE;
  if (!(is_link (rewrite, i, &input) || is_plain_quantizer (node)) || !find_chain (rewrite, i, &chain))
    return FALSE;
  if (i != chain.to)
    {
      rewrite->map[i] = rewrite->map[chain.from];
      return TRUE;
    }
  table = nn_rewrite_add (rewrite, NN_OP_UNARY_LUT, node->name, "UnaryLUT", rewrite->map[chain.from], node, &rewrite->map[i]);
  table->attrs.input_quantizer = nn_graph_builder_quantizer (rewrite->builder, nn_graph_node (rewrite->graph, chain.from)->attrs.quantizer);
  table->attrs.quantizer = nn_graph_builder_quantizer (rewrite->builder, node->attrs.quantizer);
  nn_rewrite_set_weight (rewrite, table, NN_ROLE_VALUE,
                         nn_rewrite_weight (rewrite, table->name, "value", NN_ROLE_VALUE, make_values (rewrite, &chain), NULL));
  return TRUE;
}

NnModel *
nn_pass_make_tables (const NnModel   *model,
                     const NnConfig  *config,
                     GError         **error)
{
  return nn_rewrite_run (model, config, make_table, error);
}
