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
                         NN_ACT_COS };

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
  return g_test_run ();
}
