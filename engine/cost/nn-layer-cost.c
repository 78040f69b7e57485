/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cost of one layer, by operator.
 *
 * Coefficients of layers without a matrix are means over the modules of the csynth reports named at each (stored public
 * projects, docs/benchmarks.md); their bounds span what was seen there.
 */

#include "nn-layer-cost-private.h"

#include "nn-design-trees.h"

#include <math.h>

/* relu, 16 bits in: 43 to 55 LUTs an element (argykokk_mlp, KebL, tutorial), 3 for each bit. */
#define RELU_LUT_BIT 3.0
/* leaky relu: a multiplier an element (KebL), 48 LUTs of 16 bits. */
#define LEAKY_LUT_BIT 3.0
/* A relu's comparison does not fit the cycle of the layer before it below these, in ns to be used: then its input and
 * result are held (argykokk_mlp at 2.9 and 4.4 ns; CL2TaggerFirmware at 2.0, alex-yang at 2.4). */
#define SLOW_COMPARE_NS 3.2
#define FAST_COMPARE_NS 2.2
#define SLOW_RELU_FF_BIT 2.05
#define FAST_RELU_FF_BIT 1.2
/* Softmax: 97 to 196 LUTs an output; one multiplication an output. Vitis HLS takes about a block an output (5, 10, 16
 * outputs: 5, 10, 16 blocks with 2021.1; 5, 6, 8: 8, 5, 10 with later ones), Vivado HLS one for two. Its cycles grow with
 * the tree of its sum: 8 and 14 (2 and 10 outputs, 4.4 ns), 16 (5 outputs, 2.9 ns) on slow parts, 6 to 8 on fast ones; each
 * output holds 13 to 15 FFs a cycle on slow parts, 7 to 21 on fast ones. */
#define SOFTMAX_LUT 140.0
#define SLOW_SOFTMAX_FF 14.0
#define FAST_SOFTMAX_FF 10.0
#define SOFTMAX_CYCLES_FAST 8
#define SOFTMAX_CYCLES_SLOW 6
#define SOFTMAX_CYCLES_SLOW_CLOCK 10
#define SOFTMAX_CYCLES_LEVEL 2
/* An activation by table: 142 LUTs an element (uwacme sigmoid). */
#define TABLE_LUT 140.0
/* Batch normalisation: 48 to 70 LUTs and 40 FFs an element of 16 bits. */
#define NORM_LUT_BIT 3.5
#define NORM_FF_BIT 2.5
/* Pooling in streams, 2x2 windows: 158 to 240 LUTs and 40 to 125 FFs a channel of 16 bits: by element of the window. */
#define POOL_LUT_BIT 3.0
#define POOL_FF_BIT 1.6
#define STREAM_POOL_FF_BIT 2.0
/* Padding and copying of streams: about 25 LUTs a channel. */
#define STREAM_LUT_CHANNEL 25.0
#define STREAM_LUT_BASE 120.0
/* Layer normalisation: sums, squares and a table of 1/sqrt (nnet_layernorm.h): counted from its operations. */
#define LAYER_NORM_DSP 3.0
/* Decision trees: 96148 LUTs, 42802 FFs and 12 cycles of 5 ns for 500 trees of 15 comparisons of 18 bits each (a VU9P), without a
 * multiplier or memory; 60 ns and 8 % of the device's LUTs stand in the abstract. Source: Summers et al., JINST 15 (2020) P05026. So a
 * comparison with a constant takes 0.4 LUTs a bit, choosing between two leaves 0.2; one bit of every sum in five is held. One network
 * is not many: bounds are WIDE_LOW and WIDE_HIGH. */
#define TREE_COMPARE_LUT_BIT 0.4
#define TREE_CHOOSE_LUT_BIT 0.2
#define TREE_CYCLE_NS 5.0
/* Additions in a cycle of 5 ns; comparing and choosing take a cycle for each so many levels. */
#define TREE_LEVELS_CYCLE 2.0
/* A FIFO with more bits than this is a memory, with fewer a shift register (UG1399, config_storage). */
#define FIFO_MEMORY_BITS 1024
#define WIDE_LOW 0.4
#define WIDE_HIGH 2.2

static double
product (const NnShape *shape,
         guint          n)
{
  double p = 1;

  for (guint d = 0; d < n; d++)
    p *= MAX (shape->dims[d], 1);
  return p;
}

