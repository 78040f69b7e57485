/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multi-head attention as ONNX's plain operators, and GarNet as one of ours with its function. Source: Keras 2.13, MultiHeadAttention; Vaswani et al. 2017. */

#include "nn-save-onnx.h"

#include "nn-quant.h"
#include "onnx.pb-c.h"

#include <math.h>
#include <string.h>

/* Dense over the last axis: (steps, in) by a kernel of (in, out). The kernel's and the bias's axes beyond are one. */
static const char *
project (NnOnnxWriter *w,
         const NnNode *node,
         const char   *x,
         NnRole        kernel_role,
         NnRole        bias_role,
         gint64        in,
         const char   *output)
{
  const NnWeight *kernel = nn_model_node_weight (w->model, node, kernel_role), *bias = nn_model_node_weight (w->model, node, bias_role);
  g_autoptr (NnTensor) used = nn_onnx_used_weight (w, node, kernel_role), used_bias = NULL, flat_bias = NULL;
  gint64 out = (gint64) kernel->values->n / MAX (in, 1);
  g_autoptr (NnTensor) flat = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (in, out));
  const char *product = bias != NULL ? nn_onnx_text (w, "%s__product", output) : output;

  memcpy (flat->data, used->data, used->n * sizeof (float));
  nn_onnx_op (w, "MatMul", product, x, nn_onnx_put (w, nn_onnx_text (w, "%s__kernel", output), flat), NULL);
  if (bias == NULL)
    return output;
  used_bias = nn_onnx_used_weight (w, node, bias_role);
  flat_bias = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (out));
  memcpy (flat_bias->data, used_bias->data, used_bias->n * sizeof (float));
  nn_onnx_op (w, "Add", output, product, nn_onnx_put (w, nn_onnx_text (w, "%s__bias", output), flat_bias), NULL);
  return output;
}

/* (steps, heads * width) to (heads, steps, width), or with the last two turned. */
static const char *
by_head (NnOnnxWriter *w,
         const char   *x,
         gint64        steps,
         gint64        heads,
         gint64        width,
         gboolean      turned)
{
  const gint64 shape[] = { 0, steps, heads, width }, straight[] = { 0, 2, 1, 3 }, back[] = { 0, 2, 3, 1 };
  const char *split = nn_onnx_text (w, "%s__heads", x), *result = nn_onnx_text (w, "%s__by_head", x);

  nn_onnx_op (w, "Reshape", split, x, nn_onnx_put_ints (w, split, shape, 4), NULL);
  nn_onnx_set_ints (w, nn_onnx_op (w, "Transpose", result, split, NULL), "perm", turned ? back : straight, 4);
  return result;
}

gboolean
nn_onnx_write_attention (NnOnnxWriter  *w,
                         const NnNode  *node,
                         guint          index,
                         GError       **error)
{
  const NnAttrs *a = &node->attrs;
  guint v = node->n_inputs > 1 ? 1 : 0, k = node->n_inputs > 2 ? 2 : v;
  const guint places[] = { 0, k, v };
  static const NnRole kernels[] = { NN_ROLE_QUERY_KERNEL, NN_ROLE_KEY_KERNEL, NN_ROLE_VALUE_KERNEL };
  static const NnRole biases[] = { NN_ROLE_QUERY_BIAS, NN_ROLE_KEY_BIAS, NN_ROLE_VALUE_BIAS };
  static const char *const names[] = { "query", "key", "value" };
  gint64 value_dim = a->value_dim > 0 ? a->value_dim : a->key_dim, steps = 0;
  const gint64 back[] = { 0, 2, 1, 3 };
  const char *parts[3], *score, *scaled, *weights, *mixed, *joined;

  for (guint i = 0; i < 3; i++)
    {
      const NnShape *in = &nn_graph_node (w->graph, node->inputs[places[i]])->shape;
      const char *x = nn_onnx_value (w, node->inputs[places[i]], NN_ONNX_LAST);

      if (in->rank != 2 || in->dims[0] < 1 || in->dims[1] < 1 || nn_model_node_weight (w->model, node, kernels[i]) == NULL)
        return nn_onnx_fail (node, "attention over an open number of steps, or without its kernels", error);
      steps = i == 0 ? in->dims[0] : steps;
      x = project (w, node, x, kernels[i], biases[i], in->dims[1], nn_onnx_text (w, "%s__%s", node->name, names[i]));
      parts[i] = by_head (w, x, in->dims[0], a->n_heads, i == 2 ? value_dim : a->key_dim, i == 1);
    }
  score = nn_onnx_text (w, "%s__score", node->name);
  scaled = nn_onnx_text (w, "%s__scaled", node->name);
  weights = nn_onnx_text (w, "%s__weights", node->name);
  mixed = nn_onnx_text (w, "%s__mixed", node->name);
  joined = nn_onnx_text (w, "%s__joined", node->name);
  nn_onnx_op (w, "MatMul", score, parts[0], parts[1], NULL);
  nn_onnx_op (w, "Mul", scaled, score, nn_onnx_put_real (w, nn_onnx_text (w, "%s__root", score), 1 / sqrt ((double) a->key_dim)), NULL);
  nn_onnx_set_int (w, nn_onnx_op (w, "Softmax", weights, scaled, NULL), "axis", -1);
  nn_onnx_op (w, "MatMul", mixed, weights, parts[2], NULL);
  nn_onnx_set_ints (w, nn_onnx_op (w, "Transpose", nn_onnx_text (w, "%s__steps", mixed), mixed, NULL), "perm", back, 4);
  nn_onnx_op (w, "Reshape", joined, nn_onnx_text (w, "%s__steps", mixed),
              nn_onnx_put_ints (w, joined, (const gint64[]){ 0, steps, a->n_heads * value_dim }, 3), NULL);
  project (w, node, joined, NN_ROLE_OUTPUT_KERNEL, NN_ROLE_OUTPUT_BIAS, a->n_heads * value_dim,
           nn_onnx_name_in (w, node, index, NN_ONNX_LAST));
  return TRUE;
}

