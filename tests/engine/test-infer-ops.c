/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: operators by themselves, against their definitions written out another way. */

#include "nn-exec.h"

#include "nn-error.h"
#include "nn-infer-shape.h"
#include "nn-rng.h"

#include <math.h>
#include <string.h>

static NnRng rng;

typedef struct {
  NnRole    role;
  NnTensor *values; /* (transfer full) */
} Weight;

static NnTensor *
tensor (const NnShape *shape,
        const double  *values) /* (nullable): random without */
{
  NnTensor *t = nn_tensor_new (NN_DTYPE_F32, shape);

  for (gsize i = 0; i < t->n; i++)
    nn_tensor_f32 (t)[i] = values != NULL ? values[i] : nn_rng_normal (&rng);
  return t;
}

#define TENSOR(shape, ...) tensor (&(shape), (const double[]){ __VA_ARGS__ })

/* One operator on samples @inputs (with the batch axis); @weights are consumed. */
static NnTensor *
run (NnOp            op,
     const NnAttrs  *attrs,
     const NnShape  *shape,
     NnTensor      **inputs,
     guint           n_inputs,
     Weight         *weights,
     guint           n_weights,
     GError        **error)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnModel) model = NULL;
  NnWeight list[8];
  guint ids[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
  NnTensor **outputs, *result = NULL;
  NnNode *node;

  for (guint k = 0; k < n_inputs; k++)
    {
      g_autofree char *name = g_strdup_printf ("in%u", k);

      node = nn_graph_builder_add (builder, NN_OP_INPUT, name, NULL, NULL, 0);
      node->shape.rank = inputs[k]->shape.rank - 1;
      memcpy (node->shape.dims, inputs[k]->shape.dims + 1, node->shape.rank * sizeof (gint64));
    }
  node = nn_graph_builder_add (builder, op, "op", NULL, ids, n_inputs);
  node->attrs = *attrs;
  if (shape != NULL)
    node->shape = *shape;
  for (guint i = 0; i < n_weights; i++)
    list[i] = (NnWeight){ "w", "op", weights[i].role, TRUE, weights[i].values, NULL };
  nn_graph_builder_weights (builder, node, ids, n_weights);
  graph = nn_graph_builder_seal (builder, error);
  if (graph != NULL)
    {
      NnTensor *list_in[8] = { 0 };

      memcpy (list_in, inputs, n_inputs * sizeof *inputs);
      model = nn_model_new (graph, list, n_weights, NULL, error);
      g_assert_nonnull (model);
      outputs = nn_predict (model, list_in, NULL, NULL, NULL, error);
      result = outputs != NULL ? nn_tensor_ref (outputs[0]) : NULL;
      nn_tensors_free (outputs);
    }
  for (guint i = 0; i < n_weights; i++)
    nn_tensor_unref (weights[i].values);
  return result;
}

static void
expect (NnTensor     *have,
        const NnShape *shape,
        const double *want)
{
  g_assert_nonnull (have);
  g_assert_true (nn_shape_equal (&have->shape, shape));
  for (gsize i = 0; i < have->n; i++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_f64 (have)[i], want[i], 1e-6 + 1e-6 * fabs (want[i]));
}

#define EXPECT(have, shape, ...) expect (have, &(shape), (const double[]){ __VA_ARGS__ })

/* A convolution of the plane that has its zeros around it already. */
static double
conv_at (const NnTensor *x,
         const NnTensor *kernel,
         const NnAttrs  *a,
         const gint64   *before,
         gint64          i,
         gint64          j,
         gint64          u,
         gint64          units)
{
  gint64 h = x->shape.dims[1], w = x->shape.dims[2], c = x->shape.dims[3], per = c / a->groups;
  gint64 group = u / (units / a->groups);
  double sum = 0;

  for (gint64 y = 0; y < h; y++)
    for (gint64 z = 0; z < w; z++)
      {
        gint64 ky = y + before[0] - i * a->stride[0], kx = z + before[1] - j * a->stride[1];

        if (ky < 0 || kx < 0 || ky % a->dilation[0] != 0 || kx % a->dilation[1] != 0)
          continue;
        ky /= a->dilation[0];
        kx /= a->dilation[1];
        if (ky >= a->kernel[0] || kx >= a->kernel[1])
          continue;
        for (gint64 k = 0; k < per; k++)
          sum += (double) nn_tensor_f32 (x)[(y * w + z) * c + group * per + k] *
                 nn_tensor_f32 (kernel)[((ky * a->kernel[1] + kx) * per + k) * units + u];
      }
  return sum;
}

