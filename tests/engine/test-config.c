/* SPDX-License-Identifier: GPL-3.0-or-later */
/* design: the configuration in hls4ml's words. */

#include "nn-config.h"
#include "nn-error.h"
#include "nn-reuse.h"

#include <gio/gio.h>
#include <string.h>

static NnConfig *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  NnConfig *config = nn_config_parse (text, &error);

  g_assert_no_error (error);
  return config;
}

static void
assert_type (const NnConfig *config,
             const char     *layer,
             const char     *class_name,
             const char     *variable,
             const char     *expected)
{
  NnType type = nn_config_precision (config, layer, class_name, variable);
  g_autofree char *text = nn_type_to_string (&type);

  g_assert_cmpstr (text, ==, expected);
}

static const char full_yaml[] =
  "KerasH5: model.h5\n"
  "Backend: Vivado\n"
  "XilinxPart: xcku115-flvb2104-2-i # a comment\n"
  "ClockPeriod: 4\n"
  "ClockUncertainty: 12.5%\n"
  "IOType: io_stream\n"
  "HLSConfig:\n"
  "  Model:\n"
  "    Precision: ap_fixed<16, 6>\n"
  "    ReuseFactor: 2\n"
  "  LayerType:\n"
  "    Dense:\n"
  "      Strategy: Resource\n"
  "      Precision:\n"
  "        weight: ap_fixed<8,2>\n"
  "        default: ap_fixed<10,3>\n"
  "  LayerName:\n"
  "    fc1:\n"
  "      Precision: ap_fixed<6,1>\n"
  "      ReuseFactor: 8\n"
  "      TableSize: 512\n"
  "    softmax:\n"
  "      Implementation: argmax\n"
  "      exp_table_t: ap_fixed<18,8>\n"
  "      Skip: false\n"
  "      PipelineStyle: dataflow\n";

static void
assert_full (const NnConfig *config)
{
  g_assert_cmpint (nn_config_backend (config), ==, NN_BACKEND_VIVADO);
  g_assert_cmpint (nn_config_io_type (config), ==, NN_IO_STREAM);
  g_assert_cmpstr (nn_config_part (config), ==, "xcku115-flvb2104-2-i");
  g_assert_true (nn_config_clock_ns (config) == 4);
  g_assert_true (nn_config_uncertainty (config) == 0.125);
  g_assert_cmpuint (nn_config_reuse (config, "fc1", "Dense"), ==, 8);
  g_assert_cmpuint (nn_config_reuse (config, "fc2", "Dense"), ==, 2);
  g_assert_cmpint (nn_config_strategy (config, "fc1", "Dense"), ==, NN_STRATEGY_RESOURCE);
  g_assert_cmpint (nn_config_strategy (config, "bn", "BatchNormalization"), ==, NN_STRATEGY_LATENCY);
  assert_type (config, "fc1", "Dense", "weight", "fixed<6,1>");
  assert_type (config, "fc2", "Dense", "weight", "fixed<8,2>");
  assert_type (config, "fc2", "Dense", "result", "fixed<10,3>");
  assert_type (config, "relu", "Activation", "result", "fixed<16,6>");
  assert_type (config, "softmax", "Softmax", "exp_table", "fixed<18,8>");
  g_assert_cmpstr (nn_config_extra (config, "softmax", NULL, "PipelineStyle"), ==, "dataflow");
}

static void
test_full (void)
{
  g_autoptr (NnConfig) config = parse (full_yaml);

  assert_full (config);
}

static void
test_round_trip (void)
{
  g_autoptr (NnConfig) config = parse (full_yaml);
  g_autofree char *json = nn_config_to_json (config), *yaml = nn_config_to_yaml (config);
  g_autoptr (NnConfig) from_json = parse (json), from_yaml = parse (yaml), copy = nn_config_copy (config);
  g_autofree char *again = nn_config_to_json (from_yaml);

  assert_full (from_json);
  assert_full (from_yaml);
  assert_full (copy);
  g_assert_cmpstr (again, ==, json);
}

