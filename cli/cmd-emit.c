/* SPDX-License-Identifier: GPL-3.0-or-later */
/* espalier-cli emit MODEL --config C.json --backend B --output DIR: an HLS project. */

#include "cli.h"

typedef struct {
  char *config;
  char *backend;
  char *output;
  char *weights;
  char *inputs;
  char *io_type;
} Options;

static NnConfig *
load_config (const Options  *options,
             const NnConfig *own,
             GError        **error)
{
  g_autoptr (NnConfig) loaded = NULL, config = NULL;
  NnBackend backend;

  loaded = options->config != NULL ? nn_config_load (options->config, error)
           : own != NULL           ? nn_config_copy (own)
                                   : nn_config_new ();
  if (loaded == NULL)
    return NULL;
  config = nn_config_copy (loaded);
  if (options->backend != NULL)
    {
      if (!nn_backend_find (options->backend, &backend))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED,
                       "\"%s\" is no backend; vitis, vivado, oneapi, quartus and catapult are", options->backend);
          return NULL;
        }
      nn_config_set_backend (config, backend);
    }
  if (options->io_type != NULL)
    {
      if (!g_str_equal (options->io_type, "io_parallel") && !g_str_equal (options->io_type, "io_stream"))
        {
          g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "\"%s\" is no interface; io_parallel and io_stream are",
                       options->io_type);
          return NULL;
        }
      nn_config_set_io_type (config, g_str_equal (options->io_type, "io_stream") ? NN_IO_STREAM : NN_IO_PARALLEL);
    }
  return g_steal_pointer (&config);
}

/* Vectors from a file, and what the bit-accurate engine makes of them. */
static HlsProject *
make_project (Cli             *cli,
              const NnDesign  *design,
              const char      *inputs,
              GError         **error)
{
  g_autoptr (NnTensor) x = NULL;
  NnTensor **outputs;
  HlsVectors vectors;
  HlsProject *project;
  guint n;

  if (inputs == NULL)
    return hls_project_new (design, NULL, error);
  x = nn_npy_read (inputs, error);
  if (x == NULL)
    return NULL;
  outputs = nn_fixed_predict (design, &x, NULL, &cli->progress, cli->cancellable, error);
  if (outputs == NULL)
    return NULL;
  vectors = (HlsVectors){ .inputs = &x, .expected = outputs, .n = (gsize) x->shape.dims[0] };
  project = hls_project_new (design, &vectors, error);
  nn_graph_outputs (nn_model_graph (nn_design_model (design)), &n);
  for (guint k = 0; k < n; k++)
    nn_tensor_unref (outputs[k]);
  g_free (outputs);
  return project;
}

/* The kernels of the layers with weights, and why they were chosen: what the project's own marker says. (transfer full) */
static JsonNode *
kernels_of (const HlsProject *project)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  gsize n;
  const char *text = hls_project_bytes (project, HLS_PROJECT_MARKER, &n);

  if (text == NULL || !json_parser_load_from_data (parser, text, (gssize) n, NULL))
    return json_node_init_array (json_node_alloc (), json_array_new ());
  return json_node_copy (json_object_get_member (json_node_get_object (json_parser_get_root (parser)), "layers"));
}

static void
print_kernels (JsonNode *layers)
{
  JsonArray *array = json_node_get_array (layers);

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *layer = json_array_get_object_element (array, i);

      g_print ("%s: %s\n", json_object_get_string_member (layer, "name"), json_object_get_string_member (layer, "kernel"));
    }
}

static void
print_result (const Cli        *cli,
              const HlsProject *project,
              const NnDesign   *design,
              const char       *output)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const char *const *files = hls_project_files (project);
  g_autoptr (JsonNode) layers = kernels_of (project);

  if (!cli->json)
    {
      print_kernels (layers);
      g_print ("%u files in %s\n", g_strv_length ((char **) files), output);
      cli_warn (nn_design_warnings (design));
      cli_warn (hls_project_warnings (project));
      return;
    }
  json_builder_begin_object (json);
  cli_json_string (json, "folder", output);
  json_builder_set_member_name (json, "files");
  json_builder_begin_array (json);
  for (; *files != NULL; files++)
    json_builder_add_string_value (json, *files);
  json_builder_end_array (json);
  json_builder_set_member_name (json, "layers");
  json_builder_add_value (json, g_steal_pointer (&layers));
  json_builder_set_member_name (json, "warnings");
  json_builder_begin_array (json);
  for (const char *const *w = nn_design_warnings (design); *w != NULL; w++)
    json_builder_add_string_value (json, *w);
  for (const char *const *w = hls_project_warnings (project); *w != NULL; w++)
    json_builder_add_string_value (json, *w);
  json_builder_end_array (json);
  json_builder_end_object (json);
  cli_print_json (json);
}

static int
run (Cli   *cli,
     int    argc,
     char **argv)
{
  Options options = { 0 };
  GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &options.config, "Configuration (JSON or YAML)", "FILE" },
    { "backend", 0, 0, G_OPTION_ARG_STRING, &options.backend, "vitis, vivado, oneapi, quartus or catapult", "NAME" },
    { "io", 0, 0, G_OPTION_ARG_STRING, &options.io_type, "io_parallel or io_stream", "TYPE" },
    { "inputs", 0, 0, G_OPTION_ARG_FILENAME, &options.inputs, "Inputs for the test bench (some are made up)", "X.npy" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "Folder to write", "DIR" },
    { "weights", 0, 0, G_OPTION_ARG_FILENAME, &options.weights, "HDF5 weights of a .json architecture", "FILE" },
    { NULL },
  };
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL, own = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  GError *error = NULL;
  int status;

  if (!cli_parse (cli, &cli_emit, entries, 1, 1, &argc, &argv, &status))
    return status;
  if (options.output == NULL)
    {
      g_printerr ("espalier-cli emit: --output DIR is needed\n");
      return CLI_USAGE;
    }
  model = cli_open_model (cli, argv[1], options.weights, &own, &error);
  config = model != NULL ? load_config (&options, own, &error) : NULL;
  design = config != NULL ? nn_design_new (model, config, &error) : NULL;
  project = design != NULL ? make_project (cli, design, options.inputs, &error) : NULL;
  if (project == NULL || !hls_project_write (project, options.output, &error))
    status = cli_fail (&cli_emit, error);
  else
    {
      print_result (cli, project, design, options.output);
      status = CLI_DONE;
    }
  g_free (options.config);
  g_free (options.backend);
  g_free (options.output);
  g_free (options.weights);
  g_free (options.inputs);
  g_free (options.io_type);
  return status;
}

const CliVerb cli_emit = {
  .name = "emit",
  .arguments = "MODEL --output DIR",
  .summary = "Write an HLS project",
  .run = run,
};
