/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Emitted projects: what stands in them, how they are written, and that they compute what the engine computes. */

#include "test-network.h"

#include <dlfcn.h>
#include <glib/gstdio.h>

#define CONFIG(precision, reuse, strategy)                                                                            \
  "{\"Backend\":\"Vitis\",\"IOType\":\"io_parallel\",\"HLSConfig\":{\"Model\":{\"Precision\":\"" precision           \
  "\",\"ReuseFactor\":" reuse ",\"Strategy\":\"" strategy "\"}}}"

/* 8 → 12 → 4 with ReLU and softmax; of the first matrix two multipliers of three, of the second half, have only zeros. */
static NnModel *
dense_network (gsize run)
{
  TestNetwork n;

  network_begin (&n);
  network_input (&n, "input-1 x", &NN_SHAPE (8));
  network_dense (&n, "fc 1", 8, 12);
  if (run > 0)
    network_prune (n.weights[0].values, run, 3);
  network_act (&n, "relu-1", NN_ACT_RELU);
  network_dense (&n, "fc/2", 12, 4);
  if (run > 0)
    network_prune (n.weights[2].values, run, 2);
  network_act (&n, "softmax", NN_ACT_SOFTMAX);
  return network_end (&n);
}

/* Reuse factors below, at and above both numbers of inputs; accumulators that wrap, round and saturate on the way. */
static void
test_dense (void)
{
  static const struct { const char *config; gsize run; const char *kernel; } cases[] = {
    { CONFIG ("fixed<16,6>", "1", "Latency"), 0, "96 of 96 products" },
    { CONFIG ("fixed<10,4,RND_CONV,SAT>", "4", "Latency"), 4, "of 96 products are left" },
    { CONFIG ("fixed<9,3,RND,SAT_SYM>", "2", "Resource"), 0, "48 multipliers" },
    { CONFIG ("fixed<9,3,RND,SAT>", "4", "Resource"), 4, "pruned Resource, since 16 of 24" },
    { CONFIG ("fixed<16,6>", "24", "Resource"), 24, "pruned Resource, since 2 of 4" },
    { CONFIG ("fixed<12,5,TRN_ZERO,SAT_ZERO>", "4", "ResourceUnrolled"), 4, "pruned Resource" },
    { CONFIG ("fixed<9,3,RND,SAT>", "4", "Compressed"), 2, "stored with their places" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (NnModel) model = dense_network (cases[i].run);
      g_autoptr (NnDesign) design = NULL;
      g_autoptr (HlsProject) project = NULL;
      g_autoptr (GError) error = NULL;
      gsize n;

      design = network_design (model, cases[i].config);
      project = hls_project_new (design, NULL, &error);
      g_assert_no_error (error);
      g_assert_nonnull (strstr (hls_project_bytes (project, "README.md", &n), cases[i].kernel));
      check_simulation (design, cases[i].config);
    }
}

/* The memory of a pruned layer holds nothing of what was pruned. */
static void
test_packed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = dense_network (4);
  g_autoptr (NnDesign) design = network_design (model, CONFIG ("fixed<16,6>", "4", "Resource"));
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  gsize n;

  g_assert_no_error (error);
  g_assert_nonnull (strstr (hls_project_bytes (project, "firmware/weights/w1.h", &n), "w1[32]"));
  g_assert_nonnull (strstr (hls_project_bytes (project, "firmware/weights/live1.h", &n), "live1[8]"));
  g_assert_nonnull (strstr (hls_project_bytes (project, "firmware/parameters.h", &n), "n_live = 8;"));
}

static void
test_nothing_left (void)
{
  TestNetwork n;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;

  network_begin (&n);
  network_input (&n, "input-1 x", &NN_SHAPE (4));
  network_dense (&n, "fc", 4, 3);
  memset (n.weights[0].values->data, 0, 12 * sizeof (float));
  model = network_end (&n);
  design = network_design (model, CONFIG ("fixed<16,6>", "2", "Resource"));
  check_simulation (design, "all weights are zero");
}

