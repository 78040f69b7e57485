/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attention, GarNet, tables and trees in double precision. */

#include "nn-exec-private.h"

#include "nn-extra.h"
#include "nn-quant.h"

#include <math.h>
#include <string.h>

/* Sizes of an attention layer. */
typedef struct {
  gsize heads, key, value; /* heads and the width of each */
  gsize n_query, n_key;    /* steps */
  gsize query_in, key_in, value_in, out;
} Attention;

gboolean
nn_prepare_attention (NnStep  *step,
                      GError **error)
{
  const NnAttrs *a = &step->node->attrs;
  guint v = step->node->n_inputs > 1 ? 1 : 0, k = step->node->n_inputs > 2 ? 2 : v;
  Attention *t = g_new0 (Attention, 1);

  step->plan = t;
  for (guint i = 0; i < step->node->n_inputs; i++)
    if (step->in_shape[i].rank != 2)
      return nn_step_fail (step, "its inputs need the axes steps, features", error);
  if (a->n_heads < 1 || a->key_dim < 1)
    return nn_step_fail (step, "heads and key dimension must be positive", error);
  t->heads = a->n_heads;
  t->key = a->key_dim;
  t->value = a->value_dim > 0 ? a->value_dim : a->key_dim;
  t->n_query = step->in_shape[0].dims[0];
  t->n_key = step->in_shape[v].dims[0];
  t->query_in = step->in_shape[0].dims[1];
  t->value_in = step->in_shape[v].dims[1];
  t->key_in = step->in_shape[k].dims[1];
  t->out = nn_shape_last (&step->shape);
  if (step->in_shape[k].dims[0] != (gint64) t->n_key || step->n != t->n_query * t->out)
    return nn_step_fail (step, "its inputs or output differ in the number of steps", error);
  step->n_scratch = t->heads * (t->n_query * t->key + t->n_key * (t->key + t->value) + t->n_query * t->value) + t->n_key;
  return nn_step_need (step, NN_ROLE_QUERY_KERNEL, t->query_in * t->heads * t->key, error) &&
         nn_step_need (step, NN_ROLE_KEY_KERNEL, t->key_in * t->heads * t->key, error) &&
         nn_step_need (step, NN_ROLE_VALUE_KERNEL, t->value_in * t->heads * t->value, error) &&
         nn_step_need (step, NN_ROLE_OUTPUT_KERNEL, t->heads * t->value * t->out, error) &&
         (step->w_n[NN_ROLE_QUERY_BIAS] == 0 || nn_step_need (step, NN_ROLE_QUERY_BIAS, t->heads * t->key, error)) &&
         (step->w_n[NN_ROLE_KEY_BIAS] == 0 || nn_step_need (step, NN_ROLE_KEY_BIAS, t->heads * t->key, error)) &&
         (step->w_n[NN_ROLE_VALUE_BIAS] == 0 || nn_step_need (step, NN_ROLE_VALUE_BIAS, t->heads * t->value, error)) &&
         (step->w_n[NN_ROLE_OUTPUT_BIAS] == 0 || nn_step_need (step, NN_ROLE_OUTPUT_BIAS, t->out, error));
}

/* y (rows, m) = x (rows, n) kernel (n, m) + bias */
static void
project (const double *x,
         gsize         rows,
         gsize         n,
         const double *kernel,
         const double *bias,
         gsize         m,
         double       *y)
{
  for (gsize r = 0; r < rows; r++, y += m)
    {
      for (gsize j = 0; j < m; j++)
        y[j] = bias != NULL ? bias[j] : 0;
      for (gsize i = 0; i < n; i++)
        for (gsize j = 0; j < m; j++)
          y[j] += x[r * n + i] * kernel[i * m + j];
    }
}

