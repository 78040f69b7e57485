/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantisers that belong to a layer's input, sum or output become layers of their own (HGQ). */

#include "nn-passes-private.h"

static void
add_quantizer (NnRewrite         *rewrite,
               const NnNode      *origin,
               const char        *suffix,
               const NnQuantizer *quantizer,
               guint             *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", origin->name, suffix);
  NnNode *node = nn_rewrite_add (rewrite, NN_OP_QUANTIZE, nn_rewrite_name (rewrite, wanted), "FixedPointQuantizer", *index, origin,
                                 index);

  node->attrs.quantizer = nn_graph_builder_quantizer (rewrite->builder, quantizer);
}

/* A type for each element needs a layer of its own; the activation before it is only as wide as it must be. */
static gboolean
has_own_layer (const NnNode *node)
{
  return node->attrs.quantizer != NULL && node->attrs.quantizer->per_element != NULL && node->op != NN_OP_INPUT &&
         node->op != NN_OP_QUANTIZE && !nn_op_is_recurrent (node->op) && node->attrs.act != NN_ACT_QUANTIZED;
}

static void
add_activation (NnRewrite    *rewrite,
                const NnNode *node,
                NnQuantizer  *quantizer,
                guint        *index)
{
  g_autofree char *wanted = g_strdup_printf ("%s_%s", node->name, nn_act_name (node->attrs.act));
  NnNode *act = nn_rewrite_add (rewrite, NN_OP_ACTIVATION, nn_rewrite_name (rewrite, wanted),
                                node->attrs.act == NN_ACT_SOFTMAX ? "Softmax" : "Activation", *index, node, index);

  act->attrs.act = node->attrs.act;
  act->attrs.alpha = node->attrs.alpha;
  act->attrs.max_value = node->attrs.max_value;
  act->attrs.threshold = node->attrs.threshold;
  act->attrs.slope = node->attrs.slope;
  act->attrs.shift = node->attrs.shift;
  act->attrs.axis = -1;
  act->attrs.quantizer = quantizer;
}

/* The copy of node @i that reads its inputs, the first through a quantiser of its own where it has one. */
static NnNode *
copy_behind_quantizer (NnRewrite *rewrite,
                       guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  guint index;
  NnNode *copy;

  if (node->attrs.input_quantizer == NULL || node->n_inputs != 1)
    return nn_rewrite_copy (rewrite, i);
  index = rewrite->map[node->inputs[0]];
  add_quantizer (rewrite, node, "iq", node->attrs.input_quantizer, &index);
  copy = nn_graph_builder_add_copy (rewrite->builder, node, &index, 1);
  rewrite->map[i] = nn_graph_builder_n_nodes (rewrite->builder) - 1;
  /* a table is addressed by the bits of that type */
  if (node->op != NN_OP_UNARY_LUT)
    copy->attrs.input_quantizer = NULL;
  return copy;
}

static gboolean
split_quantizers (NnRewrite *rewrite,
                  guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  const NnAttrs *a = &node->attrs;
  gboolean own_input = a->input_quantizer != NULL && node->n_inputs == 1, own_output = has_own_layer (node);
  gboolean is_act = nn_op_info (node->op)->op_class == NN_OP_CLASS_ACTIVATION;
  NnNode *copy;
  guint index;

  if ((!own_input && !own_output && a->sum_quantizer == NULL) || node->op == NN_OP_INPUT)
    return FALSE;
  copy = copy_behind_quantizer (rewrite, i);
  index = rewrite->map[i];
  if (a->sum_quantizer != NULL)
    {
      copy->attrs.quantizer = copy->attrs.sum_quantizer = NULL;
      copy->attrs.act = is_act ? a->act : NN_ACT_LINEAR;
      add_quantizer (rewrite, node, "sum", a->sum_quantizer, &index);
      if (a->act != NN_ACT_LINEAR && !is_act)
        add_activation (rewrite, node, own_output ? NULL : nn_graph_builder_quantizer (rewrite->builder, a->quantizer), &index);
      else if (a->quantizer != NULL && !own_output)
        add_quantizer (rewrite, node, "oq", a->quantizer, &index);
    }
  else if (own_output && a->act != NN_ACT_LINEAR && !is_act)
    {
      copy->attrs.act = NN_ACT_LINEAR;
      add_activation (rewrite, node, NULL, &index);
    }
  if (own_output)
    {
      copy->attrs.quantizer = NULL;
      add_quantizer (rewrite, node, "oq", a->quantizer, &index);
    }
  rewrite->map[i] = index;
  return TRUE;
}

NnModel *
nn_pass_split_quantizers (const NnModel   *model,
                          const NnConfig  *config,
                          GError         **error)
{
  return nn_rewrite_run (model, config, split_quantizers, error);
}
