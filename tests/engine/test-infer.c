/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: double-precision inference of networks built by hand. */

#include "nn-exec.h"

#include "nn-error.h"
#include "nn-parallel.h"

#include <math.h>
#include <string.h>

static NnTensor *
floats (const NnShape *shape,
        const float   *values)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, shape);

  memcpy (tensor->data, values, tensor->n * sizeof *values);
  return tensor;
}

/* input (2) - dense (3, relu) - batch norm - flatten - dense (2, softmax) */
static NnModel *
small_model (void)
{
  static const float k1[] = { 1, -1, 0.5f, 2, 0.25f, -3 }, b1[] = { 0.5f, 0, 1 };
  static const float gamma[] = { 1, 2, 0.5f }, beta[] = { 0, 1, -1 }, mean[] = { 0.5f, 0, 1 }, var[] = { 1, 4, 0.25f };
  static const float k2[] = { 1, 0, 0.5f, -1, 2, 1 }, b2[] = { 0.1f, -0.1f };
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  NnWeight weights[] = {
    { "kernel", "d1", NN_ROLE_KERNEL, TRUE, floats (&NN_SHAPE (2, 3), k1) },
    { "bias", "d1", NN_ROLE_BIAS, TRUE, floats (&NN_SHAPE (3), b1) },
    { "gamma", "bn", NN_ROLE_GAMMA, TRUE, floats (&NN_SHAPE (3), gamma) },
    { "beta", "bn", NN_ROLE_BETA, TRUE, floats (&NN_SHAPE (3), beta) },
    { "mean", "bn", NN_ROLE_MEAN, FALSE, floats (&NN_SHAPE (3), mean) },
    { "var", "bn", NN_ROLE_VARIANCE, FALSE, floats (&NN_SHAPE (3), var) },
    { "kernel", "d2", NN_ROLE_KERNEL, TRUE, floats (&NN_SHAPE (3, 2), k2) },
    { "bias", "d2", NN_ROLE_BIAS, TRUE, floats (&NN_SHAPE (2), b2) },
  };
  NnNode *node;
  NnModel *model;

  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (2);
  node = nn_graph_builder_add (builder, NN_OP_DENSE, "d1", NULL, (guint[]){ 0 }, 1);
  node->attrs.units = 3;
  node->attrs.act = NN_ACT_RELU;
  nn_graph_builder_weights (builder, node, (guint[]){ 0, 1 }, 2);
  node = nn_graph_builder_add (builder, NN_OP_BATCH_NORM, "bn", NULL, (guint[]){ 1 }, 1);
  node->attrs.epsilon = 1e-3;
  node->attrs.axis = -1;
  nn_graph_builder_weights (builder, node, (guint[]){ 2, 3, 4, 5 }, 4);
  nn_graph_builder_add (builder, NN_OP_FLATTEN, "flat", NULL, (guint[]){ 2 }, 1);
  node = nn_graph_builder_add (builder, NN_OP_DENSE, "d2", NULL, (guint[]){ 3 }, 1);
  node->attrs.units = 2;
  node->attrs.act = NN_ACT_SOFTMAX;
  nn_graph_builder_weights (builder, node, (guint[]){ 6, 7 }, 2);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, weights, G_N_ELEMENTS (weights), NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    nn_tensor_unref (weights[i].values);
  return model;
}

/* The same, written out. */
static void
by_hand (const double *x,
         double       *y)
{
  double a[3] = { x[0] + 2 * x[1] + 0.5, -x[0] + 0.25 * x[1], 0.5 * x[0] - 3 * x[1] + 1 }, s[2];
  double beta[3] = { 0, 1, -1 }, gamma[3] = { 1, 2, 0.5 }, mean[3] = { 0.5, 0, 1 }, var[3] = { 1, 4, 0.25 };

  for (guint i = 0; i < 3; i++)
    a[i] = gamma[i] * (MAX (a[i], 0) - mean[i]) / sqrt (var[i] + 1e-3) + beta[i];
  s[0] = a[0] + 0.5 * a[1] + 2 * a[2] + 0.1f;
  s[1] = -a[1] + a[2] - 0.1f;
  y[0] = 1 / (1 + exp (s[1] - s[0]));
  y[1] = 1 / (1 + exp (s[0] - s[1]));
}

