/* SPDX-License-Identifier: GPL-3.0-or-later */
/* infer: every network of shared/models against the outputs of an independent float64 interpreter, layer by layer. */

#include "nn-exec.h"

#include "nn-dataset.h"
#include "nn-error.h"
#include "nn-load.h"

#include "test-shared.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* Relative to the largest number of the array. */
#define TOLERANCE 1e-5
/* Of a quantised network: where a sum lies next to a tie, the step may be taken the other way. So many elements may. */
#define QUANTIZED_SHARE 0.002
/* The set of networks that is known, and how many of them can be loaded and computed: fewer is a step back. */
#define N_KNOWN 109
#define N_REACHED 109

typedef struct {
  char  *name;
  char  *folder;
} Case;

typedef struct {
  const char *folder;
  JsonObject *layers;   /* file to layer */
  gsize       n_samples;
  gboolean    quantized;
  GHashTable *values;   /* layer to NnTensor, the first samples */
} Trace;

static guint n_passed, n_skipped, n_failed;
static GString *summary;

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
      for (NnRole r = 0; r < NN_N_ROLES; r++)
        if (a->role_quantizer[r] != NULL)
          return TRUE;
    }
  return FALSE;
}

/* Channels first to channels last, where that is what makes the shapes agree. */
static NnTensor *
fit (NnTensor      *tensor,
     const NnShape *sample)
{
  guint axes[NN_MAX_RANK] = { 0 }, rank = tensor->shape.rank;
  gboolean same = rank == sample->rank + 1, moved = same && rank >= 3;

  for (guint i = 0; (same || moved) && i < sample->rank; i++)
    {
      same &= sample->dims[i] < 0 || sample->dims[i] == tensor->shape.dims[i + 1];
      moved &= sample->dims[i] < 0 || sample->dims[i] == tensor->shape.dims[i + 2 < rank ? i + 2 : 1];
    }
  if (same || !moved)
    return nn_tensor_ref (tensor);
  for (guint i = 1; i < rank; i++)
    axes[i] = i + 1 < rank ? i + 1 : 1;
  return nn_tensor_transpose (tensor, axes);
}

/* Every step-th element along some axes, as large outputs were kept. */
static NnTensor *
subsample (NnTensor   *tensor,
           JsonObject *how)
{
  JsonArray *axes = json_object_get_array_member (how, "axes");
  gint64 step = json_object_get_int_member (how, "step");
  NnShape shape = tensor->shape;
  gsize pace[NN_MAX_RANK];
  NnTensor *result;

  for (guint i = 0; i < shape.rank; i++)
    pace[i] = 1;
  for (guint i = 0; i < json_array_get_length (axes); i++)
    {
      gint64 axis = json_array_get_int_element (axes, i);

      pace[axis] = step;
      shape.dims[axis] = (shape.dims[axis] + step - 1) / step;
    }
  result = nn_tensor_new (NN_DTYPE_F64, &shape);
  for (gsize i = 0; i < result->n; i++)
    {
      gsize rest = i, at = 0, stride = 1;

      for (guint d = shape.rank; d-- > 0;)
        {
          at += rest % (gsize) shape.dims[d] * pace[d] * stride;
          rest /= (gsize) shape.dims[d];
          stride *= tensor->shape.dims[d];
        }
      nn_tensor_f64 (result)[i] = nn_tensor_get (tensor, at);
    }
  return result;
}

/* (nullable): what differs, in words */
static char *
compare (const NnTensor *have,
         const NnTensor *want,
         gboolean        quantized)
{
  double scale = 1e-30, worst = 0;
  gsize off = 0, n = MIN (have->n, want->n), at = 0;

  if (have->n < want->n)
    return g_strdup_printf ("%" G_GSIZE_FORMAT " numbers, not %" G_GSIZE_FORMAT, have->n, want->n);
  for (gsize i = 0; i < n; i++)
    scale = MAX (scale, fabs (nn_tensor_get (want, i)));
  for (gsize i = 0; i < n; i++)
    {
      double d = fabs (nn_tensor_get (have, i) - nn_tensor_get (want, i)) / scale;

      off += !(d <= TOLERANCE);
      if (d > worst || isnan (d))
        {
          worst = d;
          at = i;
        }
    }
  if (off > 0 && quantized)
    g_string_append_printf (summary, "     %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " quantised numbers off, worst by %.3g\n", off,
                            n, worst);
  if (off == 0 || (quantized && off <= MAX (QUANTIZED_SHARE * n, 1)))
    return NULL;
  return g_strdup_printf ("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " differ, worst by %.3g of %.3g: [%" G_GSIZE_FORMAT "] %.9g, not %.9g",
                          off, n, worst, scale, at, nn_tensor_get (have, at), nn_tensor_get (want, at));
}

