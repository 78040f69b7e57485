/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One writer a layer: its struct in parameters.h and its call in the top function. */

#include "hls-emit-private.h"

#include "nn-error.h"
#include "nn-infer-shape.h"
#include "nn-text.h"

#include <math.h>
#include <string.h>

typedef gboolean (*Writer) (HlsEmit *emit, HlsLayer *layer, GError **error);

/* FIFOs up to this depth are shift registers; deeper ones take block memory (UG1399, STREAM). */
#define SHALLOW_FIFO 32

/* The layer whose array or stream holds the output of node @node. */
const HlsLayer *
hls_emit_source (const HlsEmit *emit,
                 guint          node)
{
  while (emit->layers[node].alias != node)
    node = emit->layers[node].alias;
  return &emit->layers[node];
}

/* The variable that input @k of @layer is read from; of a stream with several readers each has its own copy. */
char *
hls_emit_input (HlsEmit        *emit,
                const HlsLayer *layer,
                guint           k)
{
  HlsLayer *source = (HlsLayer *) hls_emit_source (emit, layer->node->inputs[k]);

  if (!emit->stream || source->n_readers <= 1)
    return g_strdup (source->value);
  return g_strdup_printf ("%s_copy%u", source->value, ++source->next_reader);
}

char *
hls_emit_stream_type (const HlsEmit  *emit,
                      const HlsLayer *layer)
{
  return emit->stream ? g_strdup_printf ("%s_packet", layer->type) : g_strdup (layer->type);
}

static gboolean
rejoins (const HlsEmit  *emit,
         const HlsLayer *layer)
{
  guint n;
  const guint *readers = nn_graph_consumers (emit->graph, layer->number, &n);

  for (guint k = 0; k < n; k++)
    if (nn_graph_node (emit->graph, readers[k])->n_inputs > 1)
      return TRUE;
  return layer->n_readers > 1;
}

/* A stream that leaves a fork or enters a join must hold all that the other branch may keep back. */
static gsize
fifo_depth (const HlsEmit  *emit,
            const HlsLayer *layer)
{
  gsize packets = MAX (layer->count / layer->packet, 1);

  return rejoins (emit, layer) ? packets : MIN (packets, SHALLOW_FIFO);
}

static void
declare_stream (HlsEmit    *emit,
                HlsLayer   *layer,
                const char *name)
{
  g_string_append_printf (emit->calls,
                          "    NNET_CHANNEL(%s_packet, %s);\n"
                          "    NNET_FIFO(%s, %" G_GSIZE_FORMAT ")\n",
                          layer->type, name, name, fifo_depth (emit, layer));
  g_string_append_printf (emit->memories, "catch {directive set /%s/%s:cns -FIFO_DEPTH %" G_GSIZE_FORMAT "}\n", emit->name, name,
                          fifo_depth (emit, layer));
}

static gboolean
is_output (const HlsEmit  *emit,
           const HlsLayer *layer)
{
  guint n;
  const guint *outputs = nn_graph_outputs (emit->graph, &n);

  for (guint k = 0; k < n; k++)
    if (hls_emit_source (emit, outputs[k]) == layer)
      return TRUE;
  return FALSE;
}

/* The variable of the layer's output, unless it is a port. */
static void
declare (HlsEmit  *emit,
         HlsLayer *layer)
{
  if (is_output (emit, layer) && layer->n_readers <= 1)
    return;
  if (emit->stream)
    declare_stream (emit, layer, layer->value);
  else if (!is_output (emit, layer))
    g_string_append_printf (emit->calls, "    %s %s[%" G_GSIZE_FORMAT "];\n    NNET_PARTITION(%s)\n", layer->type, layer->value,
                            layer->count, layer->value);
}

/* Copies of a stream for all its readers, two at a time. */
static void
copy_stream (HlsEmit  *emit,
             HlsLayer *layer)
{
  g_autofree char *from = g_strdup (layer->value);

  if (!emit->stream || layer->n_readers <= 1)
    return;
  for (guint k = 1; k < layer->n_readers; k++)
    {
      g_autofree char *first = g_strdup_printf ("%s_copy%u", layer->value, k);
      g_autofree char *second = k + 1 == layer->n_readers ? g_strdup_printf ("%s_copy%u", layer->value, k + 1)
                                                          : g_strdup_printf ("%s_rest%u", layer->value, k);
      gboolean port = k + 1 == layer->n_readers && is_output (emit, layer);

      declare_stream (emit, layer, first);
      if (port)
        {
          g_free (second);
          second = g_strdup_printf ("%s_port", layer->value);
        }
      else
        declare_stream (emit, layer, second);
      g_string_append_printf (emit->calls, "    nnet::clone<%s_packet, %" G_GSIZE_FORMAT ">(%s, %s, %s);\n", layer->type,
                              layer->count, from, first, second);
      g_free (from);
      from = g_strdup (second);
    }
}

/* `nnet::FUNCTION<types, configN>(inputs, output, weights); // name`. @functor (nullable) comes first among the types. */
static void
call (HlsEmit    *emit,
      HlsLayer   *layer,
      const char *function,
      const char *functor,
      const char *arguments)
{
  g_autofree char *type = hls_emit_stream_type (emit, layer);
  GString *types = g_string_new (NULL), *inputs = g_string_new (NULL);

  for (guint k = 0; k < layer->node->n_inputs; k++)
    {
      g_autofree char *in = hls_emit_input (emit, layer, k);
      g_autofree char *in_type = hls_emit_stream_type (emit, hls_emit_source (emit, layer->node->inputs[k]));

      g_string_append_printf (types, "%s, ", in_type);
      g_string_append_printf (inputs, "%s, ", in);
    }
  declare (emit, layer);
  g_string_append_printf (emit->calls, "    nnet::%s<%s%s%s%s, config%u>(%s%s%s); // %s\n", function,
                          functor != NULL ? functor : "", functor != NULL ? ", " : "", types->str, type, layer->number,
                          inputs->str, layer->value, arguments != NULL ? arguments : "", layer->label);
  copy_stream (emit, layer);
  g_string_append_c (emit->calls, '\n');
  g_string_free (types, TRUE);
  g_string_free (inputs, TRUE);
}

static void
field (HlsEmit    *emit,
       const char *name,
       gsize       value)
{
  g_string_append_printf (emit->configs, "    static const unsigned %s = %" G_GSIZE_FORMAT ";\n", name, value);
}

static void
type_field (HlsEmit        *emit,
            const HlsLayer *layer,
            const char     *name)
{
  g_string_append_printf (emit->configs, "    typedef layer%u_%s %s;\n", layer->number, name, name);
}

