/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of graph passes. */

#include "nn-passes-private.h"

/* The program's window shows them translated. */
#define N_(text) text
#define N2_(one, several) { one, several }

static const NnPass passes[] = {
  { "split-bias",
    N_("Gives the bias of dense layers a layer of its own, as a network of matrix products has it."),
    N2_("Split the bias off %u layer", "Split the bias off %u layers"),
    nn_pass_split_bias, .optional = TRUE },
  { "remove-dropout",
    N_("Takes out layers that do nothing at inference."),
    N2_("Removed %u layer", "Removed %u layers"),
    nn_pass_remove_dropout },
  { "lower-attention",
    N_("Makes dense layers, Einstein sums and a softmax of multi-head attention."),
    N2_("Took %u attention layer apart", "Took %u attention layers apart"),
    nn_pass_lower_attention, .needed = TRUE },
  { "lower-garnet",
    N_("Makes dense layers, sums and tables of GarNet."),
    N2_("Took %u GarNet layer apart", "Took %u GarNet layers apart"),
    nn_pass_lower_garnet, .needed = TRUE },
  { "lower-trees",
    N_("Gives what follows the sums of decision trees layers of its own, and makes one of trees that are told twice."),
    N2_("Took what follows off %u tree ensemble", "Took what follows off %u tree ensembles"),
    nn_pass_lower_trees, .needed = TRUE },
  { "unroll-recurrent",
    N_("Makes layers of every step of HGQ 2's recurrent layers, whose cells have quantisers."),
    N2_("Unrolled %u recurrent layer", "Unrolled %u recurrent layers"),
    nn_pass_unroll_recurrent, .needed = TRUE },
  { "make-tables",
    N_("Makes exact tables of HGQ 2's functions between two quantisers."),
    N2_("Made a table of %u function", "Made tables of %u functions"),
    nn_pass_make_tables },
  { "split-quantizers",
    N_("Gives the quantisers of a layer's input, sum and output layers of their own."),
    N2_("Split quantisers off %u layer", "Split quantisers off %u layers"),
    nn_pass_split_quantizers, .needed = TRUE },
  { "lower-einsum-dense",
    N_("Makes dense layers and shapes of a dense layer by an equation."),
    N2_("Made matrix products of %u layer", "Made matrix products of %u layers"),
    nn_pass_lower_einsum_dense, .needed = TRUE },
  { "turn-softmax",
    N_("Brings the axis of a softmax to the end and back."),
    N2_("Turned the axes of %u softmax", "Turned the axes of %u softmaxes"),
    nn_pass_turn_softmax, .needed = TRUE },
  { "split-separable",
    N_("Makes a depthwise and a pointwise convolution of each separable one."),
    N2_("Split %u separable convolution", "Split %u separable convolutions"),
    nn_pass_split_separable, .foreign = "separable_to_depthwise_and_conv" },
  { "split-activations",
    N_("Gives each fused activation a layer of its own, called <layer>_<activation>."),
    N2_("Split the activation off %u layer", "Split the activations off %u layers"),
    nn_pass_split_activations, .needed = TRUE },
  { "lower-quantizers",
    N_("Turns quantisers with a scale into scaling, rounding and scaling back."),
    N2_("Took %u quantiser apart", "Took %u quantisers apart"),
    nn_pass_lower_quantizers, .needed = TRUE },
  { "factor-alpha",
    N_("Takes the scale of quantised weights out into a layer that multiplies the sums."),
    N2_("Took the scale of weights out of %u layer", "Took the scale of weights out of %u layers"),
    nn_pass_factor_alpha, .needed = TRUE, .foreign = "qkeras_factorize_alpha" },
  { "lower-batch-norm",
    N_("Turns batch normalisation into one factor and one offset for each channel."),
    N2_("Made a factor and an offset of %u batch normalisation", "Made factors and offsets of %u batch normalisations"),
    nn_pass_lower_batch_norm, .needed = TRUE },
  { "fold-constants",
    N_("Turns arithmetic with a constant into one factor and one offset."),
    N2_("Folded the constant of %u layer", "Folded the constants of %u layers"),
    nn_pass_fold_constants },
  { "fuse-scales",
    N_("Makes one of two consecutive factors and offsets."),
    N2_("Merged %u factor and offset", "Merged %u factors and offsets"),
    nn_pass_fuse_scales, .foreign = "fuse_consecutive_batch_normalization" },
  { "fuse-batch-norm",
    N_("Folds factors and offsets into the layer before, where its result type is left open."),
    N2_("Folded %u batch normalisation", "Folded %u batch normalisations"),
    nn_pass_fuse_batch_norm, .foreign = "fuse_batch_normalization" },
  { "dense-to-pointwise",
    N_("Makes a pointwise convolution of a dense layer on more than one axis."),
    N2_("Made a pointwise convolution of %u dense layer", "Made pointwise convolutions of %u dense layers"),
    nn_pass_dense_to_pointwise, .foreign = "replace_multidimensional_dense_with_conv" },
  { "remove-linear",
    N_("Takes out linear activations."),
    N2_("Removed %u linear activation", "Removed %u linear activations"),
    nn_pass_remove_linear, .foreign = "eliminate_linear_activation" },
  { "cancel-transposes",
    N_("Takes out transpositions that undo each other."),
    N2_("Removed %u transposition", "Removed %u transpositions"),
    nn_pass_cancel_transposes, .foreign = "remove_useless_transpose" },
  { "merge-binary-tanh",
    N_("Makes a comparison with a threshold of a factor, an offset and a binary or ternary activation."),
    N2_("Made a comparison of %u activation", "Made comparisons of %u activations"),
    nn_pass_merge_binary_tanh, .needed = TRUE, .foreign = "merge_batch_norm_quantized_tanh" },
  { "insert-zero-padding",
    N_("Gives the padding of streamed convolutions a layer of its own."),
    N2_("Split the padding off %u convolution", "Split the padding off %u convolutions"),
    nn_pass_insert_zero_padding, .foreign = "insert_zero_padding_before_conv2d" },
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

static void
add_name (GPtrArray  *names,
          const char *name)
{
  if (!g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
    g_ptr_array_add (names, g_strdup (name));
}

/* What a pass met: layers that went or became something else, and those that another layer was split off. */
static GStrv
layers_met (const NnModel *before,
            const NnModel *after)
{
  const NnGraph *old = nn_model_graph (before), *new = nn_model_graph (after);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);
  guint k;

  for (guint i = 0; before != after && i < nn_graph_n_nodes (old); i++)
    {
      const NnNode *node = nn_graph_node (old, i);

      if (node->op == NN_OP_CONSTANT || (nn_graph_find (new, node->name, &k) && nn_graph_node (new, k)->op == node->op))
        continue;
      add_name (names, node->name);
      g_hash_table_add (told, (gpointer) (node->origin != NULL ? node->origin : node->name));
    }
  for (guint i = 0; before != after && i < nn_graph_n_nodes (new); i++)
    {
      const NnNode *node = nn_graph_node (new, i);

      if (node->op != NN_OP_CONSTANT && node->origin != NULL && !nn_graph_find (old, node->name, &k) && !g_hash_table_contains (told, node->origin))
        add_name (names, node->origin);
    }
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_steal (names, NULL);
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
  return nn_passes_run_told (model, config, skip, NULL, error);
}

/**
 * nn_passes_run_told:
 * @layers: (nullable) (element-type GStrv): for each of nn_passes(), the names of the layers that it met are appended
 *
 * As nn_passes_run().
 */
NnModel *
nn_passes_run_told (const NnModel      *model,
                    const NnConfig     *config,
                    const char *const  *skip,
                    GPtrArray          *layers,
                    GError            **error)
{
  g_autoptr (NnModel) lowered = nn_model_ref ((NnModel *) model);

  for (guint i = 0; i < G_N_ELEMENTS (passes); i++)
    {
      gboolean left_out = passes[i].optional || (skip != NULL && g_strv_contains (skip, passes[i].name));
      NnModel *next = left_out ? nn_model_ref (lowered) : passes[i].run (lowered, config, error);

      if (next == NULL)
        return NULL;
      if (layers != NULL)
        g_ptr_array_add (layers, layers_met (lowered, next));
      nn_model_unref (lowered);
      lowered = next;
    }
  return g_steal_pointer (&lowered);
}
