/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients of every layer against finite differences, in double; every class of kernels against double. */

#include "nn-layers.h"
#include "test-train-nets.h"

#define SAMPLES 37 /* not a multiple of the lanes */
#define STEP 3e-5f
#define FD_TOLERANCE 2e-5
#define FLOAT_TOLERANCE 2e-5

typedef enum { CLASSES, VALUES } Targets;

static NnShape
batch_of (const NnShape *shape)
{
  NnShape batch = { .rank = shape->rank + 1, .dims = { SAMPLES } };

  for (guint i = 0; i < shape->rank; i++)
    batch.dims[i + 1] = shape->dims[i];
  return batch;
}

static double
loss_at (const NnModel        *model,
         guint                 id,
         gsize                 i,
         float                 value,
         const NnTensor       *x,
         const NnTensor       *y,
         const NnTrainOptions *options)
{
  g_autofree NnTensor **values = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
  g_autoptr (NnModel) moved = NULL;
  g_autoptr (GError) error = NULL;
  NnTensor **gradients;
  double loss;

  values[id] = nn_tensor_copy (nn_model_weight (model, id)->values);
  nn_tensor_f32 (values[id])[i] = value;
  moved = nn_model_with_weights (model, values, NULL);
  nn_tensor_unref (values[id]);
  gradients = nn_gradients (moved, x, y, options, &loss, &error);
  g_assert_no_error (error);
  free_tensors (gradients, nn_model_n_weights (model));
  return loss;
}

static double
largest (const NnTensor *tensor)
{
  double most = 0;

  for (gsize i = 0; i < tensor->n; i++)
    most = MAX (most, fabs (nn_tensor_get (tensor, i)));
  return most;
}

/* A few elements of each weight. */
static void
check_differences (const NnModel        *model,
                   NnTensor            **gradients,
                   const NnTensor       *x,
                   const NnTensor       *y,
                   const NnTrainOptions *options)
{
  NnRng rng;
  guint n_checked = 0;

  nn_rng_init (&rng, 5);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    for (guint k = 0; gradients[id] != NULL && k < 6; k++)
      {
        const NnTensor *w = nn_model_weight (model, id)->values;
        gsize i = nn_rng_below (&rng, w->n);
        float value = nn_tensor_f32 (w)[i], up = value + STEP, down = value - STEP;
        double difference = (loss_at (model, id, i, up, x, y, options) - loss_at (model, id, i, down, x, y, options)) /
                            ((double) up - down);
        double gradient = nn_tensor_get (gradients[id], i), scale = MAX (largest (gradients[id]), 0.05);

        if (!(fabs (difference - gradient) <= FD_TOLERANCE * scale + 1e-7))
          g_error ("%s %s [%" G_GSIZE_FORMAT "]: gradient %.9g, difference %.9g", nn_model_weight (model, id)->layer,
                   nn_model_weight (model, id)->name, i, gradient, difference);
        n_checked++;
      }
  g_assert_cmpuint (n_checked, >, 0);
}

