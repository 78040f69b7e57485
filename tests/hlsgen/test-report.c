/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports of real tool runs parse to what was read from them by hand and by another program. */

#include "hls-report.h"
#include "test-network.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* A key of expected.json and where the reader puts it; `scale` makes our unit of it. */
static const struct {
  const char *key;
  int         resource;  /* or -1 */
  gboolean    available;
  gsize       offset;    /* of a double in HlsReport */
  double      scale;
} fields[] = {
  { "DSP", NN_RESOURCE_DSP, FALSE, 0, 1 },
  { "FF", NN_RESOURCE_FF, FALSE, 0, 1 },
  { "LUT", NN_RESOURCE_LUT, FALSE, 0, 1 },
  { "URAM", NN_RESOURCE_URAM, FALSE, 0, 1 },
  { "BRAM_18K", NN_RESOURCE_BRAM, FALSE, 0, 1 },
  { "BRAM_tile", NN_RESOURCE_BRAM, FALSE, 0, 2 },
  { "avail_DSP", NN_RESOURCE_DSP, TRUE, 0, 1 },
  { "avail_FF", NN_RESOURCE_FF, TRUE, 0, 1 },
  { "avail_LUT", NN_RESOURCE_LUT, TRUE, 0, 1 },
  { "avail_URAM", NN_RESOURCE_URAM, TRUE, 0, 1 },
  { "avail_BRAM_18K", NN_RESOURCE_BRAM, TRUE, 0, 1 },
  { "clk_target", -1, FALSE, G_STRUCT_OFFSET (HlsReport, clock_target_ns), 1 },
  { "clk_est", -1, FALSE, G_STRUCT_OFFSET (HlsReport, clock_estimated_ns), 1 },
  { "clk_unc", -1, FALSE, G_STRUCT_OFFSET (HlsReport, clock_uncertainty_ns), 1 },
  { "Average-caseLatency", -1, FALSE, G_STRUCT_OFFSET (HlsReport, latency_average), 1 },
  { "Best-caseLatency", -1, FALSE, G_STRUCT_OFFSET (HlsReport, latency_min), 1 },
  { "Worst-caseLatency", -1, FALSE, G_STRUCT_OFFSET (HlsReport, latency_max), 1 },
  { "Interval-min", -1, FALSE, G_STRUCT_OFFSET (HlsReport, interval_min), 1 },
  { "Interval-max", -1, FALSE, G_STRUCT_OFFSET (HlsReport, interval_max), 1 },
};

static void
check_number (const HlsReport *report,
              const char      *path,
              guint            f,
              JsonNode        *node)
{
  double seen;

  if (fields[f].resource >= 0)
    seen = (fields[f].available ? &report->available : &report->resources)->amount[fields[f].resource];
  else
    seen = G_STRUCT_MEMBER (double, report, fields[f].offset);
  if (json_node_get_value_type (node) == G_TYPE_STRING) /* "undef" */
    {
      if (!isnan (seen))
        g_error ("%s: %s is %g, but the report does not say it", path, fields[f].key, seen);
    }
  else if (!(fabs (seen - fields[f].scale * json_node_get_double (node)) < 1e-9))
    g_error ("%s: %s is %g, expected %g", path, fields[f].key, seen, fields[f].scale * json_node_get_double (node));
}

/* "2020.1" stands as a number there, "2019.2.1" as text. */
static void
check_version (const HlsReport *report,
               JsonNode        *node)
{
  g_assert_nonnull (report->version);
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    g_assert_cmpstr (report->version, ==, json_node_get_string (node));
  else
    g_assert_cmpfloat_with_epsilon (g_ascii_strtod (report->version, NULL), json_node_get_double (node), 1e-9);
}