static void
layer_init (NnCostedLayer     *l,
            const NnDesign    *design,
            guint              i,
            const NnLayerPlan *plan,
            const NnPart      *part)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  const NnShape *shape, *in;

  l->design = design;
  l->config = nn_design_config (design);
  l->node = nn_graph_node (graph, i);
  l->plan = plan;
  l->part = part;
  l->i = i;
  l->stream = nn_config_io_type (l->config) == NN_IO_STREAM;
  l->vivado = nn_config_backend (l->config) == NN_BACKEND_VIVADO;
  shape = &l->node->shape;
  in = l->node->n_inputs > 0 ? &nn_graph_node (graph, l->node->inputs[0])->shape : shape;
  l->channels = shape->rank > 0 ? MAX (shape->dims[shape->rank - 1], 1) : 1;
  l->positions = shape->rank > 1 ? product (shape, shape->rank - 1) : 1;
  l->in_positions = in->rank > 1 ? product (in, in->rank - 1) : 1;
  l->elements = l->stream ? l->channels : l->channels * l->positions;
}

/* Cycles of a layer that works element by element: at once in parallel, pixel by pixel in a stream. */
static void
simple_cycles (const NnCostedLayer *l,
               NnCost              *cost,
               double               depth)
{
  double pixels = l->stream ? MAX (l->positions, l->in_positions) : 1;
  double cycles = l->stream && pixels > 1 ? pixels + depth : depth;

  cost->latency = (NnFigure) { cycles, MAX (0, cycles - 1), cycles + (l->stream ? 2 : 1) };
  cost->interval = (NnFigure) { pixels, pixels, pixels + (l->stream ? 4 : 0) };
}

void
nn_layer_set_logic (NnCost *cost,
           double  lut,
           double  ff,
           double  low,
           double  high)
{
  cost->resource[NN_RESOURCE_LUT] = nn_figure_between (lut, low, high);
  cost->resource[NN_RESOURCE_FF] = nn_figure_between (ff, ff > 0 ? 0 : 1, high);
}

static gboolean
is_slow (const NnCostedLayer *l)
{
  return l->part != NULL && l->part->family == NN_FAMILY_7_SERIES;
}

/* What can be used of a clock's period, in ns. */
static double
cycle_of (const NnCostedLayer *l)
{
  return nn_config_clock_ns (l->config) * (1 - nn_config_uncertainty (l->config));
}

/* x * scale + bias: constants, so that the law of digits decides on multipliers. */
static void
normalise (const NnCostedLayer *l,
           NnCost              *cost)
{
  const NnTensor *raw = nn_design_raw (l->design, l->i, NN_ROLE_SCALE);
  double copies = l->elements, share = 1;
  NnType scale = l->plan->scale.width > 0 ? l->plan->scale : l->plan->weight;

  if (raw == NULL)
    raw = nn_design_raw (l->design, l->i, NN_ROLE_GAMMA);
  if (raw != NULL && raw->n > 0 && raw->dtype == NN_DTYPE_I64)
    share = (double) nn_law_count (raw->data, raw->n, 1, l->vivado).n_dsp / raw->n;
  nn_cost_init (cost);
  cost->resource[NN_RESOURCE_DSP] = nn_figure_between (round (copies * share) * MAX (nn_multiplier_dsp (l->part, &l->plan->input, &scale), 1), 0.8, 1.1);
  nn_layer_set_logic (cost, NORM_LUT_BIT * l->plan->result.width * copies, NORM_FF_BIT * l->plan->result.width * copies, WIDE_LOW, WIDE_HIGH);
  cost->bops = l->channels * l->positions * (l->plan->input.width * scale.width + l->plan->result.width);
  simple_cycles (l, cost, 1);
}

