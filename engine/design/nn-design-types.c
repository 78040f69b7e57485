/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every number type of a layer: what was asked for, what a quantiser says, or what follows from the types before it. */

#include "nn-design-private.h"

#include "nn-error.h"
#include "nn-product.h"
#include "nn-text.h"

#include <math.h>

/* Source of all rules here: hls4ml, infer_precision.py. */

typedef enum {
  LOOKUP_NONE,
  LOOKUP_DEFAULT, /* one type for all variables of the layer or class */
  LOOKUP_EXACT,   /* for this very variable */
} Lookup;

static const NnType type_auto = { .kind = NN_TYPE_AUTO };

static NnType
fixed (int            width,
       int            integer,
       gboolean       is_signed)
{
  return (NnType){ .kind = NN_TYPE_FIXED, .width = width, .integer = integer, .is_signed = is_signed };
}

static NnType
fixed_18_8_rnd_sat (void)
{
  NnType type = NN_FIXED (18, 8);

  type.rounding = NN_ROUND_RND;
  type.overflow = NN_OVERFLOW_SAT;
  return type;
}

static Lookup
lookup (const NnPlanning *planning,
        const NnNode     *node,
        const char       *variable,
        NnType           *type)
{
  for (guint level = 0; level < 3; level++)
    {
      const NnLayerConfig *c = nn_plan_level (planning, node, level);
      const NnType *set = c != NULL ? g_hash_table_lookup (c->precision, variable) : NULL;

      if (set == NULL && c != NULL && level < 2)
        {
          set = g_hash_table_lookup (c->precision, "default");
          if (set != NULL)
            {
              *type = *set;
              return LOOKUP_DEFAULT;
            }
        }
      if (set != NULL)
        {
          *type = *set;
          return LOOKUP_EXACT;
        }
    }
  return LOOKUP_NONE;
}

static NnType union_type (NnType a, NnType b, gboolean keep_modes);

/* Holds what any element's own type holds. */
static NnType
hull_type (const NnQuantizer *quantizer)
{
  NnType hull = NN_UFIXED (1, 1);
  gboolean any = FALSE;

  for (guint k = 0; k < quantizer->n_elements; k++)
    if (quantizer->per_element[k].width > 0)
      {
        NnType type = quantizer->per_element[k];

        hull = any ? union_type (hull, type, TRUE) : type;
        any = TRUE;
      }
  return hull;
}

/* The hardware type of a quantiser's grid. Signs alone are one bit only where both factors are; see plan_product(). */
static NnType
quantizer_type (const NnQuantizer *quantizer)
{
  switch (quantizer->kind)
    {
    case NN_QUANT_BINARY:
      return (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1 };
    case NN_QUANT_TERNARY:
      return NN_FIXED (2, 2);
    default:
      return quantizer->per_element != NULL ? hull_type (quantizer) : quantizer->type;
    }
}

/* What was asked for, else the quantiser's, else the model's; AUTO is to be inferred. */
static NnType
choose (const NnPlanning  *planning,
        const NnNode      *node,
        const char        *variable,
        const NnQuantizer *quantizer)
{
  NnType type = type_auto;
  Lookup found = lookup (planning, node, variable, &type);

  if (found == LOOKUP_EXACT && type.kind != NN_TYPE_AUTO)
    return type;
  if (quantizer != NULL && quantizer->kind != NN_QUANT_NONE && quantizer_type (quantizer).kind != NN_TYPE_AUTO)
    return quantizer_type (quantizer);
  if (found != LOOKUP_NONE)
    return type;
  return planning->by_name || planning->exact ? type_auto : planning->standard;
}

static NnType
choose_or (const NnPlanning *planning,
           const NnNode     *node,
           const char       *variable,
           NnType            otherwise)
{
  NnType type = choose (planning, node, variable, NULL);

  return type.kind == NN_TYPE_AUTO ? otherwise : type;
}

