/* SPDX-License-Identifier: GPL-3.0-or-later */
/* More by chance: several inputs and outputs, trained quantisers, wide types, tables and layers that move numbers. */

#pragma once

#include "test-random-network.h"

/* Of 1 to 64 bits. */
static inline char *
random_any_type (RandomNetwork *random)
{
  return random_below (random, 3) == 0 ? random_type (random, 24, 64) : random_type (random, 2, 26);
}

/* As QKeras and HGQ quantise weights: signs, three values, powers of two, a grid, or one for each output. */
static inline void
random_quantized (RandomNetwork *random,
                  NnNode        *node,
                  gint64         n_out)
{
  NnQuantizer q = { .kind = (NnQuantKind[]){ NN_QUANT_BINARY, NN_QUANT_TERNARY, NN_QUANT_POWER, NN_QUANT_FIXED, NN_QUANT_FIXED }[random_below (random, 5)],
                    .threshold = 0.3 };

  switch (q.kind)
    {
    case NN_QUANT_BINARY:
      q.type = (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1, .is_signed = TRUE };
      break;
    case NN_QUANT_TERNARY:
      q.type = (NnType){ .kind = NN_TYPE_TERNARY, .width = 2, .integer = 2, .is_signed = TRUE };
      break;
    case NN_QUANT_POWER:
      q.type = (NnType){ .kind = NN_TYPE_POWER, .width = 3 + (int) random_below (random, 3), .is_signed = TRUE };
      q.type.integer = q.type.width;
      break;
    default:
      q.type = NN_FIXED (2 + (int) random_below (random, 8), 1 + (int) random_below (random, 2));
      q.type.rounding = NN_ROUND_RND_CONV;
      q.type.overflow = random_below (random, 2) ? NN_OVERFLOW_SAT : NN_OVERFLOW_SAT_SYM;
      break;
    }
  if (q.kind == NN_QUANT_FIXED && random_below (random, 2) == 0)
    {
      NnType *types = nn_graph_builder_alloc (random->net.builder, (gsize) n_out * sizeof (NnType));

      for (gint64 k = 0; k < n_out; k++)
        {
          types[k] = q.type;
          types[k].width = (int) random_below (random, 9);
          types[k].integer = types[k].width > 0 ? 1 : 0;
        }
      q.per_element = types;
      q.n_elements = (guint) n_out;
    }
  if (q.kind != NN_QUANT_FIXED && random_below (random, 3) == 0)
    q.alpha_mode = random_below (random, 2) ? NN_ALPHA_AUTO : NN_ALPHA_AUTO_PO2;
  node->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (random->net.builder, &q);
}

/* A dense layer or a convolution whose weights were trained in few values. */
static inline void
random_trained (RandomNetwork *random)
{
  guint rank = random->shape.rank;
  NnNode *node;

  if (rank > 1)
    random_conv (random);
  else
    random_dense (random);
  node = nn_graph_builder_node (random->net.builder, network_last (&random->net));
  if (node->op == NN_OP_DENSE || node->op == NN_OP_CONV1D || node->op == NN_OP_CONV2D)
    random_quantized (random, node, node->attrs.units);
}

/* QActivation: a grid, a clipped ReLU, hard and true curves, signs. */
static inline void
random_quantized_activation (RandomNetwork *random)
{
  NnQuantizer q = { .kind = (NnQuantKind[]){ NN_QUANT_FIXED, NN_QUANT_RELU, NN_QUANT_RELU, NN_QUANT_TANH, NN_QUANT_SIGMOID,
                                             NN_QUANT_BINARY, NN_QUANT_TERNARY }[random_below (random, 7)] };
  NnNode *node = random_add (random, NN_OP_ACTIVATION);

  q.type = NN_FIXED (2 + (int) random_below (random, 9), 1);
  q.type.rounding = NN_ROUND_RND_CONV;
  q.type.overflow = NN_OVERFLOW_SAT;
  q.use_real_function = random_below (random, 2) == 0;
  q.threshold = 0.33;
  if (q.kind == NN_QUANT_RELU)
    q.type.is_signed = FALSE, q.type.integer = (int) random_below (random, 3);
  else if (q.kind == NN_QUANT_SIGMOID)
    q.type.is_signed = FALSE, q.type.integer = 0;
  else if (q.kind == NN_QUANT_BINARY)
    q.type = (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1, .is_signed = TRUE };
  else if (q.kind == NN_QUANT_TERNARY)
    q.type = (NnType){ .kind = NN_TYPE_TERNARY, .width = 2, .integer = 2, .is_signed = TRUE };
  node->attrs.act = NN_ACT_QUANTIZED;
  node->attrs.quantizer = nn_graph_builder_quantizer (random->net.builder, &q);
}

