/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all layers share: variables, streams, structs and calls; the table of writers. */

#include "hls-layer-private.h"

#include "nn-error.h"
#include "nn-text.h"

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

/* The variable that input @k of @layer is read from; where only one may read it, each of several readers has its own copy. */
char *
hls_emit_input (HlsEmit        *emit,
                const HlsLayer *layer,
                guint           k)
{
  HlsLayer *source = (HlsLayer *) hls_emit_source (emit, layer->node->inputs[k]);

  if (!emit->split || source->n_readers <= 1)
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

/* A stream of packets of @type, or where the layers work side by side an array. */
void
hls_layer_stream (HlsEmit    *emit,
                  const char *type,
                  const char *name,
                  gsize       depth)
{
  g_string_append_printf (emit->calls,
                          "    NNET_CHANNEL(%s_packet, %s);\n"
                          "    NNET_FIFO(%s, %" G_GSIZE_FORMAT ")\n",
                          type, name, name, depth);
  g_string_append_printf (emit->memories, "catch {directive set /%s/%s:cns -FIFO_DEPTH %" G_GSIZE_FORMAT "}\n", emit->name, name,
                          depth);
}

static void
declare_variable (HlsEmit        *emit,
                  const HlsLayer *layer,
                  const char     *name)
{
  if (emit->stream)
    hls_layer_stream (emit, layer->type, name, fifo_depth (emit, layer));
  else
    g_string_append_printf (emit->calls, "    %s %s[%" G_GSIZE_FORMAT "];\n    NNET_PARTITION(%s)\n", layer->type, name, layer->count,
                            name);
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
void
hls_layer_declare (HlsEmit  *emit,
                   HlsLayer *layer)
{
  if (is_output (emit, layer) && (layer->n_readers <= 1 || !emit->split))
    return;
  declare_variable (emit, layer, layer->value);
}

/* Copies for all readers, two at a time. */
void
hls_layer_copies (HlsEmit  *emit,
                  HlsLayer *layer)
{
  g_autofree char *from = g_strdup (layer->value);

  if (!emit->split || layer->n_readers <= 1)
    return;
  for (guint k = 1; k < layer->n_readers; k++)
    {
      g_autofree char *first = g_strdup_printf ("%s_copy%u", layer->value, k);
      g_autofree char *second = k + 1 == layer->n_readers ? g_strdup_printf ("%s_copy%u", layer->value, k + 1)
                                                          : g_strdup_printf ("%s_rest%u", layer->value, k);
      gboolean port = k + 1 == layer->n_readers && is_output (emit, layer);

      declare_variable (emit, layer, first);
      if (port)
        {
          g_free (second);
          second = g_strdup_printf ("%s_port", layer->value);
        }
      else
        declare_variable (emit, layer, second);
      g_string_append_printf (emit->calls, "    nnet::clone<%s%s, %" G_GSIZE_FORMAT ">(%s, %s, %s);\n", layer->type,
                              emit->stream ? "_packet" : "", layer->count, from, first, second);
      g_free (from);
      from = g_strdup (second);
    }
}

/* Cycles between two samples of the layer, or two steps of its own loops: a kernel that shares its multipliers by a loop over memory
 * words starts a step every cycle; the others leave the sharing to the tool. */
static guint
block_interval (const HlsLayer *layer)
{
  const NnLayerPlan *p = layer->plan;
  gboolean by_loop = p->n_in > 0 && (p->strategy == NN_STRATEGY_RESOURCE || p->strategy == NN_STRATEGY_RESOURCE_UNROLLED ||
                                     p->strategy == NN_STRATEGY_COMPRESSED);

  return by_loop ? 1 : MAX (p->reuse_factor, 1);
}

/* Catapult's blocks between channels are functions of their own, each with its interval: one called @name around the call. @call: up to
 * the bracket */
static void
write_block (HlsEmit        *emit,
             const HlsLayer *layer,
             const char     *name,
             const char     *call,
             const char     *arguments)
{
  g_autofree char *type = hls_emit_stream_type (emit, layer);

  g_string_append_printf (emit->blocks, "// Layer \"%s\" (%s)\nNNET_LAYER(%u)\nstatic void %s(", layer->label, layer->class_label,
                          block_interval (layer), name);
  for (guint k = 0; k < layer->node->n_inputs; k++)
    {
      g_autofree char *in = hls_emit_stream_type (emit, hls_emit_source (emit, layer->node->inputs[k]));

      g_string_append_printf (emit->blocks, "nnet::stream<%s> &in%u, ", in, k + 1);
    }
  g_string_append_printf (emit->blocks, "nnet::stream<%s> &out) {\n    %s(", type, call);
  for (guint k = 0; k < layer->node->n_inputs; k++)
    g_string_append_printf (emit->blocks, "in%u, ", k + 1);
  g_string_append_printf (emit->blocks, "out%s);\n}\n\n", arguments);
}

/* `nnet::FUNCTION<types, configN>(inputs, output, weights); // name`. @functor (nullable) comes first among the types. */
void
hls_layer_call (HlsEmit    *emit,
                HlsLayer   *layer,
                const char *function,
                const char *functor,
                const char *arguments)
{
  gboolean block = emit->stream && emit->backend->backend == NN_BACKEND_CATAPULT;
  g_autofree char *type = hls_emit_stream_type (emit, layer), *call = NULL;
  GString *types = g_string_new (NULL), *inputs = g_string_new (NULL);

  for (guint k = 0; k < layer->node->n_inputs; k++)
    {
      g_autofree char *in = hls_emit_input (emit, layer, k);
      g_autofree char *in_type = hls_emit_stream_type (emit, hls_emit_source (emit, layer->node->inputs[k]));

      g_string_append_printf (types, "%s, ", in_type);
      g_string_append_printf (inputs, "%s, ", in);
    }
  hls_layer_declare (emit, layer);
  call = g_strdup_printf ("nnet::%s<%s%s%s%s, config%u>", function, functor != NULL ? functor : "", functor != NULL ? ", " : "", types->str,
                          type, layer->number);
  if (block)
    {
      g_autofree char *name = g_strdup_printf ("%s_config%u", function, layer->number); /* by which reports tell the layer */

      write_block (emit, layer, name, call, arguments != NULL ? arguments : "");
      g_free (call);
      call = g_steal_pointer (&name);
    }
  g_string_append_printf (emit->calls, "    %s(%s%s%s); // %s\n", call, inputs->str, layer->value,
                          arguments != NULL && !block ? arguments : "", layer->label);
  hls_layer_copies (emit, layer);
  g_string_append_c (emit->calls, '\n');
  g_string_free (types, TRUE);
  g_string_free (inputs, TRUE);
}

void
hls_layer_field (HlsEmit    *emit,
                 const char *name,
                 gsize       value)
{
  g_string_append_printf (emit->configs, "    static const unsigned %s = %" G_GSIZE_FORMAT ";\n", name, value);
}

void
hls_layer_type_field (HlsEmit        *emit,
                      const HlsLayer *layer,
                      const char     *name)
{
  g_string_append_printf (emit->configs, "    typedef layer%u_%s %s;\n", layer->number, name, name);
}

void
hls_layer_begin (HlsEmit        *emit,
                 const HlsLayer *layer)
{
  g_string_append_printf (emit->configs, "// Layer \"%s\" (%s)\nstruct config%u {\n", layer->label, layer->class_label,
                          layer->number);
}

void
hls_layer_end (HlsEmit *emit)
{
  g_string_append (emit->configs, "};\n\n");
}

gsize
hls_layer_input_count (const HlsEmit  *emit,
                       const HlsLayer *layer,
                       guint           k)
{
  return emit->layers[layer->node->inputs[k]].count;
}

gsize
hls_layer_channels (const HlsLayer *layer)
{
  return (gsize) MAX (nn_shape_last (&layer->node->shape), 1);
}

/* The usual beginning of a struct of a layer on whole arrays. */
void
hls_layer_begin_array (HlsEmit        *emit,
                       const HlsLayer *layer)
{
  hls_layer_begin (emit, layer);
  hls_layer_field (emit, "n_in", hls_layer_input_count (emit, layer, 0));
  hls_layer_field (emit, "n_out", layer->count);
  hls_layer_field (emit, "reuse_factor", MAX (layer->plan->reuse_factor, 1));
}

gboolean
hls_layer_unsupported (const HlsLayer  *layer,
                       const char      *what,
                       GError         **error)
{
  g_set_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED, "layer \"%s\" (%s): %s", layer->node->name, layer->node->class_name, what);
  return FALSE;
}

/* Signs stored as bits, which only products, activations and shapes know how to take. */
gboolean
hls_layer_has_bits (const HlsEmit  *emit,
                    const HlsLayer *layer)
{
  for (guint k = 0; k < layer->node->n_inputs; k++)
    if (nn_design_plan (emit->design, layer->node->inputs[k])->result.kind == NN_TYPE_BINARY)
      return TRUE;
  return FALSE;
}

void
hls_layer_matrix (const HlsEmit  *emit,
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

gboolean
hls_write_dense (HlsEmit   *emit,
                 HlsLayer  *layer,
                 GError   **error)
{
  g_autofree char *config = g_strdup_printf ("config%u", layer->number);
  g_autofree char *arguments = g_strdup_printf (", w%u, b%u", layer->number, layer->number);
  HlsMatrix matrix;

  hls_layer_matrix (emit, layer, &matrix);
  if (matrix.raw == NULL)
    return hls_layer_unsupported (layer, "it has no weights", error);
  if (layer->count != matrix.n_out || hls_layer_input_count (emit, layer, 0) != matrix.n_in)
    return hls_layer_unsupported (layer, "a dense layer on more than one axis is to be a pointwise convolution", error);
  if (!hls_emit_matrix (emit, layer, &matrix, config, error))
    return FALSE;
  hls_layer_call (emit, layer, "dense", NULL, arguments);
  return TRUE;
}

/* A constant of the struct: `static param_t NAME() { return VALUE; }` */
void
hls_layer_constant (HlsEmit    *emit,
                    const char *type,
                    const char *name,
                    double      value)
{
  g_autofree char *text = nn_text_from_double (value);

  g_string_append_printf (emit->configs, "    static %s %s() { return %s(%s); }\n", type, name, type, text);
}

static const Writer writers[NN_N_OPS] = {
  [NN_OP_DENSE] = hls_write_dense,
  [NN_OP_CONV1D] = hls_write_conv,
  [NN_OP_CONV2D] = hls_write_conv,
  [NN_OP_DEPTHWISE_CONV1D] = hls_write_depthwise,
  [NN_OP_DEPTHWISE_CONV2D] = hls_write_depthwise,
  [NN_OP_SCALE] = hls_write_scale,
  [NN_OP_BATCH_NORM] = hls_write_scale,
  [NN_OP_ACTIVATION] = hls_write_activation,
  [NN_OP_QUANTIZE] = hls_write_activation,
  [NN_OP_PRELU] = hls_write_prelu,
  [NN_OP_SIMPLE_RNN] = hls_write_recurrent,
  [NN_OP_LSTM] = hls_write_recurrent,
  [NN_OP_GRU] = hls_write_recurrent,
  [NN_OP_LAYER_NORM] = hls_write_layer_norm,
  [NN_OP_EMBEDDING] = hls_write_embedding,
  [NN_OP_TREE_ENSEMBLE] = hls_write_trees,
  [NN_OP_MAX_POOL1D] = hls_write_pool,
  [NN_OP_MAX_POOL2D] = hls_write_pool,
  [NN_OP_AVG_POOL1D] = hls_write_pool,
  [NN_OP_AVG_POOL2D] = hls_write_pool,
  [NN_OP_GLOBAL_MAX_POOL] = hls_write_global_pool,
  [NN_OP_GLOBAL_AVG_POOL] = hls_write_global_pool,
  [NN_OP_REDUCE_MEAN] = hls_write_global_pool,
  [NN_OP_REDUCE_SUM] = hls_write_global_pool,
  [NN_OP_REDUCE_MAX] = hls_write_global_pool,
  [NN_OP_CONSTANT] = hls_write_constant,
  [NN_OP_ADD] = hls_write_merge,
  [NN_OP_SUBTRACT] = hls_write_merge,
  [NN_OP_MULTIPLY] = hls_write_merge,
  [NN_OP_AVERAGE] = hls_write_merge,
  [NN_OP_MAXIMUM] = hls_write_merge,
  [NN_OP_MINIMUM] = hls_write_merge,
  [NN_OP_CONCATENATE] = hls_write_concatenate,
  [NN_OP_DOT] = hls_write_products,
  [NN_OP_MATMUL] = hls_write_products,
  [NN_OP_EINSUM] = hls_write_products,
  [NN_OP_UNARY_LUT] = hls_write_lookup,
  [NN_OP_CONV1D_TRANSPOSE] = hls_write_transposed,
  [NN_OP_CONV2D_TRANSPOSE] = hls_write_transposed,
  [NN_OP_PERMUTE] = hls_write_move,
  [NN_OP_ZERO_PAD] = hls_write_move,
  [NN_OP_CROP] = hls_write_move,
  [NN_OP_UPSAMPLE] = hls_write_move,
  [NN_OP_REPEAT_VECTOR] = hls_write_move,
  [NN_OP_SLICE] = hls_write_move,
  [NN_OP_REVERSE] = hls_write_move,
  [NN_OP_FLATTEN] = hls_write_reshape,
  [NN_OP_RESHAPE] = hls_write_reshape,
};

/* A port that no layer reads is there all the same, and its stream must not stand still. */
static void
leave_unread (HlsEmit        *emit,
              const HlsLayer *layer)
{
  if (emit->stream)
    g_string_append_printf (emit->calls, "    nnet::drain<%s_packet, %" G_GSIZE_FORMAT ">(%s); // no layer reads it\n", layer->type,
                            layer->count, layer->value);
  else
    g_string_append_printf (emit->calls, "    (void)%s; // no layer reads it\n", layer->value);
}

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
      if (layer->n_readers == 0)
        leave_unread (emit, layer);
      hls_layer_copies (emit, layer);
      return TRUE;
    }
  if (layer->alias != layer->number)
    return TRUE;
  if (writers[layer->node->op] == NULL)
    return hls_layer_unsupported (layer, "there is no HLS kernel for it", error);
  return writers[layer->node->op](emit, layer, error);
}
