/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lays out a network's memory and compiles its graph to layers. */

#include "nn-net-build.h"

#include "nn-error.h"

/* Reals that one shard's activations should not exceed by much, so that they stay in the second-level cache. */
#define BLOCK_TARGET (96 * 1024)
#define MAX_LANES 128
/* Elements of one sample's activations, all layers together; beyond it a shard alone would take gigabytes. */
#define MAX_ELEMENTS ((gsize) 1 << 25)

NnBuffer *
nn_build_buffer (NnNetBuilder *b,
                 guint         i)
{
  return &g_array_index (b->buffers, NnBuffer, i);
}

static gsize
take (NnNetBuilder *b,
      gsize         reals)
{
  gsize at = b->net->block;

  b->net->block += (reals + NN_LANES - 1) / NN_LANES * NN_LANES;
  return at;
}

guint
nn_build_new (NnNetBuilder *b,
              gsize         n)
{
  NnBuffer buffer = { .y = take (b, n * b->net->lanes), .gy = NN_NOWHERE, .n = n, .maker = -1 };

  g_array_append_val (b->buffers, buffer);
  return b->buffers->len - 1;
}

gsize
nn_build_scratch (NnNetBuilder *b,
                  gsize         n)
{
  return take (b, n * b->net->lanes);
}

/* Makes the memory for one call's use at least @n reals. */
void
nn_build_tmp (NnNetBuilder *b,
              gsize         n)
{
  b->tmp = MAX (b->tmp, n);
}

NnLayer *
nn_build_layer (NnNetBuilder *b,
                NnLayerKind   kind,
                const NnNode *node,
                const guint  *inputs,
                guint         n_inputs,
                gsize         n,
                guint        *output)
{
  NnArena *arena = b->net->arena;
  NnLayer layer = { .kind = kind, .node = node, .n_in = n_inputs, .n_y = n, .id = b->layers->len, .aux = NN_NOWHERE };
  NnBuffer *out;

  layer.x = nn_arena_new0 (arena, gsize, n_inputs);
  layer.gx = nn_arena_new0 (arena, gsize, n_inputs);
  layer.n_x = nn_arena_new0 (arena, gsize, n_inputs);
  layer.add = nn_arena_new0 (arena, gboolean, n_inputs);
  layer.channels = layer.inner = 1;
  *output = nn_build_new (b, n);
  out = nn_build_buffer (b, *output);
  out->maker = b->layers->len;
  for (guint k = 0; k < n_inputs; k++)
    {
      NnBuffer *in = nn_build_buffer (b, inputs[k]);

      /* buffer indices for now; places once gradients are laid out */
      layer.x[k] = inputs[k];
      layer.n_x[k] = in->n;
      in->readers++;
      out->wanted = out->wanted || in->wanted;
    }
  layer.y = *output;
  for (guint r = 0; r < NN_N_ROLES; r++)
    layer.w[r] = NN_NOWHERE;
  g_array_append_val (b->layers, layer);
  return &g_array_index (b->layers, NnLayer, b->layers->len - 1);
}

/* Whether any element of the weight is to be changed by gradients. */
static gboolean
is_learnt (const NnWeight *w)
{
  return w->trainable && w->role != NN_ROLE_MEAN && w->role != NN_ROLE_VARIANCE && w->role != NN_ROLE_VALUE;
}

gboolean
nn_build_weight (NnNetBuilder *b,
                 NnLayer      *layer,
                 const NnNode *node,
                 NnRole        from,
                 NnRole        to)
{
  NnNet *net = b->net;
  guint id;

  if (!nn_model_node_weight_id (net->model, node, from, &id))
    return FALSE;
  if (net->param_at[id] == NN_NOWHERE)
    {
      net->param_at[id] = net->n_params;
      net->n_params += (nn_model_weight (net->model, id)->values->n + NN_LANES - 1) / NN_LANES * NN_LANES;
    }
  layer->w[to] = net->param_at[id];
  nn_build_weight_quantizer (b, node, id);
  if (is_learnt (nn_model_weight (net->model, id)))
    nn_build_buffer (b, layer->y)->wanted = TRUE;
  return TRUE;
}

