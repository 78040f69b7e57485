/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a design, block of samples after block. */

#include "nn-fixed-kernels.h"
#include "nn-fixed-private.h"

#include "nn-error.h"
#include "nn-parallel.h"

#include <math.h>
#include <string.h>

#define FEW_LANES_BYTES (96u << 20) /* of one thread's layers, above which blocks are small */

gboolean
nn_fixed_unsupported (const NnFixedLayer *layer,
                      const char         *what,
                      GError            **error)
{
  g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "layer \"%s\" (%s): the bit-accurate engine cannot compute it: %s",
               layer->node->name, layer->node->class_name, what);
  return FALSE;
}

static gboolean
prepare_input (NnFixedLayer  *layer,
               GError       **error)
{
  return TRUE; /* filled from the caller's tensors */
}

typedef gboolean (*PrepareFunc) (NnFixedLayer *layer, GError **error);

static PrepareFunc
prepare_function (const NnNode *node)
{
  switch (node->op)
    {
    case NN_OP_INPUT:
      return prepare_input;
    case NN_OP_CONSTANT:
      return nn_fixed_prepare_constant;
    case NN_OP_DENSE:
    case NN_OP_CONV1D:
    case NN_OP_CONV2D:
    case NN_OP_DEPTHWISE_CONV1D:
    case NN_OP_DEPTHWISE_CONV2D:
    case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
      return nn_fixed_prepare_matrix;
    case NN_OP_SCALE:
      return nn_fixed_prepare_scale;
    case NN_OP_ACTIVATION:
      return node->attrs.act == NN_ACT_SOFTMAX ? nn_fixed_prepare_softmax : nn_fixed_prepare_activation;
    case NN_OP_PRELU:
    case NN_OP_QUANTIZE:
    case NN_OP_UNARY_LUT:
      return nn_fixed_prepare_activation;
    case NN_OP_LAYER_NORM:
      return nn_fixed_prepare_layer_norm;
    case NN_OP_SIMPLE_RNN:
    case NN_OP_LSTM:
    case NN_OP_GRU:
      return nn_fixed_prepare_recurrent;
    case NN_OP_EMBEDDING:
      return nn_fixed_prepare_embedding;
    case NN_OP_TREE_ENSEMBLE:
      return nn_fixed_prepare_trees;
    default:
      break;
    }
  switch (nn_op_info (node->op)->op_class)
    {
    case NN_OP_CLASS_POOL:
      return nn_fixed_prepare_pool;
    case NN_OP_CLASS_MERGE:
      return nn_fixed_prepare_merge;
    case NN_OP_CLASS_SHAPE:
      return nn_fixed_prepare_shape;
    default:
      return NULL;
    }
}

/**
 * Engine: a design made ready.
 * @layers: (array length=n)
 * @place: (array length=n): where a layer's columns begin, among @n_columns; a place is taken again once nobody reads it
 * @scratch: bytes that the hungriest of them needs
 * @n_values: of all layers together
 */
typedef struct {
  const NnDesign *design;
  const NnGraph  *graph;
  NnFixedLayer   *layers;
  gsize          *place;
  guint           n;
  gsize           scratch, n_values, n_columns;
} Engine;

static void
engine_free (Engine *engine)
{
  for (guint i = 0; i < engine->n; i++)
    {
      if (engine->layers[i].free_state != NULL)
        engine->layers[i].free_state (engine->layers[i].state);
      g_free (engine->layers[i].inputs);
    }
  g_free (engine->layers);
  g_free (engine->place);
  g_free (engine);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Engine, engine_free)

static void
describe_input (const Engine *engine,
                guint         node,
                NnFixedInput *input)
{
  const NnType *type = &nn_design_plan (engine->design, node)->result;
  const NnNode *from = nn_graph_node (engine->graph, node);

  *input = (NnFixedInput){ .node = node, .n = nn_shape_count (&from->shape), .shape = from->shape, .type = *type };
  input->bits = nn_type_bits (type);
  input->is_binary = type->kind == NN_TYPE_BINARY;
  input->fraction = type->kind == NN_TYPE_FIXED ? nn_type_fraction (type) : 0;
}

