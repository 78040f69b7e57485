/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Still more by chance: broadcasting, constants, tables of vectors, shared weights, windows of odd strides, every port of every tool. */

#pragma once

#include "test-random-more.h"

static inline const char *
random_name (RandomNetwork *random)
{
  g_autofree char *name = g_strdup_printf ("n%u", random->count++);

  return nn_graph_builder_strdup (random->net.builder, name);
}

static inline NnNode *
random_two (RandomNetwork *random,
            NnOp           op,
            guint          a,
            guint          b)
{
  guint inputs[2] = { a, b };
  NnNode *node = nn_graph_builder_add (random->net.builder, op, random_name (random), nn_op_info (op)->name, inputs, 2);

  node->attrs.axis = -1;
  return node;
}

static inline NnOp
random_merge_op (RandomNetwork *random)
{
  static const NnOp merges[] = { NN_OP_ADD, NN_OP_SUBTRACT, NN_OP_MULTIPLY, NN_OP_AVERAGE, NN_OP_MAXIMUM, NN_OP_MINIMUM };

  return merges[random_below (random, G_N_ELEMENTS (merges))];
}

/* One number of each channel, from all places, meets the whole (squeeze and excitation); in either order. */
static inline void
random_squeeze (RandomNetwork *random)
{
  guint whole = network_last (&random->net), small;
  NnShape shape = random->shape;
  NnNode *node = random_add (random, random_below (random, 2) ? NN_OP_GLOBAL_AVG_POOL : NN_OP_GLOBAL_MAX_POOL);

  random_config (random, node->name, "accum result", 0);
  if (random_below (random, 2) == 0)
    {
      random->shape = NN_SHAPE (nn_shape_last (&shape));
      random_activation (random);
    }
  node = random_add (random, NN_OP_RESHAPE);
  node->attrs.target = shape.rank == 2 ? NN_SHAPE (1, nn_shape_last (&shape)) : NN_SHAPE (1, 1, nn_shape_last (&shape));
  small = network_last (&random->net);
  node = random_below (random, 2) ? random_two (random, random_merge_op (random), whole, small)
                                  : random_two (random, random_merge_op (random), small, whole);
  random->shape = shape;
  random_config (random, node->name, "result", 0);
}

/* Numbers of the network's own, of the whole shape or of one axis only. */
static inline void
random_constant (RandomNetwork *random)
{
  guint value = network_last (&random->net), id, which = random_below (random, 3);
  NnNode *node = nn_graph_builder_add (random->net.builder, NN_OP_CONSTANT, random_name (random), "Constant", NULL, 0);
  NnShape shape = random->shape;

  for (guint d = 0; d < shape.rank; d++)
    if ((which == 1 && d + 1 < shape.rank) || (which == 2 && d > 0))
      shape.dims[d] = 1;
  node->shape = shape;
  id = network_weight (&random->net, node->name, "value", NN_ROLE_VALUE, &shape, 1);
  nn_graph_builder_weights (random->net.builder, node, &id, 1);
  random_config (random, node->name, random_below (random, 2) ? "result" : "", 0);
  node = random_two (random, random_merge_op (random), value, network_last (&random->net));
  random_config (random, node->name, "result", 0);
}

/* A factor and perhaps an offset for each channel. */
static inline void
random_scale (RandomNetwork *random)
{
  NnNode *node = random_add (random, NN_OP_SCALE);
  NnShape shape = NN_SHAPE (nn_shape_last (&random->shape));
  guint ids[2], n = 1 + random_below (random, 2);

  ids[0] = network_weight (&random->net, node->name, "scale", NN_ROLE_SCALE, &shape, 0.8);
  if (n == 2)
    ids[1] = network_weight (&random->net, node->name, "bias", NN_ROLE_BIAS, &shape, 0.5);
  nn_graph_builder_weights (random->net.builder, node, ids, n);
  random_config (random, node->name, "scale bias result", 0);
}

/* Strides and dilations of their own on each axis, and where lines are kept (ConvImplementation). */
static inline void
random_odd_window (RandomNetwork *random)
{
  static const char *const implementations[] = { "LineBuffer", "Encoded" };
  guint axes = random->shape.rank - 1;
  gboolean depthwise = random_below (random, 3) == 0, same = random_below (random, 2) == 0;
  gint64 channels = nn_shape_last (&random->shape), multiplier = depthwise ? 1 + random_below (random, 2) : 1;
  gint64 units = depthwise ? channels * multiplier : 1 + random_below (random, 3);
  NnNode *node = random_add (random, axes == 1 ? (depthwise ? NN_OP_DEPTHWISE_CONV1D : NN_OP_CONV1D)
                                               : (depthwise ? NN_OP_DEPTHWISE_CONV2D : NN_OP_CONV2D));
  gint64 last = depthwise ? multiplier : units;
  gboolean dilated = random_below (random, 2) == 0;

  node->attrs.padding = same ? NN_PADDING_SAME : NN_PADDING_VALID;
  node->attrs.depth_multiplier = multiplier;
  for (guint k = 0; k < axes; k++)
    {
      gint64 *n = &random->shape.dims[k], wish = 1 + random_below (random, 3), size = MIN (*n, wish);

      node->attrs.kernel[k] = size;
      node->attrs.dilation[k] = dilated && (size - 1) * 2 + 1 <= *n ? 2 : 1;
      node->attrs.stride[k] = dilated ? 1 : 1 + random_below (random, 3);
      *n = same ? (*n + node->attrs.stride[k] - 1) / node->attrs.stride[k]
                : (*n - (size - 1) * node->attrs.dilation[k] - 1) / node->attrs.stride[k] + 1;
    }
  random_matrix (random, node,
                 axes == 1 ? &NN_SHAPE (node->attrs.kernel[0], channels, last)
                           : &NN_SHAPE (node->attrs.kernel[0], node->attrs.kernel[1], channels, last), units);
  g_string_truncate (random->layers, random->layers->len - 1);
  g_string_append_printf (random->layers, ",\"ConvImplementation\":\"%s\"}", implementations[random_below (random, 2)]);
  random->shape.dims[axes] = units;
}