gboolean
nn_build_fail (const NnNode *node,
               GError      **error,
               const char   *format,
               ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s) cannot be trained: %s", node->name,
               node->class_name, what);
  return FALSE;
}

static void
mark_needed (const NnGraph *graph,
             gboolean      *needed,
             guint          i)
{
  const NnNode *node = nn_graph_node (graph, i);

  if (needed[i])
    return;
  needed[i] = TRUE;
  for (guint k = 0; k < node->n_inputs; k++)
    mark_needed (graph, needed, node->inputs[k]);
}

static gboolean
check_graph (NnNetBuilder *b,
             GError      **error)
{
  const NnGraph *graph = nn_model_graph (b->net->model);
  gsize total = 0;
  guint n;

  nn_graph_inputs (graph, &n);
  if (n != 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has %u inputs; training takes networks with one", n);
      return FALSE;
    }
  nn_graph_outputs (graph, &n);
  if (n != 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has %u outputs; training takes networks with one", n);
      return FALSE;
    }
  mark_needed (graph, b->needed, nn_graph_outputs (graph, &n)[0]);
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      gsize size;

      if (!b->needed[i])
        continue;
      if (!nn_shape_size (&node->shape, &size) || size == 0)
        return nn_build_fail (node, error, "its shape is open");
      total += size;
      if (total > MAX_ELEMENTS)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "layer \"%s\": activations of one sample exceed %" G_GSIZE_FORMAT
                       " numbers", node->name, MAX_ELEMENTS);
          return FALSE;
        }
    }
  /* both passes; a power of two that keeps a shard within the cache */
  b->net->lanes = NN_LANES;
  while (b->net->lanes < MAX_LANES && b->net->lanes < b->net->options.batch &&
         b->net->lanes * 2 * 2 * total <= BLOCK_TARGET)
    b->net->lanes *= 2;
  return TRUE;
}

/* Which loss, and whether it can go straight through the last activation. */
static gboolean
choose_criterion (NnNetBuilder *b,
                  const NnNode *output,
                  GError      **error)
{
  NnNet *net = b->net;
  NnLoss loss = net->options.loss;
  NnBuffer *buffer;
  NnLayer *last;
  guint n, i = nn_graph_outputs (nn_model_graph (net->model), &n)[0];

  buffer = nn_build_buffer (b, b->of_node[i]);
  net->classes = MAX (nn_shape_last (&output->shape), 1);
  if (loss == NN_LOSS_AUTO)
    loss = !net->options.is_classes ? NN_LOSS_MSE
           : net->classes == 1      ? NN_LOSS_BINARY_CROSSENTROPY
                                    : NN_LOSS_CATEGORICAL_CROSSENTROPY;
  if (loss == NN_LOSS_CATEGORICAL_CROSSENTROPY && net->classes < 2)
    return nn_build_fail (output, error, "categorical cross-entropy needs two outputs or more; use binary cross-entropy");
  net->criterion = loss == NN_LOSS_CATEGORICAL_CROSSENTROPY ? NN_CRITERION_CE
                   : loss == NN_LOSS_BINARY_CROSSENTROPY    ? NN_CRITERION_BCE
                   : loss == NN_LOSS_MAE                    ? NN_CRITERION_MAE
                   : loss == NN_LOSS_HUBER                  ? NN_CRITERION_HUBER
                                                            : NN_CRITERION_MSE;
  net->logits = NN_NOWHERE;
  if (buffer->maker < 0 || buffer->readers > 0)
    return TRUE;
  last = &g_array_index (b->layers, NnLayer, buffer->maker);
  if (net->criterion == NN_CRITERION_CE && last->kind == NN_LAYER_SOFTMAX && last->inner == 1 &&
      nn_build_buffer (b, last->x[0])->readers == 1)
    net->criterion = NN_CRITERION_SOFTMAX_CE;
  else if (net->criterion == NN_CRITERION_BCE && last->kind == NN_LAYER_ACT && last->act == NN_ACT_SIGMOID &&
           nn_build_buffer (b, last->x[0])->readers == 1)
    net->criterion = NN_CRITERION_SIGMOID_CE;
  else
    return TRUE;
  last->skip = TRUE;
  net->logits = nn_build_buffer (b, last->x[0])->y;
  return TRUE;
}

