/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers put together: what a whole design takes. */

#include "nn-estimate.h"

#include "nn-error.h"
#include "nn-layer-cost.h"
#include "nn-matrix-cost.h"

#include <math.h>
#include <string.h>

/* Registers between the layers of one pipeline, and around it (argykokk_mlp: 57 predicted of 58 cycles). */
#define PIPELINE_ENDS 2
/* Channels between the tasks of a dataflow region hold two of each element; a FIFO of one element of w bits takes about
 * 2 w FFs and w + 10 LUTs (vitis-2023.2 JetTagger: 98424 FF, 62882 LUT). */
#define CHANNEL_DEPTH 2
#define CHANNEL_LUT 10
/* Layers of a stream run at once: the longest decides, and about a cycle of each (tutorial: 1044 for 1028; ECE226: 395 for
 * 393; live-demo: 944610 for 922000); layers that wait for many pixels take longer (SpAllen autoencoder: 695 for 578). */
#define STREAM_FILL 1
#define STREAM_FILL_HIGH 0.25
#define STREAM_FILL_HIGH_LAYER 4
/* Errors of layers are not all on one side: bounds of a sum of several grow with the square root of their squares, and a
 * part of them in common, of which this is the share. */
#define COMMON_ERROR 0.5
/* What the HLS tool reports, for one that Vivado's synthesis leaves: median, least and most of 17 public designs of Vivado
 * HLS 2018.2 to 2020.1 and Vitis HLS 2024.1 that published both reports. DSPs were within 1 % where the part had enough. */
static const struct { NnResource resource; double median, least, most; } synthesis[] = {
  { NN_RESOURCE_LUT, 1.73, 1.07, 5.8 },
  { NN_RESOURCE_FF, 1.32, 0.82, 3.3 },
  { NN_RESOURCE_BRAM, 1.34, 1.0, 2.9 },
};
/* Energy of an addition and a multiplication at 45 nm: 0.1 pJ for 32 bits, 3.1 pJ for 32 x 32 bits: both 3.1 fJ for each
 * bit operation. Source: M. Horowitz, ISSCC 2014, "Computing's energy problem", figure 1.1.9. */
#define ENERGY_FJ_BIT 3.1
/* An FPGA takes 12 times the dynamic energy of an ASIC of its own process with multiplier blocks, 14 without (I. Kuon and
 * J. Rose, TCAD 26 (2007) 203, table III, 90 nm); processes of 28 to 16 nm take 2 to 5 times less than 45 nm. */
#define ENERGY_FPGA_VALUE 4.0
#define ENERGY_FPGA_LOW 0.25
#define ENERGY_FPGA_HIGH 3.5
#define ENERGY_ASIC_LOW 0.3
#define ENERGY_ASIC_HIGH 3.0

/* Stand-ins for parts that the catalogue does not have: their family's multipliers, no totals. */
#define NONE .total = { { -1, -1, -1, -1, -1 } }, .source = "none: only the family is known"
static const NnPart stand_ins[] = {
  { .name = "7-series", .title = "a part of the 7 series", .family = NN_FAMILY_7_SERIES, .mult_a = 25, .mult_b = 18, NONE, .ram_kbit = 18 },
  { .name = "ultrascale", .title = "a part of UltraScale", .family = NN_FAMILY_ULTRASCALE, .mult_a = 27, .mult_b = 18, NONE, .ram_kbit = 18 },
  { .name = "ultrascale+", .title = "a part of UltraScale+", .family = NN_FAMILY_ULTRASCALE_PLUS, .mult_a = 27, .mult_b = 18, NONE, .ram_kbit = 18 },
  { .name = "versal", .title = "a part of Versal", .family = NN_FAMILY_VERSAL, .mult_a = 27, .mult_b = 24, NONE, .ram_kbit = 18 },
  { .name = "arria10", .title = "an Arria 10", .family = NN_FAMILY_ARRIA10, .mult_a = 27, .mult_b = 27, NONE, .ram_kbit = 20 },
  { .name = "stratix10", .title = "a Stratix 10", .family = NN_FAMILY_STRATIX10, .mult_a = 27, .mult_b = 27, NONE, .ram_kbit = 20 },
  { .name = "agilex", .title = "an Agilex", .family = NN_FAMILY_AGILEX, .mult_a = 27, .mult_b = 27, NONE, .ram_kbit = 20 },
  { .name = "polarfire", .title = "a PolarFire", .family = NN_FAMILY_POLARFIRE, .mult_a = 18, .mult_b = 18, NONE, .ram_kbit = 20 },
};
#undef NONE