static void
begin_config (HlsEmit        *emit,
              const HlsLayer *layer)
{
  g_string_append_printf (emit->configs, "// Layer \"%s\" (%s)\nstruct config%u {\n", layer->label, layer->class_label,
                          layer->number);
}

static void
end_config (HlsEmit *emit)
{
  g_string_append (emit->configs, "};\n\n");
}

static gsize
input_count (const HlsEmit  *emit,
             const HlsLayer *layer,
             guint           k)
{
  return emit->layers[layer->node->inputs[k]].count;
}

static gsize
channels (const HlsLayer *layer)
{
  return (gsize) MAX (nn_shape_last (&layer->node->shape), 1);
}

/* The usual beginning of a struct of a layer on whole arrays. */
static void
begin_array_config (HlsEmit        *emit,
                    const HlsLayer *layer)
{
  begin_config (emit, layer);
  field (emit, "n_in", input_count (emit, layer, 0));
  field (emit, "n_out", layer->count);
  field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
}

static gboolean
unsupported (const HlsLayer  *layer,
             const char      *what,
             GError         **error)
{
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "layer \"%s\" (%s): %s", layer->node->name, layer->node->class_name, what);
  return FALSE;
}

/* Signs stored as bits, which only products, activations and shapes know how to take. */
static gboolean
has_bits (const HlsEmit  *emit,
          const HlsLayer *layer)
{
  for (guint k = 0; k < layer->node->n_inputs; k++)
    if (nn_design_plan (emit->design, layer->node->inputs[k])->result.kind == NN_TYPE_BINARY)
      return TRUE;
  return FALSE;
}

static void
main_matrix (const HlsEmit  *emit,
             const HlsLayer *layer,
             HlsMatrix      *matrix)
{
  const NnLayerPlan *p = layer->plan;

  *matrix = (HlsMatrix){ .prefix = "",
                         .raw = hls_emit_raw (emit, layer, NN_ROLE_KERNEL, NULL),
                         .bias = hls_emit_raw (emit, layer, NN_ROLE_BIAS, NULL),
                         .input_type = &p->input,
                         .weight_type = &p->weight,
                         .bias_type = &p->bias,
                         .accum_type = &p->accum,
                         .n_in = p->n_in,
                         .n_out = p->n_out,
                         .reuse_factor = MAX (p->reuse_factor, 1) };
}

static gboolean
write_dense (HlsEmit   *emit,
             HlsLayer  *layer,
             GError   **error)
{
  g_autofree char *config = g_strdup_printf ("config%u", layer->number);
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u", layer->number, layer->number);
  HlsMatrix matrix;

  main_matrix (emit, layer, &matrix);
  if (matrix.raw == NULL)
    return unsupported (layer, "it has no weights", error);
  if (layer->count != matrix.n_out || input_count (emit, layer, 0) != matrix.n_in)
    return unsupported (layer, "a dense layer on more than one axis is to be a pointwise convolution", error);
  if (!hls_emit_matrix (emit, layer, &matrix, config, error))
    return FALSE;
  call (emit, layer, "dense", NULL, arguments);
  return TRUE;
}

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
      if (!absent)
        nn_window_pads ((gint64) in[a], (gint64) kernel, (gint64) stride, (gint64) dilation, node->attrs.padding, node->attrs.pad[from],
                        &before, &after);
      field (emit, a == 0 ? "pad_top" : "pad_left", (gsize) before);
    }
  field (emit, "n_chan", in[2]);
  field (emit, "n_filt", out[2]);
  field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
}

static gboolean
write_conv (HlsEmit   *emit,
            HlsLayer  *layer,
            GError   **error)
{
  g_autofree char *config = g_strdup_printf ("config%u_matrix", layer->number);
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u", layer->number, layer->number);
  HlsMatrix matrix;

  main_matrix (emit, layer, &matrix);
  if (matrix.raw == NULL || layer->node->attrs.groups > 1)
    return unsupported (layer, "grouped convolutions are not supported", error);
  if (has_bits (emit, layer) && layer->node->attrs.padding != NN_PADDING_VALID)
    return unsupported (layer, "padding of signs is not supported", error);
  if (!hls_emit_matrix (emit, layer, &matrix, config, error))
    return FALSE;
  begin_config (emit, layer);
  window_fields (emit, layer);
  field (emit, "parallelization", emit->stream ? 1 : MAX (layer->plan->parallelization, 1));
  g_string_append_printf (emit->configs, "    typedef config%u_matrix matrix;\n", layer->number);
  end_config (emit);
  call (emit, layer, "conv", NULL, arguments);
  return TRUE;
}

static gboolean
write_depthwise (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  const NnLayerPlan *p = layer->plan;
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u", layer->number, layer->number);
  g_autofree char *weights = g_strdup_printf ("w%u", layer->number), *biases = g_strdup_printf ("b%u", layer->number);
  g_autofree gint64 *zeros = g_new0 (gint64, channels (layer));
  const gint64 *bias = hls_emit_raw (emit, layer, NN_ROLE_BIAS, NULL);
  gsize n, n_out = channels (layer);
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_DEPTHWISE_KERNEL, &n);

  if (raw == NULL)
    raw = hls_emit_raw (emit, layer, NN_ROLE_KERNEL, &n);
  if (raw == NULL || n % n_out != 0)
    return unsupported (layer, "it has no weights", error);
  if (!hls_emit_typedef (emit, layer, "weight_t", &p->weight, error) || !hls_emit_typedef (emit, layer, "bias_t", &p->bias, error) ||
      !hls_emit_typedef (emit, layer, "accum_t", &p->accum, error) ||
      !hls_emit_values (emit, layer, weights, "weight_t", layer->label, &p->weight, raw, n, error) ||
      !hls_emit_values (emit, layer, biases, "bias_t", layer->label, &p->bias, bias != NULL ? bias : zeros, n_out, error))
    return FALSE;
  layer->n_multipliers = (n + MAX (p->reuse_factor, 1) - 1) / MAX (p->reuse_factor, 1);
  layer->kernel = g_strdup ("depthwise, all taps of all channels at once");
  g_string_append_printf (emit->configs, "struct config%u_matrix {\n", layer->number);
  field (emit, "n_in", n / n_out);
  field (emit, "n_out", n_out);
  field (emit, "n_weights", n);
  field (emit, "reuse_factor", MAX (p->reuse_factor, 1));
  field (emit, "multiplier_limit", layer->n_multipliers);
  field (emit, "depth_multiplier", n_out / MAX ((gsize) nn_shape_last (&nn_graph_node (emit->graph, layer->node->inputs[0])->shape), 1));
  type_field (emit, layer, "weight_t");
  type_field (emit, layer, "bias_t");
  type_field (emit, layer, "accum_t");
  g_string_append (emit->configs, "    typedef nnet::product::mult product;\n"
                                  "    typedef nnet::finish_cast finish;\n"
                                  "    template <class data_T, class res_T, class CONFIG_T>\n"
                                  "    using kernel = nnet::depthwise_kernel<data_T, res_T, CONFIG_T>;\n");
  end_config (emit);
  begin_config (emit, layer);
  window_fields (emit, layer);
  field (emit, "parallelization", emit->stream ? 1 : MAX (p->parallelization, 1));
  g_string_append_printf (emit->configs, "    typedef config%u_matrix matrix;\n", layer->number);
  end_config (emit);
  call (emit, layer, "conv", NULL, arguments);
  return TRUE;
}

