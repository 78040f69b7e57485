/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cost of a matrix of weights times a vector, by kernel.
 *
 * Every formula counts what the kernel is built of (multipliers, adders, multiplexers, memories, registers); only its
 * coefficients are calibrated. What was calibrated on what is told at each; docs/benchmarks.md has the errors on networks
 * that were not used for it. LUT and FF are those of the HLS tool's own report.
 */

#include "nn-matrix-cost-private.h"

#include <math.h>

/* An addition of w bits is charged w plus this many LUTs by HLS (csynth reports of Vivado HLS 2019.1 to 2020.1). */
#define ADD_LUT_OVERHEAD 7
/* Resource kernel, RF > n_in (wa-hls4ml, the shapes with at most 128 outputs; 16-bit data): a word's address and control,
 * the multiplexer of the inputs, each accumulator, and a multiplexer of the accumulators for each multiplier. */
#define REMAINDER_LUT_BASE 4300
#define REMAINDER_LUT_INPUT 32.0
#define REMAINDER_LUT_OUTPUT 44.0
#define REMAINDER_LUT_MUX 5.8
#define REMAINDER_LUT_MUX_FREE 150
#define REMAINDER_FF_BASE 138
#define REMAINDER_FF_OUTPUT 16.5
#define REMAINDER_FF_WEIGHT_BIT 1.1
#define REMAINDER_BITS 16.0
#define REMAINDER_LUT_LOW 0.85
#define REMAINDER_LUT_HIGH 1.10
#define REMAINDER_FF_LOW 0.91
#define REMAINDER_FF_HIGH 1.12
/* Resource kernel, RF <= n_in: adder, product register and its share of control for each multiplier (Vivado HLS 2018.2
 * and 2019.2 dense modules: vivado-2018.2_KebL-core-model4, vivado-2019.2_uwacme-toptagging-gru). */
#define RESOURCE_LUT_CONTROL 11
#define RESOURCE_FF_FACTOR 2.0
#define RESOURCE_LOW 0.6
#define RESOURCE_HIGH 1.7
/* Besides the bits of the inputs: two for their handshake (wa-hls4ml; vivado-2019.2_camillaMiao-single-dense). */
#define INTERFACE_FF_CONTROL 2
/* Up to this depth the law of memories was always met; deeper ones are split as HLS sees fit. */
#define BRAM_EXACT_DEPTH 1024
/* A multiplication in logic: LUTs for each bit of one operand times each of the other (csynth: 8x16 takes 0 DSP, 58 LUT). */
#define LOGIC_MULTIPLY_LUT 0.55
/* Distributed arithmetic: an adder for each digit beyond one, less what common subexpressions save. */
#define DA_SAVED 0.55
/* Adders in a row that HLS still fits a cycle, as delays: of a 16-bit addition and a multiplication. */
#define SLOW_ADD_NS 3.3
#define SLOW_MULTIPLY_NS 2.0
#define FAST_ADD_NS 1.1
#define FAST_MULTIPLY_NS 1.0

NnFigure
nn_figure (double value)
{
  return (NnFigure) { value, value, value };
}

NnFigure
nn_figure_between (double value,
                   double low,
                   double high)
{
  return (NnFigure) { value, floor (value * low), ceil (value * high) };
}

NnFigure
nn_figure_add (NnFigure a,
               NnFigure b)
{
  return (NnFigure) { a.value + b.value, a.low + b.low, a.high + b.high };
}

NnFigure
nn_figure_max (NnFigure a,
               NnFigure b)
{
  return (NnFigure) { MAX (a.value, b.value), MAX (a.low, b.low), MAX (a.high, b.high) };
}

NnFigure
nn_figure_scale (NnFigure a,
                 double   factor)
{
  return (NnFigure) { a.value * factor, a.low * factor, a.high * factor };
}

void
nn_cost_init (NnCost *cost)
{
  *cost = (NnCost) { 0 };
  cost->area_um2 = nn_figure (NAN);
}

static gboolean
is_slow (NnFamily family)
{
  return family == NN_FAMILY_7_SERIES || family == NN_FAMILY_POLARFIRE || family == NN_FAMILY_LATTICE;
}