static gboolean
prepare_layer (Engine  *engine,
               guint    i,
               GError **error)
{
  NnFixedLayer *layer = &engine->layers[i];
  PrepareFunc prepare;

  layer->design = engine->design;
  layer->node = nn_graph_node (engine->graph, i);
  layer->plan = nn_design_plan (engine->design, i);
  layer->index = i;
  layer->n = nn_shape_count (&layer->node->shape);
  layer->inputs = g_new0 (NnFixedInput, layer->node->n_inputs + 1);
  for (guint k = 0; k < layer->node->n_inputs; k++)
    describe_input (engine, layer->node->inputs[k], &layer->inputs[k]);
  if (layer->n > G_MAXINT32 / 2)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "layer \"%s\" has too many outputs", layer->node->name);
      return FALSE;
    }
  prepare = prepare_function (layer->node);
  if (prepare == NULL)
    return nn_fixed_unsupported (layer, "there is no kernel for it", error);
  if (!prepare (layer, error))
    return FALSE;
  engine->scratch = MAX (engine->scratch, layer->scratch);
  engine->n_values += layer->n;
  return TRUE;
}

static guint
last_reader (const Engine *engine,
             guint         i)
{
  guint n, last = i;
  const guint *readers = nn_graph_consumers (engine->graph, i, &n);

  for (guint k = 0; k < n; k++)
    last = MAX (last, readers[k]);
  return last;
}

/* The lowest place that no layer still read has a part of. */
static void
find_places (Engine *engine)
{
  g_autofree guint *last = g_new (guint, engine->n);

  engine->place = g_new0 (gsize, engine->n);
  for (guint i = 0; i < engine->n; i++)
    {
      gsize place = 0;
      gboolean moved = TRUE;

      last[i] = last_reader (engine, i);
      while (moved)
        {
          moved = FALSE;
          for (guint k = 0; k < i; k++)
            if (last[k] >= i && place < engine->place[k] + engine->layers[k].n && engine->place[k] < place + engine->layers[i].n)
              {
                place = engine->place[k] + engine->layers[k].n;
                moved = TRUE;
              }
        }
      engine->place[i] = place;
      engine->n_columns = MAX (engine->n_columns, place + engine->layers[i].n);
    }
}

static Engine *
engine_new (const NnDesign  *design,
            GError         **error)
{
  g_autoptr (Engine) engine = g_new0 (Engine, 1);

  engine->design = design;
  engine->graph = nn_model_graph (nn_design_model (design));
  engine->n = nn_graph_n_nodes (engine->graph);
  engine->layers = g_new0 (NnFixedLayer, engine->n);
  for (guint i = 0; i < engine->n; i++)
    if (!prepare_layer (engine, i, error))
      return NULL;
  find_places (engine);
  return g_steal_pointer (&engine);
}

/**
 * Batch: one call's work.
 * @traces: (nullable): by node, all its values
 * @overflows: (nullable): chunk after chunk, one count a node
 */
typedef struct {
  const Engine *engine;
  NnTensor     *const *inputs;
  NnTensor    **traces;
  gsize         n_samples, lanes, block;
  guint64      *overflows;
  GCancellable *cancellable;
} Batch;

/* Whether a kernel may round reals to the type; the others and those out of its reach go through nn_type_quantize(). */
static gboolean
has_quick_load (const NnType *type)
{
  return type->kind == NN_TYPE_FIXED && (type->rounding == NN_ROUND_TRN || type->rounding == NN_ROUND_RND) && type->width <= 62 &&
         ABS (nn_type_fraction (type)) <= 100;
}

static void
load_column (const NnType *type,
             const NnCast *cast,
             const double *v,
             gsize         stride,
             gint64       *out,
             gsize         n,
             guint64      *overflows)
{
  if (has_quick_load (type) &&
      nn_fixed_kernels ()->load (out, v, stride, n, ldexp (1, nn_type_fraction (type)), type->rounding == NN_ROUND_RND))
    {
      nn_cast_column (cast, out, out, n, overflows);
      return;
    }
  for (gsize b = 0; b < n; b++)
    {
      gboolean over = FALSE;

      out[b] = nn_type_quantize (type, v[b * stride], &over);
      if (overflows != NULL)
        *overflows += over;
    }
}

