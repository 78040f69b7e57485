/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Project files that lie or are damaged: an error that names the file, never a crash. */

#include "nn-error.h"
#include "nn-exec.h"
#include "nn-load.h"
#include "nn-project.h"
#include "test-shared.h"
#include "test-train-nets.h"

#include <glib/gstdio.h>

static NnConfig *
make_config (void)
{
  g_autoptr (GError) error = NULL;
  NnConfig *config = nn_config_parse ("{\"Backend\":\"Vitis\",\"Part\":\"xcvu13p-flga2577-2-e\",\"HLSConfig\":{\"Model\":"
                                      "{\"Precision\":\"fixed<16,6>\",\"ReuseFactor\":1,\"Strategy\":\"Latency\"}}}", &error);

  g_assert_no_error (error);
  return config;
}

static void
save (const NnModel *model,
      const char    *path)
{
  g_autoptr (NnConfig) config = make_config ();
  g_autoptr (NnProject) project = nn_project_new (model, config, "data.npz", "abc", NULL, 0, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (nn_project_save (project, path, &error));
  g_assert_no_error (error);
}

/* A convolution with stride and norm, then two dense layers. */
static char *
small_project (const char *folder,
               gsize      *size)
{
  g_autofree char *path = g_build_filename (folder, "small.espalier", NULL);
  TestNet *net = net_new (&NN_SHAPE (6, 6, 2), 2);
  g_autoptr (NnModel) model = NULL;
  char *bytes;

  net_conv (net, 3, 3, 2, 3, 2, 1, 1, NN_PADDING_SAME);
  net_batch_norm (net, 3);
  net_act (net, NN_ACT_RELU);
  net_add (net, NN_OP_FLATTEN);
  net_dense (net, 27, 7, NN_ACT_RELU);
  net_dense (net, 7, 4, NN_ACT_SOFTMAX);
  model = net_seal (net);
  save (model, path);
  g_assert_true (g_file_get_contents (path, &bytes, size, NULL));
  g_unlink (path);
  return bytes;
}

/* Whether @bytes load; where they do not, the error is one of the file and names it. */
static gboolean
loads (const char *folder,
       const char *bytes,
       gsize       size)
{
  g_autofree char *path = g_build_filename (folder, "bad.espalier", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnProject) project = NULL;

  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  project = nn_project_load (path, &error);
  g_assert_true ((project == NULL) == (error != NULL));
  if (error != NULL)
    {
      g_assert_true (g_str_has_prefix (error->message, path));
      g_assert_cmpuint (strlen (error->message), >, strlen (path) + 10);
      g_assert_true (error->domain == NN_ERROR);
      g_assert_true (error->code == NN_ERROR_FORMAT || error->code == NN_ERROR_UNSUPPORTED || error->code == NN_ERROR_LIMIT);
    }
  g_unlink (path);
  return project != NULL;
}

/* What a GarNet is told lies outside of the common settings. */
static void
test_garnet (void)
{
  g_autofree char *path = test_shared_path ("models/custom/garnet_1layer.h5"), *folder = NULL, *saved = NULL, *bytes = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnProject) project = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) vertices = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (2, 128, 4)), count = nn_tensor_new (NN_DTYPE_F32, &NN_SHAPE (2, 1));
  NnTensor *inputs[] = { vertices, count, NULL }, **want, **have;
  char *at;
  gsize size;

  if (path == NULL)
    return;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  folder = test_folder ();
  saved = g_build_filename (folder, "garnet.espalier", NULL);
  save (model, saved);
  project = nn_project_load (saved, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < vertices->n; i++)
    nn_tensor_f32 (vertices)[i] = (float) (i * 37 % 101) / 101 - 0.5f;
  nn_tensor_f32 (count)[0] = 90;
  nn_tensor_f32 (count)[1] = 7;
  want = nn_predict (model, inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  have = nn_predict (nn_project_model (project), inputs, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; want[i] != NULL; i++)
    g_assert_cmpmem (want[i]->data, want[i]->n * nn_dtype_size (want[i]->dtype), have[i]->data, have[i]->n * nn_dtype_size (have[i]->dtype));
  nn_tensors_free (want);
  nn_tensors_free (have);
  /* without its sizes it is none */
  g_assert_true (g_file_get_contents (saved, &bytes, &size, NULL));
  g_unlink (saved);
  g_assert_true (loads (folder, bytes, size));
  at = memmem (bytes, size, "\"garnet\":", strlen ("\"garnet\":"));
  g_assert_nonnull (at);
  at[1] = 'c';
  g_assert_false (loads (folder, bytes, size));
  g_rmdir (folder);
}