/* How the names of a family's parts begin. */
static const struct {
  const char *prefix;
  const char *family;
} prefixes[] = {
  { "xc7", "7-series" }, { "xa7", "7-series" }, { "xcku0", "ultrascale" }, { "xcku1", "ultrascale" }, { "xcvu0", "ultrascale" },
  { "xcvu1", "ultrascale" }, { "xck", "ultrascale+" }, { "xcv", "ultrascale+" }, { "xcz", "ultrascale+" },
  { "xcu", "ultrascale+" }, { "xca", "ultrascale+" }, { "xcvc", "versal" }, { "xcvm", "versal" }, { "xcvp", "versal" },
  { "xcve", "versal" }, { "10a", "arria10" }, { "arria10", "arria10" }, { "arria 10", "arria10" }, { "1s", "stratix10" },
  { "stratix", "stratix10" }, { "ag", "agilex" }, { "mpf", "polarfire" }, { "polarfire", "polarfire" },
  /* the "+" of Virtex: VU3P to VU57P end in "p" */
};

static const NnPart *
stand_in (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);
  const char *family = "ultrascale+";
  gsize longest = 0;
  gboolean plus = strcspn (lower, "-") > 0 && lower[strcspn (lower, "-") - 1] == 'p';

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (strlen (prefixes[i].prefix) > longest && g_str_has_prefix (lower, prefixes[i].prefix))
      {
        longest = strlen (prefixes[i].prefix);
        family = prefixes[i].family;
      }
  if (plus && g_str_equal (family, "ultrascale"))
    family = "ultrascale+";
  for (guint i = 0; i < G_N_ELEMENTS (stand_ins); i++)
    if (g_str_equal (stand_ins[i].name, family))
      return &stand_ins[i];
  return NULL;
}

/**
 * nn_estimate_part:
 *
 * Returns: (transfer none): the catalogue's entry for a configuration's part, or one with the family's multipliers and
 *   nothing else where it has none
 */
const NnPart *
nn_estimate_part (const NnConfig *config)
{
  const char *name = nn_config_part (config);
  const NnPart *part = name != NULL && *name != '\0' ? nn_part_find (name, NULL) : NULL;

  return part != NULL ? part : stand_in (name != NULL ? name : "");
}

/* The energy of all bit operations; see the sources above. */
static void
add_energy (NnCost       *cost,
            const NnPart *part)
{
  double nj = cost->bops * ENERGY_FJ_BIT * 1e-6;
  gboolean asic = part != NULL && part->family == NN_FAMILY_ASIC;

  if (asic)
    cost->energy_nj = (NnFigure) { nj, nj * ENERGY_ASIC_LOW, nj * ENERGY_ASIC_HIGH };
  else
    cost->energy_nj = (NnFigure) { nj * ENERGY_FPGA_VALUE, nj * ENERGY_FPGA_VALUE * ENERGY_FPGA_LOW,
                                   nj * ENERGY_FPGA_VALUE * ENERGY_FPGA_HIGH };
}

/* A LUT of the count above is one bit of an adder. */
static void
add_area (NnCost       *cost,
          const NnPart *part)
{
  if (part == NULL || part->family != NN_FAMILY_ASIC || part->area_add_bit <= 0)
    return;
  cost->area_um2 = nn_figure_add (nn_figure_scale (cost->resource[NN_RESOURCE_LUT], part->area_add_bit),
                                  nn_figure_scale (cost->resource[NN_RESOURCE_FF], part->area_register_bit));
}

/* hls4ml's PipelineStyle `auto`: one pipeline of all layers, or a task for each. */
static gboolean
is_dataflow (const NnDesign *design)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));

  if (nn_config_io_type (nn_design_config (design)) == NN_IO_STREAM)
    return TRUE;
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnLayerPlan *plan = nn_design_plan (design, i);
      const NnNode *node = nn_graph_node (graph, i);

      if (nn_op_info (node->op)->op_class != NN_OP_CLASS_MULTIPLY && nn_op_info (node->op)->op_class != NN_OP_CLASS_RECURRENT)
        continue;
      if (plan->strategy == NN_STRATEGY_RESOURCE || plan->strategy == NN_STRATEGY_COMPRESSED
          || (plan->n_positions > 1 && plan->parallelization < plan->n_positions))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_matrix (NnOp op)
{
  return nn_op_info (op)->op_class == NN_OP_CLASS_MULTIPLY;
}

static gboolean
does_nothing (const NnCost *cost)
{
  return cost->latency.high <= 0 && cost->resource[NN_RESOURCE_LUT].value <= 0;
}

