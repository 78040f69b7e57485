/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real networks: every one whose layers have kernels emits for every backend, compiles without a warning and equals the
 * engine, over strategies, pruning, interfaces and reuse factors.
 *
 * Each is tried on every backend with both interfaces, all but the largest in all settings. --state=FOLDER keeps what has been
 * done, so that a run that was broken off goes on where it stood; --shard=K/N does every N-th network; --only=TEXT those whose
 * path has it.
 */

#include "nn-error.h"
#include "nn-fixed-exec.h"
#include "nn-load.h"
#include "test-network.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define SMALL 300000     /* products of one sample up to which all settings are tried */
#define MEDIUM 1000000   /* from here on one vector must do */
#define LARGE 5000000    /* from here on running takes longer than compiling, and two kernels are left out */
#define N_SMALL_VECTORS 4
#define KEEP_SHARE 2    /* of a pruned network every second multiplier is kept */

static char *state_folder, *headers_folder, *only;
static guint shard, n_shards = 1;

typedef struct {
  const char *backend, *io, *strategy, *precision;
  guint       reuse;
  gboolean    pruned;
  guint       parallelization; /* 0: as it comes */
} Setting;

/* The first five, one of each backend, and the next five, which are the other interface of each, are tried with every network. */
static const Setting settings[] = {
  { "Vitis", "io_parallel", "Latency", "fixed<16,6>", 1, FALSE },
  { "Vivado", "io_stream", "Resource", "fixed<10,4,RND_CONV,SAT_SYM>", 8, TRUE },
  { "Catapult", "io_parallel", "Resource", "fixed<18,8,RND,SAT>", 64, FALSE },
  { "oneAPI", "io_stream", "Latency", "fixed<14,6>", 2, FALSE },
  { "Quartus", "io_parallel", "Resource", "fixed<16,6>", 4, TRUE },

  { "Vitis", "io_stream", "Resource", "auto", 16, TRUE },
  { "Vivado", "io_parallel", "Latency", "auto", 1, FALSE },
  { "Catapult", "io_stream", "Resource", "fixed<12,5,RND_INF,SAT>", 3, TRUE },
  { "oneAPI", "io_parallel", "Resource", "fixed<11,4,TRN_ZERO,SAT_ZERO>", 1000, TRUE },
  { "Quartus", "io_stream", "Latency", "fixed<9,3,RND_MIN_INF,SAT>", 1, TRUE },

  { "Vitis", "io_parallel", "Compressed", "fixed<16,6>", 4, TRUE },
  { "Vivado", "io_stream", "DistributedArithmetic", "fixed<16,6>", 1, FALSE },

  { "Vitis", "io_parallel", "Resource", "fixed<16,6>", 2, FALSE },
  { "Vitis", "io_parallel", "Resource", "fixed<8,3,RND_ZERO,SAT>", 32, TRUE },
  { "Vitis", "io_parallel", "ResourceUnrolled", "fixed<16,6>", 100000, TRUE },
  { "Vitis", "io_stream", "Latency", "fixed<16,6>", 4, FALSE },
  { "Vitis", "io_stream", "Resource", "fixed<16,6>", 500, TRUE },
  { "Vitis", "io_stream", "Compressed", "fixed<16,6>", 2, FALSE },
  { "Vivado", "io_parallel", "Resource", "fixed<16,6>", 6, FALSE },
  { "Vivado", "io_parallel", "Resource", "fixed<16,6>", 48, TRUE },
  { "Vivado", "io_stream", "Latency", "fixed<16,6>", 1, FALSE },
  { "Vivado", "io_stream", "ResourceUnrolled", "auto", 4, TRUE },
  { "Catapult", "io_parallel", "Latency", "auto", 1, FALSE },
  { "Catapult", "io_parallel", "Resource", "fixed<16,6>", 8, TRUE },
  { "Catapult", "io_stream", "Latency", "fixed<16,6>", 1, FALSE },
  { "Catapult", "io_stream", "Resource", "fixed<16,6>", 128, TRUE },
  { "oneAPI", "io_parallel", "Latency", "fixed<16,6>", 1, FALSE },
  { "oneAPI", "io_parallel", "Resource", "auto", 12, TRUE },
  { "oneAPI", "io_stream", "Resource", "fixed<16,6>", 24, TRUE },
  { "Quartus", "io_parallel", "Latency", "auto", 1, FALSE },
  { "Quartus", "io_parallel", "Resource", "fixed<16,6>", 256, FALSE },
  { "Quartus", "io_stream", "Resource", "fixed<16,6>", 10, TRUE },
  { "Catapult", "io_parallel", "Compressed", "fixed<13,5,RND,SAT>", 1, TRUE },
  { "oneAPI", "io_stream", "DistributedArithmetic", "fixed<8,3>", 1, TRUE },
  { "Vivado", "io_parallel", "Latency", "fixed<16,6>", 1, FALSE, 4 },
  { "Quartus", "io_parallel", "Resource", "fixed<16,6>", 9, TRUE, 3 },
};