static void
softmax (const NnCostedLayer *l,
         NnCost              *cost)
{
  double n = l->channels, memories;
  gboolean slow = is_slow (l);
  double cycles = slow ? (cycle_of (l) < SLOW_COMPARE_NS ? SOFTMAX_CYCLES_SLOW_CLOCK : SOFTMAX_CYCLES_SLOW)
                         + SOFTMAX_CYCLES_LEVEL * ceil (log2 (MAX (n, 2))) : SOFTMAX_CYCLES_FAST;

  nn_cost_init (cost);
  if (l->plan->skip)
    return;
  if (l->plan->softmax == NN_SOFTMAX_ARGMAX)
    {
      nn_layer_set_logic (cost, n * (l->plan->input.width + 7), n, WIDE_LOW, WIDE_HIGH);
      simple_cycles (l, cost, ceil (log2 (MAX (n, 2)) / 2));
      return;
    }
  memories = MAX (nn_law_rom_bram (MAX (l->plan->exp_table_size, 1), l->plan->exp_table.width), 1);
  memories *= l->vivado ? MAX (ceil (n / 2) - 1, 1) : n;
  cost->resource[NN_RESOURCE_DSP] = (NnFigure) { n, MIN (n, 1), n };
  cost->resource[NN_RESOURCE_BRAM] = (NnFigure) { memories, MIN (memories, 2), memories + 4 };
  nn_layer_set_logic (cost, SOFTMAX_LUT * n, (slow ? SLOW_SOFTMAX_FF : FAST_SOFTMAX_FF) * n * cycles, WIDE_LOW, WIDE_HIGH);
  cost->bops = l->channels * l->positions * (l->plan->exp_table.width * l->plan->inv_table.width + 2 * l->plan->accum.width);
  simple_cycles (l, cost, cycles);
  cost->latency.low = MAX (0, floor (0.6 * cost->latency.value));
  cost->latency.high = ceil (1.5 * cost->latency.value);
}

/* Elements that are no constants, each as much as its width is of the widest. */
static double
live_elements (const NnCostedLayer *l)
{
  gsize n = (gsize) l->elements;
  g_autofree NnType *types = l->node->shape.rank == 1 ? nn_layer_element_types (l, n) : NULL;
  double bits = 0;

  for (gsize i = 0; types != NULL && i < n; i++)
    bits += types[i].width;
  return types != NULL ? bits / MAX (l->plan->input.width, 1) : l->elements;
}

static void
activation (const NnCostedLayer *l,
            NnCost              *cost)
{
  double width = MAX (l->plan->input.width, 1), n = live_elements (l), memory, hold;

  nn_cost_init (cost);
  switch (l->node->attrs.act)
    {
    case NN_ACT_LINEAR:
    case NN_ACT_QUANTIZED:
      nn_layer_set_logic (cost, width == l->plan->result.width ? 0 : n * width / 2, 0, 0, 2);
      simple_cycles (l, cost, 0);
      return;
    case NN_ACT_SOFTMAX:
      softmax (l, cost);
      return;
    case NN_ACT_RELU:
    case NN_ACT_HARD_SIGMOID:
    case NN_ACT_HARD_TANH:
    case NN_ACT_BINARY_TANH:
    case NN_ACT_TERNARY_TANH:
    case NN_ACT_THRESHOLDED_RELU:
      nn_layer_set_logic (cost, RELU_LUT_BIT * width * n, 0, WIDE_LOW, 1.6);
      hold = cycle_of (l) < (is_slow (l) ? SLOW_COMPARE_NS : FAST_COMPARE_NS) ? (is_slow (l) ? SLOW_RELU_FF_BIT : FAST_RELU_FF_BIT) : 0;
      cost->resource[NN_RESOURCE_FF] = (NnFigure) { hold * width * n, 0.5 * hold * width * n, MAX (1.3 * hold, 0.5) * width * n };
      cost->bops = l->channels * l->positions * width;
      simple_cycles (l, cost, hold > 0 || l->stream ? 1 : 0);
      return;
    case NN_ACT_LEAKY_RELU:
      nn_layer_set_logic (cost, LEAKY_LUT_BIT * width * n, l->plan->result.width * n / 2, WIDE_LOW, WIDE_HIGH);
      cost->resource[NN_RESOURCE_DSP] = (NnFigure) { n, 0, n };
      cost->bops = l->channels * l->positions * width * width;
      simple_cycles (l, cost, 1);
      return;
    default: /* by table; a memory of two ports serves two elements */
      memory = nn_law_rom_bram (MAX (l->plan->table_size, 1), MAX (l->plan->table.width, 1));
      nn_layer_set_logic (cost, TABLE_LUT * n, 3 * n, WIDE_LOW, WIDE_HIGH);
      cost->resource[NN_RESOURCE_BRAM] = (NnFigure) { ceil (n / 2) * memory, 0, n * memory };
      cost->bops = l->channels * l->positions * width;
      simple_cycles (l, cost, 2);
      return;
    }
}

