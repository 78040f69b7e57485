/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dead neurons and filters. Nodes whose channels are the same ones (a layer, its activation, its pooling, both sides of an
 * addition) form a set; a channel of a set stays when some reader multiplies it by a weight that is not zero and leads on.
 */

#include "nn-reduce.h"

#include "nn-exec.h"

#include <math.h>
#include <string.h>

typedef struct {
  const NnModel *model;
  const NnGraph *graph;
  guint          n;
  guint         *set;      /* by node: a node that stands for its set */
  gboolean      *flat;     /* positions times channels in one axis */
  gsize         *channels; /* by set */
  guint8       **needed;   /* by set */
  gboolean      *barrier;  /* by node: its channels cannot go */
  NnTensor     **values;   /* by weight: with constants folded */
} Reduction;

static gboolean
is_layer (const NnNode *node)
{
  return node->op == NN_OP_DENSE || node->op == NN_OP_CONV1D || node->op == NN_OP_CONV2D;
}

static gboolean
has_channel_data (const NnQuantizer *q)
{
  return q != NULL && (q->n_alpha > 1 || q->per_element != NULL);
}

/* Nodes that hand on each channel by itself. */
static gboolean
passes_channels (const NnNode *node)
{
  switch (node->op)
    {
    case NN_OP_ACTIVATION:
      return node->attrs.act != NN_ACT_SOFTMAX;
    case NN_OP_DROPOUT:
    case NN_OP_QUANTIZE:
    case NN_OP_FLATTEN:
    case NN_OP_ADD:
    case NN_OP_SUBTRACT:
    case NN_OP_MULTIPLY:
    case NN_OP_AVERAGE:
    case NN_OP_MAXIMUM:
    case NN_OP_MINIMUM:
    case NN_OP_MAX_POOL1D:
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL1D:
    case NN_OP_AVG_POOL2D:
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      return TRUE;
    case NN_OP_CONCATENATE:
    case NN_OP_BATCH_NORM:
      return node->attrs.axis == -1 || node->attrs.axis == (gint) node->shape.rank - 1;
    default:
      return FALSE;
    }
}

static gboolean
is_plain (const Reduction *r,
          guint            i)
{
  const NnNode *node = nn_graph_node (r->graph, i);
  gboolean plain = is_layer (node) || passes_channels (node);

  plain = plain && !has_channel_data (node->attrs.quantizer) && !has_channel_data (node->attrs.input_quantizer) &&
          !has_channel_data (node->attrs.sum_quantizer) && node->attrs.groups <= 1 && !node->attrs.time_distributed;
  for (guint k = 1; plain && k < node->n_inputs && node->op != NN_OP_CONCATENATE; k++)
    plain = nn_shape_last (&nn_graph_node (r->graph, node->inputs[k])->shape) == nn_shape_last (&nn_graph_node (r->graph, node->inputs[0])->shape);
  for (guint role = 0; role < NN_N_ROLES; role++)
    plain = plain && !has_channel_data (node->attrs.role_quantizer[role]);
  for (guint k = 0; plain && k < node->n_weights; k++)
    {
      NnRole role = nn_model_weight (r->model, node->weights[k])->role;

      plain = role == NN_ROLE_KERNEL || role == NN_ROLE_BIAS ||
              (node->op == NN_OP_BATCH_NORM && role >= NN_ROLE_GAMMA && role <= NN_ROLE_VARIANCE);
      for (guint j = 0; plain && j < r->n; j++)
        for (guint m = 0; j != i && m < nn_graph_node (r->graph, j)->n_weights; m++)
          plain = plain && nn_graph_node (r->graph, j)->weights[m] != node->weights[k];
    }
  return plain;
}

static guint
find_set (const Reduction *r,
          guint            i)
{
  while (r->set[i] != i)
    i = r->set[i];
  return i;
}

