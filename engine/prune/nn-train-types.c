/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The number types that training reckons with, as a configuration of the hardware has them. */

#include "nn-train-types.h"

static const struct {
  NnRole      role;
  const char *variable;
} variables[] = {
  { NN_ROLE_KERNEL, "weight" },
  { NN_ROLE_DEPTHWISE_KERNEL, "weight" },
  { NN_ROLE_POINTWISE_KERNEL, "weight" },
  { NN_ROLE_BIAS, "bias" },
  { NN_ROLE_RECURRENT_KERNEL, "recurrent_weight" },
};

static gboolean
is_number (const NnType *type)
{
  return type->kind != NN_TYPE_AUTO && type->kind != NN_TYPE_FLOAT;
}

static void
add_type (GArray     *types,
          const char *layer,
          gint        role,
          NnType      type)
{
  const NnTrainType wanted = { layer, role, type };

  if (is_number (&type))
    g_array_append_val (types, wanted);
}

/* What a layer gives out: of its activation, which is a layer of its own to hls4ml, where that is set. */
static NnType
result_of (const NnConfig *config,
           const NnNode   *node)
{
  g_autofree char *act = g_strdup_printf ("%s_%s", node->name, nn_act_name (node->attrs.act));
  NnType type;

  if (node->op != NN_OP_ACTIVATION && node->attrs.act != NN_ACT_LINEAR &&
      nn_config_has_precision (config, act, "Activation", "result", &type))
    return type;
  return nn_config_precision (config, node->name, node->class_name, "result");
}

/**
 * nn_train_types_new:
 * @config: of the hardware
 * @model: whose names the types borrow
 *
 * Softmax keeps its real probabilities: the loss goes straight to what it reads.
 *
 * Returns: (transfer full) (element-type NnTrainType): for NnTrainOptions, as long as @model lives
 */
GArray *
nn_train_types_new (const NnConfig *config,
                 const NnModel  *model)
{
  const NnGraph *graph = nn_model_graph (model);
  GArray *types = g_array_new (FALSE, FALSE, sizeof (NnTrainType));

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      guint id;

      if (node->op == NN_OP_INPUT || node->op == NN_OP_BATCH_NORM)
        continue;
      for (guint k = 0; k < G_N_ELEMENTS (variables); k++)
        if (nn_model_node_weight_id (model, node, variables[k].role, &id))
          add_type (types, node->name, variables[k].role,
                    nn_config_precision (config, node->name, node->class_name, variables[k].variable));
      if (node->attrs.act != NN_ACT_SOFTMAX)
        add_type (types, node->name, NN_TRAIN_RESULT, result_of (config, node));
    }
  return types;
}
