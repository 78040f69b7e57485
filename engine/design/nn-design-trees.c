/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Number types and comparisons of decision trees. Source: conifer (Summers et al., JINST 15 (2020) P05026), for what is computed at once. */

#include "nn-design-trees-private.h"

#include "nn-design-types-private.h"
#include "nn-error.h"

#include <math.h>
#include <string.h>

#define MAX_DEPTH 256        /* comparisons on one way: more would not meet any clock */
#define MAX_STEPS (1u << 20) /* of a layer, side by side */
#define LEAF (1u << 31)      /* of a place that is a leaf's, while a tree is built */

static gboolean
refuse (const NnNode *node,
        const char   *why,
        GError      **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\": its trees cannot become hardware: %s", node->name, why);
  return FALSE;
}

/* What a leaf's weights are divided by. */
static double
divisor (const NnTreeEnsemble *trees)
{
  return trees->aggregate == NN_TREE_AVERAGE ? MAX (trees->n_roots, 1) : 1;
}

/* What the leaf says to the target; FALSE where it says nothing. */
static gboolean
leaf_value (const NnTreeEnsemble *trees,
            const NnTreeNode     *leaf,
            guint                 target,
            double               *value)
{
  gboolean votes = FALSE;

  *value = 0;
  for (guint i = 0; i < leaf->n_leaf; i++)
    {
      const NnTreeWeight *w = &trees->weights[leaf->first_leaf + i];

      if (w->target != target)
        continue;
      if (!votes)
        *value = w->weight;
      else if (trees->aggregate == NN_TREE_MIN || trees->aggregate == NN_TREE_MAX)
        *value = trees->aggregate == NN_TREE_MIN ? MIN (*value, w->weight) : MAX (*value, w->weight);
      else
        *value += w->weight;
      votes = TRUE;
    }
  *value /= divisor (trees);
  return votes;
}

/* The fewest bits before the point that hold @min to @max, and @fraction behind it; rounds, for constants are made by it. */
static NnType
holding (double min,
         double max,
         int    fraction)
{
  gboolean is_signed = min < 0;
  int integer = is_signed - fraction + 1;
  NnType type;

  while (integer < 64 && (ldexp (1, integer - is_signed) <= max || -ldexp (1, integer - is_signed) > min))
    integer++;
  type = nn_plan_fixed (MAX (integer + fraction, 1), integer, is_signed);
  type.rounding = NN_ROUND_RND;
  type.overflow = NN_OVERFLOW_SAT;
  return type;
}

static void
leaf_types (NnPlanning           *planning,
            const NnNode         *node,
            const NnTreeEnsemble *trees,
            NnLayerPlan          *p)
{
  double min = 0, max = 0, base_min = 0, base_max = 0, value;
  int fraction = nn_type_fraction (&planning->standard) + (int) nn_ceil_log2 (trees->n_roots);

  for (guint i = 0; i < trees->n_nodes; i++)
    for (guint k = 0; trees->nodes[i].test == NN_TREE_LEAF && k < trees->nodes[i].n_leaf; k++)
      {
        leaf_value (trees, &trees->nodes[i], trees->weights[trees->nodes[i].first_leaf + k].target, &value);
        min = MIN (min, value);
        max = MAX (max, value);
      }
  for (guint t = 0; trees->base != NULL && t < trees->n_targets; t++)
    {
      base_min = MIN (base_min, trees->base[t]);
      base_max = MAX (base_max, trees->base[t]);
    }
  p->weight = nn_plan_choose (planning, node, "weight", node->attrs.role_quantizer[NN_ROLE_KERNEL]);
  if (p->weight.kind == NN_TYPE_AUTO)
    p->weight = nn_plan_limit (planning, node, holding (min, max, fraction));
  p->bias = nn_plan_choose (planning, node, "bias", NULL);
  if (p->bias.kind == NN_TYPE_AUTO)
    p->bias = base_min == 0 && base_max == 0 ? NN_UFIXED (1, 1) : nn_plan_limit (planning, node, holding (base_min, base_max, fraction));
}

