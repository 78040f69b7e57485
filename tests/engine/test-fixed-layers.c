/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixed: layers that become others on their way to hardware: with wide types the answers are those of float inference. */

#include "nn-einsum.h"
#include "nn-exec.h"
#include "nn-fixed-exec.h"
#include "nn-rng.h"

#include <math.h>
#include <string.h>

#define MAX_WEIGHTS 16
#define N_SAMPLES 5
#define WIDE "{\"Model\":{\"Precision\":\"fixed<48,20>\"}}"

/* Its tables address the top bits of their inputs: few bits, so that ten of them say much. */
#define FINE_SOFTMAX(name)                                                                                            \
  "{\"Model\":{\"Precision\":\"fixed<16,5>\"},\"LayerName\":{\"" name "\":{\"TableSize\":16384,\"Precision\":{"                   \
  "\"accum\":\"fixed<18,4>\",\"inv_inp\":\"fixed<18,4,RND,SAT>\",\"exp_table\":\"fixed<18,4,RND,SAT>\","                       \
  "\"inv_table\":\"fixed<18,4,RND,SAT>\"}}}}"

typedef struct {
  NnGraphBuilder *builder;
  NnWeight        weights[MAX_WEIGHTS];
  guint           n_weights, own[MAX_WEIGHTS], n_own;
  NnRng           rng;
} Net;

static void
net_begin (Net     *net,
           NnShape  shape)
{
  memset (net, 0, sizeof *net);
  net->builder = nn_graph_builder_new ();
  nn_rng_init (&net->rng, 11);
  nn_graph_builder_add (net->builder, NN_OP_INPUT, "x", "InputLayer", NULL, 0)->shape = shape;
}

static NnNode *
net_add (Net        *net,
         NnOp        op,
         const char *name)
{
  guint input = nn_graph_builder_n_nodes (net->builder) - 1;
  NnNode *node = nn_graph_builder_add (net->builder, op, name, nn_op_info (op)->name, &input, 1);

  net->n_own = 0;
  node->attrs.axis = -1;
  node->attrs.groups = 1;
  for (guint k = 0; k < 2; k++)
    node->attrs.kernel[k] = node->attrs.stride[k] = node->attrs.dilation[k] = 1;
  return node;
}

static NnTensor *
net_weight (Net        *net,
            NnNode     *node,
            const char *name,
            NnRole      role,
            NnShape     shape)
{
  NnTensor *values = nn_tensor_new (NN_DTYPE_F32, &shape);

  g_assert (net->n_weights < MAX_WEIGHTS);
  for (gsize i = 0; i < values->n; i++)
    nn_tensor_f32 (values)[i] = (float) (0.5 * nn_rng_normal (&net->rng));
  net->weights[net->n_weights] = (NnWeight){ .name = name, .layer = node->name, .role = role, .trainable = TRUE, .values = values };
  net->own[net->n_own++] = net->n_weights++;
  nn_graph_builder_weights (net->builder, node, net->own, net->n_own);
  return values;
}

static NnModel *
net_end (Net *net)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = NULL;
  NnModel *model;

  nn_graph_builder_output (net->builder, nn_graph_builder_n_nodes (net->builder) - 1);
  graph = nn_graph_builder_seal (net->builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, net->weights, net->n_weights, &(NnModelInfo){ .name = "test", .format = "test" }, &error);
  g_assert_no_error (error);
  nn_graph_builder_free (net->builder);
  for (guint i = 0; i < net->n_weights; i++)
    nn_tensor_unref (net->weights[i].values);
  return model;
}

static NnTensor **
fixed_answers (const NnModel *model,
               const char    *json,
               NnTensor     **inputs)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = nn_config_parse (json, &error);
  g_autoptr (NnDesign) design = NULL;
  NnTensor **outputs;

  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  outputs = nn_fixed_predict (design, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return outputs;
}

