/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choosing groups for a budget, and the whole curve of it. */

#include "nn-pruner.h"

#include "nn-error.h"

#include <math.h>
#include <string.h>

/* With a budget of nothing the solver has closed all that costs: what one unit buys is what the best of it gains by unit. */
static double
first_price (const NnKnapsackProblem *problem)
{
  double best = 0;

  for (gsize g = 0; g < problem->n; g++)
    if (problem->pin[g] == 0 && problem->costs[g] > 0)
      best = MAX (best, problem->values[g] / problem->costs[g]);
  return best;
}

/**
 * nn_groups_choose:
 *
 * The most important groups that fit the budget. Groups that are cut already stay so, at no cost.
 */
NnKnapsackResult *
nn_groups_choose (const NnGroups          *groups,
                  const double            *budget,
                  const NnKnapsackOptions *options,
                  GCancellable            *cancellable,
                  double                  *price,
                  GError                 **error)
{
  NnObjective objectives[NN_N_OBJECTIVES];
  double budgets[NN_KNAPSACK_MAX_RESOURCES];
  guint m = 0;
  g_autofree double *values = g_new (double, MAX (groups->n_groups, 1)), *costs = NULL;
  g_autofree gint8 *pins = g_new (gint8, MAX (groups->n_groups, 1));
  NnKnapsackProblem problem = { .n = groups->n_groups, .values = values, .budget = budgets, .pin = pins };
  NnKnapsackResult *result;

  for (guint j = 0; j < NN_N_OBJECTIVES; j++)
    if (budget[j] >= 0 && m < NN_KNAPSACK_MAX_RESOURCES)
      {
        objectives[m] = (NnObjective) j;
        budgets[m++] = budget[j];
      }
  if (m == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "no resource is given that the groups should fit");
      return NULL;
    }
  costs = g_new (double, MAX (groups->n_groups, 1) * m);
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];

      values[g] = group->value;
      /* What is worth nothing is zero already: it goes, so that it cannot grow back unasked. */
      pins[g] = (gint8) (!group->kept || (group->value == 0 && group->pin == 0) ? -1 : group->pin);
      for (guint j = 0; j < m; j++)
        costs[g * m + j] = nn_group_cost (group, objectives[j]);
    }
  problem.n_resources = m;
  problem.costs = costs;
  result = nn_knapsack_solve (&problem, options, cancellable, error);
  if (price != NULL)
    memset (price, 0, sizeof *price * NN_N_OBJECTIVES);
  for (guint j = 0; price != NULL && result != NULL && j < m; j++)
    price[objectives[j]] = m == 1 && budgets[0] == 0 ? first_price (&problem) : result->price[j];
  return result;
}

/**
 * nn_frontier:
 *
 * Budgets from nothing to all of what the groups take, in equal parts of every resource of @objective. Importance must have
 * been set with nn_groups_score(). A curve that was cancelled ends where it was.
 *
 * Returns: (transfer full) (element-type NnFrontierPoint)
 */
GArray *
nn_frontier (const NnGroups *groups,
             guint           objective,
             guint           n_points,
             GCancellable   *cancellable,
             GError        **error)
{
  g_autoptr (GArray) points = g_array_new (FALSE, TRUE, sizeof (NnFrontierPoint));
  double total[NN_N_OBJECTIVES] = { 0 }, budget[NN_N_OBJECTIVES], price[NN_N_OBJECTIVES];
  NnKnapsackOptions options;

  nn_knapsack_options_init (&options);
  for (gsize g = 0; g < groups->n_groups; g++)
    for (guint j = 0; groups->groups[g].kept && j < NN_N_OBJECTIVES; j++)
      total[j] += nn_group_cost (&groups->groups[g], (NnObjective) j);
  for (guint i = 0; i < n_points && !g_cancellable_is_cancelled (cancellable); i++)
    {
      double fraction = n_points > 1 ? (double) i / (n_points - 1) : 1;
      NnFrontierPoint point = { 0 };
      g_autoptr (NnKnapsackResult) result = NULL;

      for (guint j = 0; j < NN_N_OBJECTIVES; j++)
        budget[j] = (objective >> j & 1) != 0 ? total[j] * fraction : -1;
      result = nn_groups_choose (groups, budget, &options, cancellable, price, error);
      if (result == NULL)
        return NULL;
      for (guint j = 0; j < NN_N_RESOURCES; j++)
        {
          point.budget.amount[j] = budget[j];
          point.price[j] = price[j];
        }
      for (guint j = NN_N_RESOURCES; j < NN_N_OBJECTIVES; j++)
        {
          point.other_budget[j - NN_N_RESOURCES] = budget[j];
          point.other_price[j - NN_N_RESOURCES] = price[j];
        }
      point.value = result->value;
      point.bound = result->bound;
      point.gap = result->gap;
      point.status = result->status;
      point.n_kept = result->n_kept;
      point.seconds = result->seconds;
      g_array_append_val (points, point);
    }
  return g_steal_pointer (&points);
}