/* Windows: one comparison or addition for each element but one. */
static void
pooling (const NnCostedLayer *l,
         NnCost              *cost)
{
  double window = MAX (l->node->attrs.kernel[0], 1) * MAX (l->node->attrs.kernel[1], 1);
  gboolean global = l->node->op == NN_OP_GLOBAL_MAX_POOL || l->node->op == NN_OP_GLOBAL_AVG_POOL;
  double width = MAX (l->plan->accum.width, l->plan->input.width), n = l->elements;

  nn_cost_init (cost);
  if (global)
    window = l->stream ? 2 : l->in_positions;
  nn_layer_set_logic (cost, POOL_LUT_BIT * width * n * MAX (window - 1, 1), !l->stream ? POOL_FF_BIT * width * n * MIN (window, 4)
                                                                            : global ? STREAM_POOL_FF_BIT * width * n : 0, WIDE_LOW, WIDE_HIGH);
  cost->bops = l->channels * l->positions * window * width;
  simple_cycles (l, cost, l->stream ? 3 : ceil (log2 (window + 1) / 2));
  if (!global)
    nn_layer_add_line_buffer (l, cost);
}

static void
merge (const NnCostedLayer *l,
       NnCost              *cost)
{
  double n = l->elements, width = MAX (l->plan->result.width, 1), inputs = MAX (l->node->n_inputs, 2) - 1;
  gboolean multiplies = l->node->op == NN_OP_MULTIPLY || l->node->op == NN_OP_DIVIDE;

  nn_cost_init (cost);
  if (l->node->op == NN_OP_CONCATENATE)
    {
      nn_layer_set_logic (cost, l->stream ? STREAM_LUT_BASE + STREAM_LUT_CHANNEL * n : 0, 0, 0.3, 2.5);
      simple_cycles (l, cost, 0);
      return;
    }
  if (multiplies)
    cost->resource[NN_RESOURCE_DSP] = nn_figure_between (inputs * n * nn_multiplier_dsp (l->part, &l->plan->input, &l->plan->input), 0.5, 1.5);
  nn_layer_set_logic (cost, inputs * n * (width + 7), inputs * n * width / 2, WIDE_LOW, WIDE_HIGH);
  cost->bops = inputs * l->channels * l->positions * (multiplies ? width * width : width);
  simple_cycles (l, cost, 1);
}

/* Products of two activations: nothing is known before the run, so that every product is a multiplier, shared by RF. */
static void
activation_product (const NnCostedLayer *l,
                    NnCost              *cost)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (l->design));
  const NnShape *in = &nn_graph_node (graph, l->node->inputs[0])->shape;
  double terms = in->rank > 0 ? MAX (in->dims[in->rank - 1], 1) : 1, reuse = MAX (l->plan->reuse_factor, 1);
  double products = l->channels * l->positions * terms;

  nn_cost_init (cost);
  cost->resource[NN_RESOURCE_DSP] = nn_figure_between (ceil (products / reuse) * nn_multiplier_dsp (l->part, &l->plan->input, &l->plan->input), 0.3, 1.2);
  nn_layer_set_logic (cost, products / reuse * (l->plan->accum.width + 7), products / reuse * l->plan->accum.width, 0.3, 3);
  cost->bops = products * (l->plan->input.width * l->plan->input.width + l->plan->accum.width);
  simple_cycles (l, cost, reuse + 3);
  cost->interval = (NnFigure) { reuse, reuse, reuse + 3 };
}

static void
layer_norm (const NnCostedLayer *l,
            NnCost              *cost)
{
  double n = l->channels;

  nn_cost_init (cost);
  cost->resource[NN_RESOURCE_DSP] = nn_figure_between (LAYER_NORM_DSP * n, 0.3, 1.5);
  cost->resource[NN_RESOURCE_BRAM] = (NnFigure) { nn_law_rom_bram (MAX (l->plan->table_size, 1), MAX (l->plan->table.width, 1)), 0, n };
  nn_layer_set_logic (cost, 6 * l->plan->result.width * n, 5 * l->plan->result.width * n, 0.3, 3);
  cost->bops = n * l->positions * 3 * l->plan->input.width * l->plan->input.width;
  simple_cycles (l, cost, 8);
  cost->interval = (NnFigure) { l->positions, 1, 4 * l->positions };
  cost->latency = (NnFigure) { l->positions + 8, 4, 4 * l->positions + 20 };
}