static void
random_window (NnAttrs *a)
{
  *a = (NnAttrs){ 0 };
  for (guint i = 0; i < 2; i++)
    {
      a->kernel[i] = 1 + nn_rng_below (&rng, 3);
      a->stride[i] = 1 + nn_rng_below (&rng, 3);
      a->dilation[i] = 1 + nn_rng_below (&rng, 2);
      a->pad[i][0] = nn_rng_below (&rng, 3);
      a->pad[i][1] = nn_rng_below (&rng, 3);
    }
  a->padding = (NnPadding[]){ NN_PADDING_VALID, NN_PADDING_SAME, NN_PADDING_EXPLICIT }[nn_rng_below (&rng, 3)];
  a->groups = 1;
}

static void
test_conv2d (void)
{
  for (guint round = 0; round < 200; round++)
    {
      NnAttrs a;
      g_autoptr (NnTensor) x = NULL, kernel = NULL, y = NULL;
      gint64 before[2], after[2];
      g_autoptr (GError) error = NULL;

      random_window (&a);
      a.groups = 1 + nn_rng_below (&rng, 2);
      a.units = a.groups * (1 + nn_rng_below (&rng, 3));
      x = tensor (&NN_SHAPE (1, 7, 6, 4), NULL);
      kernel = tensor (&NN_SHAPE (a.kernel[0], a.kernel[1], 4 / a.groups, a.units), NULL);
      y = run (NN_OP_CONV2D, &a, NULL, &x, 1, (Weight[]){ { NN_ROLE_KERNEL, nn_tensor_ref (kernel) } }, 1, &error);
      g_assert_no_error (error);
      for (guint i = 0; i < 2; i++)
        nn_window_pads (x->shape.dims[1 + i], a.kernel[i], a.stride[i], a.dilation[i], a.padding, a.pad[i], &before[i], &after[i]);
      for (gint64 i = 0; i < y->shape.dims[1]; i++)
        for (gint64 j = 0; j < y->shape.dims[2]; j++)
          for (gint64 u = 0; u < a.units; u++)
            g_assert_cmpfloat_with_epsilon (nn_tensor_f64 (y)[(i * y->shape.dims[2] + j) * a.units + u],
                                            conv_at (x, kernel, &a, before, i, j, u, a.units), 1e-12);
    }
}

/* A depthwise layer is a convolution with one group a channel; a separable one is that and a pointwise one. */
static void
test_depthwise (void)
{
  for (guint round = 0; round < 60; round++)
    {
      NnAttrs a, point = { .units = 5, .kernel = { 1, 1 }, .stride = { 1, 1 }, .groups = 1 };
      gint64 m = 1 + nn_rng_below (&rng, 3);
      g_autoptr (NnTensor) x = tensor (&NN_SHAPE (2, 6, 5, 3), NULL), kernel = NULL, bias = tensor (&NN_SHAPE (5), NULL);
      g_autoptr (NnTensor) pointwise = tensor (&NN_SHAPE (1, 1, 3 * m, 5), NULL);
      g_autoptr (NnTensor) y = NULL, grouped = NULL, one = NULL, two = NULL, middle = NULL;
      g_autoptr (GError) error = NULL;

      random_window (&a);
      kernel = tensor (&NN_SHAPE (a.kernel[0], a.kernel[1], 3, m), NULL);
      a.depth_multiplier = m;
      a.units = 3 * m;
      y = run (NN_OP_DEPTHWISE_CONV2D, &a, NULL, &x, 1, (Weight[]){ { NN_ROLE_KERNEL, nn_tensor_ref (kernel) } }, 1, &error);
      g_assert_no_error (error);
      a.groups = 3;
      grouped = run (NN_OP_CONV2D, &a, NULL, &x, 1, (Weight[]){ { NN_ROLE_KERNEL, nn_tensor_ref (kernel) } }, 1, &error);
      g_assert_no_error (error);
      g_assert_cmpmem (y->data, y->n * 8, grouped->data, grouped->n * 8);
      middle = nn_tensor_convert (y, NN_DTYPE_F32);
      two = run (NN_OP_CONV2D, &point, NULL, &middle, 1,
                 (Weight[]){ { NN_ROLE_KERNEL, nn_tensor_ref (pointwise) }, { NN_ROLE_BIAS, nn_tensor_ref (bias) } }, 2, &error);
      g_assert_no_error (error);
      a.groups = 1;
      a.units = 5;
      one = run (NN_OP_SEPARABLE_CONV2D, &a, NULL, &x, 1,
                 (Weight[]){ { NN_ROLE_DEPTHWISE_KERNEL, nn_tensor_ref (kernel) },
                             { NN_ROLE_POINTWISE_KERNEL, nn_tensor_ref (pointwise) },
                             { NN_ROLE_BIAS, nn_tensor_ref (bias) } }, 3, &error);
      g_assert_no_error (error);
      g_assert_true (nn_shape_equal (&one->shape, &two->shape));
      for (gsize i = 0; i < one->n; i++)
        g_assert_cmpfloat_with_epsilon (nn_tensor_f64 (one)[i], nn_tensor_f64 (two)[i], 1e-5);
    }
}

