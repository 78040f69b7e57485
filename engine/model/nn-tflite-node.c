/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a TensorFlow Lite operator reads, the nodes it becomes, and how its result is handed on. */

#include "nn-tflite.h"

#include "nn-infer-shape.h"

#include <string.h>

#define INDEX_BYTES sizeof (gint32)
/* BuiltinOperator. */
enum { DEPTHWISE = 4, DENSE = 9 };

/* Returns: (nullable): %NULL for no tensor of the file */
NnTfliteTensor *
nn_tflite_tensor (NnTflite *t,
                  gint64    i)
{
  return i >= 0 && i < t->tensors->len ? &g_array_index (t->tensors, NnTfliteTensor, i) : NULL;
}

NnTfliteTensor *
nn_tflite_listed (NnTflite     *t,
                  NnFlatVector  list,
                  guint         i)
{
  return i < list.n ? nn_tflite_tensor (t, nn_flat_vector_int (list, INDEX_BYTES, i)) : NULL;
}

NnTfliteTensor *
nn_tflite_input (NnTflite         *t,
                 const NnTfliteOp *op,
                 guint             i)
{
  return nn_tflite_listed (t, op->inputs, i);
}

NnTfliteTensor *
nn_tflite_output (NnTflite         *t,
                  const NnTfliteOp *op,
                  guint             i)
{
  return nn_tflite_listed (t, op->outputs, i);
}

/* The data it reads, which must be computed. */
NnTfliteTensor *
nn_tflite_data (NnTflite         *t,
                const NnTfliteOp *op,
                GError          **error)
{
  NnTfliteTensor *input = nn_tflite_input (t, op, 0);

  if (input != NULL && input->computed)
    return input;
  nn_load_unsupported (error, "it reads a constant where data are expected");
  return NULL;
}

const NnShape *
nn_tflite_sample (NnTflite             *t,
                  const NnTfliteTensor *tensor)
{
  return &nn_graph_builder_node (t->builder, tensor->node)->shape;
}

NnNode *
nn_tflite_unary (NnTflite             *t,
                 const NnTfliteOp     *op,
                 NnOp                  what,
                 const NnTfliteTensor *input)
{
  g_autofree char *name = nn_tflite_layer_name (t, op, NULL);

  return nn_tflite_node (t, what, name, op->name, &input->node, 1);
}

/* An axis of the tensor as one of the sample; -1 for the batch's. */
int
nn_tflite_axis (const NnTfliteTensor *tensor,
                gint64                axis)
{
  axis += axis < 0 ? tensor->dims.rank : 0;
  if (axis < 0 || axis >= tensor->dims.rank)
    return -1;
  return tensor->merged ? (int) axis : (int) axis - 1;
}

/* How the framework calls the operation, of which the weights' name tells the path. */
static const char *
kind_of (gint64 code)
{
  return code == DEPTHWISE ? "depthwise" : code == DENSE ? "matmul" : "conv";
}

/* Of a path such as "model/conv2d_1/Conv2D" what the layer was called; parts that others were folded into go by semicolons. */
char *
nn_tflite_layer_name (NnTflite             *t,
                      const NnTfliteOp     *op,
                      const NnTfliteTensor *weights)
{
  const NnTfliteTensor *output = nn_tflite_output (t, op, 0);
  g_auto (GStrv) parts = g_strsplit (weights != NULL ? weights->name : output != NULL ? output->name : "", ";", -1);
  g_autofree char *fallback = g_ascii_strdown (op->name, -1);
  char *best = NULL;

  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_auto (GStrv) path = g_strsplit (parts[i], "/", -1);
      guint n = g_strv_length (path);
      g_autofree char *last = n > 0 ? g_ascii_strdown (path[n - 1], -1) : NULL;
      gboolean fits = n > 0 && (weights == NULL || g_str_has_prefix (last, kind_of (op->code)));

      if (n < 2 || path[n - 2][0] == '\0' || (best != NULL && !fits))
        continue;
      g_free (best);
      best = g_strdup (path[n - 2]);
    }
  return best != NULL ? best : g_steal_pointer (&fallback);
}

/* @name: numbered where there is one already */
NnNode *
nn_tflite_node (NnTflite    *t,
                NnOp         op,
                const char  *name,
                const char  *class_name,
                const guint *inputs,
                guint        n_inputs)
{
  g_autofree char *unique = g_strdup (name);

  for (guint k = 1; g_hash_table_contains (t->names, unique); k++)
    {
      g_free (unique);
      unique = g_strdup_printf ("%s_%u", name, k);
    }
  g_hash_table_add (t->names, g_strdup (unique));
  return nn_graph_builder_add (t->builder, op, unique, class_name, inputs, n_inputs);
}

gboolean
nn_tflite_finish (NnTflite  *t,
                  NnNode    *node,
                  GError   **error)
{
  return nn_infer_built_shape (t->builder, node, error);
}

