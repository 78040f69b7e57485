/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiple-choice knapsack over the weights of Latency layers. An item is a class: all weights of one value on one input,
 * which share a multiplier. Its options: some of the weights, the least important first, are cut; the rest keeps the value (a
 * DSP for all of them, none where it has two signed digits at most), or moves to the nearest value of two digits (no DSP, one
 * addition for all of them), or to the nearest power of two (neither). All other groups are items that stay or go.
 *
 * hls4ml's multiplier limit caps what a layer takes. A cap is no sum; so the choice is made once for each set of the
 * layers that it may bind in (there the limit is taken, and DSPs are free), and the best is proven over all sets.
 */

#include "nn-moved.h"

#include "nn-choice.h"
#include "nn-law.h"
#include "nn-snap.h"

#include <math.h>
#include <string.h>

/* Layers whose multiplier limit may bind that are told apart; others are counted in full. */
#define MAX_CAPPED 4
/* Beyond so many equal weights of a class cuts go by shares of it. */
#define MAX_CUTS 16
#define DSP_DIGITS 3
/* Importance is not known to this share of it; to prove more would take longer than to train. */
#define LEAST_GAP 1e-5

typedef enum { FREE, FIXED, TWO_DIGITS, ONE_DIGIT } Mode;

typedef struct {
  gboolean may_move;
  NnHeld   held;
  gint64   to[2];   /* nearest with two digits, with one */
  guint8   mode;
} Item;

/* Data of the projection of one weight. */
typedef struct {
  const NnMoved *moved;
  guint8        *which;
  guint32       *group; /* by flat index */
} Grid;

struct _NnMoved {
  const NnGroups *groups;
  const NnModel  *model;
  NnDesign       *design;
  guint           n_weights;
  Item           *items;  /* by group */
  double         *adder;  /* (n_nodes): LUTs of one addition */
  Grid           *data;   /* (n_weights) */
  GArray         *grids;  /* NnTrainGrid: those in use */
  gboolean        folds;  /* a batch norm scales weights on the way to hardware */
};

void
nn_moved_free (NnMoved *moved)
{
  if (moved == NULL)
    return;
  for (guint i = 0; i < moved->n_weights; i++)
    {
      g_free (moved->data[i].which);
      g_free (moved->data[i].group);
    }
  nn_design_unref (moved->design);
  g_free (moved->items);
  g_free (moved->adder);
  g_array_unref (moved->grids);
  g_free (moved->data);
  g_free (moved);
}

/* LUTs of an addition: what the estimate gives a layer, by its live weights and its products of two digits. */
static void
find_adders (NnMoved *moved)
{
  const NnGroups *groups = moved->groups;
  g_autofree double *lut = g_new0 (double, groups->n_nodes + 1), *adds = g_new0 (double, groups->n_nodes + 1);

  for (gsize g = 0; g < groups->n_groups; g++)
    if (moved->items[g].may_move)
      {
        lut[groups->groups[g].node] += groups->groups[g].cost.amount[NN_RESOURCE_LUT];
        adds[groups->groups[g].node] += 1 + (nn_csd_digits (moved->items[g].held.raw) == 2);
      }
  for (guint i = 0; i < groups->n_nodes; i++)
    moved->adder[i] = adds[i] > 0 ? lut[i] / adds[i] : 0;
}

NnMoved *
nn_moved_new (const NnPruneRun *run,
              const NnModel    *model,
              const NnGroups   *groups,
              GError          **error)
{
  g_autoptr (NnDesign) design = nn_design_new (model, run->config, error);
  NnMoved *moved;

  if (design == NULL)
    return NULL;
  moved = g_new0 (NnMoved, 1);
  moved->groups = groups;
  moved->model = model;
  moved->design = g_steal_pointer (&design);
  moved->n_weights = nn_model_n_weights (model);
  moved->items = g_new0 (Item, MAX (groups->n_groups, 1));
  moved->adder = g_new0 (double, groups->n_nodes + 1);
  moved->grids = g_array_new (FALSE, TRUE, sizeof (NnTrainGrid));
  moved->data = g_new0 (Grid, moved->n_weights + 1);
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      Item *item = &moved->items[g];

      item->may_move = groups->groups[g].n == 1 && groups->groups[g].kept &&
                       groups->structure[groups->groups[g].node] == NN_STRUCTURE_UNSTRUCTURED &&
                       nn_snap_find (moved->design, groups, g, &item->held) && item->held.raw != 0;
      if (!item->may_move)
        continue;
      item->to[0] = nn_snap_raw (item->held.raw, item->held.type);
      item->to[1] = nn_snap_power (item->held.raw, item->held.type);
      moved->folds = moved->folds || item->held.scale != 1;
    }
  find_adders (moved);
  return moved;
}

