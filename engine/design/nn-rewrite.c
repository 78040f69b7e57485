/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rewriting a graph node by node. */

#include "nn-passes-private.h"

static void
init (NnRewrite      *rewrite,
      const NnModel  *model,
      const NnConfig *config)
{
  *rewrite = (NnRewrite){ .model = model, .graph = nn_model_graph (model), .config = config };
  rewrite->builder = nn_graph_builder_new ();
  rewrite->map = g_new0 (guint, nn_graph_n_nodes (rewrite->graph));
  rewrite->weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  rewrite->tensors = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    g_array_append_val (rewrite->weights, *nn_model_weight (model, i));
}

static void
clear (NnRewrite *rewrite)
{
  nn_graph_builder_free (rewrite->builder);
  g_free (rewrite->map);
  g_array_unref (rewrite->weights);
  g_ptr_array_unref (rewrite->tensors);
}

static NnModel *
finish (NnRewrite  *rewrite,
        GError    **error)
{
  g_autoptr (NnGraph) graph = NULL;
  const guint *outputs;
  guint n;

  outputs = nn_graph_outputs (rewrite->graph, &n);
  for (guint i = 0; i < n; i++)
    nn_graph_builder_output (rewrite->builder, rewrite->map[outputs[i]]);
  graph = nn_graph_builder_seal (rewrite->builder, error);
  if (graph == NULL)
    return NULL;
  return nn_model_new (graph, (const NnWeight *) (gpointer) rewrite->weights->data, rewrite->weights->len,
                       nn_model_info (rewrite->model), error);
}

/**
 * nn_rewrite_run:
 *
 * Applies @rule to every node.
 *
 * Returns: (transfer full): the new model, or @model itself where the rule applied nowhere
 */
NnModel *
nn_rewrite_run (const NnModel   *model,
                const NnConfig  *config,
                NnRule           rule,
                GError         **error)
{
  NnRewrite rewrite;
  NnModel *result;

  init (&rewrite, model, config);
  for (guint i = 0; i < nn_graph_n_nodes (rewrite.graph); i++)
    if (rule (&rewrite, i))
      rewrite.changed = TRUE;
    else
      nn_rewrite_copy (&rewrite, i);
  result = rewrite.changed ? finish (&rewrite, error) : nn_model_ref ((NnModel *) model);
  clear (&rewrite);
  return result;
}

NnNode *
nn_rewrite_copy (NnRewrite *rewrite,
                 guint      i)
{
  const NnNode *node = nn_graph_node (rewrite->graph, i);
  g_autofree guint *inputs = g_new (guint, node->n_inputs + 1);

  for (guint k = 0; k < node->n_inputs; k++)
    inputs[k] = rewrite->map[node->inputs[k]];
  rewrite->map[i] = nn_graph_builder_n_nodes (rewrite->builder);
  return nn_graph_builder_add_copy (rewrite->builder, node, inputs, node->n_inputs);
}

NnNode *
nn_rewrite_add (NnRewrite    *rewrite,
                NnOp          op,
                const char   *name,
                const char   *class_name,
                guint         input,
                const NnNode *origin,
                guint        *index)
{
  NnNode *node;

  *index = nn_graph_builder_n_nodes (rewrite->builder);
  node = nn_graph_builder_add (rewrite->builder, op, name, class_name, &input, 1);
  node->origin = nn_graph_builder_strdup (rewrite->builder, origin->origin);
  return node;
}

static gboolean
is_taken (NnRewrite  *rewrite,
          const char *name)
{
  if (nn_graph_find (rewrite->graph, name, NULL))
    return TRUE;
  for (guint i = 0; i < nn_graph_builder_n_nodes (rewrite->builder); i++)
    if (g_str_equal (nn_graph_builder_node (rewrite->builder, i)->name, name))
      return TRUE;
  return FALSE;
}

const char *
nn_rewrite_name (NnRewrite  *rewrite,
                 const char *wanted)
{
  g_autofree char *name = g_strdup (wanted);

  for (guint n = 2; is_taken (rewrite, name); n++)
    {
      g_free (name);
      name = g_strdup_printf ("%s_%u", wanted, n);
    }
  return nn_graph_builder_strdup (rewrite->builder, name);
}

guint
nn_rewrite_weight (NnRewrite  *rewrite,
                   const char *layer,
                   const char *name,
                   NnRole      role,
                   NnTensor   *values,
                   NnTensor   *mask)
{
  NnWeight weight = { .name = nn_graph_builder_strdup (rewrite->builder, name),
                      .layer = nn_graph_builder_strdup (rewrite->builder, layer),
                      .role = role,
                      .values = values,
                      .mask = mask };

  g_ptr_array_add (rewrite->tensors, values);
  g_array_append_val (rewrite->weights, weight);
  return rewrite->weights->len - 1;
}

gboolean
nn_rewrite_single (const NnRewrite *rewrite,
                   guint            i,
                   guint           *consumer)
{
  guint n;
  const guint *list = nn_graph_outputs (rewrite->graph, &n);

  for (guint k = 0; k < n; k++)
    if (list[k] == i)
      return FALSE;
  list = nn_graph_consumers (rewrite->graph, i, &n);
  if (n != 1)
    return FALSE;
  *consumer = list[0];
  return TRUE;
}

void
nn_rewrite_set_weight (NnRewrite *rewrite,
                       NnNode    *node,
                       NnRole     role,
                       guint      id)
{
  g_autofree guint *ids = g_new (guint, node->n_weights + 1);
  guint n = 0;

  for (guint k = 0; k < node->n_weights; k++)
    if (g_array_index (rewrite->weights, NnWeight, node->weights[k]).role != role)
      ids[n++] = node->weights[k];
  ids[n++] = id;
  nn_graph_builder_weights (rewrite->builder, node, ids, n);
}