/* Cycles of all layers, one after the other. */
typedef struct {
  NnFigure longest, interval;
  double   sum, low, high, low2, high2; /* bounds as distances, and their squares */
  guint    n;
} Cycles;

static void
cycles_init (Cycles           *c,
             const NnDesign   *design,
             const NnEstimate *estimate,
             gboolean          stream)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));

  *c = (Cycles) { .longest = nn_figure (0), .interval = nn_figure (1) };
  for (guint i = 0; i < estimate->n_layers; i++)
    {
      const NnCost *layer = &estimate->layers[i];
      const NnFigure *latency = &layer->latency;
      double low = latency->value - latency->low, high = latency->high - latency->value;

      if (does_nothing (layer))
        continue;
      c->n++;
      c->sum += latency->value;
      /* a matrix in less than a cycle still leaves no room for the next one in it */
      if (!stream && latency->value < 1 && is_matrix (nn_graph_node (graph, i)->op))
        c->sum += 1;
      c->low += low;
      c->high += high;
      c->low2 += low * low;
      c->high2 += high * high;
      c->longest = nn_figure_max (c->longest, *latency);
      c->interval = nn_figure_max (c->interval, layer->interval);
    }
}

/* Latency and interval of all layers, as they are run. */
static void
add_cycles (const NnDesign *design,
            NnEstimate     *estimate)
{
  gboolean stream = nn_config_io_type (nn_design_config (design)) == NN_IO_STREAM, dataflow = is_dataflow (design);
  gboolean slow = estimate->part != NULL && estimate->part->family == NN_FAMILY_7_SERIES;
  NnFigure *latency = &estimate->total.latency;
  Cycles c;

  cycles_init (&c, design, estimate, stream);
  if (stream)
    {
      latency->value = MIN (c.longest.value + STREAM_FILL * c.n, c.sum + c.n);
      latency->low = MIN (c.longest.low, latency->value);
      latency->high = c.longest.high + STREAM_FILL_HIGH * c.longest.value + STREAM_FILL_HIGH_LAYER * c.n;
    }
  else
    {
      latency->value = c.sum + (dataflow || slow ? c.n : 0) + PIPELINE_ENDS;
      latency->low = MAX (0, floor (latency->value - COMMON_ERROR * c.low - (1 - COMMON_ERROR) * sqrt (c.low2) - PIPELINE_ENDS));
      latency->high = ceil (latency->value + COMMON_ERROR * c.high + (1 - COMMON_ERROR) * sqrt (c.high2) + PIPELINE_ENDS);
    }
  if (dataflow)
    c.interval.high += 3;
  estimate->total.interval = c.interval;
}

static double
elements_of (const NnNode *node)
{
  double n = 1;

  for (guint d = 0; d < node->shape.rank; d++)
    n *= MAX (node->shape.dims[d], 1);
  return n;
}

/* In a dataflow region every array between two layers becomes channels. */
static void
add_channels (const NnDesign *design,
              NnEstimate     *estimate)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  double lut = 0, ff = 0;

  if (!is_dataflow (design) || nn_config_io_type (nn_design_config (design)) == NN_IO_STREAM)
    return;
  for (guint i = 0; i < estimate->n_layers; i++)
    {
      double n = elements_of (nn_graph_node (graph, i)), width = MAX (nn_design_plan (design, i)->result.width, 1);

      if (does_nothing (&estimate->layers[i]))
        continue;
      lut += n * (width + CHANNEL_LUT);
      ff += n * CHANNEL_DEPTH * width;
    }
  estimate->total.resource[NN_RESOURCE_LUT] = nn_figure_add (estimate->total.resource[NN_RESOURCE_LUT], nn_figure_between (lut, 0.2, 1.5));
  estimate->total.resource[NN_RESOURCE_FF] = nn_figure_add (estimate->total.resource[NN_RESOURCE_FF], nn_figure_between (ff, 0.2, 1.5));
}

/* What a layer hands on is held at the end of its last cycle: 3116 FFs in the jets network of argykokk_mlp, 3152 by this. */
static void
add_pipeline_registers (const NnDesign *design,
                        NnEstimate     *estimate)
{
  double bits = 0;

  if (is_dataflow (design))
    return;
  for (guint i = 0; i < estimate->n_layers; i++)
    if (!does_nothing (&estimate->layers[i]))
      bits += nn_layer_result_bits (design, i);
  estimate->total.resource[NN_RESOURCE_FF] = nn_figure_add (estimate->total.resource[NN_RESOURCE_FF], nn_figure_between (bits, 0.5, 1.3));
}