/* The groups of a choice, sorted: those of a class side by side. */
typedef struct {
  gsize  g;
  guint  weight;
  gsize  input;
  gint64 raw;
  double value;
  gboolean pinned;
} Member;

static int
compare_members (const void *a,
                 const void *b)
{
  const Member *ma = a, *mb = b;

  if (ma->weight != mb->weight)
    return ma->weight < mb->weight ? -1 : 1;
  if (ma->input != mb->input)
    return ma->input < mb->input ? -1 : 1;
  if (ma->raw != mb->raw)
    return ma->raw < mb->raw ? -1 : 1;
  if (ma->pinned != mb->pinned) /* what must stay is cut last */
    return ma->pinned ? 1 : -1;
  if (ma->value != mb->value)
    return ma->value < mb->value ? -1 : 1;
  return ma->g < mb->g ? -1 : ma->g > mb->g;
}

/* What an option does: @cut members of @n from @first on go, the rest has @mode. */
typedef struct {
  gsize first, n, cut;
  Mode  mode;
} Deed;

typedef struct {
  const NnMoved    *moved;
  const NnPruneRun *run;
  NnObjective       objectives[NN_KNAPSACK_MAX_RESOURCES];
  double            budget[NN_KNAPSACK_MAX_RESOURCES];
  guint             m;
  Member           *members;
  GArray           *first;  /* gsize */
  GArray           *deeds;
  GArray           *values; /* double: damage, then what is left of the worst */
  GArray           *costs;  /* double */
} Problem;

static void
add_option (Problem      *p,
            const Deed   *deed,
            double        damage,
            const double *cost)
{
  g_array_append_vals (p->deeds, deed, 1);
  g_array_append_val (p->values, damage);
  for (guint j = 0; j < p->m; j++)
    g_array_append_val (p->costs, cost[p->objectives[j]]);
}

/* Share of the importance that goes with moving a weight: as the square of how far for an estimate of second order. */
static double
moved_share (const Problem *p,
             const Item    *item,
             gint64         to)
{
  double far = fabs ((double) (to - item->held.raw) / (double) item->held.raw);

  return MIN (p->run->options->importance == NN_IMPORTANCE_SECOND_ORDER ? far * far : far, 1);
}

