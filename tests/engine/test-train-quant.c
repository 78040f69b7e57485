/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantisation-aware training: the forward pass is the reference's, gradients pass straight through, types are the user's or the model's. */

#include "nn-dataset.h"
#include "nn-exec.h"
#include "nn-layers.h"
#include "nn-load.h"
#include "nn-quant.h"
#include "test-shared.h"
#include "test-train-nets.h"

static NnType
grid (int        width,
      int        integer,
      gboolean   is_signed,
      NnRounding rounding)
{
  return (NnType) { .kind = NN_TYPE_FIXED, .width = width, .integer = integer, .is_signed = is_signed, .rounding = rounding,
                    .overflow = NN_OVERFLOW_SAT };
}

static const float three_alphas[] = { 0.5f, 2, 1 };
static const NnType three_types[] = {
  { .kind = NN_TYPE_FIXED, .width = 4, .integer = 1, .is_signed = TRUE, .rounding = NN_ROUND_RND, .overflow = NN_OVERFLOW_SAT },
  { .kind = NN_TYPE_FIXED, .width = 6, .integer = 2, .is_signed = TRUE, .rounding = NN_ROUND_TRN, .overflow = NN_OVERFLOW_WRAP },
  { .kind = NN_TYPE_FIXED, .width = 0, .integer = 0, .rounding = NN_ROUND_TRN, .overflow = NN_OVERFLOW_WRAP },
};

/* One of each; for weights and for activations. */
static NnQuantizer
quantizer (guint i)
{
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = grid (6, 1, TRUE, NN_ROUND_RND_CONV) };

  switch (i)
    {
    case 1:
      q.type = grid (4, 2, TRUE, NN_ROUND_RND);
      break;
    case 2:
      q.type = grid (5, 0, TRUE, NN_ROUND_TRN);
      break;
    case 3:
      q.kind = NN_QUANT_RELU, q.type = grid (5, 2, FALSE, NN_ROUND_RND_CONV);
      break;
    case 4:
      q.kind = NN_QUANT_RELU, q.type = grid (5, 2, TRUE, NN_ROUND_RND_CONV), q.negative_slope = 0.25;
      break;
    case 5:
      q.kind = NN_QUANT_TANH;
      break;
    case 6:
      q.kind = NN_QUANT_TANH, q.use_real_function = TRUE;
      break;
    case 7:
      q.kind = NN_QUANT_SIGMOID, q.type = grid (6, 0, FALSE, NN_ROUND_RND_CONV);
      break;
    case 8:
      q.kind = NN_QUANT_SIGMOID, q.use_real_function = TRUE;
      break;
    case 9:
      q.kind = NN_QUANT_BINARY, q.type.kind = NN_TYPE_BINARY;
      break;
    case 10:
      q.kind = NN_QUANT_TERNARY, q.type.kind = NN_TYPE_TERNARY, q.threshold = 0.33;
      break;
    case 11:
      q.kind = NN_QUANT_POWER, q.type = grid (4, 4, TRUE, NN_ROUND_RND_CONV), q.max_value = 1;
      break;
    case 12:
      q.kind = NN_QUANT_POWER_RELU, q.type = grid (4, 4, FALSE, NN_ROUND_RND_CONV);
      break;
    case 13:
      q.kind = NN_QUANT_ULAW;
      break;
    case 14:
      q.alpha_mode = NN_ALPHA_FIXED, q.alpha = three_alphas, q.n_alpha = 3;
      break;
    case 15:
      q.per_element = three_types, q.n_elements = 3;
      break;
    case 16:
      q.alpha_mode = NN_ALPHA_AUTO;
      break;
    case 17:
      q.alpha_mode = NN_ALPHA_AUTO_PO2;
      break;
    case 18:
      q.kind = NN_QUANT_BINARY, q.alpha_mode = NN_ALPHA_AUTO;
      break;
    case 19:
      q.kind = NN_QUANT_TERNARY, q.alpha_mode = NN_ALPHA_AUTO_PO2;
      break;
    default:
      break;
    }
  return q;
}

#define N_QUANTIZERS 20

