/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels as wide as for AVX-512, compiled without its instructions, against double: what most machines could not run. */

#include "nn-net.h"
#include "test-train-nets.h"

#define SAMPLES 37 /* not a multiple of the lanes */
#define TOLERANCE 2e-5

extern const NnLayers nn_layers_wide;

static NnTensor **
gradients_of (const NnModel  *model,
              const NnLayers *layers,
              gboolean        squares,
              double         *loss)
{
  const NnNetOptions options = { .layers_of = layers, .batch = SAMPLES, .gradients = TRUE, .training = !squares, .loss = NN_LOSS_MSE };
  const guint n = nn_model_n_weights (model);
  NnTensor **gradients = g_new0 (NnTensor *, n + 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnNet) net = nn_net_new (model, &options, &error);
  g_autoptr (NnTensor) x = NULL, t = NULL;
  guint32 samples[SAMPLES];
  NnLossSums sums = { 0 };

  g_assert_no_error (error);
  x = random_tensor (&NN_SHAPE (SAMPLES, (gint64) net->n_input), 3);
  t = random_tensor (&NN_SHAPE (SAMPLES, (gint64) net->n_output), 4);
  for (guint i = 0; i < SAMPLES; i++)
    samples[i] = i;
  nn_net_run (net, &(NnBatch) { .x = nn_tensor_f32 (x), .t = nn_tensor_f32 (t), .samples = samples, .n = SAMPLES, .squares = squares },
              &sums);
  *loss = sums.loss;
  for (guint id = 0; id < n; id++)
    gradients[id] = nn_net_gradient (net, id);
  return gradients;
}

static void
check (NnModel *model, /* (transfer full) */
       gboolean squares)
{
  const guint n = nn_model_n_weights (model);
  double wide_loss, exact_loss;
  NnTensor **wide = gradients_of (model, &nn_layers_wide, squares, &wide_loss);
  NnTensor **exact = gradients_of (model, &nn_layers_double, squares, &exact_loss);

  g_assert_cmpfloat_with_epsilon (wide_loss, exact_loss, 1e-5 * (1 + fabs (exact_loss)));
  for (guint id = 0; id < n; id++)
    {
      double most = 0.05;

      for (gsize i = 0; exact[id] != NULL && i < exact[id]->n; i++)
        most = MAX (most, fabs (nn_tensor_get (exact[id], i)));
      for (gsize i = 0; exact[id] != NULL && i < exact[id]->n; i++)
        g_assert_cmpfloat_with_epsilon (nn_tensor_get (wide[id], i), nn_tensor_get (exact[id], i), TOLERANCE * most);
    }
  free_tensors (wide, n);
  free_tensors (exact, n);
  nn_model_unref (model);
}

/* Keeps a quarter of each kernel. */
static NnModel *
pruned (NnModel *model) /* (transfer full) */
{
  g_autofree NnTensor **masks = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
  NnModel *thin;
  NnRng rng;

  nn_rng_init (&rng, 9);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    if (nn_model_weight (model, id)->role == NN_ROLE_KERNEL)
      {
        masks[id] = nn_tensor_new (NN_DTYPE_U8, &nn_model_weight (model, id)->values->shape);
        for (gsize i = 0; i < masks[id]->n; i++)
          nn_tensor_u8 (masks[id])[i] = nn_rng_uniform (&rng) < 0.25;
      }
  thin = nn_model_with_weights (model, NULL, masks);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    nn_tensor_unref (masks[id]);
  nn_model_unref (model);
  return thin;
}

static void
test_dense (void)
{
  check (net_jets (1, FALSE), FALSE);
  check (net_jets (2, TRUE), FALSE);
  check (pruned (net_jets (3, FALSE)), FALSE);
  check (net_jets (4, FALSE), TRUE);
}

/* Two convolutions, with batch norm, rectifier and pooling after the first; some of all combinations. */
static NnModel *
convolutional (guint i)
{
  const gint64 outputs[] = { 3, 4, 7, 9, 16, 24 };
  const gint64 o = outputs[i % G_N_ELEMENTS (outputs)], kernel = 1 + i % 3, dilation = i % 5 == 4 ? 2 : 1, stride = i % 7 == 6 ? 2 : 1;
  TestNet *net = net_new (&NN_SHAPE (11, 9, 3), 300 + i);

  net_conv (net, kernel, kernel, 3, o, 1, 1, 1, i % 2 ? NN_PADDING_SAME : NN_PADDING_VALID);
  if (i % 3 > 0)
    net_batch_norm (net, o);
  if (i % 4 > 0)
    net_act (net, NN_ACT_RELU);
  if (i % 3 < 2)
    {
      NnNode *pool = net_add (net, NN_OP_MAX_POOL2D);

      pool->attrs.kernel[0] = pool->attrs.kernel[1] = pool->attrs.stride[0] = pool->attrs.stride[1] = 2;
    }
  net_conv (net, 3, 2, o, 5, stride, dilation, 1, i % 2 ? NN_PADDING_VALID : NN_PADDING_SAME)->attrs.act = NN_ACT_TANH;
  net_add (net, NN_OP_GLOBAL_AVG_POOL);
  net_dense (net, 5, 2, NN_ACT_LINEAR);
  return net_seal (net);
}

static void
test_convolutions (void)
{
  for (guint i = 0; i < 24; i++)
    {
      check (convolutional (i), FALSE);
      check (pruned (convolutional (i)), FALSE);
    }
  check (convolutional (0), TRUE);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
#if defined(__x86_64__) || defined(__i386__)
  if (!nn_cpu_has (NN_CPU_AVX2))
    {
      g_print ("1..0 # SKIP this processor has no AVX2, which the kernels were compiled for\n");
      return 0;
    }
#endif
  g_test_add_func ("/train/wide/dense", test_dense);
  g_test_add_func ("/train/wide/convolutions", test_convolutions);
  return g_test_run ();
}
