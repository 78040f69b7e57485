/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs batches through a compiled network, in parallel, with the same bits for any number of threads. */

#include "nn-net.h"

#include "nn-parallel.h"

#include <math.h>
#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

/*
 * A batch is cut into shards of net->lanes samples; a fixed number of groups share the shards, each group running its
 * shards one after the other into its own gradients. The cut depends on the batch and the network only, and every sum
 * over shards or groups is taken in their order, so the number of threads changes nothing.
 *
 * Batch norm in training divides the work into phases: before it can go on, all shards must have been summed up. Without
 * it there is one phase, and a group takes a free block of memory for its shards: as many blocks as threads stay in the cache.
 * One whose loss is no number keeps its block, where nn_net_find_broken() looks.
 */
#define MAX_GROUPS 16
/* Bits of MXCSR (Intel SDM volume 1, 10.2.3) */
#define FLUSH_TO_ZERO (1u << 15)
#define DENORMALS_ARE_ZERO (1u << 6)

typedef struct {
  NnNet         *net;
  const NnBatch *batch;
  gboolean       backward;
  guint          n_shards, n_groups;
  guint          phase, last;
  double         scale;
  NnLossSums     sums[MAX_GROUPS];
  guint          taken;     /* atomic; a bit for each block that a group has */
  gint           cancelled; /* atomic */
} Job;

static guint8 *
reals (const NnNet *net,
       gpointer     block,
       gsize        at)
{
  return (guint8 *) block + at * net->k->real_size;
}

static void
make_shard (Job     *job,
            guint    shard,
            guint    group,
            guint    block,
            NnShard *s)
{
  NnNet *net = job->net;
  guint first = shard * net->lanes;

  *s = (NnShard) { .values = net->used, .aux = net->aux, .stats = net->stats, .lanes = net->lanes,
                   .valid = MIN (job->batch->n - first, net->lanes), .training = net->options.training,
                   .squares = job->batch->squares, .key = job->batch->key + shard * G_GUINT64_CONSTANT (0xd1342543de82ef95) };
  s->block = net->blocks->pdata[net->n_barriers > 0 ? shard : block];
  s->grads = job->backward ? net->grads->pdata[group] : NULL;
  s->partial = net->partial + (gsize) shard * net->n_stats;
}

/* Weights of the samples on the lanes, then targets, are laid behind the activations. */
static void
run_loss (Job     *job,
          guint    shard,
          guint    group,
          NnShard *s)
{
  NnNet *net = job->net;
  const NnBatch *batch = job->batch;
  const guint32 *samples = batch->samples + shard * net->lanes;
  gpointer weights = reals (net, s->block, net->block), targets = reals (net, s->block, net->block + net->lanes);
  NnLossCall call = { .criterion = net->criterion, .y = reals (net, s->block, net->output), .t = targets,
                      .weight = weights, .n = net->n_output, .classes = net->classes, .lanes = net->lanes,
                      .valid = s->valid, .scale = job->scale };

  if (net->logits != NN_NOWHERE)
    call.logits = reals (net, s->block, net->logits);
  if (job->backward)
    call.g = reals (net, s->block, net->loss_gradient);
  net->k->gather (targets, batch->t, net->n_output, samples, s->valid, net->lanes);
  for (guint lane = 0; lane < net->lanes; lane++)
    {
      double weight = lane < s->valid ? 1 : 0;

      if (weight > 0 && batch->class_weights != NULL)
        {
          const float *t = batch->t + (gsize) samples[lane] * net->n_output;
          guint c = 0;

          for (guint i = 1; i < net->n_output; i++)
            c = t[i] > t[c] ? i : c;
          weight = batch->class_weights[net->n_output == 1 ? t[0] > 0.5f : c];
        }
      if (net->k->real_size == sizeof (float))
        ((float *) weights)[lane] = (float) weight;
      else
        ((double *) weights)[lane] = weight;
    }
  net->k->loss (&call, &job->sums[group]);
}

static void
forward (const NnNet *net,
         NnShard     *s,
         guint        from,
         guint        to)
{
  for (guint i = from; i < to; i++)
    if (!net->layers[i].fused)
      net->k->forward[net->layers[i].kind] (&net->layers[i], s);
}

