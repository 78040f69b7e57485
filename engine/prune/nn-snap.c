/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stages after the loop. Snapping: in the Latency strategy a product by a constant of one or two signed digits is a shift or
 * one addition, not a DSP; so a weight may be kept, moved to the nearest such value, or cut. With DSPs as the only resource
 * moving is never worse than cutting (it costs nothing either, and 0 is such a value), so the choice of three is one of two,
 * and an ordinary knapsack solves it: which weights are worth their DSP. Sharing: nearly equal weights become their mean.
 */

#include "nn-snap.h"

#include "nn-error.h"
#include "nn-prune-run.h"

#include <math.h>
#include <string.h>

/* Shares of the DSPs at hand that may remain, in the order tried. */
static const double shares_left[] = { 0, 0.02, 0.05, 0.1, 0.2, 0.4 };
/* How far apart weights that become one may be, in deviations of their layer; in the order tried. */
static const double spreads[] = { 0.5, 0.25, 0.12, 0.06, 0.03 };
/* Middle of a step of the number type: what a folded scale rounds it to does not matter. */
#define MIDDLE 0.25

static gint64
nearest_power (gint64 value)
{
  gint64 power = 1;

  while (power * 2 <= value)
    power *= 2;
  return value - power > power * 2 - value ? power * 2 : power;
}

gint64
nn_snap_raw (gint64        raw,
             const NnType *type)
{
  gint64 low, high, value = ABS (raw), best = 0, first = 1;
  int sign = raw < 0 ? -1 : 1;

  nn_type_raw_range (type, &low, &high);
  if (raw == 0)
    return 0;
  while (first * 2 <= value)
    first *= 2;
  /* One digit is the power below or the one above; the other the power nearest to what is left. */
  for (guint above = 0; above < 2; above++, first *= 2)
    {
      gint64 rest = value - first, second = rest == 0 ? 0 : nearest_power (ABS (rest)) * (rest < 0 ? -1 : 1);
      const gint64 candidates[] = { first + second, first };

      for (guint c = 0; c < G_N_ELEMENTS (candidates); c++)
        if (sign * candidates[c] >= low && sign * candidates[c] <= high && ABS (candidates[c] - value) < ABS (best - value))
          best = candidates[c];
    }
  return sign * best;
}

gint64
nn_snap_power (gint64        raw,
               const NnType *type)
{
  gint64 low, high, power = ABS (raw), value;

  if (raw == 0)
    return 0;
  nn_type_raw_range (type, &low, &high);
  power = nearest_power (power);
  value = raw < 0 ? -power : power;
  return value < low || value > high ? value / 2 : value;
}

/* A weight of the Latency strategy that takes a DSP now. */
typedef struct {
  guint   weight;
  guint32 index;
  float   to;     /* the value that takes none */
  double  damage; /* what moving it is thought to cost the loss */
  double  dsp;
} Candidate;

static NnTensor **
fisher (const NnPruneRun *run,
        const NnModel    *model,
        GError          **error)
{
  gsize n = MIN (nn_dataset_n (run->data, NN_SPLIT_TRAIN), 2048);
  NnTensor *x = NULL, *y = NULL;
  NnTensor **result;

  nn_dataset_read_batch (run->data, NN_SPLIT_TRAIN, NULL, 0, n, &x, &y);
  result = nn_fisher_diagonal (model, x, y, &run->options->train, error);
  nn_tensor_unref (x);
  nn_tensor_unref (y);
  return result;
}

static void
free_tensors (NnTensor **tensors,
              guint      n)
{
  for (guint i = 0; tensors != NULL && i < n; i++)
    g_clear_pointer (&tensors[i], nn_tensor_unref);
  g_free (tensors);
}

static NnGroups *
single_weights (const NnPruneRun *run,
                const NnDesign   *design,
                GError          **error)
{
  NnGroupOptions options;

  nn_group_options_init (&options);
  options.structure = NN_STRUCTURE_UNSTRUCTURED;
  options.leave = run->options->leave;
  options.objectives = 1u << NN_OBJECTIVE_DSP;
  return nn_groups_new_full (design, &options, error);
}

static gboolean
is_latency (const NnLayerPlan *plan)
{
  return plan->strategy == NN_STRATEGY_LATENCY || plan->strategy == NN_STRATEGY_UNSET;
}

/**
 * nn_snap_find:
 *
 * What hardware holds for the single weight of group @g. FALSE where it is not of the Latency strategy or not fixed-point.
 */
