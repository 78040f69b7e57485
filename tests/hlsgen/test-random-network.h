/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small network, its number types and its settings, all from one seed. */

#pragma once

#include "test-network.h"

/**
 * RandomNetwork:
 * @shape: of the last layer's output
 * @layers: configuration of the layers, as members of a JSON object
 */
typedef struct {
  TestNetwork net;
  NnShape     shape;
  GString    *layers;
  gboolean    parallel;
  gboolean    same_strategy;
  guint       strategy;
  guint       count;
  guint       recurrent;
} RandomNetwork;

static const char *const random_strategies[] = { "Latency", "Resource", "ResourceUnrolled", "Compressed", "DistributedArithmetic" };

static inline guint
random_below (RandomNetwork *random,
              guint          n)
{
  return (guint) nn_rng_below (&random->net.rng, n);
}

/* Of all modes; now and then odd ones: one bit, a point outside the number. */
static inline char *
random_type (RandomNetwork *random,
             int            least,
             int            most)
{
  static const char *const roundings[] = { "TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV" };
  static const char *const overflows[] = { "WRAP", "SAT", "SAT_ZERO", "SAT_SYM" };
  int width = least + (int) random_below (random, (guint) (most - least + 1)), integer;
  gboolean is_signed = random_below (random, 4) != 0;

  if (random_below (random, 8) == 0)
    integer = -2 + (int) random_below (random, (guint) width + 5);
  else
    integer = 1 + (int) random_below (random, (guint) MIN (width, 7));
  if (is_signed && width < 2)
    width = 2;
  return g_strdup_printf ("%sfixed<%d,%d,%s,%s>", is_signed ? "" : "u", width, integer,
                          roundings[random_below (random, G_N_ELEMENTS (roundings))],
                          overflows[random_below (random, G_N_ELEMENTS (overflows))]);
}

/* Settings of one layer: each of its types is set or left to be inferred or inherited. */
static inline void
random_config (RandomNetwork *random,
               const char    *name,
               const char    *variables,
               guint          reuse_below)
{
  g_auto (GStrv) words = g_strsplit (variables, " ", -1);
  gboolean first = TRUE;

  g_string_append_printf (random->layers, "%s\"%s\":{\"Precision\":{", random->layers->len > 0 ? "," : "", name);
  for (char **w = words; *w != NULL && **w != '\0'; w++)
    if (random_below (random, 3) > 0)
      {
        gboolean is_weight = g_str_equal (*w, "weight") || g_str_has_prefix (*w, "recurrent_");
        g_autofree char *type = random_type (random, is_weight ? 1 : 4, is_weight ? 12 : 22);

        g_string_append_printf (random->layers, "%s\"%s\":\"%s\"", first ? "" : ",", *w, type);
        first = FALSE;
      }
  g_string_append (random->layers, "}");
  if (reuse_below > 1)
    {
      guint strategy = random->same_strategy ? random->strategy : random_below (random, G_N_ELEMENTS (random_strategies));

      g_string_append_printf (random->layers, ",\"ReuseFactor\":%u,\"Strategy\":\"%s\"", 1 + random_below (random, reuse_below),
                              random_strategies[strategy]);
      if (random->parallel && random_below (random, 3) == 0)
        g_string_append_printf (random->layers, ",\"ParallelizationFactor\":%u", 1 + random_below (random, 4));
    }
  g_string_append (random->layers, "}");
}

static inline NnNode *
random_add (RandomNetwork *random,
            NnOp           op)
{
  g_autofree char *name = g_strdup_printf ("n%u", random->count++);
  NnNode *node = network_add (&random->net, op, nn_graph_builder_strdup (random->net.builder, name));

  node->attrs.axis = -1;
  node->attrs.groups = 1;
  node->attrs.depth_multiplier = 1;
  node->attrs.epsilon = 1e-3;
  for (guint k = 0; k < 2; k++)
    node->attrs.kernel[k] = node->attrs.stride[k] = node->attrs.dilation[k] = 1;
  return node;
}