static void
check_report (const char *folder,
              const char *name,
              JsonObject *expected)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = hls_report_read (path, &error);
  guint checked = 0;

  g_assert_no_error (error);
  for (guint f = 0; f < G_N_ELEMENTS (fields); f++)
    if (json_object_has_member (expected, fields[f].key))
      {
        check_number (report, name, f, json_object_get_member (expected, fields[f].key));
        checked++;
      }
  g_assert_cmpuint (checked, >=, 4);
  if (json_object_has_member (expected, "version"))
    check_version (report, json_object_get_member (expected, "version"));
  if (json_object_has_member (expected, "part"))
    g_assert_cmpstr (report->part, ==, json_object_get_string_member (expected, "part"));
  if (json_object_has_member (expected, "pipeline"))
    g_assert_cmpstr (report->pipeline, ==, json_object_get_string_member (expected, "pipeline"));
  if (json_object_has_member (expected, "device"))
    g_assert_cmpstr (report->part, ==, json_object_get_string_member (expected, "device"));
  if (json_object_has_member (expected, "top"))
    g_assert_cmpstr (report->top, ==, json_object_get_string_member (expected, "top"));
  if (json_object_has_member (expected, "tool"))
    g_assert_true (g_str_has_suffix (json_object_get_string_member (expected, "tool"), report->version));
  if (json_object_has_member (expected, "state"))
    g_assert_cmpstr (report->stage, ==,
                     strstr (json_object_get_string_member (expected, "state"), "Placed") != NULL ? "impl" : "vsynth");
}

static void
test_golden (void)
{
  g_autofree char *folder = test_shared_path ("reports");
  g_autofree char *path = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GList) names = NULL;
  JsonObject *all;

  if (folder == NULL)
    return;
  path = g_build_filename (folder, "expected.json", NULL);
  g_assert_true (json_parser_load_from_file (parser, path, &error));
  g_assert_no_error (error);
  all = json_node_get_object (json_parser_get_root (parser));
  names = json_object_get_members (all);
  for (GList *l = names; l != NULL; l = l->next)
    check_report (folder, l->data, json_object_get_object_member (all, l->data));
  g_test_message ("%u reports", json_object_get_size (all));
  g_assert_cmpuint (json_object_get_size (all), >, 200);
}

static HlsReport *
read_shared (const char *name)
{
  g_autofree char *relative = g_build_filename ("reports", name, NULL);
  g_autofree char *path = test_shared_path (relative);
  g_autoptr (GError) error = NULL;
  HlsReport *report;

  if (path == NULL)
    return NULL;
  report = hls_report_read (path, &error);
  g_assert_no_error (error);
  return report;
}

static const HlsModule *
find_module (const HlsReport *report,
             const char      *part)
{
  for (guint i = 0; i < report->n_modules; i++)
    if (strstr (report->modules[i].name, part) != NULL)
      return &report->modules[i];
  g_error ("%s has no module \"%s\"", report->path, part);
}