static void
add_class (Problem *p,
           gsize    first,
           gsize    n)
{
  const NnMoved *moved = p->moved;
  const NnGroup *group = &moved->groups->groups[p->members[first].g];
  const Item *item = &moved->items[p->members[first].g];
  guint digits = nn_csd_digits (item->held.raw);
  double all = 0, cut_damage = 0;
  gsize must = 0, step = n > MAX_CUTS ? n / MAX_CUTS : 1;

  for (gsize k = 0; k < n; k++)
    {
      all += p->members[first + k].value;
      must += moved->groups->groups[p->members[first + k].g].pin > 0;
    }
  for (gsize cut = 0; cut <= n - must; cut++)
    {
      gsize left = n - cut;

      if (cut % step == 0 || cut == n - must)
        for (Mode mode = FREE; mode <= ONE_DIGIT; mode++)
          {
            double cost[NN_N_OBJECTIVES], damage = cut_damage;
            gint64 to = mode >= TWO_DIGITS ? item->to[mode - TWO_DIGITS] : item->held.raw;
            Deed deed = { first, n, cut, mode };

            /* A single weight that keeps its DSP is free to learn; several share it only while they stay as they are. */
            if (mode == (left > 1 ? FREE : FIXED) || (mode == FREE && digits < DSP_DIGITS) ||
                (mode == FIXED && digits < DSP_DIGITS) || (mode == ONE_DIGIT && to == item->to[0]) || (left == 0 && mode != TWO_DIGITS))
              continue;
            for (NnObjective j = 0; j < NN_N_OBJECTIVES; j++)
              cost[j] = nn_group_cost (group, j) * (double) left;
            cost[NN_OBJECTIVE_DSP] = mode < TWO_DIGITS ? nn_group_cost (group, NN_OBJECTIVE_DSP) : 0;
            cost[NN_OBJECTIVE_LUT] = moved->adder[group->node] * ((double) left + (left > 0 && nn_csd_digits (to) == 2));
            cost[NN_OBJECTIVE_WEIGHTED] = 0;
            for (NnObjective j = 0; j < NN_OBJECTIVE_WEIGHTED; j++)
              cost[NN_OBJECTIVE_WEIGHTED] += p->run->options->weights[j] * cost[j];
            damage += (all - cut_damage) * (mode >= TWO_DIGITS ? moved_share (p, item, to) : 0);
            add_option (p, &deed, damage, cost);
          }
      if (cut < n)
        cut_damage += p->members[first + cut].value;
    }
}

/* A group that is no single weight of a Latency layer stays or goes. */
static void
add_plain (Problem *p,
           gsize    at)
{
  const NnGroup *group = &p->moved->groups->groups[p->members[at].g];
  double cost[NN_N_OBJECTIVES], none[NN_N_OBJECTIVES] = { 0 };
  Deed deed = { at, 1, 0, FREE };
  gboolean out = !group->kept || (group->value == 0 && group->pin <= 0) || group->pin < 0;

  for (NnObjective j = 0; j < NN_N_OBJECTIVES; j++)
    cost[j] = nn_group_cost (group, j);
  if (!out)
    add_option (p, &deed, 0, cost);
  deed.cut = 1;
  if (out || group->pin <= 0)
    add_option (p, &deed, out ? 0 : group->value, none);
}

/* Whether equal weights of a row multiply the same number. */
static gboolean
shares_inputs (const NnMoved *moved,
               guint          node)
{
  switch (nn_graph_node (nn_model_graph (nn_design_model (moved->design)), node)->op)
    {
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_EINSUM_DENSE:
      return FALSE;
    default:
      return TRUE;
    }
}

static void
make_problem (Problem *p,
              gsize    first,
              gsize    n)
{
  const NnGroups *groups = p->moved->groups;

  p->members = g_new (Member, MAX (n, 1));
  for (gsize t = 0; t < n; t++)
    {
      gsize g = first + t;
      const NnGroup *group = &groups->groups[g];
      const Item *item = &p->moved->items[g];
      gboolean may = item->may_move && group->pin >= 0 && group->value > 0;
      const NnTensor *values = nn_model_weight (p->moved->model, group->weight)->values;
      gsize n_out = (gsize) MAX (nn_shape_last (&values->shape), 1), index = groups->indices[group->first];

      if (may && !shares_inputs (p->moved, group->node))
        n_out = 1;
      /* What is no class stands alone, behind all classes of its weight. */
      p->members[t] = (Member) { .g = g, .weight = group->weight, .input = may ? index / n_out : G_MAXSIZE,
                                 .raw = may ? item->held.raw : (gint64) g, .value = group->value, .pinned = group->pin > 0 };
    }
  qsort (p->members, n, sizeof *p->members, compare_members);
  for (gsize at = 0, next; at < n; at = next)
    {
      gsize begin = p->values->len;
      double worst = 0;

      g_array_append_val (p->first, begin);
      for (next = at + 1; next < n && p->members[at].input != G_MAXSIZE && p->members[next].weight == p->members[at].weight &&
                          p->members[next].input == p->members[at].input && p->members[next].raw == p->members[at].raw;
           next++)
        ;
      if (p->members[at].input == G_MAXSIZE)
        add_plain (p, at);
      else
        add_class (p, at, next - at);
      for (gsize o = begin; o < p->values->len; o++)
        worst = MAX (worst, g_array_index (p->values, double, o));
      for (gsize o = begin; o < p->values->len; o++)
        g_array_index (p->values, double, o) = worst - g_array_index (p->values, double, o);
    }
  {
    gsize end = p->values->len;

    g_array_append_val (p->first, end);
  }
}