static void
check_floats (const NnModel        *model,
              NnTensor            **exact,
              double                exact_loss,
              const NnTensor       *x,
              const NnTensor       *y,
              const NnTrainOptions *options)
{
  NnTrainOptions single = *options;

  single.in_double = FALSE;
  for (NnCpu cpu = NN_CPU_SSE2; cpu <= NN_CPU_AVX512; cpu++)
    {
      g_autoptr (GError) error = NULL;
      NnTensor **gradients;
      double loss;

      if (!nn_cpu_has (cpu))
        continue;
      nn_cpu_limit (cpu);
      gradients = nn_gradients (model, x, y, &single, &loss, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (loss, exact_loss, 1e-5 * (1 + fabs (exact_loss)));
      for (guint id = 0; id < nn_model_n_weights (model); id++)
        for (gsize i = 0; exact[id] != NULL && i < exact[id]->n; i++)
          {
            double a = nn_tensor_get (gradients[id], i), b = nn_tensor_get (exact[id], i);

            if (!(fabs (a - b) <= FLOAT_TOLERANCE * MAX (largest (exact[id]), 0.05)))
              g_error ("%s: %s %s [%" G_GSIZE_FORMAT "]: %.9g in float, %.9g in double", nn_cpu_name (cpu),
                       nn_model_weight (model, id)->layer, nn_model_weight (model, id)->name, i, a, b);
          }
      free_tensors (gradients, nn_model_n_weights (model));
    }
  nn_cpu_limit (NN_CPU_AVX512);
}

static void
check (NnModel *model, /* (transfer full) */
       Targets  kind,
       NnLoss   loss_kind,
       gboolean freeze)
{
  const NnGraph *graph = nn_model_graph (model);
  g_autoptr (GError) error = NULL;
  NnTrainOptions options;
  guint n;
  NnShape in = batch_of (&nn_graph_node (graph, nn_graph_inputs (graph, &n)[0])->shape);
  NnShape out = batch_of (&nn_graph_node (graph, nn_graph_outputs (graph, &n)[0])->shape);
  g_autoptr (NnTensor) x = random_tensor (&in, 3);
  g_autoptr (NnTensor) y = kind == CLASSES ? random_classes (SAMPLES, nn_shape_last (&out), 4) : random_tensor (&out, 4);
  NnTensor **gradients;
  double loss;

  nn_train_options_init (&options);
  options.loss = loss_kind;
  options.in_double = TRUE;
  options.freeze_norm = freeze;
  gradients = nn_gradients (model, x, y, &options, &loss, &error);
  g_assert_no_error (error);
  check_differences (model, gradients, x, y, &options);
  check_floats (model, gradients, loss, x, y, &options);
  free_tensors (gradients, nn_model_n_weights (model));
  nn_model_unref (model);
}

static void
test_jets (void)
{
  check (net_jets (1, FALSE), CLASSES, NN_LOSS_AUTO, FALSE);
}

static void
test_batch_norm (void)
{
  check (net_jets (2, TRUE), CLASSES, NN_LOSS_AUTO, FALSE);
  check (net_jets (2, TRUE), CLASSES, NN_LOSS_AUTO, TRUE);
}

static void
test_losses (void)
{
  const struct { NnLoss loss; NnAct act; Targets targets; gint64 n; } rows[] = {
    { NN_LOSS_MSE, NN_ACT_LINEAR, VALUES, 3 },
    { NN_LOSS_MAE, NN_ACT_LINEAR, VALUES, 3 },
    { NN_LOSS_HUBER, NN_ACT_LINEAR, VALUES, 3 },
    { NN_LOSS_MSE, NN_ACT_SOFTMAX, CLASSES, 3 },
    { NN_LOSS_BINARY_CROSSENTROPY, NN_ACT_SIGMOID, CLASSES, 3 },
    { NN_LOSS_BINARY_CROSSENTROPY, NN_ACT_HARD_SIGMOID, CLASSES, 3 },
    { NN_LOSS_CATEGORICAL_CROSSENTROPY, NN_ACT_SOFTMAX, CLASSES, 3 },
    { NN_LOSS_CATEGORICAL_CROSSENTROPY, NN_ACT_SIGMOID, CLASSES, 3 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TestNet *net = net_new (&NN_SHAPE (6), 20 + i);

      net_dense (net, 6, 9, NN_ACT_TANH);
      net_dense (net, 9, rows[i].n, NN_ACT_LINEAR);
      net_act (net, rows[i].act);
      check (net_seal (net), rows[i].targets, rows[i].loss, FALSE);
    }
}

static void
test_activations (void)
{
  const NnAct acts[] = { NN_ACT_RELU, NN_ACT_LEAKY_RELU, NN_ACT_THRESHOLDED_RELU, NN_ACT_ELU, NN_ACT_SELU, NN_ACT_GELU,
                         NN_ACT_SIGMOID, NN_ACT_HARD_SIGMOID, NN_ACT_TANH, NN_ACT_HARD_TANH, NN_ACT_SOFTPLUS,
                         NN_ACT_SOFTSIGN, NN_ACT_SOFTMAX, NN_ACT_EXPONENTIAL, NN_ACT_SWISH, NN_ACT_MISH, NN_ACT_SIN,
                         NN_ACT_COS, NN_ACT_TAN, NN_ACT_ATAN, NN_ACT_ERF, NN_ACT_GELU_TANH };

  for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
    {
      TestNet *net = net_new (&NN_SHAPE (5), 40 + i);

      net_dense (net, 5, 7, NN_ACT_LINEAR);
      net_act (net, acts[i]);
      net_dense (net, 7, 2, NN_ACT_LINEAR);
      check (net_seal (net), VALUES, NN_LOSS_MSE, FALSE);
    }
}

static void
test_convolutions (void)
{
  const struct { gint64 kh, kw, stride, dilation, groups; NnPadding padding; } rows[] = {
    { 3, 3, 1, 1, 1, NN_PADDING_VALID }, { 3, 3, 1, 1, 1, NN_PADDING_SAME }, { 3, 2, 2, 1, 1, NN_PADDING_SAME },
    { 3, 3, 2, 1, 1, NN_PADDING_VALID }, { 2, 3, 1, 2, 1, NN_PADDING_SAME }, { 3, 3, 1, 1, 2, NN_PADDING_SAME },
    { 1, 1, 1, 1, 1, NN_PADDING_VALID }, { 0, 3, 1, 1, 1, NN_PADDING_CAUSAL }, { 0, 4, 1, 2, 1, NN_PADDING_SAME },
    { 0, 3, 2, 1, 2, NN_PADDING_VALID },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      gboolean flat = rows[i].kh == 0;
      TestNet *net = net_new (flat ? &NN_SHAPE (11, 2) : &NN_SHAPE (7, 6, 2), 70 + i);
      guint n = flat ? 1 : 3;

      net_conv (net, flat ? 0 : 1, n, 2, 4, 1, 1, 1, NN_PADDING_SAME)->attrs.act = NN_ACT_TANH;
      net_conv (net, rows[i].kh, rows[i].kw, 4, 6, rows[i].stride, rows[i].dilation, rows[i].groups, rows[i].padding)
          ->attrs.act = NN_ACT_TANH;
      net_batch_norm (net, 6);
      net_conv (net, flat ? 0 : 2, 2, 6, 3, 1, 1, 1, NN_PADDING_VALID);
      check (net_seal (net), VALUES, NN_LOSS_MSE, FALSE);
    }
}

/* Batch norms that are folded into kernel and bias: convolution, dense and depthwise, with a bias, without, and without beta. */
static void
test_folded_norm (void)
{
  for (guint kind = 0; kind < 3; kind++)
    for (guint variant = 0; variant < 3; variant++)
      {
        TestNet *net = net_new (&NN_SHAPE (5, 4, 3), 60 + kind);
        NnNode *node;
        const gint64 n = kind == 2 ? 6 : 4;

        net_conv (net, 2, 2, 3, 3, 1, 1, 1, NN_PADDING_SAME)->attrs.act = NN_ACT_TANH;
        node = net_add (net, kind == 0 ? NN_OP_CONV2D : kind == 1 ? NN_OP_DENSE : NN_OP_DEPTHWISE_CONV2D);
        node->attrs.units = n;
        node->attrs.kernel[0] = node->attrs.kernel[1] = 2;
        node->attrs.stride[0] = node->attrs.stride[1] = node->attrs.dilation[0] = node->attrs.dilation[1] = 1;
        node->attrs.depth_multiplier = 2;
        node->attrs.act = NN_ACT_TANH;
        net_weight (net, node, NN_ROLE_KERNEL, kind == 0 ? &NN_SHAPE (2, 2, 3, 4) : kind == 1 ? &NN_SHAPE (3, 4) : &NN_SHAPE (2, 2, 3, 2), -0.6, 0.6);
        if (variant == 0)
          net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (n), -0.3, 0.3);
        net_weight (net, node, NN_ROLE_GAMMA, &NN_SHAPE (n), 0.5, 1.5);
        if (variant < 2)
          net_weight (net, node, NN_ROLE_BETA, &NN_SHAPE (n), -0.5, 0.5);
        net_weight (net, node, NN_ROLE_MEAN, &NN_SHAPE (n), -0.5, 0.5);
        net_weight (net, node, NN_ROLE_VARIANCE, &NN_SHAPE (n), 0.5, 1.5);
        net_add (net, NN_OP_FLATTEN);
        net_dense (net, (kind == 1 ? 20 : 12) * n, 2, NN_ACT_LINEAR);
        check (net_seal (net), VALUES, NN_LOSS_MSE, FALSE);
      }
}

/* A dense layer before and after, so that weights lie on both sides of what is tested. */
static TestNet *
begin (const NnShape *shape,
       guint64        seed)
{
  TestNet *net = net_new (shape, seed);
  gint64 c = nn_shape_last (shape);

  net_dense (net, c, c, NN_ACT_TANH);
  return net;
}

static void
finish (TestNet *net,
        gint64   n)
{
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, n, 2, NN_ACT_LINEAR);
  check (net_seal (net), VALUES, NN_LOSS_MSE, FALSE);
}