static void
keep_layer (const NnNode   *node,
            gsize           first,
            const NnTensor *values,
            gpointer        data)
{
  Trace *trace = data;

  if (first == 0)
    g_hash_table_insert (trace->values, g_strdup (node->name),
                         nn_tensor_rows (values, 0, MIN (trace->n_samples, (gsize) values->shape.dims[0])));
}

static void
fail (const Case *test,
      const char *format,
      ...)
{
  va_list args;
  g_autofree char *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_string_append_printf (summary, "FAIL %s: %s\n", test->name, text);
  g_test_message ("%s", text);
  g_test_fail ();
}

/* Returns: how many layers were compared */
static guint
compare_layers (const Case *test,
                Trace      *trace)
{
  g_autoptr (GList) files = json_object_get_members (trace->layers);
  guint n = 0;

  for (GList *l = files; l != NULL; l = l->next)
    {
      const char *layer = json_object_get_string_member (trace->layers, l->data);
      NnTensor *have = g_hash_table_lookup (trace->values, layer);
      g_autofree char *path = g_build_filename (trace->folder, "layers", l->data, NULL), *bad = NULL;
      g_autoptr (NnTensor) want = NULL, laid = NULL;
      NnShape sample;

      if (have == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
        continue;
      want = nn_npy_read (path, NULL);
      g_assert_nonnull (want);
      sample = (NnShape){ .rank = have->shape.rank - 1 };
      memcpy (sample.dims, have->shape.dims + 1, sample.rank * sizeof sample.dims[0]);
      laid = fit (want, &sample);
      if (laid->n != have->n)
        continue; /* the same name for something else, such as a folded layer */
      n++;
      bad = compare (have, laid, trace->quantized);
      if (bad != NULL)
        {
          fail (test, "layer \"%s\": %s", layer, bad);
          break;
        }
    }
  return n;
}

static NnTensor *
read_input (const Case *test,
            JsonArray  *names,
            guint       k,
            const char *wanted)
{
  guint n = json_array_get_length (names), index = k;
  g_autofree char *file = NULL, *path = NULL;
  g_autoptr (GError) error = NULL;
  NnTensor *tensor;

  for (guint i = 0; i < n; i++)
    if (g_str_equal (json_array_get_string_element (names, i), wanted))
      index = i;
  file = n == 1 ? g_strdup ("input.npy") : g_strdup_printf ("input_%u.npy", index);
  path = g_build_filename (test->folder, file, NULL);
  tensor = nn_npy_read (path, &error);
  g_assert_no_error (error);
  return tensor;
}

static void
compare_outputs (const Case    *test,
                 JsonObject    *meta,
                 const NnGraph *graph,
                 NnTensor     **outputs,
                 gboolean       quantized)
{
  JsonArray *names = json_object_get_array_member (meta, "output_names");
  guint n = json_array_get_length (names), n_have;

  nn_graph_outputs (graph, &n_have);
  for (guint k = 0; k < n; k++)
    {
      g_autofree char *file = n == 1 ? g_strdup ("output.npy") : g_strdup_printf ("output_%u.npy", k);
      g_autofree char *path = g_build_filename (test->folder, file, NULL), *bad = NULL;
      g_autoptr (NnTensor) want = NULL, laid = NULL, have = NULL;
      NnShape sample;

      if (k >= n_have)
        {
          fail (test, "output %u is missing", k);
          return;
        }
      want = nn_npy_read (path, NULL);
      g_assert_nonnull (want);
      sample = (NnShape){ .rank = outputs[k]->shape.rank - 1 };
      memcpy (sample.dims, outputs[k]->shape.dims + 1, sample.rank * sizeof sample.dims[0]);
      laid = fit (want, &sample);
      have = json_object_has_member (meta, "output_subsampled")
               ? subsample (outputs[k], json_object_get_object_member (meta, "output_subsampled"))
               : nn_tensor_ref (outputs[k]);
      bad = have->n == laid->n ? compare (have, laid, quantized)
                               : g_strdup_printf ("%" G_GSIZE_FORMAT " numbers, not %" G_GSIZE_FORMAT, have->n, laid->n);
      if (bad != NULL)
        fail (test, "output %u: %s", k, bad);
    }
}

static gboolean
run_case (const Case    *test,
          JsonObject    *meta,
          const NnModel *model)
{
  const NnGraph *graph = nn_model_graph (model);
  guint n_inputs, n_layers;
  const guint *indices = nn_graph_inputs (graph, &n_inputs);
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) nn_tensor_unref);
  g_autoptr (GHashTable) values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) nn_tensor_unref);
  Trace trace = { test->folder, json_object_get_object_member (meta, "layers"),
                  json_object_get_int_member (meta, "layers_samples"), is_quantized (model), values };
  NnPredictOptions options = { .trace = keep_layer, .trace_data = &trace };
  g_autoptr (GError) error = NULL;
  NnTensor **outputs;

  for (guint k = 0; k < n_inputs; k++)
    {
      const NnNode *node = nn_graph_node (graph, indices[k]);
      g_autoptr (NnTensor) raw = read_input (test, json_object_get_array_member (meta, "input_names"), k, node->name);

      g_ptr_array_add (inputs, fit (raw, &node->shape));
    }
  g_ptr_array_add (inputs, NULL);
  outputs = nn_predict (model, (NnTensor **) inputs->pdata, &options, NULL, NULL, &error);
  if (outputs == NULL)
    {
      fail (test, "%s", error->message);
      return FALSE;
    }
  compare_outputs (test, meta, graph, outputs, trace.quantized);
  n_layers = compare_layers (test, &trace);
  g_test_message ("%s: %u layers compared%s", test->name, n_layers, trace.quantized ? ", quantised" : "");
  nn_tensors_free (outputs);
  return !g_test_failed ();
}

