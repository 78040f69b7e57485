/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fewest DSPs that meet a latency: one reuse factor of several for each layer, cycles of the layers adding up. A
 * multiple-choice knapsack with one whole-numbered constraint, which dynamic programming solves exactly.
 */

#include "nn-reuse-solver.h"

#include "nn-layer-cost.h"
#include "nn-progress.h"
#include "nn-reuse.h"

#include <math.h>
#include <string.h>

/* Budgets of more cycles are solved in steps of several cycles; then the bound of the relaxed problem says how far off. */
#define MAX_STEPS 100000

static gboolean
has_reuse (const NnDesign *design,
           guint           i)
{
  const NnNode *node = nn_graph_node (nn_model_graph (nn_design_model (design)), i);
  NnOpClass class = nn_op_info (node->op)->op_class;
  const NnLayerPlan *plan = nn_design_plan (design, i);

  return (class == NN_OP_CLASS_MULTIPLY || class == NN_OP_CLASS_RECURRENT) && plan->n_in > 0 && plan->n_out > 0
         && plan->strategy != NN_STRATEGY_DISTRIBUTED_ARITHMETIC;
}

static gboolean
is_convolution (NnOp op)
{
  return op == NN_OP_CONV1D || op == NN_OP_CONV2D;
}

/* hls4ml.md 2.7: divisors of n_in and its multiples that divide; the kernels' exceptions to it. */
static GArray *
accepted_values (const NnDesign *design,
                 guint           i)
{
  const NnLayerPlan *plan = nn_design_plan (design, i);
  const NnNode *node = nn_graph_node (nn_model_graph (nn_design_model (design)), i);
  GArray *values = nn_reuse_valid (plan->n_in, plan->n_out);
  gboolean parallel = nn_config_io_type (nn_design_config (design)) == NN_IO_PARALLEL;
  gboolean unrolled = plan->strategy == NN_STRATEGY_RESOURCE_UNROLLED;

  for (guint k = values->len; k > 0; k--)
    {
      guint value = g_array_index (values, guint, k - 1);
      /* a convolution in parallel reads past its window beyond n_in */
      gboolean outside = parallel && is_convolution (node->op) && value > plan->n_in;
      /* the unrolled kernel has a multiplier at least two, and RF 1 is the plain kernel */
      gboolean excluded = unrolled && (value == 1 || value == plan->n_in * plan->n_out);

      if (outside || excluded)
        g_array_remove_index (values, k - 1);
    }
  return values;
}

GArray *
nn_reuse_options (const NnDesign *design,
                  guint           i,
                  const NnPart   *part)
{
  GArray *options = g_array_new (FALSE, TRUE, sizeof (NnReuseOption));
  g_autoptr (GArray) values = NULL;
  NnLayerPlan plan;

  if (!has_reuse (design, i))
    return options;
  values = accepted_values (design, i);
  plan = *nn_design_plan (design, i);
  for (guint k = 0; k < values->len; k++)
    {
      NnReuseOption option = { .reuse = g_array_index (values, guint, k) };
      guint64 n = (guint64) plan.n_in * plan.n_out;

      plan.reuse_factor = option.reuse;
      plan.block_factor = (guint) MIN ((n + option.reuse - 1) / option.reuse, G_MAXUINT);
      nn_layer_cost (design, i, &plan, part, &option.cost);
      g_array_append_val (options, option);
    }
  return options;
}

/* A choice of one layer in the solver's terms. */
typedef struct {
  guint  reuse;
  double dsp, cycles;
} Choice;

static int
compare_choices (gconstpointer a,
                 gconstpointer b)
{
  const Choice *x = a, *y = b;

  if (x->cycles != y->cycles)
    return x->cycles < y->cycles ? -1 : 1;
  return (x->dsp > y->dsp) - (x->dsp < y->dsp);
}

/* What a layer adds to the whole: one that is done in less than a cycle still leaves no room for the next in it. */
static double
whole_cycles (const NnDesign *design,
              const NnCost   *cost)
{
  gboolean stream = nn_config_io_type (nn_design_config (design)) == NN_IO_STREAM;

  return MAX (cost->latency.value, stream ? 0 : 1);
}

/* Only choices that no other one beats in both: cycles grow, DSPs fall. */
static GArray *
pareto_choices (const NnDesign *design,
                guint           i,
                const NnPart   *part)
{
  g_autoptr (GArray) options = nn_reuse_options (design, i, part);
  GArray *choices = g_array_new (FALSE, FALSE, sizeof (Choice));
  guint kept = 0;

  for (guint k = 0; k < options->len; k++)
    {
      const NnReuseOption *option = &g_array_index (options, NnReuseOption, k);
      Choice choice = { option->reuse, option->cost.resource[NN_RESOURCE_DSP].value, ceil (whole_cycles (design, &option->cost)) };

      g_array_append_val (choices, choice);
    }
  g_array_sort (choices, compare_choices);
  for (guint k = 0; k < choices->len; k++)
    {
      Choice choice = g_array_index (choices, Choice, k);

      if (kept == 0 || choice.dsp < g_array_index (choices, Choice, kept - 1).dsp)
        g_array_index (choices, Choice, kept++) = choice;
    }
  g_array_set_size (choices, kept);
  return choices;
}

