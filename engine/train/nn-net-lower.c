/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each operator of a graph as layers of the training engine. */

#include "nn-infer-shape.h"
#include "nn-net-lower.h"

#define MAX_TAPS 4096

static gsize
product (const NnShape *shape,
         guint          from,
         guint          to)
{
  gsize n = 1;

  for (guint i = from; i < to; i++)
    n *= (gsize) shape->dims[i];
  return n;
}

const NnShape *
nn_lower_input_shape (NnNetBuilder *b,
                      const NnNode *node,
                      guint         k)
{
  return &nn_graph_node (nn_model_graph (b->net->model), node->inputs[k])->shape;
}

gsize
nn_lower_axis (const NnShape *shape,
               gint           axis,
               gsize         *inner)
{
  guint a = axis < 0 ? (guint) (axis + (gint) shape->rank) : (guint) axis;

  *inner = product (shape, a + 1, shape->rank);
  return shape->rank > 0 ? (gsize) shape->dims[a] : 1;
}

static gboolean
is_plain_relu (const NnAttrs *a,
               NnAct          act)
{
  return act == NN_ACT_RELU && a->alpha == 0 && a->max_value == 0 && a->threshold == 0;
}

/* Whether nothing else reads what the node before this activation makes. */
static gboolean
is_only_reader (NnNetBuilder  *b,
                const NnNode  *node,
                const NnLayer *maker)
{
  const NnGraph *graph = nn_model_graph (b->net->model);
  guint n;

  if (maker->node == node)
    return TRUE;
  nn_graph_consumers (graph, node->inputs[0], &n);
  return n == 1 && nn_graph_node (graph, node->inputs[0]) == maker->node;
}

gboolean
nn_lower_activation (NnNetBuilder *b,
                     const NnNode *node,
                     NnAct         act,
                     guint         input,
                     guint        *output,
                     GError      **error)
{
  NnBuffer *in = nn_build_buffer (b, input);
  NnLayer *layer;

  *output = input;
  if (act == NN_ACT_LINEAR || act == NN_ACT_QUANTIZED)
    return TRUE; /* the quantiser follows */
  if (is_plain_relu (&node->attrs, act) && in->maker >= 0 && in->readers == 0)
    {
      layer = &g_array_index (b->layers, NnLayer, in->maker);
      if ((layer->kind == NN_LAYER_LINEAR || layer->kind == NN_LAYER_BATCH_NORM) && !layer->relu && is_only_reader (b, node, layer))
        {
          layer->relu = TRUE;
          return TRUE;
        }
    }
  layer = nn_build_layer (b, act == NN_ACT_SOFTMAX ? NN_LAYER_SOFTMAX : NN_LAYER_ACT, node, &input, 1, in->n, output);
  layer->act = act;
  if (act == NN_ACT_SOFTMAX)
    layer->channels = nn_lower_axis (&node->shape, node->op == NN_OP_ACTIVATION && node->attrs.axis != 0 ? node->attrs.axis : -1,
                               &layer->inner);
  return TRUE;
}

/* Memory that the gradients of a window need for the time of a call. */
static void
window_memory (NnNetBuilder *b,
               NnLayer      *layer)
{
  const NnWindow *w = &layer->window;
  const gsize lanes = b->net->lanes, up = NN_LANES - 1;
  const gsize padded = (gsize) w->hp * w->wp * w->c * lanes;

  if (w->hp != w->h || w->wp != w->w)
    layer->scratch = nn_build_scratch (b, (gsize) w->outer * w->hp * w->wp * w->c);
  if (!b->net->options.gradients)
    return;
  nn_build_tmp (b, padded);
  if (layer->kind != NN_LAYER_LINEAR)
    return;
  if (layer->aux != NN_NOWHERE)
    nn_build_tmp (b, ((gsize) w->oh + 2 * (w->kh - 1) * w->dh) * (w->ow + 2 * (w->kw - 1) * w->dw) * w->o * lanes);
  if (w->kh == 1 && w->kw == 1)
    nn_build_tmp (b, (lanes + w->c) * ((w->o + up) / NN_LANES * NN_LANES));
}

