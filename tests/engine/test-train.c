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

/* Every @n-th weight of each kernel is left: of two the dense kernels go on, of four the lists of what is left take over. */
static NnModel *
masked_but (const NnModel *model,
            guint          n)
{
  g_autofree NnTensor **masks = g_new0 (NnTensor *, nn_model_n_weights (model) + 1);
  NnModel *masked;

  for (guint id = 0; id < nn_model_n_weights (model); id++)
    if (nn_model_weight (model, id)->role == NN_ROLE_KERNEL)
      {
        masks[id] = nn_tensor_new (NN_DTYPE_U8, &nn_model_weight (model, id)->values->shape);
        for (gsize i = 0; i < masks[id]->n; i++)
          nn_tensor_u8 (masks[id])[i] = i % n == n - 1;
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

  for (guint i = 0; i < 2 * G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (NnModel) model = masked_but (dense, i % 2 == 0 ? 2 : 4);
      NnTrainOptions options = few_epochs (4);
      g_autoptr (NnTrainResult) result = NULL;
      guint moved = 0;

      options.optimizer = kinds[i / 2];
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
      g_assert_cmpuint (moved, >, i % 2 == 0 ? 1000 : 500);
    }
}

/* The state of the optimiser is as empty as the weights are. */
static void
check_masked_state (guint n)
{
  g_autoptr (NnModel) dense = net_jets (3, FALSE);
  g_autoptr (NnModel) model = masked_but (dense, n);
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

      g_assert_true ((((float *) net->m)[at] != 0) == (i % n == n - 1 && ((float *) net->v)[at] != 0));
      if (i % n != n - 1)
        g_assert_true (((float *) net->m)[at] == 0 && ((float *) net->v)[at] == 0 && ((float *) net->values)[at] == 0);
    }
}

static void
test_masked_state (void)
{
  check_masked_state (2);
  check_masked_state (4);
}

#define ROWS 48

/* A net in double whose batches are these rows, for tests that look at single steps. */
typedef struct {
  NnNet    *net;
  NnTensor *x, *y;
  guint32   samples[ROWS];
} Steps;

static void
steps_init (Steps         *s,
            const NnModel *model,
            gboolean       dropout)
{
  const NnNetOptions options = { .layers_of = nn_layers_for (NN_CPU_DOUBLE), .batch = ROWS, .gradients = TRUE, .training = TRUE,
                                 .dropout = dropout, .is_classes = TRUE };
  g_autoptr (GError) error = NULL;

  s->net = nn_net_new (model, &options, &error);
  g_assert_no_error (error);
  s->x = random_tensor (&NN_SHAPE (ROWS, 16), 1);
  s->y = random_classes (ROWS, 5, 2);
  for (guint i = 0; i < ROWS; i++)
    s->samples[i] = i;
}

static void
steps_clear (Steps *s)
{
  nn_net_free (s->net);
  nn_tensor_unref (s->x);
  nn_tensor_unref (s->y);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Steps, steps_clear)

/* Returns: the loss */
static double
steps_run (Steps        *s,
           const double *class_weights,
           guint64       key)
{
  NnLossSums sums = { 0 };

  g_assert_true (nn_net_run (s->net, &(NnBatch) { .x = nn_tensor_f32 (s->x), .t = nn_tensor_f32 (s->y), .samples = s->samples,
                                                  .n = ROWS, .class_weights = class_weights, .key = key }, &sums));
  return sums.loss;
}

/* One weight's optimiser as its paper and Keras have it: t counts from 1. */
static double
step_of (const NnTrainOptions *o,
         double                w,
         double                g,
         double                rate,
         guint                 t,
         double               *m,
         double               *v,
         double               *product)
{
  const double b1 = o->beta1, b2 = o->beta2;
  double d, now = b1 * (1 - 0.5 * pow (0.96, t)), next = b1 * (1 - 0.5 * pow (0.96, t + 1)), hat;

  if (o->optimizer == NN_OPTIMIZER_ADAMW)
    w *= 1 - rate * o->weight_decay;
  else
    g += o->weight_decay * w;
  if (o->optimizer == NN_OPTIMIZER_SGD)
    {
      d = *m = o->momentum * *m - rate * g;
      return w + (o->nesterov ? o->momentum * d - rate * g : d);
    }
  *m = b1 * *m + (1 - b1) * g;
  *v = b2 * *v + (1 - b2) * g * g;
  *product *= now;
  hat = o->optimizer == NN_OPTIMIZER_NADAM ? next * *m / (1 - *product * next) + (1 - now) * g / (1 - *product) : *m / (1 - pow (b1, t));
  if (o->optimizer == NN_OPTIMIZER_NADAM)
    return w - rate * hat / (sqrt (*v / (1 - pow (b2, t))) + o->epsilon);
  /* Keras: epsilon is added before the correction */
  return w - rate * sqrt (1 - pow (b2, t)) / (1 - pow (b1, t)) * *m / (sqrt (*v) + o->epsilon);
}

