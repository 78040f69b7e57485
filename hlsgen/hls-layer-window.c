/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers that slide over an image or a sequence. */

#include "hls-layer-private.h"

#include "nn-infer-shape.h"

/* Height, width and channels of a layer's image; a sequence is an image of one row. */
static void
image (const NnShape *shape,
       gsize          dims[3])
{
  gboolean flat = shape->rank < 3;

  dims[0] = flat ? 1 : (gsize) shape->dims[shape->rank - 3];
  dims[1] = shape->rank < 2 ? 1 : (gsize) shape->dims[shape->rank - 2];
  dims[2] = (gsize) nn_shape_last (shape);
}

static void
window_fields (HlsEmit        *emit,
               const HlsLayer *layer)
{
  static const char *const axes[] = { "height", "width" };
  const NnNode *node = layer->node;
  gsize in[3], out[3];
  gboolean flat = nn_graph_node (emit->graph, node->inputs[0])->shape.rank < 3;

  image (&nn_graph_node (emit->graph, node->inputs[0])->shape, in);
  image (&node->shape, out);
  for (guint a = 0; a < 2; a++)
    {
      gboolean absent = flat && a == 0;
      guint from = flat ? 0 : a;
      gsize kernel = absent ? 1 : (gsize) MAX (node->attrs.kernel[from], 1);
      gsize stride = absent ? 1 : (gsize) MAX (node->attrs.stride[from], 1);
      gsize dilation = absent ? 1 : (gsize) MAX (node->attrs.dilation[from], 1);
      gint64 before = 0, after = 0;

      g_string_append_printf (emit->configs,
                              "    static const unsigned in_%s = %" G_GSIZE_FORMAT ";\n"
                              "    static const unsigned out_%s = %" G_GSIZE_FORMAT ";\n"
                              "    static const unsigned kernel_%s = %" G_GSIZE_FORMAT ";\n"
                              "    static const unsigned stride_%s = %" G_GSIZE_FORMAT ";\n"
                              "    static const unsigned dilation_%s = %" G_GSIZE_FORMAT ";\n",
                              axes[a], in[a], axes[a], out[a], axes[a], kernel, axes[a], stride, axes[a], dilation);
      if (!absent && nn_op_is_transposed (node->op))
        before = node->attrs.padding == NN_PADDING_SAME       ? MAX ((gint64) ((kernel - 1) * dilation + 1) - (gint64) stride, 0) / 2
                 : node->attrs.padding == NN_PADDING_EXPLICIT ? node->attrs.pad[from][0]
                                                              : 0;
      else if (!absent)
        nn_window_pads ((gint64) in[a], (gint64) kernel, (gint64) stride, (gint64) dilation, node->attrs.padding, node->attrs.pad[from],
                        &before, &after);
      hls_layer_field (emit, a == 0 ? "pad_top" : "pad_left", (gsize) before);
    }
  hls_layer_field (emit, "n_chan", in[2]);
  hls_layer_field (emit, "n_filt", out[2]);
  hls_layer_field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
}

gboolean
hls_write_conv (HlsEmit   *emit,
                HlsLayer  *layer,
                GError   **error)
{
  g_autofree char *config = g_strdup_printf ("config%u_matrix", layer->number);
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u", layer->number, layer->number);
  HlsMatrix matrix;

  if (layer->node->attrs.groups > 1)
    return hls_write_depthwise (emit, layer, error);
  hls_layer_matrix (emit, layer, &matrix);
  if (matrix.raw == NULL)
    return hls_layer_unsupported (layer, "it has no weights", error);
  if (hls_layer_has_bits (emit, layer) && layer->node->attrs.padding != NN_PADDING_VALID)
    return hls_layer_unsupported (layer, "padding of signs is not supported", error);
  if (!hls_emit_matrix (emit, layer, &matrix, config, error))
    return FALSE;
  hls_layer_begin (emit, layer);
  window_fields (emit, layer);
  hls_layer_field (emit, "parallelization", emit->stream ? 1 : MAX (layer->plan->parallelization, 1));
  g_string_append_printf (emit->configs, "    typedef config%u_matrix matrix;\n", layer->number);
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "conv", NULL, arguments);
  return TRUE;
}

/* The weights in the order of the matrix kernels: (taps and channels, outputs). */
static gint64 *
turned_weights (const HlsEmit   *emit,
                const HlsLayer  *layer,
                const HlsMatrix *matrix)
{
  gsize n = (gsize) matrix->n_in * matrix->n_out;
  gint64 *raw = g_new (gint64, MAX (n, 1));

  for (gsize f = 0; f < n; f++)
    raw[f % matrix->n_in * matrix->n_out + f / matrix->n_in] =
      matrix->raw[nn_design_weight_index (emit->design, layer->number, NN_ROLE_KERNEL, f)];
  return raw;
}

