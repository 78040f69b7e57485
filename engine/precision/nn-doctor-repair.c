/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Repairs: one change that is enough, or types as wide as the data ask for, with all taken back that is not needed. */

#include "nn-doctor-private.h"

#include "nn-profile.h"

#include <math.h>
#include <string.h>

#define MORE_FRACTION 10 /* most bits after the point that a repair adds everywhere */
#define MAX_SINGLE 120   /* single changes tried */
#define TABLE_INPUT 18   /* bits of a result that a table reads: what an FPGA's memory is wide */

/**
 * Repair: a search under way.
 * @observed: float's ranges of every layer
 * @wanted: score that is enough
 */
typedef struct {
  const NnScoring *scoring;
  const NnDesign  *design;
  const NnDoctor  *doctor;
  const NnProfile *observed;
  double           wanted;
  GCancellable    *cancellable;
} Repair;

static void
change_clear (gpointer data)
{
  g_free (((NnDoctorChange *) data)->layer);
}

static GArray *
changes_new (void)
{
  GArray *changes = g_array_new (FALSE, FALSE, sizeof (NnDoctorChange));

  g_array_set_clear_func (changes, change_clear);
  return changes;
}

static void
add_change (GArray       *changes,
            const NnNode *node,
            const char   *variable,
            const NnType *from,
            NnType        to)
{
  NnDoctorChange change = { .layer = g_strdup (node->name), .variable = variable, .from = *from, .to = to };

  to.width = CLAMP (to.width, 1, NN_TYPE_MAX_WIDTH);
  change.to = to;
  if (from->kind == NN_TYPE_FIXED && !nn_type_equal (from, &to))
    g_array_append_val (changes, change);
  else
    g_free (change.layer);
}

static NnConfig *
with_changes (const Repair *repair,
              const GArray *changes)
{
  NnConfig *config = nn_config_copy (nn_design_config (repair->design));

  for (guint k = 0; k < changes->len; k++)
    {
      const NnDoctorChange *change = &g_array_index (changes, NnDoctorChange, k);

      g_hash_table_insert (nn_config_layer (config, change->layer)->precision, g_strdup (change->variable),
                           g_memdup2 (&change->to, sizeof change->to));
    }
  return config;
}

static gboolean
try_changes (const Repair *repair,
             const GArray *changes,
             double       *score,
             double       *cost)
{
  g_autoptr (NnConfig) config = with_changes (repair, changes);

  return !g_cancellable_is_cancelled (repair->cancellable) &&
         nn_scoring_score (repair->scoring, config, score, cost, repair->cancellable, NULL);
}

/* Which bits one candidate adds; @saturate instead of wrapping around; @fit: the range that was observed. */
typedef struct {
  int      more_integer, more_fraction;
  gboolean saturate, fit, weight;
} Candidate;

static const NnProfileTensor *
observed_result (const Repair *repair,
                 const char   *layer)
{
  for (guint k = 0; k < repair->observed->n; k++)
    if (repair->observed->tensors[k].kind == NN_PROFILE_ACTIVATION && strcmp (repair->observed->tensors[k].layer, layer) == 0)
      return &repair->observed->tensors[k];
  return NULL;
}

static NnType
changed (const Repair    *repair,
         const char      *layer,
         const Candidate *c,
         NnType           type)
{
  const NnProfileTensor *seen = c->fit ? observed_result (repair, layer) : NULL;

  if (seen != NULL)
    {
      type.integer = nn_profile_integer_bits (seen->min, seen->max) + (type.is_signed && seen->min >= 0 ? 1 : 0);
      type.width = MIN (type.width, TABLE_INPUT);
      type.rounding = NN_ROUND_RND;
    }
  type.width += c->more_integer + c->more_fraction;
  type.integer += c->more_integer;
  if (c->saturate || c->fit)
    type.overflow = NN_OVERFLOW_SAT;
  return type;
}

static gboolean
has_sum (const NnNode      *node,
         const NnLayerPlan *plan)
{
  return plan->n_in > 0 || nn_op_info (node->op)->op_class == NN_OP_CLASS_POOL;
}

/* Whether @i is the activation that hands on what @layer makes: a ReLU of numbers that now fit must hold them too. */
static gboolean
hands_on (const NnDesign *design,
          guint           layer,
          guint           i)
{
  const NnNode *node = nn_graph_node (nn_model_graph (nn_design_model (design)), i);

  return node->op == NN_OP_ACTIVATION && node->n_inputs == 1 && node->inputs[0] == layer && node->attrs.act != NN_ACT_SOFTMAX;
}