/* Largest difference between float and fixed point; takes the model. */
static double
largest_difference (NnModel    *owned,
                    const char *json,
                    double      count)
{
  g_autoptr (NnModel) model = owned;
  g_autoptr (GError) error = NULL;
  const NnGraph *graph = nn_model_graph (model);
  guint n;
  const guint *nodes = nn_graph_inputs (graph, &n);
  NnTensor *inputs[3] = { NULL }, **wanted, **have;
  double largest = 0;
  NnRng rng;

  nn_rng_init (&rng, 3);
  for (guint k = 0; k < n; k++)
    {
      NnShape shape = nn_einsum_batched (&nn_graph_node (graph, nodes[k])->shape);

      shape.dims[0] = N_SAMPLES;
      inputs[k] = nn_tensor_new (NN_DTYPE_F64, &shape);
      for (gsize i = 0; i < inputs[k]->n; i++)
        nn_tensor_f64 (inputs[k])[i] = k == 1 && count > 0 ? count : round (256 * nn_rng_normal (&rng)) / 256;
    }
  wanted = nn_predict (model, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  have = fixed_answers (model, json, inputs);
  g_assert_cmpuint (wanted[0]->n, ==, have[0]->n);
  for (gsize i = 0; i < wanted[0]->n; i++)
    largest = MAX (largest, fabs (nn_tensor_get (wanted[0], i) - nn_tensor_get (have[0], i)));
  for (guint k = 0; k < n; k++)
    nn_tensor_unref (inputs[k]);
  nn_tensors_free (wanted);
  nn_tensors_free (have);
  return largest;
}

static void
test_einsum_dense (void)
{
  static const struct { const char *equation; NnShape kernel, bias, out; } cases[] = {
    { "abc,cd->abd", { 2, { 4, 5 } }, { 1, { 5 } }, { 2, { 3, 5 } } },
    { "abc,cde->abde", { 3, { 4, 2, 3 } }, { 2, { 2, 3 } }, { 3, { 3, 2, 3 } } },
    { "abc,cd->adb", { 2, { 4, 5 } }, { 2, { 5, 1 } }, { 2, { 5, 3 } } },
    { "abc,bcd->abd", { 3, { 3, 4, 5 } }, { 2, { 3, 5 } }, { 2, { 3, 5 } } },
    { "abc,bcd->ad", { 3, { 3, 4, 2 } }, { 1, { 2 } }, { 1, { 2 } } },
    { "...c,dc->...d", { 2, { 5, 4 } }, { 1, { 5 } }, { 2, { 3, 5 } } },
  };

  for (guint k = 0; k < G_N_ELEMENTS (cases); k++)
    {
      Net net;
      NnNode *node;

      net_begin (&net, NN_SHAPE (3, 4));
      node = net_add (&net, NN_OP_EINSUM_DENSE, "sum");
      node->attrs.equation = cases[k].equation;
      node->attrs.act = NN_ACT_RELU;
      node->attrs.use_bias = TRUE;
      node->shape = cases[k].out;
      net_weight (&net, node, "kernel", NN_ROLE_KERNEL, cases[k].kernel);
      net_weight (&net, node, "bias", NN_ROLE_BIAS, cases[k].bias);
      g_assert_cmpfloat (largest_difference (net_end (&net), WIDE, 0), <, 1e-6);
    }
}

static void
test_attention (void)
{
  static const NnRole roles[] = { NN_ROLE_QUERY_KERNEL, NN_ROLE_KEY_KERNEL, NN_ROLE_VALUE_KERNEL };
  static const char *const names[] = { "query", "key", "value" };
  static const char *const bias_names[] = { "query_bias", "key_bias", "value_bias" };
  Net net;
  NnNode *node;

  net_begin (&net, NN_SHAPE (3, 4));
  node = net_add (&net, NN_OP_MULTI_HEAD_ATTENTION, "mha");
  node->attrs.n_heads = 2;
  node->attrs.key_dim = node->attrs.value_dim = 3;
  node->shape = NN_SHAPE (3, 4);
  for (guint k = 0; k < 3; k++)
    {
      net_weight (&net, node, names[k], roles[k], NN_SHAPE (4, 2, 3));
      net_weight (&net, node, bias_names[k], roles[k] + 1, NN_SHAPE (2, 3));
    }
  net_weight (&net, node, "output", NN_ROLE_OUTPUT_KERNEL, NN_SHAPE (2, 3, 4));
  net_weight (&net, node, "output_bias", NN_ROLE_OUTPUT_BIAS, NN_SHAPE (4));
  g_assert_cmpfloat (largest_difference (net_end (&net), FINE_SOFTMAX ("mha_softmax"), 0), <, 0.05);
}

static void
test_transposed (void)
{
  for (guint k = 0; k < 8; k++)
    {
      gboolean flat = k & 1;
      Net net;
      NnNode *node;

      net_begin (&net, flat ? NN_SHAPE (5, 2) : NN_SHAPE (3, 4, 2));
      node = net_add (&net, flat ? NN_OP_CONV1D_TRANSPOSE : NN_OP_CONV2D_TRANSPOSE, "up");
      node->attrs.units = 3;
      node->attrs.use_bias = TRUE;
      node->attrs.padding = k & 2 ? NN_PADDING_SAME : NN_PADDING_VALID;
      for (guint d = 0; d < 2; d++)
        {
          node->attrs.kernel[d] = 3;
          node->attrs.stride[d] = k & 4 ? 2 : 1;
        }
      net_weight (&net, node, "kernel", NN_ROLE_KERNEL, flat ? NN_SHAPE (3, 3, 2) : NN_SHAPE (3, 3, 3, 2));
      net_weight (&net, node, "bias", NN_ROLE_BIAS, NN_SHAPE (3));
      g_assert_cmpfloat (largest_difference (net_end (&net), WIDE, 0), <, 1e-6);
    }
}

static void
test_groups (void)
{
  Net net;
  NnNode *node;

  net_begin (&net, NN_SHAPE (4, 4, 6));
  node = net_add (&net, NN_OP_CONV2D, "grouped");
  node->attrs.units = 4;
  node->attrs.groups = 2;
  node->attrs.kernel[0] = node->attrs.kernel[1] = 2;
  net_weight (&net, node, "kernel", NN_ROLE_KERNEL, NN_SHAPE (2, 2, 3, 4));
  g_assert_cmpfloat (largest_difference (net_end (&net), WIDE, 0), <, 1e-6);
}

/* A batch norm that rounds what it is made of to powers of two, as QKeras's has it. */
static void
test_rounded_norm (void)
{
  static const struct {
    const char *name;
    NnRole      role;
    NnQuantKind kind;
  } parts[] = {
    { "gamma", NN_ROLE_GAMMA, NN_QUANT_POWER_RELU },
    { "beta", NN_ROLE_BETA, NN_QUANT_POWER },
    { "moving_mean", NN_ROLE_MEAN, NN_QUANT_POWER },
    { "moving_variance", NN_ROLE_VARIANCE, NN_QUANT_POWER_RELU },
  };
  NnNode *node;
  Net net;

  net_begin (&net, NN_SHAPE (6));
  node = net_add (&net, NN_OP_BATCH_NORM, "bn");
  node->attrs.epsilon = 1e-3;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      NnQuantizer q = { .kind = parts[i].kind, .quadratic = parts[i].role == NN_ROLE_VARIANCE,
                        .type = { .kind = NN_TYPE_POWER, .width = 6, .integer = 6, .is_signed = parts[i].kind == NN_QUANT_POWER } };
      NnTensor *values = net_weight (&net, node, parts[i].name, parts[i].role, NN_SHAPE (6));

      node->attrs.role_quantizer[parts[i].role] = nn_graph_builder_quantizer (net.builder, &q);
      for (gsize k = 0; k < values->n && parts[i].kind == NN_QUANT_POWER_RELU; k++)
        nn_tensor_f32 (values)[k] = fabsf (nn_tensor_f32 (values)[k]) + 0.3f;
    }
  g_assert_cmpfloat (largest_difference (net_end (&net), WIDE, 0), <, 1e-4);
}

