/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Estimates of whole designs, reuse factors chosen for a latency, and what the user's own syntheses add. */

#include "nn-calibration.h"
#include "nn-load.h"
#include "nn-matrix-cost.h"
#include "nn-reuse.h"
#include "nn-reuse-solver.h"
#include "nn-rng.h"
#include "test-shared.h"

#include <math.h>
#include <string.h>

/* Input of 8, dense layers of 6 and 4, relu between them; weights from -1 to 1 in steps of 1/64. */
static NnModel *
small_model (guint64 seed,
             gboolean pruned)
{
  static const gint64 sizes[] = { 8, 6, 4 };
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NnGraph) graph = NULL;
  NnWeight weights[4] = { 0 };
  guint input = 0;
  NnModel *model;
  NnRng rng;

  nn_rng_init (&rng, seed);
  nn_graph_builder_add (builder, NN_OP_INPUT, "in", NULL, NULL, 0)->shape = NN_SHAPE (sizes[0]);
  for (guint l = 0; l < 2; l++)
    {
      const char *name = l == 0 ? "first" : "second";
      NnNode *node = nn_graph_builder_add (builder, NN_OP_DENSE, name, NULL, &input, 1);
      guint ids[2] = { 2 * l, 2 * l + 1 };

      node->attrs.units = sizes[l + 1];
      node->attrs.use_bias = TRUE;
      node->attrs.act = l == 0 ? NN_ACT_RELU : NN_ACT_LINEAR;
      weights[2 * l] = (NnWeight) { .name = "kernel", .layer = name, .role = NN_ROLE_KERNEL,
                                    .values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (sizes[l], sizes[l + 1])) };
      weights[2 * l + 1] = (NnWeight) { .name = "bias", .layer = name, .role = NN_ROLE_BIAS,
                                        .values = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (sizes[l + 1])) };
      for (gsize k = 0; k < weights[2 * l].values->n; k++)
        {
          /* pruned: outputs 0 and 2 lose their first four inputs, a group each at RF 4 */
          gsize o = k % sizes[l + 1], i = k / sizes[l + 1];
          gboolean dead = pruned && i < 4 && (o == 0 || o == 2);

          nn_tensor_f32 (weights[2 * l].values)[k] = dead ? 0 : (1 + (float) nn_rng_below (&rng, 60)) / 64;
        }
      for (gsize k = 0; k < weights[2 * l + 1].values->n; k++)
        nn_tensor_f32 (weights[2 * l + 1].values)[k] = 0.25f;
      nn_graph_builder_weights (builder, node, ids, 2);
      input = nn_graph_builder_n_nodes (builder) - 1;
    }
  nn_graph_builder_output (builder, input);
  graph = nn_graph_builder_seal (builder, &error);
  g_assert_no_error (error);
  model = nn_model_new (graph, weights, 4, NULL, &error);
  g_assert_no_error (error);
  for (guint w = 0; w < 4; w++)
    nn_tensor_unref (weights[w].values);
  return model;
}

static NnDesign *
design_of (const NnModel *model,
           NnStrategy     strategy,
           guint          reuse,
           NnIoType       io_type)
{
  g_autoptr (NnConfig) config = nn_config_new ();
  g_autoptr (GError) error = NULL;
  NnDesign *design;

  nn_config_set_io_type (config, io_type);
  nn_config_set_part (config, "xcvu13p-flga2577-2-e");
  nn_config_set_clock_ns (config, 5);
  nn_config_model (config)->strategy = strategy;
  nn_config_model (config)->reuse_factor = reuse;
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  return design;
}

static NnEstimate *
estimate_of (const NnDesign *design)
{
  g_autoptr (GError) error = NULL;
  NnEstimate *estimate = nn_estimate (design, NULL, &error);

  g_assert_no_error (error);
  return estimate;
}

static const NnCost *
layer_cost (const NnDesign   *design,
            const NnEstimate *estimate,
            const char       *name)
{
  guint i;

  g_assert_true (nn_graph_find (nn_model_graph (nn_design_model (design)), name, &i));
  return &estimate->layers[i];
}

