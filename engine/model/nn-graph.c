/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network as a graph of layers. */

#include "nn-graph.h"

#include "nn-arena.h"
#include "nn-error.h"
#include "nn-infer-shape.h"

#include <string.h>

struct _NnGraph {
  gatomicrefcount ref_count;
  NnArena        *arena;     /* owned: nodes and all they point to */
  GPtrArray      *nodes;     /* borrowed from the arena */
  GHashTable     *by_name;   /* name → index + 1 */
  GArray         *inputs;    /* guint */
  GArray         *outputs;   /* guint */
  GArray        **consumers; /* a node's readers */
};

struct _NnGraphBuilder {
  NnGraph *graph; /* owned until sealed */
};

G_DEFINE_BOXED_TYPE (NnGraph, nn_graph, nn_graph_ref, nn_graph_unref)

NnGraph *
nn_graph_ref (NnGraph *graph)
{
  g_atomic_ref_count_inc (&graph->ref_count);
  return graph;
}

void
nn_graph_unref (NnGraph *graph)
{
  if (graph == NULL || !g_atomic_ref_count_dec (&graph->ref_count))
    return;
  if (graph->consumers != NULL)
    for (guint i = 0; i < graph->nodes->len; i++)
      g_array_unref (graph->consumers[i]);
  g_free (graph->consumers);
  g_array_unref (graph->inputs);
  g_array_unref (graph->outputs);
  g_hash_table_unref (graph->by_name);
  g_ptr_array_unref (graph->nodes);
  nn_arena_free (graph->arena);
  g_free (graph);
}

guint
nn_graph_n_nodes (const NnGraph *graph)
{
  return graph->nodes->len;
}

const NnNode *
nn_graph_node (const NnGraph *graph,
               guint          i)
{
  g_assert (i < graph->nodes->len);
  return graph->nodes->pdata[i];
}

/**
 * nn_graph_find:
 * @i: (out) (optional): the node's index
 *
 * Returns: whether there is a node called @name
 */
gboolean
nn_graph_find (const NnGraph *graph,
               const char    *name,
               guint         *i)
{
  guint found = GPOINTER_TO_UINT (g_hash_table_lookup (graph->by_name, name));

  if (found > 0 && i != NULL)
    *i = found - 1;
  return found > 0;
}

const guint *
nn_graph_inputs (const NnGraph *graph,
                 guint         *n)
{
  *n = graph->inputs->len;
  return (const guint *) (gpointer) graph->inputs->data;
}

const guint *
nn_graph_outputs (const NnGraph *graph,
                  guint         *n)
{
  *n = graph->outputs->len;
  return (const guint *) (gpointer) graph->outputs->data;
}

const guint *
nn_graph_consumers (const NnGraph *graph,
                    guint          i,
                    guint         *n)
{
  g_assert (i < graph->nodes->len);
  *n = graph->consumers[i]->len;
  return (const guint *) (gpointer) graph->consumers[i]->data;
}

NnGraphBuilder *
nn_graph_builder_new (void)
{
  NnGraphBuilder *builder = g_new0 (NnGraphBuilder, 1);
  NnGraph *graph = g_new0 (NnGraph, 1);

  g_atomic_ref_count_init (&graph->ref_count);
  graph->arena = nn_arena_new ();
  graph->nodes = g_ptr_array_new ();
  graph->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  graph->inputs = g_array_new (FALSE, FALSE, sizeof (guint));
  graph->outputs = g_array_new (FALSE, FALSE, sizeof (guint));
  builder->graph = graph;
  return builder;
}

void
nn_graph_builder_free (NnGraphBuilder *builder)
{
  if (builder == NULL)
    return;
  nn_graph_unref (builder->graph);
  g_free (builder);
}

gpointer
nn_graph_builder_alloc (NnGraphBuilder *builder,
                        gsize           size)
{
  return nn_arena_alloc (builder->graph->arena, size);
}

const char *
nn_graph_builder_strdup (NnGraphBuilder *builder,
                         const char     *text)
{
  return nn_arena_strdup (builder->graph->arena, text);
}

/**
 * nn_graph_builder_add:
 * @inputs: (array length=n_inputs): nodes already added
 *
 * Adds a node, whose attributes are then to be filled in; its shape is inferred when the graph is sealed.
 *
 * Returns: (transfer none): the node; its index is one less than the number of nodes now
 */