static void
test_garnet (void)
{
  for (guint k = 0; k < 8; k++)
    {
      gboolean simplified = k & 1;
      guint inputs[2] = { 0, 1 };
      gint64 carried = simplified ? 2 : 5, aggregated = simplified ? 2 : 10, row = 3 * aggregated + (simplified ? 0 : 4 + 3);
      NnGarnet garnet = { .n_aggregators = 3, .n_filters = 2, .n_propagate = 2, .simplified = simplified, .mean_by_nvert = k & 2,
                          .collapse = k & 4 ? NN_COLLAPSE_MEAN : NN_COLLAPSE_NONE, .part = "" };
      Net net;
      NnNode *node;

      g_assert_cmpint (carried, >, 0);
      net_begin (&net, NN_SHAPE (6, 4));
      nn_graph_builder_add (net.builder, NN_OP_INPUT, "n", "InputLayer", NULL, 0)->shape = NN_SHAPE (1);
      node = nn_graph_builder_add (net.builder, NN_OP_GARNET, "gar", "GarNet", inputs, 2);
      node->attrs.extra = nn_graph_builder_alloc (net.builder, sizeof garnet);
      memcpy (node->attrs.extra, &garnet, sizeof garnet);
      node->shape = garnet.collapse == NN_COLLAPSE_NONE ? NN_SHAPE (6, 2) : NN_SHAPE (2);
      net_weight (&net, node, "FLR_kernel", NN_ROLE_OTHER, NN_SHAPE (4, 2));
      net_weight (&net, node, "FLR_bias", NN_ROLE_OTHER, NN_SHAPE (2));
      net_weight (&net, node, "S_kernel", NN_ROLE_OTHER, NN_SHAPE (4, 3));
      net_weight (&net, node, "S_bias", NN_ROLE_OTHER, NN_SHAPE (3));
      net_weight (&net, node, "Fout_kernel", NN_ROLE_OTHER, NN_SHAPE (row, 2));
      net_weight (&net, node, "Fout_bias", NN_ROLE_OTHER, NN_SHAPE (2));
      /* the exponential is a table */
      g_assert_cmpfloat (largest_difference (net_end (&net), "{\"Model\":{\"Precision\":\"fixed<32,12>\"}}", 4), <, 0.15);
    }
}