/* RF weights share a multiplier; a group of zeros takes none, since the writer then takes the pruned kernel by itself. */
static void
test_resource (void)
{
  g_autoptr (NnModel) dense = small_model (1, FALSE), pruned = small_model (1, TRUE);
  static const guint reuses[] = { 2, 4, 8 };

  for (guint k = 0; k < G_N_ELEMENTS (reuses); k++)
    {
      g_autoptr (NnDesign) plain = design_of (pruned, NN_STRATEGY_RESOURCE, reuses[k], NN_IO_PARALLEL);
      g_autoptr (NnDesign) unrolled = design_of (pruned, NN_STRATEGY_RESOURCE_UNROLLED, reuses[k], NN_IO_PARALLEL);
      g_autoptr (NnDesign) full = design_of (dense, NN_STRATEGY_RESOURCE, reuses[k], NN_IO_PARALLEL);
      g_autoptr (NnEstimate) a = estimate_of (plain), b = estimate_of (unrolled), c = estimate_of (full);
      guint groups = 8 * 6 / reuses[k];
      /* two outputs lose inputs 0 to 3: 4 groups at RF 2, 2 at RF 4, none at RF 8 */
      guint dead = reuses[k] == 2 ? 4 : reuses[k] == 4 ? 2 : 0;

      g_assert_cmpfloat (layer_cost (full, c, "first")->resource[NN_RESOURCE_DSP].value, ==, groups);
      g_assert_cmpfloat (layer_cost (plain, a, "first")->resource[NN_RESOURCE_DSP].value, ==, groups - dead);
      g_assert_cmpfloat (layer_cost (unrolled, b, "first")->resource[NN_RESOURCE_DSP].value, ==, groups - dead);
      g_assert_cmpfloat (layer_cost (unrolled, b, "first")->resource[NN_RESOURCE_DSP].low, ==, groups - dead);
      g_assert_cmpfloat (layer_cost (full, c, "first")->resource[NN_RESOURCE_BRAM].value, ==,
                         nn_law_rom_bram (reuses[k], groups * 16));
      g_assert_cmpfloat (layer_cost (unrolled, b, "first")->resource[NN_RESOURCE_BRAM].value, ==,
                         nn_law_rom_bram (reuses[k], (groups - dead) * 16));
      g_assert_cmpfloat (layer_cost (plain, a, "first")->interval.value, ==, reuses[k]);
      g_assert_cmpfloat (a->total.latency.value, >, 2 * reuses[k]);
      g_assert_cmpfloat (a->total.interval.value, ==, reuses[k]);
    }
}

static void
check_finite (const NnEstimate *estimate,
              const char       *what)
{
  for (guint i = 0; i <= estimate->n_layers; i++)
    {
      const NnCost *cost = i < estimate->n_layers ? &estimate->layers[i] : &estimate->total;
      const NnFigure figures[] = { cost->resource[0], cost->resource[1], cost->resource[2], cost->resource[3], cost->resource[4],
                                   cost->latency, cost->interval, cost->energy_nj };

      for (guint f = 0; f < G_N_ELEMENTS (figures); f++)
        if (!isfinite (figures[f].value) || figures[f].low < 0 || figures[f].low > figures[f].value
            || figures[f].high < figures[f].value || !isfinite (figures[f].high))
          g_error ("%s, layer %u, figure %u: %g (%g to %g)", what, i, f, figures[f].value, figures[f].low, figures[f].high);
      g_assert_true (isfinite (cost->bops) && cost->bops >= 0);
    }
}

static NnModel *
load_shared (const char *name)
{
  g_autofree char *path = test_shared_path (name);
  g_autoptr (GError) error = NULL;
  NnModel *model;

  if (path == NULL)
    return NULL;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return model;
}