static void
make_sets (Reduction *r)
{
  const guint *outputs;
  guint n_outputs;

  for (guint i = 0; i < r->n; i++)
    {
      const NnNode *node = nn_graph_node (r->graph, i);

      r->set[i] = i;
      r->barrier[i] = !is_plain (r, i) || node->attrs.act == NN_ACT_SOFTMAX;
      if (!is_plain (r, i) || is_layer (node))
        continue;
      for (guint k = 0; k < node->n_inputs; k++)
        {
          guint a = find_set (r, i), b = find_set (r, node->inputs[k]);

          if (node->op == NN_OP_CONCATENATE)
            {
              r->barrier[i] = r->barrier[i] || r->flat[node->inputs[k]];
              continue;
            }
          r->flat[i] = r->flat[i] || r->flat[node->inputs[k]] ||
                       (node->op == NN_OP_FLATTEN && nn_graph_node (r->graph, node->inputs[k])->shape.rank > 1);
          r->set[MAX (a, b)] = MIN (a, b);
        }
      /* After flattening only what works on each number alike. */
      if (r->flat[i] && node->op != NN_OP_FLATTEN && node->op != NN_OP_ACTIVATION && node->op != NN_OP_DROPOUT)
        r->barrier[i] = TRUE;
    }
  for (guint i = 0; i < r->n; i++)
    {
      const NnNode *node = nn_graph_node (r->graph, find_set (r, i));

      r->channels[i] = node->shape.rank > 0 ? (gsize) MAX (nn_shape_last (&node->shape), 1) : 1;
      if (find_set (r, i) == i)
        r->needed[i] = g_malloc0 (r->channels[i]);
    }
  outputs = nn_graph_outputs (r->graph, &n_outputs);
  for (guint k = 0; k < n_outputs; k++)
    r->barrier[outputs[k]] = TRUE;
  for (guint i = 0; i < r->n; i++)
    {
      const NnNode *node = nn_graph_node (r->graph, i);

      if (!r->barrier[i])
        continue;
      memset (r->needed[find_set (r, i)], 1, r->channels[i]);
      for (guint k = 0; !is_layer (node) && k < node->n_inputs; k++)
        memset (r->needed[find_set (r, node->inputs[k])], 1, r->channels[node->inputs[k]]);
      if (is_layer (node) && !is_plain (r, i))
        memset (r->needed[find_set (r, node->inputs[0])], 1, r->channels[node->inputs[0]]);
    }
}

static const float *
weight_of (const Reduction *r,
           const NnNode    *node,
           NnRole           role)
{
  guint id;

  return nn_model_node_weight_id (r->model, node, role, &id) ? nn_tensor_f32 (r->values[id]) : NULL;
}

static double constant_value (const Reduction *r, guint i, gsize c);

/* Of a layer whose weights for output @c are all zero: at every place what its bias makes. */
static double
constant_layer (const Reduction *r,
                const NnNode    *node,
                gsize            c)
{
  const float *kernel = weight_of (r, node, NN_ROLE_KERNEL), *bias = weight_of (r, node, NN_ROLE_BIAS);
  gsize n_out = (gsize) node->attrs.units, n = nn_model_node_weight (r->model, node, NN_ROLE_KERNEL)->values->n;

  if (node->attrs.role_quantizer[NN_ROLE_BIAS] != NULL)
    return NAN;
  for (gsize k = c; k < n; k += n_out)
    if (kernel[k] != 0)
      return NAN;
  return nn_act_value (&node->attrs, node->attrs.act, bias != NULL ? bias[c] : 0);
}

static double
constant_norm (const Reduction *r,
               const NnNode    *node,
               gsize            c,
               double           v)
{
  const float *gamma = weight_of (r, node, NN_ROLE_GAMMA), *beta = weight_of (r, node, NN_ROLE_BETA);
  const float *mean = weight_of (r, node, NN_ROLE_MEAN), *variance = weight_of (r, node, NN_ROLE_VARIANCE);

  if (mean == NULL || variance == NULL)
    return NAN;
  return (gamma != NULL ? gamma[c] : 1) * (v - mean[c]) / sqrt (variance[c] + node->attrs.epsilon) + (beta != NULL ? beta[c] : 0);
}

/* Channel @c of a concatenation is one of an input's. */
static double
constant_part (const Reduction *r,
               const NnNode    *node,
               gsize            c)
{
  for (guint k = 0; k < node->n_inputs; c -= r->channels[node->inputs[k++]])
    if (c < r->channels[node->inputs[k]])
      return constant_value (r, node->inputs[k], c);
  return NAN;
}

/* Channel @c of a node when it is the same for every input and at every place; NaN when it is not. */
static double
constant_value (const Reduction *r,
                guint            i,
                gsize            c)
{
  const NnNode *node = nn_graph_node (r->graph, i);
  const NnAttrs *a = &node->attrs;
  double sum = 0;

  if (!is_plain (r, i) || a->quantizer != NULL || a->input_quantizer != NULL || a->sum_quantizer != NULL || a->act == NN_ACT_QUANTIZED)
    return NAN;
  switch (node->op)
    {
    case NN_OP_DENSE:
    case NN_OP_CONV1D:
    case NN_OP_CONV2D:
      return constant_layer (r, node, c);
    case NN_OP_CONCATENATE:
      return constant_part (r, node, c);
    case NN_OP_ADD:
      for (guint k = 0; k < node->n_inputs; k++)
        sum += constant_value (r, node->inputs[k], c);
      return sum;
    case NN_OP_ACTIVATION:
      sum = constant_value (r, node->inputs[0], c);
      return isnan (sum) ? NAN : nn_act_value (a, a->act, sum);
    case NN_OP_BATCH_NORM:
      return constant_norm (r, node, c, constant_value (r, node->inputs[0], c));
    case NN_OP_DROPOUT:
    case NN_OP_FLATTEN:
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
      return constant_value (r, node->inputs[0], c);
    case NN_OP_MAX_POOL1D:
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL1D:
    case NN_OP_AVG_POOL2D:
      return a->padding == NN_PADDING_VALID ? constant_value (r, node->inputs[0], c) : NAN;
    default:
      return NAN;
    }
}

