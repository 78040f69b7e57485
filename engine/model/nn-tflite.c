/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TensorFlow Lite networks: the file and its first graph. Source: tensorflow/lite/schema/schema.fbs. */

#include "nn-tflite.h"

#include "nn-error.h"

#include <string.h>

#define IDENTIFIER "TFL3" /* of schema version 3, which every file since 2017 has */
#define IDENTIFIER_AT 4
#define MAX_TENSORS 200000
#define MAX_OPERATORS 200000

enum { MODEL_CODES = 1, MODEL_GRAPHS, MODEL_DESCRIPTION, MODEL_BUFFERS };
enum { CODE_OLD, CODE_CUSTOM, CODE_VERSION, CODE_NEW };
enum { GRAPH_TENSORS, GRAPH_INPUTS, GRAPH_OUTPUTS, GRAPH_OPERATORS, GRAPH_NAME };
enum { OPERATOR_CODE, OPERATOR_INPUTS, OPERATOR_OUTPUTS, OPERATOR_OPTIONS = 4 };

#define INDEX_BYTES sizeof (gint32)

/* An operator that cannot be read: one node under its own name, with its constants; the rest of the network goes on. */
static void
add_unsupported (NnTflite         *t,
                 const NnTfliteOp *op,
                 const char       *reason)
{
  g_autoptr (GArray) inputs = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);
  guint index;
  NnNode *node;

  for (guint i = 0; i < op->inputs.n; i++)
    {
      NnTfliteTensor *input = nn_tflite_input (t, op, i);

      if (input != NULL && input->computed)
        g_array_append_val (inputs, input->node);
    }
  node = nn_tflite_node (t, NN_OP_UNSUPPORTED, name, op->name, (const guint *) (gpointer) inputs->data, inputs->len);
  index = nn_graph_builder_n_nodes (t->builder) - 1;
  node->reason = nn_graph_builder_strdup (t->builder, reason);
  for (guint i = 0; i < op->inputs.n; i++)
    {
      NnTfliteTensor *input = nn_tflite_input (t, op, i);
      NnTensor *values = input != NULL && !input->computed && nn_tflite_tensor (t, input->same)->data != NULL
                           ? nn_tflite_constant (t, input, NULL)
                           : NULL;

      if (values != NULL && values->n > 1)
        nn_tflite_weight (t, node, NN_ROLE_OTHER, values);
      else
        nn_tensor_unref (values);
    }
  for (guint k = 0; k < op->outputs.n; k++)
    {
      NnTfliteTensor *output = nn_tflite_output (t, op, k);

      if (output == NULL)
        continue;
      output->computed = TRUE;
      output->node = index;
      for (guint i = 1; k == 0 && i < output->dims.rank; i++)
        node->shape.dims[node->shape.rank++] = output->dims.dims[i];
    }
}

static gboolean
read_op (NnTflite          *t,
         const NnTfliteOp  *op,
         GError           **error)
{
  guint n_nodes = nn_graph_builder_n_nodes (t->builder), n_weights = t->weights->len;
  g_autoptr (GError) inner = NULL;

  if (nn_tflite_output (t, op, 0) == NULL)
    return TRUE; /* nothing of the network can depend on it */
  for (guint i = 0; i < op->inputs.n; i++)
    {
      const NnTfliteTensor *input = nn_tflite_input (t, op, i);

      if (input != NULL && !input->computed && nn_tflite_tensor (t, input->same)->data == NULL && input->dims.rank > 0)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the operator %s reads \"%s\", which nothing before it makes", t->file,
                       op->name, input->name);
          return FALSE;
        }
    }
  if (nn_tflite_read_op (t, op, &inner))
    return TRUE;
  if (t->options->strict || !(g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) || g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE)))
    {
      g_set_error (error, inner->domain, inner->code, "%s: operator \"%s\" (%s): %s", t->file, nn_tflite_output (t, op, 0)->name, op->name,
                   inner->message);
      return FALSE;
    }
  nn_graph_builder_truncate (t->builder, n_nodes);
  g_array_set_size (t->weights, n_weights);
  add_unsupported (t, op, inner->message);
  return TRUE;
}

static void
clear_op (NnTfliteOp *op)
{
  g_free (op->name);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NnTfliteOp, clear_op)

/* The old field has one byte, for codes up to 127. */
static void
find_op (NnFlatVector  codes,
         NnFlatTable   table,
         NnTfliteOp   *op)
{
  NnFlatTable code = nn_flat_vector_table (codes, (gsize) nn_flat_int (table, OPERATOR_CODE, sizeof (guint32), 0));
  g_autofree char *custom = nn_flat_string (code, CODE_CUSTOM);

  op->code = MAX (nn_flat_int (code, CODE_OLD, 1, 0), nn_flat_int (code, CODE_NEW, sizeof (gint32), 0));
  op->name = custom[0] != '\0' ? g_steal_pointer (&custom) : nn_tflite_op_name (op->code);
  op->options = nn_flat_table (table, OPERATOR_OPTIONS);
  op->inputs = nn_flat_vector (table, OPERATOR_INPUTS, INDEX_BYTES);
  op->outputs = nn_flat_vector (table, OPERATOR_OUTPUTS, INDEX_BYTES);
}

