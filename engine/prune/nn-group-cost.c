/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a group takes in hardware while it lives. */

#include "nn-groups-private.h"

#include "nn-estimate.h"

#include <string.h>

/* Words of a RAMB18 that is 36 bits wide [AMD UG573]. */
#define BRAM_DEPTH 512
#define BRAM_BITS 36
/* A product is made by a DSP from this many digits on; fewer are one addition at most (Vitis 2021.1, 61 of 61 layers). */
#define DSP_DIGITS 3

static int
compare_raw (const void *a,
             const void *b)
{
  gint64 ra = *(const gint64 *) a, rb = *(const gint64 *) b;

  return ra < rb ? -1 : ra > rb;
}

/* How often @value stands in the sorted @row. */
static guint
count_equal (const gint64 *row,
             gsize         n,
             gint64        value)
{
  gsize low = 0, high = n;
  guint count = 0;

  while (low < high)
    {
      gsize mid = low + (high - low) / 2;

      if (row[mid] < value)
        low = mid + 1;
      else
        high = mid;
    }
  while (low + count < n && row[low + count] == value)
    count++;
  return count;
}

/* DSPs of each weight of a Latency matrix: equal weights on one input share one, few digits need none. (transfer full) */
static double *
latency_shares (const NnGroupMatrix *matrix,
                const NnTensor      *raw,
                gboolean             as_trained)
{
  const gint64 *r = raw->data;
  gsize n_in = matrix->n_in, n_out = matrix->n_out, n_zeros = 0;
  double *share = g_new0 (double, n_in * n_out), total = 0, limit;
  g_autofree gint64 *row = g_new (gint64, n_out);

  for (gsize i = 0; i < n_in; i++)
    {
      for (gsize o = 0; o < n_out; o++)
        row[o] = r[nn_group_index (matrix, o * n_in + i)];
      qsort (row, n_out, sizeof *row, compare_raw);
      for (gsize o = 0; o < n_out; o++)
        {
          gsize at = nn_group_index (matrix, o * n_in + i);
          gint64 v = r[at];

          n_zeros += v == 0;
          if (v != 0 && as_trained)
            share[at] = 1;
          else if (v != 0 && nn_csd_digits (v) >= DSP_DIGITS)
            share[at] = matrix->shares_inputs ? 1.0 / count_equal (row, n_out, v) : 1;
          total += share[at];
        }
    }
  /* hls4ml's ALLOCATION limit of the Latency kernel. */
  limit = (double) ((n_in * n_out + matrix->reuse - 1) / matrix->reuse - n_zeros / matrix->reuse);
  for (gsize k = 0; total > limit && k < n_in * n_out; k++)
    share[k] *= limit / total;
  return share;
}

static gboolean
is_in_memory (const NnGroupMatrix *matrix)
{
  return matrix->reuse > 1 && (matrix->plan->strategy == NN_STRATEGY_RESOURCE ||
                               matrix->plan->strategy == NN_STRATEGY_RESOURCE_UNROLLED);
}

/* Of a group in a Resource kernel: it frees multipliers and memory only when it covers them whole. */
static void
resource_cost (NnGroup             *group,
               const guint32       *indices,
               const NnGroupMatrix *matrix,
               NnStructure          structure,
               double               per_multiplier,
               double               parallel)
{
  double depth = (double) ((matrix->reuse + BRAM_DEPTH - 1) / BRAM_DEPTH);
  double multipliers = 0;
  guint bits, in_word = nn_bram_word ((guint) matrix->type->width, &bits);

  if (structure == NN_STRUCTURE_MULTIPLIER || structure == NN_STRUCTURE_BRAM_WORD)
    multipliers = (double) ((group->n + matrix->reuse - 1) / matrix->reuse);
  else if (structure == NN_STRUCTURE_UNSTRUCTURED || structure == NN_STRUCTURE_NEURON)
    multipliers = (double) (group->n / matrix->reuse);
  group->cost.amount[NN_RESOURCE_DSP] = multipliers * per_multiplier * parallel;
  if (!is_in_memory (matrix))
    return;
  if (structure == NN_STRUCTURE_BRAM_WORD && multipliers >= in_word)
    group->cost.amount[NN_RESOURCE_BRAM] = (double) bits / BRAM_BITS * depth;
  else
    group->cost.amount[NN_RESOURCE_BRAM] = multipliers * matrix->type->width / BRAM_BITS * depth;
}