/* Channel @c of what layer @node reads is @v always: into its biases with it. At a padded border it would not be @v. */
static void
fold_constant (Reduction    *r,
               const NnNode *node,
               gsize         c,
               double        v)
{
  gsize n_out = (gsize) node->attrs.units, channels = r->channels[node->inputs[0]];
  guint kernel, bias;
  float *k;

  if (!nn_model_node_weight_id (r->model, node, NN_ROLE_KERNEL, &kernel))
    return;
  if (v != 0 && ((node->op != NN_OP_DENSE && node->attrs.padding != NN_PADDING_VALID) ||
                 !nn_model_node_weight_id (r->model, node, NN_ROLE_BIAS, &bias)))
    return;
  k = nn_tensor_f32 (r->values[kernel]);
  for (gsize e = 0; e < r->values[kernel]->n; e++)
    if (e / n_out % channels == c)
      {
        if (v != 0)
          nn_tensor_f32 (r->values[bias])[e % n_out] += (float) (v * k[e]);
        k[e] = 0;
      }
}

/* Inputs of layers that never change go into the biases. In the order of the graph, so that chains of them do too. */
static void
fold_constants (Reduction *r)
{
  for (guint i = 0; i < r->n; i++)
    {
      const NnNode *node = nn_graph_node (r->graph, i);

      if (!is_layer (node) || !is_plain (r, i) || node->attrs.role_quantizer[NN_ROLE_BIAS] != NULL ||
          node->attrs.role_quantizer[NN_ROLE_KERNEL] != NULL)
        continue;
      for (gsize c = 0; c < r->channels[node->inputs[0]]; c++)
        {
          double v = constant_value (r, node->inputs[0], c);

          if (isfinite (v))
            fold_constant (r, node, c, v);
        }
    }
}

/* A layer without outputs is none. */
static gboolean
mark_empty (Reduction *r)
{
  gboolean changed = FALSE;

  for (guint i = 0; i < r->n; i++)
    if (r->needed[i] != NULL && memchr (r->needed[i], 1, r->channels[i]) == NULL)
      {
        r->needed[i][0] = 1;
        changed = TRUE;
      }
  return changed;
}

/* What a concatenation's reader needs is needed of its inputs, and what is there for another reader stays in it. */
static gboolean
mark_concatenated (Reduction *r)
{
  gboolean changed = FALSE;

  for (guint i = r->n; i-- > 0;)
    {
      const NnNode *node = nn_graph_node (r->graph, i);
      gsize at = 0;

      if (node->op != NN_OP_CONCATENATE || !is_plain (r, i))
        continue;
      for (guint k = 0; k < node->n_inputs; k++)
        {
          guint8 *in = r->needed[find_set (r, node->inputs[k])], *out = r->needed[find_set (r, i)] + at;
          gsize n = r->channels[node->inputs[k]];

          for (gsize c = 0; c < n; c++)
            if (in[c] != out[c])
              {
                in[c] = out[c] = 1;
                changed = TRUE;
              }
          at += n;
        }
    }
  return changed;
}

/* One round from the readers back; returns whether anything was new. */
static gboolean
mark_needed (Reduction *r)
{
  gboolean changed = FALSE;

  for (guint i = r->n; i-- > 0;)
    {
      const NnNode *node = nn_graph_node (r->graph, i);
      const float *kernel;
      const guint8 *wanted = r->needed[find_set (r, i)];
      guint8 *needed;
      gsize n_out, n, channels;

      if (!is_layer (node) || !is_plain (r, i))
        continue;
      kernel = weight_of (r, node, NN_ROLE_KERNEL);
      n = nn_model_node_weight (r->model, node, NN_ROLE_KERNEL)->values->n;
      n_out = (gsize) node->attrs.units;
      needed = r->needed[find_set (r, node->inputs[0])];
      channels = r->channels[node->inputs[0]];
      for (gsize k = 0; k < n; k++)
        if (kernel[k] != 0 && wanted[k % n_out] && !needed[k / n_out % channels])
          {
            needed[k / n_out % channels] = TRUE;
            changed = TRUE;
          }
    }
  return changed;
}

