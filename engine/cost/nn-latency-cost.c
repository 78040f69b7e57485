/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cost of the Latency kernel (and of the Resource kernel at RF 1, which folds its constants alike).
 *
 * What is counted is in nn-matrix-count.c. Coefficients are calibrated on the layers of mnist and ARRYTHMIA of
 * argykokk_mlp (Vitis HLS 2021.1, 7 series), on the pruned jets of lrozzy_openml (Vitis HLS 2024.1, UltraScale+) and on
 * wa-hls4ml's layers but those with 64 inputs (Vivado HLS 2020.1, UltraScale+); docs/benchmarks.md has the others.
 */

#include "nn-matrix-cost-private.h"
#include "nn-matrix-count.h"

#include <math.h>

/* Fast parts: an addition and a multiplication of 16 bits, by the trees that were and were not done in one cycle (0, 1 and
 * 2 cycles at 2.4, 3.7 and 4.4 ns). The Resource kernel's function is given a little more of the cycle. */
#define FAST_ADD_NS 0.92
#define FAST_MULTIPLY_NS 2.0
#define RESOURCE_SLACK_NS 0.15
/* Slow parts fit one level of the tree in a cycle of 2.3 to 4.6 ns; below 3.6 ns a multiplier takes three cycles. */
#define SLOW_ADD_NS 2.3
#define SLOW_MULTIPLY_LONG_NS 3.6
#define SLOW_MULTIPLY_CYCLES 3
/* HLS leaves the sums of larger matrices as they are written: chains (mnist's first layer, 10976 products, 5876 of them not
 * zero, 48 cycles for 129 in a row; up to 3584 products the trees were balanced, and hls4ml sets the limit of arrays that HLS
 * takes apart to 4096). One layer showed it: the bounds hold balanced trees too. */
#define UNBALANCED_PRODUCTS 4096
#define UNBALANCED_WEIGHTS 3200
#define CHAIN_ADD 0.70 /* of an addition's delay, each: two may share a row */
#define CHAIN_FF_PIPELINED 1.55
#define CHAIN_FF 1.25

/* LUTs: of additions in trees (two of them share a row of three numbers), of those inside products; a multiplier. */
typedef struct {
  double tree, product, multiplier;
} LutShares;

static const LutShares fast_lut = { 0.75, 0.98, 6.5 }, fast_shared_lut = { 0.75, 0.98, 8.5 }, resource_lut = { 0.74, 0.98, 2.0 };
static const LutShares slow_pipelined_lut = { 1.13, 0.086, 0.4 }, slow_lut = { 0.845, 0.50, 2.5 };

/* Registers of slow parts, in accumulators: for each weight, for each multiplier. */
#define SLOW_FF_FAST_CLOCK 1.2
#define SLOW_FF_FAST_CLOCK_DSP 1.5
#define SLOW_FF_SLOW_CLOCK 0.95
#define SLOW_FF_SLOW_CLOCK_DSP 0.9
#define SLOW_FF_SHARED 0.80
#define SLOW_FF_SHARED_DSP 0.90
/* Registers of fast parts: more than the tree of products without multipliers needs, and a number more for each output
 * that is cut; with multipliers that take turns, for each weight and product; of the Resource kernel, for each product. */
#define FAST_FF_OWN 0.45
#define FAST_FF_OUTPUT 0.7
#define FAST_FF_SHARED 0.60
#define FAST_FF_SHARED_DSP 0.10
#define RESOURCE_FF_PRODUCT 0.57
#define RESOURCE_FF_TWO_DIGIT 0.30
#define RESOURCE_FF_INPUT 0.25
/* Turns from which on multipliers count as shared. */
#define MIN_TURNS 1.5
/* Vivado HLS binds one more than the limit from this reuse factor on (20 of 20 layers; none below). */
#define VIVADO_EXTRA_REUSE 1000

/* Layers of fewer weights scatter more. */
#define FEW_WEIGHTS 60

/* How far rows were from these formulas, by kind of kernel, as shares of the estimate: see docs/estimates.md. */
typedef struct {
  double low, high;
} Spread;

typedef struct {
  const NnMatrix *matrix;
  NnMatrixCount   count;
  gboolean        slow, resource, chain;
  double          cycle;       /* ns to be used of each */
  double          multipliers; /* issued */
  double          turns;       /* of each multiplier */
  double          depth;       /* cycles, were no multiplier shared */
} Kernel;

static gboolean
is_asic (const NnMatrix *m)
{
  return m->part != NULL && m->part->family == NN_FAMILY_ASIC;
}