/* Where nothing is asked for, leaves keep as many bits behind the point as the model's default, and those that a sum of so many of
 * them would lose; sums and results are exact. A place among the targets is a whole number. */
void
nn_plan_tree_types (NnPlanning   *planning,
                    const NnNode *node,
                    NnLayerPlan  *p)
{
  const NnTreeEnsemble *trees = node->attrs.extra;
  gboolean adds = trees->aggregate == NN_TREE_SUM || trees->aggregate == NN_TREE_AVERAGE;
  int extra = adds ? (int) nn_ceil_log2 (trees->n_roots) : 0, place = (int) MAX (nn_ceil_log2 (trees->n_targets), 1);
  NnType sum;

  leaf_types (planning, node, trees, p);
  p->threshold = nn_plan_table_type (planning, node, "threshold", (NnType){ .kind = NN_TYPE_AUTO });
  sum = nn_plan_sum_type (nn_plan_fixed (p->weight.width + extra, p->weight.integer + extra, p->weight.is_signed), p->bias);
  if (node->attrs.role_quantizer[NN_ROLE_KERNEL] != NULL) /* made by a pass, of leaves that mean what they say */
    p->accum = nn_plan_table_type (planning, node, "accum", sum);
  else
    p->accum = nn_plan_choose (planning, node, "accum", NULL);
  if (p->accum.kind == NN_TYPE_AUTO)
    p->accum = nn_plan_limit (planning, node, sum);
  if (trees->post == NN_TREE_POST_LABEL)
    {
      p->result = nn_plan_table_type (planning, node, "result", NN_UFIXED (place, place));
      return;
    }
  p->result = nn_plan_choose (planning, node, "result", node->attrs.quantizer);
  if (p->result.kind == NN_TYPE_AUTO)
    p->result = p->accum;
}

/**
 * Builder: a tree on its way
 * @low, @high: (array): by feature, what the type and the comparisons so far leave of it
 * @steps: (element-type NnTreeStep): of which places may be leaves; @leaves: (element-type gint64)
 * @fill: (array): by target, the integer of a leaf that does not vote
 */
typedef struct {
  const NnNode         *node;
  const NnTreeEnsemble *trees;
  const NnLayerPlan    *plan;
  gint64               *low, *high;
  const gint64         *fill;
  GArray               *steps, *leaves;
  guint                 n_targets, n_dropped, depth;
  GError              **error;
} Builder;

typedef enum { ANSWER_OPEN, ANSWER_NO, ANSWER_YES } Answer;

/*
 * The comparison as "not above @bound" or "equal to @bound" on the grid of the input, and whether its branches change places. A
 * threshold between two numbers of the grid is never met, so that rounding it down (or for "below", up and one less) changes no
 * answer; a type asked for thresholds rounds them before.
 */
static Answer
compare_on_grid (const Builder    *b,
                 const NnTreeNode *from,
                 NnTreeStep       *step,
                 gboolean         *swapped)
{
  const NnType *type = &b->plan->input, *asked = &b->plan->threshold;
  gint64 low = b->low[from->feature], high = b->high[from->feature];
  double at = from->threshold;
  NnType wanted = *asked;

  wanted.overflow = NN_OVERFLOW_SAT;
  if (asked->kind == NN_TYPE_FIXED)
    at = nn_type_real (&wanted, nn_type_quantize (&wanted, at, NULL));
  at = ldexp (at, nn_type_fraction (type));
  *swapped = from->test == NN_TREE_GTE || from->test == NN_TREE_GT || from->test == NN_TREE_NEQ;
  step->feature = from->feature;
  step->equal = from->test == NN_TREE_EQ || from->test == NN_TREE_NEQ;
  if (step->equal && at != floor (at))
    return ANSWER_NO;
  at = from->test == NN_TREE_LT || from->test == NN_TREE_GTE ? ceil (at) - 1 : floor (at);
  if (at >= 0x1p62 || at < -0x1p62)
    return at < 0 || step->equal ? ANSWER_NO : ANSWER_YES;
  step->bound = (gint64) at;
  if (step->equal)
    return step->bound < low || step->bound > high ? ANSWER_NO : low == high ? ANSWER_YES : ANSWER_OPEN;
  return step->bound >= high ? ANSWER_YES : step->bound < low ? ANSWER_NO : ANSWER_OPEN;
}