/* Batch normalisation before signs, which becomes thresholds. */
static inline void
random_thresholds (RandomNetwork *random)
{
  NnNode *node;

  random_norm (random);
  node = random_add (random, NN_OP_ACTIVATION);
  node->attrs.act = random_below (random, 2) ? NN_ACT_BINARY_TANH : NN_ACT_TERNARY_TANH;
}

static inline void
random_prelu (RandomNetwork *random)
{
  NnNode *node = random_add (random, NN_OP_PRELU);
  guint id = network_weight (&random->net, node->name, "alpha", NN_ROLE_ALPHA, &random->shape, 0.4);

  nn_graph_builder_weights (random->net.builder, node, &id, 1);
  random_config (random, node->name, "result", 0);
}

static inline void
random_layer_norm (RandomNetwork *random)
{
  NnNode *node = random_add (random, NN_OP_LAYER_NORM);
  NnShape shape = NN_SHAPE (nn_shape_last (&random->shape));
  guint ids[2];

  ids[0] = network_weight (&random->net, node->name, "gamma", NN_ROLE_GAMMA, &shape, 0.7);
  ids[1] = network_weight (&random->net, node->name, "beta", NN_ROLE_BETA, &shape, 0.4);
  nn_graph_builder_weights (random->net.builder, node, ids, 2);
  random_config (random, node->name, random_below (random, 2) ? "" : "result accum", 0);
}

/* Softmax in each of its forms, with tables of its own. */
static inline void
random_softmax (RandomNetwork *random)
{
  static const char *const forms[] = { "stable", "latency", "legacy", "argmax" };
  static const char *const variables[] = { "exp_table", "inv_table", "inv_inp", "accum", "table", "result" };
  NnNode *node = random_add (random, NN_OP_ACTIVATION);
  gboolean first = TRUE;

  node->attrs.act = NN_ACT_SOFTMAX;
  g_string_append_printf (random->layers, "%s\"%s\":{\"Precision\":{", random->layers->len > 0 ? "," : "", node->name);
  for (guint k = 0; k < G_N_ELEMENTS (variables); k++)
    if (random_below (random, 2) == 0)
      {
        g_autofree char *type = random_type (random, 6, 24);

        g_string_append_printf (random->layers, "%s\"%s\":\"%s\"", first ? "" : ",", variables[k], type);
        first = FALSE;
      }
  g_string_append_printf (random->layers, "},\"Implementation\":\"%s\"", forms[random_below (random, 4)]);
  if (random_below (random, 2) == 0)
    g_string_append_printf (random->layers, ",\"TableSize\":%u", 2u << random_below (random, 11));
  if (random_below (random, 10) == 0)
    g_string_append (random->layers, ",\"Skip\":true");
  g_string_append (random->layers, "}");
}

/* Any other table, of a size and a type of its own. */
static inline void
random_table (RandomNetwork *random)
{
  static const NnAct acts[] = { NN_ACT_SIGMOID, NN_ACT_TANH, NN_ACT_SOFTPLUS, NN_ACT_SOFTSIGN, NN_ACT_ELU, NN_ACT_SELU };
  NnNode *node = random_add (random, NN_OP_ACTIVATION);
  g_autofree char *table = random_type (random, 4, 24), *result = random_any_type (random);

  node->attrs.act = acts[random_below (random, G_N_ELEMENTS (acts))];
  node->attrs.alpha = node->attrs.act == NN_ACT_ELU ? 0.5 + nn_rng_uniform (&random->net.rng) : 0;
  g_string_append_printf (random->layers, "%s\"%s\":{\"Precision\":{\"table\":\"%s\",\"result\":\"%s\"},\"TableSize\":%u}",
                          random->layers->len > 0 ? "," : "", node->name, table, result, 2u << random_below (random, 12));
}

