/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A network: graph, weights and masks. */

#include "nn-model.h"

#include "nn-arena.h"
#include "nn-error.h"

struct _NnModel {
  gatomicrefcount ref_count;
  NnArena        *arena;     /* owned: names and the array below */
  NnGraph        *graph;     /* owned */
  NnWeight       *weights;   /* borrowed; the tensors in it are owned */
  guint           n_weights;
  NnModelInfo     info;      /* strings borrowed, tensors owned */
};

G_DEFINE_BOXED_TYPE (NnModel, nn_model, nn_model_ref, nn_model_unref)

static void
copy_info (NnModel           *model,
           const NnModelInfo *info)
{
  NnArena *arena = model->arena;

  if (info == NULL)
    return;
  model->info.name = nn_arena_strdup (arena, info->name);
  model->info.format = nn_arena_strdup (arena, info->format);
  model->info.whole = info->whole;
  if (info->class_names != NULL)
    {
      guint n = g_strv_length ((char **) info->class_names);
      const char **names = nn_arena_new0 (arena, const char *, n + 1);

      for (guint i = 0; i < n; i++)
        names[i] = nn_arena_strdup (arena, info->class_names[i]);
      model->info.class_names = names;
    }
  if (info->input_mean != NULL)
    model->info.input_mean = nn_tensor_ref (info->input_mean);
  if (info->input_deviation != NULL)
    model->info.input_deviation = nn_tensor_ref (info->input_deviation);
}

static NnModel *
create (NnGraph           *graph,
        const NnWeight    *weights,
        guint              n_weights,
        const NnModelInfo *info)
{
  NnModel *model = g_new0 (NnModel, 1);

  g_atomic_ref_count_init (&model->ref_count);
  model->arena = nn_arena_new ();
  model->graph = nn_graph_ref (graph);
  model->n_weights = n_weights;
  model->weights = nn_arena_memdup (model->arena, weights, n_weights * sizeof *weights);
  for (guint i = 0; i < n_weights; i++)
    {
      NnWeight *w = &model->weights[i];

      w->name = nn_arena_strdup (model->arena, w->name);
      w->layer = nn_arena_strdup (model->arena, w->layer);
      nn_tensor_ref (w->values);
      if (w->mask != NULL)
        nn_tensor_ref (w->mask);
    }
  copy_info (model, info);
  return model;
}

/**
 * nn_model_new:
 * @weights: (array length=n_weights): copied; the tensors are shared
 * @info: (nullable): copied
 *
 * Errors: %NN_ERROR_SHAPE when a node names a weight that is not there, %NN_ERROR_NUMERIC for a weight that is not finite
 *
 * Returns: (transfer full): the model
 */
NnModel *
nn_model_new (NnGraph           *graph,
              const NnWeight    *weights,
              guint              n_weights,
              const NnModelInfo *info,
              GError           **error)
{
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    for (guint k = 0; k < nn_graph_node (graph, i)->n_weights; k++)
      if (nn_graph_node (graph, i)->weights[k] >= n_weights)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "layer \"%s\": a weight is missing",
                       nn_graph_node (graph, i)->name);
          return NULL;
        }
  for (guint i = 0; i < n_weights; i++)
    g_return_val_if_fail (weights[i].values->dtype == NN_DTYPE_F32, NULL);
  return create (graph, weights, n_weights, info);
}

NnModel *
nn_model_ref (NnModel *model)
{
  g_atomic_ref_count_inc (&model->ref_count);
  return model;
}

void
nn_model_unref (NnModel *model)
{
  if (model == NULL || !g_atomic_ref_count_dec (&model->ref_count))
    return;
  for (guint i = 0; i < model->n_weights; i++)
    {
      nn_tensor_unref (model->weights[i].values);
      nn_tensor_unref (model->weights[i].mask);
    }
  nn_tensor_unref (model->info.input_mean);
  nn_tensor_unref (model->info.input_deviation);
  nn_graph_unref (model->graph);
  nn_arena_free (model->arena);
  g_free (model);
}

NnGraph *
nn_model_graph (const NnModel *model)
{
  return model->graph;
}

const NnModelInfo *
nn_model_info (const NnModel *model)
{
  return &model->info;
}

guint
nn_model_n_weights (const NnModel *model)
{
  return model->n_weights;
}

const NnWeight *
nn_model_weight (const NnModel *model,
                 guint          id)
{
  g_assert (id < model->n_weights);
  return &model->weights[id];
}

gboolean
nn_model_node_weight_id (const NnModel *model,
                         const NnNode  *node,
                         NnRole         role,
                         guint         *id)
{
  for (guint k = 0; k < node->n_weights; k++)
    if (model->weights[node->weights[k]].role == role)
      {
        *id = node->weights[k];
        return TRUE;
      }
  return FALSE;
}

/**
 * nn_model_node_weight:
 *
 * Returns: (nullable): the node's weight that plays @role
 */
const NnWeight *
nn_model_node_weight (const NnModel *model,
                      const NnNode  *node,
                      NnRole         role)
{
  guint id;

  return nn_model_node_weight_id (model, node, role, &id) ? &model->weights[id] : NULL;
}

/**
 * nn_model_with_weights:
 * @values: (nullable) (array): new values by weight id, %NULL elements keep the old
 * @masks: (nullable) (array): new masks by weight id, %NULL elements keep the old
 *
 * Returns: (transfer full): a new version that shares all the rest
 */