#define N_BACKENDS 5
#define N_ALWAYS 10
#define N_OFTEN 12

/* All networks are tried once before any is tried on every backend, and on every backend before any is tried in many settings. */
static const guint rounds[] = { 0, 1, N_BACKENDS, N_ALWAYS, N_OFTEN, G_N_ELEMENTS (settings) };

typedef enum { EQUAL, REFUSED, DIFFERS } Outcome;

static NnConfig *
make_config (const Setting *s)
{
  g_autoptr (GError) error = NULL;
  gboolean automatic = g_str_equal (s->precision, "auto");
  g_autofree char *text =
    g_strdup_printf ("{\"Backend\":\"%s\",\"IOType\":\"%s\",%s\"HLSConfig\":{\"Model\":{\"Precision\":\"%s\",\"ReuseFactor\":%u,"
                     "\"ParallelizationFactor\":%u,\"Strategy\":\"%s\"}}}",
                     s->backend, s->io, automatic ? "\"granularity\":\"name\"," : "", automatic ? "fixed<16,6>" : s->precision,
                     s->reuse, s->parallelization, s->strategy);
  NnConfig *config = nn_config_parse (text, &error);

  g_assert_no_error (error);
  return config;
}

/* Zeros every second multiplier of each matrix, as the hardware of @design groups them. */
static NnModel *
prune (const NnModel  *model,
       const NnDesign *design)
{
  static const NnRole roles[] = { NN_ROLE_KERNEL, NN_ROLE_RECURRENT_KERNEL };
  const NnModel *lowered = nn_design_model (design);
  NnGraph *graph = nn_model_graph (model);
  g_autofree NnTensor **values = g_new0 (NnTensor *, nn_model_n_weights (model));
  NnModel *pruned;

  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (lowered)); i++)
    for (guint r = 0; r < G_N_ELEMENTS (roles); r++)
      {
        const NnNode *node = nn_graph_node (nn_model_graph (lowered), i);
        const NnLayerPlan *p = nn_design_plan (design, i);
        const NnTensor *raw = nn_design_raw (design, i, roles[r]);
        guint reuse = MAX (r == 0 ? p->reuse_factor : p->recurrent_reuse_factor, 1), id;
        guint source;

        if (raw == NULL || !nn_graph_find (graph, node->name, &source) ||
            !nn_model_node_weight_id (model, nn_graph_node (graph, source), roles[r], &id) ||
            nn_model_weight (model, id)->values->n != raw->n || raw->n != (gsize) (r == 0 ? p->n_in : p->recurrent_n_in) * p->n_out)
          continue;
        if (values[id] == NULL)
          values[id] = nn_tensor_convert (nn_model_weight (model, id)->values, NN_DTYPE_F32);
        for (gsize f = 0; f < raw->n; f++)
          if (f / reuse % KEEP_SHARE != 0)
            nn_tensor_f32 (values[id])[nn_design_weight_index (design, i, roles[r], f)] = 0;
      }
  pruned = nn_model_with_weights (model, values, NULL);
  for (guint k = 0; k < nn_model_n_weights (model); k++)
    if (values[k] != NULL)
      nn_tensor_unref (values[k]);
  return pruned;
}

