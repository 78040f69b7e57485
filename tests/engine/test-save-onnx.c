/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every network that can be computed goes into an ONNX file and comes back answering the same; with ESPALIER_ONNX_FOLDER set
 * the files stay there with inputs and answers, for tests/tools/onnxruntime.mjs to compare with another runtime. */

#include "nn-exec.h"

#include "nn-dataset.h"
#include "nn-error.h"
#include "nn-load.h"

#include "test-shared.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* Relative to the largest number of the array: weights of the file are floats, what was folded into them is rounded. */
#define TOLERANCE 1e-5
/* Of a quantised network: where a sum lies next to a tie, the step may be taken the other way. So many elements may. */
#define QUANTIZED_SHARE 0.002
#define N_SAMPLES 8

static NnTensor *
first_rows (NnTensor *all)
{
  NnTensor *rows = nn_tensor_rows (all, 0, MIN ((gsize) all->shape.dims[0], N_SAMPLES));

  nn_tensor_unref (all);
  return rows;
}

/* The reference's own input where it has the graph's shape, otherwise numbers in its range. */
static NnTensor *
input_for (const char   *reference,
           const NnNode *node,
           guint         k,
           guint         n)
{
  g_autofree char *file = n == 1 ? g_strdup ("input.npy") : g_strdup_printf ("input_%u.npy", k);
  g_autofree char *path = reference != NULL ? g_build_filename (reference, file, NULL) : NULL;
  NnTensor *tensor = path != NULL && g_file_test (path, G_FILE_TEST_EXISTS) ? nn_npy_read (path, NULL) : NULL;
  NnShape shape = { .rank = node->shape.rank + 1, .dims = { N_SAMPLES } };
  gboolean fits = tensor != NULL && tensor->shape.rank == shape.rank;
  guint32 state = 12345;

  for (guint i = 0; i < node->shape.rank; i++)
    {
      shape.dims[i + 1] = node->shape.dims[i] < 0 ? 16 : node->shape.dims[i];
      fits = fits && tensor->shape.dims[i + 1] == shape.dims[i + 1];
    }
  if (fits)
    return first_rows (tensor);
  if (tensor != NULL)
    nn_tensor_unref (tensor);
  tensor = nn_tensor_new (NN_DTYPE_F32, &shape);
  for (gsize i = 0; i < tensor->n; i++)
    {
      state = state * 1664525 + 1013904223;
      nn_tensor_f32 (tensor)[i] = (float) (state >> 16 & 255) / 128 - 1;
    }
  return tensor;
}

static gboolean
is_quantized (const NnModel *model)
{
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnAttrs *a = &nn_graph_node (graph, i)->attrs;

      if (a->quantizer != NULL || a->input_quantizer != NULL || a->sum_quantizer != NULL || a->recurrent_quantizer != NULL ||
          a->act == NN_ACT_BINARY_TANH || a->act == NN_ACT_TERNARY_TANH)
        return TRUE;
    }
  return FALSE;
}