static gboolean
write_pool (HlsEmit   *emit,
            HlsLayer  *layer,
            GError   **error)
{
  gboolean average = layer->node->op == NN_OP_AVG_POOL1D || layer->node->op == NN_OP_AVG_POOL2D;

  if (has_bits (emit, layer))
    return unsupported (layer, "pooling of signs is not supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  begin_config (emit, layer);
  window_fields (emit, layer);
  type_field (emit, layer, "accum_t");
  g_string_append_printf (emit->configs, "    static const bool count_pad = %s;\n",
                          layer->node->attrs.count_pad ? "true" : "false");
  end_config (emit);
  call (emit, layer, "slide", average ? "nnet::pool_average" : "nnet::pool_max", NULL);
  return TRUE;
}

/* One window as large as the image. */
static gboolean
write_global_pool (HlsEmit   *emit,
                   HlsLayer  *layer,
                   GError   **error)
{
  static const char *const axes[] = { "height", "width" };
  gsize in[3];

  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  image (&nn_graph_node (emit->graph, layer->node->inputs[0])->shape, in);
  if (layer->count != in[2])
    return unsupported (layer, "only pooling over all positions, channels last, is supported", error);
  begin_config (emit, layer);
  for (guint a = 0; a < 2; a++)
    g_string_append_printf (emit->configs,
                            "    static const unsigned in_%s = %" G_GSIZE_FORMAT ";\n"
                            "    static const unsigned out_%s = 1;\n"
                            "    static const unsigned kernel_%s = %" G_GSIZE_FORMAT ";\n"
                            "    static const unsigned stride_%s = 1;\n"
                            "    static const unsigned dilation_%s = 1;\n",
                            axes[a], in[a], axes[a], axes[a], in[a], axes[a], axes[a]);
  field (emit, "pad_top", 0);
  field (emit, "pad_left", 0);
  field (emit, "n_chan", in[2]);
  field (emit, "n_filt", in[2]);
  field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
  type_field (emit, layer, "accum_t");
  g_string_append (emit->configs, "    static const bool count_pad = true;\n");
  end_config (emit);
  call (emit, layer, "slide", layer->node->op == NN_OP_GLOBAL_AVG_POOL ? "nnet::pool_average" : "nnet::pool_max", NULL);
  return TRUE;
}

static void
call_function (HlsEmit    *emit,
               HlsLayer   *layer,
               const char *functor)
{
  gboolean bit = layer->plan->input.kind == NN_TYPE_BINARY;
  g_autofree char *name = g_strdup_printf ("%snnet::%s%s", bit ? "nnet::from_bit<" : "", functor, bit ? ">" : "");

  call (emit, layer, "map", name, NULL);
}

static gboolean
write_scale (HlsEmit   *emit,
             HlsLayer  *layer,
             GError   **error)
{
  const NnLayerPlan *p = layer->plan;
  gsize n, n_bias;
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_SCALE, &n), *bias = hls_emit_raw (emit, layer, NN_ROLE_BIAS, &n_bias);
  g_autofree gint64 *zeros = NULL;
  g_autofree char *scales = g_strdup_printf ("s%u", layer->number), *biases = g_strdup_printf ("b%u", layer->number);

  if (raw == NULL || layer->count % n != 0)
    return unsupported (layer, "only one factor for each channel is supported", error);
  zeros = g_new0 (gint64, n);
  if (!hls_emit_typedef (emit, layer, "scale_t", &p->scale, error) || !hls_emit_typedef (emit, layer, "bias_t", &p->bias, error) ||
      !hls_emit_values (emit, layer, scales, "scale_t", layer->label, &p->scale, raw, n, error) ||
      !hls_emit_values (emit, layer, biases, "bias_t", layer->label, &p->bias, bias != NULL && n_bias == n ? bias : zeros, n, error))
    return FALSE;
  begin_array_config (emit, layer);
  field (emit, "n_channels", n);
  type_field (emit, layer, "scale_t");
  type_field (emit, layer, "bias_t");
  g_string_append_printf (emit->configs,
                          "    static scale_t factor(unsigned c) { return s%u[c]; }\n"
                          "    static bias_t offset(unsigned c) { return b%u[c]; }\n",
                          layer->number, layer->number);
  end_config (emit);
  layer->n_multipliers = emit->stream ? n : layer->count;
  call_function (emit, layer, "scale");
  return TRUE;
}

/* A table of the bit-accurate engine as data. @which as for nn_fixed_table(). */
static gboolean
write_table (HlsEmit     *emit,
             HlsLayer    *layer,
             const char  *which,
             const char  *name,
             GError     **error)
{
  g_autofree gint64 *raw = NULL;
  g_autofree char *array = g_strdup_printf ("%s%u", name, layer->number), *type_name = g_strdup_printf ("%s_t", name);
  NnType type;
  guint n;

  raw = nn_fixed_table (layer->node, layer->plan, which, &n, &type);
  if (raw == NULL || n == 0)
    return unsupported (layer, "its function has no table", error);
  if (!hls_emit_typedef (emit, layer, type_name, &type, error) ||
      !hls_emit_values (emit, layer, array, type_name, layer->label, &type, raw, n, error))
    return FALSE;
  g_string_append_printf (emit->configs, "    static const unsigned %s_size = %u;\n", name, n);
  type_field (emit, layer, type_name);
  g_string_append_printf (emit->configs, "    static %s %s(unsigned i) { return %s[i]; }\n", type_name, name, array);
  return TRUE;
}