/* Of variables with a standard of their own, which the model's default does not touch. */
static NnType
table_type (const NnPlanning *planning,
            const NnNode     *node,
            const char       *variable,
            NnType            otherwise)
{
  NnType type;

  return lookup (planning, node, variable, &type) != LOOKUP_NONE && type.kind != NN_TYPE_AUTO ? type : otherwise;
}

static gboolean
is_fixed (const NnType *type)
{
  return type->kind == NN_TYPE_FIXED;
}

/* No type is wider than the engine's integers. */
static NnType
fit (NnPlanning   *planning,
     const NnNode *node,
     NnType        type)
{
  if (type.width <= NN_TYPE_MAX_WIDTH)
    return type;
  nn_design_warn (planning->design,
                  "layer \"%s\": %d bits would hold every sum exactly; the last %d of them are left out, for no type is wider than %d",
                  node->name, type.width, type.width - NN_TYPE_MAX_WIDTH, NN_TYPE_MAX_WIDTH);
  type.width = NN_TYPE_MAX_WIDTH;
  return type;
}

/* Clips width and integer bits each for itself, as the reference does; that may move the point. */
static NnType
limit (NnPlanning   *planning,
       const NnNode *node,
       NnType        type)
{
  const NnType *max = planning->maximum;

  if (max != NULL && max->kind == NN_TYPE_FIXED)
    {
      type.width = MIN (type.width, max->width);
      type.integer = MIN (type.integer, max->integer);
      type.is_signed = max->is_signed;
      if (max->rounding != NN_ROUND_TRN)
        type.rounding = max->rounding;
      if (max->overflow != NN_OVERFLOW_WRAP)
        type.overflow = max->overflow;
    }
  return fit (planning, node, type);
}

/* Holds a + b exactly. */
static NnType
sum_type (NnType a,
          NnType b)
{
  int integer = MAX (a.integer + (b.is_signed && !a.is_signed), b.integer + (a.is_signed && !b.is_signed)) + 1;
  int fraction = MAX (nn_type_fraction (&a), nn_type_fraction (&b));

  return fixed (integer + fraction, integer, a.is_signed || b.is_signed);
}

static NnType
product_type (NnType a,
              NnType b,
              guint  n_terms)
{
  int extra = (int) nn_ceil_log2 (n_terms);

  return fixed (a.width + b.width + extra, a.integer + b.integer + extra, a.is_signed || b.is_signed);
}

/* Holds either exactly; what concatenation, maximum and minimum give. */
static NnType
union_type (NnType   a,
            NnType   b,
            gboolean keep_modes)
{
  gboolean is_signed = a.is_signed || b.is_signed;
  int integer = MAX (a.integer + (is_signed && !a.is_signed), b.integer + (is_signed && !b.is_signed));
  NnType type;

  if (nn_type_equal (&a, &b))
    return a;
  type = fixed (integer + MAX (nn_type_fraction (&a), nn_type_fraction (&b)), integer, is_signed);
  if (keep_modes)
    {
      type.rounding = a.rounding != NN_ROUND_TRN ? a.rounding : b.rounding;
      type.overflow = a.overflow != NN_OVERFLOW_WRAP ? a.overflow : b.overflow;
    }
  return type;
}

static const NnLayerPlan *
input_plan (const NnPlanning *planning,
            const NnNode     *node,
            guint             k)
{
  return &planning->design->plans[node->inputs[k]];
}

/* As a number of fixed point: a sign alone is -1 or +1. */
static NnType
as_fixed (NnType type)
{
  return type.kind == NN_TYPE_BINARY || type.kind == NN_TYPE_TERNARY ? NN_FIXED (2, 2) : type;
}

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

  if (p->weight.kind == NN_TYPE_POWER || !is_fixed (&p->bias))
    return planning->standard;
  sum = product_type (as_fixed (p->input), p->weight, n_terms);
  return limit (planning, node, sum_type (sum, p->bias));
}

/* Counts of equal bits, and twice that less the number of inputs (hls4ml, bn_quant.py). */
static void
binary_sum_types (NnLayerPlan *p)
{
  int width = (int) nn_ceil_log2 (p->n_in) + 2;

  p->accum = p->result = fixed (width, width, TRUE);
}

