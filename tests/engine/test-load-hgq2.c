/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's layers in a Keras 3 file, and QKeras's pooling: each computes what its source says. */

#include "test-keras-zip.h"

static const float x8[] = { 0.3f, -1.07f, 5, -9, 0.06f, 0.19f, -0.7f, 2 };

static void
fill_add (NnH5 *h5)
{
  put_kif (h5, "layers/q_add/iq/quantizers/quantizer/quantizer");
  put_kif (h5, "layers/q_add/iq/quantizers/quantizer_1/quantizer");
  put_kif (h5, "layers/q_add/oq/quantizer");
}

/* Both inputs and the sum on the grid. */
static void
test_add (void)
{
  double want[4];

  for (guint i = 0; i < 4; i++)
    want[i] = quantized (quantized (x8[i]) + quantized (x8[i + 4]));
  compare (load_layer ("QAdd", ", \"enable_iq\": true, \"enable_oq\": true, \"iq_confs\": [" KIF ", " KIF "], \"oq_conf\": " KIF, 2, "4",
                       fill_add),
           x8, &NN_SHAPE (1, 4), want, 4);
}

static void
fill_activation (NnH5 *h5)
{
  put_kif (h5, "layers/q_unary_function_lut/iq/quantizer");
  put_kif (h5, "layers/q_unary_function_lut/oq/quantizer");
}

static void
test_activation (void)
{
  double want[4];

  for (guint i = 0; i < 4; i++)
    want[i] = quantized (tanh (quantized (x8[i])));
  compare (load_layer ("QUnaryFunctionLUT", ", \"activation\": \"tanh\", \"enable_oq\": true, \"iq_conf\": " KIF ", \"oq_conf\": " KIF, 1, "4",
                       fill_activation),
           x8, &NN_SHAPE (1, 4), want, 4);
}

static const float gamma4[] = { 1.5f, 0.7f, -1, 2 }, beta4[] = { 0.1f, -0.2f, 0.3f, 1 }, mean4[] = { 0.5f, 0, -1, 0.25f };
static const float variance4[] = { 1, 0.5f, 2, 0.1f };

static void
fill_norm (NnH5 *h5)
{
  put (h5, "layers/q_batch_normalization/vars/0", gamma4, 4);
  put (h5, "layers/q_batch_normalization/vars/1", beta4, 4);
  put (h5, "layers/q_batch_normalization/vars/2", mean4, 4);
  put (h5, "layers/q_batch_normalization/vars/3", variance4, 4);
  put_kif (h5, "layers/q_batch_normalization/iq/quantizer");
  put_kif (h5, "layers/q_batch_normalization/kq/quantizer");
  put_kif (h5, "layers/q_batch_normalization/bq/quantizer");
}

static void
test_norm (void)
{
  double want[4];

  for (guint i = 0; i < 4; i++)
    {
      double factor = (float) (gamma4[i] / sqrt (variance4[i] + 1e-3));

      want[i] = quantized (x8[i]) * quantized (factor) + quantized (beta4[i] - mean4[i] * factor);
    }
  compare (load_layer ("QBatchNormalization",
                       ", \"axis\": -1, \"epsilon\": 0.001, \"iq_conf\": " KIF ", \"kq_conf\": " KIF ", \"bq_conf\": " KIF, 1, "4", fill_norm),
           x8, &NN_SHAPE (1, 4), want, 4);
}

static void
fill_softmax (NnH5 *h5)
{
  static const char *const subs[] = { "iq", "exp_table/iq", "exp_table/oq", "inv_table/iq", "inv_table/oq" };

  for (guint i = 0; i < G_N_ELEMENTS (subs); i++)
    {
      g_autofree char *group = g_strdup_printf ("layers/q_softmax/%s/quantizer", subs[i]);

      put_kif (h5, group);
    }
}

/* Stable: the exponential of the distance to the largest, and the sum's inverse, each by its table. */
static void
test_softmax (void)
{
  double want[4], max = -1e9, sum = 0, inverse;

  for (guint i = 0; i < 4; i++)
    max = MAX (max, quantized (x8[i]));
  for (guint i = 0; i < 4; i++)
    sum += want[i] = quantized (exp (-quantized (max - quantized (x8[i]))));
  inverse = quantized (1 / (quantized (sum) + 1e-7));
  for (guint i = 0; i < 4; i++)
    want[i] *= inverse;
  compare (load_layer ("QSoftmax",
                       ", \"axes\": [1], \"stable\": true, \"input_scaler\": 1.0, \"iq_conf\": " KIF ", \"exp_iq_conf\": " KIF
                       ", \"exp_oq_conf\": " KIF ", \"inv_iq_conf\": " KIF ", \"inv_oq_conf\": " KIF,
                       1, "4", fill_softmax),
           x8, &NN_SHAPE (1, 4), want, 4);
}

static void
fill_sum (NnH5 *h5)
{
  put_kif (h5, "layers/q_mean_pow2/iq/quantizer");
}

/* The mean of 3 counts as that of 4: a power of two. */
static void
test_sum (void)
{
  double want = 0;

  for (guint i = 0; i < 3; i++)
    want += quantized (x8[i]) * exp2 (rint (log2 (1.0 / 3)));
  compare (load_layer ("QMeanPow2", ", \"axes\": [1], \"keepdims\": true, \"iq_conf\": " KIF, 1, "3", fill_sum), x8, &NN_SHAPE (1, 3),
           &want, 1);
}

