/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ONNX networks: the file, its values and their layout. */

#include "nn-onnx.h"

#include "nn-error.h"
#include "onnx.pb-c.h"
#include "nn-infer-shape.h"
#include "nn-load-private.h"

#include <string.h>

/* Messages within messages deeper than this are no network, and would overflow a recursive parser's stack. */
#define MAX_DEPTH 24
#define MAX_NODES 200000

static void
value_free (gpointer data)
{
  NnOnnxValue *value = data;

  nn_tensor_unref (value->constant);
  nn_onnx_quant_free (value->quant);
  nn_onnx_quant_free (value->codes);
  g_free (value->order);
  g_free (value);
}

gboolean
nn_onnx_unsupported (GError     **error,
                     const char  *format,
                     ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, NN_ERROR, NN_ERROR_UNSUPPORTED, text);
  return FALSE;
}

const char *
nn_onnx_out (Onnx__NodeProto *op,
             guint            i)
{
  return i < op->n_output ? op->output[i] : "";
}

NnOnnxValue *
nn_onnx_input (NnOnnx          *onnx,
               Onnx__NodeProto *op,
               guint            i)
{
  return i < op->n_input && op->input[i][0] != '\0' ? g_hash_table_lookup (onnx->values, op->input[i]) : NULL;
}

NnOnnxValue *
nn_onnx_new_value (NnOnnx     *onnx,
                   const char *name)
{
  NnOnnxValue *value = g_new0 (NnOnnxValue, 1);

  value->name = g_intern_string (name);
  g_hash_table_insert (onnx->values, (gpointer) value->name, value);
  return value;
}

/* @tensor: (transfer full) */
void
nn_onnx_constant (NnOnnx     *onnx,
                  const char *name,
                  NnTensor   *tensor)
{
  NnOnnxValue *value = nn_onnx_new_value (onnx, name);

  value->constant = tensor;
  value->rank = tensor->shape.rank;
  for (guint i = 0; i < value->rank; i++)
    value->dims[i] = tensor->shape.dims[i];
}

NnOnnxValue *
nn_onnx_alias (NnOnnx            *onnx,
               Onnx__NodeProto   *op,
               const NnOnnxValue *from)
{
  NnOnnxValue *value = nn_onnx_new_value (onnx, nn_onnx_out (op, 0));
  const char *name = value->name;

  *value = *from;
  value->name = name;
  value->order = g_memdup2 (from->order, from->n_order * sizeof (guint));
  value->codes = from->codes != NULL ? nn_onnx_quant_copy (from->codes, NULL) : NULL;
  return value;
}

NnOnnxValue *
nn_onnx_result (NnOnnx            *onnx,
                const char        *name,
                const NnOnnxValue *like)
{
  NnOnnxValue copy = *like, *value;

  copy.order = g_memdup2 (like->order, like->n_order * sizeof (guint));
  copy.codes = NULL;
  copy.constant = NULL;
  copy.quant = NULL;
  value = nn_onnx_new_value (onnx, name);
  copy.name = value->name;
  copy.node = nn_graph_builder_n_nodes (onnx->builder) - 1;
  *value = copy;
  return value;
}

/* The one operator that reads a value which is no output of the network. */
Onnx__NodeProto *
nn_onnx_only_use (NnOnnx     *onnx,
                  const char *name)
{
  GPtrArray *uses = g_hash_table_lookup (onnx->uses, name);

  return uses != NULL && uses->len == 1 && !g_hash_table_contains (onnx->outputs, name) ? uses->pdata[0] : NULL;
}

Onnx__AttributeProto *
nn_onnx_attribute (Onnx__NodeProto *op,
                   const char      *name)
{
  for (gsize i = 0; i < op->n_attribute; i++)
    if (op->attribute[i]->name != NULL && g_str_equal (op->attribute[i]->name, name))
      return op->attribute[i];
  return NULL;
}

gint64
nn_onnx_int (Onnx__NodeProto *op,
             const char      *name,
             gint64           fallback)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);

  return a != NULL && a->has_i ? a->i : fallback;
}

double
nn_onnx_float (Onnx__NodeProto *op,
               const char      *name,
               double           fallback)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);

  return a != NULL && a->has_f ? a->f : fallback;
}

/* Interned. */
const char *
nn_onnx_string (Onnx__NodeProto *op,
                const char      *name,
                const char      *fallback)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);
  g_autofree char *text = NULL;

  if (a == NULL || !a->has_s)
    return fallback;
  text = g_strndup ((const char *) a->s.data, a->s.len);
  return g_intern_string (g_utf8_validate (text, -1, NULL) ? text : "?");
}