gboolean
nn_snap_find (const NnDesign *design,
              const NnGroups *groups,
              gsize           g,
              NnHeld         *held)
{
  const NnGroup *group = &groups->groups[g];
  const NnLayerPlan *plan = nn_design_plan (design, group->node);
  const NnModel *lowered = nn_design_model (design);
  const NnWeight *source = nn_model_weight (nn_design_source (design), group->weight), *twin;
  const NnNode *node = nn_graph_node (nn_model_graph (lowered), group->node);
  NnRole role = nn_model_node_weight (lowered, node, source->role) != NULL ? source->role : NN_ROLE_KERNEL;
  const NnTensor *raw = nn_design_raw (design, group->node, role);
  guint32 index = groups->indices[group->first];
  double w = nn_tensor_f32 (source->values)[index];

  twin = nn_model_node_weight (lowered, node, role);
  held->type = source->role == NN_ROLE_RECURRENT_KERNEL ? &plan->recurrent_weight : &plan->weight;
  if (!is_latency (plan) || raw == NULL || twin == NULL || held->type->kind != NN_TYPE_FIXED)
    return FALSE;
  held->raw = ((const gint64 *) raw->data)[index];
  held->scale = w != 0 ? nn_tensor_f32 (twin->values)[index] / w : 1;
  return held->scale != 0 && isfinite (held->scale);
}

/* The value in the source network that hardware holds as @raw. */
double
nn_snap_value (const NnHeld *held,
               gint64        raw)
{
  if (held->scale == 1)
    return nn_type_real (held->type, raw);
  return (nn_type_real (held->type, raw) + MIDDLE * nn_type_lsb (held->type)) / held->scale;
}

/* The integer of the type nearest to a value of the source network. */
gint64
nn_snap_nearest (const NnHeld *held,
                 double        value)
{
  double raw = round (value * held->scale / nn_type_lsb (held->type));
  gint64 low, high;

  nn_type_raw_range (held->type, &low, &high);
  return (gint64) CLAMP (raw, (double) low, (double) high);
}

static GArray *
find_candidates (const NnPruneRun *run,
                 const NnModel    *model,
                 GError          **error)
{
  g_autoptr (NnDesign) design = nn_design_new (model, run->config, error);
  g_autoptr (NnGroups) groups = NULL;
  g_autoptr (GArray) candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  NnTensor **sensitivity;

  if (design == NULL || (groups = single_weights (run, design, error)) == NULL ||
      (sensitivity = fisher (run, model, error)) == NULL)
    return NULL;
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];
      guint32 index = groups->indices[group->first];
      Candidate c = { .weight = group->weight, .index = index, .dsp = group->cost.amount[NN_RESOURCE_DSP] };
      NnHeld held;
      double d;

      if (c.dsp <= 0 || !nn_snap_find (design, groups, g, &held))
        continue;
      c.to = (float) nn_snap_value (&held, nn_snap_raw (held.raw, held.type));
      d = c.to - nn_tensor_f32 (nn_model_weight (model, group->weight)->values)[index];
      c.damage = 0.5 * (sensitivity[group->weight] != NULL ? fabs (nn_tensor_get (sensitivity[group->weight], index)) : 1) * d * d;
      g_array_append_val (candidates, c);
    }
  free_tensors (sensitivity, nn_model_n_weights (model));
  return g_steal_pointer (&candidates);
}

/* @model with the candidates of weight @id that are not kept at their new values, and that weight no longer trainable. */
static NnModel *
move_weight (const NnModel *model,
             const GArray  *candidates,
             const guint8  *keep,
             guint          id,
             gsize         *n_moved,
             GError       **error)
{
  guint n = nn_model_n_weights (model);
  g_autofree NnWeight *weights = g_new (NnWeight, MAX (n, 1));
  g_autoptr (NnTensor) values = nn_tensor_copy (nn_model_weight (model, id)->values);

  for (guint i = 0; i < n; i++)
    weights[i] = *nn_model_weight (model, i);
  for (guint k = 0; k < candidates->len; k++)
    {
      const Candidate *c = &g_array_index (candidates, Candidate, k);

      if (c->weight != id || keep[k])
        continue;
      nn_tensor_f32 (values)[c->index] = c->to;
      ++*n_moved;
    }
  weights[id].values = values;
  weights[id].trainable = FALSE;
  return nn_model_new (nn_model_graph (model), weights, n, nn_model_info (model), error);
}

/* Values and masks of @tuned in the network as it was, where all that is trainable is. */
static NnModel *
thaw (const NnModel *model,
      const NnModel *tuned)
{
  guint n = nn_model_n_weights (model);
  g_autofree NnTensor **values = g_new0 (NnTensor *, MAX (n, 1));

  for (guint i = 0; i < n; i++)
    values[i] = nn_model_weight (tuned, i)->values;
  return nn_model_with_weights (model, values, NULL);
}