static double
products_of (const NnDesign *design)
{
  double sum = 0;

  for (guint i = 0; i < nn_graph_n_nodes (nn_model_graph (nn_design_model (design))); i++)
    {
      const NnLayerPlan *p = nn_design_plan (design, i);

      sum += (double) p->n_in * p->n_out * MAX (p->n_positions, 1);
    }
  return sum;
}

/* Vectors from the bit-accurate engine: few of a large network. */
static HlsProject *
emit (const NnDesign *design,
      GError        **error)
{
  const NnGraph *graph = nn_model_graph (nn_design_model (design));
  gsize n = products_of (design) > MEDIUM ? 1 : N_SMALL_VECTORS;
  guint n_inputs, n_outputs;
  const guint *nodes = nn_graph_inputs (graph, &n_inputs);
  g_autofree NnTensor **inputs = g_new0 (NnTensor *, n_inputs);
  NnTensor **outputs;
  HlsProject *project = NULL;
  NnRng rng;

  nn_rng_init (&rng, 3);
  nn_graph_outputs (graph, &n_outputs);
  for (guint k = 0; k < n_inputs; k++)
    {
      const NnShape *one = &nn_graph_node (graph, nodes[k])->shape;
      NnShape shape = { .rank = one->rank + 1, .dims = { (gint64) n } };

      memcpy (shape.dims + 1, one->dims, one->rank * sizeof *one->dims);
      inputs[k] = nn_tensor_new (NN_DTYPE_F64, &shape);
      for (gsize i = 0; i < inputs[k]->n; i++)
        nn_tensor_f64 (inputs[k])[i] = 2 * nn_rng_normal (&rng);
    }
  outputs = nn_fixed_predict (design, inputs, NULL, NULL, NULL, error);
  if (outputs != NULL)
    {
      HlsVectors vectors = { .inputs = inputs, .expected = outputs, .n = n };

      project = hls_project_new (design, &vectors, error);
      for (guint k = 0; k < n_outputs; k++)
        nn_tensor_unref (outputs[k]);
      g_free (outputs);
    }
  for (guint k = 0; k < n_inputs; k++)
    nn_tensor_unref (inputs[k]);
  return project;
}

static gboolean
spawn (const char  *folder,
       const char **argv,
       char       **said)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL, *messages = NULL;
  int status;

  if (!g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &messages, &status, &error))
    g_error ("%s: %s", argv[0], error->message);
  *said = g_strdup_printf ("%s%.3000s%s", out, messages, WIFSIGNALED (status) ? "ended by a signal" : "");
  return g_spawn_check_wait_status (status, NULL) && strstr (messages, "warning:") == NULL && strstr (messages, "never read") == NULL;
}

static const char *
compiler (void)
{
  const char *given = g_getenv ("CXX");

  return given != NULL && *given != '\0' ? given : "g++";
}

static const char standard_headers[] = "#include <fstream>\n#include <iomanip>\n#include <iostream>\n#include <sstream>\n#include <vector>\n";

/* Of the project; Intel's buffers have a size of the network's, so that all that stands on them is read each time. */
static char *
common_headers (const Setting *s,
                const char    *project)
{
  gboolean intel = g_str_equal (s->backend, "oneAPI") || g_str_equal (s->backend, "Quartus");
  g_autofree char *path = g_build_filename (project, "firmware", "parameters.h", NULL), *text = NULL;
  GString *headers = g_string_new (standard_headers);
  g_auto (GStrv) lines = NULL;

  if (intel)
    return g_string_free (g_string_append (headers, "#include \"ac_fixed.h\"\n#include \"ac_int.h\"\n"), FALSE);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "#include \"nnet_utils/") && strstr (lines[i], "code_gen") == NULL)
      g_string_append_printf (headers, "%s\n", lines[i]);
  return g_string_free (headers, FALSE);
}