static gboolean
write_softmax (HlsEmit   *emit,
               HlsLayer  *layer,
               GError   **error)
{
  static const char *const names[] = { "stable", "stable", "latency", "legacy", "argmax" };
  const NnLayerPlan *p = layer->plan;

  if (layer->node->attrs.axis >= 0 && (guint) layer->node->attrs.axis + 1 != layer->node->shape.rank)
    return unsupported (layer, "softmax is supported along the last axis", error);
  begin_array_config (emit, layer);
  field (emit, "n_channels", channels (layer));
  g_string_append_printf (emit->configs, "    typedef nnet::softmax_%s implementation;\n", names[p->softmax]);
  if (p->softmax != NN_SOFTMAX_ARGMAX)
    {
      if (!write_table (emit, layer, "exp", "exp_table", error) || !write_table (emit, layer, "inv", "inv_table", error))
        return FALSE;
      if (p->softmax != NN_SOFTMAX_LEGACY)
        {
          if (!hls_emit_typedef (emit, layer, "accum_t", &p->accum, error) ||
              !hls_emit_typedef (emit, layer, "inv_inp_t", &p->inv_inp, error) ||
              !hls_emit_typedef (emit, layer, "inp_norm_t", &p->inp_norm, error))
            return FALSE;
          type_field (emit, layer, "accum_t");
          type_field (emit, layer, "inv_inp_t");
          type_field (emit, layer, "inp_norm_t");
        }
      else
        {
          if (!hls_emit_typedef (emit, layer, "table_t", &p->table, error))
            return FALSE;
          type_field (emit, layer, "table_t");
        }
    }
  end_config (emit);
  call (emit, layer, "layer", "nnet::softmax", NULL);
  return TRUE;
}

/* A constant of the struct: `static param_t NAME() { return VALUE; }` */
static void
constant (HlsEmit    *emit,
          const char *type,
          const char *name,
          double      value)
{
  g_autofree char *text = nn_text_from_double (value);

  g_string_append_printf (emit->configs, "    static %s %s() { return %s(%s); }\n", type, name, type, text);
}

typedef struct {
  NnAct       act;
  const char *functor;
  guint       range; /* numbers that the table spans, 0 where there is none */
} Function;

/* Ranges: hls4ml, nnet_activation.h. */
static const Function functions[] = {
  { NN_ACT_LINEAR, "linear", 0 },
  { NN_ACT_QUANTIZED, "linear", 0 },
  { NN_ACT_RELU, "relu", 0 },
  { NN_ACT_LEAKY_RELU, "leaky_relu", 0 },
  { NN_ACT_THRESHOLDED_RELU, "thresholded_relu", 0 },
  { NN_ACT_ELU, "elu", 8 },
  { NN_ACT_SELU, "selu", 8 },
  { NN_ACT_SIGMOID, "table_function", 16 },
  { NN_ACT_TANH, "table_function", 8 },
  { NN_ACT_SOFTPLUS, "table_function", 16 },
  { NN_ACT_SOFTSIGN, "table_function", 16 },
  { NN_ACT_HARD_SIGMOID, "hard_sigmoid", 0 },
  { NN_ACT_HARD_TANH, "hard_tanh", 0 },
  { NN_ACT_TERNARY_TANH, "ternary_tanh", 0 },
  { NN_ACT_BINARY_TANH, "binary_tanh", 0 },
  { NN_ACT_GELU, "table_function", 16 },
  { NN_ACT_SWISH, "table_function", 16 },
  { NN_ACT_MISH, "table_function", 16 },
  { NN_ACT_EXPONENTIAL, "table_function", 16 },
  { NN_ACT_SIN, "table_function", 16 },
  { NN_ACT_COS, "table_function", 16 },
};

/* A bound on the grid of the input: `static param_t NAME()`. FALSE where no input reaches it. */
static gboolean
bound (HlsEmit     *emit,
       HlsLayer    *layer,
       const char  *name,
       double       value,
       GError     **error)
{
  NnType type = layer->plan->input;
  double lsb = nn_type_lsb (&type);

  if (type.kind != NN_TYPE_FIXED)
    type = NN_FIXED (2, 2), lsb = 1;
  value = CLAMP (floor (value / lsb) * lsb, nn_type_min (&type) - lsb, nn_type_max (&type));
  type = (NnType){ .kind = NN_TYPE_FIXED, .width = MIN (type.width + 2, NN_TYPE_MAX_WIDTH), .is_signed = TRUE };
  type.integer = type.width - nn_type_fraction (&layer->plan->input);
  if (layer->plan->input.kind != NN_TYPE_FIXED)
    type.integer = type.width;
  if (!hls_emit_typedef (emit, layer, "param_t", &type, error))
    return FALSE;
  type_field (emit, layer, "param_t");
  constant (emit, "param_t", name, value);
  return TRUE;
}

static gboolean
slope (HlsEmit   *emit,
       HlsLayer  *layer,
       double     value,
       GError   **error)
{
  if (!hls_emit_typedef (emit, layer, "param_t", &layer->plan->weight, error))
    return FALSE;
  type_field (emit, layer, "param_t");
  constant (emit, "param_t", "alpha", value);
  return TRUE;
}

/* Slope and shift as the bit-accurate engine has them (hls4ml, hard_sigmoid). */
static gboolean
hard_parameters (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  const NnAttrs *attrs = &layer->node->attrs;
  gboolean half = attrs->slope == 0.5;
  NnType slope_type = half ? NN_UFIXED (2, 0) : NN_UFIXED (16, 0), shift_type = NN_FIXED (24, 8);

  if (!hls_emit_typedef (emit, layer, "slope_t", &slope_type, error) ||
      !hls_emit_typedef (emit, layer, "shift_t", &shift_type, error))
    return FALSE;
  type_field (emit, layer, "slope_t");
  type_field (emit, layer, "shift_t");
  constant (emit, "slope_t", "slope", attrs->slope != 0 ? attrs->slope : 0.2);
  constant (emit, "shift_t", "shift", attrs->slope != 0 ? attrs->shift : 0.5);
  return TRUE;
}

/* ReLU with Keras's parameters; what it becomes. */
static gboolean
relu_parameters (HlsEmit     *emit,
                 HlsLayer    *layer,
                 const char **functor,
                 GError     **error)
{
  const NnAttrs *attrs = &layer->node->attrs;

  if (attrs->alpha != 0 && (attrs->max_value != 0 || attrs->threshold != 0))
    return unsupported (layer, "a ReLU with a slope and a bound at once is not supported", error);
  if (attrs->threshold != 0 && attrs->max_value != 0)
    return unsupported (layer, "a ReLU with a threshold and a ceiling at once is not supported", error);
  if (attrs->alpha != 0)
    {
      *functor = "leaky_relu";
      return slope (emit, layer, attrs->alpha, error);
    }
  if (attrs->threshold != 0)
    {
      *functor = "thresholded_relu";
      return bound (emit, layer, "alpha", attrs->threshold, error);
    }
  if (attrs->max_value == 0)
    return TRUE;
  *functor = "relu_max";
  return bound (emit, layer, "maximum", attrs->max_value, error);
}

