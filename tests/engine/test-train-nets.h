/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small random networks for the tests of training. */

#pragma once

#include "nn-model.h"
#include "nn-rng.h"
#include "nn-trainer.h"

#include <math.h>
#include <string.h>

typedef struct {
  NnGraphBuilder *builder;
  GArray         *weights; /* NnWeight */
  GPtrArray      *names;
  NnRng           rng;
  guint           last;
  guint           n;
} TestNet;

static inline TestNet *
net_new (const NnShape *input,
         guint64        seed)
{
  TestNet *net = g_new0 (TestNet, 1);
  NnNode *node;

  net->builder = nn_graph_builder_new ();
  net->weights = g_array_new (FALSE, TRUE, sizeof (NnWeight));
  net->names = g_ptr_array_new_with_free_func (g_free);
  nn_rng_init (&net->rng, seed);
  node = nn_graph_builder_add (net->builder, NN_OP_INPUT, "input", NULL, NULL, 0);
  node->shape = *input;
  return net;
}

static inline NnNode *
net_add_to (TestNet     *net,
            NnOp         op,
            const guint *inputs,
            guint        n_inputs)
{
  char *name = g_strdup_printf ("layer_%u", ++net->n);
  NnNode *node;

  g_ptr_array_add (net->names, name);
  node = nn_graph_builder_add (net->builder, op, name, NULL, inputs, n_inputs);
  node->attrs.act = NN_ACT_LINEAR;
  node->attrs.axis = op == NN_OP_CONCATENATE || op == NN_OP_BATCH_NORM || op == NN_OP_LAYER_NORM || op == NN_OP_ACTIVATION ? -1 : 0;
  node->attrs.epsilon = 1e-3;
  node->attrs.momentum = 0.9;
  net->last = nn_graph_builder_n_nodes (net->builder) - 1;
  return node;
}

static inline NnNode *
net_add (TestNet *net,
         NnOp     op)
{
  guint input = net->last;

  return net_add_to (net, op, &input, 1);
}

/* Uniform in [low, high]. */
static inline void
net_weight (TestNet       *net,
            NnNode        *node,
            NnRole         role,
            const NnShape *shape,
            double         low,
            double         high)
{
  NnWeight w = { .name = nn_role_name (role), .layer = node->name, .role = role,
                 .trainable = role != NN_ROLE_MEAN && role != NN_ROLE_VARIANCE };
  guint *ids = g_new (guint, node->n_weights + 1);

  w.values = nn_tensor_new (NN_DTYPE_F32, shape);
  for (gsize i = 0; i < w.values->n; i++)
    nn_tensor_f32 (w.values)[i] = (float) (low + (high - low) * nn_rng_uniform (&net->rng));
  g_array_append_val (net->weights, w);
  for (guint k = 0; k < node->n_weights; k++)
    ids[k] = node->weights[k];
  ids[node->n_weights] = net->weights->len - 1;
  nn_graph_builder_weights (net->builder, node, ids, node->n_weights + 1);
  g_free (ids);
}

static inline NnNode *
net_dense (TestNet *net,
           gint64   n_in,
           gint64   n_out,
           NnAct    act)
{
  NnNode *node = net_add (net, NN_OP_DENSE);
  double r = sqrt (3.0 / n_in);

  node->attrs.units = n_out;
  node->attrs.act = act;
  node->attrs.alpha = act == NN_ACT_LEAKY_RELU ? 0.2 : act == NN_ACT_ELU ? 1 : 0;
  net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (n_in, n_out), -r, r);
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (n_out), -0.3, 0.3);
  return node;
}

static inline NnNode *
net_act (TestNet *net,
         NnAct    act)
{
  NnNode *node = net_add (net, NN_OP_ACTIVATION);

  node->attrs.act = act;
  node->attrs.alpha = act == NN_ACT_LEAKY_RELU ? 0.2 : act == NN_ACT_ELU ? 1 : 0;
  if (act == NN_ACT_HARD_SIGMOID)
    node->attrs.slope = 0.2, node->attrs.shift = 0.5;
  return node;
}

