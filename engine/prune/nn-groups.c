/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which weights live and die together: the only file that knows what a structure is. */

#include "nn-groups-private.h"

#include "nn-error.h"
#include "nn-text.h"

#include <string.h>

#define DEFAULT_BLOCK 4
/* Width of a block RAM's word [AMD UG573: RAMB18 as 512 x 36, RAMB36 as 512 x 72]. */
#define BRAM_WORD_BITS 36

double
nn_group_cost (const NnGroup *group,
               NnObjective    objective)
{
  return objective < NN_OBJECTIVE_PARAMETERS ? group->cost.amount[objective]
                                             : group->other[objective - NN_OBJECTIVE_PARAMETERS];
}

guint
nn_bram_word (guint  width,
              guint *bits)
{
  guint in_one = BRAM_WORD_BITS / width, in_two = 2 * BRAM_WORD_BITS / width;

  if (in_two == 0)
    {
      *bits = (width + BRAM_WORD_BITS - 1) / BRAM_WORD_BITS * BRAM_WORD_BITS;
      return 1;
    }
  *bits = in_two > 2 * in_one ? 2 * BRAM_WORD_BITS : BRAM_WORD_BITS;
  return in_two > 2 * in_one ? in_two : in_one;
}

void
nn_group_options_init (NnGroupOptions *options)
{
  *options = (NnGroupOptions) {
    .structure = NN_STRUCTURE_AUTO,
    .block_in = DEFAULT_BLOCK,
    .block_out = DEFAULT_BLOCK,
    .objectives = (1u << NN_N_OBJECTIVES) - 1,
  };
}

static void
begin_group (NnGroupBuilder      *builder,
             const NnGroupMatrix *matrix)
{
  NnGroup group = { .node = matrix->node, .weight = matrix->weight, .first = builder->indices->len };

  g_array_append_val (builder->groups, group);
}

static void
add_member (NnGroupBuilder      *builder,
            const NnGroupMatrix *matrix,
            gsize                index)
{
  NnGroup *group = &g_array_index (builder->groups, NnGroup, builder->groups->len - 1);
  const NnTensor *mask = matrix->source->mask;
  guint32 i = (guint32) index;

  g_array_append_val (builder->indices, i);
  group->n++;
  if (mask == NULL || nn_tensor_u8 (mask)[index] != 0)
    group->kept = TRUE;
}

/* Runs of @length weights of the output-major tensor; the last may be shorter. */
static void
add_runs (NnGroupBuilder      *builder,
          const NnGroupMatrix *matrix,
          gsize                length)
{
  gsize n = matrix->n_in * matrix->n_out;

  for (gsize f = 0; f < n; f++)
    {
      if (f % length == 0)
        begin_group (builder, matrix);
      add_member (builder, matrix, nn_group_index (matrix, f));
    }
}

/* All that makes an output: its column, or the columns of all gates of a recurrent layer. */
static void
add_outputs (NnGroupBuilder      *builder,
             const NnGroupMatrix *matrix)
{
  gsize units = matrix->n_out / matrix->n_gates;

  for (gsize u = 0; u < units; u++)
    {
      begin_group (builder, matrix);
      for (gsize gate = 0; gate < matrix->n_gates; gate++)
        for (gsize i = 0; i < matrix->n_in; i++)
          add_member (builder, matrix, nn_group_index (matrix, (gate * units + u) * matrix->n_in + i));
    }
}

static void
add_blocks (NnGroupBuilder      *builder,
            const NnGroupMatrix *matrix,
            gsize                height,
            gsize                width)
{
  for (gsize i0 = 0; i0 < matrix->n_in; i0 += height)
    for (gsize o0 = 0; o0 < matrix->n_out; o0 += width)
      {
        begin_group (builder, matrix);
        for (gsize i = i0; i < MIN (i0 + height, matrix->n_in); i++)
          for (gsize o = o0; o < MIN (o0 + width, matrix->n_out); o++)
            add_member (builder, matrix, nn_group_index (matrix, o * matrix->n_in + i));
      }
}

