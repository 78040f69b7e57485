/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The training loop: it learns, gives the same bits, keeps masks, stops when told and when numbers break. */

#include "nn-dataset.h"
#include "nn-error.h"
#include "nn-exec.h"
#include "nn-net.h"
#include "nn-parallel.h"
#include "test-train-nets.h"

#define SAMPLES 1500

/* Points of five clouds in 16 dimensions. */
static NnDataset *
clouds (void)
{
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (SAMPLES, 16), 11);
  g_autoptr (NnTensor) y = random_classes (SAMPLES, 5, 12);
  g_autoptr (GError) error = NULL;
  NnDataOptions options;
  NnDataset *data;

  for (gsize i = 0; i < SAMPLES; i++)
    for (gsize c = 0; c < 5; c++)
      if (nn_tensor_f32 (y)[i * 5 + c] > 0)
        for (gsize k = 0; k < 3; k++)
          nn_tensor_f32 (x)[i * 16 + c * 3 + k] += 2;
  nn_data_options_init (&options);
  data = nn_dataset_new (x, y, NULL, &options, &error);
  g_assert_no_error (error);
  return data;
}

static NnTrainOptions
few_epochs (guint epochs)
{
  NnTrainOptions options;

  nn_train_options_init (&options);
  options.epochs = epochs;
  options.batch = 64;
  options.learning_rate = 3e-3;
  return options;
}

static NnTrainResult *
train (const NnModel        *model,
       const NnDataset      *data,
       const NnTrainOptions *options)
{
  g_autoptr (GError) error = NULL;
  NnTrainResult *result;

  g_assert_true (nn_train (model, data, options, NULL, NULL, &result, &error));
  g_assert_no_error (error);
  return result;
}

static void
assert_same_weights (const NnModel *a,
                     const NnModel *b)
{
  for (guint i = 0; i < nn_model_n_weights (a); i++)
    g_assert_cmpmem (nn_model_weight (a, i)->values->data, nn_model_weight (a, i)->values->n * sizeof (float),
                     nn_model_weight (b, i)->values->data, nn_model_weight (b, i)->values->n * sizeof (float));
}

static void
test_learns (void)
{
  const NnOptimizerKind kinds[] = { NN_OPTIMIZER_SGD, NN_OPTIMIZER_ADAM, NN_OPTIMIZER_ADAMW, NN_OPTIMIZER_NADAM };
  g_autoptr (NnDataset) data = clouds ();

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint norm = 0; norm < 2; norm++)
      {
        g_autoptr (NnModel) model = net_jets (1, norm);
        g_autoptr (NnTrainResult) result = NULL;
        g_autoptr (NnMetrics) metrics = NULL;
        g_autoptr (GError) error = NULL;
        NnTrainOptions options = few_epochs (12);
        const NnEpoch *last;

        options.optimizer = kinds[i];
        options.weight_decay = kinds[i] == NN_OPTIMIZER_ADAMW ? 1e-3 : 0;
        if (kinds[i] == NN_OPTIMIZER_SGD)
          options.learning_rate = 0.05, options.momentum = 0.9, options.nesterov = TRUE;
        result = train (model, data, &options);
        last = &g_array_index (result->epochs, NnEpoch, result->epochs->len - 1);
        g_assert_cmpuint (result->epochs->len, ==, 12);
        g_assert_cmpfloat (last->train_loss, <, 0.3);
        g_assert_cmpfloat (last->val_accuracy, >, 0.85);
        metrics = nn_evaluate (result->model, data, NN_SPLIT_VALIDATION, NULL, &error);
        g_assert_no_error (error);
        g_assert_cmpfloat (metrics->accuracy, >, 0.85);
      }
}

static void
test_same_bits (void)
{
  g_autoptr (NnDataset) data = clouds ();

  for (guint norm = 0; norm < 2; norm++)
    {
      g_autoptr (NnModel) model = net_jets (2, norm);
      NnTrainOptions options = few_epochs (3);
      g_autoptr (NnTrainResult) first = NULL, second = NULL, threaded = NULL, other = NULL;

      options.batch = 300;
      nn_parallel_set_threads (1);
      first = train (model, data, &options);
      second = train (model, data, &options);
      nn_parallel_set_threads (2);
      threaded = train (model, data, &options);
      nn_parallel_set_threads (0);
      assert_same_weights (first->model, second->model);
      assert_same_weights (first->model, threaded->model);
      options.seed = 2;
      other = train (model, data, &options);
      g_assert_cmpfloat (nn_tensor_f32 (nn_model_weight (first->model, 0)->values)[0], !=,
                         nn_tensor_f32 (nn_model_weight (other->model, 0)->values)[0]);
    }
}