/* Equal designs, equal bytes; every source says its licence; no path of this machine, no date. */
static void
test_bytes (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = dense_network (4);
  g_autoptr (NnDesign) design = network_design (model, CONFIG ("fixed<16,6>", "4", "Resource"));
  g_autoptr (HlsProject) a = hls_project_new (design, NULL, &error), b = hls_project_new (design, NULL, &error);
  const char *const *files = hls_project_files (a);
  g_autofree char *here = g_get_current_dir ();

  g_assert_no_error (error);
  for (guint i = 0; files[i] != NULL; i++)
    {
      gsize n, m;
      const char *x = hls_project_bytes (a, files[i], &n), *y = hls_project_bytes (b, files[i], &m);
      gboolean source = !g_str_has_suffix (files[i], ".dat") && !g_str_has_suffix (files[i], ".json") &&
                        !g_str_has_suffix (files[i], ".yml");

      g_assert_cmpmem (x, n, y, m);
      g_assert_true (i == 0 || strcmp (files[i - 1], files[i]) < 0);
      if (source && g_strstr_len (x, (gssize) MIN (n, 200), "SPDX-License-Identifier: Apache-2.0") == NULL)
        g_error ("%s does not say its licence", files[i]);
      g_assert_null (g_strstr_len (x, (gssize) n, here));
      g_assert_null (g_strstr_len (x, (gssize) n, g_get_home_dir ()));
    }
}