void
nn_groups_set_costs (NnGroup             *groups,
                     gsize                n_groups,
                     const guint32       *indices,
                     const NnGroupMatrix *matrix,
                     NnStructure          structure,
                     const NnTensor      *raw,
                     const NnPart        *part,
                     gboolean             as_trained)
{
  const NnLayerPlan *plan = matrix->plan;
  gboolean is_latency = !(plan->strategy == NN_STRATEGY_RESOURCE || plan->strategy == NN_STRATEGY_RESOURCE_UNROLLED);
  double parallel = MAX (plan->parallelization, 1);
  double per_multiplier = plan->product == NN_PRODUCT_MULT && plan->strategy != NN_STRATEGY_DISTRIBUTED_ARITHMETIC
                              ? nn_multiplier_dsp (part, &plan->input, matrix->type)
                              : 0;
  double bits = (double) MAX (plan->input.width, 1) * MAX (matrix->type->width, 1) * MAX (plan->n_positions, 1);
  g_autofree double *share = NULL;

  if (is_latency && raw != NULL && per_multiplier > 0)
    share = latency_shares (matrix, raw, as_trained);
  for (gsize g = 0; g < n_groups; g++)
    {
      NnGroup *group = &groups[g];
      const float *values = nn_tensor_f32 (matrix->source->values);
      double live = 0;

      for (guint k = 0; k < group->n; k++)
        live += values[indices[group->first + k]] != 0;
      group->other[NN_OBJECTIVE_PARAMETERS - NN_N_RESOURCES] = live;
      group->other[NN_OBJECTIVE_BOPS - NN_N_RESOURCES] = live * bits;
      if (live == 0)
        continue;
      if (!is_latency)
        resource_cost (group, indices, matrix, structure, per_multiplier, parallel);
      for (guint k = 0; share != NULL && k < group->n; k++)
        group->cost.amount[NN_RESOURCE_DSP] += share[indices[group->first + k]] * per_multiplier * parallel;
    }
}

/* The same design with nothing left in its prunable weights. */
static NnDesign *
make_empty (const NnDesign *design,
            const NnGroups *groups,
            GError        **error)
{
  const NnModel *source = nn_design_source (design);
  guint n = nn_model_n_weights (source);
  g_autofree NnTensor **values = g_new0 (NnTensor *, n), **masks = g_new0 (NnTensor *, n);
  g_autoptr (NnModel) empty = NULL;

  for (guint i = 0; i < n; i++)
    {
      values[i] = nn_model_weight (source, i)->values;
      masks[i] = nn_model_weight (source, i)->mask;
    }
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      guint id = groups->groups[g].weight;

      if (values[id] == nn_model_weight (source, id)->values)
        values[id] = nn_tensor_new (NN_DTYPE_F32, &values[id]->shape);
    }
  empty = nn_model_with_weights (source, values, masks);
  for (guint i = 0; i < n; i++)
    if (values[i] != nn_model_weight (source, i)->values)
      nn_tensor_unref (values[i]);
  return nn_design_new (empty, nn_design_config (design), error);
}

gboolean
nn_groups_share_estimate (NnGroups       *groups,
                          const NnDesign *design,
                          GError        **error)
{
  g_autoptr (NnDesign) empty = make_empty (design, groups, error);
  g_autoptr (NnEstimate) now = NULL, without = NULL;
  g_autofree double *live = NULL;

  if (empty == NULL || (now = nn_estimate (design, NULL, error)) == NULL ||
      (without = nn_estimate (empty, NULL, error)) == NULL)
    return FALSE;
  live = g_new0 (double, groups->n_nodes);
  for (gsize g = 0; g < groups->n_groups; g++)
    live[groups->groups[g].node] += nn_group_cost (&groups->groups[g], NN_OBJECTIVE_PARAMETERS);
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      NnGroup *group = &groups->groups[g];
      const NnCost *a = &now->layers[group->node], *b = &without->layers[group->node];
      double part = nn_group_cost (group, NN_OBJECTIVE_PARAMETERS) / MAX (live[group->node], 1);

      if (now->n_layers != without->n_layers || part == 0)
        continue;
      for (NnResource r = NN_RESOURCE_LUT; r <= NN_RESOURCE_FF; r++)
        group->cost.amount[r] = MAX (a->resource[r].value - b->resource[r].value, 0) * part;
      group->other[NN_OBJECTIVE_LATENCY - NN_N_RESOURCES] = MAX (a->latency.value - b->latency.value, 0) * part;
      group->other[NN_OBJECTIVE_ENERGY - NN_N_RESOURCES] = MAX (a->energy_nj.value - b->energy_nj.value, 0) * part;
    }
  return TRUE;
}