static void
test_pooling (void)
{
  const NnOp ops[] = { NN_OP_MAX_POOL2D, NN_OP_AVG_POOL2D, NN_OP_GLOBAL_MAX_POOL, NN_OP_GLOBAL_AVG_POOL, NN_OP_REDUCE_MEAN,
                       NN_OP_REDUCE_SUM, NN_OP_REDUCE_MAX, NN_OP_MAX_POOL1D, NN_OP_AVG_POOL1D };

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    for (guint same = 0; same < 2; same++)
      {
        gboolean flat = ops[i] == NN_OP_MAX_POOL1D || ops[i] == NN_OP_AVG_POOL1D;
        TestNet *net = begin (flat ? &NN_SHAPE (7, 3) : &NN_SHAPE (5, 6, 3), 100 + i);
        NnNode *node = net_add (net, ops[i]);
        gint64 n = flat ? 3 * (same ? 4 : 3) : same ? 3 * 3 * 3 : 2 * 3 * 3;

        node->attrs.kernel[0] = node->attrs.kernel[1] = 2 + same;
        node->attrs.stride[0] = node->attrs.stride[1] = 2;
        node->attrs.padding = same ? NN_PADDING_SAME : NN_PADDING_VALID;
        if (i >= 2 && i <= 3)
          n = 3;
        if (i >= 4 && i <= 6)
          node->attrs.axis = same, node->attrs.axis2 = 1, n = same ? 15 : 3;
        finish (net, n);
      }
}