/* Four steps of every optimiser, with and without decay, against its formula. */
static void
test_optimizers (void)
{
  const NnOptimizerKind kinds[] = { NN_OPTIMIZER_SGD, NN_OPTIMIZER_ADAM, NN_OPTIMIZER_ADAMW, NN_OPTIMIZER_NADAM };
  g_autoptr (NnModel) model = net_jets (3, FALSE);

  for (guint i = 0; i < 4 * G_N_ELEMENTS (kinds); i++)
    {
      double w[50], m[50] = { 0 }, v[50] = { 0 }, product[50];
      g_auto (Steps) s = { 0 };
      NnTrainOptions o;

      steps_init (&s, model, FALSE);
      nn_train_options_init (&o);
      o.optimizer = kinds[i / 4];
      o.weight_decay = i % 2 * 0.1;
      o.momentum = 0.8;
      o.nesterov = i % 4 / 2;
      for (guint k = 0; k < 50; k++)
        w[k] = nn_net_param (s.net, 0, k), product[k] = 1;
      for (guint t = 1; t <= 4; t++)
        {
          const double rate = 1e-2 / t;
          NnTensor *gradient;

          steps_run (&s, NULL, 0);
          gradient = nn_net_gradient (s.net, 0);
          nn_net_update (s.net, &o, rate);
          for (guint k = 0; k < 50; k++)
            {
              w[k] = step_of (&o, w[k], nn_tensor_get (gradient, k), rate, t, &m[k], &v[k], &product[k]);
              g_assert_cmpfloat_with_epsilon (nn_net_param (s.net, 0, k), w[k], 1e-6);
            }
          nn_tensor_unref (gradient);
        }
    }
}

/* A class's weight multiplies what its samples add to the loss and the gradient. */
static void
test_class_weights (void)
{
  const double weights[5] = { 2, 0.5, 1, 0, 3 };
  g_autoptr (NnModel) model = net_jets (3, FALSE);
  g_auto (Steps) s = { 0 };
  double expected = 0, loss;
  NnTensor *sum = NULL, *weighted;

  steps_init (&s, model, FALSE);
  loss = steps_run (&s, weights, 0);
  weighted = nn_net_gradient (s.net, 0);
  for (guint c = 0; c < 5; c++)
    {
      double only[5] = { 0 };
      NnTensor *part;

      only[c] = 1;
      expected += weights[c] * steps_run (&s, only, 0);
      part = nn_net_gradient (s.net, 0);
      for (gsize k = 0; k < part->n; k++)
        nn_tensor_f32 (part)[k] = weights[c] * nn_tensor_f32 (part)[k] + (sum != NULL ? nn_tensor_f32 (sum)[k] : 0);
      nn_tensor_unref (sum);
      sum = part;
    }
  g_assert_cmpfloat_with_epsilon (loss, expected, 1e-9);
  for (gsize k = 0; k < sum->n; k++)
    g_assert_cmpfloat_with_epsilon (nn_tensor_get (weighted, k), nn_tensor_get (sum, k), 1e-6);
  nn_tensor_unref (sum);
  nn_tensor_unref (weighted);
}

/* Dropout: another key drops others, the same key the same; the gradient is that of what is left; without it nothing is dropped. */
static void
test_dropout (void)
{
  const double step = 1e-4;
  TestNet *net = net_new (&NN_SHAPE (16), 5);
  g_autoptr (NnModel) model = NULL;
  g_auto (Steps) s = { 0 }, off = { 0 };
  double first, mean = 0, up, down, w;
  NnTensor *gradient;

  net_dense (net, 16, 40, NN_ACT_TANH);
  net_add (net, NN_OP_DROPOUT)->attrs.rate = 0.4;
  net_dense (net, 40, 5, NN_ACT_SOFTMAX);
  model = net_seal (net);
  steps_init (&s, model, TRUE);
  steps_init (&off, model, FALSE);
  first = steps_run (&s, NULL, 7);
  gradient = nn_net_gradient (s.net, 0);
  g_assert_cmpfloat (first, ==, steps_run (&s, NULL, 7));
  g_assert_cmpfloat (first, !=, steps_run (&s, NULL, 8));
  for (guint k = 0; k < 20; k++)
    {
      w = nn_net_param (s.net, 0, k);
      nn_net_set_param (s.net, 0, k, w + step);
      up = steps_run (&s, NULL, 7);
      nn_net_set_param (s.net, 0, k, w - step);
      down = steps_run (&s, NULL, 7);
      nn_net_set_param (s.net, 0, k, w);
      g_assert_cmpfloat_with_epsilon (nn_tensor_get (gradient, k), (up - down) / (2 * step), 1e-6);
    }
  /* what is left is scaled up so that the expectation stays: to first order, so does the loss's */
  for (guint k = 0; k < 300; k++)
    mean += steps_run (&s, NULL, 1000 + k) / 300;
  g_assert_cmpfloat (fabs (mean - steps_run (&off, NULL, 7)), <, 0.25 * steps_run (&off, NULL, 7));
  g_assert_cmpfloat (steps_run (&off, NULL, 7), ==, steps_run (&off, NULL, 8));
  nn_tensor_unref (gradient);
}