static void
test_gru_before (void)
{
  for (guint after = 0; after < 2; after++)
    {
      Net net;
      NnNode *node;

      net_begin (&net, NN_SHAPE (4, 3));
      node = net_add (&net, NN_OP_GRU, "gru");
      node->attrs.units = 3;
      node->attrs.use_bias = TRUE;
      node->attrs.act = NN_ACT_TANH;
      node->attrs.recurrent_act = NN_ACT_SIGMOID;
      node->attrs.reset_after = after;
      net_weight (&net, node, "kernel", NN_ROLE_KERNEL, NN_SHAPE (3, 9));
      net_weight (&net, node, "recurrent", NN_ROLE_RECURRENT_KERNEL, NN_SHAPE (3, 9));
      net_weight (&net, node, "bias", NN_ROLE_BIAS, after ? NN_SHAPE (2, 9) : NN_SHAPE (9));
      g_assert_cmpfloat (largest_difference (net_end (&net), "{\"Model\":{\"Precision\":\"fixed<32,12>\"}}", 0), <, 0.05);
    }
}

static void
test_softmax_axis (void)
{
  Net net;

  net_begin (&net, NN_SHAPE (3, 4));
  net_add (&net, NN_OP_ACTIVATION, "soft")->attrs.act = NN_ACT_SOFTMAX;
  nn_graph_builder_node (net.builder, 1)->attrs.axis = 0;
  nn_graph_builder_node (net.builder, 1)->class_name = "Softmax";
  g_assert_cmpfloat (largest_difference (net_end (&net), FINE_SOFTMAX ("soft"), 0), <, 0.02);
}

