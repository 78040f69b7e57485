/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of graph passes. */

#include "nn-passes-private.h"

static const NnPass passes[] = {
  { "split-bias",
    "Gives the bias of dense layers a layer of its own, as a network of matrix products has it.", nn_pass_split_bias, TRUE },
  { "remove-dropout", "Takes out layers that do nothing at inference.", nn_pass_remove_dropout },
  { "lower-attention",
    "Makes dense layers, Einstein sums and a softmax of multi-head attention.", nn_pass_lower_attention, .needed = TRUE },
  { "lower-garnet", "Makes dense layers, sums and tables of GarNet.", nn_pass_lower_garnet, .needed = TRUE },
  { "make-tables", "Makes exact tables of HGQ 2's functions between two quantisers.", nn_pass_make_tables },
  { "split-quantizers",
    "Gives the quantisers of a layer's input, sum and output layers of their own.", nn_pass_split_quantizers, .needed = TRUE },
  { "lower-einsum-dense",
    "Makes dense layers and shapes of a dense layer by an equation.", nn_pass_lower_einsum_dense, .needed = TRUE },
  { "turn-softmax", "Brings the axis of a softmax to the end and back.", nn_pass_turn_softmax, .needed = TRUE },
  { "split-separable",
    "Makes a depthwise and a pointwise convolution of each separable one.", nn_pass_split_separable, .foreign = "separable_to_depthwise_and_conv" },
  { "split-activations", "Gives each fused activation a layer of its own, called <layer>_<activation>.",
    nn_pass_split_activations, .needed = TRUE },
  { "lower-quantizers",
    "Turns quantisers with a scale into scaling, rounding and scaling back.", nn_pass_lower_quantizers, .needed = TRUE },
  { "factor-alpha",
    "Takes the scale of quantised weights out into a layer that multiplies the sums.", nn_pass_factor_alpha, .needed = TRUE, .foreign = "qkeras_factorize_alpha" },
  { "lower-batch-norm", "Turns batch normalisation into one factor and one offset for each channel.",
    nn_pass_lower_batch_norm, .needed = TRUE },
  { "fold-constants", "Turns arithmetic with a constant into one factor and one offset.", nn_pass_fold_constants },
  { "fuse-scales",
    "Makes one of two consecutive factors and offsets.", nn_pass_fuse_scales, .foreign = "fuse_consecutive_batch_normalization" },
  { "fuse-batch-norm", "Folds factors and offsets into the layer before, where its result type is left open.",
    nn_pass_fuse_batch_norm, .foreign = "fuse_batch_normalization" },
  { "dense-to-pointwise",
    "Makes a pointwise convolution of a dense layer on more than one axis.", nn_pass_dense_to_pointwise, .foreign = "replace_multidimensional_dense_with_conv" },
  { "remove-linear", "Takes out linear activations.", nn_pass_remove_linear, .foreign = "eliminate_linear_activation" },
  { "cancel-transposes",
    "Takes out transpositions that undo each other.", nn_pass_cancel_transposes, .foreign = "remove_useless_transpose" },
  { "merge-binary-tanh", "Makes a comparison with a threshold of a factor, an offset and a binary or ternary activation.",
    nn_pass_merge_binary_tanh, .needed = TRUE, .foreign = "merge_batch_norm_quantized_tanh" },
  { "insert-zero-padding",
    "Gives the padding of streamed convolutions a layer of its own.", nn_pass_insert_zero_padding, .foreign = "insert_zero_padding_before_conv2d" },
};

/**
 * nn_passes:
 * @n: (out): their number
 *
 * Returns: (transfer none) (array length=n): the passes in the order in which they run
 */
const NnPass *
nn_passes (guint *n)
{
  *n = G_N_ELEMENTS (passes);
  return passes;
}

const NnPass *
nn_pass_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (passes); i++)
    if (g_str_equal (passes[i].name, name) || g_strcmp0 (passes[i].foreign, name) == 0)
      return &passes[i];
  return NULL;
}

/**
 * nn_passes_run:
 * @skip: (nullable) (array zero-terminated=1): names of passes to be left out
 *
 * Returns: (transfer full): the network as hardware computes it. Operator attributes may point into @model, which must
 *   outlive the result.
 */
NnModel *
nn_passes_run (const NnModel      *model,
               const NnConfig     *config,
               const char *const  *skip,
               GError            **error)
{
  g_autoptr (NnModel) lowered = nn_model_ref ((NnModel *) model);

  for (guint i = 0; i < G_N_ELEMENTS (passes); i++)
    {
      NnModel *next;

      if (passes[i].optional)
        continue;
      if (skip != NULL && g_strv_contains (skip, passes[i].name))
        continue;
      next = passes[i].run (lowered, config, error);
      if (next == NULL)
        return NULL;
      nn_model_unref (lowered);
      lowered = next;
    }
  return g_steal_pointer (&lowered);
}