void
nn_groups_enumerate (NnGroupBuilder       *builder,
                     const NnGroupMatrix  *matrix,
                     NnStructure           structure,
                     const NnGroupOptions *options)
{
  guint bits;

  switch (structure)
    {
    case NN_STRUCTURE_UNSTRUCTURED:
      add_runs (builder, matrix, 1);
      break;
    case NN_STRUCTURE_NEURON:
      add_outputs (builder, matrix);
      break;
    case NN_STRUCTURE_MULTIPLIER:
      add_runs (builder, matrix, matrix->reuse);
      break;
    case NN_STRUCTURE_BRAM_WORD:
      add_runs (builder, matrix, (gsize) matrix->reuse * nn_bram_word ((guint) matrix->type->width, &bits));
      break;
    case NN_STRUCTURE_BLOCK:
      add_blocks (builder, matrix, MAX (options->block_in, 1), MAX (options->block_out, 1));
      break;
    case NN_STRUCTURE_AUTO:
    case NN_STRUCTURE_NONE:
    case NN_N_STRUCTURES:
      break;
    }
}

static gboolean
is_left (const NnGroupOptions *options,
         const NnNode         *node)
{
  return options->leave != NULL && (g_strv_contains (options->leave, node->name) || g_strv_contains (options->leave, node->origin));
}

/* Whether a later layer has weights to prune; the outputs of the last one are what the network is asked for. */
static gboolean
has_successor (const NnGraph *graph,
               guint          i)
{
  g_autofree gboolean *reached = g_new0 (gboolean, nn_graph_n_nodes (graph));

  reached[i] = TRUE;
  for (guint k = i + 1; k < nn_graph_n_nodes (graph); k++)
    {
      const NnNode *node = nn_graph_node (graph, k);

      for (guint j = 0; j < node->n_inputs; j++)
        reached[k] = reached[k] || reached[node->inputs[j]];
      if (reached[k] && nn_op_is_prunable (node->op))
        return TRUE;
    }
  return FALSE;
}

/* What the layer's hardware shares. */
static NnStructure
choose_structure (const NnGroupOptions *options,
                  const NnGraph        *graph,
                  const NnNode         *node,
                  const NnGroupMatrix  *matrix)
{
  NnStructure structure = options->structure;
  gpointer chosen;

  if (is_left (options, node))
    return NN_STRUCTURE_NONE;
  if (options->layer_structures != NULL &&
      (g_hash_table_lookup_extended (options->layer_structures, node->origin, NULL, &chosen) ||
       g_hash_table_lookup_extended (options->layer_structures, node->name, NULL, &chosen)))
    structure = (NnStructure) GPOINTER_TO_INT (chosen);
  if (structure == NN_STRUCTURE_NEURON && !has_successor (graph, matrix->node))
    return NN_STRUCTURE_NONE;
  if (structure != NN_STRUCTURE_AUTO)
    return structure;
  if (matrix->reuse > 1 &&
      (matrix->plan->strategy == NN_STRATEGY_RESOURCE || matrix->plan->strategy == NN_STRATEGY_RESOURCE_UNROLLED))
    return options->for_bram ? NN_STRUCTURE_BRAM_WORD : NN_STRUCTURE_MULTIPLIER;
  return NN_STRUCTURE_UNSTRUCTURED;
}