static NnModel *
quantized_net (guint    i,
               gboolean weights,
               gboolean results)
{
  TestNet *net = net_new (&NN_SHAPE (5, 3), 300 + i);
  NnQuantizer q = quantizer (i);
  NnNode *node = net_dense (net, 3, 3, NN_ACT_LINEAR);

  if (weights)
    node->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (net->builder, &q);
  if (results)
    {
      node->attrs.act = NN_ACT_QUANTIZED;
      node->attrs.quantizer = nn_graph_builder_quantizer (net->builder, &q);
    }
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 15, 2, NN_ACT_LINEAR);
  return net_seal (net);
}

static void
assert_same_forward (const NnModel  *model,
                     const NnTensor *x)
{
  NnPredictOptions options = { 0 };
  NnTensor *inputs[] = { (NnTensor *) x, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) fast = NULL;
  NnTensor **exact = nn_predict (model, inputs, &options, NULL, NULL, &error);

  g_assert_no_error (error);
  nn_cpu_limit (NN_CPU_DOUBLE);
  g_assert_true (nn_train_supported (model, &error));
  fast = nn_predict_fast (model, x, NULL, &error);
  nn_cpu_limit (NN_CPU_AVX512);
  g_assert_no_error (error);
  for (gsize i = 0; i < fast->n; i++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_get (fast, i), nn_tensor_get (exact[0], i), 1e-6);
  nn_tensors_free (exact);
}

/* What every quantiser makes of weights and of activations is what the reference makes of them. */
static void
test_forward (void)
{
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (50, 5, 3), 7);

  for (guint i = 0; i < N_QUANTIZERS; i++)
    {
      g_autoptr (NnModel) weights = quantized_net (i, TRUE, FALSE), results = quantized_net (i, FALSE, TRUE);

      assert_same_forward (weights, x);
      assert_same_forward (results, x);
    }
}

/* Through a quantised weight the gradient is that of the value used, at the value used. */
static void
test_straight_through (void)
{
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (40, 5, 3), 8), y = random_tensor (&NN_SHAPE (40, 2), 9);

  for (guint i = 0; i < N_QUANTIZERS; i++)
    {
      g_autoptr (NnModel) model = quantized_net (i, TRUE, FALSE);
      g_autoptr (NnModel) moved = NULL;
      g_autofree NnTensor **values = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
      const NnQuantizer q = quantizer (i);
      g_autofree double *used = NULL;
      g_autoptr (GError) error = NULL;
      TestNet *plain = net_new (&NN_SHAPE (5, 3), 300 + i);
      NnTrainOptions options;
      NnTensor **a, **b;
      double loss_a, loss_b;

      /* the same network without quantiser, at the quantised values that the first predicts with */
      net_dense (plain, 3, 3, NN_ACT_LINEAR);
      net_add (plain, NN_OP_FLATTEN);
      net_dense (plain, 15, 2, NN_ACT_LINEAR);
      {
        g_autoptr (NnModel) float_model = net_seal (plain);
        NnTensor *kernel = nn_tensor_copy (nn_model_weight (float_model, 0)->values);

        used = g_new (double, kernel->n);
        for (gsize k = 0; k < kernel->n; k++)
          used[k] = nn_tensor_f32 (kernel)[k];
        nn_quantize (&q, &kernel->shape, used);
        for (gsize k = 0; k < kernel->n; k++)
          nn_tensor_f32 (kernel)[k] = used[k];
        values[0] = kernel;
        moved = nn_model_with_weights (float_model, values, NULL);
        nn_tensor_unref (kernel);
      }
      nn_train_options_init (&options);
      options.in_double = TRUE;
      options.loss = NN_LOSS_MSE;
      a = nn_gradients (model, x, y, &options, &loss_a, &error);
      g_assert_no_error (error);
      b = nn_gradients (moved, x, y, &options, &loss_b, &error);
      g_assert_no_error (error);
      g_assert_cmpfloat_with_epsilon (loss_a, loss_b, 1e-6 * (1 + loss_b));
      for (guint id = 0; id < nn_model_n_weights (model); id++)
        for (gsize k = 0; k < a[id]->n; k++)
          g_assert_cmpfloat_with_epsilon (nn_tensor_get (a[id], k), nn_tensor_get (b[id], k),
                                          1e-5 * (1 + fabs (nn_tensor_get (b[id], k))));
      free_tensors (a, nn_model_n_weights (model));
      free_tensors (b, nn_model_n_weights (model));
    }
}