gboolean
nn_lower_matrix (NnNetBuilder *b,
                 const NnNode *node,
                 guint         input,
                 gsize         n_in,
                 gsize         n_out,
                 NnRole        kernel,
                 NnRole        bias,
                 guint        *output,
                 GError      **error)
{
  const gsize positions = nn_build_buffer (b, input)->n / n_in;
  NnLayer *layer = nn_build_layer (b, NN_LAYER_LINEAR, node, &input, 1, positions * n_out, output);

  if (!nn_build_weight (b, layer, node, kernel, NN_ROLE_KERNEL))
    return nn_build_fail (node, error, "it has no %s", nn_role_name (kernel));
  nn_build_weight (b, layer, node, bias, NN_ROLE_BIAS);
  layer->window = (NnWindow) { .outer = 1, .h = 1, .w = positions, .c = n_in, .oh = 1, .ow = positions, .o = n_out,
                               .kh = 1, .kw = 1, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1, .multiplier = 1,
                               .hp = 1, .wp = positions };
  if (positions > 1)
    {
      layer->aux = b->net->n_aux;
      b->net->n_aux += (n_in * n_out + NN_LANES - 1) / NN_LANES * NN_LANES;
    }
  window_memory (b, layer);
  return TRUE;
}

/* Where the window of a convolution or pooling goes, axis by axis; n_spatial is 1 or 2. */
gboolean
nn_lower_window (const NnNode  *node,
                 const NnShape *in,
                 guint          n_spatial,
                 gsize          channels_out,
                 NnWindow      *w,
                 GError       **error)
{
  const NnAttrs *a = &node->attrs;
  gint64 before[2] = { 0, 0 }, after[2] = { 0, 0 }, extent[2] = { 1, 1 }, count[2] = { 1, 1 };
  gint64 kernel[2] = { 1, 1 }, stride[2] = { 1, 1 }, dilation[2] = { 1, 1 };

  for (guint i = 0; i < n_spatial; i++)
    {
      guint to = 2 - n_spatial + i;

      kernel[to] = a->kernel[i];
      stride[to] = a->stride[i];
      dilation[to] = MAX (a->dilation[i], 1);
      extent[to] = in->dims[in->rank - 1 - n_spatial + i];
      count[to] = nn_window_count (extent[to], kernel[to], stride[to], dilation[to], a->padding, a->pad[i]);
      nn_window_pads (extent[to], kernel[to], stride[to], dilation[to], a->padding, a->pad[i], &before[to], &after[to]);
    }
  if (kernel[0] * kernel[1] > MAX_TAPS)
    return nn_build_fail (node, error, "its kernel has more than %d positions", MAX_TAPS);
  *w = (NnWindow) { .outer = product (in, 0, in->rank - 1 - n_spatial), .h = extent[0], .w = extent[1],
                    .c = nn_shape_last (in), .oh = count[0], .ow = count[1], .o = channels_out, .kh = kernel[0],
                    .kw = kernel[1], .sh = stride[0], .sw = stride[1], .dh = dilation[0], .dw = dilation[1],
                    .groups = MAX (a->groups, 1), .multiplier = 1, .top = before[0], .left = before[1],
                    .hp = extent[0] + before[0] + after[0], .wp = extent[1] + before[1] + after[1] };
  return TRUE;
}

/* A layer of kernel (k..., in / groups, out) over @input, whose window has been made. */
static gboolean
add_convolution (NnNetBuilder   *b,
                 const NnNode   *node,
                 guint           input,
                 const NnWindow *w,
                 NnRole          role,
                 guint          *output,
                 GError        **error)
{
  NnLayer *layer = nn_build_layer (b, NN_LAYER_LINEAR, node, &input, 1, (gsize) w->outer * w->oh * w->ow * w->o, output);

  if (!nn_build_weight (b, layer, node, role, NN_ROLE_KERNEL))
    return nn_build_fail (node, error, "it has no kernel");
  nn_build_weight (b, layer, node, NN_ROLE_BIAS, NN_ROLE_BIAS);
  layer->window = *w;
  if (w->sh == 1 && w->sw == 1 && w->groups == 1 && b->net->options.gradients)
    {
      layer->aux = b->net->n_aux;
      b->net->n_aux += ((gsize) w->kh * w->kw * w->c * w->o + NN_LANES - 1) / NN_LANES * NN_LANES;
    }
  window_memory (b, layer);
  return TRUE;
}