static void
test_reduced (void)
{
  g_autoptr (NnConfig) config = parse ("{\"backend\": \"Vitis\", \"io_type\": \"io_parallel\", \"granularity\": \"name\","
                                       "\"clock_period\": 5, \"Model\": {\"Precision\": {\"default\": \"fixed<12,4>\", \"bias\": \"fixed<9,3>\"},"
                                       "\"Strategy\": \"resource_unrolled\", \"ReuseFactor\": \"4\"}}");

  g_assert_cmpint (nn_config_granularity (config), ==, NN_GRANULARITY_NAME);
  g_assert_cmpint (nn_config_strategy (config, "x", "Dense"), ==, NN_STRATEGY_RESOURCE_UNROLLED);
  g_assert_cmpuint (nn_config_reuse (config, "x", "Dense"), ==, 4);
  assert_type (config, "x", "Dense", "weight", "auto");
  assert_type (config, "x", "Dense", "bias", "fixed<9,3>");
  assert_type (config, "x", "Dense", "default", "fixed<12,4>");
}

static void
test_errors (void)
{
  static const struct { const char *text; const char *says; } cases[] = {
    { "{\"Backendd\": \"Vitis\"}", "Backend" },
    { "{\"backend\": \"Vitiss\"}", "Vitis" },
    { "{\"HLSConfig\": {\"Modell\": {}}}", "Model" },
    { "{\"Model\": {\"Strategie\": \"Latency\"}}", "Strategy" },
    { "{\"Model\": {\"Strategy\": \"fast\"}}", "Latency" },
    { "{\"Model\": {\"ReuseFactor\": -1}}", "ReuseFactor" },
    { "{\"Model\": {\"Precision\": \"fixed<8\"}}", "Precision" },
    { "{\"LayerName\": {\"fc1\": {\"Precision\": {\"weight\": \"fixed<8,4,ROUND>\"}}}}", "fc1" },
    { "{\"ClockPeriod\": 0}", "ClockPeriod" },
    { "{\"ClockUncertainty\": \"150%\"}", "ClockUncertainty" },
    { "{\"Model\": [1]}", "Model" },
    { "[1, 2]", "mapping" },
    { "", "empty" },
    { "{\"a\": ", "JSON" },
    { "a: [", "YAML" },
    { "\xff\xfe", "UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnConfig) config = nn_config_parse (cases[i].text, &error);

      g_assert_null (config);
      g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
      if (strstr (error->message, cases[i].says) == NULL)
        g_error ("case %u: \"%s\" does not say \"%s\"", i, error->message, cases[i].says);
    }
}

static void
test_depth (void)
{
  g_autoptr (GString) json = g_string_new ("{\"Model\":"), yaml = g_string_new ("Model: ");

  for (guint i = 0; i < 100000; i++)
    {
      g_string_append_c (json, '[');
      g_string_append_c (yaml, '[');
    }
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (nn_config_parse (i == 0 ? json->str : yaml->str, &error));
      g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
    }
}

/* The rule as hls4ml writes it, against the closed form used here. */
static gboolean
reference_rule (guint n_in,
                guint n_out,
                guint rf)
{
  guint n = n_in * n_out, factor = MIN (n_in, rf), limit = (n + factor - 1) / factor;

  return (limit % n_out == 0 || rf >= n_in) && (rf % n_in == 0 || rf < n_in) && n % rf == 0;
}

static void
test_reuse (void)
{
  for (guint n_in = 1; n_in <= 24; n_in++)
    for (guint n_out = 1; n_out <= 24; n_out++)
      {
        g_autoptr (GArray) valid = nn_reuse_valid (n_in, n_out);
        guint n = 0;

        for (guint rf = 1; rf <= n_in * n_out; rf++)
          {
            g_assert_cmpint (nn_reuse_is_valid (n_in, n_out, rf), ==, reference_rule (n_in, n_out, rf));
            if (nn_reuse_is_valid (n_in, n_out, rf))
              g_assert_cmpuint (g_array_index (valid, guint, n++), ==, rf);
          }
        g_assert_cmpuint (n, ==, valid->len);
      }
  g_assert_cmpuint (nn_reuse_nearest (16, 64, 3), ==, 2);
  g_assert_cmpuint (nn_reuse_nearest (16, 64, 5000), ==, 1024);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/full", test_full);
  g_test_add_func ("/config/round-trip", test_round_trip);
  g_test_add_func ("/config/reduced", test_reduced);
  g_test_add_func ("/config/errors", test_errors);
  g_test_add_func ("/config/depth", test_depth);
  g_test_add_func ("/reuse/rule", test_reuse);
  return g_test_run ();
}
