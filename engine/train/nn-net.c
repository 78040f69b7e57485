/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A compiled network's parameters: into it, out of it, and their update. */

#include "nn-net.h"

#include "nn-error.h"
#include "nn-parallel.h"

#include <math.h>
#include <string.h>

/* Parameters that one thread updates at a time. */
#define UPDATE_CHUNK 16384

static gsize
real_size (const NnNet *net)
{
  return net->k->real_size;
}

/* Zeroed and aligned for vectors; free with g_aligned_free(). */
gpointer
nn_net_alloc (gsize n,
              gsize size)
{
  gpointer p = g_aligned_alloc (MAX (n, 1), size, 64);

  memset (p, 0, MAX (n, 1) * size);
  return p;
}

double
nn_net_param (const NnNet *net,
              guint        weight,
              gsize        i)
{
  return nn_net_get (net, net->values, net->param_at[weight] + i);
}

void
nn_net_set_param (NnNet *net,
                  guint  weight,
                  gsize  i,
                  double value)
{
  nn_net_set (net, net->values, net->param_at[weight] + i, value);
}

static gboolean
is_learnt (const NnWeight *w)
{
  return w->trainable && w->role != NN_ROLE_MEAN && w->role != NN_ROLE_VARIANCE && w->role != NN_ROLE_VALUE;
}

/* Values and what may change; a masked weight starts as 0 and has live 0, so that nothing ever moves it. */
static gboolean
load_params (NnNet   *net,
             GError **error)
{
  net->values = nn_net_alloc (net->n_params, real_size (net));
  net->live = nn_net_alloc (net->n_params, real_size (net));
  net->aux = nn_net_alloc (net->n_aux, real_size (net));
  for (guint id = 0; id < nn_model_n_weights (net->model); id++)
    {
      const NnWeight *w = nn_model_weight (net->model, id);
      const float *values = nn_tensor_f32 (w->values);
      const guint8 *mask = w->mask != NULL ? nn_tensor_u8 (w->mask) : NULL;

      if (net->param_at[id] == NN_NOWHERE)
        continue;
      for (gsize i = 0; i < w->values->n; i++)
        {
          gboolean lives = mask == NULL || mask[i] != 0;

          if (!(values[i] - values[i] == 0))
            {
              g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "layer \"%s\": %s holds a number that is not finite", w->layer,
                           w->name);
              return FALSE;
            }
          nn_net_set (net, net->values, net->param_at[id] + i, lives ? values[i] : 0);
          nn_net_set (net, net->live, net->param_at[id] + i, lives && is_learnt (w) ? 1 : 0);
        }
    }
  net->used = net->n_quantized > 0 || net->n_folds > 0 || net->options.n_grids > 0 ? nn_net_alloc (net->n_params, real_size (net)) : net->values;
  return TRUE;
}

/**
 * nn_net_new:
 *
 * Errors: %NN_ERROR_UNSUPPORTED, naming the layer, where it cannot be trained; %NN_ERROR_LIMIT; %NN_ERROR_NUMERIC
 */
NnNet *
nn_net_new (const NnModel      *model,
            const NnNetOptions *options,
            GError            **error)
{
  g_autoptr (NnNet) net = g_new0 (NnNet, 1);

  net->model = nn_model_ref ((NnModel *) model);
  net->arena = nn_arena_new ();
  net->options = *options;
  net->k = options->layers_of;
  net->blocks = g_ptr_array_new_with_free_func (g_aligned_free);
  net->grads = g_ptr_array_new_with_free_func (g_aligned_free);
  net->param_at = nn_arena_new0 (net->arena, gsize, nn_model_n_weights (model) + 1);
  for (guint i = 0; i < nn_model_n_weights (model); i++)
    net->param_at[i] = NN_NOWHERE;
  net->nadam_product = 1;
  if (!nn_net_build (net, error))
    return NULL;
  nn_net_find_sparse (net);
  if (!load_params (net, error))
    return NULL;
  net->stats = g_new0 (double, net->n_stats + 1);
  return g_steal_pointer (&net);
}

void
nn_net_free (NnNet *net)
{
  if (net == NULL)
    return;
  g_ptr_array_unref (net->blocks);
  g_ptr_array_unref (net->grads);
  if (net->used != net->values)
    g_aligned_free (net->used);
  g_aligned_free (net->values);
  g_aligned_free (net->live);
  g_aligned_free (net->aux);
  g_aligned_free (net->m);
  g_aligned_free (net->v);
  g_free (net->partial);
  g_free (net->stats);
  nn_arena_free (net->arena);
  nn_model_unref (net->model);
  g_free (net);
}

typedef struct {
  NnNet   *net;
  NnUpdate update;
} UpdateJob;

static void
update_chunk (gsize    chunk,
              gsize    n_chunks,
              gpointer data)
{
  UpdateJob *job = data;
  NnNet *net = job->net;
  const gsize from = chunk * UPDATE_CHUNK, size = real_size (net);
  gpointer grads[64];

  for (guint i = 0; i < net->n_grads; i++)
    grads[i] = (guint8 *) net->grads->pdata[i] + from * size;
  net->k->update (&job->update, MIN (UPDATE_CHUNK, net->n_params - from), (guint8 *) net->values + from * size, grads,
                  net->n_grads, (guint8 *) net->live + from * size, (guint8 *) net->m + from * size,
                  (guint8 *) net->v + from * size);
}

