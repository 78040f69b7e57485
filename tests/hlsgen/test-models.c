/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real networks: every one whose layers have kernels emits, compiles without a warning and equals the engine. */

#include "nn-error.h"
#include "nn-load.h"
#include "test-network.h"

/* Code of more weights than this takes a compiler minutes and shows nothing new. */
#define MAX_PARAMETERS 600000

static const char *const configs[] = {
  "{\"Backend\":\"Vitis\",\"IOType\":\"io_parallel\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1,\"Strategy\":\"Latency\"}}}",
  "{\"Backend\":\"Vivado\",\"IOType\":\"io_stream\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<10,4,RND_CONV,SAT_SYM>\",\"ReuseFactor\":8,\"Strategy\":\"Resource\"}}}",
  "{\"Backend\":\"Catapult\",\"IOType\":\"io_parallel\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<18,8,RND,SAT>\",\"ReuseFactor\":64,\"Strategy\":\"Resource\"}}}",
  "{\"Backend\":\"oneAPI\",\"IOType\":\"io_stream\",\"granularity\":\"name\",\"HLSConfig\":{\"Model\":{\"Precision\":\"fixed<14,6>\",\"ReuseFactor\":4,\"Strategy\":\"Resource\"}}}",
};

/* FALSE, with a message, where something on the way says that it has no such layer. */
static gboolean
check_model (const char *path,
             const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  NnLoadOptions options;
  gsize parameters = 0;

  nn_load_options_init (&options);
  model = nn_model_load (path, &options, NULL, NULL, &error);
  for (guint i = 0; model != NULL && i < nn_model_n_weights (model); i++)
    parameters += nn_model_weight (model, i)->values->n;
  if (parameters > MAX_PARAMETERS)
    {
      g_test_message ("%s: too large for this test", path);
      return FALSE;
    }
  config = model != NULL ? nn_config_parse (text, &error) : NULL;
  design = config != NULL ? nn_design_new (model, config, &error) : NULL;
  project = design != NULL ? hls_project_new (design, NULL, &error) : NULL;
  if (project == NULL)
    {
      g_test_message ("%s: %s", path, error->message);
      g_assert_true (error->domain == NN_ERROR || error->domain == HLS_ERROR);
      return FALSE;
    }
  check_simulation (design, path);
  return TRUE;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
test_models (void)
{
  static const char *const folders[] = { "keras_h5", "keras3_zip", "json_weights", "qkeras", "hgq", "custom", "rnn", "mlperf_tiny", "micro", "onnx" };
  guint done = 0, tried = 0;

  for (guint k = 0; k < G_N_ELEMENTS (folders); k++)
    {
      g_autofree char *relative = g_build_filename ("models", folders[k], NULL), *folder = test_shared_path (relative);
      g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
      g_autoptr (GDir) dir = NULL;
      const char *name;

      if (folder == NULL)
        return;
      dir = g_dir_open (folder, 0, NULL);
      while ((name = g_dir_read_name (dir)) != NULL)
        if (!g_str_has_suffix (name, ".yml") && !g_str_has_suffix (name, "_weights.h5") && !g_str_has_suffix (name, "_quantized_weights.h5"))
          g_ptr_array_add (names, g_strdup (name));
      g_ptr_array_sort (names, compare_names);
      for (guint i = 0; i < names->len; i++)
        {
          g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);

          tried++;
          done += check_model (path, configs[tried % G_N_ELEMENTS (configs)]);
        }
    }
  g_test_message ("%u of %u networks", done, tried);
  g_assert_cmpuint (done, >, tried / 2);
}

/* The sources of a project are clean for clang-tidy's analyser, bug and speed checks. */
static void
test_tidy (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *tidy = g_find_program_in_path ("clang-tidy"), *path = test_shared_path ("models/keras_h5/keras_conv2d_model.h5");
  g_autofree char *folder = NULL, *target = NULL, *out = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  NnLoadOptions options;
  int status;

  if (path == NULL)
    return;
  if (tidy == NULL)
    {
      g_test_skip ("clang-tidy is not here");
      return;
    }
  nn_load_options_init (&options);
  model = nn_model_load (path, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  design = network_design (model, configs[1]);
  project = hls_project_new (design, NULL, &error);
  folder = test_folder ();
  target = g_build_filename (folder, "p", NULL);
  g_assert_true (hls_project_write (project, target, &error));
  {
    const char *argv[] = { tidy, "--quiet", "--warnings-as-errors=*",
                           "-checks=-*,clang-analyzer-*,bugprone-*,performance-*,-bugprone-easily-swappable-parameters",
                           "firmware/myproject.cpp", "myproject_test.cpp", "--", "-std=c++14", "-Ifirmware/ap_types", "-Ifirmware",
                           "-Ifirmware/nnet_utils", NULL };

    g_assert_true (g_spawn_sync (target, (char **) argv, NULL, 0, NULL, NULL, &out, NULL, &status, &error));
    g_test_message ("%s", out);
    g_assert_true (g_spawn_check_wait_status (status, &error));
    g_assert_no_error (error);
  }
  remove_folder (folder);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/models/tidy", test_tidy);
  g_test_add_func ("/models/simulate", test_models);
  return g_test_run ();
}
