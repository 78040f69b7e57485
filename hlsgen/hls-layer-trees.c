/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ensembles of decision trees: tables of comparisons and leaves, which nnet_trees.h unrolls. */

#include "hls-layer-private.h"

#include "nn-design-trees.h"

#define MAX_ENTRIES (1u << 22) /* of a table, which the tool unrolls entry by entry */

/* A tree is filled up to the largest. */
typedef struct {
  const NnTreePlan *plan;
  gsize             n_steps, n_leaves;
} Room;

static Room
find_room (const NnTreePlan *plan)
{
  Room room = { plan, 1, 1 };

  for (guint t = 0; t < plan->n_trees; t++)
    {
      room.n_steps = MAX (room.n_steps, plan->trees[t].n_steps);
      room.n_leaves = MAX (room.n_leaves, plan->trees[t].n_leaves);
    }
  return room;
}

/* Where a branch of a tree leads, with leaves from the largest tree's number of comparisons on. */
static guint32
place_in (const Room          *room,
          const NnPlannedTree *tree,
          guint                place)
{
  return place < tree->n_steps ? place : (guint32) (room->n_steps + place - tree->n_steps);
}

/* Of every comparison what the kernel asks for. A tree of one leaf has one that leads there either way. */
static gboolean
write_steps (HlsEmit     *emit,
             HlsLayer    *layer,
             const Room  *room,
             gboolean    *equal,
             GError     **error)
{
  gsize n = room->plan->n_trees * room->n_steps;
  g_autofree guint32 *feature = g_new0 (guint32, n), *yes = g_new (guint32, n), *no = g_new (guint32, n), *equals = g_new0 (guint32, n);
  g_autofree gint64 *bound = g_new0 (gint64, n);
  /* a bound is any code of the input's type, also one that its overflow mode would not give */
  NnType type = layer->plan->input;

  type.rounding = NN_ROUND_TRN;
  type.overflow = NN_OVERFLOW_WRAP;
  *equal = FALSE;
  for (gsize i = 0; i < n; i++)
    yes[i] = no[i] = (guint32) room->n_steps;
  for (guint t = 0; t < room->plan->n_trees; t++)
    for (guint k = 0; k < room->plan->trees[t].n_steps; k++)
      {
        const NnPlannedTree *tree = &room->plan->trees[t];
        const NnTreeStep *step = &tree->steps[k];
        gsize i = t * room->n_steps + k;

        feature[i] = step->feature;
        bound[i] = step->bound;
        yes[i] = place_in (room, tree, step->yes);
        no[i] = place_in (room, tree, step->no);
        equals[i] = step->equal;
        *equal |= step->equal;
      }
  for (guint k = 0; k < (*equal ? 4 : 3); k++)
    {
      const struct { const char *stem, *comment; const guint32 *values; } lists[] = {
        { "feature", "Features that are compared", feature }, { "yes", "Where a feature not above its bound leads", yes },
        { "no", "Where one above it leads", no }, { "equal", "Which comparisons ask for equality", equals } };
      g_autofree char *name = g_strdup_printf ("%s%u", lists[k].stem, layer->number);

      hls_emit_indices (emit, name, lists[k].comment, lists[k].values, n);
      g_string_append_printf (emit->configs, k < 3 ? "    static unsigned %s(unsigned n) { return %s[n]; }\n"
                                                   : "    static bool %s(unsigned n) { return %s[n] != 0; }\n", lists[k].stem, name);
    }
  return hls_layer_row (emit, layer, "bound", "t", "bound_t", &type, bound, n, 0, error);
}

static gboolean
write_leaves (HlsEmit     *emit,
              HlsLayer    *layer,
              const Room  *room,
              GError     **error)
{
  gsize row = room->n_leaves * room->plan->n_targets, n = room->plan->n_trees * row;
  g_autofree gint64 *raw = g_new0 (gint64, n);

  for (guint t = 0; t < room->plan->n_trees; t++)
    for (gsize k = 0; k < (gsize) room->plan->trees[t].n_leaves * room->plan->n_targets; k++)
      raw[t * row + k] = room->plan->trees[t].leaves[k];
  return hls_layer_row (emit, layer, "leaf", "w", "weight_t", &layer->plan->weight, raw, n, 0, error) &&
         hls_layer_row (emit, layer, "base", "b", "bias_t", &layer->plan->bias, room->plan->base, room->plan->n_targets, 0, error);
}

gboolean
hls_write_trees (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  const NnTreePlan *plan = nn_design_trees (emit->design, layer->number);
  const char *together = plan->aggregate == NN_TREE_MIN ? "min" : plan->aggregate == NN_TREE_MAX ? "max" : "add";
  Room room = find_room (plan);
  gboolean equal;

  if ((double) plan->n_trees * MAX (room.n_steps, room.n_leaves * plan->n_targets) > MAX_ENTRIES)
    return hls_layer_unsupported (layer, "its trees, each filled up to the largest, have more than four million leaves and targets; fewer "
                                  "or more even trees are supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  hls_layer_begin_array (emit, layer);
  hls_layer_field (emit, "n_trees", plan->n_trees);
  hls_layer_field (emit, "n_targets", plan->n_targets);
  hls_layer_field (emit, "n_steps", room.n_steps);
  hls_layer_field (emit, "n_leaves", room.n_leaves);
  hls_layer_type_field (emit, layer, "accum_t");
  if (!write_steps (emit, layer, &room, &equal, error) || !write_leaves (emit, layer, &room, error))
    return FALSE;
  g_string_append_printf (emit->configs,
                          "    typedef nnet::%s test;\n"
                          "    typedef nnet::tree_%s<accum_t> together;\n"
                          "    typedef nnet::%s answer;\n",
                          equal ? "tree_either" : "tree_not_above", together, plan->label ? "tree_winner" : "tree_answers");
  hls_layer_end (emit);
  layer->kernel = g_strdup_printf ("%u comparisons of %u trees at once; %u more are decided before", plan->n_steps, plan->n_trees,
                                   plan->n_dropped);
  hls_layer_call (emit, layer, "trees", NULL, NULL);
  return TRUE;
}