const gint64 *
nn_onnx_ints (Onnx__NodeProto *op,
              const char      *name,
              gsize           *n)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);

  *n = a != NULL ? a->n_ints : 0;
  return a != NULL ? a->ints : NULL;
}

gboolean
nn_onnx_numbers (NnOnnx          *onnx,
                 Onnx__NodeProto *op,
                 const char      *name,
                 guint            input,
                 GArray          *numbers,
                 gboolean        *found)
{
  Onnx__AttributeProto *a = nn_onnx_attribute (op, name);
  NnOnnxValue *value = nn_onnx_input (onnx, op, input);

  *found = FALSE;
  if (a != NULL)
    {
      *found = TRUE;
      for (gsize i = 0; i < a->n_ints; i++)
        g_array_append_val (numbers, (double){ (double) a->ints[i] });
      for (gsize i = 0; i < a->n_floats; i++)
        g_array_append_val (numbers, (double){ (double) a->floats[i] });
      return TRUE;
    }
  if (value == NULL)
    return input >= op->n_input || op->input[input][0] == '\0';
  if (value->constant == NULL || value->constant->n > 4096)
    return FALSE;
  *found = TRUE;
  for (gsize i = 0; i < value->constant->n; i++)
    g_array_append_val (numbers, (double){ nn_tensor_get (value->constant, i) });
  return TRUE;
}

NnNode *
nn_onnx_node (NnOnnx      *onnx,
              NnOp         op,
              const char  *name,
              const char  *class_name,
              const guint *inputs,
              guint        n_inputs)
{
  g_autoptr (GString) unique = g_string_new (name[0] != '\0' ? name : class_name);
  gsize n = unique->len;

  /* names are the file's; what is put in between must not clash with them */
  for (guint k = 1; g_hash_table_contains (onnx->names, unique->str); k++)
    {
      g_string_truncate (unique, n);
      g_string_append_printf (unique, "__%u", k);
    }
  g_hash_table_add (onnx->names, g_strdup (unique->str));
  return nn_graph_builder_add (onnx->builder, op, unique->str, class_name, inputs, n_inputs);
}

gboolean
nn_onnx_finish (NnOnnx  *onnx,
                NnNode  *node,
                GError **error)
{
  g_autofree const NnNode **inputs = g_new (const NnNode *, node->n_inputs + 1);

  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = nn_graph_builder_node (onnx->builder, node->inputs[i]);
  return nn_infer_shape (node, inputs, error);
}

/* @values: (transfer full) */
void
nn_onnx_weight (NnOnnx     *onnx,
                NnNode     *node,
                NnRole      role,
                const char *name,
                NnTensor   *values)
{
  NnWeight weight = {
    .name = g_intern_string (name),
    .layer = g_intern_string (node->name),
    .role = role,
    .trainable = role != NN_ROLE_MEAN && role != NN_ROLE_VARIANCE && role != NN_ROLE_OTHER && role != NN_ROLE_VALUE,
    .values = values,
  };
  g_autofree guint *ids = g_new (guint, node->n_weights + 1);

  for (guint i = 0; i < node->n_weights; i++)
    ids[i] = node->weights[i];
  ids[node->n_weights] = onnx->weights->len;
  g_array_append_val (onnx->weights, weight);
  nn_graph_builder_weights (onnx->builder, node, ids, node->n_weights + 1);
}

const NnShape *
nn_onnx_shape (NnOnnx            *onnx,
               const NnOnnxValue *value)
{
  return &nn_graph_builder_node (onnx->builder, value->node)->shape;
}

/* Axes of the file without the batch's. */
guint
nn_onnx_sample_axis (const NnOnnxValue *value,
                     guint              axis)
{
  return axis < value->batch ? axis : axis - 1;
}

gboolean
nn_onnx_axis (const NnOnnxValue *value,
              gint64             axis,
              guint             *resolved)
{
  gint64 a = axis < 0 ? axis + (gint64) value->rank : axis;

  *resolved = (guint) a;
  return a >= 0 && a < (gint64) value->rank;
}

gboolean
nn_onnx_is_natural (const NnOnnxValue *value)
{
  for (guint i = 0; i + 1 < value->rank; i++)
    if (value->at[i] != (int) i)
      return FALSE;
  return value->order == NULL;
}

