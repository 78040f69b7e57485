/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's attention, Einstein sums and recurrent cells: each computes what its source says, here written out once more. */

#include "test-keras-zip.h"

#include "nn-fixed-exec.h"
#include "nn-load.h"

/* Sizes of the attention: steps, features, heads, width of query and key, of value, outputs; steps after Linformer. */
enum { T = 3, F = 2, N = 2, K = 2, V = 3, O = 2, S = 2 };

/* Numbers that lie on no grid. */
static float
number (guint seed,
        gsize i)
{
  return (float) (0.8 * sin (1.7 * seed + 0.9 * (double) i));
}

/* In float, and in fixed point: between two quantisers hardware loses nothing. */
static void
check (NnModel       *model,
       const float   *x,
       const NnShape *shape,
       const double  *want,
       gsize          n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = nn_config_parse ("{\"granularity\": \"name\"}", &error);
  g_autoptr (NnDesign) design = config != NULL ? nn_design_new (model, config, &error) : NULL;
  NnTensor *inputs[3] = { NULL }, **outputs;
  guint n_inputs;

  g_assert_no_error (error);
  nn_graph_inputs (nn_model_graph (model), &n_inputs);
  for (guint i = 0; i < n_inputs; i++)
    {
      inputs[i] = nn_tensor_new (NN_DTYPE_F32, shape);
      memcpy (inputs[i]->data, x + i * inputs[i]->n, inputs[i]->n * sizeof (float));
    }
  outputs = nn_fixed_predict (design, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_get (outputs[0], i), want[i], 1e-6);
  nn_tensors_free (outputs);
  for (guint i = 0; i < n_inputs; i++)
    nn_tensor_unref (inputs[i]);
  compare (model, x, shape, want, n);
}

static void
put_numbers (NnH5          *h5,
             const char    *layer,
             const char    *place,
             guint          seed,
             const NnShape *shape)
{
  g_autofree char *path = g_strdup_printf ("layers/%s/%s", layer, place);
  g_autofree float *values = g_new (float, nn_shape_count (shape) + 1);

  for (gsize i = 0; i < nn_shape_count (shape); i++)
    values[i] = number (seed, i);
  put_shaped (h5, path, values, shape);
}

static void
put_quantizers (NnH5       *h5,
                const char *layer,
                const char *part,
                const char *list)
{
  g_auto (GStrv) names = g_strsplit (list, " ", -1);

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *group = g_strdup_printf ("layers/%s/%s%s/quantizer", layer, part, names[i]);

      put_kif (h5, group);
    }
}

/* beta and ebops, numbers of the layer's own. */
static void
put_costs (NnH5       *h5,
           const char *layer,
           const char *part,
           guint       first)
{
  static const float beta = 1e-6f, ebops = 12;
  g_autofree char *a = g_strdup_printf ("layers/%s/%svars/%u", layer, part, first), *b = g_strdup_printf ("layers/%s/%svars/%u", layer, part, first + 1);

  put (h5, a, &beta, 0);
  put (h5, b, &ebops, 0);
}

static const char *attention_layer = "q_multi_head_attention";
/* one input quantiser for key, query and value, which Keras writes below the first of them */
static gboolean fused;

static void
fill_attention (NnH5 *h5)
{
  const char *layer = attention_layer;

  put_numbers (h5, layer, "query_dense/vars/0", 1, &NN_SHAPE (F, N, K));
  put_numbers (h5, layer, "query_dense/vars/1", 2, &NN_SHAPE (N, K));
  put_costs (h5, layer, "query_dense/", 2);
  put_quantizers (h5, layer, "query_dense/", fused ? "kq bq oq" : "iq kq bq oq");
  put_numbers (h5, layer, "key_dense/vars/0", 3, &NN_SHAPE (F, N, K));
  put_costs (h5, layer, "key_dense/", 1);
  put_quantizers (h5, layer, "key_dense/", "iq kq oq");
  put_numbers (h5, layer, "value_dense/vars/0", 4, &NN_SHAPE (F, N, V));
  put_numbers (h5, layer, "value_dense/vars/1", 5, &NN_SHAPE (N, V));
  put_quantizers (h5, layer, "value_dense/", fused ? "kq bq oq" : "iq kq bq oq");
  put_numbers (h5, layer, "output_dense/vars/0", 6, &NN_SHAPE (N, V, O));
  put_numbers (h5, layer, "output_dense/vars/1", 7, &NN_SHAPE (O));
  put_quantizers (h5, layer, "output_dense/", "iq kq bq");
  put_quantizers (h5, layer, "_softmax/", "iq exp_table/iq exp_table/oq inv_table/iq inv_table/oq oq");
  put_costs (h5, layer, "", 0);
}

