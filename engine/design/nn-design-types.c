/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every number type of a layer: what was asked for, what a quantiser says, or what follows from the types before it. */

#include "nn-design-types-private.h"

#include "nn-design-trees-private.h"
#include "nn-error.h"
#include "nn-product.h"
#include "nn-text.h"

#include <math.h>

/* Source of all rules here: hls4ml, infer_precision.py. */

/* Which weights are multiplied how, and what that does to their types (hls4ml, quantize_dense_output). */
static void
plan_product (NnLayerPlan  *p,
              const NnNode *node)
{
  if (p->weight.kind == NN_TYPE_BINARY && p->input.kind == NN_TYPE_BINARY && node->op == NN_OP_DENSE)
    p->product = NN_PRODUCT_BOTH_BINARY;
  else if (p->weight.kind == NN_TYPE_POWER)
    p->product = NN_PRODUCT_WEIGHT_EXPONENTIAL;
  else if (p->weight.kind == NN_TYPE_BINARY || (p->weight.kind == NN_TYPE_FIXED && p->weight.width == 2 && p->weight.integer == 2 && p->weight.is_signed))
    {
      p->weight = NN_FIXED (2, 2);
      p->product = NN_PRODUCT_WEIGHT_TERNARY;
    }
  else if (p->input.kind == NN_TYPE_BINARY)
    p->product = NN_PRODUCT_DATA_BINARY;
  else
    p->product = NN_PRODUCT_MULT;
}

static gboolean
has_bias (const NnPlanning *planning,
          const NnNode     *node)
{
  return nn_model_node_weight (planning->model, node, NN_ROLE_BIAS) != NULL;
}

static NnType
matrix_result (NnPlanning   *planning,
               const NnNode *node,
               NnLayerPlan  *p)
{
  guint n_terms = p->n_in;
  NnType sum;

  if (p->weight.kind == NN_TYPE_POWER || !nn_plan_is_fixed (&p->bias))
    return planning->standard;
  sum = nn_plan_product_type (nn_plan_as_fixed (p->input), p->weight, n_terms);
  return nn_plan_limit (planning, node, nn_plan_sum_type (sum, p->bias));
}

/* Counts of equal bits, and twice that less the number of inputs (hls4ml, bn_quant.py). */
static void
binary_sum_types (NnLayerPlan *p)
{
  int width = (int) nn_ceil_log2 (p->n_in) + 2;

  p->accum = p->result = nn_plan_fixed (width, width, TRUE);
}

static void
plan_matrix_types (NnPlanning   *planning,
                   const NnNode *node,
                   NnLayerPlan  *p)
{
  const NnQuantizer *const *quantizers = (const NnQuantizer *const *) node->attrs.role_quantizer;
  gboolean thresholds_before = nn_plan_input (planning, node, 0)->input.kind != NN_TYPE_AUTO &&
                               g_strcmp0 (nn_graph_node (planning->graph, node->inputs[0])->class_name,
                                          "BatchNormalizationQuantizedTanh") == 0;
  NnType inferred;

  p->weight = nn_plan_choose (planning, node, "weight", quantizers[NN_ROLE_KERNEL]);
  if (p->weight.kind == NN_TYPE_AUTO)
    p->weight = planning->standard;
  p->bias = nn_plan_choose (planning, node, "bias", quantizers[NN_ROLE_BIAS]);
  if (!has_bias (planning, node))
    p->bias = NN_UFIXED (1, 1);
  else if (p->bias.kind == NN_TYPE_AUTO)
    p->bias = planning->standard;
  plan_product (p, node);
  p->accum = nn_plan_choose (planning, node, "accum", NULL);
  p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
  if (p->product == NN_PRODUCT_BOTH_BINARY && thresholds_before)
    {
      binary_sum_types (p);
      return;
    }
  inferred = matrix_result (planning, node, p);
  if (p->accum.kind == NN_TYPE_AUTO)
    p->accum = inferred;
  if (p->result.kind == NN_TYPE_AUTO)
    p->result = inferred;
}

static void
plan_scale_types (NnPlanning   *planning,
                  const NnNode *node,
                  NnLayerPlan  *p)
{
  const NnQuantizer *const *quantizers = (const NnQuantizer *const *) node->attrs.role_quantizer;

  p->scale = nn_plan_choose (planning, node, "scale", quantizers[NN_ROLE_SCALE]);
  if (p->scale.kind == NN_TYPE_AUTO)
    p->scale = planning->standard;
  p->bias = nn_plan_choose (planning, node, "bias", quantizers[NN_ROLE_BIAS]);
  if (p->bias.kind == NN_TYPE_AUTO)
    p->bias = planning->standard;
  if (nn_model_node_weight (planning->model, node, NN_ROLE_SCALE) == NULL && node->op == NN_OP_SCALE)
    p->scale = NN_UFIXED (1, 1);
  if (nn_model_node_weight (planning->model, node, NN_ROLE_BIAS) == NULL && node->op == NN_OP_SCALE)
    p->bias = NN_UFIXED (1, 1);
  p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
  p->accum = planning->standard;
  if (p->result.kind == NN_TYPE_AUTO && nn_plan_is_fixed (&p->scale) && nn_plan_is_fixed (&p->bias))
    p->result = nn_plan_limit (planning, node, nn_plan_sum_type (nn_plan_product_type (nn_plan_as_fixed (p->input), p->scale, 1), p->bias));
  else if (p->result.kind == NN_TYPE_AUTO)
    p->result = planning->standard;
}