static void
cut (const NnGroup *group,
     const guint32 *indices,
     NnTensor      *values,
     NnTensor      *mask)
{
  for (guint k = 0; k < group->n; k++)
    {
      nn_tensor_f32 (values)[indices[group->first + k]] = 0;
      nn_tensor_u8 (mask)[indices[group->first + k]] = 0;
    }
}

NnModel *
nn_groups_apply (const NnGroups *groups,
                 const NnModel  *model,
                 const guint8   *keep)
{
  guint n = nn_model_n_weights (model);
  g_autofree NnTensor **values = g_new0 (NnTensor *, MAX (n, 1)), **masks = g_new0 (NnTensor *, MAX (n, 1));
  NnModel *result;

  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];
      const NnWeight *weight = nn_model_weight (model, group->weight);

      if (keep[g])
        continue;
      if (values[group->weight] == NULL)
        {
          values[group->weight] = nn_tensor_copy (weight->values);
          masks[group->weight] = weight->mask != NULL ? nn_tensor_copy (weight->mask)
                                                      : nn_tensor_new (NN_DTYPE_U8, &weight->values->shape);
          if (weight->mask == NULL)
            memset (masks[group->weight]->data, 1, masks[group->weight]->n);
        }
      cut (group, groups->indices, values[group->weight], masks[group->weight]);
    }
  result = nn_model_with_weights (model, values, masks);
  for (guint i = 0; i < n; i++)
    {
      g_clear_pointer (&values[i], nn_tensor_unref);
      g_clear_pointer (&masks[i], nn_tensor_unref);
    }
  return result;
}

static gboolean
is_pruned (const NnModel *model,
           const NnNode  *node)
{
  for (guint k = 0; k < node->n_weights; k++)
    {
      const NnTensor *mask = nn_model_weight (model, node->weights[k])->mask;

      if (mask != NULL && memchr (mask->data, 0, mask->n) != NULL)
        return TRUE;
    }
  return FALSE;
}

NnConfig *
nn_config_for_pruned (const NnConfig *config,
                      const NnModel  *model,
                      GError        **error)
{
  g_autoptr (NnDesign) design = nn_design_new (model, config, error);
  const NnGraph *lowered, *source = nn_model_graph (model);
  g_autoptr (NnConfig) result = NULL;

  if (design == NULL)
    return NULL;
  result = nn_config_copy (config);
  lowered = nn_model_graph (nn_design_model (design));
  for (guint i = 0; i < nn_graph_n_nodes (lowered); i++)
    {
      const NnNode *node = nn_graph_node (lowered, i);
      guint origin;

      if (nn_op_is_prunable (node->op) && nn_design_plan (design, i)->strategy == NN_STRATEGY_RESOURCE &&
          nn_design_plan (design, i)->reuse_factor > 1 &&
          (nn_graph_find (source, node->origin, &origin) || nn_graph_find (source, node->name, &origin)) &&
          is_pruned (model, nn_graph_node (source, origin)))
        nn_config_layer (result, node->name)->strategy = NN_STRATEGY_RESOURCE_UNROLLED;
    }
  return g_steal_pointer (&result);
}
