/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small network, its data and short runs, for the tests of pruning. */

#pragma once

#include "nn-project.h"
#include "test-train-nets.h"

#define SAMPLES 3000

/* Points of four clouds in 16 dimensions, of which twelve only are noise. */
static inline NnDataset *
clouds (void)
{
  g_autoptr (NnTensor) x = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (SAMPLES, 16)), y = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (SAMPLES, 4));
  g_autoptr (GError) error = NULL;
  NnDataOptions options;
  NnDataset *data;
  NnRng rng;

  nn_rng_init (&rng, 5);
  for (gsize i = 0; i < SAMPLES; i++)
    {
      guint c = (guint) nn_rng_below (&rng, 4);

      for (gsize k = 0; k < 16; k++)
        nn_tensor_f32 (x)[i * 16 + k] = (float) (nn_rng_normal (&rng) + (k == c ? 2.5 : 0));
      nn_tensor_f32 (y)[i * 4 + c] = 1;
    }
  nn_data_options_init (&options);
  data = nn_dataset_new (x, y, NULL, &options, &error);
  g_assert_no_error (error);
  return data;
}

static inline NnModel *
trained (const NnDataset *data)
{
  TestNet *net = net_new (&NN_SHAPE (16), 3);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnTrainResult) result = NULL;
  g_autoptr (GError) error = NULL;
  NnTrainOptions options;

  net_dense (net, 16, 32, NN_ACT_RELU);
  net_dense (net, 32, 16, NN_ACT_RELU);
  net_dense (net, 16, 4, NN_ACT_SOFTMAX);
  model = net_seal (net);
  nn_train_options_init (&options);
  options.epochs = 15;
  g_assert_true (nn_train (model, data, &options, NULL, NULL, &result, &error));
  g_assert_no_error (error);
  return nn_model_ref (result->model);
}

static inline NnConfig *
make_config (const char *strategy,
             guint       reuse)
{
  g_autofree char *text = g_strdup_printf ("{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":"
                                           "{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":%u,\"Strategy\":\"%s\"}}}",
                                           reuse, strategy);
  g_autoptr (GError) error = NULL;
  NnConfig *config = nn_config_parse (text, &error);

  g_assert_no_error (error);
  return config;
}

static inline void
quick (NnPruneOptions *options)
{
  nn_prune_options_init (options);
  options->tolerance = 0.02;
  options->max_steps = 6;
  options->fine_tune_epochs = 4;
  options->bad_trials = 2;
}

static inline NnTrail *
prune (const NnModel        *model,
       const NnConfig       *config,
       const NnDataset      *data,
       const NnPruneOptions *options)
{
  g_autoptr (GError) error = NULL;
  NnTrail *trail = nn_prune (model, config, data, options, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (trail);
  return trail;
}

static inline gboolean
same_weights (const NnModel *a,
              const NnModel *b)
{
  for (guint i = 0; i < nn_model_n_weights (a); i++)
    {
      const NnWeight *wa = nn_model_weight (a, i), *wb = nn_model_weight (b, i);

      if (memcmp (wa->values->data, wb->values->data, wa->values->n * sizeof (float)) != 0 ||
          (wa->mask != NULL) != (wb->mask != NULL) || (wa->mask != NULL && memcmp (wa->mask->data, wb->mask->data, wa->mask->n) != 0))
        return FALSE;
    }
  return TRUE;
}