/* A bias whose sum goes into a batch norm that takes the mean off has no effect: its gradient is exactly zero. */
static void
find_idle_biases (NnNetBuilder *b)
{
  for (guint i = 0; i < b->layers->len; i++)
    {
      NnLayer *norm = &g_array_index (b->layers, NnLayer, i);
      NnBuffer *in;

      if (norm->kind != NN_LAYER_BATCH_NORM || norm->frozen || norm->inner != 1)
        continue;
      in = nn_build_buffer (b, norm->x[0]);
      if (in->maker >= 0 && in->readers == 1)
        {
          NnLayer *maker = &g_array_index (b->layers, NnLayer, in->maker);

          maker->idle_bias = !maker->relu && (maker->kind == NN_LAYER_LINEAR || maker->kind == NN_LAYER_DEPTHWISE) &&
                             maker->window.o == norm->channels;
        }
    }
}

/* Whether the layer that makes it can go backward without it. */
static gboolean
makes_without_output (NnNetBuilder   *b,
                      const NnBuffer *buffer)
{
  const NnLayer *maker = buffer->maker >= 0 ? &g_array_index (b->layers, NnLayer, buffer->maker) : NULL;

  return maker != NULL && (maker->kind == NN_LAYER_LINEAR || maker->kind == NN_LAYER_DEPTHWISE) && !maker->relu;
}

/*
 * Of each wanted buffer; what batch norm alone reads has its gradient where batch norm's output has. With pooling it takes the
 * place of the convolution's output itself, which nothing reads any more by then.
 */
static void
lay_out_gradients (NnNetBuilder *b,
                   guint         out)
{
  g_autofree NnLayer **norm_of = g_new0 (NnLayer *, b->buffers->len);

  for (guint i = 0; i < b->layers->len; i++)
    {
      NnLayer *norm = &g_array_index (b->layers, NnLayer, i);

      if (norm->kind == NN_LAYER_BATCH_NORM && nn_build_buffer (b, norm->x[0])->readers == 1 && norm->x[0] != out)
        norm_of[norm->x[0]] = norm;
    }
  for (guint i = b->buffers->len; i > 0; i--)
    {
      NnBuffer *buffer = nn_build_buffer (b, i - 1), *after = norm_of[i - 1] != NULL ? nn_build_buffer (b, norm_of[i - 1]->y) : NULL;

      if (!buffer->wanted && i - 1 != out)
        continue;
      if (norm_of[i - 1] != NULL && norm_of[i - 1]->pool != NULL && makes_without_output (b, buffer))
        {
          buffer->gy = buffer->y;
          continue;
        }
      buffer->gy = after != NULL && after->gy != NN_NOWHERE ? after->gy : take (b, buffer->n * b->net->lanes);
    }
}