static gint64 *
leaf_row (const Builder *b,
          guint          place)
{
  return &g_array_index (b->leaves, gint64, (gsize) (place & ~LEAF) * b->n_targets);
}

static guint
add_leaf (Builder          *b,
          const NnTreeNode *leaf)
{
  guint place = b->leaves->len / b->n_targets;

  for (guint t = 0; t < b->n_targets; t++)
    {
      double value;
      gint64 raw = leaf_value (b->trees, leaf, t, &value) ? nn_type_quantize (&b->plan->weight, value, NULL) : b->fill[t];

      g_array_append_val (b->leaves, raw);
    }
  return place | LEAF;
}

static gboolean build (Builder *b, guint from, guint depth, guint *place);

/* Both ways from an open comparison, each with what it leaves of the feature. */
static gboolean
build_ways (Builder    *b,
            NnTreeStep *step,
            guint       yes,
            guint       no,
            guint       depth)
{
  gint64 *low = &b->low[step->feature], *high = &b->high[step->feature], was_low = *low, was_high = *high;
  gboolean ok;

  *high = step->bound;
  *low = step->equal ? step->bound : was_low;
  ok = build (b, yes, depth + 1, &step->yes);
  *high = was_high;
  *low = step->equal ? was_low : step->bound + 1;
  ok = ok && build (b, no, depth + 1, &step->no);
  *low = was_low;
  return ok;
}

/* The subtree of node @from; its @place is that of its first step, or of a leaf. */
static gboolean
build (Builder *b,
       guint    from,
       guint    depth,
       guint   *place)
{
  const NnTreeNode *node = &b->trees->nodes[from];
  guint at = b->steps->len, yes, no;
  NnTreeStep step = { 0 };
  gboolean swapped;
  Answer answer;

  if (node->test == NN_TREE_LEAF)
    {
      *place = add_leaf (b, node);
      b->depth = MAX (b->depth, depth);
      return TRUE;
    }
  if (depth >= MAX_DEPTH || b->steps->len >= MAX_STEPS)
    return refuse (b->node, "they are deeper than 256 comparisons, or have more than a million", b->error);
  answer = compare_on_grid (b, node, &step, &swapped);
  yes = swapped ? node->no : node->yes;
  no = swapped ? node->yes : node->no;
  if (answer != ANSWER_OPEN)
    {
      b->n_dropped++;
      return build (b, answer == ANSWER_YES ? yes : no, depth, place);
    }
  g_array_append_val (b->steps, step);
  if (!build_ways (b, &step, yes, no, depth))
    return FALSE;
  g_array_index (b->steps, NnTreeStep, at) = step;
  *place = at;
  if ((step.yes & LEAF) == 0 || (step.no & LEAF) == 0 ||
      memcmp (leaf_row (b, step.yes), leaf_row (b, step.no), b->n_targets * sizeof (gint64)) != 0)
    return TRUE;
  /* both ways say the same */
  g_array_set_size (b->steps, at);
  g_array_set_size (b->leaves, (step.no & ~LEAF) * b->n_targets);
  b->n_dropped++;
  *place = step.yes;
  return TRUE;
}

static guint
final_place (guint place,
             guint n_steps)
{
  return (place & LEAF) != 0 ? n_steps + (place & ~LEAF) : place;
}