/* One head of one query: a softmax over the keys, then the mean of the values by it. */
static void
attend (const Attention *t,
        const double    *query,
        const double    *keys,
        const double    *values,
        double          *score,
        double          *out)
{
  double max = -INFINITY, sum = 0;

  for (gsize s = 0; s < t->n_key; s++)
    {
      score[s] = 0;
      for (gsize i = 0; i < t->key; i++)
        score[s] += query[i] * keys[s * t->heads * t->key + i];
      score[s] /= sqrt (t->key);
      max = fmax (max, score[s]);
    }
  for (gsize s = 0; s < t->n_key; s++)
    sum += score[s] = exp (score[s] - max);
  for (gsize i = 0; i < t->value; i++)
    {
      out[i] = 0;
      for (gsize s = 0; s < t->n_key; s++)
        out[i] += score[s] / sum * values[s * t->heads * t->value + i];
    }
}

/* Source: Keras 2.13 MultiHeadAttention; Vaswani et al. 2017, 3.2. */
void
nn_step_attention (const NnStep        *step,
                   const double *const *in,
                   double              *out,
                   double              *scratch)
{
  const Attention *t = step->plan;
  guint v = step->node->n_inputs > 1 ? 1 : 0, k = step->node->n_inputs > 2 ? 2 : v;
  double *q = scratch, *keys = q + t->n_query * t->heads * t->key, *values = keys + t->n_key * t->heads * t->key;
  double *mixed = values + t->n_key * t->heads * t->value, *score = mixed + t->n_query * t->heads * t->value;

  project (in[0], t->n_query, t->query_in, step->w[NN_ROLE_QUERY_KERNEL], step->w[NN_ROLE_QUERY_BIAS], t->heads * t->key, q);
  project (in[k], t->n_key, t->key_in, step->w[NN_ROLE_KEY_KERNEL], step->w[NN_ROLE_KEY_BIAS], t->heads * t->key, keys);
  project (in[v], t->n_key, t->value_in, step->w[NN_ROLE_VALUE_KERNEL], step->w[NN_ROLE_VALUE_BIAS], t->heads * t->value,
           values);
  for (gsize s = 0; s < t->n_query; s++)
    for (gsize h = 0; h < t->heads; h++)
      attend (t, q + (s * t->heads + h) * t->key, keys + h * t->key, values + h * t->value, score,
              mixed + (s * t->heads + h) * t->value);
  project (mixed, t->n_query, t->heads * t->value, step->w[NN_ROLE_OUTPUT_KERNEL], step->w[NN_ROLE_OUTPUT_BIAS], t->out, out);
}

#define GARNET_WEIGHTS 6 /* kernel and bias of FLR, S and Fout */

/* Width of what a layer's output transform reads. */
static gsize
garnet_updated (const NnGarNet      *garnet,
                const NnGarNetLayer *layer,
                gsize                width)
{
  if (garnet->simplified)
    return layer->n_aggregators * layer->n_propagate;
  return width + 2 * layer->n_aggregators * (layer->n_propagate + layer->n_aggregators) + layer->n_aggregators;
}

/* Sizes of a layer's weights, in their order. */
static void
garnet_sizes (const NnGarNet      *garnet,
              const NnGarNetLayer *layer,
              gsize                width,
              gsize               *sizes)
{
  sizes[0] = width * layer->n_propagate;
  sizes[1] = layer->n_propagate;
  sizes[2] = width * layer->n_aggregators;
  sizes[3] = layer->n_aggregators;
  sizes[4] = garnet_updated (garnet, layer, width) * layer->n_filters;
  sizes[5] = layer->n_filters;
}