/* One step of the optimiser with the gradients of the last nn_net_run(). */
void
nn_net_update (NnNet                *net,
               const NnTrainOptions *options,
               double                rate)
{
  UpdateJob job = { .net = net };
  NnUpdate *u = &job.update;
  const double t = ++net->steps;

  if (net->m == NULL)
    {
      net->m = nn_net_alloc (net->n_params, real_size (net));
      net->v = nn_net_alloc (net->n_params, real_size (net));
    }
  *u = (NnUpdate) { .kind = options->optimizer, .rate = rate, .momentum = options->momentum, .beta1 = options->beta1,
                    .beta2 = options->beta2, .epsilon = options->epsilon, .decay = options->weight_decay,
                    .nesterov = options->nesterov };
  u->correction1 = 1 - pow (u->beta1, t);
  u->correction2 = 1 - pow (u->beta2, t);
  /* T. Dozat's schedule of the momentum, as in Keras */
  u->nadam_now = u->beta1 * (1 - 0.5 * pow (0.96, t));
  u->nadam_next = u->beta1 * (1 - 0.5 * pow (0.96, t + 1));
  net->nadam_product *= u->nadam_now;
  u->nadam_product = net->nadam_product;
  u->nadam_product_next = net->nadam_product * u->nadam_next;
  nn_parallel_for ((net->n_params + UPDATE_CHUNK - 1) / UPDATE_CHUNK, update_chunk, &job);
}

/* What the optimiser multiplies the group's gradient by. The mean is of the gradients' sizes: one member whose gradient is
 * always zero must not decide over the others. */
static double
group_step (const NnNet           *net,
            const NnTrainOptions  *options,
            const NnRegularGroups *groups,
            guint                  k)
{
  const double correction = 1 - pow (options->beta2, (double) MAX (net->steps, 1));
  const guint from = groups->offsets[k], to = groups->offsets[k + 1];
  double sum = 0;

  if (options->optimizer == NN_OPTIMIZER_SGD)
    return 1 / (1 - options->momentum);
  for (guint i = from; i < to; i++)
    sum += sqrt (nn_net_get (net, net->v, net->param_at[groups->weight] + groups->indices[i]) / correction);
  return 1 / (sum / (to - from) + MAX (options->epsilon, 1e-12));
}

/*
 * Proximal rather than a subgradient: a group that the data does not need becomes exactly zero instead of trembling about it,
 * and the step is right where the norm has no derivative. The step is scaled as the optimiser scales the gradients, so
 * that the strength is measured against the loss whichever optimiser is used.
 * Source: N. Parikh, S. Boyd, Proximal Algorithms, 2014, 6.5.1.
 */
void
nn_net_shrink (NnNet                 *net,
               const NnTrainOptions  *options,
               const NnRegularGroups *groups,
               double                 rate)
{
  const gsize at = net->param_at[groups->weight];

  if (at == NN_NOWHERE)
    return;
  for (guint k = 0; k < groups->n_groups; k++)
    {
      double squares = 0, norm, factor;

      for (guint i = groups->offsets[k]; i < groups->offsets[k + 1]; i++)
        {
          double w = nn_net_get (net, net->values, at + groups->indices[i]);

          squares += w * w;
        }
      if (squares == 0 || groups->strength[k] <= 0)
        continue;
      norm = sqrt (squares);
      factor = MAX (1 - rate * groups->strength[k] * group_step (net, options, groups, k) / norm, 0);
      for (guint i = groups->offsets[k]; i < groups->offsets[k + 1]; i++)
        nn_net_set (net, net->values, at + groups->indices[i], factor * nn_net_get (net, net->values, at + groups->indices[i]));
    }
}

NnTensor *
nn_net_gradient (const NnNet *net,
                 guint        weight)
{
  const NnTensor *values = nn_model_weight (net->model, weight)->values;
  NnTensor *gradient;
  float *to;

  if (net->param_at[weight] == NN_NOWHERE || !is_learnt (nn_model_weight (net->model, weight)))
    return NULL;
  gradient = nn_tensor_new (NN_DTYPE_F32, &values->shape);
  to = nn_tensor_f32 (gradient);
  for (gsize i = 0; i < values->n; i++)
    {
      double sum = 0;

      for (guint k = 0; k < net->n_grads; k++)
        sum += nn_net_get (net, net->grads->pdata[k], net->param_at[weight] + i);
      to[i] = (float) (sum * nn_net_get (net, net->live, net->param_at[weight] + i));
    }
  return gradient;
}

/* A new version of the model with these values of the parameters. */
NnModel *
nn_net_model (const NnNet  *net,
              gconstpointer values)
{
  const guint n = nn_model_n_weights (net->model);
  NnTensor **tensors = g_new0 (NnTensor *, n + 1);
  NnModel *model;

  for (guint id = 0; id < n; id++)
    {
      const NnTensor *old = nn_model_weight (net->model, id)->values;

      if (net->param_at[id] == NN_NOWHERE)
        continue;
      tensors[id] = nn_tensor_new (NN_DTYPE_F32, &old->shape);
      for (gsize i = 0; i < old->n; i++)
        nn_tensor_f32 (tensors[id])[i] = (float) nn_net_get (net, values, net->param_at[id] + i);
    }
  model = nn_model_with_weights (net->model, tensors, NULL);
  for (guint id = 0; id < n; id++)
    nn_tensor_unref (tensors[id]);
  g_free (tensors);
  return model;
}