static void
test_write (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = dense_network (0);
  g_autoptr (NnDesign) design = network_design (model, CONFIG ("fixed<16,6>", "1", "Latency"));
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "a b", "c", NULL);
  g_autofree char *extra = g_build_filename (folder, "mine.txt", NULL), *stale = g_build_filename (target, "stale", NULL);
  g_autoptr (GDir) dir = NULL;
  guint n = 0;

  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (extra, "x", 1, NULL));
  g_assert_false (hls_project_write (project, folder, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
  g_assert_true (g_file_test (extra, G_FILE_TEST_EXISTS));
  g_clear_error (&error);
  g_assert_true (hls_project_write (project, target, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (stale, "x", 1, NULL));
  g_assert_true (hls_project_write (project, target, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (stale, G_FILE_TEST_EXISTS));
  /* nothing is left beside it */
  g_free (stale);
  stale = g_path_get_dirname (target);
  dir = g_dir_open (stale, 0, NULL);
  while (g_dir_read_name (dir) != NULL)
    n++;
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (hls_project_write (project, "/proc/none/here", &error));
  g_assert_nonnull (error);
  remove_folder (folder);
}

/* A difference in one bit of one expectation fails the build. */
static void
test_difference (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = dense_network (0);
  g_autoptr (NnDesign) design = network_design (model, CONFIG ("fixed<16,6>", "1", "Latency"));
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "p", NULL);
  g_autofree char *path = g_build_filename (target, "tb_data", "tb_output_predictions.dat", NULL);
  g_autofree char *text = NULL, *changed = NULL;
  HlsBuildOptions options;

  g_assert_true (hls_project_write (project, target, &error));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  changed = g_strconcat ("0.5009765625", strchr (text, ' '), NULL);
  g_assert_true (g_file_set_contents (path, changed, -1, NULL));
  hls_build_options_init (&options);
  g_assert_null (hls_build (target, &options, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_TOOL_FAILED);
  g_assert_nonnull (strstr (error->message, "differs"));
  g_clear_error (&error);
  g_assert_null (hls_build (folder, &options, NULL, NULL, &error));
  g_assert_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED);
  remove_folder (folder);
}

static gboolean
warned (const HlsProject *project,
        const char       *word)
{
  for (const char *const *w = hls_project_warnings (project); *w != NULL; w++)
    if (strstr (*w, word) != NULL)
      return TRUE;
  return FALSE;
}

/* A setting that would lose what pruning saved is warned of; one that keeps it is not. */
static void
test_lost_savings (void)
{
  static const struct { const char *config; gsize run; const char *warning; } cases[] = {
    { CONFIG ("fixed<16,6>", "4", "Resource"), 4, NULL },
    { CONFIG ("fixed<16,6>", "8", "Resource"), 2, "of its 96 weights are zero, but only" }, /* pruned for another reuse factor */
    { CONFIG ("fixed<16,6>", "8", "Compressed"), 2, NULL },
    { CONFIG ("fixed<16,6>", "4", "Compressed"), 0, "compressed storage keeps the place" },
    { CONFIG ("fixed<16,6>", "1", "Latency"), 1, NULL },
    { CONFIG ("fixed<9,3,RND,SAT>", "1", "DistributedArithmetic"), 1, "distributed arithmetic needs an accumulator" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnModel) model = dense_network (cases[i].run);
      g_autoptr (NnDesign) design = network_design (model, cases[i].config);
      g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);

      g_assert_no_error (error);
      g_test_message ("%s", cases[i].config);
      g_assert_true (warned (project, cases[i].warning != NULL ? cases[i].warning : "weights are zero") == (cases[i].warning != NULL));
    }
}

/* hls4ml's words for a sparse matrix and for the largest array that is split. */
static void
test_hls4ml_keys (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = dense_network (2);
  g_autoptr (NnDesign) design = network_design (model, "{\"Backend\":\"Vivado\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":4,"
                                                       "\"Strategy\":\"Resource\",\"Compression\":true,\"MaximumSize\":8192}}}");
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  gsize n;

  g_assert_no_error (error);
  g_assert_nonnull (strstr (hls_project_bytes (project, "README.md", &n), "stored with their places"));
  g_assert_nonnull (strstr (hls_project_bytes (project, "project.tcl", &n), "set maximum_size 8192"));
  g_assert_nonnull (strstr (hls_project_bytes (project, "hls4ml_config.yml", &n), "Compression"));
}

/* As a library, which C calls with one sample: in floats and doubles, on a backend whose ports are streams too. */
static void
test_library (void)
{
  static const char *const configs[] = { CONFIG ("fixed<16,6>", "1", "Latency"),
                                         "{\"Backend\":\"Quartus\",\"IOType\":\"io_stream\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}",
                                         "{\"Backend\":\"Quartus\",\"IOType\":\"io_parallel\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}" };

  for (guint c = 0; c < G_N_ELEMENTS (configs); c++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (NnModel) model = dense_network (0);
      g_autoptr (NnDesign) design = network_design (model, configs[c]);
      g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
      g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "p", NULL), *path = NULL;
      const char *argv[] = { "sh", "build_lib.sh", "lib", NULL };
      const char *x = hls_project_bytes (project, "tb_data/tb_input_features.dat", NULL);
      const char *y = hls_project_bytes (project, "tb_data/tb_output_predictions.dat", NULL);
      void (*in_doubles) (const double *, double *);
      void (*in_floats) (const float *, float *);
      double in[8], out[4];
      float in_f[8], out_f[4];
      void *library;
      int status;

      g_assert_true (hls_project_write (project, target, &error));
      g_assert_true (g_spawn_sync (target, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error));
      g_assert_true (g_spawn_check_wait_status (status, &error));
      path = g_build_filename (target, "firmware", "myproject.so", NULL);
      library = dlopen (path, RTLD_NOW | RTLD_LOCAL);
      g_assert_nonnull (library);
      in_doubles = (void (*) (const double *, double *)) dlsym (library, "myproject_double");
      in_floats = (void (*) (const float *, float *)) dlsym (library, "myproject_float");
      for (guint i = 0; i < 8; i++)
        {
          in[i] = g_ascii_strtod (x, (char **) &x);
          in_f[i] = (float) in[i];
        }
      in_doubles (in, out);
      in_floats (in_f, out_f);
      for (guint i = 0; i < 4; i++)
        {
          double expected = g_ascii_strtod (y, (char **) &y);

          g_assert_cmpfloat (out[i], ==, expected);
          g_assert_cmpfloat_with_epsilon (out_f[i], expected, 0.02);
        }
      dlclose (library);
      remove_folder (folder);
    }
}