/* The curve under the steps of quantizer (i): QKeras' straight-through estimators, and where grids saturate. */
static double
expected_slope (guint  i,
                double x,
                gsize  channel)
{
  const double tanh_x = tanh (x), sigmoid = 1 / (1 + exp (-x));

  switch (i)
    {
    case 0:  /* 6 bits, one of them integer */
      return x >= -1 && x <= 1 - 1 / 32.;
    case 1:
      return x >= -2 && x <= 2 - 0.25;
    case 2:
      return x >= -0.5 && x <= 0.5 - 1 / 32.;
    case 3:  /* quantized_relu */
      return x > 0 && x <= 4 - 1 / 8.;
    case 4:
      return x > 0 ? x <= 2 - 1 / 8. : 0.25;
    case 6:
      return 1 - tanh_x * tanh_x;
    case 7:  /* the hard sigmoid (x + 1) / 2 */
      return x >= -1 && x <= 1 ? 0.5 : 0;
    case 8:
      return sigmoid * (1 - sigmoid);
    case 5:
    case 9:
    case 10:
    case 13:
    case 18:
    case 19:
      return x >= -1 && x <= 1;
    case 12:
      return x > 0;
    case 15: /* each channel has a type; the second wraps, the third has no bits */
      return channel > 0 || (x >= -1 && x <= 1 - 1 / 8.);
    case 14:
      return x >= -1 && x <= 1 - 1 / 32.;
    default: /* power of two, scales found from the values */
      return 1;
    }
}

/* Through a quantised result the gradient is that of the curve under the steps: of the bias, which is where it lands first. */
static void
test_results (void)
{
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (40, 5, 3), 8), y = random_tensor (&NN_SHAPE (40, 2), 9);

  for (guint i = 0; i < N_QUANTIZERS; i++)
    {
      g_autoptr (NnModel) model = quantized_net (i, FALSE, TRUE);
      const float *w = nn_tensor_f32 (nn_model_weight (model, 0)->values), *b = nn_tensor_f32 (nn_model_weight (model, 1)->values);
      const float *out = nn_tensor_f32 (nn_model_weight (model, 2)->values), *out_b = nn_tensor_f32 (nn_model_weight (model, 3)->values);
      const NnQuantizer q = quantizer (i);
      g_autoptr (GError) error = NULL;
      double expected[3] = { 0 };
      NnTrainOptions options;
      NnTensor **gradients;

      if (i == 16) /* its largest value always lies half-way between two steps: the last bit of a sum decides */
        continue;
      nn_train_options_init (&options);
      options.in_double = TRUE;
      options.loss = NN_LOSS_MSE;
      gradients = nn_gradients (model, x, y, &options, NULL, &error);
      g_assert_no_error (error);
      for (gsize s = 0; s < 40; s++)
        {
          double raw[15], used[15], g[2];

          for (guint e = 0; e < 15; e++)
            {
              raw[e] = b[e % 3];
              for (guint c = 0; c < 3; c++)
                raw[e] += nn_tensor_f32 (x)[s * 15 + e / 3 * 3 + c] * w[c * 3 + e % 3];
              used[e] = raw[e];
            }
          nn_quantize (&q, &NN_SHAPE (5, 3), used);
          for (guint o = 0; o < 2; o++)
            {
              double sum = out_b[o];

              for (guint e = 0; e < 15; e++)
                sum += used[e] * out[e * 2 + o];
              g[o] = 2 * (sum - nn_tensor_f32 (y)[s * 2 + o]) / (40 * 2);
            }
          for (guint e = 0; e < 15; e++)
            expected[e % 3] += (g[0] * out[e * 2] + g[1] * out[e * 2 + 1]) * expected_slope (i, raw[e], e % 3);
        }
      for (guint c = 0; c < 3; c++)
        if (!(fabs (nn_tensor_get (gradients[1], c) - expected[c]) <= 1e-5 * (1 + fabs (expected[c]))))
          g_error ("quantizer %u, channel %u: %.8g, expected %.8g", i, c, nn_tensor_get (gradients[1], c), expected[c]);
      free_tensors (gradients, nn_model_n_weights (model));
    }
}