static guint
insert (NnOnnx            *onnx,
        const NnOnnxValue *value,
        NnOp               op,
        const char        *suffix)
{
  g_autofree char *name = g_strdup_printf ("%s__%s", value->name, suffix);

  nn_onnx_node (onnx, op, name, NULL, &value->node, 1);
  return nn_graph_builder_n_nodes (onnx->builder) - 1;
}

/* Gives the computed tensor the axes that it lacks. */
static gboolean
add_axes (NnOnnx       *onnx,
          NnOnnxValue  *value,
          GError      **error)
{
  NnShape shape = *nn_onnx_shape (onnx, value);
  gboolean any = FALSE;
  NnNode *node;

  for (guint i = 0; i + 1 < value->rank; i++)
    if (value->at[i] == NN_ONNX_VIRTUAL)
      {
        if (shape.rank == NN_MAX_RANK)
          return nn_onnx_unsupported (error, "\"%s\" has more than %d axes", value->name, NN_MAX_RANK);
        value->at[i] = (int) shape.rank;
        shape.dims[shape.rank++] = 1;
        any = TRUE;
      }
  if (!any)
    return TRUE;
  value->node = insert (onnx, value, NN_OP_RESHAPE, "reshaped");
  node = nn_graph_builder_node (onnx->builder, value->node);
  node->attrs.target = shape;
  return nn_onnx_finish (onnx, node, error);
}

/* A flattened value in the file's order: unfolded, permuted, flattened again is what a gather by a constant comes to; it
 * is met only where a flattened map goes elsewhere than into a matrix. */
static gboolean
restore_order (NnOnnx       *onnx,
               NnOnnxValue  *value,
               GError      **error)
{
  const NnNode *flat = nn_graph_builder_node (onnx->builder, value->node);

  if (value->order == NULL)
    return TRUE;
  /* back to the node before the flattening, whose axes then go into the file's order: channels first */
  if (flat->op == NN_OP_FLATTEN)
    {
      const NnShape shape = nn_graph_builder_node (onnx->builder, flat->inputs[0])->shape;
      guint input = flat->inputs[0];
      g_autofree char *name = g_strdup_printf ("%s__channels_first", value->name);
      g_autofree char *again = g_strdup_printf ("%s__flattened", value->name);
      NnNode *node = nn_onnx_node (onnx, NN_OP_PERMUTE, name, NULL, &input, 1);

      node->attrs.perm[0] = shape.rank - 1;
      for (guint i = 1; i < shape.rank; i++)
        node->attrs.perm[i] = i - 1;
      if (!nn_onnx_finish (onnx, node, error))
        return FALSE;
      input = nn_graph_builder_n_nodes (onnx->builder) - 1;
      node = nn_onnx_node (onnx, NN_OP_FLATTEN, again, NULL, &input, 1);
      value->node = nn_graph_builder_n_nodes (onnx->builder) - 1;
      g_clear_pointer (&value->order, g_free);
      value->n_order = 0;
      return nn_onnx_finish (onnx, node, error);
    }
  return nn_onnx_unsupported (error, "\"%s\": a flattened map in the order channels first cannot be used here", value->name);
}

/**
 * nn_onnx_arrange:
 * @wanted: for each sample axis of the file: where it shall lie
 *
 * Puts in a permutation where the value lies otherwise; all later readers profit.
 */