NnNode *
nn_graph_builder_add (NnGraphBuilder *builder,
                      NnOp            op,
                      const char     *name,
                      const char     *class_name,
                      const guint    *inputs,
                      guint           n_inputs)
{
  NnGraph *graph = builder->graph;
  NnNode *node = nn_arena_new0 (graph->arena, NnNode, 1);
  guint index = graph->nodes->len;

  for (guint i = 0; i < n_inputs; i++)
    g_assert (inputs[i] < index);
  node->op = op;
  node->name = nn_arena_strdup (graph->arena, name);
  node->class_name = nn_arena_strdup (graph->arena, class_name != NULL ? class_name : nn_op_info (op)->name);
  node->origin = node->name;
  node->inputs = nn_arena_memdup (graph->arena, inputs, n_inputs * sizeof (guint));
  node->n_inputs = n_inputs;
  g_ptr_array_add (graph->nodes, node);
  g_hash_table_insert (graph->by_name, (gpointer) node->name, GUINT_TO_POINTER (index + 1));
  if (op == NN_OP_INPUT)
    g_array_append_val (graph->inputs, index);
  return node;
}

/**
 * nn_graph_builder_quantizer:
 *
 * Returns: (transfer none): a deep copy of @quantizer that lives with the graph; %NULL for %NULL
 */
NnQuantizer *
nn_graph_builder_quantizer (NnGraphBuilder    *builder,
                            const NnQuantizer *quantizer)
{
  NnArena *arena = builder->graph->arena;
  NnQuantizer *copy;

  if (quantizer == NULL)
    return NULL;
  copy = nn_arena_memdup (arena, quantizer, sizeof *quantizer);
  if (quantizer->alpha != NULL)
    copy->alpha = nn_arena_memdup (arena, quantizer->alpha, quantizer->n_alpha * sizeof (float));
  if (quantizer->per_element != NULL)
    copy->per_element = nn_arena_memdup (arena, quantizer->per_element, quantizer->n_elements * sizeof (NnType));
  copy->source = nn_arena_strdup (arena, quantizer->source);
  return copy;
}

/**
 * nn_graph_builder_add_copy:
 *
 * Adds a copy of a node of another graph with other inputs: how passes rewrite a graph. `attrs.extra` is shared, so
 * the other graph must outlive this one unless the operator has none.
 *
 * Returns: (transfer none): the copy, to be changed before the graph is sealed
 */
NnNode *
nn_graph_builder_add_copy (NnGraphBuilder *builder,
                           const NnNode   *node,
                           const guint    *inputs,
                           guint           n_inputs)
{
  NnNode *copy = nn_graph_builder_add (builder, node->op, node->name, node->class_name, inputs, n_inputs);

  copy->attrs = node->attrs;
  copy->attrs.equation = nn_graph_builder_strdup (builder, node->attrs.equation);
  copy->attrs.quantizer = nn_graph_builder_quantizer (builder, node->attrs.quantizer);
  copy->attrs.input_quantizer = nn_graph_builder_quantizer (builder, node->attrs.input_quantizer);
  copy->attrs.sum_quantizer = nn_graph_builder_quantizer (builder, node->attrs.sum_quantizer);
  copy->attrs.state_quantizer = nn_graph_builder_quantizer (builder, node->attrs.state_quantizer);
  copy->attrs.reset_quantizer = nn_graph_builder_quantizer (builder, node->attrs.reset_quantizer);
  copy->attrs.recurrent_quantizer = nn_graph_builder_quantizer (builder, node->attrs.recurrent_quantizer);
  for (guint i = 0; i < NN_N_ROLES; i++)
    copy->attrs.role_quantizer[i] = nn_graph_builder_quantizer (builder, node->attrs.role_quantizer[i]);
  nn_graph_builder_weights (builder, copy, node->weights, node->n_weights);
  if (node->op == NN_OP_TREE_ENSEMBLE && node->attrs.extra != NULL) /* passes make such, of the trees of the network as loaded */
    copy->attrs.extra = nn_arena_memdup (builder->graph->arena, node->attrs.extra, sizeof (NnTreeEnsemble));
  copy->shape = node->shape;
  copy->origin = nn_graph_builder_strdup (builder, node->origin);
  copy->reason = nn_graph_builder_strdup (builder, node->reason);
  copy->source = nn_graph_builder_strdup (builder, node->source);
  return copy;
}

NnNode *
nn_graph_builder_node (NnGraphBuilder *builder,
                       guint           i)
{
  g_assert (i < builder->graph->nodes->len);
  return builder->graph->nodes->pdata[i];
}

guint
nn_graph_builder_n_nodes (NnGraphBuilder *builder)
{
  return builder->graph->nodes->len;
}