static gboolean
parameters (HlsEmit     *emit,
            HlsLayer    *layer,
            const char **functor,
            GError     **error)
{
  const NnAttrs *attrs = &layer->node->attrs;

  switch (layer->node->op == NN_OP_QUANTIZE ? NN_ACT_LINEAR : attrs->act)
    {
    case NN_ACT_RELU:
      return relu_parameters (emit, layer, functor, error);
    case NN_ACT_LEAKY_RELU:
      return slope (emit, layer, attrs->alpha, error);
    case NN_ACT_ELU:
      return slope (emit, layer, attrs->alpha != 0 ? attrs->alpha : 1, error);
    case NN_ACT_THRESHOLDED_RELU:
      return bound (emit, layer, "alpha", attrs->threshold, error);
    case NN_ACT_HARD_SIGMOID:
    case NN_ACT_HARD_TANH:
      return hard_parameters (emit, layer, error);
    case NN_ACT_BINARY_TANH:
      *functor = layer->plan->result.kind == NN_TYPE_BINARY ? "binary_sign" : "binary_tanh";
      return TRUE;
    default:
      return TRUE;
    }
}

/* Thresholds in place of a batch normalisation before a sign. */
static gboolean
write_thresholds (HlsEmit   *emit,
                  HlsLayer  *layer,
                  GError   **error)
{
  gboolean ternary = layer->node->attrs.act == NN_ACT_TERNARY_TANH;
  gsize n, n_low;
  const gint64 *high = hls_emit_raw (emit, layer, NN_ROLE_OTHER, &n), *low = hls_emit_raw (emit, layer, NN_ROLE_ALPHA, &n_low);
  g_autofree char *name = g_strdup_printf ("t%u", layer->number), *low_name = g_strdup_printf ("l%u", layer->number);
  /* thresholds are any code of the type, also one that its overflow mode would not give */
  NnType plain = layer->plan->weight, *type = &plain;

  plain.rounding = NN_ROUND_TRN;
  plain.overflow = NN_OVERFLOW_WRAP;
  if (high == NULL || (ternary && n_low != n))
    return unsupported (layer, "its thresholds are missing", error);
  if (!hls_emit_typedef (emit, layer, "param_t", type, error) ||
      !hls_emit_values (emit, layer, name, "param_t", "Thresholds", type, high, n, error) ||
      (ternary && !hls_emit_values (emit, layer, low_name, "param_t", "Lower thresholds", type, low, n, error)))
    return FALSE;
  begin_array_config (emit, layer);
  field (emit, "n_channels", n);
  type_field (emit, layer, "param_t");
  g_string_append_printf (emit->configs, "    static param_t threshold(unsigned c) { return %s[c]; }\n", name);
  if (ternary)
    g_string_append_printf (emit->configs, "    static param_t lower(unsigned c) { return %s[c]; }\n", low_name);
  end_config (emit);
  call_function (emit, layer, ternary ? "ternary_threshold" : "binary_threshold");
  return TRUE;
}

static gboolean
write_activation (HlsEmit   *emit,
                  HlsLayer  *layer,
                  GError   **error)
{
  NnAct act = layer->node->op == NN_OP_QUANTIZE ? NN_ACT_LINEAR : layer->node->attrs.act;
  const Function *function = NULL;
  const char *functor;

  if (act == NN_ACT_SOFTMAX && !layer->plan->skip)
    return write_softmax (emit, layer, error);
  if (act == NN_ACT_SOFTMAX)
    act = NN_ACT_LINEAR;
  if (g_strcmp0 (layer->node->class_name, "BatchNormalizationQuantizedTanh") == 0)
    return write_thresholds (emit, layer, error);
  for (guint k = 0; k < G_N_ELEMENTS (functions); k++)
    if (functions[k].act == act)
      function = &functions[k];
  if (function == NULL)
    return unsupported (layer, "there is no kernel for this activation", error);
  functor = function->functor;
  begin_array_config (emit, layer);
  if (!parameters (emit, layer, &functor, error))
    return FALSE;
  if (function->range > 0)
    {
      if (!write_table (emit, layer, "table", "table", error))
        return FALSE;
      field (emit, "table_range", function->range);
    }
  end_config (emit);
  call_function (emit, layer, functor);
  return TRUE;
}

/* The struct of one activation inside a recurrent layer; tables are shared by all units. */
static gboolean
write_gate (HlsEmit     *emit,
            HlsLayer    *layer,
            const char  *name,
            const char  *which,
            NnAct        act,
            double       slope_value,
            double       shift_value,
            GError     **error)
{
  gboolean half = slope_value == 0.5;
  g_autofree char *slope_name = g_strdup_printf ("%s_slope_t", name), *shift_name = g_strdup_printf ("%s_shift_t", name);
  NnType slope_type = half ? NN_UFIXED (2, 0) : NN_UFIXED (16, 0), shift_type = NN_FIXED (24, 8), type;
  const Function *function = NULL;
  g_autofree gint64 *raw = NULL;
  g_autofree char *array = g_strdup_printf ("%s%u", name, layer->number), *table_name = g_strdup_printf ("%s_table_t", name);
  guint n;

  for (guint k = 0; k < G_N_ELEMENTS (functions); k++)
    if (functions[k].act == act)
      function = &functions[k];
  if (function == NULL || (function->range == 0 && act != NN_ACT_LINEAR && act != NN_ACT_RELU && act != NN_ACT_HARD_SIGMOID && act != NN_ACT_HARD_TANH))
    return unsupported (layer, "there is no kernel for the activation of its gates", error);
  g_string_append_printf (emit->configs, "struct config%u_%s {\n    typedef nnet::%s function;\n", layer->number, name,
                          function->range > 0 ? "table_function" : function->functor);
  if (act == NN_ACT_HARD_SIGMOID || act == NN_ACT_HARD_TANH)
    {
      if (!hls_emit_typedef (emit, layer, slope_name, &slope_type, error) || !hls_emit_typedef (emit, layer, shift_name, &shift_type, error))
        return FALSE;
      g_string_append_printf (emit->configs, "    typedef layer%u_%s slope_t;\n    typedef layer%u_%s shift_t;\n", layer->number,
                              slope_name, layer->number, shift_name);
      constant (emit, "slope_t", "slope", slope_value);
      constant (emit, "shift_t", "shift", shift_value);
    }
  if (function->range > 0)
    {
      raw = nn_fixed_table (layer->node, layer->plan, which, &n, &type);
      if (!hls_emit_typedef (emit, layer, table_name, &type, error) ||
          !hls_emit_values (emit, layer, array, table_name, layer->label, &type, raw, n, error))
        return FALSE;
      field (emit, "table_size", n);
      field (emit, "table_range", act == NN_ACT_TANH ? 8 : 16);
      g_string_append_printf (emit->configs, "    static layer%u_%s table(unsigned i) { return %s[i]; }\n", layer->number, table_name, array);
    }
  end_config (emit);
  return TRUE;
}

