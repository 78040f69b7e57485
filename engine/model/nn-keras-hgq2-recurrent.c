/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HGQ 2's QSimpleRNN and QGRU: Keras's layers with quantisers inside the cell. Source: calad0i/HGQ2 (0.1), hgq/layers/rnn. */

#include "nn-keras-hgq.h"

static gboolean
read_one (NnKerasLayer   *layer,
          const char     *conf,
          const char     *place,
          const NnShape  *full,
          gboolean        batch,
          NnHgq2Line     *line,
          NnQuantizer   **quantizer,
          GError        **error)
{
  g_autofree char *sub = g_strdup_printf ("cell/%s/quantizer", place);

  return nn_keras_hgq2_quantizer (layer, nn_json_object (layer->config, conf), sub, full, batch, line, quantizer, error);
}

static gboolean
read_weights (NnKerasLayer  *layer,
              NnAttrs       *a,
              GError       **error)
{
  static const struct {
    const char *conf, *place;
    NnRole      role;
  } all[] = {
    { "kq_conf", "kq", NN_ROLE_KERNEL }, { "rkq_conf", "rkq", NN_ROLE_RECURRENT_KERNEL }, { "bq_conf", "bq", NN_ROLE_BIAS },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      const NnWeight *weight = nn_keras_taken (layer, all[i].role);

      if (weight != NULL && !read_one (layer, all[i].conf, all[i].place, &weight->values->shape, FALSE, NULL, &a->role_quantizer[all[i].role], error))
        return FALSE;
    }
  return TRUE;
}

/* A quantiser whose line is 1/4 x + 1/2 after a linear activation rounds what a hard sigmoid of that line gives: the grid of
 * [-2, 2) becomes that of [0, 1), and what lay outside is cut off by both. */
static gboolean
fold_hard_sigmoid (NnKerasLayer  *layer,
                   NnAttrs       *a,
                   NnHgq2Line     line,
                   GError       **error)
{
  NnQuantizer *q = a->recurrent_quantizer;
  g_autofree NnType *types = q != NULL && q->n_elements > 0 ? g_memdup2 (q->per_element, q->n_elements * sizeof *types) : NULL;
  NnQuantizer changed;

  if (q == NULL || (line.gain == 1 && line.offset == 0))
    return TRUE;
  if (line.gain != 0.25 || line.offset != 0.5 || line.scaler != 1 || a->recurrent_act != NN_ACT_LINEAR)
    return nn_keras_unsupported (layer, error,
                                 "\"affine\" of \"praq_conf\" is supported as (0.25, 0.5) and after a linear \"recurrent_activation\"");
  changed = *q;
  changed.per_element = types;
  for (guint i = 0; i <= q->n_elements; i++)
    {
      NnType *type = i < q->n_elements ? &types[i] : &changed.type;

      if (type->width > 0 && (!type->is_signed || type->integer != 2 || type->overflow == NN_OVERFLOW_WRAP))
        return nn_keras_unsupported (layer, error, "\"praq_conf\" with \"affine\" must have one bit before the point, and saturate");
      /* a type without bits gives 0, which the line makes 1/2 */
      if (type->width == 0)
        return nn_keras_unsupported (layer, error, "\"praq_conf\" leaves a gate without bits");
      type->is_signed = FALSE;
      type->integer = 0;
      type->overflow = NN_OVERFLOW_SAT;
    }
  a->recurrent_quantizer = nn_graph_builder_quantizer (layer->keras->builder, &changed);
  a->recurrent_act = NN_ACT_HARD_SIGMOID;
  a->recurrent_slope = line.gain;
  a->recurrent_shift = line.offset;
  return TRUE;
}

gboolean
nn_keras_read_hgq2_recurrent (NnKerasLayer  *layer,
                              GError       **error)
{
  NnAttrs *a = &layer->node->attrs;
  gboolean gru = layer->node->op == NN_OP_GRU, enabled = nn_json_boolean (layer->config, "enable_iq", TRUE);
  /* what QSimpleRNN's file tells of the state only by its quantiser */
  gboolean state = gru || nn_json_object (layer->config, "sq_conf") != NULL;
  const NnShape *features = &NN_SHAPE (nn_shape_last (layer->in));
  NnShape units, gates;
  NnHgq2Line line;

  if (!nn_hgq2_numbered (layer, error) || !nn_keras_read_recurrent (layer, error))
    return FALSE;
  if (nn_json_boolean (layer->config, "enable_oq", FALSE))
    return nn_keras_unsupported (layer, error, "\"enable_oq\" is not supported: HGQ 2's cells do not use it");
  units = NN_SHAPE (a->units);
  gates = NN_SHAPE (2 * a->units);
  if ((enabled && !read_one (layer, "iq_conf", "iq", features, TRUE, NULL, &a->input_quantizer, error)) ||
      (state && !read_one (layer, "sq_conf", "sq", &units, TRUE, NULL, &a->state_quantizer, error)) ||
      !read_one (layer, "paq_conf", "paq", &units, TRUE, NULL, gru ? &a->quantizer : &a->sum_quantizer, error) ||
      !read_weights (layer, a, error))
    return FALSE;
  if (!gru)
    return TRUE;
  return read_one (layer, "praq_conf", "praq", &gates, TRUE, &line, &a->recurrent_quantizer, error) &&
         fold_hard_sigmoid (layer, a, line, error) &&
         read_one (layer, "rhq_conf", "rhq", &units, TRUE, NULL, &a->reset_quantizer, error);
}