static void
fill_dense (NnH5 *h5)
{
  static const float kernel[] = { 0.5f, -1, 0.25f, 0.7f, 1, 0.1f, -0.3f, 0.9f }, bias[] = { 0.2f, -0.6f }, number = 0;

  {
    g_autoptr (NnTensor) tensor = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (4, 2));

    memcpy (tensor->data, kernel, sizeof kernel);
    g_assert_true (nn_h5_put (h5, "layers/q_batch_norm_dense/vars/0", tensor, NULL));
  }
  put (h5, "layers/q_batch_norm_dense/vars/1", bias, 2);
  put (h5, "layers/q_batch_norm_dense/vars/2", gamma4, 4);
  put (h5, "layers/q_batch_norm_dense/vars/3", &number, 0);
  put (h5, "layers/q_batch_norm_dense/vars/4", &number, 0);
  put (h5, "layers/q_batch_norm_dense/vars/5", mean4, 4);
  put (h5, "layers/q_batch_norm_dense/vars/6", variance4, 4);
  put_kif (h5, "layers/q_batch_norm_dense/iq/quantizer");
  put_kif (h5, "layers/q_batch_norm_dense/kq/quantizer");
  put_kif (h5, "layers/q_batch_norm_dense/bq/quantizer");
}

static void
test_dense (void)
{
  static const double kernel[] = { 0.5, -1, 0.25, 0.7, 1, 0.1, -0.3, 0.9 }, bias[] = { 0.2, -0.6 };
  double want[2];

  for (guint o = 0; o < 2; o++)
    {
      double b = bias[o];

      want[o] = 0;
      for (guint i = 0; i < 4; i++)
        {
          want[o] += quantized (x8[i]) * quantized (gamma4[i] / sqrt (variance4[i] + 1e-3) * kernel[2 * i + o]);
          b -= mean4[i] * kernel[2 * i + o];
        }
      want[o] = MAX (want[o] + quantized (b), 0);
    }
  compare (load_layer ("QBatchNormDense",
                       ", \"units\": 2, \"activation\": \"relu\", \"epsilon\": 0.001, \"enable_ebops\": true, \"iq_conf\": " KIF
                       ", \"kq_conf\": " KIF ", \"bq_conf\": " KIF,
                       1, "4", fill_dense),
           x8, &NN_SHAPE (1, 4), want, 2);
}

static void
fill_pool (NnH5 *h5)
{
  put_kif (h5, "layers/q_max_pooling1d/iq/quantizer");
}

static void
test_pool (void)
{
  double want[2];

  for (guint i = 0; i < 2; i++)
    want[i] = MAX (quantized (x8[2 * i]), quantized (x8[2 * i + 1]));
  compare (load_layer ("QMaxPooling1D", ", \"pool_size\": [2], \"strides\": [2], \"padding\": \"valid\", \"iq_conf\": " KIF, 1, "4, 1",
                       fill_pool),
           x8, &NN_SHAPE (1, 4, 1), want, 2);
}

static void
fill_nothing (NnH5 *h5)
{
  g_assert_true (nn_h5_put_group (h5, "layers", NULL));
}

/* QKeras's pooling: the sum times the inverse of its window's size, which has 3 bits below the point: 1/8 for 1/6. */
static void
test_quantized_pool (void)
{
  double want = 0;
  float x[6];
  NnModel *model;

  for (guint i = 0; i < 6; i++)
    {
      x[i] = fabsf (x8[i + 2]);
      want += x[i] * 0.125;
    }
  package = "qkeras";
  model = load_layer ("QGlobalAveragePooling2D",
                      ", \"average_quantizer\": \"quantized_bits(4,0,1)\", \"activation\": \"quantized_relu(5,2)\"", 1, "2, 3, 1",
                      fill_nothing);
  package = "hgq";
  want = nearbyint (want * 8) / 8;
  compare (model, x, &NN_SHAPE (1, 2, 3, 1), &want, 1);
}

/* A quantiser whose variables are missing, and a layer that is not there: shown by name, with the reason. */
static void
test_unknown (void)
{
  g_autoptr (NnModel) model = load_layer ("QGravNet", "", 1, "4", fill_nothing);
  const NnGraph *graph = nn_model_graph (model);
  guint i;

  g_assert_true (nn_graph_find (graph, "q", &i));
  g_assert_cmpint (nn_graph_node (graph, i)->op, ==, NN_OP_UNSUPPORTED);
  g_assert_cmpstr (nn_graph_node (graph, i)->class_name, ==, "QGravNet");
  g_assert_nonnull (strstr (nn_graph_node (graph, i)->reason, "QGravNet"));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/hgq2/add", test_add);
  g_test_add_func ("/load/hgq2/activation", test_activation);
  g_test_add_func ("/load/hgq2/norm", test_norm);
  g_test_add_func ("/load/hgq2/softmax", test_softmax);
  g_test_add_func ("/load/hgq2/sum", test_sum);
  g_test_add_func ("/load/hgq2/dense", test_dense);
  g_test_add_func ("/load/hgq2/pool", test_pool);
  g_test_add_func ("/load/qkeras/pool", test_quantized_pool);
  g_test_add_func ("/load/hgq2/unknown", test_unknown);
  return g_test_run ();
}