/* Every second weight of each kernel is pruned. */
static NnModel *
half_masked (const NnModel *model)
{
  g_autofree NnTensor **masks = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
  NnModel *masked;

  for (guint id = 0; id < nn_model_n_weights (model); id++)
    if (nn_model_weight (model, id)->role == NN_ROLE_KERNEL)
      {
        masks[id] = nn_tensor_new (NN_DTYPE_U8, &nn_model_weight (model, id)->values->shape);
        for (gsize i = 0; i < masks[id]->n; i++)
          nn_tensor_u8 (masks[id])[i] = i % 2;
      }
  masked = nn_model_with_weights (model, NULL, masks);
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    nn_tensor_unref (masks[id]);
  return masked;
}

static void
test_masks (void)
{
  const NnOptimizerKind kinds[] = { NN_OPTIMIZER_SGD, NN_OPTIMIZER_ADAM, NN_OPTIMIZER_ADAMW, NN_OPTIMIZER_NADAM };
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) dense = net_jets (3, FALSE);
  g_autoptr (NnModel) model = half_masked (dense);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      NnTrainOptions options = few_epochs (4);
      g_autoptr (NnTrainResult) result = NULL;
      guint moved = 0;

      options.optimizer = kinds[i];
      options.momentum = 0.5;
      options.weight_decay = 1e-2;
      result = train (model, data, &options);
      for (guint id = 0; id < nn_model_n_weights (model); id++)
        {
          const NnWeight *w = nn_model_weight (result->model, id);

          for (gsize k = 0; w->mask != NULL && k < w->values->n; k++)
            if (nn_tensor_u8 (w->mask)[k] == 0)
              g_assert_cmpfloat (nn_tensor_f32 (w->values)[k], ==, 0);
            else
              moved += nn_tensor_f32 (w->values)[k] != nn_tensor_f32 (nn_model_weight (model, id)->values)[k];
        }
      g_assert_cmpuint (moved, >, 1000);
    }
}

/* The state of the optimiser is as empty as the weights are. */
static void
test_masked_state (void)
{
  g_autoptr (NnModel) dense = net_jets (3, FALSE);
  g_autoptr (NnModel) model = half_masked (dense);
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (64, 16), 1);
  g_autoptr (NnTensor) y = random_classes (64, 5, 2);
  NnNetOptions net_options = { .layers_of = nn_layers_for (nn_cpu ()), .batch = 64, .gradients = TRUE, .training = TRUE,
                               .is_classes = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnNet) net = nn_net_new (model, &net_options, &error);
  NnTrainOptions options;
  guint32 samples[64];
  NnBatch batch = { .x = nn_tensor_f32 (x), .t = nn_tensor_f32 (y), .samples = samples, .n = 64 };

  g_assert_no_error (error);
  nn_train_options_init (&options);
  options.weight_decay = 0.1;
  for (guint i = 0; i < 64; i++)
    samples[i] = i;
  for (guint step = 0; step < 3; step++)
    {
      NnLossSums sums = { 0 };

      g_assert_true (nn_net_run (net, &batch, &sums));
      nn_net_update (net, &options, 1e-3);
    }
  for (gsize i = 0; i < nn_model_weight (model, 0)->values->n; i++)
    {
      const gsize at = net->param_at[0] + i;

      g_assert_true ((((float *) net->m)[at] != 0) == (i % 2 == 1 && ((float *) net->v)[at] != 0));
      if (i % 2 == 0)
        g_assert_true (((float *) net->m)[at] == 0 && ((float *) net->v)[at] == 0 && ((float *) net->values)[at] == 0);
    }
}

