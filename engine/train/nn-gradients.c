/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients and second-order figures without training. */

#include "nn-error.h"
#include "nn-targets.h"

gboolean
nn_train_supported (const NnModel *model,
                    GError       **error)
{
  NnNetOptions options = { .layers_of = nn_layers_for (nn_cpu ()), .batch = 1, .gradients = TRUE, .training = TRUE };
  g_autoptr (NnNet) net = nn_net_new (model, &options, error);

  return net != NULL;
}

/* Targets that look like classes: indices, or rows whose elements are 0 and a single 1. */
static gboolean
looks_like_classes (const NnTensor *y)
{
  const gsize n = y->shape.rank > 0 ? (gsize) y->shape.dims[0] : 0, row = n > 0 ? y->n / n : 0;

  for (gsize i = 0; i < n; i++)
    {
      double sum = 0;

      for (gsize c = 0; c < row; c++)
        {
          double t = nn_tensor_get (y, i * row + c);

          if (row == 1 ? t != (gint64) t || t < 0 : t != 0 && t != 1)
            return FALSE;
          sum += t;
        }
      if (row > 1 && sum != 1)
        return FALSE;
    }
  return n > 0;
}

static NnTensor **
gradients (const NnModel        *model,
           const NnTensor       *x,
           const NnTensor       *y,
           const NnTrainOptions *options,
           gboolean              squares,
           double               *loss,
           GError              **error)
{
  const gsize n = x->shape.rank > 0 ? (gsize) x->shape.dims[0] : 0;
  NnNetOptions net_options = { .layers_of = nn_layers_for (options->in_double ? NN_CPU_DOUBLE : nn_cpu ()),
                               .batch = MIN (MAX (n, 1), G_MAXUINT / 2), .gradients = TRUE, .training = !squares,
                               .freeze_norm = options->freeze_norm, .is_classes = looks_like_classes (y),
                               .loss = options->loss, .types = options->types, .n_types = options->n_types };
  g_autoptr (NnNet) net = nn_net_new (model, &net_options, error);
  g_autoptr (NnTensor) targets = NULL;
  g_autoptr (NnTensor) inputs = NULL;
  g_autofree guint32 *samples = NULL;
  NnBatch batch = { .n = n, .class_weights = options->class_weights, .squares = squares };
  NnLossSums sums = { 0 };
  NnTensor **found;

  if (net == NULL || !nn_targets_make (net, x, y, net_options.is_classes, &targets, error))
    return NULL;
  inputs = x->dtype == NN_DTYPE_F32 ? nn_tensor_ref ((NnTensor *) x) : nn_tensor_convert (x, NN_DTYPE_F32);
  samples = g_new (guint32, n);
  for (gsize i = 0; i < n; i++)
    samples[i] = i;
  batch.x = nn_tensor_f32 (inputs);
  batch.t = nn_tensor_f32 (targets);
  batch.samples = samples;
  nn_net_run (net, &batch, &sums);
  if (!(sums.loss - sums.loss == 0))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "layer \"%s\" holds numbers that are not finite", nn_net_find_broken (net));
      return NULL;
    }
  if (loss != NULL)
    *loss = squares ? sums.loss / n : sums.loss;
  found = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    {
      found[id] = nn_net_gradient (net, id);
      for (gsize i = 0; squares && found[id] != NULL && i < found[id]->n; i++)
        nn_tensor_f32 (found[id])[i] /= n;
    }
  return found;
}

NnTensor **
nn_gradients (const NnModel        *model,
              const NnTensor       *x,
              const NnTensor       *y,
              const NnTrainOptions *options,
              double               *loss,
              GError              **error)
{
  return gradients (model, x, y, options, FALSE, loss, error);
}

NnTensor **
nn_fisher_diagonal (const NnModel        *model,
                    const NnTensor       *x,
                    const NnTensor       *y,
                    const NnTrainOptions *options,
                    GError              **error)
{
  return gradients (model, x, y, options, TRUE, NULL, error);
}