typedef struct {
  GPtrArray *choices; /* of GArray of Choice, by layer that has some */
  GArray    *layers;  /* guint: its node */
  double     fixed_cycles, fixed_dsp;
} Problem;

static void
problem_clear (Problem *problem)
{
  g_ptr_array_unref (problem->choices);
  g_array_unref (problem->layers);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Problem, problem_clear)

static const Choice *
choice_at (const Problem *problem,
           guint          layer,
           guint          k)
{
  return &g_array_index ((GArray *) problem->choices->pdata[layer], Choice, k);
}

static guint
n_choices (const Problem *problem,
           guint          layer)
{
  return ((GArray *) problem->choices->pdata[layer])->len;
}

/* What is spent besides the choices: the other layers, and what lies between them. */
static void
problem_init (Problem          *problem,
              const NnDesign   *design,
              const NnPart     *part,
              const NnEstimate *now)
{
  problem->choices = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  problem->layers = g_array_new (FALSE, FALSE, sizeof (guint));
  problem->fixed_cycles = now->total.latency.value;
  problem->fixed_dsp = now->total.resource[NN_RESOURCE_DSP].value;
  for (guint i = 0; i < now->n_layers; i++)
    {
      GArray *choices = pareto_choices (design, i, part);

      if (choices->len == 0)
        {
          g_array_unref (choices);
          continue;
        }
      g_ptr_array_add (problem->choices, choices);
      g_array_append_val (problem->layers, i);
      problem->fixed_cycles -= whole_cycles (design, &now->layers[i]);
      problem->fixed_dsp -= now->layers[i].resource[NN_RESOURCE_DSP].value;
    }
}

/* Layers of a stream run at once: each has to keep the time by itself. */
static gboolean
solve_stream (const Problem *problem,
              double         cycles,
              guint         *picked)
{
  gboolean feasible = TRUE;

  for (guint l = 0; l < problem->choices->len; l++)
    {
      picked[l] = 0;
      for (guint k = 0; k < n_choices (problem, l); k++)
        if (choice_at (problem, l, k)->cycles <= cycles)
          picked[l] = k;
      feasible = feasible && choice_at (problem, l, 0)->cycles <= cycles;
    }
  return feasible;
}

/* best[l][b]: fewest DSPs of the first l layers in b steps. Cycles are rounded up to steps, so that what is found holds. */
static gboolean
solve_sum (const Problem *problem,
           double         cycles,
           double         step,
           guint         *picked,
           GCancellable  *cancellable,
           GError       **error)
{
  guint n = problem->choices->len;
  gsize steps = (gsize) floor (cycles / step);
  g_autofree double *best = g_new (double, (steps + 1) * 2);
  g_autofree guint16 *choice = g_new0 (guint16, (steps + 1) * MAX (n, 1));
  double *now = best, *next = best + steps + 1;
  gsize left = steps;

  for (gsize b = 0; b <= steps; b++)
    now[b] = 0;
  for (guint l = 0; l < n; l++)
    {
      double *swap;

      if (nn_progress_cancelled (cancellable, error))
        return FALSE;
      for (gsize b = 0; b <= steps; b++)
        next[b] = INFINITY;
      for (guint k = 0; k < n_choices (problem, l); k++)
        {
          const Choice *c = choice_at (problem, l, k);
          gsize need = (gsize) ceil (c->cycles / step);

          for (gsize b = need; b <= steps; b++)
            if (now[b - need] + c->dsp < next[b])
              {
                next[b] = now[b - need] + c->dsp;
                choice[l * (steps + 1) + b] = k;
              }
        }
      swap = now;
      now = next;
      next = swap;
    }
  if (!isfinite (now[steps]))
    {
      picked[0] = G_MAXUINT;
      return TRUE;
    }
  for (guint l = n; l > 0; l--)
    {
      picked[l - 1] = choice[(l - 1) * (steps + 1) + left];
      left -= (gsize) ceil (choice_at (problem, l - 1, picked[l - 1])->cycles / step);
    }
  return TRUE;
}

/* Slope of the lower convex hull of a layer's choices. */
typedef struct {
  double saved, cycles; /* DSPs saved by these cycles more */
} Segment;

static int
compare_segments (gconstpointer a,
                  gconstpointer b)
{
  const Segment *x = a, *y = b;
  double p = x->saved * y->cycles, q = y->saved * x->cycles;

  return (p < q) - (p > q);
}

