/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds what pooling can spare, alone and together with the layers before it. */

#include "nn-net-build.h"

/* Whether no two windows share an input; the inputs that none looks at. */
static void
find_gaps (NnNetBuilder *b,
           NnLayer      *pool,
           gsize         n_in)
{
  g_autofree guint8 *seen = g_malloc0 (n_in);

  pool->apart = TRUE;
  for (guint32 t = 0; t < pool->map.start[pool->map.n_out]; t++)
    {
      pool->apart = pool->apart && !seen[pool->map.index[t]];
      seen[pool->map.index[t]] = 1;
    }
  pool->gaps = nn_arena_new0 (b->net->arena, guint32, n_in);
  for (gsize e = 0; e < n_in; e++)
    if (!seen[e])
      pool->gaps[pool->n_gaps++] = e;
}

/* Whether all channels of a position have the same window. */
static gboolean
is_by_position (const NnLayer *pool,
                gsize          channels)
{
  const guint32 *start = pool->map.start, *index = pool->map.index;

  if (channels == 0 || pool->map.n_out % channels != 0)
    return FALSE;
  for (gsize e = 0; e < pool->map.n_out; e++)
    {
      const gsize c = e % channels, first = e - c, n = start[first + 1] - start[first];

      if (start[e + 1] - start[e] != n)
        return FALSE;
      for (gsize t = 0; t < n; t++)
        if (index[start[e] + t] != index[start[first] + t] + c)
          return FALSE;
    }
  return TRUE;
}

/* Pooled rows where the convolution's rows fall into as many parts, one after the other; 0 where they do not. */
static guint
rows_apart (const NnLayer *pool,
            const NnLayer *conv)
{
  const gsize c_n = conv->window.o, row = conv->window.ow * c_n;
  const guint n = pool->node->shape.rank > 2 ? pool->node->shape.dims[0] : 1, each = n > 0 ? conv->window.oh / n : 0;

  if (n < 2 || each == 0 || pool->map.n_out % (n * c_n) != 0)
    return 0;
  for (guint32 e = 0; e < pool->map.n_out; e++)
    for (guint32 t = pool->map.start[e]; t < pool->map.start[e + 1]; t++)
      {
        const gsize r = e / (pool->map.n_out / n), y = pool->map.index[t] / row;

        if (y < r * each || (y >= (r + 1) * each && r + 1 < n))
          return 0;
      }
  return n;
}

/* A convolution of the network's input need not store its output, which pooling takes a row at a time. */
static void
join_convolution (NnNetBuilder *b,
                  NnLayer      *norm)
{
  NnBuffer *between = nn_build_buffer (b, norm->x[0]);
  NnLayer *conv = between->maker >= 0 ? &g_array_index (b->layers, NnLayer, between->maker) : NULL;
  const NnWindow *w;
  guint last;

  if (conv == NULL || conv->kind != NN_LAYER_LINEAR || conv->relu || conv->window.outer != 1 || conv->window.oh < 2 ||
      conv->window.o != norm->channels || nn_build_buffer (b, conv->x[0])->wanted)
    return;
  norm->pool_rows = rows_apart (norm->pool, conv);
  if (norm->pool_rows == 0)
    return;
  w = &conv->window;
  last = w->oh - w->oh / norm->pool_rows * (norm->pool_rows - 1);
  norm->conv = conv;
  conv->fused = TRUE;
  nn_build_tmp (b, nn_norm_pool_head (norm->channels) + (gsize) last * w->ow * w->o * b->net->lanes);
}

/* Batch norm in training can take on the pooling after it. */
static void
join_norm (NnNetBuilder *b,
           NnLayer      *pool)
{
  NnBuffer *in = nn_build_buffer (b, pool->x[0]);
  NnLayer *norm = &g_array_index (b->layers, NnLayer, in->maker);

  if (!pool->apart || norm->kind != NN_LAYER_BATCH_NORM || norm->frozen || norm->inner != 1 || !in->wanted ||
      nn_build_buffer (b, norm->x[0])->readers != 1 || pool->channels != norm->channels)
    return;
  pool->fused = TRUE;
  norm->pool = pool;
  norm->scratch = nn_build_scratch (b, pool->n_y);
  nn_build_tmp (b, nn_norm_pool_head (norm->channels));
  join_convolution (b, norm);
}

/*
 * What pooling's backward can spare: to clear and to add, where no two windows share an input; and the pass that rectifies
 * the gradient of the layer before it, as only a largest value above zero passes any on.
 */
void
nn_build_find_pools (NnNetBuilder *b,
                     guint         out)
{
  for (guint i = 0; i < b->layers->len; i++)
    {
      NnLayer *pool = &g_array_index (b->layers, NnLayer, i), *maker;
      NnBuffer *in = nn_build_buffer (b, pool->x[0]);
      const gsize channels = nn_shape_last (&pool->node->shape);

      if (pool->kind != NN_LAYER_MAX_MAP)
        continue;
      if (is_by_position (pool, channels))
        pool->channels = channels;
      if (!b->net->options.gradients)
        continue;
      find_gaps (b, pool, in->n);
      maker = in->maker >= 0 ? &g_array_index (b->layers, NnLayer, in->maker) : NULL;
      if (maker == NULL || in->readers != 1 || pool->x[0] == out)
        continue;
      if (maker->relu)
        pool->rectify = maker->rectified = TRUE;
      if (maker->kind == NN_LAYER_LINEAR && pool->channels == maker->window.o)
        maker->pooled = pool;
      join_norm (b, pool);
    }
}