void
nn_family_delays (NnFamily family,
                  double  *add_ns,
                  double  *multiply_ns)
{
  gboolean slow = is_slow (family);

  *add_ns = slow ? SLOW_ADD_NS : FAST_ADD_NS;
  *multiply_ns = slow ? SLOW_MULTIPLY_NS : FAST_MULTIPLY_NS;
}

static NnFamily
family_of (const NnMatrix *matrix)
{
  return matrix->part != NULL ? matrix->part->family : NN_FAMILY_ULTRASCALE_PLUS;
}

gboolean
nn_matrix_is_slow (const NnMatrix *matrix)
{
  return is_slow (family_of (matrix));
}

/* Cycles of a multiplication and a tree of additions over @fan_in numbers. */
static NnFigure
tree_latency (const NnMatrix *matrix,
              double          fan_in,
              gboolean        multiplies)
{
  double period = matrix->clock_ns * (1 - matrix->uncertainty), add, multiply, delay, cycles;
  NnFamily family = family_of (matrix);

  nn_family_delays (family, &add, &multiply);
  delay = (multiplies ? multiply : 0) + add * ceil (log2 (fan_in + 1));
  cycles = MAX (0, family == NN_FAMILY_7_SERIES ? round (delay / period) : floor (delay / period));
  return (NnFigure) { cycles, MAX (0, floor (0.6 * cycles) - 1), ceil (1.4 * cycles) + 1 };
}

/* A weight is worth a bit operation with each bit of the input, and its share of the additions.
 * Source: B. Hawks et al., Ps and Qs, Frontiers in AI 4 (2021) 676564, equation 4. */
double
nn_matrix_bit_operations (const NnMatrix *m,
                          double          n_nonzero)
{
  double n = m->n_in, out = m->n_out, density = n * out > 0 ? n_nonzero / (n * out) : 0;

  return n * out * (density * m->input.width * m->weight.width + m->input.width + m->weight.width + log2 (MAX (n, 1)));
}

/* How many DSP blocks @n multiplications of these types take. */
static double
dsp_of (const NnMatrix *m,
        double          n)
{
  return ceil (n * nn_multiplier_dsp (m->part, &m->input, &m->weight) / nn_multipliers_per_dsp (m->part, &m->input, &m->weight));
}

static double
logic_multiply_lut (const NnMatrix *m)
{
  if (m->product != NN_PRODUCT_MULT)
    return MAX (m->input.width, 1);
  return LOGIC_MULTIPLY_LUT * m->input.width * m->weight.width;
}

/* Types that make no multiplier: bits, signs and shifts. */
static gboolean
has_multipliers (const NnMatrix *m)
{
  return m->product == NN_PRODUCT_MULT;
}

/* Weights that are not known are taken for the worst. */
static NnWeightCount
count_weights (const NnMatrix *m)
{
  if (m->raw != NULL)
    return nn_law_count (m->raw, m->n_in, m->n_out, m->vivado);
  return (NnWeightCount) { .n_nonzero = m->n_in * m->n_out, .n_products = m->n_in * m->n_out, .n_dsp = m->n_in * m->n_out,
                           .n_logic_digits = m->n_in * m->n_out * m->weight.width / 3, .max_fan_in = m->n_in };
}

static double
count_nonzero (const NnMatrix *m)
{
  gsize n = m->n_in * m->n_out, nonzero = 0;

  if (m->raw == NULL)
    return n;
  for (gsize k = 0; k < n; k++)
    nonzero += m->raw[k] != 0;
  return nonzero;
}

