/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batch norms that a layer has folded into its kernel and bias: QConv2DBatchnorm, QDepthwiseConv2DBatchnorm and their kin. */

#include "nn-net-build.h"
#include "nn-quant.h"

#include <math.h>

/*
 * Used are kernel' = inv kernel and bias' = inv (bias - mean) + beta with inv = gamma / sqrt (variance + epsilon), quantised after
 * that; learnt are kernel, bias, gamma and beta. Mean and variance stay as they are, which is how QKeras trains such a layer once
 * its statistics are frozen (ema_freeze_delay), and what tuning a trained network wants. Source: QKeras qconv2d_batchnorm.py.
 *
 * bias' lies where the layer's bias does, without one where beta does, without either in a place of its own.
 */

static gsize
place_of (const NnNet  *net,
          const NnNode *node,
          NnRole        role)
{
  guint id;

  return nn_model_node_weight_id (net->model, node, role, &id) ? net->param_at[id] : NN_NOWHERE;
}

static gsize
size_of (const NnNet  *net,
         const NnNode *node,
         NnRole        role)
{
  const NnWeight *w = nn_model_node_weight (net->model, node, role);

  return w != NULL ? w->values->n : 0;
}

static gboolean
fits (const NnNet  *net,
      const NnNode *node,
      gsize         n)
{
  const NnRole roles[] = { NN_ROLE_BIAS, NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_VARIANCE };

  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (size_of (net, node, roles[i]) != n && (roles[i] == NN_ROLE_VARIANCE || size_of (net, node, roles[i]) != 0))
      return FALSE;
  return n > 0 && size_of (net, node, NN_ROLE_KERNEL) > 0 && size_of (net, node, NN_ROLE_KERNEL) % n == 0;
}

gboolean
nn_build_has_fold (NnNetBuilder *b,
                   const NnNode *node)
{
  return node->op != NN_OP_BATCH_NORM && nn_op_info (node->op)->op_class == NN_OP_CLASS_MULTIPLY &&
         nn_model_node_weight (b->net->model, node, NN_ROLE_MEAN) != NULL &&
         nn_model_node_weight (b->net->model, node, NN_ROLE_VARIANCE) != NULL;
}

/* For the layer that multiplies by the kernel of @node, which has just been made. */
gboolean
nn_build_fold (NnNetBuilder *b,
               const NnNode *node,
               NnLayer      *layer,
               GError      **error)
{
  NnNet *net = b->net;
  const NnRole roles[] = { NN_ROLE_GAMMA, NN_ROLE_BETA, NN_ROLE_MEAN, NN_ROLE_VARIANCE };
  NnFold fold = { .n = size_of (net, node, NN_ROLE_MEAN), .n_kernel = size_of (net, node, NN_ROLE_KERNEL), .epsilon = node->attrs.epsilon };

  if (layer->kind != NN_LAYER_LINEAR && layer->kind != NN_LAYER_DEPTHWISE)
    return nn_build_fail (node, error, "a batch norm is folded into it, which training knows of dense layers and convolutions only");
  if (!fits (net, node, fold.n) || layer->window.o != fold.n)
    return nn_build_fail (node, error, "its batch norm does not fit its kernel");
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    nn_build_weight (b, layer, node, roles[i], roles[i]);
  fold.kernel = place_of (net, node, NN_ROLE_KERNEL);
  fold.bias = place_of (net, node, NN_ROLE_BIAS);
  fold.gamma = place_of (net, node, NN_ROLE_GAMMA);
  fold.beta = place_of (net, node, NN_ROLE_BETA);
  fold.mean = place_of (net, node, NN_ROLE_MEAN);
  fold.variance = place_of (net, node, NN_ROLE_VARIANCE);
  fold.used = fold.bias != NN_NOWHERE ? fold.bias : fold.beta;
  if (fold.bias == NN_NOWHERE)
    {
      fold.quantizer = nn_build_quantizer (b, node, node->attrs.role_quantizer[NN_ROLE_BIAS], NN_ROLE_BIAS);
      if (fold.used == NN_NOWHERE)
        {
          fold.used = net->n_params;
          net->n_params += (fold.n + NN_LANES - 1) / NN_LANES * NN_LANES;
        }
    }
  layer->w[NN_ROLE_BIAS] = fold.used;
  for (guint i = 0; i < b->folds->len; i++)
    if (g_array_index (b->folds, NnFold, i).kernel == fold.kernel)
      return TRUE; /* a layer that is used twice */
  g_array_append_val (b->folds, fold);
  return TRUE;
}

static double
get_or (const NnNet *net,
        gsize        at,
        gsize        c,
        double       none)
{
  return at != NN_NOWHERE ? nn_net_get (net, net->values, at + c) : none;
}

static double
inverse_deviation (const NnNet  *net,
                   const NnFold *f,
                   gsize         c)
{
  return 1 / sqrt (nn_net_get (net, net->values, f->variance + c) + f->epsilon);
}

/* From net->values to net->used. */
void
nn_net_fold (NnNet        *net,
             const NnFold *f)
{
  g_autofree double *bias = g_new (double, f->n);

  for (gsize c = 0; c < f->n; c++)
    {
      const double inv = get_or (net, f->gamma, c, 1) * inverse_deviation (net, f, c);

      bias[c] = inv * (get_or (net, f->bias, c, 0) - nn_net_get (net, net->values, f->mean + c)) + get_or (net, f->beta, c, 0);
      for (gsize i = c; i < f->n_kernel; i += f->n)
        nn_net_set (net, net->used, f->kernel + i, inv * nn_net_get (net, net->values, f->kernel + i));
    }
  if (f->quantizer != NULL)
    nn_quantize (f->quantizer, &NN_SHAPE ((gint64) f->n), bias);
  for (gsize c = 0; c < f->n; c++)
    nn_net_set (net, net->used, f->used + c, bias[c]);
}

/*
 * Gradients of what is used become those of what is learnt. Of @squares, sums of squares of the samples' gradients, gamma's cannot
 * be told and is 0.
 */
void
nn_net_unfold (const NnNet  *net,
               const NnFold *f,
               gpointer      grads,
               gboolean      squares)
{
  for (gsize c = 0; c < f->n; c++)
    {
      const double deviation = inverse_deviation (net, f, c), inv = get_or (net, f->gamma, c, 1) * deviation;
      const double factor = squares ? inv * inv : inv, g = nn_net_get (net, grads, f->used + c);
      double to_gamma = g * (get_or (net, f->bias, c, 0) - nn_net_get (net, net->values, f->mean + c));

      for (gsize i = f->kernel + c; i < f->kernel + f->n_kernel; i += f->n)
        {
          const double here = nn_net_get (net, grads, i);

          to_gamma += here * nn_net_get (net, net->values, i);
          nn_net_set (net, grads, i, here * factor);
        }
      if (f->gamma != NN_NOWHERE)
        nn_net_set (net, grads, f->gamma + c, squares ? 0 : to_gamma * deviation);
      if (f->beta != NN_NOWHERE)
        nn_net_set (net, grads, f->beta + c, g);
      if (f->bias != NN_NOWHERE)
        nn_net_set (net, grads, f->bias + c, g * factor);
    }
}
