/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantised weights: what the layers multiply by, made anew from the real ones before each batch. */

#include "nn-net-build.h"
#include "nn-quant.h"

#include <string.h>

/* A quantiser on the grid of a type, for what the user has set. */
static const NnQuantizer *
quantizer_of_type (NnNetBuilder *b,
                   const NnType *type)
{
  NnQuantizer *q;

  if (type->kind == NN_TYPE_FLOAT || type->kind == NN_TYPE_AUTO)
    return NULL;
  q = nn_arena_new0 (b->net->arena, NnQuantizer, 1);
  q->kind = type->kind == NN_TYPE_BINARY    ? NN_QUANT_BINARY
            : type->kind == NN_TYPE_TERNARY ? NN_QUANT_TERNARY
            : type->kind == NN_TYPE_POWER   ? NN_QUANT_POWER
                                            : NN_QUANT_FIXED;
  q->type = *type;
  q->threshold = 0.5;
  return q;
}

/* The type that the user gave a layer's result (@role negative) or one of its weights; a quantiser of the model's own comes first. */
const NnQuantizer *
nn_build_quantizer (NnNetBuilder      *b,
                    const NnNode      *node,
                    const NnQuantizer *own,
                    gint               role)
{
  const NnNetOptions *o = &b->net->options;

  if (own != NULL && own->kind != NN_QUANT_NONE)
    return own;
  for (guint i = 0; i < o->n_types; i++)
    if (g_str_equal (o->types[i].layer, node->name) && o->types[i].role == role)
      return quantizer_of_type (b, &o->types[i].type);
  return NULL;
}

/* Notes that a weight is used in quantised form. */
void
nn_build_weight_quantizer (NnNetBuilder *b,
                           const NnNode *node,
                           guint         id)
{
  const NnRole role = nn_model_weight (b->net->model, id)->role;
  NnQuantizedWeight weight = { .id = id, .quantizer = nn_build_quantizer (b, node, node->attrs.role_quantizer[role], role) };

  if (weight.quantizer == NULL)
    return;
  for (guint i = 0; i < b->quantized->len; i++)
    if (g_array_index (b->quantized, NnQuantizedWeight, i).id == id)
      return;
  g_array_append_val (b->quantized, weight);
}

/* A pruned weight is 0 also where its grid has no 0. */
static void
quantize_weight (NnNet                   *net,
                 const NnQuantizedWeight *weight,
                 double                  *values)
{
  const NnWeight *w = nn_model_weight (net->model, weight->id);
  const gsize at = net->param_at[weight->id];

  for (gsize i = 0; i < w->values->n; i++)
    values[i] = nn_net_get (net, net->used, at + i);
  nn_quantize (weight->quantizer, &w->values->shape, values);
  for (gsize i = 0; i < w->values->n; i++)
    nn_net_set (net, net->used, at + i, w->mask != NULL && nn_tensor_u8 (w->mask)[i] == 0 ? 0 : values[i]);
}

static void
put_on_grid (NnNet             *net,
             const NnTrainGrid *grid)
{
  const NnWeight *w = nn_model_weight (net->model, grid->weight);
  const gsize at = net->param_at[grid->weight];

  for (gsize i = 0; at != NN_NOWHERE && i < w->values->n; i++)
    if (grid->which[i] && (w->mask == NULL || nn_tensor_u8 (w->mask)[i] != 0))
      nn_net_set (net, net->used, at + i, grid->project (nn_net_get (net, net->used, at + i), i, grid->data));
}

void
nn_net_quantize (NnNet *net)
{
  g_autofree double *values = NULL;
  gsize most = 0;

  if (net->used == net->values)
    return;
  for (guint i = 0; i < net->n_quantized; i++)
    most = MAX (most, nn_model_weight (net->model, net->quantized[i].id)->values->n);
  values = g_new (double, most + 1);
  memcpy (net->used, net->values, net->n_params * net->k->real_size);
  for (guint i = 0; i < net->n_folds; i++)
    nn_net_fold (net, &net->folds[i]);
  for (guint i = 0; i < net->n_quantized; i++)
    quantize_weight (net, &net->quantized[i], values);
  for (guint i = 0; i < net->options.n_grids; i++)
    put_on_grid (net, &net->options.grids[i]);
}