static gboolean
build_tree (Builder       *b,
            guint          root,
            NnPlannedTree *tree)
{
  guint place;

  g_array_set_size (b->steps, 0);
  g_array_set_size (b->leaves, 0);
  b->depth = 0;
  if (!build (b, root, 0, &place))
    return FALSE;
  tree->n_steps = b->steps->len;
  tree->n_leaves = b->leaves->len / b->n_targets;
  tree->depth = tree->n_steps > 0 ? b->depth : 0;
  tree->steps = g_memdup2 (b->steps->data, tree->n_steps * sizeof (NnTreeStep));
  tree->leaves = g_memdup2 (b->leaves->data, b->leaves->len * sizeof (gint64));
  for (guint s = 0; s < tree->n_steps; s++)
    {
      tree->steps[s].yes = final_place (tree->steps[s].yes, tree->n_steps);
      tree->steps[s].no = final_place (tree->steps[s].no, tree->n_steps);
    }
  return TRUE;
}

/* Whether each way from the node on ends in a leaf that votes for the target. */
static gboolean
always_votes (const NnTreeEnsemble *trees,
              guint                 from,
              guint                 target,
              guint                 depth)
{
  const NnTreeNode *node = &trees->nodes[from];
  double value;

  if (node->test == NN_TREE_LEAF)
    return leaf_value (trees, node, target, &value);
  return depth < MAX_DEPTH && always_votes (trees, node->yes, target, depth + 1) && always_votes (trees, node->no, target, depth + 1);
}

/* What a leaf that does not vote holds: 0 in a sum; of a minimum the largest and of a maximum the smallest vote, which change nothing
 * where some tree always votes. */
static gboolean
find_fill (const NnNode         *node,
           const NnTreeEnsemble *trees,
           const NnType         *type,
           guint                 target,
           gint64               *fill,
           GError              **error)
{
  gboolean least = trees->aggregate == NN_TREE_MAX, any = FALSE, always = FALSE;
  double value, extreme = 0;

  *fill = 0;
  if (trees->aggregate != NN_TREE_MIN && trees->aggregate != NN_TREE_MAX)
    return TRUE;
  for (guint i = 0; i < trees->n_nodes; i++)
    if (trees->nodes[i].test == NN_TREE_LEAF && leaf_value (trees, &trees->nodes[i], target, &value))
      {
        extreme = !any ? value : least ? MIN (extreme, value) : MAX (extreme, value);
        any = TRUE;
      }
  for (guint r = 0; r < trees->n_roots && !always; r++)
    always = always_votes (trees, trees->roots[r], target, 0);
  *fill = nn_type_quantize (type, extreme, NULL);
  return !any || always || refuse (node, "no tree votes for every target whatever the data, so that a minimum or maximum may be of none", error);
}

static gboolean
check_trees (const NnNode      *node,
             const NnLayerPlan *p,
             gsize              n_features,
             GError           **error)
{
  const NnTreeEnsemble *trees = node->attrs.extra;

  if (trees->post == NN_TREE_POST_SOFTMAX || trees->post == NN_TREE_POST_LOGISTIC || trees->complement)
    return refuse (node, "what follows their sums is to be a layer of its own", error);
  if (p->input.kind != NN_TYPE_FIXED || p->weight.kind != NN_TYPE_FIXED || p->bias.kind != NN_TYPE_FIXED || p->accum.kind != NN_TYPE_FIXED ||
      (p->threshold.kind != NN_TYPE_FIXED && p->threshold.kind != NN_TYPE_AUTO))
    return refuse (node, "features, thresholds, leaves and sums must be of fixed-point types", error);
  if (p->input.width + !p->input.is_signed > 62 || p->accum.width + !p->accum.is_signed > 64)
    return refuse (node, "features of at most 62 bits and sums of at most 64 are supported, a sign included", error);
  for (guint i = 0; i < trees->n_nodes; i++)
    if (trees->nodes[i].test != NN_TREE_LEAF &&
        (trees->nodes[i].feature >= n_features || trees->nodes[i].yes <= i || trees->nodes[i].no <= i ||
         MAX (trees->nodes[i].yes, trees->nodes[i].no) >= trees->n_nodes || isnan (trees->nodes[i].threshold)))
      return refuse (node, "a comparison leads nowhere, or asks for a feature that is not there", error);
  return trees->n_roots > 0 || refuse (node, "there is none", error);
}