static gboolean
write_recurrent_matrices (HlsEmit   *emit,
                          HlsLayer  *layer,
                          GError   **error)
{
  const NnLayerPlan *p = layer->plan;
  g_autofree char *config = g_strdup_printf ("config%u_matrix", layer->number), *state = g_strdup_printf ("config%u_state", layer->number);
  g_autofree char *first = NULL;
  gsize n_bias;
  const gint64 *bias = hls_emit_raw (emit, layer, NN_ROLE_BIAS, &n_bias);
  HlsMatrix matrix;

  main_matrix (emit, layer, &matrix);
  if (!hls_emit_matrix (emit, layer, &matrix, config, error))
    return FALSE;
  first = g_steal_pointer (&layer->kernel);
  matrix.prefix = "recurrent_";
  matrix.raw = hls_emit_raw (emit, layer, NN_ROLE_RECURRENT_KERNEL, NULL);
  matrix.bias = n_bias == 2 * (gsize) p->n_out ? bias + p->n_out : NULL;
  matrix.input_type = &p->result;
  matrix.weight_type = &p->recurrent_weight;
  matrix.bias_type = &p->recurrent_bias;
  matrix.n_in = p->recurrent_n_in;
  matrix.reuse_factor = MAX (p->recurrent_reuse_factor, 1);
  if (!hls_emit_matrix (emit, layer, &matrix, state, error))
    return FALSE;
  if (first != NULL)
    {
      g_autofree char *second = layer->kernel;

      layer->kernel = g_strdup_printf ("%s; state: %s", first, second);
    }
  return TRUE;
}

static gboolean
write_recurrent (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  const NnAttrs *a = &layer->node->attrs;
  NnOp op = layer->node->op;
  const char *step = op == NN_OP_LSTM ? "nnet::lstm_step" : op == NN_OP_GRU ? "nnet::gru_step" : "nnet::simple_step";
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u, wr%u, br%u", layer->number, layer->number, layer->number, layer->number);

  if (op == NN_OP_GRU && !a->reset_after)
    return unsupported (layer, "a GRU that resets before its product is not supported", error);
  if (has_bits (emit, layer) || layer->node->n_inputs != 1)
    return unsupported (layer, "one input of fixed point is supported", error);
  if (!write_recurrent_matrices (emit, layer, error) ||
      !write_gate (emit, layer, "gate", "recurrent", op == NN_OP_SIMPLE_RNN ? NN_ACT_LINEAR : a->recurrent_act,
                   a->recurrent_slope != 0 ? a->recurrent_slope : 0.2, a->recurrent_slope != 0 ? a->recurrent_shift : 0.5, error) ||
      !write_gate (emit, layer, "act", "table", a->act, 0.2, 0.5, error))
    return FALSE;
  begin_array_config (emit, layer);
  field (emit, "n_units", (gsize) a->units);
  field (emit, "n_steps", (gsize) nn_graph_node (emit->graph, layer->node->inputs[0])->shape.dims[0]);
  g_string_append_printf (emit->configs,
                          "    static const bool backwards = %s;\n    static const bool sequences = %s;\n"
                          "    typedef layer%u_accum_t accum_t;\n    typedef config%u_matrix matrix;\n"
                          "    typedef config%u_state state_matrix;\n    typedef config%u_gate gate_config;\n    typedef config%u_act act_config;\n",
                          a->go_backwards ? "true" : "false", a->return_sequences ? "true" : "false", layer->number, layer->number,
                          layer->number, layer->number, layer->number);
  end_config (emit);
  call (emit, layer, "recurrent", step, arguments);
  return TRUE;
}

static gboolean
write_row (HlsEmit       *emit,
           HlsLayer      *layer,
           const char    *function,
           const char    *letter,
           const char    *type_name,
           const NnType  *type,
           const gint64  *raw,
           gsize          n,
           int            otherwise,
           GError       **error)
{
  g_autofree char *array = g_strdup_printf ("%s%u", letter, layer->number);
  NnType bit = NN_UFIXED (1, 1);

  if (!hls_emit_typedef (emit, layer, type_name, raw != NULL ? type : &bit, error) ||
      (raw != NULL && !hls_emit_values (emit, layer, array, type_name, layer->label, type, raw, n, error)))
    return FALSE;
  type_field (emit, layer, type_name);
  if (raw != NULL)
    g_string_append_printf (emit->configs, "    static %s %s(unsigned i) { return %s[i]; }\n", type_name, function, array);
  else
    g_string_append_printf (emit->configs, "    static %s %s(unsigned) { return %s(%d); }\n", type_name, function, type_name, otherwise);
  return TRUE;
}

static gboolean
write_layer_norm (HlsEmit   *emit,
                  HlsLayer  *layer,
                  GError   **error)
{
  gsize n = channels (layer), n_scale = n, n_bias = n;
  const gint64 *gamma = hls_emit_raw (emit, layer, NN_ROLE_GAMMA, &n_scale), *beta = hls_emit_raw (emit, layer, NN_ROLE_BETA, &n_bias);

  if (gamma == NULL)
    gamma = hls_emit_raw (emit, layer, NN_ROLE_SCALE, &n_scale);
  if (beta == NULL)
    beta = hls_emit_raw (emit, layer, NN_ROLE_BIAS, &n_bias);
  if (has_bits (emit, layer) || (gamma != NULL && n_scale != n) || (beta != NULL && n_bias != n))
    return unsupported (layer, "normalising over the last axis of fixed-point numbers is supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  begin_array_config (emit, layer);
  field (emit, "n_channels", n);
  type_field (emit, layer, "accum_t");
  if (!write_table (emit, layer, "table", "table", error) ||
      !write_row (emit, layer, "factor", "s", "scale_t", &layer->plan->scale, gamma, n, 1, error) ||
      !write_row (emit, layer, "offset", "b", "bias_t", &layer->plan->bias, beta, n, 0, error))
    return FALSE;
  end_config (emit);
  call (emit, layer, "layer", "nnet::layer_norm", NULL);
  return TRUE;
}

static gboolean
write_embedding (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  gsize n, units = channels (layer);
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_EMBEDDINGS, &n);

  if (raw == NULL || n % units != 0 || has_bits (emit, layer))
    return unsupported (layer, "its table is missing", error);
  begin_array_config (emit, layer);
  field (emit, "n_units", units);
  field (emit, "n_rows", n / units);
  if (!write_row (emit, layer, "row", "e", "weight_t", &layer->plan->weight, raw, n, 0, error))
    return FALSE;
  end_config (emit);
  call (emit, layer, "layer", "nnet::embedding", NULL);
  return TRUE;
}