NnModel *
nn_model_with_weights (const NnModel *model,
                       NnTensor     **values,
                       NnTensor     **masks)
{
  g_autofree NnWeight *weights = g_memdup2 (model->weights, model->n_weights * sizeof (NnWeight));

  for (guint i = 0; i < model->n_weights; i++)
    {
      if (values != NULL && values[i] != NULL)
        {
          g_assert (nn_shape_equal (&values[i]->shape, &weights[i].values->shape));
          weights[i].values = values[i];
        }
      if (masks != NULL && masks[i] != NULL)
        {
          g_assert (nn_shape_equal (&masks[i]->shape, &weights[i].values->shape));
          weights[i].mask = masks[i];
        }
    }
  return create (model->graph, weights, model->n_weights, &model->info);
}

NnModel *
nn_model_with_info (const NnModel     *model,
                    const NnModelInfo *info)
{
  return create (model->graph, model->weights, model->n_weights, info);
}

/**
 * nn_model_batch:
 * @inputs: (array): one for each input of the graph
 *
 * Arrays as the file declares them, made a batch of one sample, where the file's arrays have no axis for the batch.
 *
 * Returns: (transfer full) (nullable): copies, to be freed as nn_predict()'s; %NULL where @inputs are batches as they are
 */
NnTensor **
nn_model_batch (const NnModel   *model,
                NnTensor *const *inputs)
{
  guint n;
  const guint *indices = nn_graph_inputs (model->graph, &n);
  g_autoptr (GPtrArray) batch = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);

  for (guint k = 0; model->info.whole && k < n; k++)
    {
      NnTensor *copy;

      if (inputs[k] == NULL || !nn_shape_equal (&inputs[k]->shape, &nn_graph_node (model->graph, indices[k])->shape) ||
          inputs[k]->shape.rank == NN_MAX_RANK)
        return NULL;
      copy = nn_tensor_copy (inputs[k]);
      memmove (copy->shape.dims + 1, copy->shape.dims, copy->shape.rank * sizeof copy->shape.dims[0]);
      copy->shape.dims[0] = 1;
      copy->shape.rank++;
      g_ptr_array_add (batch, copy);
    }
  if (batch->len == 0)
    return NULL;
  g_ptr_array_add (batch, NULL);
  g_ptr_array_set_free_func (batch, NULL);
  return (NnTensor **) g_ptr_array_free (g_steal_pointer (&batch), FALSE);
}

/* The answers to what nn_model_batch() made, without the batch's axis again; nobody else may hold them yet. */
void
nn_model_unbatch (NnTensor **outputs)
{
  for (NnTensor **t = outputs; t != NULL && *t != NULL; t++)
    {
      NnShape *shape = &(*t)->shape;

      g_assert (shape->rank > 0 && shape->dims[0] == 1);
      shape->rank--;
      memmove (shape->dims, shape->dims + 1, shape->rank * sizeof shape->dims[0]);
    }
}

/* Numbers in the node's weights, trainable or not. */
gsize
nn_model_parameters (const NnModel *model,
                     const NnNode  *node)
{
  gsize n = 0;

  for (guint k = 0; k < node->n_weights; k++)
    n += model->weights[node->weights[k]].values->n;
  return n;
}

/* Zeros among the node's prunable weights. */
gsize
nn_model_zeros (const NnModel *model,
                const NnNode  *node)
{
  gsize zeros = 0;

  for (guint k = 0; k < node->n_weights; k++)
    {
      const NnWeight *w = &model->weights[node->weights[k]];

      if (!nn_role_is_prunable (w->role))
        continue;
      for (gsize i = 0; i < w->values->n; i++)
        zeros += nn_tensor_f32 (w->values)[i] == 0;
    }
  return zeros;
}

/* Queries and outputs at every position of the first input, values and keys at those of the second and third. */
static gsize
attention_multiplications (const NnModel *model,
                           const NnNode  *node)
{
  guint value = node->n_inputs > 1 ? 1 : 0, key = node->n_inputs > 2 ? 2 : value;
  gsize n = 0;

  for (guint k = 0; k < node->n_weights; k++)
    {
      const NnWeight *w = &model->weights[node->weights[k]];
      guint from = w->role == NN_ROLE_VALUE_KERNEL ? value : w->role == NN_ROLE_KEY_KERNEL ? key : 0;
      const NnShape *shape = &nn_graph_node (model->graph, node->inputs[from])->shape;

      if (nn_role_is_prunable (w->role))
        n += w->values->n * nn_shape_count (shape) / (gsize) MAX (nn_shape_last (shape), 1);
    }
  return n;
}

/**
 * nn_node_multiplications:
 *
 * Returns: products of a weight and an activation that one sample needs
 */
gsize
nn_node_multiplications (const NnModel *model,
                         const NnNode  *node)
{
  const NnNode *input = node->n_inputs > 0 ? nn_graph_node (model->graph, node->inputs[0]) : NULL;
  gsize n = 0, positions = 1;

  if (node->op == NN_OP_MULTI_HEAD_ATTENTION && input != NULL)
    return attention_multiplications (model, node);
  if (!nn_op_is_prunable (node->op) || input == NULL)
    return 0;
  for (guint k = 0; k < node->n_weights; k++)
    {
      const NnWeight *w = &model->weights[node->weights[k]];

      if (nn_role_is_prunable (w->role))
        n += w->values->n;
    }
  switch (node->op)
    {
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      positions = MAX (input->shape.dims[0], 1);
      break;
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
      positions = nn_shape_count (&input->shape) / (gsize) MAX (nn_shape_last (&input->shape), 1);
      break;
    default:
      /* every kernel element is used once at each output position */
      positions = nn_shape_count (&node->shape) / (gsize) MAX (nn_shape_last (&node->shape), 1);
      break;
    }
  return n * positions;
}