/* Pruned: single weights, whole multipliers, or not at all; sometimes the mask says so too. */
static inline guint
random_weight (RandomNetwork *random,
               NnNode        *node,
               const char    *name,
               NnRole         role,
               const NnShape *shape)
{
  guint id = network_weight (&random->net, node->name, name, role, shape, 0.6);
  NnTensor *values = random->net.weights[id].values;
  guint how = role == NN_ROLE_BIAS ? 3 : random_below (random, 4);

  if (how == 0)
    network_prune (values, 1 + random_below (random, 4), 2 + random_below (random, 3));
  else if (how == 1)
    for (gsize i = 0; i < values->n; i++)
      if (random_below (random, 2) == 0)
        nn_tensor_f32 (values)[i] = 0;
  if (how < 2 && random_below (random, 2) == 0)
    {
      NnTensor *mask = nn_tensor_new (NN_DTYPE_U8, shape);

      for (gsize i = 0; i < values->n; i++)
        nn_tensor_u8 (mask)[i] = nn_tensor_f32 (values)[i] != 0;
      random->net.weights[id].mask = mask;
    }
  return id;
}

static inline void
random_matrix (RandomNetwork *random,
               NnNode        *node,
               const NnShape *shape,
               gint64         units)
{
  gboolean bias = random_below (random, 4) != 0;
  guint ids[2], product = (guint) nn_shape_count (shape);

  node->attrs.units = units;
  node->attrs.use_bias = bias;
  ids[0] = random_weight (random, node, "kernel", NN_ROLE_KERNEL, shape);
  if (bias)
    ids[1] = random_weight (random, node, "bias", NN_ROLE_BIAS, &NN_SHAPE (units));
  nn_graph_builder_weights (random->net.builder, node, ids, bias ? 2 : 1);
  if (random_below (random, 4) == 0)
    node->attrs.act = NN_ACT_RELU;
  random_config (random, node->name, "weight bias accum result", product + product / 2);
}

static inline void
random_dense (RandomNetwork *random)
{
  gint64 n_in = nn_shape_last (&random->shape), n_out = 1 + random_below (random, 7);
  NnNode *node = random_add (random, NN_OP_DENSE);

  random_matrix (random, node, &NN_SHAPE (n_in, n_out), n_out);
  random->shape.dims[random->shape.rank - 1] = n_out;
}

/* Sets a window that fits and the shape that it leaves. */
static inline void
random_window (RandomNetwork *random,
               NnNode        *node,
               gboolean       pool)
{
  guint axes = random->shape.rank - 1;
  gint64 stride = 1 + random_below (random, 2);
  gboolean same = random_below (random, 2) == 0, causal = same && !pool && axes == 1 && random_below (random, 2) == 0;

  node->attrs.padding = causal ? NN_PADDING_CAUSAL : same ? NN_PADDING_SAME : NN_PADDING_VALID;
  for (guint k = 0; k < axes; k++)
    {
      gint64 *n = &random->shape.dims[k], wish = 1 + random_below (random, 3), size = MIN (*n, wish), dilation = 1;

      if (!pool && stride == 1 && axes == 1 && random_below (random, 4) == 0 && (size - 1) * 2 + 1 <= *n)
        dilation = 2;
      node->attrs.kernel[k] = size;
      node->attrs.stride[k] = pool && random_below (random, 2) == 0 ? size : stride;
      if (axes == 2 && k == 1 && !pool)
        node->attrs.stride[k] = node->attrs.stride[0];
      node->attrs.dilation[k] = dilation;
      *n = same ? (*n + node->attrs.stride[k] - 1) / node->attrs.stride[k]
                : (*n - (size - 1) * dilation - 1) / node->attrs.stride[k] + 1;
    }
}

static inline void
random_conv (RandomNetwork *random)
{
  guint axes = random->shape.rank - 1;
  gboolean depthwise = random_below (random, 4) == 0;
  gint64 channels = nn_shape_last (&random->shape), units = depthwise ? channels : 1 + random_below (random, 4);
  NnNode *node = random_add (random, axes == 1 ? (depthwise ? NN_OP_DEPTHWISE_CONV1D : NN_OP_CONV1D)
                                               : (depthwise ? NN_OP_DEPTHWISE_CONV2D : NN_OP_CONV2D));
  gint64 last = depthwise ? 1 : units;
  NnShape shape;

  random_window (random, node, FALSE);
  shape = axes == 1 ? NN_SHAPE (node->attrs.kernel[0], channels, last)
                    : NN_SHAPE (node->attrs.kernel[0], node->attrs.kernel[1], channels, last);
  random_matrix (random, node, &shape, units);
  random->shape.dims[axes] = units;
}