/* The source's weight behind @lowered: by the layer it came from and the part it plays, or the name it has there. */
static gboolean
find_source (const NnDesign *design,
             const NnNode   *node,
             const NnWeight *lowered,
             guint          *id)
{
  NnRole role = lowered->role;
  gsize n = lowered->values->n;
  const NnModel *source = nn_design_source (design);
  const NnNode *origin;
  guint i;

  if (!nn_graph_find (nn_model_graph (source), node->origin, &i) && !nn_graph_find (nn_model_graph (source), node->name, &i))
    return FALSE;
  origin = nn_graph_node (nn_model_graph (source), i);
  if (nn_model_node_weight_id (source, origin, role, id) && nn_model_weight (source, *id)->values->n == n)
    return TRUE;
  /* A separable convolution is two nodes in hardware. */
  if (role == NN_ROLE_KERNEL || role == NN_ROLE_DEPTHWISE_KERNEL || role == NN_ROLE_POINTWISE_KERNEL)
    for (NnRole r = NN_ROLE_DEPTHWISE_KERNEL; r <= NN_ROLE_POINTWISE_KERNEL; r++)
      {
        gboolean is_depthwise = node->op == NN_OP_DEPTHWISE_CONV1D || node->op == NN_OP_DEPTHWISE_CONV2D;

        if (is_depthwise == (r == NN_ROLE_DEPTHWISE_KERNEL) && nn_model_node_weight_id (source, origin, r, id) &&
            nn_model_weight (source, *id)->values->n == n)
          return TRUE;
      }
  /* Attention is four dense layers. */
  for (guint k = 0; role == NN_ROLE_KERNEL && k < origin->n_weights; k++)
    {
      const NnWeight *weight = nn_model_weight (source, origin->weights[k]);

      if (nn_role_is_projection (weight->role) && weight->values->n == n && g_str_equal (weight->name, lowered->name))
        {
          *id = origin->weights[k];
          return TRUE;
        }
    }
  return FALSE;
}

/* Letters of an operand of an einsum equation from @at on, without a leading ellipsis; returns their number. */
static guint
read_letters (const char **at,
              char        *letters)
{
  guint n = 0;

  for (; **at != '\0' && **at != ',' && **at != '-'; ++*at)
    if (g_ascii_isalpha (**at) && n < NN_MAX_RANK)
      letters[n++] = **at;
  letters[n] = '\0';
  return n;
}

/*
 * An einsum's kernel as a matrix: the letters that its output has too are outputs, the others are summed over. In the
 * output-major order; NULL (and nothing changed) where that is the model's own order, inputs then outputs.
 */
static guint32 *
einsum_map (const NnNode   *node,
            const NnTensor *kernel,
            gsize          *n_in,
            gsize          *n_out)
{
  const char *at = node->attrs.equation;
  char x[NN_MAX_RANK + 1], w[NN_MAX_RANK + 1], y[NN_MAX_RANK + 1];
  guint order[NN_MAX_RANK], n = 0, rank;
  gsize in = 1, out = 1, index[NN_MAX_RANK] = { 0 };
  gboolean sorted = TRUE;
  guint32 *map;

  if (at == NULL)
    return NULL;
  (void) read_letters (&at, x);
  at += *at == ',';
  rank = read_letters (&at, w);
  at += strspn (at, "->");
  (void) read_letters (&at, y);
  if (rank != kernel->shape.rank)
    return NULL;
  for (guint pass = 0; pass < 2; pass++)
    for (guint k = 0; k < rank; k++)
      if ((strchr (y, w[k]) != NULL) == (pass == 0))
        {
          order[n++] = k;
          *(pass == 0 ? &out : &in) *= (gsize) kernel->shape.dims[k];
        }
  /* Model order is inputs first: outputs (pass 0) must be the last letters. */
  for (guint k = 1; k < rank; k++)
    sorted = sorted && (strchr (y, w[k]) != NULL || strchr (y, w[k - 1]) == NULL);
  if (sorted || in * out != kernel->n)
    return NULL;
  *n_in = in;
  *n_out = out;
  map = g_new (guint32, kernel->n);
  for (gsize f = 0; f < kernel->n; f++)
    {
      gsize flat = 0;

      for (guint k = 0; k < rank; k++)
        flat = flat * (gsize) kernel->shape.dims[k] + index[k];
      map[f] = (guint32) flat;
      for (guint k = rank; k-- > 0;)
        {
          if (++index[order[k]] < (gsize) kernel->shape.dims[order[k]])
            break;
          index[order[k]] = 0;
        }
    }
  return map;
}