static void
test_merges (void)
{
  const NnOp ops[] = { NN_OP_ADD, NN_OP_SUBTRACT, NN_OP_MULTIPLY, NN_OP_DIVIDE, NN_OP_AVERAGE, NN_OP_MAXIMUM, NN_OP_MINIMUM,
                       NN_OP_CONCATENATE, NN_OP_DOT };

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    {
      TestNet *net = begin (&NN_SHAPE (6), 130 + i);
      guint trunk = net->last, pair[2];

      net_dense (net, 6, 4, NN_ACT_TANH);
      pair[0] = net->last;
      net->last = trunk;
      net_dense (net, 6, 4, NN_ACT_SOFTPLUS);
      pair[1] = net->last;
      net_add_to (net, ops[i], pair, 2);
      finish (net, ops[i] == NN_OP_CONCATENATE ? 8 : ops[i] == NN_OP_DOT ? 1 : 4);
    }
}

/* A residual branch, three inputs, and shapes that are broadcast. */
static void
test_branches (void)
{
  TestNet *net = begin (&NN_SHAPE (4, 4, 3), 150);
  guint trunk = net->last, inputs[3];

  net_conv (net, 3, 3, 3, 3, 1, 1, 1, NN_PADDING_SAME)->attrs.act = NN_ACT_RELU;
  inputs[0] = net->last;
  inputs[1] = trunk;
  net_add_to (net, NN_OP_GLOBAL_AVG_POOL, &trunk, 1)->attrs.keep_dims = TRUE;
  inputs[2] = net->last;
  net_add_to (net, NN_OP_MULTIPLY, inputs, 3);
  inputs[1] = net->last;
  net_add_to (net, NN_OP_ADD, inputs, 3);
  finish (net, 48);
}

