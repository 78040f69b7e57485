/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The training loop. */

#include "nn-trainer.h"

#include "nn-error.h"
#include "nn-net.h"
#include "nn-rng.h"
#include "nn-targets.h"
#include "nn-text.h"

#include <math.h>
#include <string.h>

/* Samples measured at once; progress is told at most this often (microseconds). */
#define MEASURE_BATCH 2048
#define REPORT_EVERY (G_USEC_PER_SEC / 20)

void
nn_train_result_free (NnTrainResult *result)
{
  if (result == NULL)
    return;
  nn_model_unref (result->model);
  if (result->epochs != NULL)
    g_array_unref (result->epochs);
  g_free (result);
}

typedef struct {
  const NnDataset      *data;
  const NnTrainOptions *options;
  const NnProgress     *progress;
  GCancellable         *cancellable;
  NnNet                *net;
  NnNet                *judge;  /* the same network without batch statistics and dropout; NULL without validation data */
  NnTensor             *t[NN_N_SPLITS];
  NnRng                 rng;
  guint32              *order;
  GArray               *epochs;
  gpointer              best;
  double                best_loss;
  guint                 since_best;
  double                rate;   /* after plateaus */
  gint64                reported;
  guint64               step;
} Run;

static void
run_clear (Run *run)
{
  nn_net_free (run->net);
  nn_net_free (run->judge);
  for (guint i = 0; i < NN_N_SPLITS; i++)
    nn_tensor_unref (run->t[i]);
  g_free (run->order);
  g_aligned_free (run->best);
  if (run->epochs != NULL)
    g_array_unref (run->epochs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static gsize
params_bytes (const Run *run)
{
  return run->net->n_params * run->net->k->real_size;
}

/* Targets of one part as the network's outputs want them. */
static gboolean
fit_targets (Run     *run,
             NnNet   *net,
             NnSplit  split,
             GError **error)
{
  return nn_targets_make (net, nn_dataset_x (run->data, split), nn_dataset_y (run->data, split),
                          nn_dataset_is_classes (run->data), &run->t[split], error);
}

static gboolean
run_init (Run           *run,
          const NnModel *model,
          GError       **error)
{
  const NnTrainOptions *o = run->options;
  NnNetOptions options = { .layers_of = nn_layers_for (o->in_double ? NN_CPU_DOUBLE : nn_cpu ()), .gradients = TRUE,
                           .training = TRUE, .dropout = TRUE, .freeze_norm = o->freeze_norm,
                           .is_classes = nn_dataset_is_classes (run->data), .loss = o->loss,
                           .types = o->types, .n_types = o->n_types, .grids = o->grids, .n_grids = o->n_grids };
  const gsize n = nn_dataset_n (run->data, NN_SPLIT_TRAIN), n_val = nn_dataset_n (run->data, NN_SPLIT_VALIDATION);

  if (!nn_train_options_check (o, model, error))
    return FALSE;
  if (n == 0 || n > G_MAXUINT32)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "training: the data has no training part");
      return FALSE;
    }
  options.batch = MIN (o->batch, n);
  run->net = nn_net_new (model, &options, error);
  if (run->net == NULL || !fit_targets (run, run->net, NN_SPLIT_TRAIN, error))
    return FALSE;
  if (n_val > 0)
    {
      options.gradients = options.training = options.dropout = FALSE;
      options.batch = MEASURE_BATCH;
      run->judge = nn_net_new (model, &options, error);
      if (run->judge == NULL || !fit_targets (run, run->judge, NN_SPLIT_VALIDATION, error))
        return FALSE;
    }
  run->order = g_new (guint32, MAX (n, n_val));
  run->epochs = g_array_new (FALSE, FALSE, sizeof (NnEpoch));
  run->best = nn_net_alloc (params_bytes (run), 1);
  memcpy (run->best, run->net->values, params_bytes (run));
  run->best_loss = INFINITY;
  run->rate = o->learning_rate;
  nn_rng_init (&run->rng, o->seed);
  return TRUE;
}