/* What all projects of a backend share, which takes most of the compiler's time, once. */
static char *
precompiled (const Setting *s,
             const char    *project,
             const char    *standard,
             const char    *optimisation)
{
  g_autofree char *name = g_strconcat (s->backend, optimisation, NULL);
  g_autofree char *folder = g_build_filename (headers_folder, name, NULL), *header = g_build_filename (folder, "all.h", NULL);
  g_autofree char *compiled = g_strconcat (header, ".gch", NULL), *types = g_build_filename (project, "firmware", "ap_types", NULL);
  g_autofree char *firmware = g_build_filename (project, "firmware", NULL), *text = NULL;
  g_autofree char *part = g_strdup_printf ("%s.%d", compiled, (int) g_get_monotonic_time ()), *said = NULL;
  const char *argv[] = { compiler (), standard, optimisation, "-Wall", "-Wextra", "-I", types, "-I", firmware, "-x", "c++-header", header, "-o", part, NULL };

  if (g_file_test (compiled, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&header);
  g_mkdir_with_parents (folder, 0777);
  text = common_headers (s, project);
  g_assert_true (g_file_set_contents (header, text, -1, NULL));
  if (!spawn (NULL, argv, &said))
    g_error ("%s", said);
  g_assert_cmpint (g_rename (part, compiled), ==, 0);
  return g_steal_pointer (&header);
}

static Outcome
simulate (const HlsProject *project,
          const Setting    *s,
          const char       *optimisation,
          char            **said)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = test_folder (), *target = g_build_filename (folder, "project", NULL);
  const char *standard = g_str_equal (s->backend, "Vivado") ? "-std=c++11" : "-std=c++14";
  const char *run[] = { "sh", "-c", "ulimit -s \"$(ulimit -H -s)\"; exec ./csim-models", NULL };
  g_autofree char *header = NULL, *messages = NULL;
  Outcome outcome = DIFFERS;

  g_assert_true (hls_project_write (project, target, &error));
  header = precompiled (s, target, standard, optimisation);
  {
    const char *build[] = { compiler (), standard, optimisation, "-Wall", "-Wextra", "-Ifirmware/ap_types", "-Ifirmware", "-Ifirmware/nnet_utils",
                            "-include", header, "-include", "firmware/myproject.cpp", "myproject_test.cpp", "-o", "csim-models", NULL };

    if (spawn (target, build, said) && spawn (target, run, &messages))
      outcome = strstr (messages, " differences 0 ") != NULL ? EQUAL : DIFFERS;
  }
  if (outcome != EQUAL && messages != NULL)
    {
      g_free (*said);
      *said = g_steal_pointer (&messages);
    }
  remove_folder (folder);
  return outcome;
}

/* @said: (out): what is worth telling: the reason of a refusal, the words of compiler and test bench. */
static Outcome
try (const NnModel *model,
     const Setting *s,
     char         **said)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnConfig) config = make_config (s);
  g_autoptr (NnDesign) design = nn_design_new (model, config, &error);
  g_autoptr (HlsProject) project = NULL;

  if (design != NULL && s->pruned)
    {
      g_autoptr (NnModel) pruned = prune (model, design);

      nn_design_unref (design);
      design = nn_design_new (pruned, config, &error);
    }
  project = design != NULL ? emit (design, &error) : NULL;
  if (project != NULL)
    return simulate (project, s, products_of (design) > LARGE ? "-O1" : "-O0", said);
  *said = g_strdup (error->message);
  if (error->domain != NN_ERROR && error->domain != HLS_ERROR)
    return DIFFERS;
  return REFUSED;
}