static double
product (const NnTensor *a,
         const NnTensor *b)
{
  double sum = 0;

  g_assert_cmpuint (a->n, ==, b->n);
  for (gsize i = 0; i < a->n; i++)
    sum += nn_tensor_get (a, i) * nn_tensor_get (b, i);
  return sum;
}

/* The transposed convolution is the adjoint of the convolution: <conv (x), y> = <x, transposed (y)>. */
static void
test_transpose (void)
{
  for (guint round = 0; round < 100; round++)
    {
      NnAttrs a;
      g_autoptr (NnTensor) x = NULL, y = tensor (&NN_SHAPE (1, 4, 3, 2), NULL), kernel = NULL, back = NULL, there = NULL;
      g_autoptr (GError) error = NULL;
      NnShape shape;

      random_window (&a);
      a.padding = nn_rng_below (&rng, 2) ? NN_PADDING_SAME : NN_PADDING_VALID;
      for (guint i = 0; i < 2; i++)
        {
          a.dilation[i] = 1;
          if (a.kernel[i] < a.stride[i])
            a.kernel[i] = a.stride[i];
        }
      kernel = tensor (&NN_SHAPE (a.kernel[0], a.kernel[1], 3, 2), NULL);
      a.units = 3;
      back = run (NN_OP_CONV2D_TRANSPOSE, &a, NULL, &y, 1, (Weight[]){ { NN_ROLE_KERNEL, nn_tensor_ref (kernel) } }, 1, &error);
      g_assert_no_error (error);
      shape = back->shape;
      x = tensor (&shape, NULL);
      a.units = 2;
      there = run (NN_OP_CONV2D, &a, NULL, &x, 1, (Weight[]){ { NN_ROLE_KERNEL, nn_tensor_ref (kernel) } }, 1, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (product (there, y), product (x, back), 1e-9);
    }
}

static void
test_conv1d (void)
{
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (1, 5, 1), 1, 2, 3, 4, 5);
  NnAttrs a = { .units = 1, .kernel = { 2 }, .stride = { 1 }, .dilation = { 2 }, .groups = 1, .padding = NN_PADDING_CAUSAL };
  g_autoptr (NnTensor) causal = NULL, same = NULL;

  causal = run (NN_OP_CONV1D, &a, NULL, &x, 1, (Weight[]){ { NN_ROLE_KERNEL, TENSOR (NN_SHAPE (2, 1, 1), 10, 1) } }, 1, NULL);
  EXPECT (causal, NN_SHAPE (1, 5, 1), 1, 2, 13, 24, 35);
  a.padding = NN_PADDING_SAME;
  a.dilation[0] = 1;
  a.stride[0] = 2;
  same = run (NN_OP_CONV1D, &a, NULL, &x, 1,
              (Weight[]){ { NN_ROLE_KERNEL, TENSOR (NN_SHAPE (2, 1, 1), 10, 1) }, { NN_ROLE_BIAS, TENSOR (NN_SHAPE (1), 0.5) } },
              2, NULL);
  EXPECT (same, NN_SHAPE (1, 3, 1), 12.5, 34.5, 50.5);
}

static void
test_pool (void)
{
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (1, 3, 3, 1), 1, -2, 3, -4, 5, -6, 7, -8, 9);
  NnAttrs a = { .kernel = { 2, 2 }, .stride = { 2, 2 }, .padding = NN_PADDING_SAME };
  g_autoptr (NnTensor) max = run (NN_OP_MAX_POOL2D, &a, NULL, &x, 1, NULL, 0, NULL);
  g_autoptr (NnTensor) mean = run (NN_OP_AVG_POOL2D, &a, NULL, &x, 1, NULL, 0, NULL), counted = NULL, all = NULL, kept = NULL;

  EXPECT (max, NN_SHAPE (1, 2, 2, 1), 5, 3, 7, 9);
  EXPECT (mean, NN_SHAPE (1, 2, 2, 1), 0, -1.5, -0.5, 9);
  a.count_pad = TRUE;
  counted = run (NN_OP_AVG_POOL2D, &a, NULL, &x, 1, NULL, 0, NULL);
  EXPECT (counted, NN_SHAPE (1, 2, 2, 1), 0, -0.75, -0.25, 2.25);
  all = run (NN_OP_GLOBAL_MAX_POOL, &a, NULL, &x, 1, NULL, 0, NULL);
  EXPECT (all, NN_SHAPE (1, 1), 9);
  a.keep_dims = TRUE;
  kept = run (NN_OP_GLOBAL_AVG_POOL, &a, NULL, &x, 1, NULL, 0, NULL);
  EXPECT (kept, NN_SHAPE (1, 1, 1, 1), 5.0 / 9);
}