gboolean
nn_prepare_garnet (NnStep  *step,
                   GError **error)
{
  const NnGarNet *garnet = step->node->attrs.extra;
  gsize vertices = step->in_shape[0].rank == 2 ? step->in_shape[0].dims[0] : 0, width, widest = 0, work = 0;

  if (garnet == NULL || vertices == 0 || step->others->len != garnet->n_layers * GARNET_WEIGHTS)
    return nn_step_fail (step, "its settings, weights or the axes vertices, features are missing", error);
  width = step->in_shape[0].dims[1];
  if (step->node->n_inputs < 2 && width < 4)
    return nn_step_fail (step, "without a number of vertices its input needs four features", error);
  for (guint l = 0; l < garnet->n_layers; l++)
    {
      const NnGarNetLayer *layer = &garnet->layers[l];
      gsize carried = layer->n_propagate + (garnet->simplified ? 0 : layer->n_aggregators), sizes[GARNET_WEIGHTS];

      garnet_sizes (garnet, layer, width, sizes);
      for (guint i = 0; i < GARNET_WEIGHTS; i++)
        if (((NnTensor *) step->others->pdata[l * GARNET_WEIGHTS + i])->n != sizes[i])
          return nn_step_fail (step, "a weight does not fit", error);
      work = MAX (work, vertices * (carried + layer->n_aggregators) + 2 * layer->n_aggregators * carried +
                          garnet_updated (garnet, layer, width));
      width = layer->n_filters;
      widest = MAX (widest, width);
    }
  step->n_scratch = vertices * (1 + 2 * widest) + work;
  return step->n == (garnet->collapse == NN_COLLAPSE_NONE ? vertices : 1) * width ||
         nn_step_fail (step, "its output shape does not fit its settings", error);
}

/* Mean (and largest) of weighted features over the vertices, for every aggregator. */
static void
garnet_aggregate (const NnGarNet *garnet,
                  gsize           vertices,
                  double          n_true,
                  const double   *features,
                  gsize           carried,
                  const double   *edges,
                  gsize           aggregators,
                  double         *to)
{
  gsize width = garnet->simplified ? carried : 2 * carried;

  for (gsize s = 0; s < aggregators; s++)
    for (gsize f = 0; f < carried; f++)
      {
        double sum = 0, max = -INFINITY;

        for (gsize v = 0; v < vertices; v++)
          {
            double x = edges[v * aggregators + s] * features[v * carried + f];

            sum += x;
            max = fmax (max, x);
          }
        sum /= garnet->mean_by_nvert ? fmax (n_true, 1) : vertices;
        if (garnet->simplified)
          to[s * width + f] = sum;
        else
          {
            to[s * width + f] = max;
            to[s * width + carried + f] = sum;
          }
      }
}

static void
garnet_layer (const NnStep *step,
              guint         l,
              gsize         vertices,
              const double *mask,
              double        n_true,
              const double *data,
              gsize         width,
              double       *out,
              double       *scratch)
{
  const NnGarNet *garnet = step->node->attrs.extra;
  const NnGarNetLayer *layer = &garnet->layers[l];
  const double *w[GARNET_WEIGHTS];
  gsize s_n = layer->n_aggregators, p_n = layer->n_propagate, carried = p_n + (garnet->simplified ? 0 : s_n);
  gsize aggregated = garnet->simplified ? carried : 2 * carried, updated = garnet_updated (garnet, layer, width);
  double *features = scratch, *edges = features + vertices * carried, *sums = edges + vertices * s_n;
  double *row = sums + 2 * s_n * carried;

  for (guint i = 0; i < GARNET_WEIGHTS; i++)
    w[i] = nn_tensor_f64 (step->others->pdata[l * GARNET_WEIGHTS + i]);
  for (gsize v = 0; v < vertices; v++)
    {
      double *e = edges + v * s_n, *f = features + v * carried;

      project (data + v * width, 1, width, w[2], w[3], s_n, e);
      project (data + v * width, 1, width, w[0], w[1], p_n, f);
      for (gsize s = 0; s < s_n; s++)
        e[s] = mask[v] * exp (-e[s] * e[s]);
      for (gsize i = 0; !garnet->simplified && i < p_n; i++)
        f[i] *= mask[v];
      if (!garnet->simplified)
        memcpy (f + p_n, e, s_n * sizeof *f);
    }
  garnet_aggregate (garnet, vertices, n_true, features, carried, edges, s_n, sums);
  for (gsize v = 0; v < vertices; v++)
    {
      double *to = row;

      if (!garnet->simplified)
        {
          memcpy (to, data + v * width, width * sizeof *to);
          to += width;
        }
      for (gsize s = 0; s < s_n; s++)
        for (gsize f = 0; f < aggregated; f++)
          *to++ = edges[v * s_n + s] * sums[s * aggregated + f];
      if (!garnet->simplified)
        memcpy (to, edges + v * s_n, s_n * sizeof *to);
      project (row, 1, updated, w[4], w[5], layer->n_filters, out + v * layer->n_filters);
      nn_act_apply (&step->node->attrs, layer->act, &NN_SHAPE (layer->n_filters), -1, out + v * layer->n_filters);
      for (gsize f = 0; f < layer->n_filters; f++)
        out[v * layer->n_filters + f] *= mask[v];
    }
}