/* What expected.json does not hold: formats of their own, and figures of modules, read off the files by eye. */
static const struct {
  const char *file, *stage, *tool;
  double      dsp, bram, lut, ff, latency, interval;
  const char *module;
  double      module_dsp, module_lut;
} others[] = {
  { "vitis-2024.1_ECE226-conv1d/csynth.rpt", "csynth", "Vitis HLS", 467, 29, 17966, 7123, 395, 390,
    "dense_latency_wrapper", 91, 2447 },
  { "vitis-2024.1_ECE226-conv1d/csynth.xml", "csynth", "Vitis HLS", 467, 29, 17966, 7123, 395, 390,
    "dense_latency_wrapper", 91, 2447 },
  { "vitis-2023.2_CL2TaggerFirmware-JetTaggerNN", "csynth", "Vitis HLS", -1, -1, -1, -1, 80, 24, NULL, 0, 0 },
  { "vivado-2018.2_KebL-core-model4/model4_rf2_core.rpt", "csynth", "Vivado HLS", 1068, 602, 64927, 43849, 3300, 3201,
    "config11_s", 288, 13525 },
  { "vivado-2019.2.1_KebL-kernel_window-model32_resource_10k/synth.rpt", "csynth", "Vivado HLS", -1, -1, -1, -1, 15667,
    14901, NULL, 0, 0 },
  { "vivado-2018.2_KebL-core-model4/myproject_export.rpt", "vsynth", "Vivado", 2996, 121, 60776, 49540, -1, -1, NULL, 0, 0 },
  { "vivado-2018.2_KebL-core-model4/myproject_timing_synth.rpt", "timing", "Vivado", -1, -1, -1, -1, -1, -1, NULL, 0, 0 },
  { "vivado-2019.2.1_KebL-big/synth_hier.rpt", "vsynth", "Vivado", 3394, 2 * 5468 + 4, 488488, 257830, -1, -1,
    "conv_2d_cl_ap_fixed_ap_fixed_16_6_5_3_0_config2_U0", 160, 3445 },
  { "vivado-2019.2_camillaMiao-single-dense/myproject_cosim.rpt", "cosim", "Vivado HLS", -1, -1, -1, -1, 3, -1, NULL, 0, 0 },
  { "vivado-2019.2_camillaMiao-single-dense", "csynth", "Vivado HLS", 55, 0, 1773, 1866, 3, 1, "dense_latency", 55, 1731 },
  { "quartus-hls_therwig/summary.json", "csynth", "Intel HLS", 57, 0, 32287, 13058, -1, -1, "myproject", 57, 32287 },
  { "quartus-hls_therwig/area.json", "csynth", "Intel HLS", 57, 0, 32287, 13058, -1, -1, "myproject", 57, 32287 },
  { "quartus-hls_therwig/report_data.js", "csynth", "Intel HLS", 57, 0, 32287, 13058, 21, 1, "myproject", 57, 32287 },
  { "quartus-hls_therwig", "csynth", "Intel HLS", 57, 0, 32287, 13058, 21, 1, "myproject", 57, 32287 },
  { "quartus-hls_Boostedx/terasic_de1soc.fit.summary", "impl", "Quartus Prime", 46, 99, -1, 31257, -1, -1, NULL, 0, 0 },
  { "quartus-hls_Boostedx/terasic_de1soc.flow.rpt", "impl", "Quartus Prime", 46, -1, -1, 31257, -1, -1, NULL, 0, 0 },
  { "hls4ml-test_report/oneAPI/summary.ndjson", "csynth", "oneAPI", 0, 77, 2462, 7938, -1, -1, "bias_t", 0, 2134 },
  { "hls4ml-test_report/oneAPI/loop_attr.ndjson", "csynth", "oneAPI", -1, -1, -1, -1, 200, 1, NULL, 0, 0 },
  { "hls4ml-test_report/oneAPI/quartus.ndjson", "impl", "oneAPI", 40, 36, 4182, 16419, -1, -1, "Myproject", 40, 4181 },
  { "hls4ml-test_report/baselines/Vivado/2020.1/"
    "test_keras_api_test_conv2d_io_parallel-Vivado-Resource-same-channels_last.json",
    "csynth", "hls4ml", 740, 0, 86819, 52870, 52, 49, NULL, 0, 0 },
};

static void
test_others (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_autoptr (HlsReport) report = read_shared (others[i].file);
      const double *amount;

      if (report == NULL)
        return;
      g_test_message ("%s", others[i].file);
      amount = report->resources.amount;
      g_assert_cmpstr (report->stage, ==, others[i].stage);
      g_assert_cmpstr (report->tool, ==, others[i].tool);
      if (others[i].latency < 0 || others[i].dsp >= 0)
        {
          g_assert_cmpfloat (amount[NN_RESOURCE_DSP], ==, others[i].dsp);
          g_assert_cmpfloat (amount[NN_RESOURCE_BRAM], ==, others[i].bram);
          g_assert_cmpfloat (amount[NN_RESOURCE_LUT], ==, others[i].lut);
          g_assert_cmpfloat (amount[NN_RESOURCE_FF], ==, others[i].ff);
        }
      if (others[i].latency >= 0)
        g_assert_cmpfloat (report->latency_max, ==, others[i].latency);
      else
        g_assert_true (isnan (report->latency_max));
      if (others[i].interval >= 0)
        g_assert_cmpfloat (report->interval_max, ==, others[i].interval);
      if (others[i].module != NULL)
        {
          const HlsModule *module = find_module (report, others[i].module);

          g_assert_cmpfloat (module->resources.amount[NN_RESOURCE_DSP], ==, others[i].module_dsp);
          g_assert_cmpfloat (module->resources.amount[NN_RESOURCE_LUT], ==, others[i].module_lut);
        }
    }
}

