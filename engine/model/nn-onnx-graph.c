/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The graph of an ONNX network, operator by operator. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"

#include <string.h>

/* The first operator set whose operators broadcast as numpy does, and the newest whose definitions were read for this. */
#define FIRST_OPSET 7
#define NEWEST_OPSET 23

/* Extents that the file declares for a value, without the batch's. */
static gboolean
declared_shape (NnOnnx      *onnx,
                const char  *name,
                guint       *rank,
                gint64      *dims)
{
  Onnx__TypeProto *type = g_hash_table_lookup (onnx->shapes, name);

  if (type == NULL || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || type->tensor_type == NULL ||
      type->tensor_type->shape == NULL || type->tensor_type->shape->n_dim > NN_MAX_RANK)
    return FALSE;
  *rank = (guint) type->tensor_type->shape->n_dim;
  for (guint i = 0; i < *rank; i++)
    {
      Onnx__TensorShapeProto__Dimension *d = type->tensor_type->shape->dim[i];

      dims[i] = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0 &&
                        d->dim_value <= G_MAXINT32
                    ? d->dim_value
                    : NN_DIM_UNKNOWN;
    }
  return TRUE;
}

/* An operator that Espalier has not: one node under its own name; everything else of the network goes on. */
static gboolean
add_unsupported (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 const char       *reason,
                 GError          **error)
{
  g_autoptr (GArray) inputs = g_array_new (FALSE, FALSE, sizeof (guint));
  const NnOnnxValue *first = NULL;
  NnNode *node;
  guint index;

  for (guint i = 0; i < op->n_input; i++)
    {
      NnOnnxValue *value = nn_onnx_input (onnx, op, i);

      if (value == NULL || value->constant != NULL)
        continue;
      first = first != NULL ? first : value;
      g_array_append_val (inputs, value->node);
    }
  node = nn_onnx_node (onnx, NN_OP_UNSUPPORTED, nn_onnx_out (op, 0), op->op_type, (const guint *) (gpointer) inputs->data,
                       inputs->len);
  index = nn_graph_builder_n_nodes (onnx->builder) - 1;
  node->reason = nn_graph_builder_strdup (onnx->builder, reason);
  for (guint i = 0; i < op->n_input; i++)
    {
      NnOnnxValue *value = nn_onnx_input (onnx, op, i);

      if (value != NULL && value->constant != NULL && value->constant->dtype == NN_DTYPE_F32 && value->constant->n > 1)
        nn_onnx_weight (onnx, node, NN_ROLE_OTHER, op->input[i], nn_tensor_ref (value->constant));
    }
  for (guint k = 0; k < op->n_output; k++)
    {
      NnOnnxValue *value = nn_onnx_new_value (onnx, op->output[k]);

      if (!declared_shape (onnx, op->output[k], &value->rank, value->dims) || value->rank == 0)
        {
          value->rank = first != NULL ? first->rank : 2;
          for (guint i = 0; i < value->rank; i++)
            value->dims[i] = NN_DIM_UNKNOWN;
        }
      value->node = index;
      for (guint i = 0; i + 1 < value->rank; i++)
        value->at[i] = (int) i;
      if (k == 0)
        for (guint i = 1; i < value->rank; i++)
          node->shape.dims[node->shape.rank++] = value->dims[i];
    }
  return TRUE;
}

/* Whether an operator may read a value whose batch the file has folded together with another axis. */
static gboolean
reads_merged (const char *type)
{
  static const char *const types[] = { "Transpose", "Reshape", "MatMul", "Gemm", "Softmax", "Add", "Sub", "Mul", "Div", "Cast",
                                       "Identity", "Dropout", "Shape", "Relu", "Sigmoid", "Tanh", "Erf", "Sqrt", "Exp",
                                       "LayerNormalization", NULL };

  return g_strv_contains (types, type);
}

static gboolean
any_merged (NnOnnx          *onnx,
            Onnx__NodeProto *op)
{
  for (guint i = 0; i < op->n_input; i++)
    {
      const NnOnnxValue *value = nn_onnx_input (onnx, op, i);

      if (value != NULL && (value->merged_before || value->merged_after))
        return TRUE;
    }
  return FALSE;
}

/* Whether the second input goes along other axes of the first than its last ones, as operator sets before 7 could say. */
static gboolean
broadcasts_oddly (NnOnnx          *onnx,
                  Onnx__NodeProto *op)
{
  const NnOnnxValue *a = nn_onnx_input (onnx, op, 0), *b = nn_onnx_input (onnx, op, 1);

  return nn_onnx_int (op, "broadcast", 0) != 0 && nn_onnx_attribute (op, "axis") != NULL && a != NULL && b != NULL &&
         nn_onnx_int (op, "axis", 0) + (gint64) b->rank != (gint64) a->rank;
}

