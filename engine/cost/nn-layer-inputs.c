/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of each input of a layer: its own width where a quantiser has one for each element, and whether it is a
 * constant because no weight leads to it. HLS carries both through functions of one pipeline, so that products vanish or
 * shrink (the five HGQ networks of lrozzy_openml: 21 to 31 LUTs a weight that is fed, next to none for the others).
 */

#include "nn-layer-cost-private.h"

/* Hands on element i as element i, a constant as a constant. */
static gboolean
is_elementwise (const NnNode *node)
{
  switch (node->op)
    {
    case NN_OP_ACTIVATION: case NN_OP_QUANTIZE: case NN_OP_UNARY_LUT: case NN_OP_BATCH_NORM: case NN_OP_SCALE: case NN_OP_PRELU:
      return node->attrs.act != NN_ACT_SOFTMAX;
    case NN_OP_FLATTEN: case NN_OP_RESHAPE:
      return TRUE;
    default:
      return FALSE;
    }
}

/* The widest of the types that the positions of element @i have. */
static NnType
widest (const NnQuantizer *quantizer,
        gsize              i,
        gsize              n)
{
  NnType type = quantizer->per_element[i % quantizer->n_elements];

  for (gsize k = i + n; k < quantizer->n_elements; k += n)
    if (quantizer->per_element[k].width > type.width)
      type = quantizer->per_element[k];
  return type;
}

/* Narrows @types by a quantiser with a type for each element. Returns whether one became narrower. */
static gboolean
narrow_by_quantizer (const NnNode *node,
                     NnType       *types,
                     gsize         n,
                     gsize         channels)
{
  const NnQuantizer *q = node->attrs.quantizer;
  gboolean narrowed = FALSE;

  if (q == NULL || q->per_element == NULL || q->n_elements == 0)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      NnType type = widest (q, channels > 0 ? i % channels : i, channels > 0 ? channels : n);

      if ((type.kind == NN_TYPE_FIXED || type.width == 0) && type.width < types[i].width)
        {
          types[i] = type;
          narrowed = TRUE;
        }
    }
  return narrowed;
}

/* Marks outputs of a dense layer that no weight leads to. */
static gboolean
mark_constants (const NnCostedLayer *l,
                guint                dense,
                NnType              *types,
                gsize                n)
{
  const NnTensor *raw = nn_design_raw (l->design, dense, NN_ROLE_KERNEL);
  const NnLayerPlan *plan = nn_design_plan (l->design, dense);
  gboolean marked = FALSE;

  if (raw == NULL || raw->shape.rank != 2 || (gsize) raw->shape.dims[1] != n || plan->weight.kind != NN_TYPE_FIXED
      || plan->strategy == NN_STRATEGY_RESOURCE || plan->strategy == NN_STRATEGY_RESOURCE_UNROLLED)
    return FALSE;
  for (gsize o = 0; o < n; o++)
    {
      gboolean fed = FALSE;

      for (gsize i = 0; i < raw->n / n && !fed; i++)
        fed = ((const gint64 *) raw->data)[i * n + o] != 0;
      if (!fed && types[o].width > 0)
        {
          types[o].width = 0;
          marked = TRUE;
        }
    }
  return marked;
}

/* Narrows @types of @n elements, as node @from hands them on, by it and those before it. */
static gboolean
narrow_from (const NnCostedLayer *l,
             guint                from,
             gboolean             dense,
             NnType              *types,
             gsize                n)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (l->design));
  gboolean told = FALSE;

  for (;;)
    {
      const NnNode *node = nn_graph_node (graph, from);
      const NnShape *shape = &node->shape;

      if (narrow_by_quantizer (node, types, n, dense || shape->rank == 0 ? 0 : shape->dims[shape->rank - 1]))
        told = TRUE;
      if (dense && node->op == NN_OP_DENSE && shape->rank == 1 && mark_constants (l, from, types, n))
        told = TRUE;
      if (!is_elementwise (node) || node->n_inputs != 1)
        return told;
      from = node->inputs[0];
    }
}

static NnType *
types_of (NnType base,
          gsize  n)
{
  NnType *types = g_new (NnType, n);

  for (gsize i = 0; i < n; i++)
    types[i] = base;
  return types;
}

static NnType *
input_types (const NnCostedLayer *l,
             gsize                n,
             gboolean             by_element)
{
  g_autofree NnType *types = NULL;

  if (l->stream || n == 0 || l->node->n_inputs != 1 || l->plan->strategy == NN_STRATEGY_RESOURCE
      || l->plan->strategy == NN_STRATEGY_RESOURCE_UNROLLED || l->plan->input.kind != NN_TYPE_FIXED)
    return NULL;
  types = types_of (l->plan->input, n);
  return narrow_from (l, l->node->inputs[0], by_element, types, n) ? g_steal_pointer (&types) : NULL;
}

/**
 * nn_layer_input_types:
 * @n: inputs of the layer's matrix
 *
 * Returns: (nullable) (transfer full) (array length=n): a type for each input; %NULL where they are all the plan's
 */
NnType *
nn_layer_input_types (const NnCostedLayer *l,
                      gsize                n)
{
  const NnNode *node = l->node;

  return input_types (l, n, node->op == NN_OP_DENSE && l->positions <= 1);
}

/* The same of a layer that works element by element, with as many inputs as outputs. */
NnType *
nn_layer_element_types (const NnCostedLayer *l,
                        gsize                n)
{
  return input_types (l, n, TRUE);
}

/**
 * nn_layer_output_bits:
 *
 * Returns: bits of all elements that a layer hands on at once, constants left out
 */
double
nn_layer_output_bits (const NnCostedLayer *l)
{
  gsize n = (gsize) l->elements;
  NnType result = l->plan->result;
  g_autofree NnType *types = NULL;
  double bits = 0;

  if (l->stream || l->node->shape.rank != 1 || n == 0 || result.kind != NN_TYPE_FIXED)
    return l->elements * MAX (result.width, 1);
  types = types_of (result, n);
  narrow_from (l, l->i, TRUE, types, n);
  for (gsize i = 0; i < n; i++)
    bits += types[i].width;
  return bits;
}
