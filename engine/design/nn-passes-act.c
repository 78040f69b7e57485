/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passes on activations and quantisers. */

#include "nn-passes-private.h"

#include "nn-quant.h"

#include <math.h>

static const char *
activation_class (NnAct act)
{
  switch (act)
    {
    case NN_ACT_SOFTMAX:
      return "Softmax";
    case NN_ACT_HARD_SIGMOID:
    case NN_ACT_HARD_TANH:
      return "HardActivation";
    case NN_ACT_LEAKY_RELU:
    case NN_ACT_THRESHOLDED_RELU:
    case NN_ACT_ELU:
      return "ParametrizedActivation";
    case NN_ACT_TERNARY_TANH:
      return "TernaryTanh";
    default:
      return "Activation";
    }
}

static void
copy_activation (NnRewrite    *rewrite,
                 NnNode       *node,
                 const NnNode *from)
{
  node->attrs.act = from->attrs.act;
  node->attrs.alpha = from->attrs.alpha;
  node->attrs.max_value = from->attrs.max_value;
  node->attrs.threshold = from->attrs.threshold;
  node->attrs.slope = from->attrs.slope;
  node->attrs.shift = from->attrs.shift;
  node->attrs.axis = -1;
  node->attrs.quantizer = nn_graph_builder_quantizer (rewrite->builder, from->attrs.quantizer);
}

static gboolean
split_activation (NnRewrite *rewrite,
                  guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  g_autofree char *wanted = NULL;
  NnNode *base, *act;

  if (node->attrs.act == NN_ACT_LINEAR || nn_op_info (node->op)->op_class == NN_OP_CLASS_ACTIVATION ||
      nn_op_is_recurrent (node->op))
    return FALSE;
  wanted = g_strdup_printf ("%s_%s", node->name, nn_act_name (node->attrs.act));
  base = nn_rewrite_copy (rewrite, i);
  base->attrs.act = NN_ACT_LINEAR;
  base->attrs.quantizer = NULL;
  act = nn_rewrite_add (rewrite, NN_OP_ACTIVATION, nn_rewrite_name (rewrite, wanted), activation_class (node->attrs.act),
                        rewrite->map[i], node, &rewrite->map[i]);
  copy_activation (rewrite, act, node);
  return TRUE;
}

NnModel *
nn_pass_split_activations (const NnModel   *model,
                           const NnConfig  *config,
                           GError         **error)
{
  return nn_rewrite_run (model, config, split_activation, error);
}

/* QKeras's tanh and sigmoid are the hard ones unless the real curve is asked for; both with slope and shift a half. */
static void
name_activation (NnNode            *node,
                 const NnQuantizer *quantizer)
{
  NnAttrs *a = &node->attrs;

  switch (quantizer->kind)
    {
    case NN_QUANT_RELU:
      a->act = quantizer->negative_slope != 0 ? NN_ACT_LEAKY_RELU : NN_ACT_RELU;
      a->alpha = quantizer->negative_slope;
      break;
    case NN_QUANT_TANH:
      a->act = quantizer->use_real_function ? NN_ACT_TANH : NN_ACT_HARD_TANH;
      a->slope = a->shift = 0.5;
      break;
    case NN_QUANT_SIGMOID:
      a->act = quantizer->use_real_function ? NN_ACT_SIGMOID : NN_ACT_HARD_SIGMOID;
      a->slope = a->shift = 0.5;
      break;
    case NN_QUANT_BINARY:
      a->act = NN_ACT_BINARY_TANH;
      break;
    case NN_QUANT_TERNARY:
      a->act = NN_ACT_TERNARY_TANH;
      break;
    default:
      a->act = NN_ACT_LINEAR;
      break;
    }
}

static NnTensor *
filled (gsize        n,
        const float *values,
        gsize        n_values,
        float      (*map) (float x, double zero_point),
        double       zero_point)
{
  NnTensor *tensor = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) n));

  for (gsize k = 0; k < n; k++)
    nn_tensor_f32 (tensor)[k] = map (values[n_values == 1 ? 0 : k], zero_point);
  return tensor;
}

static float
inverse (float  x,
         double zero_point)
{
  return 1 / x;
}

static float
same (float  x,
      double zero_point)
{
  return x;
}