/* One operator; what cannot be read becomes a node that says why. */
gboolean
nn_onnx_read_op (NnOnnx           *onnx,
                 Onnx__NodeProto  *op,
                 GError          **error)
{
  g_autoptr (GError) inner = NULL;
  NnOnnxReader reader;
  gboolean done;

  if (g_hash_table_contains (onnx->fused, op))
    return TRUE;
  if (op->op_type == NULL || op->n_output == 0)
    return TRUE;
  for (guint i = 0; i < op->n_input; i++)
    if (op->input[i][0] != '\0' && nn_onnx_input (onnx, op, i) == NULL)
      {
        g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the operator \"%s\" (%s) reads \"%s\", which nothing before it makes",
                     onnx->file, nn_onnx_out (op, 0), op->op_type, op->input[i]);
        return FALSE;
      }
  for (guint i = 0; i < op->n_input; i++)
    if (nn_onnx_input (onnx, op, i) != NULL && nn_onnx_input (onnx, op, i)->dropped)
      {
        for (guint k = 0; k < op->n_output; k++)
          nn_onnx_new_value (onnx, op->output[k])->dropped = TRUE;
        return TRUE;
      }
  if (!nn_onnx_fold (onnx, op, &done, error))
    return FALSE;
  if (done)
    return TRUE;
  reader = nn_onnx_find_reader (op->domain, op->op_type);
  if (g_str_equal (op->op_type, "Constant"))
    nn_load_unsupported (&inner, "its value is text, or missing; numbers are read");
  else if (reader == NULL)
    nn_onnx_no_reader (op, &inner);
  else if (op->n_input == 0 || op->input[0][0] == '\0')
    nn_load_unsupported (&inner, "it has no first input");
  else if (onnx->opset < FIRST_OPSET && broadcasts_oddly (onnx, op))
    nn_load_unsupported (&inner, "it broadcasts as operator sets before %d did; convert the file to a newer one (onnx.version_converter)",
                         FIRST_OPSET);
  else if (any_merged (onnx, op) && !reads_merged (op->op_type))
    nn_load_unsupported (&inner, "its batch axis is folded together with another");
  else if (nn_onnx_check_codes (onnx, op, &inner) && reader (onnx, op, &inner))
    {
      nn_onnx_move_codes (onnx, op);
      return TRUE;
    }
  if (onnx->options->strict || inner == NULL ||
      !(g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) || g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE)))
    {
      g_set_error (error, inner != NULL ? inner->domain : NN_ERROR, inner != NULL ? inner->code : NN_ERROR_FORMAT,
                   "%s: operator \"%s\" (%s): %s", onnx->file, nn_onnx_out (op, 0), op->op_type,
                   inner != NULL ? inner->message : "it cannot be read");
      return FALSE;
    }
  if (onnx->opset > NEWEST_OPSET && nn_onnx_is_standard (op))
    {
      g_autofree char *reason = g_strdup_printf ("%s (the file is of operator set %d, Espalier knows those to %d: export it with an older "
                                                 "opset_version)", inner->message, onnx->opset, NEWEST_OPSET);

      return add_unsupported (onnx, op, reason, error);
    }
  return add_unsupported (onnx, op, inner->message, error);
}

static gboolean
add_inputs (NnOnnx            *onnx,
            Onnx__GraphProto  *graph,
            GError           **error)
{
  for (gsize i = 0; i < graph->n_input; i++)
    {
      const char *name = graph->input[i]->name;
      NnOnnxValue *value;
      NnNode *node;
      guint rank;
      gint64 dims[NN_MAX_RANK];

      if (name == NULL || g_hash_table_contains (onnx->values, name))
        continue; /* before IR version 4 initialisers are inputs too */
      g_hash_table_insert (onnx->shapes, (gpointer) name, graph->input[i]->type);
      if (!declared_shape (onnx, name, &rank, dims) || rank == 0)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the shape of the input \"%s\" is missing, or has more than 8 axes",
                       onnx->file, name);
          return FALSE;
        }
      node = nn_onnx_node (onnx, NN_OP_INPUT, name, "Input", NULL, 0);
      value = nn_onnx_new_value (onnx, name);
      value->node = nn_graph_builder_n_nodes (onnx->builder) - 1;
      value->rank = rank;
      for (guint k = 0; k < rank; k++)
        {
          value->dims[k] = dims[k];
          if (k > 0)
            {
              value->at[k - 1] = (int) k - 1;
              node->shape.dims[node->shape.rank++] = dims[k];
            }
        }
      if (!nn_onnx_finish (onnx, node, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_outputs (NnOnnx            *onnx,
             Onnx__GraphProto  *graph,
             GError           **error)
{
  guint n = 0;

  for (gsize i = 0; i < graph->n_output; i++)
    {
      NnOnnxValue *value = g_hash_table_lookup (onnx->values, graph->output[i]->name);
      g_autoptr (GError) inner = NULL;

      if (value == NULL)
        {
          g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: nothing makes the output \"%s\"", onnx->file,
                       graph->output[i]->name);
          return FALSE;
        }
      if (value->constant != NULL || value->dropped)
        continue;
      if (value->codes != NULL && (value = nn_onnx_encode (onnx, value, error)) == NULL)
        {
          g_prefix_error (error, "%s: ", onnx->file);
          return FALSE;
        }
      /* in the order that the file declares; where that cannot be, as it is computed */
      if (value->rank > 1 && !nn_onnx_natural (onnx, value, &inner) && onnx->options->strict)
        {
          g_propagate_error (error, g_steal_pointer (&inner));
          return FALSE;
        }
      nn_graph_builder_output (onnx->builder, value->node);
      n++;
    }
  if (n == 0)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the network has no output", onnx->file);
      return FALSE;
    }
  return TRUE;
}