/* A weight whose layer's multiplier limit may bind. */
typedef struct {
  guint  weight;
  double most;  /* DSPs at the limit */
  double each;  /* of one multiplier: what groups cost is scaled to the limit already */
} Capped;

static GArray *
find_capped (const NnMoved *moved,
             gsize          first,
             gsize          n)
{
  const NnGroups *groups = moved->groups;
  GArray *capped = g_array_new (FALSE, FALSE, sizeof (Capped));

  for (gsize g = first, next; g < first + n; g = next)
    {
      guint id = groups->groups[g].weight;
      const NnWeight *weight = nn_model_weight (moved->model, id);
      const NnLayerPlan *plan = nn_design_plan (moved->design, groups->groups[g].node);
      guint reuse = weight->role == NN_ROLE_RECURRENT_KERNEL ? plan->recurrent_reuse_factor : plan->reuse_factor;
      Capped c = { .weight = id };
      gsize live = 0;

      for (next = g; next < first + n && groups->groups[next].weight == id; next++)
        if (moved->items[next].may_move)
          {
            c.most += groups->groups[next].cost.amount[NN_RESOURCE_DSP];
            live++;
          }
      if (reuse <= 1 || live == 0 || c.most <= 0)
        continue;
      c.each = c.most / (double) nn_law_multiplier_limit (weight->values->n, 1, reuse, weight->values->n - live);
      g_array_append_val (capped, c);
    }
  return capped;
}

/* Costs of DSPs as they are where the limits of @set bind: nothing there, each multiplier in full elsewhere. */
static void
set_caps (const Problem *p,
          const GArray  *capped,
          guint          set,
          double        *costs,
          double        *budget)
{
  guint dsp = 0;

  memcpy (costs, p->costs->data, sizeof *costs * p->costs->len);
  memcpy (budget, p->budget, sizeof *budget * p->m);
  while (dsp < p->m && p->objectives[dsp] != NN_OBJECTIVE_DSP)
    dsp++;
  for (guint k = 0; dsp < p->m && k < capped->len; k++)
    {
      const Capped *c = &g_array_index (capped, Capped, k);
      gboolean binds = k < MAX_CAPPED && (set >> k & 1) != 0;

      if (binds)
        budget[dsp] -= c->most;
      for (guint o = 0; o < p->deeds->len; o++)
        {
          const Deed *deed = &g_array_index (p->deeds, Deed, o);
          const Member *member = &p->members[deed->first];

          if (member->weight == c->weight && member->input != G_MAXSIZE && costs[o * p->m + dsp] > 0)
            costs[o * p->m + dsp] = binds ? 0 : c->each;
        }
    }
}