/* Every output gathers the inputs that the kernel spreads over it. */
gboolean
hls_write_transposed (HlsEmit   *emit,
                      HlsLayer  *layer,
                      GError   **error)
{
  g_autofree char *config = g_strdup_printf ("config%u_matrix", layer->number);
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u", layer->number, layer->number);
  g_autofree gint64 *turned = NULL;
  HlsMatrix matrix;

  hls_layer_matrix (emit, layer, &matrix);
  if (matrix.raw == NULL || layer->node->attrs.groups > 1 || hls_layer_has_bits (emit, layer))
    return hls_layer_unsupported (layer, "a transposed convolution of one group of fixed-point numbers is supported", error);
  turned = turned_weights (emit, layer, &matrix);
  matrix.raw = turned;
  if (!hls_emit_matrix (emit, layer, &matrix, config, error))
    return FALSE;
  hls_layer_begin (emit, layer);
  window_fields (emit, layer);
  g_string_append_printf (emit->configs, "    typedef config%u_matrix matrix;\n", layer->number);
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "conv_transposed", NULL, arguments);
  return TRUE;
}

/* Convolutions whose outputs read a group of the channels only; a depthwise one has a group for each channel. */
gboolean
hls_write_depthwise (HlsEmit   *emit,
                     HlsLayer  *layer,
                     GError   **error)
{
  const NnLayerPlan *p = layer->plan;
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u", layer->number, layer->number);
  g_autofree char *weights = g_strdup_printf ("w%u", layer->number), *biases = g_strdup_printf ("b%u", layer->number);
  g_autofree gint64 *zeros = g_new0 (gint64, hls_layer_channels (layer));
  const gint64 *bias = hls_emit_raw (emit, layer, NN_ROLE_BIAS, NULL);
  gsize n, left = 0, rf = MAX (p->reuse_factor, 1), n_out = hls_layer_channels (layer);
  gsize n_chan = (gsize) MAX (nn_shape_last (&nn_graph_node (emit->graph, layer->node->inputs[0])->shape), 1);
  gsize n_groups = layer->node->op == NN_OP_CONV1D || layer->node->op == NN_OP_CONV2D ? (gsize) layer->node->attrs.groups : n_chan;
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_DEPTHWISE_KERNEL, &n);

  if (raw == NULL)
    raw = hls_emit_raw (emit, layer, NN_ROLE_KERNEL, &n);
  if (raw == NULL || n % n_out != 0 || n_groups == 0 || n_chan % n_groups != 0 || n_out % n_groups != 0)
    return hls_layer_unsupported (layer, "it has no weights, or its groups do not divide its channels", error);
  if (p->weight.kind == NN_TYPE_POWER || (hls_layer_has_bits (emit, layer) && layer->node->attrs.padding != NN_PADDING_VALID))
    return hls_layer_unsupported (layer, "groups with powers of two, or of padded signs, are not supported", error);
  if (!hls_emit_typedef (emit, layer, "weight_t", &p->weight, error) || !hls_emit_typedef (emit, layer, "bias_t", &p->bias, error) ||
      !hls_emit_typedef (emit, layer, "accum_t", &p->accum, error) ||
      !hls_emit_values (emit, layer, weights, "weight_t", layer->label, &p->weight, raw, n, error) ||
      !hls_emit_values (emit, layer, biases, "bias_t", layer->label, &p->bias, bias != NULL ? bias : zeros, n_out, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    left += p->weight.kind == NN_TYPE_BINARY || raw[i] != 0;
  layer->n_multipliers = (left + rf - 1) / rf;
  layer->n_dropped = (n + rf - 1) / rf - layer->n_multipliers;
  layer->kernel = g_strdup_printf ("%" G_GSIZE_FORMAT " groups of channels, all taps at once%s, %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
                                   " products are left", n_groups,
                                   p->strategy == NN_STRATEGY_RESOURCE || p->strategy == NN_STRATEGY_RESOURCE_UNROLLED
                                     ? " (whatever the strategy: a group is too small for a memory)" : "", left, n);
  g_string_append_printf (emit->configs, "struct config%u_matrix {\n", layer->number);
  hls_layer_field (emit, "n_in", n / n_out);
  hls_layer_field (emit, "n_out", n_out);
  hls_layer_field (emit, "n_weights", n);
  hls_layer_field (emit, "reuse_factor", MAX (p->reuse_factor, 1));
  hls_layer_field (emit, "multiplier_limit", MAX (layer->n_multipliers, 1));
  hls_layer_field (emit, "n_chan", n_chan);
  hls_layer_field (emit, "group_in", n_chan / n_groups);
  hls_layer_field (emit, "group_out", n_out / n_groups);
  hls_layer_type_field (emit, layer, "weight_t");
  hls_layer_type_field (emit, layer, "bias_t");
  hls_layer_type_field (emit, layer, "accum_t");
  g_string_append_printf (emit->configs,
                          "    typedef nnet::product::%s product;\n"
                          "    typedef nnet::finish_cast finish;\n"
                          "    template <class data_T, class res_T, class CONFIG_T>\n"
                          "    using kernel = nnet::grouped_kernel<data_T, res_T, CONFIG_T>;\n",
                          p->input.kind == NN_TYPE_BINARY ? "data_binary" : "mult");
  hls_layer_end (emit);
  hls_layer_begin (emit, layer);
  window_fields (emit, layer);
  hls_layer_field (emit, "parallelization", emit->stream ? 1 : MAX (p->parallelization, 1));
  g_string_append_printf (emit->configs, "    typedef config%u_matrix matrix;\n", layer->number);
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "conv", NULL, arguments);
  return TRUE;
}