/* A recurrent layer with gates of other curves, another table, its steps backwards. */
static inline void
random_other_recurrent (RandomNetwork *random)
{
  NnNode *node;
  g_autofree char *table = random_type (random, 6, 20);

  random_recurrent (random);
  node = nn_graph_builder_node (random->net.builder, network_last (&random->net));
  node->attrs.go_backwards = random_below (random, 2) == 0;
  if (random_below (random, 2) == 0)
    {
      node->attrs.recurrent_act = NN_ACT_HARD_SIGMOID;
      node->attrs.recurrent_slope = 0.2;
      node->attrs.recurrent_shift = 0.5;
    }
  if (random_below (random, 4) == 0)
    node->attrs.act = random_below (random, 2) ? NN_ACT_RELU : NN_ACT_LINEAR;
  g_string_truncate (random->layers, random->layers->len - 1);
  g_string_append_printf (random->layers, ",\"TableSize\":%u}", 16u << random_below (random, 8));
}

/* Numbers are only moved. */
static inline void
random_moved (RandomNetwork *random)
{
  guint rank = random->shape.rank, which = random_below (random, 4);
  NnNode *node;

  if (rank == 1)
    {
      if (which < 2 && nn_shape_count (&random->shape) < 12)
        {
          node = random_add (random, NN_OP_REPEAT_VECTOR);
          node->attrs.target = NN_SHAPE (2);
          random->shape = NN_SHAPE (2, random->shape.dims[0]);
        }
      return;
    }
  if (which == 0)
    {
      node = random_add (random, NN_OP_PERMUTE);
      for (guint d = 0; d < rank; d++)
        node->attrs.perm[d] = (d + 1) % rank;
      node->attrs.perm[rank - 1] = 0;
      if (rank == 2)
        node->attrs.perm[0] = 1;
      random->shape = rank == 2 ? NN_SHAPE (random->shape.dims[1], random->shape.dims[0])
                                : NN_SHAPE (random->shape.dims[1], random->shape.dims[2], random->shape.dims[0]);
    }
  else if (which == 1 && random->shape.dims[0] > 2)
    {
      node = random_add (random, NN_OP_CROP);
      node->attrs.pad[0][0] = 1;
      random->shape.dims[0] -= 1;
    }
  else if (which == 2)
    {
      node = random_add (random, NN_OP_REVERSE);
      node->attrs.axis = (gint) random_below (random, rank);
    }
  else if (random->shape.dims[0] > 1)
    {
      node = random_add (random, NN_OP_SLICE);
      node->attrs.axis = 0;
      node->attrs.begin = 0;
      node->attrs.step = 1 + random_below (random, 2);
      node->attrs.end = random->shape.dims[0];
      random->shape.dims[0] = (random->shape.dims[0] + node->attrs.step - 1) / node->attrs.step;
    }
}

/* The two inputs become one. */
static inline void
random_join (RandomNetwork *random,
             guint          a,
             guint          b)
{
  static const NnOp merges[] = { NN_OP_ADD, NN_OP_SUBTRACT, NN_OP_MULTIPLY, NN_OP_AVERAGE, NN_OP_MAXIMUM, NN_OP_MINIMUM, NN_OP_CONCATENATE, NN_OP_DOT };
  guint inputs[2] = { a, b }, which = random_below (random, random->shape.rank == 1 ? 8 : 7);
  g_autofree char *name = g_strdup_printf ("n%u", random->count++);
  NnNode *node = nn_graph_builder_add (random->net.builder, merges[which], nn_graph_builder_strdup (random->net.builder, name),
                                       nn_op_info (merges[which])->name, inputs, 2);

  node->attrs.axis = -1;
  if (merges[which] == NN_OP_CONCATENATE)
    random->shape.dims[random->shape.rank - 1] *= 2;
  else if (merges[which] == NN_OP_DOT)
    {
      node->attrs.normalize = random_below (random, 2) == 0;
      random->shape = NN_SHAPE (1);
    }
  random_config (random, node->name, "result", 0);
}