/* The elements of @from (…, in, out) whose input and output stay. @in (nullable) repeats every @n_in elements. */
static NnTensor *
slice (const NnTensor *from,
       const guint8   *in,
       gsize           n_in,
       const guint8   *out,
       gsize           n_out)
{
  NnShape shape = from->shape;
  gsize size = nn_dtype_size (from->dtype), kept_in = 0, kept_out = 0, to = 0;
  NnTensor *result;

  for (gsize c = 0; c < n_in; c++)
    kept_in += in == NULL || in[c];
  for (gsize c = 0; c < n_out; c++)
    kept_out += out[c];
  shape.dims[shape.rank - 1] = (gint64) kept_out;
  if (in != NULL)
    shape.dims[shape.rank - 2] = shape.dims[shape.rank - 2] / (gint64) n_in * (gint64) kept_in;
  result = nn_tensor_new (from->dtype, &shape);
  for (gsize k = 0; k < from->n; k++)
    if (out[k % n_out] && (in == NULL || in[k / n_out % n_in]))
      {
        memcpy ((char *) result->data + to * size, (const char *) from->data + k * size, size);
        to++;
      }
  g_assert (to == result->n);
  return result;
}

static NnModel *
rebuild (Reduction *r,
         GError   **error)
{
  guint n_weights = nn_model_n_weights (r->model);
  g_autofree NnWeight *weights = g_new (NnWeight, MAX (n_weights, 1));
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  const guint *outputs;
  guint n_outputs;

  for (guint i = 0; i < n_weights; i++)
    {
      weights[i] = *nn_model_weight (r->model, i);
      weights[i].values = r->values[i];
    }
  for (guint i = 0; i < r->n; i++)
    {
      const NnNode *node = nn_graph_node (r->graph, i);
      const guint8 *out = r->needed[find_set (r, i)];
      gsize n_out = r->channels[i], kept = 0;
      NnNode *copy = nn_graph_builder_add_copy (builder, node, node->inputs, node->n_inputs);

      nn_graph_builder_weights (builder, copy, node->weights, node->n_weights);
      if (!is_plain (r, i))
        continue;
      for (gsize c = 0; c < n_out; c++)
        kept += out[c];
      if (is_layer (node))
        {
          copy->attrs.units = (gint64) kept;
          copy->source = NULL;
        }
      for (guint k = 0; k < node->n_weights; k++)
        {
          NnWeight *w = &weights[node->weights[k]];
          guint input = find_set (r, node->inputs[0]);
          const guint8 *in = w->role == NN_ROLE_KERNEL ? r->needed[input] : NULL;
          gsize n_in = in != NULL ? r->channels[input] : 1;

          w->values = slice (w->values, in, n_in, out, n_out);
          g_ptr_array_add (hold, w->values);
          if (w->mask != NULL)
            {
              w->mask = slice (w->mask, in, n_in, out, n_out);
              g_ptr_array_add (hold, w->mask);
            }
        }
    }
  outputs = nn_graph_outputs (r->graph, &n_outputs);
  for (guint k = 0; k < n_outputs; k++)
    nn_graph_builder_output (builder, outputs[k]);
  graph = nn_graph_builder_seal (builder, error);
  return graph != NULL ? nn_model_new (graph, weights, n_weights, nn_model_info (r->model), error) : NULL;
}

NnModel *
nn_model_reduce (const NnModel *model,
                 gsize         *n_removed,
                 GError       **error)
{
  Reduction r = { .model = model, .graph = nn_model_graph (model) };
  guint n_weights = nn_model_n_weights (model);
  gsize removed = 0;
  NnModel *result;

  r.n = nn_graph_n_nodes (r.graph);
  r.set = g_new0 (guint, r.n);
  r.flat = g_new0 (gboolean, r.n);
  r.channels = g_new0 (gsize, r.n);
  r.needed = g_new0 (guint8 *, r.n);
  r.barrier = g_new0 (gboolean, r.n);
  r.values = g_new0 (NnTensor *, MAX (n_weights, 1));
  for (guint i = 0; i < n_weights; i++)
    r.values[i] = nn_tensor_copy (nn_model_weight (model, i)->values);
  make_sets (&r);
  fold_constants (&r);
  while (mark_needed (&r) || mark_concatenated (&r) || mark_empty (&r))
    ;
  for (guint i = 0; i < r.n; i++)
    for (gsize c = 0; r.needed[i] != NULL && c < r.channels[i]; c++)
      removed += !r.needed[i][c];
  result = removed > 0 ? rebuild (&r, error) : nn_model_ref ((NnModel *) model);
  if (n_removed != NULL)
    *n_removed = removed;
  for (guint i = 0; i < r.n; i++)
    g_free (r.needed[i]);
  for (guint i = 0; i < n_weights; i++)
    nn_tensor_unref (r.values[i]);
  g_free (r.set);
  g_free (r.flat);
  g_free (r.channels);
  g_free (r.needed);
  g_free (r.barrier);
  g_free (r.values);
  return result;
}