static void
plan_layer_norm_types (NnPlanning   *planning,
                       const NnNode *node,
                       NnLayerPlan  *p)
{
  NnType table = NN_UFIXED (8, 5), accum = NN_FIXED (14, 4);

  table.rounding = accum.rounding = NN_ROUND_RND_CONV;
  table.overflow = accum.overflow = NN_OVERFLOW_SAT;
  plan_scale_types (planning, node, p);
  p->table = nn_plan_table_type (planning, node, "table", table);
  p->accum = nn_plan_choose_or (planning, node, "accum", accum);
}

static void
plan_pool_types (NnPlanning   *planning,
                 const NnNode *node,
                 NnLayerPlan  *p)
{
  const NnShape *in = &nn_graph_node (planning->graph, node->inputs[0])->shape;
  gsize window = MAX (node->attrs.kernel[0], 1) * MAX (node->attrs.kernel[1], 1);
  gboolean average = node->op == NN_OP_AVG_POOL1D || node->op == NN_OP_AVG_POOL2D || node->op == NN_OP_GLOBAL_AVG_POOL ||
                     node->op == NN_OP_REDUCE_MEAN;
  gboolean global = node->op == NN_OP_GLOBAL_AVG_POOL || node->op == NN_OP_GLOBAL_MAX_POOL;
  int extra;

  if (node->op == NN_OP_GLOBAL_AVG_POOL || node->op == NN_OP_REDUCE_MEAN || node->op == NN_OP_REDUCE_SUM)
    window = nn_shape_count (in) / MAX (nn_shape_count (&node->shape), 1);
  extra = (int) nn_ceil_log2 (window);
  p->accum = nn_plan_choose (planning, node, "accum", NULL);
  if (global && !planning->exact) /* which the reference does not infer */
    {
      p->accum = p->accum.kind == NN_TYPE_AUTO ? planning->standard : p->accum;
      p->result = nn_plan_choose_or (planning, node, "result", planning->standard);
      return;
    }
  if (p->accum.kind == NN_TYPE_AUTO && average && nn_plan_is_fixed (&p->input))
    p->accum = nn_plan_fit (planning, node, nn_plan_fixed (p->input.width + 2 * extra, p->input.integer + extra, p->input.is_signed));
  else if (p->accum.kind == NN_TYPE_AUTO && node->op == NN_OP_REDUCE_SUM && nn_plan_is_fixed (&p->input))
    p->accum = nn_plan_limit (planning, node, nn_plan_fixed (p->input.width + extra, p->input.integer + extra, p->input.is_signed));
  else if (p->accum.kind == NN_TYPE_AUTO)
    p->accum = p->input;
  p->result = nn_plan_choose_or (planning, node, "result",
                                 node->op == NN_OP_REDUCE_SUM || (average && planning->exact) ? p->accum : p->input);
}

/* A table of the file's own values, in just the bits that hold them. */
static void
plan_lookup_types (NnPlanning   *planning,
                   const NnNode *node,
                   NnLayerPlan  *p)
{
  const NnWeight *values = nn_model_node_weight (planning->model, node, NN_ROLE_VALUE);
  NnType type = NN_UFIXED (1, 1);

  for (gsize k = 0; values != NULL && k < values->values->n; k++)
    type = nn_plan_union_type (type, nn_plan_exact_type (nn_tensor_f32 (values->values)[k]), FALSE);
  type = nn_plan_fit (planning, node, type);
  p->table = nn_plan_table_type (planning, node, "table", type);
  p->weight = p->table;
  p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
  if (p->result.kind == NN_TYPE_AUTO)
    p->result = planning->exact ? p->table : planning->standard;
}

/* Products in one sum. */
static guint
n_summed (const NnPlanning *planning,
          const NnNode     *node)
{
  NnEinsum sum;

  return node->n_inputs == 2 &&
             nn_product_sum (node, &nn_graph_node (planning->graph, node->inputs[0])->shape,
                             &nn_graph_node (planning->graph, node->inputs[1])->shape, &sum)
           ? (guint) nn_einsum_inner (&sum)
           : 1;
}