static void
plan_matrix_types (NnPlanning   *planning,
                   const NnNode *node,
                   NnLayerPlan  *p)
{
  const NnQuantizer *const *quantizers = (const NnQuantizer *const *) node->attrs.role_quantizer;
  gboolean thresholds_before = input_plan (planning, node, 0)->input.kind != NN_TYPE_AUTO &&
                               g_strcmp0 (nn_graph_node (planning->graph, node->inputs[0])->class_name,
                                          "BatchNormalizationQuantizedTanh") == 0;
  NnType inferred;

  p->weight = choose (planning, node, "weight", quantizers[NN_ROLE_KERNEL]);
  if (p->weight.kind == NN_TYPE_AUTO)
    p->weight = planning->standard;
  p->bias = choose (planning, node, "bias", quantizers[NN_ROLE_BIAS]);
  if (!has_bias (planning, node))
    p->bias = NN_UFIXED (1, 1);
  else if (p->bias.kind == NN_TYPE_AUTO)
    p->bias = planning->standard;
  plan_product (p, node);
  p->accum = choose (planning, node, "accum", NULL);
  p->result = choose (planning, node, "result", node->attrs.quantizer);
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

  p->scale = choose (planning, node, "scale", quantizers[NN_ROLE_SCALE]);
  if (p->scale.kind == NN_TYPE_AUTO)
    p->scale = planning->standard;
  p->bias = choose (planning, node, "bias", quantizers[NN_ROLE_BIAS]);
  if (p->bias.kind == NN_TYPE_AUTO)
    p->bias = planning->standard;
  if (nn_model_node_weight (planning->model, node, NN_ROLE_SCALE) == NULL && node->op == NN_OP_SCALE)
    p->scale = NN_UFIXED (1, 1);
  if (nn_model_node_weight (planning->model, node, NN_ROLE_BIAS) == NULL && node->op == NN_OP_SCALE)
    p->bias = NN_UFIXED (1, 1);
  p->result = choose (planning, node, "result", node->attrs.quantizer);
  p->accum = planning->standard;
  if (p->result.kind == NN_TYPE_AUTO && is_fixed (&p->scale) && is_fixed (&p->bias))
    p->result = limit (planning, node, sum_type (product_type (as_fixed (p->input), p->scale, 1), p->bias));
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
  p->table = table_type (planning, node, "table", table);
  p->accum = choose_or (planning, node, "accum", accum);
}

/* Distance of two entries of the exponentials' table. Its index is the top bits of the input's word: integer bits that no
 * value needs are bits that no value gets. */
static double
softmax_step (const NnLayerPlan *p)
{
  NnType type = p->softmax == NN_SOFTMAX_STABLE ? p->inp_norm : as_fixed (p->input);

  if (p->softmax == NN_SOFTMAX_ARGMAX)
    return 0;
  if (p->softmax == NN_SOFTMAX_LEGACY)
    return 16.0 / p->exp_table_size;
  return ldexp (1, type.integer) / p->exp_table_size;
}

double
nn_design_softmax_step (const NnDesign *design,
                        guint           i)
{
  const NnNode *node = nn_graph_node (nn_model_graph (design->model), i);

  return node->op == NN_OP_ACTIVATION && node->attrs.act == NN_ACT_SOFTMAX ? softmax_step (&design->plans[i]) : 0;
}

static void
warn_coarse_softmax (const NnPlanning  *planning,
                     const NnNode      *node,
                     const NnLayerPlan *p)
{
  g_autofree char *type = nn_type_to_string (&p->input), *step = nn_text_from_double (softmax_step (p));

  if (softmax_step (p) >= NN_SOFTMAX_COARSE_STEP)
    nn_design_warn (planning->design,
                    "layer \"%s\": its input is %s, and its table of %u entries sees the top bits alone, in steps of %s; a result of \"%s\" "
                    "with fewer integer bits, or a larger TableSize, makes it finer",
                    node->name, type, p->exp_table_size, step, nn_graph_node (planning->graph, node->inputs[0])->name);
}

