/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cost of layers with a matrix of weights: dense, convolutional, depthwise, recurrent. */

#include "nn-layer-cost-private.h"

#include <math.h>

/* Cycles that a loop over pixels in Vitis HLS takes besides its kernel's latency: 3, 3, 6, 6, 7 a pixel at latencies of
 * 1, 1, 3, 3, 4 (2023.1 and 2024.1 modules). */
#define VITIS_PIXEL_CYCLES 2
#define VITIS_PIXEL_CYCLES_LONG 3
/* Around the loop (tutorial: 1028 cycles for 1024 pixels; ECE226: 393 for 390). */
#define LOOP_CYCLES 4
#define VIVADO_CONV_FF 2500
/* A GRU's states, gates and their tables: 212 LUTs and 25 FFs for each bit of each unit (uwacme, 16 and 4 bits). */
#define RECURRENT_LUT_BIT 70.0
#define RECURRENT_FF_BIT 7.0
/* Cycles of a recurrent step after its matrices: tables, products of gates and states. */
#define GATE_CYCLES 8

static gboolean
has_bias (const NnCostedLayer *l)
{
  const NnTensor *bias = nn_design_raw (l->design, l->i, NN_ROLE_BIAS);

  for (gsize k = 0; bias != NULL && bias->dtype == NN_DTYPE_I64 && k < bias->n; k++)
    if (((const gint64 *) bias->data)[k] != 0)
      return TRUE;
  return FALSE;
}

static NnMatrix
matrix_of (const NnCostedLayer *l,
           const NnTensor      *raw,
           gsize                n_in,
           gsize                n_out)
{
  return (NnMatrix) {
    .n_in = n_in, .n_out = n_out, .raw = raw != NULL && raw->n == n_in * n_out ? raw->data : NULL,
    .input = l->plan->input, .weight = l->plan->weight, .accum = l->plan->accum, .strategy = l->plan->strategy,
    .reuse = l->plan->reuse_factor, .product = l->plan->product, .clock_ns = nn_config_clock_ns (l->config),
    .uncertainty = nn_config_uncertainty (l->config), .vivado = l->vivado, .part = l->part, .biased = has_bias (l),
  };
}

static void
scale_resources (NnCost *cost,
                 double  factor)
{
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    cost->resource[r] = nn_figure_scale (cost->resource[r], factor);
}

/* A kernel that is run for every position: by copies of it (parallel), one after the other (stream, partitions). */
static void
repeat_matrix (const NnCostedLayer *l,
               NnCost              *cost,
               double               in_pixels)
{
  double copies = MAX (l->plan->parallelization, 1), turns, overhead = 0;

  cost->bops *= l->positions;
  if (l->positions <= 1)
    return;
  if (l->stream)
    {
      turns = in_pixels;
      if (!l->vivado)
        overhead = (cost->latency.value > 1 ? VITIS_PIXEL_CYCLES_LONG : VITIS_PIXEL_CYCLES) + cost->latency.value - cost->interval.value;
    }
  else
    {
      turns = ceil (l->positions / copies);
      scale_resources (cost, copies);
      /* the inputs of a turn are chosen among those of all */
      cost->resource[NN_RESOURCE_LUT] = nn_figure_add (
        cost->resource[NN_RESOURCE_LUT],
        nn_figure_between (copies * l->plan->n_in * l->plan->input.width * MIN (turns, 64) / 8, 0, 2));
    }
  cost->interval = nn_figure_scale (cost->interval, turns);
  cost->interval.value += turns * MAX (overhead, 0) + (l->stream ? LOOP_CYCLES : 0);
  cost->interval.high += turns * (l->vivado && l->stream ? 0 : MAX (overhead, 0) + 1) + 2 * LOOP_CYCLES;
  cost->latency.value = cost->interval.value + (l->stream ? 0 : cost->latency.value);
  cost->latency.low = MAX (cost->interval.low, 0.6 * cost->interval.value);
  cost->latency.high = cost->interval.high + cost->latency.high;
}

/* (kernel height - 1) rows of the input are kept, and the window twice: as it shifts, and as the kernel reads it. FFs of
 * pooling 2x2: 2008 and 2868 measured, 2048 and 3072 by this (tutorial, Vivado HLS 2020.1); of a convolution of 3 over 9
 * channels beside its kernel 810, 864 by this (ECE226, Vitis HLS 2024.1). */