static void
test_details (void)
{
  g_autoptr (HlsReport) timing = read_shared ("vivado-2018.2_KebL-core-model4/myproject_timing_synth.rpt");
  g_autoptr (HlsReport) info = read_shared ("quartus-hls_therwig/info.json");
  g_autoptr (HlsReport) fit = read_shared ("hls4ml-test_report/oneAPI/quartus.ndjson");
  g_autoptr (HlsReport) cosim = read_shared ("vitis-2023.1_SpAllen-autoencoder1d/myproject_cosim.rpt");
  g_autoptr (HlsReport) chip = read_shared ("quartus-hls_Boostedx/terasic_de1soc.fit.summary");

  if (timing == NULL)
    return;
  g_assert_cmpfloat_with_epsilon (timing->clock_target_ns, 5, 1e-9);
  g_assert_cmpfloat_with_epsilon (timing->clock_estimated_ns, 3.952, 1e-9);
  g_assert_cmpstr (info->part, ==, "10AS066H2F34I1SG");
  g_assert_cmpstr (info->version, ==, "19.2.0");
  g_assert_cmpfloat_with_epsilon (fit->clock_estimated_ns, 1000 / 597.73, 1e-9);
  g_assert_cmpfloat (fit->ram_kbit, ==, 20);
  g_assert_cmpstr (cosim->status, ==, "Fail");
  g_assert_cmpstr (chip->part, ==, "5CSEMA5F31C6");
  g_assert_cmpfloat (chip->ram_kbit, ==, 10);
  g_assert_cmpfloat (chip->available.amount[NN_RESOURCE_DSP], ==, 87);
}

static void
test_layers (void)
{
  g_autoptr (HlsReport) report = read_shared ("vitis-2021.1_ArgyKokk_mlp/mnist-DSP_reuse1");

  if (report == NULL)
    return;
  g_assert_cmpfloat (hls_report_layer (report, 2)->resources.amount[NN_RESOURCE_DSP], ==, 120);
  g_assert_cmpfloat (hls_report_layer (report, 5)->resources.amount[NN_RESOURCE_DSP], ==, 219);
  g_assert_cmpfloat (hls_report_layer (report, 4)->resources.amount[NN_RESOURCE_LUT], ==, 2408);
  g_assert_null (hls_report_layer (report, 1)); /* neither config10 nor config11 */
}

/* hls4ml's numbers are not ours: layers are told by their kind and order. */
static void
test_other_numbers (void)
{
  g_autoptr (HlsReport) report = read_shared ("vitis-2021.1_ArgyKokk_mlp/jet_tagging-DSP_reuse1");
  static const struct { guint node; double dsp; } layers[] = { { 1, 247 }, { 3, 275 }, { 5, 202 }, { 7, 85 } };
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  const NnGraph *graph;
  TestNetwork n;

  if (report == NULL)
    return;
  network_begin (&n);
  network_input (&n, "x", &NN_SHAPE (16));
  network_dense (&n, "fc1", 16, 64);
  network_act (&n, "relu1", NN_ACT_RELU);
  network_dense (&n, "fc2", 64, 32);
  network_act (&n, "relu2", NN_ACT_RELU);
  network_dense (&n, "fc3", 32, 32);
  network_act (&n, "relu3", NN_ACT_RELU);
  network_dense (&n, "out", 32, 5);
  model = network_end (&n);
  design = network_design (model, "{\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}");
  graph = nn_model_graph (nn_design_model (design));
  for (guint i = 0; i < G_N_ELEMENTS (layers); i++)
    {
      const HlsModule *module = hls_report_node (report, graph, layers[i].node);

      g_assert_nonnull (module);
      g_assert_cmpfloat (module->resources.amount[NN_RESOURCE_DSP], ==, layers[i].dsp);
    }
}