static void
fill_linformer (NnH5 *h5)
{
  put_numbers (h5, "q_linformer_attention", "_lin_k_proj/vars/0", 8, &NN_SHAPE (T, S));
  put_quantizers (h5, "q_linformer_attention", "_lin_k_proj/", "iq kq");
  put_numbers (h5, "q_linformer_attention", "_lin_v_proj/vars/0", 9, &NN_SHAPE (T, S));
  put_quantizers (h5, "q_linformer_attention", "_lin_v_proj/", "iq kq");
  fill_attention (h5);
}

#define ATTENTION                                                                                                               \
  ", \"num_heads\": 2, \"key_dim\": 2, \"value_dim\": 3, \"use_bias\": true, \"dropout\": 0.0, \"enable_iq\": true, \"enable_oq\": false, " \
  "\"qkvo_iq_conf\": " KIF ", \"qkvo_kq_conf\": " KIF ", \"qkvo_bq_conf\": " KIF ", \"qkvo_oq_conf\": " KIF                      \
  ", \"softmax_iq_conf\": " KIF ", \"softmax_exp_iq_conf\": " KIF ", \"softmax_exp_oq_conf\": " KIF ", \"softmax_inv_iq_conf\": " KIF \
  ", \"softmax_inv_oq_conf\": " KIF ", \"softmax_oq_conf\": " KIF ", \"stable_softmax\": true"

/* x (steps, F) by a kernel (F, n, m), the results rounded. */
static void
project (const double *x,
         guint         steps,
         guint         seed,
         gboolean      bias,
         guint         m,
         double       *y)
{
  for (guint t = 0; t < steps; t++)
    for (guint c = 0; c < N * m; c++)
      {
        double sum = bias ? quantized (number (seed + 1, c)) : 0;

        for (guint f = 0; f < F; f++)
          sum += quantized (x[t * F + f]) * quantized (number (seed, f * N * m + c));
        y[t * N * m + c] = quantized (sum);
      }
}

/* exp and inverse by tables of rounded values. */
static void
soft_maximum (double *scores,
              guint   n,
              double  scaler)
{
  double max = -1e9, sum = 0, inverse;

  for (guint i = 0; i < n; i++)
    max = MAX (max, quantized (scores[i]));
  for (guint i = 0; i < n; i++)
    sum += scores[i] = quantized (exp (-quantized (max - quantized (scores[i])) * scaler));
  inverse = quantized (1 / (quantized (sum) + 1e-7));
  for (guint i = 0; i < n; i++)
    scores[i] = quantized (scores[i] * inverse);
}

static void
attend (const double *x,
        const double *k_in,
        const double *v_in,
        guint         steps,
        double       *want)
{
  double q[T * N * K], k[T * N * K], v[T * N * V], context[T * N * V] = { 0 };

  project (x, T, 1, TRUE, K, q);
  project (k_in, steps, 3, FALSE, K, k);
  project (v_in, steps, 4, TRUE, V, v);
  for (guint t = 0; t < T; t++)
    for (guint h = 0; h < N; h++)
      {
        double scores[T] = { 0 };

        for (guint s = 0; s < steps; s++)
          for (guint d = 0; d < K; d++)
            scores[s] += q[(t * N + h) * K + d] * k[(s * N + h) * K + d];
        soft_maximum (scores, steps, 1 / sqrt (K));
        for (guint d = 0; d < V; d++)
          for (guint s = 0; s < steps; s++)
            context[(t * N + h) * V + d] += scores[s] * v[(s * N + h) * V + d];
      }
  for (guint t = 0; t < T; t++)
    for (guint o = 0; o < O; o++)
      {
        want[t * O + o] = quantized (number (7, o));
        for (guint c = 0; c < N * V; c++)
          want[t * O + o] += quantized (context[t * N * V + c]) * quantized (number (6, c * O + o));
      }
}

