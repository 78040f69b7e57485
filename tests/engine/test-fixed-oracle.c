/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixed: every case of the reference outputs, output and trace of every layer, bit for bit. */

#include "nn-fixed-exec.h"

#include "nn-dataset.h"
#include "nn-load.h"
#include "nn-passes.h"
#include "test-shared.h"

#include <json-glib/json-glib.h>

#include <string.h>

/**
 * Trace: what we computed in one layer.
 */
typedef struct {
  char     *name;
  NnOp      op;
  NnTensor *values;
} Trace;

static void
trace_clear (gpointer data)
{
  g_free (((Trace *) data)->name);
  nn_tensor_unref (((Trace *) data)->values);
}

/* Layers that only give their values another shape are not in the reference's traces. */
static gboolean
is_traced (NnOp op)
{
  return op != NN_OP_INPUT && op != NN_OP_FLATTEN && op != NN_OP_RESHAPE;
}

static void
keep_trace (const NnNode   *node,
            gsize           first_sample,
            const NnTensor *values,
            gpointer        data)
{
  GArray *traces = data;
  Trace trace = { .op = node->op };

  g_assert_cmpuint (first_sample, ==, 0);
  if (!is_traced (node->op))
    return;
  trace.name = g_strdup (node->name);
  trace.values = nn_tensor_copy (values);
  g_array_append_val (traces, trace);
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

static guint
compare_trace (const char     *folder,
               const char     *reference,
               const char     *ours,
               const NnTensor *values)
{
  g_autofree char *file = g_strconcat (reference, ".npy", NULL);
  g_autoptr (NnTensor) expected = load_npy (folder, file);
  gsize first = 0, wrong;

  g_assert_cmpuint (expected->n, ==, values->n);
  wrong = count_differences (values, expected, 0, &first);
  if (wrong > 0)
    g_test_message ("%s %s (%s): %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " differ, the first at %" G_GSIZE_FORMAT ": %.12g, reference %.12g",
                    folder, reference, ours, wrong, values->n, first, nn_tensor_get (values, first), nn_tensor_get (expected, first));
  return wrong > 0;
}

/* What a transposition of the reference, that we do not need, does to the layer before it. */
static NnTensor *
transposed (const NnTensor *values,
            JsonObject     *layer)
{
  JsonArray *perm = json_object_get_array_member (json_object_get_object_member (layer, "attrs"), "perm");
  guint axes[NN_MAX_RANK] = { 0 };

  g_assert_cmpuint (json_array_get_length (perm) + 1, ==, values->shape.rank);
  for (guint d = 1; d < values->shape.rank; d++)
    axes[d] = 1 + (guint) json_array_get_int_element (perm, d - 1);
  return nn_tensor_transpose (values, axes);
}

static gboolean
has_trace (const char *folder,
           const char *name)
{
  g_autofree char *file = g_strconcat (name, ".npy", NULL), *path = g_build_filename (folder, file, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* Layers stand in the same order on both sides; only networks that were named by ONNX differ in names. Every layer of
 * ours and every trace of theirs takes part. */
static guint
compare_all (const char *folder,
             JsonArray  *layers,
             GArray     *traces,
             gboolean    same_names)
{
  guint wrong = 0, k = 0, compared = 0;

  for (guint i = 0; i < json_array_get_length (layers); i++)
    {
      JsonObject *layer = json_array_get_object_element (layers, i);
      const char *name = json_object_get_string_member (layer, "name");
      gboolean moves = g_str_equal (json_object_get_string_member (layer, "class"), "Transpose");
      Trace *trace;

      if (!has_trace (folder, name))
        continue;
      compared++;
      if (!moves && k < traces->len && g_array_index (traces, Trace, k).op == NN_OP_PERMUTE)
        k++; /* of the input, which the reference was given transposed */
      if (moves && (k >= traces->len || g_array_index (traces, Trace, k).op != NN_OP_PERMUTE))
        {
          g_autoptr (NnTensor) moved = transposed (g_array_index (traces, Trace, k - 1).values, layer);

          wrong += compare_trace (folder, name, "moved", moved);
          continue;
        }
      g_assert_cmpuint (k, <, traces->len);
      trace = &g_array_index (traces, Trace, k++);
      if (same_names)
        g_assert_cmpstr (trace->name, ==, name);
      wrong += compare_trace (folder, name, trace->name, trace->values);
    }
  g_assert_cmpuint (k, ==, traces->len);
  g_assert_cmpuint (compared, ==, count_files (folder));
  return wrong;
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

/* The reference reads ONNX products and sums of constants one by one; ours are one dense layer unless asked otherwise. */
static NnModel *
load_model (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, &error);
  const NnPass *passes;
  guint n;

  g_assert_no_error (error);
  passes = nn_passes (&n);
  for (guint i = 0; i < n; i++)
    if (g_str_has_suffix (path, ".onnx") && strstr (path, "torch") == NULL && g_str_equal (passes[i].name, "split-bias"))
      {
        NnModel *split = passes[i].run (model, NULL, &error);

        g_assert_no_error (error);
        return split;
      }
  return g_steal_pointer (&model);
}

/* Given channels last where the file declares them first: back, for our network turns them itself. */
static NnTensor *
as_declared (NnTensor      *input,
             const NnModel *model)
{
  const NnShape *shape = &nn_graph_node (nn_model_graph (model), 0)->shape;
  guint axes[NN_MAX_RANK] = { 0, input->shape.rank - 1 };

  if (input->shape.rank < 3 || input->shape.dims[1] == shape->dims[0])
    return nn_tensor_ref (input);
  for (guint d = 2; d < input->shape.rank; d++)
    axes[d] = d - 1;
  return nn_tensor_transpose (input, axes);
}

static void
test_case (gconstpointer data)
{
  const char *relative = data;
  g_auto (GStrv) parts = g_strsplit (relative, "/", 2);
  g_autofree char *where = g_strconcat ("oracle/", relative, NULL);
  g_autofree char *folder = test_shared_path (where), *path = model_path (parts[0]);
  g_autofree char *trace = NULL, *config_path = NULL, *layers_path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnConfig) config = NULL;
  g_autoptr (NnDesign) design = NULL;
  g_autoptr (NnTensor) given = NULL, input = NULL, expected = NULL, output = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GArray) traces = g_array_new (FALSE, FALSE, sizeof (Trace));
  g_autofree NnTensor **outputs = NULL;
  NnFixedOptions options = { .trace = keep_trace, .trace_data = traces };
  gsize first = 0;

  g_array_set_clear_func (traces, trace_clear);
  if (folder == NULL || path == NULL)
    return;
  trace = g_build_filename (folder, "trace", NULL);
  config_path = g_build_filename (folder, "config.json", NULL);
  layers_path = g_build_filename (folder, "model.json", NULL);
  model = load_model (path);
  config = nn_config_load (config_path, &error);
  g_assert_no_error (error);
  design = nn_design_new (model, config, &error);
  g_assert_no_error (error);
  json_parser_load_from_file (parser, layers_path, &error);
  g_assert_no_error (error);
  given = load_npy (folder, "input.npy");
  input = as_declared (given, model);
  expected = load_npy (folder, "output.npy");
  outputs = nn_fixed_predict (design, &input, &options, NULL, NULL, &error);
  g_assert_no_error (error);
  output = outputs[0];
  g_assert_cmpuint (compare_all (trace, json_object_get_array_member (json_node_get_object (json_parser_get_root (parser)), "layers"),
                                 traces, !g_str_has_suffix (path, ".onnx")), ==, 0);
  g_assert_cmpuint (output->n, ==, expected->n);
  g_assert_cmpuint (count_differences (output, expected, 0, &first), ==, 0);
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
