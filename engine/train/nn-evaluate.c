/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fast inference and metrics. */

#include "nn-error.h"
#include "nn-exec.h"
#include "nn-targets.h"

#include <math.h>

/* Networks the training engine does not know go to the reference executor. */
static NnTensor *
predict_slowly (const NnModel  *model,
                const NnTensor *x,
                GCancellable   *cancellable,
                GError        **error)
{
  NnPredictOptions options = { 0 };
  NnTensor *inputs[] = { (NnTensor *) x, NULL };
  NnTensor **outputs, *y;
  guint n;

  nn_graph_inputs (nn_model_graph (model), &n);
  if (n != 1)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the network has %u inputs, the data one", n);
      return NULL;
    }
  outputs = nn_predict (model, inputs, &options, NULL, cancellable, error);
  if (outputs == NULL)
    return NULL;
  y = nn_tensor_convert (outputs[0], NN_DTYPE_F32);
  nn_tensors_free (outputs);
  return y;
}

/* (n, output shape) */
static NnTensor *
predict_with (NnNet          *net,
              const NnTensor *x,
              GCancellable   *cancellable,
              GError        **error)
{
  const NnGraph *graph = nn_model_graph (net->model);
  const gsize n = x->shape.rank > 0 ? (gsize) x->shape.dims[0] : 0;
  g_autoptr (NnTensor) inputs = NULL;
  g_autoptr (NnTensor) y = NULL;
  guint n_outputs;
  NnShape shape = nn_graph_node (graph, nn_graph_outputs (graph, &n_outputs)[0])->shape;

  if (n > 0 && x->n / n != net->n_input)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the data has %" G_GSIZE_FORMAT " inputs a sample, the network has %"
                   G_GSIZE_FORMAT, x->n / n, net->n_input);
      return NULL;
    }
  if (shape.rank == NN_MAX_RANK)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "the output has too many axes");
      return NULL;
    }
  for (guint i = shape.rank; i > 0; i--)
    shape.dims[i] = shape.dims[i - 1];
  shape.dims[0] = n;
  shape.rank++;
  y = nn_tensor_try_new (NN_DTYPE_F32, &shape, error);
  if (y == NULL || n == 0)
    return g_steal_pointer (&y);
  inputs = x->dtype == NN_DTYPE_F32 ? nn_tensor_ref ((NnTensor *) x) : nn_tensor_convert (x, NN_DTYPE_F32);
  if (!nn_net_predict (net, nn_tensor_f32 (inputs), n, nn_tensor_f32 (y), cancellable))
    {
      if (!nn_progress_cancelled (cancellable, error))
        g_assert_not_reached ();
      return NULL;
    }
  return g_steal_pointer (&y);
}

static NnTensor *
predict_as (const NnModel     *model,
            const NnTensor    *x,
            const NnTrainType *types,
            guint              n_types,
            GCancellable      *cancellable,
            GError           **error)
{
  NnNetOptions options = { .layers_of = nn_layers_for (nn_cpu ()), .batch = 4096, .types = types, .n_types = n_types };
  g_autoptr (GError) local = NULL;
  g_autoptr (NnNet) net = nn_net_new (model, &options, &local);

  if (net != NULL)
    return predict_with (net, x, cancellable, error);
  if (g_error_matches (local, NN_ERROR, NN_ERROR_UNSUPPORTED))
    return predict_slowly (model, x, cancellable, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

/**
 * nn_predict_fast:
 * @x: (n, input shape)
 *
 * Returns: (transfer full): (n, output shape), float32
 */
NnTensor *
nn_predict_fast (const NnModel  *model,
                 const NnTensor *x,
                 GCancellable   *cancellable,
                 GError        **error)
{
  return predict_as (model, x, NULL, 0, cancellable, error);
}

/**
 * nn_evaluate_as:
 * @types: (array length=n_types) (nullable): number types that weights and results are rounded to, as in training
 *
 * Errors: %NN_ERROR_SHAPE when the part has no samples
 */
NnMetrics *
nn_evaluate_as (const NnModel     *model,
                const NnDataset   *data,
                NnSplit            split,
                const NnTrainType *types,
                guint              n_types,
                GCancellable      *cancellable,
                GError           **error)
{
  g_autoptr (NnTensor) predictions = NULL;

  if (nn_dataset_n (data, split) == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "this part of the data has no samples");
      return NULL;
    }
  predictions = predict_as (model, nn_dataset_x (data, split), types, n_types, cancellable, error);
  if (predictions == NULL)
    return NULL;
  return nn_metrics_new (predictions, nn_dataset_y (data, split), nn_dataset_is_classes (data), error);
}

NnMetrics *
nn_evaluate (const NnModel   *model,
             const NnDataset *data,
             NnSplit          split,
             GCancellable    *cancellable,
             GError         **error)
{
  return nn_evaluate_as (model, data, split, NULL, 0, cancellable, error);
}