static gboolean
write_prelu (HlsEmit   *emit,
             HlsLayer  *layer,
             GError   **error)
{
  gsize n;
  const gint64 *raw = hls_emit_raw (emit, layer, NN_ROLE_ALPHA, &n);
  g_autofree char *name = g_strdup_printf ("a%u", layer->number);

  if (raw == NULL || n == 0 || layer->count % n != 0)
    return unsupported (layer, "its slopes do not fit its shape", error);
  if (!hls_emit_typedef (emit, layer, "param_t", &layer->plan->weight, error) ||
      !hls_emit_values (emit, layer, name, "param_t", layer->label, &layer->plan->weight, raw, n, error))
    return FALSE;
  begin_array_config (emit, layer);
  type_field (emit, layer, "param_t");
  g_string_append_printf (emit->configs, "    static param_t alpha(unsigned i) { return a%u[i %% %" G_GSIZE_FORMAT "]; }\n",
                          layer->number, n);
  end_config (emit);
  call (emit, layer, "map", "nnet::prelu", NULL);
  return TRUE;
}

/* Whether the smaller input is repeated as a whole, its axes being the last ones. */
static gboolean
repeats (const HlsEmit  *emit,
         const HlsLayer *layer,
         guint           k)
{
  const NnShape *in = &nn_graph_node (emit->graph, layer->node->inputs[k])->shape, *out = &layer->node->shape;
  gboolean ended = FALSE;

  for (guint d = 0; d < in->rank; d++)
    {
      gint64 extent = in->dims[in->rank - 1 - d];

      if (d >= out->rank || (extent != out->dims[out->rank - 1 - d] && extent != 1))
        return FALSE;
      if (ended && extent != 1)
        return FALSE;
      ended |= extent != out->dims[out->rank - 1 - d];
    }
  return TRUE;
}

static gboolean
write_merge (HlsEmit   *emit,
             HlsLayer  *layer,
             GError   **error)
{
  static const struct { NnOp op; const char *functor; } kinds[] = {
    { NN_OP_ADD, "nnet::merge_add" },         { NN_OP_SUBTRACT, "nnet::merge_subtract" },
    { NN_OP_MULTIPLY, "nnet::merge_multiply" }, { NN_OP_AVERAGE, "nnet::merge_average" },
    { NN_OP_MAXIMUM, "nnet::merge_maximum" }, { NN_OP_MINIMUM, "nnet::merge_minimum" },
  };
  const char *functor = NULL;

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    if (kinds[k].op == layer->node->op)
      functor = kinds[k].functor;
  if (functor == NULL || layer->node->n_inputs != 2)
    return unsupported (layer, "merging is supported for two inputs", error);
  if (!repeats (emit, layer, 0) || !repeats (emit, layer, 1) || has_bits (emit, layer))
    return unsupported (layer, "merging is supported for inputs of one shape, or one repeated along the first axes, of fixed point", error);
  begin_config (emit, layer);
  field (emit, "n_in1", input_count (emit, layer, 0));
  field (emit, "n_in2", input_count (emit, layer, 1));
  field (emit, "n_out", layer->count);
  field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
  end_config (emit);
  call (emit, layer, "merge", functor, NULL);
  return TRUE;
}

static gboolean
write_concatenate (HlsEmit   *emit,
                   HlsLayer  *layer,
                   GError   **error)
{
  const NnShape *a = &nn_graph_node (emit->graph, layer->node->inputs[0])->shape;
  gsize inner = 1, part1, part2;
  gint axis = layer->node->attrs.axis < 0 ? layer->node->attrs.axis + (gint) a->rank : layer->node->attrs.axis;

  if (layer->node->n_inputs != 2 || axis < 0 || axis >= (gint) a->rank)
    return unsupported (layer, "concatenation is supported for two inputs", error);
  for (guint d = (guint) axis; d < a->rank; d++)
    inner *= (gsize) a->dims[d];
  part1 = inner;
  part2 = part1 * input_count (emit, layer, 1) / MAX (input_count (emit, layer, 0), 1);
  begin_config (emit, layer);
  field (emit, "n_in1", input_count (emit, layer, 0));
  field (emit, "n_in2", input_count (emit, layer, 1));
  field (emit, "n_out", layer->count);
  field (emit, "n_part1", part1);
  field (emit, "n_part2", part2);
  end_config (emit);
  call (emit, layer, "layer2", "nnet::concatenate", NULL);
  return TRUE;
}

static gboolean
write_dot (HlsEmit   *emit,
           HlsLayer  *layer,
           GError   **error)
{
  if (layer->node->n_inputs != 2 || layer->count != 1)
    return unsupported (layer, "only the dot product of two vectors is supported", error);
  if (!hls_emit_typedef (emit, layer, "accum_t", &layer->plan->accum, error))
    return FALSE;
  begin_config (emit, layer);
  field (emit, "n_in1", input_count (emit, layer, 0));
  field (emit, "n_in2", input_count (emit, layer, 1));
  field (emit, "n_out", 1);
  field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
  type_field (emit, layer, "accum_t");
  end_config (emit);
  call (emit, layer, "layer2", "nnet::dot", NULL);
  return TRUE;
}

