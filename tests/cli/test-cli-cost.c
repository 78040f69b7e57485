/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verbs estimate and report from outside: keys that scripts rely on, exit status, messages. */

#include "cli-run.h"
#include "test-shared.h"

#include <json-glib/json-glib.h>
#include <string.h>

static const char config[] =
  "{\"Backend\": \"Vitis\", \"Part\": \"xcvu13p-flga2577-2-e\", \"ClockPeriod\": 5, \"IOType\": \"io_parallel\","
  " \"HLSConfig\": {\"Model\": {\"Precision\": \"ap_fixed<16,6>\", \"ReuseFactor\": 4, \"Strategy\": \"Resource\"}}}";

/* Runs espalier-cli with words up to a NULL; the exit status. */
static int
run (char      **out,
     char      **err,
     const char *first,
     ...) G_GNUC_NULL_TERMINATED;

static int
run (char      **out,
     char      **err,
     const char *first,
     ...)
{
  va_list more;
  int status;

  va_start (more, first);
  status = cli_run_words (out, err, first, more);
  va_end (more);
  return status;
}

static double
figure (JsonObject *cost,
        const char *name,
        const char *part)
{
  return json_object_get_double_member (json_object_get_object_member (cost, name), part);
}

static void
test_estimate (void)
{
  static const char *const figures[] = { "dsp", "bram", "lut", "ff", "uram", "latency_cycles", "interval_cycles", "latency_ns", "bops" };
  g_autofree char *model = test_shared_path ("models/keras_h5/keras_3layer.h5");
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "config.json", NULL);
  g_autofree char *chosen = g_build_filename (folder, "chosen.json", NULL);
  g_autofree char *out = NULL, *err = NULL, *again = NULL, *message = NULL;
  g_autoptr (JsonParser) parser = json_parser_new (), second = json_parser_new ();
  JsonObject *total, *plan, *part;

  if (model == NULL)
    return;
  g_assert_true (g_file_set_contents (path, config, -1, NULL));
  g_assert_cmpint (run (&out, &err, "estimate", model, "--config", path, "--json", "--options", "--reuse-for-latency", "120", "--output",
                        chosen, NULL), ==, 0);
  total = json_object_get_object_member (cli_parse (parser, out), "total");
  for (guint f = 0; f < G_N_ELEMENTS (figures); f++)
    {
      g_assert_cmpfloat (figure (total, figures[f], "low"), <=, figure (total, figures[f], "value"));
      g_assert_cmpfloat (figure (total, figures[f], "value"), <=, figure (total, figures[f], "high"));
    }
  part = json_object_get_object_member (json_node_get_object (json_parser_get_root (parser)), "part");
  g_assert_cmpstr (json_object_get_string_member (part, "name"), ==, "xcvu13p");
  g_assert_cmpint (json_object_get_int_member (part, "dsp"), ==, 12288);
  plan = json_object_get_object_member (json_node_get_object (json_parser_get_root (parser)), "reuse");
  g_assert_cmpstr (json_object_get_string_member (plan, "status"), ==, "optimal");
  g_assert_cmpfloat (json_object_get_double_member (plan, "latency_cycles"), <=, 120);
  g_assert_cmpfloat (json_object_get_double_member (plan, "dsp"), ==, figure (total, "dsp", "value"));
  /* the configuration that was written gives the same estimate */
  g_assert_cmpint (run (&again, &message, "estimate", model, "--config", chosen, "--json", NULL), ==, 0);
  g_assert_cmpfloat (figure (json_object_get_object_member (cli_parse (second, again), "total"), "dsp", "value"), ==,
                     json_object_get_double_member (plan, "dsp"));
}

static void
test_errors (void)
{
  g_autofree char *model = test_shared_path ("models/keras_h5/keras_3layer.h5");
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "config.json", NULL);
  g_autofree char *out = NULL, *err = NULL, *out2 = NULL, *err2 = NULL, *out3 = NULL, *err3 = NULL;

  if (model == NULL)
    return;
  g_assert_true (g_file_set_contents (path, config, -1, NULL));
  g_assert_cmpint (run (&out, &err, "estimate", model, NULL), ==, 2);
  g_assert_nonnull (strstr (err, "--config"));
  g_assert_cmpint (run (&out2, &err2, "estimate", model, "--config", path, "--part", "xcvu13q", NULL), ==, 1);
  g_assert_nonnull (strstr (err2, "xcvu13p"));
  g_assert_cmpint (run (&out3, &err3, "report", folder, NULL), ==, 1);
  g_assert_nonnull (strstr (err3, "no report"));
}