static void
test_three (void)
{
  static const NnOp ops[] = { NN_OP_ADD, NN_OP_MULTIPLY, NN_OP_MAXIMUM, NN_OP_MINIMUM, NN_OP_AVERAGE, NN_OP_CONCATENATE };

  for (guint k = 0; k < G_N_ELEMENTS (ops); k++)
    {
      guint inputs[3] = { 0, 1, 2 };
      Net net;

      net_begin (&net, NN_SHAPE (2, 3));
      net_add (&net, NN_OP_ACTIVATION, "a")->attrs.act = NN_ACT_RELU;
      net_add (&net, NN_OP_ACTIVATION, "b")->attrs.act = NN_ACT_HARD_TANH;
      nn_graph_builder_node (net.builder, 2)->attrs.slope = nn_graph_builder_node (net.builder, 2)->attrs.shift = 0.5;
      nn_graph_builder_add (net.builder, ops[k], "m", nn_op_info (ops[k])->name, inputs, 3)->attrs.axis = -1;
      g_assert_cmpfloat (largest_difference (net_end (&net), WIDE, 0), <, 1e-6);
    }
}

static NnQuantizer
quantizer (const NnType *types,
           guint         n)
{
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = types[0], .per_element = types, .n_elements = n };

  return q;
}

/* HGQ: a type for each element of input, weights and output; nothing between them rounds, so that float is met exactly. */
static void
test_elements (void)
{
  NnType in[4] = { NN_FIXED (6, 3), NN_UFIXED (4, 2), { .kind = NN_TYPE_FIXED }, NN_FIXED (9, 2) };
  NnType weights[12], out[3] = { NN_UFIXED (5, 2), NN_UFIXED (3, 1), NN_FIXED (7, 4) };
  NnQuantizer q[3];
  Net net;
  NnNode *node;

  for (guint k = 0; k < 12; k++)
    {
      weights[k] = NN_FIXED (3 + (int) k % 4, 1);
      weights[k].rounding = NN_ROUND_RND;
      weights[k].overflow = NN_OVERFLOW_SAT;
    }
  for (guint k = 0; k < 4; k++)
    {
      in[k].rounding = NN_ROUND_RND;
      in[k].overflow = k % 2 ? NN_OVERFLOW_SAT : NN_OVERFLOW_WRAP;
    }
  q[0] = quantizer (in, 4);
  q[1] = quantizer (weights, 12);
  q[2] = quantizer (out, 3);
  net_begin (&net, NN_SHAPE (4));
  node = net_add (&net, NN_OP_DENSE, "dense");
  node->attrs.units = 3;
  node->attrs.act = NN_ACT_RELU;
  node->attrs.input_quantizer = nn_graph_builder_quantizer (net.builder, &q[0]);
  node->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (net.builder, &q[1]);
  node->attrs.quantizer = nn_graph_builder_quantizer (net.builder, &q[2]);
  net_weight (&net, node, "kernel", NN_ROLE_KERNEL, NN_SHAPE (4, 3));
  g_assert_cmpfloat (largest_difference (net_end (&net), "{\"Model\":{\"Precision\":\"fixed<8,3>\"}}", 0), ==, 0);
}

static void
test_lookup (void)
{
  NnQuantizer q = { .kind = NN_QUANT_FIXED, .type = NN_FIXED (5, 3) };
  Net net;
  NnNode *node;

  net_begin (&net, NN_SHAPE (4));
  node = net_add (&net, NN_OP_UNARY_LUT, "lut");
  node->attrs.input_quantizer = nn_graph_builder_quantizer (net.builder, &q);
  net_weight (&net, node, "table", NN_ROLE_VALUE, NN_SHAPE (32));
  g_assert_cmpfloat (largest_difference (net_end (&net), "{\"Model\":{\"Precision\":\"fixed<8,3>\"}}", 0), <, 1e-9);
}