/* The jets network of arXiv:1804.06913: 3329 multipliers unpruned and 954 at 70 %, as synthesised there. */
static void
test_jets (void)
{
  static const struct { const char *name; double dsp; } cases[] = {
    { "models/keras_h5/keras_3layer.h5", 3329 },
  };

  for (guint k = 0; k < G_N_ELEMENTS (cases); k++)
    {
      g_autoptr (NnModel) model = load_shared (cases[k].name);
      g_autoptr (NnDesign) design = NULL;
      g_autoptr (NnEstimate) estimate = NULL;
      double dsp = 0;

      if (model == NULL)
        return;
      design = design_of (model, NN_STRATEGY_LATENCY, 1, NN_IO_PARALLEL);
      estimate = estimate_of (design);
      for (guint i = 0; i < estimate->n_layers; i++)
        if (nn_graph_node (nn_model_graph (nn_design_model (design)), i)->op == NN_OP_DENSE)
          dsp += estimate->layers[i].resource[NN_RESOURCE_DSP].value;
      g_assert_cmpfloat (dsp, ==, cases[k].dsp);
    }
}

/* Every network at hand has an estimate, with all figures within their bounds. */
static void
test_all_models (void)
{
  g_autofree char *folder = test_shared_path ("models/keras_h5");
  g_autoptr (GDir) dir = NULL;
  const char *name;
  guint n = 0;

  if (folder == NULL)
    return;
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, NULL);
      gsize parameters = 0;

      for (guint w = 0; model != NULL && w < nn_model_n_weights (model); w++)
        parameters += nn_model_weight (model, w)->values->n;
      if (model == NULL || parameters > 200000) /* the larger ones take their time and show nothing new */
        continue;
      for (guint c = 0; c < 4; c++)
        {
          g_autoptr (NnConfig) config = nn_config_new ();
          g_autoptr (NnDesign) design = NULL;
          g_autoptr (NnEstimate) estimate = NULL;

          nn_config_set_io_type (config, c % 2 ? NN_IO_STREAM : NN_IO_PARALLEL);
          nn_config_model (config)->strategy = c / 2 ? NN_STRATEGY_RESOURCE : NN_STRATEGY_LATENCY;
          nn_config_model (config)->reuse_factor = c / 2 ? 4 : 1;
          design = nn_design_new (model, config, NULL);
          if (design == NULL)
            continue;
          estimate = estimate_of (design);
          check_finite (estimate, name);
          n++;
        }
    }
  g_assert_cmpuint (n, >, 60);
}

/* All choices, tried one by one. */
static double
brute_force (const NnDesign *design,
             double          cycles)
{
  g_autoptr (NnEstimate) now = estimate_of (design);
  g_autoptr (GArray) a = NULL, b = NULL;
  double fixed = now->total.latency.value, dsp = now->total.resource[NN_RESOURCE_DSP].value, best = INFINITY;
  guint first, second;

  g_assert_true (nn_graph_find (nn_model_graph (nn_design_model (design)), "first", &first));
  g_assert_true (nn_graph_find (nn_model_graph (nn_design_model (design)), "second", &second));
  a = nn_reuse_options (design, first, now->part);
  b = nn_reuse_options (design, second, now->part);
  fixed -= MAX (now->layers[first].latency.value, 1) + MAX (now->layers[second].latency.value, 1);
  dsp -= now->layers[first].resource[NN_RESOURCE_DSP].value + now->layers[second].resource[NN_RESOURCE_DSP].value;
  for (guint i = 0; i < a->len; i++)
    for (guint j = 0; j < b->len; j++)
      {
        const NnCost *x = &g_array_index (a, NnReuseOption, i).cost, *y = &g_array_index (b, NnReuseOption, j).cost;

        if (fixed + MAX (x->latency.value, 1) + MAX (y->latency.value, 1) <= cycles)
          best = MIN (best, dsp + x->resource[NN_RESOURCE_DSP].value + y->resource[NN_RESOURCE_DSP].value);
      }
  return best;
}

