/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masks: steps that Masking, or Embedding with `mask_zero`, hides from the layers after it. The values are the same with and
 * without; what a mask changes, recurrent layers and means over steps, is not computed without it. Sources: Keras 2.13 and
 * Keras 3, Layer.compute_mask and `supports_masking` of each layer. */

#include "nn-keras.h"

#include <string.h>

/* What a mask changes. */
static const char *const changed[] = {
  "Attention", "AdditiveAttention", "Bidirectional", "GRU", "GlobalAveragePooling1D", "LSTM", "MultiHeadAttention", "QGRU", "QLSTM",
  "QMultiHeadAttention", "QSimpleRNN", "RNN", "SimpleRNN", "Softmax",
};

/* What passes a mask on unchanged; all others drop it. */
static const char *const passing[] = {
  "Activation", "Add", "AlphaDropout", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout", "ELU", "Embedding", "GaussianDropout",
  "GaussianNoise", "Identity", "LayerNormalization", "LeakyReLU", "Maximum", "Minimum", "Multiply", "PReLU", "QActivation", "QBatchNormalization",
  "QDense", "ReLU", "SpatialDropout1D", "Subtract", "ThresholdedReLU",
};

static gboolean
is_among (const char        *name,
          const char *const *names,
          guint              n)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (names[i], name))
      return TRUE;
  return FALSE;
}

static gboolean
has_masked_input (const NnKerasLayer *layer)
{
  for (guint i = 0; i < layer->n_inputs; i++)
    if (g_hash_table_contains (layer->keras->masked, GUINT_TO_POINTER (layer->inputs[i])))
      return TRUE;
  return FALSE;
}

/* Steps that are 0 everywhere, as they come; other values would have to be made 0. */
gboolean
nn_keras_read_masking (NnKerasLayer  *layer,
                       GError       **error)
{
  double value = nn_json_double (layer->config, "mask_value", 0);

  if (value != 0)
    return nn_keras_unsupported (layer, error, "\"mask_value\" other than 0 is not supported");
  return TRUE;
}

/* Errors: %NN_ERROR_UNSUPPORTED where the layer would pass over the hidden steps */
gboolean
nn_keras_check_mask (NnKerasLayer  *layer,
                     GError       **error)
{
  if (has_masked_input (layer) && is_among (layer->class_name, changed, G_N_ELEMENTS (changed)))
    return nn_keras_unsupported (layer, error,
                                 "it passes over the steps that a mask hides (Masking, or Embedding with \"mask_zero\", before it), which is not "
                                 "supported; without the mask it is");
  return TRUE;
}

/* Notes whether what the layer gives is masked. */
void
nn_keras_hand_on_mask (NnKerasLayer *layer)
{
  gboolean begins = g_str_equal (layer->class_name, "Masking") ||
                    (g_str_equal (layer->class_name, "Embedding") && nn_json_boolean (layer->config, "mask_zero", FALSE));

  if (begins || (has_masked_input (layer) &&
                 (layer->scope->time_distributed || is_among (layer->class_name, passing, G_N_ELEMENTS (passing)))))
    g_hash_table_add (layer->keras->masked, GUINT_TO_POINTER (layer->out));
}