static gboolean
add_input (NnTflite        *t,
           NnTfliteTensor  *tensor,
           GError         **error)
{
  g_auto (GStrv) parts = g_strsplit (tensor->name, ":", 2);
  const char *name = parts[0] != NULL && parts[0][0] != '\0' ? parts[0] : "input";
  NnNode *node;

  if (tensor->dims.rank < 2)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_SHAPE, "%s: the input \"%s\" has %u axes; the batch's and at least one more are expected",
                   t->file, tensor->name, tensor->dims.rank);
      return FALSE;
    }
  node = nn_tflite_node (t, NN_OP_INPUT, name, "Input", NULL, 0);
  for (guint i = 1; i < tensor->dims.rank; i++)
    node->shape.dims[node->shape.rank++] = tensor->dims.dims[i];
  tensor->computed = TRUE;
  tensor->node = nn_graph_builder_n_nodes (t->builder) - 1;
  return !nn_tflite_is_quantized (tensor) || nn_tflite_add_quantizer (t, tensor, TRUE, name, &tensor->node, error);
}

static gboolean
read_tensors (NnTflite      *t,
              NnFlatTable    model,
              NnFlatVector   tables,
              GError       **error)
{
  NnFlatVector buffers = nn_flat_vector (model, MODEL_BUFFERS, INDEX_BYTES);

  if (tables.n == 0 || tables.n > MAX_TENSORS)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the TensorFlow Lite file is damaged: its network has no tensors", t->file);
      return FALSE;
    }
  for (gsize i = 0; i < tables.n; i++)
    {
      NnTfliteTensor tensor = { 0 };
      gboolean ok = nn_tflite_read_tensor (t, nn_flat_vector_table (tables, i), buffers, &tensor, error);

      g_array_append_val (t->tensors, tensor);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_graph (NnTflite          *t,
            NnFlatTable        model,
            NnFlatTable        graph,
            const NnProgress  *progress,
            GCancellable      *cancellable,
            GError           **error)
{
  NnFlatVector codes = nn_flat_vector (model, MODEL_CODES, INDEX_BYTES), operators = nn_flat_vector (graph, GRAPH_OPERATORS, INDEX_BYTES);
  NnFlatVector inputs = nn_flat_vector (graph, GRAPH_INPUTS, INDEX_BYTES), outputs = nn_flat_vector (graph, GRAPH_OUTPUTS, INDEX_BYTES);

  if (!read_tensors (t, model, nn_flat_vector (graph, GRAPH_TENSORS, INDEX_BYTES), error))
    return FALSE;
  for (guint i = 0; i < inputs.n; i++)
    {
      NnTfliteTensor *tensor = nn_tflite_listed (t, inputs, i);

      if (tensor != NULL && !tensor->computed && !add_input (t, tensor, error))
        return FALSE;
    }
  for (gsize i = 0; i < MIN (operators.n, MAX_OPERATORS); i++)
    {
      g_auto (NnTfliteOp) op = { 0 };

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      find_op (codes, nn_flat_vector_table (operators, i), &op);
      if (!read_op (t, &op, error))
        return FALSE;
      nn_progress_report (progress, (double) (i + 1) / (double) operators.n, NULL);
    }
  for (guint i = 0; i < outputs.n; i++)
    {
      const NnTfliteTensor *tensor = nn_tflite_listed (t, outputs, i);

      if (tensor == NULL || !tensor->computed)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: nothing makes output %u of the network", t->file, i + 1);
          return FALSE;
        }
      nn_graph_builder_output (t->builder, tensor->node);
    }
  return TRUE;
}

static void
clear_tensor (gpointer data)
{
  g_free (((NnTfliteTensor *) data)->name);
}

static void
clear_weight (gpointer data)
{
  nn_tensor_unref (((NnWeight *) data)->values);
}

gboolean
nn_tflite_is_tflite (const guint8 *bytes,
                     gsize         n_bytes)
{
  return n_bytes >= IDENTIFIER_AT + strlen (IDENTIFIER) && memcmp (bytes + IDENTIFIER_AT, IDENTIFIER, strlen (IDENTIFIER)) == 0;
}

/**
 * nn_load_tflite:
 * @bytes: the whole file
 *
 * The graph computes with real numbers, rounded at every tensor that the file has as integers; where TensorFlow Lite's own
 * kernels round twice on their way, a result may differ by one step of its scale.
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_SHAPE, %NN_ERROR_LIMIT
 */
NnModel *
nn_load_tflite (GBytes               *bytes,
                const char           *path,
                const NnLoadOptions  *options,
                const NnProgress     *progress,
                GCancellable         *cancellable,
                GError              **error)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GArray) tensors = g_array_new (FALSE, TRUE, sizeof (NnTfliteTensor));
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (NnGraph) sealed = NULL;
  g_autoptr (GError) inner = NULL;
  g_autofree char *name = NULL;
  NnTflite t = { .file = path, .options = options, .builder = builder, .tensors = tensors, .weights = weights, .names = names };
  NnModelInfo info = { .format = "TensorFlow Lite" };
  NnFlatTable model, graph;

  g_array_set_clear_func (tensors, clear_tensor);
  g_array_set_clear_func (weights, clear_weight);
  t.flat.bytes = g_bytes_get_data (bytes, &t.flat.n);
  model = nn_flat_root (&t.flat);
  graph = nn_flat_vector_table (nn_flat_vector (model, MODEL_GRAPHS, INDEX_BYTES), 0);
  if (graph.at == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the TensorFlow Lite file is damaged or incomplete: it holds no network", path);
      return NULL;
    }
  if (!read_graph (&t, model, graph, progress, cancellable, error))
    return NULL;
  sealed = nn_graph_builder_seal (builder, &inner);
  if (sealed == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&inner), "%s: ", path);
      return NULL;
    }
  name = nn_flat_string (graph, GRAPH_NAME);
  info.name = name;
  return nn_model_new (sealed, (const NnWeight *) (gpointer) weights->data, weights->len, &info, error);
}