static void
add_candidate (const Repair    *repair,
               const Candidate *c,
               guint            i,
               GArray          *changes)
{
  const NnNode *node = nn_graph_node (nn_model_graph (nn_design_model (repair->design)), i);
  const NnLayerPlan *plan = nn_design_plan (repair->design, i);

  if (c->weight)
    {
      if (plan->n_in > 0)
        add_change (changes, node, "weight", &plan->weight, changed (repair, node->name, c, plan->weight));
      return;
    }
  if (nn_op_info (node->op)->op_class != NN_OP_CLASS_SHAPE)
    add_change (changes, node, "result", &plan->result, changed (repair, node->name, c, plan->result));
  if (has_sum (node, plan) && !c->fit && !c->saturate)
    add_change (changes, node, "accum", &plan->accum, changed (repair, node->name, c, plan->accum));
}

/* What @c is at @layer, and at the activation behind it. */
static GArray *
single_changes (const Repair    *repair,
                const Candidate *c,
                guint            layer)
{
  GArray *changes = changes_new ();

  for (guint i = 0; i < repair->doctor->n_layers; i++)
    if (i == layer || (!c->weight && !c->fit && hands_on (repair->design, layer, i)))
      add_candidate (repair, c, i, changes);
  return changes;
}

static gboolean
before_softmax (const Repair *repair,
                guint         layer)
{
  guint n;
  const guint *readers = nn_graph_consumers (nn_model_graph (nn_design_model (repair->design)), layer, &n);

  for (guint k = 0; k < n; k++)
    if (nn_design_softmax_step (repair->design, readers[k]) >= NN_SOFTMAX_COARSE_STEP)
      return TRUE;
  return FALSE;
}

/* Whether a change of the kind could help the layer at all. */
static gboolean
is_sensible (const Repair    *repair,
             const Candidate *c,
             guint            layer)
{
  const NnDoctorLayer *l = &repair->doctor->layers[layer];

  if (c->fit)
    return before_softmax (repair, layer);
  if (c->saturate || c->more_integer > 0)
    return l->overflows > 0;
  return l->values > 0 && l->snr_db < NN_DOCTOR_DEPARTS_DB + 20;
}

/* The cheapest change of one layer that is enough. (nullable) */
static GArray *
best_single (const Repair *repair,
             double       *score,
             double       *cost)
{
  static const Candidate kinds[] = {
    { .fit = TRUE }, { .saturate = TRUE }, { .more_integer = 1 }, { .more_fraction = 1 }, { .more_fraction = 1, .weight = TRUE },
    { .more_integer = 2 }, { .more_fraction = 2 }, { .more_fraction = 2, .weight = TRUE }, { .more_integer = 4 }, { .more_fraction = 4 },
    { .more_fraction = 4, .weight = TRUE },
  };
  GArray *best = NULL;
  guint n_tried = 0;

  *cost = INFINITY;
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (guint i = 0; i < repair->doctor->n_layers && n_tried < MAX_SINGLE; i++)
      {
        g_autoptr (GArray) changes = NULL;
        double trial_score, trial_cost;

        if (!is_sensible (repair, &kinds[k], i))
          continue;
        changes = single_changes (repair, &kinds[k], i);
        n_tried++;
        if (changes->len == 0 || !try_changes (repair, changes, &trial_score, &trial_cost) || trial_score < repair->wanted ||
            !(trial_cost < *cost))
          continue;
        g_clear_pointer (&best, g_array_unref);
        best = g_steal_pointer (&changes);
        *score = trial_score;
        *cost = trial_cost;
      }
  return best;
}

/* Weights, offsets and factors as wide as they are. */
static void
add_weights (const Repair          *repair,
             const NnProfileTensor *t,
             int                    fraction,
             GArray                *changes)
{
  NnType to = t->type;
  guint i;

  if (t->kind != NN_PROFILE_WEIGHT || !t->has_type || !nn_graph_find (nn_model_graph (nn_design_model (repair->design)), t->layer, &i))
    return;
  to.integer = MAX (nn_profile_integer_bits (t->min, t->max) + (to.is_signed && t->min >= 0 ? 1 : 0), to.integer);
  to.width += fraction + to.integer - t->type.integer;
  add_change (changes, nn_graph_node (nn_model_graph (nn_design_model (repair->design)), i), t->variable, &t->type, to);
}

/* As many integer bits as float's values ask for, more where sums still do not fit, and @fraction bits after the point. */
static GArray *
ranged_changes (const Repair *repair,
                int           spare,
                int           fraction)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (repair->design));
  GArray *changes = changes_new ();

  for (guint i = 0; i < repair->doctor->n_layers; i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      const NnLayerPlan *plan = nn_design_plan (repair->design, i);
      const NnProfileTensor *seen = observed_result (repair, node->name);
      Candidate c = { .more_fraction = fraction }, fit = { .fit = TRUE };
      int needed;

      if (seen == NULL)
        continue;
      needed = nn_profile_integer_bits (seen->min, seen->max) + (plan->result.is_signed && seen->min >= 0 ? 1 : 0);
      c.more_integer = MAX (needed + (has_sum (node, plan) ? spare : 0) - plan->result.integer, 0);
      add_candidate (repair, before_softmax (repair, i) ? &fit : &c, i, changes);
    }
  for (guint k = 0; k < repair->observed->n; k++)
    add_weights (repair, &repair->observed->tensors[k], fraction, changes);
  return changes;
}

