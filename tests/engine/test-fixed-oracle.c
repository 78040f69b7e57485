/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixed: every case of the reference outputs, output and trace of every layer, bit for bit. */

#include "nn-fixed-exec.h"

#include "nn-dataset.h"
#include "nn-error.h"
#include "nn-load.h"
#include "test-shared.h"

#include <string.h>

/* Which of the reference's layers each of ours is, where the names differ; the loader of ONNX names a node by itself. */
static const struct { const char *model; const char *layer; const char *reference; } other_names[] = {
  { "", "", "" },
};

typedef struct {
  const char *model;
  const char *trace; /* folder */
  guint       compared;
  guint       wrong;
  gboolean    verbose;
} Case;

static const char *
reference_name (const char *model,
                const char *layer)
{
  for (guint i = 0; i < G_N_ELEMENTS (other_names); i++)
    if (strcmp (other_names[i].model, model) == 0 && strcmp (other_names[i].layer, layer) == 0)
      return other_names[i].reference;
  return layer;
}

/* One-bit layers are written as 0 and 1 by the reference; they stand for -1 and +1. */
static gboolean
same (double ours,
      double theirs)
{
  return ours == theirs || (ours == -1 && theirs == 0);
}

static gsize
count_differences (const NnTensor *ours,
                   const NnTensor *theirs,
                   gsize           offset,
                   gsize          *first)
{
  gsize wrong = 0;

  for (gsize k = 0; k < ours->n; k++)
    if (!same (nn_tensor_get (ours, k), nn_tensor_get (theirs, offset + k)))
      {
        if (wrong++ == 0)
          *first = k;
      }
  return wrong;
}

static void
compare_layer (const NnNode   *node,
               gsize           first_sample,
               const NnTensor *values,
               gpointer        data)
{
  Case *test = data;
  g_autofree char *name = g_strconcat (reference_name (test->model, node->name), ".npy", NULL);
  g_autofree char *path = g_build_filename (test->trace, name, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NnTensor) reference = NULL;
  gsize row = values->n / (gsize) values->shape.dims[0], first = 0, wrong;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return;
  reference = nn_npy_read (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reference->n, >=, first_sample * row + values->n);
  wrong = count_differences (values, reference, first_sample * row, &first);
  test->compared += first_sample == 0;
  if (wrong > 0)
    {
      g_test_message ("%s %s: %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " differ, the first at %" G_GSIZE_FORMAT ": %.12g, reference %.12g",
                      test->trace, node->name, wrong, values->n, first, nn_tensor_get (values, first),
                      nn_tensor_get (reference, first_sample * row + first));
      test->wrong++;
    }
}

static char *
model_path (const char *model)
{
  g_autofree char *relative = NULL;

  if (g_str_has_prefix (model, "torch_"))
    relative = g_strdup_printf ("models/onnx/%s.onnx", model);
  else if (g_str_has_suffix (model, "_onnx"))
    {
      g_autofree char *base = g_strndup (model, strlen (model) - strlen ("_onnx"));

      relative = g_strdup_printf ("models/onnx/%s.onnx", base);
    }
  else
    relative = g_strdup_printf ("models/json_weights/%s.json", model);
  return test_shared_path (relative);
}

static NnTensor *
load_npy (const char *folder,
          const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  NnTensor *tensor = nn_npy_read (path, &error);

  g_assert_no_error (error);
  return tensor;
}

static guint count_files (const char *path);

static void
test_case (gconstpointer data)
{
  const char *relative = data;
  g_auto (GStrv) parts = g_strsplit (relative, "/", 2);
  g_autofree char *where = g_strconcat ("oracle/", relative, NULL);
  g_autofree char *folder = test_shared_path (where), *path = model_path (parts[0]);
  g_autofree char *trace = NULL, *config_path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnTensor) input = NULL, expected = NULL, output = NULL;
  g_autofree NnTensor **outputs = NULL;
  NnFixedOptions options = { .trace = compare_layer };
  Case test = { .model = parts[0] };
  gsize first = 0;

  if (folder == NULL || path == NULL)
    return;
  trace = g_build_filename (folder, "trace", NULL);
  config_path = g_build_filename (folder, "config.json", NULL);
  test.trace = trace;
  options.trace_data = &test;
  model = nn_model_load (path, NULL, NULL, NULL, &error);
  if (g_str_has_suffix (path, ".onnx") && g_error_matches (error, NN_ERROR, NN_ERROR_FORMAT))
    {
      g_test_skip ("ONNX networks are not read yet");
      return;
    }
  g_assert_no_error (error);
  config = nn_config_load (config_path, &error);
  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  input = load_npy (folder, "input.npy");
  expected = load_npy (folder, "output.npy");
  outputs = nn_fixed_predict (design, &input, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  output = outputs[0];
  g_assert_cmpuint (output->n, ==, expected->n);
  g_assert_cmpuint (test.compared, ==, count_files (trace));
  g_assert_cmpuint (test.wrong, ==, 0);
  g_assert_cmpuint (count_differences (output, expected, 0, &first), ==, 0);
}

static guint
count_files (const char *path)
{
  GDir *dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    n++;
  if (dir != NULL)
    g_dir_close (dir);
  return n;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static GPtrArray *
list_folders (const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR))
        g_ptr_array_add (names, g_strdup (name));
    }
  if (dir != NULL)
    g_dir_close (dir);
  g_ptr_array_sort (names, compare_names);
  return names;
}

static void
test_absent (void)
{
  g_autofree char *path = test_shared_path ("oracle");

  g_assert_null (path);
}

int
main (int    argc,
      char **argv)
{
  const char *shared = g_getenv ("ESPALIER_SHARED");
  g_autofree char *oracle = g_build_filename (shared != NULL ? shared : "../shared", "oracle", NULL);
  g_autoptr (GPtrArray) models = NULL;

  g_test_init (&argc, &argv, NULL);
  models = list_folders (oracle);
  if (models->len == 0)
    g_test_add_func ("/oracle/absent", test_absent);
  for (guint i = 0; i < models->len; i++)
    {
      g_autofree char *path = g_build_filename (oracle, models->pdata[i], NULL);
      g_autoptr (GPtrArray) cases = list_folders (path);

      for (guint k = 0; k < cases->len; k++)
        {
          char *relative = g_strdup_printf ("%s/%s", (char *) models->pdata[i], (char *) cases->pdata[k]);
          g_autofree char *name = g_strconcat ("/oracle/", relative, NULL);

          g_test_add_data_func_full (name, relative, test_case, g_free);
        }
    }
  return g_test_run ();
}