static void
kernel_init (Kernel         *k,
             const NnMatrix *m)
{
  NnMatrixDelays delays = { .add = FAST_ADD_NS, .multiply = FAST_MULTIPLY_NS };

  k->matrix = m;
  k->slow = nn_matrix_is_slow (m);
  k->resource = m->strategy == NN_STRATEGY_RESOURCE || m->strategy == NN_STRATEGY_RESOURCE_UNROLLED;
  k->cycle = MAX (m->clock_ns * (1 - m->uncertainty), 0.1);
  if (k->resource)
    k->cycle += RESOURCE_SLACK_NS;
  if (!k->slow)
    delays.cycle = k->cycle;
  nn_matrix_count (m, &delays, &k->count);
  k->chain = (double) m->n_in * m->n_out > UNBALANCED_PRODUCTS && k->count.n_nonzero > UNBALANCED_WEIGHTS;
}

/* Multipliers: constants that need one, capped by hls4ml's limit. */
static void
set_multipliers (Kernel *k,
                 NnCost *cost)
{
  const NnMatrix *m = k->matrix;
  double n = (double) m->n_in * m->n_out, limit, blocks, each;
  NnFigure *dsp = &cost->resource[NN_RESOURCE_DSP];

  limit = nn_law_multiplier_limit (m->n_in, m->n_out, m->reuse, (gsize) MAX (n - k->count.n_nonzero, 0));
  if (m->vivado && m->reuse >= VIVADO_EXTRA_REUSE)
    limit++;
  k->multipliers = MIN (k->count.n_dsp, limit);
  k->turns = k->multipliers > 0 && limit < k->count.n_dsp ? (k->count.n_dsp + (m->vivado ? k->count.n_logic : 0)) / k->multipliers : 1;
  blocks = nn_multipliers_per_dsp (m->part, &m->input, &m->weight);
  each = k->count.n_dsp > 0 ? k->count.dsp_blocks / k->count.n_dsp : 0;
  *dsp = nn_figure (is_asic (m) ? 0 : ceil (k->multipliers * each / blocks));
  if (m->vivado && k->multipliers < k->count.n_dsp)
    {
      dsp->low = MAX (dsp->low - 1, 1);
      dsp->high += 1;
    }
  /* narrow inputs: to logic, but not by a law that was always met */
  if (m->inputs != NULL || m->input.width < NN_LAW_DSP_INPUT_BITS)
    {
      dsp->high = MAX (dsp->high, MIN (k->count.n_dsp + k->count.n_logic, limit));
      dsp->low = m->inputs != NULL ? floor (0.7 * dsp->low) : dsp->low;
    }
}

/* Cycles were every product to have its own multiplier; @balanced: and every sum a tree. */
static double
unshared_depth (const Kernel *k,
                gboolean      balanced)
{
  double levels = ceil (log2 (MAX (k->count.max_fan_in, 1))), per_cycle;

  if (k->count.n_nonzero < 1)
    return 0;
  if (k->chain && !balanced)
    return ceil (CHAIN_ADD * (k->slow ? SLOW_ADD_NS : FAST_ADD_NS) * k->count.max_fan_in / k->cycle);
  if (!k->slow)
    return floor (k->count.delay / k->cycle);
  per_cycle = k->cycle / SLOW_ADD_NS;
  levels = per_cycle >= 1 ? ceil (levels / floor (per_cycle)) : ceil (levels / per_cycle);
  if (k->count.n_dsp > 0)
    levels += (k->cycle < SLOW_MULTIPLY_LONG_NS ? SLOW_MULTIPLY_CYCLES : 1) - 1;
  return levels;
}

static gboolean
is_shared (const Kernel *k)
{
  return k->turns > MIN_TURNS;
}

static void
set_cycles (const Kernel *k,
            NnCost       *cost)
{
  const NnMatrix *m = k->matrix;
  double reuse = MAX (m->reuse, 1), depth = k->depth;
  NnFigure latency = { depth, MAX (0, depth - 1 - floor (0.25 * depth)), depth + 1 + floor (0.2 * depth) };

  if (is_shared (k))
    {
      double turns = ceil (k->turns), behind = k->slow ? round ((depth + 1) / 2) : 1;

      latency = (NnFigure) { turns + behind, turns + (k->slow ? 0 : 1) - floor (0.01 * turns), turns + (k->slow ? depth + 2 : 2) + ceil (0.02 * turns) };
      if (depth > latency.value) /* a chain that takes longer than the multipliers */
        latency = (NnFigure) { depth, floor (0.6 * depth), ceil (1.3 * depth) };
    }
  else if (m->vivado && reuse > 1 && depth > 0)
    {
      latency.value += 1;
      latency.high += 1;
    }
  else if (m->vivado && reuse > 1 && k->count.delay > 0.75 * k->cycle)
    latency.high += 1;
  if (k->chain)
    latency = (NnFigure) { latency.value, MIN (unshared_depth (k, TRUE), floor (0.3 * latency.value)), ceil (1.5 * latency.value) };
  cost->latency = latency;
  /* a sample may follow after RF cycles, or when the last one is done */
  cost->interval = (NnFigure) { MIN (reuse, latency.value + 1), MIN (reuse, latency.low + 1), MIN (reuse, latency.high + 1) };
  if (k->resource && reuse <= 1) /* its function is not pipelined */
    cost->interval = (NnFigure) { latency.value + 1, 1, latency.high + 1 };
}

