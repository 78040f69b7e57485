/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples a second of the bit-accurate engine beside the emitted project's own test bench, compiled with g++: the jet MLP, one
 * thread. That both give the same numbers is checked on the way. */

#include "hls-build.h"
#include "hls-project.h"
#include "nn-fixed-exec.h"

#include "nn-load.h"
#include "nn-parallel.h"
#include "nn-rng.h"
#include "test-shared.h"

#define N_VECTORS 20000
#define N_RUNS 5
#define N_REPEATS 8 /* of ours within a run: it is over too soon */

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
seconds_of_program (const char *folder)
{
  g_autofree char *program = g_build_filename (folder, "csim", "myproject", NULL);
  char *argv[] = { program, NULL };
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  g_spawn_sync (folder, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return (double) (g_get_monotonic_time () - start) * 1e-6;
}

static double
seconds_of_engine (const NnDesign *design,
                   NnTensor       *input)
{
  gint64 start = g_get_monotonic_time ();

  for (guint repeat = 0; repeat < N_REPEATS; repeat++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree NnTensor **outputs = nn_fixed_predict (design, &input, NULL, NULL, NULL, &error);

      g_assert_no_error (error);
      nn_tensor_unref (outputs[0]);
    }
  return (double) (g_get_monotonic_time () - start) * 1e-6 / N_REPEATS;
}

static void
compile_project (const NnDesign *design,
                 NnTensor       *input,
                 const char     *folder)
{
  g_autoptr (GError) error = NULL;
  g_autofree NnTensor **expected = nn_fixed_predict (design, &input, NULL, NULL, NULL, &error);
  HlsVectors vectors = { .inputs = &input, .expected = expected, .n = N_VECTORS };
  g_autoptr (HlsProject) project = hls_project_new (design, &vectors, &error);
  HlsBuildOptions options;
  HlsReport *report;

  g_assert_no_error (error);
  g_assert_true (hls_project_write (project, folder, &error));
  hls_build_options_init (&options);
  options.stages = HLS_STAGE_CSIM;
  report = hls_build (folder, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  hls_report_free (report);
  nn_tensor_unref (expected[0]);
}

int
main (int    argc,
      char **argv)
{
  const char *shared = g_getenv ("ESPALIER_SHARED");
  g_autofree char *path = g_build_filename (shared != NULL ? shared : "../shared", "models/json_weights/KERAS_3layer.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_autoptr (NnConfig) config = nn_config_new ();
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnTensor) input = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (N_VECTORS, 16));
  g_autofree char *folder = test_folder ();
  double program[N_RUNS], engine[N_RUNS];
  NnRng rng;

  if (model == NULL)
    {
      g_print ("skipped: %s\n", error->message);
      return 77;
    }
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  nn_rng_init (&rng, 1);
  for (gsize k = 0; k < input->n; k++)
    nn_tensor_f64 (input)[k] = nn_type_real (&NN_FIXED (16, 6), nn_type_quantize (&NN_FIXED (16, 6), nn_rng_normal (&rng), NULL));
  nn_parallel_set_threads (1);
  compile_project (design, input, folder);
  for (guint run = 0; run < N_RUNS; run++)
    {
      program[run] = seconds_of_program (folder);
      engine[run] = seconds_of_engine (design, input);
    }
  qsort (program, N_RUNS, sizeof (double), compare_doubles);
  qsort (engine, N_RUNS, sizeof (double), compare_doubles);
  g_print ("test bench %.0f samples/s, engine %.0f samples/s: %.1f times; medians of %d interleaved runs, one thread\n",
           N_VECTORS / program[N_RUNS / 2], N_VECTORS / engine[N_RUNS / 2], program[N_RUNS / 2] / engine[N_RUNS / 2], N_RUNS);
  return 0;
}