gboolean
nn_onnx_arrange (NnOnnx       *onnx,
                 NnOnnxValue  *value,
                 const int    *wanted,
                 GError      **error)
{
  guint n = value->rank - 1;
  gboolean same = TRUE, moves = FALSE;
  NnNode *node;
  const NnShape *shape;
  gint64 last = -1;

  if (!restore_order (onnx, value, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    same = same && value->at[i] == wanted[i];
  if (same)
    return TRUE;
  if (!add_axes (onnx, value, error))
    return FALSE;
  shape = nn_onnx_shape (onnx, value);
  same = TRUE;
  for (guint i = 0; i < n; i++)
    same = same && value->at[i] == wanted[i];
  if (same)
    return TRUE;
  if (shape->rank != n)
    return nn_onnx_unsupported (error, "\"%s\": its axes cannot be brought into order", value->name);
  /* where only axes of extent 1 move, it is a reshape */
  for (guint j = 0; j < n; j++)
    for (guint i = 0; i < n; i++)
      if (wanted[i] == (int) j && shape->dims[value->at[i]] != 1)
        {
          moves |= value->at[i] < last;
          last = value->at[i];
        }
  value->node = insert (onnx, value, moves ? NN_OP_PERMUTE : NN_OP_RESHAPE, moves ? "permuted" : "reshaped");
  node = nn_graph_builder_node (onnx->builder, value->node);
  node->attrs.target.rank = moves ? 0 : n;
  for (guint i = 0; i < n; i++)
    {
      if (moves)
        node->attrs.perm[wanted[i]] = (guint) value->at[i];
      else
        node->attrs.target.dims[wanted[i]] = shape->dims[value->at[i]];
      value->at[i] = wanted[i];
    }
  return nn_onnx_finish (onnx, node, error);
}

gboolean
nn_onnx_natural (NnOnnx       *onnx,
                 NnOnnxValue  *value,
                 GError      **error)
{
  int wanted[NN_MAX_RANK + 1];

  for (guint i = 0; i + 1 < value->rank; i++)
    wanted[i] = (int) i;
  return nn_onnx_arrange (onnx, value, wanted, error);
}

/* The file's first sample axis, the channels, last. */
gboolean
nn_onnx_channels_last (NnOnnx       *onnx,
                       NnOnnxValue  *value,
                       GError      **error)
{
  int wanted[NN_MAX_RANK + 1];

  wanted[0] = (int) value->rank - 2;
  for (guint i = 1; i + 1 < value->rank; i++)
    wanted[i] = (int) i - 1;
  return nn_onnx_arrange (onnx, value, wanted, error);
}

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

/* Operators whose result is the value itself, or what is left out at inference. */
static gboolean
read_op (NnOnnx           *onnx,
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
  reader = nn_onnx_find_reader (op->op_type);
  if (op->n_input == 0 || op->input[0][0] == '\0')
    nn_onnx_unsupported (&inner, "it has no first input");
  else if (reader == NULL)
    nn_onnx_unsupported (&inner, "Espalier has no operator \"%s\"", op->op_type);
  else if (reader (onnx, op, &inner))
    return TRUE;
  if (onnx->options->strict || inner == NULL ||
      !(g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) || g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE)))
    {
      g_set_error (error, inner != NULL ? inner->domain : NN_ERROR, inner != NULL ? inner->code : NN_ERROR_FORMAT,
                   "%s: operator \"%s\" (%s): %s", onnx->file, nn_onnx_out (op, 0), op->op_type,
                   inner != NULL ? inner->message : "it cannot be read");
      return FALSE;
    }
  return add_unsupported (onnx, op, inner->message, error);
}