/* LUTs and FFs of the Resource kernels: @block multipliers, of which @live are issued. */
static void
resource_logic (const NnMatrix *m,
                gsize           block,
                gsize           live,
                NnCost         *cost)
{
  double scale = MAX (m->input.width, m->accum.width) / REMAINDER_BITS, lut, ff;
  double width = (double) live * m->weight.width;
  gsize reuse = MAX (m->reuse, 1);
  NnFigure *r = cost->resource;

  if (reuse > m->n_in && m->strategy != NN_STRATEGY_RESOURCE_UNROLLED && live == block)
    {
      double ways = pow (2, ceil (log2 (MAX (m->n_out, 2))));
      double mux = reuse > 2 * m->n_in ? MAX (0, REMAINDER_LUT_MUX * ways - REMAINDER_LUT_MUX_FREE) : 0;

      lut = scale * (REMAINDER_LUT_BASE + REMAINDER_LUT_INPUT * m->n_in + REMAINDER_LUT_OUTPUT * m->n_out + mux * block);
      ff = scale * REMAINDER_FF_OUTPUT * (block == 1 ? 2 : 1) * m->n_out + REMAINDER_FF_BASE + REMAINDER_FF_WEIGHT_BIT * width;
      r[NN_RESOURCE_LUT] = nn_figure_between (lut, REMAINDER_LUT_LOW, REMAINDER_LUT_HIGH);
      r[NN_RESOURCE_FF] = nn_figure_between (ff, REMAINDER_FF_LOW, REMAINDER_FF_HIGH);
    }
  else
    {
      /* each input of a cycle is chosen among RF; multipliers of one column share that */
      double choices = (double) (m->n_in / MIN (reuse, MAX (m->n_in, 1))) * m->input.width * reuse / 3;

      lut = live * (m->accum.width + ADD_LUT_OVERHEAD + RESOURCE_LUT_CONTROL) + choices;
      ff = RESOURCE_FF_FACTOR * live * m->accum.width + m->n_out * m->accum.width;
      r[NN_RESOURCE_LUT] = nn_figure_between (lut, RESOURCE_LOW, RESOURCE_HIGH);
      r[NN_RESOURCE_FF] = nn_figure_between (ff, RESOURCE_LOW, RESOURCE_HIGH);
    }
}

/* The last multiplier's bits are the highest of the memory's word: those that are never needed are left out, and with
 * them the multiplier where few are left (89 of 89 layers of 6 bits). */
static double
resource_multipliers (const NnMatrix *m,
                      gsize           live,
                      guint           last)
{
  gboolean narrow = last <= NN_LAW_LOGIC_WEIGHT_BITS && m->weight.width > NN_LAW_LOGIC_WEIGHT_BITS;

  return has_multipliers (m) ? dsp_of (m, live - (narrow && live > 0 ? 1 : 0)) : 0;
}

/* The Resource kernels: RF weights a multiplier, from a memory of RF words. */
static void
resource_kernel (const NnMatrix *m,
                 NnCost         *cost)
{
  gsize reuse = MAX (m->reuse, 1), n = m->n_in * m->n_out, block = (n + reuse - 1) / reuse, live = block;
  guint last = m->weight.width;
  gboolean pruned;
  double width, depth;
  NnFigure *r = cost->resource;

  if (m->raw != NULL)
    {
      live = nn_law_live_multipliers (m->raw, m->n_in, m->n_out, reuse);
      last = MIN (nn_law_last_bits (m->raw, m->n_in, m->n_out, reuse), last);
    }
  /* where a multiplier has nothing to do, the writer takes the kernel that leaves it out, asked for or not */
  pruned = m->strategy == NN_STRATEGY_RESOURCE_UNROLLED || live < block;
  r[NN_RESOURCE_DSP] = nn_figure (resource_multipliers (m, live, last));
  if (m->weight.width > NN_LAW_LOGIC_WEIGHT_BITS && m->weight.width < NN_LAW_DSP_WEIGHT_BITS && m->raw == NULL)
    r[NN_RESOURCE_DSP].low = MAX (r[NN_RESOURCE_DSP].low - 1, 0);
  width = live > 0 ? (double) (live - 1) * m->weight.width + last : 0;
  r[NN_RESOURCE_BRAM] = nn_figure (nn_law_rom_bram (reuse, (gsize) width));
  if (m->raw == NULL || reuse > BRAM_EXACT_DEPTH)
    r[NN_RESOURCE_BRAM].high += 1;
  if (nn_law_has_index_memory (m->n_in, reuse) && !pruned)
    {
      r[NN_RESOURCE_BRAM].value += 1;
      r[NN_RESOURCE_BRAM].high = MAX (r[NN_RESOURCE_BRAM].high, r[NN_RESOURCE_BRAM].value);
    }
  if (reuse > BRAM_EXACT_DEPTH)
    {
      r[NN_RESOURCE_BRAM].low = floor (r[NN_RESOURCE_BRAM].low * 0.75);
      r[NN_RESOURCE_BRAM].high = ceil (r[NN_RESOURCE_BRAM].high * 1.1);
    }
  resource_logic (m, block, live, cost);
  if (r[NN_RESOURCE_DSP].value == 0)
    r[NN_RESOURCE_LUT] = nn_figure_add (r[NN_RESOURCE_LUT], nn_figure_between (live * logic_multiply_lut (m), 0.1, 1.2));
  /* one that serves two outputs needs no look-up of the index, and one in logic no cycle of its own */
  depth = pruned ? 2 + ceil (log2 (MAX ((double) live / MAX (m->n_out, 1), 1) + 1)) : reuse == 2 * m->n_in && m->weight.width <= NN_LAW_LOGIC_WEIGHT_BITS ? 1 : 2;
  cost->latency = (NnFigure) { reuse + depth, reuse + 1, reuse + depth + 4 };
  cost->interval = (NnFigure) { reuse, reuse, reuse + 1 };
  cost->bops = nn_matrix_bit_operations (m, count_nonzero (m));
}