/* The best over all sets of limits that bind; its status is that of the worst that could have been better. */
static NnChoiceResult *
solve_caps (const Problem *p,
            const GArray  *capped,
            GError       **error)
{
  g_autofree double *costs = g_new (double, MAX (p->costs->len, 1));
  double budget[NN_KNAPSACK_MAX_RESOURCES], bound = 0, seconds = 0;
  NnKnapsackOptions options = p->run->options->knapsack;
  NnKnapsackStatus worst = NN_KNAPSACK_OPTIMAL;
  g_autoptr (NnChoiceResult) best = NULL;

  options.gap = MAX (options.gap, LEAST_GAP);
  /* A clock would make the choice depend on the machine's load: the search has a limit of its own, in states. */
  options.time_limit = 0;
  for (guint set = 0; set < 1u << MIN (capped->len, MAX_CAPPED); set++)
    {
      NnChoiceProblem problem = { .n = p->first->len - 1, .first = (const gsize *) p->first->data, .n_resources = p->m,
                                  .values = (const double *) p->values->data, .costs = costs, .budget = budget };
      g_autoptr (NnChoiceResult) result = NULL;

      set_caps (p, capped, set, costs, budget);
      result = nn_choice_solve (&problem, &options, p->run->cancellable, error);
      if (result == NULL)
        return NULL;
      seconds += result->seconds;
      if (result->status != NN_KNAPSACK_INFEASIBLE)
        {
          bound = MAX (bound, result->bound);
          worst = MAX (worst, result->status);
        }
      if (best == NULL || (best->status == NN_KNAPSACK_INFEASIBLE && result->status != NN_KNAPSACK_INFEASIBLE) ||
          (result->status != NN_KNAPSACK_INFEASIBLE && result->value > best->value))
        {
          g_clear_pointer (&best, nn_choice_result_free);
          best = g_steal_pointer (&result);
        }
    }
  best->seconds = seconds;
  if (best->status != NN_KNAPSACK_INFEASIBLE)
    {
      best->bound = MAX (bound, best->value);
      best->gap = best->bound > 0 ? (best->bound - best->value) / best->bound : 0;
      best->status = best->gap > 0 ? worst : NN_KNAPSACK_OPTIMAL;
    }
  return g_steal_pointer (&best);
}

/* What was chosen, group by group. */
static NnKnapsackResult *
take_choice (NnMoved              *moved,
             const Problem        *p,
             const NnChoiceResult *choice,
             gsize                 first,
             gsize                 n,
             double               *price)
{
  NnKnapsackResult *r = g_new0 (NnKnapsackResult, 1);

  r->keep = g_malloc0 (MAX (n, 1));
  for (gsize i = 0; i + 1 < p->first->len; i++)
    {
      const Deed *deed = &g_array_index (p->deeds, Deed, choice->chosen[i]);

      for (gsize k = 0; k < deed->n; k++)
        {
          gsize g = p->members[deed->first + k].g;

          r->keep[g - first] = k >= deed->cut;
          r->n_kept += k >= deed->cut;
          moved->items[g].mode = k >= deed->cut ? deed->mode : FREE;
          /* Training is not to give it a second digit, whose addition was not reckoned with. */
          if (moved->items[g].mode == TWO_DIGITS && nn_csd_digits (moved->items[g].to[0]) < 2)
            moved->items[g].mode = ONE_DIGIT;
        }
    }
  memset (price, 0, sizeof *price * NN_N_OBJECTIVES);
  for (guint j = 0; j < p->m; j++)
    price[p->objectives[j]] = choice->price[j];
  r->status = choice->status;
  r->value = choice->value;
  r->bound = choice->bound;
  r->gap = choice->gap;
  r->seconds = choice->seconds;
  return r;
}

NnKnapsackResult *
nn_moved_choose (NnMoved          *moved,
                 const NnPruneRun *run,
                 gsize             first,
                 gsize             n,
                 const double     *budget,
                 double           *price,
                 GError          **error)
{
  Problem p = { .moved = moved, .run = run };
  g_autoptr (GArray) capped = find_capped (moved, first, n);
  g_autoptr (NnChoiceResult) choice = NULL;
  NnKnapsackResult *result = NULL;

  for (NnObjective j = 0; j < NN_N_OBJECTIVES; j++)
    if (budget[j] >= 0 && p.m < NN_KNAPSACK_MAX_RESOURCES)
      {
        p.objectives[p.m] = j;
        p.budget[p.m++] = budget[j];
      }
  p.first = g_array_new (FALSE, FALSE, sizeof (gsize));
  p.deeds = g_array_new (FALSE, FALSE, sizeof (Deed));
  p.values = g_array_new (FALSE, FALSE, sizeof (double));
  p.costs = g_array_new (FALSE, FALSE, sizeof (double));
  make_problem (&p, first, n);
  choice = solve_caps (&p, capped, error);
  if (choice != NULL)
    result = take_choice (moved, &p, choice, first, n, price);
  g_free (p.members);
  g_array_unref (p.first);
  g_array_unref (p.deeds);
  g_array_unref (p.values);
  g_array_unref (p.costs);
  return result;
}