void
nn_layer_add_line_buffer (const NnCostedLayer *l,
                          NnCost              *cost)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (l->design));
  const NnShape *in = &nn_graph_node (graph, l->node->inputs[0])->shape;
  double rows, window, bits;

  if (!l->stream || in->rank < 2)
    return;
  bits = MAX (in->dims[in->rank - 1], 1) * l->plan->input.width;
  window = in->rank == 3 ? MAX (l->node->attrs.kernel[0], 1) * MAX (l->node->attrs.kernel[1], 1) : MAX (l->node->attrs.kernel[0], 1);
  rows = in->rank == 3 ? MAX (l->node->attrs.kernel[0] - 1, 0) : 0;
  cost->resource[NN_RESOURCE_LUT] = nn_figure_add (
    cost->resource[NN_RESOURCE_LUT], nn_figure_between (rows * bits * ceil (in->dims[in->rank - 2] / SHIFT_REGISTER_DEPTH), 0.5, 2));
  cost->resource[NN_RESOURCE_FF] = nn_figure_add (cost->resource[NN_RESOURCE_FF], nn_figure_between (2 * window * bits, 0.5, 1.5));
}

/* What a stream's kernel is wrapped in: a dense layer's packet is copied; Vivado HLS's convolutions hold more besides
 * (2194, 2967 and 2848 FFs more than kernel and window in the tutorial's). */
static void
add_stream_registers (const NnCostedLayer *l,
                      gboolean             conv,
                      gsize                n_in,
                      NnCost              *cost)
{
  if (!l->stream)
    return;
  cost->resource[NN_RESOURCE_FF] = nn_figure_add (
    cost->resource[NN_RESOURCE_FF], conv ? nn_figure_between (l->vivado ? VIVADO_CONV_FF : 0, 0.2, 1.6)
                                         : nn_figure_between ((double) n_in * l->plan->input.width, 0.5, 1.2));
}

void
nn_layer_dense_or_conv (const NnCostedLayer *l,
                        NnCost              *cost)
{
  const NnTensor *raw = nn_design_raw (l->design, l->i, NN_ROLE_KERNEL);
  gsize n_in = l->plan->n_in, n_out = l->plan->n_out;
  gboolean conv = l->node->op != NN_OP_DENSE && l->node->op != NN_OP_EINSUM_DENSE;
  g_autofree NnType *inputs = NULL;
  NnMatrix matrix;

  if (raw != NULL && (n_in == 0 || n_in * n_out != raw->n) && raw->shape.rank > 0)
    {
      n_out = MAX (raw->shape.dims[raw->shape.rank - 1], 1);
      n_in = raw->n / n_out;
    }
  matrix = matrix_of (l, raw, n_in, n_out);
  inputs = nn_layer_input_types (l, n_in);
  matrix.inputs = inputs;
  nn_matrix_cost (&matrix, cost);
  repeat_matrix (l, cost, conv ? l->in_positions : l->positions);
  add_stream_registers (l, conv, n_in, cost);
  if (conv)
    nn_layer_add_line_buffer (l, cost);
}

/* Each channel has its own kernel: inputs are (kernel element, channel), outputs the multiplier. */
void
nn_layer_depthwise (const NnCostedLayer *l,
                    NnCost              *cost)
{
  const NnTensor *raw = nn_design_raw (l->design, l->i, NN_ROLE_DEPTHWISE_KERNEL);
  gsize n_out = 1, n_in;
  NnMatrix matrix;

  if (raw == NULL)
    raw = nn_design_raw (l->design, l->i, NN_ROLE_KERNEL);
  if (raw != NULL && raw->shape.rank > 0)
    n_out = MAX (raw->shape.dims[raw->shape.rank - 1], 1);
  n_in = raw != NULL ? raw->n / n_out : (gsize) MAX (l->plan->n_in, 1) * (gsize) l->channels;
  matrix = matrix_of (l, raw, n_in, n_out);
  nn_matrix_cost (&matrix, cost);
  repeat_matrix (l, cost, l->in_positions);
  nn_layer_add_line_buffer (l, cost);
}