double
nn_interface_ff (const NnType *input,
                 double        n)
{
  return n * MAX (input->width, 1) + INTERFACE_FF_CONTROL;
}

/* Adders only: a digit each, shared as far as da4ml's searches were seen to share. */
static void
distributed_kernel (const NnMatrix *m,
                    NnCost         *cost)
{
  NnWeightCount count = count_weights (m);
  double adds = count.n_nonzero + count.n_two_digit + count.n_logic_digits;
  NnFigure tree = tree_latency (m, MAX (count.max_fan_in, 1) * 2, FALSE);

  cost->resource[NN_RESOURCE_LUT] = nn_figure_between (DA_SAVED * adds * m->accum.width, 0.5, 1.6);
  cost->resource[NN_RESOURCE_FF] = nn_figure_between (0.5 * count.n_nonzero * m->accum.width * MIN (tree.value, 2), 0.2, 2.5);
  cost->latency = tree;
  cost->interval = nn_figure (1);
  cost->bops = nn_matrix_bit_operations (m, count.n_nonzero);
}

/* Non-zero weights only, as (row, column, value) in memories: one multiplier for each RF of them. */
static void
compressed_kernel (const NnMatrix *m,
                   NnCost         *cost)
{
  NnWeightCount count = count_weights (m);
  double reuse = MAX (m->reuse, 1), block = ceil (count.n_nonzero / reuse);
  double word = m->weight.width + ceil (log2 (MAX (m->n_in, 2))) + ceil (log2 (MAX (m->n_out, 2)));

  cost->resource[NN_RESOURCE_DSP] = nn_figure (has_multipliers (m) ? dsp_of (m, block) : 0);
  cost->resource[NN_RESOURCE_BRAM] = nn_figure (reuse > 1 ? nn_law_rom_bram ((gsize) reuse, (gsize) (block * word)) : 0);
  cost->resource[NN_RESOURCE_BRAM].high += 1;
  cost->resource[NN_RESOURCE_LUT] = nn_figure_between (block * (m->accum.width * (2 + m->n_out / 4.0)) + m->n_in * m->input.width,
                                                       0.4, 2.5);
  cost->resource[NN_RESOURCE_FF] = nn_figure_between (block * 2 * m->accum.width + m->n_out * m->accum.width, 0.4, 2.5);
  cost->latency = (NnFigure) { reuse + 4, reuse, reuse + 12 };
  cost->interval = (NnFigure) { reuse, reuse, reuse + 2 };
  cost->bops = nn_matrix_bit_operations (m, count.n_nonzero);
}

void
nn_matrix_cost (const NnMatrix *matrix,
                NnCost         *cost)
{
  nn_cost_init (cost);
  switch (matrix->strategy)
    {
    case NN_STRATEGY_RESOURCE:
    case NN_STRATEGY_RESOURCE_UNROLLED:
      if (matrix->reuse > 1)
        resource_kernel (matrix, cost);
      else /* all weights at once: HLS folds the constants as in the Latency kernel */
        nn_latency_kernel_cost (matrix, cost);
      break;
    case NN_STRATEGY_DISTRIBUTED_ARITHMETIC:
      distributed_kernel (matrix, cost);
      break;
    case NN_STRATEGY_COMPRESSED:
      compressed_kernel (matrix, cost);
      break;
    case NN_STRATEGY_UNSET:
    case NN_STRATEGY_LATENCY:
    default:
      nn_latency_kernel_cost (matrix, cost);
      break;
    }
}