static NnTensor **
predict (const NnModel *model,
         GPtrArray     *inputs)
{
  g_autoptr (GError) error = NULL;
  NnTensor **outputs = nn_predict (model, (NnTensor **) inputs->pdata, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  return outputs;
}

static void
compare (const char     *name,
         const NnTensor *have,
         const NnTensor *want,
         gboolean        quantized)
{
  double scale = 1e-30, worst = 0;
  gsize off = 0;

  g_assert_cmpuint (have->n, ==, want->n);
  for (gsize i = 0; i < want->n; i++)
    scale = MAX (scale, fabs (nn_tensor_get (want, i)));
  for (gsize i = 0; i < want->n; i++)
    {
      double d = fabs (nn_tensor_get (have, i) - nn_tensor_get (want, i)) / scale;

      off += !(d <= TOLERANCE);
      worst = MAX (worst, d);
    }
  g_test_message ("%s: worst %.3g", name, worst);
  if (off > (quantized ? MAX (QUANTIZED_SHARE * want->n, 1) : 0))
    {
      g_test_message ("%s: %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " differ, worst by %.3g of %.3g", name, off, want->n, worst,
                      scale);
      g_test_fail ();
    }
}

static void
write_array (const NnTensor *tensor,
             const char     *folder,
             const char     *stem,
             guint           k)
{
  g_autofree char *name = g_strdup_printf ("%s_%u.npy", stem, k), *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (nn_npy_write (tensor, path, &error));
  g_assert_no_error (error);
}

/* Elements that masks leave out, of all weights or of one layer's. */
static gsize
count_masked (const NnModel *model)
{
  gsize n = 0;

  for (guint i = 0; i < nn_model_n_weights (model); i++)
    {
      const NnWeight *weight = nn_model_weight (model, i);

      for (gsize k = 0; weight->mask != NULL && k < weight->mask->n; k++)
        n += nn_tensor_u8 (weight->mask)[k] == 0;
    }
  return n;
}

/* The same network with every third element of each kernel pruned. (transfer full) */
static NnModel *
pruned (const NnModel *model)
{
  g_autofree NnWeight *weights = g_new (NnWeight, nn_model_n_weights (model) + 1);
  g_autoptr (GPtrArray) masks = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  g_autoptr (GError) error = NULL;
  NnModel *copy;

  for (guint i = 0; i < nn_model_n_weights (model); i++)
    {
      weights[i] = *nn_model_weight (model, i);
      if (strstr (nn_role_name (weights[i].role), "kernel") == NULL || weights[i].mask != NULL)
        continue;
      weights[i].mask = nn_tensor_new (NN_DTYPE_U8, &weights[i].values->shape);
      g_ptr_array_add (masks, weights[i].mask);
      for (gsize k = 0; k < weights[i].mask->n; k++)
        nn_tensor_u8 (weights[i].mask)[k] = k % 3 != 1;
    }
  copy = nn_model_new (nn_model_graph (model), weights, nn_model_n_weights (model), nn_model_info (model), &error);
  g_assert_no_error (error);
  return copy;
}

/* Recurrent layers with quantisers are written step by step, their kernels cut by gate: what is pruned there is 0 in the file. */
static gboolean
has_quantized_steps (const NnModel *model)
{
  const NnGraph *graph = nn_model_graph (model);

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    {
      const NnNode *node = nn_graph_node (graph, i);

      if (nn_op_is_recurrent (node->op) && (node->attrs.role_quantizer[NN_ROLE_KERNEL] != NULL || node->attrs.recurrent_quantizer != NULL))
        return TRUE;
    }
  return FALSE;
}

static void
check_masks (const NnModel *model,
             const char    *folder)
{
  g_autofree char *path = g_build_filename (folder, "pruned.onnx", NULL);
  g_autoptr (NnModel) with = pruned (model);
  g_autoptr (NnModel) back = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (nn_model_save (with, path, &error));
  g_assert_no_error (error);
  back = nn_model_load (path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  if (!has_quantized_steps (model) && count_masked (back) != count_masked (with))
    {
      g_test_message ("%s: of %" G_GSIZE_FORMAT " pruned weights %" G_GSIZE_FORMAT " came back", path, count_masked (with), count_masked (back));
      g_test_fail ();
    }
  g_unlink (path);
}

static void
run_model (const NnModel *model,
           const char    *reference,
           const char    *folder)
{
  const NnGraph *graph = nn_model_graph (model);
  g_autofree char *path = g_build_filename (folder, "model.onnx", NULL);
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  g_autoptr (NnModel) back = NULL;
  g_autoptr (GError) error = NULL;
  NnTensor **want, **have;
  guint n;
  const guint *indices = nn_graph_inputs (graph, &n);

  if (!nn_model_save (model, path, &error))
    {
      g_test_message ("REFUSED %s", error->message);
      g_test_fail ();
      return;
    }
  for (guint k = 0; k < n; k++)
    g_ptr_array_add (inputs, input_for (reference, nn_graph_node (graph, indices[k]), k, n));
  g_ptr_array_add (inputs, NULL);
  want = predict (model, inputs);
  for (guint k = 0; k < n; k++)
    write_array (inputs->pdata[k], folder, "input", k);
  for (guint k = 0; want[k] != NULL; k++)
    write_array (want[k], folder, "output", k);
  if (is_quantized (model))
    {
      g_autofree char *mark = g_build_filename (folder, "quantized", NULL);

      g_assert_true (g_file_set_contents (mark, "", 0, NULL));
    }
  back = nn_model_load (path, NULL, NULL, NULL, &error);
  if (back == NULL || !nn_predict_supported (back, &error))
    {
      g_test_message ("NOT READ %s", error->message);
      g_test_fail ();
    }
  else
    {
      have = predict (back, inputs);
      for (guint k = 0; want[k] != NULL; k++)
        {
          g_assert_nonnull (have[k]);
          compare (path, have[k], want[k], is_quantized (model));
        }
      nn_tensors_free (have);
    }
  nn_tensors_free (want);
  check_masks (model, folder);
}

static void
test_file (gconstpointer data)
{
  const char *relative = data, *kept = g_getenv ("ESPALIER_ONNX_FOLDER");
  g_autofree char *path = test_shared_path (relative);
  g_auto (GStrv) parts = g_strsplit (relative, "/", 3);
  g_autofree char *name = g_strdup_printf ("%s__%s", parts[1], parts[2]);
  g_autofree char *under = g_strdup_printf ("reference-float/%s", name), *reference = test_shared_path (under);
  g_autofree char *folder = kept != NULL ? g_build_filename (kept, name, NULL) : test_folder ();
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = nn_model_load (path, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  if (!nn_predict_supported (model, &error))
    g_test_skip (error->message);
  else
    {
      g_assert_cmpint (g_mkdir_with_parents (folder, 0777), ==, 0);
      run_model (model, reference, folder);
    }
  if (kept == NULL)
    remove_folder (folder);
}

static gboolean
is_model (const char *folder,
          const char *name)
{
  return !g_str_has_suffix (name, ".yml") && !g_str_has_suffix (name, ".pt") && !g_str_has_suffix (name, ".tflite") &&
         (!g_str_equal (folder, "json_weights") || g_str_has_suffix (name, ".json"));
}

static void
test_nothing (void)
{
  g_autofree char *path = test_shared_path ("models");

  g_assert_null (path);
}

int
main (int    argc,
      char **argv)
{
  static const char *const folders[] = { "attention", "custom", "hgq", "json_weights", "keras3_zip", "keras_h5",
                                         "micro", "mlperf_tiny", "onnx", "other", "qkeras", "rnn" };
  const char *shared = g_getenv ("ESPALIER_SHARED");
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = g_build_filename (shared != NULL ? shared : "../shared", "models", folders[i], NULL);
      g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
      const char *name;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        if (is_model (folders[i], name))
          g_ptr_array_add (files, g_strdup_printf ("models/%s/%s", folders[i], name));
    }
  if (files->len == 0)
    g_test_add_func ("/save/onnx/none", test_nothing);
  for (guint i = 0; i < files->len; i++)
    {
      g_autofree char *name = g_strdup_printf ("/save/onnx/%s", strchr (files->pdata[i], '/') + 1);

      g_test_add_data_func (name, files->pdata[i], test_file);
    }
  return g_test_run ();
}