static gboolean
lower_conv (NnNetBuilder *b,
            const NnNode *node,
            guint         input,
            guint        *output,
            GError      **error)
{
  NnWindow w;

  return nn_lower_window (node, nn_lower_input_shape (b, node, 0), node->op == NN_OP_CONV1D ? 1 : 2, node->attrs.units, &w,
                          error) &&
         add_convolution (b, node, input, &w, NN_ROLE_KERNEL, output, error);
}

/* Depthwise, and for separable layers the pointwise part after it. */
static gboolean
lower_depthwise (NnNetBuilder *b,
                 const NnNode *node,
                 guint         input,
                 guint        *output,
                 GError      **error)
{
  const gboolean separable = node->op == NN_OP_SEPARABLE_CONV1D || node->op == NN_OP_SEPARABLE_CONV2D;
  const gboolean flat = node->op == NN_OP_SEPARABLE_CONV1D || node->op == NN_OP_DEPTHWISE_CONV1D;
  const NnShape *in = nn_lower_input_shape (b, node, 0);
  const gsize multiplier = MAX (node->attrs.depth_multiplier, 1);
  NnWindow w, point;
  NnLayer *layer;

  if (!nn_lower_window (node, in, flat ? 1 : 2, nn_shape_last (in) * multiplier, &w, error))
    return FALSE;
  w.groups = 1;
  w.multiplier = multiplier;
  layer = nn_build_layer (b, NN_LAYER_DEPTHWISE, node, &input, 1, (gsize) w.outer * w.oh * w.ow * w.o, output);
  if (!nn_build_weight (b, layer, node, separable ? NN_ROLE_DEPTHWISE_KERNEL : NN_ROLE_KERNEL, NN_ROLE_DEPTHWISE_KERNEL) &&
      !nn_build_weight (b, layer, node, NN_ROLE_DEPTHWISE_KERNEL, NN_ROLE_DEPTHWISE_KERNEL))
    return nn_build_fail (node, error, "it has no kernel");
  if (!separable)
    nn_build_weight (b, layer, node, NN_ROLE_BIAS, NN_ROLE_BIAS);
  layer->window = w;
  window_memory (b, layer);
  if (!separable)
    return TRUE;
  point = (NnWindow) { .outer = w.outer, .h = w.oh, .w = w.ow, .c = w.o, .oh = w.oh, .ow = w.ow, .o = node->attrs.units,
                       .kh = 1, .kw = 1, .sh = 1, .sw = 1, .dh = 1, .dw = 1, .groups = 1, .multiplier = 1, .hp = w.oh,
                       .wp = w.ow };
  return add_convolution (b, node, *output, &point, NN_ROLE_POINTWISE_KERNEL, output, error);
}

/* Normalisations and factors by channel. */
static gboolean
lower_channels (NnNetBuilder *b,
                const NnNode *node,
                guint         input,
                guint        *output,
                GError      **error)
{
  const gboolean norm = node->op == NN_OP_LAYER_NORM;
  NnLayer *layer = nn_build_layer (b, norm ? NN_LAYER_LAYER_NORM : NN_LAYER_SCALE, node, &input, 1,
                                   nn_build_buffer (b, input)->n, output);
  const NnRole roles[2] = { norm ? NN_ROLE_GAMMA : NN_ROLE_SCALE, norm ? NN_ROLE_BETA : NN_ROLE_BIAS };
  gsize n = norm ? nn_lower_axis (&node->shape, node->attrs.axis, &layer->inner) : 0;

  for (guint i = 0; i < 2; i++)
    {
      const NnWeight *w = nn_model_node_weight (b->net->model, node, roles[i]);

      nn_build_weight (b, layer, node, roles[i], roles[i]);
      if (w == NULL)
        continue;
      if ((n != 0 && w->values->n != n) || layer->n_y % w->values->n != 0)
        return nn_build_fail (node, error, "its %s does not fit the axis", nn_role_name (roles[i]));
      n = w->values->n;
    }
  layer->channels = MAX (n, 1);
  return TRUE;
}