/* Names of a network are anything; names in C++ are not, nor those that the test bench has already. */
static void
test_names (void)
{
  static const char *const names[] = { "class", "inputs", "packet", "in" };
  static const char *const configs[] = {
    "{\"ProjectName\":\"9 main\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}",
    "{\"Backend\":\"Quartus\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}",
    "{\"IOType\":\"io_stream\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1}}}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      TestNetwork n;
      g_autoptr (NnModel) model = NULL;
      g_autoptr (NnDesign) design = NULL;

      network_begin (&n);
      network_input (&n, names[i], &NN_SHAPE (4));
      network_dense (&n, "*/ int \"\\\n", 4, 3);
      model = network_end (&n);
      design = network_design (model, configs[i % G_N_ELEMENTS (configs)]);
      check_simulation (design, names[i]);
    }
}

/* A parallel port of an Intel component is a member of a struct that goes by value: an array would be a memory outside. */
static void
test_component (void)
{
  static const char *const parts[] = {
    "struct input_data {\n    input_t input_1_x[8];\n};", "struct output_data {", "output_data myproject(input_data inputs);",
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = dense_network (0);
  g_autoptr (NnDesign) design = network_design (model, "{\"Backend\":\"Quartus\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":2,"
                                                       "\"Strategy\":\"Resource\"}}}");
  g_autoptr (HlsProject) project = hls_project_new (design, NULL, &error);
  const char *header, *bench;

  g_assert_no_error (error);
  header = hls_project_bytes (project, "firmware/myproject.h", NULL);
  bench = hls_project_bytes (project, "myproject_test.cpp", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (strstr (header, parts[i]) == NULL)
      g_error ("\"%s\" is not in\n%s", parts[i], header);
  g_assert_nonnull (strstr (bench, "const output_data outputs = myproject(inputs);")); /* what i++ puts the RTL in the place of */
  check_simulation (design, "a component");
}

/* Types whose sums the simulation cannot hold are refused before anything is written; those just short of it are not. */
static void
test_far_points (void)
{
  static const struct { const char *a, *b, *words; } cases[] = {
    { "fixed<64,64>", "fixed<64,-20>", "far apart" },
    { "fixed<64,-40>", "fixed<16,6>", "94 bits after the point" },
    { "fixed<64,40>", "fixed<64,-20>", NULL },
    { "ufixed<64,64>", "fixed<64,4>", NULL },
  };
  static const guint inputs[2] = { 0, 1 };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *settings = g_strdup_printf ("{\"Model\": {}, \"LayerName\": {\"a\": {\"Precision\": \"%s\"}, \"b\": {\"Precision\": \"%s\"}}}",
                                                   cases[i].a, cases[i].b);
      g_autoptr (GError) error = NULL;
      g_autoptr (NnModel) model = NULL;
      g_autoptr (NnDesign) design = NULL;
      g_autoptr (HlsProject) project = NULL;
      TestNetwork n;

      network_begin (&n);
      network_input (&n, "a", &NN_SHAPE (3));
      nn_graph_builder_add (n.builder, NN_OP_INPUT, "b", "Input", NULL, 0)->shape = NN_SHAPE (3);
      nn_graph_builder_add (n.builder, NN_OP_ADD, "sum", "Add", inputs, 2);
      model = network_end (&n);
      design = network_design (model, settings);
      project = hls_project_new (design, NULL, &error);
      g_assert_cmpint (project == NULL, ==, cases[i].words != NULL);
      if (cases[i].words == NULL)
        continue;
      g_assert_error (error, HLS_ERROR, HLS_ERROR_UNSUPPORTED);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/project/packed", test_packed);
  g_test_add_func ("/project/bytes", test_bytes);
  g_test_add_func ("/project/write", test_write);
  g_test_add_func ("/project/difference", test_difference);
  g_test_add_func ("/project/names", test_names);
  g_test_add_func ("/project/component", test_component);
  g_test_add_func ("/project/nothing-left", test_nothing_left);
  g_test_add_func ("/project/library", test_library);
  g_test_add_func ("/project/lost-savings", test_lost_savings);
  g_test_add_func ("/project/hls4ml-keys", test_hls4ml_keys);
  g_test_add_func ("/project/dense", test_dense);
  g_test_add_func ("/project/far-points", test_far_points);
  return g_test_run ();
}