static void
test_moves (void)
{
  const struct { NnOp op; gint64 n; } rows[] = {
    { NN_OP_PERMUTE, 60 }, { NN_OP_UPSAMPLE, 240 }, { NN_OP_ZERO_PAD, 168 }, { NN_OP_CROP, 18 }, { NN_OP_SLICE, 24 },
    { NN_OP_REVERSE, 60 }, { NN_OP_RESHAPE, 60 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TestNet *net = begin (&NN_SHAPE (4, 5, 3), 160 + i);
      NnAttrs *a = &net_add (net, rows[i].op)->attrs;

      a->perm[0] = 2, a->perm[1] = 0, a->perm[2] = 1;
      a->size[0] = a->size[1] = 2;
      a->pad[0][0] = 1, a->pad[0][1] = rows[i].op == NN_OP_CROP ? 0 : 2, a->pad[1][0] = 1, a->pad[1][1] = rows[i].op == NN_OP_CROP ? 2 : 2;
      if (rows[i].op == NN_OP_SLICE)
        a->axis = 1, a->begin = 1, a->end = 4, a->step = 2;
      else if (rows[i].op == NN_OP_REVERSE)
        a->axis = 1;
      a->target = NN_SHAPE (3, 20);
      finish (net, rows[i].n);
    }
  {
    TestNet *net = begin (&NN_SHAPE (4), 170);

    net_add (net, NN_OP_REPEAT_VECTOR)->attrs.target = NN_SHAPE (3);
    net_dense (net, 4, 2, NN_ACT_TANH);
    finish (net, 6);
  }
}

static void
test_other_layers (void)
{
  TestNet *net = begin (&NN_SHAPE (3, 5), 180);
  NnNode *node = net_add (net, NN_OP_LAYER_NORM);

  net_weight (net, node, NN_ROLE_GAMMA, &NN_SHAPE (5), 0.5, 1.5);
  net_weight (net, node, NN_ROLE_BETA, &NN_SHAPE (5), -0.5, 0.5);
  finish (net, 15);
  net = begin (&NN_SHAPE (3, 5), 181);
  node = net_add (net, NN_OP_SCALE);
  net_weight (net, node, NN_ROLE_SCALE, &NN_SHAPE (5), 0.5, 1.5);
  net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (5), -0.5, 0.5);
  finish (net, 15);
  for (guint shared = 0; shared < 2; shared++)
    {
      net = begin (&NN_SHAPE (3, 5), 182);
      node = net_add (net, NN_OP_PRELU);
      net_weight (net, node, NN_ROLE_ALPHA, shared ? &NN_SHAPE (1, 5) : &NN_SHAPE (3, 5), 0.1, 0.5);
      finish (net, 15);
    }
  net = net_new (&NN_SHAPE (6), 184);
  node = net_add (net, NN_OP_EMBEDDING);
  node->attrs.units = 3;
  net_weight (net, node, NN_ROLE_EMBEDDINGS, &NN_SHAPE (2, 3), -1, 1);
  finish (net, 18);
}

static void
test_depthwise (void)
{
  for (guint i = 0; i < 6; i++)
    {
      gboolean separable = i >= 3;
      TestNet *net = begin (&NN_SHAPE (6, 5, 3), 190 + i);
      NnNode *node = net_add (net, separable ? NN_OP_SEPARABLE_CONV2D : NN_OP_DEPTHWISE_CONV2D);
      NnAttrs *a = &node->attrs;
      gint64 multiplier = 1 + i % 2;

      a->kernel[0] = 3, a->kernel[1] = 2;
      a->stride[0] = a->stride[1] = 1 + i % 3 / 2;
      a->dilation[0] = a->dilation[1] = 1;
      a->padding = NN_PADDING_SAME;
      a->depth_multiplier = multiplier;
      a->units = 4;
      net_weight (net, node, separable ? NN_ROLE_DEPTHWISE_KERNEL : NN_ROLE_KERNEL, &NN_SHAPE (3, 2, 3, multiplier), -0.6, 0.6);
      if (separable)
        net_weight (net, node, NN_ROLE_POINTWISE_KERNEL, &NN_SHAPE (1, 1, 3 * multiplier, 4), -0.6, 0.6);
      net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (separable ? 4 : 3 * multiplier), -0.3, 0.3);
      finish (net, (i % 3 == 2 ? 9 : 30) * (separable ? 4 : 3 * multiplier));
    }
}