static const float x6[T * F] = { 0.3f, -1.07f, 1.9f, -0.6f, 0.06f, 0.79f };

static void
test_attention (void)
{
  double x[T * F], want[T * O];

  for (guint i = 0; i < T * F; i++)
    x[i] = x6[i];
  attend (x, x, x, T, want);
  attention_layer = "q_multi_head_attention";
  check (load_layer ("QMultiHeadAttention", ATTENTION, 1, "3, 2", fill_attention), x6, &NN_SHAPE (1, T, F), want, T * O);
  fused = TRUE;
  check (load_layer ("QMultiHeadAttention", ATTENTION ", \"fuse\": \"qkv\"", 1, "3, 2", fill_attention), x6, &NN_SHAPE (1, T, F), want, T * O);
  fused = FALSE;
}

static void
shorten (const double *x,
         guint         seed,
         double       *y)
{
  for (guint s = 0; s < S; s++)
    for (guint f = 0; f < F; f++)
      {
        y[s * F + f] = 0;
        for (guint t = 0; t < T; t++)
          y[s * F + f] += quantized (x[t * F + f]) * quantized (number (seed, t * S + s));
      }
}

static void
test_linformer (void)
{
  double x[T * F], k[S * F], v[S * F], want[T * O];

  for (guint i = 0; i < T * F; i++)
    x[i] = x6[i];
  shorten (x, 8, k);
  shorten (x, 9, v);
  attend (x, k, v, S, want);
  attention_layer = "q_linformer_attention";
  check (load_layer ("QLinformerAttention", ATTENTION ", \"lin_kv_proj_dim\": [2], \"share_kv_proj\": false", 1, "3, 2", fill_linformer), x6,
           &NN_SHAPE (1, T, F), want, T * O);
}

static void
fill_einsum (NnH5 *h5)
{
  put_quantizers (h5, "q_einsum", "iq/quantizers/", "quantizer quantizer_1");
  put_quantizers (h5, "q_einsum", "", "oq");
}

/* Every step's product with itself's neighbour: of two inputs (T, F), both rounded, the result too. */
static void
test_einsum (void)
{
  float x[2 * T * F];
  double want[T * T] = { 0 };

  for (guint i = 0; i < 2 * T * F; i++)
    x[i] = 2 * number (20, i);
  for (guint a = 0; a < T; a++)
    for (guint b = 0; b < T; b++)
      {
        for (guint f = 0; f < F; f++)
          want[a * T + b] += quantized (x[a * F + f]) * quantized (x[T * F + b * F + f]);
        want[a * T + b] = quantized (want[a * T + b]);
      }
  check (load_layer ("QEinsum", ", \"equation\": \"abc,adc->abd\", \"enable_iq\": true, \"enable_oq\": true, \"iq_confs\": [" KIF ", " KIF
                                  "], \"oq_conf\": " KIF,
                       2, "3, 2", fill_einsum),
           x, &NN_SHAPE (1, T, F), want, T * T);
}

static void
fill_einsum_norm (NnH5 *h5)
{
  const char *layer = "q_einsum_dense_batchnorm";
  float variance[O];

  for (guint o = 0; o < O; o++)
    variance[o] = 0.4f + fabsf (number (14, o));
  put_numbers (h5, layer, "vars/0", 10, &NN_SHAPE (F, O));
  put_numbers (h5, layer, "vars/1", 11, &NN_SHAPE (O));
  put_numbers (h5, layer, "vars/2", 12, &NN_SHAPE (O));
  put_costs (h5, layer, "", 3);
  put_numbers (h5, layer, "vars/5", 13, &NN_SHAPE (O));
  put (h5, "layers/q_einsum_dense_batchnorm/vars/6", variance, O);
  put_quantizers (h5, layer, "", "iq kq bq");
}

