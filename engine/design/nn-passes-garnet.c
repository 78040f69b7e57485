/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GarNet becomes the layers it is made of. */

#include "nn-passes-private.h"

#include <math.h>

/*
 * Distances and features of every vertex are dense layers; edges are exp (-distance^2) of the vertices that are there;
 * aggregators take means (and maxima) of the features over the vertices; a last dense layer sees what comes back.
 * Source: hls4ml contrib/garnet.py; Qasim et al., Eur. Phys. J. C 79 (2019) 608.
 */

/**
 * Garnet: one layer on its way.
 * @edges, @mask, @inverse: nodes already built: weights of the edges, which vertices are there, one over their number
 */
typedef struct {
  NnRewrite      *rewrite;
  const NnNode   *node;
  const NnGarnet *attrs;
  gint64          vertices, width, carried, aggregated;
  guint           edges, mask, inverse;
} Garnet;

static NnNode *
add (Garnet      *g,
     NnOp         op,
     const char  *suffix,
     const char  *class_name,
     const guint *inputs,
     guint        n_inputs,
     guint       *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", g->node->name, suffix);
  NnNode *node = nn_graph_builder_add (g->rewrite->builder, op, nn_rewrite_name (g->rewrite, wanted), class_name, inputs, n_inputs);

  *index = nn_graph_builder_n_nodes (g->rewrite->builder) - 1;
  node->origin = nn_graph_builder_strdup (g->rewrite->builder, g->node->origin);
  return node;
}

static guint
add_merge (Garnet     *g,
           NnOp        op,
           const char *suffix,
           guint       a,
           guint       b)
{
  guint inputs[2] = { a, b }, index;

  add (g, op, suffix, nn_op_info (op)->name, inputs, 2, &index)->attrs.axis = -1;
  return index;
}

static guint
add_sum (Garnet     *g,
         const char *suffix,
         const char *equation,
         guint       a,
         guint       b,
         NnShape     shape)
{
  guint inputs[2] = { a, b }, index;
  NnNode *node = add (g, NN_OP_EINSUM, suffix, "Einsum", inputs, 2, &index);

  node->attrs.equation = nn_graph_builder_strdup (g->rewrite->builder, equation);
  node->shape = shape;
  return index;
}

/* A type that follows from what the layer means, whatever the others are. */
static void
set_type (Garnet *g,
          NnNode *node,
          NnType  type)
{
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = type };

  node->attrs.quantizer = nn_graph_builder_quantizer (g->rewrite->builder, &q);
}

static guint
add_factor (Garnet     *g,
            const char *suffix,
            guint       input,
            gint64      channels,
            double      factor,
            const NnType *type)
{
  guint index;
  NnNode *node = add (g, NN_OP_SCALE, suffix, "ApplyAlpha", &input, 1, &index);
  NnTensor *scale = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (channels));

  for (gsize k = 0; k < scale->n; k++)
    nn_tensor_f32 (scale)[k] = (float) factor;
  nn_rewrite_set_weight (g->rewrite, node, NN_ROLE_SCALE,
                         nn_rewrite_weight (g->rewrite, node->name, "scale", NN_ROLE_SCALE, scale, NULL));
  if (type != NULL)
    {
      NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = *type };

      node->attrs.role_quantizer[NN_ROLE_SCALE] = nn_graph_builder_quantizer (g->rewrite->builder, &q);
    }
  return index;
}

static const NnWeight *
find_weight (const Garnet *g,
             const char   *stem,
             const char   *kind)
{
  g_autofree char *name = g_strconcat (stem, g->attrs->part, kind, NULL);

  for (guint k = 0; k < g->node->n_weights; k++)
    {
      const NnWeight *weight = nn_model_weight (g->rewrite->model, g->node->weights[k]);

      if (g_strcmp0 (weight->name, name) == 0)
        return weight;
    }
  return NULL;
}

static guint
add_dense (Garnet     *g,
           const char *suffix,
           const char *stem,
           guint       input,
           gint64      n_in,
           gint64      n_out,
           const NnQuantizer *kernel_quantizer,
           const NnQuantizer *bias_quantizer)
{
  const NnWeight *kernel = find_weight (g, stem, "_kernel"), *bias = find_weight (g, stem, "_bias");
  guint index;
  NnNode *node = add (g, NN_OP_DENSE, suffix, "Dense", &input, 1, &index);
  NnTensor *values = nn_tensor_copy (kernel->values);

  values->shape = NN_SHAPE (n_in, n_out);
  node->attrs.units = n_out;
  node->attrs.use_bias = bias != NULL;
  node->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (g->rewrite->builder, kernel_quantizer);
  node->attrs.role_quantizer[NN_ROLE_BIAS] = nn_graph_builder_quantizer (g->rewrite->builder, bias != NULL ? bias_quantizer : NULL);
  nn_rewrite_set_weight (g->rewrite, node, NN_ROLE_KERNEL,
                         nn_rewrite_weight (g->rewrite, node->name, "kernel", NN_ROLE_KERNEL, values, NULL));
  if (bias != NULL)
    nn_rewrite_set_weight (g->rewrite, node, NN_ROLE_BIAS,
                           nn_rewrite_weight (g->rewrite, node->name, "bias", NN_ROLE_BIAS, nn_tensor_copy (bias->values), NULL));
  return index;
}