static void
plan_merge_types (NnPlanning   *planning,
                  const NnNode *node,
                  NnLayerPlan  *p)
{
  NnType type = nn_plan_as_fixed (p->input);

  p->accum = nn_plan_choose_or (planning, node, "accum", planning->standard);
  p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
  if (p->result.kind != NN_TYPE_AUTO)
    return;
  if (!planning->exact && (node->op == NN_OP_EINSUM || node->op == NN_OP_MATMUL)) /* which the reference does not infer */
    {
      p->result = planning->standard;
      return;
    }
  for (guint k = 1; k < node->n_inputs; k++)
    {
      NnType other = nn_plan_as_fixed (nn_plan_input (planning, node, k)->result);

      switch (node->op)
        {
        case NN_OP_ADD:
        case NN_OP_AVERAGE:
        case NN_OP_SUBTRACT:
          type = nn_plan_sum_type (type, other);
          type.is_signed |= node->op == NN_OP_SUBTRACT;
          break;
        case NN_OP_MULTIPLY:
          type = nn_plan_product_type (type, other, 1);
          break;
        case NN_OP_DOT:
        case NN_OP_MATMUL:
        case NN_OP_EINSUM:
          type = nn_plan_product_type (type, other, n_summed (planning, node));
          break;
        case NN_OP_DIVIDE:
          type = planning->standard;
          break;
        default:
          type = nn_plan_union_type (type, other, node->op == NN_OP_CONCATENATE);
          break;
        }
    }
  if (node->n_inputs < 2)
    type = p->input;
  p->result = node->op == NN_OP_MAXIMUM || node->op == NN_OP_MINIMUM ? nn_plan_fit (planning, node, type) : nn_plan_limit (planning, node, type);
  if (node->op == NN_OP_DOT || node->op == NN_OP_MATMUL || node->op == NN_OP_EINSUM)
    p->accum = nn_plan_choose_or (planning, node, "accum", p->result);
}

static void
plan_recurrent_types (NnPlanning   *planning,
                      const NnNode *node,
                      NnLayerPlan  *p)
{
  const NnQuantizer *const *quantizers = (const NnQuantizer *const *) node->attrs.role_quantizer;
  NnType *types[] = { &p->weight, &p->bias, &p->recurrent_weight, &p->recurrent_bias };
  static const char *const names[] = { "weight", "bias", "recurrent_weight", "recurrent_bias" };
  static const NnRole roles[] = { NN_ROLE_KERNEL, NN_ROLE_BIAS, NN_ROLE_RECURRENT_KERNEL, NN_ROLE_BIAS };

  for (guint k = 0; k < G_N_ELEMENTS (types); k++)
    {
      *types[k] = nn_plan_choose (planning, node, names[k], quantizers[roles[k]]);
      if (types[k]->kind == NN_TYPE_AUTO)
        *types[k] = planning->standard;
    }
  p->product = NN_PRODUCT_MULT;
  p->accum = nn_plan_choose_or (planning, node, "accum", planning->standard);
  p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
  if (p->result.kind == NN_TYPE_AUTO)
    p->result = planning->standard;
  p->state = nn_plan_choose_or (planning, node, "state", p->result);
  p->table = nn_plan_table_type (planning, node, "table", NN_FIXED (18, 8));
}

static void
plan_other_types (NnPlanning   *planning,
                  const NnNode *node,
                  NnLayerPlan  *p)
{
  switch (nn_op_info (node->op)->op_class)
    {
    case NN_OP_CLASS_POOL:
      plan_pool_types (planning, node, p);
      return;
    case NN_OP_CLASS_MERGE:
      plan_merge_types (planning, node, p);
      return;
    case NN_OP_CLASS_SHAPE:
      p->result = p->input; /* moves bits, whatever is asked for */
      return;
    default:
      p->weight = nn_plan_choose_or (planning, node, "embeddings", planning->standard);
      p->table = nn_plan_table_type (planning, node, "table", NN_FIXED (18, 8));
      p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
      if (p->result.kind == NN_TYPE_AUTO)
        p->result = planning->standard;
      p->accum = nn_plan_choose_or (planning, node, "accum", planning->standard);
      return;
    }
}

static gboolean
check_type (const NnNode *node,
            const char   *variable,
            const NnType *type,
            GError      **error)
{
  g_autofree char *text = NULL;

  if (type->kind == NN_TYPE_AUTO || (type->kind != NN_TYPE_FLOAT && type->sat_bits == 0))
    return TRUE;
  text = nn_type_to_string (type);
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\": %s cannot be of type %s; %s", node->name, variable, text,
               type->kind == NN_TYPE_FLOAT ? "hardware is of fixed point here"
                                           : "saturation bits are not supported, SAT or WRAP without them are");
  return FALSE;
}