static void
test_case (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *meta_path = g_build_filename (test->folder, "meta.json", NULL), *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (NnModel) model = NULL;
  JsonObject *meta;
  NnLoadOptions options;

  g_assert_true (json_parser_load_from_file (parser, meta_path, NULL));
  meta = json_node_get_object (json_parser_get_root (parser));
  path = test_shared_path (json_object_get_string_member (meta, "model"));
  if (path == NULL)
    return;
  nn_load_options_init (&options);
  model = nn_model_load (path, &options, NULL, NULL, &error);
  if (model != NULL && nn_predict_supported (model, &error))
    {
      if (run_case (test, meta, model))
        n_passed++;
      else
        n_failed++;
      return;
    }
  n_skipped++;
  g_string_append_printf (summary, "skip %s: %s\n", test->name, error->message);
  g_test_skip (error->message);
}

static gint
compare_cases (gconstpointer a,
               gconstpointer b)
{
  return strcmp ((*(Case *const *) a)->name, (*(Case *const *) b)->name);
}

static void
case_free (gpointer data)
{
  Case *test = data;

  g_free (test->name);
  g_free (test->folder);
  g_free (test);
}

static void
test_nothing (void)
{
  g_autofree char *path = test_shared_path ("reference-float");

  g_assert_null (path);
}

static void
test_summary (gconstpointer n_cases)
{
  g_test_message ("%u networks agree, %u do not, %u cannot be loaded or computed yet\n%s", n_passed, n_failed, n_skipped,
                  summary->str);
  if (GPOINTER_TO_UINT (n_cases) == N_KNOWN)
    g_assert_cmpuint (n_passed + n_failed, >=, N_REACHED);
  if (g_getenv ("ESPALIER_REFERENCE_SUMMARY") != NULL)
    g_printerr ("%u networks agree, %u do not, %u cannot be loaded or computed yet\n%s", n_passed, n_failed, n_skipped,
                summary->str);
}

int
main (int    argc,
      char **argv)
{
  const char *shared = g_getenv ("ESPALIER_SHARED");
  g_autofree char *root = g_build_filename (shared != NULL ? shared : "../shared", "reference-float", NULL);
  g_autoptr (GPtrArray) cases = g_ptr_array_new_with_free_func (case_free);
  g_autoptr (GDir) dir = g_dir_open (root, 0, NULL);
  const char *name;
  int status;

  g_test_init (&argc, &argv, NULL);
  summary = g_string_new (NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *meta = g_build_filename (root, name, "meta.json", NULL);
      Case *test;

      if (!g_file_test (meta, G_FILE_TEST_EXISTS))
        continue;
      test = g_new0 (Case, 1);
      test->name = g_strdup (name);
      test->folder = g_build_filename (root, name, NULL);
      g_ptr_array_add (cases, test);
    }
  g_ptr_array_sort (cases, compare_cases);
  if (cases->len == 0)
    g_test_add_func ("/reference/none", test_nothing);
  for (guint i = 0; i < cases->len; i++)
    {
      const Case *test = cases->pdata[i];
      g_autofree char *path = g_strconcat ("/reference/", test->name, NULL);

      g_test_add_data_func (path, test, test_case);
    }
  g_test_add_data_func ("/reference/zz-summary", GUINT_TO_POINTER (cases->len), test_summary);
  status = g_test_run ();
  g_string_free (summary, TRUE);
  return status;
}