static void
test_merge (void)
{
  g_autoptr (NnTensor) a = TENSOR (NN_SHAPE (1, 2, 3), 1, 2, 3, 4, 5, 6), b = TENSOR (NN_SHAPE (1, 3), 10, 20, 30);
  g_autoptr (NnTensor) c = TENSOR (NN_SHAPE (1, 2, 1), 2, -1);
  NnTensor *ab[] = { a, b }, *bc[] = { b, c }, *abc[] = { a, b, c };
  static const struct { NnOp op; double y[6]; } cases[] = {
    { NN_OP_ADD, { 11, 22, 33, 14, 25, 36 } },       { NN_OP_SUBTRACT, { -9, -18, -27, -6, -15, -24 } },
    { NN_OP_MULTIPLY, { 10, 40, 90, 40, 100, 180 } }, { NN_OP_DIVIDE, { .1, .1, .1, .4, .25, .2 } },
    { NN_OP_AVERAGE, { 5.5, 11, 16.5, 7, 12.5, 18 } }, { NN_OP_MAXIMUM, { 10, 20, 30, 10, 20, 30 } },
    { NN_OP_MINIMUM, { 1, 2, 3, 4, 5, 6 } },
  };
  NnAttrs attrs = { 0 };
  g_autoptr (NnTensor) outer = run (NN_OP_MULTIPLY, &attrs, NULL, bc, 2, NULL, 0, NULL);
  g_autoptr (NnTensor) mean = run (NN_OP_AVERAGE, &attrs, NULL, abc, 3, NULL, 0, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (NnTensor) y = run (cases[i].op, &attrs, NULL, ab, 2, NULL, 0, NULL);

      expect (y, &NN_SHAPE (1, 2, 3), cases[i].y);
    }
  EXPECT (outer, NN_SHAPE (1, 2, 3), 20, 40, 60, -10, -20, -30);
  EXPECT (mean, NN_SHAPE (1, 2, 3), 13 / 3.0, 8, 35 / 3.0, 13 / 3.0, 8, 35 / 3.0);
}

static void
test_products (void)
{
  g_autoptr (NnTensor) a = TENSOR (NN_SHAPE (1, 2, 2), 1, 2, 3, 4), b = TENSOR (NN_SHAPE (1, 2, 3), 1, 0, 2, -1, 1, 0);
  g_autoptr (NnTensor) u = TENSOR (NN_SHAPE (1, 2), 3, 4), v = TENSOR (NN_SHAPE (1, 2), 4, 3);
  NnAttrs attrs = { .axis = -1, .axis2 = -1 };
  g_autoptr (NnTensor) matmul = run (NN_OP_MATMUL, &attrs, NULL, (NnTensor *[]){ a, b }, 2, NULL, 0, NULL);
  g_autoptr (NnTensor) dot = run (NN_OP_DOT, &attrs, NULL, (NnTensor *[]){ u, v }, 2, NULL, 0, NULL), cosine = NULL;
  g_autoptr (NnTensor) sum = NULL, transposed = NULL, dense = NULL, bad = NULL;
  g_autoptr (GError) error = NULL;

  EXPECT (matmul, NN_SHAPE (1, 2, 3), -1, 2, 2, -1, 4, 6);
  EXPECT (dot, NN_SHAPE (1, 1), 24);
  attrs.normalize = TRUE;
  cosine = run (NN_OP_DOT, &attrs, NULL, (NnTensor *[]){ u, v }, 2, NULL, 0, NULL);
  EXPECT (cosine, NN_SHAPE (1, 1), 0.96);
  attrs.equation = "bij,bjk->bik";
  sum = run (NN_OP_EINSUM, &attrs, &NN_SHAPE (2, 3), (NnTensor *[]){ a, b }, 2, NULL, 0, NULL);
  EXPECT (sum, NN_SHAPE (1, 2, 3), -1, 2, 2, -1, 4, 6);
  attrs.equation = "b i j -> b j i";
  transposed = run (NN_OP_EINSUM, &attrs, &NN_SHAPE (2, 2), &a, 1, NULL, 0, NULL);
  EXPECT (transposed, NN_SHAPE (1, 2, 2), 1, 3, 2, 4);
  attrs.equation = "...x,xy->...y";
  dense = run (NN_OP_EINSUM_DENSE, &attrs, &NN_SHAPE (2, 3), &a, 1,
               (Weight[]){ { NN_ROLE_KERNEL, TENSOR (NN_SHAPE (2, 3), 1, 0, 2, -1, 1, 0) },
                           { NN_ROLE_BIAS, TENSOR (NN_SHAPE (3), 0, 10, 0) } }, 2, NULL);
  EXPECT (dense, NN_SHAPE (1, 2, 3), -1, 12, 2, -1, 14, 6);
  attrs.equation = "bij,bjk->bi";
  bad = run (NN_OP_EINSUM, &attrs, &NN_SHAPE (2, 3), (NnTensor *[]){ a, b }, 2, NULL, 0, &error);
  g_assert_null (bad);
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
}