static void
test_groups (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = net_jets (4, FALSE);
  NnTrainOptions options = few_epochs (20);
  guint32 offsets[65], indices[1024];
  float strength[64];
  NnRegularGroups groups = { .weight = 0, .n_groups = 64, .offsets = offsets, .indices = indices, .strength = strength };
  g_autoptr (NnTrainResult) plain = train (model, data, &options);
  g_autoptr (NnTrainResult) drawn = NULL;
  guint zero_plain = 0, zero_drawn = 0;

  /* a column of the first kernel is a group */
  for (guint g = 0; g < 64; g++)
    {
      offsets[g] = 16 * g;
      strength[g] = 0.01f;
      for (guint i = 0; i < 16; i++)
        indices[16 * g + i] = i * 64 + g;
    }
  offsets[64] = 1024;
  options.groups = &groups;
  options.n_groups = 1;
  drawn = train (model, data, &options);
  for (guint g = 0; g < 64; g++)
    {
      double a = 0, b = 0;

      for (guint i = 0; i < 16; i++)
        {
          a += fabs (nn_tensor_f32 (nn_model_weight (plain->model, 0)->values)[i * 64 + g]);
          b += fabs (nn_tensor_f32 (nn_model_weight (drawn->model, 0)->values)[i * 64 + g]);
        }
      zero_plain += a == 0;
      zero_drawn += b == 0;
    }
  g_assert_cmpuint (zero_plain, ==, 0);
  g_assert_cmpuint (zero_drawn, >, 5);
  g_assert_cmpfloat (g_array_index (drawn->epochs, NnEpoch, drawn->epochs->len - 1).val_accuracy, >, 0.8);
}