static guint
next_weight (const GArray *candidates,
             guint         after)
{
  guint next = G_MAXUINT;

  for (guint k = 0; k < candidates->len; k++)
    {
      guint id = g_array_index (candidates, Candidate, k).weight;

      if ((after == G_MAXUINT || id > after) && id < next)
        next = id;
    }
  return next;
}

/*
 * Layer by layer: a layer's weights move and are frozen, then the rest of the network learns to make up for it; a layer
 * that has been trained since its candidates were found has them found again. At last all but the biases is frozen.
 */
static NnModel *
move_all (const NnPruneRun *run,
          const NnModel    *start,
          double            left,
          NnStep           *step,
          guint64           seed,
          GError          **error)
{
  g_autoptr (NnModel) model = nn_model_ref ((NnModel *) start);
  guint epochs = MAX (run->options->fine_tune_epochs / 2, 1);
  guint id = G_MAXUINT;

  for (guint round = 0;; round++)
    {
      g_autoptr (GArray) candidates = find_candidates (run, model, error);
      g_autofree double *values = NULL, *costs = NULL;
      g_autofree guint8 *keep = NULL;
      g_autoptr (NnModel) moved = NULL;
      NnModel *tuned;
      double total = 0, budget;
      guint n = 0;

      if (candidates == NULL)
        return NULL;
      id = next_weight (candidates, id);
      if (id == G_MAXUINT)
        return thaw (start, model);
      values = g_new (double, candidates->len);
      costs = g_new (double, candidates->len);
      keep = g_malloc0 (candidates->len);
      for (guint k = 0; k < candidates->len; k++)
        if (g_array_index (candidates, Candidate, k).weight == id)
          {
            values[n] = g_array_index (candidates, Candidate, k).damage;
            total += costs[n++] = g_array_index (candidates, Candidate, k).dsp;
          }
      budget = total * left;
      {
        NnKnapsackProblem problem = { .n = n, .n_resources = 1, .values = values, .costs = costs, .budget = &budget };
        g_autoptr (NnKnapsackResult) result =
            nn_knapsack_solve (&problem, &run->options->knapsack, run->cancellable, error);

        if (result == NULL)
          return NULL;
        n = 0;
        for (guint k = 0; k < candidates->len; k++)
          if (g_array_index (candidates, Candidate, k).weight == id)
            keep[k] = result->keep[n++];
        step->n_kept += result->n_kept;
        step->n_groups += n;
        step->value += result->value;
        step->bound += result->bound;
        step->choice_seconds += result->seconds;
        step->status = MAX (step->status, result->status);
      }
      moved = move_weight (model, candidates, keep, id, &step->n_snapped, error);
      tuned = moved != NULL ? nn_prune_fine_tune (run, moved, NULL, NULL, NULL, 0, epochs, seed + round, error) : NULL;
      if (tuned == NULL)
        return NULL;
      nn_model_unref (model);
      model = tuned;
    }
}

NnStep *
nn_prune_snap (const NnPruneRun *run,
               GError          **error)
{
  const NnStep *chosen = nn_trail_step (run->trail, nn_trail_chosen (run->trail));
  guint index = nn_trail_n_steps (run->trail);
  gint64 started = g_get_monotonic_time ();
  double before = chosen->resources.amount[NN_RESOURCE_DSP];
  g_autoptr (GArray) any = find_candidates (run, chosen->model, error);

  if (any == NULL || any->len == 0)
    return NULL;
  for (guint a = 0;; a++)
    {
      g_autofree NnStep *step = g_new0 (NnStep, 1);
      g_autoptr (NnModel) moved = NULL;

      step->index = index;
      step->kind = NN_STEP_SNAP;
      moved = move_all (run, chosen->model, shares_left[a], step, run->options->seed * 1000003 + 7919 * (a + 1), error);
      if (moved == NULL || !nn_prune_measure (run, moved, step, error))
        return NULL;
      step->gap = step->bound > 0 ? (step->bound - step->value) / step->bound : 0;
      step->accepted = nn_prune_tolerable (run, step) && step->resources.amount[NN_RESOURCE_DSP] < before;
      step->target = before > 0 ? 1 - step->resources.amount[NN_RESOURCE_DSP] / before : 0;
      if (!step->accepted && a + 1 < G_N_ELEMENTS (shares_left))
        continue;
      step->model = g_steal_pointer (&moved);
      step->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
      return g_steal_pointer (&step);
    }
}

typedef struct {
  float   value;
  guint32 index;
} Member;

static int
compare_members (const void *a,
                 const void *b)
{
  const Member *ma = a, *mb = b;

  return ma->value < mb->value ? -1 : ma->value > mb->value ? 1 : ma->index < mb->index ? -1 : ma->index > mb->index;
}