/* The layout of Catapult's rtl.rpt (2022 to 2024); numbers of our own. */
static const char catapult[] =
  "Catapult University Version: 2024.1_2/1117371\n"
  "Processes/Blocks in Design\n"
  "  Process                                     Real Operation(s) count Latency Throughput Reset Length II Comments\n"
  "  ------------------------------------------- ----------------------- ------- ---------- ------------ -- --------\n"
  "  /myproject/nnet::linear<a_t,b_t,cfg3>/core                      128       1          3            0  0\n"
  "  /myproject/nnet::dense<b_t,c_t,cfg4>/core                      1970      25          3            0  0 ?\n"
  "  Design Total:                                                  2098      26          3            1  0\n"
  "\n"
  "Clock Information\n"
  "  Clock Signal Edge   Period Sharing Alloc (%) Uncertainty Used by Processes/Blocks\n"
  "  ------------ ------ ------ ----------------- ----------- ------------------------\n"
  "  clk          rising  5.000             20.00    0.000000 /myproject/core\n"
  "\n"
  "Area Scores\n"
  "                    Post-Scheduling     Post-DP & FSM   Post-Assignment\n"
  "  Total Area Score:   560291.8          588659.5          586221.4\n";

static void
test_catapult (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = hls_report_parse (catapult, strlen (catapult), "rtl.rpt", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (report->tool, ==, "Catapult");
  g_assert_cmpstr (report->top, ==, "myproject");
  g_assert_cmpfloat (report->latency_max, ==, 26);
  g_assert_cmpfloat (report->interval_max, ==, 3);
  g_assert_cmpfloat (report->clock_target_ns, ==, 5);
  g_assert_cmpfloat (report->latency_ns_max, ==, 130);
  g_assert_cmpfloat (report->area, ==, 586221.4);
  g_assert_cmpuint (report->n_modules, ==, 2);
  g_assert_cmpfloat (report->modules[1].latency_max, ==, 25);
  g_assert_cmpfloat (report->resources.amount[NN_RESOURCE_DSP], <, 0);
}

/* report_timing_summary, which the shared folder has none of. */
static const char timing_summary[] =
  "| Tool Version : Vivado v.2022.2 (lin64) Build 3671981\n| Device       : xcku115-flvb2104\n"
  "Timing Summary Report\n"
  "| Design Timing Summary\n"
  "    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)\n"
  "    -------      -------  ---------------------  -------------------      -------\n"
  "     -0.250       -1.500                      6                 1234        0.050\n"
  "Clock   Waveform(ns)       Period(ns)      Frequency(MHz)\n"
  "-----   ------------       ----------      --------------\n"
  "ap_clk  {0.000 2.500}      5.000           200.000\n";

static void
test_timing_summary (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HlsReport) report = hls_report_parse (timing_summary, strlen (timing_summary), "timing.rpt", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (report->version, ==, "2022.2");
  g_assert_cmpfloat (report->clock_target_ns, ==, 5);
  g_assert_cmpfloat (report->clock_estimated_ns, ==, 5.25);
}

/* What a co-simulation says of each sample, as Vivado and Vitis HLS write it and as hls4ml sums it up. */
static void
test_transactions (void)
{
  static const char text[] =
    "                      latency    interval\n"
    "transaction        0:        41           8\n"
    "transaction        1:        43          10\n"
    "transaction        2:        42           x\n";
  static const char json[] =
    "{\"transaction_count\": 2, \"latency\": {\"min\": 41, \"max\": 43, \"avg\": 42}, \"initiation_interval\": {\"min\": 8, \"max\": 10, \"avg\": 9}}";
  const char *const texts[] = { text, json }, *const names[] = { "a/top.performance.result.transaction.xml", "rtl_sim_top_report.json" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (HlsReport) report = hls_report_parse (texts[i], strlen (texts[i]), names[i], &error);

      g_assert_no_error (error);
      g_assert_cmpstr (report->stage, ==, "cosim");
      g_assert_cmpfloat (report->latency_min, ==, 41);
      g_assert_cmpfloat (report->latency_average, ==, 42);
      g_assert_cmpfloat (report->latency_max, ==, 43);
      g_assert_cmpfloat (report->interval_min, ==, 8);
      g_assert_cmpfloat (report->interval_max, ==, 10);
      if (i == 0)
        g_assert_cmpstr (report->top, ==, "top");
    }
}

static const struct {
  const char *text, *message;
} bad[] = {
  { "", "no report" },
  { "hello", "no report" },
  { "<profile><AreaEstimates>", "x.rpt" },
  { "<other/>", "<profile>" },
  { "<profile></profile>", "TopModelName" },
  { "{}", "no report" },
  { "{\"quartusFitClockSummary\":{\"name\":\"Run Quartus compile to populate\"}}", "Quartus has not been run" },
  { "{\"a\": ", "x.rpt" },
  { "[[[[", "no report" },
  { "== Vivado HLS Report for 'top'\n* Version: 2019.2\n", "cut off" },
  { "Utilization Design Information\n", "CLB LUTs" },
  { "Total Area Score: x y z\n", "Design Total" },
  { "| a |\n+   RTL    +  Status  +\n| Verilog | NA | NA|NA|NA|NA|NA|NA|\n", "NA" },
};

static void
test_bad (void)
{
  g_autofree char *deep = g_strnfill (100000, '{');
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) local = NULL;

      g_assert_null (hls_report_parse (bad[i].text, strlen (bad[i].text), "x.rpt", &local));
      g_assert_error (local, HLS_ERROR, HLS_ERROR_REPORT);
      g_assert_nonnull (strstr (local->message, bad[i].message));
    }
  g_assert_null (hls_report_parse (deep, strlen (deep), "deep.json", &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_REPORT);
  g_clear_error (&error);
  g_assert_null (hls_report_read ("/nowhere/at/all", &error));
  g_assert_nonnull (error);
}