/* The value that hardware is to hold instead of @raw. */
static gint64
target (const Item *item,
        gint64      raw)
{
  return item->mode == FIXED        ? item->held.raw
         : item->mode == TWO_DIGITS ? nn_snap_raw (raw, item->held.type)
                                    : nn_snap_power (raw, item->held.type);
}

static double
project (double        value,
         gsize         index,
         gconstpointer data)
{
  const Grid *grid = data;
  const Item *item = &grid->moved->items[grid->group[index]];

  return nn_snap_value (&item->held, target (item, nn_snap_nearest (&item->held, value)));
}

/* Scales of a batch norm that is folded into weights on a grid stay as they are. */
static double
stay (double        value,
      gsize         index,
      gconstpointer data)
{
  const NnTensor *tensor = data;

  return nn_tensor_f32 (tensor)[index];
}

gsize
nn_moved_count (const NnMoved *moved)
{
  gsize count = 0;

  for (gsize g = 0; g < moved->groups->n_groups; g++)
    {
      const Item *item = &moved->items[g];

      count += item->mode >= TWO_DIGITS && target (item, item->held.raw) != item->held.raw;
    }
  return count;
}

static void
note_grid (NnMoved *moved,
           gsize    g)
{
  const NnGroup *group = &moved->groups->groups[g];
  gsize n = nn_model_weight (moved->model, group->weight)->values->n;
  Grid *grid = &moved->data[group->weight];
  guint32 index = moved->groups->indices[group->first];

  if (grid->which == NULL)
    {
      NnTrainGrid train = { .weight = group->weight, .project = project, .data = grid };

      grid->moved = moved;
      grid->group = g_new0 (guint32, n);
      train.which = grid->which = g_malloc0 (n);
      g_array_append_val (moved->grids, train);
    }
  grid->which[index] = 1;
  grid->group[index] = (guint32) g;
}

void
nn_moved_seal (NnMoved *moved)
{
  for (gsize g = 0; g < moved->groups->n_groups; g++)
    if (moved->items[g].mode != FREE)
      note_grid (moved, g);
  for (guint id = 0; moved->folds && moved->grids->len > 0 && id < moved->n_weights; id++)
    {
      const NnWeight *w = nn_model_weight (moved->model, id);
      NnTrainGrid train = { .weight = id, .project = stay, .data = w->values };

      if (w->role != NN_ROLE_GAMMA)
        continue;
      train.which = moved->data[id].which = g_malloc (w->values->n);
      memset (moved->data[id].which, 1, w->values->n);
      g_array_append_val (moved->grids, train);
    }
}

void
nn_moved_constrain (const NnMoved  *moved,
                    NnTrainOptions *options)
{
  options->grids = (const NnTrainGrid *) moved->grids->data;
  options->n_grids = moved->grids->len;
  options->freeze_norm = options->freeze_norm || moved->folds;
}

NnModel *
nn_moved_apply (const NnMoved *moved,
                const NnModel *model)
{
  g_autofree NnTensor **values = g_new0 (NnTensor *, MAX (moved->n_weights, 1));
  NnModel *result;

  for (guint t = 0; t < moved->grids->len; t++)
    {
      const NnTrainGrid *grid = &g_array_index (moved->grids, NnTrainGrid, t);
      const NnWeight *w = nn_model_weight (model, grid->weight);
      NnTensor *next = values[grid->weight] = nn_tensor_copy (w->values);

      for (gsize i = 0; i < next->n; i++)
        if (grid->which[i] && (w->mask == NULL || nn_tensor_u8 (w->mask)[i] != 0))
          nn_tensor_f32 (next)[i] = (float) grid->project (nn_tensor_f32 (next)[i], i, grid->data);
    }
  result = nn_model_with_weights (model, values, NULL);
  for (guint i = 0; i < moved->n_weights; i++)
    g_clear_pointer (&values[i], nn_tensor_unref);
  return result;
}