typedef struct {
  guint  calls;
  double sum;
  gsize  rows;
} Seen;

static void
see (const NnNode   *node,
     gsize           first,
     const NnTensor *values,
     gpointer        data)
{
  Seen *seen = data;

  seen->calls++;
  if (strcmp (node->name, "d1") == 0)
    {
      g_assert_cmpuint (first, ==, seen->rows);
      seen->rows += values->shape.dims[0];
      for (gsize i = 0; i < values->n; i++)
        {
          g_assert_cmpfloat (nn_tensor_get (values, i), >=, 0); /* after its own activation */
          seen->sum += nn_tensor_get (values, i);
        }
    }
}

static void
test_dense (void)
{
  enum { N = 7 };
  g_autoptr (NnModel) model = small_model ();
  g_autoptr (NnTensor) x = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (N, 2));
  g_autoptr (GError) error = NULL;
  Seen seen = { 0 };
  NnPredictOptions options = { .trace = see, .trace_data = &seen, .batch = 3 };
  NnTensor *inputs[] = { x, NULL }, **outputs;

  for (guint i = 0; i < 2 * N; i++)
    nn_tensor_f64 (x)[i] = sin (3 * i + 1);
  outputs = nn_predict (model, inputs, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (nn_shape_equal (&outputs[0]->shape, &NN_SHAPE (N, 2)));
  g_assert_null (outputs[1]);
  for (guint i = 0; i < N; i++)
    {
      double y[2];

      by_hand (nn_tensor_f64 (x) + 2 * i, y);
      g_assert_cmpfloat_with_epsilon (nn_tensor_f64 (outputs[0])[2 * i], y[0], 1e-14);
      g_assert_cmpfloat_with_epsilon (nn_tensor_f64 (outputs[0])[2 * i + 1], y[1], 1e-14);
    }
  g_assert_cmpuint (seen.calls, ==, 3 * 5);
  g_assert_cmpuint (seen.rows, ==, N);
  nn_tensors_free (outputs);
}

static void
test_threads_agree (void)
{
  g_autoptr (NnModel) model = small_model ();
  g_autoptr (NnTensor) x = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1000, 2));
  NnTensor *inputs[] = { x, NULL }, **one, **many;

  for (guint i = 0; i < 2000; i++)
    nn_tensor_f32 (x)[i] = cos (i);
  nn_parallel_set_threads (1);
  one = nn_predict (model, inputs, NULL, NULL, NULL, NULL);
  nn_parallel_set_threads (5);
  many = nn_predict (model, inputs, NULL, NULL, NULL, NULL);
  nn_parallel_set_threads (0);
  g_assert_cmpmem (one[0]->data, one[0]->n * 8, many[0]->data, many[0]->n * 8);
  nn_tensors_free (one);
  nn_tensors_free (many);
}