static void
load_input (const Batch *batch,
            NnFixedRun  *run,
            guint        node,
            guint        k,
            gsize        first)
{
  const NnFixedLayer *layer = &batch->engine->layers[node];
  const NnType *type = &layer->plan->result;
  const NnTensor *tensor = batch->inputs[k];
  const double *reals = tensor->dtype == NN_DTYPE_F64 ? (const double *) tensor->data + first * layer->n : NULL;
  gint64 *out = run->values[node];
  double v[NN_FIXED_LANES];
  NnCast cast;

  nn_cast_init (&cast, 62, TRUE, type->kind == NN_TYPE_FIXED ? nn_type_fraction (type) : 0, type);
  for (gsize f = 0; f < layer->n; f++)
    {
      for (gsize b = 0; reals == NULL && b < run->active; b++)
        v[b] = nn_tensor_get (tensor, (first + b) * layer->n + f);
      load_column (type, &cast, reals != NULL ? reals + f : v, reals != NULL ? layer->n : 1, out + f * run->lanes, run->active,
                   run->overflows != NULL ? &run->overflows[node] : NULL);
      for (gsize b = run->active; b < run->lanes; b++)
        out[f * run->lanes + b] = 0;
    }
}

static void
store_trace (const Batch      *batch,
             const NnFixedRun *run,
             guint             node,
             gsize             first)
{
  const NnFixedLayer *layer = &batch->engine->layers[node];
  double *out = nn_tensor_f64 (batch->traces[node]) + first * layer->n;
  double lsb = nn_type_lsb (&layer->plan->result);
  gboolean plain = layer->plan->result.kind == NN_TYPE_FIXED && layer->plan->result.width < 64;
  const gint64 *in = run->values[node];

  for (gsize b = 0; b < run->active; b++)
    for (gsize f = 0; f < layer->n; f++)
      {
        gint64 raw = in[f * run->lanes + b];

        out[b * layer->n + f] = plain ? (double) raw * lsb : nn_type_real (&layer->plan->result, raw);
      }
}

static void
run_block (const Batch *batch,
           NnFixedRun  *run,
           gsize        first)
{
  const Engine *engine = batch->engine;
  guint n, k = 0;

  nn_graph_inputs (engine->graph, &n);
  run->active = MIN (run->lanes, batch->n_samples - first);
  for (guint i = 0; i < engine->n; i++)
    {
      const NnFixedLayer *layer = &engine->layers[i];

      if (layer->node->op == NN_OP_INPUT)
        load_input (batch, run, i, k++, first);
      else
        layer->run (layer, run);
      if (batch->traces[i] != NULL)
        store_trace (batch, run, i, first);
    }
}

static gpointer
aligned_alloc0 (gsize size)
{
  gpointer memory = g_aligned_alloc0 (1, (size + 63) & ~(gsize) 63, 64);

  return memory;
}

/* One chunk is one run of blocks; the chunks are fixed by the caller, not by the threads. */
static void
run_chunk (gsize    chunk,
           gsize    n_chunks,
           gpointer data)
{
  const Batch *batch = data;
  const Engine *engine = batch->engine;
  gsize n_blocks = (batch->n_samples + batch->lanes - 1) / batch->lanes;
  g_autofree gint64 **values = g_new (gint64 *, engine->n);
  NnFixedRun run = { .values = values, .lanes = batch->lanes };
  gint64 *memory = aligned_alloc0 (engine->n_columns * batch->lanes * sizeof (gint64) + 64);

  run.scratch = aligned_alloc0 (engine->scratch + 64);
  run.overflows = batch->overflows != NULL ? batch->overflows + chunk * engine->n : NULL;
  for (guint i = 0; i < engine->n; i++)
    values[i] = memory + engine->place[i] * batch->lanes;
  for (gsize block = chunk * n_blocks / n_chunks; block < (chunk + 1) * n_blocks / n_chunks; block++)
    if (!g_cancellable_is_cancelled (batch->cancellable))
      run_block (batch, &run, block * batch->lanes);
  g_aligned_free (run.scratch);
  g_aligned_free (memory);
}