static inline void
random_pool (RandomNetwork *random)
{
  gboolean max = random_below (random, 2) == 0;
  NnNode *node;

  if (random_below (random, 4) == 0)
    {
      node = random_add (random, max ? NN_OP_GLOBAL_MAX_POOL : NN_OP_GLOBAL_AVG_POOL);
      random->shape = NN_SHAPE (nn_shape_last (&random->shape));
    }
  else
    {
      node = random_add (random, random->shape.rank == 2 ? (max ? NN_OP_MAX_POOL1D : NN_OP_AVG_POOL1D)
                                                         : (max ? NN_OP_MAX_POOL2D : NN_OP_AVG_POOL2D));
      random_window (random, node, TRUE);
      node->attrs.count_pad = random_below (random, 2) == 0;
    }
  random_config (random, node->name, "accum result", 0);
}

static inline void
random_norm (RandomNetwork *random)
{
  static const NnRole roles[] = { NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_MEAN, NN_ROLE_VARIANCE };
  static const char *const names[] = { "gamma", "beta", "mean", "variance" };
  NnNode *node = random_add (random, NN_OP_BATCH_NORM);
  guint ids[4];

  for (guint k = 0; k < 4; k++)
    {
      NnTensor *values;

      ids[k] = network_weight (&random->net, node->name, names[k], roles[k], &NN_SHAPE (nn_shape_last (&random->shape)), 0.5);
      values = random->net.weights[ids[k]].values;
      for (gsize i = 0; i < values->n && k == 3; i++)
        nn_tensor_f32 (values)[i] = 0.3f + nn_tensor_f32 (values)[i] * nn_tensor_f32 (values)[i];
    }
  nn_graph_builder_weights (random->net.builder, node, ids, 4);
  random_config (random, node->name, "scale bias result", 0);
}

static inline void
random_activation (RandomNetwork *random)
{
  static const NnAct acts[] = { NN_ACT_RELU, NN_ACT_LEAKY_RELU, NN_ACT_THRESHOLDED_RELU, NN_ACT_ELU, NN_ACT_SELU, NN_ACT_SIGMOID,
                                NN_ACT_HARD_SIGMOID, NN_ACT_TANH, NN_ACT_HARD_TANH, NN_ACT_SOFTPLUS, NN_ACT_SOFTSIGN, NN_ACT_SOFTMAX,
                                NN_ACT_BINARY_TANH, NN_ACT_TERNARY_TANH, NN_ACT_LINEAR };
  NnNode *node = random_add (random, NN_OP_ACTIVATION);

  node->attrs.act = acts[random_below (random, G_N_ELEMENTS (acts))];
  node->attrs.alpha = node->attrs.act == NN_ACT_RELU ? 0 : 0.1 + nn_rng_uniform (&random->net.rng);
  node->attrs.threshold = node->attrs.act == NN_ACT_THRESHOLDED_RELU ? 0.4 : 0;
  node->attrs.slope = 0.2;
  node->attrs.shift = 0.5;
  if (node->attrs.act == NN_ACT_RELU && random_below (random, 3) == 0)
    node->attrs.max_value = 1.5;
  random_config (random, node->name, node->attrs.act == NN_ACT_SOFTMAX ? "exp_table inv_table inv_inp result" : "table result", 0);
}