/* The relaxed problem, in which a layer may be a mixture: hull segments taken by what a cycle saves. */
static double
relaxed_bound (const Problem *problem,
               double         cycles)
{
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (Segment));
  double dsp = 0;

  for (guint l = 0; l < problem->choices->len; l++)
    {
      guint at = 0, n = n_choices (problem, l);

      dsp += choice_at (problem, l, 0)->dsp;
      cycles -= choice_at (problem, l, 0)->cycles;
      while (at + 1 < n)
        {
          guint best = at + 1;
          Segment segment = { 0, 1 };

          for (guint k = at + 1; k < n; k++)
            {
              Segment to = { choice_at (problem, l, at)->dsp - choice_at (problem, l, k)->dsp,
                             choice_at (problem, l, k)->cycles - choice_at (problem, l, at)->cycles };

              if (to.saved * segment.cycles >= segment.saved * to.cycles)
                {
                  segment = to;
                  best = k;
                }
            }
          g_array_append_val (segments, segment);
          at = best;
        }
    }
  g_array_sort (segments, compare_segments);
  for (guint s = 0; s < segments->len && cycles > 0; s++)
    {
      const Segment *segment = &g_array_index (segments, Segment, s);
      double part = MIN (1, cycles / segment->cycles);

      dsp -= part * segment->saved;
      cycles -= segment->cycles;
    }
  return dsp;
}

static void
fill_plan (NnReusePlan    *plan,
           const Problem  *problem,
           const guint    *picked,
           gboolean        stream)
{
  double slowest = 0, sum = 0;

  plan->dsp = problem->fixed_dsp;
  for (guint l = 0; l < problem->choices->len; l++)
    {
      const Choice *c = choice_at (problem, l, picked[l]);

      plan->reuse[g_array_index (problem->layers, guint, l)] = c->reuse;
      plan->dsp += c->dsp;
      slowest = MAX (slowest, c->cycles);
      sum += c->cycles;
    }
  plan->latency = stream ? slowest : sum + problem->fixed_cycles;
}

/**
 * nn_reuse_solve:
 *
 * Returns: (transfer full): the fewest DSPs that are done within @cycles, with proof; status, bound and gap are results
 *
 * Errors: %G_IO_ERROR_CANCELLED, and those of nn_estimate()
 */
NnReusePlan *
nn_reuse_solve (const NnDesign  *design,
                const NnPart    *part,
                double           cycles,
                GCancellable    *cancellable,
                GError         **error)
{
  gboolean stream = nn_config_io_type (nn_design_config (design)) == NN_IO_STREAM, feasible = TRUE;
  g_autoptr (NnEstimate) now = nn_estimate (design, part, error);
  g_autoptr (NnReusePlan) plan = NULL;
  g_auto (Problem) problem = { NULL, NULL, 0, 0 };
  g_autofree guint *picked = NULL;
  double budget, step = 1;

  if (now == NULL)
    {
      problem.choices = g_ptr_array_new ();
      problem.layers = g_array_new (FALSE, FALSE, sizeof (guint));
      return NULL;
    }
  problem_init (&problem, design, now->part, now);
  plan = g_new0 (NnReusePlan, 1);
  plan->n_layers = now->n_layers;
  plan->reuse = g_new0 (guint, MAX (now->n_layers, 1));
  picked = g_new0 (guint, problem.choices->len + 1);
  budget = stream ? cycles : cycles - problem.fixed_cycles;
  if (stream)
    feasible = solve_stream (&problem, budget, picked);
  else if (budget < 0)
    feasible = FALSE;
  else
    {
      step = MAX (1, ceil (budget / MAX_STEPS));
      if (!solve_sum (&problem, budget, step, picked, cancellable, error))
        return NULL;
      feasible = picked[0] != G_MAXUINT;
    }
  if (!feasible)
    memset (picked, 0, (problem.choices->len + 1) * sizeof *picked); /* the fastest of each */
  fill_plan (plan, &problem, picked, stream);
  plan->status = !feasible ? NN_REUSE_INFEASIBLE : step > 1 ? NN_REUSE_GAP : NN_REUSE_OPTIMAL;
  plan->bound = plan->status == NN_REUSE_GAP ? ceil (problem.fixed_dsp + relaxed_bound (&problem, budget) - 1e-6) : plan->dsp;
  plan->gap = plan->dsp > 0 ? (plan->dsp - plan->bound) / plan->dsp : 0;
  if (plan->status == NN_REUSE_GAP && plan->gap <= 0)
    plan->status = NN_REUSE_OPTIMAL;
  return g_steal_pointer (&plan);
}

NnConfig *
nn_reuse_plan_config (const NnReusePlan *plan,
                      const NnDesign    *design)
{
  NnConfig *config = nn_config_copy (nn_design_config (design));
  const NnGraph *graph = nn_model_graph (nn_design_model (design));

  for (guint i = 0; i < plan->n_layers; i++)
    if (plan->reuse[i] > 0)
      nn_config_layer (config, nn_graph_node (graph, i)->name)->reuse_factor = plan->reuse[i];
  return config;
}

void
nn_reuse_plan_free (NnReusePlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->reuse);
  g_free (plan);
}