/* How many of the settings a network of this size is tried in. */
static guint
settings_for (const NnModel *model)
{
  g_autoptr (NnConfig) config = make_config (&settings[0]);
  g_autoptr (NnDesign) design = nn_design_new (model, config, NULL);
  double products = design != NULL ? products_of (design) : 0;

  return products <= SMALL ? G_N_ELEMENTS (settings) : products <= LARGE ? N_OFTEN : N_ALWAYS;
}

/* Small files first: much is known soon. */
static int
compare_sizes (gconstpointer a,
               gconstpointer b)
{
  const char *x = *(const char *const *) a, *y = *(const char *const *) b;
  GStatBuf first, second;

  if (g_stat (x, &first) == 0 && g_stat (y, &second) == 0 && first.st_size != second.st_size)
    return first.st_size < second.st_size ? -1 : 1;
  return strcmp (x, y);
}

/* (transfer full): paths of all networks of the shared folder, sorted */
static GPtrArray *
all_networks (const char *root)
{
  static const char *const folders[] = { "attention", "custom", "hgq", "json_weights", "keras3_zip", "keras_h5", "micro", "mlperf_tiny",
                                         "onnx", "other", "qkeras", "rnn" };
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  for (guint k = 0; k < G_N_ELEMENTS (folders); k++)
    {
      g_autofree char *folder = g_build_filename (root, folders[k], NULL);
      g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
      const char *name;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        if (!g_str_has_suffix (name, ".yml") && !g_str_has_suffix (name, "_weights.h5"))
          g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
    }
  g_ptr_array_sort (paths, compare_sizes);
  return paths;
}

/* What an earlier run found out: "path|setting" to a line of the state's file. */
static GHashTable *
read_state (const char *path)
{
  GHashTable *known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return known;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *tab = strchr (lines[i], '\t');
      Outcome outcome = g_str_has_prefix (lines[i], "equal") ? EQUAL : g_str_has_prefix (lines[i], "refused") ? REFUSED : DIFFERS;
      char *end = tab != NULL ? strchr (tab + 1, '\t') : NULL;

      if (end == NULL)
        continue;
      *end = '\0';
      g_hash_table_insert (known, g_strdup (tab + 1), GUINT_TO_POINTER (outcome + 1));
    }
  return known;
}

static void
append_state (const char *path,
              Outcome     outcome,
              const char *key,
              const char *said)
{
  static const char *const words[] = { "equal", "refused", "differs" };
  g_autofree char *line = g_strdup (outcome == EQUAL ? "" : said);
  FILE *file = fopen (path, "a");

  g_strdelimit (line, "\n\t", ' ');
  g_assert_nonnull (file);
  fprintf (file, "%s\t%s\t%s\n", words[outcome], key, line);
  fclose (file);
}

static char *
case_key (const char    *root,
          const char    *path,
          const Setting *s)
{
  g_autofree char *positions = s->parallelization > 0 ? g_strdup_printf ("|%u at once", s->parallelization) : g_strdup ("");

  return g_strdup_printf ("%s|%s|%s|%s|%s|%u%s%s", path + strlen (root) + 1, s->backend, s->io, s->strategy, s->precision, s->reuse,
                          s->pruned ? "|pruned" : "", positions);
}

/* Whether nothing of a round is left, so that the network need not be read. */
static gboolean
is_done (const char *root,
         const char *path,
         guint       round,
         GHashTable *known,
         guint       counts[3])
{
  guint seen[3] = { 0 };

  for (guint k = rounds[round]; k < rounds[round + 1]; k++)
    {
      g_autofree char *key = case_key (root, path, &settings[k]);
      guint outcome = GPOINTER_TO_UINT (g_hash_table_lookup (known, key));

      if (outcome == 0 || outcome - 1 == DIFFERS)
        return FALSE;
      seen[outcome - 1]++;
    }
  counts[EQUAL] += seen[EQUAL];
  counts[REFUSED] += seen[REFUSED];
  return TRUE;
}

