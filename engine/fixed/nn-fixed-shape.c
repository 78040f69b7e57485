/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers that move values, and constants. */

#include "nn-fixed-private.h"

#include "nn-infer-shape.h"

#include <string.h>

/* @from: for each output the input that it is, -1 for zero. */
typedef struct {
  gint32 *from;
  NnCast  cast;
} Move;

static void
move_free (gpointer data)
{
  Move *m = data;

  g_free (m->from);
  g_free (m);
}

static void
run_move (const NnFixedLayer *layer,
          NnFixedRun         *run)
{
  const Move *m = layer->state;
  const gint64 *in = nn_fixed_in (layer, run, 0);
  gint64 *out = nn_fixed_out (layer, run);

  for (gsize f = 0; f < layer->n; f++)
    if (m->from[f] < 0)
      memset (out + f * run->lanes, 0, run->lanes * sizeof *out);
    else
      memcpy (out + f * run->lanes, in + (gsize) m->from[f] * run->lanes, run->lanes * sizeof *out);
}

static void
to_coordinates (const NnShape *shape,
                gsize          index,
                gint64        *at)
{
  for (guint d = shape->rank; d-- > 0;)
    {
      at[d] = (gint64) (index % (gsize) shape->dims[d]);
      index /= (gsize) shape->dims[d];
    }
}

static gint32
to_index (const NnShape *shape,
          const gint64  *at)
{
  gsize index = 0;

  for (guint d = 0; d < shape->rank; d++)
    {
      if (at[d] < 0 || at[d] >= shape->dims[d])
        return -1;
      index = index * (gsize) shape->dims[d] + (gsize) at[d];
    }
  return (gint32) index;
}

gboolean
nn_fixed_prepare_shape (NnFixedLayer  *layer,
                        GError       **error)
{
  const NnNode *node = layer->node;
  const NnShape *in = &layer->inputs[0].shape;
  gboolean flat = node->op == NN_OP_FLATTEN || node->op == NN_OP_RESHAPE || node->op == NN_OP_DROPOUT;
  Move *m = g_new0 (Move, 1);

  layer->state = m;
  layer->free_state = move_free;
  layer->run = run_move;
  if (node->op == NN_OP_UPSAMPLE && node->attrs.interpolation != NN_INTERPOLATION_NEAREST)
    return nn_fixed_unsupported (layer, "bilinear interpolation; only nearest is there", error);
  m->from = g_new (gint32, layer->n);
  for (gsize f = 0; f < layer->n; f++)
    {
      gint64 at[NN_MAX_RANK] = { 0 }, from[NN_MAX_RANK];

      to_coordinates (&node->shape, f, at);
      nn_shape_source (node, in, at, from);
      m->from[f] = flat ? (gint32) f : to_index (in, from);
    }
  return TRUE;
}

static void
run_constant (const NnFixedLayer *layer,
              NnFixedRun         *run)
{
  const gint64 *raw = layer->state;

  for (gsize f = 0; f < layer->n; f++)
    for (gsize b = 0; b < run->lanes; b++)
      nn_fixed_out (layer, run)[f * run->lanes + b] = raw[f];
}

gboolean
nn_fixed_prepare_constant (NnFixedLayer  *layer,
                           GError       **error)
{
  const NnTensor *value = nn_design_raw (layer->design, layer->index, NN_ROLE_VALUE);

  layer->run = run_constant;
  if (value == NULL || value->n != layer->n)
    return nn_fixed_unsupported (layer, "its value is missing", error);
  layer->state = value->data;
  return TRUE;
}

/* A row of the table for each index; indices outside it fall on its ends. */
static void
run_embedding (const NnFixedLayer *layer,
               NnFixedRun         *run)
{
  const Move *m = layer->state;
  const NnTensor *table = nn_design_raw (layer->design, layer->index, NN_ROLE_EMBEDDINGS);
  const NnFixedInput *input = &layer->inputs[0];
  gsize units = (gsize) nn_shape_last (&table->shape), rows = table->n / units;
  gsize lanes = nn_fixed_lanes (run);
  gint64 v[NN_FIXED_LANES];

  for (gsize f = 0; f < layer->n; f++)
    {
      const gint64 *x = nn_fixed_in (layer, run, 0) + f / units * run->lanes;

      for (gsize b = 0; b < lanes; b++)
        {
          gint64 row = input->fraction >= 0 ? x[b] >> MIN (input->fraction, 63) : x[b] << MIN (-input->fraction, 62);

          v[b] = ((const gint64 *) table->data)[(gsize) CLAMP (row, 0, (gint64) rows - 1) * units + f % units];
        }
      nn_cast_column (&m->cast, nn_fixed_out (layer, run) + f * run->lanes, v, lanes, nn_fixed_counter (layer, run));
    }
}

gboolean
nn_fixed_prepare_embedding (NnFixedLayer  *layer,
                            GError       **error)
{
  const NnType *type = &layer->plan->weight;
  Move *m = g_new0 (Move, 1);

  layer->state = m;
  layer->free_state = move_free;
  layer->run = run_embedding;
  nn_cast_init (&m->cast, nn_type_bits (type), TRUE, nn_type_fraction (type), &layer->plan->result);
  if (nn_design_raw (layer->design, layer->index, NN_ROLE_EMBEDDINGS) == NULL)
    return nn_fixed_unsupported (layer, "its table is missing", error);
  return TRUE;
}