static void
set_lut (const Kernel *k,
         NnCost       *cost)
{
  const LutShares *fast = k->resource ? &resource_lut : is_shared (k) ? &fast_shared_lut : &fast_lut;
  const LutShares *share = !k->slow ? fast : k->matrix->reuse <= 1 ? &slow_pipelined_lut : &slow_lut;
  double lut = share->tree * k->count.add_bits + share->product * k->count.product_bits + share->multiplier * k->count.n_dsp;
  Spread spread = k->slow ? (Spread) { 0.80, 1.30 } : (Spread) { 0.86, 1.14 };

  if (k->matrix->inputs != NULL) /* of few weights, more fold away than is seen here */
    spread = (Spread) { k->count.n_nonzero < FEW_WEIGHTS ? 0.1 : 0.65, 1.5 };
  else if (k->matrix->input.width < NN_LAW_DSP_INPUT_BITS && k->count.n_logic > 0)
    spread.high = 1.35;
  if (k->slow && k->count.n_nonzero < FEW_WEIGHTS)
    spread.high = 1.45;
  cost->resource[NN_RESOURCE_LUT] = nn_figure_between (lut, spread.low, spread.high);
}

static double
slow_registers (const Kernel *k)
{
  gboolean pipelined = k->matrix->reuse <= 1;
  double weight = SLOW_FF_SHARED, dsp = SLOW_FF_SHARED_DSP;

  if (pipelined)
    {
      weight = k->cycle < SLOW_MULTIPLY_LONG_NS ? SLOW_FF_FAST_CLOCK : SLOW_FF_SLOW_CLOCK;
      dsp = k->cycle < SLOW_MULTIPLY_LONG_NS ? SLOW_FF_FAST_CLOCK_DSP : SLOW_FF_SLOW_CLOCK_DSP;
    }
  if (k->chain)
    weight *= pipelined ? CHAIN_FF_PIPELINED : k->matrix->reuse == 2 ? CHAIN_FF : 1;
  return k->matrix->accum.width * (weight * k->count.n_nonzero + dsp * k->count.n_dsp);
}

static double
fast_registers (const Kernel *k)
{
  const NnMatrix *m = k->matrix;
  double outputs = (double) m->n_out * m->accum.width;

  if (k->resource)
    return outputs + (k->depth < 1 ? 0 : m->accum.width * (RESOURCE_FF_PRODUCT * k->count.n_dsp + RESOURCE_FF_TWO_DIGIT * k->count.n_two_digit
                                                           + RESOURCE_FF_INPUT * m->n_in));
  if (is_shared (k))
    return m->accum.width * (FAST_FF_SHARED * k->count.n_nonzero + FAST_FF_SHARED_DSP * k->count.n_dsp);
  if (k->depth < 1)
    return 0;
  return k->count.cut_bits + FAST_FF_OWN * k->count.own_bits
         + (m->reuse <= 1 ? FAST_FF_OUTPUT * m->accum.width * k->count.cut_outputs : 0);
}

static void
set_registers (const Kernel *k,
               NnCost       *cost)
{
  const NnMatrix *m = k->matrix;
  double ff = k->slow ? slow_registers (k) : fast_registers (k);
  Spread spread = k->slow ? (Spread) { 0.80, 1.30 } : is_shared (k) ? (Spread) { 0.80, 1.25 } : (Spread) { 0.65, 1.35 };
  NnFigure *figure = &cost->resource[NN_RESOURCE_FF];

  if (k->count.n_nonzero < FEW_WEIGHTS)
    spread.low *= 0.6;
  if (k->chain)
    spread = (Spread) { k->slow ? 0.6 : 0.65, k->slow ? 1.3 : 4 };
  *figure = nn_figure_between (ff, spread.low, spread.high);
  /* one cycle more or less than foretold makes a cut more or less */
  if (!k->slow && !is_shared (k) && !k->resource)
    {
      if (cost->latency.low < 1 && k->count.delay < 1.3 * k->cycle)
        figure->low = 0;
      if (k->depth < 1 && k->count.delay > 0.75 * k->cycle)
        figure->high += (1 + FAST_FF_OWN) * spread.high * k->count.cut_bits + m->accum.width * MAX (k->count.cut_outputs, 0.5 * m->n_out);
    }
}

void
nn_latency_kernel_cost (const NnMatrix *m,
                        NnCost         *cost)
{
  Kernel k = { 0 };

  kernel_init (&k, m);
  set_multipliers (&k, cost);
  k.depth = unshared_depth (&k, FALSE);
  set_cycles (&k, cost);
  set_lut (&k, cost);
  set_registers (&k, cost);
  cost->bops = nn_matrix_bit_operations (m, k.count.n_nonzero);
}