static void
test_reuse_solver (void)
{
  for (guint64 seed = 1; seed <= 4; seed++)
    {
      g_autoptr (NnModel) model = small_model (seed, seed % 2 == 0);
      NnStrategy strategy = seed % 2 ? NN_STRATEGY_RESOURCE : NN_STRATEGY_RESOURCE_UNROLLED;
      g_autoptr (NnDesign) design = design_of (model, strategy, 2, NN_IO_PARALLEL);

      for (double cycles = 1; cycles < 120; cycles += 3)
        {
          g_autoptr (NnReusePlan) plan = nn_reuse_solve (design, NULL, cycles, NULL, NULL);
          g_autoptr (NnConfig) config = nn_reuse_plan_config (plan, design);
          g_autoptr (NnDesign) chosen = nn_design_new (model, config, NULL);
          g_autoptr (NnEstimate) estimate = estimate_of (chosen);
          double best = brute_force (design, cycles);

          g_assert_cmpfloat_with_epsilon (estimate->total.latency.value, plan->latency, 1e-9);
          g_assert_cmpfloat_with_epsilon (estimate->total.resource[NN_RESOURCE_DSP].value, plan->dsp, 1e-9);
          if (isfinite (best))
            {
              g_assert_cmpint (plan->status, ==, NN_REUSE_OPTIMAL);
              g_assert_cmpfloat (plan->dsp, ==, best);
              g_assert_cmpfloat (plan->gap, ==, 0);
              g_assert_cmpfloat (plan->latency, <=, cycles);
            }
          else
            g_assert_cmpint (plan->status, ==, NN_REUSE_INFEASIBLE);
        }
    }
}

/* A budget too large for single cycles: an answer with a bound. */
static void
test_reuse_large (void)
{
  g_autoptr (NnModel) model = small_model (3, FALSE);
  g_autoptr (NnDesign) design = design_of (model, NN_STRATEGY_RESOURCE, 2, NN_IO_PARALLEL);
  g_autoptr (NnReusePlan) plan = nn_reuse_solve (design, NULL, 1e7, NULL, NULL);

  g_assert_cmpfloat (plan->dsp, >=, plan->bound);
  g_assert_cmpfloat (plan->gap, <, 0.6);
  g_assert_cmpuint (plan->status, !=, NN_REUSE_INFEASIBLE);
}

static void
test_reuse_options (void)
{
  g_autoptr (NnModel) model = small_model (1, FALSE);
  g_autoptr (NnDesign) design = design_of (model, NN_STRATEGY_RESOURCE, 4, NN_IO_PARALLEL);
  guint first;
  g_autoptr (GArray) options = NULL;

  g_assert_true (nn_graph_find (nn_model_graph (nn_design_model (design)), "first", &first));
  options = nn_reuse_options (design, first, NULL);
  g_assert_cmpuint (options->len, ==, 4 + 3); /* 1 2 4 8, 16 24 48 */
  for (guint k = 0; k < options->len; k++)
    {
      const NnReuseOption *option = &g_array_index (options, NnReuseOption, k);

      g_assert_true (nn_reuse_is_valid (8, 6, option->reuse));
      if (option->reuse > 1)
        g_assert_cmpfloat (option->cost.resource[NN_RESOURCE_DSP].value, ==, 48 / option->reuse);
    }
}