/* Layers to - 1 down to from. */
static void
backward (const NnNet *net,
          NnShard     *s,
          guint        from,
          guint        to)
{
  for (guint i = to; i > from; i--)
    if (!net->layers[i - 1].skip && !net->layers[i - 1].fused)
      net->k->backward[net->layers[i - 1].kind] (&net->layers[i - 1], s);
}

static void
run_shard (Job  *job,
           guint shard,
           guint group,
           guint block)
{
  NnNet *net = job->net;
  const guint n = net->n_barriers, phase = job->phase;
  NnShard s;

  make_shard (job, shard, group, block, &s);
  if (phase <= n)
    {
      if (phase == 0)
        net->k->gather (reals (net, s.block, net->input), job->batch->x, net->n_input,
                        job->batch->samples + shard * net->lanes, s.valid, net->lanes);
      else
        net->k->norm_forward (&net->layers[net->barriers[phase - 1]], &s);
      forward (net, &s, phase == 0 ? 0 : net->barriers[phase - 1] + 1, phase == n ? net->n_layers : net->barriers[phase] + 1);
      if (phase < n)
        return;
      run_loss (job, shard, group, &s);
      if (job->backward)
        backward (net, &s, n == 0 ? 0 : net->barriers[n - 1], net->n_layers);
    }
  else
    {
      const guint i = 2 * n - phase; /* the barrier just passed, on the way back */

      net->k->norm_backward (&net->layers[net->barriers[i]], &s);
      backward (net, &s, i == 0 ? 0 : net->barriers[i - 1], net->barriers[i]);
    }
}

/*
 * Numbers below the smallest normal one count as zero while a shard runs: gradients of a network that has learnt its samples
 * fall there, and processors take many times as long over them. Returns what to restore.
 */
static guint
flush_small (const NnNet *net)
{
#ifdef __SSE__
  const guint before = _mm_getcsr ();

  if (net->k->real_size == sizeof (float))
    _mm_setcsr (before | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO);
  return before;
#else
  return 0;
#endif
}

static void
restore_small (guint before)
{
#ifdef __SSE__
  _mm_setcsr (before);
#endif
}

/* Returns: the first block that is free; there are as many as groups */
static guint
take_block (Job *job)
{
  for (;;)
    {
      const guint taken = g_atomic_int_get (&job->taken);
      const guint block = g_bit_nth_lsf (~(gulong) taken, -1);

      if (g_atomic_int_compare_and_exchange (&job->taken, taken, taken | 1u << block))
        return block;
    }
}

static void
give_block (Job  *job,
            guint block)
{
  g_atomic_int_and (&job->taken, ~(1u << block));
}

static void
run_group (gsize    group,
           gsize    n_groups,
           gpointer data)
{
  Job *job = data;
  const gsize from = group * job->n_shards / n_groups, to = (group + 1) * job->n_shards / n_groups;
  const guint before = flush_small (job->net), block = take_block (job);

  if (job->backward && job->phase == 0)
    memset (job->net->grads->pdata[group], 0, job->net->n_params * job->net->k->real_size);
  for (gsize shard = from; shard < to; shard++)
    {
      if (g_cancellable_is_cancelled (job->batch->cancellable))
        {
          g_atomic_int_set (&job->cancelled, 1);
          break;
        }
      run_shard (job, shard, group, block);
    }
  if (job->backward && job->phase == job->last)
    for (guint i = 0; i < job->net->n_folds; i++)
      nn_net_unfold (job->net, &job->net->folds[i], job->net->grads->pdata[group], job->batch->squares);
  if (isfinite (job->sums[group].loss))
    give_block (job, block);
  restore_small (before);
}

