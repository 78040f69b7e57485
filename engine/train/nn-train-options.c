/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options of training: defaults and checks. */

#include "nn-error.h"
#include "nn-net.h"

#include <math.h>

void
nn_train_options_init (NnTrainOptions *options)
{
  *options = (NnTrainOptions) {
    .epochs = 10,
    .batch = 128,
    .loss = NN_LOSS_AUTO,
    .optimizer = NN_OPTIMIZER_ADAM,
    .learning_rate = 1e-3,
    .beta1 = 0.9,
    .beta2 = 0.999,
    .epsilon = 1e-7,
    .schedule = NN_LR_CONSTANT,
    .lr_factor = 0.1,
    .lr_every = 10,
    .keep_best = TRUE,
    .seed = 1,
  };
}

static gboolean
check_options (const NnTrainOptions *o,
               GError              **error)
{
  const char *what = NULL;

  if (o->batch < 1)
    what = "the batch must have one sample or more";
  else if (!(o->learning_rate > 0) || !isfinite (o->learning_rate))
    what = "the learning rate must be positive";
  else if (!(o->beta1 >= 0 && o->beta1 < 1 && o->beta2 >= 0 && o->beta2 < 1))
    what = "beta1 and beta2 must lie in [0, 1)";
  else if (!(o->momentum >= 0 && o->momentum < 1))
    what = "the momentum must lie in [0, 1)";
  else if (!(o->weight_decay >= 0) || !(o->epsilon >= 0))
    what = "weight decay and epsilon must not be negative";
  else if (o->schedule != NN_LR_CONSTANT && !(o->lr_factor >= 0 && o->lr_factor <= 1))
    what = "the factor of the learning rate's schedule must lie in [0, 1]";
  if (what != NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "training: %s", what);
  return what == NULL;
}

static gboolean
check_groups (const NnModel        *model,
              const NnTrainOptions *o,
              GError              **error)
{
  for (guint k = 0; k < o->n_groups; k++)
    {
      const NnRegularGroups *g = &o->groups[k];

      if (g->weight >= nn_model_n_weights (model) ||
          (g->n_groups > 0 && g->offsets[0] != 0))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "training: group set %u names no weight of the network", k);
          return FALSE;
        }
      for (guint i = 0; i < (g->n_groups > 0 ? g->offsets[g->n_groups] : 0); i++)
        if (g->indices[i] >= nn_model_weight (model, g->weight)->values->n)
          {
            g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "training: group set %u names element %u of %s, which it does not have",
                         k, g->indices[i], nn_model_weight (model, g->weight)->name);
            return FALSE;
          }
    }
  return TRUE;
}

gboolean
nn_train_options_check (const NnTrainOptions *options,
                        const NnModel        *model,
                        GError              **error)
{
  return check_options (options, error) && check_groups (model, options, error);
}