static void
test_moves (void)
{
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (1, 2, 3), 1, 2, 3, 4, 5, 6), v = TENSOR (NN_SHAPE (1, 2), 7, 8);
  g_autoptr (NnTensor) plane = TENSOR (NN_SHAPE (1, 2, 2, 1), 1, 2, 3, 4);
  static const struct { NnOp op; NnAttrs a; NnShape shape; double y[16]; } cases[] = {
    { NN_OP_PERMUTE, { .perm = { 1, 0 } }, { 3, { 1, 3, 2 } }, { 1, 4, 2, 5, 3, 6 } },
    { NN_OP_REVERSE, { .axis = 0 }, { 3, { 1, 2, 3 } }, { 4, 5, 6, 1, 2, 3 } },
    { NN_OP_REVERSE, { .axis = -1 }, { 3, { 1, 2, 3 } }, { 3, 2, 1, 6, 5, 4 } },
    { NN_OP_SLICE, { .axis = 1, .begin = 0, .end = 3, .step = 2 }, { 3, { 1, 2, 2 } }, { 1, 3, 4, 6 } },
    { NN_OP_REDUCE_SUM, { .axis = 0, .axis2 = 0 }, { 2, { 1, 3 } }, { 5, 7, 9 } },
    { NN_OP_REDUCE_MEAN, { .axis = 1, .axis2 = 1, .keep_dims = TRUE }, { 3, { 1, 2, 1 } }, { 2, 5 } },
    { NN_OP_REDUCE_MAX, { .axis = 0, .axis2 = -1 }, { 1, { 1 } }, { 6 } },
    { NN_OP_ZERO_PAD, { .pad = { { 1, 0 } } }, { 3, { 1, 3, 3 } }, { 0, 0, 0, 1, 2, 3, 4, 5, 6 } },
    { NN_OP_CROP, { .pad = { { 1, 0 } } }, { 3, { 1, 1, 3 } }, { 4, 5, 6 } },
    { NN_OP_UPSAMPLE, { .size = { 2 } }, { 3, { 1, 4, 3 } }, { 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6 } },
    { NN_OP_CONCATENATE, { .axis = -1 }, { 3, { 1, 2, 3 } }, { 1, 2, 3, 4, 5, 6 } },
    { NN_OP_RESHAPE, { .target = { 2, { 3, 2 } } }, { 3, { 1, 3, 2 } }, { 1, 2, 3, 4, 5, 6 } },
  };
  NnAttrs attrs = { .target = { 1, { 3 } } };
  g_autoptr (NnTensor) repeated = run (NN_OP_REPEAT_VECTOR, &attrs, NULL, &v, 1, NULL, 0, NULL), bilinear = NULL;
  g_autoptr (NnTensor) joined = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (NnTensor) y = run (cases[i].op, &cases[i].a, NULL, &x, 1, NULL, 0, NULL);

      expect (y, &cases[i].shape, cases[i].y);
    }
  EXPECT (repeated, NN_SHAPE (1, 3, 2), 7, 8, 7, 8, 7, 8);
  attrs = (NnAttrs){ .size = { 2, 2 }, .interpolation = NN_INTERPOLATION_BILINEAR };
  bilinear = run (NN_OP_UPSAMPLE, &attrs, NULL, &plane, 1, NULL, 0, NULL);
  /* half-pixel centres: as tf.image.resize */
  EXPECT (bilinear, NN_SHAPE (1, 4, 4, 1), 1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4);
  attrs = (NnAttrs){ .axis = 0 };
  joined = run (NN_OP_CONCATENATE, &attrs, NULL, (NnTensor *[]){ x, x }, 2, NULL, 0, NULL);
  EXPECT (joined, NN_SHAPE (1, 4, 3), 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6);
}