/* @values: (transfer full) */
void
nn_tflite_weight (NnTflite *t,
                  NnNode   *node,
                  NnRole    role,
                  NnTensor *values)
{
  NnWeight weight = { .name = nn_role_name (role), .layer = node->name, .role = role,
                      .trainable = role != NN_ROLE_OTHER, .values = values };

  nn_graph_builder_add_weight (t->builder, node, t->weights->len);
  g_array_append_val (t->weights, weight);
}

/* Whether the shape that was found is the one in the file, without the batch's axis or with all. */
static gboolean
check_shape (const NnNode    *node,
             NnTfliteTensor  *output,
             GError         **error)
{
  for (guint skip = output->merged ? 0 : 1; skip < 2; skip++)
    {
      gboolean fits = output->dims.rank == node->shape.rank + skip;

      for (guint i = 0; fits && i < node->shape.rank; i++)
        fits = output->dims.dims[i + skip] < 0 || node->shape.dims[i] < 0 || output->dims.dims[i + skip] == node->shape.dims[i];
      if (fits)
        return TRUE;
    }
  if (output->dims.rank == 0)
    return TRUE;
  /* a dense layer that took the batch's axis and others for one */
  if (output->dims.rank == node->shape.rank && memcmp (output->dims.dims, node->shape.dims, node->shape.rank * sizeof (gint64)) == 0)
    {
      output->merged = TRUE;
      return TRUE;
    }
  return nn_load_unsupported (error, "its result has another shape than the file says");
}

/* Whether the operator only moves codes that all inputs have by the same scale and zero point. */
static gboolean
moves_codes (NnTflite             *t,
             const NnTfliteOp     *op,
             const NnNode         *node,
             const NnTfliteTensor *output)
{
  if (node->op != NN_OP_MAX_POOL2D && node->op != NN_OP_CONCATENATE && nn_op_info (node->op)->op_class != NN_OP_CLASS_SHAPE)
    return FALSE;
  for (guint i = 0; i < op->inputs.n; i++)
    {
      const NnTfliteTensor *input = nn_tflite_input (t, op, i);

      if (input != NULL && input->computed && !nn_tflite_same_codes (input, output))
        return FALSE;
    }
  return TRUE;
}

gboolean
nn_tflite_add_quantizer (NnTflite        *t,
                         NnTfliteTensor  *tensor,
                         gboolean         rounds_first,
                         const char      *name,
                         guint           *node,
                         GError         **error)
{
  g_autofree char *own = g_strconcat (name, "_quantize", NULL);
  NnQuantizer *quantizer = nn_tflite_quantizer (t, tensor, rounds_first);
  NnNode *quantize;

  if (quantizer == NULL)
    return nn_load_unsupported (error, "its result has no positive scale");
  quantize = nn_tflite_node (t, NN_OP_QUANTIZE, own, "QUANTIZE", node, 1);
  quantize->attrs.quantizer = quantizer;
  *node = nn_graph_builder_n_nodes (t->builder) - 1;
  return nn_tflite_finish (t, quantize, error);
}

gboolean
nn_tflite_result (NnTflite          *t,
                  const NnTfliteOp  *op,
                  NnNode            *node,
                  gint64             fused,
                  GError           **error)
{
  NnTfliteTensor *output = nn_tflite_output (t, op, 0);
  gboolean quantizes = nn_tflite_is_quantized (output), rounds_first;
  guint last;

  if (node != NULL)
    {
      if (nn_op_is_prunable (node->op) && !nn_tflite_fused (fused, &node->attrs, error))
        return FALSE;
      if (!nn_tflite_finish (t, node, error) || !check_shape (node, output, error))
        return FALSE;
      quantizes = quantizes && !moves_codes (t, op, node, output);
      last = nn_graph_builder_n_nodes (t->builder) - 1;
      if (fused != 0 && !nn_op_is_prunable (node->op))
        {
          g_autofree char *name = g_strconcat (node->name, "_activation", NULL);
          NnNode *activation = nn_tflite_node (t, NN_OP_ACTIVATION, name, NULL, &last, 1);

          if (!nn_tflite_fused (fused, &activation->attrs, error) || !nn_tflite_finish (t, activation, error))
            return FALSE;
          last++;
        }
    }
  else
    last = output->node;
  /* the mean of a window is rounded by its codes. Source: TensorFlow Lite, reference_integer_ops::AveragePool */
  rounds_first = !g_str_equal (op->name, "AVERAGE_POOL_2D");
  if (quantizes && !nn_tflite_add_quantizer (t, output, rounds_first, nn_graph_builder_node (t->builder, last)->name, &last, error))
    return FALSE;
  output->computed = TRUE;
  output->node = last;
  return TRUE;
}
