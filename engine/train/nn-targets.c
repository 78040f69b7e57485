/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Targets as a network's outputs want them. */

#include "nn-targets.h"

#include "nn-dataset.h"
#include "nn-error.h"
#include "nn-text.h"

/* Class indices (n) or (n, 1) become one-hot rows. */
static gboolean
one_hot (const NnTensor *y,
         gsize           n_classes,
         NnTensor      **targets,
         GError        **error)
{
  g_autoptr (NnTensor) t = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE ((gint64) y->n, (gint64) n_classes));

  for (gsize i = 0; i < t->n; i++)
    nn_tensor_f32 (t)[i] = 0;
  for (gsize i = 0; i < y->n; i++)
    {
      double c = nn_tensor_get (y, i);

      if (!(c >= 0 && c < n_classes) || c != (gsize) c)
        {
          g_autofree char *label = nn_text_from_double (c);

          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "label %s of sample %" G_GSIZE_FORMAT " is none of the network's %"
                       G_GSIZE_FORMAT " classes", label, i, n_classes);
          return FALSE;
        }
      nn_tensor_f32 (t)[i * n_classes + (gsize) c] = 1;
    }
  *targets = g_steal_pointer (&t);
  return TRUE;
}

gboolean
nn_targets_make (const NnNet    *net,
                 const NnTensor *x,
                 const NnTensor *y,
                 gboolean        is_classes,
                 NnTensor      **targets,
                 GError        **error)
{
  const gsize n = x->shape.rank > 0 ? (gsize) x->shape.dims[0] : 0, row = n > 0 ? y->n / n : 0;
  g_autoptr (NnTensor) own = NULL;
  guint n_in;
  const guint *inputs = nn_graph_inputs (nn_model_graph (net->model), &n_in);

  if (n == 0 || x->n / n != net->n_input || x->n % n != 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE,
                   "the data have %" G_GSIZE_FORMAT " inputs a sample, but the network takes %" G_GSIZE_FORMAT, n > 0 ? x->n / n : 0,
                   nn_shape_count (&nn_graph_node (nn_model_graph (net->model), inputs[0])->shape));
      return FALSE;
    }
  if (y->shape.rank < 1 || (gsize) y->shape.dims[0] != n)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the data has %" G_GSIZE_FORMAT " samples but %" G_GSIZE_FORMAT " targets", n,
                   y->shape.rank > 0 ? (gsize) y->shape.dims[0] : 0);
      return FALSE;
    }
  if (row == 1 && net->n_output > 1 && is_classes)
    return one_hot (y, net->n_output, targets, error);
  own = y->dtype == NN_DTYPE_F32 ? nn_tensor_ref ((NnTensor *) y) : nn_tensor_convert (y, NN_DTYPE_F32);
  *targets = nn_dataset_targets (own, is_classes, net->n_output, error);
  return *targets != NULL;
}
