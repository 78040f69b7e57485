/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much a group of weights matters. */

#include "nn-groups.h"

#include "nn-rng.h"

#include <math.h>

/* For the gradient and the Fisher diagonal. */
#define SENSITIVITY_SAMPLES 2048

/* Sum over the members; norms are taken as the paper does, the orders are estimates of what the loss gains without them. */
static double
group_value (const NnGroup  *group,
             const guint32  *indices,
             const float    *w,
             const NnTensor *sensitivity,
             NnImportance    importance)
{
  double sum = 0;

  for (guint k = 0; k < group->n; k++)
    {
      guint32 i = indices[group->first + k];
      double v = w[i], s = sensitivity != NULL ? nn_tensor_get (sensitivity, i) : 0;

      switch (importance)
        {
        case NN_IMPORTANCE_L1:
          sum += fabs (v);
          break;
        case NN_IMPORTANCE_L2:
          sum += v * v;
          break;
        case NN_IMPORTANCE_FIRST_ORDER:
          sum += fabs (s * v); /* Molchanov et al. 2019, eq. 8, without the square */
          break;
        case NN_IMPORTANCE_SECOND_ORDER:
          sum += 0.5 * fabs (s) * v * v; /* LeCun et al. 1990, eq. 5 */
          break;
        case NN_IMPORTANCE_RANDOM:
          sum += v != 0;
          break;
        }
    }
  return importance == NN_IMPORTANCE_L2 ? sqrt (sum) : sum;
}

/* Within a weight: norms as a share of the largest (so that layers of large and of small weights compare). */
void
nn_groups_score (NnGroups        *groups,
                 const NnModel   *model,
                 NnImportance     importance,
                 NnTensor *const *sensitivity,
                 guint64          seed)
{
  guint n_weights = nn_model_n_weights (model);
  g_autofree double *most = g_new0 (double, MAX (n_weights, 1));
  double all = 0;
  NnRng rng;

  nn_rng_init (&rng, seed);
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      NnGroup *group = &groups->groups[g];

      group->value = group_value (group, groups->indices, nn_tensor_f32 (nn_model_weight (model, group->weight)->values),
                                  sensitivity != NULL ? sensitivity[group->weight] : NULL, importance);
      if (importance == NN_IMPORTANCE_RANDOM && group->value > 0)
        group->value = 0.5 + 0.5 * nn_rng_uniform (&rng);
      most[group->weight] = MAX (most[group->weight], group->value);
      all = MAX (all, group->value);
    }
  for (gsize g = 0; g < groups->n_groups; g++)
    {
      NnGroup *group = &groups->groups[g];
      double unit = importance == NN_IMPORTANCE_L1 || importance == NN_IMPORTANCE_L2 ? most[group->weight] : all;

      if (unit > 0)
        group->value /= unit;
    }
}

gboolean
nn_groups_score_data (NnGroups             *groups,
                      const NnModel        *model,
                      const NnDataset      *data,
                      const NnTrainOptions *train,
                      NnImportance          importance,
                      GError              **error)
{
  gsize n = MIN (nn_dataset_n (data, NN_SPLIT_TRAIN), SENSITIVITY_SAMPLES);
  NnTensor *x = NULL, *y = NULL, **s;

  nn_dataset_read_batch (data, NN_SPLIT_TRAIN, NULL, 0, n, &x, &y);
  s = importance == NN_IMPORTANCE_FIRST_ORDER ? nn_gradients (model, x, y, train, NULL, error)
                                              : nn_fisher_diagonal (model, x, y, train, error);
  nn_tensor_unref (x);
  nn_tensor_unref (y);
  if (s == NULL)
    return FALSE;
  nn_groups_score (groups, model, importance, s, 0);
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    g_clear_pointer (&s[i], nn_tensor_unref);
  g_free (s);
  return TRUE;
}