/* Runs of the sorted @members that lie within @spread become their mean; zeros stay zeros. */
static void
merge (Member *members,
       gsize   n,
       float  *values,
       double  spread)
{
  qsort (members, n, sizeof *members, compare_members);
  for (gsize first = 0, next; first < n; first = next)
    {
      double sum = 0;

      for (next = first; next < n && members[next].value - members[first].value <= spread; next++)
        sum += members[next].value;
      for (gsize k = first; k < next; k++)
        values[members[k].index] = (float) (sum / (double) (next - first));
    }
}

static double
deviation (const float *values,
           gsize        n)
{
  double sum = 0;
  gsize live = 0;

  for (gsize k = 0; k < n; k++)
    if (values[k] != 0)
      {
        sum += (double) values[k] * values[k];
        live++;
      }
  return live > 0 ? sqrt (sum / (double) live) : 0;
}

/* Latency: weights on one input. Resource: the weights of a multiplier, which then needs no memory. */
static NnModel *
share_weights (const NnPruneRun *run,
               const NnModel    *model,
               double            spread,
               GError          **error)
{
  g_autoptr (NnDesign) design = nn_design_new (model, run->config, error);
  g_autoptr (NnGroups) groups = NULL;
  guint n = nn_model_n_weights (model);
  g_autofree NnTensor **values = g_new0 (NnTensor *, MAX (n, 1));
  g_autofree Member *members = NULL;
  NnModel *result;

  if (design == NULL || (groups = nn_prune_groups (run, model, run->options->seed, error)) == NULL)
    return NULL;
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      const NnGroup *group = &groups->groups[g];
      const NnTensor *old = nn_model_weight (model, group->weight)->values;
      const NnLayerPlan *plan = nn_design_plan (design, group->node);
      double rms = deviation (nn_tensor_f32 (old), old->n);
      gsize n_out = old->shape.rank > 0 ? (gsize) old->shape.dims[old->shape.rank - 1] : 1, m = 0;

      if (is_latency (plan) && values[group->weight] == NULL)
        {
          values[group->weight] = nn_tensor_copy (old);
          members = g_renew (Member, members, n_out);
          for (gsize i = 0; i < old->n / n_out; i++, m = 0)
            {
              for (gsize o = 0; o < n_out; o++)
                if (nn_tensor_f32 (old)[i * n_out + o] != 0)
                  members[m++] = (Member) { nn_tensor_f32 (old)[i * n_out + o], (guint32) (i * n_out + o) };
              merge (members, m, nn_tensor_f32 (values[group->weight]), spread * rms);
            }
        }
      if (is_latency (plan) || group->n < 2)
        continue;
      if (values[group->weight] == NULL)
        values[group->weight] = nn_tensor_copy (old);
      members = g_renew (Member, members, group->n);
      for (guint k = 0; k < group->n; k++)
        if (nn_tensor_f32 (old)[groups->indices[group->first + k]] != 0)
          members[m++] = (Member) { nn_tensor_f32 (old)[groups->indices[group->first + k]], groups->indices[group->first + k] };
      /* Only whole groups: a multiplier with two constants is as large as with many. */
      qsort (members, m, sizeof *members, compare_members);
      if (m == group->n && members[m - 1].value - members[0].value <= spread * rms)
        merge (members, m, nn_tensor_f32 (values[group->weight]), spread * rms);
    }
  result = nn_model_with_weights (model, values, NULL);
  for (guint i = 0; i < n; i++)
    g_clear_pointer (&values[i], nn_tensor_unref);
  return result;
}

NnStep *
nn_prune_share (const NnPruneRun *run,
                GError          **error)
{
  const NnStep *chosen = nn_trail_step (run->trail, nn_trail_chosen (run->trail));
  gint64 started = g_get_monotonic_time ();

  for (guint a = 0;; a++)
    {
      g_autofree NnStep *step = g_new0 (NnStep, 1);
      g_autoptr (NnModel) shared = share_weights (run, chosen->model, spreads[a], error);

      *step = (NnStep) { .index = nn_trail_n_steps (run->trail), .kind = NN_STEP_SHARE, .target = chosen->target,
                         .n_groups = chosen->n_groups, .n_kept = chosen->n_kept };
      if (shared == NULL || !nn_prune_measure (run, shared, step, error))
        return NULL;
      step->accepted = nn_prune_tolerable (run, step);
      if (!step->accepted && a + 1 < G_N_ELEMENTS (spreads))
        continue;
      step->model = g_steal_pointer (&shared);
      step->seconds = (double) (g_get_monotonic_time () - started) / G_USEC_PER_SEC;
      return g_steal_pointer (&step);
    }
}
