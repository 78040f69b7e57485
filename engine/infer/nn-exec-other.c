/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attention, GarNet, tables and trees in double precision. */

#include "nn-exec-private.h"

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

/* Sizes and weights of a GarNet layer. */
typedef struct {
  gsize vertices, width;           /* of the input */
  gsize aggregators, propagate, filters;
  gsize carried, aggregated, updated;
  double *kernel[3], *bias[3]; /* FLR, S, Fout */
} Garnet;

static double *
find_other (const NnStep *step,
            const char   *name,
            gsize         n)
{
  for (guint i = 0; i < step->others->len; i++)
    if (g_str_equal (step->other_names->pdata[i], name) && ((NnTensor *) step->others->pdata[i])->n == n)
      return nn_tensor_f64 (step->others->pdata[i]);
  return NULL;
}

/* Weights are this plan's own, so that they may be rounded where they are. */
static void
round_garnet (const NnQuantizer *quantizer,
              double            *values,
              gsize              n)
{
  const NnShape shape = NN_SHAPE ((gint64) n);

  if (quantizer != NULL && values != NULL)
    nn_quantize (quantizer, &shape, values);
}

gboolean
nn_prepare_garnet (NnStep  *step,
                   GError **error)
{
  static const char *const names[] = { "FLR", "S", "Fout" };
  const NnGarnet *attrs = step->node->attrs.extra;
  Garnet *g = g_new0 (Garnet, 1);
  gsize from[3], to[3];

  step->plan = g;
  if (attrs == NULL || step->in_shape[0].rank != 2 || step->node->n_inputs != 2)
    return nn_step_fail (step, "its settings, the axes vertices, features, or the number of vertices are missing", error);
  g->vertices = step->in_shape[0].dims[0];
  g->width = step->in_shape[0].dims[1];
  g->aggregators = attrs->n_aggregators;
  g->propagate = attrs->n_propagate;
  g->filters = attrs->n_filters;
  g->carried = g->propagate + (attrs->simplified ? 0 : g->aggregators);
  g->aggregated = attrs->simplified ? g->carried : 2 * g->carried;
  g->updated = g->aggregators * g->aggregated + (attrs->simplified ? 0 : g->width + g->aggregators);
  from[0] = from[1] = g->width;
  from[2] = g->updated;
  to[0] = g->propagate;
  to[1] = g->aggregators;
  to[2] = g->filters;
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *kernel = g_strconcat (names[i], attrs->part, "_kernel", NULL), *bias = g_strconcat (names[i], attrs->part, "_bias", NULL);

      g->kernel[i] = find_other (step, kernel, from[i] * to[i]);
      g->bias[i] = find_other (step, bias, to[i]);
      if (g->kernel[i] == NULL)
        return nn_step_fail (step, "a kernel is missing or does not fit", error);
      round_garnet (i == 0 ? attrs->feature_quantizer : i == 2 ? attrs->output_quantizer : NULL, g->kernel[i], from[i] * to[i]);
      round_garnet (i == 0 ? attrs->feature_quantizer : NULL, g->bias[i], to[i]);
    }
  step->n_scratch = g->vertices * (1 + g->carried + g->aggregators + g->filters) + g->aggregators * g->aggregated + g->updated;
  return step->n == (attrs->collapse == NN_COLLAPSE_NONE ? g->vertices : 1) * g->filters ||
         nn_step_fail (step, "its output shape does not fit its settings", error);
}

/* Mean (and largest) of the weighted features over the vertices, for every aggregator. */
static void
garnet_aggregate (const NnGarnet *attrs,
                  const Garnet   *g,
                  double          n_true,
                  const double   *features,
                  const double   *edges,
                  double         *to)
{
  for (gsize s = 0; s < g->aggregators; s++)
    for (gsize f = 0; f < g->carried; f++)
      {
        double sum = 0, max = -INFINITY, *at = to + s * g->aggregated + f;

        for (gsize v = 0; v < g->vertices; v++)
          {
            double x = edges[v * g->aggregators + s] * features[v * g->carried + f];

            sum += x;
            max = fmax (max, x);
          }
        sum /= attrs->mean_by_nvert ? n_true : g->vertices;
        if (!attrs->simplified)
          {
            *at = max;
            at += g->carried;
          }
        *at = sum;
      }
}

/* What vertices hand to the aggregators, and how near they are to each. */
static void
garnet_distances (const NnGarnet *attrs,
                  const Garnet   *g,
                  const double   *data,
                  const double   *mask,
                  double         *features,
                  double         *edges)
{
  for (gsize v = 0; v < g->vertices; v++)
    {
      double *e = edges + v * g->aggregators, *f = features + v * g->carried;

      project (data + v * g->width, 1, g->width, g->kernel[0], g->bias[0], g->propagate, f);
      project (data + v * g->width, 1, g->width, g->kernel[1], g->bias[1], g->aggregators, e);
      for (gsize s = 0; s < g->aggregators; s++)
        e[s] = mask[v] * exp (-e[s] * e[s]);
      for (gsize i = 0; !attrs->simplified && i < g->propagate; i++)
        f[i] *= mask[v];
      if (!attrs->simplified)
        memcpy (f + g->propagate, e, g->aggregators * sizeof *f);
    }
}