/* Own parts stay from one run to the next, and go again. */
static void
test_parts (void)
{
  g_autofree char *model = test_shared_path ("models/keras_h5/keras_3layer.h5");
  g_autofree char *folder = test_folder (), *path = g_build_filename (folder, "own.json", NULL);
  g_autofree char *settings = g_build_filename (folder, "config.json", NULL);
  g_autofree char *out = NULL, *err = NULL, *out2 = NULL, *err2 = NULL, *out3 = NULL, *err3 = NULL, *out4 = NULL, *err4 = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root;

  g_setenv ("XDG_DATA_HOME", folder, TRUE);
  g_assert_true (g_file_set_contents (path, "{\"parts\": [{\"name\": \"our-card\", \"family\": \"7-series\", \"source\": \"us\", \"dsp\": 77}]}",
                                      -1, NULL));
  g_assert_true (g_file_set_contents (settings, config, -1, NULL));
  g_assert_cmpint (run (&out, &err, "parts", "--add", path, "--json", NULL), ==, 0);
  root = cli_parse (parser, out);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "parts")), >, 60);
  g_assert_true (g_str_has_prefix (json_object_get_string_member (root, "own_file"), folder));
  if (model != NULL)
    {
      g_assert_cmpint (run (&out2, &err2, "estimate", model, "--config", settings, "--part", "our-card", "--json", NULL), ==, 0);
      root = json_object_get_object_member (cli_parse (parser, out2), "part");
      g_assert_cmpfloat (json_object_get_double_member (root, "dsp"), ==, 77);
    }
  g_assert_cmpint (run (&out3, &err3, "parts", "--remove", "our-card", NULL), ==, 0);
  g_assert_null (strstr (out3, "our-card"));
  g_assert_cmpint (run (&out4, &err4, "parts", "--remove", "xcu250", NULL), ==, 1);
  g_assert_nonnull (strstr (err4, "shipped"));
  g_unsetenv ("XDG_DATA_HOME");
}

/* A report refines the estimate and is named; taken back, the estimate is what it was. */
static void
test_calibration (void)
{
  g_autofree char *model = test_shared_path ("models/keras_h5/keras_3layer.h5");
  g_autofree char *report = test_shared_path ("reports/vitis-2024.1_ECE226-conv1d/csynth.xml");
  g_autofree char *folder = test_folder (), *settings = g_build_filename (folder, "config.json", NULL);
  g_autofree char *out = NULL, *err = NULL, *out2 = NULL, *err2 = NULL, *out3 = NULL, *err3 = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root;
  double plain, learnt;

  if (model == NULL || report == NULL)
    return;
  g_setenv ("XDG_DATA_HOME", folder, TRUE);
  g_assert_true (g_file_set_contents (settings, config, -1, NULL));
  g_assert_cmpint (run (&out, &err, "estimate", model, "--config", settings, "--json", NULL), ==, 0);
  plain = figure (json_object_get_object_member (cli_parse (parser, out), "total"), "lut", "value");
  g_assert_cmpint (run (&out2, &err2, "estimate", model, "--config", settings, "--calibration", "own", "--learn", report, "--json", NULL), ==, 0);
  root = cli_parse (parser, out2);
  learnt = figure (json_object_get_object_member (root, "total"), "lut", "value");
  g_assert_cmpfloat (learnt, !=, plain);
  g_assert_cmpint (json_object_get_int_member (root, "calibrated_on"), ==, 1);
  root = json_array_get_object_element (json_object_get_array_member (root, "calibration"), 0);
  g_assert_cmpstr (json_object_get_string_member (root, "source"), ==, report);
  g_assert_cmpstr (json_object_get_string_member (root, "version"), ==, "2024.1");
  g_assert_cmpstr (json_object_get_string_member (root, "part"), ==, "xcu250-figd2104-2L-e");
  g_assert_cmpint (run (&out3, &err3, "estimate", model, "--config", settings, "--calibration", "own", "--forget", report, "--json", NULL), ==, 0);
  g_assert_cmpfloat (figure (json_object_get_object_member (cli_parse (parser, out3), "total"), "lut", "value"), ==, plain);
  g_unsetenv ("XDG_DATA_HOME");
}

static void
test_report (void)
{
  g_autofree char *path = test_shared_path ("reports/vitis-2024.1_ECE226-conv1d/csynth.xml");
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *root, *resources;

  if (path == NULL)
    return;
  g_assert_cmpint (run (&out, &err, "report", path, "--json", NULL), ==, 0);
  root = cli_parse (parser, out);
  resources = json_object_get_object_member (root, "resources");
  g_assert_cmpstr (json_object_get_string_member (root, "stage"), ==, "csynth");
  g_assert_cmpstr (json_object_get_string_member (root, "part"), ==, "xcu250-figd2104-2L-e");
  g_assert_cmpstr (json_object_get_string_member (json_object_get_object_member (root, "tool"), "version"), ==, "2024.1");
  g_assert_cmpfloat (json_object_get_double_member (json_object_get_object_member (root, "clock"), "target_ns"), ==, 5);
  g_assert_cmpfloat (json_object_get_double_member (json_object_get_object_member (root, "latency_cycles"), "max"), ==, 395);
  g_assert_cmpfloat (json_object_get_double_member (json_object_get_object_member (root, "interval_cycles"), "min"), ==, 390);
  g_assert_cmpfloat (json_object_get_double_member (json_object_get_object_member (root, "latency_ns"), "max"), ==, 1975);
  g_assert_cmpfloat (json_object_get_double_member (resources, "dsp"), ==, 467);
  g_assert_cmpfloat (json_object_get_double_member (resources, "bram_18k"), ==, 29);
  g_assert_cmpfloat (json_object_get_double_member (resources, "uram"), ==, 0);
  g_assert_cmpfloat (json_object_get_double_member (json_object_get_object_member (root, "available"), "lut"), ==, 1728000);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (root, "modules")), ==, 12);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/estimate", test_estimate);
  g_test_add_func ("/cli/estimate-errors", test_errors);
  g_test_add_func ("/cli/parts", test_parts);
  g_test_add_func ("/cli/calibration", test_calibration);
  g_test_add_func ("/cli/report", test_report);
  return g_test_run ();
}