/* Mean and deviation of the whole batch from each shard's; moving statistics follow. */
static void
join_statistics (Job           *job,
                 const NnLayer *layer)
{
  NnNet *net = job->net;
  const gsize channels = layer->channels;
  double *stats = net->stats + layer->stats;

  for (gsize c = 0; c < channels; c++)
    {
      double n = 0, mean = 0, squares = 0;

      /* T. Chan, G. Golub, R. LeVeque 1979 */
      for (guint shard = 0; shard < job->n_shards; shard++)
        {
          const double *p = net->partial + (gsize) shard * net->n_stats + layer->stats;
          double more = MIN (job->batch->n - shard * net->lanes, net->lanes) * (double) (layer->n_y / channels);
          double delta = p[c] - mean;

          squares += p[channels + c] + delta * delta * n * more / (n + more);
          mean += delta * more / (n + more);
          n += more;
        }
      stats[c] = mean;
      stats[channels + c] = 1 / sqrt (squares / n + layer->node->attrs.epsilon);
    }
}

static void
join_gradients (Job           *job,
                const NnLayer *layer)
{
  NnNet *net = job->net;
  const gsize channels = layer->channels;
  double *stats = net->stats + layer->stats, n = (double) job->batch->n * (layer->n_y / channels);

  for (gsize c = 2 * channels; c < 4 * channels; c++)
    {
      double sum = 0;

      for (guint shard = 0; shard < job->n_shards; shard++)
        sum += net->partial[(gsize) shard * net->n_stats + layer->stats + c];
      stats[c] = sum / n;
    }
}

static void
move_statistics (NnNet         *net,
                 const NnLayer *layer)
{
  const double *stats = net->stats + layer->stats, keep = layer->node->attrs.momentum;

  for (gsize c = 0; c < layer->channels; c++)
    {
      double inverse = stats[layer->channels + c];
      double now[2] = { stats[c], 1 / (inverse * inverse) - layer->node->attrs.epsilon };
      const NnRole roles[2] = { NN_ROLE_MEAN, NN_ROLE_VARIANCE };

      for (guint k = 0; k < 2; k++)
        if (layer->w[roles[k]] != NN_NOWHERE)
          {
            const gsize at = layer->w[roles[k]] + c;

            nn_net_set (net, net->values, at, nn_net_get (net, net->values, at) * keep + now[k] * (1 - keep));
          }
    }
}

static void
make_memory (NnNet   *net,
             guint    n_blocks,
             guint    n_grads,
             guint    n_shards)
{
  const gsize block = net->block + net->lanes + net->n_output * net->lanes + NN_LANES;

  while (net->blocks->len < n_blocks)
    g_ptr_array_add (net->blocks, nn_net_alloc (block, net->k->real_size));
  while (net->grads->len < n_grads)
    g_ptr_array_add (net->grads, nn_net_alloc (net->n_params, net->k->real_size));
  if (n_grads > 0)
    net->n_grads = n_grads;
  if (net->n_stats > 0 && net->n_partial < n_shards)
    {
      net->n_partial = n_shards;
      net->partial = g_renew (double, net->partial, (gsize) n_shards * net->n_stats);
    }
}

/* Copies of the parameters as the kernels read them. */
static void
prepare (NnNet *net)
{
  for (guint i = 0; i < net->n_layers && net->n_aux > 0; i++)
    net->k->prepare (&net->layers[i], net->used, net->aux);
}

static gboolean
run (NnNet         *net,
     const NnBatch *batch,
     gboolean       with_backward,
     NnLossSums    *sums)
{
  Job job = { .net = net, .batch = batch, .backward = with_backward };
  const guint n = net->n_barriers, last = with_backward ? 2 * n : n;

  job.last = last;
  g_assert (batch->n > 0);
  job.n_shards = (batch->n + net->lanes - 1) / net->lanes;
  job.n_groups = MIN (job.n_shards, MAX_GROUPS);
  job.scale = 1.0 / ((batch->squares ? 1.0 : batch->n) * (net->n_output / net->classes));
  make_memory (net, n > 0 ? job.n_shards : job.n_groups, with_backward ? job.n_groups : 0, job.n_shards);
  nn_net_quantize (net);
  prepare (net);
  for (job.phase = 0; job.phase <= last; job.phase++)
    {
      nn_parallel_for (job.n_groups, run_group, &job);
      if (job.cancelled)
        return FALSE;
      if (job.phase < n)
        join_statistics (&job, &net->layers[net->barriers[job.phase]]);
      else if (job.phase < last)
        join_gradients (&job, &net->layers[net->barriers[2 * n - job.phase - 1]]);
    }
  for (guint i = 0; i < n && with_backward; i++)
    move_statistics (net, &net->layers[net->barriers[i]]);
  for (guint group = 0; group < job.n_groups; group++)
    {
      sums->loss += job.sums[group].loss;
      sums->correct += job.sums[group].correct;
      sums->squared += job.sums[group].squared;
      sums->n += job.sums[group].n;
    }
  return TRUE;
}