static void
test_transposed_and_einsum (void)
{
  for (guint same = 0; same < 2; same++)
    {
      TestNet *net = begin (&NN_SHAPE (3, 4, 2), 200 + same);
      NnNode *node = net_add (net, NN_OP_CONV2D_TRANSPOSE);

      node->attrs.kernel[0] = node->attrs.kernel[1] = 3;
      node->attrs.stride[0] = node->attrs.stride[1] = 2;
      node->attrs.padding = same ? NN_PADDING_SAME : NN_PADDING_VALID;
      node->attrs.units = 3;
      net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (3, 3, 2, 3), -0.6, 0.6);
      net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (3), -0.3, 0.3);
      finish (net, same ? 6 * 8 * 3 : 7 * 9 * 3);
    }
  {
    TestNet *net = begin (&NN_SHAPE (3, 4), 202);
    NnNode *node = net_add (net, NN_OP_EINSUM_DENSE);

    node->attrs.equation = "abc,cde->abde";
    node->shape = NN_SHAPE (3, 2, 5);
    net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (4, 2, 5), -0.6, 0.6);
    net_weight (net, node, NN_ROLE_BIAS, &NN_SHAPE (2, 5), -0.6, 0.6);
    finish (net, 30);
  }
  {
    TestNet *net = begin (&NN_SHAPE (3, 4), 203);
    guint pair[2] = { net->last, 0 };

    net_dense (net, 4, 4, NN_ACT_TANH);
    net_add (net, NN_OP_PERMUTE)->attrs.perm[0] = 1;
    pair[1] = net->last;
    net_add_to (net, NN_OP_MATMUL, pair, 2);
    finish (net, 9);
  }
}

/* Of a sequence to itself, and of one to another, with values wider than keys. */
static void
test_attention (void)
{
  for (guint cross = 0; cross < 2; cross++)
    {
      TestNet *net = begin (&NN_SHAPE (4, 3), 240 + cross);
      guint inputs[2] = { net->last, net->last };
      NnNode *node;
      const gint64 value = cross ? 3 : 2;

      if (cross)
        {
          net_add (net, NN_OP_SLICE)->attrs.end = 3;
          nn_graph_builder_node (net->builder, net->last)->attrs.step = 1;
          inputs[1] = net->last;
        }
      node = net_add_to (net, NN_OP_MULTI_HEAD_ATTENTION, inputs, cross ? 2 : 1);
      node->attrs.n_heads = 2;
      node->attrs.key_dim = 2;
      node->attrs.value_dim = value;
      node->attrs.units = 5;
      node->shape = NN_SHAPE (4, 5);
      net_weight (net, node, NN_ROLE_QUERY_KERNEL, &NN_SHAPE (3, 2, 2), -1, 1);
      net_weight (net, node, NN_ROLE_KEY_KERNEL, &NN_SHAPE (3, 2, 2), -1, 1);
      net_weight (net, node, NN_ROLE_VALUE_KERNEL, &NN_SHAPE (3, 2, value), -1, 1);
      net_weight (net, node, NN_ROLE_OUTPUT_KERNEL, &NN_SHAPE (2, value, 5), -1, 1);
      net_weight (net, node, NN_ROLE_QUERY_BIAS, &NN_SHAPE (2, 2), -0.3, 0.3);
      net_weight (net, node, NN_ROLE_VALUE_BIAS, &NN_SHAPE (2, value), -0.3, 0.3);
      net_weight (net, node, NN_ROLE_OUTPUT_BIAS, &NN_SHAPE (5), -0.3, 0.3);
      finish (net, 20);
    }
}

static void
test_recurrent (void)
{
  const struct { NnOp op; gint64 gates; gboolean after; } kinds[] = {
    { NN_OP_SIMPLE_RNN, 1, FALSE }, { NN_OP_LSTM, 4, FALSE }, { NN_OP_GRU, 3, FALSE }, { NN_OP_GRU, 3, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint variant = 0; variant < 3; variant++)
      {
        TestNet *net = begin (&NN_SHAPE (5, 3), 210 + i);
        NnNode *node = net_add (net, kinds[i].op);
        gint64 wide = 4 * kinds[i].gates;

        node->attrs.units = 4;
        node->attrs.act = NN_ACT_TANH;
        node->attrs.recurrent_act = variant == 2 ? NN_ACT_HARD_SIGMOID : NN_ACT_SIGMOID;
        node->attrs.recurrent_slope = 0.2, node->attrs.recurrent_shift = 0.5;
        node->attrs.return_sequences = variant == 1;
        node->attrs.go_backwards = variant >= 1;
        node->attrs.reset_after = kinds[i].after;
        net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (3, wide), -0.8, 0.8);
        net_weight (net, node, NN_ROLE_RECURRENT_KERNEL, &NN_SHAPE (4, wide), -0.8, 0.8);
        net_weight (net, node, NN_ROLE_BIAS, kinds[i].after ? &NN_SHAPE (2, wide) : &NN_SHAPE (wide), -0.3, 0.3);
        finish (net, variant == 1 ? 20 : 4);
      }
}