static void
test_stops_early (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = net_jets (5, FALSE);
  NnTrainOptions options = few_epochs (200);
  g_autoptr (NnTrainResult) result = NULL;
  g_autoptr (NnMetrics) metrics = NULL;
  g_autoptr (GError) error = NULL;
  double best = INFINITY;

  options.patience = 4;
  options.learning_rate = 1e-2;
  result = train (model, data, &options);
  g_assert_true (result->stopped_early);
  g_assert_cmpuint (result->epochs->len, <, 200);
  for (guint i = 0; i < result->epochs->len; i++)
    best = MIN (best, g_array_index (result->epochs, NnEpoch, i).val_loss);
  metrics = nn_evaluate (result->model, data, NN_SPLIT_VALIDATION, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (metrics->loss, best, 1e-4);
}

static void
test_schedules (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = net_jets (6, FALSE);
  NnTrainOptions options = few_epochs (5);
  g_autoptr (NnTrainResult) step = NULL, cosine = NULL;

  options.learning_rate = 1e-3;
  options.schedule = NN_LR_STEP;
  options.lr_every = 2;
  options.lr_factor = 0.5;
  step = train (model, data, &options);
  g_assert_cmpfloat_with_epsilon (g_array_index (step->epochs, NnEpoch, 1).learning_rate, 1e-3, 1e-12);
  g_assert_cmpfloat_with_epsilon (g_array_index (step->epochs, NnEpoch, 4).learning_rate, 0.25e-3, 1e-12);
  options.schedule = NN_LR_COSINE;
  cosine = train (model, data, &options);
  g_assert_cmpfloat_with_epsilon (g_array_index (cosine->epochs, NnEpoch, 2).learning_rate, 0.75e-3, 1e-12);
  g_assert_cmpfloat_with_epsilon (g_array_index (cosine->epochs, NnEpoch, 4).learning_rate, 0.5e-3, 1e-12);
}

static void
test_diverges (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = net_jets (7, FALSE);
  NnTrainOptions options = few_epochs (50);
  g_autoptr (NnTrainResult) result = NULL;
  g_autoptr (GError) error = NULL;

  options.optimizer = NN_OPTIMIZER_SGD;
  options.learning_rate = 1e30;
  g_assert_false (nn_train (model, data, &options, NULL, NULL, &result, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "layer \"layer_"));
  g_assert_nonnull (result);
  for (guint id = 0; id < nn_model_n_weights (result->model); id++)
    for (gsize i = 0; i < nn_model_weight (result->model, id)->values->n; i++)
      g_assert_true (isfinite (nn_tensor_f32 (nn_model_weight (result->model, id)->values)[i]));
}

static void
cancel_at_third (const NnEpoch *epoch,
                 gpointer       data)
{
  if (epoch->epoch == 2)
    g_cancellable_cancel (data);
}

static void
test_cancel (void)
{
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = net_jets (8, TRUE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  NnTrainOptions options = few_epochs (100000);
  g_autoptr (NnTrainResult) result = NULL;
  g_autoptr (NnTrainResult) three = NULL;
  g_autoptr (GError) error = NULL;

  options.on_epoch = cancel_at_third;
  options.on_epoch_data = cancellable;
  g_assert_false (nn_train (model, data, &options, NULL, cancellable, &result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (result->epochs->len, ==, 3);
  options = few_epochs (3);
  three = train (model, data, &options);
  assert_same_weights (result->model, three->model);
}

static void
test_bad_input (void)
{
  g_autoptr (NnDataset) data = clouds ();
  TestNet *net = net_new (&NN_SHAPE (7), 1);
  g_autoptr (NnModel) narrow = NULL;
  g_autoptr (NnModel) model = net_jets (1, FALSE);
  NnTrainOptions options = few_epochs (1);
  g_autoptr (GError) error = NULL;

  net_dense (net, 7, 5, NN_ACT_SOFTMAX);
  narrow = net_seal (net);
  g_assert_false (nn_train (narrow, data, &options, NULL, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_SHAPE);
  g_clear_error (&error);
  options.batch = 0;
  g_assert_false (nn_train (model, data, &options, NULL, NULL, NULL, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_LIMIT);
}

/* Fast float inference against the reference in double. */
static void
test_predict (void)
{
  g_autoptr (NnModel) model = net_jets (9, TRUE);
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (333, 16), 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) fast = nn_predict_fast (model, x, NULL, &error);
  NnPredictOptions options = { 0 };
  NnTensor *inputs[] = { x, NULL };
  NnTensor **exact;

  g_assert_no_error (error);
  exact = nn_predict (model, inputs, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < fast->n; i++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_f32 (fast)[i], nn_tensor_get (exact[0], i), 2e-6);
  nn_tensors_free (exact);
}

/* The mean of squared gradients of the samples, each computed on its own. */
static void
test_fisher (void)
{
  TestNet *net = net_new (&NN_SHAPE (6, 6, 2), 1);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnTensor) x = random_tensor (&NN_SHAPE (21, 6, 6, 2), 1);
  g_autoptr (NnTensor) y = random_tensor (&NN_SHAPE (21, 3), 2);
  g_autoptr (GError) error = NULL;
  NnTrainOptions options;
  NnTensor **fisher, **sums;

  net_conv (net, 3, 3, 2, 4, 1, 1, 1, NN_PADDING_SAME)->attrs.act = NN_ACT_RELU;
  net_batch_norm (net, 4);
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 144, 3, NN_ACT_LINEAR);
  model = net_seal (net);
  nn_train_options_init (&options);
  options.freeze_norm = TRUE;
  fisher = nn_fisher_diagonal (model, x, y, &options, &error);
  g_assert_no_error (error);
  sums = g_new0 (NnTensor *, nn_model_n_weights (model));
  for (gsize i = 0; i < 21; i++)
    {
      g_autoptr (NnTensor) xi = nn_tensor_rows (x, i, 1);
      g_autoptr (NnTensor) yi = nn_tensor_rows (y, i, 1);
      NnTensor **g = nn_gradients (model, xi, yi, &options, NULL, &error);

      g_assert_no_error (error);
      for (guint id = 0; id < nn_model_n_weights (model); id++)
        for (gsize k = 0; g[id] != NULL && k < g[id]->n; k++)
          {
            if (sums[id] == NULL)
              sums[id] = nn_tensor_convert (g[id], NN_DTYPE_F64), memset (sums[id]->data, 0, sums[id]->n * sizeof (double));
            nn_tensor_f64 (sums[id])[k] += nn_tensor_get (g[id], k) * nn_tensor_get (g[id], k) / 21;
          }
      free_tensors (g, nn_model_n_weights (model));
    }
  for (guint id = 0; id < nn_model_n_weights (model); id++)
    for (gsize k = 0; fisher[id] != NULL && k < fisher[id]->n; k++)
      g_assert_cmpfloat_with_epsilon (nn_tensor_get (fisher[id], k), nn_tensor_get (sums[id], k),
                                      1e-4 * nn_tensor_get (sums[id], k) + 1e-9);
  free_tensors (fisher, nn_model_n_weights (model));
  free_tensors (sums, nn_model_n_weights (model));
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/learns", test_learns);
  g_test_add_func ("/train/same-bits", test_same_bits);
  g_test_add_func ("/train/masks", test_masks);
  g_test_add_func ("/train/masked-state", test_masked_state);
  g_test_add_func ("/train/groups", test_groups);
  g_test_add_func ("/train/stops-early", test_stops_early);
  g_test_add_func ("/train/schedules", test_schedules);
  g_test_add_func ("/train/diverges", test_diverges);
  g_test_add_func ("/train/cancel", test_cancel);
  g_test_add_func ("/train/bad-input", test_bad_input);
  g_test_add_func ("/train/predict", test_predict);
  g_test_add_func ("/train/fisher", test_fisher);
  return g_test_run ();
}