static double
one_answer (NnModel    *owned,
            const char *json,
            NnShape     shape,
            const double *values)
{
  g_autoptr (NnModel) model = owned;
  NnTensor *input = nn_tensor_new (NN_DTYPE_F64, &shape), **outputs;
  double answer;

  memcpy (nn_tensor_f64 (input), values, input->n * sizeof (double));
  outputs = fixed_answers (model, json, &input);
  answer = nn_tensor_get (outputs[0], 0);
  nn_tensor_unref (input);
  nn_tensors_free (outputs);
  return answer;
}

/* ap_fixed divides towards zero at the last bit of the sum, whatever the result could hold. */
static void
test_average_truncates (void)
{
  for (gint sign = -1; sign <= 1; sign += 2)
    {
      guint inputs[2] = { 0, 1 };
      double x = sign * 0.75;
      Net net;

      net_begin (&net, NN_SHAPE (1));
      net_add (&net, NN_OP_ACTIVATION, "a")->attrs.act = NN_ACT_RELU;
      nn_graph_builder_node (net.builder, 1)->attrs.alpha = 0;
      nn_graph_builder_add (net.builder, NN_OP_AVERAGE, "m", "Average", inputs, 2);
      /* positive: (0.75 + 0.75) / 2; negative: -0.75 / 2 = -0.375, cut to a quarter */
      g_assert_cmpfloat (one_answer (net_end (&net), "{\"Model\":{\"Precision\":\"fixed<6,4>\"},\"LayerName\":{\"m\":{\"Precision\":"
                                     "{\"result\":\"fixed<12,4>\"}}}}", NN_SHAPE (1, 1), &x), ==, sign > 0 ? 0.75 : -0.25);
    }
}

/* The accumulator takes in the exact sum, so that what would not fit alone may. */
static void
test_pool_sum (void)
{
  static const double x[4] = { -1.5, 2.5, 0.5, 0.5 };
  Net net;
  NnNode *node;

  net_begin (&net, NN_SHAPE (4, 1));
  node = net_add (&net, NN_OP_AVG_POOL1D, "mean");
  node->attrs.kernel[0] = node->attrs.stride[0] = 4;
  /* in fixed<4,2,TRN,SAT> 2.5 would be 1.75 alone: -1.5 + 2.5 = 1 fits; 1 + 0.5 + 0.5 is cut to 1.75, and its quarter to 0.25 */
  g_assert_cmpfloat (one_answer (net_end (&net), "{\"Model\":{\"Precision\":\"fixed<8,4>\"},\"LayerName\":{\"mean\":{\"Precision\":"
                                 "{\"accum\":\"fixed<4,2,TRN,SAT>\"}}}}", NN_SHAPE (1, 4, 1), x), ==, 0.25);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layers/einsum-dense", test_einsum_dense);
  g_test_add_func ("/layers/attention", test_attention);
  g_test_add_func ("/layers/transposed", test_transposed);
  g_test_add_func ("/layers/groups", test_groups);
  g_test_add_func ("/layers/rounded-norm", test_rounded_norm);
  g_test_add_func ("/layers/garnet", test_garnet);
  g_test_add_func ("/layers/gru", test_gru_before);
  g_test_add_func ("/layers/softmax-axis", test_softmax_axis);
  g_test_add_func ("/layers/three-inputs", test_three);
  g_test_add_func ("/layers/elements", test_elements);
  g_test_add_func ("/layers/lookup", test_lookup);
  g_test_add_func ("/layers/average", test_average_truncates);
  g_test_add_func ("/layers/pool-sum", test_pool_sum);
  return g_test_run ();
}