/* Constants before all else: exporters put them where they are used, but patterns look ahead. */
static gboolean
read_constants (NnOnnx            *onnx,
                Onnx__GraphProto  *graph,
                GError           **error)
{
  for (gsize i = 0; i < graph->n_node; i++)
    {
      Onnx__NodeProto *op = graph->node[i];
      gboolean done = FALSE;

      if (op->op_type == NULL || !g_str_equal (op->op_type, "Constant") || op->n_output != 1)
        continue;
      if (!nn_onnx_fold (onnx, op, &done, error))
        return FALSE;
      if (done)
        g_hash_table_add (onnx->fused, op);
    }
  return TRUE;
}

/* The constants of a graph, or of a branch within it. */
gboolean
nn_onnx_read_initializers (NnOnnx            *onnx,
                           Onnx__GraphProto  *graph,
                           const NnProgress  *progress,
                           GError           **error)
{
  for (gsize i = 0; i < graph->n_initializer; i++)
    {
      NnTensor *tensor = graph->initializer[i]->name != NULL
                           ? onnx->depth == 0 ? nn_onnx_initializer (onnx, graph->initializer[i], i, error)
                                              : nn_onnx_tensor (onnx, graph->initializer[i], error)
                           : NULL;

      nn_progress_report (progress, (double) i / graph->n_initializer / 2, graph->initializer[i]->name);
      if (nn_progress_cancelled (onnx->cancellable, error))
        g_clear_pointer (&tensor, nn_tensor_unref);

      if (tensor == NULL)
        {
          if (error != NULL && *error == NULL)
            g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: an initialiser has no name", onnx->file);
          return FALSE;
        }
      nn_onnx_constant (onnx, graph->initializer[i]->name, tensor);
      ((NnOnnxValue *) g_hash_table_lookup (onnx->values, graph->initializer[i]->name))->type =
          graph->initializer[i]->data_type;
    }
  for (gsize i = 0; i < graph->n_sparse_initializer; i++)
    {
      Onnx__SparseTensorProto *sparse = graph->sparse_initializer[i];
      NnTensor *tensor = nn_onnx_sparse_tensor (onnx, sparse, error);

      if (tensor == NULL)
        return FALSE;
      nn_onnx_constant (onnx, sparse->values->name, tensor);
    }
  return TRUE;
}

gboolean
nn_onnx_read_graph (NnOnnx            *onnx,
                    Onnx__GraphProto  *graph,
                    const NnProgress  *progress,
                    GError           **error)
{
  if (graph->n_node > NN_ONNX_MAX_NODES)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: the network has too many operators", onnx->file);
      return FALSE;
    }
  if (!nn_onnx_order (onnx, graph, error) || !nn_onnx_read_initializers (onnx, graph, progress, error))
    return FALSE;
  for (gsize i = 0; i < graph->n_output; i++)
    {
      if (graph->output[i]->name == NULL)
        graph->output[i]->name = strdup ("");
      g_hash_table_add (onnx->outputs, graph->output[i]->name);
      g_hash_table_insert (onnx->shapes, graph->output[i]->name, graph->output[i]->type);
    }
  for (gsize i = 0; i < graph->n_value_info; i++)
    if (graph->value_info[i]->name != NULL)
      g_hash_table_insert (onnx->shapes, graph->value_info[i]->name, graph->value_info[i]->type);
  for (gsize i = 0; i < graph->n_node; i++)
    nn_onnx_note_uses (onnx, graph->node[i], 0);
  if (!read_constants (onnx, graph, error) || !add_inputs (onnx, graph, error))
    return FALSE;
  for (gsize i = 0; i < graph->n_node; i++)
    {
      if (i % 16 == 0)
        {
          nn_progress_report (progress, 0.5 + (double) i / graph->n_node / 2, nn_onnx_out (graph->node[i], 0));
          if (nn_progress_cancelled (onnx->cancellable, error))
            return FALSE;
        }
      if (!g_hash_table_contains (onnx->fused, graph->node[i]) && !nn_onnx_read_op (onnx, graph->node[i], error))
        return FALSE;
    }
  return add_outputs (onnx, graph, error);
}