static inline void
random_recurrent (RandomNetwork *random)
{
  static const NnOp ops[] = { NN_OP_SIMPLE_RNN, NN_OP_LSTM, NN_OP_GRU };
  guint kind = random_below (random, 3), ids[3];
  gint64 gates = kind == 0 ? 1 : kind == 1 ? 4 : 3, units = 1 + random_below (random, 4), n_in = nn_shape_last (&random->shape);
  NnNode *node = random_add (random, ops[kind]);
  NnShape bias;

  node->attrs.units = units;
  node->attrs.use_bias = TRUE;
  node->attrs.act = NN_ACT_TANH;
  node->attrs.recurrent_act = NN_ACT_SIGMOID;
  node->attrs.return_sequences = random_below (random, 2) == 0;
  node->attrs.reset_after = kind == 2 && random_below (random, 2) == 0;
  ids[0] = random_weight (random, node, "kernel", NN_ROLE_KERNEL, &NN_SHAPE (n_in, gates * units));
  ids[1] = random_weight (random, node, "recurrent", NN_ROLE_RECURRENT_KERNEL, &NN_SHAPE (units, gates * units));
  bias = node->attrs.reset_after ? NN_SHAPE (2, gates * units) : NN_SHAPE (gates * units);
  ids[2] = random_weight (random, node, "bias", NN_ROLE_BIAS, &bias);
  nn_graph_builder_weights (random->net.builder, node, ids, 3);
  random_config (random, node->name, "weight recurrent_weight bias accum result", 12);
  random->recurrent++;
  random->shape = node->attrs.return_sequences ? NN_SHAPE (random->shape.dims[0], units) : NN_SHAPE (units);
}

/* The last value meets itself behind an activation. */
static inline void
random_merge (RandomNetwork *random)
{
  static const NnOp merges[] = { NN_OP_ADD, NN_OP_SUBTRACT, NN_OP_MULTIPLY, NN_OP_AVERAGE, NN_OP_MAXIMUM, NN_OP_MINIMUM, NN_OP_CONCATENATE };
  guint inputs[2] = { network_last (&random->net) }, which = random_below (random, G_N_ELEMENTS (merges));
  g_autofree char *name = NULL;
  const char *copy;

  random_activation (random);
  inputs[1] = network_last (&random->net);
  name = g_strdup_printf ("n%u", random->count++);
  copy = nn_graph_builder_strdup (random->net.builder, name);
  nn_graph_builder_add (random->net.builder, merges[which], copy, nn_op_info (merges[which])->name, inputs, 2)->attrs.axis = -1;
  if (merges[which] == NN_OP_CONCATENATE)
    random->shape.dims[random->shape.rank - 1] *= 2;
  random_config (random, copy, "result", 0);
}

static inline void
random_move (RandomNetwork *random)
{
  NnNode *node = random_add (random, random_below (random, 2) == 0 ? NN_OP_ZERO_PAD : NN_OP_UPSAMPLE);

  for (guint k = 0; k + 1 < random->shape.rank; k++)
    {
      node->attrs.size[k] = 2;
      node->attrs.pad[k][0] = random_below (random, 2);
      node->attrs.pad[k][1] = random_below (random, 3);
      random->shape.dims[k] = node->op == NN_OP_UPSAMPLE ? 2 * random->shape.dims[k]
                                                         : random->shape.dims[k] + node->attrs.pad[k][0] + node->attrs.pad[k][1];
    }
}

/* Every input spread over the outputs under the kernel. */
static inline void
random_transposed (RandomNetwork *random)
{
  guint axes = random->shape.rank - 1;
  gint64 channels = nn_shape_last (&random->shape), units = 1 + random_below (random, 3), stride = 1 + random_below (random, 2);
  gboolean same = random_below (random, 2) == 0;
  NnNode *node = random_add (random, axes == 1 ? NN_OP_CONV1D_TRANSPOSE : NN_OP_CONV2D_TRANSPOSE);

  node->attrs.padding = same ? NN_PADDING_SAME : NN_PADDING_VALID;
  for (guint k = 0; k < axes; k++)
    {
      gint64 size = 1 + random_below (random, 3);

      node->attrs.kernel[k] = size;
      node->attrs.stride[k] = stride;
      random->shape.dims[k] = random->shape.dims[k] * stride + (same ? 0 : size - stride);
    }
  random_matrix (random, node,
                 axes == 1 ? &NN_SHAPE (node->attrs.kernel[0], units, channels)
                           : &NN_SHAPE (node->attrs.kernel[0], node->attrs.kernel[1], units, channels),
                 units);
  random->shape.dims[axes] = units;
}