static void
test_norms (void)
{
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (1, 2, 2), 1, 3, -2, 2);
  NnAttrs attrs = { .axis = -1, .epsilon = 0 };
  g_autoptr (NnTensor) indices = TENSOR (NN_SHAPE (1, 3), 2, 0, 9);
  g_autoptr (NnTensor) layer = NULL, scaled = NULL, prelu = NULL, rows = NULL;

  layer = run (NN_OP_LAYER_NORM, &attrs, NULL, &x, 1,
               (Weight[]){ { NN_ROLE_GAMMA, TENSOR (NN_SHAPE (2), 1, 2) }, { NN_ROLE_BETA, TENSOR (NN_SHAPE (2), 0, 1) } }, 2, NULL);
  EXPECT (layer, NN_SHAPE (1, 2, 2), -1, 3, -1, 3);
  scaled = run (NN_OP_SCALE, &attrs, NULL, &x, 1,
                (Weight[]){ { NN_ROLE_SCALE, TENSOR (NN_SHAPE (1), 2) }, { NN_ROLE_BIAS, TENSOR (NN_SHAPE (2), 0, 10) } }, 2, NULL);
  EXPECT (scaled, NN_SHAPE (1, 2, 2), 2, 16, -4, 14);
  prelu = run (NN_OP_PRELU, &attrs, NULL, &x, 1, (Weight[]){ { NN_ROLE_ALPHA, TENSOR (NN_SHAPE (1, 2), 0.5, 0) } }, 1, NULL);
  EXPECT (prelu, NN_SHAPE (1, 2, 2), 1, 3, -1, 2);
  rows = run (NN_OP_EMBEDDING, &(NnAttrs){ .units = 2 }, NULL, &indices, 1,
              (Weight[]){ { NN_ROLE_EMBEDDINGS, TENSOR (NN_SHAPE (3, 2), 1, 2, 3, 4, 5, 6) } }, 1, NULL);
  EXPECT (rows, NN_SHAPE (1, 3, 2), 5, 6, 1, 2, 5, 6);
}

/* One unit, by hand: h' = z h + (1 - z) tanh (...), with the reset gate after or before the product. */
static void
test_gru (void)
{
  static const double x[] = { 0.5, -1, 2 }, w[] = { 0.3, -0.2, 0.7 }, u[] = { 0.1, 0.4, -0.5 }, b[] = { 0.05, 0.1, -0.1 };
  g_autoptr (NnTensor) in = tensor (&NN_SHAPE (1, 3, 1), x);

  for (guint after = 0; after < 2; after++)
    for (guint backwards = 0; backwards < 2; backwards++)
      {
        NnAttrs attrs = { .units = 1, .act = NN_ACT_TANH, .recurrent_act = NN_ACT_SIGMOID, .reset_after = after,
                          .go_backwards = backwards, .return_sequences = TRUE };
        const double rb[] = { 0.2, -0.3, 0.15 };
        const double both[] = { b[0], b[1], b[2], rb[0], rb[1], rb[2] };
        NnTensor *bias = tensor (after ? &NN_SHAPE (2, 3) : &NN_SHAPE (3), both);
        g_autoptr (NnTensor) y = run (NN_OP_GRU, &attrs, NULL, (NnTensor *[]){ in }, 1,
                                      (Weight[]){ { NN_ROLE_KERNEL, tensor (&NN_SHAPE (1, 3), w) },
                                                  { NN_ROLE_RECURRENT_KERNEL, tensor (&NN_SHAPE (1, 3), u) },
                                                  { NN_ROLE_BIAS, bias } }, 3, NULL);
        double h = 0;

        for (guint t = 0; t < 3; t++)
          {
            double v = x[backwards ? 2 - t : t], extra = after ? 1 : 0;
            double z = 1 / (1 + exp (-(v * w[0] + b[0] + h * u[0] + extra * rb[0])));
            double r = 1 / (1 + exp (-(v * w[1] + b[1] + h * u[1] + extra * rb[1])));
            double c = tanh (v * w[2] + b[2] + (after ? r * (h * u[2] + rb[2]) : r * h * u[2]));

            h = z * h + (1 - z) * c;
            g_assert_cmpfloat_with_epsilon (nn_tensor_f64 (y)[t], h, 1e-7);
          }
      }
}

static void
test_lstm (void)
{
  static const double x[] = { 0.5, -1 }, w[] = { 0.3, -0.2, 0.7, 0.4 }, u[] = { 0.1, 0.4, -0.5, 0.2 }, b[] = { 0, 1, 0, 0.1 };
  g_autoptr (NnTensor) in = tensor (&NN_SHAPE (1, 2, 1), x);
  NnAttrs attrs = { .units = 1, .act = NN_ACT_TANH, .recurrent_act = NN_ACT_HARD_SIGMOID, .recurrent_slope = 0.2,
                    .recurrent_shift = 0.5 };
  g_autoptr (NnTensor) y = run (NN_OP_LSTM, &attrs, NULL, &in, 1,
                                (Weight[]){ { NN_ROLE_KERNEL, tensor (&NN_SHAPE (1, 4), w) },
                                            { NN_ROLE_RECURRENT_KERNEL, tensor (&NN_SHAPE (1, 4), u) },
                                            { NN_ROLE_BIAS, tensor (&NN_SHAPE (4), b) } }, 3, NULL);
  double h = 0, c = 0;

  for (guint t = 0; t < 2; t++)
    {
      double g[4];

      for (guint k = 0; k < 4; k++)
        {
          g[k] = x[t] * w[k] + h * u[k] + b[k];
          g[k] = k == 2 ? tanh (g[k]) : CLAMP (0.2 * g[k] + 0.5, 0, 1);
        }
      c = g[1] * c + g[0] * g[2];
      h = g[3] * tanh (c);
    }
  EXPECT (y, NN_SHAPE (1, 1), h);
}