/* Where in the input the element at @at of the output stands. */
static gboolean
source_of (const NnNode  *node,
           const NnShape *in,
           const gint64  *at,
           gint64        *from)
{
  const NnAttrs *a = &node->attrs;
  guint rank = node->shape.rank, axes = rank >= 3 ? 2 : 1;
  guint axis = (guint) (a->axis < 0 ? a->axis + (gint) in->rank : a->axis);

  memcpy (from, at, sizeof (gint64) * NN_MAX_RANK);
  switch (node->op)
    {
    case NN_OP_PERMUTE:
      for (guint d = 0; d < rank; d++)
        from[a->perm[d]] = at[d];
      return TRUE;
    case NN_OP_ZERO_PAD:
    case NN_OP_CROP:
      for (guint k = 0; k < axes; k++)
        from[rank - 1 - axes + k] += (node->op == NN_OP_CROP ? 1 : -1) * a->pad[k][0];
      return TRUE;
    case NN_OP_UPSAMPLE:
      for (guint k = 0; k < axes; k++)
        from[rank - 1 - axes + k] /= MAX (a->size[k], 1);
      return TRUE;
    case NN_OP_SLICE:
      from[axis] = a->begin + at[axis] * a->step;
      return TRUE;
    case NN_OP_REVERSE:
      from[axis] = in->dims[axis] - 1 - at[axis];
      return TRUE;
    case NN_OP_REPEAT_VECTOR:
      from[0] = at[1];
      return TRUE;
    default:
      return FALSE;
    }
}

/* The input element of each output element; the number of input elements stands for zero. */
static gboolean
sources (const HlsEmit  *emit,
         const HlsLayer *layer,
         guint32        *indices)
{
  const NnShape *in = &nn_graph_node (emit->graph, layer->node->inputs[0])->shape, *out = &layer->node->shape;

  for (gsize i = 0; i < layer->count; i++)
    {
      gint64 at[NN_MAX_RANK] = { 0 }, from[NN_MAX_RANK] = { 0 };
      gsize rest = i, index = 0;
      gboolean outside = FALSE;

      for (guint d = out->rank; d-- > 0;)
        {
          at[d] = (gint64) (rest % (gsize) out->dims[d]);
          rest /= (gsize) out->dims[d];
        }
      if (!source_of (layer->node, in, at, from))
        return FALSE;
      for (guint d = 0; d < in->rank; d++)
        {
          outside |= from[d] < 0 || from[d] >= in->dims[d];
          index = index * (gsize) in->dims[d] + (gsize) MAX (from[d], 0);
        }
      indices[i] = (guint32) (outside ? nn_shape_count (in) : index);
    }
  return TRUE;
}

static gboolean
write_move (HlsEmit   *emit,
            HlsLayer  *layer,
            GError   **error)
{
  g_autofree guint32 *from = g_new (guint32, layer->count);
  g_autofree char *name = g_strdup_printf ("source%u", layer->number);

  if (layer->node->op == NN_OP_UPSAMPLE && layer->node->attrs.interpolation != NN_INTERPOLATION_NEAREST)
    return unsupported (layer, "only interpolation by the nearest neighbour is supported", error);
  if (!sources (emit, layer, from))
    return unsupported (layer, "there is no kernel for it", error);
  hls_emit_indices (emit, name, layer->label, from, layer->count);
  begin_array_config (emit, layer);
  g_string_append_printf (emit->configs, "    static unsigned source(unsigned i) { return source%u[i]; }\n", layer->number);
  end_config (emit);
  call (emit, layer, "layer", "nnet::move", NULL);
  return TRUE;
}

/* Where elements keep their order, only a stream's packets may change. */
static gboolean
write_reshape (HlsEmit   *emit,
               HlsLayer  *layer,
               GError   **error)
{
  g_autofree char *in = hls_emit_input (emit, layer, 0);
  const HlsLayer *source = hls_emit_source (emit, layer->node->inputs[0]);

  declare (emit, layer);
  g_string_append_printf (emit->calls, "    nnet::repack<%s_packet, %s_packet, %" G_GSIZE_FORMAT ">(%s, %s); // %s\n", source->type,
                          layer->type, layer->count, in, layer->value, layer->label);
  copy_stream (emit, layer);
  g_string_append_c (emit->calls, '\n');
  return TRUE;
}

static const Writer writers[NN_N_OPS] = {
  [NN_OP_DENSE] = write_dense,
  [NN_OP_CONV1D] = write_conv,
  [NN_OP_CONV2D] = write_conv,
  [NN_OP_DEPTHWISE_CONV1D] = write_depthwise,
  [NN_OP_DEPTHWISE_CONV2D] = write_depthwise,
  [NN_OP_SCALE] = write_scale,
  [NN_OP_BATCH_NORM] = write_scale,
  [NN_OP_ACTIVATION] = write_activation,
  [NN_OP_QUANTIZE] = write_activation,
  [NN_OP_PRELU] = write_prelu,
  [NN_OP_SIMPLE_RNN] = write_recurrent,
  [NN_OP_LSTM] = write_recurrent,
  [NN_OP_GRU] = write_recurrent,
  [NN_OP_LAYER_NORM] = write_layer_norm,
  [NN_OP_EMBEDDING] = write_embedding,
  [NN_OP_MAX_POOL1D] = write_pool,
  [NN_OP_MAX_POOL2D] = write_pool,
  [NN_OP_AVG_POOL1D] = write_pool,
  [NN_OP_AVG_POOL2D] = write_pool,
  [NN_OP_GLOBAL_MAX_POOL] = write_global_pool,
  [NN_OP_GLOBAL_AVG_POOL] = write_global_pool,
  [NN_OP_ADD] = write_merge,
  [NN_OP_SUBTRACT] = write_merge,
  [NN_OP_MULTIPLY] = write_merge,
  [NN_OP_AVERAGE] = write_merge,
  [NN_OP_MAXIMUM] = write_merge,
  [NN_OP_MINIMUM] = write_merge,
  [NN_OP_CONCATENATE] = write_concatenate,
  [NN_OP_DOT] = write_dot,
  [NN_OP_PERMUTE] = write_move,
  [NN_OP_ZERO_PAD] = write_move,
  [NN_OP_CROP] = write_move,
  [NN_OP_UPSAMPLE] = write_move,
  [NN_OP_REPEAT_VECTOR] = write_move,
  [NN_OP_SLICE] = write_move,
  [NN_OP_REVERSE] = write_move,
  [NN_OP_FLATTEN] = write_reshape,
  [NN_OP_RESHAPE] = write_reshape,
};

/**
 * hls_emit_layer:
 *
 * Errors: %HLS_ERROR_UNSUPPORTED for a layer without a kernel
 */
gboolean
hls_emit_layer (HlsEmit   *emit,
                HlsLayer  *layer,
                GError   **error)
{
  if (layer->node->op == NN_OP_INPUT)
    {
      copy_stream (emit, layer);
      return TRUE;
    }
  if (layer->alias != layer->number)
    return TRUE;
  if (writers[layer->node->op] == NULL)
    return unsupported (layer, "there is no HLS kernel for it", error);
  return writers[layer->node->op](emit, layer, error);
}