/* hls4ml, fix_softmax_table_size and core_templates.py. */
static void
plan_softmax_types (NnPlanning   *planning,
                    const NnNode *node,
                    NnLayerPlan  *p)
{
  NnType in = as_fixed (p->input), accum;
  guint bits;

  p->exp_table = table_type (planning, node, "exp_table", fixed_18_8_rnd_sat ());
  p->inv_table = table_type (planning, node, "inv_table", fixed_18_8_rnd_sat ());
  p->inv_inp = table_type (planning, node, "inv_inp", fixed_18_8_rnd_sat ());
  accum = choose (planning, node, "accum", NULL);
  p->accum = accum.kind == NN_TYPE_AUTO ? fixed_18_8_rnd_sat () : accum;
  p->inp_norm = in.is_signed && in.width > 1 ? fixed (in.width - 1, in.integer - 1, FALSE) : fixed (in.width, in.integer, FALSE);
  bits = (guint) MIN (in.width, p->inv_inp.width);
  if (bits < 31 && p->table_size > 1u << bits)
    p->table_size = 1u << bits;
  if (planning->exact && choose (planning, node, "result", node->attrs.quantizer).kind == NN_TYPE_AUTO)
    p->result = fit (planning, node, product_type (p->accum, p->inv_table, 1));
  p->inv_table_size = p->exp_table_size = p->table_size;
  bits = (guint) (p->softmax == NN_SOFTMAX_STABLE ? p->inp_norm.width : in.width);
  if (bits < 31 && p->exp_table_size > 1u << bits)
    p->exp_table_size = 1u << bits;
  warn_coarse_softmax (planning, node, p);
}

/* The fewest bits that hold a constant exactly, but no more than eight and a sign (hls4ml, _get_precision_from_constant). */
static NnType
constant_type (double value)
{
  gboolean is_signed = value < 0;
  double magnitude = ABS (value);
  int integer = 0, fraction = 0;
  NnType type;

  if (value == 0)
    return NN_UFIXED (1, 1);
  while (integer < 30 && (double) (1u << integer) <= magnitude)
    integer++;
  while (integer <= 0 && integer > -30 && magnitude * (double) (1u << (1 - integer)) < 1)
    integer--;
  for (double rest = magnitude; fraction < 32 && rest != (double) (gint64) rest; rest *= 2)
    fraction++;
  type = fixed (MIN (integer + fraction, 8), integer, FALSE);
  if (type.width < 1)
    type.width = 1;
  if (is_signed)
    {
      type.is_signed = TRUE;
      type.width++;
      type.integer++;
    }
  return type;
}

/* The fewest bits that hold a number of single precision. */
static NnType
exact_type (double value)
{
  int exponent, fraction = 0;
  double mantissa = frexp (fabs (value), &exponent);

  if (value == 0 || !isfinite (value))
    return NN_UFIXED (1, 1);
  while (fraction < 64 && mantissa != floor (mantissa))
    {
      mantissa *= 2;
      fraction++;
    }
  return fixed (MAX (fraction, 1) + (value < 0), exponent + (value < 0), value < 0);
}

static double
activation_parameter (const NnNode *node)
{
  return node->attrs.act == NN_ACT_THRESHOLDED_RELU ? node->attrs.threshold : node->attrs.alpha;
}

/* Integer bits that no value of @in needs are left out, where that changes no value. */
static NnType
narrowed (NnType        type,
          const NnType *in)
{
  int before = type.integer - type.is_signed, needed = in->integer - in->is_signed, fraction = nn_type_fraction (&type);

  needed += type.rounding != NN_ROUND_TRN && fraction < nn_type_fraction (in);
  if (type.overflow == NN_OVERFLOW_WRAP && in->is_signed && !type.is_signed)
    return type;
  if (type.width == 0 || needed >= before)
    return type;
  type.integer = MAX (needed, -fraction) + type.is_signed;
  type.width = MAX (type.integer + fraction, 1);
  return type;
}