static guint
add_activation (Garnet     *g,
                const char *suffix,
                NnAct       act,
                guint       input,
                NnNode    **node)
{
  guint index;

  *node = add (g, NN_OP_ACTIVATION, suffix, act == NN_ACT_SOFTMAX ? "Softmax" : "Activation", &input, 1, &index);
  (*node)->attrs.act = act;
  (*node)->attrs.axis = -1;
  return index;
}

#define COUNT_TYPE NN_UFIXED (16, 16)     /* of the number of vertices; hls4ml, an integer input */
#define DIFFERENCE_TYPE NN_FIXED (17, 17)

/* 1 for the first n vertices and 0 for the others: n - v, no more than 1 and no less than 0. */
static void
add_mask (Garnet *g,
          guint   count)
{
  NnNode *numbers, *difference, *mask, *source = nn_graph_builder_node (g->rewrite->builder, count);
  NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (g->vertices, 1));
  guint index, inputs[2] = { count, 0 };

  if (source->op == NN_OP_INPUT && source->attrs.quantizer == NULL)
    set_type (g, source, COUNT_TYPE);
  numbers = add (g, NN_OP_CONSTANT, "numbers", "Constant", NULL, 0, &inputs[1]);
  for (gint64 v = 0; v < g->vertices; v++)
    nn_tensor_f32 (values)[v] = (float) v;
  numbers->shape = values->shape;
  nn_rewrite_set_weight (g->rewrite, numbers, NN_ROLE_VALUE,
                         nn_rewrite_weight (g->rewrite, numbers->name, "value", NN_ROLE_VALUE, values, NULL));
  set_type (g, numbers, COUNT_TYPE);
  difference = add (g, NN_OP_SUBTRACT, "left", "Subtract", inputs, 2, &index);
  set_type (g, difference, DIFFERENCE_TYPE);
  g->mask = add_activation (g, "mask", NN_ACT_RELU, index, &mask);
  mask->attrs.max_value = 1;
  set_type (g, mask, NN_UFIXED (1, 1));
}

/* One over the number of vertices that are there, by a table. */
static void
add_inverse (Garnet *g,
             guint   count)
{
  int width = 1;
  NnQuantizer q = { .kind = NN_QUANT_FIXED };
  NnTensor *values;
  NnNode *word, *table;
  guint index;

  while ((gint64) 1 << width <= g->vertices)
    width++;
  q.type = NN_UFIXED (width, width);
  q.type.overflow = NN_OVERFLOW_SAT;
  word = add (g, NN_OP_QUANTIZE, "count", "FixedPointQuantizer", &count, 1, &index);
  word->attrs.quantizer = nn_graph_builder_quantizer (g->rewrite->builder, &q);
  table = add (g, NN_OP_UNARY_LUT, "inverse", "UnaryLUT", &index, 1, &g->inverse);
  table->attrs.input_quantizer = nn_graph_builder_quantizer (g->rewrite->builder, &q);
  values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) 1 << width));
  for (gsize k = 1; k < values->n; k++)
    nn_tensor_f32 (values)[k] = 1 / (float) k;
  nn_rewrite_set_weight (g->rewrite, table, NN_ROLE_VALUE,
                         nn_rewrite_weight (g->rewrite, table->name, "value", NN_ROLE_VALUE, values, NULL));
}

static guint
add_mean (Garnet     *g,
          const char *suffix,
          guint       sum,
          gint64      channels)
{
  return g->attrs->mean_by_nvert ? add_merge (g, NN_OP_MULTIPLY, suffix, sum, g->inverse)
                                 : add_factor (g, suffix, sum, channels, 1 / (double) g->vertices, NULL);
}

/* Weights of the edges between vertices and aggregators. */
static void
add_edges (Garnet *g,
           guint   data)
{
  gint64 n = g->attrs->n_aggregators;
  NnType minus = NN_FIXED (2, 2);
  NnNode *exponential;
  guint at = add_dense (g, "distances", "S", data, g->width, n, NULL, NULL);

  at = add_merge (g, NN_OP_MULTIPLY, "squares", at, at);
  at = add_factor (g, "negative", at, n, -1, &minus);
  at = add_activation (g, "exponential", NN_ACT_EXPONENTIAL, at, &exponential);
  g->edges = add_merge (g, NN_OP_MULTIPLY, "edges", at, g->mask);
}