gboolean
nn_net_run (NnNet         *net,
            const NnBatch *batch,
            NnLossSums    *sums)
{
  return run (net, batch, TRUE, sums);
}

gboolean
nn_net_measure (NnNet         *net,
                const NnBatch *batch,
                NnLossSums    *sums)
{
  return run (net, batch, FALSE, sums);
}

typedef struct {
  NnNet        *net;
  const float  *x;
  float        *y;
  gsize         n, n_shards;
  GCancellable *cancellable;
  gint          cancelled; /* atomic */
} PredictJob;

static void
predict_group (gsize    group,
               gsize    n_groups,
               gpointer data)
{
  PredictJob *job = data;
  NnNet *net = job->net;
  NnShard s = { .block = net->blocks->pdata[group], .values = net->used, .aux = net->aux, .stats = net->stats,
                .lanes = net->lanes };
  guint32 samples[256];

  for (guint i = 0; i < net->lanes; i++)
    samples[i] = i;
  for (gsize shard = group * job->n_shards / n_groups; shard < (group + 1) * job->n_shards / n_groups; shard++)
    {
      const gsize first = shard * net->lanes;

      if (g_cancellable_is_cancelled (job->cancellable))
        {
          g_atomic_int_set (&job->cancelled, 1);
          return;
        }
      s.valid = MIN (job->n - first, net->lanes);
      net->k->gather (reals (net, s.block, net->input), job->x + first * net->n_input, net->n_input, samples, s.valid,
                      net->lanes);
      forward (net, &s, 0, net->n_layers);
      net->k->scatter (job->y + first * net->n_output, net->n_output, reals (net, s.block, net->output), s.valid, net->lanes);
    }
}

gboolean
nn_net_predict (NnNet        *net,
                const float  *x,
                gsize         n,
                float        *y,
                GCancellable *cancellable)
{
  PredictJob job = { .net = net, .x = x, .y = y, .n = n, .cancellable = cancellable };
  guint groups;

  g_assert (net->n_barriers == 0 && net->lanes <= 256);
  job.n_shards = (n + net->lanes - 1) / net->lanes;
  groups = MIN (job.n_shards, MAX_GROUPS);
  make_memory (net, groups, 0, 0);
  nn_net_quantize (net);
  prepare (net);
  nn_parallel_for (groups, predict_group, &job);
  return !job.cancelled;
}

const char *
nn_net_find_broken (NnNet *net)
{
  for (guint i = 0; i < net->n_layers; i++)
    {
      const NnLayer *layer = &net->layers[i];

      /* whose output is nowhere: what was summed up of it tells */
      if (layer->conv != NULL && !nn_layers_double.finite (net->stats + layer->stats, layer->channels))
        return layer->conv->node->name;
      for (guint role = 0; role < NN_N_ROLES; role++)
        for (guint id = 0; layer->w[role] != NN_NOWHERE && id < nn_model_n_weights (net->model); id++)
          if (net->param_at[id] == layer->w[role] &&
              !net->k->finite (reals (net, net->values, layer->w[role]), nn_model_weight (net->model, id)->values->n))
            return layer->node->name;
      for (guint k = 0; k < net->blocks->len; k++)
        if (!net->k->finite (reals (net, net->blocks->pdata[k], layer->y), layer->n_y * net->lanes))
          return layer->node->name;
    }
  return nn_graph_node (nn_model_graph (net->model), nn_graph_n_nodes (nn_model_graph (net->model)) - 1)->name;
}