static void
note_use (NnOnnx          *onnx,
          Onnx__NodeProto *op)
{
  for (guint i = 0; i < op->n_input; i++)
    {
      GPtrArray *uses = g_hash_table_lookup (onnx->uses, op->input[i]);

      if (uses == NULL)
        {
          uses = g_ptr_array_new ();
          g_hash_table_insert (onnx->uses, op->input[i], uses);
        }
      g_ptr_array_add (uses, op);
    }
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

static gboolean
read_graph (NnOnnx            *onnx,
            Onnx__GraphProto  *graph,
            const NnProgress  *progress,
            GError           **error)
{
  if (graph->n_node > MAX_NODES)
    {
      g_set_error (error, NN_ERROR, NN_ERROR_LIMIT, "%s: the network has too many operators", onnx->file);
      return FALSE;
    }
  for (gsize i = 0; i < graph->n_initializer; i++)
    {
      NnTensor *tensor = graph->initializer[i]->name != NULL ? nn_onnx_tensor (onnx, graph->initializer[i], error) : NULL;

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
    note_use (onnx, graph->node[i]);
  if (!add_inputs (onnx, graph, error))
    return FALSE;
  for (gsize i = 0; i < graph->n_node; i++)
    {
      if (i % 16 == 0)
        {
          nn_progress_report (progress, (double) i / graph->n_node, nn_onnx_out (graph->node[i], 0));
          if (nn_progress_cancelled (onnx->cancellable, error))
            return FALSE;
        }
      if (!read_op (onnx, graph->node[i], error))
        return FALSE;
    }
  return add_outputs (onnx, graph, error);
}

static gboolean
varint (const guint8 **at,
        const guint8  *end,
        guint64       *value)
{
  *value = 0;
  for (guint shift = 0; *at < end && shift < 64; shift += 7)
    {
      guint8 byte = *(*at)++;

      *value |= (guint64) (byte & 127) << shift;
      if (byte < 128)
        return TRUE;
    }
  return FALSE;
}

/* Whether the wire format holds, and messages are not nested too deep: protobuf-c recurses without a bound. */
static gboolean
check_wire (const ProtobufCMessageDescriptor *message,
            const guint8                     *at,
            gsize                             n,
            guint                             depth)
{
  const guint8 *end = at + n;

  if (depth > MAX_DEPTH)
    return FALSE;
  while (at < end)
    {
      const ProtobufCFieldDescriptor *field;
      guint64 tag, length;

      if (!varint (&at, end, &tag))
        return FALSE;
      switch (tag & 7)
        {
        case 0:
          if (!varint (&at, end, &length))
            return FALSE;
          break;
        case 1:
        case 5:
          length = (tag & 7) == 1 ? 8 : 4;
          if ((guint64) (end - at) < length)
            return FALSE;
          at += length;
          break;
        case 2:
          if (!varint (&at, end, &length) || length > (guint64) (end - at))
            return FALSE;
          field = protobuf_c_message_descriptor_get_field (message, (unsigned) (tag >> 3));
          if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE &&
              !check_wire (field->descriptor, at, (gsize) length, depth + 1))
            return FALSE;
          at += length;
          break;
        default:
          return FALSE;
        }
    }
  return TRUE;
}

static void
clear_weight (gpointer data)
{
  NnWeight *weight = data;

  nn_tensor_unref (weight->values);
  nn_tensor_unref (weight->mask);
}

/* What nn_save_onnx() put into the metadata: masks, one bit an element. One that does not fit is not ours. */
static void
read_masks (NnOnnx           *onnx,
            Onnx__ModelProto *proto)
{
  for (guint i = 0; i < onnx->weights->len; i++)
    {
      NnWeight *weight = &g_array_index (onnx->weights, NnWeight, i);
      const char *end = g_str_has_suffix (weight->layer, "__linear") ? strstr (weight->layer, "__linear")
                        : g_str_has_suffix (weight->layer, "__first") ? strstr (weight->layer, "__first")
                                                                      : weight->layer + strlen (weight->layer);
      g_autofree char *layer = g_strndup (weight->layer, end - weight->layer);
      g_autofree char *key = NULL;

      if (g_str_has_suffix (layer, "__first"))
        layer[strlen (layer) - strlen ("__first")] = '\0';
      key = g_strdup_printf ("espalier.mask/%s/%s", layer, nn_role_name (weight->role));
      for (gsize k = 0; k < proto->n_metadata_props; k++)
        {
          const Onnx__StringStringEntryProto *entry = proto->metadata_props[k];
          g_autofree guchar *bits = NULL;
          g_autoptr (NnTensor) mask = NULL;
          gboolean agrees = TRUE;
          gsize n;

          if (entry->key == NULL || entry->value == NULL || !g_str_equal (entry->key, key))
            continue;
          bits = g_base64_decode (entry->value, &n);
          if (n != weight->values->n / 8 + 1)
            continue;
          mask = nn_tensor_new (NN_DTYPE_U8, &weight->values->shape);
          for (gsize b = 0; b < mask->n; b++)
            {
              nn_tensor_u8 (mask)[b] = bits[b / 8] >> b % 8 & 1;
              agrees = agrees && (nn_tensor_u8 (mask)[b] || nn_tensor_f32 (weight->values)[b] == 0);
            }
          if (agrees && weight->mask == NULL)
            weight->mask = g_steal_pointer (&mask);
        }
    }
}

static NnModel *
read_model (Onnx__ModelProto     *proto,
            const char           *path,
            const NnLoadOptions  *options,
            gboolean              lift,
            const NnProgress     *progress,
            GCancellable         *cancellable,
            GError              **error)
{
  g_autoptr (NnGraphBuilder) builder = nn_graph_builder_new ();
  g_autoptr (GHashTable) values = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, value_free);
  g_autoptr (GHashTable) uses = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  g_autoptr (GHashTable) outputs = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) fused = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) shapes = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (NnWeight));
  g_autoptr (NnGraph) graph = NULL;
  g_autoptr (GError) inner = NULL;
  g_autofree char *format = NULL;
  NnOnnx onnx = { .file = path, .options = options, .cancellable = cancellable, .builder = builder, .values = values,
                  .uses = uses, .outputs = outputs, .fused = fused, .shapes = shapes, .weights = weights, .names = names, .opset = 1, .lifted = lift };
  NnModelInfo info = { .name = proto->graph->name, .whole = lift };

  g_array_set_clear_func (weights, clear_weight);
  for (gsize i = 0; i < proto->n_opset_import; i++)
    if ((proto->opset_import[i]->domain == NULL || proto->opset_import[i]->domain[0] == '\0' ||
         g_str_equal (proto->opset_import[i]->domain, "ai.onnx")) &&
        proto->opset_import[i]->has_version)
      onnx.opset = (int) CLAMP (proto->opset_import[i]->version, 1, 1000);
  if (lift && !nn_onnx_lift (&onnx, proto->graph))
    {
      g_set_error (error, NN_ERROR, NN_ERROR_UNSUPPORTED, "%s: its first axis is not the batch's", path);
      return NULL;
    }
  if (!read_graph (&onnx, proto->graph, progress, error))
    return NULL;
  graph = nn_graph_builder_seal (builder, &inner);
  if (graph == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&inner), "%s: ", path);
      return NULL;
    }
  read_masks (&onnx, proto);
  nn_progress_report (progress, 1, NULL);
  format = g_strdup_printf ("%s opset %d", onnx.quantized ? "QONNX" : "ONNX", onnx.opset);
  info.format = format;
  return nn_model_new (graph, (const NnWeight *) (gpointer) weights->data, weights->len, &info, error);
}