/* Each half of the outputs from its half of the channels. */
static inline void
random_groups (RandomNetwork *random)
{
  guint axes = random->shape.rank - 1;
  gint64 channels = nn_shape_last (&random->shape), units = 2 * (1 + random_below (random, 2));
  NnNode *node = random_add (random, axes == 1 ? NN_OP_CONV1D : NN_OP_CONV2D);

  node->attrs.groups = 2;
  random_window (random, node, FALSE);
  random_matrix (random, node,
                 axes == 1 ? &NN_SHAPE (node->attrs.kernel[0], channels / 2, units)
                           : &NN_SHAPE (node->attrs.kernel[0], node->attrs.kernel[1], channels / 2, units),
                 units);
  random->shape.dims[axes] = units;
}

/* The last value times itself behind an activation, summed over the first or the last axis. */
static inline void
random_products (RandomNetwork *random)
{
  static const char *const equations[] = { "bij,bik->bjk", "bij,bkj->bik", "bij,bik->bijk" };
  guint inputs[2] = { network_last (&random->net) }, which = random_below (random, 3);
  gint64 rows = random->shape.dims[0], columns = random->shape.dims[1];
  g_autofree char *name = NULL;
  NnNode *node;

  random_activation (random);
  inputs[1] = network_last (&random->net);
  name = g_strdup_printf ("n%u", random->count++);
  node = nn_graph_builder_add (random->net.builder, NN_OP_EINSUM, nn_graph_builder_strdup (random->net.builder, name), "Einsum", inputs, 2);
  node->attrs.equation = equations[which];
  random->shape = which == 0 ? NN_SHAPE (columns, columns) : which == 1 ? NN_SHAPE (rows, rows) : NN_SHAPE (rows, columns, columns);
  node->shape = random->shape;
  random_config (random, node->name, "accum result", 0);
}

static inline void
random_reduce (RandomNetwork *random)
{
  static const NnOp ops[] = { NN_OP_REDUCE_MEAN, NN_OP_REDUCE_SUM, NN_OP_REDUCE_MAX };
  NnNode *node = random_add (random, ops[random_below (random, 3)]);
  guint axis = random_below (random, random->shape.rank - 1);

  node->attrs.axis = node->attrs.axis2 = (gint) axis;
  for (guint d = axis; d + 1 < random->shape.rank; d++)
    random->shape.dims[d] = random->shape.dims[d + 1];
  random->shape.rank--;
  random_config (random, node->name, "accum result", 0);
}

/* A type for each channel, as HGQ trains them; now and then none. */
static inline void
random_elements (RandomNetwork *random)
{
  guint n = (guint) nn_shape_last (&random->shape);
  NnType *types = nn_graph_builder_alloc (random->net.builder, n * sizeof (NnType));
  NnQuantizer quantizer = { .kind = NN_QUANT_FIXED, .per_element = types, .n_elements = n };
  NnNode *node = random_add (random, NN_OP_QUANTIZE);

  for (guint k = 0; k < n; k++)
    {
      g_autofree char *text = random_type (random, 2, 12);

      g_assert_true (nn_type_parse (text, &types[k], NULL));
      if (random_below (random, 6) == 0)
        types[k].width = types[k].integer = 0;
    }
  quantizer.type = types[0];
  node->attrs.quantizer = nn_graph_builder_quantizer (random->net.builder, &quantizer);
}

static inline void
random_attention (RandomNetwork *random)
{
  static const NnRole roles[] = { NN_ROLE_QUERY_KERNEL, NN_ROLE_KEY_KERNEL, NN_ROLE_VALUE_KERNEL };
  static const char *const names[] = { "query", "key", "value" };
  gint64 in = nn_shape_last (&random->shape), heads = 1 + random_below (random, 2), width = 1 + random_below (random, 3);
  NnNode *node = random_add (random, NN_OP_MULTI_HEAD_ATTENTION);
  guint ids[4];

  node->attrs.n_heads = heads;
  node->attrs.key_dim = node->attrs.value_dim = width;
  node->shape = random->shape;
  for (guint k = 0; k < 3; k++)
    ids[k] = random_weight (random, node, names[k], roles[k], &NN_SHAPE (in, heads, width));
  ids[3] = random_weight (random, node, "output", NN_ROLE_OUTPUT_KERNEL, &NN_SHAPE (heads, width, in));
  nn_graph_builder_weights (random->net.builder, node, ids, 4);
}