static void
embedding (const NnCostedLayer *l,
           NnCost              *cost)
{
  const NnTensor *raw = nn_design_raw (l->design, l->i, NN_ROLE_EMBEDDINGS);
  double words = raw != NULL && raw->shape.rank == 2 ? raw->shape.dims[0] : 1;

  nn_cost_init (cost);
  cost->resource[NN_RESOURCE_BRAM] = nn_figure_between (nn_law_rom_bram ((gsize) words, (gsize) (l->channels * l->plan->result.width)), 0, 1.5);
  nn_layer_set_logic (cost, l->channels * 2, l->channels * l->plan->result.width, 0.2, 3);
  simple_cycles (l, cost, 2);
}

/* Moves data only: nothing in parallel, a loop in streams. */
static void
shape_only (const NnCostedLayer *l,
            NnCost              *cost)
{
  nn_cost_init (cost);
  if (l->stream && l->node->op != NN_OP_FLATTEN && l->node->op != NN_OP_RESHAPE && l->node->op != NN_OP_INPUT)
    {
      nn_layer_set_logic (cost, STREAM_LUT_BASE + STREAM_LUT_CHANNEL * l->channels, 30, 0.4, 2.5);
      simple_cycles (l, cost, 2);
    }
  else
    cost->interval = nn_figure (1);
}

/* Comparisons that are told apart: equal ones of several trees are made once. */
static double
different_comparisons (const NnTreePlan *plan)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint t = 0; t < plan->n_trees; t++)
    for (guint k = 0; k < plan->trees[t].n_steps; k++)
      {
        const NnTreeStep *step = &plan->trees[t].steps[k];

        g_hash_table_add (seen, g_strdup_printf ("%u/%d/%" G_GINT64_FORMAT, step->feature, step->equal, step->bound));
      }
  return g_hash_table_size (seen);
}

/* Trees that say something to a target, together for all targets. */
static double
count_votes (const NnTreePlan *plan)
{
  double n = 0;

  for (guint t = 0; t < plan->n_trees; t++)
    for (guint o = 0; o < plan->n_targets; o++)
      {
        gboolean says = FALSE;

        for (guint k = 0; k < plan->trees[t].n_leaves; k++)
          says |= plan->trees[t].leaves[(gsize) k * plan->n_targets + o] != 0;
        n += says;
      }
  return n;
}

static void
trees (const NnCostedLayer *l,
       NnCost              *cost)
{
  const NnTreePlan *plan = nn_design_trees (l->design, l->i);
  double compare = different_comparisons (plan), votes = count_votes (plan), width = l->plan->accum.width;
  double each = votes / MAX (plan->n_trees, 1), levels = ceil (log2 (MAX (votes / plan->n_targets, 1)) + 1);
  double slower = MAX (TREE_CYCLE_NS / MAX (cycle_of (l), 0.5), 0.5), cycles;

  nn_cost_init (cost);
  cycles = ceil ((plan->depth / TREE_LEVELS_CYCLE + levels) * slower);
  nn_layer_set_logic (cost, TREE_COMPARE_LUT_BIT * l->plan->input.width * compare +
                              TREE_CHOOSE_LUT_BIT * l->plan->weight.width * plan->n_steps * each + width * votes +
                              (plan->label ? width * plan->n_targets : 0),
                      compare / 2 + width * votes * slower, WIDE_LOW, WIDE_HIGH);
  cost->bops = compare * l->plan->input.width + votes * width;
  simple_cycles (l, cost, cycles);
  cost->latency.low = MAX (0, floor (0.4 * cycles));
  cost->latency.high = ceil (1.8 * cycles) + 2;
}