/* The output of one vertex. */
static void
garnet_vertex (const NnStep *step,
               const Garnet *g,
               const double *data,
               const double *edges,
               const double *sums,
               double        mask,
               double       *row,
               double       *out)
{
  const NnGarnet *attrs = step->node->attrs.extra;
  double *to = row;

  if (!attrs->simplified)
    {
      memcpy (to, data, g->width * sizeof *to);
      to += g->width;
    }
  for (gsize s = 0; s < g->aggregators; s++)
    for (gsize f = 0; f < g->aggregated; f++)
      *to++ = edges[s] * sums[s * g->aggregated + f];
  if (!attrs->simplified)
    memcpy (to, edges, g->aggregators * sizeof *to);
  project (row, 1, g->updated, g->kernel[2], g->bias[2], g->filters, out);
  nn_act_apply (&step->node->attrs, step->node->attrs.act, &NN_SHAPE ((gint64) g->filters), -1, out);
  for (gsize f = 0; f < g->filters; f++)
    out[f] *= mask;
}

static void
garnet_collapse (const NnGarnet *attrs,
                 const Garnet   *g,
                 double          n_true,
                 const double   *values,
                 double         *out)
{
  if (attrs->collapse == NN_COLLAPSE_NONE)
    memcpy (out, values, g->vertices * g->filters * sizeof *out);
  for (gsize f = 0; attrs->collapse != NN_COLLAPSE_NONE && f < g->filters; f++)
    {
      double sum = 0, max = -INFINITY;

      for (gsize v = 0; v < g->vertices; v++)
        {
          sum += values[v * g->filters + f];
          max = fmax (max, values[v * g->filters + f]);
        }
      if (attrs->collapse == NN_COLLAPSE_MEAN)
        sum /= attrs->mean_by_nvert ? n_true : g->vertices;
      out[f] = attrs->collapse == NN_COLLAPSE_MAX ? max : sum;
    }
}

/* Source: hls4ml contrib/garnet.py; Qasim et al., Eur. Phys. J. C 79 (2019) 608. */
void
nn_step_garnet (const NnStep        *step,
                const double *const *in,
                double              *out,
                double              *scratch)
{
  const NnGarnet *attrs = step->node->attrs.extra;
  const Garnet *g = step->plan;
  double *mask = scratch, *features = mask + g->vertices, *edges = features + g->vertices * g->carried;
  double *sums = edges + g->vertices * g->aggregators, *row = sums + g->aggregators * g->aggregated;
  double *values = row + g->updated, n_true = in[1][0];

  for (gsize v = 0; v < g->vertices; v++)
    mask[v] = v < n_true;
  garnet_distances (attrs, g, in[0], mask, features, edges);
  garnet_aggregate (attrs, g, n_true, features, edges, sums);
  for (gsize v = 0; v < g->vertices; v++)
    garnet_vertex (step, g, in[0] + v * g->width, edges + v * g->aggregators, sums, mask[v], row, values + v * g->filters);
  garnet_collapse (attrs, g, n_true, values, out);
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
  step->n_scratch = 2 * (gsize) trees->n_targets;
  if (trees->complement && trees->n_targets != 1)
    return nn_step_fail (step, "only one sum has a complement", error);
  return step->n == (trees->post == NN_TREE_POST_LABEL ? 1 : trees->complement ? 2 : trees->n_targets) ||
         nn_step_fail (step, "its output does not fit its trees", error);
}

static gboolean
says_yes (const NnTreeNode *node,
          double            x)
{
  if (isnan (x) && node->nan_yes)
    return TRUE;
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

/* What the tree's leaf says to each target; @votes counts who has voted. */
static void
vote (const NnTreeEnsemble *trees,
      const NnTreeNode     *leaf,
      double               *sums,
      double               *votes)
{
  for (guint i = 0; i < leaf->n_leaf; i++)
    {
      const NnTreeWeight *w = &trees->weights[leaf->first_leaf + i];
      double *sum = &sums[w->target];

      if (votes[w->target]++ == 0)
        *sum = w->weight;
      else if (trees->aggregate == NN_TREE_MIN || trees->aggregate == NN_TREE_MAX)
        *sum = trees->aggregate == NN_TREE_MIN ? MIN (*sum, w->weight) : MAX (*sum, w->weight);
      else
        *sum += w->weight;
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

  memset (scratch, 0, 2 * trees->n_targets * sizeof *scratch);
  for (guint r = 0; r < trees->n_roots; r++)
    {
      const NnTreeNode *node = &trees->nodes[trees->roots[r]];

      while (node->test != NN_TREE_LEAF)
        node = &trees->nodes[says_yes (node, in[0][node->feature]) ? node->yes : node->no];
      vote (trees, node, scratch, scratch + trees->n_targets);
    }
  for (guint t = 0; t < trees->n_targets; t++)
    {
      scratch[t] = scratch[t] / (trees->aggregate == NN_TREE_AVERAGE ? MAX (trees->n_roots, 1) : 1) + (trees->base != NULL ? trees->base[t] : 0);
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