/* Whether an einsum's weights stand in another order in hardware than in the model: groups would name the wrong ones. */
static gboolean
is_rearranged (const NnDesign *design,
               const NnNode   *node,
               const NnWeight *lowered,
               const NnWeight *source)
{
  const NnGraph *graph = nn_model_graph (nn_design_source (design));
  guint i;

  return nn_graph_find (graph, source->layer, &i) && nn_graph_node (graph, i)->op == NN_OP_EINSUM_DENSE &&
         node->op != NN_OP_EINSUM_DENSE &&
         memcmp (lowered->values->data, source->values->data, source->values->n * sizeof (float)) != 0;
}

static gboolean
make_matrix (const NnDesign *design,
             guint           node,
             const NnWeight *lowered,
             NnGroupMatrix  *matrix)
{
  const NnNode *n = nn_graph_node (nn_model_graph (nn_design_model (design)), node);
  const NnLayerPlan *plan = nn_design_plan (design, node);
  gboolean is_recurrent = lowered->role == NN_ROLE_RECURRENT_KERNEL;
  const NnShape *shape = &lowered->values->shape;

  *matrix = (NnGroupMatrix) { .node = node, .role = lowered->role, .plan = plan };
  if (lowered->values->n == 0 || !find_source (design, n, lowered, &matrix->weight))
    return FALSE;
  matrix->source = nn_model_weight (nn_design_source (design), matrix->weight);
  if (is_rearranged (design, n, lowered, matrix->source))
    return FALSE;
  matrix->type = is_recurrent ? &plan->recurrent_weight : &plan->weight;
  matrix->n_in = is_recurrent ? plan->recurrent_n_in : plan->n_in;
  if (matrix->n_in == 0 || lowered->values->n % matrix->n_in != 0)
    matrix->n_in = lowered->values->n / (gsize) shape->dims[shape->rank - 1];
  if (n->op == NN_OP_DEPTHWISE_CONV1D || n->op == NN_OP_DEPTHWISE_CONV2D)
    matrix->n_in = lowered->values->n / (gsize) (shape->dims[shape->rank - 1] * shape->dims[shape->rank - 2]);
  matrix->n_out = lowered->values->n / matrix->n_in;
  if (n->op == NN_OP_EINSUM_DENSE)
    matrix->map = einsum_map (n, lowered->values, &matrix->n_in, &matrix->n_out);
  /* In a depthwise kernel every channel is an input of its own. */
  matrix->shares_inputs = n->op != NN_OP_DEPTHWISE_CONV1D && n->op != NN_OP_DEPTHWISE_CONV2D;
  /* A recurrent layer's output is made by all its gates. */
  matrix->n_gates = nn_op_is_recurrent (n->op) && n->attrs.units > 0 ? MAX (matrix->n_out / (gsize) n->attrs.units, 1) : 1;
  matrix->reuse = MAX (is_recurrent ? plan->recurrent_reuse_factor : plan->reuse_factor, 1);
  return TRUE;
}

/* Room for what a matrix brings, so that a million weights are not moved about while they are listed. */
static void
reserve (GArray *array,
         gsize   more)
{
  guint n = array->len;

  if (more > G_MAXUINT - n)
    return;
  g_array_set_size (array, n + (guint) more);
  g_array_set_size (array, n);
}

static void
add_node (const NnDesign       *design,
          guint                 i,
          const NnGroupOptions *options,
          const NnPart         *part,
          NnGroupBuilder       *builder,
          NnStructure          *structure)
{
  const NnModel *model = nn_design_model (design);
  const NnNode *node = nn_graph_node (nn_model_graph (model), i);
  NnGroupMatrix matrix;

  for (guint k = 0; k < node->n_weights; k++)
    {
      const NnWeight *weight = nn_model_weight (model, node->weights[k]);
      gsize first = builder->groups->len;

      if (!nn_role_is_prunable (weight->role) || !make_matrix (design, i, weight, &matrix))
        continue;
      *structure = choose_structure (options, nn_model_graph (model), node, &matrix);
      reserve (builder->indices, *structure == NN_STRUCTURE_NONE ? 0 : weight->values->n);
      reserve (builder->groups, *structure == NN_STRUCTURE_UNSTRUCTURED ? weight->values->n : 0);
      nn_groups_enumerate (builder, &matrix, *structure, options);
      if (builder->groups->len > first)
        nn_groups_set_costs (&g_array_index (builder->groups, NnGroup, first), builder->groups->len - first,
                             (const guint32 *) builder->indices->data, &matrix, *structure,
                             nn_design_raw (design, i, weight->role), part, options->as_trained);
      g_free (matrix.map);
    }
}