/* (aggregators, features): the mean over the vertices, behind the maximum where that is wanted. */
static guint
add_aggregates (Garnet *g,
                guint   data)
{
  gint64 n = g->attrs->n_aggregators;
  guint features = add_dense (g, "features", "FLR", data, g->width, g->attrs->n_propagate,
                              g->attrs->feature_quantizer, g->attrs->feature_quantizer);
  guint mean, max;
  NnNode *largest;

  if (!g->attrs->simplified)
    {
      features = add_merge (g, NN_OP_MULTIPLY, "seen", features, g->mask);
      features = add_merge (g, NN_OP_CONCATENATE, "carried", features, g->edges);
    }
  mean = add_sum (g, "sums", "bvs,bvf->bsf", g->edges, features, NN_SHAPE (n, g->carried));
  mean = add_mean (g, "means", mean, g->carried);
  if (g->attrs->simplified)
    return mean;
  max = add_sum (g, "products", "bvs,bvf->bsfv", g->edges, features, NN_SHAPE (n, g->carried, g->vertices));
  largest = add (g, NN_OP_REDUCE_MAX, "maxima", "ReduceMax", &max, 1, &max);
  largest->attrs.axis = largest->attrs.axis2 = 2;
  return add_merge (g, NN_OP_CONCATENATE, "aggregates", max, mean);
}

static guint
add_outputs (Garnet *g,
             guint   data,
             guint   aggregates)
{
  gint64 n = g->attrs->n_aggregators, row = n * g->aggregated;
  guint at = add_sum (g, "returned", "bvs,bsf->bvsf", g->edges, aggregates, NN_SHAPE (g->vertices, n, g->aggregated));
  NnNode *node = add (g, NN_OP_RESHAPE, "rows", "Reshape", &at, 1, &at);

  node->attrs.target = NN_SHAPE (g->vertices, row);
  if (!g->attrs->simplified)
    {
      at = add_merge (g, NN_OP_CONCATENATE, "known", data, at);
      at = add_merge (g, NN_OP_CONCATENATE, "updated", at, g->edges);
      row += g->width + n;
    }
  at = add_dense (g, "output", "Fout", at, row, g->attrs->n_filters, g->attrs->output_quantizer, NULL);
  if (g->node->attrs.act != NN_ACT_LINEAR)
    at = add_activation (g, nn_act_name (g->node->attrs.act), g->node->attrs.act, at, &node);
  return add_merge (g, NN_OP_MULTIPLY, "masked", at, g->mask);
}

static guint
add_collapse (Garnet *g,
              guint   at)
{
  NnCollapse collapse = g->attrs->collapse;
  gboolean mean = collapse == NN_COLLAPSE_MEAN;
  NnNode *node;

  if (collapse == NN_COLLAPSE_NONE)
    return at;
  node = add (g, collapse == NN_COLLAPSE_MAX ? NN_OP_REDUCE_MAX : NN_OP_REDUCE_SUM, mean ? "total" : "collapsed",
              collapse == NN_COLLAPSE_MAX ? "ReduceMax" : "ReduceSum", &at, 1, &at);
  node->attrs.axis = node->attrs.axis2 = 0;
  return mean ? add_mean (g, "collapsed", at, g->attrs->n_filters) : at;
}

static gboolean
weights_fit (const Garnet *g)
{
  const NnGarnet *a = g->attrs;
  gint64 row = a->n_aggregators * g->aggregated + (a->simplified ? 0 : g->width + a->n_aggregators);
  const struct { const char *name; gint64 n; } all[] = {
    { "FLR", g->width * a->n_propagate }, { "S", g->width * a->n_aggregators }, { "Fout", row * a->n_filters },
  };

  for (guint k = 0; k < G_N_ELEMENTS (all); k++)
    {
      const NnWeight *weight = find_weight (g, all[k].name, "_kernel");

      if (weight == NULL || weight->values->n != (gsize) all[k].n)
        return FALSE;
    }
  return TRUE;
}

static gboolean
lower_garnet (NnRewrite *rewrite,
              guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnShape *in;
  Garnet g = { .rewrite = rewrite, .node = node, .attrs = node->attrs.extra };
  guint data, count, aggregates;

  if (node->op != NN_OP_GARNET || g.attrs == NULL || node->n_inputs != 2)
    return FALSE;
  in = &nn_graph_node (rewrite->graph, node->inputs[0])->shape;
  if (in->rank != 2 || nn_shape_count (&nn_graph_node (rewrite->graph, node->inputs[1])->shape) != 1)
    return FALSE;
  g.vertices = in->dims[0];
  g.width = in->dims[1];
  g.carried = g.attrs->n_propagate + (g.attrs->simplified ? 0 : g.attrs->n_aggregators);
  g.aggregated = (g.attrs->simplified ? 1 : 2) * g.carried;
  if (!weights_fit (&g))
    return FALSE;
  data = rewrite->map[node->inputs[0]];
  count = rewrite->map[node->inputs[1]];
  add_mask (&g, count);
  if (g.attrs->mean_by_nvert)
    add_inverse (&g, count);
  add_edges (&g, data);
  aggregates = add_aggregates (&g, data);
  rewrite->map[i] = add_collapse (&g, add_outputs (&g, data, aggregates));
  return TRUE;
}

NnModel *
nn_pass_lower_garnet (const NnModel   *model,
                      const NnConfig  *config,
                      GError         **error)
{
  return nn_rewrite_run (model, config, lower_garnet, error);
}