/* Gives each wanted buffer a gradient, then turns buffer indices into places. */
static void
lay_out (NnNetBuilder *b)
{
  NnNet *net = b->net;
  g_autofree gboolean *written = g_new0 (gboolean, b->buffers->len);
  guint n, out = b->of_node[nn_graph_outputs (nn_model_graph (net->model), &n)[0]];
  gsize tmp;

  nn_build_find_pools (b, out);
  if (net->options.gradients)
    lay_out_gradients (b, out);
  tmp = take (b, b->tmp);
  for (guint i = b->layers->len; i > 0; i--)
    {
      NnLayer *layer = &g_array_index (b->layers, NnLayer, i - 1);

      for (guint k = 0; k < layer->n_in; k++)
        {
          guint in = layer->x[k];

          layer->add[k] = written[in];
          written[in] = TRUE;
        }
    }
  net->output = nn_build_buffer (b, out)->y;
  net->n_output = nn_build_buffer (b, out)->n;
  net->loss_gradient = nn_build_buffer (b, out)->gy;
  for (guint i = 0; i < b->layers->len; i++)
    {
      NnLayer *layer = &g_array_index (b->layers, NnLayer, i);
      NnBuffer *made = nn_build_buffer (b, layer->y);

      if (layer->skip && net->options.gradients)
        net->loss_gradient = nn_build_buffer (b, layer->x[0])->gy;
      layer->skip = layer->skip || made->gy == NN_NOWHERE;
      layer->gy = made->gy;
      layer->y = made->y;
      layer->tmp = tmp;
      for (guint k = 0; k < layer->n_in; k++)
        {
          NnBuffer *in = nn_build_buffer (b, layer->x[k]);

          layer->gx[k] = in->wanted ? in->gy : NN_NOWHERE;
          layer->x[k] = in->y;
        }
    }
}

static void
find_barriers (NnNet *net)
{
  net->barriers = nn_arena_new0 (net->arena, guint, net->n_layers);
  for (guint i = 0; i < net->n_layers; i++)
    {
      NnLayer *layer = &net->layers[i];

      if (layer->kind != NN_LAYER_BATCH_NORM)
        continue;
      layer->stats = net->n_stats;
      if (layer->frozen)
        continue;
      net->n_stats += 4 * layer->channels;
      net->barriers[net->n_barriers++] = i;
    }
}

gboolean
nn_net_build (NnNet   *net,
              GError **error)
{
  const NnGraph *graph = nn_model_graph (net->model);
  const guint n = nn_graph_n_nodes (graph);
  g_autoptr (GArray) layers = g_array_new (FALSE, TRUE, sizeof (NnLayer));
  g_autoptr (GArray) buffers = g_array_new (FALSE, TRUE, sizeof (NnBuffer));
  g_autoptr (GArray) quantized = g_array_new (FALSE, TRUE, sizeof (NnQuantizedWeight));
  g_autoptr (GArray) folds = g_array_new (FALSE, TRUE, sizeof (NnFold));
  g_autofree guint *of_node = g_new0 (guint, n);
  g_autofree gboolean *needed = g_new0 (gboolean, n);
  NnNetBuilder b = { .net = net, .layers = layers, .buffers = buffers, .of_node = of_node, .needed = needed,
                     .quantized = quantized, .folds = folds };
  const NnNode *output;
  guint n_outputs;

  if (!check_graph (&b, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (needed[i] && !nn_lower_node (&b, i, error))
      return FALSE;
  output = nn_graph_node (graph, nn_graph_outputs (graph, &n_outputs)[0]);
  find_idle_biases (&b);
  if (!choose_criterion (&b, output, error))
    return FALSE;
  lay_out (&b);
  net->n_layers = layers->len;
  net->layers = nn_arena_memdup (net->arena, layers->data, layers->len * sizeof (NnLayer));
  for (guint i = 0; i < net->n_layers; i++)
    {
      NnLayer *layer = &net->layers[i];

      layer->pool = layer->pool != NULL ? &net->layers[layer->pool->id] : NULL;
      layer->conv = layer->conv != NULL ? &net->layers[layer->conv->id] : NULL;
      layer->pooled = layer->pooled != NULL ? &net->layers[layer->pooled->id] : NULL;
    }
  net->n_quantized = quantized->len;
  net->quantized = nn_arena_memdup (net->arena, quantized->data, quantized->len * sizeof (NnQuantizedWeight));
  net->n_folds = folds->len;
  net->folds = nn_arena_memdup (net->arena, folds->data, folds->len * sizeof (NnFold));
  find_barriers (net);
  return TRUE;
}