gboolean
hls_write_pool (HlsEmit   *emit,
                HlsLayer  *layer,
                GError   **error)
{
  gboolean average = layer->node->op == NN_OP_AVG_POOL1D || layer->node->op == NN_OP_AVG_POOL2D;

  if (hls_layer_has_bits (emit, layer))
    return hls_layer_unsupported (layer, "pooling of signs is not supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  hls_layer_begin (emit, layer);
  window_fields (emit, layer);
  hls_layer_type_field (emit, layer, "accum_t");
  g_string_append_printf (emit->configs, "    static const bool count_pad = %s;\n",
                          layer->node->attrs.count_pad ? "true" : "false");
  hls_layer_end (emit);
  hls_layer_call (emit, layer, "slide", average ? "nnet::pool_average" : "nnet::pool_max", NULL);
  return TRUE;
}

/* The part of the axes that is taken together: @before parts of @along times @after numbers. */
static void
whole_axes (const NnNode  *node,
            const NnShape *in,
            gsize         *before,
            gsize         *along,
            gsize         *after)
{
  gboolean global = node->op == NN_OP_GLOBAL_MAX_POOL || node->op == NN_OP_GLOBAL_AVG_POOL;
  guint first = global ? 0 : (guint) (node->attrs.axis < 0 ? node->attrs.axis + (gint) in->rank : node->attrs.axis);
  guint last = global ? in->rank - 2 : (guint) (node->attrs.axis2 < 0 ? node->attrs.axis2 + (gint) in->rank : node->attrs.axis2);

  *before = *along = *after = 1;
  for (guint d = 0; d < in->rank; d++)
    *(d < first ? before : d <= last ? along : after) *= (gsize) in->dims[d];
}

static const char *
whole_functor (NnOp op)
{
  switch (op)
    {
    case NN_OP_GLOBAL_AVG_POOL:
    case NN_OP_REDUCE_MEAN:
      return "nnet::all_average";
    case NN_OP_REDUCE_SUM:
      return "nnet::all_sum";
    default:
      return "nnet::all_max";
    }
}

/* Pooling and reductions over whole axes. */
gboolean
hls_write_global_pool (HlsEmit   *emit,
                       HlsLayer  *layer,
                       GError   **error)
{
  const NnShape *in = &nn_graph_node (emit->graph, layer->node->inputs[0])->shape;
  g_autofree char *whole = g_strdup_printf ("nnet::pool_whole<%s>", whole_functor (layer->node->op));
  gsize before, along, after;

  if (hls_layer_has_bits (emit, layer))
    return hls_layer_unsupported (layer, "pooling of signs is not supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  whole_axes (layer->node, in, &before, &along, &after);
  if (layer->count != before * after)
    return hls_layer_unsupported (layer, "only pooling over axes that follow one another is supported", error);
  hls_layer_begin (emit, layer);
  hls_layer_field (emit, "n_before", before);
  hls_layer_field (emit, "n_positions", along);
  hls_layer_field (emit, "n_chan", after);
  hls_layer_field (emit, "n_in", before * along * after);
  hls_layer_field (emit, "n_out", layer->count);
  hls_layer_field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
  hls_layer_type_field (emit, layer, "accum_t");
  hls_layer_end (emit);
  if (!emit->stream || (hls_emit_source (emit, layer->node->inputs[0])->packet == after && layer->packet == after))
    hls_layer_call (emit, layer, "pool_all", whole_functor (layer->node->op), NULL);
  else
    hls_layer_call (emit, layer, "layer", whole, NULL);
  return TRUE;
}