/* Channel by channel, then place by place. */
static inline void
random_separable (RandomNetwork *random)
{
  guint axes = random->shape.rank - 1, ids[3];
  gint64 channels = nn_shape_last (&random->shape), multiplier = 1 + random_below (random, 2), units = 1 + random_below (random, 3);
  NnNode *node = random_add (random, axes == 1 ? NN_OP_SEPARABLE_CONV1D : NN_OP_SEPARABLE_CONV2D);

  random_window (random, node, FALSE);
  node->attrs.depth_multiplier = multiplier;
  node->attrs.units = units;
  node->attrs.use_bias = TRUE;
  ids[0] = random_weight (random, node, "depthwise", NN_ROLE_DEPTHWISE_KERNEL,
                          axes == 1 ? &NN_SHAPE (node->attrs.kernel[0], channels, multiplier)
                                    : &NN_SHAPE (node->attrs.kernel[0], node->attrs.kernel[1], channels, multiplier));
  ids[1] = random_weight (random, node, "pointwise", NN_ROLE_POINTWISE_KERNEL,
                          axes == 1 ? &NN_SHAPE (1, channels * multiplier, units) : &NN_SHAPE (1, 1, channels * multiplier, units));
  ids[2] = random_weight (random, node, "bias", NN_ROLE_BIAS, &NN_SHAPE (units));
  nn_graph_builder_weights (random->net.builder, node, ids, 3);
  random_config (random, node->name, "result", 12);
  random->shape.dims[axes] = units;
}

/* A matrix over the last axis, or over two of them at once. */
static inline void
random_einsum_dense (RandomNetwork *random)
{
  static const char *const equations[] = { "abc,cd->abd", "abc,bd->adc", "abc,bcd->ad" };
  gint64 rows = random->shape.dims[0], columns = random->shape.dims[1], units = 1 + random_below (random, 3);
  guint which = random_below (random, 3), id;
  NnNode *node = random_add (random, NN_OP_EINSUM_DENSE);
  NnShape kernel = which == 0 ? NN_SHAPE (columns, units) : which == 1 ? NN_SHAPE (rows, units) : NN_SHAPE (rows, columns, units);

  node->attrs.equation = equations[which];
  node->attrs.units = units;
  random->shape = which == 0 ? NN_SHAPE (rows, units) : which == 1 ? NN_SHAPE (units, columns) : NN_SHAPE (units);
  node->shape = random->shape;
  id = random_weight (random, node, "kernel", NN_ROLE_KERNEL, &kernel);
  nn_graph_builder_weights (random->net.builder, node, &id, 1);
  random_config (random, node->name, "weight bias accum result", 12);
}

/* The value times itself turned round. */
static inline void
random_matmul (RandomNetwork *random)
{
  guint a = network_last (&random->net);
  gint64 rows = random->shape.dims[0];
  NnNode *node = random_add (random, NN_OP_PERMUTE);

  node->attrs.perm[0] = 1;
  node->attrs.perm[1] = 0;
  node = random_two (random, NN_OP_MATMUL, a, network_last (&random->net));
  random->shape = NN_SHAPE (rows, rows);
  random_config (random, node->name, "accum result", 0);
}

/* One set of weights in two layers, each with types of its own. */
static inline void
random_shared (RandomNetwork *random)
{
  gint64 n = nn_shape_last (&random->shape);
  guint ids[2];

  for (guint k = 0; k < 2; k++)
    {
      NnNode *node = random_add (random, NN_OP_DENSE);

      node->attrs.units = n;
      node->attrs.use_bias = TRUE;
      if (k == 0)
        {
          ids[0] = random_weight (random, node, "kernel", NN_ROLE_KERNEL, &NN_SHAPE (n, n));
          ids[1] = random_weight (random, node, "bias", NN_ROLE_BIAS, &NN_SHAPE (n));
        }
      nn_graph_builder_weights (random->net.builder, node, ids, 2);
      random_config (random, node->name, "weight bias accum result", (guint) (n * n + 2));
    }
}

