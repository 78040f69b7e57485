/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples a second of the bit-accurate engine on the jet MLP, one thread and all. */

#include "nn-fixed-exec.h"

#include "nn-load.h"
#include "nn-parallel.h"
#include "nn-rng.h"

#define N_SAMPLES 65536
#define N_RUNS 7

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
measure (const NnDesign *design,
         NnTensor       *input,
         guint           threads)
{
  double seconds[N_RUNS];
  guint n;

  nn_parallel_set_threads (threads);
  nn_graph_outputs (nn_model_graph (nn_design_model (design)), &n);
  for (guint run = 0; run < N_RUNS; run++)
    {
      g_autoptr (GError) error = NULL;
      gint64 start = g_get_monotonic_time ();
      g_autofree NnTensor **outputs = nn_fixed_predict (design, &input, NULL, NULL, NULL, &error);

      g_assert_no_error (error);
      seconds[run] = (double) (g_get_monotonic_time () - start) * 1e-6;
      for (guint k = 0; k < n; k++)
        nn_tensor_unref (outputs[k]);
    }
  qsort (seconds, N_RUNS, sizeof (double), compare_doubles);
  return (double) input->shape.dims[0] / seconds[N_RUNS / 2];
}

static void
bench (const NnModel *model,
       const char    *precision,
       const char    *granularity,
       const char    *strategy)
{
  g_autofree char *text = g_strdup_printf ("{\"granularity\": \"%s\", \"Model\": {\"Precision\": \"%s\", \"ReuseFactor\": 4, \"Strategy\": \"%s\"}}",
                                           granularity, precision, strategy);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = nn_config_parse (text, &error);
  g_autoptr (NnDesign) design = nn_design_new (model, config, &error);
  const NnShape *shape = &nn_graph_node (nn_model_graph (model), 0)->shape;
  g_autoptr (NnTensor) input = nn_tensor_new (NN_DTYPE_F64, &NN_SHAPE (N_SAMPLES, shape->dims[0]));
  NnRng rng;

  g_assert_no_error (error);
  nn_rng_init (&rng, 1);
  for (gsize k = 0; k < input->n; k++)
    nn_tensor_f64 (input)[k] = nn_rng_normal (&rng);
  g_print ("%-24s %-6s %-9s %12.0f samples/s on one thread, %12.0f on %u\n", precision, granularity, strategy,
           measure (design, input, 1), measure (design, input, g_get_num_processors ()), g_get_num_processors ());
}

int
main (int    argc,
      char **argv)
{
  const char *shared = g_getenv ("ESPALIER_SHARED");
  g_autofree char *path = argc > 1 ? g_strdup (argv[1])
                                   : g_build_filename (shared != NULL ? shared : "../shared", "models/json_weights/KERAS_3layer.json", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, &error);

  if (model == NULL)
    {
      g_print ("skipped: %s\n", error->message);
      return 77;
    }
  bench (model, "fixed<16,6>", "model", "Latency");
  bench (model, "fixed<16,6>", "name", "Resource");
  bench (model, "fixed<8,3>", "model", "Latency");
  bench (model, "fixed<18,8,RND,SAT>", "model", "Resource");
  bench (model, "fixed<64,20>", "model", "Latency");
  return 0;
}