static guint
count_unsupported (const NnModel *model)
{
  const NnGraph *graph = nn_model_graph (model);
  guint n = 0;

  for (guint i = 0; i < nn_graph_n_nodes (graph); i++)
    n += nn_graph_node (graph, i)->op == NN_OP_UNSUPPORTED;
  return n;
}

static NnModel *
read_bytes (GBytes              *bytes,
            const char          *path,
            const NnLoadOptions *options,
            gboolean             lift,
            const NnProgress    *progress,
            GCancellable        *cancellable,
            GError             **error)
{
  gsize n;
  const guint8 *data = g_bytes_get_data (bytes, &n);
  Onnx__ModelProto *proto = NULL;
  NnModel *model = NULL;

  if (data != NULL && check_wire (&onnx__model_proto__descriptor, data, n, 0))
    proto = onnx__model_proto__unpack (NULL, n, data);
  if (proto == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the ONNX file is damaged or incomplete", path);
  else if (proto->graph == NULL)
    g_set_error (error, NN_ERROR, NN_ERROR_FORMAT, "%s: the ONNX file holds no network", path);
  else
    model = read_model (proto, path, options, lift, progress, cancellable, error);
  if (proto != NULL)
    onnx__model_proto__free_unpacked (proto, NULL);
  return model;
}

/* Whether the bytes begin like a ModelProto: field 1, a small number, the version of the format. */
gboolean
nn_onnx_is_onnx (const guint8 *bytes,
                 gsize         n_bytes)
{
  return n_bytes >= 4 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 64 && (bytes[2] & 7) == 2;
}

/**
 * nn_load_onnx:
 * @bytes: the whole file
 *
 * Errors: %NN_ERROR_FORMAT, %NN_ERROR_UNSUPPORTED, %NN_ERROR_SHAPE, %NN_ERROR_LIMIT
 */
NnModel *
nn_load_onnx (GBytes              *bytes,
              const char          *path,
              const NnLoadOptions *options,
              const NnProgress    *progress,
              GCancellable        *cancellable,
              GError             **error)
{
  g_autoptr (GError) inner = NULL;
  g_autoptr (NnModel) model = NULL;
  g_autoptr (NnModel) whole = NULL;

  nn_progress_report (progress, 0, NULL);
  model = read_bytes (bytes, path, options, FALSE, progress, cancellable, &inner);
  /* where the first axis turns out not to be the batch's, the network is read again as one sample */
  if (model != NULL ? count_unsupported (model) > 0
                    : g_error_matches (inner, NN_ERROR, NN_ERROR_UNSUPPORTED) || g_error_matches (inner, NN_ERROR, NN_ERROR_SHAPE))
    whole = read_bytes (bytes, path, options, TRUE, progress, cancellable, NULL);
  if (whole != NULL && count_unsupported (whole) == 0)
    return g_steal_pointer (&whole);
  if (model == NULL)
    g_propagate_error (error, g_steal_pointer (&inner));
  return g_steal_pointer (&model);
}