static void
test_einsum_norm (void)
{
  double want[T * O];

  for (guint t = 0; t < T; t++)
    for (guint o = 0; o < O; o++)
      {
        double factor = number (12, o) / sqrt (0.4f + fabsf (number (14, o)) + 1e-7), *sum = &want[t * O + o];

        *sum = quantized (number (11, o) - number (13, o) * factor);
        for (guint f = 0; f < F; f++)
          *sum += quantized (x6[t * F + f]) * quantized (number (10, f * O + o) * factor);
        *sum = MAX (*sum, 0);
      }
  check (load_layer ("QEinsumDenseBatchnorm",
                       ", \"equation\": \"abc,cd->abd\", \"output_shape\": [3, 2], \"bias_axes\": \"d\", \"normalize_axes\": \"d\", "
                       "\"activation\": \"relu\", \"epsilon\": 0.001, \"enable_ebops\": true, \"iq_conf\": " KIF ", \"kq_conf\": " KIF
                       ", \"bq_conf\": " KIF,
                       1, "3, 2", fill_einsum_norm),
           x6, &NN_SHAPE (1, T, F), want, T * O);
}

enum { U = 2 };

static void
fill_simple (NnH5 *h5)
{
  put_numbers (h5, "q_simple_rnn", "cell/vars/0", 30, &NN_SHAPE (F, U));
  put_numbers (h5, "q_simple_rnn", "cell/vars/1", 31, &NN_SHAPE (U, U));
  put_numbers (h5, "q_simple_rnn", "cell/vars/2", 32, &NN_SHAPE (U));
  put_quantizers (h5, "q_simple_rnn", "cell/", "iq sq kq rkq bq paq");
}

#define SIMPLE                                                                                                                 \
  ", \"units\": 2, \"use_bias\": true, \"return_sequences\": true, \"enable_iq\": true, \"enable_oq\": false, \"iq_conf\": " KIF \
  ", \"sq_conf\": " KIF ", \"kq_conf\": " KIF ", \"rkq_conf\": " KIF ", \"bq_conf\": " KIF ", \"paq_conf\": " KIF

/* The sum is rounded before the activation, the state before its kernel. */
static void
test_simple (void)
{
  double want[T * U], h[U] = { 0 };

  for (guint t = 0; t < T; t++)
    {
      double sum[U];

      for (guint u = 0; u < U; u++)
        {
          sum[u] = quantized (number (32, u));
          for (guint f = 0; f < F; f++)
            sum[u] += quantized (x6[t * F + f]) * quantized (number (30, f * U + u));
          for (guint k = 0; k < U; k++)
            sum[u] += quantized (h[k]) * quantized (number (31, k * U + u));
        }
      for (guint u = 0; u < U; u++)
        want[t * U + u] = h[u] = tanh (quantized (sum[u]));
    }
  compare (load_layer ("QSimpleRNN", SIMPLE ", \"activation\": \"tanh\"", 1, "3, 2", fill_simple), x6, &NN_SHAPE (1, T, F), want, T * U);
}

/* Rounded to 1/8 between -2 and 2: with the line 1/4 x + 1/2 a hard sigmoid. */
static double
gate (double x)
{
  return 0.25 * CLAMP (floor (x * 8 + 0.5) / 8, -2, 2 - 0.125) + 0.5;
}

static gboolean after;

static void
fill_gru (NnH5 *h5)
{
  static const float numbers[] = { 1, 3, 1 };

  put_numbers (h5, "qgru", "cell/vars/0", 40, &NN_SHAPE (F, 3 * U));
  put_numbers (h5, "qgru", "cell/vars/1", 41, &NN_SHAPE (U, 3 * U));
  if (after)
    put_numbers (h5, "qgru", "cell/vars/2", 42, &NN_SHAPE (2, 3 * U));
  else
    put_numbers (h5, "qgru", "cell/vars/2", 42, &NN_SHAPE (3 * U));
  put_quantizers (h5, "qgru", "cell/", "iq sq kq rkq bq paq rhq");
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *path = g_strdup_printf ("cell/praq/quantizer/vars/%u", i), *full = g_strconcat ("layers/qgru/", path, NULL);
      float both[2 * U];

      for (guint u = 0; u < 2 * U; u++)
        both[u] = numbers[i];
      put_shaped (h5, full, both, &NN_SHAPE (1, 2 * U));
    }
}