/* Every file cut at many places, and with bytes changed: an answer or an error, never a crash. */
static void
test_damaged (void)
{
  static const char *const names[] = {
    "vivado-2019.2_camillaMiao-single-dense/myproject_csynth.xml", "vivado-2019.2_camillaMiao-single-dense/myproject_csynth.rpt",
    "vivado-2019.2_camillaMiao-single-dense/vivado_synth.rpt", "vitis-2024.1_ECE226-conv1d/csynth.rpt",
    "hls4ml-test_report/oneAPI/quartus.ndjson", "quartus-hls_therwig/summary.json", "quartus-hls_Boostedx/terasic_de1soc.flow.rpt",
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *relative = g_build_filename ("reports", names[i], NULL);
      g_autofree char *path = test_shared_path (relative);
      g_autofree char *text = NULL;
      gsize n;

      if (path == NULL)
        return;
      g_assert_true (g_file_get_contents (path, &text, &n, NULL));
      for (guint k = 0; k < 60; k++)
        {
          g_autofree char *copy = g_memdup2 (text, n + 1);
          gsize size = k % 2 == 0 ? (gsize) g_rand_int_range (rand, 0, n) : n;
          HlsReport *report;

          for (guint c = 0; k % 2 == 1 && c < 20; c++)
            copy[g_rand_int_range (rand, 0, n)] = g_rand_int_range (rand, 1, 256);
          report = hls_report_parse (copy, size, names[i], NULL);
          hls_report_free (report);
        }
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/report/golden", test_golden);
  g_test_add_func ("/report/others", test_others);
  g_test_add_func ("/report/details", test_details);
  g_test_add_func ("/report/layers", test_layers);
  g_test_add_func ("/report/other-numbers", test_other_numbers);
  g_test_add_func ("/report/catapult", test_catapult);
  g_test_add_func ("/report/timing-summary", test_timing_summary);
  g_test_add_func ("/report/transactions", test_transactions);
  g_test_add_func ("/report/bad", test_bad);
  g_test_add_func ("/report/damaged", test_damaged);
  return g_test_run ();
}
