/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Networks, number types and settings by chance: the emitted C++ gives the bits of nn_fixed_predict().
 *
 * Without arguments a handful of fixed seeds. --cases=N and --first=S run N others from S on; --keep=FOLDER leaves the
 * projects that differ there. Seeds from a million on make more: several inputs and outputs, trained quantisers, tables;
 * those from two millions on broadcasting, constants, shared weights, odd windows, every backend with either interface; those
 * from three millions on decision trees.
 */

#include "nn-error.h"
#include "nn-fixed-exec.h"
#include "test-random-trees.h"

#include <stdlib.h>

#define N_VECTORS 12
#define MORE_SEEDS 1000000
#define WIDE_SEEDS 2000000
#define TREE_SEEDS 3000000
#define MOST_INPUTS 2

typedef enum { CASE_EQUAL, CASE_REFUSED, CASE_DIFFERS } CaseResult;

static gint many;
static gint64 first_seed = 1;
static char *keep;

static const GOptionEntry options[] = {
  { "cases", 0, 0, G_OPTION_ARG_INT, &many, "How many random networks", "N" },
  { "first", 0, 0, G_OPTION_ARG_INT64, &first_seed, "Seed of the first one", "S" },
  { "keep", 0, 0, G_OPTION_ARG_FILENAME, &keep, "Where projects that differ are left", "FOLDER" },
  { NULL }
};

/* Every input of every vector: small numbers, numbers that do not fit, and numbers half between two. */
static NnTensor *
random_inputs (NnRng          *rng,
               const NnNode   *node,
               const NnType   *type)
{
  NnShape shape = { .rank = node->shape.rank + 1, .dims = { N_VECTORS } };
  double lsb = nn_type_lsb (type), largest = nn_type_max (type);
  NnTensor *tensor;

  memcpy (shape.dims + 1, node->shape.dims, node->shape.rank * sizeof *shape.dims);
  tensor = nn_tensor_new (NN_DTYPE_F64, &shape);
  for (gsize i = 0; i < tensor->n; i++)
    {
      double scale = i * N_VECTORS / tensor->n % 3 == 0 ? 2.5 * largest : MIN (largest, 2);
      double value = scale * (2 * nn_rng_uniform (rng) - 1);

      /* to a quarter of the grid: ties are met */
      nn_tensor_f64 (tensor)[i] = (double) (gint64) (value / lsb * 4) * lsb / 4;
    }
  return tensor;
}

/* One translation unit, so that the headers are read once. */
static gboolean
compile_and_run (const char *folder,
                 GString    *text)
{
  const char *given = g_getenv ("CXX"), *run[] = { "./csim-random", NULL };
  const char *build[] = { given != NULL && *given != '\0' ? given : "g++", "-std=c++14", "-O0", "-Wall", "-Wextra", "-Ifirmware/ap_types",
                          "-Ifirmware", "-Ifirmware/nnet_utils", "-include", "firmware/myproject.cpp", "myproject_test.cpp", "-o",
                          "csim-random", NULL };

  for (guint step = 0; step < 2; step++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *out = NULL, *messages = NULL;
      int status;

      if (!g_spawn_sync (folder, (char **) (step == 0 ? build : run), NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &messages, &status,
                         &error))
        g_error ("%s", error->message);
      g_string_append (text, out);
      g_string_append_len (text, messages, MIN (strlen (messages), 2000));
      if (!g_spawn_check_wait_status (status, NULL) || strstr (messages, "warning:") != NULL)
        return FALSE;
    }
  return strstr (text->str, " differences 0 ") != NULL;
}

/* The vectors come from the engine itself, asked here. */
static HlsProject *
emit (const NnDesign *design,
      NnRng          *rng,
      GError        **error)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  guint n_inputs, n_outputs;
  const guint *nodes = nn_graph_inputs (graph, &n_inputs);
  NnTensor *inputs[MOST_INPUTS] = { NULL }, **outputs;
  HlsProject *project = NULL;

  nn_graph_outputs (graph, &n_outputs);
  g_assert_cmpuint (n_inputs, <=, MOST_INPUTS);
  for (guint k = 0; k < n_inputs; k++)
    inputs[k] = random_inputs (rng, nn_graph_node (graph, nodes[k]), &nn_design_plan (design, nodes[k])->result);
  outputs = nn_fixed_predict (design, inputs, NULL, NULL, NULL, error);
  if (outputs != NULL)
    {
      HlsVectors vectors = { .inputs = inputs, .expected = outputs, .n = N_VECTORS };

      project = hls_project_new (design, &vectors, error);
      for (guint k = 0; k < n_outputs; k++)
        nn_tensor_unref (outputs[k]);
      g_free (outputs);
    }
  for (guint k = 0; k < n_inputs; k++)
    nn_tensor_unref (inputs[k]);
  return project;
}

static CaseResult
run_case (guint64 seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (HlsProject) project = NULL;
  g_autofree char *folder = NULL, *target = NULL, *text = NULL;
  RandomNetwork random;
  g_autoptr (NnModel) model = seed < MORE_SEEDS ? random_network (&random, seed, &text)
                            : seed < WIDE_SEEDS ? random_network_more (&random, seed, &text)
                            : seed < TREE_SEEDS ? random_network_wide (&random, seed, &text)
                                                : random_network_trees (&random, seed, &text);
  gboolean equal;

  config = nn_config_parse (text, &error);
  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  project = design != NULL ? emit (design, &random.net.rng, &error) : NULL;
  if (project == NULL)
    {
      g_test_message ("seed %" G_GUINT64_FORMAT ": refused: %s", seed, error->message);
      g_assert_true (error->domain == NN_ERROR || error->domain == HLS_ERROR);
      return CASE_REFUSED;
    }
  folder = test_folder ();
  target = keep != NULL ? g_strdup_printf ("%s/seed-%" G_GUINT64_FORMAT, keep, seed) : g_build_filename (folder, "project", NULL);
  g_assert_true (hls_project_write (project, target, &error));
  equal = compile_and_run (target, log);
  if (!equal)
    g_test_message ("seed %" G_GUINT64_FORMAT ": DIFFERS: %s\n%s", seed, text, log->str);
  else if (keep != NULL)
    remove_folder (target);
  remove_folder (folder);
  return equal ? CASE_EQUAL : CASE_DIFFERS;
}

static void
run_cases (guint64 seed,
           guint   n)
{
  guint counts[3] = { 0 };

  for (guint i = 0; i < n; i++)
    counts[run_case (seed + i)]++;
  g_test_message ("%u equal, %u refused, %u differ", counts[CASE_EQUAL], counts[CASE_REFUSED], counts[CASE_DIFFERS]);
  g_assert_cmpuint (counts[CASE_DIFFERS], ==, 0);
  g_assert_cmpuint (counts[CASE_EQUAL], >, n / 2);
}

static void
test_few (void)
{
  run_cases (1, 5);
  run_cases (MORE_SEEDS + 1, 5);
  run_cases (WIDE_SEEDS + 1, 5);
  run_cases (TREE_SEEDS + 1, 5);
}

static void
test_many (void)
{
  run_cases ((guint64) first_seed, (guint) many);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_test_init (&argc, &argv, NULL);
  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  if (many > 0)
    g_test_add_func ("/differential/many", test_many);
  else
    g_test_add_func ("/differential/few", test_few);
  return g_test_run ();
}