/* Three of one value, side by side on some axis. */
static inline void
random_rows (RandomNetwork *random)
{
  guint inputs[3] = { network_last (&random->net) }, axis = random_below (random, random->shape.rank);
  NnNode *node;

  random_activation (random);
  inputs[1] = network_last (&random->net);
  inputs[2] = inputs[random_below (random, 2)];
  node = nn_graph_builder_add (random->net.builder, NN_OP_CONCATENATE, random_name (random), "Concatenate", inputs, 3);
  node->attrs.axis = (gint) axis;
  random->shape.dims[axis] *= 3;
  random_config (random, node->name, "result", 0);
}

/* Whole numbers that choose vectors: the first layer of a network. */
static inline void
random_embedding (RandomNetwork *random)
{
  gint64 words = 2 + random_below (random, 7), units = 1 + random_below (random, 3);
  NnNode *node = random_add (random, NN_OP_EMBEDDING);
  guint id;

  node->attrs.units = units;
  id = network_weight (&random->net, node->name, "embeddings", NN_ROLE_EMBEDDINGS, &NN_SHAPE (words, units), 1);
  nn_graph_builder_weights (random->net.builder, node, &id, 1);
  random_config (random, node->name, random_below (random, 2) ? "result" : "", 0);
  random->shape = NN_SHAPE (random->shape.dims[0], units);
}

static inline void
random_wide_layer (RandomNetwork *random)
{
  guint rank = random->shape.rank, which = random_below (random, 16);
  gsize count = nn_shape_count (&random->shape);
  gboolean room = random->net.n_weights + 8 < MAX_TEST_WEIGHTS;

  if (which == 0 && rank > 1)
    random_squeeze (random);
  else if (which == 1 && room)
    random_constant (random);
  else if (which == 2 && room)
    random_scale (random);
  else if (which < 6 && rank > 1)
    random_odd_window (random);
  else if (which == 6 && rank > 1 && room)
    random_separable (random);
  else if (which == 7 && rank == 2)
    random_einsum_dense (random);
  else if (which == 8 && rank == 2 && count < 60)
    random_matmul (random);
  else if (which == 9 && nn_shape_last (&random->shape) < 9 && room)
    random_shared (random);
  else if (which == 10 && count < 60)
    random_rows (random);
  else if (which == 11 && rank == 2 && random->recurrent == 0)
    random_other_recurrent (random);
  else if (room)
    random_more_layer (random);
}

/* Every backend with either interface. */
static inline char *
random_wide_settings (RandomNetwork *random)
{
  static const char *const backends[] = { "Vitis", "Vivado", "Catapult", "oneAPI", "Quartus" };
  g_autofree char *model_type = random_type (random, 8, 24);

  return g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\",\"granularity\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":\"%s\","
                          "\"ReuseFactor\":%u,\"Strategy\":\"%s\"},\"LayerName\":{%s}}}",
                          backends[random_below (random, G_N_ELEMENTS (backends))], random->parallel ? "io_parallel" : "io_stream",
                          random_below (random, 3) ? "name" : "model", model_type, 1 + random_below (random, 6),
                          random_strategies[random->strategy], random->layers->str);
}

/* The network of @seed and, in @config, its configuration. (transfer full) */
static inline NnModel *
random_network_wide (RandomNetwork *random,
                     guint64        seed,
                     char         **config)
{
  guint n_layers, rank;
  gboolean words;
  NnModel *model;

  memset (random, 0, sizeof *random);
  random->layers = g_string_new (NULL);
  network_begin (&random->net);
  nn_rng_init (&random->net.rng, seed);
  random->parallel = random_below (random, 2) == 0;
  random->same_strategy = random_below (random, 2) == 0;
  random->strategy = random_below (random, G_N_ELEMENTS (random_strategies));
  words = random_below (random, 10) == 0;
  rank = words ? 1 : 1 + random_below (random, 3);
  random->shape = rank == 1 ? NN_SHAPE (2 + random_below (random, 6))
                : rank == 2 ? NN_SHAPE (3 + random_below (random, 4), 1 + random_below (random, 3))
                            : NN_SHAPE (3 + random_below (random, 3), 3 + random_below (random, 3), 1 + random_below (random, 2));
  network_input (&random->net, "x", &random->shape);
  random_config (random, "x", "result", 0);
  if (words)
    random_embedding (random);
  n_layers = 1 + random_below (random, 4);
  for (guint k = 0; k < n_layers; k++)
    {
      random_wide_layer (random);
      if (random_below (random, 8) == 0 && random->count > 1 && k + 1 < n_layers)
        nn_graph_builder_output (random->net.builder, network_last (&random->net));
    }
  if (random->count <= 2)
    random_dense (random);
  *config = random_wide_settings (random);
  g_string_free (random->layers, TRUE);
  random->layers = NULL;
  model = network_end (&random->net);
  for (guint w = 0; w < random->net.n_weights; w++)
    g_clear_pointer (&random->net.weights[w].mask, nn_tensor_unref);
  return model;
}
