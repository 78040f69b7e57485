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

/* The files of the inputs; an option may name several with commas between. */
static char **
input_paths (const Options *options)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);

  for (char **option = options->inputs; *option != NULL; option++)
    {
      g_auto (GStrv) paths = g_file_test (*option, G_FILE_TEST_EXISTS) ? NULL : g_strsplit (*option, ",", -1);
      char *whole[] = { *option, NULL };

      for (char **path = paths != NULL ? paths : whole; *path != NULL; path++)
        g_ptr_array_add (all, g_strdup (*path));
    }
  g_ptr_array_add (all, NULL);
  return (char **) g_ptr_array_steal (all, NULL);
}

static gboolean
check_inputs (char          **paths,
              const NnModel  *model,
              GError        **error)
{
  guint n, given = g_strv_length (paths);

  nn_graph_inputs (nn_model_graph (model), &n);
  if (given != n)
    g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "the network has %u %s, but %u %s given (--inputs A.npy,B.npy)", n,
                 n == 1 ? "input" : "inputs", given, given == 1 ? "file is" : "files are");
  return given == n;
}

/* Y.npy; of several outputs Y_0.npy, Y_1.npy ... */
static char *
output_path (const char *path,
             guint       i,
             gboolean    alone)
{
  gsize stem = g_str_has_suffix (path, ".npy") ? strlen (path) - 4 : strlen (path);

  return alone ? g_strdup (path) : g_strdup_printf ("%.*s_%u.npy", (int) stem, path, i);
}

/* Appends the next answers; the files are begun with the first. */
static gboolean
write_outputs (const char   *path,
               GPtrArray    *writers,
               NnTensor    **outputs,
               gsize         n_samples,
               GError      **error)
{
  for (guint i = 0; outputs[i] != NULL; i++)
    {
      if (i == writers->len)
        {
          g_autofree char *name = output_path (path, i, i == 0 && outputs[1] == NULL);
          NnShape shape = outputs[i]->shape;
          NnNpyWriter *writer;

          shape.dims[0] = (gint64) n_samples;
          writer = nn_npy_writer_new (name, outputs[i]->dtype, &shape, error);
          if (writer == NULL)
            return FALSE;
          g_ptr_array_add (writers, writer);
        }
      if (!nn_npy_writer_append (writers->pdata[i], outputs[i], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
close_outputs (GPtrArray  *writers,
               GError    **error)
{
  for (guint i = 0; i < writers->len; i++)
    if (!nn_npy_writer_close (writers->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* A network whose file has no axis for the batch takes its inputs as they are. */
static gboolean
run_whole (Cli           *cli,
           CliPredictor  *predictor,
           char         **paths,
           const char    *output,
           GError       **error)
{
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  NnTensor **outputs;
  gboolean written = TRUE;

  for (char **path = paths; *path != NULL; path++)
    {
      NnTensor *tensor = nn_npy_read (*path, error);

      if (tensor == NULL)
        return FALSE;
      g_ptr_array_add (inputs, tensor);
    }
  g_ptr_array_add (inputs, NULL);
  outputs = cli_predictor_run (predictor, cli, (NnTensor **) inputs->pdata, error);
  if (outputs == NULL)
    return FALSE;
  for (guint i = 0; output != NULL && outputs[i] != NULL && written; i++)
    {
      g_autofree char *name = output_path (output, i, i == 0 && outputs[1] == NULL);

      written = nn_npy_write (outputs[i], name, error);
    }
  nn_tensors_free (outputs);
  return written;
}

/* The next samples of every input. */
static NnTensor **
read_piece (GPtrArray  *files,
            gsize       count,
            GError    **error)
{
  NnTensor **inputs = g_new0 (NnTensor *, files->len + 1);

  for (guint i = 0; i < files->len; i++)
    {
      inputs[i] = nn_npy_rows_read (files->pdata[i], count, error);
      if (inputs[i] == NULL)
        {
          nn_tensors_free (inputs);
          return NULL;
        }
    }
  return inputs;
}

/* Piece by piece from the files of the inputs into those of the outputs, so that neither need fit into memory. */
static gboolean
run_pieces (Cli           *cli,
            CliPredictor  *predictor,
            char         **paths,
            const char    *output,
            GError       **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_npy_rows_free);
  g_autoptr (GPtrArray) writers = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_npy_writer_free);
  gsize n = 0, row = 1, piece;

  for (char **path = paths; *path != NULL; path++)
    {
      NnNpyRows *rows = nn_npy_rows_new (*path, error);
      NnShape shape;

      if (rows == NULL)
        return FALSE;
      g_ptr_array_add (files, rows);
      shape = *nn_npy_rows_shape (rows);
      if (path != paths && (gsize) shape.dims[0] != n)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "%s has %" G_GINT64_FORMAT " samples, but %s has %" G_GSIZE_FORMAT, *path,
                       shape.dims[0], paths[0], n);
          return FALSE;
        }
      n = (gsize) shape.dims[0];
      shape.dims[0] = 1;
      row = MAX (row, nn_shape_count (&shape));
    }
  piece = cli_predictor_piece (predictor, row);
  if (!cli_predictor_begin (predictor, n, error))
    return FALSE;
  do
    {
      NnTensor **inputs = read_piece (files, MIN (piece, n - predictor->first), error);
      NnTensor **outputs = inputs != NULL ? cli_predictor_part (predictor, cli, inputs, error) : NULL;
      gboolean good = outputs != NULL && (output == NULL || write_outputs (output, writers, outputs, n, error));

      nn_tensors_free (inputs);
      nn_tensors_free (outputs);
      if (!good)
        return FALSE;
    }
  while (predictor->first < n);
  return close_outputs (writers, error);
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
  g_auto (GStrv) paths = NULL;
  GError *error = NULL;
  gint64 start;
  gboolean done;
  int status;

  if (!cli_parse (cli, &cli_predict, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (options.inputs == NULL)
    {
      g_printerr ("espalier-cli predict: --inputs X.npy is needed\n");
      return CLI_USAGE;
    }
  predictor.trace = g_strdup (options.trace);
  if (!cli_predictor_load (&predictor, cli, argv[1], options.weights, options.config, &error))
    return cli_fail (&cli_predict, error);
  paths = input_paths (&options);
  start = g_get_monotonic_time ();
  done = check_inputs (paths, predictor.model, &error) &&
         (nn_model_info (predictor.model)->whole ? run_whole (cli, &predictor, paths, options.output, &error)
                                                 : run_pieces (cli, &predictor, paths, options.output, &error));
  if (!done)
    return cli_fail (&cli_predict, error);
  start = g_get_monotonic_time () - start;
  report (cli, &predictor, (double) start / G_USEC_PER_SEC);
  return CLI_DONE;
}

const CliVerb cli_predict = {
  .name = "predict",
  .arguments = "MODEL --inputs X.npy",
  .summary = "What a network answers",
  .run = run,
};
