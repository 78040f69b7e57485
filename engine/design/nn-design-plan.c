/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes of a layer's matrix, its strategy and its reuse factor. */

#include "nn-design-private.h"

#include "nn-config-private.h"
#include "nn-error.h"
#include "nn-reuse.h"
#include "nn-text.h"

#include <stdlib.h>

#define DEFAULT_TABLE_SIZE 1024       /* hls4ml, fpga_backend.py */
#define LAYER_NORM_TABLE_SIZE 4096    /* hls4ml, vivado_backend.py */
#define MAX_TABLE_SIZE (1u << 20)
#define CYCLES_PER_OUTPUT 6           /* hls4ml, set_target_reuse_factor */

/**
 * nn_plan_level:
 * @level: 0 the layer, 1 its class, 2 the model
 *
 * Returns: (nullable): what is set there
 */
const NnLayerConfig *
nn_plan_level (const NnPlanning *planning,
               const NnNode     *node,
               guint             level)
{
  const NnConfig *config = planning->config;

  switch (level)
    {
    case 0:
      return g_hash_table_lookup (config->layers, node->name);
    case 1:
      {
        const NnLayerConfig *of_class = g_hash_table_lookup (config->types, node->class_name);

        /* other frameworks' words for the same operator */
        return of_class != NULL ? of_class : g_hash_table_lookup (config->types, nn_op_info (node->op)->name);
      }
    default:
      return config->model;
    }
}

static gsize
row_size (const NnPlanning *planning,
          const NnNode     *node,
          NnRole            role)
{
  const NnWeight *kernel = nn_model_node_weight (planning->model, node, role);
  gint64 out = kernel != NULL ? nn_shape_last (&kernel->values->shape) : 0;

  return out > 0 ? kernel->values->n / (gsize) out : 0;
}

static void
plan_matrix (const NnPlanning *planning,
             const NnNode     *node,
             NnLayerPlan      *p)
{
  const NnWeight *kernel = nn_model_node_weight (planning->model, node, NN_ROLE_KERNEL);
  gsize channels = (gsize) MAX (nn_shape_last (&node->shape), 1);

  p->n_positions = (guint) (nn_shape_count (&node->shape) / channels);
  if (kernel == NULL)
    return;
  p->n_out = (guint) nn_shape_last (&kernel->values->shape);
  if (node->op == NN_OP_DEPTHWISE_CONV1D || node->op == NN_OP_DEPTHWISE_CONV2D || nn_op_is_transposed (node->op))
    p->n_out = (guint) channels;
  p->n_in = p->n_out > 0 ? (guint) (kernel->values->n / p->n_out) : 0;
  if (nn_op_is_recurrent (node->op))
    {
      p->n_positions = (guint) MAX (nn_graph_node (planning->graph, node->inputs[0])->shape.dims[0], 1);
      p->recurrent_n_in = (guint) row_size (planning, node, NN_ROLE_RECURRENT_KERNEL);
    }
}

/* hls4ml's limit on the largest factor: the unrolled kernel does not take "one multiplier for the whole matrix". */
static guint
snap (NnPlanning   *planning,
      const NnNode *node,
      NnStrategy    strategy,
      guint         n_in,
      guint         n_out,
      guint         wanted,
      const char   *what)
{
  guint reuse = nn_reuse_nearest (n_in, n_out, wanted);

  if (strategy == NN_STRATEGY_RESOURCE_UNROLLED && reuse == n_in * n_out && reuse > 1)
    {
      g_autoptr (GArray) valid = nn_reuse_valid (n_in, n_out);

      reuse = valid->len > 1 ? g_array_index (valid, guint, valid->len - 2) : 1;
    }
  if (reuse != wanted)
    nn_design_warn (planning->design, "layer \"%s\": a %sreuse factor of %u does not divide its %u × %u weights; %u is used",
                    node->name, what, wanted, n_in, n_out, reuse);
  return reuse;
}

static guint
wanted_reuse (const NnPlanning  *planning,
              const NnNode      *node,
              const NnLayerPlan *p)
{
  for (guint level = 0; level < 3; level++)
    {
      const NnLayerConfig *c = nn_plan_level (planning, node, level);

      if (c != NULL && c->reuse_factor > 0)
        return c->reuse_factor;
      if (c != NULL && c->target_cycles > 0)
        {
          guint outputs = node->op == NN_OP_DENSE ? p->n_out : MAX (p->n_positions, 1);

          return c->target_cycles > (CYCLES_PER_OUTPUT + 1) * outputs ? c->target_cycles / outputs - CYCLES_PER_OUTPUT : 1;
        }
    }
  return 1;
}