static NnTreePlan *
plan_new (const NnTreeEnsemble *trees)
{
  NnTreePlan *plan = g_new0 (NnTreePlan, 1);

  plan->n_trees = trees->n_roots;
  plan->n_targets = trees->n_targets;
  plan->trees = g_new0 (NnPlannedTree, trees->n_roots);
  plan->base = g_new0 (gint64, trees->n_targets);
  plan->aggregate = trees->aggregate == NN_TREE_AVERAGE ? NN_TREE_SUM : trees->aggregate;
  plan->label = trees->post == NN_TREE_POST_LABEL;
  return plan;
}

void
nn_tree_plan_free (NnTreePlan *plan)
{
  for (guint t = 0; plan != NULL && t < plan->n_trees; t++)
    {
      g_free (plan->trees[t].steps);
      g_free (plan->trees[t].leaves);
    }
  if (plan != NULL)
    {
      g_free (plan->trees);
      g_free (plan->base);
    }
  g_free (plan);
}

/* Every tree of @builder into @plan. */
static gboolean
build_all (Builder    *b,
           NnTreePlan *plan,
           gsize       n_features)
{
  gint64 low, high;

  nn_type_raw_range (&b->plan->input, &low, &high);
  for (gsize f = 0; f < n_features; f++)
    {
      b->low[f] = low;
      b->high[f] = high;
    }
  for (guint t = 0; t < plan->n_trees; t++)
    {
      if (!build_tree (b, b->trees->roots[t], &plan->trees[t]))
        return FALSE;
      plan->n_steps += plan->trees[t].n_steps;
      plan->depth = MAX (plan->depth, plan->trees[t].depth);
    }
  plan->n_dropped = b->n_dropped;
  return plan->n_steps <= MAX_STEPS || refuse (b->node, "they have more than a million comparisons", b->error);
}

gboolean
nn_plan_trees (NnPlanning  *planning,
               guint        i,
               GError     **error)
{
  const NnNode *node = nn_graph_node (planning->graph, i);
  const NnTreeEnsemble *trees = node->attrs.extra;
  const NnLayerPlan *p = &planning->design->plans[i];
  gsize n_features = nn_shape_count (&nn_graph_node (planning->graph, node->inputs[0])->shape);
  g_autofree gint64 *low = g_new (gint64, n_features + 1), *high = g_new (gint64, n_features + 1), *fill = g_new (gint64, trees->n_targets + 1);
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (NnTreeStep)), leaves = g_array_new (FALSE, FALSE, sizeof (gint64));
  Builder builder = { .node = node, .trees = trees, .plan = p, .low = low, .high = high, .fill = fill, .steps = steps, .leaves = leaves,
                      .n_targets = trees->n_targets, .error = error };
  NnTreePlan *plan;

  if (!check_trees (node, p, n_features, error))
    return FALSE;
  plan = planning->design->trees[i] = plan_new (trees);
  for (guint t = 0; t < trees->n_targets; t++)
    {
      if (!find_fill (node, trees, &p->weight, t, &fill[t], error))
        return FALSE;
      plan->base[t] = trees->base != NULL ? nn_type_quantize (&p->bias, trees->base[t], NULL) : 0;
    }
  return build_all (&builder, plan, n_features);
}

const NnTreePlan *
nn_design_trees (const NnDesign *design,
                 guint           i)
{
  g_assert (i < nn_graph_n_nodes (nn_model_graph (design->model)));
  return design->trees[i];
}