/* Batch norm in training moves its statistics towards the batch's; frozen, or to measure with, it keeps them. */
static void
test_moving_statistics (void)
{
  TestNet *net = net_new (&NN_SHAPE (16), 6);
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnTrainResult) frozen = NULL;
  g_auto (Steps) s = { 0 };
  NnTrainOptions options = few_epochs (2);
  const float *mean, *variance;

  net_batch_norm (net, 16);
  net_dense (net, 16, 5, NN_ACT_SOFTMAX);
  model = net_seal (net);
  mean = nn_tensor_f32 (nn_model_weight (model, 2)->values);
  variance = nn_tensor_f32 (nn_model_weight (model, 3)->values);
  steps_init (&s, model, FALSE);
  steps_run (&s, NULL, 0);
  for (guint c = 0; c < 16; c++)
    {
      double sum = 0, squares = 0;

      for (guint i = 0; i < ROWS; i++)
        sum += nn_tensor_f32 (s.x)[i * 16 + c] / (double) ROWS;
      for (guint i = 0; i < ROWS; i++)
        squares += pow (nn_tensor_f32 (s.x)[i * 16 + c] - sum, 2) / ROWS;
      g_assert_cmpfloat_with_epsilon (nn_net_param (s.net, 2, c), 0.9 * mean[c] + 0.1 * sum, 1e-6);
      g_assert_cmpfloat_with_epsilon (nn_net_param (s.net, 3, c), 0.9 * variance[c] + 0.1 * squares, 1e-6);
    }
  options.freeze_norm = TRUE;
  frozen = train (model, data, &options);
  g_assert_cmpmem (nn_model_weight (frozen->model, 2)->values->data, 16 * sizeof (float), mean, 16 * sizeof (float));
  g_assert_cmpmem (nn_model_weight (frozen->model, 3)->values->data, 16 * sizeof (float), variance, 16 * sizeof (float));
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
  g_autoptr (NnTrainResult) step = NULL, cosine = NULL, plateau = NULL;

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
  /* with steps too small to better anything, each second epoch lowers the rate */
  options.schedule = NN_LR_PLATEAU;
  options.learning_rate = 1e-30;
  options.epochs = 6;
  plateau = train (model, data, &options);
  g_assert_cmpfloat_with_epsilon (g_array_index (plateau->epochs, NnEpoch, 2).learning_rate, 1e-30, 1e-36);
  g_assert_cmpfloat_with_epsilon (g_array_index (plateau->epochs, NnEpoch, 3).learning_rate, 0.5e-30, 1e-36);
  g_assert_cmpfloat_with_epsilon (g_array_index (plateau->epochs, NnEpoch, 5).learning_rate, 0.25e-30, 1e-36);
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
break_after_third (const NnEpoch *epoch,
                   gpointer       data)
{
  if (epoch->epoch == 2)
    *(double *) data = INFINITY;
}

/* A run that learns for three epochs and then breaks leaves what it had learnt by then. */
static void
test_keeps_best (void)
{
  double weights[5] = { 1, 1, 1, 1, 1 };
  g_autoptr (NnDataset) data = clouds ();
  g_autoptr (NnModel) model = net_jets (7, FALSE);
  NnTrainOptions options = few_epochs (20);
  g_autoptr (NnTrainResult) broken = NULL, three = NULL;
  g_autoptr (GError) error = NULL;

  options.class_weights = weights;
  options.on_epoch = break_after_third;
  options.on_epoch_data = weights;
  g_assert_false (nn_train (model, data, &options, NULL, NULL, &broken, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_NUMERIC);
  g_assert_nonnull (strstr (error->message, "layer \"layer_"));
  g_assert_cmpuint (broken->epochs->len, ==, 3);
  options.epochs = 3;
  options.class_weights = NULL;
  options.on_epoch = NULL;
  three = train (model, data, &options);
  assert_same_weights (broken->model, three->model);
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
  g_test_add_func ("/train/optimizers", test_optimizers);
  g_test_add_func ("/train/class-weights", test_class_weights);
  g_test_add_func ("/train/dropout", test_dropout);
  g_test_add_func ("/train/moving-statistics", test_moving_statistics);
  g_test_add_func ("/train/groups", test_groups);
  g_test_add_func ("/train/stops-early", test_stops_early);
  g_test_add_func ("/train/schedules", test_schedules);
  g_test_add_func ("/train/diverges", test_diverges);
  g_test_add_func ("/train/keeps-best", test_keeps_best);
  g_test_add_func ("/train/cancel", test_cancel);
  g_test_add_func ("/train/bad-input", test_bad_input);
  g_test_add_func ("/train/predict", test_predict);
  g_test_add_func ("/train/fisher", test_fisher);
  return g_test_run ();
}