/* Texts of the file that say something else, in as many bytes. */
static void
test_lies (void)
{
  static const struct {
    const char *from, *to;
  } lies[] = {
    { "\"units\":7", "\"units\":9" },          { "\"units\":4", "\"units\":0" },
    { "\"units\":3", "\"units\":5" },          { "\"kernel\":[3,3]", "\"kernel\":[3,5]" },
    { "\"kernel\":[3,3]", "\"kernel\":[0,3]" }, { "\"kernel\":[3,3]", "\"kernel\":[-93]" },
    { "\"stride\":[2,", "\"stride\":[0,"  },   { "\"shape\":[6,6,2]", "\"shape\":[6,6,3]" },
    { "\"shape\":[6,6,2]", "\"shape\":[6,9,2]" }, { "\"inputs\":[0]", "\"inputs\":[9]" },
    { "\"inputs\":[2]", "\"inputs\":[2}" }, { "\"weights\":[0", "\"weights\":[9" },
    { "\"outputs\":[6]", "\"outputs\":[7]" },  { "\"op\":3", "\"op\":6" },
    { "\"role\":0", "\"role\":1" },            { "\"role\":5", "\"role\":-" },
    { "\"padding\":1", "\"padding\":7" },      { "\"name\":\"layer_1\"", "\"name\":\"layer_2\"" },
    { "\"nodes\"", "\"modes\"" },              { "fixed<16,6>", "fixed<99,6>" },
  };
  g_autofree char *folder = test_folder ();
  gsize size;
  g_autofree char *bytes = small_project (folder, &size);

  g_assert_true (loads (folder, bytes, size));
  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      gsize n = strlen (lies[i].from);
      g_autofree char *copy = g_memdup2 (bytes, size);
      guint found = 0;

      g_assert_cmpuint (strlen (lies[i].to), ==, n);
      for (gsize at = 0; at + n <= size; at++)
        if (memcmp (copy + at, lies[i].from, n) == 0 && found++ == 0)
          memcpy (copy + at, lies[i].to, n);
      g_test_message ("%s → %s", lies[i].from, lies[i].to);
      g_assert_cmpuint (found, >, 0);
      g_assert_false (loads (folder, copy, size));
    }
  g_rmdir (folder);
}

/* A byte, or eight, set to what sizes and addresses like least, all over the file. */
static void
test_damage (void)
{
  static const guint8 values[] = { 0x00, 0x7f, 0xff };
  g_autofree char *folder = test_folder ();
  gsize size;
  g_autofree char *bytes = small_project (folder, &size);
  guint refused = 0, tried = 0;

  for (gsize at = 0; at < size; at += MAX (size / 300, 1))
    {
      g_autofree char *copy = g_memdup2 (bytes, size);

      memset (copy + at, values[tried % 3], tried % 2 == 0 ? 1 : MIN (8, size - at));
      refused += !loads (folder, copy, size);
      tried++;
    }
  for (gsize cut = 0; cut < size; cut += MAX (size / 60, 1))
    g_assert_false (loads (folder, bytes, cut));
  g_assert_cmpuint (tried, >=, 300);
  g_assert_cmpuint (refused, >, 10);
  g_rmdir (folder);
}

static void
round_trip (const char *folder,
            const char *path,
            guint      *n)
{
  g_autofree char *copy = g_build_filename (folder, "copy.espalier", NULL);
  g_autoptr (NnConfig) config = make_config ();
  g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, NULL);
  g_autoptr (NnProject) project = NULL, read = NULL;
  g_autoptr (GError) error = NULL;

  if (model == NULL)
    return;
  project = nn_project_new (model, config, NULL, NULL, NULL, 0, NULL);
  if (!nn_project_save (project, copy, &error))
    {
      g_assert_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED);
      return;
    }
  read = nn_project_load (copy, &error);
  if (error != NULL)
    g_test_message ("%s: %s", path, error->message);
  g_assert_no_error (error);
  g_assert_cmpuint (nn_model_n_weights (nn_project_model (read)), ==, nn_model_n_weights (model));
  g_unlink (copy);
  (*n)++;
}

static void
walk (const char *folder,
      const char *at,
      guint      *n)
{
  g_autoptr (GDir) dir = g_dir_open (at, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (at, name, NULL);
      GStatBuf info;

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        walk (folder, path, n);
      else if ((g_str_has_suffix (name, ".h5") || g_str_has_suffix (name, ".keras") || g_str_has_suffix (name, ".onnx")) &&
               g_stat (path, &info) == 0 && info.st_size < 1 << 20)
        round_trip (folder, path, n);
    }
}

/* Every network that loads can be kept: nothing that is sound is refused. */
static void
test_corpus (void)
{
  g_autofree char *models = test_shared_path ("models"), *folder = NULL;
  guint n = 0;

  if (models == NULL)
    {
      g_test_skip ("the shared models are not here");
      return;
    }
  folder = test_folder ();
  walk (folder, models, &n);
  g_test_message ("%u networks", n);
  g_assert_cmpuint (n, >, 10);
  g_rmdir (folder);
}

static void
test_options (void)
{
  g_autoptr (GPtrArray) hold = g_ptr_array_new_with_free_func (g_free);
  g_auto (NnPruneOptions) options = { 0 };
  g_auto (NnPruneOptions) read = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gpointer structure = NULL;

  nn_prune_options_init (&options);
  options.layer_structures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_insert (options.layer_structures, g_strdup ("dense"), GINT_TO_POINTER (NN_STRUCTURE_UNSTRUCTURED));
  text = nn_prune_options_to_json (&options);
  g_assert_true (nn_prune_options_from_json (&read, text, hold, &error));
  g_assert_no_error (error);
  g_assert_true (g_hash_table_lookup_extended (read.layer_structures, "dense", NULL, &structure));
  g_assert_cmpint (GPOINTER_TO_INT (structure), ==, NN_STRUCTURE_UNSTRUCTURED);
  nn_prune_options_clear (&read);
  g_assert_false (nn_prune_options_from_json (&read, "{\"structure\":4711}", hold, &error));
  g_assert_error (error, NN_ERROR, NN_ERROR_FORMAT);
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/project/garnet", test_garnet);
  g_test_add_func ("/project/lies", test_lies);
  g_test_add_func ("/project/damage", test_damage);
  g_test_add_func ("/project/corpus", test_corpus);
  g_test_add_func ("/project/options", test_options);
  return g_test_run ();
}