static float
zero (float  x,
      double zero_point)
{
  return (float) zero_point;
}

static float
minus_zero (float  x,
            double zero_point)
{
  return (float) (-zero_point * x);
}

static void
add_scale (NnRewrite         *rewrite,
           const NnNode      *origin,
           const char        *suffix,
           const NnQuantizer *q,
           gboolean           back,
           guint             *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", origin->name, suffix);
  gsize n = q->n_alpha;
  NnNode *node = nn_rewrite_add (rewrite, NN_OP_SCALE, nn_rewrite_name (rewrite, wanted), "ApplyAlpha", *index, origin, index);

  nn_rewrite_set_weight (rewrite, node, NN_ROLE_SCALE,
                         nn_rewrite_weight (rewrite, node->name, "scale", NN_ROLE_SCALE,
                                            filled (n, q->alpha, n, back ? same : inverse, 0), NULL));
  nn_rewrite_set_weight (rewrite, node, NN_ROLE_BIAS,
                         nn_rewrite_weight (rewrite, node->name, "bias", NN_ROLE_BIAS,
                                            filled (n, q->alpha, n, back ? minus_zero : zero, q->zero_point), NULL));
}

static gboolean
is_power_of_two (double x)
{
  int exponent;

  return x > 0 && frexp (x, &exponent) == 0.5;
}

/* A power of two only moves the point. */
static gboolean
absorb_power (NnQuantizer *q)
{
  int exponent;

  if (q->alpha_mode != NN_ALPHA_FIXED || q->n_alpha != 1 || q->zero_point != 0 || q->kind != NN_QUANT_FIXED ||
      q->type.kind != NN_TYPE_FIXED || !is_power_of_two (q->alpha[0]))
    return FALSE;
  frexp (q->alpha[0], &exponent);
  q->type.integer += exponent - 1;
  q->alpha_mode = NN_ALPHA_ONE;
  return TRUE;
}

static gboolean
lower_quantizer (NnRewrite *rewrite,
                 guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnQuantizer *source = node->attrs.quantizer;
  gboolean scaled;
  guint input;
  NnNode *act;
  NnQuantizer *q;

  if (source == NULL || node->op == NN_OP_INPUT || nn_op_info (node->op)->op_class != NN_OP_CLASS_ACTIVATION ||
      (node->op != NN_OP_QUANTIZE && node->attrs.act != NN_ACT_QUANTIZED))
    return FALSE;
  input = rewrite->map[node->inputs[0]];
  q = nn_graph_builder_quantizer (rewrite->builder, source);
  /* hardware adds the zero point first: of numbers above 0 a tie then goes up as well */
  if (q->rounds_first && q->type.rounding == NN_ROUND_RND_INF)
    q->type.rounding = NN_ROUND_RND;
  q->rounds_first = FALSE;
  absorb_power (q);
  scaled = q->alpha_mode == NN_ALPHA_FIXED && q->n_alpha > 0;
  for (guint k = 0; scaled && k < q->n_alpha; k++)
    scaled = isfinite (q->alpha[k]) && q->alpha[k] > 0;
  scaled = scaled && (q->n_alpha > 1 || q->alpha[0] != 1 || q->zero_point != 0);
  if (scaled)
    add_scale (rewrite, node, "scale", source, FALSE, &input);
  act = nn_rewrite_add (rewrite, NN_OP_ACTIVATION, node->name, NULL, input, node, &input);
  copy_activation (rewrite, act, node);
  q->alpha_mode = NN_ALPHA_ONE;
  act->attrs.quantizer = q;
  name_activation (act, q);
  act->class_name = activation_class (act->attrs.act);
  if (scaled)
    add_scale (rewrite, node, "rescale", source, TRUE, &input);
  rewrite->map[i] = input;
  return TRUE;
}

NnModel *
nn_pass_lower_quantizers (const NnModel   *model,
                          const NnConfig  *config,
                          GError         **error)
{
  return nn_rewrite_run (model, config, lower_quantizer, error);
}