/* Uniform scores: every query gets the mean of the values. */
static void
test_attention (void)
{
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (1, 2, 1), 1, 3);
  NnAttrs attrs = { .n_heads = 1, .key_dim = 1, .value_dim = 1 };
  g_autoptr (NnTensor) flat = NULL, y = NULL;
  double e = exp (2), f = exp (6);

  flat = run (NN_OP_MULTI_HEAD_ATTENTION, &attrs, &NN_SHAPE (2, 1), &x, 1,
              (Weight[]){ { NN_ROLE_QUERY_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 0) }, { NN_ROLE_KEY_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 1) },
                          { NN_ROLE_VALUE_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 2) },
                          { NN_ROLE_OUTPUT_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 1) },
                          { NN_ROLE_OUTPUT_BIAS, TENSOR (NN_SHAPE (1), 0.5) } }, 5, NULL);
  EXPECT (flat, NN_SHAPE (1, 2, 1), 4.5, 4.5);
  y = run (NN_OP_MULTI_HEAD_ATTENTION, &attrs, &NN_SHAPE (2, 1), &x, 1,
           (Weight[]){ { NN_ROLE_QUERY_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 1) }, { NN_ROLE_KEY_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 1) },
                       { NN_ROLE_VALUE_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 1) },
                       { NN_ROLE_OUTPUT_KERNEL, TENSOR (NN_SHAPE (1, 1, 1), 1) } }, 4, NULL);
  EXPECT (y, NN_SHAPE (1, 2, 1), (1 + 3 * e) / (1 + e), (1 + 3 * f) / (1 + f));
}

static void
test_trees (void)
{
  static const NnTreeNode nodes[] = {
    { NN_TREE_LEQ, 0, 0.5, 1, 2, 0, 0, TRUE }, { NN_TREE_LEAF, 0, 0, 0, 0, 0, 1, FALSE }, { NN_TREE_LEAF, 0, 0, 0, 0, 1, 2, FALSE },
    { NN_TREE_GT, 1, 0, 4, 5, 0, 0, FALSE },   { NN_TREE_LEAF, 0, 0, 0, 0, 3, 1, FALSE }, { NN_TREE_LEAF, 0, 0, 0, 0, 0, 1, FALSE },
  };
  static const NnTreeWeight weights[] = { { 0, 1 }, { 0, -1 }, { 1, 2 }, { 1, 4 } };
  static const guint32 roots[] = { 0, 3 };
  static const double base[] = { 0, 0.5 };
  NnTreeEnsemble trees = { nodes, 6, roots, 2, weights, 4, 2, base, NN_TREE_SUM, FALSE, NN_TREE_POST_NONE };
  NnAttrs attrs = { .extra = &trees };
  NnTreeNode loop[6];
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (2, 2), 0.5, -1, 1, 1);
  g_autoptr (NnTensor) y = run (NN_OP_TREE_ENSEMBLE, &attrs, &NN_SHAPE (2), &x, 1, NULL, 0, NULL), label = NULL;
  g_autoptr (GError) error = NULL;

  EXPECT (y, NN_SHAPE (2, 2), 2, 0.5, -1, 6.5);
  trees.post = NN_TREE_POST_LABEL;
  label = run (NN_OP_TREE_ENSEMBLE, &attrs, &NN_SHAPE (1), &x, 1, NULL, 0, NULL);
  EXPECT (label, NN_SHAPE (2, 1), 0, 1);
  /* a tree that runs in a circle is refused */
  memcpy (loop, nodes, sizeof loop);
  loop[3].yes = 3;
  trees.nodes = loop;
  g_assert_null (run (NN_OP_TREE_ENSEMBLE, &attrs, &NN_SHAPE (1), &x, 1, NULL, 0, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
}

static void
test_lut (void)
{
  NnQuantizer grid = { .kind = NN_QUANT_FIXED, .type = { NN_TYPE_FIXED, 2, 2, TRUE, NN_ROUND_TRN, NN_OVERFLOW_SAT, 0 } };
  NnAttrs attrs = { .input_quantizer = &grid };
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (1, 4), -2, -1, 0, 1.5);
  g_autoptr (NnTensor) y = run (NN_OP_UNARY_LUT, &attrs, NULL, &x, 1,
                                (Weight[]){ { NN_ROLE_VALUE, TENSOR (NN_SHAPE (4), 10, 11, 12, 13) } }, 1, NULL);

  EXPECT (y, NN_SHAPE (1, 4), 12, 13, 10, 11);
}