static inline void
random_more_layer (RandomNetwork *random)
{
  guint rank = random->shape.rank, which = random_below (random, 14);

  if (which < 3)
    random_trained (random);
  else if (which == 3)
    random_quantized_activation (random);
  else if (which == 4)
    random_thresholds (random);
  else if (which == 5)
    random_prelu (random);
  else if (which == 6 && rank == 2)
    random_layer_norm (random);
  else if (which == 7)
    random_softmax (random);
  else if (which == 8)
    random_table (random);
  else if (which == 9 && rank == 2 && random->recurrent == 0)
    random_other_recurrent (random);
  else if (which == 10)
    random_moved (random);
  else
    random_layer (random);
}

/* Settings of the whole network, now and then of a class and with a widest type. */
static inline char *
random_settings (RandomNetwork *random)
{
  static const char *const backends[] = { "Vitis", "Vitis", "Vivado", "Catapult", "oneAPI", "Quartus" };
  g_autofree char *model_type = random_type (random, 8, 24), *class_type = random_type (random, 6, 20), *widest = NULL, *classes = NULL;

  widest = random_below (random, 4) == 0 ? g_strdup_printf (",\"maximum\":\"fixed<%u,%u>\"", 8 + random_below (random, 20), 3 + random_below (random, 6))
                                         : g_strdup ("");
  classes = random_below (random, 4) == 0 ? g_strdup_printf ("\"LayerType\":{\"Dense\":{\"Precision\":{\"result\":\"%s\"},\"ReuseFactor\":%u}},",
                                                             class_type, 1 + random_below (random, 4))
                                          : g_strdup ("");
  return g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\",\"granularity\":\"%s\",\"HLSConfig\":{\"Model\":{\"Precision\":{\"default\":\"%s\"%s},"
                          "\"ReuseFactor\":%u,\"Strategy\":\"%s\"},%s\"LayerName\":{%s}}}",
                          backends[random_below (random, random->parallel ? 6 : 5)], random->parallel ? "io_parallel" : "io_stream",
                          random_below (random, 3) ? "name" : "model", model_type, widest, 1 + random_below (random, 6),
                          random_strategies[random->strategy], classes, random->layers->str);
}

static inline NnModel *
random_network_more (RandomNetwork *random,
                     guint64        seed,
                     char         **config)
{
  guint n_layers, rank;
  NnModel *model;

  memset (random, 0, sizeof *random);
  random->layers = g_string_new (NULL);
  network_begin (&random->net);
  nn_rng_init (&random->net.rng, seed);
  random->parallel = random_below (random, 3) > 0;
  random->same_strategy = random_below (random, 2) == 0;
  random->strategy = random_below (random, G_N_ELEMENTS (random_strategies));
  rank = 1 + random_below (random, 3);
  random->shape = rank == 1 ? NN_SHAPE (2 + random_below (random, 7))
                : rank == 2 ? NN_SHAPE (3 + random_below (random, 3), 1 + random_below (random, 3))
                            : NN_SHAPE (3 + random_below (random, 2), 3 + random_below (random, 2), 1 + random_below (random, 2));
  network_input (&random->net, "x", &random->shape);
  random_config (random, "x", "result", 0);
  if (random_below (random, 3) == 0)
    {
      nn_graph_builder_add (random->net.builder, NN_OP_INPUT, "y", "InputLayer", NULL, 0)->shape = random->shape;
      random_config (random, "y", "result", 0);
      random_join (random, 0, 1);
    }
  n_layers = 1 + random_below (random, 4);
  for (guint k = 0; k < n_layers; k++)
    {
      random_more_layer (random);
      if (random_below (random, 8) == 0 && random->count > 1 && k + 1 < n_layers)
        nn_graph_builder_output (random->net.builder, network_last (&random->net));
    }
  if (random->count <= 2)
    random_dense (random);
  *config = random_settings (random);
  g_string_free (random->layers, TRUE);
  random->layers = NULL;
  model = network_end (&random->net);
  for (guint w = 0; w < random->net.n_weights; w++)
    g_clear_pointer (&random->net.weights[w].mask, nn_tensor_unref);
  return model;
}