static NnType
activation_result (NnPlanning        *planning,
                   const NnNode      *node,
                   const NnLayerPlan *p)
{
  const NnQuantizer *quantizer = node->attrs.quantizer;
  NnType type = choose (planning, node, "result", quantizer), in = as_fixed (p->input);

  if (type.kind == NN_TYPE_AUTO && planning->exact &&
      (node->op == NN_OP_QUANTIZE || node->attrs.act == NN_ACT_LINEAR || (node->attrs.act == NN_ACT_RELU && node->attrs.alpha == 0)))
    return in;
  if (type.kind == NN_TYPE_AUTO)
    return planning->standard;
  return planning->exact && quantizer != NULL && quantizer->kind == NN_QUANT_FIXED && type.kind == NN_TYPE_FIXED &&
             node->attrs.act == NN_ACT_LINEAR
           ? narrowed (type, &in)
           : type;
}

static void
plan_activation_types (NnPlanning   *planning,
                       const NnNode *node,
                       NnLayerPlan  *p)
{
  NnType parameter;

  p->table = table_type (planning, node, "table", NN_FIXED (18, 8));
  p->result = activation_result (planning, node, p);
  if (node->attrs.act == NN_ACT_SOFTMAX)
    {
      plan_softmax_types (planning, node, p);
      return;
    }
  if (g_strcmp0 (node->class_name, "BatchNormalizationQuantizedTanh") == 0)
    {
      p->result = node->attrs.act == NN_ACT_TERNARY_TANH ? NN_FIXED (2, 2)
                                                         : (NnType){ .kind = NN_TYPE_BINARY, .width = 1, .integer = 1 };
      p->weight = as_fixed (p->input);
      return;
    }
  parameter = node->op == NN_OP_PRELU || node->attrs.act == NN_ACT_THRESHOLDED_RELU
                ? as_fixed (p->input)
                : constant_type (activation_parameter (node));
  p->weight = choose_or (planning, node, "param", planning->by_name ? parameter : planning->standard);
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
  p->accum = choose (planning, node, "accum", NULL);
  if (global && !planning->exact) /* which the reference does not infer */
    {
      p->accum = p->accum.kind == NN_TYPE_AUTO ? planning->standard : p->accum;
      p->result = choose_or (planning, node, "result", planning->standard);
      return;
    }
  if (p->accum.kind == NN_TYPE_AUTO && average && is_fixed (&p->input))
    p->accum = fit (planning, node, fixed (p->input.width + 2 * extra, p->input.integer + extra, p->input.is_signed));
  else if (p->accum.kind == NN_TYPE_AUTO && node->op == NN_OP_REDUCE_SUM && is_fixed (&p->input))
    p->accum = limit (planning, node, fixed (p->input.width + extra, p->input.integer + extra, p->input.is_signed));
  else if (p->accum.kind == NN_TYPE_AUTO)
    p->accum = p->input;
  p->result = choose_or (planning, node, "result",
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
    type = union_type (type, exact_type (nn_tensor_f32 (values->values)[k]), FALSE);
  type = fit (planning, node, type);
  p->table = table_type (planning, node, "table", type);
  p->weight = p->table;
  p->result = choose (planning, node, "result", node->attrs.quantizer);
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
  NnType type = as_fixed (p->input);

  p->accum = choose_or (planning, node, "accum", planning->standard);
  p->result = choose (planning, node, "result", node->attrs.quantizer);
  if (p->result.kind != NN_TYPE_AUTO)
    return;
  if (!planning->exact && (node->op == NN_OP_EINSUM || node->op == NN_OP_MATMUL)) /* which the reference does not infer */
    {
      p->result = planning->standard;
      return;
    }
  for (guint k = 1; k < node->n_inputs; k++)
    {
      NnType other = as_fixed (input_plan (planning, node, k)->result);

      switch (node->op)
        {
        case NN_OP_ADD:
        case NN_OP_AVERAGE:
        case NN_OP_SUBTRACT:
          type = sum_type (type, other);
          type.is_signed |= node->op == NN_OP_SUBTRACT;
          break;
        case NN_OP_MULTIPLY:
          type = product_type (type, other, 1);
          break;
        case NN_OP_DOT:
        case NN_OP_MATMUL:
        case NN_OP_EINSUM:
          type = product_type (type, other, n_summed (planning, node));
          break;
        case NN_OP_DIVIDE:
          type = planning->standard;
          break;
        default:
          type = union_type (type, other, node->op == NN_OP_CONCATENATE);
          break;
        }
    }
  if (node->n_inputs < 2)
    type = p->input;
  p->result = node->op == NN_OP_MAXIMUM || node->op == NN_OP_MINIMUM ? fit (planning, node, type) : limit (planning, node, type);
  if (node->op == NN_OP_DOT || node->op == NN_OP_MATMUL || node->op == NN_OP_EINSUM)
    p->accum = choose_or (planning, node, "accum", p->result);
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
      *types[k] = choose (planning, node, names[k], quantizers[roles[k]]);
      if (types[k]->kind == NN_TYPE_AUTO)
        *types[k] = planning->standard;
    }
  p->product = NN_PRODUCT_MULT;
  p->accum = choose_or (planning, node, "accum", planning->standard);
  p->result = choose (planning, node, "result", node->attrs.quantizer);
  if (p->result.kind == NN_TYPE_AUTO)
    p->result = planning->standard;
  p->state = choose_or (planning, node, "state", p->result);
  p->table = table_type (planning, node, "table", NN_FIXED (18, 8));
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
      p->weight = choose_or (planning, node, "embeddings", planning->standard);
      p->table = table_type (planning, node, "table", NN_FIXED (18, 8));
      p->result = choose (planning, node, "result", node->attrs.quantizer);
      if (p->result.kind == NN_TYPE_AUTO)
        p->result = planning->standard;
      p->accum = choose_or (planning, node, "accum", planning->standard);
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
    { "recurrent_weight", &p->recurrent_weight }, { "recurrent_bias", &p->recurrent_bias }, { "state", &p->state },
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

      if (q == NULL || q->kind != NN_QUANT_FIXED || quantizer_type (q).kind != NN_TYPE_FIXED)
        return planning->standard;
      one = quantizer_type (q);
      fraction = MAX (fraction, one.rounding == NN_ROUND_TRN   ? nn_type_fraction (&one)
                                : one.rounding == NN_ROUND_RND ? nn_type_fraction (&one) + 1
                                                               : EXACT_FRACTION);
      saturates &= one.overflow == NN_OVERFLOW_SAT || one.overflow == NN_OVERFLOW_SAT_SYM;
      type = k == 0 ? one : union_type (type, one, FALSE);
    }
  if (n == 0)
    return planning->standard;
  if (type.integer + fraction > OPEN_WIDTH)
    type.integer = MIN (type.integer, OPEN_INTEGER);
  type = fixed (MAX (type.integer + fraction, 1), type.integer, type.is_signed);
  type.overflow = saturates ? NN_OVERFLOW_SAT : NN_OVERFLOW_WRAP;
  return type;
}

NnType
nn_design_element_type (const NnDesign *design,
                        guint           i,
                        gsize           k)
{
  const NnQuantizer *q = nn_graph_node (nn_model_graph (design->model), i)->attrs.quantizer;
  NnType in = as_fixed (design->plans[i].input), type;

  if (q == NULL || q->per_element == NULL || q->n_elements == 0)
    return design->plans[i].result;
  type = q->per_element[k % q->n_elements];
  return type.width == 0 ? type : narrowed (type, &in);
}

gboolean
nn_plan_types (NnPlanning  *planning,
               guint        i,
               GError     **error)
{
  const NnNode *node = nn_graph_node (planning->graph, i);
  NnLayerPlan *p = &planning->design->plans[i];

  p->input = node->n_inputs > 0 ? input_plan (planning, node, 0)->result : planning->standard;
  switch (node->op)
    {
    case NN_OP_INPUT:
    case NN_OP_CONSTANT:
      p->result = choose (planning, node, "result", node->attrs.quantizer);
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
      plan_activation_types (planning, node, p);
      break;
    case NN_OP_UNARY_LUT:
      plan_lookup_types (planning, node, p);
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