/* Steps that the graph leaves open follow from the data. */
static void
test_open_axis (void)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnTensor) x = TENSOR (NN_SHAPE (1, 3, 1), 1, 2, 6), y = TENSOR (NN_SHAPE (1, 2, 1), 1, 3);
  NnTensor **outputs;
  NnNode *node;

  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (NN_DIM_UNKNOWN, 1);
  nn_graph_builder_add (builder, NN_OP_ACTIVATION, "act", NULL, (guint[]){ 0 }, 1)->attrs.act = NN_ACT_RELU;
  node = nn_graph_builder_add (builder, NN_OP_GLOBAL_AVG_POOL, "pool", NULL, (guint[]){ 1 }, 1);
  g_assert_nonnull (node);
  graph = nn_graph_builder_seal (builder, NULL);
  model = nn_model_new (graph, NULL, 0, NULL, NULL);
  outputs = nn_predict (model, (NnTensor *[]){ x, NULL }, NULL, NULL, NULL, NULL);
  g_assert_cmpfloat (nn_tensor_f64 (outputs[0])[0], ==, 3);
  nn_tensors_free (outputs);
  outputs = nn_predict (model, (NnTensor *[]){ y, NULL }, NULL, NULL, NULL, NULL);
  g_assert_cmpfloat (nn_tensor_f64 (outputs[0])[0], ==, 2);
  nn_tensors_free (outputs);
}

/* Weights that do not fit are errors that name the layer, for every operator that has some. */
static void
test_bad_weights (void)
{
  static const NnOp ops[] = { NN_OP_DENSE, NN_OP_CONV1D, NN_OP_DEPTHWISE_CONV1D, NN_OP_SEPARABLE_CONV1D, NN_OP_CONV1D_TRANSPOSE,
                              NN_OP_BATCH_NORM, NN_OP_PRELU, NN_OP_EMBEDDING, NN_OP_SIMPLE_RNN, NN_OP_LSTM, NN_OP_GRU,
                              NN_OP_SCALE, NN_OP_UNARY_LUT, NN_OP_MULTI_HEAD_ATTENTION, NN_OP_GARNET, NN_OP_TREE_ENSEMBLE,
                              NN_OP_EINSUM_DENSE };
  static const NnRole roles[] = { NN_ROLE_KERNEL, NN_ROLE_MEAN, NN_ROLE_BIAS };
  g_autoptr (NnTensor) x = tensor (&NN_SHAPE (1, 6, 3), NULL);
  NnAttrs attrs = { .units = 4, .kernel = { 2, 2 }, .stride = { 1, 1 }, .groups = 1, .depth_multiplier = 1, .n_heads = 2, .key_dim = 2 };

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    for (guint r = 0; r <= G_N_ELEMENTS (roles); r++)
      {
        g_autoptr (GError) error = NULL;
        Weight weight = { r < G_N_ELEMENTS (roles) ? roles[r] : NN_ROLE_OTHER, tensor (&NN_SHAPE (5), NULL) };

        g_assert_null (run (ops[i], &attrs, &NN_SHAPE (6, 3), &x, 1, &weight, 1, &error));
        g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
        g_assert_nonnull (strstr (error->message, "\"op\""));
      }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  nn_rng_init (&rng, 3);
  g_test_add_func ("/ops/conv2d", test_conv2d);
  g_test_add_func ("/ops/depthwise", test_depthwise);
  g_test_add_func ("/ops/transpose", test_transpose);
  g_test_add_func ("/ops/conv1d", test_conv1d);
  g_test_add_func ("/ops/pool", test_pool);
  g_test_add_func ("/ops/merge", test_merge);
  g_test_add_func ("/ops/products", test_products);
  g_test_add_func ("/ops/moves", test_moves);
  g_test_add_func ("/ops/norms", test_norms);
  g_test_add_func ("/ops/gru", test_gru);
  g_test_add_func ("/ops/lstm", test_lstm);
  g_test_add_func ("/ops/attention", test_attention);
  g_test_add_func ("/ops/trees", test_trees);
  g_test_add_func ("/ops/lut", test_lut);
  g_test_add_func ("/ops/open-axis", test_open_axis);
  g_test_add_func ("/ops/bad-weights", test_bad_weights);
  return g_test_run ();
}