/* Products of gates and states, a table for each gate's element, and the arrays that hold them. */
static void
add_gates (const NnCostedLayer *l,
           const NnMatrix      *a,
           const NnMatrix      *b,
           guint                gates,
           double               units,
           NnCost              *cost)
{
  double table = nn_law_rom_bram (MAX (l->plan->table_size, 1024), MAX (l->plan->table.width, 18));
  double blocks = ceil ((double) a->n_in * a->n_out / MAX (a->reuse, 1)) + ceil ((double) b->n_in * b->n_out / b->reuse);
  gboolean narrow = nn_multiplier_dsp (l->part, &l->plan->result, &l->plan->result) == 0
                    && (l->part == NULL || l->part->family != NN_FAMILY_ASIC);

  cost->resource[NN_RESOURCE_DSP] = nn_figure_add (cost->resource[NN_RESOURCE_DSP],
                                                   nn_figure_between (narrow ? units : gates * units, 0, 1.5));
  cost->resource[NN_RESOURCE_BRAM] = nn_figure_add (cost->resource[NN_RESOURCE_BRAM], nn_figure_between (ceil (gates * units / 2) * table, 0, 2.5));
  /* the states and gates are held in arrays that every step chooses from: that outweighs the multipliers' own logic */
  if (l->plan->strategy == NN_STRATEGY_RESOURCE && a->reuse > 1)
    nn_layer_set_logic (cost, blocks * (l->plan->accum.width + 7) + gates * units * RECURRENT_LUT_BIT * l->plan->result.width,
               blocks * l->plan->accum.width + gates * units * RECURRENT_FF_BIT * l->plan->result.width, 0.5, 1.8);
  else
    {
      cost->resource[NN_RESOURCE_LUT] = nn_figure_add (cost->resource[NN_RESOURCE_LUT],
                                                       nn_figure_between (gates * units * RECURRENT_LUT_BIT * l->plan->result.width, 0.1, 2));
      cost->resource[NN_RESOURCE_FF] = nn_figure_add (cost->resource[NN_RESOURCE_FF],
                                                      nn_figure_between (gates * units * RECURRENT_FF_BIT * l->plan->result.width, 0.1, 2));
    }
}

/* Two matrices, gates by table, one step after the other; with `static` states nothing overlaps. */
void
nn_layer_recurrent (const NnCostedLayer *l,
                    NnCost              *cost)
{
  const NnTensor *kernel = nn_design_raw (l->design, l->i, NN_ROLE_KERNEL);
  const NnTensor *state = nn_design_raw (l->design, l->i, NN_ROLE_RECURRENT_KERNEL);
  double units = l->node->attrs.units, steps = MAX (l->in_positions, 1);
  guint gates = l->node->op == NN_OP_LSTM ? 4 : l->node->op == NN_OP_GRU ? 3 : 1;
  NnMatrix a = matrix_of (l, kernel, l->plan->n_in, l->plan->n_out), b;
  NnCost inner, outer;
  double step;

  b = matrix_of (l, state, (gsize) units, gates * (gsize) units);
  if (kernel != NULL && kernel->shape.rank == 2)
    a = matrix_of (l, kernel, kernel->shape.dims[0], kernel->shape.dims[1]);
  b.reuse = MAX (l->plan->recurrent_reuse_factor, 1);
  b.weight = l->plan->recurrent_weight.width > 0 ? l->plan->recurrent_weight : l->plan->weight;
  b.input = l->plan->state.width > 0 ? l->plan->state : l->plan->result;
  nn_matrix_cost (&a, &inner);
  nn_matrix_cost (&b, &outer);
  *cost = inner;
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    cost->resource[r] = nn_figure_add (inner.resource[r], outer.resource[r]);
  add_gates (l, &a, &b, gates, units, cost);
  /* both matrices run at once; then the gates (uwacme: 38 and 41 cycles a step at RF 30) */
  step = MAX (inner.latency.value, outer.latency.value) + GATE_CYCLES;
  cost->bops = steps * (inner.bops + outer.bops + gates * units * l->plan->result.width * l->plan->result.width);
  cost->latency = nn_figure_between (steps * step, 0.8, 1.6);
  cost->interval = cost->latency;
}