/* Which element of @from each element of @to reads, axes aligned at the end; NULL where they are the same. */
static guint32 *
broadcast_of (NnNetBuilder  *b,
              const NnShape *from,
              const NnShape *to)
{
  gsize n = nn_shape_count (to);
  guint32 *map;

  if (nn_shape_count (from) == n)
    return NULL;
  map = nn_arena_new0 (b->net->arena, guint32, n);
  for (gsize e = 0; e < n; e++)
    {
      gsize rest = e, step = 1, at = 0;

      for (guint i = 0; i < to->rank; i++)
        {
          gsize extent = to->dims[to->rank - 1 - i], here = rest % extent;

          rest /= extent;
          if (i < from->rank && from->dims[from->rank - 1 - i] > 1)
            at += here * step;
          step *= i < from->rank ? from->dims[from->rank - 1 - i] : 1;
        }
      map[e] = at;
    }
  return map;
}

static gboolean
lower_prelu (NnNetBuilder *b,
             const NnNode *node,
             guint         input,
             guint        *output,
             GError      **error)
{
  const NnWeight *alpha = nn_model_node_weight (b->net->model, node, NN_ROLE_ALPHA);
  NnLayer *layer = nn_build_layer (b, NN_LAYER_PRELU, node, &input, 1, nn_build_buffer (b, input)->n, output);

  if (alpha == NULL || alpha->values->shape.rank > node->shape.rank)
    return nn_build_fail (node, error, "it has no slopes that fit");
  nn_build_weight (b, layer, node, NN_ROLE_ALPHA, NN_ROLE_ALPHA);
  layer->broadcast = nn_arena_new0 (b->net->arena, guint32 *, 1);
  layer->broadcast[0] = broadcast_of (b, &alpha->values->shape, &node->shape);
  return TRUE;
}

static gboolean
lower_merge (NnNetBuilder *b,
             const NnNode *node,
             const guint  *inputs,
             guint        *output)
{
  NnLayer *layer = nn_build_layer (b, NN_LAYER_MERGE, node, inputs, node->n_inputs, nn_shape_count (&node->shape), output);

  layer->merge = node->op;
  layer->broadcast = nn_arena_new0 (b->net->arena, guint32 *, node->n_inputs);
  for (guint k = 0; k < node->n_inputs; k++)
    layer->broadcast[k] = broadcast_of (b, nn_lower_input_shape (b, node, k), &node->shape);
  return TRUE;
}

static gboolean
lower_embedding (NnNetBuilder *b,
                 const NnNode *node,
                 guint         input,
                 guint        *output,
                 GError      **error)
{
  const NnWeight *table = nn_model_node_weight (b->net->model, node, NN_ROLE_EMBEDDINGS);
  NnLayer *layer = nn_build_layer (b, NN_LAYER_EMBEDDING, node, &input, 1, nn_shape_count (&node->shape), output);

  if (table == NULL || table->values->shape.rank != 2)
    return nn_build_fail (node, error, "it has no table");
  nn_build_weight (b, layer, node, NN_ROLE_EMBEDDINGS, NN_ROLE_EMBEDDINGS);
  layer->channels = table->values->shape.dims[0];
  layer->inner = table->values->shape.dims[1];
  return TRUE;
}