/* Vivado HLS's registers of a pipelined design's inputs. */
static void
add_interface (const NnDesign *design,
               NnEstimate     *estimate)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  const NnConfig *config = nn_design_config (design);

  if (nn_config_backend (config) != NN_BACKEND_VIVADO || nn_config_io_type (config) == NN_IO_STREAM || is_dataflow (design))
    return;
  for (guint i = 0; i < estimate->n_layers; i++)
    {
      const NnNode *node = nn_graph_node (graph, i);
      if (node->op == NN_OP_INPUT)
        estimate->total.resource[NN_RESOURCE_FF] = nn_figure_add (
          estimate->total.resource[NN_RESOURCE_FF], nn_figure (nn_interface_ff (&nn_design_plan (design, i)->result, elements_of (node))));
    }
}

static void
add_resources (NnEstimate *estimate)
{
  for (guint r = 0; r < NN_N_RESOURCES; r++)
    {
      double value = 0, low = 0, high = 0, low2 = 0, high2 = 0;

      for (guint i = 0; i < estimate->n_layers; i++)
        {
          const NnFigure *f = &estimate->layers[i].resource[r];

          value += f->value;
          low += f->value - f->low;
          high += f->high - f->value;
          low2 += (f->value - f->low) * (f->value - f->low);
          high2 += (f->high - f->value) * (f->high - f->value);
        }
      estimate->total.resource[r] = (NnFigure) {
        value, value - COMMON_ERROR * low - (1 - COMMON_ERROR) * sqrt (low2),
        value + COMMON_ERROR * high + (1 - COMMON_ERROR) * sqrt (high2)
      };
      estimate->total.resource[r].value = round (value);
      estimate->total.resource[r].low = MAX (0, floor (estimate->total.resource[r].low));
      estimate->total.resource[r].high = ceil (estimate->total.resource[r].high);
    }
}

static void
add_synthesised (NnEstimate *estimate)
{
  NnFamily family = estimate->part != NULL ? estimate->part->family : NN_FAMILY_OTHER;

  memcpy (estimate->synthesised, estimate->total.resource, sizeof estimate->synthesised);
  if (family > NN_FAMILY_VERSAL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (synthesis); i++)
    {
      NnFigure *f = &estimate->synthesised[synthesis[i].resource];

      *f = (NnFigure) { round (f->value / synthesis[i].median), floor (f->low / synthesis[i].most), ceil (f->high / synthesis[i].least) };
    }
}

/**
 * nn_estimate:
 * @design: the network as hardware
 * @part: (nullable): the part; without one the configuration's, or one of its family
 *
 * Returns: (transfer full): resources, cycles, bit operations and energy, by layer and in total
 *
 * Errors: %NN_ERROR_NUMERIC where a figure would not be finite
 *
 * Threads: any number at once
 */
NnEstimate *
nn_estimate (const NnDesign  *design,
             const NnPart    *part,
             GError         **error)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  double clock = nn_config_clock_ns (nn_design_config (design));
  g_autoptr (NnEstimate) estimate = g_new0 (NnEstimate, 1);

  estimate->part = part != NULL ? part : nn_estimate_part (nn_design_config (design));
  estimate->n_layers = nn_graph_n_nodes (graph);
  estimate->layers = g_new0 (NnCost, estimate->n_layers);
  nn_cost_init (&estimate->total);
  for (guint i = 0; i < estimate->n_layers; i++)
    {
      NnCost *layer = &estimate->layers[i];

      nn_layer_cost (design, i, nn_design_plan (design, i), estimate->part, layer);
      layer->latency_ns = layer->latency.value * clock;
      add_energy (layer, estimate->part);
      add_area (layer, estimate->part);
      estimate->total.bops += layer->bops;
      if (!isfinite (layer->resource[NN_RESOURCE_LUT].high) || !isfinite (layer->latency.high) || !isfinite (layer->bops))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_NUMERIC, "layer \"%s\": its cost is not a number; its shape is out of all bounds",
                       nn_graph_node (graph, i)->name);
          return NULL;
        }
    }
  add_resources (estimate);
  add_channels (design, estimate);
  add_pipeline_registers (design, estimate);
  add_interface (design, estimate);
  add_cycles (design, estimate);
  add_synthesised (estimate);
  estimate->total.latency_ns = estimate->total.latency.value * clock;
  add_energy (&estimate->total, estimate->part);
  add_area (&estimate->total, estimate->part);
  return g_steal_pointer (&estimate);
}

void
nn_estimate_free (NnEstimate *estimate)
{
  if (estimate == NULL)
    return;
  g_free (estimate->layers);
  g_free (estimate);
}