static void
garnet_collapse (const NnGarNet *garnet,
                 gsize           vertices,
                 double          n_true,
                 const double   *values,
                 gsize           width,
                 double         *out)
{
  if (garnet->collapse == NN_COLLAPSE_NONE)
    {
      memcpy (out, values, vertices * width * sizeof *out);
      return;
    }
  for (gsize f = 0; f < width; f++)
    {
      double sum = 0, max = -INFINITY;

      for (gsize v = 0; v < vertices; v++)
        {
          sum += values[v * width + f];
          max = fmax (max, values[v * width + f]);
        }
      if (garnet->collapse == NN_COLLAPSE_MEAN)
        sum /= garnet->mean_by_nvert ? fmax (n_true, 1) : vertices;
      out[f] = garnet->collapse == NN_COLLAPSE_MAX ? max : sum;
    }
}

void
nn_step_garnet (const NnStep        *step,
                const double *const *in,
                double              *out,
                double              *scratch)
{
  const NnGarNet *garnet = step->node->attrs.extra;
  gsize vertices = step->in_shape[0].dims[0], width = step->in_shape[0].dims[1], widest = 0;
  double *mask = scratch, *values[2], *rest, n_true = 0;
  const double *data = in[0];

  for (guint l = 0; l < garnet->n_layers; l++)
    widest = MAX (widest, garnet->layers[l].n_filters);
  values[0] = mask + vertices;
  values[1] = values[0] + vertices * widest;
  rest = values[1] + vertices * widest;
  for (gsize v = 0; v < vertices; v++)
    {
      mask[v] = step->node->n_inputs > 1 ? v < (gsize) fmax (in[1][0], 0) : in[0][v * width + 3] != 0;
      n_true += mask[v];
    }
  for (guint l = 0; l < garnet->n_layers; l++)
    {
      garnet_layer (step, l, vertices, mask, n_true, data, width, values[l % 2], rest);
      data = values[l % 2];
      width = garnet->layers[l].n_filters;
    }
  garnet_collapse (garnet, vertices, n_true, data, width, out);
}

/* The table's index is the raw integer of the quantised input, negative ones at the end. */
gboolean
nn_prepare_lut (NnStep  *step,
                GError **error)
{
  const NnQuantizer *q = step->node->attrs.input_quantizer;

  if (step->w_n[NN_ROLE_VALUE] == 0)
    return nn_step_fail (step, "its table is missing", error);
  if (q == NULL || q->type.kind != NN_TYPE_FIXED || q->type.width > 24 ||
      step->w_n[NN_ROLE_VALUE] < (gsize) 1 << q->type.width)
    return nn_step_fail (step, "its table needs a fixed-point input that it is large enough for", error);
  return TRUE;
}

void
nn_step_lut (const NnStep        *step,
             const double *const *in,
             double              *out,
             double              *scratch)
{
  const NnType *type = &step->node->attrs.input_quantizer->type;
  guint64 mask = (G_GUINT64_CONSTANT (1) << type->width) - 1;

  for (gsize i = 0; i < step->n; i++)
    out[i] = step->w[NN_ROLE_VALUE][(guint64) nn_type_quantize (type, in[0][i], NULL) & mask];
}