static void
test_calibration (void)
{
  g_autoptr (NnModel) model = small_model (1, FALSE);
  g_autoptr (NnDesign) design = design_of (model, NN_STRATEGY_RESOURCE, 4, NN_IO_PARALLEL);
  g_autoptr (NnEstimate) plain = estimate_of (design), scaled = estimate_of (design), undone = estimate_of (design);
  g_autoptr (NnCalibration) calibration = nn_calibration_new (), loaded = NULL;
  g_autofree char *folder = test_folder ();
  g_autofree char *path = g_build_filename (folder, "calibration.json", NULL);
  g_autoptr (GError) error = NULL;
  NnCalibrationEntry entry = { .tool = (char *) "Vitis HLS", .version = (char *) "2024.1", .part = (char *) "xcu250-figd2104-2L-e",
                               .stage = (char *) "csynth", .estimated = { { 10, 2, 1000, 500, 0 } },
                               .measured = { { 10, 2, 500, 1000, 0 } }, .estimated_latency = 20, .measured_latency = NAN };

  g_assert_cmpuint (nn_calibration_apply (calibration, NULL, NULL, NULL, scaled), ==, 0);
  for (guint k = 0; k < 6; k++)
    {
      g_autofree char *source = g_strdup_printf ("run-%u/csynth.xml", k);

      entry.source = source;
      nn_calibration_add (calibration, &entry);
      nn_calibration_add (calibration, &entry); /* the same again: replaced */
    }
  g_assert_cmpuint (nn_calibration_n_entries (calibration), ==, 6);
  g_assert_true (nn_calibration_save (calibration, path, &error));
  loaded = nn_calibration_load (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_calibration_n_entries (loaded), ==, 6);
  g_assert_cmpstr (nn_calibration_entry (loaded, 2)->version, ==, "2024.1");
  g_assert_true (isnan (nn_calibration_entry (loaded, 2)->measured_latency));
  g_assert_cmpuint (nn_calibration_apply (loaded, "Vitis HLS", "2024.1", NULL, scaled), ==, 6);
  /* six runs that took half the LUTs and twice the FFs, and one that the estimate fits */
  g_assert_cmpfloat_with_epsilon (scaled->total.resource[NN_RESOURCE_LUT].value,
                                  plain->total.resource[NN_RESOURCE_LUT].value * pow (0.5, 6 / 6.5), 1e-6);
  g_assert_cmpfloat (scaled->total.resource[NN_RESOURCE_FF].value, >, 1.8 * plain->total.resource[NN_RESOURCE_FF].value);
  g_assert_cmpfloat (scaled->total.resource[NN_RESOURCE_DSP].value, ==, plain->total.resource[NN_RESOURCE_DSP].value);
  g_assert_cmpfloat (scaled->total.latency.value, ==, plain->total.latency.value);
  /* runs of Vivado speak of what is left after synthesis, and of nothing else */
  entry.source = (char *) "run/vivado_synth.rpt";
  entry.tool = (char *) "Vivado";
  entry.stage = (char *) "vsynth";
  nn_calibration_add (loaded, &entry);
  {
    g_autoptr (NnEstimate) left = estimate_of (design);

    g_assert_cmpuint (nn_calibration_apply (loaded, "Vivado", NULL, "vsynth", left), ==, 1);
    g_assert_cmpfloat_with_epsilon (left->synthesised[NN_RESOURCE_LUT].value,
                                    plain->total.resource[NN_RESOURCE_LUT].value * pow (0.5, 1 / 1.5), 1e-6);
    g_assert_cmpfloat (left->total.resource[NN_RESOURCE_LUT].value, ==, plain->total.resource[NN_RESOURCE_LUT].value);
  }
  /* another tool or stage says nothing */
  g_assert_cmpuint (nn_calibration_apply (loaded, "Vivado HLS", NULL, NULL, undone), ==, 0);
  g_assert_cmpuint (nn_calibration_apply (loaded, "Vitis HLS", NULL, "vsynth", undone), ==, 0);
  while (nn_calibration_n_entries (loaded) > 0)
    nn_calibration_remove (loaded, 0);
  g_assert_cmpuint (nn_calibration_apply (loaded, NULL, NULL, NULL, undone), ==, 0);
  g_assert_cmpfloat (undone->total.resource[NN_RESOURCE_LUT].value, ==, plain->total.resource[NN_RESOURCE_LUT].value);
  g_assert_true (g_file_set_contents (path, "{\"calibration\": [{}]}", -1, NULL));
  g_assert_null (nn_calibration_load (path, &error));
  g_assert_nonnull (strstr (error->message, "entry 1"));
}

