/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decision trees: leaves chosen by exact comparisons, their values added in a balanced tree in the accumulator's type. */

#include "nn-fixed-private.h"

#include "nn-design-trees.h"

/**
 * Trees:
 * @leaves: (array): by tree, its leaves in the accumulator's type
 * @lost: (array): by tree, which of them did not fit it
 * @base: (array): in the accumulator's type
 */
typedef struct {
  const NnTreePlan *plan;
  NnCast            add, result;
  gint64          **leaves;
  guint8          **lost;
  gint64           *base;
} Trees;

static void
trees_free (gpointer data)
{
  Trees *s = data;

  for (guint t = 0; t < s->plan->n_trees; t++)
    {
      g_free (s->leaves[t]);
      g_free (s->lost[t]);
    }
  g_free (s->leaves);
  g_free (s->lost);
  g_free (s->base);
  g_free (s);
}

/* The place of the leaf that sample @b ends in. */
static gsize
find_leaf (const NnPlannedTree *tree,
           const gint64        *x,
           gsize                lanes,
           gsize                b)
{
  guint at = 0;

  while (at < tree->n_steps)
    {
      const NnTreeStep *step = &tree->steps[at];
      gint64 v = x[step->feature * lanes + b];

      at = (step->equal ? v == step->bound : v <= step->bound) ? step->yes : step->no;
    }
  return at - tree->n_steps;
}

/* The largest power of two below @n: where the kernels' trees of operators divide. */
static gsize
tree_split (gsize n)
{
  gsize p = 1;

  while (2 * p < n)
    p *= 2;
  return p;
}

static gint64
together (const Trees  *s,
          const gint64 *votes,
          gsize         n,
          guint64      *count)
{
  gint64 a, b;

  if (n == 1)
    return votes[0];
  a = together (s, votes, tree_split (n), count);
  b = together (s, votes + tree_split (n), n - tree_split (n), count);
  switch (s->plan->aggregate)
    {
    case NN_TREE_MIN:
      return MIN (a, b);
    case NN_TREE_MAX:
      return MAX (a, b);
    case NN_TREE_SUM:
    case NN_TREE_AVERAGE:
    default:
      return nn_fixed_cast_one (&s->add, (NnWide) a + b, count);
    }
}

static void
run_sample (const NnFixedLayer *layer,
            NnFixedRun         *run,
            gsize               b,
            guint64            *count)
{
  const Trees *s = layer->state;
  const NnTreePlan *plan = s->plan;
  gint64 *votes = (gint64 *) run->scratch, *ends = votes + plan->n_trees, *out = nn_fixed_out (layer, run), sum, best = 0;
  guint place = 0;

  for (guint t = 0; t < plan->n_trees; t++)
    ends[t] = (gint64) find_leaf (&plan->trees[t], nn_fixed_in (layer, run, 0), run->lanes, b) * plan->n_targets;
  for (guint o = 0; o < plan->n_targets; o++)
    {
      for (guint t = 0; t < plan->n_trees; t++)
        {
          votes[t] = s->leaves[t][ends[t] + o];
          if (count != NULL)
            *count += s->lost[t][ends[t] + o];
        }
      sum = nn_fixed_cast_one (&s->add, (NnWide) together (s, votes, plan->n_trees, count) + s->base[o], count);
      if (!plan->label)
        out[o * run->lanes + b] = nn_fixed_cast_one (&s->result, sum, count);
      else if (o == 0 || sum > best)
        {
          best = sum;
          place = o;
        }
    }
  if (plan->label)
    out[b] = nn_fixed_cast_one (&s->result, place, count);
}

static void
run_trees (const NnFixedLayer *layer,
           NnFixedRun         *run)
{
  gsize lanes = nn_fixed_lanes (run);

  for (gsize b = 0; b < lanes; b++)
    run_sample (layer, run, b, nn_fixed_counter (layer, run));
}

/* Leaves and what is added at the end, brought to the type that they are added in. */
static void
bring_to_accum (Trees             *s,
                const NnLayerPlan *p)
{
  const NnTreePlan *plan = s->plan;
  NnCast leaf, base;
  gboolean over;

  nn_cast_init (&leaf, nn_type_bits (&p->weight), TRUE, nn_type_fraction (&p->weight), &p->accum);
  nn_cast_init (&base, nn_type_bits (&p->bias), TRUE, nn_type_fraction (&p->bias), &p->accum);
  s->leaves = g_new0 (gint64 *, plan->n_trees);
  s->lost = g_new0 (guint8 *, plan->n_trees);
  s->base = g_new (gint64, plan->n_targets);
  for (guint t = 0; t < plan->n_trees; t++)
    {
      gsize n = (gsize) plan->trees[t].n_leaves * plan->n_targets;

      s->leaves[t] = g_new (gint64, n);
      s->lost[t] = g_new (guint8, n);
      for (gsize k = 0; k < n; k++)
        {
          s->leaves[t][k] = nn_cast_wide (&leaf, plan->trees[t].leaves[k], &over);
          s->lost[t][k] = over;
        }
    }
  for (guint o = 0; o < plan->n_targets; o++)
    s->base[o] = nn_cast_wide (&base, plan->base[o], &over);
}

gboolean
nn_fixed_prepare_trees (NnFixedLayer  *layer,
                        GError       **error)
{
  const NnLayerPlan *p = layer->plan;
  const NnTreePlan *plan = nn_design_trees (layer->design, layer->index);
  int bits = nn_type_bits (&p->accum), fraction = nn_type_fraction (&p->accum);
  Trees *s;

  if (plan == NULL || layer->n != (plan->label ? 1 : plan->n_targets))
    return nn_fixed_unsupported (layer, "its trees do not fit its output", error);
  s = g_new0 (Trees, 1);
  s->plan = plan;
  layer->state = s;
  layer->free_state = trees_free;
  layer->run = run_trees;
  layer->scratch = 2 * plan->n_trees * sizeof (gint64);
  bring_to_accum (s, p);
  nn_cast_init (&s->add, bits + 1, TRUE, fraction, &p->accum);
  nn_cast_init (&s->result, plan->label ? 32 : bits, TRUE, plan->label ? 0 : fraction, &p->result);
  return TRUE;
}