static gboolean
check_types (const NnNode      *node,
             const NnLayerPlan *p,
             GError           **error)
{
  const struct { const char *name; const NnType *type; } all[] = {
    { "result", &p->result }, { "weight", &p->weight }, { "bias", &p->bias }, { "accum", &p->accum }, { "scale", &p->scale },
    { "threshold", &p->threshold }, { "recurrent_weight", &p->recurrent_weight }, { "recurrent_bias", &p->recurrent_bias }, { "state", &p->state },
    { "table", &p->table }, { "exp_table", &p->exp_table }, { "inv_table", &p->inv_table }, { "inv_inp", &p->inv_inp },
  };

  for (guint k = 0; k < G_N_ELEMENTS (all); k++)
    if (!check_type (node, all[k].name, all[k].type, error))
      return FALSE;
  return TRUE;
}

#define OPEN_WIDTH 32   /* above which an input's integer bits are not meant as such */
#define OPEN_INTEGER 16
#define EXACT_FRACTION 24 /* hls4ml, FixInputPrecision */

/* Wide enough for whatever the quantisers that read it keep of it; they round by themselves. */
static NnType
input_type (const NnPlanning *planning,
            guint             i)
{
  guint n;
  const guint *readers = nn_graph_consumers (planning->graph, i, &n);
  NnType type = planning->standard;
  gboolean saturates = TRUE;
  int fraction = 0;

  for (guint k = 0; k < n; k++)
    {
      const NnQuantizer *q = nn_graph_node (planning->graph, readers[k])->attrs.quantizer;
      NnType one;

      if (q == NULL || q->kind != NN_QUANT_FIXED || nn_plan_quantizer_type (q).kind != NN_TYPE_FIXED)
        return planning->standard;
      one = nn_plan_quantizer_type (q);
      fraction = MAX (fraction, one.rounding == NN_ROUND_TRN   ? nn_type_fraction (&one)
                                : one.rounding == NN_ROUND_RND ? nn_type_fraction (&one) + 1
                                                               : EXACT_FRACTION);
      saturates &= one.overflow == NN_OVERFLOW_SAT || one.overflow == NN_OVERFLOW_SAT_SYM;
      type = k == 0 ? one : nn_plan_union_type (type, one, FALSE);
    }
  if (n == 0)
    return planning->standard;
  if (type.integer + fraction > OPEN_WIDTH)
    type.integer = MIN (type.integer, OPEN_INTEGER);
  type = nn_plan_fixed (MAX (type.integer + fraction, 1), type.integer, type.is_signed);
  type.overflow = saturates ? NN_OVERFLOW_SAT : NN_OVERFLOW_WRAP;
  return type;
}

NnType
nn_design_element_type (const NnDesign *design,
                        guint           i,
                        gsize           k)
{
  const NnQuantizer *q = nn_graph_node (nn_model_graph (design->model), i)->attrs.quantizer;
  NnType in = nn_plan_as_fixed (design->plans[i].input), type;

  if (q == NULL || q->per_element == NULL || q->n_elements == 0)
    return design->plans[i].result;
  type = q->per_element[k % q->n_elements];
  return type.width == 0 ? type : nn_plan_narrowed (type, &in);
}

gboolean
nn_plan_types (NnPlanning  *planning,
               guint        i,
               GError     **error)
{
  const NnNode *node = nn_graph_node (planning->graph, i);
  NnLayerPlan *p = &planning->design->plans[i];

  p->input = node->n_inputs > 0 ? nn_plan_input (planning, node, 0)->result : planning->standard;
  switch (node->op)
    {
    case NN_OP_INPUT:
    case NN_OP_CONSTANT:
      p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
      if (p->result.kind == NN_TYPE_AUTO)
        p->result = planning->exact ? input_type (planning, i) : planning->standard;
      p->input = p->result;
      break;
    case NN_OP_SCALE:
    case NN_OP_BATCH_NORM:
      plan_scale_types (planning, node, p);
      break;
    case NN_OP_LAYER_NORM:
      plan_layer_norm_types (planning, node, p);
      break;
    case NN_OP_ACTIVATION:
    case NN_OP_PRELU:
    case NN_OP_QUANTIZE:
      nn_plan_activation_types (planning, node, p);
      break;
    case NN_OP_UNARY_LUT:
      plan_lookup_types (planning, node, p);
      break;
    case NN_OP_TREE_ENSEMBLE:
      nn_plan_tree_types (planning, node, p);
      break;
    default:
      if (nn_op_is_recurrent (node->op))
        plan_recurrent_types (planning, node, p);
      else if (nn_op_info (node->op)->op_class == NN_OP_CLASS_MULTIPLY)
        plan_matrix_types (planning, node, p);
      else
        plan_other_types (planning, node, p);
      break;
    }
  return check_types (node, p, error);
}