/* A recurrent network whose gates and state are quantised as these say; NULL leaves them alone. */
static NnModel *
recurrent_net (NnOp               op,
               const NnQuantizer *gates,
               const NnQuantizer *state,
               gboolean           after)
{
  const gint64 wide = 4 * (op == NN_OP_LSTM ? 4 : op == NN_OP_GRU ? 3 : 1);
  TestNet *net = net_new (&NN_SHAPE (5, 3), 350 + op);
  NnNode *node = net_add (net, op);

  node->attrs.units = 4;
  node->attrs.act = NN_ACT_TANH;
  node->attrs.recurrent_act = NN_ACT_SIGMOID;
  node->attrs.return_sequences = TRUE;
  node->attrs.reset_after = after;
  if (gates != NULL)
    node->attrs.quantizer = node->attrs.recurrent_quantizer = nn_graph_builder_quantizer (net->builder, gates);
  if (state != NULL)
    node->attrs.state_quantizer = nn_graph_builder_quantizer (net->builder, state);
  net_weight (net, node, NN_ROLE_KERNEL, &NN_SHAPE (3, wide), -0.8, 0.8);
  net_weight (net, node, NN_ROLE_RECURRENT_KERNEL, &NN_SHAPE (4, wide), -0.8, 0.8);
  net_weight (net, node, NN_ROLE_BIAS, after ? &NN_SHAPE (2, wide) : &NN_SHAPE (wide), -0.3, 0.3);
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 20, 2, NN_ACT_LINEAR);
  return net_seal (net);
}

/*
 * Quantised gates and states: the forward pass is the reference's; on a grid so fine that it changes nothing the gradients are
 * those without it, so that they do pass; on one that saturates nearly everywhere nearly none passes the gates.
 */
static void
test_recurrent (void)
{
  const struct { NnOp op; gboolean after; } kinds[] = { { NN_OP_SIMPLE_RNN }, { NN_OP_LSTM }, { NN_OP_GRU }, { NN_OP_GRU, TRUE } };
  const NnQuantizer coarse = { .type = grid (4, 1, TRUE, NN_ROUND_RND_CONV), .kind = NN_QUANT_FIXED };
  const NnQuantizer tanh = { .kind = NN_QUANT_TANH, .type = grid (6, 1, TRUE, NN_ROUND_RND_CONV) };
  const NnQuantizer fine = { .type = grid (30, 3, TRUE, NN_ROUND_RND_CONV), .kind = NN_QUANT_FIXED };
  const NnQuantizer tiny = { .type = grid (4, -9, TRUE, NN_ROUND_RND_CONV), .kind = NN_QUANT_FIXED };
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (40, 5, 3), 8), y = random_tensor (&NN_SHAPE (40, 2), 9);
  g_autoptr (GError) error = NULL;
  NnTrainOptions options;

  nn_train_options_init (&options);
  options.in_double = TRUE;
  options.loss = NN_LOSS_MSE;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const NnOp op = kinds[i].op;
      g_autoptr (NnModel) gates = recurrent_net (op, &coarse, NULL, kinds[i].after);
      g_autoptr (NnModel) both = recurrent_net (op, &tanh, &coarse, kinds[i].after);
      g_autoptr (NnModel) plain = recurrent_net (op, NULL, NULL, kinds[i].after);
      g_autoptr (NnModel) exact = recurrent_net (op, &fine, &fine, kinds[i].after);
      g_autoptr (NnModel) stuck = recurrent_net (op, &tiny, NULL, kinds[i].after);
      NnTensor **a = nn_gradients (plain, x, y, &options, NULL, &error), **b = nn_gradients (exact, x, y, &options, NULL, &error);
      NnTensor **none = nn_gradients (stuck, x, y, &options, NULL, &error);
      double passed = 0, free = 0;

      g_assert_no_error (error);
      assert_same_forward (gates, x);
      assert_same_forward (both, x);
      for (guint id = 0; id < nn_model_n_weights (plain); id++)
        for (gsize k = 0; k < a[id]->n; k++)
          g_assert_cmpfloat_with_epsilon (nn_tensor_get (a[id], k), nn_tensor_get (b[id], k), 1e-5);
      for (gsize k = 0; k < none[0]->n; k++)
        {
          passed += fabs (nn_tensor_get (none[0], k));
          free += fabs (nn_tensor_get (a[0], k));
        }
      g_assert_cmpfloat (passed, <, 0.05 * free);
      free_tensors (a, nn_model_n_weights (plain));
      free_tensors (b, nn_model_n_weights (plain));
      free_tensors (none, nn_model_n_weights (plain));
    }
}