static inline NnNode *
net_batch_norm (TestNet *net,
                gint64   channels)
{
  NnNode *node = net_add (net, NN_OP_BATCH_NORM);

  net_weight (net, node, NN_ROLE_GAMMA, &NN_SHAPE (channels), 0.5, 1.5);
  net_weight (net, node, NN_ROLE_BETA, &NN_SHAPE (channels), -0.5, 0.5);
  net_weight (net, node, NN_ROLE_MEAN, &NN_SHAPE (channels), -0.5, 0.5);
  net_weight (net, node, NN_ROLE_VARIANCE, &NN_SHAPE (channels), 0.5, 1.5);
  return node;
}

/* 2-D where @kernel_h > 0, else 1-D. */
static inline NnNode *
net_conv (TestNet  *net,
          gint64    kernel_h,
          gint64    kernel_w,
          gint64    n_in,
          gint64    n_out,
          gint64    stride,
          gint64    dilation,
          gint64    groups,
          NnPadding padding)
{
  NnNode *node = net_add (net, kernel_h > 0 ? NN_OP_CONV2D : NN_OP_CONV1D);
  NnAttrs *a = &node->attrs;
  double r = sqrt (3.0 / (MAX (kernel_h, 1) * kernel_w * n_in / groups));

  a->units = n_out;
  a->groups = groups;
  a->padding = padding;
  a->kernel[0] = kernel_h > 0 ? kernel_h : kernel_w;
  a->kernel[1] = kernel_h > 0 ? kernel_w : 0;
  a->stride[0] = a->stride[1] = stride;
  a->dilation[0] = a->dilation[1] = dilation;
  if (kernel_h > 0)
    net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (kernel_h, kernel_w, n_in / groups, n_out), -r, r);
  else
    net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (kernel_w, n_in / groups, n_out), -r, r);
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (n_out), -0.3, 0.3);
  return node;
}

/* Frees @net. */
static inline NnModel *
net_seal (TestNet *net)
{
  g_autoptr (GError) error = NULL;
  NnGraph *graph;
  NnModel *model;

  nn_graph_builder_output (net->builder, nn_graph_builder_n_nodes (net->builder) - 1);
  graph = nn_graph_builder_seal (net->builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, (const NnWeight *) (gpointer) net->weights->data, net->weights->len, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < net->weights->len; i++)
    nn_tensor_unref (g_array_index (net->weights, NnWeight, i).values);
  g_array_unref (net->weights);
  g_ptr_array_unref (net->names);
  nn_graph_unref (graph);
  nn_graph_builder_free (net->builder);
  g_free (net);
  return model;
}

/* 16-64-32-32-5, the network of the jet tagger. */
static inline NnModel *
net_jets (guint64  seed,
          gboolean with_norm)
{
  const gint64 n[] = { 16, 64, 32, 32, 5 };
  TestNet *net = net_new (&NN_SHAPE (16), seed);

  for (guint i = 0; i + 1 < G_N_ELEMENTS (n); i++)
    {
      net_dense (net, n[i], n[i + 1], NN_ACT_LINEAR);
      if (with_norm)
        net_batch_norm (net, n[i + 1]);
      net_act (net, i + 2 < G_N_ELEMENTS (n) ? NN_ACT_RELU : NN_ACT_SOFTMAX);
    }
  return net_seal (net);
}

static inline NnTensor *
random_tensor (const NnShape *shape,
               guint64        seed)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, shape);
  NnRng rng;

  nn_rng_init (&rng, seed);
  for (gsize i = 0; i < tensor->n; i++)
    nn_tensor_f32 (tensor)[i] = (float) nn_rng_normal (&rng);
  return tensor;
}

/* One-hot rows of random classes. */
static inline NnTensor *
random_classes (gint64  n,
                gint64  classes,
                guint64 seed)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (n, classes));
  NnRng rng;

  nn_rng_init (&rng, seed);
  memset (tensor->data, 0, tensor->n * sizeof (float));
  for (gint64 i = 0; i < n; i++)
    nn_tensor_f32 (tensor)[i * classes + (gint64) nn_rng_below (&rng, classes)] = 1;
  return tensor;
}

static inline void
free_tensors (NnTensor **tensors,
              guint      n)
{
  for (guint i = 0; i < n; i++)
    nn_tensor_unref (tensors[i]);
  g_free (tensors);
}
