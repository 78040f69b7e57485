/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types of activations: results, tables, parameters; softmax with the sizes of its tables. */

#include "nn-design-types-private.h"

#include "nn-text.h"

#include <math.h>

/* Source of all rules here: hls4ml, infer_precision.py. */

static NnType
fixed_18_8_rnd_sat (void)
{
  NnType type = NN_FIXED (18, 8);

  type.rounding = NN_ROUND_RND;
  type.overflow = NN_OVERFLOW_SAT;
  return type;
}

/* Distance of two entries of the exponentials' table. Its index is the top bits of the input's word: integer bits that no
 * value needs are bits that no value gets. */
static double
softmax_step (const NnLayerPlan *p)
{
  NnType type = p->softmax == NN_SOFTMAX_STABLE ? p->inp_norm : nn_plan_as_fixed (p->input);

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

/* Of one of softmax's tables; TableSize is for both. Its index is the top bits of a word of @bits: there are no more entries than
 * words, and as many as the index can say. */
static guint
own_table_size (NnPlanning   *planning,
                const NnNode *node,
                const char   *key,
                guint         size,
                int           bits)
{
  guint whole;

  for (guint level = 3; level-- > 0;)
    {
      const NnLayerConfig *c = nn_plan_level (planning, node, level);
      const char *text = c != NULL ? g_hash_table_lookup (c->extra, key) : NULL;
      gint64 own;

      if (text != NULL && nn_text_to_int (text, &own))
        size = (guint) own;
    }
  whole = 1u << nn_ceil_log2 (size);
  if (whole != size)
    nn_design_warn (planning->design, "layer \"%s\": a %s of %u becomes %u, for the table's index is bits of a number", node->name, key,
                    size, whole);
  return bits < 31 ? MIN (whole, 1u << bits) : whole;
}

/* hls4ml, fix_softmax_table_size and core_templates.py. */
static void
plan_softmax_types (NnPlanning   *planning,
                    const NnNode *node,
                    NnLayerPlan  *p)
{
  NnType in = nn_plan_as_fixed (p->input), accum;
  guint bits;

  p->exp_table = nn_plan_table_type (planning, node, "exp_table", fixed_18_8_rnd_sat ());
  p->inv_table = nn_plan_table_type (planning, node, "inv_table", fixed_18_8_rnd_sat ());
  p->inv_inp = nn_plan_table_type (planning, node, "inv_inp", fixed_18_8_rnd_sat ());
  accum = nn_plan_choose (planning, node, "accum", NULL);
  p->accum = accum.kind == NN_TYPE_AUTO ? fixed_18_8_rnd_sat () : accum;
  p->inp_norm = in.is_signed && in.width > 1 ? nn_plan_fixed (in.width - 1, in.integer - 1, FALSE) : nn_plan_fixed (in.width, in.integer, FALSE);
  bits = (guint) MIN (in.width, p->inv_inp.width);
  if (bits < 31)
    p->table_size = MIN (p->table_size, 1u << bits);
  if (planning->exact && nn_plan_choose (planning, node, "result", node->attrs.quantizer).kind == NN_TYPE_AUTO)
    p->result = nn_plan_fit (planning, node, nn_plan_product_type (p->accum, p->inv_table, 1));
  p->inv_table_size = p->exp_table_size = p->table_size;
  if (p->softmax == NN_SOFTMAX_STABLE || p->softmax == NN_SOFTMAX_LATENCY)
    {
      p->inv_table_size = own_table_size (planning, node, "InvTableSize", p->table_size, p->inv_inp.width);
      p->exp_table_size = own_table_size (planning, node, "ExpTableSize", p->table_size,
                                          p->softmax == NN_SOFTMAX_STABLE ? p->inp_norm.width : in.width);
    }
  warn_coarse_softmax (planning, node, p);
}

static double
activation_parameter (const NnNode *node)
{
  return node->attrs.act == NN_ACT_THRESHOLDED_RELU ? node->attrs.threshold : node->attrs.alpha;
}

/* Integer bits that no value of @in needs are left out, where that changes no value. */
NnType
nn_plan_narrowed (NnType        type,
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
  NnType type = nn_plan_choose (planning, node, "result", quantizer), in = nn_plan_as_fixed (p->input);

  if (type.kind == NN_TYPE_AUTO && planning->exact &&
      (node->op == NN_OP_QUANTIZE || node->attrs.act == NN_ACT_LINEAR || (node->attrs.act == NN_ACT_RELU && node->attrs.alpha == 0)))
    return in;
  if (type.kind == NN_TYPE_AUTO)
    return planning->standard;
  return planning->exact && quantizer != NULL && quantizer->kind == NN_QUANT_FIXED && type.kind == NN_TYPE_FIXED &&
             node->attrs.act == NN_ACT_LINEAR
           ? nn_plan_narrowed (type, &in)
           : type;
}

void
nn_plan_activation_types (NnPlanning   *planning,
                          const NnNode *node,
                          NnLayerPlan  *p)
{
  NnType parameter;

  p->table = nn_plan_table_type (planning, node, "table", NN_FIXED (18, 8));
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
      p->weight = nn_plan_as_fixed (p->input);
      return;
    }
  parameter = node->op == NN_OP_PRELU || node->attrs.act == NN_ACT_THRESHOLDED_RELU
                ? nn_plan_as_fixed (p->input)
                : nn_plan_constant_type (activation_parameter (node));
  p->weight = nn_plan_choose_or (planning, node, "param", planning->by_name ? parameter : planning->standard);
}
