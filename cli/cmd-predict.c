/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli predict MODEL --inputs X.npy: what the network answers. */

#include "cli-predict.h"

#include <string.h>

typedef struct {
  char **inputs;
  char  *output;
  char  *trace;
  char  *weights;
  char  *config;
} Options;

static void
options_clear (Options *options)
{
  g_strfreev (options->inputs);
  g_free (options->output);
  g_free (options->trace);
  g_free (options->weights);
  g_free (options->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* One file an input of the graph; an option may name several with commas between. */
static GPtrArray *
read_inputs (Cli            *cli,
             const Options  *options,
             const NnModel  *model,
             GError        **error)
{
  g_autoptr (GPtrArray) tensors = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  guint n;

  nn_graph_inputs (nn_model_graph (model), &n);
  for (char **option = options->inputs; *option != NULL; option++)
    {
      g_auto (GStrv) paths = g_file_test (*option, G_FILE_TEST_EXISTS) ? NULL : g_strsplit (*option, ",", -1);
      char *whole[] = { *option, NULL };

      for (char **path = paths != NULL ? paths : whole; *path != NULL; path++)
        {
          NnTensor *tensor;

          if (nn_progress_cancelled (cli->cancellable, error) || (tensor = nn_npy_read (*path, error)) == NULL)
            return NULL;
          g_ptr_array_add (tensors, tensor);
        }
    }
  if (tensors->len != n)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the network has %u %s, but %u %s given (--inputs A.npy,B.npy)", n,
                   n == 1 ? "input" : "inputs", tensors->len, tensors->len == 1 ? "file is" : "files are");
      return NULL;
    }
  g_ptr_array_add (tensors, NULL);
  return g_steal_pointer (&tensors);
}

/* Y.npy; of several outputs Y_0.npy, Y_1.npy ... */
static gboolean
write_outputs (const char  *path,
               NnTensor   **outputs,
               GError     **error)
{
  if (outputs[0] != NULL && outputs[1] == NULL)
    return nn_npy_write (outputs[0], path, error);
  for (guint i = 0; outputs[i] != NULL; i++)
    {
      gsize stem = g_str_has_suffix (path, ".npy") ? strlen (path) - 4 : strlen (path);
      g_autofree char *name = g_strdup_printf ("%.*s_%u.npy", (int) stem, path, i);

      if (!nn_npy_write (outputs[i], name, error))
        return FALSE;
    }
  return TRUE;
}

static void
report (Cli          *cli,
        CliPredictor *predictor,
        double        seconds)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const NnGraph *graph;

  json_builder_begin_object (json);
  cli_json_int (json, "samples", predictor->n_samples);
  cli_json_double (json, "seconds", seconds);
  cli_predictor_overflows (predictor, json);
  json_builder_end_object (json);
  if (cli->json)
    {
      cli_print_json (json);
      return;
    }
  g_print ("%" G_GSIZE_FORMAT " samples\n", predictor->n_samples);
  if (predictor->design == NULL)
    return;
  graph = nn_model_graph (nn_design_model (predictor->design));
  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    if (predictor->overflows[i] > 0)
      g_print ("layer \"%s\": %" G_GUINT64_FORMAT " overflows\n", nn_graph_node (graph, i)->name, predictor->overflows[i]);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  g_auto (Options) options = { 0 };
  g_auto (CliPredictor) predictor = { 0 };
  GOptionEntry entries[] = {
    { "inputs", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.inputs, "Samples; one file for each input of the network", "X.npy" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &options.output, "Where to write the answers", "Y.npy" },
    { "trace", 0, 0, G_OPTION_ARG_FILENAME, &options.trace, "Write the output of every layer into this folder", "DIR" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options.config, "Bit-accurate, as the hardware of this configuration computes", "C.json" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &options.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (GPtrArray) inputs = NULL;
  NnTensor **outputs;
  GError *error = NULL;
  gint64 start;
  gboolean written;
  int status;

  if (!cli_parse (cli, &cli_predict, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (options.inputs == NULL)
    {
      g_printerr ("espalier-cli predict: --inputs X.npy is needed\n");
      return CLI_USAGE;
    }
  predictor.trace = g_strdup (options.trace);
  if (!cli_predictor_load (&predictor, cli, argv[1], options.weights, options.config, &error) ||
      (inputs = read_inputs (cli, &options, predictor.model, &error)) == NULL)
    return cli_fail (&cli_predict, error);
  start = g_get_monotonic_time ();
  outputs = cli_predictor_run (&predictor, cli, (NnTensor **) inputs->pdata, &error);
  if (outputs == NULL)
    return cli_fail (&cli_predict, error);
  start = g_get_monotonic_time () - start;
  written = options.output == NULL || write_outputs (options.output, outputs, &error);
  nn_tensors_free (outputs);
  if (!written)
    return cli_fail (&cli_predict, error);
  report (cli, &predictor, (double) start / G_USEC_PER_SEC);
  return CLI_DONE;
}

const CliVerb cli_predict = {
  .name = "predict",
  .arguments = "MODEL --inputs X.npy",
  .summary = "What a network answers",
  .run = run,
};