/* Takes back all nodes but the first @n_nodes, as of a layer that turned out not to be readable. */
void
nn_graph_builder_truncate (NnGraphBuilder *builder,
                           guint           n_nodes)
{
  NnGraph *graph = builder->graph;

  for (guint i = n_nodes; i < graph->nodes->len; i++)
    {
      const NnNode *node = graph->nodes->pdata[i];

      if (GPOINTER_TO_UINT (g_hash_table_lookup (graph->by_name, node->name)) == i + 1)
        g_hash_table_remove (graph->by_name, node->name);
    }
  while (graph->inputs->len > 0 && g_array_index (graph->inputs, guint, graph->inputs->len - 1) >= n_nodes)
    g_array_set_size (graph->inputs, graph->inputs->len - 1);
  if (n_nodes < graph->nodes->len)
    g_ptr_array_set_size (graph->nodes, (gint) n_nodes);
}

/* Ids of the model's weights, in any order; roles tell them apart. */
void
nn_graph_builder_weights (NnGraphBuilder *builder,
                          NnNode         *node,
                          const guint    *weights,
                          guint           n_weights)
{
  node->weights = nn_arena_memdup (builder->graph->arena, weights, n_weights * sizeof (guint));
  node->n_weights = n_weights;
}

/* One more, behind those that the node has. */
void
nn_graph_builder_add_weight (NnGraphBuilder *builder,
                             NnNode         *node,
                             guint           weight)
{
  guint *weights = nn_arena_alloc (builder->graph->arena, (node->n_weights + 1) * sizeof (guint));

  for (guint i = 0; i < node->n_weights; i++)
    weights[i] = node->weights[i];
  weights[node->n_weights++] = weight;
  node->weights = weights;
}

void
nn_graph_builder_output (NnGraphBuilder *builder,
                         guint           i)
{
  g_assert (i < builder->graph->nodes->len);
  g_array_append_val (builder->graph->outputs, i);
}

static gboolean
check_node (const NnGraph  *graph,
            guint           i,
            GError        **error)
{
  const NnNode *node = graph->nodes->pdata[i];
  const NnOpInfo *info = nn_op_info (node->op);

  if (GPOINTER_TO_UINT (g_hash_table_lookup (graph->by_name, node->name)) != i + 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "two layers are called \"%s\"", node->name);
      return FALSE;
    }
  if (node->n_inputs < info->min_inputs || node->n_inputs > info->max_inputs)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "layer \"%s\": %s does not take %u inputs", node->name,
                   node->class_name, node->n_inputs);
      return FALSE;
    }
  return TRUE;
}

static gboolean
infer_shape (NnGraph  *graph,
             guint     i,
             GError  **error)
{
  NnNode *node = graph->nodes->pdata[i];
  g_autofree const NnNode **inputs = g_new (const NnNode *, node->n_inputs + 1);

  for (guint k = 0; k < node->n_inputs; k++)
    inputs[k] = graph->nodes->pdata[node->inputs[k]];
  return nn_infer_shape (node, inputs, error);
}

static void
find_consumers (NnGraph *graph)
{
  graph->consumers = g_new (GArray *, graph->nodes->len);
  for (guint i = 0; i < graph->nodes->len; i++)
    graph->consumers[i] = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const NnNode *node = graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_inputs; k++)
        g_array_append_val (graph->consumers[node->inputs[k]], i);
    }
}

/* Without outputs named, the nodes that nobody reads are the outputs. */
static void
find_outputs (NnGraph *graph)
{
  for (guint i = 0; graph->outputs->len == 0 && i < graph->nodes->len; i++)
    if (graph->consumers[i]->len == 0 && ((NnNode *) graph->nodes->pdata[i])->op != NN_OP_INPUT)
      for (guint j = i; j < graph->nodes->len; j++)
        if (graph->consumers[j]->len == 0 && ((NnNode *) graph->nodes->pdata[j])->op != NN_OP_INPUT)
          g_array_append_val (graph->outputs, j);
}

/**
 * nn_graph_builder_seal:
 * @builder: spent afterwards, but still to be freed
 *
 * Checks the graph, infers every shape and freezes it.
 *
 * Errors: %NN_ERROR_SHAPE, %NN_ERROR_FORMAT; the message names the layer
 *
 * Returns: (transfer full): the graph
 */
NnGraph *
nn_graph_builder_seal (NnGraphBuilder  *builder,
                       GError         **error)
{
  NnGraph *graph = builder->graph;

  g_assert (graph != NULL);
  if (graph->nodes->len == 0 || graph->inputs->len == 0)
    {
      g_set_error_literal (error, NN_ERROR, NN_ERROR_FORMAT, "the network has no input layer");
      return NULL;
    }
  for (guint i = 0; i < graph->nodes->len; i++)
    if (!check_node (graph, i, error) || !infer_shape (graph, i, error))
      return NULL;
  find_consumers (graph);
  find_outputs (graph);
  return g_steal_pointer (&builder->graph);
}