static void
do_network (const char *root,
            const char *path,
            guint       round,
            const char *results,
            GHashTable *known,
            guint       counts[3])
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  NnLoadOptions options;
  guint n;

  if (is_done (root, path, round, known, counts))
    return;
  nn_load_options_init (&options);
  model = nn_model_load (path, &options, NULL, NULL, &error);
  if (model == NULL && round > 0)
    return;
  if (model == NULL)
    {
      g_test_message ("%s: not read: %s", path + strlen (root) + 1, error->message);
      return;
    }
  n = MIN (settings_for (model), rounds[round + 1]);
  for (guint k = rounds[round]; k < n; k++)
    {
      const Setting *s = &settings[k];
      g_autofree char *key = case_key (root, path, s);
      g_autofree char *said = NULL;
      Outcome outcome = GPOINTER_TO_UINT (g_hash_table_lookup (known, key));

      if (outcome == 0 || outcome - 1 == DIFFERS)
        {
          outcome = try (model, s, &said);
          append_state (results, outcome, key, said);
          if (outcome != EQUAL)
            g_test_message ("%s: %s: %s", key, outcome == REFUSED ? "refused" : "DIFFERS", said);
        }
      else
        outcome--;
      counts[outcome]++;
    }
}

/* What another build found out says nothing about this one. */
static char *
this_build (void)
{
  g_autofree char *bytes = NULL;
  gsize n;

  g_assert_true (g_file_get_contents ("/proc/self/exe", &bytes, &n, NULL));
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes, n);
}

static void
test_models (void)
{
  g_autofree char *root = test_shared_path ("models"), *own = NULL, *build = this_build (), *headers = NULL;
  g_autofree char *name = g_strdup_printf ("results-%.12s-%u-of-%u.tsv", build, shard, n_shards);
  g_autofree char *results = NULL;
  g_autoptr (GPtrArray) paths = NULL;
  g_autoptr (GHashTable) known = NULL;
  guint counts[3] = { 0 };

  if (root == NULL)
    return;
  if (state_folder == NULL)
    state_folder = own = test_folder ();
  headers_folder = headers = g_strdup_printf ("%s/headers-%.12s", state_folder, build);
  g_mkdir_with_parents (headers_folder, 0777);
  results = g_build_filename (state_folder, name, NULL);
  known = read_state (results);
  paths = all_networks (root);
  for (guint round = 0; round + 1 < G_N_ELEMENTS (rounds); round++)
    for (guint i = shard; i < paths->len; i += n_shards)
      if (only == NULL || strstr (paths->pdata[i], only) != NULL)
        do_network (root, paths->pdata[i], round, results, known, counts);
  g_test_message ("%u equal, %u refused, %u differ", counts[EQUAL], counts[REFUSED], counts[DIFFERS]);
  g_assert_cmpuint (counts[DIFFERS], ==, 0);
  if (only == NULL)
    g_assert_cmpuint (counts[EQUAL], >, 4 * counts[REFUSED]);
  if (own != NULL)
    remove_folder (own);
}

static gboolean
parse_shard (const char  *name,
             const char  *value,
             gpointer     data,
             GError     **error)
{
  if (sscanf (value, "%u/%u", &shard, &n_shards) == 2 && shard < n_shards)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: K/N with K below N is expected", value);
  return FALSE;
}

int
main (int    argc,
      char **argv)
{
  const GOptionEntry entries[] = {
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &state_folder, "Where results are kept", "FOLDER" },
    { "shard", 0, 0, G_OPTION_ARG_CALLBACK, parse_shard, "Every N-th network, from K on", "K/N" },
    { "only", 0, 0, G_OPTION_ARG_STRING, &only, "Networks whose path has this", "TEXT" },
    { NULL }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_test_init (&argc, &argv, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  g_test_add_func ("/models/simulate", test_models);
  return g_test_run ();
}