static inline void
random_layer (RandomNetwork *random)
{
  guint rank = random->shape.rank, which = random_below (random, 18);
  gsize count = nn_shape_count (&random->shape);

  if (which == 12 && rank > 1 && count < 60)
    {
      random_transposed (random);
      return;
    }
  if (which == 13 && rank > 1 && nn_shape_last (&random->shape) % 2 == 0)
    {
      random_groups (random);
      return;
    }
  if (which == 14 && rank == 2 && count < 60)
    {
      random_products (random);
      return;
    }
  if (which == 15 && rank > 1)
    {
      random_reduce (random);
      return;
    }
  if (which == 16)
    {
      random_elements (random);
      return;
    }
  if (which == 17 && rank == 2 && random->net.n_weights + 6 < MAX_TEST_WEIGHTS && random->recurrent++ == 0)
    {
      random_attention (random);
      return;
    }

  if (which < 4 && rank > 1)
    random_conv (random);
  else if (which < 4 || (which == 4 && rank < 3))
    random_dense (random);
  else if (which < 6)
    random_activation (random);
  else if (which == 6)
    random_norm (random);
  else if (which == 7)
    random_merge (random);
  else if (which == 8 && rank == 2 && random->recurrent == 0)
    random_recurrent (random);
  else if (which == 9 && rank > 1 && nn_shape_count (&random->shape) < 80)
    random_move (random);
  else if (which == 10 && rank > 1)
    {
      random_add (random, NN_OP_FLATTEN);
      random->shape = NN_SHAPE ((gint64) nn_shape_count (&random->shape));
    }
  else if (rank > 1)
    random_pool (random);
  else
    random_dense (random);
}

/* The network of @seed and, in @config, its configuration. (transfer full) */
static inline NnModel *
random_network (RandomNetwork *random,
                guint64        seed,
                char         **config)
{
  static const char *const backends[] = { "Vitis", "Vitis", "Vitis", "Vivado", "Catapult", "oneAPI", "Quartus" };
  g_autofree char *model_type = NULL, *input_type = NULL;
  guint n_layers, rank;
  NnModel *model;

  memset (random, 0, sizeof *random);
  random->layers = g_string_new (NULL);
  network_begin (&random->net);
  nn_rng_init (&random->net.rng, seed);
  random->parallel = random_below (random, 2) == 0;
  random->same_strategy = random_below (random, 2) == 0;
  random->strategy = random_below (random, G_N_ELEMENTS (random_strategies));
  rank = 1 + random_below (random, 3);
  random->shape = rank == 1 ? NN_SHAPE (2 + random_below (random, 7))
                : rank == 2 ? NN_SHAPE (3 + random_below (random, 5), 1 + random_below (random, 4))
                            : NN_SHAPE (3 + random_below (random, 3), 3 + random_below (random, 4), 1 + random_below (random, 3));
  network_input (&random->net, "x", &random->shape);
  random_config (random, "x", "result", 0);
  n_layers = 1 + random_below (random, 4);
  for (guint k = 0; k < n_layers; k++)
    random_layer (random);
  if (random->count == 1)
    random_dense (random);
  model_type = random_type (random, 8, 20);
  *config = g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\",\"granularity\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"%s\","
                             "\"ReuseFactor\":%u,\"Strategy\":\"%s\"},\"LayerName\":{%s}}}",
                             backends[random_below (random, random->parallel ? 7 : 6)], random->parallel ? "io_parallel" : "io_stream",
                             random_below (random, 2) == 0 ? "name" : "model", model_type, 1 + random_below (random, 6),
                             random_strategies[random->strategy], random->layers->str);
  g_string_free (random->layers, TRUE);
  random->layers = NULL;
  model = network_end (&random->net);
  for (guint w = 0; w < random->net.n_weights; w++)
    g_clear_pointer (&random->net.weights[w].mask, nn_tensor_unref);
  return model;
}