static gboolean
is_resource (NnStrategy strategy)
{
  return strategy == NN_STRATEGY_RESOURCE || strategy == NN_STRATEGY_RESOURCE_UNROLLED || strategy == NN_STRATEGY_COMPRESSED;
}

static guint
ceil_div (guint64 a,
          guint64 b)
{
  return (guint) ((a + b - 1) / b);
}

static void
plan_reuse (NnPlanning   *planning,
            const NnNode *node,
            NnLayerPlan  *p)
{
  guint recurrent = 1;

  p->strategy = nn_config_strategy (planning->config, node->name, node->class_name);
  p->wanted_reuse_factor = p->reuse_factor = wanted_reuse (planning, node, p);
  if (p->n_in == 0 || p->n_out == 0)
    return;
  if (p->strategy == NN_STRATEGY_RESOURCE_UNROLLED && p->wanted_reuse_factor == 1)
    p->strategy = NN_STRATEGY_RESOURCE;
  if (p->strategy == NN_STRATEGY_DISTRIBUTED_ARITHMETIC && p->wanted_reuse_factor != 1)
    {
      nn_design_warn (planning->design, "layer \"%s\": distributed arithmetic works on all weights at once; reuse factor 1 is used",
                      node->name);
      p->reuse_factor = 1;
    }
  if (is_resource (p->strategy))
    p->reuse_factor = snap (planning, node, p->strategy, p->n_in, p->n_out, p->wanted_reuse_factor, "");
  p->block_factor = ceil_div ((guint64) p->n_in * p->n_out, p->reuse_factor);
  if (p->recurrent_n_in == 0)
    return;
  for (guint level = 3; level-- > 0;)
    {
      const NnLayerConfig *c = nn_plan_level (planning, node, level);

      if (c != NULL && c->recurrent_reuse_factor > 0)
        recurrent = c->recurrent_reuse_factor;
    }
  p->recurrent_reuse_factor = recurrent;
  if (is_resource (p->strategy))
    p->recurrent_reuse_factor = snap (planning, node, p->strategy, p->recurrent_n_in, p->n_out, recurrent, "recurrent ");
  p->recurrent_block_factor = ceil_div ((guint64) p->recurrent_n_in * p->n_out, p->recurrent_reuse_factor);
}

/* hls4ml: the number of partitions divides the positions and is at most half of them, or all of them. */
static void
plan_parallelization (NnPlanning   *planning,
                      const NnNode *node,
                      NnLayerPlan  *p)
{
  guint wanted = 1, best = 1;

  for (guint level = 3; level-- > 0;)
    {
      const NnLayerConfig *c = nn_plan_level (planning, node, level);

      if (c != NULL && c->parallelization_factor > 0)
        wanted = c->parallelization_factor;
    }
  for (guint factor = 1; factor <= p->n_positions; factor++)
    if (p->n_positions % factor == 0 && ABS ((gint64) factor - wanted) < ABS ((gint64) best - wanted))
      best = factor;
  p->parallelization = best;
  if (best != wanted && p->n_positions > 1 && p->n_in > 0)
    nn_design_warn (planning->design, "layer \"%s\": %u positions at once do not divide its %u; %u are used", node->name,
                    wanted, p->n_positions, best);
}

static gboolean
plan_table (const NnPlanning  *planning,
            const NnNode      *node,
            NnLayerPlan       *p,
            GError           **error)
{
  p->table_size = node->op == NN_OP_LAYER_NORM ? LAYER_NORM_TABLE_SIZE : DEFAULT_TABLE_SIZE;
  p->softmax = NN_SOFTMAX_STABLE;
  for (guint level = 3; level-- > 0;)
    {
      const NnLayerConfig *c = nn_plan_level (planning, node, level);

      if (c == NULL)
        continue;
      if (c->table_size > 0)
        p->table_size = c->table_size;
      if (c->softmax != NN_SOFTMAX_UNSET)
        p->softmax = c->softmax;
      if (c->skip >= 0)
        p->skip = c->skip;
    }
  if (p->table_size >= 2 && p->table_size <= MAX_TABLE_SIZE)
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "layer \"%s\": a table of %u entries is not possible; 2 to %u are",
               node->name, p->table_size, MAX_TABLE_SIZE);
  return FALSE;
}

gboolean
nn_plan_sizes (NnPlanning  *planning,
               guint        i,
               GError     **error)
{
  const NnNode *node = nn_graph_node (planning->graph, i);
  NnLayerPlan *p = &planning->design->plans[i];

  plan_matrix (planning, node, p);
  plan_reuse (planning, node, p);
  plan_parallelization (planning, node, p);
  return plan_table (planning, node, p, error);
}