static gboolean
check_inputs (const Engine     *engine,
              NnTensor *const  *inputs,
              gsize            *n_samples,
              GError          **error)
{
  guint n;
  const guint *nodes = nn_graph_inputs (engine->graph, &n);

  for (guint k = 0; k < n; k++)
    {
      const NnNode *node = nn_graph_node (engine->graph, nodes[k]);
      gsize per_sample = nn_shape_count (&node->shape), samples;

      if (inputs[k] == NULL || inputs[k]->shape.rank == 0 || per_sample == 0 || inputs[k]->n % per_sample != 0 ||
          inputs[k]->n / per_sample != (gsize) inputs[k]->shape.dims[0])
        {
          g_autofree char *wanted = nn_shape_to_string (&node->shape);
          g_autofree char *given = inputs[k] != NULL ? nn_shape_to_string (&inputs[k]->shape) : g_strdup ("nothing");

          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "input \"%s\" takes samples of %s; %s was given", node->name, wanted, given);
          return FALSE;
        }
      samples = (gsize) inputs[k]->shape.dims[0];
      if (k > 0 && samples != *n_samples)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the inputs differ in their number of samples");
          return FALSE;
        }
      *n_samples = samples;
    }
  return TRUE;
}

static NnTensor *
value_tensor (const NnNode  *node,
              gsize          n_samples,
              GError       **error)
{
  NnShape shape = { .rank = node->shape.rank + 1, .dims = { (gint64) n_samples } };

  if (shape.rank > NN_MAX_RANK)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "layer \"%s\" has too many axes", node->name);
      return NULL;
    }
  memcpy (shape.dims + 1, node->shape.dims, node->shape.rank * sizeof (gint64));
  return nn_tensor_try_new (NN_DTYPE_F64, &shape, error);
}

static gboolean
is_output (const Engine *engine,
           guint         i)
{
  guint n;
  const guint *outputs = nn_graph_outputs (engine->graph, &n);

  for (guint k = 0; k < n; k++)
    if (outputs[k] == i)
      return TRUE;
  return FALSE;
}

static void
free_tensors (NnTensor **tensors,
              guint      n)
{
  for (guint i = 0; tensors != NULL && i < n; i++)
    nn_tensor_unref (tensors[i]);
  g_free (tensors);
}

static void
add_overflows (const Batch *batch,
               gsize        n_chunks,
               guint64     *overflows)
{
  for (gsize chunk = 0; chunk < n_chunks; chunk++)
    for (guint i = 0; i < batch->engine->n; i++)
      overflows[i] += batch->overflows[chunk * batch->engine->n + i];
}

#define BLOCKS_PER_CHUNK 8

/* A slice of the samples, traced and handed on before the next, so that progress moves and memory stays small. */
static gboolean
run_slice (const Engine         *engine,
           NnTensor *const      *inputs,
           gsize                 n_samples,
           gsize                 lanes,
           NnTensor            **traces,
           guint64              *overflows,
           GCancellable         *cancellable,
           GError              **error)
{
  gsize n_blocks = (n_samples + lanes - 1) / lanes, n_chunks = (n_blocks + BLOCKS_PER_CHUNK - 1) / BLOCKS_PER_CHUNK;
  Batch batch = { .engine = engine, .inputs = inputs, .traces = traces, .n_samples = n_samples, .lanes = lanes,
                  .cancellable = cancellable };

  if (overflows != NULL)
    batch.overflows = g_new0 (guint64, n_chunks * engine->n);
  nn_parallel_for (n_chunks, run_chunk, &batch);
  if (overflows != NULL)
    add_overflows (&batch, n_chunks, overflows);
  g_free (batch.overflows);
  return !nn_progress_cancelled (cancellable, error);
}

static NnTensor **
slice_tensors (const Engine          *engine,
               const NnFixedOptions  *options,
               gsize                  n_samples,
               GError               **error)
{
  NnTensor **tensors = g_new0 (NnTensor *, engine->n);

  for (guint i = 0; i < engine->n; i++)
    if (is_output (engine, i) || (options != NULL && options->trace != NULL))
      {
        tensors[i] = value_tensor (engine->layers[i].node, n_samples, error);
        if (tensors[i] == NULL)
          {
            free_tensors (tensors, engine->n);
            return NULL;
          }
      }
  return tensors;
}