/* Inputs that are constants take nothing; narrow ones take no multipliers; wider ones wider adders. */
static void
test_inputs (void)
{
  static const gint64 raw[] = { 11, 43, 5, 77, 3, 21, -9, 1 }; /* (4, 2) */
  NnType types[4] = { NN_FIXED (16, 6), NN_FIXED (16, 6), NN_FIXED (16, 6), NN_FIXED (16, 6) };
  NnMatrix m = { .n_in = 4, .n_out = 2, .raw = raw, .input = NN_FIXED (16, 6), .weight = NN_FIXED (8, 1), .accum = NN_FIXED (16, 6),
                 .strategy = NN_STRATEGY_LATENCY, .reuse = 1, .clock_ns = 5, .uncertainty = 0.27, .part = nn_part_find ("xcu250", NULL) };
  NnCost plain, constant, narrow;

  nn_matrix_cost (&m, &plain);
  g_assert_cmpfloat (plain.resource[NN_RESOURCE_DSP].value, ==, 4); /* 11, 43, 77, 21 */
  m.inputs = types;
  types[0].width = 0;
  nn_matrix_cost (&m, &constant);
  g_assert_cmpfloat (constant.resource[NN_RESOURCE_DSP].value, ==, 2);
  g_assert_cmpfloat (constant.resource[NN_RESOURCE_LUT].value, <, plain.resource[NN_RESOURCE_LUT].value);
  g_assert_cmpfloat (constant.bops, <, plain.bops);
  for (guint i = 0; i < 4; i++)
    types[i] = NN_UFIXED (6, 0);
  nn_matrix_cost (&m, &narrow);
  g_assert_cmpfloat (narrow.resource[NN_RESOURCE_DSP].value, ==, 0);
  g_assert_cmpfloat (narrow.resource[NN_RESOURCE_DSP].high, >=, 4); /* no law */
  m.vivado = TRUE; /* +11 is made of additions there */
  m.inputs = NULL;
  nn_matrix_cost (&m, &plain);
  g_assert_cmpfloat (plain.resource[NN_RESOURCE_DSP].value, ==, 3);
}

/* What multiplies decides: other families, an ASIC, an unknown part. */
static void
test_parts (void)
{
  g_autoptr (NnModel) model = small_model (1, FALSE);
  g_autoptr (NnDesign) design = design_of (model, NN_STRATEGY_RESOURCE, 4, NN_IO_PARALLEL);
  g_autoptr (NnEstimate) intel = nn_estimate (design, nn_part_find ("agilex7", NULL), NULL);
  g_autoptr (NnEstimate) amd = nn_estimate (design, nn_part_find ("xcvu13p", NULL), NULL);
  g_autoptr (NnEstimate) asic = nn_estimate (design, nn_part_find ("asic-45nm", NULL), NULL);
  g_autoptr (NnConfig) config = nn_config_copy (nn_design_config (design));

  g_assert_cmpfloat (layer_cost (design, intel, "first")->resource[NN_RESOURCE_DSP].value, ==, 6);
  g_assert_cmpfloat (asic->total.resource[NN_RESOURCE_DSP].value, ==, 0);
  g_assert_cmpfloat (asic->total.area_um2.value, >, 0);
  g_assert_true (isnan (intel->total.area_um2.value));
  /* AMD's synthesis is known to leave less; of others nothing is */
  g_assert_cmpfloat (intel->synthesised[NN_RESOURCE_LUT].value, ==, intel->total.resource[NN_RESOURCE_LUT].value);
  g_assert_cmpfloat (amd->synthesised[NN_RESOURCE_LUT].value, <, amd->total.resource[NN_RESOURCE_LUT].value);
  g_assert_cmpfloat (amd->synthesised[NN_RESOURCE_DSP].value, ==, amd->total.resource[NN_RESOURCE_DSP].value);
  nn_config_set_part (config, "xczu99zz-none-1");
  g_assert_cmpint (nn_estimate_part (config)->family, ==, NN_FAMILY_ULTRASCALE_PLUS);
  nn_config_set_part (config, "xc7z999");
  g_assert_cmpint (nn_estimate_part (config)->family, ==, NN_FAMILY_7_SERIES);
  nn_config_set_part (config, "xcvc9999");
  g_assert_cmpint (nn_estimate_part (config)->family, ==, NN_FAMILY_VERSAL);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cost/estimate/resource", test_resource);
  g_test_add_func ("/cost/estimate/jets", test_jets);
  g_test_add_func ("/cost/estimate/all-models", test_all_models);
  g_test_add_func ("/cost/estimate/parts", test_parts);
  g_test_add_func ("/cost/estimate/inputs", test_inputs);
  g_test_add_func ("/cost/reuse/solver", test_reuse_solver);
  g_test_add_func ("/cost/reuse/large", test_reuse_large);
  g_test_add_func ("/cost/reuse/options", test_reuse_options);
  g_test_add_func ("/cost/calibration", test_calibration);
  return g_test_run ();
}