/* A scale that is computed from the weights becomes one that is written down. */
static NnQuantizer *
fixed_alpha (NnRewrite         *rewrite,
             const NnQuantizer *quantizer,
             const NnTensor    *kernel)
{
  NnQuantizer *q = nn_graph_builder_quantizer (rewrite->builder, quantizer);
  gsize n = (gsize) nn_shape_last (&kernel->shape);
  g_autofree double *values = NULL, *scales = NULL;
  float *alpha;

  if (q->alpha_mode != NN_ALPHA_AUTO && q->alpha_mode != NN_ALPHA_AUTO_PO2)
    return q;
  values = g_new (double, MAX (kernel->n, 1));
  scales = g_new (double, MAX (n, 1));
  for (gsize k = 0; k < kernel->n; k++)
    values[k] = nn_tensor_f32 (kernel)[k];
  nn_quantizer_scales (quantizer, &kernel->shape, values, scales);
  alpha = nn_graph_builder_alloc (rewrite->builder, n * sizeof (float));
  for (gsize k = 0; k < n; k++)
    alpha[k] = (float) scales[k];
  q->alpha = alpha;
  q->n_alpha = (guint) n;
  q->alpha_mode = NN_ALPHA_FIXED;
  return q;
}

/* Weights on alpha times a grid become weights on the grid, and their sums are multiplied by alpha afterwards. */
static gboolean
factor_alpha (NnRewrite *rewrite,
              guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnQuantizer *source = node->attrs.role_quantizer[NN_ROLE_KERNEL];
  NnQuantizer *q;
  const NnWeight *kernel = nn_model_node_weight (rewrite->model, node, NN_ROLE_KERNEL);
  const NnWeight *bias = nn_model_node_weight (rewrite->model, node, NN_ROLE_BIAS);
  gsize n_out;
  NnNode *copy;
  NnTensor *values;

  if (source == NULL || kernel == NULL || source->alpha_mode == NN_ALPHA_ONE || source->kind == NN_QUANT_POWER ||
      nn_op_info (node->op)->op_class != NN_OP_CLASS_MULTIPLY)
    return FALSE;
  q = fixed_alpha (rewrite, source, kernel->values);
  if (q->alpha_mode != NN_ALPHA_FIXED || q->n_alpha == 0)
    return FALSE;
  n_out = (gsize) nn_shape_last (&kernel->values->shape);
  if ((q->n_alpha != 1 && q->n_alpha != n_out) || (q->n_alpha == 1 && q->alpha[0] == 1))
    return FALSE;
  for (guint k = 0; k < q->n_alpha; k++)
    if (!isfinite (q->alpha[k]) || q->alpha[k] <= 0)
      return FALSE;
  copy = nn_rewrite_copy (rewrite, i);
  copy->attrs.role_quantizer[NN_ROLE_KERNEL] = nn_graph_builder_quantizer (rewrite->builder, q);
  if (absorb_power (copy->attrs.role_quantizer[NN_ROLE_KERNEL]))
    return TRUE;
  copy->attrs.role_quantizer[NN_ROLE_KERNEL]->alpha_mode = NN_ALPHA_ONE;
  values = nn_tensor_copy (kernel->values);
  for (gsize k = 0; k < values->n; k++)
    nn_tensor_f32 (values)[k] /= q->alpha[q->n_alpha == 1 ? 0 : k % n_out];
  nn_rewrite_set_weight (rewrite, copy, NN_ROLE_KERNEL,
                         nn_rewrite_weight (rewrite, copy->name, kernel->name, NN_ROLE_KERNEL, values, kernel->mask));
  if (bias != NULL)
    {
      values = nn_tensor_copy (bias->values);
      for (gsize k = 0; k < values->n; k++)
        nn_tensor_f32 (values)[k] /= q->alpha[q->n_alpha == 1 ? 0 : k % n_out];
      nn_rewrite_set_weight (rewrite, copy, NN_ROLE_BIAS,
                             nn_rewrite_weight (rewrite, copy->name, bias->name, NN_ROLE_BIAS, values, bias->mask));
      copy->attrs.role_quantizer[NN_ROLE_BIAS] = NULL;
    }
  add_scale (rewrite, node, "alpha", q, TRUE, &rewrite->map[i]);
  return TRUE;
}

NnModel *
nn_pass_factor_alpha (const NnModel   *model,
                      const NnConfig  *config,
                      GError         **error)
{
  return nn_rewrite_run (model, config, factor_alpha, error);
}
