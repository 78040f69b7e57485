/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of the weights that pruning has left, where using them pays. */

#include "nn-net.h"

/* Measured: above about this the dense kernels win. */
#define MOST_DENSITY 0.45
/* Measured: the same for the gradient of a dense layer's kernel, where each weight has few products to add up. */
#define MOST_DENSITY_ONE_BY_ONE 0.35

static gsize
whole_vectors (gsize n)
{
  return (n + NN_LANES - 1) / NN_LANES * NN_LANES;
}

static void
terms_init (NnTerms *terms,
            NnNet   *net,
            gsize    rows,
            gsize    kh,
            gsize    n)
{
  terms->n = rows;
  terms->kh = kh;
  terms->start = nn_arena_new0 (net->arena, guint32, rows * kh + 1);
  terms->offset = nn_arena_new0 (net->arena, guint32, n + 1);
  terms->weight = nn_arena_new0 (net->arena, guint32, n + 1);
  terms->aux = net->n_aux;
  net->n_aux += whole_vectors (n);
}

static gsize
count_live (const NnWeight *w)
{
  gsize n = 0;

  for (gsize i = 0; i < w->values->n; i++)
    n += nn_tensor_u8 (w->mask)[i] != 0;
  return n;
}

static void
term_add (NnTerms *terms,
          guint32 *n,
          gsize    offset,
          gsize    weight)
{
  terms->offset[*n] = offset;
  terms->weight[(*n)++] = weight;
}

/*
 * Weight (t, c, o) reads the input at forward[] of its output and feeds the gradient of the input from backward[]. Neighbours
 * along a row of the kernel follow each other, as neighbouring positions read the same for them.
 */
static void
make_lists (NnNet          *net,
            NnLayer        *layer,
            const NnWeight *weight,
            gsize           n_live)
{
  const NnWindow *w = &layer->window;
  const gsize c_n = w->c, o_n = w->o, lanes = net->lanes;
  const gsize back_wp = w->ow + (gsize) (w->kw - 1) * w->dw; /* one gap for both rows beside it */
  const guint8 *mask = nn_tensor_u8 (weight->mask);
  NnSparse *sparse = nn_arena_new0 (net->arena, NnSparse, 1);
  guint32 n = 0;

  terms_init (&sparse->forward, net, o_n, w->kh, n_live);
  for (gsize o = 0; o < o_n; o++)
    for (gsize ky = 0; ky < w->kh; ky++)
      {
        for (gsize c = 0; c < c_n; c++)
          for (gsize kx = 0; kx < w->kw; kx++)
            {
              const gsize at = ((ky * w->kw + kx) * c_n + c) * o_n + o;

              if (mask[at] != 0)
                term_add (&sparse->forward, &n, ((ky * w->dh * w->wp + kx * w->dw) * c_n + c) * lanes, at);
            }
        sparse->forward.start[o * w->kh + ky + 1] = n;
      }
  terms_init (&sparse->backward, net, c_n, w->kh, n_live);
  n = 0;
  for (gsize c = 0; c < c_n; c++)
    for (gsize ky = 0; ky < w->kh; ky++)
      {
        for (gsize o = 0; o < o_n; o++)
          for (gsize kx = 0; kx < w->kw; kx++)
            {
              const gsize at = (((w->kh - 1 - ky) * w->kw + w->kw - 1 - kx) * c_n + c) * o_n + o;

              if (mask[at] != 0)
                term_add (&sparse->backward, &n, ((ky * w->dh * back_wp + kx * w->dw) * o_n + o) * lanes, at);
            }
        sparse->backward.start[c * w->kh + ky + 1] = n;
      }
  sparse->few = n_live < MOST_DENSITY_ONE_BY_ONE * weight->values->n;
  sparse->sums = net->block;
  layer->sparse = sparse;
}

/* Before the memory for prepared copies is made: theirs is added to it, and the sums of one layer's gradients to the shards'. */
void
nn_net_find_sparse (NnNet *net)
{
  gsize most = 0;

  for (guint i = 0; i < net->n_layers; i++)
    {
      NnLayer *layer = &net->layers[i];

      if (layer->kind != NN_LAYER_LINEAR || layer->window.groups != 1)
        continue;
      for (guint k = 0; k < layer->node->n_weights; k++)
        {
          guint id = layer->node->weights[k];
          const NnWeight *w = nn_model_weight (net->model, id);
          gsize n_live;

          if (w->mask == NULL || net->param_at[id] != layer->w[NN_ROLE_KERNEL])
            continue;
          n_live = count_live (w);
          if (n_live < MOST_DENSITY * w->values->n)
            {
              make_lists (net, layer, w, n_live);
              most = MAX (most, n_live);
            }
        }
    }
  if (net->options.gradients)
    net->block += most * NN_LANES;
}