/* Rows of lanes that a recurrent layer works in; nn-layers-rnn.c lists them. */
static gboolean
lower_recurrent (NnNetBuilder *b,
                 const NnNode *node,
                 guint         input,
                 guint        *output,
                 GError      **error)
{
  const NnShape *in = nn_lower_input_shape (b, node, 0);
  const NnLayerKind kind = node->op == NN_OP_LSTM ? NN_LAYER_LSTM : node->op == NN_OP_GRU ? NN_LAYER_GRU : NN_LAYER_SIMPLE_RNN;
  const gsize gates = kind == NN_LAYER_LSTM ? 4 : kind == NN_LAYER_GRU ? 3 : 1;
  const gsize steps = in->dims[0], features = in->dims[1], units = node->attrs.units, wide = gates * units;
  NnLayer *layer = nn_build_layer (b, kind, node, &input, 1, nn_shape_count (&node->shape), output);

  if (node->attrs.act == NN_ACT_SOFTMAX || node->attrs.recurrent_act == NN_ACT_SOFTMAX)
    return nn_build_fail (node, error, "this activation of its gates is not known");
  if (node->attrs.sum_quantizer != NULL || node->attrs.reset_quantizer != NULL ||
      (node->attrs.recurrent_quantizer != NULL && node->attrs.recurrent_quantizer->n_elements > (guint) units))
    return nn_build_fail (node, error, "training does not know HGQ's quantisers inside its cell");
  if (!nn_build_weight (b, layer, node, NN_ROLE_KERNEL, NN_ROLE_KERNEL) ||
      !nn_build_weight (b, layer, node, NN_ROLE_RECURRENT_KERNEL, NN_ROLE_RECURRENT_KERNEL))
    return nn_build_fail (node, error, "it has no kernel");
  nn_build_weight (b, layer, node, NN_ROLE_BIAS, NN_ROLE_BIAS);
  layer->steps = steps;
  layer->channels = units;
  layer->scratch = nn_build_scratch (b, 2 * steps * features + 5 * steps * wide + 2 * (steps + 1) * units + steps * units +
                                     4 * units + wide + (node->attrs.state_quantizer != NULL ? (steps + 1) * units : 0));
  return TRUE;
}

static gboolean
lower_batch_norm (NnNetBuilder *b,
                  const NnNode *node,
                  guint         input,
                  guint        *output,
                  GError      **error)
{
  const NnNetOptions *o = &b->net->options;
  NnLayer *layer = nn_build_layer (b, NN_LAYER_BATCH_NORM, node, &input, 1, nn_build_buffer (b, input)->n, output);

  for (NnRole role = NN_ROLE_GAMMA; role <= NN_ROLE_VARIANCE; role++)
    nn_build_weight (b, layer, node, role, role);
  layer->channels = nn_lower_axis (&node->shape, node->attrs.axis, &layer->inner);
  layer->frozen = !o->training || o->freeze_norm;
  return TRUE;
}

static gboolean
lower_op (NnNetBuilder *b,
          const NnNode *node,
          const guint  *inputs,
          guint        *output,
          GError      **error)
{
  NnLayer *layer;

  switch (node->op)
    {
    case NN_OP_INPUT:
      *output = nn_build_new (b, nn_shape_count (&node->shape));
      b->net->input = nn_build_buffer (b, *output)->y;
      b->net->n_input = nn_build_buffer (b, *output)->n;
      return TRUE;
    case NN_OP_DENSE:
      return nn_lower_matrix (b, node, inputs[0], nn_shape_last (nn_lower_input_shape (b, node, 0)), node->attrs.units,
                              NN_ROLE_KERNEL, NN_ROLE_BIAS, output, error);
    case NN_OP_CONV1D:
    case NN_OP_CONV2D:
      return lower_conv (b, node, inputs[0], output, error);
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_SEPARABLE_CONV1D:
    case NN_OP_SEPARABLE_CONV2D:
      return lower_depthwise (b, node, inputs[0], output, error);
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
      return nn_lower_transposed (b, node, inputs[0], output, error);
    case NN_OP_EINSUM_DENSE:
    case NN_OP_EINSUM:
      return nn_lower_einsum (b, node, inputs, output, error);
    case NN_OP_MULTI_HEAD_ATTENTION:
      return nn_lower_attention (b, node, inputs, output, error);
    case NN_OP_LAYER_NORM:
    case NN_OP_SCALE:
      return lower_channels (b, node, inputs[0], output, error);
    case NN_OP_PRELU:
      return lower_prelu (b, node, inputs[0], output, error);
    case NN_OP_MAX_POOL1D:
    case NN_OP_MAX_POOL2D:
    case NN_OP_AVG_POOL1D:
    case NN_OP_AVG_POOL2D:
      return nn_lower_pool (b, node, inputs[0], output, error);
    case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL:
    case NN_OP_REDUCE_MEAN:
    case NN_OP_REDUCE_SUM:
    case NN_OP_REDUCE_MAX:
      return nn_lower_reduce (b, node, inputs[0], output);
    case NN_OP_ADD:
    case NN_OP_SUBTRACT:
    case NN_OP_MULTIPLY:
    case NN_OP_DIVIDE:
    case NN_OP_AVERAGE:
    case NN_OP_MAXIMUM:
    case NN_OP_MINIMUM:
      return lower_merge (b, node, inputs, output);
    case NN_OP_CONCATENATE:
      layer = nn_build_layer (b, NN_LAYER_CONCATENATE, node, inputs, node->n_inputs, nn_shape_count (&node->shape), output);
      layer->channels = nn_lower_axis (&node->shape, node->attrs.axis, &layer->inner);
      return TRUE;
    case NN_OP_DOT:
    case NN_OP_MATMUL:
      return nn_lower_product (b, node, inputs, output, error);
    case NN_OP_PERMUTE:
    case NN_OP_REPEAT_VECTOR:
    case NN_OP_UPSAMPLE:
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
    case NN_OP_SLICE:
    case NN_OP_REVERSE:
      return nn_lower_move (b, node, inputs[0], output, error);
    case NN_OP_EMBEDDING:
      return lower_embedding (b, node, inputs[0], output, error);
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      return lower_recurrent (b, node, inputs[0], output, error);
    case NN_OP_BATCH_NORM:
      return lower_batch_norm (b, node, inputs[0], output, error);
    case NN_OP_DROPOUT:
      *output = inputs[0];
      if (!b->net->options.dropout || node->attrs.rate <= 0 || node->attrs.rate >= 1)
        return TRUE;
      layer = nn_build_layer (b, NN_LAYER_DROPOUT, node, inputs, 1, nn_build_buffer (b, inputs[0])->n, output);
      layer->scratch = nn_build_scratch (b, layer->n_y);
      return TRUE;
    case NN_OP_ACTIVATION:
    case NN_OP_QUANTIZE:
    case NN_OP_FLATTEN:
    case NN_OP_RESHAPE:
      *output = inputs[0];
      return TRUE;
    case NN_OP_UNSUPPORTED:
      return nn_build_fail (node, error, "%s", node->reason != NULL ? node->reason : "it is not known");
    default:
      return nn_build_fail (node, error, "training does not know this layer");
    }
}