/* Wider and wider everywhere, until it is enough. (nullable) */
static GArray *
enough_everywhere (const Repair *repair,
                   double       *score,
                   double       *cost)
{
  for (int fraction = 0; fraction <= MORE_FRACTION; fraction += 2)
    for (int spare = 0; spare <= 2; spare += 2)
      {
        GArray *changes = ranged_changes (repair, spare, fraction);

        if (changes->len > 0 && try_changes (repair, changes, score, cost) && *score >= repair->wanted)
          return changes;
        g_array_unref (changes);
      }
  return NULL;
}

/* Takes back what is not needed: whole changes first, then bit by bit. */
static void
shed (const Repair *repair,
      GArray       *changes,
      double       *score,
      double       *cost)
{
  for (guint k = 0; k < changes->len && changes->len > 1;)
    {
      NnDoctorChange one = g_array_index (changes, NnDoctorChange, k);
      double trial_score, trial_cost;

      g_array_index (changes, NnDoctorChange, k).to = one.from;
      if (try_changes (repair, changes, &trial_score, &trial_cost) && trial_score >= repair->wanted && trial_cost <= *cost)
        {
          g_array_remove_index (changes, k);
          *score = trial_score;
          *cost = trial_cost;
          continue;
        }
      g_array_index (changes, NnDoctorChange, k++).to = one.to;
    }
  for (guint k = 0; k < changes->len;)
    {
      NnDoctorChange *change = &g_array_index (changes, NnDoctorChange, k);
      NnType kept = change->to;
      double trial_score, trial_cost;

      k++;
      if (change->to.width <= change->from.width + 1)
        continue;
      change->to.width--;
      if (nn_type_fraction (&change->from) >= nn_type_fraction (&kept))
        change->to.integer--;
      if (try_changes (repair, changes, &trial_score, &trial_cost) && trial_score >= repair->wanted && trial_cost <= *cost)
        {
          *score = trial_score;
          *cost = trial_cost;
          k--; /* once more */
        }
      else
        change->to = kept;
    }
}

/* The widest that was tried helps, though it is not enough. */
static GArray *
best_effort (const Repair *repair,
             double       *score,
             double       *cost)
{
  GArray *changes = ranged_changes (repair, 2, MORE_FRACTION);

  if (changes->len > 0 && try_changes (repair, changes, score, cost) && *score > repair->doctor->fixed_score)
    return changes;
  g_array_unref (changes);
  return NULL;
}

static void
finish (NnDoctor     *doctor,
        const Repair *repair,
        GArray       *changes,
        double        score,
        double        cost)
{
  doctor->config = with_changes (repair, changes);
  doctor->repaired_score = score;
  doctor->repaired_cost = cost;
  doctor->n_changes = changes->len;
  g_array_set_clear_func (changes, NULL);
  doctor->changes = (NnDoctorChange *) (gpointer) g_array_free (changes, FALSE);
}

gboolean
nn_doctor_repair (NnDoctor              *doctor,
                  const NnDesign        *design,
                  const NnScoring       *scoring,
                  const NnDoctorOptions *options,
                  GCancellable          *cancellable,
                  GError               **error)
{
  g_autoptr (NnProfile) observed = NULL;
  Repair repair = { .scoring = scoring, .design = design, .doctor = doctor, .wanted = doctor->float_score - options->tolerance,
                    .cancellable = cancellable };
  double score = 0, cost = 0, single_score = 0, single_cost = 0;
  GArray *changes, *single;

  if (doctor->fixed_score >= repair.wanted)
    return TRUE;
  observed = nn_observe_ranges (design, scoring->inputs, NULL, cancellable, error);
  if (observed == NULL)
    return FALSE;
  repair.observed = observed;
  single = best_single (&repair, &single_score, &single_cost);
  changes = enough_everywhere (&repair, &score, &cost);
  if (changes != NULL)
    shed (&repair, changes, &score, &cost);
  else if (single == NULL)
    changes = best_effort (&repair, &score, &cost);
  if (single != NULL && (changes == NULL || single_cost <= cost))
    {
      g_clear_pointer (&changes, g_array_unref);
      finish (doctor, &repair, single, single_score, single_cost);
    }
  else
    {
      g_clear_pointer (&single, g_array_unref);
      if (changes != NULL)
        finish (doctor, &repair, changes, score, cost);
    }
  return !nn_progress_cancelled (cancellable, error);
}