static void
test_errors (void)
{
  g_autoptr (NnModel) model = small_model ();
  g_autoptr (NnTensor) wrong = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (4, 3));
  g_autoptr (NnTensor) right = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (4, 1, 2));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  NnTensor **outputs;

  g_assert_null (nn_predict (model, (NnTensor *[]){ wrong, NULL }, NULL, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "\"in\""));
  g_clear_error (&error);
  g_assert_null (nn_predict (model, (NnTensor *[]){ NULL }, NULL, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
  g_clear_error (&error);
  outputs = nn_predict (model, (NnTensor *[]){ right, NULL }, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  nn_tensors_free (outputs);
  g_cancellable_cancel (cancellable);
  g_assert_null (nn_predict (model, (NnTensor *[]){ right, NULL }, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_unsupported (void)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (GError) error = NULL;
  NnNode *node;

  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (2);
  node = nn_graph_builder_add (builder, NN_OP_UNSUPPORTED, "odd", "MyLayer", (guint[]){ 0 }, 1);
  node->shape = NN_SHAPE (2);
  node->reason = nn_graph_builder_strdup (builder, "a custom layer");
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, NULL, 0, NULL, &error);
  g_assert_false (nn_predict_supported (model, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "\"odd\" (MyLayer) cannot be computed: a custom layer"));
}

static void
test_activations (void)
{
  static const struct { NnAct act; NnAttrs attrs; double x; double y; } cases[] = {
    { NN_ACT_LINEAR, { 0 }, -3, -3 },
    { NN_ACT_RELU, { 0 }, -3, 0 },
    { NN_ACT_RELU, { 0 }, 2, 2 },
    { NN_ACT_RELU, { .max_value = 6 }, 7, 6 },
    { NN_ACT_RELU, { .alpha = 0.1, .threshold = 1 }, 0.5, -0.05 },
    { NN_ACT_RELU, { .alpha = 0.1, .threshold = 1 }, 2, 2 },
    { NN_ACT_LEAKY_RELU, { .alpha = 0.3 }, -1, -0.3 },
    { NN_ACT_THRESHOLDED_RELU, { .threshold = 1 }, 0.9, 0 },
    { NN_ACT_ELU, { .alpha = 1 }, -1, -0.63212055882855767 },
    { NN_ACT_SELU, { 0 }, -1, -1.1113307378125625 },
    { NN_ACT_GELU, { 0 }, 1, 0.84134474606854293 },
    { NN_ACT_SIGMOID, { 0 }, 0, 0.5 },
    { NN_ACT_HARD_SIGMOID, { 0 }, 1, 0.7 },
    { NN_ACT_HARD_SIGMOID, { .slope = 0.5, .shift = 0.5 }, 0.5, 0.75 },
    { NN_ACT_TANH, { 0 }, 0.5, 0.46211715726000973 },
    { NN_ACT_HARD_TANH, { 0 }, 3, 1 },
    { NN_ACT_SOFTPLUS, { 0 }, 0, 0.69314718055994529 },
    { NN_ACT_SOFTPLUS, { 0 }, 1000, 1000 },
    { NN_ACT_SOFTSIGN, { 0 }, -3, -0.75 },
    { NN_ACT_EXPONENTIAL, { 0 }, 1, 2.7182818284590451 },
    { NN_ACT_SWISH, { 0 }, 1, 0.7310585786300049 },
    { NN_ACT_MISH, { 0 }, 1, 0.86509838826731034 },
    { NN_ACT_SIN, { 0 }, 1, 0.8414709848078965 },
    { NN_ACT_COS, { 0 }, 1, 0.54030230586813977 },
    { NN_ACT_TAN, { 0 }, 1, 1.5574077246549023 },
    { NN_ACT_ATAN, { 0 }, 1, 0.7853981633974483 },
    { NN_ACT_ABS, { 0 }, -1.5, 1.5 },
    { NN_ACT_SQRT, { 0 }, 2, 1.4142135623730951 },
    { NN_ACT_LOG, { 0 }, 2, 0.6931471805599453 },
    { NN_ACT_ERF, { 0 }, 0.5, 0.5204998778130465 },
    { NN_ACT_SIGN, { 0 }, -3, -1 },
    { NN_ACT_FLOOR, { 0 }, -1.5, -2 },
    { NN_ACT_CEIL, { 0 }, -1.5, -1 },
    { NN_ACT_ROUND, { 0 }, 2.5, 2 },
    { NN_ACT_GELU_TANH, { 0 }, 1, 0.8411919906082768 },
    { NN_ACT_BINARY_TANH, { 0 }, -0.1, -1 },
    { NN_ACT_BINARY_TANH, { 0 }, 0, -1 }, /* half to even, as in BinaryNet */
    { NN_ACT_TERNARY_TANH, { 0 }, -0.5, 0 },
    { NN_ACT_TERNARY_TANH, { 0 }, 0.4, 0 },
    { NN_ACT_TERNARY_TANH, { 0 }, 0.6, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpfloat_with_epsilon (nn_act_value (&cases[i].attrs, cases[i].act, cases[i].x), cases[i].y, 1e-15);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/infer/dense", test_dense);
  g_test_add_func ("/infer/threads-agree", test_threads_agree);
  g_test_add_func ("/infer/errors", test_errors);
  g_test_add_func ("/infer/unsupported", test_unsupported);
  g_test_add_func ("/infer/activations", test_activations);
  return g_test_run ();
}