gboolean
nn_prepare_trees (NnStep  *step,
                  GError **error)
{
  const NnTreeEnsemble *trees = step->node->attrs.extra;

  if (trees == NULL || trees->n_targets == 0)
    return nn_step_fail (step, "its trees are missing", error);
  for (guint i = 0; i < trees->n_nodes; i++)
    {
      const NnTreeNode *node = &trees->nodes[i];

      if (node->test == NN_TREE_LEAF ? node->first_leaf > trees->n_weights ||
                                         node->n_leaf > trees->n_weights - node->first_leaf
                                     : node->yes <= i || node->no <= i || node->yes >= trees->n_nodes ||
                                         node->no >= trees->n_nodes || node->feature >= step->in_n[0])
        return nn_step_fail (step, "a node of a tree leads nowhere, or asks for a feature that is not there", error);
    }
  for (guint i = 0; i < trees->n_roots; i++)
    if (trees->roots[i] >= trees->n_nodes)
      return nn_step_fail (step, "a tree has no root", error);
  for (guint i = 0; i < trees->n_weights; i++)
    if (trees->weights[i].target >= trees->n_targets)
      return nn_step_fail (step, "a leaf adds to an output that is not there", error);
  step->n_scratch = trees->n_targets;
  if (trees->complement && trees->n_targets != 1)
    return nn_step_fail (step, "only one sum has a complement", error);
  return step->n == (trees->post == NN_TREE_POST_LABEL ? 1 : trees->complement ? 2 : trees->n_targets) ||
         nn_step_fail (step, "its output does not fit its trees", error);
}

static gboolean
says_yes (const NnTreeNode *node,
          double            x)
{
  switch (node->test)
    {
    case NN_TREE_LEQ:
      return x <= node->threshold;
    case NN_TREE_LT:
      return x < node->threshold;
    case NN_TREE_GTE:
      return x >= node->threshold;
    case NN_TREE_GT:
      return x > node->threshold;
    case NN_TREE_EQ:
      return x == node->threshold;
    case NN_TREE_NEQ:
      return x != node->threshold;
    case NN_TREE_LEAF:
    default:
      return FALSE;
    }
}

void
nn_step_trees (const NnStep        *step,
               const double *const *in,
               double              *out,
               double              *scratch)
{
  const NnTreeEnsemble *trees = step->node->attrs.extra;
  NnAttrs none = { 0 };
  gsize best = 0;

  for (guint t = 0; t < trees->n_targets; t++)
    scratch[t] = 0;
  for (guint r = 0; r < trees->n_roots; r++)
    {
      const NnTreeNode *node = &trees->nodes[trees->roots[r]];

      while (node->test != NN_TREE_LEAF)
        node = &trees->nodes[says_yes (node, in[0][node->feature]) ? node->yes : node->no];
      for (guint i = 0; i < node->n_leaf; i++)
        scratch[trees->weights[node->first_leaf + i].target] += trees->weights[node->first_leaf + i].weight;
    }
  for (guint t = 0; t < trees->n_targets; t++)
    {
      scratch[t] = scratch[t] / (trees->average ? MAX (trees->n_roots, 1) : 1) + (trees->base != NULL ? trees->base[t] : 0);
      best = scratch[t] > scratch[best] ? t : best;
    }
  if (trees->post != NN_TREE_POST_LABEL)
    nn_act_apply (&none, trees->post == NN_TREE_POST_SOFTMAX    ? NN_ACT_SOFTMAX
                         : trees->post == NN_TREE_POST_LOGISTIC ? NN_ACT_SIGMOID
                                                                : NN_ACT_LINEAR,
                  &NN_SHAPE (trees->n_targets), -1, scratch);
  if (trees->post == NN_TREE_POST_LABEL)
    out[0] = trees->complement ? scratch[0] > 0.5 : best;
  else if (trees->complement)
    {
      out[0] = 1 - scratch[0];
      out[1] = scratch[0];
    }
  else
    memcpy (out, scratch, trees->n_targets * sizeof *out);
}