/**
 * nn_groups_new_full:
 *
 * The groups of all layers that multiply by trained weights, in the order of the lowered graph and, within a matrix, of the
 * output-major tensor. Layers that share a weight are counted once, where they come first.
 *
 * Errors: %NN_ERROR_UNSUPPORTED when a layer of `leave` is not in the network
 */
NnGroups *
nn_groups_new_full (const NnDesign       *design,
                    const NnGroupOptions *options,
                    GError              **error)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  const char *part_name = nn_config_part (nn_design_config (design));
  const NnPart *part = part_name != NULL ? nn_part_find (part_name, NULL) : NULL;
  NnGroupBuilder builder = { g_array_new (FALSE, FALSE, sizeof (NnGroup)), g_array_new (FALSE, FALSE, sizeof (guint32)) };
  g_autoptr (NnGroups) groups = g_new0 (NnGroups, 1);
  guint objectives = options->objectives;
  const guint share = 1u << NN_OBJECTIVE_LUT | 1u << NN_OBJECTIVE_FF | 1u << NN_OBJECTIVE_ENERGY | 1u << NN_OBJECTIVE_LATENCY;
  guint unused;

  groups->n_nodes = nn_graph_n_nodes (graph);
  groups->structure = g_new (NnStructure, groups->n_nodes);
  for (guint i = 0; i < groups->n_nodes; i++)
    {
      groups->structure[i] = NN_STRUCTURE_NONE;
      if (nn_op_is_prunable (nn_graph_node (graph, i)->op))
        add_node (design, i, options, part, &builder, &groups->structure[i]);
    }
  groups->n_groups = builder.groups->len;
  groups->n_indices = builder.indices->len;
  groups->groups = (NnGroup *) g_array_free (builder.groups, FALSE);
  groups->indices = (guint32 *) g_array_free (builder.indices, FALSE);
  for (guint i = 0; options->leave != NULL && options->leave[i] != NULL; i++)
    if (!nn_graph_find (nn_model_graph (nn_design_source (design)), options->leave[i], &unused) &&
        !nn_graph_find (graph, options->leave[i], &unused))
      {
        g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "the network has no layer \"%s\" that could be left alone",
                     options->leave[i]);
        return NULL;
      }
  for (guint j = 0; options->weights != NULL && j < NN_OBJECTIVE_WEIGHTED; j++)
    objectives |= options->weights[j] != 0 ? 1u << j : 0;
  if ((objectives & share) != 0 && !nn_groups_share_estimate (groups, design, error))
    return NULL;
  for (gsize g = 0; options->weights != NULL && g < groups->n_groups; g++)
    for (NnObjective j = 0; j < NN_OBJECTIVE_WEIGHTED; j++)
      groups->groups[g].other[NN_OBJECTIVE_WEIGHTED - NN_N_RESOURCES] += options->weights[j] * nn_group_cost (&groups->groups[g], j);
  return g_steal_pointer (&groups);
}

NnGroups *
nn_groups_new (const NnDesign    *design,
               NnStructure        structure,
               const char *const *leave,
               GError           **error)
{
  NnGroupOptions options;

  nn_group_options_init (&options);
  options.structure = structure;
  options.leave = leave;
  return nn_groups_new_full (design, &options, error);
}

void
nn_groups_free (NnGroups *groups)
{
  if (groups == NULL)
    return;
  g_free (groups->groups);
  g_free (groups->indices);
  g_free (groups->structure);
  g_free (groups);
}