static NnDataset *
two_clouds (void)
{
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (1200, 16), 11);
  g_autoptr (NnTensor) y = random_classes (1200, 5, 12);
  g_autoptr (GError) error = NULL;
  NnDataOptions options;
  NnDataset *data;

  for (gsize i = 0; i < 1200; i++)
    for (gsize c = 0; c < 5; c++)
      if (nn_tensor_f32 (y)[i * 5 + c] > 0)
        for (gsize k = 0; k < 3; k++)
          nn_tensor_f32 (x)[i * 16 + c * 3 + k] += 2;
  nn_data_options_init (&options);
  data = nn_dataset_new (x, y, NULL, &options, &error);
  g_assert_no_error (error);
  return data;
}

/* Training that reckons with narrow types does better at those types than training that does not. */
static void
test_user_types (void)
{
  g_autoptr (NnDataset) data = two_clouds ();
  g_autoptr (NnModel) model = net_jets (1, FALSE);
  const NnType narrow = grid (3, 1, TRUE, NN_ROUND_RND_CONV), result = grid (4, 2, FALSE, NN_ROUND_RND_CONV);
  const char *dense[] = { "layer_1", "layer_3", "layer_5", "layer_7" }, *relus[] = { "layer_2", "layer_4", "layer_6" };
  NnTrainType types[7];
  NnTrainOptions options;
  g_autoptr (NnTrainResult) plain = NULL, aware = NULL, judged = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 4; i++)
    types[i] = (NnTrainType) { dense[i], NN_ROLE_KERNEL, narrow };
  for (guint i = 0; i < 3; i++)
    types[4 + i] = (NnTrainType) { relus[i], NN_TRAIN_RESULT, result };
  nn_train_options_init (&options);
  options.epochs = 12;
  options.learning_rate = 3e-3;
  g_assert_true (nn_train (model, data, &options, NULL, NULL, &plain, &error));
  options.types = types;
  options.n_types = G_N_ELEMENTS (types);
  g_assert_true (nn_train (model, data, &options, NULL, NULL, &aware, &error));
  /* the first network at the narrow types: one epoch with a vanishing step */
  options.epochs = 1;
  options.learning_rate = 1e-12;
  g_assert_true (nn_train (plain->model, data, &options, NULL, NULL, &judged, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (g_array_index (aware->epochs, NnEpoch, 11).val_loss, <,
                     g_array_index (judged->epochs, NnEpoch, 0).val_loss);
  g_assert_cmpfloat (g_array_index (aware->epochs, NnEpoch, 11).val_accuracy, >, 0.8);
}

/* Real quantised networks. */
static void
test_models (void)
{
  static const char *const paths[] = { "models/qkeras/jets_model3_qkeras.kv211.h5", "models/keras_h5/breast_cancer_qkeras.h5",
                                       "models/keras_h5/jets_qcnn1d.kv24.h5", "models/keras_h5/har_qkeras_561in.h5",
                                       "models/attention/btag_mha.h5",
                                       "models/qkeras/qgru_btag.h5",
                                       /* with folded batch norms */
                                       "models/qkeras/lenet5_qkeras_8_4.keras", "models/qkeras/mnist_cnn_qkeras_6bit.keras",
                                       "models/keras_h5/cifar_rn06_qkeras.h5" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *path = test_shared_path (paths[i]);
      g_autoptr (NnModel) model = NULL;
      g_autoptr (NnTensor) x = NULL;
      g_autoptr (GError) error = NULL;
      NnLoadOptions options;
      NnShape shape = { 0 };
      const NnGraph *graph;
      guint n;

      if (path == NULL)
        continue;
      nn_load_options_init (&options);
      model = nn_model_load (path, &options, NULL, NULL, &error);
      g_assert_no_error (error);
      graph = nn_model_graph (model);
      shape = nn_graph_node (graph, nn_graph_inputs (graph, &n)[0])->shape;
      for (guint d = shape.rank; d > 0; d--)
        shape.dims[d] = shape.dims[d - 1];
      shape.dims[0] = 20;
      shape.rank++;
      x = random_tensor (&shape, 1);
      assert_same_forward (model, x);
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/quant/forward", test_forward);
  g_test_add_func ("/train/quant/straight-through", test_straight_through);
  g_test_add_func ("/train/quant/results", test_results);
  g_test_add_func ("/train/quant/recurrent", test_recurrent);
  g_test_add_func ("/train/quant/user-types", test_user_types);
  g_test_add_func ("/train/quant/models", test_models);
  return g_test_run ();
}