#define SIGMOID "{\"class_name\": \"HardSigmoidConfig\", \"config\": {\"q_type\": \"kif\", \"round_mode\": \"RND\"}}"
#define GRU                                                                                                                      \
  ", \"units\": 2, \"use_bias\": true, \"activation\": \"linear\", \"recurrent_activation\": \"linear\", \"enable_iq\": true, "  \
  "\"iq_conf\": " KIF ", \"sq_conf\": " KIF ", \"kq_conf\": " KIF ", \"rkq_conf\": " KIF ", \"bq_conf\": " KIF ", \"paq_conf\": " KIF \
  ", \"rhq_conf\": " KIF ", \"praq_conf\": " SIGMOID

static void
gru_step (const float *x,
          double      *h)
{
  double sum[3 * U], inner[3 * U], qh[U], r[U];

  for (guint u = 0; u < U; u++)
    qh[u] = quantized (h[u]);
  for (guint c = 0; c < 3 * U; c++)
    {
      sum[c] = quantized (number (42, c));
      inner[c] = after ? quantized (number (42, 3 * U + c)) : 0;
      for (guint f = 0; f < F; f++)
        sum[c] += quantized (x[f]) * quantized (number (40, f * 3 * U + c));
      for (guint k = 0; k < U; k++)
        inner[c] += qh[k] * quantized (number (41, k * 3 * U + c));
    }
  for (guint u = 0; u < U; u++)
    r[u] = gate (sum[U + u] + inner[U + u]);
  for (guint u = 0; u < U; u++)
    {
      double z = gate (sum[u] + inner[u]), candidate = sum[2 * U + u];

      if (after)
        candidate += r[u] * quantized (inner[2 * U + u]);
      for (guint k = 0; !after && k < U; k++)
        candidate += quantized (r[k] * qh[k]) * quantized (number (41, k * 3 * U + 2 * U + u));
      h[u] = z * qh[u] + (1 - z) * quantized (candidate);
    }
}

static void
test_gru (void)
{
  for (guint k = 0; k < 2; k++)
    {
      double h[U] = { 0 };

      after = k == 0;
      for (guint t = 0; t < T; t++)
        gru_step (x6 + t * F, h);
      check (load_layer ("QGRU", after ? GRU ", \"reset_after\": true" : GRU ", \"reset_after\": false", 1, "3, 2", fill_gru), x6,
               &NN_SHAPE (1, T, F), h, U);
    }
}

/* Vertices, and what two GarNet layers of a stack have: features, aggregators, filters. */
enum { VERTICES = 5, REAL = 3, FEATURES = 2, STACKED = 2, PROPAGATED = 2, AGGREGATORS = 3, FILTERS = 2 };

static double
ternary (double x)
{
  return x >= 0.5 ? 1 : x <= -0.5 ? -1 : 0;
}

static void
fill_stack (NnH5 *h5)
{
  for (guint k = 0; k < STACKED; k++)
    {
      const NnShape shapes[] = { NN_SHAPE (FEATURES, PROPAGATED), NN_SHAPE (PROPAGATED), NN_SHAPE (FEATURES, AGGREGATORS),
                                 NN_SHAPE (AGGREGATORS), NN_SHAPE (AGGREGATORS * PROPAGATED, FILTERS), NN_SHAPE (FILTERS) };

      for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
        {
          g_autofree char *place = g_strdup_printf ("vars/%u", 6 * k + i);

          put_numbers (h5, "gar_net_stack", place, 60 + 6 * k + i, &shapes[i]);
        }
    }
}