static gboolean
run_and_hand_on (const Engine          *engine,
                 NnTensor *const       *inputs,
                 gsize                  first,
                 gsize                  count,
                 gsize                  lanes,
                 const NnFixedOptions  *options,
                 NnTensor             **outputs,
                 GCancellable          *cancellable,
                 GError               **error)
{
  guint n_inputs, n_outputs;
  const guint *output_nodes = nn_graph_outputs (engine->graph, &n_outputs);
  NnTensor **values = slice_tensors (engine, options, count, error), **rows;
  gboolean done;

  if (values == NULL)
    return FALSE;
  nn_graph_inputs (engine->graph, &n_inputs);
  rows = g_new0 (NnTensor *, n_inputs);
  for (guint k = 0; k < n_inputs; k++)
    rows[k] = nn_tensor_rows (inputs[k], first, count);
  done = run_slice (engine, rows, count, lanes, values, options != NULL ? options->overflows : NULL, cancellable, error);
  for (guint i = 0; done && options != NULL && options->trace != NULL && i < engine->n; i++)
    options->trace (engine->layers[i].node, first, values[i], options->trace_data);
  for (guint k = 0; done && k < n_outputs; k++)
    {
      const NnTensor *part = values[output_nodes[k]];
      gsize row = engine->layers[output_nodes[k]].n;

      memcpy (nn_tensor_f64 (outputs[k]) + first * row, part->data, part->n * sizeof (double));
    }
  free_tensors (rows, n_inputs);
  free_tensors (values, engine->n);
  return done;
}

#define SLICE_BYTES (64u << 20) /* of traces held at once */

static gsize
slice_samples (const Engine *engine,
               gsize         lanes)
{
  gsize chunk = lanes * BLOCKS_PER_CHUNK, fit = SLICE_BYTES / (MAX (engine->n_values, 1) * sizeof (double));

  return MAX (fit / chunk, nn_parallel_get_threads ()) * chunk;
}

/**
 * nn_fixed_predict:
 * @inputs: (array): one tensor (samples, …) for each input of the network
 * @options: (nullable)
 *
 * Computes what the hardware will, to the last bit. The same result for any number of threads.
 *
 * Errors: %NN_ERROR_UNSUPPORTED naming a layer without a kernel, %NN_ERROR_SHAPE, %G_IO_ERROR_CANCELLED
 *
 * Returns: (transfer full) (array): one tensor (samples, …) of %NN_DTYPE_F64 for each output of the network; free
 * the elements and the array
 */
NnTensor **
nn_fixed_predict (const NnDesign        *design,
                  NnTensor *const       *inputs,
                  const NnFixedOptions  *options,
                  const NnProgress      *progress,
                  GCancellable          *cancellable,
                  GError               **error)
{
  g_autoptr (Engine) engine = engine_new (design, error);
  gsize n_samples = 0, lanes, step;
  NnTensor **outputs;
  guint n_outputs;
  const guint *nodes;

  if (engine == NULL || !check_inputs (engine, inputs, &n_samples, error))
    return NULL;
  lanes = engine->n_columns * NN_FIXED_LANES * sizeof (gint64) > FEW_LANES_BYTES ? NN_FIXED_FEW_LANES : NN_FIXED_LANES;
  step = slice_samples (engine, lanes);
  nodes = nn_graph_outputs (engine->graph, &n_outputs);
  outputs = g_new0 (NnTensor *, n_outputs + 1);
  for (guint k = 0; k < n_outputs; k++)
    {
      outputs[k] = value_tensor (engine->layers[nodes[k]].node, n_samples, error);
      if (outputs[k] == NULL)
        {
          free_tensors (outputs, n_outputs);
          return NULL;
        }
    }
  for (gsize first = 0; first < n_samples; first += step)
    {
      nn_progress_report (progress, (double) first / (double) n_samples, "bit-accurate prediction");
      if (!run_and_hand_on (engine, inputs, first, MIN (step, n_samples - first), lanes, options, outputs, cancellable, error))
        {
          free_tensors (outputs, n_outputs);
          return NULL;
        }
    }
  nn_progress_report (progress, 1, "bit-accurate prediction");
  return outputs;
}