static double
rate_of (const Run *run,
         guint      epoch)
{
  const NnTrainOptions *o = run->options;

  switch (o->schedule)
    {
    case NN_LR_STEP:
      return o->learning_rate * pow (o->lr_factor, epoch / MAX (o->lr_every, 1));
    case NN_LR_COSINE:
      return o->learning_rate *
             (o->lr_factor + (1 - o->lr_factor) * 0.5 * (1 + cos (G_PI * epoch / MAX (o->epochs - 1, 1))));
    case NN_LR_PLATEAU:
      return run->rate;
    case NN_LR_CONSTANT:
    default:
      return o->learning_rate;
    }
}

static void
report (Run   *run,
        guint  epoch,
        double done)
{
  gint64 now = g_get_monotonic_time ();
  g_autofree char *what = NULL;

  if (run->progress == NULL || now - run->reported < REPORT_EVERY)
    return;
  run->reported = now;
  what = g_strdup_printf ("epoch %u of %u", epoch + 1, run->options->epochs);
  nn_progress_report (run->progress, (epoch + done) / run->options->epochs, what);
}

/* Says that the run was cancelled; FALSE always. */
static gboolean
stopped (Run     *run,
         GError **error)
{
  if (!nn_progress_cancelled (run->cancellable, error))
    g_assert_not_reached ();
  return FALSE;
}

static gboolean
train_epoch (Run      *run,
             guint     epoch,
             double    rate,
             double   *loss,
             GError  **error)
{
  const NnTrainOptions *o = run->options;
  const gsize n = nn_dataset_n (run->data, NN_SPLIT_TRAIN);
  NnBatch batch = { .x = nn_tensor_f32 (nn_dataset_x (run->data, NN_SPLIT_TRAIN)),
                    .t = nn_tensor_f32 (run->t[NN_SPLIT_TRAIN]), .class_weights = o->class_weights,
                    .cancellable = run->cancellable };
  double total = 0;

  for (gsize i = 0; i < n; i++)
    run->order[i] = i;
  nn_rng_shuffle (&run->rng, run->order, n);
  for (gsize first = 0; first < n; first += o->batch)
    {
      NnLossSums sums = { 0 };

      batch.samples = run->order + first;
      batch.n = MIN (o->batch, n - first);
      batch.key = o->seed * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9) + ++run->step * G_GUINT64_CONSTANT (0x94d049bb133111eb);
      if (!nn_net_run (run->net, &batch, &sums))
        return stopped (run, error);
      if (!isfinite (sums.loss))
        {
          g_autofree char *number = nn_text_from_double (rate);

          g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "training diverged in epoch %u: layer \"%s\" holds numbers that are "
                       "not finite; a smaller learning rate than %s may help", epoch + 1, nn_net_find_broken (run->net), number);
          return FALSE;
        }
      nn_net_update (run->net, o, rate);
      for (guint k = 0; k < o->n_groups; k++)
        nn_net_shrink (run->net, o, &o->groups[k], rate);
      total += sums.loss * batch.n;
      report (run, epoch, (double) (first + batch.n) / n);
    }
  *loss = total / n;
  if (run->net->k->finite (run->net->values, run->net->n_params))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "training diverged in epoch %u: layer \"%s\" has weights that are not finite",
               epoch + 1, nn_net_find_broken (run->net));
  return FALSE;
}