/* One layer, its features' and output's kernels ternary. @x: (VERTICES, FEATURES); becomes (VERTICES, FILTERS) */
static void
garnet_layer (double *x,
              guint   seed)
{
  double features[VERTICES][PROPAGATED], edges[VERTICES][AGGREGATORS], means[AGGREGATORS][PROPAGATED] = { 0 };

  for (guint v = 0; v < VERTICES; v++)
    {
      for (guint p = 0; p < PROPAGATED; p++)
        {
          features[v][p] = ternary (number (seed + 1, p));
          for (guint f = 0; f < FEATURES; f++)
            features[v][p] += x[v * FEATURES + f] * ternary (number (seed, f * PROPAGATED + p));
        }
      for (guint a = 0; a < AGGREGATORS; a++)
        {
          double distance = number (seed + 3, a);

          for (guint f = 0; f < FEATURES; f++)
            distance += x[v * FEATURES + f] * number (seed + 2, f * AGGREGATORS + a);
          edges[v][a] = v < REAL ? exp (-distance * distance) : 0;
        }
      for (guint a = 0; a < AGGREGATORS; a++)
        for (guint p = 0; p < PROPAGATED; p++)
          means[a][p] += edges[v][a] * features[v][p] / VERTICES;
    }
  for (guint v = 0; v < VERTICES; v++)
    for (guint o = 0; o < FILTERS; o++)
      {
        double sum = number (seed + 5, o);

        for (guint a = 0; a < AGGREGATORS; a++)
          for (guint p = 0; p < PROPAGATED; p++)
            sum += edges[v][a] * means[a][p] * ternary (number (seed + 4, (a * PROPAGATED + p) * FILTERS + o));
        x[v * FILTERS + o] = v < REAL ? sum : 0;
      }
}

static NnTensor **
predict_stack (NnModel *model)
{
  NnTensor *inputs[3] = { nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, VERTICES, FEATURES)), nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (1, 1)), NULL };
  g_autoptr (GError) error = NULL;
  NnTensor **outputs;

  for (gsize i = 0; i < inputs[0]->n; i++)
    nn_tensor_f32 (inputs[0])[i] = number (50, i);
  nn_tensor_f32 (inputs[1])[0] = REAL;
  outputs = nn_predict (model, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  nn_tensor_unref (inputs[0]);
  nn_tensor_unref (inputs[1]);
  return outputs;
}

/* Layer after layer, the last one's vertices averaged; what the file leaves open is told; saved, it is the same again. */
static void
test_garnet_stack (void)
{
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "stack.h5", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL, again = NULL;
  double x[VERTICES * FEATURES];
  NnTensor **outputs, **more;
  guint i;

  package = "Custom";
  model = load_layer ("GarNetStack",
                      ", \"n_sublayers\": 2, \"n_aggregators\": [3, 3], \"n_filters\": [2, 2], \"n_propagate\": [2, 2], \"simplified\": true, "
                      "\"collapse\": \"mean\", \"input_format\": \"xn\", \"output_activation\": null, \"mean_by_nvert\": false, "
                      "\"quantize_transforms\": true",
                      2, "5, 2|1", fill_stack);
  package = "hgq";
  g_assert_true (nn_graph_find (nn_model_graph (model), "q", &i));
  g_assert_nonnull (strstr (nn_graph_node (nn_model_graph (model), i)->reason, "quantize_transforms"));
  for (guint k = 0; k < VERTICES * FEATURES; k++)
    x[k] = number (50, k);
  garnet_layer (x, 60);
  garnet_layer (x, 66);
  outputs = predict_stack (model);
  for (guint o = 0; o < FILTERS; o++)
    {
      double want = 0;

      for (guint v = 0; v < VERTICES; v++)
        want += x[v * FILTERS + o] / VERTICES;
      g_assert_cmpfloat_with_epsilon (nn_tensor_get (outputs[0], o), want, 1e-6);
    }
  g_assert_true (nn_model_save (model, path, &error));
  again = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  more = predict_stack (again);
  for (guint o = 0; o < FILTERS; o++)
    g_assert_cmpfloat (nn_tensor_get (outputs[0], o), ==, nn_tensor_get (more[0], o));
  nn_tensors_free (outputs);
  nn_tensors_free (more);
  g_unlink (path);
  g_rmdir (folder);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/load/hgq2/attention", test_attention);
  g_test_add_func ("/load/hgq2/linformer", test_linformer);
  g_test_add_func ("/load/hgq2/einsum", test_einsum);
  g_test_add_func ("/load/hgq2/einsum-norm", test_einsum_norm);
  g_test_add_func ("/load/hgq2/simple-rnn", test_simple);
  g_test_add_func ("/load/hgq2/gru", test_gru);
  g_test_add_func ("/load/garnet/stack", test_garnet_stack);
  return g_test_run ();
}