static NnModel *
masked_to (NnModel *model, /* (transfer full) */
           double   density)
{
  g_autofree NnTensor **masks = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
  NnModel *masked;
  NnRng rng;

  nn_rng_init (&rng, 9);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    if (nn_model_weight (model, id)->role == NN_ROLE_KERNEL)
      {
        masks[id] = nn_tensor_new (NN_DTYPE_U8, &nn_model_weight (model, id)->values->shape);
        for (gsize i = 0; i < masks[id]->n; i++)
          nn_tensor_u8 (masks[id])[i] = nn_rng_uniform (&rng) < density;
      }
  masked = nn_model_with_weights (model, NULL, masks);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    nn_tensor_unref (masks[id]);
  nn_model_unref (model);
  return masked;
}

/* The same weights, zero where pruned, with masks (lists of what is left) and without (dense kernels). */
static void
check_sparse (NnModel *model, /* (transfer full) */
              Targets  kind)
{
  g_autoptr (NnModel) sparse = masked_to (model, 0.25);
  g_autofree NnTensor **zeroed = g_new0 (NnTensor *, nn_model_n_weights (sparse) + 1), **none = NULL;
  const NnGraph *graph = nn_model_graph (sparse);
  g_autoptr (GError) error = NULL;
  NnTrainOptions options;
  guint n;
  NnShape in = batch_of (&nn_graph_node (graph, nn_graph_inputs (graph, &n)[0])->shape);
  NnShape out = batch_of (&nn_graph_node (graph, nn_graph_outputs (graph, &n)[0])->shape);
  g_autoptr (NnTensor) x = random_tensor (&in, 3);
  g_autoptr (NnTensor) y = kind == CLASSES ? random_classes (SAMPLES, nn_shape_last (&out), 4) : random_tensor (&out, 4);
  g_autoptr (NnModel) dense = NULL;
  NnTensor **a, **b;
  double loss_a, loss_b;

  /* a mask of ones leaves the dense kernels in charge */
  none = g_new0 (NnTensor *, nn_model_n_weights (sparse) + 1);
  for (guint id = 0; id < nn_model_n_weights (sparse); id++)
    {
      const NnWeight *w = nn_model_weight (sparse, id);

      zeroed[id] = nn_tensor_copy (w->values);
      if (w->mask == NULL)
        continue;
      none[id] = nn_tensor_new (NN_DTYPE_U8, &w->values->shape);
      memset (none[id]->data, 1, none[id]->n);
      for (gsize i = 0; i < w->values->n; i++)
        nn_tensor_f32 (zeroed[id])[i] *= nn_tensor_u8 (w->mask)[i];
    }
  dense = nn_model_with_weights (sparse, zeroed, none);
  nn_train_options_init (&options);
  options.loss = kind == CLASSES ? NN_LOSS_AUTO : NN_LOSS_MSE;
  for (NnCpu cpu = NN_CPU_SSE2; cpu <= NN_CPU_DOUBLE; cpu++)
    {
      if (!nn_cpu_has (cpu))
        continue;
      nn_cpu_limit (cpu);
      a = nn_gradients (sparse, x, y, &options, &loss_a, &error);
      g_assert_no_error (error);
      b = nn_gradients (dense, x, y, &options, &loss_b, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (loss_a, loss_b, 1e-5 * (1 + loss_b));
      for (guint id = 0; id < nn_model_n_weights (sparse); id++)
        for (gsize i = 0; i < (a[id] != NULL ? a[id]->n : 0); i++)
          if (none[id] == NULL || nn_tensor_u8 (nn_model_weight (sparse, id)->mask)[i] != 0)
            g_assert_cmpfloat_with_epsilon (nn_tensor_get (a[id], i), nn_tensor_get (b[id], i),
                                            FLOAT_TOLERANCE * MAX (largest (b[id]), 0.05));
      free_tensors (a, nn_model_n_weights (sparse));
      free_tensors (b, nn_model_n_weights (sparse));
    }
  nn_cpu_limit (NN_CPU_AVX512);
  for (guint id = 0; id < nn_model_n_weights (sparse); id++)
    {
      nn_tensor_unref (zeroed[id]);
      nn_tensor_unref (none[id]);
    }
}

/*
 * Batch norm that does its pooling too, and at the network's input the convolution as well: rows and columns left over,
 * a batch that fills no whole shard, with and without the rectifier, padding, and pruned kernels.
 */
static void
test_norm_pooling (void)
{
  const struct { gint64 h, w, kernel, pool_h, pool_w; NnPadding padding; gboolean relu, dense_first; } rows[] = {
    { 8, 7, 3, 2, 2, NN_PADDING_SAME, TRUE, FALSE }, { 9, 8, 3, 2, 2, NN_PADDING_VALID, TRUE, FALSE },
    { 10, 7, 2, 3, 2, NN_PADDING_VALID, FALSE, FALSE }, { 7, 6, 3, 2, 3, NN_PADDING_SAME, FALSE, TRUE },
    { 8, 7, 3, 2, 2, NN_PADDING_SAME, TRUE, TRUE }, { 6, 6, 3, 3, 3, NN_PADDING_VALID, TRUE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    for (guint sparse = 0; sparse < 2; sparse++)
      {
        const NnShape shape = NN_SHAPE (rows[i].h, rows[i].w, 2);
        TestNet *net = rows[i].dense_first ? begin (&shape, 220 + i) : net_new (&shape, 220 + i);
        NnNode *pool;
        gint64 less = rows[i].padding == NN_PADDING_SAME ? 0 : rows[i].kernel - 1;

        net_conv (net, rows[i].kernel, rows[i].kernel, 2, 5, 1, 1, 1, rows[i].padding);
        net_batch_norm (net, 5);
        if (rows[i].relu)
          net_act (net, NN_ACT_RELU);
        pool = net_add (net, NN_OP_MAX_POOL2D);
        pool->attrs.kernel[0] = pool->attrs.stride[0] = rows[i].pool_h;
        pool->attrs.kernel[1] = pool->attrs.stride[1] = rows[i].pool_w;
        net_add (net, NN_OP_FLATTEN);
        net_dense (net, (rows[i].h - less) / rows[i].pool_h * ((rows[i].w - less) / rows[i].pool_w) * 5, 2, NN_ACT_LINEAR);
        if (sparse)
          check_sparse (net_seal (net), VALUES);
        else
          check (net_seal (net), VALUES, NN_LOSS_MSE, FALSE);
      }
}

static void
test_sparse (void)
{
  check_sparse (net_jets (1, FALSE), CLASSES);
  for (guint i = 0; i < 4; i++)
    {
      TestNet *net = net_new (&NN_SHAPE (9, 8, 3), 230 + i);

      net_conv (net, 3, 3, 3, 5, 1, 1, 1, NN_PADDING_SAME)->attrs.act = NN_ACT_RELU;
      net_conv (net, 3, 2, 5, 6, i == 1 ? 2 : 1, i == 2 ? 2 : 1, 1, i == 3 ? NN_PADDING_VALID : NN_PADDING_SAME);
      net_act (net, NN_ACT_RELU);
      net_conv (net, 2, 2, 6, 4, 1, 1, 1, NN_PADDING_VALID);
      net_dense (net, 4, 3, NN_ACT_TANH);
      check_sparse (net_seal (net), VALUES);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/gradients/jets", test_jets);
  g_test_add_func ("/train/gradients/batch-norm", test_batch_norm);
  g_test_add_func ("/train/gradients/losses", test_losses);
  g_test_add_func ("/train/gradients/activations", test_activations);
  g_test_add_func ("/train/gradients/convolutions", test_convolutions);
  g_test_add_func ("/train/gradients/folded-norm", test_folded_norm);
  g_test_add_func ("/train/gradients/pooling", test_pooling);
  g_test_add_func ("/train/gradients/norm-pooling", test_norm_pooling);
  g_test_add_func ("/train/gradients/merges", test_merges);
  g_test_add_func ("/train/gradients/branches", test_branches);
  g_test_add_func ("/train/gradients/moves", test_moves);
  g_test_add_func ("/train/gradients/other-layers", test_other_layers);
  g_test_add_func ("/train/gradients/depthwise", test_depthwise);
  g_test_add_func ("/train/gradients/transposed-and-einsum", test_transposed_and_einsum);
  g_test_add_func ("/train/gradients/attention", test_attention);
  g_test_add_func ("/train/gradients/recurrent", test_recurrent);
  g_test_add_func ("/train/gradients/sparse", test_sparse);
  return g_test_run ();
}