static void
by_operator (const NnCostedLayer *l,
             NnCost              *cost)
{
  switch (l->node->op)
    {
    case NN_OP_DENSE: case NN_OP_EINSUM_DENSE: case NN_OP_CONV1D: case NN_OP_CONV2D: case NN_OP_CONV1D_TRANSPOSE:
    case NN_OP_CONV2D_TRANSPOSE:
      nn_layer_dense_or_conv (l, cost);
      return;
    case NN_OP_DEPTHWISE_CONV1D: case NN_OP_DEPTHWISE_CONV2D: case NN_OP_SEPARABLE_CONV1D: case NN_OP_SEPARABLE_CONV2D:
      nn_layer_depthwise (l, cost);
      return;
    case NN_OP_BATCH_NORM: case NN_OP_SCALE: case NN_OP_PRELU:
      normalise (l, cost);
      return;
    case NN_OP_LAYER_NORM:
      layer_norm (l, cost);
      return;
    case NN_OP_ACTIVATION: case NN_OP_QUANTIZE: case NN_OP_UNARY_LUT:
      activation (l, cost);
      return;
    case NN_OP_MAX_POOL1D: case NN_OP_MAX_POOL2D: case NN_OP_AVG_POOL1D: case NN_OP_AVG_POOL2D: case NN_OP_GLOBAL_MAX_POOL:
    case NN_OP_GLOBAL_AVG_POOL: case NN_OP_REDUCE_MEAN: case NN_OP_REDUCE_SUM: case NN_OP_REDUCE_MAX:
      pooling (l, cost);
      return;
    case NN_OP_ADD: case NN_OP_SUBTRACT: case NN_OP_MULTIPLY: case NN_OP_DIVIDE: case NN_OP_AVERAGE: case NN_OP_MAXIMUM:
    case NN_OP_MINIMUM: case NN_OP_CONCATENATE:
      merge (l, cost);
      return;
    case NN_OP_DOT: case NN_OP_MATMUL: case NN_OP_EINSUM: case NN_OP_MULTI_HEAD_ATTENTION: case NN_OP_GARNET:
      activation_product (l, cost);
      return;
    case NN_OP_SIMPLE_RNN: case NN_OP_LSTM: case NN_OP_GRU:
      nn_layer_recurrent (l, cost);
      return;
    case NN_OP_EMBEDDING:
      embedding (l, cost);
      return;
    case NN_OP_TREE_ENSEMBLE:
      trees (l, cost);
      return;
    default:
      shape_only (l, cost);
      return;
    }
}

/* The stream that carries a layer's pixels to the next has room for all of them. */
static void
add_fifo (const NnCostedLayer *l,
          NnCost              *cost)
{
  double width = l->channels * MAX (l->plan->result.width, 1), bits = width * l->positions;
  NnFigure fifo;

  if (!l->stream || l->node->op == NN_OP_CONSTANT || l->positions <= 1)
    return;
  if (bits > FIFO_MEMORY_BITS && l->positions > SHIFT_REGISTER_DEPTH)
    {
      double blocks = nn_law_rom_bram ((gsize) l->positions, (gsize) width);

      /* Vivado HLS gives each channel a memory of its own */
      fifo = l->vivado ? nn_figure (l->channels * nn_law_rom_bram ((gsize) l->positions, l->plan->result.width)) : nn_figure (blocks);
      fifo.low = 0;
      fifo.high *= 2.1;
      cost->resource[NN_RESOURCE_BRAM] = nn_figure_add (cost->resource[NN_RESOURCE_BRAM], fifo);
    }
  else
    cost->resource[NN_RESOURCE_LUT] = nn_figure_add (cost->resource[NN_RESOURCE_LUT],
                                                     nn_figure_between (width * ceil (l->positions / SHIFT_REGISTER_DEPTH), 0.3, 2));
}

double
nn_layer_result_bits (const NnDesign *design,
                      guint           i)
{
  NnCostedLayer layer;

  layer_init (&layer, design, i, nn_design_plan (design, i), NULL);
  return nn_layer_output_bits (&layer);
}

void
nn_layer_cost (const NnDesign    *design,
               guint              i,
               const NnLayerPlan *plan,
               const NnPart      *part,
               NnCost            *cost)
{
  NnCostedLayer layer;

  layer_init (&layer, design, i, plan, part);
  by_operator (&layer, cost);
  add_fifo (&layer, cost);
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    {
      NnFigure *f = &cost->resource[r];

      *f = (NnFigure) { round (f->value), MIN (floor (f->low), round (f->value)), MAX (ceil (f->high), round (f->value)) };
    }
}