static gboolean
judge (Run     *run,
       NnEpoch *epoch,
       GError **error)
{
  const gsize n = nn_dataset_n (run->data, NN_SPLIT_VALIDATION);
  NnBatch batch = { .cancellable = run->cancellable };
  NnLossSums all = { 0 };
  double loss = 0;

  epoch->val_loss = epoch->val_accuracy = NAN;
  if (run->judge == NULL)
    return TRUE;
  memcpy (run->judge->values, run->net->values, params_bytes (run));
  batch.x = nn_tensor_f32 (nn_dataset_x (run->data, NN_SPLIT_VALIDATION));
  batch.t = nn_tensor_f32 (run->t[NN_SPLIT_VALIDATION]);
  for (gsize i = 0; i < n; i++)
    run->order[i] = i;
  for (gsize first = 0; first < n; first += MEASURE_BATCH)
    {
      NnLossSums sums = { 0 };

      batch.samples = run->order + first;
      batch.n = MIN (MEASURE_BATCH, n - first);
      if (!nn_net_measure (run->judge, &batch, &sums))
        return stopped (run, error);
      loss += sums.loss * batch.n;
      all.correct += sums.correct;
      all.squared += sums.squared;
      all.n += sums.n;
    }
  epoch->val_loss = loss / n;
  epoch->val_accuracy = nn_dataset_is_classes (run->data) ? all.correct / all.n : -all.squared / all.n;
  if (isfinite (epoch->val_loss))
    return TRUE;
  g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "training diverged in epoch %u: layer \"%s\" holds numbers that are not finite",
               epoch->epoch + 1, nn_net_find_broken (run->judge));
  return FALSE;
}

/* Keeps the best weights; FALSE when patience has run out. */
static gboolean
go_on (Run           *run,
       const NnEpoch *epoch)
{
  const NnTrainOptions *o = run->options;
  double loss = run->judge != NULL ? epoch->val_loss : epoch->train_loss;

  if (loss < run->best_loss - (isfinite (run->best_loss) ? o->min_delta : 0))
    {
      run->best_loss = loss;
      run->since_best = 0;
      memcpy (run->best, run->net->values, params_bytes (run));
      return TRUE;
    }
  run->since_best++;
  if (o->schedule == NN_LR_PLATEAU && run->since_best % MAX (o->lr_every, 1) == 0)
    run->rate *= o->lr_factor;
  return o->patience == 0 || run->since_best < o->patience;
}

/* TRUE when the epochs are through or patience ran out. */
static gboolean
run_epochs (Run      *run,
            gboolean *stopped_early,
            GError  **error)
{
  for (guint e = 0; e < run->options->epochs; e++)
    {
      NnEpoch epoch = { .epoch = e, .learning_rate = rate_of (run, e) };
      gint64 start = g_get_monotonic_time ();

      if (nn_progress_cancelled (run->cancellable, error) ||
          !train_epoch (run, e, epoch.learning_rate, &epoch.train_loss, error) || !judge (run, &epoch, error))
        return FALSE;
      epoch.seconds = (g_get_monotonic_time () - start) / (double) G_USEC_PER_SEC;
      g_array_append_val (run->epochs, epoch);
      if (run->options->on_epoch != NULL)
        run->options->on_epoch (&epoch, run->options->on_epoch_data);
      if (!go_on (run, &epoch))
        {
          *stopped_early = TRUE;
          break;
        }
    }
  return TRUE;
}

gboolean
nn_train (const NnModel        *model,
          const NnDataset      *data,
          const NnTrainOptions *options,
          const NnProgress     *progress,
          GCancellable         *cancellable,
          NnTrainResult       **result,
          GError              **error)
{
  g_auto (Run) run = { .data = data, .options = options, .progress = progress, .cancellable = cancellable };
  gboolean done, stopped_early = FALSE;

  if (result != NULL)
    *result = NULL;
  if (!run_init (&run, model, error))
    return FALSE;
  done = run_epochs (&run, &stopped_early, error);
  if (result != NULL)
    {
      gboolean last = done && !options->keep_best;

      *result = g_new0 (NnTrainResult, 1);
      (*result)->model = nn_net_model (run.net, last ? run.net->values : run.best);
      (*result)->epochs = g_steal_pointer (&run.epochs);
      (*result)->stopped_early = stopped_early;
    }
  if (done)
    nn_progress_report (progress, 1, "trained");
  return done;
}