/* A weight of several that stand in one layer, by its name. (transfer none) (nullable) */
static NnTensor *
named_weight (NnOnnxWriter *w,
              const NnNode *node,
              const char   *stem,
              const char   *end)
{
  g_autofree char *name = g_strconcat (stem, ((const NnGarnet *) node->attrs.extra)->part, end, NULL);

  for (guint i = 0; i < node->n_weights; i++)
    {
      const NnWeight *weight = nn_model_weight (w->model, node->weights[i]);

      if (g_str_equal (weight->name, name))
        return weight->values;
    }
  return NULL;
}

/* As it is computed with. (transfer full) */
static NnTensor *
rounded (const NnTensor    *values,
         const NnQuantizer *quantizer)
{
  g_autoptr (NnTensor) wide = nn_tensor_convert (values, NN_DTYPE_F64);

  nn_quantize (quantizer, &values->shape, nn_tensor_f64 (wide));
  return nn_tensor_convert (wide, NN_DTYPE_F32);
}

gboolean
nn_onnx_write_garnet (NnOnnxWriter  *w,
                      const NnNode  *node,
                      guint          index,
                      GError       **error)
{
  static const char *const stems[] = { "FLR", "S", "Fout" };
  const NnGarnet *g = node->attrs.extra;
  const char *inputs[8], *name = nn_onnx_text (w, "GarNet_%u", w->functions->len), *act = NULL;
  NnAct plain = node->attrs.act;
  Onnx__NodeProto *op;

  if (plain == NN_ACT_RELU || plain == NN_ACT_SIGMOID || plain == NN_ACT_TANH)
    act = plain == NN_ACT_RELU ? "Relu" : plain == NN_ACT_SIGMOID ? "Sigmoid" : "Tanh";
  else if (plain != NN_ACT_LINEAR)
    return nn_onnx_fail (node, nn_act_name (plain), error);
  if (g == NULL || node->n_inputs != 2 || nn_onnx_in_shape (w, node)->rank != 2 || nn_onnx_in_shape (w, node)->dims[0] < 1)
    return nn_onnx_fail (node, "an open number of vertices", error);
  for (guint i = 0; i < 2; i++)
    inputs[i] = nn_onnx_value (w, node->inputs[i], NN_ONNX_LAST);
  for (guint i = 0; i < 6; i++)
    {
      NnTensor *values = named_weight (w, node, stems[i / 2], i % 2 == 0 ? "_kernel" : "_bias");
      const NnQuantizer *q = i < 2 ? g->feature_quantizer : i == 4 ? g->output_quantizer : NULL;
      g_autoptr (NnTensor) zeros = NULL;

      if (values == NULL && i % 2 == 0)
        return nn_onnx_fail (node, "a kernel is missing", error);
      if (values == NULL)
        values = zeros = nn_onnx_constant_vector (i == 1 ? g->n_propagate : i == 3 ? g->n_aggregators : g->n_filters, 0);
      else if (q != NULL)
        values = zeros = rounded (values, q);
      inputs[i + 2] = nn_onnx_put (w, nn_onnx_text (w, "%s__%s%s", node->name, stems[i / 2], i % 2 == 0 ? "_kernel" : "_bias"), values);
    }
  op = nn_onnx_op (w, name, nn_onnx_name_in (w, node, index, NN_ONNX_LAST), inputs[0], NULL);
  op->n_input = 8;
  op->input = nn_arena_memdup (w->arena, inputs, sizeof inputs);
  op->domain = (char *) NN_ONNX_OWN_DOMAIN;
  nn_onnx_set_int (w, op, "n_aggregators", g->n_aggregators);
  nn_onnx_set_int (w, op, "n_filters", g->n_filters);
  nn_onnx_set_int (w, op, "n_propagate", g->n_propagate);
  nn_onnx_set_int (w, op, "simplified", g->simplified);
  nn_onnx_set_int (w, op, "mean_by_nvert", g->mean_by_nvert);
  nn_onnx_set_int (w, op, "collapse", g->collapse);
  nn_onnx_set_text (w, op, "activation", nn_act_name (plain));
  nn_onnx_put_garnet_function (w, name, g, nn_onnx_in_shape (w, node)->dims[0], act);
  return TRUE;
}