static void
lower_quantizer (NnNetBuilder      *b,
                 const NnNode      *node,
                 const NnQuantizer *quantizer,
                 const NnShape     *shape,
                 guint              input,
                 guint             *output)
{
  NnLayer *layer;

  *output = input;
  if (quantizer == NULL || quantizer->kind == NN_QUANT_NONE)
    return;
  layer = nn_build_layer (b, NN_LAYER_QUANTIZE, node, &input, 1, nn_build_buffer (b, input)->n, output);
  layer->quantizer = quantizer;
  layer->shape = *shape;
  /* one sample in double */
  layer->scratch = nn_build_scratch (b, (layer->n_y * sizeof (double) + NN_LANES * 4 - 1) / (NN_LANES * 4));
}

gboolean
nn_lower_node (NnNetBuilder *b,
               guint         i,
               GError      **error)
{
  const NnNode *node = nn_graph_node (nn_model_graph (b->net->model), i);
  const NnAttrs *a = &node->attrs;
  g_autofree guint *inputs = g_new0 (guint, node->n_inputs + 1);
  guint output, n_layers;

  for (guint k = 0; k < node->n_inputs; k++)
    inputs[k] = b->of_node[node->inputs[k]];
  if (node->n_inputs > 0)
    lower_quantizer (b, node, a->input_quantizer, nn_lower_input_shape (b, node, 0), inputs[0], &inputs[0]);
  n_layers = b->layers->len;
  if (!lower_op (b, node, inputs, &output, error) ||
      (nn_build_has_fold (b, node) && !nn_build_fold (b, node, &g_array_index (b->layers, NnLayer, n_layers), error)))
    return FALSE;
  lower_quantizer (b, node, a->sum_quantizer, &node->shape, output, &output);
  if (!nn_op_is_recurrent (node->op) && !nn_lower_activation (b, node, a->act, output, &output, error))
    return FALSE;
  lower_quantizer (b, node, nn_build_quantizer (b, node, nn_op_is_recurrent (node->op) ? NULL : a->quantizer, NN_TRAIN_RESULT),
                   &node->shape, output, &b->of_node[i]);
  return TRUE;
}
